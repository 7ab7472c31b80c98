"""The saga engine's corners: stuck and retried, cancelled, tried again, and a host that fills up."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.errors.outside import HostUnreachable, HypervisorRejected
from hostloom.model.errors.resources import WrongState
from hostloom.model.grouping import COMPOSED_TAGS, ResourcePool, Zone
from hostloom.model.ids import ResourcePoolId, ZoneId
from hostloom.model.machine import PowerState
from hostloom.model.operation import Operation, OperationState, StepState
from hostloom.model.request import ComposeRequest
from hostloom.sagas import decisions
from hostloom.sagas.compose import COMPOSE
from hostloom.services import hosts, machines, operations, power
from support.little_world import URIS, LittleWorld, little_world
from support.saga_proofs import Proof, changed, failing

REQUEST = ComposeRequest(interfaces="eth0:space=mgmt", hostname="web")


@pytest.fixture
def proof(tmp_path: Path) -> Proof:
    world = little_world(tmp_path, hosts_there=1)
    return Proof(world, COMPOSE, lambda w: machines.compose(w.ports, LOCAL_ADMIN, REQUEST))


def host(world: LittleWorld, number: int = 0) -> Any:
    return world.hypervisors.of("", URIS[number])


def step(operation: Operation, name: str, world: LittleWorld) -> StepState:
    with world.ports.store.begin() as uow:
        found = uow.operations.get(operation.id)
    return next(each.state for each in found.steps if each.name == name)


def test_an_undo_that_fails_is_stuck_and_can_be_tried_again(proof: Proof) -> None:
    before = proof.world.state()
    proof.begin(proof.world)
    host(proof.world).fail("delete_volume", times=None)
    operation = proof.run(changed(COMPOSE, "power", failing))
    assert operation.state is OperationState.STUCK
    assert step(operation, "volumes", proof.world) is StepState.UNDO_FAILED
    assert step(operation, "domain", proof.world) is StepState.UNDONE
    host(proof.world).heal()
    with proof.world.ports.store.begin() as uow:
        operations.retry(uow, LOCAL_ADMIN, operation.id)
        uow.commit()
    assert proof.run(COMPOSE).state is OperationState.FAILED
    assert proof.world.state() == before
    with proof.world.ports.store.begin() as uow, pytest.raises(WrongState):
        operations.retry(uow, LOCAL_ADMIN, operation.id)


def test_cancel_undoes_what_was_done(proof: Proof) -> None:
    before = proof.world.state()
    begun = proof.begin(proof.world)

    def cancelling(old: Any) -> Any:
        def do(run: Any) -> None:
            old.do(run)
            with proof.world.ports.store.begin() as uow:
                operations.cancel(uow, LOCAL_ADMIN, begun.id)
                uow.commit()

        return replace(old, do=do)

    operation = proof.run(changed(COMPOSE, "domain", cancelling))
    assert operation.state is OperationState.CANCELLED
    assert proof.world.state() == before


def test_what_may_pass_is_tried_again(proof: Proof) -> None:
    proof.begin(proof.world)
    host(proof.world).fail("start", HostUnreachable("kvm1", "a hiccup"), times=2)
    assert proof.run(COMPOSE).state is OperationState.SUCCEEDED


def test_what_will_not_pass_is_not(proof: Proof) -> None:
    proof.begin(proof.world)
    host(proof.world).fail("start", HypervisorRejected("kvm1", "start", "no"), times=1)
    operation = proof.run(COMPOSE)
    assert operation.state is OperationState.FAILED
    assert operation.error == "cannot start on host 'kvm1': no"


def test_the_checker_looks_at_what_is_reserved_too(proof: Proof, monkeypatch: pytest.MonkeyPatch) -> None:
    before = proof.world.state()
    proof.begin(proof.world)
    monkeypatch.setattr(decisions, "check_all", lambda *_: ("eth0: no such bridge",))
    operation = proof.run(COMPOSE)
    assert (operation.state, operation.error_code) == (OperationState.FAILED, "bug")
    assert "eth0: no such bridge" in operation.error
    assert proof.world.state() == before


def test_an_answer_that_got_lost_does_no_harm(proof: Proof) -> None:
    """The call did its work before it failed. The undo finds the result and removes it."""
    before = proof.world.state()
    for method in ("ensure_volume", "ensure_machine", "start"):
        proof.begin(proof.world)
        host(proof.world).fail(method, late=True)
        assert proof.run(COMPOSE).state is OperationState.FAILED, method
        host(proof.world).heal()
        assert proof.world.state() == before, method


def test_an_open_request_goes_to_another_host_when_the_first_is_gone(tmp_path: Path) -> None:
    world = little_world(tmp_path, hosts_there=2)
    machines.compose(world.ports, LOCAL_ADMIN, REQUEST)
    host(world, 0).unreachable = True
    assert world.run().state is OperationState.SUCCEEDED
    with world.ports.store.begin() as uow:
        assert not uow.hosts.find("kvm1").reachable
        (machine,) = uow.machines.list()
        assert uow.hosts.get(machine.host_id).name == "kvm2"


def test_a_refresh_marks_what_is_missing_and_deletes_nothing(proof: Proof) -> None:
    proof.begin(proof.world)
    proof.run(COMPOSE)
    with proof.world.ports.store.begin() as uow:
        (machine,) = uow.machines.list()
    there = host(proof.world).find_machine(machine.uuid)
    host(proof.world).remove_machine(machine.uuid)
    for there_again, state in ((None, "missing"), (there, "ready")):
        if there_again is not None:
            host(proof.world).add_machine(there_again)
        hosts.refresh(proof.world.ports, LOCAL_ADMIN, "kvm1")
        assert proof.world.run().state is OperationState.SUCCEEDED
        with proof.world.ports.store.begin() as uow:
            assert [each.state for each in uow.machines.list()] == [state]
            assert [str(each.ip) for each in uow.addresses.list() if each.system_id == machine.system_id]


def test_a_foreign_machine_is_adopted_and_never_changed(proof: Proof) -> None:
    proof.begin(proof.world)
    proof.run(COMPOSE)
    with proof.world.ports.store.begin() as uow:
        (ours,) = uow.machines.list()
    there = host(proof.world).find_machine(ours.uuid)
    foreign = replace(
        there, uuid="99999999-0000-4000-8000-000000000000", name="Their VM", system_id=None, interfaces=()
    )
    host(proof.world).add_machine(foreign)
    hosts.refresh(proof.world.ports, LOCAL_ADMIN, "kvm1")
    proof.world.run()
    with proof.world.ports.store.begin() as uow:
        names = {each.hostname: each.origin for each in uow.machines.list()}
    assert names == {"web": "composed", "their-vm": "adopted"}
    with pytest.raises(WrongState):
        machines.decompose(proof.world.ports, LOCAL_ADMIN, "their-vm")
    assert host(proof.world).find_machine(foreign.uuid) == foreign
    assert power.stop(proof.world.ports, LOCAL_ADMIN, "their-vm").power is PowerState.OFF


def test_what_has_come_to_have_the_uuid_of_ours_is_not_switched_off(proof: Proof) -> None:
    proof.begin(proof.world)
    proof.run(COMPOSE)
    with proof.world.ports.store.begin() as uow:
        (ours,) = uow.machines.list()
    there = replace(host(proof.world).find_machine(ours.uuid), system_id=None)
    host(proof.world).add_machine(there)
    with pytest.raises(HypervisorRejected):
        power.stop(proof.world.ports, LOCAL_ADMIN, "web", force=True)
    machines.decompose(proof.world.ports, LOCAL_ADMIN, "web")
    operation = proof.world.run()
    assert (operation.state, operation.error_code) == (OperationState.FAILED, "hypervisor-rejected")
    assert host(proof.world).find_machine(ours.uuid) == there
    assert ("stop", ours.uuid) in host(proof.world).calls


def test_a_machine_is_grouped_as_asked(tmp_path: Path) -> None:
    world = little_world(tmp_path, hosts_there=1)
    with world.ports.store.begin() as uow:
        zone = uow.zones.add(Zone(ZoneId(0), "north"))
        pool = uow.resource_pools.add(ResourcePool(ResourcePoolId(0), "team"))
        uow.commit()
    request = replace(REQUEST, host="kvm1", zone="north", resource_pool=str(pool.id), tags=("blue",))
    machines.compose(world.ports, LOCAL_ADMIN, request)
    assert world.run().state is OperationState.SUCCEEDED
    with world.ports.store.begin() as uow:
        (machine,) = uow.machines.list()
    assert (machine.zone_id, machine.resource_pool_id, set(machine.tags)) == (
        zone.id,
        pool.id,
        {"blue", *COMPOSED_TAGS},
    )


def test_a_host_whose_add_failed_is_forgotten(tmp_path: Path) -> None:
    """Its key stays where another host or rack at that address needs it, whichever user it logs in as."""
    world = little_world(tmp_path, hosts_there=0)
    world.keys.pin(URIS[0].replace("root@", "rack@"), world.keys.offered(URIS[0])[0])
    host(world).unreachable = True
    hosts.add(world.ports, LOCAL_ADMIN, hosts.HostInput("kvm1", URIS[0]))
    assert world.run().state is OperationState.FAILED
    assert world.hypervisors.forgotten == [URIS[0]]
    assert world.keys.pinned(URIS[0]) is not None
    world.keys.release(URIS[0].replace("root@", "rack@"))
    assert world.keys.pinned(URIS[0]) is None
