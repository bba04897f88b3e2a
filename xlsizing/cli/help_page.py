"""The help pages, in the reader's language."""

import argparse
from collections.abc import Iterable, Mapping

from xlsizing.core.message import Message
from xlsizing.language import Language

WIDTH = 96
"""Columns of a help page."""

_OF_ARGPARSE: Mapping[str, Message] = {
    "options": Message("options"),
    "positional arguments": Message("arguments"),
    "show this help message and exit": Message("show this page and end"),
    "show program's version number and exit": Message("show the version and end"),
}
"""What argparse itself writes on a page, as we say it."""


class HelpPage(argparse.HelpFormatter):
    """Lays out a page of help; every text is said as it is put there."""

    def __init__(self, prog: str, language: Language) -> None:
        # With a width of its own argparse need not ask for the terminal's, which is slow.
        super().__init__(prog, width=WIDTH)
        self._language = language

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        """Say how the command is called."""
        if prefix is None:
            prefix = self._language.say(Message("usage: "))
        super().add_usage(usage, actions, groups, prefix)

    def start_section(self, heading: str | None) -> None:
        """Begin a part of the page."""
        super().start_section(self._said(heading))

    def add_text(self, text: str | None) -> None:
        """Say what the command is for."""
        super().add_text(self._said(text))

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return self._said(action.help)

    def _said(self, text: str | None) -> str | None:
        return None if text is None else self._language.say(_OF_ARGPARSE.get(text, text))
