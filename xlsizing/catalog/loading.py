"""Loading catalogs, fast: the standard library straight into core's dataclasses.

A file that does not load is handed to `validation`, which lists every fault at once.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from xlsizing.catalog.errors import CatalogError, Fault
from xlsizing.catalog.files import KINDS, MODELS, PROFILES, SERVERS, CatalogKind, read_documents
from xlsizing.core import Catalogs, Model, Server, SizingError, StorageProfile
from xlsizing.core.catalogs import name_key, names
from xlsizing.core.layers import CLASS_BY_KIND, LayerGroup
from xlsizing.core.message import Message
from xlsizing.resources import shipped

AnyEntry = TypeVar("AnyEntry", Model, Server, StorageProfile)

FOLDER_VARIABLE = "XLSIZING_CATALOGS"
"""Environment variable that names the catalog folder where no argument does."""


def catalog_folder(folder: str | None = None) -> str:
    """The folder to load from: the argument, else XLSIZING_CATALOGS, else the shipped one.

    Raises
    ------
    CatalogError : the folder that was named does not exist.
    """
    named = folder or os.environ.get(FOLDER_VARIABLE)
    if not named:
        return shipped("catalogs")
    if not os.path.isdir(named):
        files = ", ".join(kind.file for kind in KINDS)
        what = (
            Message("This is no folder; it must hold {files}.", files=files)
            if os.path.lexists(named)
            else Message("There is no such folder; it must hold {files}.", files=files)
        )
        raise CatalogError([Fault(named, "", what)])
    return named


def load_catalogs(folder: str | None = None) -> Catalogs:
    """The catalogs of a folder (see `catalog_folder`).

    Raises
    ------
    CatalogError : something is wrong; the error lists every fault in every file.
    """
    where = catalog_folder(folder)
    read = read_documents(where)
    try:
        return Catalogs(
            models=_entries(read[MODELS], MODELS, Model),
            servers=_entries(read[SERVERS], SERVERS, Server),
            profiles=_entries(read[PROFILES], PROFILES, StorageProfile),
        )
    except (SizingError, TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        faults = _faults(where, read, error)
        if not faults:
            raise
        raise CatalogError(faults) from error


def _faults(folder: str, read: Mapping[CatalogKind, Any], error: Exception) -> Sequence[Fault]:
    """What is wrong with a folder that does not load."""
    try:
        # pydantic is only imported for a folder that does not load.
        from xlsizing.catalog.validation import faults
    except ImportError:  # xlwings Lite has no pydantic: there the first fault must do
        return error.faults if isinstance(error, CatalogError) else [Fault(folder, "", str(error))]
    return faults(folder, read)


def _entries(document: Any, kind: CatalogKind, entry: type[AnyEntry]) -> tuple[AnyEntry, ...]:
    if isinstance(document, Fault):
        raise CatalogError([document])
    if set(document) - {"$schema"} != {kind.key} or not document[kind.key]:
        raise ValueError(kind.key)
    if not isinstance(document.get("$schema", ""), str):
        raise TypeError("$schema")
    entries = tuple(_entry(entry, fields) for fields in document[kind.key])
    _require_distinct_names(entries)
    return entries


def _entry(entry: type[AnyEntry], fields: dict[str, Any]) -> AnyEntry:
    lists: dict[str, Any] = {}
    for name in ("aliases", "layer_groups"):
        if name in fields:
            if not isinstance(fields[name], list):
                raise TypeError(name)
            lists[name] = tuple(fields[name])
    if "layer_groups" in lists:
        lists["layer_groups"] = tuple(map(layer_group, lists["layer_groups"]))
    return entry(**{**fields, **lists})


def layer_group(fields: dict[str, Any]) -> LayerGroup:
    """The group of layers that a JSON object of a catalog describes."""
    return CLASS_BY_KIND[fields["kind"]](**fields)


def _require_distinct_names(entries: Sequence[Model | Server | StorageProfile]) -> None:
    keys = [name_key(name) for entry in entries for name in names(entry)]
    if len(set(keys)) < len(keys):
        raise ValueError("names")
