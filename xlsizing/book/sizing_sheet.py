"""The sheet Sizing: the answer on top, the inputs below it, then alerts and steps."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from openpyxl.styles import PatternFill
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from xlsizing.book.alert_formulas import (
    ALERT_CODES,
    ALERTS,
    ENGINE_ANSWER,
    ENGINE_STATUS,
    REMEDY_TEXTS,
    STATUS,
    WEIGHTS,
)
from xlsizing.book.cells import PackageNotes, Style, Writer
from xlsizing.book.checks import CHECKS_ANSWER, CHECKS_HOLD
from xlsizing.book.engine.formulas import ENGINE_OUTPUTS
from xlsizing.book.expressions import COUNT, Formula, filled, fixed, phrase, render
from xlsizing.book.formulas import OUTPUTS, REMEDY_STEPS, STEPS
from xlsizing.book.inputs import input_style
from xlsizing.book.names import define
from xlsizing.book.pages import protect, set_page
from xlsizing.book.styles import (
    ANSWER,
    APART,
    BODY,
    HEADING,
    HEADING_FILL,
    LEFT,
    LINE_HEIGHT,
    NOTE,
    NOTE_ALIGNMENT,
    ON_DARK,
    RIGHT,
    SEVERITY_FILLS,
    STRONG,
    SUBTITLE,
    TITLE,
    UNDERLINE,
    WRAP_CENTRED,
    highlight,
)
from xlsizing.book.values import formula_values
from xlsizing.core import RANGES, Catalogs, SizingResult, band
from xlsizing.core.alerts import SEVERITIES, STATUS_OK
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message, joined
from xlsizing.core.planning.cells import Value
from xlsizing.core.planning.inputs import INPUTS, TENSOR_PARALLEL, Input, Setting, input_value
from xlsizing.core.planning.limits import LIMIT_OVERHEAD_GIB
from xlsizing.palette import BAND_GROUNDS

TITLE_TEXT = Message("How many GPU nodes?")
_QUESTION = Message("{sessions} sessions of {tokens} tokens{asked} on {model}, served by {server}")
_ASKED = Message(" ({asked} asked for)")
_LABEL, _VALUE, _UNIT, _BAND, _NOTE = 2, 3, 4, 5, 6
_WIDTHS = {"A": 2, "B": 33, "C": 21, "D": 15, "E": 12, "F": 77}

LONGEST_PROMPT, LONGEST_PROMPT_TITLE = 255, 32
"""Characters that the prompt of a cell and its title may have."""

ALERTS_SHOWN = 6
"""Lines of the list of active alerts; the rest is on the sheet Warnings."""
_MORE = Message("and {more} more, on the sheet Warnings")
_ALL = Message("What to do about each is on the sheet Warnings.")

_NOTE_LINE = 87
_LABEL_LINE = 35
"""Characters of a note and of a label that fit on one line of their columns."""

_USED: Mapping[str, str] = {"KvPrecision": "Precision", "TensorParallel": "EngineTp"}
"""The step that says what is used where an input is empty."""
_USES = Message("uses {used}")

_OUTPUT_BANDS: Mapping[str, str] = {
    "KvPerSessionGiB": "kv_per_session_gib",
    "SessionsPerNode": "sessions_per_node",
    "NodesMinimum": "nodes",
    "NodesWithHeadroom": "nodes",
    "NodesFinal": "nodes",
}
_OUTPUT_NOTES: Mapping[str, str] = {
    "NodesFinal": Message("Nodes to buy or rent: with headroom, and one more where HA is n+1."),
    "NodesWithHeadroom": Message(
        "Concurrency with peak headroom, divided by sessions per node, rounded up."
    ),
    "NodesMinimum": Message("Concurrency divided by sessions per node, rounded up."),
    "SessionsPerNode": Message(
        "KV budget of a node divided by the KV cache of a session, rounded down."
    ),
    "KvPerSessionGiB": Message("KV cache of one session."),
    "KvTotalTiB": Message("KV cache of all sessions."),
}


def reference(symbol: str) -> str:
    """The defined name that stands for a formula's symbol on this sheet."""
    for asked in (*INPUTS, TENSOR_PARALLEL):
        if asked.symbol == symbol:
            return asked.defined_name
    if symbol.startswith("Alert_"):
        return symbol
    prefix = "Output" if symbol in _OUTPUT_SYMBOLS else "Step"
    return f"{prefix}_{symbol}"


_OUTPUT_SYMBOLS = {
    each.symbol
    for each in (
        *OUTPUTS,
        STATUS,
        ALERT_CODES,
        WEIGHTS,
        *ENGINE_OUTPUTS,
        ENGINE_STATUS,
        ENGINE_ANSWER,
        CHECKS_ANSWER,
    )
}


def write_sizing_sheet(
    book: Workbook, notes: PackageNotes, result: SizingResult, catalogs: Catalogs
) -> None:
    """Write the sheet for one sizing, and define the names of its cells."""
    sheet = book.create_sheet("Sizing")
    for letter, width in _WIDTHS.items():
        sheet.column_dimensions[letter].width = width
    values = {**formula_values(result, catalogs), CHECKS_ANSWER.symbol: CHECKS_HOLD}
    page = _Page(book, Writer(sheet, notes), values)
    page.writer.value(1, _LABEL, TITLE_TEXT, Style(font=TITLE))
    page.write_question(2, result)
    row = page.write_outputs(4, result)
    row = page.write_inputs(row + 1, result)
    row = page.write_alert_list(row + 1, result)
    end_of_steps = page.write_steps(row + 1)
    _colour_bands(page.writer, row)
    set_page(sheet, first_free_row=4, breaks=[row, end_of_steps])
    protect(sheet)


def _colour_bands(writer: Writer, last_row: int) -> None:
    """Colour the words of the bands: darker is more."""
    cells = f"E5:E{last_row}"
    for level, ground in enumerate(BAND_GROUNDS):
        words = dict.fromkeys(writer.say(bands[level].name) for bands in RANGES.values())
        condition = "OR(" + ",".join(f'$E5="{word}"' for word in words) + ")"
        font = ON_DARK if level == len(BAND_GROUNDS) - 1 else None
        highlight(writer.sheet, cells, condition, fill=PatternFill(bgColor=ground), font=font)


class _Page:
    """The Sizing sheet while it is written."""

    def __init__(self, book: Workbook, writer: Writer, values: Mapping[str, Value]) -> None:
        self.book = book
        self.writer = writer
        self.sheet: Worksheet = writer.sheet
        self.values = values

    def write_question(self, row: int, result: SizingResult) -> None:
        asked = filled(_ASKED, {"asked": fixed("Input_EffectiveContext")})
        sentence = filled(
            _QUESTION,
            {
                "sessions": fixed("Step_Sessions"),
                "tokens": fixed("Step_ClampedContext"),
                "asked": f'IF(Alert_ContextClamped="","",{asked})',
                "model": "INDEX(Models[Name],Step_ModelRow)",
                "server": "INDEX(Servers[Name],Step_ServerRow)",
            },
        )
        text = f'IF(Output_Status="{STATUS_OK}","",Output_Status&" ")&IFERROR({sentence},"")'
        context = self.values["ClampedContext"]
        assert isinstance(context, int)
        is_clamped = result.effective_context > context
        value = _QUESTION.filled(
            sessions=grouped(result.concurrency),
            tokens=grouped(context),
            asked=_ASKED.filled(asked=grouped(result.effective_context)) if is_clamped else "",
            model=result.model.name,
            server=result.server.name,
        )
        status = str(self.values["Status"])
        if status != STATUS_OK:
            value = joined(" ", [status, value])
        self.writer.formula(row, _LABEL, text, value, Style(font=SUBTITLE))

    def write_outputs(self, row: int, result: SizingResult) -> int:
        """Write the answer; returns the row after it."""
        self._heading(
            row,
            Message("Answer"),
            Message("Value"),
            Message("Unit"),
            Message("Band"),
            Message("What it is"),
        )
        for formula in reversed(OUTPUTS):
            row += 1
            self._figure(row, formula, _OUTPUT_NOTES[formula.symbol])
            if figure := _OUTPUT_BANDS.get(formula.symbol):
                value = getattr(result, _FIELD_OF_OUTPUT[formula.symbol])
                self._band(row, figure, reference(formula.symbol), value)
        answer = row - len(OUTPUTS) + 1
        self.sheet.row_dimensions[answer].height = 40
        self.sheet.cell(answer, _VALUE).font = ANSWER
        self.sheet.cell(answer, _LABEL).font = STRONG
        lines = (STATUS, ENGINE_ANSWER, WEIGHTS, ALERT_CODES, CHECKS_ANSWER)
        status = row + 1
        for formula in lines:
            row += 1
            self._figure(row, formula, "")
            self.sheet.cell(row, _VALUE).alignment = NOTE_ALIGNMENT
            self.sheet.merge_cells(start_row=row, end_row=row, start_column=3, end_column=6)
        self.sheet.row_dimensions[status + lines.index(ALERT_CODES)].height = 2 * LINE_HEIGHT
        wrong, red = f'Output_Status<>"{STATUS_OK}"', SEVERITY_FILLS["error"]
        highlight(self.sheet, f"C{answer}:C{answer + len(OUTPUTS) - 1}", wrong, fill=red)
        highlight(self.sheet, f"C{status}:F{status}", wrong, fill=red)
        highlight(self.sheet, f"C{row}:F{row}", "Checks_Failed>0", fill=red)
        more = 'Alert_EngineNeedsMoreNodes&Alert_EngineHoldsNone&Alert_InvalidTp<>""'
        engine = f"C{status + lines.index(ENGINE_ANSWER)}"
        amber = SEVERITY_FILLS["warning"]
        highlight(self.sheet, f"{engine}:F{engine[1:]}", more, fill=amber)
        highlight(self.sheet, "B2:F2", wrong, fill=red)
        return row + 1

    def write_inputs(self, row: int, result: SizingResult) -> int:
        """Write the inputs; returns the row after them."""
        self._heading(
            row,
            Message("Inputs"),
            Message("Value"),
            Message("Unit"),
            Message("Band"),
            Message("Notes"),
        )
        for asked in (*INPUTS, TENSOR_PARALLEL):
            row += 1
            self._label(row, asked.label, asked.unit, asked.note)
            self._input_cell(row, asked, input_value(asked, result))
            if used := _USED.get(asked.symbol):
                value = self.values[used]
                uses = filled(_USES, {"used": f"Step_{used}"})
                text = f'IFERROR(IF(LEN(Step_{used})=0,"",{uses}),"")'
                style = Style(font=NOTE, alignment=APART, border=UNDERLINE)
                shown = _USES.filled(used=str(value)) if value else ""
                self.writer.formula(row, _BAND, text, shown, style)
            if asked.range_of:
                symbol = "ClampedContext" if asked.symbol == "Context" else "Sessions"
                value = self.values[symbol]
                assert isinstance(value, int)
                self._band(row, asked.range_of, reference(symbol), value)
        return row + 1

    def write_alert_list(self, row: int, result: SizingResult) -> int:
        """Write the first active alerts, with nothing in between; returns the row after them."""
        self._heading(row, Message("Alerts"), Message("Severity"), Message("Message"), "", "")
        lines = range(row + 1, row + 1 + ALERTS_SHOWN)
        for number, line in enumerate(lines, start=1):
            alert = result.all_alerts[number - 1] if number <= len(result.all_alerts) else None
            place = f"MATCH({number},Sizing_AlertRanks,0)"
            for column, text, value in (
                (_LABEL, f"INDEX(AlertRules[Code],{place})", alert.code if alert else ""),
                (
                    _VALUE,
                    f"INDEX(AlertRules[Severity],{place})",
                    SEVERITIES[alert.severity] if alert else "",
                ),
                (_UNIT, f"INDEX(Sizing_Alerts,{place})", alert.message if alert else ""),
            ):
                alignment = NOTE_ALIGNMENT if column == _UNIT else WRAP_CENTRED
                style = Style(font=BODY, alignment=alignment)
                self.writer.formula(line, column, f'IFERROR({text},"")', value, style)
            self.sheet.merge_cells(start_row=line, end_row=line, start_column=4, end_column=6)
            self.sheet.row_dimensions[line].height = 31
        cells = f"B{lines[0]}:F{lines[-1]}"
        for severity, name in SEVERITIES.items():
            fill, said = SEVERITY_FILLS[severity], self.writer.say(name)
            highlight(self.sheet, cells, f'$C{lines[0]}="{said}"', fill=fill)
        more = max(0, len(result.all_alerts) - ALERTS_SHOWN)
        told = filled(_MORE, {"more": f"Sizing_AlertCount-{ALERTS_SHOWN}"})
        text = f"IF(Sizing_AlertCount>{ALERTS_SHOWN},{told},{phrase(_ALL)})"
        value = _MORE.filled(more=str(more)) if more else _ALL
        self.writer.formula(lines[-1] + 1, _UNIT, text, value, Style(font=NOTE, alignment=APART))
        return lines[-1] + 2

    def write_steps(self, row: int) -> int:
        """Write every step, and each alert rule's message; returns the row between them."""
        self._heading(row, Message("Steps"), Message("Value"), Message("Unit"), "", "")
        for formula in (*STEPS, *REMEDY_STEPS):
            row += 1
            self._figure(row, formula, "")
        for formula in REMEDY_TEXTS:
            row += 1
            self._sentence(row, formula)
        end_of_steps = row + 1
        row += 2
        self._heading(
            row,
            Message("Alert rules"),
            "",
            "",
            Message("So far"),
            Message("Message, where the rule holds"),
        )
        first = row + 1
        count = 0
        for formula in ALERTS:
            row += 1
            self._sentence(row, formula)
            count += 1 if self.values[formula.symbol] else 0
            text = f'N(E{row - 1})+IF({formula.symbol}="",0,1)'
            self.writer.formula(row, _BAND, text, count, Style(font=NOTE))
        define(self.book, "Sizing_Alerts", "Sizing", f"$F${first}:$F${row}")
        define(self.book, "Sizing_AlertRanks", "Sizing", f"$E${first}:$E${row}")
        self._label(row + 1, Message("Alerts that hold"), "", "")
        style = Style(BODY, None, COUNT, RIGHT, UNDERLINE)
        self.writer.formula(row + 1, _VALUE, f"N(E{row})", count, style)
        define(self.book, "Sizing_AlertCount", "Sizing", f"$C${row + 1}")
        return end_of_steps

    def _sentence(self, row: int, formula: Formula) -> None:
        """Write a formula that gives a text, where there is room for one."""
        self._label(row, formula.label, formula.unit, "")
        style = Style(font=BODY, alignment=NOTE_ALIGNMENT, border=UNDERLINE)
        text = render(formula.source, reference)
        self.writer.value(row, _VALUE, None, Style(border=UNDERLINE))
        self.writer.formula(row, _NOTE, text, self.values[formula.symbol], style)
        define(self.book, reference(formula.symbol), "Sizing", f"$F${row}")
        self.sheet.row_dimensions[row].height = 2 * LINE_HEIGHT

    def _heading(self, row: int, *texts: str) -> None:
        for column, text in enumerate(texts, start=_LABEL):
            alignment = LEFT if column in (_LABEL, _VALUE) else APART
            style = Style(font=HEADING, fill=HEADING_FILL, alignment=alignment)
            self.writer.value(row, column, text, style)

    def _label(self, row: int, label: str, unit: str, note: str) -> None:
        self.writer.value(
            row, _LABEL, label, Style(font=BODY, alignment=WRAP_CENTRED, border=UNDERLINE)
        )
        remark = Style(font=NOTE, alignment=APART, border=UNDERLINE)
        self.writer.value(row, _UNIT, unit, remark)
        self.writer.value(row, _BAND, None, remark)
        self.writer.value(
            row, _NOTE, note, Style(font=NOTE, alignment=NOTE_ALIGNMENT, border=UNDERLINE)
        )
        note, label = self.writer.say(note), self.writer.say(label)
        lines = max(1, math.ceil(len(note) / _NOTE_LINE), math.ceil(len(label) / _LABEL_LINE))
        self.sheet.row_dimensions[row].height = LINE_HEIGHT * lines

    def _figure(self, row: int, formula: Formula, note: str) -> None:
        self._label(row, formula.label, formula.unit, note)
        style = Style(BODY, None, formula.number_format, RIGHT, UNDERLINE)
        text = render(formula.source, reference)
        self.writer.formula(row, _VALUE, text, self.values[formula.symbol], style)
        define(self.book, reference(formula.symbol), "Sizing", f"$C${row}")

    def _input_cell(self, row: int, asked: Input, value: Value) -> None:
        self.writer.value(row, _VALUE, value, input_style(asked.number_format, RIGHT, UNDERLINE))
        define(self.book, asked.defined_name, "Sizing", f"$C${row}")
        add_input_check(self.writer, asked, f"C{row}")

    def _band(self, row: int, figure: str, cell: str, value: float | None) -> None:
        # The last band of the figure that begins below the value; at least its first.
        below = f'COUNTIFS(Ranges[Figure],"{figure}",Ranges[Above],"<"&{cell})'
        place = f'MATCH("{figure}",Ranges[Figure],0)-1+MAX(1,{below})'
        text = f'IF(ISERROR({cell}),"",INDEX(Ranges[Band],{place}))'
        name = "" if value is None else band(figure, value)
        self.writer.formula(
            row, _BAND, text, name, Style(font=NOTE, alignment=APART, border=UNDERLINE)
        )


_FIELD_OF_OUTPUT: Mapping[str, str] = {
    "KvPerSessionGiB": "kv_per_session_gib",
    "SessionsPerNode": "sessions_per_node",
    "NodesMinimum": "nodes_minimum",
    "NodesWithHeadroom": "nodes_with_headroom",
    "NodesFinal": "nodes_final",
}


@dataclass(frozen=True)
class _Bounds:
    """What Excel lets a person type into the cell of a number."""

    kind: Literal["whole", "decimal"]
    least: str
    most: str
    otherwise: str
    """What it says of other values."""
    only_warns: bool = False


_BOUNDS: Mapping[str, _Bounds] = {
    "Concurrency": _Bounds("whole", "1", "Limit_Exact", Message("A whole number of at least 1.")),
    "Context": _Bounds("whole", "1", "Limit_Exact", Message("A whole number of at least 1.")),
    "KvBudgetRatio": _Bounds("decimal", "0.0001", "1", Message("Above 0 and at most 1.")),
    "RuntimeOverheadGiB": _Bounds(
        "decimal",
        "0",
        "Limit_OverheadGiB",
        Message("0 to {most} GiB.", most=grouped(LIMIT_OVERHEAD_GIB)),
    ),
    "TensorParallel": _Bounds(
        "whole", "1", "Limit_Exact", Message("A whole number of at least 1, or empty.")
    ),
    "PeakHeadroomRatio": _Bounds(
        "decimal",
        "0",
        "1",
        Message("Above 1 is above 100 %: 0.20 is 20 %. Keep it?"),
        only_warns=True,
    ),
}


def add_input_check(writer: Writer, asked: Input, cells: str) -> None:
    """Give input cells their list or bounds, and their note as a prompt.

    The lists of the catalogs only warn, since an alias is as good as a name.
    """
    if asked.choices:
        check = DataValidation(type="list", formula1=asked.choices, allow_blank=True)
        check.error = writer.say(Message("Choose from the list, or leave the cell empty."))
        if asked.has_aliases:
            check.errorStyle = "warning"
            check.error = writer.say(
                Message("This name is not on the list. An alias is fine; see the status.")
            )
    else:
        bounds = _BOUNDS[asked.symbol]
        check = DataValidation(
            type=bounds.kind,
            operator="between",
            formula1=bounds.least,
            formula2=bounds.most,
            allow_blank=True,
        )
        check.error = writer.say(bounds.otherwise)
        if bounds.only_warns:
            check.errorStyle = "warning"
    add_prompt(writer, check, asked, cells)


def add_prompt(writer: Writer, check: DataValidation, asked: Input | Setting, cells: str) -> None:
    """Add a check of input cells, with what the input is as its prompt."""
    check.errorTitle = check.promptTitle = writer.say(asked.label)[:LONGEST_PROMPT_TITLE]
    check.prompt = writer.say(asked.note)[:LONGEST_PROMPT]
    check.showInputMessage = check.showErrorMessage = True
    check.add(cells)
    writer.sheet.add_data_validation(check)
