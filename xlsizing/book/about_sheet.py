"""The sheet About: what the workbook is, and the tables that its formulas read.

Constants, defaults and limits stand here under names of their own, so that no formula
holds a bare number.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from openpyxl.workbook import Workbook

from xlsizing import __version__
from xlsizing.book.alert_formulas import RULE_DIGITS
from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.limits import LIMIT_EXACT, LIMIT_OVERHEAD_GIB
from xlsizing.book.names import define
from xlsizing.book.pages import set_page
from xlsizing.book.styles import BODY, HEADING, RIGHT, STRONG, SUBTITLE, TITLE, WRAP
from xlsizing.book.tables import Column, write_table
from xlsizing.core import (
    ALERT_RULES,
    BYTES_PER_ELEMENT,
    DEFAULT_HA_MODE,
    DEFAULT_KV_BUDGET_RATIO,
    DEFAULT_PEAK_HEADROOM_RATIO,
    DEFAULT_RUNTIME_OVERHEAD_GIB,
    RANGES,
    AlertRule,
)
from xlsizing.core.alerts import COLD_START_SECONDS, LONG_CONTEXT_TOKENS
from xlsizing.core.engine import (
    DEFAULT_ACTIVATION_GIB,
    DEFAULT_BATCHES_IN_FLIGHT,
    DEFAULT_GPU_MEMORY_UTILIZATION,
    DEFAULT_MAX_NUM_BATCHED_TOKENS,
    DEFAULT_RUNTIME_GIB,
    LARGEST_GPU_GIB,
)
from xlsizing.core.exact import GIB_PARTS, RATIO_PARTS
from xlsizing.core.nodes import SPARE_NODES
from xlsizing.core.paged_cache import STATES_PER_REQUEST
from xlsizing.core.ranges import Band, extreme_above
from xlsizing.core.units import BYTES_PER_GB, BYTES_PER_GIB, BYTES_PER_MIB, BYTES_PER_TIB
from xlsizing.resources import shipped

Constant = tuple[str, str | float, str, str]

CONSTANTS: tuple[Constant, ...] = (
    ("Default_KvBudgetRatio", DEFAULT_KV_BUDGET_RATIO, "share", "KV budget ratio, where empty"),
    (
        "Default_RuntimeOverheadGiB",
        DEFAULT_RUNTIME_OVERHEAD_GIB,
        "GiB",
        "Runtime overhead per node, where empty",
    ),
    (
        "Default_PeakHeadroomRatio",
        DEFAULT_PEAK_HEADROOM_RATIO,
        "share",
        "Peak headroom, where empty",
    ),
    ("Default_HA", DEFAULT_HA_MODE, "", "High availability, where empty"),
    (
        "Default_MaxNumBatchedTokens",
        DEFAULT_MAX_NUM_BATCHED_TOKENS,
        "tokens",
        "Tokens that the engine prefills in one step, where empty",
    ),
    (
        "Default_BatchesInFlight",
        DEFAULT_BATCHES_IN_FLIGHT,
        "steps",
        "Steps scheduled at the same time, where empty",
    ),
    (
        "Default_GpuMemoryUtilization",
        DEFAULT_GPU_MEMORY_UTILIZATION,
        "share",
        "Share of a GPU's memory that the engine may take, where empty",
    ),
    (
        "Default_ActivationGiB",
        DEFAULT_ACTIVATION_GIB,
        "GiB",
        "Peak of the activations per GPU, where empty",
    ),
    ("Default_RuntimeGiB", DEFAULT_RUNTIME_GIB, "GiB", "Runtime and graphs per GPU, where empty"),
    ("Const_KeyAndValue", 2, "vectors", "A token keeps a key and a value"),
    ("Const_SixteenBitBytes", 2, "bytes", "Bytes per element from which fp8 would halve it"),
    ("Const_BytesPerGB", BYTES_PER_GB, "bytes", "GB, as vendors count"),
    ("Const_BytesPerMiB", BYTES_PER_MIB, "bytes", "MiB, as drivers count"),
    ("Const_BytesPerGiB", BYTES_PER_GIB, "bytes", "GiB, as memory is counted"),
    ("Const_BytesPerTiB", BYTES_PER_TIB, "bytes", "TiB, as memory is counted"),
    ("Const_RatioParts", RATIO_PARTS, "parts", "Ratios are counted in ten-thousandths"),
    ("Const_GibParts", GIB_PARTS, "parts", "GiB are counted in hundredths"),
    ("Const_TypedDigits", 15, "digits", "A number means the decimal that it shows at so many"),
    ("Const_RuleDigits", RULE_DIGITS, "digits", "Alert numbers have so many"),
    ("Limit_Exact", LIMIT_EXACT, "", "Largest product that a sheet counts exactly"),
    ("Limit_OverheadGiB", LIMIT_OVERHEAD_GIB, "GiB", "Largest runtime overhead that a sheet takes"),
    ("Limit_GpuGiB", LARGEST_GPU_GIB, "GiB", "Largest figure per GPU that Engine takes"),
    ("Limit_LongContext", LONG_CONTEXT_TOKENS, "tokens", "Above: LONG_CONTEXT_IO"),
    ("Limit_ColdStartSeconds", COLD_START_SECONDS, "s", "Above: STORAGE_COLD_START"),
    (
        "Limit_ExtremeContext",
        extreme_above("effective_context"),
        "tokens",
        "Above: OUT_OF_TYPICAL_RANGE",
    ),
    ("Limit_ExtremeNodes", extreme_above("nodes"), "nodes", "Above: OUT_OF_TYPICAL_RANGE"),
)

_WIDTHS = (34, 25, 14, 66, 88)
_PROSE_CHARACTERS = 210
"""Characters of prose that fit on a line across all columns."""

_WRAPPED = Style(font=BODY, alignment=WRAP)
_NUMBER = Style(font=BODY, alignment=RIGHT)


def write_about_sheet(
    book: Workbook, notes: PackageNotes, page: str, made_on: date | None = None
) -> None:
    """Write the sheet with the prose of a page of workbook/, its tables, and their names."""
    sheet = book.create_sheet("About")
    writer = Writer(sheet, notes)
    for letter, width in zip("ABCDE", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    writer.value(1, 1, "About this workbook", Style(font=TITLE))
    writer.value(2, 1, f"Made by xlsizing {__version__}", Style(font=SUBTITLE))
    if made_on is not None:
        writer.value(3, 1, f"Made on {made_on.isoformat()}", Style(font=SUBTITLE))
    row = _write_prose(writer, 4, page)
    row = _write_constants(book, writer, row)
    row = _write_lists(book, writer, row)
    row = _write_ranges(writer, row)
    _write_alert_rules(writer, row)
    set_page(sheet, first_free_row=4)


def _prose(page: str) -> list[str]:
    text = (Path(shipped("workbook")) / page).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line]


def _write_prose(writer: Writer, row: int, page: str) -> int:
    for line in _prose(page):
        if line.startswith("# "):
            writer.value(row, 1, line[2:], Style(font=HEADING))
        else:
            writer.value(row, 1, line, _WRAPPED)
            writer.sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=5)
            lines = math.ceil(len(line) / _PROSE_CHARACTERS)
            writer.sheet.row_dimensions[row].height = 15.5 * lines
        row += 1
    return row + 1


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
        define(book, name, "About", f"$B${placed.first_row + number}")
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
    define(book, "List_KvPrecisions", "About", precisions.cells("Precision"))
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
    define(book, "List_HA", "About", modes.cells("HA"))
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
    define(book, "List_StateCaching", "About", states.cells("State caching"))
    return states.last_row + 2


def _write_ranges(writer: Writer, row: int) -> int:
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
    return placed.last_row + 2


def _above(figure: str, band: Band) -> float:
    """The value above which `band` begins; whole figures below 100 are those above no more than 99."""
    bands = RANGES[figure]
    place = bands.index(band)
    if place == 0:
        return 0
    before = bands[place - 1]
    assert before.upper is not None
    return before.upper if before.inclusive else before.upper - 1


FILLED_IN: Mapping[str, str] = {
    "budget_remedies": "[the changes that fit a session]",
    "weights_remedies": "[the changes that fit the weights]",
}
"""What stands for the words in braces of a rule's advice; the Warnings sheet fills it in."""


def advice(rule: AlertRule) -> str:
    """What to do about an alert, as the table of rules says it."""
    return rule.recommendation.format(**FILLED_IN)


def _write_alert_rules(writer: Writer, row: int) -> None:
    writer.value(row, 1, "Alert rules", Style(font=HEADING))
    columns: Sequence[Column[AlertRule]] = (
        Column("Code", lambda rule: rule.code, width=_WIDTHS[0]),
        Column("Severity", lambda rule: rule.severity, width=_WIDTHS[1]),
        Column(
            "Rule",
            lambda rule: list(ALERT_RULES).index(rule.key) + 1,
            width=_WIDTHS[2],
            style=_NUMBER,
        ),
        Column("When", lambda rule: rule.when, width=_WIDTHS[3], style=_WRAPPED),
        Column("What to do", lambda rule: advice(rule), width=_WIDTHS[4], style=_WRAPPED),
    )
    write_table(writer, "AlertRules", columns, list(ALERT_RULES.values()), row + 1)
