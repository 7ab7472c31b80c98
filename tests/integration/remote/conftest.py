from collections.abc import Iterator
from pathlib import Path

import pytest

from hostloom.remote.connection import Remotes
from hostloom.remote.keys import PinnedKeys
from hostloom.store.engine import open_store
from support.sshd import Sshd
from support.template_database import copy_template


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    directory = tmp_path / "sshd"
    directory.mkdir()
    server = Sshd(directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def keys(tmp_path: Path) -> PinnedKeys:
    return PinnedKeys(open_store(copy_template(tmp_path / "hostloom.db")))


@pytest.fixture
def remotes(keys: PinnedKeys) -> Iterator[Remotes]:
    made = Remotes(keys)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def pinned(sshd: Sshd, keys: PinnedKeys) -> Sshd:
    """A server whose key has been accepted."""
    keys.pin(sshd.uri, keys.offered(sshd.uri)[0])
    return sshd
