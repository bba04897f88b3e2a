"""Saving a workbook: a whole new file or none, and never over a person's own."""

import os
import stat
import tempfile
from pathlib import Path

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
    # A link stays one: the file that it leads to is replaced.
    target = target.resolve()
    try:
        handle, beside = tempfile.mkstemp(dir=target.parent, prefix=".xlsizing-", suffix=".tmp")
    except OSError as error:
        raise _refused(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, _mode(target))
        os.replace(beside, target)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        Path(beside).unlink(missing_ok=True)
    return Path(path)


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
