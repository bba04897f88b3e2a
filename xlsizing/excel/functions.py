"""The functions of the sizing method, by the names that cells call them.

They wrap core and nothing else. A cell cannot show a sentence, so a sizing that cannot
be done is answered with the text of Excel's own error value: #N/A for an unknown name,
#VALUE! for a value that the method does not accept, #NUM! where nothing fits.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec

from xlsizing.catalog import load_catalogs
from xlsizing.core import (
    BYTES_PER_ELEMENT,
    DEFAULT_HA_MODE,
    DEFAULT_KV_BUDGET_RATIO,
    DEFAULT_PEAK_HEADROOM_RATIO,
    DEFAULT_RUNTIME_OVERHEAD_GIB,
    Catalogs,
    SizingError,
    UnknownNameError,
    calc_kv_per_session_gib,
    calc_nodes_required,
    calc_sessions_per_node,
    kv_bytes_per_session,
)
from xlsizing.core.engine import DEFAULT_SETTINGS, EngineBound, EngineSettings, engine_bound
from xlsizing.core.kv_cache import (
    clamped_context,
    gib,
    kv_total_tib,
    resolved_precision,
    whole_number,
)
from xlsizing.core.paged_cache import layout, paged_cache
from xlsizing.excel.host import excel_function

UNKNOWN_NAME = "#N/A"
INVALID_VALUE = "#VALUE!"
NOTHING_FITS = "#NUM!"

CELL_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})

Cell = str | float | None
"""What an Excel cell hands over: text, a number, or nothing where it is empty."""

Arguments = ParamSpec("Arguments")

_MODEL = "Name or alias of the model, as on the sheet Models"
_SERVER = "Name or alias of the server, as on the sheet Servers"
_CONTEXT = "Tokens that one session holds"
_CONCURRENCY = "Sessions at the same time"
_PRECISION = f"{' or '.join(BYTES_PER_ELEMENT)}; empty for the model's own"
_RATIO = f"Share of the HBM that is planned for KV caches; empty for {DEFAULT_KV_BUDGET_RATIO}"
_OVERHEAD = (
    f"GiB of that share, per node, that the runtime takes; empty for {DEFAULT_RUNTIME_OVERHEAD_GIB}"
)
_HEADROOM = f"Share of the load to keep free for peaks; empty for {DEFAULT_PEAK_HEADROOM_RATIO}"
_TENSOR_PARALLEL = (
    "GPUs that share one copy of the model; empty for the smallest that holds a session"
)
_HA = f"none, or n+1 for a spare node; empty for {DEFAULT_HA_MODE}"


@cache
def _catalogs() -> Catalogs:
    """The catalogs, loaded at the first call; a cell must not wait for a file each time."""
    return load_catalogs()


def _cell_errors(
    function: Callable[Arguments, float | None],
) -> Callable[Arguments, float | str]:
    """Answer with an error value where the sizing cannot be done or nothing fits.

    An error value in an argument's cell is passed on.
    """

    @wraps(function)
    def answer(*args: Arguments.args, **kwargs: Arguments.kwargs) -> float | str:
        for given in (*args, *kwargs.values()):
            if isinstance(given, str) and given in CELL_ERRORS:
                return given
        try:
            value = function(*args, **kwargs)
        except UnknownNameError:
            return UNKNOWN_NAME
        except SizingError:
            return INVALID_VALUE
        return NOTHING_FITS if value is None else value

    return answer


@excel_function(model=_MODEL, context=_CONTEXT, precision=_PRECISION)
@_cell_errors
def KV_PER_SESSION(model: Cell, context: Cell, precision: Cell = None) -> float:  # noqa: N802
    """KV cache of one session in GiB."""
    gib, _ = calc_kv_per_session_gib(
        _catalogs().model(model), _number(context), _precision(precision)
    )
    return gib


@excel_function(model=_MODEL, context=_CONTEXT, concurrency=_CONCURRENCY, precision=_PRECISION)
@_cell_errors
def KV_TOTAL(  # noqa: N802
    model: Cell, context: Cell, concurrency: Cell, precision: Cell = None
) -> float:
    """KV cache of all sessions together in TiB."""
    kv_bytes = kv_bytes_per_session(
        _catalogs().model(model), _number(context), _precision(precision)
    )
    return kv_total_tib(kv_bytes, _number(concurrency))


@excel_function(
    model=_MODEL,
    server=_SERVER,
    context=_CONTEXT,
    precision=_PRECISION,
    kv_budget_ratio=_RATIO,
    runtime_overhead_gib=_OVERHEAD,
)
@_cell_errors
def SESSIONS_PER_NODE(  # noqa: N802
    model: Cell,
    server: Cell,
    context: Cell,
    precision: Cell = None,
    kv_budget_ratio: Cell = None,
    runtime_overhead_gib: Cell = None,
) -> int:
    """Sessions that one node holds; 0 where none fits."""
    return _sessions_per_node(
        model, server, context, precision, kv_budget_ratio, runtime_overhead_gib
    )


_NODE_ARGUMENTS = {
    "model": _MODEL,
    "server": _SERVER,
    "concurrency": _CONCURRENCY,
    "context": _CONTEXT,
    "precision": _PRECISION,
    "kv_budget_ratio": _RATIO,
    "runtime_overhead_gib": _OVERHEAD,
    "headroom": _HEADROOM,
    "ha": _HA,
}


@excel_function(**_NODE_ARGUMENTS)
@_cell_errors
def NODES_MINIMUM(  # noqa: N802
    model: Cell,
    server: Cell,
    concurrency: Cell,
    context: Cell,
    precision: Cell = None,
    kv_budget_ratio: Cell = None,
    runtime_overhead_gib: Cell = None,
    headroom: Cell = None,
    ha: Cell = None,
) -> int | None:
    """Nodes for the load as it is, without headroom or spare nodes."""
    per_node = _sessions_per_node(
        model, server, context, precision, kv_budget_ratio, runtime_overhead_gib
    )
    minimum, _, _ = _nodes(concurrency, per_node, headroom, ha)
    return minimum


@excel_function(**_NODE_ARGUMENTS)
@_cell_errors
def NODES_WITH_HEADROOM(  # noqa: N802
    model: Cell,
    server: Cell,
    concurrency: Cell,
    context: Cell,
    precision: Cell = None,
    kv_budget_ratio: Cell = None,
    runtime_overhead_gib: Cell = None,
    headroom: Cell = None,
    ha: Cell = None,
) -> int | None:
    """Nodes for the load with its peak headroom, without spare nodes."""
    per_node = _sessions_per_node(
        model, server, context, precision, kv_budget_ratio, runtime_overhead_gib
    )
    _, with_headroom, _ = _nodes(concurrency, per_node, headroom, ha)
    return with_headroom


@excel_function(**_NODE_ARGUMENTS)
@_cell_errors
def NODES_REQUIRED(  # noqa: N802
    model: Cell,
    server: Cell,
    concurrency: Cell,
    context: Cell,
    precision: Cell = None,
    kv_budget_ratio: Cell = None,
    runtime_overhead_gib: Cell = None,
    headroom: Cell = None,
    ha: Cell = None,
) -> int | None:
    """Nodes to buy or rent: with peak headroom, and a spare one where ha is n+1."""
    per_node = _sessions_per_node(
        model, server, context, precision, kv_budget_ratio, runtime_overhead_gib
    )
    _, _, final = _nodes(concurrency, per_node, headroom, ha)
    return final


_PLANNING_ONLY = "As in the planning functions, so that one can be changed to the other; not used"
_ENGINE_NODE_ARGUMENTS = {
    **_NODE_ARGUMENTS,
    "kv_budget_ratio": _PLANNING_ONLY,
    "runtime_overhead_gib": _PLANNING_ONLY,
    "tensor_parallel": _TENSOR_PARALLEL,
}


@excel_function(
    model=_MODEL,
    context=_CONTEXT,
    precision=_PRECISION,
    tensor_parallel="GPUs that share one copy of the model; empty for 1",
)
@_cell_errors
def ENGINE_KV_PER_SESSION(  # noqa: N802
    model: Cell, context: Cell, precision: Cell = None, tensor_parallel: Cell = None
) -> float:
    """What the engine sets aside for one session, over the GPUs of a replica, in GiB."""
    entry = _catalogs().model(model)
    kv_precision = resolved_precision(entry, _precision(precision))
    size = whole_number("tensor_parallel", _number(tensor_parallel, 1))
    cut = layout(entry, kv_precision, size)
    in_flight = DEFAULT_SETTINGS.tokens_in_flight
    cache = paged_cache(cut, clamped_context(entry, _number(context)), in_flight)
    return gib(cache.kv_bytes_per_request * size)


@excel_function(
    model=_MODEL,
    server=_SERVER,
    context=_CONTEXT,
    precision=_PRECISION,
    kv_budget_ratio=_PLANNING_ONLY,
    runtime_overhead_gib=_PLANNING_ONLY,
    tensor_parallel=_TENSOR_PARALLEL,
)
@_cell_errors
def ENGINE_SESSIONS_PER_NODE(  # noqa: N802
    model: Cell,
    server: Cell,
    context: Cell,
    precision: Cell = None,
    kv_budget_ratio: Cell = None,
    runtime_overhead_gib: Cell = None,
    tensor_parallel: Cell = None,
) -> int:
    """Sessions that the engine admits on one node; 0 where none."""
    _sessions_per_node(model, server, context, precision, kv_budget_ratio, runtime_overhead_gib)
    return _engine(
        model, server, 1, context, precision, None, None, tensor_parallel
    ).sessions_per_node


@excel_function(**_ENGINE_NODE_ARGUMENTS)
@_cell_errors
def ENGINE_NODES_REQUIRED(  # noqa: N802
    model: Cell,
    server: Cell,
    concurrency: Cell,
    context: Cell,
    precision: Cell = None,
    kv_budget_ratio: Cell = None,
    runtime_overhead_gib: Cell = None,
    headroom: Cell = None,
    ha: Cell = None,
    tensor_parallel: Cell = None,
) -> int | None:
    """Nodes by the engine bound: with peak headroom, and a spare one where ha is n+1."""
    _sessions_per_node(model, server, context, precision, kv_budget_ratio, runtime_overhead_gib)
    bound = _engine(model, server, concurrency, context, precision, headroom, ha, tensor_parallel)
    return bound.nodes[-1]


def _engine(
    model: Cell,
    server: Cell,
    concurrency: Cell,
    context: Cell,
    precision: Cell,
    headroom: Cell,
    ha: Cell,
    tensor_parallel: Cell,
) -> EngineBound:
    entry = _catalogs().model(model)
    size = None
    if not _is_empty(tensor_parallel):
        size = whole_number("tensor_parallel", _number(tensor_parallel))
    return engine_bound(
        entry,
        _catalogs().server(server),
        clamped_context(entry, _number(context)),
        resolved_precision(entry, _precision(precision)),
        whole_number("concurrency", _number(concurrency)),
        _number(headroom, DEFAULT_PEAK_HEADROOM_RATIO),
        _word(ha) or DEFAULT_HA_MODE,
        EngineSettings(tensor_parallel=size),
    )


def _sessions_per_node(
    model: Cell,
    server: Cell,
    context: Cell,
    precision: Cell,
    kv_budget_ratio: Cell,
    runtime_overhead_gib: Cell,
) -> int:
    catalogs = _catalogs()
    kv_gib, _ = calc_kv_per_session_gib(
        catalogs.model(model), _number(context), _precision(precision)
    )
    return calc_sessions_per_node(
        catalogs.server(server),
        kv_gib,
        _number(kv_budget_ratio, DEFAULT_KV_BUDGET_RATIO),
        _number(runtime_overhead_gib, DEFAULT_RUNTIME_OVERHEAD_GIB),
    )


def _nodes(
    concurrency: Cell, per_node: int, headroom: Cell, ha: Cell
) -> tuple[int, int, int] | tuple[None, None, None]:
    return calc_nodes_required(
        _number(concurrency),
        per_node,
        _number(headroom, DEFAULT_PEAK_HEADROOM_RATIO),
        _word(ha) or DEFAULT_HA_MODE,
    )


def _number(value: Cell, default: float | None = None) -> float:
    """The cell's value, or the default where the cell is empty; core refuses what is no number."""
    if _is_empty(value) and default is not None:
        return default
    return value  # type: ignore[return-value]


def _precision(value: Cell) -> str | None:
    return _word(value) or None


def _word(value: Cell) -> str:
    """A word from a cell without stray blanks, in small letters; empty for an empty cell."""
    return "" if value is None else str(value).strip().lower()


def _is_empty(value: Cell) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
