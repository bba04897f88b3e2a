"""Workbooks as people have them, all with catalog tables, for what must lose nothing of them.

Each sample is built at most once a session, and says which features it carries and which
findings of the gate are known in it, because it is not ours or because the gate has no word
for what people do.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.book import plans
from tests.book.sync import features, real, written
from tests.book.sync.packages import Package
from tests.conftest import PROJECT
from xlsizing.book.build import template
from xlsizing.book.classic import CLASSIC_WORKBOOK
from xlsizing.catalog import load_catalogs

Step = Callable[[Package], None]


@dataclass(frozen=True)
class Sample:
    """A workbook, and what is to be known of it."""

    name: str
    make: Callable[[], bytes]
    """Builds it; content() keeps what it built."""
    features: frozenset[str]
    """All that the tests of samples know to look for, and find in it."""
    known: Mapping[str, str] = field(default_factory=dict)
    """What the gate's findings in it look like, by the rule's name, or validator for Microsoft's."""

    def content(self) -> bytes:
        """The bytes of the workbook, built once a session."""
        return _content(self.name)


@cache
def _content(name: str) -> bytes:
    return next(sample for sample in SAMPLES if sample.name == name).make()


@cache
def _classic() -> bytes:
    return template(load_catalogs(str(PROJECT / "catalogs")), host=CLASSIC_WORKBOOK)


def _ours(*steps: Step, macros: bool = False) -> bytes:
    """Our template, with or without macros, after these steps."""
    package = Package(_classic() if macros else plans.the_template())
    for step in steps:
        step(package)
    return package.packed()


_DRAWN: tuple[Step, ...] = (
    features.add_plan_sheet,
    features.add_drawing,
    features.add_sparklines,
    features.add_data_bars,
    features.add_comments,
    features.add_printer_settings,
    features.add_custom_xml,
    features.add_pivot,
    features.add_slicer,
)
_TYPED: tuple[Step, ...] = (
    features.add_plan_sheet,
    features.add_own_columns,
    features.add_totals,
    features.add_cells_around,
    features.add_filter_state,
    features.add_calculation_chain,
    features.share_strings,
)
# The pivot's cache has every column that the table has: the own ones come before it.
_ALL: tuple[Step, ...] = (*_TYPED[:-2], *_DRAWN[1:], *_TYPED[-2:])


def _by_libreoffice() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return plans.by_libreoffice(_ours(*_ALL), Path(folder))


def _real(name: str, *steps: Step) -> bytes:
    package = Package(real.grafted(real.openxlsx(name)))
    for step in steps:
        step(package)
    return package.packed()


def _signed() -> bytes:
    package = Package(written.written_plan())
    features.sign(package)
    return package.packed()


def _own_vba_project() -> bytes:
    return Package(_classic()).parts["xl/vbaProject.bin"]


_OF_TEMPLATE = {"calculated column", "chart", "formulas by table"}
_OF_DRAWN = {
    "chart of catalog cells",
    "custom XML",
    "custom properties",
    "extended data bars",
    "extended icons",
    "notes",
    "picture",
    "pivot of a catalog",
    "pivot table",
    "printer settings",
    "shape",
    "slicer of a table",
    "sparklines",
    "text box",
    "threads of comments",
}
_OF_TYPED = {"calculation chain", "filtered table", "own column", "shared strings", "totals row"}
_OF_XLSXWRITER = {
    "background",
    "chart",
    "chart of catalog cells",
    "chart sheet",
    "check boxes",
    "custom properties",
    "dynamic arrays",
    "extended data bars",
    "formulas by table",
    "header picture",
    "notes",
    "picture",
    "shared strings",
    "sparklines",
    "text box",
}

_KNOWN_IN_DRAWN = {
    "content_types": r"customXml/item1\.xml has no content type\.",
    "defined_names": r"The name Slicer_GPU refers to #N/A, which is on no sheet\.",
    "people": r"xl/comments1\.xml has a comment by 'tc=.*",
}
_KNOWN_IN_TYPED = {
    "functions": r"Storage!(B|E)1[34] calls SUBTOTAL, which is not a plain function\.",
    "tables": r"Table Storage covers A4:([A-Z])1[34] but filters A4:\1(12|13)\.",
    "texts_like_formulas": r"Storage!(B|E)1[34] in table Storage holds a formula, unlike its column\.",
}
_KNOWN_IN_XLSXWRITER = {
    "alt_texts": r"xl/drawings/drawing2\.xml has a drawing without alt text, 'Chart 1'\.",
    "functions": r"Our plan!A3 calls _xlfn\.UNIQUE, .*",
    "people": r"docProps/core\.xml has lastModifiedBy 'xlsizing'\.",
}
_KNOWN_IN_EXCEL = {
    "people": r"(docProps|xl)/\S+\.xml (says that|has lastModifiedBy|has the folder|has a comment) .*",
    "recomputed": r"The workbook does not say fullCalcOnLoad\.",
}
_CODE_NAMES = {"code_names": r"The code names are .*None.*"}
"""Sheets that were added outside Excel have no module in the project."""

SAMPLES: tuple[Sample, ...] = (
    Sample("template", _ours, frozenset({*_OF_TEMPLATE, "texts in cells"})),
    Sample(
        "saved by openpyxl",
        lambda: plans.saved(plans.opened()),
        frozenset({*_OF_TEMPLATE, "texts in cells"}),
        {
            "alt_texts": ".*has a drawing without alt text, 'Chart .*",
            "cached_values": ".* has a formula without a value.*",
            "chart_caches": ".*, which shows .*",
            "dates": "A date of the workbook is from the clock.*",
            "validator": r"/xl/styles\.xml .*/x:font\[\d+\]: .* unexpected child element .*",
            "zip_dates": ".* has the date .*",
        },
    ),
    Sample(
        "drawn on",
        lambda: _ours(*_DRAWN),
        frozenset({*_OF_TEMPLATE, *_OF_DRAWN, "texts in cells"}),
        _KNOWN_IN_DRAWN,
    ),
    Sample(
        "typed in",
        lambda: _ours(*_TYPED),
        frozenset({*_OF_TEMPLATE, *_OF_TYPED}),
        _KNOWN_IN_TYPED,
    ),
    Sample(
        "macros and all",
        lambda: _ours(*_ALL, macros=True),
        frozenset({*_OF_TEMPLATE, *_OF_DRAWN, *_OF_TYPED, "form button", "macros"}),
        {**_KNOWN_IN_DRAWN, **_KNOWN_IN_TYPED, **_CODE_NAMES},
    ),
    Sample("by XlsxWriter", written.written_plan, frozenset(_OF_XLSXWRITER), _KNOWN_IN_XLSXWRITER),
    Sample(
        "by XlsxWriter with macros",
        lambda: written.written_plan(_own_vba_project()),
        frozenset({*_OF_XLSXWRITER, "form button", "macros"}),
        {**_KNOWN_IN_XLSXWRITER, **_CODE_NAMES},
    ),
    Sample(
        "signed",
        _signed,
        frozenset({*_OF_XLSXWRITER, "signature"}),
        _KNOWN_IN_XLSXWRITER,
    ),
    Sample(
        "few columns by XlsxWriter",
        written.written_notes,
        frozenset({"calculated column", "formulas by table", "own column", "shared strings"}),
        {"people": _KNOWN_IN_XLSXWRITER["people"]},
    ),
    Sample(
        "by LibreOffice",
        _by_libreoffice,
        frozenset(
            {*_OF_TEMPLATE, *_OF_DRAWN, *_OF_TYPED}
            - {
                "calculated column",
                "calculation chain",
                "printer settings",
                "slicer of a table",
                "text box",
                "threads of comments",
            }
        ),
        {
            "alt_texts": ".* has a drawing without alt text, .*",
            "chart_caches": ".* carries '[0-9,]+' as point .*, which shows '[0-9]+'.*",
            "defined_names": ".*(_xlfn.lambda|_xlnm.print_titles is defined twice|Slicer_GPU).*",
            "functions": _KNOWN_IN_TYPED["functions"],
            "merged_cells": "(Models|Servers) has merged cells .* in table .*",
            "recomputed": _KNOWN_IN_EXCEL["recomputed"],
            "texts_like_formulas": ".*(holds a formula, unlike its column|no quotePrefix: .*).*",
            "validator": ".*(CustomXmlPart|/x:dxf.*unexpected child|revision2:uid).*",
            "zip_dates": ".* has the date .*",
        },
    ),
    Sample(
        "Excel's slicer, pivots and charts",
        lambda: _real("loadExample", features.add_plan_sheet, features.add_sparklines),
        frozenset(
            {
                "calculation chain",
                "chart",
                "chart styles",
                "formulas by table",
                "picture",
                "pivot table",
                "printer settings",
                "shared strings",
                "slicer of a pivot",
                "sparklines",
                "texts in cells",
            }
        ),
        {
            **_KNOWN_IN_EXCEL,
            "alt_texts": ".* has a drawing without alt text, .*",
            "chart_caches": r"xl/charts/chart[12]\.xml .*",
            "defined_names": "The name Slicer_Species refers to #N/A, .*",
            "functions": "testing!I2 calls RAND, which is not a plain function.",
            "hyperlinks": "testing!B[0-9]+ leads to Decimal_fractions, which does not exist.",
        },
    ),
    Sample(
        "Excel's pivots",
        lambda: _real("loadPivotTables", features.add_plan_sheet),
        frozenset({"formulas by table", "pivot table", "shared strings", "texts in cells"}),
        _KNOWN_IN_EXCEL,
    ),
    Sample(
        "Excel's threads",
        lambda: _real("loadThreadComment"),
        frozenset({"notes", "shared strings", "texts in cells", "threads of comments"}),
        _KNOWN_IN_EXCEL,
    ),
    Sample(
        "Excel's macros",
        lambda: real.grafted(real.xlwings("quickstart_standalone.xlsm")),
        frozenset({"macros", "shared strings", "texts in cells"}),
        {
            **_CODE_NAMES,
            "module_texts": "The module (xlwings|Dictionary|Sheet1|Module1) (says|has) .*",
            "people": _KNOWN_IN_EXCEL["people"],
            "validator": ".*'defaultImageDpi' has invalid value.*",
        },
    ),
)
"""All samples; LibreOffice's leaves out what LibreOffice drops."""
