"""Where one GPU's memory goes: numbers, shares and a chart on the sheet Engine."""

from collections.abc import Sequence

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.data_source import (
    NumData,
    NumDataSource,
    NumRef,
    NumVal,
    StrData,
    StrRef,
    StrVal,
)
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.series_factory import SeriesFactory

from xlsizing.book.cells import Style, Value
from xlsizing.book.engine.page import FIRST, LABEL, NOT_KNOWN, SECOND, EnginePage
from xlsizing.book.styles import BODY, MEMORY_COLOURS, RIGHT, UNDERLINE
from xlsizing.core import SizingResult
from xlsizing.core.engine import usable_gpu_bytes
from xlsizing.core.units import BYTES_PER_GIB

CHART_ROWS = 9
"""Rows that the chart covers."""


def write_memory(page: EnginePage, row: int, result: SizingResult) -> int:
    """Write where one GPU's memory goes, and its chart; returns the row after them."""
    page.heading(row, "Where one GPU's memory goes", "GiB", "Share", "", "Unit", "What it is")
    usable = "INDEX(Servers[Usable bytes per GPU],Step_ServerRow)"
    blocks = "Step_NumBlocks*INDEX(Layouts[Bytes per block],Step_LayoutRow)"
    taken = f"Step_EngineWeights+{blocks}+Engine_ActivationBytes+Engine_RuntimeBytes"
    sizes = _memory(page, result)
    lines = (
        ("Weights", "Step_EngineWeights", "The model's share on one GPU."),
        ("KV cache", blocks, "Whole blocks of the pool."),
        ("Activation", _if_laid_out("Engine_ActivationBytes"), "Peak of the activations."),
        ("Runtime", _if_laid_out("Engine_RuntimeBytes"), "Graphs, libraries, buffers."),
        (
            "Unused",
            f"MAX(0,{usable}-({taken}))",
            "Beyond the utilisation, or less than a block.",
        ),
    )
    first = row + 1
    for (label, text, note), size in zip(lines, sizes, strict=True):
        row += 1
        page.label(row, label, "GiB", note)
        style = Style(BODY, None, "#,##0.00", RIGHT, UNDERLINE)
        known = None if size is None else size / BYTES_PER_GIB
        shown: Value = NOT_KNOWN if known is None else known
        page.writer.formula(
            row, FIRST, f'IFERROR(({text})/Const_BytesPerGiB,"{NOT_KNOWN}")', shown, style
        )
        share = f'IFERROR(C{row}*Const_BytesPerGiB/{usable},"{NOT_KNOWN}")'
        total = usable_gpu_bytes(result.server)
        part: Value = NOT_KNOWN if known is None else known * BYTES_PER_GIB / total
        style = Style(BODY, None, "0.0%", RIGHT, UNDERLINE)
        page.writer.formula(row, SECOND, share, part, style)
    _add_chart(page, first, row + 2, [size or 0 for size in sizes])
    return row + 2 + CHART_ROWS + 1


def _if_laid_out(text: str) -> str:
    return f'IF(Step_LayoutRow>0,{text},"")'


def _memory(page: EnginePage, result: SizingResult) -> list[int | None]:
    """Weights, KV cache, activation, runtime and unused [bytes]; None where not known."""
    values = page.values
    blocks, per_request = values["NumBlocks"], values["EngineBlocks"]
    size, weights = values["EngineKvBytes"], values["EngineWeights"]
    activation, runtime = values["ActivationBytes"], values["RuntimeBytes"]
    if not (isinstance(blocks, int) and isinstance(per_request, int) and isinstance(size, int)):
        return [None] * 5
    assert isinstance(activation, int)
    assert isinstance(runtime, int)
    held = blocks * (size // per_request)
    if not isinstance(weights, int):
        return [None, held, activation, runtime, None]
    taken = weights + held + activation + runtime
    unused = max(0, usable_gpu_bytes(result.server) - taken)
    return [weights, held, activation, runtime, unused]


def _add_chart(page: EnginePage, first: int, top: int, sizes: Sequence[int]) -> None:
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap = "bar", "percentStacked", 100
    chart.height, chart.width = 4.4, 27
    chart.gapWidth = 40
    chart.legend.position = "b"
    chart.y_axis.numFmt, chart.y_axis.delete = "0%", False
    chart.y_axis.majorGridlines = None
    chart.x_axis.delete = True
    for place, (size, colour) in enumerate(zip(sizes, MEMORY_COLOURS, strict=True)):
        row = first + place
        values = Reference(page.sheet, min_col=FIRST, min_row=row)
        series: Series = SeriesFactory(values, title_from_data=False)
        series.tx = _title(page.sheet.title, row, str(page.sheet.cell(row, LABEL).value))
        # Previews draw a chart from the values that it carries.
        point = NumVal(idx=0, v=repr(size / BYTES_PER_GIB))
        known = NumData(formatCode="#,##0.00", ptCount=1, pt=[point])
        series.val = NumDataSource(NumRef(f"'{page.sheet.title}'!$C${row}", known))
        series.graphicalProperties.solidFill = colour
        series.graphicalProperties.line.solidFill = "FFFFFF"
        chart.series.append(series)
    page.sheet.add_chart(chart, f"B{top}")


def _title(sheet: str, row: int, text: str) -> SeriesLabel:
    """A series' name from its label's cell, with the text that it has now."""
    cache = StrData(ptCount=1, pt=[StrVal(idx=0, v=text)])
    return SeriesLabel(strRef=StrRef(f"'{sheet}'!$B${row}", cache))
