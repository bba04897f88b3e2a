"""vbaProject.bin: what it holds comes back, and it is built as Excel's own are."""

import io
import re
import struct
import zipfile
from pathlib import Path

import pytest
import xlwings
from hypothesis import given
from hypothesis import strategies as st

from tests.gate.vba import CompoundFile, decompressed, modules, records
from xlsizing.book.vba import document_module, standard_module, vba_project
from xlsizing.book.vba.compound_file import Folder, compound_file
from xlsizing.book.vba.compression import compressed
from xlsizing.book.vba.project import SHEET_CLASS, WORKBOOK_CLASS

BY_EXCEL = ("quickstart.xlsm", "addin/xlwings.xlam")
"""Workbooks that Excel saved, as xlwings ships them."""

CODE = 'Attribute VB_Name = "Some"\nPublic Sub Nothing_()\nEnd Sub\n'


def of_excel(name: str) -> bytes:
    with zipfile.ZipFile(Path(xlwings.__file__).parent / name) as package:
        return package.read("xl/vbaProject.bin")


def ours(sheets: int = 3, code: str = CODE) -> bytes:
    documents = [document_module(f"Sheet{number}", SHEET_CLASS) for number in range(1, sheets + 1)]
    workbook = document_module("ThisWorkbook", WORKBOOK_CLASS, "Sub X()\nEnd Sub\n")
    return vba_project([workbook, *documents, standard_module(code)])


@given(
    st.one_of(
        st.binary(max_size=300).map(lambda part: part.replace(b"\r", b"") * 7),
        st.text("abc \n", max_size=400).map(str.encode),
        st.integers(0, 3).map(lambda chunks: b"Dim a As Long\r\n" * 273 * chunks),
    ).map(lambda text: text if len(set(text)) < 120 else text[:50])
)
def test_a_text_comes_back_from_its_container(text: bytes) -> None:
    assert decompressed(compressed(text)) == text


def test_the_examples_of_the_specification_are_read_and_packed_as_small() -> None:
    # MS-OVBA 3.2: an example of normal compression, and one of the most that there can be.
    examples = {
        b"#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa": (
            "012FB000236161616263646582660070616768696A013808616B6C00306D"
            "6E6F7006710270041072737475761077 78797A003C"
        ),
        b"a" * 73: "0103B002614500",
    }
    for text, packed in examples.items():
        assert decompressed(bytes.fromhex(packed)) == text
        assert decompressed(compressed(text)) == text
        assert len(compressed(text)) == len(bytes.fromhex(packed))


@pytest.mark.parametrize("name", BY_EXCEL)
def test_excels_own_texts_pack_to_no_more_than_excels_containers(name: str) -> None:
    project = of_excel(name)
    texts = [module.source.encode("cp1252") for module in modules(project)]
    assert all(decompressed(compressed(text)) == text for text in texts)
    streams = CompoundFile(project).streams()
    kept = [part for part in streams.values() if len(part) > 0]
    assert sum(len(compressed(text)) for text in texts) < sum(map(len, kept))


@pytest.mark.parametrize(("sheets", "lines"), [(1, 1), (2, 150), (11, 150), (255, 4_000)])
def test_every_module_comes_back(sheets: int, lines: int) -> None:
    code = CODE + "".join(f"' {number * number}\n" for number in range(lines))
    found = modules(ours(sheets, code))
    assert [each.name for each in found] == [
        "ThisWorkbook",
        *(f"Sheet{number}" for number in range(1, sheets + 1)),
        "Some",
    ]
    assert [each.is_document for each in found] == [True] * (sheets + 1) + [False]
    assert found[-1].source == code.replace("\n", "\r\n")


def test_document_modules_have_the_attributes_that_excel_writes() -> None:
    by_excel = {each.name: each.source for each in modules(of_excel("quickstart.xlsm"))}
    found = {each.name: each.source for each in modules(ours())}
    assert found["Sheet2"] == by_excel["Sheet2"]
    assert found["ThisWorkbook"] == by_excel["ThisWorkbook"] + "Sub X()\r\nEnd Sub\r\n"


def test_the_directory_has_the_records_of_excels_in_their_order() -> None:
    def kinds(project: bytes) -> str:
        found = decompressed(CompoundFile(project).streams()["VBA/dir"])
        return " ".join(f"{kind:02x}" for kind, _ in records(found))

    by_excel = kinds(of_excel("addin/xlwings.xlam"))
    module = "19 47 1a 32 1c 48 31 1e 2c {} 2b"
    repeated = f"({module.format('2[12]')} ?)+"
    same_shape = re.sub(repeated, "MODULES ", by_excel)
    assert "MODULES" in same_shape
    assert re.sub(repeated, "MODULES ", kinds(ours())) == same_shape


def test_references_are_those_of_a_new_project_of_excel() -> None:
    def libraries(project: bytes) -> list[bytes]:
        found = decompressed(CompoundFile(project).streams()["VBA/dir"])
        return [content for kind, content in records(found) if kind == 0x0D]

    assert libraries(ours()) == libraries(of_excel("addin/xlwings.xlam"))


def test_the_project_says_of_itself_what_excels_do() -> None:
    def keys(project: bytes) -> list[str]:
        text = CompoundFile(project).streams()["PROJECT"].decode("cp1252")
        assert "\n" not in text.replace("\r\n", "")
        return [line.partition("=")[0] for line in text.split("\r\n")]

    by_excel = keys(of_excel("quickstart.xlsm"))
    assert by_excel.index("Document") == 1
    found = [each for each in keys(ours(1)) if each not in ("Sheet1", "Some", "ThisWorkbook")]
    wanted = [each for each in by_excel if each not in ("Sheet1", "Sheet2", "Module1")]
    wanted.remove("ThisWorkbook")
    wanted.remove("Document")
    assert sorted(found) == sorted(wanted)
    assert [each for each in found if each not in ("Document", "Module")] == [
        each for each in wanted if each not in ("Document", "Module")
    ]


def unveiled(text: str, identifier: str) -> bytes:
    """What a setting of the protection holds (MS-OVBA 2.4.3.3)."""
    seed, version, key, *rest = bytes.fromhex(text)
    plain = seed ^ key
    assert seed ^ version == 2
    assert plain == sum(identifier.encode()) & 0xFF
    before_last, last, found = version, key, []
    for byte in rest:
        plain = byte ^ (before_last + plain & 0xFF)
        found.append(plain)
        before_last, last = last, byte
    ignored = (seed & 6) // 2
    (length,) = struct.unpack("<I", bytes(found[ignored : ignored + 4]))
    data = bytes(found[ignored + 4 :])
    assert len(data) == length
    return data


def test_nothing_is_protected_and_the_project_is_visible_as_in_excels() -> None:
    for project in (of_excel("quickstart.xlsm"), ours()):
        text = CompoundFile(project).streams()["PROJECT"].decode("cp1252")
        identifier = re.findall('ID="([^"]+)"', text)[0]
        settings = {key: unveiled(value, identifier) for key, value in _settings(text)}
        assert settings == {"CMG": bytes(4), "DPB": bytes(1), "GC": b"\xff"}


def _settings(text: str) -> list[tuple[str, str]]:
    return re.findall('(CMG|DPB|GC)="([0-9A-F]+)"', text)


def test_the_project_carries_no_compiled_code() -> None:
    found = CompoundFile(ours()).streams()["VBA/_VBA_PROJECT"]
    assert found == bytes.fromhex("CC61 FFFF 00 0000")
    assert CompoundFile(of_excel("quickstart.xlsm")).streams()["VBA/_VBA_PROJECT"][:2] == found[:2]


def test_equal_modules_give_equal_bytes() -> None:
    assert ours() == ours()


@pytest.mark.parametrize("count", range(1, 40))
def test_a_folders_tree_is_sorted_and_red_black(count: int) -> None:
    names = [f"{'x' * (number % 5)}{number}" for number in range(count)]
    found = CompoundFile(compound_file(dict.fromkeys(names, b"text")))
    order = [found.entries[each].name for each in found.below(found.entries[0].child)]
    assert order == sorted(names, key=lambda name: (len(name), name.upper()))

    def blacks(number: int) -> set[int]:
        if number == 0xFFFFFFFF:
            return {0}
        entry = found.entries[number]
        below = [found.entries[each] for each in (entry.left, entry.right) if each != 0xFFFFFFFF]
        assert not (entry.is_red and any(each.is_red for each in below))
        return {each + (not entry.is_red) for side in entry[3:5] for each in blacks(side)}

    assert len(blacks(found.entries[0].child)) == 1
    assert not found.entries[found.entries[0].child].is_red


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 4_095, 4_096, 4_097, 70_000, 1_500_000])
def test_streams_of_any_size_come_back(size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    folder: Folder = {"A": content, "Below": {"B": content[::-1], "C": b"c"}, "D": b""}
    found = CompoundFile(compound_file(folder)).streams()
    assert found == {"A": content, "Below/B": content[::-1], "Below/C": b"c", "D": b""}


def test_olefile_reads_it() -> None:
    olefile = pytest.importorskip("olefile", reason="needs olefile, which oletools brings along")
    with olefile.OleFileIO(io.BytesIO(ours()), olefile.DEFECT_POTENTIAL) as found:
        assert found.parsing_issues == []
        assert ["VBA", "Sheet3"] in found.listdir()
