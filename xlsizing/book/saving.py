"""Saving a workbook: a whole new file or none, and never over a person's own unasked.

A file is written beside the one that it replaces and put in its place in one step, so that
whatever ends the program, the one or the other is there, whole.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from xlsizing.core import SizingError


class WorkbookFileError(SizingError):
    """A workbook file that cannot be written."""

    code = "WORKBOOK_FILE"


def require_apart(path: str, source: str) -> None:
    """Raise WorkbookFileError where `path` leads to the file `source`, which is only read."""
    try:
        is_same = os.path.samefile(path, source)
    except (OSError, ValueError):
        is_same = False  # one of them is not there
    if is_same:
        raise WorkbookFileError(
            f"{path} is the workbook that is read; give the report a name of its own."
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
        raise WorkbookFileError(f"{path!r} cannot be a workbook's name: {why}.") from error
    if is_folder or path.endswith(("/", os.sep)):
        raise WorkbookFileError(f"{path} is a folder; give the workbook a name in it.")
    if not target.name.lower().endswith(suffix) or target.name.lower() == suffix:
        raise WorkbookFileError(
            f"{path!r} is no name for this workbook; give one that ends in {suffix}, such as "
            f"plan{suffix}."
        )
    if not in_folder:
        raise WorkbookFileError(f"There is no folder {target.parent}; make it first.")
    if exists and not force:
        raise WorkbookFileError(f"{path} exists; choose another name, or replace it with --force.")
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

    with _written_beside(path, target.resolve(), write) as (beside, place):
        os.replace(beside, place)
    return Path(path)


def require_replaceable(path: str) -> None:
    """Raise WorkbookFileError where a workbook may not be changed now.

    A program that has it open says so in a file beside it, and would write over the change.
    """
    target = Path(path).resolve()
    for program, beside in (
        ("Excel", target.with_name(f"~${target.name}")),
        ("LibreOffice", target.with_name(f".~lock.{target.name}#")),
    ):
        if beside.exists():
            raise WorkbookFileError(
                f"{path} is open in {program}; close it there and try again. Where nobody has it "
                f"open, {beside.name} was left by a crash: delete that."
            )
    try:
        is_read_only = not target.stat().st_mode & stat.S_IWUSR
    except OSError as error:
        raise _refused(path, error) from error
    if is_read_only or not os.access(target, os.W_OK):
        raise WorkbookFileError(f"{path} is read-only; allow writing to it, or give a copy.")


def replace_workbook(
    path: str, write: Callable[[BinaryIO], None], seen: os.stat_result, *, backup: bool
) -> Path | None:
    """Put a new file in the place of a workbook that was read.

    Parameters
    ----------
    path : the workbook; what sentences call it.
    write : writes the new file.
    seen : what the system said of the workbook when it was read.
    backup : whether the workbook as it was is kept beside the new one.

    Returns
    -------
    The copy of the workbook as it was; None without one.

    Raises
    ------
    WorkbookFileError : the system refuses to write, or the workbook has changed since it
        was read. It is then as it was.
    """
    # A link stays one: the file that it leads to is replaced.
    target = Path(path).resolve()
    kept = None
    with _written_beside(path, target, write) as (beside, place):
        if backup:
            kept = _backup(path, place)
        require_replaceable(path)
        now = place.stat()
        if (now.st_ino, now.st_size, now.st_mtime_ns) != (
            seen.st_ino,
            seen.st_size,
            seen.st_mtime_ns,
        ):
            raise WorkbookFileError(
                f"{path} was changed by another program while it was read; try again."
            )
        os.replace(beside, place)
    return kept


@contextmanager
def _written_beside(
    path: str, target: Path, write: Callable[[BinaryIO], None]
) -> Iterator[tuple[Path, Path]]:
    """A whole new file beside `target`, which has its rights and is gone after the context."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".xlsizing-", suffix=".tmp")
    except OSError as error:
        raise _refused(path, error) from error
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(_mode(target))
        _keep_owner(beside, target)
        yield beside, target
        _settle(target.parent)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        beside.unlink(missing_ok=True)


def _backup(path: str, target: Path) -> Path:
    """A copy of a file beside it, under a name that no file has yet."""
    names = (f"{target.name}.bak{number if number > 1 else ''}" for number in count(1))
    kept = next(place for place in map(target.with_name, names) if not place.exists())

    def write(file: BinaryIO) -> None:
        with target.open("rb") as original:
            shutil.copyfileobj(original, file, 2**20)

    with _written_beside(f"The copy {kept.name} of {path}", target, write) as (beside, _):
        shutil.copystat(target, beside)
        os.replace(beside, kept)
    return kept


def _keep_owner(beside: Path, target: Path) -> None:
    """Give a new file the owner of the one that it replaces, where the system lets us."""
    if hasattr(os, "chown") and target.exists():
        owned, made = target.stat(), beside.stat()
        if (owned.st_uid, owned.st_gid) != (made.st_uid, made.st_gid):
            with suppress(OSError):
                os.chown(beside, owned.st_uid, owned.st_gid)


def _settle(folder: Path) -> None:
    """Have the system write a folder's list of files down, where it lets us."""
    if hasattr(os, "O_DIRECTORY"):
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _mode(target: Path) -> int:
    """The permissions that the file has, or that a new one would be given."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _refused(path: str, error: OSError) -> WorkbookFileError:
    why = error.strerror or "the system gives no reason"
    hint = " Is it open in another program?" if isinstance(error, PermissionError) else ""
    return WorkbookFileError(f"{path} cannot be written: {why}.{hint}")
