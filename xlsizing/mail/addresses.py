"""Mail addresses, read strictly: what can be read in two ways is refused.

A reader that guesses is how mail goes to somebody whom nobody named.
"""

import re
from email import policy
from email.errors import MessageError
from typing import Any

from xlsizing.core.message import Message
from xlsizing.core.text import cut
from xlsizing.mail.errors import MailError

LONGEST_ADDRESS = 254
"""Characters of an address that SMTP has room for."""

_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_WORD}(?:\.{_WORD})*@{_LABEL}(?:\.{_LABEL})*")
_LONGEST_LOCAL = 64

_PERIOD = "period in 'phrase'"
"""The one departure from the grammar that is harmless and usual: J. Doe <j@example.com>."""


def address(text: str, where: str) -> str:
    """An address that somebody wrote.

    Parameters
    ----------
    text : the address alone, such as anna@example.com.
    where : what it was written in, for the sentence.

    Raises
    ------
    MailError : it is none, or one that this reader does not let through.
    """
    if not text.isascii():
        raise MailError(
            Message(
                "{where} has the address {text}, with characters beyond ASCII; write its domain as "
                "xn--..., and ask for an address whose name is ASCII.",
                where=where,
                text=repr(cut(text)),
            )
        )
    local = text.rpartition("@")[0]
    fits = len(text) <= LONGEST_ADDRESS and len(local) <= _LONGEST_LOCAL
    if not fits or not _ADDRESS.fullmatch(text):
        raise MailError(
            Message(
                "{where} has {text}, which is no address such as anna@example.com.",
                where=where,
                text=repr(cut(text)),
            )
        )
    return text


def addresses(value: str, where: str) -> list[str]:
    """The addresses in a header, those of groups included.

    Parameters
    ----------
    value : the header's value on one line.
    where : the header, for the sentence.

    Raises
    ------
    MailError : it is no list of addresses.
    """
    try:
        # Of two classes that are joined as it is made, which no type says.
        header: Any = policy.SMTP.header_factory("To", value)
        found = [each.addr_spec for each in header.addresses]
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError, MessageError):
        # Whatever the standard library's reader stumbles over.
        raise _no_list(value, where) from None
    # A name in code that would become an address once decoded stands nowhere in the text.
    if any(str(each) != _PERIOD for each in header.defects) or not all(
        each in value for each in found
    ):
        raise _no_list(value, where)
    return [address(each, where) for each in found]


def _no_list(value: str, where: str) -> MailError:
    return MailError(
        Message(
            "{where} is {value}, which is no list of addresses such as Anna <anna@example.com>, "
            "bob@example.com.",
            where=where,
            value=repr(cut(value)),
        )
    )
