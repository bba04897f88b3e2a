"""The code of a workbook for xlwings Lite: one file, main.py, that carries all it needs.

Lite runs Python in the browser that Excel has inside, from text that the workbook keeps.
Nothing of ours is installed there, so main.py holds the source of every module that the
functions and scripts need, and the catalogs, each under its path, and lays them down as
an installed package has them: the code that runs is the code that is tested here.
"""

from collections.abc import Mapping
from hashlib import sha256

from xlsizing import __version__
from xlsizing.catalog.writing import documents
from xlsizing.core import Catalogs
from xlsizing.excel import functions, reentry, scripts
from xlsizing.excel.host import FUNCTIONS, SCRIPTS
from xlsizing.excel.sources import PACKAGE, sources

ROOTS = (functions.__name__, scripts.__name__, reentry.__name__)
"""The modules that register functions and scripts when they are imported."""

INSTALLED = frozenset({"xlwings"})
"""Packages that Lite has."""

REQUIREMENTS = "xlwings==0.37.8\n"
"""What Lite installs, in the words of a requirements.txt."""

_MAIN = '''\
"""# {package} {version}

{purpose}

Made by `xlsizing template --host lite` from the catalogs {catalogs}:
{counts}.

To change code or catalogs, make the workbook again: what is typed here is tested by nobody.
"""

import sys
import tempfile
from importlib import invalidate_caches
from pathlib import Path

FILES = {{
{files}}}

FOLDER = Path(tempfile.gettempdir(), "{package}-{digest}")

# Lite runs this file several times in a session, and another version may have run before.
loaded = sys.modules.get("{package}")
if loaded is None or not Path(loaded.__file__).is_relative_to(FOLDER):
    for name, text in FILES.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for module in [each for each in sys.modules if each.partition(".")[0] == "{package}"]:
        del sys.modules[module]
    sys.path.insert(0, str(FOLDER))
    invalidate_caches()

{imports}'''

_PURPOSE = """\
How many GPU nodes it takes to serve a language model: the functions `=NODES_REQUIRED(...)`,
`=SIZING(...)` and their like, and the scripts beside."""


def code(catalogs: Catalogs) -> dict[str, str]:
    """The files of the code by name, for functions and scripts that know these catalogs."""
    return {"main.py": main_py(catalogs), "requirements.txt": REQUIREMENTS}


def main_py(catalogs: Catalogs) -> str:
    """The text of main.py."""
    carried = {**sources(ROOTS, INSTALLED), **_catalog_files(catalogs)}
    kinds = (
        (catalogs.models, "models"),
        (catalogs.servers, "servers"),
        (catalogs.profiles, "storage profiles"),
    )
    return _MAIN.format(
        package=PACKAGE,
        version=__version__,
        purpose=_PURPOSE,
        catalogs=catalogs.fingerprint(),
        counts=", ".join(f"{len(entries)} {kind}" for entries, kind in kinds),
        files="".join(f'    "{path}": {_literal(text)},\n' for path, text in carried.items()),
        digest=sha256(repr(carried).encode()).hexdigest()[:12],
        imports=_registered(),
    )


def _catalog_files(catalogs: Catalogs) -> Mapping[str, str]:
    """The catalog files, where an installed package has those that it ships."""
    return {
        f"{PACKAGE}/shipped/catalogs/{name}": text.replace("'''", r"\u0027\u0027\u0027")
        for name, text in documents(catalogs).items()
    }


def _literal(text: str) -> str:
    """The text as a person reads it, in a raw string."""
    assert "'''" not in text, "a raw string in main.py would end there"
    assert text.endswith("\n") or not text, "a quote or a backslash may end no raw string"
    return f"r'''{text}'''"


def _registered() -> str:
    """The imports that put functions and scripts where Lite looks for them: into main itself."""
    registered = {functions.__name__: list(FUNCTIONS)}
    for name, module in SCRIPTS.items():
        if module in ROOTS:
            registered.setdefault(module, []).append(name)
    return "".join(
        f"from {module} import (  # noqa: E402\n"
        + "".join(f"    {name},\n" for name in sorted(names))
        + ")\n"
        for module, names in sorted(registered.items())
    )
