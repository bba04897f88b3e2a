"""The functions in xlwings' Office.js runtime, called directly, as Server and Lite call it."""

from typing import Any

import pytest

from tests.excel.calls import ARGUMENTS, call, table, wrong_answers
from tests.excel.hosts.officejs import body, cells, in_process, needs_licence

pytestmark = needs_licence


def answers(*asked: Any) -> list[Any]:
    return cells(in_process([body(*each) for each in asked]))


def test_every_call_answers_what_core_says() -> None:
    assert wrong_answers(answers(*(each for each, _ in table()))) == []


def test_a_single_value_error_says_its_sentence_on_hover() -> None:
    asked = call("NODES_REQUIRED", concurrency=1.5)
    (found,) = in_process([body(*asked)])
    assert found == {
        "sentence": "concurrency is 1.5; it must be a whole number of at least 1 and at most 10^18."
    }
    (in_range,) = in_process([body(*call("NODES_REQUIRED", concurrency=[[1.5], [10]]))])
    assert "sentence" not in in_range


@pytest.mark.parametrize("zero", [0, 0.0, ""])
def test_zero_stands_for_an_empty_cell_where_an_argument_cannot_be_0(zero: Any) -> None:
    empty = dict.fromkeys(("precision", "ratio", "ha", "tp", "storage"), zero)
    names = ("NODES_REQUIRED", "SIZING", "ENGINE_NODES_REQUIRED", "KV_PER_SESSION")
    in_rows = {word: [[zero]] * 3 for word in empty}
    rows, *found = answers(
        call("NODES_REQUIRED", concurrency=[[10], [1_000], [0]], **in_rows),
        *(call(name, **empty) for name in names),
        *(call(name) for name in names),
    )
    assert rows == [[1], [2], ["#VALUE!"]]
    assert found[:4] == found[4:]


def test_zero_headroom_and_overhead_are_zero() -> None:
    asked = (
        call("NODES_REQUIRED", concurrency=614, headroom=0),
        call("SESSIONS_PER_NODE", overhead=0),
    )
    # 2,148.75 GiB * 0.7 hold 667 sessions of 2.2522 GiB.
    assert answers(*asked) == [1, 667]


def test_errors_that_cannot_be_passed_on_are_value_errors_and_never_text() -> None:
    errors = ["#SPILL!", "#CALC!", "#BUSY!", "#BLOCKED!", "#GETTING_DATA", "no"]
    found = answers(
        call("KV_PER_SESSION", model=[[error] for error in errors]),
        *(call("KV_PER_SESSION", model=error) for error in errors),
    )
    right = [*["#VALUE!"] * 5, "#N/A"]
    assert found == [[[error] for error in right], *right]


def test_excel_is_told_of_every_function_and_argument() -> None:
    meta = in_process("meta")
    assert meta["allowErrorForDataTypeAny"] is True
    found = {each["name"]: each for each in meta["functions"]}
    assert set(found) == set(ARGUMENTS)
    for name, described in found.items():
        assert 10 < len(described["description"]) <= 255
        assert described["result"] == {"dimensionality": "matrix", "type": "any"}
        wanted = ARGUMENTS[name].split()
        assert len(described["parameters"]) == len(wanted)
        for parameter, word in zip(described["parameters"], wanted, strict=True):
            assert parameter.get("optional", False) is word.startswith("[")
            assert (parameter["dimensionality"], parameter["type"]) == ("matrix", "any")
            assert 0 < len(parameter["description"]) <= 255
