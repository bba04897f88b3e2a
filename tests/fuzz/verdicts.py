"""Running a case inside this process, and whether what came of it is as it must be."""

import io
import json
import re
import signal
import struct
import sys
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import ParamSpec, TypeVar
from xml.parsers import expat

from tests.fuzz.cases import PULLED, Case
from tests.fuzz.documents import Files
from xlsizing.book import build
from xlsizing.book.sync import results
from xlsizing.cli import main
from xlsizing.excel.doctor import this_machine

MOST_SECONDS = 5.0
"""Of the processor, since a machine may be busy with other things."""
MOST_MIB = 500.0

Made = ParamSpec("Made")
Result = TypeVar("Result")

_KEPT = 4
"""Workbooks that are kept after they were built."""
_CODES = (0, 1, 2, 3)
_A_BOMB = "would unpack to far more than a planning workbook"
_OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Marks that a terminal may obey."""
_MAY_CHANGE = re.compile(
    r"\[Content_Types\]\.xml|xl/workbook\.xml|xl/_rels/workbook\.xml\.rels|xl/styles\.xml"
    r"|xl/worksheets/[^/]+\.xml|xl/tables/[^/]+\.xml|xl/charts/[^/]+\.xml|xl/calcChain\.xml",
    re.IGNORECASE,
)
"""The parts that a sync may write; all others must stay as they are."""


class TooSlowError(BaseException):
    """Raised in the middle of a command that takes too long; no Exception, which could be caught."""


@dataclass(frozen=True)
class Verdict:
    """What came of a case."""

    number: int
    seconds: float
    mebibytes: float
    """The most memory that the process had during the case."""
    code: int | None
    said: str
    """What the command said on standard error."""
    fault: str = ""
    """What is wrong with that; empty for nothing."""


def verdict(case: Case) -> Verdict:
    """What comes of a case, run in a folder of its own."""
    with TemporaryDirectory(prefix="xlsizing-fuzz-") as folder:
        return _Run(case, Path(folder)).verdict()


class _Run:
    """A case while it is run."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        self.workbook = folder / f"book{case.suffix}"
        self.catalogs = folder / "catalogs"
        self.out = folder / "out.xlsx"
        self.pulled = folder / PULLED
        self.options = [each.replace(PULLED, str(self.pulled)) for each in case.options]
        self.there: set[str] = {"catalogs"}
        if case.workbook is not None:
            self.workbook.write_bytes(case.workbook)
            self.there.add(self.workbook.name)
        if case.catalogs is not None:
            _write(self.catalogs, case.catalogs)

    def verdict(self) -> Verdict:
        """Run the command and look at what it left."""
        code: int | None = None
        fault = ""
        _forget_peak()
        start = time.process_time()
        with _captured() as said:
            try:
                with _alarm():
                    code = main(self._arguments())
            except TooSlowError:
                fault = f"took more than {MOST_SECONDS:g} s: {_where()}"
            except BaseException as error:  # noqa: BLE001 -- whatever ends a command is a finding
                fault = f"ended with {type(error).__name__}: {_where()}"
        seconds, mebibytes = time.process_time() - start, _peak()
        out, err = said()
        if not fault and mebibytes > MOST_MIB:
            fault = f"took {mebibytes:.0f} MiB"
        fault = fault or self._fault(code, out, err)
        return Verdict(self.case.number, seconds, mebibytes, code, err, fault)

    def _arguments(self) -> list[str]:
        where = [] if self.case.catalogs is None else ["--catalogs", str(self.catalogs)]
        workbook = str(self.workbook)
        load = [
            "--model",
            "m",
            "--server",
            "s",
            "--storage",
            "p",
            "--concurrency",
            "10",
            "--effective-context",
            "1000",
        ]
        arguments: Mapping[str, Sequence[str]] = {
            "check": ["sync", workbook, "--check", *self.options],
            "sync": ["sync", workbook, "--force", *self.options],
            "report": ["report", str(self.out), "--from", workbook],
            "doctor": ["doctor", workbook],
            "size": ["size", *load],
            "validate": ["catalog", "validate"],
        }
        return [*arguments[self.case.command], *where]

    def _fault(self, code: int | None, out: str, err: str) -> str:
        if code not in _CODES:
            return f"ended with the code {code}"
        if "Traceback" in out + err:
            return "showed a traceback"
        if mark := _OBEYED.search(out + err):
            return f"showed the mark {mark[0]!r}, which a terminal may obey"
        if "--json" in self.case.options and out and not _is_json(out):
            return "printed JSON that is none"
        lines = [line for line in err.splitlines() if not line.startswith(("Note: ", "Wrote "))]
        if code != 2:
            if lines:
                return f"ended with {code}, but said {lines[0]!r}"
            if not out.strip():
                return f"ended with {code}, but printed nothing"
        elif wrong := self._wrong_words(lines):
            return wrong
        return self._wrong_files(code)

    def _wrong_words(self, lines: Sequence[str]) -> str:
        """What is wrong with the sentence that a refusal is told in."""
        if not lines:
            return "was refused without a word"
        of_catalogs = [
            line.startswith(f"{self.catalogs}")
            or re.fullmatch(r"And (at least )?[\d,]+ more\.", line)
            for line in lines
        ]
        if len(lines) > 1 and not all(of_catalogs):
            return f"was refused with {len(lines)} lines: {lines[0][:200]!r} ..."
        if wrong := next((line for line in lines if not line.endswith((".", "?"))), ""):
            return f"was refused with no sentence: {wrong[:200]!r}"
        names = (str(self.workbook), str(self.catalogs), str(self.out))
        if self.case.command != "size" and not any(name in lines[0] for name in names):
            return f"was refused without the file's name: {lines[0][:200]!r}"
        return ""

    def _wrong_files(self, code: int) -> str:
        """What is wrong with the files that a command left."""
        there = {path.name for path in self.workbook.parent.iterdir()}
        may_be = self.there | {self.out.name, self.pulled.name}
        if there - may_be:
            return f"left {sorted(there - may_be)}"
        before = self.case.workbook
        if before is None:
            return ""
        after = self.workbook.read_bytes()
        if after == before:
            return ""
        if self.case.command != "sync" or code:
            return f"ended with {code}, and changed the workbook"
        return _wrong_copy(before, after) or self._wrong_again()

    def _wrong_again(self) -> str:
        """What is wrong with a second look at a workbook that was synced."""
        with _captured() as said:
            try:
                where = [] if self.case.catalogs is None else ["--catalogs", str(self.catalogs)]
                code = main(["sync", str(self.workbook), "--check", *where])
            except BaseException as error:  # noqa: BLE001 -- as above
                return f"looked at again, ended with {type(error).__name__}: {_where()}"
        # Packed better than before, a workbook that all but was a bomb may be one.
        if code in (0, 1) or _A_BOMB in said()[1]:
            return ""
        return f"can be read no more after the sync: {said()[1][:300]!r}"


def _wrong_copy(before: bytes, after: bytes) -> str:
    """What is wrong with a workbook that a sync wrote."""
    try:
        with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(io.BytesIO(after)) as new:
            names, kept = old.namelist(), new.namelist()
            lost = [n for n in names if n not in kept and not n.lower().endswith("calcchain.xml")]
            if [name for name in lost if not name.endswith("/")]:
                return f"lost the parts {lost[:5]}"
            for name in kept:
                if name in names and _packed(before, old, name) == _packed(after, new, name):
                    continue
                if name in names and not _MAY_CHANGE.fullmatch(name.replace("\\", "/")):
                    return f"changed the part {name}"
                expat.ParserCreate().Parse(new.read(name), True)
    except expat.ExpatError as error:
        return f"wrote XML that is broken: {error}"
    except Exception as error:  # noqa: BLE001 -- the copy must be readable by another reader
        return f"wrote a zip that cannot be read: {type(error).__name__}: {error}"
    return ""


def _packed(content: bytes, package: zipfile.ZipFile, name: str) -> tuple[int, int, bytes]:
    """How a part stands in a zip file: its check sum and its bytes, which may be damaged."""
    info = package.getinfo(name)
    lengths = struct.unpack_from("<HH", content, info.header_offset + 26)
    start = info.header_offset + 30 + sum(lengths)
    return info.CRC, info.file_size, content[start : start + info.compress_size]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _write(folder: Path, files: Files) -> None:
    folder.mkdir()
    for name, content in files.items():
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)


def _where() -> str:
    """The error that is handled, with the lines of ours that it came through."""
    kind, error, trace = sys.exc_info()
    frames = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(trace)]
    return f"{kind.__name__ if kind else ''}({str(error)[:200]}) at {' > '.join(frames[-6:])}"


@contextmanager
def _captured() -> Iterator[Callable[[], tuple[str, str]]]:
    """What is printed meanwhile: files, since a command may ask for their numbers."""
    before = sys.stdout, sys.stderr
    with TemporaryDirectory(prefix="xlsizing-said-") as folder:
        paths = Path(folder, "out"), Path(folder, "err")
        out, err = (path.open("w+", encoding="utf-8", newline="\n") for path in paths)

        def said() -> tuple[str, str]:
            return texts[0], texts[1]

        texts = ["", ""]
        try:
            sys.stdout, sys.stderr = out, err
            with warnings.catch_warnings():
                warnings.resetwarnings()
                warnings.simplefilter("ignore", DeprecationWarning)
                yield said
        finally:
            sys.stdout, sys.stderr = before
            for place, file in enumerate((out, err)):
                file.close()
                texts[place] = paths[place].read_text(encoding="utf-8")


@contextmanager
def _alarm() -> Iterator[None]:
    """End what takes the processor too long; what waits is ended by whoever waits for the case."""

    def ring(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TooSlowError

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _forget_peak() -> None:
    """Have Linux begin anew to note the most memory that this process has."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> float:
    """The most memory since then [MiB]."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found, "Linux says it of every process"
    return int(found[1]) / 1024


def spare_repeated_work() -> None:
    """Do once what takes long and what no mutated file changes.

    The doctor asks other programs about the machine; and a workbook that is built, for a report
    or to compare results with, is the same for the same plan and catalogs.
    """
    machine = this_machine.this_machine()
    machine = replace(machine, run=cache(machine.run))
    this_machine.this_machine = lambda: machine
    results.computed = _built_once(build.computed)  # type: ignore[attr-defined]
    build.report = _built_once(build.report)


def _built_once(make: Callable[Made, Result]) -> Callable[Made, Result]:
    """The function, which keeps the last few of its results."""
    known: dict[str, Result] = {}

    def made(*arguments: Made.args, **named: Made.kwargs) -> Result:
        key = repr((arguments, named))
        if key not in known:
            while len(known) >= _KEPT:
                del known[next(iter(known))]
            known[key] = make(*arguments, **named)
        return known[key]

    return made
