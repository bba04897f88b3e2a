"""How a sheet opens on a screen and comes out of a printer."""

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

TITLE_HEIGHT = 26
"""Height of the row with a sheet's title [points]."""


def set_page(
    sheet: Worksheet,
    *,
    first_free_row: int,
    first_free_column: int = 1,
    last_printed_column: str | None = None,
    last_printed_row: int | None = None,
) -> None:
    """Freeze what stands above and left of a cell, hide the grid, and print on one page's width.

    Columns after `last_printed_column` and rows after `last_printed_row` are for the
    screen: on paper they would make the rest too small, or many pages that nobody reads.
    """
    sheet.row_dimensions[1].height = TITLE_HEIGHT
    sheet.freeze_panes = f"{get_column_letter(first_free_column)}{first_free_row}"
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    if last_printed_column:
        sheet.print_area = f"A1:{last_printed_column}{last_printed_row or sheet.max_row}"
    sheet.print_title_rows = f"1:{first_free_row - 1}" if first_free_row > 1 else None
    sheet.HeaderFooter.oddFooter = HeaderFooterItem(
        left=_HeaderFooterPart(text="&A"), right=_HeaderFooterPart(text="&P / &N")
    )


def protect(sheet: Worksheet) -> None:
    """Lock the cells that are not for typing, without a password: a slip changes no formula.

    A person may still select, copy, format, sort and filter, and take the lock off.
    """
    sheet.protection.sheet = True
    # Of the permissions, False allows.
    for allowed in ("formatCells", "formatColumns", "formatRows", "sort", "autoFilter"):
        setattr(sheet.protection, allowed, False)
