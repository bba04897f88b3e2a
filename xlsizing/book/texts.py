"""Texts as a cell can hold them, and as the files of workbooks write them."""

import re

LONGEST_TEXT = 32_767
"""UTF-16 units that a cell holds; Excel cuts longer text without a word."""

_CUT = " [...]"
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_STARTS_OF_FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Four signs, and the same in full width, which Excel also takes where people write so."""
_LIKE_AN_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def is_like_a_formula(text: str) -> bool:
    """True for a text that a person's edit of the cell would turn into a formula."""
    return text.lstrip()[:1] in _STARTS_OF_FORMULAS


def cell_text(text: str) -> str:
    """A text as a cell's file holds it: what a cell can hold, and nothing that looks escaped."""
    return escaped(plain_cell_text(text))


def plain_cell_text(text: str) -> str:
    """A text as a cell can hold it: nothing that XML cannot say, and not too long."""
    # A cell breaks its lines by line feeds, and XML would keep only some carriage returns.
    clean = _NOT_IN_XML.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    if _utf16_units(clean) > LONGEST_TEXT:
        # No character takes more than two units, so half the units always fit.
        keep = LONGEST_TEXT - len(_CUT)
        while _utf16_units(clean[:keep]) > LONGEST_TEXT - len(_CUT):
            keep = keep // 2
        clean = clean[:keep] + _CUT
    return clean


def escaped(text: str) -> str:
    """A text in which nothing looks like the format's own escapes, such as _x000D_."""
    return _LIKE_AN_ESCAPE.sub("_x005F_", text)


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
