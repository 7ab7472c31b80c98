"""Every registered saga gives the five proofs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.operation import Operation
from hostloom.model.request import ComposeRequest
from hostloom.services import hosts, machines
from hostloom.workflows.worker import SAGAS
from support.little_world import URIS, LittleWorld, little_world
from support.saga_proofs import (
    Proof,
    prove_every_do_twice,
    prove_every_undo_twice,
    prove_resumes_after_write,
    prove_succeeds,
    prove_unwinds_from,
)

REQUEST = ComposeRequest(interfaces="eth0:space=mgmt;eth1:name=eth1,mode=unconfigured", hostname="web")


def begin_compose(world: LittleWorld) -> Operation:
    return machines.compose(world.ports, LOCAL_ADMIN, REQUEST)


def begin_decompose(world: LittleWorld) -> Operation:
    return machines.decompose(world.ports, LOCAL_ADMIN, "web")


def begin_refresh(world: LittleWorld) -> Operation:
    return hosts.refresh(world.ports, LOCAL_ADMIN, "kvm1")


def begin_add_host(world: LittleWorld) -> Operation:
    key = world.keys.offered(URIS[1])[0].fingerprint
    return hosts.add(world.ports, LOCAL_ADMIN, hosts.HostInput("kvm2", URIS[1], accept_key=key))


BEGIN: dict[str, Callable[[LittleWorld], Operation]] = {
    "compose": begin_compose,
    "decompose": begin_decompose,
    "refresh": begin_refresh,
    "add-host": begin_add_host,
}
#: A step late in each saga, from which everything before it is undone.
LATE = {"compose": "commit", "decompose": "domain", "refresh": "record", "add-host": "record"}
STEPS = [(name, step.name) for name, saga in SAGAS.items() for step in saga.steps]


@pytest.fixture
def proof(request: pytest.FixtureRequest, tmp_path: Path) -> Proof:
    return make_proof(request.param, tmp_path)


def make_proof(name: str, directory: Path) -> Proof:
    directory.mkdir(exist_ok=True)
    world = little_world(directory, hosts_there=1)
    if name == "decompose":
        begin_compose(world)
        assert world.run().state == "succeeded"
    return Proof(world, SAGAS[name], BEGIN[name])


def test_every_saga_is_proven() -> None:
    assert set(BEGIN) == set(SAGAS) == set(LATE)


@pytest.mark.parametrize("proof", SAGAS, indirect=True)
def test_succeeds(proof: Proof) -> None:
    prove_succeeds(proof)


@pytest.mark.parametrize(("proof", "step"), STEPS, indirect=["proof"])
def test_unwinds_from_every_step(proof: Proof, step: str) -> None:
    prove_unwinds_from(proof, step)


@pytest.mark.parametrize("proof", SAGAS, indirect=True)
def test_every_do_twice(proof: Proof) -> None:
    prove_every_do_twice(proof)


@pytest.mark.parametrize(("proof", "name"), [(name, name) for name in SAGAS], indirect=["proof"])
def test_every_undo_twice(proof: Proof, name: str) -> None:
    prove_every_undo_twice(proof, LATE[name])


@pytest.mark.parametrize("name", SAGAS)
def test_resumes_after_every_recorded_write(name: str, tmp_path: Path) -> None:
    commits = 0
    while True:
        commits += 1
        if not prove_resumes_after_write(make_proof(name, tmp_path / str(commits)), commits):
            break
    assert commits > len(SAGAS[name].steps)
