"""The texts of the VBA modules that bring the functions and the report into an .xlsm.

`python -m xlsizing.excel.vba workbook/vba` writes them. What a wrapper passes on and gets
back is settled here once, for all functions; their names, arguments and notes come from
the functions themselves. A text for people stands there in each language, and the macro says
the one that the workbook asks for.
"""

import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from xlsizing.core.message import Message
from xlsizing.core.planning.plan import REPORTS_IN
from xlsizing.excel.host import ExcelFunction
from xlsizing.language import language

MODULE = "xlsizing.excel.functions"
"""Where Python finds the functions."""
NO_XLSIZING = Message(
    "This Python has no xlsizing. Install it there as its README says; "
    "xlsizing doctor checks the rest."
)
REPORT = (
    "import sys, importlib.util; importlib.util.find_spec('xlsizing') or sys.exit('{no_xlsizing}')"
    "; import xlsizing.excel.scripts; xlsizing.excel.scripts.full_report()"
)
"""What the button runs: neither a double quote nor a bar, at which the add-in cuts on a Mac, nor
a letter that its shell may not have."""

PORTUGUESE = language("pt-BR")

LONGEST_NOTE = 255
"""Characters that Excel's function wizard shows."""


def modules(functions: Mapping[str, ExcelFunction]) -> dict[str, str]:
    """The text of each module by the name of its file, with the line ends that VBA reads.

    Parameters
    ----------
    functions : the functions by their names, as `xlsizing.excel.host` keeps them.
    """
    texts = {
        "XlsizingFunctions.bas": _functions_module(list(functions.values())),
        "XlsizingPython.bas": _PYTHON_MODULE,
        "XlsizingReport.bas": _REPORT_MODULE,
        "XlsizingWizard.bas": _wizard_module(list(functions.values())),
        "XlsizingWords.bas": _WORDS_MODULE,
        "ThisWorkbook.txt": _WORKBOOK_CODE,
    }
    return {name: text.replace("\n", "\r\n") for name, text in texts.items()}


def _functions_module(functions: Sequence[ExcelFunction]) -> str:
    wrappers = "\n".join(_wrapper(each) for each in functions)
    return _FUNCTIONS_HEAD + wrappers + _FUNCTIONS_TAIL


def _wrapper(function: ExcelFunction) -> str:
    """A function of the worksheet that asks Python."""
    names = [argument.name for argument in function.arguments]
    declared = ", _\n        ".join(
        f"{'Optional ' if argument.optional else ''}{argument.name} As Variant"
        for argument in function.arguments
    )
    return (
        f"Public Function {function.name}( _\n        {declared}) As Variant\n"
        f'    {function.name} = Answer("{function.name}", Array( _\n'
        f"        {', '.join(names)}))\n"
        "End Function\n"
    )


def _wizard_module(functions: Sequence[ExcelFunction]) -> str:
    """What the wizard says, each note once."""
    every = (argument.note for each in functions for argument in each.arguments)
    places = {note: place for place, note in enumerate(dict.fromkeys(every), start=1)}
    notes = "".join(f"    note({place}) = {_noted(note)}\n" for note, place in places.items())
    described = "".join(_described(each, places) for each in functions)
    head = _WIZARD_HEAD.replace("COUNT", str(len(places)))
    return head + notes + described + _WIZARD_TAIL


def _described(function: ExcelFunction, places: Mapping[str, int]) -> str:
    notes = ", ".join(f"note({places[argument.note]})" for argument in function.arguments)
    return (
        f'    Describe "{function.name}", {_noted(function.summary)}, _\n        Array({notes})\n'
    )


def _noted(note: str) -> str:
    """A note in each language, of which the wizard cuts a longer one."""
    for said in (note, PORTUGUESE.say(note)):
        assert len(said) <= LONGEST_NOTE, f"longer than the {LONGEST_NOTE} characters: {said!r}"
    return _said(note)


def _said(text: str, **code: str) -> str:
    """The call that gives a text in the reader's language.

    Parameters
    ----------
    code : for each word in braces, what VBA puts in.
    """
    english, portuguese = (_spelt(said, code) for said in (text, PORTUGUESE.say(text)))
    return f"Said( _\n        {english}, _\n        {portuguese})"


def _spelt(text: str, code: Mapping[str, str]) -> str:
    """A text with what VBA puts in, on as many lines as it takes."""
    terms: list[str] = []
    for number, part in enumerate(re.split(r"\{(\w+)\}", text)):
        if number % 2:
            terms.append(code[part])
        else:
            lines = textwrap.wrap(part, 80, drop_whitespace=False, break_on_hyphens=False)
            terms += map(_literal, lines)
    return " _\n        & ".join(terms)


def _literal(text: str) -> str:
    """A text as VBA writes it, with other letters than those of ASCII by their numbers: a module
    is read in whatever code page there is.
    """
    spelt = re.sub(r"[^ -~]", lambda letter: f"{{{ord(letter[0])}}}", text).replace('"', '""')
    return f'"{spelt}"' if text.isascii() else f'Spelt("{spelt}")'


_FUNCTIONS_HEAD = """\
Attribute VB_Name = "XlsizingFunctions"
Option Explicit

' The functions of cells. Each passes the values of its arguments to Python
' and gives back what Python answers, with true error values in place of their texts.
' Written by python -m xlsizing.excel.vba: change that, and not this.

"""

_FUNCTIONS_TAIL = """
Private Function Answer(ByVal functionName As String, ByVal arguments As Variant) As Variant
    On Error GoTo NoAnswer
    Answer = WithErrorValues(PythonAnswer(functionName, ValuesOf(arguments)))
    Exit Function
NoAnswer:
    ' Never text in a cell that others add up: the sentence is for SIZING_WHY alone.
    If functionName = "SIZING_WHY" Then
        Answer = Err.Description
    Else
        Answer = CVErr(xlErrName)
    End If
End Function

Private Function ValuesOf(ByVal arguments As Variant) As Variant
    ' The arguments as plain values, so that Python asks nothing back while cells compute.
    Dim values() As Variant, height As Long, number As Long
    ReDim values(LBound(arguments) To UBound(arguments))
    height = RowsInUse(arguments)
    For number = LBound(arguments) To UBound(arguments)
        values(number) = ValueOf(height, arguments(number))
    Next number
    ValuesOf = values
End Function

Private Function ValueOf(ByVal height As Long, Optional ByVal argument As Variant) As Variant
    If IsMissing(argument) Then
        ValueOf = Empty
    ElseIf IsObject(argument) Then
        ValueOf = RangeValues(height, argument)
    Else
        ValueOf = argument
    End If
End Function

Private Function RangeValues(ByVal height As Long, ByVal cells As Object) As Variant
    If cells.Areas.Count > 1 Then
        RangeValues = CVErr(xlErrValue)
    ElseIf IsWholeColumn(cells) Then
        RangeValues = CellValues(cells.Resize(height))
    Else
        RangeValues = CellValues(cells)
    End If
End Function

Private Function CellValues(ByVal cells As Object) As Variant
    ' Dates come as dates, so that Python can refuse them.
    Dim found As Variant, row As Long, column As Long
    found = cells.Value
    If IsArray(found) Then
        For row = LBound(found, 1) To UBound(found, 1)
            For column = LBound(found, 2) To UBound(found, 2)
                If VarType(found(row, column)) = vbCurrency Then
                    found(row, column) = cells(row, column).Value2
                End If
            Next column
        Next row
    ElseIf VarType(found) = vbCurrency Then
        ' What is formatted as money is rounded to four places.
        found = cells.Value2
    End If
    CellValues = found
End Function

Private Function RowsInUse(ByVal arguments As Variant) As Long
    ' Rows that the whole columns among the arguments fill together; the rest is empty.
    Dim number As Long, filled As Long
    RowsInUse = 1
    For number = LBound(arguments) To UBound(arguments)
        If IsObject(arguments(number)) Then
            If IsWholeColumn(arguments(number)) Then
                filled = FilledRows(arguments(number))
                If filled > RowsInUse Then RowsInUse = filled
            End If
        End If
    Next number
End Function

Private Function IsWholeColumn(ByVal cells As Object) As Boolean
    IsWholeColumn = (cells.Rows.Count = cells.Worksheet.Rows.Count)
End Function

Private Function FilledRows(ByVal columns As Object) As Long
    ' The last row of whole columns in which a cell is not empty.
    Dim used As Object, last As Long, found As Variant, row As Long, column As Long
    Set used = columns.Worksheet.UsedRange
    last = used.Row + used.Rows.Count
    If last > columns.Rows.Count Then last = columns.Rows.Count
    found = columns.Resize(last).Value
    For row = UBound(found, 1) To LBound(found, 1) Step -1
        For column = LBound(found, 2) To UBound(found, 2)
            If Not IsEmpty(found(row, column)) Then
                FilledRows = row - LBound(found, 1) + 1
                Exit Function
            End If
        Next column
    Next row
End Function

Private Function WithErrorValues(ByVal found As Variant) As Variant
    ' What Python answers: a value, a row of values, or a table of them.
    Dim row As Long, column As Long
    If Not IsArray(found) Then
        WithErrorValues = ErrorValueOf(found)
        Exit Function
    End If
    If HasColumns(found) Then
        For row = LBound(found, 1) To UBound(found, 1)
            For column = LBound(found, 2) To UBound(found, 2)
                found(row, column) = ErrorValueOf(found(row, column))
            Next column
        Next row
    Else
        For column = LBound(found) To UBound(found)
            found(column) = ErrorValueOf(found(column))
        Next column
    End If
    WithErrorValues = found
End Function

Private Function HasColumns(ByRef found As Variant) As Boolean
    Dim last As Long
    On Error Resume Next
    last = UBound(found, 2)
    HasColumns = (Err.Number = 0)
End Function

Private Function ErrorValueOf(ByVal found As Variant) As Variant
    ' The error value that a whole text names, and anything else as it is.
    ErrorValueOf = found
    If VarType(found) <> vbString Then Exit Function
    Select Case found
        Case "#NULL!": ErrorValueOf = CVErr(xlErrNull)
        Case "#DIV/0!": ErrorValueOf = CVErr(xlErrDiv0)
        Case "#VALUE!": ErrorValueOf = CVErr(xlErrValue)
        Case "#REF!": ErrorValueOf = CVErr(xlErrRef)
        Case "#NAME?": ErrorValueOf = CVErr(xlErrName)
        Case "#NUM!": ErrorValueOf = CVErr(xlErrNum)
        Case "#N/A": ErrorValueOf = CVErr(xlErrNA)
    End Select
End Function
"""

_WORDS_MODULE = f'''\
Attribute VB_Name = "XlsizingWords"
Option Explicit
Option Private Module

' Words in the reader's language: what the workbook asks for, else that of Excel's own menus.
' Written by python -m xlsizing.excel.vba: change that, and not this.

Private Const MENUS As Long = 2
Private Const PRIMARY As Long = &H3FF
Private Const PORTUGUESE As Long = &H16

Public Function Said(ByVal english As String, ByVal brazilian As String) As String
    If InPortuguese() Then Said = brazilian Else Said = english
End Function

Public Function Spelt(ByVal text As String) As String
    ' Letters beyond ASCII stand by their numbers: {{227}} is an a with a tilde. Excel's function
    ' makes them, since scanners for viruses take VBA's own for a disguise.
    Dim parts As Variant, place As Long, closed As Long
    parts = Split(text, "{{")
    Spelt = parts(0)
    For place = 1 To UBound(parts)
        closed = InStr(parts(place), "}}")
        Spelt = Spelt & Application.WorksheetFunction.Unichar(CLng(Left(parts(place), closed - 1))) _
            & Mid(parts(place), closed + 1)
    Next place
End Function

Private Function InPortuguese() As Boolean
    Dim asked As String
    ' A workbook without that name, and an Excel that does not tell, leave it at what it was.
    On Error Resume Next
    asked = LCase(Left(Trim(ThisWorkbook.Names("{REPORTS_IN}").RefersToRange.Value), 2))
    If asked = "pt" Then
        InPortuguese = True
    ElseIf asked <> "en" Then
        InPortuguese = ((Application.LanguageSettings.LanguageID(MENUS) And PRIMARY) = PORTUGUESE)
    End If
End Function
'''

_ON_A_MAC = Message(
    "On a Mac the classic xlwings add-in computes no functions; take the workbook of xlsizing "
    "template --host lite."
)
_NOT_REACHED = Message(
    "The xlwings add-in cannot reach Python ({reason}). Set Interpreter on the ribbon tab xlwings; "
    "in a terminal, xlsizing doctor says to what."
)
_NOT_LOADED = Message(
    "The xlwings add-in is not loaded. In a terminal, type xlwings addin install, and start Excel "
    "again. To check the rest, type xlsizing doctor there."
)
_NOT_INSTALLED = Message(
    "The Python that the xlwings add-in starts has no xlsizing. Install it there as its README says, "
    "and press Restart UDF Server on the ribbon tab xlwings. To check the rest, type xlsizing doctor "
    "there."
)
_NOT_COMPUTED = Message(
    "Python could not compute it ({reason}). In a terminal, type xlsizing doctor."
)
_NO_REASON = Message("no reason given")
_MADE = Message("xlsizing: Python makes the full report ...")
_NO_REPORT = Message("There is no full report. {reason}")
_TITLE = Message("Full report")
_CATEGORY = Message("xlsizing functions")

_PYTHON_MODULE = f'''\
Attribute VB_Name = "XlsizingPython"
Option Explicit
Option Private Module

' The way to Python: the classic xlwings add-in, looked up by its name each time. The
' project has no reference to it, which would stop all macros wherever it is missing.
' What goes wrong is raised as an error whose description is a sentence.
' Written by python -m xlsizing.excel.vba: change that, and not this.

Private Const ADD_IN As String = "xlwings.xlam"
Private Const FUNCTIONS As String = "{MODULE}"

Public Function PythonAnswer(ByVal functionName As String, ByVal arguments As Variant) As Variant
    ' What the Python function of that name answers.
    Dim server As Object
    Set server = PythonServer()
    On Error GoTo Failed
    PythonAnswer = server.CallUDF(FUNCTIONS, functionName, arguments)
    Exit Function
Failed:
    Refuse ReasonOf(Err.Description)
End Function

Public Sub StartPython(ByVal statements As String)
    ' Has Python carry out statements on this workbook; the add-in shows what they raise.
    RequireAddIn
    ThisWorkbook.Activate
    Application.Run ADD_IN & "!RunPython", statements
End Sub

Private Function PythonServer() As Object
#If Mac Then
    Refuse {_said(_ON_A_MAC)}
#Else
    Dim reason As String
    RequireAddIn
    On Error GoTo Failed
    Set PythonServer = Application.Run(ADD_IN & "!XLPy")
    Exit Function
Failed:
    reason = LastLine(Err.Description)
    Refuse {_said(_NOT_REACHED, reason="reason")}
#End If
End Function

Private Sub RequireAddIn()
    ' Asked first: given the name of a workbook that is not there, Excel would look for a file.
    Dim addIn As Object
    On Error Resume Next
    Set addIn = Workbooks(ADD_IN)
    On Error GoTo 0
    If addIn Is Nothing Then
        Refuse {_said(_NOT_LOADED)}
    End If
End Sub

Private Function ReasonOf(ByVal description As String) As String
    If InStr(description, "No module named 'xlsizing") > 0 Then
        ReasonOf = {_said(_NOT_INSTALLED)}
    Else
        ReasonOf = {_said(_NOT_COMPUTED, reason="LastLine(description)")}
    End If
End Function

Private Function LastLine(ByVal text As String) As String
    ' What went wrong, without the lines of code that led there.
    Dim lines As Variant, number As Long
    lines = Split(Replace(text, vbCr, ""), vbLf)
    For number = UBound(lines) To 0 Step -1
        LastLine = Trim(lines(number))
        If LastLine <> "" Then Exit Function
    Next number
    LastLine = {_said(_NO_REASON)}
End Function

Private Sub Refuse(ByVal sentence As String)
    Err.Raise 1000, "XlsizingPython", sentence
End Sub
'''

_REPORT_MODULE = f"""\
Attribute VB_Name = "XlsizingReport"
Option Explicit

' What the button "Full report" on the sheet Sizing starts.
' Written by python -m xlsizing.excel.vba: change that, and not this.

Public Sub FullReport()
    Dim reason As String
    On Error GoTo Failed
#If Not Mac Then
    ' On a Mac Python goes on by itself, and nothing here would clear the status bar.
    Application.StatusBar = {_said(_MADE)}
#End If
    StartPython {_spelt(REPORT, {"no_xlsizing": _said(NO_XLSIZING)})}
#If Not Mac Then
    Application.StatusBar = False
#End If
    Exit Sub
Failed:
    reason = Err.Description
    Application.StatusBar = False
    MsgBox {_said(_NO_REPORT, reason="reason")}, vbExclamation, {_said(_TITLE)}
End Sub
"""

_WIZARD_HEAD = """\
Attribute VB_Name = "XlsizingWizard"
Option Explicit
Option Private Module

' What Excel's function wizard says of the functions and their arguments.
' Written by python -m xlsizing.excel.vba: change that, and not this.

Public Sub DescribeFunctions()
    Dim wasSaved As Boolean, note(1 To COUNT) As String
    ' The workbook also opens where Excel takes no descriptions, and asks to be saved no
    ' more than before.
    On Error Resume Next
    wasSaved = ThisWorkbook.Saved
"""

_WIZARD_TAIL = f"""\
    ThisWorkbook.Saved = wasSaved
End Sub

Private Sub Describe(ByVal functionName As String, ByVal summary As String, ByVal notes As Variant)
    Application.MacroOptions _
        Macro:="'" & Replace(ThisWorkbook.Name, "'", "''") & "'!" & functionName, _
        Description:=summary, _
        Category:={_said(_CATEGORY)}, _
        ArgumentDescriptions:=notes
End Sub
"""

_WORKBOOK_CODE = """\
Private Sub Workbook_Open()
    DescribeFunctions
End Sub
"""


def main(folder: str) -> None:
    """Write the modules into a folder."""
    from xlsizing.excel import functions  # noqa: F401 (fills the registry)
    from xlsizing.excel.host import FUNCTIONS

    for name, text in modules(FUNCTIONS).items():
        Path(folder, name).write_bytes(text.encode("ascii"))


if __name__ == "__main__":
    main(sys.argv[1])
