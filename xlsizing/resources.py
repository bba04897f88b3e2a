"""Where the files that ship beside the code are, installed or in a clone.

A wheel carries the folders catalogs/ and workbook/ inside the package, so that
neither becomes a top-level name in site-packages; in a clone they stand at the top.
"""

import os


def shipped(folder: str) -> str:
    """Path of the shipped folder "catalogs" or "workbook"."""
    package = os.path.dirname(os.path.abspath(__file__))
    installed = os.path.join(package, "shipped", folder)
    return installed if os.path.isdir(installed) else os.path.join(package, "..", folder)
