"""Rows of cells as the text of a worksheet's XML."""

from collections.abc import Iterator

from xlsizing.book.cells import ROW_MARK, BlockColumn, RowBlock
from xlsizing.book.package.xml import in_text
from xlsizing.book.texts import cell_text, escaped, is_like_a_formula
from xlsizing.core.planning.cells import CellError, Value


def block_xml(block: RowBlock) -> str:
    """The rows of a block as XML text, in the order of the sheet."""
    columns = [list(_cells(column, block.first_row)) for column in block.columns]
    height = "" if block.height is None else f' ht="{block.height}" customHeight="1"'
    return "".join(
        f'<row r="{number}"{height}>{"".join(cells)}</row>'
        for number, cells in enumerate(zip(*columns, strict=True), start=block.first_row)
    )


def cell_value(value: Value) -> tuple[str, str]:
    """The type attribute of a formula's cell, empty for a number, and the text of its value."""
    if isinstance(value, bool):
        return "b", str(int(value))
    if isinstance(value, int | float):
        return "", repr(value)
    return ("e" if isinstance(value, CellError) else "str"), escaped(value or "")


def _cells(column: BlockColumn, first_row: int) -> Iterator[str]:
    """The cells of one column as XML text, from the first row down."""
    if column.formula is None:
        for row, value in enumerate(column.values, start=first_row):
            yield _data_cell(column, row, value)
        return
    pieces = in_text(column.formula).split(ROW_MARK)
    for row, value in enumerate(column.values, start=first_row):
        kind, text = cell_value(value)
        typed = f' t="{kind}"' if kind else ""
        yield (
            f'<c r="{column.letter}{row}" s="{column.style_id}"{typed}>'
            f"<f>{str(row).join(pieces)}</f><v>{in_text(text)}</v></c>"
        )


def _data_cell(column: BlockColumn, row: int, value: Value) -> str:
    start = f'<c r="{column.letter}{row}"'
    if value is None:
        return f'{start} s="{column.style_id}"/>'
    if isinstance(value, str) and not isinstance(value, CellError):
        look = column.quoted_style_id if is_like_a_formula(value) else column.style_id
        text = f'<is><t xml:space="preserve">{in_text(cell_text(value))}</t></is>'
        return f'{start} s="{look}" t="inlineStr">{text}</c>'
    kind, number = cell_value(value)
    typed = f' t="{kind}"' if kind else ""
    return f'{start} s="{column.style_id}"{typed}><v>{number}</v></c>'
