"""Some of the mutated workbooks and catalogs each day; ``python -m tests.fuzz`` runs them all."""

import sys
from itertools import count, islice

import pytest

from tests.fuzz.cases import origin
from tests.fuzz.workers import verdicts

CASES = 500
SMALL = ("", "xlsxwriter", "few columns", "signed")
"""What cases come from that take little time; catalogs alone have no name."""
BASE = 1
"""Another run than the one that the command has by itself."""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux says how much memory a case took"
)


def test_mutated_files_give_a_result_or_one_sentence() -> None:
    numbers = list(islice((n for n in count() if origin(n, BASE) in SMALL), CASES))
    found = list(verdicts(numbers, BASE, workers=1))
    faults = [
        f"{each.fault} (python -m tests.fuzz --seed {BASE} --case {each.number})"
        for each in found
        if each.fault
    ]
    assert faults == []
    assert sorted(each.number for each in found) == numbers
    # Neither all refused nor all read: the mutations reach as far as they should.
    assert {each.code for each in found} >= {0, 1, 2}
