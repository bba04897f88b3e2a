"""What attention layers of a published config.json hold, by the rules of its class.

A rule reads the fields that it needs and returns groups of equal layers, in the order in
which their kinds first appear in the stack. Layers that hold nothing are in no group.

Source: the planning method, part 2, "Layers"; the configuration classes of transformers
5.23.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from xlsizing.catalog.hf_config.fields import (
    ConfigClass,
    ConfigError,
    Fields,
    Found,
    wrong_value,
)
from xlsizing.catalog.hf_config.stacks import (
    Kinds,
    Stack,
    every,
    flagged,
    listed,
    no_window,
    sharing,
    windowed,
)
from xlsizing.core.errors import shown
from xlsizing.core.layers import AttentionLayers, LatentLayers, LayerGroup
from xlsizing.core.message import Message

Rule = Callable[[Fields], list[LayerGroup]]

WINDOW_FIELDS: Mapping[str, str] = {
    "sliding": "sliding_window",
    "chunked": "attention_chunk_size",
}
"""The field with the tokens of a window, by the kind of the layers."""


def attention_heads(fields: Fields) -> int:
    """Query heads of a layer."""
    return fields.whole("num_attention_heads", "num_attention_heads")


def kv_heads(fields: Fields) -> int:
    """Key and value heads of a layer; as many as query heads where the class says so."""
    if fields.find("num_key_value_heads") is None and fields.config_class.many_heads:
        heads = attention_heads(fields)
        source = fields.default(Message("as many KV heads as attention heads"))
        fields.note("layer_groups.kv_heads", heads, source)
        return heads
    return shared_heads(fields, "num_key_value_heads", "layer_groups.kv_heads")


def shared_heads(fields: Fields, name: str, field: str) -> int:
    """KV heads, each of which serves equally many query heads."""
    heads, queries = fields.whole(name, field), attention_heads(fields)
    if queries % heads:
        raise ConfigError(
            Message(
                "{name} is {heads}; it must divide {field}, which is {queries}.",
                name=fields.named(name),
                heads=str(heads),
                field=fields.named("num_attention_heads"),
                queries=str(queries),
            )
        )
    return heads


def head_dim(fields: Fields) -> int:
    """Elements of a head: head_dim, or hidden_size / num_attention_heads where there is none."""
    if fields.find("head_dim") is not None:
        return fields.whole("head_dim", "layer_groups.head_dim")
    size, heads = fields.whole("hidden_size"), attention_heads(fields)
    if size % heads:
        raise ConfigError(
            Message(
                "{field} is missing, and {size_field} {size} is no multiple of {heads_field} {heads}.",
                field=fields.named("head_dim"),
                size_field=fields.named("hidden_size"),
                size=str(size),
                heads_field=fields.named("num_attention_heads"),
                heads=str(heads),
            )
        )
    source = f"{fields.named('hidden_size')} / {fields.named('num_attention_heads')}"
    fields.note("layer_groups.head_dim", size // heads, source)
    return size // heads


def counted(fields: Fields, stack: Stack, one: Callable[[str], LayerGroup]) -> list[LayerGroup]:
    """The groups of a stack.

    Parameters
    ----------
    fields : the config.
    stack : the kind of each layer.
    one : a group of one layer, by its kind.
    """
    counts: dict[str, int] = {}
    for kind in stack.kinds:
        counts[kind] = counts.get(kind, 0) + 1
    words = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    fields.note("layer_groups.layers", words, stack.source)
    return [replace(one(kind), layers=count) for kind, count in counts.items() if kind != "none"]


def attention_layer(fields: Fields, kind: str, heads: int, dim: int) -> AttentionLayers:
    """One layer of a kind, with its window where it has one."""
    window = None
    if kind in WINDOW_FIELDS:
        window = fields.whole(WINDOW_FIELDS[kind], "layer_groups.window")
    return AttentionLayers(cast(Any, kind), 1, heads, dim, dim, window)


def attention(kinds: Kinds, *, share: bool = False) -> Rule:
    """Attention layers of one geometry.

    Parameters
    ----------
    kinds : the rule for their kinds, where layer_types does not list them.
    share : whether the last layers may share the cache of earlier ones.
    """
    of_layers = windowed(kinds)

    def rule(fields: Fields) -> list[LayerGroup]:
        stack = of_layers(fields)
        if share:
            stack = sharing(fields, stack)
        heads, dim = kv_heads(fields), head_dim(fields)
        return counted(fields, stack, lambda kind: attention_layer(fields, kind, heads, dim))

    return rule


def causal(rule: Rule) -> Rule:
    """The rule, for a model that attends to what came before only."""

    def checked(fields: Fields) -> list[LayerGroup]:
        found = fields.find("use_bidirectional_attention")
        if found is not None and found.value in (True, "all"):
            raise ConfigError(
                Message(
                    "{source} is {value}; a model that attends in both directions generates nothing and "
                    "keeps no KV cache.",
                    source=found.source,
                    value=shown(found.value),
                )
            )
        return rule(fields)

    return checked


def one_head(rule: Rule) -> Rule:
    """The rule, for a class in which multi_query gives all query heads one KV head."""

    def checked(fields: Fields) -> list[LayerGroup]:
        if not fields.flag("multi_query", otherwise=False):
            return rule(fields)
        dim = head_dim(fields)
        source = cast(Found, fields.find("multi_query")).source
        fields.note("layer_groups.kv_heads", 1, source)
        stack = no_window(fields)
        return counted(fields, stack, lambda kind: attention_layer(fields, kind, 1, dim))

    return checked


def gemma4(fields: Fields) -> list[LayerGroup]:
    """Sliding layers, and full ones with heads of their own; the last layer is always full.

    Where attention_k_eq_v is true the full layers have their own number of KV heads. Keys
    and values are one projection then, and are cached both.
    """
    stack = windowed(every(6))(fields)
    stack = sharing(fields, Stack([*stack.kinds[:-1], "full"], stack.source))
    heads, dim = kv_heads(fields), head_dim(fields)
    full_heads, full_dim = heads, fields.whole("global_head_dim", "layer_groups.full.head_dim")
    one_projection = fields.flag("attention_k_eq_v", otherwise=False)
    if one_projection and fields.find("num_global_key_value_heads") is not None:
        full_heads = shared_heads(
            fields, "num_global_key_value_heads", "layer_groups.full.kv_heads"
        )

    def one(kind: str) -> LayerGroup:
        if kind == "full":
            return attention_layer(fields, kind, full_heads, full_dim)
        return attention_layer(fields, kind, heads, dim)

    return counted(fields, stack, one)


def mimo_v2(fields: Fields) -> list[LayerGroup]:
    """Full and sliding layers, either with heads of its own, and values narrower than keys.

    transformers adds 1 to a window that sliding_window_size gives, and so keeps all of it.
    """
    fields.find("attention_chunk_size")  # the same figure as the window, in another's words
    stack = listed(fields, "full", "sliding")
    if stack is None:
        stack = flagged(fields, "hybrid_layer_pattern", zero="full", one="sliding")
    fields.find("hybrid_layer_pattern")

    def one(kind: str) -> LayerGroup:
        prefix = "swa_" if kind == "sliding" else ""
        name, field = f"{prefix}num_key_value_heads", f"layer_groups.{kind}.kv_heads"
        heads = shared_heads(fields, name, field)
        key = fields.whole(f"{prefix}head_dim", f"layer_groups.{kind}.key_dim")
        value = fields.whole(f"{prefix}v_head_dim", f"layer_groups.{kind}.value_dim")
        if kind == "full":
            return AttentionLayers("full", 1, heads, key, value)
        window = fields.whole("sliding_window", "layer_groups.window")
        kept = None
        if fields.find("sliding_window_size") is not None:
            kept = fields.whole("sliding_window_size", "layer_groups.transformers_window")
        return AttentionLayers("sliding", 1, heads, key, value, window, kept)

    return counted(fields, stack, one)


def block_configs(fields: Fields) -> list[LayerGroup]:
    """Full layers, each with KV heads of its own or without attention, by block_configs."""
    no_window(fields)
    dim, heads = head_dim(fields), attention_heads(fields)
    counts: dict[int, int] = {}
    for place, block in enumerate(fields.sequence("block_configs")):
        path = fields.named(f"block_configs[{place}].attention")
        values = block.get("attention") if isinstance(block, Mapping) else None
        if not isinstance(values, Mapping):
            raise wrong_value(path, values, Message("an object"))
        kv = _block_kv_heads(
            Fields(values, f"{path}.", ConfigClass(fields.config_class.name)), heads
        )
        if kv:
            counts[kv] = counts.get(kv, 0) + 1
    source = fields.named("block_configs")
    fields.note("layer_groups.layers", f"{sum(counts.values())} full", source)
    for kv in counts:
        source = Message(
            "{heads} / n_heads_in_group of block_configs",
            heads=fields.named("num_attention_heads"),
        )
        fields.note("layer_groups.kv_heads", kv, source)
    return [AttentionLayers("full", count, kv, dim, dim) for kv, count in counts.items()]


def _block_kv_heads(fields: Fields, heads: int) -> int:
    """KV heads of one block's attention; 0 where it has none."""
    if any(fields.flag(name, otherwise=False) for name in ("no_op", "replace_with_linear")):
        return 0
    for name in ("window_length", "sparsify", "num_sink_tokens"):
        found = fields.find(name)
        if found is not None:
            raise ConfigError(
                Message(
                    "{source} is {value}; what such a layer keeps is not known.",
                    source=found.source,
                    value=shown(found.value),
                )
            )
    in_group = fields.whole("n_heads_in_group")
    if heads % in_group:
        raise ConfigError(
            Message(
                "{field} is {in_group}; it must divide num_attention_heads, which is {heads}.",
                field=fields.named("n_heads_in_group"),
                in_group=str(in_group),
                heads=str(heads),
            )
        )
    return heads // in_group


def latent(fields: Fields) -> list[LayerGroup]:
    """Latent layers; where index_topk and index_head_dim are given, with indexers."""
    no_window(fields)
    stack = listed(fields, "full", "latent")
    source = stack.source if stack else fields.default(Message("all layers latent"))
    fields.note("layer_groups.layers", f"{fields.layers} latent", source)
    if not fields.flag("use_mla", otherwise=True):
        raise ConfigError(
            Message(
                "{field} is False; what layers of {name} hold without latent attention is not known.",
                field=fields.named("use_mla"),
                name=fields.config_class.name,
            )
        )
    attention_heads(fields)
    rank = fields.whole("kv_lora_rank", "layer_groups.kv_lora_rank")
    rope = fields.whole("qk_rope_head_dim", "layer_groups.qk_rope_head_dim")
    if fields.find("index_topk") is None and fields.find("index_head_dim") is None:
        return [LatentLayers("latent", fields.layers, rank, rope)]
    fields.whole("index_topk")
    indexers, source = _indexers(fields)
    fields.note("layer_groups.indexer_layers", indexers, source)
    dim = fields.whole("index_head_dim", "layer_groups.index_head_dim") if indexers else None
    return [LatentLayers("latent", fields.layers, rank, rope, indexers, dim)]


def _indexers(fields: Fields) -> tuple[int, str]:
    """How many layers have an indexer, and where that is said.

    indexer_types lists them, or index_topk_pattern in letters; or each
    index_topk_freq-th layer has one, and those before index_skip_topk_offset. Else all do.
    """
    for name, full, shared in (
        ("indexer_types", "full", "shared"),
        ("index_topk_pattern", "F", "S"),
    ):
        found = fields.find(name)
        if found is None:
            continue
        types = fields.sequence(name, letters=full == "F")
        for place, word in enumerate(types):
            if word not in (full, shared):
                raise ConfigError(
                    Message(
                        "{source}[{place}] is {word}; it must be {full} or {shared}.",
                        source=found.source,
                        place=str(place),
                        word=shown(word),
                        full=full,
                        shared=shared,
                    )
                )
        return types.count(full), found.source
    if fields.find("index_topk_freq") is None:
        return fields.layers, fields.default(Message("an indexer in every layer"))
    frequency = fields.whole("index_topk_freq")
    offset = fields.whole("index_skip_topk_offset", zero=True)
    indexers = sum(max(layer + 1 - offset, 0) % frequency == 0 for layer in range(fields.layers))
    source = f"{fields.named('index_topk_freq')}, {fields.named('index_skip_topk_offset')}"
    return indexers, source
