"""Catalog sheets added to workbooks that have none: everything else stays, and a sync works then."""

import io
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table
from python_calamine import CalamineWorkbook

from tests.book.rules import RULES
from tests.book.sync.packages import Package
from tests.book.sync.parts import changes_of_part, compared
from tests.book.sync.real import openxlsx, xlwings
from tests.gate.validator import require_validator, validator_findings
from xlsizing.book.catalog_columns import KINDS
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.sync.syncing import Sync, synced
from xlsizing.catalog import load_catalogs


def by_openpyxl() -> bytes:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "=1+1"
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def by_xlsxwriter() -> bytes:
    """With looks of its own, one of them a number format, and a table whose number counts."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content)
    sheet = book.add_worksheet("Plan")
    sheet.write_number(0, 0, 0.5, book.add_format({"bold": True, "num_format": "0.000"}))
    sheet.add_table("A3:B5", {"name": "Mine"})
    book.define_name("Ours", "=Plan!$A$1")
    book.close()
    return content.getvalue()


SOURCES: dict[str, Callable[[], bytes]] = {
    "openpyxl": by_openpyxl,
    "XlsxWriter": by_xlsxwriter,
    "Excel, slicers": lambda: openxlsx("loadExample"),
    "Excel, threads": lambda: openxlsx("loadThreadComment"),
    "Excel, macros": lambda: xlwings("quickstart_standalone.xlsm"),
}
each_source = pytest.mark.parametrize("name", SOURCES)


@cache
def before(name: str) -> bytes:
    return SOURCES[name]()


def add(path: Path, content: bytes) -> Sync:
    path.write_bytes(content)
    found, _ = synced(str(path), load_catalogs(), lambda _: None, add_tables=True)
    return found


def path_of(folder: Path, name: str) -> Path:
    return folder / f"plan.{'xlsm' if 'macros' in name else 'xlsx'}"


@each_source
def test_catalogs_come_and_all_else_stays(name: str, tmp_path: Path) -> None:
    path = path_of(tmp_path, name)
    found = add(path, before(name))
    after = path.read_bytes()
    assert found.sheets == ["Models", "Servers", "Storage"]
    difference = compared(before(name), after)
    assert difference.removed == ()
    assert set(difference.differing) <= {
        "[Content_Types].xml",
        "xl/_rels/workbook.xml.rels",
        "xl/workbook.xml",
        "xl/styles.xml",
    }
    # What was there before is there still: of what is no number of items, nothing went.
    for part in difference.differing:
        for change in changes_of_part(before(name), after, part):
            is_count = change.path.endswith("/@count")
            assert is_count or change.before is None, change
    book = CalamineWorkbook.from_object(io.BytesIO(after), load_tables=True)
    catalogs = load_catalogs()
    for kind in KINDS:
        rows = book.get_table_by_name(kind.table)
        names = [row[rows.columns.index("Name")] for row in rows.to_python()]
        assert names == [entry.name for entry in kind.entries(catalogs)]
    again, _ = synced(str(path), catalogs, lambda _: None)
    assert again.is_current
    assert not again.parts


@pytest.mark.parametrize("name", ["openpyxl", "XlsxWriter", "Excel, slicers"])
def test_the_gate_finds_nothing_new(name: str, tmp_path: Path) -> None:
    path = path_of(tmp_path, name)
    add(path, before(name))
    program = require_validator()
    known, found = (
        {
            re.sub(r"\d+", "0", finding)
            for finding in [
                *(each for rule in RULES for each in rule(content)),
                *validator_findings(program, content),
            ]
            # Sheets that are added outside Excel have no module among the macros.
            if not finding.startswith("The code names are")
        }
        for content in (before(name), path.read_bytes())
    )
    assert found - known == set()


@each_source
@pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
def test_the_sheets_look_as_our_own_do(name: str, tmp_path: Path) -> None:
    from xlsizing.book.build import template

    path = path_of(tmp_path, name)
    add(path, before(name))
    ours = openpyxl.load_workbook(io.BytesIO(template(load_catalogs())))
    theirs = openpyxl.load_workbook(io.BytesIO(path.read_bytes()))
    for title in ("Models", "Servers", "Storage"):
        for row in ours[title].iter_rows(min_row=1, max_row=6):
            # A cell that is not there looks as its workbook has it.
            for cell in (each for each in row if each.has_style):
                other = theirs[title][cell.coordinate]
                for look in ("font", "fill", "border", "number_format"):
                    # openpyxl hands looks out in wrappers that equal nothing.
                    shown = repr(getattr(other, look))
                    assert shown == repr(getattr(cell, look)), (title, cell.coordinate)


def with_sheet(title: str) -> bytes:
    book = openpyxl.Workbook()
    book.create_sheet(title)
    return saved(book)


def with_table(name: str) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for column, head in enumerate(("A", "B"), start=1):
        sheet.cell(1, column).value = head
    sheet.add_table(Table(displayName=name, ref="A1:B2"))
    return saved(book)


def with_name(name: str) -> bytes:
    book = openpyxl.Workbook()
    book.defined_names[name] = DefinedName(name, attr_text="Sheet!$A$1")
    return saved(book)


def strict() -> bytes:
    package = Package(by_xlsxwriter())
    part = "xl/workbook.xml"
    package.parts[part] = package.parts[part].replace(
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
    )
    return package.packed()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda: with_sheet("models"), "has a sheet Models of its own"),
        (lambda: with_table("SERVERALIASES"), "has a table ServerAliases of its own"),
        (lambda: with_name("list_storage"), "has a name List_Storage of its own"),
        (strict, "is a Strict Open XML Spreadsheet"),
    ],
)
def test_what_they_would_clash_with_is_told(
    content: Callable[[], bytes], sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "plan.xlsx"
    original = content()
    with pytest.raises(WorkbookReadError, match=sentence):
        add(path, original)
    assert path.read_bytes() == original


def test_somebodys_own_table_of_the_name_is_no_catalog(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    with pytest.raises(WorkbookReadError, match="has a table Models of its own"):
        add(path, with_table("Models"))
