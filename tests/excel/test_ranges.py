"""Ranges, tables and memory: what the table of calls does not ask."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.excel.calls import MODEL, SERVER
from tests.excel.remembered import forget
from xlsizing.excel.functions import (
    CATALOG,
    ENGINE_NODES_REQUIRED,
    KV_PER_SESSION,
    NODES_REQUIRED,
    SIZING_WARNINGS,
    SIZING_WHY,
)
from xlsizing.excel.ranges import MOST_CELLS

ANSWER = list[list[Any]]


@pytest.fixture(autouse=True)
def fresh() -> None:
    forget()


def entry(kind: str, name: str) -> dict[str, Any]:
    text = (PROJECT / "catalogs" / f"{kind}.json").read_text(encoding="utf-8")
    return next(each for each in json.loads(text)[kind] if each["name"] == name)


@pytest.mark.parametrize("argument", ["kv_budget_ratio", "headroom"])
def test_true_is_not_1_however_often_1_was_asked(argument: str) -> None:
    orders: list[ANSWER] = [[[1], [True], [1.0]], [[True], [1], [True]]]
    for cells in orders:
        found: Any = NODES_REQUIRED(MODEL, SERVER, 10, 1_000, **{argument: cells})
        assert found == [["#VALUE!" if cell is True else 1] for (cell,) in cells]
    found = ENGINE_NODES_REQUIRED(MODEL, SERVER, 10, 1_000, tensor_parallel=[[1], [True], [1]])
    assert found == [[1], ["#VALUE!"], [1]]


@pytest.mark.parametrize("day", [date(2026, 1, 31), datetime(2026, 1, 31, 12, 30, tzinfo=UTC)])
def test_a_date_is_refused_and_the_sentence_shows_it(day: date) -> None:
    assert NODES_REQUIRED(MODEL, SERVER, day, 1_000) == "#VALUE!"
    assert NODES_REQUIRED(MODEL, SERVER, [[day], [10]], 1_000) == [["#VALUE!"], [1]]
    said = str(SIZING_WHY(MODEL, SERVER, day, 1_000))
    assert said.startswith("concurrency is the date 2026-01-31")
    assert "datetime" not in said
    assert NODES_REQUIRED(day, SERVER, 10, 1_000) == "#N/A"
    assert "the date 2026-01-31" in str(SIZING_WHY(day, SERVER, 10, 1_000))


def test_a_text_in_the_place_of_a_number_is_said_to_be_one() -> None:
    assert str(SIZING_WHY(MODEL, SERVER, "1000", 1_000)).startswith(
        "concurrency is the text '1000'; it must be a whole number"
    )


def test_more_cells_than_two_columns_of_a_sheet_are_refused_before_they_are_made() -> None:
    row: ANSWER = [[8_192] * 2_000]
    column: ANSWER = [[MODEL]] * 2_000
    assert MOST_CELLS < 2_000 * 2_000
    assert KV_PER_SESSION(column, row) == "#VALUE!"
    assert len(KV_PER_SESSION(column[:100], row)) == 100  # type: ignore[arg-type]


def test_an_empty_end_of_a_column_answers_with_empty_texts_and_a_hole_too() -> None:
    concurrency: ANSWER = [[10], [None], [""], ["  "], [20], *[[None]] * 5]
    found = NODES_REQUIRED(MODEL, SERVER, concurrency, 1_000)
    assert found == [[1], [""], [""], [""], [1], *[[""]] * 5]
    names: ANSWER = [[MODEL], [None], ["no-such"], [None]]
    beside: ANSWER = [[10], [None], [10], [10]]
    assert NODES_REQUIRED(names, SERVER, beside, 1_000) == [[1], [""], ["#N/A"], ["#N/A"]]


def test_python_may_give_tuples_a_single_row_and_names_of_arguments() -> None:
    assert NODES_REQUIRED(MODEL, SERVER, [10, 10_000], 1_000) == [[1, 1]]  # type: ignore[list-item]
    rows = ((10,), (1_000,))
    found = NODES_REQUIRED(model=MODEL, server=SERVER, context=131_072, concurrency=rows, ha="n+1")  # type: ignore[arg-type]
    assert found == [[2], [3]]
    with pytest.raises(TypeError, match="no_such"):
        NODES_REQUIRED(MODEL, SERVER, 10, 1_000, no_such=1)  # type: ignore[call-arg]


def test_the_warnings_of_several_loads_count_them_row_by_row() -> None:
    quiet, loud = 1_024, 10**6
    found = SIZING_WARNINGS(MODEL, SERVER, 10, [[quiet, loud], [loud, quiet]])
    assert found[0] == ["Code", "Severity", "Message", "What to do", "Load"]
    clamped = [row[-1] for row in found if row[0] == "CONTEXT_CLAMPED"]
    assert clamped == [2, 3]


# --- the catalogs --------------------------------------------------------------------------------


def table(*arguments: Any) -> ANSWER:
    found = CATALOG(*arguments)
    assert isinstance(found, list), found
    return found


def test_all_entries_of_a_kind_stand_under_the_fields_that_any_of_them_has() -> None:
    for kind, file, key in (
        ("models", "models.json", "models"),
        ("servers", "servers.json", "servers"),
        ("storage", "storage.json", "profiles"),
    ):
        text = (PROJECT / "catalogs" / file).read_text(encoding="utf-8")
        known = json.loads(text)[key]
        head, *rows = table(kind)
        assert {field for each in known for field in each if each[field]} <= set(head)
        assert [row[0] for row in rows] == [each["name"] for each in known]
        for row, each in zip(rows, known, strict=True):
            shown = dict(zip(head, row, strict=True))
            for field, value in each.items():
                if isinstance(value, int | float | str):
                    assert shown[field] == value, (each["name"], field)


def test_a_wrong_name_among_others_spoils_its_row_and_errors_are_passed_on() -> None:
    names = [["dgx-b300"], ["zz"], ["#DIV/0!"], [None], [" DGX200 "]]
    head, *rows = table("servers", names)
    assert [row[0] for row in rows] == ["dgx-b300", "#N/A", "#DIV/0!", "dgx-h200"]
    assert set(rows[1]) == {"#N/A"}
    assert set(rows[2]) == {"#DIV/0!"}
    assert all(len(row) == len(head) for row in rows)
    assert CATALOG("servers", "zz") == "#N/A"


def test_fields_may_be_a_range_and_blanks_are_left_out() -> None:
    b300 = entry("servers", "dgx-b300")
    assert table("servers", "dgx-b300", [["gpus", "hbm_per_gpu_mib"]]) == [
        [b300["gpus"], b300["hbm_per_gpu_mib"]]
    ]
    assert table("servers", [["dgx-b300"], ["zz"]], "gpus") == [[b300["gpus"]], ["#N/A"]]
    head, *rows = table("servers", None, [["name"], [None], [" GPUs "]])
    assert head == ["name", "gpus"]
    assert ["dgx-b300", b300["gpus"]] in rows
    blank = [[None, ""]]
    assert table("servers", blank, blank) == table("servers")
    assert CATALOG("servers", None, "no_such") == "#N/A"


def test_a_text_longer_than_a_cell_holds_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in ("models", "servers", "storage"):
        document = json.loads((PROJECT / "catalogs" / f"{file}.json").read_text(encoding="utf-8"))
        if file == "servers":
            document["servers"][0]["notes"] = "n" * 40_000
        document.pop("$schema", None)
        (tmp_path / f"{file}.json").write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setenv("XLSIZING_CATALOGS", str(tmp_path))
    forget()
    notes = str(CATALOG("servers", entry("servers", "dgx-a100")["name"], "notes"))
    assert len(notes) == 32_767
    assert notes.endswith("n...")
    forget()


def test_catalogs_that_do_not_load_are_read_once_for_a_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLSIZING_CATALOGS", str(tmp_path / "none"))
    forget()
    found = NODES_REQUIRED(MODEL, SERVER, [[10]] * 3, 1_000)
    assert found == [["#VALUE!"]] * 3
    said = str(SIZING_WHY(MODEL, SERVER, 10, 1_000))
    assert "There is no such folder" in said
    # A second look would find them now: what was refused is remembered until a restart.
    monkeypatch.delenv("XLSIZING_CATALOGS")
    assert NODES_REQUIRED(MODEL, SERVER, [[10]] * 3, 1_000) == [["#VALUE!"]] * 3
    forget()
    assert NODES_REQUIRED(MODEL, SERVER, 10, 1_000) == 1
