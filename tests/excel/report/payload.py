"""What an Office.js add-in sends of a workbook with a script's call, made from a state."""

from typing import Any

import xlwings

from tests.excel.report.state import BookState, SheetState, address_of, referred


def payload(book: BookState) -> dict[str, Any]:
    """The body of a script's call.

    Source: `getBookData` of the add-in that xlwings Server ships, version 1.20.
    """
    return {
        "client": "Office.js",
        "version": xlwings.__version__,
        "book": {
            "name": book.name,
            "active_sheet_index": book.titles.index(book.active),
            "selection": "A1",
        },
        "names": [_name(book, name, refers_to) for name, refers_to in book.names.items()],
        "sheets": [_sheet(book, sheet) for sheet in book.sheets],
    }


def _name(book: BookState, name: str, refers_to: str) -> dict[str, Any]:
    try:
        sheet, address = referred(refers_to)
        place: int | None = book.titles.index(sheet)
    except ValueError:
        place, address = None, None
    return {
        "name": name,
        "refers_to": refers_to,
        "type": "Range" if address else "Formula",
        "sheet_index": place,
        "address": address,
        "scope_sheet_name": None,
        "scope_sheet_index": None,
        "book_scope": True,
    }


def _sheet(book: BookState, sheet: SheetState) -> dict[str, Any]:
    rows, columns = sheet.extent
    values = [["" for _ in range(columns)] for _ in range(rows)]
    for (row, column), value in sheet.cells.items():
        values[row - 1][column - 1] = value
    return {
        "name": sheet.title,
        "visibility": "Visible",
        "values": values,
        "used_range_address": address_of((1, 1, rows, columns)) if sheet.cells else None,
        "pictures": [],
        "shapes": [],
        "charts": [],
        "notes": [],
        "print_area": None,
        "show_gridlines": True,
        "pivot_tables": [],
        "tables": [
            _table(name, area, totals=name in book.totals)
            for name, (title, area) in book.tables.items()
            if title == sheet.title
        ],
    }


def _table(name: str, area: tuple[int, int, int, int], *, totals: bool) -> dict[str, Any]:
    top, left, bottom, right = area
    last = bottom - totals
    return {
        "name": name,
        "range_address": address_of(area),
        "row_count": bottom - top,
        "column_count": right - left + 1,
        "header_row_range_address": address_of((top, left, top, right)),
        "data_body_range_address": address_of((top + 1, left, last, right)),
        "total_row_range_address": address_of((bottom, left, bottom, right)) if totals else None,
        "show_headers": True,
        "show_totals": totals,
        "table_style": "",
        "show_autofilter": True,
    }
