"""Scenarios that a report compares a load with: how much of safety costs how many nodes."""

from collections.abc import Mapping
from typing import NamedTuple

from xlsizing.book.cells import Value
from xlsizing.book.scenario import ACTIVE, Scenario, sized_scenario
from xlsizing.book.typed_scenario import typed_scenario
from xlsizing.core import Catalogs, SizingResult

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

    A preset whose peak a workbook cannot count has a status that says so.
    """
    asked = sized_scenario(AS_ASKED, result, catalogs)
    rows = {name: {**asked.typed, **_typed(preset)} for name, preset in PRESETS.items()}
    return [asked] + [
        typed_scenario(name, ACTIVE, typed, result.settings, catalogs)
        for name, typed in rows.items()
    ]


def _typed(preset: Preset) -> dict[str, Value]:
    return {"PeakHeadroomRatio": preset.peak_headroom_ratio, "HA": preset.ha_mode}
