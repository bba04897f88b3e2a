"""Python files beside the workbook that hide the modules which the functions need.

xlwings has Python look for modules in the workbook's folder first, before its own (xlwings
0.37.8, utils.py, prepare_sys_path), unless ADD_WORKBOOK_TO_PYTHONPATH is false.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from xlsizing.core.message import Message
from xlsizing.excel.doctor.finding import Finding, not_checked, ok, problem
from xlsizing.excel.doctor.location import ADD_FOLDER, adds_folder
from xlsizing.excel.doctor.office import without_add_in
from xlsizing.excel.doctor.workbook import NO_WORKBOOK

if TYPE_CHECKING:
    from xlsizing.excel.doctor.case import Case

_PACKAGES = {"xlsizing", "xlwings", "annotated_types"}
_NEEDED = (_PACKAGES | sys.stdlib_module_names) - set(sys.builtin_module_names)


def check_neighbours(case: Case) -> Finding:
    """Whether a file beside the workbook bears the name of a module that is needed."""
    workbook = case.workbook
    if workbook is None:
        return not_checked(NO_WORKBOOK)
    if workbook.is_on_web:
        return not_checked(Message("What is on the web cannot be looked at."))
    if why := without_add_in(case):
        return why
    if not adds_folder(case):
        return ok(
            Message(
                "{setting} is false, so no file beside the workbook is imported.",
                setting=ADD_FOLDER,
            )
        )
    folder = case.machine.folder_of(workbook.path)
    for name in sorted(case.machine.files.names(folder)):
        module = name.removesuffix(".py")
        if module in _NEEDED and (name != module or _is_package(case, folder, name)):
            what = Message(
                "{file} hides the module {module} of the functions.",
                file=case.machine.path(folder, name),
                module=module,
            )
            return problem(what, Message("Rename {file}.", file=name))
    return ok(Message("No file in {folder} hides a module.", folder=folder))


def _is_package(case: Case, folder: str, name: str) -> bool:
    """Whether a folder is a package; else Python prefers a module further down."""
    return case.machine.files.is_file(case.machine.path(folder, name, "__init__.py"))
