"""Reading a catalog file as JSON, strictly.

Python's json module would take NaN, silently keep the last of two equal keys, and
raise errors that name no file. Here each of these is a fault with a sentence.
"""

import json
import os
from math import isinf
from typing import Any, NamedTuple

from xlsizing.catalog.errors import CatalogError, Fault
from xlsizing.core import Model, Server, StorageProfile


class CatalogKind(NamedTuple):
    """One of the three catalog files."""

    file: str
    """Name of the file in the catalog folder."""
    schema: str
    """Name of its JSON Schema, beside it in the project's own folder."""
    key: str
    """The key that holds the entries."""
    noun: str
    """What one entry is called in a sentence."""
    entry: type[Model] | type[Server] | type[StorageProfile]


MODELS = CatalogKind("models.json", "models.schema.json", "models", "model", Model)
SERVERS = CatalogKind("servers.json", "servers.schema.json", "servers", "server", Server)
PROFILES = CatalogKind(
    "storage.json", "storage.schema.json", "profiles", "storage profile", StorageProfile
)
KINDS = (MODELS, SERVERS, PROFILES)

LARGEST_FILE_MB = 16
"""A larger file is not a catalog [MB]."""

LONGEST_NUMBER = 300
"""Digits that a whole number may have; Python itself refuses to read much longer ones."""


def read_document(folder: str, kind: CatalogKind) -> Any:
    """The JSON document of a catalog file.

    Raises
    ------
    CatalogError : the file is missing, unreadable, too large, no UTF-8, no JSON, or
        holds NaN, an infinite number or an object with the same key twice.
    """
    path = os.path.join(folder, kind.file)
    try:
        if os.path.getsize(path) > LARGEST_FILE_MB * 10**6:
            raise CatalogError(
                [Fault(path, "", f"The file is larger than {LARGEST_FILE_MB} MB; split it.")]
            )
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        why = error.strerror or "it cannot be read"
        sentence = f"The file cannot be read ({why}); it must hold the {kind.noun}s."
        raise CatalogError([Fault(path, "", sentence)]) from error
    except UnicodeDecodeError as error:
        sentence = f"Byte {error.start} is not UTF-8; save the file as UTF-8."
        raise CatalogError([Fault(path, "", sentence)]) from error
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_finite,
        )
        if "\\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        sentence = (
            f"The text {error.object[error.start]!r} is half of a character; write the whole one."
        )
        raise CatalogError([Fault(path, "", sentence)]) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        sentence = f"This is not JSON: {error.msg[0].lower()}{error.msg[1:]}."
        raise CatalogError([Fault(path, place, sentence)]) from error
    except RecursionError as error:
        sentence = "The JSON is nested too deeply to be a catalog."
        raise CatalogError([Fault(path, "", sentence)]) from error
    except ValueError as error:
        raise CatalogError([Fault(path, "", str(error))]) from error
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"An object has the key {twice!r} twice; keep one of them.")
    return dict(pairs)


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(
            f"A number has {len(text)} digits; no figure of a catalog needs that many."
        )
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError(
            f"The number {text[:20]} is too large for a figure; leave out what is not known."
        )
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a figure; leave the field out where none is known.")
