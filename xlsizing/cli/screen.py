"""What the command line prints, as a terminal may have it."""

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO, cast

from xlsizing.core.text import printable


class Screen:
    """A stream for text in which the names, notes and paths of other people may stand.

    Line breaks pass; every other mark that a terminal would obey, or would not show,
    stands as an escape. JSON of ours is all ASCII and passes as it is.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, and return how much there was to write."""
        self._stream.write("\n".join(map(printable, text.split("\n"))))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        """All else is the stream's own."""
        return getattr(self._stream, name)


@contextmanager
def clean_output() -> Iterator[None]:
    """Whatever is printed while this holds goes through a Screen."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal cannot show must not end the command.
            stream.reconfigure(errors="backslashreplace")
    with redirect_stdout(_screen(sys.stdout)), redirect_stderr(_screen(sys.stderr)):
        yield


def columns(stream: TextIO | None) -> int:
    """How wide the terminal of a stream is; COLUMNS of the environment comes before."""
    from shutil import get_terminal_size  # slow to import, and only a terminal has a size

    try:
        own = os.get_terminal_size(stream.fileno()).columns if stream else 0
    except (OSError, ValueError):  # it is no terminal, or no file at all
        own = 0
    return get_terminal_size().columns if os.environ.get("COLUMNS") or not own else own


def drop_output() -> None:
    """Send what is left of the output nowhere, so that Python does not fail on it at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _screen(stream: TextIO | None) -> TextIO | None:
    # It is None where it was closed for us.
    return cast("TextIO", Screen(stream)) if stream else None
