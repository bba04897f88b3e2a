"""The Excel of a machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from xlsizing.core.message import Message
from xlsizing.excel.doctor.finding import Finding, not_checked, ok
from xlsizing.excel.doctor.machine import MAC, WINDOWS, Machine

if TYPE_CHECKING:
    from xlsizing.excel.doctor.case import Case

_APP_PATHS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
_CURRENT = r"HKEY_CLASSES_ROOT\Excel.Application\CurVer"
_MAC_FOLDER = "Applications/Microsoft Excel.app"
_BITS_BY_MACHINE = {0x014C: 32, 0x8664: 64, 0xAA64: 64}
"""Of the codes in a program's PE header (Microsoft, PE format, machine types)."""
_HEADER_BYTES = 4096


class Excel(NamedTuple):
    """An installed Excel."""

    path: str
    version: str
    """As the registry names it: 16 since Excel 2016."""
    bits: int | None
    """Of the program; None where it cannot be told."""


def installed_excel(machine: Machine) -> Excel | None:
    """The Excel of a machine, or None.

    On Windows a program registers its path under App Paths (Microsoft, Application
    Registration); on a Mac applications lie in /Applications or in the person's own.
    """
    if machine.platform == MAC:
        for folder in ("/", machine.home):
            path = machine.path(folder, _MAC_FOLDER)
            if machine.files.is_folder(path):
                return Excel(path, "16", None)
    if machine.platform == WINDOWS:
        for hive in ("HKEY_CURRENT_USER", "HKEY_LOCAL_MACHINE"):
            found = machine.registry(rf"{hive}\{_APP_PATHS}", "")
            if isinstance(found, str) and _is_there(machine, found.strip('"')):
                path = found.strip('"')
                return Excel(path, _version(machine), _bits(machine, path))
    return None


def _is_there(machine: Machine, path: str) -> bool:
    """Whether there is such a file; one from Microsoft's store may not be looked at."""
    try:
        return machine.files.is_file(path)
    except PermissionError:
        return True


def _version(machine: Machine) -> str:
    found = re.fullmatch(r"Excel\.Application\.(\d+)", str(machine.registry(_CURRENT, "")))
    return found[1] if found else "16"


def _bits(machine: Machine, path: str) -> int | None:
    """Bits of a Windows program, by its header: at 0x3C is where the PE part begins."""
    try:
        header = machine.files.read(path, _HEADER_BYTES)
    except OSError:
        return None
    start = int.from_bytes(header[0x3C:0x40], "little")
    if header[start : start + 4] != b"PE\0\0":
        return None
    return _BITS_BY_MACHINE.get(int.from_bytes(header[start + 4 : start + 6], "little"))


def check_excel(case: Case) -> Finding:
    """Whether Excel is installed; where it is not, the rest is checked all the same."""
    if case.machine.platform not in (WINDOWS, MAC):
        return not_checked(
            Message(
                "There is no Excel for this system; what does not need it is checked all the same."
            )
        )
    excel = case.excel
    if excel is None:
        is_mac = case.machine.platform == MAC
        return not_checked(
            Message(
                "Excel is not installed here: {place} does not hold it. "
                "What does not need it is checked all the same.",
                place="/Applications" if is_mac else Message("the registry's App Paths"),
            )
        )
    bits = f", {excel.bits} bits" if excel.bits else ""
    return ok(f"Excel {excel.version}{bits}: {excel.path}")


def without_add_in(case: Case) -> Finding | None:
    """Why what belongs to the classic add-in is not checked; None where it is."""
    if why := without_macros(case):
        return why
    if case.machine.platform not in (WINDOWS, MAC):
        return not_checked(Message("There is no Excel for this system."))
    if case.excel is None:
        return not_checked(Message("Excel is not installed here."))
    return None


def without_macros(case: Case) -> Finding | None:
    """That the workbook needs nothing of the classic add-in; None where it may."""
    if case.workbook is None or case.workbook.may_have_macros:
        return None
    return not_checked(
        Message("The workbook has no macros, so it does without the classic add-in.")
    )
