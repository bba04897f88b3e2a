"""What a check found: one sentence, and for a problem the one thing to do."""

import re
from dataclasses import dataclass
from enum import StrEnum

from xlsizing.core.message import Message

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
        object.__setattr__(self, "what", _safe(self.what))
        object.__setattr__(self, "mend", _safe(self.mend))


def ok(what: str) -> Finding:
    """Nothing is wrong."""
    return Finding(Outcome.OK, what)


def problem(what: str, mend: str) -> Finding:
    """Something is wrong, and one thing mends it."""
    return Finding(Outcome.PROBLEM, what, mend)


def not_checked(why: str) -> Finding:
    """It could not, or need not, be looked at."""
    return Finding(Outcome.NOT_CHECKED, why)


def run(command: str) -> Message:
    """That a command is to be run."""
    return Message("Run {command}", command=command)


def printable(text: str) -> str:
    """The text on one line of a terminal, which no character of it can command."""
    return _line(text.strip())


def _safe(text: str) -> str:
    """The text printable; a message remains one, of values that are."""
    if not isinstance(text, Message):
        return printable(text)
    return _of_lines(text) if text.values else text


def _of_lines(message: Message) -> Message:
    values = message.values.items()
    return message.filled(
        **{
            name: (_of_lines(value) if value.values else value)
            if isinstance(value, Message)
            else _line(value)
            for name, value in values
        }
    )


def _line(text: str) -> str:
    shown = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in re.sub(r"\s+", " ", text)
    )
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."
