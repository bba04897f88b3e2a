"""The scenarios of a workbook as text, one a line."""

from collections.abc import Sequence

from xlsizing.core.alerts import STATUS_OK
from xlsizing.core.message import Message
from xlsizing.language import Language
from xlsizing.report.counts import nodes_text


def scenario_text(scenarios: Sequence[tuple[str, int | None, str]], language: Language) -> str:
    """A heading, and a line for each scenario.

    Parameters
    ----------
    scenarios : name, nodes final or None for none, and status: OK or what is wrong.
    language : the reader's.
    """
    width = max((len(name) for name, _, _ in scenarios), default=0)
    lines = [language.say(Message("Scenarios"))]
    for name, nodes, status in scenarios:
        remark = "" if status == STATUS_OK else f"  {language.say(status)}"
        lines.append(f"  {name:<{width}}  {language.say(nodes_text(nodes)):>11}{remark}")
    return "\n".join(lines)
