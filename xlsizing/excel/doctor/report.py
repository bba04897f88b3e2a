"""What the checks found, as text and as JSON."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from xlsizing.core.message import Message, one_or_many
from xlsizing.excel.doctor.examination import NAMES, Checked
from xlsizing.excel.doctor.finding import Outcome, printable
from xlsizing.language import ENGLISH, Language

_OUTCOMES: Mapping[Outcome, Message] = {
    Outcome.OK: Message("ok"),
    Outcome.PROBLEM: Message("problem"),
    Outcome.NOT_CHECKED: Message("not checked"),
}


def doctor_text(found: Sequence[Checked], language: Language) -> str:
    """A line for each check, below each problem the one thing to do, and a line with the counts."""
    say = language.say
    outcomes = {outcome: say(text) for outcome, text in _OUTCOMES.items()}
    first = max(map(len, outcomes.values()))
    second = max(len(say(name)) for name in NAMES.values())
    lines = []
    for check, finding in found:
        head = f"{outcomes[finding.outcome]:{first}}  {say(NAMES[check]):{second}}  "
        lines.append(head + printable(say(finding.what)))
        if finding.mend:
            advice = Message("What to do: {advice}", advice=printable(say(finding.mend)))
            lines.append(f"{' ' * len(head)}{say(advice)}")
    counts = _counts(found)
    ending = one_or_many(
        "{problems} problem, {ok} ok, {not_checked} not checked.",
        "{problems} problems, {ok} ok, {not_checked} not checked.",
        counts[Outcome.PROBLEM],
        problems=str(counts[Outcome.PROBLEM]),
        ok=str(counts[Outcome.OK]),
        not_checked=str(counts[Outcome.NOT_CHECKED]),
    )
    return "\n".join([*lines, "", say(ending)])


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
