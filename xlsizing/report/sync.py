"""What a sync changes in a workbook, as text and as JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from xlsizing.core.message import Figure, Message, joined, one_or_many
from xlsizing.core.text import printable
from xlsizing.language import ENGLISH, Language

Value = str | int | float | bool | None

Outcome = Literal["current", "out of date", "synced", "failed"]

Change = Literal["added", "changed", "removed"]

_CHANGES: Mapping[Change, Message] = {
    "added": Message("added"),
    "changed": Message("changed"),
    "removed": Message("removed"),
}
_CHANGES_COUNTED: Mapping[Change, Message] = {
    "added": Message("{count} added"),
    "changed": Message("{count} changed"),
    "removed": Message("{count} removed"),
}
_OUTCOMES_COUNTED: Mapping[Outcome, Message] = {
    "synced": Message("{count} synced"),
    "current": Message("{count} current"),
    "out of date": Message("{count} out of date"),
    "failed": Message("{count} failed"),
}
"""What rows and workbooks came to, in the order in which they are counted."""

_LONGEST = 40
"""Characters of a value that a line shows."""


class FieldLine(NamedTuple):
    """A figure or text of an entry that changes."""

    field: str
    old: Value
    new: Value
    was_formula: bool


class RowLine(NamedTuple):
    """An entry that is added, changed or removed."""

    table: str
    name: str
    what: Change
    fields: Sequence[FieldLine]
    was_edited: bool


class EffectLine(NamedTuple):
    """A plan that uses an entry which changes, and its nodes before and after."""

    scenario: str
    uses: Sequence[str]
    before: str
    after: str


class SyncedWorkbook(NamedTuple):
    """What a sync of one workbook came to."""

    path: str
    outcome: Outcome
    rows: Sequence[RowLine] = ()
    effects: Sequence[EffectLine] = ()
    local: Sequence[tuple[str, str]] = ()
    """Table and name of each row that is the workbook's own and stays."""
    notes: Sequence[str] = ()
    sheets: Sequence[str] = ()
    """Titles of catalog sheets that are added."""
    backup: str | None = None
    error: str | None = None


def changes_text(workbook: SyncedWorkbook, language: Language) -> str:
    """The changes of a workbook as lines: its entries, its plans, what else to know."""
    return "\n".join(map(printable, _lines(workbook, language)))


def _lines(workbook: SyncedWorkbook, language: Language) -> Iterator[str]:
    say = language.say
    yield f"{workbook.path}: {say(_counts(workbook))}"
    yield from _row_lines(workbook, language)
    if workbook.effects:
        heading = Message("Plans that use what changes:")
        yield f"  {say(heading)}"
    names = max((len(say(effect.scenario)) for effect in workbook.effects), default=0)
    for effect in workbook.effects:
        nodes = joined(" -> ", (effect.before, effect.after))
        if effect.before == effect.after:
            nodes = Message("{nodes}, as before", nodes=effect.after)
        yield f"    {say(effect.scenario):<{names}}  {say(nodes)}  ({', '.join(effect.uses)})"
    for table, name in workbook.local:
        local = Message(
            "{table}: {name} is local, in no catalog; it stays.", table=table, name=name
        )
        yield f"  {say(local)}"
    for note in workbook.notes:
        told = Message("Note: {note}", note=note)
        yield f"  {say(told)}"


def _row_lines(workbook: SyncedWorkbook, language: Language) -> Iterator[str]:
    """The entries that change, and what of them does."""
    say = language.say
    width = max((len(row.table) for row in workbook.rows), default=0)
    changes = max(map(len, map(say, _CHANGES.values())))
    for row in workbook.rows:
        name = row.name
        if row.was_edited:
            name = Message("{name}; somebody had changed this row in the workbook", name=name)
        yield f"  {row.table:<{width}}  {say(_CHANGES[row.what]):<{changes}}  {say(name)}"
        for each in row.fields:
            old = _shown(each.old)
            if each.was_formula:
                old = Message("{value} (a formula)", value=old)
            indent = " " * (width + changes + 6)
            yield f"{indent}{each.field}: {say(old)} -> {say(_shown(each.new))}"


def _counts(workbook: SyncedWorkbook) -> Message:
    counts = Counter(row.what for row in workbook.rows)
    if workbook.sheets:
        return Message("sheets added with all entries: {sheets}", sheets=", ".join(workbook.sheets))
    if not counts:
        return Message("up to date")
    counted = _CHANGES_COUNTED.items()
    return joined(", ", (text.filled(count=str(counts[what])) for what, text in counted))


def _shown(value: Value) -> str:
    if value is None:
        return Message("nothing")
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = str(value)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return Figure(f"{value:,}")


def summary_text(workbooks: Sequence[SyncedWorkbook], language: Language) -> str:
    """How many workbooks came to what."""
    counts = Counter(workbook.outcome for workbook in workbooks)
    outcomes = (
        text.filled(count=str(counts[outcome]))
        for outcome, text in _OUTCOMES_COUNTED.items()
        if counts[outcome]
    )
    summary = one_or_many(
        "{count} workbook: {outcomes}.",
        "{count} workbooks: {outcomes}.",
        len(workbooks),
        count=str(len(workbooks)),
        outcomes=joined(", ", outcomes),
    )
    return language.say(summary)


def sync_json(workbooks: Sequence[SyncedWorkbook], language: Language = ENGLISH) -> str:
    """The same as JSON, one object a workbook.

    Its texts are English unless another language is asked for.
    """
    document = {"workbooks": [_document(workbook, language) for workbook in workbooks]}
    return json.dumps(document, indent=2)


def _document(workbook: SyncedWorkbook, language: Language) -> dict[str, object]:
    say = language.say
    return {
        "path": workbook.path,
        "outcome": workbook.outcome,
        "changes": [
            {**row._asdict(), "fields": [field._asdict() for field in row.fields]}
            for row in workbook.rows
        ],
        "effects": [
            {
                "scenario": say(effect.scenario),
                "uses": list(effect.uses),
                "before": say(effect.before),
                "after": say(effect.after),
            }
            for effect in workbook.effects
        ],
        "local": [{"table": table, "name": name} for table, name in workbook.local],
        "notes": list(map(say, workbook.notes)),
        "sheets_added": list(workbook.sheets),
        "backup": workbook.backup,
        "error": None if workbook.error is None else say(workbook.error),
    }
