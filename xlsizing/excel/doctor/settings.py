"""The settings of xlwings, read where and as Excel reads them.

Excel takes a key from the workbook's sheet xlwings.conf, else from the file xlwings.conf
beside the workbook, else from the person's own file (xlwings 0.37.8, addin/Config.bas,
GetConfig). The add-in reads the files with VBA's Input #, two values a time over all lines:
a line with one value or none shifts every pair below it, or ends in an error.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from xlsizing.core.message import Message, joined
from xlsizing.excel.doctor.finding import Finding, not_checked, ok, problem
from xlsizing.excel.doctor.machine import MAC, WINDOWS, Machine
from xlsizing.excel.doctor.office import without_macros
from xlsizing.excel.doctor.workbook import WorkbookFacts

if TYPE_CHECKING:
    from xlsizing.excel.doctor.case import Case

SHEET = "xlwings.conf"
FILE = "xlwings.conf"
LARGEST_BYTES = 10**6
_LINE = re.compile(r'"([^"]*)" *, *"([^"]*)" *')
_SHOWN = 8
"""Characters of a wrong line that are shown."""


class Fault(NamedTuple):
    """What is wrong with a place of settings, and the one thing to do."""

    what: Message
    mend: Message


class Setting(NamedTuple):
    """The value of a key, and where it stands."""

    value: str
    place: Message
    """To follow a verb, such as: on the sheet xlwings.conf of plan.xlsm."""
    is_own: bool
    """Whether the person's own file holds it, and not something that came with a workbook."""


@dataclass(frozen=True)
class Place:
    """One place of settings."""

    name: Message
    """To follow a verb."""
    values: Mapping[str, str]
    """By key in capitals."""
    fault: Fault | None = None
    is_own: bool = False
    """Whether it is the person's own file."""


@dataclass(frozen=True)
class Settings:
    """All places of settings, in the order in which Excel looks at them."""

    places: Sequence[Place]

    def get(self, key: str) -> Setting | None:
        """The setting of a key, from the first place that has it."""
        for place in self.places:
            if key in place.values:
                return Setting(place.values[key], place.name, place.is_own)
        return None

    def value(self, key: str) -> str:
        """The value of a key, or nothing."""
        found = self.get(key)
        return found.value if found else ""


def settings_of(machine: Machine, workbook: WorkbookFacts | None) -> Settings:
    """The settings that Excel finds for a workbook, or where none is named for any.

    Raises
    ------
    OSError : a file may not be read.
    """
    places = []
    if workbook and workbook.settings is not None:
        places.append(_of_sheet(workbook.settings, workbook.path))
    if workbook and not workbook.is_on_web:
        places += _of_file(machine, machine.path(machine.folder_of(workbook.path), FILE))
    if own := own_file(machine):
        places += _of_file(machine, own, is_own=True)
    return Settings(places)


def own_file(machine: Machine) -> str | None:
    """Where the person's own settings are (addin/Config.bas, GetConfigFilePath)."""
    if machine.platform == MAC:
        return machine.path(machine.home, "Library/Containers/com.microsoft.Excel/Data", FILE)
    if machine.platform == WINDOWS:
        return machine.path(machine.home, ".xlwings", FILE)
    return None


def _of_sheet(rows: Sequence[tuple[str, str]], path: str) -> Place:
    """The settings of a sheet; its keys become capitals, and must differ (GetConfigFromSheet)."""
    name = Message("on the sheet {sheet} of {file}", sheet=SHEET, file=path)
    values: dict[str, str] = {}
    for key, value in rows:
        if key.upper() in values:
            what = Message(
                "The key {key} stands twice {place}, with which Excel ends in an error.",
                key=repr(key),
                place=name,
            )
            mend = Message("Keep one row of {key} there.", key=repr(key))
            return Place(name, values, Fault(what, mend))
        if key != key.strip():
            what = Message(
                "The key {key} {place} has a blank at an end, so Excel does not find it.",
                key=repr(key),
                place=name,
            )
            mend = Message("Write {key} there.", key=repr(key.strip()))
            return Place(name, values, Fault(what, mend))
        values[key.upper()] = value
    return Place(name, values)


def _of_file(machine: Machine, path: str, *, is_own: bool = False) -> list[Place]:
    """The settings of a file, where there is one."""
    if not machine.files.is_file(path):
        return []
    name = Message("in {file}", file=path)
    content = machine.files.read(path, LARGEST_BYTES + 1)
    if fault := _fault_of_bytes(content, path, machine.encoding):
        return [Place(name, {}, fault, is_own)]
    values: dict[str, str] = {}
    for number, line in enumerate(_lines(content.decode(machine.encoding)), start=1):
        pair = _LINE.fullmatch(line)
        if not pair:
            return [Place(name, values, _fault_of_line(path, number, line), is_own)]
        values.setdefault(pair[1].upper(), pair[2])
    return [Place(name, values, None, is_own)]


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _fault_of_bytes(content: bytes, path: str, encoding: str) -> Fault | None:
    again = Message("Save {file} as text in {encoding}.", file=path, encoding=encoding)
    if len(content) > LARGEST_BYTES:
        most = str(LARGEST_BYTES // 10**6)
        return Fault(
            Message("{file} has more than {most} MB.", file=path, most=most),
            Message("Take out of {file} what is no setting.", file=path),
        )
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        if content.startswith(mark):
            what = Message(
                "{file} begins with a byte-order mark, which Excel takes for part of a key.",
                file=path,
            )
            return Fault(what, again)
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        what = Message(
            "Byte {number} of {file} is no text in {encoding}, in which it is read.",
            number=str(error.start),
            file=path,
            encoding=encoding,
        )
        return Fault(what, again)
    return None


def _fault_of_line(path: str, number: int, line: str) -> Fault:
    if not line.strip():
        what = Message(
            "Line {number} of {file} is empty, which shifts the settings below it.",
            number=str(number),
            file=path,
        )
        return Fault(what, Message("Take out line {number}.", number=str(number)))
    # No more of it is shown: the rest may be a licence key or a password.
    what = Message(
        "Line {number} of {file}, which begins with {start}, is not two texts in quotes with a "
        "comma between.",
        number=str(number),
        file=path,
        start=repr(line[:_SHOWN]),
    )
    return Fault(what, Message('Write line {number} as "KEY","VALUE".', number=str(number)))


def expanded(machine: Machine, value: str) -> str:
    """The value with variables put in, as the add-in does it (Utils.bas).

    Windows knows every variable in percent signs; on a Mac only the first folder of a path
    may be one of five names. What is not known stays as it is written.
    """
    if machine.platform == MAC:
        first, slash, rest = value.partition("/")
        folders = {
            "$HOME": machine.home,
            "$APPLICATIONS": "/Applications",
            "$DOCUMENTS": machine.path(machine.home, "Documents"),
            "$DOWNLOADS": machine.path(machine.home, "Downloads"),
            "$DESKTOP": machine.path(machine.home, "Desktop"),
        }
        return f"{folders.get(first, first)}{slash}{rest}"
    return re.sub(r"%([^%]+)%", lambda found: machine.variable(found[1]) or found[0], value)


def check_settings(case: Case) -> Finding:
    """Whether every place of settings can be read; says which keys it holds, never a value."""
    if why := without_macros(case):
        return why
    places = case.settings.places
    for place in places:
        if place.fault:
            return problem(place.fault.what, place.fault.mend)
    if not places:
        return not_checked(Message("There are no settings of xlwings: no sheet and no file."))
    held = (
        joined(" ", (", ".join(place.values) or Message("nothing"), place.name)) for place in places
    )
    return ok(joined("; ", held))
