"""Reports in all forms, and what stands in them as readers of other makes find it."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from xlsizing.cli import main

LOAD = {
    "--model": "gpt-oss-120b",
    "--server": "dgx-b300",
    "--storage": "profile_default",
    "--concurrency": "1000",
    "--effective-context": "131072",
    "--ha": "n+1",
}
NOTHING_FITS = {**LOAD, "--server": "8x-l40s", "--runtime-overhead-gib": "260"}
TO = ("--to", "Anna <anna@example.com>", "bob@example.com")


def write_all(folder: Path, load: Mapping[str, str], *more: str) -> int:
    """Write a report in all forms but PDF; returns the exit code."""
    options = [part for option in load.items() for part in option]
    forms = ("--html", "--markdown", "--eml", str(folder / "draft.eml"), *TO)
    return main(["report", str(folder / "r.xlsx"), *options, *forms, "--force", *more])


class _Reader(HTMLParser):
    """Collects the tables of a page, its text, and what it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.texts: list[str] = []
        self.fetched: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [v or "" for name, v in attrs if name in ("src", "href", "srcset")]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in ("meta", "img", "br", "link"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.fetched += re.findall(r"url\(|@import", data)
            return
        if data.strip():
            self.texts.append(data.strip())
        if self._open and self._open[-1] in ("td", "th"):
            self.tables[-1][-1][-1] += data


@cache
def read_page(page: str) -> _Reader:
    """What stands on an HTML page."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert not reader._open
    return reader


def markdown_tables(text: str) -> list[list[list[str]]]:
    """The tables of a Markdown file, without their lines of dashes."""
    tables: list[list[list[str]]] = []
    in_table = False
    for line in text.splitlines():
        if not line.startswith("|"):
            in_table = False
            continue
        if not in_table:
            tables.append([])
            in_table = True
        if not re.fullmatch(r"[|:-]+", line):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            tables[-1].append([re.sub(r"\\(.)", r"\1", cell.strip()) for cell in cells])
    return tables


def column(table: Sequence[Sequence[str]], head: str) -> list[str]:
    """A column of a table, without its head."""
    place = table[0].index(head)
    return [row[place] for row in table[1:]]
