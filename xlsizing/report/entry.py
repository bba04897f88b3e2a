"""A catalog entry as text."""

from collections.abc import Iterator
from dataclasses import fields

from xlsizing.core.entries import Entry
from xlsizing.core.text import printable


def entry_text(entry: Entry) -> str:
    """The entry's fields, one a line, each with the source of its figure."""
    return "\n".join([entry.name, *_lines(entry)])


def _lines(entry: Entry) -> Iterator[str]:
    for each in fields(entry):
        value = getattr(entry, each.name)
        if each.name in ("name", "sources") or value in (None, (), ""):
            continue
        shown = ", ".join(value) if isinstance(value, tuple) else str(value)
        source = entry.sources.get(each.name, "")
        yield printable(f"  {each.name:<26}{shown:<22}  {source}".rstrip())
    if rest := entry.sources.get("*"):
        yield printable(f"  other figures: {rest}")
