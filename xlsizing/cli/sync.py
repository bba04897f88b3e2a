"""The command `sync`: catalogs into workbooks, one after another."""

import argparse
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from glob import glob
from typing import TYPE_CHECKING

from xlsizing.cli.catalogs import read_catalogs
from xlsizing.cli.codes import BAD_INPUT, DIFFERENCE, OK
from xlsizing.cli.screen import drop_output
from xlsizing.core import Catalogs, SizingError
from xlsizing.core.catalogs import name_key
from xlsizing.core.entries import Entry
from xlsizing.core.message import Message, joined, one_or_many

if TYPE_CHECKING:
    from collections.abc import Callable

    from xlsizing.book.sync.syncing import Sync
    from xlsizing.cli.output import Output
    from xlsizing.report.sync import SyncedWorkbook


def sync_command(options: argparse.Namespace) -> int:
    """Bring the catalogs into workbooks, or show what that would change."""
    from xlsizing.report.sync import summary, sync_json

    catalogs = read_catalogs(options)
    paths = _paths(options.workbooks)
    pull = (
        None if options.pull is None else _Pulled(options.pull, options.output, force=options.force)
    )
    done: list[SyncedWorkbook] = []
    with _progress(len(paths), options) as advance:
        for path in paths:
            done.append(_one(path, catalogs, options, pull))
            advance()
    if pull:
        pull.finish()
    if options.json:
        _print(partial(print, sync_json(done, options.json_language), flush=True))
    elif len(done) > 1:
        _print(partial(options.output.done, summary(done)))
    outcomes = {workbook.outcome for workbook in done}
    if "failed" in outcomes:
        return BAD_INPUT
    return DIFFERENCE if "out of date" in outcomes else OK


def _one(
    path: str, catalogs: Catalogs, options: argparse.Namespace, pull: "_Pulled | None"
) -> "SyncedWorkbook":
    """Sync one workbook and tell what that changes; what fails is told, and stops no other."""
    from xlsizing.book.sync.syncing import synced
    from xlsizing.report.sync import SyncedWorkbook, changes_page

    output: Output = options.output
    # Quietly: only what a check was asked for.
    is_told = not output.is_quiet or options.check
    shown = SyncedWorkbook(path, "failed")

    def show(found: "Sync") -> None:
        nonlocal shown
        shown = _described(found)
        output.read(path)
        if is_told and not options.json:
            page = changes_page(shown, with_notes=not output.is_quiet)
            _print(partial(output.show, page))
        if pull:
            pull.take(found, is_pruned=options.prune and not options.check)

    try:
        found, backup = synced(
            path,
            catalogs,
            show,
            prune=options.prune,
            add_tables=options.add_tables,
            force=options.force,
            backup=options.backup,
            check=options.check,
        )
    except SizingError as error:
        output.fault(str(error))
        return shown._replace(outcome="failed", error=str(error))
    if options.check:
        return shown._replace(outcome="current" if found.is_current else "out of date")
    if not found.parts:
        return shown._replace(outcome="current")
    if not options.json:
        told = Message("Synced {file}.", file=path)
        if backup:
            told = Message("Synced {file}. As it was: {backup}.", file=path, backup=str(backup))
        _print(partial(output.done, told))
        output.tell_size(path)
    return shown._replace(outcome="synced", backup=str(backup) if backup else None)


def _print(show: "Callable[[], None]") -> None:
    """Print something; where nobody reads any more, the workbooks are synced all the same."""
    try:
        show()
    except BrokenPipeError:
        drop_output()


def _described(found: "Sync") -> "SyncedWorkbook":
    from xlsizing.book.saving import other_names
    from xlsizing.report.sync import EffectLine, FieldLine, RowLine, SyncedWorkbook

    rows = [
        RowLine(
            table, row.name, row.what, [FieldLine(*each) for each in row.fields], row.was_edited
        )
        for change in found.changes
        for table, changed in (
            (change.kind.table, change.rows),
            (change.kind.alias_table, change.alias_rows),
        )
        for row in changed
    ]
    local = [
        (change.kind.table, name)
        for change in found.changes
        if not change.are_own_removed
        for name in change.own
    ]
    effects = [EffectLine(*effect) for effect in found.effects]
    notes = list(found.notes)
    if found.parts and other_names(found.path):
        other = Message("It has other names (hard links); under those it stays as it was.")
        notes.append(other)
    return SyncedWorkbook(found.path, "out of date", rows, effects, local, notes, found.sheets)


class _Pulled:
    """The rows that only the workbooks have, written as one file for review."""

    def __init__(self, path: str, output: "Output", *, force: bool) -> None:
        from xlsizing.book.saving import require_writable

        self.path = path
        self.output = output
        self.target = require_writable(path, force, ".json")
        self.entries: dict[tuple[str, str], Entry] = {}

    def take(self, found: "Sync", *, is_pruned: bool) -> None:
        """Take the rows of a workbook; what is no entry, or another one elsewhere, is told.

        Raises
        ------
        SizingError : the workbook is to lose rows that the file does not hold.
        """
        from xlsizing.book.sync.entries import EntryError, local_entries

        missed: list[Message] = []
        for change in found.changes:
            entries, faults = local_entries(change)
            missed += faults
            for entry in entries:
                known = self.entries.setdefault((change.kind.table, name_key(entry.name)), entry)
                if known != entry:
                    missed.append(
                        Message(
                            "{name} has other figures than in a workbook before.", name=entry.name
                        )
                    )
        if missed and is_pruned:
            raise EntryError(
                Message(
                    "{workbook} is not pruned, since {file} cannot hold all that would go: "
                    "{faults}",
                    workbook=found.path,
                    file=self.path,
                    faults=joined(" ", missed),
                )
            )
        for miss in missed:
            self.output.note(
                Message(
                    "Note: {workbook}: {fault} It is not in {file}.",
                    workbook=found.path,
                    fault=miss,
                    file=self.path,
                )
            )
        if is_pruned and self.entries:
            # Before they are gone from the workbook.
            self._save()

    def _save(self) -> None:
        """Write the file: an object with the lists of the three catalog files."""
        import json

        from xlsizing.book.saving import save_file
        from xlsizing.catalog.writing import stated_fields

        document = {
            key: [stated_fields(e) for (of, _), e in self.entries.items() if of == table]
            for key, table in (
                ("models", "Models"),
                ("servers", "Servers"),
                ("profiles", "Storage"),
            )
        }
        content = json.dumps(document, indent=2) + "\n"
        save_file(self.path, self.target, content.encode())

    def finish(self) -> None:
        """Write the file and tell how many entries it has.

        One with entries, from another day, is not made empty: its rows may be nowhere else.
        """
        if self.entries or not self.target.exists():
            self._save()
        else:
            self.output.note(
                Message(
                    "Note: {file} stays as it was: no workbook has rows of its own.",
                    file=self.path,
                )
            )
            return
        self.output.note(
            one_or_many(
                "Wrote {file}: {count} entry that no catalog has.",
                "Wrote {file}: {count} entries that no catalog has.",
                len(self.entries),
                file=self.path,
                count=str(len(self.entries)),
            )
        )


def _paths(given: Sequence[str]) -> list[str]:
    """The workbooks that were named, each once; patterns are resolved where the shell does not."""
    found: dict[str, str] = {}
    for path in given:
        # A file may be called as a pattern is written: plan [1].xlsx
        matching = [] if os.path.lexists(path) else glob(path)
        owned = [each for each in sorted(matching) if not os.path.basename(each).startswith("~$")]
        for each in owned or [path]:
            found.setdefault(os.path.realpath(each), each)
    return list(found.values())


def _progress(
    total: int, options: argparse.Namespace
) -> "AbstractContextManager[Callable[[], None]]":
    """A bar where there is more than one workbook."""
    if total < 2 or options.json:
        return nullcontext(lambda: None)
    output: Output = options.output
    return output.progress(Message("Workbooks"), total)
