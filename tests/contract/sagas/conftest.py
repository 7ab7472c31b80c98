"""A little world on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.little_world import LittleWorld, little_world
from support.postgres import PostgresServer, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LittleWorld]:
    """One host."""
    if request.param == "sqlite":
        yield little_world(tmp_path, hosts_there=1)
        return
    with request.getfixturevalue("postgres").database() as url:
        world = little_world(tmp_path, hosts_there=1, database=url)
        yield world
        world.ports.store.close()
