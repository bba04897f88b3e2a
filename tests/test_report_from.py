"""`report --from`: a filled-in workbook in, a report out, from the command line."""

import os
from pathlib import Path

import pytest

from tests.book.plans import HEADS, opened, plan, saved, the_template, type_in, type_rows, written
from tests.book.test_template import read, table_rows, values_of_name
from tests.test_cli import Command, options
from xlsizing.core import Catalogs, size

ROW = {
    "Scenario": "Good",
    "Active": "yes",
    "Model": "opt-oss-120b",
    "Server": "dgx300",
    "Storage": "profile_default",
    "Concurrency": 1_000,
    "Context": 131_072,
}


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("SOURCE_DATE_EPOCH", "XLSIZING_CATALOGS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_edited_rows_come_out_as_core_sizes_them(
    command: Command, folder: Path, catalogs: Catalogs
) -> None:
    rows = [
        {**ROW, "Scenario": f"{model} x {sessions}", "Model": model, "Concurrency": sessions}
        for model in ("gpt-oss-120b", "llama-3.1-70b", "deepseek-v3")
        for sessions in (10, 1_000, 99_999)
    ]
    book = opened()
    type_rows(book, rows)
    type_in(book, {"Input_BaseScenario": rows[0]["Scenario"], "Input_Concurrency": 77})
    (folder / "plan.xlsx").write_bytes(saved(book))
    ran = command("report", "out.xlsx", "--from", "plan.xlsx")
    assert (ran.code, ran.err) == (0, "")
    report = read((folder / "out.xlsx").read_bytes())
    assert values_of_name(report, "Input_Concurrency") == [77]
    found = table_rows(report, "Scenarios")[: len(rows)]
    base = None
    for row, shown in zip(rows, found, strict=True):
        result = size(
            catalogs.model(row["Model"]),
            catalogs.server("dgx-b300"),
            catalogs.profile("profile_default"),
            concurrency=int(str(row["Concurrency"])),
            effective_context=131_072,
        )
        base = base or result.nodes_final
        assert shown["Nodes final"] == result.nodes_final
        assert shown["Sessions per node"] == result.sessions_per_node
        assert shown["KV total TiB"] == pytest.approx(result.kv_total_tib, rel=1e-14)
        assert shown["Server"] == "dgx300"
        assert result.nodes_final
        assert base
        assert shown["Nodes against base"] == result.nodes_final - base


def test_text_is_that_of_the_load_and_then_a_line_for_each_scenario(
    command: Command, folder: Path
) -> None:
    rows = [
        {**ROW, "HA": "n+1"},
        {},
        {**ROW, "Scenario": None, "Model": "no-such"},
        {**ROW, "Scenario": "Off", "Active": "no"},
        {**ROW, "Scenario": "Full", "KvBudgetRatio": 0.05},
        {**ROW, "Scenario": "One", "Concurrency": 1},
    ]
    (folder / "plan.xlsx").write_bytes(plan(rows))
    ran = command("report", "out.xlsx", "--from", "plan.xlsx")
    sized = command.size({"--ha": "n+1"}).out.split("\n{", 1)[0]
    assert ran.code == 0
    assert ran.out == (
        f"{sized}\n"
        "Scenarios\n"
        "  Good            3 nodes\n"
        "  Scenario 3     no nodes  There is no model named no-such on Models.\n"
        "  Full           no nodes  Nothing fits: not one session on a node.\n"
        "  One              1 node\n"
        "\n"
        "Wrote out.xlsx.\n"
    )


def test_a_workbook_without_scenarios_gives_the_report_of_its_inputs(
    command: Command, folder: Path
) -> None:
    (folder / "plan.xlsx").write_bytes(written(None))
    assert command("report", "a.xlsx", "--from", "plan.xlsx").code == 0
    inputs = options({"--model": "gpt-oss-120b", "--server": "dgx-b300"})
    assert command("report", "b.xlsx", *inputs).code == 0
    assert (folder / "a.xlsx").read_bytes() == (folder / "b.xlsx").read_bytes()


def test_a_report_of_a_report_is_the_same_report(command: Command, folder: Path) -> None:
    rows = [ROW, {}, {**ROW, "Model": "gpt*"}, {**ROW, "HA": "n+9", "Active": True}]
    (folder / "plan.xlsx").write_bytes(plan(rows, {"Input_BaseScenario": "Good"}))
    assert command("report", "a.xlsx", "--from", "plan.xlsx").code == 0
    assert command("report", "b.xlsx", "--from", "a.xlsx").code == 0
    assert (folder / "a.xlsx").read_bytes() == (folder / "b.xlsx").read_bytes()


def test_where_nothing_fits_on_sizing_the_exit_code_is_3(command: Command, folder: Path) -> None:
    (folder / "plan.xlsx").write_bytes(plan([ROW], {"Input_KvBudgetRatio": 0.01}))
    ran = command("report", "out.xlsx", "--from", "plan.xlsx")
    assert "Nothing fits" in ran.sentence(3)
    assert (folder / "out.xlsx").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "needs --from WORKBOOK, or the inputs of a load; of these are missing: --model, --se"),
        (["--model", "m", "--storage=s"], "missing: --server, --concurrency, --effective-context"),
        (["--from", "plan.xlsx", "--model", "m"], "leave out --model, or --from"),
        (["--from=plan.xlsx", "--ha=n+1", "--kv-pool-gib", "3"], "leave out --ha, --kv-pool-gib"),
        (["--from", "none.xlsx"], "none.xlsx cannot be read: No such file"),
        (["--from", "."], ". is a folder"),
        (["--from", "plan.xlsx", "--date", "23.11.2026"], "--date is '23.11.2026'; it must be a d"),
        (["--from", "plan.xlsx", "--date", "2026-02-30"], "--date is '2026-02-30'; it must be"),
        (["--from", "plan.xlsx", "--date", ""], "--date is ''; it must be a day such as"),
    ],
)
def test_what_is_asked_wrongly_is_a_sentence_and_nothing_is_written(
    command: Command, folder: Path, arguments: list[str], words: str
) -> None:
    (folder / "plan.xlsx").write_bytes(the_template())
    ran = command("report", "out.xlsx", *arguments)
    assert words in ran.sentence()
    assert ran.out == ""
    assert [path.name for path in folder.iterdir()] == ["plan.xlsx"]


def test_what_is_wrong_in_the_workbook_is_a_sentence_and_nothing_is_written(
    command: Command, folder: Path
) -> None:
    (folder / "plan.xlsx").write_bytes(plan([ROW], {"Input_Concurrency": "many"}))
    ran = command("report", "out.xlsx", "--from", "plan.xlsx")
    assert "in plan.xlsx): concurrency is 'many'; it must be a whole number" in ran.sentence()
    (folder / "plan.xlsx").write_bytes(plan([ROW], {"Input_Concurrency": 10**14}))
    ran = command("report", "out.xlsx", "--from", "plan.xlsx")
    assert "A workbook cannot count this sizing exactly" in ran.sentence()
    assert [path.name for path in folder.iterdir()] == ["plan.xlsx"]


@pytest.mark.parametrize("way", ["same", "absolute", "dots", "symlink", "hard link"])
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_the_workbook_that_is_read_is_never_replaced(
    command: Command, folder: Path, way: str, force: list[str]
) -> None:
    source = folder / "plan.xlsx"
    source.write_bytes(the_template())
    out = {"same": "plan.xlsx", "absolute": str(source), "dots": f"../{folder.name}/plan.xlsx"}
    if way == "symlink":
        (folder / "other.xlsx").symlink_to(source)
    if way == "hard link":
        os.link(source, folder / "other.xlsx")
    ran = command("report", out.get(way, "other.xlsx"), "--from", "plan.xlsx", *force)
    assert "is the workbook that is read; give the report a name of its own" in ran.sentence()
    assert source.read_bytes() == the_template()


def test_notes_on_standard_error_say_where_the_workbook_differs(
    command: Command, folder: Path
) -> None:
    book = opened()
    book["Models"]["A5"].value = "ours-7b"
    type_rows(book, [ROW, {**ROW, "Model": "ours-7b"}])
    (folder / "plan.xlsx").write_bytes(saved(book))
    ran = command("report", "out.xlsx", "--from", "plan.xlsx")
    assert ran.code == 0
    assert ran.err.startswith("Note: There is no model named 'ours-7b' in the catalog; ")
    assert ran.err.endswith("give that with --catalogs.\n")
    assert "no nodes  There is no model named ours-7b on Models." in ran.out


def test_only_an_option_or_source_date_epoch_puts_a_date_into_a_workbook(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moments(name: str) -> tuple[object, object, object]:
        book = read((folder / name).read_bytes())
        made = book["About"]["A3"].value
        return str(book.properties.created)[:10], str(book.properties.modified)[:10], made

    def made(name: str, *arguments: str) -> bytes:
        assert command("report", name, "--from", "plan.xlsx", *arguments).code == 0
        return (folder / name).read_bytes()

    (folder / "plan.xlsx").write_bytes(plan([ROW]))
    assert made("a.xlsx") == made("b.xlsx")
    assert read((folder / "a.xlsx").read_bytes())["About"]["A3"].value is None
    dated = made("c.xlsx", "--date", "2024-02-29")
    assert moments("c.xlsx") == ("2024-02-29", "2024-02-29", "Made on 2024-02-29")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1709164800")  # 2024-02-29 at midnight, by date(1)
    assert made("d.xlsx") == dated
    made("e.xlsx", "--date", "2020-01-31")
    assert moments("e.xlsx") == ("2020-01-31", "2020-01-31", "Made on 2020-01-31")
    assert command("template", "t.xlsx", "--date", "2020-01-31").code == 0
    assert moments("t.xlsx") == ("2020-01-31", "2020-01-31", "Made on 2020-01-31")
    for wrong in ("soon", "1e9", "9" * 30):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", wrong)
        ran = command("template", "u.xlsx")
        assert "SOURCE_DATE_EPOCH is " in ran.sentence()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")
    assert made("f.xlsx") == (folder / "a.xlsx").read_bytes()


def test_five_hundred_rows_come_through(command: Command, folder: Path) -> None:
    rows = [
        {HEADS[symbol]: value for symbol, value in row.items()}
        for row in ({**ROW, "Scenario": f"Row {n}", "Concurrency": n} for n in range(1, 501))
    ]
    (folder / "plan.xlsx").write_bytes(written(rows))
    assert command("report", "out.xlsx", "--from", "plan.xlsx").code == 0
    report = table_rows(read((folder / "out.xlsx").read_bytes()), "Scenarios")
    assert [row["Sessions"] for row in report] == list(range(1, 501))
    # With 20 % headroom the most is 600, and a node holds 614.
    assert {row["Nodes final"] for row in report} == {1}
