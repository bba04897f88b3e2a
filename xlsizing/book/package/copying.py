"""Writing a package anew with some parts changed: all others are copied as they are packed."""

import copy
import zipfile
from collections.abc import Collection, Iterator, Mapping
from typing import BinaryIO

from xlsizing.book.package.opened import Package, PartEntry

_CHUNK = 2**20
_SIZES_FOLLOW = 0x08
"""The flag of a part whose sizes stand behind it."""


def write_copy(
    package: Package,
    changed: Mapping[str, bytes],
    removed: Collection[str],
    target: BinaryIO,
) -> None:
    """Write a package with other content in some parts.

    The parts keep their order, and those that are not named their packed bytes: what a
    copy costs does not depend on what is in them.

    Parameters
    ----------
    package : what is copied.
    changed : the new content of parts, by name; parts that are new come last.
    removed : names of parts that are left out.
    target : where to write, from its beginning.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        for name, entry in package.entries.items():
            if name in changed:
                info = _described_as(entry.info)
                written.writestr(info, changed[name], compress_type=zipfile.ZIP_DEFLATED)
            elif name not in removed:
                _copy(package, entry, written)
        for name in changed:
            if not package.has(name):
                written.writestr(zipfile.ZipInfo(name, _FIRST_DATE), changed[name])


_FIRST_DATE = (1980, 1, 1, 0, 0, 0)


def _described_as(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    described = zipfile.ZipInfo(info.filename, info.date_time)
    described.external_attr = info.external_attr
    described.create_system = info.create_system
    return described


def _copy(package: Package, entry: PartEntry, written: zipfile.ZipFile) -> None:
    """Copy a part as it is packed, with a header that says its sizes."""
    info = copy.copy(entry.info)
    info.flag_bits &= ~_SIZES_FOLLOW
    # What stands there of other systems' times and rights may be said otherwise in two places.
    info.extra = b""
    target = written.fp
    assert target is not None
    target.seek(written.start_dir)
    info.header_offset = target.tell()
    target.write(info.FileHeader(zip64=False))
    for chunk in _chunks(package, entry):
        target.write(chunk)
    # zipfile has no call for this: its list of what it wrote is what its end is made from.
    written.filelist.append(info)
    written.NameToInfo[info.filename] = info
    written.start_dir = target.tell()
    written._didModify = True  # type: ignore[attr-defined]  # noqa: SLF001


def _chunks(package: Package, entry: PartEntry) -> Iterator[bytes]:
    package.file.seek(entry.start)
    left = entry.info.compress_size
    while left:
        chunk = package.file.read(min(left, _CHUNK))
        assert chunk, "the entries were looked at, and reach no further than the file"
        left -= len(chunk)
        yield chunk
