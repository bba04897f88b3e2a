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

LONGEST_LITERAL = 255
"""Characters that a text inside an Excel formula may have."""


@dataclass(frozen=True)
class Formula:
    """One computed figure.

    `symbol` names it in other formulas, `label` to people (row label on Sizing, column
    in Scenarios), `text` is the formula without its equals sign.
    """

    symbol: str
    label: str
    unit: str
    text: str
    number_format: str = "General"


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


def filled(template: str, figures: Mapping[str, str]) -> str:
    """A text with {words} in braces as an Excel expression that puts the figures in."""
    pieces = re.split(r"\{(\w+)\}", template)
    return "&".join(
        figures[piece] if place % 2 else literal(piece)
        for place, piece in enumerate(pieces)
        if place % 2 or piece
    )
