"""A workbook in Portuguese, recomputed by engines whose user writes numbers as Brazil does."""

import re
from dataclasses import replace
from functools import cache

from tests.engines.engines import IronCalc, LibreOffice, Value
from tests.engines.entries import entries
from tests.engines.loads import Load
from tests.engines.sheets import differences
from tests.engines.test_template import GOOD, cached_values
from xlsizing.book.build import report
from xlsizing.book.scenario import Scenario
from xlsizing.book.typed_scenario import typed_scenario
from xlsizing.cli.report_forms import said_of
from xlsizing.core import SizingResult
from xlsizing.core.engine import DEFAULT_SETTINGS
from xlsizing.core.planning.cells import Value as Typed
from xlsizing.core.planning.plan import TypedRow
from xlsizing.core.planning.typed import SYMBOLS
from xlsizing.language import language

PORTUGUESE = language("pt-BR")
TYPED: dict[str, Typed] = {
    **dict.fromkeys(SYMBOLS),
    "Model": GOOD.model,
    "Server": GOOD.server,
    "Storage": GOOD.storage,
    "Concurrency": 1_000,
    "Context": 131_072,
}
WRONG: dict[str, Typed] = {
    "Model": "nobody's",
    "Server": "",
    "Storage": "nothing",
    "Concurrency": 1.5,
    "Context": 10**15,
    "KvPrecision": "fp4",
    "KvBudgetRatio": 2,
    "RuntimeOverheadGiB": 10**6,
    "PeakHeadroomRatio": -1,
    "HA": "n+2",
    "TensorParallel": 0,
}
"""What is refused of each input."""


def wrong_rows() -> list[Scenario]:
    """A scenario for each input that is refused."""
    return [
        typed_scenario(
            TypedRow(f"wrong {symbol}", None, {**TYPED, symbol: value}),
            DEFAULT_SETTINGS,
            entries(),
            PORTUGUESE,
        )
        for symbol, value in WRONG.items()
    ]


@cache
def reports() -> list[bytes]:
    """Reports of several kinds of answer, and one with rows that cannot be sized."""
    everything = Load("window", "total", "slow", 10**6, 2 * 10**13, "fp16", 0.0001, 0.0)
    loads = (GOOD, replace(GOOD, server="8x-l40s", runtime_overhead_gib=300.0), everything)
    results = [load.result(entries()) for load in loads]
    return [
        *(written(result, []) for result in results),
        written(results[0], wrong_rows()),
    ]


def written(result: SizingResult, scenarios: list[Scenario]) -> bytes:
    content = said_of(result, scenarios, PORTUGUESE).report
    return report(result, entries(), scenarios, language=PORTUGUESE, content=content)


def test_every_cached_value_is_what_libreoffice_computes_in_brazil() -> None:
    cached = [cached_values(book) for book in reports()]
    texts = [str(value) for values in cached for value in values.values()]
    assert any("1.000 sess\u00f5es de 131.072 tokens" in text for text in texts)
    assert sum("deve ser" in text for text in texts) > 5
    cells = set().union(*cached)
    computed = LibreOffice("pt-BR").compute(reports(), cells)
    for expected, found in zip(cached, computed, strict=True):
        assert len(expected) > 80
        assert list(differences(expected, found)) == []


def test_but_for_signs_every_cached_value_is_what_ironcalc_computes() -> None:
    cached = [cached_values(book) for book in reports()]
    # It writes numbers in texts as in English, whatever its user's language.
    computed = IronCalc().compute(reports(), set().union(*cached))
    for expected, found in zip(cached, computed, strict=True):
        unsigned = {cell: without_signs(value) for cell, value in expected.items()}
        assert list(differences(unsigned, {c: without_signs(v) for c, v in found.items()})) == []


def without_signs(value: Value) -> Value:
    return re.sub(r"(?<=\d)[.,](?=\d)", "", value) if isinstance(value, str) else value
