"""Answers of several cells, with a head: a load's figures, its alerts, and the catalogs."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from typing import Any, cast

from xlsizing.core import Catalogs, SizingError, SizingResult
from xlsizing.core.alerts import SEVERITIES, Severity
from xlsizing.core.catalogs import name_key
from xlsizing.core.entries import Entry
from xlsizing.core.errors import InvalidValueError, UnknownNameError
from xlsizing.core.message import Message
from xlsizing.excel.cells import (
    NOTHING_FITS,
    Cell,
    error_in,
    error_value,
    is_blank,
    word,
)
from xlsizing.excel.host import said
from xlsizing.excel.planning import catalogs, sizing
from xlsizing.excel.ranges import Argument, Range, answers, loads, shape_of

SIZING_HEAD = (
    Message("KV per session GiB"),
    Message("KV total TiB"),
    Message("Sessions per node"),
    Message("Nodes minimum"),
    Message("Nodes with headroom"),
    Message("Nodes final"),
    Message("Status"),
    Message("Alerts"),
)
"""The figures of a load, as the columns of a workbook's Scenarios are called."""

WARNINGS_HEAD = (
    Message("Code"),
    Message("Severity"),
    Message("Message"),
    Message("What to do"),
)
LOAD_HEAD = Message("Load")
"""Beside the alerts of several loads: which of them is warned of, row by row from 1."""

NO_ALERTS = ("OK", "", Message("Nothing to warn of."), "")

_REQUIRED = 4
"""Arguments of a load that must be given: model, server, concurrency and context."""

_LONGEST_TEXT = 32_767


def sizing_table(arguments: Sequence[Argument]) -> Range:
    """The figures of each load, one a row, under a head."""
    rows = [_figures(cells) for cells in loads(arguments, _REQUIRED)]
    return [[*map(said, SIZING_HEAD)], *rows]


def _figures(cells: tuple[Cell, ...] | None) -> list[Cell]:
    if cells is None:
        return [""] * len(SIZING_HEAD)
    if passed_on := error_in(cells):
        return _not_sized(passed_on, an_error(passed_on))
    try:
        result = sizing(*cells)
    except SizingError as error:
        return _not_sized(error_value(error), str(error))
    counts = (result.nodes_minimum, result.nodes_with_headroom, result.nodes_final)
    return [
        result.kv_per_session_gib,
        result.kv_total_tib,
        result.sessions_per_node,
        *(NOTHING_FITS if count is None else count for count in counts),
        said(result.status),
        "; ".join(dict.fromkeys(alert.code for alert in result.all_alerts)),
    ]


def _not_sized(shown: str, why: str) -> list[Cell]:
    return [*[shown] * (len(SIZING_HEAD) - 2), said(why), ""]


def an_error(shown: str) -> Message:
    """What to say of a load that an error value was handed over for."""
    return Message("An argument shows {error}; mend the cell that it comes from.", error=shown)


def warnings_table(arguments: Sequence[Argument]) -> Range:
    """The alerts of each load, one a row, under a head."""
    none: list[Cell] = [*map(said, NO_ALERTS)]
    head: list[Cell] = [*map(said, (*WARNINGS_HEAD, LOAD_HEAD))]
    if all(shape_of(argument).cells == 1 for argument in arguments):
        found = next(loads(arguments, _REQUIRED))
        # Of a load that is not asked for nothing is said.
        return [head[:-1], *(_alerts(found) or ([] if found is None else [none]))]
    rows: Range = [
        [*alert, number]
        for number, cells in enumerate(loads(arguments, _REQUIRED), start=1)
        for alert in _alerts(cells)
    ]
    return [head, *(rows or [[*none, ""]])]


def _alerts(cells: tuple[Cell, ...] | None) -> list[list[Cell]]:
    """The alerts of a load in words, or why it cannot be sized; none where nothing is asked."""
    if cells is None:
        return []
    if passed_on := error_in(cells):
        return [_alert("ERROR_VALUE", "error", an_error(passed_on), "")]
    try:
        result: SizingResult = sizing(*cells)
    except SizingError as error:
        return [_alert(error.code, "error", str(error), "")]
    return [
        _alert(each.code, each.severity, each.message, each.recommendation)
        for each in result.all_alerts
    ]


def _alert(code: str, severity: Severity, message: str, recommendation: str) -> list[Cell]:
    return [code, *map(said, (SEVERITIES[severity], message, recommendation))]


_KINDS: Mapping[str, Message] = {
    "models": Message("field of a model"),
    "servers": Message("field of a server"),
    "storage": Message("field of a storage profile"),
}
"""What CATALOG lists, and what a field of it is called."""


def catalog_table(kind: Argument, name: Argument, field: Argument) -> Cell | Range:
    """What the catalogs say: a field of an entry, or entries under a head of fields.

    Raises
    ------
    InvalidValueError : there is no such kind.
    UnknownNameError : there is no such entry, or field.
    """
    if passed_on := error_in((kind, name, field)):
        return passed_on
    listed = _kind(kind)
    entries = entries_of(catalogs(), listed)
    if not _is_left_out(name) and not _is_left_out(field):
        return answers(lambda *cells: _figure(listed, *cells), (name, field), 1)
    names: Sequence[Cell] = (
        [entry.name for entry in entries] if _is_left_out(name) else _cells(name)
    )
    heads = _fields(entries) if _is_left_out(field) else [_field(listed, x) for x in _cells(field)]
    return [
        cast("list[Cell]", heads),
        *(_row_of(listed, each, heads, alone=len(names) == 1) for each in names),
    ]


def _row_of(kind: str, name: Cell, heads: Sequence[str], *, alone: bool) -> list[Cell]:
    """An entry's fields; of a wrong name among others error values."""
    if passed_on := error_in((name,)):
        return [passed_on] * len(heads)
    try:
        entry = _entry(kind, name)
    except SizingError as error:
        if alone:
            raise
        return [error_value(error)] * len(heads)
    return [_shown(getattr(entry, head)) for head in heads]


def _kind(argument: Argument) -> str:
    cell = argument[0][0] if isinstance(argument, list) else argument
    found = word(cell) or ""
    if found not in _KINDS or shape_of(argument).cells > 1:
        right = Message("one of {choices}", choices=", ".join(_KINDS))
        raise InvalidValueError("kind", argument, right)
    return found


def entries_of(known: Catalogs, kind: str) -> Sequence[Entry]:
    """The entries of a kind."""
    by_kind: Mapping[str, Sequence[Entry]] = {
        "models": known.models,
        "servers": known.servers,
        "storage": known.profiles,
    }
    return by_kind[kind]


def _is_left_out(argument: Argument) -> bool:
    rows = argument if isinstance(argument, list) else [[argument]]
    return all(is_blank(cell) for row in rows for cell in row)


def _cells(argument: Argument) -> list[Cell]:
    """The cells of a range that are not blank; names beneath each other or side by side."""
    rows = argument if isinstance(argument, list) else [[argument]]
    return [cell for row in rows for cell in row if not is_blank(cell)]


def _figure(kind: str, name: Cell, field: Cell) -> Cell:
    return _shown(getattr(_entry(kind, name), _field(kind, field)))


def _entry(kind: str, cell: Cell) -> Entry:
    known = catalogs()
    find: Mapping[str, Callable[[object], Entry]] = {
        "models": known.model,
        "servers": known.server,
        "storage": known.profile,
    }
    return find[kind](cell)


def _field(kind: str, cell: Cell) -> str:
    known = [each.name for each in fields(entries_of(catalogs(), kind)[0])]
    if not isinstance(cell, str) or name_key(cell) not in known:
        raise UnknownNameError(_KINDS[kind], cell, known)
    return name_key(cell)


def _fields(entries: Sequence[Entry]) -> list[str]:
    """The fields that an entry of these says something of, in their order."""
    known = [each.name for each in fields(entries[0])]
    return [each for each in known if any(_shown(getattr(entry, each)) != "" for entry in entries)]


def _shown(value: Any) -> Cell:
    """A field as a cell shows it: lists of names joined, anything deeper as JSON."""
    if value is None:
        return ""
    if isinstance(value, str | bool | int | float):
        return _cut(value) if isinstance(value, str) else value
    if isinstance(value, tuple) and all(isinstance(each, str) for each in value):
        return _cut(", ".join(value))
    plain = [asdict(each) for each in value] if _are_entries(value) else value
    return _cut(json.dumps(plain, ensure_ascii=False)) if value else ""


def _are_entries(value: Any) -> bool:
    return isinstance(value, tuple) and all(is_dataclass(each) for each in value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 3] + "..."
