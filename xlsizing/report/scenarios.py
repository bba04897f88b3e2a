"""The scenarios of a workbook as a page, one a row."""

from collections.abc import Sequence

from xlsizing.core.alerts import STATUS_OK
from xlsizing.core.message import Message
from xlsizing.page import Column, Page, Row, Table
from xlsizing.report.counts import nodes_text


def scenario_page(scenarios: Sequence[tuple[str, int | None, str]]) -> Page:
    """A row for each scenario; nothing where there is none.

    Parameters
    ----------
    scenarios : name, nodes final or None for none, and status: OK or what is wrong.
    """
    if not scenarios:
        return []
    rows = [
        Row((name, nodes_text(nodes), "" if status == STATUS_OK else status))
        for name, nodes, status in scenarios
    ]
    names = Column(gap=2, holds=[row.cells[0] for row in rows])
    nodes = Column(11, gap=2, is_right=True)
    return [Table([names, nodes, Column()], rows, Message("Scenarios"), indent=2), ""]
