"""A workbook as a form: cells are filled in, and all the rest stays as its bytes are.

It spares the tests to save whole workbooks, of which they need hundreds that differ in a few
cells.
"""

import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from xml.sax.saxutils import escape

from tests.book.rules import ERRORS, Book, opened

Cell = tuple[str, str]
"""A sheet's title and an address."""

_CELL = re.compile(rb'<c r="([A-Z]+[0-9]+)"( s="[0-9]+")?[^>]*?(?:/>|>.*?</c>)', re.DOTALL)


class Form:
    """A workbook, and where its cells are in its bytes."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    @cached_property
    def book(self) -> Book:
        """The workbook as it is written."""
        return opened(self.content)

    def named(self, name: str) -> Cell:
        """The cell that a defined name stands for."""
        (text,) = (each.text for each in self.book.names if each.name == name)
        title, _, address = text.replace("$", "").partition("!")
        return title.strip("'"), address

    @cached_property
    def _part_of(self) -> dict[str, str]:
        return {sheet.title: sheet.part for sheet in self.book.sheets}

    @cached_property
    def _cells(self) -> dict[str, dict[str, re.Match[bytes]]]:
        """The cells by their address, by the title of their sheet."""
        return {
            title: {cell[1].decode(): cell for cell in _CELL.finditer(self.book.parts[part])}
            for title, part in self._part_of.items()
        }

    def filled(self, cells: Mapping[Cell, object]) -> bytes:
        """The workbook with other contents in cells that it has, in their looks.

        Parameters
        ----------
        cells : what to put into each, by sheet and address: nothing, a number, a truth value, an
            error by its name, a formula that begins with =, or a text.
        """
        by_sheet: dict[str, list[tuple[re.Match[bytes], object]]] = defaultdict(list)
        for (title, address), value in cells.items():
            by_sheet[title].append((self._cells[title][address], value))
        changed = {
            self._part_of[title]: _spliced(self.book.parts[self._part_of[title]], found)
            for title, found in by_sheet.items()
        }
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as package:
            for part, data in self.book.parts.items():
                package.writestr(part, changed.get(part, data))
        return content.getvalue()


def _spliced(sheet: bytes, cells: list[tuple[re.Match[bytes], object]]) -> bytes:
    pieces, end = list[bytes](), 0
    for cell, value in sorted(cells, key=lambda found: found[0].start()):
        pieces += sheet[end : cell.start()], _written(cell, value)
        end = cell.end()
    return b"".join([*pieces, sheet[end:]])


def _written(cell: re.Match[bytes], value: object) -> bytes:
    """A cell with another content."""
    if value is None:
        kind, inside = "", ""
    elif isinstance(value, bool):
        kind, inside = ' t="b"', f"<v>{value:d}</v>"
    elif isinstance(value, int | float):
        kind, inside = "", f"<v>{value!r}</v>"
    elif not isinstance(value, str):
        raise TypeError(f"{value!r} is no content of a cell that is written here.")
    elif value in ERRORS:
        kind, inside = ' t="e"', f"<v>{value}</v>"
    elif value.startswith("="):
        kind, inside = "", f"<f>{escape(value[1:])}</f>"
    else:
        kind, inside = ' t="inlineStr"', f'<is><t xml:space="preserve">{escape(value)}</t></is>'
    start = b'<c r="' + cell[1] + b'"' + (cell[2] or b"")
    return start + f"{kind}>{inside}</c>".encode()
