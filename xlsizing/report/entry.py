"""A catalog entry as text."""

from collections.abc import Iterator
from dataclasses import fields

from xlsizing.core.entries import Entry
from xlsizing.core.layers import LayerGroup, described
from xlsizing.core.message import Message, joined
from xlsizing.core.text import printable
from xlsizing.language import Language


def entry_text(entry: Entry, language: Language) -> str:
    """The entry's fields, one a line, each with the source of its figure."""
    return "\n".join([entry.name, *_lines(entry, language)])


def _lines(entry: Entry, language: Language) -> Iterator[str]:
    for each in fields(entry):
        value = getattr(entry, each.name)
        if each.name in ("name", "sources") or value in (None, (), ""):
            continue
        shown = language.say(_shown(value))
        source = entry.sources.get(each.name, "")
        yield printable(f"  {each.name:<26}{shown:<22}  {source}".rstrip())
    if rest := entry.sources.get("*"):
        others = Message("other figures: {source}", source=rest)
        yield printable(f"  {language.say(others)}")


def _shown(value: object) -> str:
    """A field's value; a group of layers is said in words."""
    if not isinstance(value, tuple):
        return str(value)
    if any(isinstance(each, LayerGroup) for each in value):
        return joined("; ", (joined(" x ", (str(each.layers), described(each))) for each in value))
    return ", ".join(value)
