"""Tables: a head row, one formula a column, and a name that formulas find them by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.table import Table, TableColumn, TableFormula, TableStyleInfo

from xlsizing.book.cells import Style, Value, Writer
from xlsizing.book.styles import APART, BODY, COLUMN_FILL, COLUMN_HEAD, COLUMN_HEAD_ALIGNMENT

Row = TypeVar("Row")

TABLE_STYLE = TableStyleInfo(name="TableStyleLight1", showRowStripes=True)

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


def cell_formula(text: str, table: str, letters: Mapping[str, str], row: int) -> str:
    """A table formula for one cell: references to its own row by column and row.

    Not every program computes [#This Row]; every one knows $B5. The table's calculated
    column keeps the other form, which Excel fills new rows from.
    """
    for head, letter in letters.items():
        text = text.replace(own_row(table, head), f"${letter}{row}")
    return text


def write_table(
    writer: Writer,
    name: str,
    columns: Sequence[Column[Row]],
    rows: Sequence[Row],
    top: int,
    left: int = 1,
) -> Placed:
    """Write a table with its head in row `top`, and set the widths of its columns."""
    sheet = writer.sheet
    head = Style(font=COLUMN_HEAD, fill=COLUMN_FILL, alignment=COLUMN_HEAD_ALIGNMENT)
    letters = {each.head: get_column_letter(left + at) for at, each in enumerate(columns)}
    for place, column in enumerate(columns):
        writer.value(top, left + place, column.head, head)
        letter = letters[column.head]
        sheet.column_dimensions[letter].width = column.width
        if column.formula is not None:
            cells = f"{letter}{top + 1}:{letter}{top + len(rows)}"
            writer.notes.calculated_columns.setdefault(sheet.title, []).append(cells)
        for number, row in enumerate(rows):
            at = (top + 1 + number, left + place)
            if column.formula is None:
                writer.value(*at, column.value(row), column.style)
            else:
                text = cell_formula(column.formula, name, letters, at[0])
                writer.formula(*at, text, column.value(row), column.style)
    placed = Placed(name, top + 1, top + len(rows), left, tuple(each.head for each in columns))
    first, last = get_column_letter(left), get_column_letter(left + len(columns) - 1)
    table = Table(displayName=name, ref=f"{first}{top}:{last}{placed.last_row}")
    table.tableStyleInfo = TABLE_STYLE
    table.autoFilter = AutoFilter(ref=table.ref)
    for number, column in enumerate(columns, start=1):
        written = TableColumn(id=number, name=column.head)
        if column.formula is not None:
            # With this, a row that a person adds in Excel computes by itself.
            written.calculatedColumnFormula = TableFormula(attr_text=column.formula)
        table.tableColumns.append(written)
    sheet.add_table(table)
    return placed
