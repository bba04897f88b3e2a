"""Report workbooks with the sheet Report, in each language."""

import io
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from xlsizing.book.build import computed
from xlsizing.book.package.finishing import package
from xlsizing.book.presets import presets
from xlsizing.book.report_sheet import write_report_sheet
from xlsizing.catalog import load_catalogs
from xlsizing.cli.report_forms import Said, said_of
from xlsizing.core import Catalogs, SizingResult, size
from xlsizing.core.planning.presets import AS_ASKED
from xlsizing.language import language


class Asked(NamedTuple):
    """A load by the names of its entries."""

    model: str
    server: str
    storage: str
    concurrency: int
    context: int
    overhead: float = 120


CALM = Asked("gpt-oss-20b", "dgx-h200", "profile_default", 100, 8_192)
ALARMING = Asked("gpt-oss-120b", "8x-l40s", "profile_cloud_premium", 9_000, 200_000)
NOTHING_FITS = Asked("gpt-oss-120b", "8x-l40s", "profile_default", 100, 131_072, 260)


@cache
def few() -> Catalogs:
    """The entries that the loads are of."""
    some = load_catalogs()
    models = tuple(some.model(name) for name in (CALM.model, ALARMING.model))
    servers = tuple(some.server(name) for name in (CALM.server, ALARMING.server))
    profiles = tuple(some.profile(name) for name in (CALM.storage, ALARMING.storage))
    return Catalogs(models, servers, profiles)


def sized(asked: Asked) -> SizingResult:
    return size(
        few().model(asked.model),
        few().server(asked.server),
        few().profile(asked.storage),
        concurrency=asked.concurrency,
        effective_context=asked.context,
        runtime_overhead_gib=asked.overhead,
    )


@cache
def said(asked: Asked, code: str = "en") -> Said:
    """What the report of a load says, in all its forms."""
    result = sized(asked)
    return said_of(result, presets(result, few()), language(code))


@cache
def workbook(asked: Asked, code: str = "en") -> bytes:
    """The workbook of the report, but for the sheet About."""
    result = sized(asked)
    scenarios = presets(result, few())
    book, notes = computed(result, scenarios, AS_ASKED, few(), language=language(code))
    write_report_sheet(book, notes, said(asked, code).report, result, scenarios)
    return package(book, notes)


def read(content: bytes, *, values: bool = True) -> Workbook:
    """A workbook in openpyxl, with what its formulas come to instead of them."""
    return load_workbook(io.BytesIO(content), data_only=values)


def shown(sheet: Worksheet) -> Iterator[str]:
    """The texts that a sheet prints, from left to right and from top to bottom, as cells show them."""
    last = int(re.findall(r"\d+", sheet.print_area)[-1])
    for row in sheet.iter_rows(max_row=last):
        for cell in row:
            if cell.value is not None:
                yield shown_value(cell.value, cell.number_format)


def shown_value(value: Any, number_format: str) -> str:
    """A value as a cell of a number format shows it, with the signs of the format's language."""
    if isinstance(value, str):
        return value
    places = len(number_format.split(";")[0].partition(".")[2])
    text = f"{value:,.{places}f}" if "," in number_format else f"{value:.{places}f}"
    text = f"+{text}" if "+" in number_format and value > 0 else text
    brazilian = number_format.startswith("[$-416]")
    return text.translate(str.maketrans(",.", ".,")) if brazilian else text
