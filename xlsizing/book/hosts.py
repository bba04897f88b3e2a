"""What computes the functions by their names in a workbook: names of its own, or an add-in."""

from collections.abc import Callable
from typing import NamedTuple

from openpyxl.workbook import Workbook

from xlsizing.book.cells import PackageNotes
from xlsizing.book.lambdas import define_functions


class Host(NamedTuple):
    """Something that computes =NODES_REQUIRED(...) and its like in a workbook."""

    name: str
    """As the command line calls it."""
    suffix: str
    """How the file's name ends."""
    needs: str
    """What a person needs for the functions, as the sheet About says it."""
    equip: Callable[[Workbook, PackageNotes], None]
    """Puts into a workbook what the host needs."""


def _define_names(book: Workbook, _: PackageNotes) -> None:
    define_functions(book)


PLAIN_WORKBOOK = Host("none", ".xlsx", "Excel 365 and 2024", _define_names)
"""LAMBDA names of the workbook itself: nothing to install, for Excel 365 and 2024."""
