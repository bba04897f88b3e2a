"""KV cache of one session, by the precision of the KV cache."""

from openpyxl.chart import BarChart

from xlsizing.book.charts.look import Frame, label_values, paint
from xlsizing.book.charts.page import (
    FIRST_COLUMN,
    IN_MILLIONS,
    ChartsPage,
    Drawn,
    if_known,
    in_column,
    method,
)
from xlsizing.book.charts.series import series
from xlsizing.book.expressions import COUNT, filled, fixed, phrase
from xlsizing.core import BYTES_PER_ELEMENT
from xlsizing.core.exact import grouped
from xlsizing.core.kv_cache import clamped_context, kv_bytes_per_session
from xlsizing.core.message import Message, joined
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.palette import BLUE

USED = Message(" (used)")
_LABEL, _NUMBER, _PRECISION, _ELEMENT, _BYTES, _GIB = range(FIRST_COLUMN, FIRST_COLUMN + 6)
_CAPTION = Message("A session of {tokens} tokens takes {gib} GiB in {precision}.")
_GIB_LABELS = "#,##0.0000"
_FRAME = Frame(0.12, 0.22, 0.86, 0.53)


def write_precisions(page: ChartsPage, row: int) -> Drawn:
    """Write the figures from a row on; returns the chart of them."""
    heads = (
        Message("On the axis"),
        Message("Row of Precisions"),
        Message("KV precision"),
        Message("Bytes per element"),
        Message("KV MB"),
    )
    page.title(row, FIRST_COLUMN, Message("KV cache per session by precision"))
    page.heads(row + 1, FIRST_COLUMN, *heads, Message("KV cache, GiB"))
    first = row + 2
    result = page.result
    for number, (precision, element) in enumerate(BYTES_PER_ELEMENT.items(), start=1):
        at = first + number - 1
        name = in_column(at, _PRECISION)
        label = joined("", [precision, USED if precision == result.kv_precision else ""])
        size = kv_bytes_per_session(result.model, result.effective_context, precision)
        listed = f"INDEX(Precisions[{{}}],{in_column(at, _NUMBER)})"
        own = in_column(at, _ELEMENT)
        page.text(at, _LABEL, f'{name}&IF({name}=Step_Precision,{phrase(USED)},"")', label)
        page.given(at, _NUMBER, number)
        page.text(at, _PRECISION, listed.format("Precision"), precision)
        page.figure(at, _ELEMENT, listed.format("Bytes"), element, COUNT)
        page.figure(at, _BYTES, method("KvBytes", ElementBytes=own), size, IN_MILLIONS)
        gib = f"{in_column(at, _BYTES)}/Const_BytesPerGiB"
        page.figure(at, _GIB, gib, size / BYTES_PER_GIB, _GIB_LABELS)
    last = first + len(BYTES_PER_ELEMENT) - 1
    chart = BarChart()
    chart.gapWidth = 90
    axes = (Message("KV precision"), Message("KV cache per session (GiB)"))
    page.dress(chart, Message("KV cache of one session, by precision"), *axes, _FRAME)
    chart.y_axis.number_format = "General"
    chart.legend = None
    drawn = series(
        page.cells(first - 1, _GIB),
        page.cells(first, _GIB, last_row=last),
        page.cells(first, _LABEL, last_row=last),
    )
    paint(drawn, BLUE)
    label_values(drawn, _GIB_LABELS)
    chart.series.append(drawn)
    alt_text = Message(
        "Columns: KV cache of one session at the typed context, for each KV precision; the one "
        "that is used is marked."
    )
    return Drawn(chart, Message("KV cache by precision"), alt_text, *_caption(page), last)


def _caption(page: ChartsPage) -> tuple[str, str]:
    figures = {
        "tokens": fixed("{ClampedContext}"),
        "gib": fixed("{KvPerSessionGiB}", 4),
        "precision": "{Precision}",
    }
    result = page.result
    context = clamped_context(result.model, result.effective_context)
    size = kv_bytes_per_session(result.model, context, result.kv_precision)
    value = _CAPTION.filled(
        tokens=grouped(context),
        gib=grouped(size, BYTES_PER_GIB, 4),
        precision=result.kv_precision,
    )
    return if_known(filled(_CAPTION, figures)), value
