"""Where the HBM of one node of the chosen server goes under the plan."""

from typing import NamedTuple

from openpyxl.chart import BarChart

from xlsizing.book.cells import Style
from xlsizing.book.charts.look import Frame, hide, paint_each
from xlsizing.book.charts.page import (
    GIB_FORMAT,
    IN_BILLIONS,
    LAST_COLUMN,
    MIDDLE_COLUMN,
    ChartsPage,
    Drawn,
    if_known,
    in_column,
    in_row,
    place,
    sizing,
)
from xlsizing.book.charts.series import series
from xlsizing.book.expressions import filled, fixed, phrase, server
from xlsizing.book.styles import RIGHT, SEVERITY_FILLS, STRONG, UNDERLINE, highlight
from xlsizing.core import SizingResult
from xlsizing.core.capacity import bytes_beside_kv, hbm_bytes, kv_budget_bytes
from xlsizing.core.exact import GIB_PARTS, ceil_div, grouped, in_parts
from xlsizing.core.kv_cache import kv_bytes_per_session
from xlsizing.core.message import Message
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.palette import BLUE, ORANGE, REST, SKY

_FRAME = Frame(0.37, 0.18, 0.59, 0.59)
_COLOURS = (BLUE, REST, SKY, ORANGE, REST)

ADDS_UP, ADDS_UP_NOT = "OK", Message("Parts and HBM differ")

_LABEL = MIDDLE_COLUMN + 1
_BYTES, _START, _GIB = LAST_COLUMN - 2, LAST_COLUMN - 1, LAST_COLUMN
_CAPTION = Message("One {server} has {hbm} GiB of HBM.{unknown}{short}")
_PART = Message("{part}: {gib} GiB")
_UNKNOWN = Message(" The weights are not known and count nothing.")
_SHORT = Message(" {gib} GiB of the weights do not fit beside the KV budget.")

_OVERHEAD = (
    "INT({OverheadParts}/Const_GibParts)*Const_BytesPerGiB"
    "-INT(-({OverheadParts}-Const_GibParts*INT({OverheadParts}/Const_GibParts))"
    "*Const_BytesPerGiB/Const_GibParts)"
)
_BUDGET = "MAX(0,{KvBudgetBytes})"
_MISSING = "MAX(0,{WeightBytes}-{BytesBesideKv})"


class _Part(NamedTuple):
    """A part of the HBM; {weights}, {overhead} and {caches} in its text are the cells of others."""

    name: str
    text: str
    size: int


def write_hbm(page: ChartsPage, row: int) -> Drawn:
    """Write the figures from a row on; returns the chart of them."""
    page.title(row, _LABEL, Message("HBM of one node of the chosen server"))
    page.heads(
        row + 1,
        _LABEL,
        Message("On the axis"),
        "",
        "",
        Message("Bytes, GB"),
        Message("From, GiB"),
        "GiB",
    )
    first = row + 2
    parts = _parts(page.result, first)
    start = 0
    for at, part in enumerate(parts, start=first):
        _write_part(page, at, first, part, start)
        start += part.size
    last = first + len(parts) - 1
    _write_checks(page, last + 1, first, last, parts)
    alt_text = Message(
        "Bars, each beginning where the one before ends: weights, HBM left free beside them, "
        "runtime overhead, KV caches of the sessions that fit, and the rest of the KV budget; "
        "together the HBM of one node."
    )
    return Drawn(
        _chart(page, first, last), Message("HBM of one node"), alt_text, *_caption(page), last + 3
    )


def _parts(result: SizingResult, first: int) -> list[_Part]:
    """The parts from the axis on, and what they come to, so that they add up to the HBM.

    The KV budget comes first, then the weights, then the overhead: where they do not all
    fit, the later ones are what is left for them.
    """
    ratio, overhead_gib = result.kv_budget_ratio, result.runtime_overhead_gib
    budget = max(0, kv_budget_bytes(result.server, ratio, overhead_gib))
    room = hbm_bytes(result.server) - budget
    weights = min(result.model.weight_bytes or 0, room)
    asked = ceil_div(in_parts(overhead_gib, GIB_PARTS) * BYTES_PER_GIB, GIB_PARTS)
    overhead = min(asked, room - weights)
    size = kv_bytes_per_session(result.model, result.effective_context, result.kv_precision)
    caches = result.sessions_per_node * size
    weights_cell, _, overhead_cell, caches_cell = (in_row(first + n, _BYTES) for n in range(4))
    room_text = f"{{HbmBytes}}-{_BUDGET}"
    return [
        _Part(Message("Weights"), f"MIN({{WeightBytes}},{room_text})", weights),
        _Part(
            Message("Free beside the weights"),
            f"{room_text}-{weights_cell}-{overhead_cell}",
            room - weights - overhead,
        ),
        _Part(
            Message("Runtime overhead"), f"MIN({_OVERHEAD},{room_text}-{weights_cell})", overhead
        ),
        _Part(Message("KV caches that fit"), "{SessionsPerNode}*{KvBytes}", caches),
        _Part(Message("Rest of the KV budget"), f"{_BUDGET}-{caches_cell}", budget - caches),
    ]


def _write_part(page: ChartsPage, row: int, first: int, part: _Part, start: int) -> None:
    size = in_column(row, _BYTES)
    gib = f"{size}/Const_BytesPerGiB"
    label = _PART.filled(part=part.name, gib=grouped(part.size, BYTES_PER_GIB, 1))
    text = filled(_PART, {"part": phrase(part.name), "gib": fixed(gib, 1)})
    page.label(row, _LABEL, "", columns=_BYTES - _LABEL)
    page.text(row, _LABEL, text, label, otherwise=phrase(part.name))
    page.figure(row, _BYTES, sizing(part.text), part.size, IN_BILLIONS)
    so_far = f"SUM({in_row(first, _BYTES)}:{place(row, _BYTES)})"
    page.figure(
        row, _START, f"({so_far}-{size})/Const_BytesPerGiB", start / BYTES_PER_GIB, GIB_FORMAT
    )
    page.figure(row, _GIB, gib, part.size / BYTES_PER_GIB, GIB_FORMAT)


def _write_checks(page: ChartsPage, row: int, first: int, last: int, parts: list[_Part]) -> None:
    """Write the sum of the parts against the HBM, and what does not fit."""
    total = sum(part.size for part in parts)
    hbm, check, missing = row, row + 1, row + 2
    for at, label in (
        (hbm, Message("HBM of the node")),
        (check, Message("Parts add up to it")),
        (missing, Message("Weights that do not fit")),
    ):
        page.label(at, _LABEL, label, columns=_GIB - _LABEL)
    page.figure(hbm, _BYTES, sizing("{HbmBytes}"), hbm_bytes(page.result.server), IN_BILLIONS)
    gib = f"{in_column(hbm, _BYTES)}/Const_BytesPerGiB"
    page.figure(hbm, _GIB, gib, hbm_bytes(page.result.server) / BYTES_PER_GIB, GIB_FORMAT)
    added = f"SUM({place(first, _BYTES)}:{place(last, _BYTES)})"
    equal = total == hbm_bytes(page.result.server)
    differ = phrase(ADDS_UP_NOT)
    page.writer.formula(
        check,
        _GIB,
        f'IFERROR(IF({added}={in_column(hbm, _BYTES)},"{ADDS_UP}",{differ}),{differ})',
        ADDS_UP if equal else ADDS_UP_NOT,
        Style(STRONG, None, None, RIGHT, UNDERLINE),
    )
    short = _missing(page.result)
    text = f"({sizing(_MISSING)})/Const_BytesPerGiB"
    page.figure(missing, _GIB, text, short / BYTES_PER_GIB, GIB_FORMAT)
    red = SEVERITY_FILLS["error"]
    sheet, cells = page.writer.sheet, f"{place(check, _LABEL)}:{place(check, _GIB)}"
    highlight(sheet, cells, f'${place(check, _GIB)}<>"{ADDS_UP}"', fill=red)
    cells = f"{place(missing, _LABEL)}:{place(missing, _GIB)}"
    highlight(sheet, cells, f"N(${place(missing, _GIB)})>0", fill=red)


def _missing(result: SizingResult) -> int:
    """What of the weights does not fit beside the KV budget [bytes]."""
    left = bytes_beside_kv(result.server, result.kv_budget_ratio, result.runtime_overhead_gib)
    return max(0, (result.model.weight_bytes or 0) - left)


def _chart(page: ChartsPage, first: int, last: int) -> BarChart:
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.gapWidth = "bar", "stacked", 100, 45
    page.dress(
        chart,
        Message("Where the HBM of one node goes"),
        Message("Part of the HBM"),
        Message("HBM (GiB)"),
        _FRAME,
    )
    # The first part on top; the axis of GiB stays at the bottom.
    chart.x_axis.scaling.orientation = "maxMin"
    chart.y_axis.crosses = "max"
    chart.legend = None
    labels = page.cells(first, _LABEL, last_row=last)
    start, size = (
        series(page.cells(first - 1, column), page.cells(first, column, last_row=last), labels)
        for column in (_START, _GIB)
    )
    hide(start)
    paint_each(size, _COLOURS)
    chart.series.extend((start, size))
    return chart


def _caption(page: ChartsPage) -> tuple[str, str]:
    result = page.result
    short = fixed(f"{_MISSING}/Const_BytesPerGiB", 2)
    figures = {
        "server": server("Name"),
        "hbm": fixed("{HbmBytes}/Const_BytesPerGiB", 2),
        "unknown": f'IF({{WeightBytes}}=0,{phrase(_UNKNOWN)},"")',
        "short": f'IF({_MISSING}>0,{filled(_SHORT, {"gib": short})},"")',
    }
    missing = _missing(result)
    value = _CAPTION.filled(
        server=result.server.name,
        hbm=grouped(hbm_bytes(result.server), BYTES_PER_GIB, 2),
        unknown="" if result.model.weight_bytes else _UNKNOWN,
        short=_SHORT.filled(gib=grouped(missing, BYTES_PER_GIB, 2)) if missing else "",
    )
    return if_known(filled(_CAPTION, figures)), value
