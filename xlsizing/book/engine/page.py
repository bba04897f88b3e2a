"""The sheet Engine while it is written: its columns, headings, labels and figures."""

import math
from collections.abc import Mapping

from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from xlsizing.book.cells import Style, Writer
from xlsizing.book.expressions import Formula, phrase
from xlsizing.book.names import define
from xlsizing.book.styles import (
    APART,
    BODY,
    HEADING,
    HEADING_FILL,
    LEFT,
    LINE_HEIGHT,
    NOTE,
    NOTE_ALIGNMENT,
    RIGHT,
    UNDERLINE,
    WRAP_CENTRED,
)
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value

LABEL, FIRST, SECOND, THIRD, UNIT, NOTES = 2, 3, 4, 5, 6, 7
"""The columns: what it is, up to three figures, their unit, and a note or equation."""

WIDTHS = {"A": 2, "B": 33, "C": 16, "D": 16, "E": 16, "F": 13, "G": 66, "H": 14, "I": 14, "J": 14}

NOT_KNOWN = Message("not known")
"""What a figure shows that cannot be computed."""


def known(text: str) -> str:
    """An expression, or the words for it where it comes to nothing or to an error."""
    unknown = phrase(NOT_KNOWN)
    return f'IFERROR(IF({text}="",{unknown},{text}),{unknown})'


class EnginePage:
    """The Engine sheet while it is written."""

    def __init__(self, book: Workbook, writer: Writer, values: Mapping[str, Value]) -> None:
        self.book = book
        self.writer = writer
        self.sheet: Worksheet = writer.sheet
        self.values = values

    def heading(self, row: int, *texts: str) -> None:
        """Write a heading over the columns."""
        for column, text in enumerate(texts, start=LABEL):
            alignment = RIGHT if column in (FIRST, SECOND, THIRD) else APART
            alignment = LEFT if column == LABEL else alignment
            style = Style(font=HEADING, fill=HEADING_FILL, alignment=alignment)
            self.writer.value(row, column, text, style)

    def label(self, row: int, label: str, unit: str, note: str) -> None:
        """Write the label, unit and note of a row."""
        style = Style(font=BODY, alignment=WRAP_CENTRED, border=UNDERLINE)
        self.writer.value(row, LABEL, label, style)
        for column in (SECOND, THIRD):
            self.writer.value(row, column, None, Style(border=UNDERLINE))
        remark = Style(font=NOTE, alignment=APART, border=UNDERLINE)
        self.writer.value(row, UNIT, unit, remark)
        remark = Style(font=NOTE, alignment=NOTE_ALIGNMENT, border=UNDERLINE)
        self.writer.value(row, NOTES, note, remark)
        note, label = self.writer.say(note), self.writer.say(label)
        lines = max(
            1, math.ceil(len(note) / (WIDTHS["G"] + 4)), math.ceil(len(label) / (WIDTHS["B"] + 2))
        )
        self.sheet.row_dimensions[row].height = LINE_HEIGHT * lines

    def figure(self, row: int, formula: Formula, name: str, text: str, note: str) -> None:
        """Write a formula with its value, and define the name of its cell."""
        self.label(row, formula.label, formula.unit, note)
        style = Style(BODY, None, formula.number_format, RIGHT, UNDERLINE)
        self.writer.formula(row, FIRST, text, self.values[formula.symbol], style)
        define(self.book, name, "Engine", f"$C${row}")
