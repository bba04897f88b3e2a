"""Fuzzing by one command: ``python -m tests.fuzz --cases 20000 --workers 2``."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from tests.fuzz.cases import case, origin
from tests.fuzz.verdicts import Verdict, spare_repeated_work, verdict
from tests.fuzz.workers import verdicts


def main() -> int:
    """Run cases, and tell which of them are findings."""
    options = _options()
    if options.case is not None:
        return _one(options.case, options.seed, options.keep)
    done: list[Verdict] = []
    start = time.monotonic()
    numbers = islice(_numbers(options), options.cases)
    for found in verdicts(numbers, options.seed, options.workers):
        done.append(found)
        if found.fault:
            print(f"{found.number}: {found.fault}", flush=True)
        if sys.stderr.isatty():
            print(f"\r{len(done)} of {options.cases}", end="", file=sys.stderr)
    _summarise(done, time.monotonic() - start)
    return 1 if any(found.fault for found in done) else 0


def _numbers(options: argparse.Namespace) -> Iterator[int]:
    """The numbers of the cases that are asked for, without an end."""
    for number in count(options.first):
        if not options.small or origin(number, options.seed) in _SMALL:
            yield number


_SMALL = ("", "xlsxwriter", "few columns", "signed")
"""What cases come from that take little time; those of catalogs alone have no name."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    add = parser.add_argument
    add("--cases", type=int, default=20_000, help="how many cases are run")
    add("--first", type=int, default=0, help="the number of the first")
    add("--small", action="store_true", help="only cases that take little time")
    add("--workers", type=int, default=2, help="processes that run them")
    add("--seed", type=int, default=0, help="tells one run from another")
    add("--case", type=int, help="run the case of this number alone, and show what it said")
    add("--keep", type=Path, help="a folder for the files of that case")
    return parser.parse_args()


def _one(number: int, base: int, keep: Path | None) -> int:
    made = case(number, base)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        if made.workbook is not None:
            (keep / f"book{made.suffix}").write_bytes(made.workbook)
        for name, content in (made.catalogs or {}).items():
            if content is not None:
                (keep / name).write_bytes(content)
    spare_repeated_work()
    found = verdict(made)
    print(f"{' '.join((made.command, *made.options))} ({made.about}): code {found.code}")
    print(f"{found.seconds:.2f} s, {found.mebibytes:.0f} MiB")
    print(found.said, end="")
    print(found.fault or "As it must be.")
    return 1 if found.fault else 0


def _summarise(done: list[Verdict], seconds: float) -> None:
    faults = [found for found in done if found.fault]
    codes = Counter(found.code for found in done)
    slowest = max(done, key=lambda found: found.seconds)
    largest = max(done, key=lambda found: found.mebibytes)
    print(f"{len(done):,} cases in {seconds:,.0f} s; {len(faults)} findings.")
    shown = ", ".join(f"{code}: {count:,}" for code, count in sorted(codes.items(), key=str))
    print(f"Exit codes: {shown}.")
    print(f"Slowest: {slowest.seconds:.2f} s (case {slowest.number}).")
    print(f"Most memory: {largest.mebibytes:.0f} MiB (case {largest.number}).")


if __name__ == "__main__":
    sys.exit(main())
