"""Every registered saga gives the five proofs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.image import Flavour
from hostloom.model.operation import Operation
from hostloom.model.request import ComposeBatch, ComposeRequest, Strategy
from hostloom.sagas.worker import SAGAS
from hostloom.services import commissioning, fix_network, hosts, images, machines, plans, verifying
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

REQUEST = ComposeRequest(interfaces="eth0:space=mgmt;eth1:name=eth1,mode=unconfigured", hostname="web")
#: Three machines over both hosts; one of them stays off.
BATCH = ComposeBatch(
    (
        replace(REQUEST, hostname="web-1"),
        replace(REQUEST, hostname="web-2"),
        replace(REQUEST, hostname="web-3", start=False),
    ),
    Strategy.SPREAD,
)


def begin_compose(world: LittleWorld) -> Operation:
    return machines.compose(world.ports, LOCAL_ADMIN, REQUEST)


def begin_batch(world: LittleWorld) -> Operation:
    return machines.compose_batch(world.ports, LOCAL_ADMIN, BATCH)


def begin_plan(world: LittleWorld) -> Operation:
    stored, _ = plans.make_or_refuse(world.ports, LOCAL_ADMIN, BATCH)
    return plans.compose(world.ports, LOCAL_ADMIN, stored.id)


def begin_decompose(world: LittleWorld) -> Operation:
    return machines.decompose(world.ports, LOCAL_ADMIN, "web")


def begin_commission(world: LittleWorld) -> Operation:
    return commissioning.commission(world.ports, LOCAL_ADMIN, "web")


def begin_verify(world: LittleWorld) -> Operation:
    return verifying.verify(world.ports, LOCAL_ADMIN, ["web"])


def begin_refresh(world: LittleWorld) -> Operation:
    return hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")


def begin_add_host(world: LittleWorld) -> Operation:
    key = world.keys.offered(URIS[1])[0].fingerprint
    return hosts.add(world.ports, LOCAL_ADMIN, hosts.HostInput("kvm2", URIS[1], accept_key=key))


def begin_add_host_at_once(world: LittleWorld) -> Operation:
    key = world.keys.offered(URIS[1])[0].fingerprint
    wanted = hosts.HostInput("kvm2", URIS[1], accept_key=key, at_once=True)
    return hosts.add(world.ports, LOCAL_ADMIN, wanted)


def begin_fix(world: LittleWorld) -> Operation:
    return fix_network.start(world.ports, LOCAL_ADMIN, "kvm1", "maas")


def begin_make(world: LittleWorld) -> Operation:
    return fix_network.start(world.ports, LOCAL_ADMIN, "kvm1")


def begin_build_image(world: LittleWorld) -> Operation:
    return images.build(world.ports, LOCAL_ADMIN, Flavour.VIRTUAL)


#: How a saga is begun, and a step late in it, from which everything before it is undone.
CASES: dict[str, tuple[str, Callable[[LittleWorld], Operation], str]] = {
    "compose": ("compose", begin_compose, "commit"),
    "compose-batch": ("compose", begin_batch, "commit"),
    "compose-plan": ("compose", begin_plan, "commit"),
    "decompose": ("decompose", begin_decompose, "domain"),
    "commission": ("commission", begin_commission, "settle"),
    "verify": ("verify", begin_verify, "record"),
    "refresh": ("refresh", begin_refresh, "record"),
    "add-host": ("add-host", begin_add_host, "record"),
    "add-host-at-once": ("add-host", begin_add_host_at_once, "record"),
    "fix-network": ("fix-network", begin_fix, "record"),
    "build-image": ("build-image", begin_build_image, "tell"),
    "fix-network-make": ("fix-network", begin_make, "record"),
}
#: Those that need two hosts.
ON_TWO_HOSTS = ("compose-batch", "compose-plan")
#: Those that need a machine.
ON_A_MACHINE = ("decompose", "commission", "verify")
STEPS = [(case, step.name) for case, (saga, _, _) in CASES.items() for step in SAGAS[saga].steps]


@pytest.fixture
def proof(request: pytest.FixtureRequest, tmp_path: Path) -> Proof:
    return make_proof(request.param, tmp_path)


def make_proof(name: str, directory: Path) -> Proof:
    directory.mkdir(exist_ok=True)
    world = little_world(directory, hosts_there=2 if name in ON_TWO_HOSTS else 1)
    if name in ON_A_MACHINE:
        begin_compose(world)
        assert world.run().state == "succeeded"
    if name == "fix-network":
        libvirts_dhcp_on_an_unserved_vlan(world)
    saga, begin, _ = CASES[name]
    return Proof(world, SAGAS[saga], begin)


def test_every_saga_is_proven() -> None:
    assert {saga for saga, _, _ in CASES.values()} == set(SAGAS)


@pytest.mark.parametrize("proof", CASES, indirect=True)
def test_succeeds(proof: Proof) -> None:
    prove_succeeds(proof)


@pytest.mark.parametrize(("proof", "step"), STEPS, indirect=["proof"])
def test_unwinds_from_every_step(proof: Proof, step: str) -> None:
    prove_unwinds_from(proof, step)


@pytest.mark.parametrize("proof", CASES, indirect=True)
def test_every_do_twice(proof: Proof) -> None:
    prove_every_do_twice(proof)


@pytest.mark.parametrize(("proof", "name"), [(name, name) for name in CASES], indirect=["proof"])
def test_every_undo_twice(proof: Proof, name: str) -> None:
    prove_every_undo_twice(proof, CASES[name][2])


@pytest.mark.parametrize("name", CASES)
def test_resumes_after_every_recorded_write(name: str, tmp_path: Path) -> None:
    commits = 0
    while True:
        commits += 1
        if not prove_resumes_after_write(make_proof(name, tmp_path / str(commits)), commits):
            break
    assert commits > effects(SAGAS[CASES[name][0]])
