"""The parts of a workbook that a sync writes anew: sheets, tables, names, charts."""

import re
from collections.abc import Sequence

from xlsizing.book.catalog_columns import SERVERS
from xlsizing.book.contents import Contents
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
from xlsizing.book.sync.changes import CatalogChanges, TableEdit
from xlsizing.book.sync.chart_caches import chart_edits
from xlsizing.book.sync.derived import layouts_edit, remarks
from xlsizing.book.sync.edits import Writing, sheet_xml, table_xml
from xlsizing.book.sync.effects import (
    Plans,
    changes_what_is_there,
)
from xlsizing.book.sync.looks import Looks
from xlsizing.book.sync.ranges import Stretch, references, stretched_references
from xlsizing.book.sync.rows import cell_xml
from xlsizing.book.sync.tables import CatalogTable
from xlsizing.book.worksheet import Area, Worksheet
from xlsizing.core import Catalogs
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value

CALC_CHAIN = "calcChain"


class ChangedParts:
    """The parts of a workbook that a sync writes anew, and those that it leaves out.

    Parameters
    ----------
    contents : the workbook.
    catalogs : what its tables are to hold.
    changes : what changes in them.
    plans : what the workbook asks for; None where no result may change.
    notes : takes what a person should know.
    are_used : whether a plan uses an entry that changes.

    Raises
    ------
    WorkbookReadError : a part is damaged, or there is no room for new rows.
    """

    def __init__(
        self,
        contents: Contents,
        catalogs: Catalogs,
        changes: Sequence[CatalogChanges],
        plans: Plans | None,
        notes: list[Message],
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
            raise contents.package.broken(Message("of a sheet"), error) from error

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
        self.lists = {
            writing.edit.table.kind.list_name.lower(): writing
            for writing in writings
            if isinstance(writing.edit.table, CatalogTable)
        }
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

    def _write_results(self, plans: Plans, notes: list[Message]) -> None:
        # It builds a workbook to compare with, which takes most of the time of a sync.
        from xlsizing.book.sync.results import result_edits, results

        found = results(self.contents, plans)
        if not found.are_all_known:
            notes.append(
                Message(
                    "Some of its results cannot be computed here, since the load on Sizing or a "
                    "setting of the engine is refused, or figures are used that only the workbook "
                    "has; their cells are empty until it is opened."
                )
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
                writing = self.lists.get(each.attributes.get("name", "").lower())
                text = _list(text, writing) if writing else text
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


def _list(text: str, writing: Writing) -> str:
    """What the name of a catalog's list is to stand for: all names of the table.

    It may have ended elsewhere than the table did: other programs let only one of them grow.
    """
    table, stretch = writing.edit.table, writing.stretch
    named = references(text, stretch.title)
    if len(named) != 1 or named[0].top != stretch.before.top:
        return text
    if named[0].left != table.columns["Name"] or named[0].bottom == stretch.last_row:
        return text
    ends = stretch._replace(before=stretch.before._replace(bottom=named[0].bottom))
    return stretched_references(text, ends)


_BEFORE_CALC = ("sheets", "functionGroups", "externalReferences", "definedNames")
"""What the standard puts before a workbook's calcPr."""
