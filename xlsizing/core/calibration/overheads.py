"""From blocks to settings: the overheads, or the pool, with which the method gives the log's blocks.

What a GPU lacks beside its weights and the log's blocks is the overhead, which the method
otherwise plans with a default.

Source: the planning method, part 2, "The pool".
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from xlsizing.core.calibration.blocks import Fit, Span, common, logged_memory, logged_tokens
from xlsizing.core.calibration.refusals import stated_capacity
from xlsizing.core.engine import (
    EngineBound,
    EngineSettings,
    UnknownWeightsError,
    engine_bound,
    gib_bytes,
    usable_gpu_bytes,
    weight_bytes,
)
from xlsizing.core.entries import Model, Server
from xlsizing.core.errors import SizingError
from xlsizing.core.exact import RATIO_PARTS, ceil_div, grouped, in_parts
from xlsizing.core.message import Message, joined
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.core.vllm_log import VllmLog


class NotReproducedError(SizingError):
    """A log that no settings reproduce with the decimals that settings have."""

    code = "LOG_NOT_REPRODUCED"


def overhead_span(model: Model, server: Server, log: VllmLog, fit: Fit) -> Span | None:
    """Overheads that leave these pools beside the catalog's weights [bytes].

    overhead = floor(total * utilisation) - weights / tensor_parallel - pool. None where the
    pool was asked for, and where the weights are not known.
    """
    if log.kv_memory_given or log.blocks_override:
        return None
    settings = fit.start.settings
    try:
        weights = ceil_div(weight_bytes(model)[0], settings.tensor_parallel or 1)
    except UnknownWeightsError:
        return None
    left = share_bytes(usable_gpu_bytes(server), settings) - weights
    pool = _pool(fit)
    return Span(left - pool.most, left - pool.least)


def reproducing_settings(
    model: Model, log: VllmLog, fit: Fit, overhead: Span | None
) -> EngineSettings:
    """The start's settings, with overheads that reproduce the blocks, else with the pool."""
    aimed = _aimed_pool(log, fit)
    if overhead is not None:
        split = _split(log, overhead, overhead.most + _pool(fit).least - aimed)
        if split is not None:
            activation, runtime = split
            return replace(
                fit.start.settings,
                activation_gib=activation / RATIO_PARTS,
                runtime_gib=runtime / RATIO_PARTS,
            )
    pool = _parts_within(_pool(fit), aimed)
    if pool is None:
        raise NotReproducedError(
            Message(
                "A block of {name} takes {bytes_per_block} bytes, less than the 4th decimal of a "
                "GiB, so no settings give the log's number of blocks exactly.",
                name=model.name,
                bytes_per_block=grouped(fit.cache.bytes_per_block),
            )
        )
    return replace(fit.start.settings, kv_pool_gib=pool / RATIO_PARTS)


def bound_of(
    model: Model, server: Server, log: VllmLog, fit: Fit, settings: EngineSettings
) -> EngineBound:
    """What the engine holds of the log's requests, for one of them."""
    precision, length = fit.start.kv_precision, log.max_model_len
    return engine_bound(model, server, length, precision, 1, 0, "none", settings)


def bound_by_default(model: Model, server: Server, log: VllmLog, fit: Fit) -> EngineBound | None:
    """The same with default overheads; None where the weights are not known."""
    try:
        return bound_of(model, server, log, fit, fit.start.settings)
    except UnknownWeightsError:
        return None


def require_reproduced(log: VllmLog, fit: Fit, bound: EngineBound) -> None:
    """Raise NotReproducedError where the method does not say what the log says."""
    same_blocks = bound.num_blocks == fit.num_blocks
    tokens = logged_tokens(log, bound.cache, fit.counting, bound.num_blocks)
    if not same_blocks or log.tokens not in (None, tokens):
        raise NotReproducedError(
            Message(
                "The settings give {num_blocks} blocks and {tokens} tokens, not {logged} "
                "blocks as the log ({log}); this is a fault of xlsizing, and kv_pool_gib may serve "
                "instead.",
                num_blocks=grouped(bound.num_blocks),
                tokens=grouped(tokens),
                logged=grouped(fit.num_blocks),
                log=joined(", ", stated_capacity(log)),
            )
        )


def share_bytes(total: int, settings: EngineSettings) -> int:
    """What the engine may take of a GPU: floor(total * utilisation) [bytes]."""
    return total * in_parts(settings.gpu_memory_utilization, RATIO_PARTS) // RATIO_PARTS


def _pool(fit: Fit) -> Span:
    """Pools that hold just the log's blocks [bytes]."""
    size = fit.cache.bytes_per_block
    return Span(fit.num_blocks * size, (fit.num_blocks + 1) * size - 1)


def _aimed_pool(log: VllmLog, fit: Fit) -> int:
    """Of these, the log's own, else the middle of those that round to the log's [bytes]."""
    pool = _pool(fit)
    memory = logged_memory(log)
    logged = memory and common([pool, memory])
    if memory and pool.least <= sum(memory) // 2 <= pool.most:
        return sum(memory) // 2
    return sum(logged or pool) // 2


def _split(log: VllmLog, overhead: Span, aimed: int) -> tuple[int, int] | None:
    """Activation and runtime in ten-thousandths of a GiB, None where no two make the overhead.

    What the log says of one of them is kept, and the other is the rest. Where it says
    nothing of them, all is activation.
    """
    activation, runtime = _gib_parts(log.activation_gib), _gib_parts(_deducted_graphs(log))
    if activation:
        rest = _rest(overhead, aimed, activation)
        if rest is not None:
            return activation, rest
    for known in (runtime, 0):
        rest = _rest(overhead, aimed, known)
        if rest is not None:
            return rest, known
    return None


def _rest(overhead: Span, aimed: int, known: int) -> int | None:
    """What makes the overhead beside a known part; all in ten-thousandths of a GiB."""
    size = _part_bytes(known)
    return _parts_within(Span(overhead.least - size, overhead.most - size), aimed - size)


def _deducted_graphs(log: VllmLog) -> Decimal | None:
    """Memory for graphs that the engine took off the pool, where the log says so [GiB]."""
    if not log.graphs_profiled:
        return None
    return log.graphs_gib if log.graphs_estimate_gib is None else log.graphs_estimate_gib


def _gib_parts(gib: Decimal | None) -> int:
    return 0 if gib is None else max(0, in_parts(gib, RATIO_PARTS))


def _part_bytes(parts: int) -> int:
    return gib_bytes(Decimal(parts) / RATIO_PARTS)


def _parts_within(span: Span, aimed: int) -> int | None:
    """The ten-thousandths of a GiB within a span of bytes that are nearest to `aimed`."""
    nearest = round(Fraction(aimed * RATIO_PARTS, BYTES_PER_GIB))
    for parts in (nearest, nearest - 1, nearest + 1):
        if parts >= 0 and span.least <= _part_bytes(parts) <= span.most:
            return parts
    return None
