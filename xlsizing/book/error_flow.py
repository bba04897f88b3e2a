"""How an error value flows through a formula's text: what the cell shows in its place.

The figures of a row come from core. Where one of its inputs is refused, core has no
figure, and the cell shows what its formula makes of the error: most pass it on, IF only
from the branch that it takes, IFERROR not at all. This module reads the formula's own
text for that, so that nothing restates it. It computes what conditions need and no more:
any other figure stays with core.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from xlsizing.core.planning.cells import CellError, Value, trimmed, words

NA: Final = CellError("#N/A")
REFUSED: Final = CellError("#VALUE!")


class Figure:
    """Stands for a figure that is no error, and that core has computed."""


FIGURE: Final = Figure()

Result = Value | Figure
"""What an expression comes to; a CellError where that is an error."""


@dataclass(frozen=True)
class Scope:
    """What the names in a formula stand for."""

    symbol: Callable[[str], Value]
    """The value of {Symbol}."""
    names: Mapping[str, Value]
    """The values of defined names."""
    columns: Mapping[str, Sequence[Value]]
    """The cells of table columns, such as Models[Max context]."""


Expression = Callable[[Scope], Result]


@lru_cache(maxsize=256)
def expression(text: str) -> Expression:
    """The meaning of a formula's text over symbols."""
    reader = _Reader(_tokens(text))
    found = reader.comparison()
    assert reader.at_end, f"what follows in {text!r}?"
    return found


class _Token(NamedTuple):
    kind: str
    text: str


_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"]|"")*")
      | (?P<symbol>\{\w+\})
      | (?P<column>\w+\[[^\[\]]+\])
      | (?P<call>[A-Z]+\()
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<error>\#(?:N/A|[A-Z/0]+[!?]))
      | (?P<name>\w+)
      | (?P<sign><>|<=|>=|[-+*/&=<>(),])""",
    re.VERBOSE,
)


def _tokens(text: str) -> list[_Token]:
    found, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        assert match, f"what is {text[place : place + 20]!r}?"
        found.append(_Token(str(match.lastgroup), match[0]))
        place = match.end()
    return found


class _Reader:
    """Reads expressions from tokens, from those that bind least to those that bind most."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self.tokens = tokens
        self.place = 0

    @property
    def at_end(self) -> bool:
        """True where every token was read."""
        return self.place == len(self.tokens)

    def comparison(self) -> Expression:
        """Reads left = right and the like."""
        return self._chain(self._joined, _COMPARISONS)

    def _joined(self) -> Expression:
        return self._chain(self._sum, _JOINING)

    def _sum(self) -> Expression:
        return self._chain(self._product, _ADDING)

    def _product(self) -> Expression:
        return self._chain(self._operand, _MULTIPLYING)

    def _chain(
        self, part: Callable[[], Expression], operators: Mapping[str, "_Operation"]
    ) -> Expression:
        left = part()
        while not self.at_end and self.tokens[self.place].text in operators:
            operation = operators[self._next().text]
            left = _strict(operation, [left, part()])
        return left

    def _operand(self) -> Expression:
        kind, text = self._next()
        if text == "-":
            return _strict(_negated, [self._operand()])
        if text == "(":
            inner = self.comparison()
            self._expect(")")
            return inner
        if kind == "call":
            return self._call(text[:-1])
        return _leaf(kind, text)

    def _call(self, name: str) -> Expression:
        arguments = []
        while self.tokens[self.place].text != ")":
            arguments.append(self.comparison())
            if self.tokens[self.place].text == ",":
                self._next()
        self._expect(")")
        if name in _LAZY:
            return _LAZY[name](arguments)
        return _strict(_FUNCTIONS.get(name, _left_to_core), arguments)

    def _next(self) -> _Token:
        self.place += 1
        return self.tokens[self.place - 1]

    def _expect(self, text: str) -> None:
        found = self._next().text
        assert found == text, f"{found!r} where {text!r} should be"


_Operation = Callable[..., Result]


def _leaf(kind: str, text: str) -> Expression:
    if kind == "symbol":
        symbol = text[1:-1]
        return lambda scope: scope.symbol(symbol)
    if kind == "column":
        return lambda scope: _Column(text, scope.columns.get(text))
    if kind == "name" and text not in ("TRUE", "FALSE"):
        return lambda scope: scope.names[text]
    value: Value
    if kind == "text":
        value = text[1:-1].replace('""', '"')
    elif kind == "error":
        value = CellError(text)
    elif kind == "name":
        value = text == "TRUE"
    else:
        value = float(text) if "." in text else int(text)
    return lambda _: value


class _Column(Figure):
    """A table column; its cells are None where only core reads them."""

    def __init__(self, name: str, cells: Sequence[Value] | None) -> None:
        self.name = name
        self.cells = cells


def _strict(operation: _Operation, arguments: Sequence[Expression]) -> Expression:
    """An operation that passes on the first error among its arguments."""

    def result(scope: Scope) -> Result:
        values = [argument(scope) for argument in arguments]
        error = next((value for value in values if isinstance(value, CellError)), None)
        return operation(*values) if error is None else error

    return result


def _left_to_core(*_: Result) -> Result:
    return FIGURE


def _if(arguments: Sequence[Expression]) -> Expression:
    condition, then, otherwise = arguments

    def result(scope: Scope) -> Result:
        holds = condition(scope)
        if isinstance(holds, CellError):
            return holds
        assert not isinstance(holds, Figure), "a condition that only core could tell"
        return then(scope) if holds else otherwise(scope)

    return result


def _if_error(arguments: Sequence[Expression]) -> Expression:
    tried, otherwise = arguments

    def result(scope: Scope) -> Result:
        value = tried(scope)
        return otherwise(scope) if isinstance(value, CellError) else value

    return result


def _is_error(arguments: Sequence[Expression]) -> Expression:
    (tried,) = arguments
    return lambda scope: isinstance(tried(scope), CellError)


def _is_number(arguments: Sequence[Expression]) -> Expression:
    (tried,) = arguments
    return lambda scope: _is_counted(tried(scope))


def _is_counted(value: Result) -> bool:
    assert not isinstance(value, Figure), "a figure that only core knows"
    return isinstance(value, int | float) and not isinstance(value, bool)


_LAZY: Mapping[str, Callable[[Sequence[Expression]], Expression]] = {
    "IF": _if,
    "IFERROR": _if_error,
    "ISERROR": _is_error,
    "ISNUMBER": _is_number,
}
"""Functions that do not pass on every error."""


def _and(*values: Result) -> Result:
    if any(value is False for value in values):
        return False
    return FIGURE if any(isinstance(value, Figure) for value in values) else True


def _or(*values: Result) -> Result:
    if any(value is True for value in values):
        return True
    return FIGURE if any(isinstance(value, Figure) for value in values) else False


def _match(wanted: Result, column: Result, _: Result) -> Result:
    """The place of a text in a column, from 1; a figure where the column is core's alone."""
    if not isinstance(column, _Column) or column.cells is None:
        return FIGURE
    return column.cells.index(wanted) + 1 if wanted in column.cells else NA


def _index(column: Result, row: Result, *_: Result) -> Result:
    if not isinstance(column, _Column) or column.cells is None or not isinstance(row, int):
        return FIGURE
    return column.cells[row - 1]


def _on_values(compute: Callable[..., Value]) -> _Operation:
    """An operation on values; a figure where one of them is one."""

    def result(*values: Result) -> Result:
        if any(isinstance(value, Figure) for value in values):
            return FIGURE
        return compute(*values)

    return result


def _on_numbers(compute: Callable[..., float]) -> _Operation:
    def result(*values: Value) -> Value:
        numbers = [0 if value is None else value for value in values]
        if any(isinstance(number, str) for number in numbers):
            return REFUSED
        return compute(*numbers)

    return _on_values(result)


def _number_of(value: Value) -> Value:
    return value if isinstance(value, int | float) else 0


def _equal(left: Value, right: Value) -> bool:
    if left is None or right is None:
        other = right if left is None else left
        return other in (None, "") or (other == 0 and other is not False)
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    return _rank(left) == _rank(right) and left == right


def _rank(value: Value) -> int:
    """Numbers stand before text, and text before TRUE and FALSE."""
    return 2 if isinstance(value, bool) else 1 if isinstance(value, str) else 0


def _ordered(holds: Callable[[Any, Any], bool]) -> _Operation:
    def result(left: Value, right: Value) -> Value:
        ranks = _rank(left), _rank(right)
        if ranks[0] != ranks[1]:
            return holds(*ranks)
        if ranks[0] == 1:
            return holds(str(left).lower(), str(right).lower())
        return holds(left or 0, right or 0)

    return _on_values(result)


_negated = _on_numbers(operator.neg)

_COMPARISONS: Mapping[str, _Operation] = {
    "=": _on_values(_equal),
    "<>": _on_values(lambda left, right: not _equal(left, right)),
    "<": _ordered(operator.lt),
    ">": _ordered(operator.gt),
    "<=": _ordered(operator.le),
    ">=": _ordered(operator.ge),
}
_JOINING: Mapping[str, _Operation] = {
    "&": _on_values(lambda left, right: words(left) + words(right))
}
_ADDING: Mapping[str, _Operation] = {
    "+": _on_numbers(operator.add),
    "-": _on_numbers(operator.sub),
}
_MULTIPLYING: Mapping[str, _Operation] = {
    "*": _on_numbers(operator.mul),
    "/": _left_to_core,
}
_FUNCTIONS: Mapping[str, _Operation] = {
    "AND": _and,
    "OR": _or,
    "NOT": _on_values(operator.not_),
    "N": _on_values(_number_of),
    "INT": _on_numbers(math.floor),
    "TRIM": _on_values(trimmed),
    "LOWER": _on_values(lambda value: words(value).lower()),
    "LEFT": _on_values(lambda value, length: words(value)[:length]),
    "MID": _on_values(lambda value, start, length: words(value)[start - 1 :][:length]),
    "MATCH": _match,
    "INDEX": _index,
}
"""Functions that conditions and texts need; core has the figures of all others."""
