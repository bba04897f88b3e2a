"""What an engine with a paged KV cache sets aside for a request, on one GPU.

The engine cuts its memory into blocks of one size, shared by groups of layers. A request
takes blocks for each group, by what the group's layers keep; the bound is the worst
case, while its longest prefill runs.

Source: the planning method, part 2, "Blocks and groups", which describes vLLM 0.33; the
tests compare with what its own planner returns.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Literal, NamedTuple

from xlsizing.core.constraints import require
from xlsizing.core.entries import KvPrecision, Model
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.exact import ceil_div
from xlsizing.core.kv_cache import BYTES_PER_ELEMENT, layer_groups
from xlsizing.core.layers import (
    MODEL_DTYPE_BYTES,
    SCALE_BYTES,
    AttentionLayers,
    LatentLayers,
    LayerGroup,
    StateLayers,
    UnknownLayoutError,
    is_split_evenly,
)
from xlsizing.core.message import Message

ATTENTION_BLOCK_TOKENS = 16
"""Tokens of a block of attention layers, where nothing raises it [tokens]."""
LATENT_BLOCK_TOKENS = 64
"""Tokens of a block of latent layers [tokens]."""

StateCaching = Literal["none", "align"]
"""How prefix caching keeps states: not at all, or aligned with attention blocks."""

STATES_PER_REQUEST: Mapping[str, int] = {"none": 1, "align": 2}

_SPARSE_LATENT = (512, 64, 128)
"""The kv_lora_rank, qk_rope_head_dim and elements per scale of the 8-bit sparse format."""

_EVEN_GROUPS = (3, 2)
"""Groups as large as the largest bucket where it is under 3/2 of the smallest."""


class Bucket(NamedTuple):
    """Layers of one kind and geometry, as the engine pages them."""

    kind: str
    layers: int
    block_size: int
    """Tokens that a page holds [tokens]."""
    page_bytes: int
    """Bytes of one layer's page; of all layers' pages together where they differ [bytes]."""
    window: int | None = None
    geometry: tuple[int, ...] = ()
    """Heads on one GPU and their dimensions: pages of one size may still differ in these."""


class PageGroup(NamedTuple):
    """Layers that share one table of blocks."""

    kind: str
    layers: int
    block_size: int
    """Tokens that a block holds for these layers [tokens]."""
    page_bytes: int
    """Bytes of one layer's page; of the whole group's where its layers differ [bytes]."""
    window: int | None


class Layout(NamedTuple):
    """How one GPU's KV cache is cut into blocks, for any request."""

    groups: tuple[PageGroup, ...]
    bytes_per_block: int


class PagedCache(NamedTuple):
    """What one request of a given length takes of a layout."""

    layout: Layout
    group_blocks: tuple[int, ...]
    """Blocks per request, of each group."""
    group_tokens: tuple[int, ...]
    """Tokens that a block stands for, of each group; the whole request for one kept state."""

    @property
    def bytes_per_block(self) -> int:
        """Bytes of one block, over all layers that share it."""
        return self.layout.bytes_per_block

    @property
    def blocks_per_request(self) -> int:
        """Blocks that one request takes: the sum over the groups."""
        return sum(self.group_blocks)

    @property
    def kv_bytes_per_request(self) -> int:
        """Bytes that one request takes: blocks_per_request * bytes_per_block."""
        return self.blocks_per_request * self.bytes_per_block

    def num_blocks(self, pool_bytes: int) -> int:
        """Blocks in a pool: floor(pool / bytes_per_block), never below 0."""
        return max(0, pool_bytes // self.bytes_per_block)

    def admitted(self, num_blocks: int) -> int:
        """Requests that a pool of blocks admits; one block is reserved.

        floor((num_blocks - 1) / blocks_per_request), never below 0
        """
        return max(0, (num_blocks - 1) // self.blocks_per_request)

    def tokens(self, num_blocks: int, context: int) -> int:
        """Tokens that the engine's log says a pool of blocks holds.

        floor(num_blocks / blocks_per_request * context), in the engine's own floating-point
        arithmetic, which may come out one token lower than the exact quotient.
        """
        return int(num_blocks / self.blocks_per_request * context)


@lru_cache
def tensor_parallel_sizes(model: Model, most: int) -> tuple[int, ...]:
    """Sizes from 1 to `most` at which ranks can share the model.

    A size must divide the attention heads, and the KV heads or be a multiple of them.
    Where the entry has no num_attention_heads, only sizes are known that divide the KV
    heads: the attention heads are a multiple of those.
    """
    return tuple(size for size in range(1, most + 1) if is_possible(model, size))


def require_tensor_parallel(model: Model, tensor_parallel: int) -> None:
    """Raise InvalidValueError where ranks cannot share the model so."""
    if not is_possible(model, tensor_parallel):
        sizes = ", ".join(map(str, tensor_parallel_sizes(model, 64)))
        right = (
            Message(
                "a size at which ranks can share {model} ({sizes} up to 64)",
                model=model.name,
                sizes=sizes,
            )
            if model.num_attention_heads
            else Message(
                "a size at which ranks can share {model} ({sizes} up to 64; num_attention_heads "
                "would allow more)",
                model=model.name,
                sizes=sizes,
            )
        )
        raise InvalidValueError("tensor_parallel", tensor_parallel, right)


def is_possible(model: Model, tensor_parallel: int) -> bool:
    """True where `tensor_parallel` ranks can share a model; see `tensor_parallel_sizes`."""
    groups = layer_groups(model)
    if not all(is_split_evenly(group, tensor_parallel) for group in groups):
        return False
    if model.num_attention_heads is not None:
        return model.num_attention_heads % tensor_parallel == 0
    return all(
        group.kv_heads % tensor_parallel == 0
        if isinstance(group, AttentionLayers)
        else tensor_parallel == 1
        for group in groups
        if not isinstance(group, StateLayers)
    )


@lru_cache
def layout(
    model: Model, kv_precision: str, tensor_parallel: int = 1, *, hybrid_manager: bool = True
) -> Layout:
    """How one rank's KV cache is cut into blocks.

    Parameters
    ----------
    model : the model.
    kv_precision : fp16, bf16, fp8 or int8; int8 is counted as fp8 is.
    tensor_parallel : GPUs that share one copy of the model.
    hybrid_manager : whether layers of different kinds keep different amounts; without,
        windowed layers beside full ones keep the whole context.

    Raises
    ------
    InvalidValueError : kv_precision is none of the four, or ranks cannot share the model.
    UnknownLayoutError : layers together that the engine is not known to lay out.
    """
    require("kv_precision", kv_precision, KvPrecision)
    require_tensor_parallel(model, tensor_parallel)
    element = BYTES_PER_ELEMENT[kv_precision]
    groups = layer_groups(model)
    if not hybrid_manager:
        groups = _without_hybrid_manager(model, groups)
    buckets = _merged(_bucket(group, element, tensor_parallel) for group in groups)
    latent = [group for group in groups if isinstance(group, LatentLayers)]
    if latent and len(latent) < len(groups):
        raise UnknownLayoutError(
            Message(
                "{name} has latent layers beside others; how large a block they share depends on the "
                "engine's attention backend.",
                name=model.name,
            )
        )
    if any(group.indexer_layers for group in latent):
        return _one_group([*buckets, *_indexers(latent)])
    if len({(bucket.kind, bucket.window) for bucket in buckets}) == 1:
        return _one_group(buckets)
    return _grouped(_of_one_page_size(model, buckets))


def paged_cache(
    cut: Layout, context: int, tokens_in_flight: int, state_caching: StateCaching = "none"
) -> PagedCache:
    """What one request of `context` tokens takes of a layout, while its prefill runs.

    full, latent : ceil(context / block)
    sliding      : ceil(min(window - 1 + tokens_in_flight, context) / block) + 1
    chunked      : ceil(min(window + tokens_in_flight, context) / block)
    state        : 1, or 2 with "align"

    Parameters
    ----------
    cut : the layout.
    context : tokens of the request [tokens].
    tokens_in_flight : max_num_batched_tokens * batches in flight; 0 for steady decode,
        what a request takes once its prefill is over [tokens].
    state_caching : how prefix caching keeps states.
    """
    blocks, tokens = [], []
    # One loop, since columns of contexts ask this for each of their cells.
    for group in cut.groups:
        blocks.append(_blocks(group, context, tokens_in_flight, state_caching))
        one_state = group.kind == "state" and state_caching == "none"
        tokens.append(context if one_state else group.block_size)
    return PagedCache(cut, tuple(blocks), tuple(tokens))


def _blocks(group: PageGroup, context: int, in_flight: int, state_caching: StateCaching) -> int:
    if group.kind == "state":
        return STATES_PER_REQUEST[state_caching]
    if group.window is None:
        return ceil_div(context, group.block_size)
    if group.kind == "sliding":
        return ceil_div(min(group.window - 1 + in_flight, context), group.block_size) + 1
    return ceil_div(min(group.window + in_flight, context), group.block_size)


def _without_hybrid_manager(model: Model, groups: Sequence[LayerGroup]) -> tuple[LayerGroup, ...]:
    """The groups with windowed layers as full ones, where both stand side by side.

    Layers that are all windowed keep their window: the engine converts hybrids only.
    """
    kinds = {group.kind for group in groups}
    if "state" in kinds and len(kinds) > 1:
        raise UnknownLayoutError(
            Message(
                "{name} has state-space layers beside attention; without the hybrid KV cache manager "
                "the engine does not start it.",
                name=model.name,
            )
        )
    if len(kinds) == 1:
        return tuple(groups)
    return tuple(
        AttentionLayers("full", group.layers, group.kv_heads, group.key_dim, group.value_dim)
        if isinstance(group, AttentionLayers)
        else group
        for group in groups
    )


def _bucket(group: LayerGroup, element: int, tensor_parallel: int) -> Bucket:
    if isinstance(group, StateLayers):
        shape = (group.conv_elements(tensor_parallel), group.conv_kernel)
        state = (group.heads // tensor_parallel, group.head_dim, group.state_size)
        page = group.state_bytes(tensor_parallel)
        return Bucket("state", group.layers, 1, page, geometry=(*shape, *state))
    if isinstance(group, LatentLayers):
        page = LATENT_BLOCK_TOKENS * _latent_token_bytes(group, element)
        shape = (group.kv_lora_rank, group.qk_rope_head_dim)
        return Bucket("latent", group.layers, LATENT_BLOCK_TOKENS, page, geometry=shape)
    heads = max(1, group.kv_heads // tensor_parallel)
    page = ATTENTION_BLOCK_TOKENS * heads * (group.key_dim + group.value_dim) * element
    geometry = (heads, group.key_dim, group.value_dim)
    return Bucket(group.kind, group.layers, ATTENTION_BLOCK_TOKENS, page, group.window, geometry)


def _latent_token_bytes(group: LatentLayers, element: int) -> int:
    """Bytes that one token adds to one latent layer.

    Sparse attention has an 8-bit format of its own: the compressed part in 8 bits with
    a scale for every 128 elements, the position's part in 16 bits.
    """
    if not group.indexer_layers or element > 1:
        return group.elements * element
    rank, rope, per_scale = _SPARSE_LATENT
    if (group.kv_lora_rank, group.qk_rope_head_dim) != (rank, rope):
        raise UnknownLayoutError(
            Message(
                "The 8-bit format of sparse latent attention is known for kv_lora_rank {rank} and "
                "qk_rope_head_dim {rope} only; these layers have {kv_lora_rank} and "
                "{qk_rope_head_dim}.",
                rank=str(rank),
                rope=str(rope),
                kv_lora_rank=str(group.kv_lora_rank),
                qk_rope_head_dim=str(group.qk_rope_head_dim),
            )
        )
    return rank + SCALE_BYTES * ceil_div(rank, per_scale) + rope * MODEL_DTYPE_BYTES


def _indexers(groups: Sequence[LatentLayers]) -> Iterator[Bucket]:
    for group in groups:
        if group.indexer_layers:
            page = LATENT_BLOCK_TOKENS * group.index_bytes
            yield Bucket("latent", group.indexer_layers, LATENT_BLOCK_TOKENS, page)


def _merged(buckets: Iterator[Bucket]) -> list[Bucket]:
    """The buckets with equal ones together, in the order in which they first appear."""
    layers: dict[Bucket, int] = {}
    for bucket in buckets:
        key = bucket._replace(layers=0)
        layers[key] = layers.get(key, 0) + bucket.layers
    return [key._replace(layers=count) for key, count in layers.items()]


def _one_group(buckets: Sequence[Bucket]) -> Layout:
    """All layers in one group; where their pages differ, its page is the sum of all."""
    first = buckets[0]
    total = sum(bucket.layers * bucket.page_bytes for bucket in buckets)
    page = first.page_bytes if len(buckets) == 1 else total
    layers = sum(bucket.layers for bucket in buckets)
    group = PageGroup(first.kind, layers, first.block_size, page, first.window)
    return Layout((group,), total)


def _of_one_page_size(model: Model, buckets: Sequence[Bucket]) -> list[Bucket]:
    """The buckets with blocks raised, and states padded, until all pages have one size."""
    attention = [bucket for bucket in buckets if bucket.kind != "state"]
    states = [bucket for bucket in buckets if bucket.kind == "state"]
    if states:
        pages = {bucket.page_bytes for bucket in attention}
        if len(pages) > 1 or len(states) > 1:
            raise UnknownLayoutError(
                Message(
                    "{name} has state-space layers beside attention layers of different geometry; how "
                    "the engine pages them together is not known.",
                    name=model.name,
                )
            )
        times = max(1, ceil_div(states[0].page_bytes, attention[0].page_bytes))
        page = times * attention[0].page_bytes
        block = times * attention[0].block_size
        return [bucket._replace(block_size=block, page_bytes=page) for bucket in buckets]
    page = max(bucket.page_bytes for bucket in buckets)
    if any(page % bucket.page_bytes for bucket in buckets):
        raise UnknownLayoutError(
            Message(
                "{name} has attention layers whose pages are no multiples of each other; how the "
                "engine pages them together is not known.",
                name=model.name,
            )
        )
    return [
        bucket._replace(block_size=bucket.block_size * (page // bucket.page_bytes), page_bytes=page)
        for bucket in buckets
    ]


def _grouped(buckets: Sequence[Bucket]) -> Layout:
    """Buckets cut into groups of about the size of the smallest; all pages have one size."""
    smallest = min(bucket.layers for bucket in buckets)
    largest = max(bucket.layers for bucket in buckets)
    more, less = _EVEN_GROUPS
    size = largest if largest * less < smallest * more else smallest
    groups = []
    for bucket in buckets:
        count = ceil_div(bucket.layers, size)
        for place in range(count):
            layers = bucket.layers // count + (place < bucket.layers % count)
            groups.append(
                PageGroup(bucket.kind, layers, bucket.block_size, bucket.page_bytes, bucket.window)
            )
    bytes_per_block = max(group.layers * group.page_bytes for group in groups)
    return Layout(tuple(groups), bytes_per_block)


def runs(cut: Layout) -> list[tuple[PageGroup, int]]:
    """Groups of a layout that differ in nothing but their layers, and how many there are."""

    def shape(group: PageGroup) -> tuple[object, ...]:
        return (group.kind, group.block_size, group.page_bytes, group.window)

    return [(first, 1 + len(rest)) for _, (first, *rest) in groupby(cut.groups, shape)]
