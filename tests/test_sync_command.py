"""The command `sync` as people and CI use it: what it prints, its exit codes, what it writes."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.book.plans import opened, saved, the_template
from tests.conftest import PROJECT
from xlsizing.cli import main

PAGE = (PROJECT / "docs" / "sync.md").read_text(encoding="utf-8")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    Path("plan.xlsx").write_bytes(the_template())

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["sync", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def write_catalogs(folder: str, changes: Mapping[str, Callable[[list[Any]], list[Any]]]) -> str:
    """A folder with the shipped catalogs, changed."""
    Path(folder).mkdir()
    for file in ("models", "servers", "storage"):
        document = json.loads((PROJECT / "catalogs" / f"{file}.json").read_text(encoding="utf-8"))
        [key] = set(document) - {"$schema"}
        change = changes.get(file)
        content = json.dumps({key: change(document[key]) if change else document[key]})
        Path(folder, f"{file}.json").write_text(content, encoding="utf-8")
    return folder


OWN = {"name": "our-server", "gpus": 8, "hbm_per_gpu_gb": 80, "sources": {"*": "an offer"}}


def servers_of_the_page(servers: list[Any]) -> list[Any]:
    changed = [
        {**server, "max_power_kw": 15} if server["name"] == "dgx-b300" else server
        for server in servers
    ]
    return [*(each for each in changed if each["name"] != "8x-mi355x"), OWN]


def halved(servers: list[Any]) -> list[Any]:
    return [
        {
            **server,
            "hbm_per_gpu_mib": server["hbm_per_gpu_mib"] // 2,
            "hbm_per_gpu_gb": 144,
            "total_hbm_gb": 1152,
        }
        | {"usable_hbm_per_gpu_bytes": None}
        if server["name"] == "dgx-b300"
        else server
        for server in servers
    ]


def text_blocks() -> list[str]:
    return re.findall(r"^( *)```text\n(.*?)^\1```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_pages_check_prints_what_the_page_shows_and_writes_nothing(run: Run) -> None:
    write_catalogs("new", {"servers": servers_of_the_page})
    before = Path("plan.xlsx").stat()
    code, out, err = run("plan.xlsx", "--catalogs", "new", "--check")
    assert (code, out, err) == (1, text_blocks()[0][1], "")
    assert Path("plan.xlsx").stat() == before
    assert {path.name for path in Path().iterdir()} == {"plan.xlsx", "new"}


def test_the_pages_sync_writes_a_copy_and_the_workbook_is_current_then(run: Run) -> None:
    write_catalogs("new", {"servers": servers_of_the_page})
    original = Path("plan.xlsx").read_bytes()
    code, out, err = run("plan.xlsx", "--catalogs", "new", "--backup")
    assert (code, err) == (0, "")
    assert out == text_blocks()[0][1] + "Synced plan.xlsx. As it was: plan.xlsx.bak.\n"
    assert Path("plan.xlsx.bak").read_bytes() == original
    assert run("plan.xlsx", "--catalogs", "new", "--check") == (0, "plan.xlsx: up to date\n", "")
    assert run("plan.xlsx", "--catalogs", "new", "--backup") == (0, "plan.xlsx: up to date\n", "")
    assert not Path("plan.xlsx.bak2").exists()


def test_plans_that_use_what_changes_are_listed_as_on_the_page(run: Run) -> None:
    write_catalogs("new", {"servers": halved})
    _, out, _ = run("plan.xlsx", "--catalogs", "new", "--check")
    lines = [re.sub(" +", " ", line).strip() for line in out.splitlines()]
    wanted = [re.sub(" +", " ", line).strip() for line in text_blocks()[1][1].splitlines()]
    at = lines.index(wanted[0])
    assert wanted[1] in lines[at:]


def test_an_entry_dropped_that_a_plan_uses_is_told(run: Run) -> None:
    def without(servers: list[Any]) -> list[Any]:
        return [each for each in servers if each["name"] != "dgx-b300"]

    write_catalogs("new", {"servers": without})
    code, out, _ = run("plan.xlsx", "--catalogs", "new")
    assert code == 0
    assert re.search(r"Launch +3 nodes -> no server dgx-b300  \(dgx-b300\)", out)


def test_own_rows_stay_are_marked_pulled_and_pruned(run: Run) -> None:
    book = opened()
    sheet = book["Servers"]
    row = sheet.max_row + 1
    heads = [cell.value for cell in sheet[4]]
    last = next(number for number in range(5, row + 1) if sheet.cell(number, 1).value in (None, ""))
    for head, value in (("Name", "our-server"), ("GPUs", 8), ("HBM GB per GPU", 80)):
        sheet.cell(last, heads.index(head) + 1).value = value
    table = sheet.tables["Servers"]
    table.ref = re.sub(r"\d+$", str(last), table.ref)
    table.autoFilter.ref = table.ref
    Path("plan.xlsx").write_bytes(saved(book))
    code, out, _ = run("plan.xlsx", "--check")
    assert code == 0
    assert "Servers: our-server is local, in no catalog; it stays." in out
    assert run("plan.xlsx")[0] == 0
    marked = openpyxl_value("plan.xlsx", "Servers", last, heads.index("Origin") + 1)
    assert marked == "local"
    code, out, err = run("plan.xlsx", "--prune", "--pull", "own.json")
    assert code == 0
    assert "Servers  removed  our-server" in out
    assert err == "Wrote own.json: 1 entry that no catalog has.\n"
    assert json.loads(Path("own.json").read_text(encoding="utf-8")) == {
        "models": [],
        "servers": [{"name": "our-server", "gpus": 8, "hbm_per_gpu_gb": 80, "total_hbm_gb": 640.0}],
        "profiles": [],
    }
    assert openpyxl_value("plan.xlsx", "Servers", last, 1) is None
    assert run("plan.xlsx", "--check", "--prune")[0] == 0


@pytest.mark.parametrize("options", [(), ("--prune",)])
def test_a_pulled_file_of_another_day_is_not_made_empty(run: Run, options: tuple[str, ...]) -> None:
    Path("own.json").write_text('{"models": []}', encoding="utf-8")
    code, _, err = run("plan.xlsx", "--pull", "own.json", "--force", *options)
    assert (code, err) == (0, "Note: own.json stays as it was: no workbook has rows of its own.\n")
    assert Path("own.json").read_text(encoding="utf-8") == '{"models": []}'


@pytest.mark.parametrize("options", [(), ("--prune",)])
def test_a_new_pulled_file_says_that_there_is_nothing(run: Run, options: tuple[str, ...]) -> None:
    code, _, err = run("plan.xlsx", "--pull", "own.json", *options)
    assert (code, err) == (0, "Wrote own.json: 0 entries that no catalog has.\n")
    assert json.loads(Path("own.json").read_text(encoding="utf-8")) == {
        "models": [],
        "servers": [],
        "profiles": [],
    }


def openpyxl_value(path: str, sheet: str, row: int, column: int) -> object:
    import openpyxl

    found: object = openpyxl.load_workbook(path)[sheet].cell(row, column).value
    return found


def test_json_says_the_same(run: Run) -> None:
    write_catalogs("new", {"servers": servers_of_the_page})
    code, out, err = run("plan.xlsx", "--catalogs", "new", "--check", "--json")
    assert (code, err) == (1, "")
    [workbook] = json.loads(out)["workbooks"]
    assert workbook["path"] == "plan.xlsx"
    assert workbook["outcome"] == "out of date"
    assert [(row["table"], row["what"], row["name"]) for row in workbook["changes"]] == [
        ("Servers", "added", "our-server"),
        ("Servers", "changed", "dgx-b300"),
        ("Servers", "removed", "8x-mi355x"),
        ("ServerAliases", "removed", "mi355x"),
    ]
    [field] = workbook["changes"][1]["fields"]
    assert field == {"field": "Power kW", "old": 14, "new": 15, "was_formula": False}


def test_one_that_fails_stops_no_other_and_all_are_counted(run: Run) -> None:
    write_catalogs("new", {"servers": servers_of_the_page})
    Path("bad.xlsx").write_text("Model;Server\n", encoding="utf-8")
    Path("other.xlsx").write_bytes(Path("plan.xlsx").read_bytes())
    code, out, err = run("bad.xlsx", "*.xlsx", "--catalogs", "new")
    assert code == 2
    assert err.count("bad.xlsx is a text file, such as CSV") == 1
    assert "Synced plan.xlsx." in out
    assert "Synced other.xlsx." in out
    assert out.endswith("3 workbooks: 2 synced, 1 failed.\n")


def test_a_workbook_without_catalog_tables_is_offered_them(run: Run) -> None:
    import openpyxl

    openpyxl.Workbook().save("notes.xlsx")
    original = Path("notes.xlsx").read_bytes()
    code, out, err = run("notes.xlsx")
    assert (code, out) == (2, "")
    assert err == (
        "notes.xlsx has no catalog tables (Models, Servers, Storage), so there is nothing to sync; "
        "add them with --add-tables.\n"
    )
    assert Path("notes.xlsx").read_bytes() == original
    assert run("notes.xlsx", "--add-tables", "--check")[0] == 1
    assert Path("notes.xlsx").read_bytes() == original
    assert run("notes.xlsx", "--add-tables")[0] == 0
    assert run("notes.xlsx", "--check") == (0, "notes.xlsx: up to date\n", "")


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has such pipes; CI has them")
def test_where_nobody_reads_the_output_all_workbooks_are_synced(run: Run) -> None:
    assert run("plan.xlsx", "--check")[0] == 0
    write_catalogs("new", {"servers": servers_of_the_page})
    names = ["plan.xlsx", "second.xlsx", "third.xlsx"]
    for name in names[1:]:
        Path(name).write_bytes(Path("plan.xlsx").read_bytes())
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "xlsizing", "sync", *names, "--catalogs", "new"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
    for name in names:
        assert run(name, "--catalogs", "new", "--check")[0] == 0
