"""Validation: every fault of a folder at once, each with its file, path and sentence."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from copy import deepcopy
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.test_files import MODEL, PROFILE, SERVER, minimal_documents, write_catalogs
from tests.saying import in_portuguese
from xlsizing.catalog import CatalogError, load_catalogs
from xlsizing.catalog.errors import Fault
from xlsizing.catalog.validation import folder_faults

HYBRID = {
    **MODEL,
    "attention_pattern": "hybrid",
    "hybrid_full_layers": 1,
    "hybrid_sliding_layers": 3,
    "sliding_window": 128,
}


def faults_of(folder: Path, documents: dict[str, Any]) -> list[Fault]:
    """The folder's faults, which loading it must list in full where there are any."""
    where = write_catalogs(folder, documents)
    faults = folder_faults(where)
    if faults:
        with pytest.raises(CatalogError) as raised:
            load_catalogs(where)
        assert list(raised.value.faults) == faults
        assert str(raised.value).splitlines() == [str(fault) for fault in faults]
        for fault in faults:
            in_portuguese(fault.sentence)
    else:
        load_catalogs(where)
    return faults


def with_models(*models: object) -> dict[str, Any]:
    return {**minimal_documents(), "models.json": {"models": deepcopy(list(models))}}


def with_server(**fields: object) -> dict[str, Any]:
    return {**minimal_documents(), "servers.json": {"servers": [{**SERVER, **fields}]}}


def with_profile(**fields: object) -> dict[str, Any]:
    return {**minimal_documents(), "storage.json": {"profiles": [{**PROFILE, **fields}]}}


def test_every_fault_of_every_file_is_listed_at_once(tmp_path: Path) -> None:
    headless = {name: value for name, value in MODEL.items() if name != "head_dim"}
    documents = {
        "models.json": {
            "comment": "ours",
            "models": [
                {**MODEL, "num_layers": 0, "num_key_value_heads": "8", "quantization": "int4"},
                {**headless, "name": "m*", "max_position_embeddings": 4096.5},
                {**HYBRID, "name": "adds up to 5", "hybrid_full_layers": 2},
                {**MODEL, "name": "windowless", "attention_pattern": "sliding"},
                {**MODEL, "name": "M", "aliases": ["windowless"]},
                "gpt-oss-120b",
                {**MODEL, "name": "local", "attention_pattern": "local"},
                {**MODEL, "name": "stray", "sources": {"hidden_size": "config.json"}},
            ],
        },
        "servers.json": {"servers": [{**SERVER, "gpus": True, "hbm_per_gpu_gb": 79.123}]},
        "storage.json": {"profiles": []},
    }
    expected = {
        ("models.json", "comment", "unknown"),
        ("models.json", "models[0].num_layers", "num_layers is 0; it must be a whole number"),
        ("models.json", "models[0].num_key_value_heads", "'8'"),
        ("models.json", "models[0].quantization", "'quantization' is unknown"),
        ("models.json", "models[1].head_dim", "head_dim is missing"),
        ("models.json", "models[1].name", "'m*'; it must be text"),
        ("models.json", "models[1].max_position_embeddings", "4096.5; it must be a whole number"),
        (
            "models.json",
            "models[2].hybrid_full_layers",
            "is 5; it must be equal to num_layers, which is 4",
        ),
        ("models.json", "models[3].sliding_window", "sliding_window is missing"),
        ("models.json", "models[4].name", "'M' is already taken by models[0].name"),
        ("models.json", "models[4].aliases[0]", "already taken by models[3].name"),
        ("models.json", "models[5]", "it must be an object"),
        ("models.json", "models[6].attention_pattern", "one of full, sliding, hybrid"),
        ("models.json", "models[7].sources", "'hidden_size'; it must be a field"),
        ("servers.json", "servers[0].gpus", "gpus is True; it must be a whole number"),
        ("servers.json", "servers[0].hbm_per_gpu_gb", "79.123; it must be a finite number"),
        ("storage.json", "profiles", "The list is empty"),
    }
    faults = faults_of(tmp_path, documents)
    found = {(os.path.basename(fault.file), fault.path): fault.sentence for fault in faults}
    assert set(found) == {(file, path) for file, path, _ in expected}
    assert len(faults) == len(expected)
    for file, path, words in expected:
        assert words in found[file, path]


@pytest.mark.parametrize(
    ("documents", "path", "words"),
    [
        (
            with_models({**HYBRID, "hybrid_full_layers": 0}),
            "models[0].hybrid_full_layers",
            "is 3; it must be equal",
        ),
        (
            with_models({**HYBRID, "hybrid_sliding_layers": None}),
            "models[0].hybrid_sliding_layers",
            "given",
        ),
        (with_models({**HYBRID, "sliding_window": None}), "models[0].sliding_window", "given"),
        (with_models({**HYBRID, "sliding_window": 0}), "models[0].sliding_window", "at least 1"),
        (with_models({**HYBRID, "hybrid_full_layers": -1}), "models[0].hybrid_full_layers", "-1"),
        (with_models({**MODEL, "name": True}), "models[0].name", "text"),
        (with_models({**MODEL, "weight_bytes": False}), "models[0].weight_bytes", "whole number"),
        (with_models({**MODEL, "sources": {"*": 1}}), "models[0].sources", "to text"),
        (with_models({**MODEL, "aliases": "a"}), "models[0].aliases", "a list"),
        (with_models(None), "models[0]", "must be an object"),
        (with_server(hbm_per_gpu_gb="80"), "servers[0].hbm_per_gpu_gb", "a finite number"),
        (with_server(system_memory_tb=-1), "servers[0].system_memory_tb", "at least 0"),
        (with_server(hbm_per_gpu_mib=1.5), "servers[0].hbm_per_gpu_mib", "whole number"),
        (with_server(sources={"weight_bytes": "x"}), "servers[0].sources", "'weight_bytes'"),
        (with_profile(iops_read=True), "profiles[0].iops_read", "a finite number"),
        (with_profile(type="tape"), "profiles[0].type", "nvme_local, network_ssd"),
        (with_profile(throughput_read_gbps=0), "profiles[0].throughput_read_gbps", "above 0"),
        (
            with_profile(throughput_write_gbps=0.00001),
            "profiles[0].throughput_write_gbps",
            "at most 4 decimals",
        ),
    ],
)
def test_one_fault_is_listed_alone_with_its_path(
    tmp_path: Path, documents: dict[str, Any], path: str, words: str
) -> None:
    (fault,) = faults_of(tmp_path, documents)
    assert fault.path == path
    assert words in fault.sentence
    assert fault.sentence.endswith(".")


@pytest.mark.parametrize(
    ("file", "document", "words"),
    [
        ("models.json", [MODEL], "list of models"),
        ("models.json", {"profiles": [PROFILE]}, "list of models"),
        ("models.json", {"models": MODEL}, "list of models"),
        ("servers.json", "dgx", "list of servers"),
        ("servers.json", {"servers": None}, "list of servers"),
        ("storage.json", {}, "list of storage profiles"),
        ("storage.json", {"storage": [PROFILE]}, '{"profiles": [...]}'),
    ],
)
def test_another_top_level_is_refused(
    tmp_path: Path, file: str, document: object, words: str
) -> None:
    text = json.dumps(document)
    (fault,) = faults_of(tmp_path, {**minimal_documents(), file: text})
    assert (os.path.basename(fault.file), fault.path) == (file, "")
    assert words in fault.sentence


@pytest.mark.parametrize(
    ("first", "second", "path"),
    [
        ({"name": "a"}, {"name": "a"}, "models[1].name"),
        ({"name": "a"}, {"name": "A"}, "models[1].name"),
        ({"name": "a", "aliases": ["b"]}, {"name": "B"}, "models[1].name"),
        ({"name": "a"}, {"name": "b", "aliases": ["c", "A"]}, "models[1].aliases[1]"),
        (
            {"name": "a", "aliases": ["Ç"]},
            {"name": "b", "aliases": ["ç"]},
            "models[1].aliases[0]",
        ),
        ({"name": "a", "aliases": ["A"]}, {"name": "b"}, "models[0].aliases[0]"),
        ({"name": "a", "aliases": ["x", "X"]}, {"name": "b"}, "models[0].aliases[1]"),
    ],
)
def test_names_and_aliases_differ_by_more_than_case(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], path: str
) -> None:
    (fault,) = faults_of(tmp_path, with_models({**MODEL, **first}, {**MODEL, **second}))
    assert fault.path == path
    assert "already taken" in fault.sentence


def test_a_model_and_a_server_may_share_a_name(tmp_path: Path) -> None:
    assert faults_of(tmp_path, with_server(name="m")) == []


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


EXTREMES: list[tuple[str, Callable[[], dict[str, Any]]]] = [
    ("unknown field nested 250 deep", lambda: with_models({**MODEL, "x": _nested(250)})),
    ("field nested 250 deep", lambda: with_models({**MODEL, "notes": _nested(250)})),
    ("aliases nested 250 deep", lambda: with_models({**MODEL, "aliases": _nested(250)})),
    ("lone surrogate beside a fault", lambda: with_models({**MODEL, "notes": "\ud800", "x": 1})),
    ("400 digits of IOPS", lambda: with_profile(iops_read=10**400)),
    ("400 digits of GB/s", lambda: with_profile(throughput_read_gbps=10**400)),
    ("400 digits of GB", lambda: with_server(hbm_per_gpu_gb=10**400)),
    ("product above what a float holds", lambda: with_server(hbm_per_gpu_gb=10**307, gpus=100)),
]


@pytest.mark.parametrize(
    "documents", [case for _, case in EXTREMES], ids=[name for name, _ in EXTREMES]
)
def test_extreme_values_are_faults_like_any_other(
    tmp_path: Path, documents: Callable[[], dict[str, Any]]
) -> None:
    assert faults_of(tmp_path, documents())


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.floats(-1, 5000, allow_nan=False).map(lambda value: round(value, 3))
    | st.sampled_from(["full", "sliding", "hybrid", "bf16", "san", "s", "m", "M", "a*", " ", ""])
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["*", "name", "x"]) | st.text(max_size=2), inner, max_size=2
        )
    ),
    max_leaves=4,
)
FIELDS = sorted({*HYBRID, *SERVER, *PROFILE, "aliases", "sources", "notes", "total_hbm_gb"})
CHANGE = st.tuples(
    st.sampled_from(["models.json", "servers.json", "storage.json"]),
    st.sampled_from(["set", "drop", "repeat", "replace", "top"]),
    st.sampled_from(FIELDS),
    JSON_VALUES,
)


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.lists(CHANGE, min_size=1, max_size=3))
def test_loading_fails_if_and_only_if_there_are_faults(
    changes: list[tuple[str, str, str, Any]],
) -> None:
    documents = minimal_documents()
    documents["models.json"]["models"].append({**HYBRID, "name": "hybrid"})
    lists = {file: next(iter(document.values())) for file, document in documents.items()}
    for file, how, field, value in changes:
        entries = lists[file]
        if how == "top":
            documents[file]["$schema" if field in MODEL else field] = value
        elif how == "replace":
            entries[-1] = value
        elif how == "repeat":
            entries.append(deepcopy(entries[0]))
        elif isinstance(entries[-1], dict):
            fields = entries[-1]
            fields.pop(field, None)
            if how == "set":
                fields[field] = value
    with tempfile.TemporaryDirectory() as folder:
        faults_of(Path(folder), documents)


def test_of_thousands_of_faults_the_first_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    for wrong, ending in ((41, "And 1 more."), (2_000, "And at least 960 more.")):
        where = write_catalogs(tmp_path, with_models(MODEL, *range(wrong)))
        with pytest.raises(CatalogError) as raised:
            load_catalogs(where)
        *lines, last = str(raised.value).splitlines()
        assert lines == [str(fault) for fault in raised.value.faults[:40]]
        assert last == ending
    assert "models[40]: This is 39; it must be an object" in lines[-1]


def test_a_fault_is_one_line_whatever_the_file_holds(tmp_path: Path) -> None:
    hostile = "\x1b[2J\r\nNo faults.\u202e"
    fields = {**MODEL, "name": hostile, hostile: 1, "x" * 10**6: 1, "sources": {hostile: ""}}
    documents = {**with_models(fields), "servers.json": {hostile: 1, "servers": [hostile]}}
    faults = faults_of(tmp_path, documents)
    assert len(faults) == 6
    for fault in faults:
        assert str(fault).isprintable()
        assert len(str(fault)) < 600


def test_a_count_with_a_decimal_point_is_told_how_to_be_written(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, with_models({**MODEL, "num_layers": 36.0}))
    assert fault.sentence == "num_layers is 36.0; it must be a whole number, written as 36."
    (fault,) = faults_of(tmp_path, with_models({**MODEL, "num_layers": -36.0}))
    assert "is -36.0; it must be a whole number of at least 1" in fault.sentence


def test_a_value_nested_as_deep_as_can_be_read_is_a_fault(tmp_path: Path) -> None:
    # Somewhere here a value is read and cannot be shown, since that needs a deeper stack.
    for depth in range(780, 1000):
        text = f'{{"models": [{{"num_layers": {"[" * depth + "]" * depth}}}]}}'
        where = write_catalogs(tmp_path, {**minimal_documents(), "models.json": text})
        with pytest.raises(CatalogError):
            load_catalogs(where)


def _filled(before: str, item: str, after: str) -> str:
    """A document of just under 4 MB, the largest that is read."""
    count = (4 * 10**6 - len(before) - len(after)) // (len(item) + 1)
    return before + ",".join(repeat(item, count)) + after


_ENTRY = json.dumps(MODEL)[:-1]
LARGE: Mapping[str, Callable[[], str]] = {
    "objects": lambda: _filled('{"models": [', '{"":{"":{}}}', "]}"),
    "aliases that are no text": lambda: _filled(
        f'{{"models": [{_ENTRY}, "aliases": [', "1", "]}]}"
    ),
    "groups that are none": lambda: _filled(
        f'{{"models": [{_ENTRY}, "layer_groups":[', "{}", "]}]}"
    ),
    "unknown fields": lambda: (
        '{"models": [{' + ",".join(f'"{key:x}":1' for key in range(430_000)) + "}]}"
    ),
    "sources of nothing": lambda: (
        f'{{"models": [{_ENTRY}, "sources": {{'
        + ",".join(f'"{key:x}":""' for key in range(380_000))
        + "}}]}"
    ),
}
AS_PROCESS = """
import sys, time
from xlsizing.cli import main
code = main(["catalog", "validate", "--catalogs", sys.argv[1]])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(code, time.process_time(), peak.split()[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the memory")
@pytest.mark.parametrize("kind", LARGE)
def test_the_worst_files_that_are_read_take_little_time_and_memory(
    tmp_path: Path, kind: str
) -> None:
    where = write_catalogs(tmp_path, {**minimal_documents(), "models.json": LARGE[kind]()})
    assert (tmp_path / "models.json").stat().st_size > 3.7 * 10**6
    done = subprocess.run(
        [sys.executable, "-c", AS_PROCESS, where], capture_output=True, text=True, check=True
    )
    code, seconds, kilobytes = map(float, done.stdout.split())
    assert code == 2
    assert 1 <= done.stderr.count("\n") <= 41
    assert seconds < 3  # mostly a third of that, where nothing else runs
    assert kilobytes < 200_000
