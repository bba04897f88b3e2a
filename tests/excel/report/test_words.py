"""The sheet of the report in words says what `report --html` says of the same plan."""

import re

import pytest

from tests.excel.report.double import Book, Excel
from tests.excel.report.plans import planning_workbook
from tests.report.forms import read_page
from xlsizing.cli.report_forms import said_of
from xlsizing.core.message import Message
from xlsizing.core.planning.presets import AS_ASKED
from xlsizing.excel import planning
from xlsizing.excel.full_report import build_report
from xlsizing.excel.full_report.reading import read_plan
from xlsizing.excel.full_report.sized import sized_plan
from xlsizing.language import language
from xlsizing.report.full.html import html_text


@pytest.mark.parametrize("code", ["en", "pt-BR"])
def test_it_says_what_the_page_says(code: str) -> None:
    chosen = language(code)
    plan = Book(planning_workbook({"Setting_Language": code}), Excel())
    result = sized_plan(read_plan(plan), planning.catalogs()).result  # type: ignore[arg-type]
    build_report(plan)  # type: ignore[arg-type]
    cells = plan.state.sheet("Report in words").cells
    texts = [str(cells[place]) for place in sorted(cells) if place[0] != 3]
    texts = [re.sub(r"^\d+\. (?=\D)", "", text) for text in texts]
    report, scenarios, _ = said_of(result, (), chosen)
    page = read_page(html_text(report, scenarios, chosen)).texts[1:]
    expected = [re.sub(r"^= | =$|^=$", "", text).strip() for text in page]
    # The plan has scenarios beside the load as it was asked.
    start, end = (
        expected.index(chosen.say(each))
        for each in (Message("Scenarios compared"), Message("What changes the number of nodes"))
    )
    compared = texts.index(expected[start]), texts.index(expected[end])
    assert texts[: compared[0]] == [each for each in expected[:start] if each]
    assert texts[compared[1] :] == [each for each in expected[end:] if each]
    assert {chosen.say(AS_ASKED), "Pilot", "Launch", "Growth"} < set(texts[slice(*compared)])
