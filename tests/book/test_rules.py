"""Each rule finds the faults that it is for; the gate holds what the project writes to them."""

import io
import re
import zipfile
from typing import NamedTuple

import pytest

from tests.book import rules
from tests.book.rules import RULES, Rule
from xlsizing.book.build import report, template
from xlsizing.core import Catalogs, Model, Server, SizingResult, StorageProfile, size

SIZING, SCENARIOS, MODELS = (f"xl/worksheets/sheet{number}.xml" for number in (1, 2, 6))
WORKBOOK, STYLES = "xl/workbook.xml", "xl/styles.xml"
SCENARIO_TABLE, MODEL_TABLE, MODEL_ALIASES = (
    f"xl/tables/table{number}.xml" for number in (1, 4, 5)
)

UNSOURCED = Catalogs(
    models=(
        Model(
            name="heavy",
            num_layers=80,
            num_key_value_heads=8,
            head_dim=128,
            max_position_embeddings=200_000,
            attention_pattern="full",
            default_kv_precision="bf16",
            weight_bytes=10**13,
        ),
    ),
    servers=(Server(name="node", gpus=8, hbm_per_gpu_gb=288),),
    profiles=(
        StorageProfile(
            name="cloud",
            type="cloud_block_storage",
            iops_read=1,
            iops_write=1,
            throughput_read_gbps=1,
            throughput_write_gbps=1,
            latency_read_ms_p50=1,
            latency_read_ms_p99=1,
            latency_write_ms_p50=1,
            latency_write_ms_p99=1,
        ),
    ),
)
"""Entries that raise every alert that can be raised together."""

RAISED_TOGETHER = {
    "WEIGHTS_NOT_COVERED",
    "CONTEXT_CLAMPED",
    "KV_PRECISION_16BIT",
    "LONG_CONTEXT_IO",
    "STORAGE_CLOUD_LATENCY",
    "STORAGE_COLD_START",
    "OUT_OF_TYPICAL_RANGE",
    "CATALOG_UNSOURCED",
}


@pytest.fixture(scope="module")
def shipped_template(catalogs: Catalogs) -> bytes:
    return template(catalogs)


def all_alerts(kv_budget_ratio: float) -> SizingResult:
    """A load that raises every alert that can be raised together."""
    return size(
        UNSOURCED.models[0],
        UNSOURCED.servers[0],
        UNSOURCED.profiles[0],
        concurrency=10_000,
        effective_context=1_000_000,
        kv_budget_ratio=kv_budget_ratio,
    )


def test_report_with_all_alerts_at_once_can_be_made() -> None:
    result = all_alerts(0.7)
    assert {alert.code for alert in result.alerts} == RAISED_TOGETHER
    assert len(result.alerts) == 11
    assert report(result, UNSOURCED)  # and goes through the gate, as all that is built


def test_report_with_all_alerts_where_nothing_fits_can_be_made() -> None:
    result = all_alerts(0.06)
    assert {alert.code for alert in result.alerts} == RAISED_TOGETHER | {"HBM_BUDGET_INSUFFICIENT"}
    assert report(result, UNSOURCED)


class Plant(NamedTuple):
    """A fault put into a part of the template, and words of the finding that it must bring."""

    rule: str
    part: str
    fault: str
    pattern: str
    new: str
    finding: str


def plants(rule: Rule, part: str, *faults: tuple[str, str, str, str]) -> list[Plant]:
    return [Plant(rule.__name__, part, *fault) for fault in faults]


def formula(text: str) -> str:
    return rf"\g<1>{text}\g<2>"


def name(defined: str, cells: str = "'Sizing'!$C$5") -> str:
    return f'<definedName name="{defined}">{cells}<'


def source(text: str) -> str:
    return f"<formula1>{text}</formula1>"


def function(text: str) -> str:
    return f'<definedName name="F_X">{text}<'


LONG = "x" * 256
NUMBER = r'(<c r="C\d+" s="\d+")(><f>[^<]*</f>)<v>[\d.]+</v>'
FORMULA_OF_M7 = r'(<c r="M7"[^>]*><f>)[^<]*(</f>)'
FORMULA = r"(<c [^>]*><f>)[^<]*(</f>)"
NAME = r'<definedName name="\w+">[^<]*<'
MODEL = r'<c r="A5"( s="\d+") t="inlineStr"><is><t>[^<]*</t></is></c>'
LIST = source("List_Models")
MERGED = '<mergeCells><mergeCell ref="A3:Z99"/>'
NEWER = (
    *("LET", "XLOOKUP", "FILTER", "LAMBDA", "TEXTJOIN", "IFS", "CONCAT", "CEILING.MATH"),
    *("_xlfn.XLOOKUP", "INDIRECT", "KV_PER_SESSION"),
)

LAMBDA_FAULTS = (
    ("parameter without prefix", "_xlfn.LAMBDA(x,_xlpm.x)", "declares x,"),
    ("parameter in brackets", "_xlfn.LAMBDA([_xlpm.x],_xlpm.x)", "declares [_xlpm.x],"),
    ("parameter like a cell", "_xlfn.LAMBDA(_xlpm.AB12,_xlpm.AB12)", "declares _xlpm.AB12,"),
    ("required after optional", "_xlfn.LAMBDA(_xlop.x,_xlpm.y,_xlpm.y)", "after an optional"),
    ("declared twice", "_xlfn.LAMBDA(_xlpm.x,_xlpm.X,_xlpm.x)", "_xlpm.X twice"),
    ("not declared", "_xlfn.LAMBDA(_xlpm.x,_xlpm.y)", "reads _xlpm.y,"),
    ("bound as optional", "_xlfn.LAMBDA(_xlpm.x,_xlfn.LET(_xlop.y,1,_xlpm.y))", "binds _xlop.y,"),
    ("bound twice", "_xlfn.LAMBDA(_xlpm.x,_xlfn.LET(_xlpm.X,1,_xlpm.x))", "binds _xlpm.X,"),
    ("read too early", "_xlfn.LAMBDA(_xlfn.LET(_xlpm.y,_xlpm.z,_xlpm.z,1,2))", "reads _xlpm.z,"),
    (
        "no value",
        "_xlfn.LAMBDA(_xlfn.LET(_xlpm.y,1,_xlpm.z,2))",
        "without a value",
    ),
    ("out of scope", "_xlfn.LAMBDA(_xlpm.x,_xlfn.LET(_xlpm.y,1,2)+_xlpm.y)", "reads _xlpm.y,"),
    ("another prefix", "_xlfn.LAMBDA(_xlpm.x,_xlnm.x)", "reads _xlnm.x,"),
    ("called at once", "_xlfn.LAMBDA(_xlpm.x,_xlpm.x)(1)", "not one LAMBDA"),
)

PLANTS = [
    *plants(
        rules.cached_values,
        SIZING,
        ("no value", NUMBER, r"\1\2", "without a value"),
        ("empty value", NUMBER, r"\1\2<v></v>", "without a value"),
        ("infinite value", NUMBER, r"\1\2<v>inf</v>", "'inf'"),
        ("word for number", NUMBER, r"\1\2<v>one</v>", "'one'"),
        ("odd boolean", NUMBER, r'\1 t="b"\2<v>yes</v>', "'yes'"),
        ("odd error", NUMBER, r'\1 t="e"\2<v>#BAD!</v>', "'#BAD!'"),
        ("error as text", NUMBER, r'\1 t="str"\2<v>#N/A</v>', "as text"),
    ),
    *plants(
        rules.defined_names,
        WORKBOOK,
        ("like a cell", NAME, name("Ab12"), "'Ab12'"),
        ("like a row", NAME, name("R1C1"), "'R1C1'"),
        ("like a column", NAME, name("C"), "'C'"),
        ("blank", NAME, name("A b"), "'A b'"),
        ("digit first", NAME, name("1st"), "'1st'"),
        ("a table's", NAME, name("models"), "also a table's"),
        ("twice", NAME, name("INPUT_HA"), "twice"),
        ("no sheet", "'Sizing'!", "'Sizin'!", "on no sheet"),
        ("no reference", NAME, name("X_Y", "#REF!"), "X_Y"),
        ("a constant", NAME, name("X_Y", "3"), "X_Y"),
        ("no such row", NAME, name("X_Y", "'Sizing'!$C$1048577"), "X_Y"),
        ("no such column", NAME, name("X_Y", "'Sizing'!$XFE$1"), "X_Y"),
        ("moving cell", NAME, name("X_Y", "'Sizing'!C5"), "no fixed"),
        ("long comment", 'comment="', f'comment="{LONG}', "more than 255"),
    ),
    *plants(
        rules.tables,
        MODEL_TABLE,
        ("a column short", 'ref="A4:Z', 'ref="A4:X', "26 columns"),
        ("head only", r' ref="(A4:Z)\d+"', r' ref="\g<1>4"', "not a head and a row"),
        ("other filter", r'(<autoFilter ref="A4:Z)', r"\g<1>1", "filters"),
        ("column twice", '"Head dim"', '"KV HEADS"', "2 columns"),
        ("column unlike its head", '"Head dim"', '"Head size"', "under the heads"),
    ),
    *plants(
        rules.tables,
        MODEL_ALIASES,
        ("overlap", ' ref="[A-Z]+4', ' ref="Y4', "overlap"),
        ("name twice", 'displayName="[^"]*"', 'displayName="MODELS"', "2 tables"),
        ("like a cell", 'displayName="[^"]*"', 'displayName="MOD1"', "'MOD1'"),
    ),
    *plants(rules.tables, MODELS, ("other head", "<t>Head dim<", "<t>Head size<", "Head size")),
    *plants(
        rules.validations,
        SIZING,
        ("no source", LIST, source(""), "which is nothing"),
        ("unknown source", LIST, source("List_None"), "'List_None'"),
        ("source too long", LIST, source(f'"a,{LONG}"'), "longer list"),
        ("empty item", LIST, source('"yes,,no"'), "an empty item"),
        ("long prompt", ' prompt="', f' prompt="{LONG}', "than 255"),
        ("long error", ' error="', f' error="{LONG[:226]}', "than 225"),
        ("long prompt title", ' promptTitle="', f' promptTitle="{LONG[:33]}', "than 32"),
        ("long error title", ' errorTitle="', f' errorTitle="{LONG[:33]}', "than 32"),
        ("of no cells", r'(<dataValidation sqref=)"\w+"', r'\1"C0"', "no legal"),
    ),
    *plants(
        rules.validations,
        WORKBOOK,
        ("blanks in source", r"'Models'!\$A\$5:\$A\$", "'Models'!$A$5:$A$1", "empty cells"),
    ),
    *plants(
        rules.texts_like_formulas,
        MODELS,
        ("a formula", MODEL, r'<c r="A5"\1><f>1+1</f><v>2</v></c>', "holds a formula"),
        ("no quotePrefix", MODEL, r'<c r="A5"\1 t="inlineStr"><is><t>=1</t></is></c>', "quoteP"),
    ),
    *plants(
        rules.validations,
        SCENARIOS,
        ("no names", r"<formula1>\$A\$7:", "<formula1>$A$17:", "empty cells"),
    ),
    *plants(
        rules.texts_like_formulas,
        SCENARIOS,
        ("another formula", FORMULA_OF_M7, formula("1"), "M7 in table Scenarios holds a formula"),
        ("of another row", r"\$AA7", "$AA8", "M7 in table Scenarios holds a formula"),
        (
            "data for a formula",
            r'(<c r="M7"[^>]*>)<f>[^<]*</f>',
            r"\1",
            "M7 in table Scenarios holds data",
        ),
    ),
    *plants(
        rules.cell_order,
        MODELS,
        ("cell twice", 'r="B5"', 'r="A5"', "A5 out of order"),
        ("cells swapped", 'r="A5"', 'r="C5"', "B5 out of order"),
        ("wrong row", 'r="B5"', 'r="B6"', "B6 in row 5"),
        ("row twice", '<row r="6"', '<row r="5"', "row 5 after row 5"),
    ),
    *plants(
        rules.text_lengths,
        MODELS,
        ("text", "<t>Models", f"<t>{LONG * 128}", "than 32767"),
        ("characters of two units", "<t>Models", f"<t>{'&#128512;' * 16_384}", "than 32767"),
    ),
    *plants(rules.text_lengths, SIZING, ("value", "<v>1,000", f"<v>{LONG * 128}", "than 32767")),
    *plants(
        rules.formula_lengths,
        SIZING,
        ("formula", FORMULA, formula("1+" * 4_096 + "1"), "than 8192"),
        ("literal", FORMULA, formula(f'"{LONG}"'), "than 255"),
        ("literal of a format", "<formula>", f'<formula>"{LONG}"&amp;', "than 255"),
    ),
    *plants(
        rules.formula_lengths,
        SCENARIO_TABLE,
        ("literal of a column", "(<calcul[^>]*>)[^<]*()", formula(f'"{LONG}"'), "than 255"),
    ),
    *plants(
        rules.functions,
        SIZING,
        *((call, FORMULA, formula(f"{call}(1)"), f"calls {call},") for call in NEWER),
    ),
    *plants(
        rules.brackets,
        SIZING,
        ("open parenthesis", FORMULA, formula("(1"), "do not match"),
        ("closed parenthesis", FORMULA, formula("1)+(1"), "do not match"),
        ("open quote", FORMULA, formula('1&amp;"a'), "do not match"),
        ("crossed", FORMULA, formula("(Models[Name)]"), "do not match"),
        ("nested too deep", FORMULA, formula("ABS(" * 65 + "1" + ")" * 65), "65 levels"),
    ),
    *plants(
        rules.references,
        SIZING,
        ("no name", FORMULA, formula("1+Input_None"), "Input_None"),
        ("no table", FORMULA, formula("Modells[Name]"), "Modells"),
        ("no column", FORMULA, formula("Models[Nam]"), "Models[Nam]"),
        ("one of two columns", FORMULA, formula("Models[[Name]:[Nam]]"), "[Nam]"),
        ("no cell", FORMULA, formula("1+XFE1"), "XFE1"),
        ("no sheet", FORMULA, formula("Modells!A1"), "Modells"),
    ),
    *plants(
        rules.lambda_names,
        WORKBOOK,
        *((fault, NAME, function(text), finding) for fault, text, finding in LAMBDA_FAULTS),
        # In the names that are shipped.
        ("no optional prefix", "_xlop.precision,_xlfn", "precision,_xlfn", "declares precision,"),
        ("optional where used", "ISOMITTED\\(_xlpm", "ISOMITTED(_xlop", "_xlop.precision, which"),
        ("step before its own", "_xlpm.Let_KvBytes/", "_xlpm.Let_Gone/", "_xlpm.Let_Gone, which"),
        ("no LET prefix", "_xlpm.Let_ModelRow,I", "Let_ModelRow,I", "binds Let_ModelRow,"),
        ("open", '<definedName name="KV_TOTAL"([^<]*)\\)<', r'<definedName name="X"\1<', "not one"),
    ),
    *plants(
        rules.functions,
        WORKBOOK,
        (
            "no prefix of LAMBDA",
            NAME,
            function("LAMBDA(_xlpm.x,1)"),
            "calls LAMBDA, which is neither",
        ),
        ("no prefix of LET", "_xlfn.LET", "LET", "calls LET, which is neither"),
        (
            "no prefix of ISOMITTED",
            "_xlfn.ISOMITTED",
            "ISOMITTED",
            "calls ISOMITTED, which is neither",
        ),
        ("prefix too many", "[(]TRIM[(]", "(_xlfn.TRIM(", "calls _xlfn.TRIM, which is neither"),
        (
            "newer function",
            NAME,
            function("_xlfn.LAMBDA(_xlpm.x,_xlfn.IFS(1,1))"),
            "calls _xlfn.IFS",
        ),
    ),
    *plants(
        rules.functions,
        SIZING,
        ("of names in a cell", FORMULA, formula("_xlfn.LET(1)"), "calls _xlfn.LET,"),
    ),
    *plants(
        rules.references,
        WORKBOOK,
        (
            "no prefix where used",
            "TRIM[(]_xlpm.Let_Model[)]",
            "TRIM(Let_Model)",
            "reads Let_Model,",
        ),
        (
            "no column in a name",
            '="KV_TOTAL"([^<]*)Models\\[Name\\]',
            r'="KV_T"\1Models[Nam]',
            "Models[Nam]",
        ),
        ("no name in a name", "Const_BytesPerTiB<|/Const_BytesPerTiB", "/Const_Gone", "Const_Gone"),
    ),
    *plants(
        rules.formula_lengths,
        WORKBOOK,
        ("a name", "(_xlfn.LAMBDA[(][^<]*[)])<", rf"\1{'+1' * 4_096}<", "more than 8192"),
    ),
    *plants(
        rules.brackets,
        WORKBOOK,
        (
            "a name",
            "_xlfn.LAMBDA[(][^<]*<",
            f"_xlfn.LAMBDA(_xlpm.x,{'(' * 65}1{')' * 65})<",
            "66 levels",
        ),
    ),
    *plants(
        rules.range_formulas,
        SIZING,
        ("in a validation", LIST, source("Models[Name]"), "reads a table"),
        ("in a format", "<formula>", "<formula>Models[Name]=", "reads a table"),
    ),
    *plants(
        rules.merged_cells,
        MODELS,
        ("in a table", "</sheetData>", rf"\g<0>{MERGED}</mergeCells>", "in table Models"),
    ),
    *plants(rules.merged_cells, SIZING, ("twice", "<mergeCells[^>]*>", MERGED, "over")),
    *plants(
        rules.sheet_names,
        WORKBOOK,
        ("too long", '"Servers"', f'"{LONG[:32]}"', "not legal"),
        ("illegal", '"Servers"', '"Servers/1"', "not legal"),
        ("twice", '"Servers"', '"MODELS"', "2 sheets"),
    ),
    *plants(
        rules.style_parts,
        STYLES,
        ("no font", 'fontId="1"', 'fontId="99"', "fontId 99"),
        ("no fill", 'fillId="2"', 'fillId="99"', "fillId 99"),
        ("no border", 'borderId="1"', 'borderId="99"', "borderId 99"),
        ("no format", r'<xf numFmtId="\d+"', '<xf numFmtId="999"', "numFmtId 999"),
    ),
    *plants(
        rules.styles_used,
        SIZING,
        ("of a cell", r' s="\d+"', ' s="999"', "a c of style 999"),
        ("of a row", "<row ", '<row s="999" ', "a row of style 999"),
        ("of a format", r'dxfId="\d+"', 'dxfId="99"', "dxfId 99"),
    ),
    *plants(
        rules.styles_used,
        MODEL_TABLE,
        ("of a column", "<tableColumn ", '<tableColumn dataDxfId="99" ', "dataDxfId 99"),
    ),
    *plants(
        rules.shared_texts,
        MODELS,
        ("no text", MODEL, r'<c r="A5"\1 t="s"><v>0</v></c>', "shared text 0"),
    ),
    *plants(
        rules.relationships,
        MODELS,
        ("not declared", r'(<tablePart [^>]*id=)"\w+"', r'\1"rId99"', "rId99"),
    ),
    *plants(
        rules.relationships,
        "xl/worksheets/_rels/sheet6.xml.rels",
        ("to nothing", "table4.xml", "table99.xml", "table99.xml"),
    ),
    *plants(
        rules.content_types,
        "[Content_Types].xml",
        ("of no part", "/xl/tables/table4.xml", "/table99.xml", "tables/table4.xml"),
    ),
]


def planted(content: bytes, plant: Plant) -> bytes:
    """The workbook with the first match of the plant's pattern replaced in its part."""
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(changed, "w", zipfile.ZIP_STORED) as target,
    ):
        for part in source.namelist():
            text = source.read(part).decode()
            if part == plant.part:
                text, count = re.subn(plant.pattern, plant.new, text, count=1)
                assert count == 1, f"{plant.pattern} is not in {part}"
            target.writestr(source.getinfo(part), text)
    return changed.getvalue()


@pytest.mark.parametrize("plant", PLANTS, ids=[f"{each.rule}: {each.fault}" for each in PLANTS])
def test_rule_finds_planted_fault(shipped_template: bytes, plant: Plant) -> None:
    rule: Rule = getattr(rules, plant.rule)
    found = rule(planted(shipped_template, plant))
    assert any(plant.finding in sentence for sentence in found), found


def test_every_rule_has_a_planted_fault() -> None:
    here = {rule.__name__ for rule in RULES if rule.__module__ == rules.__name__}
    assert {plant.rule for plant in PLANTS} == here
