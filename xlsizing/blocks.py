"""What a report is made of, before it is written in any form or language."""

from collections.abc import Sequence
from typing import NamedTuple

from xlsizing.core.alerts import Alert


class Table(NamedTuple):
    """A table: its heads, and rows of as many texts."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    """The columns, from 0, that hold figures and stand at the right."""


class Step(NamedTuple):
    """One step of a calculation."""

    name: str
    equation: str
    """In words; the same words name the figures of other steps."""
    figures: str
    """The equation with its figures put in."""
    result: str


class Steps(NamedTuple):
    """A calculation, step by step."""

    steps: Sequence[Step]


class Alerts(NamedTuple):
    """Alerts with what to do."""

    alerts: Sequence[Alert]


Block = str | Table | Steps | Alerts
"""A paragraph, or one of the others."""


class Section(NamedTuple):
    """A part of a report with its title."""

    title: str
    blocks: Sequence[Block]


class Report(NamedTuple):
    """A report: what it is of, the answer in a sentence, and its parts."""

    title: str
    answer: str
    """Nodes, for whom, at what context."""
    gravest: Alert | None
    """The most serious alert; None where there is none."""
    sections: Sequence[Section]
    subject: str
    """The answer as a mail's subject."""
    summary: Sequence[Section]
    """The parts that a mail has."""
