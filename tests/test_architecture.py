"""Arrows between the packages point one way, and heavy imports stand where they are used."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.conftest import PROJECT

PACKAGE = PROJECT / "xlsizing"
STANDARD = frozenset(sys.stdlib_module_names)

MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "core": frozenset(),
    "catalog": frozenset({"core", "resources", "__version__"}),
    "report": frozenset(
        {"core", "blocks", "language", "page", "palette", "resources", "__version__"}
    ),
    "book": frozenset({"core", "blocks", "language", "palette", "resources", "__version__"}),
    "excel": frozenset(
        {
            *("core", "blocks", "catalog", "language", "page", "palette", "report"),
            *("resources", "__version__"),
        }
    ),
    "mail": frozenset({"core"}),
    "cli": frozenset(
        {
            "core",
            "blocks",
            "catalog",
            "language",
            "page",
            "report",
            "book",
            "excel",
            "mail",
            "resources",
            "__version__",
        }
    ),
    "blocks": frozenset({"core"}),
    "language": frozenset({"core", "resources"}),
    "page": frozenset({"core", "language"}),
    "__main__": frozenset({"cli"}),
    "palette": frozenset(),
    "resources": frozenset(),
    "__init__": frozenset(),
}
"""What each room may import of the project, beside itself."""

ON_SERVER = (
    "xlwings_server",
    "uvicorn",
    "fastapi",
    "custom_functions",
    "custom_scripts",
    "pydantic",
)
"""Of the extra `server`: xlwings Server, what serves it and what its routes and settings are made
of, and our functions and scripts by the names that it imports them by."""

OUTSIDE: Mapping[str, frozenset[str]] = {
    "core": frozenset({"annotated_types"}),
    "catalog": frozenset({"pydantic", "pydantic_core"}),
    "report": frozenset({"PIL"}),
    "book": frozenset({"openpyxl", "lxml"}),
    "excel": frozenset({"xlwings", *ON_SERVER}),
    "mail": frozenset({"keyring"}),
    "cli": frozenset({"rich", "shtab"}),
    "blocks": frozenset(),
    "language": frozenset(),
    "page": frozenset(),
    "__main__": frozenset(),
    "palette": frozenset(),
    "resources": frozenset(),
    "__init__": frozenset(),
}
"""What each room may import of others' packages."""

ZIP_ROOM = "book/package/"
HEAVY = (
    "openpyxl",
    "xlwings",
    "pydantic",
    "pydantic_core",
    "lxml",
    "annotated_types",
    "numpy",
    "rich",
    "shtab",
    "smtplib",
    "ssl",
    "email",
    "keyring",
)


def imports(code: str, module: str) -> Iterator[str]:
    """Every module that code imports, at its top or not, with its dots resolved."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            if base == "xlsizing":
                yield from (f"xlsizing.{alias.name}" for alias in node.names)
            else:
                yield base
        elif isinstance(node, ast.Call) and _imports(ast.unparse(node.func)):
            yield f"dynamic import {ast.unparse(node)}"


def _imports(called: str) -> bool:
    return called.split(".")[-1] in ("__import__", "import_module", "exec", "eval")


def violations(code: str, file: str) -> list[str]:
    """What the code of a file, named from the package's folder, must not import."""
    parts = file.removesuffix(".py").split("/")
    room, module = parts[0], ".".join(["xlsizing", *parts])
    found = []
    for imported in imports(code, module):
        top, *rest = imported.split(".")
        if top == "xlsizing":
            allowed = bool(rest) and (rest[0] == room or rest[0] in MAY_IMPORT[room])
        elif top == "zipfile":
            allowed = file.startswith(ZIP_ROOM)
        else:
            allowed = top in STANDARD or top in OUTSIDE[room]
        if not allowed:
            found.append(f"{file} imports {imported}")
    return found


def files() -> list[str]:
    return sorted(
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "shipped" not in path.parts
    )


@pytest.mark.parametrize("file", files())
def test_module_imports_only_what_its_room_may(file: str) -> None:
    assert violations((PACKAGE / file).read_text(encoding="utf-8"), file) == []


def test_there_is_no_room_without_a_rule() -> None:
    rooms = {file.removesuffix(".py").split("/")[0] for file in files()}
    assert rooms == set(MAY_IMPORT) == set(OUTSIDE)
    assert any(file.startswith(ZIP_ROOM) for file in files())


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("core/nodes.py", "import xlsizing.catalog"),
        ("core/nodes.py", "from xlsizing.resources import shipped"),
        ("core/nodes.py", "from xlsizing import __version__"),
        ("core/nodes.py", "from ..book import report"),
        ("core/nodes.py", "from .. import book"),
        ("core/nodes.py", "import pydantic"),
        ("core/nodes.py", "def late():\n    from openpyxl.utils import quote_sheetname"),
        ("core/nodes.py", "from importlib import import_module\nimport_module('openpyxl')"),
        ("catalog/files.py", "from xlsizing.report.text import sizing_page"),
        ("report/text.py", "from xlsizing import book"),
        ("report/text.py", "import openpyxl"),
        ("book/build.py", "from xlsizing.catalog import load_catalogs"),
        ("book/build.py", "from xlsizing.report.full.content import full_report"),
        ("blocks.py", "from xlsizing.report.full.steps import steps"),
        ("book/build.py", "import zipfile"),
        ("book/packaged.py", "import zipfile"),
        ("book/cells.py", "from zipfile import ZipFile"),
        ("cli/commands.py", "import zipfile"),
        ("excel/functions.py", "from xlsizing.book import report"),
        ("excel/functions.py", "from xlsizing.cli import main"),
        ("mail/draft.py", "from xlsizing.report.text import sizing_page"),
        ("mail/submission.py", "import aiosmtpd"),
        ("report/text.py", "from xlsizing.mail.draft import read_draft"),
        ("resources.py", "import xlsizing.core"),
        ("cli/commands.py", "import openpyxl"),
        ("cli/commands.py", "import xlsizing"),
    ],
)
def test_import_against_the_arrows_is_found(file: str, code: str) -> None:
    assert len(violations(code, file)) == 1


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("core/nodes.py", "from xlsizing.core.units import BYTES_PER_GB\nfrom . import units"),
        ("core/nodes.py", "import annotated_types, decimal"),
        ("catalog/files.py", "from xlsizing.core import Model\nfrom xlsizing import resources"),
        ("book/package/opened.py", "import zipfile\nfrom lxml import etree"),
        ("excel/functions.py", "from xlsizing.catalog import load_catalogs"),
        ("cli/commands.py", "from xlsizing import __version__\nfrom xlsizing.book import report"),
    ],
)
def test_import_along_the_arrows_is_let_through(file: str, code: str) -> None:
    assert violations(code, file) == []


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def loaded(code: str) -> list[str]:
    """The heavy packages that are loaded after `code` has run."""
    return run(
        f"import sys\n{code}\nprint(*[each for each in {HEAVY} if each in sys.modules])"
    ).split()


def test_command_line_starts_without_heavy_packages() -> None:
    assert loaded("import xlsizing.cli") == []


def test_loading_catalogs_and_sizing_need_no_heavy_packages() -> None:
    inputs = (
        "size --model gpt-oss-120b --server dgx-b300 --storage profile_default "
        "--concurrency 1000 --effective-context 131072 --json-only"
    )
    quiet = "import contextlib, io, xlsizing.cli\nwith contextlib.redirect_stdout(io.StringIO()):\n"
    assert loaded(f"{quiet}    assert xlsizing.cli.main({inputs.split()}) == 0") == []


def test_heavy_packages_are_seen_where_they_are_loaded() -> None:
    assert {"openpyxl", "lxml"} <= set(loaded("import xlsizing.cli, xlsizing.book.build"))


BLOCKED = f"import sys\nfor name in {HEAVY}: sys.modules[name] = None\n"

SIZED_BY_CORE = """
from xlsizing.core import Model, Server, StorageProfile, size
model = Model(name="m", num_layers=36, num_key_value_heads=8, head_dim=64,
    max_position_embeddings=131072, attention_pattern="hybrid", hybrid_full_layers=18,
    hybrid_sliding_layers=18, sliding_window=128, default_kv_precision="fp8")
server = Server(name="s", gpus=8, hbm_per_gpu_gb=288, hbm_per_gpu_mib=275040)
storage = StorageProfile(name="p", type="hdd", iops_read=1, iops_write=1,
    throughput_read_gbps=1, throughput_write_gbps=1, latency_read_ms_p50=1,
    latency_read_ms_p99=1, latency_write_ms_p50=1, latency_write_ms_p99=1)
result = size(model, server, storage, concurrency=1000, effective_context=131072, ha_mode="n+1")
print(result.sessions_per_node, result.nodes_minimum, result.nodes_with_headroom,
    result.nodes_final)
"""


def test_core_works_where_no_other_package_is_installed() -> None:
    assert run(BLOCKED + SIZED_BY_CORE) == "614 2 2 3"


def test_core_loads_no_other_room() -> None:
    rooms = (
        "print(*sorted({name.split('.')[1] for name in sys.modules if name[:9] == 'xlsizing.'}))"
    )
    assert run(f"import sys, xlsizing.core\n{rooms}") == "core"


def test_blocked_packages_cannot_be_imported() -> None:
    with pytest.raises(AssertionError, match="openpyxl"):
        run(BLOCKED + "import xlsizing.book.build")


def test_shipped_folders_are_no_packages() -> None:
    assert not [
        path for name in ("catalogs", "workbook") for path in Path(PROJECT / name).rglob("*.py")
    ]
