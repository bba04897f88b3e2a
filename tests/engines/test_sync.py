"""Workbooks that were synced, recomputed by three engines that others wrote.

Each is a planning workbook with older catalogs in which somebody has typed; its formulas
keep the right values for those. After the sync every value that a formula keeps must be what
the engines compute from the new catalogs, and no formula may have kept one of before.
"""

import io
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from openpyxl.utils import range_boundaries
from python_calamine import CalamineWorkbook

from tests.book.plans import by_libreoffice, opened
from tests.conftest import PROJECT
from tests.engines.engines import ENGINES, Cell, Engine, IronCalc, Value, same
from tests.engines.sheets import Template
from tests.engines.sync_cases import cases
from tests.engines.synced_books import NOT_THERE, Case, after_sync, stored
from tests.engines.test_bad_rows import agrees
from tests.gate.gate import examined
from xlsizing.book.build import report
from xlsizing.book.sync.syncing import Sync
from xlsizing.book.typed_scenario import typed_scenario
from xlsizing.catalog import load_catalogs
from xlsizing.core import Catalogs, size
from xlsizing.core.engine import DEFAULT_SETTINGS
from xlsizing.core.entries import Entry
from xlsizing.core.planning.plan import TypedRow

each_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)


MODELS = ("deepseek-v3.2", "gpt-oss-20b", "gpt-oss-120b", "jamba-v0.1", "llama-3.1-8b", "phi-4")


class Synced(NamedTuple):
    """A workbook after its sync."""

    case: Case
    before: Mapping[Cell, Any]
    """What its formulas kept."""
    content: bytes
    after: Mapping[Cell, Any]
    """What they keep."""
    said: Sync


@cache
def shipped() -> Catalogs:
    """The catalogs that the project ships, with few models, since each has many layouts."""
    some = load_catalogs(str(PROJECT / "catalogs"))
    return some._replace(models=tuple(m for m in some.models if m.name in MODELS))


@cache
def synced_books() -> tuple[Synced, ...]:
    """Each case's workbook after its sync."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = []
        for case in cases(shipped()):
            before, kept = case.before()
            content, said = after_sync(before, case.new, folder)
            found.append(Synced(case, kept, content, stored(content, folder), said))
        return tuple(found)


def stale(
    kept: Mapping[Cell, Any], computed: Mapping[Cell, Value], engine: Engine = ENGINES[0]
) -> list[str]:
    """A sentence for each formula that keeps what an engine does not compute."""
    return [
        f"{title}!{address} keeps {value!r}, not {computed[title, address]!r}"
        for (title, address), value in kept.items()
        if value is not NOT_THERE
        and not agrees(value, computed[title, address], is_pair=True, engine=engine)
    ]


@each_engine
def test_no_formula_keeps_a_value_that_an_engine_does_not_compute(engine: Engine) -> None:
    # All in the fastest, and the random one in the others, which take long over each.
    books = synced_books() if engine.name == IronCalc().name else synced_books()[-1:]
    cells = set().union(*(book.after for book in books))
    computed = engine.compute([book.content for book in books], cells)
    wrong = {
        book.case.name: found
        for book, values in zip(books, computed, strict=True)
        if (found := stale(book.after, values, engine))
    }
    assert wrong == {}


def test_values_of_before_would_be_found_out() -> None:
    """In every case the sync has to change what formulas keep, in all that show results."""
    for book in synced_books():
        was = {cell: value for cell, value in book.before.items() if cell in book.after}
        changed = {cell[0] for cell, value in was.items() if value != book.after[cell]}
        assert {"Sizing", "Scenarios", "Charts"} & changed, book.case.name
    [computed] = IronCalc().compute([synced_books()[0].content], synced_books()[0].after)
    first = dict(synced_books()[0].after)
    cell = next(cell for cell, value in first.items() if isinstance(value, int) and value > 1)
    assert stale(first, computed) == []
    first[cell] += 1
    assert len(stale(first, computed)) == 1


def test_formulas_keep_nothing_only_where_core_cannot_tell() -> None:
    for book in synced_books():
        empty = {cell for cell, value in book.after.items() if value is NOT_THERE}
        assert {title for title, _ in empty} == book.case.unknown, book.case.name
        assert any("cannot be computed here" in note for note in book.said.notes) is bool(empty)
        if "Scenarios" not in book.case.unknown:
            assert not [cell for cell in empty if cell[0] in ("Scenarios", "Warnings")]
        # The answer on Sizing is told wherever it does not hang on figures of the workbook's own.
        assert Template(book.content).named("Output_NodesFinal") not in empty


RESULTS = ("KV per session GiB", "Sessions per node", "Nodes final", "Status", "Alerts")


def test_results_are_those_of_a_workbook_that_is_made_afresh() -> None:
    books = [book for book in synced_books() if not book.case.unknown]
    assert len(books) > 3
    for book in books:
        fresh = book.case.afresh()
        was, now = Template(fresh), Template(book.content)
        names = [name for name in was.book.defined_names if name.startswith("Output_")]
        assert len(names) > 15
        places = [(was.named(name), now.named(name)) for name in names]
        places += [
            (was.scenarios.cell(head, line), now.scenarios.cell(head, line))
            for head in RESULTS
            for line in range(20)
        ]
        [made] = IronCalc().compute([fresh], [cell for cell, _ in places])
        [computed] = IronCalc().compute([book.content], [cell for _, cell in places])
        wrong = [(a, made[a], computed[b]) for a, b in places if not same(made[a], computed[b])]
        assert wrong == [], book.case.name


def test_effects_say_what_the_cells_show() -> None:
    for book in synced_books():
        where = Template(book.content)
        shown = book.after[where.named("Output_NodesFinal")]
        for effect in book.said.effects:
            if effect.scenario == "Sizing" and isinstance(shown, int):
                assert effect.after == _counted(shown)
        by_name = {effect.scenario: effect.after for effect in book.said.effects}
        for line in range(20):
            nodes = book.after[where.scenarios.cell("Nodes final", line)]
            said = by_name.get(f"Scenario {line + 1}")
            # Without its storage a row has its nodes all the same, and a status that says so.
            if said and isinstance(nodes, int) and "storage" not in said:
                assert said == _counted(nodes)


def _counted(nodes: int) -> str:
    return f"{nodes:,} node{'' if nodes == 1 else 's'}"


def test_a_workbook_that_libreoffice_saved_keeps_no_value_of_before(tmp_path: Path) -> None:
    book = synced_books()[1]
    saved = by_libreoffice(book.case.before()[0], tmp_path)
    content, said = after_sync(saved, book.case.new, tmp_path)
    assert len(said.effects) > 3
    kept = stored(content, tmp_path)
    [computed] = IronCalc().compute([content], kept)
    assert stale(kept, computed) == []


def report_of_ours() -> bytes:
    """A report of 30 rows as we write it, with older catalogs."""
    case = next(case for case in cases(shipped()) if "every kind" in case.name)
    rows = [TypedRow(f"Row {n}", "yes", row) for n, row in enumerate([*case.rows] * 6)]
    scenarios = [typed_scenario(row, DEFAULT_SETTINGS, case.old) for row in rows]
    load = size(
        case.old.model("gpt-oss-120b"),
        case.old.server("dgx-b300"),
        case.old.profile("profile_default"),
        concurrency=500,
        effective_context=130_000,
    )
    return report(load, case.old, scenarios, "Row 3")


def test_a_report_of_ours_passes_the_gate_and_is_read_by_others(tmp_path: Path) -> None:
    content, said = after_sync(report_of_ours(), shipped(), tmp_path)
    assert len(said.effects) > 20
    assert examined(content) == []
    kept = stored(content, tmp_path)
    [computed] = IronCalc().compute([content], kept)
    assert stale(kept, computed) == []
    assert NOT_THERE not in kept.values()
    wanted: Mapping[str, Sequence[Entry]] = {
        "Models": shipped().models,
        "Servers": shipped().servers,
    }
    book = opened(content)
    for title, entries in wanted.items():
        left, top, _, bottom = map(int, range_boundaries(book[title].tables[title].ref))  # type: ignore[arg-type]
        names = {entry.name for entry in entries}
        assert len(names) == bottom - top
        by_openpyxl = {book[title].cell(row, left).value for row in range(top + 1, bottom + 1)}
        lines = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(title)
        by_calamine = {line[0] for line in lines.to_python(skip_empty_area=False)[top:bottom]}
        frame = pd.read_excel(
            io.BytesIO(content), sheet_name=title, skiprows=top - 1, engine="calamine"
        )
        assert by_openpyxl == by_calamine == set(frame["Name"][: len(names)]) == names
