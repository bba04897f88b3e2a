"""Cells that call the workbook's LAMBDA names, and what each must answer.

What a name must answer comes from the functions by the same names that Excel calls in
Python, and so from core. Arguments are typed into the formula or stand in cells, and may
be wrong, empty or left out.
"""

import io
import random
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import openpyxl
from lxml import etree
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName

from tests.engines.engines import Cell, Value, same
from tests.engines.entries import entries
from tests.engines.loads import Load, boundary_loads, random_loads
from tests.engines.sheets import expected_status
from xlsizing.core.exact import plain
from xlsizing.excel import functions

PLANNING = "Planning"
"""The sheet that the tests add, as a person would."""
SIZING = "Sizing"
"""A sheet that is there; calls stand in its column FAR."""
FAR = "AZ"

FIELDS = {
    "model": "model",
    "server": "server",
    "concurrency": "concurrency",
    "context": "effective_context",
    "precision": "kv_precision",
    "kv_budget_ratio": "kv_budget_ratio",
    "runtime_overhead_gib": "runtime_overhead_gib",
    "headroom": "peak_headroom_ratio",
    "ha": "ha_mode",
}
"""The field of Load for each argument."""

ARGUMENTS = {
    "KV_PER_SESSION": ("model", "context", "precision"),
    "KV_TOTAL": ("model", "context", "concurrency", "precision"),
    "SESSIONS_PER_NODE": (
        *("model", "server", "context", "precision"),
        *("kv_budget_ratio", "runtime_overhead_gib"),
    ),
    **dict.fromkeys(
        ("NODES_MINIMUM", "NODES_WITH_HEADROOM", "NODES_REQUIRED", "SIZING_WHY"), tuple(FIELDS)
    ),
}
REQUIRED = ("model", "server", "concurrency", "context")

WRONG: Mapping[str, tuple[object, ...]] = {
    "model": ("no-such", "gpt*", "", None, 5, True, "#N/A", "#DIV/0!"),
    "server": ("no-such", "dgx?b300", "~", None, 5, False, "#VALUE!"),
    "concurrency": (0, -1, 1.5, "1000", "many", None, "", True, "#NUM!", "#N/A"),
    "context": (0, -1, 0.5, "131072", None, "", False, "#REF!"),
    "precision": ("fp4", "fp*", 8, 0, True, "#NAME?"),
    "kv_budget_ratio": (0, -0.1, 1.0001, 0.12345, "0.7", True, "#DIV/0!"),
    "runtime_overhead_gib": (-1, 0.001, "120", False, "#N/A"),
    "headroom": (-0.1, 0.00001, "20%", True, "#NULL!"),
    "ha": ("n+2", "yes", 1, 0, True, "n*", "#NUM!"),
}

SENTENCES = {
    "model": ("There is no model named", "Choose a model", "The cell of the model holds"),
    "server": ("There is no server named", "Choose a server", "The cell of the server holds"),
    "concurrency": ("Concurrency must be",),
    "context": ("Context must be",),
    "precision": ("KV precision must be",),
    "kv_budget_ratio": ("KV budget ratio must be",),
    "runtime_overhead_gib": ("Runtime overhead must be",),
    "headroom": ("Peak headroom must be",),
    "ha": ("HA must be",),
}
"""How SIZING_WHY begins where an argument is wrong."""


@dataclass(frozen=True)
class Call:
    """A call of a name: its arguments as typed, and what it must answer."""

    name: str
    values: tuple[object, ...]
    """None is nothing: left out, or an empty cell."""
    in_cells: tuple[bool, ...]
    """Whether an argument stands in a cell instead of the formula."""
    given: int
    """Arguments that are written at all; the rest is left out at the end."""
    wrong: str | None = None
    """The argument that is wrong, if just one is."""

    def formula(self, sheet: str, row: int, name: str) -> str:
        """The call of `name`, with the arguments that stand in cells in `row` of Planning."""
        place = "" if sheet == PLANNING else f"{PLANNING}!"
        texts = [
            f"{place}${get_column_letter(column)}${row}" if in_cell else _literal(value)
            for column, (value, in_cell) in enumerate(
                zip(self.values, self.in_cells, strict=True), start=2
            )
        ]
        return f"={name}({','.join(texts[: self.given])})"

    def right(self, found: Value) -> bool:
        """True for what the call must answer."""
        if self.name != "SIZING_WHY":
            function: Callable[..., Value] = getattr(functions, self.name)
            return same(function(*self.values), found)
        if self.wrong:
            return str(found).startswith(SENTENCES[self.wrong])
        given = {
            field: _meant(argument, value)
            for (argument, field), value in zip(FIELDS.items(), self.values, strict=True)
        }
        load = Load(storage="profile_default", **given)  # type: ignore[arg-type]
        return found == expected_status(load.result(entries()))


def _meant(argument: str, value: object) -> object:
    """An optional argument without stray blanks and capitals; None where it is empty."""
    tidy = value.strip().lower() if isinstance(value, str) else value
    if argument in REQUIRED:
        return value
    return None if tidy == "" else tidy


def _literal(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return plain(value)
    text = str(value)
    if text.startswith("#"):
        return text
    return '"' + text.replace('"', '""') + '"'


def random_calls(count: int, seed: int) -> Iterator[Call]:
    """Calls of every function with good, edge and wrong arguments, typed in every way."""
    dice = random.Random(seed)
    edges = list(boundary_loads(entries()))
    usual = list(random_loads(entries(), count, seed))
    for number in range(count):
        name = list(ARGUMENTS)[number % len(ARGUMENTS)]
        load = dice.choice(edges) if dice.random() < 0.3 else usual[number]
        values = {
            argument: _carelessly(dice, argument, getattr(load, field))
            for argument, field in FIELDS.items()
            if argument in ARGUMENTS[name]
        }
        # SIZING_WHY tells of one fault at a time; others may have to choose between two.
        faults = dice.choice((0, 0, 1) if name == "SIZING_WHY" else (0, 0, 1, 2))
        wrong = dice.sample(list(values), faults)
        if faults == 2 and "server" in values:
            # Which of two faults is told only shows where one of them is a name.
            wrong = ["server", *(each for each in wrong if each != "server")][:2]
        values |= {argument: dice.choice(WRONG[argument]) for argument in wrong}
        yield _call(dice, name, [values[each] for each in ARGUMENTS[name]], wrong)


def _carelessly(dice: random.Random, argument: str, value: object) -> object:
    if argument in REQUIRED:
        return value
    if value is None:
        return dice.choice((None, "", "  "))
    if isinstance(value, str):
        return dice.choice((value, f" {value.upper()} ", value.capitalize()))
    return value


def _call(dice: random.Random, name: str, values: Sequence[object], wrong: Sequence[str]) -> Call:
    required = sum(argument in REQUIRED for argument in ARGUMENTS[name])
    last = max((place for place, value in enumerate(values, 1) if value is not None), default=0)
    given = dice.randint(max(last, required), len(values))
    chance = dice.choice((0.0, 0.5, 1.0))
    in_cells = tuple(dice.random() < chance for _ in values)
    return Call(name, tuple(values), in_cells, given, wrong[0] if wrong else None)


def calling_book(
    content: bytes, calls: Sequence[Call], planted: Sequence[tuple[str, str]] = ()
) -> tuple[bytes, list[Cell]]:
    """A workbook with calls as Excel stores them, and the cells that they are in.

    With `planted`, each call is of a name and a text of its own, which are defined as well.

    Every other call stands on the sheet that the test adds, the rest on Sizing; every third
    is an ordinary formula, as Excel keeps it where it came from an older program.
    """
    book = openpyxl.load_workbook(io.BytesIO(content))
    planning = book.create_sheet(PLANNING)
    for name, text in planted:
        book.defined_names[name] = DefinedName(name, attr_text=text)
    cells: list[Cell] = []
    for number, call in enumerate(calls):
        row = number + 1
        name = planted[number][0] if planted else call.name
        sheet, column = ((PLANNING, "A"), (SIZING, FAR))[number % 2]
        book[sheet][f"{column}{row}"] = call.formula(sheet, row, name)
        cells.append((sheet, f"{column}{row}"))
        for place, (value, in_cell) in enumerate(
            zip(call.values, call.in_cells, strict=True), start=2
        ):
            if in_cell:
                # A cell that shows an error comes from a formula.
                is_error = isinstance(value, str) and value.startswith("#")
                planning.cell(row, place).value = f"={value}" if is_error else value
    saved = io.BytesIO()
    book.save(saved)
    arrays = {cell for number, cell in enumerate(cells) if number % 3}
    return with_dynamic_arrays(saved.getvalue(), arrays), cells


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_METADATA = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<metadata xmlns="{_MAIN}" \
xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray">\
<metadataTypes count="1"><metadataType name="XLDAPR" minSupportedVersion="120000" copy="1" \
pasteAll="1" pasteValues="1" merge="1" splitFirst="1" rowColShift="1" clearFormats="1" \
clearComments="1" assign="1" coerce="1" cellMeta="1"/></metadataTypes>\
<futureMetadata name="XLDAPR" count="1"><bk><extLst>\
<ext uri="{{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}}">\
<xda:dynamicArrayProperties fDynamic="1" fCollapsed="0"/></ext></extLst></bk></futureMetadata>\
<cellMetadata count="1"><bk><rc t="1" v="0"/></bk></cellMetadata></metadata>"""
_OVERRIDE = (
    '<Override PartName="/xl/metadata.xml" ContentType="application/'
    'vnd.openxmlformats-officedocument.spreadsheetml.sheetMetadata+xml"/></Types>'
)
_RELATION = (
    '<Relationship Id="rIdMetadata" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships/sheetMetadata" Target="metadata.xml"/></Relationships>'
)


def with_dynamic_arrays(content: bytes, cells: set[Cell]) -> bytes:
    """A workbook in which formula cells are dynamic arrays, as Excel stores calls of names."""
    titles = openpyxl.load_workbook(io.BytesIO(content), read_only=True).sheetnames
    parts = {f"xl/worksheets/sheet{n}.xml": title for n, title in enumerate(titles, start=1)}
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(changed, "w") as target:
        for part in source.namelist():
            data = source.read(part)
            if part in parts:
                wanted = {address for title, address in cells if title == parts[part]}
                data = _with_arrays(data, wanted) if wanted else data
            elif part == "[Content_Types].xml":
                data = data.replace(b"</Types>", _OVERRIDE.encode())
            elif part == "xl/_rels/workbook.xml.rels":
                data = data.replace(b"</Relationships>", _RELATION.encode())
            target.writestr(part, data)
        target.writestr("xl/metadata.xml", _METADATA)
    return changed.getvalue()


def _with_arrays(sheet: bytes, addresses: set[str]) -> bytes:
    root = etree.fromstring(sheet)
    for cell in root.iter(f"{{{_MAIN}}}c"):
        if cell.get("r") in addresses:
            formula = cell.find(f"{{{_MAIN}}}f")
            assert formula is not None
            formula.set("t", "array")
            formula.set("ref", str(cell.get("r")))
            cell.set("cm", "1")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def with_names(content: bytes, changed: Callable[[str], str]) -> bytes:
    """A workbook whose part with the defined names is changed as text."""
    rewritten = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(rewritten, "w") as target:
        for part in source.namelist():
            data = source.read(part)
            if part == "xl/workbook.xml":
                data = changed(data.decode()).encode()
            target.writestr(part, data)
    return rewritten.getvalue()


def in_brackets(workbook: str) -> str:
    """Optional parameters in brackets, as a person types them: all that Formulon knows."""
    return re.sub(r"_xlop\.(\w+)", r"[_xlpm.\1]", workbook)
