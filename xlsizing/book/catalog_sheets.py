"""The sheets Models, Servers and Storage: the catalogs as tables.

Derived columns keep the sizing formulas short: one formula serves every attention
pattern, and every way in which HBM is known. They are values, as the catalogs are, and
turn red where somebody changes a figure that they were derived from.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openpyxl.styles import Alignment
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from xlsizing.book.catalog_columns import (
    ALIAS,
    MODELS,
    ORIGIN,
    SERVERS,
    STORAGE,
    CatalogKind,
    Look,
    aliases,
    origin_of,
    row_of,
)
from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.formulas import DERIVED
from xlsizing.book.names import define
from xlsizing.book.pages import set_page
from xlsizing.book.styles import (
    APART,
    BODY,
    NOTE,
    SEVERITY_FILLS,
    STEP_FILL,
    SUBTITLE,
    TITLE,
    highlight,
)
from xlsizing.book.tables import Column, Placed, head_height, write_table
from xlsizing.core import Catalogs
from xlsizing.core.entries import Entry
from xlsizing.core.message import Message

TABLE_TOP = 4

# Filled, a long text is cut at its column instead of running into the next.
_REMARK = Style(font=NOTE, alignment=Alignment(horizontal="fill", vertical="center"))
_STYLES: Mapping[Look, Style] = {
    "text": Style(font=BODY, alignment=APART),
    "count": Style(font=BODY, number_format="#,##0"),
    "figure": Style(font=BODY, number_format="#,##0.####"),
    "derived": Style(font=BODY, fill=STEP_FILL, number_format="#,##0"),
    "remark": _REMARK,
}


@dataclass(frozen=True)
class _Sheet:
    """One catalog sheet: the catalog, and what stands above its tables."""

    kind: CatalogKind
    heading: str
    """Its title, for people."""
    remarks: tuple[str, ...]
    """Lines under the title."""
    last_printed: str
    """Head of the last column that is printed; those after it are long texts or derived."""

    @property
    def title(self) -> str:
        """Title of the sheet."""
        return self.kind.table


_MODELS = _Sheet(
    MODELS,
    Message("Models"),
    (
        Message(
            "What can be served. One row is one model; blank cells of a grouped model are in its layer "
            "groups."
        ),
        Message(
            "Grey columns are derived: KV elements are 2 (key and value) x layers x KV heads x head "
            "dim, and turn red where they do not fit."
        ),
    ),
    "16-bit parameters",
)
_SERVERS = _Sheet(
    SERVERS,
    Message("Servers"),
    (
        Message(
            "What can be bought or rented. One row is one node. GB are as marketed; the driver's MiB "
            "settle how much memory that is, where they are known."
        ),
        Message("Grey columns are derived from them, and turn red where they do not fit."),
    ),
    "Rack units",
)
_STORAGE = _Sheet(
    STORAGE,
    Message("Storage"),
    (Message("Where weights and KV caches are read from. GB/s are 10^9 bytes per second."),),
    "Write p99 ms",
)


def write_catalog_sheets(book: Workbook, notes: PackageNotes, catalogs: Catalogs) -> None:
    """Write the three catalog sheets, their alias tables and the names of their lists."""
    for page in (_MODELS, _SERVERS, _STORAGE):
        _write(book, notes, page, page.kind.entries(catalogs))


def _write(book: Workbook, notes: PackageNotes, page: _Sheet, entries: Sequence[Entry]) -> None:
    sheet = book.create_sheet(page.title)
    writer = Writer(sheet, notes)
    writer.value(1, 1, page.heading, Style(font=TITLE))
    for row, remark in enumerate(page.remarks, start=2):
        writer.value(row, 1, remark, Style(font=SUBTITLE))
    columns = _columns(page.kind)
    placed = write_table(writer, page.title, columns, entries, TABLE_TOP)
    define(book, page.kind.list_name, page.title, placed.cells("Name"))
    for head in placed.heads:
        if head in DERIVED:
            _check_derived(sheet, placed, head, DERIVED[head])
    alias_columns: tuple[Column[tuple[str, str]], ...] = (
        Column(ALIAS, lambda pair: pair[0], width=40),
        Column(page.kind.noun, lambda pair: pair[1], width=32),
    )
    # A table has at least one row; an empty alias finds nothing.
    rows = aliases(entries) or [("", "")]
    write_table(writer, page.kind.alias_table, alias_columns, rows, TABLE_TOP, len(columns) + 2)
    sheet.row_dimensions[TABLE_TOP].height = head_height(writer, columns, 32)
    set_page(
        sheet,
        first_free_row=TABLE_TOP + 1,
        first_free_column=2,
        last_printed_column=placed.column_letter(page.last_printed),
        breaks=[],
    )


def _columns(kind: CatalogKind) -> list[Column[Entry]]:
    columns = [
        Column(each.head, each.value, None, each.width, _STYLES[each.look]) for each in kind.columns
    ]
    origin: Column[Entry] = Column(
        ORIGIN, lambda entry: origin_of(row_of(kind, entry)), None, 17, _REMARK
    )
    return [*columns, origin]


def _check_derived(sheet: Worksheet, placed: Placed, head: str, text: str) -> None:
    def cell(column: str) -> str:
        return f"${placed.column_letter(column)}{placed.first_row}"

    derived = re.sub(r"\{([^}]+)\}", lambda column: cell(column.group(1)), text)
    cells = placed.cells(head).replace("$", "")
    highlight(sheet, cells, f"{cell(head)}<>{derived}", fill=SEVERITY_FILLS["error"])
