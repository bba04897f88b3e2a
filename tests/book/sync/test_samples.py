"""The samples are what they say: whole workbooks with our catalogs and the features claimed."""

import io
import json
import re

import pytest
from python_calamine import CalamineWorkbook

from tests.book.rules import RULES
from tests.book.sync.carried import MARKS, carried
from tests.book.sync.features import PLAN
from tests.book.sync.packages import Package, Value, tag
from tests.book.sync.samples import SAMPLES, Sample
from tests.conftest import PROJECT
from tests.engines.engines import IronCalc
from tests.gate.validator import require_validator, validator_findings

CATALOGS = {"Models": ("models", "models"), "Servers": ("servers", "servers")}
CATALOGS["Storage"] = ("storage", "profiles")
"""The file of each catalog table, and the key in it."""

IN_OTHERS = ("template", "drawn on", "typed in", "by XlsxWriter", "signed", "Excel's pivots")
"""Samples that the gate does not read: others have all that they have, and it takes long."""

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
each_examined = pytest.mark.parametrize(
    "sample",
    [sample for sample in SAMPLES if sample.name not in IN_OTHERS],
    ids=lambda sample: sample.name,
)


@each_sample
def test_sample_carries_the_features_that_it_claims(sample: Sample) -> None:
    assert carried(sample.content()) == sample.features


def test_every_feature_is_in_a_sample() -> None:
    assert frozenset().union(*(sample.features for sample in SAMPLES)) == MARKS.keys()


@each_sample
def test_another_reader_finds_the_catalogs_in_their_tables(sample: Sample) -> None:
    book = CalamineWorkbook.from_object(io.BytesIO(sample.content()), load_tables=True)
    has_few = sample.name.startswith("few columns")
    for name in ("Models",) if has_few else CATALOGS:
        file, key = CATALOGS[name]
        catalog = json.loads((PROJECT / "catalogs" / f"{file}.json").read_text(encoding="utf-8"))
        table = book.get_table_by_name(name)
        place = table.columns.index("Name")
        # A row of totals is not among the table's rows.
        assert [row[place] for row in table.to_python()] == [each["name"] for each in catalog[key]]
        assert table.sheet == name


@each_examined
def test_findings_of_the_gate_are_known(sample: Sample) -> None:
    found = {rule.__name__: rule(sample.content()) for rule in RULES}
    unknown = [
        sentence
        for name, sentences in found.items()
        for sentence in sentences
        if not re.fullmatch(sample.known.get(name, ""), sentence, re.DOTALL)
    ]
    assert unknown == []
    assert {name for name in found if found[name]} == sample.known.keys() - {"validator"}


@each_examined
def test_findings_of_the_validator_are_known(sample: Sample) -> None:
    found = validator_findings(require_validator(), sample.content())
    known = sample.known.get("validator", "")
    assert [each for each in found if not re.fullmatch(known, each, re.DOTALL)] == []
    assert bool(found) == ("validator" in sample.known)


@each_examined
def test_results_stored_with_the_features_are_right(sample: Sample) -> None:
    """Sync is to keep or refresh them, and could not be told from a sample that is wrong."""
    package = Package(sample.content())
    stored: dict[tuple[str, str], Value] = {}
    for title in {PLAN, *CATALOGS} & package.sheets().keys():
        part = package.sheets()[title]
        shown = package.values(part)
        for cell in package.root(part).iter(tag("c")):
            formula, address = cell.findtext(tag("f")) or "", cell.get("r") or ""
            # One formula spills, and LibreOffice spells another so that IronCalc cannot read it.
            if formula and cell.get("cm") is None and "[#all]" not in formula:
                stored[title, address] = shown.get(address)
    has_formulas = "formulas by table" in sample.features and sample.name != "saved by openpyxl"
    assert bool(stored) == has_formulas
    if stored:
        assert IronCalc().compute([sample.content()], stored) == [stored]


@each_sample
def test_parts_are_read_and_packed_as_they_are(sample: Sample) -> None:
    package = Package(sample.content())
    assert Package(package.packed()).parts == package.parts
