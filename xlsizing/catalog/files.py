"""Reading a catalog file as JSON, strictly.

Python's json module would take NaN, silently keep the last of two equal keys, and
raise errors that name no file. Here each of these is a fault with a sentence, and so is
whatever else may stand in the place of a file.
"""

import json
import os
from functools import partial
from math import isinf
from stat import S_ISDIR, S_ISREG
from typing import Any, NamedTuple

from xlsizing.catalog.diagnosis import why_not_json
from xlsizing.catalog.errors import CatalogError, Fault, JsonFault
from xlsizing.core import Model, Server, StorageProfile
from xlsizing.core.errors import shown


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

LARGEST_FILE_MB = 4
"""A larger file is not a catalog [MB]; the shipped ones have less than a tenth."""

LONGEST_NUMBER = 300
"""Digits that a whole number may have; Python itself refuses to read much longer ones."""


def read_document(folder: str, kind: CatalogKind) -> Any:
    """The JSON document of a catalog file.

    Raises
    ------
    CatalogError : the file is missing, unreadable, too large, being written, no UTF-8, no
        JSON, or holds a number that no figure can be or an object with the same key twice.
    """
    document = _read(folder, kind)
    if isinstance(document, Fault):
        raise CatalogError([document])
    return document


def read_documents(folder: str) -> dict[CatalogKind, Any]:
    """The JSON document of each catalog file, or the Fault for which it cannot be read.

    Each file is read once, so that what is said about it is true of what was loaded from
    it, whoever writes it meanwhile.
    """
    return {kind: _read(folder, kind) for kind in KINDS}


def _read(folder: str, kind: CatalogKind) -> Any:
    path = os.path.join(folder, kind.file)
    try:
        return read_json(path, LARGEST_FILE_MB, "catalog", f"the {kind.noun}s")
    except JsonFault as fault:
        return Fault(path, fault.place, fault.sentence)


def read_json(path: str, largest_mb: int, noun: str, content: str, *, finite: bool = True) -> Any:
    """The JSON document in a file, read strictly.

    Parameters
    ----------
    path : the file.
    largest_mb : a larger file is not read [MB].
    noun : what the file is called in a sentence.
    content : what it must hold.
    finite : whether numbers that no figure can be are refused: NaN, infinite ones, and
        those so small that they would be read as 0.

    Raises
    ------
    JsonFault : the file cannot be read, or is not strict JSON.
    """
    written = _bytes(path, largest_mb, noun, content)
    try:
        # Programs put a byte order mark before UTF-8, and some a second one before the first.
        text = written.decode().lstrip("\ufeff")
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant if finite else float,
            parse_int=partial(_whole, noun),
            parse_float=_figure if finite else float,
        )
        if "\\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        sentence = f"The text {half!r} is half of a character; write the whole one."
        raise JsonFault("", sentence) from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise why_not_json(written, error, content) from error
    except RecursionError as error:
        raise JsonFault("", f"The JSON is nested too deeply to be a {noun}.") from error
    except ValueError as error:
        raise JsonFault("", str(error)) from error
    return document


def _bytes(path: str, largest_mb: int, noun: str, content: str) -> bytes:
    most = largest_mb * 10**6
    too_large = f"The file is larger than {largest_mb} MB, which is too large for a {noun}."
    try:
        # Opened only where it is a file: a pipe would be waited for.
        found = os.stat(path)
        if not S_ISREG(found.st_mode):
            what = "a folder" if S_ISDIR(found.st_mode) else "a pipe or a device"
            raise JsonFault("", f"This is {what}; it must be a file that holds {content}.")
        if found.st_size > most:
            raise JsonFault("", too_large)
        with open(path, "rb") as file:
            before = os.fstat(file.fileno())
            written = file.read(most + 1)
            after = os.fstat(file.fileno())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it cannot be read"
        sentence = f"The file cannot be read ({why}); it must hold {content}."
        raise JsonFault("", sentence) from error
    if len(written) > most:
        raise JsonFault("", too_large)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        sentence = "The file changed while it was read; try again when it is no longer written to."
        raise JsonFault("", sentence)
    return written


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"An object has the key {shown(key)} twice; keep one of them.")
            seen.add(key)
    return fields


def _whole(noun: str, text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"A number has {len(text)} digits; no figure of a {noun} needs that many.")
    return int(text)


def _figure(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError(
            f"The number {text[:20]} is too large for a figure; leave out what is not known."
        )
    if not value and text.lower().partition("e")[0].strip("-0."):
        raise ValueError(f"The number {text[:20]} is too small for a figure; write 0 for nothing.")
    return value or 0.0  # and not -0.0


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a figure; leave the field out where none is known.")
