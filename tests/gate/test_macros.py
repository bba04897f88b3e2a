"""The gate's rules for macros find the faults that they are for."""

import re

import pytest

from tests.book.rules import Rule, opened
from tests.gate import macros
from tests.gate.books import SHEET, with_part
from tests.gate.vba import modules
from xlsizing.book.vba import Module, document_module, standard_module, vba_project
from xlsizing.book.vba.project import WORKBOOK_CLASS

WORKBOOK, DRAWING = "xl/workbook.xml", "xl/drawings/vmlDrawing1.vml"
SETTINGS = "xl/worksheets/sheet12.xml"


RULES = (macros.code_names, macros.module_texts, macros.buttons, macros.settings)


def findings(content: bytes) -> list[str]:
    return [sentence for rule in RULES for sentence in rule(content)]


def test_the_workbook_with_macros_breaks_no_rule(classic_workbook: bytes) -> None:
    assert findings(classic_workbook) == []


@pytest.mark.parametrize(
    ("rule", "part", "pattern", "new", "finding"),
    [
        (macros.code_names, WORKBOOK, ' codeName="ThisWorkbook"', "", "code names are"),
        (macros.code_names, SHEET, 'codeName="Sheet1"', 'codeName="Sheet2"', "code names are"),
        (macros.buttons, DRAWING, "!FullReport", "!FullReports", "'[0]!FullReports'"),
        (macros.buttons, DRAWING, r"\[0\]!", "[1]!", "no macro of the workbook"),
        (macros.buttons, DRAWING, "!FullReport", "!Describe", "no macro of the workbook"),
        (macros.buttons, DRAWING, 'alt="[^"]*"', 'alt=" "', "has no alt text"),
        (macros.buttons, DRAWING, "<x:PrintObject>False", "<x:PrintObject>True", "prints"),
        (macros.settings, SETTINGS, "UDF MODULES", "Udf Modules", "'Udf Modules'"),
        (macros.settings, SETTINGS, "UDF MODULES", "ADD_WORKBOOK_TO_PYTHONPATH", "there twice"),
        (macros.settings, SETTINGS, '(<c r=")A1"', r'\1A9"', "does not begin in A1"),
        (macros.settings, SETTINGS, '(<c r=")B2"', r'\1D2"', "has no value"),
    ],
)
def test_rule_finds_planted_fault(
    classic_workbook: bytes, rule: Rule, part: str, pattern: str, new: str, finding: str
) -> None:
    found = rule(planted(classic_workbook, part, pattern, new))
    assert any(finding in sentence for sentence in found), found


def planted(content: bytes, part: str, pattern: str, new: str) -> bytes:
    """The workbook with the first match of a pattern replaced in a part or its texts."""
    for place in (part, "xl/sharedStrings.xml"):
        text = opened(content).parts[place].decode()
        changed, count = re.subn(pattern, new, text, count=1)
        if count:
            return with_part(content, place, changed.encode())
    raise AssertionError(f"{pattern} is not in {part}")


GOOD = 'Attribute VB_Name = "Good"\nPublic Sub FullReport()\nEnd Sub\n'


def with_modules(content: bytes, *changed: Module) -> bytes:
    """The workbook with other modules in place of its standard ones."""
    kept = [
        Module(each.name, each.source, is_document=True)
        for each in modules(opened(content).parts[macros.PROJECT])
        if each.is_document
    ]
    return with_part(content, macros.PROJECT, vba_project([*kept, *changed]))


def test_other_modules_are_fine_where_they_have_the_buttons_macro(
    classic_workbook: bytes,
) -> None:
    assert findings(with_modules(classic_workbook, standard_module(GOOD))) == []


@pytest.mark.parametrize(
    ("rule", "module", "finding"),
    [
        (macros.module_texts, Module("Other", GOOD, is_document=False), "says that it is another"),
        (macros.module_texts, standard_module(GOOD + "'" + "x" * 1_023), "too long for VBA"),
        (macros.module_texts, standard_module(GOOD + "X _\n" * 25 + "Y"), "too long for VBA"),
        (macros.buttons, standard_module(GOOD.replace("Public", "Private")), "is no macro"),
        (macros.buttons, standard_module(GOOD.replace("()", "(a)")), "is no macro"),
        (macros.code_names, document_module("Sheet13", WORKBOOK_CLASS), "'Sheet13'"),
    ],
)
def test_rule_finds_a_fault_of_a_module(
    classic_workbook: bytes, rule: Rule, module: Module, finding: str
) -> None:
    found = rule(with_modules(classic_workbook, module))
    assert any(finding in sentence for sentence in found), found


def test_a_line_feed_alone_is_found(
    classic_workbook: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xlsizing.book.vba.project._encoded", str.encode)
    found = macros.module_texts(with_modules(classic_workbook, standard_module(GOOD)))
    assert any("without a carriage return" in sentence for sentence in found), found
