"""A calibration as people and programs read it."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

import pytest

from xlsizing.core import Model, Server
from xlsizing.core.calibration import Calibration, Figure, calibrate
from xlsizing.core.layers import AttentionLayers, StateLayers
from xlsizing.core.vllm_log import VllmLog
from xlsizing.language import ENGLISH
from xlsizing.page import plain_text
from xlsizing.report.calibration import (
    LABELS,
    calibration_document,
    calibration_json,
    calibration_page,
    settings_flags,
)

H100 = Server(name="dgx-h100", gpus=8, hbm_per_gpu_gb=80, usable_hbm_per_gpu_bytes=85_017_493_504)
LLAMA_8B = Model(
    name="Llama-3.1-8B",
    num_layers=32,
    num_key_value_heads=8,
    head_dim=128,
    max_position_embeddings=131072,
    attention_pattern="full",
    num_attention_heads=32,
    total_params=8_030_261_248,
)
NEMOTRON_30B = Model(
    name="Nemotron-3-Nano-30B-A3B",
    num_layers=52,
    max_position_embeddings=262144,
    attention_pattern="grouped",
    num_attention_heads=32,
    total_params=31_577_937_344,
    layer_groups=(
        StateLayers("state", 23, "mamba2", 4, 64, 64, 128, groups=8),
        AttentionLayers("full", 6, 2, 128, 128),
    ),
)
LLAMA_LOG = VllmLog(
    max_model_len=131072,
    tokens=457504,
    concurrency=Decimal("3.49"),
    kv_memory_gib=Decimal("55.85"),
    weights_gib=Decimal("15.0"),
    graphs_gib=Decimal("0.98"),
    tensor_parallel=1,
    kv_dtype="bf16",
    version="0.24.0",
)
NEMOTRON_LOG = VllmLog(
    max_model_len=32768,
    tokens=1_471_283,
    concurrency=Decimal("44.90"),
    kv_memory_gib=Decimal("10.78"),
    tensor_parallel=1,
    gpu_memory_utilization=Decimal("0.92"),
    kv_dtype="bf16",
    state_dtype="float32",
    state_caching="none",
    attention_block=2096,
    state_padding_percent=Decimal("0.58"),
    padding_layers=1,
)

LLAMA_TEXT = """\
Llama-3.1-8B on dgx-h100, by the log of vLLM 0.24.0
requests of 131,072 tokens, KV cache in bf16, tensor parallel 1

                                     log        method    difference    by default
Tokens in the KV cache           457,504       457,504             0       441,440
Maximum concurrency                 3.49          3.49          0.00          3.37
Blocks                            28,594        28,594             0        27,590
KV cache memory, GiB               55.85         55.85          0.00         53.89
Weights, GiB                       15.00         14.96          0.04         14.96
Overheads, GiB                      1.99          2.04         -0.04          4.00

Settings to use
  --tensor-parallel 1
  --kv-precision bf16
  --max-num-batched-tokens 8192
  --batches-in-flight 1
  --gpu-memory-utilization 0.92
  --activation-gib 2.0383
  --runtime-gib 0

Remarks
  The log does not state gpu_memory_utilization; 0.92 is taken. Another value changes the overheads, not the blocks.
  The log does not say what the overheads are made of; activation_gib holds them all.
  Capturing graphs took 0.98 GiB after the pool was set, and no line takes them off it: they are no part of the overheads, but of the 6.33 GiB that gpu_memory_utilization leaves."""

NEMOTRON_TABLE = """\
Nemotron-3-Nano-30B-A3B on dgx-h100, by the log of vLLM of a version that it does not state
requests of 32,768 tokens, KV cache in bf16, tensor parallel 1

                                     log        method    difference    by default
Tokens in the KV cache         1,471,283     1,471,283             0     1,368,064
Maximum concurrency                44.90         44.90          0.00         41.75
Blocks                               898           898             0           835
KV cache memory, GiB               10.78         10.78          0.00         10.03
Attention block, tokens            2,096         2,096             0         2,096
Padding of states, %                0.58          0.58          0.00          0.58
Padding layers                         1             1             0             1
"""


def llama(**changed: Any) -> Calibration:
    return calibrate(LLAMA_8B, H100, replace(LLAMA_LOG, **changed))


def test_the_text() -> None:
    assert plain_text(calibration_page(llama()), ENGLISH) == LLAMA_TEXT


def test_the_text_of_a_model_with_states() -> None:
    text = plain_text(calibration_page(calibrate(NEMOTRON_30B, H100, NEMOTRON_LOG)), ENGLISH)
    assert text.startswith(NEMOTRON_TABLE)
    assert "\n  --ssm-state-dtype float32\n" in text


def test_figures_that_the_method_does_not_have() -> None:
    unknown = replace(LLAMA_8B, total_params=None)
    text = plain_text(calibration_page(calibrate(unknown, H100, LLAMA_LOG)), ENGLISH)
    assert (
        "Weights, GiB                       15.00             -             -             -\n"
        in text
    )


def test_a_log_that_leaves_nothing_open_has_no_remarks() -> None:
    calibration = llama(
        gpu_memory_utilization=Decimal("0.92"), graphs_gib=None, activation_gib=Decimal("1.2")
    )
    assert calibration.remarks == ()
    assert plain_text(calibration_page(calibration), ENGLISH).endswith("\n  --runtime-gib 0.8383")


@pytest.mark.parametrize(
    ("changed", "last"),
    [
        ({}, [("--activation-gib", "2.0383"), ("--runtime-gib", "0")]),
        ({"kv_memory_given": True}, [("--batches-in-flight", "1"), ("--kv-pool-gib", "55.8486")]),
    ],
)
def test_flags_of_overheads_or_of_a_pool(
    changed: dict[str, Any], last: list[tuple[str, str]]
) -> None:
    flags = settings_flags(llama(**changed))
    assert flags[-2:] == last
    assert ("--gpu-memory-utilization" in dict(flags)) == (not changed)


def test_flags_of_caching_and_managers() -> None:
    assert ("--state-caching", "align") not in settings_flags(llama())
    states = calibrate(
        NEMOTRON_30B,
        H100,
        # 24 blocks a request in place of 20.
        replace(
            NEMOTRON_LOG, state_caching="align", tokens=1_226_069, concurrency=Decimal("37.42")
        ),
    )
    assert ("--state-caching", "align") in settings_flags(states)
    assert ("--no-hybrid-manager", "") in settings_flags(llama(hybrid_manager=False))
    assert "  --no-hybrid-manager\n" in plain_text(
        calibration_page(llama(hybrid_manager=False)), ENGLISH
    )


def test_the_document() -> None:
    calibration = llama()
    document = json.loads(calibration_json(calibration))
    assert document == json.loads(json.dumps(calibration_document(calibration), default=float))
    assert (document["model"], document["server"]) == ("Llama-3.1-8B", "dgx-h100")
    assert document["log"]["concurrency"] == 3.49
    assert document["log"]["graphs_gib"] == 0.98
    assert document["settings"]["activation_gib"] == 2.0383
    assert document["settings"]["kv_pool_gib"] is None
    assert document["flags"][:4] == ["--tensor-parallel", "1", "--kv-precision", "bf16"]
    assert document["blocks"] == {"least": 28594, "most": 28594}
    assert document["counting"] == "requests"
    assert document["engine"]["num_blocks"] == 28594
    assert document["engine"]["bytes_per_block"] == 2_097_152
    assert document["comparisons"][0] == {
        "figure": "tokens",
        "log": 457504,
        "method": 457504,
        "difference": 0,
        "by_default": 441440,
    }
    overhead = document["overhead_bytes"]
    assert overhead["most"] - overhead["least"] == 2_097_151
    assert document["remarks"] == list(calibration.remarks)


def test_what_is_not_known_is_null() -> None:
    unknown = replace(LLAMA_8B, total_params=None)
    document = calibration_document(calibrate(unknown, H100, LLAMA_LOG))
    assert document["overhead_bytes"] is None
    (weights,) = (each for each in document["comparisons"] if each["figure"] == "weights_gib")
    assert weights == {
        "figure": "weights_gib",
        "log": 15,
        "method": None,
        "difference": None,
        "by_default": None,
    }


def test_json_is_ascii() -> None:
    assert calibration_json(llama(version="0.24.0é")).isascii()


def test_every_figure_has_a_label() -> None:
    assert set(LABELS) == set(get_args(Figure))
