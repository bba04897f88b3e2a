"""What changes the number of nodes, and how far each input can move before it does.

Each input moves alone, all others unchanged, in the steps in which people may type it:
whole sessions and tokens, ten-thousandths of a ratio, hundredths of a GiB.

nodes_final = ceil(concurrency * (1 + peak_headroom_ratio) / sessions per node) + spare nodes
sessions per node = floor((HBM * kv_budget_ratio - runtime_overhead_gib) / KV per session)

KV per session does not shrink as the context grows: it is a sum of amounts of at least 0, each
times the context, times min(context, window) or alone, and a clamp at the model's longest context
keeps the order. So sessions per node do not rise with the context or the overhead, and do not fall
as the ratio rises; the nodes do not fall as the concurrency or the headroom rises or the sessions
per node fall, where 0 sessions per node, on which nothing fits, stand for more nodes than any
number. Hence nodes_final goes only one way as one input does, the values that share a count lie
side by side, and bisection finds their ends exactly.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from xlsizing.core.capacity import (
    KvBudgetRatio,
    RuntimeOverheadGib,
    budget_left,
    hbm_bytes,
    sessions_that_fit,
)
from xlsizing.core.constraints import limits
from xlsizing.core.entries import Model
from xlsizing.core.exact import GIB_PARTS, RATIO_PARTS, in_parts
from xlsizing.core.kv_cache import BYTES_PER_ELEMENT, WholeNumber, kv_bytes_per_session
from xlsizing.core.nodes import SPARE_NODES, PeakHeadroomRatio, nodes_that_hold
from xlsizing.core.sizing import SizingResult


class Move(NamedTuple):
    """How far an input can move one way, and what comes then."""

    last: int | Decimal
    """The last value with the nodes of now; the value of now, where one step is too much."""
    next: int | Decimal
    """The value one step further."""
    nodes: int | None
    """nodes_final there; None where nothing fits any more."""


class Sensitivity(NamedTuple):
    """How nodes_final responds to an input that is a number."""

    input: str
    """Name of the field of SizingResult."""
    value: int | Decimal
    """What it is now."""
    less: Move | None
    """Downwards; None where no value that the method accepts changes the nodes."""
    more: Move | None
    """Upwards; None where no value that the method accepts changes the nodes."""

    @property
    def least_change(self) -> Fraction | None:
        """Least change, as a share of the value, that changes nodes_final.

        None where none does, and where the value is 0, which has no shares.
        """
        moves = [move for move in (self.less, self.more) if move]
        if not moves or not self.value:
            return None
        now = Fraction(self.value)
        return min(abs(Fraction(move.next) - now) for move in moves) / now


class Alternative(NamedTuple):
    """Another choice for an input, and nodes_final with it; None where nothing fits."""

    value: str
    nodes: int | None


class Alternatives(NamedTuple):
    """How nodes_final responds to an input that is chosen from a list."""

    input: str
    """Name of the field of SizingResult."""
    value: str
    """What it is now."""
    others: tuple[Alternative, ...]
    """All other choices."""


class _Steps(NamedTuple):
    """In what steps an input moves, and what it takes."""

    annotation: Any
    parts: int
    """Steps in one."""

    def typed(self, steps: int) -> int | Decimal:
        """A number of steps as people type it."""
        return steps if self.parts == 1 else Decimal(steps) / self.parts


_STEPS: Mapping[str, _Steps] = {
    "concurrency": _Steps(WholeNumber, 1),
    "effective_context": _Steps(WholeNumber, 1),
    "kv_budget_ratio": _Steps(KvBudgetRatio, RATIO_PARTS),
    "runtime_overhead_gib": _Steps(RuntimeOverheadGib, GIB_PARTS),
    "peak_headroom_ratio": _Steps(PeakHeadroomRatio, RATIO_PARTS),
}

_CHOICES: Mapping[str, Iterable[str]] = {
    "kv_precision": BYTES_PER_ELEMENT,
    "ha_mode": SPARE_NODES,
}


class _Plan(NamedTuple):
    """What nodes_final depends on, each number in steps."""

    model: Model
    hbm: int
    kv_precision: str
    ha_mode: str
    concurrency: int
    effective_context: int
    kv_budget_ratio: int
    runtime_overhead_gib: int
    peak_headroom_ratio: int

    def nodes_with(self, field: str, value: Any) -> int | None:
        """nodes_final with one input changed."""
        return self._replace(**{field: value}).nodes_final()

    def nodes_final(self) -> int | None:
        """The nodes to buy; None where nothing fits."""
        kv_bytes = kv_bytes_per_session(self.model, self.effective_context, self.kv_precision)
        budget = budget_left(self.hbm, self.kv_budget_ratio, self.runtime_overhead_gib)
        per_node = sessions_that_fit(budget, kv_bytes)
        spare = SPARE_NODES[self.ha_mode]
        return nodes_that_hold(self.concurrency, per_node, self.peak_headroom_ratio, spare)[-1]


def sensitivities(result: SizingResult) -> tuple[Sensitivity, ...]:
    """How far each input that is a number can move before nodes_final changes.

    Concurrency, context, KV budget ratio, runtime overhead and peak headroom, in this order.
    Where nothing fits now, the next value of a move is the nearest at which something does.
    """
    plan = _plan(result)
    return tuple(_sensitivity(plan, field) for field in _STEPS)


def alternatives(result: SizingResult) -> tuple[Alternatives, ...]:
    """nodes_final at each other KV precision, and at each other HA mode."""
    plan = _plan(result)
    return tuple(_alternatives(plan, field) for field in _CHOICES)


def drivers(found: Iterable[Sensitivity]) -> tuple[Sensitivity, ...]:
    """The inputs that can change nodes_final, first the one that has the least way to go.

    Ways compare as shares of the value (see `Sensitivity.least_change`), since sessions,
    GiB and ratios have no unit in common.
    """
    ways = [(change, each) for each in found if (change := each.least_change) is not None]
    return tuple(each for _, each in sorted(ways, key=lambda way: way[0]))


def _plan(result: SizingResult) -> _Plan:
    return _Plan(
        result.model,
        hbm_bytes(result.server),
        result.kv_precision,
        result.ha_mode,
        **{field: in_parts(getattr(result, field), steps.parts) for field, steps in _STEPS.items()},
    )


def _alternatives(plan: _Plan, field: str) -> Alternatives:
    now = getattr(plan, field)
    others = (each for each in _CHOICES[field] if each != now)
    found = tuple(Alternative(each, plan.nodes_with(field, each)) for each in others)
    return Alternatives(field, now, found)


def _sensitivity(plan: _Plan, field: str) -> Sensitivity:
    annotation, parts = _STEPS[field]
    least, most = limits(annotation, parts)
    value = _STEPS[field].typed(getattr(plan, field))
    return Sensitivity(field, value, _move(plan, field, least), _move(plan, field, most))


def _move(plan: _Plan, field: str, limit: int) -> Move | None:
    """How far an input can move towards a limit, by bisection between now and there."""
    nodes = plan.nodes_final()
    if plan.nodes_with(field, limit) == nodes:
        return None
    last, past = getattr(plan, field), limit
    while abs(past - last) > 1:
        middle = (last + past) // 2
        if plan.nodes_with(field, middle) == nodes:
            last = middle
        else:
            past = middle
    typed = _STEPS[field].typed
    return Move(typed(last), typed(past), plan.nodes_with(field, past))
