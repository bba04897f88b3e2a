"""Loads that core counts and a workbook cannot are refused before a file is written."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from xlsizing.book.build import report, template
from xlsizing.cli import main
from xlsizing.core import Catalogs, SizingError, size
from xlsizing.core.planning.limits import LIMIT_EXACT, LIMIT_OVERHEAD_GIB

AT_THE_EDGE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    # the largest load that a workbook counts, and what is one too many
    (
        {"concurrency": 10**10, "peak_headroom_ratio": 0},
        {"concurrency": 10**10 + 1, "peak_headroom_ratio": 0},
    ),
    (
        {"concurrency": 5 * 10**9, "peak_headroom_ratio": 1},
        {"concurrency": 5 * 10**9, "peak_headroom_ratio": 1.0001},
    ),
    ({"effective_context": LIMIT_EXACT}, {"effective_context": LIMIT_EXACT + 1}),
    (
        {"runtime_overhead_gib": LIMIT_OVERHEAD_GIB},
        {"runtime_overhead_gib": LIMIT_OVERHEAD_GIB + 0.01},
    ),
]


@pytest.mark.parametrize(("largest", "too_large"), AT_THE_EDGE, ids=str)
def test_a_report_is_made_up_to_the_limit_and_refused_beyond_it(
    catalogs: Catalogs, largest: dict[str, Any], too_large: dict[str, Any]
) -> None:
    entries = (
        catalogs.model("gpt-oss-20b"),
        catalogs.server("dgx-h200"),
        catalogs.profile("profile_default"),
    )
    load = {"concurrency": 1, "effective_context": 1_000}
    assert report(size(*entries, **{**load, **largest}), catalogs)
    with pytest.raises(SizingError, match="too large for it; use `xlsizing size`"):
        report(size(*entries, **{**load, **too_large}), catalogs)


def test_the_command_says_so_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load = "--model gpt-oss-20b --server dgx-h200 --storage profile_default"
    arguments = f"{load} --concurrency 99999999999 --effective-context 1000".split()
    assert main(["report", str(tmp_path / "plan.xlsx"), *arguments]) == 2
    assert "A workbook cannot count this sizing exactly" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_a_link_to_the_replaced_file(tmp_path: Path) -> None:
    real, link = tmp_path / "real.xlsx", tmp_path / "link.xlsx"
    real.write_bytes(b"old")
    try:
        link.symlink_to(real)
    except OSError:
        pytest.skip("the system lets this user make no links; CI has them.")
    assert main(["template", str(link), "--force"]) == 0
    assert link.is_symlink()
    assert real.read_bytes()[:2] == b"PK"


def test_the_validations_let_a_person_type_what_the_method_accepts(catalogs: Catalogs) -> None:
    book = openpyxl.load_workbook(io.BytesIO(template(catalogs)))
    ((title, address),) = book.defined_names["Input_PeakHeadroomRatio"].destinations
    cell = address.replace("$", "")
    (check,) = [
        each for each in book[title].data_validations.dataValidation if cell in str(each.sqref)
    ]
    # A headroom above 1 is accepted, if rarely meant: Excel asks, and takes it.
    assert (check.formula2, check.errorStyle) == ("1", "warning")
    for name in ("Input_Model", "Input_Server", "Input_Storage"):
        ((title, address),) = book.defined_names[name].destinations
        cell = address.replace("$", "")
        (check,) = [
            each for each in book[title].data_validations.dataValidation if cell in str(each.sqref)
        ]
        assert check.errorStyle == "warning", "an alias is as good as a name on the list"
