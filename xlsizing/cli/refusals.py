"""What is wrong with a call, as sentences: argparse's own words are not shown."""

import re
from collections.abc import Sequence

from xlsizing.core.message import Message

_NEAR = 0.6
"""How much alike a name must be to be suggested, from 0 to 1."""
_NO_CHOICE = r"invalid choice: (.*?) \(choose from .*\)"
_MISSING = r"the following arguments are required: (.*)"
"""What argparse says where a command is none, and where something is missing."""


def not_whole(text: str) -> Message:
    """Why a text is no whole number, and how that number is typed."""
    if _is_grouped(text):
        plain = re.sub(r"[.,\s_]", "", text)
        return Message("{text} is typed without separators: {right}", text=repr(text), right=plain)
    return Message("{text} is not a whole number such as 1000", text=repr(text))


def not_decimal(text: str) -> Message:
    """Why a text is no number, and how that number is typed."""
    if re.fullmatch(r"[+-]?[0-9]*,[0-9]+", text):
        right = text.replace(",", ".")
        return Message(
            "{text} is typed with a decimal point: {right}", text=repr(text), right=right
        )
    return Message("{text} is not a number such as 0.25", text=repr(text))


def _is_grouped(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]{1,3}([.,\s_][0-9]{3})+", text) is not None


def refusal(argument: str | None, fault: str, known: Sequence[str]) -> Message:
    """The sentence for a fault that argparse found.

    Parameters
    ----------
    argument : the option or argument that is wrong; None where it is the whole call.
    fault : what argparse says of it, in English and without a full stop, or a Message of ours.
    known : the commands, or the options, that there are.
    """
    if found := re.fullmatch(_NO_CHOICE, fault, re.DOTALL):
        return _unknown_command(found[1].strip("'\""), known)
    if found := re.fullmatch(r"unrecognized arguments: (.*)", fault, re.DOTALL):
        first = found[1].split(" ")[0].partition("=")[0]
        if first.startswith("-"):
            return _unknown_option(first, known)
        return Message("{text} is one argument too many.", text=repr(found[1]))
    if found := re.fullmatch(_MISSING, fault):
        return Message("Of the arguments are missing: {names}.", names=found[1])
    if argument and re.fullmatch(r"expected (one|at least one) argument", fault):
        return Message("{argument} is given without its value.", argument=argument)
    if argument and (found := re.fullmatch(r"ignored explicit argument (.*)", fault)):
        return Message(
            "{argument} takes no value, but {value} is given.", argument=argument, value=found[1]
        )
    if argument:
        return Message("{argument}: {fault}.", argument=argument, fault=fault)
    return Message("{fault}.", fault=fault)


def stray_option(fault: str, typed: Sequence[str], known: Sequence[str]) -> str | None:
    """The option that nobody knows and that may be why argparse found something else wrong.

    Parameters
    ----------
    fault : what argparse says, in English.
    typed : the arguments of the command.
    known : the options that there are.
    """
    before = list(typed)
    if found := re.fullmatch(_NO_CHOICE, fault, re.DOTALL):
        name = found[1].strip("'\"")
        before = before[: before.index(name)] if name in before else []
    elif not re.fullmatch(_MISSING, fault):
        return None
    if "--" in before:
        before = before[: before.index("--")]
    options = (each.partition("=")[0] for each in before if each.startswith("--"))
    return next((each for each in options if each not in known), None)


def _unknown_command(name: str, known: Sequence[str]) -> Message:
    if near := _near(name, known):
        return Message(
            "There is no command {name}; the nearest are {names}.", name=repr(name), names=near
        )
    return Message(
        "There is no command {name}; there are {names}.", name=repr(name), names=", ".join(known)
    )


def _unknown_option(name: str, known: Sequence[str]) -> Message:
    if near := _near(name, known):
        return Message(
            "There is no option {name} here; the nearest are {names}.", name=name, names=near
        )
    return Message(
        "There is no option {name} here; there are {names}.", name=name, names=", ".join(known)
    )


def _near(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # slow to import, and seldom asked for

    return ", ".join(get_close_matches(name, known, 3, _NEAR))
