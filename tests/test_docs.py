"""The documentation says what is true: its commands, outputs, tables, counts and links."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import PROJECT
from xlsizing.cli import main
from xlsizing.cli.help_page import WIDTH
from xlsizing.core import ALERT_RULES, Catalogs

README = (PROJECT / "README.md").read_text(encoding="utf-8")
PAGES = [
    PROJECT / "README.md",
    PROJECT / "CONTRIBUTING.md",
    PROJECT / "CHANGELOG.md",
    *sorted((PROJECT / "docs").rglob("*.md")),
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def report_arguments() -> list[str]:
    return shlex.split(blocks("sh")[0].partition(".venv/bin/xlsizing ")[2])


def test_the_readmes_first_command_prints_what_the_readme_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(report_arguments()) == 0
    assert capsys.readouterr().out == blocks("text")[0]
    assert (tmp_path / "first-report.xlsx").exists()


def test_windows_forms_say_the_same() -> None:
    for unix, windows in zip(blocks("sh"), blocks("bat"), strict=True):
        translated = unix.replace("python3 ", "py -3 ").replace(".venv/bin/", ".venv\\Scripts\\")
        assert translated == windows


def test_ci_runs_the_readmes_test_command() -> None:
    lines = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert blocks("sh")[1].strip() in lines


def options_of(command: str) -> set[str]:
    page = subprocess.run(
        [sys.executable, "-m", "xlsizing", *command.split(), "--help"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    assert max(map(len, page.splitlines())) <= WIDTH
    return set(re.findall(r"--[a-z][a-z-]+", page)) - {"--help", "--version"}


@pytest.mark.parametrize(
    "command",
    [
        "size",
        "report",
        "template",
        "kv",
        "calibrate",
        "catalog",
        "serve",
        "doctor",
        "send",
        "sync",
        "completion",
    ],
)
def test_the_readme_shows_every_option_of_a_command(command: str) -> None:
    usage = next(text for text in blocks("text") if text.startswith("xlsizing size"))
    documented = set(re.findall(r"--[a-z][a-z-]+", usage))
    names = (
        [f"catalog {action}" for action in ("list", "show", "validate", "import-hf")]
        if command == "catalog"
        else [command]
    )
    for name in names:
        assert options_of(name) <= documented
    assert f"xlsizing {command}" in usage


def links(page: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            yield target.partition("#")[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        assert (page.parent / target).exists(), target


def test_the_method_lists_every_alert_with_its_severity() -> None:
    text = (PROJECT / "docs" / "method.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| ([A-Z_0-9]+) \| (\w+) \|", text, re.MULTILINE)
    rules = [(rule.code, rule.severity) for rule in ALERT_RULES.values()]
    assert documented == list(dict.fromkeys(rules))


def test_the_changelog_counts_the_catalogs_rightly(catalogs: Catalogs) -> None:
    text = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    counts = re.search(r"(\d+) models, (\d+) servers and (\d+) storage profiles", text)
    assert counts
    assert [int(count) for count in counts.groups()] == [
        len(catalogs.models),
        len(catalogs.servers),
        len(catalogs.profiles),
    ]


def locked(name: str) -> dict[str, str]:
    text = (PROJECT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.MULTILINE))


def test_the_locks_pin_every_dependency_within_its_range() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {
        "requirements.lock": project["dependencies"],
        "requirements-dev.lock": [
            *project["dependencies"],
            *project["optional-dependencies"]["dev"],
        ],
    }
    for name, requirements in wanted.items():
        pins = locked(name)
        for requirement in map(Requirement, requirements):
            assert requirement.specifier.contains(pins[requirement.name]), requirement
        text = (PROJECT / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert text.count("--hash=sha256:") >= len(pins)


def test_every_dependency_is_justified() -> None:
    text = (PROJECT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        assert Requirement(requirement).name in text


def test_the_smallest_catalogs_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (PROJECT / "docs" / "catalogs.md").read_text(encoding="utf-8")
    for name, content in re.findall(
        r"^(\w+\.json):\n\n```json\n(.*?)```", text, re.DOTALL | re.MULTILINE
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")
    load = "--concurrency 10 --effective-context 8192 --json-only"
    names = "--model ours --server our-server --storage our-storage"
    assert main(["size", *names.split(), *load.split(), "--catalogs", str(tmp_path)]) == 0
    assert "CATALOG_UNSOURCED" not in capsys.readouterr().out
