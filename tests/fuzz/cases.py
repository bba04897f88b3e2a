"""What one number stands for: a command, and the mutated files that it is given."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from tests.catalog.test_files import MINIMAL, minimal_documents
from tests.conftest import PROJECT
from tests.fuzz import documents, markup, meanings, raw, zips
from tests.fuzz.documents import Files
from tests.fuzz.seeds import SEEDS, Seed, seed
from tests.fuzz.zips import part

WORKBOOK_COMMANDS = ("check", "check", "sync", "sync", "report", "doctor", "doctor")
"""Commands that read a workbook, as often as each is asked."""
CATALOG_COMMANDS = ("size", "validate", "check", "sync")
PULLED = "pulled.json"
"""The file that a sync writes for review, beside the workbook."""


@dataclass(frozen=True)
class Case:
    """A command, and the files that it is given."""

    number: int
    command: str
    options: tuple[str, ...]
    about: str
    """What was mutated and how, for people."""
    workbook: bytes | None
    suffix: str
    catalogs: Files | None
    """The files of a folder of catalogs; None for the catalogs that the project ships."""


def case(number: int, base: int) -> Case:
    """The case of a number, always the same one.

    Parameters
    ----------
    number : of the case.
    base : the number that tells one run from another.
    """
    name, random = _origin(number, base)
    return _of_workbook(number, seed(name), random) if name else _of_catalogs(number, random)


def origin(number: int, base: int) -> str:
    """The name of the workbook that the case of a number comes from; empty for catalogs alone."""
    return _origin(number, base)[0]


def _origin(number: int, base: int) -> tuple[str, Random]:
    random = Random(f"{base}/{number}")
    return ("" if random.random() < 0.25 else random.choice(SEEDS)), random


def _of_workbook(number: int, origin: Seed, random: Random) -> Case:
    level = random.choice(tuple(_LEVELS))
    content = _LEVELS[level](origin, random)
    command = random.choice(WORKBOOK_COMMANDS)
    catalogs = random.choice((None, None, "changed", "small"))
    files = None if catalogs is None else _written(_CATALOGS[catalogs]())
    suffix = origin.suffix if random.random() < 0.97 else random.choice((".xlsm", ".xlsx", ".xls"))
    about = f"{origin.name}, {level}, {catalogs or 'shipped'} catalogs"
    return Case(number, command, _options(command, random), about, content, suffix, files)


def _of_catalogs(number: int, random: Random) -> Case:
    command = random.choice(CATALOG_COMMANDS)
    origin = "small" if random.random() < 0.8 else "changed"
    workbook, suffix = None, ".xlsx"
    if command in ("check", "sync"):
        book = seed(random.choice(("xlsxwriter", "few columns")))
        workbook, suffix = zips.written(zips.packed(book.parts)), book.suffix
    files = documents.mutated(_CATALOGS[origin](), random)
    options = _options(command, random)
    return Case(number, command, options, f"{origin} catalogs", workbook, suffix, files)


def _options(command: str, random: Random) -> tuple[str, ...]:
    """Options that change what a command does with its files."""
    if command not in ("check", "sync"):
        return ()
    chances = {"--prune": 0.15, "--json": 0.1, f"--pull={PULLED}": 0.1, "--add-tables": 0.15}
    return tuple(option for option, chance in chances.items() if random.random() < chance)


def _raw(origin: Seed, random: Random) -> bytes:
    return raw.mutated(zips.written(zips.packed(origin.parts)), random)


def _zip(origin: Seed, random: Random) -> bytes:
    file = zips.packed(origin.parts)
    for _ in range(random.choice((1, 1, 2, 4))):
        random.choice(zips.MUTATIONS)(file, random)
    return zips.written(file)


_LEADING = (
    b"[Content_Types].xml",
    b"_rels/.rels",
    b"xl/workbook.xml",
    b"xl/_rels/workbook.xml.rels",
    b"xl/sharedStrings.xml",
    b"xl/styles.xml",
)


def _markup(origin: Seed, random: Random) -> bytes:
    names = [each.name for each in origin.parts if each.is_markup]
    groups = [
        [name for name in names if name in _LEADING],
        [name for name in names if name.startswith(b"xl/tables/")],
        [name for name in names if name.startswith(b"xl/worksheets/sheet")],
        [name for name in names if name.startswith(b"xl/worksheets/_rels/")],
        [name for name in names if name.startswith(b"xl/charts/chart")],
        names,
    ]
    changed = {
        random.choice(random.choice([group for group in groups if group]))
        for _ in range(random.choice((1, 1, 2)))
    }
    parts = [
        part(each.name, markup.mutated(each.content, random)) if each.name in changed else each
        for each in origin.parts
    ]
    return zips.written(zips.packed(parts))


def _meaning(origin: Seed, random: Random) -> bytes:
    before = {each.name: each.content for each in origin.parts}
    after = meanings.mutated(before, random)
    parts = [
        each if after[each.name] is each.content else part(each.name, after[each.name])
        for each in origin.parts
    ]
    return zips.written(zips.packed(parts))


_LEVELS: Mapping[str, Callable[[Seed, Random], bytes]] = {
    "bytes": _raw,
    "zip": _zip,
    "XML": _markup,
    "XML again": _markup,
    "meaning": _meaning,
    "meaning again": _meaning,
}


Documents = dict[str, Any]


def _small() -> Documents:
    made = minimal_documents()
    made["models.json"]["models"].append(
        {
            **MINIMAL["models.json"]["models"][0],
            "name": "n",
            "attention_pattern": "sliding",
            "sliding_window": 128,
            "aliases": ["other"],
            "notes": "a note",
            "sources": {"*": "a page, 2026-11-01"},
        }
    )
    return made


@cache
def _shipped() -> Documents:
    folder = PROJECT / "catalogs"
    return {
        name: json.loads((folder / name).read_text(encoding="utf-8"))
        for name in ("models.json", "servers.json", "storage.json")
    }


def _changed() -> Documents:
    """The catalogs that the project ships after some work on them."""
    found = deepcopy(_shipped())
    for document in found.values():
        entries = next(value for value in document.values() if isinstance(value, list))
        taken = entries.pop(1)
        entries[0]["notes"] = "=another note"
        entries.append({**taken, "name": f"new {taken['name']}", "aliases": ["a new one"]})
    found["servers.json"]["servers"][0]["gpus"] = 4
    found["models.json"]["models"][-1]["max_position_embeddings"] = 4_096
    return found


_CATALOGS: Mapping[str, Callable[[], Documents]] = {"small": _small, "changed": _changed}


def _written(made: Documents) -> Files:
    return {name: json.dumps(document).encode() for name, document in made.items()}
