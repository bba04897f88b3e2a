"""The command `send`: a mail draft to a server, once."""

import argparse
import os
import sys
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from xlsizing.cli.codes import NOT_SENT, OK
from xlsizing.cli.screen import drop_output
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.exact import grouped, plain
from xlsizing.core.message import Message, joined, one_or_many

if TYPE_CHECKING:
    from collections.abc import Callable

    from xlsizing.mail.credentials import Source
    from xlsizing.mail.errors import NotSentError
    from xlsizing.mail.outgoing import Mail
    from xlsizing.mail.server import Server
    from xlsizing.mail.submission import Receipt

DEFAULT_TIMEOUT = 30
DEFAULT_RETRIES = 3
DEFAULT_MOST_MIB = 25
"""MiB of a mail: what the large mail services take."""

SERVER = "XLSIZING_SMTP_SERVER"

_LIMITS: dict[str, tuple[Decimal, int]] = {
    "timeout": (Decimal("0.1"), 3600),
    "retries": (Decimal(0), 10),
    "most_mib": (Decimal(1), 1000),
}
"""The least and the most that an option may be."""

SECURITY: Mapping[str, str] = {
    "starttls": "STARTTLS",
    "tls": "TLS",
    "none": Message("in the open"),
}
_SIGNS_IN: Mapping[str | None, Message] = {
    "environment": Message("with a password of the environment"),
    "keyring": Message("with a password of the keyring"),
    None: Message("no"),
}


def send_command(options: argparse.Namespace) -> int:
    """Send a draft, or show what would be sent."""
    from datetime import UTC, datetime

    from xlsizing.mail.credentials import credentials_of, source_of
    from xlsizing.mail.draft import read_draft
    from xlsizing.mail.errors import NotSentError
    from xlsizing.mail.outgoing import mail_of
    from xlsizing.mail.submission import Patience, submit

    for name, (least, most) in _LIMITS.items():
        if not least <= getattr(options, name) <= most:
            option, value = f"--{name.replace('_', '-')}", getattr(options, name)
            raise InvalidValueError(
                option, value, Message("from {least} to {most}", least=plain(least), most=str(most))
            )
    server = _server(options)
    draft = read_draft(options.draft, options.most_mib)
    mail = mail_of(draft, options.sender, options.to, datetime.now(UTC))
    if options.dry_run:
        source = source_of(server, options.username, os.environ)
        _show_plan(mail, server, options, source[1] if source else None)
        return OK
    tell = options.output.fault
    credentials = credentials_of(server, options.username, os.environ)
    patience = Patience(float(options.timeout), options.retries)
    try:
        with options.output.progress(Message("Sending")):
            receipt = submit(mail, server, credentials, patience, options.ca, options.output.note)
    except NotSentError as error:
        told = str(error)
        if error.attempts > 1:
            tried = str(error.attempts)
            told = Message("{error} It was tried {count} times.", error=told, count=tried)
        tell(told)
        if options.json:
            status = "unknown" if error.is_unknown else "not sent"
            _written(partial(_print_json, options, mail, server, status, error), tell)
        return NOT_SENT
    show = (
        partial(_print_json, options, mail, server, "sent")
        if options.json
        else partial(_print, options, mail, server)
    )
    if not _written(partial(show, receipt), tell):
        accepted = Message(
            "{server} accepted the mail {message_id}.",
            server=str(server),
            message_id=mail.message_id,
        )
        tell(accepted)
    return OK


def _written(show: "Callable[[], None]", tell: "Callable[[str], None]") -> bool:
    """Whether an output could be written: what became of a mail is said all the same."""
    try:
        show()
        if sys.stdout:  # None where it was closed for us
            sys.stdout.flush()
    except OSError as error:
        drop_output()
        reason = error.strerror or str(error)
        tell(Message("The output cannot be written: {reason}.", reason=reason))
        return False
    return True


def _print(options: argparse.Namespace, mail: "Mail", server: "Server", receipt: "Receipt") -> None:
    """Print that a mail was accepted."""
    count = len(mail.recipients)
    told = one_or_many(
        "{server} accepted {draft} for {count} recipient: {reply}",
        "{server} accepted {draft} for {count} recipients: {reply}",
        count,
        server=str(server),
        draft=options.draft,
        count=str(count),
        reply=receipt.reply,
    )
    options.output.done(told)
    options.output.done(f"Message-ID {mail.message_id}")


def _server(options: argparse.Namespace) -> "Server":
    from xlsizing.mail.errors import MailError
    from xlsizing.mail.server import server_at

    text = options.server or os.environ.get(SERVER)
    if not text:
        raise MailError(
            Message("No mail server is named; add --server HOST, or set {server}.", server=SERVER)
        )
    return server_at(text, options.security)


def _show_plan(
    mail: "Mail", server: "Server", options: argparse.Namespace, source: "Source | None"
) -> None:
    """Print what would be sent."""
    if options.json:
        _print_json(options, mail, server, "dry run")
        return
    from xlsizing.page import Column, Row, Table

    told = Message(
        "Would send {draft}, {size} bytes; nothing was sent.",
        draft=options.draft,
        size=grouped(len(mail.content)),
    )
    to = Message("To")
    lines: list[tuple[str, str]] = [
        (Message("Server"), joined(", ", (str(server), SECURITY[server.security]))),
        (Message("Signs in"), _SIGNS_IN[source]),
        (Message("Sender"), mail.sender),
        *(("" if number else to, each) for number, each in enumerate(mail.recipients)),
        (Message("Subject"), mail.subject),
        ("Message-ID", mail.message_id),
    ]
    names = Column(gap=2, holds=[name for name, _ in lines])
    rows = [Row(line) for line in lines]
    options.output.show([Table([names, Column()], rows, told, indent=2)])


def _print_json(
    options: argparse.Namespace,
    mail: "Mail",
    server: "Server",
    status: str,
    outcome: "Receipt | NotSentError | None" = None,
) -> None:
    """Print what became of a mail."""
    import json

    say = options.json_language.say
    document = {
        "status": status,
        "server": str(server),
        "security": server.security,
        "sender": mail.sender,
        "recipients": list(mail.recipients),
        "subject": mail.subject,
        "message_id": mail.message_id,
        "bytes": len(mail.content),
        "attempts": outcome.attempts if outcome else 0,
        "reply": getattr(outcome, "reply", None),
        "error": say(str(outcome)) if isinstance(outcome, Exception) else None,
        "refused": [each._asdict() for each in getattr(outcome, "refused", ())],
    }
    print(json.dumps(document, indent=2))
