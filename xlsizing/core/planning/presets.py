"""Presets that a load is compared with: how much of safety costs how many nodes."""

from collections.abc import Mapping
from typing import NamedTuple

AS_ASKED = "As asked"
"""What the load itself is called beside the presets."""


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
