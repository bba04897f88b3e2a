"""Putting loads into a template and knowing what each cell must then show."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import openpyxl
from openpyxl.utils import get_column_letter, range_boundaries

from tests.engines.engines import Cell, Value, same
from tests.engines.loads import Load
from xlsizing.book.inputs import INPUTS
from xlsizing.core import ALERT_RULES, Catalogs, SizingResult

OUTPUT_FIELDS = {
    "KV per session GiB": "kv_per_session_gib",
    "KV total TiB": "kv_total_tib",
    "Sessions per node": "sessions_per_node",
    "Nodes minimum": "nodes_minimum",
    "Nodes with headroom": "nodes_with_headroom",
    "Nodes final": "nodes_final",
}


@dataclass(frozen=True)
class Layout:
    """Where the cells of a template's Scenarios table are."""

    columns: dict[str, str]
    rows: range

    def cell(self, head: str, row: int) -> Cell:
        """The cell of a column in a data row of the table, counted from 0."""
        return "Scenarios", f"{self.columns[head]}{self.rows[row]}"


def layout(template: bytes) -> Layout:
    """The layout of the Scenarios table, from the table itself."""
    sheet = openpyxl.load_workbook(io.BytesIO(template))["Scenarios"]
    table = sheet.tables["Scenarios"]
    left, top, right, bottom = range_boundaries(table.ref)
    assert left
    assert top
    assert right
    assert bottom
    heads = {
        str(sheet.cell(top, column).value): get_column_letter(column)
        for column in range(left, right + 1)
    }
    return Layout(heads, range(top + 1, bottom + 1))


def filled(template: bytes, loads: Sequence[Load]) -> bytes:
    """The template with one load in each row of Scenarios, and the first one on Sizing."""
    book = openpyxl.load_workbook(io.BytesIO(template))
    where = layout(template)
    for row in range(len(where.rows)):
        load = loads[row] if row < len(loads) else None
        for asked in INPUTS:
            title, address = where.cell(asked.label, row)
            book[title][address].value = getattr(load, asked.field) if load else None
    for asked in INPUTS:
        title, address = named_cell(book, asked.defined_name)
        book[title][address].value = getattr(loads[0], asked.field)
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def named_cell(book: openpyxl.Workbook, name: str) -> Cell:
    """The cell that a defined name stands for."""
    (destination,) = book.defined_names[name].destinations
    title, address = destination
    return title, address.replace("$", "")


def expected_row(result: SizingResult) -> dict[str, Value]:
    """What a row of Scenarios shows for a sizing, by column."""
    shown: dict[str, Value] = {}
    for head, field in OUTPUT_FIELDS.items():
        value = getattr(result, field)
        shown[head] = "#NUM!" if value is None else value
    shown["Alerts"] = "; ".join(dict.fromkeys(alert.code for alert in result.all_alerts))
    messages = {alert.rule: alert.message for alert in result.all_alerts}
    for rule in ALERT_RULES:
        shown[f"Alert {rule.replace('_', ' ')}"] = messages.get(rule, "")
    for head, rule, word in (
        ("What would fit one session", "hbm_budget_insufficient", "budget_remedies"),
        ("What would fit the weights", "weights_not_covered", "weights_remedies"),
    ):
        advice = {alert.rule: alert.recommendation for alert in result.all_alerts}.get(rule, "")
        before, _, after = ALERT_RULES[rule].recommendation.partition(f"{{{word}}}")
        shown[head] = advice.removeprefix(before).removesuffix(after)
    shown["Status"] = expected_status(result)
    return shown


def expected_status(result: SizingResult) -> str:
    """What the status of a sizing says."""
    codes = {alert.code for alert in result.all_alerts if alert.severity == "error"}
    if "HBM_BUDGET_INSUFFICIENT" in codes:
        return "Nothing fits: not one session on a node."
    if "WEIGHTS_NOT_COVERED" in codes:
        return "Unsafe: the weights do not fit beside the KV budget."
    return "OK"


def expected_cells(
    where: Layout, loads: Sequence[Load], catalogs: Catalogs
) -> Iterator[tuple[Cell, Value]]:
    """Every cell that a filled template must show, with its value."""
    for row, load in enumerate(loads):
        for head, value in expected_row(load.result(catalogs)).items():
            yield where.cell(head, row), value


def differences(expected: dict[Cell, Value], found: dict[Cell, Value]) -> list[str]:
    """A sentence for each cell that does not show what it must."""
    return [
        f"{title}!{address} shows {found[title, address]!r}, not {value!r}"
        for (title, address), value in expected.items()
        if not same(value, found[title, address])
    ]
