"""The engine settings that reproduce what a server's start-up log says.

A log states tokens and concurrency, from which the number of blocks follows, and the
memory for KV caches rounded to two decimals, which says whether model, precision and
settings are the server's. What a GPU lacks beside its weights and these blocks is the
overhead, which the method otherwise plans with a default.

Sources: the planning method, part 2, "Blocks and groups" and "The pool"; how releases
count the tokens in their log, from vLLM's kv_cache_utils.py.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import product
from typing import Literal, NamedTuple, TypeVar, cast, get_args

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
from xlsizing.core.exact import (
    RATIO_PARTS,
    Number,
    ceil_div,
    grouped,
    in_parts,
    plain,
    typed_decimal,
)
from xlsizing.core.kv_cache import layer_groups, with_recurrent_dtype
from xlsizing.core.layers import AttentionLayers, StateLayers, UnknownLayoutError
from xlsizing.core.paged_cache import PagedCache, PageGroup, StateCaching, layout, paged_cache
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.core.vllm_log import LogError, VllmLog, memory_range, rounded_range, shown_places

BATCHED_TOKENS = (DEFAULT_MAX_NUM_BATCHED_TOKENS, 2048, 16384, 4096, 32768, 65536, 1024, 512)
"""Values of max_num_batched_tokens that are tried where neither log nor caller states one."""

LAST_WITH_ONE_BATCH, FIRST_WITH_TWO_BATCHES = (0, 24), (0, 33)
"""Releases up to which one step is in flight, and from which two are; between, both are tried."""

LAST_BY_GROUPS, FIRST_BY_REQUESTS = (0, 19), (0, 24)
"""Releases up to which the log counts tokens by groups, and from which it does by requests."""

OTHER_GPU = Fraction(1, 50)
"""A GPU whose memory differs by more than this is not the server's."""

OTHER_WEIGHTS = Fraction(1, 20)
"""Weights that differ by more than this from the catalog's are worth a remark."""

SHOWN_STARTS = 4
"""Ways of starting that a sentence lists."""

Counting = Literal["requests", "groups"]
"""How a log counts tokens: num_blocks / blocks_per_request * max_model_len, or in releases
before that was corrected num_blocks // groups * block size. They differ for hybrid models,
and by less than a block where max_model_len is no multiple of the block.
"""


class Span(NamedTuple):
    """The least and the most that a whole number can be."""

    least: int
    most: int


class Start(NamedTuple):
    """A way in which the server of a log may have been started."""

    kv_precision: KvPrecision
    settings: EngineSettings
    """With default overheads."""


class Fit(NamedTuple):
    """A way of starting that explains a log, and the blocks that the log then means."""

    start: Start
    cache: PagedCache
    blocks: Span
    counting: Counting

    @property
    def num_blocks(self) -> int:
        """The blocks to count with: the least that the log allows."""
        return self.blocks.least


Figure = Literal[
    "tokens",
    "concurrency",
    "num_blocks",
    "kv_memory_gib",
    "weights_gib",
    "overhead_gib",
    "gpu_memory_gib",
    "attention_block",
    "state_padding_percent",
    "padding_layers",
]
"""What log and method are compared by; GiB are per GPU. The overhead is what the engine may
take of a GPU less weights and KV cache memory.
"""


class Comparison(NamedTuple):
    """One figure as the log says it and as the method gives it."""

    figure: Figure
    logged: Fraction
    calibrated: Fraction | None
    """By the method with the calibrated settings; None where it does not have it."""
    by_default: Fraction | None
    """By the method with its default overheads; None where it does not have it."""

    @property
    def difference(self) -> Fraction | None:
        """How much larger the log's figure is than the calibrated one."""
        return None if self.calibrated is None else self.logged - self.calibrated


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


class LogMismatchError(SizingError):
    """A log that the method does not explain with the model, server and settings given."""

    code = "LOG_DOES_NOT_FIT"


class NotReproducedError(SizingError):
    """A log that no settings reproduce with the decimals that settings have."""

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
    _require_countable(log)
    _require_same_gpu(server, log)
    asked = _Asked(
        kv_precision,
        tensor_parallel,
        gpu_memory_utilization,
        max_num_batched_tokens,
        batches_in_flight,
    )
    as_run = _with_logged_states(model, log)
    fit, others = _fit(as_run, log, asked)
    overhead = _overhead(as_run, server, log, fit)
    settings = _settings(as_run, log, fit, overhead)
    bound = _bound(as_run, server, log, fit, settings)
    _require_reproduced(log, fit, bound)
    by_default = _by_default(as_run, server, log, fit)
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
        comparisons=tuple(_comparisons(as_run, log, fit, bound, by_default)),
        remarks=(
            *_remarks_on_setting(log, asked, fit.start),
            *_remarks_on_layers(model, as_run, log, asked, [fit, *others]),
            *_remarks_on_blocks(log, fit),
            *_remarks_on_memory(log, bound, overhead, settings),
        ),
    )


class _Asked(NamedTuple):
    """What the caller says of the start; None where it says nothing."""

    kv_precision: str | None
    tensor_parallel: int | None
    gpu_memory_utilization: Number | None
    max_num_batched_tokens: int | None
    batches_in_flight: int | None


# What the log must be


def _require_countable(log: VllmLog) -> None:
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


def _require_same_gpu(server: Server, log: VllmLog) -> None:
    """Raise LogMismatchError where the log's GPU is not one of the server's."""
    if log.device_total_gib is None:
        return
    total = usable_gpu_bytes(server)
    logged = Fraction(log.device_total_gib) * BYTES_PER_GIB
    if abs(logged - total) > OTHER_GPU * total:
        raise LogMismatchError(
            f"The log's GPU has {log.device_total_gib} GiB, one of {server.name} {_gib(total)} "
            "GiB; give the server that the log is of."
        )


def _with_logged_states(model: Model, log: VllmLog) -> Model:
    """The model with its recurrent states in the dtype that the log states."""
    if log.state_dtype is None or not _has_states(model):
        return model
    return with_recurrent_dtype(model, log.state_dtype)


def _has_states(model: Model) -> bool:
    return any(isinstance(group, StateLayers) for group in layer_groups(model))


# How the server was started

Stated = TypeVar("Stated")


def _agreed(name: str, logged: Stated | None, asked: Stated | None) -> Stated | None:
    """What log or caller state of a setting; LogError where they state different things."""
    if logged is not None and asked is not None and logged != asked:
        raise LogError(
            f"The log says that {name} is {logged}, and {asked} was asked for; leave it out, or "
            "give the log of a server with it."
        )
    return asked if logged is None else logged


def _rounds(model: Model, log: VllmLog, asked: _Asked) -> Iterator[list[Start]]:
    """Ways in which the server may have been started, in rounds, likely ones first."""
    windowed = any(
        isinstance(group, AttentionLayers) and group.kind != "full" for group in layer_groups(model)
    )
    ways = list(
        product(
            _batched_tokens(log, asked, windowed),
            _batches_in_flight(log, asked, windowed),
            _state_cachings(model, log),
        )
    )
    tensor_parallel = _agreed("tensor_parallel_size", log.tensor_parallel, asked.tensor_parallel)
    for hybrid_manager in _hybrid_managers(model, log):
        for kv_precision in _kv_precisions(log, asked):
            yield [
                Start(
                    kv_precision,
                    EngineSettings(
                        tensor_parallel=1 if tensor_parallel is None else tensor_parallel,
                        max_num_batched_tokens=tokens,
                        batches_in_flight=batches,
                        hybrid_manager=hybrid_manager,
                        state_caching=state_caching,
                        gpu_memory_utilization=_utilization(log, asked),
                    ),
                )
                for tokens, batches, state_caching in ways
            ]


def _kv_precisions(log: VllmLog, asked: _Asked) -> Sequence[KvPrecision]:
    """Precisions to try: the engine keeps KV caches in the model's dtype unless told otherwise."""
    stated = _agreed("kv_cache_dtype", log.kv_dtype, asked.kv_precision)
    if stated is not None:
        require("kv_precision", stated, KvPrecision)
        return [cast(KvPrecision, stated)]
    if log.dtype == "float32":
        raise LogError("The log's model runs in float32; the method counts 16-bit dtypes.")
    return ["fp16" if log.dtype == "fp16" else "bf16", "fp8"]


def _batched_tokens(log: VllmLog, asked: _Asked, windowed: bool) -> Sequence[int]:
    """Tokens of a step to try; they count only where layers have windows."""
    name = "max_num_batched_tokens"
    stated = _agreed(name, log.max_num_batched_tokens, asked.max_num_batched_tokens)
    if stated is not None:
        return [stated]
    return BATCHED_TOKENS if windowed else [DEFAULT_MAX_NUM_BATCHED_TOKENS]


def _batches_in_flight(log: VllmLog, asked: _Asked, windowed: bool) -> Sequence[int]:
    if asked.batches_in_flight is not None:
        return [asked.batches_in_flight]
    if log.release is not None and log.release <= LAST_WITH_ONE_BATCH:
        return [1]
    if not windowed or (log.release is not None and log.release >= FIRST_WITH_TWO_BATCHES):
        return [DEFAULT_BATCHES_IN_FLIGHT]
    return [DEFAULT_BATCHES_IN_FLIGHT, 1]


def _state_cachings(model: Model, log: VllmLog) -> Sequence[StateCaching]:
    if not _has_states(model) or log.prefix_caching is False or log.state_caching == "none":
        return ["none"]
    if log.state_caching == "align" or log.prefix_caching:
        return ["align"]
    return ["none", "align"]


def _hybrid_managers(model: Model, log: VllmLog) -> Sequence[bool]:
    """Whether there is a hybrid manager; releases that log blocks have none."""
    if not log.hybrid_manager or log.gpu_blocks is not None:
        return [False]
    kinds = {group.kind for group in layer_groups(model)}
    return [True, False] if len(kinds) > 1 and "state" not in kinds else [True]


def _utilization(log: VllmLog, asked: _Asked) -> float:
    """The share of a GPU that the engine may take, with the decimals that settings have."""
    name = "gpu_memory_utilization"
    if asked.gpu_memory_utilization is None:
        stated = log.gpu_memory_utilization
    else:
        stated = _agreed(
            name, log.gpu_memory_utilization, typed_decimal(asked.gpu_memory_utilization)
        )
    if stated is None:
        return DEFAULT_GPU_MEMORY_UTILIZATION
    if log.gpu_memory_utilization is not None:
        stated = stated.quantize(Decimal(1) / RATIO_PARTS, ROUND_HALF_UP)
    return float(stated)


# What the log then means in blocks


def _fit(model: Model, log: VllmLog, asked: _Asked) -> tuple[Fit, list[Fit]]:
    """The likeliest way of starting that explains the log, and others with the same blocks."""
    likely, *unlikely = _rounds(model, log, asked)
    fits = [fit for start in likely if (fit := _explained(model, log, start))]
    for starts in unlikely:
        if not fits:
            with suppress(UnknownLayoutError):
                fits = [fit for start in starts if (fit := _explained(model, log, start))]
    if not fits:
        raise _mismatch(model, log, [*likely, *(start for each in unlikely for start in each)])
    if any(fit.blocks != fits[0].blocks for fit in fits):
        raise _ambiguous(fits)
    return fits[0], fits[1:]


def _explained(model: Model, log: VllmLog, start: Start) -> Fit | None:
    """The blocks by which a way of starting explains the log; None where it does not."""
    cache = _cache(model, log, start)
    if log.attention_block not in (None, _block_tokens(cache)):
        return None
    known = list(_spans(log, cache))
    found = {
        counting: blocks
        for counting, by_tokens in _spans_by_tokens(log, cache)
        if (blocks := _common([*known, by_tokens]))
    }
    count = log.num_gpu_blocks or 0
    exact = {
        counting: Span(count, count)
        for counting, blocks in found.items()
        if blocks.least <= count <= blocks.most
    }
    if exact or found:
        counting, blocks = _settled(log, exact or found)
        return Fit(start, cache, blocks, counting)
    return None


def _settled(log: VllmLog, found: Mapping[Counting, Span]) -> tuple[Counting, Span]:
    """How the log counts tokens, and its blocks; all that both ways allow where it may be either."""
    by_release = _counting(log.release)
    if by_release is not None and by_release in found:
        return by_release, found[by_release]
    counting = min(found, key=lambda each: found[each].least)
    return counting, Span(found[counting].least, max(span.most for span in found.values()))


def _counting(release: tuple[int, int] | None) -> Counting | None:
    """How a release counts tokens; None where that is not known."""
    if release is not None and release <= LAST_BY_GROUPS:
        return "groups"
    if release is not None and release >= FIRST_BY_REQUESTS:
        return "requests"
    return None


def _cache(model: Model, log: VllmLog, start: Start) -> PagedCache:
    """What the log's requests take, where the server was started in this way."""
    settings = start.settings
    cut = layout(
        model,
        start.kv_precision,
        settings.tensor_parallel or 1,
        hybrid_manager=settings.hybrid_manager,
    )
    tokens = settings.tokens_in_flight
    return paged_cache(cut, log.max_model_len, tokens, settings.state_caching)


def _block_tokens(cache: PagedCache) -> int | None:
    """Tokens of the smallest attention block; None where all layers keep states."""
    sizes = (group.block_size for group in cache.layout.groups if group.kind != "state")
    return min(sizes, default=None)


_AT_LEAST_ONE = Span(1, 10**30)


def _common(spans: Iterable[Span]) -> Span | None:
    """What spans have in common; None where that is nothing."""
    leasts, mosts = zip(_AT_LEAST_ONE, *spans, strict=True)
    common = Span(max(leasts), min(mosts))
    return common if common.least <= common.most else None


def _spans(log: VllmLog, cache: PagedCache) -> Iterator[Span]:
    """Blocks that each of the log's lines allows, beside the one of the tokens."""
    stated = log.blocks_override or log.gpu_blocks
    if stated is not None:
        yield Span(stated, stated)
    memory = _memory(log)
    if memory is not None and log.blocks_override is None:
        yield Span(*(size // cache.bytes_per_block for size in memory))
    if log.concurrency is not None:
        yield _span_by_concurrency(log, cache)


def _memory(log: VllmLog) -> Span | None:
    """Memory for KV caches that the log's figure stands for [bytes]."""
    if log.kv_memory_bytes is not None:
        return Span(log.kv_memory_bytes, log.kv_memory_bytes)
    return None if log.kv_memory_gib is None else Span(*memory_range(log.kv_memory_gib))


def _span_by_concurrency(log: VllmLog, cache: PagedCache) -> Span:
    """Blocks whose concurrency rounds to the log's.

    concurrency = num_blocks / blocks_per_request, or num_blocks * block / max_model_len in
    releases that know one group of layers only.
    """
    assert log.concurrency is not None
    per_request = [Fraction(cache.blocks_per_request)]
    block = _block_tokens(cache)
    if len(cache.layout.groups) == 1 and block is not None:
        per_request.append(Fraction(log.max_model_len, block))
    low, high = rounded_range(log.concurrency)
    return Span(-(-low * min(per_request) // 1), high * max(per_request) // 1)


def _spans_by_tokens(log: VllmLog, cache: PagedCache) -> Iterator[tuple[Counting, Span]]:
    """Blocks that the log's tokens allow, by each way in which releases count them."""
    if log.tokens is None:
        yield "requests", _AT_LEAST_ONE
        return
    per_request, length = cache.blocks_per_request, log.max_model_len
    least = ceil_div(log.tokens * per_request, length)
    most = ((log.tokens + 2) * per_request - 1) // length
    # Floating point may take one token off, where blocks are a whole number of requests.
    counted = [
        blocks
        for blocks in range(least, most + 1)
        if _tokens(log, cache, "requests", blocks) == log.tokens
    ]
    if counted:
        yield "requests", Span(counted[0], counted[-1])
    block, groups = _block_tokens(cache), len(cache.layout.groups)
    if block is not None and log.tokens % block == 0:
        of_group = log.tokens // block
        yield "groups", Span(of_group * groups, of_group * groups + groups - 1)


def _tokens(log: VllmLog, cache: PagedCache, counting: Counting, num_blocks: int) -> int:
    """Tokens as the log counts them, in the engine's own floating-point arithmetic."""
    if counting == "groups":
        return num_blocks // len(cache.layout.groups) * (_block_tokens(cache) or 0)
    return int(num_blocks / cache.blocks_per_request * log.max_model_len)


# Where no way of starting explains the log


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


def _ambiguous(fits: Sequence[Fit]) -> LogMismatchError:
    return LogMismatchError(
        "The log fits more than one way of starting the server, with different numbers of blocks "
        f"({_listed([fit.start for fit in fits])}); say how it was started, with "
        "max_num_batched_tokens and batches_in_flight, or give the whole log."
    )


def _mismatch(model: Model, log: VllmLog, starts: Sequence[Start]) -> LogMismatchError:
    """Why the log does not fit, by the likeliest way of starting that comes nearest to it."""
    cache = _cache(model, log, starts[0])
    block = _block_tokens(cache)
    if log.attention_block not in (None, block):
        fault = (
            f"its attention block has {grouped(log.attention_block or 0)} tokens, by the method "
            f"{grouped(block or 0)}"
        )
        return _does_not_fit(model, log, fault, starts)
    no_memory = replace(log, kv_memory_gib=None, kv_memory_bytes=None)
    nearest = _explained(model, no_memory, starts[0])
    if nearest is None:
        fault = (
            "no number of blocks gives its tokens and concurrency "
            f"({', '.join(_stated(log))} for {grouped(log.max_model_len)} tokens per request)"
        )
        return _does_not_fit(model, log, fault, starts)
    memory = nearest.num_blocks * nearest.cache.bytes_per_block
    fault = (
        f"by the method its tokens and concurrency take {_gib(memory)} GiB of KV cache "
        f"({_words(nearest.start)}), but it has {_logged_memory(log)} GiB"
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


def _stated(log: VllmLog) -> Iterator[str]:
    """What the log says the KV cache holds."""
    if log.tokens is not None:
        yield f"{grouped(log.tokens)} tokens"
    if log.concurrency is not None:
        yield f"{log.concurrency}x"
    blocks = log.blocks_override or log.gpu_blocks
    if blocks is not None:
        yield f"{grouped(blocks)} blocks"


def _logged_memory(log: VllmLog) -> str:
    if log.kv_memory_gib is not None:
        return plain(log.kv_memory_gib)
    return _gib(log.kv_memory_bytes or 0)


# The settings that reproduce it


def _pool(fit: Fit) -> Span:
    """Pools that hold just the log's blocks [bytes]."""
    size = fit.cache.bytes_per_block
    return Span(fit.num_blocks * size, (fit.num_blocks + 1) * size - 1)


def _aimed_pool(log: VllmLog, fit: Fit) -> int:
    """Of these, the log's own, else the middle of those that round to the log's [bytes]."""
    pool = _pool(fit)
    memory = _memory(log)
    logged = memory and _common([pool, memory])
    if memory and pool.least <= sum(memory) // 2 <= pool.most:
        return sum(memory) // 2
    return sum(logged or pool) // 2


def _overhead(model: Model, server: Server, log: VllmLog, fit: Fit) -> Span | None:
    """Overheads that leave these pools beside the catalog's weights [bytes].

    overhead = floor(total * utilisation) - weights / tensor_parallel - pool. None where the
    pool was asked for, and where the weights are not known.
    """
    if log.kv_memory_given or log.blocks_override:
        return None
    settings = fit.start.settings
    try:
        weights = ceil_div(weight_bytes(model)[0], settings.tensor_parallel or 1)
    except UnknownWeightsError:
        return None
    left = _share(usable_gpu_bytes(server), settings) - weights
    pool = _pool(fit)
    return Span(left - pool.most, left - pool.least)


def _settings(model: Model, log: VllmLog, fit: Fit, overhead: Span | None) -> EngineSettings:
    """The start's settings, with overheads that reproduce the blocks, else with the pool."""
    aimed = _aimed_pool(log, fit)
    if overhead is not None:
        split = _split(log, overhead, overhead.most + _pool(fit).least - aimed)
        if split is not None:
            activation, runtime = split
            return replace(
                fit.start.settings,
                activation_gib=activation / RATIO_PARTS,
                runtime_gib=runtime / RATIO_PARTS,
            )
    pool = _parts_within(_pool(fit), aimed)
    if pool is None:
        raise NotReproducedError(
            f"A block of {model.name} takes {grouped(fit.cache.bytes_per_block)} bytes, less than "
            "the 4th decimal of a GiB, so no settings give the log's number of blocks exactly."
        )
    return replace(fit.start.settings, kv_pool_gib=pool / RATIO_PARTS)


def _split(log: VllmLog, overhead: Span, aimed: int) -> tuple[int, int] | None:
    """Activation and runtime in ten-thousandths of a GiB, None where no two make the overhead.

    What the log says of one of them is kept, and the other is the rest. Where it says
    nothing of them, all is activation.
    """
    activation, runtime = _in_parts(log.activation_gib), _in_parts(_deducted_graphs(log))
    if activation:
        rest = _rest(overhead, aimed, activation)
        if rest is not None:
            return activation, rest
    for known in (runtime, 0):
        rest = _rest(overhead, aimed, known)
        if rest is not None:
            return rest, known
    return None


def _rest(overhead: Span, aimed: int, known: int) -> int | None:
    """What makes the overhead beside a known part; all in ten-thousandths of a GiB."""
    size = _part_bytes(known)
    return _parts_within(Span(overhead.least - size, overhead.most - size), aimed - size)


def _deducted_graphs(log: VllmLog) -> Decimal | None:
    """Memory for graphs that the engine took off the pool, where the log says so [GiB]."""
    if not log.graphs_profiled:
        return None
    return log.graphs_gib if log.graphs_estimate_gib is None else log.graphs_estimate_gib


def _in_parts(gib: Decimal | None) -> int:
    return 0 if gib is None else max(0, in_parts(gib, RATIO_PARTS))


def _part_bytes(parts: int) -> int:
    return gib_bytes(Decimal(parts) / RATIO_PARTS)


def _parts_within(span: Span, aimed: int) -> int | None:
    """The ten-thousandths of a GiB within a span of bytes that are nearest to `aimed`."""
    nearest = round(Fraction(aimed * RATIO_PARTS, BYTES_PER_GIB))
    for parts in (nearest, nearest - 1, nearest + 1):
        if parts >= 0 and span.least <= _part_bytes(parts) <= span.most:
            return parts
    return None


def _bound(
    model: Model, server: Server, log: VllmLog, fit: Fit, settings: EngineSettings
) -> EngineBound:
    """What the engine holds of the log's requests, for one of them."""
    precision, length = fit.start.kv_precision, log.max_model_len
    return engine_bound(model, server, length, precision, 1, 0, "none", settings)


def _by_default(model: Model, server: Server, log: VllmLog, fit: Fit) -> EngineBound | None:
    try:
        return _bound(model, server, log, fit, fit.start.settings)
    except UnknownWeightsError:
        return None


def _require_reproduced(log: VllmLog, fit: Fit, bound: EngineBound) -> None:
    """Raise NotReproducedError where the method does not say what the log says."""
    same_blocks = bound.num_blocks == fit.num_blocks
    tokens = _tokens(log, bound.cache, fit.counting, bound.num_blocks)
    if not same_blocks or log.tokens not in (None, tokens):
        raise NotReproducedError(
            f"The settings give {grouped(bound.num_blocks)} blocks and {grouped(tokens)} tokens, "
            f"not {grouped(fit.num_blocks)} blocks as the log ({', '.join(_stated(log))}); this is "
            "a fault of xlsizing, and kv_pool_gib may serve instead."
        )


# Log and method side by side


def _comparisons(
    model: Model, log: VllmLog, fit: Fit, bound: EngineBound, by_default: EngineBound | None
) -> Iterator[Comparison]:
    """The figures that the log has, beside the method's."""
    calibrated = _figures(model, log, fit, bound)
    default = {} if by_default is None else _figures(model, log, fit, by_default)
    for figure, logged in _logged_figures(log, fit, bound).items():
        if logged is not None:
            yield Comparison(figure, Fraction(logged), calibrated[figure], default.get(figure))


def _logged_figures(
    log: VllmLog, fit: Fit, bound: EngineBound
) -> Mapping[Figure, Fraction | Decimal | int | None]:
    """What the log says."""
    exact = log.kv_memory_bytes
    memory = log.kv_memory_gib if exact is None else Fraction(exact, BYTES_PER_GIB)
    overhead = None
    if memory is not None and log.weights_gib is not None and not log.kv_memory_given:
        share = _share(bound.memory.total, fit.start.settings)
        overhead = Fraction(share, BYTES_PER_GIB) - Fraction(log.weights_gib) - Fraction(memory)
    return {
        "tokens": log.tokens,
        "concurrency": log.concurrency,
        "num_blocks": fit.num_blocks if fit.blocks.least == fit.blocks.most else None,
        "kv_memory_gib": memory,
        "weights_gib": log.weights_gib,
        "overhead_gib": overhead,
        "gpu_memory_gib": log.device_total_gib,
        "attention_block": log.attention_block,
        "state_padding_percent": log.state_padding_percent,
        "padding_layers": log.padding_layers,
    }


def _figures(
    model: Model, log: VllmLog, fit: Fit, answer: EngineBound
) -> Mapping[Figure, Fraction | None]:
    """What the method says with an answer's settings."""
    memory, blocks = answer.memory, answer.num_blocks
    overhead = _share(memory.total, fit.start.settings) - memory.weights - memory.pool
    # A model whose weights are not known has 0 bytes of them.
    weighed = bool(memory.weights)
    block = _block_tokens(answer.cache)
    return {
        "tokens": Fraction(_tokens(log, answer.cache, fit.counting, blocks)),
        "concurrency": _concurrency(log, answer),
        "num_blocks": Fraction(blocks),
        "kv_memory_gib": Fraction(memory.pool, BYTES_PER_GIB),
        "weights_gib": Fraction(memory.weights, BYTES_PER_GIB) if weighed else None,
        "overhead_gib": Fraction(overhead, BYTES_PER_GIB) if weighed else None,
        "gpu_memory_gib": Fraction(memory.total, BYTES_PER_GIB),
        "attention_block": None if block is None else Fraction(block),
        "state_padding_percent": _state_padding(model, answer),
        "padding_layers": _padding_layers(answer),
    }


def _padding_layers(answer: EngineBound) -> Fraction | None:
    """Layers that fill up groups of one kind; None where several kinds have such groups."""
    groups = answer.cache.layout.groups
    largest = max(group.layers for group in groups)
    missing: Counter[PageGroup] = Counter()
    for group in groups:
        missing[group._replace(layers=0)] += largest - group.layers
    paddings = {layers for layers in missing.values() if layers}
    return Fraction(sum(paddings)) if len(paddings) <= 1 else None


def _concurrency(log: VllmLog, answer: EngineBound) -> Fraction:
    """Requests that fit, rounded as the log's."""
    times = answer.num_blocks / answer.cache.blocks_per_request
    return Fraction(f"{times:.{shown_places(log.concurrency or Decimal('0.00'))}f}")


def _share(total: int, settings: EngineSettings) -> int:
    """What the engine may take of a GPU: floor(total * utilisation) [bytes]."""
    return total * in_parts(settings.gpu_memory_utilization, RATIO_PARTS) // RATIO_PARTS


def _state_padding(model: Model, answer: EngineBound) -> Fraction | None:
    """By how much the page of a state is larger than the state [percent]."""
    for group in layer_groups(model):
        if isinstance(group, StateLayers):
            state = group.state_bytes(answer.tensor_parallel)
            page = max(each.page_bytes for each in answer.cache.layout.groups)
            return Fraction(100 * (page - state), state)
    return None


# What to mind


def _remarks_on_setting(log: VllmLog, asked: _Asked, start: Start) -> Iterator[str]:
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


def _remarks_on_layers(
    model: Model, as_run: Model, log: VllmLog, asked: _Asked, fits: Sequence[Fit]
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
    if _has_states(model) and log.state_caching is None and log.prefix_caching is not False:
        yield f"The log does not state the Mamba cache mode; {settings.state_caching} explains it."


def _in_flight(settings: EngineSettings) -> str:
    return f"{grouped(settings.max_num_batched_tokens)} with {settings.batches_in_flight} in flight"


def _remarks_on_blocks(log: VllmLog, fit: Fit) -> Iterator[str]:
    """How the number of blocks was found, where that is not just from the tokens."""
    groups = len(fit.cache.layout.groups)
    if fit.counting == "groups" and groups > 1:
        yield (
            "The log's release counts as tokens the blocks of one group of layers "
            f"(blocks // {groups} * {_block_tokens(fit.cache)}), not what requests can have; the "
            "number of blocks comes from the concurrency and the memory as well."
        )
    if log.num_gpu_blocks not in (None, fit.num_blocks):
        yield (
            f"The log's server has {grouped(log.num_gpu_blocks or 0)} blocks of another size; "
            f"counted in blocks of {_block_tokens(fit.cache)} tokens they are "
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
    elif _memory(log) is None:
        yield (
            "The log has no line 'Available KV cache memory', so nothing says whether model and "
            "precision are the server's."
        )


def _remarks_on_memory(
    log: VllmLog, bound: EngineBound, overhead: Span | None, settings: EngineSettings
) -> Iterator[str]:
    """What the overheads cover, and where catalog and log differ."""
    memory = bound.memory
    if settings.kv_pool_gib is not None and overhead is not None:
        yield (
            f"Beside the catalog's weights of {_gib(memory.weights)} GiB per GPU the overheads "
            f"would be {_gib(overhead.most)} GiB: the server's weights are smaller or its "
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
                f"{_gib(memory.weights)}; the overheads make up for the difference."
            )
    if log.device_total_gib is not None:
        least, most = memory_range(log.device_total_gib)
        if not least <= memory.total <= most:
            yield (
                f"The log's GPU has {log.device_total_gib} GiB, the catalog's {_gib(memory.total)}; "
                "the overheads make up for the difference."
            )
    if log.graphs_gib is not None and not log.graphs_profiled:
        beyond = memory.total - _share(memory.total, settings)
        yield (
            f"Capturing graphs took {log.graphs_gib} GiB after the pool was set, and no line takes "
            "them off it: they are no part of the overheads, but of the "
            f"{_gib(beyond)} GiB that gpu_memory_utilization leaves."
        )


def _gib(size: int) -> str:
    return grouped(size, BYTES_PER_GIB, 2)
