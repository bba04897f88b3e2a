"""The sheet About: what the workbook is, how to read it, what its alerts mean."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from openpyxl.workbook import Workbook

from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.checks import write_checks
from xlsizing.book.hosts import Host
from xlsizing.book.lambdas import examples
from xlsizing.book.origin import origin_line
from xlsizing.book.pages import protect, set_page
from xlsizing.book.styles import (
    BODY,
    HEADING,
    HEADING_FILL,
    LEFT,
    LINE_HEIGHT,
    RIGHT,
    STRONG,
    SUBTITLE,
    TITLE,
    WRAP,
)
from xlsizing.book.tables import Column, write_table
from xlsizing.core import ALERT_RULES, AlertRule, Catalogs, SizingResult
from xlsizing.core.alerts import SEVERITIES
from xlsizing.core.message import Day, Figure, Message
from xlsizing.core.planning.cells import Value
from xlsizing.language import ENGLISH, Language
from xlsizing.resources import shipped

_WIDTHS = (30, 14, 8, 52, 62)
_PROSE_CHARACTERS = 165
"""Characters of prose that fit on a line across all columns."""

_WRAPPED = Style(font=BODY, alignment=WRAP)
_NUMBER = Style(font=BODY, alignment=RIGHT)


def write_about_sheet(
    book: Workbook,
    notes: PackageNotes,
    page: str,
    result: SizingResult,
    catalogs: Catalogs,
    host: Host,
    made_on: date | None = None,
) -> None:
    """Write the sheet.

    Parameters
    ----------
    page : the file in workbook/ that its prose is in.
    result : the sizing that the examples are of.
    catalogs : what the workbook holds.
    host : what computes the functions.
    made_on : a date that the sheet names; none unless somebody gave one.
    """
    sheet = book.create_sheet("About")
    writer = Writer(sheet, notes)
    for letter, width in zip("ABCDE", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    writer.value(1, 1, Message("About this workbook"), Style(font=TITLE))
    writer.value(2, 1, origin_line(catalogs), Style(font=SUBTITLE))
    if made_on is not None:
        writer.value(
            3, 1, Message("Made on {date}", date=Day(made_on.isoformat())), Style(font=SUBTITLE)
        )
    row = _write_prose(writer, 4, page)
    row = _write_functions(writer, row, result, host)
    end_of_first_page = row - 1
    row = _write_alert_rules(writer, row)
    writer.value(row, 1, Message("Checks"), Style(font=HEADING))
    write_checks(book, writer, row + 1, result)
    set_page(sheet, first_free_row=4, breaks=[end_of_first_page])
    protect(sheet)


def _write_functions(writer: Writer, row: int, result: SizingResult, host: Host) -> int:
    """Write how to call each function, as text; returns the row after it."""
    writer.value(
        row,
        1,
        Message("Functions for your own sheets ({needs})", needs=host.needs),
        Style(font=HEADING),
    )
    heads = (
        Message("Function"),
        Message("Answer"),
        "",
        Message("What it gives"),
        Message("Example"),
    )
    for column, head in enumerate(heads, start=1):
        writer.value(row + 1, column, head, Style(STRONG, HEADING_FILL, None, LEFT))
    row += 2
    for example in examples(result):
        writer.value(row, 1, example.function.name, Style(font=STRONG, alignment=WRAP))
        writer.value(row, 2, _as_shown(example.answer), Style(font=BODY, alignment=WRAP))
        writer.value(row, 4, example.function.comment, _WRAPPED)
        writer.value(row, 5, example.call, _WRAPPED)
        lines = math.ceil(len(writer.say(example.function.comment)) / _WIDTHS[3])
        writer.sheet.row_dimensions[row].height = LINE_HEIGHT * lines
        row += 1
    return _write_lines(writer, row, host.hints) + 1


def _as_shown(answer: Value) -> str:
    if isinstance(answer, float):
        return Figure(f"{answer:,.4f}".rstrip("0").rstrip("."))
    return str(answer)


def _prose(page: str, language: Language) -> list[str]:
    own = page if language is ENGLISH else f"{page.removesuffix('.md')}.{language.code}.md"
    text = (Path(shipped("workbook")) / own).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line]


def _write_prose(writer: Writer, row: int, page: str) -> int:
    for line in _prose(page, writer.notes.language):
        if line.startswith("# "):
            writer.value(row, 1, line[2:], Style(font=HEADING))
            row += 1
        else:
            row = _write_lines(writer, row, [line])
    return row + 1


def _write_lines(writer: Writer, row: int, texts: Sequence[str]) -> int:
    """Write texts across all columns; returns the row after them."""
    for text in texts:
        writer.value(row, 1, text, _WRAPPED)
        writer.sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=5)
        lines = math.ceil(len(writer.say(text)) / _PROSE_CHARACTERS)
        writer.sheet.row_dimensions[row].height = LINE_HEIGHT * lines
        row += 1
    return row


FILLED_IN: Mapping[str, str] = {
    "budget_remedies": Message("[the changes that fit a session]"),
    "weights_remedies": Message("[the changes that fit the weights]"),
}
"""What stands for the words in braces of a rule's advice; the Warnings sheet fills it in."""


def advice(rule: AlertRule) -> str:
    """What to do about an alert, as the table of rules says it."""
    return rule.recommendation.filled(**FILLED_IN)


def _write_alert_rules(writer: Writer, row: int) -> int:
    """Write what each alert means; returns the row after it."""
    writer.value(row, 1, Message("Alert rules"), Style(font=HEADING))
    columns: Sequence[Column[AlertRule]] = (
        Column(Message("Code"), lambda rule: rule.code, width=_WIDTHS[0]),
        Column(Message("Severity"), lambda rule: SEVERITIES[rule.severity], width=_WIDTHS[1]),
        Column(
            Message("Rule"),
            lambda rule: list(ALERT_RULES).index(rule.key) + 1,
            width=_WIDTHS[2],
            style=_NUMBER,
        ),
        Column(Message("When"), lambda rule: rule.when, width=_WIDTHS[3], style=_WRAPPED),
        Column(Message("What to do"), lambda rule: advice(rule), width=_WIDTHS[4], style=_WRAPPED),
    )
    placed = write_table(writer, "AlertRules", columns, list(ALERT_RULES.values()), row + 1)
    for rule, line in zip(ALERT_RULES.values(), placed.rows, strict=True):
        lines = max(
            math.ceil(len(writer.say(rule.when)) / _WIDTHS[3]),
            math.ceil(len(writer.say(advice(rule))) / _WIDTHS[4]),
        )
        writer.sheet.row_dimensions[line].height = LINE_HEIGHT * lines
    return placed.last_row + 2
