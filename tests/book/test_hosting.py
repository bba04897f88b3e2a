"""Which host a workbook is for, and its settings, whoever saved it."""

import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest
import xlwings

from xlsizing.book.build import template
from xlsizing.book.classic import CLASSIC_WORKBOOK
from xlsizing.book.hosting import MOST_SETTINGS, Hosting, read_hosting
from xlsizing.book.package.errors import WorkbookReadError
from xlsizing.core import Catalogs

LITE = """<?xml version="1.0" encoding="UTF-8"?>
<we:webextension xmlns:we="http://schemas.microsoft.com/office/webextensions/webextension/2010/11"
 id="{{1}}"><we:reference id="{add_in}" version="1.0.0.0" store="en-US" storeType="OMEX"/>
<we:properties><we:property name="{name}" value="&quot;import xlwings&quot;"/></we:properties>
</we:webextension>"""


def workbook(folder: Path, parts: Mapping[str, bytes], *rows: tuple[object, ...]) -> str:
    """A workbook with more parts, and with settings where there are rows."""
    book = openpyxl.Workbook()
    if rows:
        sheet = book.create_sheet("XLWINGS.conf")
        for row in rows:
            sheet.append(row)
    saved = io.BytesIO()
    book.save(saved)
    has_macros = "xl/vbaProject.bin" in parts
    with zipfile.ZipFile(saved) as package:
        made = {name: package.read(name) for name in package.namelist()}
    if has_macros:
        types = made["[Content_Types].xml"]
        made["[Content_Types].xml"] = types.replace(
            b"sheet.main+xml", b"sheet.macroEnabled.main+xml"
        )
        made["[Content_Types].xml"] = made["[Content_Types].xml"].replace(
            b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.macro",
            b"application/vnd.ms-excel.sheet.macro",
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        for name, content in {**made, **parts}.items():
            package.writestr(name, content)
    path = folder / ("book.xlsm" if has_macros else "book.xlsx")
    path.write_bytes(packed.getvalue())
    return str(path)


def test_the_planning_workbook_needs_no_host(catalogs: Catalogs, tmp_path: Path) -> None:
    (tmp_path / "plan.xlsx").write_bytes(template(catalogs))
    hosting = read_hosting(str(tmp_path / "plan.xlsx"))
    assert hosting == Hosting(False, False, False, catalogs.fingerprint(), None)


def test_the_workbook_for_the_classic_add_in_has_wrappers_and_settings(
    catalogs: Catalogs, tmp_path: Path
) -> None:
    path = tmp_path / "plan.xlsm"
    path.write_bytes(template(catalogs, host=CLASSIC_WORKBOOK))
    hosting = read_hosting(str(path))
    assert (hosting.has_macros, hosting.has_wrappers, hosting.has_lite_code) == (True, True, False)
    assert ("ADD_WORKBOOK_TO_PYTHONPATH", "false") in (hosting.settings or ())


def test_macros_that_excel_made_are_seen(tmp_path: Path) -> None:
    """A workbook of xlwings itself; its settings are switched off by another name of the sheet."""
    shutil.copy(Path(xlwings.__file__).parent / "quickstart.xlsm", tmp_path)
    hosting = read_hosting(str(tmp_path / "quickstart.xlsm"))
    assert hosting == Hosting(True, False, False, None, None)


def test_the_functions_wrappers_are_seen_by_their_modules_name(tmp_path: Path) -> None:
    for name, expected in (("XlsizingFunctions", True), ("OtherFunctions", False)):
        project = b"\xd0\xcf\x11\xe0" + name.encode("utf-16-le") + b"\0\0"
        hosting = read_hosting(workbook(tmp_path, {"xl/vbaProject.bin": project}))
        assert hosting == Hosting(True, expected, False, None, None)


@pytest.mark.parametrize(
    ("add_in", "name", "expected"),
    [
        ("wa200008175", "main.py", True),
        ("WA200008175", "main.py", True),
        ("wa104379501", "main.py", False),
        ("wa200008175", "pyodideVersion", False),
    ],
)
def test_code_for_lite_is_seen(tmp_path: Path, add_in: str, name: str, expected: bool) -> None:
    part = LITE.format(add_in=add_in, name=name).encode()
    path = workbook(tmp_path, {"xl/webextensions/webextension1.xml": part})
    assert read_hosting(path).has_lite_code is expected


def test_settings_are_read_as_text_down_to_the_first_row_without_a_key(tmp_path: Path) -> None:
    rows = (
        ("INTERPRETER_WIN", "C:\\python.exe"),
        ("SHOW CONSOLE", True),
        ("Timeout", 3),
        ("PYTHONPATH",),
        (None, "no key"),
        ("BELOW", "not read"),
    )
    assert read_hosting(workbook(tmp_path, {}, *rows)).settings == (
        ("INTERPRETER_WIN", "C:\\python.exe"),
        ("SHOW CONSOLE", "True"),
        ("Timeout", "3"),
        ("PYTHONPATH", ""),
    )


def test_a_sheet_of_settings_may_be_empty_or_long(tmp_path: Path) -> None:
    assert read_hosting(workbook(tmp_path, {}, (None, "x"))).settings == ()
    many = [(f"K{number}", "v") for number in range(MOST_SETTINGS + 5)]
    settings = read_hosting(workbook(tmp_path, {}, *many)).settings
    assert settings is not None
    assert len(settings) == MOST_SETTINGS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old", "older kind"),
        (b"PK\3\4", "is damaged"),
        (b"\1\0text", "is no workbook"),
        (b"text", "is a text file, such as CSV"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "book.xlsm"
    path.write_bytes(content)
    with pytest.raises(WorkbookReadError, match=said):
        read_hosting(str(path))


@pytest.mark.parametrize(
    "part",
    [b"no XML", b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;', b""],
)
def test_a_damaged_part_is_told(tmp_path: Path, part: bytes) -> None:
    path = workbook(tmp_path, {"xl/webextensions/webextension1.xml": part})
    with pytest.raises(WorkbookReadError, match="is damaged"):
        read_hosting(path)
