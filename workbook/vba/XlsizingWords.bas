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
    ' Letters beyond ASCII stand by their numbers: {227} is an a with a tilde. Excel's function
    ' makes them, since scanners for viruses take VBA's own for a disguise.
    Dim parts As Variant, place As Long, closed As Long
    parts = Split(text, "{")
    Spelt = parts(0)
    For place = 1 To UBound(parts)
        closed = InStr(parts(place), "}")
        Spelt = Spelt & Application.WorksheetFunction.Unichar(CLng(Left(parts(place), closed - 1))) _
            & Mid(parts(place), closed + 1)
    Next place
End Function

Private Function InPortuguese() As Boolean
    Dim asked As String
    ' A workbook without that name, and an Excel that does not tell, leave it at what it was.
    On Error Resume Next
    asked = LCase(Left(Trim(ThisWorkbook.Names("Setting_Language").RefersToRange.Value), 2))
    If asked = "pt" Then
        InPortuguese = True
    ElseIf asked <> "en" Then
        InPortuguese = ((Application.LanguageSettings.LanguageID(MENUS) And PRIMARY) = PORTUGUESE)
    End If
End Function
