"""Kill syncs of a large workbook at random moments: `python -m tests.kill_loop --runs 500`.

After each the workbook must be byte for byte the old or the new one, a copy of it whole or not
there, at most one temporary file beside, and the next sync must work. It ends with exit code 1
where that fails. What is planned call by call is in tests/book/sync/test_crashes.py.
"""

import argparse
import io
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path

from tests.book.plans import the_template
from tests.book.sync.crashing import Place, made_place
from tests.conftest import PROJECT
from xlsizing.cli import main as xlsizing

PICTURES, PICTURE_BYTES = 8, 2**20


def large_workbook(chance: random.Random) -> bytes:
    """The planning workbook with megabytes of pictures in it."""
    content = io.BytesIO(the_template())
    with zipfile.ZipFile(content, "a") as package:
        for number in range(PICTURES):
            package.writestr(f"xl/media/picture{number}.png", chance.randbytes(PICTURE_BYTES))
    return content.getvalue()


def started(place: Place, options: Sequence[str]) -> "subprocess.Popen[bytes]":
    """A sync of the workbook, as a person starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "xlsizing", *place.command(*options)],
        cwd=place.folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def measured(place: Place) -> tuple[float, float]:
    """How long a run takes, and its write, which is what begins with a temporary file [s]."""
    place.restore()
    begin = time.perf_counter()
    with started(place, ["--backup"]) as process:
        while not place.left() and process.poll() is None:
            time.sleep(0.0005)
        wrote = time.perf_counter()
    if process.returncode or place.is_old():
        sys.exit(f"A sync that nobody kills ended with {process.returncode}.")
    end = time.perf_counter()
    return end - begin, end - wrote


def killed(place: Place, options: Sequence[str], moment: float, *, in_write: bool) -> bool:
    """Kill a run at a moment, from its start or from the start of its write [s]; False if too late."""
    place.restore()
    with started(place, options) as process:
        while in_write and not place.left() and process.poll() is None:
            time.sleep(0.0005)
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        process.kill()
    return process.returncode < 0


def faults_after(place: Place) -> list[str]:
    """What is lost after a kill, and what the next sync does not mend."""
    found = place.faults(most_left=1)
    before = Path.cwd()
    os.chdir(place.folder)
    try:
        with redirect_stdout(io.StringIO()):
            code = xlsizing(place.command())
    finally:
        os.chdir(before)
    if code or not place.is_new():
        found.append(f"the next sync ended with {code}")
    return found


def main() -> int:
    """Kill as often as asked, and print how the runs ended."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=500, help="how many kills")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    ended: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as root:
        place = made_place(Path(root), large_workbook(chance))
        whole, write = measured(place)
        place = place.made()
        print(
            f"{len(place.old) / 2**20:.1f} MiB; a sync takes {whole:.2f} s, "
            f"its write {write * 1000:.0f} ms of that."
        )
        kills = 0
        while kills < options.runs:
            # Half of the kills anywhere, half while it writes, which is a small part of a run.
            in_write = kills % 2 == 1
            with_copy = ["--backup"] if chance.random() < 0.5 else []
            moment = chance.uniform(0, write if in_write else whole)
            was_killed = killed(place, with_copy, moment, in_write=in_write)
            if not was_killed:
                ended["too late"] += 1
                continue
            kills += 1
            state = "after the write" if place.is_new() else "before the write"
            if place.left() or (not place.is_new() and list(place.folder.glob("*.bak"))):
                state = "during the write"
            ended[state] += 1
            if lost := faults_after(place):
                print(f"Kill {kills}, {state}: {'; '.join(lost)}.")
                ended["lost something"] += 1
    print(f"{options.runs} kills: " + ", ".join(f"{ended[each]} {each}" for each in sorted(ended)))
    return 1 if ended["lost something"] else 0


if __name__ == "__main__":
    sys.exit(main())
