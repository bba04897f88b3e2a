"""What a workbook says of its origin: what made it, from which catalogs, and in which language."""

import re
from collections.abc import Iterator

from xlsizing import __version__
from xlsizing.book.contents import Contents
from xlsizing.core import Catalogs
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.message import Day, Message
from xlsizing.language import ENGLISH, Language, language

WRITTEN_IN = "Const_Language"
"""The defined name of the cell that says which language a workbook's own texts are in."""
ORIGIN_LINE = re.compile(
    r"^\w+ \w+ xlsizing (?P<version>\S+) [^0-9(]{1,40} (?P<mark>[0-9a-f]{12})\b"
)
"""How the line on About begins, in any language; its mark tells whether the catalogs are those
that somebody else has."""


def origin_line(catalogs: Catalogs, line: str = "") -> Message:
    """What made the workbook, from which catalogs, and how recent their sources are.

    Parameters
    ----------
    line : the line as it stood, of a workbook that these catalogs are new in; empty for a new one.
    """
    before = ORIGIN_LINE.match(line)
    made = Message(
        "Made by xlsizing {version} from the catalogs {mark} ({models} models, {servers} servers, "
        "{profiles} storage profiles).",
        version=before["version"] if before else __version__,
        mark=catalogs.fingerprint(),
        models=str(len(catalogs.models)),
        servers=str(len(catalogs.servers)),
        profiles=str(len(catalogs.profiles)),
    )
    dates = sorted(_dates(catalogs))
    if not dates:
        return made
    return Message(
        "{made} Latest date that a source names: {date}.", made=made, date=Day(dates[-1])
    )


def written_in(contents: Contents) -> Language:
    """The language that a workbook's own texts are in; English where it does not say."""
    code = contents.named_value(WRITTEN_IN)
    try:
        return language(code) if isinstance(code, str) else ENGLISH
    except InvalidValueError:
        return ENGLISH


def _dates(catalogs: Catalogs) -> Iterator[str]:
    """The dates that the sources of the figures name."""
    for kind in catalogs:
        for entry in kind:
            for source in entry.sources.values():
                yield from re.findall(r"\b20\d\d-[01]\d-[0-3]\d\b", source)
