"""The figures that a start-up log states, and what its rounded numbers stand for."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from xlsizing.core.errors import SizingError
from xlsizing.core.units import BYTES_PER_GIB

MEMORY_PLACES = 2
"""Decimals that the engine rounds GiB to; it leaves out zeros at the end."""


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


_RELEASE = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})(.{0,80})")


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
