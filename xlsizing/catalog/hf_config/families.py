"""The configuration classes that are known, by model_type, with the rule of each.

A config whose model_type is not here is refused: what its layers hold is not guessed.

Source: the configuration classes of transformers 5.23, and those that came with models
that transformers does not have.
"""

from collections.abc import Mapping
from typing import NamedTuple

from xlsizing.catalog.hf_config.attention import (
    Rule,
    attention,
    block_configs,
    causal,
    gemma4,
    latent,
    mimo_v2,
    one_head,
)
from xlsizing.catalog.hf_config.fields import ConfigClass
from xlsizing.catalog.hf_config.stacks import (
    above_max_window_layers,
    attn_layer_indices,
    attn_layer_period,
    every,
    full_every,
    hybrid_override_pattern,
    listed_states,
    llama4,
    no_window,
    one_window,
)
from xlsizing.catalog.hf_config.states import (
    both,
    gated_delta_net,
    hybrid,
    mamba,
    mamba2,
    states_only,
)
from xlsizing.core.message import Message


class Family(NamedTuple):
    """A rule, and the class that reads a config of it."""

    rule: Rule
    config_class: ConfigClass


RELEASED = Message("that was released with the model")

FULL = attention(no_window)
WINDOW = attention(one_window)
UPPER_WINDOWS = attention(above_max_window_layers)
DELTA_NET = hybrid(full_every("full_attention_interval"), gated_delta_net)
MAMBA = states_only(mamba("", "state_size", "conv_kernel"))
MAMBA_2 = mamba2(
    "mamba_n_heads",
    "mamba_d_head",
    "mamba_n_groups",
    "mamba_d_state",
    "mamba_d_conv",
    "mamba_expand",
)

GPT_NAMES = {
    "num_hidden_layers": "n_layer",
    "num_attention_heads": "n_head",
    "hidden_size": "n_embd",
}
OFF = {"use_sliding_window": False, "sliding_window": 4096, "max_window_layers": 28}
OF_DELTA_NETS = {"full_attention_interval": 4, "head_dim": 256}


def _sizes(
    layers: int, hidden_size: int, heads: int, kv_heads: int, context: int
) -> Mapping[str, int]:
    """The sizes that a class has where a nested config leaves them out."""
    return {
        "num_hidden_layers": layers,
        "hidden_size": hidden_size,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "max_position_embeddings": context,
    }


def _plain(name: str, *, many_heads: bool = True, **defaults: object) -> Family:
    """A class whose layers are all full."""
    return Family(FULL, ConfigClass(name, defaults, many_heads=many_heads))


FULL_ATTENTION: Mapping[str, Family] = {
    "llama": Family(
        FULL,
        ConfigClass(
            "LlamaConfig",
            nested={
                "num_hidden_layers": 32,
                "hidden_size": 4096,
                "num_attention_heads": 32,
                "max_position_embeddings": 2048,
            },
            many_heads=True,
        ),
    ),
    "apertus": _plain("ApertusConfig"),
    "arcee": _plain("ArceeConfig"),
    "bitnet": _plain("BitNetConfig", many_heads=False),
    "cohere": _plain("CohereConfig"),
    "ernie4_5": _plain("Ernie4_5Config", many_heads=False, head_dim=128),
    "ernie4_5_moe": _plain("Ernie4_5_MoeConfig", many_heads=False),
    "flex_olmo": _plain("FlexOlmoConfig"),
    "gemma": Family(
        causal(FULL),
        ConfigClass(
            "GemmaConfig",
            {"head_dim": 256},
            _sizes(28, 3072, 16, 16, 8192),
        ),
    ),
    "glm": _plain("GlmConfig", many_heads=False, head_dim=128),
    "glm4": _plain("Glm4Config", many_heads=False, head_dim=128),
    "glm4_moe": _plain("Glm4MoeConfig", many_heads=False),
    "glm4v_text": _plain("Glm4vTextConfig", many_heads=False),
    "glm4v_moe_text": _plain("Glm4vMoeTextConfig", many_heads=False),
    "granite": _plain("GraniteConfig"),
    "granitemoe": _plain("GraniteMoeConfig"),
    "granitemoeshared": _plain("GraniteMoeSharedConfig"),
    "hunyuan_v1_dense": _plain("HunYuanDenseV1Config"),
    "hunyuan_v1_moe": _plain("HunYuanMoEV1Config"),
    "internlm3": _plain("InternLM3Config", many_heads=False),
    "minimax_m2": _plain("MiniMaxM2Config", many_heads=False, head_dim=128),
    "nemotron": _plain("NemotronConfig", many_heads=False),
    "olmo": _plain("OlmoConfig"),
    "olmo2": _plain("Olmo2Config"),
    "olmoe": _plain("OlmoeConfig"),
    "phi": _plain("PhiConfig"),
    "qwen2_moe": _plain("Qwen2MoeConfig", many_heads=False, use_sliding_window=False),
    "qwen3_moe": _plain("Qwen3MoeConfig", many_heads=False, use_sliding_window=False),
    "qwen3_omni_moe_text": _plain("Qwen3OmniMoeTextConfig", many_heads=False),
    "qwen3_vl_text": _plain("Qwen3VLTextConfig", many_heads=False, head_dim=128),
    "qwen3_vl_moe_text": _plain("Qwen3VLMoeTextConfig", many_heads=False),
    "seed_oss": _plain("SeedOssConfig", many_heads=False, head_dim=128),
    "smollm3": _plain("SmolLM3Config", many_heads=False, use_sliding_window=False),
    "solar_open": _plain("SolarOpenConfig", many_heads=False, head_dim=128),
    "stablelm": _plain("StableLmConfig", many_heads=False),
}
"""Models whose layers all see the whole context."""

OLDER: Mapping[str, Family] = {
    "baichuan": Family(FULL, ConfigClass("BaichuanConfig", many_heads=True, origin=RELEASED)),
    "bloom": Family(
        FULL,
        ConfigClass("BloomConfig", names={**GPT_NAMES, "hidden_size": "n_embed"}, many_heads=True),
    ),
    "exaone": Family(
        FULL,
        ConfigClass(
            "ExaoneConfig",
            names={"num_hidden_layers": "num_layers"},
            many_heads=True,
            origin=RELEASED,
        ),
    ),
    "gpt2": Family(FULL, ConfigClass("GPT2Config", names=GPT_NAMES, many_heads=True)),
    "gpt_bigcode": Family(
        one_head(FULL),
        ConfigClass("GPTBigCodeConfig", {"multi_query": True}, names=GPT_NAMES, many_heads=True),
    ),
    "gpt_neox": _plain("GPTNeoXConfig"),
    "gptj": Family(FULL, ConfigClass("GPTJConfig", names=GPT_NAMES, many_heads=True)),
    "internlm2": Family(FULL, ConfigClass("InternLM2Config", many_heads=True, origin=RELEASED)),
    "opt": _plain("OPTConfig"),
}
"""The same, of classes with names of their own or without num_key_value_heads."""

WINDOWS: Mapping[str, Family] = {
    "afmoe": Family(
        attention(every(4, "global_attn_every_n_layers")),
        ConfigClass("AfmoeConfig", {"head_dim": 128, "sliding_window": 1024}, many_heads=True),
    ),
    "cohere2": Family(
        attention(every(4, "sliding_window_pattern")),
        ConfigClass(
            "Cohere2Config",
            {"sliding_window": 4096},
            names={"sliding_window_pattern": "layer_switch"},
            many_heads=True,
        ),
    ),
    "cwm": Family(
        attention(every(4, full_first=True)),
        ConfigClass("CwmConfig", {"head_dim": 128, "sliding_window": 8192}),
    ),
    "dots1": Family(
        UPPER_WINDOWS,
        ConfigClass("Dots1Config", {"sliding_window": 4096, "max_window_layers": 62}),
    ),
    "exaone4": Family(
        attention(every(4, "sliding_window_pattern")),
        ConfigClass("Exaone4Config", {"sliding_window": 4096}),
    ),
    "exaone_moe": Family(
        attention(every(4, "sliding_window_pattern")),
        ConfigClass("ExaoneMoeConfig", {"sliding_window": 4096}),
    ),
    "gemma2": Family(
        causal(attention(every(2))),
        ConfigClass(
            "Gemma2Config",
            {"head_dim": 256, "sliding_window": 4096},
            _sizes(26, 2304, 8, 4, 8192),
        ),
    ),
    "gemma3_text": Family(
        causal(attention(every(6, "sliding_window_pattern"))),
        ConfigClass(
            "Gemma3TextConfig",
            {"head_dim": 256, "sliding_window": 4096},
            _sizes(26, 2304, 8, 4, 131_072),
        ),
    ),
    "gemma3n_text": Family(
        attention(every(5), share=True),
        ConfigClass(
            "Gemma3nTextConfig",
            {"head_dim": 256, "sliding_window": 512, "num_kv_shared_layers": 15},
            _sizes(35, 2048, 8, 2, 32_768),
        ),
    ),
    "gemma4_text": Family(
        causal(gemma4),
        ConfigClass(
            "Gemma4TextConfig",
            {"head_dim": 256, "sliding_window": 512, "global_head_dim": 512},
            _sizes(30, 2304, 8, 4, 131_072),
        ),
    ),
    "gpt_oss": Family(
        attention(every(2)), ConfigClass("GptOssConfig", {"head_dim": 64, "sliding_window": 128})
    ),
    "llama4_text": Family(
        attention(llama4),
        ConfigClass(
            "Llama4TextConfig",
            {"head_dim": 128, "attention_chunk_size": 8192, "no_rope_layer_interval": 4},
            _sizes(48, 5120, 40, 8, 131_072),
        ),
    ),
    "mimo": Family(UPPER_WINDOWS, ConfigClass("MiMoConfig", OFF, origin=RELEASED)),
    "mimo_v2_flash": Family(mimo_v2, ConfigClass("MiMoV2FlashConfig", origin=RELEASED)),
    "ministral": Family(WINDOW, ConfigClass("MinistralConfig", {"sliding_window": 4096})),
    "ministral3": Family(WINDOW, ConfigClass("Ministral3Config", {"head_dim": 128})),
    "mistral": Family(
        WINDOW,
        ConfigClass(
            "MistralConfig",
            {"sliding_window": 4096},
            _sizes(32, 4096, 32, 8, 131_072),
        ),
    ),
    "mixtral": Family(WINDOW, ConfigClass("MixtralConfig")),
    "olmo3": Family(
        attention(every(4)), ConfigClass("Olmo3Config", {"sliding_window": 4096}, many_heads=True)
    ),
    "phi3": Family(WINDOW, ConfigClass("Phi3Config", many_heads=True)),
    "phimoe": Family(WINDOW, ConfigClass("PhimoeConfig")),
    "qwen2": Family(
        UPPER_WINDOWS, ConfigClass("Qwen2Config", OFF, {"max_position_embeddings": 32_768})
    ),
    "qwen2_vl": Family(
        UPPER_WINDOWS, ConfigClass("Qwen2VLTextConfig", {**OFF, "max_window_layers": 80})
    ),
    "qwen2_5_vl": Family(
        UPPER_WINDOWS, ConfigClass("Qwen2_5_VLTextConfig", {**OFF, "max_window_layers": 80})
    ),
    "qwen2_5_omni_text": Family(
        UPPER_WINDOWS, ConfigClass("Qwen2_5OmniTextConfig", {**OFF, "sliding_window": 32_768})
    ),
    "qwen3": Family(
        UPPER_WINDOWS,
        ConfigClass("Qwen3Config", {**OFF, "head_dim": 128}, {"max_position_embeddings": 32_768}),
    ),
    "starcoder2": Family(WINDOW, ConfigClass("Starcoder2Config")),
    "vaultgemma": Family(
        attention(every(2)),
        ConfigClass("VaultGemmaConfig", {"head_dim": 256, "sliding_window": 4096}),
    ),
}
"""Models with sliding or chunked layers, or whose class allows for them."""

OTHERS: Mapping[str, Family] = {
    "nemotron-nas": Family(block_configs, ConfigClass("DeciLMConfig", origin=RELEASED)),
    "deepseek_v2": Family(latent, ConfigClass("DeepseekV2Config")),
    "deepseek_v3": Family(latent, ConfigClass("DeepseekV3Config")),
    "deepseek_v32": Family(latent, ConfigClass("DeepseekV32Config")),
    "glm4_moe_lite": Family(latent, ConfigClass("Glm4MoeLiteConfig")),
    "glm_moe_dsa": Family(latent, ConfigClass("GlmMoeDsaConfig", {"index_skip_topk_offset": 2})),
    "kimi_k2": Family(latent, ConfigClass("DeepseekV3Config")),
}
"""Models with latent layers, or with layers that differ one by one."""

STATES: Mapping[str, Family] = {
    "bamba": Family(hybrid(attn_layer_indices, MAMBA_2), ConfigClass("BambaConfig")),
    "falcon_h1": Family(both(MAMBA_2), ConfigClass("FalconH1Config")),
    "falcon_mamba": Family(MAMBA, ConfigClass("FalconMambaConfig")),
    "granitemoehybrid": Family(
        hybrid(listed_states, MAMBA_2), ConfigClass("GraniteMoeHybridConfig", many_heads=True)
    ),
    "jamba": Family(
        hybrid(attn_layer_period, mamba("mamba_", "mamba_d_state", "mamba_d_conv")),
        ConfigClass("JambaConfig"),
    ),
    "mamba": Family(MAMBA, ConfigClass("MambaConfig")),
    "mamba2": Family(
        states_only(
            mamba2("num_heads", "head_dim", "n_groups", "state_size", "conv_kernel", "expand")
        ),
        ConfigClass("Mamba2Config"),
    ),
    "nemotron_h": Family(
        hybrid(
            hybrid_override_pattern,
            mamba2(
                "mamba_num_heads", "mamba_head_dim", "n_groups", "ssm_state_size", "conv_kernel"
            ),
        ),
        ConfigClass(
            "NemotronHConfig",
            {"mamba_ssm_cache_dtype": "float32", "head_dim": 128},
            names={"n_groups": "mamba_n_groups", "conv_kernel": "mamba_d_conv"},
        ),
    ),
    "qwen3_next": Family(DELTA_NET, ConfigClass("Qwen3NextConfig", OF_DELTA_NETS)),
    "qwen3_5_text": Family(DELTA_NET, ConfigClass("Qwen3_5TextConfig", OF_DELTA_NETS)),
    "qwen3_5_moe_text": Family(DELTA_NET, ConfigClass("Qwen3_5MoeTextConfig", OF_DELTA_NETS)),
}
"""Models with state-space layers."""

_BY_CLASS = {**FULL_ATTENTION, **OLDER, **WINDOWS, **OTHERS, **STATES}

FAMILIES: Mapping[str, Family] = {
    **_BY_CLASS,
    # The model_type of a multimodal config, for text configs that have none of their own.
    **{
        model_type.removesuffix("_text"): family
        for model_type, family in _BY_CLASS.items()
        if model_type.endswith("_text")
    },
    "qwen2_vl_text": _BY_CLASS["qwen2_vl"],
    "qwen2_5_vl_text": _BY_CLASS["qwen2_5_vl"],
    "llava": _BY_CLASS["llama"],
    "llava_next": _BY_CLASS["llama"],
    "mistral3": _BY_CLASS["mistral"],
}
"""The rule and the class of a config, by model_type."""

REFUSED: Mapping[str, str] = {
    "deepseek_v4": Message(
        "compress_ratios gives its layers compressed caches, whose size is not known"
    ),
    "kimi_linear": Message(
        "linear_attn_config gives it state-space layers beside latent ones, and how large a "
        "block they share depends on the engine's attention backend"
    ),
    "lfm2": Message("what its conv layers, which layer_types lists, hold is not known"),
}
"""Why the config of a model that is known by name is refused all the same."""


def _by_architecture() -> dict[str, Family]:
    """The families by what architectures says, for configs without a model_type."""
    found: dict[str, Family] = {}
    for family in _BY_CLASS.values():
        stem = family.config_class.name.removesuffix("Config").removesuffix("Text")
        for ending in ("ForCausalLM", "ForConditionalGeneration"):
            found.setdefault(f"{stem}{ending}", family)
    return found


BY_ARCHITECTURE: Mapping[str, Family] = _by_architecture()
