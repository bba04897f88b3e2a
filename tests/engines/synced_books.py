"""Workbooks with older catalogs, as people work in them, that are synced with newer ones."""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from lxml import etree
from openpyxl.utils import range_boundaries
from openpyxl.workbook import Workbook

from tests.book.plans import opened, saved, type_in, type_rows
from tests.engines.engines import Cell, IronCalc, Value
from xlsizing.book.build import template
from xlsizing.book.contents import opened_contents
from xlsizing.book.rows import cell_value
from xlsizing.book.sync.syncing import Sync, synced
from xlsizing.book.worksheet import LAST_COLUMN, LAST_ROW, Area, column_letters
from xlsizing.core import Catalogs

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ALL = Area(1, 1, LAST_ROW, LAST_COLUMN)

NOT_THERE: Final = object()
"""Stands for the value of a formula that keeps none."""


@dataclass(frozen=True)
class Case:
    """A workbook that somebody works in, and catalogs that it is synced with."""

    name: str
    old: Catalogs
    new: Catalogs
    rows: Sequence[Mapping[str, Any]] = ()
    """What is typed in Scenarios, by symbol."""
    typed: Mapping[str, Any] = field(default_factory=dict)
    """What is typed in named cells."""
    own: Sequence[tuple[str, Mapping[str, Any]]] = ()
    """Rows that somebody wrote below a table: its name, and cells by head."""
    edits: Mapping[Cell, Any] = field(default_factory=dict)
    """Cells of the catalogs that somebody typed in."""
    unknown: frozenset[str] = frozenset()
    """Sheets on which formulas keep no value, since only the workbook has figures behind them."""

    def typed_in(self, catalogs: Catalogs) -> Workbook:
        """A template of these catalogs, with all that is typed."""
        book = opened(_template(catalogs))
        type_rows(book, [*self.rows, *[{}] * (20 - len(self.rows))])
        type_in(book, self.typed)
        return book

    def before(self) -> tuple[bytes, Mapping[Cell, Value]]:
        """The workbook as a program saves it before the sync, and what its formulas keep."""
        book = self.typed_in(self.old)
        for table, cells in self.own:
            add_row(book, table, cells)
        for (title, address), value in self.edits.items():
            book[title][address].value = value
        content = saved(book)
        [values] = IronCalc().compute([content], formula_cells(book))
        return with_values(content, book.sheetnames, values), values

    def afresh(self) -> bytes:
        """A workbook that is made with the new catalogs, and typed in likewise."""
        return saved(self.typed_in(self.new))


def add_row(book: Workbook, table: str, cells: Mapping[str, Any]) -> None:
    """Write a row below a table, which grows by it, as it does in Excel."""
    [sheet] = [each for each in book if table in each.tables]
    placed = sheet.tables[table]
    left, top, right, bottom = map(int, range_boundaries(placed.ref))  # type: ignore[arg-type]
    heads = {sheet.cell(top, column).value: column for column in range(left, right + 1)}
    for head, value in cells.items():
        sheet.cell(bottom + 1, heads[head]).value = value
    placed.ref = re.sub(r"\d+$", str(bottom + 1), placed.ref)
    if placed.autoFilter:
        placed.autoFilter.ref = placed.ref


def after_sync(
    content: bytes, catalogs: Catalogs, folder: Path, *, prune: bool = False
) -> tuple[bytes, Sync]:
    """A workbook after a sync, and what the sync said."""
    path = folder / "plan.xlsx"
    path.write_bytes(content)
    found, _ = synced(str(path), catalogs, lambda _: None, prune=prune)
    return path.read_bytes(), found


def stored(content: bytes, folder: Path) -> dict[Cell, Any]:
    """The value that each formula of a workbook keeps; NOT_THERE where it keeps none."""
    path = folder / "stored.xlsx"
    path.write_bytes(content)
    found: dict[Cell, Any] = {}
    with opened_contents(str(path)) as contents:
        for sheet in contents.structure.sheets:
            worksheet = contents.worksheet(sheet)
            for cell in worksheet.cells_in(_ALL):
                if worksheet.formula(cell) is not None:
                    value = contents.value(sheet, cell)
                    if value is None or b"<v" not in worksheet.content[cell.start : cell.end]:
                        value = NOT_THERE  # type: ignore[assignment]
                    found[sheet.title, f"{column_letters(cell.column)}{cell.row}"] = value
    return found


@lru_cache(maxsize=4)
def _template(catalogs: Catalogs) -> bytes:
    return template(catalogs)


def formula_cells(book: Workbook) -> list[Cell]:
    """Every cell with a formula."""
    return [
        (sheet.title, cell.coordinate)
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


def with_values(content: bytes, titles: Sequence[str], values: Mapping[Cell, Value]) -> bytes:
    """A workbook that openpyxl saved, whose formulas keep these values.

    Parameters
    ----------
    titles : the titles of its sheets, in their order.
    """
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(changed, "w") as target:
        for part in source.namelist():
            data = source.read(part)
            if match := re.fullmatch(r"xl/worksheets/sheet(\d+)\.xml", part):
                data = _with_values(data, titles[int(match[1]) - 1], values)
            target.writestr(part, data)
    return changed.getvalue()


def _with_values(sheet: bytes, title: str, values: Mapping[Cell, Value]) -> bytes:
    root = etree.fromstring(sheet)
    for cell in root.iter(f"{_MAIN}c"):
        if cell.find(f"{_MAIN}f") is None or (title, str(cell.get("r"))) not in values:
            continue
        kind, text = cell_value(values[title, str(cell.get("r"))])
        for old in cell.findall(f"{_MAIN}v"):
            cell.remove(old)
        if "t" in cell.attrib:
            del cell.attrib["t"]
        if kind:
            cell.set("t", kind)
        etree.SubElement(cell, f"{_MAIN}v").text = text
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
