"""The package pass: what openpyxl cannot write, put into the zip package it saved.

The pass adds the value of every formula cell, keeps Excel from flagging calculated
columns, orders the children of fonts as the standard does, and takes out the dates that
would make equal workbooks differ.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import count
from posixpath import join, normpath, split

from lxml import etree
from openpyxl.utils.cell import coordinate_from_string
from openpyxl.workbook import Workbook

from xlsizing.book.cells import AltText, ExtraPart, PackageNotes, RowBlock
from xlsizing.book.package.structure import relations_part
from xlsizing.book.rows import block_xml, cell_value
from xlsizing.core.planning.cells import Value

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
_TERMS = "http://purl.org/dc/terms/"

_CONTENT_TYPES = "[Content_Types].xml"
_WORKBOOK = "xl/workbook.xml"

_VML = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_VML_RELATION = f"{_OFFICE_RELATIONS}/vmlDrawing"
_VBA = "application/vnd.ms-office.vbaProject"
_VBA_RELATION = "http://schemas.microsoft.com/office/2006/relationships/vbaProject"
_WORKBOOK_WITH_MACROS = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"

_FONT_ORDER = (
    "b",
    "i",
    "strike",
    "condense",
    "extend",
    "outline",
    "shadow",
    "u",
    "vertAlign",
    "sz",
    "color",
    "name",
    "family",
    "charset",
    "scheme",
)
_AFTER_LEGACY_DRAWING = frozenset(
    {
        "legacyDrawingHF",
        "picture",
        "oleObjects",
        "controls",
        "webPublishItems",
        "tableParts",
        "extLst",
    }
)
"""What the standard puts after a sheet's legacyDrawing."""
_AFTER_IGNORED_ERRORS = _AFTER_LEGACY_DRAWING | {"smartTags", "drawing", "legacyDrawing"}
"""What the standard puts after a sheet's ignoredErrors; a sheet with a table has one of them."""

_FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def package(book: Workbook, notes: PackageNotes, made_on: date | None = None) -> bytes:
    """The finished workbook as the bytes of its file, with a date only where one is given."""
    saved = io.BytesIO()
    book.save(saved)
    finished: dict[str, bytes] = {}
    with zipfile.ZipFile(saved) as source:
        sheets = dict(_sheet_parts(source))
        drawings = dict(_drawing_parts(source, sheets))
        for part in source.namelist():
            content = source.read(part)
            if part in sheets:
                title = sheets[part]
                content = _finished_sheet(content, title, notes)
            elif part in drawings:
                content = _with_alt_texts(content, notes.alt_texts[drawings[part]])
            elif part == "xl/styles.xml":
                content = _with_ordered_fonts(content)
            elif part == "docProps/core.xml":
                content = _dated(content, made_on)
            finished[part] = content
        for extra in notes.parts:
            _add_part(finished, extra)
        titled = {title: part for part, title in sheets.items()}
        for number, (title, drawing) in enumerate(notes.legacy_drawings.items(), start=1):
            _add_legacy_drawing(finished, titled[title], f"vmlDrawing{number}.vml", drawing)
    if notes.vba_project is not None:
        _add_vba_project(finished, notes.vba_project)
    return _zipped(finished)


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for part, content in parts.items():
            entry = zipfile.ZipInfo(part, _FIRST_ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return packed.getvalue()


def _add_part(parts: dict[str, bytes], extra: ExtraPart) -> str:
    """Add a part, its content type, and the relation that leads to it; returns the latter's id."""
    assert extra.name not in parts, f"the package has a part {extra.name}"
    parts[extra.name] = extra.content
    _set_type(parts, extra.name, extra.content_type)
    relations = relations_part(extra.source)
    root = (
        etree.fromstring(parts[relations])
        if relations in parts
        else etree.fromstring(f'<Relationships xmlns="{_RELATIONS}"/>')
    )
    taken = {relation.get("Id") for relation in root}
    relation = etree.SubElement(root, f"{{{_RELATIONS}}}Relationship")
    identifier = next(each for each in map("rId{}".format, count(1)) if each not in taken)
    relation.set("Id", identifier)
    relation.set("Type", extra.relation)
    relation.set("Target", f"/{extra.name}")
    parts[relations] = _text(root)
    return identifier


def _set_type(parts: dict[str, bytes], part: str, content_type: str) -> None:
    types = etree.fromstring(parts[_CONTENT_TYPES])
    overrides = {each.get("PartName"): each for each in types.iter(f"{{{_TYPES}}}Override")}
    override = overrides.get(f"/{part}")
    if override is None:
        override = etree.SubElement(types, f"{{{_TYPES}}}Override", PartName=f"/{part}")
    override.set("ContentType", content_type)
    parts[_CONTENT_TYPES] = _text(types)


def _add_legacy_drawing(parts: dict[str, bytes], sheet: str, name: str, drawing: bytes) -> None:
    """Add a sheet's VML drawing, and say in the sheet that it has one."""
    extra = ExtraPart(f"xl/drawings/{name}", drawing, _VML, _VML_RELATION, sheet)
    identifier = _add_part(parts, extra)
    root = etree.fromstring(parts[sheet])
    tag = f"{{{_MAIN}}}legacyDrawing"
    assert root.find(tag) is None, f"{sheet} has a VML drawing already"
    element = etree.Element(tag, nsmap={"r": _OFFICE_RELATIONS})
    element.set(f"{{{_OFFICE_RELATIONS}}}id", identifier)
    later = (child for child in root if etree.QName(child).localname in _AFTER_LEGACY_DRAWING)
    after = next(later, None)
    if after is None:
        root.append(element)
    else:
        after.addprevious(element)
    parts[sheet] = _text(root)


def _add_vba_project(parts: dict[str, bytes], project: bytes) -> None:
    """Add the macros, and say that the workbook has some: an .xlsm and no .xlsx."""
    _add_part(parts, ExtraPart("xl/vbaProject.bin", project, _VBA, _VBA_RELATION, _WORKBOOK))
    _set_type(parts, _WORKBOOK, _WORKBOOK_WITH_MACROS)


def _sheet_parts(source: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Name of each sheet's part, and the sheet's title."""
    relations = etree.fromstring(source.read("xl/_rels/workbook.xml.rels"))
    targets = {
        relation.get("Id"): normpath(join("/xl", relation.get("Target") or "")).lstrip("/")
        for relation in relations.iter(f"{{{_RELATIONS}}}Relationship")
    }
    workbook = etree.fromstring(source.read("xl/workbook.xml"))
    for sheet in workbook.iter(f"{{{_MAIN}}}sheet"):
        yield targets[sheet.get(f"{{{_OFFICE_RELATIONS}}}id")], sheet.get("name") or ""


def _drawing_parts(source: zipfile.ZipFile, sheets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name of the part of each sheet's drawing, and the sheet's title."""
    for part, title in sheets.items():
        folder, _ = split(part)
        relations = relations_part(part)
        if relations in source.namelist():
            for relation in etree.fromstring(source.read(relations)):
                if (relation.get("Type") or "").endswith("/drawing"):
                    yield normpath(join("/", folder, relation.get("Target") or ""))[1:], title


def _with_alt_texts(content: bytes, alt_texts: Sequence[AltText]) -> bytes:
    root = etree.fromstring(content)
    frames = root.iter(f"{{{_DRAWING}}}graphicFrame")
    for frame, (name, text) in zip(frames, alt_texts, strict=True):
        about = next(frame.iter(f"{{{_DRAWING}}}cNvPr"))
        about.set("name", name)
        about.set("descr", text)
    return _text(root)


def _finished_sheet(content: bytes, title: str, notes: PackageNotes) -> bytes:
    root = etree.fromstring(content)
    _put_values(root, notes.values_of(title))
    if columns := notes.calculated_columns.get(title):
        _accept_calculated_columns(root, columns)
    blocks = notes.blocks.get(title, [])
    for block in blocks:
        _make_room(root, block)
    finished = _text(root)
    for block in blocks:
        finished = finished.replace(_place_of(block), block_xml(block).encode(), 1)
    return finished


def _make_room(root: "etree._Element", block: RowBlock) -> None:
    """Put a mark where the block's rows belong, and extend the sheet's dimension over them."""
    rows = {int(row.get("r") or 0): row for row in root.iter(f"{{{_MAIN}}}row")}
    covered = range(block.first_row, block.last_row + 1)
    assert not rows.keys() & set(covered), "another cell of the sheet is in the block's rows"
    rows[block.first_row - 1].addnext(etree.ProcessingInstruction("rows", str(block.first_row)))
    dimension = root.find(f"{{{_MAIN}}}dimension")
    assert dimension is not None
    start, _, end = (dimension.get("ref") or "").partition(":")
    letters, last_row = coordinate_from_string(end or start)
    dimension.set("ref", f"{start}:{letters}{max(last_row, block.last_row)}")


def _place_of(block: RowBlock) -> bytes:
    return f"<?rows {block.first_row}?>".encode()


def _put_values(root: "etree._Element", values: Mapping[str, Value]) -> None:
    for cell in root.iter(f"{{{_MAIN}}}c"):
        # The default type, which some readers take for a zero where the cell is empty.
        if cell.get("t") == "n":
            del cell.attrib["t"]
        if cell.find(f"{{{_MAIN}}}f") is not None:
            _set_value(cell, values[cell.get("r") or ""])


def _accept_calculated_columns(root: "etree._Element", ranges: Sequence[str]) -> None:
    """Tell Excel not to flag that cells spell their column's formula with $B5."""
    ignored = etree.Element(f"{{{_MAIN}}}ignoredErrors")
    etree.SubElement(ignored, f"{{{_MAIN}}}ignoredError", sqref=" ".join(ranges)).set(
        "calculatedColumn", "1"
    )
    after = next(child for child in root if etree.QName(child).localname in _AFTER_IGNORED_ERRORS)
    after.addprevious(ignored)


def _set_value(cell: "etree._Element", value: Value) -> None:
    for old in cell.findall(f"{{{_MAIN}}}v"):
        cell.remove(old)
    kind, text = cell_value(value)
    if kind:
        cell.set("t", kind)
    etree.SubElement(cell, f"{{{_MAIN}}}v").text = text


def _with_ordered_fonts(content: bytes) -> bytes:
    root = etree.fromstring(content)
    for font in root.iter(f"{{{_MAIN}}}font"):
        children = list(font)
        children.sort(key=lambda child: _FONT_ORDER.index(etree.QName(child).localname))
        font[:] = children
    return _text(root)


def _dated(content: bytes, made_on: date | None) -> bytes:
    root = etree.fromstring(content)
    for moment in [*root.iter(f"{{{_TERMS}}}created"), *root.iter(f"{{{_TERMS}}}modified")]:
        if made_on is None:
            root.remove(moment)
        else:
            moment.text = f"{made_on.isoformat()}T00:00:00Z"
    return _text(root)


def _text(root: "etree._Element") -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
