"""Completion as shells do it: each real shell is asked with a script that the command printed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.catalog.test_files import write_catalogs
from tests.conftest import PROJECT
from tests.test_cli import Command, command
from tests.test_outputs import documents

__all__ = ["command"]

OFFERED: Sequence[tuple[str, Sequence[str]]] = (
    ("siz", ["size"]),
    ("catalog l", ["list"]),
    ("catalog import", ["import-hf"]),
    ("size --conc", ["--concurrency"]),
    ("size --q", ["--quiet"]),
    ("--verbose sync --ch", ["--check"]),
    ("size --model gpt-oss", ["gpt-oss-120b", "gpt-oss-20b"]),
    ("size --ha none --server dgx-b", ["dgx-b200", "dgx-b300"]),
    ("report r.xlsx --storage profile_h", ["profile_hdd"]),
    ("size --kv-precision f", ["fp16", "fp8"]),
    ("size --ha n+", ["n+1"]),
    ("template plan.xlsx --host c", ["classic"]),
    ("--lang p", ["pt-BR"]),
    ("catalog show profile_h", ["profile_hdd"]),
    ("calibrate llama-3.1-8b vllm", ["vllm.log"]),
    ("kv gpt-oss-2", ["gpt-oss-20b"]),
    ("kv conf", ["config.json"]),
    ("sync pla", ["plan.xlsx"]),
    ("report r.xlsx --from pla", ["plan.xlsx"]),
    ("completion z", ["zsh"]),
)
"""What is typed after the program's name, and what is then offered."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("config.json", "plan.xlsx", "vllm.log"):
        (tmp_path / name).touch()
    (tmp_path / "ours").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def shell(name: str) -> str:
    program = shutil.which(name)
    if program is None and "CI" not in os.environ:
        pytest.skip(f"{name} is not installed (apt-get install {name}); CI has it")
    assert program, f"{name} is not installed"
    return program


def said(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [program, *arguments], capture_output=True, encoding="utf-8", check=False, timeout=60
    )
    # Outside of a line that is being typed bash has no options of completion to set.
    faults = [line for line in done.stderr.splitlines() if "compopt" not in line]
    assert not faults
    return done.stdout


@pytest.mark.usefixtures("folder")
def test_bash(command: Command) -> None:
    script = command("completion", "bash").out
    lines = [f"xlsizing {typed}".split(" ") for typed, _ in OFFERED] + [
        ["xlsizing", "catalog", "list", "--catalogs", "o"]
    ]
    asked = [
        f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; "
        'COMPREPLY=(); $function; echo "${COMPREPLY[*]}"'
        for words in lines
    ]
    named = "function=$(complete -p xlsizing | sed 's/.* -F \\([^ ]*\\) .*/\\1/')"
    answers = said(shell("bash"), "--norc", "-c", "\n".join([script, named, *asked])).splitlines()
    assert answers == [" ".join(offered) for _, offered in OFFERED] + ["ours"]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_example_of_a_script_works_in_a_new_home(
    name: str, command: Command, folder: Path
) -> None:
    page = command("completion", "--help", "--lang", "en").out.partition("\nexamples:\n")[2]
    calls = next(each for each in re.split(r"\n  (?=\S)", page) if f"completion {name}" in each)
    home = folder / "home"
    home.mkdir()
    typed = "\n".join(calls.splitlines()[1:])
    program = f'xlsizing() {{ "{sys.executable}" -m xlsizing "$@"; }}'
    done = subprocess.run(
        [shell("bash"), "--norc", "-ec", f"{program}\n{typed}"],
        env={**os.environ, "HOME": str(home), "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    (written,) = (path for path in home.rglob("*") if path.is_file())
    assert "concurrency" in written.read_text(encoding="utf-8")


def test_fish(folder: Path, command: Command) -> None:
    (folder / "xlsizing.fish").write_text(command("completion", "fish").out, encoding="utf-8")
    asked = [f"complete -C 'xlsizing {typed}'; echo" for typed, _ in OFFERED]
    answers = said(shell("fish"), "--no-config", "-c", "\n".join(["source xlsizing.fish", *asked]))
    offered = [
        [line.partition("\t")[0] for line in answer.splitlines()]
        for answer in answers.removesuffix("\n").split("\n\n")
    ]
    assert [sorted(each) for each in offered] == [sorted(each) for _, each in OFFERED]


def test_zsh(folder: Path, command: Command) -> None:
    """Each line is typed, with Tab at its end, and a program called xlsizing says what it got."""
    import pty

    (folder / "functions").mkdir()
    script = command("completion", "zsh").out
    (folder / "functions" / "_xlsizing").write_text(script, encoding="utf-8")
    lines = [(typed, *offered) for typed, offered in OFFERED if len(offered) == 1]
    lines.append(("send plan.xlsx --server x", "x"))  # nothing is known of it
    (folder / ".zshrc").write_text(
        "fpath=(~/functions $fpath); autoload -U compinit; compinit -D -u\n"
        'xlsizing() { print -r -- "$*" >> ~/got; }\n',
        encoding="utf-8",
    )
    ours, theirs = pty.openpty()
    keys = "".join(f"xlsizing {typed}\t\n" for typed, _ in lines)
    os.write(ours, f"{keys}exit\n".encode())
    with subprocess.Popen(
        [shell("zsh"), "-d", "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "dumb", "ZDOTDIR": str(folder)},
    ) as running:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # it has ended
            os.close(ours)
        assert running.wait(60) == 0
    assert b"not found" not in shown
    got = (folder / "got").read_text(encoding="utf-8").splitlines()
    assert got == [f"{typed.rpartition(' ')[0]} {offered}".strip() for typed, offered in lines]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_script_does_nothing_that_a_catalog_says(
    name: str, command: Command, folder: Path
) -> None:
    hostile = ("plain", "$(touch hacked)", "`touch hacked`", "a; touch hacked", "'; touch hacked")
    catalogs = write_catalogs(folder / "ours", documents(hostile, ""))
    script = command("completion", name, "--catalogs", catalogs).out
    assert "plain" in script
    assert "hacked" not in script


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_what_a_shell_says_of_an_option_is_in_the_readers_language(
    language: str, command: Command
) -> None:
    script = command("completion", "fish", "--lang", language).out
    said_of_ha = {"en": "none, or n+1 for a spare node", "pt-BR": "none, ou n+1 "}
    assert said_of_ha[language] in script


def test_another_shell_is_refused(command: Command) -> None:
    assert "must be bash, zsh or fish" in command("completion", "tcsh").sentence()
