"""The one place that knows which Excel host calls the functions.

`xlwings.func` and `xlwings.arg` pick the host's decorators when xlwings is imported:
Office.js on a server and in Lite, COM on Windows with the classic add-in, and inert ones
everywhere else, where the functions are plain Python functions.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import xlwings

Function = TypeVar("Function", bound=Callable[..., Any])


def excel_function(**arguments: str) -> Callable[[Function], Function]:
    """Register a function with the host; an error in an argument's cell comes as its text.

    Parameters
    ----------
    arguments : for each argument by name, what Excel's function wizard says of it (at
        most 255 characters).
    """

    def register(function: Function) -> Function:
        decorated = function
        for name, words in arguments.items():
            decorated = xlwings.arg(name, doc=words, err_to_str=True)(decorated)
        return xlwings.func(decorated)

    return register


def excel_script(name: str) -> Callable[[Function], Function]:
    """Register a function of a workbook as a script of the Office.js hosts.

    With the classic add-in scripts are macros, which call a function by its module.

    Parameters
    ----------
    name : what people call the script.
    """

    def register(function: Function) -> Function:
        return xlwings.script(name=name)(function) if xlwings.on_server else function

    return register
