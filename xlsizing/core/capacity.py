"""How many sessions one node holds.

Source: the planning method, steps 5 and 6. Amounts are counted in ten-thousandths of
a byte, so that a ratio of four decimals stays an integer.
"""

from typing import Annotated

from xlsizing.core.constraints import LARGEST, Above, AtLeast, AtMost, Rule, require
from xlsizing.core.entries import Server
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.exact import (
    GIB_PARTS,
    RATIO_PARTS,
    Number,
    in_parts,
    is_in_parts,
    is_number,
)
from xlsizing.core.message import Message
from xlsizing.core.units import BYTES_PER_GB, BYTES_PER_GIB, BYTES_PER_MIB

DEFAULT_KV_BUDGET_RATIO = 0.70
DEFAULT_RUNTIME_OVERHEAD_GIB = 120

KvBudgetRatio = Annotated[
    float,
    Above(0),
    AtMost(1),
    Rule(lambda value: is_in_parts(value, RATIO_PARTS), Message("with at most 4 decimals")),
]
RuntimeOverheadGib = Annotated[
    float,
    AtLeast(0),
    AtMost(LARGEST),
    Rule(lambda value: is_in_parts(value, GIB_PARTS), Message("with at most 2 decimals")),
]


def hbm_bytes(server: Server) -> int:
    """HBM of one node, exactly [bytes].

    gpus * hbm_per_gpu_mib * 2^20 where the driver's figure is known, else
    total_hbm_gb * 10^9. Source: the planning method, step 5 and "GB is not one unit".
    """
    if server.hbm_per_gpu_mib is not None:
        return server.gpus * server.hbm_per_gpu_mib * BYTES_PER_MIB
    assert server.total_hbm_gb is not None  # set when the entry is made
    return in_parts(server.total_hbm_gb, GIB_PARTS) * BYTES_PER_GB // GIB_PARTS


def kv_budget_parts(server: Server, kv_budget_ratio: Number, runtime_overhead_gib: Number) -> int:
    """What one node has for KV caches, in ten-thousandths of a byte; negative where the
    overhead is larger than the share.

    budget = HBM * kv_budget_ratio - runtime_overhead_gib * 2^30

    Parameters
    ----------
    server : the node.
    kv_budget_ratio : share of the HBM that is planned for KV caches [0 to 1].
    runtime_overhead_gib : what the runtime takes of that share, per node [GiB].

    Raises
    ------
    InvalidValueError : a ratio or an overhead that the method does not accept.
    """
    require("kv_budget_ratio", kv_budget_ratio, KvBudgetRatio)
    require("runtime_overhead_gib", runtime_overhead_gib, RuntimeOverheadGib)
    return budget_left(
        hbm_bytes(server),
        in_parts(kv_budget_ratio, RATIO_PARTS),
        in_parts(runtime_overhead_gib, GIB_PARTS),
    )


def budget_left(hbm: int, ratio_parts: int, overhead_parts: int) -> int:
    """The budget of `kv_budget_parts`, of figures that are known to be right.

    Parameters
    ----------
    hbm : HBM of one node [bytes].
    ratio_parts : kv_budget_ratio [ten-thousandths].
    overhead_parts : runtime_overhead_gib [hundredths of a GiB].
    """
    return hbm * ratio_parts - overhead_parts * BYTES_PER_GIB * (RATIO_PARTS // GIB_PARTS)


def kv_budget_bytes(server: Server, kv_budget_ratio: Number, runtime_overhead_gib: Number) -> int:
    """The KV budget of one node in whole bytes, rounded down; see `kv_budget_parts`."""
    return kv_budget_parts(server, kv_budget_ratio, runtime_overhead_gib) // RATIO_PARTS


def bytes_beside_kv(server: Server, kv_budget_ratio: Number, runtime_overhead_gib: Number) -> int:
    """Whole bytes of HBM that the KV budget leaves for weights and runtime, per node."""
    budget = kv_budget_parts(server, kv_budget_ratio, runtime_overhead_gib)
    return (hbm_bytes(server) * RATIO_PARTS - budget) // RATIO_PARTS


def sessions_that_fit(budget_parts: int, kv_bytes: int) -> int:
    """Sessions of `kv_bytes` each in a budget; 0 where none fits.

    sessions = floor(budget / KV per session), never below 0
    """
    return max(0, budget_parts // (kv_bytes * RATIO_PARTS))


def calc_sessions_per_node(
    server: Server,
    kv_per_session_gib: Number,
    kv_budget_ratio: Number,
    runtime_overhead_gib: Number,
) -> int:
    """Sessions that one node holds; 0 where none fits.

    sessions = floor((HBM * kv_budget_ratio - runtime_overhead_gib) / kv_per_session_gib)

    Parameters
    ----------
    server : the node.
    kv_per_session_gib : KV cache of one session [GiB], read as whole bytes.
    kv_budget_ratio : share of the HBM that is planned for KV caches [0 to 1].
    runtime_overhead_gib : what the runtime takes of that share, per node [GiB].

    Raises
    ------
    InvalidValueError : a value that the method does not accept.
    """
    budget = kv_budget_parts(server, kv_budget_ratio, runtime_overhead_gib)
    return sessions_that_fit(budget, _whole_bytes(kv_per_session_gib))


def _whole_bytes(kv_per_session_gib: Number) -> int:
    if is_number(kv_per_session_gib) and kv_per_session_gib > 0:
        numerator, denominator = kv_per_session_gib.as_integer_ratio()
        size = (2 * numerator * BYTES_PER_GIB + denominator) // (2 * denominator)
        if size > 0:
            return size
    raise InvalidValueError(
        "kv_per_session_gib",
        kv_per_session_gib,
        Message("a number above 0 that makes at least one byte"),
    )
