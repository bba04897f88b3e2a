"""The report workbook: what core computed, as values that need nothing to be shown."""

from typing import Any

import pytest
from openpyxl.workbook import Workbook

from tests.book.test_rules import UNSOURCED
from tests.book.test_template import cells_of_name, read, table_rows, values_of_name
from xlsizing.book.build import report, template
from xlsizing.core import Catalogs, SizingResult, size

OUTPUTS = {
    "Output_KvPerSessionGiB": "kv_per_session_gib",
    "Output_KvTotalTiB": "kv_total_tib",
    "Output_SessionsPerNode": "sessions_per_node",
    "Output_NodesMinimum": "nodes_minimum",
    "Output_NodesWithHeadroom": "nodes_with_headroom",
    "Output_NodesFinal": "nodes_final",
}
INPUTS = {
    "Input_Concurrency": "concurrency",
    "Input_EffectiveContext": "effective_context",
    "Input_KvPrecision": "kv_precision",
    "Input_KvBudgetRatio": "kv_budget_ratio",
    "Input_RuntimeOverheadGiB": "runtime_overhead_gib",
    "Input_PeakHeadroomRatio": "peak_headroom_ratio",
    "Input_HA": "ha_mode",
}
NODES = ("Output_NodesMinimum", "Output_NodesWithHeadroom", "Output_NodesFinal")


def sized(catalogs: Catalogs, model: str, server: str, storage: str, **load: Any) -> SizingResult:
    entry = catalogs.model(model), catalogs.server(server), catalogs.profile(storage)
    return size(*entry, **{"concurrency": 1_000, "effective_context": 131_072, **load})


LOADS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "worked case": ("gpt-oss-120b", "dgx-b300", "profile_default", {"ha_mode": "n+1"}),
    "quiet": ("gpt-oss-120b", "dgx-b300", "profile_default", {"effective_context": 8_192}),
    "cloud": ("gpt-oss-120b", "dgx-h100", "profile_cloud_premium", {"kv_precision": "fp16"}),
    "clamped": ("gpt-oss-120b", "dgx-b300", "profile_hdd", {"effective_context": 999_999}),
    "many nodes": ("gpt-oss-120b", "dgx-h100", "profile_default", {"concurrency": 123_456}),
    "typed": (
        "gpt-oss-120b",
        "dgx-h100",
        "profile_default",
        {"kv_budget_ratio": 0.1234, "runtime_overhead_gib": 0.25, "peak_headroom_ratio": 1.5},
    ),
    "nothing fits": ("gpt-oss-120b", "dgx-b300", "profile_default", {"kv_budget_ratio": 0.01}),
}


@pytest.fixture(scope="module", params=LOADS)
def result(request: pytest.FixtureRequest, catalogs: Catalogs) -> SizingResult:
    model, server, storage, load = LOADS[request.param]
    return sized(catalogs, model, server, storage, **load)


@pytest.fixture(scope="module")
def content(result: SizingResult, catalogs: Catalogs) -> bytes:
    return report(result, catalogs)


@pytest.fixture(scope="module")
def book(content: bytes) -> Workbook:
    return read(content)


@pytest.fixture(scope="module")
def sheets_of_the_template(catalogs: Catalogs) -> list[str]:
    return read(template(catalogs)).sheetnames


def test_sheets_are_those_of_the_template(
    book: Workbook, sheets_of_the_template: list[str]
) -> None:
    assert book.sheetnames == sheets_of_the_template


def test_scenarios_are_the_load_as_asked_and_three_presets(
    book: Workbook, result: SizingResult
) -> None:
    rows = [row for row in table_rows(book, "Scenarios") if row["Scenario"]]
    assert [row["Scenario"] for row in rows] == ["As asked", "Minimum", "Recommended", "Ideal"]
    assert values_of_name(book, "Input_BaseScenario") == ["As asked"]
    asked = {
        "As asked": (result.peak_headroom_ratio, result.ha_mode),
        "Minimum": (0, "none"),
        "Recommended": (0.2, "n+1"),
        "Ideal": (0.4, "n+1"),
    }
    for row in rows:
        headroom, mode = asked[row["Scenario"]]
        assert (row["Peak headroom"], row["HA"]) == (headroom, mode)
        expected = replaced(result, headroom, mode).nodes_final
        assert row["Nodes final"] == ("#NUM!" if expected is None else expected)
        if expected is not None:
            assert result.nodes_final is not None
            assert row["Nodes against base"] == expected - result.nodes_final
            assert row["Against base in %"] == expected / result.nodes_final - 1


def replaced(result: SizingResult, headroom: Any, mode: str) -> SizingResult:
    return size(
        result.model,
        result.server,
        result.storage,
        concurrency=result.concurrency,
        effective_context=result.effective_context,
        kv_precision=result.kv_precision,
        kv_budget_ratio=result.kv_budget_ratio,
        runtime_overhead_gib=result.runtime_overhead_gib,
        peak_headroom_ratio=headroom,
        ha_mode=mode,
    )


def test_cached_outputs_are_those_of_core(book: Workbook, result: SizingResult) -> None:
    for name, field in OUTPUTS.items():
        expected = getattr(result, field)
        assert values_of_name(book, name) == ["#NUM!" if expected is None else expected]


def test_outputs_are_live_formulas(content: bytes) -> None:
    book = read(content, values=False)
    assert all(str(values_of_name(book, name)[0]).startswith("=") for name in OUTPUTS)


def test_inputs_are_those_that_were_typed(book: Workbook, result: SizingResult) -> None:
    for name, field in INPUTS.items():
        given = getattr(result, field)
        if field == "kv_precision" and given == result.model.default_kv_precision:
            given = None  # empty, so that it follows a model that a reader chooses instead
        assert values_of_name(book, name) == [given]
    for name in ("model", "server", "storage"):
        assert values_of_name(book, f"Input_{name.title()}") == [getattr(result, name).name]


def test_warnings_are_the_alerts_of_core(book: Workbook, result: SizingResult) -> None:
    rows = table_rows(book, "Warnings")
    columns = ("Scenario", "Code", "Severity", "Active", "Message", "What to do")
    presets = {"Minimum": (0, "none"), "Recommended": (0.2, "n+1"), "Ideal": (0.4, "n+1")}
    loads = {"Sizing": result, "As asked": result}
    loads |= {name: replaced(result, *preset) for name, preset in presets.items()}
    expected = [
        (name, alert.code, alert.severity, "yes", alert.message, alert.recommendation)
        for name, load in loads.items()
        for alert in load.all_alerts
    ]
    shown = [tuple(row[column] for column in columns) for row in rows]
    assert [row for row in shown if row[3] == "yes"] == expected
    assert {row for row in shown if row[3] != "yes"} == {(None, None, None, "no", None, None)}
    assert shown[: len(expected)] == expected


def test_no_alert_says_so(catalogs: Catalogs) -> None:
    result = sized(catalogs, *LOADS["quiet"][:3], **LOADS["quiet"][3])
    assert result.all_alerts == ()
    book = read(report(result, catalogs))
    assert {row["Active"] for row in table_rows(book, "Warnings")} == {"no"}
    assert str(book["Warnings"]["A3"].value).startswith("No alert holds")


def test_sheet_sizing_shows_the_first_alerts_and_says_where_the_rest_is() -> None:
    result = sized(UNSOURCED, "heavy", "node", "cloud", concurrency=9_999, effective_context=10**6)
    rows = list(read(report(result, UNSOURCED))["Sizing"].iter_rows(2, max_col=4, values_only=True))
    top = next(place for place, row in enumerate(rows) if row[1:3] == ("Alerts", "Severity"))
    shown = [row[1:] for row in rows[top + 1 : top + 7]]
    expected = [(alert.code, alert.severity, alert.message) for alert in result.all_alerts[:6]]
    assert shown == expected
    assert len(result.all_alerts) == 12
    assert rows[top + 7][3] == "and 6 more, on the sheet Warnings"


def test_where_nothing_fits_nodes_are_errors_and_the_status_is_a_sentence(
    catalogs: Catalogs,
) -> None:
    model, server, storage, load = LOADS["nothing fits"]
    book = read(report(sized(catalogs, model, server, storage, **load), catalogs))
    for name in NODES:
        [(sheet, cell)] = cells_of_name(book, name)
        assert (sheet[cell].value, sheet[cell].data_type) == ("#NUM!", "e")
    assert values_of_name(book, "Output_SessionsPerNode") == [0]
    [status] = values_of_name(book, "Output_Status")
    assert status == "Nothing fits: not one session on a node."
    assert table_rows(book, "Warnings")[0]["Code"] == "HBM_BUDGET_INSUFFICIENT"


def test_worked_case_of_the_method(catalogs: Catalogs) -> None:
    model, server, storage, load = LOADS["worked case"]
    book = read(report(sized(catalogs, model, server, storage, **load), catalogs))
    expected = [2_418_278_400 / 2**30, 2_418_278_400_000 / 2**40, 614, 2, 2, 3]
    assert [values_of_name(book, name)[0] for name in OUTPUTS] == expected


def test_catalogs_come_along_whole(book: Workbook, catalogs: Catalogs) -> None:
    for table, kind in (
        ("Models", catalogs.models),
        ("Servers", catalogs.servers),
        ("Storage", catalogs.profiles),
    ):
        assert [row["Name"] for row in table_rows(book, table)] == [entry.name for entry in kind]


def test_same_sizing_gives_the_same_bytes(
    content: bytes, result: SizingResult, catalogs: Catalogs
) -> None:
    assert report(result, catalogs) == content
