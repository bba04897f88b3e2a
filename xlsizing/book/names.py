"""The defined names of a workbook: people, macros and tests find cells by these."""

from openpyxl.utils import quote_sheetname
from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName


def define(book: Workbook, name: str, sheet: str, cells: str) -> None:
    """Define `name` as cells of a sheet, given with dollar signs, such as $B$4."""
    book.defined_names[name] = DefinedName(name, attr_text=f"{quote_sheetname(sheet)}!{cells}")
