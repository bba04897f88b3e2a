"""The sheet with the warnings: what is unsafe or unusual, and what to do about it."""

from xlsizing.core.alerts import SEVERITIES
from xlsizing.core.message import Message
from xlsizing.excel.full_report.page import (
    BODY,
    CENTRED,
    COLUMN_HEAD,
    NOTE,
    RULED,
    SEVERITY_GROUNDS,
    SUBTITLE,
    TITLE,
    WRAPPED,
    Area,
    Highlight,
    Look,
    Page,
)
from xlsizing.excel.full_report.sized import SizedPlan
from xlsizing.language import Language

TOP = 5
"""The row of the heads."""

HEADS = (
    Message("Scenario"),
    Message("Code"),
    Message("Severity"),
    Message("Message"),
    Message("What to do"),
)
_WIDTHS = (20, 28, 11, 70, 64)
_NONE = Message("No alert holds: nothing about these plans is unsafe or unusual.")


def warnings_page(plan: SizedPlan, origin: str, language: Language) -> Page:
    """The page of a plan's warnings.

    Parameters
    ----------
    origin : what made the report, in a sentence.
    language : what the page is in.
    """
    page = Page("Warnings", "Report warnings", (3, 1), _WIDTHS, (TOP, 0), language)
    count = len(plan.warnings)
    page.write(1, 1, Message("Warnings"))
    page.write(2, 1, Message("Alerts that hold: {count}.", count=str(count)) if count else _NONE)
    page.write(3, 1, origin)
    page.write(TOP, 1, *HEADS)
    for row, (scenario, alert) in enumerate(plan.warnings, start=TOP + 1):
        severity = SEVERITIES[alert.severity]
        page.write(row, 1, scenario, alert.code, severity, alert.message, alert.recommendation)
    last = TOP + max(1, count)
    page.look(1, 1, 1, 1, TITLE)
    page.look(2, 1, 2, 1, SUBTITLE)
    page.look(3, 1, 3, 1, NOTE)
    page.look(TOP, 1, TOP, len(HEADS), COLUMN_HEAD)
    page.look(TOP + 1, 1, last, len(HEADS), BODY, CENTRED, WRAPPED, RULED)
    page.fitted.append(Area(TOP + 1, 1, last, len(HEADS)))
    column = HEADS.index("Severity") + 1
    page.look(TOP + 1, column, last, column, Look(horizontal="center"))
    for name, ground in SEVERITY_GROUNDS.items():
        area, word = Area(TOP + 1, column, last, column), page.say(SEVERITIES[name])
        page.highlights.append(Highlight(area, "equal_to", word, ground))
    return page
