"""The sheet with the charts, and below them the figures that they are drawn from."""

from collections.abc import Sequence
from typing import NamedTuple

from xlsizing.core import BYTES_PER_ELEMENT, SizingResult
from xlsizing.core.engine import EngineBound
from xlsizing.core.exact import ceil_div, grouped
from xlsizing.core.kv_cache import kv_bytes_per_session
from xlsizing.core.message import Message, joined
from xlsizing.core.nodes import calc_nodes_required
from xlsizing.core.planning.cells import Value
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.excel.full_report.page import (
    COLUMN_HEAD,
    COUNT,
    HEADING,
    NOTE,
    STRONG,
    SUBTITLE,
    TITLE,
    Area,
    Chart,
    ChartKind,
    Look,
    Page,
)
from xlsizing.excel.full_report.results_page import memory_parts, question
from xlsizing.excel.full_report.sized import Scenario, SizedPlan
from xlsizing.language import Language
from xlsizing.palette import ACCENT, BLUE, MEMORY_COLOURS, SKY, VERMILION

MOST_SCENARIOS = 12
"""Scenarios that a chart has room for."""

_LEFT, _RIGHT = 2, 8
"""The columns in which the halves of the sheet begin."""
_LABEL_WIDTH, _WIDTH = 26, 12.3
_FIRST_CHART, _CHART_ROWS = 5, 17
_CHART_WIDTH, _CHART_HEIGHT = 460, 250
_QUARTERS = range(1, 9)
"""Concurrencies are quarters of the typed one, up to twice as much."""
_WHOLE_AXIS = "[<10]General;#,##0"
"""An axis of counts, which has ticks between them where they are few."""


class _Figures(NamedTuple):
    """A chart and the figures behind it: rows that begin with a label."""

    name: str
    kind: ChartKind
    title: str
    categories: str
    """What the axis of labels counts."""
    values: str
    """What the axis of figures counts."""
    heads: Sequence[str]
    colours: Sequence[str]
    """Of the columns that are drawn: the last ones."""
    rows: Sequence[Sequence[Value]]
    number_format: str = COUNT
    axis_format: str = _WHOLE_AXIS


def charts_page(plan: SizedPlan, origin: str, language: Language) -> Page:
    """The page of a plan's charts.

    Parameters
    ----------
    origin : what made the report, in a sentence.
    language : what the page is in.
    """
    half = [_LABEL_WIDTH, *[_WIDTH] * (_RIGHT - _LEFT - 1)]
    page = Page("Charts", "Report charts", (3, _LEFT), [2, *half, *half], (3, 0), language)
    result = plan.result
    page.write(1, _LEFT, Message("What the plan looks like"))
    page.write(2, _LEFT, question(result))
    page.write(3, _LEFT, origin)
    drawn = [_by_concurrency(result), _by_scenario(plan.scenarios), _by_precision(result)]
    drawn += [_memory(result.engine)] if result.engine else []
    row = _FIRST_CHART + 2 * _CHART_ROWS + 1
    page.write(row, _LEFT, Message("The figures behind the charts"))
    page.look(row, _LEFT, row, 2 * _RIGHT - _LEFT - 1, HEADING)
    for below in range(0, len(drawn), 2):
        pair = drawn[below : below + 2]
        chart_row = _FIRST_CHART + below // 2 * _CHART_ROWS
        sides = zip(pair, (_LEFT, _RIGHT), strict=False)
        row = max(_write(page, each, row + 2, column, chart_row) for each, column in sides)
    page.look(3, _LEFT, 3, _LEFT, NOTE)
    page.look(2, _LEFT, 2, _LEFT, SUBTITLE)
    page.look(1, _LEFT, 1, _LEFT, TITLE)
    return page


def _write(page: Page, drawn: _Figures, row: int, column: int, chart_row: int) -> int:
    """Write figures from a row on, and place their chart above; returns the last row."""
    page.write(row, column, drawn.title)
    page.look(row, column, row, column, STRONG)
    page.write(row + 1, column, *drawn.heads)
    first, last, right = row + 2, row + 1 + len(drawn.rows), column + len(drawn.heads) - 1
    for at, values in enumerate(drawn.rows, start=first):
        page.write(at, column, *values)
    page.look(row + 1, column, row + 1, right, COLUMN_HEAD)
    page.height(row + 1, row + 1, 32)
    page.look(first, column + 1, last, right, Look(number_format=drawn.number_format))
    figures = Area(row + 1, right - len(drawn.colours) + 1, last, right)
    labels = Area(first, column, last, column)
    page.charts.append(
        Chart(
            drawn.name,
            drawn.kind,
            page.say(drawn.title),
            page.say(drawn.categories),
            page.say(drawn.values),
            figures,
            labels,
            drawn.colours,
            Area(chart_row, column, chart_row, column),
            (_CHART_WIDTH, _CHART_HEIGHT),
            drawn.axis_format,
            has_legend=len(drawn.colours) > 1,
        )
    )
    return last


def _by_concurrency(result: SizingResult) -> _Figures:
    rows: list[list[Value]] = []
    for quarters in _QUARTERS:
        sessions = ceil_div(result.concurrency * quarters, 4)
        nodes = calc_nodes_required(
            sessions, result.sessions_per_node, result.peak_headroom_ratio, result.ha_mode
        )
        typed = Message(" (typed)") if quarters == 4 else ""
        rows.append([joined("", (grouped(sessions), typed)), *nodes])
    return _Figures(
        name="Nodes by concurrency",
        kind="column_clustered",
        title=Message("Nodes needed as concurrency grows"),
        categories=Message("Concurrency (sessions)"),
        values=Message("Nodes"),
        heads=(
            Message("Sessions"),
            Message("Nodes minimum"),
            Message("Nodes with headroom"),
            Message("Nodes final"),
        ),
        colours=(SKY, BLUE, ACCENT),
        rows=rows,
    )


def _by_scenario(scenarios: Sequence[Scenario]) -> _Figures:
    shown = scenarios[:MOST_SCENARIOS]
    rows = [[each.name, each.nodes_final, *_engine_nodes(each)] for each in shown]
    title = Message("Nodes final by scenario: plan and engine")
    if len(scenarios) > MOST_SCENARIOS:
        title = joined("", (title, Message(" (the first {most})", most=str(MOST_SCENARIOS))))
    return _Figures(
        name="Nodes by scenario",
        kind="column_clustered",
        title=title,
        categories=Message("Scenario"),
        values=Message("Nodes"),
        heads=(
            Message("Scenario"),
            Message("Plan"),
            Message("Steady decode"),
            Message("Engine bound"),
        ),
        colours=(ACCENT, SKY, VERMILION),
        rows=rows,
    )


def _engine_nodes(scenario: Scenario) -> tuple[int | None, int | None]:
    """Nodes final in steady decode and by the engine bound; None where not known."""
    engine = scenario.result.engine if scenario.result else None
    return (None, None) if engine is None else (engine.steady_nodes[-1], engine.nodes[-1])


def _by_precision(result: SizingResult) -> _Figures:
    rows: list[list[Value]] = []
    for precision, element in BYTES_PER_ELEMENT.items():
        used = Message(" (used)") if precision == result.kv_precision else ""
        size = kv_bytes_per_session(result.model, result.effective_context, precision)
        rows.append([joined("", (precision, used)), element, size / BYTES_PER_GIB])
    return _Figures(
        name="KV cache by precision",
        kind="column_clustered",
        title=Message("KV cache of one session, by precision"),
        categories=Message("KV precision"),
        values=Message("KV cache per session (GiB)"),
        heads=(Message("KV precision"), Message("Bytes per element"), Message("KV cache, GiB")),
        colours=(BLUE,),
        rows=rows,
        number_format="#,##0.####",
        axis_format="General",
    )


def _memory(engine: EngineBound) -> _Figures:
    parts = memory_parts(engine)
    return _Figures(
        name="Memory of one GPU",
        kind="bar_stacked_100",
        title=Message("Where one GPU's memory goes"),
        categories="",
        values=Message("Share of the usable memory"),
        heads=(Message("GiB of"), *(label for label, _, _ in parts)),
        colours=MEMORY_COLOURS,
        rows=[[Message("one GPU"), *(size / BYTES_PER_GIB for _, size, _ in parts)]],
        number_format="#,##0.00",
        axis_format="0%",
    )
