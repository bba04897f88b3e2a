"""The ways of starting a server that a log leaves open, and the one that explains the log.

What neither log nor caller state is tried, the engine's defaults first.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from typing import NamedTuple, TypeVar, cast

from xlsizing.core.calibration.blocks import Fit, Start, explained
from xlsizing.core.calibration.refusals import ambiguous, mismatch
from xlsizing.core.constraints import require
from xlsizing.core.engine import (
    DEFAULT_BATCHES_IN_FLIGHT,
    DEFAULT_GPU_MEMORY_UTILIZATION,
    DEFAULT_MAX_NUM_BATCHED_TOKENS,
    EngineSettings,
)
from xlsizing.core.entries import KvPrecision, Model
from xlsizing.core.exact import RATIO_PARTS, Number, typed_decimal
from xlsizing.core.kv_cache import layer_groups, with_recurrent_dtype
from xlsizing.core.layers import AttentionLayers, StateLayers, UnknownLayoutError
from xlsizing.core.message import Figure, Message
from xlsizing.core.paged_cache import StateCaching
from xlsizing.core.vllm_log import LogError, VllmLog

BATCHED_TOKENS = (DEFAULT_MAX_NUM_BATCHED_TOKENS, 2048, 16384, 4096, 32768, 65536, 1024, 512)
"""Values of max_num_batched_tokens that are tried where neither log nor caller states one."""

LAST_WITH_ONE_BATCH, FIRST_WITH_TWO_BATCHES = (0, 24), (0, 33)
"""Releases up to which one step is in flight, and from which two are; between, both are tried."""


class Asked(NamedTuple):
    """What the caller says of the start; None where it says nothing."""

    kv_precision: str | None
    tensor_parallel: int | None
    gpu_memory_utilization: Number | None
    max_num_batched_tokens: int | None
    batches_in_flight: int | None


def likeliest_fit(model: Model, log: VllmLog, asked: Asked) -> tuple[Fit, list[Fit]]:
    """The likeliest way of starting that explains the log, and others with the same blocks."""
    likely, *unlikely = _rounds(model, log, asked)
    fits = [fit for start in likely if (fit := explained(model, log, start))]
    for starts in unlikely:
        if not fits:
            with suppress(UnknownLayoutError):
                fits = [fit for start in starts if (fit := explained(model, log, start))]
    if not fits:
        raise mismatch(model, log, [*likely, *(start for each in unlikely for start in each)])
    if any(fit.blocks != fits[0].blocks for fit in fits):
        raise ambiguous(fits)
    return fits[0], fits[1:]


def with_logged_states(model: Model, log: VllmLog) -> Model:
    """The model with its recurrent states in the dtype that the log states."""
    if log.state_dtype is None or not has_states(model):
        return model
    return with_recurrent_dtype(model, log.state_dtype)


def has_states(model: Model) -> bool:
    """True where some layers keep a state."""
    return any(isinstance(group, StateLayers) for group in layer_groups(model))


def _rounds(model: Model, log: VllmLog, asked: Asked) -> Iterator[list[Start]]:
    """Ways in which the server may have been started, in rounds, likely ones first."""
    windowed = any(
        isinstance(group, AttentionLayers) and group.kind != "full" for group in layer_groups(model)
    )
    ways = list(
        product(
            _batched_tokens(log, asked, windowed),
            _batches_in_flight(log, asked, windowed),
            _state_cachings(model, log),
        )
    )
    tensor_parallel = _agreed("tensor_parallel_size", log.tensor_parallel, asked.tensor_parallel)
    for hybrid_manager in _hybrid_managers(model, log):
        for kv_precision in _kv_precisions(log, asked):
            yield [
                Start(
                    kv_precision,
                    EngineSettings(
                        tensor_parallel=1 if tensor_parallel is None else tensor_parallel,
                        max_num_batched_tokens=tokens,
                        batches_in_flight=batches,
                        hybrid_manager=hybrid_manager,
                        state_caching=state_caching,
                        gpu_memory_utilization=_utilization(log, asked),
                    ),
                )
                for tokens, batches, state_caching in ways
            ]


def _kv_precisions(log: VllmLog, asked: Asked) -> Sequence[KvPrecision]:
    """Precisions to try: the engine keeps KV caches in the model's dtype unless told otherwise."""
    stated = _agreed("kv_cache_dtype", log.kv_dtype, asked.kv_precision)
    if stated is not None:
        require("kv_precision", stated, KvPrecision)
        return [cast(KvPrecision, stated)]
    if log.dtype == "float32":
        raise LogError(Message("The log's model runs in float32; the method counts 16-bit dtypes."))
    return ["fp16" if log.dtype == "fp16" else "bf16", "fp8"]


def _batched_tokens(log: VllmLog, asked: Asked, windowed: bool) -> Sequence[int]:
    """Tokens of a step to try; they count only where layers have windows."""
    name = "max_num_batched_tokens"
    stated = _agreed(name, log.max_num_batched_tokens, asked.max_num_batched_tokens)
    if stated is not None:
        return [stated]
    return BATCHED_TOKENS if windowed else [DEFAULT_MAX_NUM_BATCHED_TOKENS]


def _batches_in_flight(log: VllmLog, asked: Asked, windowed: bool) -> Sequence[int]:
    if asked.batches_in_flight is not None:
        return [asked.batches_in_flight]
    if log.release is not None and log.release <= LAST_WITH_ONE_BATCH:
        return [1]
    if not windowed or (log.release is not None and log.release >= FIRST_WITH_TWO_BATCHES):
        return [DEFAULT_BATCHES_IN_FLIGHT]
    return [DEFAULT_BATCHES_IN_FLIGHT, 1]


def _state_cachings(model: Model, log: VllmLog) -> Sequence[StateCaching]:
    if not has_states(model) or log.prefix_caching is False or log.state_caching == "none":
        return ["none"]
    if log.state_caching == "align" or log.prefix_caching:
        return ["align"]
    return ["none", "align"]


def _hybrid_managers(model: Model, log: VllmLog) -> Sequence[bool]:
    """Whether there is a hybrid manager; releases that log blocks have none."""
    if not log.hybrid_manager or log.gpu_blocks is not None:
        return [False]
    kinds = {group.kind for group in layer_groups(model)}
    return [True, False] if len(kinds) > 1 and "state" not in kinds else [True]


def _utilization(log: VllmLog, asked: Asked) -> float:
    """The share of a GPU that the engine may take, with the decimals that settings have."""
    name = "gpu_memory_utilization"
    if asked.gpu_memory_utilization is None:
        stated = log.gpu_memory_utilization
    else:
        stated = _agreed(
            name, log.gpu_memory_utilization, typed_decimal(asked.gpu_memory_utilization)
        )
    if stated is None:
        return DEFAULT_GPU_MEMORY_UTILIZATION
    if log.gpu_memory_utilization is not None:
        stated = stated.quantize(Decimal(1) / RATIO_PARTS, ROUND_HALF_UP)
    return float(stated)


Stated = TypeVar("Stated")


def _agreed(name: str, logged: Stated | None, asked: Stated | None) -> Stated | None:
    """What log or caller state of a setting; LogError where they state different things."""
    if logged is not None and asked is not None and logged != asked:
        raise LogError(
            Message(
                "The log says that {name} is {logged}, and {asked} was asked for; leave it out, or "
                "give the log of a server with it.",
                name=name,
                logged=_shown(logged),
                asked=_shown(asked),
            )
        )
    return asked if logged is None else logged


def _shown(stated: object) -> str:
    return Figure(stated) if isinstance(stated, Decimal) else str(stated)
