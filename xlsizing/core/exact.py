"""Exact reading and showing of numbers.

A float slip buys a machine: 100 sessions with headroom 0.1 on nodes of 110 sessions
is 1 node, but ``ceil(100 * 1.1 / 110)`` is 2. So a number that a person typed means
the decimal that they typed, and from there on only integers are counted with.
"""

from decimal import Decimal
from functools import lru_cache
from math import isfinite

from xlsizing.core.message import Figure

RATIO_PARTS = 10_000
"""Ratios are counted in ten-thousandths, so they may have 4 decimals; in the workbook too."""

GIB_PARTS = 100
"""Amounts of GB and GiB are counted in hundredths, so they may have 2 decimals."""

MOST_DIGITS = 400
"""Digits beyond which a Decimal is not written out as an integer; a float has 309 at most."""

Number = int | float | Decimal


def is_number(value: object) -> bool:
    """True for a finite int, float or Decimal; False for booleans, text and the rest."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int) or isfinite(value)


def typed_decimal(value: Number) -> Decimal:
    """The decimal that a person meant by `value`.

    A float is read at 15 significant digits, as Excel shows it, so that 0.1 is one
    tenth and 0.1 + 0.2 is three tenths.
    """
    return Decimal(format(value, ".15g")) if isinstance(value, float) else Decimal(value)


@lru_cache(maxsize=4096, typed=True)
def is_in_parts(value: Number, parts: int) -> bool:
    """True where `value` is a whole number of parts, such as ten-thousandths."""
    numerator, denominator = typed_decimal(value).as_integer_ratio()
    return numerator * parts % denominator == 0


@lru_cache(maxsize=4096, typed=True)
def in_parts(value: Number, parts: int) -> int:
    """`value` counted in parts: in_parts(0.7, 10_000) is 7000.

    What is left over is cut; callers refuse it first (see `is_in_parts`).
    """
    numerator, denominator = typed_decimal(value).as_integer_ratio()
    return numerator * parts // denominator


def as_whole(value: object) -> object:
    """An int for a number without a fraction, anything else as it is.

    Spreadsheets hold every number as a float, so 1000.0 stands for 1000.
    """
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if (
        isinstance(value, Decimal)
        and value.is_finite()
        and value.adjusted() <= MOST_DIGITS
        and value == int(value)
    ):
        return int(value)
    return value


def ceil_div(numerator: int, denominator: int) -> int:
    """The quotient of two integers, rounded up."""
    return -(-numerator // denominator)


def grouped(numerator: int, denominator: int = 1, places: int = 0) -> Figure:
    """A quotient as text, with thousands separators and `places` decimals, half rounded up.

    The same text that Excel's FIXED gives where the decimal sign is a point, so that an
    alert reads the same from the command line and in a sheet.
    """
    parts: int = 10**places
    scaled = (2 * abs(numerator) * parts + denominator) // (2 * denominator)
    whole, fraction = divmod(scaled, parts)
    sign = "-" if numerator < 0 and scaled else ""
    return Figure(f"{sign}{whole:,}" + (f".{fraction:0{places}d}" if places else ""))


def plain(value: Number) -> Figure:
    """A number as text with the digits that it has: 28, 0.15, 7.67."""
    return Figure(format(typed_decimal(value).normalize(), "f"))
