Attribute VB_Name = "XlsizingPython"
Option Explicit
Option Private Module

' The way to Python: the classic xlwings add-in, looked up by its name each time. The
' project has no reference to it, which would stop all macros wherever it is missing.
' What goes wrong is raised as an error whose description is a sentence.
' Written by python -m xlsizing.excel.vba: change that, and not this.

Private Const ADD_IN As String = "xlwings.xlam"
Private Const FUNCTIONS As String = "xlsizing.excel.functions"

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
    Refuse Said( _
        "On a Mac the classic xlwings add-in computes no functions; take the workbook of " _
        & "xlsizing template --host lite.", _
        Spelt("No Mac o suplemento cl{225}ssico do xlwings n{227}o calcula fun{231}{245}es; use a pasta de ") _
        & "trabalho de xlsizing template --host lite.")
#Else
    Dim reason As String
    RequireAddIn
    On Error GoTo Failed
    Set PythonServer = Application.Run(ADD_IN & "!XLPy")
    Exit Function
Failed:
    reason = LastLine(Err.Description)
    Refuse Said( _
        "The xlwings add-in cannot reach Python (" _
        & reason _
        & "). Set Interpreter on the ribbon tab xlwings; in a terminal, xlsizing doctor " _
        & "says to what.", _
        Spelt("O suplemento do xlwings n{227}o alcan{231}a o Python (") _
        & reason _
        & "). Defina Interpreter na guia xlwings; em um terminal, xlsizing doctor diz com " _
        & "que valor.")
#End If
End Function

Private Sub RequireAddIn()
    ' Asked first: given the name of a workbook that is not there, Excel would look for a file.
    Dim addIn As Object
    On Error Resume Next
    Set addIn = Workbooks(ADD_IN)
    On Error GoTo 0
    If addIn Is Nothing Then
        Refuse Said( _
        "The xlwings add-in is not loaded. In a terminal, type xlwings addin install, and" _
        & " start Excel again. To check the rest, type xlsizing doctor there.", _
        Spelt("O suplemento do xlwings n{227}o est{225} carregado. Em um terminal, digite xlwings addin") _
        & " install, e inicie o Excel de novo. Para verificar o resto, digite ali xlsizing " _
        & "doctor.")
    End If
End Sub

Private Function ReasonOf(ByVal description As String) As String
    If InStr(description, "No module named 'xlsizing") > 0 Then
        ReasonOf = Said( _
        "The Python that the xlwings add-in starts has no xlsizing. Install it there as " _
        & "its README says, and press Restart UDF Server on the ribbon tab xlwings. To " _
        & "check the rest, type xlsizing doctor there.", _
        Spelt("O Python que o suplemento do xlwings inicia n{227}o tem o xlsizing. Instale-o ali ") _
        & "como diz o README, e aperte Restart UDF Server na guia xlwings. Para verificar o" _
        & " resto, digite ali xlsizing doctor.")
    Else
        ReasonOf = Said( _
        "Python could not compute it (" _
        & LastLine(description) _
        & "). In a terminal, type xlsizing doctor.", _
        Spelt("O Python n{227}o conseguiu calcular (") _
        & LastLine(description) _
        & "). Em um terminal, digite xlsizing doctor.")
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
    LastLine = Said( _
        "no reason given", _
        "sem motivo informado")
End Function

Private Sub Refuse(ByVal sentence As String)
    Err.Raise 1000, "XlsizingPython", sentence
End Sub
