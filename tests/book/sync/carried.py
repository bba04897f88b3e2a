"""What features of a workbook look like in its parts."""

import re
from collections.abc import Mapping

from tests.book.sync.packages import read_parts

_SHEET = r"xl/worksheets/[^/]+\.xml"
_DRAWING = r"xl/drawings/[^/]+\.xml"

MARKS: Mapping[str, tuple[str, bytes]] = {
    "background": (_SHEET, rb"<picture "),
    "calculated column": (r"xl/tables/.*", rb"<calculatedColumnFormula"),
    "calculation chain": (r"xl/calcChain\.xml", rb""),
    "chart": (r"xl/charts/chart\d+\.xml", rb""),
    "chart of catalog cells": (r"xl/charts/chart\d+\.xml", rb"<c:f>Servers!"),
    "chart sheet": (r"xl/chartsheets/sheet\d+\.xml", rb""),
    "chart styles": (r"xl/charts/style\d+\.xml", rb""),
    "check boxes": (r"xl/featurePropertyBag/.*", rb""),
    "custom properties": (r"docProps/custom\.xml", rb""),
    "custom XML": (r"customXml/item\d+\.xml", rb""),
    "dynamic arrays": (r"xl/metadata\.xml", rb"XLDAPR"),
    "extended data bars": (_SHEET, rb"<x14:dataBar"),
    "extended icons": (_SHEET, rb"<x14:iconSet"),
    "filtered table": (r"xl/tables/.*", rb"<filterColumn"),
    "form button": (r"xl/drawings/.*\.vml", rb'ObjectType="Button"'),
    "formulas by table": (_SHEET, rb"<f(?: [^>]*)?>[^<]*\b(?:Models|Servers|Storage)\["),
    "header picture": (_SHEET, rb"<legacyDrawingHF "),
    "macros": (r"xl/vbaProject\.bin", rb""),
    "notes": (r"xl/comments.*", rb"<comment "),
    "own column": (r"xl/tables/.*", rb'name="(Price|Owner)"'),
    "picture": (r"xl/media/.*", rb""),
    "pivot table": (r"xl/pivotTables/pivotTable\d+\.xml", rb""),
    "pivot of a catalog": (r"xl/pivotCache/.*", rb'<worksheetSource [^>]*"Servers"'),
    "printer settings": (r"xl/printerSettings/.*", rb""),
    "shape": (_DRAWING, rb'prst="ellipse"'),
    "shared strings": (r"xl/sharedStrings\.xml", rb""),
    "signature": (r"_xmlsignatures/.*\.xml", rb""),
    "slicer of a pivot": (r"xl/slicerCaches/.*", rb"<pivotTable "),
    "slicer of a table": (r"xl/slicerCaches/.*", rb"tableSlicerCache"),
    "sparklines": (_SHEET, rb"<x14:sparkline>"),
    "text box": (_DRAWING, rb'txBox="1"'),
    "texts in cells": (_SHEET, rb't="inlineStr"'),
    "threads of comments": (r"xl/threadedComments/.*", rb""),
    "totals row": (r"xl/tables/.*", rb'totalsRowCount="1"'),
}
"""Of each feature the name of a part that carries it, and what the part says."""


def carried(content: bytes) -> frozenset[str]:
    """The features that a workbook carries."""
    parts = read_parts(content)
    return frozenset(
        feature
        for feature, (name, mark) in MARKS.items()
        if any(re.fullmatch(name, part) and re.search(mark, parts[part]) for part in parts)
    )
