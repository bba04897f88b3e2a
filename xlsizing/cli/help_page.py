"""The help pages, in the reader's language."""

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from xlsizing.core.message import Message
from xlsizing.language import Language

if TYPE_CHECKING:
    from xlsizing.cli.examples import Example

WIDTH = 96
"""Columns of a help page."""
_MARGIN = " " * 6
"""Before a call on a page."""

_OF_ARGPARSE: Mapping[str, Message] = {
    "options": Message("options"),
    "positional arguments": Message("arguments"),
    "show this help message and exit": Message("show this page and end"),
    "show program's version number and exit": Message("show the version and end"),
}
"""What argparse itself writes on a page, as we say it."""


def examples_text(examples: "Sequence[Example]", language: Language) -> str:
    """The examples at the end of a page, as they can be typed in any shell of Unix."""
    lines = ["", language.say(Message("examples:"))]
    for example in examples:
        lines.append(f"  {language.say(example.what)}")
        lines += (line for call in example.lines() for line in _call(call))
    return "\n".join([*lines, ""])


def _call(call: str) -> list[str]:
    """A call within the width of a page; a backslash says that it goes on."""
    lines = [""]
    # An option stays beside its value.
    for part in re.split(r" (?=--)", call):
        longer = f"{lines[-1]} {part}".strip()
        if len(longer) + len(_MARGIN) + 2 > WIDTH:
            lines.append(part)
        else:
            lines[-1] = longer
    return [f"{_MARGIN}{line} \\" for line in lines[:-1]] + [f"{_MARGIN}{lines[-1]}"]


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
