"""Errors that mean an answer pass the gate; the same beside a status of OK do not."""

import pytest

from tests.book.test_rules import UNSOURCED, Plant, planted
from tests.gate.errors import error_values
from xlsizing.book.build import report, template
from xlsizing.core import Catalogs, size

SIZING, SCENARIOS = "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"


def put(content: bytes, part: str, pattern: str, new: str) -> bytes:
    return planted(content, Plant("", part, "", pattern, new, ""))


@pytest.fixture(scope="module")
def nothing_fits(catalogs: Catalogs) -> bytes:
    return report(
        size(
            catalogs.model("gpt-oss-120b"),
            catalogs.server("dgx-b300"),
            catalogs.profile("profile_default"),
            concurrency=1_000,
            effective_context=131_072,
            kv_budget_ratio=0.05,
        ),
        catalogs,
    )


def test_nodes_may_be_errors_where_nothing_fits(nothing_fits: bytes) -> None:
    assert error_values(nothing_fits) == []


@pytest.mark.parametrize("status", ["OK", "Unsafe: the weights do not fit.", ""])
def test_the_same_errors_are_found_where_the_status_has_no_fault(
    nothing_fits: bytes, status: str
) -> None:
    content = put(nothing_fits, SIZING, "<v>Nothing fits: [^.]*[.]</v>", f"<v>{status}</v>")
    found = error_values(content)
    assert [sentence for sentence in found if sentence.startswith("Sizing!")] == [
        f"Sizing!C{row} shows the error #NUM!." for row in (5, 6, 7)
    ]
    # Charts draws from Sizing, so its errors are excused by the same status.
    assert all(sentence.startswith(("Sizing!", "Charts!")) for sentence in found)


def test_an_error_is_found_in_what_was_typed(nothing_fits: bytes) -> None:
    content = put(nothing_fits, SIZING, r'(<c r="C21"[^>]*)(><v>1000)<', r'\1 t="e"><v>#NUM!<')
    assert error_values(content) == ["Sizing!C21 shows the error #NUM!."]


def test_an_error_is_found_on_other_sheets(nothing_fits: bytes) -> None:
    models = "xl/worksheets/sheet6.xml"
    content = put(nothing_fits, models, '<c r="B5"([^>]*)><v>', '<c r="B5" t="e"><v>')
    assert len(error_values(content)) == 1


FIRST = r'<c r="([A-Z]+)7"( s="\d+")><f>([^<]*)</f><v>[^<]*</v>'
ERROR = r'<c r="\g<1>7"\2 t="e"><f>\3</f><v>#NUM!</v>'


def test_an_error_in_a_row_is_judged_by_the_status_of_that_row(catalogs: Catalogs) -> None:
    content = put(template(catalogs), SCENARIOS, FIRST, ERROR)
    assert len(error_values(content)) == 1
    assert error_values(put(content, SCENARIOS, "<v>OK<", "<v>Nothing fits.<")) == []
    # The status of the row below does not excuse it.
    content = put(content, SCENARIOS, "(<v>OK<.*?<v>OK<.*?)<v>OK<", r"\1<v>Nothing fits.<")
    assert len(error_values(content)) == 1


def test_a_template_on_which_no_example_fits_passes() -> None:
    assert error_values(template(UNSOURCED)) == []
