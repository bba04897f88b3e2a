"""Pages as a terminal shows them: tables with borders and colours, and a bar of progress.

Imported only where there is a terminal, since rich takes as long to import as a sizing takes.
"""

import os
from collections.abc import Mapping, Sequence
from shutil import get_terminal_size
from typing import Literal, TextIO

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as DrawnTable
from rich.text import Text

from xlsizing.language import Language
from xlsizing.page import Page, Row, Table, Tone, said

_STYLES: Mapping[Tone, str] = {
    "": "",
    "answer": "bold",
    "good": "green",
    "doubtful": "yellow",
    "bad": "bold red",
    "mere": "cyan",
}


def _console(stream: TextIO | None) -> Console:
    """A terminal in its width; without any colour where its owner wants none (no-color.org)."""
    has_colours = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Console(
        file=stream,
        width=get_terminal_size().columns,
        color_system="auto" if has_colours else None,
        # What others wrote is shown as it is: no [red], no :smile:, no numbers in colours.
        markup=False,
        emoji=False,
        highlight=False,
    )


def draw(page: Page, language: Language, stream: TextIO | None) -> None:
    """Draw a page; what is wider than the terminal goes on in further lines, and none is cut."""
    terminal = _console(stream)
    for block in page:
        if isinstance(block, Table):
            if block.title:
                terminal.print(Text(said(block.title, language), style="bold"))
            terminal.print(_drawn(block, language, terminal))
        else:
            terminal.print(Text(said(block, language)))


def progress(stream: TextIO | None, *, is_shared: bool) -> Progress:
    """A bar that is gone when it ends.

    Parameters
    ----------
    stream : the terminal.
    is_shared : whether standard output goes there, too: what is printed then stands above the bar.
    """
    return Progress(console=_console(stream), transient=True, redirect_stdout=is_shared)


def _drawn(table: Table, language: Language, terminal: Console) -> DrawnTable:
    count = len(table.columns)
    heads = [Text(said(head, language)) for head in table.head] or [Text()] * count
    rows = [_cells(row, count, language) for row in table.rows]
    sizes = [
        [terminal.measure(cell) for cell in column] for column in zip(*[heads, *rows], strict=True)
    ]
    least = [max(size.minimum for size in column) for column in sizes]
    most = [max(size.maximum for size in column) for column in sizes]
    # Without blanks at the lines where words and figures would have to be broken for them.
    blanks = next((each for each in (1, 0) if sum(least) <= _room(terminal, count, each)), 0)
    drawn = DrawnTable(box=box.ROUNDED, show_header=bool(table.head), padding=(0, blanks))
    widths = _widths(least, most, _room(terminal, count, blanks))
    for head, column, width in zip(heads, table.columns, widths, strict=True):
        side: Literal["left", "right"] = "right" if column.is_right else "left"
        drawn.add_column(head, justify=side, overflow="fold", width=width)
    for row in rows:
        drawn.add_row(*row)
    return drawn


def _room(terminal: Console, count: int, blanks: int) -> int:
    """What is left for the texts of a table beside its lines and the blanks at them."""
    return terminal.width - 1 - count * (1 + 2 * blanks)


def _widths(least: Sequence[int], most: Sequence[int], room: int) -> Sequence[int | None]:
    """How wide the columns are: the widest give way first, down to their longest word.

    Where the words alone are wider than the terminal, None leaves it to rich to break them.
    """
    if sum(least) > room:
        return [None] * len(least)
    widths = list(most)
    while sum(widths) > room:
        giving = [place for place, width in enumerate(widths) if width > least[place]]
        widths[max(giving, key=widths.__getitem__)] -= 1
    return widths


def _cells(row: Row, count: int, language: Language) -> list[Text]:
    """The cells of a row in its colour; the lines below the last one have none."""
    style = _STYLES[row.tone]
    cells = [Text(said(cell, language), style) for cell in row.cells]
    last = Text.assemble(cells[-1], *(f"\n{said(text, language)}" for text in row.below))
    missing = [Text()] * (count - len(cells))
    return [*cells[:-1], *missing, last] if row.is_long else [*cells[:-1], last, *missing]
