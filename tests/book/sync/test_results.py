"""What formulas keep after a sync, however a program spells, shares and places them."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from openpyxl.workbook.defined_name import DefinedName

from tests.book.plans import LOAD, opened, saved
from tests.engines.engines import IronCalc
from tests.engines.sync_cases import row, with_changes
from tests.engines.synced_books import Case, after_sync, stored, with_values
from tests.engines.test_sync import stale
from tests.gate.books import with_part
from xlsizing.book.build import template
from xlsizing.book.sync.dependence import dependent
from xlsizing.catalog import load_catalogs
from xlsizing.core import Catalogs

FINAL, SCENARIOS = ("Sizing", "C5"), "xl/worksheets/sheet2.xml"


@cache
def few() -> Catalogs:
    """Two entries of each kind."""
    some = load_catalogs()
    models = tuple(some.model(name) for name in ("gpt-oss-120b", "llama-3.1-8b"))
    servers = tuple(some.server(name) for name in ("dgx-b300", "8x-l40s"))
    return Catalogs(models, servers, some.profiles[:2])


def older() -> Catalogs:
    """The same entries, one of them with half of its GPUs."""
    return with_changes(few(), {"dgx-b300": {"gpus": 4, "total_hbm_gb": None}})


CASE = Case("few", older(), few(), [row(), row(Server="8x-l40s")], LOAD)


@cache
def before() -> bytes:
    """A workbook with the older catalogs, and the right values for them."""
    return CASE.before()[0]


@cache
def expected() -> Mapping[tuple[str, str], Any]:
    """What the formulas of the workbook come to with the newer ones."""
    fresh = CASE.afresh()
    cells = [
        (sheet.title, cell.coordinate)
        for sheet in opened(fresh)
        for line in sheet.iter_rows()
        for cell in line
        if cell.data_type == "f"
    ]
    return IronCalc().compute([fresh], cells)[0]


def after(content: bytes, folder: Path) -> Mapping[tuple[str, str], Any]:
    """What the formulas of a workbook keep after a sync."""
    synced, _ = after_sync(content, few(), folder)
    return stored(synced, folder)


def rewritten(content: bytes, change: Callable[[str], str], part: str = SCENARIOS) -> bytes:
    """A workbook with another text in a part."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        was = package.read(part).decode()
    new = change(was)
    assert new != was
    return with_part(content, part, new.encode())


def test_a_sync_changes_the_results(tmp_path: Path) -> None:
    was = stored(before(), tmp_path)
    assert was[FINAL] != expected()[FINAL]
    assert stale(after(before(), tmp_path), expected()) == []


def test_formulas_that_several_cells_share_are_ours_as_well(tmp_path: Path) -> None:
    def share(xml: str) -> str:
        """As Excel writes a column that was filled down: the first cell has the formula."""
        for number, column in enumerate(("M", "R", "S")):
            first = f'<c r="{column}7"'
            xml = re.sub(
                rf"({first}[^>]*><f)>",
                rf'\1 t="shared" ref="{column}7:{column}26" si="{number}">',
                xml,
            )
            xml = re.sub(
                rf'(<c r="{column}(?!7")\d+"[^>]*>)<f>[^<]*</f>',
                rf'\1<f t="shared" si="{number}"/>',
                xml,
            )
        return xml

    kept = after(rewritten(before(), share), tmp_path)
    assert stale(kept, expected()) == []
    other = rewritten(before(), lambda xml: share(xml).replace("$AI7/Const", "2*$AI7/Const"))
    assert kept["Scenarios", "M8"] != "2"
    changed = after(other, tmp_path)
    was = stored(before(), tmp_path)
    assert changed["Scenarios", "M8"] == was["Scenarios", "M8"]


def test_formulas_in_other_spellings_are_ours_as_well(tmp_path: Path) -> None:
    def spell(xml: str) -> str:
        xml = xml.replace("FALSE)", "FALSE())").replace("TRUE)", "TRUE())")
        return xml.replace(",Const_", ", Const_").replace("/Const_", " / Const_")

    kept = after(rewritten(before(), spell), tmp_path)
    assert stale(kept, expected()) == []
    charts = rewritten(
        before(), lambda xml: xml.replace("Scenarios!", "'Scenarios'!"), "xl/worksheets/sheet3.xml"
    )
    assert stale(after(charts, tmp_path), expected()) == []


def test_a_formula_of_names_is_ours_wherever_it_stands(tmp_path: Path) -> None:
    book = opened(before())
    sheet = book["Sizing"]
    sheet["H40"].value, sheet["C5"].value = sheet["C5"].value, None
    book.defined_names["Output_NodesFinal"] = DefinedName(
        "Output_NodesFinal", attr_text="Sizing!$H$40"
    )
    kept = after(saved(book), tmp_path)
    assert kept["Sizing", "H40"] == expected()[FINAL]


def test_a_persons_formulas_keep_their_values(tmp_path: Path) -> None:
    book = opened(before())
    book["Sizing"]["H5"].value = "=Output_NodesFinal*2"
    book["Sizing"]["C5"].value = "=Output_NodesWithHeadroom+Step_SpareNodes+1"
    mine = {("Sizing", "H5"): 123, FINAL: 124}
    content = with_values(saved(book), book.sheetnames, mine)
    kept = after(content, tmp_path)
    assert {cell: kept[cell] for cell in mine} == mine


def test_warnings_say_what_their_own_lines_and_paper_hold(tmp_path: Path) -> None:
    bare = with_changes(few(), {entry.name: {"sources": {}} for kind in few() for entry in kind})
    for count, words in ((20, "but there are only"), (9, "are in the print area")):
        content, _ = Case("alerts", few(), bare, [row()] * count, LOAD).before()
        synced, _ = after_sync(content, bare, tmp_path)
        kept = stored(synced, tmp_path)
        [computed] = IronCalc().compute([synced], kept)
        assert stale(kept, computed) == []
        assert words in kept["Warnings", "A3"]


@pytest.mark.parametrize("cells", ["A1:I1", "A5:I1048576"])
def test_a_table_of_warnings_without_rows_or_to_the_sheets_end_is_synced_all_the_same(
    tmp_path: Path, cells: str
) -> None:
    with zipfile.ZipFile(io.BytesIO(before())) as package:
        [part] = [
            name
            for name in package.namelist()
            if name.startswith("xl/tables/") and b'displayName="Warnings"' in package.read(name)
        ]
    content = rewritten(
        before(), lambda text: re.sub(r'ref="A5:I\d+"', f'ref="{cells}"', text), part
    )
    start = process_time()
    kept = after(content, tmp_path)
    # A million lines took minutes.
    assert process_time() - start < 20
    on_scenarios = {cell: value for cell, value in kept.items() if cell[0] == "Scenarios"}
    assert on_scenarios
    assert {cell: expected()[cell] for cell in on_scenarios} == on_scenarios


def test_a_second_sync_changes_nothing(tmp_path: Path) -> None:
    content, first = after_sync(before(), few(), tmp_path)
    again, second = after_sync(content, few(), tmp_path)
    assert first.parts
    assert not second.parts
    assert again == content


def test_results_are_left_alone_where_only_people_read_what_changes(tmp_path: Path) -> None:
    noted = with_changes(few(), {"dgx-b300": {"notes": "a note"}})
    content, _ = after_sync(template(few()), noted, tmp_path)
    planted = rewritten(
        template(few()), lambda xml: re.sub("<v>[^<]*</v>", "<v>9</v>", xml), SCENARIOS
    )
    left, _ = after_sync(planted, noted, tmp_path)
    with zipfile.ZipFile(io.BytesIO(left)) as package:
        assert b"<v>9</v>" in package.read(SCENARIOS)
    assert content != template(few())
    more = few()._replace(models=(*few().models, replace(few().models[0], name="new", aliases=())))
    left, _ = after_sync(planted, more, tmp_path)
    with zipfile.ZipFile(io.BytesIO(left)) as package:
        assert b"<v>9</v>" in package.read(SCENARIOS)


def test_dependence_goes_through_names_cells_ranges_and_tables() -> None:
    book = opened(template(few()))
    book.defined_names["Here"] = DefinedName("Here", attr_text="'One'!$A$1")
    formulas = {
        ("One", 1, 1): "Input_X*2",
        ("One", 2, 1): "Here+1",
        ("One", 3, 1): "SUM($A$2:A2)",
        ("Two", 1, 1): "One!$A$3",
        ("Two", 2, 1): '"Input_X and A3"',
        ("Two", 3, 1): "Input_XY+A7",
        ("Two", 4, 1): "COUNTIF(Models[Name],Two!A1)",
        ("Two", 5, 1): "LOG10(5)",
    }
    found = dependent(book, formulas, ["Input_X"])
    assert found == {("One", 1, 1), ("One", 2, 1), ("One", 3, 1), ("Two", 1, 1), ("Two", 4, 1)}
    assert dependent(book, formulas, [], [("Models", 6, 1)]) == {("Models", 6, 1), ("Two", 4, 1)}
    assert dependent(book, formulas, []) == set()
