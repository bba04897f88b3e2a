"""Blocks of a report as plain text, for mails, whose programs fold long lines themselves."""

from collections.abc import Iterator

from xlsizing.blocks import Alerts, Block, Table
from xlsizing.core.alerts import SEVERITIES
from xlsizing.core.message import Message
from xlsizing.language import Language


def plain_lines(block: Block, language: Language) -> Iterator[str]:
    """The lines of a paragraph, a table or alerts."""
    if isinstance(block, Table):
        yield from _table(block, language)
    elif isinstance(block, Alerts):
        for alert in block.alerts:
            yield f"* {language.say(SEVERITIES[alert.severity])}, {alert.code}"
            advice = Message("What to do: {advice}", advice=alert.recommendation)
            yield from (f"  {language.say(text)}" for text in (alert.message, advice))
    elif isinstance(block, str):
        yield language.say(block)


def _table(table: Table, language: Language) -> Iterator[str]:
    """One row after the other with its heads, since tables of text are wider than mails."""
    heads = [language.say(head) for head in table.heads]
    width = max(map(len, heads))
    for row in table.rows:
        said = [language.say(text) for text in row]
        yield f"{said[0]}"
        for head, text in zip(heads[1:], said[1:], strict=True):
            if text:
                yield f"  {head:<{width}}  {text}"
