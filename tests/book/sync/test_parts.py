"""The comparison of packages sees every difference, and calls it by its place."""

import io
import zipfile
from collections.abc import Mapping

import pytest

from tests.book.sync.parts import Change, changes, changes_of_part, compared

SHEET = b"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="urn:m" xmlns:r="urn:r"><dimension ref="A1:B2"/><sheetData>\
<row r="1"><c r="A1" s="3" t="s"><v>0</v></c><c r="B1"><v>1</v></c></row>\
<row r="2"><c r="A2"><f>A1*2</f><v>2</v></c></row></sheetData>\
<tableParts count="1"><tablePart r:id="rId1"/></tableParts></worksheet>"""


def packed(parts: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return content.getvalue()


BOOK: Mapping[str, bytes] = {"sheet.xml": SHEET, "image.png": b"\x89PNG1", "vba.bin": b"\0\1\2"}


def test_same_packages_are_identical_in_every_part() -> None:
    found = compared(packed(BOOK), packed({name: BOOK[name] for name in reversed(list(BOOK))}))
    assert found.identical == tuple(BOOK)
    assert found.touched == frozenset()


def test_changed_byte_is_seen() -> None:
    found = compared(packed(BOOK), packed({**BOOK, "vba.bin": b"\0\1\3"}))
    assert found.differing == ("vba.bin",)
    assert found.identical == ("sheet.xml", "image.png")


def test_dropped_and_added_part_are_seen() -> None:
    rest = {name: part for name, part in BOOK.items() if name != "image.png"}
    found = compared(packed(BOOK), packed({**rest, "image.jpg": b""}))
    assert (found.removed, found.added) == (("image.png",), ("image.jpg",))
    assert found.touched == {"image.png", "image.jpg"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_part_that_comes_twice_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for part in (b"one", b"two"):
            package.writestr("sheet.xml", part)
    with pytest.raises(ValueError, match=r"parts twice: sheet\.xml"):
        compared(packed(BOOK), content.getvalue())


DATA = "worksheet/sheetData"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (b's="3"', b's="4"', Change(f"{DATA}/row[r=1]/c[r=A1]/@s", "3", "4")),
        (b' s="3"', b"", Change(f"{DATA}/row[r=1]/c[r=A1]/@s", "3", None)),
        (b'r="B1"', b'r="B1" s="3"', Change(f"{DATA}/row[r=1]/c[r=B1]/@s", None, "3")),
        (b"<v>1</v>", b"<v>1.0</v>", Change(f"{DATA}/row[r=1]/c[r=B1]/v/text()", "1", "1.0")),
        (b"<v>0</v>", b"<v>&#48;</v>", Change(f"{DATA}/row[r=1]/c[r=A1]/v/text()", "0", "&#48;")),
        (b"A1*2", b"A1*3", Change(f"{DATA}/row[r=2]/c[r=A2]/f/text()", "A1*2", "A1*3")),
        (b"<v>2</v>", b"", Change(f"{DATA}/row[r=2]/c[r=A2]/v", "<v>2</v>", None)),
        (b"</sheetData>", b"\n</sheetData>", Change(f"{DATA}/text()", None, "\n")),
        (b"A1:B2", b"A1:B3", Change("worksheet/dimension/@ref", "A1:B2", "A1:B3")),
        (b'r:id="rId1"', b'r:id="rId2"', Change("worksheet/tableParts/tablePart/@r:id", "rId1", "rId2")),
        (b'xmlns:r="urn:r"', b'xmlns:r="urn:s"', Change("worksheet/@xmlns:r", "urn:r", "urn:s")),
        (b"<sheetData>", b"<sheetData><!--x-->", Change(f"{DATA}/comment()", None, "<!--x-->")),
        (b' standalone="yes"', b"", Change("instruction()", DECLARATION, DECLARATION.replace(' standalone="yes"', ""))),
        (b"<worksheet ", b"<?x y?><worksheet ", Change("instruction()[2]", None, "<?x y?>")),
        (b'r="A1" s="3"', b's="3" r="A1"', Change(f"{DATA}/row[r=1]/c[r=A1]/(spelling)", '<c r="A1" s="3" t="s">', '<c s="3" r="A1" t="s">')),
        (b'ref="A1:B2"', b"ref='A1:B2'", Change("worksheet/dimension/(spelling)", '<dimension ref="A1:B2"/>', "<dimension ref='A1:B2'/>")),
        (b'ref="A1:B2"/>', b'ref="A1:B2"></dimension>', Change("worksheet/dimension/(spelling)", '<dimension ref="A1:B2"/>', '<dimension ref="A1:B2">')),
    ],
)  # fmt: skip
def test_changed_xml_is_called_by_its_place(old: bytes, new: bytes, change: Change) -> None:
    assert SHEET.count(old) == 1
    assert changes(SHEET, SHEET.replace(old, new)) == [change]


def test_row_put_between_others_is_the_one_change() -> None:
    row = b'<row r="3"><c r="A3"><v>9</v></c></row>'
    [change] = changes(SHEET, SHEET.replace(b"</sheetData>", row + b"</sheetData>"))
    assert (change.path, change.before) == (f"{DATA}/row[r=3]", None)
    [change] = changes(SHEET.replace(b"</sheetData>", row + b"</sheetData>"), SHEET)
    assert (change.path, change.after) == (f"{DATA}/row[r=3]", None)


def test_moved_element_went_and_came() -> None:
    head = b'<dimension ref="A1:B2"/>'
    first, second = changes(
        SHEET, SHEET.replace(head, b"").replace(b"<tableP", head + b"<tableP", 1)
    )
    assert first.path == second.path
    assert {first.before, first.after, second.before, second.after} >= {None}
    assert (first.before, first.after) == (second.after, second.before)


@pytest.mark.parametrize("fault", [b"</worksheet></c>", b"</sheetdata></worksheet>", b"<x>", b"<"])
def test_text_that_is_no_xml_is_refused(fault: bytes) -> None:
    with pytest.raises(ValueError, match=r"closes|closed|no XML"):
        changes(SHEET, SHEET.replace(b"</worksheet>", fault))


def test_same_text_has_no_change() -> None:
    assert changes(SHEET, SHEET) == []


def test_changes_of_a_part_of_packages() -> None:
    other = packed({**BOOK, "sheet.xml": SHEET.replace(b"<v>1</v>", b"<v>7</v>")})
    [change] = changes_of_part(packed(BOOK), other, "sheet.xml")
    assert str(change) == f"{DATA}/row[r=1]/c[r=B1]/v/text(): '1' -> '7'"
