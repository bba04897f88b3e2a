"""Runs the script "Full report" on workbooks, with a stand-in for Excel; runs in Pyodide.

The stand-in does what it is told to the state of a workbook, by the modules of
tests/excel/report that the request brings along, and refuses a batch where it is asked to.
"""

import json
import sys
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import js  # type: ignore[import-not-found]
from pyodide.code import run_js  # type: ignore[import-not-found]
from pyodide.ffi import create_proxy, to_js  # type: ignore[import-not-found]

WORK = Path("/request")
sys.dont_write_bytecode = True  # the folder is the host's
sys.path.insert(0, "/request/site")

import xlwings  # noqa: E402

REQUEST = json.loads((WORK / "request.json").read_text(encoding="utf-8"))


def module(name: str, text: str) -> ModuleType:
    """A module made of its text."""
    spec = spec_from_loader(name, loader=None)
    assert spec is not None
    made = module_from_spec(spec)
    sys.modules[name] = made
    exec(text, made.__dict__)
    return made


for parent in ("tests", "tests.excel", "tests.excel.report"):
    module(parent, "")
STATE, PAYLOAD, REPLAY = (module(name, text) for name, text in REQUEST["modules"].items())


def as_javascript(value: object) -> Any:
    """A value as JavaScript has it."""
    return to_js(value, dict_converter=js.Object.fromEntries)


class Excel:
    """A workbook, and how often it was told to do something."""

    def __init__(self, inputs: dict[str, Any], refuses: int) -> None:
        cells = {(row, 3): value for row, value in enumerate(inputs.values(), start=1)}
        sheet = STATE.SheetState("Sizing", {place: each for place, each in cells.items() if each})
        self.state = STATE.BookState("Plan.xlsx", [sheet], active="Sizing")
        for row, name in enumerate(inputs, start=1):
            self.state.refer(name, f"=Sizing!$C${row}")
        self.refuses = refuses
        self.batches = 0

    async def run_actions(self, actions: Any) -> str:
        """Do what is told, up to the middle of a batch that is refused; returns why it is."""
        self.batches += 1
        told = actions.to_py()["actions"]
        if self.batches == self.refuses:
            REPLAY.replay(self.state, told[: len(told) // 2])
            return f"batch {self.batches} is refused"
        REPLAY.replay(self.state, told)
        return ""

    async def book_data(self, *_: object) -> Any:
        """The workbook as it is now."""
        return as_javascript(PAYLOAD.payload(self.state))


_REFUSING = """
(done) => async (actions) => {
  const refused = await done(actions);
  if (refused) throw new Error(refused);
}
"""
"""A function in JavaScript, so that its error is one of JavaScript's."""


async def report(main: ModuleType, case: dict[str, Any]) -> dict[str, Any]:
    """What the script makes of a workbook."""
    from xlwings.server import custom_scripts_call

    excel = Excel(case["inputs"], case["refuses"])
    calls = {
        "runActions": run_js(_REFUSING)(create_proxy(excel.run_actions)),
        "getBookData": create_proxy(excel.book_data),
    }
    js.xlwings = as_javascript(calls)
    book = xlwings.Book(json=PAYLOAD.payload(excel.state))
    sentence = ""
    try:
        await custom_scripts_call(
            main, "full_report_script", typehint_to_value={xlwings.Book: book}
        )
        assert book.json() == {"actions": []}
    except xlwings.XlwingsError as error:
        sentence = str(error)
    return {
        "sentence": sentence,
        "batches": excel.batches,
        "active": excel.state.active,
        "names": excel.state.names,
        "sheets": {
            sheet.title: [[*place, value] for place, value in sheet.cells.items()]
            for sheet in excel.state.sheets
        },
    }


async def run() -> None:
    """Answer every case of the request."""
    main = module("main", REQUEST["main"])
    answers = [await report(main, case) for case in REQUEST["cases"]]
    (WORK / "answer.json").write_text(json.dumps(answers), encoding="utf-8")


await run()  # type: ignore[top-level-await]  # noqa: F704
