"""The functions on a Portuguese system: every text is said, everything else is as in English."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from tests.excel.calls import Call, call, plain_value, range_calls, scalar_calls
from tests.excel.doctor.test_portuguese import ENGLISH_WORD
from tests.excel.hosts.officejs import body, cells, in_process, needs_licence
from xlsizing.core.errors import InvalidValueError
from xlsizing.excel import functions, host
from xlsizing.excel.host import FUNCTIONS, host_language
from xlsizing.excel.ranges import MOST_CELLS, Range, answers

CALLS = [*scalar_calls(), *range_calls()]
CODES = re.compile(r"[A-Z]+(_[A-Z0-9]+)*(; [A-Z]+(_[A-Z0-9]+)+)*|#[A-Z/0]+[!?]?|info|")
QUOTED = re.compile(r"'[^']*'|\w+_\w+|none, n\+1")
"""What was typed, and the names of arguments."""


@pytest.fixture
def portuguese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system that speaks Portuguese."""
    monkeypatch.setenv("LANGUAGE", "pt_BR:en")
    host_language.cache_clear()
    yield
    host_language.cache_clear()


def answered(asked: Call) -> Any:
    return plain_value(getattr(functions, asked.name)(*asked.arguments))


@pytest.fixture(scope="module")
def english() -> list[Any]:
    """The answers in English, asked first: what is remembered of them has no language."""
    return [answered(each) for each in CALLS]


def flat(answer: Any) -> list[Any]:
    return [cell for row in answer for cell in row] if isinstance(answer, list) else [answer]


def differences(english: list[Any], found_now: list[Any]) -> set[str]:
    """What was said otherwise than in English; the rest must be the same, or a code."""
    said = set()
    for asked, was, found in zip(CALLS, english, found_now, strict=True):
        before, after = flat(was), flat(found)
        assert len(before) == len(after), asked
        is_catalog = asked.name == "CATALOG"
        for one, other in zip(before, after, strict=True):
            if isinstance(one, str) and one != other:
                assert not ENGLISH_WORD.findall(QUOTED.sub("", other)), other
                assert digits(one) == digits(other)
                said.add(other)
            else:
                assert type(one) is type(other)
                assert one == other
                assert is_catalog or not isinstance(one, str) or CODES.fullmatch(one), one
    return said


def digits(text: str) -> list[str]:
    return sorted(re.sub("[.,]", "", figure) for figure in re.findall(r"\d[\d.,]*\d|\d", text))


def test_texts_are_said_and_nothing_else_changes(
    english: list[Any],
    portuguese: None,  # noqa: ARG001 - after the answers in English
) -> None:
    said = differences(english, [answered(each) for each in CALLS])
    assert len(said) > 60
    assert said >= SOME


SOME = {
    "Nós finais",
    "Gravidade",
    "aviso",
    "Nada cabe: nem uma sessão em um nó.",
    "Um argumento mostra #REF!; corrija a célula de onde ele vem.",
    "concurrency é o texto 'many'; deve ser um número inteiro de no mínimo 1 e no máximo 10^18.",
}


@needs_licence
@pytest.mark.usefixtures("portuguese")
def test_xlwings_own_runtime_says_the_same() -> None:
    asked = [body(*each) for each in CALLS]
    found = [plain_value(each) for each in cells(in_process(asked))]
    right = [plain_value(answered(each)) for each in CALLS]
    wrong = [
        f"{each}: {shown!r}, and not {said!r}"
        for each, shown, said in zip(CALLS, found, right, strict=True)
        if shown != said
    ]
    assert wrong == []


@needs_licence
@pytest.mark.usefixtures("portuguese")
def test_sentences_on_hover_and_descriptions_are_said() -> None:
    [hover] = in_process([body(*call("NODES_REQUIRED", concurrency=1.5))])
    assert hover == {
        "sentence": "concurrency é 1.5; deve ser um número inteiro de no mínimo 1 e no máximo 10^18."
    }
    described = {each["name"]: each for each in in_process("meta")["functions"]}
    assert set(described) == set(FUNCTIONS)
    told = described["NODES_REQUIRED"]
    assert told["description"].startswith("Nós a comprar ou alugar: ")
    assert told["parameters"][5]["description"].endswith("; vazio para 0,7")
    for each in described.values():
        for text in (each, *each["parameters"]):
            assert len(text["description"]) <= 255
            assert not ENGLISH_WORD.findall(text["description"])


@pytest.mark.usefixtures("portuguese")
def test_what_a_cell_holds_and_an_answers_size_are_said() -> None:
    """Of a date, and with Portuguese signs in figures that nobody typed."""
    day = functions.SIZING_WHY("gpt-oss-120b", "dgx-b300", 1, 1, date(2026, 11, 23))
    assert str(day).startswith("kv_precision é 'a data 2026-11-23'; deve ser um de fp16")
    load: Range = [[1, 1]] * (MOST_CELLS // 2 + 1)
    with pytest.raises(InvalidValueError) as failure:
        answers(lambda cell: cell, (load,), 1)
    assert host_language().say(str(failure.value)) == (
        "a resposta é '1.048.577 x 2 células'; deve ser no máximo 2.097.152."
    )


@pytest.mark.usefixtures("portuguese")
def test_lite_is_english_whatever_the_browser_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "IN_PYODIDE", True)
    assert host_language().code == "en"
    why = functions.SIZING_WHY("no-such", "dgx-b300", 1, 1)
    assert str(why).startswith("There is no model")
