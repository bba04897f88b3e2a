"""Add-ins that a workbook names, and the code that it keeps for them."""

import ast
import json
from collections.abc import Iterator

from tests.book.rules import OFFICE, Book, Element, relations, rule

EXTENSION = "{http://schemas.microsoft.com/office/webextensions/webextension/2010/11}"
PANES = "{http://schemas.microsoft.com/office/webextensions/taskpanes/2010/11}"
MOST_KEPT = 2**20
"""Bytes that are kept for an add-in. Microsoft says that they are limited, and not to how many."""


def _extensions(book: Book) -> dict[str, Element]:
    return {
        part: root for part, root in book.roots.items() if root.tag == f"{EXTENSION}webextension"
    }


@rule
def add_ins_shown(book: Book) -> Iterator[str]:
    """A task pane shows each add-in, and the package leads to the panes."""
    from_package = set(relations(book.roots, "").values())
    shown = set()
    for part, root in book.roots.items():
        if root.tag == f"{PANES}taskpanes":
            targets = relations(book.roots, part)
            used = {each.get(f"{OFFICE}id") or "" for each in root.iter(f"{PANES}webextensionref")}
            shown |= {targets.get(each) for each in used}
            if part not in from_package:
                yield f"The package does not lead to {part}."
    for part in _extensions(book):
        if part not in shown:
            yield f"No task pane shows {part}."


@rule
def add_in_settings(book: Book) -> Iterator[str]:
    """What is kept for an add-in is JSON, each name once, and not too much."""
    for part, root in _extensions(book).items():
        names = [each.get("name") or "" for each in root.iter(f"{EXTENSION}property")]
        for name in {each for each in names if names.count(each) > 1}:
            yield f"{part} keeps {name} twice."
        size = 0
        for each in root.iter(f"{EXTENSION}property"):
            value = each.get("value") or ""
            size += len(value.encode())
            if _json(value) is None:
                yield f"{part} keeps {each.get('name')} as what is no JSON."
        if size > MOST_KEPT:
            yield f"{part} keeps {size} bytes, more than {MOST_KEPT}."


@rule
def lite_code(book: Book) -> Iterator[str]:
    """Code for xlwings Lite is Python that compiles, beside the packages that it needs."""
    for part, root in _extensions(book).items():
        values = {
            each.get("name"): _json(each.get("value") or "")
            for each in root.iter(f"{EXTENSION}property")
        }
        main = values.get("main.py")
        if not isinstance(main, str):
            yield f"{part} keeps no main.py."
            continue
        try:
            ast.parse(main)
        except SyntaxError as error:
            yield f"The main.py of {part} is no Python: {error}."
        if "xlwings" not in str(values.get("requirements.txt")):
            yield f"The requirements.txt of {part} does not name xlwings."


@rule
def functions_twice(book: Book) -> Iterator[str]:
    """An add-in's functions bear their names alone: Lite stops where a LAMBDA has one too."""
    for part in _extensions(book):
        for name in book.names:
            if name.is_lambda:
                yield f"{name.name} is a LAMBDA beside the functions of {part}."


def _json(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return None
