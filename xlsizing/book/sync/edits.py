"""Writing changed rows into a table: its cells, its part, and what reaches as far as it does."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from xlsizing.book.contents import Contents
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.package.structure import PlacedTable
from xlsizing.book.package.xml import (
    Edit,
    XmlError,
    attribute_edit,
    edited,
    elements,
    text_edit,
)
from xlsizing.book.sync.changes import TableEdit
from xlsizing.book.sync.looks import Looks
from xlsizing.book.sync.ranges import Stretch, references, stretched_list
from xlsizing.book.sync.rows import cell_xml, cells_of, moved, row_edits
from xlsizing.book.texts import is_like_a_formula
from xlsizing.book.worksheet import (
    LAST_ROW,
    Area,
    Worksheet,
    address_of,
    area_of,
    column_letters,
)
from xlsizing.core.message import Message, one_or_many
from xlsizing.core.planning.cells import Value

_WITH_AREAS = ("conditionalFormatting", "dataValidation", "ignoredError", "protectedRange")
_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9_!'.:$\]])\$?[A-Za-z]{1,3}\$?[0-9]{1,7}"
    r"(?::\$?[A-Za-z]{1,3}\$?[0-9]{1,7})?(?![A-Za-z0-9_(.!])"
)
_TEXT = re.compile(r'"[^"]*(?:"|\Z)|\[[^\]]*(?:\]|\Z)')


class Writing(NamedTuple):
    """A table that is written, with what that needs to know of the workbook."""

    contents: Contents
    edit: TableEdit
    looks: Looks

    @property
    def area(self) -> Area:
        """The table's rows as they are, without head and totals."""
        return self.edit.table.body

    @property
    def last_row(self) -> int:
        """Where its rows will end; a table has at least one row."""
        count = len(self.edit.table.rows) - len(self.edit.removed) + len(self.edit.added)
        return self.area.top + max(1, count) - 1

    @property
    def worksheet(self) -> Worksheet:
        """The sheet that it stands on."""
        return self.contents.worksheet(self.edit.table.sheet)

    @property
    def stretch(self) -> Stretch:
        """How it comes to end elsewhere."""
        return Stretch(self.edit.table.sheet.title, self.area, self.last_row)


def own_references(formula: str) -> list[Area]:
    """The areas of its own sheet that a formula names by their addresses."""
    found: list[Area] = []
    for match in _ADDRESS.finditer(_TEXT.sub("", formula)):
        with suppress(XmlError):  # a name such as ABC9999999 is no address
            found.append(area_of(match[0]))
    return found


def has_addresses(formula: str) -> bool:
    """Whether a formula names cells by their addresses, and not by table and column alone."""
    return bool(own_references(formula))


def sheet_xml(writings: Sequence[Writing]) -> bytes:
    """The XML of a sheet with all tables on it written.

    Raises
    ------
    WorkbookReadError : there is no room for a table's new rows.
    """
    worksheet = writings[0].worksheet
    cells: dict[int, dict[int, bytes | None]] = {}
    for writing in writings:
        _require_room(writing)
        for row, written in _cells(writing).items():
            cells.setdefault(row, {}).update(written)
    edits = row_edits(worksheet, cells)
    stretches = [w.stretch for w in writings if w.last_row != w.area.bottom]
    edits += _outline_edits(worksheet, stretches, [w.last_row for w in writings])
    return edited(worksheet.content, edits)


def table_xml(writing: Writing) -> bytes:
    """The XML of the table's own part, with where it ends now."""
    contents, placed = writing.contents, writing.edit.table.placed
    content = contents.package.xml(placed.part)
    change = writing.last_row - writing.area.bottom
    edits = []
    with contents.told(placed.part):
        for each in elements(content, ("table", "autoFilter", "sortState", "sortCondition")):
            if ref := each.attributes.get("ref"):
                area = area_of(ref)
                if area.bottom >= writing.area.bottom:
                    end = address_of(area._replace(bottom=area.bottom + change))
                    edits.append(attribute_edit(content, each.tag, "ref", end))
    return edited(content, edits)


def _cells(writing: Writing) -> dict[int, dict[int, bytes | None]]:
    """The cells that the rows of the sheet are to hold under the table's columns."""
    edit, area = writing.edit, writing.area
    found: dict[int, dict[int, bytes | None]] = {}
    stay = [row.number for row in edit.table.rows if row.number not in set(edit.removed)]
    for target, number in enumerate(stay, start=area.top):
        new = {
            column: _cell(writing, target, column, _style(writing, number, column), value)
            for column, value in _by_column(edit, edit.cells.get(number, {})).items()
        }
        if target == number:
            if new:
                found[number] = dict(new)
        else:
            found[target] = {**_moved_row(writing, number, target), **new}
    first_new = area.top + len(stay)
    formulas = _own_formulas(writing)
    for target, values in enumerate(edit.added, start=first_new):
        by_column = _by_column(edit, values)
        found[target] = {
            column: _cell(
                writing,
                target,
                column,
                _style(writing, area.bottom, column),
                by_column.get(column),
                "" if column in by_column else formulas.get(column, ""),
            )
            for column in range(area.left, area.right + 1)
        }
    shift = writing.last_row - area.bottom
    if shift:
        below = range(area.bottom + 1, edit.table.area.bottom + 1)
        for number in below:
            found[number + shift] = {**_moved_row(writing, number, number + shift)}
        end_now, end_before = edit.table.area.bottom + shift, edit.table.area.bottom
        for number in range(end_now + 1, end_before + 1):
            found[number] = dict.fromkeys(range(area.left, area.right + 1))
    if not stay and not edit.added:
        found[area.top] = {
            column: _cell(writing, area.top, column, _style(writing, area.top, column), None)
            for column in range(area.left, area.right + 1)
        }
    return found


def _moved_row(writing: Writing, number: int, target: int) -> dict[int, bytes | None]:
    """The table's cells of a row as they are to stand in another."""
    area = writing.area
    columns: dict[int, bytes | None] = dict.fromkeys(range(area.left, area.right + 1))
    for cell in cells_of(writing.worksheet, number, area.left, area.right):
        columns[cell.column] = moved(writing.worksheet, cell, target)
    return columns


def _by_column(edit: TableEdit, values: Mapping[str, Value]) -> dict[int, Value]:
    return {edit.table.columns[head]: value for head, value in values.items()}


def _cell(
    writing: Writing, row: int, column: int, style: int, value: Value, formula: str = ""
) -> bytes:
    if isinstance(value, str) and is_like_a_formula(value):
        style = writing.looks.quoted(style)
    return cell_xml(writing.worksheet.prefix, row, column, style, value, formula)


def _style(writing: Writing, row: int, column: int) -> int:
    """The look of a cell of the table; that of its column's last cell where it is not there."""
    worksheet = writing.worksheet
    for cell in cells_of(worksheet, row, column, column):
        return worksheet.style(cell)
    return 0 if row == writing.area.bottom else _style(writing, writing.area.bottom, column)


def _own_formulas(writing: Writing) -> dict[int, str]:
    """The formulas that a table fills new rows with, by column, in columns that are not ours."""
    contents, table = writing.contents, writing.edit.table
    ours = set(table.columns.values())
    found: dict[int, str] = {}
    content = contents.package.xml(table.placed.part)
    column = table.area.left - 1
    formula = ""
    with contents.told(table.placed.part):
        # An element ends after those in it: the formula of a column is told before the column.
        for each in elements(content, ("calculatedColumnFormula", "tableColumn")):
            if each.tag.name == "calculatedColumnFormula":
                formula = each.text
                continue
            column += 1
            if formula and column not in ours:
                found[column] = formula
            formula = ""
    return found


def _require_room(writing: Writing) -> None:
    """Raise WorkbookReadError where something stands in the way of new rows."""
    table, area = writing.edit.table, writing.area
    shift = writing.last_row - area.bottom
    if shift <= 0:
        return
    title, name = table.sheet.title, writing.contents.package.name
    wanted = Area(table.area.bottom + 1, area.left, table.area.bottom + shift, area.right)
    needed = one_or_many(
        "the table {table} in {path}, for which {count} more row is needed",
        "the table {table} in {path}, for which {count} more rows are needed",
        shift,
        table=table.placed.name,
        path=name,
        count=str(shift),
    )
    if wanted.bottom > LAST_ROW:
        raise WorkbookReadError(
            Message(
                "The sheet {title} ends below {needed}; move the table up.",
                title=title,
                needed=needed,
            )
        )
    for cell in writing.contents.cells(table.sheet, wanted):
        if writing.worksheet.formula(cell) is not None or writing.contents.value(
            table.sheet, cell
        ) not in (None, ""):
            place = f"{title}!{column_letters(cell.column)}{cell.row}"
            raise WorkbookReadError(
                Message(
                    "{place} stands in the way of {needed}; move it down.",
                    place=place,
                    needed=needed,
                )
            )
    for other in writing.contents.tables.values():
        if other.sheet == title and other.part != table.placed.part and _meets(other, wanted):
            raise WorkbookReadError(
                Message(
                    "The table {name} stands in the way of {needed}; move it.",
                    name=other.name,
                    needed=needed,
                )
            )
    for merged in elements(writing.worksheet.outline, ("mergeCell",)):
        if area_of(merged.attributes.get("ref", "")).meets(wanted):
            place = f"{title}!{merged.attributes.get('ref')}"
            raise WorkbookReadError(
                Message(
                    "The merged cells {place} stand in the way of {needed}; unmerge them.",
                    place=place,
                    needed=needed,
                )
            )
    _require_movable_totals(writing, needed)


def _meets(table: PlacedTable, area: Area) -> bool:
    return area_of(table.cells).meets(area)


def _require_movable_totals(writing: Writing, needed: str) -> None:
    table, area = writing.edit.table, writing.area
    totals = area._replace(top=area.bottom + 1, bottom=table.area.bottom)
    if not table.placed.totals:
        return
    for cell in writing.contents.cells(table.sheet, totals):
        formula = writing.worksheet.formula(cell) or ""
        if has_addresses(formula) or references(formula, table.sheet.title):
            place = f"{table.sheet.title}!{column_letters(cell.column)}{cell.row}"
            raise WorkbookReadError(
                Message(
                    "The formula of {place} in a totals row names cells by address, and would have to "
                    "move with {needed}; write it with the table's columns instead, such as "
                    "SUBTOTAL(109,{name}[Name]).",
                    place=place,
                    needed=needed,
                    name=table.placed.name,
                )
            )


def _outline_edits(
    worksheet: Worksheet, stretches: Sequence[Stretch], last_rows: Sequence[int]
) -> list[Edit]:
    """The edits of what a sheet says beside its rows: its size, and ranges that grow and shrink."""
    outline = worksheet.outline
    skipped = worksheet.data_end - worksheet.data_start
    edits = []
    for each in elements(outline, ("dimension", "sqref", *_WITH_AREAS)):
        tag = each.tag
        if tag.name == "dimension":
            area = area_of(each.attributes.get("ref", "A1"))
            bottom = max(area.bottom, *last_rows)
            if bottom != area.bottom:
                ref = address_of(area._replace(bottom=bottom))
                edits.append(attribute_edit(outline, tag, "ref", ref))
            continue
        is_text = tag.name == "sqref"
        before = each.text if is_text else each.attributes.get("sqref", "")
        after = before
        for stretch in stretches:
            after = stretched_list(after, stretch)
        if after != before and before:
            edits.append(
                text_edit(outline, each, after)
                if is_text
                else attribute_edit(outline, tag, "sqref", after)
            )
    return [
        edit
        if edit.end <= worksheet.data_start
        else Edit(edit.start + skipped, edit.end + skipped, edit.content)
        for edit in edits
    ]
