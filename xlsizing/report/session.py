"""What one session costs, by each of three figures: text with its steps, and JSON."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from xlsizing.core import BYTES_PER_ELEMENT, Model
from xlsizing.core.engine import EngineSettings, gib_bytes, max_concurrency
from xlsizing.core.exact import grouped
from xlsizing.core.kv_cache import layer_groups, session_cost
from xlsizing.core.layers import (
    LayerGroup,
    StateLayers,
    UnknownLayoutError,
    copies,
    described,
)
from xlsizing.core.paged_cache import PagedCache, layout, paged_cache, runs
from xlsizing.core.transformers_cache import transformers_bytes
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.report.engine import cache_document


class Session(NamedTuple):
    """One session of a model, by the planning formula, in transformers, and in the engine."""

    model: Model
    context: int
    kv_precision: str
    tensor_parallel: int
    settings: EngineSettings
    planning_bytes: int
    transformers_bytes: int
    cache: PagedCache | None
    """A request in the engine, on one GPU; None where its layout is not known."""
    steady: PagedCache | None
    num_blocks: int | None
    """Blocks of the pool; None where none is given."""
    unknown: str
    """Why the engine's figures are not known."""


def session(model: Model, context: int, kv_precision: str, settings: EngineSettings) -> Session:
    """What one session of `context` tokens costs; the model's longest context is no limit here.

    Raises
    ------
    InvalidValueError : ranks cannot share the model at the tensor-parallel size.
    """
    size = settings.tensor_parallel or 1
    cache = steady = num_blocks = None
    unknown = ""
    try:
        cut = layout(model, kv_precision, size, hybrid_manager=settings.hybrid_manager)
    except UnknownLayoutError as error:
        unknown = str(error)
    else:
        cache = paged_cache(cut, context, settings.tokens_in_flight, settings.state_caching)
        steady = paged_cache(cut, context, 0, settings.state_caching)
        if settings.kv_pool_gib is not None:
            num_blocks = cache.num_blocks(gib_bytes(settings.kv_pool_gib))
    return Session(
        model=model,
        context=context,
        kv_precision=kv_precision,
        tensor_parallel=size,
        settings=settings,
        planning_bytes=session_cost(model).kv_bytes(context, BYTES_PER_ELEMENT[kv_precision]),
        transformers_bytes=transformers_bytes(model, context),
        cache=cache,
        steady=steady,
        num_blocks=num_blocks,
        unknown=unknown,
    )


def session_json(found: Session) -> str:
    """The session as a JSON document."""
    engine: dict[str, Any] = {"unknown": found.unknown}
    if found.cache is not None and found.steady is not None:
        engine = {
            **cache_document(found.cache, found.num_blocks),
            "steady_decode": {
                "kv_bytes_per_request": found.steady.kv_bytes_per_request,
                "blocks_per_request": found.steady.blocks_per_request,
            },
        }
    document = {
        "model": found.model.name,
        "context": found.context,
        "kv_precision": found.kv_precision,
        "tensor_parallel": found.tensor_parallel,
        "planning_bytes": found.planning_bytes,
        "transformers_bytes": found.transformers_bytes,
        "engine": engine,
    }
    return json.dumps(document, indent=2)


def session_text(found: Session) -> str:
    """The session as lines: the three figures, and how each comes about."""
    return "\n".join([*_figures(found), "", *_layers(found), "", *_blocks(found)])


def _figures(found: Session) -> Iterator[str]:
    context = grouped(found.context)
    yield f"One session of {context} tokens on {found.model.name}, KV cache in {found.kv_precision}"
    longest = found.model.max_position_embeddings
    if found.context > longest:
        yield f"  longer than the model's longest context of {grouped(longest)} tokens"
    yield ""
    yield _size("Planning formula", found.planning_bytes)
    yield _size("transformers cache", found.transformers_bytes, "in 16 bits")
    if found.cache is None or found.steady is None:
        yield f"{'Engine bound':<26}not known: {found.unknown}"
        return
    size = found.tensor_parallel
    each = "" if size == 1 else f"on each of {size} GPUs"
    yield _size("Engine, steady decode", found.steady.kv_bytes_per_request, each)
    yield _size("Engine bound", found.cache.kv_bytes_per_request, each)


def _layers(found: Session) -> Iterator[str]:
    yield "Layers"
    for group in layer_groups(found.model):
        yield f"  {group.layers} x {described(group)}{_held(group, found.tensor_parallel)}"


def _held(group: LayerGroup, tensor_parallel: int) -> str:
    """What the tensor-parallel size makes of a group, in words."""
    if isinstance(group, StateLayers):
        held = grouped(group.state_bytes(tensor_parallel))
        return f": {held} bytes a session and layer, at any context"
    times = copies(group, tensor_parallel)
    return f"; held {times} times" if times > 1 else ""


def _blocks(found: Session) -> Iterator[str]:
    if found.cache is None:
        return
    settings = found.settings
    cache = found.cache
    yield (
        f"Engine blocks on one GPU, {grouped(settings.max_num_batched_tokens)} tokens x "
        f"{settings.batches_in_flight} batches in flight"
    )
    blocks = dict(zip(cache.layout.groups, cache.group_blocks, strict=True))
    for group, count in runs(cache.layout):
        tokens = "" if group.kind == "state" else f"{grouped(group.block_size)} tokens, "
        yield (
            f"  {_counted(count, 'group')} of up to {group.layers} {group.kind} layers: {tokens}"
            f"{grouped(group.page_bytes)} bytes a page, {_counted(blocks[group], 'block')} a request"
        )
    yield (
        f"  {_counted(cache.blocks_per_request, 'block')} x {grouped(cache.bytes_per_block)} bytes = "
        f"{grouped(cache.kv_bytes_per_request)} bytes a request"
    )
    if found.num_blocks is not None:
        concurrency = max_concurrency(cache, found.num_blocks)
        yield (
            f"  A pool of {grouped(found.num_blocks)} blocks: {concurrency:.2f} requests in the "
            f"log, {grouped(cache.admitted(found.num_blocks))} admitted"
        )


def _counted(count: int, noun: str) -> str:
    return f"{grouped(count)} {noun}{'' if count == 1 else 's'}"


def _size(label: str, size: int, remark: str = "") -> str:
    gib = f"{grouped(size, BYTES_PER_GIB, 4)} GiB"
    return f"{label:<26}{gib:>16}{grouped(size):>24} bytes  {remark}".rstrip()
