"""Runs the script that enters formulas again, with a stand-in for Excel; runs in Pyodide.

The stand-in answers what xlwings asks of Lite's side in JavaScript, and writes down what
it is told to do (see tests/excel/lite/test_reentry.py).
"""

import io
import json
import sys
from contextlib import redirect_stdout
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import js  # type: ignore[import-not-found]
from pyodide.ffi import create_proxy, to_js  # type: ignore[import-not-found]

WORK = Path("/request")
sys.dont_write_bytecode = True  # the folder is the host's
sys.path.insert(0, "/request/site")

import xlwings  # noqa: E402

REQUEST = json.loads((WORK / "request.json").read_text(encoding="utf-8"))
SHEETS = {each["name"]: each for each in REQUEST["sheets"]}
ACTIONS: list[Any] = []


def as_javascript(value: object) -> Any:
    """A value as JavaScript has it."""
    return to_js(value, dict_converter=js.Object.fromEntries)


async def used_address(sheet: str, _: bool) -> Any:
    """Address of the cells of a sheet that are used; null for an empty sheet."""
    return SHEETS[sheet].get("used", js.JSON.parse("null"))


async def range_data(sheet: str, address: str, keys: Any) -> Any:
    """What is asked of a range, by name."""
    assert (address.replace("$", ""), keys.to_py()) == (SHEETS[sheet]["used"], ["formulas"])
    return as_javascript({"formulas": SHEETS[sheet]["formulas"]})


async def range_values(sheet: str, address: str) -> Any:
    """What the cells of a range show."""
    assert address.replace("$", "") == SHEETS[sheet]["used"]
    return as_javascript(SHEETS[sheet]["shown"])


async def run_actions(actions: Any) -> None:
    """Write down what Excel is told to do."""
    ACTIONS.extend(actions.to_py()["actions"])


def book() -> xlwings.Book:
    """The workbook as Lite hands it to a script that reads it bit by bit."""
    sheets = [
        {"name": name, "values": [[]], "tables": [], "names": [], "visibility": "Visible"}
        for name in SHEETS
    ]
    return xlwings.Book(
        json={
            "client": "Office.js",
            "version": xlwings.__version__,
            "book": {"name": "Plan.xlsx", "active_sheet_index": 0, "selection": "A1"},
            "names": [],
            "sheets": sheets,
        }
    )


async def run() -> None:
    """Run the script."""
    from xlwings.server import custom_scripts_call

    calls = {
        "getUsedRangeAddress": used_address,
        "getRangeData": range_data,
        "getRangeValues": range_values,
        "runActions": run_actions,
    }
    js.xlwings = as_javascript({name: create_proxy(call) for name, call in calls.items()})
    spec = spec_from_loader("main", loader=None)
    assert spec is not None
    main = module_from_spec(spec)
    exec(REQUEST["main"], main.__dict__)
    printed = io.StringIO()
    with redirect_stdout(printed):
        await custom_scripts_call(
            main, "reenter_formulas", typehint_to_value={xlwings.Book: book()}
        )
    found = {"actions": ACTIONS, "printed": printed.getvalue()}
    (WORK / "answer.json").write_text(json.dumps(found), encoding="utf-8")


await run()  # type: ignore[top-level-await]  # noqa: F704
