"""A sizing as text: the answer first, then how it came about, then what to mind."""

from collections.abc import Iterator

from xlsizing.core import SizingResult, band, kv_bytes_per_session
from xlsizing.core.capacity import hbm_bytes, kv_budget_bytes
from xlsizing.core.exact import grouped, plain
from xlsizing.core.units import BYTES_PER_GIB, BYTES_PER_TIB
from xlsizing.report.engine import engine_lines

_NONE_FITS = "none fits"


def text_report(result: SizingResult) -> str:
    """The sizing as lines of at most some 100 columns, without colours."""
    return "\n".join(
        [
            *_heading(result),
            "",
            *_answer(result),
            "",
            *_steps(result),
            "",
            *engine_lines(result),
            *_alerts(result),
        ]
    )


def _heading(result: SizingResult) -> Iterator[str]:
    yield f"{result.model.name} on {result.server.name}, storage {result.storage.name}"
    yield f"{result.load}, KV cache in {result.kv_precision}"


def _answer(result: SizingResult) -> Iterator[str]:
    nodes = result.nodes_final
    yield _line("Nodes final", _count(nodes), band("nodes", nodes) if nodes else "")
    yield _line("  minimum", _count(result.nodes_minimum))
    headroom = f"headroom {plain(result.peak_headroom_ratio)}"
    yield _line("  with headroom", _count(result.nodes_with_headroom), headroom)
    yield _line("  high availability", result.ha_mode)
    per_node = result.sessions_per_node
    yield _line("Sessions per node", _count(per_node), band("sessions_per_node", per_node))
    kv_gib = result.kv_per_session_gib
    kv_bytes = _kv_bytes(result)
    session = f"{grouped(kv_bytes, BYTES_PER_GIB, 4)} GiB"
    yield _line("KV cache per session", session, band("kv_per_session_gib", kv_gib))
    total = grouped(kv_bytes * result.concurrency, BYTES_PER_TIB, 4)
    yield _line("KV cache in total", f"{total} TiB")
    yield _line("Concurrency", grouped(result.concurrency), band("concurrency", result.concurrency))
    context = result.clamped_context or result.effective_context
    yield _line("Context held", f"{grouped(context)} tokens", band("effective_context", context))


def _steps(result: SizingResult) -> Iterator[str]:
    hbm = hbm_bytes(result.server)
    budget = kv_budget_bytes(result.server, result.kv_budget_ratio, result.runtime_overhead_gib)
    server = result.server
    if server.hbm_per_gpu_mib is not None:
        origin = (
            f"{server.gpus} GPUs x {grouped(server.hbm_per_gpu_mib)} MiB, as the driver reports"
        )
    else:
        origin = f"{plain(server.total_hbm_gb or 0)} GB read as 10^9 bytes"
    ratio, overhead = plain(result.kv_budget_ratio), plain(result.runtime_overhead_gib)
    hbm_gib = grouped(hbm, BYTES_PER_GIB, 2)
    budget_gib = grouped(budget, BYTES_PER_GIB, 2)
    yield "How it comes about"
    yield _line("  KV bytes per session", grouped(_kv_bytes(result)))
    yield _line("  HBM per node", f"{hbm_gib} GiB", origin)
    yield _line("  KV budget per node", f"{budget_gib} GiB", f"{hbm_gib} x {ratio} - {overhead}")
    yield f"{'  Weights':<24}{result.weights}"


def _alerts(result: SizingResult) -> Iterator[str]:
    yield ""
    if not result.all_alerts:
        yield "No alerts."
        return
    yield "Alerts"
    for alert in result.all_alerts:
        yield f"  {alert.severity:<8} {alert.code}"
        yield f"           {alert.message}"
        yield f"           What to do: {alert.recommendation}"


def _kv_bytes(result: SizingResult) -> int:
    return kv_bytes_per_session(result.model, result.effective_context, result.kv_precision)


def _count(value: int | None) -> str:
    return _NONE_FITS if value is None else grouped(value)


def _line(label: str, value: str, remark: str = "") -> str:
    return f"{label:<24}{value:<20}{remark}".rstrip()
