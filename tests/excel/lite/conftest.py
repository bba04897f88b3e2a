"""One workbook for Lite, for all tests of it."""

import pytest

from tests.excel.hosts.pyodide import lite_files
from xlsizing.book.build import template
from xlsizing.book.lite import lite_workbook
from xlsizing.core import Catalogs
from xlsizing.excel.lite import code


@pytest.fixture(scope="session")
def workbook(catalogs: Catalogs) -> bytes:
    """The planning workbook for Lite."""
    return template(catalogs, host=lite_workbook(code(catalogs)))


@pytest.fixture(scope="session")
def plain(catalogs: Catalogs) -> bytes:
    """The planning workbook for no add-in."""
    return template(catalogs)


@pytest.fixture(scope="session")
def main_py(workbook: bytes) -> str:
    """The code that the workbook carries."""
    return lite_files(workbook)["main.py"]
