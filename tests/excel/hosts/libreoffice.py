"""The wrappers in VBA, run by LibreOffice in a workbook's cells.

Everything is as in Excel but for the way to Python: in its place stands a module that
knows what Python answers to which arguments, and knows nothing else. LibreOffice shows a
true error value of VBA as the text "Error 2042"; it hands over error cells and arguments
that are left out between two others as numbers, and knows no areas of several parts.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from tests.conftest import PROJECT
from xlsizing.book.cells import PackageNotes
from xlsizing.book.package.finishing import package
from xlsizing.book.vba import Module, document_module, standard_module, vba_project
from xlsizing.book.vba.project import SHEET_CLASS, WORKBOOK_CLASS

MODULES = PROJECT / "workbook" / "vba"
_ERRORS = {
    "Error 2000": "#NULL!",
    "Error 2007": "#DIV/0!",
    "Error 2015": "#VALUE!",
    "Error 2023": "#REF!",
    "Error 2029": "#NAME?",
    "Error 2036": "#NUM!",
    "Error 2042": "#N/A",
}
_FIRST_DAY = date(1899, 12, 30)
"""The day 0 of VBA."""
_FIRST_ANSWER = 60
"""The column of the answers, beyond those of the arguments."""

STUB = """\
Attribute VB_Name = "XlsizingPython"
Option Explicit
Option Private Module

Private known As Object

Public Function PythonAnswer(ByVal functionName As String, ByVal arguments As Variant) As Variant
    Dim key As String, number As Long, parts As Variant
    If known Is Nothing Then ReadReplies
    key = functionName
    For number = LBound(arguments) To UBound(arguments)
        key = key & "|" & Spelt(arguments(number))
    Next number
    parts = Split(known.Item(key), vbTab)
    Select Case parts(0)
        Case "0": PythonAnswer = CellOf(parts(2))
        Case "1": PythonAnswer = RowOf(parts)
        Case Else: PythonAnswer = TableOf(parts)
    End Select
End Function

Private Function RowOf(ByVal parts As Variant) As Variant
    Dim found() As Variant, column As Long
    ReDim found(0 To CLng(parts(1)) - 1)
    For column = 0 To UBound(found)
        found(column) = CellOf(parts(2 + column))
    Next column
    RowOf = found
End Function

Private Function TableOf(ByVal parts As Variant) As Variant
    Dim found() As Variant, row As Long, column As Long
    ReDim found(0 To CLng(parts(0)) - 1, 0 To CLng(parts(1)) - 1)
    For row = 0 To UBound(found, 1)
        For column = 0 To UBound(found, 2)
            found(row, column) = CellOf(parts(2 + row * CLng(parts(1)) + column))
        Next column
    Next row
    TableOf = found
End Function

Public Sub StartPython(ByVal statements As String)
    Err.Raise 1000, "test", "No report here."
End Sub

Private Sub ReadReplies()
    Dim file As Long, key As String, reply As String
    Set known = New Collection
    file = FreeFile
    Open "FOLDER/replies.txt" For Input As #file
    Do While Not EOF(file)
        Line Input #file, key
        Line Input #file, reply
        known.Add reply, key
    Loop
    Close #file
End Sub

Private Function Spelt(ByVal value As Variant) As String
    Dim row As Long, column As Long
    If IsArray(value) Then
        For row = LBound(value, 1) To UBound(value, 1)
            For column = LBound(value, 2) To UBound(value, 2)
                Spelt = Spelt & Spelt1(value(row, column)) & ","
            Next column
            Spelt = Spelt & ";"
        Next row
    Else
        Spelt = Spelt1(value)
    End If
End Function

Private Function Spelt1(ByVal value As Variant) As String
    Select Case VarType(value)
        Case vbEmpty: Spelt1 = "-"
        Case vbString: Spelt1 = "s" & value
        Case vbBoolean: Spelt1 = "b" & IIf(value, "1", "0")
        Case vbDate: Spelt1 = "d" & CLng(value)
        Case Else: Spelt1 = "n" & Format(CDbl(value), "0.00000000000000E+000")
    End Select
End Function

Private Function CellOf(ByVal text As String) As Variant
    If Left(text, 1) = "n" Then
        CellOf = Val(Mid(text, 2))
    Else
        CellOf = Mid(text, 2)
    End If
End Function
"""

_OPENED = """\
Private Sub Workbook_Open()
    Dim places As Long, found As Long, line As String, place As Variant
    Dim row As Long, column As Long, cell As Object
    On Error GoTo Done
    DescribeFunctions
    ThisComponent.calculateAll()
    places = FreeFile
    Open "FOLDER/places.txt" For Input As #places
    found = FreeFile
    Open "FOLDER/found.txt" For Output As #found
    Do While Not EOF(places)
        Line Input #places, line
        place = Split(line, " ")
        For row = CLng(place(0)) To CLng(place(0)) + CLng(place(2)) - 1
            For column = CLng(place(1)) To CLng(place(1)) + CLng(place(3)) - 1
                Set cell = ThisComponent.Sheets.getByIndex(0).getCellByPosition(column, row)
                If cell.getError() <> 0 Then
                    Print #found, "e" & cell.getError()
                ElseIf cell.FormulaResultType2 = com.sun.star.sheet.FormulaResult.VALUE Then
                    Print #found, "n" & Format(cell.getValue(), "0.0000000000000000E+000")
                Else
                    Print #found, "s" & cell.getString()
                End If
            Next column
        Next row
    Loop
    Close #found
Done:
    StarDesktop.terminate()
End Sub
"""

_PROFILE = """\
<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


class Formula(NamedTuple):
    """A formula, and the shape of its answer; None for a single value."""

    text: str
    shape: tuple[int, int] | None = None


class Reply(NamedTuple):
    """What Python answers to a function's arguments."""

    name: str
    arguments: Sequence[Any]
    answer: Any


def answers(calls: Sequence[tuple[Sequence[Any], Reply]]) -> list[Any]:
    """What cells show that call functions with values and ranges of cells.

    Parameters
    ----------
    calls : for each, the arguments as cells hold them, and what Python is asked and replies.
    """
    sheet, formulas = _new_sheet(), []
    top = 1
    for given, reply in calls:
        columns = _placed(sheet, given, top)
        shape = _shape(reply.answer) if isinstance(reply.answer, list) else None
        formulas.append((top, Formula(f"{reply.name}({','.join(columns)})", shape)))
        heights = [len(each) for each in (*given, reply.answer) if isinstance(each, list)]
        top += max(heights, default=1)
    return _computed(sheet, formulas, [reply for _, reply in calls], STUB)


def computed(
    cells: Mapping[str, Any],
    formulas: Sequence[Formula],
    replies: Sequence[Reply],
    way_to_python: str = STUB,
    language: str = "",
) -> list[Any]:
    """What formulas show on a sheet with these cells, where Python replies so.

    Parameters
    ----------
    way_to_python : the text of the module XlsizingPython.
    language : what the workbook asks for; empty where it does not.
    """
    sheet = _new_sheet()
    if language:
        sheet["AZ1"] = language
        asked = DefinedName("Setting_Language", attr_text="Sheet!$AZ$1")
        assert sheet.parent
        sheet.parent.defined_names["Setting_Language"] = asked
    for address, value in cells.items():
        sheet[address] = value
        if isinstance(value, str):
            sheet[address].data_type = "s"
    placed, top = [], 1
    for formula in formulas:
        placed.append((top, formula))
        top += formula.shape[0] if formula.shape else 1
    return _computed(sheet, placed, replies, way_to_python)


def _new_sheet() -> Worksheet:
    sheet = Workbook().active
    assert isinstance(sheet, Worksheet)
    return sheet


def _placed(sheet: Worksheet, given: Sequence[Any], top: int) -> Iterator[str]:
    """Write arguments beside each other from a row on; gives their addresses."""
    left = 1
    for argument in given:
        rows = argument if isinstance(argument, list) else [[argument]]
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                cell = sheet.cell(top + number, left + place, value)
                if isinstance(value, str):
                    cell.data_type = "s"
        first, last = get_column_letter(left), get_column_letter(left + len(rows[0]) - 1)
        yield f"{first}{top}" + (f":{last}{top + len(rows) - 1}" if rows != [[argument]] else "")
        left += len(rows[0])
    assert left < _FIRST_ANSWER


def _shape(rows: Sequence[Sequence[Any]]) -> tuple[int, int]:
    return len(rows), len(rows[0])


def _computed(
    sheet: Worksheet,
    formulas: Sequence[tuple[int, Formula]],
    replies: Sequence[Reply],
    way_to_python: str,
) -> list[Any]:
    program = shutil.which("soffice")
    if program is None and "CI" not in os.environ:
        pytest.skip("LibreOffice Calc (soffice) is not installed; CI has it.")
    assert program
    notes, places = PackageNotes(), []
    for top, formula in formulas:
        _write_formula(sheet, notes, top, formula)
        rows, columns = formula.shape or (1, 1)
        places.append(f"{top - 1} {_FIRST_ANSWER - 1} {rows} {columns}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        notes.vba_project = vba_project(list(_modules(folder, way_to_python)))
        book = sheet.parent
        assert isinstance(book, Workbook)
        book.code_name, sheet.sheet_properties.codeName = "ThisWorkbook", "Sheet1"
        (folder / "calls.xlsm").write_bytes(package(book, notes))
        (folder / "places.txt").write_text("\n".join(places), encoding="utf-8")
        (folder / "replies.txt").write_text(_spelt_replies(replies), encoding="utf-8")
        (folder / "profile" / "user").mkdir(parents=True)
        (folder / "profile" / "user" / "registrymodifications.xcu").write_text(_PROFILE)
        subprocess.run(
            [
                *(program, "--headless", "--norestore"),
                f"-env:UserInstallation=file://{folder}/profile",
                str(folder / "calls.xlsm"),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        found = (folder / "found.txt").read_text(encoding="utf-8").splitlines()
    return list(_read(iter(found), [formula for _, formula in formulas]))


def _write_formula(sheet: Worksheet, notes: PackageNotes, top: int, formula: Formula) -> None:
    first = f"{get_column_letter(_FIRST_ANSWER)}{top}"
    notes.values[sheet.title, first] = 999
    if formula.shape is None:
        sheet[first] = f"={formula.text}"
    else:
        rows, columns = formula.shape
        last = f"{get_column_letter(_FIRST_ANSWER + columns - 1)}{top + rows - 1}"
        sheet[first] = ArrayFormula(f"{first}:{last}", f"={formula.text}")


def _modules(folder: Path, way_to_python: str) -> Iterator[Module]:
    texts = {path.stem: path.read_text(encoding="ascii") for path in MODULES.glob("*.bas")}
    texts["XlsizingPython"] = way_to_python
    yield document_module("ThisWorkbook", WORKBOOK_CLASS, _OPENED.replace("FOLDER", str(folder)))
    yield document_module("Sheet1", SHEET_CLASS)
    for text in texts.values():
        yield standard_module(compiled_for("Windows", text).replace("FOLDER", str(folder)))


def compiled_for(system: str, source: str) -> str:
    """The text of a module as VBA compiles it on a system, which LibreOffice does not know."""
    lines, kept = [], True
    for line in source.splitlines():
        if found := re.fullmatch("#If (Not )?Mac Then", line):
            kept = (system == "Mac") != bool(found[1])
        elif line == "#Else":
            kept = not kept
        elif line == "#End If":
            kept = True
        elif kept:
            lines.append(line)
    return "\n".join(lines)


def _spelt_replies(replies: Sequence[Reply]) -> str:
    """Lines in pairs: a function with its arguments, and what is replied."""
    pairs = {
        "|".join([name, *map(_spelt, arguments)]): _reply(answer)
        for name, arguments, answer in replies
    }
    return "".join(f"{key}\n{reply}\n" for key, reply in pairs.items())


def _spelt(value: Any) -> str:
    if isinstance(value, list):
        if len(value) == len(value[0]) == 1:
            return _spelt(value[0][0])
        return "".join("".join(f"{_spelt(cell)}," for cell in row) + ";" for row in value)
    if value is None:
        return "-"
    if isinstance(value, bool):
        return f"b{int(value)}"
    if isinstance(value, date):
        return f"d{(value - _FIRST_DAY).days}"
    if isinstance(value, str):
        return f"s{value}"
    digits, _, power = f"{value:.14E}".partition("E")
    return f"n{digits}E{int(power):+04d}"


def _reply(answer: Any) -> str:
    """Shape and cells, as the add-in hands them to VBA: 0 rows for a value, 1 for a row."""
    if not isinstance(answer, list):
        return f"0\t0\t{_cell(answer)}"
    cells = [_cell(cell) for row in answer for cell in row]
    return "\t".join([str(len(answer)), str(len(answer[0])), *cells])


def _cell(value: Any) -> str:
    return f"s{value}" if isinstance(value, str) else f"n{value!r}"


def _read(found: Iterator[str], formulas: Sequence[Formula]) -> Iterator[Any]:
    for formula in formulas:
        rows, columns = formula.shape or (1, 1)
        cells = [[_shown(next(found)) for _ in range(columns)] for _ in range(rows)]
        yield cells if formula.shape else cells[0][0]


def _shown(text: str) -> Any:
    """A cell: a number, a text, or a true error value by its name."""
    kind, value = text[0], text[1:]
    if kind == "n":
        return float(value)
    if kind == "e":
        return f"LibreOffice's error {value}"
    if value in _ERRORS.values():
        return f"the text {value}"
    return _ERRORS.get(value, value)
