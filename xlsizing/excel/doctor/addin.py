"""The classic xlwings add-in, and what connects it with Python.

`xlwings addin install` copies addin/xlwings.xlam of the package into Excel's start folder, on a
Mac also a script into the folder of scripts that Excel may run (xlwings 0.37.8, cli.py). The
add-in asks for a DLL, or that script, with its own version in the name (addin/Main.bas).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsizing.core.message import Message, joined
from xlsizing.excel.doctor.finding import Finding, Outcome, not_checked, ok, problem, run
from xlsizing.excel.doctor.machine import MAC
from xlsizing.excel.doctor.office import without_add_in
from xlsizing.excel.doctor.probe import PythonFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsizing.excel.doctor.case import Case

_NAME = "xlwings.xlam"
_LARGEST_BYTES = 20 * 10**6
_START_ON_MAC = (
    "Library/Group Containers/UBF8T346G9.Office/User Content.localized/Startup.localized/Excel"
)
_SCRIPTS_ON_MAC = "Library/Application Scripts/com.microsoft.Excel"
_UNKNOWN = Message("It is not known which xlwings Excel starts; the lines above say why.")


def check_add_in(case: Case) -> Finding:
    """Whether the add-in is where Excel loads it, and of the version of the package.

    Equal bytes are the same version: the add-in keeps its settings elsewhere, and an
    installation copies it as it is.
    """
    if why := without_add_in(case):
        return why
    path, facts = _python(case)
    if facts is None or not facts.xlwings:
        return not_checked(_UNKNOWN)
    files, install = case.machine.files, run(f'"{path}" -m xlwings.cli addin install')
    places = [case.machine.path(folder, _NAME) for folder in start_folders(case)]
    installed = next((place for place in places if files.is_file(place)), None)
    if installed is None:
        missing = (Message("there is no {file}", file=place) for place in places[:1])
        also = (Message(" and no {file}", file=place) for place in places[1:])
        what = Message("The add-in is missing: {files}.", files=joined("", (*missing, *also)))
        return problem(what, install)
    own = case.machine.path(facts.xlwings_folder, "addin", _NAME)
    if not files.is_file(own):
        return not_checked(
            Message(
                "{file} is missing, with which {installed} would be compared.",
                file=own,
                installed=installed,
            )
        )
    if files.read(installed, _LARGEST_BYTES) != files.read(own, _LARGEST_BYTES):
        what = Message(
            "{file} is not the add-in of xlwings {version}.", file=installed, version=facts.xlwings
        )
        return problem(what, install)
    return ok(
        Message("{file} is that of xlwings {version}.", file=installed, version=facts.xlwings)
    )


def start_folders(case: Case) -> Sequence[str]:
    """Where Excel loads add-ins from: the person's folder, and on Windows that of the machine."""
    machine = case.machine
    if machine.platform == MAC:
        return [machine.path(machine.home, _START_ON_MAC)]
    roaming = machine.variable("APPDATA") or machine.path(machine.home, r"AppData\Roaming")
    own = machine.path(roaming, r"Microsoft\Excel\XLSTART")
    excel = case.excel
    return [own, machine.path(machine.folder_of(excel.path), "XLSTART")] if excel else [own]


def check_bridge(case: Case) -> Finding:
    """Whether the add-in finds what connects it with Python, in its own version."""
    if why := without_add_in(case):
        return why
    path, facts = _python(case)
    if facts is None or not facts.xlwings:
        return not_checked(_UNKNOWN)
    return (_script if case.machine.platform == MAC else _dll)(case, path, facts)


def _script(case: Case, python: str, facts: PythonFacts) -> Finding:
    machine = case.machine
    name = f"xlwings-{facts.xlwings}.applescript"
    script = machine.path(machine.home, _SCRIPTS_ON_MAC, name)
    if machine.files.is_file(script):
        return ok(script)
    what = Message("There is no {file}, through which Excel runs Python.", file=script)
    return problem(what, run(f'"{python}" -m xlwings.cli runpython install'))


def _dll(case: Case, python: str, facts: PythonFacts) -> Finding:
    """The DLL for Excel's bits, beside the Python that Excel starts or one folder above.

    Both DLLs come with the wheel for 64-bit Python on x86 processors, and with no other.
    """
    machine, excel = case.machine, case.excel
    assert excel is not None
    wanted = [
        f"xlwings{bits}-{facts.xlwings}.dll" for bits in ([excel.bits] if excel.bits else [64, 32])
    ]
    beside = machine.folder_of(python)
    folders = (beside, machine.folder_of(beside))
    for name in wanted:
        if not any(machine.files.is_file(machine.path(folder, name)) for folder in folders):
            what = Message(
                "There is no {file} in {beside} or {above}.",
                file=name,
                beside=folders[0],
                above=folders[1],
            )
            if facts.bits != 64:
                what = Message(
                    "{missing} xlwings has it for 64-bit Python alone; this one has {bits}.",
                    missing=what,
                    bits=str(facts.bits),
                )
                mend = Message("Install 64-bit Python from python.org, and xlsizing in it.")
                return problem(what, mend)
            again = f'"{python}" -m pip install --force-reinstall --no-deps'
            return problem(what, run(f"{again} xlwings=={facts.xlwings}"))
    files = Message("{one} and {other}", one=wanted[0], other=wanted[-1])
    return ok(
        Message(
            "{files} in {beside} or {above}",
            files=wanted[0] if len(wanted) == 1 else files,
            beside=folders[0],
            above=folders[1],
        )
    )


def _python(case: Case) -> tuple[str, PythonFacts | None]:
    """The Python that Excel starts; where that is the wrong one, the one that it should start."""
    started = case.excel_python
    if started.finding.outcome is Outcome.OK:
        return started.program, started.facts
    facts = case.python if started.finding.outcome is Outcome.PROBLEM else started.facts
    return case.machine.executable, facts if isinstance(facts, PythonFacts) else None
