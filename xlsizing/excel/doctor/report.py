"""What the checks found, as text and as JSON."""

import json
from collections import Counter
from collections.abc import Sequence

from xlsizing.core.text import printable
from xlsizing.excel.doctor.examination import CHECKS, Checked
from xlsizing.excel.doctor.finding import Outcome

_OUTCOME_WIDTH = max(len(outcome) for outcome in Outcome)
_CHECK_WIDTH = max(map(len, CHECKS))


def doctor_text(found: Sequence[Checked]) -> str:
    """A line for each check, below each problem the one thing to do, and a line with the counts."""
    lines = []
    for check, finding in found:
        head = f"{finding.outcome:{_OUTCOME_WIDTH}}  {check:{_CHECK_WIDTH}}  "
        lines.append(head + printable(finding.what))
        if finding.mend:
            lines.append(f"{' ' * len(head)}What to do: {printable(finding.mend)}")
    counts = _counts(found)
    problems = (
        "1 problem" if counts[Outcome.PROBLEM] == 1 else f"{counts[Outcome.PROBLEM]} problems"
    )
    ending = f"{problems}, {counts[Outcome.OK]} ok, {counts[Outcome.NOT_CHECKED]} not checked."
    return "\n".join([*lines, "", ending])


def doctor_json(found: Sequence[Checked]) -> str:
    """The same as JSON."""
    counts = _counts(found)
    document = {
        "problems": counts[Outcome.PROBLEM],
        "ok": counts[Outcome.OK],
        "not_checked": counts[Outcome.NOT_CHECKED],
        "checks": [
            {
                "check": check,
                "outcome": finding.outcome,
                "what": finding.what,
                "mend": finding.mend or None,
            }
            for check, finding in found
        ],
    }
    return json.dumps(document, indent=2)


def _counts(found: Sequence[Checked]) -> Counter[Outcome]:
    return Counter(finding.outcome for _, finding in found)
