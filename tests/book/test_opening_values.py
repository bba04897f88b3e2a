"""Every figure of a fresh workbook is there for programs that read files and compute nothing."""

import io
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal

import openpyxl
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from tests.book.rules import ERRORS, MAIN, area, opened
from tests.book.test_report import LOADS, OUTPUTS, sized
from tests.gate.books import with_part
from xlsizing.book.build import report, template
from xlsizing.core import Catalogs, SizingResult, size

Place = tuple[str, int, int]
"""A sheet's title, a row and a column, counted from 1."""
Value = str | float | bool
Values = dict[Place, Value]

ANSWERS = {
    "KV per session GiB": "kv_per_session_gib",
    "KV total TiB": "kv_total_tib",
    "Sessions per node": "sessions_per_node",
    "Nodes minimum": "nodes_minimum",
    "Nodes with headroom": "nodes_with_headroom",
    "Nodes final": "nodes_final",
}
"""The columns of Scenarios that show a figure of core."""


def filled(title: str, rows: Any) -> Iterator[tuple[Place, Value]]:
    """The cells of rows from A1 on that hold something."""
    for row, cells in enumerate(rows, 1):
        for column, value in enumerate(cells, 1):
            if value is not None and value != "":
                yield (title, row, column), value


def by_openpyxl(content: bytes) -> Values:
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    return dict(cell for sheet in book.worksheets for cell in filled(sheet.title, sheet.values))


def by_calamine(content: bytes) -> Values:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return dict(
        cell
        for title in book.sheet_names
        for cell in filled(title, book.get_sheet_by_name(title).to_python(skip_empty_area=False))
    )


def by_pandas(content: bytes, engine: Literal["openpyxl", "calamine"]) -> Values:
    frames = pd.read_excel(
        io.BytesIO(content), sheet_name=None, header=None, na_filter=False, engine=engine
    )
    return dict(
        cell for title, frame in frames.items() for cell in filled(str(title), frame.to_numpy())
    )


READERS: dict[str, Callable[[bytes], Values]] = {
    "openpyxl": by_openpyxl,
    "calamine": by_calamine,
    "pandas with openpyxl": lambda content: by_pandas(content, "openpyxl"),
    "pandas with calamine": lambda content: by_pandas(content, "calamine"),
}


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> Callable[[bytes], Values]:
    return READERS[request.param]


def carried(content: bytes) -> Values:
    """What the XML of the package says that the cells hold or show."""
    book = opened(content)
    found: Values = {}
    for sheet in book.sheets:
        for cell in sheet.cells:
            place, text = area(cell.get("r")), book.text(cell)
            if place and text:
                number = cell.get("t") in (None, "n")
                truth = text == "1" if cell.get("t") == "b" else text
                found[sheet.title, place.top, place.left] = float(text) if number else truth
    return found


@cache
def workbook(catalogs: Catalogs, load: str) -> bytes:
    """The template, or the report of a load."""
    return template(catalogs) if load == "template" else report(result(catalogs, load), catalogs)


def result(catalogs: Catalogs, load: str) -> SizingResult:
    model, server, storage, given = LOADS[load]
    return sized(catalogs, model, server, storage, **given)


def place(content: bytes, name: str) -> Place:
    """The cell of a defined name."""
    [text] = [each.text for each in opened(content).names if each.name == name]
    title, _, address = text.replace("$", "").rpartition("!")
    found = area(address)
    assert found
    return title.strip("'"), found.top, found.left


@pytest.mark.parametrize("load", ["template", "worked case", "typed"])
def test_every_cell_is_read_as_the_package_carries_it(
    catalogs: Catalogs, load: str, reader: Callable[[bytes], Values]
) -> None:
    content = workbook(catalogs, load)
    assert reader(content) == carried(content)


def test_where_nothing_fits_the_status_is_read_and_no_count_of_nodes(
    catalogs: Catalogs, reader: Callable[[bytes], Values]
) -> None:
    content = workbook(catalogs, "nothing fits")
    # openpyxl gives the text of an error, calamine and pandas nothing.
    found, expected = without_errors(reader(content)), without_errors(carried(content))
    assert found == expected
    assert str(found[place(content, "Output_Status")]).startswith("Nothing fits")
    assert not {place(content, name) for name in OUTPUTS if "Nodes" in name} & found.keys()


def without_errors(values: Values) -> Values:
    return {at: value for at, value in values.items() if value == value and value not in ERRORS}


@pytest.mark.parametrize("load", ["worked case", "typed", "many nodes"])
def test_every_answer_of_a_report_is_that_of_core(
    catalogs: Catalogs, load: str, reader: Callable[[bytes], Values]
) -> None:
    content = workbook(catalogs, load)
    found, expected = reader(content), result(catalogs, load)
    for name, field in OUTPUTS.items():
        assert found[place(content, name)] == getattr(expected, field), name


def test_every_figure_of_a_scenario_is_that_of_core(
    catalogs: Catalogs, reader: Callable[[bytes], Values]
) -> None:
    content = workbook(catalogs, "template")
    found = reader(content)
    [table] = [each for each in opened(content).tables if each.name == "Scenarios"]
    covered = area(table.ref)
    assert covered
    shown = 0
    for row in range(covered.top + 1, covered.bottom + 1):
        cells = {
            head: found.get(("Scenarios", row, covered.left + number))
            for number, head in enumerate(table.columns)
        }
        if cells["Model"] is None:
            continue
        expected = _sized_by_core(catalogs, cells)
        assert [cells[head] for head in ANSWERS] == [
            getattr(expected, field) for field in ANSWERS.values()
        ]
        shown += 1
    assert shown == 3


def _sized_by_core(catalogs: Catalogs, row: dict[str, Any]) -> SizingResult:
    optional = {
        "kv_precision": row["KV precision"],
        "kv_budget_ratio": row["KV budget ratio"],
        "runtime_overhead_gib": row["Runtime overhead GiB"],
        "peak_headroom_ratio": row["Peak headroom"],
        "ha_mode": row["HA"],
    }
    return size(
        catalogs.model(row["Model"]),
        catalogs.server(row["Server"]),
        catalogs.profile(row["Storage"]),
        concurrency=int(row["Concurrency"]),
        effective_context=int(row["Context"]),
        **{name: value for name, value in optional.items() if value is not None},
    )


def test_a_value_that_is_not_carried_is_missed(
    catalogs: Catalogs, reader: Callable[[bytes], Values]
) -> None:
    """The comparison can fail: a formula without its value is an empty cell to a reader."""
    content = workbook(catalogs, "worked case")
    book = opened(content)
    title, row, column = place(content, "Output_NodesFinal")
    [sheet] = [each for each in book.sheets if each.title == title]
    [cell] = [
        each
        for each in sheet.cells
        if (at := area(each.get("r"))) and (at.top, at.left) == (row, column)
    ]
    value = cell.findtext(f"{MAIN}v")
    address = str(cell.get("r")).encode()
    before, mark, after = book.parts[sheet.part].partition(b'<c r="%s"' % address)
    emptied = before + mark + after.replace(f"<v>{value}</v>".encode(), b"", 1)
    missed = reader(with_part(content, sheet.part, emptied))
    assert reader(content).items() - missed.items() == {((title, row, column), 3)}
