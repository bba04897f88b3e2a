"""The engine's figures as people and programs read them."""

from collections.abc import Iterator
from typing import Any

from xlsizing.core import Alert, SizingResult
from xlsizing.core.engine import EngineBound, max_concurrency
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message, joined, one_or_many
from xlsizing.core.paged_cache import PagedCache
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.language import Language
from xlsizing.page import Column, Row, Table
from xlsizing.report.counts import count_text, session_bytes

_ALERT = ("code", "severity", "message", "recommendation")
_LABEL = 24
"""Columns of a figure's label."""
_NODES = ("nodes_minimum", "nodes_with_headroom", "nodes_final")


def cache_document(cache: PagedCache, num_blocks: int | None) -> dict[str, Any]:
    """What a request takes, and what a pool of blocks admits, as plain values.

    Where no pool is known, num_blocks and max_concurrency are None.
    """
    return {
        "kv_bytes_per_request": cache.kv_bytes_per_request,
        "bytes_per_block": cache.bytes_per_block,
        "blocks_per_request": cache.blocks_per_request,
        "num_blocks": num_blocks,
        "max_concurrency": None if num_blocks is None else max_concurrency(cache, num_blocks),
        "groups": [
            {
                "kind": group.kind,
                "layers": group.layers,
                "block_size": tokens,
                "page_bytes": group.page_bytes,
                "blocks_per_request": blocks,
            }
            for group, blocks, tokens in zip(
                cache.layout.groups, cache.group_blocks, cache.group_tokens, strict=True
            )
        ],
    }


def engine_document(result: SizingResult, language: Language) -> dict[str, Any]:
    """The engine's figures of a sizing; only the reason where they are not known."""
    engine = result.engine
    alerts = [alert_document(alert, language) for alert in result.engine_alerts]
    if engine is None:
        return {"unknown": language.say(result.engine_unknown), "alerts": alerts}
    return {
        "tensor_parallel": engine.tensor_parallel,
        **cache_document(engine.cache, engine.num_blocks),
        "kv_copies": engine.kv_copies,
        "memory_per_gpu_bytes": {**engine.memory._asdict(), "unused": engine.memory.unused},
        "weights_estimated": engine.weights_estimated,
        "sessions_per_replica": engine.sessions_per_replica,
        "replicas_per_node": engine.replicas_per_node,
        "sessions_per_node": engine.sessions_per_node,
        **dict(zip(_NODES, engine.nodes, strict=True)),
        "steady_decode": {
            "kv_bytes_per_request": engine.steady.kv_bytes_per_request,
            "blocks_per_request": engine.steady.blocks_per_request,
            "sessions_per_node": engine.steady_sessions_per_node,
            **dict(zip(_NODES, engine.steady_nodes, strict=True)),
        },
        "alerts": alerts,
    }


def alert_document(alert: Alert, language: Language) -> dict[str, str]:
    """An alert as plain values; its code and severity are the same in every language."""
    return {name: language.say(getattr(alert, name)) for name in _ALERT}


def engine_blocks(result: SizingResult) -> Iterator[str | Table]:
    """The engine's figures of a sizing, beside those of the planning method."""
    engine = result.engine
    if engine is None:
        unknown = Message("not known: {reason}", reason=result.engine_unknown)
        yield Table([Column(_LABEL), Column()], [Row((Message("Engine bound"), unknown))])
        return
    yield Table(
        [Column(_LABEL - 2), *[Column(18, is_right=True)] * 3],
        [Row(cells) for cells in engine_rows(result, engine)],
        engine_heading(engine),
        ("", Message("planning"), Message("steady decode"), Message("engine bound")),
        indent=2,
    )
    gpu = Row((Message("One GPU"), memory_text(engine)))
    yield Table([Column(_LABEL - 2), Column()], [gpu], indent=2)


def engine_heading(engine: EngineBound) -> Message:
    """How the engine shares a node out."""
    return one_or_many(
        "Engine bound, tensor parallel {tensor_parallel}: {replicas} replica a node",
        "Engine bound, tensor parallel {tensor_parallel}: {replicas} replicas a node",
        engine.replicas_per_node,
        tensor_parallel=grouped(engine.tensor_parallel),
        replicas=grouped(engine.replicas_per_node),
    )


def engine_rows(result: SizingResult, engine: EngineBound) -> Iterator[tuple[str, ...]]:
    """What is one_or_many, by the planning method, in steady decode, and by the engine's bound."""
    size = engine.tensor_parallel
    sizes = (
        session_bytes(result),
        engine.steady.kv_bytes_per_request * size,
        engine.cache.kv_bytes_per_request * size,
    )
    yield (
        Message("KV per session"),
        *(joined(" ", (grouped(each, BYTES_PER_GIB, 4), "GiB")) for each in sizes),
    )
    sessions = (
        result.sessions_per_node,
        engine.steady_sessions_per_node,
        engine.sessions_per_node,
    )
    yield Message("Sessions per node"), *map(grouped, sessions)
    nodes = (result.nodes_final, engine.steady_nodes[-1], engine.nodes[-1])
    yield Message("Nodes final"), *map(count_text, nodes)


def memory_text(engine: EngineBound) -> Message:
    """Where one GPU's memory goes, in words."""
    memory = engine.memory
    weights = Message("weights (an estimate)") if engine.weights_estimated else Message("weights")
    parts = (
        (weights, memory.weights),
        (Message("KV cache"), memory.blocks),
        (Message("activation"), memory.activation),
        (Message("runtime"), memory.runtime),
        (Message("unused"), memory.unused),
    )
    named = (joined(" ", (name, grouped(size, BYTES_PER_GIB, 1))) for name, size in parts)
    total = joined(" ", (grouped(memory.total, BYTES_PER_GIB, 1), "GiB"))
    return joined(": ", (total, joined(", ", named)))
