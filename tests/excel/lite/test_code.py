"""What main.py carries, and that it runs with nothing but xlwings and the standard library."""

import ast
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.test_architecture import HEAVY
from tests.test_docs import locked
from xlsizing import __version__
from xlsizing.catalog import load_catalogs
from xlsizing.catalog.writing import documents
from xlsizing.core import Catalogs
from xlsizing.excel.host import FUNCTIONS, SCRIPTS
from xlsizing.excel.lite import INSTALLED, REQUIREMENTS, ROOTS, code
from xlsizing.excel.lite import main_py as main_with
from xlsizing.excel.sources import sources

CATALOGS = "xlsizing/shipped/catalogs/"


def carried(main: str) -> dict[str, str]:
    """The texts in a main.py, by their paths, read without running it."""
    [files] = [
        node.value
        for node in ast.parse(main).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FILES"
    ]
    found = ast.literal_eval(files)
    assert isinstance(found, dict)
    return found


def run(folder: Path, mains: list[str], program: str) -> str:
    """Run main.py texts one after the other as Lite does, and then a program, in a process of
    its own where no heavy package but xlwings can be imported.
    """
    blocked = [name for name in HEAVY if name != "xlwings"]
    script = f"""
import json, sys, types
for name in {blocked}: sys.modules[name] = None
def start(main):
    module = types.ModuleType("main")
    exec(main, module.__dict__)
    return module
mains = [start(main) for main in json.load(sys.stdin)]
import xlsizing
assert xlsizing.__file__.startswith({str(folder)!r}), xlsizing.__file__
{program}
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        input=json.dumps(mains),
        cwd=folder,
        env={"TMPDIR": str(folder), "PATH": ""},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LOADED = "print(*sorted(name for name in sys.modules if name.partition('.')[0] == 'xlsizing'))"


def test_it_carries_the_modules_that_are_loaded_and_no_others(main_py: str, tmp_path: Path) -> None:
    imported = ", ".join(ROOTS)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {imported}\n{LOADED}"],
        cwd=PROJECT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    modules = {
        re.sub(r"(/__init__)?\.py$", "", path).replace("/", ".")
        for path in sources(ROOTS, INSTALLED)
    }
    assert modules == set(done.stdout.split())
    assert run(tmp_path, [main_py], LOADED) == done.stdout.strip()


def test_a_module_that_only_a_function_needs_travels_unless_it_needs_what_is_not_there() -> None:
    needed = sources(["xlsizing.cli.commands"], INSTALLED)
    assert "xlsizing/report/text.py" in needed  # imported inside `size_command`
    assert "xlsizing/book/build.py" not in needed  # which needs openpyxl
    with pytest.raises(AssertionError, match="openpyxl"):
        sources(["xlsizing.book.build"], INSTALLED)


def test_the_sources_are_those_of_the_package(main_py: str) -> None:
    texts = {path: text for path, text in carried(main_py).items() if path.endswith(".py")}
    assert texts == {path: (PROJECT / path).read_text(encoding="utf-8") for path in texts}
    assert "xlsizing/core/sizing.py" in texts


def test_the_catalogs_are_those_that_were_given(
    main_py: str, catalogs: Catalogs, tmp_path: Path
) -> None:
    for path, text in carried(main_py).items():
        if path.startswith(CATALOGS):
            (tmp_path / path.removeprefix(CATALOGS)).write_text(text, encoding="utf-8")
    assert load_catalogs(str(tmp_path)) == catalogs


def test_a_companys_own_catalogs_travel_whatever_their_texts_hold(
    catalogs: Catalogs, tmp_path: Path
) -> None:
    notes = "''' ends; \\ a path C:\\new; \"quoted\"; \u2028 \u0000 é 日本 {braces} %s '"
    model = replace(catalogs.model("gpt-oss-120b"), name="own", aliases=(), notes=notes)
    own = Catalogs((model,), catalogs.servers[:1], catalogs.profiles[:1])
    asked = "main = mains[0]\nprint(json.dumps([main.CATALOG('models'), main.CATALOG('models', 'own', 'notes')]))"
    table, shown = json.loads(run(tmp_path, [main_with(own)], asked))
    assert [row[0] for row in table] == ["name", "own"]
    assert shown == notes
    for name, text in documents(own).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert load_catalogs(str(tmp_path)).fingerprint() == own.fingerprint()


def test_another_version_in_the_same_session_takes_the_place_of_the_first(
    main_py: str, catalogs: Catalogs, tmp_path: Path
) -> None:
    own = Catalogs(catalogs.models[:1], catalogs.servers[:1], catalogs.profiles[:1])
    asked = "print(*(len(main.CATALOG('servers')) for main in mains))"
    counts = run(tmp_path, [main_py, main_with(own), main_py, main_py], asked).split()
    every, one = str(len(catalogs.servers) + 1), "2"
    assert counts == [every, one, every, every]


def test_a_catalog_that_was_edited_wrongly_is_told_in_a_sentence(
    catalogs: Catalogs, tmp_path: Path
) -> None:
    own = Catalogs(catalogs.models[:1], catalogs.servers[:1], catalogs.profiles[:1])
    assert own.models[0].num_layers == 32
    text = main_with(own)
    asked = "print(mains[0].SIZING_WHY('command-r7b', 'dgx-a100', 1, 1))"
    for old, new, sentence in (
        ('"num_layers": 32', '"num_layers": 33', "it must be equal to num_layers, which is 33."),
        (
            '"num_layers": 32',
            '"num_layers": 3 2',
            "models.json: line 5, column 20: This is not JSON",
        ),
    ):
        assert sentence in run(tmp_path, [text.replace(old, new)], asked)


def test_main_bears_every_function_and_script(main_py: str, tmp_path: Path) -> None:
    names = [*FUNCTIONS, *SCRIPTS]
    asked = f"print(*(callable(getattr(mains[0], name)) for name in {names}))"
    assert run(tmp_path, [main_py], asked).split() == ["True"] * len(names)
    assert {"NODES_REQUIRED", "full_report_script", "reenter_formulas"} <= set(names)


def test_a_reader_learns_what_it_is_and_from_which_catalogs(
    main_py: str, catalogs: Catalogs
) -> None:
    head = ast.get_docstring(ast.parse(main_py)) or ""
    assert head.startswith(f"# xlsizing {__version__}\n")
    assert catalogs.fingerprint() in head
    assert max(len(line) for line in head.splitlines()) <= 100


def test_lite_installs_the_xlwings_that_is_tested_here(catalogs: Catalogs) -> None:
    assert f"xlwings=={locked('requirements.lock')['xlwings']}\n" == REQUIREMENTS
    assert code(catalogs)["requirements.txt"] == REQUIREMENTS
