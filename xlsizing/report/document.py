"""A sizing as a JSON document. Figures are not rounded."""

import json
from dataclasses import asdict
from typing import Any

from xlsizing.core import SizingResult
from xlsizing.language import ENGLISH, Language
from xlsizing.report.engine import alert_document, engine_document

PARAMETERS = (
    "concurrency",
    "effective_context",
    "kv_precision",
    "kv_budget_ratio",
    "runtime_overhead_gib",
    "peak_headroom_ratio",
    "ha_mode",
    "clamped_context",
)
RESULTS = (
    "kv_per_session_gib",
    "kv_total_tib",
    "sessions_per_node",
    "nodes_minimum",
    "nodes_with_headroom",
    "nodes_final",
)


def json_document(result: SizingResult, language: Language = ENGLISH) -> dict[str, Any]:
    """The sizing as plain values, under the keys that the command line promises.

    Its texts are English unless another language is asked for; keys and codes always are.
    """
    return {
        "model": asdict(result.model),
        "server": asdict(result.server),
        "storage": asdict(result.storage),
        "parameters": {name: getattr(result, name) for name in PARAMETERS},
        "results": {name: getattr(result, name) for name in RESULTS},
        "warnings": [language.say(warning) for warning in result.warnings],
        "alerts": [alert_document(alert, language) for alert in result.alerts],
        "engine": engine_document(result, language),
    }


def json_text(result: SizingResult, language: Language = ENGLISH) -> str:
    """The JSON document as text, in ASCII, which every pipe and terminal passes on."""
    return json.dumps(json_document(result, language), indent=2, default=float)
