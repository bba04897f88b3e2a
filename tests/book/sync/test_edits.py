"""Rows written into a table by bytes: what grows and shrinks with it, and what is refused."""

import re
from pathlib import Path

import pytest

from tests.book.sync.small import (
    SHEET,
    TABLE,
    TOP,
    WORKBOOK,
    Cell,
    Small,
    after_sync,
    filled,
    profile,
    relation,
    row_xml,
)
from tests.book.sync.small import catalogs as known
from xlsizing.book.package.errors import WorkbookReadError

A, B, C, D = (profile(name, speed) for speed, name in enumerate("abcd", start=1))
KNOWN = known(A, B)
TWO, ONE = filled(A, B), filled(A)
MORE = known(A, B, C, D)


def test_rows_come_below_and_look_like_those_above(tmp_path: Path) -> None:
    after = after_sync(Small(TWO), MORE, tmp_path)
    assert after.names == ["a", "b", "c", "d"]
    assert 'ref="A3:E7"' in after.part(TABLE)
    assert after.rows()[7] == {"A": "d", "B": "san", "C": "4", "E": filled(D)[0][4]}
    assert set(re.findall(r'<c r="[A-CE]7" s="(\d)"', after.part(SHEET))) == {"1"}


def test_rows_that_go_leave_no_gap_and_take_no_own_values_along(tmp_path: Path) -> None:
    book = Small(filled(A, B, C, D, own=("of a", None, None, "of d")))
    after = after_sync(book, known(A, D), tmp_path)
    assert after.names == ["a", "d"]
    assert [after.rows()[row]["D"] for row in (4, 5)] == ["of a", "of d"]
    assert set(after.rows()) == {TOP, 4, 5}
    assert 'ref="A3:E5"' in after.part(TABLE)


def test_a_row_in_which_somebody_typed_is_theirs(tmp_path: Path) -> None:
    """Its entry is gone from the catalog, and what they typed is nowhere else."""
    book = Small(filled(A, B, C, D, own=(None, "of b", 3, None)))
    after = after_sync(book, known(A, D), tmp_path)
    assert after.names == ["a", "b", "c", "d"]
    assert [after.rows()[row]["D"] for row in (5, 6)] == ["of b", "3"]


def test_a_table_keeps_one_row_and_an_old_mark_comes_back_clean(tmp_path: Path) -> None:
    after = after_sync(Small(filled(A, B, own=(None, None))), known(C), tmp_path)
    assert after.names == ["c"]
    assert "D" not in after.rows()[4]
    assert 'ref="A3:E4"' in after.part(TABLE)


def test_a_row_of_totals_stays_below(tmp_path: Path) -> None:
    totals = '<row r="{0}"><c r="A{0}" t="str"><v>Total</v></c><c r="C{0}"><f>SUBTOTAL(109,Storage[Read GB/s])</f></c></row>'
    book = Small(TWO, totals=totals.format(6), in_table='<autoFilter ref="A3:E5"/>')
    grown = after_sync(book, MORE, tmp_path)
    assert grown.rows()[8] == {"A": "Total", "C": "=SUBTOTAL(109,Storage[Read GB/s])"}
    assert 'ref="A3:E8"' in grown.part(TABLE)
    assert '<autoFilter ref="A3:E7"/>' in grown.part(TABLE)
    shrunk = after_sync(book, known(B), tmp_path)
    assert shrunk.rows()[5]["A"] == "Total"
    assert shrunk.rows()[4]["A"] == "b"
    assert 'ref="A3:E5"' in shrunk.part(TABLE)
    assert 6 not in shrunk.rows()
    by_address = Small(
        TWO, totals=totals.replace("SUBTOTAL(109,Storage[Read GB/s])", "SUM(C4:C5)").format(6)
    )
    with pytest.raises(
        WorkbookReadError, match=r"The totals of Storage .* the formula of Storage!C6"
    ):
        after_sync(by_address, MORE, tmp_path)


def test_calculated_columns_of_a_person_go_on_in_new_rows(tmp_path: Path) -> None:
    book = Small(
        filled(A, B, own=("=Storage[[#This Row],[Read GB/s]]*2",) * 2),
        columns={
            "Own": "<calculatedColumnFormula>Storage[[#This Row],[Read GB/s]]*2</calculatedColumnFormula>"
        },
    )
    after = after_sync(book, MORE, tmp_path)
    assert [after.rows()[row]["D"] for row in range(4, 8)] == [
        "=Storage[[#This Row],[Read GB/s]]*2"
    ] * 4
    assert '<c r="D7" s="1"><f>' in after.part(SHEET)
    shrunk = after_sync(book, known(B), tmp_path)
    assert shrunk.rows()[4]["D"] == "=Storage[[#This Row],[Read GB/s]]*2"


@pytest.mark.parametrize(
    ("book", "sentence"),
    [
        (Small(ONE, below=row_xml(6, ("note",))), "Storage!A6 stands in the way of the table"),
        (Small(ONE, below=row_xml(5, (None, 0))), "Storage!B5 stands in the way of the table"),
        (Small(ONE, below=row_xml(5, ("=1+1",))), "Storage!A5 stands in the way of the table"),
        (
            Small(ONE, after='<mergeCells count="1"><mergeCell ref="D6:F7"/></mergeCells>'),
            "The merged cells Storage!D6:F7 stand in the way",
        ),
    ],
)
def test_what_stands_in_the_way_is_named(book: Small, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "small.xlsx"
    with pytest.raises(WorkbookReadError, match=re.escape(sentence)):
        after_sync(book, known(A, B, C, D), tmp_path)
    assert path.read_bytes() == book.content()


def test_what_stands_beside_does_not_stand_in_the_way(tmp_path: Path) -> None:
    below = '<row r="5" spans="1:9" ht="30"><c r="A5" s="1"/><c r="G5"><v>7</v></c></row>'
    book = Small(ONE, below=below, dimension="A3:G5")
    after = after_sync(book, MORE, tmp_path)
    assert after.rows()[5]["G"] == "7"
    assert after.rows()[5]["A"] == "b"
    assert 'ht="30"' in after.part(SHEET)
    assert "spans" not in after.part(SHEET)
    assert '<dimension ref="A3:G7"/>' in after.part(SHEET)


def test_filters_and_their_order_reach_as_far_as_the_rows(tmp_path: Path) -> None:
    filters = (
        '<autoFilter ref="A3:E5"><filterColumn colId="1"><filters><filter val="san"/></filters>'
        '</filterColumn></autoFilter><sortState ref="A4:E5"><sortCondition descending="1" '
        'ref="C4:C5"/></sortState>'
    )
    after = after_sync(Small(TWO, in_table=filters), MORE, tmp_path).part(TABLE)
    assert '<autoFilter ref="A3:E7"><filterColumn colId="1"><filters><filter val="san"/>' in after
    assert '<sortState ref="A4:E7"><sortCondition descending="1" ref="C4:C7"/>' in after


@pytest.mark.parametrize("title", ["Storage", "My discs", "Tom's", "R&amp;D", "Grün"])
def test_names_end_where_the_table_does(title: str, tmp_path: Path) -> None:
    sheet = f"'{title.replace(chr(39), chr(39) * 2)}'"
    names = (
        f'<definedName name="List_Storage">{sheet}!$A$4:$A$5</definedName>'
        f'<definedName name="_xlnm.Print_Area" localSheetId="0">{sheet}!$A$1:$E$5,{sheet}!$G$1:$G$2'
        "</definedName>"
        f'<definedName name="Head">{sheet}!$A$3</definedName>'
        '<definedName name="Other">Elsewhere!$A$4:$A$5</definedName>'
    )
    book = Small(TWO, title=title, names=names, sheets={"Elsewhere": ""})
    grown = after_sync(book, MORE, tmp_path).part(WORKBOOK)
    assert f"{sheet}!$A$4:$A$7<" in grown
    assert f"{sheet}!$A$1:$E$7,{sheet}!$G$1:$G$2<" in grown
    assert f"{sheet}!$A$3<" in grown
    assert ">Elsewhere!$A$4:$A$5<" in grown
    shrunk = after_sync(book, known(B), tmp_path)
    assert f"{sheet}!$A$4:$A$4<" in shrunk.part(WORKBOOK)
    assert f"{sheet}!$A$1:$E$4," in shrunk.part(WORKBOOK)
    assert shrunk.names == ["b"]


X14 = "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"
XM = "http://schemas.microsoft.com/office/excel/2006/main"


def test_checks_and_formats_of_the_sheet_reach_as_far_as_the_rows(tmp_path: Path) -> None:
    after = (
        '<conditionalFormatting sqref="C4:C5 G1"><cfRule type="expression" priority="1"><formula>'
        "$C4&gt;1</formula></cfRule></conditionalFormatting>"
        '<dataValidations count="1"><dataValidation type="whole" sqref="C4:C5"><formula1>0'
        "</formula1></dataValidation></dataValidations>"
        f'<extLst><ext xmlns:x14="{X14}" uri="{{78C0D931-6437-407d-A8EE-F0AAD7539E65}}">'
        "<x14:conditionalFormattings><x14:conditionalFormatting "
        f'xmlns:xm="{XM}"><xm:sqref>A4:A5</xm:sqref></x14:conditionalFormatting>'
        "</x14:conditionalFormattings></ext></extLst>"
    )
    tables = '<tableParts count="1"><tablePart r:id="rId1"/></tableParts>'
    book = Small(TWO, after=after)
    # The standard has the tables before the extensions.
    sheet = book.sheet().replace(tables, "").replace("<extLst>", f"{tables}<extLst>")
    book = Small(TWO, parts={SHEET: sheet})
    grown = after_sync(book, MORE, tmp_path).part(SHEET)
    assert '<conditionalFormatting sqref="C4:C7 G1">' in grown
    assert '<dataValidation type="whole" sqref="C4:C7">' in grown
    assert "<xm:sqref>A4:A7</xm:sqref>" in grown
    shrunk = after_sync(book, known(B), tmp_path).part(SHEET)
    assert '<conditionalFormatting sqref="C4 G1">' in shrunk
    assert "<xm:sqref>A4</xm:sqref>" in shrunk


def test_rows_and_cells_without_addresses_are_found_and_written(tmp_path: Path) -> None:
    sheet = Small(TWO).sheet()
    bare = re.sub(r'(<(?:row|c))( r="[A-Z]*\d+")', r"\1", sheet).replace(
        "<sheetData>", "<sheetData><row/><row/>"
    )
    # Of the empty cell in the column Own there has to be one, now that cells are counted.
    bare = re.sub(r"(</v></c>)(<c s=\"1\" t=\"inlineStr\"><is><t>catalog)", r"\1<c/>\2", bare)
    after = after_sync(Small(TWO, parts={SHEET: bare}), known(B, C), tmp_path)
    assert after.names == ["b", "c"]


def test_xml_with_prefixes_is_written_with_them(tmp_path: Path) -> None:
    def prefixed(xml: str) -> str:
        xml = re.sub(r"<(/?)([a-z])", r"<\1x:\2", xml)
        return xml.replace(' xmlns="', ' xmlns:x="')

    book = Small(TWO)
    parts = {SHEET: prefixed(book.sheet()), TABLE: prefixed(book.table())}
    names = '<definedName name="L">Storage!$A$4:$A$5</definedName>'
    after = after_sync(Small(TWO, parts=parts, names=names), MORE, tmp_path)
    assert after.names == ["a", "b", "c", "d"]
    assert '<x:c r="A7"' in after.part(SHEET)
    assert 'fullCalcOnLoad="1"' in after.part(WORKBOOK)


def test_parts_in_utf_16_are_read_and_written(tmp_path: Path) -> None:
    book = Small(TWO)
    start = '<?xml version="1.0" encoding="UTF-16"?>'
    parts = {
        SHEET: (start + book.sheet()).encode("utf-16"),
        TABLE: (start + book.table()).encode("utf-16"),
    }
    after = after_sync(Small(TWO, parts=parts), MORE, tmp_path)
    assert after.names == ["a", "b", "c", "d"]


@pytest.mark.parametrize("note", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_texts_like_formulas_stay_texts(note: str, tmp_path: Path) -> None:
    heads = ("Name", "Type", "Read GB/s", "Notes")
    rows: list[list[Cell]] = [["a", "san", 1, None]]
    later = known(profile("a", 1, notes=note), profile("b", 1, notes=note))
    after = after_sync(Small(rows, heads=heads), later, tmp_path)
    styles, sheet = after.part("xl/styles.xml"), after.part(SHEET)
    assert '<cellXfs count="3">' in styles or '<cellXfs count="4">' in styles
    looks = re.findall(r"<xf [^>]*>", styles.split("<cellXfs")[1])
    for row in (4, 5):
        match = re.search(rf'<c r="D{row}" s="(\d+)" t="inlineStr"><is><t [^>]*>([^<]*)<', sheet)
        assert match
        assert match[2].strip() == note.strip()
        assert 'quotePrefix="1"' in looks[int(match[1])]
    assert "<f>" not in sheet


def test_shared_texts_are_read_and_left_alone(tmp_path: Path) -> None:
    shared = "<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><si><t>a</t></si></sst>"
    book = Small(TWO)
    sheet = book.sheet().replace('t="inlineStr"><is><t>a</t></is>', 't="s"><v>0</v>')
    after = after_sync(
        Small(
            TWO,
            parts={SHEET: sheet, "xl/sharedStrings.xml": shared},
            of_workbook=relation(91, "sharedStrings", "sharedStrings.xml"),
        ),
        MORE,
        tmp_path,
    )
    assert after.part("xl/sharedStrings.xml") == shared
    assert '<c r="A4" s="1" t="s"><v>0</v></c>' in after.part(SHEET)
    assert [change.name for change in after.said.changes[0].rows] == ["c", "d"]


def test_the_workbook_is_flagged_and_its_list_of_formulas_goes_with_a_formula(
    tmp_path: Path,
) -> None:
    chain = "<calcChain xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><c r='D4' i='1'/></calcChain>"
    kept = {
        "parts": {"xl/calcChain.xml": chain},
        "of_workbook": relation(91, "calcChain", "calcChain.xml"),
        "types": '<Override PartName="/xl/calcChain.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"/>',
    }
    book = Small(filled(A, B, own=("=1+1", "=2+2")), **kept)  # type: ignore[arg-type]
    grown = after_sync(book, MORE, tmp_path)
    assert "xl/calcChain.xml" in grown.parts
    assert 'fullCalcOnLoad="1"' in grown.part(WORKBOOK)
    shrunk = after_sync(book, known(B), tmp_path)
    assert shrunk.rows()[4]["D"] == "=2+2"
    assert "xl/calcChain.xml" not in shrunk.parts
    assert "calcChain" not in shrunk.part("[Content_Types].xml")
    assert "calcChain" not in shrunk.part("xl/_rels/workbook.xml.rels")
