"""What others wrote is data in every output: never a formula, and nothing a terminal obeys.

Hostile names come by a catalog folder and by the rows of a workbook's Scenarios.
"""

import errno
import io
import json
import sys
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from openpyxl import Workbook
from python_calamine import CalamineWorkbook

from tests.book.plans import opened, saved, type_in, type_rows
from tests.book.test_template import cells_of_name, read, table_rows
from tests.catalog.test_files import MODEL, PROFILE, SERVER, write_catalogs
from tests.engines.engines import IronCalc
from tests.excel.lite.test_code import carried
from tests.excel.remembered import forget
from tests.test_cli import Command, options
from tests.test_report_from import ROW
from xlsizing.book.build import report, template
from xlsizing.book.plan import plan_of
from xlsizing.book.reading import read_workbook
from xlsizing.book.rows import cell_value
from xlsizing.catalog import load_catalogs
from xlsizing.cli.screen import clean_output
from xlsizing.core import Catalogs, size
from xlsizing.core.planning.cells import CellError
from xlsizing.core.text import printable
from xlsizing.excel.functions import SIZING_WHY
from xlsizing.excel.lite import code

NAMES = (
    "=1+1",
    "+1+cmd|calc",
    "-2+3",
    "@SUM(1)",
    '=HYPERLINK("http://x.example","a")',
    "\uff1d1+1",
    "{=1}",
    "#N/A",
    "TRUE",
    ">5",
    "&D &F",
    "<b>&amp;]]>",
    "_x000D_",
    "'''+1/0+'''",
    '"&1/0&"',
    "%s{0}",
)
"""Names that a catalog accepts, since every character of them can be seen."""
ESCAPES = "\x1b[2J\x1b]0;x\x07\x08\r\nNo faults.\x7f\x85\x9b31m\u202e\u2028\u2066\u200b\ufeff\t\x00"
NOTE = f"=cmd|' /C calc'!A0 ''' {ESCAPES} _x0041_ &D <x>"
PLAIN = tuple(f"plain {number}" for number in range(20))
# The gate takes the text #N/A in the place of a formula's value for a slip, and openpyxl
# writes _x000D_ as it is, which the format reads as a carriage return.
SCENARIOS = (
    *(name for name in NAMES if name not in ("#N/A", "_x000D_")),
    "a\nb",
    "\u202eevil\u2066",
    "\x9b31m\x85\u2028x",
)
"""Names of scenarios as cells can hold them."""


def documents(names: Iterable[str], note: str) -> dict[str, Any]:
    """A model, a server and a storage profile for each name."""
    about = [
        {"name": name, "aliases": [f"{name}!"], "notes": note, "sources": {"*": note}}
        for name in names
    ]
    return {
        "models.json": {"models": [{**MODEL, **each} for each in about]},
        "servers.json": {"servers": [{**SERVER, **each, "gpu": note} for each in about]},
        "storage.json": {"profiles": [{**PROFILE, **each} for each in about]},
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with hostile catalogs."""
    return write_catalogs(tmp_path_factory.mktemp("hostile"), documents(NAMES, NOTE))


@pytest.fixture(scope="module")
def hostile(folder: str) -> Catalogs:
    return load_catalogs(folder)


@pytest.fixture(scope="module")
def hostile_template(hostile: Catalogs) -> bytes:
    return template(hostile)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Catalogs:
    """The same catalogs, but for their texts."""
    where = tmp_path_factory.mktemp("harmless")
    return load_catalogs(write_catalogs(where, documents(PLAIN[: len(NAMES)], "plain")))


def plan_with(names: Iterable[str], base: str) -> bytes:
    """A planning workbook with a scenario for each name, typed as text."""
    book = opened()
    type_rows(book, [{**ROW, "Scenario": name} for name in names])
    type_in(book, {"Input_BaseScenario": base})
    sheet = book["Scenarios"]
    [(_, address)] = cells_of_name(book, "Input_BaseScenario")
    for cell in (sheet[address], *(row[0] for row in sheet[sheet.tables["Scenarios"].ref][1:])):
        if cell.value is not None:
            cell.data_type = "s"
    return saved(book)


@pytest.fixture(scope="module")
def report_of_plan(catalogs: Catalogs, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What `report --from` makes of a workbook with hostile scenarios."""
    return report_from(SCENARIOS, catalogs, tmp_path_factory.mktemp("plan"))


def report_from(names: tuple[str, ...], catalogs: Catalogs, folder: Path) -> bytes:
    path = folder / "plan.xlsx"
    path.write_bytes(plan_with(names, names[0]))
    plan = plan_of(read_workbook(str(path)), catalogs)
    return report(plan.result, catalogs, plan.scenarios, plan.base)


# Workbooks


def skeletons(content: bytes) -> dict[str, bytes]:
    """Each part of a workbook without the texts and the looks of its cells."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: _skeleton(name, package.read(name)) for name in package.namelist()}


def _skeleton(name: str, part: bytes) -> bytes:
    if not name.endswith((".xml", ".rels", ".vml")):
        return part
    root = etree.fromstring(part)
    for element in root.iter(etree.Element):
        kind = etree.QName(element).localname
        if kind in ("v", "t", "title"):
            element.text = None
        if kind == "c":
            element.attrib.pop("s", "")
    return etree.tostring(root)


# A text like a formula has a look of its own.
BY_TEXT = {"xl/styles.xml"}


def assert_same_but_for_texts(content: bytes, other: bytes) -> None:
    found, expected = skeletons(content), skeletons(other)
    assert {name for name in found if found[name] != expected[name]} <= BY_TEXT
    assert list(found) == list(expected)


def report_on(catalogs: Catalogs, place: int) -> bytes:
    entries = catalogs.models[place], catalogs.servers[place], catalogs.profiles[place]
    return report(size(*entries, concurrency=10, effective_context=100), catalogs)


def test_a_template_of_hostile_catalogs_has_no_formula_or_part_that_others_lack(
    hostile_template: bytes, harmless: Catalogs
) -> None:
    assert_same_but_for_texts(hostile_template, template(harmless))


# Its name like an error, and its name like the middle of a formula.
@pytest.mark.parametrize("place", [NAMES.index("#N/A"), NAMES.index('"&1/0&"')])
def test_a_report_on_hostile_names_is_what_it_is_on_others_but_for_texts(
    hostile: Catalogs, harmless: Catalogs, place: int
) -> None:
    found, expected = report_on(hostile, place), report_on(harmless, place)
    assert_same_but_for_texts(found, expected)
    computed = by_ironcalc(found)
    assert computed.pop("Input_Model") == NAMES[place]
    assert {"Input_Model": PLAIN[place], **computed} == by_ironcalc(expected)
    assert computed["Output_Status"] == "OK"


def by_ironcalc(content: bytes) -> dict[str, object]:
    book = read(content)
    cells = {}
    for name in ("Input_Model", "Output_Status", "Output_NodesFinal", "Output_AlertCodes"):
        [(sheet, address)] = cells_of_name(book, name)
        cells[name] = (sheet.title, address)
    [found] = IronCalc().compute([content], cells.values())
    return {name: found[cell] for name, cell in cells.items()}


def test_hostile_scenarios_of_a_workbook_add_no_formula_to_a_report(
    report_of_plan: bytes, catalogs: Catalogs, tmp_path: Path
) -> None:
    harmless = report_from(PLAIN[: len(SCENARIOS)], catalogs, tmp_path)
    assert_same_but_for_texts(report_of_plan, harmless)


def test_a_text_like_an_error_is_no_error() -> None:
    assert cell_value("#N/A") == ("str", "#N/A")
    assert cell_value(CellError("#N/A")) == ("e", "#N/A")


def test_openpyxl_reads_the_names_as_texts(hostile_template: bytes, report_of_plan: bytes) -> None:
    book = read(hostile_template, values=False)
    for table in ("Models", "Servers", "Storage"):
        assert names_in(book, table, "Name") == list(NAMES)
    book = read(report_of_plan, values=False)
    assert names_in(book, "Scenarios", "Scenario")[: len(SCENARIOS)] == list(SCENARIOS)


def names_in(book: Workbook, table: str, head: str) -> list[str]:
    """The texts of a column, which must be cells of text, quoted where they are like a formula."""
    sheet = next(sheet for sheet in book.worksheets if table in sheet.tables)
    heads, *rows = sheet[sheet.tables[table].ref]
    column = [cell.value for cell in heads].index(head)
    cells = [row[column] for row in rows if row[column].value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    for cell in cells:
        assert cell.quotePrefix is (cell.value[0] in "=+-@\uff1d")
    return [cell.value.replace("_x005F_", "_") for cell in cells]


def test_calamine_reads_the_names_as_texts(hostile_template: bytes, report_of_plan: bytes) -> None:
    assert set(NAMES) <= texts_by_calamine(hostile_template, "Models")
    assert set(SCENARIOS) <= texts_by_calamine(report_of_plan, "Scenarios")


def texts_by_calamine(content: bytes, sheet: str) -> set[object]:
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(sheet).to_python()
    return {cell for row in rows for cell in row}


def test_ironcalc_computes_the_scenarios_names_as_texts(report_of_plan: bytes) -> None:
    area = read(report_of_plan)["Scenarios"].tables["Scenarios"].ref
    first = int(area.partition(":")[0].lstrip("A")) + 1
    cells = [("Scenarios", f"A{first + number}") for number in range(len(SCENARIOS))]
    [computed] = IronCalc().compute([report_of_plan], cells)
    assert [str(computed[cell]).replace("_x005F_", "_") for cell in cells] == list(SCENARIOS)


def test_notes_keep_their_lines_and_lose_what_no_cell_shows(hostile_template: bytes) -> None:
    for row in table_rows(read(hostile_template, values=False), "Models"):
        assert row["Notes"].startswith("=cmd|' /C calc'!A0 ''' ")
        assert "\nNo faults." in row["Notes"]
        assert not set(row["Notes"]) & set("\x00\x07\x08\x1b\r")


def test_code_in_a_workbook_holds_hostile_catalogs_as_data(hostile: Catalogs) -> None:
    texts = carried(code(hostile)["main.py"])
    [models] = [json.loads(text) for path, text in texts.items() if path.endswith("models.json")]
    assert [each["name"] for each in models["models"]] == list(NAMES)
    assert {each["notes"] for each in models["models"]} == {NOTE}


# The terminal, and JSON


def assert_clean(text: str) -> None:
    """Nothing that a terminal obeys or hides; only line feeds, which are ours."""
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not {mark for mark in text if mark != "\n" and unicodedata.category(mark) in hidden}


def strict_json(text: str) -> Any:
    """A document in ASCII, which no terminal and no encoding can change."""

    def refuse(name: str) -> NoReturn:
        raise AssertionError(name)

    assert text.isascii()
    assert_clean(text)
    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    monkeypatch.delenv("XLSIZING_CATALOGS", raising=False)
    monkeypatch.chdir(tmp_path)
    return Command(capsys)


def test_hostile_catalogs_are_printed_clean(command: Command, folder: str) -> None:
    listed = command("catalog", "list", "--catalogs", folder)
    assert all(f"  {name}\n" in listed.out for name in NAMES)
    shown = command("catalog", "show", "=1+1", "--catalogs", folder)
    # Three entries: names, fields, figures' sources; a note's own lines stay in its line.
    assert "\nNo faults." not in shown.out
    assert (
        shown.out.count("\\x1b[2J\\x1b]0;x\\x07\\x08\\r\\nNo faults.\\x7f\\x85\\x9b31m\\u202e") == 7
    )
    validated = command("catalog", "validate", "--catalogs", folder)
    for ran in (listed, shown, validated, command("doctor", "--catalogs", folder)):
        assert_clean(ran.out + ran.err)
    assert strict_json(command("catalog", "list", "--json", "--catalogs", folder).out) == {
        kind: list(NAMES) for kind in ("models", "servers", "profiles")
    }


@pytest.mark.parametrize("name", NAMES[::4])
def test_a_sizing_of_hostile_names_is_printed_clean(
    command: Command, folder: str, name: str
) -> None:
    named = [f"--{each}={name}" for each in ("model", "server", "storage")]
    load = ["--concurrency", "10", "--effective-context", "4096", "--catalogs", folder]
    ran = command("size", *named, *load)
    assert (ran.code, ran.err) == (0, "")
    assert_clean(ran.out)
    assert ran.out.startswith(f"{name} on {name}, storage {name}\n")
    document = strict_json(command("size", *named, *load, "--json-only").out)
    assert document["model"]["name"] == name
    assert document["server"]["gpu"] == NOTE


def test_sizings_of_a_workbook_are_printed_clean(command: Command) -> None:
    Path("plan.xlsx").write_bytes(plan_with(SCENARIOS, "\x9b31m\u202ebase\n"))
    ran = command("report", "out.xlsx", "--from", "plan.xlsx")
    assert ran.code == 0
    assert_clean(ran.out + ran.err)
    assert ran.err == (
        "Note: There is no scenario named \\x9b31m\\u202ebase\\n; nothing is compared with it.\n"
    )
    lines = ran.out.partition("Scenarios\n")[2].partition("\n\n")[0].splitlines()
    assert len(lines) == len(SCENARIOS)
    assert lines[-1].split() == ["\\x9b31m\\x85\\u2028x", "2", "nodes"]


def test_nothing_is_printed_around_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    with clean_output():
        print("one\x1b[2J\ntwo\u202e", end="\r\n")
        sys.stderr.writelines(["three\x07\n", "four\u00a0\u2009five"])
        sys.stderr.flush()
    assert sys.stdout is before
    assert capsys.readouterr() == (
        "one\\x1b[2J\ntwo\\u202e\\r\n",
        "three\\x07\nfour\u00a0\u2009five",
    )


HOSTILE_ARGUMENT = ESCAPES.replace("\0", "")
BAD_CALLS: Mapping[str, list[str]] = {
    "command": [HOSTILE_ARGUMENT],
    "option": ["catalog", "list", f"--{HOSTILE_ARGUMENT}"],
    "model": ["size", *options({"--model": HOSTILE_ARGUMENT})],
    "number": ["size", *options({"--concurrency": HOSTILE_ARGUMENT})],
    "precision": ["size", *options({"--kv-precision": HOSTILE_ARGUMENT})],
    "catalogs": ["catalog", "list", "--catalogs", HOSTILE_ARGUMENT],
    "entry": ["catalog", "show", HOSTILE_ARGUMENT],
    "config": ["catalog", "import-hf", f"{HOSTILE_ARGUMENT}.json", "--name", "x"],
    "name of a config": ["catalog", "import-hf", "config.json", "--name", HOSTILE_ARGUMENT],
    "config of kv": ["kv", f"{HOSTILE_ARGUMENT}.json", "--context", "1"],
    "log": ["calibrate", "gpt-oss-120b", HOSTILE_ARGUMENT, "--server", "dgx-b300"],
    "workbook": ["report", "out.xlsx", "--from", f"{HOSTILE_ARGUMENT}.xlsx"],
    "out": ["template", HOSTILE_ARGUMENT],
    "folder of out": ["template", f"{HOSTILE_ARGUMENT}/out.xlsx"],
    "date": ["template", "out.xlsx", "--date", HOSTILE_ARGUMENT],
    "host": ["template", "out.xlsx", "--host", HOSTILE_ARGUMENT],
    "model type": ["catalog", "import-hf", "hostile.json", "--name", "x"],
}


@pytest.mark.parametrize("what", BAD_CALLS)
def test_a_hostile_argument_is_refused_in_one_clean_sentence(command: Command, what: str) -> None:
    Path("config.json").write_text(json.dumps({"model_type": "llama"}))
    Path("hostile.json").write_text(json.dumps({"model_type": ESCAPES, ESCAPES: ESCAPES}))
    ran = command(*BAD_CALLS[what])
    assert ran.out == ""
    assert_clean(ran.sentence())


def test_a_path_that_fails_is_named_in_one_clean_sentence(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OSError(errno.EIO, "Input/output error", ESCAPES)

    monkeypatch.setattr("xlsizing.cli.commands.read_catalogs", fail)
    monkeypatch.setattr("xlsizing.cli.drop_output", lambda: None)
    assert_clean(command("catalog", "list").sentence())


def test_a_workbook_with_a_hostile_path_is_written_and_named_on_one_line(command: Command) -> None:
    path = f"{HOSTILE_ARGUMENT.replace('/', '')}.xlsx"
    ran = command("template", path)
    assert (ran.code, ran.err) == (0, "")
    assert_clean(ran.out)
    assert ran.out.count("\n") == 1
    assert Path(path).exists()


def test_faults_of_hostile_catalogs_are_one_clean_line_each(
    command: Command, tmp_path: Path
) -> None:
    wrong = documents([ESCAPES, NOTE], NOTE)
    wrong["servers.json"][ESCAPES] = wrong["storage.json"]["profiles"][0][ESCAPES] = ESCAPES
    folder = write_catalogs(tmp_path / ESCAPES.replace("\0", "").replace("/", ""), wrong)
    for arguments in (["catalog", "validate"], ["size", *options({})], ["template", "out.xlsx"]):
        ran = command(*arguments, "--catalogs", folder)
        assert (ran.code, ran.out) == (2, "")
        assert_clean(ran.err)
        # Of each of six entries the name and the alias, and two keys.
        assert ran.err.count("\n") == 14


def test_the_reason_in_a_cell_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLSIZING_CATALOGS", raising=False)
    forget()
    for arguments in ((ESCAPES, "dgx-b300", 10, 10), ("gpt-oss-120b", "dgx-b300", 10, 10, ESCAPES)):
        sentence = str(SIZING_WHY(*arguments))
        assert "\\x1b]0;x" in sentence
        assert_clean(sentence)


@given(st.text())
def test_a_printable_text_is_one_line_without_marks_that_cannot_be_seen(text: str) -> None:
    shown = printable(text)
    assert_clean(shown)
    assert "\n" not in shown
    assert all(mark.isprintable() or unicodedata.category(mark) == "Zs" for mark in shown)
    assert printable(shown) == shown
    if text.isprintable():
        assert shown == text
