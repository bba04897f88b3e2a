"""The shipped catalogs against data that others published."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import PROJECT
from xlsizing.catalog.hf_config import import_config, read_config
from xlsizing.cli import main
from xlsizing.core import (
    Catalogs,
    Model,
    StorageProfile,
    calc_kv_per_session_gib,
    calc_sessions_per_node,
    kv_bytes_per_session,
    size,
)
from xlsizing.core.engine import engine_bound, weight_bytes
from xlsizing.core.entries import Server, figures, unsourced_figures
from xlsizing.core.kv_cache import layer_groups
from xlsizing.core.layers import AttentionLayers, LatentLayers
from xlsizing.core.transformers_cache import transformers_bytes
from xlsizing.core.units import BYTES_PER_GIB

Row = dict[str, Any]
DATA = PROJECT / "tests" / "data"


def published(file: str) -> list[Row]:
    document = json.loads((DATA / file).read_text(encoding="utf-8"))
    assert document["source"]
    rows: list[Row] = document["rows"]
    return rows


def shipped(file: str, key: str) -> list[Row]:
    document = json.loads((PROJECT / "catalogs" / file).read_text(encoding="utf-8"))
    entries: list[Row] = document[key]
    return entries


MODELS = shipped("models.json", "models")
SERVERS = shipped("servers.json", "servers")
PROFILES = shipped("storage.json", "profiles")
PUBLISHERS_NAME = {model["name"]: model["aliases"][0] for model in MODELS}
RELEASED = {row["model"]: row for row in published("released_weights.json")}
CACHES = [row for row in published("hf_cache_rows.json") if row["model"] in RELEASED]
VLLM_LAYERS = published("vllm_layers.json")
BY_MODEL = {row["model"]: row for row in VLLM_LAYERS}

EACH_MODEL = pytest.mark.parametrize("name", PUBLISHERS_NAME)
EACH_CACHE = pytest.mark.parametrize(
    "row", CACHES, ids=lambda row: f"{row['model']} {row['tokens_total']}"
)


def config_file(publishers_name: str) -> str:
    """The copy of a published config.json, by the name of the model's repository."""
    name = publishers_name.replace("/", "-").replace("_", "-")
    return str(DATA / "hf_configs" / f"{name}.json")


def text_config(name: str) -> Row:
    """The fields of the language model in the published config of a catalog entry."""
    config = read_config(config_file(PUBLISHERS_NAME[name]))
    text: Row = config.get("text_config", config)
    return text


def layers(model: Model) -> tuple[int, int]:
    """Full and sliding layers of a plain entry, read off it as the method says."""
    return {
        "full": (model.num_layers, 0),
        "sliding": (0, model.num_layers),
        "hybrid": (model.hybrid_full_layers or 0, model.hybrid_sliding_layers or 0),
    }[model.attention_pattern]


# Which models there are


def test_every_published_config_is_shipped_but_those_that_cannot_be() -> None:
    files = {str(path) for path in (DATA / "hf_configs").glob("*.json")}
    assert len(files) == 49
    assert len(MODELS) == 46
    assert files - {config_file(name) for name in PUBLISHERS_NAME.values()} == {
        # Refused: what their layers hold is not known.
        config_file("deepseek-ai/DeepSeek-V4-Pro"),
        config_file("moonshotai/Kimi-K3"),
        # The class's defaults, which nobody published as a file.
        config_file("Qwen/Qwen3-Next-80B-A3B-Instruct"),
    }
    assert set(PUBLISHERS_NAME.values()) == set(RELEASED)


@pytest.mark.parametrize(
    "entries", [MODELS, SERVERS, PROFILES], ids=["models", "servers", "storage"]
)
def test_names_and_aliases_are_found_by_one_entry_each(entries: list[Row]) -> None:
    names = [
        name.casefold() for entry in entries for name in (entry["name"], *entry.get("aliases", ()))
    ]
    assert len(names) == len(set(names)) >= len(entries)


def test_models_stand_in_the_order_of_their_names() -> None:
    names = [model["name"] for model in MODELS]
    assert names == sorted(names)
    assert names == [name.lower() for name in names]


@EACH_MODEL
def test_a_model_is_found_by_its_repository_and_the_last_part_of_that(
    catalogs: Catalogs, name: str
) -> None:
    repository = PUBLISHERS_NAME[name]
    publisher, _, last = repository.partition("/")
    assert publisher
    assert catalogs.model(repository).name == catalogs.model(last).name == name


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


# The files


def test_the_shipped_files_have_no_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "validate", "--catalogs", str(PROJECT / "catalogs")]) == 0
    counts = f"Models: {len(MODELS)}, servers: {len(SERVERS)}, storage profiles: {len(PROFILES)}"
    assert capsys.readouterr().out == f"No faults. {counts}.\n"


@pytest.mark.parametrize("file", ["models.json", "servers.json", "storage.json"])
def test_files_are_indented_by_two(file: str) -> None:
    text = (PROJECT / "catalogs" / file).read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        *((entry, Model) for entry in MODELS),
        *((entry, Server) for entry in SERVERS),
        *((entry, StorageProfile) for entry in PROFILES),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_fields_stand_in_the_order_of_the_schema(entry: Row, kind: type[Model]) -> None:
    order = [each.name for each in fields(kind)]
    assert list(entry) == sorted(entry, key=order.index)
    assert list(entry["sources"]) == sorted(entry["sources"], key=["*", *order].index)


# The models' layers


@EACH_MODEL
def test_layers_context_and_heads_are_those_of_the_published_config(
    catalogs: Catalogs, name: str
) -> None:
    model, config = catalogs.model(name), text_config(name)
    assert model.num_layers == config["num_hidden_layers"]
    # Falcon3-Mamba's does not limit the context, and has no attention.
    assert model.max_position_embeddings == config.get("max_position_embeddings", 1_048_576)
    assert model.num_attention_heads == config.get("num_attention_heads")


OTHER_HEADS: Mapping[str, set[tuple[int, int, int]]] = {
    "gemma-4-26b-a4b": {(8, 256, 256), (2, 512, 512)},  # num_global_key_value_heads
    "mimo-v2-flash": {(4, 192, 128), (8, 192, 128)},  # swa_num_key_value_heads, v_head_dim
    "llama-3.3-nemotron-super-49b": {(64 // 8, 8192 // 64, 8192 // 64)},  # n_heads_in_group
}
"""KV heads, key and value elements where num_key_value_heads and head_dim do not say all."""


@EACH_MODEL
def test_kv_heads_and_their_elements_are_those_of_the_published_config(
    catalogs: Catalogs, name: str
) -> None:
    model, config = catalogs.model(name), text_config(name)
    heads = {
        (group.kv_heads, group.key_dim, group.value_dim)
        for group in layer_groups(model)
        if isinstance(group, AttentionLayers)
    }
    if name in OTHER_HEADS:
        assert heads == OTHER_HEADS[name]
    elif not heads:
        assert "kv_lora_rank" in config or config["model_type"] == "falcon_mamba"
        assert (model.num_key_value_heads, model.head_dim) == (None, None)
    else:
        elements = config["hidden_size"] // config["num_attention_heads"]
        elements = config.get("head_dim", config.get("attention_head_dim", elements))
        assert heads == {(config["num_key_value_heads"], elements, elements)}
        assert (model.num_key_value_heads, model.head_dim) == (
            config["num_key_value_heads"],
            elements,
        )


@EACH_MODEL
def test_windows_are_those_of_the_published_config(catalogs: Catalogs, name: str) -> None:
    config = text_config(name)
    windows = {
        (group.kind, group.window)
        for group in layer_groups(catalogs.model(name))
        if isinstance(group, AttentionLayers) and group.kind != "full"
    }
    sliding = config.get("sliding_window") if config.get("use_sliding_window", True) else None
    expected = {("sliding", sliding)} if sliding else set()
    if name == "llama-4-scout":
        expected = {("chunked", config["attention_chunk_size"])}
    assert windows == expected


def test_there_are_models_with_windows_and_without(catalogs: Catalogs) -> None:
    windowed = {
        model.name
        for model in catalogs.models
        if any(getattr(group, "window", None) for group in layer_groups(model))
    }
    assert len(windowed) == 11
    assert {"phi-3.5-mini-instruct", "mimo-v2-flash", "llama-4-scout"} < windowed


LISTED = {"full_attention": "full", "sliding_attention": "sliding", "linear_attention": "state"}
LISTED |= {"mamba": "state", "attention": "full"}
"""Our kind of a layer, by the words of layer_types."""


def test_layers_of_each_kind_are_as_many_as_the_published_config_lists(catalogs: Catalogs) -> None:
    compared = set()
    for name in PUBLISHERS_NAME:
        config = text_config(name)
        if "layer_types" in config:
            listed = [LISTED[word] for word in config["layer_types"]]
            groups = layer_groups(catalogs.model(name))
            assert {group.kind: group.layers for group in groups} == {
                kind: listed.count(kind) for kind in listed
            }
            compared.add(name)
    assert {"gpt-oss-120b", "gemma-4-26b-a4b", "granite-4.0-h-small", "qwen3.5-35b-a3b"} < compared


@pytest.mark.parametrize(
    ("name", "indexers"),
    [
        ("deepseek-v2-lite", 0),
        ("deepseek-v3", 0),
        ("deepseek-v3.2", 61),
        ("glm-5", 78),
        ("glm-5.2", 21),
        ("kimi-k2-instruct", 0),
    ],
)
def test_latent_layers_are_those_of_the_published_config(
    catalogs: Catalogs, name: str, indexers: int
) -> None:
    (group,) = layer_groups(catalogs.model(name))
    config = text_config(name)
    assert group == LatentLayers(
        "latent",
        config["num_hidden_layers"],
        config["kv_lora_rank"],
        config["qk_rope_head_dim"],
        indexers,
        config["index_head_dim"] if indexers else None,
    )


IMPORTED = (
    "num_layers",
    "num_key_value_heads",
    "head_dim",
    "max_position_embeddings",
    "attention_pattern",
    "hybrid_full_layers",
    "hybrid_sliding_layers",
    "sliding_window",
    "layer_groups",
    "default_kv_precision",
    "num_attention_heads",
    "weight_precision",
)
"""Fields that the importer reads off the published config."""


@EACH_MODEL
def test_an_entry_says_what_the_importer_makes_of_the_published_config(
    catalogs: Catalogs, name: str
) -> None:
    imported = import_config(read_config(config_file(PUBLISHERS_NAME[name])), name).model
    model = catalogs.model(name)
    for field in IMPORTED:
        assert getattr(model, field) == getattr(imported, field), field


@pytest.mark.parametrize("row", VLLM_LAYERS, ids=lambda row: row["model"])
def test_layers_and_bytes_per_token_are_what_vllm_plans(catalogs: Catalogs, row: Row) -> None:
    model = catalogs.model(row["model"])
    assert layers(model) == (row["full_layers"], row["sliding_layers"])
    assert model.num_key_value_heads is not None
    assert model.head_dim is not None
    per_layer = 2 * model.num_key_value_heads * model.head_dim * 2
    assert per_layer == row["bytes_per_layer_and_token"]
    one_token = (row["full_layers"] + row["sliding_layers"]) * row["bytes_per_layer_and_token"]
    assert kv_bytes_per_session(model, 1, "bf16") == one_token
    assert kv_bytes_per_session(model, 1, "fp8") * 2 == one_token


@EACH_CACHE
def test_a_session_holds_what_transformers_caches_hold(catalogs: Catalogs, row: Row) -> None:
    assert (
        transformers_bytes(catalogs.model(row["model"]), row["tokens_total"]) == row["total_bytes"]
    )


def test_caches_of_nearly_every_model_are_compared() -> None:
    assert len(CACHES) == 130
    assert set(RELEASED) - {row["model"] for row in CACHES} == {
        "XiaomiMiMo/MiMo-7B-Base",
        "mistralai/Ministral-3-3B-2512",
        "nvidia/Llama-3_3-Nemotron-Super-49B-v1",
    }


CONTEXT = {PUBLISHERS_NAME[model["name"]]: model["max_position_embeddings"] for model in MODELS}
PLAIN = [
    row
    for row in CACHES
    if row["model"] in BY_MODEL and row["tokens_total"] <= CONTEXT[row["model"]]
]


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: f"{row['model']} {row['tokens_total']}")
def test_planned_sessions_are_as_large_as_caches_but_for_a_window_s_last_token(
    catalogs: Catalogs, row: Row
) -> None:
    model, of_vllm = catalogs.model(row["model"]), BY_MODEL[row["model"]]
    beyond = 0
    if model.sliding_window is not None and row["tokens_total"] >= model.sliding_window:
        beyond = of_vllm["sliding_layers"] * of_vllm["bytes_per_layer_and_token"]
    expected = row["total_bytes"] + beyond
    assert kv_bytes_per_session(model, row["tokens_total"], "bf16") == expected
    assert calc_kv_per_session_gib(model, row["tokens_total"], "bf16")[0] == expected / 2**30


def test_every_plain_model_with_a_row_of_vllm_s_has_caches() -> None:
    assert {row["model"] for row in PLAIN} == set(BY_MODEL)
    assert len(PLAIN) == 71


@EACH_MODEL
def test_the_engine_s_layout_of_a_model_is_known(catalogs: Catalogs, name: str) -> None:
    model = catalogs.model(name)
    bound = engine_bound(
        model, catalogs.server("gb200-nvl72"), 8192, model.default_kv_precision, 100, 0, "none"
    )
    assert bound.sessions_per_node > 0
    assert bound.weights_estimated == (model.weight_bytes is None)


def test_the_examples_of_layer_groups_in_the_documentation_are_shipped() -> None:
    page = (PROJECT / "docs" / "catalogs.md").read_text(encoding="utf-8")
    examples = re.findall(r"`([a-z0-9.-]+)`:\n\n```json\n(.*?)```", page, re.DOTALL)
    groups = {model["name"]: model["layer_groups"] for model in MODELS if "layer_groups" in model}
    for name, example in examples:
        assert json.loads(example) == groups[name]
    shown = {(group["kind"], group.get("family")) for name, _ in examples for group in groups[name]}
    assert shown == {
        (group["kind"], group.get("family")) for model in groups.values() for group in model
    }


# The models' weights


@EACH_MODEL
def test_the_default_precision_is_fp8_where_the_released_weights_are_8_bits_or_fewer(
    catalogs: Catalogs, name: str
) -> None:
    released = RELEASED[PUBLISHERS_NAME[name]]["released_quantization"]
    few_bits = released.startswith(("fp8", "mxfp4", "int8", "int4", "nvfp4"))
    model = catalogs.model(name)
    assert model.default_kv_precision == ("fp8" if few_bits else "bf16")
    if few_bits:
        assert model.weight_precision == released.split()[0]
    else:
        assert model.weight_precision in ("bf16", None)
    assert (model.unquantized_params is not None) == few_bits


@pytest.mark.parametrize("name", [m["name"] for m in MODELS if "unquantized_params" in m])
def test_parameters_in_16_bits_are_the_embeddings_or_all_but_the_experts(
    catalogs: Catalogs, name: str
) -> None:
    model, config = catalogs.model(name), text_config(name)
    assert model.total_params is not None
    embeddings = 2 * config["vocab_size"] * config["hidden_size"]
    if name.startswith("gpt-oss"):
        # modules_to_not_convert names attention, routers, embeddings and output head.
        expert = 3 * config["hidden_size"] * config["intermediate_size"]
        experts = config["num_hidden_layers"] * config["num_local_experts"] * expert
        assert model.unquantized_params == model.total_params - experts > embeddings
    else:
        assert model.unquantized_params == embeddings


COUNTED_OTHERWISE: Mapping[str, int] = {
    # q_lora_rank is null, so queries have one matrix; the class's default makes them two.
    "deepseek-v2-lite": 27 * (2048 * 16 * 192 - 1536 * (2048 + 1 + 16 * 192)),
    # The output head is tied to the embeddings, which the class's default is not.
    "granite-4.0-h-small": -100352 * 4096,
    # The output head is a matrix of its own, which the class's default has not.
    "falcon3-mamba-7b": 65024 * 4096,
    # The count is without the output head.
    "qwen3-vl-235b-a22b-instruct": 151936 * 4096,
    "qwen3-vl-8b-instruct": 151936 * 4096,
}
"""Parameters that an entry has beyond those counted from its config's file."""

NOT_COUNTED = {
    "falcon-h1-34b-instruct": None,
    "llama-3.3-nemotron-super-49b": 49_867_145_216,
    "mimo-7b-base": 7_622_619_136,
    "ministral-3-3b": 3_429_006_336,
}
"""Parameters of the models that no class of transformers counts."""


@EACH_MODEL
def test_parameters_are_those_counted_from_the_published_config(
    catalogs: Catalogs, name: str
) -> None:
    counted = RELEASED[PUBLISHERS_NAME[name]]["counted_params"]
    assert (counted is None) == (name in NOT_COUNTED)
    if counted is None:
        assert catalogs.model(name).total_params == NOT_COUNTED[name]
    else:
        expected = counted + COUNTED_OTHERWISE.get(name, 0)
        assert catalogs.model(name).total_params == expected


TOLERANCE = 0.03
"""How far the released bytes may be from the parameters at the released precision."""

BEYOND_THE_PARAMETERS: Mapping[str, int] = {
    "gemma-3-12b-it": 421_290_864,  # the vision tower
    "glm-4.5-air": 3_617_238_784,  # the layer for multi-token prediction
    "ministral-3-3b": 420_083_712,  # the vision tower
    "qwen3-0.6b": 151936 * 1024,  # the tied output head, which the file holds twice
    "qwen3-vl-8b-instruct": 576_388_336,  # the vision tower
    "qwen3.5-35b-a3b": 1_291_212_016,  # the vision tower and multi-token prediction
}
"""Parameters of a release beyond total_params, where they are more than the tolerance."""


def estimated(model: Model, total_params: int) -> int:
    """What the engine bound would estimate the weights as, were their size not known."""
    found, is_estimate = weight_bytes(replace(model, weight_bytes=None, total_params=total_params))
    assert is_estimate
    return found


SIZED = [model["name"] for model in MODELS if "weight_bytes" in model and "total_params" in model]


@pytest.mark.parametrize("name", SIZED)
def test_the_released_bytes_are_those_of_the_parameters(catalogs: Catalogs, name: str) -> None:
    model = catalogs.model(name)
    assert model.weight_bytes is not None
    assert model.total_params is not None
    plain = abs(model.weight_bytes / estimated(model, model.total_params) - 1)
    assert (plain > TOLERANCE) == (name in BEYOND_THE_PARAMETERS)
    if name in BEYOND_THE_PARAMETERS:
        total = model.total_params + BEYOND_THE_PARAMETERS[name]
        assert model.weight_bytes == pytest.approx(estimated(model, total), rel=0.0001)


def test_all_models_but_these_have_released_bytes_and_parameters() -> None:
    assert {model["name"] for model in MODELS if "weight_bytes" not in model} == {
        "command-r7b",
        "falcon3-mamba-7b",
        "mimo-7b-base",
        "mimo-v2-flash",
        "nemotron-h-56b",
        "olmo-2-32b",
        "starcoder2-7b",
    }
    assert {model["name"] for model in MODELS if "total_params" not in model} == {
        "falcon-h1-34b-instruct"
    }


@EACH_MODEL
def test_notes_say_where_weights_are_an_estimate(catalogs: Catalogs, name: str) -> None:
    model = catalogs.model(name)
    assert ("estimated from the parameters" in model.notes) == (model.weight_bytes is None)


LISTED_BYTES = [row for row in RELEASED.values() if "file_bytes" in row]
LISTED_GB = [row for row in RELEASED.values() if "file_gb" in row]
LOADED = [row for row in RELEASED.values() if "loaded_gib" in row]


def test_listed_files_are_those_of_half_the_models() -> None:
    assert (len(LISTED_BYTES), len(LISTED_GB), len(LOADED)) == (7, 16, 4)


@pytest.mark.parametrize("row", LISTED_BYTES, ids=lambda row: row["model"])
def test_the_weights_are_the_listed_files_without_their_headers(
    catalogs: Catalogs, row: Row
) -> None:
    headers = row["file_bytes"] - (catalogs.model(row["model"]).weight_bytes or 0)
    assert 0 < headers < row["file_bytes"] / 10_000


@pytest.mark.parametrize("row", LISTED_GB, ids=lambda row: row["model"])
def test_the_weights_are_as_large_as_the_listed_files(catalogs: Catalogs, row: Row) -> None:
    assert round((catalogs.model(row["model"]).weight_bytes or 0) / 10**9, 1) == row["file_gb"]


@pytest.mark.parametrize("row", LOADED, ids=lambda row: row["model"])
def test_parameters_take_on_a_card_what_was_measured(catalogs: Catalogs, row: Row) -> None:
    in_16_bits = 2 * (catalogs.model(row["model"]).total_params or 0)
    assert in_16_bits / BYTES_PER_GIB == pytest.approx(row["loaded_gib"], rel=0.002)


# The servers and the storage


@pytest.mark.parametrize("row", published("driver_memory.json"), ids=lambda row: row["server"])
def test_servers_have_the_memory_that_the_driver_reports(catalogs: Catalogs, row: Row) -> None:
    server = catalogs.server(row["server"])
    for field in ("gpus", "gpu", "hbm_per_gpu_gb", "hbm_per_gpu_mib"):
        assert getattr(server, field) == row[field]
    assert server.total_hbm_gb == row["gpus"] * row["hbm_per_gpu_gb"]
    usable = server.usable_hbm_per_gpu_bytes
    assert (usable is None) == ("usable_gib" not in row)
    if usable is not None:
        logged = Decimal(row["usable_gib"])
        assert (Decimal(usable) / BYTES_PER_GIB).quantize(logged) == logged
        assert 0.99 < usable / (row["hbm_per_gpu_mib"] * 2**20) < 1


def test_an_h100_has_the_memory_that_a_start_up_log_names(catalogs: Catalogs) -> None:
    log = json.loads((DATA / "vllm_logs_h100.json").read_text(encoding="utf-8"))
    (total,) = re.findall(r"mem_get_info total (\d+) bytes", log["source"])
    assert catalogs.server("dgx-h100").usable_hbm_per_gpu_bytes == int(total)


def test_every_shipped_server_is_compared() -> None:
    compared = {row["server"] for row in published("driver_memory.json")}
    assert {entry["name"] for entry in SERVERS} == compared


def test_the_driver_s_figure_is_used_where_it_is_known(catalogs: Catalogs) -> None:
    # 2,418,278,400 bytes a session; 614 sessions by the driver's MiB, 613 by decimal GB.
    session = 2_418_278_400 / 2**30
    assert calc_sessions_per_node(catalogs.server("dgx-b300"), session, 0.70, 120) == 614
    # 8 * 288 * 10^9 * 0.7 = 1,612,800,000,000; less 128,849,018,880; 613.63 sessions
    assert calc_sessions_per_node(catalogs.server("8x-mi355x"), session, 0.70, 120) == 613


def test_storage_profiles_are_of_at_least_six_types(catalogs: Catalogs) -> None:
    assert len({profile.type for profile in catalogs.profiles}) >= 6


def test_storage_figures_are_ordered_as_they_are_in_life(catalogs: Catalogs) -> None:
    for profile in catalogs.profiles:
        assert profile.latency_read_ms_p50 <= profile.latency_read_ms_p99
        assert profile.latency_write_ms_p50 <= profile.latency_write_ms_p99


# Sources


@pytest.mark.parametrize("name", [entry["name"] for entry in (*MODELS, *SERVERS, *PROFILES)])
def test_every_figure_has_a_source(catalogs: Catalogs, name: str) -> None:
    (entry,) = catalogs.named(name)
    assert unsourced_figures(entry) == ()
    assert set(entry.sources) <= {*figures(entry), "*"}
    assert all(text.strip() for text in entry.sources.values())


@pytest.mark.parametrize("entry", MODELS, ids=lambda entry: entry["name"])
def test_what_no_config_says_has_a_source_of_its_own(entry: Row) -> None:
    said_elsewhere = {"default_kv_precision", "total_params", "weight_bytes", "unquantized_params"}
    assert said_elsewhere & set(entry) <= set(entry["sources"])
    assert entry["sources"]["default_kv_precision"].startswith("choice of this catalog: ")
    assert entry["sources"].get("weight_bytes", "").count("https://") <= 1


def test_no_shipped_entry_is_alerted_as_unsourced(catalogs: Catalogs) -> None:
    triples = [
        *((model, catalogs.servers[0], catalogs.profiles[0]) for model in catalogs.models),
        *((catalogs.models[0], server, catalogs.profiles[0]) for server in catalogs.servers),
        *((catalogs.models[0], catalogs.servers[0], each) for each in catalogs.profiles),
    ]
    for model, server, storage in triples:
        result = size(model, server, storage, concurrency=1, effective_context=1)
        assert "CATALOG_UNSOURCED" not in [alert.code for alert in result.alerts]
