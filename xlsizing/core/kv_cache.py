"""How much KV cache one session needs.

Source: the planning method, steps 1 to 4. A layer that sees the whole context keeps
a key and a value vector per KV head and token; a sliding layer keeps them for the
last `sliding_window` tokens only.
"""

from collections.abc import Mapping
from typing import Annotated, cast

from xlsizing.core.alerts import ALERT_RULES, Alert
from xlsizing.core.constraints import AtLeast, AtMost, require
from xlsizing.core.entries import KvPrecision, Model
from xlsizing.core.exact import Number, as_whole, grouped
from xlsizing.core.units import BYTES_PER_GIB, BYTES_PER_TIB

BYTES_PER_ELEMENT: Mapping[str, int] = {"fp16": 2, "bf16": 2, "fp8": 1, "int8": 1}
"""Bytes that one element of the KV cache takes, by precision."""

WholeNumber = Annotated[int, AtLeast(1), AtMost(10**18)]
"""Sessions or tokens; the upper bound keeps every figure within what a float can show."""


def whole_number(field: str, value: Number) -> int:
    """`value` as an int, where it is a whole number of at least 1."""
    whole = as_whole(value)
    require(field, whole, WholeNumber)
    return cast(int, whole)


def resolved_precision(model: Model, kv_precision: str | None) -> KvPrecision:
    """The KV precision asked for, or the model's default where it is None."""
    if kv_precision is None:
        return model.default_kv_precision
    require("kv_precision", kv_precision, KvPrecision)
    return cast(KvPrecision, kv_precision)


def clamped_context(model: Model, effective_context: Number) -> int:
    """The context that the model will hold [tokens].

    context = min(effective_context, max_position_embeddings)
    """
    return min(whole_number("effective_context", effective_context), model.max_position_embeddings)


def layer_counts(model: Model) -> tuple[int, int]:
    """Layers that see the whole context, and layers that see the sliding window."""
    if model.attention_pattern == "full":
        return model.num_layers, 0
    if model.attention_pattern == "sliding":
        return 0, model.num_layers
    return model.hybrid_full_layers or 0, model.hybrid_sliding_layers or 0


def kv_elements_per_token(model: Model) -> tuple[int, int]:
    """KV elements that one token adds on the full layers, and on the sliding layers.

    elements = layers * 2 * num_key_value_heads * head_dim, the 2 for key and value
    """
    full_layers, sliding_layers = layer_counts(model)
    per_layer = 2 * model.num_key_value_heads * model.head_dim
    return full_layers * per_layer, sliding_layers * per_layer


def kv_bytes_per_session(
    model: Model, effective_context: Number, kv_precision: str | None = None
) -> int:
    """KV cache of one session, exactly [bytes].

    bytes = (full elements * context + sliding elements * min(context, window))
    * bytes per element

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
    full, sliding = kv_elements_per_token(model)
    windowed = min(context, model.sliding_window or 0)
    precision = resolved_precision(model, kv_precision)
    return (full * context + sliding * windowed) * BYTES_PER_ELEMENT[precision]


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
