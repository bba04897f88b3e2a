"""xlwings Lite without Excel: a workbook's main.py in Pyodide, in Node.

The code is taken out of the workbook's package and run as Lite runs it: as a module that
is made of its text, with nothing installed but xlwings. Calls reach it in two ways. With
xlwings' licence key its Office.js runtime takes the messages that Excel would send;
without it xlwings' decorators do nothing, and the functions are called as Python functions.
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
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import xlwings

from tests.excel.hosts.officejs import LICENCE, body

FOLDER = Path(__file__).parents[2] / "pyodide"
NEWEST, OLDEST = "pyodide", "pyodide-oldest"
"""The versions of Pyodide, as package.json calls them."""
VERSIONS = (NEWEST, OLDEST)

HOW_TO_INSTALL = (
    f"Pyodide is not installed: run `npm ci` in tests/{FOLDER.name}, which needs Node; CI has it."
)
SECONDS = 300
"""A program that takes longer has failed."""


class Session(NamedTuple):
    """What a session of Pyodide with a workbook's code found."""

    answers: list[Any]
    """Of each call: what the function returned; with a key what Office.js gets."""
    functions: list[str]
    """Names of the functions that main.py registers; empty without a key."""
    scripts: list[str]
    """What the buttons of its scripts say; empty without a key."""
    modules: list[str]
    """The modules of ours that were imported."""
    start_seconds: float
    """What running main.py took, xlwings not counted."""
    starts_once: bool
    """Running main.py again imported nothing anew."""


def require_pyodide() -> None:
    """Skip the test where Pyodide or Node is missing; in CI fail it."""
    folders = [FOLDER / "node_modules" / version for version in VERSIONS]
    installed = shutil.which("node") is not None and all(each.exists() for each in folders)
    if not installed and "CI" not in os.environ:
        pytest.skip(HOW_TO_INSTALL)
    assert installed, HOW_TO_INSTALL


def lite_files(content: bytes) -> dict[str, str]:
    """What a workbook keeps for Lite, by the name of the file."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        part = package.read("xl/webextensions/webextension1.xml").decode()
    kept = re.findall(r'<we:property name="([^"]*)" value="([^"]*)"/>', part)
    return {name: json.loads(html.unescape(value)) for name, value in kept}


def session(
    main: str,
    calls: Iterable[tuple[str, Sequence[Any]]],
    *,
    version: str = NEWEST,
    key: str | None = None,
) -> Session:
    """Call functions of a main.py.

    Parameters
    ----------
    main : its text.
    calls : names of functions with their arguments: values, ranges as lists of rows, and
        None for one that is left out.
    version : which Pyodide.
    key : the licence key of the Office.js runtime; None for decorators that do nothing.
    """
    asked = [body(*call) if key else [call[0], list(call[1])] for call in calls]
    request = {"main": main, "calls": asked}
    return Session(**run(FOLDER / "answers.py", request, version=version, key=key))


def run(
    program: Path, request: Mapping[str, Any], *, version: str = NEWEST, key: str | None = None
) -> Any:
    """Run a Python program in Pyodide; returns what it wrote to answer.json.

    The program finds xlwings' Python files, which are the same for every system, and
    request.json. With a key its environment says, as Lite's does, that Office.js calls.
    """
    environment = {"XLWINGS_ON_SERVER": "true", LICENCE: key} if key else {}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        package = Path(xlwings.__file__).parent
        for file in package.rglob("*.py"):
            copy = work / "site" / "xlwings" / file.relative_to(package)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
        shutil.copy(program, work / "program.py")
        (work / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
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
