"""The looks of cells: finding one that keeps a text a text, or adding it."""

from xlsizing.book.package.xml import Edit, Element, attribute_edit, edited, elements


class Looks:
    """The looks that cells of a workbook have by number.

    Parameters
    ----------
    content : the XML of its styles, in UTF-8.

    Raises
    ------
    XmlError : it is broken.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        found = elements(content, ("cellXfs", "xf"))
        self._list = next((each for each in found if each.tag.name == "cellXfs"), None)
        self._xfs = [each for each in found if each.tag.name == "xf" and each.path[-1] == "cellXfs"]
        self._added: list[bytes] = []

    def quoted(self, style: int) -> int:
        """The look `style` for a text that an edit of its cell must not turn into a formula."""
        if self._list is None or style >= len(self._xfs):
            return style
        wanted = self._quoted(self._xfs[style])
        known = [self._written(each) for each in self._xfs] + self._added
        if wanted not in known:
            self._added.append(wanted)
            known.append(wanted)
        return known.index(wanted)

    @property
    def edited(self) -> bytes:
        """The XML with the looks that were added."""
        if not self._added or self._list is None:
            return self.content
        count = str(len(self._xfs) + len(self._added))
        at = self._list.inner_end
        edits = [
            attribute_edit(self.content, self._list.tag, "count", count),
            Edit(at, at, b"".join(self._added)),
        ]
        return edited(self.content, edits)

    def _written(self, look: Element) -> bytes:
        return self.content[look.tag.start : look.end]

    def _quoted(self, look: Element) -> bytes:
        edit = attribute_edit(self.content, look.tag, "quotePrefix", "1")
        start, end = look.tag.start, look.end
        return self.content[start : edit.start] + edit.content + self.content[edit.end : end]
