"""docs/functions.md says what the functions are, and its examples answer what it says."""

import doctest
import re

import pytest

from tests.conftest import PROJECT
from tests.excel.remembered import forget
from xlsizing.excel import functions
from xlsizing.excel.host import FUNCTIONS, ExcelFunction

PAGE = (PROJECT / "docs" / "functions.md").read_text(encoding="utf-8")
LOAD = " ".join(re.findall(r"`LOAD` stands for `([^`]*)`", PAGE)[0].split())
EXAMPLES: list[tuple[str, str]] = re.findall(r"^\| `=(.*?)` \| (.*?) \|$", PAGE, re.MULTILINE)


def syntax(function: ExcelFunction) -> str:
    shown = [f"[{each.name}]" if each.optional else each.name for each in function.arguments]
    return f"{function.name}({', '.join(shown)})"


def test_every_function_stands_with_its_arguments_and_what_it_gives() -> None:
    rows = re.findall(r"^\| `([A-Z_]+\(.*?\))` \| (.*?) \|$", PAGE, re.MULTILINE)
    documented = {call.replace("LOAD", LOAD): gives for call, gives in rows}
    assert documented == {syntax(each): each.summary for each in FUNCTIONS.values()}


def typed(argument: str) -> object:
    if not argument:
        return None
    return argument.strip('"') if argument.startswith('"') else float(argument)


@pytest.mark.parametrize(("formula", "answer"), EXAMPLES)
def test_an_example_answers_what_the_page_says(formula: str, answer: str) -> None:
    forget()
    name, _, rest = formula.partition("(")
    given = [typed(each.strip()) for each in rest.removesuffix(")").split(",")]
    assert str(getattr(functions, name)(*given)) == answer


def test_the_examples_in_python_answer_what_the_page_says() -> None:
    forget()
    found = doctest.testfile(str(PROJECT / "docs" / "functions.md"), module_relative=False)
    assert (found.failed, found.attempted) == (0, 7)


def test_every_function_of_one_value_has_an_example() -> None:
    shown = {formula.partition("(")[0] for formula, _ in EXAMPLES}
    assert shown == set(FUNCTIONS) - {"SIZING", "SIZING_WARNINGS"}
