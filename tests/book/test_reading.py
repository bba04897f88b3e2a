"""Reading what a person typed, whatever program saved it, and refusing what is no plan."""

import io
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.book import rules
from tests.book.plans import (
    HEADS,
    LOAD,
    by_libreoffice,
    opened,
    plan,
    saved,
    the_template,
    type_in,
    type_rows,
    written,
)
from tests.saying import in_portuguese
from xlsizing.book import reading
from xlsizing.book.package import opened as opened_file
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.plan import Plan, plan_of
from xlsizing.book.reading import TypedWorkbook, read_workbook
from xlsizing.book.values import formula_values
from xlsizing.core import Catalogs, SizingError, size
from xlsizing.core.engine import EngineSettings
from xlsizing.core.planning.cells import CellError

GOOD = {
    "Scenario": "Good",
    "Active": "yes",
    "Model": "gpt-oss-120b",
    "Server": "dgx-b300",
    "Storage": "profile_default",
    "Concurrency": 1_000,
    "Context": 131_072,
}


def by_head(row: Mapping[str, Any]) -> dict[str, Any]:
    return {HEADS[symbol]: value for symbol, value in row.items()}


Reader = Callable[[bytes], TypedWorkbook]
Planner = Callable[[bytes], Plan]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def from_file(content: bytes) -> TypedWorkbook:
        path = tmp_path / "typed.xlsx"
        path.write_bytes(content)
        return read_workbook(str(path))

    return from_file


@pytest.fixture
def planned(read: Reader, catalogs: Catalogs) -> Planner:
    return lambda content: plan_of(read(content), catalogs)


EXAMPLES = {
    "Pilot": {"concurrency": 200, "effective_context": 32_768},
    "Launch": {"concurrency": 1_000, "effective_context": 131_072, "ha_mode": "n+1"},
    "Growth": {
        "concurrency": 5_000,
        "effective_context": 131_072,
        "peak_headroom_ratio": 0.30,
        "ha_mode": "n+1",
    },
}


@pytest.mark.parametrize("program", ["xlsizing", "openpyxl", "libreoffice"])
def test_the_template_gives_its_examples_whoever_saved_it(
    planned: Planner, catalogs: Catalogs, tmp_path: Path, program: str
) -> None:
    content = the_template()
    if program == "openpyxl":
        content = saved(opened())
    if program == "libreoffice":
        content = by_libreoffice(content, tmp_path)
    found = planned(content)
    entries = catalogs.models, catalogs.servers, catalogs.profiles
    model, server, storage = (
        next(entry for entry in kind if entry.name == name)  # type: ignore[attr-defined]
        for kind, name in zip(entries, ("gpt-oss-120b", "dgx-b300", "profile_default"), strict=True)
    )
    expected = {name: size(model, server, storage, **load) for name, load in EXAMPLES.items()}  # type: ignore[arg-type]
    assert found.result == expected["Launch"]
    assert found.base == "Launch"
    assert found.notes == []
    assert [each.name for each in found.scenarios] == list(EXAMPLES)
    for scenario in found.scenarios:
        assert scenario.values == formula_values(expected[scenario.name], catalogs)


def test_what_is_typed_is_kept_as_it_is_typed(planned: Planner) -> None:
    row = {
        **GOOD,
        "Scenario": "  Big launch ",
        "Model": " OPT-oss-120b ",
        "Server": "DGX300",
        "KvPrecision": " FP8",
        "HA": "N+1 ",
        "Concurrency": 1000.0,
        "TensorParallel": 2.0,
    }
    [scenario] = planned(plan([row])).scenarios
    assert scenario.name == "  Big launch "
    assert scenario.typed["Model"] == " OPT-oss-120b "
    assert scenario.typed["KvPrecision"] == " FP8"
    assert scenario.typed["KvBudgetRatio"] is None
    assert scenario.values["Status"] == "OK"
    assert scenario.values["NodesFinal"] == 3
    assert scenario.values["EngineTp"] == 2


def test_settings_and_base_are_read(planned: Planner) -> None:
    typed = {
        "Input_MaxNumBatchedTokens": 4096,
        "Input_BatchesInFlight": 1.0,
        "Input_GpuMemoryUtilization": 0.9,
        "Input_ActivationGiB": 2.5,
        "Input_RuntimeGiB": 0,
        "Input_StateCaching": " Align",
        "Input_KvPoolGiB": 12.5,
        "Input_TensorParallel": 4,
        "Input_BaseScenario": " Good ",
    }
    found = planned(plan([GOOD], typed))
    assert found.base == "Good"
    assert found.result.settings == EngineSettings(
        tensor_parallel=4,
        max_num_batched_tokens=4096,
        batches_in_flight=1,
        gpu_memory_utilization=0.9,
        activation_gib=2.5,
        runtime_gib=0,
        state_caching="align",
        kv_pool_gib=12.5,
    )
    # A row has a tensor-parallel size of its own, and shares the other settings.
    assert found.scenarios[0].values["TypedTp"] == 0
    assert found.scenarios[0].values["PoolBeforeWeights"] == int(12.5 * 2**30)


def test_settings_that_are_empty_or_blank_are_the_defaults(planned: Planner) -> None:
    names = ("MaxNumBatchedTokens", "BatchesInFlight", "ActivationGiB", "StateCaching")
    for nothing in (None, "  "):
        found = planned(plan([GOOD], {f"Input_{name}": nothing for name in names}))
        assert found.result.settings == EngineSettings()


def test_columns_are_found_by_head_and_a_row_of_totals_is_none(planned: Planner) -> None:
    heads = ["Mine", *reversed(HEADS.values()), "Notes"]
    rows = [by_head({**GOOD, "Scenario": f"Row {n}", "Concurrency": n}) for n in range(1, 31)]
    found = planned(written(rows, heads=heads, totals=True))
    assert [each.name for each in found.scenarios] == [f"Row {n}" for n in range(1, 31)]
    assert [each.values["Sessions"] for each in found.scenarios] == list(range(1, 31))
    assert found.result.concurrency == 1_000


def test_heads_match_without_regard_to_case_and_blanks(planned: Planner) -> None:
    heads = [f" {head.upper()}  " for head in HEADS.values()]
    rows = [{head: by_head(GOOD).get(own) for head, own in zip(heads, HEADS.values(), strict=True)}]
    assert planned(written(rows, heads=heads)).scenarios[0].values["NodesFinal"] == 2


def test_a_renamed_column_is_a_sentence(read: Reader) -> None:
    heads = ["Sessions" if head == "Concurrency" else head for head in HEADS.values()]
    with pytest.raises(WorkbookReadError, match="no column 'Concurrency'; give the column that"):
        read(written([by_head(GOOD)], heads=heads))


@pytest.mark.parametrize("bare", [True, False])
def test_a_workbook_without_the_table_has_just_its_inputs(planned: Planner, bare: bool) -> None:
    found = planned(written([by_head(GOOD)] if bare else None, bare=bare))
    assert found.scenarios == []
    assert found.result.nodes_final == 2


def test_rows_without_anything_typed_are_kept_between_and_dropped_at_the_end(
    planned: Planner,
) -> None:
    blanks = {"Scenario": " ", "Model": "  "}
    rows: list[Mapping[str, object]] = [{}, GOOD, {}, {**GOOD, "Scenario": "Last"}, {}, blanks]
    found = planned(plan(rows)).scenarios
    assert [each.name for each in found] == ["", "Good", "", "Last"]
    assert [each.is_live for each in found] == [False, True, False, True]


@pytest.mark.parametrize(
    ("active", "is_live"),
    [
        ("yes", True),
        ("no", False),
        (" NO ", False),
        ("No", False),
        (None, True),
        ("", True),
        (True, True),
        (False, False),
        (0, True),
        ("off", True),
        ("#N/A", True),
    ],
)
def test_a_row_is_switched_off_as_the_formula_live_has_it(
    planned: Planner, active: object, is_live: bool
) -> None:
    rows = [{**GOOD, "Active": active}, {**GOOD, "Scenario": "Last"}]
    assert [each.is_live for each in planned(plan(rows)).scenarios] == [is_live, True]


def test_a_row_without_a_load_is_no_scenario_yet(planned: Planner) -> None:
    rows: list[dict[str, object]] = [{"Scenario": "To do", "Active": "yes", "HA": "n+1"}, GOOD]
    first, _ = planned(plan(rows)).scenarios
    assert (first.name, first.is_live, first.typed["HA"]) == ("To do", False, "n+1")


def test_names_that_are_numbers_are_read_as_text(planned: Planner) -> None:
    found = planned(plan([{**GOOD, "Scenario": 2027}], {"Input_BaseScenario": 2027}))
    assert (found.scenarios[0].name, found.base) == ("2027", "2027")


def test_dates_are_the_numbers_that_they_are(planned: Planner) -> None:
    # The day that spreadsheets count as 45,000 is 15 March 2023.
    row = {**GOOD, "Concurrency": date(2023, 3, 15), "Context": date(1900, 1, 10)}
    book = opened()
    type_rows(book, [row])
    scenario, *_ = planned(saved(book)).scenarios
    assert scenario.typed["Concurrency"] == 45_000
    assert scenario.values["Sessions"] == 45_000
    assert scenario.values["ClampedContext"] == 10


def test_formulas_in_inputs_count_with_the_value_that_they_have(planned: Planner) -> None:
    load = {**LOAD, "Input_Concurrency": ("=2*250", 500), "Input_Model": ('="gpt"', "gpt-oss-20b")}
    found = planned(written([by_head(GOOD)], load))
    assert found.result.concurrency == 500
    assert found.result.model.name == "gpt-oss-20b"


def test_formulas_that_libreoffice_computed_count_and_no_text_is_an_empty_cell(
    planned: Planner, tmp_path: Path
) -> None:
    typed = {"Input_KvPrecision": '=""', "Input_Concurrency": "=2*250"}
    row = {**GOOD, "Concurrency": "=250+1", "HA": '=IF(1=1,"","n+1")'}
    found = planned(by_libreoffice(plan([row], typed), tmp_path))
    assert found.result.concurrency == 500
    assert found.result.kv_precision == found.result.model.default_kv_precision
    assert found.scenarios[0].values["Sessions"] == 251
    assert found.scenarios[0].typed["HA"] is None


def test_a_formula_without_a_value_is_a_sentence(read: Reader) -> None:
    book = opened()
    type_in(book, {"Input_Concurrency": "=2*250"})
    [(sheet, address)] = book.defined_names["Input_Concurrency"].destinations
    cell = address.replace("$", "")
    with pytest.raises(WorkbookReadError, match=f"{sheet}!{cell} in .* without a value; open"):
        read(saved(book))
    with pytest.raises(WorkbookReadError, match=r"Scenarios!F7 in .* without a value; open"):
        read(plan([{**GOOD, "Concurrency": "=1+1"}]))


def test_a_text_that_begins_with_an_equals_sign_is_a_text(planned: Planner) -> None:
    book = opened()
    type_rows(book, [{**GOOD, "Scenario": "x", "Model": "=1+1"}])
    for address in ("A7", "C7"):
        book["Scenarios"][address].data_type = "s"
    scenario = planned(saved(book)).scenarios[0]
    assert scenario.values["Status"] == "There is no model named =1+1 on Models."


def renamed(name: str, target: str | None) -> bytes:
    """The template with a name that leads elsewhere, or is gone."""
    new = "" if target is None else f'<definedName name="{name}">{target}</definedName>'
    names = rules.opened(the_template()).parts["xl/workbook.xml"].decode()
    names, count = re.subn(rf'<definedName name="{name}"[^>]*>[^<]*</definedName>', new, names)
    assert count == 1
    return changed("xl/workbook.xml", names.encode())


@pytest.mark.parametrize(
    ("name", "target", "words"),
    [
        ("Input_Model", None, "has no name Input_Model; give a workbook that xlsizing made"),
        ("Input_Model", "#REF!", r"Input_Model in .* not stand for one cell any more \(#REF!\)"),
        ("Input_HA", "Sizing!#REF!", "Input_HA in .* not stand for one cell"),
        ("Input_HA", "#REF!$C$4", "Input_HA in .* not stand for one cell"),
        ("Input_HA", "Sizing!$C$4:$C$5", "Input_HA in .* not stand for one cell"),
        ("Input_HA", "Gone!$C$4", "Input_HA in .* not stand for one cell"),
        ("Input_HA", '"n+1"', "Input_HA in .* not stand for one cell"),
        ("Input_KvPoolGiB", "#REF!", "Input_KvPoolGiB in .* not stand for one cell"),
        ("Input_BaseScenario", "#REF!", "Input_BaseScenario in .* not stand for one cell"),
    ],
)
def test_names_that_are_missing_or_broken_are_a_sentence(
    read: Reader, name: str, target: str | None, words: str
) -> None:
    with pytest.raises(WorkbookReadError, match=words):
        read(renamed(name, target))


@pytest.mark.parametrize("name", ["Input_KvPoolGiB", "Input_BaseScenario", "Input_TensorParallel"])
def test_an_older_workbook_may_lack_what_need_not_be_typed(planned: Planner, name: str) -> None:
    assert planned(renamed(name, None)).result.nodes_final == 3


def test_names_match_without_regard_to_case(planned: Planner) -> None:
    load = {name.upper(): value for name, value in LOAD.items()}
    assert planned(written(None, load)).result.nodes_final == 2


WRONG_ON_SIZING: list[tuple[str, object, str]] = [
    ("Input_Model", "gpt-5", r"Model \(Sizing!C\d+ in .*\): There is no model named 'gpt-5'"),
    ("Input_Model", None, r"Model \(Sizing!C\d+ in .*\): model is missing; it must be the name"),
    ("Input_Model", "  ", r"Model \(.*it must be the name of a model"),
    ("Input_Server", "#N/A", r"Server \(.*server is '#N/A'; it must be a value instead of an err"),
    ("Input_Storage", 12, r"Storage \(.*no storage profile named '12'"),
    ("Input_Concurrency", None, r"Concurrency \(.*concurrency is missing; it must be a whole"),
    ("Input_Concurrency", "1000", r"Concurrency \(.*concurrency is '1000'; it must be a whole"),
    ("Input_Concurrency", True, r"Concurrency \(.*concurrency is True; it must be a whole"),
    ("Input_Concurrency", 0, r"Concurrency \(.*concurrency is 0; it must be a whole"),
    ("Input_Concurrency", 10**15, r"Concurrency \(.*at most 100,000,000,000,000 in a workbook"),
    ("Input_EffectiveContext", 0.5, r"Context \(.*effective_context is 0.5; it must be a whole"),
    ("Input_KvPrecision", "fp12", r"KV precision \(.*kv_precision is 'fp12'; it must be one of"),
    ("Input_KvBudgetRatio", 1.5, r"KV budget ratio \(.*kv_budget_ratio is 1.5; it must be"),
    ("Input_RuntimeOverheadGiB", 10**7, r"Runtime overhead GiB \(.*at most 900,000 in a work"),
    ("Input_PeakHeadroomRatio", "20%", r"Peak headroom \(.*'20%'; it must be a finite number"),
    ("Input_HA", "n+2", r"HA \(.*ha_mode is 'n\+2'; it must be one of none, n\+1"),
    ("Input_TensorParallel", 1.5, r"Tensor parallel \(Sizing.*tensor_parallel is 1.5; it must be"),
    ("Input_KvPoolGiB", -1, r"KV pool per GPU, if known \(Engine!C\d+.*kv_pool_gib is -1; it"),
    ("Input_StateCaching", "both", r"State caching \(Engine.*state_caching is 'both'; it must be"),
    ("Input_BatchesInFlight", "#DIV/0!", r"Batches in flight \(Engine.*'#DIV/0!'; it must be"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG_ON_SIZING)
def test_what_is_wrong_with_the_load_is_a_sentence_with_its_label_and_cell(
    planned: Planner, name: str, value: object, words: str
) -> None:
    with pytest.raises(SizingError, match=words) as caught:
        planned(plan([GOOD], {name: value}))
    assert "\n" not in str(caught.value)
    in_portuguese(str(caught.value))


def test_an_entry_of_the_workbooks_own_is_unknown_and_the_sentence_says_what_to_do(
    planned: Planner,
) -> None:
    book = opened()
    sheet = book["Models"]
    sheet["A5"].value = "ours-7b"
    type_rows(book, [GOOD, {**GOOD, "Model": "OURS-7b "}, {**GOOD, "Model": "nobodys"}])
    found = planned(saved(book))
    [note] = found.notes
    assert "no model named 'OURS-7b' in the catalog" in note
    assert "only in the workbook's own table Models: add it to a folder" in note
    assert "--catalogs" in note
    type_in(book, {"Input_Model": "ours-7b"})
    with pytest.raises(WorkbookReadError, match="own table Models: add it to a folder of catalogs"):
        planned(saved(book))


def test_so_is_an_alias_of_the_workbooks_own(planned: Planner) -> None:
    book = opened()
    [area] = [table.ref for table in book["Models"].tables.values() if table.name == "ModelAliases"]
    first = area.split(":")[0].replace("4", "5")
    book["Models"][first].value = "our-alias"
    type_rows(book, [GOOD, {**GOOD, "Model": " Our-Alias"}])
    [note] = planned(saved(book)).notes
    assert "'Our-Alias' in the catalog" in note
    assert "own table Models" in note


def columns(sheet: Any) -> dict[str, int]:
    """The column of each head of a catalog table."""
    return {cell.value: cell.column for cell in sheet[4]}


def test_figures_that_differ_from_the_catalogs_are_told_once_an_entry(planned: Planner) -> None:
    book = opened()
    heads = columns(book["Models"])
    for row in book["Models"].iter_rows(min_row=5):
        if row[0].value in ("gpt-oss-120b", "gpt-oss-20b"):
            book["Models"].cell(row[0].row, heads["Max context"]).value = 65_536
            book["Models"].cell(row[0].row, heads["Notes"]).value = "another note"
    heads = columns(book["Servers"])
    for row in book["Servers"].iter_rows(min_row=5):
        if row[0].value == "dgx-b300":
            for head in ("HBM bytes", "Usable bytes per GPU"):
                book["Servers"].cell(row[0].row, heads[head]).value = None
    type_rows(book, [GOOD, GOOD])
    found = planned(saved(book))
    model, server = found.notes
    assert model == (
        "gpt-oss-120b on Models differs from the catalog in Max context (65,536 there, 131,072 in "
        "the catalog); the catalog's figure was used."
    )
    assert server == (
        "dgx-b300 on Servers differs from the catalog in HBM bytes (nothing there, "
        "2,307,202,744,320 in the catalog), Usable bytes per GPU (nothing there, "
        "286,669,940,981 in the catalog); the catalog's figures were used."
    )
    assert found.result.clamped_context == 131_072


def test_a_formula_in_a_catalog_table_does_not_stop_the_reading(planned: Planner) -> None:
    book = opened()
    heads = columns(book["Models"])
    book["Models"].cell(5, heads["Max context"]).value = "=2^17"
    assert planned(saved(book)).notes == []


def test_an_error_in_a_cell_is_read_as_an_error_and_the_same_text_as_text(read: Reader) -> None:
    book = opened()
    type_rows(book, [{**GOOD, "Model": "#N/A"}, {**GOOD, "Model": "#N/A"}])
    book["Scenarios"]["C7"].data_type = "e"
    book["Scenarios"]["C8"].data_type = "s"
    first, second, *_ = read(saved(book)).rows
    assert isinstance(first.typed["Model"], CellError)
    assert not isinstance(second.typed["Model"], CellError)
    assert first.typed["Model"] == second.typed["Model"] == "#N/A"


def zipped(parts: Mapping[str, bytes | str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return content.getvalue()


def changed(part: str, data: bytes) -> bytes:
    """The template with another content of one part."""
    with zipfile.ZipFile(io.BytesIO(the_template())) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    return zipped({**parts, part: data})


OLE = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(504)
NO_WORKBOOKS: Mapping[str, tuple[bytes, str]] = {
    "nothing": (b"", "is empty"),
    "text": (b"\0\1\2Model", "is no workbook; give an .xlsx"),
    "csv": (
        b"Model;Server\ngpt-oss-120b;dgx-b300\n",
        r"is a text file, such as CSV; save it as an Excel",
    ),
    "old": (OLE + "Workbook".encode("utf-16-le"), r"is a workbook of the older kind \(.xls\)"),
    "locked": (OLE + "EncryptedPackage".encode("utf-16-le"), "is protected by a password; open"),
    "cut": (the_template()[:-5_000], "is damaged"),
    "begun": (b"PK\x03\x04", "is damaged"),
    "xlsb": (zipped({"xl/workbook.bin": b"x"}), r"is a binary workbook \(.xlsb\)"),
    "ods": (
        zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "x"}),
        r"is an OpenDocument file \(.ods\); save it as an Excel Workbook",
    ),
    "bad xml": (changed("xl/workbook.xml", b"<workbook"), "is damaged"),
    "bad sheet": (changed("xl/worksheets/sheet1.xml", b"<worksheet><row"), "is damaged"),
    "no sheets": (changed("xl/_rels/workbook.xml.rels", b"<a/>"), "is damaged"),
    "entities": (
        changed(
            "xl/worksheets/sheet1.xml",
            b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>',
        ),
        "declares a document type, which no part of a workbook may",
    ),
    "bomb": (changed("xl/media/image1.png", bytes(60_000_000)), "would unpack to far more"),
    "many": (zipped({f"{n}.xml": b"" for n in range(10_001)}), "has more than 10,000 parts"),
    "changed bytes": (
        the_template()[:40_000] + bytes(30_000) + the_template()[70_000:],
        "is damaged",
    ),
}


@pytest.mark.parametrize("case", NO_WORKBOOKS)
def test_what_is_no_workbook_is_one_sentence(planned: Planner, case: str) -> None:
    content, words = NO_WORKBOOKS[case]
    with pytest.raises(WorkbookReadError, match=words) as caught:
        planned(content)
    assert "typed.xlsx" in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    in_portuguese(str(caught.value))


def test_a_file_that_is_not_there_and_a_folder_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(WorkbookReadError, match="cannot be read: No such file"):
        read_workbook(str(tmp_path / "none.xlsx"))
    with pytest.raises(WorkbookReadError, match="is a folder; give a workbook in it"):
        read_workbook(str(tmp_path))
    with pytest.raises(WorkbookReadError, match="cannot be read"):
        read_workbook("bad\0name.xlsx")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "closed.xlsx"
    path.write_bytes(the_template())
    path.chmod(0)
    with pytest.raises(WorkbookReadError, match="cannot be read: Permission denied"):
        read_workbook(str(path))


def test_files_and_tables_beyond_the_limits_are_sentences(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 19)
    with pytest.raises(WorkbookReadError, match=r"table Scenarios in .* has 20 rows; at most 19"):
        read(the_template())
    monkeypatch.setattr(opened_file, "MOST_BYTES", 100_000)
    with pytest.raises(WorkbookReadError, match="would unpack to far more"):
        read(the_template())
    monkeypatch.setattr(opened_file, "MOST_FILE_BYTES", 2**20 // 16)
    with pytest.raises(WorkbookReadError, match="MiB, too much for a plan"):
        read(the_template())


def test_the_workbook_that_is_read_is_left_as_it_was(tmp_path: Path, catalogs: Catalogs) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_bytes(the_template())
    path.chmod(0o444)
    before = path.stat()
    plan_of(read_workbook(str(path)), catalogs)
    after = path.stat()
    assert path.read_bytes() == the_template()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert list(tmp_path.iterdir()) == [path]


def test_rows_typed_below_the_table_are_scenarios_too(planned: Planner) -> None:
    book = opened()
    rows = [{**GOOD, "Scenario": f"Row {number}"} for number in range(30)]
    type_rows(book, [*rows, {}, {**GOOD, "Scenario": "after a gap"}])
    found = planned(saved(book)).scenarios
    assert [each.name for each in found] == [f"Row {number}" for number in range(30)]
    assert all(each.values["NodesFinal"] == found[0].values["NodesFinal"] for each in found)


def test_a_workbook_without_the_table_scenarios_is_told(planned: Planner) -> None:
    book = opened()
    del book["Scenarios"].tables["Scenarios"]
    found = planned(saved(book))
    assert (found.scenarios, len(found.notes)) == ([], 1)
    assert "has no table Scenarios; presets stand in its place" in found.notes[0]


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("nobody", "There is no scenario named nobody; nothing is compared with it."),
        ("twice", "2 scenarios are named twice; the first is the base."),
        ("off", "The base scenario off is switched off, or has no number of nodes."),
        (" ONE  ", None),
        (None, None),
    ],
)
def test_a_base_that_is_none_is_told(planned: Planner, base: str | None, words: str | None) -> None:
    rows = [{**GOOD, "Scenario": name} for name in ("one", "twice", "Twice")]
    rows.append({**GOOD, "Scenario": "off", "Active": "no"})
    found = planned(plan(rows, {"Input_BaseScenario": base}))
    assert found.notes == ([] if words is None else [words])
