"""Catalog files are read strictly, and what is wrong is said in a sentence."""

import errno
import json
import os
import tempfile
import threading
from collections.abc import Mapping
from copy import deepcopy
from itertools import cycle
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.saying import in_portuguese
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
    in_portuguese(fault.sentence)
    assert fault.sentence.endswith(".")
    assert str(raised.value).startswith(f"{fault.file}: {fault.path}")
    return fault


@pytest.mark.parametrize("marks", [0, 1, 2])
def test_utf_8_is_read_with_and_without_byte_order_marks(tmp_path: Path, marks: int) -> None:
    start = b"\xef\xbb\xbf" * marks
    (tmp_path / "models.json").write_bytes(start + '{"models": ["é"]}'.encode())
    assert read_document(str(tmp_path), MODELS) == {"models": ["é"]}


@pytest.mark.parametrize(
    ("content", "path", "words"),
    [
        (
            b'{\n"models": "\xe9"}',
            "line 2, column 12",
            "Byte 0xE9 is not UTF-8; the file is likely",
        ),
        (
            b'{"\xc3\xa9": "\xe9"}',
            "line 1, column 8",
            "in Windows-1252 or Latin-1, where it is 'é'",
        ),
        (
            b'{"models": "\x90"}',
            "line 1, column 13",
            "Byte 0x90 is not UTF-8; save the file as UTF-8",
        ),
        (b"\x1f\x8b\x08\x00" + bytes(99), "", "not text, or damaged: byte 0 is 0x1F"),
        (b"PK\x03\x04" + bytes(99), "", "not text, or damaged: byte 2 is 0x03"),
        (bytes(4096), "", "not text, or damaged: byte 0 is 0x00"),
        (b'{"models": []' + bytes(99), "", "not text, or damaged: byte 13 is 0x00"),
        (b'{"models": ["a\0b"]}', "", "not text, or damaged: byte 14 is 0x00"),
        (
            b'{"models": ["a\tb"]}',
            "line 1, column 15",
            "This is not JSON: invalid control character.",
        ),
        (b'{"models": ["\x1b[2J"]}', "line 1, column 14", "invalid control character."),
        (b"", "", "The file is empty and must hold the models; where another"),
        (b" \r\n", "", "The file is empty"),
        (b"\xef\xbb\xbf", "", "The file is empty"),
        (b'{"models": [{"name"', "line 1, column 20", "The file ends in the middle of its JSON"),
        (b'{\n<<<<<<< HEAD\n"models": []}', "line 2, column 1", "The mark <<<<<<< of a merge"),
        (b'{\n"models": []\r\n=======\n}', "line 3, column 1", "The mark ======= of a merge"),
        (b'{\n"models": []\n>>>>>>> main\n}', "line 3, column 1", "The mark >>>>>>> of a merge"),
        (b"models", "line 1, column 1", "This is not JSON"),
        (b"<!DOCTYPE html>", "line 1, column 1", "This is not JSON: expecting value."),
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
        (b'{"models": [-1E+400]}', "", "-1E+400 is too large"),
        (b'{"models": [1e-400]}', "", "1e-400 is too small for a figure; write 0"),
        (b'{"models": [-0.02E-999]}', "", "-0.02E-999 is too small"),
        (b'{"models": [' + b"7" * 301 + b"]}", "", "A number has 301 digits"),
        (b'{"' + b"k" * 10**6 + b'": 1, "' + b"k" * 10**6 + b'": 2}', "", "kkk... twice"),
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


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "marked"])
@pytest.mark.parametrize("text", ['{"models": ["é"]}', "\n {", '{"models": ["\U0001f600"'])
def test_a_wide_encoding_is_named(tmp_path: Path, encoding: str, mark: str, text: str) -> None:
    (tmp_path / "models.json").write_bytes((mark + text).encode(encoding))
    name = encoding[:6].upper()
    assert the_fault(tmp_path).sentence == f"The file is in {name}; save it as UTF-8."


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(
    st.recursive(
        st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
    st.sampled_from([None, 1]),
    st.booleans(),
    st.data(),
)
def test_a_file_that_is_cut_anywhere_is_said_to_be_incomplete(
    inner: Any, indent: int | None, ascii_only: bool, data: st.DataObject
) -> None:
    text = json.dumps({"models": [inner]}, indent=indent, ensure_ascii=ascii_only)
    whole = text.encode(errors="ignore")
    cut = data.draw(st.integers(1, len(whole) - 1))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "models.json").write_bytes(whole[:cut])
        assert the_fault(Path(folder)).sentence == (
            "The file ends in the middle of its JSON; "
            "where another program is still writing it, try again in a moment."
        )


def test_zeros_are_zeros(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_bytes(b"[0, -0, -0.0, 0e-999, 0.000, -0.0E5]")
    found = read_document(str(tmp_path), MODELS)
    assert [repr(value) for value in found] == ["0", "0", "0.0", "0.0", "0.0", "0.0"]


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    assert "must hold the models" in the_fault(tmp_path).sentence


def test_a_folder_in_place_of_the_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "models.json").mkdir()
    assert (
        the_fault(tmp_path).sentence == "This is a folder; it must be a file that holds the models."
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "models.json")
    assert "This is a pipe or a device" in the_fault(tmp_path).sentence


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the system has no endless device")
def test_a_device_without_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "models.json").symlink_to("/dev/zero")
    assert "This is a pipe or a device" in the_fault(tmp_path).sentence


def test_a_link_that_leads_to_itself_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "models.json").symlink_to(tmp_path / "models.json")
    assert "The file cannot be read (" in the_fault(tmp_path).sentence


def test_a_file_that_nobody_may_read_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The system's own refusal does not reach an administrator, who may be running this.
    def refuse(path: str, *_: object) -> NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    write_catalogs(tmp_path)
    monkeypatch.setattr("builtins.open", refuse)
    fault = the_fault(tmp_path)
    assert fault.sentence == "The file cannot be read (Permission denied); it must hold the models."


@pytest.mark.parametrize("megabytes", [4, 100, 10**6])
def test_a_file_of_more_than_4_mb_is_not_read(
    tmp_path: Path, megabytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "models.json").open("wb") as file:
        file.truncate(megabytes * 10**6 + 1)
    monkeypatch.setattr("builtins.open", None)
    assert "larger than 4 MB" in the_fault(tmp_path).sentence


def test_a_file_that_changes_while_it_is_read_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "models.json"
    path.write_text(json.dumps(MINIMAL["models.json"]))
    stat_of, seen = os.fstat, []

    def then_written(number: int) -> os.stat_result:
        seen.append(stat_of(number))
        if len(seen) == 1:
            path.write_text('{"models": []}')
        return seen[-1]

    monkeypatch.setattr("os.fstat", then_written)
    assert "The file changed while it was read; try again" in the_fault(tmp_path).sentence


def test_a_file_that_is_replaced_again_and_again_is_read_whole_each_time(tmp_path: Path) -> None:
    whole = [json.dumps({"models": [letter * 10**5]}) for letter in "ab"]
    path, beside = tmp_path / "models.json", tmp_path / "beside"
    path.write_text(whole[0])
    done = threading.Event()

    def replace() -> None:
        for text in cycle(whole):
            if done.is_set():
                return
            beside.write_text(text)
            beside.replace(path)

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        found = {read_document(str(tmp_path), MODELS)["models"][0] for _ in range(300)}
    finally:
        done.set()
        writer.join()
    assert found == {"a" * 10**5, "b" * 10**5}
