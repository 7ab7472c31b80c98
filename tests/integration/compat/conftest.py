"""A server with MAAS's API, and a client that is an administrator."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.maas import Maas, make_key
from support.server import NOON, Running, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def maas(server: Running) -> Maas:
    return Maas(server.url, make_key(server.ports), NOON)
