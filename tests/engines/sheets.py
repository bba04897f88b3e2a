"""Putting loads into a template and knowing what each cell of a sizing must then show."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import openpyxl
from openpyxl import Workbook

from tests.book.form import Form
from tests.book.rules import area, letters
from tests.engines.engines import Cell, Value, same
from tests.engines.loads import Load
from xlsizing.core import ALERT_RULES, SizingResult
from xlsizing.core.planning.inputs import INPUTS, TENSOR_PARALLEL

OUTPUT_FIELDS = {
    "KV per session GiB": "kv_per_session_gib",
    "KV total TiB": "kv_total_tib",
    "Sessions per node": "sessions_per_node",
    "Nodes minimum": "nodes_minimum",
    "Nodes with headroom": "nodes_with_headroom",
    "Nodes final": "nodes_final",
}
ALERT_HEADS = {rule: f"Alert {rule.replace('_', ' ')}" for rule in ALERT_RULES}
REMEDIES = (
    # column, rule, word in the rule's recommendation
    ("What would fit one session", "hbm_budget_insufficient", "budget_remedies"),
    ("What would fit the weights", "weights_not_covered", "weights_remedies"),
)
ADVICE_HEADS = tuple(head for head, _, _ in REMEDIES)
INPUT_FIELDS = {
    **{asked.label: asked.field for asked in INPUTS},
    TENSOR_PARALLEL.label: "tensor_parallel",
}
"""Field of Load that each input column of Scenarios takes."""
INPUT_NAMES = {asked.label: asked.defined_name for asked in (*INPUTS, TENSOR_PARALLEL)}


@dataclass(frozen=True)
class Layout:
    """Where the cells of a table are."""

    sheet: str
    columns: dict[str, str]
    rows: range

    def cell(self, head: str, row: int) -> Cell:
        """The cell of a column in a data row of the table, counted from 0."""
        return self.sheet, f"{self.columns[head]}{self.rows[row]}"


class Template:
    """A template that stays open, to be filled in again and again."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._form = Form(content)
        self.named = self._form.named

    @cached_property
    def book(self) -> Workbook:
        """The template in openpyxl."""
        return openpyxl.load_workbook(io.BytesIO(self.content))

    def table(self, sheet: str, name: str) -> Layout:
        """Where a table's cells are, from the table itself."""
        (table,) = (each for each in self._form.book.tables if each.name == name)
        covered = area(table.ref)
        assert covered is not None
        columns = map(letters, range(covered.left, covered.right + 1))
        heads = dict(zip(table.columns, columns, strict=True))
        return Layout(sheet, heads, range(covered.top + 1, covered.bottom + 1))

    @cached_property
    def scenarios(self) -> Layout:
        """The table Scenarios."""
        return self.table("Scenarios", "Scenarios")

    def text(self, cell: Cell) -> str:
        """What a cell holds: a formula or a value, as text."""
        title, address = cell
        return str(self.book[title][address].value)

    def filled(
        self,
        loads: Sequence[Load],
        settings: Mapping[str, object] | None = None,
        typed: Mapping[Cell, object] | None = None,
    ) -> bytes:
        """The template with one load in each row of Scenarios, and the first one on Sizing.

        Parameters
        ----------
        loads : as many as Scenarios has rows, or fewer.
        settings : what is typed on the sheet Engine, by the cells' names; nothing in the others.
        typed : what cells hold in spite of all that.
        """
        cells: dict[Cell, object] = {}
        for head, field in INPUT_FIELDS.items():
            for row in range(len(self.scenarios.rows)):
                load = loads[row] if row < len(loads) else None
                cells[self.scenarios.cell(head, row)] = getattr(load, field) if load else None
            cells[self.named(INPUT_NAMES[head])] = getattr(loads[0], field)
        cells |= {self.named(name): value for name, value in (settings or {}).items()}
        cells |= typed or {}
        return self._form.filled(cells)


def expected_row(result: SizingResult) -> dict[str, Value]:
    """What a row of Scenarios shows for a sizing by the planning method, by column."""
    shown: dict[str, Value] = {}
    for head, field in OUTPUT_FIELDS.items():
        value = getattr(result, field)
        shown[head] = "#NUM!" if value is None else value
    shown["Alerts"] = "; ".join(dict.fromkeys(alert.code for alert in result.all_alerts))
    messages = {alert.rule: alert.message for alert in result.all_alerts}
    for rule, head in ALERT_HEADS.items():
        shown[head] = messages.get(rule, "")
    for head, rule, word in REMEDIES:
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


def differences(expected: Mapping[Cell, Value], found: Mapping[Cell, Value]) -> Iterator[str]:
    """A sentence for each cell that does not show what it must."""
    for (title, address), value in expected.items():
        if not same(value, found[title, address]):
            yield f"{title}!{address} shows {found[title, address]!r}, not {value!r}"
