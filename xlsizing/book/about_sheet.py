"""The sheet About: what the workbook is, how to read it, what its alerts mean."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from openpyxl.workbook import Workbook

from xlsizing import __version__
from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.pages import protect, set_page
from xlsizing.book.styles import BODY, HEADING, RIGHT, SUBTITLE, TITLE, WRAP
from xlsizing.book.tables import Column, write_table
from xlsizing.core import (
    ALERT_RULES,
    AlertRule,
)
from xlsizing.resources import shipped

_WIDTHS = (34, 25, 14, 66, 88)
_PROSE_CHARACTERS = 210
"""Characters of prose that fit on a line across all columns."""

_WRAPPED = Style(font=BODY, alignment=WRAP)
_NUMBER = Style(font=BODY, alignment=RIGHT)


def write_about_sheet(book: Workbook, notes: PackageNotes, page: str) -> None:
    """Write the sheet with the prose of a page of workbook/, its tables, and their names."""
    sheet = book.create_sheet("About")
    writer = Writer(sheet, notes)
    for letter, width in zip("ABCDE", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    writer.value(1, 1, "About this workbook", Style(font=TITLE))
    writer.value(2, 1, f"Made by xlsizing {__version__}", Style(font=SUBTITLE))
    row = _write_prose(writer, 4, page)
    _write_alert_rules(writer, row)
    set_page(sheet, first_free_row=4)
    protect(sheet)


def _prose(page: str) -> list[str]:
    text = (Path(shipped("workbook")) / page).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line]


def _write_prose(writer: Writer, row: int, page: str) -> int:
    for line in _prose(page):
        if line.startswith("# "):
            writer.value(row, 1, line[2:], Style(font=HEADING))
        else:
            writer.value(row, 1, line, _WRAPPED)
            writer.sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=5)
            lines = math.ceil(len(line) / _PROSE_CHARACTERS)
            writer.sheet.row_dimensions[row].height = 15.5 * lines
        row += 1
    return row + 1


FILLED_IN: Mapping[str, str] = {
    "budget_remedies": "[the changes that fit a session]",
    "weights_remedies": "[the changes that fit the weights]",
}
"""What stands for the words in braces of a rule's advice; the Warnings sheet fills it in."""


def advice(rule: AlertRule) -> str:
    """What to do about an alert, as the table of rules says it."""
    return rule.recommendation.format(**FILLED_IN)


def _write_alert_rules(writer: Writer, row: int) -> None:
    writer.value(row, 1, "Alert rules", Style(font=HEADING))
    columns: Sequence[Column[AlertRule]] = (
        Column("Code", lambda rule: rule.code, width=_WIDTHS[0]),
        Column("Severity", lambda rule: rule.severity, width=_WIDTHS[1]),
        Column(
            "Rule",
            lambda rule: list(ALERT_RULES).index(rule.key) + 1,
            width=_WIDTHS[2],
            style=_NUMBER,
        ),
        Column("When", lambda rule: rule.when, width=_WIDTHS[3], style=_WRAPPED),
        Column("What to do", lambda rule: advice(rule), width=_WIDTHS[4], style=_WRAPPED),
    )
    write_table(writer, "AlertRules", columns, list(ALERT_RULES.values()), row + 1)
