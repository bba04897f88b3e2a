"""What a sentence is in Portuguese, and whether it says what the English one does."""

import re
from collections.abc import Iterator

from xlsizing.core.message import Message
from xlsizing.language import language

PORTUGUESE = language("pt-BR")
_WORDS = re.compile(r"(?<!\S)(a|an|the|is|are|must|cannot|which|that|with|its|it|and)(?!\S)")
"""Words of which an English sentence has one, and names and figures have none."""


def in_portuguese(sentence: str) -> str:
    """The sentence in Portuguese: it is another one, with all that is put into the English one."""
    assert isinstance(sentence, Message), f"no message: {sentence}"
    said = PORTUGUESE.say(sentence)
    assert said != sentence
    for value in _values(sentence):
        assert PORTUGUESE.say(value) in said
        is_shown = value.startswith(("'", '"', "[", "{"))
        has_words = " " in value and _WORDS.search(value)
        assert is_shown or not has_words, f"English: {value}"
    return said


def _values(message: Message) -> Iterator[str]:
    """The names and figures in a message, and in those that are put into it."""
    for value in message.values.values():
        if isinstance(value, Message):
            yield from _values(value)
        else:
            yield value
