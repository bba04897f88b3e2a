"""The report in Markdown, as GitHub and most programs read it."""

import re
from collections.abc import Iterator, Sequence

from xlsizing.blocks import Alerts, Block, Report, Steps, Table
from xlsizing.core.alerts import SEVERITIES
from xlsizing.core.message import Message
from xlsizing.language import Language

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown_text(report: Report, language: Language) -> str:
    """The whole report, with a line break at its end."""
    said = language.say
    lines = [f"# {_plain(said(report.title))}", "", f"**{_plain(said(report.answer))}**", ""]
    for section in report.sections:
        lines += [f"## {_plain(said(section.title))}", ""]
        for block in section.blocks:
            lines += [*_block(block, language), ""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """A text in which nothing is taken for a mark, on one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _block(block: Block, language: Language) -> Iterator[str]:
    if isinstance(block, Table):
        yield from _table(block, language)
    elif isinstance(block, Steps):
        yield from _steps(block, language)
    elif isinstance(block, Alerts):
        yield from _alerts(block, language)
    else:
        yield _plain(language.say(block))


def _table(table: Table, language: Language) -> Iterator[str]:
    def row(texts: Sequence[str]) -> str:
        return f"| {' | '.join(_plain(language.say(text)) for text in texts)} |"

    yield row(table.heads)
    columns = range(len(table.heads))
    yield "|" + "|".join("---:" if each in table.numbers else "---" for each in columns) + "|"
    yield from map(row, table.rows)


def _steps(block: Steps, language: Language) -> Iterator[str]:
    for number, step in enumerate(block.steps, start=1):
        name, equation, figures, result = (
            _plain(language.say(each))
            for each in (step.name, step.equation, step.figures, step.result)
        )
        yield f"{number}. **{name}** = {equation}  "
        yield f"   = {f'{figures} = ' if figures else ''}**{result}**"


def _alerts(block: Alerts, language: Language) -> Iterator[str]:
    for alert in block.alerts:
        severity = language.say(SEVERITIES[alert.severity])
        advice = language.say(Message("What to do: {advice}", advice=alert.recommendation))
        message = _plain(language.say(alert.message))
        yield f"- **{severity}, {_plain(alert.code)}**: {message} {_plain(advice)}"
