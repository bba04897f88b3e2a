"""A state as a workbook file, so that its sheets can be looked at.

`python -m tests.excel.report.drawn OUT.xlsx` writes the report of the template's plan.
"""

import io
import math
import sys
from pathlib import Path
from typing import Any, Literal

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference, Series
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from tests.excel.report.double import Book, Excel
from tests.excel.report.plans import planning_workbook
from tests.excel.report.state import Area, BookState, SheetState, address_of, place_of
from xlsizing.excel.full_report import build_report


def drawn(book: BookState, titles: list[str]) -> bytes:
    """The sheets with these titles, as the bytes of an .xlsx file."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for title in titles:
        _draw(made.create_sheet(title), book.sheet(title))
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def _draw(sheet: Worksheet, state: SheetState) -> None:
    for (row, column), value in state.cells.items():
        cell: Any = sheet.cell(row, column)
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"
    for (row, column), look in state.looks.items():
        _dress(sheet.cell(row, column), look)
    _size(sheet, state)
    for area in state.merged:
        sheet.merge_cells(address_of(area))
    for area, operator, word, ground in state.highlights:
        fill = PatternFill(bgColor=ground[1:].upper())
        style = DifferentialStyle(fill=fill)
        rule = Rule("cellIs", dxf=style, operator=_OPERATORS[operator], formula=[f'"{word}"'])
        sheet.conditional_formatting.add(address_of(area), rule)
    for chart in state.charts:
        _add_chart(sheet, chart)
    sheet.sheet_view.showGridLines = state.grid
    last = state.frozen.partition(":")[2]
    row, column = (int(last), 0) if last.isdigit() else place_of(last)
    sheet.freeze_panes = address_of((row + 1, column + 1, row + 1, column + 1))
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


_OPERATORS: dict[str, Literal["equal", "notEqual"]] = {
    "equal_to": "equal",
    "not_equal_to": "notEqual",
}


def _size(sheet: Worksheet, state: SheetState) -> None:
    for column, width in state.widths.items():
        sheet.column_dimensions[get_column_letter(column)].width = width
    for row, height in state.heights.items():
        sheet.row_dimensions[row].height = height
    for area in state.fitted:
        for row in range(area[0], area[2] + 1):
            sheet.row_dimensions[row].height = _fitting(state, area, row)


def _dress(cell: Any, look: dict[str, Any]) -> None:
    cell.font = Font(
        name="Calibri",
        size=look.get("font_size", 11),
        bold=look.get("font_bold", False),
        color=look.get("font_color", "#000000")[1:].upper(),
    )
    if "ground" in look:
        cell.fill = PatternFill("solid", fgColor=look["ground"][1:].upper())
    cell.number_format = look.get("number_format", "General")
    cell.alignment = Alignment(
        horizontal=look.get("horizontal_alignment"),
        vertical=look.get("vertical_alignment"),
        wrap_text=look.get("wrap_text"),
    )
    if "line_line_style" in look:
        cell.border = Border(bottom=Side("thin", color=look["line_color"][1:].upper()))


def _fitting(state: SheetState, area: Area, row: int) -> float:
    """About the height that Excel gives a row for its text."""
    lines = [
        math.ceil(len(str(state.value(row, column) or "")) / state.widths[column] / 0.95)
        for column in range(area[1], area[3] + 1)
        if state.looks[row, column].get("wrap_text")
    ]
    return 15.5 * max(1, *lines)


def _add_chart(sheet: Worksheet, state: dict[str, Any]) -> None:
    chart = BarChart()
    if state["kind"] == "bar_stacked_100":
        chart.type, chart.grouping, chart.overlap = "bar", "percentStacked", 100
    top, left, bottom, right = state["figures"]
    for column in range(left, right + 1):
        values = Reference(sheet, column, top, column, bottom)
        series = Series(values, title_from_data=True)
        if colour := state.get(f"series_{column - left}_fill_color"):
            series.graphicalProperties.solidFill = colour[1:]
        chart.series.append(series)
    chart.set_categories(_reference(sheet, state["labels"]))
    chart.title = state["title"]
    chart.x_axis.title = state.get("category_title")
    chart.y_axis.title = state["value_title"]
    chart.y_axis.number_format = state["value_number_format"]
    chart.y_axis.scaling.min = state["value_minimum_scale"]
    chart.x_axis.delete = chart.y_axis.delete = False
    if state.get("legend_visible") is False:
        chart.legend = None
    else:
        assert chart.legend
        chart.legend.position = "b"
    width, height = state["size"]
    chart.width, chart.height = width / 72 * 2.54, height / 72 * 2.54
    sheet.add_chart(chart, address_of(state["corner"]))


def _reference(sheet: Worksheet, area: Area) -> Reference:
    top, left, bottom, right = area
    return Reference(sheet, left, top, right, bottom)


if __name__ == "__main__":
    plan = Book(planning_workbook(), Excel())
    was = plan.state.titles
    build_report(plan)  # type: ignore[arg-type]
    new = [title for title in plan.state.titles if title not in was]
    Path(sys.argv[1]).write_bytes(drawn(plan.state, new))
