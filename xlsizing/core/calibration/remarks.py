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
from xlsizing.core.message import Figure, Message, joined
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.core.vllm_log import VllmLog, memory_range

OTHER_WEIGHTS = Fraction(1, 20)
"""Weights that differ by more than this from the catalog's are worth a remark."""


def remarks_on_start(log: VllmLog, asked: Asked, start: Start) -> Iterator[Message]:
    """What was taken for settings that neither log nor caller state."""
    settings = start.settings
    if log.tensor_parallel is None and asked.tensor_parallel is None:
        yield Message("The log does not state tensor_parallel_size; 1 is taken.")
    if log.gpu_memory_utilization is None and asked.gpu_memory_utilization is None:
        yield Message(
            "The log does not state gpu_memory_utilization; {share} is taken. Another value "
            "changes the overheads, not the blocks.",
            share=plain(DEFAULT_GPU_MEMORY_UTILIZATION),
        )
    elif (log.gpu_memory_utilization or 0) not in (
        0,
        Decimal(str(settings.gpu_memory_utilization)),
    ):
        yield Message(
            "The log's gpu_memory_utilization {share} is rounded to 4 decimals; the overheads "
            "make up for it.",
            share=Figure(log.gpu_memory_utilization),
        )
    if log.kv_dtype is None and asked.kv_precision is None:
        why = (
            Message("16 bits do not explain the log")
            if start.kv_precision == "fp8"
            else Message("the dtype that engines run models in")
        )
        yield Message(
            "The log does not state the dtype of the KV cache; {precision} is taken, {why}.",
            precision=start.kv_precision,
            why=why,
        )
    if log.speculative:
        yield Message(
            "The server drafts tokens (speculative decoding); layers of a draft are not counted."
        )


def remarks_on_layers(
    model: Model, as_run: Model, log: VllmLog, asked: Asked, fits: Sequence[Fit]
) -> Iterator[Message]:
    """What was taken for settings that count by the kinds of a model's layers."""
    settings = fits[0].start.settings
    unstated = log.max_num_batched_tokens is None and asked.max_num_batched_tokens is None
    if unstated and any(group.window for group in fits[0].cache.layout.groups):
        first, *also = (_in_flight(fit.start.settings) for fit in fits)
        if also:
            yield Message(
                "The log does not state max_num_batched_tokens; {first} explains it, as do {also}.",
                first=first,
                also=joined("; ", also),
            )
        else:
            yield Message(
                "The log does not state max_num_batched_tokens; {first} explains it.", first=first
            )
    if log.hybrid_manager and log.gpu_blocks is None and not settings.hybrid_manager:
        yield Message(
            "Only without the hybrid KV cache manager does the log fit, as in releases that had "
            "none: windowed layers keep the whole context."
        )
    if model != as_run:
        yield Message(
            "The log keeps states in {dtype}, the catalog does not; the log's is counted.",
            dtype=str(log.state_dtype),
        )
    if has_states(model) and log.state_caching is None and log.prefix_caching is not False:
        yield Message(
            "The log does not state the Mamba cache mode; {mode} explains it.",
            mode=settings.state_caching,
        )


def _in_flight(settings: EngineSettings) -> Message:
    return Message(
        "{tokens} with {batches} in flight",
        tokens=grouped(settings.max_num_batched_tokens),
        batches=str(settings.batches_in_flight),
    )


def remarks_on_blocks(log: VllmLog, fit: Fit) -> Iterator[Message]:
    """How the number of blocks was found, where that is not just from the tokens."""
    groups = len(fit.cache.layout.groups)
    if fit.counting == "groups" and groups > 1:
        yield Message(
            "The log's release counts as tokens the blocks of one group of layers "
            "({rule}), not what requests can have; the number of blocks comes from the "
            "concurrency and the memory as well.",
            rule=Message(
                "blocks // {groups} * {tokens}",
                groups=str(groups),
                tokens=str(block_tokens(fit.cache)),
            ),
        )
    if log.num_gpu_blocks not in (None, fit.num_blocks):
        yield Message(
            "The log's server has {logged} blocks of another size; counted in blocks of {tokens} "
            "tokens they are {blocks}.",
            logged=grouped(log.num_gpu_blocks or 0),
            tokens=str(block_tokens(fit.cache)),
            blocks=grouped(fit.num_blocks),
        )
    if fit.blocks.least < fit.blocks.most:
        yield Message(
            "The log allows {least} to {most} blocks; the least is taken.",
            least=grouped(fit.blocks.least),
            most=grouped(fit.blocks.most),
        )
    if log.blocks_override is not None:
        yield Message(
            "The number of blocks was asked for when the server was started "
            "(num_gpu_blocks_override), so the log says nothing of the overheads."
        )
    elif log.kv_memory_given:
        yield Message(
            "The memory for KV caches was asked for when the server was started "
            "(kv_cache_memory_bytes), so the log says nothing of the overheads."
        )
    elif logged_memory(log) is None:
        yield Message(
            "The log has no line 'Available KV cache memory', so nothing says whether model and "
            "precision are the server's."
        )


def remarks_on_memory(
    log: VllmLog, bound: EngineBound, overhead: Span | None, settings: EngineSettings
) -> Iterator[Message]:
    """What the overheads cover, and where catalog and log differ."""
    memory = bound.memory
    if settings.kv_pool_gib is not None and overhead is not None:
        yield Message(
            "Beside the catalog's weights of {weights} GiB per GPU the overheads would be "
            "{overheads} GiB: the server's weights are smaller or its gpu_memory_utilization is "
            "larger; kv_pool_gib is given instead.",
            weights=in_gib(memory.weights),
            overheads=in_gib(overhead.most),
        )
    elif settings.kv_pool_gib is None and not settings.runtime_gib:
        yield Message(
            "The log does not say what the overheads are made of; activation_gib holds them all."
        )
    logged = log.weights_gib
    if logged is not None and memory.weights:
        more = Fraction(logged) * BYTES_PER_GIB - memory.weights
        if abs(more) > OTHER_WEIGHTS * memory.weights:
            took, weights = Figure(logged), in_gib(memory.weights)
            if bound.weights_estimated:
                yield Message(
                    "Loading the model took {took} GiB per GPU, the catalog estimates {weights}; "
                    "the overheads make up for the difference.",
                    took=took,
                    weights=weights,
                )
            else:
                yield Message(
                    "Loading the model took {took} GiB per GPU, the catalog has {weights}; the "
                    "overheads make up for the difference.",
                    took=took,
                    weights=weights,
                )
    if log.device_total_gib is not None:
        least, most = memory_range(log.device_total_gib)
        if not least <= memory.total <= most:
            yield Message(
                "The log's GPU has {logged} GiB, the catalog's {known}; the overheads make up for "
                "the difference.",
                logged=Figure(log.device_total_gib),
                known=in_gib(memory.total),
            )
    if log.graphs_gib is not None and not log.graphs_profiled:
        beyond = memory.total - share_bytes(memory.total, settings)
        yield Message(
            "Capturing graphs took {graphs} GiB after the pool was set, and no line takes them off "
            "it: they are no part of the overheads, but of the {beyond} GiB that "
            "gpu_memory_utilization leaves.",
            graphs=Figure(log.graphs_gib),
            beyond=in_gib(beyond),
        )
