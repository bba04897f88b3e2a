"""The values that a workbook's formulas have when it is written, computed by core.

Files are mailed to people whose program does not compute: previews, phones, Protected
View. So each formula cell carries its value, from core rather than from a spreadsheet
engine.
"""

from collections.abc import Mapping

from xlsizing.book.alert_formulas import (
    RULE_DIGITS,
    alert_symbol,
)
from xlsizing.book.engine.values import engine_values
from xlsizing.core import ALERT_RULES, BYTES_PER_ELEMENT, Catalogs, SizingResult
from xlsizing.core.capacity import bytes_beside_kv, hbm_bytes, kv_budget_bytes
from xlsizing.core.exact import GIB_PARTS, RATIO_PARTS, in_parts
from xlsizing.core.kv_cache import clamped_context, kv_bytes_per_session, session_cost
from xlsizing.core.nodes import spare_nodes
from xlsizing.core.planning.cells import CellError, Value
from xlsizing.core.remedies import (
    budget_remedies,
    context_to_fit,
    hbm_for_weights,
    hbm_to_fit,
    overhead_to_fit,
    ratio_for_weights,
    ratio_to_fit,
    weights_remedies,
)
from xlsizing.core.storage import read_bytes_per_second

NO_NODES = CellError("#NUM!")
"""What a count of nodes shows where nothing fits: an error, since 0 would be budgeted."""


def formula_values(result: SizingResult, catalogs: Catalogs) -> dict[str, Value]:
    """The value of each formula of `book.formulas`, by symbol, for one sizing."""
    return {
        **_steps(result, catalogs),
        **_outputs(result),
        **_remedies(result),
        **_alerts(result),
        **engine_values(result, catalogs),
    }


def _steps(result: SizingResult, catalogs: Catalogs) -> dict[str, Value]:
    context = clamped_context(result.model, result.effective_context)
    return {
        "ModelRow": catalogs.models.index(result.model) + 1,
        "ServerRow": catalogs.servers.index(result.server) + 1,
        "StorageRow": catalogs.profiles.index(result.storage) + 1,
        "Sessions": result.concurrency,
        "ClampedContext": context,
        "Precision": result.kv_precision,
        "ElementBytes": BYTES_PER_ELEMENT[result.kv_precision],
        "FixedBytes": session_cost(result.model).index_bytes * context
        + session_cost(result.model).state_bytes,
        "KvBytes": _kv_bytes(result),
        "HbmBytes": hbm_bytes(result.server),
        "RatioParts": in_parts(result.kv_budget_ratio, RATIO_PARTS),
        "OverheadParts": in_parts(result.runtime_overhead_gib, GIB_PARTS),
        "HeadroomParts": in_parts(result.peak_headroom_ratio, RATIO_PARTS),
        "SpareNodes": spare_nodes(result.ha_mode),
        "KvBudgetBytes": kv_budget_bytes(
            result.server, result.kv_budget_ratio, result.runtime_overhead_gib
        ),
        "BytesBesideKv": bytes_beside_kv(
            result.server, result.kv_budget_ratio, result.runtime_overhead_gib
        ),
        "WeightBytes": result.model.weight_bytes or 0,
        "ReadBytesPerSecond": read_bytes_per_second(result.storage),
    }


def _outputs(result: SizingResult) -> dict[str, Value]:
    return {
        "KvPerSessionGiB": result.kv_per_session_gib,
        "KvTotalTiB": result.kv_total_tib,
        "SessionsPerNode": result.sessions_per_node,
        "NodesMinimum": NO_NODES if result.nodes_minimum is None else result.nodes_minimum,
        "NodesWithHeadroom": (
            NO_NODES if result.nodes_with_headroom is None else result.nodes_with_headroom
        ),
        "NodesFinal": NO_NODES if result.nodes_final is None else result.nodes_final,
        "Status": result.status,
        "Weights": result.weights,
    }


def _remedies(result: SizingResult) -> dict[str, Value]:
    model, server = result.model, result.server
    ratio, overhead = result.kv_budget_ratio, result.runtime_overhead_gib
    kv_bytes, weights = _kv_bytes(result), result.model.weight_bytes or 0
    budget = kv_budget_bytes(server, ratio, overhead)
    element = BYTES_PER_ELEMENT[result.kv_precision]
    cost = session_cost(model)
    to_grow = max(0, budget - cost.state_bytes)
    per_token = cost.elements * element + cost.index_bytes
    in_window = per_token + cost.windowed_elements * element
    covered = weights <= bytes_beside_kv(server, ratio, overhead)
    return {
        "RatioToFit": ratio_to_fit(kv_bytes, server, overhead),
        "OverheadToFit": overhead_to_fit(kv_bytes, server, ratio),
        "BytesToGrow": to_grow,
        "BytesPerToken": per_token,
        "ContextInWindow": to_grow // in_window if in_window else 0,
        "ContextToFit": context_to_fit(model, budget, element),
        "HbmToFit": hbm_to_fit(kv_bytes, ratio, overhead),
        "RatioForWeights": ratio_for_weights(weights, server, overhead),
        "HbmForWeights": hbm_for_weights(weights, ratio, overhead),
        "BudgetRemedies": (
            ""
            if result.fits
            else budget_remedies(
                model, server, result.effective_context, result.kv_precision, ratio, overhead
            )
        ),
        "WeightsRemedies": "" if covered else weights_remedies(weights, server, ratio, overhead),
    }


def _alerts(result: SizingResult) -> dict[str, Value]:
    messages = {alert.rule: alert.message for alert in result.all_alerts}
    values: dict[str, Value] = {alert_symbol(key): messages.get(key, "") for key in ALERT_RULES}
    values["AlertCodes"] = alert_codes(messages)
    values["AlertNumbers"] = alert_numbers(messages)
    return values


def alert_codes(rules: Mapping[str, str]) -> str:
    """The codes of the rules that hold, each once, in the order of the rules."""
    return "; ".join(dict.fromkeys(ALERT_RULES[key].code for key in ALERT_RULES if key in rules))


def alert_numbers(rules: Mapping[str, str]) -> str:
    """The numbers of the rules that hold, from 1 in the order of the rules, joined."""
    return "".join(
        f"{number:0{RULE_DIGITS}}"
        for number, key in enumerate(ALERT_RULES, start=1)
        if key in rules
    )


def _kv_bytes(result: SizingResult) -> int:
    return kv_bytes_per_session(result.model, result.effective_context, result.kv_precision)
