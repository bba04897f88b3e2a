"""Looks of cells, as files number them."""

import io
import zipfile
from xml.etree import ElementTree as ET

from openpyxl import Workbook

from xlsizing.book.cells import PackageNotes, Writer

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def test_text_like_a_formula_has_a_look_of_its_own() -> None:
    book = Workbook()
    writer = Writer(book.worksheets[0], PackageNotes())
    plain, quoted = writer.style_ids(1, 1)
    content = io.BytesIO()
    book.save(content)
    with zipfile.ZipFile(content) as package:
        styles = ET.fromstring(package.read("xl/styles.xml"))
    looks = styles.findall(f"{MAIN}cellXfs/{MAIN}xf")
    assert [looks[look].get("quotePrefix") for look in (plain, quoted)] == ["0", "1"]
