"""The workbook that somebody named: whether it can be read, and which host it is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xlsizing.core.message import Message
from xlsizing.excel.doctor.finding import Finding, not_checked, ok, problem

if TYPE_CHECKING:
    from xlsizing.excel.doctor.case import Case


@dataclass(frozen=True)
class WorkbookFacts:
    """What is known of a workbook, which whoever opens packages has read."""

    path: str
    """Its whole path, or its address on the web."""
    fault: str = ""
    """Why it cannot be read, as a sentence; empty where it was read."""
    hindrance: str = ""
    """Why it was not even tried, as a sentence; empty where it was."""
    has_macros: bool = False
    has_wrappers: bool = False
    """Whether its macros hold the functions' own wrappers."""
    has_lite_code: bool = False
    catalogs: str | None = None
    """Fingerprint of the catalogs that it was made from; None where it names none."""
    settings: Sequence[tuple[str, str]] | None = None
    """The rows of its sheet xlwings.conf, down to the first without a key; None without one."""

    @property
    def is_on_web(self) -> bool:
        """Whether the path is an address on the web."""
        return "://" in self.path

    @property
    def may_have_macros(self) -> bool:
        """Whether it has macros, or could not be looked into."""
        return self.has_macros or bool(self.fault or self.hindrance) or self.is_on_web


NO_WORKBOOK = Message("No workbook is named; xlsizing doctor WORKBOOK looks at one.")


def check_workbook(case: Case) -> Finding:
    """Whether the workbook can be read, which host it is for, and whether Excel has it open.

    Excel puts a file ~$NAME beside a workbook that it has open.
    """
    workbook, machine = case.workbook, case.machine
    if workbook is None:
        return not_checked(NO_WORKBOOK)
    if workbook.is_on_web:
        return not_checked(
            Message("{file} is on the web; only a file can be looked into.", file=workbook.path)
        )
    if workbook.hindrance:
        return not_checked(workbook.hindrance)
    if workbook.fault:
        return problem(workbook.fault, Message("Name a workbook that can be opened."))
    folder, name = machine.paths.split(workbook.path)
    is_open = machine.files.is_file(machine.path(folder, f"~${name}"))
    if is_open:
        return ok(Message("{host} Excel has it open.", host=_host(workbook)))
    return ok(_host(workbook))


def _host(workbook: WorkbookFacts) -> Message:
    if workbook.has_macros:
        return Message(
            "{file} has macros: it is for Excel on Windows with the classic xlwings add-in.",
            file=workbook.path,
        )
    if workbook.has_lite_code:
        return Message(
            "{file} carries code for xlwings Lite: it is for Excel with that add-in from its store.",
            file=workbook.path,
        )
    return Message(
        "{file} has no macros and no code for Lite, and needs nothing here.", file=workbook.path
    )
