"""The method as properties: against fractions, and against its own answers."""

import math
from dataclasses import replace
from decimal import Decimal

from hypothesis import assume, given, settings

from tests.core.exact_reference import answer
from tests.core.strategies import Case, any_case, boundary_cases, entries, resized, sized
from xlsizing.core import (
    SizingResult,
    calc_kv_per_session_gib,
    calc_nodes_required,
    calc_sessions_per_node,
    generate_storage_warnings,
    size,
)
from xlsizing.core.capacity import bytes_beside_kv, kv_budget_bytes
from xlsizing.core.kv_cache import kv_bytes_per_session
from xlsizing.core.remedies import (
    context_to_fit,
    hbm_for_weights,
    hbm_to_fit,
    overhead_to_fit,
    ratio_for_weights,
    ratio_to_fit,
)

OUTPUTS = (
    "kv_per_session_gib",
    "kv_total_tib",
    "sessions_per_node",
    "nodes_minimum",
    "nodes_with_headroom",
    "nodes_final",
)


def assert_agrees(case: Case) -> None:
    result = sized(case)
    expected = answer(*case)
    for name in OUTPUTS:
        assert getattr(result, name) == expected[name], name
    assert [alert.code for alert in result.alerts] == expected["alerts"]
    assert result.warnings == [alert.message for alert in result.alerts]


@settings(max_examples=200, deadline=None)
@given(any_case)
def test_agrees_with_fractions_everywhere(case: Case) -> None:
    assert_agrees(case)


@settings(max_examples=600, deadline=None)
@given(boundary_cases())
def test_agrees_with_fractions_where_a_quotient_falls_on_an_integer(case: Case) -> None:
    assert_agrees(case)


@settings(max_examples=100, deadline=None)
@given(any_case)
def test_the_named_functions_give_what_the_whole_sizing_gives(case: Case) -> None:
    result = sized(case)
    kv_gib, messages = calc_kv_per_session_gib(
        result.model, result.effective_context, result.kv_precision
    )
    assert kv_gib == result.kv_per_session_gib
    per_node = calc_sessions_per_node(
        result.server, kv_gib, result.kv_budget_ratio, result.runtime_overhead_gib
    )
    assert per_node == result.sessions_per_node
    nodes = calc_nodes_required(
        result.concurrency, per_node, result.peak_headroom_ratio, result.ha_mode
    )
    assert nodes == (result.nodes_minimum, result.nodes_with_headroom, result.nodes_final)
    codes = {"CONTEXT_CLAMPED", "KV_PRECISION_16BIT"}
    assert messages == [alert.message for alert in result.alerts if alert.code in codes]
    storage = {"LONG_CONTEXT_IO", "STORAGE_CLOUD_LATENCY", "STORAGE_COLD_START"}
    warnings = generate_storage_warnings(
        result.storage, result.model, result.effective_context, result.server
    )
    assert warnings == [alert.message for alert in result.alerts if alert.code in storage]


@settings(max_examples=100, deadline=None)
@given(any_case)
def test_a_float_an_integer_and_a_decimal_mean_the_same(case: Case) -> None:
    result = sized(case)
    load = case[3]
    again = size(
        result.model,
        result.server,
        result.storage,
        concurrency=float(load["concurrency"]),
        effective_context=Decimal(load["effective_context"]),
        kv_precision=load["kv_precision"],
        kv_budget_ratio=Decimal(load["kv_budget_ratio"]),
        runtime_overhead_gib=Decimal(load["runtime_overhead_gib"]),
        peak_headroom_ratio=Decimal(load["peak_headroom_ratio"]),
        ha_mode=load["ha_mode"],
    )
    assert again.nodes_final == result.nodes_final
    assert again.warnings == result.warnings
    assert isinstance(again.concurrency, int)


@settings(max_examples=150, deadline=None)
@given(any_case)
def test_each_remedy_is_the_smallest_change_that_fits_one_session(case: Case) -> None:
    result = sized(case)
    assume(not result.fits)
    kv_bytes = kv_bytes_per_session(result.model, result.effective_context, result.kv_precision)
    ratio = ratio_to_fit(kv_bytes, result.server, result.runtime_overhead_gib)
    if ratio <= 10_000:
        assert resized(result, kv_budget_ratio=ratio / 10_000).fits
        if ratio > 1:
            assert not resized(result, kv_budget_ratio=(ratio - 1) / 10_000).fits
    overhead = overhead_to_fit(kv_bytes, result.server, result.kv_budget_ratio)
    if overhead >= 0:
        assert resized(result, runtime_overhead_gib=Decimal(overhead) / 100).fits
        assert not resized(result, runtime_overhead_gib=Decimal(overhead + 1) / 100).fits
    budget = kv_budget_bytes(result.server, result.kv_budget_ratio, result.runtime_overhead_gib)
    element = 2 if result.kv_precision in ("fp16", "bf16") else 1
    context = context_to_fit(result.model, budget, element)
    if context >= 1:
        assert resized(result, effective_context=context).fits
    assert not resized(result, effective_context=context + 1).fits
    hbm = hbm_to_fit(kv_bytes, result.kv_budget_ratio, result.runtime_overhead_gib)
    assert kv_bytes <= share_of(hbm, result)
    assert kv_bytes > share_of(hbm - 1, result)


@settings(max_examples=100, deadline=None)
@given(any_case)
def test_precision_and_context_are_remedies_where_they_help(case: Case) -> None:
    result = sized(case)
    assume(not result.fits)
    (said,) = (
        alert.recommendation for alert in result.alerts if alert.code == "HBM_BUDGET_INSUFFICIENT"
    )
    assert ("kv_precision fp8" in said) == resized(result, kv_precision="fp8").fits
    assert ("effective_context" in said) == resized(result, effective_context=1).fits


def share_of(hbm_hundredths: int, result: SizingResult) -> Decimal:
    """The KV budget in bytes of a node with so many hundredths of a GiB."""
    hbm = Decimal(hbm_hundredths) / 100 * 2**30
    ratio = Decimal(str(result.kv_budget_ratio))
    return hbm * ratio - Decimal(str(result.runtime_overhead_gib)) * 2**30


@settings(max_examples=150, deadline=None)
@given(boundary_cases())
def test_each_remedy_for_the_weights_is_the_smallest_change(case: Case) -> None:
    result = sized(case)
    weights = result.model.weight_bytes
    assume(weights is not None)
    assert weights is not None
    assume("WEIGHTS_NOT_COVERED" in {alert.code for alert in result.alerts})
    ratio = ratio_for_weights(weights, result.server, result.runtime_overhead_gib)
    if ratio > 0:
        assert weights <= bytes_beside_kv(
            result.server, ratio / 10_000, result.runtime_overhead_gib
        )
        assert weights > bytes_beside_kv(
            result.server, (ratio + 1) / 10_000, result.runtime_overhead_gib
        )
    hbm = hbm_for_weights(weights, result.kv_budget_ratio, result.runtime_overhead_gib)
    if hbm > 0:
        size_of_node = Decimal(hbm) / 100 * 2**30
        assert weights <= size_of_node - share_of(hbm, result)
        one_less = Decimal(hbm - 1) / 100 * 2**30
        assert weights > one_less - share_of(hbm - 1, result)


@settings(max_examples=100, deadline=None)
@given(any_case)
def test_more_load_never_needs_fewer_nodes(case: Case) -> None:
    result = sized(case)
    assume(result.fits)
    assert result.nodes_minimum
    assert result.nodes_with_headroom
    assert result.nodes_final
    more = resized(result, concurrency=result.concurrency + 1)
    longer = resized(result, effective_context=result.effective_context + 1)
    assert more.nodes_final
    assert result.nodes_minimum <= result.nodes_with_headroom <= result.nodes_final
    assert more.nodes_final >= result.nodes_final
    assert longer.sessions_per_node <= result.sessions_per_node
    assert math.isclose(result.kv_total_tib * 1024, result.kv_per_session_gib * result.concurrency)


@given(any_case)
@settings(max_examples=50, deadline=None)
def test_entries_and_results_cannot_be_changed_and_can_be_compared(case: Case) -> None:
    first, second = sized(case), sized(case)
    assert first == second
    assert len({first.model, replace(first.model)}) == 1
    assert entries(case)[0] == first.model
