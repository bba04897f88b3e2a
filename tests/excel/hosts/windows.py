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
from types import ModuleType, SimpleNamespace
from typing import Any

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


def classic_xlwings() -> Any:
    """The package xlwings, imported as on Windows."""
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
    for library in ("windll", "oledll"):
        setattr(ctypes, library, SimpleNamespace(oleacc=None))
    before, sys.platform = sys.platform, "win32"
    try:
        return importlib.import_module("xlwings")
    finally:
        sys.platform = before


def answers(xlwings: Any, calls: list[tuple[str, list[object]]]) -> list[object]:
    """What the add-in's server object hands back to VBA for each call."""
    module = importlib.import_module("xlsizing.excel.functions")
    assert hasattr(module.KV_PER_SESSION, "__xlfunc__"), "xlwings took another host's decorators"
    server = importlib.import_module("xlwings.com_server").XLPython()
    return [server.CallUDF(module.__name__, name, arguments) for name, arguments in calls]


def wrappers(xlwings: Any, name: str) -> str:
    """The VBA that the add-in writes for a module."""
    text, workbook = io.StringIO(), SimpleNamespace(Name="plan.xlsm")
    udfs = importlib.import_module("xlwings.udfs")
    udfs.generate_vba_wrapper(name, importlib.import_module(name), text, workbook)
    return text.getvalue()


if __name__ == "__main__":
    task = {"answers": answers, "wrappers": wrappers}[sys.argv[1]]
    found = task(classic_xlwings(), pickle.load(sys.stdin.buffer))  # type: ignore[operator]
    sys.stdout.buffer.write(pickle.dumps(found))
