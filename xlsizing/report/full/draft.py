"""The report as a mail draft: a file that mail programs open ready to be sent."""

import hashlib
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from html import escape

from xlsizing.blocks import Report
from xlsizing.core.alerts import SEVERITIES
from xlsizing.core.message import Message, joined
from xlsizing.language import Language
from xlsizing.report.full.bars import WIDTH, picture, picture_text
from xlsizing.report.full.html import block_html
from xlsizing.report.full.plain import plain_lines
from xlsizing.report.full.scenario import ScenarioLine

_TYPE = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHART = "nodes-by-scenario"
_FONT = "font-family:Calibri,Carlito,'Segoe UI',sans-serif;font-size:15px;color:#1c2733"
_LOOKS = (
    ("<table>", '<table style="border-collapse:collapse" cellpadding="5">'),
    ("<th>", '<th style="text-align:left;background:#eef2f6">'),
    ('<th class="number">', '<th style="text-align:right;background:#eef2f6">'),
    ("<td>", '<td style="border-bottom:1px solid #d5dbe3">'),
    ('<td class="number">', '<td style="border-bottom:1px solid #d5dbe3;text-align:right">'),
    ('<div class="wide">', "<div>"),
    *(
        (
            f'<div class="alert {severity}">',
            f'<div style="border-left:5px solid {colour};padding:2px 12px;margin:12px 0">',
        )
        for severity, colour in (("error", "#c0392b"), ("warning", "#e3b505"), ("info", "#9fb3c8"))
    ),
    ('<span class="advice">', '<span style="color:#4a5a6a">'),
)
"""Mail programs drop style sheets: looks stand where they apply."""
_LONGEST_LINE = 998
"""Characters of a line that mail has room for."""
_ENCODING = "quoted-printable"
"""Which every server passes on."""


def mail_draft(
    report: Report,
    scenarios: Sequence[ScenarioLine],
    language: Language,
    workbook: tuple[str, bytes],
    recipients: Sequence[str],
) -> bytes:
    """The draft as the bytes of an .eml file; the same for the same report.

    It has no sender, date or identifier: whoever sends it adds them.

    Parameters
    ----------
    report, scenarios : what it says.
    language : the reader's.
    workbook : name and bytes of the workbook that is attached.
    recipients : addresses, such as anna@example.com.
    """
    name, content = workbook
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = language.say(report.subject)
    if recipients:
        mail["To"] = ", ".join(recipients)
    mail["X-Unsent"] = "1"  # Outlook opens a file that says so as a draft
    mail.set_content(_plain(report, language, name), cte=_ENCODING)
    page = _page(report, scenarios, language, name)
    mail.add_alternative(page, subtype="html", cte=_ENCODING)
    [_, rich] = mail.iter_parts()
    assert isinstance(rich, EmailMessage)
    rich.add_related(
        picture(scenarios, language),
        "image",
        "png",
        cid=f"<{_CHART}>",
        filename=f"{_CHART}.png",
        disposition="inline",
    )
    mail.add_attachment(content, "application", _TYPE, filename=name)
    # Boundaries would be random otherwise. One made of all that they stand between is in none of it.
    _set_boundaries(mail, "xlsizing")
    _set_boundaries(mail, hashlib.sha256(mail.as_bytes()).hexdigest()[:32])
    # Folded, a subject in ASCII may come to begin with a blank.
    is_plain = mail["Subject"].isascii()
    return mail.as_bytes(policy=SMTP.clone(max_line_length=_LONGEST_LINE) if is_plain else SMTP)


def _set_boundaries(mail: EmailMessage, text: str) -> None:
    for number, part in enumerate(each for each in mail.walk() if each.is_multipart()):
        part.set_boundary(f"=_{number}_{text}")


def _plain(report: Report, language: Language, name: str) -> str:
    lines = [*plain_lines(_lead(report), language)]
    for section in report.summary:
        lines += ["", language.say(section.title).upper(), ""]
        for block in section.blocks:
            lines += plain_lines(block, language)
    return "\n".join([*lines, "", *plain_lines(_attached(name), language), ""])


def _page(report: Report, scenarios: Sequence[ScenarioLine], language: Language, name: str) -> str:
    words = escape(language.say(picture_text(scenarios)), quote=True)
    pieces = [
        f'<!DOCTYPE html><html lang="{language.code}"><head><meta charset="utf-8"></head>\n',
        f'<body style="{_FONT}">\n',
        f'<p style="font-size:19px">{escape(language.say(_lead(report)))}</p>\n',
        f'<p><img src="cid:{_CHART}" width="{WIDTH}" alt="{words}"></p>\n',
    ]
    for section in report.summary:
        pieces.append(f'<h3 style="color:#0b3c5d">{escape(language.say(section.title))}</h3>\n')
        pieces += [piece for block in section.blocks for piece in block_html(block, language)]
    pieces.append(f"<p>{escape(language.say(_attached(name)))}</p>\n</body></html>\n")
    page = "".join(pieces)
    for tag, styled in _LOOKS:
        page = page.replace(tag, styled)
    return page


def _lead(report: Report) -> Message:
    """The first line: the answer, and the most serious alert."""
    alert = report.gravest
    if alert is None:
        return joined(" ", (report.answer, Message("No alerts.")))
    said = Message(
        "Most serious alert: {severity}, {code}. {message}",
        severity=SEVERITIES[alert.severity],
        code=alert.code,
        message=alert.message,
    )
    return joined(" ", (report.answer, said))


def _attached(name: str) -> Message:
    return Message(
        "The workbook {name} is attached: its figures follow what is typed in it, in any "
        "spreadsheet program.",
        name=name,
    )
