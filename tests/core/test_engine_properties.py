"""The engine's figures as properties: against layers counted one by one, and against laws."""

from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.core import engine_reference as reference
from tests.core.published import REFUSED, published, row_id, rows, with_state_dtype
from tests.core.strategies import (
    as_model,
    as_server,
    as_typed,
    decimals,
    dims,
    grouped_models,
    loads,
    pattern_models,
    servers,
    storages,
)
from xlsizing.core import InvalidValueError, Model, SizingError, StorageProfile, size
from xlsizing.core.engine import EngineBound, EngineSettings, engine_bound, usable_gpu_bytes
from xlsizing.core.kv_cache import kv_bytes_per_session, session_cost
from xlsizing.core.paged_cache import PagedCache, layout, tensor_parallel_sizes
from xlsizing.core.remedies import context_to_fit
from xlsizing.core.transformers_cache import transformers_bytes

Case = tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]
"""A model, a server, a load and how the engine is started."""

UNKNOWN = {
    "INVALID_VALUE": "tensor_parallel",
    "UNKNOWN_LAYOUT": "layout",
    "UNKNOWN_WEIGHTS": "weights",
}
"""What is wrong or not known about a case, by the code of its refusal."""


@st.composite
def engine_models(draw: st.DrawFn, *, patterns: bool = False) -> dict[str, Any]:
    """Models whose weights are published, to be estimated, or not known.

    They are of layer groups or of the planning method's three patterns, or only of those.
    """
    of_patterns = patterns or draw(st.integers(0, 2)) == 0
    model: dict[str, Any] = draw(pattern_models() if of_patterns else grouped_models())
    if of_patterns:
        each = draw(st.sampled_from((None, 1, 2, 6)))
        model["num_attention_heads"] = each and each * model["num_key_value_heads"]
    if model["weight_bytes"] is None and draw(st.integers(0, 3)):
        precisions = (None, "bf16", "fp16", "fp8", "int8", "mxfp4", "nvfp4")
        model["weight_precision"] = draw(st.sampled_from(precisions))
        model["total_params"] = draw(st.integers(1, 10**12))
        model["unquantized_params"] = draw(st.none() | st.integers(0, 10**12))
    return model


@st.composite
def engine_servers(draw: st.DrawFn) -> dict[str, Any]:
    """Servers, some of which say how much of a GPU's memory can be allocated."""
    server = draw(servers())
    if draw(st.booleans()):
        server["usable_hbm_per_gpu_bytes"] = draw(st.integers(1, 300 * 2**30))
    return server


@st.composite
def starts(draw: st.DrawFn) -> dict[str, Any]:
    """How an engine may be started."""
    return {
        "tensor_parallel": draw(
            st.one_of(st.none(), st.none(), st.sampled_from((1, 2, 4, 8)), st.integers(1, 96))
        ),
        "max_num_batched_tokens": draw(st.integers(1, 300) | st.sampled_from((2_048, 8_192))),
        "batches_in_flight": draw(st.integers(1, 3)),
        "hybrid_manager": draw(st.sampled_from((True, True, False))),
        "state_caching": draw(st.sampled_from(("none", "align"))),
        "gpu_memory_utilization": draw(st.just("0.92") | decimals("0.0001", "1", 4)),
        "activation_gib": draw(decimals("0", "8", 4)),
        "runtime_gib": draw(decimals("0", "3", 4)),
        "kv_pool_gib": draw(st.none() | decimals("0", "200", 4)),
    }


engine_cases: st.SearchStrategy[Case] = st.tuples(
    engine_models(), engine_servers(), loads(), starts()
)


@st.composite
def boundary_cases(draw: st.DrawFn) -> Case:
    """Cases in which the context fills blocks, and the pool a number of sessions, or just not.

    The context is put on a multiple of a block, or where a window with a prefill beside it
    ends; the memory is what a number of sessions and the reserved block take.
    """
    model, load, start = draw(engine_models()), draw(loads()), draw(starts())
    beside = st.sampled_from((-1, 0, 1))
    model |= {"max_position_embeddings": 10**9, "weight_bytes": draw(st.integers(1, 10**11))}
    layers, heads = reference.layers_of(model), model["num_attention_heads"]
    sizes = [ranks for ranks in range(1, 17) if reference.splits(layers, ranks, heads)]
    ranks = draw(st.sampled_from(sizes) | st.just(sizes[-1]))
    start |= {"tensor_parallel": draw(st.sampled_from((None, ranks))), "kv_pool_gib": None}
    in_flight = start["max_num_batched_tokens"] * start["batches_in_flight"]
    precision = load["kv_precision"] or model["default_kv_precision"]
    gpus = ranks * draw(st.integers(1, 3)) + draw(st.integers(0, ranks - 1))
    server: dict[str, Any] = {"name": "server", "gpus": gpus, "hbm_per_gpu_gb": "1"}

    def cache(length: int, flight: int) -> dict[str, Any] | None:
        choices = {"hybrid": start["hybrid_manager"], "aligned": start["state_caching"] == "align"}
        return reference.paged(layers, ranks, precision, length, flight, **choices)

    found = cache(1, 1)
    if found is None:
        return model, server, load, start
    blocks = [group["size"] for group in found["groups"]]
    edges = [tokens * draw(st.integers(1, 3_000)) for tokens in blocks]
    for bound in {layer["bound"] for layer in layers if "bound" in layer}:
        if draw(st.booleans()):
            # The window and the prefill beside it fill blocks, or a token more or less.
            block = draw(st.sampled_from(blocks))
            end = (bound // block + draw(st.integers(1, 100))) * block
            in_flight = max(1, end - bound + draw(beside))
            start |= {"max_num_batched_tokens": in_flight, "batches_in_flight": 1}
        edges += [bound, bound - 1, bound + in_flight, bound + in_flight + 1_000]
    load["effective_context"] = max(1, draw(st.sampled_from(edges)) + draw(beside))
    found = cache(load["effective_context"], draw(st.sampled_from((0, in_flight))))
    assert found is not None
    sessions = draw(st.integers(0, 5))
    pool = (found["blocks_per_request"] * sessions + 1) * found["bytes_per_block"] + draw(beside)
    share = pool + reference.steps(model["weight_bytes"], ranks) + reference.overhead_bytes(start)
    usable = ceil(share / Fraction(start["gpu_memory_utilization"]))
    return model, server | {"usable_hbm_per_gpu_bytes": min(usable, 10**15)}, load, start


def precision_of(case: Case) -> str:
    model, _, load, _ = case
    return str(load["kv_precision"] or model["default_kv_precision"])


def held_of(case: Case) -> int:
    model, _, load, _ = case
    return int(min(load["effective_context"], model["max_position_embeddings"]))


def settings_of(start: Mapping[str, Any]) -> EngineSettings:
    """The settings, whose decimals are floats, as a cell holds them."""
    decimal_fields = ("gpu_memory_utilization", "activation_gib", "runtime_gib", "kv_pool_gib")
    floats: dict[str, Any] = {
        name: float(start[name]) for name in decimal_fields if start[name] is not None
    }
    return EngineSettings(**{**start, **floats})


def bound_of(case: Case) -> EngineBound:
    model, server, load, start = case
    return engine_bound(
        as_model(model),
        as_server(server),
        held_of(case),
        precision_of(case),
        load["concurrency"],
        float(load["peak_headroom_ratio"]),
        load["ha_mode"],
        settings_of(start),
    )


def outcome(case: Case) -> EngineBound | SizingError:
    """The bound, or why there is none."""
    try:
        return bound_of(case)
    except SizingError as error:
        return error


def _started(case: Case) -> Case:
    """The case with a size that ranks can share, and weights that are known."""
    model, server, load, start = case
    asked, layers = start["tensor_parallel"], reference.layers_of(model)
    possible = asked and reference.splits(layers, asked, model["num_attention_heads"])
    if not possible or asked > server["gpus"]:
        start = start | {"tensor_parallel": None}
    if reference.weights(model) is None:
        model = model | {"weight_bytes": 10**9}
    return model, server, load, start


known_cases = (
    st.one_of(engine_cases, boundary_cases())
    .map(_started)
    .filter(lambda case: "unknown" not in reference.answer(*case))
)


def in_plain_words(cache: PagedCache) -> dict[str, Any]:
    """A cache of core's as the reference writes it; of states, a block's tokens left out."""
    groups = zip(cache.layout.groups, cache.group_blocks, strict=True)
    return {
        "groups": sorted(
            (
                group.kind,
                group.layers,
                0 if group.kind == "state" else group.block_size,
                blocks,
                group.page_bytes,
            )
            for group, blocks in groups
        ),
        "bytes_per_block": cache.bytes_per_block,
        "blocks_per_request": cache.blocks_per_request,
    }


def in_the_same_words(cache: Mapping[str, Any]) -> dict[str, Any]:
    """A cache of the reference's, in the same order."""
    groups = sorted(
        (
            group["kind"],
            group["layers"],
            0 if group["kind"] == "state" else group["size"],
            group["blocks"],
            group["page"],
        )
        for group in cache["groups"]
    )
    return {**cache, "groups": groups}


def assert_agrees(case: Case) -> None:
    model, server, _, start = case
    expected = reference.answer(*case)
    bound = outcome(case)
    if isinstance(bound, SizingError):
        assert expected == {"unknown": UNKNOWN[bound.code]}
        if isinstance(bound, InvalidValueError):
            assert (bound.field, bound.value) == ("tensor_parallel", start["tensor_parallel"])
        return
    assert "unknown" not in expected
    assert in_plain_words(bound.cache) == in_the_same_words(expected["cache"])
    assert in_plain_words(bound.steady) == in_the_same_words(expected["steady"])
    for name in (
        "tensor_parallel",
        "num_blocks",
        "sessions_per_replica",
        "sessions_per_node",
        "steady_sessions_per_node",
        "nodes",
        "steady_nodes",
    ):
        assert getattr(bound, name) == expected[name], name
    assert bound.kv_copies == expected["copies"]
    memory, heavy = bound.memory, reference.weights(model)
    blocks = expected["num_blocks"] * expected["cache"]["bytes_per_block"]
    shard = reference.steps(heavy or 0, expected["tensor_parallel"])
    assert memory.pool == expected["pool"]
    assert (memory.total, memory.blocks) == (reference.device_bytes(server), blocks)
    assert (memory.weights, bound.weights_estimated) == (shard, model["weight_bytes"] is None)
    assert memory.activation + memory.runtime == reference.overhead_bytes(start)
    left = memory.total - memory.weights - memory.activation - memory.runtime - blocks
    assert memory.unused == max(0, left)


@settings(max_examples=200, deadline=None)
@given(engine_cases)
def test_agrees_with_layers_counted_one_by_one(case: Case) -> None:
    assert_agrees(case)


@settings(max_examples=700, deadline=None)
@given(boundary_cases())
def test_agrees_where_blocks_and_pools_are_just_full(case: Case) -> None:
    assert_agrees(case)


@settings(max_examples=150, deadline=None)
@given(engine_models(), st.integers(1, 2_000_000))
def test_transformers_keeps_what_its_layers_keep(model: dict[str, Any], tokens: int) -> None:
    edges = [layer["bound"] for layer in reference.layers_of(model) if "bound" in layer]
    for length in {tokens, *edges, *(edge - 1 for edge in edges if edge > 1)}:
        expected = reference.transformers_bytes(reference.layers_of(model), length)
        assert transformers_bytes(as_model(model), length) == expected


PLANNED = rows("vllm_planner_rows.json")


@pytest.mark.parametrize("row", PLANNED[::5], ids=row_id)
def test_the_layers_counted_one_by_one_are_what_an_engine_planned(row: dict[str, Any]) -> None:
    model = asdict(with_state_dtype(published(row["model"]), row["ssm_state_dtype"]))
    layers = reference.layers_of(model)
    assert reference.splits(layers, row["tp"], model["num_attention_heads"])
    cache = reference.paged(layers, row["tp"], "bf16", row["max_model_len"], 2 * 8_192)
    assert cache is not None
    pages = sorted((group["layers"], group["page"], group["blocks"]) for group in cache["groups"])
    assert pages == sorted(
        (group["layers"], group["page_bytes"], group["blocks_per_request"])
        for group in row["groups"]
    )
    blocks = (row["num_blocks"], row["admissible_requests_after_null_block"])
    assert reference.admits(40 * 2**30, cache) == blocks


HELD = [row for row in rows("hf_cache_rows.json") if row["model"] != REFUSED]


@pytest.mark.parametrize("row", HELD[::5], ids=row_id)
def test_the_layers_counted_one_by_one_hold_what_a_cache_held(row: dict[str, Any]) -> None:
    layers = reference.layers_of(asdict(published(row["model"])))
    assert reference.transformers_bytes(layers, row["tokens_total"]) == row["total_bytes"]


# What holds of any model


@settings(max_examples=125, deadline=None)
@given(known_cases)
def test_the_bound_promises_no_more_than_the_pool_and_steady_decode(case: Case) -> None:
    bound = bound_of(case)
    taken = bound.sessions_per_replica * bound.cache.blocks_per_request
    assert taken + 1 <= bound.num_blocks or bound.sessions_per_replica == 0
    assert bound.sessions_per_node <= bound.steady_sessions_per_node
    assert bound.steady.kv_bytes_per_request <= bound.cache.kv_bytes_per_request
    if bound.nodes[2] is not None:
        assert bound.steady_nodes[2] is not None
        assert bound.steady_nodes[2] <= bound.nodes[2]
    promised = Fraction(bound.num_blocks, bound.cache.blocks_per_request)
    assert abs(bound.max_concurrency - promised) <= Fraction(1, 19_999)
    length = held_of(case)
    # The engine counts them in floating point: two roundings, and the cut of a whole token.
    off = abs(bound.cache.tokens(bound.num_blocks, length) - promised * length)
    assert off <= 1 + promised * length / 2**51
    assert bound.sessions_per_replica in (floor(promised), max(0, ceil(promised) - 1))


@settings(max_examples=100, deadline=None)
@given(known_cases)
def test_whole_blocks_take_no_less_than_the_tokens_in_them(case: Case) -> None:
    bound = bound_of(case)
    planned = kv_bytes_per_session(as_model(case[0]), held_of(case), precision_of(case))
    assert bound.steady.kv_bytes_per_request * bound.tensor_parallel >= planned


@settings(max_examples=100, deadline=None)
@given(known_cases, st.integers(1, 2**36))
def test_more_memory_never_holds_fewer_sessions(case: Case, more: int) -> None:
    model, server, load, start = case
    bound = bound_of(case)
    usable = min(usable_gpu_bytes(as_server(server)) + more, 10**15)
    larger = bound_of((model, server | {"usable_hbm_per_gpu_bytes": usable}, load, start))
    assert larger.tensor_parallel <= bound.tensor_parallel
    assert (larger.sessions_per_replica > 0) >= (bound.sessions_per_replica > 0)
    same = start | {"tensor_parallel": bound.tensor_parallel}
    larger = bound_of((model, server | {"usable_hbm_per_gpu_bytes": usable}, load, same))
    assert larger.sessions_per_node >= bound.sessions_per_node


@settings(max_examples=100, deadline=None)
@given(known_cases, st.integers(1, 70))
def test_more_tokens_never_take_fewer_blocks(case: Case, more: int) -> None:
    model, server, load, start = case
    bound = bound_of(case)
    start = start | {"tensor_parallel": bound.tensor_parallel}
    longer = load | {"effective_context": load["effective_context"] + more}
    for cache in (
        bound_of((model, server, longer, start)).cache,
        bound_of(
            (
                model,
                server,
                load,
                start | {"max_num_batched_tokens": start["max_num_batched_tokens"] + more},
            )
        ).cache,
    ):
        assert cache.layout == bound.cache.layout
        assert all(
            many >= few
            for many, few in zip(cache.group_blocks, bound.cache.group_blocks, strict=True)
        )


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 64), st.integers(1, 40), dims, dims, st.sampled_from(("bf16", "fp8")))
def test_ranks_divide_pages_where_they_divide_the_heads(
    heads: int, layers: int, key_dim: int, value_dim: int, precision: str
) -> None:
    group = {"kind": "full", "layers": layers, "kv_heads": heads}
    group |= {"key_dim": key_dim, "value_dim": value_dim}
    model = as_model(
        {
            "name": "m",
            "num_layers": layers,
            "max_position_embeddings": 1,
            "attention_pattern": "grouped",
            "layer_groups": [group],
            "num_attention_heads": 64 * heads,
        }
    )
    whole = layout(model, precision).bytes_per_block
    sizes = tensor_parallel_sizes(model, 128)
    assert set(sizes) >= {ranks for ranks in range(1, heads + 1) if heads % ranks == 0}
    for ranks in sizes:
        share = layout(model, precision, ranks).bytes_per_block
        if heads % ranks == 0:
            assert share * ranks == whole
        else:
            assert ranks % heads == 0
            assert share * heads == whole


def in_groups(model: Mapping[str, Any]) -> dict[str, Any]:
    """A model of the planning method's three patterns, as layer groups."""
    heads, dim = model["num_key_value_heads"], model["head_dim"]
    shape = {"kv_heads": heads, "key_dim": dim, "value_dim": dim}
    counts = {
        "full": (0, model["num_layers"]),
        "sliding": (model["num_layers"], 0),
        "hybrid": (model.get("hybrid_sliding_layers"), model.get("hybrid_full_layers")),
    }
    sliding, full = counts[model["attention_pattern"]]
    groups: list[dict[str, Any]] = []
    if sliding:
        group = {"kind": "sliding", "layers": sliding, "window": model["sliding_window"]}
        groups.append(group | shape)
    if full:
        groups.append({"kind": "full", "layers": full} | shape)
    dropped = {"num_key_value_heads", "head_dim", "sliding_window"}
    dropped |= {"hybrid_full_layers", "hybrid_sliding_layers"}
    kept = {name: value for name, value in model.items() if name not in dropped}
    return {**kept, "attention_pattern": "grouped", "layer_groups": groups}


def sized(model: Model, case: Case, storage: dict[str, Any]) -> dict[str, Any]:
    """Everything that a sizing says of a case, but the model's entry."""
    _, server, load, start = case
    result = size(
        model,
        as_server(server),
        StorageProfile(**as_typed(storage)),
        concurrency=load["concurrency"],
        effective_context=load["effective_context"],
        kv_precision=load["kv_precision"],
        kv_budget_ratio=float(load["kv_budget_ratio"]),
        runtime_overhead_gib=float(load["runtime_overhead_gib"]),
        peak_headroom_ratio=float(load["peak_headroom_ratio"]),
        ha_mode=load["ha_mode"],
        settings=settings_of(start),
    )
    return {name: value for name, value in vars(result).items() if name != "model"}


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(engine_models(patterns=True), engine_servers(), loads(), starts()).map(_started),
    storages(),
)
def test_a_pattern_and_the_same_layers_as_groups_are_one_model(
    case: Case, storage: dict[str, Any]
) -> None:
    pattern = case[0] | {"sources": {"*": "a paper"}}
    model, grouped = as_model(pattern), as_model(in_groups(pattern))
    assert session_cost(model) == session_cost(grouped)
    length = held_of(case)
    assert transformers_bytes(model, length) == transformers_bytes(grouped, length)
    assert sized(model, case, storage) == sized(grouped, case, storage)


@settings(max_examples=100, deadline=None)
@given(engine_cases, storages())
def test_a_sizing_says_what_the_engine_holds_or_why_that_is_not_known(
    case: Case, storage: dict[str, Any]
) -> None:
    figures = sized(as_model(case[0]), case, storage)
    expected = reference.answer(*case)
    alerts = []
    if "unknown" in expected:
        with pytest.raises(SizingError) as refusal:
            bound_of(case)
        assert (figures["engine"], figures["engine_unknown"]) == (None, str(refusal.value))
        alerts += ["INVALID_TP"] if expected["unknown"] == "tensor_parallel" else []
    else:
        assert (figures["engine"], figures["engine_unknown"]) == (bound_of(case), "")
        planned, final = figures["nodes_final"], expected["nodes"][2]
        more = planned is not None and (final is None or final > planned)
        alerts += ["ENGINE_NEEDS_MORE_NODES"] if more else []
        alerts += ["KV_REPLICATED"] if expected["copies"] > 1 else []
    assert [alert.code for alert in figures["engine_alerts"]] == alerts
    asked = case[3]["tensor_parallel"] is not None
    codes = [alert.code for alert in figures["alerts"]]
    of_engine = ("INVALID_TP", "ENGINE_NEEDS_MORE_NODES", "KV_REPLICATED")
    assert [code for code in codes if code in of_engine] == (alerts if asked else [])


# The longest context that fits


@settings(max_examples=200, deadline=None)
@given(
    engine_models(),
    st.integers(1, 300_000),
    st.sampled_from((-1, 0, 1)),
    st.sampled_from(("bf16", "fp8")),
    st.booleans(),
)
def test_the_longest_context_that_fits_is_the_longest(
    model: dict[str, Any], tokens: int, beside: int, precision: str, at_the_window: bool
) -> None:
    layers = reference.layers_of(model)
    edges = {layer["bound"] for layer in layers if "bound" in layer}
    if at_the_window and edges:
        tokens = max(1, edges.pop() + beside)
    budget = reference.planning_bytes(layers, precision, tokens) + beside
    assume(reference.planning_bytes(layers, precision, 10**12) > budget)
    context = context_to_fit(as_model(model), budget, reference.WIDTHS[precision])
    assert reference.planning_bytes(layers, precision, context + 1) > budget
    if context:
        assert reference.planning_bytes(layers, precision, context) <= budget
