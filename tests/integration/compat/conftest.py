"""Servers with MAAS's API, and clients that are administrators."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.server.secret import FileSecrets
from support.little_world import LittleWorld, little_world
from support.maas import Maas, make_key
from support.server import NOON, Running, running, serving


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def maas(server: Running) -> Maas:
    return Maas(server.url, make_key(server.ports), NOON)


@pytest.fixture
def world(tmp_path: Path) -> LittleWorld:
    """One host, in memory, whose bridge is on a served VLAN."""
    return little_world(tmp_path, hosts_there=1)


@pytest.fixture
def fleet(world: LittleWorld, tmp_path: Path) -> Iterator[Maas]:
    """A client of a server that has this host, and a worker."""
    ports = replace(world.ports, secrets=FileSecrets(tmp_path / "secret"))
    with serving(tmp_path, ports, worker=True) as url:
        yield Maas(url, make_key(ports), world.clock.now())
