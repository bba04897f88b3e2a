"""How much KV cache one session needs.

Source: the planning method, steps 1 to 4. A layer that sees the whole context keeps
a key and a value vector per KV head and token; a windowed layer keeps them for the
last tokens only, a latent layer keeps one compressed vector, and a state-space layer a
state of fixed size.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, NamedTuple, cast

from xlsizing.core.alerts import ALERT_RULES, Alert
from xlsizing.core.constraints import AtLeast, AtMost, check_of, require
from xlsizing.core.entries import KvPrecision, Model
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.exact import Number, as_whole, grouped
from xlsizing.core.layers import (
    AttentionLayers,
    LatentLayers,
    LayerGroup,
    RecurrentDtype,
    StateLayers,
)
from xlsizing.core.message import Message
from xlsizing.core.units import BYTES_PER_GIB, BYTES_PER_TIB

BYTES_PER_ELEMENT: Mapping[str, int] = {"fp16": 2, "bf16": 2, "fp8": 1, "int8": 1}
"""Bytes that one element of the KV cache takes, by precision."""

WholeNumber = Annotated[int, AtLeast(1), AtMost(10**18)]
"""Sessions or tokens; the upper bound keeps every figure within what a float can show."""


_is_whole_number = check_of(WholeNumber)
_is_precision = check_of(KvPrecision)


def whole_number(field: str, value: Number) -> int:
    """`value` as an int, where it is a whole number of at least 1."""
    whole = as_whole(value)
    if not _is_whole_number(whole):
        require(field, whole, WholeNumber)
    return cast(int, whole)


def resolved_precision(model: Model, kv_precision: str | None) -> KvPrecision:
    """The KV precision asked for, or the model's default where it is None."""
    if kv_precision is None:
        return model.default_kv_precision
    if not _is_precision(kv_precision):
        require("kv_precision", kv_precision, KvPrecision)
    return cast(KvPrecision, kv_precision)


def clamped_context(model: Model, effective_context: Number) -> int:
    """The context that the model will hold [tokens].

    context = min(effective_context, max_position_embeddings)
    """
    return min(whole_number("effective_context", effective_context), model.max_position_embeddings)


@lru_cache
def layer_groups(model: Model) -> tuple[LayerGroup, ...]:
    """The groups of equal layers that a model is made of, whichever way its entry says it."""
    if model.attention_pattern == "grouped":
        return model.layer_groups
    full, sliding = {
        "full": (model.num_layers, 0),
        "sliding": (0, model.num_layers),
        "hybrid": (model.hybrid_full_layers or 0, model.hybrid_sliding_layers or 0),
    }[model.attention_pattern]
    heads, dim = cast(int, model.num_key_value_heads), cast(int, model.head_dim)
    groups = []
    if sliding:
        groups.append(AttentionLayers("sliding", sliding, heads, dim, dim, model.sliding_window))
    if full:
        groups.append(AttentionLayers("full", full, heads, dim, dim))
    return tuple(groups)


def with_recurrent_dtype(model: Model, dtype: str) -> Model:
    """The model with the recurrent part of its states in another dtype.

    Raises
    ------
    InvalidValueError : dtype is none that engines keep states in, or the model has none.
    """
    require("ssm_state_dtype", dtype, RecurrentDtype)
    if not any(isinstance(group, StateLayers) for group in layer_groups(model)):
        right = Message("left out, since {model} has no state-space layers", model=model.name)
        raise InvalidValueError("ssm_state_dtype", dtype, right)
    groups = tuple(
        replace(group, recurrent_dtype=cast(RecurrentDtype, dtype))
        if isinstance(group, StateLayers)
        else group
        for group in model.layer_groups
    )
    return replace(model, layer_groups=groups)


class SessionCost(NamedTuple):
    """What one session costs by the planning formula: bytes = (elements * precision's bytes
    + index_bytes) * context + windowed_elements * precision's bytes * min(context, window)
    + state_bytes.
    """

    full_layers: int
    """Layers that see the whole context."""
    windowed_layers: int
    """Layers that see a window or a chunk."""
    elements: int
    """Elements that one token adds on the layers that see the whole context."""
    windowed_elements: int
    """Elements that one token adds on the windowed layers."""
    window: int
    """Tokens of the window or chunk; 0 where there is none [tokens]."""
    index_bytes: int
    """Bytes that one token adds to the sparse-attention indexers, at any precision [bytes]."""
    state_bytes: int
    """State of one session, at any context and precision [bytes]."""

    def kv_bytes(self, context: int, bytes_per_element: int) -> int:
        """KV cache of one session of `context` tokens [bytes]."""
        full = (self.elements * bytes_per_element + self.index_bytes) * context
        windowed = self.windowed_elements * bytes_per_element * min(context, self.window)
        return full + windowed + self.state_bytes


@lru_cache
def session_cost(model: Model) -> SessionCost:
    """What one session costs on a model, from its layer groups.

    An attention layer adds kv_heads * (key_dim + value_dim) elements per token, which is
    2 * num_key_value_heads * head_dim where keys and values have equal heads; a latent
    layer adds kv_lora_rank + qk_rope_head_dim, once.
    """
    layers = windowed_layers = elements = windowed = window = index_bytes = state_bytes = 0
    for group in layer_groups(model):
        if isinstance(group, StateLayers):
            state_bytes += group.layers * group.state_bytes()
        elif isinstance(group, LatentLayers):
            layers += group.layers
            elements += group.layers * group.elements
            index_bytes += group.indexer_layers * group.index_bytes
        else:
            added = group.layers * group.kv_heads * (group.key_dim + group.value_dim)
            if group.window is None:
                layers += group.layers
                elements += added
            else:
                windowed_layers += group.layers
                windowed += added
                window = group.window
    return SessionCost(
        layers, windowed_layers, elements, windowed, window, index_bytes, state_bytes
    )


def kv_bytes_per_session(
    model: Model, effective_context: Number, kv_precision: str | None = None
) -> int:
    """KV cache of one session, exactly [bytes].

    bytes = (elements * context + windowed elements * min(context, window)) * bytes per
    element, and what does not depend on the precision; see `SessionCost`

    Parameters
    ----------
    model : the model.
    effective_context : tokens that a session holds, clamped to the model's longest context.
    kv_precision : fp16, bf16, fp8 or int8; None for the model's default.

    Raises
    ------
    InvalidValueError : effective_context is no whole number of at least 1, or
        kv_precision is none of the four.
    """
    context = clamped_context(model, effective_context)
    precision = resolved_precision(model, kv_precision)
    return session_cost(model).kv_bytes(context, BYTES_PER_ELEMENT[precision])


def calc_kv_per_session_gib(
    model: Model, effective_context: Number, kv_precision: str | None = None
) -> tuple[float, list[str]]:
    """KV cache of one session [GiB], and the warnings about context and precision.

    The parameters and errors are those of `kv_bytes_per_session`.
    """
    size = kv_bytes_per_session(model, effective_context, kv_precision)
    alerts = kv_alerts(model, effective_context, kv_precision)
    return gib(size), [alert.message for alert in alerts]


def kv_alerts(
    model: Model, effective_context: Number, kv_precision: str | None = None
) -> list[Alert]:
    """The alerts CONTEXT_CLAMPED and KV_PRECISION_16BIT, where they apply."""
    typed = whole_number("effective_context", effective_context)
    precision = resolved_precision(model, kv_precision)
    alerts = []
    if typed > model.max_position_embeddings:
        alerts.append(
            ALERT_RULES["context_clamped"].alert(
                typed_context=grouped(typed),
                model=model.name,
                max_context=grouped(model.max_position_embeddings),
            )
        )
    if BYTES_PER_ELEMENT[precision] == 2:
        alerts.append(ALERT_RULES["kv_precision_16bit"].alert(precision=precision))
    return alerts


def kv_total_tib(kv_bytes: int, concurrency: Number) -> float:
    """KV cache of all sessions together [TiB], of `kv_bytes` each."""
    return kv_bytes * whole_number("concurrency", concurrency) / BYTES_PER_TIB


def gib(size: int) -> float:
    """A size in bytes as GiB."""
    return size / BYTES_PER_GIB
