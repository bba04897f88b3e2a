"""Some of the mutated workbooks and catalogs each day; ``python -m tests.fuzz`` runs them all."""

import sys

import pytest

from tests.fuzz.workers import verdicts

CASES = 500
BASE = 1
"""Another run than the one that the command has by itself."""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux says how much memory a case took"
)


def test_mutated_files_give_a_result_or_one_sentence() -> None:
    found = list(verdicts(range(CASES), BASE, workers=1))
    faults = [
        f"{each.fault} (python -m tests.fuzz --seed {BASE} --case {each.number})"
        for each in found
        if each.fault
    ]
    assert faults == []
    assert sorted(each.number for each in found) == list(range(CASES))
    # Neither all refused nor all read: the mutations reach as far as they should.
    assert {each.code for each in found} >= {0, 1, 2}
