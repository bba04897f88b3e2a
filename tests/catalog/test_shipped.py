"""The shipped catalogs against data that others published."""

import json
from typing import Any

import pytest

from tests.conftest import PROJECT
from xlsizing.core import (
    Catalogs,
    Model,
    calc_kv_per_session_gib,
    calc_sessions_per_node,
    kv_bytes_per_session,
    size,
)

Row = dict[str, Any]
ENTRY_FIELDS = {"name", "aliases", "sources", "notes"}


def published(file: str) -> list[Row]:
    document = json.loads((PROJECT / "tests" / "data" / file).read_text(encoding="utf-8"))
    assert document["source"]
    rows: list[Row] = document["rows"]
    return rows


def shipped(file: str, key: str) -> list[Row]:
    document = json.loads((PROJECT / "catalogs" / file).read_text(encoding="utf-8"))
    entries: list[Row] = document[key]
    return entries


MODELS = shipped("models.json", "models")
ENTRIES = [*MODELS, *shipped("servers.json", "servers"), *shipped("storage.json", "profiles")]
VLLM_LAYERS = published("vllm_layers.json")
CONFIGS = published("published_configs.json")
BY_MODEL = {row["model"]: row for row in VLLM_LAYERS}
WINDOWS = {row["model"]: row.get("sliding_window", 0) for row in CONFIGS}
EACH_LAYERS = pytest.mark.parametrize("row", VLLM_LAYERS, ids=lambda row: row["model"])
EACH_CONFIG = pytest.mark.parametrize("row", CONFIGS, ids=lambda row: row["model"])


def layers(model: Model) -> tuple[int, int]:
    """Full and sliding layers, read off the entry as the method says."""
    return {
        "full": (model.num_layers, 0),
        "sliding": (0, model.num_layers),
        "hybrid": (model.hybrid_full_layers or 0, model.hybrid_sliding_layers or 0),
    }[model.attention_pattern]


def test_every_shipped_model_is_compared_with_its_published_config() -> None:
    compared = {row["model"] for row in CONFIGS}
    assert [m["name"] for m in MODELS if not compared & set(m["aliases"])] == []
    assert len(MODELS) >= 20


@EACH_LAYERS
def test_layers_and_bytes_per_token_are_what_vllm_plans(catalogs: Catalogs, row: Row) -> None:
    model = catalogs.model(row["model"])
    assert layers(model) == (row["full_layers"], row["sliding_layers"])
    per_layer = 2 * model.num_key_value_heads * model.head_dim * 2
    assert per_layer == row["bytes_per_layer_and_token"]
    one_token = (row["full_layers"] + row["sliding_layers"]) * row["bytes_per_layer_and_token"]
    assert kv_bytes_per_session(model, 1, "bf16") == one_token
    assert kv_bytes_per_session(model, 1, "fp8") * 2 == one_token


@EACH_CONFIG
def test_geometry_is_that_of_the_published_config(catalogs: Catalogs, row: Row) -> None:
    model = catalogs.model(row["model"])
    assert model.num_layers == row["num_hidden_layers"]
    assert model.num_key_value_heads == row["num_key_value_heads"]
    assert model.head_dim == row.get("head_dim", row["hidden_size"] // row["num_attention_heads"])
    assert model.max_position_embeddings == row["max_position_embeddings"]
    if "layer_types" in row:
        types = row["layer_types"]
        assert layers(model) == (types["full_attention"], types["sliding_attention"])
    windowed = row.get("use_sliding_window", True) and "sliding_window" in row
    assert model.sliding_window == (row["sliding_window"] if windowed else None)
    assert (model.attention_pattern == "full") == (not windowed)


@EACH_CONFIG
def test_the_default_precision_is_fp8_where_the_released_weights_are_8_bits_or_fewer(
    catalogs: Catalogs, row: Row
) -> None:
    few_bits = row["released_quantization"].startswith(("fp8", "mxfp4", "int8", "int4", "nvfp4"))
    model = catalogs.model(row["model"])
    assert model.default_kv_precision == ("fp8" if few_bits else "bf16")


@pytest.mark.parametrize(
    "row",
    published("transformers_caches.json"),
    ids=lambda row: f"{row['model']} {row['tokens']}",
)
def test_sessions_are_as_large_as_transformers_caches_but_for_a_window_s_last_token(
    catalogs: Catalogs, row: Row
) -> None:
    model = catalogs.model(row["model"])
    beyond = 0
    if row["model"] in BY_MODEL and row["tokens"] >= WINDOWS[row["model"]] > 0:
        of_vllm = BY_MODEL[row["model"]]
        beyond = of_vllm["sliding_layers"] * of_vllm["bytes_per_layer_and_token"]
    expected = row["bytes"] + beyond
    assert kv_bytes_per_session(model, row["tokens"], "bf16") == expected
    assert calc_kv_per_session_gib(model, row["tokens"], "bf16")[0] == expected / 2**30


@pytest.mark.parametrize("row", published("driver_memory.json"), ids=lambda row: row["server"])
def test_servers_have_the_memory_that_the_driver_reports(catalogs: Catalogs, row: Row) -> None:
    server = catalogs.server(row["server"])
    for field in ("gpus", "gpu", "hbm_per_gpu_gb", "hbm_per_gpu_mib"):
        assert getattr(server, field) == row[field]
    assert server.total_hbm_gb == row["gpus"] * row["hbm_per_gpu_gb"]


def test_every_shipped_server_is_compared() -> None:
    compared = {row["server"] for row in published("driver_memory.json")}
    assert {entry["name"] for entry in shipped("servers.json", "servers")} == compared


def test_the_driver_s_figure_is_used_where_it_is_known(catalogs: Catalogs) -> None:
    # 2,418,278,400 bytes a session; 614 sessions by the driver's MiB, 613 by decimal GB.
    session = 2_418_278_400 / 2**30
    assert calc_sessions_per_node(catalogs.server("dgx-b300"), session, 0.70, 120) == 614
    # 8 * 288 * 10^9 * 0.7 = 1,612,800,000,000; less 128,849,018,880; 613.63 sessions
    assert calc_sessions_per_node(catalogs.server("8x-mi355x"), session, 0.70, 120) == 613


@pytest.mark.parametrize(
    ("kind", "alias", "name"),
    [
        ("model", "opt-oss-120b", "gpt-oss-120b"),
        ("server", "dgx300", "dgx-b300"),
        ("server", "dgx200", "dgx-h200"),
        ("profile", "profile_default", "profile_default"),
        ("profile", "profile_network_ssd", "profile_network_ssd"),
        ("profile", "profile_cloud_premium", "profile_cloud_premium"),
    ],
)
def test_required_names_and_aliases_work(
    catalogs: Catalogs, kind: str, alias: str, name: str
) -> None:
    assert getattr(catalogs, kind)(alias).name == name


def test_storage_profiles_are_of_at_least_six_types(catalogs: Catalogs) -> None:
    assert len({profile.type for profile in catalogs.profiles}) >= 6


def test_storage_figures_are_ordered_as_they_are_in_life(catalogs: Catalogs) -> None:
    for profile in catalogs.profiles:
        assert profile.latency_read_ms_p50 <= profile.latency_read_ms_p99
        assert profile.latency_write_ms_p50 <= profile.latency_write_ms_p99


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["name"])
def test_every_figure_has_a_source(entry: Row) -> None:
    figures = set(entry) - ENTRY_FIELDS
    sources = entry["sources"]
    assert set(sources) <= figures | {"*"}
    assert figures <= set(sources) or "*" in sources
    assert all(text.strip() for text in sources.values())


def test_no_shipped_entry_is_alerted_as_unsourced(catalogs: Catalogs) -> None:
    triples = [
        *((model, catalogs.servers[0], catalogs.profiles[0]) for model in catalogs.models),
        *((catalogs.models[0], server, catalogs.profiles[0]) for server in catalogs.servers),
        *((catalogs.models[0], catalogs.servers[0], each) for each in catalogs.profiles),
    ]
    for model, server, storage in triples:
        result = size(model, server, storage, concurrency=1, effective_context=1)
        assert "CATALOG_UNSOURCED" not in [alert.code for alert in result.alerts]
