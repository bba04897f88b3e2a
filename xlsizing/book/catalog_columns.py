"""The columns of the catalog tables: what each says of an entry, in cells.

Derived columns keep the sizing formulas short: one formula serves every attention
pattern, and every way in which HBM is known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from xlsizing.book.texts import plain_cell_text
from xlsizing.core import Catalogs, Model
from xlsizing.core.capacity import hbm_bytes
from xlsizing.core.engine import UnknownWeightsError, listed_sizes, usable_gpu_bytes, weight_bytes
from xlsizing.core.entries import Entry, unsourced_figures
from xlsizing.core.kv_cache import session_cost
from xlsizing.core.layers import described
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value, words

Look = Literal["text", "count", "figure", "derived", "remark"]


@dataclass(frozen=True)
class CatalogColumn:
    """A column of a catalog table: its head, and what it says of an entry."""

    head: str
    value: Callable[[Any], Value]
    look: Look = "text"
    width: float = 12
    field: str = ""
    """The field of the entry that it shows as it is; empty where it shows something else."""


def _field(head: str, name: str, look: Look, width: float = 12) -> CatalogColumn:
    def value(entry: Entry) -> Value:
        found: Value = getattr(entry, name)
        return found

    return CatalogColumn(head, value, look, width, name)


def _count(head: str, name: str, width: float = 12) -> CatalogColumn:
    return _field(head, name, "count", width)


def _figure(head: str, name: str) -> CatalogColumn:
    return _field(head, name, "figure")


def _text(head: str, name: str, width: float) -> CatalogColumn:
    return _field(head, name, "text", width)


def _derived(head: str, value: Callable[[Any], Value], width: float) -> CatalogColumn:
    return CatalogColumn(head, value, "derived", width)


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


ORIGIN = Message("Origin")
"""The column that says where a row is from: CATALOG and a mark of its figures, or LOCAL."""
CATALOG, LOCAL = "catalog", "local"

_REMARKS: tuple[CatalogColumn, ...] = (
    CatalogColumn(Message("Unsourced"), _unsourced, "remark", 14),
    CatalogColumn(Message("Sources"), _sources, "remark", 60),
    _field(Message("Notes"), "notes", "remark", 40),
)

MODEL_COLUMNS: tuple[CatalogColumn, ...] = (
    _text(Message("Name"), "name", 30),
    _count(Message("Layers"), "num_layers", 9),
    _count(Message("KV heads"), "num_key_value_heads", 9),
    _count(Message("Head dim"), "head_dim", 9),
    _count(Message("Max context"), "max_position_embeddings"),
    _text(Message("Attention"), "attention_pattern", 11),
    CatalogColumn(
        Message("Full layers"), lambda model: session_cost(model).full_layers, "count", 9
    ),
    CatalogColumn(
        Message("Sliding layers"), lambda model: session_cost(model).windowed_layers, "count", 9
    ),
    CatalogColumn(
        Message("Sliding window"), lambda model: session_cost(model).window or None, "count", 10
    ),
    _text(Message("KV precision"), "default_kv_precision", 11),
    _count(Message("Attention heads"), "num_attention_heads", 12),
    _count(Message("Parameters"), "total_params", 19),
    _count(Message("Weight bytes"), "weight_bytes", 19),
    _text(Message("Weight precision"), "weight_precision", 11),
    _count(Message("16-bit parameters"), "unquantized_params", 17),
    CatalogColumn(Message("Layer groups"), _layer_groups, "remark", 40),
    _derived(Message("Full KV elements"), lambda model: session_cost(model).elements, 13),
    _derived(
        Message("Sliding KV elements"), lambda model: session_cost(model).windowed_elements, 13
    ),
    _derived(Message("Index bytes"), lambda model: session_cost(model).index_bytes, 10),
    _derived(Message("State bytes"), lambda model: session_cost(model).state_bytes, 14),
    _derived(Message("Engine weight bytes"), _engine_weight_bytes, 19),
    CatalogColumn(Message("Tensor-parallel sizes"), listed_sizes, "remark", 22),
    *_REMARKS,
)

SERVER_COLUMNS: tuple[CatalogColumn, ...] = (
    _text(Message("Name"), "name", 18),
    _text(Message("GPU"), "gpu", 22),
    _count("GPUs", "gpus", 8),
    _figure(Message("HBM GB per GPU"), "hbm_per_gpu_gb"),
    _figure(Message("HBM GB total"), "total_hbm_gb"),
    _count(Message("HBM MiB per GPU"), "hbm_per_gpu_mib"),
    _derived(Message("HBM bytes"), hbm_bytes, 21),
    _derived(Message("Usable bytes per GPU"), usable_gpu_bytes, 19),
    _figure(Message("NVLink TB/s"), "nvlink_bandwidth_tbps"),
    _figure(Message("Host memory TB"), "system_memory_tb"),
    _figure(Message("HBM TB/s per GPU"), "hbm_bandwidth_tbps"),
    _figure(Message("bf16 TFLOP/s"), "bf16_tflops"),
    _figure(Message("fp8 TFLOP/s"), "fp8_tflops"),
    _figure(Message("fp4 TFLOP/s"), "fp4_tflops"),
    _figure(Message("Power kW"), "max_power_kw"),
    _figure(Message("Rack units"), "rack_units"),
    *_REMARKS,
)

STORAGE_COLUMNS: tuple[CatalogColumn, ...] = (
    _text(Message("Name"), "name", 26),
    _text(Message("Type"), "type", 22),
    _count(Message("Read IOPS"), "iops_read"),
    _count(Message("Write IOPS"), "iops_write"),
    _figure(Message("Read GB/s"), "throughput_read_gbps"),
    _figure(Message("Write GB/s"), "throughput_write_gbps"),
    _figure(Message("Read p50 ms"), "latency_read_ms_p50"),
    _figure(Message("Read p99 ms"), "latency_read_ms_p99"),
    _figure(Message("Write p50 ms"), "latency_write_ms_p50"),
    _figure(Message("Write p99 ms"), "latency_write_ms_p99"),
    *_REMARKS,
)


READ_BY_PEOPLE = frozenset({"Layer groups", "Sources", "Notes"})
"""The columns of catalog tables that no formula reads."""


@dataclass(frozen=True)
class CatalogKind:
    """One of the three catalogs, and the tables that hold it in a workbook."""

    table: str
    """Name of the table, and of its sheet in our workbooks."""
    noun: str
    """What an entry is called, and the head of the alias table's second column."""
    columns: Sequence[CatalogColumn]
    entries: Callable[[Catalogs], Sequence[Entry]]

    @property
    def alias_table(self) -> str:
        """Name of the table of other names that find an entry."""
        return f"{self.noun}Aliases"

    @property
    def list_name(self) -> str:
        """The defined name of the entries' names, which the lists to choose from show."""
        return f"List_{self.table}"

    @property
    def by_head(self) -> Mapping[str, CatalogColumn]:
        """The columns by head."""
        return {column.head: column for column in self.columns}


MODELS = CatalogKind("Models", Message("Model"), MODEL_COLUMNS, lambda catalogs: catalogs.models)
SERVERS = CatalogKind(
    "Servers", Message("Server"), SERVER_COLUMNS, lambda catalogs: catalogs.servers
)
STORAGE = CatalogKind(
    "Storage", Message("Storage"), STORAGE_COLUMNS, lambda catalogs: catalogs.profiles
)
KINDS = (MODELS, SERVERS, STORAGE)
ALIAS = Message("Alias")
"""The head of an alias table's first column."""


def aliases(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Each other name of the entries, and the name of the entry that it finds."""
    return [(alias, entry.name) for entry in entries for alias in entry.aliases]


def row_of(kind: CatalogKind, entry: Entry) -> dict[str, Value]:
    """What the table says of an entry, by head, as cells hold it."""
    return {column.head: held(column.value(entry)) for column in kind.columns}


def held(value: Value) -> Value:
    """A value as it is read back from a cell: texts that a cell can hold, and none for nothing."""
    if isinstance(value, str):
        return plain_cell_text(value) or None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def origin_of(row: Mapping[str, Value]) -> str:
    """What the column Origin says of a row of the catalog: a mark that changes with its figures.

    By it a row that somebody wrote or changed is told from one that is as the catalog had it.

    Parameters
    ----------
    row : the row's values by head; those of other columns than the catalog's left out.
    """
    said = "\n".join(f"{head}={words(row[head])}" for head in sorted(row))
    return f"{CATALOG} {sha256(said.encode()).hexdigest()[:8]}"
