"""The catalogs that a command reads."""

import argparse
import os

from xlsizing.catalog import catalog_folder, load_catalogs
from xlsizing.cli.output import Output
from xlsizing.core import Catalogs
from xlsizing.core.message import Message


def read_catalogs(options: argparse.Namespace) -> Catalogs:
    """The catalogs that are asked for, or those of the environment, or the shipped ones."""
    catalogs = load_catalogs(options.catalogs)
    output: Output = options.output
    if output.is_verbose:
        read = Message(
            "Read the catalogs in {folder}: {models} models, {servers} servers, {profiles} storage "
            "profiles, version {version}.",
            folder=os.path.normpath(catalog_folder(options.catalogs)),
            models=str(len(catalogs.models)),
            servers=str(len(catalogs.servers)),
            profiles=str(len(catalogs.profiles)),
            version=catalogs.fingerprint(),
        )
        output.detail(read)
    return catalogs
