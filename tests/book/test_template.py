"""The planning workbook: its sheets, names, tables and lists, and catalogs of any content."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.book.rules import LONGEST_TEXT, area, length, opened
from tests.conftest import PROJECT
from tests.gate.gate import findings
from xlsizing.book.build import report, template
from xlsizing.core import Catalogs, Model, Server, StorageProfile, size

NAMES = """
    Input_Model Input_Server Input_Storage Input_Concurrency Input_EffectiveContext
    Input_KvPrecision Input_KvBudgetRatio Input_RuntimeOverheadGiB Input_PeakHeadroomRatio
    Input_HA Input_TensorParallel Output_KvPerSessionGiB Output_KvTotalTiB Output_SessionsPerNode
    Output_NodesMinimum Output_NodesWithHeadroom Output_NodesFinal
"""
SCENARIO_COLUMNS = (
    "Scenario, Active, Model, Server, Storage, Concurrency, Context, KV precision, "
    "KV budget ratio, Runtime overhead GiB, Peak headroom, HA, KV per session GiB, KV total TiB, "
    "Sessions per node, Nodes minimum, Nodes with headroom, Nodes final, Status, Alerts"
)
WARNING_COLUMNS = "Scenario, Code, Severity, Active, Message, What to do"

FIELDS: Mapping[str, Mapping[str, str]] = {
    "Models": {
        "name": "Name",
        "num_layers": "Layers",
        "num_key_value_heads": "KV heads",
        "head_dim": "Head dim",
        "max_position_embeddings": "Max context",
        "attention_pattern": "Attention",
        "sliding_window": "Sliding window",
        "default_kv_precision": "KV precision",
        "total_params": "Parameters",
        "weight_bytes": "Weight bytes",
        "num_attention_heads": "Attention heads",
        "weight_precision": "Weight precision",
        "unquantized_params": "16-bit parameters",
        "hybrid_full_layers": "Full layers",
        "hybrid_sliding_layers": "Sliding layers",
    },
    "Servers": {
        "name": "Name",
        "gpus": "GPUs",
        "hbm_per_gpu_gb": "HBM GB per GPU",
        "total_hbm_gb": "HBM GB total",
        "nvlink_bandwidth_tbps": "NVLink TB/s",
        "system_memory_tb": "Host memory TB",
        "hbm_per_gpu_mib": "HBM MiB per GPU",
        "usable_hbm_per_gpu_bytes": "Usable bytes per GPU",
        "gpu": "GPU",
        "hbm_bandwidth_tbps": "HBM TB/s per GPU",
        "bf16_tflops": "bf16 TFLOP/s",
        "fp8_tflops": "fp8 TFLOP/s",
        "fp4_tflops": "fp4 TFLOP/s",
        "max_power_kw": "Power kW",
        "rack_units": "Rack units",
    },
    "Storage": {
        "name": "Name",
        "type": "Type",
        "iops_read": "Read IOPS",
        "iops_write": "Write IOPS",
        "throughput_read_gbps": "Read GB/s",
        "throughput_write_gbps": "Write GB/s",
        "latency_read_ms_p50": "Read p50 ms",
        "latency_read_ms_p99": "Read p99 ms",
        "latency_write_ms_p50": "Write p50 ms",
        "latency_write_ms_p99": "Write p99 ms",
    },
}
"""The column that shows each figure of a catalog file."""

ALIASES = {
    "Models": ("ModelAliases", "Model"),
    "Servers": ("ServerAliases", "Server"),
    "Storage": ("StorageAliases", "Storage"),
}
FILES = {"Models": "models", "Servers": "servers", "Storage": "storage"}
KEYS = {"Models": "models", "Servers": "servers", "Storage": "profiles"}


def entries(kind: str) -> list[dict[str, Any]]:
    text = (PROJECT / "catalogs" / f"{FILES[kind]}.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)[KEYS[kind]]
    return found


def read(content: bytes, *, values: bool = True) -> Workbook:
    return load_workbook(io.BytesIO(content), data_only=values)


def table_rows(book: Workbook, name: str) -> list[dict[str, Any]]:
    for sheet in book.worksheets:
        if name in sheet.tables:
            head, *rows = sheet[sheet.tables[name].ref]
            heads = [cell.value for cell in head]
            return [dict(zip(heads, (cell.value for cell in row), strict=True)) for row in rows]
    raise KeyError(name)


def cells_of_name(book: Workbook, name: str) -> list[tuple[Worksheet, str]]:
    return [
        (book[sheet], cells.replace("$", ""))
        for sheet, cells in book.defined_names[name].destinations
    ]


def values_of_name(book: Workbook, name: str) -> list[Any]:
    [(sheet, cells)] = cells_of_name(book, name)
    found = sheet[cells]
    return [found.value] if not isinstance(found, tuple) else [row[0].value for row in found]


@pytest.fixture(scope="module")
def content(catalogs: Catalogs) -> bytes:
    return template(catalogs)


@pytest.fixture(scope="module")
def book(content: bytes) -> Workbook:
    return read(content)


def test_sheets_stand_in_the_order_of_the_design(book: Workbook) -> None:
    expected = (
        "Sizing Scenarios Charts Engine Warnings Models Servers Storage Layouts Constants About"
    )
    assert book.sheetnames == expected.split()


@pytest.mark.parametrize("name", NAMES.split())
def test_every_defined_name_of_the_design_is_one_cell_of_sizing(book: Workbook, name: str) -> None:
    [(sheet, cells)] = cells_of_name(book, name)
    assert sheet.title == "Sizing"
    place = area(cells)
    assert place is not None
    assert (place.left, place.top) == (place.right, place.bottom)


def test_no_two_names_of_the_design_share_a_cell(book: Workbook) -> None:
    cells = [cells_of_name(book, name)[0][1] for name in NAMES.split()]
    assert len(set(cells)) == len(cells) == 17


@pytest.mark.parametrize("name", ["Models", "Servers", "Storage", "Scenarios", "Warnings"])
def test_every_table_of_the_design_stands_on_the_sheet_of_its_name(
    book: Workbook, name: str
) -> None:
    assert name in book[name].tables
    assert table_rows(book, name)


@pytest.mark.parametrize(
    ("table", "columns"), [("Scenarios", SCENARIO_COLUMNS), ("Warnings", WARNING_COLUMNS)]
)
def test_tables_begin_with_the_columns_of_the_design(
    book: Workbook, table: str, columns: str
) -> None:
    expected = columns.split(", ")
    assert list(table_rows(book, table)[0])[: len(expected)] == expected


def test_opens_on_the_worked_example(book: Workbook) -> None:
    expected = {
        "Input_Model": "gpt-oss-120b",
        "Input_Server": "dgx-b300",
        "Input_Concurrency": 1000,
        "Input_EffectiveContext": 131072,
        "Input_HA": "n+1",
        "Output_KvPerSessionGiB": 2.252197265625,
        "Output_KvTotalTiB": 2_418_278_400_000 / 2**40,
        "Output_SessionsPerNode": 614,
        "Output_NodesMinimum": 2,
        "Output_NodesWithHeadroom": 2,
        "Output_NodesFinal": 3,
        "Output_Status": "OK",
    }
    assert {name: values_of_name(book, name)[0] for name in expected} == expected


@pytest.mark.parametrize("kind", FILES)
def test_dropdowns_list_every_name_of_the_catalog(book: Workbook, kind: str) -> None:
    [(_, cell)] = cells_of_name(book, f"Input_{kind.removesuffix('s')}")
    scenarios = book["Scenarios"].tables["Scenarios"].ref
    names = [entry["name"] for entry in entries(kind)]
    for sheet, where in ((book["Sizing"], cell), (book["Scenarios"], scenarios)):
        lists = {
            str(check.sqref): check.formula1
            for check in sheet.data_validations.dataValidation
            if check.type == "list"
        }
        if sheet.title == "Sizing":
            source = lists[where]
        else:
            head = [cell.value for cell in sheet[where][0]]
            letter = "ABCDE"[head.index(kind.removesuffix("s"))]
            [source] = [lists[cells] for cells in lists if cells.startswith(letter)]
            rows = sheet[where][1:]
            assert f"{letter}{rows[0][0].row}:{letter}{rows[-1][0].row}" in lists
        assert values_of_name(book, source) == names


@pytest.mark.parametrize(
    ("name", "choices"),
    [("Input_KvPrecision", ["fp16", "bf16", "fp8", "int8"]), ("Input_HA", ["none", "n+1"])],
)
def test_dropdowns_list_precisions_and_modes(book: Workbook, name: str, choices: list[str]) -> None:
    [(sheet, cell)] = cells_of_name(book, name)
    [check] = [each for each in sheet.data_validations.dataValidation if str(each.sqref) == cell]
    assert values_of_name(book, check.formula1) == choices


@pytest.mark.parametrize("kind", FILES)
def test_catalog_sheet_holds_every_figure_of_the_catalog_file(book: Workbook, kind: str) -> None:
    rows = table_rows(book, kind)
    assert len(rows) == len(entries(kind)) >= 8
    for entry, row in zip(entries(kind), rows, strict=True):
        for field, value in entry.items():
            if field == "sources":
                assert all(source in row["Sources"] for source in value.values())
                assert all(key in row["Sources"] for key in value if key != "*")
            elif field == "notes":
                assert row["Notes"] == value
            elif field == "layer_groups":
                assert figures(row["Layer groups"]) == [group_figures(group) for group in value]
            elif field != "aliases":
                assert row[FIELDS[kind][field]] == value, (entry["name"], field)
        absent = set(FIELDS[kind]) - set(entry) - set(DERIVED)
        assert all(row[FIELDS[kind][field]] is None for field in absent), entry["name"]


def figures(text: str) -> list[list[str]]:
    """Every figure in the words for each group of layers."""
    groups = text.replace(",", "").split("; ")
    # What an indexer adds stands after a semicolon of its own.
    joined = [group for group in groups if " x " in group]
    rests = dict.fromkeys(range(len(joined)), "")
    for group in groups:
        if " x " not in group:
            rests[len(rests) - 1] += group
    return [re.findall(r"\d+", joined[number] + rests[number]) for number in rests]


def group_figures(group: dict[str, Any]) -> list[str]:
    """The figures that the words for a group of layers must hold, as text."""
    if group["kind"] == "latent":
        shown = [group["layers"], group["kv_lora_rank"], group["qk_rope_head_dim"]]
        if group.get("indexer_layers"):
            index = group["index_head_dim"]
            shown += [group["indexer_layers"], index + index // 128 * 4]
        return list(map(str, shown))
    if group["kind"] == "state":
        family = re.findall(r"\d", group["family"])
        bits = re.findall(r"\d+", group.get("recurrent_dtype", "bfloat16"))
        shape = [str(group[name]) for name in ("heads", "head_dim", "state_size")]
        return [str(group["layers"]), *family, *shape, *bits]
    shown = [group[name] for name in ("layers", "kv_heads", "key_dim", "value_dim")]
    return list(map(str, shown + ([group["window"]] if "window" in group else [])))


DERIVED = (
    "hybrid_full_layers",
    "hybrid_sliding_layers",
    "sliding_window",
    "total_hbm_gb",
    "usable_hbm_per_gpu_bytes",
    "gpu",
)
"""Fields that a sheet fills in where the file leaves them out."""


def test_derived_columns_of_models_follow_the_method(book: Workbook) -> None:
    for entry, row in zip(entries("Models"), table_rows(book, "Models"), strict=True):
        if entry["attention_pattern"] == "grouped":
            continue
        layers = {
            "full": (entry["num_layers"], 0),
            "sliding": (0, entry["num_layers"]),
            "hybrid": (entry.get("hybrid_full_layers"), entry.get("hybrid_sliding_layers")),
        }[entry["attention_pattern"]]
        assert (row["Full layers"], row["Sliding layers"]) == layers
        element = 2 * entry["num_key_value_heads"] * entry["head_dim"]
        assert row["Full KV elements"] == layers[0] * element
        assert row["Sliding KV elements"] == layers[1] * element
        assert (row["Index bytes"], row["State bytes"]) == (0, 0)


GROUPED = {
    # full and windowed elements, window, index bytes and state bytes, worked out by hand
    "deepseek-v3.2": (61 * 576, 0, None, 61 * 132, 0),
    "glm-5.2": (78 * 576, 0, None, 21 * 132, 0),
    "llama-4-scout": (12 * 2 * 8 * 128, 36 * 2 * 8 * 128, 8192, 0, 0),
    "mimo-v2-flash": (9 * 4 * 320, 39 * 8 * 320, 128, 0, 0),
    "gemma-4-26b-a4b": (5 * 2 * 1024, 25 * 8 * 512, 1024, 0, 0),
    "nemotron-3-nano-30b-a3b": (6 * 2 * 2 * 128, 0, None, 0, 23 * 2_134_016),
    "falcon3-mamba-7b": (0, 0, None, 0, 64 * 311_296),
    "falcon-h1-34b-instruct": (72 * 2 * 4 * 128, 0, None, 0, 72 * 2_127_872),
}
"""Pages of states are those of vLLM's planner at a tensor-parallel size of 1."""


@pytest.mark.parametrize("name", GROUPED)
def test_derived_columns_of_grouped_models_are_those_worked_out_by_hand(
    book: Workbook, name: str
) -> None:
    rows = {row["Name"]: row for row in table_rows(book, "Models")}
    heads = "Full KV elements,Sliding KV elements,Sliding window,Index bytes,State bytes"
    assert tuple(rows[name][head] for head in heads.split(",")) == GROUPED[name]


def test_derived_columns_of_servers_follow_the_method(book: Workbook) -> None:
    for entry, row in zip(entries("Servers"), table_rows(book, "Servers"), strict=True):
        total = entry.get("total_hbm_gb", entry["gpus"] * entry["hbm_per_gpu_gb"])
        assert row["HBM GB total"] == total
        mib = entry.get("hbm_per_gpu_mib")
        expected = entry["gpus"] * mib * 2**20 if mib else round(total * 10**9)
        assert row["HBM bytes"] == expected


@pytest.mark.parametrize("kind", FILES)
def test_alias_table_holds_every_alias_of_the_catalog_file(book: Workbook, kind: str) -> None:
    table, column = ALIASES[kind]
    aliases = [
        {"Alias": alias, column: entry["name"]}
        for entry in entries(kind)
        for alias in entry.get("aliases", [])
    ]
    assert table_rows(book, table) == (aliases or [{"Alias": None, column: None}])


def catalogs_of(names: Sequence[str], notes: Sequence[str] = ("",)) -> Catalogs:
    """A model, a server and a profile for each name, each with its alias and its notes."""
    about: list[dict[str, Any]] = [
        {"name": name, "aliases": (f"{name}!",), "notes": note, "sources": {"*": note}}
        for name, note in zip(names, cycle(notes), strict=False)
    ]
    return Catalogs(
        tuple(Model(**each, **MODEL_FIGURES) for each in about),
        tuple(Server(**each, gpus=8, hbm_per_gpu_gb=288, gpu=each["name"]) for each in about),
        tuple(StorageProfile(**each, type="hdd", **RATES) for each in about),
    )


MODEL_FIGURES: dict[str, Any] = {
    "num_layers": 2,
    "num_key_value_heads": 1,
    "head_dim": 64,
    "max_position_embeddings": 4096,
    "attention_pattern": "full",
}
RATES: dict[str, Any] = dict.fromkeys(set(FIELDS["Storage"]) - {"name", "type"}, 1)


def report_of(catalogs: Catalogs, place: int = 0) -> bytes:
    """The report of a small load on the entries at one place of the catalogs."""
    entry = catalogs.models[place], catalogs.servers[place], catalogs.profiles[place]
    return report(size(*entry, concurrency=10, effective_context=100), catalogs)


def test_catalog_of_one_entry_each_and_no_aliases_works() -> None:
    full = catalogs_of(["plain"])
    catalogs = Catalogs(
        tuple(replace(each, aliases=()) for each in full.models),
        tuple(replace(each, aliases=()) for each in full.servers),
        tuple(replace(each, aliases=()) for each in full.profiles),
    )
    for content in (template(catalogs), report_of(catalogs)):
        book = read(content)
        assert values_of_name(book, "Input_Model") == ["plain"]
        assert values_of_name(book, "Output_Status") == ["OK"]
        assert [row["Name"] for row in table_rows(book, "Models")] == ["plain"]


def test_examples_that_the_catalog_lacks_give_way_to_its_first_entries(catalogs: Catalogs) -> None:
    others = Catalogs(
        tuple(model for model in catalogs.models if model.name != "gpt-oss-120b"),
        tuple(server for server in catalogs.servers if server.name != "dgx-b300"),
        tuple(profile for profile in catalogs.profiles if profile.name != "profile_default"),
    )
    content = template(others)
    book = read(content)
    inputs = [values_of_name(book, f"Input_{each}")[0] for each in ("Model", "Server", "Storage")]
    assert inputs == [others.models[0].name, others.servers[0].name, others.profiles[0].name]


HOSTILE_NAMES = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0",
    "#N/A",
    "TRUE",
    "1E5",
    "'quoted",
    '"quoted" & <tagged>',
    "{kv_gib}",
    "modèle 模型 модель 🚀",
    "_x0041_",
    "%s",
)
HOSTILE_NOTES = {
    "=1+1": "=1+1",
    "+1": "+1",
    "-1": "-1",
    "@SUM(A1)": "@SUM(A1)",
    "\"a\" & <b> 'c'": "\"a\" & <b> 'c'",
    "números 数字 🚀": "números 数字 🚀",
    "two\nlines": "two\nlines",
    "  blanks  ": "  blanks  ",
    "a\x00b\x1fc\x0bd": "a b c d",
    "_x0041_": "_x0041_",
    "x" * LONGEST_TEXT: "x" * LONGEST_TEXT,
}
"""Notes, and what a cell shows of them."""


@pytest.fixture(scope="module")
def hostile() -> Catalogs:
    return catalogs_of(HOSTILE_NAMES, list(HOSTILE_NOTES))


@pytest.fixture(scope="module")
def hostile_content(hostile: Catalogs) -> bytes:
    return template(hostile)


@pytest.fixture(scope="module")
def hostile_book(hostile_content: bytes) -> Workbook:
    return read(hostile_content, values=False)


def shown(text: str) -> str:
    """A text as Excel shows it, which reads _x0041_ in a file as the character A."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda code: chr(int(code[1], 16)), text)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("place", range(len(HOSTILE_NAMES)), ids=HOSTILE_NAMES)
def test_hostile_name_comes_out_as_the_text_that_it_is(
    hostile_book: Workbook, kind: str, place: int
) -> None:
    name = HOSTILE_NAMES[place]
    row = table_rows(hostile_book, kind)[place]
    table, column = ALIASES[kind]
    alias = table_rows(hostile_book, table)[place]
    assert shown(row["Name"]) == name
    assert kind != "Servers" or shown(row["GPU"]) == name
    assert [shown(alias["Alias"]), shown(alias[column])] == [f"{name}!", name]


@pytest.mark.parametrize(
    "place", range(len(HOSTILE_NOTES)), ids=[ascii(n[:12]) for n in HOSTILE_NOTES]
)
def test_hostile_notes_and_sources_come_out_as_text(hostile_book: Workbook, place: int) -> None:
    expected = list(HOSTILE_NOTES.values())[place]
    for kind in FILES:
        row = table_rows(hostile_book, kind)[place]
        assert shown(row["Notes"]) == expected
        assert shown(row["Sources"]).startswith(f"all other figures: {expected}"[:32_000])


@pytest.mark.parametrize("place", range(len(HOSTILE_NAMES)), ids=HOSTILE_NAMES)
def test_report_on_entries_with_hostile_names_shows_them_as_text(place: int) -> None:
    content = report_of(catalogs_of(HOSTILE_NAMES), place)
    book = read(content, values=False)
    for name in ("Input_Model", "Input_Server", "Input_Storage"):
        [(sheet, cell)] = cells_of_name(book, name)
        assert sheet[cell].data_type == "s"
        assert shown(str(sheet[cell].value)) == HOSTILE_NAMES[place]


def test_template_opens_on_hostile_names_as_text(hostile_book: Workbook) -> None:
    for kind in ("Model", "Server", "Storage"):
        [(sheet, cell)] = cells_of_name(hostile_book, f"Input_{kind}")
        assert (sheet[cell].value, sheet[cell].data_type) == ("=1+1", "s")
        head, first, *_ = hostile_book["Scenarios"][
            hostile_book["Scenarios"].tables["Scenarios"].ref
        ]
        typed = first[[cell.value for cell in head].index(kind)]
        assert (typed.value, typed.data_type) == ("=1+1", "s")


def test_no_text_of_a_catalog_gets_into_a_formula() -> None:
    plain, hostile = (template(catalogs_of([name])) for name in ("plain", '"&1/0&"'))
    assert opened(plain).formulas == opened(hostile).formulas


def test_notes_that_no_cell_can_hold_are_cut_and_say_so() -> None:
    characters = ["x", "=", "ü", "🚀"]
    content = report_of(catalogs_of(characters, [each * 40_000 for each in characters]))
    rows = table_rows(read(content, values=False), "Models")
    for character, row in zip(characters, rows, strict=True):
        assert row["Notes"].startswith(character * 16_000)
        assert row["Notes"].endswith("[...]")
        assert length(row["Notes"]) <= LONGEST_TEXT


@pytest.mark.parametrize("field", ["notes", "name"])
@pytest.mark.parametrize("escape", [r"\ud800", r"\ufffe", r"\uffff", r"\u0000", r"\u001f"])
def test_characters_that_json_has_and_xml_lacks_make_a_valid_file_or_a_sentence(
    tmp_path: Path, escape: str, field: str
) -> None:
    for kind, file in FILES.items():
        first = {**entries(kind)[0], field: "aESCAPEb"}
        text = json.dumps({KEYS[kind]: [first]}).replace("ESCAPE", escape)
        (tmp_path / f"{file}.json").write_text(text, encoding="utf-8")
    out = tmp_path / "out.xlsx"
    done = subprocess.run(
        [sys.executable, "-m", "xlsizing", "template", str(out), "--catalogs", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr.splitlines()[-1]
    if done.returncode == 0:
        assert findings(out.read_bytes()) == []  # built where the gate does not collect
        [row] = table_rows(read(out.read_bytes()), "Models")
        assert re.fullmatch("a.b", row[field.title()])
    else:
        assert (done.returncode, out.exists()) == (2, False)
        assert all(f"{file}.json" in done.stderr for file in FILES.values())


def test_same_catalogs_give_the_same_bytes(catalogs: Catalogs, content: bytes) -> None:
    assert template(catalogs) == content


def test_same_catalogs_give_the_same_bytes_in_other_processes() -> None:
    code = (
        "import hashlib; from xlsizing.book.build import template; "
        "from xlsizing.catalog import load_catalogs; "
        "print(hashlib.sha256(template(load_catalogs())).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "USER": user},
            check=True,
            capture_output=True,
        ).stdout
        for seed, zone, user in (("1", "UTC", "anna"), ("2", "Asia/Tokyo", "bert"))
    }
    assert len(digests) == 1


def test_file_tells_nothing_of_who_made_it_where_and_when(
    catalogs: Catalogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("USER", "LOGNAME", "USERNAME", "LNAME"):
        monkeypatch.setenv(variable, "someuser")
    with zipfile.ZipFile(io.BytesIO(template(catalogs))) as package:
        for entry in package.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        properties = [part for part in package.namelist() if part.startswith("docProps/")]
        assert "docProps/core.xml" in properties
        parts = {part: package.read(part).decode() for part in package.namelist()}
    for part in properties:
        told = re.sub(r'xmlns(:\w+)?="[^"]*"', "", parts[part])
        told = re.sub(r"</?[\w:]+[^>]*>", " ", told)
        assert not re.search(r"\d{4}-\d\d-\d\d|\d\d:\d\d", told), told
        assert not re.search(r"[/\\]\w+[/\\]|[A-Z]:\\", told), told
    for text in parts.values():
        assert "someuser" not in text
        assert str(PROJECT) not in text
        assert "absPath" not in text
