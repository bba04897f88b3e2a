"""The sizing step by step: each equation in words, with its figures put in.

Source of the equations: the planning method, "Steps".
"""

from collections.abc import Iterator

from xlsizing.blocks import Step
from xlsizing.core import BYTES_PER_ELEMENT, SizingResult
from xlsizing.core.capacity import hbm_bytes, kv_budget_bytes
from xlsizing.core.exact import grouped, plain
from xlsizing.core.kv_cache import clamped_context, session_cost
from xlsizing.core.message import Figure, Message, joined
from xlsizing.core.nodes import SPARE_NODES
from xlsizing.core.units import BYTES_PER_GIB, BYTES_PER_TIB
from xlsizing.report.counts import count_text, session_bytes


def steps(result: SizingResult) -> list[Step]:
    """All steps of the planning method, in its order."""
    return [
        _context(result),
        _precision(result),
        _session(result),
        _total(result),
        *_budget(result),
        _per_node(result),
        *_nodes(result),
    ]


def _context(result: SizingResult) -> Step:
    asked, longest = result.effective_context, result.model.max_position_embeddings
    return Step(
        Message("Context held"),
        Message("min(context asked for, longest context of the model)"),
        joined("", ("min(", grouped(asked), "; ", grouped(longest), ")")),
        Message("{count} tokens", count=grouped(clamped_context(result.model, asked))),
    )


def _precision(result: SizingResult) -> Step:
    element = BYTES_PER_ELEMENT[result.kv_precision]
    return Step(
        Message("Bytes per element"),
        Message("by the KV precision: fp16, bf16 = 2; fp8, int8 = 1"),
        result.kv_precision,
        Message("{count} bytes", count=grouped(element)) if element > 1 else Message("1 byte"),
    )


def _session(result: SizingResult) -> Step:
    cost = session_cost(result.model)
    element = grouped(BYTES_PER_ELEMENT[result.kv_precision])
    context = grouped(clamped_context(result.model, result.effective_context))
    words: list[Message] = []
    figures: list[str] = []
    for amount, term, product in (
        (
            cost.elements,
            Message("context × elements of full layers × bytes"),
            (context, grouped(cost.elements), element),
        ),
        (
            cost.windowed_elements,
            Message("min(context, window) × elements of windowed layers × bytes"),
            (
                joined("", ("min(", context, "; ", grouped(cost.window), ")")),
                grouped(cost.windowed_elements),
                element,
            ),
        ),
        (
            cost.index_bytes,
            Message("context × index bytes"),
            (context, grouped(cost.index_bytes)),
        ),
        (cost.state_bytes, Message("bytes of states"), (grouped(cost.state_bytes),)),
    ):
        if amount:
            words.append(term)
            figures.append(joined(" × ", product))
    kv_bytes = session_bytes(result)
    return Step(
        Message("KV cache per session"),
        joined(" + ", words),
        joined(" + ", figures),
        Message(
            "{bytes} bytes = {gib} GiB",
            bytes=grouped(kv_bytes),
            gib=grouped(kv_bytes, BYTES_PER_GIB, 4),
        ),
    )


def _total(result: SizingResult) -> Step:
    kv_bytes = session_bytes(result)
    total = kv_bytes * result.concurrency
    return Step(
        Message("KV cache in total"),
        Message("KV cache per session × concurrency"),
        joined(" × ", (grouped(kv_bytes), grouped(result.concurrency))),
        Message(
            "{bytes} bytes = {tib} TiB",
            bytes=grouped(total),
            tib=grouped(total, BYTES_PER_TIB, 4),
        ),
    )


def _budget(result: SizingResult) -> Iterator[Step]:
    server = result.server
    hbm = hbm_bytes(server)
    if server.hbm_per_gpu_mib is not None:
        equation = Message(
            "GPUs × MiB per GPU, as the driver reports, / {divisor}", divisor=grouped(1024)
        )
        figures = joined(
            "", (grouped(server.gpus), " × ", grouped(server.hbm_per_gpu_mib), " / ", grouped(1024))
        )
    else:
        equation = Message("GB per node × 10^9 / 2^30")
        figures = joined("", (plain(server.total_hbm_gb or 0), " × 10^9 / 2^30"))
    yield Step(Message("HBM per node"), equation, figures, _gib(hbm))
    budget = kv_budget_bytes(server, result.kv_budget_ratio, result.runtime_overhead_gib)
    yield Step(
        Message("KV budget per node"),
        Message("HBM per node × KV budget ratio - runtime overhead"),
        joined(
            "",
            (
                grouped(hbm, BYTES_PER_GIB, 2),
                " × ",
                plain(result.kv_budget_ratio),
                " - ",
                plain(result.runtime_overhead_gib),
            ),
        ),
        _gib(budget),
    )


def _per_node(result: SizingResult) -> Step:
    budget = kv_budget_bytes(result.server, result.kv_budget_ratio, result.runtime_overhead_gib)
    kv_bytes = session_bytes(result)
    return Step(
        Message("Sessions per node"),
        Message("⌊KV budget per node / KV cache per session⌋, never below 0"),
        joined("", ("⌊", grouped(budget), " / ", grouped(kv_bytes), "⌋")),
        grouped(result.sessions_per_node),
    )


def _nodes(result: SizingResult) -> Iterator[Step]:
    sessions, per_node = grouped(result.concurrency), grouped(result.sessions_per_node)
    fits = result.nodes_final is not None
    headroom = plain(result.peak_headroom_ratio)
    yield Step(
        Message("Nodes minimum"),
        Message("⌈concurrency / sessions per node⌉"),
        _ceiling((sessions,), per_node) if fits else "",
        count_text(result.nodes_minimum),
    )
    yield Step(
        Message("Nodes with headroom"),
        Message("⌈concurrency × (1 + headroom) / sessions per node⌉"),
        _ceiling((sessions, " × (1 + ", headroom, ")"), per_node) if fits else "",
        count_text(result.nodes_with_headroom),
    )
    spare = grouped(SPARE_NODES[result.ha_mode])
    with_headroom = result.nodes_with_headroom
    yield Step(
        Message("Nodes final"),
        Message("nodes with headroom + spare nodes of high availability"),
        joined(" + ", (grouped(with_headroom), spare)) if with_headroom is not None else "",
        count_text(result.nodes_final),
    )


def _ceiling(dividend: tuple[str, ...], per_node: Figure) -> Message:
    return joined("", ("⌈", *dividend, " / ", per_node, "⌉"))


def _gib(amount: int) -> Message:
    return joined(" ", (grouped(amount, BYTES_PER_GIB, 2), "GiB"))
