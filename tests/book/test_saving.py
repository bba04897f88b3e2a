"""Saving: a whole new file or none, and a sentence about what is in the way."""

import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

import pytest

from xlsizing.book.saving import replace_workbook, require_writable, save_workbook, state_of
from xlsizing.core import SizingError

OLD, NEW = b"a person's own", b"PK new"


def is_sentence_about(error: SizingError, path: Path | str) -> bool:
    text = str(error)
    named = str(path) in text
    return named and bool(re.search(r" \w+ .*[.?]$", text)) and "\n" not in text


def refuse(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def existing(tmp_path: Path) -> Path:
    path = tmp_path / "plan.xlsx"
    path.write_bytes(OLD)
    return path


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_new_file_holds_the_bytes_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    assert save_workbook(str(path), NEW, force=False) == path
    assert path.read_bytes() == NEW
    assert list(tmp_path.iterdir()) == [path]


def test_existing_file_is_left_alone_without_force(existing: Path) -> None:
    with pytest.raises(SizingError) as caught:
        save_workbook(str(existing), NEW, force=False)
    assert is_sentence_about(caught.value, existing)
    assert "--force" in str(caught.value)
    assert existing.read_bytes() == OLD
    assert list(existing.parent.iterdir()) == [existing]


def test_existing_file_is_replaced_whole_with_force(existing: Path) -> None:
    before = existing.stat().st_ino
    with existing.open("rb") as reader:
        save_workbook(str(existing), NEW, force=True)
        assert reader.read() == OLD  # who had it open still reads the old one
    assert existing.read_bytes() == NEW
    assert existing.stat().st_ino != before
    assert list(existing.parent.iterdir()) == [existing]


@pytest.mark.parametrize("call", ["replace", "fsync", "chmod"])
@pytest.mark.parametrize("force", [True, False])
def test_failure_while_writing_leaves_the_original_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, force: bool
) -> None:
    path = tmp_path / "plan.xlsx"
    if force:
        path.write_bytes(OLD)
    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(SizingError) as caught:
        save_workbook(str(path), NEW, force=force)
    monkeypatch.undo()
    assert is_sentence_about(caught.value, path)
    assert os.strerror(errno.ENOSPC) in str(caught.value)
    assert list(tmp_path.iterdir()) == ([path] if force else [])
    assert not force or path.read_bytes() == OLD


def test_interrupt_while_writing_leaves_the_original_and_no_temporary_file(
    existing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_workbook(str(existing), NEW, force=True)
    assert existing.read_bytes() == OLD
    assert list(existing.parent.iterdir()) == [existing]


def test_bytes_are_on_the_disk_before_they_take_the_name(
    existing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    sync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        found = os.fstat(handle)
        what = "the folder" if stat.S_ISDIR(found.st_mode) else f"{found.st_size} bytes"
        calls.append(f"fsync of {what}")
        sync(handle)

    def replaced(source: str, target: Path) -> None:
        calls.append(f"replace in the same folder: {Path(source).parent == target.parent}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    save_workbook(str(existing), NEW, force=True)
    assert calls[:2] == [f"fsync of {len(NEW)} bytes", "replace in the same folder: True"]
    assert calls[2:] == (["fsync of the folder"] if hasattr(os, "O_DIRECTORY") else [])


def test_folder_that_must_not_be_written_to_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "mkstemp", denied)
    path = tmp_path / "plan.xlsx"
    with pytest.raises(SizingError) as caught:
        save_workbook(str(path), NEW, force=False)
    assert is_sentence_about(caught.value, path)
    assert os.strerror(errno.EACCES) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("open_umask")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_mode_of_the_file_follows_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    os.umask(umask)
    path = save_workbook(str(tmp_path / "plan.xlsx"), NEW, force=False)
    assert path.stat().st_mode & 0o777 == mode
    assert os.umask(umask) == umask


@pytest.mark.parametrize("name", ["plan", "plan.xls", "plan.xlsm.txt", "plan.xlsx.bak", ".xlsx"])
@pytest.mark.parametrize("force", [True, False])
def test_other_endings_are_refused(tmp_path: Path, name: str, force: bool) -> None:
    path = tmp_path / name
    with pytest.raises(SizingError) as caught:
        save_workbook(str(path), NEW, force=force)
    assert is_sentence_about(caught.value, path)
    assert ".xlsx" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_ending_in_capitals_is_as_good(tmp_path: Path) -> None:
    assert save_workbook(str(tmp_path / "PLAN.XLSX"), NEW, force=False).read_bytes() == NEW


@pytest.mark.parametrize("force", [True, False])
def test_folder_of_that_name_is_refused(tmp_path: Path, force: bool) -> None:
    path = tmp_path / "plan.xlsx"
    path.mkdir()
    with pytest.raises(SizingError) as caught:
        save_workbook(str(path), NEW, force=force)
    assert is_sentence_about(caught.value, path)
    assert "is a folder" in str(caught.value)
    assert list(tmp_path.iterdir()) == [path]
    assert list(path.iterdir()) == []


@pytest.mark.parametrize("parent", ["nowhere", "file"])
def test_folder_that_does_not_exist_is_refused(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").write_bytes(OLD)
    path = tmp_path / parent / "plan.xlsx"
    with pytest.raises(SizingError) as caught:
        save_workbook(str(path), NEW, force=False)
    assert is_sentence_about(caught.value, path.parent)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_refusals_come_before_anything_is_computed(existing: Path) -> None:
    for path, force in ((existing, False), (existing.with_suffix(".ods"), True)):
        with pytest.raises(SizingError) as caught:
            require_writable(str(path), force)
        assert is_sentence_about(caught.value, path)
    assert require_writable(str(existing), force=True) == existing
    assert existing.read_bytes() == OLD


FAILURES = ("ENOSPC", "EIO", "EROFS", "EDQUOT")
"""What is wrong with a disk whatever the call."""
NOT_LET = ("EPERM", "ENOTSUP", "ENOSYS", "EINVAL")
"""What a folder in a network says of what it does not have."""


def replace_with(existing: Path, call: str, code: str, *, backup: bool) -> SizingError | None:
    """Replace the file while a call of the system fails; what that raises."""

    def fail(*_: object, **__: object) -> NoReturn:
        number = getattr(errno, code)
        raise OSError(number, os.strerror(number))

    def write(file: BinaryIO) -> None:
        file.write(NEW)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, call, fail)
        try:
            replace_workbook(str(existing), write, state_of(existing), backup=backup)
        except SizingError as error:
            return error
    return None


@pytest.mark.parametrize("backup", [False, True], ids=["plain", "backup"])
@pytest.mark.parametrize("code", FAILURES)
@pytest.mark.parametrize("call", ["fdopen", "fsync", "chmod", "replace"])
def test_disk_that_fails_while_replacing_leaves_all_as_it_was(
    existing: Path, call: str, code: str, backup: bool
) -> None:
    error = replace_with(existing, call, code, backup=backup)
    assert error is not None
    assert is_sentence_about(error, existing)
    assert os.strerror(getattr(errno, code)) in str(error)
    assert existing.read_bytes() == OLD
    assert list(existing.parent.iterdir()) == [existing]


@pytest.mark.parametrize("code", NOT_LET)
@pytest.mark.parametrize("call", ["fsync", "chmod", "utime", "link", "listxattr"])
def test_folder_without_rights_links_or_fsync_is_as_good(
    existing: Path, call: str, code: str
) -> None:
    if not hasattr(os, call):
        pytest.skip(f"os.{call} is not of this system.")
    assert replace_with(existing, call, code, backup=True) is None
    assert existing.read_bytes() == NEW
    kept = existing.with_name("plan.xlsx.bak")
    assert kept.read_bytes() == OLD
    assert sorted(existing.parent.iterdir()) == [existing, kept]


def test_copy_takes_a_free_name_where_there_are_no_links(existing: Path) -> None:
    kept = existing.with_name("plan.xlsx.bak")
    kept.write_bytes(b"older")
    assert replace_with(existing, "link", "EPERM", backup=True) is None
    assert kept.read_bytes() == b"older"
    assert existing.with_name("plan.xlsx.bak2").read_bytes() == OLD


def test_copy_stays_where_it_may_be_the_only_one(
    existing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def done_but_lost(source: Path, target: Path) -> NoReturn:
        replace(source, target)
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(os, "replace", done_but_lost)
    with pytest.raises(SizingError):
        replace_workbook(str(existing), BinaryIO.flush, state_of(existing), backup=True)
    assert existing.with_name("plan.xlsx.bak").read_bytes() == OLD
