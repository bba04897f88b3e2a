"""Writing cells: data as data, formulas with the value that they will show."""

from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection
from openpyxl.worksheet.worksheet import Worksheet

from xlsizing.book.expressions import said
from xlsizing.book.texts import cell_text, is_like_a_formula
from xlsizing.core.planning.cells import CellError, Value
from xlsizing.language import ENGLISH, Language


@dataclass(frozen=True)
class Style:
    """What a cell looks like; None leaves openpyxl's default."""

    font: Font | None = None
    fill: PatternFill | None = None
    number_format: str | None = None
    alignment: Alignment | None = None
    border: Border | None = None
    protection: Protection | None = None


UNLOCKED = Protection(locked=False)
"""What a person may type into on a protected sheet."""


@dataclass(frozen=True)
class BlockColumn:
    """One column of a block of rows: every cell looks the same."""

    letter: str
    style_id: int
    quoted_style_id: int
    """The same look, for a text that must not be read as a formula."""
    formula: str | None
    """The formula without its equals sign, with ROW_MARK for the number of its own row."""
    values: tuple[Value, ...]
    """Each row's data, or what its formula comes to."""


@dataclass(frozen=True)
class RowBlock:
    """Rows that the package pass writes, since openpyxl would take long over so many.

    They stand alone: no other cell of the sheet is in them. The row above them is the
    first of its table and has its looks.
    """

    first_row: int
    columns: tuple[BlockColumn, ...]
    height: float | None = None
    """Height of each row [points]; None where a program may choose it."""

    @property
    def last_row(self) -> int:
        """The last row of the block."""
        return self.first_row + len(self.columns[0].values) - 1


ROW_MARK = "\0"
"""Stands for the number of a formula's own row in the formula of a block."""


class AltText(NamedTuple):
    """What a chart is called, and what it shows, for people who do not see it."""

    name: str
    text: str


class ExtraPart(NamedTuple):
    """A part of the package that openpyxl knows nothing of."""

    name: str
    """Its name in the package, such as xl/vbaProject.bin."""
    content: bytes
    content_type: str
    relation: str
    """Type of the relation that leads to it."""
    source: str = ""
    """The part that the relation starts from; empty for the package itself."""


@dataclass
class PackageNotes:
    """What the package pass must add, since openpyxl cannot write it."""

    values: dict[tuple[str, str], Value] = field(default_factory=dict)
    """The value of each formula cell, by sheet title and cell address."""
    blocks: dict[str, list[RowBlock]] = field(default_factory=dict)
    """Rows to be written, by sheet title."""
    calculated_columns: dict[str, list[str]] = field(default_factory=dict)
    """The ranges of tables' calculated columns, by sheet title."""
    alt_texts: dict[str, list[AltText]] = field(default_factory=dict)
    """The alt texts of a sheet's charts in the order in which they were added, by sheet title."""
    legacy_drawings: dict[str, bytes] = field(default_factory=dict)
    """The VML drawing of a sheet's form controls, by sheet title."""
    vba_project: bytes | None = None
    """The macros, where the workbook has any."""
    parts: list[ExtraPart] = field(default_factory=list)
    """Parts to be added; one that others lead to comes before them."""
    language: Language = ENGLISH
    """What texts for people are said in; names and codes are the same in all languages."""
    has_looks: bool = True
    """Whether cells get their looks; a workbook that is only read for its formulas needs none."""

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
        value = self.said(value)
        if isinstance(value, CellError):
            cell.value = value
            cell.data_type = "e"
        elif isinstance(value, str):
            cell.value = cell_text(value)
            cell.data_type = "s"
            if is_like_a_formula(value):
                cell.quotePrefix = True
        else:
            cell.value = value
        return cell

    def formula(
        self, row: int, column: int, text: str, value: Value, style: Style | None = None
    ) -> Cell:
        """Write a formula (without its equals sign) and the value that it has now."""
        cell = self._cell(row, column, style)
        cell.value = f"={self.expression(text)}"
        self.notes.values[self.sheet.title, cell.coordinate] = self.said(value)
        return cell

    def say(self, text: str) -> str:
        """A text in the language that the workbook is written in."""
        return self.notes.language.say(text)

    def said(self, value: Value) -> Value:
        """A value in that language, if it is a text for people."""
        if isinstance(value, str) and not isinstance(value, CellError):
            return self.say(value)
        return value

    def expression(self, text: str) -> str:
        """A formula's text with its texts for people in that language."""
        return said(text, self.notes.language)

    def style_ids(self, row: int, column: int) -> tuple[int, int]:
        """The look of a cell as files number it, and the same for a text like a formula."""
        cell = self._cell(row, column, None)
        was_quoted = bool(cell.quotePrefix)
        cell.quotePrefix = True
        quoted = cell.style_id
        # openpyxl has numbered the very look that is changed next.
        cell._style = copy(cell._style)  # type: ignore[attr-defined]  # noqa: SLF001
        cell.quotePrefix = False
        plain = cell.style_id
        cell._style = copy(cell._style)  # type: ignore[attr-defined]  # noqa: SLF001
        cell.quotePrefix = was_quoted
        return plain, quoted

    def _cell(self, row: int, column: int, style: Style | None) -> Cell:
        cell = self.sheet.cell(row, column)
        assert isinstance(cell, Cell)  # no merged cell is ever written to
        if style is None or not self.notes.has_looks:
            return cell
        for name in ("font", "fill", "number_format", "alignment", "border", "protection"):
            if (wanted := getattr(style, name)) is not None:
                setattr(cell, name, wanted)
        return cell
