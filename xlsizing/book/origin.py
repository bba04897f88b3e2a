"""The line on the sheet About that says what made the workbook, and from which catalogs."""

import re
from collections.abc import Iterator

from xlsizing import __version__
from xlsizing.core import Catalogs

ORIGIN_LINE = re.compile(
    r"^(?P<made>Made by xlsizing \S+) from the catalogs (?P<mark>[0-9a-f]{12})\b"
)
"""How the line begins; its mark tells whether the catalogs are those that somebody else has."""


def origin_line(catalogs: Catalogs, line: str = "") -> str:
    """What made the workbook, from which catalogs, and how recent their sources are.

    Parameters
    ----------
    line : the line as it stood, of a workbook that these catalogs are new in; empty for a new one.
    """
    before = ORIGIN_LINE.match(line)
    made = before["made"] if before else f"Made by xlsizing {__version__}"
    counts = f"{len(catalogs.models)} models, {len(catalogs.servers)} servers"
    made += f" from the catalogs {catalogs.fingerprint()} ({counts}, "
    made += f"{len(catalogs.profiles)} storage profiles)."
    dates = sorted(_dates(catalogs))
    return f"{made} Latest date that a source names: {dates[-1]}." if dates else made


def _dates(catalogs: Catalogs) -> Iterator[str]:
    """The dates that the sources of the figures name."""
    for kind in catalogs:
        for entry in kind:
            for source in entry.sources.values():
                yield from re.findall(r"\b20\d\d-[01]\d-[0-3]\d\b", source)
