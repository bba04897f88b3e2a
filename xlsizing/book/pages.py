"""How a sheet opens on a screen and comes out of a printer."""

from collections.abc import Sequence
from itertools import pairwise

from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

TITLE_HEIGHT = 26
"""Height of the row with a sheet's title [points]."""


PRINTED_WIDTH, PRINTED_HEIGHT = 10.6, 6.9
"""What a page of A4 has room for in landscape, between its margins [inches]."""
UPRIGHT_WIDTH, UPRIGHT_HEIGHT = 7.2, 10.2
"""What one in portrait has room for [inches]."""
MARGIN, FOOT = 0.5, 0.75
LEAST_SCALE = 35
"""Below this nobody can read a page [percent]."""
DEFAULT_HEIGHT, DEFAULT_WIDTH = 15.0, 8.43


def set_page(
    sheet: Worksheet,
    *,
    first_free_row: int,
    first_free_column: int = 1,
    last_printed_column: str | None = None,
    last_printed_row: int | None = None,
    breaks: Sequence[int] | None = None,
    column_break: str | None = None,
    upright: bool = False,
) -> None:
    """Freeze what stands above and left of a cell, hide the grid, and set how it prints.

    Parameters
    ----------
    last_printed_column, last_printed_row : what comes after is for the screen: on paper it
        would make the rest too small, or many pages that nobody reads.
    breaks : rows after which a new page begins, each page whole; None where the rows flow
        over as many pages as they take.
    column_break : the last column of a first page, where two stand side by side; the
        second one repeats column A.
    upright : whether pages stand upright, for what is read line by line.
    """
    column = last_printed_column or get_column_letter(sheet.max_column)
    last_row = last_printed_row or sheet.max_row
    sheet.row_dimensions[1].height = TITLE_HEIGHT
    sheet.freeze_panes = f"{get_column_letter(first_free_column)}{first_free_row}"
    sheet.sheet_view.showGridLines = False
    sheet.print_area = f"A1:{column}{last_row}"
    sheet.print_title_rows = f"1:{first_free_row - 1}" if first_free_row > 1 else None
    for row in breaks or ():
        sheet.row_breaks.append(Break(row))
    sheet.page_setup.orientation = "portrait" if upright else "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    # A scale and not "fit to width", with which Excel leaves page breaks out.
    widths = [sum(_width(sheet, each) for each in range(1, _number(column) + 1))]
    if column_break:
        sheet.col_breaks.append(Break(_number(column_break)))
        sheet.print_title_cols = "A:A"
        before = sum(_width(sheet, each) for each in range(1, _number(column_break) + 1))
        widths = [before, widths[0] - before + _width(sheet, 1)]
    room = (UPRIGHT_WIDTH, UPRIGHT_HEIGHT) if upright else (PRINTED_WIDTH, PRINTED_HEIGHT)
    sheet.page_setup.scale = _scale(sheet, room, max(widths), first_free_row - 1, last_row, breaks)
    sheet.page_margins = PageMargins(MARGIN, MARGIN, MARGIN, FOOT, 0.3, 0.3)
    sheet.print_options.horizontalCentered = True
    sheet.HeaderFooter.oddFooter = HeaderFooterItem(
        left=_HeaderFooterPart(text="&A"),
        right=_HeaderFooterPart(text="&P / &N"),
    )


def upright_breaks(sheet: Worksheet, ends: Sequence[int], titles: int) -> list[int]:
    """The rows after which a page begins where upright pages are filled one after the other.

    Parameters
    ----------
    ends : the rows after which a page may end, the sheet's last one among them.
    titles : how many rows stand on top of each page.
    """
    width = sum(_width(sheet, each) for each in range(1, sheet.max_column + 1))
    scale = max(LEAST_SCALE / 100, min(1, UPRIGHT_WIDTH / width))
    room = UPRIGHT_HEIGHT / scale - sum(_height(sheet, row) for row in range(1, titles + 1))
    breaks: list[int] = []
    filled = 0.0
    for before, end in pairwise([titles, *ends]):
        height = sum(_height(sheet, row) for row in range(before + 1, end + 1))
        if filled and filled + height > room:
            breaks.append(before)
            filled = 0.0
        filled += height
    return breaks


def _scale(
    sheet: Worksheet,
    room: tuple[float, float],
    width: float,
    titles: int,
    last_row: int,
    breaks: Sequence[int] | None,
) -> int:
    """The largest scale at which a width and each page's rows fit into a room [percent].

    Parameters
    ----------
    room : width and height of what a page has room for [inches].
    width : of the columns [inches].
    """
    scale = room[0] / width
    if breaks is not None:
        head = sum(_height(sheet, row) for row in range(1, titles + 1))
        ends = [titles, *breaks, last_row]
        for before, end in pairwise(ends):
            rows = sum(_height(sheet, row) for row in range(before + 1, end + 1))
            scale = min(scale, room[1] / (head + rows))
    return max(LEAST_SCALE, min(100, int(scale * 100)))


def _number(column: str) -> int:
    return column_index_from_string(column)


def _width(sheet: Worksheet, column: int) -> float:
    """Width of a column on paper at full scale [inches]."""
    dimension = sheet.column_dimensions[get_column_letter(column)]
    # Of the 96 pixels of an inch Excel takes 7 for a character, LibreOffice nearly 8.
    return 0.0 if dimension.hidden else ((dimension.width or DEFAULT_WIDTH) * 7.9 + 5) / 96


def _height(sheet: Worksheet, row: int) -> float:
    """Height of a row on paper at full scale [inches]."""
    # Asking for a row that has no dimension would give it one.
    height = sheet.row_dimensions[row].height if row in sheet.row_dimensions else None
    return (height or DEFAULT_HEIGHT) / 72


def protect(sheet: Worksheet) -> None:
    """Lock the cells that are not for typing, without a password: a slip changes no formula.

    A person may still select, copy, format, sort and filter, and take the lock off.
    """
    sheet.protection.sheet = True
    # Of the permissions, False allows.
    for allowed in ("formatCells", "formatColumns", "formatRows", "sort", "autoFilter"):
        setattr(sheet.protection, allowed, False)
