"""Planning workbooks as states: the project's template, with a plan typed in."""

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from openpyxl import load_workbook

from tests.book.plans import HEADS, the_template
from tests.excel.report.state import BookState, SheetState, area_of

TABLE_TOP = 6


def state_of(content: bytes, name: str) -> BookState:
    """A workbook's state as Excel has it: each formula shows the value that it was saved with."""
    book = load_workbook(io.BytesIO(content), data_only=True)
    state = BookState(name, active=book.sheetnames[0])
    for sheet in book.worksheets:
        shown = SheetState(sheet.title)
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is not None:
                    assert cell.row is not None
                    assert cell.column is not None
                    shown.cells[cell.row, cell.column] = cell.value
        state.sheets.append(shown)
        for table in sheet.tables.values():
            state.tables[table.displayName] = (sheet.title, area_of(table.ref))
    for name, defined in book.defined_names.items():
        state.refer(name, f"={defined.attr_text}")
    return state


@cache
def _template() -> BookState:
    return state_of(the_template(), "Plan.xlsx")


def planning_workbook(
    load: Mapping[str, Any] | None = None, rows: Sequence[Mapping[str, Any]] | None = None
) -> BookState:
    """The template, with what a person typed; its formulas show what they showed before.

    Parameters
    ----------
    load : what is typed in cells, by their names.
    rows : what is typed in Scenarios, by symbol; None for what the template has.
    """
    state = _template().copy()
    for name, value in (load or {}).items():
        sheet, place = state.named(name)
        _put(sheet, place, value)
    if rows is not None:
        type_rows(state, rows)
    return state


def bare_workbook(load: Mapping[str, Any]) -> BookState:
    """A workbook with one cell for each input on one sheet, and nothing else."""
    state = BookState("Bare.xlsx", [SheetState("Sizing")], active="Sizing")
    for row, (name, value) in enumerate(load.items(), start=1):
        state.refer(name, f"=Sizing!$C${row}")
        _put(state.sheets[0], (row, 3), value)
    return state


def type_rows(state: BookState, rows: Sequence[Mapping[str, Any]]) -> None:
    """Type rows into Scenarios, which grows with them; what it showed is gone."""
    title, (top, left, bottom, right) = state.tables["Scenarios"]
    sheet = state.sheet(title)
    heads = {sheet.value(top, column): column for column in range(left, right + 1)}
    for row in range(top + 1, max(bottom, top + len(rows)) + 1):
        for column in range(left, right + 1):
            sheet.cells.pop((row, column), None)
    for row, typed in enumerate(rows, start=top + 1):
        for symbol, value in typed.items():
            _put(sheet, (row, heads[HEADS[symbol]]), value)
    state.tables["Scenarios"] = title, (top, left, max(bottom, top + len(rows)), right)


def _put(sheet: SheetState, place: tuple[int, int], value: Any) -> None:
    if value is None:
        sheet.cells.pop(place, None)
    else:
        sheet.cells[place] = value


def dated(day: datetime) -> str:
    """A date as the add-in sends it."""
    return f"{day.isoformat()}.000Z"
