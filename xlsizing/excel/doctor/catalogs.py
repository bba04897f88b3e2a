"""The catalogs that the functions load."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xlsizing.catalog import load_catalogs
from xlsizing.catalog.errors import CatalogError
from xlsizing.catalog.loading import FOLDER_VARIABLE
from xlsizing.excel.doctor.finding import Finding, ok, problem
from xlsizing.resources import shipped

if TYPE_CHECKING:
    from xlsizing.excel.doctor.case import Case


def check_catalogs(case: Case) -> Finding:
    """Whether the catalogs load: the folder that is named, else XLSIZING_CATALOGS's, else ours."""
    named, variable = case.catalogs, case.machine.variable(FOLDER_VARIABLE)
    folder = named or variable or os.path.normpath(shipped("catalogs"))
    source = "--catalogs" if named else FOLDER_VARIABLE if variable else "shipped"
    try:
        catalogs = load_catalogs(folder)
    except CatalogError as error:
        first, count = error.faults[0], len(error.faults)
        what = f"The catalogs in {folder} ({source}) have {count} faults, first: {first}"
        if len(error.faults) == 1:
            what = f"The catalogs in {folder} ({source}) have a fault: {first}"
        mend = f'Mend what xlsizing catalog validate --catalogs "{folder}" lists.'
        return problem(what, mend)
    workbook, known = case.workbook, catalogs.fingerprint()
    made_from = workbook.catalogs if workbook and workbook.has_wrappers else None
    if made_from not in (None, known):
        return problem(
            f"The workbook was made from the catalogs {made_from}, and its functions compute with "
            f"{known} in {folder} ({source}): its sheets and its functions may differ.",
            f"Make the workbook again from one folder, and name that folder in {FOLDER_VARIABLE}.",
        )
    counts = f"{len(catalogs.models)} models, {len(catalogs.servers)} servers"
    return ok(f"{counts}, {len(catalogs.profiles)} storage profiles in {folder} ({source})")
