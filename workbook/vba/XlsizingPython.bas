Attribute VB_Name = "XlsizingPython"
Option Explicit
Option Private Module

' The way to Python: the classic xlwings add-in, looked up by its name each time. The
' project has no reference to it, which would stop all macros wherever it is missing.
' What goes wrong is raised as an error whose description is a sentence.
' Written by python -m xlsizing.excel.vba: change that, and not this.

Private Const ADD_IN As String = "xlwings.xlam"
Private Const FUNCTIONS As String = "xlsizing.excel.functions"
Private Const CHECK As String = " To check the rest, type xlsizing doctor there."

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
    Refuse "On a Mac the classic xlwings add-in computes no functions;" _
        & " take the workbook of xlsizing template --host lite."
#Else
    RequireAddIn
    On Error GoTo Failed
    Set PythonServer = Application.Run(ADD_IN & "!XLPy")
    Exit Function
Failed:
    Refuse "The xlwings add-in cannot reach Python (" & LastLine(Err.Description) & ")." _
        & " Set Interpreter on the ribbon tab xlwings;" _
        & " in a terminal, xlsizing doctor says to what."
#End If
End Function

Private Sub RequireAddIn()
    ' Asked first: given the name of a workbook that is not there, Excel would look for a file.
    Dim addIn As Object
    On Error Resume Next
    Set addIn = Workbooks(ADD_IN)
    On Error GoTo 0
    If addIn Is Nothing Then
        Refuse "The xlwings add-in is not loaded. In a terminal, type xlwings addin" _
            & " install, and start Excel again." & CHECK
    End If
End Sub

Private Function ReasonOf(ByVal description As String) As String
    If InStr(description, "No module named 'xlsizing") > 0 Then
        ReasonOf = "The Python that the xlwings add-in starts has no xlsizing. Install it there" _
            & " as its README says, and press Restart UDF Server on the ribbon tab xlwings." _
            & CHECK
    Else
        ReasonOf = "Python could not compute it (" & LastLine(description) & ")." _
            & " In a terminal, type xlsizing doctor."
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
    LastLine = "no reason given"
End Function

Private Sub Refuse(ByVal sentence As String)
    Err.Raise 1000, "XlsizingPython", sentence
End Sub
