"""The Python that runs the checks: its version, its packages, and the functions in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from xlsizing.core.message import Message, joined
from xlsizing.excel.doctor.finding import Finding, not_checked, ok, problem, run
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
    "shtab": ">=1.13,<2",
    "xlwings": ">=0.37,<1",
}
"""As pyproject.toml asks for them."""
REQUIRED_BY_XLWINGS: Mapping[str, Mapping[str, str]] = {
    WINDOWS: {"pywin32": ">=224"},
    MAC: {"psutil": ">=2.0.0", "appscript": ">=1.0.1"},
}
"""What the metadata of xlwings 0.37.8 asks for on top, by platform."""

AGAIN = Message("Install xlsizing for this Python again, as the first command of its README does.")

_ENVIRONMENTS: Mapping[str, Message] = {
    "conda": Message(", conda environment"),
    "virtual": Message(", virtual environment"),
}


def check_python(case: Case) -> Finding:
    """Whether the Python that runs the checks answers and is new enough."""
    executable = case.machine.executable
    facts = case.python
    if isinstance(facts, NoAnswer):
        what = Message("{program} {fault}.", program=executable, fault=facts.why)
        return problem(what, Message("Install Python again, from python.org."))
    kind = _ENVIRONMENTS.get(facts.environment, "")
    said = Message(
        "Python {version}, {bits} bits{kind}: {program}",
        version=facts.spelled_version,
        bits=str(facts.bits),
        kind=kind,
        program=executable,
    )
    if facts.version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        what = Message("{found}. xlsizing needs {oldest} or newer.", found=said, oldest=oldest)
        return problem(what, Message("Install Python {version}.", version=oldest))
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
    said = (
        Message("{name} is missing, and must be {right}", name=name, right=needed[name])
        if version is None
        else Message(
            "{name} is {version}, and must be {right}",
            name=name,
            version=version,
            right=needed[name],
        )
        for name, version in wrong.items()
    )
    asked = " ".join(f'"{name}{needed[name]}"' for name in wrong)
    mend = run(f'"{machine.executable}" -m pip install {asked}')
    return problem(Message("{packages}.", packages=joined("; ", said)), mend)


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
        return not_checked(Message("The line python says why."))
    if facts.error:
        return problem(Message("The functions do not work: {error}.", error=facts.error), AGAIN)
    if facts.answer != WORKED_ANSWER:
        what = Message(
            "{call} is {answer}; it must be {right}.",
            call=WORKED_CALL,
            answer=str(facts.answer),
            right=str(WORKED_ANSWER),
        )
        return problem(what, AGAIN)
    return ok(
        Message(
            "{call} is {answer}, by xlsizing {version} in {folder}",
            call=WORKED_CALL,
            answer=str(WORKED_ANSWER),
            version=facts.xlsizing,
            folder=facts.xlsizing_folder,
        )
    )
