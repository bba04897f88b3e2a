"""The guard says of every file that it refuses why, before anything is unpacked."""

import io
import os
import socket
import threading
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from tests.fuzz.zips import STORED, Entry, Zip, packed, part, written
from xlsizing.book.contents import Contents, opened_contents
from xlsizing.book.package import opened
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.book.package.opened import Package, package_of
from xlsizing.book.package.structure import Structure
from xlsizing.book.worksheet import Area

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
OF_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OF_SHEETS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
SHEET_TYPE = f"{OF_SHEETS}.sheet.main+xml"
MACRO_TYPE = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
TEMPLATE_TYPE = f"{OF_SHEETS}.template.main+xml"


def types(kind: str = SHEET_TYPE) -> str:
    return (
        f'<Types xmlns="{OF_PACKAGE}/content-types">'
        f'<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}"/></Types>'
    )


def relation(kind: str, target: str, mode: str = "") -> str:
    more = f' TargetMode="{mode}"' if mode else ""
    return (
        f'<Relationships xmlns="{OF_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/{kind}" Target="{target}"{more}/></Relationships>'
    )


PARTS: Mapping[str, str | bytes] = {
    "[Content_Types].xml": types(),
    "_rels/.rels": relation("officeDocument", "xl/workbook.xml"),
    "xl/workbook.xml": (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="First" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": relation("worksheet", "worksheets/sheet1.xml"),
    "xl/worksheets/sheet1.xml": (
        f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1"><v>7</v></c></row>'
        "</sheetData></worksheet>"
    ),
}
"""The least that a workbook is made of: one sheet, with 7 in A1."""


def zipped(parts: Mapping[str, str | bytes]) -> Zip:
    contents = {
        name: each.encode() if isinstance(each, str) else each for name, each in parts.items()
    }
    return packed([part(name.encode(), content) for name, content in contents.items()])


def workbook(**changed: str | bytes | None) -> bytes:
    """The least workbook with some parts changed, by the last part of their names, or left out."""
    parts = dict(PARTS)
    for name in PARTS:
        key = name.rpartition("/")[2].replace(".", "_").strip("_").replace("[", "").replace("]", "")
        if key in changed:
            new = changed.pop(key)
            if new is None:
                del parts[name]
            else:
                parts[name] = new
    assert not changed, changed
    return written(zipped(parts))


def first_cell(content: bytes, name: str = "plan.xlsx") -> object:
    """What stands in A1 of the sheet First."""
    contents = Contents(package_of(content, name))
    sheet = contents.sheet("First")
    assert sheet
    [cell] = contents.cells(sheet, Area(1, 1, 1, 1))
    return contents.value(sheet, cell)


def refusal(look: Callable[[], object]) -> str:
    """The one sentence, or the few of a damaged file, that a file is refused with."""
    with pytest.raises(WorkbookReadError) as caught:
        look()
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    return said


def refused(content: bytes, name: str = "plan.xlsx") -> str:
    """Why a file in memory is refused."""
    said = refusal(lambda: first_cell(content, name))
    assert name in said
    return said


@pytest.fixture
def nothing_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    def unpack(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a part was unpacked before the file was refused")

    monkeypatch.setattr(zipfile.ZipFile, "open", unpack)
    monkeypatch.setattr(zipfile.ZipFile, "read", unpack)


def test_the_least_workbook_is_read() -> None:
    assert first_cell(workbook()) == 7


OLE = bytes.fromhex("D0CF11E0A1B11AE1")
XML_OF_2003 = (
    b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>\n'
    b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'
)
OTHERS: Mapping[str, tuple[bytes, str]] = {
    "web page": (b"\n <!DOCTYPE html>\n<HTML><table>", "is a web page, whatever its name says; sa"),
    "XML of 2003": (XML_OF_2003, "is a workbook in the XML of 2003; save it as an Excel Workbook"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", "is a PDF; give an .xlsx file that a spreadsheet program"),
    "rich text": (b"{\\rtf1\\ansi}", "is a text document (.rtf); give an .xlsx"),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n",
        "is a pointer of Git LFS; fetch the file itself (git lfs pull)",
    ),
    "text in UTF-16": ("a;b\n".encode("utf-16"), "is a text file, such as CSV; save it"),
    "password far behind": (
        OLE + bytes(3 * 2**20 - 20) + "EncryptedPackage".encode("utf-16-le") + bytes(99),
        "is protected by a password; open it, save it without one, and give that file.",
    ),
    "Numbers": (written(zipped({"Index/Document.iwa": b"x"})), "is a spreadsheet of Numbers; exp"),
    "Word": (written(zipped({"word/document.xml": b"x"})), "is a document of Word (.docx); give"),
    "slides": (written(zipped({"ppt/presentation.xml": b"x"})), "is a presentation (.pptx); give"),
    "any zip": (written(zipped({"photo.jpg": b"x"})), "is a zip file, but no Excel Workbook"),
    "empty zip": (b"PK\5\6" + bytes(18), "is a zip file, but no Excel Workbook"),
    "workbook part left out": (
        workbook(workbook_xml=None),
        "is a zip file, but no Excel Workbook (.xlsx); save it as an Excel Workbook (.xlsx).",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_files_are_called_what_they_are(case: str) -> None:
    content, words = OTHERS[case]
    assert f"plan.xlsx {words}" in refused(content)


def test_pipes_and_devices_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan.xlsx")
    for path in (str(tmp_path / "plan.xlsx"), "/dev/zero"):
        found: list[str] = []

        def look(path: str = path, found: list[str] = found) -> None:
            found.append(refusal(lambda: opened_contents(path).__enter__()))

        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        looking.join(10)
        assert found == [f"{path} is no file with a workbook, but a pipe or a device."]


def test_a_link_to_a_workbook_is_read(tmp_path: Path) -> None:
    (tmp_path / "real.xlsx").write_bytes(workbook())
    (tmp_path / "plan.xlsx").symlink_to(tmp_path / "real.xlsx")
    with opened_contents(str(tmp_path / "plan.xlsx")) as contents:
        assert contents.sheet("First")


def crowded(name: bytes, count: int = 1) -> bytes:
    file = zipped(PARTS)
    for _ in range(count):
        file.entries.append(Entry(part(name, b"")))
    return written(file)


def large(size: int) -> bytes:
    """A workbook of which a part says that it unpacks to that many bytes."""
    file = zipped(PARTS)
    file.entries[-1].central.size = size
    return written(file)


def flagged(flags: int = 0, method: int | None = None) -> bytes:
    file = zipped(PARTS)
    file.entries[2].central.flags = flags
    file.entries[2].central.method = method
    return written(file)


BEYOND: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "parts": (lambda: crowded(b"a", 10_001 - len(PARTS)), "has more than 10,000 parts; it was not"),
    "times": (lambda: large(33 * 2**20), "would unpack to far more than a planning workbook; it w"),
    "bytes": (lambda: large(2**32 - 2), "would unpack to far more than a planning workbook; it w"),
    "folders": (lambda: crowded(b"a/" * 21 + b"a"), "has parts in too many nested folders; it was"),
    "password": (lambda: flagged(flags=1), "is a zip file with a password, which no workbook is;"),
    "packed otherwise": (
        lambda: flagged(method=12),
        "is packed in a way that Excel does not know (xl/workbook.xml); save it anew",
    ),
}


@pytest.mark.parametrize("case", BEYOND)
@pytest.mark.usefixtures("nothing_is_unpacked")
def test_what_is_beyond_the_limits_is_refused_before_it_is_unpacked(case: str) -> None:
    make, words = BEYOND[case]
    assert words in refused(make())


def test_files_just_within_the_limits_are_read() -> None:
    assert first_cell(crowded(b"a/" * 20 + b"a")) == 7
    file = zipped(PARTS)
    file.entries += [Entry(part(b"a%d" % n, b"")) for n in range(10_000 - len(PARTS))]
    assert first_cell(written(file)) == 7
    # The spaces pack to some hundredth, so that the whole is below 200 times the file.
    assert (
        first_cell(workbook(sheet1_xml=f"{PARTS['xl/worksheets/sheet1.xml']!s}{' ' * 50_000}")) == 7
    )


@contextmanager
def little_memory(most_mib: float) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
    assert peak < most_mib


@pytest.mark.parametrize(("is_in_64_bits", "said"), [(False, 10**6), (True, 10**6), (True, 5)])
def test_a_list_of_a_million_parts_is_not_taken_into_memory(is_in_64_bits: bool, said: int) -> None:
    """A list of 47 MB; read by Python's zipfile, each of its entries would take ten times that."""
    entry = written(zipped({"a": b""}))[-69:-22]
    million = 10**6
    file = Zip([], before=entry * million, start=0, length=len(entry) * million)
    file.count, file.has_64 = said, is_in_64_bits
    content = io.BytesIO(b"PK\3\4" + written(file)[4:])
    size = content.getbuffer().nbytes
    with little_memory(2):
        words = refusal(lambda: Package(content, "plan.xlsx", size))
    assert "plan.xlsx has more than 10,000 parts; it was not opened" in words


def test_a_list_that_says_less_than_it_holds_is_refused() -> None:
    file = zipped(PARTS)
    file.entries += [Entry(part(b"a%d" % n, b"")) for n in range(12_000)]
    file.count = 5
    assert "plan.xlsx" in refused(written(file))


def test_a_part_that_is_larger_than_it_says_is_not_unpacked_beyond_that() -> None:
    file = zipped({**PARTS, "xl/worksheets/sheet1.xml": b"<a>" + bytes(50 * 2**20)})
    file.entries[-1].central.size = file.entries[-1].local.size = 1_000
    with little_memory(8):
        assert "xl/worksheets/sheet1.xml cannot be unpacked" in refused(written(file))


def test_a_part_too_large_for_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "MOST_PART_BYTES", 2**20)
    file = zipped({**PARTS, "xl/worksheets/sheet1.xml": os.urandom(2**20 + 1)})
    said = refused(written(file))
    assert "has a part xl/worksheets/sheet1.xml of more than 1 MiB; that is too much" in said


def test_parts_that_share_bytes_are_refused() -> None:
    file = zipped(PARTS)
    file.entries[-2].local.packed = file.entries[-2].central.packed = 500
    package = package_of(written(file))
    assert "its part xl/worksheets/sheet1.xml shares bytes" in refusal(lambda: package.entries)


def test_headers_that_differ_from_the_list_are_refused() -> None:
    file = zipped(PARTS)
    file.entries[-1].local.name = b"xl/worksheets/sheet2.xml"
    package = package_of(written(file))
    assert "xl/worksheets/sheet1.xml has another name" in refusal(lambda: package.entries)
    assert "xl/worksheets/sheet1.xml cannot be unpacked" in refused(written(file))


@pytest.mark.parametrize("again", ["xl/workbook.xml", "XL/Workbook.xml", "xl\\workbook.xml"])
def test_a_part_that_is_there_twice_is_refused(again: str) -> None:
    file = zipped(PARTS)
    file.entries.append(Entry(part(again.encode(), b"<a/>"), STORED))
    assert "it has the part" in (said := refused(written(file)))
    assert "twice" in said


def test_a_part_without_a_name_is_refused() -> None:
    assert "it has a part without a name" in refused(crowded(b""))


def test_a_changed_byte_of_a_part_that_is_read_is_told() -> None:
    file = zipped(PARTS)
    file.entries[-1].central.crc = file.entries[-1].local.crc = 1
    assert "its part xl/worksheets/sheet1.xml cannot be unpacked" in refused(written(file))


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        (
            SHEET_TYPE,
            "plan.xlsm",
            "is called .xlsm, but is an .xlsx inside, and Excel opens no such",
        ),
        (
            MACRO_TYPE,
            "plan.xlsx",
            "is called .xlsx, but is an .xlsm inside, and Excel opens no such",
        ),
        (TEMPLATE_TYPE, "plan.xlsx", "is called .xlsx, but is an .xltx inside, and Excel opens no"),
        (
            "application/xml",
            "plan.xlsx",
            "the workbook is called application/xml, which is no work",
        ),
        ("", "plan.xlsx", "the workbook is called nothing, which is no workbook"),
    ],
)
def test_a_name_or_type_that_is_another_kinds_is_told(kind: str, name: str, words: str) -> None:
    assert words in refused(workbook(Content_Types_xml=types(kind)), name)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (SHEET_TYPE, "PLAN.XLSX"),
        (SHEET_TYPE, "plan"),
        (MACRO_TYPE, "a.xlsm"),
        (TEMPLATE_TYPE, "a.xltx"),
    ],
)
def test_a_name_that_fits_its_type_or_promises_nothing_is_read(kind: str, name: str) -> None:
    assert first_cell(workbook(Content_Types_xml=types(kind)), name) == 7


def test_macros_where_none_belong_are_told() -> None:
    content = written(zipped({**PARTS, "xl/vbaProject.bin": OLE}))
    assert "is an .xlsx with macros in it, and no such file may have any; open it" in refused(
        content
    )
    with_type = {**PARTS, "xl/vbaProject.bin": OLE, "[Content_Types].xml": types(MACRO_TYPE)}
    assert first_cell(written(zipped(with_type)), "plan.xlsm") == 7


DOCTYPE = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("name", PARTS)
def test_a_document_type_ends_the_reading_of_any_part(name: str) -> None:
    content = written(zipped({**PARTS, name: f"{DOCTYPE}{PARTS[name]!s}"}))
    said = refused(content)
    assert f"in its part {name}, its XML declares a document type, which no part" in said


@pytest.mark.parametrize("name", PARTS)
def test_parts_may_be_in_utf_16(name: str) -> None:
    text = f'<?xml version="1.0" encoding="UTF-16"?>{PARTS[name]!s}'
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        assert first_cell(written(zipped({**PARTS, name: text.encode(encoding)}))) == 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff\xfe<\x00a", "its text is no UTF-16"),
        (b'<?xml version="1.0" encoding="latin-1"?><a/>', "its text is in latin-1, and must be in"),
        ("<a/>".encode("utf-32"), "its XML is broken at line 1"),
        (b'<?xml version="1.0" encoding="%b"?><a/>' % (b"x" * 300), "is in no known encoding"),
        (b"<a>\xff</a>", "its XML is broken at line 1"),
    ],
)
def test_parts_may_be_in_no_other_encoding(text: bytes, words: str) -> None:
    assert words in (said := refused(workbook(workbook_xml=text)))
    assert "in its part xl/workbook.xml, " in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Content_Types_xml": None}, "is a zip file, but no Excel Workbook"),
        ({"Content_Types_xml": "<Types/>"}, "the workbook is called nothing, which is no workbook"),
        ({"workbook_xml_rels": None}, "in its part xl/workbook.xml, 0 sheets are listed"),
        ({"sheet1_xml": None}, "it has no part xl/worksheets/sheet1.xml"),
        ({"sheet1_xml": "<worksheet/>"}, "in its part xl/worksheets/sheet1.xml, there are no rows"),
        ({"workbook_xml": "<a>" * 201 + "</a>" * 201}, "is nested deeper than 200 levels"),
    ],
)
def test_what_is_missing_or_empty_is_told(changes: dict[str, str | None], words: str) -> None:
    assert words in refused(workbook(**changes))


def test_the_package_need_not_say_which_part_the_workbook_is() -> None:
    content = {name: each for name, each in PARTS.items() if name != "_rels/.rels"}
    assert first_cell(written(zipped(content))) == 7


def test_a_part_of_more_elements_than_programs_write_is_told() -> None:
    names = "<sheet/>" * 200_002
    noise = {**PARTS, "xl/media/noise.bin": os.urandom(100_000)}
    content = written(zipped({**noise, "xl/workbook.xml": f"<workbook>{names}</workbook>"}))
    assert "has more elements than a spreadsheet program writes" in refused(content)


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{port}/sheet.xml",
        "//127.0.0.1:{port}/sheet.xml",
        "file:///{file}",
        "{file}",
        "../../../../../../../../{file}",
    ],
)
@pytest.mark.parametrize("mode", ["External", "external", ""])
@pytest.mark.parametrize("kind", ["officeDocument", "worksheet"])
def test_no_relation_is_followed_outside(tmp_path: Path, target: str, mode: str, kind: str) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text(str(PARTS["xl/worksheets/sheet1.xml"]), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        where = target.format(port=server.getsockname()[1], file=secret)
        key = "rels" if kind == "officeDocument" else "workbook_xml_rels"
        refused_or_read = workbook(**{key: relation(kind, where, mode)})
        if kind == "officeDocument" and mode:
            # What is outside says nothing of the workbook, which is where workbooks are.
            assert first_cell(refused_or_read) == 7
        else:
            refused(refused_or_read)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_relations_that_lead_in_circles_end() -> None:
    around = relation("worksheet", "/xl/workbook.xml")
    assert "in its part xl/workbook.xml, there are no rows" in refused(
        workbook(workbook_xml_rels=around)
    )
    structure = Structure(package_of(workbook(workbook_xml_rels=around)))
    assert [sheet.part for sheet in structure.sheets] == ["xl/workbook.xml"]
    assert structure.tables == []
