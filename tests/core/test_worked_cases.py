"""The method's worked cases, exact."""

from dataclasses import fields
from decimal import Decimal

import pytest

from xlsizing.core import (
    Catalogs,
    Model,
    Server,
    SizingResult,
    StorageProfile,
    band,
    calc_kv_per_session_gib,
    calc_nodes_required,
    calc_sessions_per_node,
    kv_bytes_per_session,
    size,
)

GPT_OSS_120B = Model(
    name="gpt-oss-120b",
    num_layers=36,
    num_key_value_heads=8,
    head_dim=64,
    max_position_embeddings=131_072,
    attention_pattern="hybrid",
    hybrid_full_layers=18,
    hybrid_sliding_layers=18,
    sliding_window=128,
    default_kv_precision="fp8",
)
DECIMAL_B300 = Server(name="b300", gpus=8, hbm_per_gpu_gb=288, total_hbm_gb=2304)
LOCAL = StorageProfile(
    name="profile_default",
    type="nvme_local",
    iops_read=1_000_000,
    iops_write=800_000,
    throughput_read_gbps=28,
    throughput_write_gbps=25,
    latency_read_ms_p50=0.08,
    latency_read_ms_p99=0.15,
    latency_write_ms_p50=0.1,
    latency_write_ms_p99=0.2,
)


def test_one_session_of_gpt_oss_120b() -> None:
    assert kv_bytes_per_session(GPT_OSS_120B, 131_072, "fp8") == 2_418_278_400
    assert calc_kv_per_session_gib(GPT_OSS_120B, 131_072, "fp8") == (2.252197265625, [])


def test_eight_decimal_gpus_hold_613_sessions() -> None:
    assert calc_sessions_per_node(DECIMAL_B300, 2.252197265625, 0.70, 120) == 613
    assert calc_nodes_required(1_000, 613, 0.20, "n+1") == (2, 2, 3)


def test_the_catalogs_server_holds_614_sessions_and_needs_the_same_nodes(
    catalogs: Catalogs,
) -> None:
    result = size(
        catalogs.model("gpt-oss-120b"),
        catalogs.server("dgx-b300"),
        catalogs.profile("profile_default"),
        concurrency=1_000,
        effective_context=131_072,
        kv_precision="fp8",
        ha_mode="n+1",
    )
    assert result.sessions_per_node == 614
    assert (result.nodes_minimum, result.nodes_with_headroom, result.nodes_final) == (2, 2, 3)


def test_a_float_slip_buys_no_machine() -> None:
    # 100 * 1.1 / 110 is 1.0000000000000002 in floats.
    assert calc_nodes_required(100, 110, 0.1, "none") == (1, 1, 1)
    assert calc_nodes_required(100, 110, 0.1 + 1e-4, "none") == (1, 2, 2)


def test_a_ratio_is_the_decimal_that_was_typed() -> None:
    assert calc_nodes_required(100, 130, 0.1 + 0.2, "none") == (1, 1, 1)
    assert calc_nodes_required(100, 130, Decimal("0.3"), "none") == (1, 1, 1)


def test_nothing_fits() -> None:
    assert calc_sessions_per_node(DECIMAL_B300, 10_000, 0.70, 120) == 0
    assert calc_sessions_per_node(DECIMAL_B300, 1, 0.05, 120) == 0
    assert calc_nodes_required(5, 0, 0.2, "n+1") == (None, None, None)


@pytest.mark.parametrize(
    ("figure", "value", "name"),
    [
        ("concurrency", 100, "Low"),
        ("concurrency", 101, "Medium"),
        ("concurrency", 10_000, "High"),
        ("concurrency", 10_001, "Extreme"),
        ("effective_context", 16_384, "Short"),
        ("effective_context", 65_536, "Medium"),
        ("effective_context", 131_072, "Long"),
        ("effective_context", 131_073, "Extreme"),
        ("kv_per_session_gib", 0.5, "Small"),
        ("kv_per_session_gib", 0.500001, "Medium"),
        ("kv_per_session_gib", 5, "Large"),
        ("kv_per_session_gib", 5.01, "Extreme"),
        ("sessions_per_node", 99, "Low"),
        ("sessions_per_node", 100, "Medium"),
        ("sessions_per_node", 1_000, "Medium"),
        ("sessions_per_node", 5_001, "Extreme"),
        ("nodes", 2, "Small"),
        ("nodes", 10, "Medium"),
        ("nodes", 50, "Large"),
        ("nodes", 51, "Extreme"),
    ],
)
def test_typical_ranges(figure: str, value: float, name: str) -> None:
    assert band(figure, value) == name


def test_the_dataclasses_have_the_methods_fields_and_need_no_others() -> None:
    names = {each.name for each in fields(SizingResult)}
    given = {
        "model": GPT_OSS_120B,
        "server": DECIMAL_B300,
        "storage": LOCAL,
        "concurrency": 1,
        "effective_context": 1,
        "kv_precision": "fp8",
        "kv_budget_ratio": 0.7,
        "runtime_overhead_gib": 120,
        "peak_headroom_ratio": 0.2,
        "ha_mode": "none",
        "kv_per_session_gib": 1.0,
        "kv_total_tib": 1.0,
        "sessions_per_node": 1,
        "nodes_minimum": 1,
        "nodes_with_headroom": 1,
        "nodes_final": 1,
        "warnings": [],
    }
    assert set(given) <= names
    assert SizingResult(**given).fits  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        GPT_OSS_120B.num_layers = 1  # type: ignore[misc]
