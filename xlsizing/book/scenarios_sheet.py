"""The sheet Scenarios: one sizing a row, each row on its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation

from xlsizing.book.alert_formulas import (
    ALERT_CODES,
    ALERT_NUMBERS,
    ALERTS,
    ENGINE_STATUS,
    REMEDY_TEXTS,
    RULE_DIGITS,
    STATUS,
)
from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.engine.formulas import ENGINE_OUTPUTS, ENGINE_STEPS
from xlsizing.book.expressions import COUNT, Formula, render, server
from xlsizing.book.formulas import OUTPUTS, REMEDY_STEPS, STEPS
from xlsizing.book.inputs import input_style
from xlsizing.book.pages import set_page
from xlsizing.book.scenario import Scenario
from xlsizing.book.scenario_summary import BASE_NODES, Comparison, write_summary
from xlsizing.book.sizing_sheet import add_input_check
from xlsizing.book.styles import (
    APART,
    BODY,
    INACTIVE_FONT,
    LINE_HEIGHT,
    NOTE,
    RIGHT,
    SEVERITY_FILLS,
    STEP_FILL,
    STRONG,
    SUBTITLE,
    TITLE,
    WRAPPED_APART,
    highlight,
)
from xlsizing.book.tables import Column, Placed, head_height, own_row, write_table
from xlsizing.core import Catalogs
from xlsizing.core.message import Message, as_plain
from xlsizing.core.planning.cells import Value
from xlsizing.core.planning.inputs import INPUTS, TENSOR_PARALLEL, Input
from xlsizing.core.planning.plan import ACTIVE, INACTIVE, SWITCHED_OFF
from xlsizing.core.planning.plan import SCENARIOS as TABLE

TABLE_TOP = 6
ROWS = 20
"""Rows that the table has at least; Excel adds more as a person types below."""

EMPTY = Scenario(name="", active=None, typed={}, values={})
"""A row in which nothing is typed."""

_NOT_OFF = ",".join(f'LOWER(TRIM({{Active}}))<>"{word}"' for word in SWITCHED_OFF)

LIVE = Formula(
    "Live",
    Message("Live"),
    "",
    f"AND(IFERROR(IF(ISLOGICAL({{Active}}),{{Active}},AND({_NOT_OFF})),TRUE),"
    'IFERROR({Model}&{Server}&{Storage}&{Concurrency}&{Context}<>"",TRUE))',
)
"""Whether a row counts: it is not switched off, and something is typed in it."""

NODES_AGAINST_BASE = Formula(
    "NodesAgainstBase",
    Message("Nodes against base"),
    Message("nodes"),
    f'IF(AND(ISNUMBER({{NodesFinal}}),ISNUMBER({BASE_NODES})),{{NodesFinal}}-{BASE_NODES},"")',
    "+#,##0;-#,##0;0",
)
"""How many more or fewer nodes a row takes than the base scenario."""

SHARE_AGAINST_BASE = Formula(
    "ShareAgainstBase",
    Message("Against base in %"),
    Message("share"),
    f'IF(AND(ISNUMBER({{NodesFinal}}),ISNUMBER({BASE_NODES})),{{NodesFinal}}/{BASE_NODES}-1,"")',
    "+0%;-0%;0%",
)
"""The same as a share of the base scenario's nodes."""

GPUS = Formula(
    "Gpus",
    "GPUs",
    "GPUs",
    f'IF(ISNUMBER({{NodesFinal}}),{{NodesFinal}}*{server("GPUs")},"")',
    COUNT,
)
"""How many GPUs a row takes: nodes of two servers do not compare by themselves."""

ROW, ALERT_COUNT = "Row", "Alert count"
ALERTS_SO_FAR = "Alerts so far"
"""Head of the column that counts the alerts of a row and of all rows above it."""

_HEADS = {
    "Active": "Active",
    **{asked.symbol: asked.label for asked in (*INPUTS, TENSOR_PARALLEL)},
    **{
        formula.symbol: formula.label
        for formula in (
            LIVE,
            *STEPS,
            *OUTPUTS,
            *REMEDY_STEPS,
            *REMEDY_TEXTS,
            *ENGINE_STEPS,
            *ENGINE_OUTPUTS,
            ENGINE_STATUS,
            *ALERTS,
            STATUS,
            ALERT_CODES,
        )
    },
}


def reference(symbol: str) -> str:
    """The reference to a symbol's column in the row of the formula."""
    return own_row(TABLE, _HEADS[symbol])


def head(symbol: str) -> str:
    """The head of a symbol's column."""
    return _HEADS[symbol]


@dataclass(frozen=True)
class _Row:
    """A row of the table: its scenario, and what depends on the rows around it."""

    scenario: Scenario
    values: Mapping[str, Value]


def write_scenarios_sheet(
    book: Workbook,
    notes: PackageNotes,
    scenarios: Sequence[Scenario],
    base: str,
    catalogs: Catalogs,
) -> Placed:
    """Write the sheet with these scenarios and empty rows after them.

    Parameters
    ----------
    base : name of the scenario that the others are compared with; empty for none.
    catalogs : what the names stand for.

    Returns
    -------
    Where its table is.
    """
    sheet = book.create_sheet("Scenarios")
    writer = Writer(sheet, notes)
    writer.value(1, 1, Message("Scenarios"), Style(font=TITLE))
    writer.value(
        2,
        1,
        Message(
            "One scenario a row. Type in the yellow columns; empty optional cells take the defaults "
            'on Constants. Active "no" switches a row off.'
        ),
        Style(font=SUBTITLE),
    )
    rows = [*scenarios, *[EMPTY] * (ROWS - len(scenarios))]
    comparison = Comparison.of(base, rows)
    lines = _rows(rows, comparison, catalogs)
    columns = _columns()
    placed = write_table(
        writer, TABLE, columns, lines, TABLE_TOP, alone=True, height=2 * LINE_HEIGHT
    )
    write_summary(book, writer, placed, comparison)
    _add_checks(writer, placed)
    _colour(writer, placed)
    _group_steps(writer, placed)
    sheet.row_dimensions[TABLE_TOP].height = head_height(writer, columns, 47)
    set_page(
        sheet,
        first_free_row=TABLE_TOP + 1,
        first_free_column=2,
        last_printed_column=placed.column_letter(_LAST_SHOWN),
        last_printed_row=placed.last_row,
        column_break=placed.column_letter("HA"),
    )
    return placed


def _gpus(scenario: Scenario, catalogs: Catalogs) -> Value:
    nodes, row = scenario.values.get("NodesFinal"), scenario.values.get("ServerRow")
    if not isinstance(nodes, int) or not isinstance(row, int):
        return ""
    return nodes * catalogs.servers[row - 1].gpus


def _rows(scenarios: Sequence[Scenario], comparison: Comparison, catalogs: Catalogs) -> list[_Row]:
    rows, so_far = [], 0
    for number, scenario in enumerate(scenarios, start=TABLE_TOP + 1):
        alerts = len(str(scenario.values.get(ALERT_NUMBERS.symbol, ""))) // RULE_DIGITS
        so_far += alerts
        nodes = scenario.values.get("NodesFinal")
        more = {
            NODES_AGAINST_BASE.symbol: comparison.difference(nodes),
            SHARE_AGAINST_BASE.symbol: comparison.share(nodes),
            GPUS.symbol: _gpus(scenario, catalogs),
            ROW: number,
            ALERT_COUNT: alerts,
            ALERTS_SO_FAR: so_far,
        }
        rows.append(_Row(scenario, {**scenario.values, **more}))
    return rows


def _columns() -> list[Column[_Row]]:
    shown = (*OUTPUTS, STATUS, ALERT_CODES)
    planning = (*STEPS, *REMEDY_STEPS, *REMEDY_TEXTS)
    engine = (*ENGINE_STEPS, *ENGINE_OUTPUTS, ENGINE_STATUS)
    compared = [each for each in (*planning, *engine) if each.symbol in _COMPARED]
    steps = [
        *(each for each in (*planning, *engine) if each not in compared),
        *ALERTS,
        ALERT_NUMBERS,
    ]
    typed = input_style(alignment=APART)
    helper = Style(font=NOTE, fill=STEP_FILL)
    return [
        Column(Message("Scenario"), lambda row: row.scenario.name or None, None, 22, typed),
        Column(Message("Active"), lambda row: row.scenario.active, None, 8, typed),
        *(_input_column(asked) for asked in INPUTS),
        *(_computed(formula, _WIDTHS.get(formula.symbol, 12), answer=True) for formula in shown),
        _input_column(TENSOR_PARALLEL),
        *(
            _computed(each, 12, answer=True)
            for each in (NODES_AGAINST_BASE, SHARE_AGAINST_BASE, GPUS, *compared)
        ),
        Column(
            LIVE.label, lambda row: row.scenario.is_live, render(LIVE.text, reference), 8, helper
        ),
        *(_computed(formula, 14, answer=False) for formula in steps),
        *(_counted(label, text) for label, text in _COUNTS.items()),
    ]


_COUNTS = {
    ROW: "ROW()",
    ALERT_COUNT: f"LEN({own_row(TABLE, ALERT_NUMBERS.label)})/Const_RuleDigits",
    ALERTS_SO_FAR: f'SUMIF({TABLE}[{ROW}],"<="&{own_row(TABLE, ROW)},{TABLE}[{ALERT_COUNT}])',
}
"""What the sheet Warnings finds the alerts of a row by; in every row, live or not."""


def _counted(label: str, text: str) -> Column[_Row]:
    style = Style(font=NOTE, fill=STEP_FILL)
    return Column(label, lambda row: row.values[label], text, 14, style)


_LAST_SHOWN = "Engine nodes final"
_COMPARED = ("ClampedContext", "EngineNodesFinal")
"""Steps that stand with the answers: without them two rows cannot be compared."""

_WIDTHS = {
    "Model": 20,
    "Server": 14,
    "Storage": 22,
    "KvTotalTiB": 11,
    "NodesFinal": 11,
    "Status": 40,
    "AlertCodes": 60,
}


def _input_column(asked: Input) -> Column[_Row]:
    return Column(
        asked.label,
        lambda row: row.scenario.typed.get(asked.symbol),
        None,
        _WIDTHS.get(asked.symbol, 12.5),
        input_style(asked.number_format, _alignment(asked.number_format)),
    )


def _computed(formula: Formula, width: float, *, answer: bool) -> Column[_Row]:
    font = STRONG if formula.symbol == "NodesFinal" else BODY
    return Column(
        # The steps are hidden, and there is not room for a number format of each of their heads.
        formula.label if answer else as_plain(formula.label),
        lambda row: row.values[formula.symbol] if row.scenario.is_live else "",
        f'IF({reference("Live")},{render(formula.source, reference)},"")',
        width,
        Style(
            font=font if answer else NOTE,
            fill=None if answer else STEP_FILL,
            number_format=formula.number_format,
            alignment=_alignment(formula.number_format),
        ),
    )


def _alignment(number_format: str) -> Alignment:
    """Text stands apart from a number in the column before it, on two lines where it is long."""
    return WRAPPED_APART if number_format == "General" else RIGHT


def _add_checks(writer: Writer, placed: Placed) -> None:
    choices = f'"{ACTIVE},{INACTIVE}"'
    active = DataValidation(type="list", formula1=choices, allow_blank=True)
    active.add(_plain(placed.cells("Active")))
    writer.sheet.add_data_validation(active)
    for asked in (*INPUTS, TENSOR_PARALLEL):
        add_input_check(writer, asked, _plain(placed.cells(asked.label)))


def _colour(writer: Writer, placed: Placed) -> None:
    first, last = placed.column_letter("Scenario"), placed.column_letter(_LAST_SHOWN)
    cells = f"{first}{placed.first_row}:{last}{placed.last_row}"
    status = f"${placed.column_letter('Status')}{placed.first_row}"
    live = f"${placed.column_letter('Live')}{placed.first_row}"
    wrong = f'AND({status}<>"",{status}<>"OK")'
    statuses = _plain(placed.cells("Status"))
    highlight(writer.sheet, statuses, wrong, fill=SEVERITY_FILLS["error"])
    highlight(writer.sheet, cells, f"NOT({live})", font=INACTIVE_FONT)
    _mark_overwritten(writer, placed)


def _mark_overwritten(writer: Writer, placed: Placed) -> None:
    """Turn a computed cell red where somebody typed over its formula.

    The sheet is not protected, since a table on a protected sheet cannot grow.
    """
    for first, last in (
        (OUTPUTS[0].label, ALERT_CODES.label),
        (NODES_AGAINST_BASE.label, ALERTS_SO_FAR),
    ):
        start, end = placed.column_letter(first), placed.column_letter(last)
        cells = f"{start}{placed.first_row}:{end}{placed.last_row}"
        typed_over = f"NOT(_xlfn.ISFORMULA({start}{placed.first_row}))"
        highlight(writer.sheet, cells, typed_over, fill=SEVERITY_FILLS["error"])


def _group_steps(writer: Writer, placed: Placed) -> None:
    start = placed.first_column + placed.heads.index(LIVE.label)
    end = placed.first_column + len(placed.heads) - 1
    writer.sheet.column_dimensions.group(
        get_column_letter(start), get_column_letter(end), outline_level=1, hidden=True
    )


def _plain(address: str) -> str:
    return address.replace("$", "")
