"""The double of xlwings ends in the state that xlwings itself ends in, call by call."""

import time

import pytest

from tests.excel.hosts.officejs import needs_licence
from tests.excel.report.conftest import Made
from tests.excel.report.double import Book, Excel
from tests.excel.report.hosts import actions, by_xlwings, elsewhere, opened
from tests.excel.report.plans import planning_workbook
from tests.excel.report.state import BookState, Formula, Guess, entered
from xlsizing.excel.full_report import build_report


@needs_licence
def test_double_and_xlwings_end_in_the_same_state(made: Made) -> None:
    first = by_xlwings(made.plan)
    assert elsewhere(made.plan) == first
    second = by_xlwings(first)
    assert elsewhere(first) == second == first


@needs_licence
def test_double_counts_the_calls_that_xlwings_sends(made: Made) -> None:
    book = Book(made.plan.copy(), Excel(remote=True))
    build_report(opened(book))
    assert book.excel.writes == len(actions(made.plan))


def test_desktop_ends_in_the_same_values(made: Made) -> None:
    book = Book(made.plan.copy())
    build_report(opened(book))
    other = elsewhere(made.plan)
    for sheet in book.state.sheets:
        same = other.sheet(sheet.title)
        assert (sheet.cells, sheet.looks, sheet.frozen) == (same.cells, same.looks, same.frozen)


def test_desktop_charts_have_the_colours_of_the_palette(made: Made) -> None:
    book = Book(made.plan.copy())
    build_report(opened(book))
    charts = {chart["name"]: chart for chart in book.state.sheet("Report charts").charts}
    drawn = charts["Nodes by scenario"]
    colours = [drawn[f"series_{place}_fill_color"] for place in range(3)]
    assert colours == ["#0B3C5D", "#56B4E9", "#D55E00"]


def test_columns_are_as_wide_in_points_as_in_characters(made: Made) -> None:
    book = Book(made.plan.copy())
    build_report(opened(book))
    desktop, there = book.state, elsewhere(made.plan)
    for title in desktop.titles:
        for column, width in desktop.sheet(title).widths.items():
            pixels = width * 7 + 5
            assert there.sheet(title).widths[column] == pytest.approx(pixels * 3 / 4)
    assert len(desktop.sheet("Report").widths) == 6


@pytest.mark.parametrize(
    ("written", "held"),
    [
        ("'=1+1", "=1+1"),
        ("'007", "007"),
        ("007", 7.0),
        ("=1+1", Formula("=1+1")),
        ("-x", Formula("-x")),
        ("May 5", Guess("May 5")),
        ("1/2", Guess("1/2")),
        ("1,000", 1_000.0),
        ("true", True),
        ("A word", "A word"),
        (7, 7),
    ],
)
def test_state_reads_text_as_excel_does(written: object, held: object) -> None:
    found = entered(written)
    assert (found, type(found)) == (held, type(held))


def many(count: int) -> BookState:
    """A plan with so many scenarios, every tenth of them wrong."""
    row = {
        "Model": "gpt-oss-120b",
        "Server": "dgx-b300",
        "Storage": "profile_default",
        "Concurrency": 1_000,
        "Context": 131_072,
    }
    models = ("gpt-oss-120b", "llama-3.1-70b", "deepseek-v3", "qwen3-32b", "llama-3.1-8b")
    rows = [
        {
            **row,
            "Scenario": f"Scenario {number}",
            "Model": models[number % 5],
            "Concurrency": 100 * number + 1,
            "HA": "twice" if number % 10 == 0 else "n+1",
        }
        for number in range(count)
    ]
    return planning_workbook(rows=rows)


def test_five_hundred_scenarios_take_no_more_calls_than_three() -> None:
    few, more = (Book(many(count), Excel(remote=True)) for count in (3, 500))
    build_report(opened(few))
    began = time.perf_counter()
    build_report(opened(more))
    took = time.perf_counter() - began
    assert more.excel.writes <= few.excel.writes + 10
    report = more.state.sheet("Report scenarios")
    assert report.extent[0] == 505
    wrong = [row for row in range(6, 506) if report.value(row, 2) is None]
    assert wrong == list(range(6, 506, 10))
    assert took < 15, "a person waits for it"
