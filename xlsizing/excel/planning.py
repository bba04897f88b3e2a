"""The steps of a sizing for cells, each remembered, since columns repeat what they hold.

A range of ten thousand cells must answer while its reader waits. So what depends on few
cells is computed once for them, and a row costs little more than its own arithmetic.
What is remembered is keyed by the cells and their types: TRUE is not 1.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import NamedTuple, TypeVar, cast

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
    SizingError,
    SizingResult,
    StorageProfile,
    size,
)
from xlsizing.core.alerts import STATUS_OK, Alert, plan_status
from xlsizing.core.capacity import kv_budget_parts, sessions_that_fit
from xlsizing.core.engine import EngineSettings, chosen_replica, replicas
from xlsizing.core.kv_cache import (
    SessionCost,
    clamped_context,
    resolved_precision,
    session_cost,
    whole_number,
)
from xlsizing.core.message import joined
from xlsizing.core.nodes import Nodes, headroom_parts, nodes_that_hold, spare_nodes
from xlsizing.core.sizing import hbm_alerts
from xlsizing.excel.cells import Cell, is_blank, name, number, word

DEFAULT_STORAGE = "profile_default"
"""The storage profile of a load that names none."""

_LOADS = 2**14
"""Loads of which a step is remembered."""

Answer = TypeVar("Answer")


class _Refused(NamedTuple):
    """What was refused is remembered too: to find it out again may take long."""

    error: SizingError


def _remembered(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """The function with a memory, of answers and of refusals, for as many loads as a range has."""

    @lru_cache(maxsize=_LOADS, typed=True)
    def outcome(*cells: Cell) -> Answer | _Refused:
        try:
            return function(*cells)
        except SizingError as error:
            return _Refused(error)

    @wraps(function)
    def answer(*cells: Cell) -> Answer:
        found = outcome(*cells)
        if isinstance(found, _Refused):
            raise found.error.with_traceback(None)
        return found

    answer.cache_clear = outcome.cache_clear  # type: ignore[attr-defined]
    return answer


@_remembered
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


class Session(NamedTuple):
    """What a session costs on a model, at a precision."""

    model: Model
    cost: SessionCost
    precision: str
    element_bytes: int

    def held(self, context: Cell) -> int:
        """The context that the model will hold [tokens]."""
        return clamped_context(self.model, number(context))

    def kv_bytes(self, context: Cell) -> int:
        """KV cache of one session [bytes]."""
        return self.cost.kv_bytes(self.held(context), self.element_bytes)


@_remembered
def session(model: Cell, precision: Cell) -> Session:
    """What a session costs on the model and at the precision that cells name."""
    entry = model_of(model)
    resolved = resolved_precision(entry, word(precision))
    return Session(entry, session_cost(entry), resolved, BYTES_PER_ELEMENT[resolved])


SessionsPerNode = Callable[[Cell], int]
"""Sessions that a node holds, of the context that a cell asks for; 0 where none fits."""


@_remembered
def sessions_per_node(
    model: Cell, server: Cell, precision: Cell, kv_budget_ratio: Cell, runtime_overhead_gib: Cell
) -> SessionsPerNode:
    """Sessions that one node holds, for any context.

    Of two wrong arguments a name decides the answer before a value does.
    """
    model_of(model)
    node = server_of(server)
    one = session(model, precision)
    budget = kv_budget_parts(
        node,
        number(kv_budget_ratio, DEFAULT_KV_BUDGET_RATIO),
        number(runtime_overhead_gib, DEFAULT_RUNTIME_OVERHEAD_GIB),
    )
    return _remembered(lambda context: sessions_that_fit(budget, one.kv_bytes(context)))


def concurrency_of(cell: Cell) -> int:
    """Sessions at the same time."""
    # Numbers differ from row to row, and to remember them would take as long as to read them.
    if type(cell) in (float, int):
        return whole_number("concurrency", cast(float, cell))
    return _concurrency_of(cell)


@_remembered
def _concurrency_of(cell: Cell) -> int:
    return whole_number("concurrency", number(cell))


NodesOfLoad = Callable[[Cell, Cell], Nodes]
"""Nodes minimum, with headroom and final, of the concurrency and context that cells ask for."""


def _nodes_of(per_node: SessionsPerNode, headroom: Cell, ha: Cell) -> NodesOfLoad:
    parts = headroom_parts(number(headroom, DEFAULT_PEAK_HEADROOM_RATIO))
    spare = spare_nodes(word(ha) or DEFAULT_HA_MODE)
    return lambda concurrency, context: nodes_that_hold(
        concurrency_of(concurrency), per_node(context), parts, spare
    )


@_remembered
def nodes(
    model: Cell,
    server: Cell,
    precision: Cell,
    kv_budget_ratio: Cell,
    runtime_overhead_gib: Cell,
    headroom: Cell,
    ha: Cell,
) -> NodesOfLoad:
    """The nodes of any load; three times None where nothing fits."""
    per_node = sessions_per_node(model, server, precision, kv_budget_ratio, runtime_overhead_gib)
    return _nodes_of(per_node, headroom, ha)


def tensor_parallel_of(cell: Cell) -> int | None:
    """The tensor-parallel size of a cell; None where it is blank."""
    return None if is_blank(cell) else whole_number("tensor_parallel", number(cell))


@_remembered
def engine_sessions_per_node(
    model: Cell,
    server: Cell,
    precision: Cell,
    kv_budget_ratio: Cell,
    runtime_overhead_gib: Cell,
    tensor_parallel: Cell,
) -> SessionsPerNode:
    """Sessions that the engine admits on one node, for any context.

    What a planning function would refuse is refused here too.
    """
    sessions_per_node(model, server, precision, kv_budget_ratio, runtime_overhead_gib)
    one = session(model, precision)
    settings = EngineSettings(tensor_parallel=tensor_parallel_of(tensor_parallel))
    choice = replicas(one.model, server_of(server), one.precision, settings)

    known: dict[int, int] = {}

    def admitted(context: Cell) -> int:
        held = one.held(context)
        if held not in known:
            if len(known) >= _LOADS:
                known.clear()
            replica, cache = chosen_replica(choice, held, settings)
            known[held] = replica.sessions_per_node(cache)
        return known[held]

    return admitted


@_remembered
def engine_nodes(
    model: Cell,
    server: Cell,
    precision: Cell,
    kv_budget_ratio: Cell,
    runtime_overhead_gib: Cell,
    headroom: Cell,
    ha: Cell,
    tensor_parallel: Cell,
) -> NodesOfLoad:
    """The nodes of any load by the engine bound; three times None where nothing fits."""
    per_node = engine_sessions_per_node(
        model, server, precision, kv_budget_ratio, runtime_overhead_gib, tensor_parallel
    )
    return _nodes_of(per_node, headroom, ha)


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
    on_node = (precision, kv_budget_ratio, runtime_overhead_gib)
    nodes(model, server, *on_node, headroom, ha)(concurrency, context)
    alerts = _hbm_alerts(model, server, context, *on_node)
    if not alerts:
        return STATUS_OK
    worst = alerts[0]
    return joined(" ", (plan_status(alerts), worst.message, worst.recommendation))


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
