"""What a check found: one sentence, and for a problem the one thing to do."""

from dataclasses import dataclass
from enum import StrEnum

LONGEST = 600
"""Characters of a sentence; what programs print and files hold can be far longer."""


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    PROBLEM = "problem"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Finding:
    """What a check found."""

    outcome: Outcome
    what: str
    """What is right, what is wrong with the value found, or why it was not checked."""
    mend: str = ""
    """The one thing to do about a problem; empty where there is none."""

    def __post_init__(self) -> None:
        assert bool(self.mend) == (self.outcome is Outcome.PROBLEM), self.what
        object.__setattr__(self, "what", printable(self.what))
        object.__setattr__(self, "mend", printable(self.mend))


def ok(what: str) -> Finding:
    """Nothing is wrong."""
    return Finding(Outcome.OK, what)


def problem(what: str, mend: str) -> Finding:
    """Something is wrong, and one thing mends it."""
    return Finding(Outcome.PROBLEM, what, mend)


def not_checked(why: str) -> Finding:
    """It could not, or need not, be looked at."""
    return Finding(Outcome.NOT_CHECKED, why)


def printable(text: str) -> str:
    """The text on one line of a terminal, which no character of it can command."""
    line = " ".join(text.split())
    shown = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in line
    )
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."
