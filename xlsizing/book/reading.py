"""Reading what a person typed in a workbook, whatever program saved it.

Inputs are found by their names, scenarios and catalog entries by their tables' heads. What
formulas had computed is not read, but for the value of a formula in an input cell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xlsizing.book.contents import Contents, opened_contents
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.package.structure import PlacedTable, Sheet
from xlsizing.book.worksheet import FORMULA, Area, area_of, column_letters
from xlsizing.core.catalogs import name_key
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value, trimmed
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
from xlsizing.language import Language, language

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
    reports_in: TypedCell
    """The cell that says which language its reports are to be in."""

    @property
    def language(self) -> Language | None:
        """The language of its reports; None where it names none that there is."""
        typed = self.reports_in.value
        try:
            return language(typed) if isinstance(typed, str) else None
        except InvalidValueError:
            return None


def read_workbook(path: str) -> TypedWorkbook:
    """What is typed in the workbook at `path`.

    Raises
    ------
    WorkbookReadError : the file cannot be read or is no planning workbook, or an input's
        name or column is missing, or its cell holds a formula without a value.
    """
    with opened_contents(path) as contents:
        return typed_workbook(contents)


def typed_workbook(contents: Contents) -> TypedWorkbook:
    """What is typed in a workbook that is open; see `read_workbook`."""
    book = _Reading(contents)
    return TypedWorkbook(
        path=book.path,
        load={
            asked.symbol: book.named(asked.defined_name, must_be=asked is not TENSOR_PARALLEL)
            for asked in (*INPUTS, TENSOR_PARALLEL)
        },
        settings={
            asked.field: book.named(asked.defined_name, must_be=False) for asked in SETTINGS_ASKED
        },
        rows=without_blank_end(
            typed_row(cells) for cells in book.rows(SCENARIOS, ROW_HEADS, must_be=True)
        ),
        has_scenarios=SCENARIOS.lower() in contents.tables,
        base=trimmed(book.named(BASE, must_be=False).value),
        entries={
            name: list(book.rows(name, heads, must_be=False))
            for name, heads in CATALOG_HEADS.items()
        },
        reports_in=book.named(REPORTS_IN, must_be=False),
    )


_Place = tuple[int, int]
"""A row and a column."""


class _Reading:
    """A workbook while what is typed in it is read."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.path = contents.package.name
        names = [asked.defined_name for asked in (*INPUTS, TENSOR_PARALLEL)]
        names += [BASE, REPORTS_IN, *(asked.defined_name for asked in SETTINGS_ASKED)]
        places = [contents.place(name) for name in names]
        tables = [contents.tables.get(name.lower()) for name in (SCENARIOS, *CATALOG_HEADS)]
        sheets = [place[0] for place in places if place]
        sheets += [sheet for table in tables if table and (sheet := contents.sheet(table.sheet))]
        contents.prepare(sheets)

    def named(self, name: str, *, must_be: bool) -> TypedCell:
        """The cell that a defined name stands for; NOWHERE where it may be missing and is."""
        said = self.contents.names.get(name.lower())
        if said is None:
            if not must_be:
                return NOWHERE
            raise WorkbookReadError(
                Message(
                    "{path} has no name {name}; give a workbook that xlsizing made.",
                    path=self.path,
                    name=name,
                )
            )
        found = self.contents.place(name)
        if found is None:
            raise WorkbookReadError(
                Message(
                    "The name {name} in {path} does not stand for one cell any more ({said}); give it a "
                    "cell under Formulas, Name Manager.",
                    name=name,
                    path=self.path,
                    said=said,
                )
            )
        sheet, area = found
        place = (area.top, area.left)
        address = f"{sheet.title}!{column_letters(area.left)}{area.top}"
        return TypedCell(address, self._cells(sheet, area).get(place))

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
        placed = self.contents.tables.get(table.lower())
        sheet = placed and self.contents.sheet(placed.sheet)
        if placed is None or sheet is None:
            return
        with self.contents.told(placed.part):
            area = area_of(placed.cells)
        bottom = area.bottom - placed.totals
        if bottom - area.top > MOST_ROWS:
            raise WorkbookReadError(
                Message(
                    "The table {table} in {path} has {rows} rows; at most {most} are read.",
                    table=table,
                    path=self.path,
                    rows=grouped(bottom - area.top),
                    most=grouped(MOST_ROWS),
                )
            )
        columns = self._columns(placed, sheet, area, heads, must_be=must_be)
        if must_be and not placed.totals:
            bottom += self._rows_below(sheet, bottom, columns)
        body = area._replace(top=area.top + 1, bottom=bottom)
        cells = self._cells(sheet, body, frozenset(columns.values()), must_be=must_be)
        for row in range(area.top + 1, bottom + 1):
            yield {
                head: cells.get((row, column))
                for head, column in columns.items()
                if cells.get((row, column)) is not FORMULA
            }

    def _rows_below(self, sheet: Sheet, bottom: int, columns: Mapping[str, int]) -> int:
        """How many rows stand right below a table in its columns: only Excel lets a table grow."""
        wanted = frozenset(columns.values())
        area = Area(bottom + 1, min(wanted), bottom + MOST_ROWS, max(wanted))
        filled = {row for row, _ in self._cells(sheet, area, wanted, must_be=False)}
        return next(count for count in range(MOST_ROWS + 1) if bottom + 1 + count not in filled)

    def _columns(
        self, table: PlacedTable, sheet: Sheet, area: Area, heads: Sequence[str], *, must_be: bool
    ) -> dict[str, int]:
        """The sheet's column of each head of a table that is there."""
        cells = self._cells(sheet, area._replace(bottom=area.top), must_be=False)
        there = {name_key(trimmed(head)): column for (_, column), head in cells.items()}
        for head in heads:
            if must_be and name_key(head) not in there:
                raise WorkbookReadError(
                    Message(
                        "The table {name} on {sheet} in {path} has no column {head}; give the column that "
                        "name again.",
                        name=table.name,
                        sheet=table.sheet,
                        path=self.path,
                        head=repr(head),
                    )
                )
        return {head: there[name_key(head)] for head in heads if name_key(head) in there}

    def _cells(
        self,
        sheet: Sheet,
        area: Area,
        columns: frozenset[int] | None = None,
        *,
        must_be: bool = True,
    ) -> dict[_Place, Value]:
        """The values of the cells of an area that hold one, by row and column.

        Parameters
        ----------
        columns : the columns that are wanted; None for all.
        must_be : whether a formula without a value is an error; it stays FORMULA otherwise.
        """
        worksheet = self.contents.worksheet(sheet)
        found: dict[_Place, Value] = {}
        for cell in self.contents.cells(sheet, area):
            if columns is not None and cell.column not in columns:
                continue
            place = (cell.row, cell.column)
            value = self.contents.value(sheet, cell)
            if value is not None:
                found[place] = None if value == "" else value
            elif worksheet.formula(cell) is not None:
                if must_be:
                    raise WorkbookReadError(
                        Message(
                            "{title}!{column}{row} in {path} holds a formula without a value; open the workbook "
                            "in a spreadsheet program, save it there, and try again.",
                            title=sheet.title,
                            column=column_letters(cell.column),
                            row=str(cell.row),
                            path=self.path,
                        )
                    )
                found[place] = FORMULA
        return found
