"""Scripts with which shells complete commands, options, names and files.

A script holds all that it completes, so that pressing Tab starts no Python: the names in it are
those that the catalogs had when it was printed.
"""

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import shtab

from xlsizing.cli.values import SHELL, Name, Word
from xlsizing.core import Catalogs
from xlsizing.core.entries import Entry
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.message import Message

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""Names that mean nothing else to a shell. Only these are offered: a shell runs the script, and a
catalog may be somebody else's."""


def script(shell: str, parser: argparse.ArgumentParser, catalogs: Catalogs) -> str:
    """The script for a shell.

    Parameters
    ----------
    shell : bash, zsh or fish.
    parser : the arguments of all commands; it is changed on the way, and parses no call any more.
    catalogs : where the names of entries come from.

    Raises
    ------
    InvalidValueError : there is no script for such a shell.
    """
    if shell not in SHELL.words:
        raise InvalidValueError("SHELL", shell, Message("bash, zsh or fish"))
    names = {
        "model": _names(catalogs.models),
        "server": _names(catalogs.servers),
        "storage": _names(catalogs.profiles),
    }
    for action in _actions(parser):
        _offer(action, names)
    made: str = shtab.complete(parser, shell)
    return made


def _names(entries: Iterable[Entry]) -> list[str]:
    return [entry.name for entry in entries if _PLAIN.fullmatch(entry.name)]


def _actions(parser: argparse.ArgumentParser) -> Iterator[Any]:
    """Every argument of a parser, and of those of its commands."""
    for action in parser._actions:  # noqa: SLF001 -- it has no other name
        if isinstance(action.choices, Mapping):
            for command in action.choices.values():
                yield from _actions(command)
        else:
            yield action


def _offer(action: Any, names: Mapping[str, Sequence[str]]) -> None:
    """Tell what an argument can be, in the way in which shtab reads it."""
    # It stands in scripts unescaped, and HOST[:PORT] would be read as something else.
    action.metavar = action.dest
    if isinstance(action.type, Word):
        action.choices = action.type.words
    elif isinstance(action.type, Name):
        kinds = action.type.kinds
        found = [name for kind in kinds for name in names.get(kind, ())]
        if "folder" in kinds:
            action.complete = shtab.DIRECTORY
        elif "file" not in kinds:
            action.choices = found
        elif not found:
            action.complete = shtab.FILE
        else:
            action.complete = _names_and_files(" ".join(found))


def _names_and_files(names: str) -> Mapping[str, object]:
    function = "_xlsizing_file_or_name"
    return {
        "bash": function,
        "zsh": function,
        "fish": f"{names} {shtab.FILE['fish']}",
        "preamble": {
            "bash": f'{function}() {{ compgen -W "{names}" -- "$1"; compgen -f -- "$1"; }}',
            "zsh": f"{function}() {{ compadd -- {names}; _files; }}",
        },
    }
