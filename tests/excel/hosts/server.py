"""A real xlwings Server on loopback, started by `xlsizing serve`, and Excel's side of it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from importlib.util import find_spec
from typing import Any, NamedTuple

import pytest

from tests.conftest import PROJECT
from tests.excel.hosts.officejs import needs_licence

CALL = "/xlwings/custom-functions-call"

SECONDS_TO_START = 60
SECONDS_TO_END = 20
SECONDS_TO_ANSWER = 120

_needs_installed = pytest.mark.skipif(
    not find_spec("xlwings_server"),
    reason='needs xlwings Server: pip install "xlsizing[server]"',
)
needs_server = [_needs_installed, needs_licence]
"""Marks of tests that need a server that runs."""


class Reply(NamedTuple):
    """What came back over HTTP."""

    status: int
    text: str
    headers: Mapping[str, str]

    def json(self) -> Any:
        """The text, which must be JSON."""
        return json.loads(self.text)


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    port: int
    process: "subprocess.Popen[str]"
    said: str
    """The line that it printed when it started."""
    log: str
    """File of what it writes to standard error."""

    @contextmanager
    def connection(self) -> Iterator[HTTPConnection]:
        """A connection that carries one request after the other."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=SECONDS_TO_ANSWER)) as opened:
            yield opened

    def get(self, path: str, **headers: str) -> Reply:
        """Ask for a page."""
        with self.connection() as opened:
            return request(opened, "GET", path, headers=headers)

    def post(self, body: Mapping[str, Any] | bytes, path: str = CALL, **headers: str) -> Reply:
        """Send a body as Excel sends the call of a function."""
        with self.connection() as opened:
            return request(opened, "POST", path, body, headers)

    def answers(self, bodies: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What it answers to bodies, over one connection: a result, or a sentence."""
        with self.connection() as opened:
            replies = [request(opened, "POST", CALL, body) for body in bodies]
        return [
            reply.json() if reply.status == 200 else {"sentence": reply.text} for reply in replies
        ]


def request(
    connection: HTTPConnection,
    method: str,
    path: str,
    body: Mapping[str, Any] | bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Send one request and read its reply."""
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"} if content is not None else {}
    connection.request(method, path, content, {**kind, **(headers or {})})
    reply = connection.getresponse()
    return Reply(reply.status, reply.read().decode(errors="replace"), dict(reply.getheaders()))


def command(*options: str) -> list[str]:
    """The command that starts a server."""
    return [sys.executable, "-m", "xlsizing", "serve", *options]


@contextmanager
def running(*options: str, **environment: str) -> Iterator[Server]:
    """Start a server on a free port, and end it as Ctrl+C does."""
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "w") as log:  # noqa: PTH123
        process = subprocess.Popen(
            command("--port", "0", *options),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert process.stdout
            said = process.stdout.readline()
            port = re.search(r"http://127\.0\.0\.1:(\d+);", said)
            assert port, f"The server did not start: {read(log.name)}"
            server = Server(int(port[1]), process, said, log.name)
            assert server.get("/").status in (200, 404)
            yield server
        finally:
            end(process)


def end(process: "subprocess.Popen[str]") -> int:
    """End a server as Ctrl+C does; its exit code."""
    process.send_signal(signal.SIGINT)
    try:
        code = process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    if process.stdout:
        process.stdout.close()
    return code


def read(name: str) -> str:
    """The text of a file."""
    with open(name, encoding="utf-8") as file:  # noqa: PTH123
        return file.read()
