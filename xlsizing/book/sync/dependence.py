"""Which formulas of a workbook depend on what: on names, on cells, on one another."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from openpyxl.workbook import Workbook

from xlsizing.book.worksheet import Area, area_of

Place = tuple[str, int, int]
"""A sheet's title, a row and a column."""

_TEXT = re.compile(r'"[^"]*"')
_WORD = re.compile(r"[A-Za-z_]\w*\b(?!!)")
_AREA = re.compile(
    r"(?:(?:'(?P<quoted>[^']+)'|(?P<plain>\w+))!)?"
    r"(?P<cells>\$?[A-Z]{1,3}\$?[0-9]+(?::\$?[A-Z]{1,3}\$?[0-9]+)?)(?![\w(\[!])"
)


class _Reads(NamedTuple):
    """What a formula reads: names and tables as words, cells by address."""

    words: frozenset[str]
    areas: tuple[tuple[str, Area], ...]


def dependent(
    book: Workbook,
    formulas: Mapping[Place, str],
    names: Iterable[str],
    places: Iterable[Place] = (),
) -> set[Place]:
    """The formulas that depend on names or cells, through others or not; such cells with them.

    Parameters
    ----------
    book : where the names and tables of the formulas are.
    formulas : the formulas' texts, by where they stand.
    names : the names whose value is in question.
    places : the cells whose value is in question.
    """
    touched, found, new = set(names), set(places), set(places)
    if not touched and not found:
        return found
    left = {place: _reads(place[0], text) for place, text in formulas.items()}
    areas = _areas(book)
    while True:
        touched |= {word for word, (title, area) in areas.items() if _has(new, title, area)}
        left = {place: read for place, read in left.items() if place not in found}
        new = {
            place
            for place, read in left.items()
            if not touched.isdisjoint(read.words) or any(_has(found, *area) for area in read.areas)
        }
        if not new:
            return found
        found |= new


def _has(places: set[Place], title: str, area: Area) -> bool:
    """Whether one of the places is in an area of a sheet."""
    size = (area.bottom - area.top + 1) * (area.right - area.left + 1)
    if size > len(places):
        return any(each[0] == title and area.holds(each[1], each[2]) for each in places)
    return any(
        (title, row, column) in places
        for row in range(area.top, area.bottom + 1)
        for column in range(area.left, area.right + 1)
    )


def _reads(title: str, formula: str) -> _Reads:
    text = _TEXT.sub('""', formula)
    areas = [
        (match["quoted"] or match["plain"] or title, area_of(match["cells"]))
        for match in _AREA.finditer(text)
    ]
    return _Reads(frozenset(_WORD.findall(text)), tuple(areas))


def _areas(book: Workbook) -> dict[str, tuple[str, Area]]:
    """The cells that each name and each table stands for."""
    found: dict[str, tuple[str, Area]] = {}
    for name, defined in book.defined_names.items():
        match = _AREA.fullmatch(defined.attr_text or "")
        if match:
            found[name] = (match["quoted"] or match["plain"], area_of(match["cells"]))
    for sheet in book.worksheets:
        found |= {table.name: (sheet.title, area_of(table.ref)) for table in sheet.tables.values()}
    return found
