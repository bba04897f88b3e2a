"""The functions in Pyodide, with the code that a workbook for Lite carries."""

import os

import pytest

from tests.excel.calls import ARGUMENTS, table, wrong_answers
from tests.excel.hosts.officejs import LICENCE, cells, needs_licence
from tests.excel.hosts.pyodide import VERSIONS, require_pyodide, session

MOST_START_SECONDS = 10
"""Some twenty times what it takes: enough for a busy machine, and not for a mistake."""


@pytest.mark.parametrize("version", VERSIONS)
def test_every_call_answers_what_core_says(main_py: str, version: str) -> None:
    require_pyodide()
    found = session(main_py, (each for each, _ in table()), version=version)
    assert wrong_answers(found.answers) == []
    assert found.start_seconds < MOST_START_SECONDS
    assert found.starts_once


@needs_licence
@pytest.mark.parametrize("version", VERSIONS)
def test_every_call_through_office_js_answers_what_core_says(main_py: str, version: str) -> None:
    require_pyodide()
    calls = (each for each, _ in table())
    found = session(main_py, calls, version=version, key=os.environ[LICENCE])
    assert wrong_answers(cells(found.answers)) == []
    assert set(found.functions) == set(ARGUMENTS)
    assert set(found.scripts) == {"Full report", "Re-enter formulas"}
