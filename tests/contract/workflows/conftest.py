"""A little world on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.little_world import LittleWorld, little_world
from support.postgres import running_postgres


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LittleWorld]:
    """One host."""
    if request.param == "sqlite":
        yield little_world(tmp_path, hosts_there=1)
        return
    with running_postgres() as server, server.database() as url:
        world = little_world(tmp_path, hosts_there=1, database=url)
        yield world
        world.ports.store.close()
