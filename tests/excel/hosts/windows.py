"""What tests.excel.hosts.classic runs in a process of its own: xlwings as on Windows.

Standard input and output are pickles. Only a process that does nothing else may import
this: it changes what xlwings takes the system for.
"""

import asyncio  # noqa: F401 (before the platform is another one)
import ctypes
import datetime as dt
import importlib
import io
import pickle
import subprocess  # noqa: F401
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch

# Both ask for the platform when they are imported.
import numpy  # noqa: F401, ICN001
import pandas  # noqa: F401, ICN001

HOLLOW = (
    "pythoncom pywintypes win32api win32con win32event win32gui win32process win32timezone win32com "
    "win32com.client win32com.server win32com.server.dispatcher win32com.server.exception "
    "win32com.server.policy win32com.server.util"
)


class _Hollow(ModuleType):
    """A module of pywin32 in which every name is a class of its own that does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (Exception,), {})
        setattr(self, name, made)
        return made


class _Types(dict[Any, Any]):
    def __missing__(self, key: object) -> type:
        return type("PyIDispatch", (), {})


def _not_an_object(_: object) -> None:
    raise TypeError("a plain value, and no object of Python's")


def start_as_on_windows() -> None:
    """Import xlwings as on Windows."""
    for name in HOLLOW.split():
        sys.modules[name] = _Hollow(name)
    for name in HOLLOW.split():
        above, _, last = name.rpartition(".")
        if above:
            setattr(sys.modules[above], last, sys.modules[name])
    hollow: Any = sys.modules
    hollow["pywintypes"].TimeType = dt.datetime  # which pywin32's own is a subclass of
    hollow["pythoncom"].TypeIIDs = _Types()
    hollow["win32com.server.util"].unwrap = _not_an_object
    hollow["pythoncom"].__file__ = ""
    libraries: Any = ctypes
    libraries.windll = libraries.oledll = MagicMock()
    with patch.object(sys, "platform", "win32"), patch.object(ctypes, "PyDLL", MagicMock()):
        importlib.import_module("xlwings")


def answers(calls: list[tuple[str, list[object]]]) -> list[object]:
    """What the add-in's server object hands back to VBA for each call."""
    module = importlib.import_module("xlsizing.excel.functions")
    assert hasattr(module.KV_PER_SESSION, "__xlfunc__"), "xlwings took another host's decorators"
    server = importlib.import_module("xlwings.com_server").XLPython()
    return [server.CallUDF(module.__name__, name, arguments) for name, arguments in calls]


def wrappers(names: tuple[str, ...]) -> list[str]:
    """The VBA that the add-in writes for each module."""
    udfs, workbook = importlib.import_module("xlwings.udfs"), SimpleNamespace(Name="plan.xlsm")
    texts = []
    for name in names:
        text = io.StringIO()
        udfs.generate_vba_wrapper(name, importlib.import_module(name), text, workbook)
        texts.append(text.getvalue())
    return texts


if __name__ == "__main__":
    start_as_on_windows()
    tasks: dict[str, Callable[[Any], object]] = {"answers": answers, "wrappers": wrappers}
    sys.stdout.buffer.write(pickle.dumps(tasks[sys.argv[1]](pickle.load(sys.stdin.buffer))))
