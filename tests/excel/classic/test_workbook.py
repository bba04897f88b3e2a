"""The workbook of `template --host classic`: its macros and no others, settings, button."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from lxml import etree
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from tests.book.rules import opened
from tests.conftest import PROJECT
from tests.excel.calls import ARGUMENTS
from tests.gate.vba import modules
from xlsizing.book.build import template
from xlsizing.book.vba.project import SHEET_CLASS, WORKBOOK_CLASS
from xlsizing.cli import main
from xlsizing.core import Catalogs

FOLDER = PROJECT / "workbook" / "vba"
DRAWING = "xl/drawings/vmlDrawing1.vml"


@pytest.fixture(scope="module")
def book(classic_workbook: bytes) -> Workbook:
    return load_workbook(io.BytesIO(classic_workbook))


@pytest.fixture(scope="module")
def plain(catalogs: Catalogs) -> Workbook:
    return load_workbook(io.BytesIO(template(catalogs)))


def test_the_modules_are_those_that_are_checked_in(classic_workbook: bytes) -> None:
    project = opened(classic_workbook).parts["xl/vbaProject.bin"]
    found = {each.name: each for each in modules(project)}
    checked_in = {path.stem: path.read_bytes().decode() for path in FOLDER.glob("*.bas")}
    standard = {name: each.source for name, each in found.items() if not each.is_document}
    assert standard == checked_in
    code = (FOLDER / "ThisWorkbook.txt").read_bytes().decode()
    for name, each in found.items():
        if each.is_document:
            _, _, own = each.source.partition("VB_Customizable = True\r\n")
            assert own == (code if name == "ThisWorkbook" else "")


HEX = re.compile("[0-9]{8,}")
DECLARED = {
    "Workbook_Open": "tells Excel's function wizard what the functions are",
    "Run": "Application.Run, to reach the xlwings add-in without a reference to it",
    "Hex Strings": "the ids of Excel's own classes in the attributes of every sheet's module",
}
"""What olevba finds worth a look, and why it is there."""


def test_olevba_finds_our_macros_and_nothing_else(classic_workbook: bytes, tmp_path: Path) -> None:
    if find_spec("oletools") is None and "CI" not in os.environ:
        pytest.skip("needs oletools (pip install oletools); CI has it.")
    path = tmp_path / "plan.xlsm"
    path.write_bytes(classic_workbook)
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "oletools.olevba", "--json", "--decode", str(path)],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    [report] = [each for each in json.loads(ran.stdout) if each["type"] == "OpenXML"]
    found = {each["keyword"] for each in report["analysis"] if each["type"] != "Hex String"}
    assert found == set(DECLARED)
    ids = {each["description"] for each in report["analysis"] if each["type"] == "Hex String"}
    assert ids == {part for each in (WORKBOOK_CLASS, SHEET_CLASS) for part in HEX.findall(each)}
    named = {each["vba_filename"]: each["code"] or "" for each in report["macros"]}
    sheets = len(load_workbook(path).sheetnames)
    for number in range(1, sheets + 1):
        assert named.pop(f"Sheet{number}.cls") == ""
    code = (FOLDER / "ThisWorkbook.txt").read_text(encoding="ascii")
    assert named.pop("ThisWorkbook.cls").splitlines() == code.splitlines()
    assert set(named) == {path.name for path in FOLDER.glob("*.bas")}
    for name, source in named.items():
        first, *lines = (FOLDER / name).read_text(encoding="ascii").splitlines()
        assert first.startswith("Attribute ")
        assert source.splitlines() == lines


def test_its_sheets_are_the_plain_workbooks_and_the_settings_last(
    book: Workbook, plain: Workbook
) -> None:
    assert book.sheetnames == [*plain.sheetnames, "xlwings.conf"]
    differ = [
        (cell.value, other.value)
        for title in plain.sheetnames
        if title != "About"
        for row, same in zip(book[title].iter_rows(), plain[title].iter_rows(), strict=True)
        for cell, other in zip(row, same, strict=True)
        if cell.value != other.value
    ]
    assert differ == []
    about = [row[0] for row in book["About"].iter_rows(max_col=1, values_only=True) if row[0]]
    assert (
        "Functions for your own sheets (Excel on Windows, with Python and the xlwings add-in)"
        in about
    )
    for word in ("ENGINE_NODES_REQUIRED", "XLSIZING_CATALOGS", "Enable Content", "xlsizing doctor"):
        assert any(word in str(text) for text in about), word


def test_the_functions_bear_no_names_of_the_workbook(book: Workbook, plain: Workbook) -> None:
    lambdas = {name for name, each in plain.defined_names.items() if "LAMBDA" in each.attr_text}
    assert lambdas < set(ARGUMENTS)
    assert set(plain.defined_names) - set(book.defined_names) == lambdas
    assert not set(book.defined_names) & set(ARGUMENTS)


def settings(book: Workbook) -> dict[str, str]:
    """What xlwings reads: from A1 down to the last cell before an empty one."""
    found: dict[str, str] = {}
    for key, value, _ in book["xlwings.conf"].iter_rows(values_only=True, max_col=3):
        if key is None:
            break
        assert isinstance(key, str)
        assert isinstance(value, str)  # a truth would come in the words of a person's language
        found[key] = value
    return found


def test_settings_hide_nothing_that_a_person_set_on_the_ribbon(book: Workbook) -> None:
    assert settings(book) == {
        "UDF MODULES": "xlsizing.excel",
        "ADD_WORKBOOK_TO_PYTHONPATH": "false",
    }


def test_a_person_may_add_settings_on_the_protected_sheet(book: Workbook) -> None:
    sheet = book["xlwings.conf"]
    assert sheet.protection.sheet
    rows = range(1, len(settings(book)) + 3)
    assert all(not sheet.cell(row, column).protection.locked for row in rows for column in (1, 2))
    assert all(sheet.cell(row, 3).protection.locked for row in rows)


def test_the_button_stands_in_an_empty_cell_that_stays_in_view(
    classic_workbook: bytes, book: Workbook
) -> None:
    text = opened(classic_workbook).parts[DRAWING].decode()
    [anchor] = re.findall("<x:Anchor>(.*?)</x:Anchor>", text)
    left, left_by, top, top_by, right, right_by, bottom, bottom_by = map(int, anchor.split(", "))
    sheet = book["Sizing"]
    assert (left, top) == (right, bottom) == (5, 0)
    assert sheet.cell(top + 1, left + 1).value is None
    assert int(str(sheet.freeze_panes)[1:]) > top + 1
    assert 0 < top_by < bottom_by <= (sheet.row_dimensions[1].height or 0) / 0.75
    assert 0 < left_by < right_by <= sheet.column_dimensions["F"].width * 7
    before = sum(sheet.column_dimensions[letter].width for letter in "ABCDE")
    assert 7 * before + right_by < 1_000  # of a screen of 1366, beside Excel's own margins
    assert f"margin-left:{0.75 * (7 * before + left_by):g}pt" in text
    [caption] = re.findall("<font[^>]*>(.*?)</font>", text)
    assert caption == "Full report"


def test_libreoffice_binds_the_button_to_the_macro_and_does_not_print_it(
    classic_workbook: bytes, tmp_path: Path
) -> None:
    program = shutil.which("soffice")
    if program is None and "CI" not in os.environ:
        pytest.skip("LibreOffice Calc (soffice) is not installed; CI has it.")
    assert program
    (tmp_path / "plan.xlsm").write_bytes(classic_workbook)
    subprocess.run(
        [
            *(program, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile"),
            *("--convert-to", "fods", "--outdir", str(tmp_path), str(tmp_path / "plan.xlsm")),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    root = etree.parse(tmp_path / "plan.fods").getroot()
    form, script, link = (f"{{{root.nsmap[prefix]}}}" for prefix in ("form", "script", "xlink"))
    [button] = root.iter(f"{form}button")
    assert button.get(f"{form}label") == "Full report"
    assert button.get(f"{form}printable") == "false"
    [event] = button.iter(f"{script}event-listener")
    assert "VBAProject.XlsizingReport.FullReport?" in (event.get(f"{link}href") or "")


def test_the_command_writes_it(
    classic_workbook: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "plan.xlsm"
    assert main(["template", str(out), "--host", "classic"]) == 0
    assert capsys.readouterr().out == f"Wrote {out}.\n"
    assert out.read_bytes() == classic_workbook


@pytest.mark.parametrize(
    ("name", "host", "words"),
    [
        ("plan.xlsm", "none", "ends in .xlsx"),
        ("plan.xlsx", "classic", "ends in .xlsm"),
        ("plan", "classic", "ends in .xlsm"),
        ("plan.xlsm", "excel", "none, classic, lite or server"),
    ],
)
def test_a_name_and_a_host_that_do_not_match_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, host: str, words: str
) -> None:
    assert main(["template", str(tmp_path / name), "--host", host]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
