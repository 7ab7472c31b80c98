"""A bare machine that should write its disk, on a boot server with only the image of virtual machines."""

import json
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import httpx

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.commissioning import BootAction
from hostloom.model.deployment import Deployment
from hostloom.model.ids import MacAddress
from hostloom.model.machine import MachineState
from hostloom.server.config import Settings
from hostloom.server.netboot import BootServer
from hostloom.server.periodic import Reports
from hostloom.services.enlisting import EnlistInput, enlist
from support.little_world import LittleWorld, little_world
from support.sshd import free_port

LOCAL = (ip_network("127.0.0.0/8"),)
MAC = MacAddress("52:54:00:99:00:01")


def a_virtual_image(directory: Path) -> None:
    folder = directory / "virtual-1"
    folder.mkdir(parents=True)
    (folder / "kernel").write_bytes(b"kernel")
    (folder / "initrd").write_bytes(b"initrd")
    (folder / "image.json").write_text(json.dumps({"flavour": "virtual", "built_at": 1}))


def deploying(world: LittleWorld) -> None:
    """A bare machine that writes its disk at its next boot."""
    with world.ports.store.begin() as uow:
        enlist(uow, LOCAL_ADMIN, world.ports.ids, EnlistInput("bare", "amd64", (MAC,)))
        machine = uow.machines.find_by_mac(MAC)
        assert machine is not None
        marked = replace(machine, state=MachineState.DEPLOYING, next_boot=BootAction.DEPLOY)
        uow.machines.update(marked)
        uow.deployments.put(Deployment(machine.system_id, "debian-12", "0" * 64, started_at=0.0, disk="sda"))
        uow.commit()


def test_the_console_says_so_and_the_deployment_fails(tmp_path: Path) -> None:
    world = little_world(tmp_path, hosts_there=0)
    settings = Settings(state_dir=tmp_path, boot_port=free_port(), tftp_port=0, boot_networks=LOCAL)
    a_virtual_image(settings.images)
    deploying(world)
    server = BootServer(settings, world.ports, Reports())
    server.start()
    try:
        script = httpx.get(f"http://127.0.0.1:{settings.boot_port}/machine/{MAC}.ipxe").text
    finally:
        server.stop()
    assert "kernel " not in script
    assert "no boot image can write disks (hostloom image build generic makes one)" in script
    with world.ports.store.begin() as uow:
        machine = uow.machines.find_by_mac(MAC)
        assert machine is not None
        deployment = uow.deployments.find(machine.system_id)
    assert (machine.state, machine.next_boot) == (MachineState.FAILED_DEPLOYMENT, None)
    assert deployment is not None
    assert "hostloom image build generic" in deployment.failure
