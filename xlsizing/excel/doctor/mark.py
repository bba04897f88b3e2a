"""The mark of the web: where Windows remembers that a file came from somewhere else.

Excel for Windows blocks the macros of a file whose mark names the zone Internet (3) or
Restricted sites (4), and those of no other zone; Excel for Mac blocks none for it (Microsoft,
Macros from the internet are blocked by default in Office). The mark is a stream of the file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xlsizing.core.message import Message
from xlsizing.excel.doctor.finding import Finding, not_checked, ok, problem
from xlsizing.excel.doctor.machine import MAC, WINDOWS
from xlsizing.excel.doctor.workbook import NO_WORKBOOK

if TYPE_CHECKING:
    from xlsizing.excel.doctor.case import Case

_STREAM = ":Zone.Identifier"
_MOST_BYTES = 4096
_INTERNET = 3


def check_mark(case: Case) -> Finding:
    """Whether the workbook bears a mark for which Excel blocks its macros."""
    workbook = case.workbook
    if workbook is None:
        return not_checked(NO_WORKBOOK)
    if case.machine.platform == MAC:
        return not_checked(
            Message("Excel for Mac does not block macros for where a file came from.")
        )
    if case.machine.platform != WINDOWS or workbook.is_on_web:
        return not_checked(Message("Only a file on Windows bears one."))
    try:
        mark = case.machine.files.read(workbook.path + _STREAM, _MOST_BYTES)
    except FileNotFoundError:
        return ok(Message("The workbook bears none."))
    zone = re.search(rb"^\s*ZoneId\s*=\s*(\d{1,9})\s*$", mark, re.MULTILINE)
    if zone is None:
        shown = repr(mark[:80])
        return not_checked(Message("The workbook's mark names no zone: {mark}.", mark=shown))
    if int(zone[1]) < _INTERNET:
        return ok(
            Message(
                "The workbook's mark names the zone {zone}, whose macros are let through.",
                zone=str(int(zone[1])),
            )
        )
    came = Message(
        "Windows marked the workbook as come from the internet (ZoneId {zone})",
        zone=str(int(zone[1])),
    )
    if not workbook.may_have_macros:
        return ok(
            Message(
                "{came}; it has no macros to block, and opens once Enable Editing is clicked.",
                came=came,
            )
        )
    mend = Message('Tick "Unblock" in the file\'s Properties in Explorer, and press OK.')
    return problem(Message("{came}, so Excel blocks its macros.", came=came), mend)
