"""A workbook taken apart into the values that are typed in its cells and all the rest of it.

Where two workbooks differ in such values alone, as those do that tests fill in, an engine that
has one of them open needs but the cells that differ to have the other.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from tests.book.rules import MAIN, OFFICE, Element, relations

WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"


class Typed(NamedTuple):
    """The value in a cell without a formula, as the file spells it."""

    kind: str
    text: str


NOTHING = Typed("", "")


class Apart(NamedTuple):
    """A workbook in parts."""

    titles: tuple[str, ...]
    frame: Mapping[str, bytes]
    """All its files, the sheets with nothing but formulas in their cells."""
    sheets: tuple[Mapping[str, Typed], ...]
    """The values of each sheet by address."""

    def changes(self, other: "Apart") -> Iterator[tuple[int, str, Typed]]:
        """The cells in which another workbook differs: the sheet's place, address and value."""
        for place, (own, others) in enumerate(zip(self.sheets, other.sheets, strict=True)):
            if own is not others:
                for address, value in others.items():
                    if value != own[address]:
                        yield place, address, value


def apart(content: bytes) -> Apart:
    """A workbook in parts."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        frame = {part: package.read(part) for part in package.namelist()}
    targets = relations({RELATIONS: etree.fromstring(frame[RELATIONS])}, WORKBOOK)
    listed = list(etree.fromstring(frame[WORKBOOK]).iter(f"{MAIN}sheet"))
    sheets = []
    for sheet in listed:
        part = targets[sheet.get(f"{OFFICE}id") or ""]
        frame[part], cells = _emptied(frame[part])
        sheets.append(cells)
    return Apart(tuple(each.get("name") or "" for each in listed), frame, tuple(sheets))


# Most sheets are the same in all books.
@lru_cache(maxsize=128)
def _emptied(sheet: bytes) -> tuple[bytes, Mapping[str, Typed]]:
    root, cells = etree.fromstring(sheet), {}
    for cell in root.iter(f"{MAIN}c"):
        formula = cell.find(f"{MAIN}f")
        if formula is None:
            if cell.get("t") == "s":
                # Its text stands elsewhere.
                continue
            cells[cell.get("r") or ""] = _typed(cell)
        if "t" in cell.attrib:
            del cell.attrib["t"]
        for child in list(cell):
            if child is not formula:
                cell.remove(child)
    return etree.tostring(root), cells


def _typed(cell: Element) -> Typed:
    if cell.get("t") == "inlineStr":
        return Typed("str", "".join(each.text or "" for each in cell.iter(f"{MAIN}t")))
    value = cell.findtext(f"{MAIN}v")
    return NOTHING if value is None else Typed(cell.get("t") or "n", value)
