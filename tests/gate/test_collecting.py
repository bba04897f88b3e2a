"""The gate sees every workbook that a test builds, and names the test that built a bad one."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import PROJECT
from tests.gate.validator import PROGRAM

CONFTEST = "from tests.conftest import pytest_configure\n"
TESTS = """
from tests.book.test_rules import UNSOURCED
from xlsizing.book import build
from xlsizing.book.build import template
from xlsizing.book.cells import Writer


def build_badly(monkeypatch):
    write = build.write_about_sheet

    def write_badly(book, notes, *rest):
        write(book, notes, *rest)
        book["About"].column_dimensions["Z"].width = 300
        Writer(book["About"], notes).formula(999, 26, "TOTAL(1)", 1)

    monkeypatch.setattr(build, "write_about_sheet", write_badly)
    return template(UNSOURCED)


def test_good():
    assert template(UNSOURCED)


def test_bad(monkeypatch):
    assert build_badly(monkeypatch)


def test_bad_again(monkeypatch):
    assert build_badly(monkeypatch)


def test_none():
    pass
"""


FINDS_NOTHING = """#!/bin/sh
echo '{"errors": []}'
"""
"""A quick program in the place of Microsoft's validator, which has tests of its own."""


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "test_some.py").write_text(TESTS, encoding="utf-8")
    program = folder / "validator.sh"
    program.write_text(FINDS_NOTHING, encoding="utf-8")
    program.chmod(0o755)
    named = {PROGRAM: str(program)} if os.name == "posix" else {}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("--rootdir", str(folder), "-c", os.devnull, str(folder), *arguments),
        ],
        cwd=PROJECT,
        env={**os.environ, **named},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_run_fails_once_for_a_bad_workbook_and_names_the_first_test_that_built_it(
    tmp_path: Path,
) -> None:
    code, text = run(tmp_path)
    assert code == 1
    assert "distinct workbooks built: 2, with faults: 1" in text
    assert "calls TOTAL, which is not a plain function" in text
    assert "a column of width 300" in text
    assert re.findall(r"^FAILED \S*::(\w+)", text, re.MULTILINE) == ["test_bad"]
    assert "1 failed, 4 passed" in text


def test_a_run_in_two_processes_fails_as_well_and_counts_each_workbook_once(tmp_path: Path) -> None:
    code, text = run(tmp_path, "-n", "2")
    assert code == 1
    assert "distinct workbooks built: 2, with faults: 1" in text
    assert len(re.findall(r"^FAILED \S*::test_bad", text, re.MULTILINE)) == 1
    assert "1 failed, 4 passed" in text


def test_runs_of_one_test_are_examined_too(tmp_path: Path) -> None:
    code, text = run(tmp_path, "-k", "test_bad_again")
    assert code == 1
    assert re.findall(r"^FAILED \S*::(\w+)", text, re.MULTILINE) == ["test_bad_again"]
    code, text = run(tmp_path, "-k", "test_good")
    assert (code, "distinct workbooks built: 1, with faults: 0" in text) == (0, True)


def test_a_run_that_builds_nothing_says_nothing(tmp_path: Path) -> None:
    code, text = run(tmp_path, "-k", "test_none")
    assert (code, "workbooks" in text) == (0, False)


def test_no_other_module_finishes_packages() -> None:
    callers = {
        path.name
        for path in (PROJECT / "xlsizing").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and node.module == "xlsizing.book.package.finishing"
        and "package" in {each.name for each in node.names}
    }
    # What adding.py finishes is no workbook for anybody: its sheets are put into another one,
    # which tests/book/sync/test_adding.py has the gate examine.
    assert callers == {"build.py", "adding.py"}
