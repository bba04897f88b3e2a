"""Making the full report: read the plan, size it, and write its sheets."""

from collections.abc import Generator, Iterator

import xlwings

from xlsizing.core import Catalogs, SizingError, UnknownNameError
from xlsizing.core.message import Message, joined, one_or_many
from xlsizing.core.planning.plan import RefusedCellError
from xlsizing.excel import planning
from xlsizing.excel.full_report import hosts
from xlsizing.excel.full_report.charts_page import charts_page
from xlsizing.excel.full_report.origin import origin
from xlsizing.excel.full_report.page import Page
from xlsizing.excel.full_report.reading import (
    OWN_TABLES,
    PlanReadError,
    book_language,
    is_in_own_table,
    read_plan,
)
from xlsizing.excel.full_report.replacing import (
    EARLIER,
    NEW,
    Undo,
    replace_sheets,
    titles,
)
from xlsizing.excel.full_report.results_page import results_page
from xlsizing.excel.full_report.scenarios_page import scenarios_page
from xlsizing.excel.full_report.sized import SizedPlan, sized_plan
from xlsizing.excel.full_report.warnings_page import warnings_page
from xlsizing.excel.full_report.words_page import words_page
from xlsizing.language import Language

MOST_REASON = 300
"""Characters of a host's own words about an error that a sentence holds."""


class FullReportError(SizingError):
    """A report that could not be made, for a reason that is not the plan's."""

    code = "FULL_REPORT"


def build_report(
    book: xlwings.Book, catalogs: Catalogs | None = None, language: Language | None = None
) -> None:
    """Make the full report of a planning workbook, as sheets of its own in it.

    It takes the place of an earlier report there and leaves every other sheet alone. Where
    the workbook's structure is protected, it gets a workbook of its own.

    Parameters
    ----------
    book : the planning workbook, open in any host of xlwings.
    catalogs : what the names stand for; None for those that come with xlsizing.
    language : what the report is in; None for what the workbook asks for.

    Raises
    ------
    SizingError : the report cannot be made. The workbook is then as it was, or the sentence
        says what of it is not.
    """
    language = language or book_language(book)
    try:
        with hosts.progress(book.app) as tell:
            steps = report_steps(book, catalogs, language)
            for doing in steps:
                try:
                    tell(language.say(Message("Full report: {doing} ...", doing=doing)))
                except Exception as error:  # noqa: BLE001 - thrown on
                    steps.throw(error)
    except SizingError:
        raise
    except Exception as error:
        raise _failure(Message("speaking to Excel"), error, _AS_IT_WAS) from error


def report_steps(
    book: xlwings.Book, catalogs: Catalogs | None = None, language: Language | None = None
) -> Generator[Message, None, None]:
    """The steps of `build_report`, for a host that must be waited for between them.

    Its parameters and errors are those of `build_report`. An exception that is thrown in is
    treated like one of the step that was done last.

    Yields
    ------
    What will be done next.
    """
    undo, doing = Undo(), Message("beginning")
    try:
        for following in _steps(book, catalogs, language or book_language(book), undo):
            yield following
            doing = following
    except SizingError:
        undo.now()
        raise
    except Exception as error:
        back = _AS_IT_WAS if undo.now() else _NOT_UNDONE
        raise _failure(doing, error, _REMOVE if undo.is_past else back) from error


def _failure(doing: str, error: Exception, after: str) -> FullReportError:
    return FullReportError(
        Message(
            "The full report could not be made: {doing} failed ({reason}). {after}",
            doing=doing,
            reason=_reason(error),
            after=after,
        )
    )


_AS_IT_WAS = Message("The workbook is as it was.")
_NOT_UNDONE = Message(
    "What was begun could not all be taken back: delete the sheets whose titles end in {new} and "
    "take {earlier} off the titles of the others.",
    new=NEW,
    earlier=EARLIER,
)
_REMOVE = Message(
    "The new report stands; only this sheet of the earlier one, and those like it whose titles end "
    "in {new} or {earlier}, are left: delete them.",
    new=NEW,
    earlier=EARLIER,
)


def _steps(
    book: xlwings.Book, catalogs: Catalogs | None, language: Language, undo: Undo
) -> Iterator[Message]:
    yield Message("reading the plan")
    asked = read_plan(book)
    loads = 1 + len(asked.rows)
    yield one_or_many("sizing {loads} load", "sizing {loads} loads", loads, loads=str(loads))
    known = catalogs or planning.catalogs()
    try:
        plan = sized_plan(asked, known)
    except RefusedCellError as error:
        raise _with_hint(book, error) from error
    made_by = origin(known)
    if hosts.structure_is_protected(book):
        made_by = joined(" ", (made_by, _PROTECTED.filled(workbook=book.name)))
        yield from _own_workbook(book.app, _pages(plan, made_by, language), undo)
    else:
        yield from replace_sheets(book, _pages(plan, made_by, language), undo)
    yield Message("finishing")


def _with_hint(book: xlwings.Book, error: RefusedCellError) -> SizingError:
    """The error, and what to do about a name that only the workbook has."""
    reason = error.reason
    if isinstance(reason, UnknownNameError) and is_in_own_table(book, error.symbol, reason.name):
        hint = _ONLY_THERE.filled(table=OWN_TABLES[error.symbol])
        return PlanReadError(joined("", (str(error), hint)))
    return error


_ONLY_THERE = Message(
    " It stands only in the workbook's own table {table}: add it to the catalogs that the button "
    "reads."
)
_PROTECTED = Message(
    "The structure of {workbook} is protected, so that the report has a workbook of its own."
)


def _own_workbook(app: xlwings.App, pages: list[Page], undo: Undo) -> Iterator[Message]:
    """Write pages as the sheets of a new workbook."""
    yield Message("making a workbook")
    made = app.books.add()
    undo.later(made.close)
    empty = titles(made)
    yield from replace_sheets(made, pages, undo)
    for title in empty:
        made.sheets[title].delete()


def _pages(plan: SizedPlan, made_by: str, language: Language) -> list[Page]:
    make = (results_page, scenarios_page, warnings_page, charts_page, words_page)
    return [each(plan, made_by, language) for each in make]


def _reason(error: Exception) -> str:
    """What went wrong in the words of whoever found it, on one line."""
    told = getattr(error, "excepinfo", None)  # what Excel says on Windows
    words = told[2] if told and told[2] else str(error)
    line = " ".join(str(words).split())[:MOST_REASON].rstrip(" .")
    return line or type(error).__name__
