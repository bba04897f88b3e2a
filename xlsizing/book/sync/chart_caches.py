"""What charts keep of the cells that they draw: refreshed where those cells have changed."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from xlsizing.book.package.xml import Edit, Element, elements, in_text, text_edit
from xlsizing.book.sync.ranges import Stretch, references, stretched_references
from xlsizing.book.texts import escaped
from xlsizing.book.worksheet import Area
from xlsizing.core.planning.cells import CellError, Value, words

_CACHES = ("numCache", "strCache")

Values = Callable[[str, Area], list[Value] | None]
"""The values of an area of a sheet in their order; None of a sheet that has not changed."""


class _Drawn(NamedTuple):
    """A reference of a chart, and what it keeps of its cells."""

    reference: Element
    cache: Element | None


def chart_edits(
    content: bytes, titles: Sequence[str], stretches: Sequence[Stretch], values: Values
) -> list[Edit]:
    """The edits of a chart that draws cells of sheets that have changed.

    Parameters
    ----------
    content : the XML of the chart.
    titles : the sheets that have changed.
    stretches : how tables came to end elsewhere; references to all their rows go with them.
    values : what cells hold now.
    """
    edits: list[Edit] = []
    for drawn in _drawn(content):
        text = drawn.reference.text
        new = text
        for stretch in stretches:
            new = stretched_references(new, stretch)
        if new != text:
            edits.append(text_edit(content, drawn.reference, new))
        for title in titles:
            areas = references(new, title)
            if drawn.cache and len(areas) == 1:
                held = values(title, areas[0])
                if held is not None:
                    edits += _cache_edits(content, drawn.cache, held)
    return edits


def _drawn(content: bytes) -> Iterator[_Drawn]:
    """The references of a chart to cells, each with its cache."""
    reference: Element | None = None
    for each in elements(content, ("f", *_CACHES, "numRef", "strRef")):
        name = each.tag.name
        if name == "f" and each.path[-1] in ("numRef", "strRef"):
            reference = each
        elif name in _CACHES and reference is not None:
            yield _Drawn(reference, each)
            reference = None
        elif name in ("numRef", "strRef") and reference is not None:
            yield _Drawn(reference, None)
            reference = None


def _cache_edits(content: bytes, cache: Element, held: Sequence[Value]) -> Iterator[Edit]:
    prefix, is_text = cache.tag.prefix, cache.tag.name == "strCache"
    wanted = [
        (place, escaped(words(value)) if is_text else repr(value))
        for place, value in enumerate(held)
        if _is_drawn(value, is_text=is_text)
    ]
    inner = content[cache.tag.end : cache.inner_end]
    kept = b""
    for each in elements(content[cache.tag.start : cache.end], ("formatCode",)):
        kept = content[cache.tag.start + each.tag.start : cache.tag.start + each.end]
    texts = "".join(
        f'<{prefix}pt idx="{place}"><{prefix}v>{in_text(text)}</{prefix}v></{prefix}pt>'
        for place, text in wanted
    )
    count = f'<{prefix}ptCount val="{len(held)}"/>'
    new = kept + f"{count}{texts}".encode()
    if new != inner:
        yield Edit(cache.tag.end, cache.inner_end, new)


def _is_drawn(value: Value, *, is_text: bool) -> bool:
    """Whether a chart keeps a point of a value; what is no number has none among numbers."""
    if is_text:
        return value not in (None, "")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and not isinstance(value, CellError)
