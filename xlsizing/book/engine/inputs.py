"""The engine's settings, as the sheet Engine asks for them."""

from openpyxl.worksheet.datavalidation import DataValidation

from xlsizing.book.engine.page import FIRST, EnginePage
from xlsizing.book.inputs import input_style
from xlsizing.book.names import define
from xlsizing.book.sizing_sheet import add_prompt
from xlsizing.book.styles import RIGHT, UNDERLINE
from xlsizing.core.engine import EngineSettings
from xlsizing.core.message import Figure, Message
from xlsizing.core.planning.inputs import SETTINGS_ASKED, Setting

_WHOLE = Message("A whole number of at least {least}, or empty for the default.")
_NUMBER = Message("A number of at least {least}, or empty for the default.")


def write_settings(page: EnginePage, row: int, settings: EngineSettings) -> int:
    """Write the engine's settings; returns the row after them."""
    page.heading(
        row, Message("Engine settings"), Message("Value"), "", "", Message("Unit"), Message("Notes")
    )
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
        check.error = page.writer.say(Message("none or align, or empty for none."))
    else:
        whole = asked.number_format == "#,##0"
        check = DataValidation(
            type="whole" if whole else "decimal",
            operator="between",
            formula1=asked.least,
            formula2=asked.most,
            allow_blank=True,
        )
        check.error = page.writer.say(
            (_WHOLE if whole else _NUMBER).filled(least=Figure(asked.least))
        )
    add_prompt(page.writer, check, asked, cell)
