"""The Python that Excel starts: which one the settings name, and whether it can do it.

A workbook may come from anybody, so a program that its sheet or a file beside it names is
never started, and none on another computer is looked for. The person's own file may name one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from xlsizing.core.message import Message
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
    place: Message
    is_own: bool
    mend: Message
    """The one thing to do where it is the wrong one."""

    @property
    def described(self) -> Message:
        """To begin a sentence."""
        return Message(
            '"{program}", which Excel starts by the setting {place},',
            program=self.path,
            place=self.place,
        )


def check_interpreter(case: Case) -> Finding:
    """Whether the settings name a Python in which the functions work."""
    return case.excel_python.finding


def python_of_excel(case: Case) -> ExcelPython:
    """The Python that Excel starts, and what there is to say of it."""
    if why := without_add_in(case):
        return ExcelPython(why)
    if any(place.fault for place in case.settings.places):
        return ExcelPython(not_checked(Message("The settings must be readable first.")))
    machine = case.machine
    key = KEYS[machine.platform]
    named = _named(machine, case.settings, key)
    if named is None:
        what = Message(
            "No setting {setting} names the Python that Excel starts, so it takes any on its PATH.",
            setting=key,
        )
        mend = Message(
            'Put {program} into the field "Interpreter" of the tab xlwings in Excel.',
            program=machine.executable,
        )
        return ExcelPython(problem(what, mend))
    if fault := _fault_of_path(machine, named.path):
        return ExcelPython(_wrong(named, fault))
    if not named.is_own and _is_elsewhere(machine, named.path):
        why_not = Message(
            "{python} is on another computer; it is not looked for from here.",
            python=named.described,
        )
        return ExcelPython(not_checked(why_not))
    if not machine.files.is_file(named.path):
        return ExcelPython(_wrong(named, Message("is not there")))
    return _answered(case, named)


def _answered(case: Case, named: _Named) -> ExcelPython:
    """What the Python that settings name says, where it may be started."""
    program = _with_console(case.machine, named.path)
    is_this = case.machine.is_same_path(program, case.machine.executable)
    if not is_this and not named.is_own:
        why = Message(
            "{python} is not the one that runs this, and what a workbook names is not started "
            "from here; {command} checks it.",
            python=named.described,
            command=f'"{program}" -m xlsizing doctor',
        )
        return ExcelPython(not_checked(why), program)
    facts = case.python if is_this else answer_of(case.machine, program, _own_paths(case))
    finding = _judged(named, facts)
    if is_this and finding.outcome is Outcome.PROBLEM:
        why = Message(
            "{python} is the one that runs this; lines above say what is wrong with it.",
            python=named.described,
        )
        finding = not_checked(why)
    return ExcelPython(finding, program, None if isinstance(facts, NoAnswer) else facts)


def _judged(named: _Named, facts: PythonFacts | NoAnswer) -> Finding:
    if isinstance(facts, NoAnswer):
        return _wrong(named, facts.why)
    if facts.version < OLDEST:
        old = Message("is Python {version}, too old for xlsizing", version=facts.spelled_version)
        return _wrong(named, old)
    if facts.error:
        return _wrong(named, Message("has no functions: {error}", error=facts.error))
    return ok(
        Message(
            "{program}, by the setting {place}: {versions}",
            program=named.path,
            place=named.place,
            versions=f"Python {facts.spelled_version}, xlwings {facts.xlwings}, "
            f"xlsizing {facts.xlsizing}",
        )
    )


def _wrong(named: _Named, fault: Message) -> Finding:
    what = Message("{python} {fault}.", python=named.described, fault=fault)
    return problem(what, named.mend)


def _named(machine: Machine, settings: Settings, key: str) -> _Named | None:
    """The Python that settings name by its path, or None.

    A bare python is any; with one, or with none, the two settings of conda name it
    (addin/Main.bas, XLPyLoadDLL).
    """
    found = next((each for each in map(settings.get, (key, _OLD_KEY)) if each and each.value), None)
    if found and found.value not in _ANY_PYTHON:
        mend = Message(
            "Set {setting} {place} to {value}",
            setting=key,
            place=found.place,
            value=machine.executable,
        )
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
        mend = Message(
            "Set CONDA PATH {place} to the folder that holds {file}",
            place=folder.place,
            file=_CONDA,
        )
        return _Named(machine.path(conda, _CONDA), folder.place, is_own, mend)
    # A whole path stands for itself where it is joined to another.
    home = conda if name == "base" else machine.path(conda, "envs", name)
    mend = Message(
        "Set CONDA ENV {place} to the environment in which xlsizing is installed.",
        place=environment.place,
    )
    return _Named(machine.path(home, "python.exe"), environment.place, is_own, mend)


def _fault_of_path(machine: Machine, path: str) -> Message | None:
    """What is wrong with the spelling of a path, to follow its name; None where nothing is."""
    if path != path.strip("\"' "):
        return Message("must be written without quotes or blanks around it")
    if unknown := re.search(r"%[^%]+%|^\$\w+", path):
        return Message("holds {variable}, a variable that Excel does not know", variable=unknown[0])
    if not machine.paths.isabs(path):
        return Message("is not a whole path")
    return None


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
