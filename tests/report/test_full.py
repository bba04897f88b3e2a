"""The full report: its forms agree with each other, with the workbook and with core."""

import re
import shlex
from pathlib import Path

import openpyxl
import pytest

from tests.conftest import PROJECT
from tests.report.forms import LOAD, NOTHING_FITS, column, markdown_tables, read_page, write_all
from xlsizing.cli import main
from xlsizing.core import Catalogs, size


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("forms")
    assert write_all(made, LOAD) == 0
    return made


def page(folder: Path) -> str:
    return (folder / "r.html").read_text(encoding="utf-8")


def markdown(folder: Path) -> str:
    return (folder / "r.md").read_text(encoding="utf-8")


def test_page_and_markdown_have_the_same_tables(folder: Path) -> None:
    tables = read_page(page(folder)).tables
    assert len(tables) == 10
    assert markdown_tables(markdown(folder)) == tables


def test_the_page_needs_no_network(folder: Path) -> None:
    fetched = read_page(page(folder)).fetched
    assert [each[:22] for each in fetched] == ["data:image/png;base64,"]
    assert "<script" not in page(folder)


def test_scenarios_are_those_of_the_workbook(folder: Path) -> None:
    sheet = openpyxl.load_workbook(folder / "r.xlsx", data_only=True)["Scenarios"]
    heads = [cell.value for cell in sheet[6]]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=7, max_row=10)]
    [table] = [each for each in read_page(page(folder)).tables if each[0][0] == "Scenario"]
    for head, in_workbook in (
        ("Scenario", "Scenario"),
        ("Nodes minimum", "Nodes minimum"),
        ("Nodes with headroom", "Nodes with headroom"),
        ("Nodes final", "Nodes final"),
        ("HA", "HA"),
        ("Status", "Status"),
    ):
        place = heads.index(in_workbook)
        assert column(table, head) == [str(row[place]) for row in rows]
    # What all of them share stands among the assumptions alone.
    assert "Concurrency" not in table[0]
    assert column(table, "Headroom") == ["0.2", "0", "0.2", "0.4"]


def test_the_answer_is_cores(folder: Path, catalogs: Catalogs) -> None:
    result = size(
        catalogs.model("gpt-oss-120b"),
        catalogs.server("dgx-b300"),
        catalogs.profile("profile_default"),
        concurrency=1000,
        effective_context=131072,
        ha_mode="n+1",
    )
    answer = dict(read_page(page(folder)).tables[0])
    assert answer["Nodes final"] == str(result.nodes_final)
    assert answer["Sessions per node"] == str(result.sessions_per_node)
    assert answer["KV cache per session"] == f"{result.kv_per_session_gib:.4f} GiB"
    assert answer["KV cache in total"] == f"{result.kv_total_tib:.4f} TiB"
    assert result.engine
    assert answer["Nodes by the engine bound"] == str(result.engine.nodes[-1])
    for alert in result.all_alerts:
        assert alert.message in read_page(page(folder)).texts


def test_each_step_follows_from_its_figures(folder: Path) -> None:
    """The figures as they stand there, computed anew, come to what stands behind them."""
    steps = re.findall(
        r"^\d+\. \*\*(.*?)\*\* = .*\n   = (.*) = \*\*(.*?)\*\*$", markdown(folder), re.MULTILINE
    )
    assert len(steps) == 10
    for name, figures, result in steps:
        expression = figures.replace(",", "").replace(";", ",").replace("×", "*").replace("^", "**")
        expression = re.sub(r"⌈(.*)⌉", r"-(-(\1)//1)", expression)
        expression = re.sub(r"⌊(.*)⌋", r"(\1)//1", expression)
        if name == "Bytes per element":
            assert (figures, result) == ("fp8", "1 byte")
            continue
        shown = float(re.sub(r"[^\d.].*", "", result.replace(",", "")))
        found = eval(expression, {"min": min})
        assert shown == pytest.approx(found, abs=0.01), name


def test_how_far_inputs_move_is_what_the_method_says(folder: Path, catalogs: Catalogs) -> None:
    [table] = [each for each in read_page(page(folder)).tables if each[0][:2] == ["Input", "Now"]]
    moves = dict(zip(column(table, "Input"), column(table, "One step more"), strict=True))
    assert moves["Concurrency"] == "4 nodes at 1,024"
    assert (
        dict(zip(column(table, "Input"), column(table, "to"), strict=True))["Concurrency"]
        == "1,023"
    )
    for concurrency, nodes in ((1023, 3), (1024, 4)):
        found = size(
            catalogs.model("gpt-oss-120b"),
            catalogs.server("dgx-b300"),
            catalogs.profile("profile_default"),
            concurrency=concurrency,
            effective_context=131072,
            ha_mode="n+1",
        )
        assert found.nodes_final == nodes


def test_where_nothing_fits_the_report_says_so(tmp_path: Path) -> None:
    assert write_all(tmp_path, NOTHING_FITS) == 3
    text = markdown(tmp_path)
    assert "**Nothing fits: no 8x-l40s node holds one session" in text
    assert "| Nodes final | none fits |" in text
    assert "HBM\\_BUDGET\\_INSUFFICIENT" in text
    assert "8. **Nodes minimum** = ⌈concurrency / sessions per node⌉  \n   = **none fits**" in text


def test_a_portuguese_report_has_no_english_left(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write_all(tmp_path, LOAD, "--lang", "pt-BR") == 0
    capsys.readouterr()
    before, after = read_page(page(folder)), read_page(page(tmp_path))
    assert len(before.texts) == len(after.texts)
    same = {text for text in after.texts if text in before.texts and re.search("[a-z]{3}", text)}
    # What is left: names of entries and fields, codes, and the catalogs' own words.
    entries = {
        *("gpt-oss-120b", "dgx-b300", "profile_default", "none", "hybrid", "nvme_local", "mxfp4"),
        *("Illustrative.", "max_num_batched_tokens", "Ideal", "1 byte"),
    }
    fields = {text for text in same if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", text)}
    assert {text for text in same - entries - fields if not text.startswith("B300")} == set()
    assert '<html lang="pt-BR">' in page(tmp_path)


def test_presets_can_be_changed(tmp_path: Path) -> None:
    changed = ("--preset", "ideal=0.5,n+1", "--preset", "Double = 1, none")
    assert write_all(tmp_path, LOAD, *changed) == 0
    [table] = [each for each in read_page(page(tmp_path)).tables if each[0][0] == "Scenario"]
    assert column(table, "Scenario") == ["As asked", "Minimum", "Recommended", "Ideal", "Double"]
    assert column(table, "Headroom") == ["0.2", "0", "0.2", "0.5", "1"]
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx", data_only=True)["Scenarios"]
    assert [sheet.cell(row, 1).value for row in range(7, 12)] == column(table, "Scenario")


@pytest.mark.parametrize(
    "preset", ["Ideal", "Ideal=0.4", "=0.4,none", "Ideal=x,none", "As asked=0.4,none", "A=0,4,none"]
)
def test_a_wrong_preset_is_refused(
    tmp_path: Path, preset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write_all(tmp_path, LOAD, "--preset", preset) == 2
    said = capsys.readouterr().err
    assert repr(preset) in said or "ha_mode" in said
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_where_one_form_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.md").write_text("mine", encoding="utf-8")
    options = [part for option in LOAD.items() for part in option]
    assert main(["report", str(tmp_path / "r.xlsx"), *options, "--html", "--markdown"]) == 2
    assert "r.md exists; choose another name" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["r.md"]
    assert (tmp_path / "r.md").read_text(encoding="utf-8") == "mine"


def test_the_pages_command_writes_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (PROJECT / "docs" / "report.md").read_text(encoding="utf-8")
    [command] = re.findall(r"```sh\nxlsizing (.*?)\n```", text)
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)) == 0
    written = re.findall(r"^Wrote (.*)\.$", capsys.readouterr().out, re.MULTILINE)
    assert written == ["report.xlsx", "report.html", "report.md", "draft.eml"]
    titles = re.findall(r"^\d\. \*\*(.*?)\*\*", text, re.MULTILINE)
    sections = re.findall(r"^## (.*)$", Path("report.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [title for title in titles[:-1] if title not in sections] == []


def test_a_preset_is_known_by_the_name_that_a_portuguese_report_gives_it(tmp_path: Path) -> None:
    load = LOAD
    assert write_all(tmp_path, load, "--lang", "pt-BR", "--preset", "Mínimo=0.1,none") == 0
    page = read_page((tmp_path / "r.html").read_text(encoding="utf-8"))
    [table] = [table for table in page.tables if table[0][0] == "Cenário"]
    assert [row[0] for row in table[1:]] == ["Como pedido", "Mínimo", "Recomendado", "Ideal"]
    assert table[2][1] == "0,1"


def test_a_row_that_was_changed_keeps_its_place_whatever_it_is_called(tmp_path: Path) -> None:
    assert write_all(tmp_path, LOAD, "--lang", "pt-BR") == 0
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert book["Scenarios"]["A7"].value == "Como pedido"
    again = ("--from", str(tmp_path / "r.xlsx"), "--markdown", "--lang", "en")
    assert main(["report", str(tmp_path / "same.xlsx"), *again]) == 0
    same = (tmp_path / "same.md").read_text(encoding="utf-8")
    assert "Como pedido" not in same
    book["Scenarios"]["F7"].value = 9_000
    book.save(tmp_path / "changed.xlsx")
    again = ("--from", str(tmp_path / "changed.xlsx"), "--markdown", "--lang", "en")
    assert main(["report", str(tmp_path / "other.xlsx"), *again]) == 0
    other = (tmp_path / "other.md").read_text(encoding="utf-8")
    assert "| Como pedido |" in other
    assert "| As asked |" in other
