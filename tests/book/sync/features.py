"""What people and their programs put into a planning workbook, at the level of its parts.

Each function changes a package that has our sheets. Figures that a feature carries of the
catalog (caches of charts and pivots, stored results) are read from the package itself.
"""

import struct
import zlib
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from tests.book.rules import letters
from tests.book.sync.packages import (
    MAIN,
    OFFICE,
    WORKBOOK,
    Element,
    Formula,
    Package,
    TableCells,
    Value,
    tag,
)

PLAN = "Our plan"
"""The title of the sheet that a person added."""
PIVOT = "GPUs by kind"

_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_C = "http://schemas.openxmlformats.org/drawingml/2006/chart"
_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_X14 = "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"
_X15 = "http://schemas.microsoft.com/office/spreadsheetml/2010/11/main"
_XM = "http://schemas.microsoft.com/office/excel/2006/main"
_SLICER = "http://schemas.microsoft.com/office/drawing/2012/slicer"
_THREADS = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
_MICROSOFT = "http://schemas.microsoft.com/office"
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DRAWN = "application/vnd.openxmlformats-officedocument"

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PERSON = "{6B1E0B52-7B0E-4C8B-9F4E-1B6B9C7D2A10}"


def add_plan_sheet(package: Package) -> None:
    """A person's sheet, with formulas that read catalog tables, and names, lists and formats.

    The formulas refer to tables by their names, to their cells by address, and to whole
    columns of the sheets.
    """
    models, servers = package.table_cells("Models"), package.table_cells("Servers")
    last = servers.covered.bottom
    largest = _largest(servers, "HBM GB total")
    gpus = _figures(servers, "GPUs")
    contexts = _figures(models, "Max context")
    sheet = (
        f'{_HEAD}<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}"><dimension ref="A1"/>'
        '<sheetViews><sheetView workbookViewId="0"/></sheetViews><sheetFormatPr defaultRowHeight="15"/>'
        '<cols><col min="1" max="1" width="34" customWidth="1"/></cols><sheetData/>'
        '<conditionalFormatting sqref="B3:B9"><cfRule type="expression" priority="1">'
        "<formula>B3&gt;MAX(Servers!$C$5:$C$15)*100</formula></cfRule></conditionalFormatting>"
        '<dataValidations count="2"><dataValidation type="list" allowBlank="1" sqref="A12">'
        "<formula1>List_Servers</formula1></dataValidation>"
        '<dataValidation type="list" allowBlank="1" sqref="A13">'
        f"<formula1>Servers!$A$5:$A${last}</formula1></dataValidation></dataValidations>"
        '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>'
        "</worksheet>"
    )
    part = package.add_sheet(PLAN, sheet.encode())
    first = models.rows[0]
    cells: dict[str, Value | Formula] = {
        "A1": "What we plan",
        "A3": "GPUs of all servers listed",
        "B3": Formula("SUM(Servers[GPUs])", sum(gpus)),
        "A4": "Models listed",
        "B4": Formula("COUNTA(Models[Name])", len(models.rows)),
        "A5": "Longest context",
        "B5": Formula("MAX(Models[[#Data],[Max context]])", max(contexts)),
        "A6": "The first model's layers",
        "B6": Formula(
            f'INDEX(Models[Layers],MATCH("{first[0]}",Models[Name],0))', _number(first[1])
        ),
        "A7": "Most memory in a server, GB",
        "B7": Formula(f"MAX(Servers!$E$5:$E${last})", largest),
        "A8": "GPUs of the first server",
        "B8": Formula("Servers!C5", gpus[0]),
        "A9": "Rows down to the last server",
        "B9": Formula("ROWS(Servers[#All])", len(servers.rows) + 1),
        "A12": servers.rows[0][0],
        "A13": servers.rows[-1][0],
    }
    package.write(part, cells)
    package.define("Our_Servers", f"Servers!$A$4:$S${last}")
    package.define("Our_Choice", f"'{PLAN}'!$A$12")


def _number(value: Value) -> float:
    assert isinstance(value, float)
    return value


def _figures(table: TableCells, head: str) -> list[float]:
    return [value for value in table.column(head) if isinstance(value, float)]


def _largest(table: TableCells, head: str) -> float:
    return max(_figures(table, head))


def add_drawing(package: Package) -> None:
    """On the person's sheet a chart that draws catalog cells, a text box, a shape, a picture."""
    sheet = package.sheets()[PLAN]
    drawing = package.free("xl/drawings/drawing{}.xml")
    identifier = package.add(drawing, b"", f"{_DRAWN}.drawing+xml", sheet, f"{OFFICE}/drawing")
    chart = package.add(
        package.free("xl/charts/chart{}.xml"),
        _chart(package.table_cells("Servers")).encode(),
        f"{_DRAWN}.drawingml.chart+xml",
        drawing,
        f"{OFFICE}/chart",
    )
    shown = package.add(
        "xl/media/image1.png", picture(), "Default:image/png", drawing, f"{OFFICE}/image"
    )
    frame = (
        '<xdr:graphicFrame macro=""><xdr:nvGraphicFramePr><xdr:cNvPr id="2" name="Memory" '
        'descr="Memory of each server"/><xdr:cNvGraphicFramePr/></xdr:nvGraphicFramePr><xdr:xfrm>'
        '<a:off x="0" y="0"/><a:ext cx="0" cy="0"/></xdr:xfrm><a:graphic><a:graphicData '
        f'uri="{_C}"><c:chart xmlns:c="{_C}" r:id="{chart}"/></a:graphicData></a:graphic>'
        "</xdr:graphicFrame>"
    )
    image = (
        '<xdr:pic><xdr:nvPicPr><xdr:cNvPr id="5" name="Logo" descr="Our logo"/><xdr:cNvPicPr/>'
        f'</xdr:nvPicPr><xdr:blipFill><a:blip r:embed="{shown}"/><a:stretch><a:fillRect/>'
        '</a:stretch></xdr:blipFill><xdr:spPr><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        "</xdr:spPr></xdr:pic>"
    )
    package.parts[drawing] = (
        f'{_HEAD}<xdr:wsDr xmlns:xdr="{_DRAWING}" xmlns:a="{_A}" xmlns:r="{OFFICE}">'
        f"{_anchor(4, 1, 12, 16, frame)}"
        f"{_anchor(4, 18, 8, 22, _shape(3, 'Decision', 'rect', 'Agreed on Tuesday', is_box=True))}"
        f"{_anchor(9, 18, 11, 22, _shape(4, 'Go', 'ellipse', 'Go', is_box=False))}"
        f"{_anchor(4, 24, 6, 27, image)}</xdr:wsDr>"
    ).encode()
    package.insert(sheet, f'<drawing xmlns="{MAIN}" xmlns:r="{OFFICE}" r:id="{identifier}"/>')


def _anchor(left: int, top: int, right: int, bottom: int, what: str) -> str:
    start, end = (
        f"<xdr:col>{column}</xdr:col><xdr:colOff>0</xdr:colOff>"
        f"<xdr:row>{row}</xdr:row><xdr:rowOff>0</xdr:rowOff>"
        for column, row in ((left, top), (right, bottom))
    )
    return (
        f"<xdr:twoCellAnchor><xdr:from>{start}</xdr:from><xdr:to>{end}</xdr:to>{what}"
        "<xdr:clientData/></xdr:twoCellAnchor>"
    )


def _shape(number: int, name: str, kind: str, says: str, *, is_box: bool) -> str:
    return (
        f'<xdr:sp macro="" textlink=""><xdr:nvSpPr><xdr:cNvPr id="{number}" name="{name}" '
        f'descr="{says}"/><xdr:cNvSpPr{" txBox=" + quoteattr("1") if is_box else ""}/>'
        f'</xdr:nvSpPr><xdr:spPr><a:prstGeom prst="{kind}"><a:avLst/></a:prstGeom></xdr:spPr>'
        f"<xdr:txBody><a:bodyPr/><a:p><a:r><a:t>{says}</a:t></a:r></a:p></xdr:txBody></xdr:sp>"
    )


def _chart(servers: TableCells) -> str:
    """Bars of each server's memory, by its name: both read from the table's cells."""
    names, figures = servers.column("Name"), servers.column("HBM GB total")
    name_points, figure_points = (
        f'<c:ptCount val="{len(values)}"/>'
        + "".join(
            f'<c:pt idx="{place}"><c:v>{_spelt(value)}</c:v></c:pt>'
            for place, value in enumerate(values)
            if value is not None
        )
        for values in (names, figures)
    )
    head = f"{letters(servers.heads.index('HBM GB total') + servers.covered.left)}"
    return (
        f'{_HEAD}<c:chartSpace xmlns:c="{_C}" xmlns:a="{_A}" xmlns:r="{OFFICE}"><c:chart>'
        '<c:plotArea><c:layout/><c:barChart><c:barDir val="bar"/><c:grouping val="clustered"/>'
        '<c:varyColors val="0"/><c:ser><c:idx val="0"/><c:order val="0"/><c:tx><c:strRef>'
        f'<c:f>Servers!${head}${servers.covered.top}</c:f><c:strCache><c:ptCount val="1"/>'
        '<c:pt idx="0"><c:v>HBM GB total</c:v></c:pt></c:strCache></c:strRef></c:tx>'
        f"<c:cat><c:strRef><c:f>Servers!{servers.cells('Name')}</c:f><c:strCache>{name_points}"
        f"</c:strCache></c:strRef></c:cat><c:val><c:numRef><c:f>Servers!"
        f"{servers.cells('HBM GB total')}</c:f><c:numCache><c:formatCode>General</c:formatCode>"
        f'{figure_points}</c:numCache></c:numRef></c:val></c:ser><c:axId val="1"/>'
        '<c:axId val="2"/></c:barChart><c:catAx><c:axId val="1"/><c:scaling><c:orientation '
        'val="minMax"/></c:scaling><c:delete val="0"/><c:axPos val="l"/><c:crossAx val="2"/>'
        '</c:catAx><c:valAx><c:axId val="2"/><c:scaling><c:orientation val="minMax"/></c:scaling>'
        '<c:delete val="0"/><c:axPos val="b"/><c:crossAx val="1"/></c:valAx></c:plotArea>'
        '<c:plotVisOnly val="1"/></c:chart></c:chartSpace>'
    )


def _spelt(value: Value) -> str:
    return f"{value:.17g}" if isinstance(value, float) else escape(value or "")


def picture() -> bytes:
    """A PNG of one green pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
            chunk(b"IDAT", zlib.compress(b"\0\x00\x99\x33")),
            chunk(b"IEND", b""),
        )
    )


def add_sparklines(package: Package) -> None:
    """On the person's sheet a small line of the servers' memory in a cell, from Excel 2010 on."""
    servers = package.table_cells("Servers")
    package.extend(
        package.sheets()[PLAN],
        f'<ext xmlns="{MAIN}" uri="{{05C60535-1F16-4fd2-B633-F4F36F0B64E0}}" xmlns:x14="{_X14}">'
        f'<x14:sparklineGroups xmlns:xm="{_XM}"><x14:sparklineGroup displayEmptyCellsAs="gap">'
        '<x14:colorSeries rgb="FF376092"/><x14:sparklines><x14:sparkline>'
        f"<xm:f>Servers!{servers.cells('HBM GB total').replace('$', '')}</xm:f><xm:sqref>C7</xm:sqref>"
        "</x14:sparkline></x14:sparklines></x14:sparklineGroup></x14:sparklineGroups></ext>",
    )


def add_data_bars(package: Package) -> None:
    """Extended data bars over a column of the table Servers, and extended icons over another."""
    servers = package.table_cells("Servers")
    bars, icons = (servers.cells(head).replace("$", "") for head in ("HBM GB total", "NVLink TB/s"))
    identifier = "{DA7ABA51-AAAA-BBBB-0001-000000000001}"
    package.insert(
        servers.sheet,
        f'<conditionalFormatting xmlns="{MAIN}" sqref="{bars}"><cfRule type="dataBar" priority="8">'
        '<dataBar><cfvo type="min"/><cfvo type="max"/><color rgb="FF638EC6"/></dataBar><extLst>'
        f'<ext xmlns:x14="{_X14}" uri="{{B025F937-C7B1-47D3-B67F-A62EFF666E3E}}"><x14:id>'
        f"{identifier}</x14:id></ext></extLst></cfRule></conditionalFormatting>",
    )
    package.extend(
        servers.sheet,
        f'<ext xmlns="{MAIN}" uri="{{78C0D931-6437-407d-A8EE-F0AAD7539E65}}" xmlns:x14="{_X14}">'
        f'<x14:conditionalFormattings xmlns:xm="{_XM}"><x14:conditionalFormatting>'
        f'<x14:cfRule type="dataBar" id="{identifier}"><x14:dataBar minLength="0" maxLength="100" '
        'border="1" negativeBarBorderColorSameAsPositive="0"><x14:cfvo type="autoMin"/>'
        '<x14:cfvo type="autoMax"/><x14:borderColor rgb="FF638EC6"/>'
        '<x14:negativeFillColor rgb="FFFF0000"/><x14:negativeBorderColor rgb="FFFF0000"/>'
        '<x14:axisColor rgb="FF000000"/></x14:dataBar></x14:cfRule>'
        f"<xm:sqref>{bars}</xm:sqref></x14:conditionalFormatting><x14:conditionalFormatting>"
        '<x14:cfRule type="iconSet" priority="9" id="{DA7ABA51-AAAA-BBBB-0001-000000000002}">'
        '<x14:iconSet iconSet="3Triangles"><x14:cfvo type="percent"><xm:f>0</xm:f></x14:cfvo>'
        '<x14:cfvo type="percent"><xm:f>33</xm:f></x14:cfvo><x14:cfvo type="percent"><xm:f>67'
        f"</xm:f></x14:cfvo></x14:iconSet></x14:cfRule><xm:sqref>{icons}</xm:sqref>"
        "</x14:conditionalFormatting></x14:conditionalFormattings></ext>",
    )


def add_comments(package: Package) -> None:
    """On cells of the table Servers an old note and a thread of comments."""
    sheet = package.table_cells("Servers").sheet
    thread = "{4B0E5B5C-6B3D-4B52-8E0B-3F1D5C6A7B01}"
    notes = (
        (5, 0, "xlsizing", "Not to be bought again."),
        (6, 4, f"tc={thread}", "[Threaded comment]\n\nComment:\n    Is this with NVSwitch?"),
    )
    authors = "".join(f"<author>{escape(author)}</author>" for _, _, author, _ in notes)
    listed = "".join(
        f'<comment ref="{letters(column + 1)}{row}" authorId="{number}"><text><t xml:space="preserve">'
        f"{escape(says)}</t></text></comment>"
        for number, (row, column, _, says) in enumerate(notes)
    )
    package.add(
        "xl/comments1.xml",
        f'{_HEAD}<comments xmlns="{MAIN}"><authors>{authors}</authors><commentList>{listed}'
        "</commentList></comments>".encode(),
        f"{_SPREADSHEET}.comments+xml",
        sheet,
        f"{OFFICE}/comments",
    )
    package.add(
        "xl/threadedComments/threadedComment1.xml",
        f'{_HEAD}<ThreadedComments xmlns="{_THREADS}"><threadedComment ref="E6" '
        f'dT="2025-03-04T10:11:12.00" personId="{_PERSON}" id="{thread}"><text>Is this with '
        "NVSwitch?</text></threadedComment></ThreadedComments>".encode(),
        "application/vnd.ms-excel.threadedcomments+xml",
        sheet,
        f"{_MICROSOFT}/2017/10/relationships/threadedComment",
    )
    package.add(
        "xl/persons/person.xml",
        f'{_HEAD}<personList xmlns="{_THREADS}"><person displayName="A planner" id="{_PERSON}" '
        'userId="planner" providerId="None"/></personList>'.encode(),
        "application/vnd.ms-excel.person+xml",
        WORKBOOK,
        f"{_MICROSOFT}/2017/10/relationships/person",
    )
    boxes = "".join(
        f'<v:shape id="_x0000_s{1025 + number}" type="#_x0000_t202" '
        'style="position:absolute;width:108pt;height:60pt;visibility:hidden" fillcolor="#ffffe1">'
        '<v:textbox><div style="text-align:left"></div></v:textbox><x:ClientData ObjectType="Note">'
        f"<x:MoveWithCells/><x:SizeWithCells/><x:Row>{row - 1}</x:Row><x:Column>{column}</x:Column>"
        "</x:ClientData></v:shape>"
        for number, (row, column, _, _) in enumerate(notes)
    )
    identifier = package.add(
        package.free("xl/drawings/vmlDrawing{}.vml"),
        '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:'
        'office" xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit">'
        '<o:idmap v:ext="edit" data="1"/></o:shapelayout><v:shapetype id="_x0000_t202" '
        'coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe"><v:stroke '
        'joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
        f"{boxes}</xml>".encode(),
        "Default:application/vnd.openxmlformats-officedocument.vmlDrawing",
        sheet,
        f"{OFFICE}/vmlDrawing",
    )
    package.insert(sheet, f'<legacyDrawing xmlns="{MAIN}" xmlns:r="{OFFICE}" r:id="{identifier}"/>')


def add_printer_settings(package: Package) -> None:
    """A printer's own bytes for the person's sheet and for the sheet Servers."""
    for sheet in (package.sheets()[PLAN], package.table_cells("Servers").sheet):
        identifier = package.add(
            package.free("xl/printerSettings/printerSettings{}.bin"),
            "A printer".encode("utf-16-le").ljust(220, b"\0") + bytes(range(256)),
            f"Default:{_SPREADSHEET}.printerSettings",
            sheet,
            f"{OFFICE}/printerSettings",
        )
        root = package.root(sheet)
        setup = root.find(tag("pageSetup"))
        if setup is None:
            package.insert(sheet, f'<pageSetup xmlns="{MAIN}" orientation="landscape"/>')
            root = package.root(sheet)
            setup = root.find(tag("pageSetup"))
        assert setup is not None
        setup.set(tag("id", OFFICE), identifier)
        package.save(sheet, root)


def add_custom_xml(package: Package) -> None:
    """Data that a company's add-in keeps in the workbook, and properties of its own."""
    item = "customXml/item1.xml"
    package.add(
        item,
        b'<p:plan xmlns:p="urn:example:plan"><p:owner>platform</p:owner></p:plan>',
        "Default:application/xml",
        WORKBOOK,
        f"{OFFICE}/customXml",
    )
    space = "http://schemas.openxmlformats.org/officeDocument/2006/customXml"
    package.add(
        "customXml/itemProps1.xml",
        f'{_HEAD}<ds:datastoreItem xmlns:ds="{space}" ds:itemID="{{0A5F3C5E-1B7B-4E5D-8F7C-'
        '3C1B6E0D9F11}"><ds:schemaRefs><ds:schemaRef ds:uri="urn:example:plan"/></ds:schemaRefs>'
        "</ds:datastoreItem>".encode(),
        "application/vnd.openxmlformats-officedocument.customXmlProperties+xml",
        item,
        f"{OFFICE}/customXmlProps",
    )
    package.add(
        "docProps/custom.xml",
        f'{_HEAD}<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-'
        'properties" xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/'
        'docPropsVTypes"><property fmtid="{D5CDD505-2E9C-101B-9397-08002B2CF9AE}" pid="2" '
        'name="Cost centre"><vt:lpwstr>4711</vt:lpwstr></property></Properties>'.encode(),
        "application/vnd.openxmlformats-officedocument.custom-properties+xml",
        "",
        f"{OFFICE}/custom-properties",
    )


def add_pivot(package: Package) -> None:
    """A pivot table of the table Servers: GPUs by kind, on a sheet of its own."""
    servers = package.table_cells("Servers")
    kinds = list(dict.fromkeys(servers.column("GPU")))
    cache = "xl/pivotCache/pivotCacheDefinition1.xml"
    relation = f"{OFFICE}/pivotCacheDefinition"
    identifier = package.add(
        cache, b"", f"{_SPREADSHEET}.pivotCacheDefinition+xml", WORKBOOK, relation
    )
    records = package.add(
        "xl/pivotCache/pivotCacheRecords1.xml",
        _records(servers, kinds).encode(),
        f"{_SPREADSHEET}.pivotCacheRecords+xml",
        cache,
        f"{OFFICE}/pivotCacheRecords",
    )
    fields = "".join(
        f'<cacheField name={quoteattr(head)} numFmtId="0">{_shared(servers, head, kinds)}</cacheField>'
        for head in servers.heads
    )
    package.parts[cache] = (
        f'{_HEAD}<pivotCacheDefinition xmlns="{MAIN}" xmlns:r="{OFFICE}" r:id="{records}" '
        f'refreshedBy="A planner" refreshedDate="45720" createdVersion="6" refreshedVersion="6" '
        f'minRefreshableVersion="3" recordCount="{len(servers.rows)}"><cacheSource type="worksheet">'
        f'<worksheetSource name="Servers"/></cacheSource><cacheFields count="{len(servers.heads)}">'
        f"{fields}</cacheFields></pivotCacheDefinition>"
    ).encode()
    package.insert(
        WORKBOOK,
        f'<pivotCaches xmlns="{MAIN}" xmlns:r="{OFFICE}"><pivotCache cacheId="1" '
        f'r:id="{identifier}"/></pivotCaches>',
    )
    _add_pivot_sheet(package, servers, kinds, cache)


def _records(servers: TableCells, kinds: Sequence[Value]) -> str:
    def field(head: str, value: Value) -> str:
        if head == "GPU":
            return f'<x v="{kinds.index(value)}"/>'
        if value is None:
            return "<m/>"
        return f"<{'n' if isinstance(value, float) else 's'} v={quoteattr(_plain(value))}/>"

    rows = "".join("<r>" + "".join(map(field, servers.heads, row)) + "</r>" for row in servers.rows)
    return (
        f'{_HEAD}<pivotCacheRecords xmlns="{MAIN}" count="{len(servers.rows)}">{rows}'
        "</pivotCacheRecords>"
    )


def _plain(value: str | float) -> str:
    return f"{value:.17g}" if isinstance(value, float) else value


def _shared(servers: TableCells, head: str, kinds: Sequence[Value]) -> str:
    if head == "GPU":
        items = "".join(f"<s v={quoteattr(str(kind))}/>" for kind in kinds)
        return f'<sharedItems count="{len(kinds)}">{items}</sharedItems>'
    values = servers.column(head)
    figures = _figures(servers, head)
    blank = ' containsBlank="1"' if None in values else ""
    if not figures:
        return f"<sharedItems{blank}/>"
    return (
        f'<sharedItems containsSemiMixedTypes="0" containsString="0"{blank} containsNumber="1" '
        f'minValue="{min(figures):.17g}" maxValue="{max(figures):.17g}"/>'
        if not blank
        else f'<sharedItems containsString="0"{blank} containsNumber="1" '
        f'minValue="{min(figures):.17g}" maxValue="{max(figures):.17g}"/>'
    )


def _add_pivot_sheet(
    package: Package, servers: TableCells, kinds: Sequence[Value], cache: str
) -> None:
    totals = {
        kind: sum(
            _number(gpus)
            for own, gpus in zip(servers.column("GPU"), servers.column("GPUs"), strict=True)
            if own == kind
        )
        for kind in kinds
    }
    sheet = package.add_sheet(
        PIVOT,
        f'{_HEAD}<worksheet xmlns="{MAIN}"><dimension ref="A3"/><sheetData/></worksheet>'.encode(),
    )
    in_order = sorted(kinds, key=str)
    end = 4 + len(kinds)
    package.write(
        sheet,
        {
            "A3": "GPU",
            "B3": "Sum of GPUs",
            **{f"A{row}": kind for row, kind in enumerate(in_order, 4)},
            **{f"B{row}": totals[kind] for row, kind in enumerate(in_order, 4)},
            f"A{end}": "Grand Total",
            f"B{end}": sum(totals.values()),
        },
    )
    items = "".join(f'<item x="{kinds.index(kind)}"/>' for kind in in_order)
    fields = {
        "GPU": f'<pivotField axis="axisRow" showAll="0"><items count="{len(kinds) + 1}">{items}'
        '<item t="default"/></items></pivotField>',
        "GPUs": '<pivotField dataField="1" showAll="0"/>',
    }
    rows = "".join(f'<i><x v="{place}"/></i>' for place in range(len(kinds)))
    pivot = "xl/pivotTables/pivotTable1.xml"
    package.add(
        pivot,
        f'{_HEAD}<pivotTableDefinition xmlns="{MAIN}" name="PivotOfServers" cacheId="1" '
        'dataCaption="Values" updatedVersion="6" minRefreshableVersion="3" createdVersion="6" '
        f'outline="1" outlineData="1"><location ref="A3:B{end}" firstHeaderRow="1" '
        f'firstDataRow="1" firstDataCol="1"/><pivotFields count="{len(servers.heads)}">'
        f"{''.join(fields.get(head, _UNUSED_FIELD) for head in servers.heads)}</pivotFields>"
        '<rowFields count="1"><field x="1"/></rowFields>'
        f'<rowItems count="{len(kinds) + 1}">{rows}<i t="grand"><x/></i></rowItems>'
        '<colItems count="1"><i/></colItems><dataFields count="1"><dataField name="Sum of GPUs" '
        'fld="2"/></dataFields></pivotTableDefinition>'.encode(),
        f"{_SPREADSHEET}.pivotTable+xml",
        sheet,
        f"{OFFICE}/pivotTable",
    )
    package.relate(pivot, cache, f"{OFFICE}/pivotCacheDefinition")


_UNUSED_FIELD = '<pivotField showAll="0"/>'


def add_slicer(package: Package) -> None:
    """A slicer of the column GPU of the table Servers, drawn beside the table."""
    servers = package.table_cells("Servers")
    table = package.root(package.table("Servers")).get("id")
    cache = package.add(
        "xl/slicerCaches/slicerCache1.xml",
        f'{_HEAD}<slicerCacheDefinition xmlns="{_X14}" xmlns:x="{MAIN}" name="Slicer_GPU" '
        f'sourceName="GPU"><extLst><x:ext uri="{{2F2917AC-EB37-4324-AD4E-5DD8C200BD13}}" '
        f'xmlns:x15="{_X15}"><x15:tableSlicerCache tableId="{table}" column="2"/></x:ext></extLst>'
        "</slicerCacheDefinition>".encode(),
        "application/vnd.ms-excel.slicerCache+xml",
        WORKBOOK,
        f"{_MICROSOFT}/2007/relationships/slicerCache",
    )
    slicer = package.add(
        "xl/slicers/slicer1.xml",
        f'{_HEAD}<slicers xmlns="{_X14}"><slicer name="GPU" cache="Slicer_GPU" caption="GPU" '
        'rowHeight="241300"/></slicers>'.encode(),
        "application/vnd.ms-excel.slicer+xml",
        servers.sheet,
        f"{_MICROSOFT}/2007/relationships/slicer",
    )
    drawing = package.free("xl/drawings/drawing{}.xml")
    frame = (
        f'<mc:AlternateContent xmlns:mc="{_MC}" xmlns:sle15="{_SLICER}"><mc:Choice '
        'Requires="sle15"><xdr:graphicFrame macro=""><xdr:nvGraphicFramePr><xdr:cNvPr id="2" '
        'name="GPU" descr="Choose by GPU"/><xdr:cNvGraphicFramePr/></xdr:nvGraphicFramePr>'
        '<xdr:xfrm><a:off x="0" y="0"/><a:ext cx="0" cy="0"/></xdr:xfrm><a:graphic>'
        f'<a:graphicData uri="{_SLICER}"><sle15:slicer name="GPU"/></a:graphicData></a:graphic>'
        "</xdr:graphicFrame></mc:Choice><mc:Fallback>"
        f"{_shape(3, 'GPU', 'rect', 'A slicer', is_box=False)}</mc:Fallback></mc:AlternateContent>"
    )
    drawn = package.add(
        drawing,
        f'{_HEAD}<xdr:wsDr xmlns:xdr="{_DRAWING}" xmlns:a="{_A}">{_anchor(24, 4, 27, 16, frame)}'
        "</xdr:wsDr>".encode(),
        f"{_DRAWN}.drawing+xml",
        servers.sheet,
        f"{OFFICE}/drawing",
    )
    package.insert(servers.sheet, f'<drawing xmlns="{MAIN}" xmlns:r="{OFFICE}" r:id="{drawn}"/>')
    package.extend(
        servers.sheet,
        f'<ext xmlns="{MAIN}" uri="{{3A4CF648-6AED-40f4-86FF-DC5316D8AED3}}" xmlns:x15="{_X15}">'
        f'<x14:slicerList xmlns:x14="{_X14}"><x14:slicer xmlns:r="{OFFICE}" r:id="{slicer}"/>'
        "</x14:slicerList></ext>",
    )
    package.extend(
        WORKBOOK,
        f'<ext xmlns="{MAIN}" uri="{{46BE6895-7355-4a93-B00E-2C351335B9C9}}" xmlns:x15="{_X15}">'
        f'<x15:slicerCaches xmlns:x14="{_X14}"><x14:slicerCache xmlns:r="{OFFICE}" '
        f'r:id="{cache}"/></x15:slicerCaches></ext>',
    )
    package.define("Slicer_GPU", "#N/A")


def add_calculation_chain(package: Package) -> None:
    """The order in which Excel computed last, of every formula cell."""
    numbers = {
        sheet.get("name"): sheet.get("sheetId")
        for sheet in package.root(WORKBOOK).iter(tag("sheet"))
    }
    cells = "".join(
        f'<c r="{cell.get("r")}" i="{numbers[title]}"/>'
        for title, part in package.sheets().items()
        for cell in package.root(part).iter(tag("c"))
        if cell.find(tag("f")) is not None
    )
    package.add(
        "xl/calcChain.xml",
        f'{_HEAD}<calcChain xmlns="{MAIN}">{cells}</calcChain>'.encode(),
        f"{_SPREADSHEET}.calcChain+xml",
        WORKBOOK,
        f"{OFFICE}/calcChain",
    )


def share_strings(package: Package) -> None:
    """Every text of every sheet is in the shared table, as Excel saves them."""
    items: dict[bytes, int] = {}
    uses = 0
    for part in package.sheets().values():
        root = package.root(part)
        for cell in root.iter(tag("c")):
            if cell.get("t") != "inlineStr":
                continue
            text = cell.find(tag("is"))
            if text is None:
                del cell.attrib["t"]
                continue
            number = items.setdefault(_children(text), len(items))
            cell.remove(text)
            cell.set("t", "s")
            etree.SubElement(cell, tag("v")).text = str(number)
            uses += 1
        package.save(part, root)
    body = b"".join(b"<si>" + item + b"</si>" for item in items)
    package.add(
        "xl/sharedStrings.xml",
        f'{_HEAD}<sst xmlns="{MAIN}" count="{uses}" uniqueCount="{len(items)}">'.encode()
        + body
        + b"</sst>",
        f"{_SPREADSHEET}.sharedStrings+xml",
        WORKBOOK,
        f"{OFFICE}/sharedStrings",
    )


def _children(text: Element) -> bytes:
    declared = f' xmlns="{MAIN}"'.encode()
    return b"".join(etree.tostring(child, with_tail=False).replace(declared, b"") for child in text)


def add_own_columns(package: Package) -> None:
    """A column of prices in the table Servers, and one that is computed in Models.

    The price of the last server is not known yet.
    """
    servers, models = package.table_cells("Servers"), package.table_cells("Models")
    prices: list[Value | Formula] = [
        200_000.0 + 12_500 * place for place in range(len(servers.rows) - 1)
    ]
    _add_column(package, "Servers", "Price", [*prices, None])
    layers, heads = models.column("Layers"), models.column("KV heads")
    products: list[Value | Formula] = [
        Formula(
            "Models[[#This Row],[Layers]]*Models[[#This Row],[KV heads]]",
            _number(layer) * (head if isinstance(head, float) else 0),
        )
        for layer, head in zip(layers, heads, strict=True)
    ]
    _add_column(package, "Models", "Heads in all", products)
    package.define("Our_Prices", f"Servers!{package.table_cells('Servers').cells('Price')}")


def _add_column(package: Package, table: str, head: str, values: Sequence[Value | Formula]) -> None:
    before = package.table_cells(table)
    part = package.table(table)
    root = package.root(part)
    columns = root.find(tag("tableColumns"))
    assert columns is not None
    number = 1 + max(int(column.get("id") or 0) for column in columns)
    column = etree.SubElement(columns, tag("tableColumn"), id=str(number), name=head)
    formula = next((each for each in values if isinstance(each, Formula)), None)
    if formula is not None:
        etree.SubElement(column, tag("calculatedColumnFormula")).text = formula.text
    columns.set("count", str(len(columns)))
    place, covered = letters(before.covered.right + 1), before.covered
    _stretch(root, f"{place}{covered.bottom}")
    package.save(part, root)
    written = {f"{place}{row}": value for row, value in enumerate(values, covered.top + 1)}
    package.write(before.sheet, {f"{place}{covered.top}": head, **written})


def _stretch(table: Element, end: str) -> None:
    """Let a table end at another cell, and its filter with it."""
    for element in (table, table.find(tag("autoFilter"))):
        if element is not None:
            start = (element.get("ref") or "").partition(":")[0]
            element.set("ref", f"{start}:{end}")


def add_totals(package: Package) -> None:
    """A row of totals under the table Storage: how many, and the fastest read."""
    storage = package.table_cells("Storage")
    part = package.table("Storage")
    root = package.root(part)
    row = storage.covered.bottom + 1
    root.set("ref", f"A{storage.covered.top}:{letters(storage.covered.right)}{row}")
    root.set("totalsRowCount", "1")
    label, counted, fastest = (
        next(each for each in root.iter(tag("tableColumn")) if each.get("name") == head)
        for head in ("Name", "Type", "Read GB/s")
    )
    label.set("totalsRowLabel", "Total")
    counted.set("totalsRowFunction", "count")
    fastest.set("totalsRowFunction", "max")
    package.save(part, root)
    column = letters(storage.heads.index("Read GB/s") + 1)
    package.write(
        storage.sheet,
        {
            f"A{row}": "Total",
            f"B{row}": Formula("SUBTOTAL(103,Storage[Type])", len(storage.rows)),
            f"{column}{row}": Formula(
                "SUBTOTAL(104,Storage[Read GB/s])", _largest(storage, "Read GB/s")
            ),
        },
    )


def add_cells_around(package: Package) -> None:
    """A person's cells beside and below the tables, three rows under the last server."""
    servers, models = package.table_cells("Servers"), package.table_cells("Models")
    below = servers.covered.bottom + 4
    package.write(
        servers.sheet,
        {
            "X4": "Our remarks",
            "X5": 1.0,
            "X6": Formula("X5+C6", 1 + _number(servers.column("GPUs")[1])),
            f"A{below}": "GPUs in all",
            f"C{below}": Formula("SUM(Servers[GPUs])", sum(_figures(servers, "GPUs"))),
        },
    )
    package.write(models.sheet, {f"A{models.covered.bottom + 2}": "End of what we looked at"})


def add_filter_state(package: Package) -> None:
    """The table Models filtered to windowed models, and sorted by its layers."""
    part = package.table("Models")
    models = package.table_cells("Models")
    root = package.root(part)
    found = root.find(tag("autoFilter"))
    assert found is not None
    number = models.heads.index("Attention")
    kept = models.column("Attention")[0]
    column = etree.SubElement(found, tag("filterColumn"), colId=str(number))
    filters = etree.SubElement(column, tag("filters"))
    etree.SubElement(filters, tag("filter"), val=str(kept))
    sorting = etree.Element(
        tag("sortState"),
        ref=f"A{models.covered.top + 1}:{letters(models.covered.right)}{models.covered.bottom}",
    )
    etree.SubElement(sorting, tag("sortCondition"), ref=models.cells("Layers").replace("$", ""))
    found.addnext(sorting)
    package.save(part, root)
    sheet = package.root(models.sheet)
    for row in sheet.iter(tag("row")):
        place = int(row.get("r") or 0) - models.covered.top - 1
        if 0 <= place < len(models.rows) and models.column("Attention")[place] != kept:
            row.set("hidden", "1")
    package.save(models.sheet, sheet)


def sign(package: Package) -> None:
    """A digital signature over the workbook's part, as Excel leaves one; nobody's key made it."""
    origin = "_xmlsignatures/origin.sigs"
    space = "http://schemas.openxmlformats.org/package/2006"
    signature = "http://www.w3.org/2000/09/xmldsig#"
    package.add(
        origin,
        b"",
        "Default:application/vnd.openxmlformats-package.digital-signature-origin",
        "",
        f"{space}/relationships/digital-signature/origin",
    )
    package.add(
        "_xmlsignatures/sig1.xml",
        f'{_HEAD}<Signature xmlns="{signature}" Id="idPackageSignature"><SignedInfo>'
        '<CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>'
        '<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>'
        '<Reference URI="#idPackageObject" Type="http://www.w3.org/2000/09/xmldsig#Object">'
        '<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        "<DigestValue>AAAA</DigestValue></Reference></SignedInfo>"
        "<SignatureValue>AAAA</SignatureValue></Signature>".encode(),
        "application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml",
        origin,
        f"{space}/relationships/digital-signature/signature",
    )
