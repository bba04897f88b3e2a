"""Workbooks in Portuguese: all that they say to people is said, and names stay what they are."""

import io
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.book.plans import saved, type_in
from tests.book.said import said
from tests.conftest import PROJECT
from tests.engines.sync_cases import with_changes
from tests.test_cli import Command, command
from xlsizing.book.alert_formulas import STATUS
from xlsizing.book.build import template
from xlsizing.book.classic import CLASSIC_WORKBOOK
from xlsizing.book.lambdas import FUNCTIONS, Function
from xlsizing.book.reading import read_workbook
from xlsizing.book.sync.syncing import synced
from xlsizing.catalog import load_catalogs
from xlsizing.core import ALERT_RULES, BYTES_PER_ELEMENT, RANGES
from xlsizing.core.nodes import SPARE_NODES
from xlsizing.core.paged_cache import STATES_PER_REQUEST
from xlsizing.core.planning.limits import LIMIT_EXACT, LIMIT_OVERHEAD_GIB
from xlsizing.core.planning.plan import TypedRow
from xlsizing.language import ENGLISH, Language, language

__all__ = ["command"]  # a fixture

PORTUGUESE = language("pt-BR")

NAMES = frozenset(
    {
        *(
            "OK",
            "yes",
            "no",
            "nao",
            "n\u00e3o",
            "yes,no",
            "en,pt-BR",
            "grouped",
            "cloud_",
            "Sizing",
            "s",
            "0",
        ),
        *("GiB", "TiB", "GPUs", "GPU", "tokens", "bytes", "GB", "HBM", "CUDA", "info"),
        *(f"; {rule.code}" for rule in ALERT_RULES.values()),
        *(rule.code for rule in ALERT_RULES.values()),
        *BYTES_PER_ELEMENT,
        *SPARE_NODES,
        *STATES_PER_REQUEST,
        *RANGES,
        *(function.name for function in FUNCTIONS),
        # The settings of the classic add-in, and their values.
        *("UDF MODULES", "xlsizing.excel", "ADD_WORKBOOK_TO_PYTHONPATH", "false"),
    }
)
"""What is the same in every language."""
ALIKE = frozenset(
    {
        *("Base", "Runtime", "HBM (GiB)", "HBM, GB", "Bytes, GB", "Bytes", "HA"),
        # Pieces of texts.
        *(" tokens", " tokens.", " GiB", " GiB (", "kv_precision fp8"),
    }
)
"""Texts that Portuguese and English share, or pieces of texts that they do."""


@cache
def made(code: str) -> bytes:
    """The planning workbook of the classic add-in, which says most."""
    return template(load_catalogs(), host=CLASSIC_WORKBOOK, language=language(code))


@cache
def of_catalogs() -> frozenset[str]:
    """What stands in the catalogs, which nobody translates."""
    book = load_workbook(io.BytesIO(made("en")))
    return frozenset(
        str(cell.value)
        for title in ("Models", "Servers", "Storage", "Layouts")
        for table in book[title].tables.values()
        for row in book[title][table.ref][1:]
        for cell in row
        if isinstance(cell.value, str)
    )


def left(english: bytes, portuguese: bytes) -> Iterator[str]:
    """The texts that both workbooks say and that are neither names nor the same by chance."""
    there = {text for _, text in said(portuguese)}
    for where, text in said(english):
        is_known = text in NAMES | ALIKE | of_catalogs() or text.strip() in of_catalogs()
        # Such as Const_BytesPerGB, Input_Model or =NODES_REQUIRED("gpt-oss-120b").
        codes = {code.strip() for code in text.split(";")}
        is_code = codes <= NAMES or re.fullmatch(
            r"[\d.,%+\-: ]*|[A-Za-z]+_\w+|=[A-Z_]+\(.*\)|\S*[/\\]\S*", text
        )
        if text in there and not is_known and not is_code and re.search("[A-Za-z]{2}", text):
            yield f"{where}: {text}"


def test_all_that_a_planning_workbook_says_is_said_in_portuguese() -> None:
    assert sorted(set(left(made("en"), made("pt-BR")))) == []


ENGLISH_WORDS = re.compile(r"(?<![\w\"])(the|is|are|not|of|with|and|which|that|where)(?![\w\"])")


def test_no_text_is_half_translated() -> None:
    book = load_workbook(io.BytesIO(made("pt-BR")), data_only=True)
    found = [
        f"{sheet.title}!{cell.coordinate}: {cell.value}"
        for sheet in book
        if sheet.title not in ("Models", "Servers", "Storage", "Layouts")
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str)
        and cell.number_format == "General"
        and ENGLISH_WORDS.search(cell.value)
        # The steps of Scenarios are for programs.
        and not (sheet.title == "Scenarios" and cell.row == 6)
    ]
    assert found == []
    labels = [
        str(cell.value) for cell in book["Sizing"]["B"] if str(cell.value).startswith("Alerta ")
    ]
    assert len(labels) == len(ALERT_RULES)
    for label in labels:
        assert label.removeprefix("Alerta ").replace(" ", "_") not in ALERT_RULES


def test_nothing_but_texts_differs() -> None:
    english, portuguese = (load_workbook(io.BytesIO(made(code))) for code in ("en", "pt-BR"))
    assert english.sheetnames == portuguese.sheetnames
    assert set(english.defined_names) == set(portuguese.defined_names)
    for sheet in english:
        if sheet.title == "About":
            continue  # its prose has one line more
        other = portuguese[sheet.title]
        assert tables(sheet) == tables(other)
        for row in sheet.iter_rows():
            for cell in row:
                found = other[cell.coordinate].value
                if isinstance(cell.value, int | float) or cell.value is None:
                    assert found == cell.value, (sheet.title, cell.coordinate)
                else:
                    assert type(found) is type(cell.value), (sheet.title, cell.coordinate)


def tables(sheet: Worksheet) -> dict[str, str]:
    """The cells of each table of a sheet."""
    return {table.name: table.ref for table in sheet.tables.values()}


def heads(book: Workbook) -> Iterator[tuple[str, str, str]]:
    """The heads of all tables: the table, what formulas call the column, and how it is shown."""
    for sheet in book:
        for table in sheet.tables.values():
            columns = [column.name for column in table.tableColumns]
            for cell, name in zip(sheet[table.ref][0], columns, strict=True):
                assert cell.value == name
                yield table.name, name, cell.number_format


def test_heads_keep_their_names_and_are_shown_in_portuguese() -> None:
    shown = {(table, name): look for table, name, look in heads(opened("pt-BR"))}
    assert shown["Scenarios", "Nodes final"] == ';;;"Nós finais"'
    assert shown["Models", "KV heads"] == ';;;"Heads de KV"'
    assert shown["Scenarios", "GPUs"] == "General"
    plain = {table for (table, name), look in shown.items() if look == "General"}
    # What programs alone read: the steps of Scenarios, lines of Warnings, and Layouts.
    assert plain <= {"Scenarios", "Layouts", "Servers", "Precisions", "HaModes"}
    assert {look for _, _, look in heads(opened("en"))} == {"General"}
    with zipfile.ZipFile(io.BytesIO(made("pt-BR"))) as package:
        formats = package.read("xl/styles.xml").count(b"<numFmt ")
    # Excel takes 200 to 250 of them, depending on its own language.
    assert formats < 180


def opened(code: str) -> Workbook:
    return load_workbook(io.BytesIO(made(code)))


@pytest.mark.parametrize("each", FUNCTIONS, ids=lambda each: each.name)
def test_functions_are_not_longer_than_names_may_be(each: Function) -> None:
    for spoken in (ENGLISH, PORTUGUESE):
        assert len(each.said(spoken)) <= 8_192
        assert len(spoken.say(each.comment)) <= 255


@pytest.mark.parametrize("page", ["about-template", "about-report"])
def test_the_prose_on_about_has_the_same_parts_in_both_languages(page: str) -> None:
    folder = PROJECT / "workbook"
    english, portuguese = (
        [
            line.startswith("# ")
            for line in (folder / f"{page}{suffix}.md").read_text(encoding="utf-8").splitlines()
            if line
        ]
        for suffix in ("", ".pt-BR")
    )
    # One line more: what the heads of columns are called in formulas.
    assert portuguese.count(True) == english.count(True)
    assert portuguese.count(False) == english.count(False) + 1


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("pt-BR", PORTUGUESE), ("en", ENGLISH), ("de", None), (None, None), (1, None)],
)
def test_a_workbook_says_which_language_its_reports_are_in(
    tmp_path: Path, typed: object, expected: Language | None
) -> None:
    path = tmp_path / "plan.xlsx"
    book = opened("en")
    type_in(book, {"Setting_Language": typed})
    path.write_bytes(saved(book))
    assert read_workbook(str(path)).language is expected


@pytest.mark.parametrize(
    ("options", "wrote"),
    [((), "gravado."), (("--lang", "en"), "Wrote"), (("--lang", "pt-BR"), "gravado.")],
)
def test_a_report_is_in_its_workbooks_language_unless_another_is_asked_for(
    command: Command, tmp_path: Path, options: tuple[str, ...], wrote: str
) -> None:
    plan, out = tmp_path / "plan.xlsm", tmp_path / "out.xlsx"
    plan.write_bytes(made("pt-BR"))
    ran = command("report", str(out), "--from", str(plan), *options)
    assert ran.code == 0
    assert wrote in ran.out
    book = load_workbook(out)
    title = "How many GPU nodes?" if wrote == "Wrote" else "Quantos nós de GPU?"
    assert book["Sizing"]["B1"].value == title


def test_a_language_that_there_is_not_is_told(command: Command, tmp_path: Path) -> None:
    plan, book = tmp_path / "plan.xlsx", opened("en")
    type_in(book, {"Setting_Language": "klingon"})
    del book["xlwings.conf"]
    plan.write_bytes(saved(book))
    ran = command("report", str(tmp_path / "out.xlsx"), "--from", str(plan))
    assert ran.code == 0
    assert "is 'klingon'; it must be en or pt-BR, or empty." in ran.err


def test_a_sync_says_its_results_in_the_language_of_the_workbook(tmp_path: Path) -> None:
    new = load_catalogs()
    old = with_changes(new, {"gpt-oss-120b": {"max_position_embeddings": 65_536}})
    path = tmp_path / "plan.xlsx"
    path.write_bytes(template(old, language=PORTUGUESE))
    assert "CONTEXT_CLAMPED" in str(values(path)["Sizing", "C14"])
    synced(str(path), new, lambda _: None)
    afresh = tmp_path / "afresh.xlsx"
    afresh.write_bytes(template(new, language=PORTUGUESE))
    found, wanted = values(path), values(afresh)
    assert "CONTEXT_CLAMPED" not in str(found["Sizing", "C14"])
    assert {cell: value for cell, value in found.items() if wanted[cell] != value} == {}


def values(path: Path) -> dict[tuple[str, str], object]:
    """What the cells of a workbook show, but for About, whose examples stay as they were."""
    book = load_workbook(path, data_only=True)
    del book["About"]
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }


def test_a_pdf_of_a_portuguese_report_has_the_signs_of_brazil(
    command: Command, tmp_path: Path
) -> None:
    if not shutil.which("pdftotext") and "CI" not in os.environ:
        pytest.skip("pdftotext (poppler-utils) is not installed; CI has it.")
    plan, out = tmp_path / "plan.xlsx", tmp_path / "out.xlsx"
    plan.write_bytes(template(load_catalogs(), language=PORTUGUESE))
    assert command("report", str(out), "--from", str(plan), "--pdf").code == 0
    text = subprocess.run(
        ["pdftotext", "-layout", str(out.with_suffix(".pdf")), "-"],
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout
    # Typed numbers, that LibreOffice writes, as well as our own texts.
    assert re.search(r"Concorr\u00eancia +1\.000 +sess\u00f5es", text)
    assert re.search(r"Propor\u00e7\u00e3o do or\u00e7amento de KV +0,70", text)
    assert "1.000 sess\u00f5es de 131.072 tokens" in text
    assert not re.search(r"\b1,000\b|\b131,072\b|\b0\.70\b", text)


@pytest.mark.parametrize(("word", "is_live"), [("N\u00e3o ", False), ("NAO", False), ("sim", True)])
def test_a_row_is_switched_off_in_portuguese(word: str, is_live: bool) -> None:
    assert TypedRow("a", word, {"Model": "gpt-oss-120b"}).is_live is is_live


def test_what_a_status_says_of_bounds_and_choices_is_so() -> None:
    assert f"from 1 to 10^{len(str(LIMIT_EXACT)) - 1}." in STATUS.text
    assert 10 ** (len(str(LIMIT_EXACT)) - 1) == LIMIT_EXACT
    assert f"must be {' or '.join(BYTES_PER_ELEMENT)}, or empty." in STATUS.text
    assert f"must be 0 to {LIMIT_OVERHEAD_GIB:,} GiB" in STATUS.text
    assert f"HA must be {' or '.join(SPARE_NODES)}, or empty" in STATUS.text
    said = STATUS.said(PORTUGUESE)
    assert f"de 1 a 10^{len(str(LIMIT_EXACT)) - 1}." in said
    assert all(word in said for word in (*BYTES_PER_ELEMENT, *SPARE_NODES))
    assert f"de 0 a {LIMIT_OVERHEAD_GIB:,} GiB".replace(",", ".") in said
