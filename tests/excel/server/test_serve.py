"""`xlsizing serve` says in a sentence why it cannot start, with no server and no licence."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import PROJECT
from tests.excel.hosts.officejs import LICENCE
from tests.excel.hosts.server import command
from xlsizing.cli import main

REFUSED = "no-such-key"


class Ran(NamedTuple):
    """What the command did, where it did not start."""

    code: int
    out: str
    err: str


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with packages by the names of xlwings Server's; nothing of them is asked for."""
    for name in ("uvicorn", "xlwings_server"):
        (tmp_path / "site" / name).mkdir(parents=True)
        (tmp_path / "site" / name / "__init__.py").write_text("")
    return tmp_path / "site"


def serve(site: Path, *options: str, **environment: str) -> Ran:
    """Start it as somebody without a licence key does."""
    clean = {name: value for name, value in os.environ.items() if name != LICENCE}
    done = subprocess.run(
        command(*options),
        cwd=site,
        env={**clean, "PYTHONPATH": os.pathsep.join((str(site), str(PROJECT))), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--port 99999", "--port is 99999; it must be from 0, for a free one, to 65535.\n"),
        ("--port -1", "--port is -1; it must be from 0, for a free one, to 65535.\n"),
        ("--workers 0", "--workers is 0; it must be at least 1.\n"),
    ],
)
def test_a_number_that_cannot_be_is_refused(
    options: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *options.split()]) == 2
    assert capsys.readouterr() == ("", sentence)


def test_without_xlwings_server_it_says_how_to_install_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xlwings_server", None)
    assert main(["serve"]) == 2
    assert capsys.readouterr() == (
        "",
        'xlwings Server is not installed; in the folder of xlsizing, type pip install ".[server]".\n',
    )


def test_without_a_licence_key_it_says_where_one_comes_from(installed: Path) -> None:
    ran = serve(installed, "--port", "0")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("XLWINGS_LICENSE_KEY is not set; set it to your licence key. ")
    for word in ("PolyForm Noncommercial", "paid", "xlwings.org"):
        assert word in ran.err
    assert ran.err.count("\n") == 1


def test_a_refused_licence_key_is_no_traceback(installed: Path) -> None:
    ran = serve(installed, "--port", "0", **{LICENCE: REFUSED})
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("XLWINGS_LICENSE_KEY is refused: ")
    assert "xlwings.org" in ran.err
    assert "Traceback" not in ran.err
    assert REFUSED not in ran.err


def test_catalogs_that_do_not_load_are_told_of(installed: Path, tmp_path: Path) -> None:
    ran = serve(installed, "--catalogs", "nowhere")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("nowhere: There is no such folder")
    (tmp_path / "models.json").write_text("{")
    ran = serve(installed, XLSIZING_CATALOGS=str(tmp_path))
    assert (ran.code, ran.out) == (2, "")
    assert "models.json: line 1, column 2: The file ends" in ran.err
    assert "servers.json: The file cannot be read" in ran.err


def test_a_port_in_use_is_told_of(installed: Path, port: int) -> None:
    ran = serve(installed, "--port", str(port))
    assert ran == (
        2,
        "",
        f"Port {port} of 127.0.0.1 is in use; end what uses it, or choose another by --port.\n",
    )


@pytest.mark.parametrize("host", ["203.0.113.1", "::no-address"])
def test_an_address_that_is_not_ours_is_told_of(installed: Path, host: str) -> None:
    ran = serve(installed, "--port", "0", "--host", host)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"The server cannot listen on port 0 of {host} (")
    assert ran.err.endswith("); it must be an address of this machine, and a port you may use.\n")


def test_what_it_says_is_in_the_language_that_is_asked_for(
    capsys: pytest.CaptureFixture[str], installed: Path, port: int
) -> None:
    assert main(["serve", "--workers", "0", "--lang", "pt-BR"]) == 2
    assert capsys.readouterr().err == "--workers é 0; deve ser no mínimo 1.\n"
    ran = serve(installed, "--lang", "pt-BR", "--port", str(port))
    assert ran.err == (
        f"A porta {port} de 127.0.0.1 está em uso; encerre o que a usa, ou escolha outra com --port.\n"
    )
    ran = serve(installed, "--port", "0", LANGUAGE="pt_BR")
    assert ran.err.startswith("XLWINGS_LICENSE_KEY não está definida; atribua a ela sua chave de ")
