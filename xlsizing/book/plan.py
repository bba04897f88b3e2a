"""A person's plan: the sizing and the scenarios that a workbook asks for.

The catalogs settle what every name stands for; what the workbook's own tables say of an
entry is compared with them and told, but never sized with.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from xlsizing.book.catalog_columns import KINDS, CatalogColumn
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.reading import COMPARED, TypedWorkbook
from xlsizing.book.scenario import Scenario
from xlsizing.book.typed_scenario import typed_scenario
from xlsizing.core import Catalogs, SizingError, SizingResult
from xlsizing.core.catalogs import name_key
from xlsizing.core.entries import Entry
from xlsizing.core.errors import UnknownNameError
from xlsizing.core.message import Figure, Message, joined, one_or_many
from xlsizing.core.planning.cells import Value, words
from xlsizing.core.planning.inputs import INPUTS, Input
from xlsizing.core.planning.plan import (
    RefusedCellError,
    engine_settings,
    is_named,
    load_on_sizing,
)
from xlsizing.core.planning.typed import SYMBOLS, TypedLoad, typed_load
from xlsizing.language import ENGLISH, Language


class Plan(NamedTuple):
    """What a workbook asks for, sized."""

    result: SizingResult
    """The load on Sizing."""
    scenarios: Sequence[Scenario]
    """The rows of Scenarios; none where nothing is typed in it."""
    base: str
    """The scenario that the others are compared with; empty for none."""
    notes: Sequence[Message]
    """Where the workbook says otherwise than the catalogs, in sentences."""


def plan_of(workbook: TypedWorkbook, catalogs: Catalogs, language: Language = ENGLISH) -> Plan:
    """The sizing and the scenarios that a workbook asks for.

    Parameters
    ----------
    language : what is said in of rows that cannot be sized.

    Raises
    ------
    WorkbookReadError : the load on Sizing or a setting on Engine cannot be sized; the error
        names the cell. A row of Scenarios may be wrong, and then shows that.
    """
    try:
        settings = engine_settings(workbook.settings)
        load = load_on_sizing(workbook.load, catalogs)
    except RefusedCellError as error:
        raise _refused(workbook, error) from error
    result = load.result(settings)
    scenarios = [typed_scenario(row, settings, catalogs, language) for row in workbook.rows]
    live = [typed_load(each.typed, catalogs) for each in scenarios if each.is_live]
    notes = [
        *_language_notes(workbook),
        *_notes(workbook, [load, *live]),
        *_scenario_notes(workbook, scenarios),
    ]
    return Plan(result, scenarios, workbook.base, notes)


def _language_notes(workbook: TypedWorkbook) -> Iterator[Message]:
    """A sentence where the workbook asks for reports in a language that there is not."""
    cell = workbook.reports_in
    if workbook.language is None and words(cell.value):
        yield Message(
            "Language of reports ({place} in {path}) is {value}; it must be en or pt-BR, or empty. "
            "The report is in that of --lang or the system.",
            place=cell.place,
            path=workbook.path,
            value=repr(words(cell.value)),
        )


def _refused(workbook: TypedWorkbook, error: RefusedCellError) -> WorkbookReadError:
    """What to say of a refused cell; where only the workbook has a name, how to mend that."""
    asked = SYMBOLS.get(error.symbol)
    own = _only_in(workbook, asked, error.reason) if asked else ""
    return WorkbookReadError(
        Message(
            "{label} ({place} in {path}): {reason}{own}",
            label=error.label,
            place=error.cell.place,
            path=workbook.path,
            reason=str(error.reason),
            own=own,
        )
    )


_TABLES: Mapping[str, str] = {"Model": "Models", "Server": "Servers", "Storage": "Storage"}
_ADD_IT = Message(
    " It stands only in the workbook's own table {table}: add it to a folder of catalogs, and "
    "give that with --catalogs."
)


def _only_in(workbook: TypedWorkbook, asked: Input, error: SizingError) -> str:
    """What to say of a name that the workbook has and the catalogs have not; else nothing."""
    if not isinstance(error, UnknownNameError) or asked.symbol not in _TABLES:
        return ""
    table = _TABLES[asked.symbol]
    rows = [(row, "Name") for row in workbook.entries[table]]
    rows += [(row, "Alias") for row in workbook.entries[f"{asked.symbol}Aliases"]]
    own = {name_key(words(row.get(key))) for row, key in rows}
    return _ADD_IT.filled(table=table) if name_key(str(error.name)) in own else ""


_COLUMNS: Mapping[str, Mapping[str, CatalogColumn]] = {
    kind.table: {head: kind.by_head[head] for head in COMPARED[kind.table]} for kind in KINDS
}
"""The columns that are compared, by table and head."""


def _notes(workbook: TypedWorkbook, loads: Sequence[TypedLoad]) -> Iterator[Message]:
    """A sentence for each entry of which the workbook says otherwise than the catalogs."""
    for asked in (each for each in INPUTS if each.has_aliases):
        table = _TABLES[asked.symbol]
        rows = {name_key(words(row.get("Name"))): row for row in workbook.entries[table]}
        used = [load.taken[asked.symbol] for load in loads if asked.symbol in load.taken]
        for name, entry in {entry.name: entry for entry in used}.items():
            yield from _differences(table, entry, rows.get(name_key(name), {}))
        unknown = [load.refused[asked.symbol] for load in loads if asked.symbol in load.refused]
        for sentence, error in {str(error): error for error in unknown}.items():
            if more := _only_in(workbook, asked, error):
                yield joined("", (sentence, more))


def _scenario_notes(workbook: TypedWorkbook, scenarios: Sequence[Scenario]) -> Iterator[Message]:
    """A sentence for each way in which the scenarios are not what somebody may expect."""
    if not workbook.has_scenarios:
        yield Message(
            "{workbook} has no table Scenarios; presets stand in its place.", workbook=workbook.path
        )
    elif workbook.base:
        same = [each for each in scenarios if is_named(each.name, workbook.base)]
        if not same:
            yield Message(
                "There is no scenario named {base}; nothing is compared with it.",
                base=workbook.base,
            )
        elif len(same) > 1:
            yield Message(
                "{count} scenarios are named {base}; the first is the base.",
                count=str(len(same)),
                base=workbook.base,
            )
        elif not isinstance(same[0].values.get("NodesFinal"), int):
            yield Message(
                "The base scenario {base} is switched off, or has no number of nodes.",
                base=workbook.base,
            )


def _differences(table: str, entry: Entry, row: Mapping[str, Value]) -> Iterator[Message]:
    heads = [
        Message(
            "{column} ({there} there, {known} in the catalog)",
            column=head,
            there=_shown(row[head]),
            known=_shown(column.value(entry)),
        )
        for head, column in _COLUMNS[table].items()
        if head in row and not _agree(row[head], column.value(entry))
    ]
    if heads:
        yield one_or_many(
            "{name} on {table} differs from the catalog in {columns}; the catalog's figure was "
            "used.",
            "{name} on {table} differs from the catalog in {columns}; the catalog's figures were "
            "used.",
            len(heads),
            name=entry.name,
            table=table,
            columns=joined(", ", heads),
        )


def _agree(typed: Value, known: Value) -> bool:
    if isinstance(typed, str) or isinstance(known, str) or None in (typed, known):
        return name_key(words(typed)) == name_key(words(known))
    return typed == known


def _shown(value: Value) -> str:
    if isinstance(value, int | float):
        return Figure(f"{value:,}")
    return words(value) or Message("nothing")
