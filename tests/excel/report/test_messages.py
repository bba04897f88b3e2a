"""What is said of a plan that no report can be made of; the workbook stays as it was."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.book.plans import LOAD
from tests.excel.hosts.officejs import needs_licence
from tests.excel.report.double import Book, Excel
from tests.excel.report.hosts import EVERY_HOST, Host, actions, opened
from tests.excel.report.plans import bare_workbook, dated, planning_workbook
from tests.excel.report.state import BookState, SheetState
from xlsizing.core import Catalogs, SizingError
from xlsizing.excel.full_report import FullReportError, build_report, building


def by_double(state: BookState) -> str:
    """What is said, on the double of the desktop; the workbook and its window are as they were."""
    book = Book(state.copy(), Excel(status_bar="Ready?"))
    with pytest.raises(SizingError) as failure:
        build_report(opened(book))
    assert book.state == state
    assert (book.excel.writes, book.excel.status_bar) == (0, "Ready?")
    return str(failure.value)


def by_xlwings(state: BookState) -> str:
    """The same of xlwings' own remote engine."""
    with pytest.raises(SizingError) as failure:
        actions(state)
    return str(failure.value)


said = pytest.mark.parametrize(
    "said", [by_double, pytest.param(by_xlwings, marks=needs_licence)], ids=["double", "xlwings"]
)


@said
def test_a_workbook_that_is_no_plan(said: Any) -> None:
    words = (
        "Book1 has none of the cells that a report is made from, such as Input_Model; press the "
        "button in a planning workbook, which `xlsizing template` makes."
    )
    empty = BookState("Book1", [SheetState("Sheet1")], active="Sheet1")
    assert said(empty) == words
    empty.names["Total"] = "=Sheet1!$A$1"
    assert said(empty) == words


@said
def test_a_name_that_is_gone(said: Any) -> None:
    state = bare_workbook(LOAD)
    del state.names["Input_Server"]
    assert said(state) == (
        "Bare.xlsx has no name Input_Server; give the cell of the input that name again under "
        "Formulas, Name Manager."
    )


@said
@pytest.mark.parametrize("refers_to", ["=#REF!$C$2", "=Sizing!$C$2:$C$3", '="dgx-b300"'])
def test_a_name_that_stands_for_no_cell(said: Any, refers_to: str) -> None:
    state = bare_workbook(LOAD)
    state.names["Input_Server"] = refers_to
    assert said(state) == (
        f"The name Input_Server in Bare.xlsx does not stand for one cell any more ({refers_to}); "
        "give it a cell under Formulas, Name Manager."
    )


@said
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "Input_Model",
            "gpt-oss-121b",
            "Model (Sizing!C1): There is no model named 'gpt-oss-121b' in the catalog; the nearest",
        ),
        ("Input_Server", None, "Server (Sizing!C2): server is missing; it must be the name of a"),
        ("Input_Storage", "#N/A", "Storage (Sizing!C3): storage is '#N/A'; it must be a value"),
        (
            "Input_Concurrency",
            "a thousand",
            "Concurrency (Sizing!C4): concurrency is 'a thousand'; it must be a whole number",
        ),
        ("Input_Concurrency", 0.5, "Concurrency (Sizing!C4): concurrency is 0.5; it must be a"),
        ("Input_Concurrency", True, "Concurrency (Sizing!C4): concurrency is True; it must be"),
        ("Input_EffectiveContext", "#SPILL!", "Context (Sizing!C5): effective_context is '#SPILL"),
        ("Input_KvPrecision", "fp4", "KV precision (Sizing!C6): kv_precision is 'fp4'; it must"),
        ("Input_KvBudgetRatio", 1.5, "KV budget ratio (Sizing!C7): kv_budget_ratio is 1.5; it"),
        ("Input_HA", "yes", "HA (Sizing!C10): ha_mode is 'yes'; it must be one of none, n+1"),
    ],
)
def test_an_input_that_is_refused(said: Any, name: str, value: Any, words: str) -> None:
    assert said(bare_workbook({**LOAD, name: value})).startswith(words)


@said
def test_a_name_that_only_the_workbook_has(said: Any) -> None:
    state = planning_workbook({"Input_Server": " Our own  DGX"})
    title, (_, left, bottom, _) = state.tables["Servers"]
    state.sheet(title).cells[bottom, left] = "our own dgx"
    assert said(state).endswith(
        " It stands only in the workbook's own table Servers: add it to the catalogs that the "
        "button reads."
    )
    state.sheet(title).cells[bottom, left] = "another"
    assert "It stands only" not in said(state)


@said
def test_a_setting_of_the_engine_that_is_refused(said: Any) -> None:
    words = said(bare_workbook({**LOAD, "Input_GpuMemoryUtilization": 92}))
    assert words.startswith(
        "GPU memory utilisation (Sizing!C11): gpu_memory_utilization is 92; it must be"
    )


@said
def test_a_load_that_no_sheet_counts(said: Any) -> None:
    words = said(bare_workbook({**LOAD, "Input_Concurrency": 10**14}))
    assert words.startswith("A workbook cannot count this sizing exactly, since concurrency with")


@said
def test_a_column_of_scenarios_that_is_gone(said: Any) -> None:
    state = planning_workbook()
    title, (top, left, _, right) = state.tables["Scenarios"]
    sheet = state.sheet(title)
    [at] = [place for place in range(left, right + 1) if sheet.value(top, place) == "Storage"]
    sheet.cells[top, at] = "Disks"
    assert said(state) == (
        "The table Scenarios on Scenarios has no column 'Storage'; give the column that name again."
    )


def test_more_rows_than_are_read() -> None:
    state = bare_workbook(LOAD)
    state.tables["Scenarios"] = "Sizing", (50, 1, 10_051, 13)
    for column, head in enumerate(HEADS, start=1):
        state.sheets[0].cells[50, column] = head
    assert by_double(state) == (
        "The table Scenarios on Sizing has 10,001 rows; at most 10,000 are read."
    )


HEADS = (
    "Scenario",
    "Active",
    "Model",
    "Server",
    "Storage",
    "Concurrency",
    "Context",
    "KV precision",
    "KV budget ratio",
    "Runtime overhead GiB",
    "Peak headroom",
    "HA",
    "Tensor parallel",
)


def test_what_nobody_foresaw_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("nodes")

    monkeypatch.setattr(building, "results_page", broken)
    words = by_double(bare_workbook(LOAD))
    assert words == (
        "The full report could not be made: sizing 1 load failed ('nodes'). The workbook is as it "
        "was."
    )


def test_what_windows_says_is_said_on() -> None:
    class ComError(Exception):
        """As pywin32 raises it."""

        excepinfo = (0, "Microsoft Excel", "You can't add a sheet \r\n here.", None, 0, -1)

    book = Book(bare_workbook(LOAD))

    def refuse(*_: object, **__: object) -> None:
        raise ComError(-2147352567, "Exception occurred.", ComError.excepinfo, None)

    book.sheets.add = refuse  # type: ignore[method-assign, assignment]
    with pytest.raises(FullReportError, match=r"\(You can't add a sheet here\)\. The workbook is"):
        build_report(opened(book))


def test_a_status_bar_that_cannot_be_read_is_a_sentence() -> None:
    class Busy(type(Book(bare_workbook(LOAD)).app)):  # type: ignore[misc]
        @property
        def status_bar(self) -> Any:
            raise RuntimeError("Excel is being edited")

    state = bare_workbook(LOAD)
    book = Book(state.copy())
    book.app = Busy(book.excel)
    with pytest.raises(FullReportError) as failure:
        build_report(opened(book))
    assert book.state == state
    assert str(failure.value) == (
        "The full report could not be made: speaking to Excel failed (Excel is being edited). The "
        "workbook is as it was."
    )


def test_a_status_bar_that_fails_once_is_taken_back_like_any_step() -> None:
    state = bare_workbook(LOAD)
    book = Book(state.copy())
    said: list[Any] = []

    class Failing(type(book.app)):  # type: ignore[misc]
        @property
        def status_bar(self) -> Any:
            return False

        @status_bar.setter
        def status_bar(self, value: Any) -> None:
            said.append(value)
            if len(said) == 5:
                raise RuntimeError("Excel is busy")

    book.app = Failing(book.excel)
    with pytest.raises(FullReportError, match="writing the sheet Report scenarios failed"):
        build_report(opened(book))
    assert book.state == state
    assert said[-1] is False


NEW_YEAR = datetime(2026, 1, 1)  # noqa: DTZ001 - as hosts hand it over


@pytest.mark.parametrize("value", [NEW_YEAR, Decimal(46_023), 46_023.0])
def test_dates_and_money_are_numbers(catalogs: Catalogs, value: Any) -> None:
    typed = bare_workbook({**LOAD, "Input_Concurrency": value})
    book = Book(typed, Excel(remote=True))
    build_report(opened(book), catalogs)
    shown = book.state.sheet("Report")
    assert shown.value(shown.labelled(2)["Concurrency"], 3) == 46_023


@needs_licence
def test_dates_are_numbers_in_xlwings_too() -> None:
    state = bare_workbook({**LOAD, "Input_Concurrency": dated(NEW_YEAR)})
    values = [each["values"] for each in actions(state) if each["func"] == "setValues"]
    rows = {row[1]: row[2] for row in values[0]}
    assert rows["'Concurrency"] == 46_023


def test_a_status_bar_that_cannot_be_put_back_spoils_no_report() -> None:
    book = Book(bare_workbook(LOAD))

    class Failing(type(book.app)):  # type: ignore[misc]
        @property
        def status_bar(self) -> Any:
            return False

        @status_bar.setter
        def status_bar(self, value: Any) -> None:
            if value is False:
                raise RuntimeError("Excel is busy")

    book.app = Failing(book.excel)
    build_report(opened(book))
    assert "Report charts" in book.state.titles


@pytest.mark.parametrize("host", EVERY_HOST)
@pytest.mark.parametrize(("totals", "count"), [(False, 25), (True, 19)])
def test_rows_below_a_table_are_read_unless_it_ends_in_totals(
    host: Host, totals: bool, count: int
) -> None:
    row = {
        "Scenario": "One",
        "Model": "gpt-oss-120b",
        "Server": "dgx-b300",
        "Storage": "profile_default",
        "Concurrency": 10,
        "Context": 1_000,
    }
    rows = [{**row, "Scenario": f"S{number}"} for number in range(25)]
    state = planning_workbook(rows=rows)
    title, (top, left, _, right) = state.tables["Scenarios"]
    state.tables["Scenarios"] = title, (top, left, top + 20, right)
    state.totals = {"Scenarios"} if totals else set()
    report = host(state).sheet("Report scenarios")
    names = [report.value(at, 1) for at in range(6, report.extent[0] + 1)]
    assert names == [f"S{number}" for number in range(count)]
