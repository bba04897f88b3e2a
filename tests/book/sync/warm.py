"""Real runs of the command line in processes that need not start Python first.

A process that has imported all of it forks one for each run: what a run does to the system
is that of `xlsizing` as people start it, and takes hundredths of a second. strace attaches to
the fork before it begins, and plants there what a test asks for.
"""

import ctypes
import json
import mmap
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from tests.conftest import PROJECT
from xlsizing.cli import main

READY = "ready\n"
LONGEST = 60
"""Seconds after which a run is given up."""

_ANYBODY = ctypes.c_ulong(-1)
_PR_SET_PTRACER = 0x59616D61


class Run(NamedTuple):
    """How a run ended."""

    code: int
    """Its exit code; the number of the signal that killed it, negative."""
    output: str
    errors: str


class Warm:
    """The process that forks."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, arguments: Sequence[str], folder: Path, strace: Sequence[str] = ()) -> Run:
        """Run a command in `folder`; under strace with these options, where there are any."""
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        asked.write(json.dumps([list(arguments), str(folder), list(strace)]) + "\n")
        asked.flush()
        answer = answers.readline()
        assert answer, "the process that forks has ended"
        return Run(*json.loads(answer))


@contextmanager
def warm_process(*first: str) -> Iterator[Warm]:
    """A process that has run the command `first` once, and so imported what runs import."""
    command = [sys.executable, "-m", "tests.book.sync.warm", *first]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == READY
        try:
            yield Warm(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def missing_strace(folder: Path) -> str:
    """Why nothing can be planted here; empty where strace works."""
    if not shutil.which("strace"):
        return "strace is not installed (apt-get install strace)"
    tried = subprocess.run(
        ["strace", "-o", folder / "tried", "-e", "inject=getppid:error=EIO", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"strace does not work: {tried.stderr.strip()}" if tried.returncode else ""


def _serve(asked: IO[str], answers: IO[str]) -> None:
    answers.write(READY)
    answers.flush()
    for line in asked:
        arguments, folder, strace = json.loads(line)
        answers.write(json.dumps(_forked(arguments, folder, strace)) + "\n")
        answers.flush()


def _forked(arguments: Sequence[str], folder: str, strace: Sequence[str]) -> Run:
    go = mmap.mmap(-1, 1)
    with (
        os.fdopen(os.memfd_create("output"), "rb+") as output,
        os.fdopen(os.memfd_create("errors"), "rb+") as errors,
    ):
        child = os.fork()
        if not child:
            _run(arguments, folder, go, output.fileno(), errors.fileno())
        tracer = None
        if strace:
            tracer = subprocess.Popen(
                ["strace", "-p", str(child), *strace],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            _wait_for_tracer(child, tracer)
        go[0] = 1
        _, status = os.waitpid(child, 0)
        if tracer:
            tracer.wait(LONGEST)
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode())
    return Run(os.waitstatus_to_exitcode(status), *texts)


def _run(arguments: Sequence[str], folder: str, go: mmap.mmap, output: int, errors: int) -> None:
    code = 70
    try:
        os.dup2(output, 1)
        os.dup2(errors, 2)
        os.chdir(folder)
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
        # No call that anything is planted at: those count from when strace attaches.
        while not go[0]:
            time.sleep(0.0005)
        code = main(arguments)
        sys.stdout.flush()
    finally:
        os._exit(code)


def _wait_for_tracer(child: int, tracer: "subprocess.Popen[bytes]") -> None:
    status = Path(f"/proc/{child}/status")
    until = time.monotonic() + LONGEST
    while "TracerPid:\t0\n" in status.read_text():
        assert tracer.poll() is None, "strace could not attach"
        assert time.monotonic() < until, "strace does not attach"
        time.sleep(0.0005)


if __name__ == "__main__":
    with Path(os.devnull).open("w") as nowhere:
        answers, sys.stdout = sys.stdout, nowhere
        main(sys.argv[1:])
        sys.stdout = answers
    _serve(sys.stdin, answers)
