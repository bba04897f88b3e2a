"""The reference pages are current, and have everything that there is, found in other places
than where the pages are made from: help pages as printed, the source, the schemas, the .po file.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.reference import FOLDER, PAGES
from xlsizing.cli import arguments, main
from xlsizing.core import alerts

COMMANDS = (FOLDER / "commands.md").read_text(encoding="utf-8")
ALERTS = (FOLDER / "alerts.md").read_text(encoding="utf-8")
FIELDS = (FOLDER / "catalog-fields.md").read_text(encoding="utf-8")


def source(module: object) -> str:
    return Path(str(vars(module)["__file__"])).read_text(encoding="utf-8")


def sections(text: str, level: str) -> dict[str, str]:
    """The text below each heading of a level."""
    parts = re.split(rf"^{level} (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name]()


def printed(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    return capsys.readouterr().out


def listed(page: str) -> list[str]:
    return re.findall(r"^    ([a-z-]+)(?: |$)", page, re.MULTILINE)


def test_every_command_has_its_help_page_and_an_example(
    capsys: pytest.CaptureFixture[str],
) -> None:
    documented = sections(COMMANDS, "##")
    names = [name for name in listed(printed(capsys)) if name != "catalog"]
    names += [f"catalog {name}" for name in listed(printed(capsys, "catalog"))]
    assert list(documented) == names
    for name, section in documented.items():
        assert f"```text\n{printed(capsys, *name.split())}```" in section
        (typed,) = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
        assert re.search(rf"^xlsizing {name}[ \n]", typed, re.MULTILINE)


def test_every_option_of_the_source_is_on_the_page() -> None:
    options = set(re.findall(r'"(--[a-z][a-z-]+)"', source(arguments))) - {"--password"}
    assert len(options) > 40
    assert options <= set(re.findall(r"--[a-z][a-z-]+", COMMANDS))


def test_every_rule_of_an_alert_is_on_the_page_in_both_languages() -> None:
    rules = re.findall(r'AlertRule\(\s*"(\w+)",\s*"(\w+)",\s*"(\w+)"', source(alerts))
    assert len(rules) > 12
    documented = sections(ALERTS, "##")
    for code in {code for _, code, _ in rules}:
        severities = re.findall(
            r"^\| (\w+) \| English \| Português \|", documented[code], re.MULTILINE
        )
        assert severities == [severity for _, other, severity in rules if other == code]
    rows = re.findall(r"^\| (when|message|what to do) \| (.*) \| (.*) \|$", ALERTS, re.MULTILINE)
    assert len(rows) == 3 * len(rules)
    translated = dict(translations())
    for _, english, portuguese in rows:
        # A figure in a text, such as 128,000, stands for {limit}.
        template = next(each for each in translated if matches(each, english))
        assert matches(translated[template], portuguese)


def translations() -> Iterator[tuple[str, str]]:
    """English and Portuguese as the .po file has them."""
    text = (PROJECT / "workbook" / "translations" / "pt_BR.po").read_text(encoding="utf-8")
    for entry in text.split("\n\n"):
        found = re.search(r'msgid ((?:".*"\n)+)msgstr ((?:".*"\n?)+)', entry)
        if found:
            english, portuguese = (
                "".join(json.loads(line) for line in each.splitlines()) for each in found.groups()
            )
            if english:
                yield english, portuguese


def matches(template: str, text: str) -> bool:
    pattern = re.escape(template).replace(re.escape("{limit}"), r"[\d.,]+")
    return re.fullmatch(pattern, text) is not None


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "catalogs").glob("*.schema.json")), ids=lambda path: path.name
)
def test_every_field_of_a_schema_is_on_the_page(path: Path) -> None:
    titles = {
        "Model": "## A model",
        "Server": "## A server",
        "StorageProfile": "## A storage profile",
    }
    for name, definition in json.loads(path.read_text(encoding="utf-8"))["$defs"].items():
        _, _, below = FIELDS.partition(f"\n{titles.get(name, f'### {name}')}\n")
        section = re.split(r"^##", below, flags=re.MULTILINE)[0]
        rows = re.findall(
            r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \| (.*) \|$", section, re.MULTILINE
        )
        assert sorted(row[0] for row in rows) == sorted(definition["properties"])
        for field, needed, takes, unit, what in rows:
            schema = definition["properties"][field]
            assert (needed == "yes") == (field in definition["required"])
            assert_said(schema, needed, takes)
            said = what.replace("\\*", "*")
            with_unit = f"{said.rstrip('.')} [{unit}]" if unit else said
            assert sorted(re.findall(r"[\w/*]+", schema["description"])) == sorted(
                re.findall(r"[\w/*]+", with_unit)
            )


def assert_said(schema: dict[str, object], needed: str, takes: str) -> None:
    """Default, limits and choices of a field's schema stand in its row."""
    if default := schema.get("default"):
        assert str(default) in needed
    options = schema.get("anyOf", [schema])
    assert isinstance(options, list)
    for option in options:
        for choice in option.get("enum", ()):
            assert choice in takes
        if "minimum" in option:
            assert f"of at least {option['minimum']}" in takes
        if "exclusiveMinimum" in option:
            assert f"above {option['exclusiveMinimum']}" in takes
        if option.get("type") == "integer":
            assert takes.startswith("a whole number")
