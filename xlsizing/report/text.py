"""A sizing as a page: the answer first, then how it came about, then what to mind."""

from collections.abc import Iterator, Mapping, Sequence

from xlsizing.core import SizingResult, band
from xlsizing.core.alerts import SEVERITIES, Severity
from xlsizing.core.capacity import hbm_bytes, kv_budget_bytes
from xlsizing.core.exact import grouped, plain
from xlsizing.core.message import Message, joined
from xlsizing.core.units import BYTES_PER_GIB, BYTES_PER_TIB
from xlsizing.page import Column, Page, Row, Table, Tone
from xlsizing.report.counts import count_text, session_bytes
from xlsizing.report.engine import engine_blocks

_LABEL, _VALUE = 22, 20
"""Columns of a line's label, which are more where the words are longer, and of its value."""
_PART = "  "
"""Before the label of a line that belongs to the one above."""

_TONES: Mapping[Severity, Tone] = {"error": "bad", "warning": "doubtful", "info": "mere"}


def sizing_page(result: SizingResult) -> Page:
    """The sizing: the answer, its steps, the engine's figures, and the alerts."""
    return [
        *_heading(result),
        "",
        _table(list(_answer(result))),
        "",
        _table(list(_steps(result)), Message("How it comes about"), indent=len(_PART)),
        "",
        *engine_blocks(result),
        "",
        _alerts(result),
    ]


def _table(rows: Sequence[Row], title: str = "", indent: int = 0) -> Table:
    labels = Column(_LABEL - indent, gap=2, holds=[row.cells[0] for row in rows])
    return Table([labels, Column(_VALUE), Column()], rows, title, indent=indent)


def _heading(result: SizingResult) -> Iterator[Message]:
    yield Message(
        "{model} on {server}, storage {storage}",
        model=result.model.name,
        server=result.server.name,
        storage=result.storage.name,
    )
    yield Message(
        "{load}, KV cache in {precision}", load=result.load, precision=result.kv_precision
    )


def _answer(result: SizingResult) -> Iterator[Row]:
    nodes = result.nodes_final
    yield Row(
        (Message("Nodes final"), count_text(nodes), band("nodes", nodes) if nodes else ""),
        tone="answer",
    )
    yield Row((joined("", (_PART, Message("minimum"))), count_text(result.nodes_minimum)))
    yield Row(
        (
            joined("", (_PART, Message("with headroom"))),
            count_text(result.nodes_with_headroom),
            Message("headroom {ratio}", ratio=plain(result.peak_headroom_ratio)),
        )
    )
    yield Row((joined("", (_PART, Message("high availability"))), result.ha_mode))
    per_node = result.sessions_per_node
    yield Row(
        (Message("Sessions per node"), count_text(per_node), band("sessions_per_node", per_node))
    )
    kv_bytes = session_bytes(result)
    yield Row(
        (
            Message("KV cache per session"),
            joined(" ", (grouped(kv_bytes, BYTES_PER_GIB, 4), "GiB")),
            band("kv_per_session_gib", result.kv_per_session_gib),
        )
    )
    total = grouped(kv_bytes * result.concurrency, BYTES_PER_TIB, 4)
    yield Row((Message("KV cache in total"), joined(" ", (total, "TiB"))))
    yield Row(
        (
            Message("Concurrency"),
            grouped(result.concurrency),
            band("concurrency", result.concurrency),
        )
    )
    context = result.clamped_context or result.effective_context
    yield Row(
        (
            Message("Context held"),
            Message("{count} tokens", count=grouped(context)),
            band("effective_context", context),
        )
    )


def _steps(result: SizingResult) -> Iterator[Row]:
    server = result.server
    budget = kv_budget_bytes(server, result.kv_budget_ratio, result.runtime_overhead_gib)
    if server.hbm_per_gpu_mib is not None:
        origin = Message(
            "{gpus} GPUs x {mib} MiB, as the driver reports",
            gpus=grouped(server.gpus),
            mib=grouped(server.hbm_per_gpu_mib),
        )
    else:
        origin = Message("{size} GB read as 10^9 bytes", size=plain(server.total_hbm_gb or 0))
    hbm = grouped(hbm_bytes(server), BYTES_PER_GIB, 2)
    product = (hbm, "x", plain(result.kv_budget_ratio), "-", plain(result.runtime_overhead_gib))
    yield Row((Message("KV bytes per session"), grouped(session_bytes(result))))
    yield Row((Message("HBM per node"), joined(" ", (hbm, "GiB")), origin))
    yield Row(
        (
            Message("KV budget per node"),
            joined(" ", (grouped(budget, BYTES_PER_GIB, 2), "GiB")),
            joined(" ", product),
        )
    )
    yield Row((Message("Weights"), result.weights), is_long=True)


def _alerts(result: SizingResult) -> str | Table:
    if not result.all_alerts:
        return Message("No alerts.")
    rows = [
        Row(
            (SEVERITIES[alert.severity], alert.code),
            (alert.message, Message("What to do: {advice}", advice=alert.recommendation)),
            _TONES[alert.severity],
        )
        for alert in result.all_alerts
    ]
    return Table([Column(8, gap=1), Column()], rows, Message("Alerts"), indent=2)
