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
from xlsizing.core.message import Message


class CatalogKind(NamedTuple):
    """One of the three catalog files."""

    file: str
    """Name of the file in the catalog folder."""
    schema: str
    """Name of its JSON Schema, beside it in the project's own folder."""
    key: str
    """The key that holds the entries."""
    noun: Message
    """What one entry is called in a sentence."""
    nouns: Message
    """What several are."""
    entry: type[Model] | type[Server] | type[StorageProfile]


MODELS = CatalogKind(
    "models.json", "models.schema.json", "models", Message("model"), Message("models"), Model
)
SERVERS = CatalogKind(
    "servers.json", "servers.schema.json", "servers", Message("server"), Message("servers"), Server
)
PROFILES = CatalogKind(
    "storage.json",
    "storage.schema.json",
    "profiles",
    Message("storage profile"),
    Message("storage profiles"),
    StorageProfile,
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
        content = Message("the {nouns}", nouns=kind.nouns)
        return read_json(path, LARGEST_FILE_MB, Message("catalog"), content)
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
        sentence = Message(
            "The text {half} is half of a character; write the whole one.", half=repr(half)
        )
        raise JsonFault("", sentence) from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise why_not_json(written, error, content) from error
    except RecursionError as error:
        raise JsonFault(
            "", Message("The JSON is nested too deeply to be a {noun}.", noun=noun)
        ) from error
    except ValueError as error:
        raise JsonFault("", str(error)) from error
    return document


def _bytes(path: str, largest_mb: int, noun: str, content: str) -> bytes:
    most = largest_mb * 10**6
    try:
        # Opened only where it is a file: a pipe would be waited for.
        found = os.stat(path)
        if not S_ISREG(found.st_mode):
            is_folder = S_ISDIR(found.st_mode)
            what = Message("a folder") if is_folder else Message("a pipe or a device")
            raise JsonFault(
                "",
                Message(
                    "This is {what}; it must be a file that holds {content}.",
                    what=what,
                    content=content,
                ),
            )
        if found.st_size > most:
            raise _too_large(largest_mb, noun)
        with open(path, "rb") as file:
            before = os.fstat(file.fileno())
            written = file.read(most + 1)
            after = os.fstat(file.fileno())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or Message("it cannot be read")
        sentence = Message(
            "The file cannot be read ({why}); it must hold {content}.", why=why, content=content
        )
        raise JsonFault("", sentence) from error
    if len(written) > most:
        raise _too_large(largest_mb, noun)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        sentence = Message(
            "The file changed while it was read; try again when it is no longer written to."
        )
        raise JsonFault("", sentence)
    return written


def _too_large(largest_mb: int, noun: str) -> JsonFault:
    sentence = Message(
        "The file is larger than {most} MB, which is too large for a {noun}.",
        most=str(largest_mb),
        noun=noun,
    )
    return JsonFault("", sentence)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(
                    Message("An object has the key {key} twice; keep one of them.", key=shown(key))
                )
            seen.add(key)
    return fields


def _whole(noun: str, text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(
            Message(
                "A number has {count} digits; no figure of a {noun} needs that many.",
                count=str(len(text)),
                noun=noun,
            )
        )
    return int(text)


def _figure(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError(
            Message(
                "The number {number} is too large for a figure; leave out what is not known.",
                number=text[:20],
            )
        )
    if not value and text.lower().partition("e")[0].strip("-0."):
        raise ValueError(
            Message(
                "The number {number} is too small for a figure; write 0 for nothing.",
                number=text[:20],
            )
        )
    return value or 0.0  # and not -0.0


def _no_constant(name: str) -> Any:
    raise ValueError(
        Message("{name} is not a figure; leave the field out where none is known.", name=name)
    )
