"""Formulas that are planted wrong, each in a row of its own: the figures must give it away.

What is tested is what the other tests compare, so one engine is enough, the fastest.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from tests.engines.books import Book, engine_sheet, filled_book, the_template
from tests.engines.engines import Cell, IronCalc, Value
from tests.engines.loads import Load
from tests.engines.sheets import differences

PLAIN = Load("gpt-oss-120b", "dgx-b300", "profile_default", 5_000, 999_999, "bf16", ha_mode="n+1")
WINDOWED = Load("two windows", "measured", "slow", 9_999, 20_001, "fp8", tensor_parallel=2)
"""A context that is longer than window and tokens in flight, and ends within a block."""
SHORT_OF_A_BYTE = Load(
    "chunks", "chunks bf16 x 1, prefill, a byte less", "slow", 100, 16_448, "bf16", ha_mode="n+1"
)
"""One rank holds no session; two hold many."""
NO_SESSION = replace(SHORT_OF_A_BYTE, tensor_parallel=1)
NO_STEADY_SESSION = Load(
    "many groups", "many groups fp8 x 1, steady, a byte less", "slow", 1, 17_408, "fp8"
)
STATES = Load("mamba2 beside full", "rack", "slow", 9_999, 50_001, "fp8", tensor_parallel=4)
"""Two of its ranks hold the same KV cache."""
TIGHT = Load(
    "mamba2 beside full",
    "mamba2 beside full bf16 x 16, prefill",
    "slow",
    100,
    50_000,
    "bf16",
    tensor_parallel=16,
)
"""One session a node."""


class Fault(NamedTuple):
    """A slip in the formula of a column; {Column} stands for the cell of the same row."""

    head: str
    part: str
    slip: str
    load: Load


FAULTS: Sequence[Fault] = (
    Fault("KV bytes per session", "MIN(", "MAX(", PLAIN),
    Fault("KV total TiB", "Const_BytesPerTiB", "Const_BytesPerGiB", PLAIN),
    Fault("Sessions per node", "INT(", "0+(", PLAIN),
    Fault("Nodes minimum", "-INT(-", "INT(", PLAIN),
    Fault("Nodes with headroom", "Const_RatioParts+", "Const_RatioParts-", PLAIN),
    Fault("Nodes final", "+", "-", PLAIN),
    Fault("Alert long context io", ">Limit_LongContext", "<Limit_LongContext", PLAIN),
    Fault("Alert context clamped", "supports", "allows", PLAIN),
    Fault("Alerts", "KV_PRECISION_16BIT", "KV_PRECISION", PLAIN),
    # The reserved block.
    Fault("Engine sessions per node", "-1)/", ")/", NO_SESSION),
    Fault("Steady sessions per node", "-1)/", ")/", replace(NO_STEADY_SESSION, tensor_parallel=1)),
    Fault("1 / smallest size that holds a session", "+1)*", ")*", SHORT_OF_A_BYTE),
    # The block more that a sliding window takes, and the tokens in flight.
    Fault(
        "Blocks per request",
        "+INDEX(Layouts[Window blocks",
        "+0*INDEX(Layouts[Window blocks",
        WINDOWED,
    ),
    Fault(
        "Blocks in steady decode",
        "+INDEX(Layouts[Window blocks",
        "+0*INDEX(Layouts[Window blocks",
        WINDOWED,
    ),
    Fault("Blocks per request", "Engine_TokensInFlight", "Default_MaxNumBatchedTokens", WINDOWED),
    Fault("Blocks in steady decode", "+0,", "+Engine_TokensInFlight,", WINDOWED),
    Fault("Blocks per request", "MIN(", "MAX(", WINDOWED),
    Fault("Blocks per request", "-INT(-", "INT(", WINDOWED),
    Fault("Blocks per request", "Layouts[Windowed groups]", "Layouts[Full groups]", WINDOWED),
    Fault("1 / smallest size that holds a session", "Engine_TokensInFlight", "0", SHORT_OF_A_BYTE),
    Fault("Window reach", "Layouts[Window reach]", "Layouts[Windowed block]", SHORT_OF_A_BYTE),
    Fault("Blocks per request", "*Engine_StatesPerRequest", "*2", STATES),
    # Shares of a GPU's memory, and what ranks share.
    Fault("Weights per GPU", "-INT(-", "INT(", WINDOWED),
    Fault("KV pool per GPU", "+INT(-", "-INT(", WINDOWED),
    Fault("KV pool per GPU", "/{Tensor parallel used}", "", WINDOWED),
    Fault("GPU memory for weights and KV caches", "-Engine_RuntimeBytes", "", WINDOWED),
    Fault("Blocks in the pool", "INT(", "-INT(-", WINDOWED),
    Fault("Replicas per node", "/{Tensor parallel used}", "", WINDOWED),
    Fault(
        "Layout row",
        ">INDEX(Servers[GPUs]",
        ">=INDEX(Servers[GPUs]",
        replace(WINDOWED, tensor_parallel=8),
    ),
    Fault("Model and precision", "&{Bytes per element}", "&2", WINDOWED),
    Fault("Engine KV bytes per GPU", "{Blocks per request}", "{Blocks in steady decode}", WINDOWED),
    Fault("GPUs that hold the same KV cache", "KV copies", "Tensor parallel", STATES),
    Fault("Steady nodes minimum", "-INT(-", "INT(", WINDOWED),
    Fault("Engine nodes with headroom", "Const_RatioParts+", "Const_RatioParts-", TIGHT),
    Fault("Engine nodes final", "+", "-", SHORT_OF_A_BYTE),
    # What is said of them.
    Fault("Alert kv replicated", ">1", ">2", STATES),
    Fault(
        "Alert engine needs more nodes",
        "{Engine nodes final}>",
        "{Engine nodes final}<",
        Load("gpt-oss-120b", "dgx-b300", "profile_default", 1_000, 131_072, "fp8"),
    ),
    Fault(
        "Alert engine holds none",
        "{Engine sessions per node}=0",
        "{Engine sessions per node}<0",
        NO_SESSION,
    ),
    Fault("Alert invalid tp", "OR(", "AND(", replace(WINDOWED, tensor_parallel=3)),
    Fault(
        "Engine status", "{Engine sessions per node}=0", "{Engine sessions per node}<0", NO_SESSION
    ),
)


def in_row(text: str, row: int) -> str:
    """A part of a formula as it stands in a row of Scenarios."""

    def cell(column: re.Match[str]) -> str:
        return "$" + the_template().scenarios.cell(column[1], row)[1]

    return re.sub(r"\{([^}]+)\}", cell, text)


def planted(cell: Cell, part: str, slip: str) -> str:
    """The formula of a cell with a slip in it."""
    formula = the_template().text(cell)
    assert part in formula, cell
    return formula.replace(part, slip)


def book_with(faults: Sequence[Fault]) -> Book:
    """A template with a fault in each row of Scenarios but the last."""
    where = the_template().scenarios
    typed = {}
    for row, (head, part, slip, _) in enumerate(faults):
        cell = where.cell(head, row)
        typed[cell] = planted(cell, in_row(part, row), in_row(slip, row))
    loads = [fault.load for fault in faults]
    return filled_book([*loads, WINDOWED], planted=typed)


def test_a_wrong_formula_is_seen_in_its_row_and_in_no_other() -> None:
    where = the_template().scenarios
    faults_in_a_book = len(where.rows) - 1
    parts = [
        FAULTS[start : start + faults_in_a_book]
        for start in range(0, len(FAULTS), faults_in_a_book)
    ]
    books = [book_with(part) for part in parts]
    cells = set().union(*(book.scenarios for book in books))
    computed = IronCalc().compute([book.content for book in books], cells)
    for part, book, found in zip(parts, books, computed, strict=True):
        wrong_rows = {
            cell[1].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for cell in wrong(book.scenarios, found)
        }
        for row, fault in enumerate(part):
            assert str(where.rows[row]) in wrong_rows, fault
        assert str(where.rows[len(part)]) not in wrong_rows


def wrong(expected: dict[Cell, Value], found: dict[Cell, Value]) -> set[Cell]:
    """The cells that do not show what they must."""
    return {cell for cell, value in expected.items() if list(differences({cell: value}, found))}


class SheetFault(NamedTuple):
    """A slip in the formula of a cell of the sheet Engine."""

    section: str
    label: str
    column: str
    part: str
    slip: str


SHEET_LOAD = Load("many groups", "measured", "slow", 5_000, 20_000, "bf16", tensor_parallel=2)
"""Its steady decode takes a few nodes, the bound four times as many."""

SHEET_FAULTS: Sequence[SheetFault] = (
    SheetFault("Side by side", "KV cache per session", "D", "*Step_EngineTp", ""),
    SheetFault("Side by side", "Sessions per node", "D", "SteadySessions", "EngineSessions"),
    SheetFault("Side by side", "Nodes final", "E", "EngineNodesFinal", "SteadyNodesFinal"),
    SheetFault(
        "Where one GPU's memory goes", "Weights", "C", "Step_EngineWeights", "Step_WeightsInPool"
    ),
    SheetFault(
        "Where one GPU's memory goes", "KV cache", "C", "Step_NumBlocks", "Step_EngineBlocks"
    ),
    SheetFault("Where one GPU's memory goes", "Unused", "C", "+Engine_RuntimeBytes", ""),
    SheetFault("Where one GPU's memory goes", "Runtime", "D", "Usable bytes per GPU", "HBM bytes"),
    SheetFault("Steps", "Replicas per node", "C", "/Step_EngineTp", ""),
)
SETTING_FAULT = SheetFault(
    "Steps", "Tokens in flight", "C", "*IF(TRIM(Input_Batches", "+0*IF(TRIM(Input_Batches"
)
"""Batches in flight forgotten."""


def test_a_wrong_formula_on_the_sheet_engine_is_seen() -> None:
    books = []
    for faults in (SHEET_FAULTS, [SETTING_FAULT]):
        slips = {
            cell: planted(cell, fault.part, fault.slip)
            for fault in faults
            for cell in [engine_sheet().cell(fault.section, fault.label, fault.column)]
        }
        books.append((slips, filled_book([SHEET_LOAD], planted=slips)))
    wanted = set().union(*(book.cells for _, book in books))
    found = IronCalc().compute([book.content for _, book in books], wanted)
    for (slips, book), values in zip(books, found, strict=True):
        assert set(slips) <= wrong(book.engine, values)
    # Every load depends on the settings.
    blocks = the_template().scenarios.cell("Blocks per request", 0)
    assert blocks in wrong(books[-1][1].scenarios, found[-1])
