"""The sheet Constants: defaults, units, limits, lists and typical ranges.

They stand here under names of their own, so that no formula holds a bare number.
"""

from collections.abc import Sequence

from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation

from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.constants import CONSTANTS, Constant
from xlsizing.book.inputs import input_style
from xlsizing.book.names import define
from xlsizing.book.origin import WRITTEN_IN
from xlsizing.book.pages import protect, set_page
from xlsizing.book.styles import (
    BODY,
    HEADING,
    LINE_HEIGHT,
    NOTE,
    RIGHT,
    STRONG,
    SUBTITLE,
    TITLE,
    WRAP,
)
from xlsizing.book.tables import Column, write_table
from xlsizing.core import (
    BYTES_PER_ELEMENT,
    RANGES,
)
from xlsizing.core.message import Message
from xlsizing.core.nodes import SPARE_NODES
from xlsizing.core.paged_cache import STATES_PER_REQUEST
from xlsizing.core.planning.plan import REPORTS_IN
from xlsizing.core.ranges import Band
from xlsizing.language import LANGUAGES

SHEET = "Constants"
_WIDTHS = (34, 18, 20, 66)
_NUMBER = Style(font=BODY, alignment=RIGHT)


def write_constants_sheet(book: Workbook, notes: PackageNotes) -> None:
    """Write the sheet and the names of its cells and lists."""
    sheet = book.create_sheet(SHEET)
    writer = Writer(sheet, notes)
    for letter, width in zip("ABCD", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    writer.value(1, 1, Message("Constants"), Style(font=TITLE))
    writer.value(
        2,
        1,
        Message(
            "Defaults that empty inputs take, units, limits and lists. Formulas read them by name."
        ),
        Style(font=SUBTITLE),
    )
    row = _write_constants(book, writer, 4)
    end_of_first_page = row - 1
    row = _write_lists(book, writer, row)
    row = _write_ranges(writer, row)
    _write_setting(book, writer, row)
    set_page(sheet, first_free_row=4, breaks=[end_of_first_page])
    protect(sheet)


def _write_constants(book: Workbook, writer: Writer, row: int) -> int:
    writer.value(row, 1, Message("Constants, defaults and limits"), Style(font=HEADING))
    columns: Sequence[Column[Constant]] = (
        Column(Message("Constant"), lambda each: each[0], width=_WIDTHS[0]),
        Column(
            Message("Value"),
            lambda each: each[1],
            width=_WIDTHS[1],
            style=Style(font=STRONG, alignment=RIGHT),
        ),
        Column(Message("Unit"), lambda each: each[2], width=_WIDTHS[2]),
        Column(Message("What it is"), lambda each: each[3], width=_WIDTHS[3]),
    )
    written_in = Message("Language of the texts in this workbook")
    constants = [*CONSTANTS, (WRITTEN_IN, writer.notes.language.code, "", written_in)]
    placed = write_table(writer, "Constants", columns, constants, row + 1)
    for number, (name, value, _, _) in enumerate(constants):
        define(book, name, SHEET, f"$B${placed.first_row + number}")
        if not isinstance(value, str) and value >= 1000:
            writer.sheet.cell(placed.first_row + number, 2).number_format = "#,##0"
    return placed.last_row + 2


def _write_lists(book: Workbook, writer: Writer, row: int) -> int:
    writer.value(row, 1, Message("KV precisions"), Style(font=HEADING))
    precisions = write_table(
        writer,
        "Precisions",
        (
            Column(Message("Precision"), lambda pair: pair[0], width=_WIDTHS[0]),
            Column(Message("Bytes"), lambda pair: pair[1], width=_WIDTHS[1], style=_NUMBER),
        ),
        list(BYTES_PER_ELEMENT.items()),
        row + 1,
    )
    define(book, "List_KvPrecisions", SHEET, precisions.cells("Precision"))
    row = precisions.last_row + 2
    writer.value(row, 1, Message("High availability"), Style(font=HEADING))
    modes = write_table(
        writer,
        "HaModes",
        (
            Column(Message("HA"), lambda pair: pair[0], width=_WIDTHS[0]),
            Column(Message("Spare nodes"), lambda pair: pair[1], width=_WIDTHS[1], style=_NUMBER),
        ),
        list(SPARE_NODES.items()),
        row + 1,
    )
    define(book, "List_HA", SHEET, modes.cells("HA"))
    row = modes.last_row + 2
    writer.value(row, 1, Message("State caching"), Style(font=HEADING))
    states = write_table(
        writer,
        "StateCachings",
        (
            Column(Message("State caching"), lambda pair: pair[0], width=_WIDTHS[0]),
            Column(Message("States"), lambda pair: pair[1], width=_WIDTHS[1], style=_NUMBER),
        ),
        list(STATES_PER_REQUEST.items()),
        row + 1,
    )
    define(book, "List_StateCaching", SHEET, states.cells("State caching"))
    return states.last_row + 2


def _write_ranges(writer: Writer, row: int) -> int:
    writer.value(row, 1, Message("Typical ranges"), Style(font=HEADING))
    columns: Sequence[Column[tuple[str, Band]]] = (
        Column(Message("Figure"), lambda pair: pair[0], width=_WIDTHS[0]),
        Column(Message("Band"), lambda pair: pair[1].name, width=_WIDTHS[1]),
        Column(Message("Above"), lambda pair: _above(*pair), width=_WIDTHS[2], style=_NUMBER),
    )
    rows = [(figure, band) for figure, bands in RANGES.items() for band in bands]
    placed = write_table(writer, "Ranges", columns, rows, row + 1)
    for number in range(placed.first_row, placed.last_row + 1):
        writer.sheet.cell(number, 3).number_format = "#,##0.##"
    return placed.last_row + 2


def _write_setting(book: Workbook, writer: Writer, row: int) -> None:
    """Write the setting that a person may change: the language of reports."""
    writer.value(row, 1, Message("Settings"), Style(font=HEADING))
    row += 1
    writer.value(row, 1, Message("Language of reports"), Style(font=BODY))
    writer.value(row, 2, writer.notes.language.code, input_style(alignment=RIGHT))
    what = Message(
        "Reports made from this workbook are in it: en or pt-BR. What the workbook says itself "
        "stays as it is; a template in another language is made with --lang."
    )
    writer.value(row, 4, what, Style(font=NOTE, alignment=WRAP))
    writer.sheet.row_dimensions[row].height = 3 * LINE_HEIGHT
    define(book, REPORTS_IN, SHEET, f"$B${row}")
    check = DataValidation(type="list", formula1=f'"{",".join(LANGUAGES)}"', allow_blank=True)
    check.error = writer.say(Message("en or pt-BR, or empty for the system's."))
    check.errorTitle = writer.say(Message("Language of reports"))
    check.showErrorMessage = True
    check.add(f"B{row}")
    writer.sheet.add_data_validation(check)


def _above(figure: str, band: Band) -> float:
    """The value above which `band` begins; whole figures below 100 are those above no more than 99."""
    bands = RANGES[figure]
    place = bands.index(band)
    if place == 0:
        return 0
    before = bands[place - 1]
    assert before.upper is not None
    return before.upper if before.inclusive else before.upper - 1
