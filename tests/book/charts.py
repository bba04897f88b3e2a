"""The charts of a workbook, read from its package, and what may be wrong with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import isclose

from lxml import etree

from tests.book.rules import MAIN, OFFICE, Book, Sheet, area, letters, opened, relations

CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
TEXT = "{http://schemas.openxmlformats.org/drawingml/2006/main}"

EMU_PER_PIXEL = 9_525
ROW_POINTS, PIXELS_PER_POINT = 15.0, 96 / 72
COLUMN_WIDTH, DIGIT_PIXELS = 8.43, 7

Element = etree._Element


@dataclass(frozen=True)
class Box:
    """A rectangle of a sheet [pixels]."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


@dataclass(frozen=True)
class Chart:
    """A chart, its place, and its frame's words for people who do not see it."""

    sheet: Sheet
    root: Element
    name: str
    alt_text: str
    box: Box


def charts(content: bytes) -> list[Chart]:
    """All charts, sheet by sheet."""
    return list(_charts(opened(content)))


def _charts(book: Book) -> Iterator[Chart]:
    for sheet in book.sheets:
        for drawing in sheet.root.iter(f"{MAIN}drawing"):
            part = relations(book.roots, sheet.part)[drawing.get(f"{OFFICE}id") or ""]
            targets = relations(book.roots, part)
            for anchor in book.roots[part]:
                about = next(anchor.iter(f"{DRAWING}cNvPr"))
                link = next(anchor.iter(f"{CHART}chart"))
                yield Chart(
                    sheet,
                    book.roots[targets[link.get(f"{OFFICE}id") or ""]],
                    about.get("name") or "",
                    about.get("descr") or "",
                    _box(sheet, anchor),
                )


def _box(sheet: Sheet, anchor: Element) -> Box:
    left, top = _point(sheet, anchor.find(f"{DRAWING}from"))
    if anchor.find(f"{DRAWING}to") is not None:
        return Box(left, top, *_point(sheet, anchor.find(f"{DRAWING}to")))
    size = anchor.find(f"{DRAWING}ext")
    assert size is not None
    width, height = (int(size.get(each) or 0) / EMU_PER_PIXEL for each in ("cx", "cy"))
    return Box(left, top, left + width, top + height)


def _point(sheet: Sheet, marker: Element | None) -> tuple[float, float]:
    assert marker is not None
    column, right, row, down = (
        int(marker.findtext(f"{DRAWING}{each}") or 0) for each in ("col", "colOff", "row", "rowOff")
    )
    box = cell_box(sheet, column + 1, row + 1)
    return box.left + right / EMU_PER_PIXEL, box.top + down / EMU_PER_PIXEL


def cell_box(sheet: Sheet, column: int, row: int) -> Box:
    """Where a cell is, counted from 1, as Excel draws Calibri 11."""
    widths = _widths(sheet)
    heights = {
        int(each.get("r") or 0): float(each.get("ht") or ROW_POINTS)
        for each in sheet.root.iter(f"{MAIN}row")
    }
    left = sum(_pixels(widths.get(each, COLUMN_WIDTH)) for each in range(1, column))
    top = sum(heights.get(each, ROW_POINTS) * PIXELS_PER_POINT for each in range(1, row))
    return Box(
        left,
        top,
        left + _pixels(widths.get(column, COLUMN_WIDTH)),
        top + heights.get(row, ROW_POINTS) * PIXELS_PER_POINT,
    )


def _widths(sheet: Sheet) -> Mapping[int, float]:
    return {
        column: float(each.get("width") or COLUMN_WIDTH)
        for each in sheet.root.iter(f"{MAIN}col")
        for column in range(int(each.get("min") or 1), int(each.get("max") or 1) + 1)
    }


def _pixels(width: float) -> int:
    return int((256 * width + int(128 / DIGIT_PIXELS)) / 256 * DIGIT_PIXELS)


def words(element: Element | None) -> str:
    """The text in a title."""
    return "" if element is None else "".join(each.text or "" for each in element.iter(f"{TEXT}t"))


def chart_findings(content: bytes) -> list[str]:
    """What is wrong with the charts of a workbook, as sentences; none is the mark."""
    book, found = opened(content), charts(content)
    return [
        *(each for chart in found for each in _unnamed(chart)),
        *(each for chart in found for each in _wrong_values(book, chart)),
        *_overlaps(book, found),
    ]


def _unnamed(chart: Chart) -> Iterator[str]:
    place = f"The chart {chart.name!r} on {chart.sheet.title}"
    if not chart.alt_text or chart.name.startswith("Chart "):
        yield f"{place} has no name or no alt text."
    if not words(chart.root.find(f"{CHART}chart/{CHART}title")):
        yield f"{place} has no title."
    for tag in ("catAx", "valAx"):
        for axis in chart.root.iter(f"{CHART}{tag}"):
            deleted = axis.find(f"{CHART}delete")
            is_deleted = deleted is not None and deleted.get("val") != "0"
            if not is_deleted and not words(axis.find(f"{CHART}title")):
                yield f"{place} has an axis without a title."


def _wrong_values(book: Book, chart: Chart) -> Iterator[str]:
    place = f"The chart {chart.name!r} on {chart.sheet.title}"
    for series in chart.root.iter(f"{CHART}ser"):
        for tag in ("tx", "val"):
            if series.find(f"{CHART}{tag}") is None:
                yield f"{place} has a series without {tag}."
    for reference in (*chart.root.iter(f"{CHART}numRef"), *chart.root.iter(f"{CHART}strRef")):
        cells = reference.findtext(f"{CHART}f") or ""
        texts = reference.tag == f"{CHART}strRef"
        expected = dict(enumerate(_values(book, cells, texts=texts)))
        carried: dict[int, str | float] = {}
        count = 0
        for cache in (f"{CHART}strCache", f"{CHART}numCache"):
            for point in reference.iterfind(f"{cache}/{CHART}pt"):
                value = point.findtext(f"{CHART}v") or ""
                carried[int(point.get("idx") or 0)] = value if texts else float(value)
            if (size := reference.find(f"{cache}/{CHART}ptCount")) is not None:
                count = int(size.get("val") or 0)
        shown = {at: value for at, value in expected.items() if value is not None}
        if not expected:
            yield f"{place} refers to {cells}, which are no cells with values."
        elif not _agree(carried, shown) or count != len(expected):
            yield f"{place} carries {carried} for {cells}, which shows {shown}."


def _values(book: Book, cells: str, *, texts: bool) -> Iterator[str | float | None]:
    """What cells show: None for an empty text, and for what is no number where numbers are drawn."""
    title, _, address = cells.rpartition("!")
    covered = area(address)
    sheet = next((each for each in book.sheets if each.title == title.strip("'")), None)
    if covered is None or sheet is None:
        return
    shown = {cell.get("r"): cell for cell in sheet.cells}
    for row in range(covered.top, covered.bottom + 1):
        for column in range(covered.left, covered.right + 1):
            cell = shown.get(f"{letters(column)}{row}")
            if cell is None:
                return
            is_number = cell.get("t") in (None, "n") and book.text(cell) != ""
            number = float(book.text(cell)) if is_number else None
            yield (book.text(cell) or None) if texts else number


def _agree(one: Mapping[int, str | float], other: Mapping[int, str | float]) -> bool:
    """Whether both have the same points; openpyxl writes a digit less into charts."""
    if one.keys() != other.keys():
        return False
    pairs = ((one[at], other[at]) for at in one)
    return all(
        isclose(a, b, rel_tol=1e-14) if isinstance(a, float) and isinstance(b, float) else a == b
        for a, b in pairs
    )


def _overlaps(book: Book, found: list[Chart]) -> Iterator[str]:
    for one, other in combinations(found, 2):
        if one.sheet is other.sheet and one.box.overlaps(other.box):
            yield f"The charts {one.name!r} and {other.name!r} overlap."
    for chart in found:
        for cell in chart.sheet.cells:
            place = area(cell.get("r"))
            assert place is not None
            filled = book.text(cell) or cell.find(f"{MAIN}f") is not None
            if filled and cell_box(chart.sheet, place.left, place.top).overlaps(chart.box):
                yield f"The chart {chart.name!r} covers {chart.sheet.title}!{cell.get('r')}."
