"""The sheet Charts: pictures of the plan on Sizing, and below them the figures that they show."""

from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook

from xlsizing.book.cells import AltText, PackageNotes, Style, Writer
from xlsizing.book.charts.contexts import write_contexts
from xlsizing.book.charts.hbm import write_hbm
from xlsizing.book.charts.nodes import write_nodes
from xlsizing.book.charts.page import FIRST_COLUMN, LAST_COLUMN, MIDDLE_COLUMN, ChartsPage, Drawn
from xlsizing.book.charts.precisions import write_precisions
from xlsizing.book.charts.scenarios import write_scenarios
from xlsizing.book.engine.scenarios import ScenarioTable
from xlsizing.book.pages import protect, set_page
from xlsizing.book.styles import HEADING, SUBTITLE, TITLE
from xlsizing.book.values import formula_values
from xlsizing.core import Catalogs, SizingResult
from xlsizing.core.message import Message

SHEET = "Charts"
TITLE_TEXT = Message("What the plan looks like")

_LABEL_WIDTH, _WIDTH = 26, 12.3
_FIRST_CHART_ROW = 4
_ROWS, _ROW_HEIGHT = 13, 14.25
"""Rows of a chart and the sentence above it, and their height [points]; three fit on a page, as do the figures."""
_CELL_WIDTH_COVERED, _CELL_HEIGHT_COVERED = 700_000, 120_000
"""How far a chart reaches into its last column and row [EMU]: nearly all of them."""


def write_charts_sheet(
    book: Workbook,
    notes: PackageNotes,
    result: SizingResult,
    catalogs: Catalogs,
    table: ScenarioTable,
    server_lines: int = 0,
) -> None:
    """Write the sheet for one sizing, and for the first rows of Scenarios.

    Parameters
    ----------
    server_lines : how many servers there is a line for, if more than the catalog has.
    """
    sheet = book.create_sheet(SHEET)
    sheet.column_dimensions["A"].width = 2
    sheet.row_dimensions[3].height = 9
    for column in range(FIRST_COLUMN, LAST_COLUMN + 1):
        width = _LABEL_WIDTH if column == FIRST_COLUMN else _WIDTH
        sheet.column_dimensions[get_column_letter(column)].width = width
    page = ChartsPage(Writer(sheet, notes), result, catalogs, formula_values(result, catalogs))
    page.writer.value(1, FIRST_COLUMN, TITLE_TEXT, Style(font=TITLE))
    question = notes.values["Sizing", "B2"]
    page.writer.formula(2, FIRST_COLUMN, "Sizing!$B$2", question, Style(font=SUBTITLE))
    figures = _FIRST_CHART_ROW + 3 * _ROWS + 1
    page.writer.value(
        figures, FIRST_COLUMN, Message("The figures behind the charts"), Style(font=HEADING)
    )
    _write(page, figures + 2, table, server_lines)
    for row in range(_FIRST_CHART_ROW, sheet.max_row + 1):
        sheet.row_dimensions[row].height = sheet.row_dimensions[row].height or _ROW_HEIGHT
    # The charts are printed on one page, the figures on the next.
    set_page(
        sheet,
        first_free_row=3,
        last_printed_column=get_column_letter(LAST_COLUMN),
        breaks=[figures - 1],
    )
    # So that two charts stand side by side on a small screen in every program.
    sheet.sheet_view.zoomScale = 90
    protect(sheet)


def _write(page: ChartsPage, row: int, table: ScenarioTable, server_lines: int) -> None:
    """Write all figures, two tables side by side where they are small, and place the charts."""
    nodes, hbm = write_nodes(page, row), write_hbm(page, row)
    row = max(nodes.last_row, hbm.last_row) + 2
    precisions = write_precisions(page, row)
    scenarios = write_scenarios(page, row, *table)
    row = max(precisions.last_row, scenarios.last_row) + 2
    contexts = write_contexts(page, row, server_lines)
    ends = [_FIRST_CHART_ROW + number * _ROWS - 1 for number in range(1, 4)]
    starts = [_FIRST_CHART_ROW, *(end + 1 for end in ends)]
    for drawn, start, end in zip((nodes, hbm, precisions), starts, ends, strict=False):
        _place_chart(page, drawn, start, FIRST_COLUMN, end)
    # The lines of all servers need the height.
    _place_chart(page, contexts, starts[0], MIDDLE_COLUMN, ends[1])
    _place_chart(page, scenarios, starts[2], MIDDLE_COLUMN, ends[2])


def _place_chart(page: ChartsPage, drawn: Drawn, row: int, column: int, last_row: int) -> None:
    """Put a chart and its sentence above it on one half of the sheet, down to a row."""
    page.caption(row, column, drawn)
    right = MIDDLE_COLUMN - 1 if column == FIRST_COLUMN else LAST_COLUMN
    # Between cells, so that it covers the same ones whatever a program makes of their widths.
    anchor = TwoCellAnchor(
        _from=AnchorMarker(col=column - 1, row=row),
        to=AnchorMarker(
            col=right - 1,
            colOff=_CELL_WIDTH_COVERED,
            row=last_row - 1,
            rowOff=_CELL_HEIGHT_COVERED,
        ),
    )
    drawn.chart.anchor = anchor  # type: ignore[assignment]  # it takes anchors, too
    page.writer.sheet.add_chart(drawn.chart)
    alt_texts = page.writer.notes.alt_texts.setdefault(SHEET, [])
    alt_texts.append(AltText(page.writer.say(drawn.name), page.writer.say(drawn.alt_text)))
