"""Each rule of the gate finds the faults that it is for, planted into a healthy workbook."""

from datetime import UTC, datetime

import pytest

from tests.book.rules import RULES, Rule
from tests.book.test_rules import Plant, planted, plants
from tests.gate import add_ins, charts, errors, gate, limits, properties, protection
from tests.gate.books import (
    CHART,
    COMMENTS,
    DRAWING,
    EXTENSION,
    PANES,
    SHEET,
    TYPES,
    healthy,
    with_part,
)

WORKBOOK, STYLES = "xl/workbook.xml", "xl/styles.xml"
CORE, APP = "docProps/core.xml", "docProps/app.xml"
SHEET_LINKS = "xl/worksheets/_rels/sheet1.xml.rels"
DRAWING_LINKS = "xl/drawings/_rels/drawing1.xml.rels"
MACRO_TYPE = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
PLAIN_TYPE = r"application/[\w.-]*sheet\.main\+xml"

LONG = "x" * 256
FORMULA = "<f>N[^<]*</f>"
NOW = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
CREATED = (
    r'<dcterms:created xmlns:dcterms="http://purl.org/dc/terms/">{}</dcterms:created>'
    r"</cp:coreProperties>"
)
ANCHOR = r"<row>1</row><rowOff>0</rowOff></from><ext[^>]*>"
TO = (
    "<row>1</row><rowOff>0</rowOff></from>"
    "<to><col>{}</col><colOff>0</colOff><row>{}</row><rowOff>0</rowOff></to>"
)
SERIES = "<ser>.*</ser>"


def repeated(tag: str, child: str, count: int) -> str:
    return f"<{tag}>{child * count}</{tag}>"


PLANTS = [
    *plants(
        add_ins.add_ins_shown,
        PANES,
        ("another one", 'r:id="rId1"', 'r:id="rId2"', "No task pane shows"),
        ("none", "<wetp:taskpane .*</wetp:taskpane>", "", "No task pane shows"),
    ),
    *plants(
        add_ins.add_ins_shown,
        "_rels/.rels",
        ("no way there", r"<Relationship [^>]*taskpanes\.xml[^>]*>", "", "does not lead to"),
    ),
    *plants(
        add_ins.add_in_settings,
        EXTENSION,
        ("no JSON", 'value="&quot;x = 1', 'value="x = 1', "main.py as what is no JSON"),
        ("twice", 'name="requirements.txt"', 'name="main.py"', "main.py twice"),
        ("too much", "x = 1", "x" * (2**20 + 1), "bytes, more than"),
    ),
    *plants(
        add_ins.lite_code,
        EXTENSION,
        ("none", 'name="main.py"', 'name="mine.py"', "keeps no main.py"),
        ("no Python", "x = 1", "x = =", "is no Python"),
        ("no text", "&quot;x = 1[^ ]*&quot;", "1", "keeps no main.py"),
        ("no packages", "xlwings.n", "pandas", "does not name xlwings"),
    ),
    *plants(
        add_ins.functions_twice,
        WORKBOOK,
        ("a LAMBDA", r">'Sizing'!\$B\$1<", ">_xlfn.LAMBDA(1)<", "Input_Load is a LAMBDA"),
    ),
    *plants(
        errors.error_values,
        SHEET,
        ("of a formula", r'<c r="B4">(<f>.*?</f>)<v>2.5<', r'<c r="B4" t="e">\1<v>#N/A<', "#N/A"),
        ("typed", r'<c r="B1" s="1"><v>4<', r'<c r="B1" t="e"><v>#REF!<', "#REF!"),
    ),
    *plants(
        limits.sheet_sizes,
        SHEET,
        ("row too far", '<row r="9"', '<row r="1048577"', "row 1048577"),
        ("row too high", 'ht="30"', 'ht="410"', "height 410"),
        ("column too far", 'min="1" max="1"', 'min="1" max="16385"', "1 to 16385"),
        ("columns crossed", 'min="1" max="1"', 'min="2" max="1"', "2 to 1"),
        ("column too wide", 'width="20"', 'width="255.5"', "width 255.5"),
        ("used too far", 'ref="A1:B9"', 'ref="A1:XFE9"', "A1:XFE9"),
    ),
    *plants(
        limits.style_counts,
        STYLES,
        (
            "styles",
            "<cellXfs.*</cellXfs>",
            repeated("cellXfs", "<cellXf/>", 65_491),
            "65491 cellXfs",
        ),
        ("fonts", "<fonts.*</fonts>", repeated("fonts", "<font/>", 513), "513 fonts"),
        (
            "number formats",
            "<numFmts.*</numFmts>",
            repeated("numFmts", "<numFmt/>", 251),
            "251 numFmts",
        ),
        (
            "names of styles",
            "<cellStyles.*</cellStyles>",
            repeated("cellStyles", "<cellStyle/>", 65_491),
            "cellStyles",
        ),
    ),
    *plants(
        limits.arguments,
        SHEET,
        ("too many", FORMULA, f"<f>SUM(1{',1' * 255})</f>", "256 arguments"),
        ("within", FORMULA, f'<f>SUM(1,SUM(",",MAX(1{",1" * 255})))</f>', "256 arguments"),
    ),
    *plants(
        limits.name_lengths,
        WORKBOOK,
        ("name", 'name="Input_Load"', f'name="{LONG}"', "longer name"),
        ("comment", 'comment="A cell."', f'comment="{LONG}"', "longer comment"),
        ("formula", r">'Sizing'!\$B\$1<", f">{'1+' * 4_096}1<", "more than 8192"),
    ),
    *plants(
        limits.print_names,
        WORKBOOK,
        ("other sheet", r"'Sizing'!(\$A\$1:)", r"'Size'!\1", "Print_Area of sheet 0"),
        ("no sheet", 'Print_Titles" localSheetId="0"', 'Print_Titles" localSheetId="1"', "sheet 1"),
        ("no scope", 'Print_Titles" localSheetId="0"', 'Print_Titles"', "sheet None"),
        ("second area", r"\$A\$1:\$B\$9", "$A$1:$B$4,'Size'!$A$6:$B$9", "'Size'!$A$6"),
        ("lost", r"'Sizing'!\$1:\$1", "'Sizing'!#REF!", "#REF!"),
    ),
    *plants(
        limits.hyperlinks,
        SHEET,
        ("to no name", 'location="Input_Load"', 'location="Input_None"', "Input_None"),
        ("to no sheet", 'location="Input_Load"', "location=\"'Size'!A1\"", "Size"),
        ("to no cell", 'location="Input_Load"', "location=\"'Sizing'!A0\"", "A0"),
        ("of no cell", 'ref="A8"', 'ref="8"', "a link in 8"),
        (
            "too many",
            "<hyperlinks>.*</hyperlinks>",
            repeated("hyperlinks", '<hyperlink ref="A8"/>', 65_531),
            "65531 links",
        ),
    ),
    *plants(
        limits.hyperlinks,
        SHEET_LINKS,
        ("too long", "71691.html", "x" * 2_080, "more than 2079"),
    ),
    *plants(
        limits.pages,
        SHEET,
        ("header", "<oddHeader/>", f"<oddHeader>{LONG}</oddHeader>", "a header"),
        ("footer", "&amp;A<", f"{LONG}<", "a header"),
        ("zoom too small", 'zoomScale="90"', 'zoomScale="9"', "zoomScale 9"),
        ("zoom too large", 'zoomScale="90"', 'zoomScale="401"', "zoomScale 401"),
        ("other zoom", 'zoomScale="90"', 'zoomScaleNormal="401"', "zoomScaleNormal 401"),
        ("scale", 'scale="80"', 'scale="5"', "scale 5"),
        ("break", '<brk id="6"', '<brk id="1048576"', "after 1048576"),
        (
            "too many breaks",
            "<rowBreaks.*</rowBreaks>",
            repeated("rowBreaks", '<brk id="6"/>', 1_027),
            "1027 rowBreaks",
        ),
    ),
    *plants(
        limits.sheet_count,
        WORKBOOK,
        ("hidden", 'state="visible"', 'state="hidden"', "sheet 0"),
        ("opens on none", 'activeTab="0"', 'activeTab="1"', "sheet 1"),
        ("too many", "<sheets>(<sheet .*?/>)", "<sheets>" + r"\1" * 256, "256 sheets"),
    ),
    *plants(
        limits.lines,
        SHEET,
        ("too many", "<t>Load", "<t>" + "x\n" * 254, "254 lines"),
    ),
    *plants(
        limits.conditional_formats,
        SHEET,
        ("of no cell", '(Formatting sqref=)"B1"', r'\1"B0"', "format of B0"),
        ("empty formula", r"<formula>\$B\$1&gt;9<", "<formula><", "without a formula"),
        ("no formula", r"<formula>\$B\$1&gt;9</formula>", "", "without a formula"),
        ("same turn", "<cfRule .*</cfRule>", r"\g<0>\g<0>", "2 conditional formats"),
    ),
    *plants(
        properties.types_of_parts,
        TYPES,
        ("chart", "drawingml.chart", "drawing", "chart1.xml has the content type"),
        ("drawing", r"officedocument.drawing\+", "officedocument.drawingml.chart+", "drawing1.xml"),
        ("sheet", "worksheet", "chartsheet", "sheet1.xml has"),
        ("none", '<Override PartName="/xl/charts[^>]*>', "", "chart1.xml has"),
    ),
    *plants(properties.macros, TYPES, ("none", PLAIN_TYPE, MACRO_TYPE, "and has none")),
    *plants(
        properties.other_files,
        SHEET_LINKS,
        ("a file", "https://www.iso.org/standard/", "file:///C:/plans/", "file:///C:/plans"),
        ("not as a link", "relationships/hyperlink", "relationships/image", "leads out"),
    ),
    *plants(
        properties.other_files,
        SHEET,
        ("by number", FORMULA, "<f>[1]Sheet1!A1</f>", "another workbook"),
        ("by name", FORMULA, "<f>1+'[Plan 1.xlsx]Sheet 1'!A1</f>", "another workbook"),
        ("a name", FORMULA, "<f>[1]!Growth</f>", "another workbook"),
    ),
    *plants(
        properties.people,
        CORE,
        ("creator", "xlsizing 0.1.0", "Jo Doe", "'Jo Doe' made it"),
        (
            "who saved it",
            "</cp:coreProperties>",
            r"<cp:lastModifiedBy>Jo</cp:lastModifiedBy>\g<0>",
            "lastModifiedBy 'Jo'",
        ),
    ),
    *plants(
        properties.people,
        APP,
        ("company", "</Properties>", r"<Company>Acme</Company>\g<0>", "Company 'Acme'"),
        ("manager", "</Properties>", r"<Manager>Jo</Manager>\g<0>", "Manager 'Jo'"),
    ),
    *plants(
        properties.people,
        COMMENTS,
        ("of a comment", "<author>xlsizing", "<author>Jo Doe", "comment by 'Jo Doe'"),
    ),
    *plants(
        properties.people,
        WORKBOOK,
        ("folder", "<bookViews>", r'<absPath url="C:\\Users\\jo"/>\g<0>', "C:\\Users\\jo"),
    ),
    *plants(
        properties.dates,
        CORE,
        ("clock", "</cp:coreProperties>", CREATED.format(NOW), "from the clock"),
        ("no date", "</cp:coreProperties>", CREATED.format("today"), "'today'"),
    ),
    *plants(
        properties.recomputed,
        WORKBOOK,
        ("not said", ' fullCalcOnLoad="1"', "", "fullCalcOnLoad"),
        ("not at all", "<calcPr[^>]*/>", "", "fullCalcOnLoad"),
        ("denied", 'fullCalcOnLoad="1"', 'fullCalcOnLoad="0"', "fullCalcOnLoad"),
    ),
    *plants(
        charts.chart_references,
        CHART,
        ("no sheet", r"'Sizing'!\$B", "'Size'!$B", "'Size'!$B$4:$B$6, which does not exist"),
        ("no cells", r"\$B\$4:\$B\$6", "#REF!", "#REF!, which does not exist"),
        ("empty cells", r"\$B\$4:\$B\$6", "$Z$4:$Z$6", "every cell is empty"),
        ("no name", r"'Sizing'!\$B\$4:\$B\$6", "Sizing!Growth", "Growth, which does not"),
    ),
    *plants(
        charts.chart_series,
        CHART,
        ("none", SERIES, "", "no series"),
        ("no values", "<val>.*</val>", "", "without values"),
        ("fewer categories", r"\$A\$4:\$A\$6", "$A$4:$A$5", "'cat': 2, 'val': 3"),
    ),
    *plants(
        charts.chart_caches,
        CHART,
        ("none", "<numCache>.*</numCache>", "", "carries nothing of 'Sizing'!$B$4:$B$6"),
        ("other figure", "<v>2.5<", "<v>2.6<", "'2.6' as point 0"),
        ("other text", "<v>Launch<", "<v>launch<", "'launch' as point 1"),
        ("figure of a text", "<v>0<", "<v>1<", "'1' as point 2"),
        ("no number", "<v>2.5<", "<v>two<", "'two' as point 0"),
        ("point lost", '<pt idx="1"><v>7</v></pt>', "", "None as point 1"),
        ("point too many", "</numCache>", r'<pt idx="3"><v>1</v></pt>\g<0>', "'1' as point 3"),
        ("other count", '<ptCount val="3"/>', '<ptCount val="4"/>', "counts 4 points"),
        ("no count", '<ptCount val="3"/>', "", "counts None points"),
    ),
    *plants(
        charts.alt_texts,
        DRAWING,
        ("none", ' descr="Bars."', "", "without alt text, 'Nodes'"),
        ("blank", ' descr="Bars."', ' descr=" "', "without alt text, 'Nodes'"),
    ),
    *plants(
        charts.anchors,
        DRAWING,
        ("column too far", "<col>3</col>", "<col>16384</col>", "on no sheet"),
        ("row too far", "<row>1</row>", "<row>1048576</row>", "on no sheet"),
        ("before the cell", "<colOff>0<", "<colOff>-1<", "on no sheet"),
        ("no width", 'cx="5400000"', 'cx="0"', "without a size"),
        ("ends too far", ANCHOR, TO.format(16_384, 9), "on no sheet"),
        ("ends before it starts", ANCHOR, TO.format(2, 9), "before its start"),
        ("flat", ANCHOR, TO.format(9, 1), "before its start"),
        ("same number", "<oneCellAnchor>.*</oneCellAnchor>", r"\g<0>\g<0>", "the same number"),
    ),
    *plants(
        charts.drawings_used,
        DRAWING_LINKS,
        ("chart", "chart1.xml", "chart2.xml", "chart1.xml is in no sheet"),
    ),
    *plants(
        charts.drawings_used,
        SHEET_LINKS,
        ("drawing", "drawing1.xml", "drawing2.xml", "drawing1.xml is in no sheet"),
    ),
    *plants(
        protection.passwords,
        SHEET,
        ("old", "<sheetProtection ", r'\g<0>password="CC1A" ', "password"),
        ("new", "<sheetProtection ", r'\g<0>hashValue="x" saltValue="y" ', "hashValue, saltValue"),
    ),
    *plants(
        protection.passwords,
        WORKBOOK,
        ("workbook", "<workbookProtection", r'\g<0> workbookPassword="CC1A"', "workbookPassword"),
    ),
    *plants(
        protection.locked_formulas,
        SHEET,
        ("open style", 'r="B2" s="2"', 'r="B2" s="1"', "B2 has a formula that is not locked"),
    ),
    *plants(
        protection.open_inputs,
        SHEET,
        ("locked style", 'r="B1" s="1"', 'r="B1" s="2"', "Input_Load in Sizing!B1 is locked"),
        ("no style", 'r="B1" s="1"', 'r="B1"', "Input_Load in Sizing!B1 is locked"),
        ("no cell", '<c r="B1" s="1"><v>4</v></c>', "", "Input_Load in Sizing!B1 is locked"),
    ),
    *plants(
        protection.open_inputs,
        STYLES,
        ("style that locks", 'locked="0"', 'locked="1"', "Input_Load in Sizing!B1 is locked"),
    ),
    *plants(
        protection.comments,
        COMMENTS,
        ("no cell", 'ref="A2"', 'ref="A0"', "comment on A0"),
        ("twice", "<comment .*</comment>", r"\g<0>\g<0>", "comment on A2"),
        ("empty", "Twice the load.", " ", "empty comment on A2"),
    ),
]

BY_HAND = {"zip_dates", "macros", "code_names", "module_texts", "buttons", "settings"}
"""Rules with a plant in a test of their own, here or in test_macros.py."""


def test_the_healthy_workbook_breaks_no_rule() -> None:
    assert [sentence for each in RULES for sentence in each(healthy())] == []


@pytest.mark.parametrize("plant", PLANTS, ids=[f"{each.rule}: {each.fault}" for each in PLANTS])
def test_rule_finds_planted_fault(plant: Plant) -> None:
    check: Rule = next(each for each in RULES if each.__name__ == plant.rule)
    found = check(planted(healthy(), plant))
    assert any(plant.finding in sentence for sentence in found), found


def test_every_rule_has_a_planted_fault() -> None:
    modules = {module.__name__ for module in gate.MODULES}
    here = {each.__name__ for each in RULES if each.__module__ in modules}
    assert {plant.rule for plant in PLANTS} | BY_HAND == here


def test_no_two_rules_have_the_same_name() -> None:
    assert len({each.__name__ for each in RULES}) == len(RULES)


def test_a_macro_project_in_a_plain_workbook_is_found() -> None:
    content = with_part(healthy(), "xl/vbaProject.bin", b"\xd0\xcf")
    assert any("vbaProject.bin" in sentence for sentence in properties.macros(content))


def test_a_workbook_with_macros_may_have_them() -> None:
    [plant] = plants(properties.macros, TYPES, ("", PLAIN_TYPE, MACRO_TYPE, ""))
    content = with_part(planted(healthy(), plant), "xl/vbaProject.bin", b"\xd0\xcf")
    assert properties.macros(content) == []
    assert properties.types_of_parts(content) == []


def test_a_part_of_another_workbook_is_found() -> None:
    content = with_part(healthy(), "xl/externalLinks/externalLink1.xml", b"<externalLink/>")
    assert any("externalLink1.xml" in each for each in properties.other_files(content))


def test_a_part_with_a_date_is_found() -> None:
    content = with_part(healthy(), "xl/new.xml", b"<new/>", (2026, 2, 7, 1, 2, 4))
    assert properties.zip_dates(content) == ["xl/new.xml has the date (2026, 2, 7, 1, 2, 4)."]


def test_a_date_that_was_given_may_stand() -> None:
    date = CREATED.format("2026-01-31T00:00:00Z")
    [plant] = plants(properties.dates, CORE, ("", "</cp:coreProperties>", date, ""))
    assert properties.dates(planted(healthy(), plant)) == []


def test_sheets_without_protection_may_have_open_formulas_and_locked_inputs() -> None:
    faults = [("", "<sheetProtection[^>]*>", "", ""), ("", 's="2"', 's="1"', "")]
    content = healthy()
    for plant in plants(protection.locked_formulas, SHEET, *faults):
        content = planted(content, plant)
    assert protection.locked_formulas(content) == protection.open_inputs(content) == []


def test_a_print_area_may_have_two_parts() -> None:
    two = "$A$1:$B$4,'Sizing'!$A$6:$B$9"
    [plant] = plants(limits.print_names, WORKBOOK, ("", r"\$A\$1:\$B\$9", two, ""))
    assert limits.print_names(planted(healthy(), plant)) == []


def test_a_chart_need_not_carry_a_point_for_a_text() -> None:
    lost = ("", '<pt idx="2"><v>0</v></pt>', "", "")
    [plant] = plants(charts.chart_caches, CHART, lost)
    assert charts.chart_caches(planted(healthy(), plant)) == []


def test_a_chart_may_read_a_name() -> None:
    reads = [("", r"'Sizing'!\$B\$4:\$B\$6", "Sizing!Chart_Figures", "")]
    named = "<definedName name=\"Chart_Figures\">'Sizing'!$B$4:$B$6</definedName>"
    [read] = plants(charts.chart_references, CHART, *reads)
    [name] = plants(charts.chart_references, WORKBOOK, ("", "<definedNames>", rf"\g<0>{named}", ""))
    content = planted(planted(healthy(), read), name)
    assert gate.findings(content) == []


def test_findings_join_all_rules() -> None:
    content = healthy()
    for fault in ("clock", "blank", "other figure"):
        content = planted(content, next(each for each in PLANTS if each.fault == fault))
    assert len(gate.findings(content)) == 3
