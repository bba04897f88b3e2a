"""The source of the package's modules, and which of them a module needs."""

import ast
import sys
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

PACKAGE = "xlsizing"


class _Imports(NamedTuple):
    """What a module imports: when it is imported itself, and later, inside its functions."""

    at_once: frozenset[str]
    later: frozenset[str]


def sources(roots: Collection[str], installed: Collection[str]) -> dict[str, str]:
    """The source of each module that `roots` need, by its path as in an installed package.

    Parameters
    ----------
    roots : names of modules.
    installed : packages of others that are there, beside the standard library. A module
        that needs another one stays out where it is only imported inside functions.
    """
    needed: set[str] = set()
    waiting = [*roots]
    while waiting:
        module = waiting.pop()
        reached = _reached(module)
        if foreign := _foreign(reached) - set(installed):
            assert module not in roots, f"{module} needs {foreign}"
        elif module not in needed:
            needed |= reached
            waiting += [each for one in reached for each in _imports(one).later if _is_ours(each)]
    return {f"{PACKAGE}/{_path(module)}": _source(module) for module in sorted(needed)}


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
    """The packages of others that modules import."""
    tops = {each.partition(".")[0] for one in modules for each in _imports(one).at_once}
    return tops - {PACKAGE} - sys.stdlib_module_names


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
    """Path of a module's file in the package's folder; None where there is none."""
    path = "/".join(module.split(".")[1:])
    for file in (f"{path}.py", f"{path}/__init__.py") if path else ("__init__.py",):
        if files(PACKAGE).joinpath(file).is_file():
            return file
    return None


def _path(module: str) -> str:
    path = _found(module)
    assert path is not None, module
    return path


@cache
def _source(module: str) -> str:
    return files(PACKAGE).joinpath(_path(module)).read_text(encoding="utf-8")
