"""Entering formulas again that were typed before the add-in was there.

Excel looks a function's name up when a formula is entered. A formula that was entered
while the add-in was not loaded shows #NAME? and stays so when it is, whatever is
recalculated; it must be entered again (OfficeDev/office-js issues 6395 and 6611).
"""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import xlwings

from xlsizing.excel.host import FUNCTIONS, excel_script

UNRESOLVED = "#NAME?"
"""What a cell shows that calls an unknown function."""

_HIDES_ERRORS = re.compile(r"(?<![\w.])(?:IFERROR|ISERROR|ISERR|ERROR\.TYPE)\(", re.IGNORECASE)

_CALLS = r"""
    "(?:[^"]|"")*"                                              # a text
    | (?:(?:'(?:[^']|'')*'|[\w.]+)!)?_xldudf_(?P<marked>{names})(?=\()
    | '(?:[^']|'')*'                                            # a sheet's name
    | (?<![\w.!])(?P<plain>{names})(?=\()
"""
"""The calls in a formula, and what only looks like one.

Excel marks the function of an add-in with _xldudf_ where it keeps a formula. A formula that
it could not resolve may show the mark, even after the name of another add-in's workbook
(OfficeDev/office-js issues 2568 and 3872).
"""


class Entry(NamedTuple):
    """Formulas to be entered again, one below the other."""

    row: int
    """Row of the first in the range, from 0."""
    column: int
    """Column in the range, from 0."""
    formulas: list[str]


@excel_script("Re-enter formulas")
async def reenter_formulas(book: xlwings.BookAsync) -> None:
    """Enter every formula again that shows #NAME? for one of the functions.

    Use it once after the add-in was installed, or where another add-in broke formulas.
    Nothing else is changed.
    """
    total = 0
    for sheet in book.sheets:
        used = await sheet.get_used_range(values_only=True)
        if used is None:
            continue
        formulas = await used.options(ndim=2).get_formula()
        shown = await used.options(ndim=2, err_to_str=True).get_value()
        found = list(entries(formulas, shown, FUNCTIONS))
        for row, column, again in found:
            cells = used[row : row + len(again), column]
            cells.formula = [[formula] for formula in again]
        # Sheet by sheet: where Excel refuses one, those before it are done.
        await book.flush()
        count = sum(len(entry.formulas) for entry in found)
        total += count
        if count:
            print(f"{sheet.name}: {count} formula{'s' if count > 1 else ''} entered again.")
    if not total:
        print("No formula had to be entered again.")


def entries(
    formulas: Sequence[Sequence[object]],
    shown: Sequence[Sequence[object]],
    functions: Collection[str],
) -> Iterator[Entry]:
    """The formulas of a range that must be entered again, each run of a column as one.

    Those are formulas that call one of the functions and show #NAME?, bear Excel's own mark
    in their text, or catch errors and so may hide a #NAME?.

    Parameters
    ----------
    formulas : the cells' formulas, row by row; of a cell without one, its value.
    shown : what the cells show, an error as its text.
    functions : names of the functions.
    """
    names = "|".join(map(re.escape, functions))
    calls = re.compile(_CALLS.format(names=names), re.IGNORECASE | re.VERBOSE)
    for column, cells in enumerate(zip(*formulas, strict=True)):
        run: list[str] = []
        for row, formula in enumerate([*cells, None]):
            again = formula and _entered_again(formula, calls)
            if again and (again != formula or _may_be_broken(formulas, shown, row, column)):
                run.append(again)
            elif run:
                yield Entry(row - len(run), column, run)
                run = []


def _entered_again(formula: object, calls: re.Pattern[str]) -> str | None:
    """A formula as a person types it; None where it calls none of the functions."""
    if not isinstance(formula, str) or not formula.startswith("="):
        return None
    called = [match["marked"] or match["plain"] for match in calls.finditer(formula)]
    if not any(called):
        return None
    return calls.sub(lambda match: match["marked"] or match[0], formula)


def _may_be_broken(
    formulas: Sequence[Sequence[object]], shown: Sequence[Sequence[object]], row: int, column: int
) -> bool:
    if shown[row][column] == UNRESOLVED:
        return True
    formula = formulas[row][column]
    # A cell that a formula spills into may bear the same text, and must stay as it is.
    beside = {
        formulas[row - 1][column] if row else None,
        formulas[row][column - 1] if column else None,
    }
    return formula not in beside and bool(_HIDES_ERRORS.search(str(formula)))
