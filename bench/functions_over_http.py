"""What the functions cost over HTTP: `xlsizing serve` on loopback, asked as Excel asks.

1. A call of ten thousand rows beside an identity function that takes the same ranges and
   hands one of them back, in turn on the same server. Aim: at most 3 times.
2. How long others wait for a short call meanwhile, also with a hundred thousand rows.
3. Requests a second, waiting times and the processor time of the server for a request, for
   calls of one cell and of a thousand rows, with one, two and four workers and sixteen
   clients at once. The clients run on the same machine and take their share of it.

Needs Linux, XLWINGS_LICENSE_KEY and pip install ".[server]".

    python bench/functions_over_http.py [ROWS] [SECONDS for each load]
"""

import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import xlwings

RUNS = 9
MOST_TIMES = 3.0
CLIENTS = 16
LONG_ROWS = 100_000

FUNCTIONS = '''"""The functions of xlsizing and one that hands its third range back."""

import xlwings

from xlsizing.excel.functions import *


@xlwings.func
@xlwings.arg("model", ndim=2, err_to_str=True)
@xlwings.arg("server", ndim=2, err_to_str=True)
@xlwings.arg("concurrency", ndim=2, err_to_str=True)
@xlwings.arg("context", ndim=2, err_to_str=True)
def IDENTITY(model, server, concurrency, context):
    return concurrency
'''

SERVE = """
import sys
from xlsizing.cli import main
from xlsizing.excel.server import serving
serving.SETTINGS["XLWINGS_PROJECT_DIR"] = sys.argv[1]
if __name__ == "__main__":
    sys.exit(main(["serve", "--port", "0", "--workers", sys.argv[2]]))
"""

Ask = Callable[[bytes], bytes]


class Served(NamedTuple):
    """A server that runs."""

    port: int
    pid: int

    def processor_seconds(self) -> float:
        """Processor time that it and its workers have taken [s]."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        stats = [Path(f"/proc/{each}/stat").read_text() for each in (self.pid, *children)]
        fields = [each.rpartition(")")[2].split() for each in stats]
        ticks = sum(int(user) + int(system) for *_, user, system in (each[:13] for each in fields))
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(workers: int) -> Iterator[Served]:
    """A server that also has the identity function."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for package, code in (("custom_functions", FUNCTIONS), ("custom_scripts", "")):
            (folder / package).mkdir()
            (folder / package / "__init__.py").write_text(code)
        (folder / "serve.py").write_text(SERVE)
        server = subprocess.Popen(
            [sys.executable, folder / "serve.py", name, str(workers)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout
            said = server.stdout.readline()
            port = re.search(r":(\d+);", said)
            if not port:
                sys.exit(server.wait())
            with asking(int(port[1])) as ask:
                ask(request("NODES_REQUIRED", loads(1)))
            if workers > 1:
                time.sleep(4)  # until the other workers have started too
            yield Served(int(port[1]), server.pid)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()


@contextmanager
def asking(port: int) -> Iterator[Ask]:
    """A function that sends a request over one connection and returns the reply's body."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask(sent: bytes) -> bytes:
            connection.sendall(sent)
            head, found, body = b"", b"", b""
            while not found:
                head += receive(connection)
                head, found, body = head.partition(b"\r\n\r\n")
            if b" 200 " not in head.partition(b"\r\n")[0]:
                raise AssertionError(head + body)
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            parts, got = [body], len(body)
            while got < length:
                parts.append(receive(connection))
                got += len(parts[-1])
            return b"".join(parts)

        yield ask


def receive(connection: socket.socket) -> bytes:
    """The next bytes; a server that closes the connection has failed."""
    if not (received := connection.recv(1 << 20)):
        raise ConnectionError("The server closed the connection.")
    return received


def loads(rows: int) -> list[Any]:
    """Columns of models, servers, concurrencies and contexts, all of which differ."""
    models = ("gpt-oss-120b", "llama-3.1-8b", "deepseek-v3", "gemma-3-27b-it")
    return [
        [[models[row % 4]] for row in range(rows)],
        [[("dgx-b300", "dgx-h200")[row % 2]] for row in range(rows)],
        [[row + 1] for row in range(rows)],
        [[8_192 * (1 + row % 16)] for row in range(rows)],
    ]


def one_column(rows: int) -> list[Any]:
    """A column of concurrencies; one model, server and context for all."""
    return [[["gpt-oss-120b"]], [["dgx-b300"]], [[row + 1] for row in range(rows)], [[131_072]]]


def request(name: str, arguments: list[Any]) -> bytes:
    """The request that the add-in sends for a call."""
    body = json.dumps(
        {
            "client": "Office.js",
            "func_name": name,
            "args": arguments,
            "caller_address": "[Plan.xlsx]Planning!B2",
            "session_id": "2b6f0cc9-04d9-4d0a-8f6b-3c1d6a5e0f11",
            "culture_info_name": "en-US",
            "date_format": "m/d/yyyy",
            "version": xlwings.__version__,
            "runtime": "1.4",
        },
        separators=(",", ":"),
    ).encode()
    head = (
        "POST /xlwings/custom-functions-call HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def milliseconds(ask: Ask, sent: bytes) -> float:
    """What a request takes [ms]."""
    start = time.perf_counter()
    ask(sent)
    return (time.perf_counter() - start) * 1e3


def beside_identity(port: int, rows: int) -> None:
    """Print what the function and its identity cost, asked in turn."""
    print(f"{rows:,} rows, medians of {RUNS} in turn; aim: at most {MOST_TIMES} times")
    print(f"{'':<24}{'identity ms':>12}{'NODES_REQUIRED ms':>19}{'times':>7}")
    cases: Mapping[str, list[Any]] = {
        "all four differ": loads(rows),
        "concurrency differs": one_column(rows),
    }
    with asking(port) as ask:
        for case, arguments in cases.items():
            plain, ours = (request(name, arguments) for name in ("IDENTITY", "NODES_REQUIRED"))
            both = [(milliseconds(ask, plain), milliseconds(ask, ours)) for _ in range(RUNS)]
            identity, own = (statistics.median(times) for times in zip(*both, strict=True))
            print(f"{case:<24}{identity:>12.1f}{own:>19.1f}{own / identity:>7.2f}")


def meanwhile(port: int, rows: int) -> None:
    """Print how long a call of one cell takes while one of many rows is answered."""
    long, short = request("NODES_REQUIRED", loads(rows)), request("NODES_REQUIRED", loads(1))
    waited: list[float] = []
    with asking(port) as ask, asking(port) as ask_long, ThreadPoolExecutor(1) as client:
        alone = statistics.median(milliseconds(ask, short) for _ in range(200))
        for _ in range(3):
            running = client.submit(milliseconds, ask_long, long)
            while not running.done():
                waited.append(milliseconds(ask, short))
                time.sleep(0.01)
            took = running.result()
    print(
        f"{rows:>9,}{took:>10.0f}{alone:>10.1f}{statistics.median(waited):>10.1f}"
        f"{quantile(waited, 0.95):>8.1f}{max(waited):>8.1f}"
    )


def load(server: Served, workers: int, rows: int, seconds: float) -> None:
    """Print what a server does for many clients at once."""
    sent = request("NODES_REQUIRED", loads(rows))
    end = time.perf_counter() + seconds

    def client(_: int) -> list[float]:
        with asking(server.port) as ask:
            return [milliseconds(ask, sent) for _ in until(end)]

    before = server.processor_seconds()
    with ThreadPoolExecutor(CLIENTS) as clients:
        waited = [each for found in clients.map(client, range(CLIENTS)) for each in found]
    taken = (server.processor_seconds() - before) / len(waited) * 1e3
    figures = [*(quantile(waited, share) for share in (0.5, 0.95, 0.99)), taken]
    print(
        f"{workers:>8}{rows:>8,}{len(waited) / seconds:>13.0f}"
        + "".join(f"{each:>9.1f}" for each in figures)
    )


def until(end: float) -> Iterator[int]:
    """Count until a time."""
    for number in count():
        if time.perf_counter() > end:
            return
        yield number


def quantile(values: list[float], share: float) -> float:
    """The value that a share of all does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    """Measure and print everything."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 8.0
    with served(1) as server:
        beside_identity(server.port, rows)
        print("\nA call of one cell while one of many rows is answered by the same worker [ms]")
        print(f"{'rows':>9}{'it takes':>10}{'alone':>10}{'median':>10}{'95 %':>8}{'worst':>8}")
        for many in (1_000, rows, LONG_ROWS):
            meanwhile(server.port, many)
    print(f"\n{CLIENTS} clients at once, {os.cpu_count()} cores for them and the server")
    print(
        f"{'workers':>8}{'rows':>8}{'requests/s':>13}{'50 % ms':>9}{'95 % ms':>9}{'99 % ms':>9}{'CPU ms':>9}"
    )
    for workers in (1, 2, 4):
        with served(workers) as server:
            for many in (1, 1_000):
                load(server, workers, many, seconds)


if __name__ == "__main__":
    main()
