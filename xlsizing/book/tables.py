"""Tables: a head row, one formula a column, and a name that formulas find them by."""

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.table import Table, TableColumn, TableFormula, TableStyleInfo

from xlsizing.book.cells import ROW_MARK, BlockColumn, RowBlock, Style, Writer
from xlsizing.book.styles import (
    APART,
    BODY,
    COLUMN_FILL,
    COLUMN_HEAD,
    COLUMN_HEAD_ALIGNMENT,
    LINE_HEIGHT,
)
from xlsizing.core.message import as_plain
from xlsizing.core.planning.cells import Value

Row = TypeVar("Row")

TABLE_STYLE = TableStyleInfo(name="TableStyleLight1", showRowStripes=True)

_BESIDE_WORD = 3.0
"""Width that a head needs beside its word, for bold letters and the button of the filter."""
_BODY = Style(font=BODY, alignment=APART)


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A table column: its head, and each row's value, or its formula and the value of that."""

    head: str
    value: Callable[[Row], Value]
    formula: str | None = None
    width: float = 14
    style: Style = _BODY


@dataclass(frozen=True)
class Placed:
    """Where a table was written."""

    name: str
    first_row: int
    last_row: int
    first_column: int
    heads: tuple[str, ...]

    @property
    def rows(self) -> range:
        """The sheet's rows that hold its data."""
        return range(self.first_row, self.last_row + 1)

    def column_letter(self, head: str) -> str:
        """Letter of the sheet's column that holds the table's column `head`."""
        return get_column_letter(self.first_column + self.heads.index(head))

    def cells(self, head: str) -> str:
        """Address of the data cells of the column `head`, such as $A$5:$A$9."""
        letter = self.column_letter(head)
        return f"${letter}${self.first_row}:${letter}${self.last_row}"


def own_row(table: str, head: str) -> str:
    """Reference to the column `head` in the row of the formula, as files hold it."""
    return f"{table}[[#This Row],[{head}]]"


@dataclass(frozen=True)
class _Place:
    """Where a table's cells will be: the letter of each column, and its rows."""

    table: str
    letters: Mapping[str, str]
    rows: range

    def formula(self, text: str, row: int | str) -> str:
        """A column's formula for one cell: references to its own table by column and row.

        Not every program computes [#This Row], and not every one knows what a reference
        to a column depends on; all know $B5 and $B$5:$B$24. The table's calculated column
        keeps the other form, which Excel fills new rows from.
        """
        text = re.sub(
            rf"\b{self.table}\[\[#This Row\],\[([^\[\]]+)\]\]",
            lambda head: f"${self.letters[head[1]]}{row}",
            text,
        )
        return re.sub(rf"\b{self.table}\[([^\[\]]+)\]", lambda head: self._cells(head[1]), text)

    def _cells(self, head: str) -> str:
        letter = self.letters[head]
        return f"${letter}${self.rows[0]}:${letter}${self.rows[-1]}"


def write_table(
    writer: Writer,
    name: str,
    columns: Sequence[Column[Row]],
    rows: Sequence[Row],
    top: int,
    left: int = 1,
    *,
    alone: bool = False,
    height: float | None = None,
) -> Placed:
    """Write a table with its head in row `top`, and set the widths of its columns.

    A table that is `alone`, with nothing beside it on the sheet, may have many rows: all
    but the first are left to the package pass. Its rows may have a `height` [points].
    """
    sheet = writer.sheet
    letters = {each.head: get_column_letter(left + at) for at, each in enumerate(columns)}
    place_of = _Place(name, letters, range(top + 1, top + 1 + len(rows)))
    _write_head(writer, columns, top, left)
    for number, row in enumerate(rows[:1] if alone else rows):
        for place, column in enumerate(columns):
            at = (top + 1 + number, left + place)
            if column.formula is None:
                writer.value(*at, column.value(row), column.style)
            else:
                text = place_of.formula(column.formula, at[0])
                writer.formula(*at, text, column.value(row), column.style)
    if alone and len(rows) > 1:
        block = _block(writer, place_of, columns, rows[1:], left, height)
        sheet.row_dimensions[top + 1].height = height
        writer.notes.blocks.setdefault(sheet.title, []).append(block)
    placed = Placed(name, top + 1, top + len(rows), left, tuple(each.head for each in columns))
    for head, column in zip(placed.heads, columns, strict=True):
        if column.formula is not None:
            cells = placed.cells(head).replace("$", "")
            writer.notes.calculated_columns.setdefault(sheet.title, []).append(cells)
    sheet.add_table(_table(writer, placed, columns, top))
    return placed


def _write_head(writer: Writer, columns: Sequence[Column[Row]], top: int, left: int) -> None:
    head = Style(font=COLUMN_HEAD, fill=COLUMN_FILL, alignment=COLUMN_HEAD_ALIGNMENT)
    for place, column in enumerate(columns):
        style = replace(head, number_format=_shown_as(writer.say(column.head), column.head))
        writer.value(top, left + place, as_plain(column.head), style)
        letter = get_column_letter(left + place)
        writer.sheet.column_dimensions[letter].width = width_of(writer, column)


def width_of(writer: Writer, column: Column[Row]) -> float:
    """Width of a column: its own, or what the longest word of a translated head takes."""
    said = writer.say(column.head)
    if said == column.head:
        return column.width
    return max(column.width, max(map(len, said.split())) + _BESIDE_WORD)


def head_height(writer: Writer, columns: Sequence[Column[Row]], least: float) -> float:
    """Height of a row of heads: what it has in English, or what translated heads take [points]."""
    said = {writer.say(each.head): width_of(writer, each) - _BESIDE_WORD for each in columns}
    for each in columns:
        said.pop(each.head, None)
    lines = [len(textwrap.wrap(head, int(width))) for head, width in said.items()]
    return max([least, *(count * LINE_HEIGHT for count in lines)])


def _shown_as(said: str, head: str) -> str | None:
    """The number format that shows a column's head in the reader's language.

    Formulas, and whoever reads the table, find the column by its head, which is the same in
    every language; what people see in its place is the text of a format.
    """
    if said == head:
        return None
    quoted = said.replace('"', "'")
    return f';;;"{quoted}"'


def _block(
    writer: Writer,
    place_of: _Place,
    columns: Sequence[Column[Row]],
    rows: Sequence[Row],
    left: int,
    height: float | None,
) -> RowBlock:
    """The rows of a table after its first, whose looks they have."""
    first_row = place_of.rows[0]
    written = []
    for place, column in enumerate(columns):
        plain, quoted = writer.style_ids(first_row, left + place)
        text = column.formula
        written.append(
            BlockColumn(
                letter=place_of.letters[column.head],
                style_id=plain,
                quoted_style_id=quoted,
                formula=text and writer.expression(place_of.formula(text, ROW_MARK)),
                values=tuple(writer.said(column.value(row)) for row in rows),
            )
        )
    return RowBlock(first_row + 1, tuple(written), height)


def _table(writer: Writer, placed: Placed, columns: Sequence[Column[Row]], top: int) -> Table:
    first, last = placed.column_letter(placed.heads[0]), placed.column_letter(placed.heads[-1])
    table = Table(displayName=placed.name, ref=f"{first}{top}:{last}{placed.last_row}")
    table.tableStyleInfo = TABLE_STYLE
    table.autoFilter = AutoFilter(ref=table.ref)
    for number, column in enumerate(columns, start=1):
        written = TableColumn(id=number, name=as_plain(column.head))
        if column.formula is not None:
            # With this, a row that a person adds in Excel computes by itself.
            written.calculatedColumnFormula = TableFormula(
                attr_text=writer.expression(column.formula)
            )
        table.tableColumns.append(written)
    return table
