"""The Python that runs the checks: its version, its packages, and the functions in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from xlsizing.excel.doctor.finding import Finding, not_checked, ok, problem
from xlsizing.excel.doctor.machine import MAC, WINDOWS
from xlsizing.excel.doctor.probe import WORKED_ANSWER, WORKED_CALL, NoAnswer

if TYPE_CHECKING:
    from xlsizing.excel.doctor.case import Case

OLDEST = (3, 11)
"""As pyproject.toml asks for it."""

REQUIRED: Mapping[str, str] = {
    "annotated-types": ">=0.7",
    "lxml": ">=5.2",
    "openpyxl": ">=3.1.5,<4",
    "pydantic": ">=2.10,<3",
    "pillow": ">=11,<13",
    "rich": ">=13.7,<16",
    "xlwings": ">=0.37,<1",
}
"""As pyproject.toml asks for them."""
REQUIRED_BY_XLWINGS: Mapping[str, Mapping[str, str]] = {
    WINDOWS: {"pywin32": ">=224"},
    MAC: {"psutil": ">=2.0.0", "appscript": ">=1.0.1"},
}
"""What the metadata of xlwings 0.37.8 asks for on top, by platform."""

AGAIN = "Install xlsizing for this Python again, as the first command of its README does."


def check_python(case: Case) -> Finding:
    """Whether the Python that runs the checks answers and is new enough."""
    executable = case.machine.executable
    facts = case.python
    if isinstance(facts, NoAnswer):
        return problem(f"{executable} {facts.why}.", "Install Python again, from python.org.")
    kind = f", {facts.environment} environment" if facts.environment else ""
    said = f"Python {facts.spelled_version}, {facts.bits} bits{kind}: {executable}"
    if facts.version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return problem(f"{said}. xlsizing needs {oldest} or newer.", f"Install Python {oldest}.")
    return ok(said)


def check_packages(case: Case) -> Finding:
    """Whether the packages that xlsizing needs are there, in versions that it works with."""
    machine = case.machine
    needed = {**REQUIRED, **REQUIRED_BY_XLWINGS.get(machine.platform, {})}
    found = {name: machine.version_of(name) for name in needed}
    wrong = {
        name: version
        for name, version in found.items()
        if version is None or not is_within(version, needed[name])
    }
    if not wrong:
        return ok(", ".join(f"{name} {version}" for name, version in found.items()))
    said = [
        f"{name} {'is missing' if version is None else f'is {version}'}, and must be {needed[name]}"
        for name, version in wrong.items()
    ]
    asked = " ".join(f'"{name}{needed[name]}"' for name in wrong)
    return problem(f"{'; '.join(said)}.", f'Run "{machine.executable}" -m pip install {asked}')


def is_within(version: str, bounds: str) -> bool:
    """Whether a version is within bounds such as >=3.1.5,<4; a preview counts as its release."""
    return all(_is_within(_numbers(version), bound) for bound in bounds.split(","))


def _is_within(version: tuple[int, ...], bound: str) -> bool:
    if bound.startswith(">="):
        return version >= _numbers(bound)
    assert bound.startswith("<"), bound
    return version < _numbers(bound)


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a release, up to where something else begins."""
    release = re.search(r"\d+(\.\d+)*", version)
    return tuple(map(int, release[0].split("."))) if release else ()


def check_functions(case: Case) -> Finding:
    """Whether the module of the functions imports, and gives the answer of the worked case."""
    facts = case.python
    if isinstance(facts, NoAnswer):
        return not_checked("The line python says why.")
    if facts.error:
        return problem(f"The functions do not work: {facts.error}.", AGAIN)
    if facts.answer != WORKED_ANSWER:
        return problem(f"{WORKED_CALL} is {facts.answer}; it must be {WORKED_ANSWER}.", AGAIN)
    where = f"xlsizing {facts.xlsizing} in {facts.xlsizing_folder}"
    return ok(f"{WORKED_CALL} is {WORKED_ANSWER}, by {where}")
