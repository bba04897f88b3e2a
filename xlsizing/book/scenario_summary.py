"""What stands above the table of scenarios: the base to compare with, totals and their check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation

from xlsizing.book.cells import Style, Writer
from xlsizing.book.expressions import COUNT, filled, lookup_key, phrase
from xlsizing.book.inputs import input_style
from xlsizing.book.names import define
from xlsizing.book.scenario import Scenario
from xlsizing.book.styles import APART, BODY, LEFT, NOTE, SEVERITY_FILLS, STRONG, highlight
from xlsizing.book.tables import Placed
from xlsizing.core.alerts import STATUS_OK
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value
from xlsizing.core.planning.plan import BASE, is_named

LABELS, VALUES = 3, 4
"""The rows of the labels, and of the figures under them."""

BASE_NODES = "Scenarios_BaseNodes"
"""Nodes final of the base scenario; nothing where there is none."""

CHECK_OK = Message("The rows add up.")
CHECK_FAILS = Message("The rows do not add up: a formula of the table was changed.")


@dataclass(frozen=True)
class Comparison:
    """The scenario that the others are compared with, and the totals over all."""

    base: str
    base_nodes: Value
    sentence: str
    active: int
    right: int
    nodes: int

    @classmethod
    def of(cls, base: str, rows: Sequence[Scenario]) -> "Comparison":
        """What the summary of these rows shows."""
        live = [row for row in rows if row.is_live]
        right = [row.values for row in live if row.values["Status"] == STATUS_OK]
        nodes, sentence = _base(base, rows)
        return cls(base, nodes, sentence, len(live), len(right), _total(right))

    def difference(self, nodes: Value) -> Value:
        """Nodes of a row more than the base has; empty where one of them is not known."""
        if not isinstance(nodes, int) or not isinstance(self.base_nodes, int):
            return ""
        return nodes - self.base_nodes

    def share(self, nodes: Value) -> Value:
        """The difference as a share of the base's nodes."""
        if not isinstance(nodes, int) or not isinstance(self.base_nodes, int):
            return ""
        return nodes / self.base_nodes - 1


def _total(rows: Sequence[Mapping[str, Value]]) -> int:
    return sum(nodes for row in rows if isinstance(nodes := row["NodesFinal"], int))


def _base(name: str, rows: Sequence[Scenario]) -> tuple[Value, str]:
    """Nodes final of the base scenario, and what is said of it."""
    if not name.strip():
        return "", _NO_BASE
    found = [row for row in rows if is_named(row.name, name)]
    if not found:
        return "", _UNKNOWN_BASE.filled(name=name.strip())
    nodes = found[0].values.get("NodesFinal")
    if not isinstance(nodes, int):
        return "", _BASE_WITHOUT_NODES
    return nodes, _BASE_WITH_NODES


_NO_BASE = Message("Choose a scenario to compare with.")
_UNKNOWN_BASE = Message("There is no scenario named {name}.")
_BASE_WITHOUT_NODES = Message("It is switched off, or has no number of nodes.")
_BASE_WITH_NODES = Message("nodes in the base scenario")


def write_summary(book: Workbook, writer: Writer, placed: Placed, comparison: Comparison) -> None:
    """Write the labels and figures, and define their names."""
    status, nodes = placed.cells("Status"), placed.cells("Nodes final")
    live, names = placed.cells("Live"), placed.cells("Scenario")
    row = f"MATCH({lookup_key(BASE)},{names},0)"
    at_base = f"INDEX({nodes},{row})"
    figures: tuple[tuple[str, int, str, str, Value], ...] = (
        (
            Message("Base"),
            3,
            BASE_NODES,
            f'IFERROR(IF(ISNUMBER({at_base}),{at_base},""),"")',
            comparison.base_nodes,
        ),
        (Message("Active rows"), 6, "Scenarios_Active", f"SUMPRODUCT({live}*1)", comparison.active),
        ("OK", 7, "Scenarios_Ok", f'COUNTIF({status},"{STATUS_OK}")', comparison.right),
        (
            Message("With a fault"),
            8,
            "Scenarios_Faults",
            f'SUMPRODUCT(({status}<>"")*({status}<>"{STATUS_OK}"))',
            comparison.active - comparison.right,
        ),
        (
            Message("Sum of nodes, OK rows"),
            9,
            "Scenarios_Nodes",
            f'SUMIF({status},"{STATUS_OK}",{nodes})',
            comparison.nodes,
        ),
    )
    writer.value(LABELS, 1, Message("Compare with"), Style(font=NOTE))
    writer.value(VALUES, 1, comparison.base or None, input_style())
    define(book, BASE, writer.sheet.title, f"$A${VALUES}")
    _offer_names(writer, placed)
    for label, column, name, text, value in figures:
        writer.value(LABELS, column, label, Style(font=NOTE, alignment=LEFT))
        style = Style(font=STRONG, number_format=COUNT, alignment=LEFT)
        cell = writer.formula(VALUES, column, text, value, style)
        define(book, name, writer.sheet.title, f"${cell.column_letter}${VALUES}")
    sentence = (
        f'IF(TRIM({BASE})="",{phrase(_NO_BASE)},'
        f"IF(ISNUMBER({BASE_NODES}),{phrase(_BASE_WITH_NODES)},"
        f"IF(ISNUMBER({row}),{phrase(_BASE_WITHOUT_NODES)},"
        f"{filled(_UNKNOWN_BASE, {'name': f'TRIM({BASE})'})})))"
    )
    writer.formula(VALUES, 4, sentence, comparison.sentence, Style(font=NOTE, alignment=APART))
    _write_check(book, writer, placed)


def _offer_names(writer: Writer, placed: Placed) -> None:
    check = DataValidation(type="list", formula1=placed.cells("Scenario"), allow_blank=True)
    check.errorStyle = "warning"
    check.error = writer.say(Message("There is no scenario of this name."))
    check.errorTitle = check.promptTitle = writer.say(Message("Compare with"))
    check.prompt = writer.say(
        Message("The scenario that the column Nodes against base compares with. Empty: none.")
    )
    check.showInputMessage = check.showErrorMessage = True
    check.add(f"A{VALUES}")
    writer.sheet.add_data_validation(check)


def _write_check(book: Workbook, writer: Writer, placed: Placed) -> None:
    """Check that every active row is counted once, and that nodes add up from their parts."""
    status = placed.cells("Status")
    parts = "+".join(
        f'SUMIF({status},"{STATUS_OK}",{placed.cells(head)})'
        for head in ("Nodes with headroom", "Spare nodes")
    )
    text = (
        "IFERROR(IF(AND(Scenarios_Active=Scenarios_Ok+Scenarios_Faults,"
        f"Scenarios_Nodes={parts}),{phrase(CHECK_OK)},{phrase(CHECK_FAILS)}),{phrase(CHECK_FAILS)})"
    )
    writer.value(LABELS, 11, Message("Check"), Style(font=NOTE, alignment=LEFT))
    cell = writer.formula(VALUES, 11, text, CHECK_OK, Style(font=BODY, alignment=LEFT))
    define(book, "Scenarios_Check", writer.sheet.title, f"${cell.column_letter}${VALUES}")
    wrong = writer.expression(f"Scenarios_Check<>{phrase(CHECK_OK)}")
    highlight(writer.sheet, f"K{VALUES}:O{VALUES}", wrong, fill=SEVERITY_FILLS["error"])
