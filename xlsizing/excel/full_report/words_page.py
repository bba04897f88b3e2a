"""The sheet that says the report in words, as its page and its Markdown do: steps, ranges, sources."""

import math
from collections.abc import Iterator, Sequence

from xlsizing import palette
from xlsizing.blocks import Alerts, Block, Steps, Table
from xlsizing.core.alerts import SEVERITIES
from xlsizing.core.message import Message, joined
from xlsizing.core.planning.presets import AS_ASKED
from xlsizing.excel.full_report.page import (
    BODY,
    CENTRED,
    HEADING,
    LINE_HEIGHT,
    NOTE,
    RIGHT,
    RULED,
    SEVERITY_GROUNDS,
    STRONG,
    SUBTITLE,
    TITLE,
    WRAPPED,
    Area,
    Look,
    Page,
    runs,
)
from xlsizing.excel.full_report.sized import Scenario, SizedPlan
from xlsizing.language import Language
from xlsizing.report.full.content import full_report
from xlsizing.report.full.scenario import ScenarioLine

_FIRST, _LAST = 2, 11
_LABEL, _COLUMN = 33, 15
_WIDTHS = (2, _LABEL, *[_COLUMN] * (_LAST - _FIRST))
_ROOM = 160
"""Characters on a line across all columns."""
_GROUND = Look(bold=True, ground=palette.HEADING_GROUND)


def words_page(plan: SizedPlan, origin: str, language: Language) -> Page:
    """The page of a plan's report in words.

    Parameters
    ----------
    origin : what made the report, in a sentence.
    language : what the page is in.
    """
    report = full_report(plan.result, list(_lines(plan)))
    page = Page("Words", "Report in words", (3, _FIRST), _WIDTHS, (3, 0), language)
    page.write(1, _FIRST, report.title)
    page.write(2, _FIRST, report.answer)
    page.write(3, _FIRST, origin)
    row = 5
    for section in report.sections:
        page.write(row, _FIRST, section.title)
        page.look(row, _FIRST, row, _LAST, HEADING)
        row += 1
        for block in section.blocks:
            row = _write(page, row, block)
        row += 1
    page.base(3, _FIRST, 3, _FIRST, NOTE)
    page.base(2, _FIRST, 2, _FIRST, SUBTITLE)
    page.base(1, _FIRST, 1, _FIRST, TITLE)
    page.base(5, _FIRST, row, _LAST, WRAPPED)
    page.base(1, _FIRST, row, _LAST, BODY, CENTRED)
    return page


def _lines(plan: SizedPlan) -> Iterator[ScenarioLine]:
    """The load on Sizing, and the scenarios that it is compared with."""
    yield _line(Scenario(AS_ASKED, {}, plan.result))
    yield from (_line(each) for each in plan.scenarios if each.name != AS_ASKED)


def _line(scenario: Scenario) -> ScenarioLine:
    result, typed = scenario.result, scenario.typed
    if result is None:
        symbols = ("Concurrency", "Context", "PeakHeadroomRatio", "HA")
        concurrency, context, headroom, mode = (typed.get(symbol) for symbol in symbols)
        asked = (concurrency, context, headroom, mode)
        return ScenarioLine(scenario.name, asked, None, None, None, scenario.status)
    return ScenarioLine(
        scenario.name,
        (result.concurrency, result.effective_context, result.peak_headroom_ratio, result.ha_mode),
        result.nodes_minimum,
        result.nodes_with_headroom,
        result.nodes_final,
        scenario.status,
    )


def _write(page: Page, row: int, block: Block) -> int:
    """Write a block from a row on; returns the row after it."""
    if isinstance(block, Table):
        return _write_table(page, row, block)
    if isinstance(block, Steps):
        first = row
        for number, step in enumerate(block.steps, start=1):
            page.write(row, _FIRST, joined("", (f"{number}. ", step.name)))
            for text in filter(None, (step.equation, step.figures, step.result)):
                row = _write_text(page, row, text, _FIRST + 1)
        page.look(first, _FIRST, row - 1, _FIRST, STRONG)
        return row
    if isinstance(block, Alerts):
        for alert in block.alerts:
            ground = Look(bold=True, ground=SEVERITY_GROUNDS[alert.severity])
            page.look(row, _FIRST, row, _LAST, ground)
            row = _write_text(page, row, joined(", ", (SEVERITIES[alert.severity], alert.code)))
            row = _write_text(page, row, alert.message)
            advice = Message("What to do: {advice}", advice=alert.recommendation)
            row = _write_text(page, row, advice)
        return row
    return _write_text(page, row, block)


def _write_text(page: Page, row: int, text: str, first: int = _FIRST) -> int:
    """Write a text from a column to the last one; returns the row after it."""
    page.write(row, first, text)
    # Each area is a round trip to Excel.
    above = page.merged[-1] if page.merged else None
    if above and (above.bottom, above.left) == (row - 1, first):
        page.merged[-1] = above._replace(bottom=row)
    else:
        page.merged.append(Area(row, first, row, _LAST))
    room = _ROOM - (_LABEL if first > _FIRST else 0)
    length = len(page.say(text))
    if length > room:
        page.height(row, row, LINE_HEIGHT * math.ceil(length / room))
    return row + 1


def _write_table(page: Page, row: int, table: Table) -> int:
    last = _FIRST + len(table.heads) - 1
    _write_row(page, row, table.heads)
    page.look(row, _FIRST, row, last, _GROUND)
    end = row + len(table.rows)
    for at, texts in enumerate(table.rows, start=row + 1):
        _write_row(page, at, texts)
    page.look(row + 1, _FIRST, end, last, RULED)
    page.fitted.append(Area(row, _FIRST, end, last))
    places = [column in table.numbers for column in range(len(table.heads))]
    for left, right, is_number in runs(places):
        if is_number:
            page.look(row, _FIRST + left, end, _FIRST + right, RIGHT)
    return end + 2


def _write_row(page: Page, row: int, texts: Sequence[str]) -> None:
    page.write(row, _FIRST, *texts)
