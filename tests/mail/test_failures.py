"""Servers that fail at each stage: how often they are tried, what is said, and never two mails."""

import base64
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.mail.conftest import Send
from tests.mail.servers import PASSWORD, USERNAME, Authority, Does, FailingServer
from xlsizing.mail import submission

IN_BASE64 = base64.b64encode(PASSWORD.encode()).decode()
OF_BOTH = base64.b64encode(f"\0bo\0{PASSWORD}".encode()).decode()
"""As PLAIN sends it; "bo" puts the password where it is another code than alone."""

FAST = ("--timeout", "0.2", "--retries", "1")

STAGES = {
    "banner": "its greeting",
    "EHLO": "EHLO",
    "AUTH": "AUTH",
    "MAIL": "MAIL FROM",
    "bob@example.com": "RCPT TO",
    "DATA": "DATA",
}
"""Stages before the mail is handed over, with the words for them."""


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch: pytest.MonkeyPatch, send: Send) -> None:
    del send  # which clears the environment first
    monkeypatch.setenv("XLSIZING_SMTP_USERNAME", USERNAME)
    monkeypatch.setenv("XLSIZING_SMTP_PASSWORD", PASSWORD)


def in_the_open(server: FailingServer) -> tuple[str, ...]:
    return ("draft.eml", "--server", server.name, "--security", "none")


@pytest.mark.parametrize("stage", STAGES)
def test_a_connection_closed_before_the_mail_is_tried_anew(send: Send, stage: str) -> None:
    with FailingServer({stage: Does.CLOSE}) as server:
        ran = send(*in_the_open(server))
    told = f"{server.name} closed the connection at {STAGES[stage]}."
    assert (ran.code, ran.out) == (4, "")
    assert ran.err == (
        f"Attempt 1 of 4: {told} The next one in 1 second.\n"
        f"Attempt 2 of 4: {told} The next one in 4 seconds.\n"
        f"Attempt 3 of 4: {told} The next one in 16 seconds.\n"
        f"{told} It was tried 4 times.\n"
    )
    assert send.waits == [1, 4, 16]
    assert (server.connections, server.accepted) == (4, [])


@pytest.mark.parametrize("stage", STAGES)
def test_silence_before_the_mail_is_tried_anew(send: Send, stage: str) -> None:
    with FailingServer({stage: Does.NOTHING}) as server:
        ran = send(*in_the_open(server), *FAST)
    assert ran.code == 4
    told = f"{server.name} did not answer within 0.2 seconds at {STAGES[stage]}."
    assert ran.err.splitlines()[-1].startswith(told)
    assert ran.err.endswith("It was tried 2 times.\n")
    assert ("wants --security tls." in ran.err) == (stage == "banner")
    assert (server.connections, server.accepted, send.waits) == (2, [], [1])


@pytest.mark.parametrize("stage", STAGES)
def test_a_passing_fault_passes_and_the_mail_arrives_once(send: Send, stage: str) -> None:
    usual = {"banner": "220 ready", "EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": "235 ok"}
    later = {"DATA": "354 go on"}.get(stage, usual.get(stage, "250 ok"))
    faults = ["451 4.3.0 not now", "421 4.3.2 closing", later]
    with FailingServer({stage: faults}) as server:
        ran = send(*in_the_open(server), "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["attempts"] == 3
    assert (server.connections, len(server.accepted), send.waits) == (3, 1, [1, 4])
    assert "451 4.3.0 not now" in ran.err
    assert "421 4.3.2 closing" in ran.err


@pytest.mark.parametrize(
    ("stage", "sentence"),
    [
        ("banner", "refuses its greeting: 550 5.7.0 no"),
        ("EHLO", "refuses EHLO: 550 5.7.0 no"),
        ("AUTH", "does not accept the user name and password: 550 5.7.0 no"),
        ("MAIL", "refuses the sender planner@example.com: 550 5.7.0 no"),
        ("bob@example.com", "refuses bob@example.com (550 5.7.0 no)."),
        ("DATA", "refuses DATA: 550 5.7.0 no"),
        ("dot", "does not accept the mail: 550 5.7.0 no Nobody got it."),
    ],
)
def test_a_refusal_is_told_and_never_tried_anew(send: Send, stage: str, sentence: str) -> None:
    with FailingServer({stage: "550 5.7.0 no"}) as server:
        ran = send(*in_the_open(server))
    assert ran.code == 4
    assert ran.err.startswith(f"{server.name} {sentence}")
    assert ran.out == ""
    assert (server.connections, server.accepted, send.waits) == (1, [], [])


def test_one_recipient_refused_is_the_end_for_all_and_all_refused_are_named(send: Send) -> None:
    script = {"bob@example.com": "550 5.1.1 unknown", "carol@example.com": "450 4.2.1 full"}
    with FailingServer(script) as server:
        ran = send(*in_the_open(server), "--json")
    assert ran.code == 4
    assert ran.err == (
        f"{server.name} refuses bob@example.com (550 5.1.1 unknown); carol@example.com (450 4.2.1 "
        "full). Nobody got the mail, those that it accepts included.\n"
    )
    told = json.loads(ran.out)
    assert told["status"] == "not sent"
    assert told["refused"] == [
        {"address": "bob@example.com", "reply": "550 5.1.1 unknown"},
        {"address": "carol@example.com", "reply": "450 4.2.1 full"},
    ]
    assert "DATA" not in server.heard
    assert server.heard[-1] == "QUIT"
    assert (server.connections, server.accepted) == (1, [])


@pytest.mark.parametrize("action", [Does.CLOSE, Does.NOTHING, "HTTP/1.1 200 OK", "999 what"])
def test_once_the_mail_is_out_a_lost_answer_is_never_tried_anew(
    send: Send, action: Does | str
) -> None:
    with FailingServer({"dot": action}) as server:
        ran = send(*in_the_open(server), *FAST, "--json")
    assert ran.code == 4
    whats: dict[Does | str, str] = {
        Does.CLOSE: "then the connection ended before it said whether it accepts it",
        Does.NOTHING: "did not say within 0.2 seconds whether it accepts it",
    }
    what = whats.get(action, "answered with what is no answer of a mail server: ")
    assert ran.err.startswith(
        f"The mail may have been sent, or not: {server.name} got all of it and {what}"
    )
    assert ran.err.endswith(
        "It is not tried again, since everybody could get it twice. Look for its Message-ID "
        "<plan-7@example.com> in the recipients' mailboxes or the server's log, and send it again "
        "only where it is not there.\n"
    )
    assert json.loads(ran.out)["status"] == "unknown"
    assert (server.connections, len(server.accepted), send.waits) == (1, 1, [])


def test_a_passing_refusal_of_the_whole_mail_is_left_to_the_next_command(send: Send) -> None:
    with FailingServer({"dot": "451 4.7.1 greylisted"}) as server:
        ran = send(*in_the_open(server), "--json")
    assert ran.code == 4
    assert ran.err == (
        f"{server.name} does not accept the mail: 451 4.7.1 greylisted Nobody got it. It may be "
        "sent again later.\n"
    )
    assert json.loads(ran.out)["status"] == "not sent"
    assert (server.connections, server.accepted, send.waits) == (1, [], [])


@pytest.mark.parametrize("more", [(), ("--json",)])
@pytest.mark.parametrize(
    ("script", "code", "told"),
    [({}, 0, " accepted the mail <plan-7@example.com>"), ({"dot": Does.CLOSE}, 4, "may have been")],
)
def test_an_output_that_cannot_be_written_leaves_the_exit_code(
    send: Send, script: dict[str, Does], code: int, told: str, more: tuple[str, ...]
) -> None:
    del send  # which made the draft
    with FailingServer(script) as server, Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "xlsizing", "send", *in_the_open(server), *more]
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False
        )
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert len(server.accepted) == 1


@pytest.mark.parametrize("action", [Does.CLOSE, Does.NOTHING, "421 bye", "500 what"])
def test_a_goodbye_that_fails_changes_nothing(
    send: Send, action: Does | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "FAREWELL", 0.1)
    began = time.monotonic()
    with FailingServer({"QUIT": action}) as server:
        ran = send(*in_the_open(server), "--timeout", "20")
    assert time.monotonic() - began < 10
    assert (ran.code, ran.err) == (0, "")
    assert (server.connections, len(server.accepted)) == (1, 1)


def test_who_stops_the_command_after_the_mail_is_out_is_told_what_to_look_at(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_: object) -> None:
        raise KeyboardInterrupt

    with FailingServer({}) as server:
        finish = submission._Conversation._finish

        def finish_stopped(conversation: submission._Conversation, mail: object) -> str:
            monkeypatch.setattr("smtplib.SMTP.getreply", stopped)
            return finish(conversation, mail)  # type: ignore[arg-type]

        monkeypatch.setattr(submission._Conversation, "_finish", finish_stopped)
        ran = send(*in_the_open(server))
    assert ran.code == 4
    assert ran.err.startswith("The mail may have been sent, or not: ")
    assert len(server.accepted) == 1


def test_who_stops_the_command_in_the_middle_of_the_mail_sends_nothing(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(conversation: submission._Conversation, content: bytes) -> None:
        conversation._smtp.send(content[:100] + b"\r\n")
        raise KeyboardInterrupt

    began = time.monotonic()
    with FailingServer({}) as server:
        monkeypatch.setattr(submission._Conversation, "_send_content", stopped)
        ran = send(*in_the_open(server))
    assert (ran.code, ran.out, ran.err) == (130, "", "")
    assert (server.connections, server.accepted, send.waits) == (1, [], [])
    assert time.monotonic() - began < submission.FAREWELL


def test_a_server_that_is_not_there_is_tried_anew(send: Send) -> None:
    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        name = f"127.0.0.1:{taken.getsockname()[1]}"
        ran = send("draft.eml", "--server", name, "--security", "none", "--retries", "2")
    assert ran.code == 4
    told = (
        f"{name} cannot be reached: Connection refused. Check the server's name and port, and "
        "whether a firewall lets through to it."
    )
    assert ran.err.splitlines()[-1] == f"{told} It was tried 3 times."
    assert send.waits == [1, 4]


def test_a_name_that_nobody_has_is_told(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    ran = send("draft.eml", "--server", "nobody.invalid", "--retries", "0", "--security", "tls")
    assert ran.code == 4
    assert ran.err == (
        "nobody.invalid cannot be found: Name or service not known. Check the server's name, and "
        "the network.\n"
    )


@pytest.mark.parametrize(
    ("script", "tls_only", "sentence", "connections"),
    [
        ({"STARTTLS": "454 4.7.0 not now"}, False, "puts off STARTTLS: 454 4.7.0 not now", 2),
        ({"STARTTLS": "501 5.5.4 no"}, False, "refuses STARTTLS: 501 5.5.4 no", 1),
        ({"STARTTLS": Does.CLOSE}, False, "closed the connection at STARTTLS.", 2),
        ({"STARTTLS": Does.NOTHING}, False, "did not answer within 0.2 seconds at STARTTLS.", 2),
        (
            {"STARTTLS": "220 go", "TLS": Does.CLOSE},
            False,
            "closed the connection while it was being encrypted.",
            2,
        ),
        ({"TLS": Does.CLOSE}, True, "closed the connection while it was being encrypted.", 2),
        ({"TLS": Does.NOTHING}, True, "did not answer within 0.2 seconds when TLS began.", 2),
        ({"TLS": "220 what do you want"}, True, "does not speak TLS as it should (", 1),
    ],
)
def test_encryption_that_fails(
    send: Send,
    script: dict[str, Does | str],
    *,
    tls_only: bool,
    sentence: str,
    connections: int,
) -> None:
    with FailingServer(script) as server:
        security = "tls" if tls_only else "starttls"
        ran = send("draft.eml", "--server", server.name, "--security", security, *FAST)
    assert ran.code == 4
    assert ran.err.splitlines()[-1].startswith(f"{server.name} {sentence}")
    assert (server.connections, server.accepted) == (connections, [])
    assert not any(line.startswith(("AUTH", "MAIL")) for line in server.heard)


def test_a_server_without_starttls_gets_neither_password_nor_mail(send: Send) -> None:
    with FailingServer({}) as server:
        ran = send("draft.eml", "--server", server.name)
    assert ran.code == 4
    assert ran.err.startswith(
        f"{server.name} does not offer STARTTLS, and nothing is sent to it in the open; "
    )
    assert server.heard == ["ehlo [127.0.0.1]", "QUIT"]
    assert (server.connections, send.waits) == (1, [])


def test_words_in_the_open_before_encryption_are_not_believed(
    send: Send, authority: Authority
) -> None:
    # Somebody on the way adds an answer to that of STARTTLS: a server that takes no password.
    script = {"STARTTLS": "220 go\r\n250-here\r\n250 AUTH CRAM-MD5"}
    with FailingServer(script, starttls=authority.context("127.0.0.1")) as server:
        ran = send("draft.eml", "--server", server.name, "--ca", authority.path)
    assert (ran.code, ran.err) == (0, "")
    assert len(server.accepted) == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "its certificate is for another name than 127.0.0.1. Name the server as its"),
        ({"not_after": 2000}, "its certificate has expired. Who runs it must renew it;"),
        ({"not_before": 2100}, "its certificate is not valid yet. Check this machine's clock."),
        (
            {"stranger": True},
            "no known authority vouches for its certificate (unable to get local issuer certifi",
        ),
    ],
)
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_is_wrong(
    send: Send, authority: Authority, settings: dict[str, int], sentence: str, security: str
) -> None:
    from datetime import UTC, datetime

    stranger = settings.get("stranger")
    days = {
        name: datetime(year, 1, 1, tzinfo=UTC)
        for name, year in settings.items()
        if name != "stranger"
    }
    if "not_before" in days:
        days["not_after"] = datetime(2101, 1, 1, tzinfo=UTC)
    context = authority.context("127.0.0.1" if settings else "mail.example", **days)
    with FailingServer({}, **{security: context}) as server:  # type: ignore[arg-type]
        believed = () if stranger else ("--ca", authority.path)
        ran = send("draft.eml", "--server", server.name, "--security", security, *believed)
    assert ran.code == 4
    assert ran.err.startswith(f"{server.name} is not trusted: {sentence}")
    assert (server.connections, server.accepted, send.waits) == (1, [], [])
    assert not any(line.startswith(("AUTH", "MAIL")) for line in server.heard)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read: No such file or directory."),
        ("no certificate", "has no certificates; it must be a file of certificates in PEM form."),
    ],
)
def test_an_authority_that_is_none(send: Send, content: str | None, sentence: str) -> None:
    if content:
        Path("ca.pem").write_text(content, encoding="ascii")
    ran = send("draft.eml", "--server", "127.0.0.1:1", "--ca", "ca.pem")
    assert ran == (2, "", f"--ca ca.pem {sentence}\n")


@pytest.mark.parametrize(
    "reply",
    [
        f"535 wrong: {PASSWORD}",
        f"535 wrong: {IN_BASE64}",
        f"535 wrong: {OF_BOTH}",
        "454 later: " + PASSWORD.replace(" ", "\r\n454 "),
        f"454 later: {IN_BASE64[:10]}\r\n454 {IN_BASE64[10:]}",
    ],
)
@pytest.mark.parametrize("offers", [["AUTH PLAIN"], ["AUTH LOGIN"]])
@pytest.mark.parametrize("stage", ["AUTH", "MAIL", "bob@example.com", "dot"])
def test_the_password_is_in_no_output(
    send: Send, monkeypatch: pytest.MonkeyPatch, reply: str, offers: list[str], stage: str
) -> None:
    monkeypatch.setenv("XLSIZING_SMTP_USERNAME", "bo")
    # Each form of a line break is one that the server may answer with, too.
    lines = reply.split("\r\n")
    answer = "\r\n".join([f"{each[:3]}-{each[4:]}" for each in lines[:-1]] + lines[-1:])
    with FailingServer({stage: answer}, offers=offers) as server:
        ran = send(*in_the_open(server), "--json")
    assert ran.code == 4
    assert any("AUTH" in line for line in server.heard)
    shown = "".join((ran.out + ran.err + json.loads(ran.out)["error"]).split())
    assert "itswordsrepeatthepasswordandareleftout" in shown
    for secret in (
        PASSWORD,
        IN_BASE64,
        OF_BOTH,
    ):
        assert "".join(secret.split()).rstrip("=") not in shown


def test_a_password_goes_by_login_where_the_server_wants_that(send: Send) -> None:
    with FailingServer({}, offers=["AUTH LOGIN CRAM-MD5"]) as server:
        assert send(*in_the_open(server)).code == 0
    assert "AUTH LOGIN" in server.heard
    assert len(server.accepted) == 1


@pytest.mark.parametrize(
    ("offers", "sentence"),
    [([], "offers no way to sign in"), (["AUTH XOAUTH2"], "offers only XOAUTH2 to sign in")],
)
def test_a_server_that_knows_no_passwords(send: Send, offers: list[str], sentence: str) -> None:
    with FailingServer({}, offers=offers) as server:
        ran = send(*in_the_open(server))
    assert ran.code == 4
    assert ran.err.startswith(f"{server.name} {sentence}, where a user name is set; ")
    assert (server.connections, server.accepted) == (1, [])


@pytest.mark.parametrize("banner", ["HTTP/1.1 400 Bad Request", "x" * 9000])
def test_another_kind_of_server_is_told(send: Send, banner: str) -> None:
    with FailingServer({"banner": banner}) as server:
        ran = send(*in_the_open(server))
    assert ran.code == 4
    assert ran.err.startswith(
        f"{server.name} gives an answer that is none of a mail server (its greeting): "
    )
    assert len(ran.err) < 300
    assert server.connections == 1


def test_a_server_cannot_write_on_the_terminal(send: Send) -> None:
    with FailingServer({"MAIL": "550 \x1b[2Jgone\u202e"}) as server:
        ran = send(*in_the_open(server))
    assert ran.err.endswith(": 550 \\x1b[2Jgone\\u202e\n")


def test_bytes_beyond_ascii_need_a_server_that_takes_them(send: Send) -> None:
    Path("eight.eml").write_bytes("From: a@x.example\nTo: b@x.example\n\nolá\n".encode())
    for offers, code in ((["AUTH PLAIN"], 4), (["AUTH PLAIN", "8BITMIME"], 0)):
        with FailingServer({}, offers=offers) as server:
            ran = send("eight.eml", "--server", server.name, "--security", "none")
        assert ran.code == code
        assert len(server.accepted) == (not code)
        assert ("8BITMIME" in ran.err) == (code == 4)
    assert "MAIL FROM:<a@x.example> BODY=8BITMIME" in server.heard
