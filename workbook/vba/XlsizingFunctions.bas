Attribute VB_Name = "XlsizingFunctions"
Option Explicit

' The functions of cells. Each passes the values of its arguments to Python
' and gives back what Python answers, with true error values in place of their texts.
' Written by python -m xlsizing.excel.vba: change that, and not this.

Public Function KV_PER_SESSION( _
        model As Variant, _
        context As Variant, _
        Optional precision As Variant) As Variant
    KV_PER_SESSION = Answer("KV_PER_SESSION", Array( _
        model, context, precision))
End Function

Public Function KV_TOTAL( _
        model As Variant, _
        context As Variant, _
        concurrency As Variant, _
        Optional precision As Variant) As Variant
    KV_TOTAL = Answer("KV_TOTAL", Array( _
        model, context, concurrency, precision))
End Function

Public Function SESSIONS_PER_NODE( _
        model As Variant, _
        server As Variant, _
        context As Variant, _
        Optional precision As Variant, _
        Optional kv_budget_ratio As Variant, _
        Optional runtime_overhead_gib As Variant) As Variant
    SESSIONS_PER_NODE = Answer("SESSIONS_PER_NODE", Array( _
        model, server, context, precision, kv_budget_ratio, runtime_overhead_gib))
End Function

Public Function NODES_MINIMUM( _
        model As Variant, _
        server As Variant, _
        concurrency As Variant, _
        context As Variant, _
        Optional precision As Variant, _
        Optional kv_budget_ratio As Variant, _
        Optional runtime_overhead_gib As Variant, _
        Optional headroom As Variant, _
        Optional ha As Variant) As Variant
    NODES_MINIMUM = Answer("NODES_MINIMUM", Array( _
        model, server, concurrency, context, precision, kv_budget_ratio, runtime_overhead_gib, headroom, ha))
End Function

Public Function NODES_WITH_HEADROOM( _
        model As Variant, _
        server As Variant, _
        concurrency As Variant, _
        context As Variant, _
        Optional precision As Variant, _
        Optional kv_budget_ratio As Variant, _
        Optional runtime_overhead_gib As Variant, _
        Optional headroom As Variant, _
        Optional ha As Variant) As Variant
    NODES_WITH_HEADROOM = Answer("NODES_WITH_HEADROOM", Array( _
        model, server, concurrency, context, precision, kv_budget_ratio, runtime_overhead_gib, headroom, ha))
End Function

Public Function NODES_REQUIRED( _
        model As Variant, _
        server As Variant, _
        concurrency As Variant, _
        context As Variant, _
        Optional precision As Variant, _
        Optional kv_budget_ratio As Variant, _
        Optional runtime_overhead_gib As Variant, _
        Optional headroom As Variant, _
        Optional ha As Variant) As Variant
    NODES_REQUIRED = Answer("NODES_REQUIRED", Array( _
        model, server, concurrency, context, precision, kv_budget_ratio, runtime_overhead_gib, headroom, ha))
End Function

Public Function SIZING( _
        model As Variant, _
        server As Variant, _
        concurrency As Variant, _
        context As Variant, _
        Optional precision As Variant, _
        Optional kv_budget_ratio As Variant, _
        Optional runtime_overhead_gib As Variant, _
        Optional headroom As Variant, _
        Optional ha As Variant, _
        Optional storage As Variant) As Variant
    SIZING = Answer("SIZING", Array( _
        model, server, concurrency, context, precision, kv_budget_ratio, runtime_overhead_gib, headroom, ha, storage))
End Function

Public Function SIZING_WARNINGS( _
        model As Variant, _
        server As Variant, _
        concurrency As Variant, _
        context As Variant, _
        Optional precision As Variant, _
        Optional kv_budget_ratio As Variant, _
        Optional runtime_overhead_gib As Variant, _
        Optional headroom As Variant, _
        Optional ha As Variant, _
        Optional storage As Variant) As Variant
    SIZING_WARNINGS = Answer("SIZING_WARNINGS", Array( _
        model, server, concurrency, context, precision, kv_budget_ratio, runtime_overhead_gib, headroom, ha, storage))
End Function

Public Function SIZING_WHY( _
        model As Variant, _
        server As Variant, _
        concurrency As Variant, _
        context As Variant, _
        Optional precision As Variant, _
        Optional kv_budget_ratio As Variant, _
        Optional runtime_overhead_gib As Variant, _
        Optional headroom As Variant, _
        Optional ha As Variant) As Variant
    SIZING_WHY = Answer("SIZING_WHY", Array( _
        model, server, concurrency, context, precision, kv_budget_ratio, runtime_overhead_gib, headroom, ha))
End Function

Public Function CATALOG( _
        kind As Variant, _
        Optional name As Variant, _
        Optional field As Variant) As Variant
    CATALOG = Answer("CATALOG", Array( _
        kind, name, field))
End Function

Public Function ENGINE_KV_PER_SESSION( _
        model As Variant, _
        context As Variant, _
        Optional precision As Variant, _
        Optional tensor_parallel As Variant) As Variant
    ENGINE_KV_PER_SESSION = Answer("ENGINE_KV_PER_SESSION", Array( _
        model, context, precision, tensor_parallel))
End Function

Public Function ENGINE_SESSIONS_PER_NODE( _
        model As Variant, _
        server As Variant, _
        context As Variant, _
        Optional precision As Variant, _
        Optional kv_budget_ratio As Variant, _
        Optional runtime_overhead_gib As Variant, _
        Optional tensor_parallel As Variant) As Variant
    ENGINE_SESSIONS_PER_NODE = Answer("ENGINE_SESSIONS_PER_NODE", Array( _
        model, server, context, precision, kv_budget_ratio, runtime_overhead_gib, tensor_parallel))
End Function

Public Function ENGINE_NODES_REQUIRED( _
        model As Variant, _
        server As Variant, _
        concurrency As Variant, _
        context As Variant, _
        Optional precision As Variant, _
        Optional kv_budget_ratio As Variant, _
        Optional runtime_overhead_gib As Variant, _
        Optional headroom As Variant, _
        Optional ha As Variant, _
        Optional tensor_parallel As Variant) As Variant
    ENGINE_NODES_REQUIRED = Answer("ENGINE_NODES_REQUIRED", Array( _
        model, server, concurrency, context, precision, kv_budget_ratio, runtime_overhead_gib, headroom, ha, tensor_parallel))
End Function

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
