"""The full report in a workbook that asks for Portuguese: every text is said, no figure changes."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.book.plans import LOAD
from tests.excel.doctor.test_portuguese import ENGLISH_WORD
from tests.excel.report.conftest import LIKE_A_FORMULA, ROWS, Made
from tests.excel.report.double import Book, Excel
from tests.excel.report.hosts import EVERY_HOST, Host, elsewhere, on_desktop, opened
from tests.excel.report.plans import bare_workbook
from tests.excel.report.state import BookState, SheetState
from xlsizing.core import SizingError
from xlsizing.excel.full_report import book_language, build_report, reading, results_page
from xlsizing.excel.full_report.origin import MADE_BY
from xlsizing.excel.host import host_language
from xlsizing.language import language

OURS = ["Report", "Report scenarios", "Report warnings", "Report charts"]
PORTUGUESE = language("pt-BR")

CODE = re.compile(r"[A-Z]+(_[A-Z0-9]+)+(; [A-Z]+(_[A-Z0-9]+)+)*")
SAME = {
    *(
        "OK",
        "GiB",
        "TiB",
        "Ideal",
        "tokens",
        "bytes",
        "GPUs",
        "HA",
        "info",
        "none",
        "n+1",
        "Sizing",
    ),
    *("fp16", "bf16", "fp8", "int8", "HA n+1", "Runtime", "Status", "Base"),
    *("Pilot", "Launch", "May 5", "Wrong", "Clamped", "Too large", "None fits", "Bare"),
    *(LIKE_A_FORMULA, "N+1", "twice", "dgx-b3000"),
}
"""Names, codes, units and words that are the same in both languages."""
NAME = re.compile(r"[a-z0-9]+([-.][a-z0-9.]+)+|profile_\w+", re.IGNORECASE)
"""Of models, servers and storage."""


def asking(state: BookState, code: Any) -> BookState:
    """The workbook with this in the cell that says which language reports are in."""
    asks = state.copy()
    sheet, place = asks.named("Setting_Language")
    sheet.cells[place] = code
    return asks


def reports(state: BookState) -> list[SheetState]:
    return [state.sheet(title) for title in OURS]


def texts(sheet: SheetState) -> Iterator[tuple[Any, Any]]:
    """Every cell and every word of a chart or a rule, by where it stands."""
    yield from sheet.cells.items()
    for number, chart in enumerate(sheet.charts):
        for key in ("title", "category_title", "value_title"):
            yield (number, key), chart.get(key)
    for number, (_, _, word, _) in enumerate(sheet.highlights):
        yield (number, "rule"), word


@pytest.mark.parametrize("host", EVERY_HOST)
def test_every_text_is_said_and_every_number_stays(
    host: Host, made: Made, made_without_rows: Made
) -> None:
    said = 0
    for plan in (made.plan, made_without_rows.plan):
        english, portuguese = (reports(host(asking(plan, code))) for code in ("en", "pt-BR"))
        for one, other in zip(english, portuguese, strict=True):
            before, after = dict(texts(one)), dict(texts(other))
            assert before.keys() == after.keys()
            for place, text in before.items():
                require_said(text, after[place])
                said += isinstance(text, str) and text != after[place]
    assert said > 300


def require_said(text: Any, said: Any) -> None:
    """The same number, name or code, or a text in Portuguese with the same figures."""
    if not isinstance(text, str):
        assert (said, type(said)) == (text, type(text))
        return
    if text == said:
        assert text in SAME or text.isdigit() or CODE.fullmatch(text) or NAME.fullmatch(text), text
    else:
        assert not ENGLISH_WORD.findall(re.sub(r"'[^']*'|\w+_\w+", "", said)), said
        assert digits(said) == digits(text)


def digits(text: str) -> list[str]:
    """The figures of a text, whatever the signs in them."""
    return sorted(re.sub("[.,]", "", figure) for figure in re.findall(r"\d[\d.,]*\d|\d", text))


def test_texts_bear_portuguese_signs_where_english_has_the_others(made: Made) -> None:
    english, portuguese = (on_desktop(asking(made.plan, code)) for code in ("en", "pt-BR"))
    steps = [each.sheet("Report").labelled(2) for each in (english, portuguese)]
    notes = [
        each.sheet("Report").value(row, 6)
        for each, row in (
            (english, steps[0]["KV budget bytes per node"]),
            (portuguese, steps[1]["Bytes do orçamento de KV por nó"]),
        )
    ]
    assert notes == [
        "HBM x 0.6 - 120 GiB, rounded down",
        "HBM x 0,6 - 120 GiB, arredondado para baixo",
    ]
    assert "20,000" in english.sheet("Report").value(2, 2)
    assert "777 sessões de 20.000 tokens" in portuguese.sheet("Report").value(2, 2)


def test_what_the_workbook_shows_otherwise_is_told_with_portuguese_signs(made: Made) -> None:
    plan = asking(made.plan, "pt-BR")
    for name, shown in (("Output_NodesFinal", 1_234.5), ("Output_KvTotalTiB", None)):
        sheet, place = plan.named(name)
        sheet.cells[place] = shown
    warnings = on_desktop(plan).sheet("Report warnings")
    assert warnings.row(6)[:3] == ["Sizing", "WORKBOOK_DIFFERS", "aviso"]
    message = str(warnings.value(6, 4))
    assert message.startswith(
        "As fórmulas da própria pasta de trabalho mostram outros valores: Nós finais (1.234,5 lá, 7 "
        "aqui); KV total, TiB (nada lá, "
    )


def test_the_first_words_say_who_made_a_sheet_in_either_language(made: Made) -> None:
    """Pressed again in the other language, the report takes the place of the earlier one."""
    first = on_desktop(asking(made.plan, "pt-BR"))
    assert str(first.sheet("Report").value(3, 2)).startswith(MADE_BY[1])
    again = on_desktop(asking(first, "en"))
    assert again.titles == first.titles
    assert str(again.sheet("Report").value(3, 2)).startswith(MADE_BY[0])
    assert on_desktop(asking(again, "pt-BR")) == on_desktop(first)


def test_rows_are_as_high_as_what_they_say(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_page, "_NOTE_CHARACTERS", 70)
    english, portuguese = (
        elsewhere(asking(made.plan, code)).sheet("Report") for code in ("en", "pt-BR")
    )
    row = english.labelled(2)["Sessions per node"]
    assert len(str(english.value(row, 6))) < 70 < len(str(portuguese.value(row, 6)))
    assert (english.heights[row], portuguese.heights[row]) == (15.5, 31)


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A system that speaks Portuguese."""
    monkeypatch.setenv("LANGUAGE", "pt_BR")
    host_language.cache_clear()
    yield monkeypatch
    host_language.cache_clear()


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("en", "en"),
        (" EN ", "en"),
        ("pt-BR", "pt-BR"),
        (None, "pt-BR"),
        ("", "pt-BR"),
        ("fr", "pt-BR"),
        (5, "pt-BR"),
        ("#REF!", "pt-BR"),
    ],
)
def test_the_workbook_chooses_and_else_the_system(made: Made, typed: Any, code: str) -> None:
    assert book_language(opened(Book(asking(made.plan, typed)))).code == code


@pytest.mark.usefixtures("system")
def test_a_workbook_without_the_name_is_in_the_systems_language() -> None:
    bare = bare_workbook(LOAD)
    assert book_language(opened(Book(bare))) is PORTUGUESE
    bare.names["Setting_Language"] = "=#REF!$B$2"
    assert book_language(opened(Book(bare))) is PORTUGUESE


def test_lite_is_english_whatever_is_asked(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "IN_PYODIDE", True)
    assert book_language(opened(Book(asking(made.plan, "pt-BR")))).code == "en"


def test_progress_and_failure_are_said(made: Made) -> None:
    book = Book(asking(made.plan, "pt-BR"), Excel(status_bar="Pronto"))
    told: list[Any] = []

    class Watched(type(book.app)):  # type: ignore[misc]
        @property
        def status_bar(self) -> Any:
            return "Pronto"

        @status_bar.setter
        def status_bar(self, value: Any) -> None:
            told.append(value)

    book.app = Watched(book.excel)
    build_report(opened(book))
    loads = len(ROWS) + 1
    assert told[:3] == [
        "Relatório completo: leitura do plano ...",
        f"Relatório completo: dimensionamento de {loads} cargas ...",
        "Relatório completo: gravação da planilha Report ...",
    ]
    assert told[-1] == "Pronto"


def refused(state: BookState) -> str:
    """What is said of a plan that is refused."""
    with pytest.raises(SizingError) as failure:
        build_report(opened(Book(state)))
    return PORTUGUESE.say(str(failure.value))


def test_refusals_are_said() -> None:
    state = bare_workbook({**LOAD, "Input_HA": "two"})
    assert refused(state) == "HA (Sizing!C10): ha_mode é 'two'; deve ser um de none, n+1."
    del state.names["Input_Server"]
    assert refused(state) == (
        "Bare.xlsx não tem o nome Input_Server; dê de novo esse nome à célula da entrada em "
        "Fórmulas, Gerenciador de Nomes."
    )
    book = Book(bare_workbook(LOAD))

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("Excel is busy")

    book.sheets.add = refuse  # type: ignore[method-assign, assignment]
    with pytest.raises(SizingError) as failure:
        build_report(opened(book))
    assert PORTUGUESE.say(str(failure.value)) == (
        "Não foi possível fazer o relatório completo: houve falha nesta etapa: gravação da "
        "planilha Report (Excel is busy). A pasta de trabalho está como estava."
    )
