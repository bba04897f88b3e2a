"""The functions of the plain workbook: LAMBDA names, for Excel 365 with nothing installed.

Each is one LAMBDA with one LET in it, which binds the steps that the function needs. The
steps are the formulas of the sheet Sizing, whose symbols become the names that LET binds.

A file does not hold what a person types. Excel stores LAMBDA, LET and ISOMITTED with the
prefix _xlfn., a parameter as _xlpm.name, an optional one as _xlop.name where it is
declared and as _xlpm.name where it is used, and names that LET binds as _xlpm.name. The
sources of this are in docs/decisions/0006-lambda-names.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName

from xlsizing.book.alert_formulas import WHY
from xlsizing.book.expressions import Formula, literal, render, symbols
from xlsizing.book.formulas import OUTPUTS, STEPS
from xlsizing.book.values import NO_NODES
from xlsizing.core import (
    DEFAULT_HA_MODE,
    DEFAULT_KV_BUDGET_RATIO,
    DEFAULT_PEAK_HEADROOM_RATIO,
    DEFAULT_RUNTIME_OVERHEAD_GIB,
    SizingResult,
)
from xlsizing.core.exact import plain
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value
from xlsizing.language import ENGLISH, Language

LONGEST_COMMENT = 255
"""Characters of a name's comment; Excel does not open a file with a longer one."""

_PARAMETER, _OPTIONAL, _FUNCTION = "_xlpm.", "_xlop.", "_xlfn."

_FORMULAS: Mapping[str, Formula] = {each.symbol: each for each in (*STEPS, *OUTPUTS, WHY)}

_CHECKED = (
    "ModelRow",
    "ServerRow",
    "ClampedContext",
    "ElementBytes",
    "RatioParts",
    "OverheadParts",
    "Sessions",
    "HeadroomParts",
    "SpareNodes",
)
"""The steps that read an argument, in the order in which a wrong one decides the answer:
names before values, as in the functions of `xlsizing.excel`.
"""


@dataclass(frozen=True)
class Argument:
    """An argument of the functions, and the symbol that formulas know it by."""

    name: str
    symbol: str
    field: str
    """Name of the field of SizingResult that holds it."""
    default: Callable[[SizingResult], object] | None = None
    """What a sizing takes where it is left out; None where it must be given."""

    @property
    def optional(self) -> bool:
        """True where a call may leave it out."""
        return self.default is not None

    @property
    def shown(self) -> str:
        """The name as a syntax line shows it: in brackets where it is optional."""
        return f"[{self.name}]" if self.optional else self.name


_MODEL = Argument("model", "Model", "model")
_SERVER = Argument("server", "Server", "server")
_CONCURRENCY = Argument("concurrency", "Concurrency", "concurrency")
_CONTEXT = Argument("context", "Context", "effective_context")
_PRECISION = Argument(
    "precision", "KvPrecision", "kv_precision", lambda result: result.model.default_kv_precision
)
_BUDGET = (
    Argument(
        "kv_budget_ratio", "KvBudgetRatio", "kv_budget_ratio", lambda _: DEFAULT_KV_BUDGET_RATIO
    ),
    Argument(
        "runtime_overhead_gib",
        "RuntimeOverheadGiB",
        "runtime_overhead_gib",
        lambda _: DEFAULT_RUNTIME_OVERHEAD_GIB,
    ),
)
_NODE_ARGUMENTS = (
    *(_MODEL, _SERVER, _CONCURRENCY, _CONTEXT, _PRECISION, *_BUDGET),
    Argument(
        "headroom",
        "PeakHeadroomRatio",
        "peak_headroom_ratio",
        lambda _: DEFAULT_PEAK_HEADROOM_RATIO,
    ),
    Argument("ha", "HA", "ha_mode", lambda _: DEFAULT_HA_MODE),
)


@dataclass(frozen=True)
class Function:
    """A function of the workbook: its name, the formula that answers, and what it gives."""

    name: str
    answer: str
    """Symbol of the formula that answers."""
    what: str
    arguments: tuple[Argument, ...]
    passes_errors: bool = True
    """False where the answer is a sentence about what is wrong."""

    @property
    def syntax(self) -> str:
        """The call as documentation shows it, with optional arguments in brackets."""
        return f"{self.name}({', '.join(each.shown for each in self.arguments)})"

    @property
    def comment(self) -> str:
        """What Excel shows beside the name while a person types it."""
        return Message("{what} {syntax}", what=self.what, syntax=self.syntax)

    @property
    def steps(self) -> tuple[Formula, ...]:
        """The formulas that the function binds, each after those that it reads."""
        return tuple(_FORMULAS[symbol] for symbol in _needed([*self._checked, self.answer]))

    @property
    def text(self) -> str:
        """The function in English."""
        return self.said(ENGLISH)

    def said(self, language: Language) -> str:
        """The function as a defined name holds it in a file, without an equals sign.

        Parameters
        ----------
        language : what its texts for people are in.
        """
        parameters = [_declared(each) for each in self.arguments]
        bound = [f"{_ONE_CELL},{_ONE_CELL_TEXT}"]
        bound += [f"{_bound(each.symbol)},{_given(each)}" for each in self.arguments]
        bound += [
            f"{_bound(each.symbol)},{render(each.said(language), _bound)}" for each in self.steps
        ]
        scope = _call("LET", [*bound, self._answer()])
        return _call("LAMBDA", [*parameters, scope])

    @property
    def _checked(self) -> list[str]:
        """The checked steps that read nothing but what the function is given."""
        if not self.passes_errors:
            return []
        given = {each.symbol for each in self.arguments}
        return [each for each in _CHECKED if _inputs(each) <= given]

    def _answer(self) -> str:
        """The answer, or the first error of the arguments and then of the steps."""
        text = _bound(self.answer)
        if self.passes_errors:
            given = [each.symbol for each in self.arguments]
            for symbol in reversed([*given, *self._checked]):
                text = f"IF(ISERROR({_bound(symbol)}),{_bound(symbol)},{text})"
        return text


def _call(function: str, arguments: Iterable[str]) -> str:
    return f"{_FUNCTION}{function}({','.join(arguments)})"


def _declared(argument: Argument) -> str:
    return (_OPTIONAL if argument.optional else _PARAMETER) + argument.name


def _bound(symbol: str) -> str:
    # A name must not be told from a parameter by case alone; Excel ignores case.
    return f"{_PARAMETER}Let_{symbol}"


def _given(argument: Argument) -> str:
    """An argument as formulas read it: nothing where it was left out, and never many cells."""
    name = _PARAMETER + argument.name
    one = f"{_ONE_CELL}({name})"
    return f'IF({_call("ISOMITTED", [name])},"",{one})' if argument.optional else one


# MIN and AND would make one figure of a range, and nobody would see that it is wrong.
_CELLS = f"{_PARAMETER}cells"
_ONE_CELL = _bound("OneCell")
_ONE_CELL_TEXT = _call(
    "LAMBDA", [_CELLS, f"IF(ROWS({_CELLS})*COLUMNS({_CELLS})=1,{_CELLS},#VALUE!)"]
)


def _needed(wanted: Iterable[str]) -> list[str]:
    """The symbols of all formulas that `wanted` are computed from, in dependency order."""
    found: dict[str, None] = {}
    for symbol in wanted:
        if symbol in _FORMULAS:
            found |= dict.fromkeys([*_needed(symbols(_FORMULAS[symbol].text)), symbol])
    return list(found)


def _inputs(symbol: str) -> set[str]:
    """The inputs that a formula is computed from."""
    read = [each for step in _needed([symbol]) for each in symbols(_FORMULAS[step].text)]
    return {each for each in read if each not in _FORMULAS}


FUNCTIONS: tuple[Function, ...] = (
    Function(
        "KV_PER_SESSION",
        "KvPerSessionGiB",
        Message("KV cache of one session in GiB."),
        (_MODEL, _CONTEXT, _PRECISION),
    ),
    Function(
        "KV_TOTAL",
        "KvTotalTiB",
        Message("KV cache of all sessions together in TiB."),
        (_MODEL, _CONTEXT, _CONCURRENCY, _PRECISION),
    ),
    Function(
        "SESSIONS_PER_NODE",
        "SessionsPerNode",
        Message("Sessions that one node holds; 0 where none fits."),
        (_MODEL, _SERVER, _CONTEXT, _PRECISION, *_BUDGET),
    ),
    Function(
        "NODES_MINIMUM",
        "NodesMinimum",
        Message("Nodes for the load as it is, without headroom or spare nodes."),
        _NODE_ARGUMENTS,
    ),
    Function(
        "NODES_WITH_HEADROOM",
        "NodesWithHeadroom",
        Message("Nodes for the load with its peak headroom, without spare nodes."),
        _NODE_ARGUMENTS,
    ),
    Function(
        "NODES_REQUIRED",
        "NodesFinal",
        Message("Nodes to buy or rent: with peak headroom, and a spare one where ha is n+1."),
        _NODE_ARGUMENTS,
    ),
    Function(
        "SIZING_WHY",
        WHY.symbol,
        Message("OK, or what is wrong with a load in a sentence."),
        _NODE_ARGUMENTS,
        passes_errors=False,
    ),
)
"""The functions of a plain workbook, in the order of the method."""


def define_functions(book: Workbook, language: Language = ENGLISH) -> None:
    """Define the functions as names of the workbook, with texts in a language."""
    for each in FUNCTIONS:
        book.defined_names[each.name] = DefinedName(
            each.name, attr_text=each.said(language), comment=language.say(each.comment)
        )


class Example(NamedTuple):
    """A call of a function, to be shown as text, and what it answers."""

    function: Function
    call: str
    """The formula as a person types it."""
    answer: Value


def examples(result: SizingResult) -> tuple[Example, ...]:
    """A call of each function for the load of a sizing, with core's answer.

    Arguments that have their default are left out, as a person would.
    """
    answers: Mapping[str, Value] = {
        "KV_PER_SESSION": result.kv_per_session_gib,
        "KV_TOTAL": result.kv_total_tib,
        "SESSIONS_PER_NODE": result.sessions_per_node,
        "NODES_MINIMUM": result.nodes_minimum or NO_NODES,
        "NODES_WITH_HEADROOM": result.nodes_with_headroom or NO_NODES,
        "NODES_REQUIRED": result.nodes_final or NO_NODES,
        "SIZING_WHY": result.status,
    }
    return tuple(
        Example(each, f"={each.name}({_typed(each.arguments, result)})", answers[each.name])
        for each in FUNCTIONS
    )


def _typed(arguments: Iterable[Argument], result: SizingResult) -> str:
    return ",".join(_typed_argument(each, result) for each in arguments).rstrip(",")


def _typed_argument(argument: Argument, result: SizingResult) -> str:
    value = getattr(result, argument.field)
    if argument.default and value == argument.default(result):
        return ""
    if argument in (_MODEL, _SERVER):
        value = value.name
    return literal(value) if isinstance(value, str) else plain(value)
