"""The layers of a model, as far as a session leaves something in them.

A model is a few groups of equal layers. Three families hold something different:
attention keeps a key and a value per head and token, latent attention one compressed
vector per token, a state-space layer a state of fixed size. Layers that hold nothing of
their own (feed-forward only, or sharing another layer's KV cache) are in no group.

Source: the planning method, part 2, "Layers".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from xlsizing.core.constraints import Count, LayerCount, require_fields
from xlsizing.core.errors import InvalidValueError, SizingError
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message

RecurrentDtype = Literal["float32", "bfloat16", "float16"]

RECURRENT_BYTES: Mapping[str, int] = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of one element of a recurrent state, by its dtype."""

MODEL_DTYPE_BYTES = 2
"""Bytes of one element in the 16-bit dtype that engines run models in."""

SCALE_BYTES, ELEMENTS_PER_SCALE = 4, 128
"""An 8-bit cache with scales keeps one of 4 bytes for every 128 elements."""


@dataclass(frozen=True)
class AttentionLayers:
    """Layers that keep a key and a value vector per KV head and token.

    Raises
    ------
    InvalidValueError : where a field breaks its rule, or a windowed kind has no window.
    """

    kind: Literal["full", "sliding", "chunked"]
    """full: the whole context; sliding: the last `window` tokens; chunked: the chunk of `window` tokens."""
    layers: Count
    """Layers of the group."""
    kv_heads: Count
    """Key and value heads per layer (grouped-query attention)."""
    key_dim: Count
    """Elements of one key head."""
    value_dim: Count
    """Elements of one value head."""
    window: Count | None = None
    """Tokens of the window or chunk; only where kind is sliding or chunked [tokens]."""
    transformers_window: Count | None = None
    """Tokens that the transformers library keeps, where that is not window - 1 [tokens]."""

    def __post_init__(self) -> None:
        require_fields(self)
        windowed = self.kind != "full"
        if windowed != (self.window is not None):
            right = (
                Message("given where kind is {kind}", kind=self.kind)
                if windowed
                else Message("left out where kind is {kind}", kind=self.kind)
            )
            raise InvalidValueError("window", self.window, right)


@dataclass(frozen=True)
class LatentLayers:
    """Layers of multi-head latent attention (MLA): one compressed vector per token.

    Some have a sparse-attention indexer, which keeps a key of its own in 8 bits.

    Raises
    ------
    InvalidValueError : where a field breaks its rule, or the indexer's fields do not agree.
    """

    kind: Literal["latent"]
    """Always latent."""
    layers: Count
    """Layers of the group."""
    kv_lora_rank: Count
    """Elements of the compressed key and value."""
    qk_rope_head_dim: Count
    """Elements of the part of the key that carries the position."""
    indexer_layers: LayerCount = 0
    """Layers of the group that have an indexer."""
    index_head_dim: Count | None = None
    """Elements of an indexer's key; only where there are indexers."""

    def __post_init__(self) -> None:
        require_fields(self)
        if self.indexer_layers > self.layers:
            right = Message("at most layers, which is {layers}", layers=str(self.layers))
            raise InvalidValueError("indexer_layers", self.indexer_layers, right)
        if (self.indexer_layers > 0) != (self.index_head_dim is not None):
            right = Message("given where indexer_layers is above 0, and only there")
            raise InvalidValueError("index_head_dim", self.index_head_dim, right)

    @property
    def elements(self) -> int:
        """Elements that one token adds to one layer: kv_lora_rank + qk_rope_head_dim."""
        return self.kv_lora_rank + self.qk_rope_head_dim

    @property
    def index_bytes(self) -> int:
        """Bytes that one token adds to one indexer: 1 an element, and a scale for every whole 128."""
        elements = self.index_head_dim or 0
        return elements + SCALE_BYTES * (elements // ELEMENTS_PER_SCALE)


@dataclass(frozen=True)
class StateLayers:
    """Layers with a state of fixed size: a short convolution and a recurrent part.

    One set of fields serves the three families. Mamba-1: `heads` is the inner size and
    head_dim 1, without groups. Gated delta net: heads and head_dim are those of the
    values, state_size is the dimension of a key head and `groups` the number of them.

    Raises
    ------
    InvalidValueError : where a field breaks its rule.
    """

    kind: Literal["state"]
    """Always state."""
    layers: Count
    """Layers of the group."""
    family: Literal["mamba", "mamba2", "gated_delta_net"]
    """Kind of state-space layer."""
    conv_kernel: Count
    """Length of the convolution [tokens]."""
    heads: Count
    """Heads of the recurrent state."""
    head_dim: Count
    """Rows of one head's state."""
    state_size: Count
    """Columns of one head's state."""
    groups: LayerCount = 0
    """Groups that share their input and output projections; 0 where those are not convolved."""
    recurrent_dtype: RecurrentDtype = "bfloat16"
    """Dtype that the engine keeps the recurrent part in."""

    def __post_init__(self) -> None:
        require_fields(self)

    def conv_elements(self, tensor_parallel: int = 1) -> int:
        """Channels of the convolution on one rank.

        (heads * head_dim + 2 * groups * state_size) / tensor_parallel; groups that
        tensor_parallel does not divide are raised to it.
        """
        groups = self.groups
        if groups and groups % tensor_parallel:
            groups = tensor_parallel
        return (self.heads * self.head_dim + 2 * groups * self.state_size) // tensor_parallel

    def recurrent_elements(self, tensor_parallel: int = 1) -> int:
        """Elements of the recurrent part on one rank: heads / tp * head_dim * state_size."""
        return self.heads // tensor_parallel * self.head_dim * self.state_size

    def state_bytes(self, tensor_parallel: int = 1) -> int:
        """State of one session in one layer of one rank [bytes].

        (conv_kernel - 1) * channels * 2 + recurrent elements * bytes of their dtype
        """
        conv = (self.conv_kernel - 1) * self.conv_elements(tensor_parallel) * MODEL_DTYPE_BYTES
        recurrent = self.recurrent_elements(tensor_parallel)
        return conv + recurrent * RECURRENT_BYTES[self.recurrent_dtype]


LayerGroup = AttentionLayers | LatentLayers | StateLayers

CLASS_BY_KIND: Mapping[str, type[LayerGroup]] = {
    "full": AttentionLayers,
    "sliding": AttentionLayers,
    "chunked": AttentionLayers,
    "latent": LatentLayers,
    "state": StateLayers,
}
"""The class of a layer group, by its kind."""


class UnknownLayoutError(SizingError):
    """A model whose layers the engine is not known to lay out, or does not take."""

    code = "UNKNOWN_LAYOUT"


def is_split_evenly(group: LayerGroup, tensor_parallel: int) -> bool:
    """True where `tensor_parallel` ranks can share the layers of a group.

    KV heads are divided among ranks, or whole heads repeated on them; the heads of a
    state are divided, and so are the key heads of a gated delta net.
    """
    if isinstance(group, AttentionLayers):
        return group.kv_heads % tensor_parallel == 0 or tensor_parallel % group.kv_heads == 0
    if isinstance(group, StateLayers):
        groups = group.groups
        if group.family == "gated_delta_net" and groups % tensor_parallel:
            return False
        if groups > tensor_parallel and groups % tensor_parallel:
            return False
        return group.heads % tensor_parallel == 0
    return True


def copies(group: LayerGroup, tensor_parallel: int) -> int:
    """How many of the ranks hold the same KV cache: 1 where it is divided among them.

    tensor_parallel / kv_heads where there are fewer KV heads than ranks; every rank for
    latent layers, whose one vector per token cannot be divided.
    """
    if isinstance(group, AttentionLayers):
        return max(1, tensor_parallel // group.kv_heads)
    return tensor_parallel if isinstance(group, LatentLayers) else 1


def described(group: LayerGroup) -> Message:
    """What one layer of a group keeps, in words."""
    if isinstance(group, StateLayers):
        return Message(
            "state ({family}), {heads} heads x {head_dim} x {state_size} elements in {dtype}",
            family=group.family,
            heads=str(group.heads),
            head_dim=str(group.head_dim),
            state_size=str(group.state_size),
            dtype=group.recurrent_dtype,
        )
    if isinstance(group, LatentLayers):
        latent = Message(
            "latent, {rank} + {rope} elements a token",
            rank=str(group.kv_lora_rank),
            rope=str(group.qk_rope_head_dim),
        )
        if not group.indexer_layers:
            return latent
        return Message(
            "{latent}; {layers} of them with an indexer, {size} bytes a token",
            latent=latent,
            layers=str(group.indexer_layers),
            size=str(group.index_bytes),
        )
    attention = Message(
        "{kind}, {heads} KV heads x ({key} + {value}) elements a token",
        kind=group.kind,
        heads=str(group.kv_heads),
        key=str(group.key_dim),
        value=str(group.value_dim),
    )
    if not group.window:
        return attention
    return Message(
        "{attention}, window of {window} tokens",
        attention=attention,
        window=grouped(group.window),
    )
