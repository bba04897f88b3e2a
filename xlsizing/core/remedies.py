"""The smallest single change that makes a plan fit.

Each function answers with the nearest value of one input at which the alert goes
away, all other inputs unchanged; None where no value of that input does it. The
counts are exact, in ten-thousandths of a byte (see `capacity`).
"""

from xlsizing.core.alerts import REMEDIES
from xlsizing.core.capacity import PARTS, hbm_bytes, kv_budget_parts
from xlsizing.core.entries import Model, Server
from xlsizing.core.exact import (
    GB_PLACES,
    RATIO_PLACES,
    Number,
    ceil_div,
    grouped,
    in_parts,
)
from xlsizing.core.kv_cache import (
    BYTES_PER_ELEMENT,
    kv_bytes_per_session,
    kv_elements_per_token,
)
from xlsizing.core.units import BYTES_PER_GIB

_OVERHEAD_PART = BYTES_PER_GIB * PARTS // 10**GB_PLACES
"""A hundredth of a GiB in ten-thousandths of a byte."""


def budget_remedies(
    model: Model,
    server: Server,
    effective_context: int,
    kv_precision: str,
    kv_budget_ratio: Number,
    runtime_overhead_gib: Number,
) -> str:
    """What would make room for one session, as text; the parameters are those of `size`."""
    kv_bytes = kv_bytes_per_session(model, effective_context, kv_precision)
    needed = kv_bytes * PARTS
    hbm = hbm_bytes(server)
    overhead = in_parts(runtime_overhead_gib, GB_PLACES) * _OVERHEAD_PART
    ratio = in_parts(kv_budget_ratio, RATIO_PLACES)
    budget = kv_budget_parts(server, kv_budget_ratio, runtime_overhead_gib)

    remedies = []
    ratio_at_least = ceil_div(needed + overhead, hbm)
    if ratio_at_least <= PARTS:
        remedies.append(_remedy("ratio_at_least", ratio_at_least, PARTS, RATIO_PLACES))
    overhead_at_most = (hbm * ratio - needed) // _OVERHEAD_PART
    if overhead_at_most >= 0:
        remedies.append(_remedy("overhead_at_most", overhead_at_most, 10**GB_PLACES, GB_PLACES))
    context_at_most = longest_context(model, budget // PARTS, BYTES_PER_ELEMENT[kv_precision])
    if context_at_most >= 1:
        remedies.append(_remedy("context_at_most", context_at_most))
    if BYTES_PER_ELEMENT[kv_precision] == 2 and needed // 2 <= budget:
        remedies.append(REMEDIES["kv_precision_fp8"])
    remedies.append(_hbm_at_least(needed + overhead, ratio))
    return "; ".join(remedies)


def weights_remedies(
    weight_bytes: int, server: Server, kv_budget_ratio: Number, runtime_overhead_gib: Number
) -> str:
    """What would leave room for the weights, as text; the parameters are those of `size`."""
    hbm = hbm_bytes(server)
    overhead = in_parts(runtime_overhead_gib, GB_PLACES) * _OVERHEAD_PART
    remedies = []
    ratio_at_most = ((hbm - weight_bytes) * PARTS + overhead) // hbm
    if ratio_at_most > 0:
        remedies.append(_remedy("ratio_at_most", ratio_at_most, PARTS, RATIO_PLACES))
    share_left = PARTS - in_parts(kv_budget_ratio, RATIO_PLACES)
    if share_left > 0:
        remedies.append(_hbm_at_least(weight_bytes * PARTS - overhead, share_left))
    return "; ".join(remedies) or REMEDIES["ratio_and_hbm"]


def longest_context(model: Model, budget: int, bytes_per_element: int) -> int:
    """The longest context of which one session fits in `budget` bytes [tokens]; 0 where none.

    Up to the window every layer grows with the context, beyond it the full layers only.
    """
    elements = budget // bytes_per_element
    full, sliding = kv_elements_per_token(model)
    window = model.sliding_window or 0
    within_window = elements // (full + sliding)
    if within_window < window or full == 0:
        return max(0, within_window)
    return max(0, (elements - sliding * window) // full)


def _hbm_at_least(needed: int, ratio: int) -> str:
    # needed / ratio is in bytes; the answer is shown in hundredths of a GiB, rounded up.
    hundredths = ceil_div(needed * 10**GB_PLACES, ratio * BYTES_PER_GIB)
    return _remedy("hbm_at_least", hundredths, 10**GB_PLACES, GB_PLACES)


def _remedy(key: str, numerator: int, denominator: int = 1, places: int = 0) -> str:
    return REMEDIES[key].format(figure=grouped(numerator, denominator, places))
