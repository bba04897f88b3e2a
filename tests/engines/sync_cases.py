"""What people do in workbooks, and what becomes of the catalogs meanwhile."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from tests.book.plans import LOAD
from tests.engines.entries import common_entries
from tests.engines.synced_books import Case
from xlsizing.core import Catalogs
from xlsizing.core.catalogs import AnyEntry, names
from xlsizing.core.entries import Entry

SEED = 20_261_123

ROW: Mapping[str, Any] = {
    "Active": "yes",
    "Model": "gpt-oss-120b",
    "Server": "dgx-b300",
    "Storage": "profile_default",
    "Concurrency": 1_000,
    "Context": 131_072,
}


def row(**typed: Any) -> Mapping[str, Any]:
    """A row of Scenarios that is fine but for what is typed otherwise."""
    return {**ROW, **typed}


def without(catalogs: Catalogs, *gone: str) -> Catalogs:
    """The catalogs without some entries."""
    return Catalogs(*(tuple(e for e in kind if e.name not in gone) for kind in catalogs))  # type: ignore[arg-type]


def with_changes(catalogs: Catalogs, changes: Mapping[str, Mapping[str, Any]]) -> Catalogs:
    """The catalogs with other figures in some entries."""
    return Catalogs(
        *(
            tuple(replace(e, **changes[e.name]) if e.name in changes else e for e in kind)  # type: ignore[arg-type]
            for kind in catalogs
        )
    )


OTHER_FIGURES: Mapping[str, Mapping[str, Any]] = {
    "gpt-oss-120b": {"max_position_embeddings": 100_000, "weight_bytes": 91_234_567_891},
    "llama-3.1-8b": {"num_key_value_heads": 4, "sources": {}},
    "dgx-b300": {"gpus": 4, "total_hbm_gb": None},
    "8x-l40s": {"sources": {}, "notes": "=1+1"},
    "profile_default": {"throughput_read_gbps": 0.0123, "aliases": ("default", "@home")},
    "profile_san": {"latency_read_ms_p99": 123.4, "type": "cloud_block_storage"},
}


def cases(shipped: Catalogs) -> list[Case]:
    """Cases that are told apart by what happens in them, and some at random."""
    older = with_changes(shipped, OTHER_FIGURES)
    box, model, disk = shipped.servers[0], shipped.models[0], shipped.profiles[0]
    boxes = [replace(box, name=f"old box {n}", aliases=(f"ob{n}",)) for n in range(6)]
    with_more = Catalogs(
        (replace(model, name="gone model", aliases=("gm",)), *shipped.models),
        (boxes[0], *shipped.servers, *boxes[1:]),
        (*shipped.profiles, replace(disk, name="gone disk", aliases=())),
    )
    return [
        Case(
            "entries and aliases come, and some were asked for before they came",
            with_changes(
                without(shipped, "dgx-b300", "gpt-oss-20b", "profile_hdd"),
                {"dgx-h200": {"aliases": ("dgx300",)}, "dgx-h100": {"aliases": ()}},
            ),
            shipped,
            [
                row(),
                row(Model=" GPT-OSS-20b "),
                row(Server="nope"),
                row(Storage="profile_hdd", Server="DGX300 "),
                row(Server="hgx-h100"),
            ],
            {**LOAD, "Input_BaseScenario": "Scenario 1"},
        ),
        Case(
            "figures of every kind change, and somebody changed some by hand",
            older,
            shipped,
            [
                row(),
                row(Model="llama-3.1-8b", HA="n+1", Server="8x-l40s"),
                row(TensorParallel=4, KvPrecision="bf16"),
                row(Storage="profile_san", Active="no"),
                row(Concurrency=10**14, PeakHeadroomRatio=0.5),
            ],
            {**LOAD, "Input_BatchesInFlight": 3, "Input_KvPoolGiB": 40, "Input_TensorParallel": 8},
            edits={("Models", f"{column}10"): 7 for column in "ERQ"} | {("Servers", "B7"): "mine"},
        ),
        Case(
            "entries go that scenarios use, and more servers than come",
            with_more,
            shipped,
            [row(Model="gone model"), row(Server="OB1"), row(Model="gm"), row(Storage="gone disk")],
            {**LOAD, "Input_BaseScenario": "Scenario 3"},
        ),
        Case(
            "the server on Sizing goes, and more of it is refused",
            with_more,
            shipped,
            [row(Model="gone model"), row(Server="old box 3"), row(), row(HA="n+2")],
            {**LOAD, "Input_Server": "old box 0", "Input_KvPrecision": "fp12"},
            unknown=frozenset({"Sizing", "Charts", "Engine", "About"}),
        ),
        Case(
            "a setting of the engine is refused",
            older,
            shipped,
            [row(), row(Server="dgx-h200")],
            {**LOAD, "Input_BatchesInFlight": -1},
            unknown=frozenset({"Sizing", "Charts", "Engine", "About", "Scenarios", "Warnings"}),
        ),
        Case(
            "rows of somebody's own, whole ones and one with a gap",
            older,
            shipped,
            [row(Storage="mine"), row(Server="half"), row(Server="dgx-h200")],
            LOAD,
            own=[
                ("Storage", OWN_STORAGE),
                ("Servers", {"Name": "half", "GPUs": 4, "HBM bytes": 10**11}),
                ("Models", {}),
                ("ServerAliases", {"Alias": "h", "Server": "half"}),
            ],
            unknown=frozenset({"Scenarios", "Charts", "Engine", "About", "Warnings", "Sizing"}),
        ),
        random_case(SEED),
    ]


OWN_STORAGE: Mapping[str, Any] = {
    "Name": "mine",
    "Type": "nvme_local",
    "Read IOPS": 1,
    "Write IOPS": 1,
    "Read GB/s": 2.5,
    "Write GB/s": 1,
    "Read p50 ms": 1,
    "Read p99 ms": 1,
    "Write p50 ms": 1,
    "Write p99 ms": 1,
}
"""All that a row of Storage must say."""


@cache
def _pool() -> Catalogs:
    """Entries of many kinds, but few enough for workbooks that are computed in no time."""
    some = common_entries()
    return Catalogs(some.models[::5], some.servers[::2], some.profiles[::2])


def random_case(seed: int) -> Case:
    """Two catalogs of entries at random, in part with the figures of others, and loads over both."""
    dice = random.Random(seed)
    old, new = (_random_catalogs(dice) for _ in range(2))
    kinds: Sequence[tuple[Sequence[Entry], Sequence[Entry]]] = list(zip(old, new, strict=True))
    some = [
        [name for entry in (*before, *after) for name in names(entry)] for before, after in kinds
    ]
    known = [[entry.name for entry in after] for _, after in kinds]
    typed = dict(
        zip(("Input_Model", "Input_Server", "Input_Storage"), map(dice.choice, known), strict=True)
    )
    load: Mapping[str, Any] = {
        **LOAD,
        **typed,
        "Input_Concurrency": dice.randrange(1, 10**6),
        "Input_EffectiveContext": dice.randrange(1, 10**6),
        "Input_BaseScenario": f"Scenario {dice.randrange(1, 20)}",
    }
    rows = [_random_row(dice, some) for _ in range(dice.randrange(5, 20))]
    return Case("at random", old, new, rows, load)


def _random_catalogs(dice: random.Random) -> Catalogs:
    kinds = (_random_entries(dice, kind) for kind in _pool())  # type: ignore[type-var]
    return Catalogs(*kinds)  # type: ignore[arg-type]


def _random_entries(dice: random.Random, entries: Sequence[AnyEntry]) -> tuple[AnyEntry, ...]:
    # In a column of one cell IronCalc's MATCH finds nothing.
    chosen = dice.sample(entries, dice.randrange(2, len(entries)))
    others = [dice.choice(entries) if dice.random() < 0.3 else entry for entry in chosen]
    return tuple(
        replace(other, name=entry.name, aliases=entry.aliases)
        for entry, other in zip(chosen, others, strict=True)
    )


def _random_row(dice: random.Random, some: Sequence[Sequence[str]]) -> Mapping[str, Any]:
    spelt: Sequence[Callable[[str], str]] = (str, str, str.upper, lambda name: f" {name} ")
    typed: dict[str, Any] = {
        symbol: dice.choice(spelt)(dice.choice(known))
        for symbol, known in zip(("Model", "Server", "Storage"), some, strict=True)
    }
    typed |= {
        "Active": dice.choice(("yes", "no", None)),
        "Concurrency": int(10 ** dice.uniform(0, 7)),
        "Context": int(10 ** dice.uniform(1, 6)),
        "KvPrecision": dice.choice((None, "fp8", "bf16")),
        "PeakHeadroomRatio": dice.choice((None, 0, 0.35)),
        "HA": dice.choice((None, "n+1", "none")),
        "TensorParallel": dice.choice((None, None, 1, 4, 3)),
    }
    if dice.random() < 0.15:
        typed[dice.choice(list(typed))] = dice.choice(("?", -1, None, "fp*", 10**15))
    return typed
