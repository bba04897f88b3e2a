"""What vLLM's own planner returns, against our figures, to the block and the byte."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from tests.core.published import published, row_id, rows, with_state_dtype
from xlsizing.core import Model
from xlsizing.core.engine import gib_bytes, max_concurrency
from xlsizing.core.layers import AttentionLayers, LatentLayers, LayerGroup, StateLayers
from xlsizing.core.paged_cache import PagedCache, StateCaching, layout, paged_cache
from xlsizing.core.units import BYTES_PER_GIB

ROWS = rows("vllm_planner_rows.json")
CASES = rows("vllm_planner_cases.json", "cases")

POOL = 40 * BYTES_PER_GIB
IN_FLIGHT = 2 * 8192

KINDS = {
    "FullAttentionSpec": "full",
    "SlidingWindowSpec": "sliding",
    "ChunkedLocalAttentionSpec": "chunked",
    "MLAAttentionSpec": "latent",
    "UniformTypeKVCacheSpecs": "latent",
    "MambaSpec": "state",
}
"""Our kind of a layer group, by the planner's."""


def in_our_words(row: Mapping[str, Any]) -> dict[str, object]:
    """A row of the planner's; a state's block size, which is the context there, left out."""
    return {
        "groups": [
            (
                KINDS[group["kind"]],
                group["layers"],
                None if group["kind"] == "MambaSpec" else group["block_size"],
                group["page_bytes"],
                group["blocks_per_request"],
            )
            for group in row["groups"]
        ],
        "bytes_per_block": row["bytes_per_block"],
        "blocks_per_request": row["blocks_per_request"],
        "kv_bytes_per_request": row["bytes_per_request"],
        "num_blocks": row["num_blocks"],
        "max_concurrency": row["max_concurrency_log"],
        "tokens": row["kv_cache_size_tokens_log"],
        "admitted": row["admissible_requests_after_null_block"],
    }


def planned(cache: PagedCache, pool_bytes: int, context: int) -> dict[str, object]:
    """The same of a cache of ours."""
    num_blocks = cache.num_blocks(pool_bytes)
    return {
        "groups": [
            (
                group.kind,
                group.layers,
                None if group.kind == "state" else group.block_size,
                group.page_bytes,
                blocks,
            )
            for group, blocks in zip(cache.layout.groups, cache.group_blocks, strict=True)
        ],
        "bytes_per_block": cache.bytes_per_block,
        "blocks_per_request": cache.blocks_per_request,
        "kv_bytes_per_request": cache.kv_bytes_per_request,
        "num_blocks": num_blocks,
        "max_concurrency": max_concurrency(cache, num_blocks),
        "tokens": cache.tokens(num_blocks, context),
        "admitted": cache.admitted(num_blocks),
    }


def test_there_are_rows_of_every_kind_of_layer() -> None:
    assert len(ROWS) == 483
    assert len({row["model"] for row in ROWS}) == 41
    assert len(CASES) == 28
    assert {group["kind"] for row in ROWS for group in row["groups"]} == set(KINDS)


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_a_published_config_is_planned_as_the_engine_plans_it(row: dict[str, Any]) -> None:
    model = with_state_dtype(published(row["model"]), row["ssm_state_dtype"])
    context = row["max_model_len"]
    cache = paged_cache(layout(model, "bf16", row["tp"]), context, IN_FLIGHT)
    assert planned(cache, POOL, context) == in_our_words(row)


def of(heads: int, *groups: LayerGroup) -> Model:
    """A model of layer groups, with a number of attention heads."""
    return Model(
        name="m",
        num_layers=sum(group.layers for group in groups),
        max_position_embeddings=2**20,
        attention_pattern="grouped",
        layer_groups=groups,
        num_attention_heads=heads,
    )


def full(layers: int, heads: int, dim: int) -> AttentionLayers:
    return AttentionLayers("full", layers, heads, dim, dim)


def sliding(layers: int, heads: int, dim: int, window: int) -> AttentionLayers:
    return AttentionLayers("sliding", layers, heads, dim, dim, window)


LAYERS: Mapping[str, Model] = {
    "Llama-3.1-8B": of(32, full(32, 8, 128)),
    "Llama-3.1-70B": of(64, full(80, 8, 128)),
    "gpt-oss-120b": of(64, sliding(18, 8, 64, 128), full(18, 8, 64)),
    "gpt-oss-20b": of(64, sliding(12, 8, 64, 128), full(12, 8, 64)),
    "gemma-3-27b": of(32, sliding(52, 16, 128, 1024), full(10, 16, 128)),
    "gemma-2-27b": of(32, sliding(23, 16, 128, 4096), full(23, 16, 128)),
    "Mistral-7B-v0.1": of(32, sliding(32, 8, 128, 4096)),
    "DeepSeek-V3 ": of(128, LatentLayers("latent", 61, 512, 64)),
    "DeepSeek-V3.2": of(128, LatentLayers("latent", 61, 512, 64, 61, 128)),
    "Llama-4-Scout": of(40, AttentionLayers("chunked", 36, 8, 128, 128, 8192), full(12, 8, 128)),
    "Qwen3-Next-80B": of(
        16,
        StateLayers("state", 36, "gated_delta_net", 4, 32, 128, 128, groups=16),
        full(12, 2, 256),
    ),
    "granite-4.0-h-small": of(
        32, StateLayers("state", 36, "mamba2", 4, 128, 64, 128, groups=1), full(4, 8, 128)
    ),
    "Jamba-v0.1": of(32, StateLayers("state", 28, "mamba", 4, 8192, 1, 16), full(4, 8, 128)),
}
"""The layer lists of the cases, by how their names begin."""


def case_cache(case: Mapping[str, Any]) -> PagedCache:
    """Our cache for a case: the layers by its name, the settings by its configuration."""
    name, config = case["case"], case["vllm_config"]
    (model,) = (model for start, model in LAYERS.items() if name.startswith(start))
    cut = layout(
        with_state_dtype(model, "float32" if "fp32" in name else None),
        "fp8" if "fp8" in name else "bf16",
        config.get("tp", 1),
        hybrid_manager=not config.get("disable_hma", False),
    )
    in_flight = config.get("mnbt", 8192) * config.get("batches", 2)
    caching = cast(StateCaching, config.get("mamba_mode", "none"))
    return paged_cache(cut, case["max_model_len"], in_flight, caching)


@pytest.mark.parametrize("case", CASES, ids=row_id)
def test_a_layer_list_is_planned_as_the_engine_plans_it(case: dict[str, Any]) -> None:
    found = planned(case_cache(case), gib_bytes(case["avail_gib"]), case["max_model_len"])
    assert found == in_our_words(case)
