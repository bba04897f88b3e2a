"""Reading what a person typed in a workbook that is open in Excel.

Inputs are found by their names and scenarios by their table, whatever the sheets are called.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import xlwings

from xlsizing.core import SizingError
from xlsizing.core.catalogs import name_key
from xlsizing.core.exact import as_whole, grouped
from xlsizing.core.message import Message, as_plain
from xlsizing.core.planning.cells import CellError, Value, trimmed
from xlsizing.core.planning.inputs import INPUTS, SETTINGS_ASKED, TENSOR_PARALLEL
from xlsizing.core.planning.plan import (
    BASE,
    MOST_ROWS,
    NOWHERE,
    REPORTS_IN,
    ROW_HEADS,
    SCENARIOS,
    TypedCell,
    TypedRow,
    typed_row,
    without_blank_end,
)
from xlsizing.excel.cells import is_error
from xlsizing.excel.host import IN_PYODIDE, host_language
from xlsizing.language import ENGLISH, Language, language

OUTPUTS: Mapping[str, str] = {
    "Nodes final": "Output_NodesFinal",
    "Nodes with headroom": "Output_NodesWithHeadroom",
    "Nodes minimum": "Output_NodesMinimum",
    "Sessions per node": "Output_SessionsPerNode",
    "KV per session GiB": "Output_KvPerSessionGiB",
    "KV total TiB": "Output_KvTotalTiB",
}
"""The names of the answers on Sizing, by their labels; the columns of Scenarios are called so, too."""

_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - cells know no time zone


class PlanReadError(SizingError):
    """A workbook that lacks what a report is made from."""

    code = "PLAN_READ"


class ShownRow(NamedTuple):
    """A row of Scenarios: what is typed in it, and what its formulas show."""

    typed: TypedRow
    shown: Mapping[str, Value]
    """What the sheet shows for each answer, by its label."""


class OpenPlan(NamedTuple):
    """What a person typed in an open workbook, and what its formulas make of it."""

    load: Mapping[str, TypedCell]
    """The inputs on Sizing, by symbol."""
    settings: Mapping[str, TypedCell]
    """The engine's settings, by the name of their field."""
    shown: Mapping[str, TypedCell]
    """What Sizing shows for each answer, by its label."""
    rows: Sequence[ShownRow]
    """The rows of Scenarios, down to the last in which something is typed."""
    base: str
    """The scenario that the others are compared with; empty for none."""


def read_plan(book: xlwings.Book) -> OpenPlan:
    """What is typed in an open workbook.

    Raises
    ------
    PlanReadError : an input's name is missing or stands for no cell, or a column of
        Scenarios is missing.
    """
    names = _names(book)
    asked = {each.symbol: each.defined_name for each in INPUTS}
    if not any(name.casefold() in names for name in asked.values()):
        raise PlanReadError(
            Message(
                "{workbook} has none of the cells that a report is made from, such as {cell}; press "
                "the button in a planning workbook, which `xlsizing template` makes.",
                workbook=book.name,
                cell=asked["Model"],
            )
        )
    load = {symbol: _named(book, names, name, must_be=True) for symbol, name in asked.items()}
    load[TENSOR_PARALLEL.symbol] = _named(book, names, TENSOR_PARALLEL.defined_name)
    settings = {each.field: _named(book, names, each.defined_name) for each in SETTINGS_ASKED}
    shown = {label: _shown(book, names, name) for label, name in OUTPUTS.items()}
    base = trimmed(_named(book, names, BASE).value)
    return OpenPlan(load, settings, shown, _rows(book), base)


def book_language(book: xlwings.Book) -> Language:
    """The language that a workbook asks for; the host's where it asks for none that there is."""
    if IN_PYODIDE:
        return ENGLISH  # Lite carries no translations
    try:
        return language(trimmed(_named(book, _names(book), REPORTS_IN).value))
    except Exception:  # noqa: BLE001 - what a broken name ends in is every host's own
        return host_language()


def _names(book: xlwings.Book) -> dict[str, xlwings.Name]:
    return {name.name.casefold(): name for name in book.names}


def _named(
    book: xlwings.Book, names: Mapping[str, xlwings.Name], name: str, *, must_be: bool = False
) -> TypedCell:
    """The cell that a defined name stands for; NOWHERE where it may be missing and is."""
    found = names.get(name.casefold())
    if found is None:
        if not must_be:
            return NOWHERE
        raise PlanReadError(
            Message(
                "{workbook} has no name {name}; give the cell of the input that name again under "
                "Formulas, Name Manager.",
                workbook=book.name,
                name=name,
            )
        )
    try:
        cell = found.refers_to_range
        is_one = cell.shape == (1, 1)
    except Exception as error:
        # What a broken name ends in is every host's own.
        raise _broken(book, found) from error
    if not is_one:
        raise _broken(book, found)
    address = cell.address.replace("$", "")
    return TypedCell(f"{cell.sheet.name}!{address}", _cells(cell)[0][0])


def _shown(book: xlwings.Book, names: Mapping[str, xlwings.Name], name: str) -> TypedCell:
    """The cell of an answer; NOWHERE where it has none, since nothing is made from it."""
    try:
        return _named(book, names, name)
    except PlanReadError:
        return NOWHERE


def _broken(book: xlwings.Book, name: xlwings.Name) -> PlanReadError:
    return PlanReadError(
        Message(
            "The name {name} in {workbook} does not stand for one cell any more ({reference}); give "
            "it a cell under Formulas, Name Manager.",
            name=name.name,
            workbook=book.name,
            reference=str(name.refers_to),
        )
    )


def _rows(book: xlwings.Book) -> list[ShownRow]:
    """The rows of Scenarios, down to the last in which something is typed; none without the table."""
    table = _table(book, SCENARIOS)
    if table is None:
        return []
    heads = _columns(table)
    typed_in = [heads[head] for head in ROW_HEADS]
    rows = [
        {head: row[place] for head, place in heads.items()} for row in _table_rows(table, typed_in)
    ]
    kept = without_blank_end(map(typed_row, rows))
    return [
        ShownRow(typed, {label: row[label] for label in OUTPUTS if label in row})
        for typed, row in zip(kept, rows, strict=False)
    ]


def _table(book: xlwings.Book, name: str) -> xlwings.main.Table | None:
    tables = (table for sheet in book.sheets for table in sheet.tables)
    return next((each for each in tables if each.name.casefold() == name.casefold()), None)


OWN_TABLES: Mapping[str, str] = {"Model": "Models", "Server": "Servers", "Storage": "Storage"}
"""The workbook's tables of what there is, by the symbol of the input that names a row."""


def is_in_own_table(book: xlwings.Book, symbol: str, name: object) -> bool:
    """Whether a workbook has a name in its own table of models, servers or storage."""
    table = _table(book, OWN_TABLES[symbol])
    if table is None or table.header_row_range is None or table.data_body_range is None:
        return False
    heads = [trimmed(head) for head in _cells(table.header_row_range)[0]]
    if "Name" not in heads:
        return False
    place = heads.index("Name")
    rows = _cells(table.data_body_range)
    return name_key(str(name)) in {name_key(trimmed(row[place])) for row in rows}


def _columns(table: xlwings.main.Table) -> dict[str, int]:
    """The place of each column that is read, by its head; a typed one must be there."""
    row = table.header_row_range
    there = [name_key(trimmed(head)) for head in _cells(row)[0]] if row is not None else []
    for head in ROW_HEADS:
        if name_key(head) not in there:
            raise PlanReadError(
                Message(
                    "The table {table} on {sheet} has no column '{column}'; give the column that name "
                    "again.",
                    table=table.name,
                    sheet=table.parent.name,
                    column=as_plain(head),
                )
            )
    wanted = [head for head in (*ROW_HEADS, *OUTPUTS) if name_key(head) in there]
    return {head: there.index(name_key(head)) for head in wanted}


def _table_rows(table: xlwings.main.Table, typed_in: Sequence[int]) -> Iterator[list[Value]]:
    """The rows of a table and, since it may not have grown with them, those right below it.

    Parameters
    ----------
    typed_in : the places of the columns that a person types in.
    """
    body = table.data_body_range
    if body is None:
        return
    count, width = body.shape
    if count > MOST_ROWS:
        raise PlanReadError(
            Message(
                "The table {table} on {sheet} has {count} rows; at most {most} are read.",
                table=table.name,
                sheet=table.parent.name,
                count=grouped(count),
                most=grouped(MOST_ROWS),
            )
        )
    yield from _cells(body)
    sheet, end = table.parent, body.row + count
    last = min(sheet.used_range.last_cell.row, end + MOST_ROWS - 1)
    if not table.show_totals and last >= end:
        below = sheet.range((end, body.column), (last, body.column + width - 1))
        for row in _cells(below):
            if all(row[place] is None for place in typed_in):
                return
            yield row


def _cells(cells: xlwings.Range) -> list[list[Value]]:
    """The values of cells, row by row, as formulas see them."""
    rows: Iterable[Iterable[Any]] = cells.options(ndim=2, err_to_str=True).value
    return [[_value(value) for value in row] for row in rows]


def _value(value: Any) -> Value:
    """A value as every host means it: dates and money are numbers, an error is no text."""
    if isinstance(value, datetime):
        return as_whole((value.replace(tzinfo=None) - _DAY_ZERO) / timedelta(days=1))  # type: ignore[return-value]
    if isinstance(value, Decimal):
        return as_whole(float(value))  # type: ignore[return-value]
    if isinstance(value, str):
        return CellError(value) if is_error(value) else value or None
    if isinstance(value, bool | None):
        return value
    return as_whole(value)  # type: ignore[return-value]
