"""The planning method computed once more, with fractions and nothing of the project's code.

It reads plain dictionaries of decimal texts, and follows the method's steps as written:
no part of it was taken from the code that it checks.
"""

from fractions import Fraction
from math import ceil, floor
from typing import Any

from tests.core.engine_reference import layers_of, planning_bytes

GIB = 2**30
BYTES = {"fp16": 2, "bf16": 2, "fp8": 1, "int8": 1}


def kv_bytes(model: dict[str, Any], context: int, precision: str) -> int:
    held = min(context, model["max_position_embeddings"])
    if model["attention_pattern"] == "grouped":
        return planning_bytes(layers_of(model), precision, held)
    per_token = 2 * model["num_key_value_heads"] * model["head_dim"] * BYTES[precision]
    total = 0
    for layer in range(model["num_layers"]):
        sees_all = {
            "full": True,
            "sliding": False,
            "hybrid": layer < (model.get("hybrid_full_layers") or 0),
        }[model["attention_pattern"]]
        total += per_token * (held if sees_all else min(held, model["sliding_window"]))
    return total


def hbm_bytes(server: dict[str, Any]) -> Fraction:
    if server.get("hbm_per_gpu_mib"):
        return Fraction(server["gpus"] * server["hbm_per_gpu_mib"], 1024) * GIB
    total = server.get("total_hbm_gb") or server["gpus"] * Fraction(server["hbm_per_gpu_gb"])
    return Fraction(total) * 10**9


def answer(
    model: dict[str, Any], server: dict[str, Any], storage: dict[str, Any], load: dict[str, Any]
) -> dict[str, Any]:
    """Outputs by name, and the codes of the alerts in the method's order."""
    precision = load["kv_precision"] or model["default_kv_precision"]
    one = kv_bytes(model, load["effective_context"], precision)
    hbm = hbm_bytes(server)
    budget = hbm * Fraction(load["kv_budget_ratio"]) - Fraction(load["runtime_overhead_gib"]) * GIB
    sessions = max(0, floor(budget / one))
    nodes: tuple[int | None, int | None, int | None] = (None, None, None)
    if sessions:
        minimum = ceil(Fraction(load["concurrency"], sessions))
        at_peak = load["concurrency"] * (1 + Fraction(load["peak_headroom_ratio"]))
        with_headroom = ceil(at_peak / sessions)
        nodes = (minimum, with_headroom, with_headroom + (load["ha_mode"] == "n+1"))
    held = min(load["effective_context"], model["max_position_embeddings"])
    weights = model.get("weight_bytes")
    speed = Fraction(storage["throughput_read_gbps"]) * 10**9
    alerts = [
        ("HBM_BUDGET_INSUFFICIENT", sessions == 0),
        ("WEIGHTS_NOT_COVERED", weights is not None and weights > hbm - budget),
        ("CONTEXT_CLAMPED", load["effective_context"] > model["max_position_embeddings"]),
        ("KV_PRECISION_16BIT", precision in ("fp16", "bf16")),
        ("LONG_CONTEXT_IO", held > 128_000),
        ("STORAGE_CLOUD_LATENCY", storage["type"].startswith("cloud_")),
        ("STORAGE_COLD_START", weights is not None and weights / speed > 60),
        ("OUT_OF_TYPICAL_RANGE", held > 131_072),
        ("OUT_OF_TYPICAL_RANGE", nodes[2] is not None and nodes[2] > 50),
        ("CATALOG_UNSOURCED", "*" not in model.get("sources", {})),
        ("CATALOG_UNSOURCED", "*" not in server.get("sources", {})),
        ("CATALOG_UNSOURCED", "*" not in storage.get("sources", {})),
    ]
    return {
        "kv_per_session_gib": float(Fraction(one, GIB)),
        "kv_total_tib": float(Fraction(one * load["concurrency"], 2**40)),
        "sessions_per_node": sessions,
        "nodes_minimum": nodes[0],
        "nodes_with_headroom": nodes[1],
        "nodes_final": nodes[2],
        "alerts": [code for code, holds in alerts if holds],
    }
