"""Writing cells into the XML of a sheet: rows that change are written anew, all others stay."""

import re
from collections.abc import Iterator, Mapping

from xlsizing.book.package.xml import Edit, in_text
from xlsizing.book.texts import cell_text
from xlsizing.book.worksheet import Cell, Row, Worksheet, column_letters
from xlsizing.core.planning.cells import Value

RowCells = Mapping[int, bytes | None]
"""Cells of a row by column: the XML of each, None for one that goes."""

_ADDRESS = re.compile(rb"(\sr\s*=\s*)(?:\"[^\"]*\"|'[^']*')")
_SPANS = re.compile(rb"\sspans\s*=\s*(?:\"[^\"]*\"|'[^']*')")


def cell_xml(
    prefix: bytes, row: int, column: int, style: int, value: Value, formula: str = ""
) -> bytes:
    """The XML of a cell.

    Parameters
    ----------
    prefix : of the sheet's elements, with its colon; empty for none.
    style : the number of its look.
    value : what it holds; a text is data, whatever it begins with.
    formula : a formula without its equals sign, whose value is not known yet; empty for none.
    """
    tag = prefix.decode()
    start = f'<{tag}c r="{column_letters(column)}{row}" s="{style}"'
    if formula:
        written = f"{start}><{tag}f>{in_text(formula)}</{tag}f></{tag}c>"
    elif value is None:
        written = f"{start}/>"
    elif isinstance(value, bool):
        written = f'{start} t="b"><{tag}v>{int(value)}</{tag}v></{tag}c>'
    elif isinstance(value, str):
        text = f'<{tag}t xml:space="preserve">{in_text(cell_text(value))}</{tag}t>'
        written = f'{start} t="inlineStr"><{tag}is>{text}</{tag}is></{tag}c>'
    else:
        written = f"{start}><{tag}v>{value!r}</{tag}v></{tag}c>"
    return written.encode()


def moved(worksheet: Worksheet, cell: Cell, row: int) -> bytes:
    """The XML of a cell that moves to another row of its column."""
    return _addressed(worksheet.content[cell.start : cell.end], worksheet.prefix, row, cell.column)


def _addressed(written: bytes, prefix: bytes, row: int, column: int) -> bytes:
    address = f"{column_letters(column)}{row}".encode()
    start = len(b"<%bc" % prefix)
    tag_end = written.index(b">") + 1
    match = _ADDRESS.search(written, 0, tag_end)
    if match is None:
        return written[:start] + b' r="%b"' % address + written[start:]
    return written[: match.start()] + b'%b"%b"' % (match[1], address) + written[match.end() :]


def row_edits(worksheet: Worksheet, cells: Mapping[int, RowCells]) -> list[Edit]:
    """The edits that put cells into rows of a sheet, and take others out."""
    edits: list[Edit] = []
    rows = worksheet.rows
    numbers = list(rows)
    new = sorted(number for number in cells if number not in rows and any(cells[number].values()))
    for number, there in cells.items():
        if number in rows:
            edits.append(_edited_row(worksheet, rows[number], there))
    for number in new:
        after = [other for other in numbers if other < number]
        at = max((rows[other].end for other in after), default=worksheet.data_start)
        written = b"".join(xml for _, xml in sorted(cells[number].items()) if xml)
        row = b'<%brow r="%d">%b</%brow>' % (worksheet.prefix, number, written, worksheet.prefix)
        edits.append(Edit(at, at, row))
    return _merged(edits)


def _merged(edits: list[Edit]) -> list[Edit]:
    """Edits in their order, those at one place as one."""
    found: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        is_at_one_place = found and found[-1].start == found[-1].end == edit.start == edit.end
        if is_at_one_place:
            found[-1] = found[-1]._replace(content=found[-1].content + edit.content)
        else:
            found.append(edit)
    return found


def _edited_row(worksheet: Worksheet, row: Row, cells: RowCells) -> Edit:
    """The row with other cells under some columns."""
    kept = {
        cell.column: _kept(worksheet, cell)
        for cell in worksheet.cells(row)
        if cell.column not in cells
    }
    there = {**kept, **{column: xml for column, xml in cells.items() if xml}}
    tag = _SPANS.sub(b"", worksheet.content[row.start : row.tag_end])
    opened = tag.removesuffix(b"/>").removesuffix(b">").rstrip() + b">"
    inner = b"".join(xml for _, xml in sorted(there.items()))
    return Edit(row.start, row.end, opened + inner + b"</%brow>" % worksheet.prefix)


def _kept(worksheet: Worksheet, cell: Cell) -> bytes:
    written = worksheet.content[cell.start : cell.end]
    if _ADDRESS.search(written, 0, cell.tag_end - cell.start):
        return written
    return _addressed(written, worksheet.prefix, cell.row, cell.column)


def cells_of(worksheet: Worksheet, row: int, left: int, right: int) -> Iterator[Cell]:
    """The cells of a row between two columns, both included."""
    if found := worksheet.rows.get(row):
        yield from (cell for cell in worksheet.cells(found) if left <= cell.column <= right)
