"""What computes the functions by their names in a workbook: names of its own, or an add-in."""

from collections.abc import Callable
from typing import NamedTuple

from openpyxl.workbook import Workbook

from xlsizing.book.cells import PackageNotes
from xlsizing.book.lambdas import define_functions
from xlsizing.core.message import Message


class Host(NamedTuple):
    """Something that computes =NODES_REQUIRED(...) and its like in a workbook."""

    name: str
    """As the command line calls it."""
    suffix: str
    """How the file's name ends."""
    needs: str
    """What a person needs for the functions, as the sheet About says it."""
    hints: tuple[str, ...]
    """What else About says of the functions."""
    equip: Callable[[Workbook, PackageNotes], None]
    """Puts into a workbook what the host needs."""


def _define_names(book: Workbook, notes: PackageNotes) -> None:
    define_functions(book, notes.language)


PLAIN_WORKBOOK = Host(
    "none",
    ".xlsx",
    Message("Excel 365 and 2024"),
    (
        Message(
            "They are names of this workbook. An argument is a value or one cell; for a list, "
            "write the formula in each row."
        ),
    ),
    _define_names,
)
"""LAMBDA names of the workbook itself: nothing to install, for Excel 365 and 2024."""

MORE_FUNCTIONS = Message(
    "There are also SIZING, SIZING_WARNINGS, CATALOG and the engine's ENGINE_KV_PER_SESSION, ENGINE_SESSIONS_PER_NODE "
    "and ENGINE_NODES_REQUIRED; every argument may be a range."
)
"""What add-ins compute beside the functions that the sheet lists."""

SERVER_WORKBOOK = Host(
    "server",
    ".xlsx",
    Message("with the company's own add-in, which xlsizing serve answers"),
    (
        MORE_FUNCTIONS,
        Message(
            "They read the catalogs of the server, the sheets those of this workbook, which the "
            "line under the title names."
        ),
        Message("The pane of the add-in has the button Full report."),
    ),
    lambda *_: None,
)
"""A company's own xlwings Server: no names, which would stand before the add-in's functions."""
