"""What core refuses: each with the field, the value and what would be right."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from tests.core.test_worked_cases import DECIMAL_B300, GPT_OSS_120B, LOCAL
from tests.saying import in_portuguese
from xlsizing.core import (
    InvalidValueError,
    Model,
    Server,
    SizingError,
    StorageProfile,
    calc_nodes_required,
    calc_sessions_per_node,
    size,
)
from xlsizing.core.engine import (
    DEFAULT_SETTINGS,
    EngineBound,
    EngineSettings,
    UnknownWeightsError,
    engine_bound,
)
from xlsizing.core.kv_cache import with_recurrent_dtype
from xlsizing.core.layers import (
    CLASS_BY_KIND,
    AttentionLayers,
    LatentLayers,
    LayerGroup,
    StateLayers,
    UnknownLayoutError,
)
from xlsizing.core.paged_cache import layout

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
    in_portuguese(str(refusal.value))


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
    with pytest.raises(SizingError, match=f"^{field} is .*; it must be ") as refusal:
        Model(**{**MODEL, **changed})
    in_portuguese(str(refusal.value))


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


# Layers, and the engine that pages them

FULL: Mapping[str, Any] = {
    "kind": "full",
    "layers": 2,
    "kv_heads": 8,
    "key_dim": 64,
    "value_dim": 64,
}
SLIDING: Mapping[str, Any] = {**FULL, "kind": "sliding", "window": 128}
LATENT: Mapping[str, Any] = {
    "kind": "latent",
    "layers": 3,
    "kv_lora_rank": 512,
    "qk_rope_head_dim": 64,
}
SPARSE: Mapping[str, Any] = {**LATENT, "indexer_layers": 2, "index_head_dim": 128}
STATE: Mapping[str, Any] = {
    "kind": "state",
    "layers": 2,
    "family": "mamba2",
    "conv_kernel": 4,
    "heads": 8,
    "head_dim": 64,
    "state_size": 128,
    "groups": 1,
}


def group(fields: Mapping[str, Any], **changed: Any) -> LayerGroup:
    kind = fields["kind"]
    return CLASS_BY_KIND[kind](**{**fields, **changed})


def of(*groups: LayerGroup, **changed: Any) -> Model:
    fields = {
        "name": "m",
        "num_layers": 4,
        "max_position_embeddings": 1_000,
        "attention_pattern": "grouped",
        "layer_groups": groups,
    }
    return Model(**{**fields, **changed})


WHOLE = "a whole number of at least 1 and at most 10^15"
OF_NONE = "a whole number of at least 0 and at most 10^15"


@pytest.mark.parametrize(
    ("fields", "changed", "field", "right"),
    [
        (FULL, {"kind": "paged"}, "kind", "one of full, sliding, chunked"),
        (FULL, {"kind": None}, "kind", "one of full, sliding, chunked"),
        *(
            (FULL, {name: value}, name, WHOLE)
            for name in ("layers", "kv_heads", "key_dim", "value_dim")
            for value in (0, -1, 2.0, "8", True, None, 10**15 + 1)
        ),
        (SLIDING, {"window": 0}, "window", f"{WHOLE} or left out"),
        (SLIDING, {"window": 128.0}, "window", f"{WHOLE} or left out"),
        (SLIDING, {"window": None}, "window", "given where kind is sliding"),
        (SLIDING, {"window": None, "kind": "chunked"}, "window", "given where kind is chunked"),
        (FULL, {"window": 128}, "window", "left out where kind is full"),
        (SLIDING, {"transformers_window": 0}, "transformers_window", f"{WHOLE} or left out"),
        (LATENT, {"kind": "mla"}, "kind", "one of latent"),
        *(
            (LATENT, {name: value}, name, WHOLE)
            for name in ("layers", "kv_lora_rank", "qk_rope_head_dim")
            for value in (0, 1.5, None)
        ),
        (SPARSE, {"indexer_layers": -1}, "indexer_layers", OF_NONE),
        (SPARSE, {"indexer_layers": 4}, "indexer_layers", "at most layers, which is 3"),
        (SPARSE, {"index_head_dim": 0}, "index_head_dim", f"{WHOLE} or left out"),
        (
            SPARSE,
            {"index_head_dim": None},
            "index_head_dim",
            "given where indexer_layers is above 0, and only there",
        ),
        (
            SPARSE,
            {"indexer_layers": 0},
            "index_head_dim",
            "given where indexer_layers is above 0, and only there",
        ),
        (STATE, {"kind": "ssm"}, "kind", "one of state"),
        (STATE, {"family": "rwkv"}, "family", "one of mamba, mamba2, gated_delta_net"),
        (
            STATE,
            {"recurrent_dtype": "fp8"},
            "recurrent_dtype",
            "one of float32, bfloat16, float16",
        ),
        (STATE, {"groups": -1}, "groups", OF_NONE),
        *(
            (STATE, {name: value}, name, WHOLE)
            for name in ("layers", "conv_kernel", "heads", "head_dim", "state_size")
            for value in (0, 1.5, None)
        ),
    ],
    ids=str,
)
def test_layers_that_cannot_be(
    fields: Mapping[str, Any], changed: dict[str, Any], field: str, right: str
) -> None:
    owner = CLASS_BY_KIND[fields["kind"]]
    with pytest.raises(InvalidValueError) as refusal:
        owner(**{**fields, **changed})
    value = {**fields, **changed}[field]
    shown = "missing" if value is None else repr(value)
    assert str(refusal.value) == f"{field} is {shown}; it must be {right}."
    in_portuguese(str(refusal.value))


def test_the_edges_of_what_layers_may_be() -> None:
    assert group(SPARSE, indexer_layers=3) == LatentLayers("latent", 3, 512, 64, 3, 128)
    assert group(SLIDING, window=1) == AttentionLayers("sliding", 2, 8, 64, 64, 1)
    assert group(STATE, groups=0, conv_kernel=1) == StateLayers("state", 2, "mamba2", 1, 8, 64, 128)


TWO_WINDOWS = (group(SLIDING), group(SLIDING, window=64))
TWO_KINDS = (group(SLIDING), group(SLIDING, kind="chunked"))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"layer_groups": ()},
            "layer_groups is missing; it must be given where attention_pattern is grouped.",
        ),
        (
            {**MODEL, "layer_groups": (group(FULL),)},
            "layer_groups is 'given'; it must be left out where attention_pattern is full.",
        ),
        (
            {"hybrid_full_layers": 2},
            "hybrid_full_layers is 2; it must be left out where attention_pattern is grouped.",
        ),
        (
            {"hybrid_sliding_layers": 0},
            "hybrid_sliding_layers is 0; it must be left out where attention_pattern is grouped.",
        ),
        (
            {"sliding_window": 128},
            "sliding_window is 128; it must be left out where attention_pattern is grouped.",
        ),
        (
            {"layer_groups": TWO_WINDOWS},
            (
                "the window is 'sliding 128 and sliding 64'; it must be of one kind and length in all "
                "layer groups."
            ),
        ),
        (
            {"layer_groups": TWO_KINDS},
            (
                "the window is 'chunked 128 and sliding 128'; it must be of one kind and length in "
                "all layer groups."
            ),
        ),
        (
            {**MODEL, "num_key_value_heads": None},
            "num_key_value_heads is missing; it must be given where attention_pattern is full.",
        ),
        (
            {**MODEL, "head_dim": None},
            "head_dim is missing; it must be given where attention_pattern is full.",
        ),
        ({"num_attention_heads": 0}, f"num_attention_heads is 0; it must be {WHOLE} or left out."),
        ({"total_params": 0.5}, f"total_params is 0.5; it must be {WHOLE} or left out."),
        (
            {"unquantized_params": -1},
            f"unquantized_params is -1; it must be {OF_NONE} or left out.",
        ),
        (
            {"weight_precision": "int4"},
            (
                "weight_precision is 'int4'; it must be one of bf16, fp16, fp8, int8, mxfp4, nvfp4 or "
                "left out."
            ),
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_model_of_groups_that_cannot_be(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        of(**{"layer_groups": (group(FULL),), **changed})
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    "groups", [[group(FULL)], (FULL,), (group(FULL), None)], ids=["a list", "plain", "none"]
)
def test_layer_groups_are_a_tuple_of_groups(groups: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"^layer_groups.* is .*; it must be "):
        of(layer_groups=groups)


def test_one_window_may_stand_in_two_groups() -> None:
    two_heads = (group(SLIDING), group(SLIDING, kv_heads=4), group(FULL), group(STATE))
    assert of(*two_heads).layer_groups == two_heads


def test_a_server_whose_usable_memory_cannot_be() -> None:
    for value in (0, 1.5, "80"):
        with pytest.raises(
            InvalidValueError, match=r"^usable_hbm_per_gpu_bytes is .*; it must be "
        ):
            Server(**{**SERVER, "usable_hbm_per_gpu_bytes": value})


WRONG_SETTINGS: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "tensor_parallel": ((0, -1, 1.0, "2", True, 10**15 + 1), f"{WHOLE} or left out"),
    "max_num_batched_tokens": ((0, None, 8_192.0, "8192", False), WHOLE),
    "batches_in_flight": ((0, None, 1.5, "2", True), WHOLE),
    "hybrid_manager": ((None, 1, 0, "true"), "true or false"),
    "state_caching": (("all", "", None, True), "one of none, align"),
    "gpu_memory_utilization": (
        (0, -0.5, 1.0001, NAN, INFINITE, True, "0.92", None, 0.92001),
        "a finite number above 0 and at most 1 with at most 4 decimals",
    ),
    "activation_gib": (
        (-0.0001, 4_096.0001, NAN, True, "3", None, 0.00001),
        "a finite number of at least 0 and at most 4096 with at most 4 decimals",
    ),
    "runtime_gib": (
        (-1, 5_000, INFINITE, False, "1", None, 1.23456),
        "a finite number of at least 0 and at most 4096 with at most 4 decimals",
    ),
    "kv_pool_gib": (
        (-1, 4_097, NAN, True, "40", 0.12345),
        "a finite number of at least 0 and at most 4096 with at most 4 decimals or left out",
    ),
}


@pytest.mark.parametrize(
    ("field", "value", "right"),
    [
        (field, value, right)
        for field, (values, right) in WRONG_SETTINGS.items()
        for value in values
    ],
)
def test_an_engine_that_cannot_be_started_so(field: str, value: Any, right: str) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        EngineSettings(**{field: value})
    shown = "missing" if value is None else repr(value)
    assert str(refusal.value) == f"{field} is {shown}; it must be {right}."
    in_portuguese(str(refusal.value))


def test_the_edges_of_how_an_engine_is_started() -> None:
    edges = {
        "tensor_parallel": (1, None, 10**15),
        "max_num_batched_tokens": (1,),
        "batches_in_flight": (1,),
        "hybrid_manager": (True, False),
        "state_caching": ("none", "align"),
        "gpu_memory_utilization": (0.0001, 1, 0.1 + 0.2, Decimal("0.9999")),
        "activation_gib": (0, 0.0001, 4_096),
        "runtime_gib": (0, 4_096),
        "kv_pool_gib": (None, 0, 0.0001, 4_096),
    }
    assert set(edges) == set(WRONG_SETTINGS) == set(vars(DEFAULT_SETTINGS))
    for field, values in edges.items():
        for value in values:
            changed: dict[str, Any] = {field: value}
            assert getattr(EngineSettings(**changed), field) == value
    assert DEFAULT_SETTINGS.tokens_in_flight == 16_384
    assert DEFAULT_SETTINGS.gpu_memory_utilization == 0.92
    assert DEFAULT_SETTINGS.activation_gib + DEFAULT_SETTINGS.runtime_gib == 4


BESIDE_STATES = (
    "m has state-space layers beside attention layers of different geometry; how the engine "
    "pages them together is not known."
)
BESIDE_LATENT = (
    "m has latent layers beside others; how large a block they share depends on the engine's "
    "attention backend."
)


@pytest.mark.parametrize(
    ("groups", "precision", "hybrid_manager", "sentence"),
    [
        ((group(LATENT), group(FULL)), "bf16", True, BESIDE_LATENT),
        ((group(LATENT), group(FULL)), "bf16", False, BESIDE_LATENT),
        ((group(STATE), group(SPARSE)), "bf16", True, BESIDE_LATENT),
        ((group(FULL), group(SLIDING, kv_heads=4), group(STATE)), "bf16", True, BESIDE_STATES),
        ((group(FULL), group(STATE), group(STATE, heads=16)), "bf16", True, BESIDE_STATES),
        (
            (group(FULL, kv_heads=3), group(SLIDING, kv_heads=2)),
            "bf16",
            True,
            (
                "m has attention layers whose pages are no multiples of each other; how the engine "
                "pages them together is not known."
            ),
        ),
        (
            (group(FULL), group(STATE)),
            "bf16",
            False,
            (
                "m has state-space layers beside attention; without the hybrid KV cache manager the "
                "engine does not start it."
            ),
        ),
        *(
            (
                (group(SPARSE, kv_lora_rank=rank, qk_rope_head_dim=rope),),
                precision,
                True,
                (
                    "The 8-bit format of sparse latent attention is known for kv_lora_rank 512 and "
                    f"qk_rope_head_dim 64 only; these layers have {rank} and {rope}."
                ),
            )
            for rank, rope in ((256, 64), (512, 32))
            for precision in ("fp8", "int8")
        ),
    ],
)
def test_layers_that_no_engine_is_known_to_lay_out(
    groups: tuple[LayerGroup, ...], precision: str, hybrid_manager: bool, sentence: str
) -> None:
    with pytest.raises(UnknownLayoutError) as refusal:
        layout(of(*groups), precision, hybrid_manager=hybrid_manager)
    assert (str(refusal.value), refusal.value.code) == (sentence, "UNKNOWN_LAYOUT")
    in_portuguese(str(refusal.value))


def test_layouts_at_the_edge_of_what_is_known() -> None:
    unknown_in_8_bits = of(group(SPARSE, kv_lora_rank=256))
    assert layout(unknown_in_8_bits, "bf16").groups[0].layers == 5
    assert layout(of(group(LATENT, kv_lora_rank=256)), "fp8").groups[0].layers == 3
    states_alone = of(group(STATE), group(STATE, heads=16))
    assert layout(states_alone, "bf16", hybrid_manager=False).groups[0].layers == 4
    with pytest.raises(InvalidValueError, match=r"^kv_precision is 'fp4'; it must be one of "):
        layout(of(group(FULL)), "fp4")


def bound_of(model: Model, **settings: Any) -> EngineBound:
    server = Server(**{**SERVER, "gpus": 4})
    return engine_bound(model, server, 10, "bf16", 1, 0, "none", EngineSettings(**settings))


@pytest.mark.parametrize(
    ("model", "asked", "right"),
    [
        (
            of(group(FULL), num_attention_heads=24),
            3,
            "a size at which ranks can share m (1, 2, 4, 8, 24 up to 64)",
        ),
        (
            of(group(FULL)),
            16,
            (
                "a size at which ranks can share m (1, 2, 4, 8 up to 64; num_attention_heads would "
                "allow more)"
            ),
        ),
        (
            of(group(LATENT)),
            2,
            "a size at which ranks can share m (1 up to 64; num_attention_heads would allow more)",
        ),
        (of(group(FULL), num_attention_heads=64), 8, "at most 4, the GPUs of one s node"),
    ],
)
def test_a_size_that_ranks_cannot_have(model: Model, asked: int, right: str) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        bound_of(model, tensor_parallel=asked, kv_pool_gib=1)
    assert str(refusal.value) == f"tensor_parallel is {asked}; it must be {right}."
    in_portuguese(str(refusal.value))


def test_a_layout_for_ranks_that_cannot_be() -> None:
    with pytest.raises(InvalidValueError, match=r"^tensor_parallel is 3; it must be a size at "):
        layout(of(group(FULL), num_attention_heads=24), "bf16", 3)


def test_weights_of_which_nothing_is_known() -> None:
    model = of(group(FULL))
    with pytest.raises(UnknownWeightsError) as refusal:
        bound_of(model)
    assert refusal.value.code == "UNKNOWN_WEIGHTS"
    assert str(refusal.value) == (
        "The catalog has neither weight_bytes nor total_params of m, so what its weights leave "
        "of a GPU is not known; give kv_pool_gib."
    )
    in_portuguese(str(refusal.value))
    known = bound_of(model, kv_pool_gib=1)
    assert (known.memory.weights, known.weights_estimated) == (0, True)
    assert (known.memory.pool, known.sessions_per_replica) == (2**30, 16_383)


def test_a_dtype_that_states_cannot_have() -> None:
    with pytest.raises(InvalidValueError) as refusal:
        with_recurrent_dtype(of(group(STATE)), "fp8")
    assert str(refusal.value) == (
        "ssm_state_dtype is 'fp8'; it must be one of float32, bfloat16, float16."
    )
    for model in (of(group(FULL), group(SLIDING)), Model(**MODEL)):
        with pytest.raises(InvalidValueError) as refusal:
            with_recurrent_dtype(model, "float32")
        assert str(refusal.value) == (
            "ssm_state_dtype is 'float32'; it must be left out, since m has no state-space layers."
        )
