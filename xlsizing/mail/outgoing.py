"""The mail that goes out: what is made of a draft, from whom and to whom."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import NamedTuple

from xlsizing.core.message import Message
from xlsizing.core.text import cut
from xlsizing.mail.addresses import address
from xlsizing.mail.draft import Draft
from xlsizing.mail.errors import MailError

_LEFT_OUT = ("bcc", "resent-bcc", "x-unsent")
"""Headers that no recipient may see, and Outlook's mark of a draft."""
_MESSAGE_ID = re.compile(r"<[^\s<>@]+@[^\s<>@]+>")


class Mail(NamedTuple):
    """A mail as a server gets it.

    sender and recipients are what the server is told (the envelope); content is what the
    recipients see, each line ended by CRLF.
    """

    sender: str
    recipients: tuple[str, ...]
    message_id: str
    subject: str
    content: bytes

    @property
    def is_eight_bit(self) -> bool:
        """Whether the content has bytes beyond ASCII, which not every server takes."""
        return not self.content.isascii()


def mail_of(draft: Draft, sender: str | None, to: Sequence[str], now: datetime) -> Mail:
    """The mail that a draft becomes: all of the draft but Bcc and its mark, and what it lacks.

    Parameters
    ----------
    draft : the draft; what it has is not changed.
    sender : address of the sender, None for that of the draft.
    to : addresses of the recipients, none for those of the draft.
    now : the date, with its time zone, where the draft has none.

    Raises
    ------
    MailError : sender or recipients are missing or no addresses; the Message-ID is none.
    """
    known = {name: draft.addresses(name) for name in ("From", "Sender", "To", "Cc", "Bcc")}
    envelope_sender = _sender(draft, sender, known["From"], known["Sender"])
    drafted = [*known["To"], *known["Cc"], *known["Bcc"]]
    recipients = _each_once([address(each, "--to") for each in to] or drafted)
    if not recipients:
        raise MailError(
            Message(
                "{path} names nobody to send it to; add --to ADDRESS, or a header To.",
                path=draft.path,
            )
        )
    kept = b"".join(
        field.line + b"\r\n" for field in draft.fields if field.name.lower() not in _LEFT_OUT
    )
    message_id = _message_id(draft, kept)
    added = []
    if draft.value("Date") is None:
        added.append(f"Date: {format_datetime(now)}")
    if draft.value("From") is None:
        added.append(f"From: {envelope_sender}")
    if not any(draft.value(name) for name in ("To", "Cc", "Bcc")):
        added.append("To: " + ",\r\n ".join(recipients))
    if draft.value("Message-ID") is None:
        added.append(f"Message-ID: {message_id}")
    head = "".join(f"{line}\r\n" for line in added).encode("ascii") + kept
    content = head + b"\r\n" + draft.body
    return Mail(envelope_sender, recipients, message_id, draft.subject, content)


def _sender(draft: Draft, given: str | None, of: Sequence[str], by: Sequence[str]) -> str:
    """The address that the server is told: the one given, else the draft's Sender or From."""
    if draft.value("From") is not None and not of:
        raise MailError(
            Message(
                "{path} has a From without an address; write one, or leave it out.", path=draft.path
            )
        )
    if given is not None:
        return address(given, "--sender")
    found = by or of
    if not found:
        raise MailError(
            Message(
                "{path} names no sender; add --sender ADDRESS, or a header From to the draft.",
                path=draft.path,
            )
        )
    if len(found) > 1:
        raise MailError(
            Message(
                "{path} is from {count} people; say by --sender ADDRESS who sends it.",
                path=draft.path,
                count=str(len(found)),
            )
        )
    return found[0]


def _each_once(found: Sequence[str]) -> tuple[str, ...]:
    """The addresses in their order; domains are the same in capitals, names need not be."""
    unlike: dict[tuple[str, str], str] = {}
    for each in found:
        local, _, domain = each.rpartition("@")
        unlike.setdefault((local, domain.lower()), each)
    return tuple(unlike.values())


def _message_id(draft: Draft, kept: bytes) -> str:
    """The draft's Message-ID, else one of its content: equal drafts have equal ones.

    It tells nothing of the machine, nor of a Bcc, which is no part of what is kept.
    """
    stated = draft.value("Message-ID")
    if stated is None:
        digest = hashlib.sha256(kept + b"\r\n" + draft.body).hexdigest()[:32]
        return f"<{digest}@xlsizing.invalid>"
    if not _MESSAGE_ID.fullmatch(stated):
        raise MailError(
            Message(
                "{path} has the Message-ID {stated}; it must be such as <plan-7@example.com>, or "
                "left out.",
                path=draft.path,
                stated=repr(cut(stated)),
            )
        )
    return stated
