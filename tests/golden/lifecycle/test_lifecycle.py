"""A machine is locked, unlocked and given back, word by word."""

import io
import sys
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN, Principal
from hostloom.model.allocation import AllocationRequest
from hostloom.model.request import ComposeRequest
from hostloom.services import allocation, machines
from support.little_world import little_world
from support.server import serving
from support.stories import at_home, retell

STORY = Path(__file__).parent / "lifecycle.txt"
BOB = Principal("bob", admin=False)


def test_the_story_is_told_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_home(tmp_path, monkeypatch)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    written = STORY.read_text(encoding="utf-8")
    world = little_world(tmp_path, hosts_there=1)
    machines.compose(world.ports, LOCAL_ADMIN, ComposeRequest(hostname="shared"))
    world.run()
    given = allocation.allocate(world.ports, BOB, AllocationRequest())
    with world.ports.store.begin() as uow:
        assert uow.machines.get(given.system_id).hostname == "shared"
    allocation.allocate(world.ports, BOB, AllocationRequest())
    world.run()
    with serving(tmp_path, world.ports, worker=True):
        told = retell(STORY, monkeypatch)
    world.ports.store.close()
    assert told == written
