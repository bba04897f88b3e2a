"""Mutations of XML that know its elements and attributes, and need not leave it whole."""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

Mutation = Callable[[bytes, Random], bytes]

_TAG = re.compile(rb"<([A-Za-z_][\w:.-]*)((?:\s[^<>]*?)?)(/?)>")
_ATTRIBUTE = re.compile(rb'(\s)([A-Za-z_][\w:.-]*)="([^"]*)"')
_TEXT = re.compile(rb">([^<>]+)<")
_DECLARATION = re.compile(rb"^<\?xml[^>]*\?>")

_NUMBERS = (
    "",
    " ",
    "-1",
    "0",
    "1",
    "2",
    "+5",
    " 5 ",
    "5.5",
    "1e9",
    "1e999",
    "-1E-400",
    "NaN",
    "INF",
    "0x10",
    "1_0",
    "1,5",
    "\u0661\u0662",
    "\u00b2",
    "\uff15",
    "\u4e94",
    "9" * 15,
    "9" * 16,
    "9" * 400,
    "9" * 5_000,
    "1048576",
    "1048577",
    "16385",
    "2147483648",
    "4294967296",
    "18446744073709551616",
)
_AREAS = (
    "",
    "A0",
    "A1",
    "A4",
    "A4:B5",
    "A4:DH4",
    "A1:A1",
    "A5:A1048576",
    "A1:XFD1048576",
    "A1048570:D1048576",
    "A1048577",
    "XFE1",
    "ZZZ1",
    "ZZZZ1",
    "A",
    "1",
    "A:A",
    "1:1",
    "B9:A1",
    "$A$5:$B$6",
    "A5:B9 C5",
    "A5,B6",
    "Sheet1!A1",
    "#REF!",
    "R1C1",
    "A\u0665",
    "\u04105",
    "A99999999999",
    "A5:A5:A5",
    "a5:b6",
    "A4:M15" * 3_000,
)
_TARGETS = (
    "",
    ".",
    "..",
    "/",
    "../../../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "http://127.0.0.1:9/sheet.xml",
    "\\\\127.0.0.1\\share\\sheet.xml",
    "/xl/workbook.xml",
    "workbook.xml",
    "worksheets/sheet1.xml",
    "/xl/worksheets/sheet1.xml",
    "worksheets\\sheet1.xml",
    "worksheets/SHEET1.XML",
    "worksheets/sheet999.xml",
    "worksheets/sheet1.xml#a",
    "worksheets%2Fsheet1.xml",
    "sharedStrings.xml",
    "styles.xml",
    "media/image1.png",
    "[Content_Types].xml",
    "a/../" * 5_000,
)
_NAMES = (
    "",
    " ",
    "Models",
    "models",
    "Servers",
    "Storage",
    "Scenarios",
    "Layouts",
    "ModelAliases",
    "Sizing",
    "About",
    "xlwings.conf",
    "Input_Model",
    "Name",
    "Origin",
    "rId1",
    "rId2",
    "rId999",
    "table",
    "worksheet",
    "=1+1",
    "@SUM(1)",
    "A1",
    "it's",
    "x&#10;y",
    "&#9;",
    "&#x85;",
    "&#x9b;2J",
    "_x000D_",
    "_x001B_[2J",
    "_xD800_",
    "*",
    "\u202e",
    "\U0001f4a5",
    "\ufffd",
    "na\u0308me",
    "x" * 40_000,
)
_KINDS = ("s", "str", "inlineStr", "b", "e", "n", "d", "", "S", "x", "shared", "array", "dataTable")
_WORTH: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("r", "ref", "sqref", "topLeftCell", "activeCell"), _AREAS),
    **dict.fromkeys(("Target", "PartName"), _TARGETS),
    **dict.fromkeys(("Id", "id", "r:id", "name", "displayName", "Type", "ContentType"), _NAMES),
    "t": _KINDS,
}
_ANY = (*_NUMBERS, *_AREAS, *_TARGETS, *_NAMES, *_KINDS)

_SWOLLEN = 2**20
"""Bytes from which a part would take longer to mutate than to read."""

_PIECES = (
    b"<!-- a comment -->",
    b"<!---->",
    b"<!-- <sheetData> -->",
    b"<![CDATA[<row r='1'><c r='A1'/></row>]]>",
    b"<?xlsizing something?>",
    b"<?xml version='1.0'?>",
    b"<!DOCTYPE a>",
    b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>',
    b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
    b"&b;",
    b"&lt;",
    b"&#0;",
    b"&#x1b;",
    b"&#xD800;",
    b"&#1114112;",
    b"&#99999999999;",
    b"&amp",
    b"<",
    b">",
    b"\0",
    b"\x1b[2J",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbf\xbf",
    b"]]>",
    b"<a/>",
    b"<a>",
    b"</a>",
    b"</row>",
    b"</sheetData>",
    b"<sheetData/>",
    b"<sheetData><row r='5'><c r='A5'><v>1</v></c></row></sheetData>",
    b"<row/>",
    b"<row r='5'/>",
    b"<row><c><v>1</v></c></row>",
    b"<c/>",
    b"<c r='A5' t='s'><v>0</v></c>",
    b"<c r='A5' t='s'><v>99999999</v></c>",
    b"<c r='A5' t='inlineStr'><is><r><t>a</t></r><rPh><t>b</t></rPh></is></c>",
    b"<f>1+1</f>",
    b"<f t='shared' ref='A5:A9' si='0'>A1</f>",
    b"<f t='array' ref='A5:A9'>SUM(A1:A9)</f>",
    b"<v>1</v>",
    b"<v/>",
    b"<v>1e400</v>",
    b"<mergeCells><mergeCell ref='A5:B6'/></mergeCells>",
    b"<hyperlink ref='A6'/>",
    b"<extLst><ext><x14:sqref>A5:A9</x14:sqref></ext></extLst>",
    b"<x xmlns='http://elsewhere'/>",
    b"<AlternateContent><Choice Requires='x'/></AlternateContent>",
)


def _tags(content: bytes) -> list[re.Match[bytes]]:
    return list(_TAG.finditer(content))


def _element(content: bytes, tag: re.Match[bytes]) -> tuple[int, int]:
    """Where an element begins and ends, as far as its next end tag tells."""
    if tag[3]:
        return tag.span()
    end = content.find(b"</%b>" % tag[1], tag.end())
    return tag.start(), tag.end() if end < 0 else end + len(tag[1]) + 3


def _an_element(content: bytes, random: Random) -> tuple[int, int]:
    tags = _tags(content)
    if not tags:
        return 0, 0
    names = sorted({tag[1] for tag in tags})
    name = random.choice(names)
    # By name first, since most elements of a sheet are cells.
    return _element(content, random.choice([tag for tag in tags if tag[1] == name]))


def _drop(content: bytes, random: Random) -> bytes:
    start, end = _an_element(content, random)
    return content[:start] + content[end:]


def _double(content: bytes, random: Random) -> bytes:
    start, end = _an_element(content, random)
    times = random.choice((1, 1, 3, 200))
    return content[:end] + content[start:end][:10_000] * times + content[end:]


def _swap(content: bytes, random: Random) -> bytes:
    (start, end), (other, last) = sorted(
        (_an_element(content, random), _an_element(content, random))
    )
    if end > other:
        return content
    return b"".join(
        (
            content[:start],
            content[other:last],
            content[end:other],
            content[start:end],
            content[last:],
        )
    )


def _empty(content: bytes, random: Random) -> bytes:
    start, end = _an_element(content, random)
    tag = _TAG.match(content, start)
    return content if not tag else content[:start] + b"<%b%b/>" % (tag[1], tag[2]) + content[end:]


def _rename(content: bytes, random: Random) -> bytes:
    names = sorted({tag[1] for tag in _tags(content)}) or [b"a"]
    old, new = random.choice(names), random.choice([*names, b"x:a", b"\xc3\xa9", b"a" * 5_000])
    count = random.choice((0, 1))
    return re.sub(rb"(</?)%b(?=[\s/>])" % re.escape(old), rb"\g<1>" + new, content, count=count)


def _change_attribute(content: bytes, random: Random) -> bytes:
    found = list(_ATTRIBUTE.finditer(content))
    if not found:
        return content
    name = random.choice(sorted({each[2] for each in found}))
    match = random.choice([each for each in found if each[2] == name])
    worth = _WORTH.get(name.decode(), _NUMBERS)
    value = random.choice(worth if random.random() < 0.8 else _ANY).encode()
    if random.random() < 0.2:
        value = random.choice(found)[3]
    return content[: match.start(3)] + value + content[match.end(3) :]


def _change_an_address(content: bytes, random: Random) -> bytes:
    found = [each for each in _ATTRIBUTE.finditer(content) if each[2] in (b"r", b"ref", b"sqref")]
    if not found:
        return content
    match = random.choice(found)
    value = random.choice(_AREAS).encode() if random.random() < 0.5 else random.choice(found)[3]
    return content[: match.start(3)] + value + content[match.end(3) :]


def _drop_attribute(content: bytes, random: Random) -> bytes:
    found = list(_ATTRIBUTE.finditer(content))
    if not found:
        return content
    name = random.choice(sorted({each[2] for each in found}))
    if random.random() < 0.2:
        return re.sub(rb'\s%b="[^"]*"' % re.escape(name), b"", content)
    match = random.choice([each for each in found if each[2] == name])
    return content[: match.start()] + content[match.end() :]


def _double_attribute(content: bytes, random: Random) -> bytes:
    found = list(_ATTRIBUTE.finditer(content))
    if not found:
        return content
    match = random.choice(found)
    other = random.choice((match[0], b' x:%b="9"' % match[2], b' a="1"', b' t="s"', b' r="A5"'))
    return content[: match.end()] + other + content[match.end() :]


def _change_text(content: bytes, random: Random) -> bytes:
    found = list(_TEXT.finditer(content))
    if not found:
        return content
    match = random.choice(found)
    value = random.choice((random.choice(_ANY).encode(), random.choice(found)[1]))
    return content[: match.start(1)] + value + content[match.end(1) :]


def _put_in(content: bytes, random: Random) -> bytes:
    tags = _tags(content)
    at = random.choice(tags).end() if tags else 0
    return content[:at] + random.choice(_PIECES) + content[at:]


def _put_in_front(content: bytes, random: Random) -> bytes:
    declaration = _DECLARATION.match(content)
    at = declaration.end() if declaration and random.random() < 0.8 else 0
    return content[:at] + random.choice(_PIECES) + content[at:]


def _nest(content: bytes, random: Random) -> bytes:
    tags = _tags(content)
    at = random.choice(tags).end() if tags else 0
    levels = random.choice((50, 199, 201, 5_000, 200_000))
    name = random.choice((b"a", b"si", b"row", b"c", b"r"))
    nested = b"<%b>" % name * levels + b"</%b>" % name * levels
    return content[:at] + nested + content[at:]


def _swell(content: bytes, random: Random) -> bytes:
    tags = _tags(content)
    at = random.choice(tags).end() if tags else 0
    size = random.choice((40_000, 2**20, 5 * 2**20))
    piece = random.choice((b"x", b" ", b"&amp;", b"<a/>", b"<v>", b"<c ", b"_x000D_", b"\xc3\xa9"))
    return content[:at] + piece * (size // len(piece)) + content[at:]


def _swell_an_attribute(content: bytes, random: Random) -> bytes:
    found = list(_ATTRIBUTE.finditer(content))
    if not found:
        return content
    match = random.choice(found)
    piece = random.choice((b"x", b"9", b"A1 ", b"&#10;", b"'", b" "))
    value = piece * (random.choice((300, 40_000, 2**20)) // len(piece))
    return content[: match.start(3)] + value + content[match.end(3) :]


def _repeat(content: bytes, random: Random) -> bytes:
    """An element so often that what is kept of each would fill the memory."""
    start, end = _an_element(content, random)
    piece = random.choice((content[start:end][:400], b"<row/>", b"<c/>", b"<si/>", b"<sheet/>"))
    size = random.choice((1, 1, 5, 30)) * 2**20
    return content[:end] + piece * (size // max(1, len(piece))) + content[end:]


_ENCODINGS: Sequence[tuple[str, bytes]] = (
    ("utf-16", b"UTF-16"),
    ("utf-16-le", b"UTF-16"),
    ("utf-16-be", b"UTF-8"),
    ("utf-8-sig", b"UTF-8"),
    ("utf-8-sig", b"UTF-16"),
    ("utf-8", b"UTF-16"),
    ("utf-8", b"utf-7"),
    ("utf-8", b"latin-1"),
    ("utf-8", b"x-nobody-knows"),
    ("utf-8", b"unicode_escape"),
    ("utf-8", b"idna"),
    ("utf-32", b"UTF-32"),
    ("latin-1", b"ISO-8859-1"),
    ("cp037", b"IBM037"),
)


def _encode(content: bytes, random: Random) -> bytes:
    encoding, declared = random.choice(_ENCODINGS)
    text = _DECLARATION.sub(b"", content).decode("utf-8", "replace")
    if random.random() < 0.8:
        text = f'<?xml version="1.0" encoding="{declared.decode()}"?>{text}'
    return text.encode(encoding, "replace")


def _prefix(content: bytes, random: Random) -> bytes:
    """Elements under a prefix, which means the same where it is declared."""
    prefixed = re.sub(rb"<(/?)(?![?!])(?=[A-Za-z])(?![\w.-]*:)", rb"<\1x:", content)
    return prefixed if random.random() < 0.3 else prefixed.replace(b" xmlns=", b" xmlns:x=", 1)


def _write_otherwise(content: bytes, random: Random) -> bytes:
    """The same document as other programs might write it."""
    ways: Sequence[tuple[bytes, bytes]] = (
        (rb'="([^"\']*)"', rb"='\1'"),
        (rb'="', rb' = "'),
        (rb"/>", rb" />"),
        (rb"(<[A-Za-z]\w*) ", b"\\1\n\t"),
        (rb"<((?:\w+:)?\w+)([^<>]*)/>", rb"<\1\2></\1>"),
        (rb">\s*<", b">\r\n  <"),
        (rb"</(\w+)>", rb"</\1 >"),
    )
    pattern, other = random.choice(ways)
    declaration = _DECLARATION.match(content)
    at = declaration.end() if declaration else 0
    return content[:at] + re.sub(pattern, other, content[at:])


MUTATIONS: Sequence[Mutation] = (
    _drop,
    _drop,
    _double,
    _double,
    _swap,
    _empty,
    _rename,
    _change_attribute,
    _change_attribute,
    _change_attribute,
    _change_attribute,
    _change_an_address,
    _change_an_address,
    _drop_attribute,
    _drop_attribute,
    _double_attribute,
    _change_text,
    _change_text,
    _change_text,
    _put_in,
    _put_in,
    _put_in_front,
    _nest,
    _repeat,
    _swell,
    _swell_an_attribute,
    _encode,
    _prefix,
    _write_otherwise,
)


def mutated(content: bytes, random: Random) -> bytes:
    """The content after one to four of the mutations; one that swells it is the last."""
    for _ in range(random.choice((1, 1, 2, 4))):
        content = random.choice(MUTATIONS)(content, random)
        if len(content) > _SWOLLEN:
            break
    return content
