"""A verdict finds each fault that fuzzing is there to find: one is planted at a time."""

import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.fuzz import cases, verdicts, workers
from tests.fuzz.cases import Case, case
from tests.fuzz.seeds import Seed
from tests.fuzz.verdicts import verdict
from tests.fuzz.zips import Part, packed, part, written
from xlsizing.cli import main

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux says how much memory a case took"
)

PARTS = [part(b"xl/media/image1.png", b"image"), part(b"xl/workbook.xml", b"<workbook/>")]
Planted = Callable[[Sequence[str]], int]


def packed_parts(parts: Sequence[Part]) -> bytes:
    return written(packed(parts))


BOOK = packed_parts(PARTS)


def sentence(arguments: Sequence[str], text: str = "{book} is none.") -> int:
    print(text.format(book=arguments[1]), file=sys.stderr)
    return 2


def rewritten(*parts: Part) -> Planted:
    """Changes the workbook, and is content with that."""

    def run(arguments: Sequence[str]) -> int:
        print("Synced.")
        Path(arguments[1]).write_bytes(packed_parts(parts))
        return 0

    return run


def hold(arguments: Sequence[str]) -> int:
    del arguments
    assert len(b"x" * (300 * 2**20))
    print("up to date")
    return 0


def spin(arguments: Sequence[str]) -> int:
    del arguments
    while True:
        time.process_time()


def leave(arguments: Sequence[str]) -> int:
    Path(arguments[1]).with_name("left.tmp").touch()
    return sentence(arguments)


def say(code: int, out: str, err: str = "") -> Planted:
    def run(arguments: Sequence[str]) -> int:
        print(out)
        print(err.format(book=arguments[1]), end="", file=sys.stderr)
        return code

    return run


def fail(arguments: Sequence[str]) -> int:
    raise KeyError(arguments[0])


PLANTED: Sequence[tuple[str, Planted, str]] = (
    ("check", fail, r"^ended with KeyError: KeyError\('sync'\) at .*test_verdicts.py:\d+ fail"),
    ("check", lambda _: sys.exit(0), "^ended with SystemExit"),
    ("check", spin, "^took more than 0.2 s"),
    ("check", hold, r"^took \d{3,} MiB"),
    ("check", say(4, "x"), "^ended with the code 4"),
    ("check", say(0, "Traceback (most recent call last):"), "^showed a traceback"),
    ("check", say(0, "a\x1b[2Jb"), r"^showed the mark '\\x1b', which a terminal may obey"),
    ("check", say(0, "a\u202eb"), r"^showed the mark '\\u202e'"),
    ("check", say(0, "up to date", "{book} is odd.\n"), "^ended with 0, but said '.* is odd.'"),
    ("check", say(0, ""), "^ended with 0, but printed nothing"),
    ("check", say(2, ""), "^was refused without a word"),
    ("check", say(2, "", "{book} is bad.\nVery bad.\n"), "^was refused with 2 lines"),
    ("check", say(2, "", "KeyError: {book}\n"), "^was refused with no sentence"),
    ("check", say(2, "", "It is bad.\n"), "^was refused without the file's name"),
    ("check", leave, r"^left \['left.tmp'\]"),
    ("check", rewritten(*PARTS[:1]), "^ended with 0, and changed the workbook"),
    ("sync", rewritten(*PARTS[:1]), r"^lost the parts \['xl/workbook.xml'\]"),
    ("sync", rewritten(part(PARTS[0].name, b"x"), PARTS[1]), "^changed the part xl/media/image1"),
    ("sync", rewritten(PARTS[0], part(PARTS[1].name, b"<a>")), "^wrote XML that is broken"),
    ("sync", rewritten(PARTS[0], part(PARTS[1].name, b"<a/>")), "^looked at again|^can be read no"),
)


@pytest.mark.parametrize(("command", "planted", "words"), PLANTED)
def test_a_fault_is_found(
    monkeypatch: pytest.MonkeyPatch, command: str, planted: Planted, words: str
) -> None:
    def once(arguments: Sequence[str]) -> int:
        # The second look at a workbook that was synced is the real one.
        monkeypatch.setattr(verdicts, "main", main)
        return planted(arguments)

    monkeypatch.setattr(verdicts, "main", once)
    monkeypatch.setattr(verdicts, "MOST_SECONDS", 0.2 if planted is spin else 60.0)
    monkeypatch.setattr(verdicts, "MOST_MIB", 250.0 if planted is hold else 10_000.0)
    found = verdict(Case(1, command, (), "", BOOK, ".xlsx", None))
    assert re.search(words, found.fault), found.fault


@pytest.mark.parametrize("planted", [sentence, say(1, "out of date"), say(0, "a", "Note: b\n")])
def test_what_is_as_it_must_be_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, planted: Planted
) -> None:
    monkeypatch.setattr(verdicts, "main", planted)
    monkeypatch.setattr(verdicts, "MOST_MIB", 10_000.0)
    assert verdict(Case(1, "check", (), "", BOOK, ".xlsx", None)).fault == ""


def test_a_process_that_dies_is_a_finding_and_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def die(made: Case) -> verdicts.Verdict:
        if made.number == 1:
            os._exit(9)
        return verdicts.Verdict(made.number, 0.0, 0.0, 0, "")

    monkeypatch.setattr(workers, "verdict", die)
    monkeypatch.setattr(workers, "case", lambda n, _: Case(n, "size", (), "", None, "", None))
    monkeypatch.setattr(workers, "spare_repeated_work", lambda: None)
    found = {each.number: each.fault for each in workers.verdicts(range(3), 0, workers=2)}
    assert found == {0: "", 1: "the process died", 2: ""}


def test_a_number_stands_for_one_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "seed", lambda name: Seed(name, ".xlsx", tuple(PARTS)))
    monkeypatch.setattr(cases, "_LEVELS", {"bytes": cases._raw, "zip": cases._zip})
    numbers = range(40)
    first = [case(number, 0) for number in numbers]
    assert {each.command for each in first} >= {"check", "sync", "report", "doctor", "size"}
    assert [case(number, 0) for number in numbers] == first
    assert [case(number, 1) for number in numbers] != first
