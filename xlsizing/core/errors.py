"""What core raises: a code for programs and a sentence for people.

A sentence says what was wrong, with the value, and what would be right. Every
error derives from :class:`SizingError`, so one ``except`` at the edge of the
program (command line, cell) is enough to never show a traceback.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cached_property

from xlsizing.core.message import Message, joined
from xlsizing.core.text import cut

NAMES_SHOWN = 8
"""Names that an error lists where none comes near the one asked for."""


class SizingError(ValueError):
    """A sizing that cannot be done as asked; ``str(error)`` is the sentence."""

    code = "SIZING_ERROR"


class InvalidValueError(SizingError):
    """A value outside what the method accepts.

    Parameters
    ----------
    field : name of the field or argument, as the method spells it.
    value : what was given.
    expected : what would be right, to follow "it must be".
    """

    code = "INVALID_VALUE"

    def __init__(self, field: str, value: object, expected: str) -> None:
        super().__init__(
            Message("{field} is missing; it must be {expected}.", field=field, expected=expected)
            if value is None
            else Message(
                "{field} is {value}; it must be {expected}.",
                field=field,
                value=shown(value),
                expected=expected,
            )
        )
        self.field = field
        self.value = value
        self.expected = expected


class UnknownNameError(SizingError):
    """A name that no catalog entry bears.

    Parameters
    ----------
    kind : "model", "server" or "storage profile".
    name : what was asked for.
    known : all names that there are.
    suggest : the names that look like it, best first; only asked for the sentence, since
        to look for them takes a hundred times as long as not to find a name.
    """

    code = "UNKNOWN_NAME"

    def __init__(
        self,
        kind: str,
        name: object,
        known: Sequence[str] = (),
        suggest: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        super().__init__(kind, name)
        self.kind = kind
        self.name = name
        self.known = known
        self._suggest = suggest

    @cached_property
    def nearest(self) -> tuple[str, ...]:
        """Names that look like it, best first."""
        return tuple(self._suggest())

    def __str__(self) -> str:
        """The sentence."""
        if self.name is None or (isinstance(self.name, str) and not self.name.strip()):
            return Message(
                "{given} names no {kind}; there are {names}.",
                given=Message("Nothing") if self.name is None else shown(self.name),
                kind=self.kind,
                names=self._listed(),
            )
        return Message(
            "There is no {kind} named {name} in the catalog; {hint}.",
            kind=self.kind,
            name=shown(self.name),
            hint=self._hint(),
        )

    def _hint(self) -> Message:
        """The names that come near the one asked for, else those that there are."""
        if nearest := self.nearest:
            return Message("the nearest names are {names}", names=", ".join(nearest))
        if self.known:
            return Message("no name comes near it; there are {names}", names=self._listed())
        return Message("no name comes near it")

    def _listed(self) -> str:
        more = len(self.known) - NAMES_SHOWN
        names = ", ".join(self.known[:NAMES_SHOWN])
        return (
            Message("{names} and {more} more", names=names, more=str(more)) if more > 0 else names
        )


def shown(value: object) -> str:
    """The value as an error sentence shows it: text quoted, numbers plain, cut where long."""
    if value is None:
        return Message("missing")
    if isinstance(value, Message):
        return joined("", ("'", value, "'"))
    try:
        text = str(value) if isinstance(value, Decimal) else repr(value)
    except ValueError:
        # Python does not write out integers of thousands of digits.
        return Message("a number of thousands of digits")
    except RecursionError:
        return Message("a value that is nested too deeply to show")
    return cut(text)
