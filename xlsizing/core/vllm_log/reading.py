"""Reading a start-up log: which of its messages each figure comes from.

A figure that several workers state is that of the smallest pool, since the engine takes
the smallest number of blocks of its ranks.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from xlsizing.core.exact import grouped
from xlsizing.core.message import Figure, Message
from xlsizing.core.vllm_log import messages
from xlsizing.core.vllm_log.figures import LogError, VllmLog, memory_range
from xlsizing.core.vllm_log.messages import Lines, whole

MOST_CHARACTERS = 8 * 2**20
"""A start-up log is some hundred lines; a text longer than this is not one."""

MOST_BYTES = 2 * MOST_CHARACTERS
"""Bytes of a file that may hold so many characters, in UTF-16."""

_WORKERS_MAY_DIFFER = Fraction(9, 10)
"""Tokens that workers of one start state differ by less than a tenth."""

Value = TypeVar("Value", int, str, Decimal)


def log_text(data: bytes) -> str:
    """The text of a log file, in the encodings that shells redirect output in.

    Raises
    ------
    LogError : the file is too large to be a start-up log.
    """
    if len(data) > MOST_BYTES:
        raise _too_long()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8", errors="replace")


def read_log(text: str) -> VllmLog:
    """The figures of a start-up log.

    Raises
    ------
    LogError : the text is too long, has no line about the KV cache, or has lines that
        cannot be of one server.
    """
    if len(text) > MOST_CHARACTERS:
        raise _too_long()
    lines = Lines(text)
    memory = _kv_memory(lines)
    _only(Message("the model"), lines.words(messages.MODEL))
    tokens = _smallest_tokens(lines.counts(messages.TOKENS) | lines.counts(messages.TOKENS_ON_XPU))
    requests = lines.found(messages.CONCURRENCY)
    blocks = lines.counts(messages.BLOCKS)
    if tokens is None and not requests and not blocks:
        raise LogError(_NOTHING_KNOWN)
    return VllmLog(
        max_model_len=_max_model_len(lines, {whole(length) for length, _ in requests}),
        tokens=tokens,
        concurrency=min((Decimal(times) for _, times in requests), default=None),
        gpu_blocks=min(blocks, default=None),
        num_gpu_blocks=min(lines.counts(messages.ENGINE_BLOCKS), default=None),
        blocks_override=_only("num_gpu_blocks_override", lines.counts(messages.OVERRIDE)),
        kv_memory_gib=memory,
        kv_memory_bytes=_kv_memory_bytes(lines, memory),
        kv_memory_given=lines.has(messages.RESERVED) or bool(lines.set_to("kv_cache_memory_bytes")),
        weights_gib=_largest(
            lines, messages.LOADING, messages.LOADING_BEFORE_0_7, messages.WEIGHTS
        ),
        activation_gib=_largest(lines, messages.USAGE, messages.ACTIVATION),
        graphs_gib=_largest(lines, messages.GRAPHS, messages.GRAPHS_TAKEN),
        graphs_estimate_gib=_largest(lines, messages.GRAPHS_ESTIMATE, messages.GRAPHS_FORESEEN),
        graphs_profiled=_graphs_profiled(lines),
        device_total_gib=min(
            _first_stated(lines, messages.DEVICE, messages.DEVICE_BEFORE_0_8), default=None
        ),
        gpu_memory_utilization=_utilization(lines),
        max_num_batched_tokens=_batched_tokens(lines),
        tensor_parallel=_only("tensor_parallel_size", lines.counts_of("tensor_parallel_size")),
        pipeline_parallel=_only(
            "pipeline_parallel_size", lines.counts_of("pipeline_parallel_size")
        ),
        context_parallel=_is_context_parallel(lines),
        kv_dtype=_kv_dtype(lines),
        dtype=_dtype(lines),
        state_dtype=_state_dtype(lines),
        attention_block=_only(
            Message("the attention block size"), lines.counts(messages.ATTENTION_BLOCK)
        ),
        state_padding_percent=_only(
            Message("the mamba padding"), lines.decimals(messages.STATE_PADDING)
        ),
        padding_layers=_padding_layers(lines),
        prefix_caching=_prefix_caching(lines),
        state_caching=_state_caching(lines),
        hybrid_manager=not _is_hybrid_manager_off(lines),
        speculative=bool(lines.set_to("speculative_config")),
        version=_version(lines),
    )


_NOTHING_KNOWN = Message(
    "The text has no line that says how large a KV cache is, such as 'GPU KV cache size: 457,904 "
    "tokens' or 'Maximum concurrency for 32,768 tokens per request: 13.97x'; give the whole "
    "start-up log of a vLLM server that came up."
)


def _too_long() -> LogError:
    most = MOST_CHARACTERS // 2**20
    return LogError(
        Message(
            "The text is longer than {most} MiB, so it is no start-up log; give the lines from "
            "the start of a vLLM server to 'Application startup complete'.",
            most=str(most),
        )
    )


def _only(name: str, values: Iterable[Value]) -> Value | None:
    """The one value of a figure that a server has one of; None where there is none."""
    distinct = sorted(set(values))
    if len(distinct) > 1:
        shown = _and([str(value) for value in distinct[:3]])
        raise LogError(
            Message(
                "The log says {name} is {shown}, so it is of more than one server or start; give the "
                "start-up log of one.",
                name=name,
                shown=shown,
            )
        )
    return distinct[0] if distinct else None


def _and(values: Sequence[str]) -> str:
    """Two values or more, as a sentence lists them."""
    first, *others = values
    return Message("{one} and {other}", one=first, other=_and(others)) if others else first


def _smallest_tokens(counts: Collection[int]) -> int | None:
    """The tokens of the worker that has the fewest.

    Releases up to 0.11 print a line for every worker, before the engine takes the smallest.
    """
    if not counts:
        return None
    least, most = min(counts), max(counts)
    if least < most * _WORKERS_MAY_DIFFER:
        raise LogError(
            Message(
                "The log has KV caches of {least} and {most} tokens, so it is of more than one "
                "server or start; give the start-up log of one.",
                least=grouped(least),
                most=grouped(most),
            )
        )
    return least


def _max_model_len(lines: Lines, of_requests: Collection[int]) -> int:
    logged = _only("max_model_len", of_requests)
    configured = lines.counts_of("max_seq_len") | lines.counts(messages.USING_MAX_LEN)
    if logged is None or not lines.has(messages.AUTO_FIT):
        both = configured if logged is None else {*configured, logged}
        logged = _only("max_model_len", both)
    if not logged:
        raise LogError(
            Message(
                "The log does not say how long a request may be; give it with the line 'Maximum "
                "concurrency for ... tokens per request'."
            )
        )
    return logged


def _kv_memory(lines: Lines) -> Decimal | None:
    """Memory for KV caches of the GPU that has least [GiB]."""
    memory = min(
        _first_stated(lines, messages.RESERVED, messages.AVAILABLE, messages.REST, messages.IN_USE),
        default=None,
    )
    if memory is not None and memory < 0:
        raise LogError(
            Message(
                "The log says that {memory} GiB are left for KV caches, so the server did not start; "
                "give the start-up log of one that did.",
                memory=Figure(memory),
            )
        )
    return memory


def _kv_memory_bytes(lines: Lines, memory: Decimal | None) -> int | None:
    """The same to the byte, where a line states it and it agrees with the rounded one."""
    counts = lines.counts(messages.IN_USE_BYTES) | lines.counts_of("kv_cache_memory_bytes")
    if not counts:
        return None
    least = min(counts)
    if memory is None:
        return least
    low, high = memory_range(memory)
    return least if low <= least <= high else None


def _first_stated(lines: Lines, *patterns: re.Pattern[str]) -> set[Decimal]:
    """Decimals that the first of the patterns finds that finds any."""
    return next((found for each in patterns if (found := lines.decimals(each))), set())


def _largest(lines: Lines, *patterns: re.Pattern[str]) -> Decimal | None:
    """The largest decimal of the workers, from the first pattern that finds any."""
    return max(_first_stated(lines, *patterns), default=None)


def _graphs_profiled(lines: Lines) -> bool:
    """True where the engine takes memory for graphs off the pool, and it is not disabled."""
    stated = lines.words(messages.GRAPHS_PROFILED)
    estimated = lines.has(messages.GRAPHS_ESTIMATE) or lines.has(messages.GRAPHS_FORESEEN)
    return "disabled" not in stated and (estimated or "enabled" in stated)


def _utilization(lines: Lines) -> Decimal | None:
    """The share of a GPU's memory as it was asked for; other lines round it."""
    asked = {Decimal(value) for value in lines.set_to("gpu_memory_utilization")}
    asked |= lines.decimals(messages.DESIRED)
    return _only(
        "gpu_memory_utilization",
        asked or _first_stated(lines, messages.CURRENT, messages.SHARE_BEFORE_0_8),
    )


def _batched_tokens(lines: Lines) -> int | None:
    """Tokens of a step: what the engine resolved it to, else what was asked for."""
    name = "max_num_batched_tokens"
    resolved = lines.counts(messages.CHUNKED) or lines.counts(messages.DEFAULT_TOKENS)
    return _only(name, resolved or lines.counts_of(name))


def _is_context_parallel(lines: Lines) -> bool:
    sizes = lines.counts_of("decode_context_parallel_size", "prefill_context_parallel_size")
    return max(sizes, default=1) > 1 or lines.has(messages.CONTEXT_PARALLEL)


def _kv_dtype(lines: Lines) -> str | None:
    """Dtype of the KV cache, under one name for each size of an element."""
    words = (
        lines.words(messages.STORED_AS)
        | lines.words(messages.LATENT_FORMAT)
        | lines.set_to("kv_cache_dtype")
    )
    return _only("kv_cache_dtype", {_family(word.lower()) for word in words})


def _family(dtype: str) -> str:
    for start, family in _DTYPE_FAMILIES.items():
        if dtype.startswith(start):
            return family
    return dtype


_DTYPE_FAMILIES: Mapping[str, str] = {
    "fp8": "fp8",
    "float8": "fp8",
    "int8": "int8",
    "bf16": "bf16",
    "bfloat16": "bf16",
    "fp16": "fp16",
    "float16": "fp16",
    "half": "fp16",
}
"""KV precisions, by the start of the dtypes that the engine knows."""


def _dtype(lines: Lines) -> str | None:
    """Dtype that the model runs in; None where the log's lines about dtypes differ."""
    words = {_family(word) for word in lines.set_to("dtype")}
    return words.pop() if len(words) == 1 else None


def _state_dtype(lines: Lines) -> str | None:
    key = "mamba_ssm_cache_dtype"
    return _only(key, (lines.words(messages.STATE_DTYPE) | lines.set_to(key)) - {"auto"})


def _padding_layers(lines: Lines) -> int | None:
    counts = lines.counts(messages.PADDING_LAYERS)
    return counts.pop() if len(counts) == 1 else None


def _prefix_caching(lines: Lines) -> bool | None:
    values = lines.set_to("enable_prefix_caching")
    return values == {"True"} if len(values) == 1 else None


def _state_caching(lines: Lines) -> str | None:
    """How states are cached: what the engine resolved it to, else what was asked for."""
    key = "mamba_cache_mode"
    return _only(key, lines.words(messages.STATE_CACHING) or lines.set_to(key))


def _is_hybrid_manager_off(lines: Lines) -> bool:
    off = "True" in lines.set_to("disable_hybrid_kv_cache_manager")
    return off or lines.has(messages.HYBRID_DISABLED)


def _version(lines: Lines) -> str | None:
    return _only(
        Message("the version"),
        lines.words(messages.VERSION) or lines.words(messages.SERVER_VERSION),
    )
