"""A package taken apart, changed at the level of its parts, and packed again.

The tests put things into workbooks that no library of ours can write. Nothing here is
taken from the code under test, so that a fault of its package pass does not hide itself.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from posixpath import dirname, join, normpath, relpath, split

from lxml import etree

from tests.book.rules import Area, area, letters

Element = etree._Element
Value = str | float | None

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"

CONTENT_TYPES = "[Content_Types].xml"
WORKBOOK = "xl/workbook.xml"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
TABLE_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.table+xml"

_DATE = (1980, 1, 1, 0, 0, 0)

_IN_A_SHEET = (
    "sheetPr dimension sheetViews sheetFormatPr cols sheetData sheetCalcPr sheetProtection "
    "protectedRanges scenarios autoFilter sortState dataConsolidate customSheetViews mergeCells "
    "phoneticPr conditionalFormatting dataValidations hyperlinks printOptions pageMargins "
    "pageSetup headerFooter rowBreaks colBreaks customProperties cellWatches ignoredErrors "
    "smartTags drawing legacyDrawing legacyDrawingHF drawingHF picture oleObjects controls "
    "webPublishItems tableParts extLst"
)
_IN_THE_WORKBOOK = (
    "fileVersion fileSharing workbookPr workbookProtection bookViews sheets functionGroups "
    "externalReferences definedNames calcPr oleSize customWorkbookViews pivotCaches smartTagPr "
    "smartTagTypes webPublishing fileRecoveryPr webPublishObjects extLst"
)
_ORDERS = {"worksheet": _IN_A_SHEET.split(), "workbook": _IN_THE_WORKBOOK.split()}
"""The order that the standard puts children in, by the root element."""


def tag(name: str, space: str = MAIN) -> str:
    """A tag as lxml spells it."""
    return f"{{{space}}}{name}"


def local(element: Element) -> str:
    """A tag without its namespace."""
    return etree.QName(element).localname


def text(root: Element) -> bytes:
    """An element as the content of a part."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def read_parts(content: bytes) -> dict[str, bytes]:
    """The parts of a package in their order; folders that a zip names are none."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {
            entry.filename: package.read(entry)
            for entry in package.infolist()
            if not entry.is_dir()
        }


@dataclass(frozen=True)
class Formula:
    """A formula of a cell and the value that is stored with it."""

    text: str
    value: str | float


@dataclass(frozen=True)
class TableCells:
    """Where a table stands, and what is in it."""

    sheet: str
    """The part of its sheet."""
    covered: Area
    heads: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def column(self, head: str) -> list[Value]:
        """What a column shows, from its first row to its last."""
        return [row[self.heads.index(head)] for row in self.rows]

    def cells(self, head: str) -> str:
        """The absolute address of a column's rows, such as $A$5:$A$15."""
        column = letters(self.covered.left + self.heads.index(head))
        return f"${column}${self.covered.top + 1}:${column}${self.covered.bottom}"


class Package:
    """The parts of a workbook; changed in place.

    Parameters
    ----------
    content : the bytes of the workbook.
    """

    def __init__(self, content: bytes) -> None:
        self.parts = read_parts(content)

    def packed(self) -> bytes:
        """The bytes of the workbook as it is now."""
        saved = io.BytesIO()
        with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as target:
            for part, content in self.parts.items():
                entry = zipfile.ZipInfo(part, _DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(entry, content)
        return saved.getvalue()

    def root(self, part: str) -> Element:
        """The root element of a part; `save` puts it back."""
        return etree.fromstring(self.parts[part])

    def save(self, part: str, root: Element) -> None:
        """Make an element the content of a part."""
        self.parts[part] = text(root)

    def free(self, pattern: str) -> str:
        """The first name after a pattern such as xl/tables/table{}.xml that no part has."""
        return next(name for name in map(pattern.format, count(1)) if name not in self.parts)

    def add(self, part: str, content: bytes, content_type: str, source: str, relation: str) -> str:
        """Add a part with its content type, and the relation that leads to it.

        Parameters
        ----------
        part : its name.
        content : what it holds.
        content_type : for it alone, or for its extension where it begins with "Default:".
        source : the part that leads to it; empty for the package.
        relation : the type of the relation.

        Returns
        -------
        The id of the relation.
        """
        assert part not in self.parts, f"there is a part {part}"
        self.parts[part] = content
        types = self.root(CONTENT_TYPES)
        if content_type.startswith("Default:"):
            extension = part.rpartition(".")[2]
            if not any(each.get("Extension") == extension for each in types):
                of_extension = etree.Element(tag("Default", TYPES), Extension=extension)
                of_extension.set("ContentType", content_type.removeprefix("Default:"))
                types.insert(0, of_extension)
        else:
            override = etree.SubElement(types, tag("Override", TYPES), PartName=f"/{part}")
            override.set("ContentType", content_type)
        self.save(CONTENT_TYPES, types)
        return self.relate(source, part, relation)

    def relate(self, source: str, part: str, relation: str) -> str:
        """Add a relation from a part to another, and return its id."""
        folder, name = split(source)
        relations = join(folder, "_rels", f"{name}.rels")
        if relations not in self.parts:
            self.parts[relations] = f'<Relationships xmlns="{RELATIONS}"/>'.encode()
        root = self.root(relations)
        taken = {each.get("Id") for each in root}
        identifier = next(each for each in map("rId{}".format, count(1)) if each not in taken)
        etree.SubElement(
            root,
            tag("Relationship", RELATIONS),
            Id=identifier,
            Type=relation,
            Target=relpath(f"/{part}", f"/{folder}"),
        )
        self.save(relations, root)
        return identifier

    def related(self, source: str) -> dict[str, str]:
        """The parts that a part leads to, by the id of the relation."""
        folder, name = split(source)
        relations = join(folder, "_rels", f"{name}.rels")
        if relations not in self.parts:
            return {}
        return {
            each.get("Id") or "": normpath(join("/", folder, each.get("Target") or ""))[1:]
            for each in self.root(relations)
            if each.get("TargetMode") != "External"
        }

    def sheets(self) -> dict[str, str]:
        """The part of each sheet, by its title, in their order."""
        targets = self.related(WORKBOOK)
        return {
            sheet.get("name") or "": targets[sheet.get(tag("id", OFFICE)) or ""]
            for sheet in self.root(WORKBOOK).iter(tag("sheet"))
        }

    def table(self, name: str) -> str:
        """The part of a table."""
        for part in self.table_parts():
            if self.root(part).get("displayName") == name:
                return part
        raise KeyError(name)

    def table_parts(self) -> Iterator[str]:
        """The parts that are tables."""
        yield from (part for part in self.parts if dirname(part) == "xl/tables")

    def insert(self, part: str, xml: str) -> None:
        """Put an element into a sheet or the workbook, where the standard has its place."""
        root = self.root(part)
        order = _ORDERS[local(root)]
        element = etree.fromstring(xml)
        later = order[order.index(local(element)) + 1 :]
        after = next((child for child in root if local(child) in later), None)
        if after is None:
            root.append(element)
        else:
            after.addprevious(element)
        self.save(part, root)

    def extend(self, part: str, extension: str) -> None:
        """Put an ext element into the list of extensions of a sheet, the workbook or a table."""
        root = self.root(part)
        extensions = root.find(tag("extLst"))
        if extensions is None:
            extensions = etree.SubElement(root, tag("extLst"))
        extensions.append(etree.fromstring(extension))
        self.save(part, root)

    def add_sheet(self, title: str, sheet: bytes) -> str:
        """Add a sheet at the end of the workbook and return its part."""
        part = self.free("xl/worksheets/sheet{}.xml")
        identifier = self.add(part, sheet, SHEET_TYPE, WORKBOOK, f"{OFFICE}/worksheet")
        root = self.root(WORKBOOK)
        sheets = root.find(tag("sheets"))
        assert sheets is not None
        number = 1 + max(int(sheet.get("sheetId") or 0) for sheet in sheets)
        sheet_element = etree.SubElement(sheets, tag("sheet"), name=title, sheetId=str(number))
        sheet_element.set(tag("id", OFFICE), identifier)
        self.save(WORKBOOK, root)
        return part

    def define(self, name: str, cells: str) -> None:
        """Add a name for cells."""
        root = self.root(WORKBOOK)
        names = root.find(tag("definedNames"))
        if names is None:
            self.insert(WORKBOOK, f'<definedNames xmlns="{MAIN}"/>')
            root = self.root(WORKBOOK)
            names = root.find(tag("definedNames"))
        assert names is not None
        etree.SubElement(names, tag("definedName"), name=name).text = cells
        self.save(WORKBOOK, root)

    def values(self, sheet: str) -> dict[str, Value]:
        """What the cells of a sheet's part show, by their addresses; empty ones are left out."""
        shared = []
        if "xl/sharedStrings.xml" in self.parts:
            items = self.root("xl/sharedStrings.xml").iter(tag("si"))
            shared = ["".join(each.text or "" for each in item.iter(tag("t"))) for item in items]
        found: dict[str, Value] = {}
        for cell in self.root(sheet).iter(tag("c")):
            kind, stored = cell.get("t"), cell.findtext(tag("v"))
            if kind == "inlineStr":
                value: Value = "".join(each.text or "" for each in cell.iter(tag("t")))
            elif stored is None:
                continue
            elif kind == "s":
                value = shared[int(stored)]
            else:
                value = stored if kind in ("str", "e", "b") else float(stored)
            if value != "":
                found[cell.get("r") or ""] = value
        return found

    def table_cells(self, name: str) -> TableCells:
        """Where a table of no totals stands, and what is in it."""
        part = self.table(name)
        sheet = next(each for each in self.sheets().values() if part in self.related(each).values())
        covered, shown = area(self.root(part).get("ref")), self.values(sheet)
        assert covered is not None
        rows = [
            tuple(shown.get(f"{letters(column)}{row}") for column in _span(covered))
            for row in range(covered.top, covered.bottom + 1)
        ]
        return TableCells(sheet, covered, tuple(map(str, rows[0])), tuple(rows[1:]))

    def write(self, sheet: str, cells: Mapping[str, Value | Formula]) -> None:
        """Put values and formulas into cells of a sheet's part, in the style that they have."""
        root = self.root(sheet)
        data = root.find(tag("sheetData"))
        assert data is not None
        rows = {int(row.get("r") or 0): row for row in data}
        for address, value in cells.items():
            place = area(address)
            assert place is not None
            if place.top not in rows:
                rows[place.top] = etree.Element(tag("row"), r=str(place.top))
            row = rows[place.top]
            # Spans are a hint to readers, and would be wrong.
            if "spans" in row.attrib:
                del row.attrib["spans"]
            old = next((cell for cell in row if cell.get("r") == address), None)
            style = None if old is None else old.get("s")
            if old is not None:
                row.remove(old)
            row.append(_cell(address, value, style))
            row[:] = sorted(row, key=lambda cell: _column(cell.get("r")))
        data[:] = [rows[number] for number in sorted(rows)]
        _fit_dimension(root)
        self.save(sheet, root)


def _span(covered: Area) -> range:
    return range(covered.left, covered.right + 1)


def _column(address: str | None) -> int:
    place = area(address)
    assert place is not None
    return place.left


def _cell(address: str, value: Value | Formula, style: str | None) -> Element:
    cell = etree.Element(tag("c"), r=address)
    if style is not None:
        cell.set("s", style)
    if isinstance(value, Formula):
        etree.SubElement(cell, tag("f")).text = value.text
        value = value.value
        if isinstance(value, str):
            cell.set("t", "str")
        etree.SubElement(cell, tag("v")).text = (
            f"{value:.17g}" if isinstance(value, float) else f"{value}"
        )
    elif isinstance(value, str):
        cell.set("t", "inlineStr")
        etree.SubElement(etree.SubElement(cell, tag("is")), tag("t")).text = value
    elif value is not None:
        etree.SubElement(cell, tag("v")).text = f"{value:.17g}"
    return cell


def _fit_dimension(root: Element) -> None:
    dimension = root.find(tag("dimension"))
    places = [place for cell in root.iter(tag("c")) if (place := area(cell.get("r")))]
    if dimension is not None and places:
        right, bottom = max(each.left for each in places), max(each.top for each in places)
        dimension.set("ref", f"A1:{letters(right)}{bottom}")
