"""What stands above and beside the rows of Scenarios, and the workbook's checks of itself."""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest

from tests.engines.books import the_template
from tests.engines.engines import ENGINES, Cell, Engine, Value, same
from tests.engines.entries import entries
from tests.engines.loads import Load

each_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)

SMALL = Load("gpt-oss-120b", "dgx-b300", "profile_default", 1_000, 131_072, "fp8")
LARGE = replace(SMALL, concurrency=20_000, ha_mode="n+1")
UNSAFE = Load("llama-3.1-70b", "dgx-h100", "profile_default", 100, 8_192, "bf16", 0.99, 0.0)
NOTHING_FITS = replace(SMALL, server="8x-l40s", runtime_overhead_gib=300.0)
LOADS = (LARGE, SMALL, UNSAFE, NOTHING_FITS, LARGE, SMALL)

SUMMARY = (
    "Scenarios_BaseNodes",
    "Scenarios_Active",
    "Scenarios_Ok",
    "Scenarios_Faults",
    "Scenarios_Nodes",
    "Scenarios_Check",
)
ADDS_UP = "The rows add up."
CHECKS = "All checks on About hold."


def nodes(load: Load) -> int:
    """Core's nodes final of a load."""
    found = load.result(entries()).nodes_final
    assert found is not None
    return found


class Shown(NamedTuple):
    """What a filled template shows."""

    figures: dict[str, Value]
    """The summary above the rows, by name."""
    beside: list[list[Value]]
    """The two columns that compare each row with the base."""
    sentence: str
    """What is said of the base."""
    checks: str
    """What Sizing says of the workbook's checks."""
    failing: set[str]
    """The checks on About that fail."""


def check_cells() -> dict[str, Cell]:
    """The cell of About that says whether a check holds, by the check's name."""
    rows = the_template().book["About"].iter_rows(max_col=2)
    return {
        str(name.value): ("About", verdict.coordinate)
        for name, verdict in rows
        if '"FAILS"' in str(verdict.value) and '"holds"' in str(verdict.value)
    }


def shown(engine: Engine, cases: Sequence[tuple[object, Mapping[Cell, object]]]) -> list[Shown]:
    """What is shown in each case: a base, and what is typed over the template's cells."""
    book = the_template()
    where = book.scenarios
    names = {where.cell("Scenario", row): f"Row {row}" for row in range(len(LOADS))}
    off = {where.cell("Active", 4): "no"}
    base = book.named("Input_BaseScenario")
    filled = [
        book.filled(LOADS, typed={**names, **off, base: name, **typed}) for name, typed in cases
    ]
    figures = {name: book.named(name) for name in SUMMARY}
    beside = [
        [where.cell(head, row) for head in ("Nodes against base", "Against base in %")]
        for row in range(len(LOADS))
    ]
    sentence, checks = ("Scenarios", "D4"), book.named("Output_Checks")
    verdicts = check_cells()
    cells = [*figures.values(), *(cell for row in beside for cell in row), sentence, checks]
    return [
        Shown(
            {name: found[cell] for name, cell in figures.items()},
            [[None if found[cell] == "" else found[cell] for cell in row] for row in beside],
            str(found[sentence]),
            str(found[checks]),
            {name for name, cell in verdicts.items() if found[cell] == "FAILS"},
        )
        for found in engine.compute(filled, [*cells, *verdicts.values()])
    ]


@each_engine
def test_rows_are_compared_with_the_base_and_counted(engine: Engine) -> None:
    [found] = shown(engine, [(" row 1 ", {})])
    assert found.figures == {
        "Scenarios_BaseNodes": nodes(SMALL),
        "Scenarios_Active": 5,
        "Scenarios_Ok": 3,
        "Scenarios_Faults": 2,
        "Scenarios_Nodes": nodes(LARGE) + 2 * nodes(SMALL),
        "Scenarios_Check": ADDS_UP,
    }
    expected: list[list[Value]] = [
        [None, None]
        if load is None
        else [nodes(load) - nodes(SMALL), nodes(load) / nodes(SMALL) - 1]
        for load in (LARGE, SMALL, UNSAFE, None, None, SMALL)
    ]
    for beside, right in zip(found.beside, expected, strict=True):
        assert all(same(*pair) for pair in zip(right, beside, strict=True)), (beside, right)
    assert (found.sentence, found.checks) == ("nodes in the base scenario", CHECKS)


BASES: Mapping[str | None, str] = {
    "Row 3": "It is switched off, or has no number of nodes.",
    "Row 4": "It is switched off, or has no number of nodes.",
    "Row 9": "There is no scenario named Row 9.",
    "Row*": "There is no scenario named Row*.",
    None: "Choose a scenario to compare with.",
}


@each_engine
def test_without_a_base_nothing_is_compared_and_the_sheet_says_why(engine: Engine) -> None:
    for found, words in zip(
        shown(engine, [(base, {}) for base in BASES]), BASES.values(), strict=True
    ):
        assert found.figures["Scenarios_BaseNodes"] in ("", None)
        assert all(beside == [None, None] for beside in found.beside)
        assert found.sentence == words
        assert found.figures["Scenarios_Check"] == ADDS_UP


def derived(sheet: str, head: str) -> Cell:
    """The first cell of a derived column whose figure follows from the columns beside it."""
    follows = {
        "Models": [model.attention_pattern != "grouped" for model in entries().models],
        "Servers": [bool(server.hbm_per_gpu_mib) for server in entries().servers],
    }
    return the_template().table(sheet, sheet).cell(head, follows[sheet].index(True))


def slipped(name: str, part: str, slip: str) -> dict[Cell, object]:
    """The formula of a name with a slip in it."""
    cell = the_template().named(name)
    formula = the_template().text(cell)
    assert part in formula
    return {cell: formula.replace(part, slip)}


@each_engine
def test_each_check_fails_where_what_it_checks_is_wrong(engine: Engine) -> None:
    wrong_nodes = the_template().scenarios.cell("Nodes final", 1)
    faults: Sequence[Mapping[str, Mapping[Cell, object]]] = (
        {
            "Scenarios add up": {wrong_nodes: 1},
            "Models, full layers": {derived("Models", "Full KV elements"): 1},
            "Sessions per node": slipped("Output_SessionsPerNode", "INT(", "1+INT("),
        },
        {
            "Models, sliding layers": {derived("Models", "Sliding KV elements"): 1},
            "Nodes hold the load": slipped("Output_NodesWithHeadroom", "-INT(-", "1-INT(-"),
        },
        {
            "Servers": {derived("Servers", "HBM bytes"): 10**12},
            "Nodes in order": slipped("Output_NodesMinimum", "-INT(-", "99-INT(-"),
        },
        {"HBM of a node": slipped("Step_BytesBesideKv", "+INT(", "+5+INT(")},
    )
    # All but that of the lines of Warnings, which tests/engines/test_template.py fills.
    assert sum(map(len, faults)) == len(check_cells()) - 1
    cases = [("Row 0", dict(ChainMap(*map(dict, planted.values())))) for planted in faults]
    for found, planted in zip(shown(engine, cases), faults, strict=True):
        assert found.failing == set(planted)
        assert found.checks == (
            f"{len(planted)} of the checks on About fail: do not rely on the figures."
        )
        assert (found.figures["Scenarios_Check"] == ADDS_UP) == ("Scenarios add up" not in planted)
