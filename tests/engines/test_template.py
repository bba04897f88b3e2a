"""The template recomputed by three engines that others wrote, against core.

Before each computation all formula cells hold 999, or nothing where an engine would
believe that, so agreement can only come from computing.
"""

import io
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import openpyxl
import pytest
from openpyxl.utils import range_boundaries

from tests.conftest import PROJECT
from tests.engines.engines import ENGINES, Cell, Engine, Value, same
from tests.engines.loads import Load, boundary_loads, random_loads, with_test_entries
from tests.engines.sheets import (
    OUTPUT_FIELDS,
    Layout,
    differences,
    expected_cells,
    filled,
    layout,
    named_cell,
)
from xlsizing.book import report, template
from xlsizing.catalog import load_catalogs
from xlsizing.core import ALERT_RULES, Catalogs

RANDOM_LOADS = 200
SEED = 20_260_207

each_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)


@cache
def entries() -> Catalogs:
    return with_test_entries(load_catalogs(str(PROJECT / "catalogs")))


@cache
def empty_template() -> bytes:
    return template(entries())


@cache
def where() -> Layout:
    return layout(empty_template())


@cache
def all_loads() -> tuple[Load, ...]:
    return (*random_loads(entries(), RANDOM_LOADS, SEED), *boundary_loads(entries()))


def in_books(loads: tuple[Load, ...]) -> list[tuple[Load, ...]]:
    rows = len(where().rows)
    return [loads[start : start + rows] for start in range(0, len(loads), rows)]


def test_enough_loads_fall_on_an_integer_or_right_beside_it() -> None:
    assert len(all_loads()) - RANDOM_LOADS >= 100


@each_engine
def test_scenarios_agree_with_core_on_every_output_and_alert(engine: Engine) -> None:
    batches = in_books(all_loads())
    expected = [dict(expected_cells(where(), batch, entries())) for batch in batches]
    books = [filled(empty_template(), batch) for batch in batches]
    found = engine.compute(books, set().union(*expected))
    wrong = [
        f"{batch[0]}: {difference}"
        for batch, wanted, values in zip(batches, expected, found, strict=True)
        for difference in differences(wanted, values)
    ]
    assert sum(map(len, expected)) == len(all_loads()) * 22
    assert wrong == []


def named(name: str) -> Cell:
    return named_cell(openpyxl.load_workbook(io.BytesIO(empty_template())), name)


@each_engine
def test_sizing_sheet_agrees_with_core(engine: Engine) -> None:
    loads = all_loads()[:: len(all_loads()) // 12]
    names = {
        "Output_KvPerSessionGiB": "kv_per_session_gib",
        "Output_KvTotalTiB": "kv_total_tib",
        "Output_SessionsPerNode": "sessions_per_node",
        "Output_NodesMinimum": "nodes_minimum",
        "Output_NodesWithHeadroom": "nodes_with_headroom",
        "Output_NodesFinal": "nodes_final",
    }
    cells = {named(name): field for name, field in names.items()}
    codes = named("Output_AlertCodes")
    books = [filled(empty_template(), (load,)) for load in loads]
    for load, found in zip(loads, engine.compute(books, [*cells, codes]), strict=True):
        result = load.result(entries())
        expected: dict[Cell, Value] = {
            cell: "#NUM!" if getattr(result, field) is None else getattr(result, field)
            for cell, field in cells.items()
        }
        expected[codes] = "; ".join(dict.fromkeys(alert.code for alert in result.all_alerts))
        assert differences(expected, found) == [], load


def table_rows(book: bytes, sheet: str, table: str) -> tuple[dict[str, int], range]:
    page = openpyxl.load_workbook(io.BytesIO(book))[sheet]
    left, top, right, bottom = range_boundaries(page.tables[table].ref)
    assert left
    assert top
    assert right
    assert bottom
    heads = {str(page.cell(top, column).value): column for column in range(left, right + 1)}
    return heads, range(top + 1, bottom + 1)


@each_engine
def test_warnings_sheet_lists_each_active_alert_with_its_text(engine: Engine) -> None:
    troubled = Load("window", "total", "slow", 10**6, 2 * 10**13, "fp16", 0.0001, 0.0)
    large = Load("llama-3.1-70b", "dgx-h100", "profile_cloud_premium", 10**6, 131_072, "bf16", 0.99)
    calm = Load("gpt-oss-20b", "dgx-h200", "profile_default", 100, 1_000, "fp8")
    loads = (large, calm, troubled)
    assert len({alert.rule for load in loads for alert in load.result(entries()).all_alerts}) > 9
    heads, rows = table_rows(empty_template(), "Warnings", "Warnings")
    letters = {head: openpyxl.utils.get_column_letter(column) for head, column in heads.items()}
    shown = ("Scenario", "Code", "Severity", "Active", "Message", "What to do")
    book = filled(empty_template(), loads)
    cells = [("Warnings", f"{letters[head]}{row}") for head in shown for row in rows]
    (found,) = engine.compute([book], cells)
    lines = [[found["Warnings", f"{letters[head]}{row}"] for head in shown] for row in rows]
    active = [line for line in lines if line[3] == "yes"]
    expected = [
        [name, alert.code, alert.severity, "yes", alert.message, alert.recommendation]
        for name, load in (
            ("Sizing", large),
            ("Pilot", large),
            ("Launch", calm),
            ("Growth", troubled),
        )
        for alert in load.result(entries()).all_alerts
    ]
    assert active == expected
    assert len(lines) == len(ALERT_RULES) * (1 + len(where().rows))
    assert {line[3] for line in lines} == {"yes", "no"}


GOOD = Load("gpt-oss-120b", "dgx-b300", "profile_default", 1_000, 131_072, "fp8")
TYPED_WRONG: Mapping[str, tuple[str, object, str, str]] = {
    # what is typed: column, value, error of Nodes final, a part of the status
    "unknown model": ("Model", "no-such-model", "#N/A", "no model named no-such-model"),
    "wildcard": ("Model", "gpt*", "#N/A", "no model named gpt*"),
    "wildcard alias": ("Server", "dgx30?", "#N/A", "no server named dgx30?"),
    "tilde": ("Model", "~gpt-oss-120b", "#N/A", "no model named ~gpt-oss-120b"),
    "part of a name": ("Server", "dgx", "#N/A", "no server named dgx"),
    "no model": ("Model", None, "#N/A", "Choose a model"),
    "too many sessions": ("Concurrency", 10**15, "#VALUE!", "whole number from 1 to 10^14"),
    "half a session": ("Concurrency", 0.5, "#VALUE!", "Concurrency must be a whole number"),
    "no sessions": ("Concurrency", 0, "#VALUE!", "Concurrency must be a whole number"),
    "sessions as text": ("Concurrency", "1000", "#VALUE!", "Concurrency must be a whole number"),
    "negative context": ("Context", -1, "#VALUE!", "Context must be a whole number"),
    "precision": ("KV precision", "fp12", "#VALUE!", "KV precision must be"),
    "precision wildcard": ("KV precision", "fp*", "#VALUE!", "KV precision must be"),
    "ratio above 1": ("KV budget ratio", 1.0001, "#VALUE!", "KV budget ratio must be"),
    "ratio of 0": ("KV budget ratio", 0, "#VALUE!", "KV budget ratio must be"),
    "model as an error": ("Model", "=NA()", "#N/A", "The cell of the model holds an error"),
    "sessions as an error": ("Concurrency", "=1/0", "#VALUE!", "Concurrency must be"),
    "ratio too fine": ("KV budget ratio", 0.70001, "#VALUE!", "KV budget ratio must be"),
    "overhead below 0": ("Runtime overhead GiB", -0.01, "#VALUE!", "Runtime overhead must be"),
    "overhead too fine": ("Runtime overhead GiB", 120.001, "#VALUE!", "Runtime overhead must be"),
    "headroom as text": ("Peak headroom", "20%", "#VALUE!", "Peak headroom must be"),
    "HA": ("HA", "n+2", "#VALUE!", "HA must be"),
}


def with_typed(loads: tuple[Load, ...], typed: list[tuple[int, str, object]]) -> bytes:
    """The template with loads, and some cells of Scenarios typed over: row, column, value."""
    book = openpyxl.load_workbook(io.BytesIO(filled(empty_template(), loads)))
    for row, head, value in typed:
        title, address = where().cell(head, row)
        book[title][address].value = value
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


@each_engine
def test_a_wrong_row_says_what_is_wrong_and_leaves_the_others_alone(engine: Engine) -> None:
    rows = len(where().rows)
    cases = list(TYPED_WRONG.items())
    parts = [cases[start : start + rows] for start in range(0, len(cases), rows)]
    books = [
        with_typed(
            tuple(GOOD for _ in part),
            [(row, head, value) for row, (_, (head, value, _, _)) in enumerate(part)],
        )
        for part in parts
    ]
    heads = ("Nodes final", "Status", "KV per session GiB")
    cells = [where().cell(head, row) for row in range(rows) for head in heads]
    for part, found in zip(parts, engine.compute(books, cells), strict=True):
        for row, (case, (head, _, error, words)) in enumerate(part):
            assert found[where().cell("Nodes final", row)] == error, case
            assert words in str(found[where().cell("Status", row)]), case
            if head not in ("Model", "Context", "KV precision"):
                assert found[where().cell("KV per session GiB", row)] == 2.252197265625, case


@each_engine
def test_an_inactive_row_and_an_empty_row_show_nothing(engine: Engine) -> None:
    book = with_typed((GOOD, GOOD, GOOD), [(1, "Active", " No "), (2, "Active", False)])
    cells = [where().cell(head, row) for head in (*OUTPUT_FIELDS, "Status") for row in range(4)]
    (found,) = engine.compute([book], cells)
    assert same(2, found[where().cell("Nodes final", 0)])
    for head in (*OUTPUT_FIELDS, "Status"):
        for row in (1, 2, 3):
            assert found[where().cell(head, row)] in ("", None), (head, row)


WRONG_FORMULAS = (
    # column, a part of its formula, what a slip would make of it
    ("KV bytes per session", "MIN(", "MAX("),
    ("KV total TiB", "Const_BytesPerTiB", "Const_BytesPerGiB"),
    ("Sessions per node", "INT(", "0+("),
    ("Nodes minimum", "-INT(-", "INT("),
    ("Nodes with headroom", "Const_RatioParts+", "Const_RatioParts-"),
    ("Nodes final", "+", "-"),
    ("Alert long context io", ">Limit_LongContext", "<Limit_LongContext"),
    ("Alert context clamped", "supports", "allows"),
    ("Alerts", "KV_PRECISION_16BIT", "KV_PRECISION"),
)


@each_engine
def test_a_wrong_formula_is_seen(engine: Engine) -> None:
    loads = all_loads()[: len(where().rows)]
    expected = dict(expected_cells(where(), loads, entries()))
    books = [
        _with_wrong_formula(filled(empty_template(), loads), *wrong) for wrong in WRONG_FORMULAS
    ]
    for wrong, found in zip(WRONG_FORMULAS, engine.compute(books, expected), strict=True):
        assert differences(expected, found) != [], wrong


def _with_wrong_formula(book: bytes, head: str, part: str, slip: str) -> bytes:
    opened = openpyxl.load_workbook(io.BytesIO(book))
    for row in range(len(where().rows)):
        title, address = where().cell(head, row)
        formula = str(opened[title][address].value)
        assert part in formula
        opened[title][address].value = formula.replace(part, slip)
    saved = io.BytesIO()
    opened.save(saved)
    return saved.getvalue()


def formula_cells(book: bytes) -> list[Cell]:
    return [
        (sheet.title, cell.coordinate)
        for sheet in openpyxl.load_workbook(io.BytesIO(book))
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


@each_engine
def test_every_cached_value_is_what_the_engine_computes(engine: Engine) -> None:
    nothing_fits = replace(GOOD, server="8x-l40s", runtime_overhead_gib=300.0)
    everything = Load("window", "total", "slow", 10**6, 2 * 10**13, "fp16", 0.0001, 0.0)
    clamped = replace(GOOD, effective_context=999_999, ha_mode="n+1")
    reports = [
        report(load.result(entries()), entries()) for load in (nothing_fits, everything, clamped)
    ]
    for book in (empty_template(), *reports):
        cells = formula_cells(book)
        written = openpyxl.load_workbook(io.BytesIO(book), data_only=True)
        cached: dict[Cell, Value] = {
            (title, address): written[title][address].value for title, address in cells
        }
        (found,) = engine.compute([book], cells)
        assert len(cells) > 80
        assert differences(cached, found) == []
