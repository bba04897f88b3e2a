"""No output tells who made it, or where: neither in its properties nor in any of its parts."""

import getpass
import io
import platform
import re
import shutil
import socket
import sys
import zipfile
import zlib
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.report.forms import LOAD
from xlsizing.cli import main

WRITTEN = ("report.xlsx", "report.html", "report.md", "draft.eml", "plan.xlsx", "classic.xlsm")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file that commands write, from a person's own catalogs."""
    made = tmp_path_factory.mktemp("somebodys-folder")
    catalogs = made / "their-catalogs"
    shutil.copytree(PROJECT / "catalogs", catalogs)
    report = ["--html", "--markdown", "--eml", str(made / "draft.eml"), "--to", "a@example.com"]
    if has_office():
        report.append("--pdf")
    load = [part for option in LOAD.items() for part in option]
    own = ["--catalogs", str(catalogs), "-q"]
    assert main(["report", str(made / "report.xlsx"), *load, *report, *own]) == 0
    assert main(["template", str(made / "plan.xlsx"), *own]) == 0
    assert main(["template", str(made / "classic.xlsm"), "--host", "classic", *own]) == 0
    assert main(["template", str(made / "lite.xlsx"), "--host", "lite", *own]) == 0
    return made


def has_office() -> bool:
    return bool(shutil.which("soffice"))


def private(folder: Path) -> list[str]:
    """What tells of the machine, of its user, or of where files are."""
    names = {str(folder), folder.name, str(folder.parent), str(Path.home()), "their-catalogs"}
    names |= {str(PROJECT), sys.prefix}
    names |= {socket.gethostname(), platform.node()}
    names |= {getpass.getuser()} - {"root", "user"}
    return [name for name in names if len(name) > 3]


def parts(content: bytes) -> Iterator[bytes]:
    """The bytes of a file, and of all that is packed in it."""
    yield content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            for entry in package.infolist():
                yield entry.filename.encode()
                yield from parts(package.read(entry))
    elif content.startswith(b"%PDF"):
        for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
            try:
                yield zlib.decompress(stream)
            except zlib.error:
                continue
    elif content.startswith(b"To:") or b"\nMIME-Version:" in content[:2000]:
        for part in message_from_bytes(content).walk():
            if not part.is_multipart():
                packed = part.get_payload(decode=True)
                assert isinstance(packed, bytes)
                yield from parts(packed)


def told(content: bytes, folder: Path) -> list[str]:
    """The private words in a file, in the encodings that its formats have."""
    return [
        word
        for part in parts(content)
        for word in private(folder)
        for encoding in ("utf-8", "utf-16-le", "utf-16-be")
        if word.encode(encoding) in part
    ]


@pytest.mark.parametrize("name", [*WRITTEN, "lite.xlsx"])
def test_no_personal_datum_and_no_path(folder: Path, name: str) -> None:
    assert told((folder / name).read_bytes(), folder) == []


@pytest.mark.skipif(not has_office(), reason="LibreOffice is not installed; CI has it.")
def test_no_personal_datum_and_no_path_in_the_pdf(folder: Path) -> None:
    assert told((folder / "report.pdf").read_bytes(), folder) == []


def test_what_is_private_is_found_where_it_stands(folder: Path) -> None:
    word = private(folder)[0].encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("docProps/core.xml", b"<x>" + word + b"</x>")
    pdf = b"%PDF-1.7\nstream\n" + zlib.compress(word) + b"\nendstream"
    assert told(packed.getvalue(), folder)
    assert told(pdf, folder)
    assert told(word, folder)
