"""Opening a workbook's file, whoever made it: the one place where that is done.

What the file says of itself is looked at before any of it is unpacked, and a part is
unpacked only when it is asked for, up to a size that memory bears.
"""

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NamedTuple

from xlsizing.book.package.errors import WorkbookReadError, damaged
from xlsizing.book.package.xml import XmlError, as_utf8
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message

MOST_FILE_BYTES = 1_000 * 2**20
"""Larger files are not opened; parts that nobody asks for are never in memory."""
MOST_BYTES = 4_000 * 2**20
"""Bytes that the parts of a workbook may have together, unpacked."""
MOST_PART_BYTES = 100 * 2**20
"""Bytes that a part may have, unpacked, that is asked for as a whole."""
MOST_TIMES = 200
"""How many times larger the parts may be than the file; sheets that repeat reach some 30."""
HARMLESS_BYTES = 32 * 2**20
"""So much may unpack from any file: a small workbook of equal rows is packed very well."""
MOST_PARTS = 10_000
MOST_FOLDERS = 20
"""How deep a part's name may be nested in folders; those of workbooks reach four."""

CONTENT_TYPES = "[Content_Types].xml"

_CHUNK = 2**20
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_END = struct.Struct("<4s6xHI6x")
"""The end of the list of parts: signature, number of parts, length of the list [bytes]."""
_END_OF_64 = struct.Struct("<4s28xQQ8x")
"""The same in files that count in 64 bits; its number and length are those that count."""
_LOCATOR, _LONGEST_COMMENT = 20, 65_535
_MOST_ENTRY_BYTES = 500
"""Bytes of the list that a part may take on average."""
_PACKED_AS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_IS_ENCRYPTED, _IS_UTF_8 = 0x1, 0x800

_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
"""How files of the older kind begin, and those that are protected by a password."""

_NO_END = Message("its end is missing, or was changed")
_SAVE_IT = Message("save it as an Excel Workbook (.xlsx)")
_GIVE = Message("give an .xlsx file that a spreadsheet program saved")
_KINDS_OF_TEXT = (
    (b"%PDF", Message("is a PDF; {advice}", advice=_GIVE)),
    (b"{\\rtf", Message("is a text document (.rtf); {advice}", advice=_GIVE)),
    (
        b"version https://git-lfs",
        Message("is a pointer of Git LFS; fetch the file itself (git lfs pull)"),
    ),
)
_KINDS_OF_ZIP = {
    "xl/workbook.bin": Message("is a binary workbook (.xlsb); {advice}", advice=_SAVE_IT),
    "word/document.xml": Message("is a document of Word (.docx); {advice}", advice=_GIVE),
    "ppt/presentation.xml": Message("is a presentation (.pptx); {advice}", advice=_GIVE),
    "index/document.iwa": Message(
        "is a spreadsheet of Numbers; export it from there to Excel (.xlsx)"
    ),
}


class PartEntry(NamedTuple):
    """Where a part stands in the file, and how it is packed there."""

    info: zipfile.ZipInfo
    start: int
    """Where its packed bytes begin."""

    @property
    def end(self) -> int:
        """Where they end."""
        return self.start + self.info.compress_size


class Package:
    """A workbook's file that may be opened; its parts are unpacked when they are asked for."""

    def __init__(self, file: BinaryIO, name: str, size: int) -> None:
        """Look at what a file says of itself.

        Parameters
        ----------
        file : the file, which stays open as long as the package is used.
        name : what sentences call it.
        size : how many bytes it has.

        Raises
        ------
        WorkbookReadError : it is no workbook, or would unpack to too much.
        """
        self.file = file
        self.name = name
        self.size = size
        self._require_zip()
        self._require_modest_directory()
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
            raise self._damaged(_NO_END) from error
        infos = self._zip.infolist()
        self._require_modest(infos)
        self._infos = self._by_name(infos)
        self._require_workbook()

    def close(self) -> None:
        """Close the file, of which nothing is read any more."""
        self._zip.close()
        self.file.close()

    @property
    def parts(self) -> list[str]:
        """Names of all parts, in their order in the file."""
        return [info.filename for info in self._infos.values()]

    def has(self, part: str) -> bool:
        """Whether there is a part of that name; case does not count."""
        return part.lower() in self._infos

    def size_of(self, part: str) -> int:
        """How many bytes a part has, unpacked."""
        return self._info(part).file_size

    def read(self, part: str) -> bytes:
        """The bytes of a part.

        Raises
        ------
        WorkbookReadError : there is no such part, it is damaged, or too large for memory.
        """
        if self.size_of(part) > MOST_PART_BYTES:
            most = MOST_PART_BYTES // 2**20
            raise WorkbookReadError(
                Message(
                    "{name} has a part {part} of more than {most} MiB; that is too much for a plan.",
                    name=self.name,
                    part=part,
                    most=str(most),
                )
            )
        return b"".join(self.chunks(part))

    def xml(self, part: str) -> bytes:
        """The bytes of a part that holds XML, in UTF-8; see `read`."""
        try:
            return as_utf8(self.read(part))
        except XmlError as error:
            raise self.broken(part, error) from error

    def chunks(self, part: str) -> Iterator[bytes]:
        """The bytes of a part, however large, a megabyte at a time; see `read`."""
        info = self._info(part)
        try:
            with self._zip.open(info) as opened:
                while chunk := opened.read(_CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
            raise self._damaged(Message("its part {part} cannot be unpacked", part=part)) from error
        except (OSError, RuntimeError, struct.error) as error:
            raise self._damaged(Message("its part {part} cannot be read", part=part)) from error

    def broken(self, part: str, why: object) -> WorkbookReadError:
        """What to raise where a part is not what it must be."""
        return self._damaged(Message("in its part {part}, {why}", part=part, why=str(why)))

    @cached_property
    def entries(self) -> Mapping[str, PartEntry]:
        """Where each part stands in the file, by name, in their order there.

        Raises
        ------
        WorkbookReadError : a part's header is damaged, or parts share bytes.
        """
        found = {
            info.filename: PartEntry(info, self._start(info))
            for info in sorted(self._infos.values(), key=lambda info: info.header_offset)
        }
        end = 0
        for name, entry in found.items():
            if entry.info.header_offset < end:
                raise self._damaged(Message("its part {part} shares bytes with another", part=name))
            end = entry.end
        if end > self.size:
            raise self._damaged(Message("its end is missing"))
        return found

    def _start(self, info: zipfile.ZipInfo) -> int:
        self.file.seek(info.header_offset)
        header = self.file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\3\4"):
            raise self._damaged(
                Message("the header of its part {part} is missing", part=info.filename)
            )
        _, length_of_name, length_of_extra = _LOCAL_HEADER.unpack(header)
        encoding = "utf-8" if info.flag_bits & _IS_UTF_8 else "cp437"
        if self.file.read(length_of_name).decode(encoding, "replace") != info.orig_filename:
            raise self._damaged(
                Message("the header of its part {part} has another name", part=info.filename)
            )
        return info.header_offset + _LOCAL_HEADER.size + int(length_of_name + length_of_extra)

    def _info(self, part: str) -> zipfile.ZipInfo:
        found = self._infos.get(part.lower())
        if found is None:
            raise self._damaged(Message("it has no part {part}", part=part))
        return found

    def _damaged(self, why: Message) -> WorkbookReadError:
        return damaged(self.name, why)

    def _refused(self, why: Message) -> WorkbookReadError:
        return WorkbookReadError(Message("{name} {why}.", name=self.name, why=why))

    def _require_zip(self) -> None:
        begin = self.file.read(4096)
        self.file.seek(0)
        if begin.startswith(b"PK"):
            return
        if begin.startswith(_OLE):
            raise self._refused(self._kind_of_compound_file())
        for sign, kind in _KINDS_OF_TEXT:
            if begin.startswith(sign):
                raise self._refused(kind)
        if b"urn:schemas-microsoft-com:office:spreadsheet" in begin:
            raise self._refused(
                Message("is a workbook in the XML of 2003; {advice}", advice=_SAVE_IT)
            )
        if b"<html" in begin.lower():
            raise self._refused(
                Message("is a web page, whatever its name says; {advice}", advice=_SAVE_IT)
            )
        if _is_text(begin):
            raise self._refused(Message("is a text file, such as CSV; {advice}", advice=_SAVE_IT))
        raise self._refused(Message("is no workbook; {advice}", advice=_GIVE))

    def _kind_of_compound_file(self) -> Message:
        """What a file is that is no zip but the older container (MS-CFB)."""
        # The names of its streams stand in its directory, which may be anywhere.
        sign, before = "EncryptedPackage".encode("utf-16-le"), b""
        while chunk := self.file.read(_CHUNK):
            if sign in before + chunk:
                return Message(
                    "is protected by a password; open it, save it without one, and give that file"
                )
            before = chunk[-len(sign) :]
        return Message("is a workbook of the older kind (.xls); {advice}", advice=_SAVE_IT)

    def _require_modest_directory(self) -> None:
        """Look at the list of the parts before it is read: all of it would be in memory."""
        start = max(0, self.size - _END.size - _LONGEST_COMMENT - _END_OF_64.size - _LOCATOR)
        self.file.seek(start)
        end = self.file.read()
        self.file.seek(0)
        at = end.rfind(b"PK\5\6")
        if at < 0 or len(end) - at < _END.size:
            raise self._damaged(_NO_END)
        _, count, length = _END.unpack_from(end, at)
        of_64 = end.rfind(b"PK\6\6", 0, at)
        if of_64 >= 0 and len(end) - of_64 >= _END_OF_64.size:
            _, count, length = _END_OF_64.unpack_from(end, of_64)
        if count > MOST_PARTS or length > MOST_PARTS * _MOST_ENTRY_BYTES:
            raise self._refused(
                Message("has more than {most} parts; it was not opened", most=grouped(MOST_PARTS))
            )

    def _require_modest(self, infos: list[zipfile.ZipInfo]) -> None:
        unpacked = sum(info.file_size for info in infos)
        most = min(MOST_BYTES, max(HARMLESS_BYTES, MOST_TIMES * self.size))
        if len(infos) > MOST_PARTS or unpacked > most:
            raise self._refused(
                Message("would unpack to far more than a planning workbook; it was not opened")
            )
        for info in infos:
            if info.filename.count("/") > MOST_FOLDERS:
                raise self._refused(
                    Message("has parts in too many nested folders; it was not opened")
                )
            if info.flag_bits & _IS_ENCRYPTED:
                raise self._refused(
                    Message("is a zip file with a password, which no workbook is; save it anew")
                )
            if info.compress_type not in _PACKED_AS:
                raise self._refused(
                    Message(
                        "is packed in a way that Excel does not know ({part}); save it anew",
                        part=info.filename,
                    )
                )

    def _by_name(self, infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        found: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            if not info.filename:
                raise self._damaged(Message("it has a part without a name"))
            if info.is_dir():
                continue
            key = info.filename.replace("\\", "/").lower()
            if key in found:
                raise self._damaged(Message("it has the part {part} twice", part=info.filename))
            found[key] = info
        return found

    def _require_workbook(self) -> None:
        for part, kind in _KINDS_OF_ZIP.items():
            if part in self._infos:
                raise self._refused(kind)
        if "mimetype" in self._infos and self.read("mimetype").startswith(
            b"application/vnd.oasis.opendocument"
        ):
            raise self._refused(
                Message("is an OpenDocument file (.ods); {advice}", advice=_SAVE_IT)
            )
        if CONTENT_TYPES.lower() not in self._infos:
            raise self._refused(
                Message("is a zip file, but no Excel Workbook (.xlsx); {advice}", advice=_SAVE_IT)
            )


def _is_text(begin: bytes) -> bool:
    """Whether a file that begins so holds text."""
    if begin.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    return not any(byte < 32 and byte not in b"\t\n\r\f" for byte in begin)


@contextmanager
def opened_package(path: str) -> Iterator[Package]:
    """A workbook's file, open while the context lasts.

    Raises
    ------
    WorkbookReadError : the file cannot be read, is no workbook, or would unpack to too much.
    """
    try:
        is_folder = Path(path).is_dir()
        # Without waiting, since a pipe would keep us until somebody wrote to it.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY
        handle = -1 if is_folder else os.open(path, flags)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise WorkbookReadError(
            Message("{path} cannot be read: {why}.", path=path, why=why)
        ) from error
    if is_folder:
        raise WorkbookReadError(Message("{path} is a folder; give a workbook in it.", path=path))
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise WorkbookReadError(
                Message("{path} is no file with a workbook, but a pipe or a device.", path=path)
            )
        if not found.st_size:
            raise WorkbookReadError(Message("{path} is empty.", path=path))
        if found.st_size > MOST_FILE_BYTES:
            most = MOST_FILE_BYTES // 2**20
            raise WorkbookReadError(
                Message(
                    "{path} has more than {most} MiB, too much for a plan.",
                    path=path,
                    most=str(most),
                )
            )
        try:
            package = Package(file, path, found.st_size)
        except OSError as error:
            raise WorkbookReadError(
                Message("{path} cannot be read: {why}.", path=path, why=str(error.strerror))
            ) from error
        yield package


_BINARY = getattr(os, "O_BINARY", 0)


_THE_WORKBOOK = Message("the workbook")


def package_of(content: bytes, name: str = _THE_WORKBOOK) -> Package:
    """The package of a workbook in memory; see `opened_package`."""
    return Package(io.BytesIO(content), name, len(content))
