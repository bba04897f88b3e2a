"""Results that depend on the catalogs, computed anew where they are ours.

A formula is ours where a workbook made afresh from the same inputs has the same formula in
the same cell, or anywhere if it names no cell by address; its value there, which core
computes, is then its value here. One whose value core cannot tell keeps none, rather than
one of before. All other formulas keep the value that they have, until a spreadsheet program
computes them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from openpyxl.formula.translate import Translator
from openpyxl.workbook import Workbook

from xlsizing.book import report_check
from xlsizing.book.build import Room, computed
from xlsizing.book.cells import ROW_MARK, PackageNotes, Writer
from xlsizing.book.checks import CHECKS, write_checks
from xlsizing.book.contents import Contents
from xlsizing.book.expressions import said
from xlsizing.book.faults import FORMULAS, faulty_values
from xlsizing.book.names import define
from xlsizing.book.origin import written_in
from xlsizing.book.package.xml import Edit, in_text
from xlsizing.book.rows import cell_value
from xlsizing.book.scenario import Scenario
from xlsizing.book.scenarios_sheet import TABLE_TOP
from xlsizing.book.sizing_sheet import reference
from xlsizing.book.sync.dependence import Place, dependent
from xlsizing.book.sync.edits import has_addresses
from xlsizing.book.sync.effects import Plans
from xlsizing.book.typed_scenario import typed_scenario
from xlsizing.book.values import formula_values
from xlsizing.book.worksheet import (
    LAST_COLUMN,
    LAST_ROW,
    Area,
    Cell,
    Worksheet,
    address_of,
    area_of,
    column_letters,
)
from xlsizing.core import SizingResult
from xlsizing.core.planning.cells import Value
from xlsizing.core.planning.inputs import SETTINGS_ASKED
from xlsizing.core.planning.limits import is_countable
from xlsizing.core.planning.plan import SCENARIOS
from xlsizing.core.planning.typed import SYMBOLS, stand_ins, typed_load
from xlsizing.language import Language

_ALL = Area(1, 1, LAST_ROW, LAST_COLUMN)
_KIND = re.compile(rb"""\st\s*=\s*(?:"[^"]*"|'[^']*')""")
_SHARED = re.compile(rb"""\ssi\s*=\s*["']([0-9]+)["']""")
_EMPTY = Scenario(name="", active=None, typed={}, values={})
_ABOUT, _CHARTS, _WARNINGS = "About", "Charts", "Warnings"
_CHECKS_FAILED = "Checks_Failed"
_SERVER_LINE = re.compile(r"IFERROR\(INDEX\(Servers\[Name\],")


class Result(NamedTuple):
    """A formula of ours, and what it comes to."""

    formula: str
    value: Value
    is_known: bool = True
    """Whether core can tell what it comes to."""


class Results(NamedTuple):
    """What the formulas of a workbook come to."""

    cells: Mapping[str, Mapping[str, Result]]
    """The results of each sheet, by its title and by address."""
    anywhere: Mapping[str, Result]
    """Those of formulas that mean the same wherever they stand, by the formula."""

    @property
    def are_all_known(self) -> bool:
        """Whether core can tell them all."""
        return all(each.is_known for sheet in self.cells.values() for each in sheet.values())


def results(contents: Contents, plans: Plans) -> Results:
    """What the formulas of a workbook come to after a sync."""
    fresh = _Fresh(contents, plans)
    unknown = fresh.unknown()
    cells: dict[str, dict[str, Result]] = {}
    anywhere: dict[str, Result] = {}
    for place, formula in fresh.formulas.items():
        title, row, column = place
        found = Result(formula, fresh.values[place], place not in unknown)
        cells.setdefault(title, {})[f"{column_letters(column)}{row}"] = found
        # Most formulas with addresses have a dollar sign, which is found sooner.
        if not ("$" in formula or "!" in formula or has_addresses(formula)):
            anywhere[_spelt(formula)] = found
    return Results(cells, anywhere)


class _Fresh:
    """A workbook made afresh from what is typed in another, and what core cannot tell of it."""

    def __init__(self, contents: Contents, plans: Plans) -> None:
        self.plans = plans
        self.typed = {symbol: cell.value for symbol, cell in plans.typed.load.items()}
        self.load = typed_load(self.typed, plans.catalogs)
        sizing = self.load.result(plans.settings, stand_ins(plans.catalogs))
        self.is_countable = is_countable(sizing)
        self.is_sized = not self.load.refused and self.is_countable
        language = written_in(contents)
        self.symbols = (
            formula_values(sizing, plans.catalogs)
            if self.is_sized
            else faulty_values(self.typed, self.load, plans.settings, plans.catalogs, language)
        )
        self.room = _room(contents)
        scenarios = _scenarios(contents, plans, language)
        self.book, self.notes = computed(
            sizing,
            scenarios,
            plans.typed.base,
            plans.catalogs,
            values=self.symbols,
            room=self.room,
            language=language,
            has_looks=False,
        )
        self._write_checks(contents, sizing)
        self.formulas: dict[Place, str] = {}
        self.values: dict[Place, Value] = {}
        for place, formula, value in _formulas(self.book, self.notes):
            self.formulas[place], self.values[place] = formula, value
        self.in_question: set[Place] = set()
        """Formulas whose values core cannot tell for a reason of the formulas' own."""
        self._check_report(contents, sizing, scenarios)

    def _write_checks(self, contents: Contents, sizing: SizingResult) -> None:
        """Write the checks of About where the workbook has them."""
        if found := contents.place(_CHECKS_FAILED):
            sheet, area = found
            if sheet.title == _ABOUT and area.top > len(CHECKS) + 1:
                about = Writer(self.book.create_sheet(_ABOUT), self.notes)
                write_checks(self.book, about, area.top - len(CHECKS) - 1, sizing)

    def _check_report(
        self, contents: Contents, sizing: SizingResult, scenarios: Sequence[Scenario]
    ) -> None:
        """Find what the check on the sheet Report says, where the workbook has it."""
        was, now = contents.area(report_check.THEN), contents.area(report_check.NOW)
        count = contents.place(report_check.DIFFERENCES)
        if was is None or now is None or count is None:
            return
        lines = report_check.lines(
            self.book, self.notes, sizing, scenarios, typed=contents.named_value
        )
        language = self.notes.language
        known = {_spelt(said(line.formula, language)): line.value for line in lines}
        then = {cell.row: contents.value(was[0], cell) for cell in contents.cells(*was)}
        found: dict[int, Value] = {}
        for cell in contents.cells(*now):
            formula = contents.worksheet(now[0]).formula(cell) or ""
            if _spelt(formula) in known:
                value = known[_spelt(formula)]
                found[cell.row] = language.say(value) if isinstance(value, str) else value
                place = (now[0].title, cell.row, cell.column)
                self.formulas[place], self.values[place] = formula, found[cell.row]
        at = (count[0].title, count[1].top, count[1].left)
        self.formulas[at] = report_check.COUNT_FORMULA
        if then.keys() == found.keys():
            differing = report_check.differing(list(then.values()), [found[row] for row in then])
            self.values[at] = differing
        else:
            # It compares what only another version does, or what somebody put in.
            self.values[at], differing = None, 0
            self.in_question.add(at)
        # It names no cell by address, so that it is found wherever it stands.
        top = (count[0].title, 1, 1)
        self.formulas[top] = said(report_check.SENTENCE_FORMULA, language)
        self.values[top] = language.say(report_check.sentence(differing))
        define(self.book, report_check.NOW, now[0].title, address_of(now[1]))
        define(self.book, report_check.DIFFERENCES, at[0], address_of(count[1]))

    def unknown(self) -> set[Place]:
        """The formulas whose values core cannot tell."""
        found: set[Place] = set()
        if not self.is_sized:
            found = self._of_refused_load()
        names: list[str] = []
        if not self.plans.are_settings_taken:
            names += [asked.defined_name for asked in SETTINGS_ASKED]
        if self.plans.uses_unknown(self.typed):
            names += [asked.defined_name for asked in SYMBOLS.values()]
        return found | dependent(self.book, self.formulas, names, self._in_question())

    def _of_refused_load(self) -> set[Place]:
        """The formulas that depend on what is refused of the load, and have no symbol."""
        symbols = self.load.refused if self.is_countable else SYMBOLS
        names = [SYMBOLS[symbol].defined_name for symbol in symbols]
        found = dependent(self.book, self.formulas, names)
        for symbol in FORMULAS:
            if place := self._place(reference(symbol)):
                self.values[place] = self.symbols[symbol]
                found.discard(place)
        return {place for place in found if place[0] != _WARNINGS}

    def _in_question(self) -> Iterator[Place]:
        """Formulas over figures that only the workbook has, and over what only it can tell."""
        yield from self.in_question
        rows = {
            number
            for number, row in enumerate(self.plans.typed.rows, start=TABLE_TOP + 1)
            if row.is_live and self.plans.uses_unknown(row.typed)
        }
        taken = self.notes.values[_WARNINGS, "G3"]
        is_too_little = isinstance(taken, int) and taken > (self.room.lines or taken)
        for place, formula in self.formulas.items():
            if place[0] == SCENARIOS:
                is_in_question = place[1] in rows
            else:
                is_in_question = place[0] == _ABOUT and (
                    (is_too_little and "Warnings_Count" in formula)
                    or ("SUMPRODUCT" in formula and bool(self.plans.unknown))
                )
            if is_in_question:
                yield place

    def _place(self, name: str) -> Place | None:
        """The cell that a name stands for; None where a row of Scenarios alone has the formula."""
        if name not in self.book.defined_names:
            return None
        title, address = next(iter(self.book.defined_names[name].destinations))
        area = area_of(address)
        return title, area.top, area.left


def _scenarios(contents: Contents, plans: Plans, language: Language) -> list[Scenario]:
    """As many rows of Scenarios as the workbook's table has."""
    count = _rows_there(contents, SCENARIOS)
    typed = plans.typed.rows[:count]
    scenarios = [typed_scenario(row, plans.settings, plans.catalogs, language) for row in typed]
    return scenarios + [_EMPTY] * (count - len(scenarios))


def _room(contents: Contents) -> Room:
    """How many lines the workbook has where they follow from what it was made with."""
    charts, servers = contents.sheet(_CHARTS), 0
    if charts:
        worksheet = contents.worksheet(charts)
        formulas = (worksheet.formula(cell) for cell in contents.cells(charts, _ALL))
        servers = sum(1 for formula in formulas if formula and _SERVER_LINE.match(formula))
    # A table that somebody emptied has no line; what is written afresh has one.
    has_lines = _WARNINGS.lower() in contents.tables
    lines = max(1, _rows_there(contents, _WARNINGS)) if has_lines else None
    printed = contents.named_value("Warnings_Printed")
    return Room(servers, lines, printed if isinstance(printed, int) else None)


def _rows_there(contents: Contents, name: str) -> int:
    """Rows of a table, down to the last one that the sheet has.

    A table may reach to the sheet's end with nothing in it, and costs nothing there.
    """
    placed = contents.tables.get(name.lower())
    sheet = contents.sheet(placed.sheet) if placed else None
    if placed is None or sheet is None:
        return 0
    area = area_of(placed.cells)
    there = contents.worksheet(sheet).rows
    rows = (row for row in there if area.top < row <= area.bottom - placed.totals)
    return max(rows, default=area.top) - area.top


def _formulas(book: Workbook, notes: PackageNotes) -> Iterator[tuple[Place, str, Value]]:
    """Each formula of a workbook that was made afresh, where it stands, and its value."""
    for (title, address), value in notes.values.items():
        area = area_of(address)
        formula = str(book[title][address].value).removeprefix("=")
        yield (title, area.top, area.left), formula, value
    for title, blocks in notes.blocks.items():
        for block in blocks:
            for column in block.columns:
                if column.formula is not None:
                    number = area_of(f"{column.letter}1").left
                    for row, value in enumerate(column.values, start=block.first_row):
                        formula = column.formula.replace(ROW_MARK, str(row))
                        yield (title, row, number), formula, value


def result_edits(
    worksheet: Worksheet, contents: Contents, title: str, found: Results
) -> list[Edit]:
    """The edits that give the formulas of a sheet the values that they come to."""
    edits: list[Edit] = []
    of_sheet = found.cells.get(title, {})
    shared: dict[bytes, Translator] = {}
    for cell in worksheet.cells_in(_ALL):
        formula = _formula(worksheet, cell, shared)
        if formula is None:
            continue
        known = of_sheet.get(f"{column_letters(cell.column)}{cell.row}")
        if known is None or not _are_one(known.formula, formula):
            known = found.anywhere.get(_spelt(formula))
        if known and (edit := _value_edit(worksheet, contents, cell, known)):
            edits.append(edit)
    return edits


def _are_one(ours: str, theirs: str) -> bool:
    return ours == theirs or _spelt(ours) == _spelt(theirs)


def _spelt(formula: str) -> str:
    """A formula without what programs spell each in its own way.

    Some write TRUE as a function, put blanks between operators, or quote every sheet.
    """
    pieces = _QUOTED.split(formula)
    pieces[::2] = [_LOGICAL.sub(r"\1", "".join(piece.split())) for piece in pieces[::2]]
    return _PLAIN_SHEET.sub(r"\1!", "".join(pieces))


_QUOTED = re.compile(r"""("[^"]*"|'[^']*')""")
_LOGICAL = re.compile(r"\b(TRUE|FALSE)\(\)")
_PLAIN_SHEET = re.compile(r"'([A-Za-z]\w*)'!")


def _formula(worksheet: Worksheet, cell: Cell, shared: dict[bytes, Translator]) -> str | None:
    """The text of a cell's formula, also where it shares it with the first of several cells."""
    formula = worksheet.formula(cell)
    if formula is None:
        return None
    said = _SHARED.search(worksheet.content, cell.tag_end, cell.end)
    if said is None:
        return formula
    address = f"{column_letters(cell.column)}{cell.row}"
    if formula:
        shared[said[1]] = Translator(f"={formula}", origin=address)
        return formula
    first = shared.get(said[1])
    return first.translate_formula(address).removeprefix("=") if first else formula


def _value_edit(
    worksheet: Worksheet, contents: Contents, cell: Cell, result: Result
) -> Edit | None:
    """The edit that gives a formula's cell another value, or none; None where it is so."""
    held = contents.value_in(worksheet, cell)
    if held is not None and result.is_known and _is_same(held, result.value):
        return None
    prefix = worksheet.prefix
    written = worksheet.content[cell.start : cell.end]
    tag_end = cell.tag_end - cell.start
    of_value = re.compile(rb"<%bv(?:\s[^>]*)?(?:/>|>[^<]*</%bv\s*>)" % (prefix, prefix))
    if not result.is_known and not of_value.search(written, tag_end):
        return None
    kind, text = cell_value(result.value) if result.is_known else ("", "")
    tag = _KIND.sub(b"", written[:tag_end])
    if kind:
        tag = tag.removesuffix(b">") + b' t="%b">' % kind.encode()
    rest = of_value.sub(b"", written[tag_end:])
    end = rest.rindex(b"</%bc" % prefix)
    new = b"<%bv>%b</%bv>" % (prefix, in_text(text).encode(), prefix) if result.is_known else b""
    after = _after_formula(rest, prefix)
    place = after if after >= 0 else end
    return Edit(cell.start, cell.end, tag + rest[:place] + new + rest[place:])


def _is_same(held: Value, value: Value) -> bool:
    """Whether a cell holds a value; an error of core's is a text."""
    if isinstance(held, bool) or isinstance(value, bool):
        return held is value
    if isinstance(held, int | float) or isinstance(value, int | float):
        return held == value
    return cell_value(held) == cell_value(value)


def _after_formula(rest: bytes, prefix: bytes) -> int:
    match = re.search(rb"<%bf(?:\s[^>]*)?(?:/>|>[^<]*</%bf\s*>)" % (prefix, prefix), rest)
    return match.end() if match else -1
