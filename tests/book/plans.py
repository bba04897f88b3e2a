"""Planning workbooks as people leave them: typed in, and saved by one program or another."""

import io
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from openpyxl import Workbook, load_workbook
from openpyxl.utils import range_boundaries

from tests.book.form import Form
from tests.book.rules import area, letters
from tests.conftest import PROJECT
from xlsizing.book.build import template
from xlsizing.catalog import load_catalogs

HEADS = {
    "Scenario": "Scenario",
    "Active": "Active",
    "Model": "Model",
    "Server": "Server",
    "Storage": "Storage",
    "Concurrency": "Concurrency",
    "Context": "Context",
    "KvPrecision": "KV precision",
    "KvBudgetRatio": "KV budget ratio",
    "RuntimeOverheadGiB": "Runtime overhead GiB",
    "PeakHeadroomRatio": "Peak headroom",
    "HA": "HA",
    "TensorParallel": "Tensor parallel",
}
"""Column of Scenarios of each input."""

LOAD: Mapping[str, Any] = {
    "Input_Model": "gpt-oss-120b",
    "Input_Server": "dgx-b300",
    "Input_Storage": "profile_default",
    "Input_Concurrency": 1_000,
    "Input_EffectiveContext": 131_072,
    "Input_KvPrecision": None,
    "Input_KvBudgetRatio": None,
    "Input_RuntimeOverheadGiB": None,
    "Input_PeakHeadroomRatio": None,
    "Input_HA": None,
}
"""A load as it is typed on Sizing, by the names of its cells."""


@cache
def the_template() -> bytes:
    """The template with the catalogs that the project ships."""
    return template(load_catalogs(str(PROJECT / "catalogs")))


def opened(content: bytes | None = None) -> Workbook:
    """A workbook in openpyxl; the template where none is given."""
    return load_workbook(io.BytesIO(content or the_template()))


def saved(book: Workbook) -> bytes:
    """A workbook as openpyxl saves it: no formula keeps its value."""
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def type_in(book: Workbook, typed: Mapping[str, Any]) -> None:
    """Type values into the cells of names."""
    for name, value in typed.items():
        [(sheet, address)] = book.defined_names[name].destinations
        book[sheet][address.replace("$", "")].value = value


def type_rows(book: Workbook, rows: Sequence[Mapping[str, Any]], *, first: int = 0) -> None:
    """Type rows into Scenarios, by symbol, and no base; what a row does not name is emptied."""
    sheet = book["Scenarios"]
    type_in(book, {"Input_BaseScenario": None})
    left, top, right, _ = map(int, range_boundaries(sheet.tables["Scenarios"].ref))  # type: ignore[arg-type]
    columns = {sheet.cell(top, column).value: column for column in range(left, right + 1)}
    for number, row in enumerate(rows, start=top + 1 + first):
        for symbol, head in HEADS.items():
            sheet.cell(number, columns[head]).value = row.get(symbol)


@cache
def _empty_plan() -> tuple[Form, Mapping[str, str]]:
    """The template with empty rows in Scenarios, saved by openpyxl, and its columns by symbol."""
    book = opened()
    type_rows(book, [{}] * 20)
    form = Form(saved(book))
    (table,) = (each for each in form.book.tables if each.name == "Scenarios")
    covered = area(table.ref)
    assert covered is not None
    columns = {
        symbol: letters(covered.left + table.columns.index(head)) for symbol, head in HEADS.items()
    }
    return form, columns


def plan(rows: Sequence[Mapping[str, Any]] = (), typed: Mapping[str, Any] | None = None) -> bytes:
    """The template with these rows of Scenarios and nothing in the others, saved by openpyxl."""
    form, columns = _empty_plan()
    cells = {
        ("Scenarios", f"{columns[symbol]}{number}"): value
        for number, row in enumerate(rows, start=7)
        for symbol, value in row.items()
    }
    return form.filled(cells | {form.named(name): value for name, value in (typed or {}).items()})


def written(
    rows: Sequence[Mapping[str, Any]] | None,
    load: Mapping[str, Any] = LOAD,
    *,
    heads: Sequence[str] = tuple(HEADS.values()),
    totals: bool = False,
    bare: bool = False,
) -> bytes:
    """A workbook with names and a table as XlsxWriter writes them, and nothing of ours.

    Parameters
    ----------
    rows : cells by head; None for no table.
    load : what is typed for each name; a text that begins with = is a formula, with a value
        after it as a pair.
    heads : the columns of the table, from left to right.
    totals : whether the table has a row of totals.
    bare : whether the sheet Scenarios is there without its table.
    """
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("Sizing")
    for number, (name, value) in enumerate(load.items()):
        if isinstance(value, tuple):
            sheet.write_formula(number, 2, value[0], None, value[1])
        else:
            sheet.write(number, 2, value)
        book.define_name(name, f"=Sizing!$C${number + 1}")
    if rows is not None:
        page = book.add_worksheet("Scenarios")
        for number, row in enumerate(rows, start=6):
            for column, head in enumerate(heads, start=1):
                if row.get(head) is not None:
                    page.write(number, column, row[head])
        area = (5, 1, 5 + len(rows) + (1 if totals else 0), len(heads))
        if not bare:
            # Without a row of totals XlsxWriter would write their text over the last row.
            more = {"total_string": "Total"} if totals else {}
            columns = [{"header": head, **more} for head in heads]
            page.add_table(*area, {"name": "Scenarios", "columns": columns, "total_row": totals})
    book.close()
    return content.getvalue()


def by_libreoffice(content: bytes, folder: Path) -> bytes:
    """A workbook as LibreOffice saves it."""
    program = shutil.which("soffice")
    if program is None and "CI" not in os.environ:
        pytest.skip("LibreOffice Calc (soffice) is not installed; CI has it.")
    assert program
    source = folder / "plan.xlsx"
    source.write_bytes(content)
    subprocess.run(
        [
            program,
            "--headless",
            f"-env:UserInstallation=file://{folder}/profile",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            f"{folder}/saved",
            str(source),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return (folder / "saved" / "plan.xlsx").read_bytes()
