"""A workbook may come from anybody: nothing that it names is started, and no other computer asked."""

import pytest

from tests.excel.doctor.machines import (
    BESIDE_PLAN,
    OTHER_PYTHON,
    OWN_SETTINGS,
    PLAN,
    PYTHON,
    VENV,
    MadeUpFiles,
    MadeUpPythons,
    findings,
    said,
    windows,
)
from xlsizing.excel.doctor import Machine, Outcome, WorkbookFacts

ELSEWHERE = r"\\evil.example\share\python.exe"


def started(machine: Machine) -> list[str]:
    assert isinstance(machine.run, MadeUpPythons)
    return machine.run.started


def looked_at(machine: Machine) -> list[str]:
    assert isinstance(machine.files, MadeUpFiles)
    return machine.files.looked_at


def with_settings(*rows: tuple[str, str]) -> WorkbookFacts:
    return WorkbookFacts(PLAN, has_macros=True, has_wrappers=True, settings=rows)


@pytest.mark.parametrize("place", ["sheet", "file"])
def test_a_python_that_a_workbook_names_is_not_started(place: str) -> None:
    line = f'"INTERPRETER_WIN","{OTHER_PYTHON}"\r\n'.encode()
    files = {OTHER_PYTHON: b"MZ", **({BESIDE_PLAN: line} if place == "file" else {})}
    rows = [("INTERPRETER_WIN", OTHER_PYTHON)] if place == "sheet" else []
    machine = windows(files, pythons={OTHER_PYTHON: said()})
    found = findings(machine, with_settings(*rows))
    assert started(machine) == [PYTHON]
    assert found["interpreter"].outcome is Outcome.NOT_CHECKED
    assert f'"{OTHER_PYTHON}" -m xlsizing doctor' in found["interpreter"].what
    for check in ("add-in", "bridge"):
        assert found[check].outcome is Outcome.NOT_CHECKED


def test_the_python_that_runs_this_may_be_named_by_a_workbook() -> None:
    for spelled in (PYTHON, PYTHON.upper(), PYTHON.replace("\\", "/")):
        machine = windows({OWN_SETTINGS: None})
        found = findings(machine, with_settings(("INTERPRETER_WIN", spelled)))
        assert started(machine) == [PYTHON]
        assert found["interpreter"].outcome is Outcome.OK
        assert found["bridge"].outcome is Outcome.OK


def test_the_windowless_python_beside_it_is_the_same() -> None:
    windowless = VENV + r"\Scripts\pythonw.exe"
    machine = windows({windowless: b"MZ"})
    found = findings(machine, with_settings(("interpreter_win", windowless)))
    assert started(machine) == [PYTHON]
    assert found["interpreter"].outcome is Outcome.OK


@pytest.mark.parametrize("spelled", [ELSEWHERE, ELSEWHERE.replace("\\", "/"), "%SHARE%\\p.exe"])
def test_another_computer_is_not_asked_for_what_a_workbook_names(spelled: str) -> None:
    machine = windows(environment={"SHARE": r"\\evil.example\share"})
    found = findings(machine, with_settings(("INTERPRETER_WIN", spelled)))
    assert found["interpreter"].outcome is Outcome.NOT_CHECKED
    assert not [path for path in looked_at(machine) if "evil" in path]


def test_nor_for_its_folder_of_conda() -> None:
    machine = windows({OWN_SETTINGS: None})
    rows = ("CONDA PATH", r"\\evil.example\conda"), ("CONDA ENV", "base")
    found = findings(machine, with_settings(*rows))
    assert found["interpreter"].outcome is Outcome.NOT_CHECKED
    assert not [path for path in looked_at(machine) if "evil" in path]


def test_what_the_person_set_is_started_with_the_persons_folders() -> None:
    settings = (
        f'"INTERPRETER_WIN","{OTHER_PYTHON}"\r\n"PYTHONPATH","C:\\code;%USERPROFILE%\\more"\r\n'
    )
    machine = windows(
        {OWN_SETTINGS: settings.encode(), OTHER_PYTHON: b"MZ"},
        pythons={OTHER_PYTHON: said(xlwings="0.37.9")},
    )
    found = findings(machine)
    assert started(machine) == [PYTHON, OTHER_PYTHON]
    assert found["interpreter"].outcome is Outcome.OK
    assert r'["C:\\code", "C:\\Users\\ana\\more"]' in machine.run.scripts[1]  # type: ignore[attr-defined]
    assert "xlwings64-0.37.9.dll" in found["bridge"].what


def test_folders_of_a_workbook_are_not_looked_into_for_modules() -> None:
    machine = windows(
        {OWN_SETTINGS: f'"INTERPRETER_WIN","{OTHER_PYTHON}"\r\n'.encode(), OTHER_PYTHON: b"MZ"},
        pythons={OTHER_PYTHON: said()},
    )
    findings(machine, with_settings(("PYTHONPATH", r"C:\hostile")))
    assert started(machine) == [PYTHON, OTHER_PYTHON]
    assert not [script for script in machine.run.scripts if "hostile" in script]  # type: ignore[attr-defined]


def test_no_text_of_a_workbook_commands_the_terminal() -> None:
    rows = ("\x1b[2J\x07KEY", "\x1b]0;title\x07"), ("INTERPRETER_WIN", "C:\\\x1b[31m\npython.exe")
    for finding in findings(windows(), with_settings(*rows)).values():
        assert finding.what.isprintable()
        assert finding.mend.isprintable()
    assert "\\x1b[31m" in findings(windows(), with_settings(*rows))["interpreter"].what


SECRET = "4ever-secret-key"


@pytest.mark.parametrize(
    "settings",
    [
        f'"LICENSE_KEY","{SECRET}"\r\n',
        f'"LICENSE_KEY","{SECRET}","more"\r\n',
        f'"LICENSE_KEY" "{SECRET}"\r\n',
        f"LICENSE_KEY={SECRET}\r\n",
        f'"PROXY_PASSWORD",{SECRET}\r\n',
    ],
)
def test_no_secret_is_shown(settings: str) -> None:
    machine = windows(
        {OWN_SETTINGS: settings.encode()}, environment={"XLWINGS_LICENSE_KEY": SECRET}
    )
    found = findings(machine, with_settings(("API_KEY", SECRET)))
    assert "is set" in found["licence"].what
    for finding in found.values():
        assert SECRET not in finding.what
        assert SECRET not in finding.mend
