"""Ranges of cells, and functions of single cells that answer for whole ranges.

An argument is a value or a range, as a list of rows. Ranges broadcast as Excel's own
functions do: one cell, one row or one column stands for as many as the others have, and
where two have neither equal length nor length one, the cells beyond the shorter are #N/A.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import NamedTuple, TypeAlias

from xlsizing.core import SizingError
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message
from xlsizing.excel.cells import NOT_AVAILABLE, Cell, error_in, error_value, is_blank, is_error

Range: TypeAlias = list[list[Cell]]
Argument: TypeAlias = Cell | Range

MOST_CELLS = 2**21
"""Cells that an answer may have: two whole columns of a sheet."""


class Shape(NamedTuple):
    """Rows and columns of a range."""

    rows: int
    columns: int

    @property
    def cells(self) -> int:
        """How many cells it has."""
        return self.rows * self.columns


def shape_of(argument: Argument) -> Shape:
    """Rows and columns of an argument; a value is a range of one cell."""
    if not isinstance(argument, list):
        return Shape(1, 1)
    return Shape(len(argument), len(argument[0]) if argument else 0)


def common_shape(arguments: Iterable[Argument]) -> Shape:
    """The shape of an answer: as many rows and columns as the largest argument has.

    Raises
    ------
    InvalidValueError : more cells than MOST_CELLS.
    """
    shapes = [shape_of(argument) for argument in arguments]
    shape = Shape(max(each.rows for each in shapes), max(each.columns for each in shapes))
    if shape.cells > MOST_CELLS:
        cells = Message(
            "{rows} x {columns} cells", rows=grouped(shape.rows), columns=grouped(shape.columns)
        )
        right = Message("at most {most}", most=grouped(MOST_CELLS))
        raise InvalidValueError(Message("the answer"), cells, right)
    return shape


def spread(argument: Argument, shape: Shape) -> Iterable[Cell]:
    """The cells of an argument for each cell of an answer, row by row."""
    if not isinstance(argument, list):
        return repeat(argument, shape.cells)
    rows, columns = shape_of(argument)
    if (rows, columns) == (1, 1):
        return repeat(argument[0][0], shape.cells)
    if (rows, columns) == shape:
        return [cell for row in argument for cell in row]
    height = argument * shape.rows if rows == 1 else argument
    beyond: list[Cell] = [NOT_AVAILABLE] * shape.columns
    missing = [beyond] * (shape.rows - len(height))
    return [cell for row in (*height, *missing) for cell in _widened(row, shape.columns)]


def _widened(row: list[Cell], columns: int) -> list[Cell]:
    if len(row) == 1:
        return row * columns
    return [*row, *[NOT_AVAILABLE] * (columns - len(row))]


class Staged:
    """A function of cells in two stages: what depends on few of them is done first, and once
    where a range varies in none of them.

    Parameters
    ----------
    prepare : takes the cells of `places`, and returns the function of the others.
    places : the places of those arguments, from 0.
    count : how many arguments there are.
    """

    def __init__(
        self, prepare: Callable[..., Callable[..., Cell]], places: Sequence[int], count: int
    ) -> None:
        self._prepare = prepare
        self._places = tuple(places)
        self._others = tuple(place for place in range(count) if place not in self._places)

    def __call__(self, *cells: Cell) -> Cell:
        """The function of all cells."""
        prepared = self._prepare(*[cells[place] for place in self._places])
        return prepared(*[cells[place] for place in self._others])

    def split(
        self, arguments: Sequence[Argument]
    ) -> tuple[Callable[..., Cell], Sequence[Argument]] | None:
        """The second stage and its arguments; None where the first is to be done for each cell."""
        first = [arguments[place] for place in self._places]
        if any(isinstance(argument, list) for argument in first):
            return None
        try:
            prepared = self._prepare(*first)
        except SizingError:
            return None
        return prepared, [arguments[place] for place in self._others]


def answers(
    function: Callable[..., Cell],
    arguments: Sequence[Argument],
    required: int,
    *,
    tells_errors: bool = False,
) -> Cell | Range:
    """What a function of cells answers for values and ranges.

    Parameters
    ----------
    function : takes one cell for each argument, raises SizingError.
    arguments : values or ranges.
    required : how many of the arguments, from the first, must be given. Where those of
        them that are ranges are all blank, nothing is asked, and the answer is blank.
    tells_errors : the function answers for an error value itself; else it is passed on.

    Returns
    -------
    Cell : where all arguments are values.
    Range : otherwise. What fails is an error value there, and spoils no other cell.

    Raises
    ------
    SizingError : what the function raised, where all arguments are values.
    """
    if not any(isinstance(argument, list) for argument in arguments):
        return (not tells_errors and error_in(arguments)) or function(*arguments)
    shape = common_shape(arguments)
    blank = _blank(
        [spread(each, shape) for each in arguments[:required] if shape_of(each).cells > 1]
    )
    passes_errors = not tells_errors and _has_errors(arguments)
    if isinstance(function, Staged) and (stage := function.split(arguments)):
        function, arguments = stage
    answer = _careful(function) if passes_errors else _safe(function)
    columns = [spread(argument, shape) for argument in arguments]
    if blank:
        flat = [
            "" if nothing else answer(*cells)
            for nothing, *cells in zip(blank, *columns, strict=True)
        ]
    else:
        flat = list(map(answer, *columns))
    width = shape.columns
    if width == 1:
        return [[cell] for cell in flat]
    return [flat[start : start + width] for start in range(0, len(flat), width)]


def loads(arguments: Sequence[Argument], required: int) -> Iterator[tuple[Cell, ...] | None]:
    """The cells of each load, row by row; None where nothing is asked (see `answers`)."""
    shape = common_shape(arguments)
    columns = [spread(argument, shape) for argument in arguments]
    blank = _blank(
        [spread(each, shape) for each in arguments[:required] if shape_of(each).cells > 1]
    )
    for place, cells in enumerate(zip(*columns, strict=True)):
        yield None if blank and blank[place] else cells


def _safe(function: Callable[..., Cell]) -> Callable[..., Cell]:
    """The function with an error value where it raises."""

    def answer(*cells: Cell) -> Cell:
        try:
            return function(*cells)
        except SizingError as error:
            return error_value(error)

    return answer


def _careful(function: Callable[..., Cell]) -> Callable[..., Cell]:
    """The same, which also passes on an error value of an argument."""
    safe = _safe(function)
    return lambda *cells: error_in(cells) or safe(*cells)


def _has_errors(arguments: Sequence[Argument]) -> bool:
    """Whether a cell shows an error, or will where ranges do not match."""
    ranges = [argument for argument in arguments if isinstance(argument, list)]
    heights = {len(each) for each in ranges} - {1}
    widths = {shape_of(each).columns for each in ranges} - {1}
    if len(heights) > 1 or len(widths) > 1:
        return True
    return error_in([each for each in arguments if not isinstance(each, list)]) is not None or any(
        is_error(cell) for each in ranges for row in each for cell in row
    )


def _blank(ranges: Sequence[Iterable[Cell]]) -> list[bool]:
    """Where nothing is asked, by what must be given and is a range; empty if nowhere."""
    if not ranges or not all(any(map(is_blank, cells)) for cells in ranges):
        return []
    return [all(map(is_blank, cells)) for cells in zip(*ranges, strict=True)]
