"""The functions of the sizing method, by the names that cells call them.

They wrap core and nothing else. Every argument is a value or a range, and ranges
broadcast (see `ranges`). A cell cannot show a sentence, so what cannot be done is
answered with Excel's own error value: #N/A for an unknown name, #VALUE! for a value that
the method does not accept, #NUM! where nothing fits; SIZING_WHY says the sentence. An
error value in an argument is passed on.
"""

from collections.abc import Callable
from functools import reduce

from xlsizing.core import (
    BYTES_PER_ELEMENT,
    DEFAULT_HA_MODE,
    DEFAULT_KV_BUDGET_RATIO,
    DEFAULT_PEAK_HEADROOM_RATIO,
    DEFAULT_RUNTIME_OVERHEAD_GIB,
    SizingError,
)
from xlsizing.core.engine import DEFAULT_SETTINGS
from xlsizing.core.exact import plain
from xlsizing.core.kv_cache import gib, kv_total_tib
from xlsizing.core.message import Message
from xlsizing.core.paged_cache import layout, paged_cache
from xlsizing.excel.cells import NOTHING_FITS, Cell, error_in
from xlsizing.excel.host import excel_function, said
from xlsizing.excel.planning import (
    DEFAULT_STORAGE,
    NodesOfLoad,
    concurrency_of,
    engine_nodes,
    engine_sessions_per_node,
    nodes,
    plan_in_words,
    session,
    sessions_per_node,
    tensor_parallel_of,
)
from xlsizing.excel.ranges import Argument, Range, Staged, answers
from xlsizing.excel.tables import an_error, catalog_table, sizing_table, warnings_table


def _or(one: str, other: str) -> Message:
    return Message("{one} or {other}", one=one, other=other)


_MODEL = Message("Name or alias of the model, as on the sheet Models")
_SERVER = Message("Name or alias of the server, as on the sheet Servers")
_CONTEXT = Message("Tokens that one session holds")
_CONCURRENCY = Message("Sessions at the same time")
_PRECISION = Message(
    "{precisions}; empty for the model's own", precisions=reduce(_or, BYTES_PER_ELEMENT)
)
_RATIO = Message(
    "Share of the HBM that is planned for KV caches; empty for {ratio}",
    ratio=plain(DEFAULT_KV_BUDGET_RATIO),
)
_OVERHEAD = Message(
    "GiB of that share, per node, that the runtime takes; empty for {gib}",
    gib=plain(DEFAULT_RUNTIME_OVERHEAD_GIB),
)
_HEADROOM = Message(
    "Share of the load to keep free for peaks; empty for {ratio}",
    ratio=plain(DEFAULT_PEAK_HEADROOM_RATIO),
)
_HA = Message("none, or n+1 for a spare node; empty for {mode}", mode=DEFAULT_HA_MODE)
_TENSOR_PARALLEL = Message(
    "GPUs that share one copy of the model; empty for the smallest that holds a session"
)
_PLANNING_ONLY = Message(
    "Checked as in the planning functions, so that one can be changed to the other; not used"
)

_ZEROS = frozenset({"runtime_overhead_gib", "headroom", "concurrency", "context"})
"""The arguments of which 0 is a value, right or wrong, and never an empty cell."""

_ON_NODE = {
    "model": _MODEL,
    "server": _SERVER,
    "context": _CONTEXT,
    "precision": _PRECISION,
    "kv_budget_ratio": _RATIO,
    "runtime_overhead_gib": _OVERHEAD,
}
_LOAD = {
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
_LOAD_ON_STORAGE = {
    **_LOAD,
    "storage": Message(
        "Name or alias of the storage profile; empty for {storage}", storage=DEFAULT_STORAGE
    ),
}
_UNUSED = dict.fromkeys(("kv_budget_ratio", "runtime_overhead_gib"), _PLANNING_ONLY)


@excel_function({"model": _MODEL, "context": _CONTEXT, "precision": _PRECISION}, _ZEROS)
def KV_PER_SESSION(  # noqa: N802
    model: Argument, context: Argument, precision: Argument = None
) -> Cell | Range:
    """KV cache of one session in GiB.

    Source: the planning method, steps 1 to 3; the equation stands with
    `core.kv_bytes_per_session`.
    """
    return answers(_KV_PER_SESSION, (model, context, precision), 2)


def _kv_per_session(model: Cell, precision: Cell) -> Callable[[Cell], Cell]:
    one = session(model, precision)
    return lambda context: gib(one.kv_bytes(context))


_KV_PER_SESSION = Staged(_kv_per_session, (0, 2), 3)


@excel_function(
    {"model": _MODEL, "context": _CONTEXT, "concurrency": _CONCURRENCY, "precision": _PRECISION},
    _ZEROS,
)
def KV_TOTAL(  # noqa: N802
    model: Argument, context: Argument, concurrency: Argument, precision: Argument = None
) -> Cell | Range:
    """KV cache of all sessions together in TiB.

    KV total = KV per session * concurrency. Source: the planning method, step 4.
    """
    return answers(_KV_TOTAL, (model, context, concurrency, precision), 3)


def _kv_total(model: Cell, precision: Cell) -> Callable[[Cell, Cell], Cell]:
    one = session(model, precision)
    return lambda context, concurrency: kv_total_tib(
        one.kv_bytes(context), concurrency_of(concurrency)
    )


_KV_TOTAL = Staged(_kv_total, (0, 3), 4)


@excel_function(_ON_NODE, _ZEROS)
def SESSIONS_PER_NODE(  # noqa: N802
    model: Argument,
    server: Argument,
    context: Argument,
    precision: Argument = None,
    kv_budget_ratio: Argument = None,
    runtime_overhead_gib: Argument = None,
) -> Cell | Range:
    """Sessions that one node holds; 0 where none fits.

    Source: the planning method, steps 5 and 6; the equation stands with
    `core.calc_sessions_per_node`.
    """
    given = (model, server, context, precision, kv_budget_ratio, runtime_overhead_gib)
    return answers(_SESSIONS_PER_NODE, given, 3)


_SESSIONS_PER_NODE = Staged(sessions_per_node, (0, 1, 3, 4, 5), 6)


@excel_function(_LOAD, _ZEROS)
def NODES_MINIMUM(  # noqa: N802
    model: Argument,
    server: Argument,
    concurrency: Argument,
    context: Argument,
    precision: Argument = None,
    kv_budget_ratio: Argument = None,
    runtime_overhead_gib: Argument = None,
    headroom: Argument = None,
    ha: Argument = None,
) -> Cell | Range:
    """Nodes for the load as it is, without headroom or spare nodes.

    Source: the planning method, step 7; the equations stand with `core.calc_nodes_required`.
    """
    given = (model, server, concurrency, context, precision)
    return answers(_MINIMUM, (*given, kv_budget_ratio, runtime_overhead_gib, headroom, ha), 4)


@excel_function(_LOAD, _ZEROS)
def NODES_WITH_HEADROOM(  # noqa: N802
    model: Argument,
    server: Argument,
    concurrency: Argument,
    context: Argument,
    precision: Argument = None,
    kv_budget_ratio: Argument = None,
    runtime_overhead_gib: Argument = None,
    headroom: Argument = None,
    ha: Argument = None,
) -> Cell | Range:
    """Nodes for the load with its peak headroom, without spare nodes.

    Source: as of NODES_MINIMUM.
    """
    given = (model, server, concurrency, context, precision)
    return answers(_WITH_HEADROOM, (*given, kv_budget_ratio, runtime_overhead_gib, headroom, ha), 4)


@excel_function(_LOAD, _ZEROS)
def NODES_REQUIRED(  # noqa: N802
    model: Argument,
    server: Argument,
    concurrency: Argument,
    context: Argument,
    precision: Argument = None,
    kv_budget_ratio: Argument = None,
    runtime_overhead_gib: Argument = None,
    headroom: Argument = None,
    ha: Argument = None,
) -> Cell | Range:
    """Nodes to buy or rent: with peak headroom, and a spare one where ha is n+1.

    Source: as of NODES_MINIMUM.
    """
    given = (model, server, concurrency, context, precision)
    return answers(_FINAL, (*given, kv_budget_ratio, runtime_overhead_gib, headroom, ha), 4)


def _one_of(prepare: Callable[..., NodesOfLoad], number: int) -> Callable[..., Callable[..., Cell]]:
    """One of the three counts of nodes; #NUM! where nothing fits."""

    def prepared(*cells: Cell) -> Callable[..., Cell]:
        of_load = prepare(*cells)

        def count(concurrency: Cell, context: Cell) -> Cell:
            found = of_load(concurrency, context)[number]
            return NOTHING_FITS if found is None else found

        return count

    return prepared


_NOT_OF_LOAD = (0, 1, 4, 5, 6, 7, 8)
"""The places of all arguments but concurrency and context."""
_MINIMUM, _WITH_HEADROOM, _FINAL = (
    Staged(_one_of(nodes, number), _NOT_OF_LOAD, 9) for number in range(3)
)


@excel_function(_LOAD_ON_STORAGE, _ZEROS)
def SIZING(  # noqa: N802
    model: Argument,
    server: Argument,
    concurrency: Argument,
    context: Argument,
    precision: Argument = None,
    kv_budget_ratio: Argument = None,
    runtime_overhead_gib: Argument = None,
    headroom: Argument = None,
    ha: Argument = None,
    storage: Argument = None,
) -> Range:
    """All figures of a load under their labels: KV cache, sessions, nodes, status and alerts.

    One row for each load of the ranges. Source: the planning method, part 1.
    """
    given = (model, server, concurrency, context, precision)
    return sizing_table((*given, kv_budget_ratio, runtime_overhead_gib, headroom, ha, storage))


@excel_function(_LOAD_ON_STORAGE, _ZEROS)
def SIZING_WARNINGS(  # noqa: N802
    model: Argument,
    server: Argument,
    concurrency: Argument,
    context: Argument,
    precision: Argument = None,
    kv_budget_ratio: Argument = None,
    runtime_overhead_gib: Argument = None,
    headroom: Argument = None,
    ha: Argument = None,
    storage: Argument = None,
) -> Range:
    """The alerts of a load: code, severity, message and what to do.

    Of several loads with the number of the load, row by row. Source: the planning
    method, "Alerts".
    """
    given = (model, server, concurrency, context, precision)
    return warnings_table((*given, kv_budget_ratio, runtime_overhead_gib, headroom, ha, storage))


@excel_function(_LOAD, _ZEROS)
def SIZING_WHY(  # noqa: N802
    model: Argument,
    server: Argument,
    concurrency: Argument,
    context: Argument,
    precision: Argument = None,
    kv_budget_ratio: Argument = None,
    runtime_overhead_gib: Argument = None,
    headroom: Argument = None,
    ha: Argument = None,
) -> Cell | Range:
    """OK, or in a sentence what is wrong with a load and what would be right."""
    given = (model, server, concurrency, context, precision)
    return answers(
        _why, (*given, kv_budget_ratio, runtime_overhead_gib, headroom, ha), 4, tells_errors=True
    )


def _why(*cells: Cell) -> str:
    if shown := error_in(cells):
        return said(an_error(shown))
    try:
        return said(plan_in_words(*cells))
    except SizingError as error:
        return said(str(error))


@excel_function(
    {
        "kind": Message("models, servers or storage"),
        "name": Message("Name or alias of an entry; empty for all"),
        "field": Message(
            "A field as the catalogs spell it, such as hbm_per_gpu_mib; empty for all"
        ),
    }
)
def CATALOG(  # noqa: N802
    kind: Argument, name: Argument = None, field: Argument = None
) -> Cell | Range:
    """What the catalogs say: all entries of a kind, one entry, or one of its figures.

    Entries come under a head that names the fields; a name together with a field gives
    the figure alone.
    """
    return catalog_table(kind, name, field)


@excel_function(
    {
        "model": _MODEL,
        "context": _CONTEXT,
        "precision": _PRECISION,
        "tensor_parallel": Message("GPUs that share one copy of the model; empty for 1"),
    },
    _ZEROS,
)
def ENGINE_KV_PER_SESSION(  # noqa: N802
    model: Argument,
    context: Argument,
    precision: Argument = None,
    tensor_parallel: Argument = None,
) -> Cell | Range:
    """What the engine sets aside for one session, over the GPUs of a replica, in GiB.

    Source: the planning method, part 2, "Blocks and groups".
    """
    return answers(_ENGINE_KV_PER_SESSION, (model, context, precision, tensor_parallel), 2)


def _engine_kv_per_session(
    model: Cell, precision: Cell, tensor_parallel: Cell
) -> Callable[[Cell], Cell]:
    one = session(model, precision)
    size = tensor_parallel_of(tensor_parallel) or 1
    cut = layout(one.model, one.precision, size)
    in_flight = DEFAULT_SETTINGS.tokens_in_flight
    return lambda context: gib(
        paged_cache(cut, one.held(context), in_flight).kv_bytes_per_request * size
    )


_ENGINE_KV_PER_SESSION = Staged(_engine_kv_per_session, (0, 2, 3), 4)


@excel_function({**_ON_NODE, **_UNUSED, "tensor_parallel": _TENSOR_PARALLEL}, _ZEROS)
def ENGINE_SESSIONS_PER_NODE(  # noqa: N802
    model: Argument,
    server: Argument,
    context: Argument,
    precision: Argument = None,
    kv_budget_ratio: Argument = None,
    runtime_overhead_gib: Argument = None,
    tensor_parallel: Argument = None,
) -> Cell | Range:
    """Sessions that the engine admits on one node; 0 where none.

    Source: the planning method, part 2, "The pool".
    """
    given = (model, server, context, precision, kv_budget_ratio, runtime_overhead_gib)
    return answers(_ENGINE_SESSIONS, (*given, tensor_parallel), 3)


_ENGINE_SESSIONS = Staged(engine_sessions_per_node, (0, 1, 3, 4, 5, 6), 7)


@excel_function({**_LOAD, **_UNUSED, "tensor_parallel": _TENSOR_PARALLEL}, _ZEROS)
def ENGINE_NODES_REQUIRED(  # noqa: N802
    model: Argument,
    server: Argument,
    concurrency: Argument,
    context: Argument,
    precision: Argument = None,
    kv_budget_ratio: Argument = None,
    runtime_overhead_gib: Argument = None,
    headroom: Argument = None,
    ha: Argument = None,
    tensor_parallel: Argument = None,
) -> Cell | Range:
    """Nodes by the engine bound: with peak headroom, and a spare one where ha is n+1.

    Source: the planning method, part 2, "The pool".
    """
    given = (model, server, concurrency, context, precision, kv_budget_ratio)
    return answers(_ENGINE_FINAL, (*given, runtime_overhead_gib, headroom, ha, tensor_parallel), 4)


_ENGINE_FINAL = Staged(_one_of(engine_nodes, 2), (*_NOT_OF_LOAD, 9), 10)
