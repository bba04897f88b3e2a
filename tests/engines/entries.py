"""Catalog entries for building loads: the shipped ones, and entries of every family.

Their figures are such that a quotient can be put on an integer or right beside it: pages
of a few bytes, weights that ranks cannot share evenly, and servers that have just the
memory that an edge needs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from tests.conftest import PROJECT
from xlsizing.catalog import load_catalogs
from xlsizing.core import Catalogs, Model, Server, StorageProfile
from xlsizing.core.engine import DEFAULT_SETTINGS, gib_bytes, weight_bytes
from xlsizing.core.exact import ceil_div
from xlsizing.core.layers import AttentionLayers, LatentLayers, LayerGroup, StateLayers
from xlsizing.core.paged_cache import PagedCache, layout, paged_cache

SOURCE = {"*": "made for this test"}
WEIGHTS = 12_345_678_923
"""Bytes of weights, a prime: no number of ranks divides them."""


@cache
def entries() -> Catalogs:
    """The entries that loads are made of, with a server for each edge."""
    common = common_entries()
    servers = (server for edge in EDGES for server in edge.servers(common))
    return common._replace(servers=(*common.servers, *servers))


@cache
def common_entries() -> Catalogs:
    """The entries without the servers of the edges."""
    return with_test_entries(load_catalogs(str(PROJECT / "catalogs")))


def with_test_entries(catalogs: Catalogs) -> Catalogs:
    """The catalogs with entries for building loads, sourced and not, of every kind."""
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
        (
            *catalogs.models,
            *_any_bytes(),
            *FAMILIES,
            *UNKNOWN_WEIGHTS,
            *UNKNOWN_LAYOUTS,
            NOT_IN_A_ROW,
        ),
        (*catalogs.servers, *SERVERS),
        (*catalogs.profiles, slow),
    )


def _any_bytes() -> tuple[Model, ...]:
    """Models whose KV cache can be any even number of bytes."""
    unit = Model(
        name="unit",
        num_layers=1,
        num_key_value_heads=1,
        head_dim=1,
        max_position_embeddings=10**13,
        attention_pattern="full",
        default_kv_precision="fp8",
        weight_bytes=123_456_789_012,
        sources=SOURCE,
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
    return unit, odd, window


def _full(layers: int, kv_heads: int, key_dim: int, value_dim: int) -> AttentionLayers:
    return AttentionLayers("full", layers, kv_heads, key_dim, value_dim)


def _sliding(
    layers: int, kv_heads: int, key_dim: int, value_dim: int, window: int
) -> AttentionLayers:
    return AttentionLayers("sliding", layers, kv_heads, key_dim, value_dim, window)


def _mamba2(layers: int, heads: int, groups: int) -> StateLayers:
    return StateLayers("state", layers, "mamba2", 4, heads, 64, 128, groups, "float32")


def _model(name: str, *groups: LayerGroup, heads: int | None = None) -> Model:
    return Model(
        name=name,
        num_layers=sum(group.layers for group in groups),
        max_position_embeddings=10**8,
        attention_pattern="grouped",
        layer_groups=groups,
        num_attention_heads=heads,
        weight_bytes=WEIGHTS,
        sources=SOURCE,
    )


def _estimated(name: str, heads: int | None, **weights: object) -> Model:
    """A model whose weights have to be estimated, with 2 KV heads."""
    model = replace(_model(name, _full(94, 2, 64, 64), heads=heads), weight_bytes=None)
    return replace(model, **weights)  # type: ignore[arg-type]


FAMILIES: tuple[Model, ...] = (
    # Pages in the ratio 2, whichever kind has the smaller ones, and equal at other sizes.
    _model("two windows", _sliding(5, 2, 32, 32, 17), _full(2, 4, 32, 32), heads=16),
    _model("wide window", _full(7, 2, 24, 8), _sliding(8, 4, 16, 16, 129), heads=4),
    _model("many groups", _sliding(25, 8, 64, 64, 1_024), _full(5, 8, 64, 64), heads=32),
    _model("two widths in a window", _sliding(3, 4, 8, 8, 50), _sliding(2, 2, 40, 8, 50)),
    _model("chunks", AttentionLayers("chunked", 9, 8, 16, 16, 64), _full(3, 8, 16, 16)),
    Model(
        name="all sliding",
        num_layers=10,
        num_key_value_heads=3,
        head_dim=48,
        max_position_embeddings=50_000,
        attention_pattern="sliding",
        sliding_window=33,
        default_kv_precision="fp16",
        num_attention_heads=6,
        weight_bytes=WEIGHTS,
    ),
    _model("latent", LatentLayers("latent", 27, 512, 64), heads=128),
    _model("latent, heads unknown", LatentLayers("latent", 5, 256, 32)),
    _model("indexed", LatentLayers("latent", 61, 512, 64, 61, 128), heads=128),
    _model(
        "partly indexed",
        LatentLayers("latent", 30, 512, 64, 20, 200),
        LatentLayers("latent", 31, 512, 64),
        heads=72,
    ),
    # More ranks than the 8 groups, and at 16 more than the 2 KV heads as well.
    _model("mamba2 beside full", _mamba2(23, 64, 8), _full(6, 2, 128, 128), heads=32),
    _model(
        "delta net beside full",
        StateLayers("state", 36, "gated_delta_net", 4, 32, 128, 128, 16),
        _full(12, 2, 256, 256),
        heads=16,
    ),
    _model("states only", StateLayers("state", 64, "mamba", 4, 8_192, 1, 16)),
    _model("both in every layer", _full(44, 4, 128, 128), _mamba2(44, 40, 2), heads=20),
    _model("states beside a window", _sliding(4, 3, 20, 20, 100), _mamba2(4, 6, 1), heads=6),
    _estimated(
        "estimated mxfp4",
        64,
        total_params=20_000_000_003,
        weight_precision="mxfp4",
        unquantized_params=1_000_000_007,
    ),
    _estimated(
        "estimated fp8",
        None,
        total_params=20_000_000_003,
        weight_precision="fp8",
        unquantized_params=30_000_000_000,
    ),
    _estimated("estimated 16 bits", 6, total_params=20_000_000_003),
)
"""Models of every family that the engine lays out at all sizes."""

UNKNOWN_WEIGHTS: tuple[Model, ...] = (
    _estimated("no weights", 64),
    _estimated("no weights, heads unknown", None, weight_precision="nvfp4"),
)
"""Models with neither the size of the weights nor the parameters."""

UNKNOWN_LAYOUTS: tuple[Model, ...] = (
    _model("latent beside full", LatentLayers("latent", 3, 512, 64), _full(3, 8, 64, 64), heads=8),
    _model("pages 3 to 2", _sliding(3, 2, 12, 12, 99), _full(3, 2, 8, 8), heads=8),
    _model("states beside two", _mamba2(3, 8, 8), _sliding(2, 4, 8, 8, 99), _full(2, 2, 8, 8)),
    # The 8-bit format of sparse attention is known for one geometry only.
    _model("indexed otherwise", LatentLayers("latent", 9, 256, 32, 9, 128), heads=16),
    # KV heads are fewer than the ranks in one kind of layer before they are in the other.
    _model("laid out from 4 ranks", _sliding(4, 2, 3, 3, 99), _full(4, 4, 1, 1), heads=8),
    _model("laid out up to 2 ranks", _sliding(4, 2, 1, 1, 99), _full(4, 4, 2, 1), heads=8),
)
"""Models that the engine is not known to lay out, for all of their loads or for some."""

NOT_IN_A_ROW = _model(
    "three widths", _full(2, 2, 8, 8), _full(2, 4, 8, 8), _sliding(2, 2, 8, 8, 99), heads=4
)
"""A model that core lays out and a row of Layouts cannot: full layers with blocks of two sizes."""

SERVERS: tuple[Server, ...] = (
    Server(name="decimal", gpus=3, hbm_per_gpu_gb=79.99, sources=SOURCE),
    Server(name="total", gpus=1, hbm_per_gpu_gb=1, total_hbm_gb=1234.56),
    Server(
        name="measured",
        gpus=8,
        hbm_per_gpu_gb=80,
        hbm_per_gpu_mib=81_559,
        usable_hbm_per_gpu_bytes=85_017_493_505,
        sources=SOURCE,
    ),
    Server(name="driver", gpus=6, hbm_per_gpu_gb=141, hbm_per_gpu_mib=143_771, sources=SOURCE),
    Server(name="single", gpus=1, hbm_per_gpu_gb=24, hbm_per_gpu_mib=24_563, sources=SOURCE),
    # Two ranks have not even room for the weights of most families.
    Server(
        name="tiny",
        gpus=8,
        hbm_per_gpu_gb=8,
        usable_hbm_per_gpu_bytes=2**33,
        sources=SOURCE,
    ),
    Server(name="rack", gpus=72, hbm_per_gpu_gb=186, hbm_per_gpu_mib=189_471, sources=SOURCE),
)
"""Servers of which usable bytes, the driver's MiB or neither are known."""


@dataclass(frozen=True)
class Edge:
    """A load for which a server can have just enough memory, or a byte or a block too little."""

    model: str
    kv_precision: str
    tensor_parallel: int
    context: int
    sessions: int
    """Sessions that a replica just admits."""
    steady: bool = False
    """Whether it admits them in steady decode, or while their prefills run."""

    @property
    def server(self) -> str:
        """Name of the server that has just enough."""
        phase = "steady" if self.steady else "prefill"
        return f"{self.model} {self.kv_precision} x {self.tensor_parallel}, {phase}"

    def cache(self, catalogs: Catalogs) -> PagedCache:
        """What one of the sessions takes."""
        cut = layout(catalogs.model(self.model), self.kv_precision, self.tensor_parallel)
        in_flight = 0 if self.steady else DEFAULT_SETTINGS.tokens_in_flight
        return paged_cache(cut, self.context, in_flight)

    def pool(self, catalogs: Catalogs) -> int:
        """The pool that admits just the sessions: their blocks and the reserved one [bytes]."""
        cache = self.cache(catalogs)
        return (self.sessions * cache.blocks_per_request + 1) * cache.bytes_per_block

    def servers(self, catalogs: Catalogs) -> Iterator[Server]:
        """Servers whose GPUs have just enough for the pool, one byte less, and one block less."""
        weights, _ = weight_bytes(catalogs.model(self.model))
        rest = ceil_div(weights, self.tensor_parallel)
        rest += gib_bytes(DEFAULT_SETTINGS.activation_gib) + gib_bytes(DEFAULT_SETTINGS.runtime_gib)
        block = self.cache(catalogs).bytes_per_block
        for less, words in ((0, ""), (1, ", a byte less"), (block, ", a block less")):
            share = self.pool(catalogs) + rest - less
            yield Server(
                name=self.server + words,
                gpus=max(8, self.tensor_parallel),
                hbm_per_gpu_gb=80,
                # The least memory of which 0.92 are the share; a byte more or less of it
                # would not do, as 0.92 of that rounds down.
                usable_hbm_per_gpu_bytes=ceil_div(share * 100, 92),
                sources=SOURCE,
            )


EDGES: tuple[Edge, ...] = (
    Edge("unit", "fp8", 1, 16_000, 1),
    Edge("two windows", "bf16", 1, 20_000, 1),
    Edge("two windows", "fp8", 4, 20_000, 3, steady=True),
    Edge("wide window", "bf16", 2, 40_000, 2),
    Edge("many groups", "fp8", 1, 17_408, 1, steady=True),
    Edge("chunks", "bf16", 1, 16_448, 1),
    Edge("all sliding", "fp8", 3, 20_000, 1),
    Edge("latent", "fp8", 8, 64_000, 1),
    Edge("indexed", "fp8", 2, 6_400, 5),
    Edge("partly indexed", "bf16", 1, 12_800, 1),
    Edge("mamba2 beside full", "bf16", 16, 50_000, 1),
    Edge("delta net beside full", "fp8", 4, 33_000, 2),
    Edge("states only", "bf16", 2, 1, 7),
    Edge("both in every layer", "bf16", 20, 30_000, 1),
    Edge("states beside a window", "bf16", 3, 30_000, 4),
    Edge("estimated mxfp4", "fp8", 32, 10_000, 1),
)
