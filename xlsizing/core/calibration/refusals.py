"""Logs that are refused, in sentences: of another server, and those that nothing explains."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import get_args

from xlsizing.core.calibration.blocks import Fit, Start, block_tokens, cache_of, explained
from xlsizing.core.engine import usable_gpu_bytes
from xlsizing.core.entries import KvPrecision, Model, Server
from xlsizing.core.errors import SizingError
from xlsizing.core.exact import grouped, plain
from xlsizing.core.paged_cache import StateCaching
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.core.vllm_log import LogError, VllmLog

OTHER_GPU = Fraction(1, 50)
"""A GPU whose memory differs by more than this is not the server's."""

SHOWN_STARTS = 4
"""Ways of starting that a sentence lists."""


class LogMismatchError(SizingError):
    """A log that the method does not explain with the model, server and settings given."""

    code = "LOG_DOES_NOT_FIT"


def require_countable(log: VllmLog) -> None:
    """Raise LogError where the server runs in a way that the method does not count."""
    if (log.pipeline_parallel or 1) > 1:
        raise LogError(
            f"The log's server cuts the layers into {log.pipeline_parallel} pipeline stages; the "
            "method counts servers with pipeline_parallel_size 1."
        )
    if log.context_parallel:
        raise LogError(
            "The log's server shares the tokens of a request among ranks (context parallelism); "
            "the method counts servers that do not."
        )
    if log.kv_dtype is not None and log.kv_dtype not in get_args(KvPrecision):
        raise LogError(
            f"The log's KV cache is in {log.kv_dtype}; the method counts "
            f"{', '.join(get_args(KvPrecision))}."
        )
    if log.state_caching == "all":
        raise LogError(
            "The log's server keeps a state for every attention block (Mamba cache mode all); the "
            f"method counts {' and '.join(get_args(StateCaching))}."
        )


def require_same_gpu(server: Server, log: VllmLog) -> None:
    """Raise LogMismatchError where the log's GPU is not one of the server's."""
    if log.device_total_gib is None:
        return
    total = usable_gpu_bytes(server)
    logged = Fraction(log.device_total_gib) * BYTES_PER_GIB
    if abs(logged - total) > OTHER_GPU * total:
        raise LogMismatchError(
            f"The log's GPU has {log.device_total_gib} GiB, one of {server.name} {in_gib(total)} "
            "GiB; give the server that the log is of."
        )


def ambiguous(fits: Sequence[Fit]) -> LogMismatchError:
    """Why a log is refused that fits ways of starting with different numbers of blocks."""
    return LogMismatchError(
        "The log fits more than one way of starting the server, with different numbers of blocks "
        f"({_listed([fit.start for fit in fits])}); say how it was started, with "
        "max_num_batched_tokens and batches_in_flight, or give the whole log."
    )


def mismatch(model: Model, log: VllmLog, starts: Sequence[Start]) -> LogMismatchError:
    """Why the log does not fit, by the likeliest way of starting that comes nearest to it."""
    cache = cache_of(model, log, starts[0])
    block = block_tokens(cache)
    if log.attention_block not in (None, block):
        fault = (
            f"its attention block has {grouped(log.attention_block or 0)} tokens, by the method "
            f"{grouped(block or 0)}"
        )
        return _does_not_fit(model, log, fault, starts)
    no_memory = replace(log, kv_memory_gib=None, kv_memory_bytes=None)
    nearest = explained(model, no_memory, starts[0])
    if nearest is None:
        fault = (
            "no number of blocks gives its tokens and concurrency "
            f"({', '.join(stated_capacity(log))} for {grouped(log.max_model_len)} tokens per request)"
        )
        return _does_not_fit(model, log, fault, starts)
    memory = nearest.num_blocks * nearest.cache.bytes_per_block
    fault = (
        f"by the method its tokens and concurrency take {in_gib(memory)} GiB of KV cache "
        f"({_words(nearest.start)}), but it has {_memory_words(log)} GiB"
    )
    return _does_not_fit(model, log, fault, starts)


def _does_not_fit(
    model: Model, log: VllmLog, fault: str, starts: Sequence[Start]
) -> LogMismatchError:
    drafts = " The server drafts tokens, and layers of a draft are not counted."
    return LogMismatchError(
        f"The log does not fit {model.name}: {fault}. Tried: {_listed(starts)}; all with "
        f"tensor_parallel {starts[0].settings.tensor_parallel}.{drafts * log.speculative} Give "
        "the model and settings of the log's server, and its whole start-up log."
    )


def _words(start: Start) -> str:
    """The settings by which ways of starting differ."""
    settings = start.settings
    words = [
        f"{start.kv_precision}",
        f"max_num_batched_tokens {settings.max_num_batched_tokens}",
        f"{settings.batches_in_flight} in flight",
    ]
    if settings.state_caching != "none":
        words.append(f"states {settings.state_caching}")
    if not settings.hybrid_manager:
        words.append("no hybrid manager")
    return ", ".join(words)


def _listed(starts: Sequence[Start]) -> str:
    more = len(starts) - SHOWN_STARTS
    listed = "; ".join(_words(start) for start in starts[:SHOWN_STARTS])
    return f"{listed}; and {more} more" if more > 0 else listed


def stated_capacity(log: VllmLog) -> Iterator[str]:
    """What the log says the KV cache holds."""
    if log.tokens is not None:
        yield f"{grouped(log.tokens)} tokens"
    if log.concurrency is not None:
        yield f"{log.concurrency}x"
    blocks = log.blocks_override or log.gpu_blocks
    if blocks is not None:
        yield f"{grouped(blocks)} blocks"


def _memory_words(log: VllmLog) -> str:
    if log.kv_memory_gib is not None:
        return plain(log.kv_memory_gib)
    return in_gib(log.kv_memory_bytes or 0)


def in_gib(size: int) -> str:
    """Bytes as the GiB of a sentence."""
    return grouped(size, BYTES_PER_GIB, 2)
