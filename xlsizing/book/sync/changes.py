"""What a sync changes in the catalog tables of a workbook: found first, and shown."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from xlsizing.book.catalog_columns import (
    ALIAS,
    LOCAL,
    ORIGIN,
    CatalogKind,
    aliases,
    origin_of,
    row_of,
)
from xlsizing.book.sync.tables import CatalogTable, Table, TableRow
from xlsizing.core import Catalogs
from xlsizing.core.catalogs import name_key, names
from xlsizing.core.entries import Entry
from xlsizing.core.planning.cells import Value, trimmed, words

_SAME_DIGITS = 15
"""Figures that agree in so many digits are one: no spreadsheet program keeps more."""


class FieldChange(NamedTuple):
    """A figure or text of an entry that is another now."""

    head: str
    old: Value
    new: Value
    was_formula: bool = False
    """Whether the old one was what a formula came to."""


@dataclass(frozen=True)
class RowChange:
    """What becomes of an entry's row."""

    name: str
    what: Literal["added", "changed", "removed"]
    fields: Sequence[FieldChange] = ()
    """What of it changes, where that is not all."""
    was_edited: bool = False
    """Whether somebody had changed the row in the workbook since a catalog wrote it."""


@dataclass(frozen=True)
class TableEdit:
    """What is to be written into a table of the workbook."""

    table: Table
    cells: Mapping[int, Mapping[str, Value]] = field(default_factory=dict)
    """New values of rows that stay, by the sheet's row and by head."""
    removed: Sequence[int] = ()
    """Rows that go, by their number in the sheet."""
    added: Sequence[Mapping[str, Value]] = ()
    """Rows that come, by head."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be written."""
        return not (self.cells or self.removed or self.added)


@dataclass(frozen=True)
class CatalogChanges:
    """What a sync changes in one catalog of a workbook."""

    table: CatalogTable
    rows: Sequence[RowChange]
    alias_rows: Sequence[RowChange]
    own: Sequence[str]
    """Names of the rows that are the workbook's own, in no catalog."""
    are_own_removed: bool
    """Whether those are taken out."""
    edits: Sequence[TableEdit]
    entries: Mapping[str, Entry]
    """The catalog's entries by the key of their name."""

    @property
    def kind(self) -> CatalogKind:
        """Which catalog it is."""
        return self.table.kind

    def removed_from(self, table: Table) -> list[RowChange]:
        """What is removed from the catalog's table, or from that of its aliases."""
        rows = self.alias_rows if table is self.table.aliases else self.rows
        return [row for row in rows if row.what == "removed"]

    def without_removals(self, table: Table) -> "CatalogChanges":
        """The changes without rows that go from a table; aliases of rows that stay do, too."""
        is_of_aliases = table is self.table.aliases
        tables = [table] if is_of_aliases else [self.table, self.table.aliases]
        edits = [
            replace(edit, removed=()) if any(edit.table is each for each in tables) else edit
            for edit in self.edits
        ]
        stay = [row for row in self.rows if row.what != "removed"]
        return replace(
            self,
            rows=self.rows if is_of_aliases else stay,
            alias_rows=[row for row in self.alias_rows if row.what != "removed"],
            edits=[edit for edit in edits if not edit.is_empty],
        )

    @property
    def are_any(self) -> bool:
        """Whether the workbook's catalog is out of date."""
        return bool(self.rows or self.alias_rows)


def changes_of(table: CatalogTable, catalogs: Catalogs, *, prune: bool) -> CatalogChanges:
    """What a sync with `catalogs` changes in a catalog table and its aliases.

    A row without an entry is removed where its mark says that it is as a catalog had it: the
    catalog has dropped it. Any other is somebody's own, and stays unless `prune` is asked for.
    """
    entries = {name_key(entry.name): entry for entry in table.kind.entries(catalogs)}
    heads = [head for head in table.columns if head != ORIGIN]
    changed: list[RowChange] = []
    removed: list[RowChange] = []
    own_names: list[str] = []
    cells: dict[int, dict[str, Value]] = {}
    gone: list[int] = []
    for row in table.rows:
        key = name_key(words(row.values["Name"]))
        entry = entries.get(key) if table.by_key.get(key) is row else None
        if entry is not None:
            expected = _cells_of(table, entry, heads)
            differing = list(_differences(row, expected, heads))
            if differing:
                was_edited = table.has_origin(row) and not table.is_from_catalog(row)
                changed.append(RowChange(entry.name, "changed", differing, was_edited))
            if new := _new_cells(row, expected):
                cells[row.number] = new
        elif not _is_blank(row, heads):
            name = trimmed(row.values["Name"])
            is_own = key in entries or row.has_more or not table.is_from_catalog(row)
            if is_own:
                own_names.append(name)
            if prune or not is_own:
                removed.append(RowChange(name, "removed"))
                gone.append(row.number)
            elif ORIGIN in table.columns and trimmed(row.values[ORIGIN]) != LOCAL:
                cells[row.number] = {ORIGIN: LOCAL}
    added = [entry for key, entry in entries.items() if key not in table.by_key]
    own = TableEdit(table, cells, gone, [_cells_of(table, entry, heads) for entry in added])
    gone_names = {name_key(row.name) for row in removed} - entries.keys()
    alias_rows, alias_edit = _alias_changes(table, list(entries.values()), gone_names)
    return CatalogChanges(
        table=table,
        rows=[*(RowChange(entry.name, "added") for entry in added), *changed, *removed],
        alias_rows=alias_rows,
        own=own_names,
        are_own_removed=prune,
        edits=[edit for edit in (own, alias_edit) if edit and not edit.is_empty],
        entries=entries,
    )


def _cells_of(table: CatalogTable, entry: Entry, heads: Sequence[str]) -> dict[str, Value]:
    """What the row of an entry is to hold, by head."""
    row = row_of(table.kind, entry)
    cells = {head: row[head] for head in heads}
    return {**cells, ORIGIN: origin_of(cells)} if ORIGIN in table.columns else cells


def _differences(
    row: TableRow, expected: Mapping[str, Value], heads: Sequence[str]
) -> Iterator[FieldChange]:
    for head in heads:
        if not agree(row.values[head], expected[head]):
            yield FieldChange(head, row.values[head], expected[head], head in row.formulas)


def _new_cells(row: TableRow, expected: Mapping[str, Value]) -> dict[str, Value]:
    return {head: value for head, value in expected.items() if not agree(row.values[head], value)}


def agree(held: Value, known: Value) -> bool:
    """Whether a cell holds what is known."""
    if isinstance(held, bool) or isinstance(known, bool):
        return held is known
    if isinstance(held, int | float) and isinstance(known, int | float):
        return held == known or format(held, f".{_SAME_DIGITS}g") == format(
            known, f".{_SAME_DIGITS}g"
        )
    if held in _NOTHING or known in _NOTHING:
        return held in _NOTHING and known in _NOTHING
    return held == known


_NOTHING = (None, "")


def _is_blank(row: TableRow, heads: Sequence[str]) -> bool:
    return not any(trimmed(row.values[head]) for head in heads)


def _alias_changes(
    table: CatalogTable, entries: Sequence[Entry], gone_names: Collection[str]
) -> tuple[list[RowChange], TableEdit | None]:
    """What changes in the table of aliases.

    An alias that no entry has is somebody's own, or one that they may have come to use: it goes
    only with the row that it leads to, or where it became the name of another entry.
    """
    own = table.aliases
    if own is None:
        return [], None
    noun = table.kind.noun
    wanted = {name_key(alias): (alias, name) for alias, name in aliases(entries)}
    taken = {name_key(name) for entry in entries for name in names(entry)}
    changes: list[RowChange] = []
    cells: dict[int, dict[str, Value]] = {}
    gone: list[int] = []
    blank: list[int] = []
    seen: set[str] = set()
    for row in own.rows:
        alias, target = trimmed(row.values[ALIAS]), trimmed(row.values[noun])
        key = name_key(alias)
        if not alias:
            blank.append(row.number)
        elif key in wanted and key not in seen:
            seen.add(key)
            expected = dict(zip((ALIAS, noun), wanted[key], strict=True))
            if differing := list(_differences(row, expected, (ALIAS, noun))):
                changes.append(RowChange(alias, "changed", differing))
                cells[row.number] = _new_cells(row, expected)
        elif name_key(target) in gone_names or (key in taken and key not in wanted):
            changes.append(RowChange(alias, "removed"))
            gone.append(row.number)
    added = [wanted[key] for key in wanted if key not in seen]
    changes += [RowChange(alias, "added") for alias, _ in added]
    rows: list[dict[str, Value]] = [{ALIAS: alias, noun: name} for alias, name in added]
    for number in blank:
        if rows:
            cells[number] = rows.pop(0)
    return changes, TableEdit(own, cells, gone, rows)
