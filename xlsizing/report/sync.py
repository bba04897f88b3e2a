"""What a sync changes in a workbook, as text and as JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from xlsizing.core.text import printable

Value = str | int | float | bool | None

Outcome = Literal["current", "out of date", "synced", "failed"]

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
    what: str
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


def changes_text(workbook: SyncedWorkbook) -> str:
    """The changes of a workbook as lines: its entries, its plans, what else to know."""
    return "\n".join(map(printable, _lines(workbook)))


def _lines(workbook: SyncedWorkbook) -> Iterator[str]:
    yield f"{workbook.path}: {_counts(workbook)}"
    width = max((len(row.table) for row in workbook.rows), default=0)
    for row in workbook.rows:
        edited = "; somebody had changed this row in the workbook" if row.was_edited else ""
        yield f"  {row.table:<{width}}  {row.what:<7}  {row.name}{edited}"
        for each in row.fields:
            formula = " (a formula)" if each.was_formula else ""
            yield f"{'':{width + 13}}{each.field}: {_shown(each.old)}{formula} -> {_shown(each.new)}"
    if workbook.effects:
        yield "  Plans that use what changes:"
        names = max(len(effect.scenario) for effect in workbook.effects)
        for effect in workbook.effects:
            nodes = f"{effect.before} -> {effect.after}"
            if effect.before == effect.after:
                nodes = f"{effect.after}, as before"
            yield f"    {effect.scenario:<{names}}  {nodes}  ({', '.join(effect.uses)})"
    for table, name in workbook.local:
        yield f"  {table}: {name} is local, in no catalog; it stays."
    yield from (f"  Note: {note}" for note in workbook.notes)


def _counts(workbook: SyncedWorkbook) -> str:
    counts = Counter(row.what for row in workbook.rows)
    if workbook.sheets:
        return f"sheets added with all entries: {', '.join(workbook.sheets)}"
    if not counts:
        return "up to date"
    return ", ".join(f"{counts[what]} {what}" for what in ("added", "changed", "removed"))


def _shown(value: Value) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = str(value)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return f"{value:,}"


def summary_text(workbooks: Sequence[SyncedWorkbook]) -> str:
    """How many workbooks came to what."""
    counts = Counter(workbook.outcome for workbook in workbooks)
    outcomes: Sequence[Outcome] = ("synced", "current", "out of date", "failed")
    named = ", ".join(f"{counts[each]} {each}" for each in outcomes if counts[each])
    return f"{len(workbooks)} workbook{'' if len(workbooks) == 1 else 's'}: {named}."


def sync_json(workbooks: Sequence[SyncedWorkbook]) -> str:
    """The same as JSON, one object a workbook."""
    document = {"workbooks": [_document(workbook) for workbook in workbooks]}
    return json.dumps(document, indent=2)


def _document(workbook: SyncedWorkbook) -> dict[str, object]:
    return {
        "path": workbook.path,
        "outcome": workbook.outcome,
        "changes": [
            {**row._asdict(), "fields": [field._asdict() for field in row.fields]}
            for row in workbook.rows
        ],
        "effects": [effect._asdict() for effect in workbook.effects],
        "local": [{"table": table, "name": name} for table, name in workbook.local],
        "notes": list(workbook.notes),
        "sheets_added": list(workbook.sheets),
        "backup": workbook.backup,
        "error": workbook.error,
    }
