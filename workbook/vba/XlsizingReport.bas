Attribute VB_Name = "XlsizingReport"
Option Explicit

' What the button "Full report" on the sheet Sizing starts.
' Written by python -m xlsizing.excel.vba: change that, and not this.

Public Sub FullReport()
    On Error GoTo Failed
#If Not Mac Then
    ' On a Mac Python goes on by itself, and nothing here would clear the status bar.
    Application.StatusBar = "xlsizing: Python makes the full report ..."
#End If
    StartPython "import sys, importlib.util; importlib.util.find_spec('xlsizing') or " _
        & "sys.exit('This Python has no xlsizing. Install it there as its README says; " _
        & "xlsizing doctor checks the rest.'); import xlsizing.excel.scripts; " _
        & "xlsizing.excel.scripts.full_report()"
#If Not Mac Then
    Application.StatusBar = False
#End If
    Exit Sub
Failed:
    Application.StatusBar = False
    MsgBox "There is no full report. " & Err.Description, vbExclamation, "Full report"
End Sub
