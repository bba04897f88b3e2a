"""The method as Excel text: every formula that computes something in a workbook.

A formula is written once, over symbols in braces. The Sizing sheet renders it with
defined names, the Scenarios table with references to its own row; the engine tests
prove both equal to core. All are plain: INDEX, MATCH, INT, ROUND and the like, which
every Excel, LibreOffice and phone computes.

Exactness. Doubles hold integers exactly up to 2^53, and the quotient of two such
integers never rounds up to the next one; so the formulas count in whole bytes, ratios
in ten-thousandths and GiB in hundredths, and take INT of one quotient of integers. A
product that would pass 2^53 is split into a whole part and a rest first.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xlsizing.book.limits import LIMIT_EXACT, LIMIT_OVERHEAD_GIB
from xlsizing.core import ALERT_RULES, BYTES_PER_ELEMENT
from xlsizing.core.alerts import REMEDIES, WEIGHTS_KNOWN, WEIGHTS_UNKNOWN

LONGEST_LITERAL = 255
"""Characters that a text inside an Excel formula may have."""


@dataclass(frozen=True)
class Formula:
    """One computed figure.

    `symbol` names it in other formulas, `label` to people (row label on Sizing, column
    in Scenarios), `text` is the formula without its equals sign.
    """

    symbol: str
    label: str
    unit: str
    text: str
    number_format: str = "General"


def literal(text: str) -> str:
    """A text as an Excel expression, in pieces that are not too long for one literal."""
    pieces = [
        text[start : start + LONGEST_LITERAL] for start in range(0, len(text), LONGEST_LITERAL)
    ]
    return "&".join('"' + piece.replace('"', '""') + '"' for piece in pieces or [""])


def render(text: str, reference: Callable[[str], str]) -> str:
    """A formula's text with each {Symbol} replaced by its cell reference."""
    return re.sub(r"\{(\w+)\}", lambda symbol: reference(symbol.group(1)), text)


def _key(name: str) -> str:
    # MATCH reads *, ? and ~ as wildcards unless a tilde stands before them.
    trimmed = f"TRIM({name})"
    return f'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({trimmed},"~","~~"),"*","~*"),"?","~?")'


def _row_by_name(symbol: str, table: str, aliases: str, column: str) -> str:
    key = _key(symbol)
    by_alias = f"INDEX({aliases}[{column}],MATCH({key},{aliases}[Alias],0))"
    return f"IFERROR(MATCH({key},{table}[Name],0),MATCH({by_alias},{table}[Name],0))"


def _whole_number(symbol: str) -> str:
    in_range = f"AND({symbol}>=1,{symbol}<=Limit_Exact,INT({symbol})={symbol})"
    return f"IF(ISNUMBER({symbol}),IF({in_range},{symbol},#VALUE!),#VALUE!)"


def _parts(symbol: str, default: str, parts: str, bounds: str) -> str:
    # The decimal that was typed is the number at 15 digits, so that 0.1+0.2 is 0.3.
    rounded = f"ROUND({symbol}*{parts},0)"
    typed = f"ROUND({symbol},Const_TypedDigits-1-INT(LOG10(ABS({symbol}))))"
    counted = f"IF({typed}={rounded}/{parts},{rounded},#VALUE!)"
    checked = f"IF(AND({bounds}),IF({symbol}=0,0,{counted}),#VALUE!)"
    given = f"IF(ISNUMBER({symbol}),{checked},#VALUE!)"
    return f'IF(TRIM({symbol})="",ROUND({default}*{parts},0),{given})'


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
_RATIO_PER_GIB = "Const_RatioParts/Const_GibParts"


def _model(column: str) -> str:
    return f"INDEX(Models[{column}],{{ModelRow}})"


def _server(column: str) -> str:
    return f"INDEX(Servers[{column}],{{ServerRow}})"


def _storage(column: str) -> str:
    return f"INDEX(Storage[{column}],{{StorageRow}})"


COUNT = "#,##0"

DERIVED: Mapping[str, str] = {
    "Full KV elements": "Const_KeyAndValue*{Full layers}*{KV heads}*{Head dim}",
    "Sliding KV elements": "Const_KeyAndValue*{Sliding layers}*{KV heads}*{Head dim}",
    "HBM bytes": 'IF({HBM MiB per GPU}="",ROUND({HBM GB total}*Const_BytesPerGB,0),'
    "{GPUs}*{HBM MiB per GPU}*Const_BytesPerMiB)",
}
"""What a derived catalog column must be, over the columns of its row."""

STEPS: tuple[Formula, ...] = (
    Formula(
        "ModelRow",
        "Model row",
        "row",
        _row_by_name("{Model}", "Models", "ModelAliases", "Model"),
        COUNT,
    ),
    Formula(
        "ServerRow",
        "Server row",
        "row",
        _row_by_name("{Server}", "Servers", "ServerAliases", "Server"),
        COUNT,
    ),
    Formula(
        "StorageRow",
        "Storage row",
        "row",
        _row_by_name("{Storage}", "Storage", "StorageAliases", "Storage"),
        COUNT,
    ),
    Formula("Sessions", "Sessions", "sessions", _whole_number("{Concurrency}"), COUNT),
    Formula(
        "ClampedContext",
        "Context held",
        "tokens",
        f"MIN({_whole_number('{Context}')},{_model('Max context')})",
        COUNT,
    ),
    Formula(
        "Precision",
        "KV precision used",
        "",
        f'IF(TRIM({{KvPrecision}})="",{_model("KV precision")},LOWER(TRIM({{KvPrecision}})))',
    ),
    Formula(
        "ElementBytes",
        "Bytes per element",
        "bytes",
        "IF(ISERROR({Precision}),{Precision},IFERROR(INDEX(Precisions[Bytes],"
        f"MATCH({_key('{Precision}')},Precisions[Precision],0)),#VALUE!))",
        COUNT,
    ),
    Formula(
        "KvBytes",
        "KV bytes per session",
        "bytes",
        f"IF({_model('Full KV elements')}+{_model('Sliding KV elements')}>0,"
        f"({_model('Full KV elements')}*{{ClampedContext}}+{_model('Sliding KV elements')}"
        f"*MIN({{ClampedContext}},{_model('Sliding window')}))*{{ElementBytes}},#VALUE!)",
        COUNT,
    ),
    Formula(
        "HbmBytes",
        "HBM bytes per node",
        "bytes",
        f"IF({_server('HBM bytes')}>0,{_server('HBM bytes')},#VALUE!)",
        COUNT,
    ),
    Formula(
        "RatioParts",
        "KV budget ratio in parts",
        "ten-thousandths",
        _parts(
            "{KvBudgetRatio}",
            "Default_KvBudgetRatio",
            "Const_RatioParts",
            "{KvBudgetRatio}>0,{KvBudgetRatio}<=1",
        ),
        COUNT,
    ),
    Formula(
        "OverheadParts",
        "Runtime overhead in parts",
        "hundredths of a GiB",
        _parts(
            "{RuntimeOverheadGiB}",
            "Default_RuntimeOverheadGiB",
            "Const_GibParts",
            "{RuntimeOverheadGiB}>=0,{RuntimeOverheadGiB}<=Limit_OverheadGiB",
        ),
        COUNT,
    ),
    Formula(
        "HeadroomParts",
        "Peak headroom in parts",
        "ten-thousandths",
        _parts(
            "{PeakHeadroomRatio}",
            "Default_PeakHeadroomRatio",
            "Const_RatioParts",
            "{PeakHeadroomRatio}>=0,{PeakHeadroomRatio}<=Limit_Exact/Const_RatioParts",
        ),
        COUNT,
    ),
    Formula(
        "SpareNodes",
        "Spare nodes",
        "nodes",
        'IFERROR(INDEX(HaModes[Spare nodes],MATCH(IF(TRIM({HA})="",Default_HA,'
        f"{_key('{HA}')}),HaModes[HA],0)),#VALUE!)",
        COUNT,
    ),
    Formula(
        "KvBudgetBytes",
        "KV budget bytes per node",
        "bytes",
        f"{_SHARE_WHOLE}-{_OVERHEAD_WHOLE}+INT(({_SHARE_REST}-{_OVERHEAD_REST})/Const_RatioParts)",
        COUNT,
    ),
    Formula(
        "BytesBesideKv",
        "HBM bytes beside the KV budget",
        "bytes",
        f"{{HbmBytes}}-{_SHARE_WHOLE}+{_OVERHEAD_WHOLE}"
        f"+INT(({_OVERHEAD_REST}-{_SHARE_REST})/Const_RatioParts)",
        COUNT,
    ),
    Formula("WeightBytes", "Weight bytes", "bytes", f"0+{_model('Weight bytes')}", COUNT),
    Formula(
        "ReadBytesPerSecond",
        "Storage read bytes per second",
        "bytes per second",
        f"ROUND({_storage('Read GB/s')}*Const_BytesPerGB,0)",
        COUNT,
    ),
)
"""The intermediate figures, in the order in which the method takes its steps."""

OUTPUTS: tuple[Formula, ...] = (
    Formula(
        "KvPerSessionGiB", "KV per session GiB", "GiB", "{KvBytes}/Const_BytesPerGiB", "#,##0.0000"
    ),
    Formula(
        "KvTotalTiB",
        "KV total TiB",
        "TiB",
        "{KvBytes}*{Sessions}/Const_BytesPerTiB",
        "#,##0.0000",
    ),
    Formula(
        "SessionsPerNode",
        "Sessions per node",
        "sessions",
        "MAX(0,INT({KvBudgetBytes}/{KvBytes}))",
        COUNT,
    ),
    Formula(
        "NodesMinimum",
        "Nodes minimum",
        "nodes",
        "IF({SessionsPerNode}=0,#NUM!,-INT(-{Sessions}/{SessionsPerNode}))",
        COUNT,
    ),
    Formula(
        "NodesWithHeadroom",
        "Nodes with headroom",
        "nodes",
        "IF({SessionsPerNode}=0,#NUM!,IF({Sessions}*(Const_RatioParts+{HeadroomParts})>Limit_Exact,"
        "#VALUE!,-INT(-{Sessions}*(Const_RatioParts+{HeadroomParts})"
        "/({SessionsPerNode}*Const_RatioParts))))",
        COUNT,
    ),
    Formula("NodesFinal", "Nodes final", "nodes", "{NodesWithHeadroom}+{SpareNodes}", COUNT),
)
"""The answers of the method."""

REMEDY_STEPS: tuple[Formula, ...] = (
    Formula(
        "RatioToFit",
        "Least KV budget ratio for one session",
        "ten-thousandths",
        f"{_RATIO_PER_GIB}*INT({_NEED_PARTS}/{{HbmBytes}})-INT(-{_RATIO_PER_GIB}"
        f"*({_NEED_PARTS}-{{HbmBytes}}*INT({_NEED_PARTS}/{{HbmBytes}}))/{{HbmBytes}})",
        COUNT,
    ),
    Formula(
        "OverheadToFit",
        "Largest overhead for one session",
        "hundredths of a GiB",
        f"INT((Const_GibParts*({_SHARE_WHOLE}-{{KvBytes}})"
        f"+INT(Const_GibParts*{_SHARE_REST}/Const_RatioParts))/Const_BytesPerGiB)",
        COUNT,
    ),
    Formula(
        "ElementsInBudget",
        "KV elements in the budget",
        "elements",
        "INT(MAX(0,{KvBudgetBytes})/{ElementBytes})",
        COUNT,
    ),
    Formula(
        "ContextInWindow",
        "Context in the budget if within the window",
        "tokens",
        f"INT({{ElementsInBudget}}/({_model('Full KV elements')}+{_model('Sliding KV elements')}))",
        COUNT,
    ),
    Formula(
        "ContextToFit",
        "Longest context for one session",
        "tokens",
        f"IF(OR({{ContextInWindow}}<0+{_model('Sliding window')},{_model('Full KV elements')}=0),"
        f"{{ContextInWindow}},INT(({{ElementsInBudget}}-{_model('Sliding KV elements')}"
        f"*(0+{_model('Sliding window')}))/{_model('Full KV elements')}))",
        COUNT,
    ),
    Formula(
        "HbmToFit",
        "Least HBM for one session",
        "hundredths of a GiB",
        f"-INT(-({_KV_PARTS}+{{OverheadParts}}*Const_RatioParts)/{{RatioParts}})",
        COUNT,
    ),
    Formula(
        "RatioForWeights",
        "Largest KV budget ratio beside the weights",
        "ten-thousandths",
        f"{_RATIO_PER_GIB}*INT({_LEFT_PARTS}/{{HbmBytes}})+INT({_RATIO_PER_GIB}"
        f"*({_LEFT_PARTS}-{{HbmBytes}}*INT({_LEFT_PARTS}/{{HbmBytes}}))/{{HbmBytes}})",
        COUNT,
    ),
    Formula(
        "HbmForWeights",
        "Least HBM beside the weights",
        "hundredths of a GiB",
        f"IF({{RatioParts}}=Const_RatioParts,0,MAX(0,-INT(-({_WEIGHT_PARTS}"
        "-{OverheadParts}*Const_RatioParts)/(Const_RatioParts-{RatioParts}))))",
        COUNT,
    ),
)
"""What would make an unsafe plan fit, as figures."""


def _fixed(expression: str, places: int = 0) -> str:
    # FIXED follows the reader's own signs for thousands and decimals; TEXT would not.
    return f"FIXED({expression},{places})"


_FIGURES: Mapping[str, str] = {
    "model": _model("Name"),
    "server": _server("Name"),
    "storage": _storage("Name"),
    "kv_gib": _fixed("{KvBytes}/Const_BytesPerGiB", 2),
    "budget_gib": _fixed("ROUND({KvBudgetBytes}/Const_BytesPerGiB,2)+0", 2),
    "short_gib": _fixed("({KvBytes}-{KvBudgetBytes})/Const_BytesPerGiB", 2),
    "short_bytes": _fixed("{KvBytes}-{KvBudgetBytes}"),
    "weights_gib": _fixed("{WeightBytes}/Const_BytesPerGiB", 2),
    "left_gib": _fixed("{BytesBesideKv}/Const_BytesPerGiB", 2),
    "typed_context": _fixed("{Context}"),
    "max_context": _fixed(_model("Max context")),
    "context": _fixed("{ClampedContext}"),
    "precision": "{Precision}",
    "read_gbps": _storage("Read GB/s"),
    "read_p99_ms": _storage("Read p99 ms"),
    "storage_type": _storage("Type"),
    "weights_gb": _fixed("{WeightBytes}/Const_BytesPerGB", 1),
    "seconds": _fixed("{WeightBytes}/{ReadBytesPerSecond}"),
    "context_limit": _fixed("Limit_ExtremeContext"),
    "nodes": _fixed("{NodesFinal}"),
    "nodes_limit": _fixed("Limit_ExtremeNodes"),
    "model_fields": _model("Unsourced"),
    "server_fields": _server("Unsourced"),
    "storage_fields": _storage("Unsourced"),
}
"""The words in braces of the alert texts, as Excel expressions."""

_CONDITIONS: Mapping[str, str] = {
    "hbm_budget_insufficient": "{SessionsPerNode}=0",
    "weights_not_covered": "{WeightBytes}>{BytesBesideKv}",
    "context_clamped": "{Context}>{ClampedContext}",
    "kv_precision_16bit": "{ElementBytes}=Const_SixteenBitBytes",
    "long_context_io": "{ClampedContext}>Limit_LongContext",
    "storage_cloud_latency": f'LEFT({_storage("Type")},6)="cloud_"',
    "storage_cold_start": "{WeightBytes}>Limit_ColdStartSeconds*{ReadBytesPerSecond}",
    "context_out_of_typical_range": "{ClampedContext}>Limit_ExtremeContext",
    "nodes_out_of_typical_range": "{NodesFinal}>Limit_ExtremeNodes",
    "model_unsourced": f'{_model("Unsourced")}<>""',
    "server_unsourced": f'{_server("Unsourced")}<>""',
    "storage_unsourced": f'{_storage("Unsourced")}<>""',
}
"""When each alert rule holds, as Excel expressions."""


def _filled(template: str, figures: Mapping[str, str]) -> str:
    """A text with {words} in braces as an Excel expression that puts the figures in."""
    pieces = re.split(r"\{(\w+)\}", template)
    return "&".join(
        figures[piece] if place % 2 else literal(piece)
        for place, piece in enumerate(pieces)
        if place % 2 or piece
    )


def alert_symbol(rule: str) -> str:
    """The symbol of an alert's cell: context_clamped is Alert_ContextClamped."""
    return "Alert_" + "".join(word.capitalize() for word in rule.split("_"))


ALERTS: tuple[Formula, ...] = tuple(
    Formula(
        alert_symbol(key),
        f"Alert {key.replace('_', ' ')}",
        "",
        # A row that cannot be computed has a status; it must not have half an alert.
        f'IFERROR(IF({_CONDITIONS[key]},{_filled(rule.message, _FIGURES)},""),"")',
    )
    for key, rule in ALERT_RULES.items()
)
"""Each alert rule's message, empty where the rule does not hold."""


def _remedy(key: str, condition: str, figure: str, places: int, parts: str) -> str:
    shown = {"figure": _fixed(f"{figure}/{parts}" if parts else figure, places)}
    return f'IF({condition},"; "&{_filled(REMEDIES[key], shown)},"")'


def _joined(parts: list[str]) -> str:
    # Each part brings its own "; " in front; the first one's is cut off.
    return f"MID({'&'.join(parts)},3,2000)"


_FP8_REMEDY = (
    "IF(AND({ElementBytes}=Const_SixteenBitBytes,{KvBytes}<=2*{KvBudgetBytes}),"
    f'"; "&{literal(REMEDIES["kv_precision_fp8"])},"")'
)

REMEDY_TEXTS: tuple[Formula, ...] = (
    Formula(
        "BudgetRemedies",
        "What would fit one session",
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
        "What would fit the weights",
        "",
        "IFERROR(IF({WeightBytes}>{BytesBesideKv},IF(AND({RatioForWeights}<=0,{HbmForWeights}<=0),"
        + literal(REMEDIES["ratio_and_hbm"])
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


def _unknown(row: str, name: str, noun: str, sheet: str) -> tuple[str, str]:
    named = f"{literal(f'There is no {noun} named ')}&TRIM({name})&{literal(f' on {sheet}.')}"
    empty = literal(f"Choose a {noun} from the list.")
    broken = literal(f"The cell of the {noun} holds an error.")
    return f"ISERROR({row})", f'IF(ISERROR({name}),{broken},IF(TRIM({name})="",{empty},{named}))'


_WHOLE_WORDS = f"a whole number from 1 to 10^{len(str(LIMIT_EXACT)) - 1}"

STATUS_OK = "OK"
STATUS_NOTHING_FITS = "Nothing fits: not one session on a node."
STATUS_UNSAFE = "Unsafe: the weights do not fit beside the KV budget."

_FAULTS: tuple[tuple[str, str], ...] = (
    _unknown("{ModelRow}", "{Model}", "model", "Models"),
    _unknown("{ServerRow}", "{Server}", "server", "Servers"),
    _unknown("{StorageRow}", "{Storage}", "storage profile", "Storage"),
    ("ISERROR({Sessions})", literal(f"Concurrency must be {_WHOLE_WORDS}.")),
    ("ISERROR({ClampedContext})", literal(f"Context must be {_WHOLE_WORDS}.")),
    (
        "ISERROR({ElementBytes})",
        literal(f"KV precision must be {' or '.join(BYTES_PER_ELEMENT)}, or empty."),
    ),
    (
        "ISERROR({RatioParts})",
        literal("KV budget ratio must be above 0 and at most 1, with at most 4 decimals."),
    ),
    (
        "ISERROR({OverheadParts})",
        literal(
            f"Runtime overhead must be 0 to {LIMIT_OVERHEAD_GIB:,} GiB, with at most 2 decimals."
        ),
    ),
    (
        "ISERROR({HeadroomParts})",
        literal("Peak headroom must be 0 or more, with at most 4 decimals."),
    ),
    ("ISERROR({SpareNodes})", literal("HA must be none or n+1, or empty for none.")),
    (
        "ISERROR({KvBytes})",
        literal("The model's row on Models lacks its KV elements: fill its grey columns."),
    ),
    (
        "ISERROR({HbmBytes})",
        literal("The server's row on Servers lacks its HBM bytes: fill its grey column."),
    ),
    ("{SessionsPerNode}=0", literal(STATUS_NOTHING_FITS)),
    (
        "ISERROR({NodesFinal})",
        literal("The load is too large for a sheet to count exactly; use the command line."),
    ),
    ('{Alert_WeightsNotCovered}<>""', literal(STATUS_UNSAFE)),
)


def _status() -> str:
    text = literal(STATUS_OK)
    for condition, sentence in reversed(_FAULTS):
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


STATUS = Formula("Status", "Status", "", _status())
ALERT_CODES = Formula("AlertCodes", "Alerts", "", _alert_codes())


WEIGHTS = Formula(
    "Weights",
    "Weights",
    "",
    f"IFERROR(IF({{WeightBytes}}=0,{literal(WEIGHTS_UNKNOWN)},"
    + _filled(WEIGHTS_KNOWN, _FIGURES)
    + '),"")',
)
"""How the weights compare with what the KV budget leaves for them; on the Sizing sheet only."""
