"""Files within a file: the compound file of MS-CFB, version 3, as small as it can be told.

A compound file is an array of sectors. Its directory, its table of sectors (the FAT), the
streams of 4,096 bytes and more, and one stream that holds all smaller ones, in sectors of
their own, are chains of sectors.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Folder = Mapping[str, "bytes | Folder"]
"""Streams and folders by their names."""

_SECTOR, _MINI_SECTOR, _ENTRY = 512, 64, 128
_CUTOFF = 4096
"""Streams of fewer bytes are in mini sectors."""
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_NOTHING = 0xFFFFFFFF
_FOLDER, _STREAM, _ROOT = 1, 2, 5
_RED, _BLACK = 0, 1
_SECTORS_IN_HEADER = 109
_LINKS = _SECTOR // 4
"""Sectors that a sector of a table tells of."""


@dataclass
class _Entry:
    """What the directory says of a stream or a folder."""

    name: str
    kind: int
    content: bytes = b""
    children: "list[_Entry]" = field(default_factory=list)
    left: int = _NOTHING
    right: int = _NOTHING
    child: int = _NOTHING
    colour: int = _BLACK
    start: int = 0
    size: int = 0

    @property
    def order(self) -> tuple[int, str]:
        """What a folder's entries are sorted by."""
        return len(self.name), self.name.upper()

    def packed(self) -> bytes:
        name = (self.name + "\0").encode("utf-16-le") if self.name else b""
        links = self.left, self.right, self.child
        return (
            struct.pack("<64sHBB3I", name, len(name), self.kind, self.colour, *links)
            + bytes(36)  # no class, flags or dates
            + struct.pack("<IQ", self.start, self.size)
        )


def compound_file(root: Folder) -> bytes:
    """The bytes of a compound file with these streams and folders."""
    top = _Entry("Root Entry", _ROOT, children=_entries(root))
    entries = _numbered(top)
    mini_table, mini_stream = _mini_streams(entries)
    top.content = mini_stream
    sectors = _Sectors()
    for entry in entries:
        if entry.kind == _ROOT or (entry.kind == _STREAM and len(entry.content) >= _CUTOFF):
            entry.start, entry.size = sectors.add(entry.content), len(entry.content)
    mini_start = sectors.add(_table(mini_table))
    unused = _Entry("", 0, start=0)
    filled = entries + [unused] * (-len(entries) % (_SECTOR // _ENTRY))
    directory_start = sectors.add(b"".join(entry.packed() for entry in filled))
    return sectors.packed(directory_start, mini_start, len(_table(mini_table)) // _SECTOR)


def _entries(folder: Folder) -> list[_Entry]:
    entries = [
        _Entry(name, _STREAM, content=content)
        if isinstance(content, bytes)
        else _Entry(name, _FOLDER, children=_entries(content))
        for name, content in folder.items()
    ]
    return sorted(entries, key=lambda entry: entry.order)


def _numbered(top: _Entry) -> list[_Entry]:
    """All entries in the order of the directory, linked to each other by their numbers."""
    entries = [top]
    for entry in entries:  # which grows meanwhile
        first = len(entries)
        entries += entry.children
        entry.child = _tree(entry.children, first)
    return entries


def _tree(children: Sequence[_Entry], first: int) -> int:
    """Link a folder's sorted entries to a red-black tree; returns the number of its root.

    The tree is as even as can be: where its last level has gaps, the entries of that level
    are red, so that every way down passes as many black ones.
    """
    full_levels = (len(children) + 1).bit_length() - 1

    def link(start: int, end: int, level: int) -> int:
        if start == end:
            return _NOTHING
        middle = (start + end) // 2
        entry = children[middle]
        entry.left = link(start, middle, level + 1)
        entry.right = link(middle + 1, end, level + 1)
        entry.colour = _RED if level == full_levels else _BLACK
        return first + middle

    return link(0, len(children), 0)


def _mini_streams(entries: Sequence[_Entry]) -> tuple[list[int], bytes]:
    """Place the small streams; their table of mini sectors, and the stream that holds them."""
    table: list[int] = []
    stream = bytearray()
    for entry in entries:
        if entry.kind == _STREAM and len(entry.content) < _CUTOFF:
            count = -(-len(entry.content) // _MINI_SECTOR)
            entry.start, entry.size = (len(table) if count else _END), len(entry.content)
            table += _chain(len(table), count)
            stream += _padded(entry.content, _MINI_SECTOR)
    return table, bytes(stream)


class _Sectors:
    """The sectors of the file, and which one follows each."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._table: list[int] = []

    def add(self, content: bytes) -> int:
        """Append content as a chain of sectors; returns the first one's number."""
        first, count = len(self._table), -(-len(content) // _SECTOR)
        self._table += _chain(first, count)
        self._content += _padded(content, _SECTOR)
        return first if count else _END

    def packed(self, directory: int, mini_table: int, mini_sectors: int) -> bytes:
        """The file: its head, the sectors, and the table of them in sectors of its own."""
        used = len(self._table)
        count = 1
        while count * _LINKS < used + count:
            count += 1
        assert count <= _SECTORS_IN_HEADER, "a compound file of more than 6 MB"
        places = list(range(used, used + count))
        head = struct.pack(
            "<8s16s5H6x9I",
            bytes.fromhex("D0CF11E0A1B11AE1"),
            b"",
            *(0x3E, 3, 0xFFFE, 9, 6),  # version 3, little-endian, sectors of 2^9 and 2^6 bytes
            *(0, count, directory, 0, _CUTOFF),
            *(mini_table, mini_sectors, _END, 0),
        )
        head += struct.pack(f"<{count}I", *places)
        head += struct.pack("<I", _FREE) * (_SECTORS_IN_HEADER - count)
        return head + bytes(self._content) + _table([*self._table, *[_FAT] * count])


def _chain(first: int, count: int) -> list[int]:
    """What follows each of the sectors that stand in a row."""
    return [*range(first + 1, first + count), _END] if count else []


def _table(links: Sequence[int]) -> bytes:
    packed = struct.pack(f"<{len(links)}I", *links)
    return packed + struct.pack("<I", _FREE) * (-len(links) % _LINKS)


def _padded(content: bytes, size: int) -> bytes:
    return content + bytes(-len(content) % size)
