"""The precision of released weights by a published config.json, and what follows from it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from xlsizing.catalog.hf_config.fields import Fields, wrong_value
from xlsizing.core.entries import KvPrecision, WeightPrecision
from xlsizing.core.message import Message

BY_METHOD: Mapping[str, tuple[WeightPrecision | None, int]] = {
    "fp8": ("fp8", 8),
    "fbgemm_fp8": ("fp8", 8),
    "mxfp4": ("mxfp4", 4),
    "modelopt_fp4": ("nvfp4", 4),
    "awq": (None, 4),
    "gptq": (None, 4),
    "bitnet": (None, 2),
}
"""Precision and bits of the weights, by quant_method; a number of bits in the config counts first."""

BY_ALGORITHM: Mapping[str, tuple[WeightPrecision, int]] = {"FP8": ("fp8", 8), "NVFP4": ("nvfp4", 4)}
"""The same by the quant_algo of ModelOpt."""

BY_FORMAT: Mapping[str, WeightPrecision] = {
    "float-quantized": "fp8",
    "int-quantized": "int8",
    "nvfp4-pack-quantized": "nvfp4",
    "mxfp4-pack-quantized": "mxfp4",
}
"""Precision of the weights by the format of compressed-tensors."""

BY_DTYPE: Mapping[str, WeightPrecision] = {"bfloat16": "bf16", "float16": "fp16"}
"""Precision of weights that are not quantised."""


class Weights(NamedTuple):
    """Precision and bits of most weights, as far as the config says them, and where."""

    precision: WeightPrecision | None
    bits: int | None
    source: str


class Precision(NamedTuple):
    """What a config says of precision; None where it does not."""

    weights: WeightPrecision | None
    unquantized_params: int | None
    kv: KvPrecision


def precision(fields: Fields) -> Precision:
    """The precision of the weights, the parameters that stay in 16 bits, the KV precision."""
    weights = _weights(fields)
    if weights.precision is not None:
        fields.note("weight_precision", weights.precision, weights.source)
    few = weights.bits is not None and weights.bits <= 8
    kv: KvPrecision = "fp8" if few else "bf16"
    why = Message("{source} says weights of 8 bits or fewer", source=weights.source)
    if not few:
        why = Message("the config names no weights of 8 bits or fewer")
    fields.note("default_kv_precision", kv, Message("choice of this catalog: {choice}", choice=why))
    quantized = few and weights.precision is not None
    return Precision(weights.precision, _embeddings(fields) if quantized else None, kv)


def _weights(fields: Fields) -> Weights:
    found = fields.find("quantization_config")
    if found is None:
        dtype = fields.find("dtype")
        if dtype is None:
            return Weights(None, None, "")
        return Weights(BY_DTYPE.get(str(dtype.value)), None, dtype.source)
    if not isinstance(found.value, Mapping):
        raise wrong_value(found.source, found.value, Message("an object"))
    return _quantized(found.value, found.source)


def _quantized(config: Mapping[str, Any], source: str) -> Weights:
    algorithm = _text(config, "quant_algo") or _text(config.get("quantization"), "quant_algo")
    if algorithm in BY_ALGORITHM:
        name, bits = BY_ALGORITHM[algorithm]
        return Weights(name, bits, f"{source}.quant_algo")
    method = _text(config, "quant_method")
    if method.replace("_", "-") == "compressed-tensors":
        return Weights(
            BY_FORMAT.get(_text(config, "format")), _group_bits(config), f"{source}.format"
        )
    by_method, by_method_bits = BY_METHOD.get(method, (None, None))
    bits_said = config.get("bits")
    if isinstance(bits_said, int) and not isinstance(bits_said, bool):
        return Weights(by_method, bits_said, f"{source}.bits")
    return Weights(by_method, by_method_bits, f"{source}.quant_method")


def _group_bits(config: Mapping[str, Any]) -> int | None:
    """Bits of the weights of compressed-tensors, by their first group; None where not said."""
    groups = config.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, Mapping) else None
    weights = first.get("weights") if isinstance(first, Mapping) else None
    bits = weights.get("num_bits") if isinstance(weights, Mapping) else None
    return bits if isinstance(bits, int) and not isinstance(bits, bool) else None


def _text(config: object, name: str) -> str:
    value = config.get(name) if isinstance(config, Mapping) else None
    return value if isinstance(value, str) else ""


def _embeddings(fields: Fields) -> int | None:
    """Parameters of the embeddings and the output head, which stay in 16 bits.

    vocab_size * hidden_size, twice where the two are not tied; None where the config does
    not say all of that.
    """
    needed = ("vocab_size", "hidden_size", "tie_word_embeddings")
    if any(fields.find(name) is None for name in needed):
        return None
    tied = fields.flag("tie_word_embeddings", otherwise=False)
    size = fields.whole("vocab_size") * fields.whole("hidden_size") * (1 if tied else 2)
    stay, times = Message("embeddings and output head stay in 16 bits"), " * 2"
    if tied:
        stay, times = Message("embeddings stay in 16 bits"), ""
    why = Message(
        "{stay}, {product} of the published config.json",
        stay=stay,
        product=f"{fields.named('vocab_size')} * {fields.named('hidden_size')}{times}",
    )
    source = Message("choice of this catalog: {choice}", choice=why)
    fields.note("unquantized_params", size, source)
    return size
