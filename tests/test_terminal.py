"""What a terminal gets: tables in its width and colours, bars, and as much as was asked for."""

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.book.plans import the_template
from tests.catalog.test_files import write_catalogs
from tests.conftest import PROJECT
from tests.test_cli import INPUTS, Command, Ran, as_process, command, options
from tests.test_outputs import documents
from tests.test_portuguese_output import ENTRIES, RUNS, figures, own_rows, write_draft
from xlsizing.cli.arguments import parsed
from xlsizing.core import size
from xlsizing.core.engine import EngineSettings
from xlsizing.excel.server import serving
from xlsizing.language import ENGLISH

pytest.importorskip("pty", reason="there are no pseudo-terminals here; CI has them")

from tests.terminal import FORGOTTEN, cells, in_terminal

__all__ = ["command"]

LOAD = ("size", *options({"--ha": "n+1"}))
PLAIN = {"NO_COLOR": "1"}
LINES = "╭╮╰╯├┤┬┴┼│─"
COMMANDS: Mapping[str, Sequence[str]] = {
    "size": LOAD,
    "nothing fits": ("size", *options({"--kv-budget-ratio": "0.05"})),
    "kv": ("kv", "gpt-oss-120b", "--context", "131072", "--kv-pool-gib", "20"),
    "calibrate": ("calibrate", "llama-3.1-8b", "log.txt", "--server", "dgx-h100"),
    "list": ("catalog", "list"),
    "show": ("catalog", "show", "profile_default"),
    "doctor": ("doctor", "plan.xlsx"),
    "sync": ("sync", "plan.xlsx", "--catalogs", "catalogs", "--check"),
    "send": ("send", "draft.eml", "--server", "smtp.example.com", "--dry-run"),
}
"""Commands that show tables."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan with rows of its own, catalogs that differ, a log and a draft."""
    made = tmp_path_factory.mktemp("terminal")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        own_rows()
        write_draft()
        Path("other.xlsx").write_bytes(the_template())
        Path("log.txt").write_text("\n".join(RUNS["runs"][0]["log"]), encoding="utf-8")
    return made


def letters(shown: str) -> list[str]:
    """Everything that was shown, in no order, but for the lines of tables and for JSON."""
    text = shown.partition("\n{\n")[0]
    return sorted(re.sub(rf"\x1b\[[\d;]*m|[\s{LINES}]", "", text))


@pytest.mark.parametrize(
    ("name", "language"),
    [*((name, "en") for name in COMMANDS), ("size", "pt-BR"), ("kv", "pt-BR"), ("send", "pt-BR")],
)
def test_a_narrow_terminal_loses_nothing(
    name: str,
    language: str,
    folder: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = (*COMMANDS[name], "--lang", language)
    monkeypatch.chdir(folder)
    plain = command(*arguments)
    narrow = in_terminal(*arguments, columns=40, folder=folder, environment=PLAIN)
    assert narrow.code == plain.code
    # The doctor names the folder that its Python runs in.
    assert letters(narrow.out) == letters(plain.out)
    drawn = narrow.out.partition("\n{\n")[0]
    assert cells(drawn)
    assert max(map(len, drawn.splitlines())) <= 40


def test_figures_and_words_are_whole_in_a_narrow_table(command: Command) -> None:
    arguments = (*LOAD, "--lang", "pt-BR")
    plain = command(*arguments).out.partition("\n{\n")[0]
    shown = in_terminal(*arguments, columns=40, environment=PLAIN).out
    parts = {part for line in cells(shown) for cell in line for part in figures(cell)}
    in_tables = "\n".join(plain.splitlines()[3:])
    assert set(figures(in_tables)) - set(figures(plain.splitlines()[1])) <= parts | {"1", "8"}
    assert "disponibilidade" in shown


@pytest.mark.parametrize(
    ("name", "columns"),
    [("kimi-k2-instruct", 40), ("kimi-k2-instruct", 50), ("gpt-oss-120b", 50), ("dgx-b300", 60)],
)
def test_only_long_addresses_are_broken(name: str, columns: int) -> None:
    entry = ENTRIES[name]
    shown = in_terminal("catalog", "show", name, columns=columns, environment=PLAIN).out
    parts = {part for line in cells(shown) for cell in line for part in cell.split()}
    fields = set(entry) - {"name", "sources", "other_sources"}
    whole = {str(entry[each]) for each in fields if type(entry[each]) in (int, float)}
    assert len(whole) > 2
    assert fields | whole <= parts
    assert max(map(len, shown.splitlines())) <= columns


def test_a_wide_table_keeps_its_columns_beside_a_long_address() -> None:
    shown = in_terminal("catalog", "show", "kimi-k2-instruct", columns=90, environment=PLAIN).out
    assert ["max_position_embeddings", "131072", ""] in cells(shown)


def test_a_column_without_any_text_is_not_drawn() -> None:
    shown = in_terminal("catalog", "show", "profile_default", environment=PLAIN).out
    assert ["type", "nvme_local"] in cells(shown)


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_an_output_that_lacks_letters_gets_plain_text(language: str) -> None:
    arguments = (*LOAD, "--lang", language)
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    shown = in_terminal(*arguments, environment=ascii_only)
    assert shown.out == as_process(*arguments, **ascii_only).out


def test_colours_say_how_severe_an_alert_is() -> None:
    shown = in_terminal(*LOAD).out
    assert "\x1b[33mwarning\x1b[0m" in shown
    assert "\x1b[33mLONG_CONTEXT_IO\x1b[0m" in shown
    wrong = in_terminal("size", *options({"--kv-budget-ratio": "0.05"})).out
    assert re.search(r"\x1b\[1;31merror +\x1b\[0m", wrong)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_there_is_no_colour_where_none_is_wanted(name: str, value: str) -> None:
    shown = in_terminal(*LOAD, environment={name: value})
    assert "\x1b" not in shown.out + shown.err
    assert ["warning", "LONG_CONTEXT_IO"] in cells(shown.out)


def test_an_empty_no_color_says_nothing() -> None:
    assert "\x1b[33m" in in_terminal(*LOAD, environment={"NO_COLOR": ""}).out


def test_a_pipe_gets_plain_text_beside_a_terminal() -> None:
    piped = in_terminal(*LOAD, is_piped=True)
    assert (piped.out, piped.err) == (as_process(*LOAD, LC_ALL="C.UTF-8", LANGUAGE="en").out, "")
    assert not set(piped.out) & set(LINES + "\x1b")


def test_a_terminal_too_narrow_for_borders_gets_plain_text(command: Command) -> None:
    assert in_terminal(*LOAD, columns=39).out == command(*LOAD).out


@pytest.mark.parametrize(
    "arguments",
    [
        (*LOAD, "--json-only"),
        ("kv", "gpt-oss-20b", "--context", "1", "--json"),
        ("catalog", "list", "--json"),
        ("doctor", "--json"),
    ],
)
def test_json_is_json_on_a_terminal(arguments: Sequence[str]) -> None:
    assert json.loads(in_terminal(*arguments, columns=40).out)


def test_names_of_others_are_no_markup(tmp_path: Path) -> None:
    names = ("[red]x[/red]", ":smile:", "[link=file:///x]y", "\\[b]")
    catalogs = write_catalogs(tmp_path, documents(names, "[bold]n[/] \x1b[31m \x07 \u202e"))
    shown = in_terminal("catalog", "list", "--catalogs", catalogs, columns=100)
    assert [name for (name,) in cells(shown.out)] == [*names] * 3
    assert "\x1b[31" not in shown.out
    entry = in_terminal(
        "catalog", "show", names[0], "--catalogs", catalogs, columns=100, environment=PLAIN
    )
    assert r"[bold]n[/] \x1b[31m \x07 \u202e" in entry.out
    assert not set(entry.out) & set("\x1b\x07\u202e")


def test_a_bar_over_workbooks_is_gone_at_the_end(folder: Path) -> None:
    arguments = ("sync", "plan.xlsx", "other.xlsx", "--catalogs", "catalogs", "--check")
    shown = in_terminal(*arguments, folder=folder)
    assert "Workbooks" in shown.err
    assert "50%" in shown.err
    assert shown.err.endswith("\x1b[?25h\r\x1b[1A\x1b[2K")
    assert "Workbooks" not in shown.out
    both = in_terminal(*arguments, folder=folder, is_shared=True).err
    for told in ("plan.xlsx: ", "other.xlsx: ", "2 workbooks: "):
        # Where it begins, the bar has been wiped off its line.
        assert re.search(rf"(^|\x1b\[2K){told}", both, re.MULTILINE)


def test_a_bar_has_the_width_of_its_own_terminal(folder: Path) -> None:
    arguments = ("sync", "plan.xlsx", "other.xlsx", "--catalogs", "catalogs", "--check")
    bar = in_terminal(*arguments, columns=30, is_piped=True, folder=folder, environment=PLAIN).err
    drawn = re.split(r"[\r\n]", re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", bar))
    assert any(line.startswith("Workbooks") for line in drawn)
    assert max(map(len, drawn)) <= 30


@pytest.mark.parametrize(("option", "terminal"), [("--quiet", "xterm"), ("--check", "dumb")])
def test_there_is_no_bar_where_none_is_wanted(option: str, terminal: str, tmp_path: Path) -> None:
    arguments = ("sync", "one.xlsx", "two.xlsx", option)
    shown = in_terminal(*arguments, folder=tmp_path, environment={"TERM": terminal})
    # Neither file exists.
    assert len(shown.err.splitlines()) == 2
    assert "\x1b" not in shown.err


def test_a_bar_while_the_doctor_looks() -> None:
    assert "Verificando" in in_terminal("doctor", "--lang", "pt-BR").err
    assert as_process("doctor").err == ""


def test_quietly_only_what_was_asked_for(
    folder: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (tmp_path / "config.json").write_bytes(
        (PROJECT / "tests" / "data" / "hf_configs" / "Qwen-Qwen2.5-7B-Instruct.json").read_bytes()
    )
    report = ("report", str(tmp_path / "r.xlsx"), "--from", "plan.xlsx", "--catalogs", "catalogs")
    imported = ("catalog", "import-hf", str(tmp_path / "config.json"), "--name", "new")
    silent = (
        ("template", str(tmp_path / "t.xlsx")),
        ("catalog", "validate"),
        ("sync", str(tmp_path / "t.xlsx")),
    )
    for arguments in silent:
        assert command(*arguments).out
        again = (*arguments, "--force") if arguments[0] == "template" else arguments
        assert command(*again, "--quiet") == Ran(0, "", "")
    for shown in (LOAD, ("kv", "gpt-oss-20b", "--context", "1"), ("catalog", "list")):
        assert command("--quiet", *shown) == command(*shown)
    loud, quiet = command(*report), command(*report, "--force", "-q")
    assert loud.out == f"{quiet.out}Wrote {tmp_path / 'r.xlsx'}.\n"
    assert (loud.err.count("Note: ") > 0, quiet.err) == (True, "")
    assert command(*imported, "-q").out == command(*imported).out
    assert command(*imported, "-q").err == ""
    checked = command(*COMMANDS["sync"], "-q")
    assert "dgx-b300" in checked.out
    assert " local" not in checked.out
    assert command("catalog", "show", "nothing", "-q").sentence()


def test_verbosely_all_that_is_done(command: Command, tmp_path: Path) -> None:
    target = str(tmp_path / "t.xlsx")
    told = command("template", target, "--catalogs", str(PROJECT / "catalogs"), "-v")
    assert told.out == f"Wrote {target}.\n"
    size_of_it = f"{Path(target).stat().st_size:,}"
    assert f"{target} has {size_of_it} bytes." in told.err
    assert f"in {PROJECT / 'catalogs'}: 46 models, 11 servers, 8 storage profiles" in told.err
    assert re.search(r"^It took \d+\.\d\d seconds\.$", told.err, re.MULTILINE)
    config = str(PROJECT / "tests" / "data" / "hf_configs" / "Qwen-Qwen2.5-7B-Instruct.json")
    assert f"\nRead {config}.\n" in command("kv", config, "--context", "1", "-v").err
    assert f"\nRead {target}.\n" in command("sync", target, "--check", "-v").err
    sized = command("--verbose", *LOAD, "--lang", "pt-BR", "--json-only")
    assert json.loads(sized.out)
    assert "O idioma é pt-BR.\n" in sized.err
    assert "1.000 sessões de 131.072 tokens" in sized.err
    assert "gpt-oss-120b em dgx-b300 com profile_default" in sized.err
    assert re.search(r"^Levou \d+,\d\d segundos\.$", sized.err, re.MULTILINE)


def test_verbosely_standard_input_and_each_folder_once(folder: Path) -> None:
    log = (folder / "log.txt").read_bytes()
    arguments = ("calibrate", "llama-3.1-8b", "-", "--server", "dgx-h100", "-v")
    done = subprocess.run(
        [sys.executable, "-m", "xlsizing", *arguments, "--lang", "en"],
        input=log,
        capture_output=True,
        env={key: value for key, value in os.environ.items() if key not in FORGOTTEN},
        check=True,
    )
    told = done.stderr.decode().splitlines()
    assert "Read standard input." in told
    folders = [line for line in told if line.startswith("Read the catalogs in ")]
    assert len(folders) == 1
    assert folders[0].startswith(f"Read the catalogs in {PROJECT / 'catalogs'}: ")


def test_quietly_a_server_still_says_where_it_is(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Server:
        address = "http://127.0.0.1:54321"
        manifest = "http://127.0.0.1:54321/manifest"

        def serve(self) -> None:
            """It ends at once."""

    monkeypatch.setattr(serving, "listen", lambda *_: Server())
    assert "http://127.0.0.1:54321;" in command("serve", "--quiet", "--port", "0").out


@pytest.mark.parametrize(
    "arguments",
    [("-q", "-v", *LOAD), (*LOAD, "--quiet", "--verbose"), ("--verbose", *LOAD, "--quiet")],
)
def test_quiet_and_verbose_are_refused_together(command: Command, arguments: Sequence[str]) -> None:
    ran = command(*arguments)
    assert ran.code == 2
    assert ran.err.startswith("--quiet and --verbose are opposites; leave out one of them.")
    assert ran.out == ""


def test_the_language_may_be_asked_for_before_the_command(command: Command) -> None:
    assert command("--lang", "pt-BR", "catalog", "list").out.startswith("modelos:")
    assert command("catalog", "--lang=pt-BR", "list").out.startswith("modelos:")


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (("siez",), "size"),
        (("catalog", "lst"), "list"),
        ((*LOAD, "--concurency", "3"), "--concurrency"),
        ((*LOAD, "--model", "gpt-os-120b"), "gpt-oss-120b"),
        ((*LOAD, "--server", "dgx-b30"), "dgx-b300"),
        ((*LOAD, "--storage", "profile_defalt"), "profile_default"),
        ((*LOAD, "--kv-precision", "pf8"), "fp8"),
        ((*LOAD, "--ha", "n1"), "n+1"),
        ((*LOAD, "--state-caching", "algin"), "align"),
        ((*LOAD, "--ssm-state-dtype", "flot32"), "float32"),
        ((*LOAD, "--lang", "ptbr"), "pt-BR"),
        (("report", "r.xlsx", *LOAD[1:], "--preset", "Ideal=0.4,n1"), "n+1"),
        (("template", "t.xlsx", "--host", "clasic"), "classic"),
        (("catalog", "show", "dgxb300"), "dgx-b300"),
        (("kv", "gpt-oss120b", "--context", "1"), "gpt-oss-120b"),
        (("calibrate", "llama-3.1-8b", "log.txt", "--server", "dgx-h10"), "dgx-h100"),
        (("sync", "plan.xlsx", "--chek"), "--check"),
        (("send", "draft.eml", "--server", "x", "--security", "startls"), "starttls"),
        (("completion", "bahs"), "bash"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_right_one(
    command: Command,
    arguments: Sequence[str],
    right: str,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
) -> None:
    monkeypatch.chdir(folder)
    ran = command(*arguments)
    assert ran.code == 2
    assert re.search(rf"(?<![\w-]){re.escape(right)}(?![\w+-])", ran.err)


def test_the_command_line_uses_the_words_of_the_library() -> None:
    _, found = parsed(["size", *options({})], ENGLISH)
    typed = set(vars(found)) - {"quiet", "verbose", "run", "catalogs", "json_only"}
    settings = set(inspect.signature(EngineSettings).parameters)
    known = set(inspect.signature(size).parameters) | settings
    assert typed - known == {"ha", "no_hybrid_manager", "ssm_state_dtype"}
    assert known - typed == {"ha_mode", "hybrid_manager", "settings"}
    assert {name.removeprefix("--").replace("-", "_") for name in INPUTS} <= known
