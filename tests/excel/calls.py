"""One table of calls for every host, and what core answers.

What a call must answer is computed here from core's public functions, a cell at a time
and without any of the code that answers cells: the broadcasting, the defaults and the
error values are written out again.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from tests.conftest import PROJECT
from xlsizing.catalog import load_catalogs
from xlsizing.core import (
    Catalogs,
    EngineSettings,
    SizingError,
    UnknownNameError,
    calc_kv_per_session_gib,
    calc_nodes_required,
    calc_sessions_per_node,
    engine_bound,
    kv_bytes_per_session,
    size,
)
from xlsizing.core.kv_cache import clamped_context, resolved_precision, whole_number
from xlsizing.core.paged_cache import layout, paged_cache

MODEL, SERVER, CONTEXT, SESSIONS = "gpt-oss-120b", "dgx-b300", 131_072, 1_000

ARGUMENTS: Mapping[str, str] = {
    "KV_PER_SESSION": "model context [precision]",
    "KV_TOTAL": "model context concurrency [precision]",
    "SESSIONS_PER_NODE": "model server context [precision] [ratio] [overhead]",
    **dict.fromkeys(
        ("NODES_MINIMUM", "NODES_WITH_HEADROOM", "NODES_REQUIRED", "SIZING_WHY"),
        "model server concurrency context [precision] [ratio] [overhead] [headroom] [ha]",
    ),
    **dict.fromkeys(
        ("SIZING", "SIZING_WARNINGS"),
        "model server concurrency context [precision] [ratio] [overhead] [headroom] [ha] [storage]",
    ),
    "CATALOG": "kind [name] [field]",
    "ENGINE_KV_PER_SESSION": "model context [precision] [tp]",
    "ENGINE_SESSIONS_PER_NODE": "model server context [precision] [ratio] [overhead] [tp]",
    "ENGINE_NODES_REQUIRED": (
        "model server concurrency context [precision] [ratio] [overhead] [headroom] [ha] [tp]"
    ),
}
"""The arguments of each function in their order, optional ones in brackets."""

OF_ONE_VALUE = tuple(
    name for name in ARGUMENTS if name not in ("SIZING", "SIZING_WARNINGS", "CATALOG")
)
"""The functions that answer with one value for one load."""

GOOD: Mapping[str, Any] = {
    "model": MODEL,
    "server": SERVER,
    "concurrency": SESSIONS,
    "context": CONTEXT,
    "storage": "profile_default",
    "kind": "models",
}
DEFAULTS: Mapping[str, Any] = {"ratio": 0.70, "overhead": 120, "headroom": 0.20, "ha": "none"}


class Call(NamedTuple):
    """A call of a function; None is an argument that is left out or an empty cell."""

    name: str
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(_short, self.arguments))})"


def _short(argument: Any) -> str:
    if isinstance(argument, list) and len(argument) > 3:
        return f"{len(argument)} rows"
    return repr(argument)


def call(name: str, **changed: Any) -> Call:
    """A call with good arguments but for those that are given."""
    words = [each.strip("[]") for each in ARGUMENTS[name].split()]
    return Call(name, tuple({**GOOD, **changed}.get(word) for word in words))


def takes(name: str, argument: str) -> bool:
    """Whether a function has an argument."""
    return argument in [each.strip("[]") for each in ARGUMENTS[name].split()]


@cache
def catalogs() -> Catalogs:
    """The catalogs that the project ships."""
    return load_catalogs(str(PROJECT / "catalogs"))


# --- what core answers ---------------------------------------------------------------------


def expected(asked: Call) -> Any:
    """What a call must answer: a value where all arguments are values, else rows of them."""
    words = [each.strip("[]") for each in ARGUMENTS[asked.name].split()]
    given = dict(zip(words, asked.arguments, strict=True))
    if asked.name == "CATALOG":
        return _catalog(**given)
    required = [each for each in ARGUMENTS[asked.name].split() if "[" not in each]
    rows, columns = _shape(given.values())
    cells = [
        [_cell_of(asked.name, given, required, row, column) for column in range(columns)]
        for row in range(rows)
    ]
    if asked.name == "SIZING":
        return [_SIZING_HEAD, *(figures for row in cells for figures in row)]
    if asked.name == "SIZING_WARNINGS":
        return _warnings([found for row in cells for found in row])
    return cells[0][0] if (rows, columns) == (1, 1) else cells


def _shape(arguments: Any) -> tuple[int, int]:
    ranges = [each for each in arguments if isinstance(each, list)]
    return max(map(len, ranges), default=1), max((len(each[0]) for each in ranges), default=1)


def _at(argument: Any, row: int, column: int) -> Any:
    if not isinstance(argument, list):
        return argument
    row = 0 if len(argument) == 1 else row
    column = 0 if len(argument[0]) == 1 else column
    if row >= len(argument) or column >= len(argument[0]):
        return "#N/A"
    return argument[row][column]


def _cell_of(
    name: str, given: Mapping[str, Any], required: Sequence[str], row: int, column: int
) -> Any:
    cells = {word: _at(argument, row, column) for word, argument in given.items()}
    in_ranges = [word for word in required if _shape([given[word]]) != (1, 1)]
    if in_ranges and all(_empty(cells[word]) for word in in_ranges):
        return {"SIZING": [""] * 8, "SIZING_WARNINGS": []}.get(name, "")
    errors = [each for each in cells.values() if isinstance(each, str) and each[:1] == "#"]
    if errors and name not in _TELLING:
        return errors[0]
    meant = {word: _meant(word, cell) for word, cell in cells.items()}
    try:
        if errors:
            raise ErrorGivenError(
                f"An argument shows {errors[0]}; mend the cell that it comes from."
            )
        found = _CORE[name](meant)
    except SizingError as error:
        shown = "#N/A" if isinstance(error, UnknownNameError) else "#VALUE!"
        if name in _TELLING:
            return _TELLING[name](error, errors[0] if errors else shown)
        return shown
    return "#NUM!" if found is None else found


class ErrorGivenError(SizingError):
    """An error value was handed over."""

    code = "ERROR_VALUE"


def _empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and cell.strip() == "")


def _meant(word: str, cell: Any) -> Any:
    if _empty(cell) and word in DEFAULTS:
        return DEFAULTS[word]
    if word in ("precision", "ha"):
        return None if _empty(cell) else str(cell).strip().lower()
    if word == "storage" and _empty(cell):
        return "profile_default"
    if word in ("concurrency", "context", "ratio", "overhead", "headroom", "tp"):
        cell = Text(cell) if isinstance(cell, str) and cell.strip() else cell
    return None if word not in DEFAULTS and _empty(cell) else cell


class Text(str):
    """A text in the place of a number: sentences say that it is one."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"the text {str(self)!r}"


def _on_node(given: Mapping[str, Any]) -> int:
    # Of two wrong arguments, names decide before values.
    entry, server = catalogs().model(given["model"]), catalogs().server(given["server"])
    kv_gib, _ = calc_kv_per_session_gib(entry, given["context"], given["precision"])
    return calc_sessions_per_node(server, kv_gib, given["ratio"], given["overhead"])


def _nodes(given: Mapping[str, Any]) -> tuple[int, int, int] | tuple[None, None, None]:
    per_node = _on_node(given)
    return calc_nodes_required(given["concurrency"], per_node, given["headroom"], given["ha"])


def _sized(given: Mapping[str, Any]) -> Any:
    known = catalogs()
    return size(
        known.model(given["model"]),
        known.server(given["server"]),
        known.profile(given.get("storage", "profile_default")),
        concurrency=given["concurrency"],
        effective_context=given["context"],
        kv_precision=given["precision"],
        kv_budget_ratio=given["ratio"],
        runtime_overhead_gib=given["overhead"],
        peak_headroom_ratio=given["headroom"],
        ha_mode=given["ha"],
    )


def _kv_total(given: Mapping[str, Any]) -> float:
    entry = catalogs().model(given["model"])
    session = kv_bytes_per_session(entry, given["context"], given["precision"])
    return session * whole_number("concurrency", given["concurrency"]) / 2**40


def _engine(given: Mapping[str, Any]) -> Any:
    _on_node(given)
    entry = catalogs().model(given["model"])
    tp = None if _empty(given["tp"]) else whole_number("tensor_parallel", given["tp"])
    return engine_bound(
        entry,
        catalogs().server(given["server"]),
        clamped_context(entry, given["context"]),
        resolved_precision(entry, given["precision"]),
        whole_number("concurrency", given.get("concurrency", 1)),
        given.get("headroom", 0.2),
        given.get("ha", "none"),
        EngineSettings(tensor_parallel=tp),
    )


def _engine_kv(given: Mapping[str, Any]) -> float:
    entry = catalogs().model(given["model"])
    tp = 1 if _empty(given["tp"]) else whole_number("tensor_parallel", given["tp"])
    cut = layout(entry, resolved_precision(entry, given["precision"]), tp)
    cache_of = paged_cache(cut, clamped_context(entry, given["context"]), 16_384)
    return cache_of.kv_bytes_per_request * tp / 2**30


def _why(given: Mapping[str, Any]) -> str:
    result = _sized(given)
    if result.status == "OK":
        return "OK"
    worst = result.alerts[0]
    return f"{result.status} {worst.message} {worst.recommendation}"


_SIZING_HEAD = [
    *("KV per session GiB", "KV total TiB", "Sessions per node", "Nodes minimum"),
    *("Nodes with headroom", "Nodes final", "Status", "Alerts"),
]


def _sizing(given: Mapping[str, Any]) -> list[Any]:
    result = _sized(given)
    codes = []
    for alert in result.all_alerts:
        if alert.code not in codes:
            codes.append(alert.code)
    return [
        result.kv_per_session_gib,
        result.kv_total_tib,
        result.sessions_per_node,
        *(
            "#NUM!" if count is None else count
            for count in (result.nodes_minimum, result.nodes_with_headroom, result.nodes_final)
        ),
        result.status,
        "; ".join(codes),
    ]


def _alerts(given: Mapping[str, Any]) -> list[Any]:
    return [
        [alert.code, alert.severity, alert.message, alert.recommendation]
        for alert in _sized(given).all_alerts
    ]


def _warnings(loads: Sequence[list[Any]]) -> list[Any]:
    head = ["Code", "Severity", "Message", "What to do"]
    none = ["OK", "", "Nothing to warn of.", ""]
    if len(loads) == 1:
        return [head, *(loads[0] or [none])]
    rows = [[*alert, number] for number, found in enumerate(loads, 1) for alert in found]
    return [[*head, "Load"], *(rows or [[*none, ""]])]


_CORE: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "KV_PER_SESSION": lambda given: calc_kv_per_session_gib(
        catalogs().model(given["model"]), given["context"], given["precision"]
    )[0],
    "KV_TOTAL": _kv_total,
    "SESSIONS_PER_NODE": _on_node,
    "NODES_MINIMUM": lambda given: _nodes(given)[0],
    "NODES_WITH_HEADROOM": lambda given: _nodes(given)[1],
    "NODES_REQUIRED": lambda given: _nodes(given)[2],
    "SIZING_WHY": _why,
    "SIZING": _sizing,
    "SIZING_WARNINGS": _alerts,
    "ENGINE_KV_PER_SESSION": _engine_kv,
    "ENGINE_SESSIONS_PER_NODE": lambda given: _engine(given).sessions_per_node,
    "ENGINE_NODES_REQUIRED": lambda given: _engine(given).nodes[2],
}

_TELLING: Mapping[str, Callable[[SizingError, str], Any]] = {
    "SIZING_WHY": lambda error, _: str(error),
    "SIZING": lambda error, shown: [*[shown] * 6, str(error), ""],
    "SIZING_WARNINGS": lambda error, _: [[error.code, "error", str(error), ""]],
}
"""The functions that say what is wrong in words."""


def _catalog(kind: Any, name: Any, field: Any) -> Any:
    known = {
        "models": (catalogs().models, catalogs().model),
        "servers": (catalogs().servers, catalogs().server),
        "storage": (catalogs().profiles, catalogs().profile),
    }
    if not isinstance(kind, str) or kind.strip().lower() not in known:
        return kind if isinstance(kind, str) and kind[:1] == "#" else "#VALUE!"
    entries, find = known[kind.strip().lower()]
    try:
        if name is None:
            return [[field], *([getattr(entry, field)] for entry in entries)]
        return getattr(find(name), field)
    except (UnknownNameError, AttributeError):
        return "#N/A"


# --- the table -----------------------------------------------------------------------------

BAD: Mapping[str, tuple[Any, ...]] = {
    "model": ("no-such", "gpt*", "", None, 5.5, True, "#N/A", "#REF!"),
    "server": ("no-such", None, 5, False, "#DIV/0!"),
    "storage": ("no-such", 7, True, "#NAME?"),
    "concurrency": (0.5, -1, "1000", "many", None, "", True, "#NUM!", 1e19),
    "context": (-1, 0.5, "131072", None, "", False, "#NULL!"),
    "precision": ("fp4", "8", 8, True, "#VALUE!"),
    "ratio": (-0.1, 1.0001, 0.12345, "0.7", True, "#REF!"),
    "overhead": (-1, 0.001, "120", False, "#N/A"),
    "headroom": (-0.1, 0.00001, "20%", True, "#NUM!"),
    "ha": ("n+2", "yes", 1, True, "#NAME?"),
    "tp": (-1, 1.5, "1", 3, 7, True, "#DIV/0!"),
    "kind": ("gpus", None, 3, True, "#N/A"),
}
"""What each argument refuses, or passes on. Zeros are not among them: see the hosts."""

_STRAY: Mapping[str, Any] = {
    "model": "  OPT-OSS-120b ",
    "server": " DGX300",
    "precision": " BF16 ",
    "ha": " N+1 ",
    "concurrency": 1_000.0,
    "context": 131_072.0,
    "storage": " PROFILE_default ",
}
_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("precision", "ratio", "overhead", "headroom", "ha", "tp", "storage"), "")
}
_EDGES: tuple[Mapping[str, Any], ...] = (
    {"ratio": 0.01},
    {"ratio": 1, "overhead": 0, "headroom": 0},
    {"headroom": 0.1, "concurrency": 6_140},
    {"context": 10**9},
    {"context": 1, "concurrency": 10**18},
    {"model": "llama-3.1-70b", "server": "8x-l40s", "precision": "bf16", "tp": 2},
    {"model": "deepseek-v3", "server": "gb200-nvl72", "ha": "n+1", "headroom": 1.5},
    {"model": "command-r7b", "precision": None, "ha": "n+1"},
    {"overhead": 10**6, "concurrency": -1},
)


def scalar_calls() -> Iterator[Call]:
    """Calls of every function with good, edge and bad values."""
    for name in ARGUMENTS:
        if name != "CATALOG":
            yield call(name)
            yield call(name, **_STRAY)
            yield call(name, **_EMPTY)
            yield from (call(name, **edge) for edge in _EDGES)
        for argument, values in BAD.items():
            if takes(name, argument):
                yield from (call(name, **{argument: value}) for value in values)
    catalog_calls: tuple[tuple[str, str | None, str], ...] = (
        ("models", MODEL, "num_layers"),
        (" Servers ", "dgx300", "gpus"),
        ("storage", "profile_default", "latency_read_ms_p99"),
        ("models", "no-such", "num_layers"),
        ("models", MODEL, "no_such"),
        ("servers", None, "gpus"),
    )
    yield from (Call("CATALOG", given) for given in catalog_calls)


def range_calls() -> Iterator[Call]:
    """Calls of the functions with small ranges: broadcast, with bad rows and blank ones."""
    column = [[1], [1_000], ["x"], ["#REF!"], [10**6], [None], [""]]
    models = [[MODEL], ["nope"], ["llama-3.1-8b"], [None], ["deepseek-v3"], [None], [None]]
    row = [[8_192, 131_072.0, "q"]]
    for name in ARGUMENTS:
        if takes(name, "context"):
            yield call(name, context=[[1_024]])
            yield call(name, context=row)
            yield call(name, model=models, context=row)
            yield call(name, model=models, precision=[["fp8"], ["bf16"]])
        if takes(name, "concurrency"):
            yield call(name, concurrency=column)
            yield call(name, model=models, concurrency=column)
            yield call(name, concurrency=column, context=row)
            yield call(name, concurrency=[[1, 2], [3, 4]], context=[[1_024], [2_048]])
            yield call(name, concurrency=[[1, 2], [3, 4]], context=[[1, 2, 3]])
    yield call("NODES_REQUIRED", ha=[["none", "n+1", "", None, "n+2"]], headroom=[[0], [0.2], [3]])
    yield call("ENGINE_NODES_REQUIRED", tp=[[1], [2], [3], [None], [8]])


def long_calls(rows: int) -> Iterator[Call]:
    """Calls with columns of many rows, of which one in a hundred is wrong and the last blank."""
    dice = random.Random(rows)
    names = [each.name for each in catalogs().models]
    blank = rows // 20

    def column(draw: Callable[[], Any], wrong: Any) -> list[list[Any]]:
        filled = [[wrong if dice.random() < 0.01 else draw()] for _ in range(rows - blank)]
        return filled + [[None]] * blank

    concurrency = column(lambda: float(dice.randint(1, 10**6)), -1.0)
    context = column(lambda: dice.choice((1_024, 8_192, 32_768.0, 131_072, 10**6)), "much")
    models = column(lambda: dice.choice(names[:6]), "no-such")
    headroom = column(lambda: dice.choice((0.1, 0.2, 0.35, None)), True)
    yield call("NODES_REQUIRED", concurrency=concurrency)
    yield call(
        "NODES_REQUIRED", model=models, concurrency=concurrency, context=context, headroom=headroom
    )
    yield call("SESSIONS_PER_NODE", model=models, context=context)
    yield call("KV_PER_SESSION", model=models, context=context)
    yield call("ENGINE_NODES_REQUIRED", concurrency=concurrency)
    if rows <= 1_000:
        yield call("SIZING_WHY", concurrency=concurrency, context=context)
        yield call("SIZING", concurrency=concurrency, context=context)


@cache
def table() -> tuple[tuple[Call, Any], ...]:
    """Every call that each host is asked, and what it must answer."""
    calls = [*scalar_calls(), *range_calls(), *long_calls(1_000), *long_calls(10_000)]
    return tuple((each, plain_value(expected(each))) for each in calls)


def wrong_answers(answered: Sequence[Any]) -> list[str]:
    """What a host answers otherwise than core, in words; `answered` are those of `table`."""
    return [
        f"{call}: {_first_difference(plain_value(found), right)}"
        for (call, right), found in zip(table(), answered, strict=True)
        if plain_value(found) != right
    ]


def _first_difference(found: Any, right: Any) -> str:
    if isinstance(found, list) and isinstance(right, list) and len(found) == len(right):
        places = [place for place in range(len(right)) if found[place] != right[place]]
        return f"row {places[0]}: {found[places[0]]!r}, core says {right[places[0]]!r}"
    return f"{found!r}, core says {right!r}"[:400]


def plain_value(value: Any) -> Any:
    """A value as hosts exchange it: numbers as floats, nothing as an empty text."""
    if isinstance(value, list):
        return [plain_value(each) for each in value]
    if value is None:
        return ""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
