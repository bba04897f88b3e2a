"""The messages of a start-up log, as patterns, and what they find in a text.

Sources: the messages of vLLM's releases 0.5 to 0.30 (worker.py, gpu_worker.py,
kv_cache_utils.py, model_runner.py, interface.py, cache.py), and the start-up logs in
the tests.
"""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal

_PARTS: Mapping[str, str] = {
    "<count>": "([0-9][0-9,]{0,20})",
    "<digits>": "([0-9]{1,20})",
    "<number>": r"([0-9]{1,12}(?:\.[0-9]{1,12})?)",
    "<gib>": r"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)~GiB",
    "<gb>": r"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)~Gi?B",
    "<word>": "([A-Za-z0-9_]{1,40})",
    "<is>": r"['\"]?~[=:]~['\"]?",
}


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

TOKENS = _pattern("GPU KV cache size:~<count> tokens")
TOKENS_ON_XPU = _pattern("XPU KV cache size:~<count> tokens")
CONCURRENCY = _pattern("Maximum concurrency for <count> tokens per request:~<number>x")
BLOCKS = _pattern("# (?:GPU|gpu|CUDA|cuda|ROCM|rocm|XPU|xpu) blocks:~<count>")
ENGINE_BLOCKS = _pattern("after num_gpu_blocks is:~<count>")
OVERRIDE = _pattern("with num_gpu_blocks_override=<digits>")
AVAILABLE = _pattern("Available KV cache memory:~<gib>")
REST = _pattern("the rest of the memory reserved for KV Cache is <gib>")
IN_USE = _pattern("Current kv cache memory in use is <gib>")
IN_USE_BYTES = _pattern("Current kv cache memory in use is <count> bytes")
RESERVED = _pattern("reserved <gib> memory for KV Cache as specified")
LOADING = _pattern("Model loading took <gb>")
LOADING_BEFORE_0_7 = _pattern("Loading model weights took <gb>")
WEIGHTS = _pattern("model weights take <gib>")
ACTIVATION = _pattern("PyTorch activation peak memory takes <gib>")
USAGE = _pattern(f"{_ACTUAL}, <gib> for peak activation")
GRAPHS = _pattern("Graph capturing finished in [0-9.]{1,12} secs?, took <gib>")
GRAPHS_TAKEN = _pattern(r"CUDA graph pool memory:~<gib> \(actual\)")
GRAPHS_ESTIMATE = _pattern("Estimated CUDA graph memory:~<gib>")
GRAPHS_FORESEEN = _pattern(
    r"CUDA graph pool memory:~[0-9.-]{1,12}~GiB \(actual\), <gib> \(estimated\)"
)
GRAPHS_PROFILED = _pattern("CUDA graph memory profiling is (enabled|disabled)")
DEVICE = _pattern(r"Free memory on device (?:cuda:[0-9]{1,3} )?\([0-9.]{1,12}/<gib>\)")
DESIRED = _pattern(r"Desired GPU memory utilization is \(<number>,")
CURRENT = _pattern("The current --gpu-memory-utilization=<number> is equivalent")
DEVICE_BEFORE_0_8 = _pattern(r"total_gpu_memory \(<gib>\)")
SHARE_BEFORE_0_8 = _pattern(r"x gpu_memory_utilization \(<number>\)")
CHUNKED = _pattern("Chunked prefill is enabled with max_num_batched_tokens=<digits>")
DEFAULT_TOKENS = _pattern("Setting max_num_batched_tokens to <digits> for")
STORED_AS = _pattern("Using <word> data type to store kv cache")
LATENT_FORMAT = _pattern("Using DeepSeek's <word> KV cache format")
STATE_DTYPE = _pattern("Updating mamba_ssm_cache_dtype to '<word>'")
STATE_CACHING = _pattern("Mamba cache mode is set to '<word>'")
ATTENTION_BLOCK = _pattern("Setting attention block size to <count> tokens")
STATE_PADDING = _pattern("Padding mamba page size by <number>%")
PADDING_LAYERS = _pattern("Add <digits> padding layers")
HYBRID_DISABLED = _pattern("Hybrid KV cache manager is disabled")
CONTEXT_PARALLEL = _pattern("Multiplying the GPU KV cache size by the cp_world_size")
AUTO_FIT = _pattern("Auto-fit max_model_len: reduced")
USING_MAX_LEN = _pattern("Using max model len <count>")
VERSION = _pattern(r"LLM engine \(v([0-9][^\s)]{0,80})\)")
SERVER_VERSION = _pattern(r"vLLM API server version v?([0-9][^\s]{0,80})")
MODEL = _pattern("with config: model='([^'\n]{1,300})'")

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


class Lines:
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
        return {whole(count) for (count,) in self.found(pattern)}

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
        return {whole(value) for key in keys for value in self.set_to(key)}


def whole(text: str) -> int:
    """A whole number with or without thousands separators."""
    return int(text.replace(",", ""))
