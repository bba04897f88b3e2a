"""The start-up log of a vLLM server, as people paste it."""

import json
import time
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import PROJECT
from tests.saying import in_portuguese
from xlsizing.core.vllm_log import (
    MOST_CHARACTERS,
    LogError,
    VllmLog,
    log_text,
    memory_range,
    read_log,
)

RUNS = json.loads((PROJECT / "tests" / "data" / "vllm_logs_h100.json").read_text())["runs"]

KEY_LINES = (
    "INFO 05-01 21:14:16 [gpu_worker.py:440] Available KV cache memory: 55.9 GiB",
    "INFO 05-01 21:14:16 [kv_cache_utils.py:1711] GPU KV cache size: 457,904 tokens",
    (
        "INFO 05-01 21:14:16 [kv_cache_utils.py:1716] "
        "Maximum concurrency for 32,768 tokens per request: 13.97x"
    ),
)
KEYS = "\n".join(KEY_LINES)
KEY_FIGURES = VllmLog(
    32768, tokens=457904, concurrency=Decimal("13.97"), kv_memory_gib=Decimal("55.9")
)

# Two workers of a release that prints everything, put together from published logs.
WHOLE_LOG = """\
(APIServer pid=1) INFO 04-19 10:18:36 [api_server.py:1896] vLLM API server version 0.22.0
(APIServer pid=1) INFO 04-19 10:18:36 [utils.py:233] non-default args: {'model': '/m', 'max_model_len': 32768, 'tensor_parallel_size': 2, 'gpu_memory_utilization': 0.8, 'kv_cache_dtype': 'fp8_e4m3', 'enable_prefix_caching': True, 'max_num_batched_tokens': 4096, 'speculative_config': {'method': 'mtp', 'draft_tensor_parallel_size': 1}}
(APIServer pid=1) INFO 04-19 10:02:00 [model.py:1685] Using max model len 32768
(APIServer pid=1) INFO 04-19 10:02:00 [cache.py:247] Using fp8_e4m3 data type to store kv cache. It reduces the GPU memory footprint and boosts the performance.
(APIServer pid=1) INFO 04-19 10:02:00 [scheduler.py:239] Chunked prefill is enabled with max_num_batched_tokens=8192.
(APIServer pid=1) INFO 04-19 10:02:00 [config.py:480] Updating mamba_ssm_cache_dtype to 'float32' for NemotronH model
(APIServer pid=1) WARNING 05-01 18:48:54 [config.py:367] Mamba cache mode is set to 'align' for M by default when prefix caching is enabled
(EngineCore pid=187) INFO 04-19 10:02:10 [core.py:76] Initializing a V1 LLM engine (v0.22.0) with config: model='/m', speculative_config=SpeculativeConfig(method='mtp', model='/m', num_spec_tokens=3), tokenizer='/m', dtype=torch.bfloat16, max_seq_len=32768, load_format=auto, tensor_parallel_size=2, pipeline_parallel_size=1, data_parallel_size=1, decode_context_parallel_size=1, quantization=None, kv_cache_dtype=fp8_e4m3, device_config=cuda, enable_prefix_caching=True
(EngineCore pid=187) INFO 04-19 10:02:12 [interface.py:773] Setting attention block size to 2096 tokens to ensure that attention page size is >= mamba page size.
(EngineCore pid=187) INFO 04-19 10:02:12 [interface.py:797] Padding mamba page size by 0.58% to ensure that mamba page size and attention page size are exactly equal.
(Worker_TP0 pid=57) INFO 04-19 10:03:00 [gpu_model_runner.py:5255] Model loading took 27.31 GiB memory and 9.801045 seconds
(Worker_TP1 pid=58) INFO 04-19 10:03:01 [gpu_model_runner.py:5255] Model loading took 27.33 GiB memory and 9.901045 seconds
(Worker_TP0 pid=57) INFO 04-19 10:03:20 [gpu_model_runner.py:6376] Estimated CUDA graph memory: 0.55 GiB total
(Worker_TP0 pid=57) INFO 04-19 10:03:21 [gpu_worker.py:466] Available KV cache memory: 38.65 GiB
(Worker_TP1 pid=58) INFO 04-19 10:03:22 [gpu_worker.py:466] Available KV cache memory: 38.6 GiB
(Worker_TP0 pid=57) INFO 04-19 10:03:23 [gpu_worker.py:481] CUDA graph memory profiling is enabled (default since v0.21.0). The current --gpu-memory-utilization=0.8000 is equivalent to --gpu-memory-utilization=0.7955 without CUDA graph memory profiling. To maintain the same effective KV cache size as before, increase --gpu-memory-utilization to 0.8045. To disable, set VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS=0.
(EngineCore pid=187) WARNING 04-19 10:03:24 [kv_cache_utils.py:1208] Add 1 padding layers, may waste at most 4.35% KV cache memory
(EngineCore pid=187) INFO 04-19 10:03:24 [kv_cache_utils.py:1733] GPU KV cache size: 2,001,650 tokens
(EngineCore pid=187) INFO 04-19 10:03:24 [kv_cache_utils.py:1734] Maximum concurrency for 32,768 tokens per request: 61.09x
(Worker_TP0 pid=57) INFO 04-19 10:03:40 [gpu_model_runner.py:6844] Graph capturing finished in 5 secs, took 0.24 GiB
(Worker_TP1 pid=58) INFO 04-19 10:03:41 [gpu_model_runner.py:6844] Graph capturing finished in 5 secs, took 0.26 GiB
(Worker_TP0 pid=57) INFO 04-19 10:03:42 [gpu_worker.py:391] Free memory on device (79.65/80.18 GiB) on startup. Desired GPU memory utilization is (0.8, 64.14 GiB). Actual usage is 27.31 GiB for weight, 1.4 GiB for peak activation, 0.21 GiB for non-torch memory, and 0.24 GiB for CUDAGraph memory. Replace gpu_memory_utilization config with `--kv-cache-memory=37564378828` to fit into requested memory, or `--kv-cache-memory=41809093120` to fully utilize gpu memory. Current kv cache memory in use is 41446434406 bytes.
(APIServer pid=1) INFO 04-19 10:03:43 [loggers.py:142] Engine 000: vllm cache_config_info with initialization after num_gpu_blocks is: 1201
(APIServer pid=1) INFO:     Application startup complete.
"""
WHOLE_FIGURES = VllmLog(
    max_model_len=32768,
    tokens=2_001_650,
    concurrency=Decimal("61.09"),
    num_gpu_blocks=1201,
    kv_memory_gib=Decimal("38.6"),
    kv_memory_bytes=41_446_434_406,
    weights_gib=Decimal("27.33"),
    activation_gib=Decimal("1.4"),
    graphs_gib=Decimal("0.26"),
    graphs_estimate_gib=Decimal("0.55"),
    graphs_profiled=True,
    device_total_gib=Decimal("80.18"),
    gpu_memory_utilization=Decimal("0.8"),
    max_num_batched_tokens=8192,
    tensor_parallel=2,
    pipeline_parallel=1,
    kv_dtype="fp8",
    dtype="bf16",
    state_dtype="float32",
    attention_block=2096,
    state_padding_percent=Decimal("0.58"),
    padding_layers=1,
    prefix_caching=True,
    state_caching="align",
    speculative=True,
    version="0.22.0",
)


def with_line(line: str) -> VllmLog:
    return read_log(f"{KEYS}\n{line}\n")


def refused(text: str) -> str:
    with pytest.raises(LogError) as caught:
        read_log(text)
    assert caught.value.code == "LOG_NOT_READ"
    sentence = str(caught.value)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    in_portuguese(sentence)
    return sentence


def test_the_lines_that_matter() -> None:
    assert read_log(KEYS) == KEY_FIGURES


def test_every_figure_of_a_whole_log() -> None:
    assert read_log(WHOLE_LOG) == WHOLE_FIGURES


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run['model']}-{run['max_model_len']}")
def test_logs_of_a_real_server(run: dict[str, Any]) -> None:
    log = read_log("\n".join(run["log"]))
    assert log.max_model_len == run["max_model_len"]
    assert log.kv_dtype == ("fp8" if run.get("kv_cache_dtype") == "fp8" else None)
    assert (log.graphs_gib is None) == run["eager"]
    assert log.num_gpu_blocks is None
    assert log.tokens
    assert log.concurrency
    assert log.kv_memory_gib
    assert log.weights_gib


@pytest.mark.parametrize(
    ("line", "figures"),
    [
        # How releases word the same thing.
        ("Model loading took 15.0 GiB and 1.970430 seconds", {"weights_gib": "15.0"}),
        ("Model loading took 13.58 GiB memory and 0.905081 seconds", {"weights_gib": "13.58"}),
        ("Model loading took 8.6253 GB and 7.670299 seconds", {"weights_gib": "8.6253"}),
        ("Loading model weights took 6.1501 GB", {"weights_gib": "6.1501"}),
        ("Graph capturing finished in 5 secs, took 0.98 GiB", {"graphs_gib": "0.98"}),
        ("Graph capturing finished in 3 secs, took -0.74 GiB", {"graphs_gib": "-0.74"}),
        ("Graph capturing finished in 69 secs.", {}),
        (
            "CUDA graph pool memory: 8.57 GiB (actual), 33.06 GiB (estimated), difference: 24.49",
            {"graphs_gib": "8.57", "graphs_estimate_gib": "33.06", "graphs_profiled": True},
        ),
        (
            (
                "Estimated CUDA graph memory: 0.58 GiB total\nCUDA graph memory profiling is disabled "
                "(VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS=0)."
            ),
            {"graphs_estimate_gib": "0.58", "graphs_profiled": False},
        ),
        (
            (
                "Free memory on device (137.64/139.8 GiB) on startup. Desired GPU memory utilization "
                "is (0.9, 125.82 GiB). Actual usage is 39.98 GiB for consumed memory (weights + "
                "non-torch), 4.04 GiB for peak activation, and 1.2 GiB for CUDAGraph memory."
            ),
            {
                "device_total_gib": "139.8",
                "gpu_memory_utilization": "0.9",
                "activation_gib": "4.04",
            },
        ),
        (
            "Free memory on device cuda:0 (27.28/31.86 GiB) on startup",
            {"device_total_gib": "31.86"},
        ),
        ("Current kv cache memory in use is 55.9 GiB.", {}),
        ("Current kv cache memory in use is 60022167962 bytes.", {"kv_memory_bytes": 60022167962}),
        ("Current kv cache memory in use is 59022167962 bytes.", {}),
        (
            (
                "the current vLLM instance can use total_gpu_memory (79.15GiB) x "
                "gpu_memory_utilization (0.70) = 55.09GiB\nmodel weights take 8.63GiB; "
                "non_torch_memory takes 0.09GiB; PyTorch activation peak memory takes 1.16GiB; the "
                "rest of the memory reserved for KV Cache is 45.21GiB."
            ),
            {
                "device_total_gib": "79.15",
                "gpu_memory_utilization": "0.70",
                "weights_gib": "8.63",
                "activation_gib": "1.16",
            },
        ),
        ("# GPU blocks: 28,619, # CPU blocks: 2048", {"gpu_blocks": 28619}),
        ("# cuda blocks: 14815, # CPU blocks: 1966", {"gpu_blocks": 14815}),
        ("# CUDA blocks: 5517, # CPU blocks: 9362", {"gpu_blocks": 5517}),
        ("# CPU blocks: 9362", {}),
        (
            "Overriding num_gpu_blocks=28619 with num_gpu_blocks_override=512",
            {"blocks_override": 512},
        ),
        (
            "vllm cache_config_info with initialization after num_gpu_blocks is: 7162",
            {"num_gpu_blocks": 7162},
        ),
        ("Setting attention block size to 784 tokens to ensure that", {"attention_block": 784}),
        ("Padding mamba page size by 20.75% to", {"state_padding_percent": "20.75"}),
        ("Add 1 padding layers, may waste at most 4.35% KV cache memory", {"padding_layers": 1}),
        ("Add 1 padding layers, may\nAdd 3 padding layers, may", {"padding_layers": None}),
        ("Initializing a V1 LLM engine (v0.24.0) with config:", {"version": "0.24.0"}),
        ("Initializing an LLM engine (v0.6.3.post1) with config:", {"version": "0.6.3.post1"}),
        ("vLLM API server version 0.11.0", {"version": "0.11.0"}),
        ("Using fp8 data type to store kv cache.", {"kv_dtype": "fp8"}),
        ("Using DeepSeek's fp8_ds_mla KV cache format.", {"kv_dtype": "fp8"}),
        ("kv_cache_dtype=torch.float8_e4m3fn, arch=sm90", {"kv_dtype": "fp8"}),
        ("'kv_cache_dtype': 'bfloat16'", {"kv_dtype": "bf16"}),
        ("kv_cache_dtype=auto, dtype=torch.float16,", {"kv_dtype": None, "dtype": "fp16"}),
        ("Using nvfp4 data type to store kv cache", {"kv_dtype": "nvfp4"}),
        ("Updating mamba_ssm_cache_dtype to 'float32' for X model", {"state_dtype": "float32"}),
        ("'mamba_ssm_cache_dtype': 'auto'", {"state_dtype": None}),
        (
            "mamba_cache_mode='none'\nMamba cache mode is set to 'align' for X",
            {"state_caching": "align"},
        ),
        ("enable_prefix_caching=False, chunked", {"prefix_caching": False}),
        ("enable_prefix_caching=False\n'enable_prefix_caching': True", {"prefix_caching": None}),
        ("'max_num_batched_tokens': 8192, 'x'", {"max_num_batched_tokens": 8192}),
        (
            (
                "'max_num_batched_tokens': 512\nChunked prefill is enabled with "
                "max_num_batched_tokens=16384."
            ),
            {"max_num_batched_tokens": 16384},
        ),
        (
            "Setting max_num_batched_tokens to 2048 for OPENAI_API_SERVER usage context.",
            {"max_num_batched_tokens": 2048},
        ),
        (
            (
                "The current --gpu-memory-utilization=0.5500 is equivalent to "
                "--gpu-memory-utilization=0.5456 without"
            ),
            {"gpu_memory_utilization": "0.5500"},
        ),
        (
            (
                "gpu_memory_utilization=0.905, x\ntotal_gpu_memory (79.15GiB) x "
                "gpu_memory_utilization (0.91)"
            ),
            {"gpu_memory_utilization": "0.905", "device_total_gib": "79.15"},
        ),
        ("pipeline_parallel_size=2, draft_tensor_parallel_size=3", {"pipeline_parallel": 2}),
        ("decode_context_parallel_size=2, x", {"context_parallel": True}),
        ("decode_context_parallel_size=1, x", {"context_parallel": False}),
        ("dtype=torch.float16, dtype=torch.bfloat16,", {"dtype": None}),
        ("CUDA graph memory profiling is enabled (default since", {"graphs_profiled": True}),
        ("Multiplying the GPU KV cache size by the cp_world_size 2", {"context_parallel": True}),
        ("Hybrid KV cache manager is disabled for this hybrid model, ", {"hybrid_manager": False}),
        ("'disable_hybrid_kv_cache_manager': True,", {"hybrid_manager": False}),
        ("speculative_config=None,", {"speculative": False}),
        ("'speculative_config': {'method': 'mtp'}", {"speculative": True}),
        # Lines of a running server, and of one that ran out of memory, say nothing.
        ("GPU KV cache usage: 1.0%, Prefix cache hit rate: 0.0%", {}),
        ("larger than the available KV cache memory (10.91 GiB). Try increasing", {}),
        ("consider decreasing `gpu_memory_utilization` or switching to eager mode", {}),
    ],
)
def test_wording_of_releases(line: str, figures: dict[str, Any]) -> None:
    expected: dict[str, Any] = {
        name: Decimal(value) if name[-4:] in ("_gib", "tion", "cent") else value
        for name, value in figures.items()
    }
    assert with_line(line) == replace(KEY_FIGURES, **expected)


@pytest.mark.parametrize(
    "text",
    [
        "GPU KV cache size: 7,228,559 tokens, Maximum concurrency for 131,072 tokens per request: 55.15x",
        "GPU KV cache size: 7,228,559 tokens, Maximum concurrency for\n131,072 tokens per request: 55.15x",
        (
            "GPU KV cache size: 7,228,559 tokens,\n(EngineCore pid=1) INFO 05-01 21:14:16 [k.py:1] "
            "Maximum concurrency for 131,072 tokens per request:\n    55.15x"
        ),
        "GPU KV cache size: 7,228,559 tokens, \\\nMaximum concurrency for 131,072 tokens per request: 55.15x",
        "GPU KV cache size: \x1b[1;32m7,228,559\x1b[0m tokens\nMaximum concurrency for \\\n131,072 tokens per request: 55.15x",
        "XPU KV cache size: 7,228,559 tokens, Maximum concurrency for 131,072 tokens per request: 55.15x",
        "GPU KV cache size: 7228559 tokens\r\nMaximum concurrency for 131072 tokens per request: 55.15x\r\n",
    ],
)
def test_the_form_on_one_line_and_its_breaks(text: str) -> None:
    assert read_log(text) == VllmLog(131072, tokens=7_228_559, concurrency=Decimal("55.15"))


def test_memory_asked_for_at_the_start() -> None:
    tokens = "\n".join(KEY_LINES[1:])
    reserved = (
        "Initial free memory 113.47 GiB, reserved 55.88 GiB memory for KV Cache as specified by "
        "kv_cache_memory_bytes config and skipped memory profiling. This does not respect the "
        "gpu_memory_utilization config."
    )
    log = read_log(f"{tokens}\n{reserved}")
    assert (log.kv_memory_gib, log.kv_memory_given) == (Decimal("55.88"), True)
    assert log.gpu_memory_utilization is None
    exact = read_log(f"{tokens}\n'kv_cache_memory_bytes': 60022167962,")
    assert (exact.kv_memory_bytes, exact.kv_memory_given) == (60_022_167_962, True)
    assert read_log(tokens).kv_memory_given is False


def test_the_worker_with_least_memory_counts() -> None:
    # Releases up to 0.11 print tokens for every worker, before the smallest is taken.
    log = read_log(
        "\n".join(
            f"(VllmWorker rank={rank} pid={rank}) {line}"
            for rank, tokens, times, memory, weights in (
                (0, "458,304", "13.99", "55.95", "15.0"),
                (1, "457,904", "13.97", "55.9", "15.02"),
            )
            for line in (
                f"Model loading took {weights} GiB and 1.9 seconds",
                f"Available KV cache memory: {memory} GiB",
                f"GPU KV cache size: {tokens} tokens",
                f"Maximum concurrency for 32,768 tokens per request: {times}x",
            )
        )
    )
    assert log == replace(KEY_FIGURES, weights_gib=Decimal("15.02"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "Maximum concurrency for 8,192 tokens per request: 50.00x",
            "max_model_len is 8192 and 32768",
        ),
        ("Initializing a V1 LLM engine (v0.24.0) max_seq_len=8192,", "max_model_len is 8192 and"),
        ("GPU KV cache size: 136,880 tokens", "KV caches of 136,880 and 457,904 tokens"),
        ("tensor_parallel_size=2, x tensor_parallel_size=4", "tensor_parallel_size is 2 and 4"),
        ("gpu_memory_utilization=0.9, gpu_memory_utilization=0.85", "is 0.85 and 0.9"),
        ("Using fp8 data type to store kv cache kv_cache_dtype=bfloat16", "is bf16 and fp8"),
        ("(v0.24.0) LLM engine (v0.24.0) LLM engine (v0.33.0)", "0.24.0 and 0.33.0"),
        ("with config: model='a', with config: model='b'", "the model is a and b"),
        (
            "Setting attention block size to 784 tokens Setting attention block size to 16 tokens",
            "16 and 784",
        ),
        (
            (
                "Chunked prefill is enabled with max_num_batched_tokens=2048.\n"
                "Chunked prefill is enabled with max_num_batched_tokens=8192."
            ),
            "max_num_batched_tokens is 2048 and 8192",
        ),
    ],
)
def test_lines_of_two_servers_are_refused(line: str, words: str) -> None:
    sentence = refused(f"{KEYS}\n{line}")
    assert words in sentence
    assert "more than one server or start" in sentence


def test_the_engine_may_shorten_requests_until_one_fits() -> None:
    line = "max_seq_len=131072 Auto-fit max_model_len: reduced from 131072 to 32768 to fit in"
    assert with_line(line) == KEY_FIGURES


def test_a_release_is_major_and_minor_number() -> None:
    for version, release in (
        ("0.24.0", (0, 24)),
        ("0.10.1.dev560+gf00d", (0, 10)),
        ("0.27.1+aeon.sm121a.dspark", (0, 27)),
        ("1.0.0rc1", (1, 0)),
        ("0.1.dev20073+g8e685d198", None),
        ("nightly", None),
        (None, None),
    ):
        assert VllmLog(1, version=version).release == release


@pytest.mark.parametrize(
    "text",
    ["", "\n", "hello", "\x00\x01\x02", "GPU KV cache size: many tokens", "💥" * 1000, "{" * 9999],
)
def test_a_text_without_known_lines_is_refused(text: str) -> None:
    assert "no line that says how large a KV cache is" in refused(text)


def test_a_log_must_say_how_long_a_request_may_be() -> None:
    assert "how long a request may be" in refused("GPU KV cache size: 457,904 tokens")
    assert "how long a request may be" in refused(
        "GPU KV cache size: 457,904 tokens Maximum concurrency for 0 tokens per request: 1.00x"
    )
    assert read_log("GPU KV cache size: 457,904 tokens Using max model len 32768") == VllmLog(
        32768, tokens=457904
    )


def test_a_server_that_did_not_start_is_refused() -> None:
    assert "-0.41 GiB are left for KV caches" in refused("Available KV cache memory: -0.41 GiB")
    assert read_log(KEYS.replace("55.9 GiB", "0.0 GiB")).kv_memory_gib == 0


def test_a_text_that_is_too_long_is_refused() -> None:
    assert "longer than 8 MiB" in refused(KEYS + " " * MOST_CHARACTERS)
    assert read_log(KEYS + " " * (MOST_CHARACTERS - len(KEYS))) == KEY_FIGURES


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"]
)
def test_encodings_that_shells_write(encoding: str) -> None:
    if encoding.endswith("-bom"):
        data = ("\ufeff" + WHOLE_LOG).encode(encoding.removesuffix("-bom"))
    else:
        data = WHOLE_LOG.encode(encoding)
    assert read_log(log_text(data)) == WHOLE_FIGURES


def test_bytes_that_are_no_text_are_passed_over() -> None:
    assert (
        read_log(
            log_text(b"\xff\xfe\x00" + b"\xff")  # an odd end of UTF-16
            + KEYS
        )
        == KEY_FIGURES
    )
    assert read_log(log_text(b"\xe2\x96\x88\xe2\x96" + KEYS.encode())) == KEY_FIGURES
    with pytest.raises(LogError, match="longer than 8 MiB"):
        log_text(bytes(2 * MOST_CHARACTERS + 1))


HOSTILE = [
    " ",
    "\n",
    "\x1b[",
    "\x1b[1;1;1;1;",
    "GPU KV cache size: ",
    "GPU" + " " * 80,
    "GPU KV cache size: 457,904 tokens\n",
    "Maximum concurrency for 32,768 tokens per request: 1",
    "Maximum" + " " * 79,
    "dtype=",
    "kv_cache_dtype='" + " " * 79,
    "max_num_batched_tokens" + " " * 160,
    "Actual usage is 1 GiB for weight, 1." + "1" * 12 + " " * 80,
    "Free memory on device (" + "1" * 12,
    "Model loading took " + "9" * 9 + "." + "9" * 9 + " " * 80,
    "1",
    "# GPU blocks: ",
    "with config: model='" + "x" * 300,
    "\\\n",
    "LLM engine (v0" + "." * 80,
    "\u2003\u00a0",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_no_longer_than_any_other(piece: str) -> None:
    # With the known lines in front, every pattern is searched for.
    text = f"{KEYS}\n"
    text += (piece * (MOST_CHARACTERS // len(piece)))[: MOST_CHARACTERS - len(text)]
    start = time.process_time()
    assert read_log(text).tokens == 457904
    assert time.process_time() - start < 3


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(log_text))
def test_any_text_is_read_or_refused(text: str) -> None:
    for each in (text, f"{KEYS}\n{text}"):
        with suppress(LogError):
            assert read_log(each).max_model_len


PREFIXES = (
    "",
    "2026-05-01 23:14:16.932 | ",
    "vllm-1  | ",
    "Nov 23 05:02:16 gpu01 docker[4711]: ",
    "2026-05-01T21:14:16.932123456Z stderr F ",
    "\x1b[0;36m(EngineCore pid=187)\x1b[0;0m ",
    "\x1b[1;32mINFO\x1b[0m ",
    "> ",
    "- ",
    "    ",
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_order_prefixes_colours_and_line_ends_do_not_matter(data: st.DataObject) -> None:
    lines = data.draw(st.permutations(WHOLE_LOG.splitlines()))
    repeated = data.draw(st.lists(st.sampled_from(lines), max_size=5))
    prefixes = st.sampled_from(PREFIXES)
    end = data.draw(st.sampled_from(("\n", "\r\n", "\r", "\x1b[0m\n", "\n\n")))
    text = end.join(data.draw(prefixes) + line for line in [*lines, *repeated])
    assert read_log(text) == WHOLE_FIGURES


@settings(max_examples=150, deadline=None)
@given(st.integers(40, 200))
def test_lines_may_be_broken_between_words(width: int) -> None:
    # As a terminal copies them: at the last blank before its edge.
    broken = []
    for line in WHOLE_LOG.splitlines():
        while len(line) > width and " " in line[1:width]:
            at = line.rindex(" ", 1, width)
            broken.append(line[:at])
            line = line[at + 1 :]
        broken.append(line)
    assert read_log("\n".join(broken)) == WHOLE_FIGURES


@given(st.integers(1, 10**12))
def test_a_rounded_memory_stands_for_what_rounds_to_it(size: int) -> None:
    # As the engine shows it: rounded to 2 decimals, without zeros at the end.
    shown = Decimal(str(round(size / 2**30, 2)))
    least, most = memory_range(shown)
    assert least <= size <= most
    assert most - least <= 0.01 * 2**30
