"""What a function costs for ten thousand rows in Pyodide, where xlwings Lite runs it.

The code is taken out of a workbook for Lite, and each function is timed beside one that
takes and returns the same ranges, in turn. Aim: at most 30 microseconds a row above it.
With XLWINGS_LICENSE_KEY both run in xlwings' Office.js runtime, which turns cells into
Python values and back, as in Lite; without it they are called as Python functions. Needs
Node and `npm ci --prefix tests/pyodide`.

    python bench/functions_in_pyodide.py [ROWS [PYODIDE]]

PYODIDE is one of the versions that tests/pyodide/package.json names. In the oldest,
xlwings looks for a name that Pyodide has not, once a cell, and takes ten times as long.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.excel.hosts.officejs import LICENCE
from tests.excel.hosts.pyodide import NEWEST, lite_files, run
from xlsizing.book.build import template
from xlsizing.book.lite import lite_workbook
from xlsizing.catalog import load_catalogs
from xlsizing.excel.lite import code

MOST_ABOVE = 30
"""Microseconds a row."""


def main() -> None:
    """Time each function, and print what it costs a row."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    version = sys.argv[2] if len(sys.argv) > 2 else NEWEST
    key = os.environ.get(LICENCE)
    catalogs = load_catalogs()
    text = lite_files(template(catalogs, host=lite_workbook(code(catalogs))))["main.py"]
    program = Path(__file__).with_name("timed_in_pyodide.py")
    found = run(program, {"main": text, "rows": rows}, version=version, key=key)
    way = "in xlwings' Office.js runtime" if key else "as Python functions"
    print(f"Pyodide with Python {found['python']}: main.py starts in {found['start']:.2f} s")
    print(f"{rows:,} rows {way}, best of {found['runs']} in turn")
    print(f"Aim: at most {MOST_ABOVE} us a row above identity\n")
    print(f"{'':<34}{'identity ms':>12}{'ours ms':>10}{'above, us a row':>17}")
    for case, (identity, own) in found["seconds"].items():
        above = (own - identity) / rows * 1e6
        print(f"{case:<34}{identity * 1e3:>12.1f}{own * 1e3:>10.1f}{above:>17.1f}")


if __name__ == "__main__":
    main()
