"""The steps of a sizing for cells, each remembered, since columns repeat what they hold.

A range of ten thousand cells must answer while its reader waits. So what depends on few
cells is computed once for them, and a row costs little more than its own arithmetic.
What is remembered is keyed by the cells and their types: TRUE is not 1.
"""

from functools import cache, lru_cache
from typing import NamedTuple

from xlsizing.catalog import load_catalogs
from xlsizing.core import (
    BYTES_PER_ELEMENT,
    DEFAULT_HA_MODE,
    DEFAULT_KV_BUDGET_RATIO,
    DEFAULT_PEAK_HEADROOM_RATIO,
    DEFAULT_RUNTIME_OVERHEAD_GIB,
    Catalogs,
    Model,
    Server,
    SizingResult,
    StorageProfile,
    size,
)
from xlsizing.core.alerts import STATUS_OK, Alert, plan_status
from xlsizing.core.capacity import kv_budget_parts, sessions_that_fit
from xlsizing.core.engine import EngineSettings, Replica, chosen_replica, replicas
from xlsizing.core.kv_cache import (
    SessionCost,
    clamped_context,
    resolved_precision,
    session_cost,
    whole_number,
)
from xlsizing.core.nodes import Nodes, headroom_parts, nodes_that_hold, spare_nodes
from xlsizing.core.sizing import hbm_alerts
from xlsizing.excel.cells import Cell, is_blank, name, number, word

DEFAULT_STORAGE = "profile_default"
"""The storage profile of a load that names none."""

_LOADS = 2**14
"""Loads of which a step is remembered."""

_remembered = lru_cache(maxsize=_LOADS, typed=True)


@cache
def catalogs() -> Catalogs:
    """The catalogs, loaded at the first call; a cell must not wait for a file each time."""
    return load_catalogs()


@_remembered
def model_of(cell: Cell) -> Model:
    """The model that a cell names."""
    return catalogs().model(name(cell))


@_remembered
def server_of(cell: Cell) -> Server:
    """The server that a cell names."""
    return catalogs().server(name(cell))


@_remembered
def storage_of(cell: Cell) -> StorageProfile:
    """The storage profile that a cell names; the default one where it is blank."""
    return catalogs().profile(DEFAULT_STORAGE if is_blank(cell) else name(cell))


class _Session(NamedTuple):
    """What a session costs on a model, at a precision."""

    model: Model
    cost: SessionCost
    precision: str
    element_bytes: int


@_remembered
def _session(model: Cell, precision: Cell) -> _Session:
    entry = model_of(model)
    resolved = resolved_precision(entry, word(precision))
    return _Session(entry, session_cost(entry), resolved, BYTES_PER_ELEMENT[resolved])


@_remembered
def kv_bytes(model: Cell, context: Cell, precision: Cell) -> int:
    """KV cache of one session [bytes]."""
    entry, cost, _, element_bytes = _session(model, precision)
    return cost.kv_bytes(clamped_context(entry, number(context)), element_bytes)


@_remembered
def _budget_parts(server: Cell, kv_budget_ratio: Cell, runtime_overhead_gib: Cell) -> int:
    return kv_budget_parts(
        server_of(server),
        number(kv_budget_ratio, DEFAULT_KV_BUDGET_RATIO),
        number(runtime_overhead_gib, DEFAULT_RUNTIME_OVERHEAD_GIB),
    )


@_remembered
def sessions_per_node(
    model: Cell,
    server: Cell,
    context: Cell,
    precision: Cell,
    kv_budget_ratio: Cell,
    runtime_overhead_gib: Cell,
) -> int:
    """Sessions that one node holds; 0 where none fits."""
    session = kv_bytes(model, context, precision)
    return sessions_that_fit(_budget_parts(server, kv_budget_ratio, runtime_overhead_gib), session)


def concurrency_of(cell: Cell) -> int:
    """Sessions at the same time."""
    return whole_number("concurrency", number(cell))


@_remembered
def _headroom_parts(headroom: Cell) -> int:
    return headroom_parts(number(headroom, DEFAULT_PEAK_HEADROOM_RATIO))


@_remembered
def _spare_nodes(ha: Cell) -> int:
    return spare_nodes(word(ha) or DEFAULT_HA_MODE)


def nodes(concurrency: Cell, per_node: int, headroom: Cell, ha: Cell) -> Nodes:
    """Nodes minimum, with headroom and final; three times None where nothing fits."""
    sessions = concurrency_of(concurrency)
    return nodes_that_hold(sessions, per_node, _headroom_parts(headroom), _spare_nodes(ha))


def tensor_parallel_of(cell: Cell) -> int | None:
    """The tensor-parallel size of a cell; None where it is blank."""
    return None if is_blank(cell) else whole_number("tensor_parallel", number(cell))


@_remembered
def engine_sessions_per_node(
    model: Cell, server: Cell, context: Cell, precision: Cell, tensor_parallel: Cell
) -> int:
    """Sessions that the engine admits on one node; 0 where none."""
    entry = model_of(model)
    held = clamped_context(entry, number(context))
    choice, settings = _replicas(model, server, precision, tensor_parallel)
    replica, cache = chosen_replica(choice, held, settings)
    return replica.sessions_per_node(cache)


@_remembered
def _replicas(
    model: Cell, server: Cell, precision: Cell, tensor_parallel: Cell
) -> tuple[tuple[Replica, ...], EngineSettings]:
    """The replicas that an engine could serve a model with, and how it is started."""
    entry = model_of(model)
    kv_precision = resolved_precision(entry, word(precision))
    settings = EngineSettings(tensor_parallel=tensor_parallel_of(tensor_parallel))
    return replicas(entry, server_of(server), kv_precision, settings), settings


@_remembered
def _hbm_alerts(
    model: Cell,
    server: Cell,
    context: Cell,
    precision: Cell,
    kv_budget_ratio: Cell,
    runtime_overhead_gib: Cell,
) -> tuple[Alert, ...]:
    entry = model_of(model)
    return tuple(
        hbm_alerts(
            entry,
            server_of(server),
            whole_number("effective_context", number(context)),
            resolved_precision(entry, word(precision)),
            number(kv_budget_ratio, DEFAULT_KV_BUDGET_RATIO),
            number(runtime_overhead_gib, DEFAULT_RUNTIME_OVERHEAD_GIB),
        )
    )


def plan_in_words(
    model: Cell,
    server: Cell,
    concurrency: Cell,
    context: Cell,
    precision: Cell,
    kv_budget_ratio: Cell,
    runtime_overhead_gib: Cell,
    headroom: Cell,
    ha: Cell,
) -> str:
    """OK, or what is wrong with a plan and what would mend it.

    Raises
    ------
    SizingError : the load cannot be sized.
    """
    # The first wrong argument is told, in the order in which they are typed.
    model_of(model)
    server_of(server)
    concurrency_of(concurrency)
    whole_number("effective_context", number(context))
    on_node = (model, server, context, precision, kv_budget_ratio, runtime_overhead_gib)
    nodes(concurrency, sessions_per_node(*on_node), headroom, ha)
    alerts = _hbm_alerts(*on_node)
    if not alerts:
        return STATUS_OK
    return f"{plan_status(alerts)} {alerts[0].message} {alerts[0].recommendation}"


@_remembered
def sizing(
    model: Cell,
    server: Cell,
    concurrency: Cell,
    context: Cell,
    precision: Cell,
    kv_budget_ratio: Cell,
    runtime_overhead_gib: Cell,
    headroom: Cell,
    ha: Cell,
    storage: Cell,
) -> SizingResult:
    """The whole sizing of a load, with its alerts."""
    return size(
        model_of(model),
        server_of(server),
        storage_of(storage),
        concurrency=number(concurrency),
        effective_context=number(context),
        kv_precision=word(precision),
        kv_budget_ratio=number(kv_budget_ratio, DEFAULT_KV_BUDGET_RATIO),
        runtime_overhead_gib=number(runtime_overhead_gib, DEFAULT_RUNTIME_OVERHEAD_GIB),
        peak_headroom_ratio=number(headroom, DEFAULT_PEAK_HEADROOM_RATIO),
        ha_mode=word(ha) or DEFAULT_HA_MODE,
    )
