"""Random catalogs and loads, and loads built so that a product falls on an integer."""

from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from hypothesis import strategies as st

from tests.core.exact_reference import hbm_bytes
from xlsizing.core import Model, Server, SizingResult, StorageProfile, size
from xlsizing.core.layers import CLASS_BY_KIND

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


Group = dict[str, Any]
"""A group of equal layers, as a catalog file writes it."""

dims = st.sampled_from((1, 3, 16, 64, 80, 128, 192, 256))
windows = st.integers(1, 300) | st.sampled_from((1, 16, 128, 1_024, 4_096, 8_192, 200_000))


@st.composite
def layer_counts(draw: st.DrawFn, kinds: int) -> list[int]:
    """How many layers there are of each kind; some are half as many again as others."""
    first = draw(st.integers(1, 30))
    near = st.sampled_from((-1, 0, 1)).map(lambda beside: max(1, first * 3 // 2 + beside))
    others = st.integers(1, 60) | near | st.just(first)
    return draw(st.permutations([first, *(draw(others) for _ in range(kinds - 1))]))


@st.composite
def attention_groups(draw: st.DrawFn, *, alike: bool = False) -> list[Group]:
    """Full layers, windowed layers of one window, or both; of one or two geometries each.

    Two geometries of one kind differ in their head size, so that they differ in their pages.
    Most pages are multiples of each other.
    """
    windowed, window = draw(st.sampled_from(("sliding", "chunked"))), draw(windows)
    kinds = draw(st.sampled_from((("full",), (windowed,), (windowed, "full"), (windowed, "full"))))
    heads, dim = draw(st.sampled_from((1, 2, 3, 4, 8, 16))), draw(dims)
    value = dim if draw(st.booleans()) else draw(dims)
    groups: list[Group] = []
    for kind in kinds:
        group = {"kind": kind, "kv_heads": heads, "key_dim": dim, "value_dim": value}
        if kind != "full":
            group["window"] = window
            if draw(st.integers(0, 3)) == 0:
                group["transformers_window"] = window
        groups.append(group)
        if not alike and draw(st.integers(0, 3)) == 0:
            groups.append(group | {"key_dim": 2 * dim, "value_dim": 2 * value})
        if not alike:
            heads = draw(
                st.sampled_from((heads, heads, 2 * heads, 2 * heads, (3 * heads + 1) // 2))
            )
        if not alike and draw(st.integers(0, 7)) == 0:
            dim = draw(dims)
    counts = draw(layer_counts(len(groups)))
    return [{"layers": count} | group for count, group in zip(counts, groups, strict=True)]


@st.composite
def latent_groups(draw: st.DrawFn) -> list[Group]:
    """Latent layers, some with indexers; sparse attention's 8-bit format has one geometry."""
    sparse = draw(st.booleans())
    groups: list[Group] = []
    for layers in draw(layer_counts(draw(st.integers(1, 2)))):
        shape = draw(st.sampled_from(((512, 64), (512, 64), (256, 32), (7, 5))))
        group = {"kind": "latent", "layers": layers}
        group |= {"kv_lora_rank": shape[0], "qk_rope_head_dim": shape[1]}
        if sparse:
            group["indexer_layers"] = draw(st.integers(1, layers) | st.just(layers))
            group["index_head_dim"] = draw(st.sampled_from((128, 256)))
        groups.append(group)
    return groups


@st.composite
def state_groups(draw: st.DrawFn, layers: int) -> Group:
    """State-space layers of one of the three families."""
    family = draw(st.sampled_from(("mamba", "mamba2", "gated_delta_net")))
    group: Group = {"kind": "state", "layers": layers, "family": family}
    group["conv_kernel"] = draw(st.integers(1, 5))
    group["recurrent_dtype"] = draw(st.sampled_from(("float32", "bfloat16", "float16")))
    group["state_size"] = draw(st.sampled_from((1, 16, 64, 128, 256)))
    if family == "mamba":
        return group | {"heads": draw(st.sampled_from((7, 48, 4_096, 8_192))), "head_dim": 1}
    group["heads"] = draw(st.sampled_from((3, 8, 24, 48, 64, 128)))
    group["head_dim"] = draw(st.sampled_from((1, 64, 128)))
    group["groups"] = draw(st.sampled_from((1, 2, 3, 8, 16)))
    return group


@st.composite
def state_beside_attention(draw: st.DrawFn) -> list[Group]:
    """State-space layers beside attention of one geometry, if only once ranks share it.

    Of some, a state is a whole number of attention's pages, or one element beside it.
    """
    attention = draw(attention_groups(alike=True))
    if draw(st.integers(0, 3)) == 0:
        attention[0]["kv_heads"] *= 2
    counts = draw(layer_counts(1 + len(attention)))
    for group, layers in zip(attention, counts[1:], strict=True):
        group["layers"] = layers
    state = draw(state_groups(counts[0]))
    if draw(st.booleans()):
        one = attention[0]
        page = 16 * one["kv_heads"] * (one["key_dim"] + one["value_dim"]) * 2
        pages = draw(st.integers(1, 300))
        elements = max(1, page * pages // 2 + draw(st.sampled_from((-1, 0, 1))))
        state = {"kind": "state", "layers": counts[0], "family": "mamba", "conv_kernel": 1}
        state |= {"heads": elements, "head_dim": 1, "state_size": 1}
        state |= {"recurrent_dtype": "bfloat16"}
    return draw(st.permutations([state, *attention]))


@st.composite
def mixed_groups(draw: st.DrawFn) -> list[Group]:
    """Groups of any families, most of which no engine is known to lay out together."""
    groups = draw(attention_groups())
    more = draw(st.sampled_from(("latent", "state", "both")))
    if more != "state":
        groups += draw(latent_groups())
    if more != "latent":
        groups.append(draw(state_groups(draw(st.integers(1, 30)))))
    return groups


def _states(layers: list[int]) -> st.SearchStrategy[list[Group]]:
    return st.tuples(*map(state_groups, layers)).map(list)


layer_groups: st.SearchStrategy[list[Group]] = st.one_of(
    attention_groups(),
    attention_groups(),
    attention_groups(),
    latent_groups(),
    state_beside_attention(),
    state_beside_attention(),
    layer_counts(1).flatmap(_states),
    layer_counts(2).flatmap(_states),
    mixed_groups(),
)


def _with_one_in_two(groups: list[Group]) -> list[Group]:
    """The same layers, with the first group's written in two parts, the second at the end."""
    first, *rest = groups
    layers = first["layers"]
    if layers == 1 or "indexer_layers" in first:
        return groups
    part = layers // 3 + 1
    return [first | {"layers": part}, *rest, first | {"layers": layers - part}]


@st.composite
def grouped_models(draw: st.DrawFn) -> dict[str, Any]:
    """Models of layer groups; the query heads are a multiple of everything's heads, or unknown."""
    groups = draw(layer_groups)
    if draw(st.integers(0, 4)) == 0:
        groups = _with_one_in_two(groups)
    heads = lcm(*(group.get("kv_heads", 1) for group in groups))
    per_kv_head = st.sampled_from((1, 2, 5, 16, 48))
    return {
        "name": "model",
        "num_layers": sum(group["layers"] for group in groups),
        "max_position_embeddings": draw(st.integers(1, 2_000_000)),
        "attention_pattern": "grouped",
        "layer_groups": groups,
        "num_attention_heads": draw(st.none() | per_kv_head.map(lambda each: each * heads)),
        "default_kv_precision": draw(st.sampled_from(("bf16", "fp8"))),
        "weight_bytes": draw(st.none() | st.integers(1, 2 * 10**12)),
        "sources": draw(sources),
    }


@st.composite
def pattern_models(draw: st.DrawFn) -> dict[str, Any]:
    """Models of the planning method's three patterns."""
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
    if pattern != "hybrid" and draw(st.integers(0, 3)) == 0:
        # What another pattern would need may be left over, and says nothing.
        fields |= {"hybrid_full_layers": draw(st.integers(0, 160))}
        fields |= {"hybrid_sliding_layers": draw(st.integers(0, 160))}
        fields.setdefault("sliding_window", 128)
    return fields


def models() -> st.SearchStrategy[dict[str, Any]]:
    """Models of any pattern."""
    return st.one_of(pattern_models(), pattern_models(), grouped_models())


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
    return as_model(model), as_server(server), StorageProfile(**as_typed(storage))


def as_typed(entry: dict[str, Any]) -> dict[str, Any]:
    """The fields of a server or a storage, with the decimals of a text as floats."""
    decimal_fields = {
        "hbm_per_gpu_gb",
        "total_hbm_gb",
        "throughput_read_gbps",
        "throughput_write_gbps",
    }
    return {
        name: float(value) if name in decimal_fields else value for name, value in entry.items()
    }


def as_server(server: dict[str, Any]) -> Server:
    """A server's dictionary as core's entry."""
    return Server(**as_typed(server))


def as_model(model: dict[str, Any]) -> Model:
    """A model's dictionary as core's entry."""
    groups = model.get("layer_groups", ())
    made = tuple(CLASS_BY_KIND[group["kind"]](**group) for group in groups)
    return Model(**model | {"layer_groups": made})


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


def resized(result: SizingResult, **changed: object) -> SizingResult:
    """The same sizing with some inputs changed."""
    inputs = {
        name: getattr(result, name)
        for name in (
            "concurrency",
            "effective_context",
            "kv_precision",
            "kv_budget_ratio",
            "runtime_overhead_gib",
            "peak_headroom_ratio",
            "ha_mode",
        )
    }
    server = changed.pop("server", result.server)
    assert isinstance(server, Server)
    return size(result.model, server, result.storage, **{**inputs, **changed})
