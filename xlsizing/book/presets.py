"""The presets as scenarios of a workbook."""

from collections.abc import Mapping

from xlsizing.book.scenario import Scenario, sized_scenario
from xlsizing.book.typed_scenario import typed_scenario
from xlsizing.core import Catalogs, SizingResult
from xlsizing.core.planning.cells import Value
from xlsizing.core.planning.plan import ACTIVE, TypedRow
from xlsizing.core.planning.presets import AS_ASKED, PRESETS, Preset
from xlsizing.language import ENGLISH, Language


def presets(
    result: SizingResult,
    catalogs: Catalogs,
    chosen: Mapping[str, Preset] = PRESETS,
    language: Language = ENGLISH,
) -> list[Scenario]:
    """The load as it was asked for, and with the headroom and spare nodes of each preset.

    A preset whose peak a workbook cannot count has a status that says so.
    """
    asked = sized_scenario(AS_ASKED, result, catalogs)
    rows = {name: {**asked.typed, **_typed(preset)} for name, preset in chosen.items()}
    return [asked] + [
        typed_scenario(TypedRow(name, ACTIVE, typed), result.settings, catalogs, language)
        for name, typed in rows.items()
    ]


def _typed(preset: Preset) -> dict[str, Value]:
    return {"PeakHeadroomRatio": preset.peak_headroom_ratio, "HA": preset.ha_mode}
