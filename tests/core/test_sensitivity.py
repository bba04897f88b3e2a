"""How far inputs can move: by hand, and against the whole method at each end of each way."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.conftest import PROJECT
from tests.core.strategies import Case, any_case, boundary_cases, resized, sized
from tests.core.test_worked_cases import DECIMAL_B300, GPT_OSS_120B, LOCAL
from xlsizing.catalog import load_catalogs
from xlsizing.core import InvalidValueError, Model, Server, SizingResult, size
from xlsizing.core.capacity import KvBudgetRatio, RuntimeOverheadGib
from xlsizing.core.constraints import limits
from xlsizing.core.kv_cache import WholeNumber, kv_bytes_per_session
from xlsizing.core.nodes import PeakHeadroomRatio
from xlsizing.core.remedies import overhead_to_fit, ratio_to_fit
from xlsizing.core.sensitivity import (
    Alternative,
    Alternatives,
    Move,
    Sensitivity,
    alternatives,
    drivers,
    sensitivities,
)


class Typed(NamedTuple):
    """What the method accepts of an input, and the step in which it may be typed."""

    least: int | Decimal
    most: int | Decimal
    step: int | Decimal

    def between(self, start: Any, end: Any, percent: int) -> Any:
        """The value that so many percent of the way lie behind."""
        # Floor division is exact for integers, too large for a float as they are.
        steps = int(abs(end - start) // self.step)
        return start + (1 if end > start else -1) * (steps * percent // 100) * self.step


HUNDREDTH, TEN_THOUSANDTH = Decimal("0.01"), Decimal("0.0001")
TYPED: Mapping[str, Typed] = {
    "concurrency": Typed(1, 10**18, 1),
    "effective_context": Typed(1, 10**18, 1),
    "kv_budget_ratio": Typed(TEN_THOUSANDTH, Decimal(1), TEN_THOUSANDTH),
    "runtime_overhead_gib": Typed(Decimal(0), Decimal(10**15), HUNDREDTH),
    "peak_headroom_ratio": Typed(Decimal(0), Decimal(10**15), TEN_THOUSANDTH),
}
CATALOGS = load_catalogs(str(PROJECT / "catalogs"))
CHOICES = {"kv_precision": ["fp16", "bf16", "fp8", "int8"], "ha_mode": ["none", "n+1"]}


def ways(found: Sensitivity) -> Iterator[tuple[Move | None, int, int | Decimal]]:
    """Both moves of an input, each with its direction and the limit that lies there."""
    yield found.less, -1, TYPED[found.input].least
    yield found.more, 1, TYPED[found.input].most


def assert_true(result: SizingResult, percent: int) -> None:
    """Every end, a point on the way to it and every choice give what the whole method gives."""
    found = sensitivities(result)
    assert [each.input for each in found] == list(TYPED)
    for each in found:
        typed = TYPED[each.input]
        assert each.value == Decimal(str(getattr(result, each.input)))
        assert type(each.value) is type(typed.step)
        for move, direction, limit in ways(each):
            last = limit if move is None else move.last
            assert (last - each.value) * direction >= 0
            for value in (last, typed.between(each.value, last, percent)):
                assert resized(result, **{each.input: value}).nodes_final == result.nodes_final
            if move is not None:
                assert move.next - move.last == direction * typed.step
                assert type(move.last) is type(move.next) is type(typed.step)
                assert move.nodes != result.nodes_final
                assert resized(result, **{each.input: move.next}).nodes_final == move.nodes
    assert [each.input for each in alternatives(result)] == list(CHOICES)
    for choice in alternatives(result):
        assert choice.value == getattr(result, choice.input)
        assert [choice.value] == [
            each
            for each in CHOICES[choice.input]
            if each not in [other.value for other in choice.others]
        ]
        for other in choice.others:
            again = resized(result, **{choice.input: other.value})
            assert again.nodes_final == other.nodes


percents = st.integers(0, 100)
models = st.sampled_from(CATALOGS.models)
servers = st.sampled_from(CATALOGS.servers)


@settings(max_examples=60, deadline=None)
@given(any_case, percents)
def test_every_end_is_where_the_method_changes(case: Case, percent: int) -> None:
    assert_true(sized(case), percent)


@settings(max_examples=60, deadline=None)
@given(boundary_cases(), percents)
def test_every_end_is_exact_where_a_quotient_falls_on_an_integer(case: Case, percent: int) -> None:
    assert_true(sized(case), percent)


@settings(max_examples=60, deadline=None)
@given(any_case, models, servers, percents)
def test_every_end_is_exact_for_what_the_catalogs_hold(
    case: Case, model: Model, server: Server, percent: int
) -> None:
    result = replace(sized(case), model=model, server=server)
    assert_true(resized(result, concurrency=result.concurrency % 10**5 + 1), percent)


@pytest.mark.parametrize(
    ("field", "annotation"),
    [
        ("concurrency", WholeNumber),
        ("effective_context", WholeNumber),
        ("kv_budget_ratio", KvBudgetRatio),
        ("runtime_overhead_gib", RuntimeOverheadGib),
        ("peak_headroom_ratio", PeakHeadroomRatio),
    ],
)
def test_the_limits_are_those_beyond_which_the_method_refuses(field: str, annotation: Any) -> None:
    result, (least, most, step) = b300(), TYPED[field]
    for limit, beyond in ((least, least - step), (most, most + step)):
        resized(result, **{field: limit})
        with pytest.raises(InvalidValueError, match=field):
            resized(result, **{field: beyond})
    assert limits(annotation, int(1 / step)) == (least / step, most / step)


@settings(max_examples=60, deadline=None)
@given(any_case)
def test_what_fits_one_session_is_what_the_alert_says(case: Case) -> None:
    result = sized(case)
    assume(not result.fits)
    by_input = {each.input: each for each in sensitivities(result)}
    kv_bytes = kv_bytes_per_session(result.model, result.effective_context, result.kv_precision)
    ratio = ratio_to_fit(kv_bytes, result.server, result.runtime_overhead_gib)
    more = by_input["kv_budget_ratio"].more
    assert (more and more.next * 10_000) == (ratio if ratio <= 10_000 else None)
    overhead = overhead_to_fit(kv_bytes, result.server, result.kv_budget_ratio)
    less = by_input["runtime_overhead_gib"].less
    assert (less and less.next * 100) == (overhead if overhead >= 0 else None)


def b300(**changed: Any) -> SizingResult:
    """The method's worked case: 613 sessions per node, and nodes 2, 2, 3."""
    load: dict[str, Any] = {"concurrency": 1_000, "effective_context": 131_072, "ha_mode": "n+1"}
    return size(GPT_OSS_120B, DECIMAL_B300, LOCAL, **load | changed)


def test_the_worked_case_by_hand() -> None:
    """One session is S = 2,418,278,400 bytes; the HBM 2304 * 10^9; with headroom 1,200 sessions.

    2 nodes and a spare one need 600 to 1,199 sessions per node; 613 fit.
    """
    assert sensitivities(b300()) == (
        # C * 1.2 <= 2 * 613 up to 1,021.67, and > 613 from 510.83.
        Sensitivity("concurrency", 1_000, Move(511, 510, 2), Move(1_021, 1_022, 4)),
        # 1,200 sessions of (0.7 * HBM - 120 GiB) / 1200 = 1,236,625,817.6 bytes, of which 2304 *
        # 1024 in the windows, and 18,432 a token: 66,963.2 tokens. More are clamped.
        Sensitivity("effective_context", 131_072, Move(66_964, 66_963, 2), None),
        # (600 * S + 120 GiB) / HBM = 0.685684; all of it holds 899 sessions.
        Sensitivity(
            "kv_budget_ratio",
            Decimal("0.7"),
            Move(Decimal("0.6857"), Decimal("0.6856"), 4),
            None,
        ),
        # 0.7 * HBM - 600 * S = 150.7185 GiB; none at all holds 666 sessions.
        Sensitivity(
            "runtime_overhead_gib",
            Decimal(120),
            None,
            Move(Decimal("150.71"), Decimal("150.72"), 4),
        ),
        # 1000 * (1 + h) <= 1,226; without headroom 1,000 sessions are on 2 nodes, too.
        Sensitivity(
            "peak_headroom_ratio",
            Decimal("0.2"),
            None,
            Move(Decimal("0.226"), Decimal("0.2261"), 4),
        ),
    )
    # 306 sessions of 16 bits fit on a node: 1,200 / 306 is 3.92.
    assert alternatives(b300()) == (
        Alternatives(
            "kv_precision",
            "fp8",
            (Alternative("fp16", 5), Alternative("bf16", 5), Alternative("int8", 3)),
        ),
        Alternatives("ha_mode", "n+1", (Alternative("none", 2),)),
    )


def test_the_input_with_the_least_way_to_go_drives_most() -> None:
    # 144 of 7,000; 22 of 1,000; 261 of 2,000; 3,072 of 12,000; 64,109 of 131,072.
    assert [(each.input, each.least_change) for each in drivers(sensitivities(b300()))] == [
        ("kv_budget_ratio", Fraction(144, 7_000)),
        ("concurrency", Fraction(22, 1_000)),
        ("peak_headroom_ratio", Fraction(261, 2_000)),
        ("runtime_overhead_gib", Fraction(3_072, 12_000)),
        ("effective_context", Fraction(64_109, 131_072)),
    ]


def test_what_changes_nothing_or_has_no_shares_drives_nothing() -> None:
    # One session stays on one node down to the last session and token; zero has no shares.
    result = b300(concurrency=1, peak_headroom_ratio=0, runtime_overhead_gib=0, ha_mode="none")
    found = {each.input: each for each in sensitivities(result)}
    assert found["effective_context"] == Sensitivity("effective_context", 131_072, None, None)
    # 613 sessions need 666 / 1 - 1 of headroom; 666 sessions fit without overhead.
    assert found["peak_headroom_ratio"].less is None
    assert found["peak_headroom_ratio"].more == Move(Decimal(665), Decimal("665.0001"), 2)
    assert found["peak_headroom_ratio"].least_change is None
    assert [each.input for each in drivers(found.values())] == ["kv_budget_ratio", "concurrency"]


def test_an_input_that_changes_nothing_down_to_its_limit_says_so() -> None:
    # A token is 36,864 bytes, and even 0.0001 * HBM, 230,400,000 bytes, holds thousands.
    result = b300(concurrency=1, effective_context=1, runtime_overhead_gib=0)
    (ratio,) = (each for each in sensitivities(result) if each.input == "kv_budget_ratio")
    assert ratio == Sensitivity("kv_budget_ratio", Decimal("0.7"), None, None)


def test_nothing_fits_until_an_input_moves_far_enough() -> None:
    """0.05 * HBM is 107.29 GiB, less than the overhead of 120 GiB."""
    assert sensitivities(b300(kv_budget_ratio=0.05)) == (
        Sensitivity("concurrency", 1_000, None, None),
        Sensitivity("effective_context", 131_072, None, None),
        # (S + 120 GiB) / HBM = 0.056975: one session a node.
        Sensitivity(
            "kv_budget_ratio",
            Decimal("0.05"),
            None,
            Move(Decimal("0.0569"), Decimal("0.057"), 1_201),
        ),
        # 0.05 * HBM - S = 105.0362 GiB.
        Sensitivity(
            "runtime_overhead_gib",
            Decimal(120),
            Move(Decimal("105.04"), Decimal("105.03"), 1_201),
            None,
        ),
        Sensitivity("peak_headroom_ratio", Decimal("0.2"), None, None),
    )
