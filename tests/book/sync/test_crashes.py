"""A sync that is killed or refused by the system at any of its calls loses nothing.

strace plants the ends and the errors at the real calls of a real run, one after another.
"""

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest

from tests.book.sync.crashing import Place, made_place
from tests.book.sync.warm import Run, Warm, missing_strace, warm_process
from tests.book.sync.written import written_notes

KILLED = -9
BACKUP = "--backup"
"""With which a run makes all calls that one without it makes, and those of the copy."""
ASKING = {
    *("read", "lseek", "newfstatat", "access", "readlink", "ioctl", "getdents64", "listxattr"),
    *("getxattr", "getcwd", "getpid", "getuid", "geteuid", "getrandom", "umask", "fcntl"),
    *("brk", "mmap", "mremap", "munmap", "madvise", "futex", "rt_sigaction", "clock_gettime"),
}
"""The calls that change nothing on a disk: a process that is killed at one of them leaves what it
would at the next that is none of them."""

ERRORS = {
    "ENOSPC": ("openat", "write", "fsync", "link", "rename", "setxattr", "chmod"),
    "EIO": (
        *("openat", "write", "fsync", "link", "rename", "chmod", "unlink"),
        *("read", "close", "newfstatat", "utimensat", "listxattr", "getdents64"),
    ),
    "EACCES": ("openat", "link", "rename", "chmod", "unlink", "newfstatat"),
    "EROFS": ("openat", "write", "fsync", "link", "rename", "chmod", "unlink", "utimensat"),
    "EINTR": ("openat", "write", "fsync", "read", "close"),
    "EMFILE": ("openat",),
    "EPERM": ("openat", "link", "rename", "chmod", "unlink", "utimensat"),
    "EOPNOTSUPP": ("fsync", "link", "chmod", "utimensat", "listxattr"),
}
"""The calls at which an error makes sense."""

LETS = {
    "EINTR": ("openat", "write", "fsync", "read"),
    "EPERM": ("chmod", "link", "utimensat"),
    "EACCES": ("chmod", "link"),
    "EOPNOTSUPP": ("fsync", "chmod", "link", "utimensat", "listxattr"),
}
"""The errors that are no reason to refuse a sync: asked again, or such a system has no rights,
no links and no times to keep."""


class Call(NamedTuple):
    """A call of the system while a workbook is written."""

    name: str
    number: int
    """Which of the calls of that name it is, from the first of the run."""
    text: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return made_place(tmp_path_factory.mktemp("crashes"), written_notes())


@pytest.fixture(scope="module")
def warm(place: Place) -> Iterator[Warm]:
    missing = missing_strace(place.folder.parent)
    if missing and os.environ.get("CI"):
        pytest.fail(f"{missing}, and CI must have it.")
    if missing:
        pytest.skip(f"{missing}: nothing can be planted at calls of the system.")
    first = ["sync", str(place.workbook), "--catalogs", str(place.catalogs)]
    with warm_process(*first) as warm:
        yield warm


@pytest.fixture(scope="module")
def synced(warm: Warm, place: Place) -> Place:
    """The place, with what a sync makes of the workbook."""
    place.restore()
    assert warm.run(place.command(), place.folder).code == 0
    made = place.made()
    assert not made.is_old()
    return made


@pytest.fixture(scope="module")
def calls(warm: Warm, synced: Place) -> list[Call]:
    """The calls of a good run, from the changes being shown until it says that it is done."""
    place, trace = synced, synced.folder.parent / "trace"
    place.restore()
    done = warm.run(place.command(BACKUP), place.folder, ["-s", "300", "-o", str(trace)])
    assert (done.code, done.errors) == (0, "")
    counts: dict[str, int] = {}
    calls: list[Call] = []
    for line in trace.read_text().splitlines():
        if found := re.match(r"(\w+)\(", line):
            name = found[1]
            counts[name] = counts.get(name, 0) + 1
            calls.append(Call(name, counts[name], line))
    told = [at for at, call in enumerate(calls) if call.text.startswith("write(1,")]
    begin = max(at for at in told if "Synced" not in calls[at].text and at < _made(calls))
    end = min(at for at in told if at > begin)
    return calls[begin + 1 : end]


def _made(calls: Sequence[Call]) -> int:
    return next(at for at, call in enumerate(calls) if "O_CREAT" in call.text)


def run_with(warm: Warm, place: Place, call: Call, what: str) -> Run:
    """A run in which something is planted at a call."""
    place.restore()
    plant = f"inject={call.name}:{what}:when={call.number}"
    return warm.run(place.command(BACKUP), place.folder, ["-o", os.devnull, "-e", plant])


def test_calls_are_those_of_a_write(calls: list[Call]) -> None:
    named = [call.name for call in calls]
    assert {"openat", "write", "fsync", "chmod", "link", "rename", "unlink"} <= set(named)
    (last,) = [call for call in calls if call.name == "rename"]
    assert re.search(r'\.xlsizing-[^"]*\.tmp", "[^"]*/plan\.xlsx"\)', last.text)


def test_killed_at_any_call_old_or_new_is_there(
    warm: Warm, synced: Place, calls: list[Call]
) -> None:
    lost: list[str] = []
    ended = set()
    for call in (each for each in calls if each.name not in ASKING):
        done = run_with(warm, synced, call, "signal=KILL")
        found = synced.faults(most_left=1)
        if done.code != KILLED:
            found.append(f"it was not killed, but ended with {done.code}")
        ended.add(synced.is_new())
        again = warm.run(synced.command(), synced.folder)
        if again.code or not synced.is_new():
            found.append(f"the next sync says {again}")
        lost += [f"{call}: {each}" for each in found]
    assert not lost, "\n".join(lost)
    assert ended == {False, True}, "kills before and after the file took its place"


@pytest.mark.parametrize("error", ERRORS)
def test_error_at_any_call_leaves_the_old_and_a_sentence(
    warm: Warm, synced: Place, calls: list[Call], error: str
) -> None:
    planted = [call for call in calls if call.name in ERRORS[error]]
    lost: list[str] = []
    refused = 0
    renamed = next(at for at, call in enumerate(calls) if call.name == "rename")
    for call in planted:
        done = run_with(warm, synced, call, f"error={error}")
        found = synced.faults(most_left=call.name == "unlink")
        may_go_on = call.name in LETS.get(error, ()) or calls.index(call) > renamed
        copies = list(synced.folder.glob("*.bak"))
        if done.code == 0:
            if not synced.is_new() or done.errors or len(copies) != 1:
                found.append(f"it says that it is done: {done}, {copies}")
        else:
            refused += 1
            if done.code != 2 or not is_sentence(done.errors):
                found.append(f"it ended with {done}")
            if not synced.is_old() or copies:
                found.append("something was changed")
            if may_go_on:
                found.append(f"it was refused: {done.errors}")
        lost += [f"{call}: {each}" for each in found]
    assert planted
    assert not lost, "\n".join(lost)
    assert refused or error in LETS


def is_sentence(text: str) -> bool:
    """Whether it is one line that names the workbook and ends as a sentence does."""
    return bool(re.fullmatch(r"[^\n]*plan\.xlsx[^\n]* \w+ [^\n]*[.?]\n", text))
