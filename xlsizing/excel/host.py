"""The one place that knows which Excel host calls the functions.

`xlwings.func` and `xlwings.arg` pick the host's decorators when xlwings is imported:
Office.js on a server and in Lite, COM on Windows with the classic add-in, and inert ones
everywhere else, where the functions are plain Python functions.

What differs between hosts, and is evened out here:

- The classic add-in hands over 5 as 5.0, and VBA knows no whole numbers beyond 32 bits.
- An empty cell is None in the classic add-in. Office.js on a desktop may hand over 0
  (OfficeDev/office-js issues 1951 and 4702), so there 0 counts as empty wherever an
  optional argument, or a name, cannot be 0.
- Texts are in the language of the system that Python runs on, which is the reader's own with
  the classic add-in, and on a server the one that it was started for. Lite carries no
  translations: its texts are English.
- A cell cannot show a sentence. On Office.js an exception is #VALUE! with its text on
  hover, so a single #VALUE! is raised there; everywhere else, and in ranges, the error
  value is returned as text, which Office.js and our VBA wrappers turn into a true error.
"""

import sys
from collections.abc import Callable, Mapping
from functools import cache, update_wrapper
from inspect import Parameter, getdoc, signature
from typing import Any, NamedTuple, TypeVar, cast

import xlwings

from xlsizing.core import SizingError
from xlsizing.core.message import Message, as_plain
from xlsizing.excel.cells import INVALID_VALUE, Cell, error_value
from xlsizing.excel.ranges import Argument, Range
from xlsizing.language import ENGLISH, Language, system_language

Function = TypeVar("Function", bound=Callable[..., Any])

ON_OFFICE_JS: bool = xlwings.on_server
"""True on a server and in Lite."""
IN_PYODIDE = sys.platform == "emscripten"
"""True in Lite, where Python runs in the browser."""

EXACT_FLOAT = 2**53
"""Whole numbers up to here are floats and back without loss."""
LARGEST_LONG = 2**31 - 1
"""Largest whole number of VBA in every Excel."""


@cache
def host_language() -> Language:
    """The language of what this host shows."""
    return ENGLISH if IN_PYODIDE else system_language()


def said(text: str) -> str:
    """A text as this host shows it: in its language, and nothing but letters."""
    return as_plain(host_language().say(text))


class ExcelArgument(NamedTuple):
    """An argument of a function, as Excel's function wizard shows it."""

    name: str
    note: str
    optional: bool


class ExcelFunction(NamedTuple):
    """A function as Excel's function wizard shows it."""

    name: str
    summary: Message
    arguments: tuple[ExcelArgument, ...]


FUNCTIONS: dict[str, ExcelFunction] = {}
"""Every function that is registered with the host, by name."""


SCRIPTS: dict[str, str] = {}
"""Every script that is registered with the host: its module, by its name."""


def excel_script(name: str) -> Callable[[Function], Function]:
    """Register a function of a workbook as a script of the Office.js hosts.

    With the classic add-in scripts are macros, which call a function by its module.

    Parameters
    ----------
    name : what people call the script, and its button says.
    """

    def register(function: Function) -> Function:
        SCRIPTS[function.__name__] = function.__module__
        return xlwings.script(name=name)(function) if ON_OFFICE_JS else function

    return register


def excel_function(
    notes: Mapping[str, str], zeros: frozenset[str] = frozenset()
) -> Callable[[Function], Function]:
    """Register a function with the host, for values and ranges; errors come as their text.

    Parameters
    ----------
    notes : for each argument by name, what Excel's function wizard says of it (at most
        255 characters).
    zeros : the arguments of which 0 is a value and not an empty cell.
    """

    def register(function: Function) -> Function:
        described = _described(function, notes)
        FUNCTIONS[described.name] = described
        registered = _on_host(function, [each.name in zeros for each in described.arguments])
        # The host keeps the docstring that it finds now as the function's description.
        registered.__doc__ = said(described.summary)
        for argument in described.arguments:
            given = xlwings.arg(argument.name, ndim=2, doc=said(argument.note), err_to_str=True)
            registered = given(registered)
        registered = xlwings.func(registered)
        registered.__doc__ = getdoc(function)
        return cast(Function, registered)

    return register


def _described(function: Callable[..., Any], notes: Mapping[str, str]) -> ExcelFunction:
    arguments = [
        ExcelArgument(each.name, notes[each.name], each.default is not Parameter.empty)
        for each in signature(function).parameters.values()
    ]
    summary = " ".join((getdoc(function) or "").partition("\n\n")[0].split())
    return ExcelFunction(function.__name__, Message(summary), tuple(arguments))


def _on_host(function: Callable[..., Any], may_be_zero: list[bool]) -> Callable[..., Any]:
    """The function as the host calls it."""

    def answer(*arguments: Argument) -> Any:
        try:
            return function(*map(_as_given, arguments))
        except SizingError as error:
            return _refused(error)

    def on_desktop(*arguments: Argument, **named: Argument) -> Any:
        if named:
            given = signature(function).bind(*arguments, **named)
            given.apply_defaults()
            arguments = given.args
        return _changed(_for_vba, answer(*(_changed(_whole, _rows(each)) for each in arguments)))

    def on_office_js(*arguments: Argument) -> Any:
        given = [
            argument if zero else _zero_is_empty(argument)
            for argument, zero in zip(arguments, may_be_zero, strict=False)
        ]
        return answer(*given)

    chosen = on_office_js if ON_OFFICE_JS else on_desktop
    update_wrapper(chosen, function)
    # Hosts read hints as converters, and crash on those that are not.
    chosen.__annotations__ = {}
    return chosen


def _rows(argument: Any) -> Argument:
    """A range as a list of rows; Python's own callers may give tuples, or one row as it is."""
    if not isinstance(argument, list | tuple):
        return cast(Argument, argument)
    rows = argument if all(isinstance(row, list | tuple) for row in argument) else [argument]
    return [list(row) for row in rows]


def _as_given(argument: Argument) -> Argument:
    """A range of one cell as its value: a host does not tell the two apart."""
    if isinstance(argument, list) and len(argument) == 1 and len(argument[0]) == 1:
        return argument[0][0]
    return argument


def _refused(error: SizingError) -> str:
    """What a single cell shows where a sizing cannot be done."""
    shown = error_value(error)
    if ON_OFFICE_JS and shown == INVALID_VALUE:
        raise xlwings.XlwingsError(said(str(error))) from error
    return shown


def _changed(change: Callable[[Cell], Cell], argument: Argument) -> Argument:
    """A value or each cell of a range, changed."""
    if isinstance(argument, list):
        return [list(map(change, row)) for row in argument]
    return change(argument)


def _whole(cell: Cell) -> Cell:
    """A whole number as a person typed it, so that sentences show it so."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= EXACT_FLOAT:
        return int(cell)
    return cell


def _for_vba(cell: Cell) -> Cell:
    """A number as every VBA takes it."""
    return float(cell) if isinstance(cell, int) and abs(cell) > LARGEST_LONG else cell


def _zero_is_empty(argument: Argument) -> Argument:
    if not isinstance(argument, list):
        return None if _is_zero(argument) else argument
    if not any(_is_zero(cell) for row in argument for cell in row):
        return argument
    return cast(Range, [[None if _is_zero(cell) else cell for cell in row] for row in argument])


def _is_zero(cell: object) -> bool:
    return cell == 0 and not isinstance(cell, bool)
