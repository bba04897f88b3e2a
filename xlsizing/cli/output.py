"""What a command prints, and how much of it: results, what was done, notes, and faults."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from xlsizing.cli.screen import columns
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message
from xlsizing.core.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.progress import Progress

    from xlsizing.language import Language
    from xlsizing.page import Page

NARROWEST = 40
"""Columns of a terminal below which tables are not drawn: their borders would take the room."""


class Output:
    """Where a command says things, in the reader's language.

    Parameters
    ----------
    language : the reader's.
    is_quiet : whether only results and faults are printed.
    is_verbose : whether it is also told, on standard error, what is done.
    """

    def __init__(
        self, language: "Language", *, is_quiet: bool = False, is_verbose: bool = False
    ) -> None:
        self.language = language
        self.is_quiet = is_quiet
        self.is_verbose = is_verbose
        self._bar: Progress | None = None

    def show(self, page: "Page") -> None:
        """A result: drawn on a terminal that can show it, else as plain text."""
        if _are_tables_drawn():
            from xlsizing.cli.terminal import draw

            with self._bar_away():
                draw(page, self.language, sys.__stdout__)
        else:
            from xlsizing.page import plain_text

            print(plain_text(page, self.language), flush=True)

    def tell(self, text: str) -> None:
        """A result of one line."""
        print(self._said(text), flush=True)

    def done(self, text: str) -> None:
        """What was done, on standard output."""
        if not self.is_quiet:
            self.tell(text)

    def wrote(self, path: "Path") -> None:
        """That a file was written."""
        self.done(Message("Wrote {file}.", file=str(path)))
        self.tell_size(str(path))

    def tell_size(self, path: str) -> None:
        """How large a file is that was written, for who asked for it."""
        if self.is_verbose:
            size = grouped(os.path.getsize(path))
            self.detail(Message("{file} has {size} bytes.", file=path, size=size))

    def note(self, text: str) -> None:
        """Something to know beside the result, on standard error."""
        if not self.is_quiet:
            self.fault(text)

    def detail(self, text: str) -> None:
        """What is being done, on standard error, for who asked for it."""
        if self.is_verbose:
            self.fault(text)

    def read(self, path: str) -> None:
        """That a file was read, for who asked for it."""
        self.detail(Message("Read {file}.", file=path))

    def fault(self, text: str) -> None:
        """What went wrong, on standard error."""
        print(self._said(text), file=sys.stderr, flush=True)

    @contextmanager
    def progress(self, label: str, total: int | None = None) -> Iterator["Callable[[], None]"]:
        """A bar while something takes long, where standard error is a terminal.

        Parameters
        ----------
        label : what is done or counted.
        total : how many steps it has; None where that is not known.

        Yields a function that says that a step is done.
        """
        if self.is_quiet or not _is_terminal(sys.stderr) or os.environ.get("TERM") == "dumb":
            yield lambda: None
            return
        from xlsizing.cli.terminal import progress

        # The stream itself: what cleans our output would take the bar for marks of somebody else.
        with progress(sys.__stderr__, is_shared=_is_terminal(sys.stdout)) as self._bar:
            task = self._bar.add_task(self.language.say(label), total=total)
            bar = self._bar
            try:
                yield lambda: bar.advance(task)
            finally:
                self._bar = None

    @contextmanager
    def _bar_away(self) -> Iterator[None]:
        """While this holds there is no bar on the terminal."""
        if self._bar is None:
            yield
            return
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()

    def _said(self, text: str) -> str:
        return printable(self.language.say(text))


def _is_terminal(stream: TextIO | None) -> bool:
    # It is None where it was closed for us.
    return stream is not None and stream.isatty()


def _are_tables_drawn() -> bool:
    """Whether standard output shows tables: not where letters stand as escapes, which are wider."""
    # The stream itself: a bar puts one before it that knows no encoding.
    stream = sys.__stdout__
    return (
        _is_terminal(sys.stdout)
        and stream is not None
        and stream.encoding.lower().startswith("utf")
        and columns(stream) >= NARROWEST
    )
