"""Made-up machines: a good one of each kind, which a test changes in one place."""

import json
import ntpath
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from xlsizing.excel.doctor import Case, Finding, Machine, Outcome, WorkbookFacts, examined

Value = TypeVar("Value")

VERSIONS = {
    "annotated-types": "0.7.0",
    "lxml": "5.3.0",
    "openpyxl": "3.1.5",
    "pillow": "11.3.0",
    "rich": "14.0.0",
    "shtab": "1.13.0",
    "pydantic": "2.10.1",
    "xlwings": "0.37.8",
    "pywin32": "308",
    "psutil": "6.1.0",
    "appscript": "1.2.5",
}

ANSWER: Mapping[str, Any] = {
    "version": [3, 11, 9],
    "bits": 64,
    "environment": "virtual",
    "xlwings": "0.37.8",
    "xlwings_folder": "",
    "xlsizing": "0.1.0",
    "xlsizing_folder": "",
    "error": "",
    "answer": 3,
}


def said(**changes: object) -> str:
    """What a Python prints when it is asked."""
    return "a greeting\nxlsizing-doctor:" + json.dumps({**ANSWER, **changes}) + "\n"


@dataclass
class MadeUpFiles:
    """Files by their whole paths; an error instead of a content is raised."""

    contents: Mapping[str, bytes | OSError]
    knows_case: bool
    looked_at: list[str] = field(default_factory=list)

    def is_file(self, path: str) -> bool:
        return self._found(path) is not None

    def is_folder(self, path: str) -> bool:
        return bool(self._below(path))

    def names(self, folder: str) -> Sequence[str]:
        if isinstance(found := self._found(folder), OSError):
            raise found
        return sorted({rest.partition(self._separator)[0] for rest in self._below(folder)})

    def read(self, path: str, most: int) -> bytes:
        found = self._found(path)
        if found is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        return found[:most]

    @property
    def _separator(self) -> str:
        return "/" if self.knows_case else "\\"

    def _found(self, path: str) -> bytes | None:
        self.looked_at.append(path)
        for name, content in self.contents.items():
            if self._key(name) == self._key(path):
                if isinstance(content, OSError):
                    raise content
                return content
        return None

    def _below(self, folder: str) -> list[str]:
        start = self._key(folder) + self._separator
        return [name[len(start) :] for name in self.contents if self._key(name).startswith(start)]

    def _key(self, path: str) -> str:
        return posixpath.normpath(path) if self.knows_case else ntpath.normcase(path)


@dataclass
class MadeUpPythons:
    """What Pythons print, by their paths; an error instead is raised."""

    outputs: Mapping[str, str | OSError]
    started: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)

    def __call__(self, interpreter: str, script: str, seconds: float) -> str:
        assert 1 <= seconds <= 60
        self.started.append(interpreter)
        self.scripts.append(script)
        output = self.outputs.get(interpreter, FileNotFoundError(2, "No such file or directory"))
        if isinstance(output, OSError):
            raise output
        return output


# Windows

HOME = r"C:\Users\ana"
VENV = HOME + r"\xlsizing\.venv"
PYTHON = VENV + r"\Scripts\python.exe"
OTHER_PYTHON = r"C:\Python312\python.exe"
XLWINGS = VENV + r"\Lib\site-packages\xlwings"
XLSTART = HOME + r"\AppData\Roaming\Microsoft\Excel\XLSTART"
ADD_IN = XLSTART + r"\xlwings.xlam"
OWN_SETTINGS = HOME + r"\.xlwings\xlwings.conf"
EXCEL = r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE"
PLAN = r"C:\plans\plan.xlsm"
BESIDE_PLAN = r"C:\plans\xlwings.conf"
SECURITY = r"Software\Microsoft\Office\16.0\Excel\Security"
POLICIES = r"Software\Policies\Microsoft\Office\16.0\Excel\Security"


def program(machine_code: int) -> bytes:
    """The beginning of a Windows program, as the PE format has it."""
    head = bytearray(b"MZ" + bytes(254))
    head[0x3C:0x40] = (0x80).to_bytes(4, "little")
    head[0x80:0x86] = b"PE\0\0" + machine_code.to_bytes(2, "little")
    return bytes(head)


WINDOWS_FILES: Mapping[str, bytes | OSError] = {
    PYTHON: b"MZ",
    VENV + r"\xlwings64-0.37.8.dll": b"MZ",
    VENV + r"\xlwings32-0.37.8.dll": b"MZ",
    XLWINGS + r"\addin\xlwings.xlam": b"the add-in of 0.37.8",
    ADD_IN: b"the add-in of 0.37.8",
    OWN_SETTINGS: f'"INTERPRETER_WIN","{PYTHON}"\r\n"UDF MODULES",""\r\n'.encode(),
    EXCEL: program(0x8664),
    PLAN: b"PK",
}
WINDOWS_REGISTRY: Mapping[tuple[str, str], object] = {
    (
        r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe",
        "",
    ): EXCEL,
    (r"HKEY_CLASSES_ROOT\Excel.Application\CurVer", ""): "Excel.Application.16",
}
WINDOWS_PYTHONS: Mapping[str, str | OSError] = {PYTHON: said(xlwings_folder=XLWINGS)}
CLASSIC = WorkbookFacts(PLAN, has_macros=True, has_wrappers=True)


def windows(
    files: Mapping[str, bytes | OSError | None] | None = None,
    registry: Mapping[tuple[str, str], object] | None = None,
    pythons: Mapping[str, str | OSError] | None = None,
    versions: Mapping[str, str | None] | None = None,
    environment: Mapping[str, str] | None = None,
    **changes: Any,
) -> Machine:
    """A Windows machine on which everything is right, with changes; None takes out."""
    values = {**WINDOWS_REGISTRY, **(registry or {})}
    made = Machine(
        platform="win32",
        executable=PYTHON,
        environment={
            "APPDATA": HOME + r"\AppData\Roaming",
            "USERPROFILE": HOME,
            **(environment or {}),
        },
        home=HOME,
        encoding="cp1252",
        files=MadeUpFiles(_with(WINDOWS_FILES, files), knows_case=False),
        version_of=_with(VERSIONS, versions).get,
        registry=lambda key, name: values.get((key, name)),
        preference=lambda name: "",  # noqa: ARG005 (Windows has none)
        run=MadeUpPythons({**WINDOWS_PYTHONS, **(pythons or {})}),
    )
    return replace(made, **changes)


# Mac

MAC_HOME = "/Users/ana"
MAC_PYTHON = MAC_HOME + "/xlsizing/.venv/bin/python"
MAC_XLWINGS = MAC_HOME + "/xlsizing/.venv/lib/python3.11/site-packages/xlwings"
MAC_ADD_IN = (
    MAC_HOME + "/Library/Group Containers/UBF8T346G9.Office/User Content.localized"
    "/Startup.localized/Excel/xlwings.xlam"
)
MAC_SCRIPT = (
    MAC_HOME + "/Library/Application Scripts/com.microsoft.Excel/xlwings-0.37.8.applescript"
)
MAC_SETTINGS = MAC_HOME + "/Library/Containers/com.microsoft.Excel/Data/xlwings.conf"
MAC_EXCEL = "/Applications/Microsoft Excel.app/Contents/MacOS/Microsoft Excel"
MAC_PLAN = MAC_HOME + "/plans/plan.xlsm"
MAC_FILES: Mapping[str, bytes | OSError] = {
    MAC_PYTHON: b"",
    MAC_XLWINGS + "/addin/xlwings.xlam": b"the add-in of 0.37.8",
    MAC_ADD_IN: b"the add-in of 0.37.8",
    MAC_SCRIPT: b"on VbaHandler",
    MAC_SETTINGS: f'"INTERPRETER_MAC","{MAC_PYTHON}"\n'.encode(),
    MAC_EXCEL: b"",
    MAC_PLAN: b"PK",
}
MAC_CLASSIC = WorkbookFacts(MAC_PLAN, has_macros=True, has_wrappers=True)


def mac(
    files: Mapping[str, bytes | OSError | None] | None = None,
    pythons: Mapping[str, str | OSError] | None = None,
    versions: Mapping[str, str | None] | None = None,
    preferences: Mapping[str, str] | None = None,
    **changes: Any,
) -> Machine:
    """A Mac on which everything is right, with changes; None takes out."""
    preferred = preferences or {}
    made = Machine(
        platform="darwin",
        executable=MAC_PYTHON,
        environment={},
        home=MAC_HOME,
        encoding="utf-8",
        files=MadeUpFiles(_with(MAC_FILES, files), knows_case=True),
        version_of=_with(VERSIONS, versions).get,
        registry=lambda key, name: None,  # noqa: ARG005 (a Mac has none)
        preference=lambda name: preferred.get(name, ""),
        run=MadeUpPythons({MAC_PYTHON: said(xlwings_folder=MAC_XLWINGS), **(pythons or {})}),
    )
    return replace(made, **changes)


# Linux


def linux(**changes: Any) -> Machine:
    """A Linux machine, with changes."""
    python = "/opt/xlsizing/bin/python"
    made = Machine(
        platform="linux",
        executable=python,
        environment={},
        home="/home/ana",
        encoding="utf-8",
        files=MadeUpFiles({python: b"", "/home/ana/plan.xlsm": b"PK"}, knows_case=True),
        version_of=VERSIONS.get,
        registry=lambda key, name: None,  # noqa: ARG005 (Linux has none)
        preference=lambda name: "",  # noqa: ARG005 (nor preferences of Office)
        run=MadeUpPythons({python: said()}),
    )
    return replace(made, **changes)


def _with(
    good: Mapping[str, Value], changes: Mapping[str, Value | None] | None
) -> dict[str, Value]:
    changed = {**good, **(changes or {})}
    return {key: value for key, value in changed.items() if value is not None}


def findings(
    machine: Machine, workbook: WorkbookFacts | None = None, catalogs: str | None = None
) -> dict[str, Finding]:
    """What each check finds."""
    return dict(examined(Case(machine, workbook, catalogs)))


def outcomes(found: Mapping[str, Finding], outcome: Outcome) -> Iterable[str]:
    """The checks that ended so."""
    return [check for check, finding in found.items() if finding.outcome is outcome]
