"""The planning method as Excel text: its steps, its answers, and what would mend a plan."""

from collections.abc import Mapping

from xlsizing.book.expressions import (
    COUNT,
    Formula,
    in_parts,
    lookup_key,
    model,
    row_by_name,
    server,
    storage,
    whole_number,
)
from xlsizing.core.message import Message

_SHARE_REST = "({HbmBytes}-Const_RatioParts*INT({HbmBytes}/Const_RatioParts))*{RatioParts}"
_OVERHEAD_REST = (
    "({OverheadParts}-Const_GibParts*INT({OverheadParts}/Const_GibParts))"
    "*Const_BytesPerGiB*Const_RatioParts/Const_GibParts"
)
_SHARE_WHOLE = "INT({HbmBytes}/Const_RatioParts)*{RatioParts}"
_OVERHEAD_WHOLE = "INT({OverheadParts}/Const_GibParts)*Const_BytesPerGiB"
_NEED_PARTS = "({KvBytes}*Const_GibParts+{OverheadParts}*Const_BytesPerGiB)"
_LEFT_PARTS = "(({HbmBytes}-{WeightBytes})*Const_GibParts+{OverheadParts}*Const_BytesPerGiB)"
_KV_PARTS, _WEIGHT_PARTS = (
    f"(INT({size}/Const_BytesPerGiB)*Const_RatioParts*Const_GibParts"
    f"-INT(-({size}-Const_BytesPerGiB*INT({size}/Const_BytesPerGiB))"
    "*Const_RatioParts*Const_GibParts/Const_BytesPerGiB))"
    for size in ("{KvBytes}", "{WeightBytes}")
)
_WINDOWED_BYTES = f"{model('Sliding KV elements')}*{{ElementBytes}}"
_TOKEN_BYTES = f"{{BytesPerToken}}+{_WINDOWED_BYTES}"
_RATIO_PER_GIB = "Const_RatioParts/Const_GibParts"


DERIVED: Mapping[str, str] = {
    # What layer groups hold does not follow from the columns beside.
    "Full KV elements": 'IF({Attention}="grouped",{Full KV elements},'
    "Const_KeyAndValue*{Full layers}*{KV heads}*{Head dim})",
    "Sliding KV elements": 'IF({Attention}="grouped",{Sliding KV elements},'
    "Const_KeyAndValue*{Sliding layers}*{KV heads}*{Head dim})",
    "HBM bytes": 'IF({HBM MiB per GPU}="",ROUND({HBM GB total}*Const_BytesPerGB,0),'
    "{GPUs}*{HBM MiB per GPU}*Const_BytesPerMiB)",
}
"""What a derived catalog column must be, over the columns of its row."""

STEPS: tuple[Formula, ...] = (
    Formula(
        "ModelRow",
        Message("Model row"),
        Message("row"),
        row_by_name("{Model}", "Models", "ModelAliases", "Model"),
        COUNT,
    ),
    Formula(
        "ServerRow",
        Message("Server row"),
        Message("row"),
        row_by_name("{Server}", "Servers", "ServerAliases", "Server"),
        COUNT,
    ),
    Formula(
        "StorageRow",
        Message("Storage row"),
        Message("row"),
        row_by_name("{Storage}", "Storage", "StorageAliases", "Storage"),
        COUNT,
    ),
    Formula(
        "Sessions", Message("Sessions"), Message("sessions"), whole_number("{Concurrency}"), COUNT
    ),
    Formula(
        "ClampedContext",
        Message("Context held"),
        "tokens",
        f"MIN({whole_number('{Context}')},{model('Max context')})",
        COUNT,
    ),
    Formula(
        "Precision",
        Message("KV precision used"),
        "",
        f'IF(TRIM({{KvPrecision}})="",{model("KV precision")},LOWER(TRIM({{KvPrecision}})))',
    ),
    Formula(
        "ElementBytes",
        Message("Bytes per element"),
        Message("bytes"),
        "IF(ISERROR({Precision}),{Precision},IFERROR(INDEX(Precisions[Bytes],"
        f"MATCH({lookup_key('{Precision}')},Precisions[Precision],0)),#VALUE!))",
        COUNT,
    ),
    Formula(
        "FixedBytes",
        Message("KV bytes that no precision changes"),
        Message("bytes"),
        f"{model('Index bytes')}*{{ClampedContext}}+{model('State bytes')}",
        COUNT,
    ),
    Formula(
        "KvBytes",
        Message("KV bytes per session"),
        Message("bytes"),
        f"IF({model('Full KV elements')}+{model('Sliding KV elements')}+{model('State bytes')}>0,"
        f"({model('Full KV elements')}*{{ClampedContext}}+{model('Sliding KV elements')}"
        f"*MIN({{ClampedContext}},{model('Sliding window')}))*{{ElementBytes}}+{{FixedBytes}},"
        "#VALUE!)",
        COUNT,
    ),
    Formula(
        "HbmBytes",
        Message("HBM bytes per node"),
        Message("bytes"),
        f"IF({server('HBM bytes')}>0,{server('HBM bytes')},#VALUE!)",
        COUNT,
    ),
    Formula(
        "RatioParts",
        Message("KV budget ratio in parts"),
        Message("ten-thousandths"),
        in_parts(
            "{KvBudgetRatio}",
            "Default_KvBudgetRatio",
            "Const_RatioParts",
            "{KvBudgetRatio}>0,{KvBudgetRatio}<=1",
        ),
        COUNT,
    ),
    Formula(
        "OverheadParts",
        Message("Runtime overhead in parts"),
        Message("hundredths of a GiB"),
        in_parts(
            "{RuntimeOverheadGiB}",
            "Default_RuntimeOverheadGiB",
            "Const_GibParts",
            "{RuntimeOverheadGiB}>=0,{RuntimeOverheadGiB}<=Limit_OverheadGiB",
        ),
        COUNT,
    ),
    Formula(
        "HeadroomParts",
        Message("Peak headroom in parts"),
        Message("ten-thousandths"),
        in_parts(
            "{PeakHeadroomRatio}",
            "Default_PeakHeadroomRatio",
            "Const_RatioParts",
            "{PeakHeadroomRatio}>=0,{PeakHeadroomRatio}<=Limit_Exact/Const_RatioParts",
        ),
        COUNT,
    ),
    Formula(
        "SpareNodes",
        Message("Spare nodes"),
        Message("nodes"),
        'IFERROR(INDEX(HaModes[Spare nodes],MATCH(IF(TRIM({HA})="",Default_HA,'
        f"{lookup_key('{HA}')}),HaModes[HA],0)),#VALUE!)",
        COUNT,
    ),
    Formula(
        "KvBudgetBytes",
        Message("KV budget bytes per node"),
        Message("bytes"),
        f"{_SHARE_WHOLE}-{_OVERHEAD_WHOLE}+INT(({_SHARE_REST}-{_OVERHEAD_REST})/Const_RatioParts)",
        COUNT,
    ),
    Formula(
        "BytesBesideKv",
        Message("HBM bytes beside the KV budget"),
        Message("bytes"),
        f"{{HbmBytes}}-{_SHARE_WHOLE}+{_OVERHEAD_WHOLE}"
        f"+INT(({_OVERHEAD_REST}-{_SHARE_REST})/Const_RatioParts)",
        COUNT,
    ),
    Formula(
        "WeightBytes",
        Message("Weight bytes"),
        Message("bytes"),
        f"0+{model('Weight bytes')}",
        COUNT,
    ),
    Formula(
        "ReadBytesPerSecond",
        Message("Storage read bytes per second"),
        Message("bytes per second"),
        f"ROUND({storage('Read GB/s')}*Const_BytesPerGB,0)",
        COUNT,
    ),
)
"""The intermediate figures, in the order in which the method takes its steps."""

OUTPUTS: tuple[Formula, ...] = (
    Formula(
        "KvPerSessionGiB",
        Message("KV per session GiB"),
        "GiB",
        "{KvBytes}/Const_BytesPerGiB",
        "#,##0.0000",
    ),
    Formula(
        "KvTotalTiB",
        Message("KV total TiB"),
        "TiB",
        "{KvBytes}*{Sessions}/Const_BytesPerTiB",
        "#,##0.0000",
    ),
    Formula(
        "SessionsPerNode",
        Message("Sessions per node"),
        Message("sessions"),
        "MAX(0,INT({KvBudgetBytes}/{KvBytes}))",
        COUNT,
    ),
    Formula(
        "NodesMinimum",
        Message("Nodes minimum"),
        Message("nodes"),
        "IF({SessionsPerNode}=0,#NUM!,-INT(-{Sessions}/{SessionsPerNode}))",
        COUNT,
    ),
    Formula(
        "NodesWithHeadroom",
        Message("Nodes with headroom"),
        Message("nodes"),
        "IF({SessionsPerNode}=0,#NUM!,IF({Sessions}*(Const_RatioParts+{HeadroomParts})>Limit_Exact,"
        "#VALUE!,-INT(-{Sessions}*(Const_RatioParts+{HeadroomParts})"
        "/({SessionsPerNode}*Const_RatioParts))))",
        COUNT,
    ),
    Formula(
        "NodesFinal",
        Message("Nodes final"),
        Message("nodes"),
        "{NodesWithHeadroom}+{SpareNodes}",
        COUNT,
    ),
)
"""The answers of the method."""

REMEDY_STEPS: tuple[Formula, ...] = (
    Formula(
        "RatioToFit",
        Message("Least KV budget ratio for one session"),
        Message("ten-thousandths"),
        f"{_RATIO_PER_GIB}*INT({_NEED_PARTS}/{{HbmBytes}})-INT(-{_RATIO_PER_GIB}"
        f"*({_NEED_PARTS}-{{HbmBytes}}*INT({_NEED_PARTS}/{{HbmBytes}}))/{{HbmBytes}})",
        COUNT,
    ),
    Formula(
        "OverheadToFit",
        Message("Largest overhead for one session"),
        Message("hundredths of a GiB"),
        f"INT((Const_GibParts*({_SHARE_WHOLE}-{{KvBytes}})"
        f"+INT(Const_GibParts*{_SHARE_REST}/Const_RatioParts))/Const_BytesPerGiB)",
        COUNT,
    ),
    Formula(
        "BytesToGrow",
        Message("KV budget beside the states"),
        Message("bytes"),
        f"MAX(0,{{KvBudgetBytes}}-{model('State bytes')})",
        COUNT,
    ),
    Formula(
        "BytesPerToken",
        Message("KV bytes per token on full layers"),
        Message("bytes"),
        f"{model('Full KV elements')}*{{ElementBytes}}+{model('Index bytes')}",
        COUNT,
    ),
    Formula(
        "ContextInWindow",
        Message("Context in the budget if within the window"),
        "tokens",
        f"IF({_TOKEN_BYTES}=0,0,INT({{BytesToGrow}}/({_TOKEN_BYTES})))",
        COUNT,
    ),
    Formula(
        "ContextToFit",
        Message("Longest context for one session"),
        "tokens",
        f"IF(OR({{ContextInWindow}}<0+{model('Sliding window')},{{BytesPerToken}}=0),"
        f"{{ContextInWindow}},INT(({{BytesToGrow}}-{_WINDOWED_BYTES}"
        f"*(0+{model('Sliding window')}))/{{BytesPerToken}}))",
        COUNT,
    ),
    Formula(
        "HbmToFit",
        Message("Least HBM for one session"),
        Message("hundredths of a GiB"),
        f"-INT(-({_KV_PARTS}+{{OverheadParts}}*Const_RatioParts)/{{RatioParts}})",
        COUNT,
    ),
    Formula(
        "RatioForWeights",
        Message("Largest KV budget ratio beside the weights"),
        Message("ten-thousandths"),
        f"{_RATIO_PER_GIB}*INT({_LEFT_PARTS}/{{HbmBytes}})+INT({_RATIO_PER_GIB}"
        f"*({_LEFT_PARTS}-{{HbmBytes}}*INT({_LEFT_PARTS}/{{HbmBytes}}))/{{HbmBytes}})",
        COUNT,
    ),
    Formula(
        "HbmForWeights",
        Message("Least HBM beside the weights"),
        Message("hundredths of a GiB"),
        f"IF({{RatioParts}}=Const_RatioParts,0,MAX(0,-INT(-({_WEIGHT_PARTS}"
        "-{OverheadParts}*Const_RatioParts)/(Const_RatioParts-{RatioParts}))))",
        COUNT,
    ),
)
"""What would make an unsafe plan fit, as figures."""
