"""The full report shows the figures of `xlsizing report`, in every host."""

from typing import Any

import pytest

from tests.excel.report.conftest import LOAD, ROWS, Made
from tests.excel.report.hosts import EVERY_HOST, Host, elsewhere
from tests.excel.report.state import BookState, Formula, Guess, SheetState
from xlsizing.core import Catalogs, size

LABEL, VALUE = 2, 3
TOP = 5

ALIKE = {
    "Output_NodesFinal": "Nodes final",
    "Output_NodesWithHeadroom": "Nodes with headroom",
    "Output_NodesMinimum": "Nodes minimum",
    "Output_SessionsPerNode": "Sessions per node",
    "Output_KvPerSessionGiB": "KV per session GiB",
    "Output_KvTotalTiB": "KV total TiB",
    "Output_Status": "Status",
    "Output_Weights": "Weights",
    "Output_AlertCodes": "Alerts",
    "Step_ClampedContext": "Context held",
    "Step_ElementBytes": "Bytes per element",
    "Step_FixedBytes": "KV bytes that no precision changes",
    "Step_KvBytes": "KV bytes per session",
    "Step_HbmBytes": "HBM bytes per node",
    "Step_KvBudgetBytes": "KV budget bytes per node",
    "Step_BytesBesideKv": "HBM bytes beside the KV budget",
    "Step_WeightBytes": "Weight bytes",
    "Step_ReadBytesPerSecond": "Storage read bytes per second",
    "Step_SpareNodes": "Spare nodes",
    "Input_MaxNumBatchedTokens": "Batched tokens per step",
    "Input_GpuMemoryUtilization": "GPU memory utilisation",
    "Input_ActivationGiB": "Activation per GPU",
}
"""Labels on the sheet Report, by the name of the cell that shows the same figure in a workbook."""


@pytest.mark.parametrize("host", EVERY_HOST)
def test_answer_and_steps_are_those_of_the_workbook(host: Host, made: Made) -> None:
    report = host(made.plan).sheet("Report")
    rows = report.labelled(LABEL)
    for name, label in ALIKE.items():
        sheet, place = made.out.named(name)
        assert same(report.value(rows[label], VALUE), sheet.value(*place)), label


@pytest.mark.parametrize("host", EVERY_HOST)
def test_scenarios_are_those_of_the_workbook(host: Host, made: Made) -> None:
    report = host(made.plan).sheet("Report scenarios")
    heads = {head: column for column, head in enumerate(report.row(TOP), start=1) if head}
    expected = {row["Scenario"]: row for row in table(made.out, "Scenarios") if row["Live"]}
    found = {report.value(row, heads["Scenario"]): row for row in rows_below(report)}
    names = [name or "Scenario 7" for name in expected]
    assert list(found) == names
    assert "Nodes final" in heads
    assert set(SHOWN) <= set(heads)
    for name, row in expected.items():
        at = found[name or "Scenario 7"]
        if row["Status"] in ("OK", NOTHING_FITS, UNSAFE):
            for head in SHOWN:
                assert same(report.value(at, heads[head]), row[head]), (name, head)
        else:
            assert name in ("Wrong", "Too large")
            figures = [report.value(at, heads[head]) for head in SHOWN if head != "Status"]
            assert figures == [None] * (len(SHOWN) - 1)


SHOWN = (
    "Nodes final",
    "Nodes with headroom",
    "Nodes minimum",
    "Sessions per node",
    "KV per session GiB",
    "KV total TiB",
    "Status",
    "Alerts",
    "GPUs",
    "Nodes against base",
    "Against base in %",
    "Context held",
    "Engine nodes final",
)
"""The columns of Scenarios that formulas fill."""

NOTHING_FITS = "Nothing fits: not one session on a node."
UNSAFE = "Unsafe: the weights do not fit beside the KV budget."


def test_the_plan_has_scenarios_of_every_kind(made: Made) -> None:
    statuses = {row["Status"] for row in table(made.out, "Scenarios")}
    assert {"OK", NOTHING_FITS, UNSAFE, ""} <= statuses
    assert len(statuses) == 6


@pytest.mark.parametrize("host", EVERY_HOST)
def test_warnings_are_those_of_the_workbook(host: Host, made: Made) -> None:
    report = host(made.plan).sheet("Report warnings")
    heads = ("Scenario", "Code", "Severity", "Message", "What to do")
    assert report.row(TOP) == list(heads)
    found = [report.row(row) for row in rows_below(report)]
    expected = [
        [row[head] for head in heads]
        for row in table(made.out, "Warnings")
        if row["Active"] == "yes"
    ]
    wrong = ("Wrong", "Too large")
    sized = [line for line in expected if line[0] not in wrong]
    assert [line for line in found if line[0] not in wrong] == sized
    assert len(sized) > 15
    refused = [line for line in found if line[0] in wrong]
    assert [line[:3] for line in refused] == [
        ["Wrong", "UNKNOWN_NAME", "error"],
        ["Wrong", "INVALID_VALUE", "error"],
        ["Too large", "WORKBOOK_LIMIT", "error"],
    ]
    assert "dgx-b300" in refused[0][3]
    assert refused[1][3].startswith("HA: ha_mode is 'twice'; it must be one of none, n+1")


@pytest.mark.parametrize("host", EVERY_HOST)
def test_engine_figures_are_those_of_the_workbook(host: Host, made: Made) -> None:
    report, engine = host(made.plan).sheet("Report"), made.out.sheet("Engine")
    top, expected = report.labelled(LABEL)["Engine bound"], engine.labelled(LABEL)
    for row, label in enumerate(COMPARED, start=top + 1):
        assert report.value(row, LABEL) == label
        for column in range(VALUE, VALUE + 3):
            assert same(report.value(row, column), engine.value(expected[label], column)), label
    top = report.labelled(LABEL)["Where one GPU's memory goes"]
    for row, label in enumerate(PARTS, start=top + 1):
        assert report.value(row, LABEL) == label
        for column in (VALUE, VALUE + 1):
            assert same(report.value(row, column), engine.value(expected[label], column)), label


COMPARED = (
    "KV cache per session",
    "Sessions per node",
    "Nodes minimum",
    "Nodes with headroom",
    "Nodes final",
)
PARTS = ("Weights", "KV cache", "Activation", "Runtime", "Unused")


@pytest.mark.parametrize("host", EVERY_HOST)
def test_charts_are_drawn_from_the_figures_of_the_workbook(host: Host, made: Made) -> None:
    report, charts = host(made.plan).sheet("Report charts"), made.out.sheet("Charts")
    drawn = {chart["name"]: chart for chart in report.charts}
    nodes = figures_of(report, drawn["Nodes by concurrency"])
    assert nodes[0] == [None, "Nodes minimum", "Nodes with headroom", "Nodes final"]
    assert nodes[1:] == area(charts, "Nodes by concurrency", (0, 3, 4, 5), 8)
    precisions = figures_of(report, drawn["KV cache by precision"])
    assert precisions[1:] == area(charts, "KV cache per session by precision", (0, 5), 4)
    engine = table(made.out, "EngineScenarios")
    expected = [
        [each["Scenario"], each["Planning nodes"], each["Steady nodes"], each["Engine nodes"]]
        for each, row in zip(engine, table(made.out, "Scenarios"), strict=True)
        if row["Live"]
    ]
    shown = [
        [name or "Scenario 7", *(count if isinstance(count, int) else None for count in counts)]
        for name, *counts in expected
    ]
    wrong = ("Wrong", "Too large")
    found = figures_of(report, drawn["Nodes by scenario"])[1:]
    assert [each for each in found if each[0] not in wrong] == [
        each for each in shown if each[0] not in wrong
    ]
    memory = figures_of(report, drawn["Memory of one GPU"])
    assert memory[0][1:] == list(PARTS)
    page = made.out.sheet("Engine")
    rows = page.labelled(LABEL)
    assert memory[1][1:] == [pytest.approx(page.value(rows[part], VALUE)) for part in PARTS]


@pytest.mark.parametrize("host", EVERY_HOST)
def test_presets_stand_where_there_is_no_scenario(host: Host, made_without_rows: Made) -> None:
    report = host(made_without_rows.plan).sheet("Report scenarios")
    expected = [row for row in table(made_without_rows.out, "Scenarios") if row["Live"]]
    heads = {head: column for column, head in enumerate(report.row(TOP), start=1) if head}
    found = list(rows_below(report))
    names = ["As asked", "Minimum", "Recommended", "Ideal"]
    assert [report.value(row, 1) for row in found] == names
    for at, row in zip(found, expected, strict=True):
        for head in (*SHOWN, "Scenario", "Peak headroom", "HA"):
            assert same(report.value(at, heads[head]), row[head]), (row["Scenario"], head)


def test_figures_are_those_of_core(made: Made, catalogs: Catalogs) -> None:
    result = size(
        catalogs.model("llama-3.1-70b"),
        catalogs.server("dgx-h200"),
        catalogs.profile("profile_network_ssd"),
        concurrency=777,
        effective_context=20_000,
        kv_precision="fp8",
        kv_budget_ratio=0.6,
        peak_headroom_ratio=0.35,
        ha_mode="n+1",
    )
    report = elsewhere(made.plan).sheet("Report")
    rows = report.labelled(LABEL)
    assert report.value(rows["Nodes final"], VALUE) == result.nodes_final
    assert report.value(rows["KV total TiB"], VALUE) == result.kv_total_tib
    assert report.value(2, LABEL).endswith(" on llama-3.1-70b, served by dgx-h200")


@pytest.mark.parametrize("host", EVERY_HOST)
def test_inputs_are_shown_as_they_were_sized_with(host: Host, made: Made) -> None:
    report = host(made.plan).sheet("Report")
    rows = report.labelled(LABEL)
    shown = {
        label: (report.value(rows[label], VALUE), report.value(rows[label], 6))
        for label in (
            "Model",
            "Server",
            "Concurrency",
            "KV precision",
            "Runtime overhead GiB",
            "HA",
            "Tensor parallel",
            "Batched tokens per step",
            "Batches in flight",
            "KV pool per GPU, if known",
        )
    }
    assert shown == {
        "Model": ("llama-3.1-70b", "typed as Llama-3.1-70B"),
        "Server": ("dgx-h200", "typed as dgx200"),
        "Concurrency": (777, None),
        "KV precision": ("fp8", None),
        "Runtime overhead GiB": (120, "not typed: the default"),
        "HA": ("n+1", None),
        "Tensor parallel": (4, None),
        "Batched tokens per step": (4_096, None),
        "Batches in flight": (2, None),
        "KV pool per GPU, if known": (None, "not typed: from the settings above"),
    }


@pytest.mark.parametrize("host", EVERY_HOST)
def test_text_stays_text_and_numbers_are_numbers(host: Host, made: Made) -> None:
    done = host(made.plan)
    titles = [title for title in done.titles if title not in made.plan.titles]
    values = [value for title in titles for value in done.sheet(title).cells.values()]
    assert not [value for value in values if isinstance(value, Formula | Guess | bool)]
    assert {"=1+1", "May 5"} <= set(values)
    numbers = [value for value in values if not isinstance(value, str)]
    assert len(numbers) > 200
    assert all(isinstance(value, float) for value in numbers), "Windows has no large integers"


def test_text_that_is_shown_through_a_format_is_short(made: Made) -> None:
    plan = made.plan.copy()
    title, (top, left, _, right) = plan.tables["Scenarios"]
    sheet = plan.sheet(title)
    columns = {sheet.value(top, column): column for column in range(left, right + 1)}
    sheet.cells[top + 1, columns["Scenario"]] = "A long name. " * 100
    sheet.cells[top + 2, columns["Model"]] = "no such model " * 100
    sheet.cells[top + 5, columns["KV precision"]] = "no such precision " * 100
    done = elsewhere(plan)
    for each in done.sheets[len(plan.sheets) :]:
        for place, value in each.cells.items():
            if isinstance(value, str):
                assert len(value) <= 1_010
                if each.looks.get(place, {}).get("number_format", "General") != "General":
                    assert len(value) <= 255, (each.title, place)


@pytest.mark.parametrize("host", EVERY_HOST)
def test_a_workbook_that_shows_other_figures_is_told_of(host: Host, made: Made) -> None:
    plan = made.plan.copy()
    sheet, place = plan.named("Output_NodesFinal")
    right = sheet.value(*place)
    sheet.cells[place] = right + 1
    report = host(plan).sheet("Report warnings")
    first = report.row(TOP + 1)
    assert first[:3] == ["Sizing", "WORKBOOK_DIFFERS", "warning"]
    assert f"Nodes final ({right + 1} there, {right} here)" in first[3]
    differing = [report.value(row, 2) for row in rows_below(report)]
    assert differing.count("WORKBOOK_DIFFERS") == 1


def test_a_row_that_shows_other_figures_is_told_of(made: Made) -> None:
    plan = made.plan.copy()
    title, (top, left, _, right) = plan.tables["Scenarios"]
    heads = {plan.sheet(title).value(top, column): column for column in range(left, right + 1)}
    plan.sheet(title).cells[top + 1, heads["Sessions per node"]] = 1
    report = elsewhere(plan).sheet("Report warnings")
    [line] = [report.row(at) for at in rows_below(report) if report.value(at, 2) == DIFFERS]
    assert line[0] == "Pilot"
    assert "Sessions per node (1 there, 2,451 here)" in line[3]


DIFFERS = "WORKBOOK_DIFFERS"


def same(found: Any, expected: Any) -> bool:
    """Whether a cell of the report shows what the workbook shows; words where that has an error."""
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        return bool(found == pytest.approx(expected, rel=1e-12))
    if expected in (None, "", "#NUM!", "not known"):
        return found in (None, "none fits", "not known", "none")
    return bool(found == expected)


def table(book: BookState, name: str) -> list[dict[str, Any]]:
    """The rows of a table by head."""
    title, (top, left, bottom, right) = book.tables[name]
    sheet = book.sheet(title)
    heads = [sheet.value(top, column) for column in range(left, right + 1)]
    return [
        {
            head: sheet.value(row, column) if sheet.value(row, column) is not None else ""
            for column, head in enumerate(heads, start=left)
        }
        for row in range(top + 1, bottom + 1)
    ]


def rows_below(report: SheetState) -> range:
    """The rows of a report's table."""
    return range(TOP + 1, report.extent[0] + 1)


def figures_of(report: SheetState, chart: dict[str, Any]) -> list[list[Any]]:
    """The names and figures that a chart is drawn from, each row with its label."""
    top, left, bottom, right = chart["figures"]
    first, column, last, _ = chart["labels"]
    assert (first, last) == (top + 1, bottom)
    return [
        [
            report.value(row, column) if row > top else None,
            *(report.value(row, place) for place in range(left, right + 1)),
        ]
        for row in range(top, bottom + 1)
    ]


def area(sheet: SheetState, title: str, columns: tuple[int, ...], rows: int) -> list[list[Any]]:
    """Rows of the figures below a title on the workbook's sheet of charts."""
    top = sheet.labelled(LABEL)[title] + 2
    return [
        [sheet.value(row, LABEL + column) for column in columns] for row in range(top, top + rows)
    ]


def test_the_plan_is_typed_as_the_command_line_read_it(made: Made) -> None:
    for name, value in LOAD.items():
        sheet, place = made.plan.named(name)
        assert sheet.value(*place) == value
    assert len(table(made.plan, "Scenarios")) >= len(ROWS)
