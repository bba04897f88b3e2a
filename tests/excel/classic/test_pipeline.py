"""The functions as the classic add-in calls them: its own code, with nothing of Excel."""

import datetime as dt

from tests.excel.calls import ARGUMENTS, table, wrong_answers
from tests.excel.hosts.classic import ERROR_CODES, MISSING, answers, wrappers

MODEL, SERVER, SESSIONS, CONTEXT = "gpt-oss-120b", "dgx-b300", 1_000, 131_072
NODES = ("NODES_REQUIRED", [MODEL, SERVER, SESSIONS, CONTEXT])


def test_every_call_of_the_table_answers_what_core_says() -> None:
    assert wrong_answers(answers(call for call, _ in table())) == []


def test_arguments_come_as_windows_passes_them() -> None:
    name, given = NODES
    day = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    same = [
        [*given, None],
        [*given, ""],
        [*given, MISSING],
        [*given, MISSING, MISSING, MISSING, MISSING, MISSING],
        [*given[:3], float(CONTEXT)],
        [((MODEL,),), *given[1:]],
    ]
    wrong = {"#VALUE!": [[*given[:3], day], [*given[:3], True]], "#N/A": [[day, *given[1:]]]}
    found = answers((name, each) for each in [*same, *wrong["#VALUE!"], *wrong["#N/A"]])
    assert found == [2] * len(same) + ["#VALUE!", "#VALUE!", "#N/A"]


def test_an_error_value_is_passed_on_and_spoils_its_row_alone() -> None:
    name, given = NODES
    found = answers(
        (name, [*given[:2], concurrency, CONTEXT])
        for error in ERROR_CODES
        for concurrency in (error, [[SESSIONS], [error], [2 * SESSIONS]])
    )
    assert found == [shown for error in ERROR_CODES for shown in (error, [[2], [error], [4]])]


def test_error_codes_are_those_of_excel() -> None:
    """XlCVError as a COM error: facility control, the number of the enumeration."""
    numbers = {"#NULL!": 2000, "#DIV/0!": 2007, "#VALUE!": 2015, "#REF!": 2023, "#NAME?": 2029}
    numbers |= {"#NUM!": 2036, "#N/A": 2042}
    assert {name: 0x800A0000 + code - 2**32 for name, code in numbers.items()} == ERROR_CODES


def test_import_functions_writes_a_wrapper_for_each_and_finds_none_to_add_to_our_workbook() -> None:
    text, none = wrappers("xlsizing.excel.functions", "xlsizing.excel")
    assert none == ""
    assert text.count("\nEnd Function") == len(ARGUMENTS)
    for name, arguments in ARGUMENTS.items():
        assert f'"{name}", Array(' in text
        declared = text.partition(f"Function {name}(")[2].partition(")")[0]
        optional = [each.startswith("Optional ") for each in declared.split(", ")]
        assert optional == ["[" in each for each in arguments.split()]


def test_whole_numbers_come_as_every_vba_takes_them() -> None:
    """Beyond 32 bits Windows would pass types on that VBA does not know."""
    [parameters, nodes] = answers([("CATALOG", ["models", MODEL, "total_params"]), NODES])
    assert isinstance(parameters, float)
    assert parameters == 116_829_156_672
    assert isinstance(nodes, int)
