"""Workbooks with macros: the project fits the sheets, the buttons fit the macros."""

import re
from collections.abc import Iterator

from lxml import etree

from tests.book.rules import MAIN, Book, relations, rule
from tests.gate.vba import VbaModule, modules

PROJECT = "xl/vbaProject.bin"
EXCEL = "{urn:schemas-microsoft-com:office:excel}"
VML = "{urn:schemas-microsoft-com:vml}"
SETTINGS = "xlwings.conf"
KNOWN_SETTINGS = frozenset(
    {
        *("INTERPRETER_WIN", "INTERPRETER_MAC", "PYTHONPATH", "CONDA PATH", "CONDA ENV"),
        *("UDF MODULES", "DEBUG UDFS", "USE UDF SERVER", "SHOW CONSOLE"),
        *("ADD_WORKBOOK_TO_PYTHONPATH", "ONEDRIVE_CONSUMER_WIN", "ONEDRIVE_COMMERCIAL_WIN"),
    }
)
"""Settings that the xlwings add-in reads."""

LONGEST_LINE, MOST_CONTINUATIONS = 1_023, 24


@rule
def code_names(book: Book) -> Iterator[str]:
    """The workbook and each sheet have a VBA module of their own, by their code names."""
    if PROJECT not in book.parts:
        return
    properties = book.roots["xl/workbook.xml"].find(f"{MAIN}workbookPr")
    named = [None if properties is None else properties.get("codeName")]
    for sheet in book.sheets:
        about = sheet.root.find(f"{MAIN}sheetPr")
        named.append(None if about is None else about.get("codeName"))
    documents = [each.name for each in modules(book.parts[PROJECT]) if each.is_document]
    if sorted(map(str, named)) != sorted(documents):
        yield f"The code names are {named}, and the project's documents {documents}."


@rule
def module_texts(book: Book) -> Iterator[str]:
    """A module says its own name, and has lines that VBA reads."""
    for module in _modules(book):
        if f'Attribute VB_Name = "{module.name}"' != module.source.partition("\r\n")[0]:
            yield f"The module {module.name} says that it is another one."
        lines = module.source.split("\r\n")
        if "\n" in "".join(lines):
            yield f"The module {module.name} has a line feed without a carriage return."
        continued = 0
        for line in lines:
            continued = continued + 1 if line.endswith(" _") else 0
            if len(line) > LONGEST_LINE or continued > MOST_CONTINUATIONS:
                yield f"The module {module.name} has a line too long for VBA: {line[:60]}..."


@rule
def buttons(book: Book) -> Iterator[str]:
    """A button runs a macro of the same workbook, says what it does, and stays out of print."""
    macros = {
        name
        for module in _modules(book)
        for name in re.findall(r"^Public Sub (\w+)\(\)", module.source, re.MULTILINE)
    }
    for sheet in book.sheets:
        drawings = [
            book.parts[relations(book.roots, sheet.part)[each.get(_ID) or ""]]
            for each in sheet.root.iter(f"{MAIN}legacyDrawing")
        ]
        for shape in (each for text in drawings for each in _shapes(text)):
            place = f"The control on {sheet.title}"
            macro = shape.findtext(f".//{EXCEL}FmlaMacro") or ""
            if macro.removeprefix("[0]!") not in macros or not macro.startswith("[0]!"):
                yield f"{place} runs {macro!r}, which is no macro of the workbook."
            if not (shape.get("alt") or "").strip():
                yield f"{place} has no alt text."
            if shape.findtext(f".//{EXCEL}PrintObject") != "False":
                yield f"{place} prints."


_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def _shapes(drawing: bytes) -> Iterator[etree._Element]:
    for shape in etree.fromstring(drawing).iter(f"{VML}shape"):
        if shape.find(f"{EXCEL}ClientData[@ObjectType='Button']") is not None:
            yield shape


def _modules(book: Book) -> list[VbaModule]:
    return modules(book.parts[PROJECT]) if PROJECT in book.parts else []


@rule
def settings(book: Book) -> Iterator[str]:
    """The xlwings add-in finds settings from A1 down, each once, in capitals, with a value."""
    for sheet in book.sheets:
        if sheet.title != SETTINGS:
            continue
        cells = {cell.get("r") or "": book.text(cell) for cell in sheet.cells}
        seen, row = set[str](), 1
        while key := cells.get(f"A{row}"):
            if key not in KNOWN_SETTINGS or key in seen:
                yield f"The setting {key!r} of {SETTINGS} is unknown to xlwings, or there twice."
            if not cells.get(f"B{row}"):
                yield f"The setting {key} of {SETTINGS} has no value, and hides the ribbon's."
            seen.add(key)
            row += 1
        if row == 1:
            yield f"{SETTINGS} does not begin in A1."
