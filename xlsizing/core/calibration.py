"""The engine settings that reproduce what a server's start-up log says.

A log states tokens and concurrency, from which the number of blocks follows exactly, and
the memory for KV caches rounded to two decimals, which says whether model, precision and
settings are the server's. What a GPU's memory lacks beside its weights and these blocks
is the overhead, which the method otherwise plans with a default.

Source: the planning method, part 2, "Blocks and groups" and "The pool".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Literal, NamedTuple, cast

from xlsizing.core.constraints import require
from xlsizing.core.engine import (
    DEFAULT_BATCHES_IN_FLIGHT,
    DEFAULT_GPU_MEMORY_UTILIZATION,
    DEFAULT_MAX_NUM_BATCHED_TOKENS,
    EngineBound,
    EngineSettings,
    UnknownWeightsError,
    engine_bound,
    gib_bytes,
    usable_gpu_bytes,
    weight_bytes,
)
from xlsizing.core.entries import KvPrecision, Model, Server
from xlsizing.core.errors import SizingError
from xlsizing.core.exact import RATIO_PARTS, Number, ceil_div, grouped, in_parts, plain, typed_decimal
from xlsizing.core.kv_cache import layer_groups
from xlsizing.core.layers import RECURRENT_BYTES, RecurrentDtype, StateLayers
from xlsizing.core.paged_cache import PagedCache, StateCaching, layout, paged_cache
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.core.vllm_log import LogError, VllmLog, memory_range, rounded_range

BATCHED_TOKENS = (DEFAULT_MAX_NUM_BATCHED_TOKENS, 2048, 16384, 4096, 32768, 65536, 1024, 512)
"""Values of max_num_batched_tokens that are tried where the log states none [tokens]."""

LAST_WITH_ONE_BATCH, FIRST_WITH_TWO_BATCHES = (0, 24), (0, 33)
"""Releases up to which the engine keeps one step in flight, and from which it keeps two."""

LAST_WITHOUT_HYBRID_MANAGER = (0, 9)
"""Releases up to which windowed layers beside full ones keep the whole context."""

OTHER_GPU = Fraction(1, 50)
"""A GPU whose memory differs by more than this is not the server's."""

Counting = Literal["requests", "groups", "blocks"]
"""How the log counts tokens: by requests that fit, in releases before 0.22 by blocks of a
group, or not at all but in blocks.
"""


class Span(NamedTuple):
    """The least and the most that a whole number can be."""

    least: int
    most: int

    def within(self, other: "Span") -> "Span | None":
        """What two spans have in common; None where that is nothing."""
        least, most = max(self.least, other.least), min(self.most, other.most)
        return Span(least, most) if least <= most else None


class Start(NamedTuple):
    """One way in which the server of a log may have been started."""

    kv_precision: str
    settings: EngineSettings

    @property
    def words(self) -> str:
        """The settings by which ways differ, for a sentence."""
        settings = self.settings
        return (
            f"{self.kv_precision}, {grouped(settings.max_num_batched_tokens)} batched tokens x "
            f"{settings.batches_in_flight} in flight, state caching {settings.state_caching}"
            + ("" if settings.hybrid_manager else ", no hybrid manager")
        )


class Fit(NamedTuple):
    """A way of starting that explains the log, and the blocks that the log then means."""

    start: Start
    cache: PagedCache
    blocks: Span
    counting: Counting


class Comparison(NamedTuple):
    """One figure as the log says it, and as the method gives it.

    None where one of them does not have it.
    """

    figure: str
    unit: str
    places: int
    """Decimals that the figure is shown with."""
    logged: Fraction | None
    calibrated: Fraction | None
    """By the method with the calibrated settings."""
    by_default: Fraction | None
    """By the method with its default overheads."""

    @property
    def difference(self) -> Fraction | None:
        """How much larger the log's figure is than the calibrated one."""
        if self.logged is None or self.calibrated is None:
            return None
        return self.logged - self.calibrated


@dataclass(frozen=True)
class Calibration:
    """What a start-up log says, and the engine settings with which the method says the same."""

    model: Model
    """The model, with its states in the log's dtype."""
    server: Server
    log: VllmLog
    kv_precision: str
    settings: EngineSettings
    """How the engine is started, with the calibrated overheads or pool."""
    bound: EngineBound
    """What the engine holds with these settings; the method's answer."""
    by_default: EngineBound | None
    """The same with the default overheads; None where the weights are not known."""
    blocks: Span
    """The numbers of blocks that the log allows; the settings reproduce the least."""
    counting: Counting
    overhead_bytes: Span | None
    """Overheads per GPU that reproduce the log, beside the catalog's weights; None where these are not known [bytes]."""
    comparisons: tuple[Comparison, ...]
    remarks: tuple[str, ...]
    """What the log leaves open and what was taken instead, in sentences."""

    @property
    def num_blocks(self) -> int:
        """The number of blocks that the settings reproduce."""
        return self.blocks.least

    @property
    def context(self) -> int:
        """Tokens of the requests that the log counts [tokens]."""
        return self.log.max_model_len


class LogMismatchError(SizingError):
    """A log that the method cannot explain with the model, server and settings given."""

    code = "LOG_DOES_NOT_FIT"


class NotReproducedError(SizingError):
    """Settings with which the method does not say what the log says."""

    code = "LOG_NOT_REPRODUCED"


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
    log : the figures of the log, see `read_log`.
    kv_precision, tensor_parallel, gpu_memory_utilization, max_num_batched_tokens,
    batches_in_flight : how the server was started, where the log does not say it; None for
        the engine's defaults, or what is consistent with the log.

    Raises
    ------
    LogError : the log states what the method does not count, or contradicts an argument.
    LogMismatchError : no way of starting the server explains the log, or several do.
    InvalidValueError : a value that the engine does not take.
    UnknownLayoutError : layers that the engine is not known to lay out.
    NotReproducedError : the settings that were found do not reproduce the log.
    """
    _require_countable(log)
    _require_same_gpu(server, log)
    asked = _Asked(
        kv_precision,
        tensor_parallel,
        gpu_memory_utilization,
        max_num_batched_tokens,
        batches_in_flight,
    )
    model = _with_logged_states(model, log)
    fit, others = _fit(model, log, asked)
    _require_attention_block(model, log, fit.cache)
    return _calibration(model, server, log, fit, _remarks_on_start(log, asked, fit, others))


class _Asked(NamedTuple):
    """What the caller says of the server's start; None where it does not."""

    kv_precision: str | None
    tensor_parallel: int | None
    gpu_memory_utilization: Number | None
    max_num_batched_tokens: int | None
    batches_in_flight: int | None
