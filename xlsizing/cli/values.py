"""What the arguments of commands take: numbers, words of a few, names of entries, and files."""

import argparse
import re
from decimal import Decimal
from typing import Literal, NoReturn

from xlsizing.cli.refusals import not_decimal, not_whole
from xlsizing.core.message import Message

Kind = Literal["model", "server", "storage", "file", "folder"]


class Word:
    """One of a few words, in any case.

    Parameters
    ----------
    words : those that there are; any other is refused where the word is used.
    """

    def __init__(self, *words: str) -> None:
        self.words = words

    def __call__(self, text: str) -> str:
        """The word as it is used."""
        return text.strip().lower()


class Name:
    """A name of something that there is already, as it is typed.

    Parameters
    ----------
    kinds : what may bear it.
    """

    def __init__(self, *kinds: Kind) -> None:
        self.kinds = kinds

    def __call__(self, text: str) -> str:
        """The name."""
        return text


MODEL, SERVER, STORAGE = Name("model"), Name("server"), Name("storage")
ENTRY = Name("model", "server", "storage")
MODEL_OR_FILE = Name("model", "file")
FILE, FOLDER = Name("file"), Name("folder")
SHELL = Word("bash", "zsh", "fish")


def whole(text: str) -> int:
    """A whole number as typed."""
    if not re.fullmatch(r"[+-]?[0-9]{1,300}", text):
        raise argparse.ArgumentTypeError(not_whole(text))
    return int(text)


def decimal(text: str) -> Decimal:
    """A number as typed."""
    if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", text):
        raise argparse.ArgumentTypeError(not_decimal(text))
    return Decimal(text)


def no_password(_: str) -> NoReturn:
    """Refuse a password, whatever it is."""
    raise argparse.ArgumentTypeError(
        Message(
            "no argument is a password, since others on this machine can read arguments; "
            "set XLSIZING_SMTP_PASSWORD, or keep it in the keyring"
        )
    )
