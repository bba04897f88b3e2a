"""Where the password comes from, and where it does not go."""

import sys
from base64 import b64encode
from types import ModuleType

import pytest

from tests.mail.conftest import Send
from tests.mail.servers import PASSWORD, USERNAME, FailingServer, real_server
from xlsizing.mail.credentials import Credentials


class Keyring(ModuleType):
    """A keyring with one password, in place of the system's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__("keyring")
        self.errors = ModuleType("keyring.errors")
        self.error = type("KeyringLocked", (Exception,), {})
        self.errors.__dict__["KeyringError"] = self.error
        self.passwords: dict[tuple[str, str], str] = {}
        self.fault: type[Exception] | None = None
        self.asked = 0
        monkeypatch.setitem(sys.modules, "keyring", self)
        monkeypatch.setitem(sys.modules, "keyring.errors", self.errors)

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        if self.fault:
            raise self.fault("the entry of planner: secret")
        return self.passwords.get((service, username))


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    return Keyring(monkeypatch)


def test_the_keyring_has_the_password_by_server_and_user(send: Send, keyring: Keyring) -> None:
    keyring.passwords["xlsizing:localhost", USERNAME] = PASSWORD
    with real_server(auth_require_tls=False) as (name, mailbox):
        ran = send("draft.eml", "--server", name, "--security", "none", "--username", USERNAME)
    assert (ran.code, ran.err) == (0, "")
    assert mailbox.signed_in == [True]


def test_the_environments_password_comes_first(
    send: Send, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLSIZING_SMTP_USERNAME", "somebody else")
    monkeypatch.setenv("XLSIZING_SMTP_PASSWORD", PASSWORD)
    with real_server(auth_require_tls=False) as (name, mailbox):
        ran = send("draft.eml", "--server", name, "--security", "none", "--username", USERNAME)
    assert ran.code == 0
    assert mailbox.signed_in == [True]
    assert keyring.asked == 0


def test_a_keyring_without_the_password(send: Send, keyring: Keyring) -> None:
    keyring.passwords["xlsizing:other.example", USERNAME] = PASSWORD
    ran = send("draft.eml", "--server", "mail.example", "--username", USERNAME)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "The keyring has no password for this user name: set XLSIZING_SMTP_PASSWORD, or keep it in "
        "the keyring: keyring set xlsizing:mail.example NAME.\n"
    )


def test_a_keyring_that_fails(send: Send, keyring: Keyring) -> None:
    for fault in (keyring.error, ConnectionRefusedError, RuntimeError):
        keyring.fault = fault
        ran = send("draft.eml", "--server", "mail.example", "--username", USERNAME)
        assert ran.code == 2
        said = f"The keyring gives no password ({fault.__name__}); unlock it, or set "
        assert ran.err.startswith(said)
        assert "secret" not in ran.err


def test_no_keyring(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setenv("XLSIZING_SMTP_USERNAME", USERNAME)
    ran = send("draft.eml", "--server", "mail.example")
    assert ran.code == 2
    assert ran.err.startswith("There is a user name, but no password: set XLSIZING_SMTP_PASSWORD, ")
    assert ran.err.endswith('type pip install ".[mail]".\n')


def test_a_password_without_a_user_name(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLSIZING_SMTP_PASSWORD", PASSWORD)
    ran = send("draft.eml", "--server", "mail.example")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "XLSIZING_SMTP_PASSWORD is set without a user name; add --username NAME, or set "
        "XLSIZING_SMTP_USERNAME.\n"
    )


@pytest.mark.parametrize("bad", ["two\nlines", "null\x00", "\udcff"])
def test_a_password_that_cannot_be_sent(send: Send, keyring: Keyring, bad: str) -> None:
    keyring.passwords["xlsizing:mail.example", USERNAME] = bad
    ran = send("draft.eml", "--server", "mail.example", "--username", USERNAME)
    assert ran.code == 2
    assert ran.err.startswith("The user name or the password has control characters or bytes that")
    assert "lines" not in ran.err


@pytest.mark.parametrize("server", ["mail.example", "192.0.2.1", "localhost.example", "[2001::1]"])
def test_no_password_goes_in_the_open_to_another_machine(
    send: Send, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    monkeypatch.setenv("XLSIZING_SMTP_USERNAME", USERNAME)
    monkeypatch.setenv("XLSIZING_SMTP_PASSWORD", PASSWORD)
    for dry in ((), ("--dry-run",)):
        ran = send("draft.eml", "--server", server, "--security", "none", *dry)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("With --security none anybody on the way to ")


def test_a_dry_run_asks_neither_server_nor_keyring(send: Send, keyring: Keyring) -> None:
    with FailingServer({}) as server:
        ran = send("draft.eml", "--server", server.name, "--username", USERNAME, "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert "  Signs in    with a password of the keyring\n" in ran.out
    assert (server.connections, keyring.asked) == (0, 0)


def test_credentials_do_not_show_the_password() -> None:
    assert "secret" not in repr(Credentials("planner", "secret"))
    assert "secret" not in f"{Credentials('planner', 'secret')}"


def test_nothing_that_is_printed_has_the_password(
    send: Send, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("XLSIZING_SMTP_USERNAME", USERNAME)
    monkeypatch.setenv("XLSIZING_SMTP_PASSWORD", "tr0mbone")
    sent = b64encode(b"\0planner\0tr0mbone").decode()
    for script in ({}, {"AUTH": "535 no"}, {"AUTH": "454 later"}, {"dot": "451 later"}):
        with FailingServer(script) as server:
            for more in ((), ("--json",), ("--dry-run",), ("--dry-run", "--json")):
                ran = send("draft.eml", "--server", server.name, "--security", "none", *more)
                shown = ran.out + ran.err + caplog.text
                assert "tr0mbone" not in shown
                assert "dHIwbWJvbmU" not in shown  # in base64
                assert sent not in shown
        assert f"AUTH PLAIN {sent}" in server.heard
