"""How many nodes the load needs.

Source: the planning method, step 7.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, cast

from xlsizing.core.constraints import LARGEST, AtLeast, AtMost, Rule, require
from xlsizing.core.exact import RATIO_PARTS, Number, as_whole, ceil_div, in_parts, is_in_parts
from xlsizing.core.kv_cache import whole_number
from xlsizing.core.message import Message

DEFAULT_PEAK_HEADROOM_RATIO = 0.20
DEFAULT_HA_MODE = "none"

HaMode = Literal["none", "n+1"]
PeakHeadroomRatio = Annotated[
    float,
    AtLeast(0),
    AtMost(LARGEST),
    Rule(lambda value: is_in_parts(value, RATIO_PARTS), Message("with at most 4 decimals")),
]
SessionCount = Annotated[int, AtLeast(0)]

SPARE_NODES: Mapping[str, int] = {"none": 0, "n+1": 1}
"""Nodes more than the load needs, by HA mode."""

Nodes = tuple[int, int, int] | tuple[None, None, None]


def spare_nodes(ha_mode: str) -> int:
    """Nodes that `ha_mode` adds; raises InvalidValueError where it is none of the modes."""
    require("ha_mode", ha_mode, HaMode)
    return SPARE_NODES[ha_mode]


def calc_nodes_required(
    concurrency: Number,
    sessions_per_node: Number,
    peak_headroom_ratio: Number,
    ha_mode: str,
) -> Nodes:
    """Nodes minimum, with headroom, and final; three times None where nothing fits.

    minimum = ceil(concurrency / sessions_per_node)
    with headroom = ceil(concurrency * (1 + peak_headroom_ratio) / sessions_per_node)
    final = with headroom, + 1 where ha_mode is "n+1"

    Parameters
    ----------
    concurrency : sessions at the same time [whole number of at least 1].
    sessions_per_node : sessions that one node holds [whole number of at least 0].
    peak_headroom_ratio : what to keep free for peaks, as a share of the load [0 or more].
    ha_mode : "none", or "n+1" for one node more than the load needs.

    Raises
    ------
    InvalidValueError : a value that the method does not accept.
    """
    sessions = whole_number("concurrency", concurrency)
    per_node = as_whole(sessions_per_node)
    require("sessions_per_node", per_node, SessionCount)
    headroom = headroom_parts(peak_headroom_ratio)
    return nodes_that_hold(sessions, cast(int, per_node), headroom, spare_nodes(ha_mode))


def headroom_parts(peak_headroom_ratio: Number) -> int:
    """Peak headroom in ten-thousandths of the load; raises InvalidValueError where it is none."""
    require("peak_headroom_ratio", peak_headroom_ratio, PeakHeadroomRatio)
    return in_parts(peak_headroom_ratio, RATIO_PARTS)


def nodes_that_hold(sessions: int, per_node: int, headroom_parts: int, spare: int) -> Nodes:
    """The nodes of `calc_nodes_required`, of figures that are known to be right.

    Parameters
    ----------
    sessions, per_node : at the same time, and on one node.
    headroom_parts : peak headroom in ten-thousandths of the load.
    spare : nodes more than the load needs.
    """
    if per_node == 0:
        return None, None, None
    minimum = ceil_div(sessions, per_node)
    at_peak = sessions * (RATIO_PARTS + headroom_parts)
    with_headroom = ceil_div(at_peak, per_node * RATIO_PARTS)
    return minimum, with_headroom, with_headroom + spare
