"""Scenarios that a report compares a load with: how much of safety costs how many nodes."""

from collections.abc import Mapping
from typing import NamedTuple

from xlsizing.book.limits import is_countable
from xlsizing.book.scenario import Scenario, sized_scenario
from xlsizing.core import Catalogs, SizingResult, size

AS_ASKED = "As asked"


class Preset(NamedTuple):
    """Peak headroom [share of the load] and high availability of a preset."""

    peak_headroom_ratio: float
    ha_mode: str


PRESETS: Mapping[str, Preset] = {
    "Minimum": Preset(0.0, "none"),
    "Recommended": Preset(0.2, "n+1"),
    "Ideal": Preset(0.4, "n+1"),
}
"""The presets by name, from the cheapest to the safest."""


def presets(result: SizingResult, catalogs: Catalogs) -> list[Scenario]:
    """The load as it was asked for, and with the headroom and spare nodes of each preset.

    A preset whose peak a workbook cannot count is left out.
    """
    named = {AS_ASKED: result} | {name: _with(result, each) for name, each in PRESETS.items()}
    return [
        sized_scenario(name, each, catalogs) for name, each in named.items() if is_countable(each)
    ]


def _with(result: SizingResult, preset: Preset) -> SizingResult:
    return size(
        result.model,
        result.server,
        result.storage,
        concurrency=result.concurrency,
        effective_context=result.effective_context,
        kv_precision=result.kv_precision,
        kv_budget_ratio=result.kv_budget_ratio,
        runtime_overhead_gib=result.runtime_overhead_gib,
        peak_headroom_ratio=preset.peak_headroom_ratio,
        ha_mode=preset.ha_mode,
        settings=result.settings,
    )
