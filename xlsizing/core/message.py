"""Texts for people that can be said in another language.

Core writes English and knows no other language. But it does not throw away what a text was
made of: a `Message` is its English text, as any other string, and remembers the template and
what was put in; a `Figure` is a number as English writes it, a `Day` a date. Whoever shows
them to people says them in the reader's language (`xlsizing.language`); all others take them
as strings.

The templates are the keys of the translations: Babel finds them as the first argument of
`Message` (and the first two of `one_or_many`), so a template stands there as a literal.
"""

from collections.abc import Iterable, Mapping
from typing import Self


class Figure(str):
    """A number as English writes it: a comma between thousands, a point before decimals."""

    __slots__ = ()


class Day(str):
    """A day as ISO 8601 and English have it: 2026-11-24."""

    __slots__ = ()


class Message(str):
    """A text in English that remembers its template, and what was put in.

    Parameters
    ----------
    template : the text, with {words} in braces for what is put in.
    values : what is put in, by those words; a Message, a Figure or a Day is said in the
        reader's language too, other texts are names and codes, which are the same in all of them.
    """

    template: str
    values: Mapping[str, str]

    def __new__(cls, template: str, /, **values: str) -> Self:
        """Put the values in; a template without any is the text as it stands."""
        made = super().__new__(cls, template.format(**values) if values else template)
        made.template = template
        made.values = values
        return made

    def __str__(self) -> str:
        """The message itself, so that an error made of it does not forget what it is made of."""
        return self

    def filled(self, **values: str) -> "Message":
        """The message of this template with these values."""
        return Message(self.template, **values)


def as_plain(text: str) -> str:
    """A text that is nothing but its letters, for programs that ask for a str and no more."""
    return str.__str__(text)


def one_or_many(one: str, many: str, count: int, /, **values: str) -> Message:
    """The message for one thing, or that for none or several."""
    return Message(one if count == 1 else many, **values)


def joined(separator: str, texts: Iterable[str]) -> Message:
    """Texts one after the other, each of which is said for itself."""
    values = {f"text_{number}": text for number, text in enumerate(texts)}
    return Message(separator.join(f"{{{name}}}" for name in values), **values)
