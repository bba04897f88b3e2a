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
from xlsizing.core.message import Figure, Message, joined
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
            Message(
                "The log's server cuts the layers into {pipeline_parallel} pipeline stages; the "
                "method counts servers with pipeline_parallel_size 1.",
                pipeline_parallel=str(log.pipeline_parallel),
            )
        )
    if log.context_parallel:
        raise LogError(
            Message(
                "The log's server shares the tokens of a request among ranks (context parallelism); "
                "the method counts servers that do not."
            )
        )
    if log.kv_dtype is not None and log.kv_dtype not in get_args(KvPrecision):
        raise LogError(
            Message(
                "The log's KV cache is in {kv_dtype}; the method counts {precisions}.",
                kv_dtype=log.kv_dtype,
                precisions=", ".join(get_args(KvPrecision)),
            )
        )
    if log.state_caching == "all":
        one, other = get_args(StateCaching)
        raise LogError(
            Message(
                "The log's server keeps a state for every attention block (Mamba cache mode all); "
                "the method counts {one} and {other}.",
                one=one,
                other=other,
            )
        )


def require_same_gpu(server: Server, log: VllmLog) -> None:
    """Raise LogMismatchError where the log's GPU is not one of the server's."""
    if log.device_total_gib is None:
        return
    total = usable_gpu_bytes(server)
    logged = Fraction(log.device_total_gib) * BYTES_PER_GIB
    if abs(logged - total) > OTHER_GPU * total:
        raise LogMismatchError(
            Message(
                "The log's GPU has {device_total_gib} GiB, one of {name} {total} GiB; give the "
                "server that the log is of.",
                device_total_gib=Figure(log.device_total_gib),
                name=server.name,
                total=in_gib(total),
            )
        )


def ambiguous(fits: Sequence[Fit]) -> LogMismatchError:
    """Why a log is refused that fits ways of starting with different numbers of blocks."""
    return LogMismatchError(
        Message(
            "The log fits more than one way of starting the server, with different numbers of "
            "blocks ({start}); say how it was started, with max_num_batched_tokens and "
            "batches_in_flight, or give the whole log.",
            start=_listed([fit.start for fit in fits]),
        )
    )


def mismatch(model: Model, log: VllmLog, starts: Sequence[Start]) -> LogMismatchError:
    """Why the log does not fit, by the likeliest way of starting that comes nearest to it."""
    cache = cache_of(model, log, starts[0])
    block = block_tokens(cache)
    if log.attention_block not in (None, block):
        fault = Message(
            "its attention block has {logged} tokens, by the method {counted}",
            logged=grouped(log.attention_block or 0),
            counted=grouped(block or 0),
        )
        return _does_not_fit(model, log, fault, starts)
    no_memory = replace(log, kv_memory_gib=None, kv_memory_bytes=None)
    nearest = explained(model, no_memory, starts[0])
    if nearest is None:
        fault = Message(
            "no number of blocks gives its tokens and concurrency ({capacity} for {length} tokens "
            "per request)",
            capacity=joined(", ", stated_capacity(log)),
            length=grouped(log.max_model_len),
        )
        return _does_not_fit(model, log, fault, starts)
    memory = nearest.num_blocks * nearest.cache.bytes_per_block
    fault = Message(
        "by the method its tokens and concurrency take {counted} GiB of KV cache ({start}), but it "
        "has {logged} GiB",
        counted=in_gib(memory),
        start=_words(nearest.start),
        logged=_memory_words(log),
    )
    return _does_not_fit(model, log, fault, starts)


def _does_not_fit(
    model: Model, log: VllmLog, fault: str, starts: Sequence[Start]
) -> LogMismatchError:
    drafts = Message(" The server drafts tokens, and layers of a draft are not counted.")
    return LogMismatchError(
        Message(
            "The log does not fit {name}: {fault}. Tried: {starts}; all with tensor_parallel "
            "{tensor_parallel}.{drafts} Give the model and settings of the log's server, and its "
            "whole start-up log.",
            name=model.name,
            fault=fault,
            starts=_listed(starts),
            tensor_parallel=str(starts[0].settings.tensor_parallel),
            drafts=drafts if log.speculative else "",
        )
    )


def _words(start: Start) -> Message:
    """The settings by which ways of starting differ."""
    settings = start.settings
    words: list[str] = [
        start.kv_precision,
        f"max_num_batched_tokens {settings.max_num_batched_tokens}",
        Message("{batches} in flight", batches=str(settings.batches_in_flight)),
    ]
    if settings.state_caching != "none":
        words.append(Message("states {caching}", caching=settings.state_caching))
    if not settings.hybrid_manager:
        words.append(Message("no hybrid manager"))
    return joined(", ", words)


def _listed(starts: Sequence[Start]) -> Message:
    more = len(starts) - SHOWN_STARTS
    listed = joined("; ", map(_words, starts[:SHOWN_STARTS]))
    return (
        Message("{listed}; and {more} more", listed=listed, more=str(more)) if more > 0 else listed
    )


def stated_capacity(log: VllmLog) -> Iterator[Message]:
    """What the log says the KV cache holds."""
    if log.tokens is not None:
        yield Message("{count} tokens", count=grouped(log.tokens))
    if log.concurrency is not None:
        yield joined("", [Figure(log.concurrency), "x"])
    blocks = log.blocks_override or log.gpu_blocks
    if blocks is not None:
        yield Message("{count} blocks", count=grouped(blocks))


def _memory_words(log: VllmLog) -> Figure:
    if log.kv_memory_gib is not None:
        return plain(log.kv_memory_gib)
    return in_gib(log.kv_memory_bytes or 0)


def in_gib(size: int) -> Figure:
    """Bytes as the GiB of a sentence."""
    return grouped(size, BYTES_PER_GIB, 2)
