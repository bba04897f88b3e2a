"""What a workbook derives from its catalogs as values: the rows of Layouts, the line of About."""

import re
from collections.abc import Mapping

from xlsizing.book.catalog_columns import held
from xlsizing.book.contents import Contents
from xlsizing.book.engine.layout_rows import COLUMNS, layout_rows, rows_counted
from xlsizing.book.origin import ORIGIN_LINE, origin_line
from xlsizing.book.package.structure import Sheet
from xlsizing.book.sync.changes import TableEdit, agree
from xlsizing.book.sync.tables import table_of
from xlsizing.book.worksheet import Area, Cell
from xlsizing.core import Catalogs
from xlsizing.core.planning.cells import Value

LAYOUTS = "Layouts"
_ABOUT = "About"
_REMARK = Area(3, 1, 3, 1)
"""Where Layouts says how many rows it has."""
_TOP_OF_ABOUT = Area(1, 1, 3, 1)


def layouts_edit(contents: Contents, catalogs: Catalogs) -> TableEdit | None:
    """What is to be written into the table Layouts; None where there is none, or nothing."""
    placed = contents.tables.get(LAYOUTS.lower())
    table = placed and table_of(contents, placed, [column.head for column in COLUMNS])
    if not table or len(table.columns) < len(COLUMNS):
        return None
    wanted: list[Mapping[str, Value]] = [
        {column.head: held(column.value(row)) for column in COLUMNS}
        for row in layout_rows(catalogs)
    ] or [dict.fromkeys(table.columns)]
    cells: dict[int, dict[str, Value]] = {}
    for row, values in zip(table.rows, wanted, strict=False):
        if new := {h: v for h, v in values.items() if not agree(row.values[h], v)}:
            cells[row.number] = new
    spare = [row.number for row in table.rows[len(wanted) :]]
    edit = TableEdit(table, cells, spare, wanted[len(table.rows) :])
    return None if edit.is_empty else edit


def remarks(
    contents: Contents, catalogs: Catalogs, layouts: int | None
) -> dict[Sheet, list[tuple[Cell, str]]]:
    """Cells with texts that name the catalogs, and what they are to say.

    Parameters
    ----------
    catalogs : the catalogs that the workbook is synced with.
    layouts : how many rows Layouts has then; None where it stays as it is.
    """
    found: dict[Sheet, list[tuple[Cell, str]]] = {}
    about, sheet = contents.sheet(_ABOUT), contents.sheet(LAYOUTS)
    if about:
        for cell in contents.cells(about, _TOP_OF_ABOUT):
            text = contents.value(about, cell)
            if isinstance(text, str) and ORIGIN_LINE.search(text):
                new = origin_line(catalogs, text)
                if new != text:
                    found.setdefault(about, []).append((cell, new))
    if sheet and layouts is not None:
        for cell in contents.cells(sheet, _REMARK):
            text = contents.value(sheet, cell)
            if isinstance(text, str) and re.fullmatch(r"\d+ rows; .*", text):
                found.setdefault(sheet, []).append((cell, rows_counted(layouts)))
    return found
