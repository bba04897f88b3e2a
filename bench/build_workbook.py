"""How long a workbook with many scenarios takes to build, beside XlsxWriter writing the same.

XlsxWriter is given what our workbook holds: every cell with its formula, its value and its
format, the widths, tables, names, validations and conditional formats, and the charts. What
it is given is read back from our workbook beforehand and not timed.

    python bench/build_workbook.py [SCENARIOS]
"""

import io
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import openpyxl
import xlsxwriter
from openpyxl.cell.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from xlsizing.book.build import report
from xlsizing.book.scenario import Scenario, sized_scenario
from xlsizing.catalog import load_catalogs
from xlsizing.core import Catalogs, SizingResult, size

SCENARIOS, RUNS = 500, 5


def loads(catalogs: Catalogs, count: int) -> list[SizingResult]:
    """As many sizings over all entries."""
    models, servers, profiles = catalogs
    return [
        size(
            models[number % len(models)],
            servers[number % len(servers)],
            profiles[number % len(profiles)],
            concurrency=100 + number,
            effective_context=8_192 * (1 + number % 16),
            ha_mode=("none", "n+1")[number % 2],
        )
        for number in range(count)
    ]


def ours(catalogs: Catalogs, results: list[SizingResult]) -> bytes:
    """The report of these sizings, from core's results to the bytes of the file."""
    rows: list[Scenario] = [
        sized_scenario(f"Scenario {number}", result, catalogs)
        for number, result in enumerate(results, start=1)
    ]
    return report(results[1], catalogs, rows, "Scenario 1")


class Copy:
    """What a workbook holds, as XlsxWriter takes it."""

    def __init__(self, content: bytes) -> None:
        formulas = openpyxl.load_workbook(io.BytesIO(content))
        values = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        self.names = {
            name: f"={defined.attr_text}" for name, defined in formulas.defined_names.items()
        }
        self.sheets = [_sheet(sheet, values[sheet.title]) for sheet in formulas.worksheets]

    def write(self) -> bytes:
        """The workbook that XlsxWriter makes of it."""
        target = io.BytesIO()
        book = xlsxwriter.Workbook(
            target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        looks: dict[str, Any] = {}
        for title, sheet in self.sheets:
            page = book.add_worksheet(title)
            for column, width in sheet["widths"]:
                page.set_column(f"{column}:{column}", width)
            for row, column, formula, value, key, look in sheet["cells"]:
                if key not in looks:
                    looks[key] = book.add_format(look)
                if formula is None:
                    page.write(row, column, value, looks[key])
                else:
                    page.write_formula(row, column, formula, looks[key], value)
            for add, options in (
                (page.add_table, sheet["tables"]),
                (page.conditional_format, sheet["conditions"]),
                (page.data_validation, sheet["checks"]),
            ):
                for ref, option in options:
                    add(ref, option)
            for anchor, kind, series in sheet["charts"]:
                page.insert_chart(anchor, _drawn(book, kind, series))
        for name, text in self.names.items():
            book.define_name(name, text)
        book.close()
        return target.getvalue()


def _drawn(book: Any, kind: str, series: list[dict[str, str]]) -> Any:
    chart = book.add_chart({"type": kind})
    for each in series:
        chart.add_series(each)
    return chart


def _sheet(sheet: Worksheet, values: Worksheet) -> tuple[str, dict[str, Any]]:
    cells = [
        _cell(cell, values[cell.coordinate].value)
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell, Cell) and (cell.value is not None or cell.has_style)
    ]
    return sheet.title, {
        "cells": cells,
        "widths": [(letter, each.width) for letter, each in sheet.column_dimensions.items()],
        "tables": [
            (
                table.ref,
                {
                    "name": table.displayName,
                    "style": "Table Style Light 1",
                    "columns": [{"header": column.name} for column in table.tableColumns],
                },
            )
            for table in sheet.tables.values()
        ],
        "conditions": [
            (str(found.sqref), {"type": "formula", "criteria": f"={rule.formula[0]}"})
            for found in sheet.conditional_formatting
            for rule in found.rules
        ],
        "checks": [
            (str(check.sqref).split()[0], {"validate": "list", "source": f"={check.formula1}"})
            for check in sheet.data_validations.dataValidation
            if check.type == "list" and not check.formula1.startswith('"')
        ],
        "charts": [_chart(chart) for chart in getattr(sheet, "_charts")],  # noqa: B009
    }


def _chart(chart: Any) -> tuple[str, str, list[dict[str, str]]]:
    corner = chart.anchor._from  # noqa: SLF001
    anchor = f"{openpyxl.utils.get_column_letter(corner.col + 1)}{corner.row + 1}"
    kind = {"barChart": "bar", "lineChart": "line", "scatterChart": "scatter"}[chart.tagname]
    series = []
    for each in chart.series:
        values, names = each.val or each.yVal, each.cat or each.xVal
        found = {"values": f"={values.numRef.f}"}
        if names is not None:
            found["categories"] = f"={(names.strRef or names.numRef).f}"
        series.append(found)
    return anchor, kind, series


def _cell(cell: Cell, value: Any) -> tuple[int, int, str | None, Any, str, dict[str, Any]]:
    formula = str(cell.value) if cell.data_type == "f" else None
    shown = "" if value is None and formula else value
    look: dict[str, Any] = {
        "font_name": cell.font.name,
        "font_size": cell.font.sz,
        "bold": bool(cell.font.b),
        "num_format": cell.number_format,
        "text_wrap": bool(cell.alignment.wrap_text),
        "indent": int(cell.alignment.indent or 0),
    }
    if cell.font.color is not None and isinstance(cell.font.color.rgb, str):
        look["font_color"] = f"#{cell.font.color.rgb[-6:]}"
    if cell.fill.fill_type == "solid":
        look["bg_color"] = f"#{cell.fill.fgColor.rgb[-6:]}"
    if cell.border.bottom is not None and cell.border.bottom.style:
        look["bottom"] = 1
    if cell.alignment.horizontal:
        look["align"] = cell.alignment.horizontal
    return cell.row - 1, cell.column - 1, formula, shown, str(sorted(look.items())), look


def seconds(build: Callable[[], bytes]) -> tuple[float, int]:
    """How long one build takes, and how many bytes it makes."""
    start = time.perf_counter()
    content = build()
    return time.perf_counter() - start, len(content)


def main() -> None:
    """Time both in turn, and print the medians and their ratio."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else SCENARIOS
    catalogs = load_catalogs()
    results = loads(catalogs, count)
    copy = Copy(ours(catalogs, results))
    copy.write()
    pairs = [(seconds(lambda: ours(catalogs, results)), seconds(copy.write)) for _ in range(RUNS)]
    medians = [statistics.median(pair[which][0] for pair in pairs) for which in (0, 1)]
    cells = sum(len(sheet["cells"]) for _, sheet in copy.sheets)
    print(f"{count} scenarios, {cells:,} cells, medians of {RUNS} runs")
    for name, which in (("xlsizing", 0), ("XlsxWriter", 1)):
        print(f"  {name:12}{medians[which]:6.2f} s  {pairs[0][which][1]:>10,} bytes")
    print(f"  ratio       {medians[0] / medians[1]:6.2f}")


if __name__ == "__main__":
    main()
