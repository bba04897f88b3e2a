"""Validating catalog files: every fault at once, with its place and a sentence.

pydantic reads core's own dataclasses, so there is no second description of an entry.
The sentences about values are core's too.
"""

import json
import os
from collections.abc import Iterator
from functools import cache
from typing import Any, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from pydantic_core import ErrorDetails

from xlsizing.catalog.errors import CatalogError, Fault
from xlsizing.catalog.files import KINDS, CatalogKind, read_document
from xlsizing.core.catalogs import name_key
from xlsizing.core.constraints import refusal, rules_of
from xlsizing.core.entries import Entry, faults_between_fields
from xlsizing.core.errors import shown
from xlsizing.core.layers import CLASS_BY_KIND, LayerGroup

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


@cache
def entry_adapter(kind: CatalogKind) -> TypeAdapter[Entry]:
    """Pydantic's view of one entry of `kind`."""
    for group in set(CLASS_BY_KIND.values()):
        with_config(STRICT)(group)
    return TypeAdapter(with_config(STRICT)(kind.entry))


def folder_faults(folder: str) -> list[Fault]:
    """Everything that is wrong with the catalog files of a folder; empty where nothing is."""
    return [fault for kind in KINDS for fault in file_faults(folder, kind)]


def file_faults(folder: str, kind: CatalogKind) -> list[Fault]:
    """Everything that is wrong with one catalog file; empty where nothing is."""
    try:
        document = read_document(folder, kind)
    except CatalogError as error:
        return list(error.faults)
    file = os.path.join(folder, kind.file)
    return [Fault(file, path, sentence) for path, sentence in _document_faults(document, kind)]


def _document_faults(document: Any, kind: CatalogKind) -> Iterator[tuple[str, str]]:
    if not isinstance(document, dict) or not isinstance(document.get(kind.key), list):
        yield (
            "",
            f'The file must be an object with a list of {kind.noun}s: {{"{kind.key}": [...]}}.',
        )
        return
    for key in document:
        if key not in ("$schema", kind.key):
            yield key, f"This key is unknown; the file may hold $schema and {kind.key}."
    if not isinstance(document.get("$schema", ""), str):
        yield "$schema", f"$schema is {shown(document['$schema'])}; it must be text."
    if not document[kind.key]:
        yield kind.key, f"The list is empty; it must hold at least one {kind.noun}."
    for number, fields in enumerate(document[kind.key]):
        yield from _entry_faults(f"{kind.key}[{number}]", fields, kind)
    yield from _name_faults(document[kind.key], kind)


def _entry_faults(path: str, fields: Any, kind: CatalogKind) -> Iterator[tuple[str, str]]:
    if not isinstance(fields, dict):
        yield path, f"This is {shown(fields)}; it must be an object, the fields of a {kind.noun}."
        return
    wrong = set()
    for name, sentence in _field_faults(fields, entry_adapter(kind), kind.entry, kind.noun):
        # Each group is looked at by itself below, as the kind that it says it is.
        if name == "layer_groups" and isinstance(fields.get(name), list):
            continue
        wrong.add(name)
        yield f"{path}.{name}" if name else path, sentence
    groups = fields.get("layer_groups")
    for place, sentence in _group_faults(groups) if isinstance(groups, list) else ():
        wrong.add("layer_groups")
        yield f"{path}.{place}", sentence
    for name, fault in faults_between_fields(kind.entry, fields, wrong):
        yield f"{path}.{name}", str(fault)


def _group_faults(groups: list[Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with each group of layers by itself."""
    for number, fields in enumerate(groups):
        path = f"layer_groups[{number}]"
        kind = fields.get("kind") if isinstance(fields, dict) else None
        if not isinstance(kind, str) or kind not in CLASS_BY_KIND:
            right = f"an object with a kind: {', '.join(CLASS_BY_KIND)}"
            yield path, f"{path} is {shown(fields)}; it must be {right}."
            continue
        owner = CLASS_BY_KIND[kind]
        adapter: TypeAdapter[LayerGroup] = TypeAdapter(with_config(STRICT)(owner))
        for name, sentence in _field_faults(fields, adapter, owner, f"group of {kind} layers"):
            yield f"{path}.{name}" if name else path, sentence


def _field_faults(
    fields: dict[str, Any], adapter: TypeAdapter[Any], owner: type, noun: str
) -> Iterator[tuple[str, str]]:
    """What is wrong with the fields of an object one by one: name of the field, and a sentence."""
    try:
        adapter.validate_json(json.dumps(fields))
    except ValidationError as error:
        seen = set()
        for detail in error.errors(include_url=False):
            name = str(detail["loc"][0]) if detail["loc"] else ""
            if detail["type"] == "json_invalid":
                yield "", "The entry is nested too deeply; its fields are plain figures and texts."
            elif name and name not in seen:
                seen.add(name)
                yield name, _sentence(name, detail, fields, owner, noun)
            elif not name and owner in CLASS_BY_KIND.values():
                # Between the fields of a group; those of an entry are listed in full elsewhere.
                yield "", str(detail["ctx"]["error"])


def _as_core_takes_them(fields: dict[str, Any], owner: type) -> dict[str, Any]:
    """The fields with lists as tuples where core holds a tuple."""
    rules = rules_of(owner)
    return {
        name: tuple(value)
        if isinstance(value, list) and get_origin(rules.get(name)) is tuple
        else value
        for name, value in fields.items()
    }


def _sentence(
    name: str, detail: ErrorDetails, fields: dict[str, Any], owner: type, noun: str
) -> str:
    if detail["type"] == "missing":
        return f"The field {name!r} is missing; a {noun} must have it."
    if name not in rules_of(owner):
        return f"The field {name!r} is unknown; a {noun} has {', '.join(rules_of(owner))}."
    value = _as_core_takes_them(fields, owner)[name]
    error = refusal(name, value, rules_of(owner)[name])
    return str(error) if error else f"{name} is {shown(value)}: {detail['msg']}."


def _name_faults(entries: list[Any], kind: CatalogKind) -> Iterator[tuple[str, str]]:
    first: dict[str, str] = {}
    for number, fields in enumerate(entries):
        if not isinstance(fields, dict):
            continue
        aliases = fields.get("aliases")
        written = [("name", fields.get("name"))]
        if isinstance(aliases, list):
            written += [(f"aliases[{place}]", alias) for place, alias in enumerate(aliases)]
        for field, name in written:
            if not isinstance(name, str):
                continue
            path = f"{kind.key}[{number}].{field}"
            key = name_key(name)
            if key in first:
                yield (
                    path,
                    f"The name {name!r} is already taken by {first[key]}; names and aliases must differ.",
                )
            else:
                first[key] = path
