"""The report as one HTML file that needs nothing from the network."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from html import escape

from xlsizing.blocks import Alerts, Block, Report, Steps, Table
from xlsizing.core.alerts import SEVERITIES
from xlsizing.core.message import Message
from xlsizing.language import Language
from xlsizing.report.full.bars import WIDTH, picture, picture_text
from xlsizing.report.full.scenario import ScenarioLine

_STYLE = """
body { font: 15px/1.5 Calibri, Carlito, "Segoe UI", sans-serif; color: #1c2733; margin: 0; }
main { max-width: 62em; margin: 0 auto; padding: 2em 1.5em 4em; }
h1 { font-size: 1.5em; color: #0b3c5d; margin: 0 0 .2em; }
h2 { font-size: 1.15em; color: #0b3c5d; margin: 2em 0 .5em; border-bottom: 2px solid #e3b505; }
.answer { font-size: 1.3em; font-weight: 600; margin: .4em 0 1em; }
table { border-collapse: collapse; margin: .6em 0 1em; }
th, td { padding: .25em .8em; border-bottom: 1px solid #d5dbe3; text-align: left; vertical-align: top; }
th { background: #eef2f6; font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
.wide { overflow-x: auto; }
.equation { color: #4a5a6a; }
li { margin-bottom: .7em; }
.alert { border-left: 5px solid #9fb3c8; padding: .2em .9em; margin: .7em 0; }
.error { border-color: #c0392b; }
.warning { border-color: #e3b505; }
.advice { color: #4a5a6a; }
img { max-width: 100%; height: auto; }
.wide td:last-child { min-width: 9em; }
@media print {
  main { padding: 0; max-width: none; }
  .wide { overflow: visible; }
  h2 { break-after: avoid; }
  tr, li, .alert { break-inside: avoid; }
}
"""


def html_text(report: Report, scenarios: Sequence[ScenarioLine], language: Language) -> str:
    """The whole report as a page of its own, with the picture of its scenarios in it."""
    bars = b64encode(picture(scenarios, language)).decode()
    words = escape(language.say(picture_text(scenarios)))
    title, answer = (escape(language.say(text)) for text in (report.title, report.answer))
    return "".join(
        [
            f'<!DOCTYPE html>\n<html lang="{language.code}">\n<head>\n<meta charset="utf-8">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n",
            f'<h1>{title}</h1>\n<p class="answer">{answer}</p>\n',
            f'<p><img src="data:image/png;base64,{bars}" width="{WIDTH}" alt="{words}"></p>\n',
            *(
                piece
                for section in report.sections
                for piece in (
                    f"<h2>{escape(language.say(section.title))}</h2>\n",
                    *(each for block in section.blocks for each in block_html(block, language)),
                )
            ),
            "</main>\n</body>\n</html>\n",
        ]
    )


def block_html(block: Block, language: Language) -> Iterator[str]:
    """A block as pieces of HTML."""
    if isinstance(block, Table):
        yield from _table(block, language)
    elif isinstance(block, Steps):
        yield from _steps(block, language)
    elif isinstance(block, Alerts):
        yield from _alerts(block, language)
    else:
        yield f"<p>{escape(language.say(block))}</p>\n"


def _table(table: Table, language: Language) -> Iterator[str]:
    def cell(tag: str, column: int, text: str) -> str:
        look = ' class="number"' if column in table.numbers else ""
        return f"<{tag}{look}>{escape(language.say(text))}</{tag}>"

    heads = "".join(cell("th", column, head) for column, head in enumerate(table.heads))
    yield f'<div class="wide"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n'
    for row in table.rows:
        cells = "".join(cell("td", column, text) for column, text in enumerate(row))
        yield f"<tr>{cells}</tr>\n"
    yield "</tbody>\n</table></div>\n"


def _steps(block: Steps, language: Language) -> Iterator[str]:
    yield "<ol>\n"
    for step in block.steps:
        name, equation, figures, result = (
            escape(language.say(each))
            for each in (step.name, step.equation, step.figures, step.result)
        )
        shown = f"{figures} = " if figures else ""
        yield (
            f'<li><b>{name}</b> <span class="equation">= {equation}</span><br>'
            f"= {shown}<b>{result}</b></li>\n"
        )
    yield "</ol>\n"


def _alerts(block: Alerts, language: Language) -> Iterator[str]:
    for alert in block.alerts:
        severity = escape(language.say(SEVERITIES[alert.severity]))
        advice = Message("What to do: {advice}", advice=alert.recommendation)
        yield (
            f'<div class="alert {alert.severity}"><b>{severity}, {escape(alert.code)}</b><br>'
            f"{escape(language.say(alert.message))}<br>"
            f'<span class="advice">{escape(language.say(advice))}</span></div>\n'
        )
