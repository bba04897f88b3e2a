"""The other forms that a report is written in, beside the workbook: page, Markdown, mail draft."""

import argparse
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from xlsizing.core import SizingResult
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.message import Message

if TYPE_CHECKING:
    from pathlib import Path

    from xlsizing.blocks import Report
    from xlsizing.book.scenario import Scenario
    from xlsizing.language import Language
    from xlsizing.report.full.scenario import ScenarioLine


class Said(NamedTuple):
    """A report, and what its forms need beside it."""

    report: "Report"
    scenarios: "Sequence[ScenarioLine]"
    language: "Language"


class Form(NamedTuple):
    """A form that is asked for: the file's name and suffix, and how its content is made."""

    path: str
    suffix: str
    content: Callable[[Said, bytes], bytes]
    """Of the report, and the bytes of its workbook."""


def forms_asked(options: argparse.Namespace) -> list[Form]:
    """The forms that are asked for.

    Raises
    ------
    SizingError : one could not be written, or the mail's addresses are none.
    """
    stem = os.path.splitext(options.out)[0]
    forms = []
    if options.html:
        forms.append(Form(f"{stem}.html", ".html", _html))
    if options.markdown:
        forms.append(Form(f"{stem}.md", ".md", _markdown))
    recipients = _recipients(options.to)
    if options.eml is not None:
        name = os.path.basename(options.out)
        forms.append(
            Form(options.eml, ".eml", lambda said, book: _draft(said, (name, book), recipients))
        )
    elif recipients:
        raise InvalidValueError(
            "--to", ", ".join(recipients), Message("given together with --eml DRAFT.eml")
        )
    if forms:
        from xlsizing.book.saving import require_writable

        for form in forms:
            require_writable(form.path, options.force, form.suffix)
    return forms


def said_of(
    result: SizingResult,
    scenarios: "Sequence[Scenario]",
    language: "Language",
) -> Said:
    """The full report of a sizing and the scenarios that it is compared with."""
    from xlsizing.core.planning.presets import AS_ASKED
    from xlsizing.report.full.content import full_report
    from xlsizing.report.full.scenario import ScenarioLine

    asked = ScenarioLine(
        AS_ASKED,
        (
            result.concurrency,
            result.effective_context,
            result.peak_headroom_ratio,
            result.ha_mode,
        ),
        result.nodes_minimum,
        result.nodes_with_headroom,
        result.nodes_final,
        result.status,
    )
    others = [
        _line(each) for each in scenarios if each.is_live and not _is_asked(each, asked, result)
    ]
    lines = [asked, *others]
    return Said(full_report(result, lines), lines, language)


def _is_asked(scenario: "Scenario", asked: "ScenarioLine", result: SizingResult) -> bool:
    """Whether a row is the load of the report itself, by the name that reports give it."""
    from xlsizing.core.catalogs import name_key
    from xlsizing.core.entries import Entry
    from xlsizing.core.planning.cells import words
    from xlsizing.language import LANGUAGES, language

    if scenario.name not in {language(code).say(asked.name) for code in LANGUAGES}:
        return False
    entries: dict[str, Entry] = {
        "Model": result.model,
        "Server": result.server,
        "Storage": result.storage,
    }
    same = all(
        name_key(words(scenario.typed[symbol])) in map(name_key, (entry.name, *entry.aliases))
        for symbol, entry in entries.items()
    )
    return same and _line(scenario)[1:] == asked[1:]


def save_form(form: Form, content: bytes, *, force: bool) -> "Path":
    """Write a form of the report; the file is there whole, or as it was before."""
    from xlsizing.book.saving import require_writable, save_file

    return save_file(form.path, require_writable(form.path, force, form.suffix), content)


def _line(scenario: "Scenario") -> "ScenarioLine":
    from xlsizing.core import DEFAULT_HA_MODE, DEFAULT_PEAK_HEADROOM_RATIO
    from xlsizing.report.full.scenario import ScenarioLine

    typed, values = scenario.typed, scenario.values

    def nodes(symbol: str) -> int | None:
        value = values[symbol]
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    headroom, mode = typed["PeakHeadroomRatio"], typed["HA"]
    return ScenarioLine(
        scenario.name,
        (
            typed["Concurrency"],
            typed["Context"],
            DEFAULT_PEAK_HEADROOM_RATIO if headroom in (None, "") else headroom,
            DEFAULT_HA_MODE if mode in (None, "") else mode,
        ),
        nodes("NodesMinimum"),
        nodes("NodesWithHeadroom"),
        nodes("NodesFinal"),
        str(values["Status"]),
    )


def _recipients(given: Sequence[str]) -> list[str]:
    if not given:
        return []
    from xlsizing.mail.addresses import addresses

    found = {each: addresses(each, "--to") for each in given}
    for each, those in found.items():
        if not those:
            raise InvalidValueError("--to", each, Message("an address such as anna@example.com"))
    return [address for those in found.values() for address in those]


def _html(said: Said, _workbook: bytes) -> bytes:
    from xlsizing.report.full.html import html_text

    return html_text(said.report, said.scenarios, said.language).encode()


def _markdown(said: Said, _workbook: bytes) -> bytes:
    from xlsizing.report.full.markdown import markdown_text

    return markdown_text(said.report, said.language).encode()


def _draft(said: Said, workbook: tuple[str, bytes], recipients: Sequence[str]) -> bytes:
    from xlsizing.report.full.draft import mail_draft

    return mail_draft(said.report, said.scenarios, said.language, workbook, recipients)
