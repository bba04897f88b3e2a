"""The code of a workbook for xlwings Lite: one file, main.py, that carries all it needs.

Lite runs Python in the browser that Excel has inside, from text that the workbook keeps.
Nothing of ours is installed there, so main.py holds the source of every module that the
functions and scripts need, and the catalogs, each under its path, and lays them down as
an installed package has them: the code that runs is the code that is tested here.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from xlsizing import __version__
from xlsizing.catalog.writing import documents
from xlsizing.core import Catalogs
from xlsizing.excel import functions, reentry
from xlsizing.excel.host import FUNCTIONS, SCRIPTS

PACKAGE = "xlsizing"

ROOTS = (functions.__name__, reentry.__name__)
"""The modules that register functions and scripts when they are imported."""

FOREIGN_BUT_THERE = frozenset({"xlwings"})
"""Packages of others that Lite has."""

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


class _Imports(NamedTuple):
    """What a module imports: when it is imported itself, and later, inside its functions."""

    at_once: frozenset[str]
    later: frozenset[str]


def code(catalogs: Catalogs) -> dict[str, str]:
    """The files of the code by name, for functions and scripts that know these catalogs."""
    return {"main.py": main_py(catalogs), "requirements.txt": REQUIREMENTS}


def main_py(catalogs: Catalogs) -> str:
    """The text of main.py."""
    carried = {**sources(), **_catalog_files(catalogs)}
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


def sources(roots: Iterable[str] = ROOTS) -> dict[str, str]:
    """The source of each module that `roots` need, by its path in an installed package.

    A module that is only imported inside a function stays out where it needs a package
    that Lite does not have.
    """
    needed: set[str] = set()
    waiting = [*roots]
    while waiting:
        module = waiting.pop()
        reached = _reached(module)
        if foreign := _foreign(reached):
            assert module not in roots, f"{module} needs {foreign}"
        elif module not in needed:
            needed |= reached
            waiting += [each for one in reached for each in _imports(one).later if _is_ours(each)]
    return {_path(module): _source(module) for module in sorted(needed)}


def _reached(module: str) -> set[str]:
    """The modules of ours that are imported with a module, itself among them."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            parent = each.rpartition(".")[0]
            imported = filter(_is_ours, _imports(each).at_once)
            waiting += [*imported, *([parent] if parent else [])]
    return found


def _foreign(modules: Iterable[str]) -> set[str]:
    """What modules import that is neither ours nor there."""
    tops = {each.partition(".")[0] for one in modules for each in _imports(one).at_once}
    return tops - {PACKAGE} - FOREIGN_BUT_THERE - sys.stdlib_module_names


@cache
def _imports(module: str) -> _Imports:
    tree = ast.parse(_source(module))
    everything = frozenset(_imported(ast.walk(tree)))
    at_once = frozenset(_imported(_run_at_once(tree)))
    return _Imports(at_once, everything - at_once)


def _run_at_once(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module that run when it is imported."""
    for child in ast.iter_child_nodes(node):
        is_for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not is_for_types and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _run_at_once(child)


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            yield base
            yield from (name for each in node.names if _is_ours(name := f"{base}.{each.name}"))


def _is_ours(module: str) -> bool:
    """True for a module of the package; a name that a module holds is none."""
    return module.partition(".")[0] == PACKAGE and _found(module) is not None


@cache
def _found(module: str) -> str | None:
    """Path of a module's file in an installed package; None where there is none."""
    path = module.replace(".", "/")
    for file in (f"{path}.py", f"{path}/__init__.py"):
        if files(PACKAGE).joinpath("..", file).is_file():
            return file
    return None


def _path(module: str) -> str:
    path = _found(module)
    assert path is not None, module
    return path


@cache
def _source(module: str) -> str:
    return files(PACKAGE).joinpath("..", _path(module)).read_text(encoding="utf-8")


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
        registered.setdefault(module, []).append(name)
    return "".join(
        f"from {module} import (  # noqa: E402\n"
        + "".join(f"    {name},\n" for name in sorted(names))
        + ")\n"
        for module, names in sorted(registered.items())
    )
