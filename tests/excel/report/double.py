"""A double of the part of xlwings that the report uses, over a state in memory.

It is what the report is tested on where xlwings' own remote engine has no licence; where it
has one, a test holds that both end in the same state. As a desktop host it has a status bar
and a window besides, and a write of it may fail.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tests.excel.report.state import (
    Area,
    BookState,
    SheetState,
    address_of,
    area_of,
    quoted,
    referred,
)


class Refused(Exception):
    """What a host says of a call that it does not do."""


@dataclass
class Excel:
    """An Excel that runs: what it has beside workbooks, and when it fails."""

    remote: bool = False
    status_bar: Any = False
    screen_updating: bool = True
    said: list[str] = field(default_factory=list)
    """Everything that the status bar said."""
    books: list["Book"] = field(default_factory=list)
    writes: int = 0
    """Calls that changed a workbook."""
    fails: Callable[[int], bool] = lambda _: False
    """Which of them fail, by their numbers from 1."""

    def write(self) -> None:
        """Count a call that changes a workbook."""
        self.writes += 1
        if self.fails(self.writes):
            raise Refused(f"Excel is busy with write {self.writes}")


class App:
    """The application."""

    def __init__(self, excel: Excel) -> None:
        self._excel = excel
        self.engine = SimpleNamespace(type="remote" if excel.remote else "desktop")
        self.books = SimpleNamespace(add=self._add)
        self.alerts: list[str] = []
        self.api = SimpleNamespace(ActiveWindow=_Window(excel))

    @property
    def status_bar(self) -> Any:
        return self._desktop(self._excel.status_bar)

    @status_bar.setter
    def status_bar(self, value: Any) -> None:
        self._desktop(None)
        self._excel.status_bar = value
        if value:
            self._excel.said.append(value)

    @property
    def screen_updating(self) -> bool:
        return bool(self._desktop(self._excel.screen_updating))

    @screen_updating.setter
    def screen_updating(self, value: bool) -> None:
        self._desktop(None)
        self._excel.screen_updating = value

    def alert(self, words: str, title: str, mode: str) -> None:
        assert (title, mode) == ("Full report", "critical")
        self.alerts.append(words)

    def _desktop(self, value: Any) -> Any:
        if self._excel.remote:
            raise NotImplementedError
        return value

    def _add(self) -> "Book":
        self._excel.write()
        state = BookState(f"Book{len(self._excel.books) + 1}", [SheetState("Sheet1")])
        state.active = "Sheet1"
        return Book(state, self._excel)


class _Window:
    """The window on the desktop, and the sheet that it shows."""

    def __init__(self, excel: Excel) -> None:
        self._excel = excel
        self.SplitRow = self.SplitColumn = 0

    @property
    def FreezePanes(self) -> bool:  # noqa: N802
        return False

    @FreezePanes.setter
    def FreezePanes(self, value: bool) -> None:  # noqa: N802
        assert value
        self._excel.write()
        state = self._excel.books[-1].state
        rows, columns = self.SplitRow, self.SplitColumn
        frozen = address_of((1, 1, rows, columns)) if columns else f"1:{rows}"
        state.sheet(state.active).frozen = frozen


class Book:
    """A workbook."""

    def __init__(self, state: BookState, excel: Excel | None = None) -> None:
        self.state = state
        self.excel = excel or Excel()
        self.excel.books.append(self)
        self.app = App(self.excel)
        self.sheets = Sheets(self)
        self.names = Names(self)
        self.is_open = True
        self.is_protected = False
        """Whether its structure is."""

    @property
    def api(self) -> Any:
        return {} if self.excel.remote else SimpleNamespace(ProtectStructure=self.is_protected)

    @property
    def name(self) -> str:
        return self.state.name

    def close(self) -> None:
        self.is_open = False


class Sheets:
    """The sheets of a workbook."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def __iter__(self) -> Iterator["Sheet"]:
        return iter([Sheet(self._book, title) for title in self._book.state.titles])

    def __len__(self) -> int:
        return len(self._book.state.sheets)

    def __getitem__(self, title: str) -> "Sheet":
        assert isinstance(title, str), "hosts hold sheets by places, which shift"
        if title not in self._book.state.titles:
            raise Refused(f"no sheet {title}")
        return Sheet(self._book, title)

    @property
    def active(self) -> "Sheet":
        return self[self._book.state.active]

    def add(self, name: str, *, after: "Sheet") -> "Sheet":
        book = self._book
        if book.is_protected:
            raise Refused("the structure is protected")
        place = book.state.titles.index(after.name) + 1
        book.excel.write()
        if book.excel.remote:
            book.state.add(name, place)
        else:
            # On the desktop a sheet is added first, and then it is given its title.
            book.state.add("Sheet99", place)
            self["Sheet99"].name = name
        return self[name]


class Sheet:
    """A sheet, by its title."""

    def __init__(self, book: Book, title: str) -> None:
        self.book = book
        self._title = title

    @property
    def state(self) -> SheetState:
        return self.book.state.sheet(self._title)

    @property
    def name(self) -> str:
        return self._title

    @name.setter
    def name(self, value: str) -> None:
        self.book.excel.write()
        self.book.state.rename(self._title, value)
        self._title = value

    def range(self, first: Any, last: Any = None) -> "Range":
        if isinstance(first, str):
            return Range(self, area_of(first))
        return Range(self, (*first, *(last or first)))

    @property
    def tables(self) -> list["Table"]:
        return [
            Table(self, name, area)
            for name, (title, area) in self.book.state.tables.items()
            if title == self._title
        ]

    @property
    def used_range(self) -> "Range":
        return Range(self, (1, 1, *self.state.extent))

    @property
    def charts(self) -> SimpleNamespace:
        return SimpleNamespace(add=self._add_chart)

    @property
    def show_gridlines(self) -> bool:
        return self.state.grid

    @show_gridlines.setter
    def show_gridlines(self, value: bool) -> None:
        self.book.excel.write()
        self.state.grid = value

    @property
    def freeze_panes(self) -> SimpleNamespace:
        if not self.book.excel.remote:
            raise NotImplementedError
        return SimpleNamespace(freeze_at=self._freeze)

    def activate(self) -> None:
        self.book.excel.write()
        self.book.state.active = self._title

    def delete(self) -> None:
        self.book.excel.write()
        self.book.state.delete(self._title)

    def _freeze(self, frozen: Any) -> None:
        self.book.excel.write()
        address = frozen if isinstance(frozen, str) else frozen.address
        self.state.frozen = address.replace("$", "")

    def _add_chart(self, **given: Any) -> "Chart":
        self.book.excel.write()
        assert given.pop("plot_by") == "columns"
        chart = {
            "name": given.pop("name"),
            "kind": given.pop("chart_type"),
            "figures": given.pop("source").area,
            "corner": given.pop("anchor").area,
            "size": (given.pop("width"), given.pop("height")),
        }
        assert not given
        self.state.charts.append(chart)
        return Chart(self.book.excel, chart)


class Table:
    """A table of a sheet."""

    def __init__(self, sheet: Sheet, name: str, area: Area) -> None:
        top, left, bottom, right = area
        self.parent = sheet
        self.name = name
        self.header_row_range = Range(sheet, (top, left, top, right))
        self.show_totals = name in sheet.book.state.totals
        self.data_body_range = Range(sheet, (top + 1, left, bottom - self.show_totals, right))


class Range:
    """Cells of a sheet."""

    def __init__(self, sheet: Sheet, area: Area) -> None:
        object.__setattr__(self, "sheet", sheet)
        object.__setattr__(self, "area", area)

    sheet: Sheet
    area: Area

    @property
    def row(self) -> int:
        return self.area[0]

    @property
    def column(self) -> int:
        return self.area[1]

    @property
    def shape(self) -> tuple[int, int]:
        top, left, bottom, right = self.area
        return bottom - top + 1, right - left + 1

    @property
    def address(self) -> str:
        sides = address_of(self.area).split(":")
        return ":".join("".join(f"${part}" for part in _split(side)) for side in sides)

    @property
    def last_cell(self) -> "Range":
        return Range(self.sheet, (*self.area[2:], *self.area[2:]))

    def options(self, **given: Any) -> "_Values":
        return _Values(self, given)

    @property
    def value(self) -> Any:
        assert self.shape == (1, 1)
        return self.sheet.state.value(*self.area[:2])

    @property
    def font(self) -> "_Font":
        return _Font(self)

    @property
    def borders(self) -> SimpleNamespace:
        return SimpleNamespace(set=self._underline)

    @property
    def conditional_formats(self) -> SimpleNamespace:
        return SimpleNamespace(add_cell_value=self._highlight)

    @property
    def rows(self) -> SimpleNamespace:
        return SimpleNamespace(autofit=self._fit)

    def _fit(self) -> None:
        self._write()
        self.sheet.state.fitted.append(self.area)

    def merge(self, *, across: bool) -> None:
        assert across
        self._write()
        top, left, bottom, right = self.area
        self.sheet.state.merged += [(row, left, row, right) for row in range(top, bottom + 1)]

    def __setattr__(self, name: str, value: Any) -> None:
        self._write()
        top, left, bottom, right = self.area
        state = self.sheet.state
        if name == "column_width":
            state.widths.update(dict.fromkeys(range(left, right + 1), value))
        elif name == "row_height":
            state.heights.update(dict.fromkeys(range(top, bottom + 1), value))
        else:
            state.dress(self.area, _LOOKS[name], value.lower() if name == "color" else value)

    def _write(self) -> None:
        self.sheet.book.excel.write()

    def _underline(self, sides: Sequence[str], *, color: str, line_style: str) -> None:
        for side in sides:
            for name, value in (("color", color.lower()), ("line_style", line_style)):
                self._write()
                self.sheet.state.underline(self.area, side, name, value)

    def _highlight(self, operator: str, formula: str, *, fill_color: str) -> None:
        self._write()
        word = formula.removeprefix('="').removesuffix('"')
        self.sheet.state.highlights.append((self.area, operator, word, fill_color.lower()))


_LOOKS = {
    "color": "ground",
    "number_format": "number_format",
    "horizontal_alignment": "horizontal_alignment",
    "vertical_alignment": "vertical_alignment",
    "wrap_text": "wrap_text",
}


def _split(cell: str) -> tuple[str, str]:
    column = cell.rstrip("0123456789")
    return column, cell[len(column) :]


class _Values:
    """The values of cells, with options."""

    def __init__(self, cells: Range, given: dict[str, Any]) -> None:
        self._cells = cells
        self._given = given

    @property
    def value(self) -> list[list[Any]]:
        assert self._given == {"ndim": 2, "err_to_str": True}
        top, left, bottom, right = self._cells.area
        state = self._cells.sheet.state
        return [
            [state.value(row, column) for column in range(left, right + 1)]
            for row in range(top, bottom + 1)
        ]

    @value.setter
    def value(self, rows: Sequence[Sequence[Any]]) -> None:
        top, left, _, right = self._cells.area
        size = self._given.pop("chunksize")
        assert not self._given
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            self._cells.sheet.book.excel.write()
            area = (top + start, left, top + start + len(part) - 1, right)
            self._cells.sheet.state.enter(area, part)


class _Font:
    """The font of cells."""

    def __init__(self, cells: Range) -> None:
        object.__setattr__(self, "_cells", cells)

    _cells: Range

    def __setattr__(self, name: str, value: Any) -> None:
        assert name in ("bold", "size", "color")
        self._cells.sheet.book.excel.write()
        shown = value.lower() if name == "color" else value
        self._cells.sheet.state.dress(self._cells.area, f"font_{name}", shown)


class Chart:
    """A chart."""

    def __init__(self, excel: Excel, state: dict[str, Any]) -> None:
        object.__setattr__(self, "_excel", excel)
        object.__setattr__(self, "state", state)

    _excel: Excel
    state: dict[str, Any]

    def set_x_axis_values(self, labels: Range) -> None:
        self._excel.write()
        self.state["labels"] = labels.area

    def __setattr__(self, name: str, value: Any) -> None:
        assert name == "title"
        self._excel.write()
        self.state[name] = value

    @property
    def legend(self) -> "_Part":
        return _Part(self, "legend")

    @property
    def category_axis(self) -> "_Part":
        return _Part(self, "category")

    @property
    def value_axis(self) -> "_Part":
        return _Part(self, "value")

    @property
    def series(self) -> list["_Part"]:
        if self._excel.remote:
            raise NotImplementedError
        _, left, _, right = self.state["figures"]
        return [_Part(self, f"series_{place}") for place in range(right - left + 1)]


class _Part:
    """A part of a chart that has properties."""

    def __init__(self, chart: Chart, name: str) -> None:
        object.__setattr__(self, "_chart", chart)
        object.__setattr__(self, "_name", name)

    _chart: Chart
    _name: str

    def set(self, **given: Any) -> None:
        self._chart._excel.write()
        self._chart.state.update({f"{self._name}_{key}": value for key, value in given.items()})

    def __setattr__(self, name: str, value: Any) -> None:
        self.set(**{name: value})


class Names:
    """The defined names of a workbook."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def __iter__(self) -> Iterator["Name"]:
        return iter([Name(self._book, name) for name in self._book.state.names])

    def __contains__(self, name: str) -> bool:
        return name in self._book.state.names

    def __getitem__(self, name: str) -> "Name":
        if name not in self._book.state.names:
            raise Refused(f"no name {name}")
        return Name(self._book, name)

    def add(self, name: str, refers_to: str) -> None:
        self._book.excel.write()
        assert name not in self._book.state.names
        self._book.state.refer(name, refers_to)


class Name:
    """A defined name."""

    def __init__(self, book: Book, name: str) -> None:
        self._book = book
        self.name = name

    @property
    def refers_to(self) -> str:
        return self._book.state.names[self.name]

    @refers_to.setter
    def refers_to(self, value: str) -> None:
        self._book.excel.write()
        self._book.state.refer(self.name, value)

    @property
    def refers_to_range(self) -> Range:
        try:
            sheet, address = referred(self.refers_to)
        except ValueError as error:
            raise Refused(f"{self.name} refers to no range") from error
        return self._book.sheets[sheet].range(address)

    def delete(self) -> None:
        self._book.excel.write()
        del self._book.state.names[self.name]


__all__ = ["Book", "Excel", "Refused", "quoted"]
