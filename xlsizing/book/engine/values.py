"""The values that the engine's formulas have when a workbook is written, computed by core."""

from collections.abc import Sequence
from typing import NamedTuple

from xlsizing.book.alert_formulas import (
    ENGINE_HOLDS_NONE,
    ENGINE_NO_LAYOUT,
    ENGINE_NO_WEIGHTS,
    ENGINE_SIZE_IMPOSSIBLE,
    ENGINE_WORDS,
)
from xlsizing.book.engine.layout_rows import LayoutRow, layout_index, layout_key
from xlsizing.core import BYTES_PER_ELEMENT, Catalogs, SizingResult
from xlsizing.core.alerts import STATUS_OK
from xlsizing.core.engine import (
    EngineSettings,
    UnknownWeightsError,
    gib_bytes,
    usable_gpu_bytes,
    weight_bytes,
)
from xlsizing.core.exact import RATIO_PARTS, ceil_div, grouped, in_parts
from xlsizing.core.kv_cache import clamped_context
from xlsizing.core.nodes import calc_nodes_required
from xlsizing.core.paged_cache import STATES_PER_REQUEST, PagedCache, layout, paged_cache
from xlsizing.core.planning.cells import Value

UNKNOWN = ""
"""What an engine figure shows where it is not known: its status says why."""


def settings_values(settings: EngineSettings) -> dict[str, Value]:
    """The value of each formula of SETTINGS, by symbol."""
    pool = settings.kv_pool_gib
    return {
        "TokensInFlight": settings.tokens_in_flight,
        "StatesPerRequest": STATES_PER_REQUEST[settings.state_caching],
        "UtilizationParts": in_parts(settings.gpu_memory_utilization, RATIO_PARTS),
        "ActivationBytes": gib_bytes(settings.activation_gib),
        "RuntimeBytes": gib_bytes(settings.runtime_gib),
        "GivenPoolBytes": "" if pool is None else gib_bytes(pool),
    }


class _Load(NamedTuple):
    """What the engine's formulas work with, for one sizing."""

    result: SizingResult
    rows: Sequence[LayoutRow]
    """The rows of Layouts for the load's model and precision."""
    weights: int
    """Bytes of the weights; 0 where they are not known."""
    before_weights: int
    """What a GPU has for weights and KV caches, or for KV caches where that is given [bytes]."""

    @property
    def pool_is_given(self) -> bool:
        """True where the settings name the pool."""
        return self.result.settings.kv_pool_gib is not None

    def cache(self, size: int, in_flight: int) -> PagedCache:
        """What one request takes at a tensor-parallel size."""
        result = self.result
        cut = layout(result.model, result.kv_precision, size)
        context = clamped_context(result.model, result.effective_context)
        return paged_cache(cut, context, in_flight, result.settings.state_caching)

    def pool(self, size: int) -> int:
        """The pool of one GPU, where weights that are not known count nothing."""
        weights = 0 if self.pool_is_given else ceil_div(self.weights, size)
        return self.before_weights - weights

    def sizes(self) -> list[int]:
        """Sizes that the model has a row for and a node the GPUs."""
        gpus = self.result.server.gpus
        return [row.tensor_parallel for row in self.rows if row.tensor_parallel <= gpus]

    def smallest(self) -> int | None:
        """The smallest size at which a replica admits a session."""
        for size in self.sizes():
            cache = self.cache(size, self.result.settings.tokens_in_flight)
            if cache.admitted(cache.num_blocks(self.pool(size))):
                return size
        return None


def engine_values(result: SizingResult, catalogs: Catalogs) -> dict[str, Value]:
    """The value of each formula of ENGINE_STEPS and ENGINE_OUTPUTS, and the status, by symbol."""
    load = _load(result, catalogs)
    smallest = load.smallest()
    typed = result.settings.tensor_parallel or 0
    size = typed or smallest or max(load.sizes(), default=0)
    row = _row(load, size)
    knows_own_weights = row is not None and load.weights > 0
    values: dict[str, Value] = {
        "TypedTp": typed,
        "LayoutKey": layout_key(result.model, BYTES_PER_ELEMENT[result.kv_precision]),
        "WindowReach": load.rows[0].window_reach if load.rows else 0,
        "WeightsInPool": 0 if load.pool_is_given else load.weights,
        "PoolBeforeWeights": load.before_weights,
        "SmallestShare": 1 / smallest if smallest else 0,
        "WantedTp": size,
        "LayoutRow": layout_index(catalogs).number[row.name] if row else 0,
        "EngineTp": size if row else UNKNOWN,
        "EngineWeights": ceil_div(load.weights, size) if knows_own_weights else UNKNOWN,
        "EnginePool": load.pool(size) if row else UNKNOWN,
        "ReplicasPerNode": result.server.gpus // size if row else UNKNOWN,
        **_requests(load, row),
    }
    status = _status(load, values, typed)
    nodes = {
        "engine": _shown(values["EngineNodesFinal"]),
        "steady": _shown(values["SteadyNodesFinal"]),
    }
    answer = ENGINE_WORDS.filled(**nodes) if status == STATUS_OK else status
    return {**values, "EngineStatus": status, "EngineAnswer": answer}


def _shown(count: Value) -> str:
    return grouped(count) if isinstance(count, int) else ""


def _load(result: SizingResult, catalogs: Catalogs) -> _Load:
    key = layout_key(result.model, BYTES_PER_ELEMENT[result.kv_precision])
    own = layout_index(catalogs).by_key.get(key, ())
    try:
        weights, _ = weight_bytes(result.model)
    except UnknownWeightsError:
        weights = 0
    settings = result.settings
    if settings.kv_pool_gib is not None:
        before = gib_bytes(settings.kv_pool_gib)
    else:
        parts = in_parts(settings.gpu_memory_utilization, RATIO_PARTS)
        share = usable_gpu_bytes(result.server) * parts // RATIO_PARTS
        before = share - gib_bytes(settings.activation_gib) - gib_bytes(settings.runtime_gib)
    return _Load(result, own, weights, before)


def _row(load: _Load, size: int) -> LayoutRow | None:
    """The row of Layouts for a size that a node has the GPUs for, where the weights are known."""
    if size > load.result.server.gpus or not (load.weights or load.pool_is_given):
        return None
    return next((row for row in load.rows if row.tensor_parallel == size), None)


def _requests(load: _Load, row: LayoutRow | None) -> dict[str, Value]:
    """The figures that depend on how a request is paged."""
    values: dict[str, Value] = dict.fromkeys(_OF_REQUESTS, UNKNOWN)
    if row is None:
        return values
    result, size = load.result, row.tensor_parallel
    values["KvCopies"] = row.kv_copies
    for name, in_flight in (("Engine", result.settings.tokens_in_flight), ("Steady", 0)):
        cache = load.cache(size, in_flight)
        values[f"{name}Blocks"] = cache.blocks_per_request
        values[f"{name}KvBytes"] = cache.kv_bytes_per_request
        num_blocks = cache.num_blocks(load.pool(size))
        sessions = cache.admitted(num_blocks) * (result.server.gpus // size)
        nodes = calc_nodes_required(
            result.concurrency, sessions, result.peak_headroom_ratio, result.ha_mode
        )
        values["NumBlocks"] = num_blocks
        values[f"{name}SessionsPerNode"] = sessions
        for what, count in zip(("Minimum", "WithHeadroom", "Final"), nodes, strict=True):
            values[f"{name}Nodes{what}"] = UNKNOWN if count is None else count
    return values


_OF_REQUESTS = (
    "NumBlocks",
    "KvCopies",
    *(
        f"{name}{what}"
        for name in ("Engine", "Steady")
        for what in (
            "Blocks",
            "KvBytes",
            "SessionsPerNode",
            "NodesMinimum",
            "NodesWithHeadroom",
            "NodesFinal",
        )
    ),
)


def _status(load: _Load, values: dict[str, Value], typed: int) -> str:
    if typed and any(alert.rule == "invalid_tp" for alert in load.result.all_alerts):
        return ENGINE_SIZE_IMPOSSIBLE
    if not load.rows:
        return ENGINE_NO_LAYOUT
    if not (load.weights or load.pool_is_given):
        return ENGINE_NO_WEIGHTS
    if values["LayoutRow"] == 0:
        return ENGINE_NO_LAYOUT
    return STATUS_OK if values["EngineSessionsPerNode"] else ENGINE_HOLDS_NONE
