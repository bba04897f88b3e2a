"""A workbook of one table, written by hand, so that a test can write any XML into it."""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from xlsizing.book.sync.syncing import Sync, synced
from xlsizing.core import Catalogs, StorageProfile
from xlsizing.core.entries import Model, Server

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

SHEET, TABLE, WORKBOOK = "xl/worksheets/sheet1.xml", "xl/tables/table1.xml", "xl/workbook.xml"

HEADS = ("Name", "Type", "Read GB/s", "Own", "Origin")
TOP = 3
"""The row of the heads."""

Cell = str | float | bool | None


def profile(name: str, speed: float = 1, **more: object) -> StorageProfile:
    """A storage profile."""
    figures: dict[str, object] = {
        "type": "san",
        "iops_read": 1,
        "iops_write": 1,
        "throughput_read_gbps": speed,
        "throughput_write_gbps": 1,
        "latency_read_ms_p50": 1,
        "latency_read_ms_p99": 1,
        "latency_write_ms_p50": 1,
        "latency_write_ms_p99": 1,
    }
    return StorageProfile(name=name, **{**figures, **more})  # type: ignore[arg-type]


def catalogs(*profiles: StorageProfile) -> Catalogs:
    """Catalogs with these storage profiles, and a model and a server that no table shows."""
    model = Model(
        name="m",
        num_layers=1,
        num_key_value_heads=1,
        head_dim=1,
        max_position_embeddings=10,
        attention_pattern="full",
    )
    return Catalogs((model,), (Server(name="s", gpus=1, hbm_per_gpu_gb=80),), profiles)


@dataclass(frozen=True)
class Small:
    """What stands in the workbook."""

    rows: Sequence[Sequence[Cell]]
    """The rows of the table Storage, from A3 on."""
    heads: Sequence[str] = HEADS
    title: str = "Storage"
    below: str = ""
    """XML of the sheet's rows below the table."""
    totals: str = ""
    """XML of the row of totals."""
    after: str = ""
    """XML after the rows."""
    dimension: str = ""
    in_table: str = ""
    """XML in the table before its columns."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """XML in the columns of the table, by head."""
    names: str = ""
    """XML of the defined names."""
    sheets: Mapping[str, str] = field(default_factory=dict)
    """XML of the rows of other sheets, by title."""
    parts: Mapping[str, str | bytes] = field(default_factory=dict)
    relations: str = ""
    """XML of further relations of the sheet."""
    of_workbook: str = ""
    """XML of further relations of the workbook."""
    types: str = ""
    """XML of further content types."""

    @property
    def bottom(self) -> int:
        """The last row of the table."""
        return TOP + len(self.rows) + bool(self.totals)

    def content(self) -> bytes:
        """The bytes of the workbook."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as target:
            for name, text in {**self._parts(), **self.parts}.items():
                target.writestr(name, text)
        return packed.getvalue()

    def sheet(self) -> str:
        """The XML of the sheet."""
        rows = "".join(
            row_xml(TOP + number, cells) for number, cells in enumerate([self.heads, *self.rows])
        )
        size = f'<dimension ref="{self.dimension}"/>' if self.dimension else ""
        return (
            f'<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}">{size}<sheetData>{rows}{self.totals}'
            f'{self.below}</sheetData>{self.after}<tableParts count="1"><tablePart r:id="rId1"/>'
            "</tableParts></worksheet>"
        )

    def table(self) -> str:
        """The XML of the table."""
        last = "ABCDEFGHIJ"[len(self.heads) - 1]
        columns = "".join(
            f'<tableColumn id="{n}" name="{head}">{self.columns.get(head, "")}</tableColumn>'
            for n, head in enumerate(self.heads, start=1)
        )
        totals = 'totalsRowCount="1"' if self.totals else 'totalsRowShown="0"'
        return (
            f'<table xmlns="{MAIN}" id="1" name="Storage" displayName="Storage" '
            f'ref="A{TOP}:{last}{self.bottom}" {totals}>{self.in_table}'
            f'<tableColumns count="{len(self.heads)}">{columns}</tableColumns></table>'
        )

    def _parts(self) -> dict[str, str]:
        others = list(enumerate(self.sheets.items(), start=2))
        listed = "".join(
            f'<sheet name="{title}" sheetId="{n}" r:id="rId{n}"/>'
            for n, title in [(1, self.title), *((n, title) for n, (title, _) in others)]
        )
        leads = "".join(
            _relation(n, "worksheet", f"worksheets/sheet{n}.xml") for n, _ in [(1, 0), *others]
        )
        names = f"<definedNames>{self.names}</definedNames>" if self.names else ""
        overrides = "".join(
            f'<Override PartName="/{part}" ContentType="{_TYPE}.{kind}+xml"/>'
            for part, kind in [
                (WORKBOOK, "sheet.main"),
                (TABLE, "table"),
                ("xl/styles.xml", "styles"),
                *((f"xl/worksheets/sheet{n}.xml", "worksheet") for n, _ in [(1, 0), *others]),
            ]
        )
        return {
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default '
            'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships'
            f'+xml"/><Default Extension="xml" ContentType="application/xml"/>{overrides}'
            f"{self.types}</Types>",
            "_rels/.rels": _relations(_relation(1, "officeDocument", WORKBOOK)),
            WORKBOOK: f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets>'
            f"{names}</workbook>",
            "xl/_rels/workbook.xml.rels": _relations(
                leads + _relation(90, "styles", "styles.xml") + self.of_workbook
            ),
            SHEET: self.sheet(),
            "xl/worksheets/_rels/sheet1.xml.rels": _relations(
                _relation(1, "table", "../tables/table1.xml") + self.relations
            ),
            TABLE: self.table(),
            "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
            '<xf numFmtId="2" applyNumberFormat="1"><alignment wrapText="1"/></xf></cellXfs>'
            "</styleSheet>",
            **{
                f"xl/worksheets/sheet{n}.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}'
                "</sheetData></worksheet>"
                for n, (_, rows) in others
            },
        }


def _relation(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'


def _relations(inner: str) -> str:
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def relation(number: int, kind: str, target: str) -> str:
    """A relation of the sheet or of the workbook."""
    return _relation(number, kind, target)


def row_xml(number: int, cells: Sequence[Cell]) -> str:
    """A row of cells from column A on; a text that begins with = is a formula."""
    written = "".join(_cell_xml(f"{'ABCDEFGHIJ'[n]}{number}", cell) for n, cell in enumerate(cells))
    return f'<row r="{number}">{written}</row>'


def _cell_xml(address: str, cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.startswith("="):
        return f'<c r="{address}" s="1"><f>{cell[1:]}</f><v>5</v></c>'
    if isinstance(cell, str):
        return f'<c r="{address}" s="1" t="inlineStr"><is><t>{cell}</t></is></c>'
    return f'<c r="{address}" s="1"><v>{cell}</v></c>'


@dataclass(frozen=True)
class After:
    """A workbook after a sync."""

    content: bytes
    said: Sync

    def part(self, name: str) -> str:
        """The XML of a part."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as package:
            return package.read(name).decode()

    @property
    def parts(self) -> list[str]:
        """Names of the parts."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as package:
            return package.namelist()

    def rows(self, part: str = SHEET) -> dict[int, dict[str, str]]:
        """The sheet's cells: formulas with their equals sign, texts and numbers as text."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as package:
            root = etree.fromstring(package.read(part))
        found: dict[int, dict[str, str]] = {}
        row = 0
        for line in root.iter(f"{{{MAIN}}}row"):
            row = int(line.get("r", row + 1))
            column = 0
            for cell in line.iter(f"{{{MAIN}}}c"):
                said = str(cell.get("r", "")).rstrip("0123456789")
                column = ord(said) - 64 if said else column + 1
                formula = cell.find(f"{{{MAIN}}}f")
                shown = "".join(
                    each.text or "" for each in cell.iter(f"{{{MAIN}}}t", f"{{{MAIN}}}v")
                )
                if text := shown if formula is None else f"={formula.text or ''}":
                    found.setdefault(row, {})[chr(64 + column)] = text
        return found

    @property
    def names(self) -> list[str]:
        """The names in the table, from top to bottom."""
        match = re.search(r'ref="[A-Z]+(\d+):[A-Z]+(\d+)"', self.part(TABLE))
        assert match
        rows = self.rows()
        return [rows.get(n, {}).get("A", "") for n in range(int(match[1]) + 1, int(match[2]) + 1)]


def after_sync(book: Small | bytes, known: Catalogs, folder: Path, *, prune: bool = False) -> After:
    """A workbook after a sync."""
    path = folder / "small.xlsx"
    path.write_bytes(book if isinstance(book, bytes) else book.content())
    said, _ = synced(str(path), known, lambda _: None, prune=prune)
    return After(path.read_bytes(), said)


def filled(*profiles: StorageProfile, own: Sequence[Cell] = ()) -> list[list[Cell]]:
    """Rows of the table as a sync would write them, with what stands in the column Own."""
    from xlsizing.book.catalog_columns import STORAGE, origin_of, row_of

    found: list[list[Cell]] = []
    for number, each in enumerate(profiles):
        row = row_of(STORAGE, each)
        said = {head: row[head] for head in HEADS if head in row}
        mine = own[number] if number < len(own) else None
        values: list[Cell] = [row["Name"], row["Type"], row["Read GB/s"], mine, origin_of(said)]
        found.append(values)
    return found
