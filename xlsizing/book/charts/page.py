"""The sheet Charts while it is written: its figures, and what each chart is drawn from.

A figure that there is not is #N/A, which charts leave out; where the plan on Sizing is fine,
there is none. The text of a formula is the method's own, over cells of the figures.
"""

from collections.abc import Mapping
from typing import NamedTuple

from openpyxl.chart import BarChart, LineChart
from openpyxl.utils import get_column_letter

from xlsizing.book.cells import Style, Writer
from xlsizing.book.charts.look import Frame, dress
from xlsizing.book.charts.series import Cells
from xlsizing.book.expressions import COUNT, Formula, render
from xlsizing.book.formulas import OUTPUTS, STEPS
from xlsizing.book.sizing_sheet import reference
from xlsizing.book.styles import (
    APART,
    BODY,
    COLUMN_FILL,
    COLUMN_HEAD,
    COLUMN_HEAD_ALIGNMENT,
    HEADING,
    LEFT,
    NOTE,
    RIGHT,
    UNDERLINE,
)
from xlsizing.core import Catalogs, SizingResult
from xlsizing.core.planning.cells import CellError, Value

NOT_THERE = CellError("#N/A")
"""What a figure shows that there is not."""

GIB_FORMAT = "#,##0.00"
IN_MILLIONS, IN_BILLIONS = "#,##0.0,,", "#,##0.0,,,"
"""Number formats that show bytes as MB and GB; the cells hold all of them."""

FIRST_COLUMN, MIDDLE_COLUMN, LAST_COLUMN = 2, 8, 14
"""The columns in which the sheet and its right half begin, and its last one."""

_FORMULAS: Mapping[str, Formula] = {formula.symbol: formula for formula in (*STEPS, *OUTPUTS)}


class Drawn(NamedTuple):
    """A chart, what it is called and shows in words, and the sentence that stands above it."""

    chart: BarChart | LineChart
    name: str
    alt_text: str
    caption: str | None
    """Its formula, where it follows the inputs."""
    caption_value: str
    last_row: int
    """The last row of the figures behind it."""


class ChartsPage:
    """The sheet Charts while it is written."""

    def __init__(
        self,
        writer: Writer,
        result: SizingResult,
        catalogs: Catalogs,
        values: Mapping[str, Value],
    ) -> None:
        self.writer = writer
        self.result = result
        self.catalogs = catalogs
        self.values = values
        """The values of the formulas on Sizing, by symbol."""

    def dress(
        self,
        chart: BarChart | LineChart,
        title: str,
        categories: str,
        values: str,
        frame: Frame,
    ) -> None:
        """Give a chart its titles, in the language of the workbook, and quiet lines."""
        say = self.writer.say
        dress(chart, say(title), say(categories), say(values), frame)

    def title(self, row: int, column: int, text: str) -> None:
        """Write the title of a table of figures."""
        self.writer.value(row, column, text, Style(font=HEADING))

    def heads(self, row: int, column: int, *heads: str) -> None:
        """Write the heads of its columns; an empty one goes on with the one before it."""
        style = Style(font=COLUMN_HEAD, fill=COLUMN_FILL, alignment=COLUMN_HEAD_ALIGNMENT)
        for at, text in enumerate(heads, start=column):
            self.writer.value(row, at, text or None, style)
        self.writer.sheet.row_dimensions[row].height = 32

    def label(self, row: int, column: int, text: str, columns: int = 1) -> None:
        """Write what a row of figures is, over so many columns."""
        for place in range(columns):
            style = Style(font=BODY, alignment=APART, border=UNDERLINE)
            self.writer.value(row, column + place, text if place == 0 else None, style)

    def given(self, row: int, column: int, value: Value, number_format: str = COUNT) -> None:
        """Write a figure that is no formula."""
        self.writer.value(row, column, value, Style(NOTE, None, number_format, RIGHT, UNDERLINE))

    def figure(
        self, row: int, column: int, text: str, value: Value, number_format: str = COUNT
    ) -> None:
        """Write a formula that comes to a number, or to #N/A where it comes to an error."""
        style = Style(BODY, None, number_format, RIGHT, UNDERLINE)
        self.writer.formula(row, column, f"IFERROR({text},NA())", value, style)

    def text(self, row: int, column: int, text: str, value: str, otherwise: str = '""') -> None:
        """Write a formula that comes to a text, or to another where it comes to an error."""
        style = Style(font=BODY, alignment=APART, border=UNDERLINE)
        self.writer.formula(row, column, f"IFERROR({text},{otherwise})", value, style)

    def figure_or_words(self, row: int, column: int, text: str, value: Value) -> None:
        """Write a formula that comes to a count, or to words where there is none."""
        style = Style(BODY, None, COUNT, RIGHT, UNDERLINE)
        self.writer.formula(row, column, text, value, style)

    def caption(self, row: int, column: int, drawn: Drawn) -> None:
        """Write the sentence above a chart."""
        style = Style(font=NOTE, alignment=LEFT)
        if drawn.caption is None:
            self.writer.value(row, column, drawn.caption_value, style)
        else:
            self.writer.formula(row, column, drawn.caption, drawn.caption_value, style)

    def cells(self, row: int, column: int, last_row: int = 0, last_column: int = 0) -> Cells:
        """Cells that were written, one or up to a last row or column."""
        first, last = place(row, column), place(last_row or row, last_column or column)
        return Cells(self.writer, first if first == last else f"{first}:{last}")


def place(row: int, column: int) -> str:
    """The address of a cell, such as B4."""
    return f"{get_column_letter(column)}{row}"


def in_column(row: int, column: int) -> str:
    """A cell of a formula's own row, such as $B4."""
    return f"${place(row, column)}"


def in_row(row: int, column: int) -> str:
    """A cell of a formula's own column, such as B$4."""
    return f"{get_column_letter(column)}${row}"


def method(symbol: str, **own: str) -> str:
    """A formula of the method over cells of its own, and over Sizing's where none is given.

    Parameters
    ----------
    symbol : the figure that the formula computes.
    own : references by symbol, which stand in the place of Sizing's names.
    """
    return render(_FORMULAS[symbol].source, lambda each: own.get(each) or reference(each))


def sizing(text: str) -> str:
    """A text over symbols as a formula over Sizing's names."""
    return render(text, reference)


def if_known(text: str) -> str:
    """A sentence over Sizing's names, or the status where a figure in it is none."""
    return f"IFERROR({sizing(text)},Output_Status)"
