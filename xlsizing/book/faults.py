"""What the formulas of a row show where what is typed in it cannot be sized.

The row keeps its place among the others, its status says what is wrong, every figure
that depends on it shows an error, and every other figure is right.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from xlsizing.book.alert_formulas import (
    ALERT_CODES,
    ALERT_NUMBERS,
    ALERTS,
    ENGINE_STATUS,
    REMEDY_TEXTS,
    STATUS,
)
from xlsizing.book.catalog_columns import (
    MODEL_COLUMNS,
    SERVER_COLUMNS,
    STORAGE_COLUMNS,
    CatalogColumn,
)
from xlsizing.book.constants import CONSTANTS
from xlsizing.book.engine.formulas import ENGINE_OUTPUTS, ENGINE_STEPS
from xlsizing.book.engine.layout_rows import COLUMNS as LAYOUT_COLUMNS
from xlsizing.book.engine.layout_rows import LayoutColumn, layout_rows
from xlsizing.book.engine.values import settings_values
from xlsizing.book.error_flow import NA, REFUSED, Figure, Scope, expression
from xlsizing.book.expressions import Formula
from xlsizing.book.formulas import OUTPUTS, REMEDY_STEPS, STEPS
from xlsizing.book.values import formula_values
from xlsizing.core import Catalogs
from xlsizing.core.engine import EngineSettings
from xlsizing.core.planning.cells import CellError, Value
from xlsizing.core.planning.limits import is_countable
from xlsizing.core.planning.typed import SYMBOLS, TypedLoad, stand_ins
from xlsizing.language import ENGLISH, Language

FORMULAS: Mapping[str, Formula] = {
    formula.symbol: formula
    for formula in (
        *STEPS,
        *OUTPUTS,
        *REMEDY_STEPS,
        *REMEDY_TEXTS,
        *ENGINE_STEPS,
        *ENGINE_OUTPUTS,
        ENGINE_STATUS,
        *ALERTS,
        STATUS,
        ALERT_CODES,
        ALERT_NUMBERS,
    )
}
"""The formulas of a row, by symbol."""

_CHECKED_BY: Mapping[str, str] = {
    "Model": "ModelRow",
    "Server": "ServerRow",
    "Storage": "StorageRow",
    "Concurrency": "Sessions",
    "Context": "ClampedContext",
    "KvPrecision": "ElementBytes",
    "KvBudgetRatio": "RatioParts",
    "RuntimeOverheadGiB": "OverheadParts",
    "PeakHeadroomRatio": "HeadroomParts",
    "HA": "SpareNodes",
    "TensorParallel": "TypedTp",
}
"""The step that refuses what is typed for an input."""

_NEVER_PASSED_ON = ("Concurrency", "Context", "HA")
"""Inputs whose step answers an error in the cell with one of its own."""

_AT_PEAK = tuple(symbol for symbol in FORMULAS if symbol.endswith("NodesWithHeadroom"))
"""The figures that refuse a load that a sheet cannot count at its peak."""


def faulty_values(
    typed: Mapping[str, Value],
    load: TypedLoad,
    settings: EngineSettings,
    catalogs: Catalogs,
    language: Language = ENGLISH,
) -> dict[str, Value]:
    """The value of each formula of a row, by symbol, where its load cannot be sized.

    Parameters
    ----------
    typed : what is typed for each input, by symbol.
    load : what a sizing takes of that.
    settings : the engine's settings.
    language : what the texts of formulas that are settled again are in.
    """
    sized = load.result(settings, stand_ins(catalogs))
    refused = {_CHECKED_BY[symbol]: _error(symbol, typed.get(symbol)) for symbol in load.refused}
    again = set(refused)
    if not is_countable(sized):
        again.update(_AT_PEAK)
    if "KvPrecision" in load.refused:
        again.add("Precision")
    values = dict(formula_values(sized, catalogs))
    row = _Row(typed, values, refused, again, language)
    row.scope = Scope(row.value, _names(settings), _columns(catalogs))
    for symbol in FORMULAS:
        row.settle(symbol)
    return {symbol: values[symbol] for symbol in FORMULAS}


def _error(symbol: str, value: Value) -> CellError:
    """What the step shows that refuses an input."""
    if isinstance(value, CellError) and symbol not in _NEVER_PASSED_ON:
        return value
    return NA if SYMBOLS[symbol].has_aliases else REFUSED


class _Row:
    """The values of a row while those that a refused input changes are settled again."""

    scope: Scope

    def __init__(
        self,
        typed: Mapping[str, Value],
        values: dict[str, Value],
        refused: Mapping[str, CellError],
        again: set[str],
        language: Language,
    ) -> None:
        self.typed = typed
        self.values = values
        self.refused = refused
        self.language = language
        self.left = {symbol for symbol in FORMULAS if again & _needs(symbol)}

    def value(self, symbol: str) -> Value:
        """The value of a symbol, as the formulas that need it find it."""
        if symbol in SYMBOLS:
            return self.typed.get(symbol)
        self.settle(symbol)
        return self.values[symbol]

    def settle(self, symbol: str) -> None:
        """Put in what a formula shows, where that is not what core computed."""
        if symbol not in self.left:
            return
        self.left.remove(symbol)
        if symbol in self.refused:
            self.values[symbol] = self.refused[symbol]
            return
        found = expression(FORMULAS[symbol].said(self.language))(self.scope)
        if not isinstance(found, Figure):
            self.values[symbol] = found


@cache
def _needs(symbol: str) -> frozenset[str]:
    """The formula of a symbol and every formula that it depends on."""
    found = re.findall(r"\{(\w+)\}", FORMULAS[symbol].source)
    direct = [each for each in dict.fromkeys(found) if each in FORMULAS]
    return frozenset({symbol}).union(*map(_needs, direct))


def _names(settings: EngineSettings) -> dict[str, Value]:
    """The values of the names that the formulas of a row use."""
    of_engine = {f"Engine_{symbol}": value for symbol, value in settings_values(settings).items()}
    return {name: value for name, value, _, _ in CONSTANTS} | of_engine


@lru_cache(maxsize=1)
def _columns(catalogs: Catalogs) -> Mapping[str, Sequence[Value]]:
    """The cells of the tables that the formulas of a row find entries in."""
    tables: tuple[tuple[str, Sequence[CatalogColumn | LayoutColumn], Sequence[Any]], ...] = (
        ("Models", MODEL_COLUMNS, catalogs.models),
        ("Servers", SERVER_COLUMNS, catalogs.servers),
        ("Storage", STORAGE_COLUMNS, catalogs.profiles),
        ("Layouts", LAYOUT_COLUMNS, layout_rows(catalogs)),
    )
    return {
        f"{table}[{column.head}]": [column.value(row) for row in rows]
        for table, columns, rows in tables
        for column in columns
    }
