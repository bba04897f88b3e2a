"""Rows of Scenarios that cannot be sized, as a report carries them, against three engines.

A row is wrong in one way or in two; every cell of its report must hold what the engines
compute: errors where a figure depends on what is wrong, the right figure where not.
"""

import itertools
import random
from collections.abc import Mapping, Sequence
from functools import cache

import pytest

from tests.conftest import PROJECT
from tests.engines.engines import ENGINES, Cell, Engine, IronCalc, Value, same
from tests.engines.sheets import Template
from tests.engines.test_template import cached_values
from xlsizing.book.build import report
from xlsizing.book.faults import FORMULAS
from xlsizing.book.typed_scenario import typed_scenario
from xlsizing.catalog import load_catalogs
from xlsizing.core import Catalogs, size
from xlsizing.core.engine import EngineSettings
from xlsizing.core.planning.cells import CellError
from xlsizing.core.planning.cells import Value as Typed
from xlsizing.core.planning.plan import TypedRow

ERROR_VALUES = {"#N/A", "#VALUE!", "#NUM!", "#REF!", "#NAME?", "#DIV/0!", "#NULL!"}

each_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)

Row = Mapping[str, Typed]
GOOD: Row = {
    "Model": "gpt-oss-120b",
    "Server": "dgx-b300",
    "Storage": "profile_default",
    "Concurrency": 1_000,
    "Context": 131_072,
    "KvPrecision": "bf16",
}
WRONG: Sequence[tuple[str, Typed]] = (
    ("Model", CellError("#REF!")),
    ("Model", "no-such"),
    ("Model", "gpt*"),
    ("Model", None),
    ("Model", 123),
    ("Server", "dgx-b30?"),
    ("Server", "  "),
    ("Server", CellError("#DIV/0!")),
    ("Storage", "~none"),
    ("Storage", CellError("#NAME?")),
    ("Concurrency", 0),
    ("Concurrency", "1000"),
    ("Concurrency", None),
    ("Concurrency", 10**14 + 1),
    ("Concurrency", 10**14),
    ("Concurrency", CellError("#N/A")),
    ("Context", 0.5),
    ("Context", CellError("#N/A")),
    ("KvPrecision", "fp12"),
    ("KvPrecision", " FP* "),
    ("KvPrecision", 8),
    ("KvPrecision", CellError("#N/A")),
    ("KvBudgetRatio", 1.5),
    ("KvBudgetRatio", 0),
    ("KvBudgetRatio", 0.70001),
    ("KvBudgetRatio", CellError("#NUM!")),
    ("RuntimeOverheadGiB", -0.01),
    ("RuntimeOverheadGiB", 10**6 + 1),
    ("RuntimeOverheadGiB", CellError("#N/A")),
    ("PeakHeadroomRatio", "20%"),
    ("PeakHeadroomRatio", 10**10 + 1),
    ("PeakHeadroomRatio", CellError("#NULL!")),
    ("HA", "n+2"),
    ("HA", CellError("#N/A")),
    ("TensorParallel", 2.5),
    ("TensorParallel", CellError("#N/A")),
)
"""What is typed wrongly; a load of 10^14 sessions is too large with its headroom alone."""

BESIDE: Sequence[tuple[str, Typed]] = (
    ("TensorParallel", 8),
    ("TensorParallel", 3),
    ("KvPrecision", None),
    ("KvBudgetRatio", 0.01),
    ("KvBudgetRatio", 1),
    ("HA", "n+1"),
    ("Model", "llama-3.1-405b"),
    ("Storage", "profile_cloud_premium"),
)
"""What may stand beside it and is not wrong, but makes formulas take other ways."""

SETTINGS = (EngineSettings(), EngineSettings(kv_pool_gib=30.0))
SINGLES: Sequence[Row] = [dict([fault]) for fault in WRONG]
PAIRS: Sequence[Row] = [
    dict(pair)
    for pair in itertools.combinations((*WRONG, *BESIDE), 2)
    if pair[0][0] != pair[1][0] and pair[0] in WRONG
]
ROWS_IN_A_BOOK = 72


@cache
def catalogs() -> Catalogs:
    """The catalogs that the project ships."""
    return load_catalogs(str(PROJECT / "catalogs"))


def book_of(rows: Sequence[Row], settings: EngineSettings) -> bytes:
    """The report of a good load with these rows, each on top of the good one."""
    entries = catalogs()
    scenarios = [
        typed_scenario(TypedRow(f"Row {number}", "yes", {**GOOD, **row}), settings, entries)
        for number, row in enumerate(rows)
    ]
    load = size(
        entries.model("gpt-oss-120b"),
        entries.server("dgx-b300"),
        entries.profile("profile_default"),
        concurrency=10,
        effective_context=1_000,
        settings=settings,
    )
    return report(load, entries, scenarios, "Row 8")


@cache
def books() -> Sequence[tuple[bytes, Sequence[Row]]]:
    """Every fault alone, and pairs in a shuffled order, as many as a test has time for."""
    pairs = list(PAIRS)
    random.Random(20_261_123).shuffle(pairs)
    found = []
    for number, settings in enumerate(SETTINGS):
        rows = [*SINGLES, *pairs[number::2][: ROWS_IN_A_BOOK - len(SINGLES)]]
        for start in range(0, len(rows), ROWS_IN_A_BOOK):
            part = rows[start : start + ROWS_IN_A_BOOK]
            found.append((book_of(part, settings), part))
    return found


def agrees(expected: Value, found: Value, *, is_pair: bool, engine: Engine) -> bool:
    """True where a cell shows what it must."""
    if same(expected, found):
        return True
    # Of two errors LibreOffice may show the other one; Excel's is the first from the left.
    is_other_error = expected in ERROR_VALUES and found in ERROR_VALUES
    return engine.name == "libreoffice" and is_pair and is_other_error


@each_engine
def test_every_cell_of_reports_with_wrong_rows_is_what_the_engine_computes(engine: Engine) -> None:
    cached = [cached_values(book) for book, _ in books()]
    cells = set().union(*cached)
    computed = engine.compute([book for book, _ in books()], cells)
    wrong = []
    for (book, rows), expected, found in zip(books(), cached, computed, strict=True):
        top = Template(book).scenarios.rows[0]
        for (sheet, address), value in expected.items():
            number = int("".join(filter(str.isdigit, address))) - top
            row = rows[number] if sheet == "Scenarios" and 0 <= number < len(rows) else {}
            is_pair = len(row) > 1
            if not agrees(value, found[sheet, address], is_pair=is_pair, engine=engine):
                wrong.append((dict(row), sheet, address, value, found[sheet, address]))
    assert wrong == []
    assert sum(map(len, cached)) > 200 * len(FORMULAS)


ACTIVE: Sequence[Typed] = ("yes", "no", " NO ", "off", "", None, True, False, 0, CellError("#N/A"))


@each_engine
def test_rows_count_as_the_formula_has_it_whatever_stands_in_active(engine: Engine) -> None:
    entries = catalogs()
    rows: Sequence[Row] = (GOOD, {**GOOD, "Model": "no-such"}, {"HA": "n+1"}, {"Model": " "}, {})
    scenarios = [
        typed_scenario(TypedRow("x", active, row), SETTINGS[0], entries)
        for active in ACTIVE
        for row in rows
    ]
    good = size(
        entries.models[0],
        entries.servers[0],
        entries.profiles[0],
        concurrency=1,
        effective_context=1,
    )
    book = report(good, entries, scenarios, "x")
    expected = cached_values(book)
    (found,) = engine.compute([book], expected)
    # A row with a blank for a model lacks its other inputs too.
    wrong = [
        (cell, value, found[cell])
        for cell, value in expected.items()
        if not agrees(value, found[cell], is_pair=True, engine=engine)
    ]
    assert wrong == []
    assert {scenario.is_live for scenario in scenarios} == {True, False}


@pytest.mark.parametrize("place", range(len(WRONG)), ids=lambda place: str(WRONG[place]))
def test_each_fault_shows_in_the_status_and_leaves_right_figures_alone(place: int) -> None:
    symbol, _ = WRONG[place]
    scenario = typed_scenario(
        TypedRow("x", "yes", {**GOOD, **SINGLES[place]}), SETTINGS[0], catalogs()
    )
    good = typed_scenario(TypedRow("x", "yes", GOOD), SETTINGS[0], catalogs()).values
    is_planned = symbol not in ("TensorParallel", "Storage")
    assert (scenario.values["Status"] != "OK") is (symbol != "TensorParallel")
    assert (scenario.values["NodesFinal"] in ERROR_VALUES) is is_planned
    untouched = {
        "Model": ("HbmBytes", "KvBudgetBytes", "ReadBytesPerSecond", "RatioParts", "Sessions"),
        "Server": ("KvBytes", "KvPerSessionGiB", "KvTotalTiB", "WeightBytes"),
        "Storage": ("NodesFinal", "SessionsPerNode", "EngineNodesFinal", "EngineStatus"),
        "Concurrency": ("KvBytes", "SessionsPerNode", "KvPerSessionGiB", "EngineSessionsPerNode"),
        "Context": ("HbmBytes", "KvBudgetBytes", "ElementBytes", "Sessions"),
        "KvPrecision": ("HbmBytes", "KvBudgetBytes", "ClampedContext", "Sessions"),
        "KvBudgetRatio": ("KvBytes", "KvTotalTiB", "EngineNodesFinal", "EngineStatus"),
        "RuntimeOverheadGiB": ("KvBytes", "KvTotalTiB", "EngineNodesFinal", "EngineStatus"),
        "PeakHeadroomRatio": ("SessionsPerNode", "NodesMinimum", "EngineSessionsPerNode"),
        "HA": ("NodesWithHeadroom", "NodesMinimum", "EngineNodesWithHeadroom"),
        "TensorParallel": ("NodesFinal", "SessionsPerNode", "KvBytes", "Status"),
    }[symbol]
    assert {key: scenario.values[key] for key in untouched} == {key: good[key] for key in untouched}


def test_every_row_has_the_value_of_every_formula() -> None:
    for settings in SETTINGS:
        for row in (*SINGLES, *PAIRS[::16]):
            values = typed_scenario(
                TypedRow("x", None, {**GOOD, **row}), settings, catalogs()
            ).values
            assert set(values) >= set(FORMULAS)


def test_a_cell_that_shows_a_figure_in_the_place_of_an_error_is_found() -> None:
    book, rows = books()[0]
    where = Template(book).scenarios
    cell: Cell = where.cell("Nodes final", list(rows).index({"HA": "n+2"}))
    (found,) = IronCalc().compute([book], [cell])
    assert found[cell] == "#VALUE!"
    assert not agrees(2, found[cell], is_pair=True, engine=IronCalc())
