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
from xlsizing.core.message import Figure, Message, joined, one_or_many
from xlsizing.core.paged_cache import PagedCache, layout, paged_cache, runs
from xlsizing.core.transformers_cache import transformers_bytes
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.language import ENGLISH, Language
from xlsizing.page import Column, Page, Row, Table
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


def session_json(found: Session, language: Language = ENGLISH) -> str:
    """The session as a JSON document; its texts are English unless another language is asked for."""
    engine: dict[str, Any] = {"unknown": language.say(found.unknown)}
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


def session_page(found: Session) -> Page:
    """The session: the three figures, and how each comes about."""
    return [*_heading(found), "", _figures(found), "", *_layers(found), "", *_blocks(found)]


def _heading(found: Session) -> Iterator[Message]:
    yield Message(
        "One session of {context} tokens on {model}, KV cache in {precision}",
        context=grouped(found.context),
        model=found.model.name,
        precision=found.kv_precision,
    )
    longest = found.model.max_position_embeddings
    if found.context > longest:
        yield Message(
            "  longer than the model's longest context of {longest} tokens",
            longest=grouped(longest),
        )


def _figures(found: Session) -> Table:
    rows = list(_sizes(found))
    labels = Column(24, gap=2, holds=[row.cells[0] for row in rows])
    figures = (Column(16, is_right=True), Column(30, gap=2, is_right=True))
    return Table([labels, *figures, Column()], rows)


def _sizes(found: Session) -> Iterator[Row]:
    yield _size(Message("Planning formula"), found.planning_bytes)
    in_16_bits = Message("in 16 bits")
    yield _size(Message("transformers cache"), found.transformers_bytes, in_16_bits)
    bound = Message("Engine bound")
    if found.cache is None or found.steady is None:
        unknown = Message("not known: {reason}", reason=found.unknown)
        yield Row((bound, unknown), is_long=True)
        return
    size = found.tensor_parallel
    each = "" if size == 1 else Message("on each of {gpus} GPUs", gpus=str(size))
    yield _size(Message("Engine, steady decode"), found.steady.kv_bytes_per_request, each)
    yield _size(bound, found.cache.kv_bytes_per_request, each)


def _size(label: Message, size: int, remark: str = "") -> Row:
    gib = joined(" ", (grouped(size, BYTES_PER_GIB, 4), "GiB"))
    return Row((label, gib, joined(" ", (grouped(size), "bytes")), remark))


def _layers(found: Session) -> Iterator[Message]:
    yield Message("Layers")
    for group in layer_groups(found.model):
        yield joined("", ("  ", str(group.layers), " x ", described(group), _held(group, found)))


def _held(group: LayerGroup, found: Session) -> str:
    """What the tensor-parallel size makes of a group, in words."""
    if isinstance(group, StateLayers):
        return Message(
            ": {held} bytes a session and layer, at any context",
            held=grouped(group.state_bytes(found.tensor_parallel)),
        )
    times = copies(group, found.tensor_parallel)
    return Message("; held {times} times", times=str(times)) if times > 1 else ""


def _blocks(found: Session) -> Iterator[Message]:
    if found.cache is None:
        return
    settings = found.settings
    cache = found.cache
    yield Message(
        "Engine blocks on one GPU, {tokens} tokens x {batches} batches in flight",
        tokens=grouped(settings.max_num_batched_tokens),
        batches=str(settings.batches_in_flight),
    )
    blocks = dict(zip(cache.layout.groups, cache.group_blocks, strict=True))
    for group, count in runs(cache.layout):
        yield Message(
            "  {groups} of up to {layers} {kind} layers: {tokens}{page} bytes a page, "
            "{blocks} a request",
            groups=one_or_many("{groups} group", "{groups} groups", count, groups=grouped(count)),
            layers=str(group.layers),
            kind=group.kind,
            tokens=""
            if group.kind == "state"
            else Message("{tokens} tokens, ", tokens=grouped(group.block_size)),
            page=grouped(group.page_bytes),
            blocks=_blocks_text(blocks[group]),
        )
    yield Message(
        "  {blocks} x {block} bytes = {request} bytes a request",
        blocks=_blocks_text(cache.blocks_per_request),
        block=grouped(cache.bytes_per_block),
        request=grouped(cache.kv_bytes_per_request),
    )
    if found.num_blocks is not None:
        concurrency = max_concurrency(cache, found.num_blocks)
        yield Message(
            "  A pool of {blocks} blocks: {concurrency} requests in the log, {admitted} admitted",
            blocks=grouped(found.num_blocks),
            concurrency=Figure(f"{concurrency:.2f}"),
            admitted=grouped(cache.admitted(found.num_blocks)),
        )


def _blocks_text(count: int) -> Message:
    return one_or_many("{blocks} block", "{blocks} blocks", count, blocks=grouped(count))
