"""A wheel works outside the clone, catalogs and workbook texts included."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.excel.hosts.pyodide import lite_files
from xlsizing.catalog import load_catalogs
from xlsizing.excel.lite import code


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as an installer would lay it out."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, PROJECT],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as package:
        package.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name != "XLSIZING_CATALOGS"
    } | {"PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, "-m", "xlsizing", *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=cwd,
        env=environment,
    )


def test_the_wheel_holds_one_package_and_its_data(installed: Path) -> None:
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"xlsizing"}
    shipped = installed / "xlsizing" / "shipped"
    assert {path.name for path in (shipped / "catalogs").iterdir()} == {
        path.name for path in (PROJECT / "catalogs").iterdir()
    }
    assert (shipped / "workbook" / "about-template.md").exists()


def test_the_wheel_sizes_outside_the_clone(installed: Path, tmp_path: Path) -> None:
    code = "import xlsizing.resources as r; print(r.__file__, r.shipped('catalogs'))"
    where = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
    ).stdout.split()
    assert all(path.startswith(str(installed)) for path in where)
    answer = run(
        installed,
        tmp_path,
        *[
            "size",
            "--model",
            "gpt-oss-120b",
            "--server",
            "dgx-b300",
            "--storage",
            "profile_default",
        ],
        *["--concurrency", "1000", "--effective-context", "131072", "--ha", "n+1", "--json-only"],
    )
    assert json.loads(answer.stdout)["results"]["nodes_final"] == 3
    assert run(installed, tmp_path, "template", "plan.xlsx").returncode == 0
    assert (tmp_path / "plan.xlsx").stat().st_size > 10_000


def test_the_wheel_makes_a_workbook_for_lite(installed: Path, tmp_path: Path) -> None:
    made = run(installed, tmp_path, "template", "lite.xlsx", "--host", "lite")
    assert made.returncode == 0, made.stderr
    assert lite_files((tmp_path / "lite.xlsx").read_bytes()) == code(load_catalogs())
