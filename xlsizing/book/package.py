"""The package pass: what openpyxl cannot write, put into the zip package it saved.

No other module opens the zip. It adds the value of every formula cell, keeps
Excel from flagging calculated columns, orders the children of fonts as the standard
does, and takes out the dates that would make equal workbooks differ.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from posixpath import join, normpath, split

from lxml import etree
from openpyxl.utils.cell import coordinate_from_string
from openpyxl.workbook import Workbook

from xlsizing.book.cells import AltText, PackageNotes, RowBlock, Value
from xlsizing.book.rows import block_xml, cell_value

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
_TERMS = "http://purl.org/dc/terms/"

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
_AFTER_IGNORED_ERRORS = frozenset(
    {
        "smartTags",
        "drawing",
        "legacyDrawing",
        "legacyDrawingHF",
        "picture",
        "oleObjects",
        "controls",
        "webPublishItems",
        "tableParts",
        "extLst",
    }
)
"""What the standard puts after a sheet's ignoredErrors; a sheet with a table has one of them."""

_FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def package(book: Workbook, notes: PackageNotes) -> bytes:
    """The finished workbook as the bytes of an .xlsx file."""
    saved = io.BytesIO()
    book.save(saved)
    finished = io.BytesIO()
    with (
        zipfile.ZipFile(saved) as source,
        zipfile.ZipFile(finished, "w", zipfile.ZIP_DEFLATED) as target,
    ):
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
                content = _without_dates(content)
            entry = zipfile.ZipInfo(part, _FIRST_ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return finished.getvalue()


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
        folder, name = split(part)
        relations = join(folder, "_rels", f"{name}.rels")
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


def _without_dates(content: bytes) -> bytes:
    root = etree.fromstring(content)
    for date in [*root.iter(f"{{{_TERMS}}}created"), *root.iter(f"{{{_TERMS}}}modified")]:
        root.remove(date)
    return _text(root)


def _text(root: "etree._Element") -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
