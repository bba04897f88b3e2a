"""Writing cells: data as data, formulas with the value that they will show."""

from dataclasses import dataclass, field

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

Value = str | int | float | bool | None

LONGEST_TEXT = 32_767
"""Characters that a cell holds; Excel cuts longer text without a word."""

_CUT = " [...]"


@dataclass(frozen=True)
class Style:
    """What a cell looks like; None leaves openpyxl's default."""

    font: Font | None = None
    fill: PatternFill | None = None
    number_format: str | None = None
    alignment: Alignment | None = None
    border: Border | None = None


@dataclass
class PackageNotes:
    """What the package pass must add, since openpyxl cannot write it."""

    values: dict[tuple[str, str], Value] = field(default_factory=dict)
    """The value of each formula cell, by sheet title and cell address."""
    calculated_columns: dict[str, list[str]] = field(default_factory=dict)
    """The ranges of tables' calculated columns, by sheet title."""

    def values_of(self, title: str) -> dict[str, Value]:
        """The values of one sheet's formula cells, by address."""
        return {address: value for (sheet, address), value in self.values.items() if sheet == title}


@dataclass(frozen=True)
class Writer:
    """Writes the cells of one sheet and keeps the values of its formulas."""

    sheet: Worksheet
    notes: PackageNotes

    def value(self, row: int, column: int, value: Value, style: Style | None = None) -> Cell:
        """Write data. A text that starts with an equals sign stays a text."""
        cell = self._cell(row, column, style)
        if isinstance(value, str):
            cell.value = cell_text(value)
            cell.data_type = "s"
            if value[:1] in ("=", "+", "-", "@"):
                cell.quotePrefix = True
        else:
            cell.value = value
        return cell

    def formula(
        self, row: int, column: int, text: str, value: Value, style: Style | None = None
    ) -> Cell:
        """Write a formula (without its equals sign) and the value that it has now."""
        cell = self._cell(row, column, style)
        cell.value = f"={text}"
        self.notes.values[self.sheet.title, cell.coordinate] = value
        return cell

    def _cell(self, row: int, column: int, style: Style | None) -> Cell:
        cell = self.sheet.cell(row, column)
        assert isinstance(cell, Cell)  # no merged cell is ever written to
        for name in ("font", "fill", "number_format", "alignment", "border"):
            if style and (wanted := getattr(style, name)) is not None:
                setattr(cell, name, wanted)
        return cell


def cell_text(text: str) -> str:
    """A text as a cell can hold it: no control characters, not too long."""
    clean = ILLEGAL_CHARACTERS_RE.sub(" ", text)
    if len(clean) <= LONGEST_TEXT:
        return clean
    return clean[: LONGEST_TEXT - len(_CUT)] + _CUT
