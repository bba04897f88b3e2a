Attribute VB_Name = "XlsizingReport"
Option Explicit

' What the button "Full report" on the sheet Sizing starts.
' Written by python -m xlsizing.excel.vba: change that, and not this.

Public Sub FullReport()
    On Error GoTo Failed
    Application.StatusBar = "xlsizing: Python makes the full report ..."
    StartPython "import sys, importlib.util; importlib.util.find_spec('xlsizing') or " _
        & "sys.exit('This Python has no xlsizing. In a terminal, type pip install xlsizing " _
        & "with it; xlsizing doctor checks the rest.'); import xlsizing.excel.scripts; " _
        & "xlsizing.excel.scripts.full_report()"
#If Not Mac Then
    ' On a Mac Python goes on by itself, and clears the status bar at its end.
    Application.StatusBar = False
#End If
    Exit Sub
Failed:
    Application.StatusBar = False
    MsgBox "There is no full report. " & Err.Description, vbExclamation, "Full report"
End Sub
