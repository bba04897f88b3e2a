"""The check on the sheet Report: it turns with any input and any figure that the report is of."""

import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.book.form import Form
from tests.engines.engines import ENGINES, Cell, Engine, Value
from tests.engines.sync_cases import with_changes
from tests.engines.synced_books import NOT_THERE, after_sync, stored
from tests.report.sheets import ALARMING, CALM, few, read, sized, workbook
from xlsizing.book.plan import plan_of
from xlsizing.book.reading import read_workbook
from xlsizing.core import Catalogs

SAME = "is still the same."
CHANGED = "The inputs or catalogs have changed since; make the report again."
PORTUGUESE = "As entradas ou os catálogos mudaram desde então; faça o relatório novamente."
SENTENCE: Cell = ("Report", "B3")
TYPED = {
    "Input_Model": "gpt-oss-120b",
    "Input_Server": "8x-l40s",
    "Input_Storage": "profile_cloud_premium",
    "Input_Concurrency": 101,
    "Input_EffectiveContext": 8_193,
    "Input_KvPrecision": "bf16",
    "Input_HA": "n+1",
    "Input_KvBudgetRatio": 0.7001,
    "Input_RuntimeOverheadGiB": 120.01,
    "Input_PeakHeadroomRatio": 0.2001,
    "Input_TensorParallel": 2,
    "Input_KvPoolGiB": 20.5,
    "Input_MaxNumBatchedTokens": 8_193,
    "Input_BatchesInFlight": 1,
    "Input_GpuMemoryUtilization": 0.9001,
    "Input_ActivationGiB": 3.01,
    "Input_RuntimeGiB": 1.01,
    "Input_StateCaching": "align",
    "Input_BaseScenario": "Ideal",
}
"""Another value for every input."""
USED = {"Models": 0, "Servers": 0, "Storage": 0}
"""The entries of the calm report, by their place in the tables."""


class Compared:
    """The cells that a report compares, by what they are called."""

    def __init__(self, book: Workbook) -> None:
        sheet = book["Report"]
        spans = [book.defined_names[name].attr_text for name in ("Report_Then", "Report_Now")]
        self.then, self.now = (
            [cell for (cell,) in sheet[str(span).rpartition("!")[2]]] for span in spans
        )
        self.names = [str(sheet.cell(cell.row, 2).value) for cell in self.now]
        self.count: Cell = ("Report", f"{self.now[0].column_letter}{self.now[-1].row + 1}")

    @property
    def cells(self) -> list[Cell]:
        return [("Report", cell.coordinate) for cell in (*self.then, *self.now)]

    def differing(self, found: dict[Cell, Value]) -> set[str]:
        """What is called otherwise than before, by the engine's own values."""
        return {
            name
            for name, was, now in zip(self.names, self.then, self.now, strict=True)
            if found["Report", was.coordinate] != found["Report", now.coordinate]
        }


def figures(book: Workbook) -> Iterator[tuple[str, Cell, Value]]:
    """Each figure of the entries that the calm report is of: its name, its cell, another one."""
    for title, place in USED.items():
        for table in book[title].tables.values():
            if table.name != title:
                continue
            heads, *rows = book[title][table.ref]
            for head, cell in zip(heads, rows[place], strict=True):
                if isinstance(cell.value, int | float) and not isinstance(cell.value, bool):
                    yield f"{title}[{head.value}]", (title, cell.coordinate), cell.value * 2 + 1


def changed(book: Workbook, form: Form) -> list[tuple[bytes, set[str]]]:
    """Workbooks in which something was changed, and what that is called."""
    inputs = {form.named(name): value for name, value in TYPED.items()}
    entries = list(figures(book))
    row = {
        "H9": "bf16",
        "E10": "profile_cloud_premium",
        "D8": "8x-l40s",
        "F8": 200_000,
        "G9": 9_000,
        "K10": 0.9,
        "L7": "n+1",
    }
    in_rows = {("Scenarios", address): value for address, value in row.items()}
    return [
        (form.filled(inputs), set(TYPED)),
        (
            form.filled({cell: value for _, cell, value in entries} | in_rows),
            {name for name, *_ in entries}
            | {
                *("Scenarios[Nodes final] 2", "Scenarios[Concurrency] 2", "Scenarios[Server] 2"),
                *("Scenarios[KV precision] 3", "Scenarios[Storage] 4"),
                *("Scenarios[Context] 3", "Scenarios[Peak headroom] 4", "Scenarios[HA] 1"),
            },
        ),
    ]


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_the_check_turns_with_every_input_and_figure(engine: Engine) -> None:
    book = read(workbook(CALM), values=False)
    compared = Compared(book)
    cases = changed(book, Form(workbook(CALM)))
    assert len(cases[1][1]) > 30
    assert {name for name in book.defined_names if name.startswith("Input_")} == set(TYPED)
    cells = [SENTENCE, compared.count, *compared.cells]
    found = engine.compute([content for content, _ in cases], cells)
    for (_, names), values in zip(cases, found, strict=True):
        differing = compared.differing(values)
        assert names - differing == set()
        assert values[compared.count] == len(differing)
        assert values[SENTENCE] == CHANGED


def test_the_check_keeps_the_right_value_in_each_language() -> None:
    for code, words in (("en", SAME), ("pt-BR", "continua igual.")):
        content = workbook(CALM, code)
        values = read(content)["Report"]
        assert str(values["B3"].value).endswith(words)
        compared = Compared(read(content, values=False))
        assert values[compared.count[1]].value == 0
        assert {values[cell.coordinate].value for cell in compared.now} == {
            cell.value for cell in compared.then
        }
    other = Form(workbook(CALM, "pt-BR"))
    [found] = ENGINES[0].compute([other.filled({other.named("Input_HA"): "n+1"})], [SENTENCE])
    assert found[SENTENCE] == PORTUGUESE


def renamed_figures() -> Catalogs:
    """The entries, of which the server has another amount of memory now."""
    return with_changes(few(), {"dgx-h200": {"hbm_per_gpu_mib": 100_000}})


def part(content: bytes) -> bytes:
    """The sheet Report as it is stored."""
    with zipfile.ZipFile(BytesIO(content)) as package:
        return next(
            package.read(name)
            for name in package.namelist()
            if name.startswith("xl/worksheets/sheet")
            and b"Report_Differences" in package.read(name)
        )


def elsewhere() -> Catalogs:
    """The entries, of which one has other figures that this report does not use."""
    return with_changes(few(), {"8x-l40s": {"gpus": 4, "total_hbm_gb": None}})


@pytest.mark.parametrize(("newer", "is_same"), [(elsewhere, True), (renamed_figures, False)])
def test_a_sync_leaves_the_sheet_alone_but_for_what_the_check_says(
    newer: Callable[[], Catalogs], is_same: bool, tmp_path: Path
) -> None:
    content = workbook(CALM)
    synced, sync = after_sync(content, newer(), tmp_path)
    assert sync.parts
    assert (part(synced) == part(content)) is is_same
    kept = stored(synced, tmp_path)
    assert str(kept[SENTENCE]).endswith(SAME if is_same else CHANGED)
    compared = Compared(read(synced, values=False))
    [found] = ENGINES[0].compute([synced], [SENTENCE, compared.count, *compared.cells])
    for cell in (SENTENCE, compared.count, *compared.cells):
        if cell in kept:
            assert kept[cell] == found[cell], cell
            assert kept[cell] is not NOT_THERE
    # All texts are as they were.
    before, after = (read(each)["Report"] for each in (content, synced))
    top = compared.then[0].row
    rows = [[cell.value for cell in row] for row in before.iter_rows(min_row=4, max_row=top)]
    assert rows == [[cell.value for cell in row] for row in after.iter_rows(min_row=4, max_row=top)]


def test_a_report_is_made_of_a_report(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    path.write_bytes(workbook(ALARMING))
    plan = plan_of(read_workbook(str(path)), few())
    assert plan.notes == []
    assert plan.result == sized(ALARMING)
    assert [each.name for each in plan.scenarios] == ["As asked", "Minimum", "Recommended", "Ideal"]
