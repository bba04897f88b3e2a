"""The words of the manifest and of the task pane, whose templates say where they stand."""

from collections.abc import Mapping

from xlsizing.core.message import Message
from xlsizing.excel.scripts import FULL_REPORT
from xlsizing.language import ENGLISH, Language

_WORDS: Mapping[str, Message] = {
    "description": Message("How many GPU nodes it takes to serve a language model"),
    "tip": Message("Size a load from the cells, or write the full report"),
    "functions": Message(
        "The functions are in the cells: type {typed} and choose one, or start with {example}."
    ),
    "report": Message("In the planning workbook, make the full report as sheets of its own:"),
    "button": FULL_REPORT,
}


def words(language: Language) -> Mapping[str, str]:
    """Every text of the templates, and the tag of their language."""
    said = {key: language.say(text) for key, text in _WORDS.items()}
    return {**said, "locale": "en-US" if language == ENGLISH else language.code}
