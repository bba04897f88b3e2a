"""Random catalogs and loads, and loads built so that a product falls on an integer."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from tests.core.exact_reference import hbm_bytes
from xlsizing.core import Model, Server, SizingResult, StorageProfile, size

STORAGE_TYPES = (
    "nvme_local",
    "network_ssd",
    "san",
    "parallel_fs",
    "hdd",
    "cloud_block_storage",
    "cloud_file_storage",
    "cloud_object_storage",
)

sources = st.sampled_from(({}, {"*": "a datasheet"}))


def decimals(least: str, most: str, places: int) -> st.SearchStrategy[str]:
    """Decimals as people type them, as text."""
    scale = 10**places
    low, high = int(Decimal(least) * scale), int(Decimal(most) * scale)
    return st.integers(low, high).map(lambda parts: str(Decimal(parts) / scale))


@st.composite
def models(draw: st.DrawFn) -> dict[str, Any]:
    pattern = draw(st.sampled_from(("full", "sliding", "hybrid")))
    layers = draw(st.integers(1, 160))
    fields: dict[str, Any] = {
        "name": "model",
        "num_layers": layers,
        "num_key_value_heads": draw(st.integers(1, 128)),
        "head_dim": draw(st.sampled_from((1, 3, 64, 80, 128, 256))),
        "max_position_embeddings": draw(st.integers(1, 12_000_000)),
        "attention_pattern": pattern,
        "default_kv_precision": draw(st.sampled_from(("bf16", "fp8"))),
        "weight_bytes": draw(st.none() | st.integers(1, 2 * 10**12)),
        "sources": draw(sources),
    }
    if pattern == "hybrid":
        fields["hybrid_full_layers"] = draw(st.integers(0, layers))
        fields["hybrid_sliding_layers"] = layers - fields["hybrid_full_layers"]
    if pattern != "full":
        fields["sliding_window"] = draw(st.integers(1, 200_000))
    return fields


@st.composite
def servers(draw: st.DrawFn) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": "server",
        "gpus": draw(st.integers(1, 72)),
        "hbm_per_gpu_gb": draw(decimals("0.01", "512", 2)),
        "sources": draw(sources),
    }
    known = draw(st.sampled_from(("marketed", "total", "driver")))
    if known == "total":
        fields["total_hbm_gb"] = draw(decimals("0.01", "30000", 2))
    if known == "driver":
        fields["hbm_per_gpu_mib"] = draw(st.integers(1, 500_000))
    return fields


@st.composite
def storages(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "name": "storage",
        "type": draw(st.sampled_from(STORAGE_TYPES)),
        "iops_read": 1,
        "iops_write": 1,
        "throughput_read_gbps": draw(decimals("0.0001", "400", 4)),
        "throughput_write_gbps": "1",
        "latency_read_ms_p50": 1,
        "latency_read_ms_p99": 1,
        "latency_write_ms_p50": 1,
        "latency_write_ms_p99": 1,
        "sources": draw(sources),
    }


@st.composite
def loads(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "concurrency": draw(st.integers(1, 10**9)),
        "effective_context": draw(st.integers(1, 20_000_000)),
        "kv_precision": draw(st.sampled_from((None, "fp16", "bf16", "fp8", "int8"))),
        "kv_budget_ratio": draw(decimals("0.0001", "1", 4)),
        "runtime_overhead_gib": draw(decimals("0", "5000", 2)),
        "peak_headroom_ratio": draw(decimals("0", "12", 4)),
        "ha_mode": draw(st.sampled_from(("none", "n+1"))),
    }


Case = tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]

any_case: st.SearchStrategy[Case] = st.tuples(models(), servers(), storages(), loads())


@st.composite
def boundary_cases(draw: st.DrawFn) -> Case:
    """Cases in which a quotient is an integer, or is missed by one unit.

    The model's KV cache is 2 bytes a token, so a session can have any even size. The
    number of sessions per node, or the nodes, are put on an integer by choosing context
    and concurrency from the answer backwards.
    """
    server, storage, load = draw(servers()), draw(storages()), draw(loads())
    load |= {"kv_precision": "fp8", "runtime_overhead_gib": draw(decimals("0", "1", 2))}
    budget = hbm_bytes(server) * Fraction(load["kv_budget_ratio"])
    budget -= Fraction(load["runtime_overhead_gib"]) * 2**30
    sessions = draw(st.integers(1, 5_000))
    tokens = int(budget / (2 * sessions)) + draw(st.sampled_from((-1, 0, 1)))
    load["effective_context"] = max(1, tokens)
    per_node = max(1, int(budget / (2 * load["effective_context"])))
    nodes = draw(st.integers(1, 500))
    at_peak = 1 + Fraction(load["peak_headroom_ratio"])
    load["concurrency"] = max(
        1, int(nodes * per_node / at_peak) + draw(st.sampled_from((-1, 0, 1)))
    )
    model = {
        "name": "unit",
        "num_layers": 1,
        "num_key_value_heads": 1,
        "head_dim": 1,
        "max_position_embeddings": 10**15,
        "attention_pattern": "full",
        "default_kv_precision": "fp8",
        "weight_bytes": max(1, int(hbm_bytes(server) - budget) + draw(st.sampled_from((-1, 0, 1)))),
        "sources": draw(sources),
    }
    return model, server, storage, load


def entries(case: Case) -> tuple[Model, Server, StorageProfile]:
    """A case's dictionaries as core's entries; decimal texts become floats, as in a cell."""
    model, server, storage, _ = case
    decimal_fields = {
        "hbm_per_gpu_gb",
        "total_hbm_gb",
        "throughput_read_gbps",
        "throughput_write_gbps",
    }
    as_typed: list[dict[str, Any]] = [
        {name: float(value) if name in decimal_fields else value for name, value in each.items()}
        for each in (server, storage)
    ]
    return Model(**model), Server(**as_typed[0]), StorageProfile(**as_typed[1])


def sized(case: Case) -> SizingResult:
    """Core's answer to a case."""
    load = case[3]
    return size(
        *entries(case),
        concurrency=load["concurrency"],
        effective_context=load["effective_context"],
        kv_precision=load["kv_precision"],
        kv_budget_ratio=float(load["kv_budget_ratio"]),
        runtime_overhead_gib=float(load["runtime_overhead_gib"]),
        peak_headroom_ratio=float(load["peak_headroom_ratio"]),
        ha_mode=load["ha_mode"],
    )
