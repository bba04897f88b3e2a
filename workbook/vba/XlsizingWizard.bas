Attribute VB_Name = "XlsizingWizard"
Option Explicit
Option Private Module

' What Excel's function wizard says of the functions and their arguments.
' Written by python -m xlsizing.excel.vba: change that, and not this.

Public Sub DescribeFunctions()
    Dim wasSaved As Boolean, note(1 To 16) As String
    ' The workbook also opens where Excel takes no descriptions, and asks to be saved no
    ' more than before.
    On Error Resume Next
    wasSaved = ThisWorkbook.Saved
    note(1) = Said( _
        "Name or alias of the model, as on the sheet Models", _
        "Nome ou apelido do modelo, como na planilha Models")
    note(2) = Said( _
        "Tokens that one session holds", _
        Spelt("Tokens que uma sess{227}o mant{233}m"))
    note(3) = Said( _
        "fp16 or bf16 or fp8 or int8; empty for the model's own", _
        Spelt("fp16 ou bf16 ou fp8 ou int8; vazio para a do pr{243}prio modelo"))
    note(4) = Said( _
        "Sessions at the same time", _
        Spelt("Sess{245}es ao mesmo tempo"))
    note(5) = Said( _
        "Name or alias of the server, as on the sheet Servers", _
        "Nome ou apelido do servidor, como na planilha Servers")
    note(6) = Said( _
        "Share of the HBM that is planned for KV caches; empty for 0.7", _
        "Parte da HBM planejada para caches KV; vazio para 0,7")
    note(7) = Said( _
        "GiB of that share, per node, that the runtime takes; empty for 120", _
        Spelt("GiB dessa parte, por n{243}, que o runtime ocupa; vazio para 120"))
    note(8) = Said( _
        "Share of the load to keep free for peaks; empty for 0.2", _
        "Parte da carga a manter livre para picos; vazio para 0,2")
    note(9) = Said( _
        "none, or n+1 for a spare node; empty for none", _
        Spelt("none, ou n+1 para um n{243} de reserva; vazio para none"))
    note(10) = Said( _
        "Name or alias of the storage profile; empty for profile_default", _
        "Nome ou apelido do perfil de armazenamento; vazio para profile_default")
    note(11) = Said( _
        "models, servers or storage", _
        "models, servers ou storage")
    note(12) = Said( _
        "Name or alias of an entry; empty for all", _
        "Nome ou apelido de uma entrada; vazio para todas")
    note(13) = Said( _
        "A field as the catalogs spell it, such as hbm_per_gpu_mib; empty for all", _
        Spelt("Um campo como os cat{225}logos o escrevem, por exemplo hbm_per_gpu_mib; vazio para ") _
        & "todos")
    note(14) = Said( _
        "GPUs that share one copy of the model; empty for 1", _
        Spelt("GPUs que dividem uma c{243}pia do modelo; vazio para 1"))
    note(15) = Said( _
        "Checked as in the planning functions, so that one can be changed to the other; " _
        & "not used", _
        Spelt("Verificado como nas fun{231}{245}es de planejamento, para que uma possa ser trocada pela") _
        & Spelt(" outra; n{227}o {233} usado"))
    note(16) = Said( _
        "GPUs that share one copy of the model; empty for the smallest that holds a " _
        & "session", _
        Spelt("GPUs que dividem uma c{243}pia do modelo; vazio para o menor n{250}mero que comporta uma") _
        & Spelt(" sess{227}o"))
    Describe "KV_PER_SESSION", Said( _
        "KV cache of one session in GiB.", _
        Spelt("Cache KV de uma sess{227}o em GiB.")), _
        Array(note(1), note(2), note(3))
    Describe "KV_TOTAL", Said( _
        "KV cache of all sessions together in TiB.", _
        Spelt("Cache KV de todas as sess{245}es juntas em TiB.")), _
        Array(note(1), note(2), note(4), note(3))
    Describe "SESSIONS_PER_NODE", Said( _
        "Sessions that one node holds; 0 where none fits.", _
        Spelt("Sess{245}es que um n{243} comporta; 0 onde nenhuma cabe.")), _
        Array(note(1), note(5), note(2), note(3), note(6), note(7))
    Describe "NODES_MINIMUM", Said( _
        "Nodes for the load as it is, without headroom or spare nodes.", _
        Spelt("N{243}s para a carga como ela {233}, sem folga nem n{243}s de reserva.")), _
        Array(note(1), note(5), note(4), note(2), note(3), note(6), note(7), note(8), note(9))
    Describe "NODES_WITH_HEADROOM", Said( _
        "Nodes for the load with its peak headroom, without spare nodes.", _
        Spelt("N{243}s para a carga com sua folga para picos, sem n{243}s de reserva.")), _
        Array(note(1), note(5), note(4), note(2), note(3), note(6), note(7), note(8), note(9))
    Describe "NODES_REQUIRED", Said( _
        "Nodes to buy or rent: with peak headroom, and a spare one where ha is n+1.", _
        Spelt("N{243}s a comprar ou alugar: com folga para picos, e um de reserva onde ha {233} n+1.")), _
        Array(note(1), note(5), note(4), note(2), note(3), note(6), note(7), note(8), note(9))
    Describe "SIZING", Said( _
        "All figures of a load under their labels: KV cache, sessions, nodes, status and " _
        & "alerts.", _
        Spelt("Todos os valores de uma carga sob seus r{243}tulos: cache KV, sess{245}es, n{243}s, situa{231}{227}o") _
        & " e alertas."), _
        Array(note(1), note(5), note(4), note(2), note(3), note(6), note(7), note(8), note(9), note(10))
    Describe "SIZING_WARNINGS", Said( _
        "The alerts of a load: code, severity, message and what to do.", _
        Spelt("Os alertas de uma carga: c{243}digo, gravidade, mensagem e o que fazer.")), _
        Array(note(1), note(5), note(4), note(2), note(3), note(6), note(7), note(8), note(9), note(10))
    Describe "SIZING_WHY", Said( _
        "OK, or in a sentence what is wrong with a load and what would be right.", _
        Spelt("OK, ou em uma frase o que h{225} de errado com uma carga e o que seria certo.")), _
        Array(note(1), note(5), note(4), note(2), note(3), note(6), note(7), note(8), note(9))
    Describe "CATALOG", Said( _
        "What the catalogs say: all entries of a kind, one entry, or one of its figures.", _
        Spelt("O que os cat{225}logos dizem: todas as entradas de um tipo, uma entrada, ou um de ") _
        & "seus valores."), _
        Array(note(11), note(12), note(13))
    Describe "ENGINE_KV_PER_SESSION", Said( _
        "What the engine sets aside for one session, over the GPUs of a replica, in GiB.", _
        Spelt("O que o motor reserva para uma sess{227}o, somando as GPUs de uma r{233}plica, em GiB.")), _
        Array(note(1), note(2), note(3), note(14))
    Describe "ENGINE_SESSIONS_PER_NODE", Said( _
        "Sessions that the engine admits on one node; 0 where none.", _
        Spelt("Sess{245}es que o motor admite em um n{243}; 0 onde nenhuma.")), _
        Array(note(1), note(5), note(2), note(3), note(15), note(15), note(16))
    Describe "ENGINE_NODES_REQUIRED", Said( _
        "Nodes by the engine bound: with peak headroom, and a spare one where ha is n+1.", _
        Spelt("N{243}s pelo limite do motor: com folga para picos, e um de reserva onde ha {233} n+1.")), _
        Array(note(1), note(5), note(4), note(2), note(3), note(15), note(15), note(8), note(9), note(16))
    ThisWorkbook.Saved = wasSaved
End Sub

Private Sub Describe(ByVal functionName As String, ByVal summary As String, ByVal notes As Variant)
    Application.MacroOptions _
        Macro:="'" & Replace(ThisWorkbook.Name, "'", "''") & "'!" & functionName, _
        Description:=summary, _
        Category:=Said( _
        "xlsizing functions", _
        Spelt("Fun{231}{245}es do xlsizing")), _
        ArgumentDescriptions:=notes
End Sub
