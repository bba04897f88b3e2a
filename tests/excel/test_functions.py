"""The functions that Excel calls, as plain functions under xlwings' inert decorators."""

import inspect
import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib.util import module_from_spec, spec_from_file_location
from itertools import product
from math import ceil, floor
from typing import Any

import pytest
import xlwings

from tests.conftest import PROJECT
from tests.core.published import rows
from tests.excel.remembered import forget
from xlsizing.excel import functions
from xlsizing.excel.functions import (
    ENGINE_KV_PER_SESSION,
    ENGINE_NODES_REQUIRED,
    ENGINE_SESSIONS_PER_NODE,
    KV_PER_SESSION,
    KV_TOTAL,
    NODES_MINIMUM,
    NODES_REQUIRED,
    NODES_WITH_HEADROOM,
    SESSIONS_PER_NODE,
)

Function = Callable[..., Any]

NODE_ARGUMENTS = (
    "model server concurrency context [precision] [kv_budget_ratio] [runtime_overhead_gib] "
    "[headroom] [ha]"
)
ARGUMENTS = {
    "KV_PER_SESSION": "model context [precision]",
    "KV_TOTAL": "model context concurrency [precision]",
    "SESSIONS_PER_NODE": (
        "model server context [precision] [kv_budget_ratio] [runtime_overhead_gib]"
    ),
    "NODES_MINIMUM": NODE_ARGUMENTS,
    "NODES_WITH_HEADROOM": NODE_ARGUMENTS,
    "NODES_REQUIRED": NODE_ARGUMENTS,
    "ENGINE_KV_PER_SESSION": "model context [precision] [tensor_parallel]",
    "ENGINE_SESSIONS_PER_NODE": (
        "model server context [precision] [kv_budget_ratio] [runtime_overhead_gib] "
        "[tensor_parallel]"
    ),
    "ENGINE_NODES_REQUIRED": f"{NODE_ARGUMENTS} [tensor_parallel]",
}
"""The arguments of each function in their order, optional ones in brackets."""

MODEL, SERVER, CONTEXT, SESSIONS = "gpt-oss-120b", "dgx-b300", 131_072, 1_000
LONGEST_NOTE = 255

GOOD: dict[str, Any] = {
    "model": MODEL,
    "server": SERVER,
    "concurrency": SESSIONS,
    "context": CONTEXT,
    "precision": "fp8",
    "kv_budget_ratio": 0.70,
    "runtime_overhead_gib": 120,
    "headroom": 0.20,
    "ha": "none",
    "tensor_parallel": 1,
}


def arguments(name: str) -> list[str]:
    return [each.strip("[]") for each in ARGUMENTS[name].split()]


def call(name: str, **changed: Any) -> Any:
    """A function by name with good arguments but for those that are given."""
    function: Function = getattr(functions, name)
    return function(*({**GOOD, **changed}[each] for each in arguments(name)))


def with_argument(argument: str) -> list[str]:
    return [name for name in ARGUMENTS if argument in arguments(name)]


@pytest.fixture(autouse=True)
def shipped_catalogs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("XLSIZING_CATALOGS", raising=False)
    forget()
    yield
    forget()


def test_worked_case_of_the_method() -> None:
    assert KV_PER_SESSION(MODEL, CONTEXT, "fp8") == 2.252197265625
    assert KV_TOTAL(MODEL, CONTEXT, SESSIONS, "fp8") == 2_418_278_400_000 / 2**40
    assert SESSIONS_PER_NODE(MODEL, SERVER, CONTEXT, "fp8") == 614
    assert NODES_MINIMUM(MODEL, SERVER, SESSIONS, CONTEXT, "fp8", 0.7, 120, 0.2, "n+1") == 2
    assert NODES_WITH_HEADROOM(MODEL, SERVER, SESSIONS, CONTEXT, "fp8", 0.7, 120, 0.2, "n+1") == 2
    assert NODES_REQUIRED(MODEL, SERVER, SESSIONS, CONTEXT, "fp8", 0.7, 120, 0.2, "n+1") == 3


ROWS = {
    (row["model"], row["tp"], row["max_model_len"]): row["bytes_per_request"]
    for row in rows("vllm_planner_rows.json")
}
"""What vLLM's planner sets aside for a request on one GPU, in 16 bits [bytes]."""


@pytest.mark.parametrize("size", [1, 2, 4, 8, 16])
@pytest.mark.parametrize(
    ("model", "repository"),
    [
        ("llama-3.1-8b", "meta-llama/Meta-Llama-3.1-8B"),
        ("gpt-oss-120b", "openai/gpt-oss-120b"),
        ("gemma-3-27b-it", "google/gemma-3-27b-it"),
    ],
)
def test_the_engines_kv_cache_is_that_of_the_planner_on_every_gpu_of_a_replica(
    model: str, repository: str, size: int
) -> None:
    on_one = ROWS[repository, size, 131_072]
    found = ENGINE_KV_PER_SESSION(model, 131_072, "bf16", size)
    assert found == on_one * size / 2**30


def test_engine_sessions_and_nodes_follow_from_the_blocks_of_the_pool() -> None:
    # One B300 reports 275,040 MiB, of which 0.6 % cannot be allocated; 0.92 of the rest less the
    # published weights and 4 GiB is the pool. Blocks in fp8 are half of the planner's in bf16.
    usable = 275_040 * 2**20 * 994 // 1000
    pool = usable * 92 // 100 - 65_248_815_744 - 4 * 2**30
    blocks, per_request = pool // (589_824 // 2), ROWS["openai/gpt-oss-120b", 1, 131_072] // 589_824
    per_node = (blocks - 1) // per_request * 8
    assert per_node == 568
    assert ENGINE_SESSIONS_PER_NODE(MODEL, SERVER, CONTEXT, "fp8") == per_node
    required = ceil(Fraction(1_200, per_node))
    assert ENGINE_NODES_REQUIRED(MODEL, SERVER, SESSIONS, CONTEXT) == required
    assert call("ENGINE_NODES_REQUIRED", ha="n+1") == required + 1


def test_a_replica_of_more_gpus_than_a_node_has_is_a_value_error() -> None:
    assert call("ENGINE_SESSIONS_PER_NODE", tensor_parallel=16) == "#VALUE!"
    assert call("ENGINE_NODES_REQUIRED", tensor_parallel=16) == "#VALUE!"
    assert isinstance(call("ENGINE_KV_PER_SESSION", tensor_parallel=16), float)


def test_where_the_engine_holds_nothing_sessions_are_0_and_nodes_are_a_number_error() -> None:
    given = {"model": "llama-3.1-70b", "server": "8x-l40s", "precision": "bf16"}
    assert call("ENGINE_SESSIONS_PER_NODE", **given, tensor_parallel=2) == 0
    assert call("ENGINE_NODES_REQUIRED", **given, tensor_parallel=2) == "#NUM!"
    assert call("ENGINE_NODES_REQUIRED", **given, tensor_parallel=2, ha="n+1") == "#NUM!"


def test_counts_are_exact_where_floats_slip_by_a_node() -> None:
    assert ceil(6_140 * 1.1 / 614) == 12  # 6,754 sessions on 614 a node are 11 nodes
    assert call("NODES_WITH_HEADROOM", concurrency=6_140, headroom=0.1) == 11


def entry(kind: str, name: str) -> dict[str, Any]:
    entries = json.loads((PROJECT / "catalogs" / f"{kind}.json").read_text(encoding="utf-8"))[kind]
    found: dict[str, Any] = next(each for each in entries if each["name"] == name)
    return found


def by_hand(
    model: str, server: str, load: tuple[int, int, str], settings: tuple[str, str, str, str]
) -> dict[str, Any]:
    """The method's seven steps on the catalog files, in fractions of what was typed."""
    shape, node = entry("models", model), entry("servers", server)
    sessions, asked, precision = load
    ratio, overhead, headroom, ha = settings
    context = min(asked, shape["max_position_embeddings"])
    full, sliding = {
        "full": (shape["num_layers"], 0),
        "sliding": (0, shape["num_layers"]),
        "hybrid": (shape.get("hybrid_full_layers"), shape.get("hybrid_sliding_layers")),
    }[shape["attention_pattern"]]
    window = min(context, shape.get("sliding_window", 0))
    element = {"fp16": 2, "bf16": 2, "fp8": 1, "int8": 1}[precision]
    kv = 2 * shape["num_key_value_heads"] * shape["head_dim"] * element
    kv *= full * context + sliding * window
    mib = node.get("hbm_per_gpu_mib")
    total = node.get("total_hbm_gb", node["gpus"] * node["hbm_per_gpu_gb"])
    hbm = node["gpus"] * mib * 2**20 if mib else Fraction(str(total)) * 10**9
    per_node = max(0, floor((hbm * Fraction(ratio) - Fraction(overhead) * 2**30) / kv))
    nodes: tuple[object, ...] = ("#NUM!", "#NUM!", "#NUM!")
    if per_node:
        at_peak = ceil(sessions * (1 + Fraction(headroom)) / per_node)
        nodes = ceil(Fraction(sessions, per_node)), at_peak, at_peak + {"none": 0, "n+1": 1}[ha]
    return {
        "KV_PER_SESSION": kv / 2**30,
        "KV_TOTAL": kv * sessions / 2**40,
        "SESSIONS_PER_NODE": per_node,
        "NODES_MINIMUM": nodes[0],
        "NODES_WITH_HEADROOM": nodes[1],
        "NODES_REQUIRED": nodes[2],
    }


@pytest.mark.parametrize(
    ("load", "settings"),
    [
        ((1_000, 131_072, "fp8"), ("0.7", "120", "0.2", "n+1")),
        ((7, 1, "bf16"), ("1", "0", "0", "none")),
        ((123_457, 99_999_999, "fp16"), ("0.8321", "33.33", "1.5", "none")),
        ((100, 4_097, "int8"), ("0.3", "0.1", "0.1", "n+1")),
        ((1, 65_536, "bf16"), ("0.05", "200", "0", "n+1")),
    ],
)
@pytest.mark.parametrize("server", ["dgx-a100", "dgx-h100", "dgx-b300"])
@pytest.mark.parametrize("model", ["gpt-oss-120b", "gemma-2-27b-it", "command-r7b"])
def test_functions_agree_with_arithmetic_by_hand(
    model: str, server: str, load: tuple[int, int, str], settings: tuple[str, str, str, str]
) -> None:
    sessions, context, precision = load
    ratio, overhead, headroom, ha = settings
    given = {
        "model": model,
        "server": server,
        "concurrency": sessions,
        "context": context,
        "precision": precision,
        "kv_budget_ratio": float(ratio),
        "runtime_overhead_gib": float(overhead),
        "headroom": float(headroom),
        "ha": ha,
    }
    expected = by_hand(model, server, load, settings)
    assert {name: call(name, **given) for name in expected} == expected


@pytest.mark.parametrize("name", ARGUMENTS)
def test_floats_stand_for_whole_numbers(name: str) -> None:
    assert call(name, context=131_072.0, concurrency=1_000.0) == call(name)


@pytest.mark.parametrize("empty", [None, "", "  "])
@pytest.mark.parametrize("name", ARGUMENTS)
def test_empty_optional_arguments_take_their_defaults(name: str, empty: str | None) -> None:
    optional = [each.strip("[]") for each in ARGUMENTS[name].split() if each.startswith("[")]
    assert call(name, **dict.fromkeys(optional, empty)) == call(name)
    function: Function = getattr(functions, name)
    required = [GOOD[each] for each in arguments(name) if each not in optional]
    assert function(*required) == call(name)


def test_empty_precision_is_that_of_the_model_and_not_fp8() -> None:
    assert entry("models", "command-r7b")["default_kv_precision"] == "bf16"
    for empty in (None, ""):
        assert KV_PER_SESSION("command-r7b", 8_192, empty) == KV_PER_SESSION(
            "command-r7b", 8_192, "fp16"
        )


@pytest.mark.parametrize("name", ARGUMENTS)
def test_names_and_words_match_without_regard_to_case_and_stray_blanks(name: str) -> None:
    stray = {
        "model": "  GPT-OSS-120B ",
        "server": " Dgx-B300  ",
        "precision": " FP8 ",
        "ha": " NONE ",
    }
    assert call(name, **stray) == call(name)
    assert call(name, ha=" N+1 ") == call(name, ha="n+1")


@pytest.mark.parametrize("name", ARGUMENTS)
def test_aliases_find_their_entries(name: str) -> None:
    assert call(name, model="opt-oss-120b", server="dgx300") == call(name)


@pytest.mark.parametrize(
    ("argument", "value"),
    list(product(["model", "server"], ["no-such", "gpt*", "", None, 5.0, True, "#N/A"])),
)
def test_unknown_name_is_not_available(argument: str, value: object) -> None:
    for name in with_argument(argument):
        assert call(name, **{argument: value}) == "#N/A"


BAD: dict[str, list[object]] = {
    "concurrency": [0, -1, 1.5, "1000", "many", None, "", float("nan"), float("inf")],
    "context": [0, -1, 0.5, "131072", None, "", float("nan"), float("inf")],
    "precision": ["fp4", "8", 8.0, 0],
    "kv_budget_ratio": [0, -0.1, 1.0001, 0.12345, "0.7", float("nan")],
    "runtime_overhead_gib": [-1, 0.001, "120", float("inf")],
    "headroom": [-0.1, 0.00001, "20%", float("nan")],
    "ha": ["n+2", "yes", 1.0, 0],
    "tensor_parallel": [0, -1, 1.5, "1", 3, 7, float("nan")],
}


@pytest.mark.parametrize(
    ("argument", "value"), [(argument, value) for argument in BAD for value in BAD[argument]]
)
def test_value_that_the_method_does_not_accept_is_a_value_error(
    argument: str, value: object
) -> None:
    for name in with_argument(argument):
        assert call(name, **{argument: value}) == "#VALUE!"


@pytest.mark.parametrize("argument", list(BAD))
@pytest.mark.parametrize("value", [True, False])
def test_booleans_are_no_numbers_and_no_words(argument: str, value: bool) -> None:
    for name in with_argument(argument):
        assert call(name, **{argument: value}) == "#VALUE!"


def test_where_nothing_fits_sessions_are_0_and_nodes_are_a_number_error() -> None:
    assert call("SESSIONS_PER_NODE", kv_budget_ratio=0.01) == 0
    for name in ("NODES_MINIMUM", "NODES_WITH_HEADROOM", "NODES_REQUIRED"):
        assert call(name, kv_budget_ratio=0.01) == "#NUM!"
        assert call(name, kv_budget_ratio=0.01, ha="n+1") == "#NUM!"


@pytest.mark.parametrize("argument", list(BAD))
def test_bad_value_is_an_error_also_where_nothing_fits(argument: str) -> None:
    for name in with_argument(argument):
        given = {"runtime_overhead_gib": 10**6, argument: BAD[argument][0]}
        assert call(name, **given) == "#VALUE!"


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_are_those_of_the_design_in_its_order(name: str) -> None:
    parameters = inspect.signature(getattr(functions, name)).parameters.values()
    found = [
        each.name if each.default is inspect.Parameter.empty else f"[{each.name}]"
        for each in parameters
    ]
    assert " ".join(found) == ARGUMENTS[name]
    optional = [each for each in parameters if each.default is not inspect.Parameter.empty]
    assert [each.default for each in optional] == [None] * len(optional)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_every_function_says_in_a_line_what_it_gives(name: str) -> None:
    first = (inspect.getdoc(getattr(functions, name)) or "").splitlines()[0]
    assert 10 < len(first) <= LONGEST_NOTE
    assert first.endswith(".")


def test_every_argument_of_every_function_has_a_note_that_excel_can_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The inert decorators keep nothing, so recording ones stand in for a host's."""
    notes: dict[str, dict[str, str]] = {}
    registered: list[str] = []

    def recording_arg(argument: str, **settings: Any) -> Callable[[Function], Function]:
        def record(function: Function) -> Function:
            notes.setdefault(function.__name__, {})[argument] = settings["doc"]
            return function

        return record

    def recording_func(function: Function) -> Function:
        registered.append(function.__name__)
        return function

    monkeypatch.setattr(xlwings, "arg", recording_arg)
    monkeypatch.setattr(xlwings, "func", recording_func)
    spec = spec_from_file_location("functions_of_a_host", functions.__file__)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(module_from_spec(spec))
    assert set(registered) >= set(ARGUMENTS)
    assert len(set(registered)) == len(registered)
    for name in ARGUMENTS:
        assert sorted(notes[name]) == sorted(arguments(name))
        assert all(0 < len(note) <= LONGEST_NOTE for note in notes[name].values())


def test_decorators_are_inert_here() -> None:
    assert all(inspect.isfunction(getattr(functions, name)) for name in ARGUMENTS)
