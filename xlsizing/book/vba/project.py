"""What a VBA project consists of (MS-OVBA 2.3), from the texts of its modules.

The project carries texts only and none of the compiled code that Excel keeps beside them:
its version says so, and Excel compiles the texts when it opens the workbook.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from xlsizing.book.vba.compound_file import compound_file
from xlsizing.book.vba.compression import compressed

WORKBOOK_CLASS = "{00020819-0000-0000-C000-000000000046}"
SHEET_CLASS = "{00020820-0000-0000-C000-000000000046}"

_PROJECT_NAME = "VBAProject"
_PROJECT_ID = "{6F2B0C51-9A34-4E0B-8C1D-2E5A7B90D4F3}"
_CODE_PAGE = 1252
_ENCODING = "cp1252"
_ENGLISH = 0x0409
_NO_COOKIE = 0xFFFF

_COMMON_FILES = r"C:\Program Files\Common Files\Microsoft Shared"
_REFERENCES = {
    "stdole": r"*\G{00020430-0000-0000-C000-000000000046}#2.0#0#C:\Windows\System32\stdole2.tlb"
    "#OLE Automation",
    "Office": rf"*\G{{2DF8D04C-5BFA-101B-BDE5-00AA0044DE52}}#2.0#0#{_COMMON_FILES}\OFFICE16"
    r"\MSO.DLL#Microsoft Office 16.0 Object Library",
}
"""What Excel gives each new project beside VBA and itself; it finds them by their ids."""


@dataclass(frozen=True)
class Module:
    """One module of a project."""

    name: str
    source: str
    """Its text with its attributes, as Excel exports it."""
    is_document: bool
    """True for the module of the workbook or of a sheet."""


def standard_module(source: str) -> Module:
    """A module from the text of a .bas file, whose first line names it."""
    first, _, _ = source.partition("\n")
    return Module(first.split('"')[1], source, is_document=False)


def document_module(name: str, class_id: str, code: str = "") -> Module:
    """The module of the workbook or of a sheet, by its code name."""
    attributes = (
        f'Attribute VB_Name = "{name}"\n'
        f'Attribute VB_Base = "0{class_id}"\n'
        "Attribute VB_GlobalNameSpace = False\n"
        "Attribute VB_Creatable = False\n"
        "Attribute VB_PredeclaredId = True\n"
        "Attribute VB_Exposed = True\n"
        "Attribute VB_TemplateDerived = False\n"
        "Attribute VB_Customizable = True\n"
    )
    return Module(name, attributes + code, is_document=True)


def vba_project(modules: Sequence[Module]) -> bytes:
    """The bytes of vbaProject.bin; equal modules give equal bytes."""
    texts = {module.name: compressed(_encoded(module.source)) for module in modules}
    version = struct.pack("<HHBH", 0x61CC, 0xFFFF, 0, 0)
    return compound_file(
        {
            "VBA": {**texts, "_VBA_PROJECT": version, "dir": compressed(_directory(modules))},
            "PROJECT": _encoded(_properties(modules)),
            "PROJECTwm": _names(modules),
        }
    )


def _encoded(text: str) -> bytes:
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode(_ENCODING)


def _directory(modules: Sequence[Module]) -> bytes:
    """What the stream "dir" says of the project, its references and its modules."""
    return b"".join(
        (
            _record(0x01, struct.pack("<I", 1)),  # Win32, which every Excel reads
            _record(0x02, struct.pack("<I", _ENGLISH)),
            _record(0x14, struct.pack("<I", _ENGLISH)),
            _record(0x03, struct.pack("<H", _CODE_PAGE)),
            _record(0x04, _PROJECT_NAME.encode(_ENCODING)),
            _text_record(0x05, 0x40, ""),  # description
            _text_record(0x06, 0x3D, ""),  # help file
            _record(0x07, struct.pack("<I", 0)),  # help context
            _record(0x08, struct.pack("<I", 0)),  # flags
            struct.pack("<HIIH", 0x09, 4, 1, 0),  # version 1.0, whose size leaves its end out
            _text_record(0x0C, 0x3C, ""),  # constants
            *(_reference(name, library) for name, library in _REFERENCES.items()),
            _record(0x0F, struct.pack("<H", len(modules))),
            _record(0x13, struct.pack("<H", _NO_COOKIE)),
            *(_module(module) for module in modules),
            _record(0x10, b""),
        )
    )


def _reference(name: str, library: str) -> bytes:
    identifier = library.encode(_ENCODING)
    content = struct.pack("<I", len(identifier)) + identifier + bytes(6)
    return _text_record(0x16, 0x3E, name) + _record(0x0D, content)


def _module(module: Module) -> bytes:
    return b"".join(
        (
            _text_record(0x19, 0x47, module.name),
            _text_record(0x1A, 0x32, module.name),  # name of its stream
            _text_record(0x1C, 0x48, ""),  # description
            _record(0x31, struct.pack("<I", 0)),  # where its text begins
            _record(0x1E, struct.pack("<I", 0)),  # help context
            _record(0x2C, struct.pack("<H", _NO_COOKIE)),
            _record(0x22 if module.is_document else 0x21, b""),
            _record(0x2B, b""),
        )
    )


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HI", kind, len(content)) + content


def _text_record(kind: int, unicode_kind: int, text: str) -> bytes:
    """A text twice, in the project's code page and in UTF-16."""
    return _record(kind, text.encode(_ENCODING)) + _record(unicode_kind, text.encode("utf-16-le"))


def _properties(modules: Sequence[Module]) -> str:
    """The stream "PROJECT": what the editor shows of the project."""
    kinds = (
        f"Document={module.name}/&H00000000" if module.is_document else f"Module={module.name}"
        for module in modules
    )
    windows = (f"{module.name}=0, 0, 0, 0, C" for module in modules)
    lines = (
        f'ID="{_PROJECT_ID}"',
        *kinds,
        f'Name="{_PROJECT_NAME}"',
        'HelpContextID="0"',
        'VersionCompatible32="393222000"',
        f'CMG="{_veiled(bytes(4))}"',  # not protected
        f'DPB="{_veiled(bytes(1))}"',  # no password
        f'GC="{_veiled(bytes([0xFF]))}"',  # visible
        "",
        "[Host Extender Info]",
        "&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000",
        "",
        "[Workspace]",
        *windows,
    )
    return "\n".join(lines) + "\n"


def _veiled(data: bytes) -> str:
    """A setting of the project's protection as it is kept (MS-OVBA 2.4.3.2), with the seed 0.

    The veil is no secret: it hangs on the seed and the project's id, which stand beside it.
    """
    seed, version = 0, 2
    key = sum(_PROJECT_ID.encode(_ENCODING)) & 0xFF
    veiled = [seed, seed ^ version, seed ^ key]
    plain = key
    for byte in struct.pack("<I", len(data)) + data:
        veiled.append(byte ^ (veiled[-2] + plain & 0xFF))
        plain = byte
    return bytes(veiled).hex().upper()


def _names(modules: Sequence[Module]) -> bytes:
    """The stream "PROJECTwm": each module's name in the code page and in UTF-16."""
    pairs = (
        module.name.encode(_ENCODING) + b"\0" + module.name.encode("utf-16-le") + b"\0\0"
        for module in modules
    )
    return b"".join(pairs) + b"\0\0"
