"""Pages as a terminal shows them: tables with borders and colours, and a bar of progress.

Imported only where there is a terminal, since rich takes as long to import as a sizing takes.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Literal, TextIO

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as DrawnTable
from rich.text import Text

from xlsizing.cli.screen import columns
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
_NARROW = 8
"""Columns of a terminal that words keep while other words can still be broken."""

_Cells = Sequence[Sequence[Text]]


def _console(stream: TextIO | None) -> Console:
    """A terminal in its width; without any colour where its owner wants none (no-color.org)."""
    has_colours = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Console(
        file=stream,
        width=columns(stream),
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
    rows = [heads, *(_cells(row, count, language) for row in table.rows)]
    # A column in which nothing stands is none.
    kept = [place for place in range(count) if any(row[place] for row in rows)]
    cells: _Cells = [[row[place] for place in kept] for row in rows]
    if not table.head and len(kept) > 2 and not _is_wide_enough(cells, terminal):
        cells = [_last_below(row) for row in cells]
    widths, blanks = _layout(cells, terminal)
    drawn = DrawnTable(box=box.ROUNDED, show_header=bool(table.head), padding=(0, blanks))
    for head, place, width in zip(cells[0], kept, widths, strict=False):
        side: Literal["left", "right"] = "right" if table.columns[place].is_right else "left"
        drawn.add_column(head, justify=side, overflow="fold", width=width)
    for row in cells[1:]:
        drawn.add_row(*row)
    return drawn


def _is_wide_enough(cells: _Cells, terminal: Console) -> bool:
    """Whether one column at most has to break words, and is still the widest then."""
    *others, longest = sorted(_least(cells, terminal))
    room = _room(terminal, len(cells[0]), 0)
    return min(longest, max(others)) <= room - sum(others)


def _last_below(row: Sequence[Text]) -> Sequence[Text]:
    """A row with its last text below the one before it."""
    *others, above, last = row
    return [*others, Text("\n").join(each for each in (above, last) if each)]


def _layout(cells: _Cells, terminal: Console) -> tuple[Sequence[int], int]:
    """How wide the columns are, and how many blanks stand at the lines between them."""
    count = len(cells[0])
    least = _least(cells, terminal)
    most = [
        max(terminal.measure(cell).maximum for cell in each) for each in zip(*cells, strict=True)
    ]
    figures = [max(_longest_figure(cell) for cell in each) for each in zip(*cells, strict=True)]
    # Without blanks where words and figures would have to be broken for them.
    blanks = next((each for each in (1, 0) if sum(least) <= _room(terminal, count, each)), 0)
    return _widths(least, most, figures, _room(terminal, count, blanks)), blanks


def _least(cells: _Cells, terminal: Console) -> Sequence[int]:
    """The longest word of each column."""
    return [
        max(terminal.measure(cell).minimum for cell in each) for each in zip(*cells, strict=True)
    ]


def _longest_figure(cell: Text) -> int:
    return max(
        (len(each) for each in cell.plain.split() if re.fullmatch(r"[\d.,]+", each)), default=0
    )


def _room(terminal: Console, count: int, blanks: int) -> int:
    """What is left for the texts of a table beside its lines and the blanks at them."""
    return terminal.width - 1 - count * (1 + 2 * blanks)


def _widths(
    least: Sequence[int], most: Sequence[int], figures: Sequence[int], room: int
) -> Sequence[int]:
    """How wide the columns are: the widest give way first, down to their longest word.

    Where the words alone are wider than the terminal, the longest are broken, one column after
    another, and figures last.
    """
    widths, floor = list(most), least
    if sum(least) > room:
        widths, floor = list(least), [1] * len(least)
        for place in sorted(range(len(least)), key=least.__getitem__, reverse=True):
            kept = min(least[place], max(figures[place], _NARROW))
            widths[place] = max(kept, least[place] - max(sum(widths) - room, 0))
    while sum(widths) > room:
        giving = [place for place, width in enumerate(widths) if width > floor[place]]
        widths[max(giving, key=widths.__getitem__)] -= 1
    return widths


def _cells(row: Row, count: int, language: Language) -> list[Text]:
    """The cells of a row in its colour; the lines below the last one have none."""
    style = _STYLES[row.tone]
    cells = [Text(said(cell, language), style) for cell in row.cells]
    last = Text.assemble(cells[-1], *(f"\n{said(text, language)}" for text in row.below))
    missing = [Text()] * (count - len(cells))
    return [*cells[:-1], *missing, last] if row.is_long else [*cells[:-1], last, *missing]
