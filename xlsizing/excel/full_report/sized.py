"""A plan that was read, sized: the load, its scenarios, and where the workbook says otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xlsizing.core import Alert, Catalogs, SizingError, SizingResult, size
from xlsizing.core.engine import EngineSettings
from xlsizing.core.message import Figure, Message, joined
from xlsizing.core.planning.cells import Value, words
from xlsizing.core.planning.limits import require_countable
from xlsizing.core.planning.plan import (
    NOWHERE,
    TypedCell,
    TypedRow,
    engine_settings,
    is_named,
    load_on_sizing,
)
from xlsizing.core.planning.presets import AS_ASKED, PRESETS
from xlsizing.core.planning.typed import SYMBOLS, typed_load
from xlsizing.excel.full_report.reading import OpenPlan

SIZING = "Sizing"
"""What the column Scenario calls the load on the sheet Sizing."""

_ALIKE = 1e-9
"""Figures that differ by no more than this share are one figure, shown with other digits."""


class Refusal(NamedTuple):
    """Why a scenario cannot be sized."""

    label: str
    """The input that is refused; empty where it is the load as a whole."""
    reason: SizingError

    @property
    def words(self) -> str:
        """The reason, with the input that it is about."""
        reason = str(self.reason)
        return joined(": ", (self.label, reason)) if self.label else reason


@dataclass(frozen=True)
class Scenario:
    """A scenario with its sizing, or with why there is none."""

    name: str
    typed: Mapping[str, Value]
    """What is typed for each input, by symbol; nothing for a preset."""
    result: SizingResult | None
    refusals: Sequence[Refusal] = ()

    @property
    def status(self) -> str:
        """OK, or what is wrong."""
        if self.result is not None:
            return self.result.status
        return joined(" ", (refusal.words for refusal in self.refusals))

    @property
    def nodes_final(self) -> int | None:
        """Nodes final; None where there is no such number."""
        return None if self.result is None else self.result.nodes_final


class WarningLine(NamedTuple):
    """A line of the list of warnings."""

    scenario: str
    alert: Alert


@dataclass(frozen=True)
class SizedPlan:
    """What a report shows."""

    load: Mapping[str, TypedCell]
    """The inputs on Sizing as they are typed, by symbol."""
    settings: Mapping[str, TypedCell]
    """The engine's settings as they are typed, by the name of their field."""
    result: SizingResult
    """The load on Sizing."""
    scenarios: Sequence[Scenario]
    """The rows of Scenarios that count; the presets where there are none."""
    rows_are_typed: bool
    """Whether they are rows of Scenarios."""
    base: Scenario | None
    """The scenario that the others are compared with."""
    warnings: Sequence[WarningLine]
    """What is unsafe or unusual, of Sizing first and then of each scenario."""


def sized_plan(plan: OpenPlan, catalogs: Catalogs) -> SizedPlan:
    """The sizing of a plan.

    Raises
    ------
    RefusedCellError : an input on Sizing or a setting of the engine is refused; the error
        names the cell. A row of Scenarios may be wrong, and then says so.
    WorkbookLimitError : the load on Sizing is too large for a workbook.
    """
    settings = engine_settings(plan.settings)
    result = load_on_sizing(plan.load, catalogs).result(settings)
    require_countable(result)
    differences = list(_differences(SIZING, result, _shown_on_sizing(plan)))
    scenarios = []
    for number, (row, shown) in enumerate(plan.rows, start=1):
        if row.is_live:
            scenario = _sized(row, number, settings, catalogs)
            scenarios.append(scenario)
            if scenario.result is not None:
                differences += _differences(scenario.name, scenario.result, shown)
    base = next((each for each in scenarios if plan.base and is_named(each.name, plan.base)), None)
    rows_are_typed = bool(scenarios)
    if not rows_are_typed:
        scenarios = _presets(result)
        base = scenarios[0]
    alerts = [WarningLine(SIZING, alert) for alert in result.all_alerts]
    for each in scenarios:
        alerts += [WarningLine(each.name, alert) for alert in _alerts(each)]
    warnings = [*differences, *alerts]
    return SizedPlan(plan.load, plan.settings, result, scenarios, rows_are_typed, base, warnings)


def _sized(row: TypedRow, number: int, settings: EngineSettings, catalogs: Catalogs) -> Scenario:
    """The scenario of a row of the table, which spoils no other where it is wrong."""
    name = row.name.strip() or Message("Scenario {number}", number=str(number))
    load = typed_load(row.typed, catalogs)
    if load.refused:
        refusals = [
            Refusal(SYMBOLS[symbol].label, reason) for symbol, reason in load.refused.items()
        ]
        return Scenario(name, row.typed, None, refusals)
    return _countable(name, row.typed, load.result(settings))


def _countable(name: str, typed: Mapping[str, Value], result: SizingResult) -> Scenario:
    """The scenario of a sizing; a refusal where the workbook could not count it."""
    try:
        require_countable(result)
    except SizingError as error:
        return Scenario(name, typed, None, [Refusal("", error)])
    return Scenario(name, typed, result)


def _presets(asked: SizingResult) -> list[Scenario]:
    """The load as it was asked for, and with the headroom and spare nodes of each preset."""
    scenarios = [Scenario(AS_ASKED, {}, asked)]
    for name, preset in PRESETS.items():
        result = size(
            asked.model,
            asked.server,
            asked.storage,
            concurrency=asked.concurrency,
            effective_context=asked.effective_context,
            kv_precision=asked.kv_precision,
            kv_budget_ratio=asked.kv_budget_ratio,
            runtime_overhead_gib=asked.runtime_overhead_gib,
            peak_headroom_ratio=preset.peak_headroom_ratio,
            ha_mode=preset.ha_mode,
            settings=asked.settings,
        )
        scenarios.append(_countable(name, {}, result))
    return scenarios


def _alerts(scenario: Scenario) -> Iterator[Alert]:
    """The alerts of a scenario; one for each input that is refused."""
    if scenario.result is not None:
        yield from scenario.result.all_alerts
    for refusal in scenario.refusals:
        yield Alert(refusal.reason.code, "error", refusal.words, _MEND)


_MEND = Message("Mend it in the row of Scenarios; until then the row has no figures.")


def _shown_on_sizing(plan: OpenPlan) -> dict[str, Value]:
    return {label: cell.value for label, cell in plan.shown.items() if cell is not NOWHERE}


def answers(result: SizingResult) -> dict[str, int | float | None]:
    """The answers of a sizing by their labels; None for nodes where nothing fits."""
    return {
        Message("Nodes final"): result.nodes_final,
        Message("Nodes with headroom"): result.nodes_with_headroom,
        Message("Nodes minimum"): result.nodes_minimum,
        Message("Sessions per node"): result.sessions_per_node,
        Message("KV per session GiB"): result.kv_per_session_gib,
        Message("KV total TiB"): result.kv_total_tib,
    }


def _differences(
    scenario: str, result: SizingResult, shown: Mapping[str, Value]
) -> Iterator[WarningLine]:
    """A warning where the workbook's own formulas come to other figures than the catalogs.

    Its tables may have been changed, or its formulas, or Excel has not calculated it yet:
    the reader of the report must not find two answers without a word.
    """
    found = [
        Message(
            "{label} ({there} there, {here} here)",
            label=label,
            there=_words(shown[label]),
            here=_words(answer),
        )
        for label, answer in answers(result).items()
        if label in shown and not _agree(shown[label], answer)
    ]
    if found:
        message = Message(
            "The workbook's own formulas show other figures: {figures}.",
            figures=joined("; ", found),
        )
        yield WarningLine(scenario, Alert("WORKBOOK_DIFFERS", "warning", message, _COMPARE))


_COMPARE = Message(
    "Let Excel calculate the workbook. Where it still differs, its tables Models, Servers or "
    "Storage were changed: this report is made with the catalogs of xlsizing."
)


def _agree(shown: Value, answer: float | None) -> bool:
    if answer is None:
        return not isinstance(shown, int | float)
    if not isinstance(shown, int | float) or isinstance(shown, bool):
        return False
    return abs(shown - answer) <= _ALIKE * abs(answer)


def _words(value: Value) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Figure(f"{value:,}")
    return words(value) or Message("nothing")
