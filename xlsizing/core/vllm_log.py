"""What the start-up log of a vLLM server says about its memory.

The lines are found wherever they stand: behind timestamps, process names and colours,
in any order, repeated by several workers, and broken between two words. A figure that
several workers state is that of the smallest pool, since the engine takes the smallest
number of blocks of its ranks.

Sources: the messages of vLLM's releases 0.5 to 0.30 (worker.py, gpu_worker.py,
kv_cache_utils.py, model_runner.py, interface.py, cache.py), and the start-up logs in
the tests.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from xlsizing.core.errors import SizingError
from xlsizing.core.exact import grouped
from xlsizing.core.units import BYTES_PER_GIB

MOST_CHARACTERS = 8 * 2**20
"""A start-up log is some hundred lines; a text longer than this is not one."""

MOST_BYTES = 2 * MOST_CHARACTERS
"""Bytes of a file that may hold so many characters, in UTF-16."""

MEMORY_PLACES = 2
"""Decimals that the engine rounds GiB to; it leaves out zeros at the end."""

_WORKERS_MAY_DIFFER = Fraction(9, 10)
"""Tokens that workers of one start state differ by less than a tenth."""

Value = TypeVar("Value", int, str, Decimal)


class LogError(SizingError):
    """A text that is no start-up log, or one from which no one server can be told."""

    code = "LOG_NOT_READ"


@dataclass(frozen=True)
class VllmLog:
    """The figures of one server's start-up log; None where the log does not state one."""

    max_model_len: int
    """Tokens that a request may have [tokens]."""
    tokens: int | None = None
    """Tokens that the log says the KV cache holds [tokens]."""
    concurrency: Decimal | None = None
    """Requests of max_model_len that the KV cache holds, rounded as the log shows them."""
    gpu_blocks: int | None = None
    """Blocks, which releases before 0.8 state in place of tokens."""
    num_gpu_blocks: int | None = None
    """Blocks of the engine's own size, which some releases state at the end of the start."""
    blocks_override: int | None = None
    """Blocks that were asked for when the server was started, whatever its memory."""
    kv_memory_gib: Decimal | None = None
    """Memory for KV caches per GPU, rounded to 2 decimals; the smallest of all workers [GiB]."""
    kv_memory_bytes: int | None = None
    """The same to the byte, where the log states it [bytes]."""
    kv_memory_given: bool = False
    """True where that memory was asked for when the server was started, not measured."""
    weights_gib: Decimal | None = None
    """Memory that loading the model took per GPU; the largest of all workers [GiB]."""
    activation_gib: Decimal | None = None
    """Peak of the activations per GPU [GiB]."""
    graphs_gib: Decimal | None = None
    """Memory that capturing graphs took per GPU, after the pool was set [GiB]."""
    graphs_estimate_gib: Decimal | None = None
    """Memory that was taken off the pool for graphs before they were captured [GiB]."""
    graphs_profiled: bool = False
    """True where the engine takes the graphs' memory off the pool."""
    device_total_gib: Decimal | None = None
    """Memory of one GPU that a program can allocate, rounded to 2 decimals [GiB]."""
    gpu_memory_utilization: Decimal | None = None
    """Share of a GPU's memory that the engine may take [0 to 1]."""
    max_num_batched_tokens: int | None = None
    """Tokens that the engine prefills in one step [tokens]."""
    tensor_parallel: int | None = None
    """GPUs that share one copy of the model."""
    pipeline_parallel: int | None = None
    """Stages that the layers are cut into."""
    context_parallel: bool = False
    """True where ranks share the tokens of a request."""
    kv_dtype: str | None = None
    """Dtype of the KV cache, where it is not left to the engine."""
    dtype: str | None = None
    """Dtype that the model runs in."""
    state_dtype: str | None = None
    """Dtype of the recurrent states of state-space layers."""
    attention_block: int | None = None
    """Tokens of an attention block that was raised to the size of a state [tokens]."""
    state_padding_percent: Decimal | None = None
    """By how much the page of a state was padded [percent]."""
    padding_layers: int | None = None
    """Layers that fill up the groups of a kind; None where the log has several such kinds."""
    prefix_caching: bool | None = None
    """Whether prefixes are cached."""
    state_caching: str | None = None
    """How prefix caching keeps states: none, align or all."""
    hybrid_manager: bool = True
    """False where the log says that the hybrid KV cache manager is disabled."""
    speculative: bool = False
    """True where a draft model or draft layers run beside the model."""
    version: str | None = None
    """The engine's version."""

    @property
    def release(self) -> tuple[int, int] | None:
        """Major and minor number of the version; None where it is a build without them."""
        match = _RELEASE.match(self.version or "")
        if match is None or (match[1] == "0" and match[2] in ("0", "1") and "dev" in match[3]):
            return None
        return int(match[1]), int(match[2])


def memory_range(gib: Decimal) -> tuple[int, int]:
    """Least and most bytes that a rounded figure in GiB stands for."""
    least, most = rounded_range(gib, MEMORY_PLACES)
    return -(-least * BYTES_PER_GIB // 1), most * BYTES_PER_GIB // 1


def rounded_range(value: Decimal, least_places: int = 0) -> tuple[Fraction, Fraction]:
    """Least and most that a rounded decimal stands for, by the decimals that it shows."""
    half = Fraction(1, 2 * 10 ** max(least_places, shown_places(value)))
    return Fraction(value) - half, Fraction(value) + half


def shown_places(value: Decimal) -> int:
    """Decimals that a number shows: 2 for 44.90."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


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
    lines = _Lines(text)
    memory = _kv_memory(lines)
    _only("the model", lines.words(_MODEL))
    tokens = _smallest_tokens(lines.counts(_TOKENS) | lines.counts(_TOKENS_ON_XPU))
    requests = lines.found(_CONCURRENCY)
    blocks = lines.counts(_BLOCKS)
    if tokens is None and not requests and not blocks:
        raise LogError(_NOTHING_KNOWN)
    return VllmLog(
        max_model_len=_max_model_len(lines, {_whole(length) for length, _ in requests}),
        tokens=tokens,
        concurrency=min((Decimal(times) for _, times in requests), default=None),
        gpu_blocks=min(blocks, default=None),
        num_gpu_blocks=min(lines.counts(_ENGINE_BLOCKS), default=None),
        blocks_override=_only("num_gpu_blocks_override", lines.counts(_OVERRIDE)),
        kv_memory_gib=memory,
        kv_memory_bytes=_kv_memory_bytes(lines, memory),
        kv_memory_given=lines.has(_RESERVED) or bool(lines.set_to("kv_cache_memory_bytes")),
        weights_gib=_largest(lines, _LOADING, _LOADING_BEFORE_0_7, _WEIGHTS),
        activation_gib=_largest(lines, _USAGE, _ACTIVATION),
        graphs_gib=_largest(lines, _GRAPHS, _GRAPHS_TAKEN),
        graphs_estimate_gib=_largest(lines, _GRAPHS_ESTIMATE, _GRAPHS_FORESEEN),
        graphs_profiled=_graphs_profiled(lines),
        device_total_gib=min(_first_stated(lines, _DEVICE, _DEVICE_BEFORE_0_8), default=None),
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
        attention_block=_only("the attention block size", lines.counts(_ATTENTION_BLOCK)),
        state_padding_percent=_only("the mamba padding", lines.decimals(_STATE_PADDING)),
        padding_layers=_padding_layers(lines),
        prefix_caching=_prefix_caching(lines),
        state_caching=_state_caching(lines),
        hybrid_manager=not _is_hybrid_manager_off(lines),
        speculative=bool(lines.set_to("speculative_config")),
        version=_version(lines),
    )


_NOTHING_KNOWN = (
    "The text has no line that says how large a KV cache is, such as 'GPU KV cache size: 457,904 "
    "tokens' or 'Maximum concurrency for 32,768 tokens per request: 13.97x'; give the whole "
    "start-up log of a vLLM server that came up."
)


def _too_long() -> LogError:
    most = MOST_CHARACTERS // 2**20
    return LogError(
        f"The text is longer than {most} MiB, so it is no start-up log; give the lines from the "
        "start of a vLLM server to 'Application startup complete'."
    )


def _pattern(words: str) -> re.Pattern[str]:
    """A pattern for words of the log, which may be broken over lines between any two.

    Every repetition is bounded and no two can take the same character, so that searching
    takes time in proportion to the text, whatever it is.
    """
    for name, part in _PARTS.items():
        words = words.replace(name, part)
    return re.compile(words.replace("~", r"\s{0,80}").replace(" ", r"\s{1,80}"))


_ACTUAL = (
    r"Actual usage is [0-9.]{1,12}~GiB for (?:weight|consumed memory \(weights \+ non-torch\))"
)

_PARTS: Mapping[str, str] = {
    "<count>": "([0-9][0-9,]{0,20})",
    "<digits>": "([0-9]{1,20})",
    "<number>": r"([0-9]{1,12}(?:\.[0-9]{1,12})?)",
    "<gib>": r"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)~GiB",
    "<gb>": r"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)~Gi?B",
    "<word>": "([A-Za-z0-9_]{1,40})",
    "<is>": r"['\"]?~[=:]~['\"]?",
}

_TOKENS = _pattern("GPU KV cache size:~<count> tokens")
_TOKENS_ON_XPU = _pattern("XPU KV cache size:~<count> tokens")
_CONCURRENCY = _pattern("Maximum concurrency for <count> tokens per request:~<number>x")
_BLOCKS = _pattern("# (?:GPU|gpu|CUDA|cuda|ROCM|rocm|XPU|xpu) blocks:~<count>")
_ENGINE_BLOCKS = _pattern("after num_gpu_blocks is:~<count>")
_OVERRIDE = _pattern("with num_gpu_blocks_override=<digits>")
_AVAILABLE = _pattern("Available KV cache memory:~<gib>")
_REST = _pattern("the rest of the memory reserved for KV Cache is <gib>")
_IN_USE = _pattern("Current kv cache memory in use is <gib>")
_IN_USE_BYTES = _pattern("Current kv cache memory in use is <count> bytes")
_RESERVED = _pattern("reserved <gib> memory for KV Cache as specified")
_LOADING = _pattern("Model loading took <gb>")
_LOADING_BEFORE_0_7 = _pattern("Loading model weights took <gb>")
_WEIGHTS = _pattern("model weights take <gib>")
_ACTIVATION = _pattern("PyTorch activation peak memory takes <gib>")
_USAGE = _pattern(f"{_ACTUAL}, <gib> for peak activation")
_GRAPHS = _pattern("Graph capturing finished in [0-9.]{1,12} secs?, took <gib>")
_GRAPHS_TAKEN = _pattern(r"CUDA graph pool memory:~<gib> \(actual\)")
_GRAPHS_ESTIMATE = _pattern("Estimated CUDA graph memory:~<gib>")
_GRAPHS_FORESEEN = _pattern(
    r"CUDA graph pool memory:~[0-9.-]{1,12}~GiB \(actual\), <gib> \(estimated\)"
)
_GRAPHS_PROFILED = _pattern("CUDA graph memory profiling is (enabled|disabled)")
_DEVICE = _pattern(r"Free memory on device (?:cuda:[0-9]{1,3} )?\([0-9.]{1,12}/<gib>\)")
_DESIRED = _pattern(r"Desired GPU memory utilization is \(<number>,")
_CURRENT = _pattern("The current --gpu-memory-utilization=<number> is equivalent")
_DEVICE_BEFORE_0_8 = _pattern(r"total_gpu_memory \(<gib>\)")
_SHARE_BEFORE_0_8 = _pattern(r"x gpu_memory_utilization \(<number>\)")
_CHUNKED = _pattern("Chunked prefill is enabled with max_num_batched_tokens=<digits>")
_DEFAULT_TOKENS = _pattern("Setting max_num_batched_tokens to <digits> for")
_STORED_AS = _pattern("Using <word> data type to store kv cache")
_LATENT_FORMAT = _pattern("Using DeepSeek's <word> KV cache format")
_STATE_DTYPE = _pattern("Updating mamba_ssm_cache_dtype to '<word>'")
_STATE_CACHING = _pattern("Mamba cache mode is set to '<word>'")
_ATTENTION_BLOCK = _pattern("Setting attention block size to <count> tokens")
_STATE_PADDING = _pattern("Padding mamba page size by <number>%")
_PADDING_LAYERS = _pattern("Add <digits> padding layers")
_HYBRID_DISABLED = _pattern("Hybrid KV cache manager is disabled")
_CONTEXT_PARALLEL = _pattern("Multiplying the GPU KV cache size by the cp_world_size")
_AUTO_FIT = _pattern("Auto-fit max_model_len: reduced")
_USING_MAX_LEN = _pattern("Using max model len <count>")
_VERSION = _pattern(r"LLM engine \(v([0-9][^\s)]{0,80})\)")
_SERVER_VERSION = _pattern(r"vLLM API server version v?([0-9][^\s]{0,80})")
_MODEL = _pattern("with config: model='([^'\n]{1,300})'")
_RELEASE = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})(.{0,80})")

_KEYS: Mapping[str, re.Pattern[str]] = {
    key: _pattern(f"{key}<is>{value}")
    for key, value in {
        "max_seq_len": "<digits>",
        "tensor_parallel_size": "<digits>",
        "pipeline_parallel_size": "<digits>",
        "decode_context_parallel_size": "<digits>",
        "prefill_context_parallel_size": "<digits>",
        "max_num_batched_tokens": "<digits>",
        "gpu_memory_utilization": "<number>",
        "kv_cache_memory_bytes": "<digits>",
        "kv_cache_dtype": r"(?:torch\.)?<word>",
        "dtype": r"(?:torch\.)?<word>",
        "mamba_ssm_cache_dtype": "<word>",
        "mamba_cache_mode": "<word>",
        "enable_prefix_caching": "(True|False)",
        "disable_hybrid_kv_cache_manager": "(True|False)",
        "speculative_config": r"(\w{1,40}|\{)",
    }.items()
}
"""Settings that the engine prints as `key=value` or `'key': value`."""

_COLOURS = re.compile(r"\x1b\[[0-?]{0,60}[ -/]{0,10}[@-~]")

Found = Collection[tuple[str, ...]]


class _Lines:
    """A log without colours, and what patterns find in it, each match once."""

    def __init__(self, text: str) -> None:
        if "\x1b" in text:
            text = _COLOURS.sub("", text)
        self._text = text.replace("\\\n", " \n")

    def found(self, pattern: re.Pattern[str]) -> Found:
        """The groups of every match."""
        return {match.groups("") for match in pattern.finditer(self._text)}

    def has(self, pattern: re.Pattern[str]) -> bool:
        """True where the pattern matches anywhere."""
        return pattern.search(self._text) is not None

    def counts(self, pattern: re.Pattern[str]) -> set[int]:
        """Whole numbers that a pattern's only group finds."""
        return {_whole(count) for (count,) in self.found(pattern)}

    def decimals(self, pattern: re.Pattern[str]) -> set[Decimal]:
        """Decimals that a pattern's only group finds."""
        return {Decimal(number) for (number,) in self.found(pattern)}

    def words(self, pattern: re.Pattern[str]) -> set[str]:
        """Words that a pattern's only group finds."""
        return {word for (word,) in self.found(pattern)}

    def set_to(self, key: str) -> set[str]:
        """Values that the log says a setting has, or None and auto left out."""
        values: set[str] = set()
        for match in _KEYS[key].finditer(self._text):
            if match[1] not in values:
                before = self._text[match.start() - 1 : match.start()]
                if not (before.isalnum() or before == "_"):
                    values.add(match[1])
        return values - {"None", "auto"}

    def counts_of(self, *keys: str) -> set[int]:
        """The same as whole numbers, of several settings."""
        return {_whole(value) for key in keys for value in self.set_to(key)}


def _whole(text: str) -> int:
    return int(text.replace(",", ""))


def _only(name: str, values: Iterable[Value]) -> Value | None:
    """The one value of a figure that a server has one of; None where there is none."""
    distinct = sorted(set(values))
    if len(distinct) > 1:
        shown = " and ".join(str(value) for value in distinct[:3])
        raise LogError(
            f"The log says {name} is {shown}, so it is of more than one server or start; give "
            "the start-up log of one."
        )
    return distinct[0] if distinct else None


def _smallest_tokens(counts: Collection[int]) -> int | None:
    """The tokens of the worker that has the fewest.

    Releases up to 0.11 print a line for every worker, before the engine takes the smallest.
    """
    if not counts:
        return None
    least, most = min(counts), max(counts)
    if least < most * _WORKERS_MAY_DIFFER:
        raise LogError(
            f"The log has KV caches of {grouped(least)} and {grouped(most)} tokens, so it is of "
            "more than one server or start; give the start-up log of one."
        )
    return least


def _max_model_len(lines: _Lines, of_requests: Collection[int]) -> int:
    logged = _only("max_model_len", of_requests)
    configured = lines.counts_of("max_seq_len") | lines.counts(_USING_MAX_LEN)
    if logged is None or not lines.has(_AUTO_FIT):
        both = configured if logged is None else {*configured, logged}
        logged = _only("max_model_len", both)
    if not logged:
        raise LogError(
            "The log does not say how long a request may be; give it with the line 'Maximum "
            "concurrency for ... tokens per request'."
        )
    return logged


def _kv_memory(lines: _Lines) -> Decimal | None:
    """Memory for KV caches of the GPU that has least [GiB]."""
    memory = min(_first_stated(lines, _RESERVED, _AVAILABLE, _REST, _IN_USE), default=None)
    if memory is not None and memory < 0:
        raise LogError(
            f"The log says that {memory} GiB are left for KV caches, so the server did not start; "
            "give the start-up log of one that did."
        )
    return memory


def _kv_memory_bytes(lines: _Lines, memory: Decimal | None) -> int | None:
    """The same to the byte, where a line states it and it agrees with the rounded one."""
    counts = lines.counts(_IN_USE_BYTES) | lines.counts_of("kv_cache_memory_bytes")
    if not counts:
        return None
    least = min(counts)
    if memory is None:
        return least
    low, high = memory_range(memory)
    return least if low <= least <= high else None


def _first_stated(lines: _Lines, *patterns: re.Pattern[str]) -> set[Decimal]:
    """Decimals that the first of the patterns finds that finds any."""
    return next((found for each in patterns if (found := lines.decimals(each))), set())


def _largest(lines: _Lines, *patterns: re.Pattern[str]) -> Decimal | None:
    """The largest decimal of the workers, from the first pattern that finds any."""
    return max(_first_stated(lines, *patterns), default=None)


def _graphs_profiled(lines: _Lines) -> bool:
    """True where the engine takes memory for graphs off the pool, and it is not disabled."""
    stated = lines.words(_GRAPHS_PROFILED)
    estimated = lines.has(_GRAPHS_ESTIMATE) or lines.has(_GRAPHS_FORESEEN)
    return "disabled" not in stated and (estimated or "enabled" in stated)


def _utilization(lines: _Lines) -> Decimal | None:
    """The share of a GPU's memory as it was asked for; other lines round it."""
    asked = {Decimal(value) for value in lines.set_to("gpu_memory_utilization")}
    asked |= lines.decimals(_DESIRED)
    return _only(
        "gpu_memory_utilization", asked or _first_stated(lines, _CURRENT, _SHARE_BEFORE_0_8)
    )


def _batched_tokens(lines: _Lines) -> int | None:
    """Tokens of a step: what the engine resolved it to, else what was asked for."""
    name = "max_num_batched_tokens"
    resolved = lines.counts(_CHUNKED) or lines.counts(_DEFAULT_TOKENS)
    return _only(name, resolved or lines.counts_of(name))


def _is_context_parallel(lines: _Lines) -> bool:
    sizes = lines.counts_of("decode_context_parallel_size", "prefill_context_parallel_size")
    return max(sizes, default=1) > 1 or lines.has(_CONTEXT_PARALLEL)


def _kv_dtype(lines: _Lines) -> str | None:
    """Dtype of the KV cache, under one name for each size of an element."""
    words = lines.words(_STORED_AS) | lines.words(_LATENT_FORMAT) | lines.set_to("kv_cache_dtype")
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


def _dtype(lines: _Lines) -> str | None:
    """Dtype that the model runs in; None where the log's lines about dtypes differ."""
    words = {_family(word) for word in lines.set_to("dtype")}
    return words.pop() if len(words) == 1 else None


def _state_dtype(lines: _Lines) -> str | None:
    key = "mamba_ssm_cache_dtype"
    return _only(key, (lines.words(_STATE_DTYPE) | lines.set_to(key)) - {"auto"})


def _padding_layers(lines: _Lines) -> int | None:
    counts = lines.counts(_PADDING_LAYERS)
    return counts.pop() if len(counts) == 1 else None


def _prefix_caching(lines: _Lines) -> bool | None:
    values = lines.set_to("enable_prefix_caching")
    return values == {"True"} if len(values) == 1 else None


def _state_caching(lines: _Lines) -> str | None:
    """How states are cached: what the engine resolved it to, else what was asked for."""
    key = "mamba_cache_mode"
    return _only(key, lines.words(_STATE_CACHING) or lines.set_to(key))


def _is_hybrid_manager_off(lines: _Lines) -> bool:
    off = "True" in lines.set_to("disable_hybrid_kv_cache_manager")
    return off or lines.has(_HYBRID_DISABLED)


def _version(lines: _Lines) -> str | None:
    return _only("the version", lines.words(_VERSION) or lines.words(_SERVER_VERSION))
