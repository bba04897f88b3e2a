"""The command `calibrate`, on what a real server logged: to the block, and back again."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.core.published import CONFIGS, DATA
from xlsizing.cli import main

RUNS = json.loads((DATA / "vllm_logs_h100.json").read_text(encoding="utf-8"))["runs"]
MODELS = {
    "meta-llama-Meta-Llama-3.1-8B": "llama-3.1-8b",
    "openai-gpt-oss-20b": "gpt-oss-20b",
    "Qwen-Qwen3-30B-A3B": "qwen3-30b-a3b",
    "nvidia-NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": "nemotron-3-nano-30b-a3b",
}
EACH_RUN = pytest.mark.parametrize(
    "run", RUNS, ids=[f"{run['model']} {i}" for i, run in enumerate(RUNS)]
)


def log(run: dict[str, Any]) -> str:
    return "\n".join(run["log"])


def logged(run: dict[str, Any]) -> tuple[int, float]:
    """The tokens and the concurrency of a log, read plainly."""
    (tokens,) = (line.split("size: ")[1] for line in run["log"] if "KV cache size" in line)
    (times,) = (line.split("request: ")[1] for line in run["log"] if "Maximum concur" in line)
    return int(tokens.split()[0].replace(",", "")), float(times.rstrip("x"))


def calibrated(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["calibrate", *arguments, "--server", "dgx-h100", "--json"]) == 0
    ran = capsys.readouterr()
    assert ran.err == ""
    found: dict[str, Any] = json.loads(ran.out)
    return found


@EACH_RUN
def test_the_settings_of_a_log_give_its_blocks_tokens_and_concurrency_back(
    run: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "server.log"
    path.write_text(log(run), encoding="utf-8")
    model = MODELS[run["model"]]
    found = calibrated(capsys, model, str(path))
    load = ["--storage", "profile_default", "--concurrency", "100"]
    load += ["--server", "dgx-h100", "--effective-context", str(run["max_model_len"])]
    assert main(["size", "--model", model, *load, *found["flags"], "--json-only"]) == 0
    engine = json.loads(capsys.readouterr().out)["engine"]
    tokens, concurrency = logged(run)
    assert engine["num_blocks"] == run["config"]["num_gpu_blocks"]
    assert round(engine["max_concurrency"], 2) == concurrency
    times = engine["num_blocks"] / engine["blocks_per_request"]
    assert int(times * run["max_model_len"]) == tokens


def test_a_log_is_read_from_standard_input_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "server.log"
    path.write_text(log(RUNS[0]), encoding="utf-8")
    by_file = calibrated(capsys, "llama-3.1-8b", str(path))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(log(RUNS[0]).encode())))
    assert calibrated(capsys, "llama-3.1-8b", "-") == by_file


def test_a_config_whose_weights_are_not_known_gets_the_pool_itself(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "server.log"
    path.write_text(log(RUNS[0]), encoding="utf-8")
    config = CONFIGS / f"{RUNS[0]['model']}.json"
    found = calibrated(capsys, str(config), str(path))
    assert "--kv-pool-gib" in found["flags"]
    context = ["--context", str(RUNS[0]["max_model_len"])]
    only_kv = ("--gpu-memory-utilization", "--activation-gib", "--runtime-gib")
    pairs = zip(found["flags"][::2], found["flags"][1::2], strict=True)
    flags = [part for pair in pairs if pair[0] not in only_kv for part in pair]
    assert main(["kv", str(config), *context, *flags, "--json"]) == 0
    engine = json.loads(capsys.readouterr().out)["engine"]
    assert engine["num_blocks"] == RUNS[0]["config"]["num_gpu_blocks"]


def test_the_text_compares_the_log_with_the_method_and_gives_the_settings(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "server.log"
    path.write_text(log(RUNS[1]), encoding="utf-8")
    assert main(["calibrate", "llama-3.1-8b", str(path), "--server", "dgx-h100"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (blocks,) = (line.split() for line in lines if line.startswith("Blocks "))
    assert blocks[:4] == ["Blocks", "28,594", "28,594", "0"]
    assert "Settings to use" in lines
    assert any(line.startswith("  --activation-gib ") for line in lines)


@pytest.mark.parametrize(
    ("text", "model", "server", "more", "words"),
    [
        ("", "llama-3.1-8b", "dgx-h100", "", "log"),
        ("hello\nworld", "llama-3.1-8b", "dgx-h100", "", "log"),
        (log(RUNS[0]), "gpt-oss-20b", "dgx-h100", "", "does not fit gpt-oss-20b"),
        (log(RUNS[0]), "llama-3.1-8b", "dgx-h100", "--tensor-parallel 2", "tensor_parallel"),
        (log(RUNS[0]), "llama-3.1-8b", "no-such", "", "There is no server named 'no-such'"),
        (log(RUNS[0]), "llama-3.1-8b", "dgx-h100", "--kv-precision fp4", "fp4"),
    ],
    ids=["empty", "no line", "other model", "contradiction", "no server", "precision"],
)
def test_a_log_that_cannot_be_used_gets_one_sentence(
    text: str,
    model: str,
    server: str,
    more: str,
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    path = tmp_path / "server.log"
    path.write_text(text, encoding="utf-8")
    assert main(["calibrate", model, str(path), "--server", server, *more.split()]) == 2
    ran = capsys.readouterr()
    assert ran.out == ""
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_a_log_that_is_not_there_gets_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for path in (tmp_path / "missing.log", tmp_path):
        assert main(["calibrate", "llama-3.1-8b", str(path), "--server", "dgx-h100"]) == 2
        assert capsys.readouterr().err.count("\n") == 1
