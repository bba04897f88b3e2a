"""What a command shows, before anybody lays it out: lines of text, and tables.

Reports say here what there is to show. `plain_text` lays it out with blanks, for pipes and
files; a terminal gets it drawn (`xlsizing.cli.terminal`).
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from xlsizing.core.text import printable
from xlsizing.language import Language

Tone = Literal["", "answer", "good", "doubtful", "bad", "mere"]
"""How a row is meant: what was asked for, all right, unsafe, wrong, or good to know."""


class Column(NamedTuple):
    """How wide a column of a table is in plain text.

    Parameters
    ----------
    least : characters that it has at least.
    gap : blanks after it, always.
    is_right : whether its cells end at its right side, as figures do.
    holds : texts that it makes room for; a cell that is longer than that and than `least`
        moves the rest of its row.
    """

    least: int = 0
    gap: int = 0
    is_right: bool = False
    holds: Sequence[str] = ()


class Row(NamedTuple):
    """A row of a table.

    Parameters
    ----------
    cells : its texts; a row may have fewer than there are columns.
    below : further lines of its last cell.
    tone : how it is meant.
    is_long : whether its last cell is a sentence that stands across the columns that are left.
    """

    cells: Sequence[str]
    below: Sequence[str] = ()
    tone: Tone = ""
    is_long: bool = False


class Table(NamedTuple):
    """Rows below one another.

    Parameters
    ----------
    columns : one for each cell of the longest row.
    rows : from top to bottom.
    title : a line above it.
    head : what the columns are called.
    indent : blanks before each row in plain text.
    """

    columns: Sequence[Column]
    rows: Sequence[Row]
    title: str = ""
    head: Sequence[str] = ()
    indent: int = 0


Page = Sequence[str | Table]
"""What there is to show from top to bottom: tables, and lines of text, which may be empty."""


def plain_text(page: Page, language: Language) -> str:
    """A page as lines of text without colours, in the reader's language."""
    return "\n".join(line for block in page for line in _lines(block, language))


def said(text: str, language: Language) -> str:
    """A text in the reader's language, with nothing in it that a terminal would obey."""
    return printable(language.say(text))


def _lines(block: str | Table, language: Language) -> Iterator[str]:
    if not isinstance(block, Table):
        yield said(block, language)
        return
    if block.title:
        yield said(block.title, language)
    places = [(column, _width(column, language)) for column in block.columns]
    rows = [Row(block.head), *block.rows] if block.head else block.rows
    for row in rows:
        line = " " * block.indent
        # The last cell stands where the columns before it end, however long their cells are.
        start = block.indent + sum(
            width + column.gap for column, width in places[: len(row.cells) - 1]
        )
        for cell, (column, width) in zip(row.cells, places, strict=False):
            align = ">" if column.is_right else "<"
            line += f"{said(cell, language):{align}{width}}{' ' * column.gap}"
        yield line.rstrip()
        yield from (f"{' ' * start}{said(text, language)}" for text in row.below)


def _width(column: Column, language: Language) -> int:
    return max(column.least, *(len(said(text, language)) for text in column.holds), 0)
