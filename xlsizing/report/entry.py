"""A catalog entry, and the names of all, as pages."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from xlsizing.core.entries import Entry
from xlsizing.core.layers import LayerGroup, described
from xlsizing.core.message import Message, joined
from xlsizing.page import Column, Page, Row, Table


def entry_page(entry: Entry) -> Page:
    """The entry's fields, one a row, each with the source of its figure."""
    rows = [
        Row((each.name, _shown(value), entry.sources.get(each.name, "")))
        for each in fields(entry)
        if each.name not in ("name", "sources")
        and (value := getattr(entry, each.name)) not in (None, (), "")
    ]
    columns = [Column(26), Column(22, gap=2), Column()]
    others = entry.sources.get("*")
    more = [joined("", ("  ", Message("other figures: {source}", source=others)))] if others else []
    return [Table(columns, rows, entry.name, indent=2), *more]


def names_page(names: Mapping[Message, Sequence[str]]) -> Page:
    """Names of entries below a title for each kind."""
    return [
        Table([Column()], [Row((name,)) for name in found], title, indent=2)
        for title, found in names.items()
    ]


def _shown(value: object) -> str:
    """A field's value; a group of layers is said in words."""
    if not isinstance(value, tuple):
        return str(value)
    if any(isinstance(each, LayerGroup) for each in value):
        return joined("; ", (joined(" x ", (str(each.layers), described(each))) for each in value))
    return ", ".join(value)
