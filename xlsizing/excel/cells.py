"""What a cell hands over, and what a function answers in one.

The classic add-in hands over floats, None for an empty cell and dates as dates; Office.js
ints or floats, None or "" for an empty cell; both the text of an error value.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import TypeAlias, TypeGuard, cast

from xlsizing.core import SizingError, UnknownNameError
from xlsizing.core.exact import Number
from xlsizing.core.message import Message

Cell: TypeAlias = str | float | bool | date | None
"""What a cell hands over or shows: text, a number, true or false, a date, or nothing."""

UNKNOWN_NAME = NOT_AVAILABLE = "#N/A"
INVALID_VALUE = "#VALUE!"
NOTHING_FITS = "#NUM!"

CELL_ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")
"""The error values that every host can show."""

_ERROR = re.compile(r"#([A-Z]+[!?]|N/A|DIV/0!|GETTING_DATA)")
"""How an error value reads as text: those above, and #SPILL!, #CALC!, #BUSY! and their like."""


def is_error(cell: object) -> TypeGuard[str]:
    """True for the text of an error value."""
    return isinstance(cell, str) and cell[:1] == "#" and bool(_ERROR.fullmatch(cell))


def error_in(cells: Iterable[object]) -> str | None:
    """The first error value among cells; #VALUE! for one that not every host can show."""
    for cell in cells:
        if is_error(cell):
            return cell if cell in CELL_ERRORS else INVALID_VALUE
    return None


def error_value(error: SizingError) -> str:
    """The error value that a cell shows for what core raised."""
    return UNKNOWN_NAME if isinstance(error, UnknownNameError) else INVALID_VALUE


def is_blank(cell: Cell) -> bool:
    """True for a cell in which nothing is typed, or blanks alone."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


class _DateCell:
    """A date where there should be none, as a sentence shows it."""

    def __init__(self, day: date) -> None:
        self.day = day

    def __repr__(self) -> str:
        return _date(self.day)


def _date(day: date) -> Message:
    shown = day.isoformat(" ") if isinstance(day, datetime) else day.isoformat()
    return Message("the date {date}", date=shown)


class _TextCell(str):
    """A text where a number belongs, as a sentence shows it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return Message("the text {text}", text=repr(str(self)))


def number(cell: Cell, default: Number | None = None) -> Number:
    """The number of a cell, or the default where it is blank; core refuses what is none."""
    if isinstance(cell, float | int):
        return cell
    if is_blank(cell):
        cell = cast(Cell, default)
    if isinstance(cell, str):
        return cast(Number, _TextCell(cell))
    return cast(Number, _DateCell(cell) if isinstance(cell, date) else cell)


def word(cell: Cell) -> str | None:
    """A word without stray blanks, in small letters; None where the cell is blank."""
    if is_blank(cell):
        return None
    return _date(cell) if isinstance(cell, date) else str(cell).strip().lower()


def name(cell: Cell) -> object:
    """A name as core looks it up, None for a blank cell; core refuses what is no text."""
    if is_blank(cell):
        return None
    return _DateCell(cell) if isinstance(cell, date) else cell
