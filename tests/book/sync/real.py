"""Workbooks that Excel saved, from packages that ship them, with our catalogs grafted in."""

import os
from importlib.resources import files
from pathlib import Path

import pytest
from lxml import etree

from tests.book.plans import the_template
from tests.book.sync.packages import (
    OFFICE,
    TABLE_TYPE,
    Element,
    Package,
    local,
    tag,
)
from tests.conftest import PROJECT

SHEETS = ("Models", "Servers", "Storage")

_FETCHED = PROJECT / "tests" / "samples"
_STYLED = {"conditionalFormatting", "ignoredErrors", "pageSetup"}
"""What a sheet says in styles, names or parts of the workbook that it comes from."""


def openxlsx(name: str) -> bytes:
    """A workbook that R's openxlsx ships, as tests/samples/fetch took it from Debian's package.

    Without it the test is skipped, and in CI fails.
    """
    path = _FETCHED / "openxlsx" / f"{name}.xlsx"
    if not path.exists() and "CI" not in os.environ:
        pytest.skip(f"{path.name} is not there: run tests/samples/fetch; CI does.")
    return path.read_bytes()


def xlwings(name: str) -> bytes:
    """A workbook that xlwings ships for new projects."""
    return Path(str(files("xlwings"))).joinpath(name).read_bytes()


def grafted(content: bytes) -> bytes:
    """Another's workbook with our three catalog sheets at its end, in its own default style.

    The sheets bring their rows, tables and the names of their lists, and nothing else: no
    style, no conditional format, no settings of a printer.
    """
    package, source = Package(content), Package(the_template())
    for title in SHEETS:
        part = source.sheets()[title]
        root = source.root(part)
        _undress(root)
        sheet = package.add_sheet(title, etree.tostring(root))
        _graft_tables(package, sheet, source, part)
        package.define(f"List_{title}", f"{title}!{source.table_cells(title).cells('Name')}")
    return package.packed()


def _undress(sheet: Element) -> None:
    for child in list(sheet):
        if local(child) in _STYLED:
            sheet.remove(child)
    for name in ("c", "row", "col"):
        for element in sheet.iter(tag(name)):
            for attribute in ("s", "style", "customFormat"):
                if attribute in element.attrib:
                    del element.attrib[attribute]


def _graft_tables(package: Package, sheet: str, source: Package, part: str) -> None:
    root = package.root(sheet)
    targets = source.related(part)
    for table_part in root.iter(tag("tablePart")):
        table = source.root(targets[table_part.get(tag("id", OFFICE)) or ""])
        taken = [int(package.root(each).get("id") or 0) for each in package.table_parts()]
        table.set("id", str(1 + max(taken, default=0)))
        identifier = package.add(
            package.free("xl/tables/table{}.xml"),
            etree.tostring(table),
            TABLE_TYPE,
            sheet,
            f"{OFFICE}/table",
        )
        table_part.set(tag("id", OFFICE), identifier)
    package.save(sheet, root)
