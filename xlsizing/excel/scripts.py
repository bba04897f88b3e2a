"""What the buttons in a workbook call, for each host.

A failure is shown as one sentence, the way the host shows messages.
"""

from collections.abc import Generator

import xlwings

from xlsizing.core import SizingError
from xlsizing.core.message import Message, as_plain
from xlsizing.excel.full_report import book_language, build_report, report_steps
from xlsizing.excel.host import IN_PYODIDE, excel_script

FULL_REPORT = Message("Full report")


def full_report() -> None:
    """Make the full report of the workbook that called: the button with the classic add-in."""
    book = xlwings.Book.caller()
    language = book_language(book)
    try:
        build_report(book, language=language)
    except SizingError as error:
        words, title = (as_plain(language.say(each)) for each in (str(error), FULL_REPORT))
        book.app.alert(words, title=title, mode="critical")


@excel_script(as_plain(FULL_REPORT))
async def full_report_script(book: xlwings.Book) -> None:
    """Make the full report of the planning workbook, as sheets of its own in it."""
    language = book_language(book)
    try:
        if IN_PYODIDE:
            await _step_by_step(book, report_steps(book, language=language))
        else:
            build_report(book, language=language)
    except SizingError as error:
        # The hosts show its text, and do nothing of what was asked for.
        raise xlwings.XlwingsError(as_plain(language.say(str(error)))) from None


async def _step_by_step(book: xlwings.Book, steps: Generator[str, None, None]) -> None:
    """Let Excel do each step before the next, so that what it refuses can be taken back."""
    try:
        for _ in steps:
            try:
                await book.flush()
            except Exception as error:  # noqa: BLE001 - thrown on
                steps.throw(error)
        await book.flush()
    except SizingError:
        # What takes back the steps before has yet to be sent.
        await book.flush()
        raise
