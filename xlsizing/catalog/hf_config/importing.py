"""Reading a published config.json, and finding the rule that its model's layers follow."""

from collections.abc import Mapping
from typing import Any

from xlsizing.catalog.errors import JsonFault
from xlsizing.catalog.files import read_json
from xlsizing.catalog.hf_config.entry import ImportedModel, imported
from xlsizing.catalog.hf_config.families import BY_ARCHITECTURE, FAMILIES, REFUSED, Family
from xlsizing.catalog.hf_config.fields import ConfigError, Fields, wrong_value
from xlsizing.core.errors import shown
from xlsizing.core.message import Message, joined

LARGEST_FILE_MB = 4
"""A larger file is not a config.json [MB]."""

TEXT_CONFIGS = ("text_config", "llm_config", "language_config", "thinker_config")
"""Where multimodal models keep the config of their text model, or what holds it."""

DEEPEST = 3
"""How many configs a text model's config may stand inside."""

_NOT_KNOWN = Message("what layers of such models hold is not known")

DECIDING = (
    "attention_chunk_size",
    "block_configs",
    "compress_ratios",
    "cross_attention_layers",
    "hybrid_layer_pattern",
    "hybrid_override_pattern",
    "kv_lora_rank",
    "layer_types",
    "layers_block_type",
    "linear_attn_config",
    "num_kv_shared_layers",
    "use_cla",
)
"""Fields that change what layers hold; a config that gives one which its class's rule does
not ask for is not one that the rule is known for."""


def read_config(path: str) -> dict[str, Any]:
    """The object in a config.json.

    NaN and infinite numbers are let through: published configs have them in fields that
    no entry needs.

    Raises
    ------
    ConfigError : the file is missing, unreadable, too large, no UTF-8 or no JSON, does not
        hold an object, or has an object with the same key twice or a number of hundreds of
        digits.
    """
    try:
        document = read_json(
            path,
            LARGEST_FILE_MB,
            "config.json",
            Message("a model's configuration"),
            finite=False,
        )
    except JsonFault as fault:
        place = joined(": ", [path, fault.place] if fault.place else [path])
        raise ConfigError(
            Message("{place}: {sentence}", place=place, sentence=fault.sentence)
        ) from fault
    if not isinstance(document, dict):
        raise ConfigError(
            Message(
                "{path}: The JSON is {document}; it must be an object.",
                path=path,
                document=shown(document),
            )
        )
    return document


def import_config(config: Mapping[str, Any], name: str) -> ImportedModel:
    """The catalog entry of a published config.

    Parameters
    ----------
    config : the object in the config.json.
    name : what the entry is called.

    Raises
    ------
    ConfigError : the model, or something that its config says, is not known; the sentence
        names the field.
    InvalidValueError : a figure breaks a rule of the catalog.
    """
    try:
        return _imported(config, name)
    except RecursionError as error:
        raise ConfigError(
            Message("The config is nested too deeply to be that of a model.")
        ) from error


def _imported(config: Mapping[str, Any], name: str) -> ImportedModel:
    values, path = _text_config(config)
    family = _family(values, path, config)
    fields = Fields(values, path, family.config_class, config if path else {})
    groups = family.rule(fields)
    _require_understood(fields)
    if not groups:
        raise ConfigError(
            Message(
                "{field} is {layers}, and none of the layers holds anything; an entry must have one "
                "that does.",
                field=fields.named("num_hidden_layers"),
                layers=str(fields.layers),
            )
        )
    return imported(fields, groups, name)


def _text_config(config: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The fields of the text model, and what stands before their names."""
    if not isinstance(config, Mapping):
        raise wrong_value(Message("The config"), config, Message("an object"))
    values, path = config, ""
    for _ in range(DEEPEST):
        name = next((each for each in TEXT_CONFIGS if values.get(each) is not None), None)
        if name is None:
            break
        if not isinstance(values[name], Mapping) or not values[name]:
            raise ConfigError(
                Message(
                    "{path}{name} is {values}; it must be an object with fields.",
                    path=path,
                    name=name,
                    values=shown(values[name]),
                )
            )
        values, path = values[name], f"{path}{name}."
    return values, path


def _family(values: Mapping[str, Any], path: str, config: Mapping[str, Any]) -> Family:
    """The class of a config: by model_type, or by architectures where there is none."""
    for each, where in ((values, path), (config, "")):
        model_type = each.get("model_type")
        if model_type is None:
            continue
        if isinstance(model_type, str) and model_type in FAMILIES:
            return FAMILIES[model_type]
        known = isinstance(model_type, str) and model_type in REFUSED
        why = REFUSED[model_type] if known else _NOT_KNOWN
        raise ConfigError(
            Message(
                "{where}model_type is {model_type}; {why}.",
                where=where,
                model_type=shown(model_type),
                why=why,
            )
        )
    architectures = values.get("architectures") or config.get("architectures")
    first = architectures[0] if isinstance(architectures, list) and architectures else None
    if isinstance(first, str) and first in BY_ARCHITECTURE:
        return BY_ARCHITECTURE[first]
    raise ConfigError(
        Message(
            "{path}model_type is missing and architectures is {architectures}; one of the two "
            "must name a model that is known.",
            path=path,
            architectures=shown(architectures),
        )
    )


def _require_understood(fields: Fields) -> None:
    """Raise ConfigError where a deciding field is given that neither rule nor class knows."""
    for name in DECIDING:
        value = fields.values.get(name)
        if value and name not in fields.asked and name not in fields.defaults:
            raise ConfigError(
                Message(
                    "{name} is {value}; what that means for {config_class} is not known.",
                    name=fields.named(name),
                    value=shown(value),
                    config_class=fields.config_class.name,
                )
            )
