"""A small workbook with one of everything that the rules look at, and nothing wrong with it."""

import io
import zipfile
from functools import cache

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.data_source import AxDataSource, NumData, NumVal, StrData, StrRef, StrVal
from openpyxl.comments import Comment
from openpyxl.formatting.rule import Rule
from openpyxl.packaging.core import DocumentProperties
from openpyxl.styles import PatternFill, Protection
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from xlsizing.book.cells import AltText, PackageNotes, Writer
from xlsizing.book.lite import lite_workbook
from xlsizing.book.package.finishing import package

SHEET = "xl/worksheets/sheet1.xml"
CHART = "xl/charts/chart1.xml"
DRAWING = "xl/drawings/drawing1.xml"
COMMENTS = "xl/comments/comment1.xml"
PANES, EXTENSION = (f"xl/webextensions/{name}.xml" for name in ("taskpanes", "webextension1"))
TYPES = "[Content_Types].xml"
FIGURES = (("Pilot", 2.5), ("Launch", 7), ("Growth", None))
"""What the chart shows; of the last one a text instead of a figure."""


@cache
def healthy() -> bytes:
    """The workbook: a protected sheet with one of everything, and an add-in with its code."""
    book, notes = Workbook(), PackageNotes()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Sizing"
    book.properties = DocumentProperties(creator="xlsizing 0.1.0", title="All that there is")
    _write_cells(sheet, notes)
    _set_up_pages(sheet)
    _add_chart(sheet)
    for name, cell in (("Input_Load", "B1"), ("Output_Double", "B2")):
        address = f"'Sizing'!$B${cell[1:]}"
        book.defined_names[name] = DefinedName(name, attr_text=address, comment="A cell.")
    lite_workbook({"main.py": "x = 1\n", "requirements.txt": "xlwings\n"}).equip(book, notes)
    notes.alt_texts["Sizing"] = [AltText("Nodes", "Bars.")]
    return package(book, notes)


def _write_cells(sheet: Worksheet, notes: PackageNotes) -> None:
    writer = Writer(sheet, notes)
    writer.value(1, 1, "Load")
    writer.value(1, 2, 4).protection = Protection(locked=False)
    writer.formula(2, 2, "Input_Load*2", 8).number_format = "0.000"
    for row, (name, figure) in enumerate(FIGURES, 4):
        writer.value(row, 1, name)
        writer.formula(row, 2, f"N($B$1)*{row}", "none" if figure is None else figure)
    sheet["A2"].comment = Comment("Twice the load.", "xlsizing")
    sheet["A8"].value = "Sources"
    sheet["A8"].hyperlink = "https://www.iso.org/standard/71691.html"
    sheet["A9"].hyperlink = Hyperlink(ref="A9", location="Input_Load")
    yellow = DifferentialStyle(fill=PatternFill("solid", bgColor="FFCC00"))
    sheet.conditional_formatting.add("B1", Rule(type="expression", formula=["$B$1>9"], dxf=yellow))
    sheet.protection.sheet = True


def _set_up_pages(sheet: Worksheet) -> None:
    assert sheet.oddFooter is not None
    sheet.oddFooter.left.text = "&A"
    sheet.print_area = "A1:B9"
    sheet.print_title_rows = "1:1"
    sheet.row_breaks.append(Break(id=6))
    sheet.column_dimensions["A"].width = 20
    sheet.row_dimensions[1].height = 30
    sheet.sheet_view.zoomScale = 90
    sheet.page_setup.scale = 80


def _add_chart(sheet: Worksheet) -> None:
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=2, min_row=4, max_row=6))
    [series] = chart.series
    # A text among figures is drawn as zero.
    figures = [NumVal(idx=place, v=repr(each or 0)) for place, (_, each) in enumerate(FIGURES)]
    series.val.numRef.numCache = NumData(formatCode="General", ptCount=3, pt=figures)
    names = [StrVal(idx=place, v=name) for place, (name, _) in enumerate(FIGURES)]
    cache = StrData(ptCount=3, pt=names)
    series.cat = AxDataSource(strRef=StrRef("'Sizing'!$A$4:$A$6", cache))
    sheet.add_chart(chart, "D2")


def with_part(
    content: bytes,
    part: str,
    text: bytes,
    date: tuple[int, int, int, int, int, int] = (1980, 1, 1, 0, 0, 0),
) -> bytes:
    """The workbook with a part put in, or in the place of the one of that name."""
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(changed, "w") as target,
    ):
        for entry in source.infolist():
            if entry.filename != part:
                target.writestr(entry, source.read(entry))
        target.writestr(zipfile.ZipInfo(part, date), text)
    return changed.getvalue()
