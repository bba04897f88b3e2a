"""What all tests share."""

from pathlib import Path

import pytest

from xlsizing.catalog import load_catalogs
from xlsizing.core import Catalogs

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def catalogs() -> Catalogs:
    """The catalogs that the project ships."""
    return load_catalogs(str(PROJECT / "catalogs"))
