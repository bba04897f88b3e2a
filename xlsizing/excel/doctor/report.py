"""What the checks found, as a page and as JSON."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from xlsizing.core.message import Message, one_or_many
from xlsizing.excel.doctor.examination import NAMES, Checked
from xlsizing.excel.doctor.finding import Outcome, printable
from xlsizing.language import ENGLISH, Language
from xlsizing.page import Column, Page, Row, Table, Tone

_OUTCOMES: Mapping[Outcome, Message] = {
    Outcome.OK: Message("ok"),
    Outcome.PROBLEM: Message("problem"),
    Outcome.NOT_CHECKED: Message("not checked"),
}
_TONES: Mapping[Outcome, Tone] = {
    Outcome.OK: "good",
    Outcome.PROBLEM: "bad",
    Outcome.NOT_CHECKED: "mere",
}


def doctor_page(found: Sequence[Checked]) -> Page:
    """A row for each check, below each problem the one thing to do, and a line with the counts."""
    rows = [
        Row(
            (_OUTCOMES[finding.outcome], NAMES[check], finding.what),
            [Message("What to do: {advice}", advice=finding.mend)] if finding.mend else [],
            _TONES[finding.outcome],
        )
        for check, finding in found
    ]
    columns = [
        Column(gap=2, holds=list(_OUTCOMES.values())),
        Column(gap=2, holds=list(NAMES.values())),
        Column(),
    ]
    counts = _counts(found)
    ending = one_or_many(
        "{problems} problem, {ok} ok, {not_checked} not checked.",
        "{problems} problems, {ok} ok, {not_checked} not checked.",
        counts[Outcome.PROBLEM],
        problems=str(counts[Outcome.PROBLEM]),
        ok=str(counts[Outcome.OK]),
        not_checked=str(counts[Outcome.NOT_CHECKED]),
    )
    return [Table(columns, rows), "", ending]


def doctor_json(found: Sequence[Checked], language: Language = ENGLISH) -> str:
    """The same as JSON; its sentences are English unless another language is asked for."""
    counts = _counts(found)
    document = {
        "problems": counts[Outcome.PROBLEM],
        "ok": counts[Outcome.OK],
        "not_checked": counts[Outcome.NOT_CHECKED],
        "checks": [
            {
                "check": check,
                "outcome": finding.outcome,
                "what": printable(language.say(finding.what)),
                "mend": printable(language.say(finding.mend)) or None,
            }
            for check, finding in found
        ],
    }
    return json.dumps(document, indent=2)


def _counts(found: Sequence[Checked]) -> Counter[Outcome]:
    return Counter(finding.outcome for _, finding in found)
