"""The page of formulas is current, and its equations say what the formulas compute."""

from dataclasses import replace

import pytest

from tests.formulas import PAGE, page
from xlsizing.book.equations import equation
from xlsizing.book.expressions import Formula, symbols
from xlsizing.book.formulas import OUTPUTS, STEPS
from xlsizing.book.lambdas import FUNCTIONS
from xlsizing.core.planning.inputs import INPUTS

FORMULAS = {each.symbol: each for each in (*STEPS, *OUTPUTS)}
TIMES = "\N{MULTIPLICATION SIGN}"


def test_the_page_is_what_the_workbook_is_made_of() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_page_has_every_step_answer_and_function() -> None:
    text = page()
    for formula in FORMULAS.values():
        assert f"\n### {formula.label}\n" in text
        assert f"\n> {equation(formula)}\n" in text
    assert all(f"`{each.syntax}`" in text for each in FUNCTIONS)


@pytest.mark.parametrize(
    ("symbol", "written"),
    [
        ("KvPerSessionGiB", "KV per session GiB = KV bytes per session / bytes per GiB"),
        ("KvTotalTiB", f"KV total TiB = KV bytes per session {TIMES} Sessions / bytes per TiB"),
        (
            "SessionsPerNode",
            "Sessions per node = max(0, ⌊KV budget bytes per node / KV bytes per session⌋)",
        ),
        (
            "NodesMinimum",
            "Nodes minimum = #NUM! if Sessions per node = 0, else ⌈Sessions / Sessions per node⌉",
        ),
        ("NodesFinal", "Nodes final = Nodes with headroom + Spare nodes"),
        (
            "Precision",
            "KV precision used = Models: KV precision if KV precision is empty, else KV precision",
        ),
        (
            "Sessions",
            (
                "Sessions = Concurrency where Concurrency is a number and Concurrency ≥ 1 and "
                "Concurrency ≤ exact limit and ⌊Concurrency⌋ = Concurrency"
            ),
        ),
        ("HbmBytes", "HBM bytes per node = Servers: HBM bytes where Servers: HBM bytes > 0"),
    ],
)
def test_an_equation_reads_as_a_person_would_write_it(symbol: str, written: str) -> None:
    assert equation(FORMULAS[symbol]) == written


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=lambda each: each.symbol)
def test_an_equation_names_every_figure_that_its_formula_reads(formula: Formula) -> None:
    labels = {each.symbol: each.label for each in INPUTS}
    labels |= {each.symbol: each.label for each in FORMULAS.values()}
    _, _, right = equation(formula).partition(" = ")
    for symbol in symbols(formula.text):
        # The row of a catalog is told by the sheet's name before its column.
        row_of = {"ModelRow": "Models:", "ServerRow": "Servers:", "StorageRow": "Storage:"}
        assert labels[symbol] in right or row_of.get(symbol, "?") in right


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            "{Sessions}-({HbmBytes}-{KvBytes})",
            "Sessions - (HBM bytes per node - KV bytes per session)",
        ),
        ("{Sessions}-{HbmBytes}-{KvBytes}", "Sessions - HBM bytes per node - KV bytes per session"),
        ("{Sessions}/({HbmBytes}*2)", f"Sessions / (HBM bytes per node {TIMES} 2)"),
        ("({Sessions}+1)*2", f"(Sessions + 1) {TIMES} 2"),
        ("-INT({Sessions})", "-⌊Sessions⌋"),
        ("INT(-{Sessions})", "⌊-Sessions⌋"),
        ("-INT(-{Sessions}+1)", "-⌊-Sessions + 1⌋"),
        ("-(INT({Sessions})+1)", "-(⌊Sessions⌋ + 1)"),
    ],
)
def test_minus_quotients_and_rounding_keep_their_order(text: str, written: str) -> None:
    assert equation(replace(FORMULAS["Sessions"], source=text)) == f"Sessions = {written}"
