"""The sheet with the answer: first the nodes, then inputs, steps, the engine bound and alerts."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from xlsizing import palette
from xlsizing.core import BYTES_PER_ELEMENT, RANGES, SizingResult, band
from xlsizing.core.alerts import SEVERITIES, STATUS_OK
from xlsizing.core.capacity import bytes_beside_kv, hbm_bytes, kv_budget_bytes
from xlsizing.core.engine import EngineBound
from xlsizing.core.exact import grouped, plain
from xlsizing.core.kv_cache import clamped_context, session_cost
from xlsizing.core.message import Message, joined, one_or_many
from xlsizing.core.nodes import spare_nodes
from xlsizing.core.planning.cells import Value, trimmed
from xlsizing.core.planning.inputs import INPUTS, SETTINGS_ASKED, TENSOR_PARALLEL
from xlsizing.core.storage import read_bytes_per_second
from xlsizing.core.units import BYTES_PER_GIB
from xlsizing.excel.full_report.page import (
    ANSWER,
    APART,
    BODY,
    CENTRED,
    COUNT,
    HEADING,
    LEFT,
    LINE_HEIGHT,
    NOTE,
    PLAIN,
    RIGHT,
    RULED,
    SEVERITY_GROUNDS,
    STRONG,
    SUBTITLE,
    TITLE,
    WRAPPED,
    Area,
    Look,
    Page,
    runs,
)
from xlsizing.excel.full_report.sized import SizedPlan, answers
from xlsizing.language import Language

NONE_FITS = Message("none fits")
NOT_KNOWN = Message("not known")
SESSION_FORMAT = "#,##0.0000"

_LABEL, _VALUE, _UNIT, _BAND, _NOTE = 2, 3, 4, 5, 6
_WIDTHS = (2, 33, 21, 15, 14, 77)
_FIRST = 5
_NOTE_CHARACTERS, _MERGED_CHARACTERS = 80, 104
"""Characters on a line of the last column, and of the last ones together."""
_GIB_FORMAT = "#,##0.00"


class _Line(NamedTuple):
    """A row: a label, a value, its unit and band, and a note."""

    label: str
    value: Value
    unit: str = ""
    band: str = ""
    note: str = ""
    number_format: str = "General"


def results_page(plan: SizedPlan, origin: str, language: Language) -> Page:
    """The page of a plan's answer.

    Parameters
    ----------
    origin : what made the report, in a sentence.
    language : what the page is in.
    """
    page = Page("Results", "Report", (3, _LABEL), _WIDTHS, (3, 0), language)
    result = plan.result
    page.write(1, _LABEL, Message("How many GPU nodes?"))
    asked = question(result)
    wrong = result.status != STATUS_OK
    page.write(2, _LABEL, joined(" ", (result.status, asked)) if wrong else asked)
    page.write(3, _LABEL, origin)
    row = _write_answer(page, _FIRST, plan)
    heads: Sequence[str] = (
        Message("Inputs"),
        Message("Value"),
        Message("Unit"),
        Message("Band"),
        Message("Notes"),
    )
    row = _write_block(page, row, heads, list(_inputs(plan)))
    heads = (
        Message("Engine settings"),
        Message("Value"),
        Message("Unit"),
        "",
        Message("Notes"),
    )
    row = _write_block(page, row, heads, list(_settings(plan)))
    heads = (
        Message("Steps"),
        Message("Value"),
        Message("Unit"),
        "",
        Message("How it comes about"),
    )
    row = _write_block(page, row, heads, list(_steps(result)))
    row = _write_engine(page, row, result)
    row = _write_alerts(page, row, result)
    page.base(_FIRST, _NOTE, row, _NOTE, WRAPPED)
    page.base(_FIRST, _VALUE, row, _VALUE, RIGHT)
    page.base(_FIRST, _UNIT, row, _NOTE, SUBTITLE, APART)
    page.base(3, _LABEL, 3, _LABEL, NOTE)
    page.base(2, _LABEL, 2, _LABEL, SUBTITLE)
    page.base(1, _LABEL, 1, _LABEL, TITLE)
    page.base(1, _LABEL, row, _NOTE, BODY, CENTRED)
    return page


def question(result: SizingResult) -> Message:
    """What was asked: how much of what is to be served by what."""
    return Message(
        "{load} on {model}, served by {server}",
        load=result.load,
        model=result.model.name,
        server=result.server.name,
    )


def _write_block(page: Page, row: int, heads: Sequence[str], lines: Sequence[_Line]) -> int:
    """Write a heading and its rows from a row on; returns where the next block begins."""
    _write_heading(page, row, heads)
    for at, line in enumerate(lines, start=row + 1):
        page.write(at, _LABEL, line.label, line.value, line.unit, line.band, line.note)
        page.height(at, at, _height(page.say(line.note), _NOTE_CHARACTERS))
        if line.band:
            _colour_band(page, at, line.band)
    end = row + len(lines)
    _format_numbers(page, row + 1, [line.number_format for line in lines], _VALUE, _VALUE)
    page.look(row + 1, _LABEL, end, _NOTE, RULED)
    return end + 2


def _write_heading(page: Page, row: int, heads: Sequence[str]) -> None:
    page.write(row, _LABEL, *heads)
    page.look(row, _LABEL, row, _NOTE, HEADING)


def _format_numbers(page: Page, first: int, formats: Sequence[str], left: int, right: int) -> None:
    """Give rows their number formats."""
    for start, end, number_format in runs(formats):
        if number_format != "General":
            look = Look(number_format=number_format)
            page.look(first + start, left, first + end, right, look)


def _height(text: str, characters: int) -> float:
    return LINE_HEIGHT * max(1, math.ceil(len(text) / characters))


def _colour_band(page: Page, row: int, name: str) -> None:
    """Colour the word of a band: darker is more."""
    levels: dict[str, int] = {
        each.name: level for bands in RANGES.values() for level, each in enumerate(bands)
    }
    ground = palette.BAND_GROUNDS[levels[name]]
    on_dark = levels[name] == len(palette.BAND_GROUNDS) - 1
    page.look(row, _BAND, row, _BAND, Look(ground=ground))
    if on_dark:
        page.look(row, _BAND, row, _BAND, Look(ink="FFFFFF", bold=True))


def _write_answer(page: Page, row: int, plan: SizedPlan) -> int:
    """Write the figures of the answer and what is said of them; returns where the next block begins."""
    result = plan.result
    end = _write_block(
        page,
        row,
        (
            Message("Answer"),
            Message("Value"),
            Message("Unit"),
            Message("Band"),
            Message("How it comes about"),
        ),
        list(_answer(result)),
    )
    page.height(row + 1, row + 1, 40)
    page.look(row + 1, _LABEL, row + 1, _LABEL, STRONG)
    page.look(row + 1, _VALUE, row + 1, _VALUE, ANSWER)
    first = row = end - 1
    for label, words in _words(plan):
        page.write(row, _LABEL, label, words)
        page.height(row, row, _height(page.say(words), _MERGED_CHARACTERS + 20))
        row += 1
    page.merged.append(Area(first, _VALUE, row - 1, _NOTE))
    page.look(first, _VALUE, row - 1, _NOTE, LEFT, WRAPPED, BODY)
    page.look(first, _LABEL, row - 1, _NOTE, RULED)
    if result.status != STATUS_OK:
        wrong = Look(ground=palette.ERROR_GROUND)
        page.look(2, _LABEL, 2, _NOTE, wrong)
        page.look(first, _VALUE, first, _NOTE, wrong)
    return row + 1


def _answer(result: SizingResult) -> Iterator[_Line]:
    sessions, per_node = grouped(result.concurrency), grouped(result.sessions_per_node)
    budget = kv_budget_bytes(result.server, result.kv_budget_ratio, result.runtime_overhead_gib)
    spare = spare_nodes(result.ha_mode)
    notes: Mapping[str, Message] = {
        "Nodes final": Message(
            "nodes with headroom + {spare} spare (HA {mode}): what to buy or rent",
            spare=str(spare),
            mode=result.ha_mode,
        ),
        "Nodes with headroom": Message(
            "{sessions} sessions x (1 + {headroom}) / {per_node} sessions a node, rounded up",
            sessions=sessions,
            headroom=plain(result.peak_headroom_ratio),
            per_node=per_node,
        ),
        "Nodes minimum": Message(
            "{sessions} sessions / {per_node} sessions a node, rounded up",
            sessions=sessions,
            per_node=per_node,
        ),
        "Sessions per node": Message(
            "KV budget of {budget} GiB / KV cache of a session, rounded down",
            budget=grouped(budget, BYTES_PER_GIB, 2),
        ),
        "KV per session GiB": Message("KV cache of one session"),
        "KV total TiB": Message("KV cache of all {sessions} sessions", sessions=sessions),
    }
    for label, value in answers(result).items():
        unit, figure, number_format = _ANSWERS[label]
        if value is None:
            yield _Line(label, NONE_FITS, unit, note=Message("Not one session fits on a node."))
        else:
            name = band(figure, value) if figure else ""
            yield _Line(label, value, unit, name, notes[label], number_format)


_ANSWERS: Mapping[str, tuple[str, str, str]] = {
    "Nodes final": (Message("nodes"), "nodes", COUNT),
    "Nodes with headroom": (Message("nodes"), "nodes", COUNT),
    "Nodes minimum": (Message("nodes"), "nodes", COUNT),
    "Sessions per node": (Message("sessions"), "sessions_per_node", COUNT),
    "KV per session GiB": ("GiB", "kv_per_session_gib", SESSION_FORMAT),
    "KV total TiB": ("TiB", "", SESSION_FORMAT),
}
"""Unit, key in core's typical ranges, and number format of each answer."""


def _words(plan: SizedPlan) -> Iterator[tuple[str, str]]:
    """What is said of the answer in words."""
    result = plan.result
    yield Message("Status"), result.status
    yield Message("Engine"), _engine_words(result)
    yield Message("Weights"), result.weights
    codes = dict.fromkeys(alert.code for alert in result.all_alerts)
    yield Message("Alerts"), "; ".join(codes) or Message("none")


def _engine_words(result: SizingResult) -> Message:
    if result.engine is None:
        return joined(": ", (NOT_KNOWN, result.engine_unknown))
    bound, steady = result.engine.nodes[-1], result.engine.steady_nodes[-1]
    if bound is None:
        return Message("The engine holds no session on a node.")
    in_steady = NONE_FITS if steady is None else grouped(steady)
    return Message(
        "{bound} nodes by the engine bound, {steady} in steady decode",
        bound=grouped(bound),
        steady=in_steady,
    )


def _inputs(plan: SizedPlan) -> Iterator[_Line]:
    result = plan.result
    for asked in INPUTS:
        typed = plan.load[asked.symbol].value
        value = getattr(result, asked.field)
        note = "" if trimmed(typed) else _NOT_TYPED.get(asked.symbol, _DEFAULT)
        if asked.has_aliases:
            value = value.name
            note = (
                "" if trimmed(typed) == value else Message("typed as {name}", name=trimmed(typed))
            )
        name = band(asked.range_of, _held(result, asked.symbol)) if asked.range_of else ""
        yield _Line(asked.label, _plain(value), asked.unit, name, note, asked.number_format)
    size = result.settings.tensor_parallel
    note = _NOT_TYPED["TensorParallel"] if size is None else ""
    yield _Line(TENSOR_PARALLEL.label, size, TENSOR_PARALLEL.unit, "", note, COUNT)


def _held(result: SizingResult, symbol: str) -> int:
    """What the band of an input is of: of the context, what the model holds of it."""
    if symbol == "Context":
        return clamped_context(result.model, result.effective_context)
    return result.concurrency


_DEFAULT = Message("not typed: the default")
_NOT_TYPED: Mapping[str, Message] = {
    "KvPrecision": Message("not typed: the model's own"),
    "TensorParallel": Message("not typed: the smallest size that holds a session"),
    "kv_pool_gib": Message("not typed: from the settings above"),
}
"""What an empty cell stands for, by symbol or field; the default where it is not here."""


def _settings(plan: SizedPlan) -> Iterator[_Line]:
    for asked in SETTINGS_ASKED:
        value = getattr(plan.result.settings, asked.field)
        is_typed = trimmed(plan.settings[asked.field].value)
        note = "" if is_typed else _NOT_TYPED.get(asked.field, _DEFAULT)
        yield _Line(asked.label, _plain(value), asked.unit, "", note, asked.number_format)


def _plain(value: object) -> Value:
    """A value as a cell holds it."""
    return value if value is None or isinstance(value, str | int) else float(value)  # type: ignore[arg-type]


def _steps(result: SizingResult) -> Iterator[_Line]:
    model, server = result.model, result.server
    context = clamped_context(model, result.effective_context)
    element = BYTES_PER_ELEMENT[result.kv_precision]
    cost = session_cost(model)
    ratio, overhead = result.kv_budget_ratio, result.runtime_overhead_gib
    hbm = hbm_bytes(server)
    in_bytes = Message("bytes")
    longest = grouped(model.max_position_embeddings)
    yield _step(
        Message("Context held"),
        context,
        Message("tokens"),
        Message("the context asked for, and at most the model's {longest}", longest=longest),
    )
    how = Message("of a KV cache in {precision}", precision=result.kv_precision)
    yield _step(Message("Bytes per element"), element, in_bytes, how)
    fixed = cost.index_bytes * context + cost.state_bytes
    how = Message("indexes and states, where there are")
    yield _step(Message("KV bytes that no precision changes"), fixed, in_bytes, how)
    terms = [
        one_or_many(
            "{elements} elements x {tokens} tokens x {bytes} byte",
            "{elements} elements x {tokens} tokens x {bytes} bytes",
            element,
            elements=grouped(elements),
            tokens=grouped(tokens),
            bytes=str(element),
        )
        for elements, tokens in (
            (cost.elements, context),
            (cost.windowed_elements, min(context, cost.window)),
        )
        if elements
    ]
    if fixed:
        terms.append(Message("{count} bytes", count=grouped(fixed)))
    how = joined(" + ", terms)
    yield _step(Message("KV bytes per session"), cost.kv_bytes(context, element), in_bytes, how)
    if server.hbm_per_gpu_mib is not None:
        how = Message(
            "{gpus} GPUs x {mib} MiB, as the driver reports",
            gpus=str(server.gpus),
            mib=grouped(server.hbm_per_gpu_mib),
        )
    else:
        how = Message("{size} GB read as 10^9 bytes", size=plain(server.total_hbm_gb or 0))
    yield _step(Message("HBM bytes per node"), hbm, in_bytes, how)
    how = Message(
        "HBM x {ratio} - {overhead} GiB, rounded down", ratio=plain(ratio), overhead=plain(overhead)
    )
    budget = kv_budget_bytes(server, ratio, overhead)
    yield _step(Message("KV budget bytes per node"), budget, in_bytes, how)
    how = Message("what is left for weights and runtime")
    beside = bytes_beside_kv(server, ratio, overhead)
    yield _step(Message("HBM bytes beside the KV budget"), beside, in_bytes, how)
    weights = model.weight_bytes
    how = Message("as published") if weights else Message("the catalog has no size of the weights")
    yield _step(Message("Weight bytes"), weights or 0, in_bytes, how)
    how = Message(
        "{gbps} GB/s of {storage}",
        gbps=plain(result.storage.throughput_read_gbps),
        storage=result.storage.name,
    )
    yield _step(
        Message("Storage read bytes per second"),
        read_bytes_per_second(result.storage),
        Message("bytes per second"),
        how,
    )
    how = Message("HA {mode}", mode=result.ha_mode)
    yield _step(Message("Spare nodes"), spare_nodes(result.ha_mode), Message("nodes"), how)


def _step(label: str, value: int, unit: str, how: str) -> _Line:
    return _Line(label, value, unit, "", how, COUNT)


def _write_engine(page: Page, row: int, result: SizingResult) -> int:
    """Write the engine's figures beside those of the plan, and where a GPU's memory goes."""
    heads = (
        Message("Engine bound"),
        Message("Planning"),
        Message("Steady decode"),
        Message("Engine bound"),
        Message("What it is"),
    )
    _write_heading(page, row, heads)
    engine = result.engine
    if engine is None:
        page.write(row + 1, _LABEL, NOT_KNOWN, result.engine_unknown)
        page.look(row + 1, _VALUE, row + 1, _VALUE, LEFT)
        return row + 3
    lines = list(_compared(result, engine))
    for at, (label, figures, note, _) in enumerate(lines, start=row + 1):
        shown = [NONE_FITS if figure is None else figure for figure in figures]
        page.write(at, _LABEL, label, *shown, note)
    end = row + len(lines)
    page.look(row + 1, _UNIT, end, _BAND, RIGHT, BODY)
    page.look(row, _VALUE, row, _BAND, RIGHT)
    _format_numbers(page, row + 1, [line[-1] for line in lines], _VALUE, _BAND)
    page.look(row + 1, _LABEL, end, _NOTE, RULED)
    return _write_memory(page, end + 2, engine)


_Compared = tuple[str, Sequence[float | None], str, str]
"""A label, the figures of plan, steady decode and engine bound, a note and a number format."""


def _compared(result: SizingResult, engine: EngineBound) -> Iterator[_Compared]:
    size = engine.tensor_parallel
    kv_gib = (
        result.kv_per_session_gib,
        engine.steady.kv_bytes_per_request * size / BYTES_PER_GIB,
        engine.cache.kv_bytes_per_request * size / BYTES_PER_GIB,
    )
    replicas = engine.replicas_per_node
    note = Message("GiB over the GPUs of a replica")
    yield Message("KV cache per session"), kv_gib, note, SESSION_FORMAT
    per_node = (
        result.sessions_per_node,
        engine.steady_sessions_per_node,
        engine.sessions_per_node,
    )
    note = one_or_many(
        "tensor parallel {size}: {replicas} replica a node",
        "tensor parallel {size}: {replicas} replicas a node",
        replicas,
        size=str(size),
        replicas=str(replicas),
    )
    yield Message("Sessions per node"), per_node, note, COUNT
    planned = (result.nodes_minimum, result.nodes_with_headroom, result.nodes_final)
    labels = (
        Message("Nodes minimum"),
        Message("Nodes with headroom"),
        Message("Nodes final"),
    )
    for label, *figures in zip(labels, planned, engine.steady_nodes, engine.nodes, strict=True):
        yield label, figures, "", COUNT


def _write_memory(page: Page, row: int, engine: EngineBound) -> int:
    heads = (
        Message("Where one GPU's memory goes"),
        "GiB",
        Message("Share"),
        "",
        Message("What it is"),
    )
    _write_heading(page, row, heads)
    page.look(row, _UNIT, row, _UNIT, RIGHT)
    lines = memory_parts(engine)
    for at, (label, size, note) in enumerate(lines, start=row + 1):
        gib, share = size / BYTES_PER_GIB, size / engine.memory.total
        page.write(at, _LABEL, label, gib, share, "", note)
    end = row + len(lines)
    page.look(row + 1, _VALUE, end, _VALUE, Look(number_format=_GIB_FORMAT))
    shares = Look(ink=palette.INK, horizontal="right", number_format="0.0%")
    page.look(row + 1, _UNIT, end, _UNIT, shares)
    page.look(row + 1, _LABEL, end, _NOTE, RULED)
    return end + 2


def memory_parts(engine: EngineBound) -> list[tuple[str, int, str]]:
    """Where one GPU's memory goes: name, bytes and a note."""
    memory = engine.memory
    weights = (
        Message("an estimate from the parameters")
        if engine.weights_estimated
        else Message("the model's share")
    )
    blocks = Message("{count} whole blocks of the pool", count=grouped(engine.num_blocks))
    return [
        (Message("Weights"), memory.weights, weights),
        (Message("KV cache"), memory.blocks, blocks),
        (Message("Activation"), memory.activation, Message("peak of the activations")),
        (Message("Runtime"), memory.runtime, Message("graphs, libraries, buffers")),
        (
            Message("Unused"),
            memory.unused,
            Message("beyond the utilisation, or less than a block"),
        ),
    ]


def _write_alerts(page: Page, row: int, result: SizingResult) -> int:
    """Write the alerts of the load; returns their last row."""
    _write_heading(page, row, (Message("Alerts"), Message("Severity"), Message("Message")))
    alerts = result.all_alerts
    if not alerts:
        nothing = Message("Nothing about this plan is unsafe or unusual.")
        page.write(row + 1, _LABEL, Message("none"), "", nothing)
        return row + 1
    for at, alert in enumerate(alerts, start=row + 1):
        page.write(at, _LABEL, alert.code, SEVERITIES[alert.severity], alert.message)
        page.height(at, at, _height(page.say(alert.message), _MERGED_CHARACTERS))
    for start, last, severity in runs([alert.severity for alert in alerts]):
        look = Look(ground=SEVERITY_GROUNDS[severity])
        page.look(row + 1 + start, _LABEL, row + 1 + last, _NOTE, look)
    end = row + len(alerts)
    page.merged.append(Area(row + 1, _UNIT, end, _NOTE))
    page.look(row, _VALUE, end, _VALUE, LEFT)
    page.look(row + 1, _UNIT, end, _NOTE, WRAPPED, BODY, PLAIN)
    told = Message("What to do about each is on the sheet of warnings.")
    page.write(end + 1, _UNIT, told)
    return end + 1
