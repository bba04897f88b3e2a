"""Layers of every kind by figures that others published: what a planner cut, what cards held."""

from collections.abc import Mapping
from dataclasses import replace
from math import floor
from typing import Any

import pytest

from xlsizing.core import Model, Server, StorageProfile, kv_bytes_per_session, size
from xlsizing.core.engine import (
    EngineBound,
    EngineSettings,
    engine_bound,
    max_concurrency,
    usable_gpu_bytes,
    weight_bytes,
)
from xlsizing.core.kv_cache import layer_groups, session_cost, with_recurrent_dtype
from xlsizing.core.layers import (
    AttentionLayers,
    LatentLayers,
    LayerGroup,
    StateLayers,
    UnknownLayoutError,
    copies,
)
from xlsizing.core.paged_cache import layout, paged_cache, runs, tensor_parallel_sizes
from xlsizing.core.remedies import context_to_fit
from xlsizing.core.transformers_cache import transformers_bytes

GIB = 2**30


def of(*groups: LayerGroup, heads: int | None = None, **more: Any) -> Model:
    """A model of layer groups."""
    return Model(
        name="m",
        num_layers=sum(group.layers for group in groups),
        max_position_embeddings=2**20,
        attention_pattern="grouped",
        layer_groups=groups,
        num_attention_heads=heads,
        **more,
    )


def full(layers: int, heads: int, dim: int) -> AttentionLayers:
    return AttentionLayers("full", layers, heads, dim, dim)


def sliding(layers: int, heads: int, dim: int, window: int) -> AttentionLayers:
    return AttentionLayers("sliding", layers, heads, dim, dim, window)


def chunked(layers: int, heads: int, dim: int, chunk: int) -> AttentionLayers:
    return AttentionLayers("chunked", layers, heads, dim, dim, chunk)


NEMOTRON_NANO = of(
    StateLayers("state", 23, "mamba2", 4, 64, 64, 128, groups=8, recurrent_dtype="float32"),
    full(6, 2, 128),
    heads=32,
)
QWEN3_NEXT = of(
    StateLayers(
        "state", 36, "gated_delta_net", 4, 32, 128, 128, groups=16, recurrent_dtype="float32"
    ),
    full(12, 2, 256),
    heads=16,
)
GRANITE_SMALL = of(
    StateLayers("state", 36, "mamba2", 4, 128, 64, 128, groups=1), full(4, 8, 128), heads=32
)
JAMBA = of(StateLayers("state", 28, "mamba", 4, 8_192, 1, 16), full(4, 8, 128), heads=32)
FALCON_MAMBA = of(StateLayers("state", 64, "mamba", 4, 8_192, 1, 16))


# A pattern is a way to write groups


def test_each_pattern_stands_for_groups() -> None:
    common: dict[str, Any] = {
        "name": "m",
        "num_layers": 5,
        "num_key_value_heads": 4,
        "head_dim": 64,
        "max_position_embeddings": 1_000,
    }
    windowed: dict[str, Any] = {"sliding_window": 32}
    hybrid: dict[str, Any] = {"hybrid_full_layers": 2, "hybrid_sliding_layers": 3} | windowed
    assert layer_groups(Model(**common, attention_pattern="full")) == (full(5, 4, 64),)
    assert layer_groups(Model(**common, attention_pattern="sliding", **windowed)) == (
        sliding(5, 4, 64, 32),
    )
    assert layer_groups(Model(**common, attention_pattern="hybrid", **hybrid)) == (
        sliding(3, 4, 64, 32),
        full(2, 4, 64),
    )
    # Counts that another pattern would need say nothing.
    assert layer_groups(Model(**common, attention_pattern="full", **hybrid)) == (full(5, 4, 64),)
    assert layer_groups(Model(**common, attention_pattern="sliding", **hybrid)) == (
        sliding(5, 4, 64, 32),
    )
    hybrid |= {"hybrid_full_layers": 0, "hybrid_sliding_layers": 5}
    assert layer_groups(Model(**common, attention_pattern="hybrid", **hybrid)) == (
        sliding(5, 4, 64, 32),
    )


def test_a_session_of_every_family_costs_what_its_parts_cost() -> None:
    keys_and_values = AttentionLayers("full", 2, 4, 192, 128)
    model = of(keys_and_values, AttentionLayers("chunked", 3, 8, 192, 128, 100))
    # 2 * 4 * 320 elements on full layers, 3 * 8 * 320 on chunked ones.
    assert kv_bytes_per_session(model, 1_000, "bf16") == 2 * (2_560 * 1_000 + 7_680 * 100)
    assert kv_bytes_per_session(model, 99, "fp8") == (2_560 + 7_680) * 99
    cost = session_cost(model)
    assert (cost.full_layers, cost.windowed_layers, cost.window) == (2, 3, 100)
    latent = of(LatentLayers("latent", 61, 512, 64, 10, 128))
    # An indexer keeps 132 bytes a token whatever the precision.
    assert kv_bytes_per_session(latent, 10, "bf16") == (61 * 576 * 2 + 10 * 132) * 10
    assert kv_bytes_per_session(latent, 10, "fp8") == (61 * 576 + 10 * 132) * 10
    states = 23 * 2_134_016
    assert kv_bytes_per_session(NEMOTRON_NANO, 1, "fp8") == states + 6 * 2 * 256
    assert kv_bytes_per_session(FALCON_MAMBA, 10**6, "fp8") == 64 * 311_296
    assert kv_bytes_per_session(FALCON_MAMBA, 1, "bf16") == 64 * 311_296


# States and pages, by what vLLM's planner says


@pytest.mark.parametrize(
    ("model", "by_ranks"),
    [
        (NEMOTRON_NANO, {1: 2_134_016, 2: 1_067_008, 4: 533_504, 8: 266_752, 16: 134_144}),
        (QWEN3_NEXT, {1: 2_146_304, 2: 1_073_152, 4: 536_576, 8: 268_288, 16: 134_144}),
        (GRANITE_SMALL, {1: 2_147_840, 2: 1_074_688, 4: 538_112, 8: 269_824, 16: 135_680}),
        (JAMBA, {1: 311_296, 2: 155_648, 4: 77_824, 8: 38_912, 16: 19_456}),
    ],
    ids=["mamba2", "gated delta net", "mamba2 of one group", "mamba"],
)
def test_ranks_share_a_state(model: Model, by_ranks: Mapping[int, int]) -> None:
    (state,) = (group for group in model.layer_groups if isinstance(group, StateLayers))
    assert {ranks: state.state_bytes(ranks) for ranks in by_ranks} == by_ranks


@pytest.mark.parametrize(
    ("model", "ranks", "block", "page"),
    [
        (NEMOTRON_NANO, 1, 2_096, 2_146_304),
        (NEMOTRON_NANO, 8, 528, 270_336),
        (QWEN3_NEXT, 1, 1_056, 2_162_688),
        (with_recurrent_dtype(QWEN3_NEXT, "bfloat16"), 1, 544, 1_114_112),
        (GRANITE_SMALL, 16, 272, 139_264),
        (JAMBA, 8, 80, 40_960),
    ],
)
def test_a_block_is_raised_until_a_state_fits(
    model: Model, ranks: int, block: int, page: int
) -> None:
    groups = layout(model, "bf16", ranks).groups
    assert {(group.block_size, group.page_bytes) for group in groups} == {(block, page)}


def test_a_block_that_a_state_just_fills_is_not_raised_beyond_it() -> None:
    attention = full(2, 1, 64)  # a page of 16 * 128 * 2 = 4,096 bytes
    for elements, block in ((2_047, 16), (2_048, 16), (2_049, 32), (4_096, 32), (4_097, 48)):
        state = StateLayers("state", 2, "mamba", 1, elements, 1, 1)
        groups = layout(of(attention, state), "bf16").groups
        assert {group.block_size for group in groups} == {block}, elements


def test_states_alone_are_not_padded() -> None:
    cut = layout(FALCON_MAMBA, "bf16")
    assert cut.bytes_per_block == 19_922_944
    assert paged_cache(cut, 8_192, 16_384).blocks_per_request == 1


def test_prefix_caching_keeps_two_states_aligned_with_attention() -> None:
    cut = layout(QWEN3_NEXT, "bf16")
    once, twice = paged_cache(cut, 262_144, 16_384), paged_cache(cut, 262_144, 16_384, "align")
    assert (once.group_blocks, once.group_tokens) == ((1, 1, 1, 249), (262_144,) * 3 + (1_056,))
    assert (twice.group_blocks, twice.group_tokens) == ((2, 2, 2, 249), (1_056,) * 4)


def test_sparse_attention_has_pages_of_its_own() -> None:
    sparse = of(LatentLayers("latent", 61, 512, 64, 61, 128), heads=128)
    for precision, page in (("bf16", 5_012_736), ("fp8", 3_076_352), ("int8", 3_076_352)):
        (group,) = layout(sparse, precision, 8).groups
        assert (group.layers, group.block_size, group.page_bytes) == (122, 64, page)
    plain = of(LatentLayers("latent", 61, 512, 64), heads=128)
    for precision, page in (("bf16", 73_728), ("fp8", 36_864)):
        (group,) = layout(plain, precision, 8).groups
        assert (group.layers, group.block_size, group.page_bytes) == (61, 64, page)
    # GLM-5.2 has an indexer on 21 of its 78 layers.
    some = of(LatentLayers("latent", 78, 512, 64, 21, 128), heads=64)
    (group,) = layout(some, "bf16").groups
    assert (group.layers, group.page_bytes) == (99, 5_928_192)


# Groups


@pytest.mark.parametrize(
    ("kind", "window", "in_flight", "context", "blocks"),
    [
        # The last window - 1 tokens and the prefill, and one block for where they begin.
        ("sliding", 17, 16, 1_000, 2 + 1),
        ("sliding", 18, 16, 1_000, 3 + 1),
        ("sliding", 17, 17, 1_000, 3 + 1),
        ("sliding", 17, 16, 32, 2 + 1),
        ("sliding", 18, 16, 32, 2 + 1),
        ("sliding", 18, 16, 33, 3 + 1),
        ("sliding", 17, 16, 16, 1 + 1),
        ("sliding", 17, 0, 1_000, 1 + 1),
        ("sliding", 18, 0, 1_000, 2 + 1),
        ("sliding", 1, 0, 1_000, 0 + 1),
        # The chunk and the prefill.
        ("chunked", 16, 16, 1_000, 2),
        ("chunked", 17, 16, 1_000, 3),
        ("chunked", 16, 17, 1_000, 3),
        ("chunked", 17, 16, 32, 2),
        ("chunked", 17, 16, 33, 3),
        ("chunked", 16, 0, 1_000, 1),
        ("chunked", 17, 0, 1_000, 2),
        ("full", None, 16, 1_000, 63),
        ("full", None, 16, 1_008, 63),
        ("full", None, 16, 1_009, 64),
        ("full", None, 0, 1, 1),
    ],
)
def test_blocks_begin_and_end_where_tokens_do(
    kind: Any, window: int | None, in_flight: int, context: int, blocks: int
) -> None:
    cut = layout(of(AttentionLayers(kind, 3, 8, 64, 64, window)), "bf16")
    assert paged_cache(cut, context, in_flight).group_blocks == (blocks,)


@pytest.mark.parametrize(
    ("few", "many", "sizes"),
    [
        (10, 10, [10, 10]),
        (10, 14, [10, 14]),
        (10, 15, [10, 8, 7]),
        (10, 20, [10, 10, 10]),
        (11, 16, [11, 16]),
        (11, 17, [11, 9, 8]),
        (10, 52, [10, 9, 9, 9, 9, 8, 8]),
        (1, 1, [1, 1]),
        (1, 2, [1, 1, 1]),
    ],
)
def test_groups_are_as_large_as_the_fewest_layers_or_the_most(
    few: int, many: int, sizes: list[int]
) -> None:
    for first, second in ((few, many), (many, few)):
        cut = layout(of(sliding(first, 8, 64, 128), full(second, 8, 64)), "bf16")
        assert sorted(group.layers for group in cut.groups) == sorted(sizes)
        assert cut.bytes_per_block == max(sizes) * 32_768


def test_smaller_pages_grow_by_the_ratio() -> None:
    cut = layout(of(sliding(9, 8, 64, 128), full(9, 2, 64)), "bf16")
    assert [(group.kind, group.block_size, group.page_bytes) for group in cut.groups] == [
        ("sliding", 16, 32_768),
        ("full", 64, 32_768),
    ]
    cache = paged_cache(cut, 1_000, 0)
    assert cache.group_blocks == (1 + 8, 16)


def test_layers_of_one_kind_are_one_group_whatever_their_pages() -> None:
    (group,) = layout(of(full(10, 8, 64), full(3, 4, 48)), "bf16").groups
    page = 16 * 2 * (10 * 8 * 128 + 3 * 4 * 96)
    assert (group.layers, group.block_size, group.page_bytes) == (13, 16, page)
    (group,) = layout(of(full(10, 8, 64), full(3, 8, 64)), "bf16").groups
    assert (group.layers, group.page_bytes) == (13, 32_768)


def test_without_the_hybrid_manager_windows_beside_full_layers_are_full() -> None:
    scout = of(chunked(36, 8, 128, 8_192), full(12, 8, 128), heads=40)
    cut = layout(scout, "bf16", 8, hybrid_manager=False)
    assert [(group.kind, group.layers, group.page_bytes) for group in cut.groups] == [
        ("full", 48, 8_192)
    ]
    assert paged_cache(cut, 131_072, 16_384).blocks_per_request == 8_192
    # Layers that are all alike are no hybrid.
    windows = of(sliding(32, 8, 128, 4_096))
    assert layout(windows, "bf16", hybrid_manager=False) == layout(windows, "bf16")
    assert layout(FALCON_MAMBA, "bf16", hybrid_manager=False) == layout(FALCON_MAMBA, "bf16")


def test_equal_groups_are_shown_once() -> None:
    found = runs(layout(GRANITE_SMALL, "bf16"))
    assert [(group.kind, group.layers, times) for group, times in found] == [
        ("state", 4, 9),
        ("full", 4, 1),
    ]


# Ranks


def test_ranks_share_what_they_can() -> None:
    def sizes(model: Model, most: int = 64) -> list[int]:
        return list(tensor_parallel_sizes(model, most))

    assert sizes(of(full(1, 8, 64), heads=64)) == [1, 2, 4, 8, 16, 32, 64]
    assert sizes(of(full(1, 8, 64), heads=64), 8) == [1, 2, 4, 8]
    assert sizes(of(full(1, 8, 64), heads=40)) == [1, 2, 4, 8, 40]
    assert sizes(of(full(1, 6, 64), heads=24)) == [1, 2, 3, 6, 12, 24]
    assert sizes(of(full(1, 8, 64))) == [1, 2, 4, 8]
    assert sizes(of(full(1, 8, 64), sliding(1, 4, 64, 9))) == [1, 2, 4]
    assert sizes(of(full(1, 8, 64), sliding(1, 4, 64, 9), heads=16)) == [1, 2, 4, 8, 16]
    assert sizes(of(LatentLayers("latent", 1, 512, 64), heads=12)) == [1, 2, 3, 4, 6, 12]
    assert sizes(of(LatentLayers("latent", 1, 512, 64))) == [1]
    assert sizes(FALCON_MAMBA) == [1, 2, 4, 8, 16, 32, 64]
    assert sizes(QWEN3_NEXT) == [1, 2, 4, 8, 16]
    # 32 value heads, but 16 key heads.
    assert sizes(of(QWEN3_NEXT.layer_groups[0])) == [1, 2, 4, 8, 16]
    assert sizes(of(StateLayers("state", 1, "mamba2", 4, 24, 64, 128, groups=8))) == [
        1,
        2,
        4,
        8,
        12,
        24,
    ]


def test_ranks_that_hold_the_same_are_counted() -> None:
    of_eight = full(1, 8, 64)
    assert [copies(of_eight, ranks) for ranks in (1, 4, 8, 16, 32)] == [1, 1, 1, 2, 4]
    latent = LatentLayers("latent", 1, 512, 64)
    assert [copies(latent, ranks) for ranks in (1, 4, 8)] == [1, 4, 8]
    (state,) = FALCON_MAMBA.layer_groups
    assert [copies(state, ranks) for ranks in (1, 16)] == [1, 1]


LOCAL = StorageProfile("p", "nvme_local", 1, 1, 1, 1, 1, 1, 1, 1)
H100 = Server(name="h100", gpus=8, hbm_per_gpu_gb=80, hbm_per_gpu_mib=81_559)
LLAMA_70B = of(full(80, 8, 128), heads=64, weight_bytes=141_107_412_992)


def bound_of(
    model: Model, server: Server, context: int, settings: EngineSettings | None = None
) -> EngineBound:
    return engine_bound(model, server, context, "bf16", 1, 0, "none", settings or EngineSettings())


def test_the_default_size_is_the_smallest_that_admits_a_session() -> None:
    # On two GPUs 2.8 GiB are left for a session of 5 GiB on each; on four 35.7 for 2.5.
    assert bound_of(LLAMA_70B, H100, 32_768).tensor_parallel == 4
    assert bound_of(LLAMA_70B, H100, 1_024).tensor_parallel == 2
    heavy = replace(LLAMA_70B, weight_bytes=10**13)
    largest = bound_of(heavy, H100, 1)
    assert (largest.tensor_parallel, largest.sessions_per_node) == (8, 0)
    assert largest.nodes == largest.steady_nodes == (None, None, None)
    assert bound_of(heavy, replace(H100, gpus=7), 1).tensor_parallel == 4
    many = replace(LLAMA_70B, num_attention_heads=256, weight_bytes=10**14)
    assert bound_of(many, replace(H100, gpus=256), 1).tensor_parallel == 128
    asked = EngineSettings(tensor_parallel=256)
    assert bound_of(many, replace(H100, gpus=256), 1, asked).tensor_parallel == 256


def test_a_size_at_which_no_layout_is_known_is_passed_over() -> None:
    # Pages of 2 and 3 heads are no multiples of each other; 6 ranks have one head of each.
    uneven = of(sliding(4, 2, 64, 128), full(4, 3, 64), heads=6, weight_bytes=1)
    assert tensor_parallel_sizes(uneven, 8) == (1, 6)
    bound = bound_of(uneven, H100, 1_000)
    assert (bound.tensor_parallel, bound.replicas_per_node) == (6, 1)
    assert {group.page_bytes for group in bound.cache.layout.groups} == {16 * 128 * 2}
    with pytest.raises(UnknownLayoutError, match="pages are no multiples of each other"):
        bound_of(uneven, replace(H100, gpus=4), 1_000)
    # Pages are 2 * 128 and 12 * 64 on one rank, and 128 and 3 * 64 on four; where none admits
    # a session, the largest is meant of those that are known.
    heavy = of(full(4, 2, 128), sliding(4, 12, 64, 128), heads=12, weight_bytes=10**14)
    assert tensor_parallel_sizes(heavy, 8) == (1, 2, 4, 6)
    assert bound_of(heavy, replace(H100, gpus=4), 1_000).tensor_parallel == 2
    assert bound_of(heavy, H100, 1_000).tensor_parallel == 6


def test_ranks_that_hold_the_same_of_some_layers_are_warned_of() -> None:
    model = of(sliding(4, 4, 64, 128), full(4, 8, 64), heads=64, weight_bytes=1)
    for ranks, same in ((1, 1), (4, 1), (8, 2)):
        asked = EngineSettings(tensor_parallel=ranks)
        assert bound_of(model, H100, 1_000, asked).kv_copies == same
        load: dict[str, Any] = {"concurrency": 1, "effective_context": 1_000}
        result = size(model, H100, LOCAL, **load, settings=asked)
        said = [each.message for each in result.alerts if each.code == "KV_REPLICATED"]
        words = "At a tensor-parallel size of 8, 2 GPUs hold the same KV cache of m"
        assert [message.split(":")[0] for message in said] == [words] * (same > 1)


def test_a_session_is_never_longer_than_the_model_can_hold() -> None:
    load: dict[str, Any] = {"concurrency": 1, "kv_precision": "bf16"}
    beyond = size(LLAMA_70B, H100, LOCAL, effective_context=2**21, **load)
    assert beyond.engine == size(LLAMA_70B, H100, LOCAL, effective_context=2**20, **load).engine
    assert beyond.engine is not None
    assert beyond.engine.cache.blocks_per_request == 2**20 // 16


def test_a_node_has_as_many_replicas_as_its_gpus_make_whole() -> None:
    for gpus, replicas in ((4, 1), (7, 1), (8, 2), (11, 2)):
        bound = bound_of(
            LLAMA_70B, replace(H100, gpus=gpus), 8_192, EngineSettings(tensor_parallel=4)
        )
        assert bound.replicas_per_node == replicas
        assert bound.sessions_per_node == replicas * bound.sessions_per_replica > 0


def test_what_a_gpu_has_is_measured_or_six_thousandths_less() -> None:
    measured = replace(H100, usable_hbm_per_gpu_bytes=85_017_493_504)
    assert usable_gpu_bytes(measured) == 85_017_493_504
    assert usable_gpu_bytes(H100) == 81_559 * 2**20 * 994 // 1_000
    marketed = Server(name="s", gpus=3, hbm_per_gpu_gb=80, total_hbm_gb=241.01)
    assert usable_gpu_bytes(marketed) == 241_010_000_000 * 994 // 3_000


@pytest.mark.parametrize(
    ("precision", "whole", "size_of_weights"),
    [
        (None, None, 2_000),
        ("bf16", None, 2_000),
        ("fp16", 300, 2_000),
        ("fp8", None, 1_000),
        ("int8", 100, 1_100),
        ("fp8", 5_000, 2_000),
        ("mxfp4", None, 532),
        ("mxfp4", 200, 825),
        ("nvfp4", None, 563),
    ],
)
def test_weights_are_estimated_where_their_size_is_not_known(
    precision: Any, whole: int | None, size_of_weights: int
) -> None:
    known: dict[str, Any] = {"weight_precision": precision, "unquantized_params": whole}
    model = of(full(1, 1, 1), total_params=1_000, **known)
    assert weight_bytes(model) == (size_of_weights, True)
    assert weight_bytes(replace(model, weight_bytes=7)) == (7, False)


# What cards said


LLAMA_8B = of(full(32, 8, 128), heads=32)
GPT_OSS_20B = of(sliding(12, 8, 64, 128), full(12, 8, 64), heads=64)


@pytest.mark.parametrize(
    ("model", "precision", "context", "blocks", "tokens", "times"),
    [
        (LLAMA_8B, "bf16", 32_768, 28_619, 457_904, "13.97"),
        (GPT_OSS_20B, "bf16", 131_072, 153_305, 2_178_210, "16.62"),
        (GPT_OSS_20B, "fp8", 131_072, 306_439, 4_353_991, "33.22"),
        (NEMOTRON_NANO, "bf16", 32_768, 898, 1_471_283, "44.90"),
    ],
)
def test_an_h100_said_so_from_the_same_blocks(
    model: Model, precision: str, context: int, blocks: int, tokens: int, times: str
) -> None:
    one_batch = EngineSettings(max_num_batched_tokens=16_384, batches_in_flight=1)
    cache = paged_cache(layout(model, precision), context, one_batch.tokens_in_flight)
    assert cache.tokens(blocks, context) == tokens
    assert f"{max_concurrency(cache, blocks):.2f}" == times


def test_an_h100_said_how_it_grouped_states_and_attention() -> None:
    cut = layout(NEMOTRON_NANO, "bf16")
    assert {group.block_size for group in cut.groups} == {2_096}
    assert [group.layers for group in cut.groups] == [6, 6, 6, 5, 6]
    assert paged_cache(cut, 32_768, 16_384).group_blocks == (1, 1, 1, 1, 16)


DEEPSEEK_V2_LITE = of(LatentLayers("latent", 27, 512, 64), heads=16)
GEMMA_12B = of(sliding(40, 8, 256, 1_024), full(8, 8, 256), heads=16)
FREE_GIB = 78.664


@pytest.mark.parametrize(
    ("model", "weights_gib", "session_gib", "bound", "held", "promised"),
    [
        (LLAMA_8B, 14.957, "4.0000", 13, 15, 15),
        (GPT_OSS_20B, 38.988, "0.7529", 26, 51, 52),
        (DEEPSEEK_V2_LITE, 29.288, "0.9492", 41, 51, 52),
        (GEMMA_12B, 21.948, "2.3122", 6, 18, 24),
    ],
    ids=["Llama-3.1-8B", "gpt-oss-20b", "DeepSeek-V2-Lite", "Gemma-3-12b"],
)
def test_a_card_held_no_less_than_the_bound_and_no_more_than_the_plan(
    model: Model, weights_gib: float, session_gib: str, bound: int, held: int, promised: int
) -> None:
    assert f"{transformers_bytes(model, 32_768) / GIB:.4f}" == session_gib
    free, weights = floor(FREE_GIB * GIB), round(weights_gib * GIB)
    assert (free - weights) // kv_bytes_per_session(model, 32_768, "bf16") == promised
    card = Server(name="card", gpus=1, hbm_per_gpu_gb=80, usable_hbm_per_gpu_bytes=free)
    engine = bound_of(replace(model, weight_bytes=weights), card, 32_768)
    assert engine.memory.pool == free * 92 // 100 - weights - 4 * GIB
    assert engine.sessions_per_node == bound
    assert bound <= engine.steady_sessions_per_node <= promised
    assert bound <= held <= promised


# transformers' convention


def test_transformers_keeps_a_token_less_than_a_window() -> None:
    per_token = 2 * 8 * 64 * 2
    for kind in ("sliding", "chunked"):
        model = of(AttentionLayers(kind, 1, 8, 64, 64, 128))
        held = [transformers_bytes(model, tokens) for tokens in (126, 127, 128, 10**6)]
        assert held == [126 * per_token, 127 * per_token, 127 * per_token, 127 * per_token]
    keeps = of(AttentionLayers("sliding", 1, 8, 64, 64, 128, transformers_window=128))
    assert transformers_bytes(keeps, 1_000) == 128 * per_token
    one = of(AttentionLayers("sliding", 1, 8, 64, 64, 1))
    assert transformers_bytes(one, 1_000) == 0


def test_transformers_keeps_states_in_32_bits_and_indexers_in_16() -> None:
    # Tensors of a cache: [1, 8192, 4] in bfloat16 and [1, 8192, 16] in float32, 64 times.
    assert transformers_bytes(FALCON_MAMBA, 101) == 37_748_736
    in_32_bits = with_recurrent_dtype(FALCON_MAMBA, "float32")
    assert transformers_bytes(in_32_bits, 1) == 37_748_736
    sparse = of(LatentLayers("latent", 3, 512, 64, 2, 128))
    assert transformers_bytes(sparse, 10) == (3 * 576 + 2 * 128) * 2 * 10


# What helps where nothing fits


def remedies(model: Model, server: Server, context: int) -> str:
    result = size(
        model,
        server,
        LOCAL,
        concurrency=1,
        effective_context=context,
        kv_precision="bf16",
        kv_budget_ratio=1,
        runtime_overhead_gib=0,
    )
    (said,) = (
        alert.recommendation for alert in result.alerts if alert.code == "HBM_BUDGET_INSUFFICIENT"
    )
    return said


def test_no_context_helps_where_only_states_are_kept() -> None:
    states = 64 * 311_296
    assert context_to_fit(FALCON_MAMBA, states - 1, 2) == 0
    small = Server(name="s", gpus=1, hbm_per_gpu_gb=0.01)
    said = remedies(FALCON_MAMBA, small, 10)
    assert "effective_context" not in said
    # Half the precision does not halve a state.
    assert "fp8" not in said
    assert "a node with at least 0.02 GiB of HBM" in said


def test_states_come_off_before_tokens_are_counted() -> None:
    states, per_token = 23 * 2_134_016, 6 * 2 * 256 * 2
    assert context_to_fit(NEMOTRON_NANO, states + 5 * per_token, 2) == 5
    assert context_to_fit(NEMOTRON_NANO, states + 5 * per_token - 1, 2) == 4
    assert context_to_fit(NEMOTRON_NANO, states + per_token - 1, 2) == 0
    assert context_to_fit(NEMOTRON_NANO, states - 1, 2) == 0
    small = Server(name="s", gpus=1, hbm_per_gpu_gb=0.05)
    tokens = (50_000_000 - states) // per_token
    assert f"effective_context of at most {tokens:,};" in remedies(NEMOTRON_NANO, small, 10**6)


def test_beyond_a_window_only_the_layers_without_one_grow() -> None:
    model = of(chunked(3, 1, 8, 100), full(1, 1, 8), LatentLayers("latent", 1, 14, 2, 1, 128))
    per_token, windowed = 32 + 32 + 132, 3 * 32
    for tokens in (99, 100, 101, 5_000):
        budget = per_token * tokens + windowed * min(tokens, 100)
        assert context_to_fit(model, budget, 2) == tokens
        assert context_to_fit(model, budget - 1, 2) == tokens - 1


def test_the_recurrent_part_is_kept_in_the_dtype_that_is_asked_for() -> None:
    halved = with_recurrent_dtype(NEMOTRON_NANO, "float16")
    assert kv_bytes_per_session(halved, 1, "fp8") == 23 * (36_864 + 1_048_576) + 6 * 2 * 256
    assert halved.layer_groups[1] == NEMOTRON_NANO.layer_groups[1]


def test_pages_of_one_size_but_other_heads_are_buckets_of_their_own() -> None:
    # 10 and 4 full layers and 14 sliding ones, all of 1,024 elements a token: groups of 4.
    wide, narrow = full(10, 4, 128), full(4, 8, 64)
    model = of(wide, narrow, sliding(14, 8, 64, 128), heads=32)
    cut = layout(model, "bf16")
    assert [group.layers for group in cut.groups] == [4, 3, 3, 4, 4, 4, 3, 3]
    steady = paged_cache(cut, 1_000, 0)
    assert steady.blocks_per_request == 4 * 63 + 4 * 9
    assert steady.kv_bytes_per_request == 37_748_736
