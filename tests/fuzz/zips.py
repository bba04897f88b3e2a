"""Zip files whose headers may lie, and the ways in which they do."""

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

STORED, DEFLATED = 0, 8

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_END_64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR = struct.Struct("<4sIQI")
_DESCRIPTOR = struct.Struct("<4sIII")
_DATE = (1 << 5) | 1
"""The first day that zip files know."""
_ENCRYPTED, _SIZES_FOLLOW, _UTF_8 = 0x1, 0x8, 0x800


@dataclass(frozen=True)
class Part:
    """A part of a workbook, and how it stands packed in a zip file."""

    name: bytes
    content: bytes
    packed: bytes
    crc: int

    @property
    def is_markup(self) -> bool:
        """Whether it holds XML."""
        return self.name.endswith((b".xml", b".rels", b".vml"))


def part(name: bytes, content: bytes) -> Part:
    """A part with this content, packed."""
    # Large ones fast, since what is measured is not the packing.
    packer = zlib.compressobj(1 if len(content) > 2**21 else 6, zlib.DEFLATED, -15)
    return Part(name, content, packer.compress(content) + packer.flush(), zlib.crc32(content))


@dataclass
class Header:
    """What a header says of a part; None for what is true."""

    name: bytes | None = None
    flags: int | None = None
    method: int | None = None
    crc: int | None = None
    packed: int | None = None
    size: int | None = None
    extra: bytes = b""


@dataclass
class Entry:
    """A part in a zip file, and what is said of it before it and in the list at the end."""

    part: Part
    method: int = DEFLATED
    flags: int = 0
    local: Header = field(default_factory=Header)
    central: Header = field(default_factory=Header)
    comment: bytes = b""
    attributes: int = 0
    offset: int | None = None
    """Where the list says that it begins; None for where it does."""
    is_written: bool = True

    @property
    def data(self) -> bytes:
        """Its bytes in the file."""
        return self.part.content if self.method == STORED else self.part.packed


@dataclass
class Zip:
    """A zip file before it is written."""

    entries: list[Entry]
    comment: bytes = b""
    before: bytes = b""
    between: bytes = b""
    """Bytes between the parts and the list of them."""
    after: bytes = b""
    count: int | None = None
    length: int | None = None
    start: int | None = None
    has_64: bool = False
    count_64: int | None = None
    length_64: int | None = None


def packed(parts: Sequence[Part]) -> Zip:
    """The zip file of parts, which says nothing but the truth."""
    return Zip([Entry(each) for each in parts])


def written(file: Zip) -> bytes:
    """The bytes of a zip file."""
    found = bytearray(file.before)
    directory = bytearray()
    for entry in file.entries:
        start = len(found)
        if entry.is_written:
            found += _local(entry)
        directory += _central(entry, start if entry.offset is None else entry.offset)
    found += file.between
    start = len(found) if file.start is None else file.start
    found += directory
    count = len(file.entries) if file.count is None else file.count
    length = len(directory) if file.length is None else file.length
    if file.has_64:
        of_64 = len(found)
        count_64 = count if file.count_64 is None else file.count_64
        length_64 = length if file.length_64 is None else file.length_64
        found += _END_64.pack(
            b"PK\6\6", 44, 45, 45, 0, 0, count_64, count_64, length_64, start
        ) + _LOCATOR.pack(b"PK\6\7", 0, of_64, 1)
        count, length, start = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
    comment = file.comment[:0xFFFF]
    found += _END.pack(
        b"PK\5\6",
        0,
        0,
        count & 0xFFFF,
        count & 0xFFFF,
        length & 0xFFFFFFFF,
        start & 0xFFFFFFFF,
        len(comment),
    )
    return bytes(found + comment + file.after)


def _said(entry: Entry, header: Header) -> tuple[bytes, int, int, int, int, int]:
    name = entry.part.name if header.name is None else header.name
    flags = entry.flags | (0 if name.isascii() else _UTF_8)
    flags = flags if header.flags is None else header.flags
    method = entry.method if header.method is None else header.method
    crc = entry.part.crc if header.crc is None else header.crc
    length = len(entry.data) if header.packed is None else header.packed
    size = len(entry.part.content) if header.size is None else header.size
    return name[:0xFFFF], flags, method, crc, length & 0xFFFFFFFF, size & 0xFFFFFFFF


def _local(entry: Entry) -> bytes:
    name, flags, method, crc, length, size = _said(entry, entry.local)
    sizes = (0, 0, 0) if flags & _SIZES_FOLLOW else (crc, length, size)
    extra = entry.local.extra
    head = _LOCAL.pack(b"PK\3\4", 20, flags, method, 0, _DATE, *sizes, len(name), len(extra))
    after = _DESCRIPTOR.pack(b"PK\7\x08", crc, length, size) if flags & _SIZES_FOLLOW else b""
    return head + name + extra + entry.data + after


def _central(entry: Entry, start: int) -> bytes:
    name, flags, method, crc, length, size = _said(entry, entry.central)
    extra, comment = entry.central.extra, entry.comment
    head = _CENTRAL.pack(
        b"PK\1\2",
        20,
        20,
        flags,
        method,
        0,
        _DATE,
        crc,
        length,
        size,
        len(name),
        len(extra),
        len(comment),
        0,
        0,
        entry.attributes,
        start & 0xFFFFFFFF,
    )
    return head + name + extra + comment


SIZES = (0, 1, 100, 10**6, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
NAMES = (
    b"../../../../tmp/outside.xml",
    b"..\\..\\outside.xml",
    b"/xl/workbook.xml",
    b"\\xl\\workbook.xml",
    b"xl\\workbook.xml",
    b"XL/WORKBOOK.XML",
    b"xl/./workbook.xml",
    b"xl//workbook.xml",
    b"C:\\xl\\workbook.xml",
    b"xl/workbook.xml\0.txt",
    b"",
    b".",
    b"/",
    b"xl/",
    b"\0",
    b"\n",
    b"\x1b[2J",
    b"a" * 60_000,
    b"a/" * 30_000,
    b"\xff\xfe\xfd",
    "xl/w\u00f6rk.xml".encode(),
    "\u202exlsx.xml".encode(),
    b"[Content_Types].xml",
    b"_rels/.rels",
    b"xl/workbook.bin",
    b"mimetype",
    b"xl/vbaProject.bin",
    b"_xmlsignatures/sig1.xml",
    b"word/document.xml",
    b"EncryptedPackage",
)


def _header(entry: Entry, random: Random) -> Header:
    return random.choice((entry.local, entry.central))


def _lie_about_sizes(file: Zip, random: Random) -> None:
    header = _header(random.choice(file.entries), random)
    setattr(header, random.choice(("packed", "size")), random.choice(SIZES))


def _lie_about_the_sum(file: Zip, random: Random) -> None:
    _header(random.choice(file.entries), random).crc = random.getrandbits(32)


def _pack_otherwise(file: Zip, random: Random) -> None:
    entry = random.choice(file.entries)
    if random.random() < 0.3:
        entry.method = STORED
    else:
        _header(entry, random).method = random.choice((0, 1, 6, 8, 9, 12, 14, 93, 95, 98, 99, 255))


def _flag(file: Zip, random: Random) -> None:
    flags = random.choice((_ENCRYPTED, _SIZES_FOLLOW, 0x20, 0x40, _UTF_8, 0x2000, 0xFFFF))
    entry = random.choice(file.entries)
    if random.random() < 0.5:
        entry.flags = flags
    else:
        _header(entry, random).flags = flags


def _all_sizes_follow(file: Zip, random: Random) -> None:
    del random
    for entry in file.entries:
        entry.flags |= _SIZES_FOLLOW


def _rename(file: Zip, random: Random) -> None:
    entry, name = random.choice(file.entries), random.choice(NAMES)
    if random.random() < 0.5:
        _header(entry, random).name = name
    else:
        entry.local.name = entry.central.name = name


def _double(file: Zip, random: Random) -> None:
    entry = random.choice(file.entries)
    other = random.choice(file.entries)
    name = entry.part.name
    if random.random() < 0.3:
        name = random.choice((name.upper(), name.replace(b"/", b"\\"), name + b"/"))
    again = Entry(Part(name, other.part.content, other.part.packed, other.part.crc))
    file.entries.insert(random.randrange(len(file.entries) + 1), again)


def _overlap(file: Zip, random: Random) -> None:
    entry, size = random.choice(file.entries), len(written(file))
    entry.offset = random.choice(
        (0, 1, size, size - 22, size * 2, 2**32 - 1, random.randrange(size))
    )


def _share_bytes(file: Zip, random: Random) -> None:
    """Many entries in the list for one part in the file, as bombs without nesting have them."""
    first = max(file.entries, key=lambda entry: len(entry.part.content))
    for number in range(random.choice((1, 50, 3_000))):
        again = Entry(first.part, offset=random.randrange(64), is_written=False)
        again.central.name = b"xl/media/%d.xml" % number
        file.entries.append(again)


def _leave_out(file: Zip, random: Random) -> None:
    file.entries.remove(random.choice(file.entries))


def _swap(file: Zip, random: Random) -> None:
    one, other = random.choice(file.entries), random.choice(file.entries)
    name = one.part.name
    one.part = Part(name, other.part.content, other.part.packed, other.part.crc)


def _add(file: Zip, random: Random) -> None:
    content = random.choice((b"", b"<a/>", random.randbytes(100), b"PK\5\6" + bytes(18)))
    if random.random() < 0.2:
        content = written(packed([each.part for each in file.entries[:5]]))
    file.entries.append(Entry(part(random.choice(NAMES), content)))


def _bomb(file: Zip, random: Random) -> None:
    """A part of zeros, or of an XML that repeats, as its own or in the place of another."""
    size = random.choice((5, 20, 40)) * 2**20
    content = random.choice((bytes(size), b"<worksheet>" + b" " * size, b"<a>" * (size // 3)))
    entry = random.choice(file.entries)
    name = random.choice((entry.part.name, b"xl/media/image99.png"))
    bomb = part(name, content)
    if name == entry.part.name:
        entry.part = bomb
    else:
        file.entries.append(Entry(bomb))
    if random.random() < 0.5:
        for header in (file.entries[-1].local, file.entries[-1].central, entry.central):
            header.size = random.choice((10, 1_000, 10**5))
    if random.random() < 0.5:
        file.entries.append(Entry(part(b"xl/media/noise.bin", random.randbytes(300_000)), STORED))


def _crowd(file: Zip, random: Random) -> None:
    empty = part(b"", b"")
    for number in range(random.choice((200, 9_000, 12_000))):
        entry = Entry(empty, STORED)
        entry.local.name = entry.central.name = b"xl/media/%d" % number
        file.entries.append(entry)


def _comment(file: Zip, random: Random) -> None:
    comments = (b"x" * 0xFFFF, b"PK\5\6" + bytes(18), b"\0", random.randbytes(1_000))
    if random.random() < 0.5:
        file.comment = random.choice(comments)
    else:
        random.choice(file.entries).comment = random.choice(comments)[:0xFFFF]


def _surround(file: Zip, random: Random) -> None:
    spare = random.choice((b"\0", b"PK\3\4", random.randbytes(500), bytes(70_000)))
    setattr(file, random.choice(("before", "between", "after")), spare)


def _lie_at_the_end(file: Zip, random: Random) -> None:
    field_ = random.choice(("count", "length", "start"))
    setattr(file, field_, random.choice((0, 1, 9_999, 10_001, 0xFFFF, 2**31, 2**32 - 1)))


def _count_in_64_bits(file: Zip, random: Random) -> None:
    file.has_64 = True
    if random.random() < 0.6:
        field_ = random.choice(("count_64", "length_64"))
        setattr(file, field_, random.choice((0, 10**7, 2**40, 2**63, 2**64 - 1)))


def _extra(file: Zip, random: Random) -> None:
    header = _header(random.choice(file.entries), random)
    header.extra = random.choice(
        (
            b"\1\0\x10\0" + struct.pack("<QQ", 2**62, 2**62),
            b"\1\0\x08\0" + struct.pack("<Q", 2**64 - 1),
            b"\1\0\xff\xff",
            b"\1\0",
            b"\x75\x70\x09\0\1" + bytes(4) + b"evil",
            random.randbytes(40),
        )
    )
    if random.random() < 0.7:
        header.size = header.packed = 0xFFFFFFFF


def _shuffle(file: Zip, random: Random) -> None:
    random.shuffle(file.entries)


def _attributes(file: Zip, random: Random) -> None:
    links = (0o120777 << 16, 0o040755 << 16 | 0x10, 0o010644 << 16)
    random.choice(file.entries).attributes = random.choice(links)


MUTATIONS: Sequence[Callable[[Zip, Random], None]] = (
    _lie_about_sizes,
    _lie_about_the_sum,
    _pack_otherwise,
    _flag,
    _all_sizes_follow,
    _rename,
    _double,
    _overlap,
    _share_bytes,
    _leave_out,
    _swap,
    _add,
    _bomb,
    _crowd,
    _comment,
    _surround,
    _lie_at_the_end,
    _count_in_64_bits,
    _extra,
    _shuffle,
    _attributes,
)
