"""Saving a workbook: a whole new file or none, and never over a person's own."""

import os
import tempfile
from pathlib import Path

from xlsizing.core import SizingError


class WorkbookFileError(SizingError):
    """A workbook file that cannot be written."""

    code = "WORKBOOK_FILE"


def require_writable(path: str, force: bool) -> Path:
    """The path to write to, where it can be written.

    Raises
    ------
    WorkbookFileError : the name does not end in .xlsx, the folder does not exist, or
        the file exists and `force` is False.
    """
    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        raise WorkbookFileError(f"{path} does not end in .xlsx; give the workbook such a name.")
    if not target.parent.is_dir():
        raise WorkbookFileError(f"There is no folder {target.parent}; make it first.")
    if target.is_dir():
        raise WorkbookFileError(f"{path} is a folder; give the workbook another name.")
    if target.exists() and not force:
        raise WorkbookFileError(f"{path} exists; choose another name, or replace it with --force.")
    return target


def save_workbook(path: str, content: bytes, force: bool) -> Path:
    """Write a workbook's bytes; the file is there whole, or as it was before.

    Raises
    ------
    WorkbookFileError : see `require_writable`; or the system refuses to write.
    """
    target = require_writable(path, force)
    try:
        handle, beside = tempfile.mkstemp(dir=target.parent, prefix=".xlsizing-", suffix=".tmp")
    except OSError as error:
        raise _refused(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(beside, 0o666 & ~mask)
        os.replace(beside, target)
    except OSError as error:
        Path(beside).unlink(missing_ok=True)
        raise _refused(path, error) from error
    return target


def _refused(path: str, error: OSError) -> WorkbookFileError:
    why = error.strerror or "the system gives no reason"
    return WorkbookFileError(f"{path} cannot be written: {why}. Is it open in another program?")
