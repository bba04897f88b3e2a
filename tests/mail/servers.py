"""Mail servers on loopback: a real one (aiosmtpd), and one that fails where it is told to."""

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from types import TracebackType
from typing import Any, Self

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USERNAME = "planner"
PASSWORD = "Straße & 40 Züge"  # beyond ASCII, which smtplib's own login cannot send


class Does(Enum):
    """What a server does in place of an answer."""

    CLOSE = "close the connection"
    NOTHING = "never answer"


Action = str | Does


class Mailbox:
    """What a real server accepted, and what it was told."""

    def __init__(self) -> None:
        self.accepted: list[Envelope] = []
        self.signed_in: list[bool] = []
        self.greeted_by: list[str | None] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server
        self.accepted.append(envelope)
        self.signed_in.append(bool(session.authenticated))
        self.greeted_by.append(session.host_name)
        return "250 Taken as number 7"


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _knows(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    del server, session, envelope, mechanism
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USERNAME.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=known, handled=False)


@contextmanager
def real_server(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, **settings: Any
) -> Iterator[tuple[str, Mailbox]]:
    """A server of aiosmtpd: its HOST:PORT and what it accepts."""
    mailbox, port = Mailbox(), _free_port()
    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=port,
        ssl_context=tls,
        tls_context=starttls,
        authenticator=_knows,
        **settings,
    )
    controller.start()
    try:
        yield f"localhost:{port}", mailbox
    finally:
        controller.stop()


class Authority:
    """An authority that nobody knows, and certificates of it."""

    def __init__(self, path: str) -> None:
        self._ca = trustme.CA()
        self.path = path
        self._ca.cert_pem.write_to_path(path)

    def context(self, *names: str, **settings: Any) -> ssl.SSLContext:
        """What a server with a certificate for these names encrypts with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*names, **settings).configure_cert(context)
        return context


class FailingServer:
    """Speaks SMTP, with an action of its own at some stages.

    Parameters
    ----------
    script : by stage (banner, EHLO, STARTTLS, TLS, AUTH, user, password, MAIL, DATA, dot, QUIT, or an
        address for its RCPT) an action, or one for each connection, of which the last stays.
    offers : what it says that it can do.
    starttls, tls : what it encrypts with.
    """

    def __init__(
        self,
        script: Mapping[str, Action | Sequence[Action]],
        *,
        offers: Sequence[str] = ("AUTH PLAIN LOGIN", "8BITMIME"),
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._script = script
        self._starttls_offered = bool(starttls) or "STARTTLS" in script
        self._offers = [*offers, *(["STARTTLS"] if self._starttls_offered else [])]
        self._starttls, self._tls = starttls, tls
        self.connections = 0
        self.accepted: list[bytes] = []
        self.heard: list[str] = []
        """The commands of all connections."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.name = f"127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listening.close()
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._connection = connection
            try:
                self._converse()
            except OSError:
                pass  # the client went away, or would not believe our certificate
            finally:
                self._connection.close()

    def _action(self, stage: str, usual: str) -> Action:
        action = self._script.get(stage, usual)
        if isinstance(action, str | Does):
            return action
        return action[min(self.connections, len(action)) - 1]

    def _does(self, stage: str, usual: str) -> bool:
        """Act, and tell whether the conversation goes on."""
        action = self._action(stage, usual)
        if action is Does.CLOSE:
            return False
        if action is Does.NOTHING:
            while self._connection.recv(1024):
                pass
            return False
        assert isinstance(action, str)
        self._connection.sendall(action.encode() + b"\r\n")
        return True

    def _encrypt(self, context: ssl.SSLContext | None) -> bool:
        if "TLS" in self._script:
            return self._does("TLS", "")
        assert context
        self._connection = context.wrap_socket(self._connection, server_side=True)
        return True

    def _converse(self) -> None:
        begins_with_tls = self._tls or ("TLS" in self._script and not self._starttls_offered)
        if begins_with_tls and not self._encrypt(self._tls):
            return
        if not self._does("banner", "220 ready"):
            return
        lines = self._lines()
        for line in lines:
            self.heard.append(line)
            if not self._obeys(line, lines):
                return

    def _obeys(self, line: str, lines: Iterator[str]) -> bool:
        """Answer a command, and tell whether the conversation goes on."""
        word = line.partition(" ")[0].upper()
        match word:
            case "EHLO":
                offers = ["here", *self._offers]
                listed = [f"250-{each}" for each in offers[:-1]] + [f"250 {offers[-1]}"]
                return self._does("EHLO", "\r\n".join(listed))
            case "STARTTLS":
                begun = self._does("STARTTLS", "220 go")
                refused = str(self._action("STARTTLS", "220"))[0] in "45"
                return begun and (refused or self._encrypt(self._starttls))
            case "AUTH":
                plain = line != "AUTH LOGIN"
                return (plain or self._asks_twice(lines)) and self._does("AUTH", "235 ok")
            case "RCPT":
                return self._does(line.partition("<")[2].partition(">")[0], "250 ok")
            case "DATA":
                return self._does("DATA", "354 go on") and self._take(lines)
            case "QUIT":
                self._does("QUIT", "221 bye")
                return False
        return self._does(word, "250 ok")

    def _asks_twice(self, lines: Iterator[str]) -> bool:
        """Ask for user name and password."""
        return all(
            self._does(stage, asked) and next(lines, None) is not None
            for stage, asked in (("user", "334 VXNlcm5hbWU6"), ("password", "334 UGFzc3dvcmQ6"))
        )

    def _take(self, lines: Iterator[str]) -> bool:
        """Take a mail; one is accepted unless the answer says otherwise."""
        if str(self._action("DATA", "354"))[:3] != "354":
            return True
        content = []
        for line in lines:
            if line == ".":
                break
            content.append(line)
        else:
            return False
        action = self._action("dot", "250 taken")
        if isinstance(action, Does) or action[0] not in "45":
            self.accepted.append("\r\n".join(content).encode("latin-1"))
        return self._does("dot", "250 taken")

    def _lines(self) -> Iterator[str]:
        left = b""
        while True:
            while b"\r\n" not in left:
                received = self._connection.recv(65536)
                if not received:
                    return
                left += received
            line, _, left = left.partition(b"\r\n")
            yield line.decode("latin-1")
