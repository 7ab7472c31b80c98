"""The statements of one whole compose, through the service and the runner, on both databases."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Engine

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.host import Correlation, CorrelationEvidence, CorrelationState
from hostloom.model.ids import HostId, InterfaceId, MacAddress, SystemId
from hostloom.model.machine import Machine, MachineInterface, MachineOrigin, MachineState, PowerState
from hostloom.model.node import NodeInterface
from hostloom.model.observed import ObservedInterface, ObservedMachine
from hostloom.model.operation import OperationState
from hostloom.model.request import ComposeBatch, ComposeRequest
from hostloom.recording.host_readings import refresh_now
from hostloom.sagas.compose import COMPOSE
from hostloom.services import machines, plans
from hostloom.services.machines import copies
from hostloom.store.engine import DatabaseStore
from support.little_world import URIS, LittleWorld
from support.saga_proofs import Proof, changed
from support.statements import counted_statements

#: Asked for: world read, operation (2). Claimed (1). Reserved: world read and locked, host with what stands
#: against the plan, node, machine, NICs, addresses (7). Steps' records (6). To be served (1). Ready, told of,
#: over (3).
BOOKKEEPING = 20
#: Publishing reads the racks, the world's revision, the machines and the NICs from the store again.
PUBLISHING = 4
#: What was proven of the NICs is kept: one, however many they are.
PROVING = 1
#: Reserving writes the node, the machine, its NICs and its addresses, after a look at what stands against it.
OF_EACH_MACHINE = 5
#: Adopting writes the node, the machine and its NICs in a savepoint (2), and an event.
OF_EACH_ADOPTION = 6
THREE_NICS = "eth0:space=mgmt;eth1:name=eth1,mode=unconfigured;eth2:name=eth2,mode=dhcp"


def engine_of(world: LittleWorld) -> Engine:
    assert isinstance(world.ports.store, DatabaseStore)
    return world.ports.store.engine


def compose(world: LittleWorld, name: str, interfaces: str = "eth0:space=mgmt") -> list[str]:
    """The statements of one compose, without those of `observe`."""
    request = ComposeRequest(interfaces=interfaces, hostname=name)
    proof = Proof(world, COMPOSE, lambda w: machines.compose(w.ports, LOCAL_ADMIN, request))
    with counted_statements(engine_of(world)) as seen:

        def uncounted(step: Any) -> Any:
            def do(run: Any) -> Any:
                before = len(seen)
                found = step.do(run)
                del seen[before:]
                return found

            return replace(step, do=do)

        proof.begin(world)
        operation = proof.run(changed(COMPOSE, "observe", uncounted))
        # The record that `observe` has begun is a part of it, too.
        del seen[next(n for n, each in enumerate(seen) if "INSERT INTO steps" in each)]
    assert operation.state is OperationState.SUCCEEDED, operation.error
    return seen


def add_hosts(world: LittleWorld, count: int) -> None:
    """More of the same: each could carry the machine."""
    with world.ports.store.begin() as uow:
        (host,) = uow.hosts.list()
        assert host.correlation.system_id is not None
        node = uow.nodes.get(host.correlation.system_id)
        for number in range(count):
            name, system_id = f"more{number}", world.ports.ids.system_id()
            nics = tuple(_alike(nic, number, n) for n, nic in enumerate(node.interfaces))
            uow.nodes.add(replace(node, system_id=system_id, hostname=name, interfaces=nics))
            match = Correlation(CorrelationState.CORRELATED, system_id, CorrelationEvidence.OPERATOR)
            uri = f"qemu+ssh://root@{name}/system"
            uow.hosts.add(replace(host, id=HostId(0), name=name, uri=uri, correlation=match))
        uow.commit()


def _alike(nic: NodeInterface, number: int, place: int) -> NodeInterface:
    mac = MacAddress(f"02:00:00:{number:02x}:01:{place:02x}")
    return replace(nic, id=InterfaceId(0), addresses=(), mac=mac)


def test_a_whole_compose_takes_as_many_on_one_host_as_on_many(world: LittleWorld) -> None:
    compose(world, "first")
    one = compose(world, "one")
    three = compose(
        world, "three", "eth0:space=mgmt;eth1:name=eth1,mode=unconfigured;eth2:name=eth2,mode=dhcp"
    )
    add_hosts(world, 200)
    compose(world, "warm")
    many = compose(world, "many")
    assert len(one) == len(three) == len(many)
    assert len(one) <= BOOKKEEPING + PUBLISHING + PROVING, "\n".join(one)


def test_keeping_a_plan_takes_few(world: LittleWorld) -> None:
    requests = copies(ComposeRequest(interfaces=THREE_NICS, hostname="web"), 10)
    plans.make(world.ports, LOCAL_ADMIN, ComposeBatch(requests[:1]))  # the world is read
    for wanted in (requests[:1], requests):
        with counted_statements(engine_of(world)) as seen:
            assert plans.make(world.ports, LOCAL_ADMIN, ComposeBatch(wanted)).stored is not None
        assert len(seen) <= 6, "\n".join(seen)


def compose_batch(world: LittleWorld, name: str, count: int) -> tuple[int, int, int]:
    """The statements of composing so many machines: asked for, reserved, and all else."""
    requests = copies(ComposeRequest(interfaces="eth0:space=mgmt", hostname=name), count)
    with counted_statements(engine_of(world)) as seen:
        machines.compose_batch(world.ports, LOCAL_ADMIN, ComposeBatch(requests))
    asked = len(seen)
    with world.ports.store.begin() as uow:
        (begun,) = uow.operations.list(unfinished=True)
    reserving: list[int] = []

    def counted(step: Any) -> Any:
        def rows(run: Any, uow: Any) -> None:
            before = len(seen)
            step.rows(run, uow)
            reserving.append(len(seen) - before)

        return replace(step, rows=rows)

    proof = Proof(world, COMPOSE, lambda _: begun)
    with counted_statements(engine_of(world)) as seen:
        assert proof.run(changed(COMPOSE, "reserve", counted)).state is OperationState.SUCCEEDED
    (reserved,) = reserving
    return asked, reserved, len(seen) - reserved


def test_of_ten_machines_only_what_is_reserved_takes_more_than_of_one(world: LittleWorld) -> None:
    compose_batch(world, "warm", 1)
    asked, reserved, rest = compose_batch(world, "one", 1)
    assert compose_batch(world, "ten", 10) == (asked, reserved + 9 * OF_EACH_MACHINE, rest)


def nic_mac(series: int, number: int) -> MacAddress:
    return MacAddress(f"52:54:00:{series:02x}:00:{number:02x}")


def know_machines(world: LittleWorld, count: int) -> None:
    """Machines of another host that were adopted earlier."""
    bridge = Attachment(AttachKind.BRIDGE, "br0")
    with world.ports.store.begin() as uow:
        other = uow.hosts.find("more0")
        assert other is not None
        for number in range(count):
            machine = Machine(
                SystemId(f"k{number:05d}"),
                f"known{number}",
                f"{number:08x}-0000-4000-8000-00000000000a",
                MachineOrigin.ADOPTED,
                MachineState.DEPLOYED,
                other.id,
                "amd64",
                1,
                1024,
                interfaces=(MachineInterface("eth0", nic_mac(3, number), bridge),),
            )
            uow.machines.add(machine)
        uow.commit()


def adopt(world: LittleWorld, series: int, count: int) -> int:
    """The statements of a refresh that finds so many new machines."""
    host = world.hypervisors.of("kvm1", URIS[0])
    bridge = Attachment(AttachKind.BRIDGE, "br0")
    for number in range(count):
        nic = ObservedInterface(nic_mac(series, number), bridge, model="virtio")
        uuid = f"{number:08x}-0000-4000-8000-0000000000{series:02x}"
        name = f"foreign{series}-{number}"
        host.add_machine(ObservedMachine(uuid, name, 1, 1024, PowerState.ON, "amd64", (nic,), ()))
    with world.ports.store.begin() as uow:
        uow.snapshot()
    with counted_statements(engine_of(world)) as seen:
        refresh_now(world.ports, "kvm1")
    with world.ports.store.begin() as uow:
        assert len([m for m in uow.machines.list() if m.hostname.startswith(f"foreign{series}-")]) == count
    return len(seen)


def test_adopting_machines_reads_what_is_known_once(world: LittleWorld) -> None:
    add_hosts(world, 1)
    adopt(world, 1, 1)
    among_few = adopt(world, 2, 9)
    know_machines(world, 100)
    assert adopt(world, 4, 9) == among_few
    # The machines that were there are compared; each new one is only written.
    assert adopt(world, 5, 5) == among_few - 4 * OF_EACH_ADOPTION
