"""Checks that a workbook makes of itself: what must hold whatever a person types."""

from typing import NamedTuple

from openpyxl.workbook import Workbook

from xlsizing.book.cells import Style, Writer
from xlsizing.book.expressions import COUNT, Formula, filled, phrase
from xlsizing.book.names import define
from xlsizing.book.scenario_summary import CHECK_OK
from xlsizing.book.styles import BODY, HEADING_FILL, LEFT, SEVERITY_FILLS, STRONG, highlight
from xlsizing.core import SizingResult
from xlsizing.core.alerts import STATUS_OK, STATUS_UNSAFE
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value

HOLDS, FAILS, NOT_COMPUTED = Message("holds"), Message("FAILS"), Message("not computed")


class Check(NamedTuple):
    """One check."""

    name: str
    what: str
    """What is compared, for people."""
    condition: str
    """True where it holds, as an Excel expression."""
    of_load: bool = False
    """True where it compares figures of the load on Sizing."""
    needs_nodes: bool = False
    """True where there is nothing to compare if not one session fits."""


_MODELS_WRONG = (
    'SUMPRODUCT((Models[Attention]<>"grouped")*'
    "((Models[{kind} KV elements]<>"
    "SUM(Const_KeyAndValue)*Models[{kind} layers]*Models[KV heads]*Models[Head dim])))=0"
)

CHECKS: tuple[Check, ...] = (
    Check(
        Message("HBM of a node"),
        Message(
            "The KV budget and what is left beside it are the node's HBM, to the byte that is cut."
        ),
        "AND(Step_KvBudgetBytes+Step_BytesBesideKv<=Step_HbmBytes,"
        "Step_KvBudgetBytes+Step_BytesBesideKv+1>=Step_HbmBytes)",
        of_load=True,
    ),
    Check(
        Message("Sessions per node"),
        Message("So many sessions fit into the KV budget, and one more does not."),
        "AND(Output_SessionsPerNode*Step_KvBytes<=MAX(0,Step_KvBudgetBytes),"
        "(Output_SessionsPerNode+1)*Step_KvBytes>Step_KvBudgetBytes)",
        of_load=True,
    ),
    Check(
        Message("Nodes hold the load"),
        Message("The nodes with headroom hold the load at its peak, and one fewer does not."),
        "AND(Output_NodesWithHeadroom*Output_SessionsPerNode*Const_RatioParts>="
        "Step_Sessions*(Const_RatioParts+Step_HeadroomParts),"
        "(Output_NodesWithHeadroom-1)*Output_SessionsPerNode*Const_RatioParts<"
        "Step_Sessions*(Const_RatioParts+Step_HeadroomParts))",
        of_load=True,
        needs_nodes=True,
    ),
    Check(
        Message("Nodes in order"),
        Message(
            "Nodes minimum are no more than those with headroom, and these no more than the final."
        ),
        "AND(Output_NodesMinimum<=Output_NodesWithHeadroom,"
        "Output_NodesWithHeadroom<=Output_NodesFinal)",
        of_load=True,
        needs_nodes=True,
    ),
    Check(
        Message("Scenarios add up"),
        Message(
            "Every active scenario is counted once, and the nodes are those with headroom and the "
            "spare ones."
        ),
        f"Scenarios_Check={phrase(CHECK_OK)}",
    ),
    Check(
        Message("Warnings are all listed"),
        Message("The sheet Warnings has a line for every alert that holds."),
        "Warnings_Count<=ROWS(Warnings[Line])",
    ),
    Check(
        Message("Models, full layers"),
        Message("The KV elements of full layers follow from layers, heads and head dim."),
        _MODELS_WRONG.format(kind="Full"),
    ),
    Check(
        Message("Models, sliding layers"),
        Message("The KV elements of sliding layers follow from layers, heads and head dim."),
        _MODELS_WRONG.format(kind="Sliding"),
    ),
    Check(
        Message("Servers"),
        Message("The HBM bytes follow from GPUs and their MiB, where these are known."),
        "SUMPRODUCT((SUM(Const_BytesPerMiB)*Servers[GPUs]*Servers[HBM MiB per GPU]"
        "<>Servers[HBM bytes])*(Servers[HBM MiB per GPU]>0))=0",
    ),
)

CHECKS_HOLD = Message("All checks on About hold.")

CHECKS_ANSWER: Formula = Formula(
    "Checks",
    Message("Checks"),
    "",
    f"IF(Checks_Failed=0,{phrase(CHECKS_HOLD)},"
    + filled(
        Message("{failed} of the checks on About fail: do not rely on the figures."),
        {"failed": "Checks_Failed"},
    )
    + ")",
)
"""What the checks come to, in a line beside the answer."""


def write_checks(book: Workbook, writer: Writer, row: int, result: SizingResult) -> int:
    """Write the checks from `row` on, and the name of how many fail; returns the row after them."""
    for column, head in (
        (1, Message("Check")),
        (2, Message("Result")),
        (3, ""),
        (4, Message("What is compared")),
    ):
        writer.value(row, column, head, Style(STRONG, HEADING_FILL, None, LEFT))
    first = row + 1
    for check in CHECKS:
        row += 1
        writer.value(row, 1, check.name, Style(font=BODY))
        otherwise = fails = phrase(FAILS)
        if check.of_load:
            # A load without an answer has a status that says so, and nothing to compare.
            has_answer = f'OR(Output_Status="{STATUS_OK}",Output_Status={phrase(STATUS_UNSAFE)})'
            otherwise = f"IF({has_answer},{fails},{phrase(NOT_COMPUTED)})"
        text = f"IFERROR(IF({check.condition},{phrase(HOLDS)},{fails}),{otherwise})"
        writer.formula(row, 2, text, _value(check, result), Style(font=BODY, alignment=LEFT))
        writer.value(row, 4, check.what, Style(font=BODY))
    results = f"B{first}:B{row}"
    failing = writer.expression(f"B{first}={phrase(FAILS)}")
    highlight(writer.sheet, results, failing, fill=SEVERITY_FILLS["error"])
    row += 1
    writer.value(row, 1, Message("Checks that fail"), Style(font=STRONG))
    style = Style(font=STRONG, number_format=COUNT, alignment=LEFT)
    writer.formula(row, 2, f"COUNTIF({results},{phrase(FAILS)})", 0, style)
    define(book, "Checks_Failed", writer.sheet.title, f"$B${row}")
    return row + 1


def _value(check: Check, result: SizingResult) -> Value:
    return NOT_COMPUTED if check.needs_nodes and not result.fits else HOLDS
