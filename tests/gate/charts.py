"""Charts and other drawings: they show cells that exist, as they are, inside their sheet."""

from collections.abc import Iterator
from functools import lru_cache
from math import isclose

from tests.book.rules import (
    ERRORS,
    LAST_COLUMN,
    LAST_ROW,
    MAIN,
    Book,
    Element,
    area,
    relations,
    rule,
)

CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
ANCHORED = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
_OBJECTS = ("graphicFrame", "pic", "sp", "cxnSp", "grpSp")

Shown = str | float | None
"""What a chart draws of a cell: a text, a number, or nothing."""


def _charts(book: Book) -> Iterator[tuple[str, Element]]:
    for part, root in book.roots.items():
        if root.tag == f"{CHART}chartSpace":
            yield part, root


def _references(chart: Element) -> Iterator[tuple[Element, str]]:
    """Each reference of a chart to cells, with its text."""
    for element in chart.iter(f"{CHART}numRef", f"{CHART}strRef", f"{CHART}multiLvlStrRef"):
        yield element, element.findtext(f"{CHART}f") or ""


@lru_cache(maxsize=4)
def _cells(root: Element) -> dict[tuple[int, int], Element]:
    """The cells of a sheet by row and column."""
    found = {}
    for cell in root.iter(f"{MAIN}c"):
        if place := area(cell.get("r")):
            found[place.top, place.left] = cell
    return found


def _covered(book: Book, reference: str) -> list[Element | None] | None:
    """The cells of a reference, None for one that the file lacks; None for no reference."""
    title, _, address = reference.rpartition("!")
    named = {each.name.lower(): each.text for each in book.names}
    if address.lower() in named:
        title, _, address = named[address.lower()].rpartition("!")
    unquoted = title.strip("'").replace("''", "'")
    sheet = next((each for each in book.sheets if each.title == unquoted), None)
    covered = area(address)
    if sheet is None or covered is None:
        return None
    cells = _cells(sheet.root)
    return [
        cells.get((row, column))
        for row in range(covered.top, covered.bottom + 1)
        for column in range(covered.left, covered.right + 1)
    ]


def _shown(book: Book, cell: Element | None, numbers: bool) -> Shown:
    text = "" if cell is None else book.text(cell)
    if cell is None or (text == "" and cell.find(f"{MAIN}f") is None):
        return None
    if not numbers:
        return text
    kind = cell.get("t") or "n"
    if kind == "e":
        return text
    return float(text) if kind in ("n", "b") and text else TEXT


TEXT = ""
"""A text among figures, which Excel draws as zero."""


@rule
def chart_references(book: Book) -> Iterator[str]:
    """What a chart reads are cells of the workbook, and there is something in them."""
    for part, chart in _charts(book):
        for _, reference in _references(chart):
            cells = _covered(book, reference)
            if cells is None:
                yield f"{part} reads {reference}, which does not exist."
            elif all(_shown(book, cell, numbers=False) is None for cell in cells):
                yield f"{part} reads {reference}, where every cell is empty."


@rule
def chart_series(book: Book) -> Iterator[str]:
    """A chart has series with values, and as many categories as values."""
    for part, chart in _charts(book):
        all_series = list(chart.iter(f"{CHART}ser"))
        if not all_series:
            yield f"{part} has no series."
        for series in all_series:
            lengths = {
                role: len(_covered(book, read.text or "") or [])
                for role in ("cat", "val", "xVal", "yVal")
                if (read := series.find(f"{CHART}{role}/*/{CHART}f")) is not None
            }
            if not lengths.get("val", lengths.get("yVal")):
                yield f"{part} has a series without values."
            if len(set(lengths.values())) > 1:
                yield f"{part} has a series with {lengths} cells."


@rule
def chart_caches(book: Book) -> Iterator[str]:
    """What a chart carries for previews is what its cells show."""
    for part, chart in _charts(book):
        for element, reference in _references(chart):
            cells = _covered(book, reference) or []
            numbers = element.tag == f"{CHART}numRef"
            cache = element.find(f"{CHART}{'num' if numbers else 'str'}Cache")
            if cache is None:
                yield f"{part} carries nothing of {reference}."
                continue
            count = cache.find(f"{CHART}ptCount")
            if count is None or count.get("val") != str(len(cells)):
                said = None if count is None else count.get("val")
                yield f"{part} counts {said} points of {reference}, which has {len(cells)} cells."
            points = {
                int(each.get("idx") or 0): each.findtext(f"{CHART}v") or ""
                for each in cache.iter(f"{CHART}pt")
            }
            wanted = {
                place: shown
                for place, cell in enumerate(cells)
                if (shown := _shown(book, cell, numbers)) is not None
            }
            for place in sorted(points.keys() | wanted.keys()):
                if not _same(points.get(place), wanted.get(place), numbers):
                    yield (
                        f"{part} carries {points.get(place)!r} as point {place} of {reference}, "
                        f"which shows {wanted.get(place)!r}."
                    )


def _same(point: str | None, shown: Shown, numbers: bool) -> bool:
    if point is None:
        # A point that shows an error or nothing may be left out.
        return shown in (None, TEXT) or str(shown) in ERRORS
    if numbers and (shown == TEXT or isinstance(shown, float)):
        try:
            return isclose(float(point), float(shown or 0), rel_tol=1e-12)
        except ValueError:
            return False
    return point == shown


@rule
def alt_texts(book: Book) -> Iterator[str]:
    """Whoever cannot see a drawing is told what it shows."""
    for part, drawing in _drawings(book):
        for kind in _OBJECTS:
            for shape in drawing.iter(f"{ANCHORED}{kind}"):
                properties = shape.find(f"*/{ANCHORED}cNvPr")
                text = "" if properties is None else properties.get("descr") or ""
                if not text.strip():
                    name = None if properties is None else properties.get("name")
                    yield f"{part} has a drawing without alt text, {name!r}."


def _drawings(book: Book) -> Iterator[tuple[str, Element]]:
    for part, root in book.roots.items():
        if root.tag == f"{ANCHORED}wsDr":
            yield part, root


@rule
def anchors(book: Book) -> Iterator[str]:
    """Drawings lie on their sheet, have a size, and each has its own number."""
    for part, drawing in _drawings(book):
        for anchor in drawing:
            start = _corner(anchor.find(f"{ANCHORED}from"))
            end = _corner(anchor.find(f"{ANCHORED}to"))
            size = anchor.find(f"{ANCHORED}ext")
            for corner in (start, end):
                if corner and not (
                    0 <= corner[0] < LAST_COLUMN
                    and 0 <= corner[2] < LAST_ROW
                    and min(corner[1], corner[3]) >= 0
                ):
                    yield f"{part} has a drawing at {corner}, which is on no sheet."
            if start and end and (end[:2] <= start[:2] or end[2:] <= start[2:]):
                yield f"{part} has a drawing that ends at {end}, before its start {start}."
            if size is not None and min(int(size.get(side) or 0) for side in ("cx", "cy")) <= 0:
                yield f"{part} has a drawing without a size."
        numbers = [each.get("id") for each in drawing.iter(f"{ANCHORED}cNvPr")]
        if len(set(numbers)) < len(numbers):
            yield f"{part} has drawings with the same number: {numbers}."


def _corner(element: Element | None) -> tuple[int, int, int, int] | None:
    """Column, offset in it, row, offset in it; the cells counted from 0."""
    if element is None:
        return None
    column, across, row, down = (
        int(element.findtext(f"{ANCHORED}{tag}") or 0) for tag in ("col", "colOff", "row", "rowOff")
    )
    return column, across, row, down


@rule
def drawings_used(book: Book) -> Iterator[str]:
    """Every drawing is on a sheet and every chart in a drawing: Excel drops the others."""
    led_to = {target for part in book.roots for target in relations(book.roots, part).values()}
    for part, _ in (*_drawings(book), *_charts(book)):
        if part not in led_to:
            yield f"{part} is in no sheet."
