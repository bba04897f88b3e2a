"""The buttons: what each host calls, and how it is told of a failure."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import xlwings

from tests.book.plans import LOAD
from tests.conftest import PROJECT
from tests.excel.hosts.officejs import needs_licence
from tests.excel.report.double import Book, Excel
from tests.excel.report.hosts import elsewhere, opened
from tests.excel.report.payload import payload
from tests.excel.report.plans import bare_workbook
from tests.excel.report.replay import replay
from tests.excel.report.state import BookState
from xlsizing.excel import scripts

SCRIPT: Callable[[xlwings.Book], Coroutine[Any, Any, None]] = scripts.full_report_script
"""Undecorated where xlwings does not run on a server."""

OURS = ["Report", "Report scenarios", "Report warnings", "Report charts", "Report in words"]


def test_classic_button_makes_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    book = Book(bare_workbook(LOAD))
    monkeypatch.setattr(xlwings.Book, "caller", lambda: book)
    scripts.full_report()
    assert book.state.titles == ["Sizing", *OURS]
    assert book.app.alerts == []


def test_classic_button_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    book = Book(bare_workbook({**LOAD, "Input_HA": "two"}))
    before = book.state.copy()
    monkeypatch.setattr(xlwings.Book, "caller", lambda: book)
    scripts.full_report()
    assert book.state == before
    assert book.app.alerts == ["HA (Sizing!C10): ha_mode is 'two'; it must be one of none, n+1."]


def test_script_on_a_server_says_why_not() -> None:
    book = Book(bare_workbook({**LOAD, "Input_HA": "two"}), Excel(remote=True))
    with pytest.raises(xlwings.XlwingsError, match=r"^HA \(Sizing!C10\): ha_mode is 'two'; "):
        asyncio.run(SCRIPT(opened(book)))


class Lite(Book):
    """A workbook in Lite, where calls wait in a queue until it is flushed."""

    def __init__(self, state: BookState, fails: Callable[[int], bool] = lambda _: False) -> None:
        super().__init__(state.copy(), Excel(remote=True))
        self.in_excel = state.copy()
        self.flushed = 0
        self._fails = fails

    async def flush(self) -> None:
        """Let Excel do what waits; where it refuses, what Excel shows is what there is."""
        await asyncio.sleep(0)
        self.flushed += 1
        if self._fails(self.flushed):
            self.state = self.in_excel.copy()
            raise RuntimeError(f"Action failed in flush {self.flushed}")
        self.in_excel = self.state.copy()


@pytest.fixture
def lite(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are no threads in Lite."""
    monkeypatch.setattr(scripts, "IN_PYODIDE", True)


@pytest.mark.usefixtures("lite")
def test_script_in_lite_makes_the_report_step_by_step() -> None:
    plan = bare_workbook(LOAD)
    book = Lite(plan)
    asyncio.run(SCRIPT(opened(book)))
    assert book.in_excel == elsewhere(plan)
    assert book.flushed == 10


@pytest.mark.usefixtures("lite")
@pytest.mark.parametrize("number", range(1, 9))
def test_what_excel_refuses_in_lite_is_taken_back(number: int) -> None:
    plan = bare_workbook(LOAD)
    book = Lite(plan, lambda at: at == number)
    words = rf"failed \(Action failed in flush {number}\)\. The workbook is as it was\.$"
    with pytest.raises(xlwings.XlwingsError, match=words):
        asyncio.run(SCRIPT(opened(book)))
    assert book.in_excel == plan
    assert book.flushed > number


@pytest.mark.usefixtures("lite")
def test_script_in_lite_says_why_not() -> None:
    plan = bare_workbook({**LOAD, "Input_HA": "two"})
    book = Lite(plan)
    with pytest.raises(xlwings.XlwingsError, match=r"^HA \(Sizing!C10\): ha_mode is 'two'; "):
        asyncio.run(SCRIPT(opened(book)))
    assert book.in_excel == plan


CALLED = """
import asyncio, json, sys
import xlwings
from xlwings.server import custom_scripts_call, custom_scripts_meta
from xlsizing.excel import scripts
from xlsizing.excel.full_report import build_report

asked = json.load(sys.stdin)
answers = {"meta": custom_scripts_meta(scripts)}
for name, body in asked.items():
    book = xlwings.Book(json=body)
    call = custom_scripts_call(
        scripts, "full_report_script", typehint_to_value={xlwings.Book: book}
    )
    try:
        answers[name] = asyncio.run(call).json()
    except xlwings.XlwingsError as error:
        answers[name] = str(error)
json.dump(answers, sys.stdout)
"""


@needs_licence
def test_xlwings_calls_the_script_by_its_name() -> None:
    good, bad = bare_workbook(LOAD), bare_workbook({**LOAD, "Input_Model": "gpt"})
    ran = subprocess.run(
        [sys.executable, "-c", CALLED],
        input=json.dumps({"good": payload(good), "bad": payload(bad)}),
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        env={**os.environ, "XLWINGS_ON_SERVER": "true"},
    )
    assert ran.returncode == 0, ran.stderr
    answers = json.loads(ran.stdout)
    [meta] = answers["meta"]
    assert (meta["function_name"], meta["name"]) == ("full_report_script", "Full report")
    done = good.copy()
    replay(done, answers["good"]["actions"])
    assert done == elsewhere(good)
    assert answers["bad"].startswith("Model (Sizing!C1): There is no model named 'gpt'")


def test_scripts_load_where_lite_has_only_core_and_excel() -> None:
    code = """
import sys
for name in ("openpyxl", "lxml", "pydantic", "annotated_types", "numpy", "pandas"):
    sys.modules[name] = None
import xlsizing.excel.scripts
print(*sorted({name.split(".")[1] for name in sys.modules if name[:9] == "xlsizing."}))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    rooms = ["blocks", "catalog", "core", "excel", "language", "page"]
    rooms += ["palette", "report", "resources"]
    assert ran.stdout.split() == rooms
