"""What core refuses: each with the field, the value and what would be right."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from tests.core.test_worked_cases import DECIMAL_B300, GPT_OSS_120B, LOCAL
from xlsizing.core import (
    Model,
    Server,
    SizingError,
    StorageProfile,
    calc_nodes_required,
    calc_sessions_per_node,
    size,
)

NAN, INFINITE = float("nan"), float("inf")

LOAD: Mapping[str, Any] = {"concurrency": 10, "effective_context": 1_000}

WRONG_LOADS: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "concurrency": (
        (
            0,
            -1,
            1.5,
            NAN,
            INFINITE,
            -INFINITE,
            True,
            "10",
            None,
            Decimal("0.5"),
            Decimal("NaN"),
            10**18 + 1,
            [],
        ),
        "a whole number of at least 1",
    ),
    "effective_context": (
        (0, -1, 0.99, NAN, INFINITE, False, "1000", None, Decimal("Infinity")),
        "a whole number of at least 1",
    ),
    "kv_budget_ratio": (
        (0, -0.1, 1.0001, NAN, INFINITE, True, "0.7", None, 0.70001, Decimal("0.00001")),
        "above 0 and at most 1 with at most 4 decimals",
    ),
    "runtime_overhead_gib": (
        (-0.01, NAN, INFINITE, True, "120", None, 0.001, 120.123),
        "of at least 0 and at most 10^15 with at most 2 decimals",
    ),
    "peak_headroom_ratio": (
        (-0.0001, NAN, INFINITE, True, "0.2", None, 0.12345, 1e-9),
        "of at least 0 and at most 10^15 with at most 4 decimals",
    ),
    "kv_precision": (("fp12", "FP8", "", 8, True, 1.0), "one of fp16, bf16, fp8, int8"),
    "ha_mode": (("n+2", "N+1", "", None, True, 1), "one of none, n+1"),
}


@pytest.mark.parametrize(
    ("field", "value", "right"),
    [(field, value, right) for field, (values, right) in WRONG_LOADS.items() for value in values],
)
def test_a_load_outside_the_accepted_values(field: str, value: object, right: str) -> None:
    with pytest.raises(SizingError) as refusal:
        size(GPT_OSS_120B, DECIMAL_B300, LOCAL, **{**LOAD, field: value})
    shown = "missing" if value is None else str(value)
    assert str(refusal.value).replace("'", "").startswith(f"{field} is {shown}; it must be ")
    assert right in str(refusal.value)
    assert refusal.value.code == "INVALID_VALUE"


@pytest.mark.parametrize(
    "accepted",
    [
        {"concurrency": 1},
        {"concurrency": 1_000.0},
        {"concurrency": Decimal(10)},
        {"concurrency": 10**18},
        {"kv_budget_ratio": 1},
        {"kv_budget_ratio": 0.0001},
        {"kv_budget_ratio": 0.1 + 0.2},
        {"runtime_overhead_gib": 0},
        {"runtime_overhead_gib": 120.25},
        {"peak_headroom_ratio": 0},
        {"peak_headroom_ratio": 17.5},
        {"kv_precision": None},
        {"kv_precision": "int8"},
    ],
    ids=str,
)
def test_the_edges_of_what_is_accepted(accepted: dict[str, Any]) -> None:
    result = size(GPT_OSS_120B, DECIMAL_B300, LOCAL, **{**LOAD, **accepted})
    for field, value in accepted.items():
        assert getattr(result, field) == (value if value is not None else "fp8")


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: calc_sessions_per_node(DECIMAL_B300, 0, 0.7, 120), "kv_per_session_gib"),
        (lambda: calc_sessions_per_node(DECIMAL_B300, -1, 0.7, 120), "kv_per_session_gib"),
        (lambda: calc_sessions_per_node(DECIMAL_B300, NAN, 0.7, 120), "kv_per_session_gib"),
        (lambda: calc_sessions_per_node(DECIMAL_B300, True, 0.7, 120), "kv_per_session_gib"),
        (lambda: calc_sessions_per_node(DECIMAL_B300, 1e-12, 0.7, 120), "kv_per_session_gib"),
        (lambda: calc_sessions_per_node(DECIMAL_B300, 1, 1.1, 120), "kv_budget_ratio"),
        (lambda: calc_nodes_required(1, -1, 0, "none"), "sessions_per_node"),
        (lambda: calc_nodes_required(1, 1.5, 0, "none"), "sessions_per_node"),
        (lambda: calc_nodes_required(1, True, 0, "none"), "sessions_per_node"),
        (lambda: calc_nodes_required(0, 0, 0, "none"), "concurrency"),
        (lambda: calc_nodes_required(1, 0, -1, "none"), "peak_headroom_ratio"),
        (lambda: calc_nodes_required(1, 0, 0, "n+2"), "ha_mode"),
    ],
)
def test_the_functions_refuse_too(call: Callable[[], object], field: str) -> None:
    with pytest.raises(SizingError, match=f"^{field} is .*; it must be "):
        call()


MODEL: Mapping[str, Any] = {
    "name": "m",
    "num_layers": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "max_position_embeddings": 1_000,
    "attention_pattern": "full",
}
HYBRID = {
    "attention_pattern": "hybrid",
    "hybrid_full_layers": 1,
    "hybrid_sliding_layers": 3,
    "sliding_window": 10,
}
SERVER: Mapping[str, Any] = {"name": "s", "gpus": 8, "hbm_per_gpu_gb": 80}
STORAGE: Mapping[str, Any] = {
    "name": "p",
    "type": "hdd",
    **dict.fromkeys(
        (
            "iops_read",
            "iops_write",
            "throughput_read_gbps",
            "throughput_write_gbps",
            "latency_read_ms_p50",
            "latency_read_ms_p99",
            "latency_write_ms_p50",
            "latency_write_ms_p99",
        ),
        1,
    ),
}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"num_layers": 0}, "num_layers"),
        ({"num_layers": 4.0}, "num_layers"),
        ({"num_layers": True}, "num_layers"),
        ({"num_layers": "4"}, "num_layers"),
        ({"num_key_value_heads": -1}, "num_key_value_heads"),
        ({"head_dim": NAN}, "head_dim"),
        ({"max_position_embeddings": INFINITE}, "max_position_embeddings"),
        ({"attention_pattern": "latent"}, "attention_pattern"),
        ({"default_kv_precision": "fp4"}, "default_kv_precision"),
        ({"weight_bytes": 0}, "weight_bytes"),
        ({"name": ""}, "name"),
        ({"name": "gpt*"}, "name"),
        ({"name": "a?"}, "name"),
        ({"name": "a~b"}, "name"),
        ({"name": " a"}, "name"),
        ({"name": "a  b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": 5}, "name"),
        ({"aliases": ("ok", "b*")}, r"aliases\[1\]"),
        ({"aliases": "text"}, "aliases"),
        ({"sources": {"layers": "x"}}, "a key of sources"),
        ({"sources": {"*": 5}}, "sources"),
        ({**HYBRID, "hybrid_full_layers": 2}, r"hybrid_full_layers \+ hybrid_sliding_layers"),
        ({**HYBRID, "hybrid_full_layers": None}, "hybrid_full_layers"),
        ({**HYBRID, "hybrid_sliding_layers": None}, "hybrid_sliding_layers"),
        ({**HYBRID, "hybrid_full_layers": -1}, "hybrid_full_layers"),
        ({**HYBRID, "sliding_window": None}, "sliding_window"),
        ({**HYBRID, "sliding_window": 0}, "sliding_window"),
        ({"attention_pattern": "sliding"}, "sliding_window"),
    ],
    ids=str,
)
def test_a_model_that_cannot_be(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(SizingError, match=f"^{field} is .*; it must be "):
        Model(**{**MODEL, **changed})


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"gpus": 0}, "gpus"),
        ({"gpus": 8.5}, "gpus"),
        ({"hbm_per_gpu_gb": 0}, "hbm_per_gpu_gb"),
        ({"hbm_per_gpu_gb": 79.995}, "hbm_per_gpu_gb"),
        ({"hbm_per_gpu_gb": NAN}, "hbm_per_gpu_gb"),
        ({"total_hbm_gb": -1}, "total_hbm_gb"),
        ({"total_hbm_gb": 640.001}, "total_hbm_gb"),
        ({"hbm_per_gpu_mib": 81_559.5}, "hbm_per_gpu_mib"),
        ({"nvlink_bandwidth_tbps": -1}, "nvlink_bandwidth_tbps"),
        ({"system_memory_tb": True}, "system_memory_tb"),
    ],
    ids=str,
)
def test_a_server_that_cannot_be(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(SizingError, match=f"^{field} is .*; it must be "):
        Server(**{**SERVER, **changed})


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"type": "tape"}, "type"),
        ({"throughput_read_gbps": 0}, "throughput_read_gbps"),
        ({"throughput_read_gbps": 0.00001}, "throughput_read_gbps"),
        ({"iops_read": -1}, "iops_read"),
        ({"latency_read_ms_p99": INFINITE}, "latency_read_ms_p99"),
    ],
    ids=str,
)
def test_a_storage_profile_that_cannot_be(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(SizingError, match=f"^{field} is .*; it must be "):
        StorageProfile(**{**STORAGE, **changed})


@pytest.mark.parametrize(
    "value",
    [10**5000, Decimal("1e5000"), Decimal("1e999999999"), 10**400],
    ids=["int", "decimal", "decimal of a billion digits", "smaller int"],
)
@pytest.mark.parametrize("field", ["concurrency", "kv_budget_ratio", "runtime_overhead_gib"])
def test_numbers_too_large_to_write_out_are_refused(field: str, value: Any) -> None:
    with pytest.raises(SizingError, match=f"^{field} is .*; it must be "):
        size(GPT_OSS_120B, DECIMAL_B300, LOCAL, **{**LOAD, field: value})


def test_the_methods_fields_alone_are_enough() -> None:
    assert Model(**MODEL).default_kv_precision == "bf16"
    assert Model(**{**MODEL, **HYBRID}).num_layers == 4
    assert Server(**SERVER).total_hbm_gb == 640
    assert StorageProfile(**STORAGE).aliases == ()
