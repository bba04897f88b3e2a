"""The JSON Schemas of the catalog files, made from core's dataclasses.

`python -m xlsizing.catalog.schema FOLDER` writes them into a folder.
"""

import json
import os
import sys
from typing import Any

from xlsizing.catalog.files import KINDS, CatalogKind
from xlsizing.catalog.validation import entry_adapter
from xlsizing.core import Model
from xlsizing.core.constraints import rules_of
from xlsizing.core.entries import NAME_PATTERN, NEEDED_BY_PATTERN, Name


def schema(kind: CatalogKind) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one catalog file."""
    entry = entry_adapter(kind).json_schema()
    definitions = entry.pop("$defs", {})
    for each in (entry, *definitions.values()):
        each["description"] = each["description"].split("\n\n")[0]
    definition = kind.entry.__name__
    for field, annotation in rules_of(kind.entry).items():
        if annotation == Name:
            entry["properties"][field]["pattern"] = NAME_PATTERN
        elif annotation == tuple[Name, ...]:
            entry["properties"][field]["items"]["pattern"] = NAME_PATTERN
    if kind.entry is Model:
        entry["allOf"] = [
            {
                "if": {"properties": {"attention_pattern": {"const": "grouped"}}},
                "then": {"properties": {"layer_groups": {"minItems": 1}}},
                "else": {"properties": {"layer_groups": {"maxItems": 0}}},
            },
            *(
                {
                    "if": {
                        "properties": {"attention_pattern": {"const": pattern}},
                        "required": ["attention_pattern"],
                    },
                    "then": {
                        "required": list(needed),
                        "properties": {name: {"not": {"type": "null"}} for name in needed},
                    },
                }
                for pattern, needed in NEEDED_BY_PATTERN.items()
            ),
        ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Catalog of {kind.noun}s",
        "type": "object",
        "properties": {
            "$schema": {"type": "string"},
            kind.key: {
                "type": "array",
                "minItems": 1,
                "items": {"$ref": f"#/$defs/{definition}"},
            },
        },
        "required": [kind.key],
        "additionalProperties": False,
        "$defs": {definition: entry, **definitions},
    }


def schema_text(kind: CatalogKind) -> str:
    """The JSON Schema as the file that is checked in."""
    return json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: str) -> None:
    """Write the JSON Schema of each catalog file into a folder."""
    for kind in KINDS:
        with open(os.path.join(folder, kind.schema), "w", encoding="utf-8", newline="\n") as file:
            file.write(schema_text(kind))


if __name__ == "__main__":
    write_schemas(sys.argv[1])
