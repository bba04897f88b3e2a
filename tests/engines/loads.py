"""Loads for the engines to compute: random ones, and ones built to fall on an integer.

Those for the planning method use a model whose KV cache can be any even number of bytes, so
that a quotient can be put on an integer or right beside it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from tests.engines.entries import NOT_IN_A_ROW
from xlsizing.core import Catalogs, Model, Server, SizingResult, StorageProfile, size
from xlsizing.core.engine import DEFAULT_SETTINGS, EngineSettings
from xlsizing.core.paged_cache import tensor_parallel_sizes

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
    tensor_parallel: int | None = None

    def result(
        self, catalogs: Catalogs, settings: EngineSettings = DEFAULT_SETTINGS
    ) -> SizingResult:
        """Core's answer, where the sheet Engine has these settings."""
        given = {name: getattr(self, name) for name in (*OPTIONAL, "ha_mode")}
        return size(
            catalogs.model(self.model),
            catalogs.server(self.server),
            catalogs.profile(self.storage),
            concurrency=self.concurrency,
            effective_context=self.effective_context,
            settings=replace(settings, tensor_parallel=self.tensor_parallel),
            **{name: value for name, value in given.items() if value is not None},
        )


def random_loads(catalogs: Catalogs, count: int, seed: int) -> Iterator[Load]:
    """Loads over all entries, typed carelessly, from tiny to far too large."""
    dice = random.Random(seed)
    # What no row of Layouts can say has a test of its own.
    models = [model for model in catalogs.models if model.name != NOT_IN_A_ROW.name]
    for _ in range(count):
        model, server = dice.choice(models), dice.choice(catalogs.servers)
        exponent = dice.uniform(0, 6.5)
        yield Load(
            model=_typed(dice, _any_name(dice, model)),
            server=_typed(dice, _any_name(dice, server)),
            storage=_typed(dice, _any_name(dice, dice.choice(catalogs.profiles))),
            concurrency=int(10**exponent),
            effective_context=int(10 ** dice.uniform(0, 7)),
            kv_precision=dice.choice((None, "fp16", "bf16", "fp8", "int8")),
            kv_budget_ratio=dice.choice((None, 1.0, dice.randint(1, 10_000) / 10_000)),
            runtime_overhead_gib=dice.choice((None, 0.0, dice.randint(0, 60_000) / 100)),
            peak_headroom_ratio=dice.choice((None, 0.0, 0.1, dice.randint(0, 30_000) / 10_000)),
            ha_mode=dice.choice((None, "none", "n+1")),
            tensor_parallel=_any_size(dice, model, server),
        )


def _any_size(dice: random.Random, model: Model, server: Server) -> int | None:
    """No size, one that suits model and server, one that does not, or more than the GPUs."""
    right = tensor_parallel_sizes(model, server.gpus)
    wrong = sorted({*range(1, server.gpus + 1)} - {*right}) or [server.gpus + 1]
    more = server.gpus * dice.randint(2, 9)
    return dice.choice((None, None, dice.choice(right), dice.choice(wrong), more))


def _any_name(dice: random.Random, entry: Model | Server | StorageProfile) -> str:
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
