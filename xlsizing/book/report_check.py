"""The check on the sheet Report: whether the workbook still says what it said when it was made.

The sheet's texts are of that moment. So it keeps what stood in the cells that they follow
from, beside formulas that read the same cells now.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from openpyxl.workbook import Workbook

from xlsizing.book.alert_formulas import ENGINE_ANSWER, ENGINE_STATUS, STATUS, WEIGHTS
from xlsizing.book.catalog_columns import (
    KINDS,
    MODELS,
    READ_BY_PEOPLE,
    SERVERS,
    CatalogKind,
    row_of,
)
from xlsizing.book.cells import PackageNotes
from xlsizing.book.checks import CHECKS_ANSWER
from xlsizing.book.expressions import filled
from xlsizing.book.scenario import Scenario
from xlsizing.book.shared_strings import unescaped
from xlsizing.book.worksheet import area_of, column_letters
from xlsizing.core import SizingResult
from xlsizing.core.entries import Entry
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import CellError, Value
from xlsizing.core.planning.inputs import INPUTS, TENSOR_PARALLEL
from xlsizing.core.planning.plan import SCENARIOS

THEN, NOW, DIFFERENCES = "Report_Then", "Report_Now", "Report_Differences"
"""The names of what stood in the cells, of what stands there now, and of how many differ."""

_AGREES = Message(
    "The figures on this sheet are of the moment at which the report was made; what they follow "
    "from is still the same."
)
_CHANGED = Message("The inputs or catalogs have changed since; make the report again.")

COUNT_FORMULA = f"SUMPRODUCT(({THEN}<>{NOW})*1)"
"""How many of the cells say something else."""

SENTENCE_FORMULA = f"IF({DIFFERENCES}=0,{filled(_AGREES, {})},{filled(_CHANGED, {})})"

_ERROR, _EMPTY = Message("error"), Message("empty")

_ROWS: Mapping[str, str] = {
    "Models": "Step_ModelRow",
    "Servers": "Step_ServerRow",
    "Storage": "Step_StorageRow",
}
"""The names of the cells that say in which row of its table an entry stands."""

_SHOWN: Mapping[str, str] = {asked.label: asked.symbol for asked in (*INPUTS, TENSOR_PARALLEL)}
_COUNTED: Mapping[str, str] = {
    "Nodes minimum": "NodesMinimum",
    "Nodes with headroom": "NodesWithHeadroom",
    "Nodes final": "NodesFinal",
    "Alerts": "AlertCodes",
}
"""The columns of Scenarios that a report shows: what is typed in them, and what they compute."""

_SENTENCES = frozenset(
    f"Output_{each.symbol}"
    for each in (STATUS, WEIGHTS, ENGINE_STATUS, ENGINE_ANSWER, CHECKS_ANSWER)
)
"""Answers in words: the figures in them have the signs of whoever reads the workbook."""


class Line(NamedTuple):
    """A cell that a report follows from."""

    name: str
    """Its defined name, or its column and row."""
    formula: str
    """What it says now, in a form that compares: no error, and no cell without a value."""
    value: Value
    """What that formula comes to."""


def sentence(differing: int) -> Message:
    """What the check says where so many cells say something else."""
    return _CHANGED if differing else _AGREES


def differing(then: Sequence[Value], now: Sequence[Value]) -> int:
    """How many values differ, as spreadsheets compare them: letters are one in either case."""
    return sum(_compared(was) != _compared(found) for was, found in zip(then, now, strict=True))


def _compared(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def lines(
    book: Workbook,
    notes: PackageNotes,
    result: SizingResult,
    scenarios: Sequence[Scenario],
    typed: Callable[[str], Value] | None = None,
) -> Iterator[Line]:
    """The cells that a report follows from, in a workbook that is being made.

    Parameters
    ----------
    result : what the sheet Sizing shows.
    scenarios : the rows of Scenarios.
    typed : what the input of a defined name holds, where not what it was made with.
    """
    for name in book.defined_names:
        if name.startswith(("Input_", "Output_")) and name not in _SENTENCES:
            if typed and name.startswith("Input_"):
                value = typed(name)
            else:
                value = _named_value(book, notes, name)
            yield _line(name, name, value)
    for kind in KINDS:
        for head, value in row_of(kind, _entry(kind, result)).items():
            if head in READ_BY_PEOPLE:
                continue
            name = f"{kind.table}[{head}]"
            yield _line(name, f"INDEX({name},{_ROWS[kind.table]})", value)
    table = book[SCENARIOS].tables[SCENARIOS]
    area = area_of(table.ref)
    heads = [column.name for column in table.tableColumns]
    for number, scenario in enumerate(scenarios, start=1):
        for head, value in _row(scenario).items():
            # By its address, since not every program knows what a column of a table depends on.
            letters = column_letters(area.left + heads.index(head))
            cell = f"{SCENARIOS}!${letters}${area.top + number}"
            yield _line(f"{SCENARIOS}[{head}] {number}", cell, value)
    active = notes.values[SCENARIOS, _address(book, "Scenarios_Active")]
    yield _line("Scenarios_Active", "Scenarios_Active", active)


def _line(name: str, expression: str, value: Value) -> Line:
    formula = (
        f"IF(ISERROR({expression}),{filled(_ERROR, {})},"
        f'IF({expression}="",{filled(_EMPTY, {})},{expression}))'
    )
    if isinstance(value, CellError):
        return Line(name, formula, _ERROR)
    return Line(name, formula, _EMPTY if value is None or value == "" else value)


def _entry(kind: CatalogKind, result: SizingResult) -> Entry:
    if kind is MODELS:
        return result.model
    return result.server if kind is SERVERS else result.storage


def _row(scenario: Scenario) -> dict[str, Value]:
    """What a row of Scenarios says, by the heads of its columns."""
    return {
        "Scenario": scenario.name,
        "Active": scenario.active,
        **{head: scenario.typed.get(symbol) for head, symbol in _SHOWN.items()},
        **{head: scenario.values.get(symbol, "") for head, symbol in _COUNTED.items()},
    }


def _named_value(book: Workbook, notes: PackageNotes, name: str) -> Value:
    [(title, _)] = book.defined_names[name].destinations
    address = _address(book, name)
    if (title, address) in notes.values:
        return notes.values[title, address]
    value: Value = book[title][address].value
    return unescaped(value) if isinstance(value, str) else value


def _address(book: Workbook, name: str) -> str:
    """The address of the one cell that a name stands for."""
    [(_, address)] = book.defined_names[name].destinations
    return str(address).replace("$", "")
