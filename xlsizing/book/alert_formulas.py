"""The alerts and statuses as Excel text, made from core's texts."""

from collections.abc import Mapping

from xlsizing.book.engine.formulas import MEMORY_UNKNOWN, SETTINGS_WRONG, WEIGHTS_AND_POOL_UNKNOWN
from xlsizing.book.engine.layout_rows import MODEL_FIGURES
from xlsizing.book.expressions import (
    Formula,
    filled,
    fixed,
    literal,
    model,
    number,
    phrase,
    server,
    storage,
)
from xlsizing.core import ALERT_RULES
from xlsizing.core.alerts import (
    REMEDIES,
    STATUS_NOTHING_FITS,
    STATUS_OK,
    STATUS_UNSAFE,
    WEIGHTS_KNOWN,
    WEIGHTS_UNKNOWN,
)
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message
from xlsizing.core.planning.limits import LIMIT_OVERHEAD_GIB

_FIGURES: Mapping[str, str] = {
    "model": model("Name"),
    "server": server("Name"),
    "storage": storage("Name"),
    "kv_gib": fixed("{KvBytes}/Const_BytesPerGiB", 2),
    "budget_gib": fixed("ROUND({KvBudgetBytes}/Const_BytesPerGiB,2)+0", 2),
    "short_gib": fixed("({KvBytes}-{KvBudgetBytes})/Const_BytesPerGiB", 2),
    "short_bytes": fixed("{KvBytes}-{KvBudgetBytes}"),
    "weights_gib": fixed("{WeightBytes}/Const_BytesPerGiB", 2),
    "left_gib": fixed("{BytesBesideKv}/Const_BytesPerGiB", 2),
    "typed_context": fixed("{Context}"),
    "max_context": fixed(model("Max context")),
    "context": fixed("{ClampedContext}"),
    "precision": "{Precision}",
    "read_gbps": storage("Read GB/s"),
    "read_p99_ms": storage("Read p99 ms"),
    "storage_type": storage("Type"),
    "weights_gb": fixed("{WeightBytes}/Const_BytesPerGB", 1),
    "seconds": fixed("{WeightBytes}/{ReadBytesPerSecond}"),
    "context_limit": fixed("Limit_ExtremeContext"),
    "nodes": fixed("{NodesFinal}"),
    "nodes_limit": fixed("Limit_ExtremeNodes"),
    "tensor_parallel": fixed("{TypedTp}"),
    "used_tensor_parallel": fixed("{EngineTp}"),
    "gpus": fixed(server("GPUs")),
    "tensor_parallel_sizes": model("Tensor-parallel sizes"),
    "engine_sessions": fixed("{EngineSessionsPerNode}"),
    "engine_nodes": fixed("{EngineNodesFinal}"),
    "sessions_per_node": fixed("{SessionsPerNode}"),
    "kv_copies": fixed("{KvCopies}"),
    "model_fields": model("Unsourced"),
    "server_fields": server("Unsourced"),
    "storage_fields": storage("Unsourced"),
}
"""The words in braces of the alert texts, as Excel expressions."""

_CONDITIONS: Mapping[str, str] = {
    "hbm_budget_insufficient": "{SessionsPerNode}=0",
    "weights_not_covered": "{WeightBytes}>{BytesBesideKv}",
    "invalid_tp": "AND({TypedTp}>0,"
    + model("Tensor-parallel sizes")
    + '<>"",OR({TypedTp}>'
    + server("GPUs")
    + ',ISERROR(FIND(", "&{TypedTp}&",",", "&'
    + model("Tensor-parallel sizes")
    + '&","))))',
    "context_clamped": "{Context}>{ClampedContext}",
    "kv_precision_16bit": "{ElementBytes}=Const_SixteenBitBytes",
    "long_context_io": "{ClampedContext}>Limit_LongContext",
    "storage_cloud_latency": f'LEFT({storage("Type")},6)="cloud_"',
    "storage_cold_start": "{WeightBytes}>Limit_ColdStartSeconds*{ReadBytesPerSecond}",
    "engine_needs_more_nodes": "IF(ISNUMBER({EngineNodesFinal}),"
    "{EngineNodesFinal}>{NodesFinal},FALSE)",
    "engine_holds_none": "AND({LayoutRow}>0,{EngineSessionsPerNode}=0,{SessionsPerNode}>0)",
    "kv_replicated": "IF(ISNUMBER({KvCopies}),{KvCopies}>1,FALSE)",
    "context_out_of_typical_range": "{ClampedContext}>Limit_ExtremeContext",
    "nodes_out_of_typical_range": "{NodesFinal}>Limit_ExtremeNodes",
    "model_unsourced": f'{model("Unsourced")}<>""',
    "server_unsourced": f'{server("Unsourced")}<>""',
    "storage_unsourced": f'{storage("Unsourced")}<>""',
}
"""When each alert rule holds, as Excel expressions."""


def alert_symbol(rule: str) -> str:
    """The symbol of an alert's cell: context_clamped is Alert_ContextClamped."""
    return "Alert_" + "".join(word.capitalize() for word in rule.split("_"))


_RULE_NAMES: Mapping[str, Message] = {
    "hbm_budget_insufficient": Message("hbm budget insufficient"),
    "weights_not_covered": Message("weights not covered"),
    "invalid_tp": Message("invalid tp"),
    "context_clamped": Message("context clamped"),
    "kv_precision_16bit": Message("kv precision 16bit"),
    "long_context_io": Message("long context io"),
    "storage_cloud_latency": Message("storage cloud latency"),
    "storage_cold_start": Message("storage cold start"),
    "engine_needs_more_nodes": Message("engine needs more nodes"),
    "engine_holds_none": Message("engine holds none"),
    "kv_replicated": Message("kv replicated"),
    "context_out_of_typical_range": Message("context out of typical range"),
    "nodes_out_of_typical_range": Message("nodes out of typical range"),
    "model_unsourced": Message("model unsourced"),
    "server_unsourced": Message("server unsourced"),
    "storage_unsourced": Message("storage unsourced"),
}
"""The rules in words; columns of Scenarios are called by them."""

ALERTS: tuple[Formula, ...] = tuple(
    Formula(
        alert_symbol(key),
        Message("Alert {rule}", rule=_RULE_NAMES[key]),
        "",
        # A row that cannot be computed has a status; it must not have half an alert.
        f'IFERROR(IF({_CONDITIONS[key]},{filled(rule.message, _FIGURES)},""),"")',
    )
    for key, rule in ALERT_RULES.items()
)
"""Each alert rule's message, empty where the rule does not hold."""


RULE_DIGITS = 2
"""Digits of an alert rule's number in a list of them."""

ALERT_NUMBERS = Formula(
    "AlertNumbers",
    Message("Alert numbers"),
    "",
    "&".join(
        f'IF({{{alert.symbol}}}="","","{number:0{RULE_DIGITS}}")'
        for number, alert in enumerate(ALERTS, start=1)
    ),
)
"""The numbers of the rules that hold, one after the other: the sheet Warnings takes them apart."""


def _remedy(key: str, condition: str, figure: str, places: int, parts: str) -> str:
    shown = {"figure": fixed(f"{figure}/{parts}" if parts else figure, places)}
    return f'IF({condition},"; "&{filled(REMEDIES[key], shown)},"")'


def _joined(parts: list[str]) -> str:
    # Each part brings its own "; " in front; the first one's is cut off.
    return f"MID({'&'.join(parts)},3,2000)"


_FP8_REMEDY = (
    "IF(AND({ElementBytes}=Const_SixteenBitBytes,{KvBytes}>{FixedBytes},"
    "{KvBytes}+{FixedBytes}<=2*{KvBudgetBytes}),"
    f'"; "&{phrase(REMEDIES["kv_precision_fp8"])},"")'
)

REMEDY_TEXTS: tuple[Formula, ...] = (
    Formula(
        "BudgetRemedies",
        Message("What would fit one session"),
        "",
        "IFERROR(IF({SessionsPerNode}=0,"
        + _joined(
            [
                _remedy(
                    "ratio_at_least",
                    "{RatioToFit}<=Const_RatioParts",
                    "{RatioToFit}",
                    4,
                    "Const_RatioParts",
                ),
                _remedy(
                    "overhead_at_most",
                    "{OverheadToFit}>=0",
                    "{OverheadToFit}",
                    2,
                    "Const_GibParts",
                ),
                _remedy("context_at_most", "{ContextToFit}>=1", "{ContextToFit}", 0, ""),
                _FP8_REMEDY,
                _remedy("hbm_at_least", "TRUE", "{HbmToFit}", 2, "Const_GibParts"),
            ]
        )
        + ',""),"")',
    ),
    Formula(
        "WeightsRemedies",
        Message("What would fit the weights"),
        "",
        "IFERROR(IF({WeightBytes}>{BytesBesideKv},IF(AND({RatioForWeights}<=0,{HbmForWeights}<=0),"
        + phrase(REMEDIES["ratio_and_hbm"])
        + ","
        + _joined(
            [
                _remedy(
                    "ratio_at_most",
                    "{RatioForWeights}>0",
                    "{RatioForWeights}",
                    4,
                    "Const_RatioParts",
                ),
                _remedy(
                    "hbm_at_least", "{HbmForWeights}>0", "{HbmForWeights}", 2, "Const_GibParts"
                ),
            ]
        )
        + '),""),"")',
    ),
)
"""The remedies as the alerts' "What to do" names them."""


def _unknown(row: str, name: str, unknown: str, empty: str, broken: str) -> tuple[str, str]:
    named = filled(unknown, {"name": f"TRIM({name})"})
    return (
        f"ISERROR({row})",
        f'IF(ISERROR({name}),{phrase(broken)},IF(TRIM({name})="",{phrase(empty)},{named}))',
    )


_FAULTS: tuple[tuple[str, str], ...] = (
    _unknown(
        "{ModelRow}",
        "{Model}",
        Message("There is no model named {name} on Models."),
        Message("Choose a model from the list."),
        Message("The cell of the model holds an error."),
    ),
    _unknown(
        "{ServerRow}",
        "{Server}",
        Message("There is no server named {name} on Servers."),
        Message("Choose a server from the list."),
        Message("The cell of the server holds an error."),
    ),
    _unknown(
        "{StorageRow}",
        "{Storage}",
        Message("There is no storage profile named {name} on Storage."),
        Message("Choose a storage profile from the list."),
        Message("The cell of the storage profile holds an error."),
    ),
    (
        "ISERROR({Sessions})",
        phrase(Message("Concurrency must be a whole number from 1 to 10^14.")),
    ),
    (
        "ISERROR({ClampedContext})",
        phrase(Message("Context must be a whole number from 1 to 10^14.")),
    ),
    (
        "ISERROR({ElementBytes})",
        phrase(Message("KV precision must be fp16 or bf16 or fp8 or int8, or empty.")),
    ),
    (
        "ISERROR({RatioParts})",
        phrase(Message("KV budget ratio must be above 0 and at most 1, with at most 4 decimals.")),
    ),
    (
        "ISERROR({OverheadParts})",
        filled(
            Message("Runtime overhead must be 0 to {most} GiB, with at most 2 decimals."),
            {"most": number(grouped(LIMIT_OVERHEAD_GIB))},
        ),
    ),
    (
        "ISERROR({HeadroomParts})",
        phrase(Message("Peak headroom must be 0 or more, with at most 4 decimals.")),
    ),
    ("ISERROR({SpareNodes})", phrase(Message("HA must be none or n+1, or empty for none."))),
    (
        "ISERROR({KvBytes})",
        phrase(Message("The model's row on Models lacks its KV elements: fill its grey columns.")),
    ),
    (
        "ISERROR({HbmBytes})",
        phrase(Message("The server's row on Servers lacks its HBM bytes: fill its grey column.")),
    ),
    ("{SessionsPerNode}=0", phrase(STATUS_NOTHING_FITS)),
    (
        "ISERROR({NodesFinal})",
        phrase(
            Message("The load is too large for a sheet to count exactly; use the command line.")
        ),
    ),
    (f"IFERROR({_CONDITIONS['weights_not_covered']},FALSE)", phrase(STATUS_UNSAFE)),
)


_INPUTS_WRONG = ",".join(
    f"ISERROR({{{symbol}}})"
    for symbol in (
        "ModelRow",
        "ServerRow",
        "Sessions",
        "ClampedContext",
        "ElementBytes",
        "HeadroomParts",
        "SpareNodes",
    )
)

ENGINE_INPUTS_WRONG = Message("Not computed: see the status of the planning method.")
ENGINE_SIZE_WRONG = Message("Tensor parallel must be a whole number of at least 1, or empty.")
ENGINE_SETTING_WRONG = Message("A setting on the sheet Engine is not accepted.")
ENGINE_SIZE_IMPOSSIBLE = Message("Tensor parallel does not suit the model or the server.")
ENGINE_NO_LAYOUT = Message(
    "How the engine lays this model out is not known; `xlsizing kv` says why."
)
ENGINE_STALE = Message("The model's figures on Models have changed since Layouts was made.")
ENGINE_NO_MEMORY = Message(
    "The server's row on Servers lacks its usable bytes: fill its grey column."
)
ENGINE_NO_WEIGHTS = Message("The weights of this model are not known; give the KV pool on Engine.")
ENGINE_HOLDS_NONE = Message("The engine holds no session on a node.")
ENGINE_TOO_LARGE = Message(
    "The load is too large for a sheet to count exactly; use the command line."
)

_ENGINE_FAULTS: tuple[tuple[str, str], ...] = (
    (f"OR({_INPUTS_WRONG})", phrase(ENGINE_INPUTS_WRONG)),
    ("ISERROR({TypedTp})", phrase(ENGINE_SIZE_WRONG)),
    (SETTINGS_WRONG, phrase(ENGINE_SETTING_WRONG)),
    ('{Alert_InvalidTp}<>""', phrase(ENGINE_SIZE_IMPOSSIBLE)),
    ("ISERROR(MATCH({LayoutKey},Layouts[Key],0))", phrase(ENGINE_NO_LAYOUT)),
    (MEMORY_UNKNOWN, phrase(ENGINE_NO_MEMORY)),
    (WEIGHTS_AND_POOL_UNKNOWN, phrase(ENGINE_NO_WEIGHTS)),
    ("{LayoutRow}=0", phrase(ENGINE_NO_LAYOUT)),
    (
        "INDEX(Layouts[Model figures],{LayoutRow})<>" + '&"|"&'.join(map(model, MODEL_FIGURES)),
        phrase(ENGINE_STALE),
    ),
    ("{EngineSessionsPerNode}=0", phrase(ENGINE_HOLDS_NONE)),
    ("ISERROR({EngineNodesFinal})", phrase(ENGINE_TOO_LARGE)),
)


def _first_of(faults: tuple[tuple[str, str], ...]) -> str:
    text = literal(STATUS_OK)
    for condition, sentence in reversed(faults):
        text = f"IF({condition},{sentence},{text})"
    return text


def _alert_codes() -> str:
    rules_of_code: dict[str, list[str]] = {}
    for key, rule in ALERT_RULES.items():
        rules_of_code.setdefault(rule.code, []).append(f"{{{alert_symbol(key)}}}")
    parts = [
        f'IF({"&".join(symbols)}<>"",{literal(f"; {code}")},"")'
        for code, symbols in rules_of_code.items()
    ]
    return _joined(parts)


STATUS = Formula("Status", Message("Status"), "", _first_of(_FAULTS))
WHY = Formula(
    "Why",
    Message("Why"),
    "",
    _first_of(tuple(fault for fault in _FAULTS if "{StorageRow}" not in fault[0])),
)
"""The status of a load whose storage is not asked for."""
ENGINE_STATUS = Formula("EngineStatus", Message("Engine status"), "", _first_of(_ENGINE_FAULTS))
ALERT_CODES = Formula("AlertCodes", Message("Alerts"), "", _alert_codes())


ENGINE_WORDS = Message("{engine} nodes by the engine bound, {steady} in steady decode: see Engine")

WEIGHTS = Formula(
    "Weights",
    Message("Weights"),
    "",
    f"IFERROR(IF({{WeightBytes}}=0,{phrase(WEIGHTS_UNKNOWN)},"
    + filled(WEIGHTS_KNOWN, _FIGURES)
    + '),"")',
)
"""How the weights compare with what the KV budget leaves for them; on the Sizing sheet only."""

ENGINE_ANSWER = Formula(
    "EngineAnswer",
    Message("Engine"),
    "",
    f"IF({{EngineStatus}}={literal(STATUS_OK)},"
    + filled(
        ENGINE_WORDS,
        {"engine": fixed("{EngineNodesFinal}"), "steady": fixed("{SteadyNodesFinal}")},
    )
    + ",{EngineStatus})",
)
"""What the engine's figures come to, in a line beside the answer; on the Sizing sheet only."""
