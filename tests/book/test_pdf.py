"""The PDF of a report: drawn by LibreOffice from our values, whole or not there at all."""

import os
import re
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.book.plans import plan
from tests.engines.engines import with_planted_values
from tests.test_cli import Command, options
from xlsizing.book import pdf
from xlsizing.book.build import report
from xlsizing.book.pdf import PdfError, drawn, office
from xlsizing.core import Catalogs, size

needs_libreoffice = pytest.mark.skipif(
    shutil.which("soffice") is None and "CI" not in os.environ,
    reason="LibreOffice Calc (soffice) is not installed; CI has it.",
)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    for name in ("SOURCE_DATE_EPOCH", "XLSIZING_CATALOGS"):
        monkeypatch.delenv(name, raising=False)
    return Command(capsys)


def text_of(path: Path) -> str:
    return subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True, encoding="utf-8"
    ).stdout


def program(folder: Path, script: str) -> Path:
    """A program in the place of LibreOffice."""
    path = folder / "bin" / "soffice"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "bin")


@needs_libreoffice
def test_a_pdf_shows_the_figures_of_the_report(command: Command, tmp_path: Path) -> None:
    ran = command("report", str(tmp_path / "out.xlsx"), "--pdf", *options({}))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith(f"Wrote {tmp_path / 'out.xlsx'}.\nWrote {tmp_path / 'out.pdf'}.\n")
    assert names(tmp_path) == ["out.pdf", "out.xlsx"]
    text = text_of(tmp_path / "out.pdf")
    assert re.search(r"Nodes final\s+2\b", text)
    assert re.search(r"Sessions per node\s+614\b", text)
    assert "1,000 sessions of 131,072 tokens on gpt-oss-120b, served by dgx-b300" in text
    # The sheet Report: steps with their figures, and how far inputs can move.
    assert re.search(r"= 2,418,278,400 × 1,000\b", text)
    assert re.search(r"Concurrency\s+1,000\s+\d+\s+1,023\s+1 node at", text)
    assert "still the same." in text


@needs_libreoffice
def test_what_is_drawn_are_the_values_that_the_formulas_carry(
    tmp_path: Path, catalogs: Catalogs
) -> None:
    entries = catalogs.model("gpt-oss-120b"), catalogs.server("dgx-b300"), catalogs.profiles[0]
    book = report(size(*entries, concurrency=1_000, effective_context=131_072), catalogs)
    path = tmp_path / "planted.pdf"
    path.write_bytes(drawn(with_planted_values(book), office()))
    assert re.search(r"Nodes final\s+999\b", text_of(path))


@needs_libreoffice
def test_equal_workbooks_give_equal_pdfs_at_another_time(command: Command, tmp_path: Path) -> None:
    def made(name: str, *arguments: str) -> bytes:
        source = ("--from", str(tmp_path / "plan.xlsx"))
        ran = command("report", str(tmp_path / f"{name}.xlsx"), "--pdf", *source, *arguments)
        assert ran.code == 0
        return (tmp_path / f"{name}.pdf").read_bytes()

    (tmp_path / "plan.xlsx").write_bytes(plan())
    first = made("a")
    time.sleep(1.1)  # a PDF's moment is told in seconds
    assert made("b") == first
    assert b"CreationDate" not in first
    dated = made("c", "--date", "2024-02-29")
    assert dated.count(b"/CreationDate(D:20240229000000Z)") == 1
    assert made("d", "--date", "2024-02-29") == dated
    ids = {tuple(re.findall(rb"<([0-9A-F]{32})>", each)) for each in (first, dated)}
    assert len(ids) == 2
    information = subprocess.run(
        ["pdfinfo", str(tmp_path / "c.pdf")], capture_output=True, check=True, encoding="utf-8"
    )
    assert information.stderr == ""
    assert re.search(r"CreationDate: .*Feb 29 00:00:00 2024", information.stdout)


def test_without_libreoffice_a_sentence_says_where_to_get_it_and_nothing_is_written(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(pdf, "_USUAL_PLACES", (str(tmp_path / "none"),))
    ran = command("report", str(tmp_path / "out.xlsx"), "--pdf", *options({}))
    assert "LibreOffice, which is not installed here; get it from https://www.lib" in ran.sentence()
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="the programs in its place are shell scripts")
def test_libreoffice_is_found_on_the_path_by_both_names_and_in_the_usual_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = program(tmp_path, "exit 0")
    monkeypatch.setattr(pdf, "_USUAL_PLACES", (str(tmp_path / "none"), str(found)))
    monkeypatch.setenv("PATH", "")
    assert office() == str(found)
    monkeypatch.setattr(pdf, "_USUAL_PLACES", ())
    with pytest.raises(PdfError):
        office()
    monkeypatch.setenv("PATH", str(found.parent))
    assert office() == str(found)
    found.rename(found.with_name("libreoffice"))
    assert office() == str(found.with_name("libreoffice"))


BEGUN = (
    'while [ "$1" != --outdir ]; do shift; done; mkdir "$2"; printf "%%PDF-1.6" > "$2/report.pdf"'
)
"""Begins a PDF and does not end it."""
ENDLESS = 'sleep 60 & echo $! > "$0.pid"; wait'
"""Starts another program, as soffice does, and waits for it."""


@pytest.mark.skipif(os.name == "nt", reason="the programs in its place are shell scripts")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'Error: source file could not be loaded.' >&2", "drew no PDF; it says: Error: sou"),
        ("exit 1", "drew no PDF. Nothing was written."),
        (ENDLESS, "did not end within 1 seconds; nothing was written."),
        (BEGUN, "drew no PDF. Nothing was written."),
    ],
)
def test_where_libreoffice_fails_nothing_is_written(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    found = program(tmp_path, script)
    monkeypatch.setenv("PATH", f"{found.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(pdf, "TIMEOUT_SECONDS", 1)
    start = time.monotonic()
    ran = command("report", str(tmp_path / "out.xlsx"), "--pdf", *options({}))
    assert words in ran.sentence()
    assert time.monotonic() - start < 20
    assert names(tmp_path) == []
    if script == ENDLESS:
        child = Path(f"{found}.pid").read_text().strip()
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", child], capture_output=True, check=False, encoding="utf-8"
        ).stdout
        assert state.strip()[:1] in ("", "Z")


def test_a_program_that_cannot_be_run_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PdfError, match=r"cannot be run: .*Nothing was written"):
        drawn(b"", str(tmp_path / "none"))


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_pdf_that_exists_is_left_alone_and_nothing_is_written(
    command: Command, tmp_path: Path, kind: str
) -> None:
    out, existing = tmp_path / "out.xlsx", tmp_path / "out.pdf"
    if kind == "file":
        existing.write_bytes(b"a person's own")
    else:
        existing.mkdir()
    ran = command("report", str(out), "--pdf", *options({}))
    words = "out.pdf exists; choose another name" if kind == "file" else "out.pdf is a folder"
    assert words in ran.sentence()
    assert names(tmp_path) == ["out.pdf"]
    if kind == "file":
        assert existing.read_bytes() == b"a person's own"


@needs_libreoffice
def test_with_force_workbook_and_pdf_are_replaced(command: Command, tmp_path: Path) -> None:
    for name in ("out.xlsx", "out.pdf"):
        (tmp_path / name).write_bytes(b"old")
    ran = command("report", str(tmp_path / "out.xlsx"), "--pdf", "--force", *options({}))
    assert ran.code == 0
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF-")
    assert names(tmp_path) == ["out.pdf", "out.xlsx"]


@needs_libreoffice
def test_the_name_of_a_workbook_may_have_any_case_and_signs(
    command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "Größe 1 & 2.v3.XLSX"
    assert command("report", str(out), "--pdf", *options({})).code == 0
    assert names(tmp_path) == ["Größe 1 & 2.v3.XLSX", "Größe 1 & 2.v3.pdf"]
