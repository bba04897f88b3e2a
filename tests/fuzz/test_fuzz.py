"""Some of the mutated workbooks and catalogs each day; ``python -m tests.fuzz`` runs them all."""

import re
import subprocess
import sys

import pytest

from tests.conftest import PROJECT

CASES = 500
BASE = 1
"""Another run than the one that the command has by itself."""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory a case took")
def test_mutated_files_give_a_result_or_one_sentence() -> None:
    options = ["--cases", f"{CASES}", "--seed", f"{BASE}", "--workers", "1", "--small"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *options],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"\n{CASES} cases in " in f"\n{done.stdout}", done.stdout + done.stderr
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    # Neither all refused nor all read: the mutations reach as far as they should.
    codes = dict(re.findall(r"(\d): (\d+)", done.stdout.partition("Exit codes")[2]))
    assert min(int(codes[code]) for code in "012") > CASES / 50
