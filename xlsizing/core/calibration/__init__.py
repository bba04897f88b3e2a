"""The engine settings that reproduce what a server's start-up log says.

A log states tokens and concurrency, from which the number of blocks follows, and the
memory for KV caches rounded to two decimals, which says whether model, precision and
settings are the server's. The blocks give the overheads, and these the settings.
"""

from dataclasses import dataclass

from xlsizing.core.calibration.blocks import Counting, Span
from xlsizing.core.calibration.comparison import Comparison, Figure, comparisons
from xlsizing.core.calibration.overheads import (
    NotReproducedError,
    bound_by_default,
    bound_of,
    overhead_span,
    reproducing_settings,
    require_reproduced,
)
from xlsizing.core.calibration.refusals import (
    LogMismatchError,
    require_countable,
    require_same_gpu,
)
from xlsizing.core.calibration.remarks import (
    remarks_on_blocks,
    remarks_on_layers,
    remarks_on_memory,
    remarks_on_start,
)
from xlsizing.core.calibration.starts import Asked, likeliest_fit, with_logged_states
from xlsizing.core.engine import EngineBound, EngineSettings
from xlsizing.core.entries import KvPrecision, Model, Server
from xlsizing.core.exact import Number
from xlsizing.core.vllm_log import VllmLog

__all__ = [
    "Calibration",
    "Comparison",
    "Counting",
    "Figure",
    "LogMismatchError",
    "NotReproducedError",
    "Span",
    "calibrate",
]


@dataclass(frozen=True)
class Calibration:
    """What a start-up log says, and the engine settings with which the method says the same."""

    model: Model
    """The model, with its recurrent states in the log's dtype."""
    server: Server
    log: VllmLog
    kv_precision: KvPrecision
    settings: EngineSettings
    """How the engine is started, with the calibrated overheads or pool."""
    bound: EngineBound
    """What the method gives with these settings."""
    by_default: EngineBound | None
    """What it gives with default overheads; None where the weights are not known."""
    blocks: Span
    """The numbers of blocks that the log allows; the settings reproduce the least."""
    counting: Counting
    """How the log counts tokens."""
    overhead_bytes: Span | None
    """Overheads per GPU that reproduce the log beside the catalog's weights, below 0 where these are too large; None where the log does not say [bytes]."""
    comparisons: tuple[Comparison, ...]
    """The log's figures beside the method's."""
    remarks: tuple[str, ...]
    """What the log leaves open and what was taken instead, in sentences."""

    @property
    def num_blocks(self) -> int:
        """The number of blocks that the settings reproduce."""
        return self.blocks.least


def calibrate(
    model: Model,
    server: Server,
    log: VllmLog,
    *,
    kv_precision: str | None = None,
    tensor_parallel: int | None = None,
    gpu_memory_utilization: Number | None = None,
    max_num_batched_tokens: int | None = None,
    batches_in_flight: int | None = None,
) -> Calibration:
    """The engine settings that reproduce a start-up log, and how log and method compare.

    Parameters
    ----------
    model, server : the catalog entries that the log is of.
    log : the figures of the log; see `read_log`.
    kv_precision, tensor_parallel, gpu_memory_utilization, max_num_batched_tokens,
    batches_in_flight : how the server was started, where the log does not say it; None
        for what explains the log, else the engine's default.

    Raises
    ------
    LogError : the log states what the method does not count, or contradicts an argument.
    LogMismatchError : no way of starting the server explains the log, or several do.
    InvalidValueError : a value that the engine does not take.
    UnknownLayoutError : layers that the engine is not known to lay out.
    NotReproducedError : no settings reproduce the log.
    """
    require_countable(log)
    require_same_gpu(server, log)
    asked = Asked(
        kv_precision,
        tensor_parallel,
        gpu_memory_utilization,
        max_num_batched_tokens,
        batches_in_flight,
    )
    as_run = with_logged_states(model, log)
    fit, others = likeliest_fit(as_run, log, asked)
    overhead = overhead_span(as_run, server, log, fit)
    settings = reproducing_settings(as_run, log, fit, overhead)
    bound = bound_of(as_run, server, log, fit, settings)
    require_reproduced(log, fit, bound)
    by_default = bound_by_default(as_run, server, log, fit)
    return Calibration(
        model=as_run,
        server=server,
        log=log,
        kv_precision=fit.start.kv_precision,
        settings=settings,
        bound=bound,
        by_default=by_default,
        blocks=fit.blocks,
        counting=fit.counting,
        overhead_bytes=overhead,
        comparisons=tuple(comparisons(as_run, log, fit, bound, by_default)),
        remarks=(
            *remarks_on_start(log, asked, fit.start),
            *remarks_on_layers(model, as_run, log, asked, [fit, *others]),
            *remarks_on_blocks(log, fit),
            *remarks_on_memory(log, bound, overhead, settings),
        ),
    )
