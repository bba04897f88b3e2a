"""Microsoft's validator runs, and finds what it is for."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.book.test_rules import Plant, planted
from tests.gate import validator as validation
from tests.gate.books import CHART, SHEET, TYPES, healthy
from tests.gate.gate import examined
from tests.gate.test_rules import MACRO_TYPE, PLAIN_TYPE, STYLES
from tests.gate.validator import FOLDER, PROGRAM, require_validator, validator_findings


@pytest.fixture(scope="module")
def program() -> str:
    return require_validator()


def put(part: str, pattern: str, new: str) -> bytes:
    return planted(healthy(), Plant("", part, "", pattern, new, ""))


def test_the_healthy_workbook_is_valid(program: str) -> None:
    assert validator_findings(program, healthy()) == []


@pytest.mark.parametrize(
    ("part", "pattern", "new", "finding"),
    [
        (SHEET, "(<pageMargins[^>]*/>)(<pageSetup[^>]*/>)", r"\2\1", "unexpected child element"),
        (SHEET, 'zoomScale="90"', 'zoomScale="much"', "'much'"),
        (CHART, '<barDir val="col"/>', '<barDir val="up"/>', "'up'"),
        (STYLES, "<cellXfs", "<cellXfsx", "does not match the end tag"),
    ],
)
def test_faults_are_found(program: str, part: str, pattern: str, new: str, finding: str) -> None:
    found = validator_findings(program, put(part, pattern, new))
    assert any(finding in sentence for sentence in found), found


def test_what_is_no_package_is_a_finding(program: str) -> None:
    assert validator_findings(program, b"no zip")


def test_a_workbook_with_macros_is_taken_for_one(program: str) -> None:
    assert validator_findings(program, put(TYPES, PLAIN_TYPE, MACRO_TYPE)) == []


def test_the_gate_asks_the_validator_too(program: str) -> None:
    assert program
    [found] = [each for each in examined(put(CHART, '"col"', '"up"')) if "'up'" in each]
    assert CHART in found


def test_without_it_a_test_is_skipped_and_in_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "_INSTALLED", Path("nowhere"))
    monkeypatch.delenv(PROGRAM, raising=False)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="npm ci"):
        require_validator()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(AssertionError, match="npm ci"):
        require_validator()
    monkeypatch.setenv(PROGRAM, sys.executable)
    assert require_validator() == sys.executable


def test_a_validator_that_says_nothing_is_no_pass() -> None:
    silent = "true" if os.name == "posix" else sys.executable
    with pytest.raises(AssertionError, match="said nothing"):
        validator_findings(silent, healthy())


def test_its_version_is_pinned_with_a_hash_and_no_address() -> None:
    wanted = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    text = (FOLDER / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    for name, version in wanted["optionalDependencies"].items():
        package = packages[f"node_modules/{name}"]
        assert package["version"] == version
        assert package["integrity"].startswith("sha512-")
    assert "://" not in text
    assert "resolved" not in text
