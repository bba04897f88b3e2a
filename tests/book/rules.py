"""Rules for an .xlsx package that neither openpyxl nor Microsoft's validator checks.

Each rule takes the bytes of a workbook and returns what it finds as sentences; none is
the mark. They read the zip and its XML themselves, so that a fault of the library that
wrote the file does not hide behind the same library reading it.
"""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache, wraps
from itertools import combinations
from math import isfinite
from posixpath import basename, dirname, join, normpath
from typing import NamedTuple, cast

from lxml import etree

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"

LAST_COLUMN, LAST_ROW = 16_384, 1_048_576
LONGEST_TEXT, LONGEST_FORMULA, LONGEST_LITERAL = 32_767, 8_192, 255
LONGEST_PROMPT, LONGEST_ERROR, LONGEST_TITLE = 255, 225, 32
LONGEST_SHEET_NAME, LONGEST_COMMENT, DEEPEST_NESTING = 31, 255, 64
FIRST_CUSTOM_FORMAT = 164

MOST_FORMULAS = 2**15
"""Formulas of which is remembered what rules found in them: workbooks share most."""

ERRORS = frozenset({"#N/A", "#VALUE!", "#NUM!", "#REF!", "#NAME?", "#DIV/0!", "#NULL!"})

_PLAIN = (
    "LOG10 "
    "ABS AND AVERAGE CEILING CHOOSE COLUMNS COUNT COUNTA COUNTIF COUNTIFS EXACT FALSE FIND FIXED "
    "FLOOR IF IFERROR INDEX INT ISBLANK ISERROR ISLOGICAL ISNA ISNUMBER ISTEXT LEFT LEN LOWER "
    "MATCH MAX MID MIN MOD N NA NOT OR RIGHT ROUND ROUNDDOWN ROUNDUP ROW ROWS SUBSTITUTE SUM SUMIF "
    "SUMIFS SUMPRODUCT T TRIM TRUE UPPER VALUE"
)
PLAIN_FUNCTIONS = frozenset(_PLAIN.split())
"""Functions that every Excel since 2007 has, and so needs no _xlfn. prefix for."""

FORMAT_FUNCTIONS = frozenset({"_xlfn.ISFORMULA"})
"""Functions of Excel 2013: older ones leave a format out that calls them, and lose no figure."""

LAMBDA_FUNCTIONS = frozenset({"_xlfn.LAMBDA", "_xlfn.LET", "_xlfn.ISOMITTED"})
"""Functions that names may call as well, each with the prefix that Excel stores."""

_LITERAL = re.compile(r'"(?:[^"]|"")*"')
_CELLS = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Z]{1,3})\$?([0-9]{1,7}))?")
_ABSOLUTE = re.compile(r"\$[A-Z]{1,3}\$[0-9]+(:\$[A-Z]{1,3}\$[0-9]+)?")
_TITLE_ROWS = re.compile(r"\$[0-9]+:\$[0-9]+|\$[A-Z]{1,3}:\$[A-Z]{1,3}")
_ON_SHEET = re.compile(r"(?:'((?:[^']|'')+)'|([A-Za-z_][\w.]*))!")
_IN_TABLE = re.compile(r"([A-Za-z_]\w*)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]")
_WORD = re.compile(r"(?<![\w.$])[A-Za-z_$][\w.$]*+(?!\()")
_CALL = re.compile(r"([A-Za-z_][\w.]*)\(")
_BINDER = re.compile(r"_xlfn\.(LAMBDA|LET)\(")
_LOCAL = re.compile(r"_xl[po][mp]\.\w+")
_ROW = "\0"
"""Stands in a formula for the row that it is in."""

Element = etree._Element

_USED = cast(
    "Callable[[Element], list[str]]",
    etree.XPath("//@r:id", namespaces={"r": OFFICE.strip("{}")}),
)
"""The relations that the elements of a part use."""
_WITH_DXF = cast(
    "Callable[[Element], list[Element]]",
    etree.XPath("//*[@*[contains(translate(local-name(), 'DXFI', 'dxfi'), 'dxfid')]]"),
)
"""The elements that name a differential format."""


@dataclass(frozen=True)
class Area:
    """Cells of a sheet, from the first to the last, counted from 1."""

    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: "Area") -> bool:
        across = self.left <= other.right and other.left <= self.right
        return across and self.top <= other.bottom and other.top <= self.bottom


@dataclass(frozen=True)
class Table:
    name: str
    sheet: str
    ref: str
    columns: tuple[str, ...]
    formulas: tuple[str | None, ...]
    filter_ref: str | None


@dataclass(frozen=True)
class Sheet:
    title: str
    part: str
    root: Element
    tables: tuple[Table, ...]

    @cached_property
    def cells(self) -> tuple[Element, ...]:
        return tuple(self.root.iter(f"{MAIN}c"))


@dataclass(frozen=True)
class Name:
    name: str
    scope: str | None
    text: str
    comment: str = ""

    @property
    def is_lambda(self) -> bool:
        return "LAMBDA(" in self.text


@dataclass(frozen=True)
class Book:
    parts: dict[str, bytes]
    roots: dict[str, Element]
    sheets: tuple[Sheet, ...]
    names: tuple[Name, ...]
    strings: tuple[str, ...]

    @property
    def tables(self) -> list[Table]:
        return [table for sheet in self.sheets for table in sheet.tables]

    def text(self, cell: Element) -> str:
        """What a cell holds, or shows where it is a formula."""
        # Many rules ask.
        if cell not in self._texts:
            self._texts[cell] = self._read(cell)
        return self._texts[cell]

    @cached_property
    def _texts(self) -> dict[Element, str]:
        return {}

    def _read(self, cell: Element) -> str:
        kind = cell.get("t")
        if kind == "inlineStr":
            return _text(cell.find(f"{MAIN}is"))
        value = cell.findtext(f"{MAIN}v") or ""
        if kind == "s":
            known = value.isdigit() and int(value) < len(self.strings)
            return self.strings[int(value)] if known else ""
        return value

    @cached_property
    def formulas(self) -> tuple[tuple[str, str], ...]:
        """Every formula with the place where it stands."""
        of_cells = (
            (f"{sheet.title}!{cell.get('r')}", text)
            for sheet in self.sheets
            for cell in sheet.cells
            if (text := cell.findtext(f"{MAIN}f"))
        )
        of_columns = (
            (f"{table.name}[{column}]", formula)
            for table in self.tables
            for column, formula in zip(table.columns, table.formulas, strict=True)
            if formula is not None
        )
        return *of_cells, *of_columns, *self.formulas_of_ranges, *self.formulas_of_names

    @cached_property
    def formulas_of_names(self) -> tuple[tuple[str, str], ...]:
        """The formulas of names that are functions."""
        return tuple((f"The name {each.name}", each.text) for each in self.names if each.is_lambda)

    @cached_property
    def formulas_of_ranges(self) -> tuple[tuple[str, str], ...]:
        """The formulas of conditional formats and validations."""
        return tuple(
            (f"{sheet.title}, {tag} of a range", found.text or "")
            for sheet in self.sheets
            for tag in ("formula", "formula1", "formula2")
            for found in sheet.root.iter(f"{MAIN}{tag}")
        )


@lru_cache(maxsize=2**16)
def area(text: str | None) -> Area | None:
    """The cells of an address such as A1 or $A$1:$B$2; None where it is not a legal one."""
    match = _CELLS.fullmatch(text or "")
    if match is None:
        return None
    left, top, right, bottom = match.groups()
    found = Area(_column(left), int(top), _column(right or left), int(bottom or top))
    inside = found.right <= LAST_COLUMN and found.bottom <= LAST_ROW
    return found if inside and 0 < found.top <= found.bottom and found.left <= found.right else None


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


@lru_cache(maxsize=2**14)
def letters(column: int) -> str:
    """The letters of a column's number: 1 is A."""
    rest, last = divmod(column - 1, 26)
    return (letters(rest) if rest else "") + chr(ord("A") + last)


def _text(element: Element | None) -> str:
    found = () if element is None else element.iter(f"{MAIN}t")
    return "".join(each.text or "" for each in found)


def length(text: str) -> int:
    """Characters as Excel counts them: those beyond the basic plane are two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


@lru_cache(maxsize=2)
def opened(content: bytes) -> Book:
    """The package, read as leniently as a package with faults needs it."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = {part: package.read(part) for part in package.namelist()}
    roots = {
        part: etree.fromstring(text)
        for part, text in parts.items()
        if part.endswith((".xml", ".rels"))
    }
    workbook = roots["xl/workbook.xml"]
    targets = relations(roots, "xl/workbook.xml")
    sheets = tuple(
        Sheet(title, part, roots[part], tuple(_tables(roots, title, part)))
        for sheet in workbook.iter(f"{MAIN}sheet")
        for title, part in [(sheet.get("name") or "", targets[sheet.get(f"{OFFICE}id") or ""])]
    )
    names = tuple(
        Name(
            each.get("name") or "",
            each.get("localSheetId"),
            each.text or "",
            each.get("comment") or "",
        )
        for each in workbook.iter(f"{MAIN}definedName")
    )
    shared = roots.get("xl/sharedStrings.xml")
    strings = tuple(_text(item) for item in ([] if shared is None else shared.iter(f"{MAIN}si")))
    return Book(parts, roots, sheets, names, strings)


def relations(roots: dict[str, Element], part: str) -> dict[str, str]:
    """The parts that a part relates to, by the relation's id."""
    return {
        each.get("Id") or "": normpath(join("/", dirname(part), each.get("Target") or ""))[1:]
        for each in _declared(roots, part)
        if each.get("TargetMode") != "External"
    }


def _declared(roots: dict[str, Element], part: str) -> list[Element]:
    declared = roots.get(join(dirname(part), "_rels", f"{basename(part)}.rels"))
    return [] if declared is None else list(declared.iter(f"{PACKAGE}Relationship"))


def _tables(roots: dict[str, Element], sheet: str, part: str) -> Iterator[Table]:
    for target in relations(roots, part).values():
        root = roots.get(target)
        if root is None or root.tag != f"{MAIN}table":
            continue
        columns = list(root.iter(f"{MAIN}tableColumn"))
        filtered = root.find(f"{MAIN}autoFilter")
        yield Table(
            root.get("displayName") or "",
            sheet,
            root.get("ref") or "",
            tuple(column.get("name") or "" for column in columns),
            tuple(column.findtext(f"{MAIN}calculatedColumnFormula") for column in columns),
            None if filtered is None else filtered.get("ref"),
        )


Rule = Callable[[bytes], list[str]]
RULES: list[Rule] = []


def rule(check: Callable[[Book], Iterator[str]]) -> Rule:
    """A rule over the bytes of a workbook, from one over the package."""

    @wraps(check)
    def found(content: bytes) -> list[str]:
        return list(check(opened(content)))

    RULES.append(found)
    return found


def bytes_rule(check: Callable[[bytes], Iterator[str]]) -> Rule:
    """A rule over the bytes of a workbook, from one over the zip itself."""

    @wraps(check)
    def found(content: bytes) -> list[str]:
        return list(check(content))

    RULES.append(found)
    return found


@rule
def cached_values(book: Book) -> Iterator[str]:
    """Every formula has a value, of the type that the cell says."""
    for sheet in book.sheets:
        for cell in sheet.cells:
            if cell.find(f"{MAIN}f") is None:
                continue
            place, kind, value = f"{sheet.title}!{cell.get('r')}", cell.get("t"), book.text(cell)
            if cell.find(f"{MAIN}v") is None or (kind != "str" and not value):
                yield f"{place} has a formula without a value."
            elif kind == "str" and value in ERRORS:
                yield f"{place} shows {value} as text."
            elif not _is_value(kind, value):
                yield f"{place} has the value {value!r}, which its type {kind} does not allow."


def _is_value(kind: str | None, value: str) -> bool:
    if kind in (None, "n"):
        try:
            return isfinite(float(value))
        except ValueError:
            return False
    return {"str": True, "b": value in ("0", "1"), "e": value in ERRORS}.get(kind, False)


@rule
def defined_names(book: Book) -> Iterator[str]:
    """Names are legal, each its own, and stand for cells that exist or for a function."""
    titles = {sheet.title for sheet in book.sheets}
    tables = {table.name.lower() for table in book.tables}
    seen = Counter((each.scope, each.name.lower()) for each in book.names)
    yield from (f"The name {name} is defined twice." for (_, name), n in seen.items() if n > 1)
    for each in book.names:
        built_in = each.name.startswith("_xlnm.")
        if not built_in and not is_legal_name(each.name):
            yield f"The name {each.name!r} is not a legal name."
        if each.name.lower() in tables:
            yield f"The name {each.name} is also a table's."
        if length(each.comment) > LONGEST_COMMENT:
            yield f"The name {each.name} has a comment of more than {LONGEST_COMMENT} characters."
        if each.is_lambda:
            continue
        on_sheet = _ON_SHEET.match(each.text)
        title = (on_sheet[1] or on_sheet[2]).replace("''", "'") if on_sheet else ""
        cells = each.text[on_sheet.end() :] if on_sheet else ""
        if title not in titles:
            yield f"The name {each.name} refers to {each.text}, which is on no sheet."
        elif built_in and all(
            _TITLE_ROWS.fullmatch(part.rpartition("!")[2]) for part in each.text.split(",")
        ):
            continue
        elif not _ABSOLUTE.fullmatch(cells) or area(cells) is None:
            yield f"The name {each.name} refers to {each.text}, which are no fixed cells."


def is_legal_name(name: str) -> bool:
    """True for what Excel takes as a name: not like a cell, a row or a column."""
    shaped = re.fullmatch(r"[A-Za-z_\\][\w.\\?]{0,254}", name)
    like_cell = area(name.upper()) or re.fullmatch(r"(r[0-9]*)?(c[0-9]*)?", name.lower())
    return bool(shaped) and not like_cell and name.lower() not in ("true", "false")


@rule
def tables(book: Book) -> Iterator[str]:
    """A table covers its columns, its heads are their names, and it is alone in its place."""
    counted = Counter(table.name.lower() for table in book.tables)
    yield from (f"There are {n} tables named {name}." for name, n in counted.items() if n > 1)
    for table in book.tables:
        covered = area(table.ref)
        if not is_legal_name(table.name):
            yield f"The table name {table.name!r} is not a legal name."
        if covered is None or covered.top == covered.bottom:
            yield f"Table {table.name} covers {table.ref}, which is not a head and a row."
            continue
        if covered.right - covered.left + 1 != len(table.columns):
            yield f"Table {table.name} covers {table.ref} but has {len(table.columns)} columns."
        if table.filter_ref not in (None, table.ref):
            yield f"Table {table.name} covers {table.ref} but filters {table.filter_ref}."
        heads = Counter(column.lower() for column in table.columns)
        yield from (
            f"Table {table.name} has {n} columns {head!r}." for head, n in heads.items() if n > 1
        )
        shown = _row(book, table.sheet, covered)
        if shown != list(table.columns):
            yield f"Table {table.name} has columns {table.columns} under the heads {shown}."
    for sheet in book.sheets:
        for one, other in combinations(sheet.tables, 2):
            if _overlap(one.ref, other.ref):
                yield f"Tables {one.name} and {other.name} overlap."


def _row(book: Book, title: str, covered: Area) -> list[str]:
    sheet = next(sheet for sheet in book.sheets if sheet.title == title)
    row = {
        place.left: book.text(cell)
        for cell in sheet.cells
        if (place := area(cell.get("r"))) and place.top == covered.top
    }
    return [row.get(column, "") for column in range(covered.left, covered.right + 1)]


def _overlap(one: str | None, other: str | None) -> bool:
    first, second = area(one), area(other)
    return first is not None and second is not None and first.overlaps(second)


@rule
def validations(book: Book) -> Iterator[str]:
    """Validations apply to cells, lists have a source, and texts have the length that fits."""
    limits = {"prompt": LONGEST_PROMPT, "error": LONGEST_ERROR}
    limits |= {"promptTitle": LONGEST_TITLE, "errorTitle": LONGEST_TITLE}
    for sheet in book.sheets:
        for check in sheet.root.iter(f"{MAIN}dataValidation"):
            place = f"The validation of {sheet.title}!{check.get('sqref')}"
            if not all(area(cells) for cells in (check.get("sqref") or "-").split()):
                yield f"{place} is of no legal cells."
            for attribute, limit in limits.items():
                if length(check.get(attribute) or "") > limit:
                    yield f"{place} has a longer {attribute} than {limit} characters."
            if check.get("type") == "list":
                source = check.findtext(f"{MAIN}formula1") or ""
                yield from (f"{place} {fault}." for fault in _source_faults(book, sheet, source))


def _source_faults(book: Book, sheet: Sheet, source: str) -> Iterator[str]:
    if source.startswith('"'):
        if length(source[1:-1]) > LONGEST_LITERAL:
            yield f"has a longer list than {LONGEST_LITERAL} characters"
        if not all(item.strip() for item in source[1:-1].split(",")):
            yield "has an empty item"
        return
    named = {each.name.lower(): each.text for each in book.names if each.scope is None}
    cells = named.get(source.lower(), source)
    on_sheet = _ON_SHEET.match(cells)
    title = (on_sheet[1] or on_sheet[2]) if on_sheet else sheet.title
    covered = area(cells[on_sheet.end() :] if on_sheet else cells)
    owner = next((each for each in book.sheets if each.title == title), None)
    if covered is None or owner is None:
        yield f"takes its list from {source!r}, which is nothing"
        return
    filled = {area(cell.get("r")) for cell in owner.cells if book.text(cell).strip()}
    rows = range(covered.top, covered.bottom + 1)
    taken = [row for row in rows if Area(covered.left, row, covered.left, row) in filled]
    # Where people type, rows may be empty: a range has room for them, a named list has not.
    is_named = cells != source
    if not taken or (is_named and taken != list(rows)):
        yield f"takes its list from {source!r}, which has empty cells"


@rule
def texts_like_formulas(book: Book) -> Iterator[str]:
    """Data is no formula: not in the file, and not once a person has edited the cell."""
    formats = list(book.roots["xl/styles.xml"].iterfind(f"{MAIN}cellXfs/{MAIN}xf"))
    for sheet in book.sheets:
        for cell in sheet.cells:
            formula = cell.findtext(f"{MAIN}f")
            is_text = formula is None and cell.get("t") in ("s", "inlineStr")
            if is_text and (text := book.text(cell)).startswith("="):
                look = int(cell.get("s") or 0)
                if look >= len(formats) or formats[look].get("quotePrefix") not in ("1", "true"):
                    yield f"{sheet.title}!{cell.get('r')} is text but has no quotePrefix: {text!r}."
            place = area(cell.get("r"))
            for table in sheet.tables:
                if place and unlike_column(table, place, formula):
                    yield (
                        f"{sheet.title}!{cell.get('r')} in table {table.name} holds "
                        f"{'data' if formula is None else 'a formula'}, unlike its column."
                    )


def unlike_column(table: Table, place: Area, formula: str | None) -> bool:
    """True where a cell of a table has another formula than its column, if any, says."""
    covered = area(table.ref)
    if covered is None or not covered.overlaps(place):
        return False
    column = place.left - covered.left
    wanted = table.formulas[column] if column < len(table.formulas) else None
    if place.top == covered.top or wanted is None or formula is None:
        return formula != (None if place.top == covered.top else wanted)
    return _with_addresses(table, place.top, formula) != _with_addresses(table, place.top, wanted)


def _with_addresses(table: Table, row: int, formula: str) -> str:
    """A formula in a row of a table, with addresses where it reads the table's own columns."""
    return _in_any_row(table, formula).replace(_ROW, str(row)) if table.name in formula else formula


@lru_cache(maxsize=2**12)
def _in_any_row(table: Table, formula: str) -> str:
    covered = area(table.ref)
    assert covered is not None
    for number, head in enumerate(table.columns):
        address = letters(covered.left + number)
        cells = f"${address}${covered.top + 1}:${address}${covered.bottom}"
        formula = formula.replace(f"{table.name}[[#This Row],[{head}]]", f"${address}{_ROW}")
        formula = formula.replace(f"{table.name}[{head}]", cells)
    return formula


@rule
def cell_order(book: Book) -> Iterator[str]:
    """Rows and the cells in them go up, and none comes twice."""
    for sheet in book.sheets:
        above = 0
        for row in sheet.root.iter(f"{MAIN}row"):
            number, before = int(row.get("r") or 0), 0
            if number <= above:
                yield f"{sheet.title} has row {number} after row {above}."
            above = number
            for cell in row.iter(f"{MAIN}c"):
                place = area(cell.get("r"))
                if place is None or place.top != number:
                    yield f"{sheet.title} has the cell {cell.get('r')} in row {number}."
                elif place.left <= before:
                    yield f"{sheet.title} has {cell.get('r')} out of order or twice."
                before = place.left if place else before


@rule
def text_lengths(book: Book) -> Iterator[str]:
    """No cell holds or shows more than Excel keeps."""
    for sheet in book.sheets:
        for cell in sheet.cells:
            if length(book.text(cell)) > LONGEST_TEXT:
                yield f"{sheet.title}!{cell.get('r')} has more than {LONGEST_TEXT} characters."


@rule
def formula_lengths(book: Book) -> Iterator[str]:
    """No formula, and no text in one, is longer than Excel reads."""
    for place, text in book.formulas:
        if length(text) > LONGEST_FORMULA:
            yield f"{place} has a formula of more than {LONGEST_FORMULA} characters."
        for literal in _literals(text):
            if length(literal[1:-1].replace('""', '"')) > LONGEST_LITERAL:
                yield f"{place} has a text of more than {LONGEST_LITERAL} characters: {literal}."


@lru_cache(maxsize=MOST_FORMULAS)
def _literals(formula: str) -> tuple[str, ...]:
    """The texts in a formula, in their quotes."""
    return tuple(_LITERAL.findall(formula))


@rule
def functions(book: Book) -> Iterator[str]:
    """Only functions that every Excel has under their plain name; in names LAMBDA's as well."""
    of_names = set(book.formulas_of_names)
    of_ranges = set(book.formulas_of_ranges)
    for place, text in book.formulas:
        for name in _calls(text):
            if name in FORMAT_FUNCTIONS and (place, text) in of_ranges:
                continue
            if name not in PLAIN_FUNCTIONS and (place, text) not in of_names:
                yield f"{place} calls {name}, which is not a plain function."
            elif name not in PLAIN_FUNCTIONS | LAMBDA_FUNCTIONS and not _LOCAL.fullmatch(name):
                yield f"{place} calls {name}, which is neither plain nor prefixed."


@lru_cache(maxsize=MOST_FORMULAS)
def _calls(formula: str) -> tuple[str, ...]:
    """The functions that a formula calls."""
    return tuple(_CALL.findall(_LITERAL.sub("", formula)))


@rule
def brackets(book: Book) -> Iterator[str]:
    """Quotes, parentheses and brackets close, and nest no deeper than Excel follows."""
    for place, text in book.formulas:
        is_closed, deepest = _nesting(text)
        if not is_closed:
            yield f"{place} has quotes, parentheses or brackets that do not match: {text}."
        if deepest > DEEPEST_NESTING:
            yield f"{place} nests {deepest} levels deep."


@lru_cache(maxsize=MOST_FORMULAS)
def _nesting(formula: str) -> tuple[bool, int]:
    """Whether all that a formula opens is closed, and how deep its parentheses nest."""
    pairs = {")": "(", "]": "[", "}": "{"}
    bare, unclosed, deepest = _LITERAL.sub("", formula), list[str](), 0
    for mark in bare:
        if mark in "([{":
            unclosed.append(mark)
            deepest = max(deepest, unclosed.count("("))
        elif mark in pairs and (not unclosed or unclosed.pop() != pairs[mark]):
            unclosed = [mark]
            break
    return not unclosed and '"' not in bare, deepest


@rule
def references(book: Book) -> Iterator[str]:
    """Every sheet, name, table and column that a formula reads exists."""
    columns = {
        table.name.lower(): {each.lower() for each in table.columns} for table in book.tables
    }
    named = {each.name.lower() for each in book.names} | {"true", "false"}
    titles = {sheet.title.lower() for sheet in book.sheets}
    for place, text in book.formulas:
        reads = _reads(text)
        for table, inner, parts in reads.tables:
            if not parts <= columns.get(table.lower(), set()):
                yield f"{place} reads {table}[{inner}], which does not exist."
        for title in reads.sheets:
            if title.lower() not in titles:
                yield f"{place} reads the sheet {title}, which does not exist."
        for word in reads.words:
            if word.lower() not in named:
                yield f"{place} reads {word}, which does not exist."


class _Reads(NamedTuple):
    """What a formula reads."""

    tables: tuple[tuple[str, str, frozenset[str]], ...]
    """Of each: its name, what is read of it, and the columns in that."""
    sheets: tuple[str, ...]
    words: tuple[str, ...]
    """What is neither an address nor a name of the formula's own."""


@lru_cache(maxsize=MOST_FORMULAS)
def _reads(formula: str) -> _Reads:
    bare = _LITERAL.sub(" ", formula)
    tables = []
    for table, inner in _IN_TABLE.findall(bare):
        parts = re.findall(r"\[([^\[\]]*)\]", inner) or [inner]
        read = frozenset(part.lower() for part in parts if not part.startswith("#"))
        tables.append((table, inner, read))
    bare = re.sub(r"#[A-Z0-9/]+[!?]?", " ", _IN_TABLE.sub(" ", bare))
    sheets = tuple(quoted or plain for quoted, plain in _ON_SHEET.findall(bare))
    words = _WORD.findall(_ON_SHEET.sub(" ", bare))
    return _Reads(
        tuple(tables),
        sheets,
        tuple(word for word in words if area(word) is None and not _LOCAL.fullmatch(word)),
    )


@rule
def lambda_names(book: Book) -> Iterator[str]:
    """A name that is a function declares what it reads, each with the prefix of its kind."""
    for place, text in book.formulas_of_names:
        bare = _LITERAL.sub('""', text)
        if not bare.startswith("_xlfn.LAMBDA(") or _arguments(bare, len("_xlfn.LAMBDA("))[1] != len(
            bare
        ):
            yield f"{place} is not one LAMBDA."
            continue
        yield from (f"{place} {fault}." for fault in _scope_faults(bare, frozenset()))


def _scope_faults(text: str, known: frozenset[str]) -> Iterator[str]:
    """What is wrong with the local names of a formula in which `known` are declared."""
    place = 0
    while binder := _BINDER.search(text, place):
        yield from _use_faults(text[place : binder.start()], known)
        arguments, place = _arguments(text, binder.end())
        *declared, body = arguments
        if binder[1] == "LAMBDA":
            yield from _parameter_faults(declared)
            yield from _scope_faults(body, known | {_local(each) for each in declared})
            continue
        inside = known
        for name, value in zip(declared[::2], declared[1::2], strict=False):
            yield from _scope_faults(value, inside)
            if not re.fullmatch(r"_xlpm\.[A-Za-z]\w*", name) or _local(name) in inside:
                yield f"binds {name}, which is not a new name with _xlpm."
            inside |= {_local(name)}
        if len(declared) % 2:
            yield "has a LET without a value for each name"
        yield from _scope_faults(body, inside)
    yield from _use_faults(text[place:], known)


def _parameter_faults(declared: list[str]) -> Iterator[str]:
    seen, optional = set[str](), False
    for each in declared:
        if not re.fullmatch(r"_xl(pm|op)\.[A-Za-z]\w*", each) or not is_legal_name(_local(each)):
            yield f"declares {each}, which is not a parameter with _xlpm. or _xlop."
        if optional and each.startswith("_xlpm."):
            yield f"declares {each} after an optional parameter"
        if _local(each) in seen:
            yield f"declares {each} twice"
        optional = optional or each.startswith("_xlop.")
        seen.add(_local(each))


def _use_faults(text: str, known: frozenset[str]) -> Iterator[str]:
    for word in re.findall(r"_xl[a-z]+\.\w+", text):
        if word not in LAMBDA_FUNCTIONS and not (
            word.startswith("_xlpm.") and _local(word) in known
        ):
            yield f"reads {word}, which is not declared before"


def _local(name: str) -> str:
    """A local name without its prefix; Excel does not tell capitals from small letters."""
    return name.partition(".")[2].lower()


def _arguments(text: str, start: int) -> tuple[list[str], int]:
    """The arguments of a call whose parenthesis opens before `start`, and where it ends."""
    arguments, depth, begin = list[str](), 1, start
    for place in range(start, len(text)):
        mark = text[place]
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(mark, 0)
        if depth == 0 or (mark == "," and depth == 1):
            arguments.append(text[begin:place])
            begin = place + 1
        if depth == 0:
            return arguments, place + 1
    return [*arguments, text[begin:]], len(text) + 1


@rule
def range_formulas(book: Book) -> Iterator[str]:
    """Conditional formats and validations read no table, which Excel does not let them."""
    for place, text in book.formulas_of_ranges:
        if "[" in _LITERAL.sub("", text):
            yield f"{place} reads a table: {text}."


@rule
def merged_cells(book: Book) -> Iterator[str]:
    """Merged cells lie apart from each other and from tables."""
    for sheet in book.sheets:
        merged = [each.get("ref") for each in sheet.root.iter(f"{MAIN}mergeCell")]
        for one, other in combinations(merged, 2):
            if _overlap(one, other):
                yield f"{sheet.title} has merged cells {one} over {other}."
        for cells in merged:
            for table in sheet.tables:
                if _overlap(cells, table.ref):
                    yield f"{sheet.title} has merged cells {cells} in table {table.name}."


@rule
def sheet_names(book: Book) -> Iterator[str]:
    """Sheet names are those that Excel lets a person type."""
    counted = Counter(sheet.title.lower() for sheet in book.sheets)
    yield from (f"There are {n} sheets named {title}." for title, n in counted.items() if n > 1)
    for sheet in book.sheets:
        title = sheet.title
        wrong = not title.strip() or re.search(r"[\[\]:*?/\\]|^'|'$", title)
        if wrong or length(title) > LONGEST_SHEET_NAME or title.lower() == "history":
            yield f"The sheet name {title!r} is not legal."


@rule
def style_parts(book: Book) -> Iterator[str]:
    """Styles are made of fonts, fills, borders and number formats that exist."""
    styles = book.roots["xl/styles.xml"]
    kinds = {"fontId": "fonts", "fillId": "fills", "borderId": "borders", "xfId": "cellStyleXfs"}
    custom = {each.get("numFmtId") for each in styles.iter(f"{MAIN}numFmt")}
    for look in styles.iter(f"{MAIN}xf"):
        for attribute, kind in kinds.items():
            if int(look.get(attribute) or 0) >= _count(styles, kind):
                yield f"A style has {attribute} {look.get(attribute)}, which does not exist."
        number_format = look.get("numFmtId") or "0"
        if int(number_format) >= FIRST_CUSTOM_FORMAT and number_format not in custom:
            yield f"A style has numFmtId {number_format}, which does not exist."


@rule
def styles_used(book: Book) -> Iterator[str]:
    """Cells, rows, columns, conditional formats and tables have styles that exist."""
    looks, formats = (_count(book.roots["xl/styles.xml"], kind) for kind in ("cellXfs", "dxfs"))
    for sheet in book.sheets:
        for tag, attribute in (("c", "s"), ("row", "s"), ("col", "style")):
            for element in sheet.root.iter(f"{MAIN}{tag}"):
                if int(element.get(attribute) or 0) >= looks:
                    yield f"{sheet.title} has a {tag} of style {element.get(attribute)}."
    for part, root in book.roots.items():
        for element in _WITH_DXF(root):
            for name, index in element.attrib.items():
                if str(name).lower().endswith("dxfid") and int(index) >= formats:
                    yield f"{part} has {name!s} {index!s}, which does not exist."


def _count(styles: Element, kind: str) -> int:
    found = styles.find(f"{MAIN}{kind}")
    return 0 if found is None else len(found)


@rule
def shared_texts(book: Book) -> Iterator[str]:
    """Cells with a shared text have one that exists."""
    for sheet in book.sheets:
        for cell in sheet.cells:
            index = cell.findtext(f"{MAIN}v") or ""
            known = index.isdigit() and int(index) < len(book.strings)
            if cell.get("t") == "s" and not known:
                yield f"{sheet.title}!{cell.get('r')} has the shared text {index}."


@rule
def relationships(book: Book) -> Iterator[str]:
    """Relations that are used are declared, and lead to parts that have a content type."""
    for part, root in book.roots.items():
        declared = {each.get("Id") for each in _declared(book.roots, part)}
        for target in relations(book.roots, part).values():
            if target not in book.parts:
                yield f"{part} relates to {target}, which does not exist."
        for used in _USED(root):
            if used not in declared:
                yield f"{part} uses the relation {used}, which is not declared."


@rule
def content_types(book: Book) -> Iterator[str]:
    """Every part says what it is: an XML part by itself, others by their ending."""
    types = book.roots["[Content_Types].xml"]
    typed = {each.get("PartName") for each in types.iter(f"{TYPES}Override")}
    endings = {each.get("Extension") for each in types.iter(f"{TYPES}Default")} - {"xml"}
    for part in book.parts:
        known = f"/{part}" in typed or part.rpartition(".")[2] in endings
        if not known and part != "[Content_Types].xml":
            yield f"{part} has no content type."
