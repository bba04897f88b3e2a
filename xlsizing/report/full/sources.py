"""The catalog entries that a sizing used, with the source of each figure."""

from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal

from xlsizing.blocks import Block, Section, Table
from xlsizing.core import SizingResult
from xlsizing.core.entries import Entry
from xlsizing.core.exact import grouped, is_number, plain
from xlsizing.core.message import Message

_NO_FIGURES = ("name", "aliases", "sources", "notes")


def entry_sections(result: SizingResult) -> Iterator[Section]:
    """A section for each entry: its figures, and where each is from."""
    for title, entry in (
        (Message("Catalog entry of the model: {name}", name=result.model.name), result.model),
        (Message("Catalog entry of the server: {name}", name=result.server.name), result.server),
        (Message("Catalog entry of the storage: {name}", name=result.storage.name), result.storage),
    ):
        yield Section(title, list(_blocks(entry)))


def _blocks(entry: Entry) -> Iterator[Block]:
    if entry.notes:
        yield entry.notes
    # Most fields share a few long sources, so that a number stands for each.
    numbers: dict[str, int] = {}
    rows = []
    for field, value, source in _figures(entry):
        place = numbers.setdefault(source, len(numbers) + 1) if source else 0
        rows.append((field, value, grouped(place) if place else ""))
    heads = (Message("Field"), Message("Value"), Message("Source"))
    yield Table(heads, rows, frozenset({2}))
    for source, number in numbers.items():
        yield Message("Source {number}: {source}", number=grouped(number), source=source)


def _figures(entry: Entry) -> Iterator[tuple[str, str, str]]:
    rest = entry.sources.get("*", "")
    for each in fields(entry):
        value = getattr(entry, each.name)
        if each.name in _NO_FIGURES or value in (None, (), "") or _is_structure(value):
            continue
        source = entry.sources.get(each.name, rest)
        if not source and each.name == "total_hbm_gb":
            source = Message("gpus × hbm_per_gpu_gb")
        yield each.name, _shown(value), source


def _is_structure(value: object) -> bool:
    """Whether a field holds layers and the like, which the catalog shows better."""
    return isinstance(value, tuple | dict) or hasattr(value, "__dataclass_fields__")


def _shown(value: object) -> str:
    if isinstance(value, bool) or not is_number(value):
        return str(value)
    assert isinstance(value, int | float | Decimal)
    return grouped(int(value)) if value == int(value) else plain(value)
