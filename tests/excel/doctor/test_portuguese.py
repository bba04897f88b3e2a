"""What the checks find is said in Portuguese too: nothing of it stays English, and no figure changes."""

import json
import re

import pytest

from tests.excel.doctor.machines import CLASSIC, MAC_CLASSIC, linux, mac, windows
from tests.excel.doctor.states import STATES
from xlsizing.excel.doctor import CHECKS, Case, Checked, Outcome, examined
from xlsizing.excel.doctor.finding import printable
from xlsizing.excel.doctor.report import doctor_json, doctor_page
from xlsizing.language import ENGLISH, language
from xlsizing.page import plain_text

PORTUGUESE = language("pt-BR")
ENGLISH_WORD = re.compile(
    r"(?<![\w/\\.-])(the|is|are|was|which|and|or|of|its?|with|for|that|there|an|by|from|to|on|has|have"
    r"|not|must|be|so|what|where|only|this|file|folder|line|here|run|set|put)\b"
)
NOT_OURS = (
    "Add workbook to PYTHONPATH",
    "cannot be read: No such file.",
    "is not a valid Win32 application",
    "Python was not found; run without arguments to install from the Microsoft Store",
)
"""What other programs say, and the sentence of an error that a state of the tests is made of."""
NAMES_ALONE = {"packages", "Excel", "bridge"}
"""Checks of which what is right is told by names and figures alone."""

CASES = {
    **{state.name: Case(state.machine, state.workbook) for state in STATES},
    "Windows": Case(windows(), CLASSIC),
    "Windows, without a workbook": Case(windows()),
    "Mac": Case(mac(), MAC_CLASSIC),
    "Linux": Case(linux()),
}


@pytest.mark.parametrize("case", CASES)
def test_findings_are_said_in_portuguese(case: str) -> None:
    found = examined(CASES[case])
    text = plain_text(doctor_page(found), PORTUGUESE)
    for checked in found:
        require_said(checked)
        assert printable(PORTUGUESE.say(checked.finding.what)) in text
        assert printable(PORTUGUESE.say(checked.finding.mend)) in text
    assert "What to do:" not in text
    assert text.count("O que fazer: ") == plain_text(doctor_page(found), ENGLISH).count(
        "What to do: "
    )


def require_said(checked: Checked) -> None:
    finding = checked.finding
    for text in filter(None, (finding.what, finding.mend)):
        said = PORTUGUESE.say(text)
        is_named = checked.check in NAMES_ALONE and finding.outcome is Outcome.OK
        ours = said
        for words in NOT_OURS:
            ours = ours.replace(words, "")
        assert is_named or ours != text
        assert not ENGLISH_WORD.findall(ours)
        assert sorted(re.findall(r"\d+", said)) == sorted(re.findall(r"\d+", text))


def test_columns_are_as_wide_as_their_words() -> None:
    found = examined(Case(windows(), CLASSIC))
    lines = plain_text(doctor_page(found), PORTUGUESE).splitlines()
    starts = {
        line.index(printable(PORTUGUESE.say(checked.finding.what)))
        for line, checked in zip(lines, found, strict=False)
    }
    assert len(starts) == 1
    assert len(lines) == len(CHECKS) + 2


def test_json_is_english_unless_another_language_is_asked_for() -> None:
    found = examined(Case(windows(), None))
    english, portuguese = (json.loads(doctor_json(found, each)) for each in (ENGLISH, PORTUGUESE))
    assert json.loads(doctor_json(found)) == english
    for one, other in zip(english["checks"], portuguese["checks"], strict=True):
        assert (one["check"], one["outcome"]) == (other["check"], other["outcome"])
    assert english["checks"][-1]["what"].endswith("and only xlwings Server needs it.")
    assert portuguese["checks"][-1]["what"].endswith("e só o xlwings Server precisa dela.")
