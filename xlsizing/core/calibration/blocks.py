"""The numbers of blocks that a start-up log allows, where the server was started in a given way.

Sources: the planning method, part 2, "Blocks and groups"; how releases count the tokens
in their log, from vLLM's kv_cache_utils.py.
"""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Literal, NamedTuple

from xlsizing.core.engine import EngineSettings
from xlsizing.core.entries import KvPrecision, Model
from xlsizing.core.exact import ceil_div
from xlsizing.core.paged_cache import PagedCache, layout, paged_cache
from xlsizing.core.vllm_log import VllmLog, memory_range, rounded_range

LAST_BY_GROUPS, FIRST_BY_REQUESTS = (0, 19), (0, 24)
"""Releases up to which the log counts tokens by groups, and from which it does by requests."""

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


def explained(model: Model, log: VllmLog, start: Start) -> Fit | None:
    """The blocks by which a way of starting explains the log; None where it does not."""
    cache = cache_of(model, log, start)
    if log.attention_block not in (None, block_tokens(cache)):
        return None
    known = list(_spans(log, cache))
    found = {
        counting: blocks
        for counting, by_tokens in _spans_by_tokens(log, cache)
        if (blocks := common([*known, by_tokens]))
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


def cache_of(model: Model, log: VllmLog, start: Start) -> PagedCache:
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


def block_tokens(cache: PagedCache) -> int | None:
    """Tokens of the smallest attention block; None where all layers keep states."""
    sizes = (group.block_size for group in cache.layout.groups if group.kind != "state")
    return min(sizes, default=None)


def logged_tokens(log: VllmLog, cache: PagedCache, counting: Counting, num_blocks: int) -> int:
    """Tokens as the log counts them."""
    if counting == "groups":
        return num_blocks // len(cache.layout.groups) * (block_tokens(cache) or 0)
    return cache.tokens(num_blocks, log.max_model_len)


_AT_LEAST_ONE = Span(1, 10**30)


def common(spans: Iterable[Span]) -> Span | None:
    """What spans have in common; None where that is nothing."""
    leasts, mosts = zip(_AT_LEAST_ONE, *spans, strict=True)
    shared = Span(max(leasts), min(mosts))
    return shared if shared.least <= shared.most else None


def _spans(log: VllmLog, cache: PagedCache) -> Iterator[Span]:
    """Blocks that each of the log's lines allows, beside the one of the tokens."""
    stated = log.blocks_override or log.gpu_blocks
    if stated is not None:
        yield Span(stated, stated)
    memory = logged_memory(log)
    if memory is not None and log.blocks_override is None:
        yield Span(*(size // cache.bytes_per_block for size in memory))
    if log.concurrency is not None:
        yield _span_by_concurrency(log, cache)


def logged_memory(log: VllmLog) -> Span | None:
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
    block = block_tokens(cache)
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
        if logged_tokens(log, cache, "requests", blocks) == log.tokens
    ]
    if counted:
        yield "requests", Span(counted[0], counted[-1])
    block, groups = block_tokens(cache), len(cache.layout.groups)
    if block is not None and log.tokens % block == 0:
        of_group = log.tokens // block
        yield "groups", Span(of_group * groups, of_group * groups + groups - 1)
