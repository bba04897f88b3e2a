"""The site builds from docs/ without a warning, and its first pages say what is true.

Every command of those pages is run, in order, in a folder of the page's own: an `sh` block is
typed, a `text` block after it is what was printed (a line `...` stands for any lines), and a
`json` block under a name ending .json is that file. A block ends with exit code 0 unless the
words before it say "ends with exit code" and another.
"""

import io
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import openpyxl
import pytest

from tests.conftest import PROJECT
from tests.reference import help_page
from xlsizing.book.build import template
from xlsizing.cli import codes, main
from xlsizing.cli.arguments import command_names, parsed
from xlsizing.core import Catalogs
from xlsizing.language import ENGLISH

DOCS = PROJECT / "docs"
README = (PROJECT / "README.md").read_text(encoding="utf-8")
WALKED = [DOCS / "index.md", *sorted((DOCS / "start").glob("*.md")), DOCS / "adding-an-entry.md"]
NAMED_FILE = re.compile(r"([\w./-]+\.json):\n\n\Z")


class Block(NamedTuple):
    """A fenced block of a page, and the words between it and the block before."""

    before: str
    language: str
    content: str


def blocks(page: Path) -> Iterator[Block]:
    for found in re.findall(
        r"(.*?)^```(\w+)\n(.*?)^```\n", text_of(page), re.DOTALL | re.MULTILINE
    ):
        yield Block(*found)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


class Outcome(NamedTuple):
    code: int
    out: str = ""
    err: str = ""


class Reader:
    """Somebody who types what a page says, in a folder with the catalogs of docs/catalogs.md."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        for block in blocks(DOCS / "catalogs.md"):
            if name := NAMED_FILE.search(block.before):
                self.save(f"ours/{name[1]}", block.content)

    def save(self, name: str, content: str) -> None:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content, encoding="utf-8")

    def follow(self, page: Path) -> None:
        last = Outcome(0)
        for block in blocks(page):
            if said := re.search(r"On standard error it says `(.*?)`", block.before, re.DOTALL):
                assert said[1] in last.err
            if block.language == "sh":
                last = self.type(block.content)
                stated = re.search(r"ends with exit code (\d)", block.before)
                assert last.code == int(stated[1] if stated else 0), block.content + last.err
            elif block.language == "text":
                shown = re.escape(block.content).replace(r"\.\.\." + "\\\n", r"(?:.*\n)*")
                assert re.fullmatch(shown, last.out), f"{block.content}\nis not\n{last.out}"
            elif name := NAMED_FILE.search(block.before):
                self.save(name[1], block.content)

    def type(self, block: str) -> Outcome:
        """What the lines of a block print together, and how the last ends; the others succeed."""
        outcomes = [self.line(line) for line in block.splitlines()]
        assert not any(each.code for each in outcomes[:-1]), block
        out, err = ("".join(each) for each in list(zip(*outcomes, strict=True))[1:])
        return Outcome(outcomes[-1].code, out, err)

    def line(self, line: str) -> Outcome:
        if line.startswith("python3 -m venv"):
            # The README's command, which CI runs.
            assert f"```sh\n{line}" in README
            return Outcome(0)
        if not line.startswith("xlsizing "):
            path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
            done = subprocess.run(
                ["sh", "-c", line],
                capture_output=True,
                encoding="utf-8",
                check=False,
                env={"PATH": path},
            )
            return Outcome(done.returncode, done.stdout, done.stderr)
        words, file = line, ""
        if " > " in line:
            words, _, file = line.partition(" > ")
        code = main(shlex.split(words)[1:])
        out, err = self.capsys.readouterr()
        if file:
            self.save(file, out)
        return Outcome(code, "" if file else out, err)


@pytest.fixture
def reader(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Reader:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XLSIZING_CATALOGS", raising=False)
    return Reader(capsys)


@pytest.mark.parametrize("page", WALKED, ids=lambda page: page.stem)
def test_what_a_page_tells_to_type_does_what_the_page_says(page: Path, reader: Reader) -> None:
    reader.follow(page)


def test_the_examples_of_the_commands_do_what_they_are_for(reader: Reader) -> None:
    (draft,) = (each for each in blocks(DOCS / "mail.md") if each.language == "eml")
    reader.save("draft.eml", draft.content)
    (config,) = re.findall(r"config\.json:\n\n```json\n(.*?)```", text_of(WALKED[-1]), re.DOTALL)
    reader.save("config.json", config)
    logs = json.loads(text_of(PROJECT / "tests" / "data" / "vllm_logs_h100.json"))
    reader.save("vllm.log", "\n".join(logs["runs"][0]["log"]))
    # The template's first: the workbook that others read.
    pages = ["template", "", "catalog", *(each for each in command_names() if each != "template")]
    for page in pages:
        calls = examples(help_page(page))
        assert 1 <= len(calls) <= 3, page
        for call in calls:
            if page == "serve":
                parsed(shlex.split(call)[1:], ENGLISH)  # it would not end
                continue
            assert page in call
            code, out, err = reader.line(call)
            # What the doctor finds is this machine's.
            assert code in ((codes.OK, codes.DIFFERENCE) if page == "doctor" else (codes.OK,)), err
            assert out or " > " in call, call


def examples(page: str) -> list[str]:
    """The calls at the end of a help page, each on one line."""
    _, _, below = page.partition("\nexamples:\n")
    whole = below.replace(" \\\n     ", "")
    # Some calls write into a folder that is made first.
    lines = [line for line in whole.splitlines() if not line.startswith("      mkdir -p ")]
    assert whole.count(":\n") == len(lines) / 2
    return re.findall(r"^ {6}(xlsizing .*)$", whole, re.MULTILINE)


def test_an_imported_entry_is_in_the_finished_list_as_it_came(reader: Reader) -> None:
    reader.follow(DOCS / "adding-an-entry.md")
    came = json.loads(Path("entry.json").read_text(encoding="utf-8"))
    (finished,) = json.loads(Path("ours/models.json").read_text(encoding="utf-8"))["models"]
    for field in came.keys() - {"sources"}:
        assert finished[field] == came[field]


def rows(page: Path, columns: int) -> list[list[str]]:
    """The rows of a page's tables with so many columns, heads and rulers included."""
    lines = re.findall(r"^\| (.*) \|$", text_of(page), re.MULTILINE)
    cells = [re.split(r" +\| +", line) for line in lines]
    return [row for row in cells if len(row) == columns]


def test_the_figures_for_stakeholders_are_those_of_the_answer(catalogs: Catalogs) -> None:
    book = openpyxl.load_workbook(io.BytesIO(template(catalogs)), read_only=True)
    labels = [label for (label,) in book["Sizing"].iter_rows(1, 50, 2, 2, values_only=True)]
    answer = labels[labels.index("Answer") + 1 : labels.index("Inputs")]
    explained = [label for label, _ in rows(DOCS / "start" / "stakeholders.md", 2)]
    assert explained[1:] == [label for label in answer if label]


def test_the_parts_of_a_report_are_called_as_stakeholders_are_told() -> None:
    named = re.findall(r'under "(.*?)"', text_of(DOCS / "start" / "stakeholders.md"))
    assert len(named) == 3
    texts = text_of(PROJECT / "workbook" / "translations" / "pt_BR.po")
    assert all(f'msgid "{name}"' in texts for name in named)


def test_the_exit_codes_are_those_that_there_are() -> None:
    found = [int(code) for code, _ in rows(DOCS / "start" / "engineers.md", 2) if code.isdigit()]
    known = [code for name, code in vars(codes).items() if name.isupper()]
    assert found == [code for code in sorted(known) if code != codes.INTERRUPTED]


class Page(HTMLParser):
    """What a page of the site loads by itself, and the texts of its article outside of code."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.texts: list[str] = []
        self._in_article = False
        self._code: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag != "a" and (address := given.get("src") or given.get("href")):
            self.loaded.append(address)
        if tag == "article":
            self._in_article = True
        if tag in ("code", "pre"):
            self._code.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._in_article = False
        if self._code and self._code[-1] == tag:
            self._code.pop()

    def handle_data(self, data: str) -> None:
        if self._in_article and not self._code:
            self.texts.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as CI builds it, each warning an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(
        [*command, "--config-file", PROJECT / "mkdocs.yml", "--site-dir", folder],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_of_docs_is_a_page_of_the_site(site: Path) -> None:
    made = {path.relative_to(site).with_suffix(".md") for path in site.rglob("*.html")}
    assert made - {Path("404.md")} == {path.relative_to(DOCS) for path in DOCS.rglob("*.md")}
    assert not list(site.rglob("*.py"))


def test_a_page_loads_nothing_from_the_network(site: Path) -> None:
    for path in site.rglob("*.html"):
        loaded = Page(path).loaded
        assert loaded
        outside = [each for each in loaded if re.match(r"(https?:)?//", each)]
        assert not outside, path
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", text_of(style)), style


def test_no_markup_is_left_as_text(site: Path) -> None:
    left = re.compile(r"```|\*\*|\]\(|\S\n *(\||[-*] |\d+\. )|\[[ x]\]")
    for path in site.rglob("*.html"):
        texts = Page(path).texts
        assert texts or path.name == "404.html"
        found = [text for text in texts if left.search(text)]
        assert not found, f"{path}: {found}"
