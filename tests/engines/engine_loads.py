"""Loads for the engine's figures: every family at many sizes, and at the edges of its blocks."""

import random
from collections.abc import Iterator
from dataclasses import replace

from tests.engines.entries import EDGES, FAMILIES, SERVERS, UNKNOWN_LAYOUTS, UNKNOWN_WEIGHTS
from tests.engines.loads import Load
from xlsizing.core.engine import DEFAULT_SETTINGS

WINDOWS = {
    "odd": 1_000,
    "two windows": 17,
    "wide window": 129,
    "chunks": 64,
    "all sliding": 33,
    "states beside a window": 100,
}
"""Models and their window or chunk [tokens]."""
BLOCKS = {
    "unit": 16,
    "wide window": 32,
    "latent": 64,
    "indexed": 64,
    "states beside a window": 1_680,
    "delta net beside full": 1_072,
}
"""Models and their block at 8 bits on one rank [tokens]."""


def engine_loads(seed: int) -> Iterator[Load]:
    """Loads of every family, at an edge and beside it."""
    yield from _around_edges()
    yield from _around_windows()
    yield from _around_blocks()
    yield from _at_many_sizes(seed)
    # Of its sizes, only those that are too small for it have a layout.
    yield Load("laid out up to 2 ranks", "tiny", "profile_default", 10, 1_000, "fp8")


def _around_edges() -> Iterator[Load]:
    """Pools that just admit a session or are a byte or a block too small, and longer contexts."""
    for edge in EDGES:
        load = Load(
            edge.model,
            edge.server,
            "profile_default",
            1_000,
            edge.context,
            edge.kv_precision,
            tensor_parallel=edge.tensor_parallel,
        )
        yield replace(load, effective_context=edge.context + 1)
        for less in ("", ", a byte less", ", a block less"):
            each = replace(load, server=edge.server + less)
            yield each
            yield replace(each, tensor_parallel=None)


def _around_windows() -> Iterator[Load]:
    """Contexts as long as a window, or as a window and the tokens in flight, and beside that."""
    for model, window in WINDOWS.items():
        base = Load(model, "measured", "profile_default", 5_000, 1, "fp8")
        for tokens in (window, window + DEFAULT_SETTINGS.tokens_in_flight):
            for beside in (-1, 0, 1):
                yield replace(base, effective_context=tokens + beside)


def _around_blocks() -> Iterator[Load]:
    """Contexts of whole blocks, and one token more."""
    for model, block in BLOCKS.items():
        base = Load(model, "rack", "profile_default", 70_000, 1, "fp8", ha_mode="n+1")
        for blocks in (1, 7):
            for beside in (0, 1):
                yield replace(base, effective_context=blocks * block + beside, tensor_parallel=1)


def _at_many_sizes(seed: int) -> Iterator[Load]:
    """Every model at no size, at all of a server's GPUs, at more than that and between."""
    dice = random.Random(seed)
    for place, model in enumerate((*FAMILIES, *UNKNOWN_WEIGHTS, *UNKNOWN_LAYOUTS)):
        server = SERVERS[place % len(SERVERS)]
        for size in (None, 2, 4, server.gpus, server.gpus + 1):
            yield Load(
                model.name,
                server.name if size in (None, server.gpus) else "rack",
                "slow",
                dice.randint(1, 10_000),
                int(10 ** dice.uniform(2, 5.5)),
                dice.choice(("bf16", "fp8")),
                peak_headroom_ratio=dice.choice((None, 0.3333)),
                ha_mode=dice.choice((None, "n+1")),
                tensor_parallel=size,
            )
