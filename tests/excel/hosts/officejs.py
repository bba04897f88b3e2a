"""Office.js's side of a call: what Excel sends for arguments, and what it makes of an answer.

Excel sends every argument as rows of cells, an error as an object, and null for an
argument that is left out. Source: xlwings' own `custom_functions_call`, which the server
and Lite run, and the documentation of Office.js's data types.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
import xlwings

from tests.conftest import PROJECT

LICENCE = "XLWINGS_LICENSE_KEY"

needs_licence = pytest.mark.skipif(
    not os.environ.get(LICENCE),
    reason=f"needs {LICENCE}: xlwings' Office.js code is licensed apart (noncommercial or paid)",
)

_ERROR_TYPES = {
    "Div0": "#DIV/0!",
    "NotAvailable": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
}


def sent(argument: Any) -> Any:
    """An argument as Excel sends it."""
    if argument is None:
        return None
    rows = argument if isinstance(argument, list) else [[argument]]
    return [[_sent_cell(cell) for cell in row] for row in rows]


def _sent_cell(cell: Any) -> Any:
    if isinstance(cell, str) and cell[:1] == "#":
        return {"type": "Error", "basicValue": cell, "basicType": "Error"}
    return cell


def body(name: str, arguments: Sequence[Any], **more: Any) -> dict[str, Any]:
    """The body of a call, as the add-in posts it."""
    return {
        "client": "Office.js",
        "func_name": name,
        "args": [sent(argument) for argument in arguments],
        "caller_address": "[Plan.xlsx]Planning!B2",
        "session_id": "a-session",
        "culture_info_name": "en-US",
        "date_format": "m/d/yyyy",
        "version": xlwings.__version__,
        "runtime": "1.4",
        **more,
    }


def shown(answer: Any) -> Any:
    """What cells show of an answer: a single cell's value, or rows of them."""
    rows = [[_shown_cell(cell) for cell in row] for row in answer]
    return rows[0][0] if len(rows) == len(rows[0]) == 1 else rows


def _shown_cell(cell: Any) -> Any:
    if isinstance(cell, dict):
        assert cell["type"] == "Error", cell
        return _ERROR_TYPES[cell["errorType"]]
    return cell


_IN_PROCESS = """
import asyncio, json, sys
# As `xlsizing serve` does: else xlwings looks for this package again for every cell.
sys.modules["pyodide"] = sys.modules["pyodide.ffi"] = None
import xlwings
from xlwings.server import custom_functions_call, custom_functions_meta
import xlsizing.excel.functions as functions

async def answered(body):
    try:
        return {"result": await custom_functions_call(body, functions)}
    except xlwings.XlwingsError as error:
        return {"sentence": str(error)}

asked = json.load(sys.stdin)
if asked == "meta":
    json.dump(custom_functions_meta(functions), sys.stdout)
else:
    json.dump([asyncio.run(answered(body)) for body in asked], sys.stdout)
"""


def in_process(asked: Any) -> Any:
    """What xlwings' Office.js runtime answers to bodies, or "meta", in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", _IN_PROCESS],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        env={**os.environ, "XLWINGS_ON_SERVER": "true"},
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def cells(answers: Sequence[dict[str, Any]]) -> list[Any]:
    """What cells show of answers: #VALUE! where a sentence was raised."""
    return [shown(each["result"]) if "result" in each else "#VALUE!" for each in answers]
