"""What a refresh makes of machines that were moved, copied, changed or removed by hand."""

from dataclasses import replace

import pytest

from hostloom.model.access import LOCAL_ADMIN
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.errors.resources import InUse, MachineDiffers, WrongState
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Disk, Machine, MachineState, PowerState
from hostloom.model.observed import ObservedInterface, ObservedMachine
from hostloom.model.operation import OperationState
from hostloom.model.request import ComposeRequest
from hostloom.recording.host_readings import observe, refresh_now
from hostloom.recording.record import record_observation
from hostloom.services import commissioning, machines, power
from support.fake_hypervisor import FakeHypervisor
from support.little_world import URIS, LittleWorld

UUID = "99999999-0000-4000-8000-000000000000"
MAC = MacAddress("52:54:00:c1:00:04")


def host(world: LittleWorld, number: int) -> FakeHypervisor:
    found = world.hypervisors.of(f"kvm{number}", URIS[number - 1])
    assert isinstance(found, FakeHypervisor)
    return found


def refresh(world: LittleWorld, *numbers: int) -> None:
    for number in numbers:
        refresh_now(world.ports, f"kvm{number}")


def compose(world: LittleWorld, name: str = "web") -> Machine:
    request = ComposeRequest(host="kvm1", hostname=name, interfaces="eth0:name=br0", cores=2, memory_mib=1024)
    machines.compose(world.ports, LOCAL_ADMIN, request)
    operation = world.run()
    assert operation.state is OperationState.SUCCEEDED, operation
    return get(world, name)


def get(world: LittleWorld, name: str) -> Machine:
    with world.ports.store.begin() as uow:
        found = uow.machines.find(name)
    assert found is not None
    return found


def where(world: LittleWorld) -> dict[str, tuple[str, str]]:
    """Host and state of every machine."""
    with world.ports.store.begin() as uow:
        names = {each.id: each.name for each in uow.hosts.list()}
        return {
            each.hostname: (names[each.host_id], each.state.value)
            for each in uow.machines.list()
            if each.host_id is not None
        }


def events(world: LittleWorld, *kinds: str) -> list[str]:
    with world.ports.store.begin() as uow:
        return [each.message for each in reversed(uow.events.list()) if each.kind in kinds]


def held(world: LittleWorld, machine: Machine) -> list[str]:
    with world.ports.store.begin() as uow:
        return [str(each.ip) for each in uow.addresses.list() if each.system_id == machine.system_id]


def foreign(**changes: object) -> ObservedMachine:
    nic = ObservedInterface(MAC, Attachment(AttachKind.BRIDGE, "br0"), model="virtio")
    disk = Disk("vda", "default", "foreign.qcow2", 10**10)
    found = ObservedMachine(UUID, "foreign", 2, 2048, PowerState.ON, "amd64", (nic,), (disk,))
    return replace(found, **changes)  # type: ignore[arg-type]


def move(
    world: LittleWorld, uuid: str, *, leave: PowerState | None = None, arrive: PowerState = PowerState.ON
) -> None:
    """Bring a machine from kvm1 to kvm2 by hand; `leave`: its definition stays on kvm1."""
    there = host(world, 1).find_machine(uuid)
    assert there is not None
    host(world, 1).remove_machine(uuid)
    if leave is not None:
        host(world, 1).add_machine(replace(there, power=leave))
    host(world, 2).add_machine(replace(there, power=arrive))


@pytest.fixture
def two(world: LittleWorld) -> LittleWorld:
    assert world.add_host(1).state is OperationState.SUCCEEDED
    return world


# -- moved and copied ------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (2, 2, 1, 1)])
def test_a_machine_that_was_moved_is_the_same_machine(two: LittleWorld, order: tuple[int, ...]) -> None:
    web = compose(two)
    addresses = held(two, web)
    host(two, 1).add_machine(foreign())
    refresh(two, 1)
    for uuid in (web.uuid, UUID):
        move(two, uuid)
    refresh(two, *order)
    assert where(two) == {"web": ("kvm2", "ready"), "foreign": ("kvm2", "deployed")}
    now = get(two, "web")
    assert (now.system_id, now.interfaces, now.disks) == (web.system_id, web.interfaces, web.disks)
    assert [nic.mac for nic in get(two, "foreign").interfaces] == [MAC]
    assert held(two, web) == addresses != []
    assert now.drift == ()
    assert len(events(two, "machine-moved")) == 2


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_one_that_runs_counts_where_its_definition_was_left(
    two: LittleWorld, order: tuple[int, ...]
) -> None:
    web = compose(two)
    move(two, web.uuid, leave=PowerState.OFF)
    refresh(two, *order, *order)
    assert where(two) == {"web": ("kvm2", "ready")}
    assert [str(change.subject) for change in get(two, "web").drift] == ["kvm1"]
    assert len(events(two, "machine-moved")) == 1
    host(two, 1).remove_machine(web.uuid)
    refresh(two, 1, 2)
    assert get(two, "web").drift == ()


def test_a_copied_definition_is_reported_and_changes_nothing(two: LittleWorld) -> None:
    web = compose(two)
    there = host(two, 1).find_machine(web.uuid)
    assert there is not None
    for state in (PowerState.OFF, PowerState.ON):
        host(two, 2).add_machine(replace(there, power=state))
        refresh(two, 2, 1, 2)
        assert where(two) == {"web": ("kvm1", "ready")}
        (copy,) = get(two, "web").drift
        assert (copy.kind, copy.subject) == ("machine-copy", "kvm2")
    assert len(events(two, "drift")) == 2


def test_a_machine_of_a_dead_host_that_runs_elsewhere_has_moved(two: LittleWorld) -> None:
    web = compose(two)
    move(two, web.uuid)
    host(two, 1).unreachable = True
    with pytest.raises(Exception, match="switched off"):
        refresh(two, 1)
    refresh(two, 2)
    assert where(two) == {"web": ("kvm2", "ready")}
    host(two, 1).unreachable = False
    refresh(two, 1)
    assert where(two) == {"web": ("kvm2", "ready")}


def test_a_clone_with_our_mark_is_a_machine_of_its_own(two: LittleWorld) -> None:
    web = compose(two)
    there = host(two, 1).find_machine(web.uuid)
    assert there is not None
    host(two, 1).add_machine(replace(there, uuid=UUID, name="web-clone"))
    refresh(two, 1, 1)
    assert where(two) == {"web": ("kvm1", "ready"), "web-clone": ("kvm1", "deployed")}
    assert len(events(two, "machine-cloned")) == 1
    assert get(two, "web") == replace(web, generation=get(two, "web").generation)


def test_a_foreign_machine_with_the_uuid_of_ours_is_not_ours(two: LittleWorld) -> None:
    web = compose(two)
    host(two, 2).add_machine(foreign(uuid=web.uuid))
    refresh(two, 2, 1, 2)
    assert where(two) == {"web": ("kvm1", "ready"), "foreign": ("kvm2", "deployed")}
    assert len(events(two, "machine-uuid-shared")) == 1


def test_two_records_of_one_machine_become_one(two: LittleWorld) -> None:
    """As an earlier version left them: the machine missing where it was, adopted anew where it is."""
    web = compose(two)
    move(two, web.uuid)
    with two.ports.store.begin() as uow:
        current = uow.machines.get(web.system_id)
        uow.machines.update(replace(current, state=MachineState.MISSING))
        kvm2 = uow.hosts.find("kvm2")
        assert kvm2 is not None
        twin = replace(foreign(), uuid=web.uuid)
        uow.machines.add(
            replace(
                web,
                system_id=two.ports.ids.system_id(),
                hostname="web-2",
                host_id=kvm2.id,
                origin="adopted",
                interfaces=(),
                disks=twin.disks,
            )
        )
        uow.commit()
    refresh(two, 2)
    assert where(two) == {"web": ("kvm2", "ready")}


# -- what a missing machine holds ------------------------------------------------------------------------


@pytest.mark.parametrize("read_first", [True, False])
def test_what_a_running_machine_holds_is_not_freed(two: LittleWorld, read_first: bool) -> None:
    web = compose(two)
    addresses = held(two, web)
    move(two, web.uuid)
    if read_first:
        refresh(two, 1)
    machines.decompose(two.ports, LOCAL_ADMIN, "web")
    operation = two.run()
    assert operation.state is OperationState.FAILED
    assert "kvm2, where it runs" in operation.error
    assert held(two, web) == addresses
    assert host(two, 2).find_machine(web.uuid) is not None
    refresh(two, 2)
    machines.decompose(two.ports, LOCAL_ADMIN, "web")
    assert two.run().state is OperationState.SUCCEEDED
    assert where(two) == {}
    assert host(two, 2).find_machine(web.uuid) is None


def test_a_machine_that_is_nowhere_can_be_taken_apart(two: LittleWorld) -> None:
    web = compose(two)
    host(two, 1).remove_machine(web.uuid)
    refresh(two, 1)
    machines.decompose(two.ports, LOCAL_ADMIN, "web")
    assert two.run().state is OperationState.SUCCEEDED
    assert held(two, web) == []


def test_an_adopted_machine_that_is_gone_is_forgotten(two: LittleWorld) -> None:
    host(two, 1).add_machine(foreign())
    refresh(two, 1)
    for act in (commissioning.forget, machines.decompose):
        with pytest.raises(WrongState) as refused:
            act(two.ports, LOCAL_ADMIN, "foreign")
        assert "delete it on host kvm1" in refused.value.hint
    host(two, 1).remove_machine(UUID)
    refresh(two, 1)
    with pytest.raises(WrongState) as refused:
        machines.decompose(two.ports, LOCAL_ADMIN, "foreign")
    assert refused.value.hint == "`hostloom machine forget foreign` removes its record"
    host(two, 2).add_machine(foreign())
    with pytest.raises(InUse, match="kvm2"):
        commissioning.forget(two.ports, LOCAL_ADMIN, "foreign")
    host(two, 2).remove_machine(UUID)
    commissioning.forget(two.ports, LOCAL_ADMIN, "foreign")
    assert where(two) == {}
    assert compose(two, "foreign").hostname == "foreign"


# -- read again ------------------------------------------------------------------------------------------


def test_an_adopted_machine_is_read_again_in_full(two: LittleWorld) -> None:
    host(two, 1).add_machine(foreign())
    refresh(two, 1)
    nic = ObservedInterface(
        MacAddress("52:54:00:c1:00:05"), Attachment(AttachKind.BRIDGE, "br0"), model="e1000"
    )
    seen = foreign(
        name="grown",
        cores=12,
        memory_mib=49152,
        interfaces=(*foreign().interfaces, nic),
        disks=(Disk("vda", "default", "foreign.qcow2", 2 * 10**10),),
    )
    host(two, 1).add_machine(seen)
    refresh(two, 1)
    now = get(two, "grown")
    assert (now.cores, now.memory_mib, now.disks) == (12, 49152, seen.disks)
    assert [(each.name, each.mac) for each in now.interfaces] == [("eth0", MAC), ("eth1", nic.mac)]
    told = events(two, "drift")
    refresh(two, 1)
    assert events(two, "drift") == told
    assert told == [
        "the name in libvirt: foreign is now grown",
        "cores: 2 is now 12",
        "memory: 2048 MiB is now 49152 MiB",
        "NIC 52:54:00:c1:00:05: new, bridge br0",
        "disk vda: 10000000000 bytes is now 20000000000 bytes",
    ]
    with two.ports.store.begin() as uow:
        kvm1 = uow.hosts.find("kvm1")
        assert kvm1 is not None
        assert [(each.cores, each.memory_mib) for each in uow.placed(kvm1.id)] == [(12, 49152)]


def test_the_composed_machine_stays_recorded_and_differences_are_reported_once(two: LittleWorld) -> None:
    web = compose(two)
    power.stop(two.ports, LOCAL_ADMIN, "web", force=True)
    there = host(two, 1).find_machine(web.uuid)
    assert there is not None
    gone = replace(there.disks[0], size_bytes=0)
    host(two, 1).add_machine(replace(there, name="renamed", cores=8, interfaces=(), disks=(gone,)))
    refresh(two, 1, 1)
    now = get(two, "web")
    assert (now.cores, now.interfaces, now.disks) == (web.cores, web.interfaces, web.disks)
    kinds = ["machine-name", "machine-cores", "machine-nic", "machine-volume"]
    assert [change.kind for change in now.drift] == kinds
    assert len(events(two, "drift")) == 4
    with pytest.raises(
        MachineDiffers, match=r"cores: 2 is now 8; NIC eth0 .* is now gone; the volume of disk root"
    ):
        power.start(two.ports, LOCAL_ADMIN, "web")
    assert host(two, 1).power(web.uuid) is PowerState.OFF
    host(two, 1).add_machine(there)
    refresh(two, 1)
    assert get(two, "web").drift == ()
    assert len(events(two, "drift-ended")) == 4
    assert power.start(two.ports, LOCAL_ADMIN, "web").power is PowerState.ON


# -- old readings ----------------------------------------------------------------------------------------


def test_a_reading_that_began_before_a_decompose_brings_nothing_back(two: LittleWorld) -> None:
    compose(two)
    seen = observe(two.ports, "kvm1", URIS[0])
    machines.decompose(two.ports, LOCAL_ADMIN, "web")
    assert two.run().state is OperationState.SUCCEEDED
    record(two, seen)
    assert where(two) == {}
    assert events(two, "machine-adopted") == []


def test_a_reading_inside_a_compose_that_is_undone_leaves_no_ghost(two: LittleWorld) -> None:
    taken = []

    def look(method: str) -> None:
        if method == "start" and not taken:
            taken.append(observe(two.ports, "kvm1", URIS[0]))

    host(two, 1).before_call = look
    host(two, 1).fail("start", times=None)
    machines.compose(two.ports, LOCAL_ADMIN, ComposeRequest(host="kvm1", hostname="web"))
    assert two.run().state is OperationState.FAILED
    host(two, 1).before_call = None
    (seen,) = taken
    assert [each.name for each in seen.host.machines] == ["web"]
    record(two, seen)
    assert where(two) == {}


def test_a_reading_that_began_before_a_machine_was_there_does_not_miss_it(two: LittleWorld) -> None:
    taken = []

    def look(method: str) -> None:
        if method == "ensure_machine" and not taken:
            taken.append(observe(two.ports, "kvm1", URIS[0]))

    seen = observe(two.ports, "kvm1", URIS[0])
    host(two, 1).before_call = look
    compose(two)
    for old in (seen, *taken):
        record(two, old)
    assert where(two) == {"web": ("kvm1", "ready")}


def test_an_older_reading_does_not_overwrite_a_later_one(two: LittleWorld) -> None:
    host(two, 1).add_machine(foreign())
    old = observe(two.ports, "kvm1", URIS[0])
    host(two, 1).add_machine(foreign(cores=12))
    compose(two)
    refresh(two, 1)
    record(two, old)
    assert get(two, "foreign").cores == 12


def record(world: LittleWorld, seen: object) -> None:
    with world.ports.store.begin() as uow:
        kvm1 = uow.hosts.find("kvm1")
        assert kvm1 is not None
        record_observation(uow, world.ports, kvm1, seen)  # type: ignore[arg-type]
        uow.commit()
