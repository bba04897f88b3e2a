"""Catalog files are read strictly, and what is wrong is said in a sentence."""

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from xlsizing.catalog import CatalogError
from xlsizing.catalog.errors import Fault
from xlsizing.catalog.files import MODELS, read_document

MODEL: Mapping[str, Any] = {
    "name": "m",
    "num_layers": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 4096,
    "attention_pattern": "full",
}
SERVER: Mapping[str, Any] = {"name": "s", "gpus": 8, "hbm_per_gpu_gb": 288}
PROFILE: Mapping[str, Any] = {
    "name": "p",
    "type": "nvme_local",
    "iops_read": 1000,
    "iops_write": 900,
    "throughput_read_gbps": 28,
    "throughput_write_gbps": 25.5,
    "latency_read_ms_p50": 0.08,
    "latency_read_ms_p99": 0.15,
    "latency_write_ms_p50": 0.1,
    "latency_write_ms_p99": 0.2,
}
MINIMAL: Mapping[str, Any] = {
    "models.json": {"models": [MODEL]},
    "servers.json": {"servers": [SERVER]},
    "storage.json": {"profiles": [PROFILE]},
}
"""Documents whose entries have just the fields that the method names."""


def minimal_documents() -> dict[str, Any]:
    return deepcopy(dict(MINIMAL))


def write_catalogs(folder: Path, documents: Mapping[str, Any] = MINIMAL) -> str:
    """The folder's path, with one file for each document; text is written as it is."""
    folder.mkdir(exist_ok=True)
    for file, document in documents.items():
        text = document if isinstance(document, str) else json.dumps(document)
        (folder / file).write_text(text, encoding="utf-8")
    return str(folder)


def the_fault(folder: Path) -> Fault:
    with pytest.raises(CatalogError) as raised:
        read_document(str(folder), MODELS)
    (fault,) = raised.value.faults
    assert fault.file == str(folder / "models.json")
    assert fault.sentence[0].isupper() or fault.sentence.startswith("-Infinity")
    assert fault.sentence.endswith(".")
    assert str(raised.value).startswith(f"{fault.file}: {fault.path}")
    return fault


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_utf_8_is_read_with_and_without_a_byte_order_mark(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "models.json").write_bytes(start + '{"models": ["é"]}'.encode())
    assert read_document(str(tmp_path), MODELS) == {"models": ["é"]}


@pytest.mark.parametrize(
    ("content", "path", "words"),
    [
        (b'{"models": "\xe9"}', "", "Byte 12 is not UTF-8"),
        ('{"models": []}'.encode("utf-16"), "", "Byte 0 is not UTF-8"),
        (b"", "line 1, column 1", "This is not JSON"),
        (b"models", "line 1, column 1", "This is not JSON"),
        (b'{\n"models": [1;]}', "line 2, column 13", "This is not JSON"),
        (b'{"models": []} {}', "line 1, column 16", "This is not JSON"),
        (b'{"models": [], // none\n}', "line 1, column 16", "This is not JSON"),
        (b'{"models": [NaN]}', "", "NaN is not a figure"),
        (b'{"models": [{"num_layers": Infinity}]}', "", "Infinity is not a figure"),
        (b'{"models": [-Infinity]}', "", "-Infinity is not a figure"),
        (b'{"models": [], "models": []}', "", "the key 'models' twice"),
        (b'{"models": [{"name": 1, "x": 2, "name": 1}]}', "", "the key 'name' twice"),
        (b'{"models": [{"sources": {"*": "", "*": ""}}]}', "", "the key '*' twice"),
        (b"[" * 100_000, "", "nested too deeply"),
        (b'{"models": [1e999]}', "", "1e999 is too large"),
        (b'{"models": ["\\ud800"]}', "", "half of a character"),
    ],
)
def test_what_is_not_strict_json_is_refused(
    tmp_path: Path, content: bytes, path: str, words: str
) -> None:
    (tmp_path / "models.json").write_bytes(content)
    fault = the_fault(tmp_path)
    assert fault.path == path
    assert words in fault.sentence


def test_a_number_of_thousands_of_digits_is_refused_in_words_for_users(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_bytes(b'{"models": [' + b"9" * 5000 + b"]}")
    assert "set_int_max_str_digits" not in the_fault(tmp_path).sentence


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    assert "must hold the models" in the_fault(tmp_path).sentence


def test_a_folder_in_place_of_the_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "models.json").mkdir()
    assert "cannot be read" in the_fault(tmp_path).sentence


def test_a_file_of_more_than_16_mb_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "models.json").open("wb") as file:
        file.truncate(16 * 10**6 + 1)
    assert "larger than 16 MB" in the_fault(tmp_path).sentence
