"""What changed catalogs do to the plans of a workbook: which use them, and their nodes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from xlsizing.book.contents import Contents
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.reading import COMPARED, TypedWorkbook, typed_workbook
from xlsizing.book.sync.changes import CatalogChanges, RowChange
from xlsizing.book.sync.entries import merged
from xlsizing.book.worksheet import area_of
from xlsizing.core import Catalogs, SizingError
from xlsizing.core.catalogs import name_key
from xlsizing.core.engine import DEFAULT_SETTINGS, EngineSettings
from xlsizing.core.errors import UnknownNameError
from xlsizing.core.message import Figure, Message
from xlsizing.core.planning.cells import Value, trimmed, words
from xlsizing.core.planning.limits import is_countable
from xlsizing.core.planning.plan import SCENARIOS, RefusedCellError, engine_settings
from xlsizing.core.planning.typed import typed_load

ON_SIZING = "Sizing"
"""What the load on the sheet Sizing is called."""
NOTHING_FITS = Message("nothing fits")
NOT_KNOWN = Message("not known")
TOO_LARGE = Message("too large to count exactly")
_GONE: Mapping[str, Message] = {
    "Model": Message("no model {name}"),
    "Server": Message("no server {name}"),
    "Storage": Message("no storage {name}"),
}
"""What is said of a plan, by the symbol of an input whose name no catalog has any more."""

_INPUT_OF: Mapping[str, str] = {"Models": "Model", "Servers": "Server", "Storage": "Storage"}
_ANSWERS = ("Nodes final", "Status")


class Effect(NamedTuple):
    """A plan that uses an entry which changes: its nodes as it stands there, and then."""

    scenario: str
    uses: Sequence[str]
    """Names of the entries that change."""
    before: str
    after: str


class Plans(NamedTuple):
    """What a workbook asks for, and what its names stand for after a sync."""

    typed: TypedWorkbook
    settings: EngineSettings
    catalogs: Catalogs
    unknown: frozenset[tuple[str, str]]
    """Table and key of each name whose figures only the workbook has."""
    are_settings_taken: bool = True
    """Whether the engine's settings are those that are typed, and none of them is refused."""

    def uses_unknown(self, typed: Mapping[str, Value]) -> bool:
        """Whether a load, given by symbol, uses figures that only the workbook has."""
        return any(
            (table, name_key(trimmed(typed.get(symbol)))) in self.unknown
            for table, symbol in _INPUT_OF.items()
        )


def plans_of(
    contents: Contents, catalogs: Catalogs, changes: Sequence[CatalogChanges]
) -> Plans | None:
    """The plans of a workbook; None where it is no planning workbook."""
    try:
        typed = typed_workbook(contents)
    except WorkbookReadError:
        return None
    settings, are_taken = DEFAULT_SETTINGS, True
    try:
        settings = engine_settings(typed.settings)
    except RefusedCellError:
        are_taken = False
    made, unknown = merged(catalogs, changes)
    return Plans(typed, settings, made, frozenset(unknown), are_taken)


def effects(contents: Contents, plans: Plans, changes: Sequence[CatalogChanges]) -> list[Effect]:
    """The plans that use an entry which changes."""
    by_table = {change.kind.table: touched(change) for change in changes}
    found = []
    for name, typed, before in _loads(contents, plans.typed):
        uses = [
            by_table[table][key]
            for table, symbol in _INPUT_OF.items()
            if (key := name_key(trimmed(typed.get(symbol)))) in by_table.get(table, {})
        ]
        if uses:
            found.append(Effect(name, uses, before, _after(typed, plans)))
    return found


def touched(change: CatalogChanges) -> dict[str, str]:
    """The names of entries whose sizing may change, by the key of each name that finds them."""
    found = {name_key(row.name): row.name for row in change.rows if _matters(change, row)}
    if change.table.aliases:
        for row in change.table.aliases.rows:
            target = name_key(words(row.values[change.kind.noun]))
            if target in found:
                found.setdefault(name_key(words(row.values["Alias"])), found[target])
    for alias in change.alias_rows:
        found.setdefault(name_key(alias.name), alias.name)
    return found


def changes_what_is_there(change: CatalogChanges) -> bool:
    """Whether the sizing of entries may change that are there already: more than come may."""
    return any(row.what != "added" and _matters(change, row) for row in change.rows) or any(
        alias.what != "added" for alias in change.alias_rows
    )


def _matters(change: CatalogChanges, row: RowChange) -> bool:
    # Alerts name entries, and the figures without a source.
    depend = {*COMPARED[change.kind.table], "Name", "Unsourced"}
    return row.what != "changed" or any(field.head in depend for field in row.fields)


def _loads(
    contents: Contents, typed: TypedWorkbook
) -> Iterator[tuple[str, Mapping[str, Value], str]]:
    """Each load that counts: its name, what is typed, and the nodes that the workbook shows."""
    load = {symbol: cell.value for symbol, cell in typed.load.items()}
    answers = [contents.named_value(name) for name in ("Output_NodesFinal", "Output_Status")]
    yield ON_SIZING, load, _shown(*answers)
    rows = _answers(contents)
    for number, row in enumerate(typed.rows):
        if row.is_live:
            nodes, status = rows[number] if number < len(rows) else (None, None)
            unnamed = Message("Scenario {number}", number=str(number + 1))
            yield row.name.strip() or unnamed, row.typed, _shown(nodes, status)


def _answers(contents: Contents) -> list[tuple[Value, Value]]:
    """Nodes and status of each row of Scenarios, as the workbook shows them."""
    placed = contents.tables.get(SCENARIOS.lower())
    sheet = placed and contents.sheet(placed.sheet)
    if placed is None or sheet is None:
        return []
    area = area_of(placed.cells)
    columns = {
        contents.value(sheet, cell): cell.column
        for cell in contents.cells(sheet, area._replace(bottom=area.top))
    }
    wanted = [columns.get(head) for head in _ANSWERS]
    held = {
        (cell.row, cell.column): contents.value(sheet, cell)
        for cell in contents.cells(sheet, area)
        if cell.column in wanted
    }
    rows = range(area.top + 1, area.bottom + 1)
    return [(held.get((row, wanted[0] or 0)), held.get((row, wanted[1] or 0))) for row in rows]


def _shown(nodes: Value, status: Value) -> str:
    if isinstance(nodes, int | float) and not isinstance(nodes, bool):
        return _counted(nodes)
    return words(status).strip() or NOT_KNOWN


def _after(typed: Mapping[str, Value], plans: Plans) -> str:
    if plans.uses_unknown(typed):
        return NOT_KNOWN
    load = typed_load(typed, plans.catalogs)
    for symbol, reason in load.refused.items():
        if isinstance(reason, UnknownNameError):
            return _GONE[symbol].filled(name=trimmed(typed.get(symbol)))
        return str(reason)
    try:
        result = load.result(plans.settings)
    except SizingError as error:
        return str(error)
    if not is_countable(result):
        return TOO_LARGE
    return NOTHING_FITS if result.nodes_final is None else _counted(result.nodes_final)


def _counted(nodes: float) -> Message:
    shown = Figure(f"{nodes:,}")
    return (
        Message("{nodes} node", nodes=shown)
        if nodes == 1
        else Message("{nodes} nodes", nodes=shown)
    )
