"""Who signs in at the server, and the password, which is never shown."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from xlsizing.core.message import Message
from xlsizing.mail.errors import MailError
from xlsizing.mail.server import Server

USERNAME = "XLSIZING_SMTP_USERNAME"
PASSWORD = "XLSIZING_SMTP_PASSWORD"  # noqa: S105 - the variable's name

Source = Literal["environment", "keyring"]
"""Where a password is kept."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and its password."""

    username: str
    password: str = field(repr=False)

    def plain(self) -> str:
        """Both as the mechanism PLAIN sends them (RFC 4616)."""
        return in_base64(f"\0{self.username}\0{self.password}")

    def hidden_in(self, text: str) -> str:
        """The text of a server, unless it repeats the password."""
        forms = self.password, in_base64(self.password).rstrip("="), self.plain().rstrip("=")
        # However its lines are broken.
        said = "".join(text.split())
        if any("".join(form.split()) in said for form in forms):
            return Message("(its words repeat the password and are left out)")
        return text


def in_base64(text: str) -> str:
    """A text in UTF-8, as base64."""
    return b64encode(text.encode()).decode("ascii")


def service(server: Server) -> str:
    """The name under which the keyring has the password for a server."""
    return f"xlsizing:{server.host}"


def source_of(
    server: Server, username: str | None, environment: Mapping[str, str]
) -> tuple[str, Source] | None:
    """The user name, and where its password is; None where nobody signs in.

    Parameters
    ----------
    server : the server that is to get them.
    username : what was asked for, None for the environment's.
    environment : the variables of the process.

    Raises
    ------
    MailError : a password has no user name; the way to the server is open to others.
    """
    name = username or environment.get(USERNAME)
    has_password = bool(environment.get(PASSWORD))
    if not name:
        if has_password:
            raise MailError(
                Message(
                    "{password} is set without a user name; add --username NAME, or set {username}.",
                    password=PASSWORD,
                    username=USERNAME,
                )
            )
        return None
    if server.security == "none" and not server.is_loopback:
        raise MailError(
            Message(
                "With --security none anybody on the way to {server} could read the password; use "
                "starttls or tls, or send without a user name ({username}, --username).",
                server=str(server),
                username=USERNAME,
            )
        )
    return name, "environment" if has_password else "keyring"


def credentials_of(
    server: Server, username: str | None, environment: Mapping[str, str]
) -> Credentials | None:
    """The credentials for a server, None where nobody signs in.

    Parameters
    ----------
    server, username, environment : as for `source_of`.

    Raises
    ------
    MailError : as for `source_of`; there is no password, or none that can be sent.
    """
    found = source_of(server, username, environment)
    if not found:
        return None
    name, source = found
    password = environment[PASSWORD] if source == "environment" else _kept(server, name)
    try:
        has_control = any(each < " " or each == "\x7f" for each in name + password)
        (name + password).encode()
    except UnicodeEncodeError:
        # A variable that is no text in the encoding of this machine.
        has_control = True
    if has_control:
        raise MailError(
            Message(
                "The user name or the password has control characters or bytes that are no text; set "
                "{username} and {password} again, without a line break at the end.",
                username=USERNAME,
                password=PASSWORD,
            )
        ) from None
    return Credentials(name, password)


def _kept(server: Server, name: str) -> str:
    """The password that the keyring has."""
    where = Message(
        "set {password}, or keep it in the keyring: keyring set {service} NAME",
        password=PASSWORD,
        service=service(server),
    )
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise MailError(
            Message(
                "There is a user name, but no password: {where}. That takes the package keyring; in "
                'the folder of xlsizing, type pip install ".[mail]".',
                where=where,
            )
        ) from None
    try:
        password: str | None = keyring.get_password(service(server), name)
    except (KeyringError, OSError, RuntimeError) as error:
        # Whatever a system's keyring stumbles over, and by its name only: what it says of an entry
        # is not for our outputs.
        raise MailError(
            Message(
                "The keyring gives no password ({name}); unlock it, or {where}.",
                name=type(error).__name__,
                where=where,
            )
        ) from None
    if not password:
        raise MailError(
            Message("The keyring has no password for this user name: {where}.", where=where)
        )
    return password
