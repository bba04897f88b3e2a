"""A plan with everything in it, and what `xlsizing report --from` made of it."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import xlsxwriter

from tests.book.plans import HEADS
from tests.excel.report.plans import planning_workbook, state_of
from tests.excel.report.state import BookState
from xlsizing.cli import main

LOAD: dict[str, Any] = {
    "Input_Model": "  Llama-3.1-70B ",
    "Input_Server": "dgx200",
    "Input_Storage": "profile_network_ssd",
    "Input_Concurrency": 777,
    "Input_EffectiveContext": 20_000,
    "Input_KvPrecision": "FP8",
    "Input_KvBudgetRatio": 0.6,
    "Input_RuntimeOverheadGiB": None,
    "Input_PeakHeadroomRatio": 0.35,
    "Input_HA": "N+1",
    "Input_TensorParallel": 4,
    "Input_MaxNumBatchedTokens": 4_096,
    "Input_BaseScenario": "Launch",
}
"""What is typed on Sizing and Engine, by the names of the cells."""

LIKE_A_FORMULA = "=1+1"
"""A name that Excel would compute, if it were not told that it is text."""

_GOOD = {
    "Model": "gpt-oss-120b",
    "Server": "dgx-b300",
    "Storage": "profile_default",
    "Concurrency": 1_000,
    "Context": 131_072,
}

ROWS: list[dict[str, Any]] = [
    {**_GOOD, "Scenario": "Pilot", "Concurrency": 200, "Context": 32_768, "HA": "none"},
    {**_GOOD, "Scenario": "Launch", "Active": True, "KvPrecision": "bf16"},
    {**_GOOD, "Scenario": "Switched off", "Active": "No"},
    {},
    {**_GOOD, "Scenario": LIKE_A_FORMULA, "Model": "opt-oss-120b", "Concurrency": 5_000.0},
    {**_GOOD, "Scenario": "May 5", "Server": "8x-l40s", "Model": "deepseek-v3"},
    {**_GOOD, "Model": "llama-3.1-8b", "Server": "8x-l40s", "PeakHeadroomRatio": 0},
    {**_GOOD, "Scenario": "Wrong", "Server": "dgx-b3000", "HA": "twice"},
    {**_GOOD, "Scenario": "Clamped", "Context": 10**6, "TensorParallel": 2},
    {**_GOOD, "Scenario": "Too large", "Concurrency": 10**14},
    {**_GOOD, "Scenario": "None fits", "Server": "8x-l40s", "RuntimeOverheadGiB": 300},
    {**_GOOD, "Scenario": "Bare", "RuntimeOverheadGiB": 10.25, "KvBudgetRatio": 0.9},
]


class Made(NamedTuple):
    """A plan, and the workbook that the command line made of it."""

    plan: BookState
    """As its formulas show it: they come to the figures of the command line's workbook."""
    out: BookState


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A plan with scenarios of every kind."""
    return _made(tmp_path_factory.mktemp("typed"), ROWS)


@pytest.fixture(scope="session")
def made_without_rows(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The same load without a scenario."""
    return _made(tmp_path_factory.mktemp("presets"), [])


def _made(folder: Path, rows: list[dict[str, Any]]) -> Made:
    _write(folder / "plan.xlsx", rows)
    out = folder / "out.xlsx"
    main(["report", str(out), "--from", str(folder / "plan.xlsx")])
    made = state_of(out.read_bytes(), "out.xlsx")
    plan = planning_workbook(LOAD, rows)
    for name in plan.names:
        if name.startswith("Output_"):
            (sheet, place), (same, there) = plan.named(name), made.named(name)
            sheet.cells[place] = same.value(*there)
    if rows:
        title, area = made.tables["Scenarios"]
        plan.sheet(title).cells = dict(made.sheet(title).cells)
        plan.tables["Scenarios"] = title, area
    return Made(plan, made)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    """A workbook with what was typed, and nothing of ours besides."""
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False})
    sizing, scenarios = book.add_worksheet("Sizing"), book.add_worksheet("Scenarios")
    for row, name in enumerate([*LOAD, *_EMPTY]):
        sizing.write(row, 2, LOAD.get(name))
        book.define_name(name, f"=Sizing!$C${row + 1}")
    for row, typed in enumerate(rows, start=1):
        for column, symbol in enumerate(HEADS):
            scenarios.write(row, column, typed.get(symbol))
    heads = [{"header": head} for head in HEADS.values()]
    area = (0, 0, max(1, len(rows)), len(HEADS) - 1)
    scenarios.add_table(*area, {"name": "Scenarios", "columns": heads})
    book.close()


_EMPTY = ("Input_BatchesInFlight", "Input_KvPoolGiB")


@pytest.fixture(autouse=True)
def _default_catalogs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogs that the project ships, whatever the machine has set."""
    monkeypatch.delenv("XLSIZING_CATALOGS", raising=False)
