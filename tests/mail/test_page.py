"""docs/mail.md: its draft, its commands and what they print."""

import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.mail.conftest import Send
from tests.mail.servers import PASSWORD, Authority, real_server

PAGE = (PROJECT / "docs" / "mail.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_pages_commands_print_what_the_page_shows(
    send: Send, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("draft.eml").write_text(blocks("eml")[0], encoding="ascii")
    # A server that the system believes, and a password that it has.
    monkeypatch.setenv("SSL_CERT_FILE", authority.path)
    monkeypatch.setenv("XLSIZING_SMTP_PASSWORD", "")
    with real_server(starttls=authority.context("localhost"), require_starttls=True) as server:
        name, mailbox = server
        for commands, printed in zip(blocks("sh"), blocks("text")[:2], strict=True):
            setting, command = commands.splitlines()
            variable, _, value = setting.removeprefix("export ").partition("=")
            monkeypatch.setenv(variable, value.replace("smtp.example.com", name))
            program, action, *arguments = shlex.split(command)
            assert (program, action) == ("xlsizing", "send")
            ran = send(*arguments)
            assert (ran.code, ran.err) == (0, "")
            assert ran.out.replace(name, "smtp.example.com:587") == printed
            assert len(mailbox.accepted) == ("--dry-run" not in arguments)
            monkeypatch.setenv("XLSIZING_SMTP_PASSWORD", PASSWORD)
    assert mailbox.signed_in == [True]


def test_the_page_has_every_option_and_setting() -> None:
    usage = re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE)
    source = (PROJECT / "xlsizing" / "cli" / "arguments.py").read_text(encoding="utf-8")
    parts = source.partition("def _send(")[2].partition("\ndef ")[0]
    assert set(usage) == set(re.findall(r'"(--[a-z-]+)"', parts)) - {"--password"}
    for name in ("SERVER", "USERNAME", "PASSWORD"):
        assert f"XLSIZING_SMTP_{name}" in PAGE
