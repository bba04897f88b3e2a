"""Writing a page of the report to a sheet, through what every host of xlwings has.

Values go in at once and looks by areas: each call is a round trip to Excel, on the web one
over the network.
"""

from collections.abc import Callable
from contextlib import suppress

import xlwings

from xlsizing.core.planning.cells import Value
from xlsizing.excel.full_report import hosts
from xlsizing.excel.full_report.page import Area, Chart, Highlight, Look, Page, runs

ROWS_AT_ONCE = 2_000
"""Rows that one call writes: a host may refuse a larger message."""


def write_page(page: Page, sheet: xlwings.Sheet) -> None:
    """Write a page to an empty sheet."""
    rows = [[_cell(value) for value in row] for row in page.rows]
    _range(sheet, page.area).options(chunksize=ROWS_AT_ONCE).value = rows
    _set_widths(page, sheet)
    for area, look in page.looks:
        _dress(_range(sheet, area), look)
    for first, last, points in page.heights:
        _range(sheet, Area(first, 1, last, 1)).row_height = points
    for area in page.fitted:
        _range(sheet, area).rows.autofit()
    for area in page.merged:
        _range(sheet, area).merge(across=True)
    for highlight in page.highlights:
        _highlight(sheet, highlight)
    for chart in page.charts:
        _draw(sheet, chart)
    _if_there(lambda: _hide_grid(sheet))
    hosts.freeze(sheet, *page.frozen)


def _range(sheet: xlwings.Sheet, area: Area) -> xlwings.Range:
    return sheet.range((area.top, area.left), (area.bottom, area.right))


def _cell(value: Value) -> Value:
    """A value as Excel takes it for what it is.

    Text gets an apostrophe before it, which is not shown: without it Excel would read a
    name such as =1+1, 1/2 or May 5 as a formula or a date. Numbers are as Excel has them:
    Windows would refuse integers beyond 32 bits.
    """
    if isinstance(value, str):
        return f"'{value}"
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _set_widths(page: Page, sheet: xlwings.Sheet) -> None:
    in_points = hosts.is_remote(sheet.book.app)
    for first, last, width in runs(page.widths):
        columns = _range(sheet, Area(1, first + 1, 1, last + 1))
        columns.column_width = points(width) if in_points else width


def points(characters: float) -> float:
    """A column's width in points, from characters as desktop Excel counts them.

    Of a character Excel makes 7 pixels, with 5 more for the column, and 96 pixels an inch.
    """
    return (characters * 7 + 5) * 72 / 96


def _dress(cells: xlwings.Range, look: Look) -> None:
    """Give cells a look."""
    font = cells.font
    if look.bold is not None:
        font.bold = look.bold
    if look.size is not None:
        font.size = look.size
    if look.ink is not None:
        font.color = _colour(look.ink)
    if look.ground is not None:
        cells.color = _colour(look.ground)
    if look.number_format is not None:
        cells.number_format = look.number_format
    if look.horizontal is not None:
        cells.horizontal_alignment = look.horizontal
    if look.vertical is not None:
        cells.vertical_alignment = look.vertical
    if look.wrap is not None:
        cells.wrap_text = look.wrap
    if look.underline is not None:
        sides = ["edge_bottom", *(["inside_horizontal"] if cells.shape[0] > 1 else [])]
        cells.borders.set(sides, color=_colour(look.underline), line_style="continuous")


def _colour(digits: str) -> str:
    return f"#{digits}"


def _highlight(sheet: xlwings.Sheet, highlight: Highlight) -> None:
    # A rule of another kind would read its references from wherever the cursor stands.
    _range(sheet, highlight.area).conditional_formats.add_cell_value(
        highlight.operator, f'="{highlight.word}"', fill_color=_colour(highlight.ground)
    )


def _draw(sheet: xlwings.Sheet, drawn: Chart) -> None:
    """Draw a chart of figures that stand on the same sheet."""
    width, height = drawn.size
    chart = sheet.charts.add(
        width=width,
        height=height,
        chart_type=drawn.kind,
        source=_range(sheet, drawn.figures),
        plot_by="columns",
        name=drawn.name,
        anchor=_range(sheet, drawn.corner),
    )
    chart.set_x_axis_values(_range(sheet, drawn.labels))
    chart.title = drawn.title
    if drawn.has_legend:
        chart.legend.position = "bottom"
    else:
        chart.legend.visible = False
    if drawn.categories:
        chart.category_axis.title = drawn.categories
    chart.value_axis.set(title=drawn.values, number_format=drawn.axis_format, minimum_scale=0)
    _if_there(lambda: _colour_columns(chart, drawn))


def _colour_columns(chart: xlwings.Chart, drawn: Chart) -> None:
    for place, colour in enumerate(drawn.colours):
        chart.series[place].fill_color = _colour(colour)


def _hide_grid(sheet: xlwings.Sheet) -> None:
    sheet.show_gridlines = False


def _if_there(dress: Callable[[], None]) -> None:
    """Do what only changes looks, unless this host has no such thing."""
    with suppress(NotImplementedError):
        dress()
