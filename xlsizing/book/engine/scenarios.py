"""The table of scenarios on the sheet Engine: planning, steady decode and engine bound of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xlsizing.book.cells import Style
from xlsizing.book.engine.page import LABEL, NOT_KNOWN, WIDTHS, EnginePage, known
from xlsizing.book.engine.values import UNKNOWN
from xlsizing.book.scenario import Scenario
from xlsizing.book.scenarios_sheet import EMPTY, LIVE, head
from xlsizing.book.styles import APART, BODY, HEADING, NOTE, RIGHT, SEVERITY_FILLS, highlight
from xlsizing.book.tables import Column, Placed, own_row, write_table
from xlsizing.core.alerts import STATUS_OK
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import CellError, Value

TABLE = "EngineScenarios"

_COUNT = Style(font=BODY, number_format="#,##0", alignment=RIGHT)
_TEXT = Style(font=BODY, alignment=APART)


class ScenarioTable(NamedTuple):
    """The table of the sheet Scenarios, and what its first rows hold."""

    placed: Placed
    scenarios: Sequence[Scenario]


@dataclass(frozen=True)
class _Line:
    """A line of the table: a row of Scenarios, from 1."""

    number: int
    scenario: Scenario


def write_scenarios(page: EnginePage, row: int, table: ScenarioTable) -> int:
    """Write a table with a line for each row of Scenarios; returns the row after it."""
    page.writer.value(row, LABEL, Message("Scenarios"), Style(font=HEADING))
    rows = [*table.scenarios, *[EMPTY] * (len(table.placed.rows) - len(table.scenarios))]
    lines = [_Line(number, scenario) for number, scenario in enumerate(rows, start=1)]
    columns = _columns(table.placed)
    placed = write_table(page.writer, TABLE, columns, lines, row + 1, LABEL, alone=True)
    for letter, width in WIDTHS.items():
        page.sheet.column_dimensions[letter].width = width
    status = f"$G{placed.first_row}"
    cells = placed.cells("Engine status").replace("$", "")
    wrong = f'AND({status}<>"",{status}<>"{STATUS_OK}")'
    highlight(page.sheet, cells, wrong, fill=SEVERITY_FILLS["error"])
    nodes = placed.cells("Engine nodes").replace("$", "")
    more = f"AND(ISNUMBER($F{placed.first_row}),ISNUMBER($D{placed.first_row}),"
    more += f"$F{placed.first_row}>$D{placed.first_row})"
    highlight(page.sheet, nodes, more, fill=SEVERITY_FILLS["warning"])
    page.sheet.row_dimensions[row + 1].height = 32
    return placed.last_row + 2


def _columns(scenarios: Placed) -> list[Column[_Line]]:
    number = own_row(TABLE, "Row")

    def cells(heading: str) -> str:
        # A plain range: not every program knows what a structured reference depends on.
        return f"INDEX(Scenarios!{scenarios.cells(heading)},{number})"

    def column(heading: str, symbol: str, width: float, style: Style) -> Column[_Line]:
        shown = known(cells(head(symbol)))
        return Column(
            heading,
            lambda line: _shown(line.scenario.values[symbol]) if line.scenario.is_live else "",
            f'IF({cells(LIVE.label)},{shown},"")',
            width,
            style,
        )

    name = cells("Scenario")
    return [
        Column(
            Message("Scenario"),
            lambda line: line.scenario.name,
            f'IF({name}="","",{name})',
            40,
            _TEXT,
        ),
        column(Message("Tensor parallel used"), "EngineTp", 19, _COUNT),
        column(Message("Planning nodes"), "NodesFinal", 19, _COUNT),
        column(Message("Steady nodes"), "SteadyNodesFinal", 19, _COUNT),
        column(Message("Engine nodes"), "EngineNodesFinal", 15, _COUNT),
        column(Message("Engine status"), "EngineStatus", 86, _TEXT),
        column(Message("Planning sessions per node"), "SessionsPerNode", 14, _COUNT),
        column(Message("Steady sessions per node"), "SteadySessionsPerNode", 14, _COUNT),
        column(Message("Engine sessions per node"), "EngineSessionsPerNode", 14, _COUNT),
        Column(Message("Row"), lambda line: line.number, None, 8, Style(font=NOTE)),
    ]


def _shown(value: Value) -> Value:
    return NOT_KNOWN if value == UNKNOWN or isinstance(value, CellError) else value
