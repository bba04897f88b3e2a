"""The engine's figures as people and programs read them."""

from collections.abc import Iterator
from typing import Any

from xlsizing.core import Alert, SizingResult
from xlsizing.core.engine import EngineBound, max_concurrency
from xlsizing.core.exact import grouped
from xlsizing.core.paged_cache import PagedCache
from xlsizing.core.units import BYTES_PER_GIB

_ALERT = ("code", "severity", "message", "recommendation")
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


def engine_document(result: SizingResult) -> dict[str, Any]:
    """The engine's figures of a sizing; only the reason where they are not known."""
    engine = result.engine
    alerts = [alert_document(alert) for alert in result.engine_alerts]
    if engine is None:
        return {"unknown": result.engine_unknown, "alerts": alerts}
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


def alert_document(alert: Alert) -> dict[str, str]:
    """An alert as plain values."""
    return {name: getattr(alert, name) for name in _ALERT}


def engine_lines(result: SizingResult) -> Iterator[str]:
    """The engine's figures of a sizing as lines, beside those of the planning method."""
    engine = result.engine
    if engine is None:
        yield f"Engine bound            not known: {result.engine_unknown}"
        return
    replicas = engine.replicas_per_node
    yield (
        f"Engine bound, tensor parallel {engine.tensor_parallel}: "
        f"{replicas} {'replica' if replicas == 1 else 'replicas'} a node"
    )
    yield _row("", "planning", "steady decode", "engine bound")
    size = engine.tensor_parallel
    kv_bytes = (
        f"{grouped(count, BYTES_PER_GIB, 4)} GiB"
        for count in (
            round(result.kv_per_session_gib * BYTES_PER_GIB),
            engine.steady.kv_bytes_per_request * size,
            engine.cache.kv_bytes_per_request * size,
        )
    )
    yield _row("  KV per session", *kv_bytes)
    sessions = (
        result.sessions_per_node,
        engine.steady_sessions_per_node,
        engine.sessions_per_node,
    )
    yield _row("  Sessions per node", *map(grouped, sessions))
    nodes = (result.nodes_final, engine.steady_nodes[-1], engine.nodes[-1])
    yield _row(
        "  Nodes final", *("none fits" if count is None else grouped(count) for count in nodes)
    )
    yield f"  {'One GPU':<22}{memory_text(engine)}"


def memory_text(engine: EngineBound) -> str:
    """Where one GPU's memory goes, in words."""
    memory = engine.memory
    estimated = " (an estimate)" if engine.weights_estimated else ""
    parts = (
        (f"weights{estimated}", memory.weights),
        ("KV cache", memory.blocks),
        ("activation", memory.activation),
        ("runtime", memory.runtime),
        ("unused", memory.unused),
    )
    named = ", ".join(f"{name} {grouped(size, BYTES_PER_GIB, 1)}" for name, size in parts)
    return f"{grouped(memory.total, BYTES_PER_GIB, 1)} GiB: {named}"


def _row(label: str, *figures: str) -> str:
    return f"{label:<24}{''.join(f'{figure:>18}' for figure in figures)}".rstrip()
