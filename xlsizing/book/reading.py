"""Reading what a person typed in a workbook, whatever program saved it.

Inputs are found by their names, scenarios and catalog entries by their tables' heads. What
formulas had computed is not read, but for the value of a formula in an input cell.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path

import openpyxl
from openpyxl.utils import coordinate_to_tuple, get_column_letter, range_boundaries
from openpyxl.utils.datetime import to_excel
from openpyxl.workbook import Workbook

from xlsizing.book.package import PackageError, PlacedTable, require_package, tables
from xlsizing.core import SizingError
from xlsizing.core.catalogs import name_key
from xlsizing.core.exact import as_whole
from xlsizing.core.planning.cells import CellError, Value, trimmed
from xlsizing.core.planning.inputs import INPUTS, SETTINGS_ASKED, TENSOR_PARALLEL
from xlsizing.core.planning.plan import (
    BASE,
    MOST_ROWS,
    NOWHERE,
    ROW_HEADS,
    SCENARIOS,
    TypedCell,
    TypedRow,
    typed_row,
    without_blank_end,
)

MOST_FILE_BYTES = 100 * 2**20

COMPARED: Mapping[str, Sequence[str]] = {
    "Models": (
        "Max context",
        "Sliding window",
        "KV precision",
        "Weight bytes",
        "Full KV elements",
        "Sliding KV elements",
        "Index bytes",
        "State bytes",
        "Engine weight bytes",
        "Tensor-parallel sizes",
    ),
    "Servers": ("GPUs", "HBM bytes", "Usable bytes per GPU"),
    "Storage": ("Type", "Read GB/s", "Read p99 ms"),
}
"""The columns of the catalog tables that a sizing depends on."""

CATALOG_HEADS: Mapping[str, Sequence[str]] = {
    **{table: ("Name", *heads) for table, heads in COMPARED.items()},
    "ModelAliases": ("Alias",),
    "ServerAliases": ("Alias",),
    "StorageAliases": ("Alias",),
}
"""The columns of the catalog tables that are read."""


class WorkbookReadError(SizingError):
    """A workbook that cannot be read, or lacks what is looked for in it."""

    code = "WORKBOOK_READ"


@dataclass(frozen=True)
class TypedWorkbook:
    """What a person typed in a workbook."""

    path: str
    load: Mapping[str, TypedCell]
    """The inputs on Sizing, by symbol."""
    settings: Mapping[str, TypedCell]
    """The engine's settings, by the name of their field."""
    rows: Sequence[TypedRow]
    """The rows of Scenarios, down to the last in which something is typed."""
    has_scenarios: bool
    """Whether it has the table Scenarios."""
    base: str
    """The scenario that the others are compared with; empty for none."""
    entries: Mapping[str, Sequence[Mapping[str, Value]]]
    """The rows of the catalog tables, by table, each by head."""


def read_workbook(path: str) -> TypedWorkbook:
    """What is typed in the workbook at `path`.

    Raises
    ------
    WorkbookReadError : the file cannot be read or is no planning workbook, or an input's
        name or column is missing, or its cell holds a formula without a value.
    """
    content = workbook_content(path)
    try:
        book = _Opened(path, content)
        return TypedWorkbook(
            path=path,
            load={
                asked.symbol: book.named(asked.defined_name, must_be=asked is not TENSOR_PARALLEL)
                for asked in (*INPUTS, TENSOR_PARALLEL)
            },
            settings={
                asked.field: book.named(asked.defined_name, must_be=False)
                for asked in SETTINGS_ASKED
            },
            rows=without_blank_end(
                typed_row(cells) for cells in book.rows(SCENARIOS, ROW_HEADS, must_be=True)
            ),
            has_scenarios=SCENARIOS.lower() in book.tables,
            base=trimmed(book.named(BASE, must_be=False).value),
            entries={
                name: list(book.rows(name, heads, must_be=False))
                for name, heads in CATALOG_HEADS.items()
            },
        )
    except SizingError:
        raise
    except Exception as error:
        raise damaged(path, error) from error


def damaged(path: str, error: Exception) -> WorkbookReadError:
    """What to raise where a damaged part ended in whatever the libraries stumbled on."""
    return WorkbookReadError(
        f"{path} is damaged: {type(error).__name__} while it was read. Open it in a "
        "spreadsheet program, let that repair it, and save it."
    )


def workbook_content(path: str) -> bytes:
    """The bytes of a workbook that may be opened.

    Raises
    ------
    WorkbookReadError : the file cannot be read, is no workbook, or would unpack to too much.
    """
    content = _content(path)
    try:
        require_package(content)
    except PackageError as error:
        raise WorkbookReadError(f"{path} {error}.") from error
    return content


def _content(path: str) -> bytes:
    file = Path(path)
    try:
        if file.is_dir():
            raise WorkbookReadError(f"{path} is a folder; give a workbook in it.")
        with file.open("rb") as opened:
            content = opened.read(MOST_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, SizingError):
            raise
        why = getattr(error, "strerror", None) or str(error)
        raise WorkbookReadError(f"{path} cannot be read: {why}.") from error
    if not content:
        raise WorkbookReadError(f"{path} is empty.")
    if len(content) > MOST_FILE_BYTES:
        most = MOST_FILE_BYTES // 2**20
        raise WorkbookReadError(f"{path} has more than {most} MiB, too much for a plan.")
    return content


_Place = tuple[int, int]
"""A row and a column."""
_Area = tuple[int, int, int, int]
"""First row, first column, last row and last column."""

_FORMULA = CellError("formula")
"""Stands for a formula while values are not looked at."""


class _Opened:
    """A workbook while it is read."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.content = content
        self.tables = {table.name.lower(): table for table in tables(content)}
        self.book = self._open(values=False)
        self.names = {name.lower(): found for name, found in self.book.defined_names.items()}

    @cached_property
    def values(self) -> Workbook:
        """The workbook with the values that its formulas had when it was saved."""
        return self._open(values=True)

    def named(self, name: str, *, must_be: bool) -> TypedCell:
        """The cell that a defined name stands for; NOWHERE where it may be missing and is."""
        found = self.names.get(name.lower())
        if found is None:
            if not must_be:
                return NOWHERE
            raise WorkbookReadError(
                f"{self.path} has no name {name}; give a workbook that xlsizing made."
            )
        targets = [] if "#REF!" in (found.attr_text or "") else list(found.destinations)
        if len(targets) != 1 or ":" in targets[0][1] or targets[0][0] not in self.book.sheetnames:
            raise WorkbookReadError(
                f"The name {name} in {self.path} does not stand for one cell any more "
                f"({found.attr_text}); give it a cell under Formulas, Name Manager."
            )
        sheet, address = targets[0][0], targets[0][1].replace("$", "")
        place = coordinate_to_tuple(address)
        cells = self._cells(sheet, (*place, *place))
        return TypedCell(f"{sheet}!{address}", cells.get(place))

    def rows(
        self, table: str, heads: Sequence[str], *, must_be: bool
    ) -> Iterator[dict[str, Value]]:
        """The rows of a table by head; none where the workbook has no such table.

        Parameters
        ----------
        heads : the columns that are read.
        must_be : whether a column may be missing, or a formula be without a value; what is
            missing is then left out of its row.
        """
        placed = self.tables.get(table.lower())
        if placed is None or placed.sheet not in self.book.sheetnames:
            return
        left, top, right, bottom = (int(edge or 0) for edge in range_boundaries(placed.cells))
        bottom -= placed.totals
        if bottom - top > MOST_ROWS:
            raise WorkbookReadError(
                f"The table {table} in {self.path} has {bottom - top:,} rows; at most "
                f"{MOST_ROWS:,} are read."
            )
        columns = self._columns(placed, (top, left, top, right), heads, must_be=must_be)
        if must_be and not placed.totals:
            bottom += self._rows_below(placed.sheet, bottom, columns)
        area = (top + 1, left, bottom, right)
        cells = self._cells(placed.sheet, area, frozenset(columns.values()), must_be=must_be)
        for row in range(top + 1, bottom + 1):
            yield {
                head: cells.get((row, column))
                for head, column in columns.items()
                if cells.get((row, column)) is not _FORMULA
            }

    def _rows_below(self, sheet: str, bottom: int, columns: Mapping[str, int]) -> int:
        """How many rows stand right below a table in its columns: only Excel lets a table grow."""
        area = (bottom + 1, min(columns.values()), bottom + MOST_ROWS, max(columns.values()))
        filled = {
            row for (row, _), _ in self._read(self.book, sheet, area, frozenset(columns.values()))
        }
        return next(count for count in range(MOST_ROWS + 1) if bottom + 1 + count not in filled)

    def _columns(
        self, table: PlacedTable, area: _Area, heads: Sequence[str], *, must_be: bool
    ) -> dict[str, int]:
        """The sheet's column of each head of a table that is there."""
        cells = self._cells(table.sheet, area, must_be=False)
        there = {name_key(trimmed(head)): column for (_, column), head in cells.items()}
        for head in heads:
            if must_be and name_key(head) not in there:
                raise WorkbookReadError(
                    f"The table {table.name} on {table.sheet} in {self.path} has no column "
                    f"{head!r}; give the column that name again."
                )
        return {head: there[name_key(head)] for head in heads if name_key(head) in there}

    def _cells(
        self,
        sheet: str,
        area: _Area,
        columns: frozenset[int] | None = None,
        *,
        must_be: bool = True,
    ) -> dict[_Place, Value]:
        """The values of the cells of an area that hold one, by row and column.

        Parameters
        ----------
        columns : the columns that are wanted; None for all.
        must_be : whether a formula without a value is an error; it stays _FORMULA otherwise.
        """
        found = dict(self._read(self.book, sheet, area, columns))
        formulas = {place for place, value in found.items() if value is _FORMULA}
        if not formulas:
            return found
        values = dict(self._read(self.values, sheet, area, columns))
        for row, column in sorted(formulas):
            if (row, column) in values:
                found[row, column] = values[row, column]
            elif must_be:
                raise WorkbookReadError(
                    f"{sheet}!{get_column_letter(column)}{row} in {self.path} holds a formula "
                    "without a value; open the workbook in a spreadsheet program, save it there, "
                    "and try again."
                )
        return found

    def _read(
        self,
        book: Workbook,
        sheet: str,
        area: _Area,
        columns: frozenset[int] | None,
    ) -> Iterator[tuple[_Place, Value]]:
        top, left, bottom, right = area
        rows = book[sheet].iter_rows(min_row=top, max_row=bottom, min_col=left, max_col=right)
        for row, cells in enumerate(rows, start=top):
            for column, cell in enumerate(cells, start=left):
                if columns is None or column in columns:
                    if cell.data_type == "f":
                        yield (row, column), _FORMULA
                    elif cell.value is not None or cell.data_type == "str":
                        yield (row, column), _value(cell.value, cell.data_type, book)

    def _open(self, *, values: bool) -> Workbook:
        return openpyxl.load_workbook(io.BytesIO(self.content), read_only=True, data_only=values)


def _value(value: object, kind: str, book: Workbook) -> Value:
    """The value of a cell as formulas see it: dates are numbers."""
    if kind == "e":
        return CellError(str(value))
    if isinstance(value, datetime | date | time | timedelta):
        value = to_excel(value, book.epoch)  # type: ignore[no-untyped-call]
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = as_whole(value)
    assert isinstance(value, str | int | float | None)
    return None if value == "" else value
