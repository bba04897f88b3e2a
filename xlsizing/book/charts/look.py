"""What the charts of a workbook look like: type, axes, lines and fills."""

from collections.abc import Iterable
from typing import NamedTuple

from openpyxl.chart import BarChart, LineChart
from openpyxl.chart.axis import ChartLines, _BaseAxis
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.marker import DataPoint, Marker
from openpyxl.chart.series import Series
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import (
    CharacterProperties,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
)

from xlsizing.book import styles
from xlsizing.palette import INK, QUIET, RULE

_POINT = 100
"""Font sizes are in hundredths of a point."""
_EMU_PER_POINT = 12_700
_TITLE, _SMALL = 12 * _POINT, 9 * _POINT


class Frame(NamedTuple):
    """Where the bars or lines of a chart stand in it, as shares of its width and height."""

    left: float
    top: float
    width: float
    height: float


def dress(
    chart: BarChart | LineChart, title: str, categories: str, values: str, frame: Frame
) -> None:
    """Give a chart its title, the titles of its axes, and quiet lines.

    Parameters
    ----------
    chart : a chart of categories and values.
    title : what is to be seen.
    categories, values : what the axes count, with units.
    frame : what is left for bars or lines beside titles, labels and legend.
    """
    chart.title = _title(title, _TITLE, INK, bold=True)
    chart.x_axis.title = _title(categories, _SMALL, QUIET, bold=False)
    chart.y_axis.title = _title(values, _SMALL, QUIET, bold=False)
    _quiet(chart.x_axis)
    _quiet(chart.y_axis)
    # A bar is as long as its figure only from 0 on.
    chart.y_axis.scaling.min = 0
    chart.x_axis.number_format = chart.y_axis.number_format = "#,##0"
    chart.y_axis.majorGridlines = ChartLines(GraphicalProperties(ln=_line(RULE, 0.5)))
    chart.roundedCorners = False
    chart.graphical_properties = GraphicalProperties(solidFill="FFFFFF", ln=_line(RULE, 0.75))
    # Left to themselves, programs lose much of a low chart between axis and legend.
    x, y, w, h = frame
    edges = ManualLayout(layoutTarget="inner", xMode="edge", yMode="edge", x=x, y=y, w=w, h=h)
    chart.layout = Layout(edges)
    assert chart.legend
    chart.legend.position = "b"
    chart.legend.overlay = False
    chart.legend.txPr = _text(_SMALL, INK)


def paint(series: Series, colour: str) -> None:
    """Fill the bars of a series."""
    series.graphicalProperties = GraphicalProperties(solidFill=colour, ln=_line("FFFFFF", 0.5))


def paint_each(series: Series, colours: Iterable[str]) -> None:
    """Fill the bars of a series, each in a colour of its own."""
    for place, colour in enumerate(colours):
        # With an edge, the thinnest sliver is seen.
        fill = GraphicalProperties(solidFill=colour, ln=_line(QUIET, 0.5))
        series.dPt.append(DataPoint(idx=place, invertIfNegative=False, spPr=fill))


def hide(series: Series) -> None:
    """Draw nothing of a series that only moves others away from the axis."""
    series.graphicalProperties = GraphicalProperties(noFill=True, ln=LineProperties(noFill=True))


def draw_line(
    series: Series, colour: str, dash: styles.Dash, marker: styles.Marker | None, points: float
) -> None:
    """Draw a series as a line `points` wide, with markers or with none."""
    series.smooth = False
    series.graphicalProperties = GraphicalProperties(ln=_line(colour, points, dash))
    series.marker = Marker(symbol=marker or "none")
    if marker:
        series.marker.size = 5
        series.marker.spPr = GraphicalProperties(solidFill=colour, ln=_line(colour, 0.75))


def label_values(series: Series, number_format: str) -> None:
    """Write the values of a series above its bars."""
    series.dLbls = DataLabelList(
        numFmt=number_format,
        txPr=_text(_SMALL, INK),
        dLblPos="outEnd",
        showVal=True,
        showLegendKey=False,
        showCatName=False,
        showSerName=False,
        showPercent=False,
        showBubbleSize=False,
    )


def _quiet(axis: _BaseAxis) -> None:
    # Without this, some programs take the axis for a deleted one.
    axis.delete = False
    axis.majorTickMark = axis.minorTickMark = "none"
    axis.majorGridlines = None
    axis.txPr = _text(_SMALL, INK)
    axis.spPr = GraphicalProperties(ln=_line(QUIET, 0.75))


def _title(text: str, size: int, colour: str, *, bold: bool) -> Title:
    look = CharacterProperties(sz=size, b=bold, solidFill=colour)
    run = RegularTextRun(rPr=look, t=text)
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=look), r=[run])
    return Title(tx=Text(rich=RichText(p=[paragraph])), overlay=False)


def _text(size: int, colour: str, *, bold: bool = False) -> RichText:
    look = CharacterProperties(sz=size, b=bold, solidFill=colour)
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=look), endParaRPr=CharacterProperties())
    return RichText(p=[paragraph])


def _line(colour: str, points: float, dash: styles.Dash = "solid") -> LineProperties:
    return LineProperties(solidFill=colour, w=round(points * _EMU_PER_POINT), prstDash=dash)
