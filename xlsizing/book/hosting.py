"""Which host a workbook is for, and its settings for the classic add-in, whoever saved it."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import openpyxl

from xlsizing.book.package import has_add_in_code, macros
from xlsizing.book.reading import damaged, workbook_content

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
    content = workbook_content(path)
    try:
        project = macros(content)
        return Hosting(
            has_macros=bool(project),
            # A project keeps the names of its modules as the names of its streams (MS-CFB).
            has_wrappers=WRAPPERS.encode("utf-16-le") in project,
            has_lite_code=has_add_in_code(content, LITE, LITE_CODE),
            catalogs=_catalogs(content),
            settings=_settings(content),
        )
    except Exception as error:
        raise damaged(path, error) from error


def _catalogs(content: bytes) -> str | None:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    if "About" not in book.sheetnames:
        return None
    lines = book["About"].iter_rows(max_row=3, max_col=1, values_only=True)
    named = re.search(r"from the catalogs ([0-9a-f]{12})\b", " ".join(str(*line) for line in lines))
    return named[1] if named else None


def _settings(content: bytes) -> tuple[tuple[str, str], ...] | None:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    for title in book.sheetnames:
        if title.lower() == SETTINGS:
            rows = book[title].iter_rows(max_row=MOST_SETTINGS, max_col=2, values_only=True)
            return tuple(_down_to_a_blank(rows))
    return None


def _down_to_a_blank(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[str, str]]:
    for row in rows:
        key, value = [*row, None, None][:2]
        if key in (None, ""):
            return
        yield str(key), "" if value is None else str(value)
