"""The catalogs that the functions load."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xlsizing.catalog import load_catalogs
from xlsizing.catalog.errors import CatalogError
from xlsizing.catalog.loading import FOLDER_VARIABLE
from xlsizing.core.message import Message, one_or_many
from xlsizing.excel.doctor.finding import Finding, ok, problem
from xlsizing.resources import shipped

if TYPE_CHECKING:
    from xlsizing.excel.doctor.case import Case


def check_catalogs(case: Case) -> Finding:
    """Whether the catalogs load: the folder that is named, else XLSIZING_CATALOGS's, else ours."""
    named, variable = case.catalogs, case.machine.variable(FOLDER_VARIABLE)
    folder = named or variable or os.path.normpath(shipped("catalogs"))
    source = "--catalogs" if named else FOLDER_VARIABLE if variable else Message("shipped")
    try:
        catalogs = load_catalogs(folder)
    except CatalogError as error:
        what = one_or_many(
            "The catalogs in {folder} ({source}) have a fault: {first}",
            "The catalogs in {folder} ({source}) have {count} faults, first: {first}",
            len(error.faults),
            folder=folder,
            source=source,
            count=str(len(error.faults)),
            first=str(error.faults[0]),
        )
        command = f'xlsizing catalog validate --catalogs "{folder}"'
        return problem(what, Message("Mend what {command} lists.", command=command))
    workbook, known = case.workbook, catalogs.fingerprint()
    made_from = workbook.catalogs if workbook and workbook.has_wrappers else None
    if made_from not in (None, known):
        return problem(
            Message(
                "The workbook was made from the catalogs {made_from}, and its functions compute "
                "with {known} in {folder} ({source}): its sheets and its functions may differ.",
                made_from=str(made_from),
                known=known,
                folder=folder,
                source=source,
            ),
            Message(
                "Make the workbook again from one folder, and name that folder in {variable}.",
                variable=FOLDER_VARIABLE,
            ),
        )
    return ok(
        Message(
            "{models} models, {servers} servers, {profiles} storage profiles in {folder} ({source})",
            models=str(len(catalogs.models)),
            servers=str(len(catalogs.servers)),
            profiles=str(len(catalogs.profiles)),
            folder=folder,
            source=source,
        )
    )
