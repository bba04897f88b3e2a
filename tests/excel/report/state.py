"""What a workbook shows: the state that a host's calls, or Office.js's actions, end in."""

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Place = tuple[int, int]
"""A row and a column, from 1."""
Area = tuple[int, int, int, int]
"""First row, first column, last row and last column."""


class Formula(str):
    """What Excel makes of a text that begins with an equals sign."""

    __slots__ = ()


class Guess(str):
    """What Excel takes for a date, and shows as one."""

    __slots__ = ()


_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* ?-?\d{1,4}",
    re.IGNORECASE,
)


def entered(value: Any) -> Any:
    """What a cell holds of what was written to it: Excel reads text as a person's typing."""
    if not isinstance(value, str):
        return value
    if value.startswith("'"):
        return value[1:]
    if value[:1] in ("=", "+", "-", "@") and len(value) > 1:
        return Formula(value)
    if value.upper() in ("TRUE", "FALSE"):
        return value.upper() == "TRUE"
    if _DATE.fullmatch(value):
        return Guess(value)
    try:
        return float(value.replace(",", ""))
    except ValueError:
        return value


@dataclass
class SheetState:
    """One sheet."""

    title: str
    cells: dict[Place, Any] = field(default_factory=dict)
    looks: dict[Place, dict[str, Any]] = field(default_factory=dict)
    widths: dict[int, float] = field(default_factory=dict)
    heights: dict[int, float] = field(default_factory=dict)
    fitted: list[Area] = field(default_factory=list)
    """Areas whose rows Excel made as high as their text."""
    merged: list[Area] = field(default_factory=list)
    highlights: list[tuple[Area, str, str, str]] = field(default_factory=list)
    charts: list[dict[str, Any]] = field(default_factory=list)
    frozen: str = ""
    grid: bool = True

    def enter(self, area: Area, rows: Sequence[Sequence[Any]]) -> None:
        """Write values into cells."""
        top, left, bottom, right = area
        assert len(rows) == bottom - top + 1
        for row, values in enumerate(rows, start=top):
            assert len(values) == right - left + 1
            for column, value in enumerate(values, start=left):
                if value is None or value == "":
                    self.cells.pop((row, column), None)
                else:
                    self.cells[row, column] = entered(value)

    def dress(self, area: Area, name: str, value: Any) -> None:
        """Give cells a look."""
        for place in places(area):
            self.looks.setdefault(place, {})[name] = value

    def underline(self, area: Area, side: str, name: str, value: Any) -> None:
        """Draw lines below each row of an area, or below its last one."""
        top, left, bottom, right = area
        rows = {"edge_bottom": (bottom, bottom), "inside_horizontal": (top, bottom - 1)}[side]
        assert rows[0] <= rows[1], "an area of one row has no lines inside"
        self.dress((rows[0], left, rows[1], right), f"line_{name}", value)

    @property
    def extent(self) -> Place:
        """The last row and column that hold something."""
        return (
            max((row for row, _ in self.cells), default=1),
            max((column for _, column in self.cells), default=1),
        )

    def value(self, row: int, column: int) -> Any:
        """What a cell holds."""
        return self.cells.get((row, column))

    def row(self, row: int) -> list[Any]:
        """The values of a row."""
        return [self.cells.get((row, column)) for column in range(1, self.extent[1] + 1)]

    def labelled(self, column: int) -> dict[str, int]:
        """The row of each text in a column, the first where there are several."""
        found: dict[str, int] = {}
        for (row, place), value in sorted(self.cells.items()):
            if place == column and isinstance(value, str):
                found.setdefault(value, row)
        return found


@dataclass
class BookState:
    """A workbook."""

    name: str
    sheets: list[SheetState] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """What each defined name refers to, with its equals sign."""
    tables: dict[str, tuple[str, Area]] = field(default_factory=dict)
    """The sheet and the cells of each table, heads and all."""
    totals: set[str] = field(default_factory=set)
    """The tables whose last row is one of totals."""
    active: str = ""

    @property
    def titles(self) -> list[str]:
        """The titles of the sheets, in their order."""
        return [sheet.title for sheet in self.sheets]

    def sheet(self, title: str) -> SheetState:
        """The sheet with a title."""
        return next(each for each in self.sheets if each.title == title)

    def copy(self) -> "BookState":
        """The same state, which does not change with this one."""
        return copy.deepcopy(self)

    def add(self, title: str, place: int) -> None:
        """Add a sheet at a place, from 0, and show it."""
        assert title.casefold() not in map(str.casefold, self.titles), f"{title} is taken"
        assert 0 < len(title) <= 31
        self.sheets.insert(place, SheetState(title))
        self.active = title

    def rename(self, title: str, to: str) -> None:
        """Give a sheet another title; names follow it."""
        assert to.casefold() not in map(str.casefold, self.titles), f"{to} is taken"
        assert 0 < len(to) <= 31
        self.sheet(title).title = to
        for name, refers_to in self.names.items():
            self.names[name] = refers_to.replace(f"={quoted(title)}!", f"={quoted(to)}!")
        for name, (sheet, area) in self.tables.items():
            self.tables[name] = (to if sheet == title else sheet, area)
        self.active = to if self.active == title else self.active

    def delete(self, title: str) -> None:
        """Delete a sheet; names that stand for its cells break."""
        place = self.titles.index(title)
        assert len(self.sheets) > 1, "a workbook has a sheet"
        del self.sheets[place]
        for name, refers_to in self.names.items():
            self.names[name] = refers_to.replace(f"={quoted(title)}!", "=#REF!")
        if self.active == title:
            self.active = self.titles[min(place, len(self.sheets) - 1)]

    def refer(self, name: str, refers_to: str) -> None:
        """Let a name stand for something; Excel keeps no more quotes than it must."""
        try:
            sheet, _ = referred(refers_to)
            refers_to = f"={quoted(sheet)}!{refers_to.rpartition('!')[2]}"
        except ValueError:
            pass
        self.names[name] = refers_to

    def named(self, name: str) -> tuple[SheetState, Place]:
        """The cell that a name stands for."""
        sheet, address = referred(self.names[name])
        top, left, bottom, right = area_of(address)
        assert (top, left) == (bottom, right)
        return self.sheet(sheet), (top, left)


def quoted(title: str) -> str:
    """A title as a reference has it."""
    plain = re.fullmatch(r"[A-Za-z_]\w*", title)
    return title if plain else "'" + title.replace("'", "''") + "'"


_REFERENCE = re.compile(r"=(?:'((?:[^']|'')+)'|(\w+))!(\$?[A-Z]+\$?\d+(?::\$?[A-Z]+\$?\d+)?)")


def referred(refers_to: str) -> tuple[str, str]:
    """The sheet and the address of a reference; raises ValueError for any other formula."""
    match = _REFERENCE.fullmatch(refers_to)
    if match is None:
        raise ValueError(refers_to)
    return (match[1] or match[2]).replace("''", "'"), match[3].replace("$", "")


def area_of(address: str) -> Area:
    """The area of an address such as B4 or B4:C9."""
    first, _, last = address.replace("$", "").partition(":")
    return (*place_of(first), *place_of(last or first))


def place_of(address: str) -> Place:
    """The row and column of an address such as B4."""
    match = re.fullmatch(r"([A-Z]+)(\d+)", address)
    assert match, address
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]), column


def address_of(area: Area) -> str:
    """The address of an area, such as B4:C9."""
    top, left, bottom, right = area
    first, last = f"{letters(left)}{top}", f"{letters(right)}{bottom}"
    return first if first == last else f"{first}:{last}"


def letters(column: int) -> str:
    """A column's letters."""
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found


def places(area: Area) -> Iterator[Place]:
    """The cells of an area."""
    top, left, bottom, right = area
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            yield row, column
