"""Rows of a workbook's catalog tables as entries: those that only the workbook has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from xlsizing.book.catalog_columns import ALIAS, KINDS, MODELS, READ_BY_PEOPLE, CatalogKind, row_of
from xlsizing.book.sync.changes import CatalogChanges, TableEdit, agree
from xlsizing.book.sync.tables import TableRow
from xlsizing.core import Catalogs, Model, Server, SizingError, StorageProfile
from xlsizing.core.catalogs import name_key
from xlsizing.core.constraints import require
from xlsizing.core.entries import Entry, Name
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value, trimmed, words

_ENTRY: Mapping[str, type[Entry]] = {"Models": Model, "Servers": Server, "Storage": StorageProfile}
_PATTERN_HEADS: Mapping[str, Mapping[str, str]] = {
    "sliding": {"Sliding window": "sliding_window"},
    "hybrid": {
        "Full layers": "hybrid_full_layers",
        "Sliding layers": "hybrid_sliding_layers",
        "Sliding window": "sliding_window",
    },
}
"""Columns that say, for some attention patterns, what a field of the entry does."""


class EntryError(SizingError):
    """A row that is no entry."""

    code = "WORKBOOK_ENTRY"


def entry_of(kind: CatalogKind, row: TableRow, aliases: Iterable[str] = ()) -> Entry:
    """The entry that a row describes.

    Raises
    ------
    SizingError : it describes none; says why.
    """
    fields: dict[str, Any] = {
        column.field: _given(row.values.get(column.head))
        for column in kind.columns
        if column.field and row.values.get(column.head) is not None
    }
    if kind is MODELS:
        pattern = trimmed(row.values.get("Attention")).lower()
        if pattern == "grouped":
            raise EntryError(
                Message(
                    "its attention is grouped, and the layer groups of a model stand in a catalog "
                    "alone."
                )
            )
        for head, field in _PATTERN_HEADS.get(pattern, {}).items():
            fields[field] = row.values.get(head)
    fields["name"] = trimmed(row.values["Name"])
    try:
        return _ENTRY[kind.table](**fields, aliases=tuple(aliases))
    except TypeError as error:
        missing = [each for each in _needed(kind) if row.values.get(each) is None]
        lacking = Message("it has no {columns}.", columns=", ".join(missing) or Message("figures"))
        raise EntryError(lacking) from error


def _given(value: Value) -> Value:
    return trimmed(value) if isinstance(value, str) else value


def _needed(kind: CatalogKind) -> list[str]:
    """Heads of the columns that an entry cannot do without."""
    missing = {
        "Models": ("Name", "Layers", "Max context", "Attention"),
        "Servers": ("Name", "GPUs", "HBM GB per GPU"),
        "Storage": tuple(column.head for column in kind.columns if column.look != "remark"),
    }
    return list(missing[kind.table])


def local_entries(changes: CatalogChanges) -> tuple[list[Entry], list[Message]]:
    """The entries that only the workbook has, and a sentence for each row that is none."""
    found: list[Entry] = []
    faults: list[Message] = []
    own = {name_key(name) for name in changes.own}
    for row in changes.table.rows:
        name = trimmed(row.values["Name"])
        key = name_key(name)
        if key not in own or (key in changes.entries and changes.table.by_key.get(key) is row):
            continue
        if key in changes.entries:
            faults.append(
                Message(
                    "{name} on {table} stands there twice, and once as the catalog has it.",
                    name=name,
                    table=changes.kind.table,
                )
            )
            continue
        try:
            found.append(entry_of(changes.kind, row, _aliases(changes, name)))
        except SizingError as error:
            faults.append(
                Message(
                    "{name} on {table} is no entry: {why}",
                    name=name or Message("A row without a name"),
                    table=changes.kind.table,
                    why=str(error),
                )
            )
    return found, faults


def _aliases(changes: CatalogChanges, name: str) -> list[str]:
    table = changes.table.aliases
    if table is None:
        return []
    return [
        trimmed(row.values["Alias"])
        for row in table.rows
        if name_key(trimmed(row.values[changes.kind.noun])) == name_key(name)
    ]


def merged(
    catalogs: Catalogs, changes: Iterable[CatalogChanges]
) -> tuple[Catalogs, set[tuple[str, str]]]:
    """The catalogs as a workbook's tables hold them after a sync.

    Returns
    -------
    The entries in the order of the tables' rows, and the table and key of each name that
    stands in the workbook with figures that no entry has: what uses them cannot be computed here.
    """
    by_kind: dict[str, tuple[Entry, ...]] = {
        kind.table: tuple(kind.entries(catalogs)) for kind in KINDS
    }
    unknown: set[tuple[str, str]] = set()
    for change in changes:
        entries: list[Entry] = []
        aliases, odd = _aliases_after(change)
        unknown |= {(change.kind.table, key) for key in odd}
        stand_in = next(iter(change.entries.values()))
        gone = {
            number for edit in change.edits if edit.table is change.table for number in edit.removed
        }
        for row in change.table.rows:
            key = name_key(words(row.values["Name"]))
            if row.number in gone:
                continue
            if key in change.entries and change.table.by_key.get(key) is row:
                entries.append(_with_aliases(change.entries[key], aliases))
                continue
            try:
                entry = _with_aliases(_as_found(entry_of(change.kind, row), row), aliases)
                if not _is_as_written(change, row, entry):
                    raise EntryError("derived figures differ")
            except SizingError:
                # Its place counts all the same: formulas find entries by the number of their row.
                entry = replace(stand_in, name=f"row {row.number} of the workbook", aliases=())
                if change.table.by_key.get(key) is row:
                    named = (key, *aliases.get(key, ()))
                    unknown |= {(change.kind.table, name_key(name)) for name in named}
            entries.append(entry)
        there = {name_key(entry.name) for entry in entries}
        come = (entry for key, entry in change.entries.items() if key not in there)
        entries += [_with_aliases(entry, aliases) for entry in come]
        by_kind[change.kind.table] = tuple(entries)
    made = Catalogs(by_kind["Models"], by_kind["Servers"], by_kind["Storage"])  # type: ignore[arg-type]
    return made, unknown


def _aliases_after(change: CatalogChanges) -> tuple[Mapping[str, Sequence[str]], set[str]]:
    """The aliases that a workbook has after a sync.

    Of one that stands there twice, or that is a name itself, formulas never get to the second.

    Returns
    -------
    The aliases by the key of the name that each leads to, and the keys of those that no entry
    may bear.
    """
    table = change.table.aliases
    if table is None:
        return {}, set()
    edit = next((edit for edit in change.edits if edit.table is table), TableEdit(table))
    rows = [
        {**row.values, **edit.cells.get(row.number, {})}
        for row in table.rows
        if row.number not in edit.removed
    ]
    taken = set(change.table.by_key) | set(change.entries)
    found: dict[str, list[str]] = {}
    odd: set[str] = set()
    for cells in [*rows, *edit.added]:
        alias = trimmed(cells[ALIAS])
        if not alias or name_key(alias) in taken:
            continue
        taken.add(name_key(alias))
        try:
            require("alias", alias, Name)
        except InvalidValueError:
            odd.add(name_key(alias))
        else:
            found.setdefault(name_key(words(cells[change.kind.noun])), []).append(alias)
    return found, odd


def _with_aliases(entry: Entry, aliases: Mapping[str, Sequence[str]]) -> Entry:
    wanted = tuple(aliases.get(name_key(entry.name), ()))
    return entry if entry.aliases == wanted else replace(entry, aliases=wanted)


def _as_found(entry: Entry, row: TableRow) -> Entry:
    """The entry with sources for its figures, unless the row says that it has none."""
    return entry if row.values.get("Unsourced") else replace(entry, sources={"*": "the workbook"})


def _is_as_written(change: CatalogChanges, row: TableRow, entry: Entry) -> bool:
    """Whether the row says of an entry what its columns would, derived figures too."""
    expected = row_of(change.kind, entry)
    return all(
        agree(row.values[head], expected[head])
        for head in change.table.columns
        if head in expected and head not in READ_BY_PEOPLE
    )
