"""The engine's figures beyond those of each load: its sheet, its settings, what is not known.

The figures in Scenarios are compared in `test_template`, for every load.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

import openpyxl
import pytest

from tests.engines.books import engine_sheet, filled_book, the_template
from tests.engines.engine_figures import FIGURES, NO_LAYOUT, NOT_KNOWN, engine_status
from tests.engines.engines import ENGINES, Cell, Engine, Value
from tests.engines.entries import (
    EDGES,
    FAMILIES,
    NOT_IN_A_ROW,
    SERVERS,
    UNKNOWN_WEIGHTS,
    Edge,
    entries,
)
from tests.engines.loads import Load
from tests.engines.sheets import OUTPUT_FIELDS, differences, expected_row
from xlsizing.core import Model
from xlsizing.core.engine import EngineSettings

SETTING_WRONG = "A setting on the sheet Engine is not accepted."
SIZE_WRONG = "Tensor parallel must be a whole number of at least 1, or empty."
STALE = "The model's figures on Models have changed since Layouts was made."
TOO_LARGE = "The load is too large for a sheet to count exactly; use the command line."
PLANNING = (*OUTPUT_FIELDS, "Status")

each_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.server)
def test_an_edge_is_hit_and_missed_by_a_byte(edge: Edge) -> None:
    load = Load(
        edge.model,
        edge.server,
        "slow",
        1,
        edge.context,
        edge.kv_precision,
        tensor_parallel=edge.tensor_parallel,
    )
    block = edge.cache(entries()).bytes_per_block
    for less, words in ((0, ""), (1, ", a byte less"), (block, ", a block less")):
        bound = replace(load, server=edge.server + words).result(entries()).engine
        assert bound
        assert bound.memory.pool == edge.pool(entries()) - less
        cache = bound.steady if edge.steady else bound.cache
        assert cache.admitted(bound.num_blocks) == edge.sessions - (less > 0)


SETTINGS: Mapping[str, EngineSettings] = {
    "vLLM 0.24 on a larger batch": EngineSettings(
        max_num_batched_tokens=16_384, batches_in_flight=1
    ),
    "four decimals": EngineSettings(
        gpu_memory_utilization=0.9125, activation_gib=2.7183, runtime_gib=0.0001
    ),
    "decimals with noise": EngineSettings(
        gpu_memory_utilization=0.1 + 0.2, activation_gib=4.15 - 4, runtime_gib=1.1 - 1
    ),
    "everything, aligned": EngineSettings(
        max_num_batched_tokens=1_001,
        batches_in_flight=3,
        state_caching="align",
        gpu_memory_utilization=1.0,
        activation_gib=0.0,
        runtime_gib=0.0,
    ),
    "next to nothing": EngineSettings(gpu_memory_utilization=0.0001, activation_gib=4096.0),
    "a pool": EngineSettings(
        max_num_batched_tokens=1, kv_pool_gib=12.3456, state_caching="align", runtime_gib=0.5
    ),
    "no pool": EngineSettings(kv_pool_gib=0.0),
}

TYPED_DEFAULTS: Mapping[str, object] = {
    "Input_MaxNumBatchedTokens": 8_192,
    "Input_BatchesInFlight": " ",
    "Input_GpuMemoryUtilization": 0.92,
    "Input_ActivationGiB": 3,
    "Input_RuntimeGiB": " ",
    "Input_StateCaching": " None ",
    "Input_KvPoolGiB": " ",
}
"""What says the same as empty cells."""


def loads_of_every_family() -> list[Load]:
    """A load for each model, as many as Scenarios has rows; sizes asked for and not."""
    models: Sequence[Model] = (*UNKNOWN_WEIGHTS, *FAMILIES)
    return [
        Load(
            model.name,
            SERVERS[place % len(SERVERS)].name,
            "profile_default",
            100 + 1_000 * place,
            16_000 + 1_111 * place,
            tensor_parallel=(None, 1, 2)[place % 3],
        )
        for place, model in enumerate(models)
    ]


@each_engine
def test_every_setting_counts_as_it_does_in_core(engine: Engine) -> None:
    loads = loads_of_every_family()
    assert len(loads) == len(the_template().scenarios.rows)
    books = [filled_book(loads, typed=TYPED_DEFAULTS)]
    # Another load stands on Sizing each time.
    books += [
        filled_book(loads[place:] + loads[:place], settings)
        for place, settings in enumerate(SETTINGS.values(), start=1)
    ]
    cells = set().union(*(book.cells for book in books))
    names = ("defaults, typed", *SETTINGS)
    computed_books = engine.compute([book.content for book in books], cells)
    for name, book, found in zip(names, books, computed_books, strict=True):
        expected = book.scenarios | book.sizing | book.engine
        assert list(differences(expected, found)) == [], name


WRONG_SETTINGS: Mapping[str, object] = {
    "Input_MaxNumBatchedTokens": 1.5,
    "Input_BatchesInFlight": 0,
    "Input_GpuMemoryUtilization": 0.92001,
    "Input_ActivationGiB": -1,
    "Input_RuntimeGiB": "one",
    "Input_StateCaching": "sometimes",
    "Input_KvPoolGiB": "=NA()",
}


@each_engine
def test_a_wrong_setting_is_named_and_leaves_the_plan_alone(engine: Engine) -> None:
    load = Load("many groups", "measured", "slow", 1_000, 20_000, "fp8", ha_mode="n+1")
    loads = (load, replace(load, model="mamba2 beside full", tensor_parallel=4))
    where = the_template().scenarios
    books = [the_template().filled(loads, {name: value}) for name, value in WRONG_SETTINGS.items()]
    status = engine_sheet().cell("Steps", "Engine status", "C")
    nodes = engine_sheet().cell("Side by side", "Nodes final", "E")
    expected: dict[Cell, Value] = {
        status: SETTING_WRONG,
        nodes: NOT_KNOWN,
        ("Engine", "B2"): SETTING_WRONG,
    }
    for row, each in enumerate(loads):
        plan = expected_row(each.result(entries()))
        expected |= {where.cell(head, row): plan[head] for head in PLANNING}
        expected[where.cell("Engine status", row)] = SETTING_WRONG
    figures = [where.cell(head, row) for head in ENGINE_ANSWERS for row in range(len(loads))]
    for name, found in zip(
        WRONG_SETTINGS, engine.compute(books, [*expected, *figures]), strict=True
    ):
        assert list(differences(expected, found)) == [], name
        assert not any(isinstance(found[cell], int | float) for cell in figures), name


ENGINE_ANSWERS = ("Engine sessions per node", "Engine nodes final")

WRONG_SIZES: Mapping[str, object] = {
    "zero": 0,
    "negative": -1,
    "one and a half": 1.5,
    "text": "two",
    "number as text": "2",
    "error": "=NA()",
}


@each_engine
def test_a_wrong_size_is_named_and_leaves_the_plan_alone(engine: Engine) -> None:
    load = Load("many groups", "measured", "slow", 1_000, 20_000, "fp8", ha_mode="n+1")
    where = the_template().scenarios
    sizes = dict(enumerate(WRONG_SIZES.values()))
    # A sheet does not count the headroom of 10^14 sessions exactly.
    large = len(sizes)
    book = the_template().filled(
        [*(load for _ in sizes), replace(load, concurrency=10**14)],
        typed={where.cell("Tensor parallel", row): size for row, size in sizes.items()},
    )
    plan = expected_row(load.result(entries()))
    expected: dict[Cell, Value] = {where.cell("Engine status", large): TOO_LARGE}
    for row in sizes:
        expected |= {where.cell(head, row): plan[head] for head in PLANNING}
        expected[where.cell("Engine status", row)] = SIZE_WRONG
    figures = [where.cell(head, row) for head in ENGINE_ANSWERS for row in sizes]
    figures.append(where.cell("Engine nodes final", large))
    (found,) = engine.compute([book], [*expected, *figures])
    assert list(differences(expected, found)) == []
    assert not any(isinstance(found[cell], int | float) for cell in figures)


CHANGED = replace(
    next(model for model in FAMILIES if model.name == "all sliding"), num_key_value_heads=6
)
"""A model of the template as a person changes it on Models, with the grey columns."""

BY_HAND = Model(
    name="typed by hand",
    num_layers=10,
    num_key_value_heads=4,
    head_dim=32,
    max_position_embeddings=30_000,
    attention_pattern="full",
    default_kv_precision="bf16",
)
"""A model that a person adds below the others."""


def with_models_by_hand(content: bytes) -> bytes:
    """A template whose models were changed by hand after it was made."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet, models = book["Models"], the_template().table("Models", "Models")
    names = [sheet[models.cell("Name", row)[1]].value for row in range(len(models.rows))]
    below = replace(models, rows=range(models.rows.start, models.rows.stop + 1))
    typed: Sequence[tuple[int, str, object]] = (
        (names.index(CHANGED.name), "KV heads", CHANGED.num_key_value_heads),
        (names.index(CHANGED.name), "Sliding KV elements", 2 * 10 * 6 * 48),
        (len(names), "Name", BY_HAND.name),
        (len(names), "Layers", BY_HAND.num_layers),
        (len(names), "KV heads", BY_HAND.num_key_value_heads),
        (len(names), "Head dim", BY_HAND.head_dim),
        (len(names), "Max context", BY_HAND.max_position_embeddings),
        (len(names), "Attention", BY_HAND.attention_pattern),
        (len(names), "Full layers", BY_HAND.num_layers),
        (len(names), "Sliding layers", 0),
        (len(names), "KV precision", BY_HAND.default_kv_precision),
        (len(names), "Full KV elements", 2 * 10 * 4 * 32),
        (len(names), "Sliding KV elements", 0),
    )
    for row, head, value in typed:
        sheet[below.cell(head, row)[1]].value = value
    table = sheet.tables["Models"]
    table.ref = table.ref.replace(str(models.rows[-1]), str(below.rows[-1]))
    table.autoFilter.ref = table.ref
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


@each_engine
def test_models_that_layouts_does_not_know_are_planned_all_the_same(engine: Engine) -> None:
    known = entries()
    others = [model for model in known.models if model.name != CHANGED.name]
    changed = known._replace(models=(*others, CHANGED, BY_HAND))
    load = Load("unit", "measured", "profile_default", 1_000, 20_000, ha_mode="n+1")
    cases = {
        replace(load, model=CHANGED.name): STALE,
        replace(load, model=BY_HAND.name): NO_LAYOUT,
        replace(load, model=NOT_IN_A_ROW.name): NO_LAYOUT,
        load: engine_status(load.result(changed)),
    }
    where = the_template().scenarios
    expected: dict[Cell, Value] = {}
    for row, (each, status) in enumerate(cases.items()):
        plan = expected_row(each.result(changed))
        expected |= {where.cell(head, row): plan[head] for head in PLANNING}
        expected[where.cell("Engine status", row)] = status
        if status == NO_LAYOUT:
            expected |= {where.cell(head, row): "" for head in FIGURES}
    book = with_models_by_hand(the_template().filled(list(cases)))
    (found,) = engine.compute([book], expected)
    assert list(differences(expected, found)) == []


def changed_on_catalog_sheets(content: bytes) -> bytes:
    """A template with a window of Models made longer, and a server's usable bytes taken out."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for title, name, head, value in (
        ("Models", "all sliding", "Sliding window", 4_096),
        ("Servers", "measured", "Usable bytes per GPU", None),
    ):
        table = the_template().table(title, title)
        names = [book[title][table.cell("Name", row)[1]].value for row in range(len(table.rows))]
        book[title][table.cell(head, names.index(name))[1]].value = value
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


@each_engine
def test_what_is_changed_or_missing_on_a_catalog_sheet_is_named(engine: Engine) -> None:
    sliding = Load("all sliding", "rack", "profile_default", 1_000, 20_000)
    cases = {
        sliding: STALE,
        replace(sliding, model="many groups", server="measured"): NO_MEMORY,
        replace(sliding, model="many groups"): "OK",
    }
    where = the_template().scenarios
    expected: dict[Cell, Value] = {
        where.cell("Engine status", row): status for row, status in enumerate(cases.values())
    }
    expected |= {where.cell(head, 1): "" for head in FIGURES}
    book = changed_on_catalog_sheets(the_template().filled(list(cases)))
    (found,) = engine.compute([book], expected)
    assert list(differences(expected, found)) == []


@each_engine
def test_a_wrong_setting_beside_a_given_pool_leaves_no_figure(engine: Engine) -> None:
    load = Load("many groups", "measured", "slow", 1_000, 20_000, "fp8", tensor_parallel=2)
    where = the_template().scenarios
    settings = {"Input_KvPoolGiB": 10, "Input_GpuMemoryUtilization": 0.92001}
    expected: dict[Cell, Value] = {where.cell("Engine status", 0): SETTING_WRONG}
    expected |= {where.cell(head, 0): "" for head in FIGURES}
    expected |= {where.cell(f"Alert {name}", 0): "" for name in ENGINE_ALERTS}
    (found,) = engine.compute([the_template().filled([load], settings)], expected)
    assert list(differences(expected, found)) == []


ENGINE_ALERTS = ("engine needs more nodes", "engine holds none", "kv replicated", "invalid tp")

NO_MEMORY = "The server's row on Servers lacks its usable bytes: fill its grey column."
