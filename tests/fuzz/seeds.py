"""What is mutated: whole workbooks by several writers, as parts that are packed already."""

import io
import re
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from tests.book.sync.samples import SAMPLES
from tests.conftest import PROJECT
from tests.fuzz.zips import Part, part
from xlsizing.book.build import report, template
from xlsizing.book.hosts import SERVER_WORKBOOK
from xlsizing.book.lite import lite_workbook
from xlsizing.catalog import load_catalogs
from xlsizing.core import Catalogs, size
from xlsizing.excel.lite import code

_CLOCK = re.compile(rb"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?\b")
_A_MOMENT = b"2026-11-23T12:00:00Z"
"""Stands for the moment at which a writer saved, so that a number stands for the same case."""


@dataclass(frozen=True)
class Seed:
    """A workbook before it is mutated."""

    name: str
    suffix: str
    parts: tuple[Part, ...]


def _sample(name: str) -> Callable[[], bytes]:
    return next(sample for sample in SAMPLES if sample.name == name).content


def _shipped() -> Catalogs:
    return load_catalogs(str(PROJECT / "catalogs"))


def _report() -> bytes:
    catalogs = _shipped()
    model, server, storage = catalogs.models[0], catalogs.servers[0], catalogs.profiles[0]
    result = size(model, server, storage, concurrency=1_000, effective_context=8_192)
    return report(result, catalogs)


def _by_libreoffice() -> bytes:
    """LibreOffice's where it is installed; openpyxl's, as the other writer that drops things."""
    named = "by LibreOffice" if shutil.which("soffice") else "saved by openpyxl"
    return _sample(named)()


_MADE: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "plain": (".xlsx", _sample("template")),
    "lite": (".xlsx", lambda: template(_shipped(), host=lite_workbook(code(_shipped())))),
    "server": (".xlsx", lambda: template(_shipped(), host=SERVER_WORKBOOK)),
    "report": (".xlsx", _report),
    "openpyxl": (".xlsx", _sample("saved by openpyxl")),
    "libreoffice": (".xlsx", _by_libreoffice),
    "typed": (".xlsx", _sample("typed in")),
    "macros": (".xlsm", _sample("macros and all")),
    "xlsxwriter": (".xlsx", _sample("by XlsxWriter")),
    "signed": (".xlsx", _sample("signed")),
    "few columns": (".xlsx", _sample("few columns by XlsxWriter")),
}

SEEDS: tuple[str, ...] = (*_MADE, *("xlsxwriter", "few columns") * 10)
"""Names to choose among; the small ones more often, since they take less time."""


@cache
def seed(name: str) -> Seed:
    """The workbook of that name, built when it is first asked for."""
    suffix, make = _MADE[name]
    with zipfile.ZipFile(io.BytesIO(make())) as package:
        parts = [
            part(info.filename.encode(), _CLOCK.sub(_A_MOMENT, package.read(info)))
            for info in package.infolist()
            if not info.is_dir()
        ]
    return Seed(name, suffix, tuple(parts))
