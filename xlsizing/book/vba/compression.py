"""Text as a VBA project keeps it: a container of packed chunks (MS-OVBA 2.4.1)."""

import struct

CHUNK = 4096
"""Bytes of text that are packed together."""

_SIGNATURE = b"\x01"
_PACKED_CHUNK = 0b1011 << 12
"""Set bits of a chunk's head: its signature, and that it holds tokens."""
_SHORTEST_COPY = 3


def compressed(text: bytes) -> bytes:
    """The container of a text."""
    chunks = (text[start : start + CHUNK] for start in range(0, len(text), CHUNK))
    return _SIGNATURE + b"".join(map(_packed_chunk, chunks))


def _packed_chunk(chunk: bytes) -> bytes:
    """A chunk's head and its tokens, in sequences of eight behind a byte that tells their kinds."""
    packed = bytearray()
    place = 0
    while place < len(chunk):
        kinds, tokens = 0, bytearray()
        for number in range(8):
            if place == len(chunk):
                break
            offset, length = _longest_match(chunk, place)
            if length:
                kinds |= 1 << number
                tokens += _copy_token(place, offset, length)
            else:
                length = 1
                tokens.append(chunk[place])
            place += length
        packed.append(kinds)
        packed += tokens
    # Excel's text packs to less; a chunk that does not would have to be kept as it is.
    assert len(packed) <= CHUNK, "the text of a chunk packs to more than it is"
    return struct.pack("<H", _PACKED_CHUNK | (len(packed) - 1)) + bytes(packed)


def _offset_bits(place: int) -> int:
    """How many of a copy token's 16 bits tell its offset: those of the bytes before it, at least 4."""
    return max(4, (place - 1).bit_length())


def _longest_match(chunk: bytes, place: int) -> tuple[int, int]:
    """How far back the longest run like the one at `place` begins, and its length; 0 for none."""
    longest = min(len(chunk) - place, (0xFFFF >> _offset_bits(place)) + _SHORTEST_COPY)
    length = _SHORTEST_COPY
    found = 0, 0
    while length <= longest:
        # The run may reach beyond `place`: it then repeats what it copies.
        start = chunk.rfind(chunk[place : place + length], 0, place + length - 1)
        if start < 0:
            break
        found = place - start, length
        length += 1
    return found


def _copy_token(place: int, offset: int, length: int) -> bytes:
    shift = 16 - _offset_bits(place)
    return struct.pack("<H", (offset - 1) << shift | (length - _SHORTEST_COPY))
