"""The five proofs of every saga on libvirt's test driver, in this process."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.request import ComposeBatch, ComposeRequest, Strategy
from hostloom.sagas.worker import SAGAS
from hostloom.services import fix_network, hosts, machines, plans
from support.libvirt_world import LibvirtWorld
from support.little_world import URIS, LittleWorld, libvirts_dhcp_on_an_unserved_vlan, little_world
from support.saga_proofs import (
    Proof,
    effects,
    prove_every_do_twice,
    prove_every_undo_twice,
    prove_resumes_after_write,
    prove_succeeds,
    prove_unwinds_from,
)

NODE = """
<node><cpu><active>16</active></cpu><memory>16777216</memory>
<pool type='dir'><name>default</name><capacity>107374182400</capacity><available>107374182400</available>
<target><path>{path}</path></target></pool>{network}</node>
"""
MAAS = """
<network><name>maas</name><bridge name='br0'/><ip address='10.0.0.11' netmask='255.255.255.0'><dhcp>
<range start='10.0.0.100' end='10.0.0.120'/><range start='10.0.0.200' end='10.0.0.210'/>
<host mac='52:54:00:00:00:77' name='printer' ip='10.0.0.77'/></dhcp></ip></network>
"""
NETWORK = {"fix-network": MAAS}
REQUEST = ComposeRequest(
    interfaces="eth0:space=mgmt;eth1:name=eth1,mode=unconfigured", hostname="web", storage="root:0.01"
)
BATCH = ComposeBatch(
    tuple(replace(REQUEST, hostname=f"web-{n}") for n in (1, 2, 3)), strategy=Strategy.SPREAD
)
LATE = {
    "compose": "commit",
    "compose-batch": "commit",
    "compose-plan": "commit",
    "decompose": "domain",
    "refresh": "record",
    "add-host": "record",
    "fix-network": "record",
    "fix-network-make": "record",
}
#: Where the saga has another name.
SAGA = {"compose-batch": "compose", "compose-plan": "compose", "fix-network-make": "fix-network"}
#: Where two hosts are needed.
ON_TWO_HOSTS = ("compose-batch", "compose-plan")
STEPS = [(name, step.name) for name in LATE for step in SAGAS[SAGA.get(name, name)].steps]
_worlds: list[LibvirtWorld] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while _worlds:
        _worlds.pop().close()


def fix(world: LittleWorld) -> object:
    return fix_network.start(world.ports, LOCAL_ADMIN, "kvm1")


def make(name: str, directory: Path) -> Proof:
    directory.mkdir(parents=True, exist_ok=True)
    files = {uri: directory / f"node{number}.xml" for number, uri in enumerate(URIS)}
    for number, file in enumerate(files.values()):
        network = NETWORK.get(name, "")
        file.write_text(NODE.format(path=directory / f"pool{number}", network=network))
    hypervisors = LibvirtWorld(lambda uri: f"test://{files[uri]}", URIS)
    _worlds.append(hypervisors)
    world = little_world(directory, hosts_there=2 if name in ON_TWO_HOSTS else 1, hypervisors=hypervisors)

    def compose(world: LittleWorld) -> object:
        return machines.compose(world.ports, LOCAL_ADMIN, REQUEST)

    def compose_batch(world: LittleWorld) -> object:
        return machines.compose_batch(world.ports, LOCAL_ADMIN, BATCH)

    def compose_plan(world: LittleWorld) -> object:
        stored, _ = plans.make_or_refuse(world.ports, LOCAL_ADMIN, BATCH)
        return plans.compose(world.ports, LOCAL_ADMIN, stored.id)

    def decompose(world: LittleWorld) -> object:
        return machines.decompose(world.ports, LOCAL_ADMIN, "web")

    def refresh(world: LittleWorld) -> object:
        return hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")

    def add_host(world: LittleWorld) -> object:
        key = world.keys.offered(URIS[1])[0].fingerprint
        return hosts.add(world.ports, LOCAL_ADMIN, hosts.HostInput("kvm2", URIS[1], accept_key=key))

    if name == "fix-network":
        libvirts_dhcp_on_an_unserved_vlan(world)
    if name in ("decompose", "refresh"):
        compose(world)
        assert world.run().state == "succeeded"
    begin = {
        "compose": compose,
        "compose-batch": compose_batch,
        "compose-plan": compose_plan,
        "decompose": decompose,
        "refresh": refresh,
        "add-host": add_host,
        "fix-network": fix,
        "fix-network-make": fix,
    }[name]
    return Proof(world, SAGAS[SAGA.get(name, name)], begin)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LATE)
def test_succeeds(name: str, tmp_path: Path) -> None:
    prove_succeeds(make(name, tmp_path))


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_unwinds_from_every_step(name: str, step: str, tmp_path: Path) -> None:
    prove_unwinds_from(make(name, tmp_path), step)


@pytest.mark.parametrize("name", LATE)
def test_twice_is_once(name: str, tmp_path: Path) -> None:
    prove_every_do_twice(make(name, tmp_path / "do"))
    prove_every_undo_twice(make(name, tmp_path / "undo"), LATE[name])


@pytest.mark.parametrize("name", LATE)
def test_resumes_after_every_recorded_write(name: str, tmp_path: Path) -> None:
    commits = 1
    while prove_resumes_after_write(make(name, tmp_path / str(commits)), commits):
        commits += 1
    assert commits > effects(SAGAS[SAGA.get(name, name)])
