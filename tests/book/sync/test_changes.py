"""What a sync changes in a catalog table, and what it leaves as somebody's own."""

from pathlib import Path

import pytest

from tests.book.sync.small import HEADS, SHEET, After, Cell, Small, after_sync, filled, profile
from tests.book.sync.small import catalogs as known
from xlsizing.book.catalog_columns import LOCAL
from xlsizing.book.sync.changes import agree
from xlsizing.core.planning.cells import CellError

A, B, C = profile("a", 1), profile("b", 2), profile("c", 3)
MARK = {entry.name: filled(entry)[0][4] for entry in (A, B, C)}


def said(after: After) -> dict[str, str]:
    """What becomes of each entry."""
    return {row.name: row.what for row in after.said.changes[0].rows}


def origins(after: After) -> dict[str, str]:
    """The mark of each row, by name."""
    rows = after.rows()
    return {cells["A"]: cells.get("E", "") for number, cells in rows.items() if number > 3}


def test_rows_come_change_and_go_by_their_mark(tmp_path: Path) -> None:
    old = profile("b", 99)
    after = after_sync(Small(filled(A, old, profile("gone"))), known(A, B, C), tmp_path)
    assert said(after) == {"c": "added", "b": "changed", "gone": "removed"}
    [change] = [row for row in after.said.changes[0].rows if row.name == "b"]
    assert [(each.head, each.old, each.new) for each in change.fields] == [("Read GB/s", 99, 2)]
    assert not change.was_edited
    assert after.names == ["a", "b", "c"]
    assert origins(after) == {name: MARK[name] for name in "abc"}


@pytest.mark.parametrize("mark", [None, LOCAL, "catalog 00000000", "me"])
def test_rows_of_ones_own_stay_and_are_marked(mark: str | None, tmp_path: Path) -> None:
    rows: list[list[Cell]] = [*filled(A), ["mine", "san", 5, None, mark]]
    after = after_sync(Small(rows), known(A), tmp_path)
    assert after.said.changes[0].own == ["mine"]
    assert said(after) == {}
    assert origins(after)["mine"] == LOCAL
    again = after_sync(after.content, known(A), tmp_path)
    assert again.content == after.content
    pruned = after_sync(after.content, known(A), tmp_path, prune=True)
    assert said(pruned) == {"mine": "removed"}
    assert pruned.names == ["a"]


def test_a_row_that_somebody_changed_is_told_from_one_of_an_older_catalog(tmp_path: Path) -> None:
    rows = filled(A, profile("b", 99))
    rows[0][2] = 42
    after = after_sync(Small(rows), known(A, B), tmp_path)
    edited = {row.name: row.was_edited for row in after.said.changes[0].rows}
    assert edited == {"a": True, "b": False}


def test_a_row_that_somebody_changed_is_not_thrown_away(tmp_path: Path) -> None:
    rows = filled(A, profile("gone"))
    rows[1][2] = 42
    after = after_sync(Small(rows), known(A), tmp_path)
    assert said(after) == {}
    assert after.names == ["a", "gone"]
    assert origins(after)["gone"] == LOCAL


@pytest.mark.parametrize("name", ["A", " a ", "a  "])
def test_names_are_one_whatever_their_case_and_blanks(name: str, tmp_path: Path) -> None:
    rows = filled(A)
    rows[0][0] = name
    after = after_sync(Small(rows), known(A), tmp_path)
    assert said(after) == {"a": "changed"}
    assert after.names == ["a"]


def test_of_two_rows_with_a_name_the_first_counts(tmp_path: Path) -> None:
    rows = [*filled(profile("a", 9)), *filled(profile("a", 8))]
    after = after_sync(Small(rows), known(A), tmp_path)
    assert [after.rows()[row]["C"] for row in (4, 5)] == ["1", "8"]
    assert after.said.changes[0].own == ["a"]
    assert origins(after) == {"a": LOCAL}
    assert after_sync(after.content, known(A), tmp_path).content == after.content
    pruned = after_sync(after.content, known(A), tmp_path, prune=True)
    assert pruned.names == ["a"]
    assert pruned.rows()[4]["C"] == "1"


def test_blank_rows_stay_where_they_are(tmp_path: Path) -> None:
    blank: list[Cell] = [None] * 5
    after = after_sync(Small([*filled(A), blank, *filled(C)]), known(A, B, C), tmp_path)
    assert said(after) == {"b": "added"}
    assert after.names == ["a", "", "c", "b"]
    assert after_sync(after.content, known(A, B, C), tmp_path).content == after.content


@pytest.mark.parametrize(
    ("cell", "is_changed"),
    [
        (0.1, False),
        ("0.1", True),
        ("=0.1", True),
        (0.100000000000001, True),
        (0.10000000000000002, False),
        (None, True),
        (True, True),
    ],
)
def test_a_figure_is_what_a_number_says(cell: Cell, *, is_changed: bool, tmp_path: Path) -> None:
    rows = filled(profile("a", 0.1))
    rows[0][2] = cell
    book = Small(rows)
    if cell is True:
        sheet = (
            book.sheet()
            .replace("<v>True</v>", "<v>1</v>")
            .replace('<c r="C4" s="1">', '<c r="C4" s="1" t="b">')
        )
        book = Small(rows, parts={SHEET: sheet})
    after = after_sync(book, known(profile("a", 0.1)), tmp_path)
    assert said(after) == ({"a": "changed"} if is_changed else {})
    if is_changed:
        assert after.rows()[4]["C"] == "0.1"
        [row] = after.said.changes[0].rows
        assert row.fields[0].was_formula is (cell == "=0.1")


@pytest.mark.parametrize(
    ("held", "wanted", "expected"),
    [
        (1, 1.0, True),
        (True, 1, False),
        ("", None, True),
        (0, None, False),
        (None, 0, False),
        ("x", "X", False),
        (1e300, 1e300 * (1 + 1e-16), True),
        (CellError("#N/A"), None, False),
        (123456789012345680, 123456789012345678, True),
    ],
)
def test_a_cell_agrees_in_as_many_digits_as_a_program_keeps(
    held: str | float | None, wanted: str | float | None, *, expected: bool
) -> None:
    assert agree(held, wanted) is expected


def test_a_table_without_marks_is_synced_and_loses_no_row(tmp_path: Path) -> None:
    rows = [row[:4] for row in filled(A, profile("gone"))]
    after = after_sync(Small(rows, heads=HEADS[:4]), known(A, B), tmp_path)
    assert after.names == ["a", "gone", "b"]
    assert after.said.changes[0].own == ["gone"]


def test_heads_in_another_order_and_spelling_are_found(tmp_path: Path) -> None:
    heads = ("read gb/s", "Own", " NAME ", "Type")
    rows: list[list[Cell]] = [[9, "mine", "a", "san"]]
    after = after_sync(Small(rows, heads=heads), known(A, B), tmp_path)
    assert after.rows()[4] == {"A": "1", "B": "mine", "C": "a", "D": "san"}
    assert after.rows()[5] == {"A": "2", "C": "b", "D": "san"}
