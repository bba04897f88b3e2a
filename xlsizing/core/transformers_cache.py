"""What the transformers library's cache holds for one session.

Source: the planning method, part 2, "transformers' convention"; the tests compare with
the tensors of its caches.
"""

from xlsizing.core.entries import Model
from xlsizing.core.kv_cache import layer_groups
from xlsizing.core.layers import (
    MODEL_DTYPE_BYTES,
    RECURRENT_BYTES,
    AttentionLayers,
    LatentLayers,
    LayerGroup,
    StateLayers,
)


def transformers_bytes(model: Model, tokens: int) -> int:
    """What one session of `tokens` holds in a model run in 16 bits [bytes].

    full    : tokens * kv_heads * (key_dim + value_dim) * 2
    sliding, chunked : the same with min(tokens, window - 1)
    latent  : tokens * (kv_lora_rank + qk_rope_head_dim) * 2, and an indexer's key in 16 bits
    state   : conv_kernel columns in 16 bits, the recurrent part in 32
    """
    return sum(group.layers * _layer_bytes(group, tokens) for group in layer_groups(model)) + sum(
        group.indexer_layers * tokens * (group.index_head_dim or 0) * MODEL_DTYPE_BYTES
        for group in layer_groups(model)
        if isinstance(group, LatentLayers)
    )


def _layer_bytes(group: LayerGroup, tokens: int) -> int:
    if isinstance(group, StateLayers):
        conv = group.conv_kernel * group.conv_elements() * MODEL_DTYPE_BYTES
        return conv + group.recurrent_elements() * RECURRENT_BYTES["float32"]
    if isinstance(group, LatentLayers):
        return tokens * group.elements * MODEL_DTYPE_BYTES
    return (
        _kept(group, tokens)
        * group.kv_heads
        * (group.key_dim + group.value_dim)
        * MODEL_DTYPE_BYTES
    )


def _kept(group: AttentionLayers, tokens: int) -> int:
    if group.window is None:
        return tokens
    return min(tokens, group.transformers_window or group.window - 1)
