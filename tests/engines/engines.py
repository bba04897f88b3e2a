"""Spreadsheet engines that others wrote, behind one small face.

Each takes a workbook's bytes, forgets the values that its formulas claim to have, computes
it, and answers with the values of cells. Error values come as their text, empty text as "".
"""

import io
import math
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import formulon
import ironcalc
import openpyxl
import pytest
from lxml import etree
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

from tests.engines.apart import NOTHING, Apart, Typed, apart

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

Value = str | float | bool | None
Cell = tuple[str, str]
"""A sheet's title and an address."""


class Engine(Protocol):
    """Computes workbooks."""

    name: str

    def __hash__(self) -> int: ...

    def compute(self, books: Sequence[bytes], cells: Iterable[Cell]) -> list[dict[Cell, Value]]:
        """The values of `cells` in each of `books`, computed from scratch."""


_COMPUTED = {f"{{{_MAIN}}}{tag}" for tag in ("sheetData", "tableParts")}
"""The parts of a sheet that formulas are in, and those that they name."""

PLANTED = b"999"
"""The value that formula cells hold before an engine computes them."""


def with_planted_values(content: bytes) -> bytes:
    """A workbook whose formulas all claim 999, so that an engine that repeats them is found out.

    LibreOffice would believe them; for it the values are taken out instead.
    """
    return _rewritten(content, b"<v>" + PLANTED + b"</v>")


def without_cached_values(content: bytes) -> bytes:
    """A workbook without the values of its formulas, and without all that computes none."""
    return _rewritten(content, b"")


def _rewritten(content: bytes, value: bytes) -> bytes:
    rewritten = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(rewritten, "w") as target:
        for part in source.namelist():
            data = source.read(part)
            if part.startswith("xl/worksheets/sheet"):
                data = _with_value_of_formulas(data, value)
            target.writestr(part, data)
    return rewritten.getvalue()


# Most sheets are the same in all books.
@lru_cache(maxsize=128)
def _with_value_of_formulas(sheet: bytes, value: bytes) -> bytes:
    root = etree.fromstring(sheet)
    for cell in root.iter(f"{{{_MAIN}}}c"):
        is_formula = cell.find(f"{{{_MAIN}}}f") is not None
        if cell.get("t") == "n" or (is_formula and cell.get("t")):
            # openpyxl writes the default type, which IronCalc takes for a zero in an empty cell.
            del cell.attrib["t"]
        if is_formula:
            for old in cell.findall(f"{{{_MAIN}}}v"):
                cell.remove(old)
            if value:
                etree.SubElement(cell, f"{{{_MAIN}}}v").text = PLANTED.decode()
    if not value:
        # LibreOffice spends a fifth of its time on looks, validations and drawings.
        for part in list(root):
            if part.tag not in _COMPUTED:
                root.remove(part)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _position(address: str) -> tuple[int, int]:
    letters, row = coordinate_from_string(address)
    return row, column_index_from_string(letters)


def _titles(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        root = etree.fromstring(package.read("xl/workbook.xml"))
    return [str(sheet.get("name")) for sheet in root.iter(f"{{{_MAIN}}}sheet")]


class IronCalc:
    """IronCalc, written in Rust."""

    name = "ironcalc"

    def compute(self, books: Sequence[bytes], cells: Iterable[Cell]) -> list[dict[Cell, Value]]:
        wanted = list(cells)
        with tempfile.TemporaryDirectory() as folder:
            return [self._compute_one(book, wanted, Path(folder) / "book.xlsx") for book in books]

    def _compute_one(self, book: bytes, cells: Sequence[Cell], path: Path) -> dict[Cell, Value]:
        path.write_bytes(with_planted_values(book))
        titles = _titles(book)
        model = ironcalc.load_from_xlsx(str(path), "en", "UTC")
        model.evaluate()
        return {
            (title, address): model.get_cell_value(titles.index(title), *_position(address))
            for title, address in cells
        }


_FORMULON_ERRORS: Mapping[int, str] = {
    0: "#NULL!",
    1: "#DIV/0!",
    2: "#VALUE!",
    3: "#REF!",
    4: "#NAME?",
    5: "#NUM!",
    6: "#N/A",
}


class Formulon:
    """Formulon, a WebAssembly module.

    It takes a second to load a workbook, and a tenth to compute one that it has open again.
    """

    name = "formulon"

    def compute(self, books: Sequence[bytes], cells: Iterable[Cell]) -> list[dict[Cell, Value]]:
        wanted = list(cells)
        return [self._compute_one(book, wanted) for book in books]

    def _compute_one(self, book: bytes, cells: Sequence[Cell]) -> dict[Cell, Value]:
        workbook, titles = _IN_FORMULON.turned_into(book)
        workbook.recalc()
        found: dict[Cell, Value] = {}
        for title, address in cells:
            row, column = _position(address)
            value = workbook.get_value(titles.index(title), row - 1, column - 1)
            found[title, address] = _formulon_value(value)
        return found


class _OpenInFormulon:
    """The workbook that Formulon has open, which is turned into others."""

    def __init__(self) -> None:
        self._open: tuple[formulon.Workbook, Apart] | None = None

    def turned_into(self, book: bytes) -> tuple[formulon.Workbook, tuple[str, ...]]:
        """A workbook, not yet computed, and the titles of its sheets.

        Where it differs from the one before in typed values alone, those are set; else it is
        loaded.
        """
        now = apart(book)
        if self._open and self._open[1].frame == now.frame:
            workbook, before = self._open
            for sheet, address, value in before.changes(now):
                row, column = _position(address)
                _set_in_formulon(workbook, (sheet, row - 1, column - 1), value)
        else:
            if self._open:
                self._open[0].close()
            workbook = formulon.Workbook.load(with_planted_values(book))
        self._open = workbook, now
        return workbook, now.titles


_IN_FORMULON = _OpenInFormulon()


def _set_in_formulon(
    workbook: formulon.Workbook, place: tuple[int, int, int], value: Typed
) -> None:
    if value == NOTHING:
        workbook.set_blank(*place)
    elif value.kind == "n":
        workbook.set_number(*place, float(value.text))
    elif value.kind == "b":
        workbook.set_bool(*place, value.text == "1")
    elif value.kind == "e":
        [code] = [code for code, error in _FORMULON_ERRORS.items() if error == value.text]
        workbook.set_error(*place, code)
    else:
        workbook.set_text(*place, value.text)


def _formulon_value(value: formulon.Value) -> Value:
    if value.error_code is not None:
        return _FORMULON_ERRORS[value.error_code]
    plain = value.to_python()
    assert not isinstance(plain, formulon.Value), "an array or a lambda where a value should be"
    return plain


_USER = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse">
<value>{}</value></prop></item></oor:items>
"""


class LibreOffice:
    """LibreOffice Calc, which loads many files in one start.

    Parameters
    ----------
    locale : whose signs numbers in texts have.
    """

    name = "libreoffice"

    def __init__(self, locale: str = "en-US") -> None:
        self._locale = locale

    def compute(self, books: Sequence[bytes], cells: Iterable[Cell]) -> list[dict[Cell, Value]]:
        wanted = list(cells)
        program = shutil.which("soffice")
        if program is None and "CI" not in os.environ:
            pytest.skip("LibreOffice Calc (soffice) is not installed; CI has it.")
        assert program
        with tempfile.TemporaryDirectory() as folder:
            sources = [Path(folder) / f"{number:03d}.xlsx" for number in range(len(books))]
            for path, book in zip(sources, books, strict=True):
                path.write_bytes(without_cached_values(book))
            settings = Path(folder) / "profile" / "user" / "registrymodifications.xcu"
            settings.parent.mkdir(parents=True)
            settings.write_text(_USER.format(self._locale), encoding="utf-8")
            subprocess.run(
                [
                    program,
                    "--headless",
                    f"-env:UserInstallation=file://{folder}/profile",
                    "--convert-to",
                    "xlsx:Calc MS Excel 2007 XML",
                    "--outdir",
                    f"{folder}/computed",
                    *map(str, sources),
                ],
                check=True,
                capture_output=True,
                timeout=300,
            )
            return [self._read(Path(folder) / "computed" / path.name, wanted) for path in sources]

    def _read(self, path: Path, cells: Sequence[Cell]) -> dict[Cell, Value]:
        book = openpyxl.load_workbook(path, data_only=True, read_only=True)
        values: dict[Cell, Any] = {
            (title, cell.coordinate): cell.value
            for title in {title for title, _ in cells}
            for row in book[title].iter_rows()
            for cell in row
            if cell.value is not None
        }
        book.close()
        return {cell: values.get(cell) for cell in cells}


ENGINES: tuple[Engine, ...] = (IronCalc(), Formulon(), LibreOffice())


def same(expected: Value, found: Value) -> bool:
    """True where two cell values are the same; numbers to the last digits of a double."""
    if expected in (None, ""):
        return found in (None, "")
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found or (isinstance(found, int | float) and expected == found)
    if isinstance(expected, int | float) and isinstance(found, int | float):
        if float(expected).is_integer():
            return expected == found
        return math.isclose(expected, found, rel_tol=1e-13)
    return expected == found
