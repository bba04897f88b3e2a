"""What a sync changes in a workbook, as a page and as JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from xlsizing.core.message import Figure, Message, joined, one_or_many
from xlsizing.language import ENGLISH, Language
from xlsizing.page import Column, Page, Row, Table, Tone

Value = str | int | float | bool | None

Outcome = Literal["current", "out of date", "synced", "failed"]

Change = Literal["added", "changed", "removed"]

_CHANGES: Mapping[Change, Message] = {
    "added": Message("added"),
    "changed": Message("changed"),
    "removed": Message("removed"),
}
_TONES: Mapping[Change, Tone] = {"added": "good", "changed": "doubtful", "removed": "bad"}
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


def changes_page(workbook: SyncedWorkbook, *, with_notes: bool = True) -> Page:
    """The changes of a workbook: its entries, its plans, what else to know."""
    page: list[str | Table] = [joined(": ", (workbook.path, _counts(workbook)))]
    if workbook.rows:
        page.append(_changed(workbook.rows))
    if workbook.effects:
        page.append(_effects(workbook.effects))
    if with_notes:
        page += _notes(workbook)
    return page


def _changed(rows: Sequence[RowLine]) -> Table:
    """The entries that change, and what of them does."""
    tables = Column(gap=2, holds=[row.table for row in rows])
    changes = Column(gap=2, holds=list(_CHANGES.values()))
    return Table([tables, changes, Column()], [_row(row) for row in rows], indent=2)


def _row(row: RowLine) -> Row:
    name = row.name
    if row.was_edited:
        name = Message("{name}; somebody had changed this row in the workbook", name=name)
    return Row(
        (row.table, _CHANGES[row.what], name),
        [_field(each) for each in row.fields],
        _TONES[row.what],
    )


def _field(field: FieldLine) -> Message:
    old = _shown(field.old)
    if field.was_formula:
        old = Message("{value} (a formula)", value=old)
    return joined("", (field.field, ": ", old, " -> ", _shown(field.new)))


def _effects(effects: Sequence[EffectLine]) -> Table:
    """The plans that use what changes, with their nodes."""
    names = Column(gap=2, holds=[effect.scenario for effect in effects])
    rows = [
        Row((effect.scenario, _nodes(effect), f"({', '.join(effect.uses)})")) for effect in effects
    ]
    title = _under(Message("Plans that use what changes:"))
    return Table([names, Column(gap=2), Column()], rows, title, indent=4)


def _nodes(effect: EffectLine) -> Message:
    if effect.before == effect.after:
        return Message("{nodes}, as before", nodes=effect.after)
    return joined(" -> ", (effect.before, effect.after))


def _notes(workbook: SyncedWorkbook) -> Iterator[Message]:
    for table, name in workbook.local:
        yield _under(
            Message("{table}: {name} is local, in no catalog; it stays.", table=table, name=name)
        )
    for note in workbook.notes:
        yield _under(Message("Note: {note}", note=note))


def _under(text: Message) -> Message:
    """A line that belongs to the workbook above it."""
    return joined("", ("  ", text))


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


def summary(workbooks: Sequence[SyncedWorkbook]) -> Message:
    """How many workbooks came to what."""
    counts = Counter(workbook.outcome for workbook in workbooks)
    outcomes = (
        text.filled(count=str(counts[outcome]))
        for outcome, text in _OUTCOMES_COUNTED.items()
        if counts[outcome]
    )
    return one_or_many(
        "{count} workbook: {outcomes}.",
        "{count} workbooks: {outcomes}.",
        len(workbooks),
        count=str(len(workbooks)),
        outcomes=joined(", ", outcomes),
    )


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
