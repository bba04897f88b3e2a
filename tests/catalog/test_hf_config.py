"""Published config.json files become catalog entries, or are refused by the deciding field."""

import json
import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields, replace
from functools import reduce
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.saying import in_portuguese
from xlsizing.catalog.files import MODELS
from xlsizing.catalog.hf_config import (
    entry_json,
    import_config,
    read_config,
)
from xlsizing.catalog.validation import entry_adapter
from xlsizing.core import Model, SizingError
from xlsizing.core.entries import unsourced_figures
from xlsizing.core.layers import AttentionLayers, LatentLayers, LayerGroup, StateLayers

CONFIGS = PROJECT / "tests" / "data" / "hf_configs"
FILES = sorted(path.stem for path in CONFIGS.glob("*.json"))

REFUSED: Mapping[str, tuple[str, ...]] = {
    "deepseek-ai-DeepSeek-V4-Pro": ("model_type is 'deepseek_v4'", "compress_ratios"),
    "moonshotai-Kimi-K3": ("text_config.model_type is 'kimi_linear'", "linear_attn_config"),
}
"""The files that are refused, with words of the sentence."""

IMPORTED = [name for name in FILES if name not in REFUSED]

Config = dict[str, Any]


def config_of(name: str) -> Config:
    return read_config(str(CONFIGS / f"{name}.json"))


def file_model(name: str) -> Model:
    return import_config(config_of(name), name).model


def refusal(config: Any) -> str:
    """The one sentence with which a config is refused, in less than a second."""
    start = time.perf_counter()
    with pytest.raises(SizingError) as raised:
        import_config(config, "m")
    assert time.perf_counter() - start < 1
    sentence = str(raised.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 500
    in_portuguese(sentence)
    return sentence


LLAMA: Config = {
    "model_type": "llama",
    "num_hidden_layers": 4,
    "hidden_size": 1024,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
}
"""A small config that is imported; tests change it."""


def changed(config: Mapping[str, Any], **changes: Any) -> Config:
    """A config with fields changed; left out where the change is ..."""
    merged = {**config, **changes}
    return {name: value for name, value in merged.items() if value is not ...}


# The published files


def test_there_are_49_published_files() -> None:
    assert len(FILES) == 49
    assert len(IMPORTED) == 47


@pytest.mark.parametrize("name", FILES)
def test_each_published_file_is_imported_or_refused_by_its_deciding_field(name: str) -> None:
    if name in REFUSED:
        sentence = refusal(config_of(name))
        assert all(words in sentence for words in REFUSED[name])
    else:
        assert import_config(config_of(name), name).model.name == name


# What the tensors and the planner do not show of these (tests/core/test_*_rows.py compare the
# others): the plain form of an entry, and files that have no row.
PLAIN: Mapping[str, tuple[Any, ...]] = {
    "meta-llama-Meta-Llama-3.1-8B": ("full", 32, 8, 128, None, None, None, 131072, 32),
    "openai-gpt-oss-120b": ("hybrid", 36, 8, 64, 18, 18, 128, 131072, 64),
    "google-gemma-3-27b-it": ("hybrid", 62, 16, 128, 10, 52, 1024, 131072, 32),
    "google-gemma-2-27b-it": ("hybrid", 46, 16, 128, 23, 23, 4096, 8192, 32),
    "CohereForAI-c4ai-command-r7b-12-2024": ("hybrid", 32, 8, 128, 8, 24, 4096, 16384, 32),
    "bigcode-starcoder2-7b": ("sliding", 32, 4, 128, None, None, 4096, 16384, 36),
    "microsoft-Phi-3.5-mini-instruct": ("sliding", 32, 32, 96, None, None, 262144, 131072, 32),
    "Qwen-Qwen2.5-3B-Instruct": ("full", 36, 2, 128, None, None, None, 32768, 16),
    "XiaomiMiMo-MiMo-7B-Base": ("full", 36, 8, 128, None, None, None, 32768, 32),
    "mistralai-Ministral-3-3B-2512": ("full", 26, 8, 128, None, None, None, 262144, 32),
    "zai-org-GLM-4.5-Air": ("full", 46, 8, 128, None, None, None, 131072, 96),
}


@pytest.mark.parametrize("name", PLAIN)
def test_models_of_one_geometry_have_the_plain_fields(name: str) -> None:
    model = file_model(name)
    assert model.layer_groups == ()
    assert PLAIN[name] == (
        model.attention_pattern,
        model.num_layers,
        model.num_key_value_heads,
        model.head_dim,
        model.hybrid_full_layers,
        model.hybrid_sliding_layers,
        model.sliding_window,
        model.max_position_embeddings,
        model.num_attention_heads,
    )


GROUPED: Mapping[str, tuple[LayerGroup, ...]] = {
    # 31 of 80 layers have no attention; 64 attention heads in groups of 8.
    "nvidia-Llama-3-3-Nemotron-Super-49B-v1": (AttentionLayers("full", 49, 8, 128, 128),),
    "XiaomiMiMo-MiMo-V2-Flash": (
        AttentionLayers("full", 9, 4, 192, 128),
        AttentionLayers("sliding", 39, 8, 192, 128, 128, 128),
    ),
    "google-gemma-4-26B-A4B": (
        AttentionLayers("sliding", 25, 8, 256, 256, 1024),
        AttentionLayers("full", 5, 2, 512, 512),
    ),
    "meta-llama-Llama-4-Scout-17B-16E-Instruct": (
        AttentionLayers("chunked", 36, 8, 128, 128, 8192),
        AttentionLayers("full", 12, 8, 128, 128),
    ),
    "zai-org-GLM-5.2": (LatentLayers("latent", 78, 512, 64, 21, 128),),
    "deepseek-ai-DeepSeek-V3": (LatentLayers("latent", 61, 512, 64),),
    "tiiuae-Falcon-H1-34B-Instruct": (
        AttentionLayers("full", 72, 4, 128, 128),
        StateLayers("state", 72, "mamba2", 4, 32, 128, 256, 2, "bfloat16"),
    ),
    "tiiuae-Falcon3-Mamba-7B-Base": (StateLayers("state", 64, "mamba", 4, 8192, 1, 16),),
    "nvidia-Nemotron-H-56B-Base-8K": (
        StateLayers("state", 54, "mamba2", 4, 256, 64, 256, 8, "float32"),
        AttentionLayers("full", 10, 8, 128, 128),
    ),
    "Qwen-Qwen3.5-35B-A3B": (
        StateLayers("state", 30, "gated_delta_net", 4, 32, 128, 128, 16, "float32"),
        AttentionLayers("full", 10, 2, 256, 256),
    ),
    "Qwen-Qwen3-Next-80B-A3B-Instruct": (
        StateLayers("state", 36, "gated_delta_net", 4, 32, 128, 128, 16, "bfloat16"),
        AttentionLayers("full", 12, 2, 256, 256),
    ),
}


@pytest.mark.parametrize("name", GROUPED)
def test_other_models_have_layer_groups_in_the_order_of_the_stack(name: str) -> None:
    model = file_model(name)
    assert model.attention_pattern == "grouped"
    assert model.layer_groups == GROUPED[name]


def test_heads_stand_beside_layer_groups_where_all_attention_layers_agree() -> None:
    model = file_model("tiiuae-Falcon-H1-34B-Instruct")
    assert (model.num_key_value_heads, model.head_dim) == (4, 128)
    for name in ("google-gemma-4-26B-A4B", "XiaomiMiMo-MiMo-V2-Flash", "zai-org-GLM-5"):
        assert (file_model(name).num_key_value_heads, file_model(name).head_dim) == (None, None)
    assert file_model("zai-org-GLM-5").num_attention_heads == 64
    assert file_model("tiiuae-Falcon3-Mamba-7B-Base").num_attention_heads is None


def test_a_model_without_a_longest_context_gets_one_with_a_note() -> None:
    imported = import_config(config_of("tiiuae-Falcon3-Mamba-7B-Base"), "m")
    assert imported.model.max_position_embeddings == 1_048_576
    assert "1048576" in imported.model.notes
    readings = {reading.field: reading.source for reading in imported.readings}
    assert readings["max_position_embeddings"] == "not limited by the config"


def test_importing_changes_nothing_and_reads_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    configs = {name: config_of(name) for name in IMPORTED}
    before = deepcopy(configs)

    def no_files(*_: object, **__: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr("builtins.open", no_files)
    for name, config in configs.items():
        import_config(config, name)
    assert configs == before


# Readings and sources


def at(config: Config, path: str) -> Any:
    """The value at a path such as text_config.num_hidden_layers."""
    return reduce(lambda value, name: value[name], path.split("."), config)


@pytest.mark.parametrize("name", IMPORTED)
def test_a_reading_says_where_its_value_stands(name: str) -> None:
    config = config_of(name)
    imported = import_config(config, name)
    checked = 0
    for reading in imported.readings:
        exact = reading.source.replace(".", "").replace("_", "").isalnum()
        if exact and isinstance(reading.value, int) and not reading.field.startswith("hybrid"):
            if reading.field.endswith("indexer_layers"):
                assert at(config, reading.source).count("full") == reading.value
            else:
                assert at(config, reading.source) == reading.value
            checked += 1
        assert not hasattr(imported.model, reading.field) or reading.value == getattr(
            imported.model, reading.field
        )
    assert checked >= 3
    assert len(set(imported.readings)) == len(imported.readings)
    order = [each.name for each in fields(Model)]
    places = [order.index(reading.field.split(".")[0]) for reading in imported.readings]
    assert places == sorted(places)
    grouped = any(reading.field.startswith("layer_groups.") for reading in imported.readings)
    assert grouped == bool(imported.model.layer_groups)


@pytest.mark.parametrize("name", IMPORTED)
def test_an_entry_is_valid_says_all_that_differs_and_sources_every_figure(name: str) -> None:
    imported = import_config(config_of(name), name)
    entry = json.loads(json.dumps(entry_json(imported)))
    read = entry_adapter(MODELS).validate_json(json.dumps(entry))
    assert isinstance(read, Model)
    assert replace(read, sources={}) == imported.model
    assert unsourced_figures(read) == ()
    order = [each.name for each in fields(Model)]
    assert [order.index(field) for field in entry] == sorted(order.index(field) for field in entry)
    defaults: tuple[object, ...] = (None, "", [], {})
    assert not [field for field, value in entry.items() if value in defaults]
    assert not [group for group in entry.get("layer_groups", ()) if None in group.values()]
    assert entry.get("default_kv_precision") != "bf16"
    for source in entry["sources"].values():
        words = source.removesuffix(" of the published config.json").split(", ")
        assert len(words) == len(set(words))


def test_sources_tell_fields_of_the_config_from_defaults_and_choices() -> None:
    entry = entry_json(import_config(config_of("google-gemma-2-27b-it"), "m"))
    assert entry["sources"]["num_layers"] == "num_hidden_layers of the published config.json"
    assert entry["sources"]["attention_pattern"] == (
        "default of Gemma2Config in transformers: one layer of 2 full, the others sliding"
    )
    assert entry["sources"]["default_kv_precision"].startswith("choice of this catalog: ")
    entry = entry_json(import_config(config_of("tiiuae-Falcon3-Mamba-7B-Base"), "m"))
    assert entry["sources"]["max_position_embeddings"] == "not limited by the config"
    assert "expand * hidden_size" in entry["sources"]["layer_groups"]
    entry = entry_json(import_config(config_of("meta-llama-Llama-4-Scout-17B-16E-Instruct"), "m"))
    assert entry["sources"]["attention_pattern"] == (
        "default of Llama4TextConfig in transformers: no_rope_layer_interval 4"
    )


# Models that are not among the files, with what their published configs make of them

FULL, SLIDING = "full", "sliding"


def attention(
    kind: Any, layers: int, heads: int, dim: int, window: int | None = None
) -> AttentionLayers:
    return AttentionLayers(kind, layers, heads, dim, dim, window)


OTHERS: Mapping[str, tuple[Config, tuple[LayerGroup, ...]]] = {
    "Llama-2-7b, from before num_key_value_heads": (
        {
            "model_type": "llama",
            "hidden_size": 4096,
            "num_attention_heads": 32,
            "num_hidden_layers": 32,
            "max_position_embeddings": 4096,
        },
        (attention(FULL, 32, 32, 128),),
    ),
    "Mistral-7B-v0.1": (
        {
            "model_type": "mistral",
            "hidden_size": 4096,
            "num_attention_heads": 32,
            "num_hidden_layers": 32,
            "num_key_value_heads": 8,
            "max_position_embeddings": 32768,
            "sliding_window": 4096,
        },
        (attention(SLIDING, 32, 8, 128, 4096),),
    ),
    "gemma-3-4b-it, whose text_config leaves most to the class": (
        {
            "architectures": ["Gemma3ForConditionalGeneration"],
            "model_type": "gemma3",
            "text_config": {
                "hidden_size": 2560,
                "intermediate_size": 10240,
                "model_type": "gemma3_text",
                "num_hidden_layers": 34,
                "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
                "sliding_window": 1024,
            },
            "torch_dtype": "bfloat16",
        },
        (attention(SLIDING, 29, 4, 256, 1024), attention(FULL, 5, 4, 256)),
    ),
    "gemma-3n-E4B, whose last 15 layers share what earlier ones hold": (
        {
            "model_type": "gemma3n",
            "text_config": {
                "model_type": "gemma3n_text",
                "head_dim": 256,
                "hidden_size": 2048,
                "layer_types": [*["sliding_attention"] * 4, "full_attention"] * 7,
                "max_position_embeddings": 32768,
                "num_attention_heads": 8,
                "num_hidden_layers": 35,
                "num_key_value_heads": 2,
                "num_kv_shared_layers": 15,
                "sliding_window": 512,
            },
        },
        (attention(SLIDING, 16, 2, 256, 512), attention(FULL, 4, 2, 256)),
    ),
    "paligemma2-3b": (
        {
            "model_type": "paligemma",
            "text_config": {
                "hidden_size": 2304,
                "model_type": "gemma2",
                "num_hidden_layers": 26,
                "num_key_value_heads": 4,
                "sliding_window": 4096,
            },
        },
        (attention(SLIDING, 13, 4, 256, 4096), attention(FULL, 13, 4, 256)),
    ),
    "pixtral-12b": (
        {
            "model_type": "llava",
            "text_config": {
                "head_dim": 128,
                "hidden_size": 5120,
                "max_position_embeddings": 1024000,
                "model_type": "mistral",
                "num_hidden_layers": 40,
                "num_key_value_heads": 8,
                "sliding_window": None,
            },
        },
        (attention(FULL, 40, 8, 128),),
    ),
    "llava-1.5-7b, whose text_config leaves all sizes to the class": (
        {
            "model_type": "llava",
            "text_config": {
                "architectures": ["LlamaForCausalLM"],
                "max_position_embeddings": 4096,
                "model_type": "llama",
                "vocab_size": 32064,
            },
        },
        (attention(FULL, 32, 32, 128),),
    ),
    "Qwen2.5-VL-7B, with its fields beside the vision's": (
        {
            "model_type": "qwen2_5_vl",
            "hidden_size": 3584,
            "max_position_embeddings": 128000,
            "max_window_layers": 28,
            "num_attention_heads": 28,
            "num_hidden_layers": 28,
            "num_key_value_heads": 4,
            "sliding_window": 32768,
            "use_sliding_window": False,
            "vision_config": {"depth": 32},
        },
        (attention(FULL, 28, 4, 128),),
    ),
    "Qwen2.5-Omni, two configs deep": (
        {
            "model_type": "qwen2_5_omni",
            "thinker_config": {
                "model_type": "qwen2_5_omni_thinker",
                "text_config": {
                    "model_type": "qwen2_5_omni_text",
                    "hidden_size": 3584,
                    "max_position_embeddings": 32768,
                    "num_attention_heads": 28,
                    "num_hidden_layers": 28,
                    "num_key_value_heads": 4,
                    "use_sliding_window": False,
                },
            },
        },
        (attention(FULL, 28, 4, 128),),
    ),
    "InternVL2-8B, in llm_config": (
        {
            "model_type": "internvl_chat",
            "llm_config": {
                "model_type": "internlm2",
                "hidden_size": 4096,
                "max_position_embeddings": 32768,
                "num_attention_heads": 32,
                "num_hidden_layers": 32,
                "num_key_value_heads": 8,
            },
        },
        (attention(FULL, 32, 8, 128),),
    ),
    "deepseek-vl2, in language_config": (
        {
            "model_type": "deepseek_vl_v2",
            "language_config": {
                "model_type": "deepseek_v2",
                "hidden_size": 2560,
                "kv_lora_rank": 512,
                "max_position_embeddings": 4096,
                "num_attention_heads": 32,
                "num_hidden_layers": 30,
                "qk_rope_head_dim": 64,
            },
        },
        (LatentLayers("latent", 30, 512, 64),),
    ),
    "phi-2": (
        {
            "model_type": "phi",
            "hidden_size": 2560,
            "max_position_embeddings": 2048,
            "num_attention_heads": 32,
            "num_hidden_layers": 32,
            "num_key_value_heads": None,
        },
        (attention(FULL, 32, 32, 80),),
    ),
    "EXAONE-3.5-2.4B": (
        {
            "model_type": "exaone",
            "head_dim": 80,
            "hidden_size": 2560,
            "max_position_embeddings": 32768,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "num_layers": 30,
        },
        (attention(FULL, 30, 8, 80),),
    ),
    "EXAONE-4.0-32B, by letters": (
        {
            "model_type": "exaone4",
            "head_dim": 128,
            "hidden_size": 5120,
            "max_position_embeddings": 131072,
            "num_attention_heads": 40,
            "num_hidden_layers": 64,
            "num_key_value_heads": 8,
            "sliding_window": 4096,
            "sliding_window_pattern": "LLLG",
        },
        (attention(SLIDING, 48, 8, 128, 4096), attention(FULL, 16, 8, 128)),
    ),
    "Olmo-3-7B": (
        {
            "model_type": "olmo3",
            "hidden_size": 4096,
            "layer_types": [*["sliding_attention"] * 3, "full_attention"] * 8,
            "max_position_embeddings": 65536,
            "num_attention_heads": 32,
            "num_hidden_layers": 32,
            "num_key_value_heads": 32,
            "sliding_window": 4096,
        },
        (attention(SLIDING, 24, 32, 128, 4096), attention(FULL, 8, 32, 128)),
    ),
    "SmolLM3-3B": (
        {
            "model_type": "smollm3",
            "hidden_size": 2048,
            "layer_types": ["full_attention"] * 36,
            "max_position_embeddings": 65536,
            "no_rope_layers": [1, 1, 1, 0] * 9,
            "num_attention_heads": 16,
            "num_hidden_layers": 36,
            "num_key_value_heads": 4,
            "sliding_window": None,
            "use_sliding_window": False,
        },
        (attention(FULL, 36, 4, 128),),
    ),
    "gpt2": (
        {
            "model_type": "gpt2",
            "n_ctx": 1024,
            "n_embd": 768,
            "n_head": 12,
            "n_layer": 12,
            "n_positions": 1024,
        },
        (attention(FULL, 12, 12, 64),),
    ),
    "starcoder, with one KV head": (
        {
            "model_type": "gpt_bigcode",
            "multi_query": True,
            "n_embd": 6144,
            "n_head": 48,
            "n_layer": 40,
            "n_positions": 8192,
        },
        (attention(FULL, 40, 1, 128),),
    ),
    "bloom": (
        {
            "model_type": "bloom",
            "n_embed": 14336,
            "n_layer": 70,
            "num_attention_heads": 112,
            "seq_length": 2048,
        },
        (attention(FULL, 70, 112, 128),),
    ),
    "GLM-4.7-Flash": (
        {
            "model_type": "glm4_moe_lite",
            "hidden_size": 2048,
            "kv_lora_rank": 512,
            "max_position_embeddings": 202752,
            "num_attention_heads": 20,
            "num_hidden_layers": 47,
            "num_key_value_heads": 20,
            "num_nextn_predict_layers": 1,
            "qk_rope_head_dim": 64,
        },
        (LatentLayers("latent", 47, 512, 64),),
    ),
    "Bamba-9B": (
        {
            "model_type": "bamba",
            "attn_layer_indices": [9, 18, 27],
            "hidden_size": 4096,
            "mamba_d_conv": 4,
            "mamba_d_head": "auto",
            "mamba_d_state": 128,
            "mamba_expand": 2,
            "mamba_n_groups": 1,
            "mamba_n_heads": 128,
            "max_position_embeddings": 262144,
            "num_attention_heads": 32,
            "num_hidden_layers": 32,
            "num_key_value_heads": 8,
        },
        (
            StateLayers("state", 29, "mamba2", 4, 128, 64, 128, 1),
            attention(FULL, 3, 8, 128),
        ),
    ),
    "Mamba-Codestral-7B": (
        {
            "model_type": "mamba2",
            "conv_kernel": 4,
            "expand": 2,
            "head_dim": 64,
            "hidden_size": 4096,
            "n_groups": 8,
            "num_heads": 128,
            "num_hidden_layers": 64,
            "state_size": 128,
            "torch_dtype": "bfloat16",
        },
        (StateLayers("state", 64, "mamba2", 4, 128, 64, 128, 8),),
    ),
    "mamba-2.8b in float16": (
        {
            "model_type": "mamba",
            "conv_kernel": 4,
            "expand": 2,
            "hidden_size": 2560,
            "intermediate_size": 5120,
            "num_hidden_layers": 64,
            "state_size": 16,
            "torch_dtype": "float16",
        },
        (StateLayers("state", 64, "mamba", 4, 5120, 1, 16, recurrent_dtype="float16"),),
    ),
    "Nemotron-H by a list, with the other names of its fields": (
        {
            "model_type": "nemotron_h",
            "hidden_size": 1024,
            "layers_block_type": ["mamba", "moe", "attention", "mlp"],
            "mamba_d_conv": 4,
            "mamba_head_dim": 64,
            "mamba_n_groups": 8,
            "mamba_num_heads": 32,
            "attention_head_dim": 128,
            "max_position_embeddings": 8192,
            "num_attention_heads": 16,
            "num_hidden_layers": 4,
            "num_key_value_heads": 2,
            "ssm_state_size": 128,
        },
        (
            StateLayers("state", 1, "mamba2", 4, 32, 64, 128, 8, "float32"),
            attention(FULL, 1, 2, 128),
        ),
    ),
    "granite-4.0-micro, all of whose layers are attention": (
        {
            "model_type": "granitemoehybrid",
            "hidden_size": 2560,
            "layer_types": ["attention"] * 40,
            "max_position_embeddings": 131072,
            "num_attention_heads": 40,
            "num_hidden_layers": 40,
            "num_key_value_heads": 8,
        },
        (attention(FULL, 40, 8, 64),),
    ),
}


def groups_of(model: Model) -> tuple[LayerGroup, ...]:
    """The layer groups that an entry stands for, told from its fields."""
    if model.layer_groups:
        return model.layer_groups
    heads, dim = model.num_key_value_heads or 0, model.head_dim or 0
    if model.attention_pattern == "hybrid":
        return (
            attention(SLIDING, model.hybrid_sliding_layers or 0, heads, dim, model.sliding_window),
            attention(FULL, model.hybrid_full_layers or 0, heads, dim),
        )
    return (attention(model.attention_pattern, model.num_layers, heads, dim, model.sliding_window),)


@pytest.mark.parametrize("name", OTHERS)
def test_models_that_are_not_among_the_files(name: str) -> None:
    config, expected = OTHERS[name]
    imported = import_config(config, "m")
    assert groups_of(imported.model) == expected
    sources = entry_json(imported)["sources"]
    assert unsourced_figures(replace(imported.model, sources=sources)) == ()


def test_a_nested_config_takes_the_sizes_of_its_class_and_says_so() -> None:
    config, _ = OTHERS["gemma-3-4b-it, whose text_config leaves most to the class"]
    imported = import_config(config, "m")
    assert imported.model.num_attention_heads == 8
    assert imported.model.max_position_embeddings == 131072
    assert imported.model.weight_precision == "bf16"
    sources = {reading.field: reading.source for reading in imported.readings}
    assert sources["num_key_value_heads"] == (
        "default of Gemma3TextConfig in transformers: num_key_value_heads 4"
    )
    assert sources["num_layers"] == "text_config.num_hidden_layers"
    assert sources["weight_precision"] == "torch_dtype"


def test_a_config_that_is_not_nested_has_to_give_its_sizes() -> None:
    text: Config = OTHERS["gemma-3-4b-it, whose text_config leaves most to the class"][0][
        "text_config"
    ]
    assert refusal(text).startswith("num_key_value_heads is missing; it must be a whole number")


# Which layers have a window


def kinds(config: Config) -> tuple[str, int | None, int | None, int | None]:
    model = import_config(config, "m").model
    return (
        model.attention_pattern,
        model.hybrid_full_layers,
        model.hybrid_sliding_layers,
        model.sliding_window,
    )


WINDOWED = changed(LLAMA, sliding_window=128)
ALL_FULL = ("full", None, None, None)
ALL_SLIDING = ("sliding", None, None, 128)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (changed(WINDOWED, model_type="mistral"), ALL_SLIDING),
        (changed(WINDOWED, model_type="mistral", sliding_window=None), ALL_FULL),
        (changed(WINDOWED, model_type="mixtral"), ALL_SLIDING),
        (changed(LLAMA, model_type="mixtral"), ALL_FULL),
        (changed(LLAMA, model_type="mistral"), ("sliding", None, None, 4096)),
        (changed(WINDOWED, model_type="phi3", use_sliding_window=False), ALL_FULL),
        (changed(WINDOWED, model_type="llama", use_sliding_window=False), ALL_FULL),
        (changed(WINDOWED, model_type="qwen2"), ALL_FULL),
        (changed(WINDOWED, model_type="qwen2", use_sliding_window=False), ALL_FULL),
        (
            changed(WINDOWED, model_type="qwen2", use_sliding_window=True, max_window_layers=3),
            ("hybrid", 3, 1, 128),
        ),
        (
            changed(WINDOWED, model_type="qwen3", use_sliding_window=True, max_window_layers=0),
            ALL_SLIDING,
        ),
        (changed(WINDOWED, model_type="qwen3", use_sliding_window=True), ALL_FULL),
        (changed(LLAMA, model_type="dots1"), ALL_FULL),
        (changed(LLAMA, model_type="dots1", max_window_layers=2), ("hybrid", 2, 2, 4096)),
        (changed(WINDOWED, model_type="gemma2"), ("hybrid", 2, 2, 128)),
        (changed(WINDOWED, model_type="gemma2", num_hidden_layers=3), ("hybrid", 1, 2, 128)),
        (changed(WINDOWED, model_type="gpt_oss", num_hidden_layers=5), ("hybrid", 2, 3, 128)),
        (changed(WINDOWED, model_type="cwm"), ("hybrid", 1, 3, 128)),
        (changed(WINDOWED, model_type="cwm", num_hidden_layers=5), ("hybrid", 2, 3, 128)),
        (changed(WINDOWED, model_type="cohere2", num_hidden_layers=5), ("hybrid", 1, 4, 128)),
        (changed(WINDOWED, model_type="cohere2", layer_switch=2), ("hybrid", 2, 2, 128)),
        (
            changed(WINDOWED, model_type="gemma3_text", sliding_window_pattern=3),
            ("hybrid", 1, 3, 128),
        ),
        (changed(WINDOWED, model_type="gemma3_text", sliding_window_pattern=1), ALL_FULL),
        (changed(WINDOWED, model_type="gemma3_text"), ALL_SLIDING),
        (
            changed(WINDOWED, model_type="exaone4", sliding_window_pattern="LG"),
            ("hybrid", 2, 2, 128),
        ),
        (
            changed(WINDOWED, model_type="exaone4", sliding_window_pattern="LLLLLG"),
            ("hybrid", 1, 3, 128),
        ),
        (
            changed(LLAMA, model_type="exaone4", sliding_window=None, sliding_window_pattern=None),
            ALL_FULL,
        ),
        (changed(LLAMA, layer_types=["full_attention"] * 4), ALL_FULL),
        (changed(LLAMA, layer_types=["full", "attention", "full_attention", "full"]), ALL_FULL),
        (
            changed(WINDOWED, layer_types=["sliding_attention", "full", "full", "full"]),
            ("hybrid", 3, 1, 128),
        ),
        (
            changed(WINDOWED, layer_types=["full", "full", "full", "sliding_window_attention"]),
            ("hybrid", 3, 1, 128),
        ),
        (
            changed(WINDOWED, layer_types=["sliding_attention"] * 4, use_sliding_window=False),
            ALL_FULL,
        ),
        (
            changed(WINDOWED, model_type="gemma2", layer_types=["sliding_attention"] * 4),
            ALL_SLIDING,
        ),
    ],
)
def test_windows_follow_the_rule_of_the_class(
    config: Config, expected: tuple[str, int | None, int | None, int | None]
) -> None:
    assert kinds(config) == expected


LLAMA4 = changed(LLAMA, model_type="llama4_text", attention_chunk_size=64)


def test_llama_4_may_have_no_chunks_at_all() -> None:
    assert kinds(changed(LLAMA4, layer_types=["full_attention"] * 4)) == ALL_FULL


@pytest.mark.parametrize(
    ("config", "full"),
    [
        (LLAMA4, 1),
        (changed(LLAMA4, no_rope_layers=[]), 1),
        (changed(LLAMA4, no_rope_layers=[1, 0, 0, 0]), 3),
        (changed(LLAMA4, no_rope_layer_interval=2), 2),
        (changed(LLAMA4, layer_types=["chunked_attention", *["full_attention"] * 3]), 3),
    ],
)
def test_llama_4_is_full_where_it_has_no_rope(config: Config, full: int) -> None:
    groups = import_config(config, "m").model.layer_groups
    assert set(groups) == {
        attention("chunked", 4 - full, 2, 128, 64),
        attention("full", full, 2, 128),
    }


GEMMA4 = changed(
    LLAMA,
    model_type="gemma4_text",
    head_dim=256,
    sliding_window=64,
    global_head_dim=512,
    num_global_key_value_heads=1,
)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            changed(GEMMA4, attention_k_eq_v=True),
            (attention(SLIDING, 3, 2, 256, 64), attention(FULL, 1, 1, 512)),
        ),
        (
            changed(GEMMA4, attention_k_eq_v=False),
            (attention(SLIDING, 3, 2, 256, 64), attention(FULL, 1, 2, 512)),
        ),
        (
            changed(
                GEMMA4,
                num_hidden_layers=8,
                layer_types=["sliding_attention", "full_attention"] * 4,
                num_kv_shared_layers=4,
            ),
            (attention(SLIDING, 2, 2, 256, 64), attention(FULL, 2, 2, 512)),
        ),
        (
            changed(GEMMA4, num_hidden_layers=7),
            (attention(SLIDING, 5, 2, 256, 64), attention(FULL, 2, 2, 512)),
        ),
    ],
)
def test_gemma_4_has_full_layers_of_their_own_geometry(
    config: Config, expected: tuple[LayerGroup, ...]
) -> None:
    assert import_config(config, "m").model.layer_groups == expected


JAMBA = config_of("ai21labs-Jamba-v0.1")


@pytest.mark.parametrize(
    ("changes", "full"),
    [
        ({}, 4),
        ({"attn_layer_period": 16}, 2),
        ({"attn_layer_offset": 0, "num_hidden_layers": 33}, 5),
        ({"attn_layer_offset": 7, "num_hidden_layers": 31}, 3),
        ({"layers_block_type": ["attention", *["mamba"] * 31]}, 1),
        ({"layer_types": ["full_attention", *["linear_attention"] * 31]}, 1),
    ],
)
def test_jamba_has_attention_by_period_and_offset(changes: Config, full: int) -> None:
    model = import_config({**JAMBA, **changes}, "m").model
    by_kind = {group.kind: group.layers for group in model.layer_groups}
    assert by_kind == {"full": full, "state": model.num_layers - full}


def test_qwen3_next_has_attention_by_its_interval() -> None:
    config = changed(
        config_of("Qwen-Qwen3-Next-80B-A3B-Instruct"), layer_types=..., full_attention_interval=3
    )
    by_kind = {group.kind: group.layers for group in import_config(config, "m").model.layer_groups}
    assert by_kind == {"full": 16, "state": 32}
    model = import_config(changed(config, full_attention_interval=...), "m").model
    assert {group.kind: group.layers for group in model.layer_groups} == {"full": 12, "state": 36}
    model = import_config(changed(config, num_hidden_layers=47), "m").model
    assert {group.kind: group.layers for group in model.layer_groups} == {"full": 15, "state": 32}


def test_the_heads_of_a_delta_net_are_those_of_its_values() -> None:
    config = changed(
        config_of("Qwen-Qwen3-Next-80B-A3B-Instruct"),
        linear_conv_kernel_dim=3,
        linear_key_head_dim=16,
        linear_num_key_heads=4,
        linear_num_value_heads=8,
        linear_value_head_dim=32,
    )
    state, _ = import_config(config, "m").model.layer_groups
    assert state == StateLayers("state", 36, "gated_delta_net", 3, 8, 32, 16, 4)


@pytest.mark.parametrize(
    ("changes", "heads"),
    [
        ({"swa_num_key_value_heads": 4, "v_head_dim": 192, "swa_v_head_dim": 192}, (4, 192)),
        ({"swa_num_key_value_heads": 4}, (None, None)),
        ({"v_head_dim": 192, "swa_v_head_dim": 192}, (None, None)),
    ],
)
def test_mimo_v2_keeps_its_groups_and_has_heads_where_they_agree(
    changes: Config, heads: tuple[int | None, int | None]
) -> None:
    imported = import_config({**MIMO, **changes}, "m")
    assert imported.model.attention_pattern == "grouped"
    assert (imported.model.num_key_value_heads, imported.model.head_dim) == heads
    sliding = imported.model.layer_groups[1]
    assert isinstance(sliding, AttentionLayers)
    assert sliding.transformers_window == 128
    sources = entry_json(imported)["sources"]
    assert unsourced_figures(replace(imported.model, sources=sources)) == ()


def test_mimo_v2_without_sliding_window_size_keeps_a_window_as_others_do() -> None:
    config = changed(MIMO, sliding_window_size=..., swa_num_key_value_heads=4)
    sliding = import_config(config, "m").model.layer_groups[1]
    assert sliding == AttentionLayers("sliding", 39, 4, 192, 128, 128)


GLM = config_of("zai-org-GLM-5.2")


@pytest.mark.parametrize(
    ("changes", "indexers"),
    [
        ({}, 21),
        ({"indexer_types": ...}, 21),
        ({"indexer_types": ..., "index_skip_topk_offset": ..., "num_hidden_layers": 77}, 20),
        ({"indexer_types": ..., "index_topk_freq": ...}, 78),
        ({"indexer_types": ..., "index_topk_freq": ..., "index_topk_pattern": "FSSFSS" * 13}, 26),
        ({"indexer_types": ["full", *["shared"] * 77]}, 1),
        ({"indexer_types": ["shared"] * 78}, 0),
        ({"indexer_types": ..., "index_topk": None, "index_head_dim": None}, 0),
        ({"layer_types": ["deepseek_sparse_attention"] * 78}, 21),
    ],
)
def test_indexers_are_counted_where_they_are_full(changes: Config, indexers: int) -> None:
    config = changed(GLM, **changes)
    (group,) = import_config(config, "m").model.layer_groups
    assert isinstance(group, LatentLayers)
    assert (group.layers, group.indexer_layers) == (config["num_hidden_layers"], indexers)


NEMOTRON_NAS = config_of("nvidia-Llama-3-3-Nemotron-Super-49B-v1")


def test_blocks_may_differ_in_their_kv_heads() -> None:
    config = deepcopy(NEMOTRON_NAS)
    config["block_configs"][0]["attention"]["n_heads_in_group"] = 16
    config["block_configs"][1]["attention"]["replace_with_linear"] = True
    imported = import_config(config, "m")
    model = imported.model
    assert model.num_layers == 80
    assert model.layer_groups == (attention(FULL, 1, 4, 128), attention(FULL, 47, 8, 128))
    assert model.num_key_value_heads is None
    assert entry_json(imported)["sources"]["layer_groups"].count("n_heads_in_group") == 1


# Precision


@pytest.mark.parametrize(
    ("changes", "weights", "kv"),
    [
        ({}, None, "bf16"),
        ({"torch_dtype": "bfloat16"}, "bf16", "bf16"),
        ({"dtype": "float16"}, "fp16", "bf16"),
        ({"torch_dtype": "float32"}, None, "bf16"),
        ({"quantization_config": None, "dtype": "bfloat16"}, "bf16", "bf16"),
        ({"quantization_config": {"quant_method": "fp8"}}, "fp8", "fp8"),
        ({"quantization_config": {"quant_method": "fbgemm_fp8"}}, "fp8", "fp8"),
        ({"quantization_config": {"quant_method": "mxfp4"}}, "mxfp4", "fp8"),
        ({"quantization_config": {"quant_method": "awq", "bits": 4}}, None, "fp8"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 8}}, None, "fp8"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 16}}, None, "bf16"),
        ({"quantization_config": {"quant_method": "bitnet"}}, None, "fp8"),
        ({"quantization_config": {"quant_method": "another"}}, None, "bf16"),
        ({"quantization_config": {"quant_method": 8, "bits": "4"}}, None, "bf16"),
        ({"quantization_config": {"quant_method": "another", "bits": True}}, None, "bf16"),
        ({"quantization_config": {}}, None, "bf16"),
        (
            {"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}},
            "nvfp4",
            "fp8",
        ),
        ({"quantization_config": {"quant_method": "modelopt", "quant_algo": "FP8"}}, "fp8", "fp8"),
        (
            {"quantization_config": {"producer": {}, "quantization": {"quant_algo": "FP8"}}},
            "fp8",
            "fp8",
        ),
        (
            {
                "quantization_config": {
                    "quant_method": "compressed-tensors",
                    "format": "float-quantized",
                    "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}},
                }
            },
            "fp8",
            "fp8",
        ),
        (
            {
                "quantization_config": {
                    "quant_method": "compressed-tensors",
                    "format": "pack-quantized",
                    "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int"}}},
                }
            },
            None,
            "fp8",
        ),
        (
            {
                "quantization_config": {
                    "quant_method": "compressed_tensors",
                    "format": "nvfp4-pack-quantized",
                    "config_groups": {"group_0": {"weights": {"num_bits": 4}}},
                }
            },
            "nvfp4",
            "fp8",
        ),
        (
            {"quantization_config": {"quant_method": "compressed-tensors", "config_groups": []}},
            None,
            "bf16",
        ),
        (
            {
                "compression_config": {
                    "quant_method": "compressed-tensors",
                    "format": "int-quantized",
                    "config_groups": {"group_0": {"weights": {"num_bits": 8}}},
                }
            },
            "int8",
            "fp8",
        ),
    ],
)
def test_precision_is_what_the_config_says_of_the_weights(
    changes: Config, weights: str | None, kv: str
) -> None:
    model = import_config(changed(LLAMA, **changes), "m").model
    assert (model.weight_precision, model.default_kv_precision) == (weights, kv)


FP8 = changed(LLAMA, quantization_config={"quant_method": "fp8"}, vocab_size=1000)


@pytest.mark.parametrize(
    ("config", "unquantized"),
    [
        (changed(FP8, tie_word_embeddings=False), 2 * 1000 * 1024),
        (changed(FP8, tie_word_embeddings=True), 1000 * 1024),
        (FP8, None),
        (changed(FP8, vocab_size=..., tie_word_embeddings=True), None),
        (changed(FP8, quantization_config=None, dtype="bfloat16", tie_word_embeddings=True), None),
        (
            changed(FP8, quantization_config={"quant_method": "awq"}, tie_word_embeddings=True),
            None,
        ),
    ],
)
def test_embeddings_stay_in_16_bits_where_weights_have_fewer(
    config: Config, unquantized: int | None
) -> None:
    assert import_config(config, "m").model.unquantized_params == unquantized


def test_the_quantization_of_all_models_counts_for_the_text_model() -> None:
    config = {
        "model_type": "kimi_k25",
        "tie_word_embeddings": False,
        "quantization_config": {"quant_method": "fp8"},
        "text_config": changed(config_of("moonshotai-Kimi-K2-Instruct"), quantization_config=...),
    }
    model = import_config(config, "m").model
    assert (model.weight_precision, model.default_kv_precision) == ("fp8", "fp8")
    assert model.unquantized_params == 2 * 163840 * 7168


@pytest.mark.parametrize(
    ("changes", "dtype"),
    [
        ({}, "float32"),
        ({"mamba_ssm_cache_dtype": ...}, "float32"),
        ({"mamba_ssm_cache_dtype": "bfloat16"}, "bfloat16"),
        ({"mamba_ssm_cache_dtype": "auto"}, "bfloat16"),
        ({"mamba_ssm_cache_dtype": "auto", "torch_dtype": "float16"}, "float16"),
        ({"mamba_ssm_cache_dtype": "auto", "torch_dtype": "float32"}, "bfloat16"),
        ({"mamba_ssm_cache_dtype": "auto", "mamba_ssm_dtype": "float32"}, "float32"),
    ],
)
def test_the_state_is_kept_in_the_dtype_that_the_config_says(changes: Config, dtype: str) -> None:
    config = changed(config_of("nvidia-NVIDIA-Nemotron-3-Nano-30B-A3B-BF16"), **changes)
    (state,) = [
        group
        for group in import_config(config, "m").model.layer_groups
        if isinstance(group, StateLayers)
    ]
    assert state.recurrent_dtype == dtype


HYBRID = config_of("ibm-granite-granite-4.0-h-small")
MAMBA = OTHERS["mamba-2.8b in float16"][0]
MAMBA_2 = OTHERS["Mamba-Codestral-7B"][0]
BAMBA = OTHERS["Bamba-9B"][0]
NEMOTRON = config_of("nvidia-Nemotron-H-56B-Base-8K")
MIMO = config_of("XiaomiMiMo-MiMo-V2-Flash")

# Names


@pytest.mark.parametrize(
    "changes",
    [
        {"head_dim": 128},
        {"attention_head_dim": 128},
        {"head_dim": None, "attention_head_dim": 128},
        {"head_dim": 128, "attention_head_dim": 128},
        {"head_dim": None},
        {},
        {"model_type": ..., "architectures": ["LlamaForCausalLM"]},
        {"model_type": None, "architectures": ["LlamaForCausalLM"]},
    ],
)
def test_a_head_dim_of_128_under_any_name_or_none(changes: Config) -> None:
    assert import_config(changed(LLAMA, **changes), "m").model.head_dim == 128


@pytest.mark.parametrize(
    ("name", "dim"),
    [
        ("openai-gpt-oss-120b", 64),
        ("Qwen-Qwen3-0.6B", 128),
        ("MiniMaxAI-MiniMax-M2.5", 128),
        ("google-gemma-3-12b-it", 256),
        ("google-gemma-4-26B-A4B", None),
        ("meta-llama-Llama-4-Scout-17B-16E-Instruct", 128),
        ("nvidia-NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", 128),
        ("Qwen-Qwen3.5-35B-A3B", 256),
        ("Qwen-Qwen3-Next-80B-A3B-Instruct", 256),
    ],
)
def test_a_left_out_head_dim_is_that_of_the_class(name: str, dim: int | None) -> None:
    config = config_of(name)
    (config.get("text_config") or config).pop("head_dim")
    imported = import_config(config, "m")
    assert imported.model.head_dim == dim
    sources = [each.source for each in imported.readings if each.field.endswith("head_dim")]
    assert any(source.startswith("default of ") for source in sources)


@pytest.mark.parametrize(
    "name", ["n_positions", "max_seq_len", "max_sequence_length", "seq_length", "model_max_length"]
)
def test_the_longest_context_under_another_name(name: str) -> None:
    config = changed(LLAMA, max_position_embeddings=..., **{name: 2048})
    imported = import_config(config, "m")
    assert imported.model.max_position_embeddings == 2048
    assert ("max_position_embeddings", 2048, name) in imported.readings
