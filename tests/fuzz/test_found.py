"""What fuzzing has found, each as small as it can be told."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest

from tests.book.package.test_opened import PARTS, relation, zipped
from tests.fuzz.zips import written
from xlsizing.book.contents import Contents
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.package.opened import Package, package_of
from xlsizing.book.package.structure import Structure
from xlsizing.book.package.xml import XmlError, elements, plain_text
from xlsizing.book.shared_strings import shared_texts, unescaped
from xlsizing.book.sync.edits import has_addresses
from xlsizing.book.sync.moving import _mentions
from xlsizing.book.sync.ranges import Stretch, references, stretched_references
from xlsizing.book.worksheet import Area, Worksheet, area_of

MANY = 200_000
A1 = Area(1, 1, 1, 1)
STRETCH = Stretch("Models", Area(5, 1, 9, 3), 12)


@contextmanager
def soon() -> Iterator[None]:
    """What is done meanwhile takes the processor two seconds at most; each fault took many more."""
    start = time.process_time()
    yield
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("_xDC00_", "\ufffd"),
        ("a_xD83D_b", "a\ufffdb"),
        ("_xD83D__xDE00_", "\U0001f600"),
        ("_xD83D_\U0001f600_x000D_", "\ufffd\U0001f600\r"),
        ("_x005F_x0041_", "_x0041_"),
    ],
)
def test_no_text_holds_half_a_character(text: str, means: str) -> None:
    assert unescaped(text) == means
    assert means.encode()


@pytest.mark.parametrize("cells", ["ZZZ9", "XFE1", "A0", "A1:XFE1", "A1048577", "A9:A5"])
def test_no_address_lies_beyond_the_sheet(cells: str) -> None:
    with pytest.raises(XmlError, match="is no range of cells"):
        area_of(cells)


@pytest.mark.parametrize("cell", ["$ZZZ$9999999", "$A$0", "$XFE$1"])
def test_a_name_of_no_cell_leads_nowhere(cell: str) -> None:
    book = str(PARTS["xl/workbook.xml"])
    names = f'<definedNames><definedName name="There">First!{cell}</definedName></definedNames>'
    changed = book.replace("</workbook>", f"{names}</workbook>")
    contents = Contents(package_of(written(zipped({**PARTS, "xl/workbook.xml": changed}))))
    assert contents.place("There") is None


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><sheetData></sheetData></row>',
        '<row r="1"><c r="A1"><row></row><v>1</v></c></row>',
    ],
)
def test_rows_and_cells_in_one_another_are_told(rows: str) -> None:
    worksheet = Worksheet(f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode())
    with pytest.raises(XmlError, match="its rows and cells stand in one another"):
        list(worksheet.cells_in(Area(1, 1, 9, 9)))


@pytest.mark.parametrize(
    "text", ["x" * MANY, "x" * MANY + "!", "'" * MANY, "'a" * MANY, "a''" * MANY]
)
def test_addresses_are_looked_for_in_one_pass(text: str) -> None:
    with soon():
        assert stretched_references(text, STRETCH) == text
        assert references(text, "Models") == []


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("SUM(Models!$A$5:$A$9)", "SUM(Models!$A$5:$A$12)"),
        ("'models'!A5:B9+Servers!A5:A9", "'models'!A5:B12+Servers!A5:A9"),
        ("IF('it''s'!A1=1,Models!A5:A9)", "IF('it''s'!A1=1,Models!A5:A12)"),
        ("MyModels!A5:A9", "MyModels!A5:A9"),
        ("Models!A5:A9(", "Models!A5:A9("),
    ],
)
def test_addresses_are_found_all_the_same(text: str, after: str) -> None:
    assert stretched_references(text, STRETCH) == after


@pytest.mark.parametrize("text", ["[" * MANY, "a[" * MANY])
def test_a_bracket_that_is_never_closed_is_looked_for_once(text: str) -> None:
    with soon():
        assert not has_addresses(text)


def test_readings_that_are_never_closed_are_looked_for_once() -> None:
    inner = b"<rPh />" * MANY + b"<t>text</t>"
    cell = b'<row r="1"><c r="A1" t="inlineStr"><is>' + inner + b"</is></c></row>"
    worksheet = Worksheet(b"<worksheet><sheetData>" + cell + b"</sheetData></worksheet>")
    [found] = worksheet.cells_in(A1)
    with soon():
        assert worksheet.value(found, {}) == "text"


def noisy(**changed: bytes) -> Package:
    """The least workbook with more parts, and noise that lets it be so large."""
    more = {name.replace("_", "."): content for name, content in changed.items()}
    return package_of(written(zipped({**PARTS, **more, "noise": Random(0).randbytes(100_000)})))


def strings(items: str) -> Package:
    """A workbook with a table of shared texts in its part s.xml."""
    return noisy(s_xml=f"<sst>{items}</sst>".encode())


def test_shared_texts_without_an_end_are_told_soon() -> None:
    package = strings("<si><t>a</t></si>" + "<si>" * MANY)
    with soon():
        assert shared_texts(package, "s.xml", {0, 7}) == {0: "a"}


def test_shared_texts_across_chunks_keep_their_numbers() -> None:
    """Chunks of a megabyte end within items, and some items are empty tags."""
    texts = [f"text {number}" for number in range(60_000)]
    items = [f"<si><t>{text}</t></si><si/>" for text in texts]
    package = strings("".join(items))
    wanted = {0, 1, 59_998, 70_000, 119_998, 119_999, 120_000}
    expected = {
        number: "" if number % 2 else texts[number // 2] for number in wanted if number < 119_999
    }
    assert shared_texts(package, "s.xml", wanted) == expected


def test_mentions_of_cells_are_looked_for_nearby() -> None:
    text = '<c r="A1"><f>First!A1</f></c>' + "First!B2 " * 60_000
    contents = Contents(noisy(other_xml=text.encode()))
    with soon():
        found = list(_mentions(contents, "other.xml", "First"))
    assert len(found) > 60_000
    assert found[0][1] == "other.xml!A1"


def test_a_sheet_that_is_no_part_is_told() -> None:
    content = written(
        zipped({**PARTS, "xl/_rels/workbook.xml.rels": relation("worksheet", "../" * 9)})
    )
    contents = Contents(package_of(content))
    [sheet] = contents.structure.sheets
    with pytest.raises(WorkbookReadError, match="it has no part"):
        contents.worksheet(sheet)


@pytest.mark.parametrize("targets", [["../t.xml"] * 30_000, ["../t.xml", "../u.xml"] * 15_000])
def test_a_table_is_read_once_however_many_relations_lead_to_it(targets: list[str]) -> None:
    table = b'<table displayName="Models" ref="A1:B2"/>'
    one = relation("table", "{}")
    start, end = one.index("<Relationship "), one.index("</Relationships>")
    many = one[:start] + "".join(map(one[start:end].format, targets)) + one[end:]
    noise = {"noise": Random(0).randbytes(100_000), "xl/t.xml": table, "xl/u.xml": table}
    parts = {**PARTS, **noise, "xl/worksheets/_rels/sheet1.xml.rels": many}
    structure = Structure(package_of(written(zipped(parts))))
    with soon():
        found = structure.tables
    assert len(found) == len(set(targets))


def test_an_encoding_that_nobody_knows_is_a_sentence() -> None:
    with pytest.raises(XmlError, match=r"in no known encoding|must be in UTF-8"):
        elements(b"<?xml version='1.0'" + b" " * 300 + b"encoding='xxxxxxxx'?><a/>")


def test_a_small_workbook_may_be_packed_very_well() -> None:
    """A sync packs what was not packed before, and what it wrote must be read again."""
    with_much = {**PARTS, "xl/media/blank.bin": bytes(20 * 2**20)}
    assert package_of(written(zipped(with_much))).has("xl/media/blank.bin")


def test_a_reference_to_no_character_is_left_as_it_is() -> None:
    assert plain_text(b"a&#9999999;b&#65;") == "a&#9999999;bA"
