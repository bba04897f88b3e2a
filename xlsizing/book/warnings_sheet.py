"""The sheet Warnings: what is unsafe about the plan, and what to do about it.

In the template every alert rule stands there for the Sizing sheet and for each row of
Scenarios, live. In a report it is a plain list.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook

from xlsizing.book.about_sheet import FILLED_IN
from xlsizing.book.alert_formulas import ALERTS
from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.expressions import literal
from xlsizing.book.inputs import INPUTS, Input, input_value
from xlsizing.book.pages import set_page
from xlsizing.book.scenarios_sheet import LIVE, ROWS, Scenario, head
from xlsizing.book.styles import (
    BODY,
    INACTIVE_FONT,
    NOTE,
    SEVERITY_FILLS,
    STRONG,
    SUBTITLE,
    TITLE,
    WRAP,
    highlight,
)
from xlsizing.book.tables import Column, Placed, own_row, write_table
from xlsizing.core import ALERT_RULES, Alert, AlertRule, SizingResult

TABLE = "Warnings"
TABLE_TOP = 5
MESSAGE_WIDTH, ADVICE_WIDTH = 115, 85
LINE_HEIGHT = 16
SIZING = "Sizing"
"""What the column Scenario calls the Sizing sheet."""

_TOP = Style(font=BODY, alignment=WRAP)
_RULES = tuple(ALERT_RULES.values())


@dataclass(frozen=True)
class _Line:
    """One alert rule for one scenario; `row` is its row in Scenarios, 0 the Sizing sheet."""

    row: int
    scenario: str
    rule: AlertRule
    alert: Alert | None


def write_live_warnings(
    book: Workbook, notes: PackageNotes, sizing: SizingResult, scenarios: Sequence[Scenario]
) -> None:
    """Write the sheet with a line for each rule, of Sizing and of each row of Scenarios."""
    writer = _new_sheet(
        book,
        notes,
        "Every alert rule for the Sizing sheet and for each row of Scenarios, live. Filter the "
        'column Active for "yes".',
    )
    lines = _lines(0, SIZING, sizing)
    for row, scenario in enumerate(scenarios, start=1):
        lines += _lines(row, scenario.name, scenario.result)
    for row in range(len(scenarios) + 1, ROWS + 1):
        lines += _lines(row, "", None)
    _write_coverage_check(writer)
    placed = write_table(writer, TABLE, _live_columns(), lines, TABLE_TOP, alone=True)
    helpers = [get_column_letter(placed.first_column + place) for place in (6, 7)]
    writer.sheet.column_dimensions.group(helpers[0], helpers[1], outline_level=1, hidden=True)
    _colour(writer, placed)


def write_warning_list(book: Workbook, notes: PackageNotes, result: SizingResult) -> None:
    """Write the sheet as a plain list of the alerts of one sizing."""
    writer = _new_sheet(
        book, notes, "The alerts of the sizing that this report was made for, as a plain list."
    )
    current = "The list is that of the inputs on Sizing."
    same = ",".join(_is_as_given(asked, result) for asked in INPUTS)
    text = (
        f'IF(IFERROR(AND({same}),FALSE),"{current}",'
        '"The inputs on Sizing were changed since: read the alerts there.")'
    )
    writer.formula(3, 1, text, current, Style(font=STRONG))
    columns: Sequence[Column[Alert]] = (
        Column("Scenario", lambda _: SIZING, width=20, style=_TOP),
        Column("Code", lambda alert: alert.code, width=28, style=_TOP),
        Column("Severity", lambda alert: alert.severity, width=11, style=_TOP),
        Column("Active", lambda alert: "yes" if alert.code else "no", width=9, style=_TOP),
        Column("Message", lambda alert: alert.message, width=MESSAGE_WIDTH, style=_TOP),
        Column("What to do", lambda alert: alert.recommendation, width=ADVICE_WIDTH, style=_TOP),
    )
    nothing = Alert("", "info", "No alert: nothing about this sizing is unsafe or unusual.", "")
    alerts = result.all_alerts or (nothing,)
    placed = write_table(writer, TABLE, columns, alerts, TABLE_TOP)
    for number, alert in enumerate(alerts):
        lines = max(
            math.ceil(len(alert.message) / MESSAGE_WIDTH),
            math.ceil(len(alert.recommendation) / ADVICE_WIDTH),
        )
        writer.sheet.row_dimensions[placed.first_row + number].height = LINE_HEIGHT * lines
    _colour(writer, placed)


def _is_as_given(asked: Input, result: SizingResult) -> str:
    given = input_value(asked, result)
    value = repr(given) if isinstance(given, int | float) else literal(given or "")
    return f"{asked.defined_name}={value}"


def _new_sheet(book: Workbook, notes: PackageNotes, subtitle: str) -> Writer:
    sheet = book.create_sheet("Warnings")
    writer = Writer(sheet, notes)
    writer.value(1, 1, "Warnings", Style(font=TITLE))
    writer.value(2, 1, subtitle, Style(font=SUBTITLE))
    set_page(sheet, first_free_row=TABLE_TOP + 1)
    return writer


def _lines(row: int, scenario: str, result: SizingResult | None) -> list[_Line]:
    alerts = {alert.rule: alert for alert in result.all_alerts} if result else {}
    return [_Line(row, scenario, rule, alerts.get(rule.key)) for rule in _RULES]


def _live_columns() -> list[Column[_Line]]:
    row, rule = own_row(TABLE, "Scenario row"), own_row(TABLE, "Rule")
    message = own_row(TABLE, "Message")
    # A row that was deleted from Scenarios leaves its lines empty.
    in_table = f"{row}<=ROWS(Scenarios[Scenario])"
    name = f"INDEX(Scenarios[Scenario],{row})"
    named = f'IF({name}="","Scenario "&{row},{name})'
    live = f"IF({in_table},INDEX(Scenarios[{LIVE.label}],{row}),FALSE)"
    messages = f"Scenarios[[{ALERTS[0].label}]:[{ALERTS[-1].label}]]"

    def remedies(symbol: str) -> str:
        column = f"INDEX(Scenarios[{head(symbol)}],{row})"
        return f'"{_WORD[symbol]}",IF({row}=0,Step_{symbol},{column})'

    advice = f"INDEX(AlertRules[What to do],{rule})"
    for symbol in _WORD:
        advice = f"SUBSTITUTE({advice},{remedies(symbol)})"
    note = Style(font=NOTE)
    return [
        Column(
            "Scenario",
            lambda line: line.scenario,
            f'IF({row}=0,"{SIZING}",IF({live},{named},""))',
            20,
            _TOP,
        ),
        Column("Code", lambda line: line.rule.code, None, 28, _TOP),
        Column("Severity", lambda line: line.rule.severity, None, 11, _TOP),
        Column(
            "Active",
            lambda line: "yes" if line.alert else "no",
            f'IF({message}="","no","yes")',
            9,
            _TOP,
        ),
        Column(
            "Message",
            lambda line: line.alert.message if line.alert else "",
            f'IF({row}=0,INDEX(Sizing_Alerts,{rule}),IF({in_table},INDEX({messages},{row},{rule}),""))',
            MESSAGE_WIDTH,
            _TOP,
        ),
        Column(
            "What to do",
            lambda line: line.alert.recommendation if line.alert else "",
            f'IF({message}="","",{advice})',
            ADVICE_WIDTH,
            _TOP,
        ),
        Column("Scenario row", lambda line: line.row, None, 9, note),
        Column("Rule", lambda line: _RULES.index(line.rule) + 1, None, 9, note),
    ]


_WORD = {
    "BudgetRemedies": FILLED_IN["budget_remedies"],
    "WeightsRemedies": FILLED_IN["weights_remedies"],
}


def _write_coverage_check(writer: Writer) -> None:
    covered = f"All rows of Scenarios are listed here, up to {ROWS}."
    text = (
        "IF(ROWS(Scenarios[Scenario])<=MAX(Warnings[Scenario row]),"
        f'"{covered}",'
        '"Scenarios has more rows than are listed here: read its column Alerts for the rest.")'
    )
    writer.formula(3, 1, text, covered, Style(font=STRONG))


def _colour(writer: Writer, placed: Placed) -> None:
    first, last = placed.column_letter("Scenario"), placed.column_letter("What to do")
    cells = f"{first}{placed.first_row}:{last}{placed.last_row}"
    active = f"${placed.column_letter('Active')}{placed.first_row}"
    severity = f"${placed.column_letter('Severity')}{placed.first_row}"
    for name, fill in SEVERITY_FILLS.items():
        condition = f'AND({active}="yes",{severity}="{name}")'
        highlight(writer.sheet, cells, condition, fill=fill)
    highlight(writer.sheet, cells, f'{active}="no"', font=INACTIVE_FONT)
