"""How much longer `xlsizing size --json-only` takes than Python takes to import json.

Both run in turn in the same environment, so that the ratio holds on a noisy machine. The
aim is a ratio of at most 4. Run it with: python bench/cold_start.py [RUNS]
"""

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

SIZE = (
    "size --model gpt-oss-120b --server dgx-b300 --storage profile_default "
    "--concurrency 1000 --effective-context 131072 --json-only"
)


def seconds(command: list[str]) -> float:
    """Wall time of one run of a command [s]."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Time both commands in turn and print medians and the ratio."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 31
    beside = Path(sys.executable).parent / "xlsizing"
    program = str(beside) if beside.exists() else shutil.which("xlsizing") or "xlsizing"
    ours, plain = [program, *SIZE.split()], [sys.executable, "-c", "import json"]
    seconds(ours), seconds(plain)
    pairs = [(seconds(ours), seconds(plain)) for _ in range(runs)]
    mine = statistics.median(pair[0] for pair in pairs)
    base = statistics.median(pair[1] for pair in pairs)
    print(f"xlsizing size --json-only   {mine * 1000:6.1f} ms (median of {runs})")
    print(f'python -c "import json"     {base * 1000:6.1f} ms')
    print(f"ratio                       {mine / base:6.2f} (aim: at most 4)")


if __name__ == "__main__":
    main()
