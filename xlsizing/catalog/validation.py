"""Validating catalog files: every fault at once, with its place and a sentence.

pydantic reads core's own dataclasses, so there is no second description of an entry.
The sentences about values are core's too.
"""

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from pydantic_core import ErrorDetails

from xlsizing.catalog.errors import MOST_LISTED, Fault
from xlsizing.catalog.files import CatalogKind, read_documents
from xlsizing.core.catalogs import name_key
from xlsizing.core.constraints import refusal, rules_of
from xlsizing.core.entries import Entry, faults_between_fields
from xlsizing.core.errors import InvalidValueError, shown
from xlsizing.core.layers import CLASS_BY_KIND, LayerGroup
from xlsizing.core.message import Message
from xlsizing.core.text import cut

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


@cache
def entry_adapter(kind: CatalogKind) -> TypeAdapter[Entry]:
    """Pydantic's view of one entry of `kind`."""
    for group in set(CLASS_BY_KIND.values()):
        with_config(STRICT)(group)
    return TypeAdapter(with_config(STRICT)(kind.entry))


def folder_faults(folder: str) -> list[Fault]:
    """What is wrong with the catalog files of a folder; empty where nothing is."""
    return faults(folder, read_documents(folder))


def faults(folder: str, read: Mapping[CatalogKind, Any]) -> list[Fault]:
    """What is wrong with a folder's catalog files as they were read (see `read_documents`).

    Of thousands of faults the first MOST_LISTED are enough.
    """
    return list(islice(_folder_faults(folder, read), MOST_LISTED))


def _folder_faults(folder: str, read: Mapping[CatalogKind, Any]) -> Iterator[Fault]:
    for kind, document in read.items():
        if isinstance(document, Fault):
            yield document
            continue
        for path, sentence in _document_faults(document, kind):
            yield Fault(os.path.join(folder, kind.file), path, sentence)


def _document_faults(document: Any, kind: CatalogKind) -> Iterator[tuple[str, str]]:
    if not isinstance(document, dict) or not isinstance(document.get(kind.key), list):
        yield (
            "",
            Message(
                "The file must be an object with a list of {nouns}: {example}.",
                nouns=kind.nouns,
                example=f'{{"{kind.key}": [...]}}',
            ),
        )
        return
    for key in document:
        if key not in ("$schema", kind.key):
            yield (
                cut(key),
                Message("This key is unknown; the file may hold $schema and {key}.", key=kind.key),
            )
    if not isinstance(document.get("$schema", ""), str):
        fault = InvalidValueError("$schema", document["$schema"], Message("text"))
        yield "$schema", str(fault)
    if not document[kind.key]:
        yield (
            kind.key,
            Message("The list is empty; it must hold at least one {noun}.", noun=kind.noun),
        )
    for number, fields in enumerate(document[kind.key]):
        yield from _entry_faults(f"{kind.key}[{number}]", fields, kind)
    yield from _name_faults(document[kind.key], kind)


def _entry_faults(path: str, fields: Any, kind: CatalogKind) -> Iterator[tuple[str, str]]:
    if not isinstance(fields, dict):
        yield (
            path,
            Message(
                "This is {value}; it must be an object, the fields of a {noun}.",
                value=shown(fields),
                noun=kind.noun,
            ),
        )
        return
    wrong = set()
    for name, sentence in _field_faults(fields, entry_adapter(kind), kind.entry, kind.noun):
        # Each group is looked at by itself below, as the kind that it says it is.
        if name == "layer_groups" and isinstance(fields.get(name), list):
            continue
        wrong.add(name)
        yield f"{path}.{cut(name)}" if name else path, sentence
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
            right = Message("an object with a kind: {kinds}", kinds=", ".join(CLASS_BY_KIND))
            yield path, str(InvalidValueError(path, fields, right))
            continue
        owner = CLASS_BY_KIND[kind]
        adapter: TypeAdapter[LayerGroup] = TypeAdapter(with_config(STRICT)(owner))
        noun = Message("group of {kind} layers", kind=kind)
        for name, sentence in _field_faults(fields, adapter, owner, noun):
            yield f"{path}.{cut(name)}" if name else path, sentence


def _field_faults(
    fields: dict[str, Any], adapter: TypeAdapter[Any], owner: type, noun: str
) -> Iterator[tuple[str, str]]:
    """What is wrong with the fields of an object one by one: name of the field, and a sentence."""
    rules = rules_of(owner)
    for name in fields:
        if name not in rules:
            yield (
                name,
                Message(
                    "The field {name} is unknown; a {noun} has {fields}.",
                    name=shown(name),
                    noun=noun,
                    fields=", ".join(rules),
                ),
            )
    known = {name: fields[name] for name in rules if name in fields}
    wrong: set[str] = set()
    try:
        adapter.validate_json(json.dumps({name: _emptied(known[name]) for name in known}))
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            name = str(detail["loc"][0]) if detail["loc"] else ""
            if name and name not in wrong:
                wrong.add(name)
                yield name, _sentence(name, detail, known, rules, noun)
            elif not name and owner in CLASS_BY_KIND.values():
                # Between the fields of a group; those of an entry are listed in full elsewhere.
                yield "", str(detail["ctx"]["error"])
    for name, value in known.items():
        has_items = isinstance(value, list | dict) and bool(value)
        if has_items and name not in wrong and (refused := _refused(name, value, rules)):
            yield name, str(refused)


def _emptied(value: Any) -> Any:
    """The value, or a list or object like it without items.

    pydantic would keep an error for each of a million items; core ends at the first.
    """
    return type(value)() if isinstance(value, list | dict) else value


def _refused(name: str, value: Any, rules: Mapping[str, Any]) -> InvalidValueError | None:
    """Why core does not take the value of a field, in which a list stands for a tuple."""
    is_tuple = isinstance(value, list) and get_origin(rules[name]) is tuple
    return refusal(name, tuple(value) if is_tuple else value, rules[name])


def _sentence(
    name: str, detail: ErrorDetails, fields: Mapping[str, Any], rules: Mapping[str, Any], noun: str
) -> str:
    if detail["type"] == "missing":
        return Message(
            "The field {name} is missing; a {noun} must have it.", name=repr(name), noun=noun
        )
    value = fields[name]
    if isinstance(value, float) and value.is_integer() and not _refused(name, int(value), rules):
        right = Message("a whole number, written as {number}", number=str(int(value)))
        return Message(
            "{field} is {value}; it must be {expected}.",
            field=name,
            value=repr(value),
            expected=right,
        )
    if error := _refused(name, value, rules):
        return str(error)
    # What core has no rule for is in the words of pydantic, which are English.
    return Message(
        "{field} is {value}: {fault}.", field=name, value=shown(value), fault=detail["msg"]
    )


def _name_faults(entries: list[Any], kind: CatalogKind) -> Iterator[tuple[str, str]]:
    first: dict[str, tuple[int, str]] = {}
    for number, fields in enumerate(entries):
        for field, name in _names(fields) if isinstance(fields, dict) else ():
            key = name_key(name)
            if key not in first:
                first[key] = number, field
                continue
            owner, its_field = first[key]
            yield (
                f"{kind.key}[{number}].{field}",
                Message(
                    "The name {name} is already taken by {owner}; names and aliases must differ.",
                    name=shown(name),
                    owner=f"{kind.key}[{owner}].{its_field}",
                ),
            )


def _names(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The names of an entry that are text, each with the place where it stands."""
    if isinstance(name := fields.get("name"), str):
        yield "name", name
    aliases = fields.get("aliases")
    for place, alias in enumerate(aliases if isinstance(aliases, list) else ()):
        if isinstance(alias, str):
            yield f"aliases[{place}]", alias
