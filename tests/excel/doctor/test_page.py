"""The page on the doctor describes the checks that there are."""

import re

from tests.conftest import PROJECT
from tests.excel.doctor.states import STATES
from xlsizing.excel.doctor import CHECKS

PAGE = (PROJECT / "docs" / "hosts" / "doctor.md").read_text(encoding="utf-8")


def sections() -> dict[str, str]:
    parts = re.split(r"^### (.+)$", PAGE.partition("## What it cannot see")[0], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_check_has_its_section_in_its_place() -> None:
    assert list(sections()) == list(CHECKS)


def test_a_section_says_what_to_do_where_its_check_can_find_a_problem() -> None:
    can = {state.check for state in STATES} | {"catalogs"}
    assert {name for name, text in sections().items() if "**What to do:**" in text} == can
