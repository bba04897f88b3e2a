"""What the charts of a workbook look like: type, axes, lines and fills."""

from collections.abc import Iterable

from openpyxl.chart import BarChart, LineChart
from openpyxl.chart.axis import ChartLines, NumericAxis, TextAxis
from openpyxl.chart.label import DataLabel, DataLabelList
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

from xlsizing.book.styles import INK, QUIET, RULE

_POINT = 100
"""Font sizes are in hundredths of a point."""
_EMU_PER_POINT = 12_700
_TITLE, _SMALL = 12 * _POINT, 9 * _POINT


def dress(chart: BarChart | LineChart, title: str, categories: str, values: str) -> None:
    """Give a chart its title, the titles of its axes, and quiet lines.

    Parameters
    ----------
    chart : a chart of categories and values.
    title : what is to be seen.
    categories, values : what the axes count, with units.
    """
    chart.title = _title(title, _TITLE, INK, bold=True)
    chart.x_axis.title = _title(categories, _SMALL, QUIET, bold=False)
    chart.y_axis.title = _title(values, _SMALL, QUIET, bold=False)
    for axis in (chart.x_axis, chart.y_axis):
        _quiet(axis)
    chart.x_axis.number_format = chart.y_axis.number_format = "#,##0"
    chart.y_axis.majorGridlines = ChartLines(GraphicalProperties(ln=_line(RULE, 0.5)))
    chart.roundedCorners = False
    chart.graphical_properties = GraphicalProperties(solidFill="FFFFFF", ln=_line(RULE, 0.75))
    legend_at(chart, "b")


def legend_at(chart: BarChart | LineChart, position: str) -> None:
    """Put a chart's legend at its bottom (b) or right (r)."""
    assert chart.legend
    chart.legend.position = position
    chart.legend.overlay = False
    chart.legend.txPr = _text(_SMALL, INK)


def paint(series: Series, colour: str) -> None:
    """Fill the bars of a series."""
    series.graphicalProperties = GraphicalProperties(solidFill=colour, ln=_line("FFFFFF", 0.5))


def paint_each(series: Series, colours: Iterable[str]) -> None:
    """Fill the bars of a series, each in a colour of its own."""
    for place, colour in enumerate(colours):
        fill = GraphicalProperties(solidFill=colour, ln=_line("FFFFFF", 0.5))
        series.dPt.append(DataPoint(idx=place, invertIfNegative=False, spPr=fill))


def hide(series: Series) -> None:
    """Draw nothing of a series that only moves others away from the axis."""
    series.graphicalProperties = GraphicalProperties(noFill=True, ln=LineProperties(noFill=True))


def draw_line(series: Series, colour: str, dash: str, marker: str, points: float) -> None:
    """Draw a series as a line with markers, `points` wide; a marker of "none" is none."""
    series.smooth = False
    series.graphicalProperties = GraphicalProperties(ln=_line(colour, points, dash))
    series.marker = Marker(symbol=marker)
    if marker != "none":
        series.marker.size = 5
        series.marker.spPr = GraphicalProperties(solidFill=colour, ln=_line(colour, 0.75))


def label_values(series: Series, number_format: str, only: int | None = None) -> None:
    """Write the values of a series above its bars, or the value of one of them."""
    shown: dict[str, object] = {
        "numFmt": number_format,
        "dLblPos": "outEnd",
        "txPr": _text(_SMALL, INK, bold=only is not None),
        "showVal": True,
    }
    hidden = dict.fromkeys(
        ("showLegendKey", "showCatName", "showSerName", "showPercent", "showBubbleSize"), False
    )
    if only is None:
        series.dLbls = DataLabelList(**shown, **hidden)
    else:
        one = DataLabel(idx=only, **shown, **hidden)
        series.dLbls = DataLabelList(dLbl=[one], showVal=False, **hidden)


def _quiet(axis: TextAxis | NumericAxis) -> None:
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


def _line(colour: str, points: float, dash: str = "solid") -> LineProperties:
    return LineProperties(solidFill=colour, w=round(points * _EMU_PER_POINT), prstDash=dash)
