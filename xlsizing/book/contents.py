"""What is in a workbook's cells, found by sheet, table and defined name."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

from xlsizing.book.package.opened import Package, opened_package
from xlsizing.book.package.structure import PlacedTable, Sheet, Structure
from xlsizing.book.package.xml import XmlError
from xlsizing.book.shared_strings import shared_texts
from xlsizing.book.worksheet import Area, Cell, Worksheet, area_of
from xlsizing.core.planning.cells import Value

_REFERENCE = re.compile(
    r"(?:'((?:[^']|'')+)'|([^'!,()\[\]]+))!(\$?[A-Za-z]{1,3}\$?[0-9]+(?::\$?[A-Za-z]{1,3}\$?[0-9]+)?)"
)


class Contents:
    """The cells of a workbook; a sheet is read when it is first asked for."""

    def __init__(self, package: Package) -> None:
        """Find the sheets, tables and names of a package.

        Raises
        ------
        WorkbookReadError : it is no workbook, or a part that leads to others is damaged.
        """
        self.package = package
        self.structure = Structure(package)
        self._sheets: dict[str, Worksheet] = {}
        self._shared: dict[int, str] = {}

    @cached_property
    def tables(self) -> Mapping[str, PlacedTable]:
        """The tables by name in lower case; the first where two have the same."""
        found: dict[str, PlacedTable] = {}
        for table in self.structure.tables:
            found.setdefault(table.name.lower(), table)
        return found

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What the defined names of the whole workbook stand for, by name in lower case."""
        return {
            found.attributes.get("name", "").lower(): found.text.strip()
            for found in self.structure.elements(self.structure.workbook, "definedName")
            if "localSheetId" not in found.attributes
        }

    def place(self, name: str) -> tuple[Sheet, Area] | None:
        """The sheet and cell that a defined name stands for; None where it is not one cell."""
        found = self.area(name)
        return found if found and found[1].is_one_cell else None

    def area(self, name: str) -> tuple[Sheet, Area] | None:
        """The sheet and cells that a defined name stands for; None where it is anything else."""
        match = _REFERENCE.fullmatch(self.names.get(name.lower(), ""))
        sheet = match and self.sheet((match[1] or match[2]).replace("''", "'"))
        if not match or not sheet:
            return None
        try:
            return sheet, area_of(match[3])
        except XmlError:  # beyond the last row or column
            return None

    def named_value(self, name: str) -> Value:
        """What the cell holds that a defined name stands for; None where there is none."""
        place = self.place(name)
        if place is None:
            return None
        sheet, area = place
        return next((self.value(sheet, cell) for cell in self.cells(sheet, area)), None)

    def sheet(self, title: str) -> Sheet | None:
        """The sheet of that title, without regard to case; None where there is none."""
        return next((s for s in self.structure.sheets if s.title.lower() == title.lower()), None)

    def prepare(self, sheets: Iterable[Sheet]) -> None:
        """Read sheets and the shared texts that they hold, in one pass over the latter."""
        wanted: set[int] = set()
        for sheet in sheets:
            if sheet.part not in self._sheets:
                with self.told(sheet.part):
                    read = Worksheet(self.package.xml(sheet.part))
                    wanted |= read.shared_indexes()
                    self._sheets[sheet.part] = read
        parts = self.structure.targets(self.structure.workbook, "sharedStrings")
        if parts and (missing := wanted - self._shared.keys()):
            self._shared |= shared_texts(self.package, parts[0], missing)

    def worksheet(self, sheet: Sheet) -> Worksheet:
        """The XML of a sheet."""
        if sheet.part not in self._sheets:
            self.prepare([sheet])
        return self._sheets[sheet.part]

    def value(self, sheet: Sheet, cell: Cell) -> Value:
        """What a cell holds, or what its formula came to; None for nothing."""
        with self.told(sheet.part):
            return self.value_in(self.worksheet(sheet), cell)

    def value_in(self, worksheet: Worksheet, cell: Cell) -> Value:
        """What a cell of a sheet holds, which may have been edited since it was read.

        Raises
        ------
        XmlError : it holds what no cell can.
        """
        return worksheet.value(cell, self._shared)

    def cells(self, sheet: Sheet, area: Area) -> Iterator[Cell]:
        """The cells of an area that are there."""
        worksheet = self.worksheet(sheet)
        with self.told(sheet.part):
            yield from worksheet.cells_in(area)

    @contextmanager
    def told(self, part: str) -> Iterator[None]:
        """Say of what is wrong with XML in which part of which workbook it is."""
        try:
            yield
        except XmlError as error:
            raise self.package.broken(part, error) from error


@contextmanager
def opened_contents(path: str) -> Iterator[Contents]:
    """The cells of the workbook at `path`, open while the context lasts.

    Raises
    ------
    WorkbookReadError : the file cannot be read, is no workbook, or would unpack to too much.
    """
    with opened_package(path) as package:
        yield Contents(package)
