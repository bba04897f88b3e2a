"""What keeps a mail from being sent."""

from typing import NamedTuple

from xlsizing.core import SizingError


class MailError(SizingError):
    """A mail that cannot be sent as asked; no server was asked."""

    code = "MAIL"


class Refusal(NamedTuple):
    """A recipient whom the server refused, and its words."""

    address: str
    reply: str


class NotSentError(MailError):
    """A mail that no server accepted, or may not have.

    Parameters
    ----------
    sentence : what happened, and what would be right.
    is_passing : whether it may go better another time, on a new connection.
    is_unknown : whether the server may have accepted the mail all the same.
    refused : the recipients whom the server refused.
    """

    code = "NOT_SENT"

    def __init__(
        self,
        sentence: str,
        *,
        is_passing: bool = False,
        is_unknown: bool = False,
        refused: tuple[Refusal, ...] = (),
    ) -> None:
        super().__init__(sentence)
        self.is_passing = is_passing
        self.is_unknown = is_unknown
        self.refused = refused
        self.attempts = 1
        """Connections that were tried."""
