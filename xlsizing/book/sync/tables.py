"""The catalog tables of a workbook: their rows, and what each row is."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from xlsizing.book.catalog_columns import (
    ALIAS,
    KINDS,
    ORIGIN,
    CatalogKind,
    origin_of,
)
from xlsizing.book.contents import Contents
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.package.structure import PlacedTable, Sheet
from xlsizing.book.worksheet import Area, Cell, area_of
from xlsizing.core.catalogs import name_key
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value, trimmed, words

MOST_ROWS = 10_000
"""Rows of a catalog table that are read."""
_LEAST_HEADS = 3
"""Heads of ours, the name's with them, by which a table is known to be a catalog's."""


@dataclass(frozen=True)
class TableRow:
    """A row of a table: where it stands, and what it holds."""

    number: int
    """The sheet's row."""
    values: Mapping[str, Value]
    """What it holds under each head of ours, by head; None where a cell is empty."""
    formulas: frozenset[str]
    """The heads of ours under which it holds a formula."""
    has_more: bool = False
    """Whether somebody typed something into columns of the table that are not ours."""


@dataclass(frozen=True)
class Table:
    """A table of a workbook with columns that we know."""

    placed: PlacedTable
    sheet: Sheet
    area: Area
    """Its head and rows, and rows of totals where it has some."""
    columns: Mapping[str, int]
    """The sheet's column of each head of ours that it has."""
    rows: Sequence[TableRow]

    @property
    def body(self) -> Area:
        """Its rows, without head and totals."""
        return self.area._replace(
            top=self.area.top + 1, bottom=self.area.bottom - self.placed.totals
        )


@dataclass(frozen=True)
class CatalogTable(Table):
    """The table of a catalog, and that of its aliases where there is one."""

    kind: CatalogKind
    aliases: Table | None

    @cached_property
    def by_key(self) -> Mapping[str, TableRow]:
        """The rows by the key of their name, as formulas find them: the first of each name."""
        found: dict[str, TableRow] = {}
        for row in self.rows:
            if key := name_key(words(row.values["Name"])):
                found.setdefault(key, row)
        return found

    def is_from_catalog(self, row: TableRow) -> bool:
        """Whether a row is as a catalog had it, by the mark that it bears."""
        figures = {head: value for head, value in row.values.items() if head != ORIGIN}
        return trimmed(row.values.get(ORIGIN)) == origin_of(figures)

    def has_origin(self, row: TableRow) -> bool:
        """Whether a row says where it is from, whatever became of it since."""
        return bool(trimmed(row.values.get(ORIGIN)))


def catalog_tables(contents: Contents) -> list[CatalogTable]:
    """The catalog tables of a workbook.

    Raises
    ------
    WorkbookReadError : a table is damaged, or has more rows than a catalog.
    """
    found = [(kind, contents.tables.get(kind.table.lower())) for kind in KINDS]
    contents.prepare(
        sheet
        for kind, table in found
        for each in (table, contents.tables.get(kind.alias_table.lower()))
        if each and (sheet := contents.sheet(each.sheet))
    )
    return [
        read for kind, table in found if table and (read := _catalog_table(contents, kind, table))
    ]


def _catalog_table(
    contents: Contents, kind: CatalogKind, placed: PlacedTable
) -> CatalogTable | None:
    """The table as one of a catalog; None where it is somebody's own table of the same name."""
    heads = [*kind.by_head, ORIGIN]
    table = table_of(contents, placed, heads)
    if table is None or "Name" not in table.columns or len(table.columns) < _LEAST_HEADS:
        return None
    of_aliases = contents.tables.get(kind.alias_table.lower())
    aliases = table_of(contents, of_aliases, [ALIAS, kind.noun]) if of_aliases else None
    if aliases and len(aliases.columns) < 2:
        aliases = None
    return CatalogTable(**vars(table), kind=kind, aliases=aliases)


def table_of(
    contents: Contents,
    placed: PlacedTable,
    heads: Sequence[str],
    read: Collection[str] | None = None,
) -> Table | None:
    """A table with its columns of these heads, as far as it has them; None without its sheet.

    Parameters
    ----------
    read : the heads whose cells are read; None for all.

    Raises
    ------
    WorkbookReadError : it is damaged, or has too many rows.
    """
    sheet = contents.sheet(placed.sheet)
    if sheet is None:
        return None
    with contents.told(placed.part):
        area = area_of(placed.cells)
    body = area._replace(top=area.top + 1, bottom=area.bottom - placed.totals)
    if body.bottom - area.top > MOST_ROWS:
        raise WorkbookReadError(
            Message(
                "The table {table} in {path} has {rows} rows; at most {most} are read.",
                table=placed.name,
                path=contents.package.name,
                rows=grouped(body.bottom - area.top),
                most=grouped(MOST_ROWS),
            )
        )
    known = {name_key(head): head for head in heads}
    columns: dict[str, int] = {}
    for cell in contents.cells(sheet, area._replace(bottom=area.top)):
        head = known.get(name_key(trimmed(contents.value(sheet, cell))))
        if head:
            columns.setdefault(head, cell.column)
    wanted = {head: at for head, at in columns.items() if read is None or head in read}
    if read is not None:
        body = body._replace(right=max(wanted.values(), default=body.left))
    rows = list(_rows(contents, sheet, body, wanted))
    return Table(placed, sheet, area, columns, rows)


def _rows(
    contents: Contents, sheet: Sheet, body: Area, columns: Mapping[str, int]
) -> Iterator[TableRow]:
    heads = {column: head for head, column in columns.items()}
    worksheet = contents.worksheet(sheet)
    cells: dict[int, list[Cell]] = {}
    with_more: set[int] = set()
    for cell in contents.cells(sheet, body):
        if cell.column in heads:
            cells.setdefault(cell.row, []).append(cell)
        elif worksheet.formula(cell) is None and contents.value(sheet, cell) is not None:
            with_more.add(cell.row)
    for number in range(body.top, body.bottom + 1):
        there = cells.get(number, [])
        held = {heads[cell.column]: contents.value(sheet, cell) for cell in there}
        values = {head: None if held.get(head) == "" else held.get(head) for head in columns}
        formulas = [heads[cell.column] for cell in there if worksheet.formula(cell) is not None]
        yield TableRow(number, values, frozenset(formulas), number in with_more)
