"""The sheet Report: what the full report says, as texts of the moment at which it was made.

Unlike all other sheets it does not follow what is typed. A check at its top, which does,
says whether the workbook still agrees with it.
"""

import math
import re
import textwrap
from collections.abc import Iterator, Sequence

from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook

from xlsizing.blocks import Alerts, Block, Report, Section, Steps, Table
from xlsizing.book import report_check
from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.names import define
from xlsizing.book.pages import protect, set_page, upright_breaks
from xlsizing.book.scenario import Scenario
from xlsizing.book.styles import (
    BODY,
    HEADING,
    HEADING_FILL,
    LINE_HEIGHT,
    NOTE,
    SEVERITY_FILLS,
    STRONG,
    TITLE,
    UNDERLINE,
    highlight,
)
from xlsizing.core import SizingResult
from xlsizing.core.alerts import SEVERITIES, Alert
from xlsizing.core.message import Figure, Message, joined
from xlsizing.core.planning.cells import Value
from xlsizing.language import ENGLISH, Language
from xlsizing.palette import ACCENT

TITLE_OF_SHEET = "Report"

_FIRST = 2
"""The column of the first text; the one before it is a margin."""
_MARGIN, _LABEL, _REST, _NARROWEST = 2.0, 27.0, 74.0, 9.0
"""Width of the margin, of the first column, of all others together, and of the narrowest one
[characters]."""
_LETTERS = 1.08
"""Letters of a text in the room of a digit, by which widths of columns are counted."""
_INDENT = 2.0
"""What a text beside figures is moved in by [characters]."""
_MOST_NEEDED = 60
"""Characters beyond which a text in a table goes on on the next line."""
_WHOLE = 12
"""Rows of a table that is never split between pages."""
_LEAST = 3
"""Rows of a split table that stand together on a page."""
_GAP = 6.0
"""Height of the gap between parts of a section [points]."""
_HIGHEST = 409.0
"""Height that a row may have [points]."""
_CHECK = 3
"""The row of the check."""
_MOST_DIGITS = 15
"""Digits that a cell's number has."""

_WRAPPED = Alignment(wrap_text=True, vertical="center")
_APART = Alignment(wrap_text=True, vertical="center", horizontal="left", indent=1)
_AT_RIGHT = Alignment(wrap_text=True, vertical="center", horizontal="right")
_AT_TOP = Alignment(wrap_text=True, vertical="top")
_FITTED = Alignment(vertical="center", shrink_to_fit=True)
_EQUATION = '"= "@'
"""Number format of an equation's parts: with the sign in the cell they would look like formulas."""
_ANSWER = Font(name=BODY.name, size=13, bold=True, color=BODY.color)
_BELOW_HEADING = Border(bottom=Side(style="medium", color=ACCENT))
_NUMBER = re.compile(r"([+-]?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?")


def write_report_sheet(
    book: Workbook,
    notes: PackageNotes,
    content: Report,
    result: SizingResult,
    scenarios: Sequence[Scenario],
) -> None:
    """Write the sheet, right after the first one of a workbook that has all others that compute.

    Parameters
    ----------
    content : what the report says.
    result : what the sheet Sizing shows.
    scenarios : the rows of Scenarios.
    """
    sheet = book.create_sheet(TITLE_OF_SHEET, 1)
    page = _Page(Writer(sheet, notes), _columns(content))
    page.write_top(content)
    for section in content.sections:
        page.write_section(section)
    last, ends = page.row - 1, page.ends
    page.write_compared(list(report_check.lines(book, notes, result, scenarios)), book)
    breaks = upright_breaks(sheet, [*ends, last], titles=1)
    set_page(sheet, first_free_row=2, last_printed_row=last, breaks=breaks, upright=True)
    protect(sheet)


def _columns(content: Report) -> int:
    """How many columns the widest of the tables has."""
    tables = [
        block
        for section in content.sections
        for block in section.blocks
        if isinstance(block, Table)
    ]
    return max(len(table.heads) for table in tables)


class _Page:
    """The sheet while it is written, from its top to its end."""

    def __init__(self, writer: Writer, columns: int) -> None:
        self.writer = writer
        self.row = 1
        """The next row to be written."""
        self.ends: list[int] = []
        """The rows after which a page may end."""
        rest = columns - 1
        self.widths = [_LABEL, *[max(_NARROWEST, round(_REST / rest, 1))] * rest]
        for column, width in enumerate([_MARGIN, *self.widths], start=1):
            writer.sheet.column_dimensions[get_column_letter(column)].width = width

    @property
    def last_column(self) -> int:
        """The last column of the page."""
        return _FIRST + len(self.widths) - 1

    def write_top(self, content: Report) -> None:
        """Write the title, the answer, and room for the check."""
        self._text(content.title, Style(font=TITLE, alignment=_FITTED))
        self._text(content.answer, Style(font=_ANSWER, alignment=_WRAPPED), shown=1.3)
        self.row += 1

    def write_section(self, section: Section) -> None:
        """Write a section with its heading."""
        self.row += 1
        self._end_page()
        style = Style(font=HEADING, alignment=_WRAPPED, border=_BELOW_HEADING)
        self._text(section.title, style, shown=1.15)
        before: Block | None = None
        for block in section.blocks:
            is_prose = isinstance(before, str), isinstance(block, str)
            if before is not None and not all(is_prose):
                self.writer.sheet.row_dimensions[self.row].height = _GAP
                self.row += 1
            # What introduces a table, or explains it, stands on its page.
            if before is not None and is_prose[0] == is_prose[1]:
                self._end_page()
            self._write_block(block)
            before = block

    def write_compared(self, lines: Sequence[report_check.Line], book: Workbook) -> None:
        """Write what the check compares, below what is printed, and then the check."""
        self.row += 1
        now = _FIRST + 1 + len(self.widths[1:]) // 2
        title = Message("What the check at the top compares; it is not printed")
        self._text(title, Style(font=HEADING, alignment=_WRAPPED, border=_BELOW_HEADING))
        heads = (Message("Cell"), Message("When the report was made"), Message("Now"))
        for column in range(_FIRST, self.last_column + 1):
            self.writer.value(self.row, column, None, Style(fill=HEADING_FILL))
        for column, head in zip((_FIRST, _FIRST + 1, now), heads, strict=True):
            self.writer.value(self.row, column, head, Style(STRONG, HEADING_FILL))
        first = self.row + 1
        style = Style(font=NOTE, alignment=Alignment(horizontal="left"))
        for row, line in enumerate(lines, start=first):
            self.writer.value(row, _FIRST, line.name, style)
            self.writer.value(row, _FIRST + 1, line.value, style)
            self.writer.formula(row, now, line.formula, line.value, style)
        last = first + len(lines) - 1
        then_letter, now_letter = get_column_letter(_FIRST + 1), get_column_letter(now)
        sheet = self.writer.sheet
        for name, letter in ((report_check.THEN, then_letter), (report_check.NOW, now_letter)):
            define(book, name, sheet.title, f"${letter}${first}:${letter}${last}")
        amber = SEVERITY_FILLS["warning"]
        differs = f"${then_letter}{first}<>${now_letter}{first}"
        highlight(sheet, f"B{first}:{now_letter}{last}", differs, fill=amber)
        self.writer.value(last + 1, _FIRST, Message("Cells that differ"), style)
        self.writer.formula(last + 1, now, report_check.COUNT_FORMULA, 0, style)
        define(book, report_check.DIFFERENCES, sheet.title, f"${now_letter}${last + 1}")
        self._write_check()

    def _write_check(self) -> None:
        style = Style(font=NOTE, alignment=_WRAPPED)
        value = report_check.sentence(0)
        self.writer.formula(_CHECK, _FIRST, report_check.SENTENCE_FORMULA, value, style)
        self._merge(_CHECK, _FIRST, self.last_column)
        sheet = self.writer.sheet
        sheet.row_dimensions[_CHECK].height = self._height([(value, sum(self.widths))])
        cells = f"B{_CHECK}:{get_column_letter(self.last_column)}{_CHECK}"
        changed = f"{report_check.DIFFERENCES}<>0"
        highlight(sheet, cells, changed, fill=SEVERITY_FILLS["warning"])

    def _write_block(self, block: Block) -> None:
        if isinstance(block, Table):
            self._write_table(block)
        elif isinstance(block, Steps):
            self._write_steps(block)
        elif isinstance(block, Alerts):
            for number, alert in enumerate(block.alerts):
                if number:
                    self._end_page()
                self._write_alert(alert)
        else:
            self._text(block, Style(font=BODY, alignment=_WRAPPED))

    def _write_table(self, table: Table) -> None:
        spans = list(_spans(table, self.widths, self.writer.notes.language))
        self._write_row(table.heads, table, spans, Style(STRONG, HEADING_FILL))
        for number, row in enumerate(table.rows):
            self._write_row(row, table, spans, Style(font=BODY, border=UNDERLINE))
            if _LEAST <= number + 1 <= len(table.rows) - _LEAST and len(table.rows) > _WHOLE:
                self._end_page()

    def _write_row(
        self, texts: Sequence[str], table: Table, spans: Sequence[tuple[int, int]], look: Style
    ) -> None:
        language = self.writer.notes.language
        rooms = []
        for column, (text, (first, last)) in enumerate(zip(texts, spans, strict=True)):
            is_number = column in table.numbers
            value, number_format = _number(text, language) if is_number else (text, None)
            alignment = _AT_RIGHT if is_number else _APART if column else _WRAPPED
            style = Style(look.font, look.fill, number_format, alignment, look.border)
            for each in range(first + 1, last + 1):
                self.writer.value(self.row, each, None, Style(fill=look.fill, border=look.border))
            self.writer.value(self.row, first, value, style)
            self._merge(self.row, first, last)
            room = sum(self.widths[first - _FIRST : last - _FIRST + 1])
            rooms.append((text, room - _INDENT if alignment is _APART else room))
        self.writer.sheet.row_dimensions[self.row].height = self._height(rooms)
        self.row += 1

    def _write_steps(self, block: Steps) -> None:
        body = Style(font=BODY, number_format=_EQUATION, alignment=_WRAPPED)
        for number, step in enumerate(block.steps, start=1):
            if number > 1:
                self._end_page()
            name = joined("", (f"{number}. ", step.name))
            self.writer.value(self.row, _FIRST, name, Style(font=STRONG, alignment=_AT_TOP))
            self._text(step.equation, body, first=_FIRST + 1)
            if step.figures:
                self._text(step.figures, body, first=_FIRST + 1)
            result = Style(STRONG, None, _EQUATION, _WRAPPED, UNDERLINE)
            self.writer.value(self.row, _FIRST, None, Style(border=UNDERLINE))
            self._text(step.result, result, first=_FIRST + 1)

    def _write_alert(self, alert: Alert) -> None:
        code = joined(", ", (SEVERITIES[alert.severity], alert.code))
        ground = PatternFill("solid", fgColor=SEVERITY_FILLS[alert.severity].bgColor)
        self._text(code, Style(STRONG, ground, None, _WRAPPED))
        self._text(alert.message, Style(font=BODY, alignment=_WRAPPED))
        advice = Message("What to do: {advice}", advice=alert.recommendation)
        self._text(advice, Style(font=NOTE, alignment=_WRAPPED, border=UNDERLINE))

    def _text(self, text: str, style: Style, *, first: int = _FIRST, shown: float = 1.0) -> None:
        """Write a text from a column to the last one, in letters so many times as large."""
        for column in range(first + 1, self.last_column + 1):
            self.writer.value(self.row, column, None, Style(fill=style.fill, border=style.border))
        self.writer.value(self.row, first, text, style)
        self._merge(self.row, first, self.last_column)
        room = sum(self.widths[first - _FIRST :]) / shown
        self.writer.sheet.row_dimensions[self.row].height = self._height([(text, room)]) * shown
        self.row += 1

    def _merge(self, row: int, first: int, last: int) -> None:
        if last > first:
            self.writer.sheet.merge_cells(
                start_row=row, end_row=row, start_column=first, end_column=last
            )

    def _height(self, rooms: Sequence[tuple[str, float]]) -> float:
        """Height of a row with texts, each in a room of so many characters a line [points]."""
        say = self.writer.notes.language.say
        return min(_HIGHEST, LINE_HEIGHT * max(_lines(say(text), room) for text, room in rooms))

    def _end_page(self) -> None:
        """Let a page end after the row that was written last."""
        self.ends.append(self.row - 1)


def _lines(text: str, room: float) -> int:
    """How many lines a text takes."""
    return max(1, len(textwrap.wrap(text, max(1, math.floor(room * _LETTERS)))))


def _spans(table: Table, widths: Sequence[float], language: Language) -> Iterator[tuple[int, int]]:
    """The first and the last of the sheet's columns that each column of a table takes.

    Columns that are left over go one after the other to where the longest text has the
    least room.
    """
    counts = [1] * len(table.heads)
    needed = [_needed(table, column, language) for column in range(len(counts))]
    for _ in range(len(widths) - len(counts)):
        # The first column has no more room than it has on the whole sheet.
        shares = [needed[place] / (count * widths[-1]) for place, count in enumerate(counts)][1:]
        if not shares or max(shares) <= 1:
            break
        counts[1 + shares.index(max(shares))] += 1
    start = _FIRST
    for count in counts:
        yield start, start + count - 1
        start += count


def _needed(table: Table, column: int, language: Language) -> float:
    """Characters that the longest text of a column takes; a head may have several lines."""
    texts = [language.say(row[column]) for row in table.rows]
    words = language.say(table.heads[column]).split()
    longest = max(map(len, [*texts, *words, ""]))
    return min(_MOST_NEEDED, longest / _LETTERS + (0 if column in table.numbers else _INDENT))


def _number(text: str, language: Language) -> tuple[Value, str | None]:
    """A text as the number that it says, and the number format that says it so again.

    The format says the language too, by which LibreOffice chooses the signs; Excel takes
    those of its own system.
    """
    found = _NUMBER.fullmatch(text)
    digits = sum(each.isdigit() for each in text)
    if not found or digits > _MOST_DIGITS or not isinstance(text, Figure | Message):
        return text, None
    sign, whole, decimals = found.groups()
    plain = text.replace(",", "")
    format_of = "#,##0" if "," in whole or len(whole) <= 3 else "0"
    format_of += "." + "0" * len(decimals) if decimals else ""
    if sign == "+":
        format_of = f"+{format_of};-{format_of}"
    value = float(plain) if decimals else int(plain)
    return value, format_of if language is ENGLISH else f"{_BRAZILIAN}{format_of}"


_BRAZILIAN = "[$-416]"
