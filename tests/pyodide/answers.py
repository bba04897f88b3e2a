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
sys.path.insert(0, "/work/site")
sys.dont_write_bytecode = True  # the folder is the host's

import xlwings  # noqa: E402

ON_OFFICE_JS = os.environ.get("XLWINGS_ON_SERVER") == "true"


def module_of(text):
    """A module made of its text and nothing else, as Lite makes it, each time anew."""
    spec = spec_from_loader("main", loader=None)
    module = module_from_spec(spec)
    exec(text, module.__dict__)
    sys.modules["main"] = module
    return module


def matrix(argument):
    """An argument as Excel hands it to Office.js."""
    return argument if argument is None or isinstance(argument, list) else [[argument]]


def through_javascript(value):
    """A value as it is after JavaScript had it: whole numbers are ints, and null is not None."""
    return js.JSON.parse(json.dumps(value)).to_py()


async def asked_on_office_js(main, name, arguments):
    """What Office.js gets for a call."""
    from xlwings.server import custom_functions_call

    body = {
        "client": "Office.js",
        "func_name": name,
        "args": [matrix(each) for each in arguments],
        "caller_address": "[Plan.xlsx]Plan!B2",
        "session_id": "s",
        "culture_info_name": "en-US",
        "date_format": "m/d/yyyy",
        "version": xlwings.__version__,
        "runtime": "1.4",
    }
    result = await custom_functions_call(through_javascript(body), module=main)
    return json.loads(js.JSON.stringify(to_js(result, dict_converter=js.Object.fromEntries)))


async def answer(main, name, arguments):
    """What comes back for a call, or the sentence of an error."""
    try:
        if ON_OFFICE_JS:
            return {"value": await asked_on_office_js(main, name, arguments)}
        return {"value": getattr(main, name)(*arguments)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


async def run():
    """Answer every call of the request."""
    request = json.loads((WORK / "request.json").read_text(encoding="utf-8"))
    begun = perf_counter()
    main = module_of(request["main"])
    took = perf_counter() - begun
    functions, scripts = [], []
    if ON_OFFICE_JS:
        from xlwings.server import custom_functions_meta, custom_scripts_meta

        functions = [each["name"] for each in custom_functions_meta(main)["functions"]]
        scripts = [each["name"] for each in custom_scripts_meta(main)]
        main = module_of(request["main"])
    found = {
        "answers": [await answer(main, name, given) for name, given in request["calls"]],
        "functions": functions,
        "scripts": scripts,
        "start_seconds": took,
    }
    (WORK / "answer.json").write_text(json.dumps(found), encoding="utf-8")


await run()  # noqa: F704, PLE1142
