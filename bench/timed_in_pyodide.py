"""Times the functions of a main.py; runs in Pyodide (see functions_in_pyodide.py)."""

import gc
import json
import os
import platform
import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

WORK = Path("/request")
sys.dont_write_bytecode = True  # the folder is the host's
sys.path.insert(0, "/request/site")

import xlwings  # noqa: E402

ON_OFFICE_JS = os.environ.get("XLWINGS_ON_SERVER") == "true"
RUNS = 7

MODELS = ("gpt-oss-120b", "llama-3.1-8b", "deepseek-v3", "gemma-3-27b-it")
SERVERS = ("dgx-b300", "dgx-h200")


def columns(rows: int) -> Mapping[str, Any]:
    """A column for each argument that differs from row to row."""
    return {
        "model": [[MODELS[row % 4]] for row in range(rows)],
        "server": [[SERVERS[row % 2]] for row in range(rows)],
        "concurrency": [[row + 1] for row in range(rows)],
        "context": [[8_192 * (1 + row % 16)] for row in range(rows)],
        "every context": [[1_000 + row] for row in range(rows)],
    }


LOAD = ("model", "server", "concurrency", "context")
ON_NODE = ("model", "server", "context")
ONE = ("gpt-oss-120b", "dgx-b300")
CASES: Mapping[str, tuple[str, tuple[Any, ...]]] = {
    "NODES_REQUIRED, all four differ": ("NODES_REQUIRED", LOAD),
    "NODES_REQUIRED, every context": ("NODES_REQUIRED", (*ONE, 1_000, "every context")),
    "NODES_REQUIRED, concurrency": ("NODES_REQUIRED", (*ONE, "concurrency", 131_072)),
    "NODES_MINIMUM": ("NODES_MINIMUM", LOAD),
    "NODES_WITH_HEADROOM": ("NODES_WITH_HEADROOM", LOAD),
    "SIZING_WHY": ("SIZING_WHY", LOAD),
    "KV_PER_SESSION": ("KV_PER_SESSION", ("model", "every context")),
    "KV_TOTAL": ("KV_TOTAL", ("model", "context", "concurrency")),
    "SESSIONS_PER_NODE": ("SESSIONS_PER_NODE", ON_NODE),
    "ENGINE_KV_PER_SESSION": ("ENGINE_KV_PER_SESSION", ("model", "context")),
    "ENGINE_SESSIONS_PER_NODE": ("ENGINE_SESSIONS_PER_NODE", ON_NODE),
    "ENGINE_NODES_REQUIRED": ("ENGINE_NODES_REQUIRED", LOAD),
}
"""A function and its arguments; a word that is a column's name stands for that column."""


@xlwings.func
@xlwings.arg("first", ndim=2, err_to_str=True)
@xlwings.arg("second", ndim=2, err_to_str=True)
@xlwings.arg("third", ndim=2, err_to_str=True)
@xlwings.arg("fourth", ndim=2, err_to_str=True)
def IDENTITY(first, second, third=None, fourth=None):  # type: ignore[no-untyped-def]  # noqa: N802
    """Takes the ranges and returns the longest."""
    return max((each for each in (first, second, third, fourth) if each), key=len)


def module_of(text: str) -> ModuleType:
    """A module made of its text, with IDENTITY beside its functions."""
    spec = spec_from_loader("main", loader=None)
    assert spec is not None
    module = module_from_spec(spec)
    exec(text, module.__dict__)
    module.IDENTITY = IDENTITY  # type: ignore[attr-defined]
    return module


def forget() -> None:
    """Let the next call compute everything anew, from catalogs that are loaded."""
    from xlsizing.excel import planning

    for remembered in vars(planning).values():
        if hasattr(remembered, "cache_clear") and remembered is not planning.catalogs:
            remembered.cache_clear()


async def seconds(main: ModuleType, name: str, arguments: list[Any]) -> float:
    """What a call takes, as Excel's own would."""
    forget()
    gc.collect()
    if not ON_OFFICE_JS:
        given = [[[each]] if not isinstance(each, list) else each for each in arguments]
        start = perf_counter()
        getattr(main, name)(*given)
        return perf_counter() - start
    import js  # type: ignore[import-not-found]
    from pyodide.ffi import to_js  # type: ignore[import-not-found]
    from xlwings.server import custom_functions_call

    body = {
        "client": "Office.js",
        "func_name": name,
        "args": [each if isinstance(each, list) else [[each]] for each in arguments],
        "version": xlwings.__version__,
        "runtime": "1.4",
        "date_format": "m/d/yyyy",
    }
    handed_over = js.JSON.parse(json.dumps(body))
    start = perf_counter()
    answer = await custom_functions_call(handed_over.to_py(), main)
    to_js(answer, dict_converter=js.Object.fromEntries)
    return perf_counter() - start


async def run() -> None:
    """Time every case beside its identity."""
    request = json.loads((WORK / "request.json").read_text(encoding="utf-8"))
    start = perf_counter()
    main = module_of(request["main"])
    begun = perf_counter() - start
    given = columns(request["rows"])
    found = {}
    for case, (name, words) in CASES.items():
        arguments = [given.get(each, each) for each in words]
        both = [
            (await seconds(main, "IDENTITY", arguments), await seconds(main, name, arguments))
            for _ in range(RUNS)
        ]
        found[case] = [min(times) for times in zip(*both, strict=True)]
    answer = {"python": platform.python_version(), "start": begun, "runs": RUNS, "seconds": found}
    (WORK / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


await run()  # type: ignore[top-level-await]  # noqa: F704
