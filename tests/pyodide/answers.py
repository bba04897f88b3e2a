"""Calls the functions of a main.py; runs in Pyodide (see tests/excel/hosts/pyodide.py)."""

import json
import os
import sys
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

import js  # type: ignore[import-not-found]
from pyodide.ffi import to_js  # type: ignore[import-not-found]

WORK = Path("/request")
sys.dont_write_bytecode = True  # the folder is the host's
sys.path.insert(0, "/request/site")

import xlwings  # noqa: E402

ON_OFFICE_JS = os.environ.get("XLWINGS_ON_SERVER") == "true"


def module_of(text: str) -> ModuleType:
    """A module made of its text and nothing else, as Lite makes it."""
    spec = spec_from_loader("main", loader=None)
    assert spec is not None
    module = module_from_spec(spec)
    exec(text, module.__dict__)
    sys.modules["main"] = module
    return module


def as_python(value: object) -> Any:
    """A value that JavaScript hands over: whole numbers are ints, and null may not be None."""
    return js.JSON.parse(json.dumps(value)).to_py()


def as_json(value: object) -> Any:
    """What JavaScript gets, as JSON."""
    return json.loads(js.JSON.stringify(to_js(value, dict_converter=js.Object.fromEntries)))


async def answer_on_office_js(main: ModuleType, body: object) -> dict[str, Any]:
    """What Office.js gets for the body of a call: rows of cells, or a sentence."""
    from xlwings.server import custom_functions_call

    try:
        return {"result": as_json(await custom_functions_call(as_python(body), module=main))}
    except xlwings.XlwingsError as error:
        return {"sentence": str(error)}


async def answer(main: ModuleType, call: Any) -> Any:
    """What comes back for a call."""
    if ON_OFFICE_JS:
        return await answer_on_office_js(main, call)
    name, arguments = call
    return getattr(main, name)(*arguments)


def registered(main: ModuleType) -> tuple[list[str], list[str]]:
    """Names of the functions and what the buttons of the scripts say, as Lite finds them."""
    from xlwings.server import custom_functions_meta, custom_scripts_meta

    functions = custom_functions_meta(main)["functions"]  # type: ignore[no-untyped-call]
    scripts = custom_scripts_meta(main)  # type: ignore[no-untyped-call]
    return [each["name"] for each in functions], [each["name"] for each in scripts]


async def run() -> None:
    """Answer every call of the request."""
    request = json.loads((WORK / "request.json").read_text(encoding="utf-8"))
    begun = perf_counter()
    first = module_of(request["main"])
    took = perf_counter() - begun
    # Lite runs the text once for what it registers, and once for what it calls.
    main = module_of(request["main"])
    functions, scripts = registered(main) if ON_OFFICE_JS else ([], [])
    found = {
        "answers": [await answer(main, call) for call in request["calls"]],
        "functions": functions,
        "scripts": scripts,
        "start_seconds": took,
        "starts_once": first.NODES_REQUIRED is main.NODES_REQUIRED,
        "modules": sorted(name for name in sys.modules if name.startswith("xlsizing")),
    }
    (WORK / "answer.json").write_text(json.dumps(found), encoding="utf-8")


await run()  # type: ignore[top-level-await]  # noqa: F704
