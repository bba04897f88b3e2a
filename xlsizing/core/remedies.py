"""The smallest single change that makes a plan fit.

Each function answers for one input, all others unchanged, with the nearest value at
which the alert goes away. They count exactly; ratios come in ten-thousandths, amounts
of GiB in hundredths, as people may type them.
"""

from xlsizing.core.alerts import REMEDIES
from xlsizing.core.capacity import hbm_bytes, kv_budget_bytes
from xlsizing.core.entries import Model, Server
from xlsizing.core.exact import GIB_PARTS, RATIO_PARTS, Number, ceil_div, grouped, in_parts
from xlsizing.core.kv_cache import BYTES_PER_ELEMENT, kv_bytes_per_session, session_cost
from xlsizing.core.message import Message, joined
from xlsizing.core.units import BYTES_PER_GIB

_PARTS_PER_HUNDREDTH = BYTES_PER_GIB * RATIO_PARTS // GIB_PARTS
"""A hundredth of a GiB in ten-thousandths of a byte."""


def ratio_to_fit(kv_bytes: int, server: Server, runtime_overhead_gib: Number) -> int:
    """Least kv_budget_ratio with which one session fits [ten-thousandths]; may exceed 1."""
    needed = kv_bytes * RATIO_PARTS + _overhead_parts(runtime_overhead_gib)
    return ceil_div(needed, hbm_bytes(server))


def overhead_to_fit(kv_bytes: int, server: Server, kv_budget_ratio: Number) -> int:
    """Largest runtime_overhead_gib with which one session fits [hundredths of a GiB].

    Negative where no overhead does it.
    """
    share = hbm_bytes(server) * in_parts(kv_budget_ratio, RATIO_PARTS)
    return (share - kv_bytes * RATIO_PARTS) // _PARTS_PER_HUNDREDTH


def context_to_fit(model: Model, budget: int, bytes_per_element: int) -> int:
    """Longest context of which one session fits in `budget` bytes [tokens]; 0 where none.

    Up to the window every layer grows with the context, beyond it the full layers only. A
    state of fixed size comes off first; where nothing grows, no context helps.
    """
    cost = session_cost(model)
    left = max(0, budget - cost.state_bytes)
    growing = cost.elements * bytes_per_element + cost.index_bytes
    windowed = cost.windowed_elements * bytes_per_element
    within_window = left // (growing + windowed) if growing + windowed else 0
    if within_window < cost.window or growing == 0:
        return within_window
    return (left - windowed * cost.window) // growing


def hbm_to_fit(kv_bytes: int, kv_budget_ratio: Number, runtime_overhead_gib: Number) -> int:
    """Least HBM of a node that one session fits on [hundredths of a GiB]."""
    needed = kv_bytes * RATIO_PARTS + _overhead_parts(runtime_overhead_gib)
    return _hundredths_of_gib(needed, in_parts(kv_budget_ratio, RATIO_PARTS))


def ratio_for_weights(weight_bytes: int, server: Server, runtime_overhead_gib: Number) -> int:
    """Largest kv_budget_ratio that leaves room for the weights [ten-thousandths].

    Zero or negative where none does.
    """
    hbm = hbm_bytes(server)
    return ((hbm - weight_bytes) * RATIO_PARTS + _overhead_parts(runtime_overhead_gib)) // hbm


def hbm_for_weights(
    weight_bytes: int, kv_budget_ratio: Number, runtime_overhead_gib: Number
) -> int:
    """Least HBM of a node that leaves room for the weights [hundredths of a GiB].

    Zero where the overhead alone leaves enough, or a ratio of 1 never does.
    """
    share_left = RATIO_PARTS - in_parts(kv_budget_ratio, RATIO_PARTS)
    needed = weight_bytes * RATIO_PARTS - _overhead_parts(runtime_overhead_gib)
    return _hundredths_of_gib(needed, share_left) if share_left > 0 and needed > 0 else 0


def budget_remedies(
    model: Model,
    server: Server,
    effective_context: int,
    kv_precision: str,
    kv_budget_ratio: Number,
    runtime_overhead_gib: Number,
) -> Message:
    """What would make room for one session, as text; the parameters are those of `size`."""
    kv_bytes = kv_bytes_per_session(model, effective_context, kv_precision)
    budget = kv_budget_bytes(server, kv_budget_ratio, runtime_overhead_gib)
    element = BYTES_PER_ELEMENT[kv_precision]
    ratio = ratio_to_fit(kv_bytes, server, runtime_overhead_gib)
    overhead = overhead_to_fit(kv_bytes, server, kv_budget_ratio)
    context = context_to_fit(model, budget, element)
    hbm = hbm_to_fit(kv_bytes, kv_budget_ratio, runtime_overhead_gib)
    in_fp8 = kv_bytes_per_session(model, effective_context, "fp8")
    remedies = [
        _ratio("ratio_at_least", ratio) if ratio <= RATIO_PARTS else "",
        _gib("overhead_at_most", overhead) if overhead >= 0 else "",
        REMEDIES["context_at_most"].filled(figure=grouped(context)) if context >= 1 else "",
        REMEDIES["kv_precision_fp8"] if in_fp8 < kv_bytes and in_fp8 <= budget else "",
        _gib("hbm_at_least", hbm),
    ]
    return joined("; ", [remedy for remedy in remedies if remedy])


def weights_remedies(
    weight_bytes: int, server: Server, kv_budget_ratio: Number, runtime_overhead_gib: Number
) -> Message:
    """What would leave room for the weights, as text; the parameters are those of `size`."""
    ratio = ratio_for_weights(weight_bytes, server, runtime_overhead_gib)
    hbm = hbm_for_weights(weight_bytes, kv_budget_ratio, runtime_overhead_gib)
    remedies = [
        _ratio("ratio_at_most", ratio) if ratio > 0 else "",
        _gib("hbm_at_least", hbm) if hbm > 0 else "",
    ]
    found = [remedy for remedy in remedies if remedy]
    return joined("; ", found) if found else REMEDIES["ratio_and_hbm"]


def _overhead_parts(runtime_overhead_gib: Number) -> int:
    return in_parts(runtime_overhead_gib, GIB_PARTS) * _PARTS_PER_HUNDREDTH


def _hundredths_of_gib(needed_parts: int, ratio_parts: int) -> int:
    # A share in ten-thousandths of what is needed in ten-thousandths is in bytes.
    return ceil_div(needed_parts * GIB_PARTS, ratio_parts * BYTES_PER_GIB)


def _ratio(key: str, parts: int) -> Message:
    return REMEDIES[key].filled(figure=grouped(parts, RATIO_PARTS, 4))


def _gib(key: str, parts: int) -> Message:
    return REMEDIES[key].filled(figure=grouped(parts, GIB_PARTS, 2))
