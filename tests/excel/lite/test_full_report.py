"""The script "Full report" in Pyodide, with the code that a workbook for Lite carries."""

import os
from typing import Any

from tests.book.plans import LOAD
from tests.conftest import PROJECT
from tests.excel.hosts.officejs import LICENCE, needs_licence
from tests.excel.hosts.pyodide import FOLDER, require_pyodide, run
from tests.excel.report.hosts import elsewhere
from tests.excel.report.plans import bare_workbook

STEPS = (
    "writing the sheet Report",
    "writing the sheet Report scenarios",
    "writing the sheet Report warnings",
    "writing the sheet Report charts",
    "writing the sheet Report in words",
    "putting the sheets in place",
)
"""What Excel is told to do in each batch."""

MODULES = ("state", "payload", "replay")


def made(main_py: str, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the script makes of workbooks with these inputs."""
    folder = PROJECT / "tests" / "excel" / "report"
    modules = {
        f"tests.excel.report.{name}": (folder / f"{name}.py").read_text(encoding="utf-8")
        for name in MODULES
    }
    request = {"main": main_py, "modules": modules, "cases": cases}
    answers: list[dict[str, Any]] = run(FOLDER / "full_report.py", request, key=os.environ[LICENCE])
    return answers


@needs_licence
def test_report_in_pyodide_is_that_of_every_host(main_py: str) -> None:
    require_pyodide()
    refused = range(1, len(STEPS) + 1)
    cases = [
        {"inputs": LOAD, "refuses": 0},
        {"inputs": {**LOAD, "Input_HA": "two"}, "refuses": 0},
        *({"inputs": LOAD, "refuses": batch} for batch in refused),
    ]
    whole, wrong, *taken_back = made(main_py, cases)
    expected = elsewhere(bare_workbook(LOAD))
    assert (whole["sentence"], whole["active"]) == ("", "Report")
    assert whole["names"] == expected.names
    assert list(whole["sheets"]) == expected.titles
    for sheet in expected.sheets:
        found = {(row, column): value for row, column, value in whole["sheets"][sheet.title]}
        assert found == sheet.cells
    assert whole["batches"] == len(STEPS)
    assert (wrong["sentence"], wrong["batches"]) == (
        "HA (Sizing!C10): ha_mode is 'two'; it must be one of none, n+1.",
        0,
    )
    for batch, answer in zip(refused, taken_back, strict=True):
        assert answer["sentence"] == (
            f"The full report could not be made: {STEPS[batch - 1]} failed (Error: batch {batch} "
            "is refused). The workbook is as it was."
        )
        assert (list(answer["sheets"]), answer["active"]) == (["Sizing"], "Sizing")
        assert set(answer["names"]) == set(LOAD)
