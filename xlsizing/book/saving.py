"""Saving a workbook: a whole new file or none, and never over a person's own unasked.

A file is written beside the one that it replaces and put in its place in one step, so that
whatever ends the program, the one or the other is there, whole. Where it was killed, what it
had written beside stays; a later run takes it away.
"""

import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO, NamedTuple

from xlsizing.core import SizingError
from xlsizing.core.message import Message

_BEFORE, _AFTER = ".xlsizing-", ".tmp"
"""How the names of files begin and end that are written beside another."""
_LEFT_BEHIND = 3_600
"""Seconds after which nobody writes to such a file any more: who did was killed."""
_LOCKS = (("Excel", "~$", ""), ("LibreOffice", ".~lock.", "#"))
"""What programs put before and after the name of a workbook that they have open."""
_NOT_LET = frozenset(
    {errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
)
"""What systems say that have no such thing, as network folders do of rights and owners."""


class WorkbookFileError(SizingError):
    """A workbook file that cannot be written."""

    code = "WORKBOOK_FILE"


class FileState(NamedTuple):
    """What tells whether a file is still the one that was read."""

    number: int
    """The file's own in its file system."""
    size: int
    """Its bytes."""
    changed_at: int
    """When it was last written to [ns]."""


def require_apart(path: str, source: str) -> None:
    """Raise WorkbookFileError where `path` leads to the file `source`, which is only read."""
    try:
        is_same = os.path.samefile(path, source)
    except (OSError, ValueError):
        is_same = False  # one of them is not there
    if is_same:
        raise WorkbookFileError(
            Message(
                "{path} is the workbook that is read; give the report a name of its own.", path=path
            )
        )


def require_writable(path: str, force: bool, suffix: str = ".xlsx") -> Path:
    """The path to write to, where it can be written.

    Raises
    ------
    WorkbookFileError : the name does not end in `suffix`, the folder does not exist, or
        the file exists and `force` is False.
    """
    target = Path(path)
    try:
        is_folder, in_folder, exists = target.is_dir(), target.parent.is_dir(), target.exists()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise WorkbookFileError(
            Message("{path} cannot be a workbook's name: {why}.", path=repr(path), why=why)
        ) from error
    if is_folder or path.endswith(("/", os.sep)):
        raise WorkbookFileError(
            Message("{path} is a folder; give the workbook a name in it.", path=path)
        )
    if not target.name.lower().endswith(suffix) or target.name.lower() == suffix:
        raise WorkbookFileError(
            Message(
                "{path} is no name for this file; give one that ends in {suffix}, such as "
                "plan{suffix}.",
                path=repr(path),
                suffix=suffix,
            )
        )
    if not in_folder:
        raise WorkbookFileError(
            Message("There is no folder {parent}; make it first.", parent=str(target.parent))
        )
    if exists and not force:
        raise WorkbookFileError(
            Message("{path} exists; choose another name, or replace it with --force.", path=path)
        )
    return target


def save_workbook(path: str, content: bytes, force: bool, suffix: str = ".xlsx") -> Path:
    """Write a workbook's bytes; the file is there whole, or as it was before.

    Raises
    ------
    WorkbookFileError : see `require_writable`; or the system refuses to write.
    """
    return save_file(path, require_writable(path, force, suffix), content)


def save_file(path: str, target: Path, content: bytes) -> Path:
    """Write a file's bytes beside it and put them in its place; see `save_workbook`.

    Parameters
    ----------
    path : what sentences call it.
    """

    def write(file: BinaryIO) -> None:
        file.write(content)

    place = target.resolve()
    with _written_beside(path, place, write) as beside:
        os.replace(beside, place)
    _settle(place.parent)
    return Path(path)


def require_replaceable(path: str) -> None:
    """Raise WorkbookFileError where a workbook may not be changed now.

    A program that has it open says so in a file beside it, and would write over the change.
    """
    target = Path(path).resolve()
    for program, before, after in _LOCKS:
        for place in (target, Path(path)):
            lock = place.with_name(f"{before}{place.name}{after}")
            if os.path.lexists(lock):
                raise WorkbookFileError(
                    Message(
                        "{path} is open in {program}; close it there and try again. Where nobody has it "
                        "open, {name} was left by a crash: delete that.",
                        path=path,
                        program=program,
                        name=lock.name,
                    )
                )
    try:
        is_read_only = not target.stat().st_mode & stat.S_IWUSR
    except OSError as error:
        raise _refused(path, error) from error
    if is_read_only or not os.access(target, os.W_OK):
        raise WorkbookFileError(
            Message("{path} is read-only; allow writing to it, or give a copy.", path=path)
        )


def state_of(path: str | Path) -> FileState | None:
    """What is to be told to `replace_workbook`, taken before a file is read; None without one."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return FileState(found.st_ino, found.st_size, found.st_mtime_ns)


def other_names(path: str) -> int:
    """How many other names a file has (hard links), which keep the old file when it is replaced."""
    try:
        return Path(path).stat().st_nlink - 1
    except (OSError, ValueError):
        return 0


def replace_workbook(
    path: str, write: Callable[[BinaryIO], None], seen: FileState | None, *, backup: bool
) -> Path | None:
    """Put a new file in the place of a workbook that was read.

    Parameters
    ----------
    path : the workbook; what sentences call it.
    write : writes the new file.
    seen : the workbook's state before it was read.
    backup : whether the workbook as it was is kept beside the new one.

    Returns
    -------
    The copy of the workbook as it was; None without one.

    Raises
    ------
    WorkbookFileError : the system refuses to write, or the workbook has changed since it
        was read. It is then as it was, and no copy of it is made.
    """
    # A link stays one: the file that it leads to is replaced.
    target = Path(path).resolve()
    _require_as_seen(path, target, seen)
    kept = _backup(path, target, seen) if backup else None
    try:
        with _written_beside(path, target, write) as beside:
            require_replaceable(path)
            _require_as_seen(path, target, seen)
            os.replace(beside, target)
    except BaseException:
        # Network folders may say that it failed and have done it: then the copy is all there is.
        if kept and state_of(target) == seen:
            with suppress(OSError):
                kept.unlink()
        raise
    _settle(target.parent)
    return kept


def _require_as_seen(path: str, target: Path, seen: FileState | None) -> None:
    now = state_of(target)
    if now is None:
        raise WorkbookFileError(
            Message(
                "{path} was moved or deleted by another program while it was read; give it as it is "
                "called now.",
                path=path,
            )
        )
    if now != seen:
        raise WorkbookFileError(
            Message(
                "{path} was changed by another program while it was read; try again.", path=path
            )
        )


@contextmanager
def _written_beside(path: str, target: Path, write: Callable[[BinaryIO], None]) -> Iterator[Path]:
    """A whole new file beside `target`, which has its rights and is gone after the context."""
    _clear(target.parent)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=_BEFORE, suffix=_AFTER)
    except OSError as error:
        raise WorkbookFileError(
            Message(
                "{path} cannot be written: its folder {parent} takes no new file ({error}).",
                path=path,
                parent=str(target.parent),
                error=_why(error),
            )
        ) from error
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            _liken(beside, target)
            with _where_let():
                os.fsync(file.fileno())
        yield beside
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        # It is gone where it took its place; where it cannot be taken away, a later run does.
        with suppress(OSError):
            beside.unlink()


def _clear(folder: Path) -> None:
    """Take away what runs that were killed left in a folder."""
    with suppress(OSError):
        for left in folder.glob(f"{_BEFORE}*{_AFTER}"):
            found = left.lstat()
            if time.time() - max(found.st_mtime, found.st_ctime) > _LEFT_BEHIND:
                left.unlink()


def _backup(path: str, target: Path, seen: FileState | None) -> Path:
    """A copy of a file as it was seen, beside it and under a name that no file has yet."""

    def write(file: BinaryIO) -> None:
        with target.open("rb") as original:
            shutil.copyfileobj(original, file, 2**20)

    names = (f"{target.name}.bak{number if number > 1 else ''}" for number in count(1))
    with _written_beside(Message("The copy of {path}", path=path), target, write) as beside:
        found = target.stat()
        with _where_let():
            os.utime(beside, ns=(found.st_atime_ns, found.st_mtime_ns))
        _require_as_seen(path, target, seen)
        kept = next(place for place in map(target.with_name, names) if _is_named(beside, place))
    _settle(target.parent)
    return kept


def _is_named(beside: Path, place: Path) -> bool:
    """Give a file a name; False where another has it, which a second run may have just made."""
    try:
        os.link(beside, place)
    except FileExistsError:
        return False
    except OSError:
        # Not every file system has links.
        if os.path.lexists(place):
            return False
        beside.rename(place)
    return True


def _liken(beside: Path, target: Path) -> None:
    """Give a new file the owner, rights and labels of the one that it replaces, where let."""
    if not target.exists():
        mask = os.umask(0)
        os.umask(mask)
        beside.chmod(0o666 & ~mask)
        return
    like = target.stat()
    mode = stat.S_IMODE(like.st_mode)
    if hasattr(os, "chown"):
        for owner in (like.st_uid, -1):
            made = beside.stat()
            if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
                with _where_let():
                    os.chown(beside, owner, like.st_gid)
        if beside.stat().st_gid != like.st_gid:
            # What its group might do is not for another group.
            mode = mode & ~stat.S_IRWXG | (mode & stat.S_IRWXO) << 3
    with _where_let():
        beside.chmod(mode)
    if hasattr(os, "listxattr"):
        with _where_let():
            for label in os.listxattr(target):
                with _where_let():
                    os.setxattr(beside, label, os.getxattr(target, label))


@contextmanager
def _where_let() -> Iterator[None]:
    """Go on where the system does not let us, or has no such thing; not where it fails."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_LET:
            raise


def _settle(folder: Path) -> None:
    """Have the system write a folder's list of files down, where it lets us."""
    if hasattr(os, "O_DIRECTORY"):
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _refused(path: str, error: OSError) -> WorkbookFileError:
    hint = ""
    if isinstance(error, PermissionError):
        hint = Message(" Is it open in another program?")
    return WorkbookFileError(
        Message(
            "{path} cannot be written: {error}.{hint}",
            path=path,
            error=_why(error),
            hint=hint,
        )
    )


def _why(error: OSError) -> str:
    return error.strerror or Message("the system gives no reason")
