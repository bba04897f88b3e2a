"""Templates filled with loads, and what each engine computes of them; made once for all tests."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from tests.engines.chart_figures import ChartFigures
from tests.engines.engine_figures import HEADS, EngineSheet, engine_answer, engine_row
from tests.engines.engine_loads import engine_loads
from tests.engines.engines import Cell, Engine, Value
from tests.engines.entries import common_entries, entries
from tests.engines.loads import Load, boundary_loads, random_loads
from tests.engines.sheets import (
    ADVICE_HEADS,
    ALERT_HEADS,
    OUTPUT_FIELDS,
    Template,
    expected_row,
)
from xlsizing.book.build import template
from xlsizing.core.engine import DEFAULT_SETTINGS, EngineSettings

RANDOM_LOADS = 80
SEED = 20_260_207

COMPARED = (*OUTPUT_FIELDS, "Status", "Alerts", *ALERT_HEADS.values(), *ADVICE_HEADS, *HEADS)
"""The columns of Scenarios that are compared for every load."""

SIZING_NAMES = {
    "Output_KvPerSessionGiB": "KV per session GiB",
    "Output_KvTotalTiB": "KV total TiB",
    "Output_SessionsPerNode": "Sessions per node",
    "Output_NodesMinimum": "Nodes minimum",
    "Output_NodesWithHeadroom": "Nodes with headroom",
    "Output_NodesFinal": "Nodes final",
    "Output_AlertCodes": "Alerts",
    "Output_Status": "Status",
}
"""The answers on Sizing, by name, and the columns of Scenarios that show the same."""

SETTING_NAMES = {
    "max_num_batched_tokens": "Input_MaxNumBatchedTokens",
    "batches_in_flight": "Input_BatchesInFlight",
    "gpu_memory_utilization": "Input_GpuMemoryUtilization",
    "activation_gib": "Input_ActivationGiB",
    "runtime_gib": "Input_RuntimeGiB",
    "state_caching": "Input_StateCaching",
    "kv_pool_gib": "Input_KvPoolGiB",
}
"""The cell on the sheet Engine of each setting that core has a field for."""


@cache
def the_template() -> Template:
    """The template with all entries."""
    return Template(template(entries()))


@cache
def engine_sheet() -> EngineSheet:
    """Where the cells of its sheet Engine are."""
    return EngineSheet.of(the_template())


@cache
def chart_figures() -> ChartFigures:
    """Where the figures behind its charts are."""
    return ChartFigures(the_template())


def planning_loads() -> tuple[Load, ...]:
    """Loads that put the planning method's quotients on an integer, or right beside it."""
    return tuple(boundary_loads(entries()))


@cache
def all_loads() -> tuple[Load, ...]:
    """Every load, shuffled, so that each book's first one is of another kind."""
    loads = [
        *random_loads(common_entries(), RANDOM_LOADS, SEED),
        *planning_loads(),
        *engine_loads(SEED),
    ]
    random.Random(SEED).shuffle(loads)
    return tuple(loads)


@dataclass(frozen=True)
class Book:
    """A filled template, and what its cells must show."""

    loads: tuple[Load, ...]
    content: bytes
    scenarios: dict[Cell, Value]
    """Each column of Scenarios that is compared, for each load."""
    sizing: dict[Cell, Value]
    """The answers on Sizing for the first load."""
    engine: dict[Cell, Value]
    """The sheet Engine for the first load, and its table for all of them."""
    charts: dict[Cell, Value]
    """The figures behind the charts for the first load, and for the first ones of all."""

    @property
    def cells(self) -> set[Cell]:
        """All cells that are compared."""
        return {*self.scenarios, *self.sizing, *self.engine, *self.charts}


def filled_book(
    loads: Sequence[Load],
    settings: EngineSettings = DEFAULT_SETTINGS,
    *,
    typed: Mapping[str, object] | None = None,
    planted: Mapping[Cell, object] | None = None,
) -> Book:
    """The template with these loads and settings.

    Parameters
    ----------
    loads, settings : what the cells must show the figures of.
    typed : what is typed for the settings, where it is not what they are.
    planted : formulas in the place of the template's.
    """
    book = the_template()
    results = [load.result(entries(), settings) for load in loads]
    rows = [expected_row(result) | engine_row(result) for result in results]
    # Scenarios that the template comes with keep their names.
    names = [book.text(book.scenarios.cell("Scenario", row)) for row in range(len(loads))]
    names = ["" if name == "None" else name for name in names]
    table = engine_sheet().expected_table(names, results)
    return Book(
        tuple(loads),
        book.filled(loads, typed or typed_settings(settings), planted),
        {
            book.scenarios.cell(head, place): value
            for place, row in enumerate(rows)
            for head, value in row.items()
        },
        {book.named(name): rows[0][head] for name, head in SIZING_NAMES.items()}
        | {book.named("Output_EngineAnswer"): engine_answer(results[0])},
        dict(engine_sheet().expected(results[0])) | dict(table),
        chart_figures().expected(names, results, entries()) | chart_figures().captions(results[0]),
    )


def typed_settings(settings: EngineSettings) -> dict[str, object]:
    """What a person types on the sheet Engine for these settings: nothing for a default."""
    given = {name: getattr(settings, field) for field, name in SETTING_NAMES.items()}
    default = {name: getattr(DEFAULT_SETTINGS, field) for field, name in SETTING_NAMES.items()}
    return {name: value if value != default[name] else None for name, value in given.items()}


@cache
def main_books() -> tuple[Book, ...]:
    """All loads, as many in a book as Scenarios has rows."""
    rows = len(the_template().scenarios.rows)
    loads = all_loads()
    return tuple(filled_book(loads[at : at + rows]) for at in range(0, len(loads), rows))


@cache
def computed(engine: Engine) -> tuple[tuple[Book, dict[Cell, Value]], ...]:
    """Each of the books, and what an engine computes of it."""
    books = main_books()
    cells: set[Cell] = set().union(*(book.cells for book in books))
    found = engine.compute([book.content for book in books], cells)
    return tuple(zip(books, found, strict=True))
