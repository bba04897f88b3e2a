"""The workbook for Lite: the parts that Excel finds the add-in and its code in."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
from lxml import etree

from tests.book.rules import OFFICE, opened, relations
from tests.engines.engines import Engine, IronCalc, LibreOffice
from tests.excel.hosts.pyodide import lite_files
from tests.gate.add_ins import EXTENSION, PANES
from xlsizing.book.build import template
from xlsizing.book.hosting import read_hosting
from xlsizing.book.lite import lite_workbook
from xlsizing.cli import main
from xlsizing.core import Catalogs
from xlsizing.excel.lite import code

PANES_PART = "xl/webextensions/taskpanes.xml"
EXTENSION_PART = "xl/webextensions/webextension1.xml"
RELATION = "http://schemas.microsoft.com/office/2011/relationships/"


def part(content: bytes, name: str) -> "etree._Element":
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return etree.fromstring(package.read(name))


def test_the_package_leads_to_the_pane_and_the_pane_to_the_add_in(workbook: bytes) -> None:
    book = opened(workbook)
    declared = {each.get("Type"): each.get("Target") for each in book.roots["_rels/.rels"]}
    assert declared[f"{RELATION}webextensiontaskpanes"] == f"/{PANES_PART}"
    [pane] = book.roots[PANES_PART]
    assert pane.tag == f"{PANES}taskpane"
    assert (pane.get("dockstate"), pane.get("visibility")) == ("right", "1")
    [reference] = pane
    used = reference.get(f"{OFFICE}id")
    assert relations(book.roots, PANES_PART) == {used: EXTENSION_PART}


def test_the_add_in_is_the_one_in_the_store(workbook: bytes) -> None:
    root = part(workbook, EXTENSION_PART)
    references = list(root.iter(f"{EXTENSION}reference"))
    assert [dict(each.attrib) for each in references] == [
        {"id": "wa200008175", "version": "1.0.0.0", "store": store, "storeType": "OMEX"}
        for store in ("en-US", "WA200008175")
    ]
    assert len(list(root.iter(f"{EXTENSION}containsCustomFunctions"))) == 1


def test_the_order_is_that_of_the_schema(workbook: bytes) -> None:
    root = part(workbook, EXTENSION_PART)
    assert [etree.QName(child).localname for child in root] == [
        "reference",
        "alternateReferences",
        "properties",
        "bindings",
        "snapshot",
        "extLst",
    ]


def test_it_keeps_the_code_to_the_letter(workbook: bytes, catalogs: Catalogs) -> None:
    assert lite_files(workbook) == code(catalogs)


def test_it_has_no_names_that_are_functions(workbook: bytes, plain: bytes) -> None:
    named = {each.name for each in opened(plain).names if each.is_lambda}
    assert "NODES_REQUIRED" in named
    assert {each.name for each in opened(workbook).names} & named == set()


def test_equal_catalogs_give_equal_bytes_and_others_another_add_in(
    workbook: bytes, catalogs: Catalogs
) -> None:
    again = template(catalogs, host=lite_workbook(code(catalogs)))
    assert again == workbook
    fewer = Catalogs(catalogs.models[:2], catalogs.servers[:3], catalogs.profiles)
    other = template(fewer, host=lite_workbook(code(fewer)))
    assert part(other, EXTENSION_PART).get("id") != part(workbook, EXTENSION_PART).get("id")


def test_the_rest_is_the_plain_workbook(workbook: bytes, plain: bytes) -> None:
    without, lite = opened(plain).parts, opened(workbook)
    added = {"xl/webextensions/_rels/taskpanes.xml.rels", PANES_PART, EXTENSION_PART}
    assert set(lite.parts) - set(without) == added
    differing = {name for name, text in without.items() if lite.parts[name] != text}
    [about] = [each.part for each in lite.sheets if each.title == "About"]
    [rules] = [name for name, text in lite.parts.items() if b'displayName="AlertRules"' in text]
    assert differing == {"[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", about, rules}


def test_about_says_what_the_functions_need(workbook: bytes) -> None:
    about = openpyxl.load_workbook(io.BytesIO(workbook), read_only=True)["About"]
    texts = [row[0] for row in about.iter_rows(max_col=1, values_only=True)]
    assert "Functions for your own sheets (with the add-in xlwings Lite)" in texts


@pytest.mark.parametrize("engine", [IronCalc(), LibreOffice()], ids=lambda engine: engine.name)
def test_other_programs_compute_it(engine: Engine, workbook: bytes) -> None:
    [place] = [each.text for each in opened(workbook).names if each.name == "Output_NodesFinal"]
    sheet, address = place.replace("'", "").replace("$", "").split("!")
    [found] = engine.compute([workbook], [(sheet, address)])
    assert found == {(sheet, address): 3}  # the example, with a spare node


def test_the_command_line_makes_it_with_a_folders_catalogs(
    tmp_path: Path, catalogs: Catalogs, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "plan.xlsx"
    assert main(["template", str(out), "--host", "lite"]) == 0
    assert lite_files(out.read_bytes()) == code(catalogs)
    assert read_hosting(str(out)).has_lite_code
    assert main(["template", str(out.with_suffix(".xlsm")), "--host", "lite"]) == 2
    assert ".xlsx" in capsys.readouterr().err
