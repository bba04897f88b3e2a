"""The sheet Scenarios: one sizing a row, each row on its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation

from xlsizing.book.alert_formulas import (
    ALERT_CODES,
    ALERTS,
    ENGINE_STATUS,
    REMEDY_TEXTS,
    STATUS,
)
from xlsizing.book.cells import PackageNotes, Style, Value, Writer
from xlsizing.book.engine.formulas import ENGINE_OUTPUTS, ENGINE_STEPS
from xlsizing.book.expressions import Formula, render
from xlsizing.book.formulas import OUTPUTS, REMEDY_STEPS, STEPS
from xlsizing.book.inputs import INPUTS, TENSOR_PARALLEL, Input, input_value
from xlsizing.book.pages import set_page
from xlsizing.book.sizing_sheet import add_input_check
from xlsizing.book.styles import (
    APART,
    BODY,
    INACTIVE_FONT,
    INPUT,
    INPUT_FILL,
    NOTE,
    RIGHT,
    SEVERITY_FILLS,
    STEP_FILL,
    STRONG,
    SUBTITLE,
    TITLE,
    highlight,
)
from xlsizing.book.tables import Column, Placed, own_row, write_table
from xlsizing.book.values import formula_values
from xlsizing.core import Catalogs, SizingResult

TABLE = "Scenarios"
TABLE_TOP = 4
ROWS = 20
"""Rows that the table has from the start; Excel adds more as a person types below."""


@dataclass(frozen=True)
class Scenario:
    """A named sizing."""

    name: str
    result: SizingResult


@dataclass(frozen=True)
class _Row:
    """A row of the table; an empty one has neither scenario nor values."""

    scenario: Scenario | None
    values: dict[str, Value]


LIVE = Formula(
    "Live",
    "Live",
    "",
    'AND(IFERROR(IF(ISLOGICAL({Active}),{Active},LOWER(TRIM({Active}))<>"no"),TRUE),'
    'IFERROR({Model}&{Server}&{Storage}&{Concurrency}&{Context}<>"",TRUE))',
)
"""Whether a row counts: it is not switched off, and something is typed in it."""

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


def write_scenarios_sheet(
    book: Workbook, notes: PackageNotes, scenarios: Sequence[Scenario], catalogs: Catalogs
) -> Placed:
    """Write the sheet with these scenarios and empty rows after them; returns where its table is."""
    sheet = book.create_sheet("Scenarios")
    writer = Writer(sheet, notes)
    writer.value(1, 1, "Scenarios", Style(font=TITLE))
    writer.value(
        2,
        1,
        "One scenario a row. Type in the yellow columns; empty optional cells take the defaults "
        'on About. Active "no" switches a row off. The steps are in the grouped columns to the '
        "right of Alerts.",
        Style(font=SUBTITLE),
    )
    rows = [
        _Row(each, formula_values(each.result, catalogs) | {"Live": True}) for each in scenarios
    ]
    rows += [_Row(None, {"Live": False})] * (ROWS - len(scenarios))
    placed = write_table(writer, TABLE, _columns(), rows, TABLE_TOP, alone=True)
    _add_checks(writer, placed)
    _colour(writer, placed)
    _group_steps(writer, placed)
    sheet.row_dimensions[TABLE_TOP].height = 32
    set_page(
        sheet,
        first_free_row=TABLE_TOP + 1,
        first_free_column=2,
        last_printed_column=placed.column_letter(TENSOR_PARALLEL.label),
    )
    return placed


def _columns() -> list[Column[_Row]]:
    shown = (*OUTPUTS, STATUS, ALERT_CODES)
    planning = (*STEPS, *REMEDY_STEPS, *REMEDY_TEXTS)
    engine = (*ENGINE_STEPS, *ENGINE_OUTPUTS, ENGINE_STATUS)
    steps = (*planning, *engine, *ALERTS)
    typed = Style(font=INPUT, fill=INPUT_FILL)
    live = Style(font=NOTE, fill=STEP_FILL)
    return [
        Column(
            "Scenario", lambda row: row.scenario.name if row.scenario else None, None, 22, typed
        ),
        Column("Active", lambda row: "yes" if row.scenario else None, None, 8, typed),
        *(_input_column(asked) for asked in INPUTS),
        *(_computed(formula, _WIDTHS.get(formula.symbol, 12), answer=True) for formula in shown),
        _input_column(TENSOR_PARALLEL),
        Column(LIVE.label, lambda row: row.values["Live"], render(LIVE.text, reference), 8, live),
        *(_computed(formula, 14, answer=False) for formula in steps),
    ]


_WIDTHS = {
    "Model": 20,
    "Server": 14,
    "Storage": 22,
    "KvTotalTiB": 11,
    "NodesFinal": 11,
    "Status": 34,
    "AlertCodes": 60,
}


def _input_column(asked: Input) -> Column[_Row]:
    return Column(
        asked.label,
        lambda row: input_value(asked, row.scenario.result) if row.scenario else None,
        None,
        _WIDTHS.get(asked.symbol, 12.5),
        Style(INPUT, INPUT_FILL, asked.number_format, _alignment(asked.number_format)),
    )


def _computed(formula: Formula, width: float, *, answer: bool) -> Column[_Row]:
    font = STRONG if formula.symbol == "NodesFinal" else BODY
    return Column(
        formula.label,
        lambda row: row.values.get(formula.symbol, ""),
        f'IF({reference("Live")},{render(formula.text, reference)},"")',
        width,
        Style(
            font=font if answer else NOTE,
            fill=None if answer else STEP_FILL,
            number_format=formula.number_format,
            alignment=_alignment(formula.number_format),
        ),
    )


def _alignment(number_format: str) -> Alignment:
    """Text stands apart from a number in the column before it."""
    return APART if number_format == "General" else RIGHT


def _add_checks(writer: Writer, placed: Placed) -> None:
    active = DataValidation(type="list", formula1='"yes,no"', allow_blank=True)
    active.add(_plain(placed.cells("Active")))
    writer.sheet.add_data_validation(active)
    for asked in (*INPUTS, TENSOR_PARALLEL):
        add_input_check(writer.sheet, asked, _plain(placed.cells(asked.label)))


def _colour(writer: Writer, placed: Placed) -> None:
    first, last = placed.column_letter("Scenario"), placed.column_letter(TENSOR_PARALLEL.label)
    cells = f"{first}{placed.first_row}:{last}{placed.last_row}"
    status = f"${placed.column_letter('Status')}{placed.first_row}"
    live = f"${placed.column_letter('Live')}{placed.first_row}"
    wrong = f'AND({status}<>"",{status}<>"OK")'
    statuses = _plain(placed.cells("Status"))
    highlight(writer.sheet, statuses, wrong, fill=SEVERITY_FILLS["error"])
    highlight(writer.sheet, cells, f"NOT({live})", font=INACTIVE_FONT)


def _group_steps(writer: Writer, placed: Placed) -> None:
    start = placed.first_column + placed.heads.index(LIVE.label)
    end = placed.first_column + len(placed.heads) - 1
    writer.sheet.column_dimensions.group(
        get_column_letter(start), get_column_letter(end), outline_level=1, hidden=True
    )


def _plain(address: str) -> str:
    return address.replace("$", "")
