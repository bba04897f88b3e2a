"""The smallest single change that makes a plan fit.

Each function answers for one input, all others unchanged, with the nearest value at
which the alert goes away. They count exactly; ratios come in ten-thousandths, amounts
of GiB in hundredths, as people may type them.
"""

from xlsizing.core.alerts import REMEDIES
from xlsizing.core.capacity import PARTS, hbm_bytes, kv_budget_parts
from xlsizing.core.entries import Model, Server
from xlsizing.core.exact import GB_PLACES, RATIO_PLACES, Number, ceil_div, grouped, in_parts
from xlsizing.core.kv_cache import BYTES_PER_ELEMENT, kv_bytes_per_session, kv_elements_per_token
from xlsizing.core.units import BYTES_PER_GIB

HUNDREDTHS = 10**GB_PLACES
_PARTS_PER_HUNDREDTH = BYTES_PER_GIB * PARTS // HUNDREDTHS
"""A hundredth of a GiB in ten-thousandths of a byte."""


def ratio_to_fit(kv_bytes: int, server: Server, runtime_overhead_gib: Number) -> int:
    """Least kv_budget_ratio with which one session fits [ten-thousandths]; may exceed 1."""
    needed = kv_bytes * PARTS + _overhead_parts(runtime_overhead_gib)
    return ceil_div(needed, hbm_bytes(server))


def overhead_to_fit(kv_bytes: int, server: Server, kv_budget_ratio: Number) -> int:
    """Largest runtime_overhead_gib with which one session fits [hundredths of a GiB].

    Counted from the whole bytes of the share; negative where no overhead does it.
    """
    share = hbm_bytes(server) * in_parts(kv_budget_ratio, RATIO_PLACES) // PARTS
    return (share - kv_bytes) * HUNDREDTHS // BYTES_PER_GIB


def context_to_fit(model: Model, budget: int, bytes_per_element: int) -> int:
    """Longest context of which one session fits in `budget` bytes [tokens]; 0 where none.

    Up to the window every layer grows with the context, beyond it the full layers only.
    """
    elements = max(0, budget) // bytes_per_element
    full, sliding = kv_elements_per_token(model)
    window = model.sliding_window or 0
    within_window = elements // (full + sliding)
    if within_window < window or full == 0:
        return within_window
    return (elements - sliding * window) // full


def hbm_to_fit(kv_bytes: int, kv_budget_ratio: Number, runtime_overhead_gib: Number) -> int:
    """Least HBM of a node that one session fits on [hundredths of a GiB]."""
    needed = kv_bytes * PARTS + _overhead_parts(runtime_overhead_gib)
    return _hundredths_of_gib(needed, in_parts(kv_budget_ratio, RATIO_PLACES))


def ratio_for_weights(weight_bytes: int, server: Server, runtime_overhead_gib: Number) -> int:
    """Largest kv_budget_ratio that leaves room for the weights [ten-thousandths].

    Zero or negative where none does.
    """
    hbm = hbm_bytes(server)
    return ((hbm - weight_bytes) * PARTS + _overhead_parts(runtime_overhead_gib)) // hbm


def hbm_for_weights(
    weight_bytes: int, kv_budget_ratio: Number, runtime_overhead_gib: Number
) -> int:
    """Least HBM of a node that leaves room for the weights [hundredths of a GiB].

    Zero where the overhead alone leaves enough, or a ratio of 1 never does.
    """
    share_left = PARTS - in_parts(kv_budget_ratio, RATIO_PLACES)
    needed = weight_bytes * PARTS - _overhead_parts(runtime_overhead_gib)
    return _hundredths_of_gib(needed, share_left) if share_left > 0 and needed > 0 else 0


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
    budget = kv_budget_parts(server, kv_budget_ratio, runtime_overhead_gib) // PARTS
    element = BYTES_PER_ELEMENT[kv_precision]
    ratio = ratio_to_fit(kv_bytes, server, runtime_overhead_gib)
    overhead = overhead_to_fit(kv_bytes, server, kv_budget_ratio)
    context = context_to_fit(model, budget, element)
    hbm = hbm_to_fit(kv_bytes, kv_budget_ratio, runtime_overhead_gib)
    remedies = [
        _remedy("ratio_at_least", ratio, RATIO_PLACES) if ratio <= PARTS else "",
        _remedy("overhead_at_most", overhead, GB_PLACES) if overhead >= 0 else "",
        _remedy("context_at_most", context) if context >= 1 else "",
        REMEDIES["kv_precision_fp8"] if element == 2 and kv_bytes // 2 <= budget else "",
        _remedy("hbm_at_least", hbm, GB_PLACES),
    ]
    return "; ".join(remedy for remedy in remedies if remedy)


def weights_remedies(
    weight_bytes: int, server: Server, kv_budget_ratio: Number, runtime_overhead_gib: Number
) -> str:
    """What would leave room for the weights, as text; the parameters are those of `size`."""
    ratio = ratio_for_weights(weight_bytes, server, runtime_overhead_gib)
    hbm = hbm_for_weights(weight_bytes, kv_budget_ratio, runtime_overhead_gib)
    remedies = [
        _remedy("ratio_at_most", ratio, RATIO_PLACES) if ratio > 0 else "",
        _remedy("hbm_at_least", hbm, GB_PLACES) if hbm > 0 else "",
    ]
    return "; ".join(remedy for remedy in remedies if remedy) or REMEDIES["ratio_and_hbm"]


def _overhead_parts(runtime_overhead_gib: Number) -> int:
    return in_parts(runtime_overhead_gib, GB_PLACES) * _PARTS_PER_HUNDREDTH


def _hundredths_of_gib(needed_parts: int, ratio_parts: int) -> int:
    # A share in ten-thousandths of what is needed in ten-thousandths is in bytes.
    return ceil_div(needed_parts * HUNDREDTHS, ratio_parts * BYTES_PER_GIB)


def _remedy(key: str, count: int, places: int = 0) -> str:
    return REMEDIES[key].format(figure=grouped(count, 10**places, places))
