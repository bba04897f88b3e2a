"""What the cells of a workbook's inputs look like."""

from openpyxl.styles import Alignment, Border

from xlsizing.book.cells import UNLOCKED, Style
from xlsizing.book.styles import INPUT, INPUT_FILL


def input_style(
    number_format: str | None = None,
    alignment: Alignment | None = None,
    border: Border | None = None,
) -> Style:
    """What the cell of an input looks like; a person may type into it on a protected sheet."""
    return Style(INPUT, INPUT_FILL, number_format, alignment, border, UNLOCKED)
