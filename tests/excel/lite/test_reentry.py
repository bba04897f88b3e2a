"""Formulas that were typed before the add-in was there are entered again, and no others."""

import os

import pytest

from tests.excel.hosts.officejs import LICENCE, needs_licence
from tests.excel.hosts.pyodide import FOLDER, VERSIONS, require_pyodide, run
from xlsizing.excel.reentry import Entry, entries

FUNCTIONS = ("NODES_REQUIRED", "SIZING", "SIZING_WHY", "CATALOG")
CALL = '=NODES_REQUIRED("gpt-oss-120b","dgx-b300",1000,131072)'
NAME = "#NAME?"


def again(formula: object, shown: object = NAME) -> str | None:
    """What one cell is given; None where it is left alone."""
    found = list(entries([[formula]], [[shown]], FUNCTIONS))
    assert len(found) < 2
    return found[0].formulas[0] if found else None


@pytest.mark.parametrize(
    "formula",
    [
        CALL,
        "=1+nodes_required(A1,B1,C1,D1)",
        "=@SIZING_WHY(A1,B1,C1,D1)",
        "=IF(A1>0,SIZING(A1,B1,C1,D1),0)",
        "=SUM('My sheet'!A1,NODES_REQUIRED(A1,B1,C1,D1))",
        '="a ""quoted"" text"&CATALOG("models")',
        "=-CATALOG(A1)",
    ],
)
def test_a_call_that_is_not_resolved_is_entered_as_it_stands(formula: str) -> None:
    assert again(formula) == formula


@pytest.mark.parametrize(
    "formula",
    [
        "=_xldudf_NODES_REQUIRED(A1,B1,C1,D1)",
        "=BloombergUI.xla!_xldudf_NODES_REQUIRED(A1,B1,C1,D1)",
        "='C:\\Add-ins\\It''s.XLAM'!_xldudf_NODES_REQUIRED(A1,B1,C1,D1)",
    ],
)
@pytest.mark.parametrize("shown", [NAME, 2, "#REF!"])
def test_excels_mark_goes_whatever_the_cell_shows(formula: str, shown: object) -> None:
    assert again(formula, shown) == "=NODES_REQUIRED(A1,B1,C1,D1)"


@pytest.mark.parametrize(
    "formula",
    [
        "",
        None,
        0,
        12.5,
        True,
        "NODES_REQUIRED(A1)",
        "=OTHER(A1)",
        "=MY_NODES_REQUIRED(A1)",
        "=NODES_REQUIRED_TOO(A1)",
        "=TOOLS.NODES_REQUIRED(A1)",
        "=[Book2.xlsx]!NODES_REQUIRED(A1)",
        "=NODES_REQUIRED+1",
        '="NODES_REQUIRED("&A1',
        "='NODES_REQUIRED(1)'!A1",
        "=_xldudf_OTHER(A1)",
    ],
)
def test_what_calls_none_of_the_functions_is_left_alone(formula: object) -> None:
    assert again(formula) is None


@pytest.mark.parametrize("shown", [2, 0, "", None, "OK", "#N/A", "#VALUE!", "#NUM!", "#BUSY!"])
def test_a_call_that_was_answered_is_left_alone(shown: object) -> None:
    assert again(CALL, shown) is None


@pytest.mark.parametrize("catch", ["IFERROR", "iferror", "ISERROR", "ISERR", "ERROR.TYPE"])
def test_a_formula_that_may_hide_the_error_is_entered_again(catch: str) -> None:
    formula = f'={catch}(NODES_REQUIRED(A1,B1,C1,D1),"")'
    assert again(formula, "") == formula
    assert again('=IFNA(NODES_REQUIRED(A1,B1,C1,D1),"")', "") is None  # which lets #NAME? through


def test_the_cells_that_such_a_formula_spills_into_are_left_alone() -> None:
    spilled = '=IFERROR(CATALOG("models"),"")'
    formulas = [[spilled, spilled], [spilled, spilled]]
    assert list(entries(formulas, [["name", "notes"], ["a", "b"]], FUNCTIONS)) == [
        Entry(0, 0, [spilled])
    ]


def test_formulas_below_each_other_are_one_entry() -> None:
    calls = [f"=SIZING_WHY(A{row})" for row in range(6)]
    formulas: list[list[object]] = [
        ["x", calls[0]],
        [calls[1], calls[2]],
        [calls[3], 5],
        [calls[4], calls[5]],
    ]
    shown: list[list[object]] = [["x", NAME], [NAME, NAME], [NAME, 5], ["OK", NAME]]
    assert list(entries(formulas, shown, FUNCTIONS)) == [
        Entry(1, 0, [calls[1], calls[3]]),
        Entry(0, 1, [calls[0], calls[2]]),
        Entry(3, 1, [calls[5]]),
    ]


def test_an_empty_range_has_none() -> None:
    assert list(entries([], [], FUNCTIONS)) == []


@needs_licence
@pytest.mark.parametrize("version", VERSIONS)
def test_the_script_enters_them_through_lites_own_calls(main_py: str, version: str) -> None:
    require_pyodide()
    planned = {
        "name": "My plan",
        "used": "B2:C4",
        "formulas": [["Nodes", CALL], ["x", CALL.replace("1000", "2000")], [3, CALL]],
        "shown": [["Nodes", NAME], ["x", NAME], [3, 2]],
    }
    marked = {
        "name": "Marked",
        "used": "D5",
        "formulas": [["=_xldudf_CATALOG(A1)"]],
        "shown": [[0]],
    }
    fine = {"name": "Sizing", "used": "A1", "formulas": [["=1+1"]], "shown": [[2]]}
    request = {"main": main_py, "sheets": [planned, {"name": "Empty"}, fine, marked]}
    found = run(FOLDER / "reentry.py", request, version=version, key=os.environ[LICENCE])
    written = [
        (
            each["func"],
            each["sheet_position"],
            each["start_row"],
            each["start_column"],
            each["values"],
        )
        for each in found["actions"]
    ]
    calls = [[CALL], [CALL.replace("1000", "2000")]]
    assert written == [
        ("setFormula", 0, 1, 2, calls),
        ("setFormula", 3, 4, 3, [["=CATALOG(A1)"]]),
    ]
    assert found["printed"].splitlines() == [
        "My plan: 2 formulas entered again.",
        "Marked: 1 formula entered again.",
    ]
