"""Chart series that carry the values of their cells, which previews and phones draw from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openpyxl.chart.data_source import (
    AxDataSource,
    NumData,
    NumDataSource,
    NumRef,
    NumVal,
    StrData,
    StrRef,
    StrVal,
)
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.utils import absolute_coordinate, quote_sheetname

from xlsizing.book.cells import Writer
from xlsizing.book.texts import escaped
from xlsizing.core.planning.cells import Value


@dataclass(frozen=True)
class Cells:
    """Cells in one row or column of a sheet that is being written, for a chart to draw."""

    writer: Writer
    address: str
    """Such as B4 or B4:B9."""

    @property
    def reference(self) -> str:
        """The cells as a chart refers to them."""
        title = quote_sheetname(self.writer.sheet.title)
        return f"{title}!{absolute_coordinate(self.address)}"

    @property
    def values(self) -> list[Value]:
        """What the cells show, in their order."""
        return list(self._values())

    def _values(self) -> Iterator[Value]:
        sheet = self.writer.sheet
        known: dict[tuple[str, str], Any] = {**self.writer.notes.values}
        first, _, last = self.address.partition(":")
        for row in sheet[f"{first}:{last or first}"]:
            for cell in row:
                yield known.get((sheet.title, cell.coordinate), cell.value)


def series(name: Cells, values: Cells, categories: Cells | None = None) -> Series:
    """A series over cells that were written before."""
    made = Series(val=NumDataSource(_numbers(values)), tx=SeriesLabel(_texts(name)))
    if categories:
        texts = all(isinstance(value, str) for value in categories.values)
        made.cat = (
            AxDataSource(strRef=_texts(categories))
            if texts
            else AxDataSource(numRef=_numbers(categories))
        )
    return made


def _numbers(cells: Cells) -> NumRef:
    """A reference to numbers; what is no number has no point, and so no false zero."""
    values = cells.values
    points = [
        NumVal(idx=place, v=repr(value))
        for place, value in enumerate(values)
        if isinstance(value, int | float)
    ]
    look = cells.writer.sheet[cells.address.partition(":")[0]].number_format
    return NumRef(cells.reference, NumData(formatCode=look, ptCount=len(values), pt=points))


def _texts(cells: Cells) -> StrRef:
    values = cells.values
    points = [
        StrVal(idx=place, v=escaped(str(value))) for place, value in enumerate(values) if value
    ]
    return StrRef(cells.reference, StrData(ptCount=len(values), pt=points))
