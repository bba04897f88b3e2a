"""The gate: what every workbook must pass, whoever built it."""

from tests.book.rules import RULES
from tests.gate import add_ins, charts, errors, limits, macros, properties, protection
from tests.gate.validator import validator, validator_findings

MODULES = (add_ins, charts, errors, limits, macros, properties, protection)
"""The modules whose rules RULES holds beside those of tests.book.rules."""


def findings(content: bytes) -> list[str]:
    """What the rules find in the bytes of a workbook, plain or with macros; none is the mark."""
    return [sentence for each in RULES for sentence in each(content)]


def examined(content: bytes) -> list[str]:
    """What the rules find, and Microsoft's validator where it is installed."""
    program = validator()
    return [*findings(content), *(validator_findings(program, content) if program else [])]
