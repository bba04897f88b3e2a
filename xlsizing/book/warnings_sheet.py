"""The sheet Warnings: what is unsafe about the plan, and what to do about it.

Every line takes the next alert that holds, of the Sizing sheet first and then of each
row of Scenarios, so that the alerts stand together at the top however many rows there are.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook

from xlsizing.book.about_sheet import FILLED_IN
from xlsizing.book.alert_formulas import ALERT_NUMBERS, ALERTS, alert_symbol
from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.expressions import filled, phrase
from xlsizing.book.names import define
from xlsizing.book.pages import protect, set_page
from xlsizing.book.scenario import Scenario
from xlsizing.book.scenarios_sheet import ALERT_COUNT, ALERTS_SO_FAR, head
from xlsizing.book.styles import (
    BODY,
    INACTIVE_FONT,
    LINE_HEIGHT,
    NOTE,
    SEVERITY_FILLS,
    STRONG,
    SUBTITLE,
    TITLE,
    highlight,
)
from xlsizing.book.tables import Column, Placed, own_row, write_table
from xlsizing.core import ALERT_RULES, AlertRule
from xlsizing.core.alerts import SEVERITIES
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value

TABLE = "Warnings"
TABLE_TOP = 5
SPARE_LINES, SPARE_LINES_PRINTED = 96, 4
"""Lines beyond those that are taken when the workbook is written."""
MESSAGE_WIDTH, ADVICE_WIDTH = 54, 50
LEAST_LINES = 3
"""Lines of text that there is room for, whatever alert a line comes to show."""
_UNNAMED = Message("Scenario {row}")
SIZING = "Sizing"
"""What the column Scenario calls the Sizing sheet."""

_TOP = Style(font=BODY, alignment=Alignment(wrap_text=True, vertical="center", indent=1))
_NOTE = Style(font=NOTE)


@dataclass(frozen=True)
class _Line:
    """One line of the table; `row` is the row in Scenarios, 0 the Sizing sheet, -1 none."""

    number: int
    row: int = -1
    scenario: str = ""
    rule: AlertRule | None = None
    message: str = ""
    advice: str = ""

    @property
    def rule_number(self) -> Value:
        """Place of the rule among all, from 1."""
        return "" if self.rule is None else list(ALERT_RULES).index(self.rule.key) + 1


def write_warnings_sheet(
    book: Workbook,
    notes: PackageNotes,
    sizing: Mapping[str, Value],
    scenarios: Sequence[Scenario],
    room: int | None = None,
    printed: int | None = None,
) -> None:
    """Write the sheet.

    Parameters
    ----------
    sizing : the values of the formulas on the Sizing sheet, by symbol.
    scenarios : the rows of Scenarios.
    room : how many lines it has; None for those that are taken, and spare ones.
    printed : how many lines are printed; None likewise.
    """
    sheet = book.create_sheet("Warnings")
    writer = Writer(sheet, notes)
    writer.value(1, 1, Message("Warnings"), Style(font=TITLE))
    writer.value(
        2,
        1,
        Message("The alerts of the Sizing sheet and every scenario that hold now, and what to do."),
        Style(font=SUBTITLE),
    )
    taken = list(_lines(sizing, scenarios))
    lines = [_Line(number, *line) for number, line in enumerate(taken, start=1)]
    room = len(taken) + SPARE_LINES if room is None else room
    printed = len(taken) + SPARE_LINES_PRINTED if printed is None else printed
    lines = [*lines[:room], *(_Line(number) for number in range(len(lines) + 1, room + 1))]
    placed = write_table(writer, TABLE, _columns(), lines, TABLE_TOP)
    _write_count(book, writer, placed, len(taken), printed)
    for line, row in zip(lines, placed.rows, strict=True):
        sheet.row_dimensions[row].height = LINE_HEIGHT * max(
            LEAST_LINES,
            math.ceil(len(writer.say(line.message)) / MESSAGE_WIDTH),
            math.ceil(len(writer.say(line.advice)) / ADVICE_WIDTH),
        )
    helpers = [get_column_letter(placed.first_column + place) for place in (6, 8)]
    sheet.column_dimensions.group(helpers[0], helpers[1], outline_level=1, hidden=True)
    _colour(writer, placed)
    set_page(
        sheet,
        first_free_row=TABLE_TOP + 1,
        last_printed_column=placed.column_letter("What to do"),
        last_printed_row=placed.first_row + printed - 1,
    )
    protect(sheet)


_Taken = tuple[int, str, AlertRule, str, str]


def _lines(sizing: Mapping[str, Value], scenarios: Sequence[Scenario]) -> Iterator[_Taken]:
    """Each alert that holds: row in Scenarios, its name, rule, message and what to do."""
    yield from _lines_of(0, SIZING, sizing)
    for row, scenario in enumerate(scenarios, start=1):
        if scenario.is_live:
            yield from _lines_of(
                row, scenario.name or _UNNAMED.filled(row=str(row)), scenario.values
            )


def _lines_of(row: int, name: str, values: Mapping[str, Value]) -> Iterator[_Taken]:
    for rule in ALERT_RULES.values():
        if message := str(values[alert_symbol(rule.key)]):
            remedies = {word: str(values[symbol]) for symbol, word in _WORDS.items()}
            yield row, name, rule, message, rule.recommendation.filled(**remedies)


_WORDS = {
    "BudgetRemedies": "budget_remedies",
    "WeightsRemedies": "weights_remedies",
}
"""The remedies that a rule's advice has a word for."""


def _columns() -> list[Column[_Line]]:
    number, row, rule = (own_row(TABLE, each) for each in ("Line", "Scenario row", "Rule"))
    message = own_row(TABLE, "Message")

    def of_load(on_sizing: str, of_scenario: str) -> str:
        return f"IF({row}=0,{on_sizing},{of_scenario})"

    def column(label: str) -> str:
        return f"INDEX(Scenarios[{label}],{row})"

    def if_taken(text: str) -> str:
        return f'IF({row}<0,"",{text})'

    name = column("Scenario")
    named = of_load(f'"{SIZING}"', f'IF({name}="",{filled(_UNNAMED, {"row": row})},{name})')
    messages = f"Scenarios[[{ALERTS[0].label}]:[{ALERTS[-1].label}]]"
    of_sizing = "N(Sizing_AlertCount)"
    rest = f"({number}-{of_sizing})"
    so_far = f"Scenarios[{ALERTS_SO_FAR}]"
    found_row = (
        f'IF({number}<={of_sizing},0,IF({rest}<=MAX({so_far}),1+COUNTIF({so_far},"<"&{rest}),-1))'
    )
    before = f"({column(ALERTS_SO_FAR)}-{column(ALERT_COUNT)})"
    place = f"({rest}-{before}-1)*Const_RuleDigits+1"
    found_rule = of_load(
        f"MATCH({number},Sizing_AlertRanks,0)",
        f"VALUE(MID({column(ALERT_NUMBERS.label)},{place},Const_RuleDigits))",
    )
    what_to_do = f"INDEX(AlertRules[What to do],{rule})"
    for symbol, word in _WORDS.items():
        remedy = of_load(f"Step_{symbol}", column(head(symbol)))
        what_to_do = f"SUBSTITUTE({what_to_do},{phrase(FILLED_IN[word])},{remedy})"
    return [
        Column(Message("Scenario"), lambda line: line.scenario, if_taken(named), 16, _TOP),
        Column(
            Message("Code"),
            lambda line: line.rule.code if line.rule else "",
            if_taken(f"INDEX(AlertRules[Code],{rule})"),
            27,
            _TOP,
        ),
        Column(
            Message("Severity"),
            lambda line: SEVERITIES[line.rule.severity] if line.rule else "",
            if_taken(f"INDEX(AlertRules[Severity],{rule})"),
            9.5,
            _TOP,
        ),
        Column(
            Message("Active"),
            lambda line: "yes" if line.rule else "no",
            f'IF({row}<0,"no","yes")',
            8,
            _TOP,
        ),
        Column(
            Message("Message"),
            lambda line: line.message,
            if_taken(of_load(f"INDEX(Sizing_Alerts,{rule})", f"INDEX({messages},{row},{rule})")),
            MESSAGE_WIDTH,
            _TOP,
        ),
        Column(
            Message("What to do"),
            lambda line: line.advice,
            f'IF({message}="","",{what_to_do})',
            ADVICE_WIDTH,
            _TOP,
        ),
        Column(Message("Line"), lambda line: line.number, None, 9, _NOTE),
        Column(Message("Scenario row"), lambda line: line.row, found_row, 9, _NOTE),
        Column(Message("Rule"), lambda line: line.rule_number, if_taken(found_rule), 9, _NOTE),
    ]


_NONE = Message("No alert holds: nothing about these plans is unsafe or unusual.")

_TOO_MANY = Message(
    "Alerts that hold: {count}, but there are only {lines} lines. Read the column Alerts of "
    "Scenarios for the rest."
)
_COUNTED = Message("Alerts that hold: {count}.{more}")
_ONLY = Message(" Only {printed} are in the print area.")


def _write_count(book: Workbook, writer: Writer, placed: Placed, taken: int, printed: int) -> None:
    """Say how many alerts hold, and where lines or paper are not enough for them."""
    hold = f"N(Sizing_AlertCount)+MAX(Scenarios[{ALERTS_SO_FAR}])"
    writer.formula(3, 7, hold, taken, _NOTE)
    define(book, "Warnings_Count", "Warnings", "$G$3")
    writer.value(3, 8, printed, _NOTE)
    define(book, "Warnings_Printed", "Warnings", "$H$3")
    only = filled(_ONLY, {"printed": "Warnings_Printed"})
    more = f'IF(Warnings_Count>Warnings_Printed,{only},"")'
    text = (
        f"IF(Warnings_Count=0,{phrase(_NONE)},IF(Warnings_Count>ROWS(Warnings[Line]),"
        f"{filled(_TOO_MANY, {'count': 'Warnings_Count', 'lines': 'ROWS(Warnings[Line])'})},"
        f"{filled(_COUNTED, {'count': 'Warnings_Count', 'more': more})}))"
    )
    writer.formula(3, 1, text, _counted(taken, len(placed.rows), printed), Style(font=STRONG))
    too_many = f"Warnings_Count>{len(placed.rows)}"
    highlight(writer.sheet, "A3:F3", too_many, fill=SEVERITY_FILLS["error"])


def _counted(taken: int, room: int, printed: int) -> str:
    """What the sheet says of how many alerts hold."""
    if taken > room:
        return _TOO_MANY.filled(count=str(taken), lines=str(room))
    more = _ONLY.filled(printed=str(printed)) if taken > printed else ""
    return _COUNTED.filled(count=str(taken), more=more) if taken else _NONE


def _colour(writer: Writer, placed: Placed) -> None:
    first, last = placed.column_letter("Scenario"), placed.column_letter("What to do")
    cells = f"{first}{placed.first_row}:{last}{placed.last_row}"
    active = f"${placed.column_letter('Active')}{placed.first_row}"
    severity = f"${placed.column_letter('Severity')}{placed.first_row}"
    for key, name in SEVERITIES.items():
        condition = f'AND({active}="yes",{severity}="{writer.say(name)}")'
        highlight(writer.sheet, cells, condition, fill=SEVERITY_FILLS[key])
    highlight(writer.sheet, cells, f'{active}="no"', font=INACTIVE_FONT)
