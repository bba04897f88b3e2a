"""The figures behind the sheet Charts, recomputed by three engines, against core."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest

from tests.engines.books import chart_figures, filled_book, the_template
from tests.engines.chart_figures import (
    CONTEXTS,
    HBM,
    NODES,
    PRECISIONS,
    SCENARIOS,
    SHEET,
    hbm_rows,
)
from tests.engines.engines import ENGINES, Cell, Engine, IronCalc
from tests.engines.entries import entries
from tests.engines.loads import Load
from tests.engines.sheets import differences
from tests.engines.test_planted_faults import planted, wrong

each_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)


PLAIN = Load("gpt-oss-120b", "dgx-b300", "profile_default", 1_000, 100_000, ha_mode="n+1")
NO_BUDGET = replace(PLAIN, server="8x-l40s", runtime_overhead_gib=300.0)
WEIGHTS_TOO_LARGE = replace(PLAIN, model="deepseek-v3", server="dgx-h100")
WEIGHTS_IN_THE_OVERHEAD = replace(
    PLAIN, model="llama-3.1-70b", server="8x-l40s", kv_budget_ratio=0.9, runtime_overhead_gib=150.05
)
"""The weights fit beside the KV budget, but not beside budget and overhead."""
NO_WEIGHTS = replace(PLAIN, model="falcon3-mamba-7b", concurrency=3)
ONE_TOKEN = replace(PLAIN, model="wide window", concurrency=1, effective_context=1)
OVERHEAD_OF_A_PART = replace(PLAIN, runtime_overhead_gib=17.37)
"""The overhead is no whole number of bytes."""
ODD = replace(PLAIN, model="all sliding")
"""Its longest context is no multiple of 256."""
MANY = replace(PLAIN, concurrency=10**10, peak_headroom_ratio=0.0)
"""The largest load whose nodes a sheet counts exactly."""
EDGES: Sequence[Load] = (
    PLAIN,
    NO_BUDGET,
    WEIGHTS_TOO_LARGE,
    WEIGHTS_IN_THE_OVERHEAD,
    NO_WEIGHTS,
    ONE_TOKEN,
    ODD,
    MANY,
)


def test_the_edges_are_what_they_are_named_for() -> None:
    results = {load: load.result(entries()) for load in EDGES}
    assert not results[NO_BUDGET].fits
    assert results[NO_WEIGHTS].model.weight_bytes is None
    missing = {load: hbm_rows(result)[-1]["GiB"] for load, result in results.items()}
    assert [load for load in EDGES if missing[load]] == [WEIGHTS_TOO_LARGE]
    overhead = hbm_rows(results[WEIGHTS_IN_THE_OVERHEAD])[2]["GiB"]
    assert isinstance(overhead, float)
    assert 0 < overhead < 150
    many = filled_book([MANY]).charts
    assert many[chart_figures().cell(NODES, "Sessions", 7)] == 10**10
    assert "#N/A" not in many.values()
    assert 0.5 in filled_book([NO_BUDGET]).charts.values()


@each_engine
def test_figures_agree_with_core_where_a_plan_is_at_an_edge(engine: Engine) -> None:
    books = [filled_book([load]) for load in EDGES]
    cells = set().union(*(book.charts for book in books))
    for book, found in zip(books, engine.compute([b.content for b in books], cells), strict=True):
        assert list(differences(book.charts, found)) == [], book.loads[0]


@each_engine
def test_an_unknown_name_leaves_figures_that_charts_leave_out(engine: Engine) -> None:
    book = the_template().filled([PLAIN], typed={the_template().named("Input_Model"): "no such"})
    cells = [
        *(chart_figures().cell(NODES, "Nodes final", row) for row in range(8)),
        *(chart_figures().cell(HBM, "GiB", row) for row in (0, 1, 3, 4)),
        *(chart_figures().cell(PRECISIONS, "KV cache, GiB", row) for row in range(4)),
        *(chart_figures().context_cell(5, place) for place in range(9)),
    ]
    captions: list[Cell] = [(SHEET, "B4"), (SHEET, "H4"), (SHEET, "B30")]
    (found,) = engine.compute([book], [*cells, *captions])
    assert {found[cell] for cell in cells} == {"#N/A"}
    assert all("no model named no such" in str(found[cell]) for cell in captions)


class Fault(NamedTuple):
    """A slip in the formula of a figure."""

    cell: Cell
    part: str
    slip: str
    load: Load = PLAIN


def faults() -> list[Fault]:
    figures = chart_figures()
    _, sessions = figures.cell(NODES, "Sessions", 0)
    first, second = (figures.cell(SCENARIOS, "Row", row)[1] for row in (0, 1))
    return [
        Fault(figures.cell(NODES, "Sessions", 1), "-INT(-", "INT(", NO_WEIGHTS),
        Fault(figures.cell(NODES, "On the axis", 3), "=Step_Sessions", "=Step_KvBytes"),
        Fault(figures.cell(NODES, "Nodes minimum", 0), f"-${sessions}/", "-Step_Sessions/"),
        Fault(figures.cell(NODES, "Nodes with headroom", 2), "+Step_HeadroomParts", ""),
        Fault(figures.cell(NODES, "Nodes final", 2), "+Step_SpareNodes", ""),
        Fault(figures.cell(HBM, "On the axis", 3), "Const_BytesPerGiB", "Const_BytesPerGB"),
        Fault(figures.cell(HBM, "GiB", 0), "Const_BytesPerGiB", "Const_BytesPerGB"),
        Fault(figures.cell(HBM, "Bytes, GB", 0), "MIN(", "MAX(", WEIGHTS_TOO_LARGE),
        Fault(figures.cell(HBM, "Bytes, GB", 1), "MAX(0,", "MIN(0,"),
        Fault(figures.cell(HBM, "Bytes, GB", 2), "-INT(-", "+INT(", OVERHEAD_OF_A_PART),
        Fault(figures.cell(HBM, "Bytes, GB", 3), "Step_KvBytes", "Step_FixedBytes"),
        Fault(figures.cell(HBM, "Bytes, GB", 4), "Step_KvBudgetBytes", "Step_BytesBesideKv"),
        Fault(figures.cell(HBM, "From, GiB", 4), "-$", "+$"),
        Fault(figures.cell(HBM, "GiB", 6), "=$", "<$"),
        Fault(figures.cell(HBM, "GiB", 7), "BytesBesideKv", "HbmBytes", WEIGHTS_TOO_LARGE),
        Fault(figures.cell(PRECISIONS, "KV MB", 0), "*$E", "*$C"),
        Fault(figures.cell(PRECISIONS, "On the axis", 2), "Step_Precision", "Input_KvPrecision"),
        Fault(figures.context_cell(1, 3), "-INT(-", "INT(", ODD),
        Fault(figures.context_cell(3, 8), "MIN(", "MAX("),
        Fault(figures.context_cell(7, 4), "INT(", "0+("),
        Fault(figures.context_cell(5, 4), "Const_NoSession,", "0,", NO_BUDGET),
        Fault(figures.context_cell(5, 4), "$E", "0*$E"),
        Fault(figures.cell(CONTEXTS, "Server", 4), "$C", "Step_ServerRow+0*$C"),
        Fault(figures.cell(SCENARIOS, "Engine bound", 0), f"${first}", f"${second}"),
        Fault((SHEET, "B17"), "Step_HbmBytes", "Step_KvBudgetBytes"),
    ]


def test_a_wrong_formula_behind_a_chart_is_seen() -> None:
    """What is tested is what is compared, so one engine is enough, the fastest."""
    slips = faults()
    # Those of one load stand in one book, unless they are in the same cell.
    books: list[tuple[Load, dict[Cell, str]]] = []
    for cell, part, slip, load in slips:
        formula = planted(cell, part, slip)
        for other, typed in books:
            if other == load and cell not in typed:
                typed[cell] = formula
                break
        else:
            books.append((load, {cell: formula}))
    filled = [filled_book([load], planted=typed) for load, typed in books]
    cells = set().union(*(book.charts for book in filled))
    found = IronCalc().compute([book.content for book in filled], cells)
    for (load, typed), book, values in zip(books, filled, found, strict=True):
        assert set(typed) <= wrong(book.charts, values), load
    assert sum(len(typed) for _, typed in books) == len(slips) >= 20
