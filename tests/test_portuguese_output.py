"""What each command prints in Portuguese: no word of English, and the same figures.

A command runs in both languages. What it prints in Portuguese is made of words that
translations have and of names; a line that is the same in both is made of names alone.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from tests.book.plans import opened, plan, saved, the_template
from tests.conftest import PROJECT
from tests.mail.conftest import draft
from tests.mail.servers import real_server
from tests.translations import translations
from xlsizing.cli import main
from xlsizing.core.alerts import ALERT_RULES
from xlsizing.excel.server import serving

CONFIGS = PROJECT / "tests" / "data" / "hf_configs"
RUNS = json.loads((PROJECT / "tests" / "data" / "vllm_logs_h100.json").read_text(encoding="utf-8"))
SIGNS = str.maketrans(",.", ".,")
PLAN = "plan.xlsx"

Prepare = Callable[[], None]
Said = Callable[..., tuple[str, str]]


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{2,}", text))


def figures(text: str) -> list[str]:
    return re.findall(r"\d(?:[\d.,]*\d)?", text)


def _entries() -> list[dict[str, Any]]:
    found = []
    for file, key in (("models", "models"), ("servers", "servers"), ("storage", "profiles")):
        path = PROJECT / "catalogs" / f"{file}.json"
        found += json.loads(path.read_text(encoding="utf-8"))[key]
    return found


ENTRIES = {entry["name"]: entry for entry in _entries()}
NAMES = words(" ".join([*ENTRIES, *(name for entry in ENTRIES.values() for name in entry)]))
"""Names of entries and of their fields."""
UNITS = words("GiB TiB GB MiB bytes tokens GPU GPUs KV")
PORTUGUESE = words(" ".join(str(each.string) for each in translations() if each.id))


@pytest.fixture
def said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Said:
    """Runs a command in English and in Portuguese, each in a folder with the same files."""
    for name in ("XLSIZING_CATALOGS", "XLSIZING_SMTP_SERVER", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)

    def run(prepare: Prepare, *arguments: str, only_errors: bool = False) -> tuple[str, str]:
        printed, codes = [], []
        for language in ("en", "pt-BR"):
            folder = tmp_path / language
            folder.mkdir(exist_ok=True)
            monkeypatch.chdir(folder)
            prepare()
            codes.append(main([*arguments, "--lang", language]))
            out, err = capsys.readouterr()
            printed.append(err if only_errors else out + err)
        assert codes[0] == codes[1]
        return printed[0], printed[1]

    return run


def require_said(english: str, portuguese: str, names: str = "") -> None:
    """Everything is said in Portuguese, but for names, and with the reader's figures."""
    known = NAMES | words(names)
    assert words(portuguese) - PORTUGUESE - known - UNITS == set()
    both = set(english.splitlines()) & set(portuguese.splitlines())
    assert [line for line in sorted(both) if words(line) - known - UNITS] == []
    ours, theirs = figures(english), figures(portuguese)
    assert sorted(map(_digits, ours)) == sorted(map(_digits, theirs))
    grouped = {each for each in ours if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", each)}
    assert {each.translate(SIGNS) for each in grouped} <= set(theirs)
    assert not {each for each in grouped if each in theirs}


def _digits(figure: str) -> str:
    return re.sub("[.,]", "", figure)


def nothing() -> None:
    """No file is needed."""


@pytest.mark.parametrize("model", ["gpt-oss-20b", "nemotron-3-nano-30b-a3b"])
def test_kv(said: Said, model: str) -> None:
    arguments = ("kv", model, "--context", "300000", "--kv-pool-gib", "20")
    both = said(nothing, *arguments, "--tensor-parallel", "8")
    require_said(*both, "full sliding state mamba float bfloat bf fp MXFP")
    assert both[1].startswith(f"Uma sessão de 300.000 tokens em {model}, cache KV em ")


def test_kv_of_latent_layers(said: Said) -> None:
    config = str(CONFIGS / "deepseek-ai-DeepSeek-V3.2.json")
    require_said(
        *said(nothing, "kv", config, "--context", "1"), f"{Path(config).stem} bf fp latent"
    )


def write_log(lines: Sequence[str]) -> Prepare:
    return lambda: _write("log.txt", "\n".join(lines))


def _write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


CALIBRATED = {
    "openai-gpt-oss-20b": "gpt-oss-20b",
    "nvidia-NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": "nemotron-3-nano-30b-a3b",
}


@pytest.mark.parametrize("config", CALIBRATED)
def test_calibrate(said: Said, config: str) -> None:
    run = next(run for run in RUNS["runs"] if run["model"] == config)
    few = [line for line in run["log"] if "KV cache" in line or "Maximum" in line]
    flags = "tensor parallel kv precision max num batched tokens batches in flight gpu memory "
    flags += (
        "utilization activation gib runtime ssm state dtype caching align pool no hybrid manager"
    )
    for lines in (run["log"], few):
        both = said(
            write_log(lines), "calibrate", CALIBRATED[config], "log.txt", "--server", "dgx-h100"
        )
        require_said(*both, f"{flags} vLLM float bfloat bf fp max_num_batched_tokens align none")


def test_calibrations_as_json_are_english_unless_asked_for(
    said: Said, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("calibrate", "llama-3.1-8b", "log.txt", "--server", "dgx-h100", "--json")
    english, portuguese = said(write_log(RUNS["runs"][0]["log"]), *arguments)
    remarks = [json.loads(each)["remarks"] for each in (english, portuguese)]
    assert len(remarks[0]) == len(remarks[1]) > 0
    assert not set(remarks[0]) & set(remarks[1])
    assert words(" ".join(remarks[1])) <= PORTUGUESE | NAMES
    monkeypatch.setenv("LANGUAGE", "pt_BR")
    assert main(arguments) == 0
    assert capsys.readouterr().out == english


def test_the_catalogs(said: Said) -> None:
    require_said(*said(nothing, "catalog", "list"))


def test_catalogs_without_a_fault(said: Said) -> None:
    require_said(*said(nothing, "catalog", "validate"))


def test_an_entry(said: Said) -> None:
    name = next(name for name, entry in ENTRIES.items() if "*" in entry.get("sources", {}))
    english, portuguese = said(nothing, "catalog", "show", name)
    # What the catalog says itself is shown as it stands there.
    require_said(english, portuguese, json.dumps(ENTRIES[name], ensure_ascii=False))
    assert "  other figures: " in english
    assert "  outros valores: " in portuguese


def test_an_entry_with_layer_groups(said: Said) -> None:
    name = next(name for name, entry in ENTRIES.items() if len(entry.get("layer_groups", ())) > 1)
    english, portuguese = said(nothing, "catalog", "show", name)
    assert re.search(r"  layer_groups +\d+ x .*; \d+ x ", english)
    require_said(english, portuguese, json.dumps(ENTRIES[name], ensure_ascii=False))


@pytest.mark.parametrize(
    "config",
    [
        "Qwen-Qwen2.5-7B-Instruct",
        "deepseek-ai-DeepSeek-V3.2",
        "google-gemma-3-27b-it",
        "openai-gpt-oss-20b",
        "tiiuae-Falcon-H1-34B-Instruct",
        "tiiuae-Falcon3-Mamba-7B-Base",
        "nvidia-Llama-3-3-Nemotron-Super-49B-v1",
        "XiaomiMiMo-MiMo-7B-Base",
    ],
)
def test_readings_of_a_config(said: Said, config: str) -> None:
    file = CONFIGS / f"{config}.json"
    arguments = ("catalog", "import-hf", str(file), "--name", "new")
    english, portuguese = said(nothing, *arguments, only_errors=True)
    names = (
        "full sliding latent state mamba gated delta net heads head dim conv kernel size groups "
    )
    names += "layer window rank rope indexer bf bfloat fp recurrent transformers Config"
    names += file.read_text(encoding="utf-8")
    # Classes, as in Gemma3TextConfig.
    names += " ".join(re.findall(r"default of (\w+) ", english))
    assert english != portuguese
    require_said("\n".join(_sources(english)), "\n".join(_sources(portuguese)), names)


def _sources(readings: str) -> list[str]:
    """The sources that are no fields of the config, which are the same in all languages."""
    sources = [line.partition("  <-  ")[2] for line in readings.splitlines()]
    return [source for source in sources if " " in source]


def changed_catalogs() -> None:
    """A plan, and catalogs that are others than those it was made from."""
    Path(PLAN).write_bytes(the_template())
    Path("catalogs").mkdir()
    for file in ("models", "servers", "storage"):
        document = json.loads((PROJECT / "catalogs" / f"{file}.json").read_text(encoding="utf-8"))
        if file == "servers":
            document["servers"] = _changed(document["servers"])
        _write(f"catalogs/{file}.json", json.dumps(document))


def _changed(servers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    by_name = {server["name"]: dict(server) for server in servers}
    by_name["dgx-b300"]["hbm_per_gpu_mib"] //= 2
    del by_name["8x-mi355x"]
    return [*by_name.values(), {"name": "our-server", "gpus": 8, "hbm_per_gpu_gb": 80}]


def own_rows() -> None:
    """The same, and rows in the plan that no catalog has."""
    changed_catalogs()
    book = opened()
    servers = book["Servers"]
    first = [cell.value for cell in servers["A"]].index("dgx-b300") + 1
    servers.cell(first, 2).value = 7
    servers.cell(first + 1, 1).value = "renamed"
    servers.cell(first + 2, 1).value = "broken"
    servers.cell(first + 2, 2).value = None
    Path(PLAN).write_bytes(saved(book))


SYNCED = (PLAN, "--catalogs", "catalogs")


@pytest.mark.parametrize("options", [("--check",), ("--pull", "pulled.json"), ("--backup",)])
@pytest.mark.parametrize("prepare", [changed_catalogs, own_rows])
def test_sync(said: Said, prepare: Prepare, options: Sequence[str]) -> None:
    both = said(prepare, "sync", *SYNCED, *options)
    heads = " ".join(str(cell.value) for row in opened()["Servers"].iter_rows() for cell in row)
    names = f"{heads} plan xlsx bak pulled json Pilot Launch Growth our renamed broken Servers ServerAliases Sizing"
    require_said(*both, names)
    assert "Planos que usam o que muda:" in both[1]


def test_sync_of_several(said: Said) -> None:
    def prepare() -> None:
        changed_catalogs()
        Path("other.xlsx").write_bytes(Path(PLAN).read_bytes())

    english, portuguese = said(prepare, "sync", PLAN, "other.xlsx")
    assert english.endswith("\n2 workbooks: 2 current.\n")
    require_said(english, portuguese, "plan other xlsx")


def test_a_template(said: Said) -> None:
    require_said(*said(nothing, "template", "new.xlsx"), "new xlsx")


def test_a_report_of_a_workbook(said: Said) -> None:
    def prepare() -> None:
        changed_catalogs()
        load = {"Model": "gpt-oss-120b", "Server": "dgx-b300", "Storage": "profile_default"}
        row = {
            "Scenario": "Pilot",
            "Active": "yes",
            **load,
            "Concurrency": 1_000,
            "Context": 131_072,
        }
        Path(PLAN).write_bytes(plan([row], {"Input_BaseScenario": "Nobody"}))

    arguments = ("report", "out.xlsx", "--from", PLAN, "--catalogs", "catalogs")
    english, portuguese = said(prepare, *arguments)
    assert english.count("Note: ") == 2
    codes = " ".join(rule.code for rule in ALERT_RULES.values())
    names = f"Nobody Pilot Servers Usable HBM MiB per GPU fp OK {codes} out xlsx"
    require_said(english, portuguese, names)


def write_draft() -> None:
    """A draft of a mail."""
    Path("draft.eml").write_bytes(draft().as_bytes(policy=SMTP))


MAIL = f"draft eml localhost Message ID {draft()}"


@pytest.mark.parametrize("security", ["starttls", "none"])
def test_a_mail_that_is_not_sent(
    said: Said, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    if security != "none":
        monkeypatch.setenv("XLSIZING_SMTP_USERNAME", "me")
        monkeypatch.setenv("XLSIZING_SMTP_PASSWORD", "tr0mbone")
    arguments = ("--server", "localhost", "--security", security, "--dry-run")
    require_said(*said(write_draft, "send", "draft.eml", *arguments), f"{MAIL} STARTTLS")


def test_a_mail_that_is_sent(said: Said) -> None:
    with real_server() as (server, _):
        arguments = ("send", "draft.eml", "--server", server, "--security", "none")
        english, portuguese = said(write_draft, *arguments)
    assert "localhost" in english
    require_said(english, portuguese, f"{MAIL} OK Taken")


def test_serving(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    class Server:
        address = "http://127.0.0.1:8000"
        manifest = "http://127.0.0.1:8000/manifest"

        def serve(self) -> None:
            """It ends at once."""

    monkeypatch.setattr(serving, "listen", lambda *_: Server())
    require_said(*said(nothing, "serve"), "http manifest Ctrl")


def test_what_the_doctor_counts(said: Said) -> None:
    english, portuguese = said(nothing, "doctor")
    assert english.endswith(" not checked.\n")
    assert portuguese.endswith(" sem verificação.\n")
    assert not set(english.splitlines()) & set(portuguese.splitlines()) - {""}
