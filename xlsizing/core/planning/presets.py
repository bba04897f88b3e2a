"""Presets that a load is compared with: how much of safety costs how many nodes."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from xlsizing.core.catalogs import name_key
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.message import Message
from xlsizing.core.nodes import headroom_parts, spare_nodes

AS_ASKED = Message("As asked")
"""What the load itself is called beside the presets."""


class Preset(NamedTuple):
    """Peak headroom [share of the load] and high availability of a preset."""

    peak_headroom_ratio: float
    ha_mode: str


PRESETS: Mapping[str, Preset] = {
    Message("Minimum"): Preset(0.0, "none"),
    Message("Recommended"): Preset(0.2, "n+1"),
    Message("Ideal"): Preset(0.4, "n+1"),
}
"""The presets by name, from the cheapest to the safest."""


def with_changed(texts: Iterable[str]) -> Mapping[str, Preset]:
    """The presets with some changed or added, each written as NAME=HEADROOM,HA.

    Raises
    ------
    InvalidValueError : a text is written otherwise, or the method does not accept its values.
    """
    presets = dict(PRESETS)
    for text in texts:
        name, _, values = text.partition("=")
        headroom, _, mode = values.partition(",")
        known = next((each for each in presets if name_key(each) == name_key(name)), name.strip())
        try:
            ratio = Decimal(headroom.strip())
        except InvalidOperation as error:
            raise _wrong(text) from error
        if not name.strip() or not mode.strip() or name_key(name) == name_key(AS_ASKED):
            raise _wrong(text)
        headroom_parts(ratio)
        spare_nodes(mode.strip().lower())
        presets[known] = Preset(float(ratio), mode.strip().lower())
    return presets


def _wrong(text: str) -> InvalidValueError:
    return InvalidValueError(
        "--preset", text, Message("written as NAME=HEADROOM,HA, such as Ideal=0.4,n+1")
    )
