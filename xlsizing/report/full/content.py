"""What the full report says of a sizing."""

from collections.abc import Iterator, Mapping, Sequence

from xlsizing.blocks import Alerts, Block, Report, Section, Steps, Table
from xlsizing.core import Alert, SizingResult
from xlsizing.core.alerts import SEVERITIES
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message, joined, one_or_many
from xlsizing.core.sensitivity import Move, Sensitivity, alternatives, drivers, sensitivities
from xlsizing.core.units import BYTES_PER_GIB, BYTES_PER_TIB
from xlsizing.report.counts import count_text, nodes_text, session_bytes
from xlsizing.report.engine import engine_heading, engine_rows, memory_text
from xlsizing.report.full.inputs import (
    engine_settings,
    input_label,
    input_text,
    load_inputs,
)
from xlsizing.report.full.scenario import ScenarioLine
from xlsizing.report.full.sources import entry_sections
from xlsizing.report.full.steps import steps


def full_report(result: SizingResult, scenarios: Sequence[ScenarioLine]) -> Report:
    """The report of a sizing.

    Parameters
    ----------
    result : the sizing.
    scenarios : what it is compared with, the sizing itself first.
    """
    alerts = Section(Message("Alerts, and what to do"), _alerts(result))
    compared = Section(Message("Scenarios compared"), _scenarios(scenarios))
    return Report(
        Message(
            "GPU nodes for {model} on {server}",
            model=result.model.name,
            server=result.server.name,
        ),
        answer(result),
        gravest(result.all_alerts),
        [
            Section(Message("The answer"), list(_answer(result))),
            alerts,
            compared,
            Section(Message("What changes the number of nodes"), list(_sensitivity(result))),
            Section(Message("Assumptions"), list(_assumptions(result))),
            Section(Message("The sizing step by step"), [Steps(steps(result))]),
            Section(Message("What the engine holds"), list(_engine(result))),
            *entry_sections(result),
        ],
        _subject(result),
        [compared, alerts],
    )


def _subject(result: SizingResult) -> Message:
    words = {"server": result.server.name, "load": result.load, "model": result.model.name}
    nodes = result.nodes_final
    if nodes is None:
        return Message("{model} on {server}: nothing fits for {load}", **words)
    return one_or_many(
        "{nodes} {server} node for {model}: {load}",
        "{nodes} {server} nodes for {model}: {load}",
        nodes,
        nodes=grouped(nodes),
        **words,
    )


def answer(result: SizingResult) -> Message:
    """The question's answer in a sentence: nodes, for whom, at what context."""
    words = {
        "server": result.server.name,
        "load": result.load,
        "model": result.model.name,
        "precision": result.kv_precision,
    }
    nodes = result.nodes_final
    if nodes is None:
        return Message(
            "Nothing fits: no {server} node holds one session, so {load} with {model}, "
            "KV cache in {precision}, cannot be served.",
            **words,
        )
    return one_or_many(
        "{nodes} {server} node for {load} with {model}, KV cache in {precision}.",
        "{nodes} {server} nodes for {load} with {model}, KV cache in {precision}.",
        nodes,
        nodes=grouped(nodes),
        **words,
    )


def gravest(alerts: Sequence[Alert]) -> Alert | None:
    """The most serious alert, the first of them where there are several."""
    order = list(SEVERITIES)
    return min(alerts, key=lambda alert: order.index(alert.severity), default=None)


def _answer(result: SizingResult) -> Iterator[Block]:
    kv_bytes = session_bytes(result)
    total = kv_bytes * result.concurrency
    rows = [
        (Message("Nodes final"), count_text(result.nodes_final)),
        (Message("Nodes minimum"), count_text(result.nodes_minimum)),
        (Message("Nodes with headroom"), count_text(result.nodes_with_headroom)),
        (Message("Sessions per node"), grouped(result.sessions_per_node)),
        (
            Message("KV cache per session"),
            joined(" ", (grouped(kv_bytes, BYTES_PER_GIB, 4), "GiB")),
        ),
        (Message("KV cache in total"), joined(" ", (grouped(total, BYTES_PER_TIB, 4), "TiB"))),
    ]
    if result.engine:
        rows.append((Message("Nodes by the engine bound"), count_text(result.engine.nodes[-1])))
    rows.append((Message("Status"), result.status))
    yield Table((Message("Figure"), Message("Value")), rows, frozenset({1}))


def _alerts(result: SizingResult) -> list[Block]:
    if not result.all_alerts:
        return [Message("No alerts.")]
    return [Alerts(result.all_alerts)]


_INPUTS: Mapping[str, Message] = {
    "concurrency": Message("Concurrency"),
    "effective_context": Message("Context"),
    "peak_headroom_ratio": Message("Headroom"),
    "ha_mode": Message("HA"),
}
"""What scenarios may differ in, by the fields of SizingResult."""


def _scenarios(scenarios: Sequence[ScenarioLine]) -> list[Block]:
    first = scenarios[0]
    # What is the same in all of them stands among the assumptions.
    told = [
        (place, field)
        for place, field in enumerate(_INPUTS)
        if len({_shown(line, place, field) for line in scenarios}) > 1
    ]
    heads = (
        Message("Scenario"),
        *(_INPUTS[field] for _, field in told),
        Message("Nodes minimum"),
        Message("Nodes with headroom"),
        Message("Nodes final"),
        Message("Against the first"),
        Message("Status"),
    )
    rows = [
        (
            line.name,
            *(_shown(line, place, field) for place, field in told),
            _count(line.nodes_minimum),
            _count(line.nodes_with_headroom),
            _count(line.nodes_final),
            "" if line is first else _difference(line.nodes_final, first.nodes_final),
            line.status,
        )
        for line in scenarios
    ]
    words = {0, len(heads) - 1} | {
        heads.index(each) for each in heads if each == _INPUTS["ha_mode"]
    }
    return [Table(heads, rows, frozenset(range(len(heads))) - words)]


def _shown(line: ScenarioLine, place: int, field: str) -> str:
    return input_text(field, line.inputs[place])


def _count(nodes: int | None) -> str:
    return "-" if nodes is None else grouped(nodes)


def _difference(nodes: int | None, first: int | None) -> str:
    if nodes is None or first is None:
        return ""
    return joined("", ("+" if nodes > first else "", grouped(nodes - first)))


def _sensitivity(result: SizingResult) -> Iterator[Block]:
    found = sensitivities(result)
    now = nodes_text(result.nodes_final)
    if nearest := drivers(found):
        yield Message(
            "Each input moves alone, in the steps in which it is typed. Nearest to a change is "
            "{input}.",
            input=input_label(nearest[0].input),
        )
    yield Table(
        (
            Message("Input"),
            Message("Now"),
            Message("{nodes} from", nodes=now),
            Message("to"),
            Message("One step less"),
            Message("One step more"),
        ),
        [_row(each) for each in found],
        frozenset({1, 2, 3}),
    )
    yield Table(
        (Message("Choice"), Message("Now"), Message("Instead"), Message("Nodes final")),
        [
            (
                input_label(each.input),
                each.value,
                other.value,
                count_text(other.nodes),
            )
            for each in alternatives(result)
            for other in each.others
        ],
        frozenset({3}),
    )


def _row(found: Sensitivity) -> tuple[str, ...]:
    return (
        input_label(found.input),
        input_text(found.input, found.value),
        _last(found, found.less),
        _last(found, found.more),
        _next(found, found.less),
        _next(found, found.more),
    )


def _last(found: Sensitivity, move: Move | None) -> str:
    return Message("any") if move is None else input_text(found.input, move.last)


def _next(found: Sensitivity, move: Move | None) -> str:
    if move is None:
        return Message("never changes")
    value = input_text(found.input, move.next)
    nodes = Message("nothing fits") if move.nodes is None else nodes_text(move.nodes)
    return Message("{nodes} at {value}", nodes=nodes, value=value)


def _assumptions(result: SizingResult) -> Iterator[Block]:
    heads = (Message("Input"), Message("Value"))
    yield Table(heads, list(load_inputs(result)))
    yield Table((Message("Setting of the engine"), Message("Value")), list(engine_settings(result)))


def _engine(result: SizingResult) -> Iterator[Block]:
    engine = result.engine
    if engine is None:
        yield Message("not known: {reason}", reason=result.engine_unknown)
        return
    yield joined("", (engine_heading(engine), "."))
    yield Table(
        ("", Message("planning"), Message("steady decode"), Message("engine bound")),
        list(engine_rows(result, engine)),
        frozenset({1, 2, 3}),
    )
    yield joined("", (Message("One GPU"), ": ", memory_text(engine), "."))
