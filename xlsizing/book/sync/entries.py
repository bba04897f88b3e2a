"""Rows of a workbook's catalog tables as entries: those that only the workbook has."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from xlsizing.book.catalog_columns import KINDS, MODELS, CatalogKind, row_of
from xlsizing.book.sync.changes import CatalogChanges, agree
from xlsizing.book.sync.tables import TableRow
from xlsizing.core import Catalogs, Model, Server, SizingError, StorageProfile
from xlsizing.core.catalogs import name_key
from xlsizing.core.entries import Entry
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
                "its attention is grouped, and the layer groups of a model stand in a catalog alone"
            )
        for head, field in _PATTERN_HEADS.get(pattern, {}).items():
            fields[field] = row.values.get(head)
    fields["name"] = trimmed(row.values["Name"])
    try:
        return _ENTRY[kind.table](**fields, aliases=tuple(aliases))
    except TypeError as error:
        missing = [each for each in _needed(kind) if row.values.get(each) is None]
        raise EntryError(f"it has no {', '.join(missing) or 'figures'}") from error


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


def local_entries(changes: CatalogChanges) -> tuple[list[Entry], list[str]]:
    """The entries that only the workbook has, and a sentence for each row that is none."""
    found: list[Entry] = []
    faults: list[str] = []
    own = {name_key(name) for name in changes.own}
    for row in changes.table.rows:
        name = trimmed(row.values["Name"])
        if name_key(name) not in own or name_key(name) in changes.entries:
            continue
        try:
            found.append(entry_of(changes.kind, row, _aliases(changes, name)))
        except SizingError as error:
            faults.append(
                f"{name or 'A row without a name'} on {changes.kind.table} is no entry: {error}"
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
        stand_in = next(iter(change.entries.values()))
        gone = {
            number for edit in change.edits if edit.table is change.table for number in edit.removed
        }
        for row in change.table.rows:
            key = name_key(words(row.values["Name"]))
            if row.number in gone:
                continue
            if key in change.entries and change.table.by_key.get(key) is row:
                entries.append(change.entries[key])
                continue
            aliases = _aliases(change, trimmed(row.values["Name"]))
            try:
                entry = entry_of(change.kind, row, aliases)
                if not _is_as_written(change, row, entry):
                    raise EntryError("derived figures differ")
            except SizingError:
                # Its place counts all the same: formulas find entries by the number of their row.
                entry = replace(stand_in, name=f"row {row.number} of the workbook", aliases=())
                if change.table.by_key.get(key) is row:
                    unknown |= {(change.kind.table, name_key(name)) for name in (key, *aliases)}
            entries.append(entry)
        there = {name_key(entry.name) for entry in entries}
        entries += [entry for key, entry in change.entries.items() if key not in there]
        by_kind[change.kind.table] = tuple(entries)
    made = Catalogs(by_kind["Models"], by_kind["Servers"], by_kind["Storage"])  # type: ignore[arg-type]
    return made, unknown


def _is_as_written(change: CatalogChanges, row: TableRow, entry: Entry) -> bool:
    """Whether the row says of an entry what its columns would, derived figures too."""
    expected = row_of(change.kind, entry)
    return all(
        agree(row.values[head], expected[head])
        for head in change.table.columns
        if head in expected and change.kind.by_head[head].look != "remark"
    )
