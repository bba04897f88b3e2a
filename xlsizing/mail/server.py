"""The server that takes mails: where it is, and how the way to it is kept safe."""

import re
from ipaddress import ip_address
from typing import Literal, NamedTuple, get_args

from xlsizing.core.message import Message
from xlsizing.core.text import cut
from xlsizing.mail.errors import MailError

Security = Literal["starttls", "tls", "none"]
SECURITIES: tuple[Security, ...] = get_args(Security)
PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
"""The usual port of each."""

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?"
_SERVER = re.compile(rf"(?:({_HOST})|\[([0-9A-Fa-f:.]{{2,45}})\])(?::([0-9]{{1,5}}))?")


class Server(NamedTuple):
    """A server for the submission of mails."""

    host: str
    port: int
    security: Security

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine, so that nobody listens on the way."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


def server_at(text: str, security: str | None) -> Server:
    """The server that somebody wrote.

    Parameters
    ----------
    text : HOST or HOST:PORT; an address of IPv6 stands in brackets.
    security : starttls, tls or none; where it is None, tls at port 465, else starttls.

    Raises
    ------
    MailError : it is no such server.
    """
    found = _SERVER.fullmatch(text.strip())
    port = int(found[3]) if found and found[3] else None
    if not found or (port is not None and not 0 < port < 65536) or ".." in text:
        raise MailError(
            Message(
                "The mail server is {text}; it must be HOST or HOST:PORT, such as "
                "smtp.example.com:587, with a port from 1 to 65535.",
                text=repr(cut(text)),
            )
        )
    if found[2]:
        try:
            ip_address(found[2])
        except ValueError:
            raise MailError(
                Message(
                    "The mail server is {text}; in brackets stands an address such as [::1].",
                    text=repr(cut(text)),
                )
            ) from None
    if security is None:
        security = "tls" if port == PORTS["tls"] else "starttls"
    if security not in SECURITIES:
        raise MailError(
            Message(
                "--security is {security}; it must be {securities}.",
                security=repr(cut(security)),
                securities=", ".join(SECURITIES),
            )
        )
    return Server(found[1] or found[2], port or PORTS[security], security)
