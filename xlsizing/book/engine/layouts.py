"""The sheet Layouts: how the engine cuts its memory into blocks, for each model.

The rows are derived from the catalog as the grey columns of Models are; the formulas of
Engine read them.
"""

from openpyxl.workbook import Workbook

from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.engine.layout_rows import (
    COLUMNS,
    LayoutColumn,
    LayoutRow,
    layout_rows,
    rows_counted,
)
from xlsizing.book.pages import protect, set_page
from xlsizing.book.styles import APART, BODY, SUBTITLE, TITLE
from xlsizing.book.tables import Column, write_table
from xlsizing.core import Catalogs
from xlsizing.core.message import Message

TABLE_TOP = 4

_COUNT = Style(font=BODY, number_format="#,##0")
_TEXT = Style(font=BODY, alignment=APART)


def _column(column: LayoutColumn) -> Column[LayoutRow | None]:
    style = _TEXT if column.is_text else _COUNT
    return Column(
        column.head, lambda row: column.value(row) if row else None, None, column.width, style
    )


def write_layouts_sheet(book: Workbook, notes: PackageNotes, catalogs: Catalogs) -> None:
    """Write the sheet for the catalogs' models and servers."""
    sheet = book.create_sheet("Layouts")
    writer = Writer(sheet, notes)
    writer.value(1, 1, Message("Layouts"), Style(font=TITLE))
    writer.value(
        2,
        1,
        Message(
            "How the engine cuts one GPU's memory into blocks: groups of layers that share a table of "
            "blocks, tokens per block, bytes per block. Derived from the catalog; Engine reads it."
        ),
        Style(font=SUBTITLE),
    )
    # A table has at least one row; an empty one is found by nothing.
    rows = layout_rows(catalogs) or (None,)
    columns = [_column(each) for each in COLUMNS]
    placed = write_table(writer, "Layouts", columns, rows, TABLE_TOP, alone=True)
    writer.value(3, 1, rows_counted(len(rows)), Style(font=SUBTITLE))
    sheet.row_dimensions[TABLE_TOP].height = 32
    set_page(
        sheet,
        first_free_row=TABLE_TOP + 1,
        first_free_column=2,
        last_printed_column=placed.column_letter("KV copies"),
        last_printed_row=TABLE_TOP,
    )
    protect(sheet)
