"""What is wrong with catalog files."""

from collections.abc import Sequence
from typing import NamedTuple

from xlsizing.core import SizingError
from xlsizing.core.message import Message, joined
from xlsizing.core.text import printable

MOST_SHOWN = 40
"""Faults that an error lists; of the others it says how many there are."""
MOST_LISTED = 1000
"""Faults after which no more are looked for."""


class JsonFault(Exception):
    """What is wrong with a JSON file: a place in it, which may be empty, and a sentence."""

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place
        self.sentence = sentence


class Fault(NamedTuple):
    """One thing wrong with a catalog file: which file, where in it, and a sentence."""

    file: str
    path: str
    sentence: str

    def __str__(self) -> str:
        """The fault on one line, in whatever language it is said."""
        parts = (self.file, self.path, self.sentence) if self.path else (self.file, self.sentence)
        return joined(": ", map(_printable, parts))


def _printable(text: str) -> str:
    """The text as `printable` has it; of a message each value, so that it can still be said."""
    if text.isprintable():
        return text
    if isinstance(text, Message):
        return text.filled(**{name: _printable(value) for name, value in text.values.items()})
    return printable(text)


class CatalogError(SizingError):
    """Catalog files that cannot be used; `faults` lists what is wrong with them.

    Its text has a line for each of the first faults, and says how many more there are.
    """

    code = "CATALOG_FAULT"

    def __init__(self, faults: Sequence[Fault]) -> None:
        lines = [str(fault) for fault in faults[:MOST_SHOWN]]
        if (more := len(faults) - MOST_SHOWN) > 0:
            lines.append(
                Message("And at least {more} more.", more=str(more))
                if len(faults) >= MOST_LISTED
                else Message("And {more} more.", more=str(more))
            )
        super().__init__(joined("\n", lines))
        self.faults = tuple(faults)
