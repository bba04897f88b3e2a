"""Hosts that a report is made in, and the state that each of them ends in."""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
import xlwings

from tests.excel.hosts.officejs import needs_licence
from tests.excel.report.double import Book, Excel
from tests.excel.report.payload import payload
from tests.excel.report.replay import replay
from tests.excel.report.state import BookState
from xlsizing.excel.full_report import build_report

Host = Callable[[BookState], BookState]


def on_desktop(state: BookState) -> BookState:
    """Excel on the desktop, as the double has it."""
    book = Book(state.copy())
    build_report(opened(book))
    return book.state


def elsewhere(state: BookState) -> BookState:
    """Excel where xlwings only sends what to do, as the double has it."""
    book = Book(state.copy(), Excel(remote=True))
    build_report(opened(book))
    return book.state


def by_xlwings(state: BookState) -> BookState:
    """The same as xlwings itself has it: what it sends, done to the state."""
    done = state.copy()
    replay(done, actions(state))
    return done


def actions(state: BookState) -> list[dict[str, Any]]:
    """What xlwings' remote engine sends for a report, through JSON both ways."""
    book = xlwings.Book(json=json.loads(json.dumps(payload(state))))
    try:
        build_report(book)
        sent: list[dict[str, Any]] = json.loads(json.dumps(book.json()["actions"]))
    finally:
        book.close()
    return sent


def opened(book: Book) -> xlwings.Book:
    """The double as the report's type of a workbook."""
    return cast(xlwings.Book, book)


HOSTS: Mapping[str, Host] = {
    "desktop": on_desktop,
    "elsewhere": elsewhere,
    "xlwings": by_xlwings,
}

EVERY_HOST = [
    pytest.param(host, id=name, marks=[needs_licence] if name == "xlwings" else [])
    for name, host in HOSTS.items()
]
