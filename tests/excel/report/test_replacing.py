"""The report's sheets take the place of the earlier ones; everything else stays as it was."""

from collections.abc import Callable

import pytest

from tests.book.plans import LOAD
from tests.excel.report.double import Book, Excel
from tests.excel.report.hosts import EVERY_HOST, HOSTS, Host, opened
from tests.excel.report.plans import bare_workbook, planning_workbook
from tests.excel.report.state import BookState, SheetState
from xlsizing.excel.full_report import FullReportError, build_report, building
from xlsizing.excel.full_report.page import (
    APART,
    COLUMN_HEAD,
    RULED,
    TITLE,
    Area,
    Chart,
    ChartKind,
    Highlight,
    Page,
)

OURS = ["Report", "Report scenarios", "Report warnings", "Report charts", "Report in words"]
MARKS = {
    "FullReport_Results": "=Report!$B$3",
    "FullReport_Scenarios": "='Report scenarios'!$A$3",
    "FullReport_Warnings": "='Report warnings'!$A$3",
    "FullReport_Charts": "='Report charts'!$B$3",
    "FullReport_Words": "='Report in words'!$B$3",
}


@pytest.mark.parametrize("host", EVERY_HOST)
def test_other_sheets_and_names_stay_as_they_were(host: Host) -> None:
    plan = planning_workbook()
    done = host(plan)
    assert done.titles == [*plan.titles, *OURS]
    assert done.sheets[: len(plan.sheets)] == plan.sheets
    assert {name: done.names[name] for name in MARKS} == MARKS
    assert {name: done.names[name] for name in plan.names} == plan.names
    assert done.active == "Report"


@pytest.mark.parametrize("host", EVERY_HOST)
def test_second_report_takes_the_place_of_the_first(host: Host) -> None:
    first = host(planning_workbook())
    sheet, place = first.named("Input_Concurrency")
    sheet.cells[place] = 50_000
    first.sheets.append(first.sheets.pop(2))
    first.sheets.insert(3, first.sheets.pop(first.titles.index("Report warnings")))
    first.rename("Report", "For the board")
    second = host(first)
    assert second.titles == first.titles
    shown = second.sheet("For the board")
    assert shown.value(2, 2).startswith("50,000 sessions")
    again = host(second)
    assert again == second


@pytest.mark.parametrize("host", EVERY_HOST)
def test_a_sheet_of_a_persons_own_is_kept(host: Host) -> None:
    plan = planning_workbook()
    plan.sheets.insert(0, SheetState("report", {(3, 2): "Made by hand", (4, 4): 7}))
    plan.sheets.append(SheetState("Report charts", {(3, 2): "Made by xlsizing, they say"}))
    first = host(plan)
    assert first.titles == [*plan.titles, "Report (2)", *OURS[1:3], "Report charts (2)", OURS[4]]
    assert first.sheets[: len(plan.sheets)] == plan.sheets
    second = host(first)
    assert second.titles == first.titles
    assert second.sheets[: len(plan.sheets)] == plan.sheets


@pytest.mark.parametrize("title", ["Report of May", "Report (new) for the board"])
@pytest.mark.parametrize("host", EVERY_HOST)
def test_a_copy_of_a_report_is_a_persons_own(host: Host, title: str) -> None:
    first = host(planning_workbook())
    copied = first.sheet("Report")
    first.sheets.append(SheetState(title, dict(copied.cells)))
    second = host(first)
    assert second.titles == first.titles
    assert second.sheet(title) == first.sheet(title)


@pytest.mark.parametrize("host", EVERY_HOST)
@pytest.mark.parametrize("refers_to", ["=#REF!$B$3", "=Sizing!$C$5", "=1", "=Sizing!$C$5:$C$6"])
def test_a_name_that_marks_nothing_of_ours_is_taken_over(host: Host, refers_to: str) -> None:
    plan = planning_workbook()
    plan.names["FullReport_Results"] = refers_to
    done = host(plan)
    assert done.titles == [*plan.titles, *OURS]
    assert done.names["FullReport_Results"] == MARKS["FullReport_Results"]
    assert done.sheet("Sizing") == plan.sheet("Sizing")


@pytest.mark.parametrize("host", EVERY_HOST)
def test_what_a_host_broke_off_is_removed_by_the_next_report(host: Host) -> None:
    plan = planning_workbook()
    plan.sheets.append(SheetState("Report (new)", {(3, 2): "Made by xlsizing 0.1.0"}))
    plan.sheets.append(SheetState("Report charts (new)", {(3, 2): "A person's"}))
    done = host(plan)
    assert done.titles == [*plan.titles[:-2], "Report charts (new)", *OURS]


@pytest.mark.parametrize("host", EVERY_HOST)
def test_titles_are_as_short_as_excel_has_them(host: Host) -> None:
    first = host(planning_workbook())
    first.rename("Report", "A title with thirty-one letters")
    second = host(first)
    assert second.titles == first.titles


def test_number_of_writes_is_known() -> None:
    book = Book(planning_workbook(), Excel(remote=True))
    build_report(opened(book))
    assert 200 < book.excel.writes < 480


REMOTE = [pytest.param(False, id="desktop"), pytest.param(True, id="elsewhere")]


def failing(plan: BookState, fails: Callable[[int], bool], *, remote: bool) -> tuple[Book, str]:
    """A workbook in which writes fail, once a report was tried, and what was said of it."""
    book = Book(plan.copy(), Excel(remote=remote, fails=fails))
    with pytest.raises(FullReportError) as failure:
        build_report(opened(book))
    return book, str(failure.value)


@pytest.fixture(scope="module", params=REMOTE)
def remote(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report of two small pages, with everything that a page can have."""
    monkeypatch.setattr(
        building, "_pages", lambda _, origin, __: [page(1, origin), page(2, origin)]
    )


def page(number: int, origin: str) -> Page:
    made = Page(f"Key{number}", f"Report {number}", (1, 1), [20, 20, 30], (2, 1))
    made.write(1, 1, origin)
    made.write(2, 1, "Text", 7, None, 0.5)
    made.look(1, 1, 2, 4, TITLE, COLUMN_HEAD, RULED, APART)
    made.height(1, 2, 30)
    made.fitted.append(Area(2, 1, 2, 1))
    made.merged.append(Area(1, 1, 1, 3))
    made.highlights.append(Highlight(Area(2, 1, 2, 1), "equal_to", "Text", "FFFFFF"))
    figures, labels, corner = Area(1, 2, 2, 2), Area(2, 1, 2, 1), Area(4, 1, 4, 1)
    kinds: tuple[ChartKind, ChartKind] = ("column_clustered", "bar_stacked_100")
    for kind in kinds:
        chart = Chart(
            name=kind,
            kind=kind,
            title="A title",
            categories="Categories",
            values="Values",
            figures=figures,
            labels=labels,
            colours=["0072B2"],
            corner=corner,
            size=(9, 9),
            axis_format="0",
            has_legend=number == 1,
        )
        made.charts.append(chart)
    return made


@pytest.fixture
def before(small_pages: None) -> BookState:
    """A small plan that has a report already, and a person's sheet titled like one."""
    del small_pages
    done = HOSTS["elsewhere"](bare_workbook(LOAD))
    done.rename("Report 2", "Variants")
    done.sheets.append(SheetState("Report 2", {(1, 1): "mine"}))
    done.active = "Variants"
    return done


def test_whichever_write_fails_the_workbook_is_as_it_was(before: BookState, remote: bool) -> None:
    whole = Book(before.copy(), Excel(remote=remote))
    build_report(opened(whole))
    assert whole.state.titles == before.titles
    count, deletions = whole.excel.writes, 2
    assert count > 75
    for number in range(1, count - deletions + 2):
        book, words = failing(before, lambda at, number=number: at == number, remote=remote)  # type: ignore[misc]
        assert book.state == before, number
        assert words.startswith("The full report could not be made: ")
        assert words.endswith(
            f" failed (Excel is busy with write {number}). The workbook is as it was."
        )
        assert (book.excel.status_bar, book.excel.screen_updating) == (False, True)


@pytest.mark.usefixtures("small_pages")
def test_whichever_write_of_a_first_report_fails_the_workbook_is_as_it_was(remote: bool) -> None:
    plan = bare_workbook(LOAD)
    whole = Book(plan.copy(), Excel(remote=remote))
    build_report(opened(whole))
    for number in range(1, whole.excel.writes + 1):
        book, _ = failing(plan, lambda at, number=number: at == number, remote=remote)  # type: ignore[misc]
        assert book.state == plan, number


def test_whichever_write_of_a_real_report_fails_the_workbook_is_as_it_was(remote: bool) -> None:
    first = HOSTS["elsewhere"](bare_workbook(LOAD))
    whole = Book(first.copy(), Excel(remote=remote))
    build_report(opened(whole))
    for number in range(1, whole.excel.writes - 4, 31):
        book, _ = failing(first, lambda at, number=number: at == number, remote=remote)  # type: ignore[misc]
        assert book.state == first, number


def test_what_of_an_earlier_report_cannot_be_removed_is_told(
    before: BookState, remote: bool
) -> None:
    whole = Book(before.copy(), Excel(remote=remote))
    build_report(opened(whole))
    last = whole.excel.writes
    book, words = failing(before, lambda at: at == last, remote=remote)
    assert book.state.titles[:-1] != whole.state.titles
    left = [title for title in book.state.titles if title not in whole.state.titles]
    assert left == ["Variants (earlier)"]
    assert book.state.sheet("Variants") == whole.state.sheet("Variants")
    assert words == (
        "The full report could not be made: removing the sheet Variants (earlier) failed "
        f"(Excel is busy with write {last}). The new report stands; only this sheet of the "
        "earlier one, and those like it whose titles end in (new) or (earlier), are left: delete "
        "them."
    )


def test_an_excel_that_is_gone_is_told_of(before: BookState, remote: bool) -> None:
    book, words = failing(before, lambda at: at > 30, remote=remote)
    assert words.endswith(
        " failed (Excel is busy with write 31). What was begun could not all be taken back: "
        "delete the sheets whose titles end in (new) and take (earlier) off the titles of the "
        "others."
    )
    new = [title for title in book.state.titles if title not in before.titles]
    assert new == ["Report 1 (new)"]


def test_status_bar_says_what_is_done_and_is_put_back() -> None:
    excel = Excel(status_bar="Filtering", screen_updating=False)
    book = Book(planning_workbook(), excel)
    build_report(opened(book))
    assert (excel.status_bar, excel.screen_updating) == ("Filtering", False)
    assert excel.said == [
        "Full report: reading the plan ...",
        "Full report: sizing 4 loads ...",
        "Full report: writing the sheet Report ...",
        "Full report: writing the sheet Report scenarios ...",
        "Full report: writing the sheet Report warnings ...",
        "Full report: writing the sheet Report charts ...",
        "Full report: writing the sheet Report in words ...",
        "Full report: putting the sheets in place ...",
        "Full report: finishing ...",
        "Filtering",
    ]


def test_protected_structure_gets_a_workbook_of_its_own() -> None:
    plan = planning_workbook()
    book = Book(plan.copy())
    book.is_protected = True
    build_report(opened(book))
    assert book.state == plan
    made = book.excel.books[-1]
    assert made.state.titles == OURS
    assert (
        made.state.sheet("Report")
        .value(3, 2)
        .endswith(
            "The structure of Plan.xlsx is protected, so that the report has a workbook of its own."
        )
    )
    assert (book.excel.status_bar, made.is_open) == (False, True)


@pytest.mark.parametrize("number", [1, 2, 50, 100, 150, 200, 250])
def test_a_workbook_of_its_own_is_closed_where_it_fails(number: int) -> None:
    plan = planning_workbook()
    book = Book(plan.copy(), Excel(fails=lambda at: at == number))
    book.is_protected = True
    with pytest.raises(FullReportError, match=r"The workbook is as it was\.$"):
        build_report(opened(book))
    assert book.state == plan
    assert [each.is_open for each in book.excel.books[1:]] == [False] * (number > 1)


def test_structure_that_the_host_cannot_know_to_be_protected() -> None:
    plan = planning_workbook()
    book = Book(plan.copy(), Excel(remote=True))
    book.is_protected = True
    with pytest.raises(FullReportError, match=r"\(the structure is protected\)\. The workbook is"):
        build_report(opened(book))
    assert book.state == plan
