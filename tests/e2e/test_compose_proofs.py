"""The five proofs of compose on a real libvirtd, with real QEMU processes, bridges and macvtaps."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.request import ComposeRequest
from hostloom.sagas.compose import COMPOSE
from hostloom.services import machines
from hostloom_lab.lab import Lab
from support.libvirt_world import LibvirtWorld
from support.little_world import URIS, little_world
from support.saga_proofs import (
    Proof,
    prove_every_do_twice,
    prove_every_undo_twice,
    prove_resumes_after_write,
    prove_unwinds_from,
)

REQUEST = ComposeRequest(
    interfaces="eth0:space=mgmt;eth1:name=eth1,mode=unconfigured",
    hostname="proof",
    storage="root:0.01",
    memory_mib=64,
)
Make = Callable[[], Proof]


@pytest.fixture
def make(lab: Lab, tmp_path: Path) -> Iterator[Make]:
    """Fresh records each time, on one host that must always be as it was."""
    where = dict(zip(URIS, (lab.uri_unix("kvm1"), lab.uri_unix("kvm2")), strict=True))
    hypervisors = LibvirtWorld(lambda uri: where[uri], URIS)
    count = 0

    def proof() -> Proof:
        nonlocal count
        count += 1
        directory = tmp_path / str(count)
        directory.mkdir()
        world = little_world(directory, hosts_there=1, hypervisors=hypervisors)
        world.clock.time += count
        return Proof(world, COMPOSE, lambda w: machines.compose(w.ports, LOCAL_ADMIN, REQUEST))

    yield proof
    hypervisors.close()


def take_apart(proof: Proof) -> None:
    machines.decompose(proof.world.ports, LOCAL_ADMIN, "proof")
    assert proof.world.run().state == "succeeded"


@pytest.mark.parametrize("step", [step.name for step in COMPOSE.steps])
def test_unwinds_from_every_step(make: Make, step: str) -> None:
    prove_unwinds_from(make(), step)


def test_twice_is_once(make: Make) -> None:
    proof = make()
    empty = proof.world.hypervisors.world()
    prove_every_do_twice(proof)
    take_apart(proof)
    prove_every_undo_twice(make(), "commit")
    assert proof.world.hypervisors.world() == empty


def test_resumes_after_every_recorded_write(make: Make) -> None:
    commits = 1
    while prove_resumes_after_write(proof := make(), commits):
        take_apart(proof)
        commits += 1
    take_apart(proof)
    assert commits > len(COMPOSE.steps)
