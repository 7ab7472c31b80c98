"""A machine is locked, given back, deployed and switched, word by word."""

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN, Principal
from hostloom.model.allocation import AllocationRequest
from hostloom.model.deployment import DeployReport, DeployRequest
from hostloom.model.ids import MacAddress
from hostloom.model.request import ComposeRequest
from hostloom.sagas.seeds import report_token
from hostloom.server.secret import FileSecrets
from hostloom.services import allocation, deployments, machines
from hostloom.services.enlisting import EnlistInput, enlist
from support.disk_images import a_disk_image
from support.fake_power import FakePowerDrivers
from support.little_world import add_disk_image, little_world
from support.seeds import KEY
from support.server import serving
from support.stories import at_home, retell

STORY = Path(__file__).parent / "lifecycle.txt"
DEPLOY_STORY, POWER_STORY = STORY.with_name("deploy.txt"), STORY.with_name("power.txt")
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


def test_the_power_of_a_bare_machine_is_set_checked_and_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home(tmp_path, monkeypatch, columns=80)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.chdir(tmp_path)
    for name, text in {"right": "c0rrect-h0rse\n", "wrong": "horse\n", "two-lines": "one\ntwo\n"}.items():
        (tmp_path / name).write_text(text)
    written = POWER_STORY.read_text(encoding="utf-8")
    world = little_world(tmp_path, hosts_there=1)
    world.ports = replace(world.ports, secrets=FileSecrets(tmp_path / "secret"))
    machines.compose(world.ports, LOCAL_ADMIN, ComposeRequest(hostname="web"))
    world.run()
    with world.ports.store.begin() as uow:
        enlist_input = EnlistInput("rack7", "amd64", (MacAddress("52:54:00:99:00:01"),))
        enlist(uow, LOCAL_ADMIN, world.ports.ids, enlist_input)
        uow.commit()
    assert isinstance(world.ports.power, FakePowerDrivers)
    world.ports.power.add("10.9.0.12")
    with serving(tmp_path, world.ports, worker=True):
        told = retell(POWER_STORY, monkeypatch)
    world.ports.store.close()
    assert told == written
