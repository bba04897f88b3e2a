"""The sizing method: pure functions and dataclasses.

No I/O, no clock, no locale; nothing but the standard library and annotated-types.
"""

from xlsizing.core.alerts import ALERT_RULES, Alert, AlertRule
from xlsizing.core.capacity import (
    DEFAULT_KV_BUDGET_RATIO,
    DEFAULT_RUNTIME_OVERHEAD_GIB,
    calc_sessions_per_node,
)
from xlsizing.core.catalogs import Catalogs
from xlsizing.core.engine import EngineBound, EngineSettings, engine_bound
from xlsizing.core.entries import Model, Server, StorageProfile
from xlsizing.core.errors import InvalidValueError, SizingError, UnknownNameError
from xlsizing.core.kv_cache import (
    BYTES_PER_ELEMENT,
    calc_kv_per_session_gib,
    kv_bytes_per_session,
)
from xlsizing.core.layers import (
    AttentionLayers,
    LatentLayers,
    LayerGroup,
    StateLayers,
    UnknownLayoutError,
)
from xlsizing.core.nodes import (
    DEFAULT_HA_MODE,
    DEFAULT_PEAK_HEADROOM_RATIO,
    calc_nodes_required,
)
from xlsizing.core.ranges import RANGES, band
from xlsizing.core.sizing import SizingResult, size
from xlsizing.core.storage import generate_storage_warnings

__all__ = [
    "ALERT_RULES",
    "BYTES_PER_ELEMENT",
    "DEFAULT_HA_MODE",
    "DEFAULT_KV_BUDGET_RATIO",
    "DEFAULT_PEAK_HEADROOM_RATIO",
    "DEFAULT_RUNTIME_OVERHEAD_GIB",
    "RANGES",
    "Alert",
    "AlertRule",
    "AttentionLayers",
    "Catalogs",
    "EngineBound",
    "EngineSettings",
    "InvalidValueError",
    "LatentLayers",
    "LayerGroup",
    "Model",
    "Server",
    "SizingError",
    "SizingResult",
    "StateLayers",
    "StorageProfile",
    "UnknownLayoutError",
    "UnknownNameError",
    "band",
    "calc_kv_per_session_gib",
    "calc_nodes_required",
    "calc_sessions_per_node",
    "engine_bound",
    "generate_storage_warnings",
    "kv_bytes_per_session",
    "size",
]
