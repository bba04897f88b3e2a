"""Reads a vbaProject.bin: the compound file (MS-CFB), and the modules in it (MS-OVBA).

It shares no code with what writes them, and is held against a project of Excel's own.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_NO_SECTOR, _NO_ENTRY = 0xFFFFFFFA, 0xFFFFFFFF
_STREAM, _ROOT = 2, 5


class Entry(NamedTuple):
    """An entry of a compound file's directory."""

    name: str
    kind: int
    is_red: bool
    left: int
    right: int
    child: int
    start: int
    size: int


class VbaModule(NamedTuple):
    """A module of a VBA project."""

    name: str
    source: str
    is_document: bool


class CompoundFile:
    """A compound file of version 3."""

    def __init__(self, content: bytes) -> None:
        assert content[:8] == bytes.fromhex("D0CF11E0A1B11AE1"), "no compound file"
        assert len(content) % 512 == 0, "a part of a sector at the end"
        self._content = content
        count, directory = struct.unpack_from("<2I", content, 44)
        mini_start, _ = struct.unpack_from("<2I", content, 60)
        tables = struct.unpack_from(f"<{count}I", content, 76)
        self._table = [link for sector in tables for link in _links(self._sector(sector))]
        self.entries = list(_entries(self._chain(directory)))
        root = self.entries[0]
        self._mini = self._chain(root.start)[: root.size]
        self._mini_table = _links(self._chain(mini_start))

    def _sector(self, number: int) -> bytes:
        found = self._content[512 * (number + 1) : 512 * (number + 2)]
        assert len(found) == 512, f"there is no sector {number}"
        return found

    def _chain(self, start: int) -> bytes:
        return b"".join(self._sector(number) for number in _followed(self._table, start))

    def stream(self, entry: Entry) -> bytes:
        """The content of a stream."""
        if entry.size >= 4096:
            return self._chain(entry.start)[: entry.size]
        parts = (
            self._mini[64 * number : 64 * (number + 1)]
            for number in _followed(self._mini_table, entry.start)
        )
        return b"".join(parts)[: entry.size]

    def streams(self) -> dict[str, bytes]:
        """Every stream by its path."""
        return {path: self.stream(entry) for path, entry in self._paths(0) if entry.kind == _STREAM}

    def _paths(self, number: int, above: str = "") -> Iterator[tuple[str, Entry]]:
        for entry in self.below(self.entries[number].child):
            path = above + self.entries[entry].name
            yield path, self.entries[entry]
            yield from self._paths(entry, f"{path}/")

    def below(self, number: int) -> list[int]:
        """The entries of a folder's tree in their order."""
        if number == _NO_ENTRY:
            return []
        entry = self.entries[number]
        return [*self.below(entry.left), number, *self.below(entry.right)]


def _links(table: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(table) // 4}I", table))


def _followed(table: list[int], start: int) -> Iterator[int]:
    seen = set[int]()
    while start < _NO_SECTOR:
        assert start not in seen, "a chain of sectors that bites its tail"
        seen.add(start)
        yield start
        start = table[start]


def _entries(directory: bytes) -> Iterator[Entry]:
    for place in range(0, len(directory), 128):
        name, length, kind, colour, left, right, child = struct.unpack_from(
            "<64sHBB3I", directory, place
        )
        start, size = struct.unpack_from("<IQ", directory, place + 116)
        text = name[: max(0, length - 2)].decode("utf-16-le")
        yield Entry(text, kind, colour == 0, left, right, child, start, size)


def decompressed(container: bytes) -> bytes:
    """The text that a container holds (MS-OVBA 2.4.1.3)."""
    assert container[:1] == b"\x01", "no container"
    text, place = bytearray(), 1
    while place < len(container):
        (head,) = struct.unpack_from("<H", container, place)
        assert head >> 12 & 0b111 == 0b011, "no chunk"
        end = place + (head & 0xFFF) + 3
        chunk = container[place + 2 : end]
        text += _unpacked(chunk) if head >> 15 else chunk
        place = end
    return bytes(text)


def _unpacked(chunk: bytes) -> bytes:
    text, place = bytearray(), 0
    while place < len(chunk):
        kinds, place = chunk[place], place + 1
        for bit in range(8):
            if place >= len(chunk):
                break
            if not kinds >> bit & 1:
                text.append(chunk[place])
                place += 1
                continue
            (token,) = struct.unpack_from("<H", chunk, place)
            place += 2
            offset_bits = 4
            while 1 << offset_bits < len(text):
                offset_bits += 1
            length = (token & 0xFFFF >> offset_bits) + 3
            offset = (token >> 16 - offset_bits) + 1
            for _ in range(length):
                text.append(text[-offset])
    return bytes(text)


def records(directory: bytes) -> Iterator[tuple[int, bytes]]:
    """The records of the stream "dir", once unpacked."""
    place = 0
    while place < len(directory):
        kind, size = struct.unpack_from("<HI", directory, place)
        # The version's size leaves out its second part.
        size += 2 if kind == 0x09 else 0
        yield kind, directory[place + 6 : place + 6 + size]
        place += 6 + size


def modules(project: bytes) -> list[VbaModule]:
    """The modules of a project, in its order."""
    streams = CompoundFile(project).streams()
    found: list[VbaModule] = []
    stream, offset, is_document = "", 0, False
    for kind, content in records(decompressed(streams["VBA/dir"])):
        if kind == 0x1A:
            stream = content.decode("cp1252")
        elif kind == 0x31:
            (offset,) = struct.unpack("<I", content)
        elif kind in (0x21, 0x22):
            is_document = kind == 0x22
        elif kind == 0x2B:
            text = decompressed(streams[f"VBA/{stream}"][offset:]).decode("cp1252")
            found.append(VbaModule(stream, text, is_document))
    return found
