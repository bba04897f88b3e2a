"""The JSON Schemas: as checked in, and in agreement with validation."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tests.catalog.test_files import minimal_documents, write_catalogs
from tests.conftest import PROJECT
from xlsizing.catalog.files import KINDS, MODELS, PROFILES, SERVERS, CatalogKind
from xlsizing.catalog.schema import schema_text
from xlsizing.catalog.validation import folder_faults

CATALOGS = PROJECT / "catalogs"
EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)


def checked_in(kind: CatalogKind) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((CATALOGS / kind.schema).read_text(encoding="utf-8"))
    return schema


@EACH_KIND
def test_the_checked_in_schema_is_what_the_dataclasses_give(kind: CatalogKind) -> None:
    assert (CATALOGS / kind.schema).read_text(encoding="utf-8") == schema_text(kind)


@EACH_KIND
def test_the_schema_is_one_and_describes_every_field(kind: CatalogKind) -> None:
    schema = checked_in(kind)
    Draft202012Validator.check_schema(schema)
    definitions = schema["$defs"]
    assert kind.entry.__name__ in definitions
    assert all(
        field["description"]
        for definition in definitions.values()
        for field in definition["properties"].values()
    )


@EACH_KIND
def test_the_shipped_catalog_satisfies_its_schema_and_names_it(kind: CatalogKind) -> None:
    document = json.loads((CATALOGS / kind.file).read_text(encoding="utf-8"))
    assert document["$schema"] == kind.schema
    assert [error.message for error in _errors(kind, document)] == []


def test_throughput_is_said_to_be_in_gigabytes_per_second() -> None:
    fields = checked_in(PROFILES)["$defs"]["StorageProfile"]["properties"]
    for field in ("throughput_read_gbps", "throughput_write_gbps"):
        assert "gigabytes" in fields[field]["description"]


def _errors(kind: CatalogKind, document: object) -> list[Any]:
    return list(Draft202012Validator(checked_in(kind)).iter_errors(document))


def _changed(kind: CatalogKind, changes: dict[str, Any]) -> dict[str, Any]:
    documents = minimal_documents()
    documents[kind.file][kind.key][0].update(changes)
    return documents


ACCEPTED: list[tuple[CatalogKind, dict[str, Any]]] = [
    (MODELS, {}),
    (SERVERS, {}),
    (PROFILES, {}),
    (MODELS, {"sliding_window": None, "total_params": None, "aliases": [], "sources": {}}),
    (MODELS, {"name": "x" * 80, "aliases": ["meta-llama/Llama 3.1 (8B)", "Célula"]}),
    (MODELS, {"num_layers": 1, "head_dim": 1, "sources": {"*": "s", "head_dim": "t"}}),
    (SERVERS, {"hbm_per_gpu_gb": 0.01, "nvlink_bandwidth_tbps": 0, "gpu": "G", "notes": "n"}),
    (PROFILES, {"iops_read": 0, "latency_read_ms_p50": 0.000001, "throughput_read_gbps": 0.0001}),
]


def _each(
    kind: CatalogKind, field: str, values: list[object]
) -> list[tuple[CatalogKind, str, object]]:
    return [(kind, field, value) for value in values]


REFUSED: list[tuple[CatalogKind, str, object]] = [
    *_each(MODELS, "num_layers", [0, -1, 1.5, "4", True, None, [], {}]),
    *_each(MODELS, "head_dim", [0, "8", False]),
    *_each(MODELS, "sliding_window", [0]),
    *_each(MODELS, "weight_bytes", [0.5]),
    *_each(MODELS, "attention_pattern", ["Full", "", None, ["full"], 1]),
    *_each(MODELS, "default_kv_precision", ["fp4", None, "FP8"]),
    *_each(MODELS, "name", ["", "gpt*", "a?", "~b", " a", "a ", "a  b", "a\tb"]),
    *_each(MODELS, "name", ["x" * 81, 5, None]),
    *_each(MODELS, "aliases", ["a", None, [5], ["a*"], [""], {"a": "b"}]),
    *_each(MODELS, "sources", [None, ["*"], {"*": 5}, "text"]),
    *_each(MODELS, "notes", [None]),
    *_each(MODELS, "num_experts", [8]),
    *_each(SERVERS, "gpus", [0, 8.5, "8", True]),
    *_each(SERVERS, "hbm_per_gpu_gb", [0, -80, "80", True, None]),
    *_each(SERVERS, "total_hbm_gb", [0]),
    *_each(SERVERS, "hbm_per_gpu_mib", [81559.5]),
    *_each(SERVERS, "max_power_kw", [-1]),
    *_each(SERVERS, "name", ["dgx*"]),
    *_each(SERVERS, "type", ["nvme_local"]),
    *_each(PROFILES, "type", ["nvme", "NVME_LOCAL", None, 3]),
    *_each(PROFILES, "iops_read", [-1, "1", None, True]),
    *_each(PROFILES, "throughput_read_gbps", [0, -1, "28"]),
    *_each(PROFILES, "latency_write_ms_p99", [-0.1]),
    *_each(PROFILES, "name", ["p?"]),
    *_each(PROFILES, "gpus", [8]),
]


@pytest.mark.parametrize(("kind", "changes"), ACCEPTED)
def test_schema_and_validation_accept_the_same_entries(
    tmp_path: Path, kind: CatalogKind, changes: dict[str, Any]
) -> None:
    documents = _changed(kind, changes)
    assert _errors(kind, documents[kind.file]) == []
    assert folder_faults(write_catalogs(tmp_path, documents)) == []


@pytest.mark.parametrize(("kind", "field", "value"), REFUSED)
def test_schema_and_validation_refuse_the_same_values_at_the_same_place(
    tmp_path: Path, kind: CatalogKind, field: str, value: object
) -> None:
    documents = _changed(kind, {field: value})
    (fault,) = folder_faults(write_catalogs(tmp_path, documents))
    assert fault.path == f"{kind.key}[0].{field}"
    errors = _errors(kind, documents[kind.file])
    assert errors
    for error in errors:
        if error.validator == "additionalProperties":
            assert repr(field) in error.message
        else:
            assert list(error.absolute_path)[:3] == [kind.key, 0, field]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (kind, field)
        for kind in KINDS
        for field in checked_in(kind)["$defs"][kind.entry.__name__]["required"]
    ],
)
def test_schema_and_validation_miss_the_same_fields(
    tmp_path: Path, kind: CatalogKind, field: str
) -> None:
    documents = minimal_documents()
    del documents[kind.file][kind.key][0][field]
    (error,) = _errors(kind, documents[kind.file])
    assert error.validator == "required"
    assert repr(field) in error.message
    (fault,) = folder_faults(write_catalogs(tmp_path, documents))
    assert fault.path == f"{kind.key}[0].{field}"
    assert "missing" in fault.sentence


@pytest.mark.parametrize(
    "document",
    [
        [],
        None,
        "models",
        {},
        {"models": []},
        {"models": {}},
        {"models": None},
        {"models": [1]},
        {"models": [[]]},
        {"servers": []},
        {"models": [minimal_documents()["models.json"]["models"][0]], "version": 1},
        {"$schema": 5, **minimal_documents()["models.json"]},
    ],
)
def test_schema_and_validation_refuse_the_same_documents(tmp_path: Path, document: object) -> None:
    assert _errors(MODELS, document)
    assert folder_faults(write_catalogs(tmp_path, {**minimal_documents(), "models.json": document}))


@pytest.mark.parametrize("name", ["a\u00a0b", "a\u200bb", "a\u0085b", "a\n"])
def test_schema_and_validation_refuse_the_same_unprintable_names(tmp_path: Path, name: str) -> None:
    documents = _changed(MODELS, {"name": name})
    assert folder_faults(write_catalogs(tmp_path, documents))
    assert _errors(MODELS, documents["models.json"])
