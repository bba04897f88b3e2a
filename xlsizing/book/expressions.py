"""Formulas as text over symbols, and the expressions that they share.

A formula is written once, over symbols in braces. The Sizing sheet renders it with
defined names, the Scenarios table with references to its own row; the engine tests
prove both equal to core. All are plain: INDEX, MATCH, INT, ROUND and the like, which
every Excel, LibreOffice and phone computes.

Exactness. Doubles hold integers exactly up to 2^53, and the quotient of two such
integers never rounds up to the next one; so the formulas count in whole bytes, ratios
in ten-thousandths and GiB in hundredths, and take INT of one quotient of integers. A
product that would pass 2^53 is split into a whole part and a rest first.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from xlsizing.core.message import Figure
from xlsizing.language import ENGLISH, Language

LONGEST_LITERAL = 255
"""Characters that a text inside an Excel formula may have."""


@dataclass(frozen=True)
class Formula:
    """One computed figure.

    `symbol` names it in other formulas, `label` to people (row label on Sizing, column
    in Scenarios), `source` is the formula without its equals sign, in which the texts for
    people stand as `filled` leaves them.
    """

    symbol: str
    label: str
    unit: str
    source: str
    number_format: str = "General"

    @cached_property
    def text(self) -> str:
        """The formula with its texts in English."""
        return self.said(ENGLISH)

    def said(self, language: Language) -> str:
        """The formula with its texts in a language."""
        return said(self.source, language)


def literal(text: str) -> str:
    """A text as an Excel expression, in pieces that are not too long for one literal."""
    pieces = [
        text[start : start + LONGEST_LITERAL] for start in range(0, len(text), LONGEST_LITERAL)
    ]
    return "&".join('"' + piece.replace('"', '""') + '"' for piece in pieces or [""])


def render(text: str, reference: Callable[[str], str]) -> str:
    """A formula's text with each {Symbol} replaced by its cell reference."""
    return re.sub(r"\{(\w+)\}", lambda symbol: reference(symbol.group(1)), text)


def symbols(text: str) -> list[str]:
    """The {Symbols} that a formula's text reads, each once."""
    return list(dict.fromkeys(re.findall(r"\{(\w+)\}", text)))


def lookup_key(name: str) -> str:
    """A typed name as MATCH must be given it."""
    # MATCH reads *, ? and ~ as wildcards unless a tilde stands before them.
    trimmed = f"TRIM({name})"
    return f'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({trimmed},"~","~~"),"*","~*"),"?","~?")'


def row_by_name(symbol: str, table: str, aliases: str, column: str) -> str:
    """The row of a catalog table that bears a typed name or alias."""
    key = lookup_key(symbol)
    by_alias = f"INDEX({aliases}[{column}],MATCH({key},{aliases}[Alias],0))"
    return f"IFERROR(MATCH({key},{table}[Name],0),MATCH({by_alias},{table}[Name],0))"


def whole_number(symbol: str) -> str:
    """A typed number, where it is a whole one that a sheet counts exactly; else #VALUE!."""
    in_range = f"AND({symbol}>=1,{symbol}<=Limit_Exact,INT({symbol})={symbol})"
    return f"IF(ISNUMBER({symbol}),IF({in_range},{symbol},#VALUE!),#VALUE!)"


def in_parts(symbol: str, default: str, scale: str, bounds: str) -> str:
    """A typed ratio or amount counted in parts, or its default where nothing was typed."""
    # The decimal that was typed is the number at 15 digits, so that 0.1+0.2 is 0.3.
    rounded = f"ROUND({symbol}*{scale},0)"
    typed = f"ROUND({symbol},Const_TypedDigits-1-INT(LOG10(ABS({symbol}))))"
    counted = f"IF({typed}={rounded}/{scale},{rounded},#VALUE!)"
    checked = f"IF(AND({bounds}),IF({symbol}=0,0,{counted}),#VALUE!)"
    given = f"IF(ISNUMBER({symbol}),{checked},#VALUE!)"
    return f'IF(TRIM({symbol})="",ROUND({default}*{scale},0),{given})'


def model(column: str) -> str:
    """A column of the model's row on Models."""
    return f"INDEX(Models[{column}],{{ModelRow}})"


def server(column: str) -> str:
    """A column of the server's row on Servers."""
    return f"INDEX(Servers[{column}],{{ServerRow}})"


def storage(column: str) -> str:
    """A column of the profile's row on Storage."""
    return f"INDEX(Storage[{column}],{{StorageRow}})"


COUNT = "#,##0"
"""Number format of whole figures."""


def fixed(expression: str, places: int = 0) -> str:
    """A number as text with thousands separators."""
    # FIXED follows the reader's own signs for thousands and decimals; TEXT would not.
    return f"FIXED({expression},{places})"


_OPEN, _BREAK, _CLOSE = "\ue000", "\ue001", "\ue002"
_NUMBER = "\ue005"
_BRACES, _MARKS = "{}", "\ue003\ue004"
_LITERAL, _NOTHING = re.compile(r'"(?:[^"]|"")*"'), '""'
_PHRASE = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")


def phrase(text: str) -> str:
    """A text for people as an Excel expression, in the language that the formula is written in."""
    return filled(text, {})


def number(figure: Figure) -> str:
    """A number in a text for people, with the signs of that language."""
    return f"{_OPEN}{_NUMBER}{figure}{_CLOSE}"


def filled(template: str, figures: Mapping[str, str]) -> str:
    """A text for people as an Excel expression that puts figures in for its {words}.

    In which language it is said is only known when the formula is written. Until then it
    stands between marks that are in no formula, its template with the expressions behind.

    Parameters
    ----------
    template : the text's English template, the key of its translations.
    figures : an expression for each word.
    """
    words = re.findall(r"\{(\w+)\}", template)
    pieces = [
        template,
        *(piece for word in dict.fromkeys(words) for piece in (word, figures[word])),
    ]
    # The braces of words are not those of symbols, which are rendered before.
    pieces[0] = pieces[0].translate(str.maketrans(_BRACES, _MARKS))
    return f"{_OPEN}{_BREAK.join(pieces)}{_CLOSE}"


def said(source: str, language: Language) -> str:
    """A formula's text with its texts for people in a language."""
    while _OPEN in source:
        # From the inside: an expression in a text may have texts itself.
        source = _PHRASE.sub(lambda found: _expression(found[1], language), source)
    return source


def _expression(phrase: str, language: Language) -> str:
    if phrase.startswith(_NUMBER):
        return literal(language.say(Figure(phrase.removeprefix(_NUMBER))))
    template, *rest = phrase.split(_BREAK)
    figures = dict(zip(rest[::2], rest[1::2], strict=True))
    told = language.template(template.translate(str.maketrans(_MARKS, _BRACES)))
    pieces = re.split(r"\{(\w+)\}", told)
    parts: list[str] = []
    for place, piece in enumerate(pieces):
        part = figures[piece] if place % 2 else literal(piece)
        if part == _NOTHING:
            continue
        if parts and _LITERAL.fullmatch(parts[-1]) and _LITERAL.fullmatch(part):
            part = literal(_text(parts.pop()) + _text(part))
        parts.append(part)
    return "&".join(parts) or _NOTHING


def _text(quoted: str) -> str:
    return quoted[1:-1].replace('""', '"')
