Attribute VB_Name = "XlsizingReport"
Option Explicit

' What the button "Full report" on the sheet Sizing starts.
' Written by python -m xlsizing.excel.vba: change that, and not this.

Public Sub FullReport()
    Dim reason As String
    On Error GoTo Failed
#If Not Mac Then
    ' On a Mac Python goes on by itself, and nothing here would clear the status bar.
    Application.StatusBar = Said( _
        "xlsizing: Python makes the full report ...", _
        Spelt("xlsizing: o Python faz o relat{243}rio completo ..."))
#End If
    StartPython "import sys, importlib.util; importlib.util.find_spec('xlsizing') or sys.exit('" _
        & Said( _
        "This Python has no xlsizing. Install it there as its README says; xlsizing " _
        & "doctor checks the rest.", _
        "Falta o xlsizing neste Python. Instale-o nele como diz o README; xlsizing doctor" _
        & " verifica o resto.") _
        & "'); import xlsizing.excel.scripts; xlsizing.excel.scripts.full_report()"
#If Not Mac Then
    Application.StatusBar = False
#End If
    Exit Sub
Failed:
    reason = Err.Description
    Application.StatusBar = False
    MsgBox Said( _
        "There is no full report. " _
        & reason, _
        Spelt("N{227}o h{225} relat{243}rio completo. ") _
        & reason), vbExclamation, Said( _
        "Full report", _
        Spelt("Relat{243}rio completo"))
End Sub
