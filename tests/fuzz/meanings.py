"""Mutations of what a workbook means: its tables, heads, rows and names, in XML that is whole."""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

Contents = dict[bytes, bytes]
"""The content of parts by name."""
_Match = re.Match[bytes]

_TABLES = (b"Models", b"Servers", b"Storage", b"ModelAliases", b"ServerAliases", b"StorageAliases")
_OTHERS = (b"Scenarios", b"Layouts", b"Warnings")
_REF = re.compile(rb'(<table\b[^>]*?\sref=")([A-Z]+)(\d+):([A-Z]+)(\d+)(")')
_NAMED = re.compile(rb'(<table\b[^>]*?\sdisplayName=")([^"]*)(")')
_ROW = re.compile(rb"<row\b[^>]*?(?:/>|>.*?</row>)", re.DOTALL)
_CELL = re.compile(rb'<c r="([A-Z]+)(\d+)"([^>]*?)(?:/>|>(.*?)</c>)', re.DOTALL)
_DEFINED = re.compile(rb"(<definedName\b[^>]*>)([^<]*)(</definedName>)")
_FORMULAS = (
    b"<f>1+1</f><v>2</v>",
    b"<f>1/0</f><v>#DIV/0!</v>",
    b"<f>A$5&amp;B6</f>",
    b'<f t="shared" ref="A5:A9" si="0">B5</f><v>1</v>',
    b'<f t="shared" si="0"/><v>1</v>',
    b'<f t="shared" si="7"/>',
    b'<f t="array" ref="A5:B6">TRANSPOSE(C5:D6)</f><v>1</v>',
    b'<f t="dataTable" ref="A5:B6" dt2D="1" r1="C1" r2="C2"/><v>1</v>',
    b"<f>[1]Other!A1</f><v>1</v>",
    b"<f/>",
)
_TEXTS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "#N/A",
    "  ",
    "x" * 32_768,
    "line\nline",
    "tab\tbed",
    "_x0000_",
    "_x001B_[31m",
    "_x000D__x000A_",
    "_xDC00_",
    "\u0080\u009b2J",
    "\U0001f4a5" * 200,
    "dgx-b300",
    "gpt-oss-120b",
    "GPT-OSS-120B ",
    "*",
    "n+1",
    "1e5",
    "0",
    "TRUE",
)
_FIGURES = (
    "0",
    "-1",
    "0.1",
    "1e-320",
    "1e15",
    "1e16",
    "9007199254740993",
    "1e100",
    "1e308",
    "-1e308",
    "1E+300",
    "123456789012345678901234567890",
    "0.30000000000000004",
    "-0",
    "-0.0",
    "1" * 310,
)
_REFERENCES = (
    "#REF!",
    "",
    "Nowhere!$A$1",
    "Sizing!$A$1",
    "Sizing!$A$1:$B$2",
    "'Sizing'!$C$5",
    "Models!$A$5",
    "Models!$A$5:$A$9",
    "Sizing!$XFD$1048576",
    "Sizing!$ZZZ$9999999",
    "Sizing!$A$0",
    "Sizing!A1",
    "[1]Sizing!$A$1",
    "OFFSET(Sizing!$A$1,1,1)",
    "1+1",
    "'it''s'!$A$1",
    "Input_Model",
    "''!$A$1",
)


def _parts(contents: Contents, folder: bytes) -> list[bytes]:
    return sorted(name for name in contents if name.startswith(folder) and name.endswith(b".xml"))


def _sheet(contents: Contents, random: Random) -> bytes:
    """A sheet, those of catalogs and plans more often than others."""
    sheets = _parts(contents, b"xl/worksheets/sheet")
    with_tables = [
        sheet
        for sheet in sheets
        if b"/table"
        in contents.get(sheet.replace(b"worksheets/", b"worksheets/_rels/") + b".rels", b"")
    ]
    return random.choice(with_tables if with_tables and random.random() < 0.8 else sheets)


def _table(contents: Contents, random: Random) -> bytes:
    return random.choice(_parts(contents, b"xl/tables/"))


def _name_otherwise(contents: Contents, random: Random) -> None:
    part = _table(contents, random)
    name = random.choice((*_TABLES, *_OTHERS, b"MODELS", b"Mine", b"", b"A1", b"x" * 300))
    contents[part] = _NAMED.sub(rb"\g<1>" + name + rb"\3", contents[part])


def _place_otherwise(contents: Contents, random: Random) -> None:
    part = _table(contents, random)

    def placed(match: _Match) -> bytes:
        left, top, right, bottom = match[2], int(match[3]), match[4], int(match[5])
        change = random.choice((-1_000, -3, -1, 1, 2, 30, 9_000, 20_000, 1_048_576 - bottom))
        what = random.randrange(5)
        if what == 0:
            bottom = max(1, bottom + change)
        elif what == 1:
            top = max(1, top + change)
        elif what == 2:
            top, bottom = max(1, top + change), max(1, bottom + change)
        elif what == 3:
            right = random.choice((b"A", left, b"XFD", b"ZZ"))
        else:
            bottom = top + random.randrange(2)
        return match[1] + b"%b%d:%b%d" % (left, top, right, bottom) + match[6]

    contents[part] = _REF.sub(placed, contents[part])


def _overlap(contents: Contents, random: Random) -> None:
    one, other = _table(contents, random), _table(contents, random)
    ref = _REF.search(contents[other])
    if ref:
        contents[one] = _REF.sub(
            lambda match: match[1] + ref[0].split(b'"')[-2] + b'"', contents[one]
        )


def _total(contents: Contents, random: Random) -> None:
    part = _table(contents, random)
    count = random.choice((b"1", b"2", b"5", b"50", b"-1", b"99999999999", b"\xd9\xa1", b"x"))
    contents[part] = contents[part].replace(b"<table ", b'<table totalsRowCount="%b" ' % count, 1)


def _column_formula(contents: Contents, random: Random) -> None:
    part = _table(contents, random)
    formula = random.choice(
        (b"1+1", b"Models[Name]", b"[@Layers]*2", b"A5&amp;&lt;", b"", b"x" * 9_000)
    )
    new = b"<calculatedColumnFormula>%b</calculatedColumnFormula>" % formula
    contents[part] = re.sub(
        rb"(<tableColumn\b[^>]*?)/>",
        rb"\1>" + new + rb"</tableColumn>",
        contents[part],
        count=random.choice((0, 1)),
    )


def _cell(contents: Contents, random: Random, made: Callable[[_Match], bytes]) -> None:
    """Write a cell of a table's first rows, or any, anew."""
    part = _sheet(contents, random)
    found = list(_CELL.finditer(contents[part]))
    if found:
        match = random.choice(found[: random.choice((40, 400, len(found)))])
        contents[part] = (
            contents[part][: match.start()] + made(match) + contents[part][match.end() :]
        )


def _look(match: _Match) -> bytes:
    found = re.search(rb'\ss="\d+"', match[3])
    return found[0] if found else b""


def _type_a_text(contents: Contents, random: Random) -> None:
    text = random.choice(_TEXTS).replace("&", "&amp;").replace("<", "&lt;").encode()

    def made(match: _Match) -> bytes:
        inner = b'<is><t xml:space="preserve">%b</t></is>' % text
        return b'<c r="%b%b"%b t="inlineStr">%b</c>' % (match[1], match[2], _look(match), inner)

    _cell(contents, random, made)


def _type_a_figure(contents: Contents, random: Random) -> None:
    figure = random.choice(_FIGURES).encode()
    _cell(
        contents,
        random,
        lambda match: b'<c r="%b%b"%b><v>%b</v></c>' % (match[1], match[2], _look(match), figure),
    )


def _type_a_formula(contents: Contents, random: Random) -> None:
    formula = random.choice(_FORMULAS)
    kind = random.choice((b"", b' t="str"', b' t="e"', b' t="b"'))
    _cell(
        contents,
        random,
        lambda match: b'<c r="%b%b"%b%b>%b</c>' % (match[1], match[2], _look(match), kind, formula),
    )


def _clear_a_cell(contents: Contents, random: Random) -> None:
    _cell(
        contents, random, lambda match: random.choice((b"", b'<c r="%b%b"/>' % match.group(1, 2)))
    )


def _copy_a_cell(contents: Contents, random: Random) -> None:
    """A cell with what another holds, such as a head that is there twice."""
    part = _sheet(contents, random)
    found = list(_CELL.finditer(contents[part]))
    if len(found) > 1:
        near = random.randrange(len(found))
        other = found[min(len(found) - 1, max(0, near + random.randint(-5, 5)))]
        here = found[near]
        new = re.sub(rb'r="[A-Z]+\d+"', b'r="%b%b"' % here.group(1, 2), other[0], count=1)
        contents[part] = contents[part][: here.start()] + new + contents[part][here.end() :]


def _rows(contents: Contents, random: Random) -> None:
    part = _sheet(contents, random)
    found = list(_ROW.finditer(contents[part]))
    if not found:
        return
    one = random.choice(found)
    other = random.choice(found)
    what = random.randrange(4)
    content = contents[part]
    if what == 0:
        content = content[: one.start()] + content[one.end() :]
    elif what == 1:
        content = content[: one.end()] + one[0] + content[one.end() :]
    elif what == 2:
        # The rows of a sheet without their numbers, which stand for themselves then.
        content = re.sub(rb'(<row\b[^>]*?)\sr="\d+"', rb"\1", content)
    elif one.end() <= other.start():
        content = (
            content[: one.start()]
            + other[0]
            + content[one.end() : other.start()]
            + one[0]
            + content[other.end() :]
        )
    contents[part] = content


def _addresses_left_out(contents: Contents, random: Random) -> None:
    part = _sheet(contents, random)
    contents[part] = re.sub(rb'(<c)\sr="[A-Z]+\d+"', rb"\1", contents[part])


def _name_leads_elsewhere(contents: Contents, random: Random) -> None:
    part = b"xl/workbook.xml"
    found = list(_DEFINED.finditer(contents.get(part, b"")))
    if found:
        match = random.choice(found)
        new = random.choice(_REFERENCES).encode()
        content = contents[part]
        contents[part] = content[: match.start(2)] + new + content[match.end(2) :]


def _lead_to_the_same(contents: Contents, random: Random) -> None:
    """Relations of which several lead to one part, or a part to itself."""
    parts = sorted(name for name in contents if name.endswith(b".rels"))
    part = random.choice(parts)
    targets = re.findall(rb'Target="[^"]*"', contents[part])
    if targets:
        target = random.choice(targets)
        contents[part] = re.sub(
            rb'Target="[^"]*"', lambda _: target, contents[part], count=random.choice((0, 1))
        )


def _go_outside(contents: Contents, random: Random) -> None:
    parts = sorted(name for name in contents if name.endswith(b".rels"))
    part = random.choice(parts)
    contents[part] = re.sub(
        rb'(<Relationship\b[^>]*?)\sTarget="[^"]*"',
        rb'\1 Target="http://127.0.0.1:9/x.xml" TargetMode="External"',
        contents[part],
        count=random.choice((0, 1)),
    )


def _merge_or_link(contents: Contents, random: Random) -> None:
    part = _sheet(contents, random)
    at = random.choice(("A5:B6", "A9", "A40:C41", "A1048576", "A5:XFD1048576"))
    piece = random.choice(
        (
            f'<mergeCells count="1"><mergeCell ref="{at}"/></mergeCells>',
            f'<hyperlinks><hyperlink ref="{at}" location="A1"/></hyperlinks>',
            f'<conditionalFormatting sqref="{at}"/>',
            f'<dataValidations><dataValidation sqref="{at} A5:A20"/></dataValidations>',
        )
    )
    contents[part] = contents[part].replace(b"</sheetData>", b"</sheetData>" + piece.encode(), 1)


def _retitle(contents: Contents, random: Random) -> None:
    part = b"xl/workbook.xml"
    title = random.choice(
        (b"Models", b"Sizing", b"Scenarios", b"", b"it's", b"a" * 400, b"A!B", b"&#10;")
    )
    found = list(re.finditer(rb'(<sheet\b[^>]*?\sname=")([^"]*)"', contents.get(part, b"")))
    if found:
        match = random.choice(found)
        content = contents[part]
        contents[part] = content[: match.start(2)] + title + content[match.end(2) :]


def _stand_below(contents: Contents, random: Random) -> None:
    """Rows right below the last, where a table has to grow."""
    part = _sheet(contents, random)
    rows = [int(number) for number in re.findall(rb'<row\b[^>]*?\sr="(\d+)"', contents[part])]
    number = max(rows, default=0) + random.choice((1, 2, 5))
    cell = random.choice(("<v>1</v>", "<f>A5</f><v>1</v>", "", "<v></v>"))
    row = f'<row r="{number}"><c r="A{number}">{cell}</c></row>'.encode()
    contents[part] = contents[part].replace(b"</sheetData>", row + b"</sheetData>", 1)


MUTATIONS: Sequence[Callable[[Contents, Random], None]] = (
    _name_otherwise,
    _place_otherwise,
    _place_otherwise,
    _overlap,
    _total,
    _column_formula,
    _type_a_text,
    _type_a_text,
    _type_a_figure,
    _type_a_figure,
    _type_a_formula,
    _clear_a_cell,
    _copy_a_cell,
    _rows,
    _rows,
    _addresses_left_out,
    _name_leads_elsewhere,
    _lead_to_the_same,
    _go_outside,
    _merge_or_link,
    _retitle,
    _stand_below,
)


def mutated(contents: Mapping[bytes, bytes], random: Random) -> Contents:
    """The content of parts after one to five of the mutations."""
    found = dict(contents)
    for _ in range(random.randint(1, 5)):
        random.choice(MUTATIONS)(found, random)
    return found
