"""All checks, in the order in which their problems are best mended."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from xlsizing.core.message import Message
from xlsizing.excel.doctor.addin import check_add_in, check_bridge
from xlsizing.excel.doctor.case import Case
from xlsizing.excel.doctor.catalogs import check_catalogs
from xlsizing.excel.doctor.finding import Finding, not_checked
from xlsizing.excel.doctor.interpreter import check_interpreter
from xlsizing.excel.doctor.licences import check_licence, check_lite
from xlsizing.excel.doctor.location import check_location
from xlsizing.excel.doctor.mark import check_mark
from xlsizing.excel.doctor.neighbours import check_neighbours
from xlsizing.excel.doctor.office import check_excel
from xlsizing.excel.doctor.python import check_functions, check_packages, check_python
from xlsizing.excel.doctor.settings import check_settings
from xlsizing.excel.doctor.trust import check_macros, check_project_access
from xlsizing.excel.doctor.workbook import check_workbook

CHECKS: Mapping[str, Callable[[Case], Finding]] = {
    "python": check_python,
    "packages": check_packages,
    "functions": check_functions,
    "catalogs": check_catalogs,
    "Excel": check_excel,
    "settings": check_settings,
    "interpreter": check_interpreter,
    "add-in": check_add_in,
    "bridge": check_bridge,
    "macros": check_macros,
    "project access": check_project_access,
    "workbook": check_workbook,
    "mark of the web": check_mark,
    "location": check_location,
    "neighbours": check_neighbours,
    "Lite": check_lite,
    "licence": check_licence,
}

NAMES: Mapping[str, Message] = {
    "python": Message("python"),
    "packages": Message("packages"),
    "functions": Message("functions"),
    "catalogs": Message("catalogs"),
    "Excel": Message("Excel"),
    "settings": Message("settings"),
    "interpreter": Message("interpreter"),
    "add-in": Message("add-in"),
    "bridge": Message("bridge"),
    "macros": Message("macros"),
    "project access": Message("project access"),
    "workbook": Message("workbook"),
    "mark of the web": Message("mark of the web"),
    "location": Message("location"),
    "neighbours": Message("neighbours"),
    "Lite": Message("Lite"),
    "licence": Message("licence"),
}
"""What people are told that each check is called."""


class Checked(NamedTuple):
    """What one check found."""

    check: str
    finding: Finding


def examined(case: Case) -> Sequence[Checked]:
    """What every check finds; one that the system hinders says so, and the others go on."""
    return [Checked(name, _found(check, case)) for name, check in CHECKS.items()]


def _found(check: Callable[[Case], Finding], case: Case) -> Finding:
    try:
        return check(case)
    except OSError as error:
        what = str(error.filename) if error.filename else Message("What it looks at")
        reason = error.strerror or str(error)
        return not_checked(Message("{what} cannot be read: {reason}.", what=what, reason=reason))
    except ImportError as error:
        told = Message("The line packages says why: {error}.", error=str(error))
        return not_checked(told)
