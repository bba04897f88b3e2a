"""The sheet with the scenarios: one a row, the answer first."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from xlsizing import palette
from xlsizing.core import SizingResult
from xlsizing.core.alerts import STATUS_OK
from xlsizing.core.kv_cache import clamped_context
from xlsizing.core.message import Message, joined
from xlsizing.core.planning.cells import Value
from xlsizing.core.planning.inputs import INPUTS, TENSOR_PARALLEL, Input
from xlsizing.excel.full_report.page import (
    APART,
    BODY,
    CENTRED,
    COLUMN_HEAD,
    COUNT,
    NOTE,
    PLAIN,
    RULED,
    STRONG,
    SUBTITLE,
    TITLE,
    WRAPPED,
    Area,
    Highlight,
    Look,
    Page,
    cut,
    runs,
)
from xlsizing.excel.full_report.results_page import NONE_FITS, NOT_KNOWN, SESSION_FORMAT
from xlsizing.excel.full_report.sized import Scenario, SizedPlan
from xlsizing.language import Language

TOP = 5
"""The row of the heads."""

_MOST_TYPED = 80
"""Characters of what was typed for an input that is refused."""

SCENARIO, STATUS, ALERTS = Message("Scenario"), Message("Status"), Message("Alerts")
NODES_FINAL = Message("Nodes final")

_Shown = Callable[[Scenario, SizingResult], Value]


class _Column(NamedTuple):
    """A column: its head, what it shows of a scenario that was sized, and its looks."""

    head: str
    value: _Shown
    width: float = 12
    number_format: str = "General"


def scenarios_page(plan: SizedPlan, origin: str, language: Language) -> Page:
    """The page of a plan's scenarios.

    Parameters
    ----------
    origin : what made the report, in a sentence.
    language : what the page is in.
    """
    columns = _columns(plan.base)
    widths = [column.width for column in columns]
    page = Page("Scenarios", "Report scenarios", (3, 1), widths, (TOP, 1), language)
    page.write(1, 1, Message("Scenarios"))
    page.write(2, 1, _subtitle(plan))
    page.write(3, 1, origin)
    page.write(TOP, 1, *(column.head for column in columns))
    for row, scenario in enumerate(plan.scenarios, start=TOP + 1):
        page.write(row, 1, *_row(scenario, columns))
    _dress(page, columns, TOP + len(plan.scenarios))
    return page


def _subtitle(plan: SizedPlan) -> Message:
    told = [
        Message(
            "{count} scenarios: the rows of Scenarios that are active.",
            count=str(len(plan.scenarios)),
        )
        if plan.rows_are_typed
        else Message("{count} scenarios: presets.", count=str(len(plan.scenarios)))
    ]
    if wrong := sum(each.result is None for each in plan.scenarios):
        told.append(Message("{count} cannot be sized: see the status.", count=str(wrong)))
    if plan.base:
        told.append(Message("Compared with {scenario}.", scenario=plan.base.name))
    return joined(" ", told)


def _row(scenario: Scenario, columns: Sequence[_Column]) -> list[Value]:
    if scenario.result is not None:
        result = scenario.result
        return [column.value(scenario, result) for column in columns]
    asked = (*INPUTS, TENSOR_PARALLEL)
    typed = {each.label: cut(scenario.typed.get(each.symbol), _MOST_TYPED) for each in asked}
    shown = {SCENARIO: scenario.name, STATUS: scenario.status, **typed}
    return [shown.get(column.head) for column in columns]


def _columns(base: Scenario | None) -> list[_Column]:
    base_nodes = base.nodes_final if base else None

    def difference(_: Scenario, result: SizingResult) -> Value:
        if base_nodes is None or result.nodes_final is None:
            return None
        return result.nodes_final - base_nodes

    def share(_: Scenario, result: SizingResult) -> Value:
        if base_nodes is None or result.nodes_final is None:
            return None
        return result.nodes_final / base_nodes - 1

    return [
        _Column(SCENARIO, lambda scenario, _: scenario.name, 24),
        _Column(NODES_FINAL, _nodes("nodes_final"), 12, COUNT),
        _Column(STATUS, lambda scenario, _: scenario.status, 40),
        *(
            _Column(each.label, _input(each), _WIDTHS.get(each.symbol, 12), each.number_format)
            for each in INPUTS
        ),
        _Column(
            TENSOR_PARALLEL.label, lambda _, result: result.settings.tensor_parallel, 12, COUNT
        ),
        _Column(Message("Context held"), _context, 12, COUNT),
        _Column(
            Message("KV per session GiB"),
            lambda _, result: result.kv_per_session_gib,
            12,
            SESSION_FORMAT,
        ),
        _Column(Message("KV total TiB"), lambda _, result: result.kv_total_tib, 12, SESSION_FORMAT),
        _Column(
            Message("Sessions per node"), lambda _, result: result.sessions_per_node, 12, COUNT
        ),
        _Column(Message("Nodes minimum"), _nodes("nodes_minimum"), 12, COUNT),
        _Column(Message("Nodes with headroom"), _nodes("nodes_with_headroom"), 12, COUNT),
        _Column(Message("GPUs"), _gpus, 12, COUNT),
        _Column(Message("Nodes against base"), difference, 12, "+#,##0;-#,##0;0"),
        _Column(Message("Against base in %"), share, 12, "+0%;-0%;0%"),
        _Column(Message("Engine nodes final"), _engine_nodes, 12, COUNT),
        _Column(ALERTS, _codes, 60),
    ]


_WIDTHS = {
    "Model": 24,
    "Server": 24,
    "Storage": 24,
    "Concurrency": 20,
    "Context": 20,
}
"""Width of the columns of inputs, by symbol."""


def _input(asked: Input) -> _Shown:
    """What was sized with for an input, whether it was typed or not."""

    def value(_: Scenario, result: SizingResult) -> Value:
        given = getattr(result, asked.field)
        if asked.has_aliases:
            return str(given.name)
        return given if isinstance(given, str | int) else float(given)

    return value


def _nodes(field: str) -> _Shown:
    def value(_: Scenario, result: SizingResult) -> Value:
        nodes: int | None = getattr(result, field)
        return NONE_FITS if nodes is None else nodes

    return value


def _context(_: Scenario, result: SizingResult) -> Value:
    return clamped_context(result.model, result.effective_context)


def _gpus(_: Scenario, result: SizingResult) -> Value:
    return None if result.nodes_final is None else result.nodes_final * result.server.gpus


def _engine_nodes(_: Scenario, result: SizingResult) -> Value:
    if result.engine is None:
        return NOT_KNOWN
    nodes = result.engine.nodes[-1]
    return NONE_FITS if nodes is None else nodes


def _codes(_: Scenario, result: SizingResult) -> Value:
    return "; ".join(dict.fromkeys(alert.code for alert in result.all_alerts))


def _number_look(column: _Column) -> Look:
    if column.number_format != "General":
        return Look(number_format=column.number_format)
    return PLAIN if column.head in _LONG else APART


_LONG = (SCENARIO, STATUS, ALERTS)
"""Columns of text that may be long."""


def _dress(page: Page, columns: Sequence[_Column], last: int) -> None:
    width = len(columns)
    page.look(1, 1, 1, 1, TITLE)
    page.look(2, 1, 2, 1, SUBTITLE)
    page.look(3, 1, 3, 1, NOTE)
    page.look(TOP, 1, TOP, width, COLUMN_HEAD)
    page.height(TOP, TOP, 47)
    page.look(TOP + 1, 1, last, width, BODY, CENTRED, RULED)
    for start, end, look in runs([_number_look(column) for column in columns]):
        page.look(TOP + 1, start + 1, last, end + 1, look)
    places = {column.head: place for place, column in enumerate(columns, start=1)}
    nodes, status = places[NODES_FINAL], places[STATUS]
    page.look(TOP + 1, nodes, last, nodes, STRONG)
    for head in _LONG:
        page.look(TOP + 1, places[head], last, places[head], WRAPPED)
    page.fitted.append(Area(TOP + 1, 1, last, width))
    statuses = Area(TOP + 1, status, last, status)
    page.highlights.append(Highlight(statuses, "not_equal_to", STATUS_OK, palette.ERROR_GROUND))
