"""One server for all tests of a folder that only ask it."""

from collections.abc import Iterator

import pytest

from tests.excel.hosts.server import Server, running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server with one worker and the shipped catalogs."""
    with running() as started:
        yield started
