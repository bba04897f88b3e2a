"""Where one GPU's memory goes: numbers, shares and a chart on the sheet Engine."""

from openpyxl.chart import BarChart
from openpyxl.utils import get_column_letter

from xlsizing.book.cells import AltText, Style
from xlsizing.book.charts.look import Frame, dress, paint
from xlsizing.book.charts.series import Cells, series
from xlsizing.book.engine.page import FIRST, LABEL, NOT_KNOWN, SECOND, EnginePage
from xlsizing.book.expressions import phrase
from xlsizing.book.styles import BODY, RIGHT, UNDERLINE
from xlsizing.core import SizingResult
from xlsizing.core.engine import usable_gpu_bytes
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.palette import MEMORY_COLOURS

_FRAME = Frame(0.03, 0.24, 0.94, 0.26)
CHART_ROWS = 9
"""Rows that the chart covers."""


def write_memory(page: EnginePage, row: int, result: SizingResult) -> int:
    """Write where one GPU's memory goes, and its chart; returns the row after them."""
    page.heading(
        row,
        Message("Where one GPU's memory goes"),
        "GiB",
        Message("Share"),
        "",
        Message("Unit"),
        Message("What it is"),
    )
    usable = "INDEX(Servers[Usable bytes per GPU],Step_ServerRow)"
    blocks = "Step_NumBlocks*INDEX(Layouts[Bytes per block],Step_LayoutRow)"
    taken = f"Step_EngineWeights+{blocks}+Engine_ActivationBytes+Engine_RuntimeBytes"
    sizes = _memory(page, result)
    lines = (
        (Message("Weights"), "Step_EngineWeights", Message("The model's share on one GPU.")),
        (Message("KV cache"), blocks, Message("Whole blocks of the pool.")),
        (
            Message("Activation"),
            _if_laid_out("Engine_ActivationBytes"),
            Message("Peak of the activations."),
        ),
        (
            Message("Runtime"),
            _if_laid_out("Engine_RuntimeBytes"),
            Message("Graphs, libraries, buffers."),
        ),
        (
            Message("Unused"),
            f"MAX(0,{usable}-({taken}))",
            Message("Beyond the utilisation, or less than a block."),
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
            row, FIRST, f"IFERROR(({text})/Const_BytesPerGiB,{phrase(NOT_KNOWN)})", shown, style
        )
        share = f"IFERROR(C{row}*Const_BytesPerGiB/{usable},{phrase(NOT_KNOWN)})"
        total = usable_gpu_bytes(result.server)
        part: Value = NOT_KNOWN if known is None else known * BYTES_PER_GIB / total
        style = Style(BODY, None, "0.0%", RIGHT, UNDERLINE)
        page.writer.formula(row, SECOND, share, part, style)
    _add_chart(page, first, row + 2)
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


def _add_chart(page: EnginePage, first: int, top: int) -> None:
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap = "bar", "percentStacked", 100
    chart.height, chart.width = 4.4, 27
    chart.gapWidth = 40
    say = page.writer.say
    title, values = Message("Where one GPU's memory goes"), Message("Share of the usable memory")
    dress(chart, say(title), "", say(values), _FRAME)
    chart.y_axis.number_format = "0%"
    chart.y_axis.majorGridlines = None
    chart.x_axis.delete = True
    for row, colour in enumerate(MEMORY_COLOURS, start=first):
        label, figure = get_column_letter(LABEL), get_column_letter(FIRST)
        part = series(Cells(page.writer, f"{label}{row}"), Cells(page.writer, f"{figure}{row}"))
        paint(part, colour)
        chart.series.append(part)
    page.sheet.add_chart(chart, f"B{top}")
    alt_text = Message(
        "One bar of a GPU's usable memory in shares: weights, KV cache, activation, runtime and "
        "what is unused."
    )
    alt_texts = page.writer.notes.alt_texts.setdefault(page.sheet.title, [])
    alt_texts.append(AltText(say(Message("Memory of one GPU")), say(alt_text)))
