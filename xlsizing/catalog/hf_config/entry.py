"""From layer groups and fields of a published config.json to the catalog entry."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from xlsizing.catalog.hf_config.attention import attention_heads
from xlsizing.catalog.hf_config.fields import Fields, Reading
from xlsizing.catalog.hf_config.precision import precision
from xlsizing.catalog.writing import stated_fields
from xlsizing.core import Model
from xlsizing.core.entries import figures
from xlsizing.core.layers import AttentionLayers, LayerGroup, StateLayers
from xlsizing.core.message import Message

UNLIMITED_CONTEXT = 1_048_576
"""Longest context of an entry whose config does not limit it [tokens]."""

UNLIMITED = Message("not limited by the config")

UNLIMITED_NOTE = (
    "The config does not limit the context; "
    f"max_position_embeddings {UNLIMITED_CONTEXT} is a choice of this catalog's."
)

CONTEXT_FIELDS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "max_sequence_length",
    "seq_length",
    "model_max_length",
)
"""Where configs say the longest context, the first that is given counting."""

PLAIN_FIELDS: Mapping[str, str] = {
    "kv_heads": "num_key_value_heads",
    "head_dim": "head_dim",
    "key_dim": "head_dim",
    "window": "sliding_window",
    "layers": "attention_pattern",
}
"""Field of an entry without layer groups, by what layer groups call it."""

NOT_IN_THE_CONFIG = ("default of ", "choice of ", UNLIMITED)
"""How a source begins that is no field of the config."""


class ImportedModel(NamedTuple):
    """A catalog entry made from a config, and where each figure of it was read."""

    model: Model
    readings: tuple[Reading, ...]


def imported(config: Fields, groups: Sequence[LayerGroup], name: str) -> ImportedModel:
    """The entry of a config whose layers are known.

    Raises
    ------
    InvalidValueError : a figure breaks a rule of the catalog.
    """
    said: dict[str, Any] = {"num_layers": config.layers, **_context(config, groups)}
    if not all(isinstance(group, StateLayers) for group in groups):
        said["num_attention_heads"] = attention_heads(config)
    weights = precision(config)
    said["default_kv_precision"] = weights.kv
    said["weight_precision"] = weights.weights
    said["unquantized_params"] = weights.unquantized_params
    said |= _pattern(config.layers, groups)
    grouped = said["attention_pattern"] == "grouped"
    model = Model(name=name, **said)
    return ImportedModel(model, tuple(_readings(config.readings, said, grouped=grouped)))


def _context(config: Fields, groups: Sequence[LayerGroup]) -> dict[str, Any]:
    """The longest context; models of state-space layers alone need have no limit."""
    field = "max_position_embeddings"
    given = [name for name in CONTEXT_FIELDS if config.find(name) is not None]
    if not given and all(isinstance(group, StateLayers) for group in groups):
        config.note(field, UNLIMITED_CONTEXT, UNLIMITED)
        return {field: UNLIMITED_CONTEXT, "notes": UNLIMITED_NOTE}
    return {field: config.whole(given[0] if given else field, field)}


def _pattern(layers: int, groups: Sequence[LayerGroup]) -> dict[str, Any]:
    """The attention pattern and its fields: plain ones where they say all, else layer groups."""
    said = _heads(groups)
    by_kind = {group.kind: group.layers for group in groups}
    attention = [group for group in groups if isinstance(group, AttentionLayers)]
    plain = (
        said
        and len(attention) == len(groups)
        and sum(by_kind.values()) == layers
        and "chunked" not in by_kind
        and not any(group.transformers_window for group in attention)
    )
    if not plain:
        return {**said, "attention_pattern": "grouped", "layer_groups": tuple(groups)}
    said["sliding_window"] = max(group.window or 0 for group in attention) or None
    if len(by_kind) == 1:
        return {**said, "attention_pattern": attention[0].kind}
    return {
        **said,
        "attention_pattern": "hybrid",
        "hybrid_full_layers": by_kind["full"],
        "hybrid_sliding_layers": by_kind["sliding"],
    }


def _heads(groups: Sequence[LayerGroup]) -> dict[str, Any]:
    """KV heads and head_dim where all attention layers agree in them, else nothing."""
    geometries = {
        (group.kv_heads, group.key_dim, group.value_dim)
        for group in groups
        if isinstance(group, AttentionLayers)
    }
    if len(geometries) != 1:
        return {}
    heads, key, value = geometries.pop()
    return {"num_key_value_heads": heads, "head_dim": key} if key == value else {}


def _readings(
    readings: Sequence[Reading], said: Mapping[str, Any], *, grouped: bool
) -> list[Reading]:
    """The readings of the fields that the entry has.

    What was read of layer groups is what was read of the plain fields that say the same.
    """
    found = []
    for reading in readings:
        parts = reading.field.split(".")[1:]
        if grouped or not parts:
            found.append(reading)
        plain = PLAIN_FIELDS.get(parts[-1]) if parts and "state" not in parts else None
        if plain is not None and said.get(plain) is not None:
            found.append(Reading(plain, said[plain], reading.source))
        if plain == "attention_pattern" and said[plain] == "hybrid":
            found += [
                Reading(field, said[field], reading.source)
                for field in ("hybrid_full_layers", "hybrid_sliding_layers")
            ]
    order = [each.name for each in fields(Model)]
    return sorted(found, key=lambda reading: order.index(reading.field.split(".")[0]))


def entry_json(imported: ImportedModel) -> dict[str, Any]:
    """The entry as it stands in models.json: the fields that differ from their defaults."""
    return stated_fields(replace(imported.model, sources=_sources(imported)))


def _sources(imported: ImportedModel) -> dict[str, str]:
    """A source for each figure of the entry, from all that was read for it."""
    sources: dict[str, str] = {}
    for field in figures(imported.model):
        read = [each.source for each in imported.readings if each.field.split(".")[0] == field]
        read = list(dict.fromkeys(read))
        from_config = [source for source in read if not source.startswith(NOT_IN_THE_CONFIG)]
        others = [source for source in read if source.startswith(NOT_IN_THE_CONFIG)]
        if from_config:
            others.insert(0, f"{', '.join(from_config)} of the published config.json")
        if others:
            sources[field] = "; ".join(others)
    return sources
