"""The LAMBDA names as texts: the arguments of the functions, and sizes that Excel takes."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.book.rules import LONGEST_FORMULA, length
from xlsizing.book.expressions import render, symbols
from xlsizing.book.formulas import OUTPUTS, STEPS
from xlsizing.book.lambdas import FUNCTIONS, LONGEST_COMMENT, Function
from xlsizing.excel import functions

MOST_BOUND, LONGEST_SHOWN = 126, 255
"""Names that a LET binds, and characters that Excel shows of a comment."""

each_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)


def in_python(name: str) -> Callable[..., Any]:
    """The function that an add-in calls; SIZING_WHY takes the arguments of NODES_REQUIRED."""
    found: Callable[..., Any] = getattr(functions, name.replace("SIZING_WHY", "NODES_REQUIRED"))
    return found


def test_the_functions_are_those_of_the_design() -> None:
    assert [each.name for each in FUNCTIONS] == [
        *("KV_PER_SESSION", "KV_TOTAL", "SESSIONS_PER_NODE"),
        *("NODES_MINIMUM", "NODES_WITH_HEADROOM", "NODES_REQUIRED", "SIZING_WHY"),
    ]


@each_function
def test_arguments_are_those_of_the_function_in_python(function: Function) -> None:
    parameters = inspect.signature(in_python(function.name)).parameters.values()
    assert [(each.name, each.optional) for each in function.arguments] == [
        (each.name, each.default is not inspect.Parameter.empty) for each in parameters
    ]
    if function.name != "SIZING_WHY":
        doc = inspect.getdoc(in_python(function.name)) or ""
        assert function.what == doc.splitlines()[0]


@each_function
def test_sizes_are_those_that_excel_takes(function: Function) -> None:
    assert length(function.text) <= LONGEST_FORMULA
    assert length(function.comment) <= LONGEST_COMMENT <= LONGEST_SHOWN
    assert function.syntax in function.comment
    assert len(function.steps) + len(function.arguments) + 1 <= MOST_BOUND


@each_function
def test_a_name_holds_the_texts_of_the_steps_that_it_needs_and_no_other(function: Function) -> None:
    for step in function.steps:
        text = render(step.text, lambda symbol: f"_xlpm.Let_{symbol}")
        assert f",_xlpm.Let_{step.symbol},{text}," in function.text
    bound = re.findall(r",_xlpm\.Let_(\w+),(?!_xlpm\.Let_\w+\))", function.text)
    assert len(set(bound)) == len(function.arguments) + len(function.steps)
    known = {each.symbol for each in function.arguments}
    for step in function.steps:
        assert set(symbols(step.text)) <= known
        known.add(step.symbol)
    needed = {name for step in function.steps for name in symbols(step.text)}
    checked = set(re.findall(r"ISERROR\(_xlpm\.Let_(\w+)\),_xlpm\.Let_\1", function.text))
    assert {each.symbol for each in function.steps} <= needed | checked | {function.answer}


def test_no_step_of_storage_is_in_a_name() -> None:
    assert any("Storage" in each.text for each in (*STEPS, *OUTPUTS))
    assert not any("Storage" in each.text for each in FUNCTIONS)
