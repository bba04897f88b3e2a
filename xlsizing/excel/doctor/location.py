"""Where the workbook lies: in a folder of its own computer, or in one that OneDrive syncs.

From a synced folder Excel may hand over an address on the web in place of a path. xlwings then
looks for the file on the disk by its settings and some variables, and every call fails where
it finds none (xlwings 0.37.8, utils.py, prepare_sys_path). It does not look where the setting
ADD_WORKBOOK_TO_PYTHONPATH is false, and the functions need no file beside the workbook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xlsizing.core.message import Message
from xlsizing.excel.doctor.finding import Finding, not_checked, ok, problem
from xlsizing.excel.doctor.machine import MAC, Machine
from xlsizing.excel.doctor.office import without_add_in
from xlsizing.excel.doctor.workbook import NO_WORKBOOK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsizing.excel.doctor.case import Case

ADD_FOLDER = "ADD_WORKBOOK_TO_PYTHONPATH"
CLEAR_BOX = Message('Clear the box "Add workbook to PYTHONPATH" on the tab xlwings in Excel.')


class _Synced(NamedTuple):
    """A folder that OneDrive syncs, and the setting that would tell xlwings of it."""

    folder: str
    setting: str


def check_location(case: Case) -> Finding:
    """Whether xlwings finds the folder of the workbook, or need not."""
    workbook = case.workbook
    if workbook is None:
        return not_checked(NO_WORKBOOK)
    if workbook.is_on_web:
        what = Message(
            "{file} is an address on the web, where the add-in finds no file.", file=workbook.path
        )
        mend = Message("Save a copy in a folder of this computer, and name that one.")
        return problem(what, mend)
    if why := without_add_in(case):
        return why
    machine = case.machine
    synced = next((s for s in _synced(machine) if machine.is_below(workbook.path, s.folder)), None)
    if synced is None:
        return ok(
            Message("The workbook is in no folder that OneDrive syncs, as far as one can tell.")
        )
    if not adds_folder(case):
        return ok(
            Message(
                "OneDrive syncs {folder}; {setting} is false, so it does not matter.",
                folder=synced.folder,
                setting=ADD_FOLDER,
            )
        )
    if case.settings.value(synced.setting):
        return ok(
            Message(
                "OneDrive syncs {folder}, and {setting} says where it is.",
                folder=synced.folder,
                setting=synced.setting,
            )
        )
    what = Message(
        "OneDrive syncs {folder}, so Excel may hand over an address on the web, for which "
        "xlwings may find no file.",
        folder=synced.folder,
    )
    return problem(what, _mend(case))


def adds_folder(case: Case) -> bool:
    """Whether xlwings has Python look for modules in the workbook's folder first."""
    return (case.settings.value(ADD_FOLDER) or "true").lower() == "true"


def _mend(case: Case) -> Message:
    found = case.settings.get(ADD_FOLDER)
    if found and not found.is_own:
        return Message("Set {setting} {place} to false.", setting=ADD_FOLDER, place=found.place)
    return CLEAR_BOX


def _synced(machine: Machine) -> Iterator[_Synced]:
    """The folders that OneDrive may sync, by the names that xlwings itself goes by."""
    if machine.platform == MAC:
        cloud = machine.path(machine.home, "Library/CloudStorage")
        names = machine.files.names(cloud) if machine.files.is_folder(cloud) else ()
        yield _Synced(machine.path(cloud, "OneDrive-Personal"), "ONEDRIVE_CONSUMER_MAC")
        for name in names:
            if name.startswith("OneDrive-SharedLibraries"):
                yield _Synced(machine.path(cloud, name), "SHAREPOINT_MAC")
            elif name.startswith("OneDrive"):
                yield _Synced(machine.path(cloud, name), "ONEDRIVE_COMMERCIAL_MAC")
        yield _Synced(machine.path(machine.home, "OneDrive"), "ONEDRIVE_CONSUMER_MAC")
        return
    if company := machine.variable("OneDriveCommercial"):
        yield _Synced(company, "ONEDRIVE_COMMERCIAL_WIN")
        yield _Synced(company.replace("OneDrive - ", ""), "SHAREPOINT_WIN")
    for name in ("OneDriveConsumer", "OneDrive"):
        if folder := machine.variable(name):
            yield _Synced(folder, "ONEDRIVE_CONSUMER_WIN")
    yield _Synced(machine.path(machine.home, "OneDrive"), "ONEDRIVE_CONSUMER_WIN")
