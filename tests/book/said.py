"""Every text that a workbook says to people, wherever in its package it stands."""

import html
import io
import re
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from openpyxl import load_workbook

_FORMULA = re.compile(
    r"<(?:f|formula|formula1|definedName|calculatedColumnFormula)\b[^>]*>([^<]*)<"
)
_LITERAL = re.compile(r'"((?:[^"]|"")*)"')
_DRAWN = re.compile(r"<(?:a:t|c:v)>([^<]*)<")
_ATTRIBUTE = re.compile(
    r'\b(?:error|errorTitle|prompt|promptTitle|descr|title|comment|alt)="([^"]*)"'
)


class Said(NamedTuple):
    """A text and where it stands."""

    where: str
    text: str


def said(content: bytes) -> Iterator[Said]:
    """The texts of a workbook: those of its cells, and those of formulas, charts and prompts."""
    yield from _of_cells(content)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for part in package.namelist():
            if part.endswith((".xml", ".vml")):
                xml = package.read(part).decode("utf-8")
                for formula in _FORMULA.findall(xml):
                    for literal in _LITERAL.findall(html.unescape(formula)):
                        yield Said(f"a formula in {part}", literal)
                for found in (*_DRAWN.findall(xml), *_ATTRIBUTE.findall(xml)):
                    yield Said(part, html.unescape(found))


def _of_cells(content: bytes) -> Iterator[Said]:
    book = load_workbook(io.BytesIO(content), data_only=True)
    for sheet in book:
        heads = {cell.coordinate for table in sheet.tables.values() for cell in sheet[table.ref][0]}
        for row in sheet.iter_rows():
            for cell in row:
                # The head of a column is what formulas call it.
                if isinstance(cell.value, str) and cell.coordinate not in heads:
                    yield Said(f"{sheet.title}!{cell.coordinate}", cell.value)
