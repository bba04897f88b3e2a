"""Submission: a mail to a server, once.

What may be tried again ends where the last line of the mail goes out: from there on the server
may have accepted it, whatever becomes of its answer.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import contextmanager, suppress
from time import sleep
from typing import TYPE_CHECKING, NamedTuple, Self

from xlsizing.core.exact import grouped
from xlsizing.core.message import Figure, Message, joined, one_or_many
from xlsizing.core.text import cut
from xlsizing.mail.credentials import PASSWORD, USERNAME, Credentials, in_base64
from xlsizing.mail.errors import MailError, NotSentError, Refusal
from xlsizing.mail.outgoing import Mail
from xlsizing.mail.server import PORTS, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

FIRST_WAIT = 1
"""Seconds before the second attempt; each wait is four times the one before."""
LONGEST_WAIT = 300
"""Seconds of a wait; servers that put off a sender whom they do not know ask for minutes."""
FAREWELL = 5
"""Seconds for the server's goodbye, on which nothing depends."""

_OURSELVES = "[127.0.0.1]"
"""How we call ourselves: the name of the machine is not for the headers of a mail."""
_PIECE = 64 * 1024
"""Bytes sent at a time: the time limit is for each piece, so that a slow line can send much."""
_LONGEST_REPLY = 300
"""Characters of a server's words that a sentence has."""


class Receipt(NamedTuple):
    """What the server said when it accepted a mail, and how many connections it took."""

    reply: str
    attempts: int


class Patience(NamedTuple):
    """How long to wait for the server: seconds for each answer, and further attempts."""

    timeout: float
    retries: int


def submit(
    mail: Mail,
    server: Server,
    credentials: Credentials | None,
    patience: Patience,
    authority: str | None,
    tell: Callable[[str], None],
) -> Receipt:
    """Hand a mail to a server, for all its recipients or for none.

    Parameters
    ----------
    mail : the mail.
    server : the server.
    credentials : who signs in, None for nobody.
    patience : how long to wait, and how often to try anew.
    authority : a file with the certificates of the authorities to believe, None for those that
        the system believes.
    tell : is told before each wait why and how long.

    Raises
    ------
    MailError : there is no such authority.
    NotSentError : no server accepted the mail, or none may have.
    """
    context = None if server.security == "none" else _context(authority)
    attempt, wait = 1, FIRST_WAIT
    while True:
        try:
            return Receipt(_one(mail, server, credentials, patience.timeout, context), attempt)
        except NotSentError as error:
            error.attempts = attempt
            if not error.is_passing or attempt > patience.retries:
                raise
            tell(
                one_or_many(
                    "Attempt {attempt} of {attempts}: {error} The next one in {count} second.",
                    "Attempt {attempt} of {attempts}: {error} The next one in {count} seconds.",
                    wait,
                    attempt=str(attempt),
                    attempts=str(patience.retries + 1),
                    error=str(error),
                    count=str(wait),
                )
            )
        sleep(wait)
        attempt, wait = attempt + 1, min(4 * wait, LONGEST_WAIT)


def _context(authority: str | None) -> ssl.SSLContext:
    """What certificates and host names are checked with."""
    try:
        return ssl.create_default_context(cafile=authority)
    except ssl.SSLError:
        what = Message("has no certificates; it must be a file of certificates in PEM form")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        what = Message("cannot be read: {reason}", reason=reason)
    raise MailError(Message("--ca {authority} {what}.", authority=str(authority), what=what))


def _one(
    mail: Mail,
    server: Server,
    credentials: Credentials | None,
    timeout: float,
    context: ssl.SSLContext | None,
) -> str:
    """One attempt on a connection of its own; what the server said when it accepted the mail."""
    with _Conversation(server, credentials, timeout) as conversation:
        conversation.open(context)
        if credentials:
            conversation.sign_in(credentials)
        return conversation.hand_over(mail)


_GREETING = Message("its greeting")


class _Reply(NamedTuple):
    """The code of a server's answer, and the answer as a sentence may show it."""

    code: int
    text: str


class _Conversation:
    """One connection to a server; each step returns once the server agrees, or raises.

    smtplib reads the answers and keeps the list of what the server can do. Its own steps are not
    used: they make one of connection, encryption and greeting, try every mechanism with a wrong
    password, and do not tell a mail that was refused from one whose answer got lost.
    """

    def __init__(self, server: Server, credentials: Credentials | None, timeout: float) -> None:
        self._server = server
        self._credentials = credentials
        self._timeout = timeout
        self._patience = Figure(f"{timeout:g}")
        self._smtp = smtplib.SMTP(local_hostname=_OURSELVES, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        """Say goodbye, which also makes the server forget a mail that was not handed over."""
        # Somebody who stops the command may do so in the middle of the mail.
        if self._smtp.sock and kind is not KeyboardInterrupt:
            with suppress(OSError, smtplib.SMTPException, KeyboardInterrupt):
                self._smtp.sock.settimeout(min(self._timeout, FAREWELL))
                self._smtp.docmd("QUIT")
        self._smtp.close()

    def open(self, context: ssl.SSLContext | None) -> None:
        """Connect, encrypt and greet."""
        self._smtp.sock = self._connected()
        if context and self._server.security == "tls":
            self._encrypt(context)
        self._expect(_GREETING, {220}, self._answer(_GREETING))
        self._greet()
        if context and self._server.security == "starttls":
            if not self._smtp.has_extn("starttls"):
                raise NotSentError(
                    Message(
                        "{server} does not offer STARTTLS, and nothing is sent to it in the open; try "
                        "--security tls, whose port is usually 465, or ask who runs it.",
                        server=str(self._server),
                    )
                )
            self._expect("STARTTLS", {220}, self._ask("STARTTLS", "STARTTLS"))
            # What came in the open after that answer is not the server's, for all we know.
            if self._smtp.file:
                self._smtp.file.close()
                self._smtp.file = None
            self._encrypt(context)
            self._greet()

    def sign_in(self, credentials: Credentials) -> None:
        """Sign in by the first mechanism that the server offers of those that are known here."""
        offered = self._smtp.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered:
            reply = self._ask("AUTH", f"AUTH PLAIN {credentials.plain()}")
        elif "LOGIN" in offered:
            reply = self._ask("AUTH", "AUTH LOGIN")
            for answer in (credentials.username, credentials.password):
                if reply.code == 334:
                    reply = self._ask("AUTH", in_base64(answer))
        else:
            what = Message("only {ways}", ways=", ".join(offered)) if offered else Message("no way")
            raise NotSentError(
                Message(
                    "{server} offers {what} to sign in, where a user name is set; xlsizing signs in by "
                    "PLAIN or LOGIN. A server that takes mails without must get them without: leave out "
                    "{username} and --username.",
                    server=str(self._server),
                    what=what,
                    username=USERNAME,
                )
            )
        if 500 <= reply.code < 600:
            raise NotSentError(
                Message(
                    "{server} does not accept the user name and password: {text} Check {username} and "
                    "{password}, or what the keyring has; some servers want a password made for programs.",
                    server=str(self._server),
                    text=reply.text,
                    username=USERNAME,
                    password=PASSWORD,
                )
            )
        self._expect(Message("the password"), {235}, reply)

    def hand_over(self, mail: Mail) -> str:
        """Hand over the mail; the words by which the server accepted it."""
        options = self._options(mail)
        reply = self._ask("MAIL FROM", f"MAIL FROM:<{mail.sender}>{options}")
        if reply.code == 530 and not self._credentials:
            raise NotSentError(
                Message(
                    "{server} takes mails only from who signs in: {text} Set {username} and {password}.",
                    server=str(self._server),
                    text=reply.text,
                    username=USERNAME,
                    password=PASSWORD,
                )
            )
        self._expect(Message("the sender {sender}", sender=mail.sender), {250}, reply)
        self._name_recipients(mail.recipients)
        self._expect("DATA", {354}, self._ask("DATA", "DATA"))
        with self._silence_told(Message("the mail")):
            self._send_content(mail.content)
        return self._finish(mail)

    def _connected(self) -> socket.socket:
        address = self._server.host, self._server.port
        try:
            return socket.create_connection(address, self._timeout)
        except TimeoutError:
            what = Message("does not answer within {seconds} seconds", seconds=self._patience)
        except socket.gaierror as error:
            raise NotSentError(
                Message(
                    "{host} cannot be found: {reason}. Check the server's name, and the network.",
                    host=self._server.host,
                    reason=str(error.strerror),
                ),
                is_passing=True,
            ) from None
        except OSError as error:
            reason = error.strerror or str(error)
            what = Message("cannot be reached: {reason}", reason=reason)
        except UnicodeError:
            raise MailError(
                Message("{host} is no name of a server.", host=self._server.host)
            ) from None
        raise NotSentError(
            Message(
                "{server} {what}. Check the server's name and port, and whether a firewall lets "
                "through to it.",
                server=str(self._server),
                what=what,
            ),
            is_passing=True,
        )

    def _encrypt(self, context: ssl.SSLContext) -> None:
        """Encrypt the connection, with the server's certificate and name checked."""
        assert self._smtp.sock
        try:
            self._smtp.sock = context.wrap_socket(
                self._smtp.sock, server_hostname=self._server.host
            )
        except ssl.SSLCertVerificationError as error:
            raise NotSentError(
                Message(
                    "{server} is not trusted: {error}",
                    server=str(self._server),
                    error=_distrust(error, self._server.host),
                )
            ) from None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError):
            what = Message("closed the connection while it was being encrypted")
        except TimeoutError:
            what = Message(
                "did not answer within {seconds} seconds when TLS began", seconds=self._patience
            )
        except OSError as error:
            reason = getattr(error, "reason", None) or error.strerror or str(error)
            raise NotSentError(
                Message(
                    "{server} does not speak TLS as it should ({reason}). Port {tls_port} usually wants "
                    "--security tls, port {starttls_port} starttls.",
                    server=str(self._server),
                    reason=reason,
                    tls_port=str(PORTS["tls"]),
                    starttls_port=str(PORTS["starttls"]),
                )
            ) from None
        else:
            return
        raise NotSentError(
            Message("{server} {what}.", server=str(self._server), what=what), is_passing=True
        )

    def _greet(self) -> None:
        with self._silence_told("EHLO"):
            code, words = self._smtp.ehlo()
        self._expect("EHLO", {250}, self._reply(code, words))

    def _options(self, mail: Mail) -> str:
        """What is said of the mail beside its sender, where the server understands it."""
        size, options = len(mail.content), ""
        if self._smtp.has_extn("size"):
            most = self._smtp.esmtp_features["size"]
            # 0, or nothing, is a server that names no limit.
            if most.isdecimal() and 0 < int(most[:20]) < size:
                raise NotSentError(
                    Message(
                        "{server} takes mails of at most {most} bytes, and this one has {size}; make it "
                        "smaller, or send a link.",
                        server=str(self._server),
                        most=grouped(int(most[:20])),
                        size=grouped(size),
                    )
                )
            options += f" SIZE={size}"
        if mail.is_eight_bit:
            if not self._smtp.has_extn("8bitmime"):
                raise NotSentError(
                    Message(
                        "{server} takes no bytes beyond ASCII (8BITMIME), and this mail has some; write the "
                        "draft with them encoded, as quoted-printable or base64.",
                        server=str(self._server),
                    )
                )
            options += " BODY=8BITMIME"
        return options

    def _name_recipients(self, recipients: tuple[str, ...]) -> None:
        """Name everyone, so that all who are refused are known; one refused is the end."""
        refused: list[tuple[str, _Reply]] = []
        for address in recipients:
            reply = self._ask("RCPT TO", f"RCPT TO:<{address}>")
            if reply.code not in (250, 251):
                refused.append((address, reply))
            if reply.code == 421:  # it says goodbye
                break
        if not refused:
            return
        told = joined(
            "; ", (joined("", (address, " (", reply.text, ")")) for address, reply in refused)
        )
        others = Message(" Nobody got the mail, those that it accepts included.")
        raise NotSentError(
            Message(
                "{server} refuses {told}.{others}",
                server=str(self._server),
                told=told,
                others=others if len(recipients) > 1 else "",
            ),
            is_passing=all(400 <= reply.code < 500 for _, reply in refused),
            refused=tuple(Refusal(address, reply.text) for address, reply in refused),
        )

    def _send_content(self, content: bytes) -> None:
        """Send all of the mail but the line that ends it."""
        # A line that is a dot ends a mail, so each that begins with one gets another.
        stuffed = re.sub(rb"(?m)^\.", b"..", content)
        for start in range(0, len(stuffed), _PIECE):
            self._smtp.send(stuffed[start : start + _PIECE])

    def _finish(self, mail: Mail) -> str:
        """Send the line that ends the mail, and hear whether the server accepts it."""
        try:
            self._smtp.send(b".\r\n")
            reply = self._reply(*self._smtp.getreply())
        except (OSError, smtplib.SMTPException, KeyboardInterrupt) as error:
            what = (
                Message(
                    "did not say within {seconds} seconds whether it accepts it",
                    seconds=self._patience,
                )
                if _is_timeout(error)
                else Message("then the connection ended before it said whether it accepts it")
            )
            raise self._unknown(mail, what) from None
        if 200 <= reply.code < 300:
            return reply.text
        if 400 <= reply.code < 600:
            again = Message(" It may be sent again later.") if reply.code < 500 else ""
            raise NotSentError(
                Message(
                    "{server} does not accept the mail: {text} Nobody got it.{again}",
                    server=str(self._server),
                    text=reply.text,
                    again=again,
                )
            )
        raise self._unknown(
            mail,
            Message("answered with what is no answer of a mail server: {reply}", reply=reply.text),
        )

    def _unknown(self, mail: Mail, what: str) -> NotSentError:
        return NotSentError(
            Message(
                "The mail may have been sent, or not: {server} got all of it and {what}. It is not "
                "tried again, since everybody could get it twice. Look for its Message-ID "
                "{message_id} in the recipients' mailboxes or the server's log, and send it again "
                "only where it is not there.",
                server=str(self._server),
                what=what,
                message_id=mail.message_id,
            ),
            is_unknown=True,
        )

    def _ask(self, stage: str, command: str) -> _Reply:
        with self._silence_told(stage):
            return self._reply(*self._smtp.docmd(command))

    def _answer(self, stage: str) -> _Reply:
        with self._silence_told(stage):
            return self._reply(*self._smtp.getreply())

    def _reply(self, code: int, words: bytes) -> _Reply:
        text = " ".join(words.decode("utf-8", "replace").split())
        if self._credentials:
            text = self._credentials.hidden_in(text)
        if len(text) > _LONGEST_REPLY:
            text = f"{text[:_LONGEST_REPLY]}..."
        return _Reply(code, joined(" ", (str(code), text)) if text else str(code))

    def _expect(self, stage: str, codes: set[int], reply: _Reply) -> None:
        """Raise unless the answer is one of those that mean yes."""
        if reply.code in codes:
            return
        server = str(self._server)
        if not 400 <= reply.code < 600:
            raise NotSentError(
                Message(
                    "{server} gives an answer that is none of a mail server ({stage}): {text}. Check the "
                    "server's name and port.",
                    server=str(self._server),
                    stage=stage,
                    text=cut(reply.text),
                )
            )
        is_passing = reply.code < 500
        refused = (
            Message(
                "{server} puts off {stage}: {text}", server=server, stage=stage, text=reply.text
            )
            if is_passing
            else Message(
                "{server} refuses {stage}: {text}", server=server, stage=stage, text=reply.text
            )
        )
        raise NotSentError(refused, is_passing=is_passing)

    @contextmanager
    def _silence_told(self, stage: str) -> "Iterator[None]":
        """Whatever ends a connection while this holds is told with the stage that it was at."""
        try:
            yield
        except smtplib.SMTPResponseException:
            raise NotSentError(
                Message(
                    "{server} gives an answer that is none of a mail server ({stage}): a line without an "
                    "end. Check the server's name and port.",
                    server=str(self._server),
                    stage=stage,
                )
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            if not _is_timeout(error):
                raise NotSentError(
                    Message(
                        "{server} closed the connection at {stage}.",
                        server=str(self._server),
                        stage=stage,
                    ),
                    is_passing=True,
                ) from None
            hint = ""
            if stage is _GREETING and self._server.security != "tls":
                hint = Message(
                    " A server that waits for TLS, usual at port {port}, wants --security tls.",
                    port=str(PORTS["tls"]),
                )
            raise NotSentError(
                Message(
                    "{server} did not answer within {seconds} seconds at {stage}.{hint}",
                    server=str(self._server),
                    seconds=self._patience,
                    stage=stage,
                    hint=hint,
                ),
                is_passing=True,
            ) from None


def _is_timeout(error: BaseException) -> bool:
    """Whether the time was up; smtplib has an error of its own in front of it."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


_HOSTNAME_MISMATCH, _ADDRESS_MISMATCH, _EXPIRED, _NOT_YET_VALID = 62, 64, 10, 9
"""OpenSSL's numbers of what is wrong with a certificate (X509_V_ERR_...)."""


def _distrust(error: ssl.SSLCertVerificationError, host: str) -> Message:
    """Why a certificate is not believed, and what would be right."""
    match error.verify_code:
        case code if code in (_HOSTNAME_MISMATCH, _ADDRESS_MISMATCH):
            return Message(
                "its certificate is for another name than {host}. Name the server as its "
                "certificate does.",
                host=host,
            )
        case code if code == _EXPIRED:
            return Message(
                "its certificate has expired. Who runs it must renew it; check this clock, too."
            )
        case code if code == _NOT_YET_VALID:
            return Message("its certificate is not valid yet. Check this machine's clock.")
    return Message(
        "no known authority vouches for its certificate ({fault}). Where it is of a company's own "
        "authority, name that one's certificate by --ca FILE.",
        fault=error.verify_message,
    )
