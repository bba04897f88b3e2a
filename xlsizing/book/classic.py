"""The workbook for the classic xlwings add-in: macros for the functions, a button, settings."""

import math
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from openpyxl.utils import column_index_from_string
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from xlsizing.book.button import Button, button_vml
from xlsizing.book.cells import UNLOCKED, PackageNotes, Style, Writer
from xlsizing.book.hosting import SETTINGS
from xlsizing.book.hosts import MORE_FUNCTIONS, Host
from xlsizing.book.pages import protect, set_page
from xlsizing.book.styles import (
    INPUT,
    INPUT_FILL,
    LEFT,
    LINE_HEIGHT,
    NOTE,
    NOTE_ALIGNMENT,
    STRONG,
    UNDERLINE,
)
from xlsizing.book.vba import document_module, standard_module, vba_project
from xlsizing.book.vba.project import SHEET_CLASS, WORKBOOK_CLASS
from xlsizing.core.message import Message
from xlsizing.language import Language
from xlsizing.resources import shipped

WORKBOOK_CODE = "ThisWorkbook"
"""Code name of the workbook, which its VBA module bears."""


class _Setting(NamedTuple):
    """A row of settings, or room for one."""

    key: str
    """As the add-in knows it, in capitals; empty where there is room for another."""
    value: str
    note: str


_SETTINGS = (
    _Setting(
        "UDF MODULES",
        "xlsizing.excel",
        Message(
            "What Import Functions on the ribbon tab xlwings would bring in: nothing, since this "
            "workbook has the functions already, and Excel calls none that is there twice."
        ),
    ),
    _Setting(
        "ADD_WORKBOOK_TO_PYTHONPATH",
        "false",
        Message("Python takes no modules from the folder of this workbook, wherever that is."),
    ),
    _Setting(
        "",
        "",
        Message(
            "Room for settings of your own, with no empty row between. For a Python of this "
            "workbook alone: INTERPRETER_WIN, on a Mac INTERPRETER_MAC, and the path of its program."
        ),
    ),
    _Setting(
        "",
        "",
        Message(
            "A setting here wins over the ribbon's even where its value is empty: leave out what "
            "you do not set."
        ),
    ),
    _Setting("", "", ""),
)
_SETTING_WIDTHS = {"A": 32, "B": 32, "C": 88}
_NOTE_CHARACTERS = 100
"""Characters of a note that fit on a line."""

_BUTTON = Button(
    caption=Message("Full report"),
    macro="FullReport",
    alt_text=Message("Button: makes the full report of this plan, by Python"),
    column=column_index_from_string("F"),
    row=1,
    left=12,
    top=4,
    width=112,
    height=26,
)
"""Beside the title of Sizing, in the rows that stay in view."""


def _equip(book: Workbook, notes: PackageNotes) -> None:
    _write_settings(book, notes)
    notes.vba_project = _project(book)
    notes.legacy_drawings["Sizing"] = _button(book["Sizing"], notes.language)


CLASSIC_WORKBOOK = Host(
    "classic",
    ".xlsm",
    Message("Excel on Windows, with Python and the xlwings add-in"),
    (
        MORE_FUNCTIONS,
        Message(
            "They read the catalogs of the Python on this computer: those that xlsizing ships, or the folder that "
            "XLSIZING_CATALOGS names. The sheets compute with those of this workbook, which the line under the title names."
        ),
        Message(
            "Press Enable Content when the workbook opens. The button on Sizing makes the full report; settings stand on "
            "xlwings.conf. Where cells show #NAME?, type xlsizing doctor and this file's name in a terminal."
        ),
    ),
    _equip,
)
"""The classic xlwings add-in, with Python on the same computer: Excel on Windows."""


def _write_settings(book: Workbook, notes: PackageNotes) -> None:
    sheet = book.create_sheet(SETTINGS)
    writer = Writer(sheet, notes)
    for letter, width in _SETTING_WIDTHS.items():
        sheet.column_dimensions[letter].width = width
    for row, (key, value, note) in enumerate(_SETTINGS, start=1):
        typed = Style(INPUT, INPUT_FILL, "@", LEFT, UNDERLINE, UNLOCKED)
        named = replace(typed, font=STRONG, fill=None) if key else typed
        writer.value(row, 1, key or None, named)
        writer.value(row, 2, value or None, typed)
        writer.value(row, 3, note or None, Style(NOTE, None, None, NOTE_ALIGNMENT, UNDERLINE))
    set_page(sheet, first_free_row=1)
    for row, (_, _, note) in enumerate(_SETTINGS, start=1):
        lines = max(1, math.ceil(len(writer.say(note)) / _NOTE_CHARACTERS))
        sheet.row_dimensions[row].height = LINE_HEIGHT * lines
    protect(sheet)


def _project(book: Workbook) -> bytes:
    """The VBA project: a module for the workbook and each sheet, and those that ship."""
    folder = Path(shipped("workbook"), "vba")
    book.code_name = WORKBOOK_CODE
    code = (folder / f"{WORKBOOK_CODE}.txt").read_text(encoding="ascii")
    modules = [document_module(WORKBOOK_CODE, WORKBOOK_CLASS, code)]
    for number, sheet in enumerate(book.worksheets, start=1):
        sheet.sheet_properties.codeName = f"Sheet{number}"
        modules.append(document_module(f"Sheet{number}", SHEET_CLASS))
    texts = [path.read_text(encoding="ascii") for path in sorted(folder.glob("*.bas"))]
    return vba_project([*modules, *map(standard_module, texts)])


def _button(sheet: Worksheet, language: Language) -> bytes:
    before = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: _BUTTON.column - 1]
    widths = [sheet.column_dimensions[letter].width for letter in before]
    said = _BUTTON._replace(
        caption=language.say(_BUTTON.caption), alt_text=language.say(_BUTTON.alt_text)
    )
    return button_vml(said, left_of_cell=sum(widths), top_of_cell=0)
