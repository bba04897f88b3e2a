"""The texts that the cells of a workbook share: numbered in a part of their own."""

import re
from collections.abc import Collection, Iterator

from xlsizing.book.package.opened import Package
from xlsizing.book.package.xml import XmlError, as_utf8, elements
from xlsizing.core.message import Message

_ITEM = rb"<%bsi\b[^>]*?(?:/>|>.*?</%bsi>)"
_LONGEST_ITEM = 16 * 2**20
"""Bytes after which an item must have ended; its text has at most 32,767 characters."""
_ROOT = re.compile(rb"<((?:[\w.-]+:)?)sst\b")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def shared_texts(package: Package, part: str, wanted: Collection[int]) -> dict[int, str]:
    """Shared texts by number; those that there are not are left out.

    One pass, a megabyte at a time: the table of a large workbook is larger than all that
    is wanted from it.

    Raises
    ------
    WorkbookReadError : the part is missing or damaged.
    """
    if not wanted:
        return {}
    found: dict[int, str] = {}
    last = max(wanted)
    number = 0
    try:
        for items in _whole_items(package, part):
            end = number + len(items)
            for place in wanted if len(items) > len(wanted) else range(number, end):
                if number <= place < end and place in wanted:
                    found[place] = rich_text(items[place - number])
            number = end
            if number > last:
                break
    except XmlError as error:
        raise package.broken(part, error) from error
    return found


def _whole_items(package: Package, part: str) -> Iterator[list[bytes]]:
    """The items of the table, some at a time."""
    pattern: re.Pattern[bytes] | None = None
    rest = b""
    for chunk in package.chunks(part):
        rest += chunk
        if pattern is None:
            if b"\0" in rest[:2] or rest.startswith((b"\xff\xfe", b"\xfe\xff")):
                rest = as_utf8(package.read(part))
            root = _ROOT.search(rest)
            if b"<!DOCTYPE" in rest:
                raise XmlError(
                    Message("its XML declares a document type, which no part of a workbook may")
                )
            if root is None:
                continue
            pattern = re.compile(_ITEM % (root[1], root[1]), re.DOTALL)
            closing = b"</%bsi>" % root[1]
        # Up to an end, so that no item is begun in vain and looked for to the end each time.
        end = rest.rfind(closing) + len(closing)
        if end >= len(closing):
            yield [match[0] for match in pattern.finditer(rest, 0, end)]
            rest = rest[end:]
        if len(rest) > _LONGEST_ITEM:
            raise XmlError(Message("a text has no end"))


def rich_text(item: bytes) -> str:
    """The text of an item or an inline string: its runs joined, without what tells how to read it."""
    runs = [each.text for each in elements(item, ("t",)) if "rPh" not in each.path]
    return unescaped("".join(runs))


def unescaped(text: str) -> str:
    """A text without the format's own escapes, such as _x000D_.

    Halves of a character are joined; one without the other stands for nothing.
    """
    if "_x" not in text:
        return text
    characters = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
    return characters.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
