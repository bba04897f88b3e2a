"""The catalog entries that a sizing used, with the source of each figure."""

from collections.abc import Iterator
from dataclasses import fields

from xlsizing.core import SizingResult
from xlsizing.core.entries import Entry
from xlsizing.core.exact import grouped, is_number, plain
from xlsizing.core.message import Message
from xlsizing.report.full.blocks import Section, Table

_NO_FIGURES = ("name", "aliases", "sources", "notes")


def entry_sections(result: SizingResult) -> Iterator[Section]:
    """A section for each entry: its figures, and where each is from."""
    for title, entry in (
        (Message("Catalog entry of the model: {name}", name=result.model.name), result.model),
        (Message("Catalog entry of the server: {name}", name=result.server.name), result.server),
        (Message("Catalog entry of the storage: {name}", name=result.storage.name), result.storage),
    ):
        heads = (Message("Field"), Message("Value"), Message("Source"))
        yield Section(title, [*_notes(entry), Table(heads, list(_rows(entry)))])


def _notes(entry: Entry) -> list[str]:
    return [entry.notes] if entry.notes else []


def _rows(entry: Entry) -> Iterator[tuple[str, str, str]]:
    rest = entry.sources.get("*", "")
    for each in fields(entry):
        value = getattr(entry, each.name)
        if each.name in _NO_FIGURES or value in (None, (), "") or _is_structure(value):
            continue
        source = entry.sources.get(each.name, rest)
        yield each.name, _shown(value), source or Message("no source")


def _is_structure(value: object) -> bool:
    """Whether a field holds layers and the like, which the catalog shows better."""
    return isinstance(value, tuple | dict) or hasattr(value, "__dataclass_fields__")


def _shown(value: object) -> str:
    if isinstance(value, bool) or not is_number(value):
        return str(value)
    if isinstance(value, int):
        return grouped(value)
    assert isinstance(value, float)
    return plain(value)
