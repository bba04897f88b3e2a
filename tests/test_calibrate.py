"""The command `calibrate`, on what a real server logged: to the block, and back again."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.core.published import CONFIGS, DATA, REFUSED
from xlsizing.cli import main
from xlsizing.core.vllm_log import MOST_BYTES, MOST_CHARACTERS

RUNS = json.loads((DATA / "vllm_logs_h100.json").read_text(encoding="utf-8"))["runs"]
MODELS = {
    "meta-llama-Meta-Llama-3.1-8B": "llama-3.1-8b",
    "openai-gpt-oss-20b": "gpt-oss-20b",
    "Qwen-Qwen3-30B-A3B": "qwen3-30b-a3b",
    "nvidia-NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": "nemotron-3-nano-30b-a3b",
}
"""The catalog's entry of each model in the runs."""

EACH_RUN = pytest.mark.parametrize(
    "run", RUNS, ids=[f"{run['model']} {i}" for i, run in enumerate(RUNS)]
)
LLAMA_RUN = pytest.mark.parametrize("run", RUNS[:1], ids=["Llama"])


def log(run: dict[str, Any]) -> str:
    return "\n".join(run["log"])


def logged(run: dict[str, Any]) -> tuple[int, str]:
    """The tokens and the concurrency of a log, read plainly."""
    (tokens,) = (line.split("size: ")[1] for line in run["log"] if "KV cache size" in line)
    (times,) = (line.split("request: ")[1] for line in run["log"] if "Maximum concur" in line)
    return int(tokens.split()[0].replace(",", "")), times.rstrip("x")


def config(run: dict[str, Any]) -> str:
    return str(CONFIGS / f"{run['model']}.json")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that succeeds prints; nothing on standard error."""
    assert main(arguments) == 0
    ran = capsys.readouterr()
    assert ran.err == ""
    return ran.out


def calibrated(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    out = printed(capsys, "calibrate", *arguments, "--server", "dgx-h100", "--json")
    found: dict[str, Any] = json.loads(out)
    return found


def require_same(engine: dict[str, Any], run: dict[str, Any]) -> None:
    """The engine's figures say what the running server said."""
    tokens, concurrency = logged(run)
    assert engine["num_blocks"] == run["config"]["num_gpu_blocks"]
    times = engine["num_blocks"] / engine["blocks_per_request"]
    assert f"{times:.2f}" == concurrency
    assert engine["max_concurrency"] == round(times, 4)
    assert int(times * run["max_model_len"]) == tokens


@pytest.fixture
def path(run: dict[str, Any], tmp_path: Path) -> str:
    """The log of a run as a file."""
    file = tmp_path / "server.log"
    file.write_text(log(run), encoding="utf-8")
    return str(file)


@EACH_RUN
def test_the_settings_of_a_log_give_its_blocks_tokens_and_concurrency_back(
    run: dict[str, Any], path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = MODELS[run["model"]]
    found = calibrated(capsys, model, path)
    assert found["overhead_bytes"] is not None
    assert "--activation-gib" in found["flags"]
    assert "--kv-pool-gib" not in found["flags"]
    require_same(found["engine"], run)
    load = ["--storage", "profile_default", "--concurrency", "100"]
    load += ["--server", "dgx-h100", "--effective-context", str(run["max_model_len"])]
    sized = printed(capsys, "size", "--model", model, *load, *found["flags"], "--json-only")
    require_same(json.loads(sized)["engine"], run)


@EACH_RUN
def test_a_config_whose_weights_are_not_known_gets_the_pool_itself(
    run: dict[str, Any], path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = calibrated(capsys, config(run), path)
    assert found["overhead_bytes"] is None
    assert {each["by_default"] for each in found["comparisons"]} == {None}
    memory = {"--kv-pool-gib", "--gpu-memory-utilization", "--activation-gib", "--runtime-gib"}
    assert memory & set(found["flags"]) == {"--kv-pool-gib"}
    require_same(found["engine"], run)
    context = ["--context", str(run["max_model_len"])]
    session = printed(capsys, "kv", config(run), *context, *found["flags"], "--json")
    require_same(json.loads(session)["engine"], run)


@EACH_RUN
def test_the_text_says_what_the_json_says(
    run: dict[str, Any], path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (MODELS[run["model"]], path)
    found = calibrated(capsys, *arguments)
    lines = printed(capsys, "calibrate", *arguments, "--server", "dgx-h100").splitlines()
    settings, remarks = lines.index("Settings to use"), lines.index("Remarks")
    assert " ".join(lines[settings + 1 : remarks]).split() == found["flags"]
    assert [line.strip() for line in lines[remarks + 1 :]] == found["remarks"]
    tokens, concurrency = logged(run)
    blocks = run["config"]["num_gpu_blocks"]
    for label, figure in (
        ("Tokens in the KV cache", f"{tokens:,}"),
        ("Maximum concurrency", concurrency),
        ("Blocks", f"{blocks:,}"),
    ):
        (row,) = (line.removeprefix(label).split() for line in lines if line.startswith(label))
        assert row[:2] == [figure, figure]
        assert float(row[2]) == 0


@LLAMA_RUN
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_log_is_read_from_standard_input_too(
    run: dict[str, Any],
    path: str,
    encoding: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for more in ((), ("--json",)):
        command = ("calibrate", "llama-3.1-8b", "--server", "dgx-h100", *more)
        by_file = printed(capsys, *command, path)
        piped = io.TextIOWrapper(io.BytesIO(log(run).encode(encoding)))
        monkeypatch.setattr(sys, "stdin", piped)
        assert printed(capsys, *command, "-") == by_file


class LongStream(io.RawIOBase):
    """A stream far longer than a log, and how much of it was read."""

    taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), 4 * MOST_BYTES - self.taken)
        self.taken += size
        buffer[:size] = bytes(size)
        return size


# What cannot be used


LLAMA = log(RUNS[0])
GPU = "Free memory on device (22.05/23.99 GiB) on startup. Desired GPU memory utilization"
NOTHING = "The text has no line that says how large a KV cache is"


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a command which fails says."""
    assert main(["calibrate", *arguments]) == 2
    ran = capsys.readouterr()
    assert ran.out == ""
    assert ran.err.endswith(".\n")
    assert ran.err.count("\n") == 1
    return ran.err


CONTENTS = {
    "empty": (b"", NOTHING),
    "no line": (b"hello\nworld\n", NOTHING),
    "binary": (bytes(range(256)) * 400, NOTHING),
    "half a character": (b"\xff\xfe" + bytes(range(255)), NOTHING),
    "no length": (b"GPU KV cache size: 457,904 tokens", "how long a request may be"),
    "too large": (b"x" * (MOST_BYTES + 1), "longer than 8 MiB"),
    "too large in UTF-16": ((LLAMA + "\n" * MOST_CHARACTERS).encode("utf-16"), "longer than 8 MiB"),
    "too long": (LLAMA.encode() + b"\n" * (MOST_BYTES // 2), "longer than 8 MiB"),
    "two servers": (f"{LLAMA}\n{log(RUNS[1])}".encode(), "max_model_len is 32768 and 131072"),
    "another model": (log(RUNS[2]).encode(), "does not fit llama-3.1-8b: "),
    "another GPU": (f"{LLAMA}\n{GPU}".encode(), "GPU has 23.99 GiB, one of dgx-h100 79.18"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_log_that_cannot_be_used_gets_one_sentence(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, words = CONTENTS[name]
    file = tmp_path / "server.log"
    file.write_bytes(content)
    sentence = refused(capsys, "llama-3.1-8b", str(file), "--server", "dgx-h100")
    assert words in sentence
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert refused(capsys, "llama-3.1-8b", "-", "--server", "dgx-h100") == sentence


def test_no_more_is_read_than_a_log_may_have(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = LongStream()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(stream)))
    assert "longer than 8 MiB" in refused(capsys, "llama-3.1-8b", "-", "--server", "dgx-h100")
    assert MOST_BYTES < stream.taken < 2 * MOST_BYTES


@pytest.mark.parametrize(
    ("model", "more", "words"),
    [
        ("gpt-oss-20b", "", "does not fit gpt-oss-20b: "),
        ("qwen3-30b-a3b", "", "take 41.92 GiB of KV cache (bf16"),
        ("llama-3.1", "", "There is no model named 'llama-3.1'"),
        ("missing.json", "", "missing.json: The file cannot be read"),
        (f"{CONFIGS / REFUSED.replace('/', '-')}.json", "", "compress_ratios"),
        ("llama-3.1-8b", "--server no-such", "There is no server named 'no-such'"),
        ("llama-3.1-8b", "--catalogs no-such", "no-such"),
        ("llama-3.1-8b", "--tensor-parallel 2", "is 1, and 2 was asked for"),
        ("llama-3.1-8b", "--kv-precision fp8", "take 27.95 GiB of KV cache (fp8"),
        ("llama-3.1-8b", "--kv-precision fp4", "kv_precision is 'fp4'; it must be one of"),
        ("llama-3.1-8b", "--gpu-memory-utilization 2", "utilization is 2.0; it must be"),
        ("llama-3.1-8b", "--max-num-batched-tokens 0", "max_num_batched_tokens is 0; it must"),
        ("llama-3.1-8b", "--batches-in-flight 0", "batches_in_flight is 0; it must be"),
    ],
)
@LLAMA_RUN
def test_what_is_asked_wrongly_gets_one_sentence(
    model: str, more: str, words: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in refused(capsys, model, path, "--server", "dgx-h100", *more.split())


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("--tensor-parallel 1", "tensor_parallel_size is 2, and 1 was asked for"),
        ("--kv-precision bf16", "kv_cache_dtype is fp8, and bf16 was asked for"),
        ("--gpu-memory-utilization 0.9", "gpu_memory_utilization is 0.92, and 0.9 was"),
        ("--max-num-batched-tokens 8192", "max_num_batched_tokens is 16384, and 8192 was"),
    ],
)
def test_an_argument_that_the_log_contradicts_is_refused(
    more: str, words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "server.log"
    stated = (
        "'tensor_parallel_size': 2, 'gpu_memory_utilization': 0.92,\n"
        "Chunked prefill is enabled with max_num_batched_tokens=16384."
    )
    file.write_text(f"{log(RUNS[5])}\n{stated}", encoding="utf-8")
    found = refused(capsys, "gpt-oss-20b", str(file), "--server", "dgx-h100", *more.split())
    assert words in found


@pytest.mark.parametrize("more", ["", "--server dgx-h100 --tensor-parallel two"])
@LLAMA_RUN
def test_arguments_that_cannot_be_read_get_one_sentence(
    more: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["calibrate", "llama-3.1-8b", path, *more.split()])
    assert caught.value.code == 2
    ran = capsys.readouterr()
    assert ran.out == ""
    assert ran.err.count("\n") == 1


def test_a_log_that_is_not_there_gets_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for path in (str(tmp_path / "missing.log"), str(tmp_path)):
        sentence = refused(capsys, "llama-3.1-8b", path, "--server", "dgx-h100")
        assert sentence.startswith(f"{path} cannot be read (")
