"""The XML of a sheet: where its rows and cells stand in the bytes, and what they hold."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from math import isinf
from typing import NamedTuple

from xlsizing.book.package.xml import (
    ATTRIBUTES,
    XmlError,
    plain_text,
    require_well_formed,
)
from xlsizing.book.shared_strings import unescaped
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import CellError, Value

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384

FORMULA = CellError("formula")
"""Stands for a formula where values are not looked at."""

_MARKUP = re.compile(rb"<!--|<!\[CDATA\[|<\?(?!xml\s)")
_SHEET_DATA = rb"<((?:[\w.-]+:)?)sheetData" + ATTRIBUTES + rb"(/?)>"
_NUMBER = re.compile(rb"\sr\s*=\s*[\"']([0-9]{1,8})[\"']")
_ADDRESS = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{1,3})([0-9]{1,8})[\"']")
_KIND = re.compile(rb"\st\s*=\s*[\"']([A-Za-z]*)[\"']")
_STYLE = re.compile(rb"\ss\s*=\s*[\"']([0-9]{1,9})[\"']")
_HIDDEN = re.compile(rb"\shidden\s*=\s*[\"'](?:1|true)[\"']")
_SHARED = re.compile(rb"\st\s*=\s*[\"']s[\"'][^>]*>\s*<(?:[\w.-]+:)?v\b[^>]*>\s*([0-9]{1,9})\s*<")


class Row(NamedTuple):
    """A row, and where it stands in the bytes."""

    number: int
    start: int
    tag_end: int
    inner_end: int
    end: int


class Cell(NamedTuple):
    """A cell, and where it stands in the bytes."""

    row: int
    column: int
    start: int
    tag_end: int
    end: int


class Area(NamedTuple):
    """First row, first column, last row and last column."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def is_one_cell(self) -> bool:
        """Whether it is a single cell."""
        return self.top == self.bottom and self.left == self.right

    def holds(self, row: int, column: int) -> bool:
        """Whether a cell is in the area."""
        return self.top <= row <= self.bottom and self.left <= column <= self.right

    def meets(self, other: "Area") -> bool:
        """Whether two areas share a cell."""
        return (
            self.top <= other.bottom
            and other.top <= self.bottom
            and self.left <= other.right
            and other.left <= self.right
        )


class Worksheet:
    """The XML of a sheet.

    Parameters
    ----------
    content : the bytes of its part, in UTF-8.

    Raises
    ------
    XmlError : it is broken, or no sheet.
    """

    def __init__(self, content: bytes) -> None:
        require_well_formed(content)
        self.content = _without_other_markup(content)
        data = re.search(_SHEET_DATA, self.content)
        if data is None:
            raise XmlError(Message("there are no rows"))
        self.prefix = data[1]
        self.data_start = data.end()
        self.is_without_rows = bool(data[2])
        end = self.content.find(b"</%bsheetData" % self.prefix, data.end())
        self.data_end = data.end() if self.is_without_rows else end
        tag = rb"<%b%b(" + ATTRIBUTES + rb")(/?)>"
        self._row_tag = re.compile(tag % (self.prefix, b"row"))
        self._cell_tag = re.compile(tag % (self.prefix, b"c"))

    @property
    def outline(self) -> bytes:
        """The sheet without its rows."""
        return self.content[: self.data_start] + self.content[self.data_end :]

    @cached_property
    def rows(self) -> Mapping[int, Row]:
        """The rows by number, in their order in the bytes.

        Raises
        ------
        XmlError : two rows have the same number, or there are more than a sheet may have.
        """
        found: dict[int, Row] = {}
        number, at = 0, self.data_start
        closing = b"</%brow" % self.prefix
        while match := self._row_tag.search(self.content, at, self.data_end):
            said = _NUMBER.search(match[1])
            number = int(said[1]) if said else number + 1
            if match[2]:
                inner_end = end = match.end()
            else:
                inner_end, end = self._end(closing, match.end(), self.data_end)
            if number in found or not 1 <= number <= LAST_ROW:
                raise XmlError(
                    Message("row {number} is there twice, or beyond the last", number=str(number))
                )
            found[number] = Row(number, match.start(), match.end(), inner_end, end)
            at = end
        return found

    def cells(self, row: Row) -> Iterator[Cell]:
        """The cells of a row, in their order in the bytes."""
        column, at = 0, row.tag_end
        closing = b"</%bc" % self.prefix
        while match := self._cell_tag.search(self.content, at, row.inner_end):
            said = _ADDRESS.search(match[1])
            column = column_number(said[1].decode()) if said else column + 1
            end = match.end()
            if not match[2]:
                _, end = self._end(closing, match.end(), row.inner_end)
            if not 1 <= column <= LAST_COLUMN:
                raise XmlError(
                    Message(
                        "a cell of row {number} is beyond the last column", number=str(row.number)
                    )
                )
            yield Cell(row.number, column, match.start(), match.end(), end)
            at = end

    def _end(self, closing: bytes, start: int, end: int) -> tuple[int, int]:
        """Where the end tag of a row or cell begins and ends."""
        found = self.content.find(closing, start, end)
        if found < 0:
            raise XmlError(Message("its rows and cells stand in one another"))
        return found, self.content.index(b">", found) + 1

    def cells_in(self, area: Area) -> Iterator[Cell]:
        """The cells of an area that are there, row by row."""
        for row in self._rows_of(area):
            for cell in self.cells(row):
                if cell.column > area.right:
                    break  # the cells of a row stand in the order of their columns
                if area.left <= cell.column:
                    yield cell

    def _rows_of(self, area: Area) -> Iterator[Row]:
        if area.bottom - area.top < len(self.rows):
            for number in range(area.top, area.bottom + 1):
                if number in self.rows:
                    yield self.rows[number]
        else:
            yield from (row for row in self.rows.values() if area.top <= row.number <= area.bottom)

    def shared_indexes(self) -> set[int]:
        """Numbers of all shared texts that cells of the sheet hold."""
        return {int(match[1]) for match in _SHARED.finditer(self.content, self.data_start)}

    def is_hidden(self, row: Row) -> bool:
        """Whether a row is hidden, by a person or a filter."""
        return _HIDDEN.search(self.content, row.start, row.tag_end) is not None

    def formula_addresses(self) -> set[tuple[int, int]]:
        """Row and column of every cell with a formula."""
        if b"<%bf" % self.prefix not in self.content:
            return set()
        return {
            (cell.row, cell.column)
            for row in self.rows.values()
            for cell in self.cells(row)
            if self.formula(cell) is not None
        }

    def style(self, cell: Cell) -> int:
        """The number of a cell's look."""
        said = _STYLE.search(self.content, cell.start, cell.tag_end)
        return int(said[1]) if said else 0

    def formula(self, cell: Cell) -> str | None:
        """The text of a cell's formula; empty where another cell has it, None where there is none."""
        found = self._formula.search(self.content, cell.tag_end, cell.end)
        return None if found is None else plain_text(found[2] or b"")

    def value(self, cell: Cell, shared: Mapping[int, str]) -> Value:
        """What a cell holds, or what its formula came to; None for nothing.

        Parameters
        ----------
        shared : the shared texts by number.

        Raises
        ------
        XmlError : it holds what no cell can.
        """
        said = _KIND.search(self.content, cell.start, cell.tag_end)
        kind = said[1].decode() if said else "n"
        if kind == "inlineStr":
            inner = self._reading.sub(b"", self.content[cell.tag_end : cell.end])
            return unescaped("".join(map(plain_text, self._text.findall(inner)))) or None
        found = self._result.search(self.content, cell.tag_end, cell.end)
        if found is None:
            # Of an empty text a formula's cell may say the type alone.
            return "" if kind == "str" else None
        is_computed = self._formula.search(self.content, cell.tag_end, cell.end) is not None
        return _value(kind, plain_text(found[1]), shared, is_computed=is_computed)

    @cached_property
    def _formula(self) -> re.Pattern[bytes]:
        return self._element(rb"<%bf(\s[^>]*)?(?:/>|>([^<]*)</%bf\s*>)")

    @cached_property
    def _result(self) -> re.Pattern[bytes]:
        return self._element(rb"<%bv(?:\s[^>]*)?>([^<]*)</%bv\s*>")

    @cached_property
    def _text(self) -> re.Pattern[bytes]:
        return self._element(rb"<%bt(?:\s[^>]*)?>([^<]*)</%bt\s*>")

    @cached_property
    def _reading(self) -> re.Pattern[bytes]:
        return self._element(rb"(?s)<%brPh(?:\s[^>]*)?(?<!/)>.*?</%brPh\s*>")

    def _element(self, pattern: bytes) -> re.Pattern[bytes]:
        return re.compile(pattern % (self.prefix, self.prefix))


def _value(kind: str, text: str, shared: Mapping[int, str], *, is_computed: bool) -> Value:
    if kind == "s":
        return shared.get(_whole(text)) or None
    if kind in ("str", "d"):
        # A formula may come to an empty text, which is a value.
        return unescaped(text) if is_computed else unescaped(text) or None
    if not text.strip():
        return None
    if kind == "b":
        return text.strip() in ("1", "true")
    if kind == "e":
        return CellError(text.strip())
    return _number(text)


def _whole(text: str) -> int:
    if not re.fullmatch(r"\s*[0-9]{1,9}\s*", text):
        raise XmlError(Message("a cell has the shared text {text}", text=repr(text[:20])))
    return int(text)


def _number(text: str) -> Value:
    if not re.fullmatch(r"\s*[-+]?[0-9]*\.?[0-9]*([eE][-+]?[0-9]{1,4})?\s*", text[:400]):
        raise XmlError(Message("a cell holds {text}, which is no number", text=repr(text[:20])))
    try:
        number = float(text)
    except ValueError as error:
        raise XmlError(
            Message("a cell holds {text}, which is no number", text=repr(text[:20]))
        ) from error
    if isinf(number):
        raise XmlError(
            Message("a cell holds {text}, which is too large for a number", text=repr(text[:20]))
        )
    return int(number) if number.is_integer() else number


def column_number(letters: str) -> int:
    """The number of a column, such as 28 for AB."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """The letters of a column, such as AB for 28."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


_AREA = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Za-z]{1,3})\$?([0-9]{1,7}))?")


def area_of(cells: str) -> Area:
    """The area that an address such as $A$5:B9 stands for.

    Raises
    ------
    XmlError : it is no address.
    """
    match = _AREA.fullmatch(cells.strip())
    if match is None:
        raise XmlError(Message("{cells} is no range of cells", cells=repr(cells[:40])))
    left, top, right, bottom = match.groups()
    area = Area(int(top), column_number(left), int(bottom or top), column_number(right or left))
    is_on_a_sheet = area.top >= 1 and area.bottom <= LAST_ROW and area.right <= LAST_COLUMN
    if not is_on_a_sheet or area.top > area.bottom or area.left > area.right:
        raise XmlError(Message("{cells} is no range of cells", cells=repr(cells[:40])))
    return area


def address_of(area: Area) -> str:
    """An area as sheets write it, such as A5:B9, or A5 for one cell."""
    first = f"{column_letters(area.left)}{area.top}"
    last = f"{column_letters(area.right)}{area.bottom}"
    return first if first == last else f"{first}:{last}"


def _without_other_markup(content: bytes) -> bytes:
    """The sheet without comments and the like, which no spreadsheet program writes."""
    if not _MARKUP.search(content):
        return content
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
    )
    try:
        return etree.tostring(etree.fromstring(content, parser), encoding="UTF-8")
    except etree.XMLSyntaxError as error:
        raise XmlError(Message("its XML is broken")) from error
