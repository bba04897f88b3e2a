"""The figures of a start-up log beside the method's."""

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from xlsizing.core.calibration.blocks import Fit, block_tokens, logged_tokens
from xlsizing.core.calibration.overheads import share_bytes
from xlsizing.core.engine import EngineBound
from xlsizing.core.entries import Model
from xlsizing.core.kv_cache import layer_groups
from xlsizing.core.layers import StateLayers
from xlsizing.core.paged_cache import PageGroup
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.core.vllm_log import VllmLog, shown_places

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


def comparisons(
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
        share = share_bytes(bound.memory.total, fit.start.settings)
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
    overhead = share_bytes(memory.total, fit.start.settings) - memory.weights - memory.pool
    # A model whose weights are not known has 0 bytes of them.
    weighed = bool(memory.weights)
    block = block_tokens(answer.cache)
    return {
        "tokens": Fraction(logged_tokens(log, answer.cache, fit.counting, blocks)),
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


def _concurrency(log: VllmLog, answer: EngineBound) -> Fraction:
    """Requests that fit, rounded as the log's."""
    times = answer.num_blocks / answer.cache.blocks_per_request
    return Fraction(f"{times:.{shown_places(log.concurrency or Decimal('0.00'))}f}")


def _state_padding(model: Model, answer: EngineBound) -> Fraction | None:
    """By how much the page of a state is larger than the state [percent]."""
    for group in layer_groups(model):
        if isinstance(group, StateLayers):
            state = group.state_bytes(answer.tensor_parallel)
            page = max(each.page_bytes for each in answer.cache.layout.groups)
            return Fraction(100 * (page - state), state)
    return None


def _padding_layers(answer: EngineBound) -> Fraction | None:
    """Layers that fill up groups of one kind; None where several kinds have such groups."""
    groups = answer.cache.layout.groups
    largest = max(group.layers for group in groups)
    missing: Counter[PageGroup] = Counter()
    for group in groups:
        missing[group._replace(layers=0)] += largest - group.layers
    paddings = {layers for layers in missing.values() if layers}
    return Fraction(sum(paddings)) if len(paddings) <= 1 else None
