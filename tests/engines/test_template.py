"""The template recomputed by three engines that others wrote, against core.

Before each computation all formula cells hold 999, or nothing where an engine would
believe that, so agreement can only come from computing.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

from tests.book.rules import MAIN, opened
from tests.engines.books import (
    COMPARED,
    the_template,
)
from tests.engines.engines import ENGINES, Cell, Engine, Value, same
from tests.engines.entries import entries
from tests.engines.loads import Load
from tests.engines.sheets import differences
from xlsizing.book.build import report
from xlsizing.cli.report_forms import said_of
from xlsizing.core.engine import EngineSettings
from xlsizing.language import ENGLISH

each_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)


@each_engine
def test_warnings_sheet_lists_each_active_alert_with_its_text(engine: Engine) -> None:
    troubled = Load("window", "total", "slow", 10**6, 2 * 10**13, "fp16", 0.0001, 0.0)
    large = Load("llama-3.1-70b", "dgx-h100", "profile_cloud_premium", 10**6, 131_072, "bf16", 0.99)
    calm = Load("gpt-oss-20b", "dgx-h200", "profile_default", 100, 1_000, "fp8")
    copied = replace(calm, model="estimated mxfp4", server="rack", tensor_parallel=64)
    impossible = replace(calm, tensor_parallel=3)
    loads = (large, calm, troubled, copied, impossible)
    results = [load.result(entries()) for load in loads]
    assert len({alert.rule for result in results for alert in result.all_alerts}) > 11
    table = the_template().table("Warnings", "Warnings")
    shown = ("Scenario", "Code", "Severity", "Active", "Message", "What to do")
    cells = [[table.cell(head, row) for head in shown] for row in range(len(table.rows))]
    (found,) = engine.compute(
        [the_template().filled(loads)],
        [("Warnings", "A3"), *(cell for row in cells for cell in row)],
    )
    lines = [[found[cell] for cell in row] for row in cells]
    active = [line for line in lines if line[3] == "yes"]
    names = ("Sizing", "Pilot", "Launch", "Growth", "Scenario 4", "Scenario 5")
    assert lines[: len(active)] == active
    expected = [
        [name, alert.code, alert.severity, "yes", alert.message, alert.recommendation]
        for name, result in zip(names, (results[0], *results), strict=True)
        for alert in result.all_alerts
    ]
    assert active == expected
    assert {line[3] for line in lines} == {"yes", "no"}
    printed = the_template().book["Warnings"]["H3"].value
    assert printed < len(expected)
    assert found["Warnings", "A3"] == (
        f"Alerts that hold: {len(expected)}. Only {printed} are in the print area."
    )


@each_engine
def test_warnings_sheet_says_where_it_has_too_few_lines(engine: Engine) -> None:
    troubled = Load("window", "total", "slow", 10**6, 2 * 10**13, "fp16", 0.0001, 0.0)
    table = the_template().table("Warnings", "Warnings")
    last = table.cell("Scenario", len(table.rows) - 1)
    (found,) = engine.compute([the_template().filled([troubled] * 20)], [("Warnings", "A3"), last])
    count = 21 * len(troubled.result(entries()).all_alerts)
    assert count > len(table.rows)
    assert str(found[last]).startswith("Scenario ")
    assert found["Warnings", "A3"] == (
        f"Alerts that hold: {count}, but there are only {len(table.rows)} lines. "
        "Read the column Alerts of Scenarios for the rest."
    )


@each_engine
def test_warnings_sheet_stacks_the_alerts_of_rows_that_are_far_apart(engine: Engine) -> None:
    quiet = Load("gpt-oss-20b", "dgx-h200", "profile_default", 100, 1_000, "fp8")
    loud = replace(quiet, effective_context=140_000, kv_precision="bf16")
    loads = [quiet] * 20
    loads[7] = loads[19] = loud
    table = the_template().table("Warnings", "Warnings")
    shown = ("Scenario", "Code", "Active", "Message", "What to do")
    cells = [[table.cell(head, row) for head in shown] for row in range(len(table.rows))]
    (found,) = engine.compute(
        [the_template().filled(loads)],
        [("Warnings", "A3"), *(cell for row in cells for cell in row)],
    )
    lines = [[found[cell] for cell in row] for row in cells]
    alerts = loud.result(entries()).all_alerts
    assert len(alerts) > 2
    expected = [
        [name, alert.code, "yes", alert.message, alert.recommendation]
        for name in ("Scenario 8", "Scenario 20")
        for alert in alerts
    ]
    assert lines[: len(expected)] == expected
    assert all(line == ["", "", "no", "", ""] for line in map(_blank, lines[len(expected) :]))
    assert found["Warnings", "A3"] == f"Alerts that hold: {len(expected)}."


def _blank(line: list[Value]) -> list[Value]:
    return ["" if value is None else value for value in line]


GOOD = Load("gpt-oss-120b", "dgx-b300", "profile_default", 1_000, 131_072, "fp8")
TYPED_WRONG: Mapping[str, tuple[str, object, str, str]] = {
    # what is typed: column, value, error of Nodes final, a part of the status
    "unknown model": ("Model", "no-such-model", "#N/A", "no model named no-such-model"),
    "wildcard": ("Model", "gpt*", "#N/A", "no model named gpt*"),
    "wildcard alias": ("Server", "dgx30?", "#N/A", "no server named dgx30?"),
    "tilde": ("Model", "~gpt-oss-120b", "#N/A", "no model named ~gpt-oss-120b"),
    "part of a name": ("Server", "dgx", "#N/A", "no server named dgx"),
    "no model": ("Model", None, "#N/A", "Choose a model"),
    "too many sessions": ("Concurrency", 10**15, "#VALUE!", "whole number from 1 to 10^14"),
    "half a session": ("Concurrency", 0.5, "#VALUE!", "Concurrency must be a whole number"),
    "no sessions": ("Concurrency", 0, "#VALUE!", "Concurrency must be a whole number"),
    "sessions as text": ("Concurrency", "1000", "#VALUE!", "Concurrency must be a whole number"),
    "negative context": ("Context", -1, "#VALUE!", "Context must be a whole number"),
    "precision": ("KV precision", "fp12", "#VALUE!", "KV precision must be"),
    "precision wildcard": ("KV precision", "fp*", "#VALUE!", "KV precision must be"),
    "ratio above 1": ("KV budget ratio", 1.0001, "#VALUE!", "KV budget ratio must be"),
    "ratio of 0": ("KV budget ratio", 0, "#VALUE!", "KV budget ratio must be"),
    "model as an error": ("Model", "=NA()", "#N/A", "The cell of the model holds an error"),
    "sessions as an error": ("Concurrency", "=1/0", "#VALUE!", "Concurrency must be"),
    "ratio too fine": ("KV budget ratio", 0.70001, "#VALUE!", "KV budget ratio must be"),
    "overhead below 0": ("Runtime overhead GiB", -0.01, "#VALUE!", "Runtime overhead must be"),
    "overhead too fine": ("Runtime overhead GiB", 120.001, "#VALUE!", "Runtime overhead must be"),
    "headroom as text": ("Peak headroom", "20%", "#VALUE!", "Peak headroom must be"),
    "HA": ("HA", "n+2", "#VALUE!", "HA must be"),
}


ENGINE_NEEDS = ("Model", "Server", "Concurrency", "Context", "KV precision", "Peak headroom", "HA")
"""The inputs of the planning method that the engine's figures need as well."""


@each_engine
def test_a_wrong_row_says_what_is_wrong_and_leaves_the_others_alone(engine: Engine) -> None:
    where = the_template().scenarios
    rows = len(where.rows)
    cases = list(TYPED_WRONG.items())
    parts = [cases[start : start + rows] for start in range(0, len(cases), rows)]
    books = [
        the_template().filled(
            [GOOD] * len(part),
            typed={
                where.cell(head, row): value for row, (_, (head, value, _, _)) in enumerate(part)
            },
        )
        for part in parts
    ]
    heads = ("Nodes final", "Status", "KV per session GiB", "Engine status", "Engine nodes final")
    cells = [where.cell(head, row) for row in range(rows) for head in heads]
    for part, found in zip(parts, engine.compute(books, cells), strict=True):
        for row, (case, (head, _, error, words)) in enumerate(part):
            assert found[where.cell("Nodes final", row)] == error, case
            assert words in str(found[where.cell("Status", row)]), case
            if head not in ("Model", "Context", "KV precision"):
                assert found[where.cell("KV per session GiB", row)] == 2.252197265625, case
            status = found[where.cell("Engine status", row)]
            if head in ENGINE_NEEDS:
                assert status == "Not computed: see the status of the planning method.", case
                assert not isinstance(found[where.cell("Engine nodes final", row)], float), case
            else:
                assert status == "OK", case


@each_engine
def test_an_inactive_row_and_an_empty_row_show_nothing(engine: Engine) -> None:
    where = the_template().scenarios
    off = (" No ", False, " N\u00c3O", "nao")
    book = the_template().filled(
        (GOOD,) * (1 + len(off)),
        typed={where.cell("Active", row): word for row, word in enumerate(off, start=1)},
    )
    cells = [where.cell(head, row) for head in COMPARED for row in range(len(off) + 2)]
    (found,) = engine.compute([book], cells)
    assert same(2, found[where.cell("Nodes final", 0)])
    for head in COMPARED:
        for row in range(1, len(off) + 2):
            assert found[where.cell(head, row)] in ("", None), (head, row)


@cache
def reports() -> list[bytes]:
    """Reports of every kind of answer."""
    nothing_fits = replace(GOOD, server="8x-l40s", runtime_overhead_gib=300.0)
    everything = Load("window", "total", "slow", 10**6, 2 * 10**13, "fp16", 0.0001, 0.0)
    copied = replace(GOOD, model="mamba2 beside full", server="rack", tensor_parallel=16)
    impossible = replace(GOOD, tensor_parallel=3)
    unknown = replace(GOOD, model="no weights", server="measured")
    aligned = EngineSettings(
        max_num_batched_tokens=1_001,
        batches_in_flight=3,
        gpu_memory_utilization=0.9125,
        activation_gib=2.7183,
        state_caching="align",
    )
    pool = EngineSettings(kv_pool_gib=12.3456)
    results = [
        *(load.result(entries()) for load in (nothing_fits, everything, impossible, unknown)),
        copied.result(entries(), aligned),
        unknown.result(entries(), pool),
    ]
    return [
        report(result, entries(), content=said_of(result, (), ENGLISH).report) for result in results
    ]


@cache
def cached_values(content: bytes) -> dict[Cell, Value]:
    """The values that the formulas of a workbook claim to have."""
    book = opened(content)
    return {
        (sheet.title, cell.get("r") or ""): _typed(cell.get("t"), book.text(cell))
        for sheet in book.sheets
        for cell in sheet.cells
        if cell.find(f"{MAIN}f") is not None
    }


def _typed(kind: str | None, text: str) -> Value:
    if kind in (None, "n"):
        return float(text)
    return text == "1" if kind == "b" else text


@each_engine
def test_every_cached_value_is_what_the_engine_computes(engine: Engine) -> None:
    # Reports have a sheet more.
    for books in ([the_template().content], reports()):
        cached = [cached_values(book) for book in books]
        cells = set().union(*cached)
        for expected, found in zip(cached, engine.compute(books, cells), strict=True):
            assert len(expected) > 80
            assert list(differences(expected, found)) == []
