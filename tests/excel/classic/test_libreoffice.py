"""The wrappers in VBA: what they hand to Python, and what cells make of its answers."""

import math
from datetime import date
from typing import Any

from tests.excel.calls import ARGUMENTS, Call, expected, range_calls, scalar_calls
from tests.excel.hosts.libreoffice import (
    MODULES,
    Formula,
    Reply,
    answers,
    compiled_for,
    computed,
)
from xlsizing.excel import functions


def reply(asked: Call) -> Reply:
    """What Python answers."""
    answer = getattr(functions, asked.name)(*asked.arguments)
    return Reply(asked.name, asked.arguments, answer)


def as_in_a_file(asked: Call) -> Call:
    """The call with nothing in place of empty texts, of which a file's cells hold none."""
    return asked._replace(arguments=tuple(map(_without_empty_texts, asked.arguments)))


def _without_empty_texts(argument: Any) -> Any:
    if isinstance(argument, list):
        return [[_without_empty_texts(cell) for cell in row] for row in argument]
    return None if argument == "" else argument


def same(right: Any, found: Any) -> bool:
    if isinstance(right, list):
        return all(map(same, right, found)) and len(right) == len(found)
    if isinstance(right, float) and isinstance(found, float):
        return math.isclose(right, found, rel_tol=1e-9)
    return bool(right == found)


def test_every_call_of_the_table_shows_what_core_says() -> None:
    calls = [as_in_a_file(each) for each in (*scalar_calls(), *range_calls())]
    assert {each.name for each in calls} == set(ARGUMENTS)
    found = answers([(each.arguments, reply(each)) for each in calls])
    wrong = [
        f"{each}: {shown!r}, core says {right!r}"
        for each, shown in zip(calls, found, strict=True)
        if not same(right := expected(each), shown)
    ]
    assert wrong == []


MODELS: list[list[Any]] = [["a"], ["b"], [None], ["c"]]
CONTEXTS: list[list[Any]] = [[1.5], [None], [None], [4]]
PLANNING: dict[str, Any] = {
    "A1": "a",
    "A2": "b",
    "A4": "c",
    "B1": 1.5,
    "B4": 4,
    "D1": "x",
    "D2": "y",
    "F1": date(2026, 11, 23),
    "F2": True,
    "F3": "#N/A",
}
SPILLED = [["#N/A"], ["#VALUE! it is not"], [""], [7]]


def test_arguments_of_every_kind_arrive_as_values() -> None:
    """Left out, typed, of one cell, of a range, of whole columns down to their last cell."""
    wanted: dict[str, list[Any]] = {
        'KV_PER_SESSION("m",2)': ["m", 2, None],
        'KV_PER_SESSION("m",2,"fp8")': ["m", 2, "fp8"],
        'KV_PER_SESSION({"m";"n"},{2,3})': [[["m"], ["n"]], [[2, 3]], None],
        "KV_PER_SESSION(A1,B1,C1)": ["a", 1.5, None],
        "KV_PER_SESSION(F1,F2,F3)": [date(2026, 11, 23), True, "#N/A"],
        "KV_PER_SESSION(A1:A2,B1,D1)": [MODELS[:2], 1.5, "x"],
        "KV_PER_SESSION(A1:B1,B2,D1:D2)": [[["a", 1.5]], None, [["x"], ["y"]]],
        "KV_PER_SESSION(A:A,B:B,D1)": [MODELS, CONTEXTS, "x"],
        "KV_PER_SESSION(D:D,1)": [[["x"], ["y"]], 1, None],
        "KV_PER_SESSION(D:D,B:B)": [[["x"], ["y"], [None], [None]], CONTEXTS, None],
        "KV_PER_SESSION(A:B,1)": [
            [[*model, *context] for model, context in zip(MODELS, CONTEXTS, strict=True)],
            1,
            None,
        ],
        "KV_PER_SESSION(G:G,1)": [None, 1, None],
    }
    replies = [
        Reply("KV_PER_SESSION", given, number) for number, given in enumerate(wanted.values())
    ]
    found = computed(PLANNING, [Formula(text) for text in wanted], replies)
    assert dict(zip(wanted, found, strict=True)) == {
        text: number for number, text in enumerate(wanted)
    }


def test_a_whole_error_text_becomes_the_error_of_its_name_and_cells_count_it_as_one() -> None:
    errors = ["#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"]
    near = [f"{error} " for error in errors] + [error.lower() for error in errors] + ["#", ""]
    texts = [*errors, *near]
    replies = [Reply("KV_PER_SESSION", [n, 1, None], text) for n, text in enumerate(texts)]
    replies.append(Reply("KV_PER_SESSION", ["m", 1, None], SPILLED))
    calls = [f"KV_PER_SESSION({number},1)" for number in range(len(texts))]
    rows = 'KV_PER_SESSION("m",1)'
    formulas = [*map(Formula, calls), Formula(rows, (4, 1)), Formula(f"SUM({rows})")]
    assert computed({}, formulas, replies) == [*texts, SPILLED, 7]


WHY = Formula('SIZING_WHY("m","s",1,2)')
OTHERS = [
    Formula(f"{name}({','.join('1' * (len(arguments.split()) - arguments.count('[')))})")
    for name, arguments in ARGUMENTS.items()
    if name != "SIZING_WHY"
]


PYTHON_MODULE = (MODULES / "XlsizingPython.bas").read_text(encoding="ascii")
NOT_LOADED = (
    "The xlwings add-in is not loaded. In a terminal, type xlwings addin install, and start Excel "
    "again. To check the rest, type xlsizing doctor there."
)
ON_A_MAC = (
    "On a Mac the classic xlwings add-in computes no functions; take the workbook of xlsizing "
    "template --host lite."
)
WHAT_PYTHON_RAISES = {
    "No module named 'xlsizing.excel'": (
        "The Python that the xlwings add-in starts has no xlsizing. Install it there as its "
        "README says, and press Restart UDF Server on the ribbon tab xlwings. To check the rest, type xlsizing doctor there."
    ),
    "ValueError: too much": (
        "Python could not compute it (ValueError: too much). In a terminal, type xlsizing doctor."
    ),
    "": "Python could not compute it (no reason given). In a terminal, type xlsizing doctor.",
}


def test_without_the_add_in_only_sizing_why_shows_a_text_that_says_what_to_do() -> None:
    *found, why = computed({}, [*OTHERS, WHY], [], compiled_for("Windows", PYTHON_MODULE))
    assert found == ["#NAME?"] * (len(ARGUMENTS) - 1)
    assert why == NOT_LOADED
    assert computed({}, [WHY], [], compiled_for("Mac", PYTHON_MODULE)) == [ON_A_MAC]


def test_what_python_raises_is_told_in_a_sentence_without_its_lines_of_code() -> None:
    seen = PYTHON_MODULE.replace("Private Function ReasonOf", "Public Function ReasonOf")
    seen = compiled_for("Windows", seen.replace("Option Private Module", ""))
    raised = {
        f"D{row}": f"Traceback:\n  File x.py, line 1\n{last}\n\n" if last else "\n"
        for row, last in enumerate(WHAT_PYTHON_RAISES, 1)
    }
    formulas = [Formula(f"ReasonOf({address})") for address in raised]
    assert computed(raised, formulas, [], seen) == list(WHAT_PYTHON_RAISES.values())


ASKED = "pt-BR"


def test_a_workbook_that_asks_for_portuguese_is_told_in_it() -> None:
    """Macros read what it asks for, and spell letters that the modules do not hold."""
    [why] = computed({}, [WHY], [], compiled_for("Windows", PYTHON_MODULE), ASKED)
    assert why == (
        "O suplemento do xlwings não está carregado. Em um terminal, digite xlwings addin install, "
        "e inicie o Excel de novo. Para verificar o resto, digite ali xlsizing doctor."
    )
    seen = PYTHON_MODULE.replace("Private Function ReasonOf", "Public Function ReasonOf")
    seen = compiled_for("Windows", seen.replace("Option Private Module", ""))
    [told] = computed({"D1": "\n"}, [Formula("ReasonOf(D1)")], [], seen, ASKED)
    assert told == (
        "O Python não conseguiu calcular (sem motivo informado). Em um terminal, digite xlsizing "
        "doctor."
    )
