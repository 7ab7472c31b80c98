from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.server import Running, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def working(tmp_path: Path) -> Iterator[Running]:
    """With a worker, for operations."""
    with running(tmp_path, worker=True) as found:
        yield found


@pytest.fixture
def http(server: Running) -> Iterator[httpx.Client]:
    with server.http() as client:
        yield client
