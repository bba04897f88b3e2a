"""Whether Excel lets macros run, and functions be imported.

On Windows the settings are values under Excel's key Security in the registry; a value of the
same name under Policies, which an administrator sets, goes before it (Microsoft, Macros from
the internet are blocked by default in Office; Plan security settings for VBA macros). On a Mac
they are preferences of com.microsoft.office (Microsoft, Set preferences for macro security in
Office for Mac).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsizing.core.message import Message
from xlsizing.excel.doctor.finding import Finding, not_checked, ok, problem
from xlsizing.excel.doctor.machine import MAC, WINDOWS, Machine
from xlsizing.excel.doctor.office import without_add_in

if TYPE_CHECKING:
    from xlsizing.excel.doctor.case import Case

_MACRO_SETTINGS = Message("File > Options > Trust Center > Trust Center Settings > Macro Settings")
_RUN, _ASK, _SIGNED, _OFF = 1, 2, 3, 4
_MACROS = {
    _RUN: Message("Excel runs macros without asking."),
    _ASK: Message("Excel asks before it runs macros: Enable Content is the answer."),
    _SIGNED: Message("Excel runs signed macros only, and those of xlsizing are not signed"),
    _OFF: Message("Excel runs no macros and does not ask"),
}
"""What each value of VBAWarnings means; Excel asks where there is none."""


def check_macros(case: Case) -> Finding:
    """Whether Excel runs macros, or asks."""
    if why := without_add_in(case):
        return why
    if case.machine.platform == MAC:
        return _macros_on_mac(case.machine)
    value, is_policy = _security(case, "VBAWarnings")
    if value is None:
        return ok(_MACROS[_ASK])
    # True is 1 to Python, but no number of the registry.
    if type(value) is not int or value not in _MACROS:
        return not_checked(
            Message("VBAWarnings is {value}, and means something from 1 to 4.", value=repr(value))
        )
    said = _MACROS[value]
    if value in (_RUN, _ASK):
        return ok(said)
    if is_policy:
        what = Message(
            "{said}: your administrator's policy sets VBAWarnings to {value}.",
            said=said,
            value=str(value),
        )
        mend = Message("Ask your administrator to let Excel ask for this workbook's macros.")
        return problem(what, mend)
    mend = Message(
        'Choose "Disable VBA macros with notification" under {place} in Excel.',
        place=_MACRO_SETTINGS,
    )
    what = Message("{said}: VBAWarnings is {value}.", said=said, value=str(value))
    return problem(what, mend)


def _macros_on_mac(machine: Machine) -> Finding:
    state = machine.preference("VisualBasicMacroExecutionState")
    if state == "DisabledWithoutWarnings":
        mend = Message(
            'Choose "Disable all macros with notification" under Excel > Preferences > Security.'
        )
        what = Message("{said}: its preference is {state}.", said=_MACROS[_OFF], state=state)
        return problem(what, mend)
    return ok(_MACROS[_RUN] if state == "EnabledWithoutWarnings" else _MACROS[_ASK])


def check_project_access(case: Case) -> Finding:
    """Whether programs may change macros, which Import Functions of xlwings does.

    A workbook of xlsizing brings the macros of its functions along and does without.
    """
    if why := without_add_in(case):
        return why
    if case.machine.platform != WINDOWS:
        return not_checked(
            Message("Only Import Functions needs it, which xlwings has on Windows alone.")
        )
    value, is_policy = _security(case, "AccessVBOM")
    if value == 1:
        return ok(Message("Import Functions of xlwings may write macros."))
    off = Message("Import Functions of xlwings may not write macros (AccessVBOM is not set)")
    if value is not None:
        off = Message(
            "Import Functions of xlwings may not write macros (AccessVBOM is {value})",
            value=repr(value),
        )
    workbook = case.workbook
    if workbook is None or workbook.has_wrappers or not workbook.has_macros:
        return ok(Message("{off}, and a workbook that xlsizing wrote does not need it.", off=off))
    if is_policy:
        what = Message("{off}: your administrator's policy says so.", off=off)
        mend = Message("Use a workbook that xlsizing template --host classic writes.")
        return problem(what, mend)
    mend = Message(
        'Tick "Trust access to the VBA project object model" under {place} in Excel.',
        place=_MACRO_SETTINGS,
    )
    return problem(Message("{off}, and this workbook has no functions yet.", off=off), mend)


def _security(case: Case, name: str) -> tuple[object, bool]:
    """A value of Excel's key Security, and whether a policy sets it."""
    assert case.excel is not None
    key = rf"Microsoft\Office\{case.excel.version}.0\Excel\Security"
    policy = case.machine.registry(rf"HKEY_CURRENT_USER\Software\Policies\{key}", name)
    if policy is not None:
        return policy, True
    return case.machine.registry(rf"HKEY_CURRENT_USER\Software\{key}", name), False
