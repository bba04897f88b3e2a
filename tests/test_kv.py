"""The command `kv`, on what others recorded: the same figures from the command line, end to end."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.core.published import CONFIGS, REFUSED, row_id, rows
from tests.core.test_engine_rows import KINDS
from xlsizing.cli import main

ROWS = rows("vllm_planner_rows.json")
CACHES = [row for row in rows("hf_cache_rows.json") if row["model"] != REFUSED]


def config(name: str) -> str:
    return str(CONFIGS / f"{name.replace('/', '-')}.json")


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["kv", *arguments, "--json"]) == 0
    ran = capsys.readouterr()
    assert ran.err == ""
    found: dict[str, Any] = json.loads(ran.out)
    return found


def test_every_row_of_the_planner_comes_out_of_the_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for row in ROWS:
        state = ["--ssm-state-dtype", row["ssm_state_dtype"]] if row["ssm_state_dtype"] else []
        found = document(
            capsys,
            config(row["model"]),
            *("--context", str(row["max_model_len"]), "--tensor-parallel", str(row["tp"])),
            *("--kv-precision", "bf16", "--kv-pool-gib", "40", *state),
        )
        engine = found.pop("engine")
        engine.pop("steady_decode")
        assert engine == {
            "kv_bytes_per_request": row["bytes_per_request"],
            "bytes_per_block": row["bytes_per_block"],
            "blocks_per_request": row["blocks_per_request"],
            "num_blocks": row["num_blocks"],
            "max_concurrency": row["max_concurrency_log"],
            "groups": [{**group, "kind": KINDS[group["kind"]]} for group in row["groups"]],
        }, row_id(row)
        assert found["tensor_parallel"] == row["tp"]


def test_every_cache_of_transformers_comes_out_of_the_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for row in CACHES:
        found = document(capsys, config(row["model"]), "--context", str(row["tokens_total"]))
        assert found["transformers_bytes"] == row["total_bytes"], row_id(row)


def test_the_text_shows_the_three_figures_and_how_they_come_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = "kv gpt-oss-120b --context 131072 --kv-precision bf16 --kv-pool-gib 5.38"
    assert main(arguments.split()) == 0
    assert capsys.readouterr().out == TEXT


TEXT = """\
One session of 131,072 tokens on gpt-oss-120b, KV cache in bf16

Planning formula                4.5044 GiB           4,836,556,800 bytes
transformers cache              4.5044 GiB           4,836,519,936 bytes  in 16 bits
Engine, steady decode           4.5049 GiB           4,837,146,624 bytes
Engine bound                    5.0674 GiB           5,441,126,400 bytes

Layers
  18 x sliding, 8 KV heads x (64 + 64) elements a token, window of 128 tokens
  18 x full, 8 KV heads x (64 + 64) elements a token

Engine blocks on one GPU, 8,192 tokens x 2 batches in flight
  1 group of up to 18 sliding layers: 16 tokens, 32,768 bytes a page, 1,033 blocks a request
  1 group of up to 18 full layers: 16 tokens, 32,768 bytes a page, 8,192 blocks a request
  9,225 blocks x 589,824 bytes = 5,441,126,400 bytes a request
  A pool of 9,793 blocks: 1.06 requests in the log, 1 admitted
"""
"""The bytes and blocks are those of the planner's case "gpt-oss-120b tp1 mnbt8192x2"."""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("gpt-oss-120b --context 0", "context is 0; it must be a whole number of at least 1"),
        ("gpt-oss-120b --context 9 --tensor-parallel 3", "tensor_parallel is 3; it must be a size"),
        ("gpt-oss-120b --context 9 --tensor-parallel 0", "tensor_parallel is 0; it must be"),
        ("gpt-oss-120b --context 9 --ssm-state-dtype float32", "has no state-space layers"),
        ("gpt-oss-120b --context 9 --ssm-state-dtype fp64", "one of float32, bfloat16, float16"),
        ("gpt-oss-120b --context 9 --kv-precision fp4", "kv_precision is 'fp4'"),
        ("gpt-oss-120b --context 9 --state-caching all", "state_caching is 'all'"),
        ("gpt-oss-120b --context 9 --kv-pool-gib 0.00001", "with at most 4 decimals"),
        ("gpt-oss-120b --context 9 --batches-in-flight 0", "batches_in_flight is 0"),
        ("gpt-oss --context 9", "There is no model named 'gpt-oss'"),
        ("missing/config.json --context 9", "missing/config.json"),
    ],
)
def test_what_is_asked_wrongly_gets_one_sentence(
    arguments: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kv", *arguments.split()]) == 2
    ran = capsys.readouterr()
    assert ran.out == ""
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_what_the_engine_does_not_start_is_said_beside_the_other_figures(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = (config("ai21labs/Jamba-v0.1"), "--context", "601", "--no-hybrid-manager")
    found = document(capsys, *arguments)
    assert found["transformers_bytes"] == 26_361_856
    assert list(found["engine"]) == ["unknown"]
    assert main(["kv", *arguments]) == 0
    assert f"not known: {found['engine']['unknown']}" in capsys.readouterr().out


def test_a_config_that_is_imported_becomes_an_entry_that_the_catalog_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in ("models.json", "servers.json", "storage.json"):
        (tmp_path / file).write_bytes((PROJECT / "catalogs" / file).read_bytes())
    source = config("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16")
    assert main(["catalog", "import-hf", source, "--name", "nano"]) == 0
    ran = capsys.readouterr()
    assert "layer_groups.state.heads = 64  <-  mamba_num_heads" in ran.err.splitlines()
    models = json.loads((tmp_path / "models.json").read_text(encoding="utf-8"))
    models["models"].append(json.loads(ran.out))
    (tmp_path / "models.json").write_text(json.dumps(models), encoding="utf-8")
    assert main(["catalog", "validate", "--catalogs", str(tmp_path)]) == 0
    capsys.readouterr()
    by_name = document(capsys, "nano", "--context", "8192", "--catalogs", str(tmp_path))
    by_file = document(capsys, source, "--context", "8192")
    assert {**by_file, "model": "nano"} == by_name


def test_an_architecture_that_is_not_known_is_refused_with_the_field_that_decided(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["catalog", "import-hf", config(REFUSED), "--name", "v4"]) == 2
    ran = capsys.readouterr()
    assert ran.out == ""
    assert "compress_ratios" in ran.err
    assert ran.err.count("\n") == 1
