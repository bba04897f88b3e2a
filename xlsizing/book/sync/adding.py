"""Adding the catalog sheets to a workbook that has none, so that it can be synced from then on."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import count
from typing import NamedTuple

from xlsizing.book.contents import Contents
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.package.opened import CONTENT_TYPES, Package, package_of
from xlsizing.book.package.structure import Structure, relations_part
from xlsizing.book.package.xml import (
    Edit,
    Element,
    append_edit,
    attribute_edit,
    edited,
    elements,
    in_attribute,
    in_text,
)
from xlsizing.core import Catalogs
from xlsizing.core.message import Message

_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_TABLE_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.table+xml"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STYLE = re.compile(rb'(<c\b[^>]*?\ss=")([0-9]+)(")')
_RULES = re.compile(rb"<conditionalFormatting\b.*?</conditionalFormatting>", re.DOTALL)
_LISTS = ("fonts", "fills", "borders")
_FIRST_OWN_FORMAT = 164
"""Number formats below it are built in."""


class AddedSheets(NamedTuple):
    """The sheets that a workbook lacks, and the parts that adding them changes."""

    titles: Sequence[str]
    parts: Mapping[str, bytes]


def added_sheets(contents: Contents, catalogs: Catalogs) -> AddedSheets:
    """The catalog sheets for a workbook that has no catalog tables.

    They are those of our own workbooks, but for the colours of wrong figures: those need
    constants that a planning workbook has.

    Raises
    ------
    WorkbookReadError : a sheet, table or name of the workbook has a name that they need, or it
        is in a dialect of the format that they are not written in.
    """
    return _Adding(contents, catalogs).added()


class _Adding:
    def __init__(self, contents: Contents, catalogs: Catalogs) -> None:
        self.contents = contents
        self.structure = contents.structure
        self.source = Structure(_catalog_package(catalogs))
        self.parts: dict[str, bytes] = {}
        self._require_free()

    def added(self) -> AddedSheets:
        """The sheets, and the parts that adding them changes."""
        titles = [sheet.title for sheet in self.source.sheets]
        offsets = self._write_styles()
        identifiers = count(self._largest_table_id() + 1)
        placed: list[tuple[str, str]] = []
        types: list[tuple[str, str]] = []
        for sheet in self.source.sheets:
            part = self._free("xl/worksheets/sheet{}.xml")
            tables = self.source.targets(sheet.part, "table")
            self.parts[part] = _sheet(self.source.package.read(sheet.part), offsets)
            types.append((part, _SHEET_TYPE))
            relations = []
            identified = {
                each.target: each.identifier for each in self.source.relations(sheet.part)
            }
            for table in tables:
                own = self._free("xl/tables/table{}.xml")
                content = self.source.package.read(table)
                root = elements(content, ("table",))[-1]
                edit = attribute_edit(content, root.tag, "id", str(next(identifiers)))
                self.parts[own] = edited(content, [edit])
                types.append((own, _TABLE_TYPE))
                relations.append((identified[table], "table", f"/{own}"))
            self.parts[relations_part(part)] = _relations(relations)
            placed.append((sheet.title, part))
        self._write_types(types)
        self._write_workbook(placed)
        return AddedSheets(titles, self.parts)

    def _require_free(self) -> None:
        """Raise WorkbookReadError where a name is taken, or the workbook is in another dialect."""
        name = self.contents.package.name
        workbook = self.contents.package.xml(self.structure.workbook)
        if b"http://purl.oclc.org/ooxml/" in workbook:
            raise WorkbookReadError(
                Message(
                    "{name} is a Strict Open XML Spreadsheet, to which sheets cannot be added here; save "
                    "it as an Excel Workbook (.xlsx).",
                    name=name,
                )
            )
        titles = {sheet.title for sheet in self.source.sheets}
        tables = {table.name for table in self.source.tables}
        all_titles = [
            each.attributes.get("name", "")
            for each in self.structure.elements(self.structure.workbook, "sheet")
        ]
        for kind, wanted, taken in (
            (Message("a sheet {name}"), titles, all_titles),
            (Message("a table {name}"), tables, self.contents.tables),
            (Message("a name {name}"), {*self._lists, *tables}, self.contents.names),
        ):
            own = {each.lower() for each in taken}
            for each in sorted(wanted):
                if each.lower() in own:
                    raise WorkbookReadError(
                        Message(
                            "{path} has {what} of its own, which the catalogs would need; give "
                            "that another name.",
                            path=name,
                            what=kind.filled(name=each),
                        )
                    )

    @cached_property
    def _lists(self) -> dict[str, str]:
        """The names of the lists of entries, and what they stand for."""
        found = self.source.elements(self.source.workbook, "definedName")
        return {
            each.attributes["name"]: each.text
            for each in found
            if "localSheetId" not in each.attributes
        }

    def _largest_table_id(self) -> int:
        found = [
            int(each.attributes.get("id", "0"))
            for table in self.structure.tables
            for each in self.structure.elements(table.part, "table")
            if each.attributes.get("id", "0").isdecimal()
        ]
        return max(found, default=0)

    def _free(self, pattern: str) -> str:
        """A part's name that is not taken yet."""
        package = self.contents.package
        names = map(pattern.format, count(1))
        return next(name for name in names if not package.has(name) and name not in self.parts)

    def _write_types(self, types: Sequence[tuple[str, str]]) -> None:
        content = self.contents.package.xml(CONTENT_TYPES)
        root = elements(content, ("Types",))[-1]
        prefix = root.tag.prefix
        more = "".join(
            f'<{prefix}Override PartName="/{part}" ContentType="{kind}"/>' for part, kind in types
        )
        self.parts[CONTENT_TYPES] = edited(content, [append_edit(content, root, more.encode())])

    def _write_workbook(self, placed: Sequence[tuple[str, str]]) -> None:
        """List the sheets, relate them and define their names."""
        part = self.structure.workbook
        related = relations_part(part)
        relations = self.contents.package.xml(related)
        root = elements(relations, ("Relationships",))[-1]
        taken = {each.identifier for each in self.structure.relations(part)}
        free = (name for name in map("rId{}".format, count(1)) if name not in taken)
        identified = [(next(free), title, target) for title, target in placed]
        more = "".join(
            f'<{root.tag.prefix}Relationship Id="{identifier}" Type="{_OFFICE}/worksheet" '
            f'Target="/{target}"/>'
            for identifier, _, target in identified
        )
        self.parts[related] = edited(relations, [append_edit(relations, root, more.encode())])
        content = self.contents.package.xml(part)
        found = elements(content, ("sheets", "sheet", "definedNames", *_BEFORE_NAMES))
        by_name = {each.tag.name: each for each in found}
        sheets = by_name["sheets"]
        ids = count(1 + max(_sheet_ids(found), default=0))
        listed = "".join(
            f'<{sheets.tag.prefix}sheet name="{in_attribute(title)}" sheetId="{next(ids)}" '
            f'xmlns:xlsizing="{_OFFICE}" xlsizing:id="{identifier}"/>'
            for identifier, title, _ in identified
        )
        names = "".join(
            f'<{sheets.tag.prefix}definedName name="{name}">{in_text(cells)}'
            f"</{sheets.tag.prefix}definedName>"
            for name, cells in self._lists.items()
        )
        edits = [append_edit(content, sheets, listed.encode())]
        if "definedNames" in by_name:
            edits.append(append_edit(content, by_name["definedNames"], names.encode()))
        else:
            at = max(by_name[name].end for name in ("sheets", *_BEFORE_NAMES) if name in by_name)
            names = f"<{sheets.tag.prefix}definedNames>{names}</{sheets.tag.prefix}definedNames>"
            edits.append(Edit(at, at, names.encode()))
        self.parts[part] = edited(content, edits)

    def _write_styles(self) -> dict[int, int]:
        """Add the looks of the sheets; returns the number of each there, by that here."""
        structure = self.structure
        [part] = structure.targets(structure.workbook, "styles")[:1] or [""]
        if not part:
            return {}
        mine = self.source.package.read(self.source.targets(self.source.workbook, "styles")[0])
        theirs = self.contents.package.xml(part)
        here, there = _lists_of(mine), _lists_of(theirs)
        edits: list[Edit] = []
        offsets = {name: len(there[name].items) for name in _LISTS}
        for name in _LISTS:
            raw = [_raw(mine, item) for item in here[name].items]
            edits += there[name].appended(theirs, raw)
        formats = self._formats(here, there)
        edits += _format_edits(theirs, there, mine, here, formats)
        looks = [_look(mine, each, offsets, formats) for each in here["cellXfs"].items]
        first = len(there["cellXfs"].items)
        edits += there["cellXfs"].appended(theirs, looks)
        self.parts[part] = edited(theirs, edits)
        return {number: first + number for number in range(len(looks))}

    def _formats(self, here: "Mapping[str, _List]", there: "Mapping[str, _List]") -> dict[str, str]:
        """A free number for each number format of ours, by the number that it has here."""
        taken = {each.attributes.get("numFmtId") for each in there["numFmts"].items}
        free = (str(n) for n in count(_FIRST_OWN_FORMAT) if str(n) not in taken)
        return {each.attributes["numFmtId"]: next(free) for each in here["numFmts"].items}


_BEFORE_NAMES = ("functionGroups", "externalReferences")
"""What the standard puts between a workbook's sheets and its names."""


def _catalog_package(catalogs: Catalogs) -> Package:
    """The catalog sheets as a workbook of their own."""
    # openpyxl is slow to import, and needed nowhere else in a sync.
    from openpyxl.workbook import Workbook

    from xlsizing.book.catalog_sheets import write_catalog_sheets
    from xlsizing.book.cells import PackageNotes
    from xlsizing.book.package.finishing import package

    book, notes = Workbook(), PackageNotes()
    book.remove(book.worksheets[0])
    write_catalog_sheets(book, notes, catalogs)
    return package_of(package(book, notes))


def _sheet(content: bytes, looks: Mapping[int, int]) -> bytes:
    """A catalog sheet with the looks that another workbook has for it."""
    content = _RULES.sub(b"", content)
    return _STYLE.sub(
        lambda match: match[1] + str(looks.get(int(match[2]), 0)).encode() + match[3], content
    )


def _relations(relations: Sequence[tuple[str, str, str]]) -> bytes:
    written = "".join(
        f'<Relationship Id="{identifier}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for identifier, kind, target in relations
    )
    return f'<Relationships xmlns="{_RELATIONS}">{written}</Relationships>'.encode()


def _sheet_ids(found: Sequence[Element]) -> Iterator[int]:
    for each in found:
        number = each.attributes.get("sheetId", "")
        if each.tag.name == "sheet" and number.isdecimal():
            yield int(number)


class _List(NamedTuple):
    """A list of a workbook's styles; `element` is None where there is none."""

    element: Element | None
    items: Sequence[Element]

    def appended(self, content: bytes, items: Sequence[bytes]) -> list[Edit]:
        """The edits that add items to the list."""
        assert self.element is not None
        tag = self.element.tag
        inner = _prefixed(b"".join(items), tag.prefix)
        if self.element.end == tag.end:
            # A list without items may be one tag, and its count is in what is replaced.
            return [append_edit(content, self.element, inner)]
        total = str(len(self.items) + len(items))
        return [
            attribute_edit(content, tag, "count", total),
            append_edit(content, self.element, inner),
        ]


def _lists_of(content: bytes) -> dict[str, _List]:
    found = elements(content)
    return {
        name: _List(
            next((e for e in found if e.tag.name == name and len(e.path) == 1), None),
            [e for e in found if len(e.path) == 2 and e.path[1] == name],
        )
        for name in (*_LISTS, "numFmts", "cellXfs")
    }


def _raw(content: bytes, element: Element) -> bytes:
    return content[element.tag.start : element.end]


def _look(
    content: bytes, look: Element, offsets: Mapping[str, int], formats: Mapping[str, str]
) -> bytes:
    """A look of ours with the numbers that its font, fill, border and format get elsewhere."""
    edits = [attribute_edit(content, look.tag, "xfId", "0")]
    for name, attribute in (("fonts", "fontId"), ("fills", "fillId"), ("borders", "borderId")):
        number = int(look.attributes.get(attribute, "0")) + offsets[name]
        edits.append(attribute_edit(content, look.tag, attribute, str(number)))
    kind = look.attributes.get("numFmtId", "0")
    edits.append(attribute_edit(content, look.tag, "numFmtId", formats.get(kind, kind)))
    start = look.tag.start
    shifted = [Edit(edit.start - start, edit.end - start, edit.content) for edit in edits]
    return edited(_raw(content, look), shifted)


def _format_edits(
    theirs: bytes,
    there: Mapping[str, _List],
    mine: bytes,
    here: Mapping[str, _List],
    formats: Mapping[str, str],
) -> list[Edit]:
    """The edits that add our number formats."""
    raw: list[bytes] = []
    for each in here["numFmts"].items:
        number = formats[each.attributes["numFmtId"]]
        edit = attribute_edit(mine, each.tag, "numFmtId", number)
        start = each.tag.start
        moved = Edit(edit.start - start, edit.end - start, edit.content)
        raw.append(edited(_raw(mine, each), [moved]))
    if not raw:
        return []
    if there["numFmts"].element is not None:
        return there["numFmts"].appended(theirs, raw)
    fonts = there["fonts"].element
    assert fonts is not None
    prefix = fonts.tag.prefix
    formats_xml = _prefixed(b"".join(raw), prefix)
    opened = f'<{prefix}numFmts count="{len(raw)}">'.encode()
    at = fonts.tag.start
    return [Edit(at, at, opened + formats_xml + f"</{prefix}numFmts>".encode())]


def _prefixed(xml: bytes, prefix: str) -> bytes:
    """XML of ours, which has no prefixes, with one before every name."""
    return re.sub(rb"<(/?)(?=\w)", rb"<\1" + prefix.encode(), xml) if prefix else xml
