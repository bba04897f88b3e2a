"""Nodes at shares of the typed concurrency."""

from openpyxl.chart import BarChart

from xlsizing.book.charts.look import Frame, label_values, paint
from xlsizing.book.charts.page import (
    FIRST_COLUMN,
    NOT_THERE,
    ChartsPage,
    Drawn,
    if_known,
    in_column,
    method,
)
from xlsizing.book.charts.series import series
from xlsizing.book.expressions import filled, fixed, phrase, server
from xlsizing.core.exact import RATIO_PARTS, ceil_div, grouped, in_parts
from xlsizing.core.message import Message, joined
from xlsizing.core.nodes import calc_nodes_required
from xlsizing.core.planning.limits import LIMIT_EXACT
from xlsizing.palette import ACCENT, BLUE, SKY

QUARTERS = range(1, 9)
"""Concurrencies are quarters of the typed one, which doubles hold exactly."""

TYPED = Message(" (typed)")
_FRAME = Frame(0.1, 0.19, 0.88, 0.47)
WHOLE_AXIS = "[<10]General;#,##0"
"""An axis of counts, which has ticks between them where they are few."""

_LABEL, _SHARE, _SESSIONS, _MINIMUM, _HEADROOM, _FINAL = range(FIRST_COLUMN, FIRST_COLUMN + 6)
_CAPTION = Message("{sessions} sessions of {tokens} tokens on {server}: nodes final {nodes}.")


def write_nodes(page: ChartsPage, row: int) -> Drawn:
    """Write the figures from a row on; returns the chart of them."""
    heads = (
        Message("On the axis"),
        Message("Share of the typed"),
        Message("Sessions"),
        Message("Nodes minimum"),
        Message("Nodes with headroom"),
        Message("Nodes final"),
    )
    page.title(row, FIRST_COLUMN, Message("Nodes by concurrency"))
    page.heads(row + 1, FIRST_COLUMN, *heads)
    first = row + 2
    last = first + len(QUARTERS) - 1
    for at, quarters in zip(range(first, last + 1), QUARTERS, strict=True):
        _write_share(page, at, quarters)
    chart = BarChart()
    chart.gapWidth, chart.overlap = 60, 0
    page.dress(
        chart,
        Message("Nodes needed as concurrency grows"),
        Message("Concurrency (sessions)"),
        Message("Nodes"),
        _FRAME,
    )
    chart.y_axis.number_format = WHOLE_AXIS
    labels = page.cells(first, _LABEL, last_row=last)
    for column, colour in ((_MINIMUM, SKY), (_HEADROOM, BLUE), (_FINAL, ACCENT)):
        name, values = page.cells(first - 1, column), page.cells(first, column, last_row=last)
        drawn = series(name, values, labels)
        paint(drawn, colour)
        chart.series.append(drawn)
    label_values(chart.series[-1], "#,##0")
    alt_text = Message(
        "Columns: nodes minimum, nodes with headroom and nodes final at a quarter of the typed "
        "concurrency to twice as much, in eight steps; the typed one is marked."
    )
    return Drawn(chart, Message("Nodes by concurrency"), alt_text, *_caption(page), last)


def _write_share(page: ChartsPage, row: int, quarters: int) -> None:
    result = page.result
    parts = RATIO_PARTS + in_parts(result.peak_headroom_ratio, RATIO_PARTS)
    # Beyond it, a sheet could not count the nodes of a load that is fine as it is typed.
    most = max(result.concurrency, LIMIT_EXACT // parts)
    sessions = min(ceil_div(result.concurrency * quarters, 4), most)
    share, count = in_column(row, _SHARE), in_column(row, _SESSIONS)
    page.given(row, _SHARE, quarters / 4, "0%")
    text = (
        f"MIN(-INT(-{share}*Step_Sessions),"
        "MAX(Step_Sessions,INT(Limit_Exact/(Const_RatioParts+Step_HeadroomParts))))"
    )
    page.figure(row, _SESSIONS, text, sessions)
    # The share of 1 is told by what it leaves as it is.
    label = f'{fixed(count)}&IF({share}*Step_Sessions=Step_Sessions,{phrase(TYPED)},"")'
    page.text(row, _LABEL, label, joined("", [grouped(sessions), TYPED if quarters == 4 else ""]))
    minimum, headroom, final = calc_nodes_required(
        sessions, result.sessions_per_node, result.peak_headroom_ratio, result.ha_mode
    )
    with_headroom = in_column(row, _HEADROOM)
    for column, symbol, nodes in (
        (_MINIMUM, "NodesMinimum", minimum),
        (_HEADROOM, "NodesWithHeadroom", headroom),
        (_FINAL, "NodesFinal", final),
    ):
        text = method(symbol, Sessions=count, NodesWithHeadroom=with_headroom)
        page.figure(row, column, text, NOT_THERE if nodes is None else nodes)


def _caption(page: ChartsPage) -> tuple[str, str]:
    figures = {
        "sessions": fixed("{Sessions}"),
        "tokens": fixed("{ClampedContext}"),
        "nodes": fixed("{NodesFinal}"),
        "server": server("Name"),
    }
    result = page.result
    context = page.values["ClampedContext"]
    assert isinstance(context, int)
    value: str = str(page.values["Status"])
    if result.nodes_final is not None:
        value = _CAPTION.filled(
            sessions=grouped(result.concurrency),
            tokens=grouped(context),
            nodes=grouped(result.nodes_final),
            server=result.server.name,
        )
    return if_known(filled(_CAPTION, figures)), value
