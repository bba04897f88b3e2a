"""Results that depend on the catalogs, computed anew where they are ours.

A formula is ours where a workbook made afresh from the same inputs has the same formula in
the same cell; its value there, which core computes, is then its value here. All other
formulas keep the value that they have, until a spreadsheet program computes them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from xlsizing.book.build import computed
from xlsizing.book.cells import ROW_MARK, PackageNotes
from xlsizing.book.contents import Contents
from xlsizing.book.package.xml import Edit, in_text
from xlsizing.book.rows import cell_value
from xlsizing.book.scenario import Scenario
from xlsizing.book.sync.effects import Plans
from xlsizing.book.typed_scenario import typed_scenario
from xlsizing.book.worksheet import (
    LAST_COLUMN,
    LAST_ROW,
    Area,
    Cell,
    Worksheet,
    area_of,
    column_letters,
)
from xlsizing.core.planning.cells import Value, trimmed
from xlsizing.core.planning.limits import is_countable
from xlsizing.core.planning.plan import SCENARIOS, RefusedCellError, load_on_sizing

_ALL = Area(1, 1, LAST_ROW, LAST_COLUMN)
_KIND = re.compile(rb"""\st\s*=\s*(?:"[^"]*"|'[^']*')""")
_EMPTY = Scenario(name="", active=None, typed={}, values={})


class Result(NamedTuple):
    """A formula of ours, and what it comes to."""

    formula: str
    value: Value


Results = Mapping[str, Mapping[str, Result]]
"""The results of each sheet, by its title and by address."""


def results(contents: Contents, plans: Plans) -> Results | None:
    """What the formulas of a workbook come to after a sync.

    None where the load on Sizing is refused, or uses figures that only the workbook has: a
    spreadsheet program must compute it.
    """
    try:
        load = load_on_sizing(plans.typed.load, plans.catalogs)
    except RefusedCellError:
        return None
    result = load.result(plans.settings)
    if not is_countable(result) or _uses_unknown(plans):
        return None
    scenarios = [typed_scenario(row, plans.settings, plans.catalogs) for row in plans.typed.rows]
    rows = _rows_of_scenarios(contents)
    scenarios += [_EMPTY] * (rows - len(scenarios))
    book, notes = computed(result, scenarios, plans.typed.base, plans.catalogs)
    found: dict[str, dict[str, Result]] = {}
    for (title, address), value in notes.values.items():
        formula = book[title][address].value
        found.setdefault(title, {})[address] = Result(str(formula).removeprefix("="), value)
    for title, address, made in _of_blocks(notes):
        found.setdefault(title, {})[address] = made
    return found


def _uses_unknown(plans: Plans) -> bool:
    names = [cell.value for cell in plans.typed.load.values()]
    names += [value for row in plans.typed.rows if row.is_live for value in row.typed.values()]
    return bool(plans.unknown & {trimmed(name).lower() for name in names})


def _rows_of_scenarios(contents: Contents) -> int:
    placed = contents.tables.get(SCENARIOS.lower())
    if placed is None:
        return 0
    area = area_of(placed.cells)
    return area.bottom - placed.totals - area.top


def _of_blocks(notes: PackageNotes) -> Iterator[tuple[str, str, Result]]:
    for title, blocks in notes.blocks.items():
        for block in blocks:
            for column in block.columns:
                if column.formula is not None:
                    for row, value in enumerate(column.values, start=block.first_row):
                        formula = column.formula.replace(ROW_MARK, str(row))
                        yield title, f"{column.letter}{row}", Result(formula, value)


def result_edits(
    worksheet: Worksheet, contents: Contents, found: Mapping[str, Result]
) -> list[Edit]:
    """The edits that give the formulas of a sheet the values that they come to."""
    edits: list[Edit] = []
    for cell in worksheet.cells_in(_ALL):
        formula = worksheet.formula(cell)
        known = found.get(f"{column_letters(cell.column)}{cell.row}")
        if formula is not None and known is not None and known.formula == formula:
            held = contents.value_in(worksheet, cell)
            if edit := _value_edit(worksheet, cell, held, known.value):
                edits.append(edit)
    return edits


def _value_edit(worksheet: Worksheet, cell: Cell, held: Value, value: Value) -> Edit | None:
    """The edit that gives a formula's cell another value; None where it has it."""
    kind, text = cell_value(value)
    written = worksheet.content[cell.start : cell.end]
    if type(held) is type(value) and held == value:
        return None
    if (
        isinstance(held, int | float)
        and isinstance(value, int | float)
        and repr(held) == repr(value)
    ):
        return None
    prefix = worksheet.prefix
    tag_end = cell.tag_end - cell.start
    tag = _KIND.sub(b"", written[:tag_end])
    if kind:
        tag = tag.removesuffix(b">") + b' t="%b">' % kind.encode()
    of_value = re.compile(rb"<%bv(?:\s[^>]*)?(?:/>|>[^<]*</%bv\s*>)" % (prefix, prefix))
    rest = of_value.sub(b"", written[tag_end:])
    end = rest.rindex(b"</%bc" % prefix)
    new = b"<%bv>%b</%bv>" % (prefix, in_text(text).encode(), prefix)
    after = _after_formula(rest, prefix)
    place = after if after >= 0 else end
    return Edit(cell.start, cell.end, tag + rest[:place] + new + rest[place:])


def _after_formula(rest: bytes, prefix: bytes) -> int:
    match = re.search(rb"<%bf(?:\s[^>]*)?(?:/>|>[^<]*</%bf\s*>)" % (prefix, prefix), rest)
    return match.end() if match else -1
