"""Every load in a row of Scenarios, computed by three engines that others wrote, against core.

Before each computation all formula cells hold 999, or nothing where an engine would
believe that, so agreement can only come from computing. The tests stand in one file, so
that one process computes the books for all of them.
"""

import math

import pytest

from tests.engines.books import (
    COMPARED,
    RANDOM_LOADS,
    all_loads,
    computed,
    engine_sheet,
    planning_loads,
)
from tests.engines.engines import ENGINES, Engine, Value
from tests.engines.entries import entries
from tests.engines.sheets import differences


def number(value: Value) -> float:
    assert isinstance(value, int | float)
    return float(value)


each_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)


def test_enough_loads_fall_on_an_integer_or_right_beside_it() -> None:
    assert len(planning_loads()) >= 100
    assert len(all_loads()) - len(planning_loads()) - RANDOM_LOADS >= 200


@each_engine
def test_scenarios_agree_with_core_on_every_figure_and_alert(engine: Engine) -> None:
    books = computed(engine)
    wrong = [
        f"{book.loads[0]}: {difference}"
        for book, found in books
        for difference in differences(book.scenarios, found)
    ]
    assert sum(len(book.scenarios) for book, _ in books) == len(all_loads()) * len(COMPARED)
    assert wrong == []


@each_engine
def test_sizing_sheet_agrees_with_core(engine: Engine) -> None:
    for book, found in computed(engine):
        assert list(differences(book.sizing, found)) == [], book.loads[0]


@each_engine
def test_the_sheet_engine_agrees_with_core_on_sizing_and_each_scenario(engine: Engine) -> None:
    wrong = [
        f"{book.loads[0]}: {difference}"
        for book, found in computed(engine)
        for difference in differences(book.engine, found)
    ]
    assert wrong == []


@each_engine
def test_the_parts_of_a_gpus_memory_add_up_to_it(engine: Engine) -> None:
    added = 0
    for book, found in computed(engine):
        bound = book.loads[0].result(entries()).engine
        if bound is None or bound.memory.unused == 0:
            continue
        parts = ("Weights", "KV cache", "Activation", "Runtime", "Unused")
        cells = [engine_sheet().cell("Where one GPU's memory goes", part, "C") for part in parts]
        gib = sum(number(found[cell]) for cell in cells)
        assert math.isclose(gib, bound.memory.total / 2**30, rel_tol=1e-12), book.loads[0]
        added += 1
    assert added >= 10


@each_engine
def test_figures_behind_the_charts_agree_with_core(engine: Engine) -> None:
    for book, found in computed(engine):
        assert len(book.charts) > 600
        assert list(differences(book.charts, found)) == [], book.loads[0]
