"""What all tests share, and the scenarios' success rate at the end of a run."""

import gc
import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.gate.collecting import Gate
from xlsizing.book.build import template
from xlsizing.book.classic import CLASSIC_WORKBOOK
from xlsizing.catalog import load_catalogs
from xlsizing.core import Catalogs

PROJECT = Path(__file__).parent.parent

SCENARIO = "scenario"
"""The property that marks a test as one scenario of the method's test flow."""


def pytest_configure(config: pytest.Config) -> None:
    """Every workbook that a test builds is examined; what is printed is English on any system."""
    os.environ["LANGUAGE"] = "en"
    # Workbooks are a great many small objects, which the collector would go through again and again.
    gc.set_threshold(100_000, 50, 100)
    config.pluginmanager.register(Gate())


@pytest.fixture(scope="session")
def catalogs() -> Catalogs:
    """The catalogs that the project ships."""
    return load_catalogs(str(PROJECT / "catalogs"))


@pytest.fixture(scope="session")
def classic_workbook(catalogs: Catalogs) -> bytes:
    """The planning workbook with macros, for the classic xlwings add-in."""
    return template(catalogs, host=CLASSIC_WORKBOOK)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Generator[None, None, None]:
    """End the summary with the scenarios passed and failed, and the success rate."""
    yield
    outcomes = {
        outcome: sum(
            any(name == SCENARIO for name, _ in report.user_properties)
            for report in terminalreporter.stats.get(outcome, [])
            if report.when == "call"
        )
        for outcome in ("passed", "failed")
    }
    if total := sum(outcomes.values()):
        rate = 100 * outcomes["passed"] / total
        terminalreporter.section("scenarios", sep="=")
        terminalreporter.line(
            f"scenarios passed: {outcomes['passed']}, failed: {outcomes['failed']}, "
            f"success rate: {rate:.1f} %"
        )
