"""How a workbook looks: fonts, fills, alignments and number formats."""

from typing import Literal

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.worksheet.worksheet import Worksheet

from xlsizing.palette import (
    ACCENT,
    BLACK,
    BLUE,
    ERROR_GROUND,
    GREEN,
    HEADING_GROUND,
    INFO_GROUND,
    INK,
    INPUT_GROUND,
    INPUT_INK,
    ORANGE,
    PURPLE,
    QUIET,
    RULE,
    SKY,
    STEP_GROUND,
    VERMILION,
    WARNING_GROUND,
)

Dash = Literal["solid", "dash", "sysDot"]
Marker = Literal["circle", "square", "triangle", "diamond", "x", "plus", "star", "dash"]

LINE_COLOURS = (ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE, BLACK)
LINE_MARKERS: tuple[Marker, ...] = (
    "circle",
    "square",
    "triangle",
    "diamond",
    "x",
    "plus",
    "star",
    "dash",
)
LINE_DASHES: tuple[Dash, ...] = ("solid", "dash", "sysDot")
"""Lines of a chart: so many colours solid, then as many dashed and dotted, each with a marker.

Yellow is left out, which is hard to see on white.
"""

FONT = "Calibri"

LINE_HEIGHT = 15.5
"""Height of a line of text [points]."""

TITLE = Font(name=FONT, size=18, bold=True, color=ACCENT)
SUBTITLE = Font(name=FONT, size=11, color=QUIET)
HEADING = Font(name=FONT, size=12, bold=True, color=ACCENT)
BODY = Font(name=FONT, size=11, color=INK)
STRONG = Font(name=FONT, size=11, bold=True, color=INK)
NOTE = Font(name=FONT, size=10, color=QUIET)
INPUT = Font(name=FONT, size=11, color=INPUT_INK)
ANSWER = Font(name=FONT, size=28, bold=True, color=ACCENT)
COLUMN_HEAD = Font(name=FONT, size=11, bold=True, color="FFFFFF")

INPUT_FILL = PatternFill("solid", fgColor=INPUT_GROUND)
HEADING_FILL = PatternFill("solid", fgColor=HEADING_GROUND)
COLUMN_FILL = PatternFill("solid", fgColor=ACCENT)
STEP_FILL = PatternFill("solid", fgColor=STEP_GROUND)
# Conditional formats take their colour from the background of a pattern.
SEVERITY_FILLS = {
    "error": PatternFill(bgColor=ERROR_GROUND),
    "warning": PatternFill(bgColor=WARNING_GROUND),
    "info": PatternFill(bgColor=INFO_GROUND),
}
INACTIVE_FONT = Font(color="9AA5B1")

ON_DARK = Font(color="FFFFFF", bold=True)
"""The ink of the last band, whose ground is dark."""

UNDERLINE = Border(bottom=Side(style="thin", color=RULE))
WRAP = Alignment(wrap_text=True, vertical="top")
WRAP_CENTRED = Alignment(wrap_text=True, vertical="center")
COLUMN_HEAD_ALIGNMENT = Alignment(wrap_text=True, horizontal="center", vertical="center")
LEFT = Alignment(horizontal="left", vertical="center")
NOTE_ALIGNMENT = Alignment(horizontal="left", vertical="center", indent=1, wrap_text=True)
APART = Alignment(horizontal="left", vertical="center", indent=1)
WRAPPED_APART = Alignment(horizontal="left", vertical="center", indent=1, wrap_text=True)
RIGHT = Alignment(horizontal="right", vertical="center", shrink_to_fit=True)
"""Of numbers: one that is too long gets smaller instead of turning into ###."""


def highlight(
    sheet: Worksheet,
    cells: str,
    condition: str,
    *,
    fill: PatternFill | None = None,
    font: Font | None = None,
) -> None:
    """Format cells where a formula, written for the first of them, is true."""
    look = DifferentialStyle(fill=fill, font=font)
    rule = Rule(type="expression", dxf=look, formula=[condition])
    sheet.conditional_formatting.add(cells, rule)
