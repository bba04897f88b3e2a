"""The engine's settings, as the sheet Engine asks for them."""

from openpyxl.worksheet.datavalidation import DataValidation

from xlsizing.book.engine.page import FIRST, EnginePage
from xlsizing.book.inputs import input_style
from xlsizing.book.names import define
from xlsizing.book.styles import RIGHT, UNDERLINE
from xlsizing.core.engine import EngineSettings
from xlsizing.core.planning.inputs import SETTINGS_ASKED, Setting


def write_settings(page: EnginePage, row: int, settings: EngineSettings) -> int:
    """Write the engine's settings; returns the row after them."""
    page.heading(row, "Engine settings", "Value", "", "", "Unit", "Notes")
    for asked in SETTINGS_ASKED:
        row += 1
        page.label(row, asked.label, asked.unit, asked.note)
        given = getattr(settings, asked.field)
        value = given if given is None or isinstance(given, str | int) else float(given)
        style = input_style(asked.number_format, RIGHT, UNDERLINE)
        page.writer.value(row, FIRST, value, style)
        define(page.book, asked.defined_name, "Engine", f"$C${row}")
        _check(page, asked, f"C{row}")
    return row + 1


def _check(page: EnginePage, asked: Setting, cell: str) -> None:
    if asked.name == "StateCaching":
        check = DataValidation(type="list", formula1="List_StateCaching", allow_blank=True)
        check.error = "none or align, or empty for none."
    else:
        whole = asked.number_format == "#,##0"
        check = DataValidation(
            type="whole" if whole else "decimal",
            operator="between",
            formula1=asked.least,
            formula2=asked.most,
            allow_blank=True,
        )
        kind = "A whole number" if whole else "A number"
        check.error = f"{kind} of at least {asked.least}, or empty for the default."
    check.errorTitle = check.promptTitle = asked.label
    check.prompt = asked.note[:255]
    check.showInputMessage = check.showErrorMessage = True
    check.add(cell)
    page.sheet.add_data_validation(check)
