"""A terminal of any width, as a command sees one: a pseudo-terminal of the system."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

FORGOTTEN = ("NO_COLOR", "COLUMNS", "LINES", "LANGUAGE", "XLSIZING_CATALOGS", "FORCE_COLOR")
"""What the tests' own environment must not say to a command."""


class Shown(NamedTuple):
    """What a command did in a terminal."""

    code: int
    out: str
    err: str


def in_terminal(
    *arguments: str,
    columns: int = 80,
    is_piped: bool = False,
    is_shared: bool = False,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Shown:
    """Run a command with a terminal of its own for each of its two outputs.

    Parameters
    ----------
    columns : how wide they are.
    is_piped : whether standard output is a pipe instead.
    is_shared : whether both are the same terminal, as in most windows; all is in `err` then.
    folder : where it runs.
    environment : what its environment says beside what it says anyway.
    """
    kept = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
    command = [sys.executable, "-m", "xlsizing", *arguments]
    out, err = _Screen(columns), _Screen(columns)
    done = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if is_piped else (err if is_shared else out).of_command,
        stderr=err.of_command,
        cwd=folder,
        env={**kept, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(environment or {})},
    )
    piped = done.communicate()[0] if is_piped else b""
    code = done.wait()
    shown = out.read()
    return Shown(code, piped.decode() if is_piped else shown, err.read())


class _Screen:
    """One pseudo-terminal, which is read while the command writes."""

    def __init__(self, columns: int) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self._ours, self.of_command = pty.openpty()
        fcntl.ioctl(self.of_command, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self._parts: list[bytes] = []
        self._reader = threading.Thread(target=self._take)
        self._reader.start()

    def _take(self) -> None:
        while True:
            try:
                part = os.read(self._ours, 65536)
            except OSError:  # nobody has it open any more
                return
            self._parts.append(part)

    def read(self) -> str:
        """All that was written, once the command is over."""
        os.close(self.of_command)
        self._reader.join()
        os.close(self._ours)
        return b"".join(self._parts).decode().replace("\r\n", "\n")


def cells(shown: str) -> Sequence[Sequence[str]]:
    """The rows of the drawn tables, each line of the screen for itself."""
    return [
        [cell.strip() for cell in line.strip().strip("│").split("│")]
        for line in shown.splitlines()
        if line.startswith("│")
    ]
