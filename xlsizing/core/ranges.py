"""Typical ranges of the figures, in words.

Source: the planning method, "Typical ranges". They say how unusual a figure is, not
whether it is right.
"""

from collections.abc import Mapping
from typing import NamedTuple

from xlsizing.core.alerts import ALERT_RULES, Alert
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message


class Band(NamedTuple):
    """A range of values with a name; `upper` is None for the last one, which is open."""

    name: Message
    upper: int | float | None
    inclusive: bool = True

    def holds(self, value: float) -> bool:
        """True where `value`, which is in no lower band, is in this one."""
        if self.upper is None:
            return True
        return value <= self.upper if self.inclusive else value < self.upper


RANGES: Mapping[str, tuple[Band, ...]] = {
    "concurrency": (
        Band(Message("Low"), 100),
        Band(Message("Medium"), 1_000),
        Band(Message("High"), 10_000),
        Band(Message("Extreme"), None),
    ),
    "effective_context": (
        Band(Message("Short"), 16_384),
        Band(Message("Medium"), 65_536),
        Band(Message("Long"), 131_072),
        Band(Message("Extreme"), None),
    ),
    "kv_per_session_gib": (
        Band(Message("Small"), 0.5),
        Band(Message("Medium"), 2),
        Band(Message("Large"), 5),
        Band(Message("Extreme"), None),
    ),
    "sessions_per_node": (
        Band(Message("Low"), 100, inclusive=False),
        Band(Message("Medium"), 1_000),
        Band(Message("High"), 5_000),
        Band(Message("Extreme"), None),
    ),
    "nodes": (
        Band(Message("Small"), 2),
        Band(Message("Medium"), 10),
        Band(Message("Large"), 50),
        Band(Message("Extreme"), None),
    ),
}
"""The bands of each figure, lowest first."""

EXTREME = Message("Extreme")


def band(figure: str, value: float) -> Message:
    """Name of the band that `value` falls in: band("nodes", 3) is "Medium"."""
    return next(each.name for each in RANGES[figure] if each.holds(value))


def extreme_above(figure: str) -> int:
    """The value above which `figure` is in its Extreme band."""
    upper = RANGES[figure][-2].upper
    assert isinstance(upper, int)
    return upper


def range_alerts(context: int, nodes_final: int | None) -> list[Alert]:
    """The alerts OUT_OF_TYPICAL_RANGE: one for each figure in its Extreme band.

    Parameters
    ----------
    context : the clamped context [tokens].
    nodes_final : nodes to buy, None where nothing fits.
    """
    alerts = []
    if band("effective_context", context) == EXTREME:
        alerts.append(
            ALERT_RULES["context_out_of_typical_range"].alert(
                context=grouped(context), context_limit=grouped(extreme_above("effective_context"))
            )
        )
    if nodes_final is not None and band("nodes", nodes_final) == EXTREME:
        alerts.append(
            ALERT_RULES["nodes_out_of_typical_range"].alert(
                nodes=grouped(nodes_final), nodes_limit=grouped(extreme_above("nodes"))
            )
        )
    return alerts
