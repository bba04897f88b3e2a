Attribute VB_Name = "XlsizingWizard"
Option Explicit
Option Private Module

' What Excel's function wizard says of the functions and their arguments.
' Written by python -m xlsizing.excel.vba: change that, and not this.

Public Sub DescribeFunctions()
    Dim wasSaved As Boolean
    ' The workbook also opens where Excel takes no descriptions, and asks to be saved no
    ' more than before.
    On Error Resume Next
    wasSaved = ThisWorkbook.Saved
    Describe "KV_PER_SESSION", _
        "KV cache of one session in GiB.", _
        Array( _
        "Name or alias of the model, as on the sheet Models", _
        "Tokens that one session holds", _
        "fp16 or bf16 or fp8 or int8; empty for the model's own")
    Describe "KV_TOTAL", _
        "KV cache of all sessions together in TiB.", _
        Array( _
        "Name or alias of the model, as on the sheet Models", _
        "Tokens that one session holds", _
        "Sessions at the same time", _
        "fp16 or bf16 or fp8 or int8; empty for the model's own")
    Describe "SESSIONS_PER_NODE", _
        "Sessions that one node holds; 0 where none fits.", _
        Array( _
        "Name or alias of the model, as on the sheet Models", _
        "Name or alias of the server, as on the sheet Servers", _
        "Tokens that one session holds", _
        "fp16 or bf16 or fp8 or int8; empty for the model's own", _
        "Share of the HBM that is planned for KV caches; empty for 0.7", _
        "GiB of that share, per node, that the runtime takes; empty for 120")
    Describe "NODES_MINIMUM", _
        "Nodes for the load as it is, without headroom or spare nodes.", _
        Array( _
        "Name or alias of the model, as on the sheet Models", _
        "Name or alias of the server, as on the sheet Servers", _
        "Sessions at the same time", _
        "Tokens that one session holds", _
        "fp16 or bf16 or fp8 or int8; empty for the model's own", _
        "Share of the HBM that is planned for KV caches; empty for 0.7", _
        "GiB of that share, per node, that the runtime takes; empty for 120", _
        "Share of the load to keep free for peaks; empty for 0.2", _
        "none, or n+1 for a spare node; empty for none")
    Describe "NODES_WITH_HEADROOM", _
        "Nodes for the load with its peak headroom, without spare nodes.", _
        Array( _
        "Name or alias of the model, as on the sheet Models", _
        "Name or alias of the server, as on the sheet Servers", _
        "Sessions at the same time", _
        "Tokens that one session holds", _
        "fp16 or bf16 or fp8 or int8; empty for the model's own", _
        "Share of the HBM that is planned for KV caches; empty for 0.7", _
        "GiB of that share, per node, that the runtime takes; empty for 120", _
        "Share of the load to keep free for peaks; empty for 0.2", _
        "none, or n+1 for a spare node; empty for none")
    Describe "NODES_REQUIRED", _
        "Nodes to buy or rent: with peak headroom, and a spare one where ha is n+1.", _
        Array( _
        "Name or alias of the model, as on the sheet Models", _
        "Name or alias of the server, as on the sheet Servers", _
        "Sessions at the same time", _
        "Tokens that one session holds", _
        "fp16 or bf16 or fp8 or int8; empty for the model's own", _
        "Share of the HBM that is planned for KV caches; empty for 0.7", _
        "GiB of that share, per node, that the runtime takes; empty for 120", _
        "Share of the load to keep free for peaks; empty for 0.2", _
        "none, or n+1 for a spare node; empty for none")
    Describe "SIZING", _
        "All figures of a load under their labels: KV cache, sessions, nodes, status and alerts.", _
        Array( _
        "Name or alias of the model, as on the sheet Models", _
        "Name or alias of the server, as on the sheet Servers", _
        "Sessions at the same time", _
        "Tokens that one session holds", _
        "fp16 or bf16 or fp8 or int8; empty for the model's own", _
        "Share of the HBM that is planned for KV caches; empty for 0.7", _
        "GiB of that share, per node, that the runtime takes; empty for 120", _
        "Share of the load to keep free for peaks; empty for 0.2", _
        "none, or n+1 for a spare node; empty for none", _
        "Name or alias of the storage profile; empty for profile_default")
    Describe "SIZING_WARNINGS", _
        "The alerts of a load: code, severity, message and what to do.", _
        Array( _
        "Name or alias of the model, as on the sheet Models", _
        "Name or alias of the server, as on the sheet Servers", _
        "Sessions at the same time", _
        "Tokens that one session holds", _
        "fp16 or bf16 or fp8 or int8; empty for the model's own", _
        "Share of the HBM that is planned for KV caches; empty for 0.7", _
        "GiB of that share, per node, that the runtime takes; empty for 120", _
        "Share of the load to keep free for peaks; empty for 0.2", _
        "none, or n+1 for a spare node; empty for none", _
        "Name or alias of the storage profile; empty for profile_default")
    Describe "SIZING_WHY", _
        "OK, or in a sentence what is wrong with a load and what would be right.", _
        Array( _
        "Name or alias of the model, as on the sheet Models", _
        "Name or alias of the server, as on the sheet Servers", _
        "Sessions at the same time", _
        "Tokens that one session holds", _
        "fp16 or bf16 or fp8 or int8; empty for the model's own", _
        "Share of the HBM that is planned for KV caches; empty for 0.7", _
        "GiB of that share, per node, that the runtime takes; empty for 120", _
        "Share of the load to keep free for peaks; empty for 0.2", _
        "none, or n+1 for a spare node; empty for none")
    Describe "CATALOG", _
        "What the catalogs say: all entries of a kind, one entry, or one of its figures.", _
        Array( _
        "models, servers or storage", _
        "Name or alias of an entry; empty for all", _
        "A field as the catalogs spell it, such as hbm_per_gpu_mib; empty for all")
    Describe "ENGINE_KV_PER_SESSION", _
        "What the engine sets aside for one session, over the GPUs of a replica, in GiB.", _
        Array( _
        "Name or alias of the model, as on the sheet Models", _
        "Tokens that one session holds", _
        "fp16 or bf16 or fp8 or int8; empty for the model's own", _
        "GPUs that share one copy of the model; empty for 1")
    Describe "ENGINE_SESSIONS_PER_NODE", _
        "Sessions that the engine admits on one node; 0 where none.", _
        Array( _
        "Name or alias of the model, as on the sheet Models", _
        "Name or alias of the server, as on the sheet Servers", _
        "Tokens that one session holds", _
        "fp16 or bf16 or fp8 or int8; empty for the model's own", _
        "Checked as in the planning functions, so that one can be changed to the other; not used", _
        "Checked as in the planning functions, so that one can be changed to the other; not used", _
        "GPUs that share one copy of the model; empty for the smallest that holds a session")
    Describe "ENGINE_NODES_REQUIRED", _
        "Nodes by the engine bound: with peak headroom, and a spare one where ha is n+1.", _
        Array( _
        "Name or alias of the model, as on the sheet Models", _
        "Name or alias of the server, as on the sheet Servers", _
        "Sessions at the same time", _
        "Tokens that one session holds", _
        "fp16 or bf16 or fp8 or int8; empty for the model's own", _
        "Checked as in the planning functions, so that one can be changed to the other; not used", _
        "Checked as in the planning functions, so that one can be changed to the other; not used", _
        "Share of the load to keep free for peaks; empty for 0.2", _
        "none, or n+1 for a spare node; empty for none", _
        "GPUs that share one copy of the model; empty for the smallest that holds a session")
    ThisWorkbook.Saved = wasSaved
End Sub

Private Sub Describe(ByVal functionName As String, ByVal summary As String, ByVal notes As Variant)
    Application.MacroOptions _
        Macro:="'" & Replace(ThisWorkbook.Name, "'", "''") & "'!" & functionName, _
        Description:=summary, _
        Category:="xlsizing functions", _
        ArgumentDescriptions:=notes
End Sub
