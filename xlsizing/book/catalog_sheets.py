"""The sheets Models, Servers and Storage: the catalogs as tables.

Derived columns keep the sizing formulas short: one formula serves every attention
pattern, and every way in which HBM is known. They are values, as the catalogs are, and
turn red where somebody changes a figure that they were derived from.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl.styles import Alignment
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.formulas import DERIVED
from xlsizing.book.names import define
from xlsizing.book.pages import set_page
from xlsizing.book.styles import BODY, NOTE, SEVERITY_FILLS, STEP_FILL, SUBTITLE, TITLE, highlight
from xlsizing.book.tables import Column, Placed, write_table
from xlsizing.core import Catalogs, Model, Server, StorageProfile
from xlsizing.core.capacity import hbm_bytes
from xlsizing.core.engine import UnknownWeightsError, listed_sizes, usable_gpu_bytes, weight_bytes
from xlsizing.core.entries import Entry, unsourced_figures
from xlsizing.core.kv_cache import session_cost
from xlsizing.core.layers import described
from xlsizing.core.planning.cells import Value

TABLE_TOP = 4

_COUNT = Style(font=BODY, number_format="#,##0")
_FIGURE = Style(font=BODY, number_format="#,##0.####")
_DERIVED = Style(font=BODY, fill=STEP_FILL, number_format="#,##0")
# Filled, a long text is cut at its column instead of running into the next.
_REMARK = Style(font=NOTE, alignment=Alignment(horizontal="fill", vertical="center"))


def _field(name: str) -> Callable[[Entry], Value]:
    def value(entry: Entry) -> Value:
        found: Value = getattr(entry, name)
        return found

    return value


def _count(head: str, name: str, width: float = 12) -> Column[Any]:
    return Column(head, _field(name), width=width, style=_COUNT)


def _figure(head: str, name: str) -> Column[Any]:
    return Column(head, _field(name), width=12, style=_FIGURE)


def _text(head: str, name: str, width: float) -> Column[Any]:
    return Column(head, _field(name), width=width)


def _unsourced(entry: Entry) -> str:
    return ", ".join(unsourced_figures(entry))


def _engine_weight_bytes(model: Model) -> int | None:
    try:
        return weight_bytes(model)[0]
    except UnknownWeightsError:
        return None


def _layer_groups(model: Model) -> str:
    return "; ".join(f"{group.layers} x {described(group)}" for group in model.layer_groups)


def _sources(entry: Entry) -> str:
    named = [f"{field}: {source}" for field, source in entry.sources.items() if field != "*"]
    rest = [f"all other figures: {entry.sources['*']}"] if "*" in entry.sources else []
    return "; ".join(named + rest)


_REMARKS: tuple[Column[Any], ...] = (
    Column("Unsourced", _unsourced, width=14, style=_REMARK),
    Column("Sources", _sources, width=60, style=_REMARK),
    Column("Notes", _field("notes"), width=40, style=_REMARK),
)

MODEL_COLUMNS: tuple[Column[Model], ...] = (
    _text("Name", "name", 30),
    _count("Layers", "num_layers", 9),
    _count("KV heads", "num_key_value_heads", 9),
    _count("Head dim", "head_dim", 9),
    _count("Max context", "max_position_embeddings"),
    _text("Attention", "attention_pattern", 11),
    Column("Full layers", lambda model: session_cost(model).full_layers, width=9, style=_COUNT),
    Column(
        "Sliding layers", lambda model: session_cost(model).windowed_layers, width=9, style=_COUNT
    ),
    Column(
        "Sliding window", lambda model: session_cost(model).window or None, width=10, style=_COUNT
    ),
    _text("KV precision", "default_kv_precision", 11),
    _count("Attention heads", "num_attention_heads", 12),
    _count("Parameters", "total_params", 19),
    _count("Weight bytes", "weight_bytes", 19),
    _text("Weight precision", "weight_precision", 11),
    _count("16-bit parameters", "unquantized_params", 17),
    Column("Layer groups", _layer_groups, width=40, style=_REMARK),
    Column(
        "Full KV elements",
        lambda model: session_cost(model).elements,
        width=13,
        style=_DERIVED,
    ),
    Column(
        "Sliding KV elements",
        lambda model: session_cost(model).windowed_elements,
        width=13,
        style=_DERIVED,
    ),
    Column("Index bytes", lambda model: session_cost(model).index_bytes, width=10, style=_DERIVED),
    Column("State bytes", lambda model: session_cost(model).state_bytes, width=14, style=_DERIVED),
    Column("Engine weight bytes", _engine_weight_bytes, width=19, style=_DERIVED),
    Column("Tensor-parallel sizes", listed_sizes, width=22, style=_REMARK),
    *_REMARKS,
)

SERVER_COLUMNS: tuple[Column[Server], ...] = (
    _text("Name", "name", 18),
    _text("GPU", "gpu", 22),
    _count("GPUs", "gpus", 8),
    _figure("HBM GB per GPU", "hbm_per_gpu_gb"),
    _figure("HBM GB total", "total_hbm_gb"),
    _count("HBM MiB per GPU", "hbm_per_gpu_mib"),
    Column(
        "HBM bytes",
        hbm_bytes,
        width=21,
        style=_DERIVED,
    ),
    Column("Usable bytes per GPU", usable_gpu_bytes, width=19, style=_DERIVED),
    _figure("NVLink TB/s", "nvlink_bandwidth_tbps"),
    _figure("Host memory TB", "system_memory_tb"),
    _figure("HBM TB/s per GPU", "hbm_bandwidth_tbps"),
    _figure("bf16 TFLOP/s", "bf16_tflops"),
    _figure("fp8 TFLOP/s", "fp8_tflops"),
    _figure("fp4 TFLOP/s", "fp4_tflops"),
    _figure("Power kW", "max_power_kw"),
    _figure("Rack units", "rack_units"),
    *_REMARKS,
)

STORAGE_COLUMNS: tuple[Column[StorageProfile], ...] = (
    _text("Name", "name", 26),
    _text("Type", "type", 22),
    _count("Read IOPS", "iops_read"),
    _count("Write IOPS", "iops_write"),
    _figure("Read GB/s", "throughput_read_gbps"),
    _figure("Write GB/s", "throughput_write_gbps"),
    _figure("Read p50 ms", "latency_read_ms_p50"),
    _figure("Read p99 ms", "latency_read_ms_p99"),
    _figure("Write p50 ms", "latency_write_ms_p50"),
    _figure("Write p99 ms", "latency_write_ms_p99"),
    *_REMARKS,
)


@dataclass(frozen=True)
class _Sheet:
    """One catalog sheet: its title, its tables and what stands above them."""

    title: str
    remarks: tuple[str, ...]
    """Lines under the title."""
    columns: Sequence[Column[Any]]
    last_printed: str
    """Head of the last column that is printed; those after it are long texts or derived."""
    alias_table: str
    alias_of: str


_MODELS = _Sheet(
    "Models",
    (
        (
            "What can be served. One row is one model; blank cells of a grouped model are in its layer "
            "groups."
        ),
        (
            "Grey columns are derived: KV elements are 2 (key and value) x layers x KV heads x head "
            "dim, and turn red where they do not fit."
        ),
    ),
    MODEL_COLUMNS,
    "16-bit parameters",
    "ModelAliases",
    "Model",
)
_SERVERS = _Sheet(
    "Servers",
    (
        (
            "What can be bought or rented. One row is one node. GB are as marketed; the driver's MiB "
            "settle how much memory that is, where they are known."
        ),
        "Grey columns are derived from them, and turn red where they do not fit.",
    ),
    SERVER_COLUMNS,
    "Rack units",
    "ServerAliases",
    "Server",
)
_STORAGE = _Sheet(
    "Storage",
    ("Where weights and KV caches are read from. GB/s are 10^9 bytes per second.",),
    STORAGE_COLUMNS,
    "Write p99 ms",
    "StorageAliases",
    "Storage",
)


def write_catalog_sheets(book: Workbook, notes: PackageNotes, catalogs: Catalogs) -> None:
    """Write the three catalog sheets, their alias tables and the names of their lists."""
    _write(book, notes, _MODELS, catalogs.models)
    _write(book, notes, _SERVERS, catalogs.servers)
    _write(book, notes, _STORAGE, catalogs.profiles)


def _write(book: Workbook, notes: PackageNotes, page: _Sheet, entries: Sequence[Entry]) -> None:
    sheet = book.create_sheet(page.title)
    writer = Writer(sheet, notes)
    writer.value(1, 1, page.title, Style(font=TITLE))
    for row, remark in enumerate(page.remarks, start=2):
        writer.value(row, 1, remark, Style(font=SUBTITLE))
    placed = write_table(writer, page.title, page.columns, entries, TABLE_TOP)
    define(book, f"List_{page.title}", page.title, placed.cells("Name"))
    for head in placed.heads:
        if head in DERIVED:
            _check_derived(sheet, placed, head, DERIVED[head])
    aliases = [(alias, entry.name) for entry in entries for alias in entry.aliases]
    alias_columns: tuple[Column[tuple[str, str]], ...] = (
        Column("Alias", lambda pair: pair[0], width=40),
        Column(page.alias_of, lambda pair: pair[1], width=32),
    )
    # A table has at least one row; an empty alias finds nothing.
    rows = aliases or [("", "")]
    write_table(writer, page.alias_table, alias_columns, rows, TABLE_TOP, len(page.columns) + 2)
    sheet.row_dimensions[TABLE_TOP].height = 32
    set_page(
        sheet,
        first_free_row=TABLE_TOP + 1,
        first_free_column=2,
        last_printed_column=placed.column_letter(page.last_printed),
        breaks=[],
    )


def _check_derived(sheet: Worksheet, placed: Placed, head: str, text: str) -> None:
    def cell(column: str) -> str:
        return f"${placed.column_letter(column)}{placed.first_row}"

    derived = re.sub(r"\{([^}]+)\}", lambda column: cell(column.group(1)), text)
    cells = placed.cells(head).replace("$", "")
    highlight(sheet, cells, f"{cell(head)}<>{derived}", fill=SEVERITY_FILLS["error"])
