"""Catalogs as the JSON files that `loading` reads."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from typing import Any

from xlsizing.catalog.files import MODELS, PROFILES, SERVERS, CatalogKind
from xlsizing.core import Catalogs
from xlsizing.core.entries import Entry
from xlsizing.core.layers import LayerGroup


def documents(catalogs: Catalogs) -> dict[str, str]:
    """The text of each catalog file, by its name; loading them gives equal catalogs."""
    entries: Mapping[CatalogKind, Sequence[Entry]] = {
        MODELS: catalogs.models,
        SERVERS: catalogs.servers,
        PROFILES: catalogs.profiles,
    }
    return {
        kind.file: json.dumps({kind.key: [stated_fields(each) for each in of_kind]}, indent=1)
        + "\n"
        for kind, of_kind in entries.items()
    }


def stated_fields(entry: Entry) -> dict[str, Any]:
    """The entry as it stands in a catalog file: the fields that differ from their defaults."""
    stated: dict[str, Any] = {}
    for each in fields(entry):
        value = getattr(entry, each.name)
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if value != default:
            stated[each.name] = value
    if "layer_groups" in stated:
        stated["layer_groups"] = list(map(_group_json, stated["layer_groups"]))
    return stated


def _group_json(group: LayerGroup) -> dict[str, Any]:
    return {name: value for name, value in asdict(group).items() if value is not None}
