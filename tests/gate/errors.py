"""Errors that cells show: none, but where the error is a load's own answer.

Where nothing fits, a count of nodes is #NUM! and not a figure that a budget would take up.
The load's status says so in words, and only beside such words may an error stand.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.book.rules import MAIN, Area, Book, Element, Sheet, Table, area, rule

ANSWERS = frozenset({"Sizing", "Scenarios", "Charts", "Engine"})
"""The sheets that compute loads."""

COMPUTED = ("OK", "Unsafe")
"""How the status of a load begins that has all its figures."""


@rule
def error_values(book: Book) -> Iterator[str]:
    """No cell shows an error, unless it computes a load whose status says that it has no answer."""
    for sheet in book.sheets:
        wrong = [cell for cell in sheet.cells if cell.get("t") == "e"]
        statuses = Statuses.of(book, sheet) if wrong else None
        for cell in wrong:
            if statuses is None or not statuses.allow(cell):
                yield f"{sheet.title}!{cell.get('r')} shows the error {book.text(cell)}."


@dataclass(frozen=True)
class Statuses:
    """What a sheet that computes loads says of them."""

    sheet: Sheet
    of_the_load: str | None
    """Of the load on Sizing, which Engine shows too; None for other sheets."""
    of_rows: dict[tuple[str, int], list[str]]
    """Of each row of a table, by the table's name and the row: of the plan and of the engine."""

    @classmethod
    def of(cls, book: Book, sheet: Sheet) -> "Statuses | None":
        if sheet.title not in ANSWERS:
            return None
        rows: dict[tuple[str, int], list[str]] = {}
        for table in sheet.tables:
            covered = area(table.ref)
            assert covered is not None
            places = [
                covered.left + table.columns.index(head)
                for head in ("Status", "Engine status")
                if head in table.columns
            ]
            for cell in sheet.cells:
                place = area(cell.get("r"))
                if place and place.overlaps(covered) and place.left in places:
                    rows.setdefault((table.name, place.top), []).append(book.text(cell))
        return cls(sheet, _named_text(book, "Output_Status"), rows)

    def allow(self, cell: Element) -> bool:
        """True where the cell computes a load that has no answer."""
        place = area(cell.get("r"))
        if place is None:
            return False
        table = next((each for each in self.sheet.tables if _covers(each, place)), None)
        is_computed = cell.find(f"{MAIN}f") is not None
        if table is None:
            of_scenarios = self.sheet.title == "Scenarios"
            statuses = [] if of_scenarios or not is_computed else [self.of_the_load or ""]
        elif not is_computed and _head(table, place) == "Active":
            # What is typed there is not "no", so the row counts.
            return True
        else:
            # A person may have typed an error into a scenario; its status says so.
            statuses = self.of_rows.get((table.name, place.top), [])
        return any(status and not status.startswith(COMPUTED) for status in statuses)


def _covers(table: Table, place: Area) -> bool:
    covered = area(table.ref)
    return covered is not None and covered.overlaps(place)


def _head(table: Table, place: Area) -> str:
    covered = area(table.ref)
    assert covered is not None
    return table.columns[place.left - covered.left]


def _named_text(book: Book, name: str) -> str | None:
    """What the one cell of a name shows."""
    text = next((each.text for each in book.names if each.name == name), "")
    title, _, address = text.replace("$", "").rpartition("!")
    for sheet in book.sheets:
        if sheet.title == title.strip("'"):
            return next((book.text(cell) for cell in sheet.cells if cell.get("r") == address), None)
    return None
