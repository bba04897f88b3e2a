"""Sizes within Excel's limits, as Microsoft publishes them for Excel 2007 and later."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import cast

from lxml import etree

from tests.book.rules import (
    LAST_COLUMN,
    LAST_ROW,
    LONGEST_FORMULA,
    LONGEST_LITERAL,
    MAIN,
    Book,
    Element,
    area,
    length,
    rule,
)

WIDEST_COLUMN, HIGHEST_ROW = 255.0, 409.5
MOST_STYLES = {"cellXfs": 65_490, "cellStyles": 65_490, "fonts": 512, "numFmts": 250}
MOST_ARGUMENTS = 255
MOST_HYPERLINKS, LONGEST_ADDRESS = 65_530, 2_079
LONGEST_HEADER = 255
SMALLEST_ZOOM, LARGEST_ZOOM = 10, 400
MOST_SHEETS = 255
MOST_BREAKS = 1_026
MOST_LINES = 254
"""Lines of text in a cell: 253 line feeds."""

_TARGETS = cast("Callable[[Element], list[str]]", etree.XPath("//@Target"))
"""Where the elements of a part lead."""


@rule
def sheet_sizes(book: Book) -> Iterator[str]:
    """Rows and columns are those that a sheet has, and no larger than Excel draws them."""
    for sheet in book.sheets:
        for row in sheet.root.iter(f"{MAIN}row"):
            if not 1 <= int(row.get("r") or 0) <= LAST_ROW:
                yield f"{sheet.title} has a row {row.get('r')}."
            if not 0 <= float(row.get("ht") or 0) <= HIGHEST_ROW:
                yield f"{sheet.title} has a row of height {row.get('ht')}."
        for column in sheet.root.iter(f"{MAIN}col"):
            first, last = int(column.get("min") or 0), int(column.get("max") or 0)
            if not 1 <= first <= last <= LAST_COLUMN:
                yield f"{sheet.title} has columns {first} to {last}."
            if not 0 <= float(column.get("width") or 0) <= WIDEST_COLUMN:
                yield f"{sheet.title} has a column of width {column.get('width')}."
        used = sheet.root.find(f"{MAIN}dimension")
        if used is not None and area(used.get("ref")) is None:
            yield f"{sheet.title} says that it covers {used.get('ref')}."


@rule
def style_counts(book: Book) -> Iterator[str]:
    """There are no more styles, fonts and number formats than a workbook may have."""
    for kind, most in MOST_STYLES.items():
        found = book.roots["xl/styles.xml"].find(f"{MAIN}{kind}")
        if found is not None and len(found) > most:
            yield f"There are {len(found)} {kind}, more than {most}."


@rule
def arguments(book: Book) -> Iterator[str]:
    """No function is called with more arguments than it takes."""
    for place, text in book.formulas:
        if text.count(",") < MOST_ARGUMENTS:
            continue
        most = _most_arguments(re.sub(r'"(?:[^"]|"")*"', "", text))
        if most > MOST_ARGUMENTS:
            yield f"{place} calls a function with {most} arguments."


def _most_arguments(formula: str) -> int:
    open_calls, most = [1], 1
    for mark in formula:
        if mark in "([{":
            open_calls.append(1)
        elif mark in ")]}" and len(open_calls) > 1:
            open_calls.pop()
        elif mark == ",":
            open_calls[-1] += 1
            most = max(most, open_calls[-1])
    return most


@rule
def name_lengths(book: Book) -> Iterator[str]:
    """Names, what they stand for and what they say of themselves are no longer than Excel reads."""
    limits = {"name": LONGEST_LITERAL, "comment": LONGEST_LITERAL}
    for each in book.roots["xl/workbook.xml"].iter(f"{MAIN}definedName"):
        for attribute, limit in limits.items():
            if length(each.get(attribute) or "") > limit:
                yield f"The name {each.get('name')} has a longer {attribute} than {limit}."
        if length(each.text or "") > LONGEST_FORMULA:
            yield f"The name {each.get('name')} has a formula of more than {LONGEST_FORMULA}."


@rule
def print_names(book: Book) -> Iterator[str]:
    """Print areas and print titles belong to the sheet that they are of."""
    for each in book.names:
        if not each.name.startswith("_xlnm.Print_"):
            continue
        known = each.scope is not None and int(each.scope) < len(book.sheets)
        title = book.sheets[int(each.scope or 0)].title if known else ""
        areas = [
            cells.removeprefix(f"'{title}'!").removeprefix(f"{title}!")
            for cells in each.text.split(",")
        ]
        if not known or any("!" in cells or "#REF" in cells for cells in areas):
            yield f"{each.name} of sheet {each.scope} is {each.text}."


@rule
def hyperlinks(book: Book) -> Iterator[str]:
    """Links lead somewhere, and are no more and no longer than a sheet takes."""
    names = {each.name.lower() for each in book.names}
    titles = {sheet.title for sheet in book.sheets}
    for sheet in book.sheets:
        links = list(sheet.root.iter(f"{MAIN}hyperlink"))
        if len(links) > MOST_HYPERLINKS:
            yield f"{sheet.title} has {len(links)} links, more than {MOST_HYPERLINKS}."
        for link in links:
            inside = link.get("location")
            title, mark, cells = (inside or "").rpartition("!")
            on_sheet = title.strip("'").replace("''", "'") in titles and area(cells) is not None
            if area(link.get("ref")) is None:
                yield f"{sheet.title} has a link in {link.get('ref')}."
            if inside is not None and not (on_sheet if mark else inside.lower() in names):
                yield f"{sheet.title}!{link.get('ref')} leads to {inside}, which does not exist."
    for part, root in book.roots.items():
        for target in _TARGETS(root):
            if length(target) > LONGEST_ADDRESS:
                yield f"{part} has an address of more than {LONGEST_ADDRESS} characters."


@rule
def pages(book: Book) -> Iterator[str]:
    """Headers, zooms, scales and page breaks are those that Excel accepts."""
    for sheet in book.sheets:
        for element in sheet.root.iterfind(f"{MAIN}headerFooter/*"):
            if length(element.text or "") > LONGEST_HEADER:
                yield f"{sheet.title} has a header of more than {LONGEST_HEADER} characters."
        for element, attribute in _zooms(sheet.root):
            zoom = int(element.get(attribute) or 100)
            # 0 stands for "not said" in the zooms of the other views.
            unsaid = zoom == 0 and attribute.startswith("zoomScale") and attribute != "zoomScale"
            if not unsaid and not SMALLEST_ZOOM <= zoom <= LARGEST_ZOOM:
                yield f"{sheet.title} has {attribute} {zoom}."
        for tag, last in (("rowBreaks", LAST_ROW), ("colBreaks", LAST_COLUMN)):
            breaks = list(sheet.root.iterfind(f"{MAIN}{tag}/{MAIN}brk"))
            if len(breaks) > MOST_BREAKS:
                yield f"{sheet.title} has {len(breaks)} {tag}, more than {MOST_BREAKS}."
            for each in breaks:
                if not 1 <= int(each.get("id") or 0) < last:
                    yield f"{sheet.title} has a page break after {each.get('id')}."


def _zooms(root: Element) -> Iterator[tuple[Element, str]]:
    for view in root.iter(f"{MAIN}sheetView"):
        for attribute in ("zoomScale", "zoomScaleNormal", "zoomScalePageLayoutView"):
            yield view, attribute
    for page in root.iter(f"{MAIN}pageSetup"):
        yield page, "scale"


@rule
def sheet_count(book: Book) -> Iterator[str]:
    """There is a sheet to see, it is the one that opens, and sheets are not beyond counting."""
    shown = [
        each.get("state") in (None, "visible")
        for each in book.roots["xl/workbook.xml"].iter(f"{MAIN}sheet")
    ]
    if len(shown) > MOST_SHEETS:
        yield f"There are {len(shown)} sheets, more than {MOST_SHEETS}."
    for view in book.roots["xl/workbook.xml"].iter(f"{MAIN}workbookView"):
        opens = int(view.get("activeTab") or 0)
        if opens >= len(shown) or not shown[opens]:
            yield f"The workbook opens on sheet {opens}, which is not to be seen."


@rule
def lines(book: Book) -> Iterator[str]:
    """No cell has more lines than Excel keeps."""
    for sheet in book.sheets:
        for cell in sheet.cells:
            if book.text(cell).count("\n") >= MOST_LINES:
                yield f"{sheet.title}!{cell.get('r')} has more than {MOST_LINES} lines."


@rule
def conditional_formats(book: Book) -> Iterator[str]:
    """Conditional formats are of legal cells, have a formula, and each has its own turn."""
    for sheet in book.sheets:
        turns: Counter[str | None] = Counter()
        for covered in sheet.root.iter(f"{MAIN}conditionalFormatting"):
            if not all(area(cells) for cells in (covered.get("sqref") or "-").split()):
                yield f"{sheet.title} has a conditional format of {covered.get('sqref')}."
            for each in covered.iter(f"{MAIN}cfRule"):
                turns[each.get("priority")] += 1
                empty = not all((found.text or "").strip() for found in each.iter(f"{MAIN}formula"))
                nothing = each.get("type") == "expression" and each.find(f"{MAIN}formula") is None
                if empty or nothing:
                    yield f"{sheet.title} has a conditional format without a formula."
        for turn, count in turns.items():
            if count > 1:
                yield f"{sheet.title} has {count} conditional formats of priority {turn}."
