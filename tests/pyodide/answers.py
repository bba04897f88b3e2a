"""Calls the functions of a main.py; runs in Pyodide (see tests/excel/hosts/pyodide.py)."""

import json
import os
import sys
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from time import perf_counter

import js  # type: ignore[import-not-found]
from pyodide.ffi import to_js  # type: ignore[import-not-found]

WORK = Path("/work")
sys.dont_write_bytecode = True  # the folder is the host's
sys.path.insert(0, "/work/site")

import xlwings  # noqa: E402

ON_OFFICE_JS = os.environ.get("XLWINGS_ON_SERVER") == "true"


def module_of(text):
    """A module made of its text and nothing else, as Lite makes it."""
    module = module_from_spec(spec_from_loader("main", loader=None))
    exec(text, module.__dict__)
    sys.modules["main"] = module
    return module


def as_python(value):
    """A value that JavaScript hands over: whole numbers are ints, and null may not be None."""
    return js.JSON.parse(json.dumps(value)).to_py()


def as_json(value):
    """What JavaScript gets, as JSON."""
    return json.loads(js.JSON.stringify(to_js(value, dict_converter=js.Object.fromEntries)))


async def answer_on_office_js(main, body):
    """What Office.js gets for the body of a call: rows of cells, or a sentence."""
    from xlwings.server import custom_functions_call

    try:
        return {"result": as_json(await custom_functions_call(as_python(body), module=main))}
    except xlwings.XlwingsError as error:
        return {"sentence": str(error)}


async def answer(main, call):
    """What comes back for a call."""
    if ON_OFFICE_JS:
        return await answer_on_office_js(main, call)
    name, arguments = call
    return getattr(main, name)(*arguments)


def registered(main):
    """Names of the functions and what the buttons of the scripts say, as Lite finds them."""
    from xlwings.server import custom_functions_meta, custom_scripts_meta

    functions = [each["name"] for each in custom_functions_meta(main)["functions"]]
    return functions, [each["name"] for each in custom_scripts_meta(main)]


async def run():
    """Answer every call of the request, each of a module that is made anew."""
    request = json.loads((WORK / "request.json").read_text(encoding="utf-8"))
    begun = perf_counter()
    main = module_of(request["main"])
    first = perf_counter()
    main = module_of(request["main"])
    again = perf_counter()
    functions, scripts = registered(main) if ON_OFFICE_JS else ([], [])
    found = {
        "answers": [await answer(main, call) for call in request["calls"]],
        "functions": functions,
        "scripts": scripts,
        "first_start_seconds": first - begun,
        "next_start_seconds": again - first,
        "modules": sorted(name for name in sys.modules if name.startswith("xlsizing")),
    }
    (WORK / "answer.json").write_text(json.dumps(found), encoding="utf-8")


await run()  # noqa: F704
