"""Reading and editing XML that somebody else wrote: nothing in it is expanded or looked up.

Parts of a package may not have a document type (ECMA-376, part 2), and only in one can
entities be declared; so one ends the reading. What is found is told with its place in
the bytes, and an edit leaves all other bytes as they are.
"""

import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from xml.parsers import expat

from xlsizing.core.message import Message

MOST_ELEMENTS, MOST_WANTED = 1_000_000, 200_000
"""How many elements a part may have of which some are wanted, and how many may be wanted."""
MOST_LEVELS = 200
"""How deep elements may be nested; those of workbooks reach some twenty."""

ATTRIBUTES = rb"""(?:\s+[^\s=>]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*"""
"""The attributes of a start tag, as a regular expression finds them in XML that is not broken."""

_TAG = re.compile(rb"<[^\s/>]+" + ATTRIBUTES + rb"/?>")
_ENCODING = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_WIDE = {
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"<\x00": "utf-16-le",
    b"\x00<": "utf-16-be",
}
"""Encodings of two bytes a character, by how a document begins: a mark or its first tag."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class XmlError(Exception):
    """XML that is broken, or that a part of a workbook may not hold; says what is wrong."""


class Tag(NamedTuple):
    """A start tag, and where it stands in the bytes."""

    name: str
    """Its local name, whatever prefix it has."""
    prefix: str
    """What stands before the local name, with its colon; empty for none."""
    attributes: Mapping[str, str]
    """By local name."""
    start: int
    end: int


class Element(NamedTuple):
    """An element: its tag, the names of those that it stands in, and the text right in it."""

    tag: Tag
    path: Sequence[str]
    text: str
    inner_end: int
    """Where its end tag begins; where its only tag ends for an element that is one."""
    end: int

    @property
    def attributes(self) -> Mapping[str, str]:
        """The attributes, by local name."""
        return self.tag.attributes


def as_utf8(content: bytes) -> bytes:
    """XML in UTF-8, whatever it was in.

    Raises
    ------
    XmlError : it is in no encoding that parts of a package may have.
    """
    if encoding := _WIDE.get(content[:2]):
        try:
            return _DECLARATION.sub("", content.decode(encoding), count=1).encode()
        except UnicodeError as error:
            raise XmlError(Message("its text is no UTF-16")) from error
    content = content.removeprefix(_BYTE_ORDER_MARK)
    declared = _ENCODING.match(content[:200])
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        raise XmlError(
            Message(
                "its text is in {encoding}, and must be in UTF-8", encoding=declared[1].decode()
            )
        )
    return content


def require_well_formed(content: bytes) -> None:
    """Raise XmlError where XML is broken or declares a document type."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_document_type
    _parse(parser, content)


def elements(content: bytes, wanted: Collection[str] | None = None) -> list[Element]:
    """The elements of a document whose local name is wanted, in the order in which they end.

    Parameters
    ----------
    content : the document, in UTF-8.
    wanted : local names; None for every element.

    Raises
    ------
    XmlError : it is broken, has a document type, too many elements or levels.
    """
    return _Reading(content, wanted).found


class _Reading:
    """A document while it is read."""

    def __init__(self, content: bytes, wanted: Collection[str] | None) -> None:
        self.content = content
        self.wanted = wanted
        self.found: list[Element] = []
        self.count = 0
        self.path: list[str] = []
        self.open: list[tuple[Tag, list[str]] | None] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = _refuse_document_type
        _parse(self.parser, content)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.path) >= MOST_LEVELS:
            raise XmlError(
                Message(
                    "its XML is nested deeper than {most} levels",
                    most=str(MOST_LEVELS),
                )
            )
        self.count += 1
        if self.count > MOST_ELEMENTS or len(self.found) > MOST_WANTED:
            raise XmlError(Message("its XML has more elements than a spreadsheet program writes"))
        prefix, colon, local = name.rpartition(":")
        if self.wanted is None or local in self.wanted:
            start = self.parser.CurrentByteIndex
            written = _TAG.match(self.content, start)
            if written is None:
                raise XmlError(Message("its XML has a tag that cannot be read"))
            by_name = {key.rpartition(":")[2]: value for key, value in attributes.items()}
            self.open.append((Tag(local, prefix + colon, by_name, start, written.end()), []))
        else:
            self.open.append(None)
        self.path.append(local)

    def _end(self, name: str) -> None:
        del name
        self.path.pop()
        opened = self.open.pop()
        if opened is None:
            return
        tag, texts = opened
        if self.content.endswith(b"/>", tag.start, tag.end):
            inner_end = end = tag.end
        else:
            inner_end = self.parser.CurrentByteIndex
            end = self.content.index(b">", inner_end) + 1
        self.found.append(Element(tag, tuple(self.path), "".join(texts), inner_end, end))

    def _text(self, text: str) -> None:
        if self.open and (opened := self.open[-1]):
            opened[1].append(text)


def _parse(parser: "expat.XMLParserType", content: bytes) -> None:
    try:
        parser.Parse(content, True)  # noqa: FBT003 -- it takes no keywords
    except expat.ExpatError as error:
        raise XmlError(
            Message("its XML is broken at line {line}", line=str(error.lineno))
        ) from error
    except (ValueError, LookupError) as error:  # an encoding that Python does not know
        raise XmlError(Message("its XML is in no known encoding")) from error


def _refuse_document_type(*declared: object) -> None:
    del declared
    raise XmlError(Message("its XML declares a document type, which no part of a workbook may"))


class Edit(NamedTuple):
    """Bytes to stand in the place of those from `start` to `end`."""

    start: int
    end: int
    content: bytes


def edited(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The content after edits that do not overlap; all other bytes are as they were."""
    pieces = []
    at = 0
    for edit in sorted(edits):
        assert edit.start >= at, "two edits overlap"
        pieces += [content[at : edit.start], edit.content]
        at = edit.end
    return b"".join([*pieces, content[at:]])


def attribute_edit(content: bytes, tag: Tag, name: str, value: str) -> Edit:
    """The edit that gives an attribute of a tag another value, or adds it."""
    pattern = rb"""(\s(?:[^\s=>]+:)?%b\s*=\s*)("[^"]*"|'[^']*')""" % re.escape(name.encode())
    written = re.compile(pattern).search(content, tag.start, tag.end)
    if written:
        return Edit(written.start(2), written.end(2), f'"{in_attribute(value)}"'.encode())
    at = tag.end - (2 if content.endswith(b"/>", tag.start, tag.end) else 1)
    return Edit(at, at, f' {name}="{in_attribute(value)}"'.encode())


def without_attribute(content: bytes, tag: Tag, name: str) -> Edit | None:
    """The edit that takes an attribute out of a tag; None where it has none of that name."""
    pattern = rb"""\s(?:[^\s=>]+:)?%b\s*=\s*(?:"[^"]*"|'[^']*')""" % re.escape(name.encode())
    written = re.compile(pattern).search(content, tag.start, tag.end)
    return Edit(written.start(), written.end(), b"") if written else None


def text_edit(content: bytes, element: Element, text: str) -> Edit:
    """The edit that gives an element, which holds text alone, another text."""
    tag = element.tag
    if element.end > tag.end:
        return Edit(tag.end, element.inner_end, in_text(text).encode())
    opened = content[tag.start : tag.end].removesuffix(b"/>").rstrip()
    closed = f">{in_text(text)}</{tag.prefix}{tag.name}>".encode()
    return Edit(tag.start, tag.end, opened + closed)


def plain_text(written: bytes) -> str:
    """The text that is meant by what stands between tags."""
    text = written.decode().replace("\r\n", "\n").replace("\r", "\n")
    return _REFERENCE.sub(_character, text) if "&" in text else text


_REFERENCE = re.compile(r"&(?:#x([0-9A-Fa-f]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def _character(reference: re.Match[str]) -> str:
    in_hex, in_decimal, name = reference.groups()
    if name:
        return _NAMED[name]
    code = int(in_hex, 16) if in_hex else int(in_decimal)
    # Some of what is looked through has been read by no parser, which would have refused it.
    return chr(code) if code <= sys.maxunicode else reference[0]


def append_edit(content: bytes, element: Element, inner: bytes) -> Edit:
    """The edit that adds XML to what is in an element, after all else."""
    tag = element.tag
    if element.end > tag.end:
        return Edit(element.inner_end, element.inner_end, inner)
    opened = content[tag.start : tag.end].removesuffix(b"/>").rstrip() + b">"
    return Edit(tag.start, tag.end, opened + inner + f"</{tag.prefix}{tag.name}>".encode())


def in_text(text: str) -> str:
    """A text as XML holds it between tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def in_attribute(text: str) -> str:
    """A text as XML holds it between double quotes."""
    return "".join(_IN_ATTRIBUTES.get(character, character) for character in in_text(text))


_IN_ATTRIBUTES = {'"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}
