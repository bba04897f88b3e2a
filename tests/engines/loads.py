"""Loads for the engines to compute: random ones, and ones built to fall on an integer.

The catalogs are the shipped ones with a few entries whose KV cache can be any even
number of bytes, so that a quotient can be put on an integer or right beside it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from xlsizing.core import Catalogs, Model, Server, SizingResult, StorageProfile, size

OPTIONAL = ("kv_precision", "kv_budget_ratio", "runtime_overhead_gib", "peak_headroom_ratio")


@dataclass(frozen=True)
class Load:
    """What a person typed: None is an empty cell. Names may be typed in any way."""

    model: str
    server: str
    storage: str
    concurrency: int
    effective_context: int
    kv_precision: str | None = None
    kv_budget_ratio: float | None = None
    runtime_overhead_gib: float | None = None
    peak_headroom_ratio: float | None = None
    ha_mode: str | None = None

    def result(self, catalogs: Catalogs) -> SizingResult:
        """Core's answer."""
        given = {name: getattr(self, name) for name in (*OPTIONAL, "ha_mode")}
        return size(
            catalogs.model(self.model),
            catalogs.server(self.server),
            catalogs.profile(self.storage),
            concurrency=self.concurrency,
            effective_context=self.effective_context,
            **{name: value for name, value in given.items() if value is not None},
        )


def with_test_entries(catalogs: Catalogs) -> Catalogs:
    """The catalogs with entries for building loads, sourced and not, of every kind."""
    source = {"*": "made for this test"}
    unit = Model(
        name="unit",
        num_layers=1,
        num_key_value_heads=1,
        head_dim=1,
        max_position_embeddings=10**13,
        attention_pattern="full",
        default_kv_precision="fp8",
        weight_bytes=123_456_789_012,
        sources=source,
    )
    odd = replace(
        unit,
        name="Odd Model (3 layers)",
        num_layers=3,
        num_key_value_heads=7,
        head_dim=11,
        attention_pattern="hybrid",
        hybrid_full_layers=1,
        hybrid_sliding_layers=2,
        sliding_window=1_000,
        weight_bytes=None,
        aliases=("odd", "Üngerade"),
    )
    window = replace(
        odd, name="window", attention_pattern="sliding", aliases=(), sources={"num_layers": "x"}
    )
    decimal = Server(name="decimal", gpus=3, hbm_per_gpu_gb=79.99, sources=source)
    total = Server(name="total", gpus=1, hbm_per_gpu_gb=1, total_hbm_gb=1234.56)
    slow = StorageProfile(
        name="slow",
        type="cloud_file_storage",
        iops_read=1,
        iops_write=1,
        throughput_read_gbps=0.0123,
        throughput_write_gbps=0.01,
        latency_read_ms_p50=1,
        latency_read_ms_p99=12.5,
        latency_write_ms_p50=1,
        latency_write_ms_p99=1,
    )
    return Catalogs(
        (*catalogs.models, unit, odd, window),
        (*catalogs.servers, decimal, total),
        (*catalogs.profiles, slow),
    )


def random_loads(catalogs: Catalogs, count: int, seed: int) -> Iterator[Load]:
    """Loads over all entries, typed carelessly, from tiny to far too large."""
    dice = random.Random(seed)
    for _ in range(count):
        model = dice.choice(catalogs.models)
        exponent = dice.uniform(0, 6.5)
        yield Load(
            model=_typed(dice, dice.choice((model.name, *model.aliases))),
            server=_typed(dice, _any_name(dice, dice.choice(catalogs.servers))),
            storage=_typed(dice, _any_name(dice, dice.choice(catalogs.profiles))),
            concurrency=int(10**exponent),
            effective_context=int(10 ** dice.uniform(0, 7)),
            kv_precision=dice.choice((None, "fp16", "bf16", "fp8", "int8")),
            kv_budget_ratio=dice.choice((None, 1.0, dice.randint(1, 10_000) / 10_000)),
            runtime_overhead_gib=dice.choice((None, 0.0, dice.randint(0, 60_000) / 100)),
            peak_headroom_ratio=dice.choice((None, 0.0, 0.1, dice.randint(0, 30_000) / 10_000)),
            ha_mode=dice.choice((None, "none", "n+1")),
        )


def _any_name(dice: random.Random, entry: Server | StorageProfile) -> str:
    return dice.choice((entry.name, *entry.aliases))


def _typed(dice: random.Random, name: str) -> str:
    return dice.choice((name, f" {name}", f"{name}  ", name.upper(), name.lower()))


def boundary_loads(catalogs: Catalogs) -> Iterator[Load]:
    """Loads whose quotients fall on an integer, or one byte, token or session beside it."""
    yield from _around_whole_sessions(catalogs)
    yield from _around_whole_nodes(catalogs)
    yield from _ratios_with_noise()
    # The method's own example of a float slip: 110 sessions on a node.
    base = Load("unit", "decimal", "profile_default", 100, 1, kv_budget_ratio=1.0)
    tokens = 239_970_000_000 // 2 // 110
    for concurrency in (99, 100, 101):
        yield replace(
            base,
            concurrency=concurrency,
            effective_context=tokens,
            runtime_overhead_gib=0.0,
            peak_headroom_ratio=0.1,
        )


def _ratios_with_noise() -> Iterator[Load]:
    """Ratios as formulas leave them: the decimal is meant that 15 digits show."""
    base = Load("gpt-oss-120b", "dgx-b300", "profile_default", 5_000, 131_072)
    for noisy in (0.1 + 0.2, 4.15 - 4, 1.1 - 1, 0.7 + 1e-17, 1 - 0.9):
        yield replace(base, kv_budget_ratio=noisy, peak_headroom_ratio=noisy)


def _around_whole_sessions(catalogs: Catalogs) -> Iterator[Load]:
    """One session is 2 bytes a token of the model `unit`; so any even size can be had."""
    cases = [
        ("dgx-b300", 0.7, 120.0),
        ("dgx-h100", 0.5, 0.0),
        ("dgx-a100", 0.3333, 17.37),
        ("gb300-nvl72", 0.9999, 1_080.01),
        ("decimal", 0.7, 0.01),
        ("total", 0.1, 99.99),
    ]
    for server, ratio, overhead in cases:
        budget = exact_budget(catalogs.server(server), ratio, overhead)
        for sessions in (1, 2, 3, 110, 613, 4_096, 99_999):
            tokens = int(budget / (2 * sessions))
            for beside in (0, 1):
                yield Load(
                    "unit",
                    server,
                    "profile_default",
                    1_000,
                    tokens + beside,
                    kv_budget_ratio=ratio,
                    runtime_overhead_gib=overhead,
                    peak_headroom_ratio=0.0,
                )


def _around_whole_nodes(catalogs: Catalogs) -> Iterator[Load]:
    for headroom in (0.0, 0.1, 0.2, 0.25, 0.3333, 1.5):
        for tokens in (1_000_003, 7_654_321):
            load = Load("unit", "dgx-h200", "slow", 1, tokens, peak_headroom_ratio=headroom)
            per_node = load.result(catalogs).sessions_per_node
            parts = round(headroom * 10_000) + 10_000
            whole = next(
                nodes * per_node * 10_000 // parts
                for nodes in range(1, parts + 1)
                if nodes * per_node * 10_000 % parts == 0
            )
            for beside in (-1, 0, 1):
                yield replace(load, concurrency=whole + beside)


def exact_budget(server: Server, ratio: float, overhead: float) -> Fraction:
    """The KV budget of a node in bytes, by fractions alone."""
    if server.hbm_per_gpu_mib is not None:
        hbm = Fraction(server.gpus * server.hbm_per_gpu_mib * 2**20)
    else:
        hbm = Fraction(str(server.total_hbm_gb)) * 10**9
    return hbm * Fraction(str(ratio)) - Fraction(str(overhead)) * 2**30
