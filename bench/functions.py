"""What a function costs for ten thousand rows, beside a function that hands its ranges back.

Both run in xlwings' Office.js runtime in this process, as on a server and in Lite: it turns
cells into Python values and back, which is what most of the time goes to. Aim: at most
3 times for the functions of one value; SIZING makes every alert of every load, and is shown beside. Needs XLWINGS_LICENSE_KEY, since that runtime is licensed apart.

    python bench/functions.py [ROWS]
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Mapping
from typing import Any

os.environ["XLWINGS_ON_SERVER"] = "true"
# As `xlsizing serve` does; else xlwings looks for this package again for every cell.
sys.modules["pyodide"] = None  # type: ignore[assignment]
sys.modules["pyodide.ffi"] = None  # type: ignore[assignment]

RUNS = 7
MOST_TIMES = 3.0


def ranges(rows: int) -> Mapping[str, Any]:
    """A column for each argument that differs from row to row."""
    models = ("gpt-oss-120b", "llama-3.1-8b", "deepseek-v3", "gemma-3-27b-it")
    return {
        "model": [[models[row % 4]] for row in range(rows)],
        "server": [[("dgx-b300", "dgx-h200")[row % 2]] for row in range(rows)],
        "concurrency": [[float(row + 1)] for row in range(rows)],
        "context": [[float(1_000 + row)] for row in range(rows)],
        "text": [["many"] for row in range(rows)],
        "few contexts": [[float(8_192 * (1 + row % 16))] for row in range(rows)],
    }


CASES: Mapping[str, tuple[str, tuple[Any, ...]]] = {
    "concurrency differs": ("NODES_REQUIRED", ("gpt-oss-120b", "dgx-b300", "concurrency", 131_072)),
    "all four differ": ("NODES_REQUIRED", ("model", "server", "concurrency", "few contexts")),
    "every context differs": ("NODES_REQUIRED", ("gpt-oss-120b", "dgx-b300", 1_000, "context")),
    "sessions, four contexts": ("SESSIONS_PER_NODE", ("model", "server", "few contexts")),
    "KV cache, every context": ("KV_PER_SESSION", ("gpt-oss-120b", "context")),
    "an unknown model": ("NODES_REQUIRED", ("no-such", "dgx-b300", "concurrency", 131_072)),
    "no number anywhere": ("NODES_REQUIRED", ("gpt-oss-120b", "dgx-b300", "text", 131_072)),
    "why, all is well": ("SIZING_WHY", ("gpt-oss-120b", "dgx-b300", "concurrency", 131_072)),
    "SIZING, eight columns": ("SIZING", ("gpt-oss-120b", "dgx-b300", "concurrency", 131_072)),
    "engine, concurrency": (
        "ENGINE_NODES_REQUIRED",
        ("gpt-oss-120b", "dgx-b300", "concurrency", 131_072),
    ),
    "engine, every context": (
        "ENGINE_NODES_REQUIRED",
        ("gpt-oss-120b", "dgx-b300", 1_000, "context"),
    ),
}
"""A function and its arguments; a word that is a column's name stands for that column."""


def main() -> None:
    """Time each case and its identity in turn, and print both."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    if not os.environ.get("XLWINGS_LICENSE_KEY"):
        sys.exit("XLWINGS_LICENSE_KEY is not set; xlwings' Office.js runtime asks for it.")
    import xlwings
    from xlwings.server import custom_functions_call

    import xlsizing.excel.functions as functions
    from xlsizing.excel import planning

    columns = ranges(rows)

    class Identity:
        """A module with one function, which hands its longest range back."""

        @staticmethod
        @xlwings.func
        @xlwings.arg("first", ndim=2, err_to_str=True)
        @xlwings.arg("second", ndim=2, err_to_str=True)
        @xlwings.arg("third", ndim=2, err_to_str=True)
        @xlwings.arg("fourth", ndim=2, err_to_str=True)
        def IDENTITY(first, second, third=None, fourth=None):  # type: ignore[no-untyped-def]  # noqa: N802
            return max((x for x in (first, second, third, fourth) if x), key=len)

    def timed(module: Any, name: str, arguments: tuple[Any, ...]) -> float:
        sent = [columns.get(each, [[each]]) for each in arguments]
        body = {
            "client": "Office.js",
            "func_name": name,
            "args": sent,
            "version": xlwings.__version__,
            "runtime": "1.4",
            "date_format": "m/d/yyyy",
        }
        for remembered in vars(planning).values():
            if hasattr(remembered, "cache_clear") and remembered is not planning.catalogs:
                remembered.cache_clear()
        start = time.perf_counter()
        asyncio.run(custom_functions_call(body, module))
        return time.perf_counter() - start

    print(f"{rows:,} rows, medians of {RUNS} in turn; aim: at most {MOST_TIMES} times")
    print(f"{'':<26}{'identity ms':>12}{'ours ms':>10}{'times':>8}{'above, us a row':>17}")
    for case, (name, arguments) in CASES.items():
        both = [
            (timed(Identity, "IDENTITY", arguments), timed(functions, name, arguments))
            for _ in range(RUNS)
        ]
        identity, own = (statistics.median(times) for times in zip(*both, strict=True))
        above = (own - identity) / rows * 1e6
        print(
            f"{case:<26}{identity * 1e3:>12.1f}{own * 1e3:>10.1f}{own / identity:>8.2f}{above:>17.1f}"
        )


if __name__ == "__main__":
    main()
