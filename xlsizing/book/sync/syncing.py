"""A sync of one workbook: what it would change, and the parts that it changes."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from xlsizing.book.catalog_columns import KINDS, SERVERS
from xlsizing.book.contents import Contents, opened_contents
from xlsizing.book.hosting import LITE, LITE_CODE
from xlsizing.book.package.copying import write_copy
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.package.opened import CONTENT_TYPES
from xlsizing.book.package.structure import Sheet, relations_part
from xlsizing.book.package.xml import (
    Edit,
    XmlError,
    attribute_edit,
    edited,
    elements,
    text_edit,
)
from xlsizing.book.saving import replace_workbook, require_replaceable, state_of
from xlsizing.book.sync.changes import CatalogChanges, TableEdit, changes_of
from xlsizing.book.sync.chart_caches import chart_edits
from xlsizing.book.sync.derived import changes_layouts, layouts_edit, remarks
from xlsizing.book.sync.edits import Writing, sheet_xml, table_xml
from xlsizing.book.sync.effects import (
    Effect,
    Plans,
    changes_what_is_there,
    effects,
    plans_of,
    touched,
)
from xlsizing.book.sync.looks import Looks
from xlsizing.book.sync.moving import hindrance
from xlsizing.book.sync.ranges import Stretch, stretched_references
from xlsizing.book.sync.rows import cell_xml
from xlsizing.book.sync.tables import catalog_tables
from xlsizing.book.worksheet import Area, Worksheet
from xlsizing.core import Catalogs
from xlsizing.core.planning.cells import Value

CALC_CHAIN = "calcChain"


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
    notes: Sequence[str]
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
            f"{contents.package.name} is signed, and a sync would break the signature; sync it "
            "with --force and have it signed again."
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
            f"{contents.package.name} has no catalog tables ({named}), so there is nothing to "
            "sync; add them with --add-tables."
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
    parts = _Parts(contents, catalogs, changes, plans, notes, are_used=bool(found))
    return Sync(contents.package.name, changes, found, notes, parts.changed, parts.dropped)


def _notes(contents: Contents) -> list[str]:
    """What a person should know of a workbook, whatever changes in it."""
    notes = []
    if is_signed(contents):
        notes.append("It is signed; a sync breaks the signature.")
    if contents.structure.has_add_in_code(LITE, LITE_CODE):
        notes.append(
            "Its code for xlwings Lite has the catalogs that it was made with, and keeps them: "
            "functions by name go on answering from those. A new template --host lite has the new."
        )
    return notes


def _movable(contents: Contents, change: CatalogChanges, notes: list[str]) -> CatalogChanges:
    """The changes without those that would move cells which something knows by address."""
    kept: list[TableEdit] = []
    for edit in change.edits:
        why = hindrance(contents, edit)
        if why:
            notes.append(
                f"Rows of {edit.table.placed.name} that should go stay, since {why}, and they or "
                "those below would move; delete them in a spreadsheet program, which knows how."
            )
            edit = replace(edit, removed=())
        kept.append(edit)
    return replace(change, edits=[edit for edit in kept if not edit.is_empty])


class _Parts:
    """The parts of a workbook that a sync writes anew."""

    def __init__(
        self,
        contents: Contents,
        catalogs: Catalogs,
        changes: Sequence[CatalogChanges],
        plans: Plans | None,
        notes: list[str],
        *,
        are_used: bool,
    ) -> None:
        self.contents = contents
        self.changed: dict[str, bytes] = {}
        self.dropped: list[str] = []
        self._now: dict[str, Worksheet] = {}
        edits = [edit for change in changes for edit in change.edits]
        if not edits:
            return
        is_changed = any(change.are_any for change in changes)
        layouts = layouts_edit(contents, changes, plans) if is_changed else None
        try:
            self._write_tables([*edits, *([layouts] if layouts else [])])
            if is_changed:
                self._write_remarks(catalogs, layouts)
                if plans and (are_used or _change_more(changes) or (layouts and layouts.cells)):
                    self._write_results(plans, notes)
                self._write_workbook()
                self._write_charts()
            self._drop_calculation_chain()
        except XmlError as error:
            raise contents.package.broken("of a sheet", error) from error

    def _write_tables(self, edits: Sequence[TableEdit]) -> None:
        styles = self._styles_part()
        looks = Looks(self.contents.package.xml(styles) if styles else b"<styleSheet/>")
        writings = [Writing(self.contents, edit, looks) for edit in edits]
        by_sheet: dict[str, list[Writing]] = {}
        for writing in writings:
            by_sheet.setdefault(writing.edit.table.sheet.part, []).append(writing)
        for part, of_sheet in by_sheet.items():
            self.changed[part] = sheet_xml(of_sheet)
        self.stretches: list[Stretch] = []
        for writing in writings:
            if writing.last_row != writing.area.bottom:
                self.changed[writing.edit.table.placed.part] = table_xml(writing)
                self.stretches.append(writing.stretch)
        if styles and looks.edited != looks.content:
            self.changed[styles] = looks.edited

    def _styles_part(self) -> str:
        structure = self.contents.structure
        return next(iter(structure.targets(structure.workbook, "styles")), "")

    def _write_remarks(self, catalogs: Catalogs, layouts: TableEdit | None) -> None:
        """Write the texts that name the catalogs."""
        count = None
        if layouts:
            count = len(layouts.table.rows) - len(layouts.removed) + len(layouts.added)
        for sheet, texts in remarks(self.contents, catalogs, count).items():
            worksheet = self._worksheet(sheet)
            there = {(c.row, c.column) for c, _ in texts}
            words = {(c.row, c.column): text for c, text in texts}
            top = max(row for row, _ in there)
            edits = [
                Edit(
                    cell.start,
                    cell.end,
                    cell_xml(
                        worksheet.prefix,
                        cell.row,
                        cell.column,
                        worksheet.style(cell),
                        words[cell.row, cell.column],
                    ),
                )
                for cell in worksheet.cells_in(Area(1, 1, top, 1))
                if (cell.row, cell.column) in words
            ]
            self.changed[sheet.part] = edited(worksheet.content, edits)

    def _write_results(self, plans: Plans, notes: list[str]) -> None:
        # It builds a workbook to compare with, which takes most of the time of a sync.
        from xlsizing.book.sync.results import result_edits, results

        found = results(self.contents, plans)
        if not found.are_all_known:
            notes.append(
                "Some of its results cannot be computed here, since the load on Sizing or a "
                "setting of the engine is refused, or figures are used that only the workbook "
                "has; their cells are empty until it is opened."
            )
        for title in found.cells:
            sheet = self.contents.sheet(title)
            if sheet is None:
                continue
            worksheet = self._worksheet(sheet)
            if edits := result_edits(worksheet, self.contents, title, found):
                self.changed[sheet.part] = edited(worksheet.content, edits)

    def _write_workbook(self) -> None:
        """Let names end where their tables do, and have a program compute the workbook anew."""
        part = self.contents.structure.workbook
        content = self.contents.package.xml(part)
        edits: list[Edit] = []
        calculation = None
        found = elements(content)
        for each in found:
            if each.tag.name == "definedName":
                text = each.text
                for stretch in self.stretches:
                    text = stretched_references(text, stretch)
                if text != each.text:
                    edits.append(text_edit(content, each, text))
            elif each.tag.name == "calcPr":
                calculation = each
        if calculation is not None:
            edits.append(attribute_edit(content, calculation.tag, "fullCalcOnLoad", "1"))
        else:
            after = [
                e for e in found if e.path[-1:] == ("workbook",) and e.tag.name in _BEFORE_CALC
            ]
            prefix = after[-1].tag.prefix
            at = after[-1].end
            edits.append(Edit(at, at, f'<{prefix}calcPr fullCalcOnLoad="1"/>'.encode()))
        self.changed[part] = edited(content, edits)

    def _write_charts(self) -> None:
        titles = [s.title for s in self.contents.structure.sheets if s.part in self.changed]
        for part in self.contents.package.parts:
            if not re.fullmatch(r"xl/charts/chart[^/]*\.xml", part):
                continue
            content = self.contents.package.xml(part)
            with self.contents.told(part):
                edits = chart_edits(content, titles, self.stretches, self._values)
            after = edited(content, edits)
            if after != content:
                self.changed[part] = after

    def _values(self, title: str, area: Area) -> list[Value] | None:
        """The values of an area of a sheet that has changed, as it is now."""
        sheet = self.contents.sheet(title)
        if sheet is None or sheet.part not in self.changed:
            return None
        worksheet = self._worksheet(sheet)
        held = {
            (cell.row, cell.column): self.contents.value_in(worksheet, cell)
            for cell in worksheet.cells_in(area)
        }
        return [
            held.get((row, column))
            for row in range(area.top, area.bottom + 1)
            for column in range(area.left, area.right + 1)
        ]

    def _worksheet(self, sheet: Sheet) -> Worksheet:
        """A sheet as it is now."""
        if sheet.part not in self.changed:
            return self.contents.worksheet(sheet)
        known = self._now.get(sheet.part)
        if known is None or known.content is not self.changed[sheet.part]:
            known = self._now[sheet.part] = Worksheet(self.changed[sheet.part])
        return known

    def _drop_calculation_chain(self) -> None:
        """Leave out the list of formulas where one in it is gone; programs make it anew."""
        structure = self.contents.structure
        parts = structure.targets(structure.workbook, CALC_CHAIN)
        if not parts or not self._has_lost_formulas():
            return
        self.dropped += [part for part in parts if self.contents.package.has(part)]
        self._take_out(CONTENT_TYPES, "Override", "PartName", [f"/{part}" for part in parts])
        relations = relations_part(structure.workbook)
        identifiers = [
            r.identifier for r in structure.relations(structure.workbook) if r.kind == CALC_CHAIN
        ]
        self._take_out(relations, "Relationship", "Id", identifiers)

    def _has_lost_formulas(self) -> bool:
        for sheet in self.contents.structure.sheets:
            if sheet.part in self.changed:
                before, now = self.contents.worksheet(sheet), self._worksheet(sheet)
                if before.formula_addresses() - now.formula_addresses():
                    return True
        return False

    def _take_out(self, part: str, element: str, attribute: str, values: Sequence[str]) -> None:
        content = self.changed.get(part) or self.contents.package.xml(part)
        edits = [
            Edit(each.tag.start, each.end, b"")
            for each in elements(content, (element,))
            if each.attributes.get(attribute) in values
        ]
        self.changed[part] = edited(content, edits)


def _change_more(changes: Sequence[CatalogChanges]) -> bool:
    """Whether results may change that no plan's entry is in.

    Those are the numbers of rows, the servers of Charts, and checks of figures that somebody
    had changed.
    """
    return any(
        row.what == "removed" or row.was_edited or change.kind is SERVERS
        for change in changes
        if changes_what_is_there(change)
        for row in change.rows
    )


_BEFORE_CALC = ("sheets", "functionGroups", "externalReferences", "definedNames")
"""What the standard puts before a workbook's calcPr."""
