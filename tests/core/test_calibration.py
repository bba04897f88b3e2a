"""Calibration: start-up logs of real servers, and of servers made up from the method's formulas."""

import json
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.conftest import PROJECT
from tests.saying import in_portuguese
from xlsizing.core import InvalidValueError, Model, Server, SizingError
from xlsizing.core.calibration import (
    Calibration,
    LogMismatchError,
    NotReproducedError,
    Span,
    calibrate,
)
from xlsizing.core.engine import EngineSettings, engine_bound
from xlsizing.core.layers import AttentionLayers, LatentLayers, StateLayers
from xlsizing.core.vllm_log import LogError, VllmLog, read_log

RUNS = json.loads((PROJECT / "tests" / "data" / "vllm_logs_h100.json").read_text())["runs"]
GIB = 2**30

H100 = Server(name="dgx-h100", gpus=8, hbm_per_gpu_gb=80, usable_hbm_per_gpu_bytes=85_017_493_504)

# The geometry of the published config.json files.
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
GPT_OSS_20B = Model(
    name="gpt-oss-20b",
    num_layers=24,
    num_key_value_heads=8,
    head_dim=64,
    max_position_embeddings=131072,
    attention_pattern="hybrid",
    hybrid_full_layers=12,
    hybrid_sliding_layers=12,
    sliding_window=128,
    num_attention_heads=64,
    weight_bytes=round(13.58 * GIB),
    # What the catalog would plan with; a log that does not say so keeps 16 bits.
    default_kv_precision="fp8",
)
QWEN3_30B = Model(
    name="Qwen3-30B-A3B",
    num_layers=48,
    num_key_value_heads=4,
    head_dim=128,
    max_position_embeddings=40960,
    attention_pattern="full",
    num_attention_heads=32,
    total_params=30_532_122_624,
)
NEMOTRON_30B = Model(
    name="Nemotron-3-Nano-30B-A3B",
    num_layers=52,
    max_position_embeddings=262144,
    attention_pattern="grouped",
    num_attention_heads=32,
    total_params=31_577_937_344,
    layer_groups=(
        # bfloat16, so that the log's float32 has to count.
        StateLayers("state", 23, "mamba2", 4, 64, 64, 128, groups=8),
        AttentionLayers("full", 6, 2, 128, 128),
    ),
)
QWEN35_27B = Model(
    name="Qwen3.5-27B",
    num_layers=64,
    max_position_embeddings=262144,
    attention_pattern="grouped",
    num_attention_heads=24,
    weight_bytes=round(51.1 * GIB),
    layer_groups=(
        StateLayers("state", 48, "gated_delta_net", 4, 48, 128, 128, 16, "float32"),
        AttentionLayers("full", 16, 4, 256, 256),
    ),
)
QWEN3_NEXT = Model(
    name="Qwen3-Next-80B-A3B",
    num_layers=48,
    max_position_embeddings=262144,
    attention_pattern="grouped",
    num_attention_heads=16,
    weight_bytes=162_700_000_000,
    layer_groups=(
        StateLayers("state", 36, "gated_delta_net", 4, 32, 128, 128, 16),
        AttentionLayers("full", 12, 2, 256, 256),
    ),
)
MODELS = {
    "meta-llama-Meta-Llama-3.1-8B": LLAMA_8B,
    "openai-gpt-oss-20b": GPT_OSS_20B,
    "Qwen-Qwen3-30B-A3B": QWEN3_30B,
    "nvidia-NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": NEMOTRON_30B,
}

LLAMA_LOG = VllmLog(
    max_model_len=32768,
    tokens=457904,
    concurrency=Decimal("13.97"),
    kv_memory_gib=Decimal("55.9"),
    weights_gib=Decimal("15.0"),
    tensor_parallel=1,
    gpu_memory_utilization=Decimal("0.92"),
    version="0.24.0",
)
GPT_OSS_LOG = VllmLog(
    max_model_len=131072,
    tokens=2_178_210,
    concurrency=Decimal("16.62"),
    kv_memory_gib=Decimal("56.14"),
    weights_gib=Decimal("13.58"),
    tensor_parallel=1,
    gpu_memory_utilization=Decimal("0.92"),
    max_num_batched_tokens=16384,
    version="0.24.0",
)


def holds(calibration: Calibration) -> int:
    """Blocks by the settings, from the model's weights on, in fractions."""
    chosen, model, server = calibration.settings, calibration.model, calibration.server
    size = calibration.bound.cache.bytes_per_block
    if chosen.kv_pool_gib is not None:
        return floor(half_up(chosen.kv_pool_gib) / Fraction(size))
    assert server.usable_hbm_per_gpu_bytes
    share = floor(server.usable_hbm_per_gpu_bytes * Fraction(str(chosen.gpu_memory_utilization)))
    weights = model.weight_bytes or (model.total_params or 0) * 2
    pool = share - ceil(Fraction(weights, chosen.tensor_parallel or 1))
    pool -= half_up(chosen.activation_gib) + half_up(chosen.runtime_gib)
    return floor(Fraction(pool, size))


def half_up(gib: float) -> int:
    """GiB of the settings as bytes."""
    exact = Decimal(str(gib)) * GIB
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def figures(calibration: Calibration) -> dict[str, tuple[float, float | None]]:
    """Each figure of the log and the method's, by name."""
    return {
        each.figure: (
            float(each.logged),
            None if each.calibrated is None else float(each.calibrated),
        )
        for each in calibration.comparisons
    }


def mismatch(model: Model, server: Server, log: VllmLog, **asked: Any) -> str:
    with pytest.raises(LogMismatchError) as caught:
        calibrate(model, server, log, **asked)
    assert caught.value.code == "LOG_DOES_NOT_FIT"
    in_portuguese(str(caught.value))
    return str(caught.value)


@pytest.mark.parametrize(
    "run",
    RUNS,
    ids=lambda run: f"{run['model']}-{run['max_model_len']}-{run.get('kv_cache_dtype')}",
)
def test_runs_on_an_h100_to_the_block(run: dict[str, Any]) -> None:
    # Only the log's lines go in; the number of blocks was noted from the running engine.
    log = read_log("\n".join(run["log"]))
    calibration = calibrate(MODELS[run["model"]], H100, log)

    num_gpu_blocks = run["config"]["num_gpu_blocks"]
    assert log.num_gpu_blocks is None
    assert calibration.blocks == Span(num_gpu_blocks, num_gpu_blocks)
    assert calibration.bound.num_blocks == num_gpu_blocks
    assert holds(calibration) == num_gpu_blocks
    assert calibration.settings.kv_pool_gib is None
    if "gpt-oss" in run["model"]:
        assert calibration.settings.tokens_in_flight == run["config"]["mnbt"]
    shown = figures(calibration)
    assert shown["num_blocks"] == (num_gpu_blocks, num_gpu_blocks)
    for name in ("tokens", "concurrency", "attention_block", "padding_layers"):
        assert shown.get(name, (0, 0))[0] == shown.get(name, (0, 0))[1], name
    assert shown["tokens"][0] == log.tokens
    for name, within in (("kv_memory_gib", 0.005), ("weights_gib", 0.11), ("overhead_gib", 0.11)):
        assert shown[name][1] == pytest.approx(shown[name][0], abs=within), name


def test_the_log_of_states_in_float32_counts_them_so() -> None:
    log = read_log("\n".join(RUNS[4]["log"]))
    calibration = calibrate(NEMOTRON_30B, H100, log)
    assert calibration.bound.cache.layout.groups[-1].block_size == log.attention_block == 2096
    assert figures(calibration)["state_padding_percent"][1] == pytest.approx(0.5758, abs=0.0001)
    assert figures(calibration)["padding_layers"] == (1, 1)
    assert any("float32" in remark for remark in calibration.remarks)
    other = mismatch(NEMOTRON_30B, H100, replace(log, state_dtype=None))
    assert "its attention block has 2,096 tokens, by the method 1,072" in other


def test_graphs_are_no_part_of_the_overheads_where_the_log_takes_none_off() -> None:
    # The same model with and without graphs: the pools differ by 0.05 GiB, the graphs took 0.98.
    eager, graphs = (calibrate(LLAMA_8B, H100, read_log("\n".join(run["log"]))) for run in RUNS[:2])
    assert eager.log.graphs_gib is None
    assert graphs.log.graphs_gib == Decimal("0.98")
    more = graphs.settings.activation_gib - eager.settings.activation_gib
    assert more == pytest.approx(0.05, abs=0.005)
    assert (eager.settings.runtime_gib, graphs.settings.runtime_gib) == (0, 0)
    assert not any("Capturing graphs" in remark for remark in eager.remarks)
    (remark,) = (each for each in graphs.remarks if "Capturing graphs" in each)
    assert "took 0.98 GiB after the pool was set" in remark
    assert "6.33 GiB that gpu_memory_utilization leaves" in remark


# Start-up logs that others published, with the model's geometry from its config.json.
PUBLISHED = {
    # github.com/vllm-project/vllm/issues/40691: release 0.19, tokens by blocks of a group.
    "groups": (
        QWEN35_27B,
        H100,
        """INFO [kv_cache_utils.py:1319] GPU KV cache size: 290,864 tokens
INFO [kv_cache_utils.py:1324] Maximum concurrency for 32,768 tokens per request: 33.04x""",
        1487,
    ),
    # One 80 GiB GPU; states aligned with prefix caching, two a request.
    "align": (
        QWEN35_27B,
        Server(name="80gib", gpus=1, hbm_per_gpu_gb=80, usable_hbm_per_gpu_bytes=80 * GIB),
        """INFO [gpu_worker.py:578] Available KV cache memory: 19.54 GiB
INFO [kv_cache_utils.py:1869] GPU KV cache size: 313,650 tokens, Maximum concurrency for 262,144 tokens per request: 1.20x
INFO [gpu_model_runner.py:5515] Model loading took 51.1 GiB memory and 41.914650 seconds
INFO [gpu_worker.py:741] CUDA graph pool memory: 0.71 GiB (actual), 1.55 GiB (estimated), difference: 0.84 GiB (119.3%).
INFO [gpu_worker.py:804] Free memory on device (79.99/80.0 GiB) on startup. Desired GPU memory utilization is (0.92, 73.6 GiB). Actual usage is 51.66 GiB for consumed memory (weights + non-torch), 2.4 GiB for peak activation, and 0.71 GiB for CUDAGraph memory. Replace gpu_memory_utilization config with `--kv-cache-memory=20064085607` (18.69 GiB) to fit into requested memory, or `--kv-cache-memory=26927570944` (25.08 GiB) to fully utilize gpu memory. Current kv cache memory in use is 19.54 GiB.""",
        408,
    ),
    # Release 0.10.2 on two H200; the last line says how many blocks there are.
    "two GPUs": (
        QWEN3_NEXT,
        Server(name="h200", gpus=8, hbm_per_gpu_gb=141, usable_hbm_per_gpu_bytes=150_110_000_000),
        """(APIServer pid=1) INFO [scheduler.py:222] Chunked prefill is enabled with max_num_batched_tokens=8192.
(APIServer pid=1) INFO [config.py:390] Setting attention block size to 544 tokens to ensure that attention page size is >= mamba page size.
(APIServer pid=1) INFO [config.py:411] Padding mamba page size by 1.49% to ensure that mamba page size and attention page size are exactly equal.
(EngineCore_DP0 pid=9) INFO [core.py:76] Initializing a V1 LLM engine (v0.10.2) with config: model='M', speculative_config=None, dtype=torch.bfloat16, max_seq_len=262144, tensor_parallel_size=2, pipeline_parallel_size=1, kv_cache_dtype=auto, enable_prefix_caching=False
(Worker_TP1 pid=4) INFO [gpu_model_runner.py:2392] Model loading took 74.2812 GiB and 215.969277 seconds
(Worker_TP0 pid=3) INFO [gpu_model_runner.py:2392] Model loading took 74.2812 GiB and 215.831224 seconds
(Worker_TP1 pid=4) INFO [gpu_worker.py:298] Available KV cache memory: 44.59 GiB
(Worker_TP0 pid=3) INFO [gpu_worker.py:298] Available KV cache memory: 44.59 GiB
(EngineCore_DP0 pid=9) INFO [kv_cache_utils.py:1028] GPU KV cache size: 973,760 tokens
(EngineCore_DP0 pid=9) INFO [kv_cache_utils.py:1032] Maximum concurrency for 262,144 tokens per request: 14.77x
(Worker_TP1 pid=4) INFO [gpu_model_runner.py:3118] Graph capturing finished in 25 secs, took 2.37 GiB
(Worker_TP1 pid=4) INFO [gpu_worker.py:391] Free memory on device (139.21/139.81 GiB) on startup. Desired GPU memory utilization is (0.9, 125.83 GiB). Actual usage is 74.28 GiB for weight, 5.58 GiB for peak activation, 1.38 GiB for non-torch memory, and 2.37 GiB for CUDAGraph memory. Current kv cache memory in use is 47878721024 bytes.
(APIServer pid=1) INFO [loggers.py:142] Engine 000: vllm cache_config_info with initialization after num_gpu_blocks is: 7162""",
        7162,
    ),
    # llava-v1.6-mistral-7b, whose layers are those of Llama-3.1-8B, in release 0.10.2.
    "to the byte": (
        replace(LLAMA_8B, name="llava-v1.6-mistral-7b", total_params=7_566_747_648),
        H100,
        """INFO [scheduler.py:222] Chunked prefill is enabled with max_num_batched_tokens=16384.
INFO [core.py:76] Initializing a V1 LLM engine (v0.10.2) with config: model='M', dtype=torch.float16, max_seq_len=4096, tensor_parallel_size=1
INFO [gpu_model_runner.py:2392] Model loading took 14.0786 GiB and 10.247948 seconds
INFO [gpu_worker.py:298] Available KV cache memory: 55.15 GiB
INFO [kv_cache_utils.py:864] GPU KV cache size: 451,744 tokens
INFO [kv_cache_utils.py:868] Maximum concurrency for 4,096 tokens per request: 110.29x
INFO [gpu_model_runner.py:3118] Graph capturing finished in 5 secs, took 0.67 GiB
INFO [gpu_worker.py:391] Free memory on device (78.66/79.19 GiB) on startup. Desired GPU memory utilization is (0.9, 71.27 GiB). Actual usage is 14.08 GiB for weight, 1.97 GiB for peak activation, 0.07 GiB for non-torch memory, and 0.67 GiB for CUDAGraph memory. Current kv cache memory in use is 59212694937 bytes.""",
        28234,
    ),
    # Release 0.6, which logs blocks; a 16 GB GPU.
    "blocks": (
        Model(
            name="Qwen2.5-1.5B",
            num_layers=28,
            num_key_value_heads=2,
            head_dim=128,
            max_position_embeddings=32768,
            attention_pattern="full",
            num_attention_heads=12,
            total_params=1_543_714_304,
        ),
        Server(name="t4", gpus=1, hbm_per_gpu_gb=16, usable_hbm_per_gpu_bytes=round(14.56 * GIB)),
        """INFO model_runner.py:1115] Loading model weights took 2.8884 GB
INFO worker.py:267] the current vLLM instance can use total_gpu_memory (14.56GiB) x gpu_memory_utilization (0.50) = 7.28GiB
INFO worker.py:267] model weights take 2.89GiB; non_torch_memory takes 0.01GiB; PyTorch activation peak memory takes 2.02GiB; the rest of the memory reserved for KV Cache is 2.36GiB.
INFO executor_base.py:110] # CUDA blocks: 5517, # CPU blocks: 9362
INFO executor_base.py:115] Maximum concurrency for 32768 tokens per request: 2.69x""",
        5517,
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_logs_that_others_published(name: str) -> None:
    model, server, text, num_blocks = PUBLISHED[name]
    calibration = calibrate(model, server, read_log(text))
    assert calibration.blocks == Span(num_blocks, num_blocks)
    assert holds(calibration) == num_blocks
    shown = figures(calibration)
    for figure in ("tokens", "concurrency", "attention_block"):
        if figure in shown:
            assert shown[figure][0] == shown[figure][1], figure
    assert calibration.settings.state_caching == ("align" if name == "align" else "none")


def test_the_older_count_of_tokens_is_told_from_the_corrected_one() -> None:
    # 153305 blocks of two groups, as gpt-oss-20b has; the newer release says 2,178,210 tokens.
    older = replace(GPT_OSS_LOG, tokens=153305 // 2 * 16, version="0.20.0")
    assert older.tokens == 1_226_432
    calibration = calibrate(GPT_OSS_20B, H100, older)
    # The last block cannot be told, since the count drops it.
    assert calibration.blocks == Span(153304, 153305)
    assert calibration.counting == "groups"
    assert figures(calibration)["tokens"] == (1_226_432, 1_226_432)
    assert any("blocks of one group of layers" in remark for remark in calibration.remarks)
    assert any("153,304 to 153,305 blocks" in remark for remark in calibration.remarks)
    assert calibrate(GPT_OSS_20B, H100, GPT_OSS_LOG).counting == "requests"


@pytest.mark.parametrize(
    ("version", "blocks"),
    [("0.19.0", Span(3, 3)), ("0.24.0", Span(4, 4)), ("0.21.0", Span(3, 4)), (None, Span(3, 4))],
)
def test_the_count_of_its_release_settles_what_both_explain(
    version: str | None, blocks: Span
) -> None:
    # 48 tokens are 3 blocks of 16, or 4 where requests of 24 tokens take 2 each.
    log = VllmLog(24, tokens=48, tensor_parallel=1, version=version)
    calibration = calibrate(LLAMA_8B, H100, log)
    assert calibration.blocks == blocks
    assert figures(calibration)["tokens"] == (48, 48)


def test_a_log_of_neither_count_is_refused() -> None:
    log = replace(GPT_OSS_LOG, tokens=2_000_000)
    sentence = mismatch(GPT_OSS_20B, H100, log)
    assert "no number of blocks gives its tokens and concurrency" in sentence
    assert "(2,000,000 tokens, 16.62x for 131,072 tokens per request)" in sentence


@pytest.mark.parametrize(
    ("model", "asked", "words"),
    [
        (QWEN3_30B, {}, "take 41.92 GiB of KV cache (bf16"),
        (LLAMA_8B, {"kv_precision": "fp8"}, "take 27.95 GiB of KV cache (fp8"),
        (LLAMA_8B, {"kv_precision": "fp8"}, "but it has 55.9 GiB"),
    ],
)
def test_another_model_or_precision_is_refused_with_the_memory_that_it_would_take(
    model: Model, asked: dict[str, Any], words: str
) -> None:
    assert words in mismatch(model, H100, LLAMA_LOG, **asked)


def test_memory_to_the_byte_is_refused_in_gib() -> None:
    log = replace(LLAMA_LOG, kv_memory_gib=None, kv_memory_bytes=50 * GIB)
    assert "but it has 50.00 GiB" in mismatch(LLAMA_8B, H100, log)


def test_another_tensor_parallel_size_is_refused() -> None:
    log = replace(LLAMA_LOG, tensor_parallel=None)
    assert "tensor_parallel 2" in mismatch(LLAMA_8B, H100, log, tensor_parallel=2)
    assert calibrate(LLAMA_8B, H100, log, tensor_parallel=1).num_blocks == 28619
    with pytest.raises(InvalidValueError, match="tensor_parallel is 3"):
        calibrate(LLAMA_8B, H100, log, tensor_parallel=3)


def test_a_gpu_of_another_server_is_refused() -> None:
    log = replace(LLAMA_LOG, device_total_gib=Decimal("23.99"))
    sentence = mismatch(LLAMA_8B, H100, log)
    assert "The log's GPU has 23.99 GiB, one of dgx-h100 79.18 GiB" in sentence
    near = calibrate(LLAMA_8B, H100, replace(log, device_total_gib=Decimal("79.65")))
    assert any("79.65 GiB, the catalog's 79.18" in remark for remark in near.remarks)
    same = calibrate(LLAMA_8B, H100, replace(log, device_total_gib=Decimal("79.18")))
    assert not any("The log's GPU has" in remark for remark in same.remarks)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (replace(LLAMA_LOG, pipeline_parallel=2), "2 pipeline stages"),
        (replace(LLAMA_LOG, context_parallel=True), "context parallelism"),
        (replace(LLAMA_LOG, kv_dtype="nvfp4"), "KV cache is in nvfp4; the method counts fp16"),
        (replace(LLAMA_LOG, dtype="float32"), "runs in float32"),
        (replace(LLAMA_LOG, state_caching="all"), "mode all"),
    ],
)
def test_what_the_method_does_not_count_is_refused(log: VllmLog, words: str) -> None:
    with pytest.raises(LogError, match=words) as caught:
        calibrate(LLAMA_8B, H100, log)
    in_portuguese(str(caught.value))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"tensor_parallel": 2}, "tensor_parallel_size is 1, and 2 was asked for"),
        ({"gpu_memory_utilization": 0.9}, "gpu_memory_utilization is 0.92, and 0.9 was asked for"),
        ({"max_num_batched_tokens": 2048}, "max_num_batched_tokens is 16384, and 2048"),
    ],
)
def test_an_argument_that_the_log_contradicts_is_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(LogError, match=words) as caught:
        calibrate(GPT_OSS_20B, H100, GPT_OSS_LOG, **asked)
    in_portuguese(str(caught.value))


def test_arguments_that_the_log_agrees_with_change_nothing() -> None:
    asked: dict[str, Any] = {
        "tensor_parallel": 1,
        "gpu_memory_utilization": Decimal("0.920"),
        "max_num_batched_tokens": 16384,
        "batches_in_flight": 1,
        "kv_precision": "bf16",
    }
    alone, together = (calibrate(GPT_OSS_20B, H100, GPT_OSS_LOG, **each) for each in ({}, asked))
    assert alone.settings == together.settings
    assert not any("max_num_batched_tokens" in remark for remark in alone.remarks)
    assert together.remarks == tuple(
        remark for remark in alone.remarks if "dtype of the KV cache" not in remark
    )


def test_eight_bits_are_tried_where_the_log_states_no_dtype() -> None:
    run = RUNS[5]
    lines = [line for line in run["log"] if "data type to store" not in line]
    calibration = calibrate(GPT_OSS_20B, H100, read_log("\n".join(lines)))
    assert (calibration.kv_precision, calibration.num_blocks) == ("fp8", 306439)
    assert any("16 bits do not explain the log" in remark for remark in calibration.remarks)


def test_a_log_without_memory_that_fits_two_ways_is_refused() -> None:
    log = replace(GPT_OSS_LOG, tokens=None, max_num_batched_tokens=None, kv_memory_gib=None)
    sentence = mismatch(GPT_OSS_20B, H100, log)
    assert "fits more than one way" in sentence
    assert "max_num_batched_tokens 2048" in sentence
    told = calibrate(GPT_OSS_20B, H100, log, max_num_batched_tokens=16384)
    assert told.blocks.least < 153305 < told.blocks.most
    log = replace(log, tokens=GPT_OSS_LOG.tokens)
    told = calibrate(GPT_OSS_20B, H100, log, max_num_batched_tokens=16384)
    assert told.num_blocks == 153305
    assert any("no line 'Available KV cache memory'" in remark for remark in told.remarks)


def test_releases_before_hybrid_managers_keep_the_whole_context() -> None:
    # 24 layers in one group: 8192 blocks a request, of 24 * 32 KiB.
    blocks = 70_000
    log = replace(
        GPT_OSS_LOG,
        tokens=blocks * 16,
        concurrency=Decimal("8.54"),
        kv_memory_gib=Decimal(blocks * 24 * 32 * 1024) / GIB,
        version="0.8.5",
    )
    calibration = calibrate(GPT_OSS_20B, H100, log)
    assert (calibration.num_blocks, calibration.settings.hybrid_manager) == (blocks, False)
    assert any("without the hybrid KV cache manager" in remark for remark in calibration.remarks)
    stated = calibrate(GPT_OSS_20B, H100, replace(log, hybrid_manager=False))
    assert stated.settings == calibration.settings
    assert not any("without the hybrid" in remark for remark in stated.remarks)


def test_releases_that_log_blocks_have_no_hybrid_manager() -> None:
    for concurrency in (Decimal("8.54"), None):
        log = VllmLog(131072, gpu_blocks=70_000, concurrency=concurrency, tensor_parallel=1)
        calibration = calibrate(GPT_OSS_20B, H100, log)
        assert (calibration.num_blocks, calibration.settings.hybrid_manager) == (70_000, False)


def test_an_attention_block_that_the_model_does_not_have_is_refused() -> None:
    sentence = mismatch(LLAMA_8B, H100, replace(LLAMA_LOG, attention_block=784))
    assert "its attention block has 784 tokens, by the method 16" in sentence
    assert "\n" not in sentence


def test_a_draft_is_named_where_the_log_does_not_fit() -> None:
    log = replace(LLAMA_LOG, kv_memory_gib=Decimal("57.0"))
    assert "draft" not in mismatch(LLAMA_8B, H100, log)
    fitting = calibrate(LLAMA_8B, H100, replace(LLAMA_LOG, speculative=True))
    assert any("layers of a draft are not counted" in remark for remark in fitting.remarks)
    assert "layers of a draft are not counted" in mismatch(
        LLAMA_8B, H100, replace(log, speculative=True)
    )


def test_a_precision_that_cannot_be_laid_out_is_not_tried() -> None:
    sparse = replace(
        LLAMA_8B,
        num_key_value_heads=None,
        head_dim=None,
        attention_pattern="grouped",
        layer_groups=(LatentLayers("latent", 32, 256, 64, 32, 128),),
    )
    assert "(bf16, max" in mismatch(sparse, H100, replace(LLAMA_LOG, tokens=457_728))


# What the overheads are made of


def test_the_logs_activation_is_kept_and_the_rest_is_runtime() -> None:
    log = replace(LLAMA_LOG, activation_gib=Decimal("1.23"))
    chosen = calibrate(LLAMA_8B, H100, log).settings
    assert chosen.activation_gib == 1.23
    assert chosen.runtime_gib == pytest.approx(1.9894 - 1.23, abs=0.0002)


@pytest.mark.parametrize("estimate", [None, Decimal("0.58")])
def test_graphs_that_the_log_takes_off_are_runtime(estimate: Decimal | None) -> None:
    log = replace(
        LLAMA_LOG,
        graphs_profiled=True,
        graphs_estimate_gib=estimate,
        graphs_gib=Decimal("0.24"),
    )
    calibration = calibrate(LLAMA_8B, H100, log)
    assert calibration.settings.runtime_gib == float(estimate or "0.24")
    assert holds(calibration) == 28619
    assert not any("Capturing graphs" in remark for remark in calibration.remarks)


@pytest.mark.parametrize("known", ["activation_gib", "graphs_estimate_gib"])
def test_parts_larger_than_the_overheads_are_not_kept(known: str) -> None:
    log = replace(LLAMA_LOG, graphs_profiled=True, **{known: Decimal("9.99")})  # type: ignore[arg-type]
    calibration = calibrate(LLAMA_8B, H100, log)
    assert (calibration.settings.runtime_gib, holds(calibration)) == (0, 28619)


def test_weights_larger_than_the_servers_give_a_pool() -> None:
    heavy = replace(LLAMA_8B, weight_bytes=18 * GIB)
    calibration = calibrate(heavy, H100, LLAMA_LOG)
    assert calibration.overhead_bytes is not None
    assert calibration.overhead_bytes.most < 0
    assert calibration.settings.kv_pool_gib == pytest.approx(55.9, abs=0.005)
    assert holds(calibration) == 28619
    remarks = " ".join(calibration.remarks)
    assert "18.00 GiB per GPU the overheads would be -1.05 GiB" in remarks
    assert "Loading the model took 15.0 GiB per GPU, the catalog has 18.00" in remarks


def test_a_model_without_weights_gives_a_pool() -> None:
    unknown = replace(LLAMA_8B, total_params=None)
    calibration = calibrate(unknown, H100, LLAMA_LOG)
    assert calibration.overhead_bytes is None
    assert calibration.by_default is None
    assert holds(calibration) == 28619
    assert figures(calibration)["weights_gib"] == (15.0, None)
    assert figures(calibration)["overhead_gib"][1] is None
    assert all(each.by_default is None for each in calibration.comparisons)


def test_memory_that_was_asked_for_gives_a_pool() -> None:
    calibration = calibrate(LLAMA_8B, H100, replace(LLAMA_LOG, kv_memory_given=True))
    assert calibration.settings.kv_pool_gib == pytest.approx(55.9, abs=0.005)
    assert holds(calibration) == 28619
    assert "overhead_gib" not in figures(calibration)
    assert any("kv_cache_memory_bytes" in remark for remark in calibration.remarks)
    # 6144 blocks of 2 MiB: what was asked for is given back, not a value that does as well.
    asked = VllmLog(
        32768, tokens=98_304, kv_memory_gib=Decimal("12.0"), kv_memory_given=True, tensor_parallel=1
    )
    assert calibrate(LLAMA_8B, H100, asked).settings.kv_pool_gib == 12


def test_blocks_that_were_asked_for_give_a_pool() -> None:
    log = replace(LLAMA_LOG, tokens=512 * 16, concurrency=Decimal("0.25"), blocks_override=512)
    calibration = calibrate(LLAMA_8B, H100, log)
    assert (calibration.num_blocks, holds(calibration)) == (512, 512)
    assert calibration.settings.kv_pool_gib == pytest.approx(1, abs=0.002)
    assert calibration.overhead_bytes is None
    assert any("num_gpu_blocks_override" in remark for remark in calibration.remarks)
    assert "513 blocks" in mismatch(LLAMA_8B, H100, replace(log, blocks_override=513))


def test_the_defaults_stand_beside() -> None:
    calibration = calibrate(LLAMA_8B, H100, LLAMA_LOG)
    by_default = {each.figure: each.by_default for each in calibration.comparisons}
    share = 85_017_493_504 * 92 // 100
    pool = share - 2 * 8_030_261_248 - 4 * GIB
    assert by_default["num_blocks"] == pool // 2_097_152
    assert by_default["tokens"] == pool // 2_097_152 * 16
    assert by_default["overhead_gib"] == 4
    assert by_default["kv_memory_gib"] == Fraction(pool, GIB)


def test_a_utilisation_of_many_decimals_is_rounded() -> None:
    log = replace(LLAMA_LOG, gpu_memory_utilization=Decimal("0.923456"))
    calibration = calibrate(LLAMA_8B, H100, log)
    assert (calibration.settings.gpu_memory_utilization, holds(calibration)) == (0.9235, 28619)
    assert any("0.923456 is rounded" in remark for remark in calibration.remarks)
    with pytest.raises(InvalidValueError, match="gpu_memory_utilization"):
        calibrate(LLAMA_8B, H100, replace(log, gpu_memory_utilization=Decimal("1.5")))


def test_blocks_of_another_size_than_the_methods() -> None:
    calibration = calibrate(LLAMA_8B, H100, replace(LLAMA_LOG, num_gpu_blocks=14309))
    assert calibration.num_blocks == 28619
    assert any("14,309 blocks of another size" in remark for remark in calibration.remarks)


def test_blocks_that_the_log_states_settle_what_the_older_count_leaves_open() -> None:
    older = replace(GPT_OSS_LOG, tokens=1_226_432, version="0.20.0", num_gpu_blocks=153305)
    assert calibrate(GPT_OSS_20B, H100, older).blocks == Span(153305, 153305)


def test_the_engine_loses_a_token_where_it_rounds_down() -> None:
    # 7 blocks of 49 a request of 784 tokens are 112 tokens; in floating point 111.99...
    length = next(
        blocks * 16 for blocks in range(3, 4000) if int(7 / blocks * (blocks * 16)) == 7 * 16 - 1
    )
    log = VllmLog(length, tokens=111, tensor_parallel=1)
    calibration = calibrate(LLAMA_8B, H100, log)
    assert calibration.blocks == Span(7, 7)
    assert figures(calibration)["tokens"] == (111, 111)


def test_blocks_smaller_than_the_decimals_of_settings_are_refused() -> None:
    tiny = Model(
        name="tiny",
        num_layers=1,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=4096,
        attention_pattern="full",
        num_attention_heads=1,
        weight_bytes=1,
    )
    with pytest.raises(NotReproducedError, match="takes 512 bytes, less than") as caught:
        calibrate(tiny, H100, VllmLog(4096, tokens=1_000_016, tensor_parallel=1))
    assert caught.value.code == "LOG_NOT_REPRODUCED"


def test_settings_that_do_not_reproduce_the_log_are_not_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = EngineSettings(tensor_parallel=1)
    monkeypatch.setattr("xlsizing.core.calibration.reproducing_settings", lambda *_: wrong)
    with pytest.raises(
        NotReproducedError, match="give 27,590 blocks and 441,440 tokens, not 28,619"
    ):
        calibrate(LLAMA_8B, H100, LLAMA_LOG)


# Servers made up by the method's formulas


class Made(NamedTuple):
    """A server, how it was started, and what the formulas say it logs."""

    model: Model
    server: Server
    settings: EngineSettings
    kv_precision: str
    length: int
    num_blocks: int
    bytes_per_block: int
    blocks_per_request: int
    groups: int
    block_tokens: int
    pool: int

    @property
    def tokens(self) -> int:
        return int(self.num_blocks / self.blocks_per_request * self.length)

    @property
    def older_tokens(self) -> int:
        return self.num_blocks // self.groups * self.block_tokens

    def lines(self, tokens: int) -> dict[str, str]:
        """The log's lines, by what they say."""
        chosen = self.settings
        concurrency = self.num_blocks / self.blocks_per_request
        weights = round((self.model.weight_bytes or 0) / (chosen.tensor_parallel or 1) / GIB, 2)
        dtype = {"bf16": "auto", "fp8": "fp8_e4m3"}[self.kv_precision]
        return {
            "version": f"LLM engine (v0.{24 if chosen.batches_in_flight == 1 else 33}.0)",
            "parallel": f"tensor_parallel_size={chosen.tensor_parallel}, x",
            "dtype": f"kv_cache_dtype={dtype}, dtype=torch.bfloat16, x",
            "caching": f"mamba_cache_mode='{chosen.state_caching}'",
            "batched": f"max_num_batched_tokens={chosen.max_num_batched_tokens}.",
            "utilisation": f"'gpu_memory_utilization': {chosen.gpu_memory_utilization},",
            "weights": f"Model loading took {weights} GiB memory and 1.0 seconds",
            "memory": f"Available KV cache memory: {round(self.pool / GIB, 2)} GiB",
            "tokens": f"GPU KV cache size: {tokens:,} tokens",
            "concurrency": (
                f"Maximum concurrency for {self.length:,} tokens per request: {concurrency:.2f}x"
            ),
        }


def cdiv(a: int, b: int) -> int:
    return ceil(Fraction(a, b))


@st.composite
def made(draw: st.DrawFn) -> Made:
    kind = draw(st.sampled_from(("full", "hybrid", "state")))
    precision = draw(st.sampled_from(("bf16", "fp8")))
    element = {"bf16": 2, "fp8": 1}[precision]
    size = draw(st.sampled_from((1, 2, 4, 8)))
    heads = draw(st.sampled_from((2, 8)))
    dim = draw(st.sampled_from((64, 128, 256)))
    layers, times = draw(st.integers(8, 40)), draw(st.integers(1, 5))
    length = draw(st.integers(1, 300_000))
    batched = draw(st.sampled_from((512, 2048, 8192, 16384)))
    flight = draw(st.sampled_from((1, 2)))
    caching = draw(st.sampled_from(("none", "align"))) if kind == "state" else "none"

    page = 16 * max(1, heads // size) * 2 * dim * element
    block, groups, request = 16, 1, cdiv(length, 16)
    fields: dict[str, Any] = {"attention_pattern": "full", "num_layers": layers}
    if kind == "hybrid":
        window = draw(st.integers(1, 5000))
        fields = {
            "attention_pattern": "hybrid",
            "num_layers": layers * (1 + times),
            "hybrid_full_layers": layers,
            "hybrid_sliding_layers": layers * times,
            "sliding_window": window,
        }
        groups = 1 + times
        request += times * (cdiv(min(window - 1 + batched * flight, length), 16) + 1)
    if kind == "state":
        state_heads = draw(st.sampled_from((64, 128)))
        conv = Fraction(3 * (state_heads * 64 + 2 * 8 * 128) * 2, size)
        state = conv + Fraction(state_heads * 64 * 128 * 4, size)
        raised = max(1, ceil(state / page))
        block, page, groups = 16 * raised, page * raised, 1 + times
        request = cdiv(length, block) + times * {"none": 1, "align": 2}[caching]
        fields = {
            "attention_pattern": "grouped",
            "num_layers": layers * (1 + times),
            "layer_groups": (
                StateLayers(
                    "state", layers * times, "mamba2", 4, state_heads, 64, 128, 8, "float32"
                ),
                AttentionLayers("full", layers, heads, dim, dim),
            ),
        }
    if kind != "state":
        fields |= {"num_key_value_heads": heads, "head_dim": dim}

    per_block = page * layers
    # Settings have 4 decimals of a GiB, which is 107,375 bytes at most.
    assume(per_block >= 107_375)
    num_blocks = request + draw(st.integers(0, 20 * request))
    pool = num_blocks * per_block + draw(st.integers(0, per_block - 1))
    overhead = draw(st.integers(GIB // 10, 9 * GIB))
    weights = draw(st.integers(GIB, 90 * GIB))
    utilization = Fraction(draw(st.integers(5000, 10_000)), 10_000)
    return Made(
        model=Model(
            name="made",
            max_position_embeddings=300_000,
            num_attention_heads=32,
            weight_bytes=weights * size,
            **fields,
        ),
        server=Server(
            name="made",
            gpus=8,
            hbm_per_gpu_gb=80,
            usable_hbm_per_gpu_bytes=ceil((pool + overhead + weights) / utilization),
        ),
        settings=EngineSettings(
            tensor_parallel=size,
            max_num_batched_tokens=batched,
            batches_in_flight=flight,
            state_caching=caching,  # type: ignore[arg-type]
            gpu_memory_utilization=float(utilization),
        ),
        kv_precision=precision,
        length=length,
        num_blocks=num_blocks,
        bytes_per_block=per_block,
        blocks_per_request=request,
        groups=groups,
        block_tokens=block,
        pool=pool,
    )


@settings(max_examples=150, deadline=None)
@given(made(), st.data())
def test_the_log_of_a_made_up_server_gives_its_blocks(server: Made, data: st.DataObject) -> None:
    assume(server.pool < 4000 * GIB)
    lines = data.draw(st.permutations(list(server.lines(server.tokens).values())))
    calibration = calibrate(server.model, server.server, read_log("\n".join(lines)))
    assert calibration.blocks.least <= server.num_blocks <= calibration.blocks.most
    if server.blocks_per_request <= server.length:
        assert calibration.blocks.most - calibration.blocks.least < server.groups
    if server.blocks_per_request < server.length and server.tokens % server.block_tokens:
        assert calibration.num_blocks == server.num_blocks
    assert holds(calibration) == calibration.num_blocks
    assert calibration.settings.kv_pool_gib is None
    answer = engine_bound(
        server.model,
        server.server,
        server.length,
        server.kv_precision,
        1,
        0,
        "none",
        calibration.settings,
    )
    assert answer.num_blocks == calibration.num_blocks
    assert answer.cache.bytes_per_block == server.bytes_per_block
    assert answer.cache.blocks_per_request == server.blocks_per_request


@settings(max_examples=150, deadline=None)
@given(made(), st.data())
def test_a_log_with_lines_missing_gives_the_blocks_or_is_refused(
    server: Made, data: st.DataObject
) -> None:
    assume(server.pool < 4000 * GIB)
    lines = server.lines(server.tokens)
    optional = sorted(set(lines) - {"concurrency"})
    missing = set(data.draw(st.lists(st.sampled_from(optional))))
    if (server.settings.tensor_parallel or 1) > 1:
        missing.discard("parallel")
    if "memory" in missing and server.kv_precision == "fp8":
        missing.discard("dtype")
    text = "\n".join(line for name, line in lines.items() if name not in missing)
    try:
        calibration = calibrate(server.model, server.server, read_log(text))
    except LogMismatchError as error:
        # Not all that is missing can be told from what is left.
        assert "fits more than one way" in str(error)  # noqa: PT017
        assert missing & {"batched", "caching", "version"}
        return
    least, most = calibration.blocks
    if missing & {"batched", "caching", "version"} and missing & {"memory", "tokens"}:
        # What is taken for them explains all that is left, if not the server.
        assert calibration.remarks
    else:
        assert least <= server.num_blocks <= most
    assert holds(calibration) == least


@settings(max_examples=150, deadline=None)
@given(made(), st.sampled_from((None, "0.12.0", "0.21.0")))
def test_the_older_count_of_a_made_up_server_gives_its_blocks(
    server: Made, version: str | None
) -> None:
    assume(server.pool < 4000 * GIB)
    # Two batches in flight are of later releases; here only the count matters.
    log = replace(read_log("\n".join(server.lines(server.older_tokens).values())), version=version)
    batches = server.settings.batches_in_flight
    calibration = calibrate(server.model, server.server, log, batches_in_flight=batches)
    assert calibration.blocks.least <= server.num_blocks <= calibration.blocks.most
    assert holds(calibration) == calibration.num_blocks


@settings(max_examples=100, deadline=None)
@given(made(), st.integers(1, 100 * GIB))
def test_heavier_weights_in_the_catalog_give_the_same_blocks(server: Made, more: int) -> None:
    assume(server.pool < 4000 * GIB)
    size = server.settings.tensor_parallel or 1
    heavy = replace(server.model, weight_bytes=(server.model.weight_bytes or 0) + more * size)
    log = read_log("\n".join(server.lines(server.tokens).values()))
    light, calibration = (calibrate(model, server.server, log) for model in (server.model, heavy))
    assert calibration.blocks == light.blocks
    assert holds(calibration) == light.num_blocks
    assert light.overhead_bytes is not None
    assert calibration.overhead_bytes == Span(*(each - more for each in light.overhead_bytes))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from((LLAMA_8B, GPT_OSS_20B, NEMOTRON_30B)),
    st.builds(
        VllmLog,
        max_model_len=st.integers(1, 10**20),
        tokens=st.none() | st.integers(0, 10**20),
        concurrency=st.none() | st.decimals(0, 10**9, places=2),
        kv_memory_gib=st.none() | st.decimals("0.01", 10**6, places=2),
        blocks_override=st.none() | st.integers(0, 10**20),
        gpu_memory_utilization=st.none() | st.decimals(0, 2, places=3),
        max_num_batched_tokens=st.none() | st.integers(0, 10**20),
        tensor_parallel=st.none() | st.integers(0, 99),
        attention_block=st.none() | st.integers(0, 10**6),
    ),
)
def test_any_figures_are_explained_or_refused(model: Model, log: VllmLog) -> None:
    try:
        calibration = calibrate(model, H100, log)
    except SizingError as error:
        assert str(error).endswith(".")  # noqa: PT017
    else:
        assert holds(calibration) == calibration.num_blocks
