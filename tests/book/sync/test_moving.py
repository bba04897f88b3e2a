"""Rows stay where something knows them by their address."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.book.sync.small import Small, after_sync, catalogs, filled, profile, relation, row_xml

A, B, C = (profile(name) for name in "abc")
THREE = filled(A, B, C)
CHART = (
    '<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"><c:val>'
    "<c:numRef><c:f>{}</c:f></c:numRef></c:val></c:chartSpace>"
)
COMMENTS = (
    '<comments xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><commentList>'
    '<comment ref="{}"/></commentList></comments>'
)
LOCAL = '<definedName name="mine" localSheetId="0">{}</definedName>'
PIVOT = (
    '<pivotCacheDefinition xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<cacheSource type="worksheet"><worksheetSource ref="{}" sheet="Storage"/></cacheSource>'
    "</pivotCacheDefinition>"
)


def plan(formula: str) -> Small:
    return Small(THREE, sheets={"Plan": row_xml(2, (f"={formula}",))})


def beside(formula: str) -> Small:
    return Small(filled(A, B, C, own=(f"={formula}",)))


def comments(cell: str) -> Small:
    return Small(
        THREE,
        parts={"xl/comments1.xml": COMMENTS.format(cell)},
        relations=relation(5, "comments", "../comments1.xml"),
    )


def link(cell: str) -> Small:
    return Small(THREE, after=f'<hyperlinks><hyperlink ref="{cell}" location="x"/></hyperlinks>')


def merged(cells: str) -> Small:
    return Small(THREE, after=f'<mergeCells><mergeCell ref="{cells}"/></mergeCells>')


def named(reference: str) -> Small:
    return Small(THREE, names=f'<definedName name="mine">{reference}</definedName>')


def local(reference: str) -> Small:
    return Small(THREE, names=LOCAL.format(reference))


def chart(reference: str) -> Small:
    return Small(THREE, parts={"xl/charts/chart1.xml": CHART.format(reference)})


def pivot(cells: str) -> Small:
    return Small(THREE, parts={"xl/pivotCache/pivotCacheDefinition1.xml": PIVOT.format(cells)})


HINDERING = {
    "formula elsewhere": (plan("Storage!C5"), "Plan!A2 refers to them by address"),
    "part of the rows": (plan("SUM(Storage!$C$5:$C$6)"), "Plan!A2 refers to them"),
    "in quotes": (plan("'Storage'!C6"), "Plan!A2 refers to them"),
    "in other case": (plan("STORAGE!c6"), "Plan!A2 refers to them"),
    "rows across": (plan("SUM(Storage!5:5)"), "Plan!A2 refers to them"),
    "name": (named("Storage!$A$6"), "the name mine refers to them by address"),
    "name of the sheet": (local("Storage!$A$6"), "the name mine refers to them by address"),
    "chart": (chart("Storage!$C$5:$C$6"), "chart1.xml refers to them by address"),
    "comment": (comments("B6"), "a comment is attached to Storage!B6"),
    "link": (link("A5"), "a link is attached to Storage!A5"),
    "merged cells": (merged("D5:D6"), "a merged cell is attached to Storage!D5"),
    "formula beside": (beside("C6*2"), "the formula of Storage!D4 names cells by address"),
    "formula beside, with the sheet": (beside("Storage!C6*2"), "the formula of Storage!D4 names"),
    "text beside": (
        Small([[*row, None, text] for row, text in zip(THREE, (None, "of b", None), strict=True)]),
        "what is in Storage!G5 stands beside them",
    ),
    "colour of one row": (
        Small(
            THREE,
            after='<conditionalFormatting sqref="A6:E6"><cfRule type="expression" priority="1">'
            "<formula>1</formula></cfRule></conditionalFormatting>",
        ),
        "a colour or check of Storage!A6:E6 is for some of them alone",
    ),
    "text box": (
        Small(THREE, parts={"xl/drawings/drawing1.xml": '<a textlink="Storage!$C$5"/>'}),
        "drawing1.xml refers to them by address",
    ),
    "title with an apostrophe": (
        replace(plan("'Bob''s'!C5"), title="Bob's"),
        "Plan!A2 refers to them by address",
    ),
    "pivot table": (pivot("A3:E5"), "refers to them by address"),
}


@pytest.mark.parametrize("case", HINDERING, ids=str)
def test_rows_stay_where_they_are_known_by_address(case: str, tmp_path: Path) -> None:
    book, why = HINDERING[case]
    after = after_sync(book, catalogs(A, C), tmp_path)
    assert after.names == ["a", "b", "c"]
    [note] = after.said.notes
    assert why in note
    assert "delete it in a spreadsheet program" in note


FREE = {
    "whole column": plan("SUM(Storage!C:C)"),
    "all rows": plan("SUM(Storage!$C$4:$C$6)"),
    "all rows and more": plan("SUM(Storage!$C$1:$C$60)"),
    "by the table's name": plan("SUM(Storage[Read GB/s])"),
    "rows above": plan("Storage!C4"),
    "in a text": plan('"Storage!C5"'),
    "another column": plan("Storage!H5"),
    "name of all rows": named("Storage!$A$4:$A$6"),
    "name of the head": named("Storage!$A$3:$E$3"),
    "chart of all rows": chart("Storage!$C$4:$C$6"),
    "comment above": comments("A4"),
    "link beside": link("H5"),
    "formula by columns": beside("Storage[[#This Row],[Read GB/s]]*2"),
    "formula of cells elsewhere": Small(filled(A, B, C, own=("=H1*2",))),
    "formula of all rows, beside": Small(THREE, below=row_xml(9, ("=SUM(C4:C6)",))),
    "printed cells": Small(
        THREE, names=LOCAL.replace("mine", "_xlnm.Print_Area").format("Storage!$A$1:$C$5")
    ),
    "pivot table of all rows": pivot("A3:E6"),
}


@pytest.mark.parametrize("case", FREE, ids=str)
def test_rows_go_where_nobody_knows_them_by_address(case: str, tmp_path: Path) -> None:
    after = after_sync(FREE[case], catalogs(A, C), tmp_path)
    assert after.said.notes == []
    assert after.names == ["a", "c"]


def test_rows_come_and_change_whatever_refers_to_them(tmp_path: Path) -> None:
    book, _ = HINDERING["formula elsewhere"]
    other = catalogs(A, profile("b", 9), C, profile("d"))
    after = after_sync(book, other, tmp_path)
    assert after.names == ["a", "b", "c", "d"]
    assert after.rows()[5]["C"] == "9"
    assert after.said.notes == []
