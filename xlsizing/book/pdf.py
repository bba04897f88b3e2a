"""A workbook as a PDF, drawn by LibreOffice from the values that its formulas carry."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from xlsizing.book.saving import WorkbookFileError, save_file
from xlsizing.core import SizingError
from xlsizing.core.message import Message
from xlsizing.language import ENGLISH, Language

TIMEOUT_SECONDS = 300

_ON_PATH = ("soffice", "libreoffice")
_USUAL_PLACES = (
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    r"C:\Program Files\LibreOffice\program\soffice.com",
    r"C:\Program Files (x86)\LibreOffice\program\soffice.com",
)


class PdfError(SizingError):
    """A workbook that cannot be drawn as a PDF."""

    code = "PDF"


def office() -> str:
    """The LibreOffice program.

    Raises
    ------
    PdfError : it is not installed.
    """
    on_path = (shutil.which(name) for name in _ON_PATH)
    there = (place for place in _USUAL_PLACES if Path(place).is_file())
    found = next((each for each in (*on_path, *there) if each), None)
    if found is None:
        raise PdfError(
            Message(
                "A PDF is drawn by LibreOffice, which is not installed here; get it from "
                "https://www.libreoffice.org or your system's packages (apt-get install "
                "libreoffice-calc), or leave out --pdf. Nothing was written."
            )
        )
    return found


def require_pdf_writable(workbook: str, *, force: bool) -> Path:
    """The path of the PDF beside a workbook, where it can be written.

    Raises
    ------
    WorkbookFileError : it is a folder, or it exists and `force` is False.
    """
    target = Path(workbook).with_suffix(".pdf")
    if target.is_dir():
        raise WorkbookFileError(
            Message(
                "{target} is a folder; choose another name for the workbook.", target=str(target)
            )
        )
    if target.exists() and not force:
        raise WorkbookFileError(
            Message(
                "{target} exists; choose another name, or replace it with --force.",
                target=str(target),
            )
        )
    return target


def drawn(
    workbook: bytes,
    program: str,
    made_on: date | None = None,
    language: Language = ENGLISH,
) -> bytes:
    """The bytes of the PDF of a workbook; the same for the same workbook and LibreOffice.

    Parameters
    ----------
    program : LibreOffice, as `office` finds it.
    made_on : the date that the PDF bears; None for none.
    language : whose signs the numbers have.

    Raises
    ------
    PdfError : LibreOffice ended without a PDF, or took too long.
    """
    # A profile of its own: an open LibreOffice would take the work over and write nothing.
    with tempfile.TemporaryDirectory(prefix="xlsizing-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        source = folder / "report.xlsx"
        source.write_bytes(workbook)
        settings = folder / "profile" / "user" / "registrymodifications.xcu"
        settings.parent.mkdir(parents=True)
        settings.write_text(_SETTINGS.format(locale=_LOCALES[language.code]), encoding="utf-8")
        command = [
            program,
            "--headless",
            "--norestore",
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--convert-to",
            "pdf:calc_pdf_Export",
            "--outdir",
            str(folder / "drawn"),
            str(source),
        ]
        said = _run(command)
        pdf = folder / "drawn" / "report.pdf"
        content = pdf.read_bytes() if pdf.is_file() else b""
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-1024:]:
        raise PdfError(
            Message(
                "LibreOffice ({program}) drew no PDF{said}. Nothing was written.",
                program=program,
                said=said,
            )
        )
    return _dated(content, made_on)


_LOCALES: Mapping[str, str] = {"en": "en-US", "pt-BR": "pt-BR"}
_SETTINGS = """\
<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>{locale}</value></prop>
</item>
</oor:items>
"""
"""What a profile of LibreOffice says of its user: the language whose signs numbers have."""

_CREATED = re.compile(rb"/CreationDate\(D:[^)]*\)")
_IDS = re.compile(rb"(/ID\s*\[\s*<)[0-9A-F]+(>\s*<)[0-9A-F]+(>)|(/DocChecksum /)[0-9A-F]+")


def _dated(content: bytes, made_on: date | None) -> bytes:
    """A PDF without the moment at which it was drawn, nor the identifiers made of that.

    Every piece keeps its length, since a PDF finds its objects by their place.
    """
    bears = f"/CreationDate(D:{made_on:%Y%m%d}000000Z)".encode() if made_on else b""
    dated = _CREATED.sub(lambda found: bears.ljust(len(found[0])), content)
    nameless = _IDS.sub(_zeros, dated)
    digest = hashlib.sha256(nameless).hexdigest().upper().encode()
    return _IDS.sub(lambda found: _zeros(found).replace(b"0" * 32, digest[:32]), nameless)


def _zeros(found: "re.Match[bytes]") -> bytes:
    return re.sub(rb"(?<=[</])[0-9A-F]{32}", b"0" * 32, found[0])


def _run(command: list[str]) -> str:
    """Run LibreOffice; returns the last line that it printed as an error, to follow a sentence."""
    try:
        with subprocess.Popen(  # noqa: S603 - the program is LibreOffice's, the file ours
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            try:
                _, errors = process.communicate(timeout=TIMEOUT_SECONDS)
            except BaseException:
                _stop(process)
                raise
    except subprocess.TimeoutExpired as error:
        raise PdfError(
            Message(
                "LibreOffice ({command}) did not end within {seconds} seconds; nothing was "
                "written.",
                command=command[0],
                seconds=str(TIMEOUT_SECONDS),
            )
        ) from error
    except OSError as error:
        why = error.strerror or Message("the system gives no reason")
        raise PdfError(
            Message(
                "{command} cannot be run: {why}. Nothing was written.", command=command[0], why=why
            )
        ) from error
    lines = errors.decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return Message("; it says: {line}", line=last.rstrip(".")) if last else ""


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End LibreOffice and the programs that it started: soffice is a script about them."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, 9)
    else:
        process.kill()


def save_pdf(target: Path, content: bytes) -> Path:
    """Write a PDF's bytes; the file is there whole, or as it was before."""
    return save_file(str(target), target, content)
