"""Reading a catalog file as JSON, strictly.

Python's json module would take NaN, silently keep the last of two equal keys, and
raise errors that name no file. Here each of these is a fault with a sentence.
"""

import json
import os
from functools import partial
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


class JsonFault(Exception):
    """What is wrong with a JSON file: a place in it, which may be empty, and a sentence."""

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place
        self.sentence = sentence


def read_document(folder: str, kind: CatalogKind) -> Any:
    """The JSON document of a catalog file.

    Raises
    ------
    CatalogError : the file is missing, unreadable, too large, no UTF-8, no JSON, or
        holds NaN, an infinite number or an object with the same key twice.
    """
    path = os.path.join(folder, kind.file)
    try:
        return read_json(path, LARGEST_FILE_MB, "catalog", f"the {kind.noun}s")
    except JsonFault as fault:
        raise CatalogError([Fault(path, fault.place, fault.sentence)]) from fault


def read_json(path: str, largest_mb: int, noun: str, content: str, *, finite: bool = True) -> Any:
    """The JSON document in a file, read strictly.

    Parameters
    ----------
    path : the file.
    largest_mb : a larger file is not read [MB].
    noun : what the file is called in a sentence.
    content : what it must hold.
    finite : whether NaN and infinite numbers are refused.

    Raises
    ------
    JsonFault : the file cannot be read, or is not strict JSON.
    """
    text = _text(path, largest_mb, noun, content)
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant if finite else float,
            parse_int=partial(_whole, noun),
            parse_float=_finite if finite else float,
        )
        if "\\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        sentence = f"The text {half!r} is half of a character; write the whole one."
        raise JsonFault("", sentence) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        sentence = f"This is not JSON: {error.msg[0].lower()}{error.msg[1:]}."
        raise JsonFault(place, sentence) from error
    except RecursionError as error:
        raise JsonFault("", f"The JSON is nested too deeply to be a {noun}.") from error
    except ValueError as error:
        raise JsonFault("", str(error)) from error
    return document


def _text(path: str, largest_mb: int, noun: str, content: str) -> str:
    too_large = f"The file is larger than {largest_mb} MB, which is too large for a {noun}."
    try:
        if os.path.getsize(path) > largest_mb * 10**6:
            raise JsonFault("", too_large)
        with open(path, "rb") as file:
            written = file.read(largest_mb * 10**6 + 1)
        if len(written) > largest_mb * 10**6:
            raise JsonFault("", too_large)
        return written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        sentence = f"Byte {error.start} is not UTF-8; save the file as UTF-8."
        raise JsonFault("", sentence) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it cannot be read"
        sentence = f"The file cannot be read ({why}); it must hold {content}."
        raise JsonFault("", sentence) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"An object has the key {key!r} twice; keep one of them.")
            seen.add(key)
    return fields


def _whole(noun: str, text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"A number has {len(text)} digits; no figure of a {noun} needs that many.")
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
