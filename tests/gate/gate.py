"""The gate: what every workbook must pass, whoever built it."""

from collections.abc import Sequence

from tests.book.rules import RULES, Rule
from tests.gate import charts, errors, limits, properties, protection
from tests.gate.validator import validator, validator_findings

MODULES = (charts, errors, limits, properties, protection)
"""The modules whose rules RULES holds beside those of tests.book.rules."""

AWAITED: frozenset[str] = frozenset({"alt_texts"})
"""Rules that the workbooks do not pass yet; what they find is left out."""


def findings(content: bytes) -> list[str]:
    """What the rules find in the bytes of a workbook, plain or with macros; none is the mark."""
    return [sentence for each in gate_rules() for sentence in each(content)]


def gate_rules() -> Sequence[Rule]:
    """The rules that a workbook must pass."""
    return [each for each in RULES if each.__name__ not in AWAITED]


def examined(content: bytes) -> list[str]:
    """What the rules find, and Microsoft's validator where it is installed."""
    program = validator()
    return [*findings(content), *(validator_findings(program, content) if program else [])]
