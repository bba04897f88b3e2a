"""The formulas of the workbook as equations that people read.

An equation is made of the same text as the cell: a formula is read into a tree, and the
tree is written with ⌊ ⌋ for INT, "Models: Max context" for a column of the model's row,
and the words that a sheet shows for its figures. What only concerns how a sheet counts,
such as TRIM around a typed word, is left out.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xlsizing.book.expressions import Formula
from xlsizing.book.formulas import OUTPUTS, STEPS
from xlsizing.core.planning.inputs import INPUTS

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"]|"")*")|(?P<error>\#[A-Z0-9/]+[!?]?)|(?P<number>\d+(?:\.\d+)?)
    |(?P<column>\w+\[[^\]]*\])|\{(?P<symbol>\w+)\}|(?P<call>[A-Z][A-Z0-9]*)\(|(?P<name>[A-Za-z_]\w*)
    |(?P<mark><=|>=|<>|[-+*/&=<>(),]))""",
    re.VERBOSE,
)

_PRECEDENCE: Mapping[str, int] = {
    **dict.fromkeys(("=", "<>", "<", ">", "<=", ">="), 1),
    "&": 2,
    **dict.fromkeys("+-", 3),
    **dict.fromkeys("*/", 4),
}
_WORDS: Mapping[str, str] = {"*": "\N{MULTIPLICATION SIGN}", "<>": "≠", "<=": "≤", ">=": "≥"}
_NEGATIVE = 5
_WHOLE = 9
"""Precedence of what never needs parentheses."""
_LOOSE = 0
"""Precedence of words, which always do."""


@dataclass(frozen=True)
class _Node:
    """A piece of a formula: a call or operator with its parts, or one of the other tokens."""

    kind: str
    text: str
    parts: tuple["_Node", ...] = ()


class _Reader:
    """Reads a formula's text into a tree."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            assert match, f"a formula that cannot be read: {text[place:]}"
            kind = match.lastgroup or ""
            self.tokens.append((kind, match[kind]))
            place = match.end()
        self.place = 0

    def expression(self, least: int = 1) -> _Node:
        """The expression from here on, as far as operators bind as tightly as `least`."""
        left = self._operand()
        while (mark := self._next_mark()) in _PRECEDENCE and _PRECEDENCE[mark] >= least:
            self.place += 1
            left = _Node("operator", mark, (left, self.expression(_PRECEDENCE[mark] + 1)))
        return left

    def _next_mark(self) -> str:
        kind, text = self.tokens[self.place] if self.place < len(self.tokens) else ("", "")
        return text if kind == "mark" else ""

    def _operand(self) -> _Node:
        kind, text = self.tokens[self.place]
        self.place += 1
        if kind == "call":
            return _Node("call", text, self._arguments())
        if (kind, text) == ("mark", "-"):
            return _Node("negative", "-", (self.expression(_NEGATIVE),))
        if (kind, text) == ("mark", "("):
            inner = self.expression()
            self.place += 1
            return inner
        return _Node(kind, text)

    def _arguments(self) -> tuple[_Node, ...]:
        found = []
        while True:
            found.append(self.expression())
            self.place += 1
            if self.tokens[self.place - 1][1] == ")":
                return tuple(found)


_LABELS: Mapping[str, str] = {
    **{asked.symbol: asked.label for asked in INPUTS},
    **{formula.symbol: formula.label for formula in (*STEPS, *OUTPUTS)},
}
_ROWS: Mapping[str, str] = {"Models": "ModelRow", "Servers": "ServerRow", "Storage": "StorageRow"}
"""The step that says which row of a catalog is meant."""
_REFUSED = _Node("error", "#VALUE!")
_EMPTY = _Node("text", '""')

Written = tuple[str, int]
"""A piece of an equation, and how tightly it binds."""


def equation(formula: Formula) -> str:
    """A formula as an equation, such as "Nodes final = Nodes with headroom + Spare nodes"."""
    return f"{formula.label} = {_written(_Reader(formula.text).expression())[0]}"


def _written(node: _Node) -> Written:
    if node.kind == "call":
        return _CALLS[node.text](node)
    if node.kind == "operator":
        return _operator(node)
    if node.kind == "negative":
        (inner,) = node.parts
        if inner.kind == "call" and inner.text == "INT" and (above := _positive(inner.parts[0])):
            return f"⌈{_written(above)[0]}⌉", _WHOLE
        return f"-{_within(node.parts[0], _NEGATIVE)}", _NEGATIVE
    if node.kind == "column":
        table, _, column = node.text.partition("[")
        return f"{table}: {column[:-1]}", _WHOLE
    if node.kind == "symbol":
        return _LABELS[node.text], _WHOLE
    if node.kind == "name":
        return _name(node.text), _WHOLE
    return node.text, _WHOLE


def _within(node: _Node, least: int) -> str:
    text, binds = _written(node)
    return text if binds >= least else f"({text})"


def _operator(node: _Node) -> Written:
    left, right = node.parts
    binds = _PRECEDENCE[node.text]
    if node.text == "=" and right == _EMPTY:
        return f"{_within(left, _WHOLE)} is empty", binds
    word = _WORDS.get(node.text, node.text)
    # After minus and division, what stands on the right is kept together.
    return f"{_within(left, binds)} {word} {_within(right, binds + 1)}", binds


def _name(name: str) -> str:
    """Const_BytesPerGiB is "bytes per GiB", Default_HA "default HA", Limit_Exact "exact limit"."""
    kind, _, rest = name.partition("_")
    words = [_UPPER.get(word, word.lower()) for word in _NAME_WORD.findall(rest)]
    before = ["default"] if kind == "Default" else []
    return " ".join([*before, *words, *(["limit"] if kind == "Limit" else [])])


_UPPER = {each.lower().capitalize(): each for each in ("KV", "GiB")}
_UPPER |= {each: each for each in ("GiB", "TiB", "MiB", "GB", "HA")}
_NAME_WORD = re.compile(r"GiB|TiB|MiB|GB|HA|[A-Z][a-z]*")


def _positive(node: _Node) -> _Node | None:
    """A product or quotient without the minus in front of it; None where it has none."""
    if node.kind == "negative":
        return node.parts[0]
    if node.kind == "operator" and node.text in "*/":
        left = _positive(node.parts[0])
        return left and _Node("operator", node.text, (left, node.parts[1]))
    return None


def _first(node: _Node) -> Written:
    return _written(node.parts[0])


def _floor(node: _Node) -> Written:
    return f"⌊{_first(node)[0]}⌋", _WHOLE


def _plain_call(node: _Node) -> Written:
    inside = ", ".join(_within(each, _LOOSE + 1) for each in node.parts)
    return f"{node.text.lower()}({inside})", _WHOLE


def _round(node: _Node) -> Written:
    whole = node.parts[1] == _Node("number", "0")
    return _plain_call(_Node("call", "ROUND", node.parts[:1]) if whole else node)


def _all_of(node: _Node) -> Written:
    return " and ".join(_within(each, _LOOSE + 1) for each in node.parts), _LOOSE


def _is_number(node: _Node) -> Written:
    return f"{_within(node.parts[0], _WHOLE)} is a number", _PRECEDENCE["="]


def _index(node: _Node) -> Written:
    column, place = node.parts
    table = column.text.partition("[")[0]
    if place == _Node("symbol", _ROWS.get(table, "")):
        return _written(column)
    if place.kind == "call" and place.text == "MATCH":
        key, names, _ = place.parts
        head = names.text.partition("[")[2][:-1]
        return f"{_written(column)[0]} where {head} is {_within(key, _WHOLE)}", _LOOSE
    return f"{_written(column)[0]} in {_written(place)[0]}", _LOOSE


def _match(node: _Node) -> Written:
    key, names, _ = node.parts
    table, _, head = names.text.partition("[")
    return f"row of {table} where {head[:-1]} is {_within(key, _WHOLE)}", _LOOSE


def _if_error(node: _Node) -> Written:
    tried, instead = node.parts
    if instead == _REFUSED:
        return _written(tried)
    return f"{_written(tried)[0]}, else {_written(instead)[0]}", _LOOSE


def _if(node: _Node) -> Written:
    condition, then, otherwise = node.parts
    if condition == _Node("call", "ISERROR", (then,)):
        return _written(otherwise)
    if otherwise == _REFUSED:
        return _where(node)
    if then == _REFUSED:
        return f"{_within(otherwise, 1)}, refused if {_written(condition)[0]}", _LOOSE
    chosen = f"{_within(then, 1)} if {_written(condition)[0]}"
    return f"{chosen}, else {_within(otherwise, 1)}", _LOOSE


def _where(node: _Node) -> Written:
    """A figure that is refused where one of the conditions around it does not hold."""
    conditions = []
    while node.kind == "call" and node.text == "IF" and node.parts[2] == _REFUSED:
        conditions.append(_written(node.parts[0])[0])
        node = node.parts[1]
    return f"{_within(node, 1)} where {' and '.join(conditions)}", _LOOSE


_CALLS: Mapping[str, Callable[[_Node], Written]] = {
    # MATCH reads *, ? and ~ as wildcards, so SUBSTITUTE only quotes them.
    **dict.fromkeys(("TRIM", "LOWER", "SUBSTITUTE"), _first),
    **dict.fromkeys(("MIN", "MAX", "ABS", "LOG10"), _plain_call),
    "ROUND": _round,
    "INT": _floor,
    "AND": _all_of,
    "ISNUMBER": _is_number,
    "INDEX": _index,
    "MATCH": _match,
    "IFERROR": _if_error,
    "IF": _if,
}
"""How each function that the method calls is written."""
