"""The sheet Engine: the planning method beside what an engine holds, and where memory goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.data_source import (
    NumData,
    NumDataSource,
    NumRef,
    NumVal,
    StrData,
    StrRef,
    StrVal,
)
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.series_factory import SeriesFactory
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation

from xlsizing.book.alert_formulas import ENGINE_STATUS, STATUS_OK
from xlsizing.book.cells import PackageNotes, Style, Value, Writer
from xlsizing.book.engine_formulas import ENGINE_OUTPUTS, ENGINE_STEPS, SETTINGS
from xlsizing.book.engine_values import UNKNOWN, settings_values
from xlsizing.book.expressions import Formula, render
from xlsizing.book.names import define
from xlsizing.book.pages import set_page
from xlsizing.book.scenarios_sheet import LIVE, ROWS, Scenario, head
from xlsizing.book.sizing_sheet import reference
from xlsizing.book.styles import (
    APART,
    BODY,
    HEADING,
    HEADING_FILL,
    INPUT,
    INPUT_FILL,
    LEFT,
    MEMORY_COLOURS,
    NOTE,
    NOTE_ALIGNMENT,
    RIGHT,
    SEVERITY_FILLS,
    STRONG,
    SUBTITLE,
    TITLE,
    UNDERLINE,
    WRAP_CENTRED,
    highlight,
)
from xlsizing.book.tables import Column, Placed, own_row, write_table
from xlsizing.book.values import NO_NODES, formula_values
from xlsizing.core import Catalogs, SizingResult
from xlsizing.core.engine import EngineSettings, usable_gpu_bytes
from xlsizing.core.units import BYTES_PER_GIB

TITLE_TEXT = "What will the engine hold?"
TABLE = "EngineScenarios"
_LABEL, _FIRST, _SECOND, _THIRD, _UNIT, _NOTE = 2, 3, 4, 5, 6, 7
_WIDTHS = {"A": 2, "B": 40, "C": 19, "D": 19, "E": 19, "F": 15, "G": 86, "H": 14, "I": 14, "J": 14}
_CHART_ROWS = 9

NOT_KNOWN = "not known"
"""What a figure shows that cannot be computed."""


@dataclass(frozen=True)
class _Setting:
    """One setting of the engine, as the sheet asks for it."""

    name: str
    """Name after Input_."""
    field: str
    """Name of the field of EngineSettings."""
    label: str
    unit: str
    note: str
    number_format: str = "#,##0"
    least: str = "1"
    most: str = "Limit_Exact"


_SETTINGS: tuple[_Setting, ...] = (
    _Setting(
        "MaxNumBatchedTokens",
        "max_num_batched_tokens",
        "Batched tokens per step",
        "tokens",
        "max_num_batched_tokens: tokens that the engine prefills in one step. Typical: 2,048 to "
        "16,384. A windowed layer keeps them beside its window.",
    ),
    _Setting(
        "BatchesInFlight",
        "batches_in_flight",
        "Batches in flight",
        "steps",
        "Steps scheduled at the same time: 2 in vLLM 0.33, 1 in 0.24.",
    ),
    _Setting(
        "GpuMemoryUtilization",
        "gpu_memory_utilization",
        "GPU memory utilisation",
        "share",
        "gpu_memory_utilization: share of a GPU's memory that the engine may take. Typical: 0.92. "
        "At most 4 decimals.",
        "0.00##",
        "0.0001",
        "1",
    ),
    _Setting(
        "ActivationGiB",
        "activation_gib",
        "Activation per GPU",
        "GiB",
        "Peak of the activations. Measured on an H100 at 16,384 batched tokens: 1.9 (Llama-3.1-8B) "
        "to 3.4 (Qwen3-30B-A3B). A start-up log says it: `xlsizing calibrate`.",
        "0.00##",
        "0",
        "Limit_GpuGiB",
    ),
    _Setting(
        "RuntimeGiB",
        "runtime_gib",
        "Runtime per GPU",
        "GiB",
        "CUDA graphs, libraries, buffers. Graphs took 1.0 on an H100.",
        "0.00##",
        "0",
        "Limit_GpuGiB",
    ),
    _Setting(
        "StateCaching",
        "state_caching",
        "State caching",
        "",
        "Prefix caching of state-space layers: none, or align for two states a request. Empty: none.",
    ),
    _Setting(
        "KvPoolGiB",
        "kv_pool_gib",
        "KV pool per GPU, if known",
        "GiB",
        'What a start-up log calls "Available KV cache memory". It overrides utilisation, '
        "activation, runtime and weights. Usually empty.",
        "0.00##",
        "0",
        "Limit_GpuGiB",
    ),
)

_EQUATIONS: Mapping[str, str] = {
    "TokensInFlight": "batched tokens per step x batches in flight",
    "TypedTp": "0 where none is asked for",
    "WindowReach": "window - 1 of a sliding layer, the chunk of a chunked one",
    "PoolBeforeWeights": "usable memory x utilisation - activation - runtime, or the pool where given",
    "SmallestShare": "over the sizes of Layouts whose pool has blocks for one request and the reserved one",
    "EngineTp": "the size asked for, or the smallest that holds a session",
    "EngineWeights": "weight bytes / tensor parallel, rounded up",
    "EnginePool": "memory for weights and KV caches - weights per GPU",
    "NumBlocks": "KV pool / bytes per block, rounded down",
    "EngineBlocks": "full groups x ceil(context / block) + windowed groups x "
    "(ceil(min(window reach + tokens in flight, context) / block) + 1 where it slides) + state "
    "groups x states",
    "SteadyBlocks": "the same with no tokens in flight",
    "ReplicasPerNode": "GPUs / tensor parallel, rounded down",
    "SteadyKvBytes": "blocks in steady decode x bytes per block",
    "EngineKvBytes": "blocks per request x bytes per block",
    "SteadySessionsPerNode": "((blocks in the pool - 1) / blocks in steady decode, rounded down) x replicas",
    "EngineSessionsPerNode": "((blocks in the pool - 1) / blocks per request, rounded down) x replicas",
    **{
        f"{name}Nodes{what}": equation
        for name in ("Steady", "Engine")
        for what, equation in (
            ("Minimum", "sessions / sessions per node, rounded up"),
            ("WithHeadroom", "sessions x (1 + headroom) / sessions per node, rounded up"),
            ("Final", "with headroom + spare nodes"),
        )
    },
    "KvCopies": "tensor parallel / KV heads; every GPU for latent attention",
}
"""The equation of each figure, for people."""


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
    return _Compared(label, "nodes", texts, note)


_COMPARED: tuple[_Compared, ...] = (
    _Compared(
        label="KV cache per session",
        unit="GiB",
        texts=(
            "{KvBytes}" + _GIB,
            "{SteadyKvBytes}*{EngineTp}" + _GIB,
            "{EngineKvBytes}*{EngineTp}" + _GIB,
        ),
        note="Over the GPUs of a replica. Planning: what the tokens take. Engine bound: whole "
        "blocks, while the longest prefill runs. Steady decode: once it is over.",
        number_format="#,##0.0000",
    ),
    _Compared(
        label="Sessions per node",
        unit="sessions",
        texts=("{SessionsPerNode}", "{SteadySessionsPerNode}", "{EngineSessionsPerNode}"),
        note="Planning: KV budget / KV cache per session. Engine: requests that the blocks of a "
        "replica admit x replicas.",
    ),
    _compared_nodes("Nodes minimum", "Minimum", "Sessions / sessions per node, rounded up."),
    _compared_nodes(
        "Nodes with headroom",
        "WithHeadroom",
        "Sessions x (1 + headroom) / sessions per node, rounded up.",
    ),
    _compared_nodes("Nodes final", "Final", "With headroom, and one more where HA is n+1."),
)


class ScenarioTable(NamedTuple):
    """The table of the sheet Scenarios, and what its first rows hold."""

    placed: Placed
    scenarios: Sequence[Scenario]


def write_engine_sheet(
    book: Workbook,
    notes: PackageNotes,
    result: SizingResult,
    catalogs: Catalogs,
    table: ScenarioTable | None = None,
) -> None:
    """Write the sheet for one sizing, and for the rows of Scenarios where there is that sheet."""
    sheet = book.create_sheet("Engine")
    for letter, width in _WIDTHS.items():
        sheet.column_dimensions[letter].width = width
    values = formula_values(result, catalogs) | settings_values(result.settings)
    page = _Page(book, Writer(sheet, notes), values)
    page.writer.value(1, _LABEL, TITLE_TEXT, Style(font=TITLE))
    page.write_status(2)
    row = page.write_comparison(4)
    row = page.write_settings(row + 1, result.settings)
    row = page.write_memory(row + 1, result)
    if table:
        row = page.write_scenarios(row + 1, table, catalogs)
    page.write_steps(row + 1)
    set_page(sheet, first_free_row=4, last_printed_column="G")


class _Page:
    """The Engine sheet while it is written."""

    def __init__(self, book: Workbook, writer: Writer, values: Mapping[str, Value]) -> None:
        self.book = book
        self.writer = writer
        self.sheet = writer.sheet
        self.values = values

    def write_status(self, row: int) -> None:
        ok = (
            '"Tensor parallel "&Step_EngineTp&": "&Step_ReplicasPerNode&" replicas a node, "'
            '&FIXED(Step_NumBlocks,0)&" blocks in the pool of each GPU."'
        )
        text = f'IF(Output_EngineStatus="{STATUS_OK}",{ok},Output_EngineStatus)'
        value = str(self.values["EngineStatus"])
        if value == STATUS_OK:
            value = (
                f"Tensor parallel {self.values['EngineTp']}: {self.values['ReplicasPerNode']} "
                f"replicas a node, {self.values['NumBlocks']:,} blocks in the pool of each GPU."
            )
        self.writer.formula(row, _LABEL, text, value, Style(font=SUBTITLE))
        wrong = f'Output_EngineStatus<>"{STATUS_OK}"'
        highlight(self.sheet, f"B{row}:G{row}", wrong, fill=SEVERITY_FILLS["error"])

    def write_comparison(self, row: int) -> int:
        """Write the three answers side by side; returns the row after them."""
        self._heading(
            row, "Side by side", "Planning", "Steady decode", "Engine bound", "Unit", "What it is"
        )
        for label, unit, texts, note, number_format in _COMPARED:
            row += 1
            self._label(row, label, unit, note)
            font = STRONG if label == "Nodes final" else BODY
            style = Style(font, None, number_format, RIGHT, UNDERLINE)
            for column, text in zip((_FIRST, _SECOND, _THIRD), texts, strict=True):
                self.writer.formula(
                    row,
                    column,
                    _known(render(text, reference)),
                    self._computed(text),
                    style,
                )
        return row + 1

    def _computed(self, text: str) -> Value:
        """The value of one of the comparison's expressions."""
        symbol, _, rest = text.partition("}")
        value = self.values[symbol[1:]]
        if rest.startswith("*{EngineTp}") and UNKNOWN not in (value, self.values["EngineTp"]):
            assert isinstance(value, int)
            size = self.values["EngineTp"]
            assert isinstance(size, int)
            return value * size / BYTES_PER_GIB
        if value in (UNKNOWN, NO_NODES):
            return NOT_KNOWN
        if rest:
            assert isinstance(value, int)
            return value / BYTES_PER_GIB
        return value

    def write_settings(self, row: int, settings: EngineSettings) -> int:
        """Write the engine's settings; returns the row after them."""
        self._heading(row, "Engine settings", "Value", "", "", "Unit", "Notes")
        for asked in _SETTINGS:
            row += 1
            self._label(row, asked.label, asked.unit, asked.note)
            given = getattr(settings, asked.field)
            value = given if given is None or isinstance(given, str | int) else float(given)
            style = Style(INPUT, INPUT_FILL, asked.number_format, RIGHT, UNDERLINE)
            self.writer.value(row, _FIRST, value, style)
            define(self.book, f"Input_{asked.name}", "Engine", f"$C${row}")
            self._check(asked, f"C{row}")
        return row + 1

    def _check(self, asked: _Setting, cell: str) -> None:
        if asked.name == "StateCaching":
            check = DataValidation(type="list", formula1="List_StateCaching", allow_blank=True)
            check.error = "none or align, or empty for none."
        else:
            whole = asked.number_format == "#,##0"
            check = DataValidation(
                type="whole" if whole else "decimal",
                operator="between",
                formula1=asked.least,
                formula2=asked.most,
                allow_blank=True,
            )
            kind = "A whole number" if whole else "A number"
            check.error = f"{kind} of at least {asked.least}, or empty for the default."
        check.errorTitle = check.promptTitle = asked.label
        check.prompt = asked.note[:255]
        check.showInputMessage = check.showErrorMessage = True
        check.add(cell)
        self.sheet.add_data_validation(check)

    def write_memory(self, row: int, result: SizingResult) -> int:
        """Write where one GPU's memory goes, and its chart; returns the row after them."""
        self._heading(row, "Where one GPU's memory goes", "GiB", "Share", "", "Unit", "What it is")
        usable = "INDEX(Servers[Usable bytes per GPU],Step_ServerRow)"
        blocks = "Step_NumBlocks*INDEX(Layouts[Bytes per block],Step_LayoutRow)"
        taken = f"Step_EngineWeights+{blocks}+Engine_ActivationBytes+Engine_RuntimeBytes"
        sizes = self._memory(result)
        lines = (
            ("Weights", "Step_EngineWeights", "The model's share on one GPU."),
            ("KV cache", blocks, "Whole blocks of the pool."),
            ("Activation", "Engine_ActivationBytes", "Peak of the activations."),
            ("Runtime", "Engine_RuntimeBytes", "Graphs, libraries, buffers."),
            (
                "Unused",
                f"MAX(0,{usable}-({taken}))",
                "Beyond the utilisation, or less than a block.",
            ),
        )
        first = row + 1
        for (label, text, note), size in zip(lines, sizes, strict=True):
            row += 1
            self._label(row, label, "GiB", note)
            style = Style(BODY, None, "#,##0.00", RIGHT, UNDERLINE)
            known = None if size is None else size / BYTES_PER_GIB
            shown: Value = NOT_KNOWN if known is None else known
            self.writer.formula(
                row, _FIRST, f'IFERROR(({text})/Const_BytesPerGiB,"{NOT_KNOWN}")', shown, style
            )
            share = f'IFERROR(C{row}*Const_BytesPerGiB/{usable},"{NOT_KNOWN}")'
            total = usable_gpu_bytes(result.server)
            part: Value = NOT_KNOWN if known is None else known * BYTES_PER_GIB / total
            style = Style(BODY, None, "0.0%", RIGHT, UNDERLINE)
            self.writer.formula(row, _SECOND, share, part, style)
        self._add_chart(first, row + 2, [size or 0 for size in sizes])
        return row + 2 + _CHART_ROWS + 1

    def _memory(self, result: SizingResult) -> list[int | None]:
        """Weights, KV cache, activation, runtime and unused [bytes]; None where not known."""
        weights, blocks = self.values["EngineWeights"], self.values["NumBlocks"]
        held = None
        if isinstance(blocks, int):
            per_block = self.values["EngineKvBytes"], self.values["EngineBlocks"]
            assert isinstance(per_block[0], int)
            assert isinstance(per_block[1], int)
            held = blocks * (per_block[0] // per_block[1])
        activation, runtime = self.values["ActivationBytes"], self.values["RuntimeBytes"]
        assert isinstance(activation, int)
        assert isinstance(runtime, int)
        known = weights if isinstance(weights, int) else None
        unused = None
        if held is not None and known is not None:
            taken = known + held + activation + runtime
            unused = max(0, usable_gpu_bytes(result.server) - taken)
        return [known, held, activation, runtime, unused]

    def _add_chart(self, first: int, top: int, sizes: Sequence[int]) -> None:
        chart = BarChart()
        chart.type, chart.grouping, chart.overlap = "bar", "percentStacked", 100
        chart.height, chart.width = 4.4, 27
        chart.gapWidth = 40
        chart.legend.position = "b"
        chart.y_axis.numFmt, chart.y_axis.delete = "0%", False
        chart.y_axis.majorGridlines = None
        chart.x_axis.delete = True
        for place, (size, colour) in enumerate(zip(sizes, MEMORY_COLOURS, strict=True)):
            row = first + place
            values = Reference(self.sheet, min_col=_FIRST, min_row=row)
            series: Series = SeriesFactory(values, title_from_data=False)
            series.tx = _title(self.sheet.title, row, str(self.sheet.cell(row, _LABEL).value))
            # Previews draw a chart from the values that it carries.
            known = NumData(formatCode="#,##0.00", pt=[NumVal(idx=0, v=repr(size / BYTES_PER_GIB))])
            series.val = NumDataSource(NumRef(f"'{self.sheet.title}'!$C${row}", known))
            series.graphicalProperties.solidFill = colour
            series.graphicalProperties.line.solidFill = "FFFFFF"
            chart.series.append(series)
        self.sheet.add_chart(chart, f"B{top}")

    def write_scenarios(self, row: int, table: ScenarioTable, catalogs: Catalogs) -> int:
        """Write a table with a line for each row of Scenarios; returns the row after it."""
        self.writer.value(row, _LABEL, "Scenarios", Style(font=HEADING))
        lines = [_Line(number, None, {}) for number in range(1, ROWS + 1)]
        for number, scenario in enumerate(table.scenarios):
            values = formula_values(scenario.result, catalogs)
            lines[number] = _Line(number + 1, scenario, values)
        columns = _columns(table.placed)
        placed = write_table(self.writer, TABLE, columns, lines, row + 1, _LABEL)
        for letter, width in _WIDTHS.items():
            self.sheet.column_dimensions[letter].width = width
        status = f"$G{placed.first_row}"
        cells = placed.cells("Engine status").replace("$", "")
        wrong = f'AND({status}<>"",{status}<>"{STATUS_OK}")'
        highlight(self.sheet, cells, wrong, fill=SEVERITY_FILLS["error"])
        nodes = placed.cells("Engine nodes").replace("$", "")
        more = f"AND(ISNUMBER($F{placed.first_row}),ISNUMBER($D{placed.first_row}),"
        more += f"$F{placed.first_row}>$D{placed.first_row})"
        highlight(self.sheet, nodes, more, fill=SEVERITY_FILLS["warning"])
        self.sheet.row_dimensions[row + 1].height = 32
        return placed.last_row + 2

    def write_steps(self, row: int) -> None:
        """Write every figure with its equation, and define the names of their cells."""
        self._heading(row, "Steps", "Value", "", "", "Unit", "Equation")
        for formula in SETTINGS:
            row += 1
            self._figure(row, formula, f"Engine_{formula.symbol}", formula.text)
        for formula in (*ENGINE_STEPS, *ENGINE_OUTPUTS, ENGINE_STATUS):
            row += 1
            name = reference(formula.symbol)
            self._figure(row, formula, name, render(formula.text, reference))

    def _figure(self, row: int, formula: Formula, name: str, text: str) -> None:
        self._label(row, formula.label, formula.unit, _EQUATIONS.get(formula.symbol, ""))
        style = Style(BODY, None, formula.number_format, RIGHT, UNDERLINE)
        self.writer.formula(row, _FIRST, text, self.values[formula.symbol], style)
        define(self.book, name, "Engine", f"$C${row}")

    def _heading(self, row: int, *texts: str) -> None:
        for column, text in enumerate(texts, start=_LABEL):
            alignment = RIGHT if column in (_FIRST, _SECOND, _THIRD) else APART
            alignment = LEFT if column == _LABEL else alignment
            style = Style(font=HEADING, fill=HEADING_FILL, alignment=alignment)
            self.writer.value(row, column, text, style)

    def _label(self, row: int, label: str, unit: str, note: str) -> None:
        style = Style(font=BODY, alignment=WRAP_CENTRED, border=UNDERLINE)
        self.writer.value(row, _LABEL, label, style)
        for column in (_SECOND, _THIRD):
            self.writer.value(row, column, None, Style(border=UNDERLINE))
        remark = Style(font=NOTE, alignment=APART, border=UNDERLINE)
        self.writer.value(row, _UNIT, unit, remark)
        remark = Style(font=NOTE, alignment=NOTE_ALIGNMENT, border=UNDERLINE)
        self.writer.value(row, _NOTE, note, remark)
        if len(note) > _WIDTHS["G"] + 6:
            self.sheet.row_dimensions[row].height = 29


@dataclass(frozen=True)
class _Line:
    """A line of the table: a row of Scenarios, from 1, and its values."""

    number: int
    scenario: Scenario | None
    values: Mapping[str, Value]


def _known(text: str) -> str:
    """An expression, or the words for it where it comes to nothing or to an error."""
    return f'IFERROR(IF({text}="","{NOT_KNOWN}",{text}),"{NOT_KNOWN}")'


def _columns(scenarios: Placed) -> list[Column[_Line]]:
    number = own_row(TABLE, "Row")

    def cells(heading: str) -> str:
        # A plain range: not every program knows what a structured reference depends on.
        return f"INDEX(Scenarios!{scenarios.cells(heading)},{number})"

    def column(heading: str, symbol: str, width: float, style: Style) -> Column[_Line]:
        shown = _known(cells(head(symbol)))
        return Column(
            heading,
            lambda line: _shown(line.values[symbol]) if line.scenario else "",
            f'IF({cells(LIVE.label)},{shown},"")',
            width,
            style,
        )

    name = cells("Scenario")
    return [
        Column(
            "Scenario",
            lambda line: line.scenario.name if line.scenario else "",
            f'IF({name}="","",{name})',
            40,
            _TEXT,
        ),
        column("Tensor parallel used", "EngineTp", 19, _COUNT),
        column("Planning nodes", "NodesFinal", 19, _COUNT),
        column("Steady nodes", "SteadyNodesFinal", 19, _COUNT),
        column("Engine nodes", "EngineNodesFinal", 15, _COUNT),
        column("Engine status", "EngineStatus", 86, _TEXT),
        column("Planning sessions per node", "SessionsPerNode", 14, _COUNT),
        column("Steady sessions per node", "SteadySessionsPerNode", 14, _COUNT),
        column("Engine sessions per node", "EngineSessionsPerNode", 14, _COUNT),
        Column("Row", lambda line: line.number, None, 8, Style(font=NOTE)),
    ]


def _title(sheet: str, row: int, text: str) -> SeriesLabel:
    """A series' name from its label's cell, with the text that it has now."""
    cache = StrData(pt=[StrVal(idx=0, v=text)])
    return SeriesLabel(strRef=StrRef(f"'{sheet}'!$B${row}", cache))


def _shown(value: Value) -> Value:
    return NOT_KNOWN if value in (UNKNOWN, NO_NODES) else value


_COUNT = Style(font=BODY, number_format="#,##0", alignment=RIGHT)
_TEXT = Style(font=BODY, alignment=APART)
