"""The LAMBDA names of a workbook, called from cells that the tests add, against core.

IronCalc takes the names as Excel stores them. Formulon knows an optional parameter only in
the form that a person types, so for it, and in these tests alone, `_xlop.ha` is written
`[_xlpm.ha]`. LibreOffice computes no LAMBDA: it must compute all the rest.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName

from tests.engines.books import the_template
from tests.engines.engines import Cell, Engine, Formulon, IronCalc, LibreOffice, Value, same
from tests.engines.entries import entries
from tests.engines.lambda_calls import (
    ARGUMENTS,
    PLANNING,
    Call,
    calling_book,
    in_brackets,
    random_calls,
    with_names,
)
from tests.engines.loads import Load
from tests.engines.sheets import differences
from tests.engines.test_template import GOOD, TYPED_WRONG, cached_values
from tests.excel.calls import table
from tests.excel.remembered import forget
from xlsizing.book.lambdas import FUNCTIONS, examples
from xlsizing.core.planning.inputs import INPUTS
from xlsizing.core.planning.limits import LIMIT_OVERHEAD_GIB
from xlsizing.excel import functions, planning

CALLS, SEED = 700, 20_260_311
"""A hundred calls of each function."""

both = pytest.mark.parametrize("engine", [IronCalc(), Formulon()], ids=lambda each: each.name)


@pytest.fixture(autouse=True)
def same_catalogs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The Python functions read the entries that the template has."""
    monkeypatch.setattr(planning, "catalogs", entries)
    forget()
    yield
    forget()


@cache
def the_calls() -> tuple[Call, ...]:
    return tuple(random_calls(CALLS, SEED))


def answers(engine: Engine, content: bytes, cells: Sequence[Cell]) -> list[Value]:
    """What an engine computes of the calls."""
    book = with_names(content, in_brackets) if isinstance(engine, Formulon) else content
    (found,) = engine.compute([book], cells)
    return [found[cell] for cell in cells]


@cache
def the_table() -> tuple[tuple[Call, object], ...]:
    """The table of calls that every host is asked, as far as names take it: single values."""
    return tuple(
        (
            Call(
                asked.name, asked.arguments, (False,) * len(asked.arguments), len(asked.arguments)
            ),
            right,
        )
        for asked, right in table()
        if asked.name in ARGUMENTS
        and not any(isinstance(argument, list) for argument in asked.arguments)
        # What a sheet cannot count exactly it refuses; core does not.
        and all(not isinstance(each, int) or each <= LIMIT_OVERHEAD_GIB for each in asked.arguments)
    )


@both
def test_the_names_answer_the_table_of_calls_as_core_does(engine: Engine) -> None:
    asked = the_table()
    assert {call.name for call, _ in asked} == set(ARGUMENTS)
    book, cells = calling_book(the_template().content, [call for call, _ in asked])
    wrong = [
        (str(call), right, found)
        for (call, right), found in zip(asked, answers(engine, book, cells), strict=True)
        if not _agrees(call.name, right, found)
    ]
    assert wrong == []


def _agrees(name: str, right: object, found: Value) -> bool:
    """The same value; of SIZING_WHY the status, which is all that a name can say."""
    if name != "SIZING_WHY":
        return same(right, found)  # type: ignore[arg-type]
    said = str(found)
    return (
        str(right).startswith(said)
        if said[:2] in ("OK", "No", "Un")
        else not str(right).startswith(("OK", "Nothing fits", "Unsafe"))
    )


def test_the_calls_are_of_every_kind() -> None:
    calls = the_calls()
    for name, arguments in ARGUMENTS.items():
        own = [call for call in calls if call.name == name]
        assert len(own) == CALLS // len(ARGUMENTS)
        assert {call.wrong for call in own} >= {None, "model", "context"}
        assert any(call.given < len(arguments) for call in own)
        assert any(None in call.values[: call.given] and not any(call.in_cells) for call in own)
        assert any(all(call.in_cells) and None in call.values for call in own)
    answered = [
        getattr(functions, call.name)(*call.values) for call in calls if call.name != "SIZING_WHY"
    ]
    errors = [answer for answer in answered if isinstance(answer, str)]
    assert 200 < len(errors) < len(answered) - 200
    assert {"#N/A", "#VALUE!", "#NUM!", "#DIV/0!"} <= set(errors)


@both
def test_every_name_answers_as_core_does(engine: Engine) -> None:
    content, cells = calling_book(the_template().content, the_calls())
    wrong = [
        f"{call} is {found!r}"
        for call, found in zip(the_calls(), answers(engine, content, cells), strict=True)
        if not call.right(found)
    ]
    assert wrong == []


class Fault(NamedTuple):
    """A slip in the text of a name."""

    name: str
    part: str
    slip: str


FAULTS: Sequence[Fault] = (
    Fault("KV_PER_SESSION", "MIN(_xlpm.Let_ClampedContext", "MAX(_xlpm.Let_ClampedContext"),
    Fault("KV_TOTAL", "Const_BytesPerTiB", "Const_BytesPerGiB"),
    Fault("SESSIONS_PER_NODE", "MAX(0,", "MAX(1,"),
    Fault("NODES_MINIMUM", "-INT(-_xlpm.Let_Sessions", "INT(_xlpm.Let_Sessions"),
    Fault("NODES_WITH_HEADROOM", "Const_RatioParts+", "Const_RatioParts-"),
    Fault("NODES_REQUIRED", "+_xlpm.Let_SpareNodes", ""),
    Fault("SIZING_WHY", "_xlpm.Let_SessionsPerNode=0", "_xlpm.Let_SessionsPerNode<0"),
    Fault("SIZING_WHY", ">_xlpm.Let_BytesBesideKv", "<_xlpm.Let_BytesBesideKv"),
    # Names and words.
    Fault("NODES_REQUIRED", "ModelAliases[Alias]", "ModelAliases[Model]"),
    Fault("NODES_REQUIRED", "TRIM(_xlpm.Let_Server)", "(_xlpm.Let_Server)"),
    Fault("KV_PER_SESSION", '"*","~*"', '"*","*"'),
    # Arguments: their order, and those that a call leaves out.
    Fault("KV_TOTAL", "_xlpm.context,_xlpm.concurrency", "_xlpm.concurrency,_xlpm.context"),
    Fault("SESSIONS_PER_NODE", "_xlpm.model,_xlpm.server", "_xlpm.server,_xlpm.model"),
    Fault("NODES_REQUIRED", "_xlop.", "_xlpm."),
    Fault("KV_PER_SESSION", '(_xlpm.precision),""', '(_xlpm.precision),"fp32"'),
    Fault("NODES_MINIMUM", "Default_RuntimeOverheadGiB", "Default_RuntimeGiB"),
    Fault("NODES_REQUIRED", "Default_HA", '"n+1"'),
    # Errors: those of arguments, and which of two is answered.
    Fault("NODES_REQUIRED", "ISERROR(_xlpm.Let_Concurrency)", "ISERROR(0)"),
    Fault("SESSIONS_PER_NODE", "ISERROR(_xlpm.Let_ServerRow)", "ISERROR(0)"),
    Fault("NODES_MINIMUM", "ISERROR(_xlpm.Let_SpareNodes)", "ISERROR(0)"),
)


@both
def test_a_wrong_name_is_found_out(engine: Engine) -> None:
    texts = {each.name: each.text for each in FUNCTIONS}
    planted, calls = [], []
    for number, (name, part, slip) in enumerate(FAULTS):
        assert part in texts[name], part
        own = [call for call in the_calls() if call.name == name]
        calls += own
        planted += [(f"Wrong_{number}", texts[name].replace(part, slip))] * len(own)
    content, cells = calling_book(the_template().content, calls, planted)
    found = answers(engine, content, cells)
    seen = {
        name
        for (name, _), call, answer in zip(planted, calls, found, strict=True)
        if not call.right(answer)
    }
    missed = [fault for number, fault in enumerate(FAULTS) if f"Wrong_{number}" not in seen]
    assert missed == []


def with_calls(content: bytes, formulas: Sequence[str]) -> tuple[bytes, list[Cell]]:
    """A workbook with formulas on a sheet of their own."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.create_sheet(PLANNING)
    for row, formula in enumerate(formulas, start=1):
        sheet[f"A{row}"] = formula
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue(), [(PLANNING, f"A{row}") for row in range(1, len(formulas) + 1)]


@both
def test_a_range_is_refused_and_never_summed_up_in_silence(engine: Engine) -> None:
    given = {
        each.name: text
        for each, text in zip(
            FUNCTIONS[-1].arguments,
            (
                '"gpt-oss-120b"',
                '"dgx-b300"',
                "1000",
                "131072",
                '"fp8"',
                "0.7",
                "120",
                "0.2",
                '"none"',
            ),
            strict=True,
        )
    }
    formulas = [
        f"={function.name}("
        + ",".join("$Z$1:$Z$2" if each is wide else given[each.name] for each in function.arguments)
        + ")"
        for function in FUNCTIONS
        for wide in function.arguments
    ]
    content, cells = with_calls(the_template().content, formulas)
    for formula, found in zip(formulas, answers(engine, content, cells), strict=True):
        if "SIZING_WHY" in formula:
            assert " must be " in str(found) or "holds an error" in str(found), formula
        else:
            assert found == "#VALUE!", formula


@both
def test_a_row_of_scenarios_says_the_same_as_the_names_called_with_its_cells(
    engine: Engine,
) -> None:
    where = the_template().scenarios
    asked = [each.label for each in INPUTS if each.symbol != "Storage"]
    nothing_fits = replace(GOOD, kv_budget_ratio=0.05)
    unsafe = replace(GOOD, kv_budget_ratio=1.0)
    wrong = [case for case in TYPED_WRONG.values() if case[0] != "Storage"]
    rows = len(where.rows)
    loads: list[tuple[Load, dict[str, object]]] = [
        *((load, {}) for load in (GOOD, nothing_fits, unsafe)),
        *((GOOD, {head: value}) for head, value, _, _ in wrong),
    ]
    for start in range(0, len(loads), rows):
        part = loads[start : start + rows]
        typed = {
            where.cell(head, row): value
            for row, (_, changed) in enumerate(part)
            for head, value in changed.items()
        }
        book = the_template().filled([load for load, _ in part], typed=typed)
        formulas = [
            f"={name}(" + ",".join(f"Scenarios!{where.cell(head, row)[1]}" for head in asked) + ")"
            for name in ("SIZING_WHY", "NODES_REQUIRED")
            for row in range(len(part))
        ]
        content, cells = with_calls(book, formulas)
        shown = [
            where.cell(head, row) for head in ("Status", "Nodes final") for row in range(len(part))
        ]
        found = answers(engine, content, [*cells, *shown])
        for formula, own, said in zip(formulas, found, found[len(cells) :], strict=False):
            is_error = str(said).startswith("#") and str(own).startswith("#")
            assert same(said, own) or is_error, (formula, own, said)


LOADS = (
    GOOD,
    replace(GOOD, ha_mode="n+1", kv_budget_ratio=0.65),
    replace(GOOD, kv_precision="bf16", peak_headroom_ratio=0.0),
    replace(GOOD, kv_budget_ratio=0.05),
    replace(GOOD, kv_budget_ratio=1.0, runtime_overhead_gib=99.5),
)


@both
def test_every_example_answers_what_it_says(engine: Engine) -> None:
    shown = [example for load in LOADS for example in examples(load.result(entries()))]
    assert len(shown) == len(LOADS) * len(FUNCTIONS)
    content, cells = with_calls(the_template().content, [each.call for each in shown])
    for example, found in zip(shown, answers(engine, content, cells), strict=True):
        assert same(example.answer, found), example.call
    assert shown[5].call == '=NODES_REQUIRED("gpt-oss-120b","dgx-b300",1000,131072)'
    assert shown[12].call == '=NODES_REQUIRED("gpt-oss-120b","dgx-b300",1000,131072,,0.65,,,"n+1")'
    assert {each.answer for each in shown} >= {"OK", "#NUM!", 0}


def test_libreoffice_computes_all_but_the_calls() -> None:
    cached = cached_values(the_template().content)
    content, cells = calling_book(the_template().content, the_calls()[:40])
    (found,) = LibreOffice().compute([content], [*cached, *cells])
    assert list(differences(cached, found)) == []
    numbers = [found[cell] for cell in cells if isinstance(found[cell], float)]
    assert numbers == []


def test_names_are_written_as_the_functions_say() -> None:
    names = openpyxl.load_workbook(io.BytesIO(the_template().content)).defined_names
    for each in FUNCTIONS:
        defined = names[each.name]
        assert isinstance(defined, DefinedName)
        assert (defined.attr_text, defined.comment) == (each.text, each.comment)
