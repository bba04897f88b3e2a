"""Loading catalogs: from where, with what defaults, and finding entries by name."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.catalog.test_files import MODEL, PROFILE, SERVER, minimal_documents, write_catalogs
from xlsizing.catalog import CatalogError, load_catalogs
from xlsizing.core import Catalogs, UnknownNameError
from xlsizing.core.entries import Entry


def test_the_shipped_catalogs_are_loaded_where_none_are_named(
    catalogs: Catalogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLSIZING_CATALOGS", raising=False)
    assert load_catalogs() == catalogs
    monkeypatch.setenv("XLSIZING_CATALOGS", "")
    assert load_catalogs() == catalogs


def test_the_argument_beats_the_environment_variable_which_beats_the_shipped_catalogs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("argument", "environment"):
        documents = minimal_documents()
        documents["models.json"]["models"][0]["name"] = name
        write_catalogs(tmp_path / name, documents)
    monkeypatch.setenv("XLSIZING_CATALOGS", str(tmp_path / "environment"))
    assert [model.name for model in load_catalogs().models] == ["environment"]
    assert [m.name for m in load_catalogs(str(tmp_path / "argument")).models] == ["argument"]


def test_a_missing_folder_is_refused_wherever_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = str(tmp_path / "missing")
    with pytest.raises(CatalogError, match="There is no such folder") as by_argument:
        load_catalogs(missing)
    assert missing in str(by_argument.value)
    monkeypatch.setenv("XLSIZING_CATALOGS", missing)
    with pytest.raises(CatalogError) as by_variable:
        load_catalogs()
    assert str(by_variable.value) == str(by_argument.value)


def test_an_empty_folder_is_refused_with_each_of_the_three_missing_files(tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as raised:
        load_catalogs(str(tmp_path))
    files = [fault.file for fault in raised.value.faults]
    assert files == [str(tmp_path / f"{name}.json") for name in ("models", "servers", "storage")]


def test_entries_with_just_the_fields_of_the_method_are_valid(tmp_path: Path) -> None:
    loaded = load_catalogs(write_catalogs(tmp_path))
    entries: tuple[Entry, ...] = (loaded.models[0], loaded.servers[0], loaded.profiles[0])
    for entry, fields in zip(entries, (MODEL, SERVER, PROFILE), strict=True):
        assert {name: getattr(entry, name) for name in fields} == fields
        assert (entry.aliases, entry.sources, entry.notes) == ((), {}, "")
    assert loaded.models[0].default_kv_precision == "bf16"
    assert loaded.models[0].weight_bytes is None
    assert loaded.servers[0].hbm_per_gpu_mib is None


@pytest.mark.parametrize(
    ("gpus", "per_gpu", "given", "total"),
    [(8, 288, None, 2304), (3, 0.1, None, 0.3), (7, 1.1, None, 7.7), (8, 180, 1536, 1536)],
)
def test_total_hbm_gb_is_the_product_where_it_is_left_out(
    tmp_path: Path, gpus: int, per_gpu: float, given: float | None, total: float
) -> None:
    documents = minimal_documents()
    documents["servers.json"]["servers"][0].update(gpus=gpus, hbm_per_gpu_gb=per_gpu)
    if given is not None:
        documents["servers.json"]["servers"][0]["total_hbm_gb"] = given
    (server,) = load_catalogs(write_catalogs(tmp_path, documents)).servers
    assert server.total_hbm_gb == total


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        ("model", "gpt-oss-120b", "gpt-oss-120b"),
        ("model", "GPT-OSS-120B", "gpt-oss-120b"),
        ("model", "  gpt-oss-120b ", "gpt-oss-120b"),
        ("model", "opt-oss-120b", "gpt-oss-120b"),
        ("model", " OPENAI/GPT-OSS-120B", "gpt-oss-120b"),
        ("server", "DGX300 ", "dgx-b300"),
        ("server", "dgx200", "dgx-h200"),
        ("profile", "Profile_Default", "profile_default"),
        ("profile", "profile_network_ssd", "profile_network_ssd"),
        ("profile", " profile_cloud_premium", "profile_cloud_premium"),
    ],
)
def test_names_and_aliases_are_found_without_regard_to_case_and_blanks(
    catalogs: Catalogs, kind: str, name: str, found: str
) -> None:
    assert getattr(catalogs, kind)(name).name == found
    assert [entry.name for entry in catalogs.named(name)] == [found]


def test_blanks_inside_a_name_count_once_as_in_a_cell(tmp_path: Path) -> None:
    documents = minimal_documents()
    documents["models.json"]["models"][0]["name"] = "my model"
    loaded = load_catalogs(write_catalogs(tmp_path, documents))
    assert loaded.model(" My   Model ").name == "my model"
    with pytest.raises(UnknownNameError):
        loaded.model("mymodel")


@pytest.mark.parametrize(
    ("kind", "noun", "name", "nearest"),
    [
        ("model", "model", "gpt-oss-121b", ("gpt-oss-120b", "gpt-oss-20b")),
        ("model", "model", "gpt-oss", ("gpt-oss-20b", "gpt-oss-120b")),
        ("model", "model", "Gemma 3 27b", ("gemma-3-27b-it",)),
        ("model", "model", "llama-3.1-8", ("llama-3.1-8b",)),
        ("server", "server", "dgx-b30", ("dgx-b300",)),
        ("server", "server", "H200", ("dgx-h200",)),
        ("profile", "storage profile", "default", ("profile_default",)),
        ("profile", "storage profile", "network_ssd", ("profile_network_ssd",)),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_names(
    catalogs: Catalogs, kind: str, noun: str, name: str, nearest: tuple[str, ...]
) -> None:
    with pytest.raises(UnknownNameError) as raised:
        getattr(catalogs, kind)(name)
    assert raised.value.kind == noun
    assert set(nearest) <= set(raised.value.nearest)
    assert raised.value.nearest[0] in nearest
    assert f"no {noun} named {name!r}" in str(raised.value)
    assert all(each in str(raised.value) for each in nearest)


@pytest.mark.parametrize("name", ["", " ", None])
def test_no_name_is_told_apart_from_a_wrong_one(catalogs: Catalogs, name: object) -> None:
    given = "Nothing" if name is None else repr(name)
    for find, noun in ((catalogs.model, "model"), (catalogs.profile, "storage profile")):
        with pytest.raises(UnknownNameError, match=f"^{given} names no {noun}; there are .+\\.$"):
            find(name)


@pytest.mark.parametrize("name", ["gpt*", "*", "gpt-oss-120?", "gpt~*", 5])
def test_wildcards_blanks_and_other_values_are_unknown_names(
    catalogs: Catalogs, name: object
) -> None:
    for find in (catalogs.model, catalogs.server, catalogs.profile):
        with pytest.raises(UnknownNameError) as raised:
            find(name)
        assert repr(name) in str(raised.value)


def test_loading_a_good_folder_does_not_import_pydantic() -> None:
    code = (
        "import sys; from xlsizing.catalog import load_catalogs; load_catalogs(); "
        "sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
