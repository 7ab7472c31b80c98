"""A machine is locked, unlocked and given back, word by word."""

import io
import sys
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN, Principal
from hostloom.model.allocation import AllocationRequest
from hostloom.model.deployment import DeployReport, DeployRequest
from hostloom.model.request import ComposeRequest
from hostloom.sagas.seeds import report_token
from hostloom.services import allocation, deployments, machines
from support.disk_images import a_disk_image
from support.little_world import add_disk_image, little_world
from support.seeds import KEY
from support.server import serving
from support.stories import at_home, retell

STORY = Path(__file__).parent / "lifecycle.txt"
DEPLOY_STORY = STORY.with_name("deploy.txt")
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


def test_a_machine_gets_a_system_and_loses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_home(tmp_path, monkeypatch)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "id.pub").write_text(f"{KEY}\n")
    written = DEPLOY_STORY.read_text(encoding="utf-8")
    world = little_world(tmp_path, hosts_there=1)
    image = a_disk_image(virtual_size_bytes=10**9)
    add_disk_image(world, image)
    wanted = DeployRequest(image.name, ssh_keys=(KEY,))
    machines.compose(world.ports, LOCAL_ADMIN, ComposeRequest(hostname="web", deploy=wanted))
    world.run()
    with world.ports.store.begin() as uow:
        machine = uow.machines.find("web")
        assert machine is not None
        deployment = uow.deployments.find(machine.system_id)
        assert deployment is not None
    token = report_token(world.ports, machine, deployment.instance_id)
    deployments.take_report(world.ports, token, DeployReport((), ("no space left",)))
    with serving(tmp_path, world.ports, worker=True):
        told = retell(DEPLOY_STORY, monkeypatch)
    world.ports.store.close()
    assert told == written
