"""The sheet Report says what page and Markdown say, and stands where a reader looks first."""

import re
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.report.forms import LOAD, read_page, write_all
from tests.report.sheets import (
    ALARMING,
    CALM,
    NOTHING_FITS,
    Asked,
    read,
    said,
    shown,
    workbook,
)
from xlsizing.book.cells import PackageNotes, Writer
from xlsizing.book.report_sheet import _Page
from xlsizing.language import language
from xlsizing.report.full.html import html_text

CHECK = 3
"""The row of the sentence that other forms do not have."""


def on_page(asked: Asked, code: str) -> list[str]:
    """The texts of the page, without the signs that join the parts of an equation."""
    report, scenarios, _ = said(asked, code)
    title, *texts = read_page(html_text(report, scenarios, language(code))).texts
    assert texts[0] == title
    return [re.sub(r"^= | =$|^=$", "", text).strip() for text in texts]


@pytest.mark.parametrize("code", ["en", "pt-BR"])
@pytest.mark.parametrize("asked", [CALM, ALARMING, NOTHING_FITS])
def test_the_sheet_says_what_the_page_says_in_its_order(asked: Asked, code: str) -> None:
    sheet = read(workbook(asked, code))["Report"]
    check = sheet.cell(CHECK, 2).value
    texts = [text for text in shown(sheet) if text != check]
    expected = [text for text in on_page(asked, code) if text]
    # The steps of a list on the page have their numbers from the list.
    assert [re.sub(r"^\d+\. (?=\D)", "", text) for text in texts] == expected
    assert len(expected) > 150


def test_the_command_makes_the_sheet_and_opens_on_sizing(tmp_path: Path) -> None:
    assert write_all(tmp_path, LOAD) == 0
    book = read((tmp_path / "r.xlsx").read_bytes())
    assert book.sheetnames[:3] == ["Sizing", "Report", "Scenarios"]
    assert book.active is book["Sizing"]
    page = read_page((tmp_path / "r.html").read_text(encoding="utf-8"))
    rows = [[text for text in map(str, row) if text != "None"] for row in book["Report"].values]
    for table in page.tables:
        assert [each for each in table[0] if each] in rows
    (tmp_path / "again").mkdir()
    assert write_all(tmp_path / "again", LOAD) == 0
    assert (tmp_path / "again" / "r.xlsx").read_bytes() == (tmp_path / "r.xlsx").read_bytes()


def test_it_is_printed_upright_and_whole() -> None:
    sheet = read(workbook(ALARMING))["Report"]
    assert sheet.page_setup.orientation == "portrait"
    assert sheet.print_title_rows == "$1:$1"
    last = int(re.findall(r"\d+", sheet.print_area)[-1])
    breaks = [each.id for each in sheet.row_breaks.brk]
    assert breaks
    assert all(1 < each < last for each in breaks)
    # Below stands what the check compares.
    assert sheet.max_row > last + 50


def test_figures_are_numbers() -> None:
    sheet = read(workbook(CALM))["Report"]
    at_right = [
        cell
        for row in sheet.iter_rows()
        for cell in row
        if cell.alignment.horizontal == "right" and re.search(r"^[+-]?\d[\d,.]*$", str(cell.value))
    ]
    assert len(at_right) > 60
    # Excel marks a number that is stored as text.
    assert [cell.coordinate for cell in at_right if isinstance(cell.value, str)] == []


def test_no_page_ends_with_a_heading_or_with_what_introduces_a_table() -> None:
    sheet = Workbook().worksheets[0]
    report = said(ALARMING).report
    page = _Page(Writer(sheet, PackageNotes()), 8)
    page.write_top(report)
    tops = {}
    for section in report.sections:
        tops[section.title] = page.row + 1
        page.write_section(section)
    headings = set(tops.values())
    assert [sheet.cell(row, 2).value for row in tops.values()] == [*tops]
    assert headings.isdisjoint(page.ends)
    assert {row - 1 for row in headings} <= set(page.ends)
    moves = tops["What changes the number of nodes"]
    assert {moves, moves + 1, moves + 2, moves + 3}.isdisjoint(page.ends)
    alerts = tops["Alerts, and what to do"]
    assert [row - alerts for row in page.ends if alerts < row < alerts + 10] == [3, 6, 9]
