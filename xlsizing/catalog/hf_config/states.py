"""What state-space layers of a published config.json hold, alone or beside attention.

Source: the planning method, part 2, "Layers"; the configuration classes of transformers
5.23.
"""

from collections.abc import Callable
from typing import cast

from xlsizing.catalog.hf_config.attention import (
    Rule,
    attention_layer,
    counted,
    head_dim,
    kv_heads,
)
from xlsizing.catalog.hf_config.fields import ConfigError, Fields, wrong_value
from xlsizing.catalog.hf_config.stacks import Kinds, Stack, listed, no_window
from xlsizing.core.errors import shown
from xlsizing.core.layers import LayerGroup, RecurrentDtype, StateLayers
from xlsizing.core.message import Message

State = Callable[[Fields], StateLayers]

DTYPES = ("float32", "bfloat16", "float16")


def hybrid(kinds: Kinds, state: State) -> Rule:
    """Full attention layers and state-space layers, by layer_types or else by a rule."""

    def rule(fields: Fields) -> list[LayerGroup]:
        no_window(fields)
        stack = listed(fields, "full", "state", "none") or kinds(fields)
        return counted(fields, stack, lambda kind: _layer(fields, kind, state))

    return rule


def both(state: State) -> Rule:
    """Layers that have full attention and a state each."""

    def rule(fields: Fields) -> list[LayerGroup]:
        no_window(fields)
        listed(fields, "both")
        kinds = ["full"] * fields.layers + ["state"] * fields.layers
        stack = Stack(kinds, fields.default(Message("attention and a state in every layer")))
        return counted(fields, stack, lambda kind: _layer(fields, kind, state))

    return rule


def states_only(state: State) -> Rule:
    """State-space layers and nothing else."""

    def rule(fields: Fields) -> list[LayerGroup]:
        no_window(fields)
        listed(fields, "state")
        default = fields.default(Message("all layers state-space layers"))
        stack = Stack(["state"] * fields.layers, default)
        return counted(fields, stack, lambda kind: _layer(fields, kind, state))

    return rule


def _layer(fields: Fields, kind: str, state: State) -> LayerGroup:
    if kind == "state":
        return state(fields)
    return attention_layer(fields, kind, kv_heads(fields), head_dim(fields))


def _figure(fields: Fields, name: str, attribute: str) -> int:
    return fields.whole(name, f"layer_groups.state.{attribute}")


def mamba(prefix: str, state: str, conv: str) -> State:
    """Mamba-1 layers.

    Parameters
    ----------
    prefix : what stands before `expand` in the config.
    state : the field with the size of the state.
    conv : the field with the length of the convolution.
    """

    def one(fields: Fields) -> StateLayers:
        return StateLayers(
            "state",
            1,
            "mamba",
            conv_kernel=_figure(fields, conv, "conv_kernel"),
            heads=_inner_size(fields, prefix),
            head_dim=1,
            state_size=_figure(fields, state, "state_size"),
            recurrent_dtype=recurrent_dtype(fields),
        )

    return one


def _inner_size(fields: Fields, prefix: str) -> int:
    """The inner size of Mamba-1: intermediate_size, or expand * hidden_size.

    Where fields have a prefix, intermediate_size is that of the feed-forward layers.
    """
    field = "layer_groups.state.heads"
    given = None if prefix else fields.find("intermediate_size")
    if given is not None and fields.find("expand") is None:
        return fields.whole("intermediate_size", field)
    size, source = _expanded(fields, f"{prefix}expand")
    if given is not None and fields.whole("intermediate_size") != size:
        raise ConfigError(
            Message(
                "{given} is {value} and {other} is {other_value}; the two must agree.",
                given=given.source,
                value=str(given.value),
                other=source,
                other_value=str(size),
            )
        )
    fields.note(field, size, source)
    return size


def _expanded(fields: Fields, name: str) -> tuple[int, str]:
    """hidden_size times what a field says, and where that was read."""
    size = fields.whole(name) * fields.whole("hidden_size")
    return size, f"{fields.named(name)} * {fields.named('hidden_size')}"


def mamba2(
    heads: str, dim: str, groups: str, state: str, conv: str, expand: str | None = None
) -> State:
    """Mamba-2 layers.

    Parameters
    ----------
    heads, dim, groups, state, conv : the fields with the heads, the elements of a head, the
        groups, the size of the state and the length of the convolution.
    expand : the field that hidden_size is multiplied by, where the heads make up the product.
    """

    def one(fields: Fields) -> StateLayers:
        count = _figure(fields, heads, "heads")
        return StateLayers(
            "state",
            1,
            "mamba2",
            conv_kernel=_figure(fields, conv, "conv_kernel"),
            heads=count,
            head_dim=_mamba2_head_dim(fields, dim, count, expand),
            state_size=_figure(fields, state, "state_size"),
            groups=_figure(fields, groups, "groups"),
            recurrent_dtype=recurrent_dtype(fields),
        )

    return one


def _mamba2_head_dim(fields: Fields, name: str, heads: int, expand: str | None) -> int:
    """Elements of a head, which with the heads makes up the inner size where that is given."""
    found = fields.find(name)
    size, source = _mamba2_inner_size(fields, expand)
    if found is not None and found.value != "auto":
        dim = _figure(fields, name, "head_dim")
        if size and heads * dim != size:
            raise ConfigError(
                Message(
                    "{source} is {dim}, which {heads} heads make {made}; it must be {product}, which "
                    "is {size}.",
                    source=found.source,
                    dim=str(dim),
                    heads=str(heads),
                    made=str(heads * dim),
                    product=source,
                    size=str(size),
                )
            )
        return dim
    if not size or size % heads:
        raise ConfigError(
            Message(
                "{name} is {found}; it must be a whole number, since {heads} heads do not divide the "
                "inner size of the layers.",
                name=fields.named(name),
                found=shown(found and found.value),
                heads=str(heads),
            )
        )
    source = Message("{size} / {heads} heads", size=source, heads=str(heads))
    fields.note("layer_groups.state.head_dim", size // heads, source)
    return size // heads


def _mamba2_inner_size(fields: Fields, expand: str | None) -> tuple[int, str]:
    """Heads times their elements, by mamba_d_ssm or by `expand`; 0 where neither is given."""
    if fields.find("mamba_d_ssm") is not None:
        return fields.whole("mamba_d_ssm"), fields.named("mamba_d_ssm")
    if expand is None or fields.find(expand) is None:
        return 0, ""
    return _expanded(fields, expand)


def gated_delta_net(fields: Fields) -> StateLayers:
    """Gated delta net layers, whose heads are those of the values."""
    return StateLayers(
        "state",
        1,
        "gated_delta_net",
        conv_kernel=_figure(fields, "linear_conv_kernel_dim", "conv_kernel"),
        heads=_figure(fields, "linear_num_value_heads", "heads"),
        head_dim=_figure(fields, "linear_value_head_dim", "head_dim"),
        state_size=_figure(fields, "linear_key_head_dim", "state_size"),
        groups=_figure(fields, "linear_num_key_heads", "groups"),
        recurrent_dtype=recurrent_dtype(fields),
    )


def recurrent_dtype(fields: Fields) -> RecurrentDtype:
    """The dtype of the recurrent state: what the config says, else the model's own."""
    field = "layer_groups.state.recurrent_dtype"
    for name in ("mamba_ssm_cache_dtype", "mamba_ssm_dtype"):
        found = fields.find(name)
        if found is None or found.value == "auto":
            continue
        if found.value not in DTYPES:
            right = Message("one of {choices}", choices=", ".join(DTYPES))
            raise wrong_value(found.source, found.value, right)
        fields.note(field, found.value, found.source)
        return cast(RecurrentDtype, found.value)
    found = fields.find("dtype")
    # Engines run a model in 16 bits whatever dtype its weights were saved in.
    half = found is not None and found.value == "float16"
    dtype: RecurrentDtype = "float16" if half else "bfloat16"
    choice = Message("choice of this catalog: {choice}", choice="bfloat16")
    fields.note(field, dtype, found.source if found else choice)
    return dtype
