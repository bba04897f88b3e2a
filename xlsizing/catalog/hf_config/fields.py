"""The fields of a published config.json, read one by one with a sentence for a wrong one.

What is read is written down: which field of the catalog got which value from which field
of the config. A field that a config leaves out because it equals what its configuration
class says is read from there, and written down as such.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from xlsizing.core import SizingError
from xlsizing.core.constraints import Count, LayerCount, require
from xlsizing.core.errors import shown
from xlsizing.core.message import Message

MOST_LAYERS = 10_000
"""No model has more layers."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "head_dim": ("attention_head_dim",),
    "layer_types": ("layers_block_type",),
    "dtype": ("torch_dtype",),
    "quantization_config": ("compression_config",),
}
"""Other names that configs have for a field, whatever their class."""

OF_ALL_MODELS = ("dtype", "quantization_config", "tie_word_embeddings")
"""Fields that a multimodal config may have for all of its models together."""

NOTHING: Mapping[str, Any] = {}


class ConfigError(SizingError):
    """A config.json that no catalog entry can be made from."""

    code = "CONFIG_NOT_IMPORTED"


def wrong_value(field: str, value: object, right: Message) -> ConfigError:
    """The error of a field whose value is not what it must be."""
    return ConfigError(
        Message(
            "{field} is {value}; it must be {expected}.",
            field=field,
            value=shown(value),
            expected=right,
        )
    )


class Reading(NamedTuple):
    """One figure of the entry, and where it was read."""

    field: str
    """Field of the entry; what is said of its layer groups stands behind dots."""
    value: object
    source: str
    """Field of the config, as in text_config.num_hidden_layers, or "default of ..."."""


class Found(NamedTuple):
    """A value of the config, and where it was."""

    value: Any
    source: str


IN_TRANSFORMERS = Message("in transformers")


class ConfigClass(NamedTuple):
    """The class that reads a config, as far as a config may leave to it what it says."""

    name: str
    defaults: Mapping[str, Any] = NOTHING
    """Values of fields that configs leave out."""
    nested: Mapping[str, Any] = NOTHING
    """Values of more such fields in a text model's config inside a multimodal one, of which
    transformers writes only what differs from the class."""
    names: Mapping[str, str] = NOTHING
    """Names that the class has for fields."""
    many_heads: bool = False
    """Whether a missing num_key_value_heads is num_attention_heads."""
    origin: Message = IN_TRANSFORMERS
    """Where the class is."""


class Fields:
    """The fields of a config, or of the text model's config inside it.

    Parameters
    ----------
    values : the fields.
    path : what stands before a field's name in sentences and sources, as in "text_config.".
    config_class : the class that reads such a config.
    outer : the config that the text model's stands in, whose fields for all of its models count.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        path: str,
        config_class: ConfigClass,
        outer: Mapping[str, Any] = NOTHING,
    ) -> None:
        self.values = values
        self.path = path
        self.config_class = config_class
        self.defaults = {**(config_class.nested if path else {}), **config_class.defaults}
        self.outer = outer
        self.readings: list[Reading] = []
        self.asked: set[str] = set()

    def named(self, name: str) -> str:
        """A field's name as sentences and sources show it."""
        return f"{self.path}{name}"

    def default(self, words: str) -> Message:
        """The source of what the class says where the config does not."""
        return Message(
            "default of {config_class} {origin}: {words}",
            config_class=self.config_class.name,
            origin=self.config_class.origin,
            words=words,
        )

    def find(self, name: str) -> Found | None:
        """A field under any of its names; None where it is left out or null.

        Raises
        ------
        ConfigError : two of its names have different values.
        """
        written = [name, *NAMES.get(name, ())]
        if name in self.config_class.names:
            written.append(self.config_class.names[name])
        self.asked.update(written)
        present = [each for each in written if each in self.values]
        given = [each for each in present if self.values[each] is not None]
        for other in given[1:]:
            if self.values[other] != self.values[given[0]]:
                raise ConfigError(
                    Message(
                        "{given} is {value} and {other} is {other_value}; the two must agree.",
                        given=self.named(given[0]),
                        value=shown(self.values[given[0]]),
                        other=self.named(other),
                        other_value=shown(self.values[other]),
                    )
                )
        if given:
            return Found(self.values[given[0]], self.named(given[0]))
        for each in written if name in OF_ALL_MODELS else ():
            if self.outer.get(each) is not None:
                return Found(self.outer[each], each)
        # null says that there is none; only a field that is not there has the class's value.
        if not present and self.defaults.get(name) is not None:
            return Found(self.defaults[name], self.default(f"{name} {self.defaults[name]}"))
        return None

    def whole(self, name: str, field: str = "", *, zero: bool = False) -> int:
        """A whole number of at least 1, or 0 where `zero`.

        It is written down as `field` of the entry, where that is given.
        """
        found = self.find(name)
        value, source = found or Found(None, self.named(name))
        require(source, value, LayerCount if zero else Count)
        if field:
            self.note(field, value, source)
        return cast(int, value)

    def flag(self, name: str, *, otherwise: bool) -> bool:
        """A field that is true or false; `otherwise` where it is left out."""
        found = self.find(name)
        if found is None:
            return otherwise
        require(found.source, found.value, bool)
        return cast(bool, found.value)

    def sequence(self, name: str, *, letters: bool = False) -> list[Any]:
        """A list with one item for each layer, or a text of as many letters."""
        value, source = self.find(name) or Found(None, self.named(name))
        if not isinstance(value, str if letters else list):
            right = (
                Message("a text, one letter a layer")
                if letters
                else Message("a list, one item a layer")
            )
            raise wrong_value(source, value, right)
        if len(value) != self.layers:
            raise ConfigError(
                Message(
                    "{source} has {value} items, and {field} is {layers}; the two must agree.",
                    source=source,
                    value=str(len(value)),
                    field=self.named("num_hidden_layers"),
                    layers=str(self.layers),
                )
            )
        return list(value)

    def note(self, field: str, value: object, source: str) -> None:
        """Write down what was read."""
        reading = Reading(field, value, source)
        if reading not in self.readings:
            self.readings.append(reading)

    @property
    def layers(self) -> int:
        """Layers of the text model; those of multi-token prediction are not among them."""
        layers = self.whole("num_hidden_layers", "num_layers")
        if layers > MOST_LAYERS:
            raise ConfigError(
                Message(
                    "{field} is {layers}; no model has more than {most_layers} layers.",
                    field=self.named("num_hidden_layers"),
                    layers=str(layers),
                    most_layers=str(MOST_LAYERS),
                )
            )
        return layers
