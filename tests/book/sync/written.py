"""Workbooks that XlsxWriter writes from scratch, with catalog tables under our heads."""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from tests.book.plans import HEADS, LOAD, the_template
from tests.book.sync.features import PLAN, picture
from tests.book.sync.packages import Package, TableCells, Value

_CATALOGS = {
    "Models": ("Models", "ModelAliases"),
    "Servers": ("Servers", "ServerAliases"),
    "Storage": ("Storage", "StorageAliases"),
}
"""The catalog tables by the title of their sheet."""

_PROPERTIES = {"author": "xlsizing", "created": datetime(2025, 3, 4, tzinfo=UTC)}


def written_plan(vba_project: bytes = b"") -> bytes:
    """A workbook with the catalog tables in their places and all that XlsxWriter can draw.

    Parameters
    ----------
    vba_project : macros to put in; none for an .xlsx.
    """
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    book.set_properties(_PROPERTIES)
    template = Package(the_template())
    _write_load(book)
    _write_scenarios(book)
    for title, names in _CATALOGS.items():
        sheet = book.add_worksheet(title)
        sheet.write(0, 0, title)
        for name in names:
            table = template.table_cells(name)
            place = (table.covered.top - 1, table.covered.left - 1)
            _write_table(sheet, name, table.heads, table.rows, place)
            if name == title:
                book.define_name(f"List_{name}", f"={name}!{table.cells('Name')}")
    servers = template.table_cells("Servers")
    _write_plan(book, servers, has_macros=bool(vba_project))
    dressed = book.get_worksheet_by_name("Servers")
    assert dressed is not None
    _dress_servers(dressed, servers)
    book.set_custom_property("Cost centre", "4711")
    if vba_project:
        project: Any = io.BytesIO(vba_project)
        book.add_vba_project(project, is_stream=True)
    book.close()
    return content.getvalue()


FEW = ("Name", "Layers", "KV heads", "Head dim", "Max context")
"""The heads that a person copied of the table Models."""


def written_notes() -> bytes:
    """A workbook with only the table Models, of few columns in another order.

    The table stands elsewhere on its sheet, a person's columns are between and beside ours,
    and there are no names, no other catalog and no alias table.
    """
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    book.set_properties(_PROPERTIES)
    models = Package(the_template()).table_cells("Models")
    heads = ("Layers", "Name", "Owner", "KV heads", "Head dim", "Max context", "Reviewed", "KiB")
    rows = [
        (
            *_picked(models, row, ("Layers", "Name")),
            f"team {number % 3}",
            *_picked(models, row, ("KV heads", "Head dim", "Max context")),
            number % 2 == 0,
        )
        for number, row in enumerate(models.rows)
    ]
    sheet = book.add_worksheet("Models")
    sheet.add_table(
        6,
        2,
        6 + len(rows),
        1 + len(heads),
        {
            "name": "Models",
            "style": "Table Style Dark 3",
            "columns": [{"header": head} for head in heads[:-1]]
            + [{"header": "KiB", "formula": "=Models[@[KV heads]]*Models[@[Head dim]]*4/1024"}],
        },
    )
    for column, head in enumerate(heads, 2):
        sheet.write(6, column, head)
    for number, row in enumerate(rows, 7):
        for column, value in enumerate(row, 2):
            if value is not None:
                sheet.write(number, column, value)
        kib = float(row[3] or 0) * float(row[4] or 0) * 4 / 1024
        formula = "=Models[[#This Row],[KV heads]]*Models[[#This Row],[Head dim]]*4/1024"
        sheet.write_formula(number, 9, formula, None, kib)
    plan = book.add_worksheet(PLAN)
    plan.write_formula("A1", "=COUNTA(Models[Name])", None, len(rows))
    plan.write_formula("A2", "=SUMPRODUCT(--Models[Reviewed])", None, (len(rows) + 1) // 2)
    book.close()
    return content.getvalue()


def _picked(table: TableCells, row: Sequence[Value], heads: Sequence[str]) -> list[Value]:
    return [row[table.heads.index(head)] for head in heads]


def _write_load(book: Any) -> None:
    sheet = book.add_worksheet("Sizing")
    for row, (name, value) in enumerate(LOAD.items()):
        sheet.write(row, 1, name.removeprefix("Input_"))
        if value is not None:
            sheet.write(row, 2, value)
        book.define_name(name, f"=Sizing!$C${row + 1}")
    sheet.data_validation(0, 2, 0, 2, {"validate": "list", "source": "=List_Models"})
    sheet.data_validation(1, 2, 1, 2, {"validate": "list", "source": "=Servers!$A$5:$A$15"})


def _write_scenarios(book: Any) -> None:
    heads = tuple(HEADS.values())
    loads: tuple[Mapping[str, Value], ...] = (
        {"Scenario": "Launch", "Model": "gpt-oss-120b", "Server": "dgx-b300", "Concurrency": 500.0},
        {"Scenario": "Growth", "Model": "gpt-oss-120b", "Server": "dgx-h200", "Concurrency": 2e3},
    )
    rest: Mapping[str, Value] = {"Active": "yes", "Storage": "profile_default", "Context": 65_536.0}
    rows = [tuple({**rest, **load}.get(head) for head in heads) for load in loads]
    _write_table(book.add_worksheet("Scenarios"), "Scenarios", heads, rows, (5, 0))


def _write_table(
    sheet: Worksheet,
    name: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[Value]],
    place: tuple[int, int],
) -> None:
    top, left = place
    last = left + len(heads) - 1
    columns = [{"header": head} for head in heads]
    sheet.add_table(top, left, top + len(rows), last, {"name": name, "columns": columns})
    for number, row in enumerate(rows, top + 1):
        for column, value in enumerate(row, left):
            if value is not None:
                sheet.write(number, column, value)


def _dress_servers(sheet: Worksheet, servers: TableCells) -> None:
    """On the catalog's own sheet: bars, a note, a sparkline beside each row."""
    bars = servers.cells("HBM GB total").replace("$", "")
    sheet.conditional_format(bars, {"type": "data_bar", "data_bar_2010": True, "bar_solid": True})
    sheet.conditional_format(bars, {"type": "top", "value": 3})
    sheet.write_comment("A6", "Not to be bought again.", {"author": "xlsizing"})
    for row in range(servers.covered.top, servers.covered.bottom):
        shown = f"Servers!C{row + 1}:E{row + 1}"
        sheet.add_sparkline(row, 23, {"range": shown, "type": "column"})


def _write_plan(book: Any, servers: TableCells, *, has_macros: bool) -> None:
    sheet = book.add_worksheet(PLAN)
    names, memory = (f"=Servers!{servers.cells(head)}" for head in ("Name", "HBM GB total"))
    chart = book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "name": "=Servers!$E$4",
            "categories": names,
            "values": memory,
            "categories_data": servers.column("Name"),
            "values_data": servers.column("HBM GB total"),
        }
    )
    sheet.insert_chart("E2", chart, {"description": "Memory of each server"})
    sheet.insert_textbox("E20", "Agreed on Tuesday", {"description": "A decision"})
    logo = {"image_data": io.BytesIO(picture()), "description": "Our logo", "x_scale": 40}
    sheet.insert_image("E28", "logo.png", logo)
    sheet.write("A1", "GPUs of all servers listed")
    gpus = sum(value for value in servers.column("GPUs") if isinstance(value, float))
    sheet.write_formula("B1", "=SUM(Servers[GPUs])", None, gpus)
    kinds = list(dict.fromkeys(servers.column("GPU")))
    sheet.write_dynamic_array_formula("A3", "=UNIQUE(Servers[GPU])", None, kinds[0])
    for row, kind in enumerate(kinds[1:], 3):
        sheet.write(row, 0, kind)
    for row in range(3):
        sheet.insert_checkbox(row, 2, row == 1)
    sheet.set_header(
        "&C&G", {"image_center": "logo.png", "image_data_center": io.BytesIO(picture())}
    )
    sheet.set_background(io.BytesIO(picture()))
    if has_macros:
        sheet.insert_button(
            "E32", {"macro": "FullReport", "caption": "Report", "description": "Report"}
        )
    drawn = book.add_chartsheet("Memory")
    large = book.add_chart({"type": "column"})
    large.add_series({"categories": names, "values": memory})
    drawn.set_chart(large)
