"""The machine that the tests run on: read for real, written to nowhere."""

import json
import os
import socket
import stat
import subprocess
import sys
import time
import tomllib
from importlib.metadata import requires
from pathlib import Path
from typing import NoReturn

import pytest
import xlwings
from packaging.requirements import Requirement

from tests.conftest import PROJECT
from tests.excel.doctor.machines import said
from xlsizing.cli import main
from xlsizing.excel.doctor import CHECKS
from xlsizing.excel.doctor.probe import NoAnswer, PythonFacts, answer_of
from xlsizing.excel.doctor.python import OLDEST, REQUIRED, REQUIRED_BY_XLWINGS
from xlsizing.excel.doctor.this_machine import RealFiles, python_output, this_machine

needs_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="says what there is on Linux, where no Excel is"
)
needs_scripts = pytest.mark.skipif(os.name != "posix", reason="needs programs that are scripts")
needs_rights = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="needs a person whose rights end somewhere"
)


@pytest.fixture(autouse=True)
def _without_own_catalogs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLSIZING_CATALOGS", raising=False)
    # Absolute, for a Python that is started in its own folder.
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """This Python's own answer without the time that it takes; one test waits for it."""
    monkeypatch.setattr("xlsizing.excel.doctor.this_machine.python_output", lambda *_: said())


@needs_linux
def test_the_doctor_here_finds_no_excel_and_nothing_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor"]) == 0
    *lines, blank, ending = capsys.readouterr().out.splitlines()
    assert [line[13:30].strip() for line in lines] == list(CHECKS)
    assert lines[4].startswith("not checked  Excel            There is no Excel for this system")
    assert lines[0].startswith("ok           python           Python 3.")
    assert lines[0].endswith(sys.executable)
    assert str(PROJECT) in lines[2]
    assert blank == ""
    assert ending == "0 problems, 6 ok, 11 not checked."


@needs_linux
@pytest.mark.usefixtures("_quick")
def test_the_doctor_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(tmp_path / "no.xlsm"), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["problems"], document["ok"], document["not_checked"]) == (1, 6, 10)
    assert [each["check"] for each in document["checks"]] == list(CHECKS)
    (wrong,) = [each for each in document["checks"] if each["outcome"] == "problem"]
    assert wrong == {
        "check": "workbook",
        "outcome": "problem",
        "what": f"{tmp_path / 'no.xlsm'} cannot be read: No such file or directory.",
        "mend": "Name a workbook that can be opened.",
    }
    assert {each["outcome"] for each in document["checks"]} == {"ok", "problem", "not checked"}


@pytest.mark.usefixtures("_quick")
def test_a_problem_is_told_below_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--catalogs", str(tmp_path / "none")]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("problem"))
    assert lines[at].startswith("problem      catalogs         ")
    assert lines[at + 1].startswith(" " * 30 + "What to do: Mend what xlsizing catalog validate")
    assert lines[-1].startswith("1 problem, ")


def test_arguments_that_there_are_not_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["doctor", "a.xlsx", "b.xlsx"], ["doctor", "--mend"]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
    said = capsys.readouterr().err
    assert "'b.xlsx' is one argument too many. See xlsizing doctor --help." in said
    assert "There is no option --mend here; there are " in said


def test_nothing_is_written_and_nothing_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.xlsm").write_bytes(b"PK")
    main(["doctor", "plan.xlsm"])
    assert [path.name for path in tmp_path.rglob("*")] == ["plan.xlsm"]


@pytest.mark.usefixtures("_quick")
def test_the_doctor_works_where_openpyxl_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xlsizing.book.hosting", None)
    assert main(["doctor", "plan.xlsx"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if " workbook " in line)
    assert line.startswith("not checked  workbook")
    assert "cannot be looked into" in line


def test_this_python_answers() -> None:
    facts = answer_of(this_machine(), sys.executable)
    assert isinstance(facts, PythonFacts)
    assert facts.version == sys.version_info[:3]
    assert facts.bits == (64 if sys.maxsize > 2**32 else 32)
    assert facts.answer == 3
    assert facts.error == ""
    assert facts.xlsizing_folder == str(PROJECT / "xlsizing")
    assert Path(facts.xlwings_folder, "addin", "xlwings.xlam").exists()


def test_a_module_in_the_present_folder_is_not_taken_for_one_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xlwings.py").write_text("raise SystemExit('wrong module')")
    monkeypatch.chdir(tmp_path)
    facts = answer_of(this_machine(), sys.executable)
    assert isinstance(facts, PythonFacts)
    assert facts.error == ""
    hidden = answer_of(this_machine(), sys.executable, [str(tmp_path)])
    assert isinstance(hidden, PythonFacts)
    assert hidden.error == "SystemExit: wrong module"


def test_a_python_that_is_asked_leaves_no_compiled_modules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    output = python_output(sys.executable, "import sys; print(sys.dont_write_bytecode)", 30)
    assert output.strip() == "True"


def test_own_catalogs_do_not_change_the_worked_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLSIZING_CATALOGS", str(tmp_path))
    facts = answer_of(this_machine(), sys.executable)
    assert isinstance(facts, PythonFacts)
    assert facts.answer == 3


@needs_scripts
@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("#!/bin/sh\nexit 1\n", "said nothing"),
        ("#!/bin/sh\necho Python was not found\n", "said 'Python was not found'"),
        ("#!/bin/sh\nprintf 'xlsizing-doctor:{\"version\": 3}'\n", "is no Python that answers"),
        ("#!/bin/sh\nprintf '\\377\\033[2J'\n", "\\\\xff"),
        ("no program", "cannot be started (Exec format error)"),
    ],
)
def test_a_program_that_is_no_python_is_told(tmp_path: Path, text: str, heard: str) -> None:
    answer = answer_of(this_machine(), script(tmp_path, text))
    assert isinstance(answer, NoAnswer)
    assert heard in answer.why


@needs_scripts
def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    hanging = script(tmp_path, "#!/bin/sh\nexec sleep 60\n")
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        python_output(hanging, "", 0.2)
    assert time.monotonic() - start < 5


def script(folder: Path, text: str) -> str:
    path = folder / "python"
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    answer = answer_of(this_machine(), str(tmp_path / "python"))
    assert isinstance(answer, NoAnswer)
    assert "cannot be started (No such file" in answer.why


def test_files_are_told_from_folders_and_from_nothing(tmp_path: Path) -> None:
    files = RealFiles()
    (tmp_path / "file").write_bytes(b"12345")
    file, folder = str(tmp_path / "file"), str(tmp_path)
    assert (files.is_file(file), files.is_folder(file)) == (True, False)
    assert (files.is_file(folder), files.is_folder(folder)) == (False, True)
    for nothing in (f"{folder}/no", f"{file}/in a file", "a\0b", ""):
        assert (files.is_file(nothing), files.is_folder(nothing)) == (False, False)
    assert files.names(folder) == ["file"]
    assert files.read(file, 3) == b"123"


@needs_rights
def test_a_folder_without_rights_is_told(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    try:
        with pytest.raises(PermissionError):
            RealFiles().is_file(str(closed / "xlwings.conf"))
    finally:
        closed.chmod(0o700)


def test_this_machine_is_described() -> None:
    machine = this_machine()
    assert machine.platform == sys.platform
    assert machine.version_of("xlwings") == xlwings.__version__
    assert machine.version_of("no-such-package") is None
    if sys.platform != "win32":
        assert machine.registry(r"HKEY_CURRENT_USER\Software", "") is None
    if sys.platform != "darwin":
        assert machine.preference("VBAObjectModelIsTrusted") == ""


def test_what_is_required_is_what_the_project_and_xlwings_ask_for() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {r.name: r.specifier for r in map(Requirement, project["dependencies"])}
    assert {
        name: Requirement(name + bounds).specifier for name, bounds in REQUIRED.items()
    } == asked
    assert project["requires-python"] == f">={'.'.join(map(str, OLDEST))}"
    of_xlwings = [Requirement(each) for each in requires("xlwings") or []]
    for platform, system in (("win32", "Windows"), ("darwin", "Darwin")):
        environment = {"platform_system": system, "extra": ""}
        assert {
            r.name: str(r.specifier)
            for r in of_xlwings
            if r.marker and r.marker.evaluate(environment)
        } == REQUIRED_BY_XLWINGS[platform]


def test_the_doctor_starts_without_heavy_packages() -> None:
    code = (
        "import sys, xlsizing.excel.doctor.this_machine, xlsizing.excel.doctor.report\n"
        "print(*sorted({'xlwings', 'openpyxl', 'lxml', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
