"""What leads from part to part in a workbook's package: types, relations, sheets, tables."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from posixpath import basename, dirname, join, normpath, split
from typing import NamedTuple

from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.package.opened import CONTENT_TYPES, Package
from xlsizing.book.package.xml import Element, XmlError, elements
from xlsizing.core.message import Message

_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_MACRO_TYPE = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
_WORKBOOK_TYPES: Mapping[str, tuple[str, ...]] = {
    _SHEET_TYPE: (".xlsx",),
    _MACRO_TYPE: (".xlsm",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml": (".xltx",),
    "application/vnd.ms-excel.template.macroEnabled.main+xml": (".xltm",),
    "application/vnd.ms-excel.addin.macroEnabled.main+xml": (".xlam",),
}
"""The types of a workbook's main part, and how a file of each may be called."""
_SUFFIXES = {suffix for suffixes in _WORKBOOK_TYPES.values() for suffix in suffixes}

MOST_SHEETS = 5_000


class Relation(NamedTuple):
    """A relation that starts from a part."""

    identifier: str
    kind: str
    """The last word of its type, such as worksheet."""
    target: str
    """The part that it leads to; what is named outside the package where it is external."""
    is_external: bool


class Sheet(NamedTuple):
    """A sheet of a workbook, and its part."""

    title: str
    part: str


class PlacedTable(NamedTuple):
    """A table of a workbook, and where it stands."""

    sheet: str
    name: str
    cells: str
    """Its head and rows, such as A6:DH26."""
    totals: int
    """Rows of totals at its end."""
    part: str


class Structure:
    """How the parts of a workbook hang together."""

    def __init__(self, package: Package) -> None:
        """Find the workbook's main part.

        Raises
        ------
        WorkbookReadError : the package holds no workbook, or its name promises another kind.
        """
        self.package = package
        self.types = self._types()
        self._relations: dict[str, list[Relation]] = {}
        self.workbook = self._workbook_part()
        self._require_suffix()

    def elements(self, part: str, *wanted: str) -> list[Element]:
        """The elements of a part with these local names.

        Raises
        ------
        WorkbookReadError : the part is missing, or its XML broken.
        """
        try:
            return elements(self.package.xml(part), wanted)
        except XmlError as error:
            raise self.package.broken(part, error) from error

    def type_of(self, part: str) -> str:
        """The content type of a part; empty where none is said."""
        by_suffix = f"*.{part.rpartition('.')[2].lower()}"
        return self.types.get(f"/{part.lower()}", self.types.get(by_suffix, ""))

    def relations(self, source: str) -> list[Relation]:
        """The relations of a part, or of the package where `source` is empty."""
        if source not in self._relations:
            self._relations[source] = self._read_relations(source)
        return self._relations[source]

    def _read_relations(self, source: str) -> list[Relation]:
        part = relations_part(source)
        if not self.package.has(part):
            return []
        found = []
        for element in self.elements(part, "Relationship"):
            said = element.attributes
            is_external = said.get("TargetMode", "").lower() == "external"
            target = said.get("Target", "")
            if not is_external:
                target = normpath(join("/", dirname(source), target.replace("\\", "/"))).lstrip("/")
            kind = basename(said.get("Type", ""))
            found.append(Relation(said.get("Id", ""), kind, target, is_external))
        return found

    def targets(self, source: str, kind: str) -> list[str]:
        """The parts that relations of one kind lead to from a part, each once."""
        found = (
            relation.target
            for relation in self.relations(source)
            if relation.kind == kind and not relation.is_external
        )
        return list(dict.fromkeys(found))

    @cached_property
    def sheets(self) -> list[Sheet]:
        """The sheets with cells, in their order."""
        targets = {
            relation.identifier: relation.target
            for relation in self.relations(self.workbook)
            if relation.kind == "worksheet" and not relation.is_external
        }
        named = [
            Sheet(found.attributes.get("name", ""), targets[found.attributes.get("id", "")])
            for found in self.elements(self.workbook, "sheet")
            if found.attributes.get("id", "") in targets
        ]
        if not named or len(named) > MOST_SHEETS:
            raise self.package.broken(
                self.workbook, Message("{count} sheets are listed", count=str(len(named)))
            )
        return named

    @cached_property
    def tables(self) -> list[PlacedTable]:
        """The tables of all sheets."""
        return list(self._tables())

    def _tables(self) -> Iterator[PlacedTable]:
        seen: set[str] = set()
        for sheet in self.sheets:
            for part in self.targets(sheet.part, "table"):
                # A table is of one sheet.
                if part in seen:
                    continue
                seen.add(part)
                roots = self.elements(part, "table")
                if not roots:
                    raise self.package.broken(part, Message("there is no table"))
                said = roots[-1].attributes
                totals = said.get("totalsRowCount", "0")
                yield PlacedTable(
                    sheet.title,
                    said.get("displayName") or said.get("name") or "",
                    said.get("ref", ""),
                    int(totals) if totals.isdecimal() else 0,
                    part,
                )

    def _types(self) -> dict[str, str]:
        """Content types by lower-case name of a part, or by `*.` and its suffix."""
        found = {}
        for element in self.elements(CONTENT_TYPES, "Default", "Override"):
            said = element.attributes
            if element.tag.name == "Override":
                found[said.get("PartName", "").lower()] = said.get("ContentType", "")
            else:
                found[f"*.{said.get('Extension', '').lower()}"] = said.get("ContentType", "")
        return found

    def _workbook_part(self) -> str:
        parts = self.targets("", "officeDocument") or ["xl/workbook.xml"]
        if not self.package.has(parts[0]):
            raise WorkbookReadError(
                Message(
                    "{name} is a zip file, but no Excel Workbook (.xlsx); save it as an Excel Workbook "
                    "(.xlsx).",
                    name=self.package.name,
                )
            )
        return parts[0]

    def _require_suffix(self) -> None:
        """Raise WorkbookReadError where Excel would refuse the file for its type or its name."""
        name, kind = self.package.name, self.type_of(self.workbook)
        if kind not in _WORKBOOK_TYPES:
            raise self.package.broken(
                CONTENT_TYPES,
                Message(
                    "the workbook is called {kind}, which is no workbook",
                    kind=kind or Message("nothing"),
                ),
            )
        suffix = f".{name.rpartition('.')[2].lower()}"
        if suffix in _SUFFIXES and suffix not in _WORKBOOK_TYPES[kind]:
            right = _WORKBOOK_TYPES[kind][0]
            raise WorkbookReadError(
                Message(
                    "{name} is called {suffix}, but is an {right} inside, and Excel opens no such file; "
                    "give it a name that ends in {right}.",
                    name=name,
                    suffix=suffix,
                    right=right,
                )
            )
        if suffix == ".xlsx" and self.macros_part():
            raise WorkbookReadError(
                Message(
                    "{name} is an .xlsx with macros in it, and no such file may have any; open it and "
                    "save it as an Excel Macro-Enabled Workbook (.xlsm), if you trust where it is from.",
                    name=name,
                )
            )

    def macros_part(self) -> str:
        """The part with the VBA project; empty where there is none."""
        return next(
            (part for part in self.package.parts if part.lower().endswith("/vbaproject.bin")), ""
        )

    def macros(self) -> bytes:
        """The VBA project; empty where there is none."""
        part = self.macros_part()
        return self.package.read(part) if part else b""

    def has_add_in_code(self, add_in: str, name: str) -> bool:
        """Whether the workbook carries a text of that name for an Office add-in.

        Parameters
        ----------
        add_in : the add-in's number in the store.
        name : the property that holds the text.
        """
        for part in self.package.parts:
            if part.startswith("xl/webextensions/") and part.endswith(".xml"):
                found = [each.attributes for each in self.elements(part, "reference", "property")]
                if any(each.get("id", "").lower() == add_in.lower() for each in found):
                    return any(each.get("name") == name for each in found)
        return False


def relations_part(source: str) -> str:
    """Name of the part that holds the relations of a part, or of the package."""
    folder, name = split(source)
    return join(folder, "_rels", f"{name}.rels")
