"""Sending to a real server: what arrives, and that it arrives once."""

import json
import re
import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from tests.mail.conftest import Send, Write, draft
from tests.mail.servers import PASSWORD, USERNAME, Authority, Mailbox, real_server

Server = tuple[str, Mailbox]


@pytest.fixture(scope="module")
def open_server() -> Iterator[Server]:
    """A server without encryption, which takes mails from anybody."""
    with real_server() as (name, mailbox):
        yield name, mailbox


@pytest.fixture
def plain(open_server: Server) -> Server:
    """That server, with nothing accepted so far."""
    open_server[1].accepted.clear()
    return open_server


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment."""
    monkeypatch.setenv("XLSIZING_SMTP_USERNAME", USERNAME)
    monkeypatch.setenv("XLSIZING_SMTP_PASSWORD", PASSWORD)


def received(mailbox: Mailbox) -> bytes:
    """The content of the one mail that was accepted."""
    [envelope] = mailbox.accepted
    content = envelope.original_content
    assert content is not None
    return content


def test_what_arrives_is_the_draft_without_bcc_and_mark(send: Send, plain: Server) -> None:
    ran = send("draft.eml", "--server", plain[0], "--security", "none")
    told = (
        f"{plain[0]} accepted draft.eml for 3 recipients: 250 Taken as number 7\n"
        "Message-ID <plan-7@example.com>\n"
    )
    assert ran == (0, told, "")
    [envelope] = plain[1].accepted
    assert envelope.mail_from == "planner@example.com"
    assert envelope.rcpt_tos == ["anna@example.com", "bob@example.com", "carol@example.com"]
    expected = draft(Bcc=None, X_Unsent=None).as_bytes(policy=SMTP)
    boundary = re.compile(rb"={15}\d+==")
    assert boundary.sub(b"B", received(plain[1])) == boundary.sub(b"B", expected)
    assert send.waits == []


def test_what_a_draft_lacks_is_added_and_is_the_same_the_next_time(
    send: Send, plain: Server
) -> None:
    Path("bare.eml").write_bytes(b"Subject: 3 nodes\nX-Unsent: 1\n\nAs asked.\n")
    arguments = ("bare.eml", "--server", plain[0], "--security", "none", "--sender", "p@x.example")
    for _ in range(2):
        assert send(*arguments, "--to", "anna@x.example", "bob@x.example").code == 0
    mails = [message_from_bytes(each.original_content or b"") for each in plain[1].accepted]
    assert len(mails) == 2
    for mail in mails:
        assert sorted(mail.keys()) == ["Date", "From", "Message-ID", "Subject", "To"]
        assert mail["From"] == "p@x.example"
        assert re.sub(r"\s+", " ", mail["To"]) == "anna@x.example, bob@x.example"
        assert mail["Date"].endswith("+0000")
        assert re.fullmatch(r"<[0-9a-f]{32}@xlsizing\.invalid>", mail["Message-ID"])
        assert mail.get_payload() == "As asked.\r\n"
    assert mails[0]["Message-ID"] == mails[1]["Message-ID"]


def test_another_content_has_another_message_id_and_a_bcc_has_none_of_it(
    send: Send, write: Write
) -> None:
    def message_id(**headers: str | None) -> str:
        name = write(**({"Message-ID": None} | headers))
        # The boundary is drawn anew for each draft.
        fixed = re.sub(rb"={15}\d+==", b"B", Path(name).read_bytes())
        Path(name).write_bytes(fixed)
        ran = send(name, "--server", "mail.example", "--dry-run", "--json")
        found: str = json.loads(ran.out)["message_id"]
        return found

    assert message_id() == message_id() == message_id(Bcc="dora@example.com")
    assert message_id() != message_id(Subject="4 nodes")


def test_to_and_sender_are_for_the_server_and_leave_the_drafts_headers(
    send: Send, plain: Server
) -> None:
    given = ("--to", "dora@example.com", "dora@EXAMPLE.com", "--sender", "desk@example.com")
    assert send("draft.eml", "--server", plain[0], "--security", "none", *given).code == 0
    [envelope] = plain[1].accepted
    assert (envelope.mail_from, envelope.rcpt_tos) == ("desk@example.com", ["dora@example.com"])
    mail = message_from_bytes(received(plain[1]), policy=SMTP)
    assert mail["From"] == "Planner <planner@example.com>"
    assert mail["To"] == "Anna <anna@example.com>, Bob <bob@example.com>"
    assert mail["Bcc"] is None


def test_lone_line_feeds_and_dots_cannot_end_a_mail_early(send: Send, plain: Server) -> None:
    body = b"one\n.\nMAIL FROM:<evil@example.com>\n.\r\n\n..\nend"
    Path("dots.eml").write_bytes(b"From: a@x.example\nTo: b@x.example\n\n" + body)
    assert send("dots.eml", "--server", plain[0], "--security", "none").code == 0
    whole = b"one\r\n.\r\nMAIL FROM:<evil@example.com>\r\n.\r\n\r\n..\r\nend\r\n"
    assert received(plain[1]).partition(b"\r\n\r\n")[2] == whole


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_over_tls_with_a_password(
    send: Send, authority: Authority, signed_in: None, security: str
) -> None:
    del signed_in
    settings: dict[str, Any] = {security: authority.context("localhost")}
    if security == "starttls":
        settings |= {"require_starttls": True, "auth_required": True}
    else:
        settings["auth_require_tls"] = False  # by which aiosmtpd means STARTTLS alone
    with real_server(**settings) as (name, mailbox):
        ran = send("draft.eml", "--server", name, "--security", security, "--ca", authority.path)
    assert (ran.code, ran.err) == (0, "")
    assert len(mailbox.accepted) == 1
    assert mailbox.signed_in == [True]


def test_a_wrong_password_is_told_and_nothing_sent(
    send: Send, authority: Authority, signed_in: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del signed_in
    monkeypatch.setenv("XLSIZING_SMTP_PASSWORD", "another")
    with real_server(starttls=authority.context("localhost")) as (name, mailbox):
        ran = send("draft.eml", "--server", name, "--ca", authority.path)
    assert ran.code == 4
    assert ran.err == (
        f"{name} does not accept the user name and password: 535 5.7.8 Authentication credentials "
        "invalid Check XLSIZING_SMTP_USERNAME and XLSIZING_SMTP_PASSWORD, or what the keyring has; "
        "some servers want a password made for programs.\n"
    )
    assert mailbox.accepted == []
    assert send.waits == []


def test_a_server_that_wants_a_password_says_so(send: Send, authority: Authority) -> None:
    with real_server(auth_required=True, starttls=authority.context("localhost")) as server:
        name, mailbox = server
        ran = send("draft.eml", "--server", name, "--ca", authority.path)
    assert ran.code == 4
    assert "takes mails only from who signs in: 530 5.7.0 Authentication required" in ran.err
    assert "Set XLSIZING_SMTP_USERNAME and XLSIZING_SMTP_PASSWORD." in ran.err
    assert mailbox.accepted == []


def test_the_size_that_a_server_names_is_kept(send: Send) -> None:
    with real_server(data_size_limit=500) as (name, mailbox):
        ran = send("draft.eml", "--server", name, "--security", "none")
    size = len(draft(Bcc=None, X_Unsent=None).as_bytes(policy=SMTP))
    assert ran.code == 4
    assert ran.err == (
        f"{name} takes mails of at most 500 bytes, and this one has {size:,}; make it smaller, or "
        "send a link.\n"
    )
    assert mailbox.accepted == []


def test_json_says_what_was_sent(send: Send, plain: Server) -> None:
    ran = send("draft.eml", "--server", plain[0], "--security", "none", "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {
        "status": "sent",
        "server": plain[0],
        "security": "none",
        "sender": "planner@example.com",
        "recipients": ["anna@example.com", "bob@example.com", "carol@example.com"],
        "subject": "GPU nodes: São Paulo",
        "message_id": "<plan-7@example.com>",
        "bytes": len(draft(Bcc=None, X_Unsent=None).as_bytes(policy=SMTP)),
        "attempts": 1,
        "reply": "250 Taken as number 7",
        "error": None,
        "refused": [],
    }


def test_a_mail_of_many_megabytes_arrives_whole(send: Send) -> None:
    line = b"0123456789" * 7 + b"\n"
    Path("large.eml").write_bytes(b"From: a@x.example\nTo: b@x.example\n\n" + line * 60_000)
    with real_server(data_size_limit=None) as (name, mailbox):
        assert send("large.eml", "--server", name, "--security", "none").code == 0
    assert received(mailbox).partition(b"\r\n\r\n")[2] == line.replace(b"\n", b"\r\n") * 60_000


def test_the_machines_name_is_told_to_nobody(
    send: Send, plain: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda *_: "laptop-of-anna.example")
    assert send("draft.eml", "--server", plain[0], "--security", "none").code == 0
    assert plain[1].greeted_by[-1] == "[127.0.0.1]"
