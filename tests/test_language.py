"""Every text for people is there in Portuguese, and says the same with the same figures."""

import ast
import ctypes
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import PROJECT
from tests.translations import COMPILED, SOURCE, compiled, template, texts, translations, written
from xlsizing.cli import main
from xlsizing.core.exact import grouped, plain
from xlsizing.core.message import Day, Figure, Message, joined, one_or_many
from xlsizing.language import ENGLISH, language, system_language, windows_language

PORTUGUESE = language("pt-BR")
CALLS = ("Message", "one_or_many")


def words(text: object) -> list[str]:
    return sorted(re.findall(r"\{\w*\}|%\(\w+\)s", str(text)))


def test_every_text_is_translated() -> None:
    known = {message.id: message for message in translations() if message.id}
    wanted = {text for text, _ in texts()}
    assert len(wanted) > 100
    assert sorted(wanted - set(known)) == []
    assert [text for text, message in known.items() if not message.string] == []
    assert [text for text, message in known.items() if message.fuzzy] == []
    assert sorted(set(known) - wanted) == []


def test_translations_have_the_same_figures_put_in() -> None:
    for message in translations():
        if message.id:
            assert words(message.string) == words(message.id), message.id
            assert list(message.check()) == []


def test_the_files_are_what_the_tool_makes_of_them() -> None:
    catalog = translations()
    catalog.update(template(), no_fuzzy_matching=True)
    assert SOURCE.read_bytes() == written(catalog)
    assert COMPILED.read_bytes() == compiled(catalog)


def calls(path: Path) -> Iterator[tuple[ast.Call, bool]]:
    """Each call that makes a message, and whether it stands inside an f-string."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.JoinedStr)
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in CALLS:
            yield node, id(node) in hidden


def test_babel_finds_every_template() -> None:
    # One defines what is called; the other hands over docstrings, which `texts` finds.
    others = [PROJECT / "xlsizing" / each for each in ("core/message.py", "excel/host.py")]
    found = 0
    for path in (PROJECT / "xlsizing").rglob("*.py"):
        if path in others or "shipped" in path.parts:
            continue
        for call, is_hidden in calls(path):
            found += 1
            count = 1 if ast.unparse(call.func) == "Message" else 2
            for argument in call.args[:count]:
                where = f"{path.name}:{call.lineno}"
                assert isinstance(argument, ast.Constant), f"{where} has no literal template"
                assert not is_hidden, f"{where} stands in an f-string, where Babel does not look"
    assert found > 100


def test_a_message_is_its_english_text_and_is_said_with_the_readers_signs() -> None:
    inner = Message("{sessions} sessions of {tokens} tokens", sessions=grouped(1000), tokens="x")
    message = Message("{load}, KV cache in {precision}", load=inner, precision="fp8")
    assert message == "1,000 sessions of x tokens, KV cache in fp8"
    assert ENGLISH.say(message) == message
    assert PORTUGUESE.say(message) == "1.000 sessões de x tokens, cache KV em fp8"
    assert PORTUGUESE.say(plain(0.25)) == "0,25"
    assert PORTUGUESE.say(grouped(123_456_789, 100, 2)) == "1.234.567,89"
    assert PORTUGUESE.say("gpt-oss-120b 1.5") == "gpt-oss-120b 1.5"
    assert isinstance(grouped(1), Figure)


def test_an_error_does_not_forget_its_message() -> None:
    error = ValueError(Message("{nodes} nodes", nodes=grouped(2000)))
    assert PORTUGUESE.say(str(error)) == "2.000 nós"


def test_counts_and_lists() -> None:
    one, two = (one_or_many("{nodes} node", "{nodes} nodes", n, nodes=grouped(n)) for n in (1, 2))
    assert (one, two) == ("1 node", "2 nodes")
    assert PORTUGUESE.say(joined("; ", [one, two, "a"])) == "1 nó; 2 nós; a"
    assert joined("; ", []) == ""
    assert PORTUGUESE.say(joined("; ", [])) == ""


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({}, "en"),
        ({"LANG": "pt_BR.UTF-8"}, "pt-BR"),
        ({"LANG": "pt_PT"}, "pt-BR"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "pt_BR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_ALL": "C", "LANGUAGE": "pt_BR:en"}, "pt-BR"),
        ({"LANG": "pt_BR", "LC_MESSAGES": "", "LC_ALL": ""}, "pt-BR"),
    ],
)
def test_the_systems_language(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], code: str
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert system_language().code == code


@pytest.mark.parametrize(("number", "code"), [(0x0416, "pt-BR"), (0x0816, "pt-BR"), (0x0409, "en")])
def test_the_language_of_windows(monkeypatch: pytest.MonkeyPatch, number: int, code: str) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert windows_language() is None
    kernel = SimpleNamespace(GetUserDefaultUILanguage=lambda: number)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    assert system_language() is ENGLISH
    monkeypatch.setattr("xlsizing.language.os.name", "nt")
    found = system_language()
    monkeypatch.undo()
    assert found.code == code


@pytest.mark.parametrize("code", ["pt-BR", "pt_br", " PT ", "pt-br"])
def test_spellings_of_a_language(code: str) -> None:
    assert language(code) is PORTUGUESE


def test_no_other_language_is_taken_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "list", "--lang", "fr"]) == 2
    assert capsys.readouterr().err == "--lang is 'fr'; it must be en or pt-BR.\n"


def test_a_day_is_said_as_the_reader_writes_it() -> None:
    made = Message("Made on {date}", date=Day("2026-11-24"))
    assert made == "Made on 2026-11-24"
    assert PORTUGUESE.say(made) == "Feita em 24/11/2026"
