"""What compose and verify find on the wire, and what they make of it."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.dhcp_exchange import DhcpMessage, MessageKind
from hostloom.model.errors.outside import HostUnreachable
from hostloom.model.errors.values import InvalidValue
from hostloom.model.machine import Check, Machine, NicProof, Verdict
from hostloom.model.operation import Operation, OperationState
from hostloom.model.request import ComposeBatch, ComposeRequest
from hostloom.services import machines, verifying
from support.fake_wire import FakeWire
from support.little_world import URIS, LittleWorld
from unit.sagas.conftest import GATEWAY, ROUTER, STRANGER

WANTED = ip_address("10.0.0.50")
REQUEST = ComposeRequest(interfaces=f"eth0:space=mgmt,ip={WANTED}", hostname="web", host="kvm1")


def compose(world: LittleWorld, request: ComposeRequest = REQUEST) -> Operation:
    machines.compose(world.ports, LOCAL_ADMIN, request)
    return world.run()


def verify(world: LittleWorld) -> dict[Check, Verdict]:
    verifying.verify(world.ports, LOCAL_ADMIN, ["web"])
    assert world.run().state is OperationState.SUCCEEDED
    return verdicts(world)


def verdicts(world: LittleWorld) -> dict[Check, Verdict]:
    return {each.check: each.verdict for each in proof_of(world)[1].evidence}


def proof_of(world: LittleWorld) -> tuple[Machine, NicProof]:
    with world.ports.store.begin() as uow:
        machine = uow.machines.find("web")
        assert machine is not None
        (proof,) = uow.proofs.of([machine.system_id])[machine.system_id]
    return machine, proof


def events(world: LittleWorld) -> list[str]:
    with world.ports.store.begin() as uow:
        return [each.kind for each in uow.events.list() if each.kind.startswith("wire-")]


def test_a_compose_leaves_a_badge_that_awaits_only_the_machine(world: LittleWorld, wire: FakeWire) -> None:
    assert compose(world).state is OperationState.SUCCEEDED
    passed = dict.fromkeys(Check, Verdict.PASSED)
    assert verdicts(world) == passed | {Check.ADDRESS: Verdict.UNKNOWN}
    assert len(wire.asked) == 1
    assert events(world) == []


def test_a_batch_asks_once_at_each_point(world: LittleWorld, wire: FakeWire) -> None:
    batch = tuple(
        ComposeRequest(interfaces="eth0:space=mgmt", hostname=f"web-{n}", host="kvm1") for n in range(3)
    )
    machines.compose_batch(world.ports, LOCAL_ADMIN, ComposeBatch(batch))
    assert world.run().state is OperationState.SUCCEEDED
    assert [point.attachment.source for _, point in wire.asked] == ["br0"]


def test_an_address_in_use_on_the_wire_is_refused_before_the_machine_runs(
    world: LittleWorld, wire: FakeWire
) -> None:
    wire.segment(URIS[0], "br0").stations[WANTED] = (STRANGER,)
    before = world.state()
    operation = compose(world)
    assert (operation.state, operation.error_code) == (OperationState.FAILED, "address-on-wire")
    assert str(STRANGER) in operation.error
    assert "start" not in [call for call, _ in world.hypervisors.of("kvm1", URIS[0]).calls]
    assert world.state() == before


def test_a_silent_gateway_is_told_and_undoes_nothing(world: LittleWorld, wire: FakeWire) -> None:
    del wire.segment(URIS[0], "br0").stations[GATEWAY]
    assert compose(world).state is OperationState.SUCCEEDED
    assert verdicts(world)[Check.GATEWAY] is Verdict.FAILED
    assert events(world) == ["wire-check-failed"]
    verify(world)
    assert events(world) == ["wire-check-failed"]
    wire.segment(URIS[0], "br0").stations[GATEWAY] = (ROUTER,)
    assert verify(world)[Check.GATEWAY] is Verdict.PASSED
    assert events(world) == ["wire-check-passed", "wire-check-failed"]


def test_a_host_that_takes_no_probe_leaves_it_unknown(world: LittleWorld, wire: FakeWire) -> None:
    wire.faults[URIS[0]] = HostUnreachable("kvm1", "it is switched off")
    assert compose(world).state is OperationState.SUCCEEDED
    _, proof = proof_of(world)
    unknown = {each.check: each.found for each in proof.evidence if each.verdict is Verdict.UNKNOWN}
    assert set(unknown) == {Check.ADDRESS, Check.DUPLICATE, Check.GATEWAY, Check.MTU}
    assert unknown[Check.GATEWAY] == "host-unreachable: it is switched off"


def test_the_machine_itself_or_its_lease_proves_the_address(world: LittleWorld, wire: FakeWire) -> None:
    compose(world)
    machine, _ = proof_of(world)
    mac = machine.interfaces[0].mac
    assert verify(world)[Check.ADDRESS] is Verdict.UNKNOWN
    with world.ports.store.begin() as uow:
        uow.dhcp_messages.add([DhcpMessage(1.0, MessageKind.ACK, mac, "mgmt", 7, WANTED)])
        uow.commit()
    assert verify(world)[Check.ADDRESS] is Verdict.PASSED
    wire.segment(URIS[0], "br0").stations[WANTED] = (mac, STRANGER)
    found = verify(world)
    assert (found[Check.ADDRESS], found[Check.DUPLICATE]) == (Verdict.PASSED, Verdict.FAILED)


def test_a_host_that_is_gone_leaves_all_unknown(world: LittleWorld) -> None:
    compose(world)
    world.hypervisors.of("kvm1", URIS[0]).unreachable = True
    assert set(verify(world).values()) == {Verdict.UNKNOWN}


def test_a_nic_that_was_moved_fails(world: LittleWorld) -> None:
    compose(world)
    hypervisor = world.hypervisors.of("kvm1", URIS[0])
    (there,) = hypervisor.describe().machines
    (nic,) = there.interfaces
    moved = replace(nic, attachment=replace(nic.attachment, source="br1"))
    hypervisor.add_machine(replace(there, interfaces=(moved,)))
    assert verify(world)[Check.ATTACHMENT] is Verdict.FAILED


def test_nothing_to_verify_is_said(world: LittleWorld) -> None:
    with pytest.raises(InvalidValue, match="on any host cannot be verified"):
        verifying.verify(world.ports, LOCAL_ADMIN)
