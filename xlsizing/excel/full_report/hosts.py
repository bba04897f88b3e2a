"""What is every host's own: frozen panes, the status bar, what the structure's protection says.

On Windows xlwings talks COM, on a Mac Apple events; on a server and in Lite it sends Office.js
what to do, and reads nothing but what was sent along.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import xlwings


def is_remote(app: xlwings.App) -> bool:
    """Whether Excel is elsewhere, and does what is asked of it once all is asked."""
    return bool(app.engine.type == "remote")


def freeze(sheet: xlwings.Sheet, rows: int, columns: int) -> None:
    """Keep the first rows and columns of a sheet in sight."""
    try:
        panes = sheet.freeze_panes
    except NotImplementedError:
        with suppress(AttributeError):  # Excel shows no window
            _freeze_window(sheet, rows, columns)
    else:
        panes.freeze_at(sheet.range((1, 1), (rows, columns)) if columns else f"1:{rows}")


def _freeze_window(sheet: xlwings.Sheet, rows: int, columns: int) -> None:
    """On the desktop panes are the window's, and of the sheet that it shows."""
    sheet.activate()
    app = sheet.book.app.api
    if sys.platform == "darwin":
        window = app.active_window
        window.split_column.set(columns)
        window.split_row.set(rows)
        window.freeze_panes.set(True)
    else:
        window = app.ActiveWindow
        window.SplitColumn, window.SplitRow = columns, rows
        window.FreezePanes = True


def structure_is_protected(book: xlwings.Book) -> bool:
    """Whether no sheet may be added to a workbook; False where the host cannot know."""
    native = book.api
    if hasattr(native, "ProtectStructure"):
        return bool(native.ProtectStructure)
    if sys.platform == "darwin" and hasattr(native, "protect_structure"):
        return bool(native.protect_structure.get())
    return False


@contextmanager
def progress(app: xlwings.App) -> Iterator[Callable[[str], None]]:
    """A way to say in the status bar what is being done; at the end it is as it was.

    Meanwhile the screen stands still. A remote host has neither: there, nothing is said.
    """
    if is_remote(app):
        yield lambda _: None
        return
    status, updating = app.status_bar, app.screen_updating

    def say(words: str) -> None:
        app.status_bar = words

    app.screen_updating = False
    try:
        yield say
    finally:
        # The report stands by now, or a better reason why not is on its way.
        with suppress(Exception):
            app.screen_updating = updating
        with suppress(Exception):
            app.status_bar = status or False  # False gives the bar back to Excel
