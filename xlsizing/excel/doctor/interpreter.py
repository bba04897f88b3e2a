"""The Python that Excel starts: which one the settings name, and whether it can do it.

A workbook may come from anybody, so a program that its sheet or a file beside it names is
never started, and none on another computer is looked for. The person's own file may name one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from xlsizing.excel.doctor.finding import Finding, Outcome, not_checked, ok, problem
from xlsizing.excel.doctor.machine import MAC, WINDOWS, Machine
from xlsizing.excel.doctor.office import without_add_in
from xlsizing.excel.doctor.probe import NoAnswer, PythonFacts, answer_of
from xlsizing.excel.doctor.python import OLDEST
from xlsizing.excel.doctor.settings import Settings, expanded

if TYPE_CHECKING:
    from xlsizing.excel.doctor.case import Case

KEYS = {WINDOWS: "INTERPRETER_WIN", MAC: "INTERPRETER_MAC"}
_OLD_KEY = "INTERPRETER"
"""Which the add-in takes where the key of the system holds nothing (addin/Main.bas)."""
_ANY_PYTHON = ("", "python", "pythonw")
_CONDA = r"condabin\conda.bat"
"""Without which the add-in refuses a folder of conda (addin/Utils.bas, CheckConda)."""


class ExcelPython(NamedTuple):
    """The Python that Excel starts, as far as it is known."""

    finding: Finding
    program: str = ""
    """Its path; that of the one beside it which prints, where there is one."""
    facts: PythonFacts | None = None


class _Named(NamedTuple):
    """A Python that settings name."""

    path: str
    place: str
    is_own: bool
    mend: str
    """The one thing to do where it is the wrong one."""

    @property
    def described(self) -> str:
        """To begin a sentence."""
        return f'"{self.path}", which Excel starts by the setting {self.place},'


def check_interpreter(case: Case) -> Finding:
    """Whether the settings name a Python in which the functions work."""
    return case.excel_python.finding


def python_of_excel(case: Case) -> ExcelPython:
    """The Python that Excel starts, and what there is to say of it."""
    if why := without_add_in(case):
        return ExcelPython(why)
    if any(place.fault for place in case.settings.places):
        return ExcelPython(not_checked("The settings must be readable first."))
    machine = case.machine
    key = KEYS[machine.platform]
    named = _named(machine, case.settings, key)
    if named is None:
        what = f"No setting {key} names the Python that Excel starts, so it takes any on its PATH."
        mend = f'Put {machine.executable} into the field "Interpreter" of the tab xlwings in Excel.'
        return ExcelPython(problem(what, mend))
    if fault := _fault_of_path(machine, named.path):
        return ExcelPython(problem(f"{named.described} {fault}.", named.mend))
    if not named.is_own and _is_elsewhere(machine, named.path):
        why_not = f"{named.described} is on another computer; it is not looked for from here."
        return ExcelPython(not_checked(why_not))
    if not machine.files.is_file(named.path):
        return ExcelPython(problem(f"{named.described} is not there.", named.mend))
    return _answered(case, named)


def _answered(case: Case, named: _Named) -> ExcelPython:
    """What the Python that settings name says, where it may be started."""
    program = _with_console(case.machine, named.path)
    is_this = case.machine.is_same_path(program, case.machine.executable)
    if not is_this and not named.is_own:
        why = (
            f"{named.described} is not the one that runs this, and what a workbook names is not "
            f'started from here; "{program}" -m xlsizing doctor checks it.'
        )
        return ExcelPython(not_checked(why), program)
    facts = case.python if is_this else answer_of(case.machine, program, _own_paths(case))
    finding = _judged(named, facts)
    if is_this and finding.outcome is Outcome.PROBLEM:
        why = f"{named.described} is the one that runs this; lines above say what is wrong with it."
        finding = not_checked(why)
    return ExcelPython(finding, program, None if isinstance(facts, NoAnswer) else facts)


def _judged(named: _Named, facts: PythonFacts | NoAnswer) -> Finding:
    if isinstance(facts, NoAnswer):
        return problem(f"{named.described} {facts.why}.", named.mend)
    if facts.version < OLDEST:
        what = f"{named.described} is Python {facts.spelled_version}, too old for xlsizing."
        return problem(what, named.mend)
    if facts.error:
        return problem(f"{named.described} has no functions: {facts.error}.", named.mend)
    return ok(
        f"{named.path}, by the setting {named.place}: Python {facts.spelled_version}, "
        f"xlwings {facts.xlwings}, xlsizing {facts.xlsizing}"
    )


def _named(machine: Machine, settings: Settings, key: str) -> _Named | None:
    """The Python that settings name by its path, or None.

    A bare python is any; with one, or with none, the two settings of conda name it
    (addin/Main.bas, XLPyLoadDLL).
    """
    found = next((each for each in map(settings.get, (key, _OLD_KEY)) if each and each.value), None)
    if found and found.value not in _ANY_PYTHON:
        mend = f"Set {key} {found.place} to {machine.executable}"
        return _Named(expanded(machine, found.value), found.place, found.is_own, mend)
    return _named_by_conda(machine, settings) if machine.platform == WINDOWS else None


def _named_by_conda(machine: Machine, settings: Settings) -> _Named | None:
    folder, environment = settings.get("CONDA PATH"), settings.get("CONDA ENV")
    if not (folder and folder.value and environment and environment.value):
        return None
    conda, name = expanded(machine, folder.value), expanded(machine, environment.value)
    is_own = folder.is_own and environment.is_own
    if (is_own or not _is_elsewhere(machine, conda)) and not machine.files.is_file(
        machine.path(conda, _CONDA)
    ):
        mend = f"Set CONDA PATH {folder.place} to the folder that holds {_CONDA}"
        return _Named(machine.path(conda, _CONDA), folder.place, is_own, mend)
    # A whole path stands for itself where it is joined to another.
    home = conda if name == "base" else machine.path(conda, "envs", name)
    mend = f"Set CONDA ENV {environment.place} to the environment in which xlsizing is installed."
    return _Named(machine.path(home, "python.exe"), environment.place, is_own, mend)


def _fault_of_path(machine: Machine, path: str) -> str:
    """What is wrong with the spelling of a path, to follow its name; empty where nothing is."""
    if path != path.strip("\"' "):
        return "must be written without quotes or blanks around it"
    if unknown := re.search(r"%[^%]+%|^\$\w+", path):
        return f"holds {unknown[0]}, a variable that Excel does not know"
    if not machine.paths.isabs(path):
        return "is not a whole path"
    return ""


def _is_elsewhere(machine: Machine, path: str) -> bool:
    """Whether a path leads to another computer, which to look at would tell it who asks."""
    return machine.platform == WINDOWS and path.replace("/", "\\").startswith("\\\\")


def _with_console(machine: Machine, path: str) -> str:
    """The python.exe beside a pythonw.exe, which can print; else the path as it is."""
    folder, name = machine.paths.split(path)
    if name.lower() != "pythonw.exe":
        return path
    beside = machine.path(folder, "python.exe")
    return beside if machine.files.is_file(beside) else path


def _own_paths(case: Case) -> list[str]:
    """Where the person's own setting has Python look for modules first."""
    found = case.settings.get("PYTHONPATH")
    if not found or not found.is_own:
        return []
    return [each for each in expanded(case.machine, found.value).split(";") if each]
