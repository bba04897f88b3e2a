"""What a workbook derives from its catalogs as values: the rows of Layouts, the line of About."""

import re
from collections.abc import Mapping, Sequence

from xlsizing.book.catalog_columns import held
from xlsizing.book.contents import Contents
from xlsizing.book.engine.layout_rows import (
    COLUMNS,
    LayoutRow,
    largest_size,
    layout_rows,
    rows_counted,
    rows_of_model,
)
from xlsizing.book.origin import ORIGIN_LINE, origin_line, written_in
from xlsizing.book.package.structure import Sheet
from xlsizing.book.sync.changes import CatalogChanges, RowChange, TableEdit, agree
from xlsizing.book.sync.effects import Plans
from xlsizing.book.sync.tables import Table, table_of
from xlsizing.book.worksheet import Area, Cell
from xlsizing.core import Catalogs, Model, Server
from xlsizing.core.planning.cells import Value

LAYOUTS = "Layouts"
_ABOUT = "About"
_REMARK = Area(3, 1, 3, 1)
"""Where Layouts says how many rows it has."""
_TOP_OF_ABOUT = Area(1, 1, 3, 1)


def layouts_edit(
    contents: Contents, changes: Sequence[CatalogChanges], plans: Plans | None
) -> TableEdit | None:
    """What is to be written into the table Layouts; None where there is none, or nothing.

    Parameters
    ----------
    plans : what the workbook's tables hold after the sync; None where models only come, whose
        rows come after all others.
    """
    placed = contents.tables.get(LAYOUTS.lower())
    if placed is None:
        return None
    heads = [column.head for column in COLUMNS]
    table = table_of(contents, placed, heads, None if plans else heads[:1])
    if not table or len(table.columns) < len(heads):
        return None
    edit = _whole(table, plans.catalogs) if plans else _more(table, changes)
    return None if edit.is_empty else edit


def _whole(table: Table, catalogs: Catalogs) -> TableEdit:
    wanted = [_values(row) for row in layout_rows(catalogs)] or [dict.fromkeys(table.columns)]
    cells: dict[int, Mapping[str, Value]] = {}
    for row, values in zip(table.rows, wanted, strict=False):
        if new := {h: v for h, v in values.items() if not agree(row.values[h], v)}:
            cells[row.number] = new
    spare = [row.number for row in table.rows[len(wanted) :]]
    return TableEdit(table, cells, spare, wanted[len(table.rows) :])


def _more(table: Table, changes: Sequence[CatalogChanges]) -> TableEdit:
    by_table = {change.kind.table: change for change in changes}
    models, servers = by_table.get("Models"), by_table.get("Servers")
    if models is None or servers is None:
        return TableEdit(table)
    most = largest_size(_gpus(servers))
    added = {row.name for row in models.rows if row.what == "added"}
    entries = [entry for entry in models.entries.values() if entry.name in added]
    rows = [
        row for model in entries if isinstance(model, Model) for row in rows_of_model(model, most)
    ]
    return TableEdit(table, added=[_values(row) for row in rows])


def _values(row: LayoutRow) -> dict[str, Value]:
    return {column.head: held(column.value(row)) for column in COLUMNS}


def changes_layouts(changes: Sequence[CatalogChanges]) -> bool:
    """Whether rows of Layouts that are there already may change: more than come may."""
    for change in changes:
        if change.kind.table == "Models" and any(_matters(change, row) for row in change.rows):
            return True
        if change.kind.table == "Servers":
            before = [row.values.get("GPUs") for row in change.table.rows]
            known = [int(gpus) for gpus in before if isinstance(gpus, int) and gpus > 0]
            if not known or largest_size(known) != largest_size(_gpus(change)):
                return True
    return False


def _matters(change: CatalogChanges, row: RowChange) -> bool:
    looks = {head: column.look for head, column in change.kind.by_head.items()}
    return row.what == "removed" or any(looks[field.head] != "remark" for field in row.fields)


def _gpus(servers: CatalogChanges) -> list[int]:
    return [entry.gpus for entry in servers.entries.values() if isinstance(entry, Server)]


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
    say = written_in(contents).say
    about, sheet = contents.sheet(_ABOUT), contents.sheet(LAYOUTS)
    if about:
        for cell in contents.cells(about, _TOP_OF_ABOUT):
            text = contents.value(about, cell)
            if isinstance(text, str) and ORIGIN_LINE.search(text):
                new = say(origin_line(catalogs, text))
                if new != text:
                    found.setdefault(about, []).append((cell, new))
    if sheet and layouts is not None:
        for cell in contents.cells(sheet, _REMARK):
            text = contents.value(sheet, cell)
            if isinstance(text, str) and re.fullmatch(r"\d+ \w+; .*", text):
                found.setdefault(sheet, []).append((cell, say(rows_counted(layouts))))
    return found
