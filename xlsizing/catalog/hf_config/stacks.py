"""Of which kind each layer of a published config.json is, by the rules of its class.

Kinds are full, sliding and chunked for attention, latent, state for state-space layers,
both for layers with attention and a state, and none for those that hold nothing.

Source: the planning method, part 2, "Layers"; the configuration classes of transformers
5.23.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

from xlsizing.catalog.hf_config.fields import ConfigError, Fields, Found, wrong_value
from xlsizing.core.errors import shown
from xlsizing.core.message import Message, joined

KIND_BY_WORD: Mapping[str, str] = {
    "full_attention": "full",
    "attention": "full",
    "full": "full",
    "sliding_attention": "sliding",
    "sliding_window_attention": "sliding",
    "chunked_attention": "chunked",
    "linear_attention": "state",
    "mamba": "state",
    "moe": "none",
    "mlp": "none",
    "hybrid": "both",
    "indexed_attention": "latent",
    "deepseek_sparse_attention": "latent",
}
"""Kind of a layer, by the words that layer_types has for it."""


class Stack(NamedTuple):
    """The kind of each layer, and where that is said."""

    kinds: Sequence[str]
    source: str


Kinds = Callable[[Fields], Stack]


def listed(fields: Fields, *allowed: str) -> Stack | None:
    """The kinds that layer_types lists; None where the config has no such list.

    Raises
    ------
    ConfigError : a word that is not known, or of a kind that is not `allowed`.
    """
    found = fields.find("layer_types")
    if found is None:
        return None
    kinds = []
    for place, word in enumerate(fields.sequence("layer_types")):
        kind = KIND_BY_WORD.get(word) if isinstance(word, str) else None
        if kind is None or kind not in allowed:
            right = ", ".join(known for known, each in KIND_BY_WORD.items() if each in allowed)
            raise ConfigError(
                Message(
                    "{source}[{place}] is {word}; layers of {name} are known as {right}.",
                    source=found.source,
                    place=str(place),
                    word=shown(word),
                    name=fields.config_class.name,
                    right=right,
                )
            )
        kinds.append(kind)
    return Stack(kinds, found.source)


def has_window(fields: Fields) -> bool:
    """True where the config has a sliding window, and does not switch it off."""
    on = fields.flag("use_sliding_window", otherwise=True)
    return on and fields.find("sliding_window") is not None


def all_full(fields: Fields) -> Stack:
    """All layers full."""
    return Stack(["full"] * fields.layers, fields.default(Message("all layers full")))


def no_window(fields: Fields) -> Stack:
    """All layers full, in a class without windows; a config that has one is refused."""
    if has_window(fields):
        value, source = cast(Found, fields.find("sliding_window"))
        raise ConfigError(
            Message(
                "{source} is {value}; which layers of {name} have a window is not known.",
                source=source,
                value=shown(value),
                name=fields.config_class.name,
            )
        )
    return all_full(fields)


def one_window(fields: Fields) -> Stack:
    """All layers sliding where there is a window, else all full."""
    if not has_window(fields):
        return all_full(fields)
    return Stack(["sliding"] * fields.layers, fields.named("sliding_window"))


def above_max_window_layers(fields: Fields) -> Stack:
    """The first max_window_layers layers full and the others sliding, where there is a window."""
    if not has_window(fields):
        return all_full(fields)
    first = fields.whole("max_window_layers", zero=True)
    kinds = ["sliding" if layer >= first else "full" for layer in range(fields.layers)]
    return Stack(kinds, fields.named("max_window_layers"))


def every(period: int, name: str = "", *, full_first: bool = False) -> Kinds:
    """The last layer of each period full, the others sliding, where there is a window.

    Parameters
    ----------
    period : layers of a period.
    name : the field that says another period, or a pattern in letters; where there is one.
    full_first : whether it is the first layer of each period that is full.
    """

    def kinds(fields: Fields) -> Stack:
        if not has_window(fields):
            return all_full(fields)
        default = Message("one layer of {period} full, the others sliding", period=str(period))
        length: int = period
        source: str = fields.default(default)
        found = fields.find(name) if name else None
        if found is not None:
            if isinstance(found.value, str):
                return _local_and_global(fields, found.value, found.source)
            length, source = fields.whole(name), found.source
        place = 0 if full_first else length - 1
        layers = range(fields.layers)
        return Stack(["full" if n % length == place else "sliding" for n in layers], source)

    return kinds


def _local_and_global(fields: Fields, letters: str, source: str) -> Stack:
    """A pattern in letters, L local and G global, over the layers; the last is always global."""
    if not letters or set(letters) - {"L", "G"}:
        right = Message("a whole number, or a text of L for local layers and G for global ones")
        raise wrong_value(source, letters, right)
    kinds = {"L": "sliding", "G": "full"}
    stack = [kinds[letters[layer % len(letters)]] for layer in range(fields.layers - 1)]
    return Stack([*stack, "full"], source)


def windowed(otherwise: Kinds) -> Kinds:
    """The kinds that layer_types lists, else those of a rule; no window where it is off."""

    def kinds(fields: Fields) -> Stack:
        stack = listed(fields, "full", "sliding", "chunked") or otherwise(fields)
        if "sliding" in stack.kinds and not fields.flag("use_sliding_window", otherwise=True):
            full = ["full" if kind == "sliding" else kind for kind in stack.kinds]
            return Stack(full, fields.named("use_sliding_window"))
        return stack

    return kinds


def sharing(fields: Fields, stack: Stack) -> Stack:
    """The stack with its last num_kv_shared_layers layers holding nothing of their own.

    Those read the keys and values of an earlier layer of their kind.
    """
    if fields.find("num_kv_shared_layers") is None:
        return stack
    shared = fields.whole("num_kv_shared_layers", zero=True)
    own = len(stack.kinds) - shared
    if own < 1 or set(stack.kinds[own:]) - set(stack.kinds[:own]):
        raise ConfigError(
            Message(
                "{field} is {shared}; the layers before must hold what they share, and {layers} is "
                "{kinds}.",
                field=fields.named("num_kv_shared_layers"),
                shared=str(shared),
                layers=fields.named("num_hidden_layers"),
                kinds=str(len(stack.kinds)),
            )
        )
    if not shared:
        return stack
    source = cast(Found, fields.find("num_kv_shared_layers")).source
    return Stack([*stack.kinds[:own], *["none"] * shared], joined(", ", (stack.source, source)))


def llama4(fields: Fields) -> Stack:
    """Chunked layers, and full ones where no_rope_layers says 0, or one of each interval."""
    found = fields.find("no_rope_layers")
    if found is not None and found.value != []:
        return flagged(fields, "no_rope_layers", zero="full", one="chunked")
    interval = fields.whole("no_rope_layer_interval")
    kinds = ["chunked" if (layer + 1) % interval else "full" for layer in range(fields.layers)]
    return Stack(kinds, cast(Found, fields.find("no_rope_layer_interval")).source)


def flagged(fields: Fields, name: str, *, zero: str, one: str) -> Stack:
    """The kinds of layers that a list of 0 and 1 stands for."""
    flags = fields.sequence(name)
    for place, flag in enumerate(flags):
        if isinstance(flag, bool) or not isinstance(flag, int) or flag not in (0, 1):
            raise ConfigError(
                Message(
                    "{name}[{place}] is {flag}; it must be 0 or 1.",
                    name=fields.named(name),
                    place=str(place),
                    flag=shown(flag),
                )
            )
    return Stack([one if flag else zero for flag in flags], fields.named(name))


def listed_states(fields: Fields) -> Stack:
    """Attention and state-space layers, which layer_types must list."""
    fields.sequence("layer_types")
    return cast(Stack, listed(fields, "full", "state"))


def full_every(name: str) -> Kinds:
    """The last layer of each period attention, the others state-space layers.

    Parameters
    ----------
    name : the field with the layers of a period.
    """

    def kinds(fields: Fields) -> Stack:
        period = fields.whole(name)
        layers = ["state" if (layer + 1) % period else "full" for layer in range(fields.layers)]
        return Stack(layers, cast(Found, fields.find(name)).source)

    return kinds


def attn_layer_period(fields: Fields) -> Stack:
    """One layer of each attn_layer_period attention, at attn_layer_offset in it."""
    period = fields.whole("attn_layer_period")
    offset = fields.whole("attn_layer_offset", zero=True)
    layers = range(fields.layers)
    kinds = ["full" if layer % period == offset else "state" for layer in layers]
    source = f"{fields.named('attn_layer_period')}, {fields.named('attn_layer_offset')}"
    return Stack(kinds, source)


def attn_layer_indices(fields: Fields) -> Stack:
    """The layers that attn_layer_indices lists attention, the others state-space layers."""
    layers = fields.layers
    value, source = fields.find("attn_layer_indices") or Found(
        None, fields.named("attn_layer_indices")
    )
    if not isinstance(value, list) or len(value) > layers:
        right = Message("a list of some of the {layers} layers", layers=str(layers))
        raise wrong_value(source, value, right)
    for place, index in enumerate(value):
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < layers:
            raise ConfigError(
                Message(
                    "{source}[{place}] is {index}; it must be from 0 to {layers}.",
                    source=source,
                    place=str(place),
                    index=shown(index),
                    layers=str(layers - 1),
                )
            )
    full = set(value)
    return Stack(["full" if layer in full else "state" for layer in range(layers)], source)


def hybrid_override_pattern(fields: Fields) -> Stack:
    """A letter for each layer: M a state, * attention, - and E neither."""
    kinds = {"M": "state", "*": "full", "-": "none", "E": "none"}
    source = fields.named("hybrid_override_pattern")
    letters = fields.sequence("hybrid_override_pattern", letters=True)
    for place, letter in enumerate(letters):
        if letter not in kinds:
            raise ConfigError(
                Message(
                    "{source}[{place}] is {letter}; it must be M, *, - or E.",
                    source=source,
                    place=str(place),
                    letter=shown(letter),
                )
            )
    return Stack([kinds[letter] for letter in letters], source)
