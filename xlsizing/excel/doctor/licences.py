"""Lite, which needs nothing on the machine, and the licence key, which only Server needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsizing.core.message import Message
from xlsizing.excel.doctor.finding import Finding, ok

if TYPE_CHECKING:
    from xlsizing.excel.doctor.case import Case

VARIABLE = "XLWINGS_LICENSE_KEY"


def check_lite(case: Case) -> Finding:
    """That xlwings Lite needs nothing here: its Python runs in Excel, its code in the workbook."""
    del case
    return ok(
        Message("xlwings Lite needs neither Python nor settings here, only its add-in in Excel.")
    )


def check_licence(case: Case) -> Finding:
    """Whether the licence key for xlwings Server is set; the key itself is never shown."""
    if case.machine.variable(VARIABLE):
        return ok(
            Message(
                "{variable} is set, for xlwings Server; xlsizing serve tries it.", variable=VARIABLE
            )
        )
    return ok(
        Message("{variable} is not set, and only xlwings Server needs it.", variable=VARIABLE)
    )
