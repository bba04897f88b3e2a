"""What a person's plan asks for, cell by cell: a load, the engine's settings, scenarios."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from xlsizing.core.catalogs import Catalogs, name_key
from xlsizing.core.engine import DEFAULT_SETTINGS, EngineSettings
from xlsizing.core.errors import InvalidValueError, SizingError
from xlsizing.core.exact import as_whole
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import CellError, Value, trimmed, words
from xlsizing.core.planning.inputs import INPUTS, SETTINGS_ASKED, TENSOR_PARALLEL
from xlsizing.core.planning.typed import TypedLoad, typed_load

ACTIVE, INACTIVE = "yes", "no"
SWITCHED_OFF = (INACTIVE, "n\u00e3o", "nao")
"""What switches a row off, also as who reads a workbook in Portuguese types it."""

BASE = "Input_BaseScenario"
"""The name of the cell that says which scenario the others are compared with."""
REPORTS_IN = "Setting_Language"
"""The defined name of the cell that says which language a workbook's reports are to be in."""

SCENARIOS = "Scenarios"
"""The table of scenarios."""

NAME_HEAD, ACTIVE_HEAD = "Scenario", "Active"
"""The heads of its columns that are no inputs."""

MOST_ROWS = 10_000
"""Rows of a table that are read."""


class TypedCell(NamedTuple):
    """What a cell holds, and where it is."""

    place: str
    """Sheet and address, such as Sizing!C14; empty where the workbook has no such cell."""
    value: Value


NOWHERE = TypedCell("", None)


class RefusedCellError(SizingError):
    """A cell of which a sizing takes nothing.

    Parameters
    ----------
    symbol : which input or setting it is.
    label : what people call it.
    cell : where it is, and what it holds.
    reason : why it is refused.
    """

    code = "REFUSED_CELL"

    def __init__(self, symbol: str, label: str, cell: TypedCell, reason: SizingError) -> None:
        super().__init__(
            Message(
                "{label} ({place}): {reason}", label=label, place=cell.place, reason=str(reason)
            )
        )
        self.symbol = symbol
        self.label = label
        self.cell = cell
        self.reason = reason


class TypedRow(NamedTuple):
    """A row of Scenarios as it is typed."""

    name: str
    active: Value
    typed: Mapping[str, Value]
    """What is typed for each input, by symbol."""

    @property
    def is_blank(self) -> bool:
        """True where nothing is typed in the row."""
        return not any(map(trimmed, (self.name, self.active, *self.typed.values())))

    @property
    def is_live(self) -> bool:
        """True where the row counts: it is not switched off, and something is typed in it."""
        active = self.active
        is_on = active if isinstance(active, bool) else trimmed(active).lower() not in SWITCHED_OFF
        return is_on and any(words(self.typed.get(symbol)) for symbol in _MUST_BE_GIVEN)


_MUST_BE_GIVEN = ("Model", "Server", "Storage", "Concurrency", "Context")
"""Inputs without an answer where they are empty; a row with none of them is not a scenario yet."""


def typed_row(cells: Mapping[str, Value]) -> TypedRow:
    """The row of Scenarios with these cells, by the heads of their columns."""
    name = cells[NAME_HEAD]
    typed = {asked.symbol: cells[asked.label] for asked in (*INPUTS, TENSOR_PARALLEL)}
    return TypedRow("" if name is None else str(name), cells[ACTIVE_HEAD], typed)


ROW_HEADS: tuple[str, ...] = (
    NAME_HEAD,
    ACTIVE_HEAD,
    *(asked.label for asked in (*INPUTS, TENSOR_PARALLEL)),
)
"""The heads of the columns that a person types in."""


def without_blank_end(rows: Iterable[TypedRow]) -> list[TypedRow]:
    """Rows down to the last in which something is typed."""
    kept = list(rows)
    while kept and kept[-1].is_blank:
        kept.pop()
    return kept


def is_named(name: str, wanted: str) -> bool:
    """Whether a typed name finds a scenario, as MATCH does: without regard to case.

    What is wanted is trimmed before; what stands in the table is not.
    """
    return name.lower() == re.sub(" +", " ", wanted).strip(" ").lower()


def load_on_sizing(load: Mapping[str, TypedCell], catalogs: Catalogs) -> TypedLoad:
    """The load of the input cells, by symbol.

    Raises
    ------
    RefusedCellError : an input is refused; the error names the first one's cell.
    """
    found = typed_load({symbol: cell.value for symbol, cell in load.items()}, catalogs)
    for asked in (*INPUTS, TENSOR_PARALLEL):
        if reason := found.refused.get(asked.symbol):
            raise RefusedCellError(asked.symbol, asked.label, load[asked.symbol], reason)
    return found


def engine_settings(cells: Mapping[str, TypedCell]) -> EngineSettings:
    """The engine's settings, from cells by the name of their field; the default where one is empty.

    Raises
    ------
    RefusedCellError : a setting is refused.
    """
    given: dict[str, Any] = {}
    for asked in SETTINGS_ASKED:
        cell = cells[asked.field]
        if not trimmed(cell.value):
            continue
        value = as_whole(cell.value)
        if asked.field == "state_caching" and not isinstance(value, CellError):
            value = name_key(words(cell.value))
        try:
            EngineSettings(**{asked.field: value})  # type: ignore[arg-type]
        except InvalidValueError as error:
            raise RefusedCellError(asked.field, asked.label, cell, error) from error
        given[asked.field] = value
    return EngineSettings(**given) if given else DEFAULT_SETTINGS
