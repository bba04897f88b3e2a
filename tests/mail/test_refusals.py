"""What `xlsizing send` refuses before it asks a server, each with one sentence."""

import errno
import os
import socket
from pathlib import Path

import pytest

from tests.mail.conftest import Send, Write, draft

FROM_TO = b"From: a@x.example\nTo: b@x.example\n"


@pytest.fixture(autouse=True)
def _nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)


def sentence(send: Send, content: bytes, *options: str) -> str:
    """The one sentence that a draft of these bytes is refused with."""
    Path("bad.eml").write_bytes(content)
    ran = send("bad.eml", "--server", "mail.example", *options)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    return ran.err.rstrip("\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "bad.eml is empty; it must be a mail draft."),
        (b" \r\n\n", "bad.eml is empty; it must be a mail draft."),
        (b"PK\x03\x04\0\0", "bad.eml is no mail draft: it has NUL characters."),
        (b"hello world\n", "bad.eml is no mail draft: 'hello world' stands where a header such as"),
        (b"\nFrom: a@x.example\n", "bad.eml is no mail draft: '' stands where a header such as"),
        (b"\xef\xbb\xbf" + FROM_TO, "bad.eml is no mail draft: '\\ufeffFrom: a@x.example' "),
        (b"From a@x.example Mon\n" + FROM_TO, "bad.eml is no mail draft: 'From a@x.example Mon'"),
        (b" folded: x\n" + FROM_TO, "bad.eml is no mail draft: ' folded: x' stands where"),
        (
            FROM_TO + b"Subject: x\n \n y\n",
            "bad.eml is no mail draft: 'Subject: x\\r\\n \\r\\n",
        ),
        (FROM_TO + b"Subject: x\rBcc: evil@x.example\n", "bad.eml has carriage returns without a"),
        (FROM_TO + b"\nbody\r.\r\n", "bad.eml has carriage returns without a line feed, which"),
        (
            FROM_TO + b"Subject: \x1b[2J\n",
            "bad.eml: Subject has control characters: '\\x1b[2J'; a",
        ),
        (
            FROM_TO + b"Subject: =?utf-8?q?x=0D=0ABcc:_evil=40x.example?=\n",
            "bad.eml: Subject has control characters: 'x\\r\\nBcc: evil@x.example'; a header is",
        ),
        (
            b"From: a@x.example\nTo: =?utf-8?q?a=0d=0aBcc:b?= <b@x.example>\n",
            "bad.eml: To has control characters: 'a\\r\\nBcc:b <b@x.example>'; a header is one line",
        ),
        (FROM_TO + b"X-A: =?utf-8?b?AAAA?=\n", "bad.eml: X-A has control characters: "),
        (FROM_TO + b"X-A: =?utf-8?b?AAAAA?=\n", "bad.eml: X-A has an encoded word that cannot be"),
        (FROM_TO + b"Subject: ol\xc3\xa1\n", "bad.eml: Subject has characters beyond ASCII; a"),
        (FROM_TO + b"to: c@x.example\n", "bad.eml has two headers to; a mail has one."),
        (FROM_TO + b"Bcc: c@x.example\nBCC: d@x.example\n", "bad.eml has two headers BCC; a mail"),
        (FROM_TO + b"\n" + b"x" * 999, "bad.eml has a line of 999 characters; a mail has at most"),
        (FROM_TO + b"X-A: " + b"x" * 994, "bad.eml has a line of 999 characters; a mail has at"),
        (FROM_TO + b"X-A: " + b"x\n " * 99_999, "bad.eml has headers of 400,0"),
        (FROM_TO + b"Message-ID: plan 7\n", "bad.eml has the Message-ID 'plan 7'; it must be such"),
        (FROM_TO + b"Message-ID:\n", "bad.eml has the Message-ID ''; it must be such as <plan-7@"),
        (b"Subject: x\nTo: b@x.example\n", "bad.eml names no sender; add --sender ADDRESS, or a"),
        (b"From:\nTo: b@x.example\n", "bad.eml has a From without an address; write one, or"),
        (b"From: a@x.example, c@x.example\nTo: b@x.example\n", "bad.eml is from 2 people; say by"),
        (b"From: a@x.example\n", "bad.eml names nobody to send it to; add --to ADDRESS, or a"),
        (b"From: a@x.example\nTo: undisclosed:;\n", "bad.eml names nobody to send it to; add"),
    ],
)
def test_what_is_no_draft(send: Send, content: bytes, said: str) -> None:
    assert sentence(send, content).startswith(said)


@pytest.mark.parametrize(
    "value",
    [
        "a@x.example)b@y.example",
        "a@x.example b@y.example",
        "a(@y.example)@x.example",
        "a@x.example;b@y.example",
        "=?utf-8?q?a?=@x.example",
        "=?utf-8?q?a=40evil.example=2C?= b@x.example",
        "<a@x.example",
        "<@relay.example:a@x.example>",
        "a@@x.example",
        "a@b@x.example",
        "<>",
        "Anna",
        "a.@x.example",
        '"a b"@x.example',
        '"a\\" <evil@x.example>"@x.example',
        "a@[127.0.0.1]",
        "a@-x.example",
        "a@x..example",
        "a" * 65 + "@x.example",
        "a@" + "x" * 64 + ".example",
        "a@" + ".".join(["x" * 60] * 5),
        "(\n " * 5000 + "a@x.example",
    ],
)
def test_headers_that_are_no_addresses(send: Send, value: str) -> None:
    for header in ("From", "Sender", "To", "Cc", "Bcc"):
        usual = {"From": "a@x.example", "To": "b@x.example"} | {header: value}
        content = "".join(f"{name}: {each}\n" for name, each in usual.items())
        said = sentence(send, content.encode())
        assert said.startswith(f"bad.eml: {header} ")
        assert "such as" in said
        assert len(said) < 250


@pytest.mark.parametrize("option", ["--to", "--sender"])
@pytest.mark.parametrize(
    "value",
    [
        "a@x.example\r\nRCPT TO:<evil@x.example>",
        "a@x.example\n",
        "a@x.example\0",
        "a@x.example> SIZE=1",
        "a@x.example,b@x.example",
        "Anna <a@x.example>",
        "a\x7f@x.example",
        "anna",
        "",
    ],
)
def test_options_that_are_no_addresses(send: Send, option: str, value: str) -> None:
    said = sentence(send, FROM_TO, option, value)
    assert said.startswith(f"{option} has '")
    assert said.endswith("which is no address such as anna@example.com.")


@pytest.mark.parametrize("value", ["josé@x.example", "a@münchen.example", "a@x\u3002example"])
def test_addresses_beyond_ascii_are_refused_with_a_way_out(send: Send, value: str) -> None:
    said = sentence(send, FROM_TO, "--to", value)
    assert said == (
        f"--to has the address '{value}', with characters beyond ASCII; write its domain as "
        "xn--..., and ask for an address whose name is ASCII."
    )


@pytest.mark.parametrize(
    "value",
    [
        "J. Doe <b@x.example>",
        "Team: b@x.example, c@x.example;",
        "=?utf-8?q?a=40evil.example=2C?= <b@x.example>",
        '"Doe, J" <b@x.example> (the chief)',
        "b+gpu/nodes=1@x-1.xn--mnchen-3ya.example",
    ],
)
def test_addresses_as_people_write_them_are_read(send: Send, value: str) -> None:
    Path("good.eml").write_text(f"From: a@x.example\nTo: {value}\n", encoding="ascii")
    ran = send("good.eml", "--server", "mail.example", "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert "evil" not in ran.out
    assert "  To          b" in ran.out


def test_a_draft_from_several_is_sent_by_its_sender(send: Send) -> None:
    of_two = b"From: a@x.example, c@x.example\nTo: b@x.example\n"
    Path("good.eml").write_bytes(of_two + b"Sender: desk@x.example\n")
    ran = send("good.eml", "--server", "mail.example", "--dry-run")
    assert "  Sender      desk@x.example\n" in ran.out
    ran = send("good.eml", "--server", "mail.example", "--sender", "c@x.example", "--dry-run")
    assert "  Sender      c@x.example\n" in ran.out


def test_a_draft_as_large_as_it_may_be(send: Send) -> None:
    line = b"x" * 63 + b"\n"
    content = FROM_TO + b"\n" + line * (1024 * 1024 // 64)
    content = content[: 1024 * 1024]
    Path("good.eml").write_bytes(content)
    assert send("good.eml", "--server", "mail.example", "--most-mib", "1", "--dry-run").code == 0
    assert sentence(send, content + b"x", "--most-mib", "1") == (
        "bad.eml has more than 1 MiB, the most that a mail may have here; send a link, or raise "
        "--most-mib where every server on the way takes larger mails."
    )


def test_what_is_no_file(send: Send) -> None:
    Path("folder.eml").mkdir()
    os.mkfifo("pipe.eml")
    for name, said in (
        ("folder.eml", "is no file; name a mail draft, such as draft.eml."),
        ("pipe.eml", "is no file; name a mail draft, such as draft.eml."),
        ("none.eml", "does not exist; name a mail draft, such as draft.eml."),
        ("n\0l.eml", "does not exist; name a mail draft, such as draft.eml."),
    ):
        ran = send(name, "--server", "mail.example")
        assert (ran.code, ran.out, ran.err) == (2, "", f"{name} {said}\n".replace("\0", "\\x00"))


def test_a_file_that_may_not_be_read(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # root may read whatever its mode says
    ran = send("draft.eml", "--server", "mail.example")
    assert (ran.code, ran.err) == (2, "draft.eml cannot be read: Permission denied.\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "No mail server is named; add --server HOST, or set XLSIZING_SMTP_SERVER."),
        (("--server", "mail.example:0"), "The mail server is 'mail.example:0'; it must be HOST or"),
        (("--server", "mail.example:65536"), "The mail server is 'mail.example:65536'; it must"),
        (("--server", "mail example"), "The mail server is 'mail example'; it must be HOST or"),
        (("--server", "mail..example"), "The mail server is 'mail..example'; it must be HOST or"),
        (("--server", "m\nx"), "The mail server is 'm\\nx'; it must be HOST or HOST:PORT, such as"),
        (("--server", "smtp://mail.example"), "The mail server is 'smtp://mail.example'; it must"),
        (("--server", "[::1::2]"), "The mail server is '[::1::2]'; in brackets stands an address"),
        (("--server", "m", "--security", "ssl"), "--security is 'ssl'; it must be starttls, tls,"),
        (("--server", "m", "--timeout", "0"), "--timeout is 0; it must be from 0.1 to 3600."),
        (("--server", "m", "--timeout", "4000"), "--timeout is 4000; it must be from 0.1 to 3600."),
        (("--server", "m", "--retries", "-1"), "--retries is -1; it must be from 0 to 10."),
        (("--server", "m", "--retries", "11"), "--retries is 11; it must be from 0 to 10."),
        (("--server", "m", "--most-mib", "0"), "--most-mib is 0; it must be from 1 to 1000."),
        (("--server", "m", "--most-mib", "9" * 99), "--most-mib is 99999"),
    ],
)
def test_options_that_are_wrong(send: Send, options: tuple[str, ...], said: str) -> None:
    ran = send("draft.eml", *options)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(said)


@pytest.mark.parametrize("typed", [("--password", "tr0mbone"), ("--password=tr0mbone",)])
def test_a_password_as_an_argument_is_refused_and_not_repeated(
    send: Send, capsys: pytest.CaptureFixture[str], typed: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as end:
        send("draft.eml", "--server", "m", *typed)
    assert end.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "--password: no argument is a password, since others on this machine can read "
        "arguments; set XLSIZING_SMTP_PASSWORD, or keep it in the keyring. See xlsizing send "
        "--help.\n"
    )


@pytest.mark.parametrize(
    ("server", "security", "said"),
    [
        ("mail.example", (), "mail.example:587, STARTTLS"),
        ("mail.example:465", (), "mail.example:465, TLS"),
        ("mail.example:2525", ("--security", "TLS"), "mail.example:2525, TLS"),
        ("mail.example", ("--security", "none"), "mail.example:25, in the open"),
        ("[::1]", ("--security", "tls"), "[::1]:465, TLS"),
    ],
)
def test_ports_and_security_go_together(
    send: Send,
    monkeypatch: pytest.MonkeyPatch,
    server: str,
    security: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.setenv("XLSIZING_SMTP_SERVER", server)
    assert f"  Server      {said}\n" in send("draft.eml", *security, "--dry-run").out
    ran = send("draft.eml", "--server", "other.example", *security, "--dry-run")
    assert "  Server      other.example:" in ran.out


def test_a_subject_cannot_write_on_the_terminal(send: Send, write: Write) -> None:
    ran = send(write(Subject="plan \u202egnp.exe"), "--server", "m", "--dry-run")
    assert "  Subject     plan \\u202egnp.exe\n" in ran.out


def test_the_draft_is_only_read(send: Send) -> None:
    before = draft().as_bytes()
    Path("draft.eml").write_bytes(before)
    Path("draft.eml").chmod(0o444)
    assert send("draft.eml", "--server", "m", "--dry-run").code == 0
    assert Path("draft.eml").read_bytes() == before
