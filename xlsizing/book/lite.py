"""A workbook for xlwings Lite: the parts that tell Excel of the add-in and keep its code.

Excel keeps what an add-in stores in a workbook as the properties of a web extension, each
a JSON value; Lite stores its files so, by their names. The form of the parts is
Microsoft's [MS-OWEXML]; what Lite expects in them is documented nowhere, and is here as
it stands in workbooks that Excel saved with it (docs/decisions/0010-lite-code.md).
"""

import json
from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from lxml import etree

from xlsizing.book.cells import ExtraPart, PackageNotes
from xlsizing.book.hosting import LITE
from xlsizing.book.hosts import MORE_FUNCTIONS, Host
from xlsizing.core.message import Message

_EXTENSION = "http://schemas.microsoft.com/office/webextensions/webextension/2010/11"
_PANES = "http://schemas.microsoft.com/office/webextensions/taskpanes/2010/11"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
_TYPE = "application/vnd.ms-office."
_RELATION = "http://schemas.microsoft.com/office/2011/relationships/"

_PANES_PART = "xl/webextensions/taskpanes.xml"
_EXTENSION_PART = "xl/webextensions/webextension1.xml"

_FUNCTIONS_USED = "{7C84B067-C214-45C3-A712-C9D94CD141B2}"
_HAS_FUNCTIONS = "{D87F86FE-615C-45B5-9D79-34F1136793EB}"

_PANE_WIDTH = 400
"""Width of the task pane [pixels]."""


_HINTS = (
    MORE_FUNCTIONS,
    Message(
        "Their code and their catalogs travel in this workbook. In the add-in's pane the script Full report makes the "
        "report, and Re-enter formulas mends formulas that were typed before the add-in was there and show #NAME?."
    ),
)


def lite_workbook(files: Mapping[str, str]) -> Host:
    """The add-in xlwings Lite, for workbooks that carry its code.

    Parameters
    ----------
    files : the text of each file of the code by its name, such as main.py.
    """

    def equip(_: object, notes: PackageNotes) -> None:
        notes.parts += [
            ExtraPart(
                _PANES_PART,
                _task_panes(),
                f"{_TYPE}webextensiontaskpanes+xml",
                f"{_RELATION}webextensiontaskpanes",
            ),
            ExtraPart(
                _EXTENSION_PART,
                _extension(files),
                f"{_TYPE}webextension+xml",
                f"{_RELATION}webextension",
                source=_PANES_PART,
            ),
        ]

    return Host("lite", ".xlsx", Message("with the add-in xlwings Lite"), _HINTS, equip)


def _task_panes() -> bytes:
    """The pane that is open when the workbook opens: it offers the add-in where it is missing."""
    panes = etree.Element(f"{{{_PANES}}}taskpanes", nsmap={"wetp": _PANES})
    pane = etree.SubElement(panes, f"{{{_PANES}}}taskpane")
    for name, value in (("dockstate", "right"), ("visibility", "1"), ("width", _PANE_WIDTH)):
        pane.set(name, str(value))
    pane.set("row", "1")
    reference = etree.SubElement(pane, f"{{{_PANES}}}webextensionref", nsmap={"r": _RELATIONS})
    reference.set(f"{{{_RELATIONS}}}id", "rId1")
    return _text(panes)


def _extension(files: Mapping[str, str]) -> bytes:
    """The add-in, and what it keeps in this workbook."""
    root = etree.Element(f"{{{_EXTENSION}}}webextension", nsmap={"we": _EXTENSION})
    # One that stays the same with the code, so that equal catalogs give equal bytes.
    root.set("id", f"{{{str(uuid5(NAMESPACE_URL, repr(dict(files)))).upper()}}}")
    _add(root, "reference", id=LITE, version="1.0.0.0", store="en-US", storeType="OMEX")
    _add(
        _add(root, "alternateReferences"),
        "reference",
        id=LITE,
        version="1.0.0.0",
        store=LITE.upper(),
        storeType="OMEX",
    )
    kept = _add(root, "properties")
    for name, text in files.items():
        _add(kept, "property", name=name, value=json.dumps(text))
    _add(root, "bindings")
    etree.SubElement(root, f"{{{_EXTENSION}}}snapshot", nsmap={"r": _RELATIONS})
    extensions = _add(root, "extLst")
    for uri, child in (
        (_HAS_FUNCTIONS, "containsCustomFunctions"),
        (_FUNCTIONS_USED, "customFunctionIdList"),
    ):
        extension = etree.SubElement(extensions, f"{{{_DRAWING}}}ext", nsmap={"a": _DRAWING})
        extension.set("uri", uri)
        _add(extension, child)
    return _text(root)


def _add(parent: "etree._Element", tag: str, **attributes: str) -> "etree._Element":
    added = etree.SubElement(parent, f"{{{_EXTENSION}}}{tag}")
    for name, value in attributes.items():
        added.set(name, value)
    return added


def _text(root: "etree._Element") -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
