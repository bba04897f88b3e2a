"""Ranges that end where a table ends: they grow and shrink with it."""

import re
from collections.abc import Callable
from typing import NamedTuple

from xlsizing.book.package.xml import XmlError
from xlsizing.book.worksheet import LAST_COLUMN, LAST_ROW, Area, address_of, area_of

_QUALIFIED = re.compile(
    r"(?<!\])(?P<sheet>'(?:[^']|'')*'|[^\s'!,()=+*/&<>^;:{}\[\]-]+)"
    r"(?:!(?P<left>\$?[A-Za-z]{1,3}\$?)(?P<top>[0-9]{1,7})"
    r"(?::(?P<right>\$?[A-Za-z]{1,3}\$?)(?P<bottom>[0-9]{1,7}))?(?![A-Za-z0-9_(.]))?"
)
"""A word or quoted title, with an address where one follows: so a text is gone through once."""

_LITERAL = re.compile(r'("[^"]*(?:"|\Z))')

_ROWS = re.compile(
    r"(?P<sheet>'(?:[^']|'')*+(?:'|\Z)|[^\s'!,()=+*/&<>^;:{}\[\]-]++)"
    r"(?:!\$?(?P<top>[0-9]{1,7}):\$?(?P<bottom>[0-9]{1,7}))?"
)
"""Whole rows, such as Servers!5:6."""


class Stretch(NamedTuple):
    """How the rows of a table come to end elsewhere."""

    title: str
    """Title of the table's sheet."""
    before: Area
    """Its rows, without head and totals, as they were."""
    last_row: int
    """Where they end now."""

    def area(self, area: Area) -> Area | None:
        """Where an area of the table's sheet is now; None where nothing of it is left.

        One that ends with the table's rows, and shares a column with them, ends with them still.
        """
        shares = area.left <= self.before.right and self.before.left <= area.right
        if area.bottom != self.before.bottom or not shares:
            return area
        return area._replace(bottom=self.last_row) if area.top <= self.last_row else None


def stretched_list(sqref: str, stretch: Stretch) -> str:
    """A list of areas of the table's sheet, such as A5:A9 C5, after the table's change.

    Raises
    ------
    XmlError : it is no list of areas.
    """
    places = [stretch.area(area_of(part)) for part in sqref.split()]
    left = [address_of(place) for place in places if place]
    return " ".join(left) or sqref


def stretched_references(text: str, stretch: Stretch) -> str:
    """A formula or reference in which ranges of the table's sheet end where they do now."""

    def replaced(match: re.Match[str], area: Area) -> str:
        after = stretch.area(area)
        if after is None or after == area:
            return match[0]
        return f"{match['sheet']}!{match['left']}{match['top']}:{match['right']}{after.bottom}"

    # What stands in double quotes is a text, whatever it looks like.
    pieces = _LITERAL.split(text)
    pieces[::2] = [_each(piece, stretch.title, replaced) for piece in pieces[::2]]
    return "".join(pieces)


def references(text: str, title: str) -> list[Area]:
    """The areas of a sheet that a formula or reference names by their addresses."""
    found: list[Area] = []

    def noted(match: re.Match[str], area: Area) -> str:
        found.append(area)
        return match[0]

    _each(text, title, noted)
    for match in _ROWS.finditer(text):
        if match["top"] is None:
            continue
        top, bottom = int(match["top"]), int(match["bottom"])
        if _is_of(match["sheet"], title) and 1 <= top <= bottom <= LAST_ROW:
            found.append(Area(top, 1, bottom, LAST_COLUMN))
    return found


def _each(text: str, title: str, replaced: Callable[[re.Match[str], Area], str]) -> str:
    def of_sheet(match: re.Match[str]) -> str:
        if match["left"] is None or not _is_of(match["sheet"], title):
            return match[0]
        left, right = match["left"], match["right"] or match["left"]
        try:
            area = area_of(f"{left}{match['top']}:{right}{match['bottom'] or match['top']}")
        except XmlError:
            return match[0]
        return replaced(match, area)

    return _QUALIFIED.sub(of_sheet, text)


def _is_of(sheet: str, title: str) -> bool:
    """Whether a reference's sheet, in quotes or not, is the one of a title."""
    named = sheet[1:-1].replace("''", "'") if sheet.startswith("'") else sheet
    return named.lower() == title.lower()
