"""The sheet Constants: defaults, units, limits, lists and typical ranges.

They stand here under names of their own, so that no formula holds a bare number.
"""

from collections.abc import Sequence

from openpyxl.workbook import Workbook

from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.constants import CONSTANTS, Constant
from xlsizing.book.names import define
from xlsizing.book.pages import protect, set_page
from xlsizing.book.styles import BODY, HEADING, RIGHT, STRONG, SUBTITLE, TITLE
from xlsizing.book.tables import Column, write_table
from xlsizing.core import (
    BYTES_PER_ELEMENT,
    RANGES,
)
from xlsizing.core.nodes import SPARE_NODES
from xlsizing.core.paged_cache import STATES_PER_REQUEST
from xlsizing.core.ranges import Band

SHEET = "Constants"
_WIDTHS = (34, 18, 20, 66)
_NUMBER = Style(font=BODY, alignment=RIGHT)


def write_constants_sheet(book: Workbook, notes: PackageNotes) -> None:
    """Write the sheet and the names of its cells and lists."""
    sheet = book.create_sheet(SHEET)
    writer = Writer(sheet, notes)
    for letter, width in zip("ABCD", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    writer.value(1, 1, "Constants", Style(font=TITLE))
    writer.value(
        2,
        1,
        "Defaults that empty inputs take, units, limits and lists. Formulas read them by name.",
        Style(font=SUBTITLE),
    )
    row = _write_constants(book, writer, 4)
    end_of_first_page = row - 1
    row = _write_lists(book, writer, row)
    _write_ranges(writer, row)
    set_page(sheet, first_free_row=4, breaks=[end_of_first_page])
    protect(sheet)


def _write_constants(book: Workbook, writer: Writer, row: int) -> int:
    writer.value(row, 1, "Constants, defaults and limits", Style(font=HEADING))
    columns: Sequence[Column[Constant]] = (
        Column("Constant", lambda each: each[0], width=_WIDTHS[0]),
        Column(
            "Value",
            lambda each: each[1],
            width=_WIDTHS[1],
            style=Style(font=STRONG, alignment=RIGHT),
        ),
        Column("Unit", lambda each: each[2], width=_WIDTHS[2]),
        Column("What it is", lambda each: each[3], width=_WIDTHS[3]),
    )
    placed = write_table(writer, "Constants", columns, CONSTANTS, row + 1)
    for number, (name, value, _, _) in enumerate(CONSTANTS):
        define(book, name, SHEET, f"$B${placed.first_row + number}")
        if not isinstance(value, str) and value >= 1000:
            writer.sheet.cell(placed.first_row + number, 2).number_format = "#,##0"
    return placed.last_row + 2


def _write_lists(book: Workbook, writer: Writer, row: int) -> int:
    writer.value(row, 1, "KV precisions", Style(font=HEADING))
    precisions = write_table(
        writer,
        "Precisions",
        (
            Column("Precision", lambda pair: pair[0], width=_WIDTHS[0]),
            Column("Bytes", lambda pair: pair[1], width=_WIDTHS[1], style=_NUMBER),
        ),
        list(BYTES_PER_ELEMENT.items()),
        row + 1,
    )
    define(book, "List_KvPrecisions", SHEET, precisions.cells("Precision"))
    row = precisions.last_row + 2
    writer.value(row, 1, "High availability", Style(font=HEADING))
    modes = write_table(
        writer,
        "HaModes",
        (
            Column("HA", lambda pair: pair[0], width=_WIDTHS[0]),
            Column("Spare nodes", lambda pair: pair[1], width=_WIDTHS[1], style=_NUMBER),
        ),
        list(SPARE_NODES.items()),
        row + 1,
    )
    define(book, "List_HA", SHEET, modes.cells("HA"))
    row = modes.last_row + 2
    writer.value(row, 1, "State caching", Style(font=HEADING))
    states = write_table(
        writer,
        "StateCachings",
        (
            Column("State caching", lambda pair: pair[0], width=_WIDTHS[0]),
            Column("States", lambda pair: pair[1], width=_WIDTHS[1], style=_NUMBER),
        ),
        list(STATES_PER_REQUEST.items()),
        row + 1,
    )
    define(book, "List_StateCaching", SHEET, states.cells("State caching"))
    return states.last_row + 2


def _write_ranges(writer: Writer, row: int) -> None:
    writer.value(row, 1, "Typical ranges", Style(font=HEADING))
    columns: Sequence[Column[tuple[str, Band]]] = (
        Column("Figure", lambda pair: pair[0], width=_WIDTHS[0]),
        Column("Band", lambda pair: pair[1].name, width=_WIDTHS[1]),
        Column("Above", lambda pair: _above(*pair), width=_WIDTHS[2], style=_NUMBER),
    )
    rows = [(figure, band) for figure, bands in RANGES.items() for band in bands]
    placed = write_table(writer, "Ranges", columns, rows, row + 1)
    for number in range(placed.first_row, placed.last_row + 1):
        writer.sheet.cell(number, 3).number_format = "#,##0.##"


def _above(figure: str, band: Band) -> float:
    """The value above which `band` begins; whole figures below 100 are those above no more than 99."""
    bands = RANGES[figure]
    place = bands.index(band)
    if place == 0:
        return 0
    before = bands[place - 1]
    assert before.upper is not None
    return before.upper if before.inclusive else before.upper - 1
