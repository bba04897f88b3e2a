"""How many sessions an engine holds on a node, beside what the planning method says.

A GPU's memory, up to a share of it, goes to weights, to activations and the runtime, and
the rest is the pool that KV caches are paged in. A replica is the tensor-parallel GPUs
that share one copy of the model; it admits the requests that its pool has blocks for.

Source: the planning method, part 2, "The pool".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, NamedTuple

from xlsizing.core.alerts import ALERT_RULES, Alert
from xlsizing.core.capacity import hbm_bytes
from xlsizing.core.constraints import Above, AtLeast, AtMost, Count, Rule, require_fields
from xlsizing.core.entries import Model, Server
from xlsizing.core.errors import InvalidValueError, SizingError
from xlsizing.core.exact import RATIO_PARTS, Number, ceil_div, grouped, in_parts, is_in_parts
from xlsizing.core.kv_cache import layer_groups
from xlsizing.core.layers import UnknownLayoutError, copies
from xlsizing.core.message import Message
from xlsizing.core.nodes import Nodes, calc_nodes_required
from xlsizing.core.paged_cache import (
    Layout,
    PagedCache,
    StateCaching,
    is_possible,
    layout,
    paged_cache,
    require_tensor_parallel,
    tensor_parallel_sizes,
)
from xlsizing.core.units import BYTES_PER_GIB

DEFAULT_MAX_NUM_BATCHED_TOKENS = 8192
DEFAULT_BATCHES_IN_FLIGHT = 2
DEFAULT_GPU_MEMORY_UTILIZATION = 0.92
DEFAULT_ACTIVATION_GIB = 3
DEFAULT_RUNTIME_GIB = 1

LISTED_SIZES = 128
"""Tensor-parallel sizes up to this are tried, and listed in sentences and in the workbook."""

USABLE_PER_THOUSAND = 994
"""Of the memory that the driver reports, what a program can allocate: 0.6 % less."""

WEIGHT_BITS: Mapping[str, int] = {
    "bf16": 1600,
    "fp16": 1600,
    "fp8": 800,
    "int8": 800,
    "mxfp4": 425,
    "nvfp4": 450,
}
"""Hundredths of a bit that a parameter takes, with the scales of its block.

Four-bit formats keep one 8-bit scale for every 32 (mxfp4) or 16 (nvfp4) elements.
"""

_PARTS_PER_BYTE = 800

_decimals = Rule(lambda value: is_in_parts(value, RATIO_PARTS), Message("with at most 4 decimals"))
GpuMemoryUtilization = Annotated[float, Above(0), AtMost(1), _decimals]
LARGEST_GPU_GIB = 4096
"""No GPU comes near it; up to here a sheet turns GiB into whole bytes as exactly as core."""
GpuGib = Annotated[float, AtLeast(0), AtMost(LARGEST_GPU_GIB), _decimals]


@dataclass(frozen=True)
class EngineSettings:
    """How the engine is started.

    Raises
    ------
    InvalidValueError : where a field breaks its rule.
    """

    tensor_parallel: Count | None = None
    """GPUs that share one copy of the model; None for the smallest size that holds a session."""
    max_num_batched_tokens: Count = DEFAULT_MAX_NUM_BATCHED_TOKENS
    """Tokens that the engine prefills in one step [tokens]."""
    batches_in_flight: Count = DEFAULT_BATCHES_IN_FLIGHT
    """Steps that are scheduled at the same time: 2 in vLLM 0.33, 1 in 0.24."""
    hybrid_manager: bool = True
    """Whether layers of different kinds keep different amounts."""
    state_caching: StateCaching = "none"
    """How prefix caching keeps the states of state-space layers."""
    gpu_memory_utilization: GpuMemoryUtilization = DEFAULT_GPU_MEMORY_UTILIZATION
    """Share of a GPU's memory that the engine may take [0 to 1]."""
    activation_gib: GpuGib = DEFAULT_ACTIVATION_GIB
    """Peak of the activations, per GPU [GiB]."""
    runtime_gib: GpuGib = DEFAULT_RUNTIME_GIB
    """Graphs, libraries and buffers of the runtime, per GPU [GiB]."""
    kv_pool_gib: GpuGib | None = None
    """The pool for KV caches per GPU, where it is known; it overrides the four above [GiB]."""

    def __post_init__(self) -> None:
        require_fields(self)

    @property
    def tokens_in_flight(self) -> int:
        """Tokens that a prefill may hold beyond a window [tokens]."""
        return self.max_num_batched_tokens * self.batches_in_flight


DEFAULT_SETTINGS = EngineSettings()


class GpuMemory(NamedTuple):
    """Where one GPU's memory goes [bytes]; `blocks` is the part of the pool in whole blocks."""

    total: int
    weights: int
    activation: int
    runtime: int
    pool: int
    blocks: int

    @property
    def unused(self) -> int:
        """What is left: beyond the utilisation, and less than a block."""
        taken = self.weights + self.activation + self.runtime + self.blocks
        return max(0, self.total - taken)


class EngineBound(NamedTuple):
    """What the engine promises for one load: per request, per replica and per node."""

    tensor_parallel: int
    cache: PagedCache
    """A request while its prefill runs: what the engine plans with."""
    steady: PagedCache
    """A request once its prefill is over."""
    memory: GpuMemory
    weights_estimated: bool
    """True where the weights per GPU come from parameters, not from published bytes."""
    num_blocks: int
    sessions_per_replica: int
    replicas_per_node: int
    nodes: Nodes
    """Nodes minimum, with headroom and final; three times None where nothing fits."""
    steady_nodes: Nodes
    """The same, of steady decode."""
    kv_copies: int
    """How many ranks hold the same KV cache, at most over the layers; 1 where none does."""

    @property
    def sessions_per_node(self) -> int:
        """Sessions that one node holds: those of a replica times the replicas."""
        return self.sessions_per_replica * self.replicas_per_node

    @property
    def steady_sessions_per_node(self) -> int:
        """The same, once every prefill is over."""
        return self.steady.admitted(self.num_blocks) * self.replicas_per_node

    @property
    def max_concurrency(self) -> float:
        """Requests as the engine's log counts them: num_blocks / blocks_per_request."""
        return max_concurrency(self.cache, self.num_blocks)


class UnknownWeightsError(SizingError):
    """A model of which neither the weights nor the parameters are known."""

    code = "UNKNOWN_WEIGHTS"


def max_concurrency(cache: PagedCache, num_blocks: int) -> float:
    """Requests as the engine's log counts them: num_blocks / blocks_per_request, to 4 decimals."""
    return round(num_blocks / cache.blocks_per_request, 4)


def gib_bytes(value: Number) -> int:
    """GiB of at most 4 decimals as whole bytes, half rounded up."""
    parts = in_parts(value, RATIO_PARTS) * BYTES_PER_GIB
    return (2 * parts + RATIO_PARTS) // (2 * RATIO_PARTS)


def usable_gpu_bytes(server: Server) -> int:
    """Memory of one GPU that a program can allocate [bytes].

    What cudaMemGetInfo reports where that is known, else 0.6 % less than the driver's
    figure, or than the marketed one where the driver's is not known either.
    """
    if server.usable_hbm_per_gpu_bytes is not None:
        return server.usable_hbm_per_gpu_bytes
    return hbm_bytes(server) * USABLE_PER_THOUSAND // (server.gpus * 1000)


def weight_bytes(model: Model) -> tuple[int, bool]:
    """Bytes of the weights, and whether they are an estimate.

    The published bytes where they are known; else unquantized_params * 2 + the other
    parameters * bytes of weight_precision, 2 where that is not known.

    Raises
    ------
    UnknownWeightsError : neither weight_bytes nor total_params is known.
    """
    if model.weight_bytes is not None:
        return model.weight_bytes, False
    if model.total_params is None:
        raise UnknownWeightsError(
            Message(
                "The catalog has neither weight_bytes nor total_params of {name}, so what its "
                "weights leave of a GPU is not known; give kv_pool_gib.",
                name=model.name,
            )
        )
    in_16_bits = min(model.unquantized_params or 0, model.total_params)
    bits = WEIGHT_BITS[model.weight_precision or "bf16"]
    parts = in_16_bits * WEIGHT_BITS["bf16"] + (model.total_params - in_16_bits) * bits
    return ceil_div(parts, _PARTS_PER_BYTE), True


def engine_bound(
    model: Model,
    server: Server,
    context: int,
    kv_precision: str,
    concurrency: int,
    peak_headroom_ratio: Number,
    ha_mode: str,
    settings: EngineSettings = DEFAULT_SETTINGS,
) -> EngineBound:
    """What the engine holds of a load, at the tensor-parallel size that is asked for.

    Where none is asked for it is the smallest at which a replica admits a session; the
    largest that a node has GPUs for, where none does.

    Parameters
    ----------
    model, server : the catalog entries.
    context : tokens that a session holds, clamped to the model's longest context.
    kv_precision, concurrency, peak_headroom_ratio, ha_mode : as `size` takes them.
    settings : how the engine is started.

    Raises
    ------
    InvalidValueError : a tensor-parallel size at which ranks cannot share the model, or
        that a node has too few GPUs for.
    UnknownLayoutError : layers that the engine is not known to lay out.
    UnknownWeightsError : neither weights nor parameters are known, nor a pool given.
    """
    choice = replicas(model, server, kv_precision, settings)
    replica, cache = chosen_replica(choice, context, settings)
    steady = paged_cache(replica.cut, context, 0, settings.state_caching)
    per_node = replica.sessions_per_node(cache)
    steady_per_node = replica.sessions_per_node(steady)
    return EngineBound(
        tensor_parallel=replica.tensor_parallel,
        cache=cache,
        steady=steady,
        memory=replica.memory,
        weights_estimated=replica.weights_estimated,
        num_blocks=replica.num_blocks,
        sessions_per_replica=cache.admitted(replica.num_blocks),
        replicas_per_node=replica.replicas_per_node,
        nodes=calc_nodes_required(concurrency, per_node, peak_headroom_ratio, ha_mode),
        steady_nodes=calc_nodes_required(
            concurrency, steady_per_node, peak_headroom_ratio, ha_mode
        ),
        kv_copies=max(copies(group, replica.tensor_parallel) for group in layer_groups(model)),
    )


class Replica(NamedTuple):
    """The GPUs that share one copy of a model, and the pool that each of them has."""

    tensor_parallel: int
    cut: Layout
    memory: GpuMemory
    weights_estimated: bool
    num_blocks: int
    replicas_per_node: int

    def sessions_per_node(self, cache: PagedCache) -> int:
        """Sessions that one node holds where each takes `cache`."""
        return cache.admitted(self.num_blocks) * self.replicas_per_node


def chosen_replica(
    choice: Sequence[Replica], context: int, settings: EngineSettings
) -> tuple[Replica, PagedCache]:
    """The first replica that admits a session, else the last, and what a request takes of it."""
    replica, cache = choice[0], _request(choice[0], context, settings)
    for following in choice[1:]:
        if cache.admitted(replica.num_blocks):
            break
        replica, cache = following, _request(following, context, settings)
    return replica, cache


def _request(replica: Replica, context: int, settings: EngineSettings) -> PagedCache:
    return paged_cache(replica.cut, context, settings.tokens_in_flight, settings.state_caching)


@lru_cache
def replicas(
    model: Model, server: Server, kv_precision: str, settings: EngineSettings
) -> tuple[Replica, ...]:
    """The replicas to choose from, from the smallest: one where a size is asked for.

    Sizes at which the engine is not known to lay the layers out are passed over. The
    parameters and errors are those of `engine_bound`.
    """
    if settings.tensor_parallel is not None:
        require_tensor_parallel(model, settings.tensor_parallel)
        if settings.tensor_parallel > server.gpus:
            right = Message(
                "at most {gpus}, the GPUs of one {server} node",
                gpus=str(server.gpus),
                server=server.name,
            )
            raise InvalidValueError("tensor_parallel", settings.tensor_parallel, right)
        return (_replica(model, server, kv_precision, settings, settings.tensor_parallel),)
    found, refused = [], None
    for size in tensor_parallel_sizes(model, min(server.gpus, LISTED_SIZES)):
        try:
            found.append(_replica(model, server, kv_precision, settings, size))
        except UnknownLayoutError as error:
            refused = refused or error
    if not found:
        assert refused is not None  # a size of 1 always divides
        raise refused
    return tuple(found)


def _replica(
    model: Model, server: Server, kv_precision: str, settings: EngineSettings, tensor_parallel: int
) -> Replica:
    cut = layout(model, kv_precision, tensor_parallel, hybrid_manager=settings.hybrid_manager)
    memory, estimated = _memory(model, server, settings, tensor_parallel, cut.bytes_per_block)
    return Replica(
        tensor_parallel=tensor_parallel,
        cut=cut,
        memory=memory,
        weights_estimated=estimated,
        num_blocks=max(0, memory.pool // cut.bytes_per_block),
        replicas_per_node=server.gpus // tensor_parallel,
    )


def _memory(
    model: Model,
    server: Server,
    settings: EngineSettings,
    tensor_parallel: int,
    bytes_per_block: int,
) -> tuple[GpuMemory, bool]:
    """Where a GPU's memory goes, and whether the weights are an estimate.

    pool = floor(total * utilisation) - weights / tensor_parallel - activation - runtime
    """
    total = usable_gpu_bytes(server)
    share = total * in_parts(settings.gpu_memory_utilization, RATIO_PARTS) // RATIO_PARTS
    activation, runtime = gib_bytes(settings.activation_gib), gib_bytes(settings.runtime_gib)
    if settings.kv_pool_gib is None:
        weights, estimated = weight_bytes(model)
        weights = ceil_div(weights, tensor_parallel)
        pool = share - weights - activation - runtime
    else:
        pool = gib_bytes(settings.kv_pool_gib)
        try:
            weights, estimated = weight_bytes(model)
            weights = ceil_div(weights, tensor_parallel)
        except UnknownWeightsError:
            weights, estimated = 0, True
    blocks = max(0, pool // bytes_per_block) * bytes_per_block
    return GpuMemory(total, weights, activation, runtime, pool, blocks), estimated


def tensor_parallel_alerts(model: Model, server: Server, settings: EngineSettings) -> list[Alert]:
    """The alert INVALID_TP, where the size that is asked for does not suit model or server."""
    asked = settings.tensor_parallel
    if asked is None:
        return []
    if asked <= server.gpus and is_possible(model, asked):
        return []
    return [
        ALERT_RULES["invalid_tp"].alert(
            tensor_parallel=grouped(asked),
            model=model.name,
            server=server.name,
            gpus=grouped(server.gpus),
            tensor_parallel_sizes=listed_sizes(model),
        )
    ]


def listed_sizes(model: Model) -> str:
    """The tensor-parallel sizes at which ranks can share a model, as text."""
    return ", ".join(map(str, tensor_parallel_sizes(model, LISTED_SIZES)))


def engine_alerts(
    model: Model,
    server: Server,
    context: int,
    sessions_per_node: int,
    nodes_final: int | None,
    engine: EngineBound | None,
) -> list[Alert]:
    """The alerts ENGINE_NEEDS_MORE_NODES and KV_REPLICATED, where they apply.

    Where not one session fits by the planning method, its own alert says so.
    """
    if engine is None:
        return []
    alerts = []
    final = engine.nodes[-1]
    words = {
        "model": model.name,
        "server": server.name,
        "context": grouped(context),
        "sessions_per_node": grouped(sessions_per_node),
    }
    if nodes_final is not None and final is None:
        alerts.append(ALERT_RULES["engine_holds_none"].alert(**words))
    elif nodes_final is not None and final is not None and final > nodes_final:
        alerts.append(
            ALERT_RULES["engine_needs_more_nodes"].alert(
                engine_sessions=grouped(engine.sessions_per_node),
                engine_nodes=grouped(final),
                nodes=grouped(nodes_final),
                **words,
            )
        )
    if engine.kv_copies > 1:
        alerts.append(
            ALERT_RULES["kv_replicated"].alert(
                used_tensor_parallel=grouped(engine.tensor_parallel),
                kv_copies=grouped(engine.kv_copies),
                model=model.name,
            )
        )
    return alerts
