"""The rows of the sheet Layouts: how the engine cuts its memory into blocks, for each model.

One row a model, size of a KV element and tensor-parallel size.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from xlsizing.core import Catalogs, Model
from xlsizing.core.engine import LISTED_SIZES
from xlsizing.core.kv_cache import BYTES_PER_ELEMENT, layer_groups, session_cost
from xlsizing.core.layers import UnknownLayoutError, copies
from xlsizing.core.message import Message
from xlsizing.core.paged_cache import Layout, PageGroup, layout, tensor_parallel_sizes
from xlsizing.core.planning.cells import Value

MODEL_FIGURES = (
    "Full KV elements",
    "Sliding KV elements",
    "Sliding window",
    "Index bytes",
    "State bytes",
)
"""Columns of Models that a row of Layouts was made from, as far as they show there."""

_PRECISION_OF_BYTES = {size: name for name, size in BYTES_PER_ELEMENT.items()}
"""A precision of each size; the others of that size are laid out the same."""


class LayoutRow(NamedTuple):
    """A layout as one row: its groups counted by what bounds their blocks."""

    model: Model
    element_bytes: int
    tensor_parallel: int
    full_groups: int
    full_block: int
    windowed_groups: int
    windowed_block: int
    window_reach: int
    window_blocks_more: int
    state_groups: int
    bytes_per_block: int
    kv_copies: int

    @property
    def key(self) -> str:
        """What a load's model and KV precision find the row's sizes by."""
        return layout_key(self.model, self.element_bytes)

    @property
    def name(self) -> str:
        """What a load finds the row by."""
        return f"{self.key}|{self.tensor_parallel}"

    @property
    def model_figures(self) -> str:
        """The model's figures when the row was made, to tell whether Models has changed since."""
        cost = session_cost(self.model)
        figures = (cost.elements, cost.windowed_elements, cost.window or "")
        return "|".join(map(str, (*figures, cost.index_bytes, cost.state_bytes)))


@lru_cache(maxsize=1)
def layout_rows(catalogs: Catalogs) -> tuple[LayoutRow, ...]:
    """The rows of every model that a row can say it of, at every size that a server has GPUs for."""
    most = largest_size(server.gpus for server in catalogs.servers)
    return tuple(row for model in catalogs.models for row in rows_of_model(model, most))


def largest_size(gpus: Iterable[int]) -> int:
    """The largest tensor-parallel size that rows are made for, by the GPUs of each server."""
    return min(LISTED_SIZES, max(gpus))


class LayoutIndex(NamedTuple):
    """The rows of Layouts, found as the formulas find them."""

    by_key: Mapping[str, Sequence[LayoutRow]]
    """The rows of a model and KV precision."""
    number: Mapping[str, int]
    """The place of the row of a name, from 1."""


@lru_cache(maxsize=1)
def layout_index(catalogs: Catalogs) -> LayoutIndex:
    """The rows of every model, by key and by name."""
    rows = layout_rows(catalogs)
    by_key: dict[str, list[LayoutRow]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)
    return LayoutIndex(by_key, {row.name: number for number, row in enumerate(rows, start=1)})


def layout_key(model: Model, element_bytes: int) -> str:
    """What a load's model and KV precision find the rows of their sizes by."""
    return f"{model.name}|{element_bytes}"


def rows_of_model(model: Model, most: int) -> Iterator[LayoutRow]:
    """The rows of one model up to a tensor-parallel size; none of a precision at which a row cannot say it for every size."""
    for element_bytes, precision in sorted(_PRECISION_OF_BYTES.items()):
        rows = []
        for size in tensor_parallel_sizes(model, most):
            try:
                cut = layout(model, precision, size)
            except UnknownLayoutError:
                continue
            rows.append(_row(model, element_bytes, size, cut))
        if None not in rows:
            yield from (row for row in rows if row)


def _row(model: Model, element_bytes: int, size: int, cut: Layout) -> LayoutRow | None:
    full = [group for group in cut.groups if group.kind in ("full", "latent")]
    windowed = [group for group in cut.groups if group.window is not None]
    states = [group for group in cut.groups if group.kind == "state"]
    blocks = [{group.block_size for group in groups} for groups in (full, windowed)]
    if any(len(each) > 1 for each in blocks):
        return None
    return LayoutRow(
        model=model,
        element_bytes=element_bytes,
        tensor_parallel=size,
        full_groups=len(full),
        full_block=_block(full),
        windowed_groups=len(windowed),
        windowed_block=_block(windowed),
        window_reach=_reach(windowed),
        window_blocks_more=int(any(group.kind == "sliding" for group in windowed)),
        state_groups=len(states),
        bytes_per_block=cut.bytes_per_block,
        kv_copies=max(copies(group, size) for group in layer_groups(model)),
    )


def _block(groups: Sequence[PageGroup]) -> int:
    # Where there is no group its block is divided by all the same.
    return groups[0].block_size if groups else 1


def _reach(windowed: Sequence[PageGroup]) -> int:
    """Tokens of a window that count beside those in flight: a sliding one's first is the next."""
    if not windowed:
        return 0
    window = windowed[0].window or 0
    return window - 1 if windowed[0].kind == "sliding" else window


@dataclass(frozen=True)
class LayoutColumn:
    """A column of the table Layouts: its head, and what it says of a row."""

    head: str
    value: Callable[[LayoutRow], Value]
    width: float
    is_text: bool = False


COLUMNS: tuple[LayoutColumn, ...] = (
    LayoutColumn("Layout", lambda row: row.name, 34, is_text=True),
    LayoutColumn("Key", lambda row: row.key, 32, is_text=True),
    LayoutColumn("Model", lambda row: row.model.name, 30, is_text=True),
    LayoutColumn("KV element bytes", lambda row: row.element_bytes, 10),
    LayoutColumn("Tensor parallel", lambda row: row.tensor_parallel, 10),
    LayoutColumn("Full groups", lambda row: row.full_groups, 10),
    LayoutColumn("Full block", lambda row: row.full_block, 10),
    LayoutColumn("Windowed groups", lambda row: row.windowed_groups, 10),
    LayoutColumn("Windowed block", lambda row: row.windowed_block, 10),
    LayoutColumn("Window reach", lambda row: row.window_reach, 11),
    LayoutColumn("Window blocks more", lambda row: row.window_blocks_more, 11),
    LayoutColumn("State groups", lambda row: row.state_groups, 10),
    LayoutColumn("Bytes per block", lambda row: row.bytes_per_block, 16),
    LayoutColumn("KV copies", lambda row: row.kv_copies, 10),
    LayoutColumn("Model figures", lambda row: row.model_figures, 30, is_text=True),
)


def rows_counted(count: int) -> Message:
    """What the sheet says of how many rows there are."""
    return Message("{count} rows; printed without them.", count=str(count))
