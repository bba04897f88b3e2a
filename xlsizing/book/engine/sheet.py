"""The sheet Engine: the planning method beside what an engine holds, and where memory goes."""

from collections.abc import Mapping
from typing import NamedTuple

from openpyxl.workbook import Workbook

from xlsizing.book.alert_formulas import ENGINE_STATUS
from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.engine.formulas import ENGINE_OUTPUTS, ENGINE_STEPS, SETTINGS
from xlsizing.book.engine.inputs import write_settings
from xlsizing.book.engine.memory import write_memory
from xlsizing.book.engine.page import (
    FIRST,
    LABEL,
    NOT_KNOWN,
    SECOND,
    THIRD,
    WIDTHS,
    EnginePage,
    known,
)
from xlsizing.book.engine.scenarios import ScenarioTable, write_scenarios
from xlsizing.book.engine.values import UNKNOWN, settings_values
from xlsizing.book.expressions import filled, fixed, render
from xlsizing.book.pages import protect, set_page
from xlsizing.book.sizing_sheet import reference
from xlsizing.book.styles import (
    BODY,
    RIGHT,
    SEVERITY_FILLS,
    STRONG,
    SUBTITLE,
    TITLE,
    UNDERLINE,
    highlight,
)
from xlsizing.book.values import NO_NODES, formula_values
from xlsizing.core import Catalogs, SizingResult
from xlsizing.core.alerts import STATUS_OK
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value
from xlsizing.core.units import BYTES_PER_GIB

TITLE_TEXT = Message("What will the engine hold?")

_EQUATIONS: Mapping[str, str] = {
    "TokensInFlight": Message("batched tokens per step x batches in flight"),
    "TypedTp": Message("0 where none is asked for"),
    "WindowReach": Message("window - 1 of a sliding layer, the chunk of a chunked one"),
    "PoolBeforeWeights": Message(
        "usable memory x utilisation - activation - runtime, or the pool where given"
    ),
    "SmallestShare": Message(
        "over the sizes of Layouts whose pool has blocks for one request and the reserved one"
    ),
    "WantedTp": Message("the size asked for, or the smallest that holds a session"),
    "EngineWeights": Message("weight bytes / tensor parallel, rounded up"),
    "EnginePool": Message("memory for weights and KV caches - weights per GPU"),
    "NumBlocks": Message("KV pool / bytes per block, rounded down"),
    "EngineBlocks": Message(
        "full groups x ceil(context / block) + windowed groups x "
        "(ceil(min(window reach + tokens in flight, context) / block) + 1 where it slides) + state "
        "groups x states"
    ),
    "SteadyBlocks": Message("the same with no tokens in flight"),
    "ReplicasPerNode": Message("GPUs / tensor parallel, rounded down"),
    "SteadyKvBytes": Message("blocks in steady decode x bytes per block"),
    "EngineKvBytes": Message("blocks per request x bytes per block"),
    "SteadySessionsPerNode": Message(
        "((blocks in the pool - 1) / blocks in steady decode, rounded down) x replicas"
    ),
    "EngineSessionsPerNode": Message(
        "((blocks in the pool - 1) / blocks per request, rounded down) x replicas"
    ),
    **{
        f"{name}Nodes{what}": equation
        for name in ("Steady", "Engine")
        for what, equation in (
            ("Minimum", Message("sessions / sessions per node, rounded up")),
            ("WithHeadroom", Message("sessions x (1 + headroom) / sessions per node, rounded up")),
            ("Final", Message("with headroom + spare nodes")),
        )
    },
    "KvCopies": Message("tensor parallel / KV heads; every GPU for latent attention"),
}
"""The equation of each figure, for people."""


_LAYOUT = Message(
    "Tensor parallel {size}: {replicas} replicas a node, {blocks} blocks in the pool of each GPU."
)
_GIB = "/Const_BytesPerGiB"


class _Compared(NamedTuple):
    """A figure of the three answers side by side."""

    label: str
    unit: str
    texts: tuple[str, str, str]
    """Planning, steady decode, engine bound."""
    note: str
    number_format: str = "#,##0"


def _compared_nodes(label: str, what: str, note: str) -> _Compared:
    texts = (f"{{Nodes{what}}}", f"{{SteadyNodes{what}}}", f"{{EngineNodes{what}}}")
    return _Compared(label, Message("nodes"), texts, note)


_COMPARED: tuple[_Compared, ...] = (
    _Compared(
        label=Message("KV cache per session"),
        unit="GiB",
        texts=(
            "{KvBytes}" + _GIB,
            "{SteadyKvBytes}*{EngineTp}" + _GIB,
            "{EngineKvBytes}*{EngineTp}" + _GIB,
        ),
        note=Message(
            "Over the GPUs of a replica. Planning: what the tokens take. Engine bound: whole "
            "blocks, while the longest prefill runs. Steady decode: once it is over."
        ),
        number_format="#,##0.0000",
    ),
    _Compared(
        label=Message("Sessions per node"),
        unit=Message("sessions"),
        texts=("{SessionsPerNode}", "{SteadySessionsPerNode}", "{EngineSessionsPerNode}"),
        note=Message(
            "Planning: KV budget / KV cache per session. Engine: requests that the blocks of a "
            "replica admit x replicas."
        ),
    ),
    _compared_nodes(
        Message("Nodes minimum"), "Minimum", Message("Sessions / sessions per node, rounded up.")
    ),
    _compared_nodes(
        Message("Nodes with headroom"),
        "WithHeadroom",
        Message("Sessions x (1 + headroom) / sessions per node, rounded up."),
    ),
    _compared_nodes(
        Message("Nodes final"), "Final", Message("With headroom, and one more where HA is n+1.")
    ),
)


def write_engine_sheet(
    book: Workbook,
    notes: PackageNotes,
    result: SizingResult,
    catalogs: Catalogs,
    table: ScenarioTable | None = None,
) -> None:
    """Write the sheet for one sizing, and for the rows of Scenarios where there is that sheet."""
    sheet = book.create_sheet("Engine")
    for letter, width in WIDTHS.items():
        sheet.column_dimensions[letter].width = width
    values = formula_values(result, catalogs) | settings_values(result.settings)
    page = EnginePage(book, Writer(sheet, notes), values)
    page.writer.value(1, LABEL, TITLE_TEXT, Style(font=TITLE))
    _write_status(page, 2)
    row = _write_comparison(page, 4)
    row = write_settings(page, row + 1, result.settings)
    row = write_memory(page, row + 1, result)
    breaks = [row]
    if table:
        row = write_scenarios(page, row + 1, table)
        breaks.append(row)
    _write_steps(page, row + 1)
    set_page(sheet, first_free_row=4, last_printed_column="G", breaks=breaks)
    protect(sheet)


def _write_status(page: EnginePage, row: int) -> None:
    ok = filled(
        _LAYOUT,
        {
            "size": "Step_EngineTp",
            "replicas": "Step_ReplicasPerNode",
            "blocks": fixed("Step_NumBlocks"),
        },
    )
    text = f'IF(Output_EngineStatus="{STATUS_OK}",{ok},Output_EngineStatus)'
    value = str(page.values["EngineStatus"])
    if value == STATUS_OK:
        blocks = page.values["NumBlocks"]
        assert isinstance(blocks, int)
        value = _LAYOUT.filled(
            size=str(page.values["EngineTp"]),
            replicas=str(page.values["ReplicasPerNode"]),
            blocks=grouped(blocks),
        )
    page.writer.formula(row, LABEL, text, value, Style(font=SUBTITLE))
    wrong = f'Output_EngineStatus<>"{STATUS_OK}"'
    highlight(page.sheet, f"B{row}:G{row}", wrong, fill=SEVERITY_FILLS["error"])


def _write_comparison(page: EnginePage, row: int) -> int:
    """Write the three answers side by side; returns the row after them."""
    page.heading(
        row,
        Message("Side by side"),
        Message("Planning"),
        Message("Steady decode"),
        Message("Engine bound"),
        Message("Unit"),
        Message("What it is"),
    )
    for label, unit, texts, note, number_format in _COMPARED:
        row += 1
        page.label(row, label, unit, note)
        font = STRONG if label == "Nodes final" else BODY
        style = Style(font, None, number_format, RIGHT, UNDERLINE)
        for column, text in zip((FIRST, SECOND, THIRD), texts, strict=True):
            page.writer.formula(
                row,
                column,
                known(render(text, reference)),
                _computed(page, text),
                style,
            )
    return row + 1


def _computed(page: EnginePage, text: str) -> Value:
    """The value of one of the comparison's expressions."""
    symbol, _, rest = text.partition("}")
    value = page.values[symbol[1:]]
    if rest.startswith("*{EngineTp}") and UNKNOWN not in (value, page.values["EngineTp"]):
        assert isinstance(value, int)
        size = page.values["EngineTp"]
        assert isinstance(size, int)
        return value * size / BYTES_PER_GIB
    if value in (UNKNOWN, NO_NODES):
        return NOT_KNOWN
    if rest:
        assert isinstance(value, int)
        return value / BYTES_PER_GIB
    return value


def _write_steps(page: EnginePage, row: int) -> None:
    """Write every figure with its equation, and define the names of their cells."""
    page.heading(
        row, Message("Steps"), Message("Value"), "", "", Message("Unit"), Message("Equation")
    )
    for formula in SETTINGS:
        row += 1
        note = _EQUATIONS.get(formula.symbol, "")
        page.figure(row, formula, f"Engine_{formula.symbol}", formula.source, note)
    for formula in (*ENGINE_STEPS, *ENGINE_OUTPUTS, ENGINE_STATUS):
        row += 1
        name = reference(formula.symbol)
        note = _EQUATIONS.get(formula.symbol, "")
        page.figure(row, formula, name, render(formula.source, reference), note)
