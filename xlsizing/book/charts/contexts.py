"""Sessions that a node of each server holds, by context."""

from collections.abc import Sequence
from typing import NamedTuple

from openpyxl.chart import LineChart

from xlsizing.book.charts.look import Frame, draw_line
from xlsizing.book.charts.page import (
    FIRST_COLUMN,
    IN_BILLIONS,
    IN_MILLIONS,
    NOT_THERE,
    ChartsPage,
    Drawn,
    if_known,
    in_column,
    in_row,
    method,
    sizing,
)
from xlsizing.book.charts.series import series
from xlsizing.book.constants import NO_SESSION
from xlsizing.book.expressions import filled, fixed, model, server
from xlsizing.book.styles import LINE_COLOURS, LINE_DASHES, LINE_MARKERS
from xlsizing.core import Server
from xlsizing.core.capacity import hbm_bytes, kv_budget_bytes
from xlsizing.core.exact import ceil_div, grouped
from xlsizing.core.kv_cache import clamped_context, kv_bytes_per_session, session_cost
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value
from xlsizing.palette import REST

DIVISORS = tuple(2**halvings for halvings in range(8, -1, -1))
"""The contexts are the model's longest by each of these."""

MOST_LINES = len(LINE_COLOURS) * len(LINE_DASHES)
"""Servers that a chart tells apart; the figures have all of them."""

_NAME, _NUMBER, _HBM, _BUDGET = range(FIRST_COLUMN, FIRST_COLUMN + 4)
_FIRST = _BUDGET + 1
_LAST = _FIRST + len(DIVISORS) - 1
_NONE = Message("none")
_FRAME = Frame(0.15, 0.1, 0.82, 0.6)
_CHOSEN = Message("chosen: {server}")
_CAPTION = Message(
    "{model}, KV cache in {precision}: {server} holds {sessions} sessions of {tokens} tokens."
)


def write_contexts(page: ChartsPage, row: int, lines: int = 0) -> Drawn:
    """Write the figures from a row on; returns the chart of them.

    Parameters
    ----------
    lines : how many servers there is a line for, if more than the catalog has.
    """
    page.title(row, FIRST_COLUMN, Message("Sessions per node by context"))
    sizes = _write_contexts(page, row + 1)
    heads = (
        Message("Server"),
        Message("Row of Servers"),
        Message("HBM, GB"),
        Message("KV budget, GB"),
    )
    page.heads(
        row + 5, FIRST_COLUMN, *heads, Message("Sessions per node"), *[""] * (len(DIVISORS) - 1)
    )
    chosen, servers = row + 6, page.catalogs.servers
    _write_server(page, chosen, page.result.server, sizes)
    for at, each in enumerate(servers, start=1):
        _write_server(page, chosen + at, each, sizes, at)
    for at in range(len(servers) + 1, lines + 1):
        _write_server(page, chosen + at, None, sizes, at)
    alt_text = Message(
        "Lines: sessions that one node of each server holds at nine contexts up to the model's "
        "longest, on a logarithmic axis; the chosen server's line is drawn over a broad grey one."
    )
    chart = _chart(page, row + 2, chosen)
    return Drawn(
        chart,
        Message("Sessions per node by context"),
        alt_text,
        *_caption(page),
        chosen + len(servers),
    )


class _Sizes(NamedTuple):
    """What one session takes at each context, and the row that says it."""

    row: int
    kv_bytes: Sequence[int]


def _write_contexts(page: ChartsPage, row: int) -> _Sizes:
    """Write the contexts, and what a session takes at each."""
    longest, context, fixed_bytes, kv_bytes = range(row, row + 4)
    for at, text in (
        (longest, Message("The model's longest context divided by")),
        (context, Message("Context, tokens (rounded up)")),
        (fixed_bytes, Message("KV MB that no precision changes")),
        (kv_bytes, Message("KV MB per session")),
    ):
        page.label(at, FIRST_COLUMN, text, columns=_FIRST - FIRST_COLUMN)
    result, sizes = page.result, []
    cost = session_cost(result.model)
    for column, divisor in enumerate(DIVISORS, start=_FIRST):
        own = {
            "ClampedContext": in_row(context, column),
            "FixedBytes": in_row(fixed_bytes, column),
        }
        tokens = ceil_div(result.model.max_position_embeddings, divisor)
        size = kv_bytes_per_session(result.model, tokens, result.kv_precision)
        halved = f"-INT(-{sizing(model('Max context'))}/{in_row(longest, column)})"
        page.given(longest, column, divisor)
        page.figure(context, column, halved, tokens)
        page.figure(
            fixed_bytes,
            column,
            method("FixedBytes", **own),
            cost.index_bytes * tokens + cost.state_bytes,
            IN_MILLIONS,
        )
        page.figure(kv_bytes, column, method("KvBytes", **own), size, IN_MILLIONS)
        sizes.append(size)
    return _Sizes(kv_bytes, sizes)


def _write_server(
    page: ChartsPage, row: int, entry: Server | None, sizes: _Sizes, number: int | None = None
) -> None:
    """Write the row of a server of the catalog, or of the one that is chosen on Sizing.

    Parameters
    ----------
    entry : the server; None where the catalog has none of that number.
    number : its number in the catalog; None for the one that is chosen.
    """
    own_number = in_column(row, _NUMBER)
    if number is None:
        assert entry
        name = {"server": sizing(server("Name"))}
        shown: str = _CHOSEN.filled(server=entry.name)
        page.text(row, _NAME, filled(_CHOSEN, name), shown)
        page.figure(row, _NUMBER, "Step_ServerRow", page.values["ServerRow"])
    else:
        # With the blank behind it, not even a name such as #N/A is taken for an error.
        shown = f"{entry.name} " if entry else ""
        page.text(row, _NAME, f'INDEX(Servers[Name],{own_number})&" "', shown)
        page.given(row, _NUMBER, number)
    hbm, budget, *sessions = _figures(page, entry, sizes)
    page.figure(row, _HBM, method("HbmBytes", ServerRow=own_number), hbm, IN_BILLIONS)
    text = method("KvBudgetBytes", HbmBytes=in_column(row, _HBM))
    page.figure(row, _BUDGET, text, budget, IN_BILLIONS)
    look = f'[<1]"{page.writer.say(_NONE)}";#,##0'
    for column, held in enumerate(sessions, start=_FIRST):
        text = method(
            "SessionsPerNode",
            KvBudgetBytes=in_column(row, _BUDGET),
            KvBytes=in_row(sizes.row, column),
        )
        page.figure(row, column, f"MAX(Const_NoSession,{text})", held, look)


def _figures(page: ChartsPage, entry: Server | None, sizes: _Sizes) -> list[Value]:
    """HBM and KV budget of a server, and the sessions that it holds at each context."""
    if entry is None:
        return [NOT_THERE] * (2 + len(sizes.kv_bytes))
    result = page.result
    budget = kv_budget_bytes(entry, result.kv_budget_ratio, result.runtime_overhead_gib)
    sessions = [max(0, budget // size) or NO_SESSION for size in sizes.kv_bytes]
    return [hbm_bytes(entry), budget, *sessions]


def _chart(page: ChartsPage, contexts: int, chosen: int) -> LineChart:
    chart = LineChart()
    page.dress(
        chart,
        Message("Sessions that a node holds, by context and server"),
        Message("Context (tokens)"),
        Message("Sessions per node (log scale)"),
        _FRAME,
    )
    chart.y_axis.scaling.logBase, chart.y_axis.scaling.min = 10, 1
    chart.y_axis.crosses = "min"
    labels = page.cells(contexts, _FIRST, last_column=_LAST)
    for place in range(min(len(page.catalogs.servers), MOST_LINES) + 1):
        row = chosen + place
        values = page.cells(row, _FIRST, last_column=_LAST)
        line = series(page.cells(row, _NAME), values, labels)
        if place == 0:
            draw_line(line, REST, "solid", None, 7)
        else:
            look = place - 1
            draw_line(
                line,
                LINE_COLOURS[look % len(LINE_COLOURS)],
                LINE_DASHES[look // len(LINE_COLOURS)],
                LINE_MARKERS[look % len(LINE_MARKERS)],
                1.5,
            )
        chart.series.append(line)
    return chart


def _caption(page: ChartsPage) -> tuple[str, str]:
    figures = {
        "model": model("Name"),
        "precision": "{Precision}",
        "server": server("Name"),
        "sessions": fixed("{SessionsPerNode}"),
        "tokens": fixed("{ClampedContext}"),
    }
    result = page.result
    value = _CAPTION.filled(
        model=result.model.name,
        precision=result.kv_precision,
        server=result.server.name,
        sessions=grouped(result.sessions_per_node),
        tokens=grouped(clamped_context(result.model, result.effective_context)),
    )
    return if_known(filled(_CAPTION, figures)), value
