"""Each fault alone is found by one check, with what was found and the one thing to do."""

import re

import pytest

from tests.excel.doctor.machines import (
    CLASSIC,
    MAC_CLASSIC,
    WINDOWS_FILES,
    MadeUpPythons,
    findings,
    linux,
    mac,
    outcomes,
    windows,
)
from tests.excel.doctor.states import STATES, State
from xlsizing.excel.doctor import CHECKS, Machine, Outcome, WorkbookFacts

FIRST_WORDS = {
    *("Ask", "Choose", "Clear", "Install", "Keep", "Mend", "Name", "Put", "Rename", "Run"),
    *("Save", "Set", "Take", "Tick", "Use", "Write"),
}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_a_fault_is_found_by_its_check_and_by_no_other(state: State) -> None:
    found = findings(state.machine, state.workbook)
    assert outcomes(found, Outcome.PROBLEM) == [state.check]
    for part in state.what:
        assert part in found[state.check].what
    assert found[state.check].mend == state.mend


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_there_is_one_thing_to_do(state: State) -> None:
    for finding in findings(state.machine, state.workbook).values():
        assert bool(finding.mend) is (finding.outcome is Outcome.PROBLEM)
        if finding.mend:
            assert finding.mend.partition(" ")[0] in FIRST_WORDS
            assert not re.search(r"[.;:] [A-Z]", finding.mend)
        assert finding.what.isprintable()
        assert finding.mend.isprintable()


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_that_can_find_a_fault_is_seen_to(check: str) -> None:
    never = {"Excel", "Lite", "licence", "catalogs"}  # catalogs: tests of their own
    assert (check in {state.check for state in STATES}) is (check not in never)


@pytest.mark.parametrize(
    ("machine", "workbook", "skipped"),
    [
        (windows(), CLASSIC, set()),
        (windows(), None, {"workbook", "mark of the web", "location", "neighbours"}),
        (mac(), MAC_CLASSIC, {"project access", "mark of the web"}),
    ],
    ids=["Windows", "Windows without a workbook", "Mac"],
)
def test_on_a_good_machine_all_is_well(
    machine: Machine, workbook: WorkbookFacts | None, skipped: set[str]
) -> None:
    found = findings(machine, workbook)
    assert set(outcomes(found, Outcome.NOT_CHECKED)) == skipped
    assert set(outcomes(found, Outcome.OK)) == set(CHECKS) - skipped


def test_without_excel_the_rest_is_checked() -> None:
    without = {
        "Linux": linux(),
        "Windows": windows(registry={_app_paths(): None}),
        "Mac": mac({"/Applications/Microsoft Excel.app/Contents/MacOS/Microsoft Excel": None}),
    }
    for system, machine in without.items():
        found = findings(machine)
        assert found["Excel"].outcome is Outcome.NOT_CHECKED, system
        assert "no Excel" in found["Excel"].what or "not installed" in found["Excel"].what
        for check in ("add-in", "bridge", "interpreter", "macros", "project access"):
            assert found[check].outcome is Outcome.NOT_CHECKED, (system, check)
        for check in ("python", "packages", "functions", "catalogs", "Lite", "licence"):
            assert found[check].outcome is Outcome.OK, (system, check)


def _app_paths() -> tuple[str, str]:
    key = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
    return key, ""


@pytest.mark.parametrize(
    ("has_lite_code", "what"),
    [(False, "needs nothing here"), (True, "carries code for xlwings Lite")],
)
def test_a_workbook_without_macros_needs_no_add_in(has_lite_code: bool, what: str) -> None:
    """However broken the add-in is, and whatever OneDrive does."""
    machine = windows(
        {name: None for name in WINDOWS_FILES if "xlwings" in name},
        environment={"OneDrive": r"C:\plans"},
    )
    workbook = WorkbookFacts(r"C:\plans\plan.xlsx", has_lite_code=has_lite_code)
    found = findings(machine, workbook)
    assert outcomes(found, Outcome.PROBLEM) == []
    assert found["workbook"].outcome is Outcome.OK
    assert what in found["workbook"].what


def test_what_a_broken_python_cannot_say_is_not_checked() -> None:
    found = findings(windows(run=MadeUpPythons({})), CLASSIC)
    assert outcomes(found, Outcome.PROBLEM) == ["python"]
    for check in ("functions", "interpreter", "add-in", "bridge"):
        assert found[check].outcome is Outcome.NOT_CHECKED
