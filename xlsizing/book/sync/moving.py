"""Whether rows of a table may move: not where something else knows them by their address.

A spreadsheet program that deletes a row changes every reference to those below. A sync
leaves all other parts alone, so it moves rows only where nobody refers to them so.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from xlsizing.book.catalog_columns import KINDS
from xlsizing.book.contents import Contents
from xlsizing.book.package.xml import elements, in_text, plain_text
from xlsizing.book.sync.changes import TableEdit
from xlsizing.book.sync.edits import own_references
from xlsizing.book.sync.ranges import references
from xlsizing.book.worksheet import LAST_COLUMN, LAST_ROW, Area, area_of, column_letters
from xlsizing.core.message import Message

_OVERLAP = 400
"""Bytes before a mention of cells, in the chunk or the one before, that are looked at with it."""
_CELL = re.compile(rb"<(?:[\w.-]+:)?c\s[^>]*?\br=[\"']([A-Z]{1,3}[0-9]{1,7})[\"']")
_ATTACHED: Mapping[str, Message] = {
    "hyperlink": Message("a link is attached to {cell}"),
    "mergeCell": Message("a merged cell is attached to {cell}"),
}
"""What is said of an element that is attached to cells."""
_HOLDS_FORMULAS = re.compile(r"xl/(worksheets|charts)/[^/]+\.xml$")
_BY_AREAS = ("conditionalFormatting", "dataValidation", "sqref")
_MAY_REFER = re.compile(
    r"xl/(worksheets|chartsheets|dialogsheets|charts|drawings|ctrlProps)/(_rels/)?[^/]+\.(xml|vml|rels)$"
)
"""Parts in which cells of another sheet can be named by address."""


def hindrance(contents: Contents, edit: TableEdit) -> str:
    """Why the rows that an edit takes out of a table must stay; empty where they may go.

    Parameters
    ----------
    contents : the workbook.
    edit : what is to be written into a table; rows below the first that goes would move.
    """
    if not edit.removed:
        return ""
    moving = edit.table.area._replace(top=min(edit.removed))
    return next(_hindrances(contents, edit, moving), "")


def totals_hindrance(contents: Contents, edit: TableEdit) -> str:
    """Why a table's rows of totals must stay where they are; empty where they may move.

    Parameters
    ----------
    contents : the workbook.
    edit : what is to be written into the table; where it grows, its totals would move.
    """
    table = edit.table
    if not table.placed.totals or len(edit.added) == len(edit.removed):
        return ""
    moving = table.area._replace(top=table.body.bottom + 1)
    return next(_hindrances(contents, edit, moving, above=False), "")


def _hindrances(
    contents: Contents, edit: TableEdit, moving: Area, *, above: bool = True
) -> Iterator[Message]:
    """Why cells must stay; `above` where they are all of the table from a row on."""
    title, whole = edit.table.sheet.title, edit.table.body
    yield from _on_the_sheet(contents, edit, moving)
    yield from _attached(contents, edit, moving)
    if above:
        yield from _beside(contents, edit, moving)
        yield from _alone(contents, edit, moving)
    lists = {kind.list_name.lower() for kind in KINDS}
    for name, text in _names(contents):
        # Our lists of names go with their tables, wherever a program let them end.
        is_ours = name.lower() in lists
        if not is_ours and _names_some(references(text, title), moving, whole):
            yield Message("the name {name} refers to them by address", name=name)
    for part in contents.package.parts:
        is_pivot = re.match(r"xl/pivotCache/pivotCacheDefinition[^/]*\.xml$", part)
        if is_pivot and _names_some(_drawn_from(contents, part, title), moving, whole):
            yield Message("the pivot table of {part} refers to them by address", part=part)
    for part in contents.package.parts:
        if part != edit.table.sheet.part and _MAY_REFER.match(part):
            for text, place in _mentions(contents, part, title):
                if _names_some(references(text, title), moving, whole):
                    yield Message("{place} refers to them by address", place=place)


def _on_the_sheet(contents: Contents, edit: TableEdit, moving: Area) -> Iterator[Message]:
    """Formulas of the sheet itself that name cells by address."""
    worksheet, sheet = contents.worksheet(edit.table.sheet), edit.table.sheet
    if b"<%bf" % worksheet.prefix not in worksheet.content:
        return
    for cell in contents.cells(sheet, Area(1, 1, LAST_ROW, LAST_COLUMN)):
        formula = worksheet.formula(cell)
        if formula is None:
            continue
        is_moving = moving.holds(cell.row, cell.column)
        named = [*own_references(formula), *references(formula, sheet.title)]
        # A formula without a text is one of several that share it, by where they stand.
        is_by_place = not formula or bool(own_references(formula))
        if (is_moving and is_by_place) or _names_some(named, moving, edit.table.body):
            place = f"{sheet.title}!{column_letters(cell.column)}{cell.row}"
            yield Message("the formula of {place} names cells by address", place=place)


def _names(contents: Contents) -> Iterator[tuple[str, str]]:
    """The defined names that people gave, those of one sheet alone too, and what they stand for."""
    structure = contents.structure
    for each in structure.elements(structure.workbook, "definedName"):
        name = each.attributes.get("name", "")
        if not name.lower().startswith("_xlnm."):
            yield name, each.text


def _drawn_from(contents: Contents, part: str, title: str) -> list[Area]:
    """The cells of a sheet that a pivot table is made from."""
    found = contents.structure.elements(part, "worksheetSource")
    with contents.told(part):
        return [
            area_of(each.attributes["ref"])
            for each in found
            if "ref" in each.attributes
            and each.attributes.get("sheet", "").lower() == title.lower()
        ]


def _beside(contents: Contents, edit: TableEdit, moving: Area) -> Iterator[Message]:
    """What somebody typed beside the rows, in no table: it would come to stand beside others."""
    sheet = edit.table.sheet
    tables = [area_of(each.cells) for each in contents.tables.values() if each.sheet == sheet.title]
    for cell in contents.cells(sheet, moving._replace(left=1, right=LAST_COLUMN)):
        is_in_table = any(area.holds(cell.row, cell.column) for area in tables)
        if not is_in_table and contents.value(sheet, cell) not in (None, ""):
            place = f"{sheet.title}!{column_letters(cell.column)}{cell.row}"
            yield Message("what is in {place} stands beside them", place=place)


def _alone(contents: Contents, edit: TableEdit, moving: Area) -> Iterator[Message]:
    """What is said of some of the rows alone: colours, checks, that they are hidden."""
    sheet = edit.table.sheet
    worksheet = contents.worksheet(sheet)
    with contents.told(sheet.part):
        for each in elements(worksheet.outline, _BY_AREAS):
            listed = each.text if each.tag.name == "sqref" else each.attributes.get("sqref", "")
            areas = list(map(area_of, listed.split()))
            if _names_some(areas, moving, edit.table.body):
                yield Message(
                    "a colour or check of {cells} is for some of them alone",
                    cells=f"{sheet.title}!{listed}",
                )
        for row in worksheet.rows.values():
            if moving.top <= row.number <= moving.bottom and worksheet.is_hidden(row):
                yield Message(
                    "row {number} of {sheet} is hidden", number=str(row.number), sheet=sheet.title
                )


def _attached(contents: Contents, edit: TableEdit, moving: Area) -> Iterator[Message]:
    """What is attached to cells that would move: comments, links."""
    sheet, structure = edit.table.sheet, contents.structure
    worksheet = contents.worksheet(sheet)
    with contents.told(sheet.part):
        for each in elements(worksheet.outline, tuple(_ATTACHED)):
            area = area_of(each.attributes.get("ref", "A1"))
            if area.meets(moving):
                yield _ATTACHED[each.tag.name].filled(cell=f"{sheet.title}!{_first(area)}")
    for kind, element in (("comments", "comment"), ("threadedComment", "threadedComment")):
        for part in structure.targets(sheet.part, kind):
            for each in structure.elements(part, element):
                with contents.told(part):
                    area = area_of(each.attributes.get("ref", ""))
                if area.meets(moving):
                    yield Message(
                        "a comment is attached to {cell}", cell=f"{sheet.title}!{_first(area)}"
                    )


def _first(area: Area) -> str:
    return f"{column_letters(area.left)}{area.top}"


def _names_some(areas: Iterable[Area], moving: Area, whole: Area) -> bool:
    """Whether one of the areas has cells that would move, and not all rows of the table."""
    return any(
        area.meets(moving) and not (area.top <= whole.top and area.bottom >= whole.bottom)
        for area in areas
    )


def _mentions(contents: Contents, part: str, title: str) -> Iterator[tuple[str, str]]:
    """Texts of a part around each mention of a sheet's title, and where they stand."""
    named = re.escape(in_text(title)).replace("'", "(?:'|&apos;|&#39;){2}")
    signs = re.compile(f"(?i:{named})(?:'|&apos;|&#39;)?!".encode())
    where = next((s.title for s in contents.structure.sheets if s.part == part), part)
    before = b""
    for chunk in contents.package.chunks(part):
        text = before + chunk
        # Looked for by itself first, since most parts name no other sheet.
        for mention in signs.finditer(text) if b"!" in text else ():
            around = text[max(0, mention.start() - 80) : mention.end() + 80]
            start = mention.start()
            cell = _CELL.match(text, max(0, text.rfind(b"<c ", max(0, start - _OVERLAP), start)))
            text_around = _text(around)
            if not _HOLDS_FORMULAS.match(part):
                # There an address stands in an attribute, and may be that of a link.
                text_around = text_around.replace('"', " ").replace("#", " ")
            yield text_around, f"{where}!{cell[1].decode()}" if cell else where
        before = text[-_OVERLAP:]


def _text(written: bytes) -> str:
    """The text of bytes that may begin or end in the middle of a character."""
    return plain_text(written.decode("utf-8", "ignore").encode())
