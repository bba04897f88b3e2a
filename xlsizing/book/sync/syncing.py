"""A sync of one workbook: what it would change, and the parts that it changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from xlsizing.book.catalog_columns import KINDS
from xlsizing.book.contents import Contents, opened_contents
from xlsizing.book.hosting import LITE, LITE_CODE
from xlsizing.book.package.copying import write_copy
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.package.xml import XmlError
from xlsizing.book.saving import replace_workbook, require_replaceable, state_of
from xlsizing.book.sync.changed_parts import ChangedParts
from xlsizing.book.sync.changes import CatalogChanges, changes_of
from xlsizing.book.sync.derived import changes_layouts
from xlsizing.book.sync.effects import (
    Effect,
    changes_what_is_there,
    effects,
    plans_of,
    touched,
)
from xlsizing.book.sync.moving import hindrance, totals_hindrance
from xlsizing.book.sync.tables import catalog_tables
from xlsizing.core import Catalogs
from xlsizing.core.message import Message


class SignedError(WorkbookReadError):
    """A workbook whose signature a sync would break."""

    code = "WORKBOOK_SIGNED"


class NotOursError(WorkbookReadError):
    """A workbook without catalog tables."""

    code = "WORKBOOK_NOT_OURS"


@dataclass(frozen=True)
class Sync:
    """What a sync of a workbook changes."""

    path: str
    changes: Sequence[CatalogChanges]
    effects: Sequence[Effect]
    notes: Sequence[Message]
    """What a person should know beside the changes, in sentences."""
    parts: Mapping[str, bytes]
    """The parts that are written anew."""
    dropped: Sequence[str] = ()
    """The parts that are left out."""
    sheets: Sequence[str] = ()
    """Titles of the sheets that are added, to a workbook without catalog tables."""

    @property
    def is_current(self) -> bool:
        """Whether the workbook's catalogs are those that it was synced with."""
        return not self.sheets and not any(change.are_any for change in self.changes)


def synced(
    path: str,
    catalogs: Catalogs,
    show: Callable[[Sync], None],
    *,
    prune: bool = False,
    add_tables: bool = False,
    force: bool = False,
    backup: bool = False,
    check: bool = False,
) -> tuple[Sync, Path | None]:
    """Bring catalogs into a workbook.

    Parameters
    ----------
    path : the workbook.
    catalogs : what its tables are to hold.
    show : is told what changes, before anything is written.
    prune : whether rows that only the workbook has are taken out.
    add_tables : whether a workbook without catalog tables gets their sheets.
    force : whether a signature may be broken.
    backup : whether the workbook as it was is kept beside it.
    check : whether nothing is written.

    Returns
    -------
    What changed, and the copy of the workbook as it was, where one was made.

    Raises
    ------
    WorkbookReadError : the workbook cannot be read or has no catalog tables, is signed, or
        has no room for new rows.
    WorkbookFileError : it cannot be written, is open in a program, or read-only. It is then
        as it was.
    """
    seen = state_of(path)
    with opened_contents(path) as contents:
        if not check:
            require_replaceable(path)
        found = sync_of(contents, catalogs, prune=prune, add_tables=add_tables)
        show(found)
        if check or not found.parts:
            return found, None
        if not force:
            require_unsigned(contents)

        def write(file: BinaryIO) -> None:
            write_copy(contents.package, found.parts, found.dropped, file)
            # Windows lets nobody put another file in the place of one that is open.
            contents.package.close()

        kept = replace_workbook(path, write, seen, backup=backup)
    if kept and kept.parent == Path(path).parent.resolve():
        # As the workbook was named, unless a link led elsewhere.
        return found, Path(path).with_name(kept.name)
    return found, kept


def require_unsigned(contents: Contents) -> None:
    """Raise SignedError where a workbook bears a signature."""
    if is_signed(contents):
        raise SignedError(
            Message(
                "{name} is signed, and a sync would break the signature; sync it with --force and "
                "have it signed again.",
                name=contents.package.name,
            )
        )


def is_signed(contents: Contents) -> bool:
    """Whether a workbook bears a signature."""
    return any(part.lower().startswith("_xmlsignatures/") for part in contents.package.parts)


def sync_of(
    contents: Contents, catalogs: Catalogs, *, prune: bool = False, add_tables: bool = False
) -> Sync:
    """What a sync of an open workbook changes; see `synced`."""
    tables = catalog_tables(contents)
    if not tables and add_tables:
        from xlsizing.book.sync.adding import added_sheets

        try:
            added = added_sheets(contents, catalogs)
        except XmlError as error:
            raise contents.package.broken(contents.structure.workbook, error) from error
        notes = _notes(contents)
        return Sync(contents.package.name, (), (), notes, added.parts, sheets=added.titles)
    if not tables:
        named = ", ".join(kind.table for kind in KINDS)
        raise NotOursError(
            Message(
                "{name} has no catalog tables ({named}), so there is nothing to sync; add them with "
                "--add-tables.",
                name=contents.package.name,
                named=named,
            )
        )
    notes = _notes(contents)
    changes = [
        _movable(contents, changes_of(table, catalogs, prune=prune), notes) for table in tables
    ]
    # Where only remarks change, the sheets of plans need not be read.
    may_matter = any(map(touched, changes)) or changes_layouts(changes)
    plans = plans_of(contents, catalogs, changes) if may_matter else None
    found = effects(contents, plans, changes) if plans else []
    # Of entries that come, a plan may have had the name before; all other cells stay as they are.
    if not found and not any(map(changes_what_is_there, changes)) and not changes_layouts(changes):
        plans = None
    parts = ChangedParts(contents, catalogs, changes, plans, notes, are_used=bool(found))
    return Sync(contents.package.name, changes, found, notes, parts.changed, parts.dropped)


def _notes(contents: Contents) -> list[Message]:
    """What a person should know of a workbook, whatever changes in it."""
    notes = []
    if is_signed(contents):
        notes.append(Message("It is signed; a sync breaks the signature."))
    if contents.structure.has_add_in_code(LITE, LITE_CODE):
        notes.append(
            Message(
                "Its code for xlwings Lite has the catalogs that it was made with, and keeps them: "
                "functions by name go on answering from those. A new template --host lite has the "
                "new."
            )
        )
    return notes


def _movable(contents: Contents, change: CatalogChanges, notes: list[Message]) -> CatalogChanges:
    """The changes without those that would move cells which something knows by address."""
    for edit in change.edits:
        if why := hindrance(contents, edit):
            names = ", ".join(row.name for row in change.removed_from(edit.table))
            notes.append(
                Message(
                    "{names} should go from {table} and stays, since {why}, and rows would move; "
                    "delete it in a spreadsheet program, which knows how.",
                    names=names,
                    table=edit.table.placed.name,
                    why=why,
                )
            )
            change = change.without_removals(edit.table)
    for edit in change.edits:
        if why := totals_hindrance(contents, edit):
            raise WorkbookReadError(
                Message(
                    "The totals of {table} in {path} would move with the table's end, but {why}; refer "
                    "to them by the table, or move them elsewhere.",
                    table=edit.table.placed.name,
                    path=contents.package.name,
                    why=why,
                )
            )
    return change
