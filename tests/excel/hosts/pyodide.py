"""xlwings Lite without Excel: a workbook's main.py in Pyodide, in Node.

The code is taken out of the workbook's package and run as Lite runs it: as a module that
is made of its text, with nothing installed but xlwings. Calls reach it in two ways. With
xlwings' licence key the real Office.js runtime of xlwings takes the message that Excel
would send; without it xlwings' decorators do nothing, and the functions are called with
what that runtime would hand over.
"""

import html
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import xlwings

FOLDER = Path(__file__).parents[2] / "pyodide"
NAMED_IN_WORKBOOKS, NEWEST = "pyodide", "pyodide-newest"
"""The versions of Pyodide, as package.json calls them."""

LICENCE_KEY = "XLWINGS_LICENSE_KEY"
HOW_TO_INSTALL = (
    f"Pyodide is not installed: run `npm ci` in tests/{FOLDER.name}, which needs Node; CI has it."
)
NO_LICENCE = (
    f"needs {LICENCE_KEY}, a key for xlwings' Office.js runtime, in the environment; "
    "the same calls run without it, with xlwings' decorators doing nothing."
)
SECONDS = 300
"""A program that takes longer has failed."""


class Answer(NamedTuple):
    """What came back for a call: rows of cells, or a value, or the sentence of an error."""

    value: Any
    error: str | None = None


class Session(NamedTuple):
    """What a session of Pyodide with a workbook's code found."""

    answers: list[Answer]
    functions: list[str]
    """Names of the functions that main.py registers; empty without a licence key."""
    scripts: list[str]
    """What the buttons of its scripts say; empty without a licence key."""
    start_seconds: float
    """What running main.py for the first time took, xlwings not counted."""


def require_pyodide() -> None:
    """Skip the test where Pyodide or Node is missing; in CI fail it."""
    installed = all(
        FOLDER.joinpath("node_modules", each).exists() for each in (NAMED_IN_WORKBOOKS, NEWEST)
    )
    if not (installed and shutil.which("node")) and "CI" not in os.environ:
        pytest.skip(HOW_TO_INSTALL)
    assert installed, HOW_TO_INSTALL
    assert shutil.which("node"), HOW_TO_INSTALL


def licence_key() -> str:
    """The licence key; without one the test is skipped."""
    key = os.environ.get(LICENCE_KEY)
    if not key:
        pytest.skip(NO_LICENCE)
    return key


def properties(content: bytes) -> dict[str, Any]:
    """What a workbook keeps for Lite, by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        part = package.read("xl/webextensions/webextension1.xml").decode()
    found = re.findall(r'<we:property name="([^"]*)" value="([^"]*)"/>', part)
    return {name: json.loads(html.unescape(value)) for name, value in found}


def answered(
    main: str,
    calls: Sequence[tuple[str, Sequence[Any]]],
    *,
    key: str | None = None,
    version: str = NAMED_IN_WORKBOOKS,
) -> Session:
    """Call functions of a main.py.

    Parameters
    ----------
    main : its text.
    calls : a function's name and its arguments: values, ranges as lists of rows, and None
        for one that is left out.
    key : the licence key of the Office.js runtime; None for the decorators that do nothing.
    version : which Pyodide.
    """
    request = {"main": main, "calls": [[name, list(given)] for name, given in calls]}
    found = run("answers.py", request, environment=environment(key), version=version)
    answers = [Answer(each.get("value"), each.get("error")) for each in found["answers"]]
    return Session(answers, found["functions"], found["scripts"], found["start_seconds"])


def environment(key: str | None) -> dict[str, str]:
    """The environment of a session, as Lite sets it where there is a key."""
    return {"XLWINGS_ON_SERVER": "true", LICENCE_KEY: key} if key else {}


def run(
    program: str,
    request: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    version: str = NAMED_IN_WORKBOOKS,
) -> Any:
    """Run a program of tests/pyodide in Pyodide, and read its answer.

    The program finds xlwings' own Python files, request.json, and writes answer.json.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copytree(
            Path(xlwings.__file__).parent,
            work / "site" / "xlwings",
            ignore=lambda _, names: [
                name for name in names if "." in name and not name.endswith(".py")
            ],
        )
        shutil.copy(FOLDER / program, work / "program.py")
        (work / "environment.json").write_text(json.dumps(dict(environment)), encoding="utf-8")
        (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
        done = subprocess.run(
            ["node", "run.mjs", version, folder],
            cwd=FOLDER,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads((work / "answer.json").read_text(encoding="utf-8"))
