"""Whether rows of a table may move: not where something else knows them by their address.

A spreadsheet program that deletes a row changes every reference to those below. A sync
leaves all other parts alone, so it moves rows only where nobody refers to them so.
"""

import re
from collections.abc import Iterable, Iterator

from xlsizing.book.contents import Contents
from xlsizing.book.package.xml import elements, in_text, plain_text
from xlsizing.book.sync.changes import TableEdit
from xlsizing.book.sync.edits import own_references
from xlsizing.book.sync.ranges import references
from xlsizing.book.worksheet import Area, area_of, column_letters

_OVERLAP = 400
"""Bytes before a mention of cells, in the chunk or the one before, that are looked at with it."""
_CELL = re.compile(rb"<(?:[\w.-]+:)?c\s[^>]*?\br=[\"']([A-Z]{1,3}[0-9]{1,7})[\"']")
_ATTACHED = ("hyperlink", "mergeCell")


def hindrance(contents: Contents, edit: TableEdit) -> str:
    """Why the rows that an edit takes out of a table must stay; empty where they may go.

    Parameters
    ----------
    contents : the workbook.
    edit : what is to be written into a table; rows below the first that goes would move.
    """
    if not edit.removed:
        return ""
    table = edit.table
    moving = table.area._replace(top=min(edit.removed))
    return next(_hindrances(contents, edit, moving), "")


def _hindrances(contents: Contents, edit: TableEdit, moving: Area) -> Iterator[str]:
    yield from _on_the_sheet(contents, edit, moving)
    yield from _attached(contents, edit, moving)
    title, whole = edit.table.sheet.title, edit.table.body
    for name, text in _names(contents):
        if _names_some(references(text, title), moving, whole):
            yield f"the name {name} refers to them by address"
    for part in contents.package.parts:
        is_pivot = re.match(r"xl/pivotCache/pivotCacheDefinition[^/]*\.xml$", part)
        if is_pivot and _names_some(_drawn_from(contents, part, title), moving, whole):
            yield f"the pivot table of {part} refers to them by address"
    for part in contents.package.parts:
        if part != edit.table.sheet.part and re.match(r"xl/(worksheets|charts)/[^/]+\.xml$", part):
            for text, place in _mentions(contents, part, title):
                if _names_some(references(text, title), moving, whole):
                    yield f"{place} refers to them by address"


def _on_the_sheet(contents: Contents, edit: TableEdit, moving: Area) -> Iterator[str]:
    """Formulas of the sheet itself that name cells by address."""
    worksheet, sheet = contents.worksheet(edit.table.sheet), edit.table.sheet
    if b"<%bf" % worksheet.prefix not in worksheet.content:
        return
    for cell in contents.cells(sheet, Area(1, 1, 2**21, 2**15)):
        formula = worksheet.formula(cell)
        if formula is None:
            continue
        is_moving = moving.holds(cell.row, cell.column)
        named = [*own_references(formula), *references(formula, sheet.title)]
        # A formula without a text is one of several that share it, by where they stand.
        is_by_place = not formula or bool(own_references(formula))
        if (is_moving and is_by_place) or _names_some(named, moving, edit.table.body):
            place = f"{sheet.title}!{column_letters(cell.column)}{cell.row}"
            yield f"the formula of {place} names cells by address"


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


def _attached(contents: Contents, edit: TableEdit, moving: Area) -> Iterator[str]:
    """What is attached to cells that would move: comments, links."""
    sheet, structure = edit.table.sheet, contents.structure
    worksheet = contents.worksheet(sheet)
    outline = worksheet.content[: worksheet.data_start] + worksheet.content[worksheet.data_end :]
    with contents.told(sheet.part):
        for each in elements(outline, _ATTACHED):
            area = area_of(each.attributes.get("ref", "A1"))
            if area.meets(moving):
                yield f"a {_WORDS[each.tag.name]} is attached to {sheet.title}!{_first(area)}"
    for kind, element in (("comments", "comment"), ("threadedComment", "threadedComment")):
        for part in structure.targets(sheet.part, kind):
            for each in structure.elements(part, element):
                with contents.told(part):
                    area = area_of(each.attributes.get("ref", ""))
                if area.meets(moving):
                    yield f"a comment is attached to {sheet.title}!{_first(area)}"


_WORDS = {"hyperlink": "link", "mergeCell": "merged cell"}


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
    named = in_text(title).encode()
    signs = re.compile(b"(?i:%b)(?:'|&apos;)?!" % re.escape(named))
    where = next((s.title for s in contents.structure.sheets if s.part == part), part)
    before = b""
    for chunk in contents.package.chunks(part):
        text = before + chunk
        # Looked for by itself first, since most parts name no other sheet.
        for mention in signs.finditer(text) if b"!" in text else ():
            around = text[max(0, mention.start() - 80) : mention.end() + 80]
            start = mention.start()
            cell = _CELL.match(text, max(0, text.rfind(b"<c ", max(0, start - _OVERLAP), start)))
            yield _text(around), f"{where}!{cell[1].decode()}" if cell else where
        before = text[-_OVERLAP:]


def _text(written: bytes) -> str:
    """The text of bytes that may begin or end in the middle of a character."""
    return plain_text(written.decode("utf-8", "ignore").encode())
