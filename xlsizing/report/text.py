"""A sizing as text: the answer first, then how it came about, then what to mind."""

from collections.abc import Iterator
from typing import NamedTuple

from xlsizing.core import SizingResult, band
from xlsizing.core.alerts import SEVERITIES
from xlsizing.core.capacity import hbm_bytes, kv_budget_bytes
from xlsizing.core.exact import grouped, plain
from xlsizing.core.message import Message, joined
from xlsizing.core.units import BYTES_PER_GIB, BYTES_PER_TIB
from xlsizing.language import Language
from xlsizing.report.counts import count_text, session_bytes
from xlsizing.report.engine import engine_lines

_LABEL, _VALUE = 24, 20
"""Columns of a line's label and of its value, which are more where the words are longer."""


class _Line(NamedTuple):
    label: str
    value: str
    remark: str = ""
    is_part: bool = False
    """Whether the line belongs to the one above, and stands further in."""


def text_report(result: SizingResult, language: Language) -> str:
    """The sizing as lines of at most some 100 columns, without colours."""
    say = language.say
    return "\n".join(
        [
            *map(say, _heading(result)),
            "",
            *_lines(_answer(result), language),
            "",
            say(Message("How it comes about")),
            *_lines(_steps(result), language),
            "",
            *engine_lines(result, language),
            *_alerts(result, language),
        ]
    )


def _lines(lines: Iterator[_Line], language: Language) -> Iterator[str]:
    said = [
        (
            f"{'  ' if line.is_part else ''}{language.say(line.label)}",
            language.say(line.value),
            language.say(line.remark),
        )
        for line in lines
    ]
    width = max(_LABEL, *(len(label) + 2 for label, _, _ in said))
    for label, value, remark in said:
        yield f"{label:<{width}}{value:<{_VALUE}}{remark}".rstrip()


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


def _answer(result: SizingResult) -> Iterator[_Line]:
    nodes = result.nodes_final
    yield _Line(Message("Nodes final"), count_text(nodes), band("nodes", nodes) if nodes else "")
    yield _Line(Message("minimum"), count_text(result.nodes_minimum), is_part=True)
    yield _Line(
        Message("with headroom"),
        count_text(result.nodes_with_headroom),
        Message("headroom {ratio}", ratio=plain(result.peak_headroom_ratio)),
        is_part=True,
    )
    yield _Line(Message("high availability"), result.ha_mode, is_part=True)
    per_node = result.sessions_per_node
    yield _Line(
        Message("Sessions per node"), count_text(per_node), band("sessions_per_node", per_node)
    )
    kv_bytes = session_bytes(result)
    yield _Line(
        Message("KV cache per session"),
        joined(" ", (grouped(kv_bytes, BYTES_PER_GIB, 4), "GiB")),
        band("kv_per_session_gib", result.kv_per_session_gib),
    )
    total = grouped(kv_bytes * result.concurrency, BYTES_PER_TIB, 4)
    yield _Line(Message("KV cache in total"), joined(" ", (total, "TiB")))
    yield _Line(
        Message("Concurrency"),
        grouped(result.concurrency),
        band("concurrency", result.concurrency),
    )
    context = result.clamped_context or result.effective_context
    yield _Line(
        Message("Context held"),
        Message("{count} tokens", count=grouped(context)),
        band("effective_context", context),
    )


def _steps(result: SizingResult) -> Iterator[_Line]:
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
    yield _Line(Message("KV bytes per session"), grouped(session_bytes(result)), is_part=True)
    yield _Line(Message("HBM per node"), joined(" ", (hbm, "GiB")), origin, is_part=True)
    yield _Line(
        Message("KV budget per node"),
        joined(" ", (grouped(budget, BYTES_PER_GIB, 2), "GiB")),
        joined(" ", product),
        is_part=True,
    )
    yield _Line(Message("Weights"), result.weights, is_part=True)


def _alerts(result: SizingResult, language: Language) -> Iterator[str]:
    say = language.say
    yield ""
    if not result.all_alerts:
        yield say(Message("No alerts."))
        return
    yield say(Message("Alerts"))
    for alert in result.all_alerts:
        yield f"  {say(SEVERITIES[alert.severity]):<8} {alert.code}"
        yield f"           {say(alert.message)}"
        advice = Message("What to do: {advice}", advice=alert.recommendation)
        yield f"           {say(advice)}"
