"""Which host a workbook is for, and its settings for the classic add-in, whoever saved it."""

from collections.abc import Iterator
from dataclasses import dataclass

from xlsizing.book.contents import Contents, opened_contents
from xlsizing.book.origin import ORIGIN_LINE
from xlsizing.book.worksheet import Area
from xlsizing.core.planning.cells import Value

WRAPPERS = "XlsizingFunctions"
"""The VBA module that holds the functions' wrappers."""
LITE, LITE_CODE = "wa200008175", "main.py"
"""The number of xlwings Lite in the store, and the property that holds a workbook's code."""
SETTINGS = "xlwings.conf"
"""The sheet with settings of xlwings: keys in column A, values in B."""

MOST_SETTINGS = 1000


@dataclass(frozen=True)
class Hosting:
    """What a workbook has for a host."""

    has_macros: bool
    has_wrappers: bool
    """Whether its macros hold the functions' wrappers."""
    has_lite_code: bool
    catalogs: str | None
    """Fingerprint of the catalogs that it was made from, as About names it; None without one."""
    settings: tuple[tuple[str, str], ...] | None
    """The rows of its sheet xlwings.conf down to the first without a key; None without one."""


def read_hosting(path: str) -> Hosting:
    """What the workbook at `path` has for a host.

    Raises
    ------
    WorkbookReadError : the file cannot be read, or is no workbook.
    """
    with opened_contents(path) as contents:
        structure = contents.structure
        project = structure.macros()
        return Hosting(
            has_macros=bool(project),
            # A project keeps the names of its modules as the names of its streams (MS-CFB).
            has_wrappers=WRAPPERS.encode("utf-16-le") in project,
            has_lite_code=structure.has_add_in_code(LITE, LITE_CODE),
            catalogs=_catalogs(contents),
            settings=_settings(contents),
        )


def _catalogs(contents: Contents) -> str | None:
    lines = _rows(contents, "About", Area(1, 1, 3, 1)) or []
    named = (ORIGIN_LINE.search(line) for [line] in lines if isinstance(line, str))
    return next((found["mark"] for found in named if found), None)


def _settings(contents: Contents) -> tuple[tuple[str, str], ...] | None:
    rows = _rows(contents, SETTINGS, Area(1, 1, MOST_SETTINGS, 2))
    return None if rows is None else tuple(_down_to_a_blank(rows))


def _rows(contents: Contents, title: str, area: Area) -> list[list[Value]] | None:
    """The values of an area of a sheet, row by row down to the last; None without that sheet."""
    sheet = contents.sheet(title)
    if sheet is None:
        return None
    held = {
        (cell.row, cell.column): contents.value(sheet, cell) for cell in contents.cells(sheet, area)
    }
    last = max((row for row, _ in held), default=area.top - 1)
    columns = range(area.left, area.right + 1)
    return [[held.get((row, at)) for at in columns] for row in range(area.top, last + 1)]


def _down_to_a_blank(rows: list[list[Value]]) -> Iterator[tuple[str, str]]:
    for key, value in rows:
        if key in (None, ""):
            return
        yield str(key), "" if value is None else str(value)
