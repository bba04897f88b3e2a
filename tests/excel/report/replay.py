"""Office.js's actions, done to a state: what the add-in would do in Excel.

Source: the action callbacks of the add-in that xlwings Server ships, version 1.20.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.excel.report.state import Area, BookState, SheetState, area_of

Action = Mapping[str, Any]


class Shown(Exception):
    """The text of an alert."""


def replay(book: BookState, actions: Sequence[Action]) -> None:
    """Do actions to a workbook, in their order."""
    for action in actions:
        _ACTIONS[action["func"]](book, action)


def _on_book(
    do: Callable[[BookState, list[Any], Action], None],
) -> Callable[[BookState, Action], None]:
    return lambda book, action: do(book, action["args"], action)


def _on_cells(
    do: Callable[[SheetState, Area, Any, Action], None],
) -> Callable[[BookState, Action], None]:
    def done(book: BookState, action: Action) -> None:
        top, left = action["start_row"] + 1, action["start_column"] + 1
        area = (top, left, top + action["row_count"] - 1, left + action["column_count"] - 1)
        args = action["args"]
        do(book.sheets[action["sheet_position"]], area, args[0] if args else None, action)

    return done


def _on_sheet(
    do: Callable[[BookState, SheetState, list[Any]], None],
) -> Callable[[BookState, Action], None]:
    return lambda book, action: do(book, book.sheets[action["sheet_position"]], action["args"])


def _look(name: str) -> Callable[[BookState, Action], None]:
    return _on_cells(lambda sheet, area, value, _: sheet.dress(area, name, _plain(value)))


def _plain(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _font(sheet: SheetState, area: Area, _: Any, action: Action) -> None:
    name, value = action["args"]
    sheet.dress(area, f"font_{name}", _plain(value))


def _border(sheet: SheetState, area: Area, _: Any, action: Action) -> None:
    side, name, value = action["args"]
    sheet.underline(area, side, name, _plain(value))


def _width(sheet: SheetState, area: Area, value: Any, _: Action) -> None:
    for column in range(area[1], area[3] + 1):
        sheet.widths[column] = value


def _height(sheet: SheetState, area: Area, value: Any, _: Action) -> None:
    for row in range(area[0], area[2] + 1):
        sheet.heights[row] = value


def _fit(sheet: SheetState, area: Area, axis: Any, _: Action) -> None:
    assert axis == "rows"
    sheet.fitted.append(area)


def _merge(sheet: SheetState, area: Area, across: Any, _: Action) -> None:
    assert across is True
    top, left, bottom, right = area
    sheet.merged += [(row, left, row, right) for row in range(top, bottom + 1)]


_OPERATORS = {"EqualTo": "equal_to", "NotEqualTo": "not_equal_to"}


def _highlight(sheet: SheetState, area: Area, rule: Any, _: Action) -> None:
    assert rule["type"] == "CellValue"
    word = rule["formula1"].removeprefix('="').removesuffix('"')
    sheet.highlights.append((area, _OPERATORS[rule["operator"]], word, rule["fill_color"]))


_KINDS = {"ColumnClustered": "column_clustered", "BarStacked100": "bar_stacked_100"}


def _add_chart(book: BookState, sheet: SheetState, args: list[Any]) -> None:
    name, kind, title, address, left, top, width, height, plot_by, anchor, _ = args
    assert (left, top, title, plot_by) == (None, None, sheet.title, "Columns")
    assert title in book.titles
    figures = area_of(address)
    chart = {
        "name": name,
        "kind": _KINDS[kind],
        "figures": figures,
        "corner": area_of(anchor),
        "size": (width, height),
    }
    sheet.charts.append(chart)


def _chart(book: BookState, sheet: SheetState, args: list[Any]) -> dict[str, Any]:
    del book
    chart: dict[str, Any] = sheet.charts[args[0]]
    return chart


def _labels(book: BookState, sheet: SheetState, args: list[Any]) -> None:
    assert args[1] == sheet.title
    _chart(book, sheet, args)["labels"] = area_of(args[2])


def _chart_title(book: BookState, sheet: SheetState, args: list[Any]) -> None:
    _chart(book, sheet, args)["title"] = args[1]


def _legend(book: BookState, sheet: SheetState, args: list[Any]) -> None:
    _chart(book, sheet, args)[f"legend_{args[1]}"] = _plain(args[2])


def _axis(book: BookState, sheet: SheetState, args: list[Any]) -> None:
    chart = _chart(book, sheet, args)
    chart.update({f"{args[1]}_{name}": value for name, value in args[2].items()})


def _add_name(book: BookState, args: list[Any], _: Action) -> None:
    assert args[0] not in book.names
    book.refer(args[0], args[1])


def _refer(book: BookState, args: list[Any], _: Action) -> None:
    assert args[0] in book.names
    book.refer(args[0], args[3])


def _delete_name(book: BookState, args: list[Any], _: Action) -> None:
    del book.names[args[2]]


def _alert(_: BookState, args: list[Any], __: Action) -> None:
    raise Shown(args[0])


def _freeze(_: BookState, sheet: SheetState, args: list[Any]) -> None:
    sheet.frozen = args[0].replace("$", "")


def _grid(_: BookState, sheet: SheetState, args: list[Any]) -> None:
    sheet.grid = args[0]


def _activate(book: BookState, args: list[Any], _: Action) -> None:
    book.active = book.titles[args[0]]


_ACTIONS: Mapping[str, Callable[[BookState, Action], None]] = {
    "addSheet": _on_book(lambda book, args, _: book.add(args[1], args[0])),
    "setSheetName": _on_sheet(lambda book, sheet, args: book.rename(sheet.title, args[0])),
    "sheetDelete": _on_sheet(lambda book, sheet, _: book.delete(sheet.title)),
    "activateSheet": _on_book(_activate),
    "setValues": _on_cells(lambda sheet, area, _, action: sheet.enter(area, action["values"])),
    "setColumnWidth": _on_cells(_width),
    "setRowHeight": _on_cells(_height),
    "setFontProperty": _on_cells(_font),
    "setRangeColor": _look("ground"),
    "setNumberFormat": _on_cells(
        lambda sheet, area, value, _: sheet.dress(area, "number_format", value)
    ),
    "setHorizontalAlignment": _look("horizontal_alignment"),
    "setVerticalAlignment": _look("vertical_alignment"),
    "setWrapText": _look("wrap_text"),
    "setBorderProperty": _on_cells(_border),
    "rangeMerge": _on_cells(_merge),
    "setAutofit": _on_cells(_fit),
    "addConditionalFormat": _on_cells(_highlight),
    "addChart": _on_sheet(_add_chart),
    "setChartXAxisValues": _on_sheet(_labels),
    "setChartTitle": _on_sheet(_chart_title),
    "setChartLegend": _on_sheet(_legend),
    "setChartAxis": _on_sheet(_axis),
    "freezePaneAtRange": _on_sheet(_freeze),
    "setShowGridlines": _on_sheet(_grid),
    "namesAdd": _on_book(_add_name),
    "setNameRefersTo": _on_book(_refer),
    "nameDelete": _on_book(_delete_name),
    "alert": _on_book(_alert),
}
"""What each action does; any other one is none that the report may ask for."""
