"""What is typed in a workbook's input cells, and what of it a sizing takes.

A cell takes what core takes, up to the largest numbers that a sheet counts exactly. An
empty cell, and one of blanks alone, is one in which nothing is typed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from xlsizing.core.capacity import (
    DEFAULT_KV_BUDGET_RATIO,
    DEFAULT_RUNTIME_OVERHEAD_GIB,
    KvBudgetRatio,
    RuntimeOverheadGib,
)
from xlsizing.core.catalogs import Catalogs, name_key
from xlsizing.core.constraints import Count, require
from xlsizing.core.engine import EngineSettings
from xlsizing.core.entries import KvPrecision
from xlsizing.core.errors import InvalidValueError, SizingError
from xlsizing.core.exact import RATIO_PARTS, as_whole, grouped
from xlsizing.core.kv_cache import whole_number
from xlsizing.core.message import Message
from xlsizing.core.nodes import (
    DEFAULT_HA_MODE,
    DEFAULT_PEAK_HEADROOM_RATIO,
    HaMode,
    PeakHeadroomRatio,
)
from xlsizing.core.planning.cells import CellError, Value, trimmed
from xlsizing.core.planning.inputs import INPUTS, TENSOR_PARALLEL, Input
from xlsizing.core.planning.limits import LIMIT_EXACT, LIMIT_OVERHEAD_GIB
from xlsizing.core.sizing import SizingResult, size

SYMBOLS: Mapping[str, Input] = {asked.symbol: asked for asked in (*INPUTS, TENSOR_PARALLEL)}
"""The inputs of a load, by symbol."""


@dataclass(frozen=True)
class TypedLoad:
    """A load as it is typed: what a sizing takes of it, and what it refuses."""

    taken: Mapping[str, Any]
    """What core is given for each input, by symbol, where it is not refused."""
    refused: Mapping[str, SizingError]
    """Why core or a sheet refuses an input, by symbol."""

    def result(
        self, settings: EngineSettings, stand_ins: Mapping[str, Any] = MappingProxyType({})
    ) -> SizingResult:
        """The sizing of the load, with a stand-in for each input that is refused."""
        given = {**self.taken, **{symbol: stand_ins[symbol] for symbol in self.refused}}
        return size(
            **{SYMBOLS[symbol].field: value for symbol, value in given.items() if symbol in _LOAD},
            settings=replace(settings, tensor_parallel=given[TENSOR_PARALLEL.symbol]),
        )


_LOAD = frozenset(asked.symbol for asked in INPUTS)


def typed_load(typed: Mapping[str, Value], catalogs: Catalogs) -> TypedLoad:
    """What a sizing takes of a load, and what it refuses.

    Parameters
    ----------
    typed : what is typed for each input, by symbol; nothing where one is left out.
    """
    taken: dict[str, Any] = {}
    refused: dict[str, SizingError] = {}
    for symbol, asked in SYMBOLS.items():
        try:
            taken[symbol] = _taken(asked, typed.get(symbol), catalogs)
        except SizingError as error:
            refused[symbol] = error
    return TypedLoad(taken, refused)


def stand_ins(catalogs: Catalogs) -> dict[str, Any]:
    """A value that is taken for each input."""
    return {
        "Model": catalogs.models[0],
        "Server": catalogs.servers[0],
        "Storage": catalogs.profiles[0],
        "Concurrency": 1,
        "Context": 1,
        **_DEFAULTS,
    }


_DEFAULTS: Mapping[str, Any] = {
    "KvPrecision": None,
    "KvBudgetRatio": DEFAULT_KV_BUDGET_RATIO,
    "RuntimeOverheadGiB": DEFAULT_RUNTIME_OVERHEAD_GIB,
    "PeakHeadroomRatio": DEFAULT_PEAK_HEADROOM_RATIO,
    "HA": DEFAULT_HA_MODE,
    "TensorParallel": None,
}
"""What an empty cell of an input that need not be given stands for."""


def _taken(asked: Input, value: Value, catalogs: Catalogs) -> Any:
    if isinstance(value, CellError):
        raise InvalidValueError(asked.field, value, Message("a value instead of an error"))
    text = trimmed(value)
    if not text and asked.symbol in _DEFAULTS:
        return _DEFAULTS[asked.symbol]
    if asked.has_aliases:
        if not text:
            raise InvalidValueError(asked.field, value, _A_NAME[asked.symbol])
        return _FIND[asked.symbol](catalogs, text)
    if asked.symbol in _WORDS:
        word = name_key(text)
        require(asked.field, word, _WORDS[asked.symbol])
        return word
    number = as_whole(value)
    if asked.symbol in ("Concurrency", "Context"):
        whole_number(asked.field, number)  # type: ignore[arg-type]
    else:
        require(_fields(asked), number, _NUMBERS[asked.symbol])
    most = _MOST.get(asked.symbol, LIMIT_EXACT)
    if number > most:  # type: ignore[operator]
        raise InvalidValueError(
            _fields(asked), number, Message("at most {most} in a workbook", most=grouped(most))
        )
    return number


def _fields(asked: Input) -> str:
    return "tensor_parallel" if asked is TENSOR_PARALLEL else asked.field


_A_NAME: Mapping[str, Message] = {
    "Model": Message("the name of a model"),
    "Server": Message("the name of a server"),
    "Storage": Message("the name of a storage"),
}
_FIND: Mapping[str, Callable[[Catalogs, str], Any]] = {
    "Model": Catalogs.model,
    "Server": Catalogs.server,
    "Storage": Catalogs.profile,
}
_WORDS: Mapping[str, Any] = {"KvPrecision": KvPrecision, "HA": HaMode}
_NUMBERS: Mapping[str, Any] = {
    "KvBudgetRatio": KvBudgetRatio,
    "RuntimeOverheadGiB": RuntimeOverheadGib,
    "PeakHeadroomRatio": PeakHeadroomRatio,
    "TensorParallel": Count,
}
_MOST: Mapping[str, int] = {
    "RuntimeOverheadGiB": LIMIT_OVERHEAD_GIB,
    "PeakHeadroomRatio": LIMIT_EXACT // RATIO_PARTS,
}
"""The most that a sheet takes, where that is not the largest number that it counts exactly."""
