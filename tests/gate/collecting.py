"""Every workbook that a run of the tests builds goes through the gate.

`Gate` is a plugin of pytest. It wraps the one function that finishes a package, takes each
distinct result, and has it examined by other processes while the tests go on. Where there
are findings, the test that first built the workbook is reported as failed once more, with
them. Workbooks that a test's subprocess builds are left out: the builder is the same.
"""

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Generator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from datetime import date
from time import perf_counter
from typing import Any

import pytest
from openpyxl.workbook import Workbook

from tests.gate.gate import examined
from tests.gate.validator import HOW_TO_INSTALL, validator
from xlsizing.book import build
from xlsizing.book.cells import PackageNotes
from xlsizing.book.package.finishing import package

PROCESSES = 2
"""Processes that examine, where the tests run in one."""
SECTION = "the gate of workbooks"
OUTPUT = "gate"
"""What a process of several calls what it found."""

Finish = Callable[[Workbook, PackageNotes, date | None], bytes]
"""What makes the bytes of a workbook."""


@dataclass(frozen=True)
class Examination:
    """What is found in a workbook, and the test that built it first."""

    test: str
    found: Future[list[str]]


class Gate:
    """Collects what is built and says what is wrong with it when the tests are through."""

    def __init__(self) -> None:
        self._examinations: dict[bytes, Examination] = {}
        self._findings: dict[str, tuple[str, list[str]]] = {}
        """What is found in each workbook, by its digest: the test, and sentences."""
        self._waited = 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Collect while the tests run, then report."""
        # Not forked: threads of the tests may hold locks at that moment.
        count = 1 if hasattr(session.config, "workerinput") else PROCESSES
        processes = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"))
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(build, "package", self._collecting(package, processes))
                done = yield
            self._wait()
            if hasattr(session.config, "workeroutput"):
                # One of several processes: the one that started them reports.
                session.config.workeroutput[OUTPUT] = self._findings
            else:
                self._report(session.config)
        finally:
            processes.shutdown(cancel_futures=True)
        return done

    def _collecting(self, finish: Finish, processes: ProcessPoolExecutor) -> Finish:
        def collected(book: Workbook, notes: PackageNotes, made_on: date | None = None) -> bytes:
            content = finish(book, notes, made_on)
            digest = hashlib.sha256(content).digest()
            if digest not in self._examinations:
                test = os.environ.get("PYTEST_CURRENT_TEST", "no test").rpartition(" (")[0]
                found = processes.submit(examined, content)
                self._examinations[digest] = Examination(test, found)
            return content

        return collected

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what one of several processes found."""
        self._findings |= getattr(node, "workeroutput", {}).get(OUTPUT, {})

    def _wait(self) -> None:
        begun = perf_counter()
        wait(each.found for each in self._examinations.values())
        self._waited = perf_counter() - begun
        self._findings |= {
            digest.hex(): (each.test, each.found.result())
            for digest, each in self._examinations.items()
        }

    def _report(self, config: pytest.Config) -> None:
        for test, found in self._findings.values():
            if found:
                failure = pytest.TestReport(
                    nodeid=test,
                    location=(test.partition("::")[0], None, test),
                    keywords={},
                    outcome="failed",
                    longrepr="\n".join(["The workbook that this test built has faults:", *found]),
                    when="call",
                )
                config.hook.pytest_runtest_logreport(report=failure)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how many workbooks there were, and what could not be asked."""
        if not self._findings:
            return
        faulty = sum(1 for _, found in self._findings.values() if found)
        terminalreporter.section(SECTION, sep="=")
        terminalreporter.line(
            f"distinct workbooks built: {len(self._findings)}, with faults: {faulty} "
            f"(examined beside the tests, and {self._waited:.1f} s after them)"
        )
        if validator() is None:
            terminalreporter.line(HOW_TO_INSTALL)
