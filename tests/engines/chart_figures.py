"""What the sheet Charts must show, from core's answers and fractions alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor

from tests.engines.engine_figures import NOT_KNOWN, engine_row
from tests.engines.engines import Cell, Value
from tests.engines.loads import exact_budget
from tests.engines.sheets import Template, expected_status
from xlsizing.core import Catalogs, Server, SizingResult, calc_sessions_per_node, size
from xlsizing.core.kv_cache import kv_bytes_per_session

GIB = 2**30
SHEET = "Charts"
LARGEST = 10**14
"""Products beyond it are not counted in a sheet."""
NODES, HBM, PRECISIONS, SCENARIOS, CONTEXTS = (
    "Nodes by concurrency",
    "HBM of one node of the chosen server",
    "KV cache per session by precision",
    "Nodes final by scenario",
    "Sessions per node by context",
)
"""The titles of the tables of figures."""

Row = Mapping[str, Value]


def nodes_rows(result: SizingResult) -> list[Row]:
    """Nodes at quarters of the typed concurrency, by column."""
    rows: list[Row] = []
    for quarters in range(1, 9):
        most = floor(LARGEST / ((1 + result.peak_headroom_ratio) * 10_000))
        sessions = min(ceil(result.concurrency * quarters / 4), max(most, result.concurrency))
        answer = _sized(result, sessions)
        nodes: dict[str, Value] = {
            "Nodes minimum": answer.nodes_minimum,
            "Nodes with headroom": answer.nodes_with_headroom,
            "Nodes final": answer.nodes_final,
        }
        rows.append(
            {
                "On the axis": f"{sessions:,}" + (" (typed)" if quarters == 4 else ""),
                "Share of the typed": quarters / 4,
                "Sessions": sessions,
                **{head: "#N/A" if value is None else value for head, value in nodes.items()},
            }
        )
    return rows


def _sized(result: SizingResult, sessions: int) -> SizingResult:
    return size(
        result.model,
        result.server,
        result.storage,
        concurrency=sessions,
        effective_context=result.effective_context,
        kv_precision=result.kv_precision,
        kv_budget_ratio=result.kv_budget_ratio,
        runtime_overhead_gib=result.runtime_overhead_gib,
        peak_headroom_ratio=result.peak_headroom_ratio,
        ha_mode=result.ha_mode,
    )


def hbm_rows(result: SizingResult) -> list[Row]:
    """The parts of a node's HBM, and below them their sum and what does not fit."""
    server = result.server
    if server.hbm_per_gpu_mib is not None:
        hbm = server.gpus * server.hbm_per_gpu_mib * 2**20
    else:
        hbm = floor(exact_budget(server, 1.0, 0.0))
    exact = exact_budget(server, float(result.kv_budget_ratio), float(result.runtime_overhead_gib))
    budget = max(0, floor(exact))
    known_weights = result.model.weight_bytes or 0
    weights = min(known_weights, hbm - budget)
    asked = hbm - exact_budget(server, 1.0, float(result.runtime_overhead_gib))
    overhead = min(ceil(asked), hbm - budget - weights)
    caches = result.sessions_per_node * kv_bytes_per_session(
        result.model, result.effective_context, result.kv_precision
    )
    parts = {
        "Weights": weights,
        "Free beside the weights": hbm - budget - weights - overhead,
        "Runtime overhead": overhead,
        "KV caches that fit": caches,
        "Rest of the KV budget": budget - caches,
    }
    assert sum(parts.values()) == hbm
    assert min(parts.values()) >= 0
    rows: list[Row] = []
    start = 0
    for name, part in parts.items():
        rows.append(
            {
                "On the axis": f"{name}: {_fixed(part / GIB, 1)} GiB",
                "Bytes, GB": part,
                "From, GiB": start / GIB,
                "GiB": part / GIB,
            }
        )
        start += part
    missing = max(0, known_weights - floor(hbm - exact))
    return [
        *rows,
        {"Bytes, GB": hbm, "GiB": hbm / GIB},
        {"GiB": "OK"},
        {"GiB": missing / GIB},
    ]


def _fixed(number: float, places: int) -> str:
    """A number as FIXED shows it: halves go up."""
    scaled = floor(number * 10**places + 0.5)
    return f"{scaled // 10**places:,}.{scaled % 10**places:0{places}d}"


def precision_rows(result: SizingResult) -> list[Row]:
    """KV cache of a session by precision."""
    rows: list[Row] = []
    for number, (precision, element) in enumerate(
        (("fp16", 2), ("bf16", 2), ("fp8", 1), ("int8", 1)), start=1
    ):
        kv_bytes = kv_bytes_per_session(result.model, result.effective_context, precision)
        used = " (used)" if precision == result.kv_precision else ""
        rows.append(
            {
                "On the axis": precision + used,
                "Row of Precisions": number,
                "KV precision": precision,
                "Bytes per element": element,
                "KV MB": kv_bytes,
                "KV cache, GiB": kv_bytes / GIB,
            }
        )
    return rows


def scenario_rows(names: Sequence[str], results: Sequence[SizingResult]) -> list[Row]:
    """The nodes of the first rows of Scenarios; nothing in a row that has none."""
    rows: list[Row] = []
    for number in range(5):
        row: dict[str, Value] = {"Scenario": "", "Row": number + 1}
        figures: Mapping[str, Value] = dict.fromkeys(("Plan", "Steady decode", "Engine bound"), "")
        if number < len(results):
            engine = engine_row(results[number])
            row["Scenario"] = names[number]
            known = {
                "Plan": results[number].nodes_final,
                "Steady decode": engine["Steady nodes final"],
                "Engine bound": engine["Engine nodes final"],
            }
            figures = {
                head: NOT_KNOWN if value in (None, "") else value for head, value in known.items()
            }
        rows.append({**row, **figures})
    return rows


def contexts_of(result: SizingResult) -> list[int]:
    """The contexts that sessions are counted at: halves of the model's longest, rounded up."""
    longest = result.model.max_position_embeddings
    return [ceil(longest / 2**halvings) for halvings in range(8, -1, -1)]


@dataclass(frozen=True)
class ChartFigures:
    """Where the figures of the sheet Charts are: a table's title, its heads, its rows."""

    template: Template

    @cached_property
    def _titles(self) -> Mapping[str, tuple[int, int]]:
        """Row and column of each table's title."""
        wanted = (NODES, HBM, PRECISIONS, SCENARIOS, CONTEXTS)
        return {
            str(cell.value): (cell.row, cell.column)
            for row in self.template.book[SHEET].iter_rows()
            for cell in row
            if cell.value in wanted
        }

    def cell(self, title: str, head: str, row: int) -> Cell:
        """A cell of a table, its data rows counted from 0."""
        sheet = self.template.book[SHEET]
        top, left = self._titles[title]
        heads = top + 5 if title == CONTEXTS else top + 1
        column = next(
            column
            for column in range(left, sheet.max_column + 1)
            if sheet.cell(heads, column).value == head
        )
        return SHEET, sheet.cell(heads + 1 + row, column).coordinate

    def context_cell(self, line: int, place: int) -> Cell:
        """A cell of the nine columns of contexts; line 0 has what the longest is divided by."""
        top, left = self._titles[CONTEXTS]
        address = self.template.book[SHEET].cell(top + 1 + line, left + 4 + place).coordinate
        return SHEET, address

    def expected(
        self, names: Sequence[str], results: Sequence[SizingResult], catalogs: Catalogs
    ) -> dict[Cell, Value]:
        """Every figure behind the charts, where the first result is on Sizing."""
        result = results[0]
        cells: dict[Cell, Value] = {}
        for title, rows in (
            (NODES, nodes_rows(result)),
            (HBM, hbm_rows(result)),
            (PRECISIONS, precision_rows(result)),
            (SCENARIOS, scenario_rows(names, results)),
        ):
            for number, row in enumerate(rows):
                cells |= {self.cell(title, head, number): value for head, value in row.items()}
        return cells | dict(self._contexts(result, catalogs))

    def _contexts(self, result: SizingResult, catalogs: Catalogs) -> Iterator[tuple[Cell, Value]]:
        sizes = []
        for place, context in enumerate(contexts_of(result)):
            sizes.append(kv_bytes_per_session(result.model, context, result.kv_precision))
            yield self.context_cell(1, place), context
            yield self.context_cell(3, place), sizes[-1]
        number = catalogs.servers.index(result.server) + 1
        lines = [(f"chosen: {result.server.name}", number, result.server)]
        lines += [(f"{each.name} ", at, each) for at, each in enumerate(catalogs.servers, start=1)]
        for row, (name, at, server) in enumerate(lines):
            yield self.cell(CONTEXTS, "Server", row), name
            yield self.cell(CONTEXTS, "Row of Servers", row), at
            for place, kv_bytes in enumerate(sizes):
                sessions = _sessions(result, server, kv_bytes)
                yield self.context_cell(5 + row, place), sessions or 0.5

    def captions(self, result: SizingResult) -> dict[Cell, Value]:
        """The sentences above the charts."""
        context = min(result.effective_context, result.model.max_position_embeddings)
        hbm, _, missing = (row["GiB"] for row in hbm_rows(result)[-3:])
        assert isinstance(hbm, float)
        assert isinstance(missing, float)
        nodes = (
            f"{result.concurrency:,} sessions of {context:,} tokens on {result.server.name}: "
            f"nodes final {result.nodes_final:,}."
            if result.nodes_final
            else expected_status(result)
        )
        memory = f"One {result.server.name} has {_fixed(hbm, 2)} GiB of HBM."
        if not result.model.weight_bytes:
            memory += " The weights are not known and count nothing."
        if missing:
            memory += f" {_fixed(missing, 2)} GiB of the weights do not fit beside the KV budget."
        lines = (
            f"{result.model.name}, KV cache in {result.kv_precision}: {result.server.name} holds "
            f"{result.sessions_per_node:,} sessions of {context:,} tokens."
        )
        precision = (
            f"A session of {context:,} tokens takes {_fixed(result.kv_per_session_gib, 4)} GiB "
            f"in {result.kv_precision}."
        )
        return {
            (SHEET, "B4"): nodes,
            (SHEET, "H4"): lines,
            (SHEET, "B17"): memory,
            (SHEET, "B30"): precision,
        }


def _sessions(result: SizingResult, server: Server, kv_bytes: int) -> int:
    return calc_sessions_per_node(
        server, kv_bytes / GIB, result.kv_budget_ratio, result.runtime_overhead_gib
    )
