"""The reader's language: texts and figures as English or Brazilian Portuguese writes them.

Texts are English until somebody shows them. Then a `Message` is said by its template, which
is the key of its translation, and a `Figure` with the reader's signs; any other text is a
name or a code, and the same in every language.

The translations are gettext catalogs in the shipped folder workbook/translations: the .po
file is what people edit, the .mo file is made of it (`python -m tests.translations`).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from xlsizing.core.errors import InvalidValueError
from xlsizing.core.message import Day, Figure, Message
from xlsizing.resources import shipped

if TYPE_CHECKING:
    from gettext import GNUTranslations

_SIGNS = str.maketrans(",.", ".,")
"""Brazil writes a point between thousands and a comma before decimals."""
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""What says the system's language, in the order in which GNU's gettext reads it."""


@dataclass(frozen=True)
class Language:
    """A language that texts can be said in.

    Parameters
    ----------
    code : its tag, such as pt-BR.
    translations : the texts, by their English templates; None for English itself.
    """

    code: str
    translations: "GNUTranslations | None" = field(default=None, repr=False)

    def say(self, text: str) -> str:
        """A text as the reader has it."""
        if self.translations is None:
            return text
        if isinstance(text, Figure):
            return text.translate(_SIGNS)
        if isinstance(text, Day):
            return "/".join(reversed(text.split("-")))
        if not isinstance(text, Message):
            return text
        template = self.template(text.template)
        if not text.values:
            return template
        return template.format(**{name: self.say(value) for name, value in text.values.items()})

    def template(self, english: str) -> str:
        """The template of a message in this language."""
        if self.translations is None or not english:
            return english
        return self.translations.gettext(english)


ENGLISH = Language("en")


@cache
def _brazilian_portuguese() -> Language:
    from gettext import GNUTranslations

    path = os.path.join(shipped("workbook"), "translations", "pt_BR.mo")
    with open(path, "rb") as file:
        return Language("pt-BR", GNUTranslations(file))


LANGUAGES = ("en", "pt-BR")
"""The languages that there are."""
_KNOWN: Mapping[str, str] = {"en": "en", "pt": "pt-BR", "pt-br": "pt-BR"}
"""Those, by how people and systems write them."""


def language(code: str) -> Language:
    """The language of a tag such as pt-BR, in any spelling that systems have for it.

    Raises
    ------
    InvalidValueError : there are no texts in that language.
    """
    known = _KNOWN.get(code.strip().lower().replace("_", "-"))
    if known is None:
        raise InvalidValueError("--lang", code, Message("en or pt-BR"))
    return ENGLISH if known == "en" else _brazilian_portuguese()


def system_language() -> Language:
    """The language of the system, as its environment or Windows says it; English where it is
    another.
    """
    for variable in _VARIABLES:
        # Such as pt_BR.UTF-8, or in LANGUAGE several: pt_BR:en
        if said := os.environ.get(variable, "").partition(":")[0].partition(".")[0]:
            is_portuguese = said.lower().startswith("pt")
            return language("pt-BR") if is_portuguese else ENGLISH
    is_portuguese = os.name == "nt" and windows_language() == _PORTUGUESE
    return language("pt-BR") if is_portuguese else ENGLISH


_PORTUGUESE, _PRIMARY = 0x16, 0x3FF


def windows_language() -> int | None:
    """The number that Windows has for its user's language, of any country; None elsewhere.

    Source: [MS-LCID], Windows Language Code Identifier Reference; 0x16 is Portuguese.
    """
    import ctypes  # slow to import

    windows: Any = vars(ctypes).get("windll")
    return windows.kernel32.GetUserDefaultUILanguage() & _PRIMARY if windows else None
