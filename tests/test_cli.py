"""The command line: what it prints where, its exit codes, and what it refuses."""

import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.catalog.test_files import MODEL, minimal_documents, write_catalogs
from tests.conftest import PROJECT
from xlsizing.cli import main

INPUTS = {
    "--model": "gpt-oss-120b",
    "--server": "dgx300",
    "--storage": "profile_default",
    "--concurrency": "1000",
    "--effective-context": "131072",
}
NOTHING_FITS = {"--kv-budget-ratio": "0.05"}
KEYS = ["model", "server", "storage", "parameters", "results", "warnings", "alerts", "engine"]
PARAMETERS = [
    "concurrency",
    "effective_context",
    "kv_precision",
    "kv_budget_ratio",
    "runtime_overhead_gib",
    "peak_headroom_ratio",
    "ha_mode",
    "clamped_context",
]
RESULTS = [
    "kv_per_session_gib",
    "kv_total_tib",
    "sessions_per_node",
    "nodes_minimum",
    "nodes_with_headroom",
    "nodes_final",
]
ALERT = ["code", "severity", "message", "recommendation"]


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """Standard output, which must be JSON with finite numbers and nothing else."""

        def refuse(name: str) -> NoReturn:
            raise AssertionError(name)

        document: dict[str, Any] = json.loads(self.out, parse_constant=refuse)
        return document

    def sentence(self, code: int = 2) -> str:
        """The one sentence on standard error of a command that was refused."""
        assert self.code == code
        assert "Traceback" not in self.err
        assert self.err.endswith(".\n")
        assert self.err.count("\n") == 1
        return self.err


class Command:
    """Runs the command line in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ran:
        try:
            code = main(arguments)
        except SystemExit as left:
            code = int(left.code or 0)
        return Ran(code, *self._capsys.readouterr())

    def size(self, inputs: dict[str, str | None], *flags: str) -> Ran:
        return self("size", *options(inputs), *flags)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.delenv("XLSIZING_CATALOGS", raising=False)
    return Command(capsys)


def options(changes: dict[str, str | None]) -> list[str]:
    """The inputs of a sizing as arguments, some changed, or left out where None."""
    given = {**INPUTS, **changes}
    return [part for name, value in given.items() if value is not None for part in (name, value)]


def as_process(*arguments: str, **environment: str) -> Ran:
    done = subprocess.run(
        [sys.executable, "-m", "xlsizing", *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_process_prints_json_and_exits_0() -> None:
    ran = as_process("size", *options({"--ha": "n+1"}), "--json-only")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json()["results"]["nodes_final"] == 3


def test_a_process_that_is_refused_prints_a_sentence_and_exits_2() -> None:
    ran = as_process("size", *options({"--model": "gpt*"}), "--json-only")
    assert "'gpt*'" in ran.sentence()
    assert ran.out == ""


def test_a_process_where_nothing_fits_prints_both_and_exits_3() -> None:
    ran = as_process("size", *options({**NOTHING_FITS}), "--json-only")
    assert "Nothing fits" in ran.sentence(3)
    assert ran.json()["results"]["sessions_per_node"] == 0


def test_a_process_finds_the_catalogs_by_the_environment_variable(tmp_path: Path) -> None:
    ran = as_process("catalog", "list", "--json", XLSIZING_CATALOGS=write_catalogs(tmp_path))
    assert ran.json() == {"models": ["m"], "servers": ["s"], "profiles": ["p"]}


@pytest.mark.skipif(os.name != "posix", reason="only a POSIX shell closes an output; CI has one")
def test_a_closed_output_ends_without_a_traceback() -> None:
    command = f'"{sys.executable}" -m xlsizing catalog list >&-'
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
def test_a_full_disk_is_told_in_a_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "xlsizing", "catalog", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert done.returncode != 0


def test_letters_that_the_output_s_encoding_lacks_do_not_end_in_a_traceback(tmp_path: Path) -> None:
    documents = minimal_documents()
    documents["models.json"]["models"][0]["notes"] = "≈ 4 layers"
    folder = write_catalogs(tmp_path, documents)
    ran = as_process("catalog", "show", "m", "--catalogs", folder, PYTHONIOENCODING="cp1252")
    assert "Traceback" not in ran.err
    assert ran.code == 0


def test_json_has_the_promised_keys_and_exact_figures(command: Command) -> None:
    ran = command.size({"--ha": "n+1"}, "--json-only")
    assert (ran.code, ran.err) == (0, "")
    document = ran.json()
    assert list(document) == KEYS
    assert list(document["parameters"]) == PARAMETERS
    assert list(document["results"]) == RESULTS
    assert [list(alert) for alert in document["alerts"]] == [ALERT]
    assert [document[kind]["name"] for kind in KEYS[:3]] == [
        "gpt-oss-120b",
        "dgx-b300",
        "profile_default",
    ]
    assert document["model"]["hybrid_sliding_layers"] == 18
    assert document["server"]["total_hbm_gb"] == 2304
    assert document["storage"]["throughput_read_gbps"] == 28
    assert list(document["parameters"].values()) == [
        1000,
        131072,
        "fp8",
        0.7,
        120,
        0.2,
        "n+1",
        131072,
    ]
    # 18 * 131072 * 2 * 8 * 64 + 18 * 128 * 2 * 8 * 64 bytes
    assert list(document["results"].values()) == [
        2_418_278_400 / 2**30,
        2_418_278_400 * 1000 / 2**40,
        614,
        2,
        2,
        3,
    ]
    assert [alert["code"] for alert in document["alerts"]] == ["LONG_CONTEXT_IO"]
    assert document["warnings"] == [alert["message"] for alert in document["alerts"]]


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"--effective-context": "128000"}, []),
        ({"--effective-context": "128001"}, ["LONG_CONTEXT_IO"]),
        (
            {"--effective-context": "131073", "--kv-precision": "bf16"},
            ["CONTEXT_CLAMPED", "KV_PRECISION_16BIT", "LONG_CONTEXT_IO"],
        ),
        # 470 GB of weights; 8 * 81559 MiB * 0.3 + 120 GiB leave 334 GB, and 28 GB/s take 16.8 s.
        (
            {
                "--model": "qwen3-235b-a22b",
                "--server": "dgx-h100",
                "--effective-context": "8192",
                "--concurrency": "100",
            },
            ["WEIGHTS_NOT_COVERED", "KV_PRECISION_16BIT"],
        ),
        # 65.2 GB at 1 GB/s take 65 s; at 4 GB/s, 16 s.
        (
            {"--storage": "profile_hdd", "--effective-context": "1"},
            ["STORAGE_COLD_START"],
        ),
        (
            {"--storage": "profile_cloud_premium", "--effective-context": "1"},
            ["STORAGE_CLOUD_LATENCY"],
        ),
    ],
)
def test_alerts_come_in_order_and_leave_exit_code_0(
    command: Command, changes: dict[str, str | None], codes: list[str]
) -> None:
    ran = command.size(changes, "--json-only")
    assert (ran.code, ran.err) == (0, "")
    assert [alert["code"] for alert in ran.json()["alerts"]] == codes


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({"--effective-context": "200000"}, "effective_context", 200000),
        ({"--effective-context": "200000"}, "clamped_context", 131072),
        ({"--concurrency": "7"}, "concurrency", 7),
        ({"--kv-precision": "int8"}, "kv_precision", "int8"),
        ({"--kv-budget-ratio": "0.1234"}, "kv_budget_ratio", 0.1234),
        ({"--kv-budget-ratio": "1"}, "kv_budget_ratio", 1),
        ({"--runtime-overhead-gib": "0"}, "runtime_overhead_gib", 0),
        ({"--runtime-overhead-gib": "99.75"}, "runtime_overhead_gib", 99.75),
        ({"--peak-headroom-ratio": "1.5"}, "peak_headroom_ratio", 1.5),
        ({"--peak-headroom-ratio": ".25"}, "peak_headroom_ratio", 0.25),
        ({"--kv-precision": " FP8"}, "kv_precision", "fp8"),
        ({"--ha": "N+1"}, "ha_mode", "n+1"),
        ({}, "ha_mode", "none"),
    ],
)
def test_parameters_echo_what_was_typed(
    command: Command, changes: dict[str, str | None], name: str, value: object
) -> None:
    ran = command.size(changes, "--json-only")
    assert ran.code == 0
    assert ran.json()["parameters"][name] == value


def test_names_are_taken_in_any_case_with_blanks_and_by_alias(command: Command) -> None:
    loose = {"--model": " OPT-oss-120B ", "--server": "DGX300", "--storage": "Profile_Default"}
    assert command.size({**loose}, "--json-only") == command.size({}, "--json-only")


def test_size_prints_the_text_report_and_then_the_json(command: Command) -> None:
    only = command.size({"--ha": "n+1"}, "--json-only")
    ran = command.size({"--ha": "n+1"})
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("\n\n" + only.out)
    lines = [line.split() for line in ran.out.removesuffix(only.out).splitlines()]
    for words in (
        ["Nodes", "final", "3", "Medium"],
        ["Sessions", "per", "node", "614", "Medium"],
        ["KV", "cache", "per", "session", "2.2522", "GiB", "Large"],
        ["warning", "LONG_CONTEXT_IO"],
    ):
        assert words in lines


def test_where_nothing_fits_report_and_json_are_printed_and_the_exit_code_is_3(
    command: Command,
) -> None:
    only = command.size({**NOTHING_FITS}, "--json-only")
    ran = command.size({**NOTHING_FITS})
    assert ran.sentence(3) == only.sentence(3)
    assert ran.out.endswith("\n\n" + only.out)
    assert "HBM_BUDGET_INSUFFICIENT" in ran.out.removesuffix(only.out)
    document = only.json()
    assert list(document["results"].values())[2:] == [0, None, None, None]
    assert document["alerts"][0]["code"] == "HBM_BUDGET_INSUFFICIENT"
    assert document["alerts"][0]["message"] in ran.err


NUMBERS = {
    "--concurrency": ["0", "-5", "1,000", "1.000", "1 000", "1_000", "1e3", "1.5", "nan", ""],
    "--effective-context": ["0", "-1", "128k", "1e5", "131,072", "inf", "\u0665", "9" * 301],
    "--kv-budget-ratio": [
        "0",
        "-0.5",
        "1.0001",
        "0.70001",
        "0,7",
        "70%",
        "7e-1",
        "nan",
        "inf",
        "0.70000000000000001",
    ],
    "--runtime-overhead-gib": ["-1", "-0.01", "0.001", "120GiB", "1,5", "1e2", "NaN", "9" * 400],
    "--peak-headroom-ratio": [
        "-0.2",
        "0.12345",
        "0.00001",
        "0,2",
        "20%",
        "1e-1",
        "nan",
        ".",
        "1.2.3",
    ],
}
OTHERS = {
    "--model": ["gpt*", "gpt-oss-120?", "", "dgx300", "no such model"],
    "--server": ["dgx*", "", "gpt-oss-120b", "dgx-9000"],
    "--storage": ["profile_*", "", "nvme_local"],
    "--kv-precision": ["fp4", "fp 8", "", "8"],
    "--ha": ["n+2", "n + 1", "", "yes"],
    "--catalogs": ["/no/such/folder"],
}


@pytest.mark.parametrize("with_report", [False, True], ids=["size", "report"])
@pytest.mark.parametrize(
    ("option", "value"),
    [(option, value) for table in (NUMBERS, OTHERS) for option in table for value in table[option]],
)
def test_a_bad_value_is_refused_with_a_sentence_that_names_it(
    command: Command, tmp_path: Path, option: str, value: str, with_report: bool
) -> None:
    out = tmp_path / "report.xlsx"
    start = ["report", str(out)] if with_report else ["size"]
    ran = command(*start, *options({option: value}))
    sentence = ran.sentence()
    shown = re.escape(value[:60] or "'")
    assert re.search(rf"(^|is |'){shown}", sentence)
    assert ran.out == ""
    assert not out.exists()


@pytest.mark.parametrize("option", INPUTS)
def test_a_missing_option_is_named(command: Command, option: str) -> None:
    sentence = command.size({option: None}).sentence()
    assert option in sentence
    assert not any(other in sentence for other in INPUTS if other != option)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "COMMAND"),
        (["sizes"], "'sizes'"),
        (["catalog"], "ACTION"),
        (["catalog", "remove"], "'remove'"),
        (["catalog", "show"], "NAME"),
        (["catalog", "show", "gpt*"], "'gpt*'"),
        (["catalog", "show", "gpt-oss"], "gpt-oss-120b"),
        (["catalog", "list", "extra"], "extra"),
        (["size", *options({"--nodes": "4"})], "--nodes"),
        (["size", *options({}), "--json"], "--json"),
        (["size", *options({"--concurrency": None, "--conc": "5"})], "--concurrency"),
        (["size", *options({"--concurrency": None}), "--concurrency"], "--concurrency"),
        (["template"], "OUT.xlsx"),
        (["report", *options({})], "OUT.xlsx"),
    ],
)
def test_wrong_commands_and_options_are_named(
    command: Command, arguments: list[str], named: str
) -> None:
    ran = command(*arguments)
    assert named in ran.sentence()
    assert ran.out == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["size", "template", "report", "catalog"]),
        (["size", "--help"], [*INPUTS, "--ha", "--json-only", "--catalogs"]),
        (["template", "--help"], ["OUT.xlsx", "--force"]),
        (["report", "--help"], [*INPUTS, "--force"]),
        (["catalog", "--help"], ["list", "show", "validate"]),
        (["--version"], ["xlsizing "]),
    ],
)
def test_help_and_version_exit_0(command: Command, arguments: list[str], words: list[str]) -> None:
    ran = command(*arguments)
    assert (ran.code, ran.err) == (0, "")
    assert all(word in ran.out for word in words)


WRITING = pytest.mark.parametrize(
    "arguments", [["template"], ["report", *options({})]], ids=["template", "report"]
)


@WRITING
def test_a_workbook_is_written_and_replaced_only_with_force(
    command: Command, tmp_path: Path, arguments: list[str]
) -> None:
    out = tmp_path / "Plan.XLSX"
    ran = command(*arguments, str(out))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith(f"Wrote {out}.\n")
    assert zipfile.is_zipfile(out)
    out.write_bytes(b"somebody's own")
    ran = command(*arguments, str(out))
    assert str(out) in ran.sentence()
    assert "--force" in ran.err
    assert ran.out == ""
    assert out.read_bytes() == b"somebody's own"
    assert command(*arguments, str(out), "--force").code == 0
    assert zipfile.is_zipfile(out)
    assert [path.name for path in tmp_path.iterdir()] == ["Plan.XLSX"]


@WRITING
@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "force"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plan.xls", "ends in .xlsx"),
        ("plan.xlsm", "ends in .xlsx"),
        ("plan", "ends in .xlsx"),
        ("missing/plan.xlsx", "no folder"),
        ("folder.xlsx", "is a folder"),
        ("file.txt/plan.xlsx", "no folder"),
        ("x" * 300 + ".xlsx", "too long"),
    ],
)
def test_a_workbook_is_not_written_to_a_wrong_place(
    command: Command, tmp_path: Path, arguments: list[str], force: list[str], name: str, words: str
) -> None:
    (tmp_path / "folder.xlsx").mkdir()
    (tmp_path / "file.txt").touch()
    ran = command(*arguments, str(tmp_path / name), *force)
    assert words in ran.sentence()
    assert str(Path(name).parent if words == "no folder" else name) in ran.err
    assert ran.out == ""
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file.txt", "folder.xlsx"]


def test_report_prints_the_text_and_no_json(command: Command, tmp_path: Path) -> None:
    ran = command("report", str(tmp_path / "r.xlsx"), *options({}))
    sized = command.size({})
    text = sized.out.split("\n{", 1)[0]
    assert ran.out == f"{text}\nWrote {tmp_path / 'r.xlsx'}.\n"


def test_a_report_is_written_where_nothing_fits(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "r.xlsx"
    ran = command("report", str(out), *options({**NOTHING_FITS}))
    assert "Nothing fits" in ran.sentence(3)
    assert "HBM_BUDGET_INSUFFICIENT" in ran.out
    assert zipfile.is_zipfile(out)


def test_catalog_list_prints_the_names_of_the_files(command: Command) -> None:
    files = {"models": "models.json", "servers": "servers.json", "profiles": "storage.json"}
    expected = {
        kind: [
            entry["name"]
            for entry in json.loads((PROJECT / "catalogs" / file).read_text("utf-8"))[kind]
        ]
        for kind, file in files.items()
    }
    ran = command("catalog", "list", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert list(ran.json().items()) == list(expected.items())
    text = command("catalog", "list").out.split()
    assert text == [word for kind, names in expected.items() for word in (f"{kind}:", *names)]


def test_catalog_show_prints_the_entry_of_an_alias_with_its_sources(command: Command) -> None:
    ran = command("catalog", "show", " DGX300")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "dgx-b300"
    (mib,) = [line for line in lines if "hbm_per_gpu_mib" in line]
    assert mib.split()[1] == "275040"
    assert mib.endswith("('275040MiB reported by nvidia-smi')")
    assert "dgx300" in ran.out


def test_catalog_show_prints_all_entries_that_share_a_name(
    command: Command, tmp_path: Path
) -> None:
    documents = minimal_documents()
    documents["servers.json"]["servers"][0]["aliases"] = ["M"]
    folder = write_catalogs(tmp_path, documents)
    blocks = command("catalog", "show", "m", "--catalogs", folder).out.split("\n\n")
    assert [block.split()[0] for block in blocks] == ["m", "s"]


def test_catalog_validate_counts_the_entries_of_a_good_folder(
    command: Command, tmp_path: Path
) -> None:
    ran = command("catalog", "validate", "--catalogs", write_catalogs(tmp_path))
    assert (ran.code, ran.err) == (0, "")
    assert "Models: 1, servers: 1, storage profiles: 1" in ran.out
    assert command("catalog", "validate").code == 0


FAULTY = {
    "models.json": {"models": [{**MODEL, "num_layers": 0, "layers": 4}]},
    "servers.json": '{"servers": [',
    "storage.json": {"profiles": []},
}


@pytest.mark.parametrize(
    "arguments",
    [["catalog", "validate"], ["catalog", "list"], ["size", *options({})], ["template", "t.xlsx"]],
    ids=["validate", "list", "size", "template"],
)
def test_every_command_lists_all_faults_of_a_folder_and_exits_2(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_catalogs(tmp_path / "faulty", FAULTY)
    ran = command(*arguments, "--catalogs", folder)
    assert (ran.code, ran.out) == (2, "")
    places = [
        ("models.json", "models[0].layers"),
        ("models.json", "models[0].num_layers"),
        ("servers.json", "line 1, column 14"),
        ("storage.json", "profiles"),
    ]
    starts = [f"{os.path.join(folder, file)}: {path}: " for file, path in places]
    lines = sorted(ran.err.splitlines())
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start)
        assert line.endswith(".")
    assert not (tmp_path / "t.xlsx").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sise"], "There is no command 'sise'; the nearest are size. See xlsizing --help."),
        (["xyzzy"], "There is no command 'xyzzy'; there are size, template, report, "),
        (
            ["catalog", "lst"],
            "There is no command 'lst'; the nearest are list. See xlsizing catalog",
        ),
        (
            ["catalog", "list", "--jsn"],
            "There is no option --jsn here; the nearest are --json. See",
        ),
        (
            ["size", *options({"--concurrency": None}), "--concurency", "1000"],
            "There is no option --concurency here; the nearest are --concurrency. See",
        ),
        (
            ["size", "--modle", "a", *options({"--model": None})],
            "There is no option --modle here; the nearest are --model",
        ),
        (["size", "--modle=a"], "There is no option --modle here; the nearest are --model"),
        (["kv", "--contxt", "5", "m"], "There is no option --contxt here; the nearest are --cont"),
        (["--versoin"], "There is no option --versoin here; the nearest are --version"),
        (["--quite", "a", "size"], "There is no option --quite here; the nearest are --quiet"),
        (["siez", "--modle", "a"], "There is no command 'siez'; the nearest are size."),
        (["doctor", "a", "b"], "'b' is one argument too many. See xlsizing doctor --help."),
        (["kv", "m"], "Of the arguments are missing: --context. See xlsizing kv --help."),
        (["kv", "m", "--context"], "--context is given without its value. See xlsizing kv --help."),
        (
            ["kv", "m", "--json=1"],
            "--json takes no value, but '1' is given. See xlsizing kv --help.",
        ),
        (
            ["kv", "m", "--context", "1.000"],
            "--context: '1.000' is typed without separators: 1000.",
        ),
        (
            ["kv", "m", "--context", "1,000"],
            "--context: '1,000' is typed without separators: 1000.",
        ),
        (["kv", "m", "--context", "1e3"], "--context: '1e3' is not a whole number such as 1000."),
        (
            ["kv", "m", "--context", "9", "--kv-pool-gib", "0,5"],
            "--kv-pool-gib: '0,5' is typed with a decimal point: 0.5. See xlsizing kv --help.",
        ),
        (
            ["kv", "m", "--context", "9", "--kv-pool-gib", "x"],
            "--kv-pool-gib: 'x' is not a number such as 0.25. See xlsizing kv --help.",
        ),
    ],
)
def test_a_wrong_call_is_refused_with_what_would_be_right(
    command: Command, arguments: list[str], sentence: str
) -> None:
    ran = command(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(sentence)
    assert ran.err.count("\n") == 1
    portuguese = command(*arguments, "--lang", "pt-BR") if arguments[-1] != "--context" else ran
    assert portuguese.code == 2
    assert portuguese is ran or portuguese.err != ran.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["siez"], "O comando 'siez' não existe; parecidos: size. "),
        (["kv", "m", "--contxt"], "A opção --contxt não existe aqui; parecidas: --context"),
        (["kv", "m"], "Faltam argumentos: --context. "),
    ],
)
def test_a_wrong_call_is_refused_in_portuguese(
    command: Command, arguments: list[str], sentence: str
) -> None:
    assert command("--lang", "pt-BR", *arguments).err.startswith(sentence)
