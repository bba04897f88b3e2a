"""What the template must show of the engine's figures, from core's bound alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.engines.engines import Cell, Value
from tests.engines.sheets import Template
from xlsizing.core import SizingResult
from xlsizing.core.engine import (
    EngineBound,
    EngineSettings,
    UnknownWeightsError,
    engine_bound,
    gib_bytes,
)
from xlsizing.core.errors import InvalidValueError, SizingError
from xlsizing.core.layers import UnknownLayoutError

GIB = 2**30
NOT_KNOWN = "not known"
"""What the sheet Engine shows for a figure that there is not."""

SIZE_IMPOSSIBLE = "Tensor parallel does not suit the model or the server."
NO_LAYOUT = "How the engine lays this model out is not known; `xlsizing kv` says why."
NO_WEIGHTS = "The weights of this model are not known; give the KV pool on Engine."
HOLDS_NONE = "The engine holds no session on a node."

_WHY: Mapping[type[SizingError], str] = {
    InvalidValueError: SIZE_IMPOSSIBLE,
    UnknownLayoutError: NO_LAYOUT,
    UnknownWeightsError: NO_WEIGHTS,
}


def _nodes(place: int, *, steady: bool) -> Callable[[EngineBound], Value]:
    return lambda bound: (bound.steady_nodes if steady else bound.nodes)[place]


FIGURES: Mapping[str, Callable[[EngineBound], Value]] = {
    "Tensor parallel used": lambda bound: bound.tensor_parallel,
    "Weights per GPU": lambda bound: bound.memory.weights,
    "KV pool per GPU": lambda bound: bound.memory.pool,
    "Blocks in the pool": lambda bound: bound.num_blocks,
    "Blocks per request": lambda bound: bound.cache.blocks_per_request,
    "Blocks in steady decode": lambda bound: bound.steady.blocks_per_request,
    "Replicas per node": lambda bound: bound.replicas_per_node,
    "Steady KV bytes per GPU": lambda bound: bound.steady.kv_bytes_per_request,
    "Engine KV bytes per GPU": lambda bound: bound.cache.kv_bytes_per_request,
    "Steady sessions per node": lambda bound: bound.steady_sessions_per_node,
    "Engine sessions per node": lambda bound: bound.sessions_per_node,
    **{
        f"{name} nodes {what}": _nodes(place, steady=name == "Steady")
        for name in ("Steady", "Engine")
        for place, what in enumerate(("minimum", "with headroom", "final"))
    },
    "GPUs that hold the same KV cache": lambda bound: bound.kv_copies,
}
"""The engine's figures by the columns of Scenarios; None where no session fits."""

HEADS = (*FIGURES, "Engine status")


def engine_row(result: SizingResult) -> dict[str, Value]:
    """What a row of Scenarios shows of the engine, by column: nothing where core has no figure."""
    bound = result.engine
    if bound is None:
        return {**dict.fromkeys(FIGURES, ""), "Engine status": engine_status(result)}
    shown = {head: figure(bound) for head, figure in FIGURES.items()}
    if not knows_weights(result):
        shown["Weights per GPU"] = ""
    shown["Engine status"] = engine_status(result)
    return {head: "" if value is None else value for head, value in shown.items()}


def knows_weights(result: SizingResult) -> bool:
    """Whether anything is known of the model's weights, which a given pool does without."""
    return not result.model.weight_bytes is result.model.total_params is None


def engine_status(result: SizingResult) -> str:
    """What the engine's status says of a sizing."""
    if result.engine is not None:
        return "OK" if result.engine.sessions_per_node else HOLDS_NONE
    try:
        engine_bound(
            result.model,
            result.server,
            min(result.effective_context, result.model.max_position_embeddings),
            result.kv_precision,
            result.concurrency,
            result.peak_headroom_ratio,
            result.ha_mode,
            result.settings,
        )
    except SizingError as error:
        return _WHY[type(error)]
    raise AssertionError("core has no bound, and does not say why")


def settings_row(settings: EngineSettings) -> dict[str, Value]:
    """What the sheet Engine makes of its settings, by label."""
    pool = settings.kv_pool_gib
    return {
        "Tokens in flight": settings.tokens_in_flight,
        "States per request": {"none": 1, "align": 2}[settings.state_caching],
        "Activation bytes per GPU": gib_bytes(settings.activation_gib),
        "Runtime bytes per GPU": gib_bytes(settings.runtime_gib),
        "KV pool bytes per GPU, where given": "" if pool is None else gib_bytes(pool),
    }


@dataclass(frozen=True)
class EngineSheet:
    """Where the cells of the sheet Engine are: rows by section and label."""

    template: Template
    sections: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, template: Template) -> "EngineSheet":
        """The places of a template's cells, from its labels."""
        heads = ("Side by side", "Engine settings", "Where one GPU's memory goes", "Scenarios")
        sections: dict[str, dict[str, int]] = {}
        current: dict[str, int] = {}
        for (cell,) in template.book["Engine"].iter_rows(min_col=2, max_col=2, min_row=3):
            if cell.value in (*heads, "Steps"):
                current = sections.setdefault(str(cell.value), {})
            elif cell.value is not None:
                current.setdefault(str(cell.value), cell.row)
        return cls(template, sections)

    def cell(self, section: str, label: str, column: str) -> Cell:
        """The cell of a label's row."""
        return "Engine", f"{column}{self.sections[section][label]}"

    def expected(self, result: SizingResult) -> Iterator[tuple[Cell, Value]]:
        """Every cell that depends on the inputs of Sizing, with its value."""
        yield ("Engine", "B2"), headline(result)
        for label, values in comparison(result).items():
            for column, value in zip("CDE", values, strict=True):
                yield self.cell("Side by side", label, column), value
        for label, size in memory(result).items():
            gib: Value = NOT_KNOWN if size is None else size / GIB
            share: Value = NOT_KNOWN
            if size is not None:
                assert result.engine
                share = size / result.engine.memory.total
            yield self.cell("Where one GPU's memory goes", label, "C"), gib
            yield self.cell("Where one GPU's memory goes", label, "D"), share
        for head, value in (engine_row(result) | settings_row(result.settings)).items():
            yield self.cell("Steps", head, "C"), value

    def expected_table(
        self, names: Sequence[str], results: Sequence[SizingResult]
    ) -> Iterator[tuple[Cell, Value]]:
        """Every cell of the table EngineScenarios, with its value."""
        table = self.template.table("Engine", "EngineScenarios")
        for row in range(len(table.rows)):
            shown: dict[str, Value] = dict.fromkeys(TABLE_HEADS, "")
            if row < len(results):
                shown = table_row(results[row])
            yield table.cell("Scenario", row), names[row] if row < len(names) else ""
            for head, value in shown.items():
                yield table.cell(head, row), value


def _known(value: Value) -> Value:
    return NOT_KNOWN if value in (None, "") else value


def headline(result: SizingResult) -> str:
    """The sentence below the sheet's title."""
    bound = result.engine
    if bound is None or not bound.sessions_per_node:
        return engine_status(result)
    return (
        f"Tensor parallel {bound.tensor_parallel}: {bound.replicas_per_node} replicas a node, "
        f"{bound.num_blocks:,} blocks in the pool of each GPU."
    )


def engine_answer(result: SizingResult) -> str:
    """The line on Sizing that says what the engine's figures come to."""
    bound = result.engine
    if bound is None or not bound.sessions_per_node:
        return engine_status(result)
    engine, steady = bound.nodes[-1], bound.steady_nodes[-1]
    return f"{engine:,} nodes by the engine bound, {steady:,} in steady decode: see Engine"


def comparison(result: SizingResult) -> dict[str, tuple[Value, Value, Value]]:
    """Planning, steady decode and engine bound side by side."""
    bound = result.engine
    rows: dict[str, tuple[Value, Value, Value]] = {
        "KV cache per session": (result.kv_per_session_gib, None, None),
        "Sessions per node": (result.sessions_per_node, None, None),
        "Nodes minimum": (result.nodes_minimum, None, None),
        "Nodes with headroom": (result.nodes_with_headroom, None, None),
        "Nodes final": (result.nodes_final, None, None),
    }
    if bound is not None:
        of_engine: tuple[tuple[Value, Value], ...] = (
            (
                bound.steady.kv_bytes_per_request * bound.tensor_parallel / GIB,
                bound.cache.kv_bytes_per_request * bound.tensor_parallel / GIB,
            ),
            (bound.steady_sessions_per_node, bound.sessions_per_node),
            *zip(bound.steady_nodes, bound.nodes, strict=True),
        )
        rows = {
            label: (values[0], *more)
            for (label, values), more in zip(rows.items(), of_engine, strict=True)
        }
    return {label: (_known(a), _known(b), _known(c)) for label, (a, b, c) in rows.items()}


def memory(result: SizingResult) -> dict[str, int | None]:
    """Where one GPU's memory goes [bytes]; None where it is not known."""
    bound = result.engine
    if bound is None:
        return dict.fromkeys(("Weights", "KV cache", "Activation", "Runtime", "Unused"))
    split: dict[str, int | None] = {
        "Weights": bound.memory.weights,
        "KV cache": bound.memory.blocks,
        "Activation": bound.memory.activation,
        "Runtime": bound.memory.runtime,
        "Unused": bound.memory.unused,
    }
    if not knows_weights(result):
        split |= {"Weights": None, "Unused": None}
    return split


def table_row(result: SizingResult) -> dict[str, Value]:
    """What a row of EngineScenarios shows for a sizing, by column."""
    row = engine_row(result)
    shown = {
        "Tensor parallel used": row["Tensor parallel used"],
        "Planning nodes": result.nodes_final,
        "Steady nodes": row["Steady nodes final"],
        "Engine nodes": row["Engine nodes final"],
        "Engine status": row["Engine status"],
        "Planning sessions per node": result.sessions_per_node,
        "Steady sessions per node": row["Steady sessions per node"],
        "Engine sessions per node": row["Engine sessions per node"],
    }
    return {head: _known(value) for head, value in shown.items()}


TABLE_HEADS = (
    "Tensor parallel used",
    "Planning nodes",
    "Steady nodes",
    "Engine nodes",
    "Engine status",
    "Planning sessions per node",
    "Steady sessions per node",
    "Engine sessions per node",
)
