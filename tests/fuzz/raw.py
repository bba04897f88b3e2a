"""Mutations of bytes that nobody looks into."""

from collections.abc import Callable, Sequence
from random import Random


def _stretch(content: bytes, random: Random) -> tuple[int, int]:
    """A stretch of the content, short more often than long."""
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + int(2 ** random.uniform(0, 17)))


def _flip(content: bytes, random: Random) -> bytes:
    mutated = bytearray(content)
    for _ in range(random.choice((1, 1, 4, 64)) if content else 0):
        mutated[random.randrange(len(mutated))] ^= 1 << random.randrange(8)
    return bytes(mutated)


def _cut(content: bytes, random: Random) -> bytes:
    start, end = _stretch(content, random)
    return content[:start] + content[end:]


def _insert(content: bytes, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + random.randbytes(random.choice((1, 4, 100, 5_000))) + content[at:]


def _double(content: bytes, random: Random) -> bytes:
    start, end = _stretch(content, random)
    return content[:end] + content[start:end] + content[end:]


def _blank(content: bytes, random: Random) -> bytes:
    start, end = _stretch(content, random)
    fill = random.choice((b"\0", b"\xff", b" "))
    return content[:start] + fill * (end - start) + content[end:]


def _end_early(content: bytes, random: Random) -> bytes:
    return content[: random.choice((0, 1, 22, random.randrange(len(content) + 1)))]


def _begin_late(content: bytes, random: Random) -> bytes:
    return content[random.choice((1, 4, random.randrange(len(content) + 1))) :]


def _move(content: bytes, random: Random) -> bytes:
    start, end = _stretch(content, random)
    rest = content[:start] + content[end:]
    at = random.randrange(len(rest) + 1)
    return rest[:at] + content[start:end] + rest[at:]


MUTATIONS: Sequence[Callable[[bytes, Random], bytes]] = (
    _flip,
    _cut,
    _insert,
    _double,
    _blank,
    _end_early,
    _begin_late,
    _move,
)


def mutated(content: bytes, random: Random) -> bytes:
    """The content after one to three of the mutations."""
    for _ in range(random.choice((1, 1, 2, 3))):
        content = random.choice(MUTATIONS)(content, random)
    return content
