"""Sheets of a report in place of those of an earlier one, all of them or none.

New sheets are written under titles of their own, beside all that is there. Only once they
are whole do they change places with the earlier ones, which go last. What fails before
that is taken back step by step.

The report's own sheets are told by a name in the workbook that stands for a cell in which
the report says that it made the sheet: a sheet that a person made, titled like one of ours,
has none, and neither has a copy that a person made of one.

Sheets are held by their titles: a host may hold them by places, which shift.
"""

import re
from collections.abc import Callable, Iterator, Sequence

import xlwings

from xlsizing.core.message import Message
from xlsizing.excel.full_report.origin import MADE_BY
from xlsizing.excel.full_report.page import Page
from xlsizing.excel.full_report.sheets import write_page

LONGEST_TITLE = 31
"""Characters that a sheet's title may have."""

NEW, EARLIER = "(new)", "(earlier)"
"""What a title ends in while the report is made."""


class Undo:
    """Steps that take back what was done."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], None]] = []
        self.is_past = False
        """True once there is no way back: the new report stands."""

    def later(self, step: Callable[[], None]) -> None:
        """Remember how to take back what is done next."""
        self._steps.append(step)

    def forget(self) -> None:
        """What was done stays."""
        self._steps.clear()
        self.is_past = True

    def now(self) -> bool:
        """Take back what was done, the last first; False where some of it stays."""
        is_undone = True
        while self._steps:
            try:
                self._steps.pop()()
            except Exception:  # noqa: BLE001 - the other steps must be tried, too
                is_undone = False
        return is_undone


def replace_sheets(book: xlwings.Book, pages: Sequence[Page], undo: Undo) -> Iterator[Message]:
    """Write pages as sheets of a workbook, in place of an earlier report's.

    Parameters
    ----------
    undo : learns how to take back each step, until the first earlier sheet is gone.

    Yields
    ------
    What will be done next.
    """
    shown = book.sheets.active.name
    undo.later(lambda: book.sheets[shown].activate())
    earlier = _earlier(book, pages)
    gone = [*earlier.values(), *_left_over(book, pages)]
    begun = {}
    for page in pages:
        yield Message("writing the sheet {title}", title=page.title)
        title = free_title(book, page.title, NEW)
        _add(book, title, earlier.get(page.key, titles(book)[-1]), undo)
        write_page(page, book.sheets[title])
        begun[page.key] = title
    yield Message("putting the sheets in place")
    for page in pages:
        title = free_title(book, page.title)
        if page.key in earlier:
            title = earlier[page.key]
            aside = free_title(book, title, EARLIER)
            gone[gone.index(title)] = aside
            _rename(book, title, aside, undo)
        _rename(book, begun[page.key], title, undo)
        _mark(book, page, title, undo)
        begun[page.key] = title
    book.sheets[begun[pages[0].key]].activate()
    for title in gone:
        yield Message("removing the sheet {title}", title=title)
        book.sheets[title].delete()
        undo.forget()


def titles(book: xlwings.Book) -> list[str]:
    """The titles of a workbook's sheets, in their order."""
    return [sheet.name for sheet in book.sheets]


def free_title(book: xlwings.Book, title: str, more: str = "") -> str:
    """A title that no sheet has yet: what is asked for, with a number where that is taken."""
    taken = {each.casefold() for each in titles(book)}
    number = 1
    while True:
        parts = [more, f"({number})" if number > 1 else ""]
        end = "".join(f" {part}" for part in parts if part)
        found = title[: LONGEST_TITLE - len(end)] + end
        if found.casefold() not in taken:
            return found
        number += 1


def _earlier(book: xlwings.Book, pages: Sequence[Page]) -> dict[str, str]:
    """The titles of an earlier report's sheets, by the key of their page."""
    names = {name.name.casefold(): name for name in book.names}
    marked = {page.key: names.get(_mark_of(page).casefold()) for page in pages}
    found = {key: _marked(name) for key, name in marked.items() if name}
    return {key: title for key, title in found.items() if title}


def _marked(name: xlwings.Name) -> str:
    """The title of the sheet of ours that a name marks; nothing where it marks none any more."""
    try:
        cell = name.refers_to_range
        return str(cell.sheet.name) if cell.shape == (1, 1) and _says_made(cell) else ""
    except Exception:  # noqa: BLE001 - what a broken name ends in is every host's own
        return ""


def _says_made(cell: xlwings.Range) -> bool:
    return str(cell.value or "").startswith(MADE_BY)


def _left_over(book: xlwings.Book, pages: Sequence[Page]) -> list[str]:
    """Titles of sheets that were begun, and that nobody took back when the host broke off."""
    return [
        title
        for title in titles(book)
        for page in pages
        if re.fullmatch(rf"{re.escape(f'{page.title} {NEW}')}( \(\d+\))?", title)
        and _says_made(book.sheets[title].range(page.origin))
    ]


def _add(book: xlwings.Book, title: str, after: str, undo: Undo) -> None:
    known = titles(book)
    undo.later(lambda: _delete(book, title))
    try:
        book.sheets.add(title, after=book.sheets[after])
    except Exception:
        # Hosts add a sheet first and give it its title then, which may be what failed.
        for untitled in set(titles(book)).difference(known):
            _delete(book, untitled)
        raise


def _delete(book: xlwings.Book, title: str) -> None:
    if title in titles(book):
        book.sheets[title].delete()


def _rename(book: xlwings.Book, title: str, to: str, undo: Undo) -> None:
    def take_back() -> None:
        if to in titles(book):
            book.sheets[to].name = title

    undo.later(take_back)
    book.sheets[title].name = to


def _mark_of(page: Page) -> str:
    """The name in the workbook that marks a page's sheet."""
    return f"FullReport_{page.key}"


def _mark(book: xlwings.Book, page: Page, title: str, undo: Undo) -> None:
    """Let the page's name stand for the cell of origin on its sheet."""
    name, quoted = _mark_of(page), title.replace("'", "''")
    cell = book.sheets[title].range(page.origin).address
    refers_to = f"='{quoted}'!{cell}"
    known = {each.name.casefold(): each for each in book.names}
    if name.casefold() in known:
        was = known[name.casefold()].refers_to
        undo.later(lambda: _refer(book, name, was))
        _refer(book, name, refers_to)
    else:
        undo.later(lambda: book.names[name].delete() if name in book.names else None)
        book.names.add(name, refers_to)


def _refer(book: xlwings.Book, name: str, refers_to: str | None) -> None:
    book.names[name].refers_to = refers_to or ""
