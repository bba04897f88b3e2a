"""A sheet of the report before it is written: cells, looks and charts, as data.

Everything is computed while a page is made, and said in its language, so that writing it can
only fail in Excel.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, NamedTuple, TypeVar

from xlsizing import palette
from xlsizing.core.alerts import Severity
from xlsizing.core.message import as_plain
from xlsizing.core.planning.cells import Value
from xlsizing.language import ENGLISH, Language

LINE_HEIGHT = 15.5
"""Height of a line of text [points]."""

MOST_TEXT = 1_000
"""Characters of a text that a cell of the report shows."""

COUNT = "#,##0"
"""Number format of whole figures."""


class Area(NamedTuple):
    """Cells of a sheet, from the first row and column to the last."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Look:
    """What cells look like; None leaves what they have."""

    bold: bool | None = None
    size: float | None = None
    ink: str | None = None
    ground: str | None = None
    number_format: str | None = None
    horizontal: Literal["left", "center", "right"] | None = None
    vertical: Literal["top", "center"] | None = None
    wrap: bool | None = None
    underline: str | None = None
    """Colour of the thin lines below each row."""


TITLE = Look(bold=True, size=18, ink=palette.ACCENT)
SUBTITLE = Look(ink=palette.QUIET)
NOTE = Look(size=10, ink=palette.QUIET)
BODY = Look(ink=palette.INK)
STRONG = Look(bold=True)
HEADING = Look(bold=True, ink=palette.ACCENT, ground=palette.HEADING_GROUND)
COLUMN_HEAD = Look(
    bold=True,
    ink="FFFFFF",
    ground=palette.ACCENT,
    horizontal="center",
    vertical="center",
    wrap=True,
)
ANSWER = Look(bold=True, size=28, ink=palette.ACCENT)
RULED = Look(underline=palette.RULE)
WRAPPED = Look(wrap=True)
CENTRED = Look(vertical="center")
APART = Look(number_format='"  "@')
"""Of text beside numbers, which it would touch without blanks in front.

Only of short text: through a format Excel shows no more than 255 characters.
"""
PLAIN = Look(number_format="General")
RIGHT = Look(horizontal="right")
LEFT = Look(horizontal="left")

SEVERITY_GROUNDS: Mapping[Severity, str] = {
    "error": palette.ERROR_GROUND,
    "warning": palette.WARNING_GROUND,
    "info": palette.INFO_GROUND,
}


class Highlight(NamedTuple):
    """A ground for the cells of an area that hold a word, or any other one."""

    area: Area
    operator: Literal["equal_to", "not_equal_to"]
    word: str
    ground: str


ChartKind = Literal["column_clustered", "bar_stacked_100"]


class Chart(NamedTuple):
    """A chart of columns of figures, each with its name above it."""

    name: str
    kind: ChartKind
    title: str
    categories: str
    """What the axis of categories counts; empty where that is plain."""
    values: str
    """What the axis of values counts."""
    figures: Area
    """The names in the first row, the figures in those below."""
    labels: Area
    """The names of the categories."""
    colours: Sequence[str]
    """One for each column of figures."""
    corner: Area
    """The cell in its upper left corner."""
    size: tuple[float, float]
    """Width and height [points]."""
    axis_format: str
    """Number format of the axis of values."""
    has_legend: bool


@dataclass
class Page:
    """A sheet of the report while it is made."""

    key: str
    """What its name in the workbook ends in."""
    title: str
    """What the sheet is called, where no sheet of the person's own is called so."""
    origin: tuple[int, int]
    """Row and column of the cell that says what made the sheet."""
    widths: Sequence[float]
    """Of the columns from the first on [characters]."""
    frozen: tuple[int, int]
    """Rows and columns that stay in sight."""
    language: Language = ENGLISH
    """What its texts are in."""
    cells: dict[tuple[int, int], Value] = field(default_factory=dict)
    looks: list[tuple[Area, Look]] = field(default_factory=list)
    heights: list[tuple[int, int, float]] = field(default_factory=list)
    """First and last row, and their height [points]."""
    fitted: list[Area] = field(default_factory=list)
    """Areas whose rows are as high as their text."""
    merged: list[Area] = field(default_factory=list)
    """Areas in each of whose rows the cells are one."""
    highlights: list[Highlight] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)

    def say(self, text: str) -> str:
        """A text as the page shows it, and nothing but its letters."""
        return as_plain(self.language.say(text))

    def write(self, row: int, column: int, *values: Value) -> None:
        """Put values into a row, from a column on."""
        for place, value in enumerate(values, start=column):
            if value is not None and value != "":
                self.cells[row, place] = cut(self.say(value) if isinstance(value, str) else value)

    def look(self, top: int, left: int, bottom: int, right: int, *looks: Look) -> None:
        """Give cells a look, over the one that they have."""
        self.looks += [(Area(top, left, bottom, right), each) for each in looks]

    def base(self, top: int, left: int, bottom: int, right: int, *looks: Look) -> None:
        """Give cells a look beneath those that single ones have."""
        self.looks[:0] = [(Area(top, left, bottom, right), each) for each in looks]

    def height(self, first: int, last: int, points: float) -> None:
        """Set the height of rows."""
        if self.heights and self.heights[-1][1:] == (first - 1, points):
            first = self.heights.pop()[0]
        self.heights.append((first, last, points))

    @property
    def area(self) -> Area:
        """The cells from the first to the last that holds something."""
        return Area(1, 1, max(row for row, _ in self.cells), max(place for _, place in self.cells))

    @property
    def rows(self) -> list[list[Value]]:
        """The values of its area, row by row."""
        _, _, bottom, right = self.area
        return [
            [self.cells.get((row, column)) for column in range(1, right + 1)]
            for row in range(1, bottom + 1)
        ]


Key = TypeVar("Key")


def runs(values: Sequence[Key]) -> Iterator[tuple[int, int, Key]]:
    """Neighbours that are equal: the places of the first and the last, and the value."""
    start = 0
    for value, equal in groupby(values):
        end = start + sum(1 for _ in equal)
        yield start, end - 1, value
        start = end


def cut(value: Value, most: int = MOST_TEXT) -> Value:
    """A text with no more than so many characters; any other value as it is."""
    if not isinstance(value, str) or len(value) <= most:
        return value
    return f"{value[:most]} [...]"
