"""The classic xlwings add-in's way from a cell to a function and back, without Excel.

A process of its own pretends to run on Windows: the modules of pywin32, which talk to
Excel, are hollow, and everything of xlwings is real: its decorators, the server object
that the VBA of a workbook calls, and the conversion of what comes and goes.
"""

import io
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.conftest import PROJECT

FUNCTIONS = "xlsizing.excel.functions"

MISSING = -2147352572
"""What Windows passes for an optional argument that is left out."""

ERROR_CODES: Mapping[str, int] = {
    "#NULL!": -2146826288,
    "#DIV/0!": -2146826281,
    "#VALUE!": -2146826273,
    "#REF!": -2146826265,
    "#NAME?": -2146826259,
    "#NUM!": -2146826252,
    "#N/A": -2146826246,
}
"""What Excel passes for a cell with an error value: 2148141008 + n for xlErr n, less 2^32."""

Call = tuple[str, Sequence[object]]
"""A function's name and its arguments: values, or ranges as lists of rows."""


def answers(calls: Iterable[Call]) -> list[Any]:
    """What the functions answer, as cells show it: a value, or rows of them.

    Numbers are passed as floats and error texts as error values, as Excel has them. What
    comes back as the text of an error is shown as one by the wrappers in VBA.
    """
    wanted = [(name, [_as_com(argument) for argument in given]) for name, given in calls]
    found: list[Any] = _in_windows("answers", wanted)
    return [_rows(each) for each in found]


def _rows(answer: Any) -> Any:
    """An answer with its rows: the add-in hands over a single one as if it were a list."""
    if not isinstance(answer, list):
        return _of_vba(answer)
    rows = answer if isinstance(answer[0], list) else [answer]
    return [[_of_vba(cell) for cell in row] for row in rows]


def _of_vba(cell: Any) -> Any:
    """A cell, which must be of a type that VBA knows in every Excel."""
    assert type(cell) in (str, float, bool, int), f"{cell!r} is nothing for VBA"
    assert type(cell) is not int or abs(cell) < 2**31, f"{cell} is too large for VBA's Long"
    return cell


def wrappers(*modules: str) -> list[str]:
    """The VBA that Import Functions on the add-in's ribbon writes for each module."""
    texts: list[str] = _in_windows("wrappers", modules)
    return texts


def _as_com(value: object) -> object:
    """A value as it comes from a cell by way of VBA."""
    if isinstance(value, list | tuple):
        return tuple(map(_as_com, value))
    if isinstance(value, str):
        return ERROR_CODES.get(value, value)
    if isinstance(value, int) and not isinstance(value, bool) and value != MISSING:
        return float(value)
    return value


def _in_windows(task: str, given: object) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.excel.hosts.windows", task],
        input=pickle.dumps(given),
        capture_output=True,
        cwd=PROJECT,
        env={key: value for key, value in os.environ.items() if not key.startswith("XLWINGS_")},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return pickle.load(io.BytesIO(done.stdout))
