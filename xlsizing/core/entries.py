"""The catalog entries that a sizing is made from: a model, a server, a storage profile.

These frozen dataclasses are the schema: their annotations carry every rule that one
field can break, and the attribute docstrings become the JSON Schemas' descriptions.
An entry that exists is valid; a wrong one raises when it is made.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Annotated, Any, Literal

from xlsizing.core.alerts import ALERT_RULES, Alert
from xlsizing.core.constraints import (
    LARGEST,
    Above,
    AtLeast,
    AtMost,
    Count,
    LayerCount,
    Rule,
    require_fields,
)
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.exact import GIB_PARTS, RATIO_PARTS, in_parts, is_in_parts
from xlsizing.core.layers import LayerGroup
from xlsizing.core.message import Message

AttentionPattern = Literal["full", "sliding", "hybrid", "grouped"]
KvPrecision = Literal["fp16", "bf16", "fp8", "int8"]
WeightPrecision = Literal["bf16", "fp16", "fp8", "int8", "mxfp4", "nvfp4"]
StorageType = Literal[
    "nvme_local",
    "network_ssd",
    "san",
    "parallel_fs",
    "hdd",
    "cloud_block_storage",
    "cloud_file_storage",
    "cloud_object_storage",
]

_HEADS = ("num_key_value_heads", "head_dim")
NEEDED_BY_PATTERN: Mapping[str, tuple[str, ...]] = {
    "full": _HEADS,
    "sliding": (*_HEADS, "sliding_window"),
    "hybrid": (*_HEADS, "hybrid_full_layers", "hybrid_sliding_layers", "sliding_window"),
    "grouped": ("layer_groups",),
}
"""Fields that a model must have, by its attention pattern."""

_PATTERN_FIELDS = ("hybrid_full_layers", "hybrid_sliding_layers", "sliding_window")
"""Fields in which a pattern other than grouped says what layer_groups would."""

# MATCH would read *, ? and ~ as wildcards, and Excel's TRIM would change stray blanks; what
# cannot be seen (control characters, joiners, half of a surrogate pair) has no place either.
NAME_PATTERN = (
    r"^(?! )(?!.*  )(?!.* $)[^*?~\u0000-\u001f\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202f"
    r"\u2060-\u206f\ufeff\ufffe\uffff\ud800-\udfff]{1,80}$(?!\n)"
)
"""What a name may be, for the JSON Schemas; `_is_name` is the rule.

It is not compiled here: that takes longer than a sizing.
"""


def _is_name(text: str) -> bool:
    tidy = " ".join(part for part in text.split(" ") if part)
    return (
        0 < len(text) <= 80
        and text == tidy
        and text.isprintable()
        and not any(wildcard in text for wildcard in "*?~")
    )


Name = Annotated[
    str,
    Rule(
        _is_name,
        Message("of 1 to 80 visible characters with no *, ? or ~ and no stray blanks"),
    ),
]
Rate = Annotated[float, AtLeast(0), AtMost(LARGEST)]
Speed = Annotated[
    float,
    Above(0),
    AtMost(LARGEST),
    Rule(lambda value: is_in_parts(value, RATIO_PARTS), Message("with at most 4 decimals")),
]
Gigabytes = Annotated[
    float,
    Above(0),
    AtMost(LARGEST),
    Rule(lambda value: is_in_parts(value, GIB_PARTS), Message("with at most 2 decimals")),
]
Sources = dict[str, str]

_ABOUT_THE_ENTRY = frozenset({"name", "aliases", "sources", "notes"})


@dataclass(frozen=True)
class Model:
    """A language model, as far as the size of its KV cache depends on it.

    Raises
    ------
    InvalidValueError : where a field breaks its rule, hybrid layers do not add up to
        num_layers, a field that the pattern needs is missing, or layer groups have
        windows of different kinds or lengths.
    """

    name: Name
    """Name of the model, unique in the catalog without regard to case."""
    num_layers: Count
    """Layers of the model."""
    num_key_value_heads: Count | None = field(default=None, kw_only=True)
    """Key and value heads per layer (grouped-query attention)."""
    head_dim: Count | None = field(default=None, kw_only=True)
    """Elements of one key or value head."""
    max_position_embeddings: Count
    """Longest context that the model supports [tokens]."""
    attention_pattern: AttentionPattern
    """full: every layer sees the whole context; sliding: every layer sees a window; hybrid: both; grouped: layer_groups says what each layer holds."""
    hybrid_full_layers: LayerCount | None = None
    """Layers of a hybrid model that see the whole context."""
    hybrid_sliding_layers: LayerCount | None = None
    """Layers of a hybrid model that see the sliding window."""
    sliding_window: Count | None = None
    """Tokens that a sliding layer keeps [tokens]."""
    default_kv_precision: KvPrecision = "bf16"
    """KV precision where none is asked for; a choice of the catalog's: fp8 where the released weights are 8 bits or fewer, else bf16."""
    layer_groups: tuple[LayerGroup, ...] = ()
    """Groups of equal layers; for models that the other patterns cannot describe."""
    num_attention_heads: Count | None = None
    """Query heads per layer; a tensor-parallel size must divide them."""
    total_params: Count | None = None
    """Parameters of the whole model, all experts included."""
    weight_bytes: Count | None = None
    """Size of the released weights [bytes]."""
    weight_precision: WeightPrecision | None = None
    """Precision of most of the released weights; for an estimate where weight_bytes is not known."""
    unquantized_params: LayerCount | None = None
    """Parameters that stay in 16 bits where weight_precision is less, such as embeddings."""
    aliases: tuple[Name, ...] = ()
    """Other names that find this entry."""
    sources: Sources = field(default_factory=dict, hash=False)
    """Where each figure comes from: field name, or * for all, to a source."""
    notes: str = ""
    """What a reader should know about the entry."""

    def __post_init__(self) -> None:
        _require_valid(self)


@dataclass(frozen=True)
class Server:
    """One node: a server, or a rack that is bought as one.

    HBM "GB" is not one unit: on most GPUs it is close to GiB, on others to 10^9 bytes.
    hbm_per_gpu_mib, what the driver reports, settles it where it is known.
    """

    name: Name
    """Name of the server, unique in the catalog without regard to case."""
    gpus: Count
    """GPUs per node."""
    hbm_per_gpu_gb: Gigabytes
    """High-bandwidth memory per GPU as it is marketed [GB]."""
    total_hbm_gb: Gigabytes | None = None
    """High-bandwidth memory per node as it is marketed [GB]; gpus * hbm_per_gpu_gb where left out."""
    nvlink_bandwidth_tbps: Rate | None = None
    """Bandwidth between GPUs, per GPU, both directions together [TB/s]."""
    system_memory_tb: Rate | None = None
    """Memory of the host [TB]."""
    hbm_per_gpu_mib: Count | None = None
    """High-bandwidth memory per GPU as the driver reports it [MiB]."""
    usable_hbm_per_gpu_bytes: Count | None = None
    """High-bandwidth memory per GPU that a program can allocate, as cudaMemGetInfo reports its total [bytes]."""
    gpu: str = ""
    """Name of the GPU."""
    hbm_bandwidth_tbps: Rate | None = None
    """Memory bandwidth per GPU [TB/s]."""
    bf16_tflops: Rate | None = None
    """Dense bf16 performance per GPU [TFLOP/s]."""
    fp8_tflops: Rate | None = None
    """Dense fp8 performance per GPU [TFLOP/s]."""
    fp4_tflops: Rate | None = None
    """Dense fp4 performance per GPU [TFLOP/s]."""
    max_power_kw: Rate | None = None
    """Highest power draw of the node [kW]."""
    rack_units: Rate | None = None
    """Height of the node [rack units]."""
    aliases: tuple[Name, ...] = ()
    """Other names that find this entry."""
    sources: Sources = field(default_factory=dict, hash=False)
    """Where each figure comes from: field name, or * for all, to a source."""
    notes: str = ""
    """What a reader should know about the entry."""

    def __post_init__(self) -> None:
        _require_valid(self)
        if self.total_hbm_gb is None:
            object.__setattr__(self, "total_hbm_gb", self.product_of_hbm_gb)

    @property
    def product_of_hbm_gb(self) -> float:
        """The product of gpus and hbm_per_gpu_gb, exact to the hundredth [GB]."""
        return self.gpus * in_parts(self.hbm_per_gpu_gb, GIB_PARTS) / GIB_PARTS


@dataclass(frozen=True)
class StorageProfile:
    """The storage that weights are loaded from and KV caches are reloaded from."""

    name: Name
    """Name of the profile, unique in the catalog without regard to case."""
    type: StorageType
    """Kind of storage."""
    iops_read: Rate
    """Read operations per second."""
    iops_write: Rate
    """Write operations per second."""
    throughput_read_gbps: Speed
    """Read throughput in gigabytes (10^9 bytes) per second, as storage vendors' sheets use the name [GB/s]."""
    throughput_write_gbps: Speed
    """Write throughput in gigabytes (10^9 bytes) per second, as storage vendors' sheets use the name [GB/s]."""
    latency_read_ms_p50: Rate
    """Median read latency [ms]."""
    latency_read_ms_p99: Rate
    """99th percentile of the read latency [ms]."""
    latency_write_ms_p50: Rate
    """Median write latency [ms]."""
    latency_write_ms_p99: Rate
    """99th percentile of the write latency [ms]."""
    aliases: tuple[Name, ...] = ()
    """Other names that find this entry."""
    sources: Sources = field(default_factory=dict, hash=False)
    """Where each figure comes from: field name, or * for all, to a source."""
    notes: str = ""
    """What a reader should know about the entry."""

    def __post_init__(self) -> None:
        _require_valid(self)


Entry = Model | Server | StorageProfile


def faults_between_fields(
    entry: type[Entry], given: Mapping[str, Any], wrong: Collection[str] = ()
) -> Iterator[tuple[str, InvalidValueError]]:
    """What is wrong between the fields of an entry that may be right one by one.

    Each with the field that would have to change.

    Parameters
    ----------
    entry : Model, Server or StorageProfile.
    given : the fields that are given, by name.
    wrong : names of fields that are known to be wrong by themselves, and so not looked at.
    """
    if "sources" not in wrong:
        known = {each.name for each in fields(entry)} | {"*"}
        for name in given.get("sources", {}):
            if name not in known:
                right = Message('a field of the entry, or "*" for all')
                yield "sources", InvalidValueError(Message("a key of sources"), name, right)
    if entry is Model and "attention_pattern" not in wrong:
        yield from _attention_faults(given, wrong)
        yield from _layer_group_faults(given, wrong)


def _attention_faults(
    given: Mapping[str, Any], wrong: Collection[str]
) -> Iterator[tuple[str, InvalidValueError]]:
    pattern = given.get("attention_pattern")
    hybrid = ("hybrid_full_layers", "hybrid_sliding_layers")
    for name in NEEDED_BY_PATTERN.get(str(pattern), ()):
        if name not in wrong and given.get(name) in (None, (), []):
            right = Message("given where attention_pattern is {pattern}", pattern=str(pattern))
            yield name, InvalidValueError(name, None, right)
    counts = [given.get(name) for name in ("num_layers", *hybrid)]
    if pattern == "hybrid" and None not in counts and not {"num_layers", *hybrid} & set(wrong):
        layers, full, sliding = counts
        if full + sliding != layers:  # type: ignore[operator]
            right = Message("equal to num_layers, which is {layers}", layers=str(layers))
            added = full + sliding  # type: ignore[operator]
            yield hybrid[0], InvalidValueError(" + ".join(hybrid), added, right)


def _layer_group_faults(
    given: Mapping[str, Any], wrong: Collection[str]
) -> Iterator[tuple[str, InvalidValueError]]:
    groups = given.get("layer_groups") or ()
    if "layer_groups" in wrong or not groups:
        return
    pattern = given.get("attention_pattern")
    if pattern != "grouped":
        right = Message("left out where attention_pattern is {pattern}", pattern=str(pattern))
        yield "layer_groups", InvalidValueError("layer_groups", Message("given"), right)
        return
    for name in _PATTERN_FIELDS:
        if given.get(name) is not None:
            right = Message("left out where attention_pattern is {pattern}", pattern=pattern)
            yield name, InvalidValueError(name, given[name], right)
    windows = {(_of(group, "kind"), _of(group, "window")) for group in groups}
    windows = {window for window in windows if window[1] is not None}
    if len(windows) > 1:
        named = _and(sorted(f"{kind} {window}" for kind, window in windows))
        right = Message("of one kind and length in all layer groups")
        yield "layer_groups", InvalidValueError(Message("the window"), named, right)


def _and(texts: Sequence[str]) -> str:
    """Several texts, as a sentence lists them."""
    first, *others = texts
    return Message("{one} and {other}", one=first, other=_and(others)) if others else first


def _of(group: Any, name: str) -> Any:
    """A field of a layer group, which may still be the JSON object that it is made from."""
    return group.get(name) if isinstance(group, Mapping) else getattr(group, name, None)


def _require_valid(entry: Entry) -> None:
    require_fields(entry)
    for _, fault in faults_between_fields(type(entry), vars(entry)):
        raise fault


def figures(entry: Entry) -> Iterator[str]:
    """Names of the fields in which `entry` states a fact that needs a source."""
    for each in fields(entry):
        stated = getattr(entry, each.name) not in (None, "", ())
        if stated and each.name not in _ABOUT_THE_ENTRY:
            yield each.name


@lru_cache
def unsourced_figures(entry: Entry) -> tuple[str, ...]:
    """Names of the fields whose figure `sources` does not cover.

    A total_hbm_gb that is the product of two covered figures needs no source of its own.
    """
    if "*" in entry.sources:
        return ()
    missing = [name for name in figures(entry) if name not in entry.sources]
    if (
        isinstance(entry, Server)
        and {"gpus", "hbm_per_gpu_gb"} <= set(entry.sources)
        and entry.total_hbm_gb == entry.product_of_hbm_gb
    ):
        missing = [name for name in missing if name != "total_hbm_gb"]
    return tuple(missing)


def source_alerts(model: Model, server: Server, storage: StorageProfile) -> list[Alert]:
    """The alerts CATALOG_UNSOURCED: one for each entry with figures that lack a source."""
    alerts = []
    for kind, entry in (("model", model), ("server", server), ("storage", storage)):
        if missing := unsourced_figures(entry):
            names = {kind: entry.name, f"{kind}_fields": ", ".join(missing)}
            alerts.append(ALERT_RULES[f"{kind}_unsourced"].alert(**names))
    return alerts
