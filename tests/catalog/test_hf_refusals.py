"""What no catalog entry can be made from is refused in one sentence that names the field."""

import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.catalog.test_hf_config import (
    BAMBA,
    FP8,
    GEMMA4,
    GLM,
    HYBRID,
    JAMBA,
    LLAMA,
    LLAMA4,
    MAMBA,
    MAMBA_2,
    MIMO,
    NEMOTRON,
    NEMOTRON_NAS,
    WINDOWED,
    Config,
    changed,
    config_of,
    refusal,
)
from xlsizing.catalog.hf_config import ConfigError, ImportedModel, import_config, read_config
from xlsizing.core import SizingError

# Refused, each with the field that decides

LARGEST = 10**15


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (None, "The config is missing; it must be an object"),
        ([LLAMA], "it must be an object"),
        ({}, "model_type is missing and architectures is missing"),
        ({"architectures": ["Unheard"]}, "architectures is ['Unheard']"),
        ({"architectures": [[]]}, "architectures is [[]]"),
        ({"architectures": "LlamaForCausalLM"}, "architectures is 'LlamaForCausalLM'"),
        (changed(LLAMA, model_type="unheard_of"), "model_type is 'unheard_of'; what layers"),
        (changed(LLAMA, model_type="Llama"), "model_type is 'Llama'"),
        (changed(LLAMA, model_type=["llama"]), "model_type is ['llama']"),
        (changed(LLAMA, model_type=7), "model_type is 7"),
        (changed(LLAMA, model_type="lfm2"), "model_type is 'lfm2'; what its conv layers"),
        ({"model_type": "gemma3", "text_config": {}}, "text_config is {}; it must be an object"),
        ({"model_type": "gemma3", "text_config": [1]}, "text_config is [1]; it must be an object"),
        (
            {"model_type": "gemma3", "text_config": {"model_type": "clip_text_model"}},
            "text_config.model_type is 'clip_text_model'",
        ),
        (
            {"model_type": "x", "text_config": {"num_hidden_layers": 2}},
            "model_type is 'x'; what layers",
        ),
        (
            {"model_type": "llava", "text_config": changed(LLAMA, num_hidden_layers=0)},
            "text_config.num_hidden_layers is 0; it must be a whole number of at least 1",
        ),
    ],
)
def test_a_config_of_an_unknown_model_is_refused(config: Any, words: str) -> None:
    assert words in refusal(config)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (changed(LLAMA, num_hidden_layers=...), "num_hidden_layers is missing; it must be a whole"),
        (changed(LLAMA, num_hidden_layers=None), "num_hidden_layers is missing"),
        (changed(LLAMA, num_hidden_layers=0), "num_hidden_layers is 0; it must be a whole number"),
        (changed(LLAMA, num_hidden_layers=-4), "num_hidden_layers is -4"),
        (changed(LLAMA, num_hidden_layers=True), "num_hidden_layers is True; it must be a whole"),
        (changed(LLAMA, num_hidden_layers=4.5), "num_hidden_layers is 4.5; it must be a whole"),
        (changed(LLAMA, num_hidden_layers=4.0), "num_hidden_layers is 4.0; it must be a whole"),
        (changed(LLAMA, num_hidden_layers="4"), "num_hidden_layers is '4'; it must be a whole"),
        (changed(LLAMA, num_hidden_layers=[4]), "num_hidden_layers is [4]; it must be a whole"),
        (changed(LLAMA, num_hidden_layers=10**9), "num_hidden_layers is 1000000000; no model has"),
        (changed(LLAMA, num_hidden_layers=10_001), "num_hidden_layers is 10001; no model has"),
        (changed(LLAMA, num_hidden_layers=10**5000), "num_hidden_layers is a number of thousands"),
        (changed(LLAMA, num_hidden_layers=float("nan")), "num_hidden_layers is nan"),
        (changed(LLAMA, max_position_embeddings=float("inf")), "max_position_embeddings is inf"),
        (changed(LLAMA, max_position_embeddings=...), "max_position_embeddings is missing"),
        (changed(LLAMA, max_position_embeddings=2.5), "max_position_embeddings is 2.5"),
        (changed(LLAMA, num_attention_heads=...), "num_attention_heads is missing"),
        (changed(LLAMA, num_key_value_heads=0), "num_key_value_heads is 0"),
        (changed(LLAMA, num_key_value_heads=3), "num_key_value_heads is 3; it must divide num_att"),
        (changed(LLAMA, num_key_value_heads=16), "num_key_value_heads is 16; it must divide"),
        (
            changed(GEMMA4, attention_k_eq_v=True, num_global_key_value_heads=5),
            "num_global_key_value_heads is 5; it must divide",
        ),
        (changed(MIMO, swa_num_key_value_heads=7), "swa_num_key_value_heads is 7; it must divide"),
        (changed(LLAMA, num_key_value_heads=False), "num_key_value_heads is False"),
        (
            changed(LLAMA, model_type="mixtral", num_key_value_heads=...),
            "num_key_value_heads is missing",
        ),
        (changed(LLAMA, head_dim=-1), "head_dim is -1"),
        (changed(LLAMA, head_dim={}), "head_dim is {}; it must be a whole number"),
        (
            changed(LLAMA, hidden_size=1023),
            "hidden_size 1023 is no multiple of num_attention_heads 8",
        ),
        (changed(LLAMA, hidden_size=...), "hidden_size is missing"),
        (
            changed(LLAMA, head_dim=128, attention_head_dim=64),
            "head_dim is 128 and attention_head_dim is 64; the two must agree",
        ),
        (changed(WINDOWED, model_type="mistral", sliding_window=0), "sliding_window is 0"),
        (changed(WINDOWED, model_type="mistral", sliding_window=-128), "sliding_window is -128"),
        (changed(WINDOWED, model_type="mistral", sliding_window=128.0), "sliding_window is 128.0"),
        (changed(WINDOWED, use_sliding_window="no"), "use_sliding_window is 'no'; it must be true"),
        (WINDOWED, "sliding_window is 128; which layers of LlamaConfig have a window is not known"),
        (
            changed(WINDOWED, model_type="qwen3_moe", use_sliding_window=True),
            "sliding_window is 128; which layers of Qwen3MoeConfig have a window",
        ),
        (
            changed(WINDOWED, model_type="qwen2", use_sliding_window=True, max_window_layers=-1),
            "max_window_layers is -1",
        ),
        (
            changed(WINDOWED, model_type="gemma3_text", sliding_window_pattern=0),
            "sliding_window_pattern is 0",
        ),
        (
            changed(WINDOWED, model_type="exaone4", sliding_window_pattern="LLXG"),
            "sliding_window_pattern is 'LLXG'; it must be",
        ),
        (
            changed(WINDOWED, model_type="exaone4", sliding_window_pattern=""),
            "sliding_window_pattern is ''; it must be",
        ),
        (
            changed(WINDOWED, model_type="exaone4", sliding_window_pattern=[4]),
            "sliding_window_pattern is [4]; it must be a whole number",
        ),
        (
            changed(WINDOWED, model_type="gemma3_text", use_bidirectional_attention=True),
            "use_bidirectional_attention is True",
        ),
        (
            changed(GEMMA4, use_bidirectional_attention="all"),
            "use_bidirectional_attention is 'all'",
        ),
        (changed(LLAMA4, no_rope_layers=[1, 1, 1]), "no_rope_layers has 3 items"),
        (changed(LLAMA4, no_rope_layers=[1, 1, 2, 1]), "no_rope_layers[2] is 2; it must be 0 or 1"),
        (changed(LLAMA4, no_rope_layers="1110"), "no_rope_layers is '1110'; it must be a list"),
        (changed(LLAMA4, attention_chunk_size=None), "attention_chunk_size is missing"),
        (changed(MIMO, hybrid_layer_pattern=...), "hybrid_layer_pattern is missing"),
        (changed(MIMO, hybrid_layer_pattern=[0, True] * 24), "hybrid_layer_pattern[1] is True"),
        (changed(MIMO, swa_num_key_value_heads=...), "swa_num_key_value_heads is missing"),
        (changed(MIMO, v_head_dim="128"), "v_head_dim is '128'"),
    ],
)
def test_a_wrong_figure_of_attention_is_refused(config: Config, words: str) -> None:
    assert words in refusal(config)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            changed(LLAMA, layer_types=["full"] * 3),
            "layer_types has 3 items, and num_hidden_layers",
        ),
        (changed(LLAMA, layer_types=["full"] * 10**6), "layer_types has 1000000 items"),
        (changed(LLAMA, layer_types=[]), "layer_types has 0 items"),
        (changed(LLAMA, layer_types="full"), "layer_types is 'full'; it must be a list"),
        (changed(LLAMA, layer_types={"0": "full"}), "layer_types is {'0': 'full'}; it must be"),
        (
            changed(LLAMA, layer_types=["full", "full", "banded", "full"]),
            "layer_types[2] is 'banded'; layers of LlamaConfig are known as full_attention,",
        ),
        (changed(LLAMA, layer_types=["full", None, "full", "full"]), "layer_types[1] is missing"),
        (changed(LLAMA, layer_types=["full", 0, "full", "full"]), "layer_types[1] is 0"),
        (changed(LLAMA, layer_types=[["full"]] * 4), "layer_types[0] is ['full']"),
        (
            changed(LLAMA, layer_types=["full", "linear_attention", "full", "full"]),
            "layer_types[1] is 'linear_attention'",
        ),
        (changed(LLAMA, layer_types=["sliding_attention"] * 4), "sliding_window is missing"),
        (changed(LLAMA, layer_types=["chunked_attention"] * 4), "attention_chunk_size is missing"),
        (changed(HYBRID, layer_types=...), "layer_types is missing; it must be a list"),
        (
            changed(HYBRID, layer_types=["sliding_attention"] * 40),
            "layer_types[0] is 'sliding_attention'",
        ),
        (changed(HYBRID, sliding_window=128), "sliding_window is 128"),
        (changed(HYBRID, mamba_n_heads=127), "mamba_d_head is 64, which 127 heads make 8128"),
        (changed(HYBRID, mamba_d_head="auto", mamba_n_heads=127), "mamba_d_head is 'auto'"),
        (changed(HYBRID, mamba_d_state=0), "mamba_d_state is 0"),
        (changed(HYBRID, mamba_ssm_cache_dtype="fp8"), "mamba_ssm_cache_dtype is 'fp8'"),
        (changed(HYBRID, mamba_ssm_dtype=["float32"]), "mamba_ssm_dtype is ['float32']"),
        (changed(JAMBA, attn_layer_period=0), "attn_layer_period is 0"),
        (changed(JAMBA, attn_layer_period=...), "attn_layer_period is missing"),
        (changed(JAMBA, mamba_expand=1.5), "mamba_expand is 1.5"),
        (
            changed(BAMBA, attn_layer_indices=...),
            "attn_layer_indices is missing; it must be a list",
        ),
        (changed(BAMBA, attn_layer_indices=[9, 32]), "attn_layer_indices[1] is 32"),
        (changed(BAMBA, attn_layer_indices=[-1]), "attn_layer_indices[0] is -1"),
        (changed(BAMBA, attn_layer_indices=[True]), "attn_layer_indices[0] is True"),
        (changed(BAMBA, attn_layer_indices=[1] * 10**6), "attn_layer_indices is [1, 1,"),
        (
            changed(NEMOTRON, hybrid_override_pattern="M*-"),
            "hybrid_override_pattern has 3 items, and num_hidden_layers is 118",
        ),
        (
            changed(NEMOTRON, hybrid_override_pattern="X" * 118),
            "hybrid_override_pattern[0] is 'X'; it must be M, *, - or E",
        ),
        (changed(NEMOTRON, hybrid_override_pattern=["M"] * 118), "it must be a text"),
        (changed(NEMOTRON, hybrid_override_pattern=...), "hybrid_override_pattern is missing"),
        (
            changed(NEMOTRON, hybrid_override_pattern="-" * 118),
            "num_hidden_layers is 118, and none of the layers holds anything",
        ),
        (changed(NEMOTRON, mamba_n_groups=4), "n_groups is 8 and mamba_n_groups is 4"),
        (changed(MAMBA, intermediate_size=5121), "intermediate_size is 5121 and expand * hidden"),
        (changed(MAMBA, intermediate_size=..., expand=...), "expand is missing"),
        (changed(MAMBA_2, num_heads=100), "head_dim is 64, which 100 heads make 6400"),
        (changed(MAMBA, hidden_size=LARGEST, intermediate_size=...), "heads is"),
        (
            changed(config_of("tiiuae-Falcon-H1-34B-Instruct"), mamba_d_ssm=4097),
            "mamba_d_head is 128, which 32 heads make 4096; it must be mamba_d_ssm, which is 4097",
        ),
        (changed(GLM, kv_lora_rank=None), "kv_lora_rank is missing"),
        (changed(GLM, qk_rope_head_dim=64.0), "qk_rope_head_dim is 64.0"),
        (changed(GLM, index_topk=None), "index_topk is missing"),
        (changed(GLM, index_head_dim=...), "index_head_dim is missing"),
        (changed(GLM, indexer_types=["full"]), "indexer_types has 1 items"),
        (changed(GLM, indexer_types=["full", *["half"] * 77]), "indexer_types[1] is 'half'"),
        (changed(GLM, indexer_types="F" * 78), "indexer_types is 'FFF"),
        (changed(GLM, indexer_types=..., index_topk_freq=0), "index_topk_freq is 0"),
        (changed(GLM, use_mla=False), "use_mla is False"),
        (changed(GLM, sliding_window=4096), "sliding_window is 4096"),
        (
            changed(GEMMA4, num_kv_shared_layers=4),
            "num_kv_shared_layers is 4; the layers before must hold what they share",
        ),
        (
            changed(
                GEMMA4,
                num_hidden_layers=8,
                layer_types=["sliding_attention", "full_attention"] * 4,
                num_kv_shared_layers=9,
            ),
            "num_kv_shared_layers is 9",
        ),
        (changed(GEMMA4, num_kv_shared_layers=1), "num_kv_shared_layers is 1"),
        (changed(GEMMA4, num_kv_shared_layers=-1), "num_kv_shared_layers is -1"),
        (changed(GEMMA4, attention_k_eq_v=1), "attention_k_eq_v is 1; it must be true or false"),
        (changed(NEMOTRON_NAS, block_configs=[]), "block_configs has 0 items"),
        (changed(NEMOTRON_NAS, block_configs=[{}] * 80), "block_configs[0].attention is missing"),
        (changed(NEMOTRON_NAS, block_configs=[7] * 80), "block_configs[0].attention is missing"),
        (changed(LLAMA, quantization_config=[]), "quantization_config is []; it must be an object"),
        (
            changed(FP8, tie_word_embeddings="yes"),
            "tie_word_embeddings is 'yes'; it must be true or false",
        ),
        (changed(FP8, tie_word_embeddings=True, vocab_size=1.5), "vocab_size is 1.5"),
    ],
)
def test_a_wrong_list_or_state_is_refused(config: Config, words: str) -> None:
    assert words in refusal(config)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attention_chunk_size", 8192),
        ("block_configs", [{}]),
        ("compress_ratios", [4, 128]),
        ("cross_attention_layers", [3, 8]),
        ("hybrid_layer_pattern", [0, 1]),
        ("hybrid_override_pattern", "M*M*"),
        ("kv_lora_rank", 512),
        ("linear_attn_config", {"kda_layers": [1]}),
        ("num_kv_shared_layers", 2),
        ("use_cla", True),
    ],
)
def test_a_field_that_changes_the_layers_is_not_passed_over(field: str, value: Any) -> None:
    assert f"{field} is " in refusal({**LLAMA, field: value})
    nothings: tuple[object, ...] = (None, 0, False, [])
    for nothing in nothings:
        assert import_config({**LLAMA, field: nothing}, "m").model.num_layers == 4


def test_windows_of_different_kinds_in_one_model_are_refused() -> None:
    config = changed(
        LLAMA4, sliding_window=16, layer_types=["chunked_attention", "sliding_attention"] * 2
    )
    assert "the window is 'chunked 64 and sliding 16'" in refusal(config)


def test_a_name_that_no_entry_may_bear_is_refused() -> None:
    with pytest.raises(SizingError, match="name is 'gpt\\*'"):
        import_config(LLAMA, "gpt*")


def test_a_value_that_nests_without_end_is_refused_in_a_sentence() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert "nested too deeply" in refusal(changed(LLAMA, head_dim=deep))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("window_length", 128, "block_configs[0].attention.window_length is 128"),
        ("sparsify", [], "block_configs[0].attention.sparsify is []"),
        ("num_sink_tokens", 4, "block_configs[0].attention.num_sink_tokens is 4"),
        ("n_heads_in_group", 7, "block_configs[0].attention.n_heads_in_group is 7; it must divide"),
        ("n_heads_in_group", None, "n_heads_in_group is missing"),
        ("no_op", "no", "block_configs[0].attention.no_op is 'no'; it must be true or false"),
    ],
)
def test_what_is_not_known_of_a_block_is_refused(field: str, value: Any, words: str) -> None:
    config = deepcopy(NEMOTRON_NAS)
    config["block_configs"][0]["attention"][field] = value
    assert words in refusal(config)


# Reading the file


def read_refusal(path: Path) -> str:
    """The one sentence with which a file is refused, in less than a second."""
    start = time.perf_counter()
    with pytest.raises(ConfigError) as raised:
        read_config(str(path))
    # Far less on a machine that has nothing else to do.
    assert time.perf_counter() - start < 3
    sentence = str(raised.value)
    assert sentence.startswith(f"{path}: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < len(str(path)) + 300
    return sentence


MANY_KEYS = ", ".join(f'"{key}": 1' for key in range(250_000))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty and must hold a model's configuration"),
        (b'{"model_type": "llama",\n "num_hidden', "line 2, column 2: The file ends in the middle"),
        (b'{"model_type": "llama"', "line 1, column 23: The file ends in the middle"),
        (b'{"a": 1} {}', "line 1, column 10: This is not JSON"),
        (b"[]", "The JSON is []; it must be an object"),
        (b"null", "The JSON is missing; it must be an object"),
        (b'"text"', "The JSON is 'text'; it must be an object"),
        (b"[" * 2_000_000, "nested too deeply to be a config.json"),
        (b'{"a":' * 700_000, "nested too deeply to be a config.json"),
        (b'{"a": "\xe9"}', "line 1, column 8: Byte 0xE9 is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "The file is in UTF-16; save it as UTF-8"),
        (b'{"a": 1, "b": 2, "a": 1}', "the key 'a' twice"),
        (b'{"a": {"b": 2, "b": 2}}', "the key 'b' twice"),
        (b"{" + MANY_KEYS.encode() + b', "249999": 1}', "the key '249999' twice"),
        (b'{"a": ' + b"9" * 5000 + b"}", "A number has 5000 digits; no figure of a config.json"),
        (b'{"a": ' + b"9" * 3_000_000 + b"}", "A number has 3000000 digits"),
        (b'{"a": "\\ud800"}', "half of a character"),
        (b"\x00" * 100, "The file is not text, or damaged: byte 0 is 0x00"),
    ],
)
def test_what_is_no_config_is_refused_with_its_place(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    assert words in read_refusal(path)


def test_a_file_of_100_mb_is_refused_without_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.json"
    with path.open("wb") as file:
        file.truncate(100 * 10**6)
    monkeypatch.setattr("builtins.open", None)
    assert "larger than 4 MB" in read_refusal(path)


def test_an_endless_file_is_refused() -> None:
    assert "This is a pipe or a device" in read_refusal(Path("/dev/zero"))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "cannot be read" in read_refusal(tmp_path / "config.json")
    assert "This is a folder" in read_refusal(tmp_path)


def test_a_byte_order_mark_and_infinite_numbers_are_let_through(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": [NaN, Infinity, -Infinity, 1e999], "b": 1.5, "c": 2}')
    config = read_config(str(path))
    assert str(config["a"]) == "[nan, inf, -inf, inf]"
    assert (config["b"], config["c"]) == (1.5, 2)
    assert NEMOTRON["time_step_limit"] == [0.0, float("inf")]


def test_a_path_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config("con\0fig.json")


def test_the_errors_have_a_code_for_programs() -> None:
    assert ConfigError.code == "CONFIG_NOT_IMPORTED"
    assert issubclass(ConfigError, SizingError)
    assert ImportedModel._fields == ("model", "readings")
