"""A sync changes the catalogs' rows and what depends on them, and nothing else of a workbook."""

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from python_calamine import CalamineWorkbook

from tests.book.rules import RULES
from tests.book.sync.packages import Package
from tests.book.sync.parts import changes_of_part, compared
from tests.book.sync.samples import SAMPLES, Sample
from tests.gate.validator import require_validator, validator_findings
from xlsizing.book.sync.syncing import Sync, synced
from xlsizing.book.worksheet import area_of
from xlsizing.catalog import load_catalogs
from xlsizing.core import Catalogs

CHANGED, ADDED, REMOVED = "dgx-b300", "a-new-server", "8x-mi355x"
NEW_MODEL, NEW_STORAGE = "a-new-model", "a-new-storage"
SIGNED_PARTS = "_xmlsignatures/"


def catalogs_with_changes() -> Catalogs:
    """The catalogs with an entry added to each, a server changed and one removed."""
    before = load_catalogs()
    model, server, storage = before.models[0], before.servers[0], before.profiles[0]
    changed = replace(
        before.server(CHANGED),
        hbm_per_gpu_gb=96,
        total_hbm_gb=None,
        hbm_per_gpu_mib=None,
        usable_hbm_per_gpu_bytes=None,
        notes="=1+1",
    )
    servers = [changed if each.name == CHANGED else each for each in before.servers]
    return Catalogs(
        (*before.models, replace(model, name=NEW_MODEL, aliases=("its-alias",))),
        (
            *(each for each in servers if each.name != REMOVED),
            replace(server, name=ADDED, aliases=()),
        ),
        (*before.profiles, replace(storage, name=NEW_STORAGE, aliases=())),
    )


class Done(NamedTuple):
    """A sample before and after a sync, and what the sync said of it."""

    before: bytes
    after: bytes
    found: Sync


@cache
def done(name: str) -> Done:
    sample = next(each for each in SAMPLES if each.name == name)
    before = sample.content()
    suffix = ".xlsm" if "macros" in sample.features else ".xlsx"
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"plan{suffix}"
        path.write_bytes(before)
        found, _ = synced(str(path), catalogs_with_changes(), lambda _: None, force=True)
        after = path.read_bytes()
        again, _ = synced(str(path), catalogs_with_changes(), lambda _: None, force=True)
        assert again.is_current or again.notes
        assert not again.parts
        assert path.read_bytes() == after
    return Done(before, after, found)


each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)

OURS = frozenset({"Sizing", "Scenarios", "Charts", "Engine", "Warnings", "Layouts", "About"})
CATALOGS = ("Models", "Servers", "Storage")


def may_change(content: bytes) -> dict[str, str]:
    """The parts that a sync may write anew, each with what it is: all others stay as they are."""
    package = Package(content)
    found = {"xl/workbook.xml": "workbook", "xl/styles.xml": "styles"}
    for title, part in package.sheets().items():
        if title in CATALOGS:
            found[part] = "catalog"
        elif title in OURS:
            found[part] = title if title in ("Layouts", "About") else "results"
    for name in (*CATALOGS, "ModelAliases", "ServerAliases", "StorageAliases", "Layouts"):
        if name in {package.root(part).get("displayName") for part in package.table_parts()}:
            found[package.table(name)] = "table"
    charts = [part for part in package.parts if re.match(r"xl/charts/chart\d+\.xml", part)]
    return found | dict.fromkeys(charts, "chart")


_RANGE = r"worksheet/(dimension|conditionalFormatting|dataValidations|ignoredErrors|extLst)\b.*"
ALLOWED: Mapping[str, str] = {
    "workbook": r"workbook/(definedNames/definedName\b.*|calcPr\b.*)",
    "styles": r"styleSheet/cellXfs\b.*",
    "table": r"table/(@ref|autoFilter/@ref|(autoFilter/)?sortState\b.*/@ref|(autoFilter/)?sortState/@ref)",
    "catalog": rf"worksheet/sheetData/row\b.*|{_RANGE}",
    "Layouts": rf"worksheet/sheetData/row\b.*|{_RANGE}",
    "results": r"worksheet/sheetData/row/c(/v\b.*|/@t)",
    "About": r"worksheet/sheetData/row/c(/v\b.*|/@t|/is\b.*)?",
    "chart": r".*/(numCache|strCache)\b.*|.*/f(/text\(\))?",
}
"""What may differ in each kind of part."""


@each_sample
def test_every_other_part_keeps_its_bytes(sample: Sample) -> None:
    before, after, _ = done(sample.name)
    difference = compared(before, after)
    assert difference.added == ()
    assert difference.removed in ((), ("xl/calcChain.xml",))
    may = set(may_change(before))
    if difference.removed:
        may |= {"[Content_Types].xml", "xl/_rels/workbook.xml.rels"}
    assert set(difference.differing) <= may
    assert difference.differing


def plain(path: str) -> str:
    """A path without prefixes, and without what tells an element from its like."""
    bare = re.sub(r"\[[^\]]*\]", "", path.removesuffix("(spelling)").rstrip())
    return re.sub(r"\b\w+:(?=\w)", "", bare)


@each_sample
def test_the_rest_of_a_changed_part_is_as_it_was(sample: Sample) -> None:
    before, after, _ = done(sample.name)
    kinds = may_change(before)
    for part in compared(before, after).differing:
        if part not in kinds:
            continue
        allowed = re.compile(ALLOWED[kinds[part]])
        wrong = [
            change
            for change in changes_of_part(before, after, part)
            if not allowed.fullmatch(plain(change.path))
        ]
        assert list(map(str, wrong)) == [], part


@each_sample
def test_cells_beside_the_tables_hold_what_they_held(sample: Sample) -> None:
    before, after, found = done(sample.name)
    old, new = Package(before), Package(after)
    for change in found.changes:
        part = old.sheets()[change.table.sheet.title]
        tables = [change.table, *([change.table.aliases] if change.table.aliases else [])]
        held = new.values(part)
        for address, value in old.values(part).items():
            cell = area_of(address)
            # A table's own cells are looked at by name elsewhere, and the totals below move.
            areas = [each.area._replace(bottom=each.area.bottom + 1) for each in tables]
            if not any(cell.meets(area) for area in areas):
                assert held.get(address) == value, address


@each_sample
def test_a_persons_columns_stay_with_their_entries(sample: Sample) -> None:
    before, after, found = done(sample.name)
    for change in found.changes:
        kind = change.kind
        old, new = (Package(content).table_cells(kind.table) for content in (before, after))
        own = set(old.heads) - {*kind.by_head, "Origin"}
        for head in own:
            by_name = dict(zip(new.column("Name"), new.column(head), strict=True))
            for name, value in zip(old.column("Name"), old.column(head), strict=True):
                if name in by_name:
                    assert by_name[name] == value, (name, head)


@each_sample
def test_the_tables_hold_the_catalogs(sample: Sample) -> None:
    """As another reader reads them."""
    _, after, found = done(sample.name)
    book = CalamineWorkbook.from_object(io.BytesIO(after), load_tables=True)
    new = catalogs_with_changes()
    for change in found.changes:
        kind = change.kind
        table = book.get_table_by_name(kind.table)
        rows = {
            row[table.columns.index("Name")]: dict(zip(table.columns, row, strict=True))
            for row in table.to_python()
        }
        names = [entry.name for entry in kind.entries(new)]
        stays = [REMOVED] if kind.table == "Servers" and REMOVED in rows else []
        assert sorted(rows) == sorted([*names, *stays])
        if stays:
            # It is in no catalog: without a mark nobody can tell whose it is.
            assert not change.table.columns.get("Origin") or found.notes
        for entry in kind.entries(new):
            for column in kind.columns:
                if column.head in rows[entry.name]:
                    held = rows[entry.name][column.head]
                    assert (held or None) == (column.value(entry) or None), (entry, column.head)


@each_sample
def test_what_was_said_is_what_was_done(sample: Sample) -> None:
    _, _, found = done(sample.name)
    said = {
        (change.kind.table, row.what, row.name) for change in found.changes for row in change.rows
    }
    has_servers = len(found.changes) > 1
    assert ("Models", "added", NEW_MODEL) in said
    assert (("Servers", "changed", CHANGED) in said) == has_servers
    has_mark = any("Origin" in change.table.columns for change in found.changes)
    assert (("Servers", "removed", REMOVED) in said) == (has_servers and has_mark)


NEW_FORMULAS = re.compile(r"Models!(AA|J)5\d has a formula without a value\.")
"""A person's calculated column in a row that came: its value is the program's to compute."""

EXAMINED = (
    "macros and all",
    "by XlsxWriter with macros",
    "by LibreOffice",
    "Excel's slicer, pivots and charts",
)
"""Samples of each writer that have all that the others have; the gate takes long over each."""


@pytest.mark.parametrize(
    "sample",
    [sample for sample in SAMPLES if sample.name in EXAMINED],
    ids=lambda sample: sample.name,
)
def test_the_gate_finds_nothing_new(sample: Sample) -> None:
    _, after, _ = done(sample.name)
    found = {rule.__name__: list(rule(after)) for rule in RULES}
    found["validator"] = validator_findings(require_validator(), after)
    unknown = [
        finding
        for rule, findings in found.items()
        for finding in findings
        if not re.fullmatch(sample.known.get(rule, "(?!)"), finding, re.DOTALL)
        and not NEW_FORMULAS.fullmatch(finding)
    ]
    assert unknown == []


def test_a_change_is_found_where_there_is_one() -> None:
    """The comparison sees a byte that a sync should not have changed."""
    before, after, _ = done("drawn on")
    package = Package(after)
    part = next(part for part in package.parts if part.startswith("xl/drawings/drawing"))
    package.parts[part] += b"\n"
    assert part in compared(before, package.packed()).differing
    assert part not in may_change(before)


def test_the_lists_let_no_formula_and_no_view_through() -> None:
    allowed = re.compile(ALLOWED["results"])
    path = "worksheet/sheetData/row[r=5]/c[r=C5]"
    assert allowed.fullmatch(plain(f"x:{path}/v/text()"))
    assert not allowed.fullmatch(plain(f"{path}/f/text()"))
    assert not allowed.fullmatch(plain(f"{path}/@s"))
    assert not allowed.fullmatch("worksheet/sheetViews/sheetView/@tabSelected")
