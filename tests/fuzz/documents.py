"""Mutations of catalog files: of what the JSON says, of how it is written, and of the files."""

import copy
import json
import re
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from tests.fuzz import raw

Files = dict[str, bytes | None]
"""The content of files by name; None for a folder of that name."""
_Place = tuple[Any, Any]
"""An object or a list, and the key or number of something in it."""

_FIGURES: Sequence[Any] = (
    0,
    -1,
    1,
    0.5,
    -0.0,
    1e-320,
    1e308,
    2**31,
    2**53 + 1,
    2**63,
    10**15,
    10**30,
    10**299,
    True,
    False,
    None,
)
_TEXTS: Sequence[Any] = (
    "",
    " ",
    "m",
    "=1+1",
    "@SUM(A1)",
    "+1",
    "-1",
    "12",
    "NaN",
    "\0",
    "\x1b[2J",
    "\x9b2J",
    "a\nb",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\U0001f4a5",
    "\ud800",
    "_x000D_",
    "full",
    "sliding",
    "hybrid",
    "grouped",
    "fp8",
    "x" * 40_000,
    "*",
    "a?",
    "gpt-oss-120b",
)
_OTHERS: Sequence[Any] = ([], {}, [[]], [{}], {"": ""}, [None] * 50, {"kind": "full"}, ["m"], [1])


def _places(document: Any) -> Iterator[_Place]:
    if isinstance(document, dict | list):
        keys = list(document) if isinstance(document, dict) else range(len(document))
        for key in keys:
            yield document, key
            yield from _places(document[key])


def _place(document: Any, random: Random) -> _Place:
    return random.choice(list(_places(document)) or [({"a": 1}, "a")])


def _replace(document: Any, random: Random) -> None:
    within, key = _place(document, random)
    within[key] = copy.deepcopy(random.choice(random.choice((_FIGURES, _TEXTS, _OTHERS))))


def _drop(document: Any, random: Random) -> None:
    within, key = _place(document, random)
    del within[key]


def _add(document: Any, random: Random) -> None:
    within, key = _place(document, random)
    value = copy.deepcopy(random.choice((*_FIGURES, *_TEXTS, *_OTHERS)))
    if isinstance(within, list):
        within.insert(key, value)
    else:
        within[
            random.choice(("aliases", "notes", "sources", "layer_groups", "x", "$schema", ""))
        ] = value


def _double(document: Any, random: Random) -> None:
    within, key = _place(document, random)
    if isinstance(within, list):
        within += [copy.deepcopy(within[key])] * random.choice((1, 1, 300))
    else:
        within[str(key) * 2] = within[key]


def _swap(document: Any, random: Random) -> None:
    (one, key), (other, place) = _place(document, random), _place(document, random)
    value, second = copy.deepcopy(one[key]), copy.deepcopy(other[place])
    other[place] = value
    one[key] = second


def _nest(document: Any, random: Random) -> None:
    within, key = _place(document, random)
    for _ in range(random.choice((1, 5, 150))):
        within[key] = random.choice(([within[key]], {"models": within[key]}))


_IN_DOCUMENTS: Sequence[Callable[[Any, Random], None]] = (
    _replace,
    _replace,
    _replace,
    _drop,
    _add,
    _double,
    _swap,
    _nest,
)


def _say_twice(text: str, random: Random) -> str:
    found = list(re.finditer(r'"[^"\n]*": (?:"[^"\n]*"|[\d.]+),', text))
    if not found:
        return text
    match = random.choice(found)
    return text[: match.end()] + match[0] + text[match.end() :]


def _write_a_number(text: str, random: Random) -> str:
    found = list(re.finditer(r"(?<=: )-?[\d.]+", text))
    if not found:
        return text
    match = random.choice(found)
    numbers = ("NaN", "Infinity", "-Infinity", "1e999", "9" * 301, "9" * 5_000, "0x1F", "01", "1.")
    more = ("-", "1e-999", "+1", "1_000", "null", "undefined", "1" * 290 + ".5", "1E400", "-0")
    return text[: match.start()] + random.choice((*numbers, *more)) + text[match.end() :]


_PIECES = (
    "//",
    "/* a */",
    ",",
    ":",
    "{",
    "}",
    "[" * 100_000,
    '{"a":' * 50_000,
    "\0",
    "\x0b",
    "\\u0000",
    "\\ud800",
    "\\x",
    "'",
    "\u2028",
    "NaN",
    " " * 100_000,
    '"x": 1,',
    "\ufeff",
)


def _put_in(text: str, random: Random) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(_PIECES) + text[at:]


def _cut(text: str, random: Random) -> str:
    return text[: random.randrange(len(text) + 1)]


_IN_TEXTS: Sequence[Callable[[str, Random], str]] = (_say_twice, _write_a_number, _put_in, _cut)

_ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "cp037")


def _file(name: str, content: bytes | None, random: Random) -> Files:
    """What may be in the place of a file."""
    what = random.randrange(6)
    if what == 0:
        return {}
    if what == 1:
        return {name: None}
    if what == 2:
        return {name: b""}
    if what == 3:
        return {name.upper(): content}
    if what == 4:
        return {name: b"[" + b"1," * (4 * 2**20) + b"1]"}
    return {name: content, f"{name}.bak": b"x"}


def mutated(files: dict[str, Any], random: Random) -> Files:
    """Catalog files after mutations of one of them, or of two.

    Parameters
    ----------
    files : the JSON documents by the names of their files.
    """
    found: Files = {name: _text(document).encode() for name, document in files.items()}
    for name in random.sample(sorted(files), random.choice((1, 1, 2))):
        document = copy.deepcopy(files[name])
        level = random.random()
        if level < 0.6:
            for _ in range(random.randint(1, 4)):
                random.choice(_IN_DOCUMENTS)(document, random)
            found[name] = _text(document).encode("utf-8", "surrogatepass")
        elif level < 0.8:
            text = _text(document)
            for _ in range(random.choice((1, 1, 3))):
                text = random.choice(_IN_TEXTS)(text, random)
            found[name] = text.encode("utf-8", "surrogatepass")
        elif level < 0.87:
            found[name] = _text(document).encode(random.choice(_ENCODINGS), "replace")
        elif level < 0.95:
            found[name] = raw.mutated(_text(document).encode(), random)
        else:
            found |= _file(name, found.pop(name), random)
    return found


def _text(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False)
