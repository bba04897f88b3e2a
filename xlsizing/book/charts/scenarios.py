"""Nodes of the first rows of Scenarios: by the plan, in steady decode, by the engine bound."""

from collections.abc import Sequence

from openpyxl.chart import BarChart

from xlsizing.book.charts.look import Frame, paint
from xlsizing.book.charts.nodes import WHOLE_AXIS
from xlsizing.book.charts.page import LAST_COLUMN, MIDDLE_COLUMN, ChartsPage, Drawn, in_column
from xlsizing.book.charts.series import series
from xlsizing.book.engine.page import NOT_KNOWN, known
from xlsizing.book.scenario import Scenario
from xlsizing.book.scenarios_sheet import EMPTY, LIVE, head
from xlsizing.book.tables import Placed
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value
from xlsizing.palette import ACCENT, SKY, VERMILION

SHOWN = 5
"""Rows of Scenarios that the chart has room for."""

_NAME, _NUMBER = MIDDLE_COLUMN + 1, LAST_COLUMN - 3
_FIGURES = (
    (Message("Plan"), "NodesFinal", ACCENT),
    (Message("Steady decode"), "SteadyNodesFinal", SKY),
    (Message("Engine bound"), "EngineNodesFinal", VERMILION),
)
_FRAME = Frame(0.1, 0.19, 0.88, 0.47)
_CAPTION = Message(
    "The first {rows} rows of Scenarios; one that is switched off stays empty.", rows=str(SHOWN)
)


def write_scenarios(
    page: ChartsPage, row: int, table: Placed, scenarios: Sequence[Scenario]
) -> Drawn:
    """Write the figures from a row on; returns the chart of them."""
    page.title(row, _NAME, Message("Nodes final by scenario"))
    page.heads(
        row + 1, _NAME, Message("Scenario"), "", Message("Row"), *(name for name, _, _ in _FIGURES)
    )
    first, last = row + 2, row + 1 + SHOWN
    for number in range(1, SHOWN + 1):
        scenario = scenarios[number - 1] if number <= len(scenarios) else EMPTY
        _write_scenario(page, row + 1 + number, number, table, scenario)
    chart = BarChart()
    chart.gapWidth, chart.overlap = 60, 0
    title = Message("Nodes final by scenario: plan and engine")
    page.dress(chart, title, Message("Scenario"), Message("Nodes"), _FRAME)
    chart.y_axis.number_format = WHOLE_AXIS
    names = page.cells(first, _NAME, last_row=last)
    for column, (_, _, colour) in enumerate(_FIGURES, start=_NUMBER + 1):
        values = page.cells(first, column, last_row=last)
        drawn = series(page.cells(first - 1, column), values, names)
        paint(drawn, colour)
        chart.series.append(drawn)
    alt_text = Message(
        "Columns: nodes final of the first {rows} rows of Scenarios by the plan, in steady decode "
        "and by the engine bound.",
        rows=str(SHOWN),
    )
    return Drawn(chart, Message("Nodes by scenario"), alt_text, None, _CAPTION, last)


def _write_scenario(
    page: ChartsPage, row: int, number: int, table: Placed, scenario: Scenario
) -> None:
    own_number = in_column(row, _NUMBER)

    def cells(heading: str) -> str:
        # A plain range: not every program knows what a structured reference depends on.
        return f"INDEX(Scenarios!{table.cells(heading)},{own_number})"

    live, name = cells(LIVE.label), cells("Scenario")
    page.label(row, _NAME, "", columns=_NUMBER - _NAME)
    shown = scenario.name if scenario.is_live else ""
    page.text(row, _NAME, f'IF({live},IF({name}="","",{name}),"")', shown)
    page.given(row, _NUMBER, number)
    for column, (_, symbol, _) in enumerate(_FIGURES, start=_NUMBER + 1):
        nodes = scenario.values.get(symbol)
        count: Value = nodes if isinstance(nodes, int) else NOT_KNOWN
        text = f'IFERROR(IF({live},{known(cells(head(symbol)))},""),"")'
        page.figure_or_words(row, column, text, count if scenario.is_live else "")
