"""The sheet Charts: pictures of the plan on Sizing, and below them the figures that they show."""

from collections.abc import Sequence

from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.page import PageMargins

from xlsizing.book.cells import AltText, PackageNotes, Style, Writer
from xlsizing.book.charts.contexts import write_contexts
from xlsizing.book.charts.hbm import write_hbm
from xlsizing.book.charts.nodes import write_nodes
from xlsizing.book.charts.page import FIRST_COLUMN, LAST_COLUMN, MIDDLE_COLUMN, ChartsPage, Drawn
from xlsizing.book.charts.precisions import write_precisions
from xlsizing.book.charts.scenarios import write_scenarios
from xlsizing.book.engine.scenarios import ScenarioTable
from xlsizing.book.pages import set_page
from xlsizing.book.styles import HEADING, SUBTITLE, TITLE
from xlsizing.book.values import formula_values
from xlsizing.core import Catalogs, SizingResult

SHEET = "Charts"
TITLE_TEXT = "What the plan looks like"

_LABEL_WIDTH, _WIDTH = 26, 11.7
_FIRST_CHART_ROW = 4
_CHART_ROWS, _LOW_CHART_ROWS = 13, 10
"""Rows that a chart covers: two of them fit beside each other on a small screen."""
_CELL_WIDTH_COVERED, _CELL_HEIGHT_COVERED = 760_000, 130_000
"""How far a chart reaches into its last column and row [EMU]: nearly all of them."""


def write_charts_sheet(
    book: Workbook,
    notes: PackageNotes,
    result: SizingResult,
    catalogs: Catalogs,
    table: ScenarioTable | None = None,
) -> None:
    """Write the sheet for one sizing, and for the rows of Scenarios where there is that sheet."""
    sheet = book.create_sheet(SHEET)
    sheet.column_dimensions["A"].width = 2
    for column in range(FIRST_COLUMN, LAST_COLUMN + 1):
        width = _LABEL_WIDTH if column == FIRST_COLUMN else _WIDTH
        sheet.column_dimensions[get_column_letter(column)].width = width
    page = ChartsPage(Writer(sheet, notes), result, catalogs, formula_values(result, catalogs))
    page.writer.value(1, FIRST_COLUMN, TITLE_TEXT, Style(font=TITLE))
    question = notes.values["Sizing", "B2"]
    page.writer.formula(2, FIRST_COLUMN, "Sizing!$B$2", question, Style(font=SUBTITLE))
    figures = _figures_row(table)
    page.writer.value(figures, FIRST_COLUMN, "The figures behind the charts", Style(font=HEADING))
    charts = _write_figures(page, figures + 2, table)
    _place_charts(page, charts)
    _set_pages(page, figures)


def _figures_row(table: ScenarioTable | None) -> int:
    """The row that the figures begin in, below the charts."""
    below = _FIRST_CHART_ROW + 2 * (_CHART_ROWS + 1)
    return below + (_LOW_CHART_ROWS + 1 if table else 0) + 1


def _write_figures(page: ChartsPage, row: int, table: ScenarioTable | None) -> list[Drawn]:
    """Write all figures, two tables side by side where they are small; returns the charts."""
    nodes, hbm = write_nodes(page, row), write_hbm(page, row)
    row = max(nodes.last_row, hbm.last_row) + 2
    precisions = write_precisions(page, row)
    scenarios = [write_scenarios(page, row, *table)] if table else []
    row = max(each.last_row for each in (precisions, *scenarios)) + 2
    return [nodes, write_contexts(page, row), hbm, precisions, *scenarios]


def _place_charts(page: ChartsPage, charts: Sequence[Drawn]) -> None:
    """Put the charts on the sheet two by two, and the last one of an odd number over both places."""
    notes, sheet = page.writer.notes, page.writer.sheet
    row = _FIRST_CHART_ROW
    for number, drawn in enumerate(charts):
        on_the_left = number % 2 == 0
        alone = on_the_left and number == len(charts) - 1
        left = FIRST_COLUMN if on_the_left else MIDDLE_COLUMN
        right = MIDDLE_COLUMN - 1 if on_the_left and not alone else LAST_COLUMN
        rows = _LOW_CHART_ROWS if alone else _CHART_ROWS
        page.caption(row, left, drawn)
        # Between cells, so that it covers the same ones whatever a program makes of their widths.
        drawn.chart.anchor = TwoCellAnchor(
            _from=AnchorMarker(col=left - 1, row=row),
            to=AnchorMarker(
                col=right - 1,
                colOff=_CELL_WIDTH_COVERED,
                row=row + rows - 1,
                rowOff=_CELL_HEIGHT_COVERED,
            ),
        )
        sheet.add_chart(drawn.chart)
        if not on_the_left:
            row += rows + 1
        notes.alt_texts.setdefault(SHEET, []).append(AltText(drawn.name, drawn.alt_text))


def _set_pages(page: ChartsPage, figures: int) -> None:
    """Print the charts on one page and the figures on the next."""
    sheet = page.writer.sheet
    set_page(sheet, first_free_row=3)
    last = get_column_letter(LAST_COLUMN)
    sheet.print_area = f"A1:{last}{figures - 1},A{figures}:{last}{sheet.max_row}"
    sheet.page_margins = PageMargins(0.3, 0.3, 0.3, 0.5, 0.2, 0.2)
