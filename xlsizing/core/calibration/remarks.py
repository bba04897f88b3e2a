"""What a start-up log leaves open and what was taken instead, in sentences."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from xlsizing.core.calibration.blocks import Fit, Span, Start, block_tokens, logged_memory
from xlsizing.core.calibration.overheads import share_bytes
from xlsizing.core.calibration.refusals import in_gib
from xlsizing.core.calibration.starts import Asked, has_states
from xlsizing.core.engine import DEFAULT_GPU_MEMORY_UTILIZATION, EngineBound, EngineSettings
from xlsizing.core.entries import Model
from xlsizing.core.exact import grouped, plain
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.core.vllm_log import VllmLog, memory_range

OTHER_WEIGHTS = Fraction(1, 20)
"""Weights that differ by more than this from the catalog's are worth a remark."""


def remarks_on_start(log: VllmLog, asked: Asked, start: Start) -> Iterator[str]:
    """What was taken for settings that neither log nor caller state."""
    settings = start.settings
    if log.tensor_parallel is None and asked.tensor_parallel is None:
        yield "The log does not state tensor_parallel_size; 1 is taken."
    if log.gpu_memory_utilization is None and asked.gpu_memory_utilization is None:
        yield (
            f"The log does not state gpu_memory_utilization; {plain(DEFAULT_GPU_MEMORY_UTILIZATION)} "
            "is taken. Another value changes the overheads, not the blocks."
        )
    elif (log.gpu_memory_utilization or 0) not in (
        0,
        Decimal(str(settings.gpu_memory_utilization)),
    ):
        yield (
            f"The log's gpu_memory_utilization {log.gpu_memory_utilization} is rounded to 4 "
            "decimals; the overheads make up for it."
        )
    if log.kv_dtype is None and asked.kv_precision is None:
        why = (
            "16 bits do not explain the log"
            if start.kv_precision == "fp8"
            else ("the dtype that engines run models in")
        )
        yield f"The log does not state the dtype of the KV cache; {start.kv_precision} is taken, {why}."
    if log.speculative:
        yield "The server drafts tokens (speculative decoding); layers of a draft are not counted."


def remarks_on_layers(
    model: Model, as_run: Model, log: VllmLog, asked: Asked, fits: Sequence[Fit]
) -> Iterator[str]:
    """What was taken for settings that count by the kinds of a model's layers."""
    settings = fits[0].start.settings
    unstated = log.max_num_batched_tokens is None and asked.max_num_batched_tokens is None
    if unstated and any(group.window for group in fits[0].cache.layout.groups):
        first, *also = (_in_flight(fit.start.settings) for fit in fits)
        yield (
            f"The log does not state max_num_batched_tokens; {first} explains it"
            + (f", as do {'; '.join(also)}." if also else ".")
        )
    if log.hybrid_manager and log.gpu_blocks is None and not settings.hybrid_manager:
        yield (
            "Only without the hybrid KV cache manager does the log fit, as in releases that had "
            "none: windowed layers keep the whole context."
        )
    if model != as_run:
        yield f"The log keeps states in {log.state_dtype}, the catalog does not; the log's is counted."
    if has_states(model) and log.state_caching is None and log.prefix_caching is not False:
        yield f"The log does not state the Mamba cache mode; {settings.state_caching} explains it."


def _in_flight(settings: EngineSettings) -> str:
    return f"{grouped(settings.max_num_batched_tokens)} with {settings.batches_in_flight} in flight"


def remarks_on_blocks(log: VllmLog, fit: Fit) -> Iterator[str]:
    """How the number of blocks was found, where that is not just from the tokens."""
    groups = len(fit.cache.layout.groups)
    if fit.counting == "groups" and groups > 1:
        yield (
            "The log's release counts as tokens the blocks of one group of layers "
            f"(blocks // {groups} * {block_tokens(fit.cache)}), not what requests can have; the "
            "number of blocks comes from the concurrency and the memory as well."
        )
    if log.num_gpu_blocks not in (None, fit.num_blocks):
        yield (
            f"The log's server has {grouped(log.num_gpu_blocks or 0)} blocks of another size; "
            f"counted in blocks of {block_tokens(fit.cache)} tokens they are "
            f"{grouped(fit.num_blocks)}."
        )
    if fit.blocks.least < fit.blocks.most:
        yield (
            f"The log allows {grouped(fit.blocks.least)} to {grouped(fit.blocks.most)} blocks; "
            "the least is taken."
        )
    if log.blocks_override is not None:
        yield (
            "The number of blocks was asked for when the server was started "
            "(num_gpu_blocks_override), so the log says nothing of the overheads."
        )
    elif log.kv_memory_given:
        yield (
            "The memory for KV caches was asked for when the server was started "
            "(kv_cache_memory_bytes), so the log says nothing of the overheads."
        )
    elif logged_memory(log) is None:
        yield (
            "The log has no line 'Available KV cache memory', so nothing says whether model and "
            "precision are the server's."
        )


def remarks_on_memory(
    log: VllmLog, bound: EngineBound, overhead: Span | None, settings: EngineSettings
) -> Iterator[str]:
    """What the overheads cover, and where catalog and log differ."""
    memory = bound.memory
    if settings.kv_pool_gib is not None and overhead is not None:
        yield (
            f"Beside the catalog's weights of {in_gib(memory.weights)} GiB per GPU the overheads "
            f"would be {in_gib(overhead.most)} GiB: the server's weights are smaller or its "
            "gpu_memory_utilization is larger; kv_pool_gib is given instead."
        )
    elif settings.kv_pool_gib is None and not settings.runtime_gib:
        yield "The log does not say what the overheads are made of; activation_gib holds them all."
    logged = log.weights_gib
    if logged is not None and memory.weights:
        more = Fraction(logged) * BYTES_PER_GIB - memory.weights
        if abs(more) > OTHER_WEIGHTS * memory.weights:
            estimated = "estimates" if bound.weights_estimated else "has"
            yield (
                f"Loading the model took {logged} GiB per GPU, the catalog {estimated} "
                f"{in_gib(memory.weights)}; the overheads make up for the difference."
            )
    if log.device_total_gib is not None:
        least, most = memory_range(log.device_total_gib)
        if not least <= memory.total <= most:
            yield (
                f"The log's GPU has {log.device_total_gib} GiB, the catalog's {in_gib(memory.total)}; "
                "the overheads make up for the difference."
            )
    if log.graphs_gib is not None and not log.graphs_profiled:
        beyond = memory.total - share_bytes(memory.total, settings)
        yield (
            f"Capturing graphs took {log.graphs_gib} GiB after the pool was set, and no line takes "
            "them off it: they are no part of the overheads, but of the "
            f"{in_gib(beyond)} GiB that gpu_memory_utilization leaves."
        )
