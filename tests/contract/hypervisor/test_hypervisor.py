"""What every hypervisor does, real or not."""

from dataclasses import replace

import pytest

from contract.hypervisor.conftest import STRANGER, Subject
from hostloom.decide.machines.drift import machine_drift
from hostloom.model.errors.outside import HypervisorRejected
from hostloom.model.host import Forward, LibvirtNetwork
from hostloom.model.ids import HostId, SystemId
from hostloom.model.machine import (
    DiskFormat,
    Machine,
    MachineOrigin,
    MachineSpec,
    MachineState,
    PowerState,
)
from hostloom.model.observed import ObservedMachine
from support.specs import BRIDGE, MACVLAN, NETWORK, OTHER_UUID, UUID, a_disk, a_nic, a_spec


def spec_for(subject: Subject, **changes: object) -> MachineSpec:
    nics = a_nic(0, BRIDGE, boot=True), a_nic(1, MACVLAN), a_nic(2, NETWORK)
    disks = a_disk(), a_disk("data", kind=DiskFormat.QCOW2)
    return replace(a_spec(*nics, emulation=subject.emulation, disks=disks), **changes)  # type: ignore[arg-type]


def compose(subject: Subject, **changes: object) -> MachineSpec:
    spec = spec_for(subject, **changes)
    for disk in spec.disks:
        subject.hypervisor.volumes.ensure(disk)
    subject.hypervisor.ensure_machine(spec)
    return spec


def names(subject: Subject) -> list[str]:
    return [each.name for each in subject.hypervisor.describe().machines]


def find(subject: Subject, uuid: str = UUID) -> ObservedMachine:
    machine = subject.hypervisor.find_machine(uuid)
    assert machine is not None
    return machine


def test_a_host_shows_what_it_has(subject: Subject) -> None:
    host = subject.hypervisor.describe()
    assert host.hostname
    assert host.cores >= 1
    assert host.memory_mib >= 1024
    assert host.emulations
    assert [(pool.name, pool.is_default) for pool in host.storage_pools if pool.active] == [("default", True)]
    pool = next(pool for pool in host.storage_pools if pool.is_default)
    assert 0 < pool.free_bytes <= pool.total_bytes
    (network,) = host.libvirt_networks
    wanted = LibvirtNetwork("default", network.active, "virbr0", dhcp=True, forward=Forward.NAT)
    assert network == wanted


def test_a_foreign_machine_is_seen_without_a_mark(subject: Subject) -> None:
    assert "stranger" in names(subject)
    assert find(subject, STRANGER).system_id is None


def test_a_machine_is_composed_as_requested(subject: Subject) -> None:
    spec = compose(subject)
    found = find(subject)
    assert (found.uuid, found.name, found.system_id) == (spec.uuid, spec.name, spec.system_id)
    assert (found.cores, found.memory_mib, found.power) == (spec.cores, spec.memory_mib, PowerState.OFF)
    assert found.architecture == spec.emulation.architecture
    nics = [(nic.mac, nic.attachment, nic.model) for nic in found.interfaces]
    assert nics == [(nic.mac, nic.attachment, nic.model) for nic in spec.interfaces]
    assert [(disk.name, disk.pool, disk.volume, disk.format) for disk in found.disks] == [
        (disk.name, disk.pool, disk.volume, disk.format) for disk in spec.disks
    ]
    for disk, wanted in zip(found.disks, spec.disks, strict=True):
        assert wanted.size_bytes <= disk.size_bytes < wanted.size_bytes + 512
    assert found == next(each for each in subject.hypervisor.describe().machines if each.uuid == UUID)


def test_every_change_made_twice_is_made_once(subject: Subject) -> None:
    spec = compose(subject)
    before = find(subject)
    compose(subject)
    assert find(subject) == before
    for _ in range(2):
        subject.hypervisor.stop(UUID, force=True)
        assert subject.hypervisor.power(UUID) is PowerState.OFF
    for _ in range(2):
        subject.hypervisor.delete_machine(UUID)
        assert subject.hypervisor.find_machine(UUID) is None
    for _ in range(2):
        for disk in spec.disks:
            subject.hypervisor.volumes.delete(disk)


def test_rendering_touches_nothing(subject: Subject) -> None:
    before = subject.hypervisor.describe()
    text = subject.hypervisor.render(spec_for(subject))
    assert "web1" in text
    assert UUID in text
    assert subject.hypervisor.describe().machines == before.machines


def test_a_running_machine_shows_power_and_goes_with_it(subject: Subject) -> None:
    compose(subject, interfaces=(a_nic(0, BRIDGE, boot=True),))
    assert subject.hypervisor.power(UUID) is PowerState.OFF
    subject.hypervisor.start(UUID)
    subject.hypervisor.start(UUID)
    assert subject.hypervisor.power(UUID) is PowerState.ON
    found = find(subject)
    assert (found.power, found.interfaces[0].attachment) == (PowerState.ON, BRIDGE)
    assert found.interfaces[0].target
    assert isinstance(subject.hypervisor.console_log(UUID), str)
    subject.hypervisor.stop(UUID, force=True)
    assert find(subject).power is PowerState.OFF
    subject.hypervisor.start(UUID)
    subject.hypervisor.delete_machine(UUID)
    assert subject.hypervisor.power(UUID) is PowerState.UNKNOWN
    assert "web1" not in names(subject)


def recorded(spec: MachineSpec) -> Machine:
    return Machine(
        SystemId(spec.system_id),
        spec.name,
        spec.uuid,
        MachineOrigin.COMPOSED,
        MachineState.READY,
        HostId(1),
        spec.emulation.architecture,
        spec.cores,
        spec.memory_mib,
        interfaces=spec.interfaces,
        disks=spec.disks,
        domain_name=spec.name,
    )


def test_a_composed_machine_is_observed_unchanged(subject: Subject) -> None:
    machine = recorded(compose(subject))
    (seen,) = (each for each in subject.hypervisor.describe().machines if each.uuid == UUID)
    assert machine_drift(machine, find(subject)) == machine_drift(machine, seen) == ()
    if subject.uri.startswith("fake"):
        return  # its machines do not look for their volumes
    subject.hypervisor.volumes.delete(machine.disks[0])
    (change,) = machine_drift(machine, find(subject))
    assert (change.kind, change.subject) == ("machine-volume", machine.disks[0].name)


def test_deleting_a_machine_leaves_its_volumes(subject: Subject) -> None:
    spec = compose(subject)
    subject.hypervisor.delete_machine(UUID)
    subject.hypervisor.ensure_machine(spec)
    assert [disk.size_bytes > 0 for disk in find(subject).disks] == [True, True]


def test_a_volume_of_another_size_or_format_is_refused(subject: Subject) -> None:
    disk = a_disk()
    subject.hypervisor.volumes.ensure(disk)
    for other in (replace(disk, size_bytes=disk.size_bytes + 4096), replace(disk, format=DiskFormat.QCOW2)):
        with pytest.raises(HypervisorRejected, match=disk.volume):
            subject.hypervisor.volumes.ensure(other)
    subject.hypervisor.volumes.ensure(disk)


def test_deleting_a_volume_leaves_the_others(subject: Subject) -> None:
    spec = compose(subject)
    root, data = spec.disks
    subject.hypervisor.delete_machine(UUID)
    subject.hypervisor.volumes.delete(data)
    # A volume of root's name is still there: another size is refused.
    with pytest.raises(HypervisorRejected):
        subject.hypervisor.volumes.ensure(replace(root, size_bytes=root.size_bytes * 2))
    subject.hypervisor.volumes.ensure(replace(data, size_bytes=data.size_bytes * 2))


def test_a_storage_pool_that_is_not_there(subject: Subject) -> None:
    disk = a_disk(pool="nowhere")
    with pytest.raises(HypervisorRejected, match="nowhere"):
        subject.hypervisor.volumes.ensure(disk)
    with pytest.raises(HypervisorRejected, match="nowhere"):
        subject.hypervisor.ensure_machine(spec_for(subject, disks=(disk,)))
    assert "web1" not in names(subject)
    # The undo of what could not be made has nothing to do.
    subject.hypervisor.volumes.delete(disk)


def test_a_foreign_machine_is_never_changed(subject: Subject) -> None:
    before = find(subject, STRANGER)
    with pytest.raises(HypervisorRejected):
        subject.hypervisor.ensure_machine(spec_for(subject, uuid=STRANGER, disks=()))
    with pytest.raises(HypervisorRejected):
        subject.hypervisor.delete_machine(STRANGER)
    assert find(subject, STRANGER) == before


def test_our_machine_under_another_mark_is_not_this_one(subject: Subject) -> None:
    spec = compose(subject)
    with pytest.raises(HypervisorRejected):
        subject.hypervisor.ensure_machine(replace(spec, system_id=SystemId("xyz789")))
    assert find(subject).system_id == spec.system_id


def test_ours_are_switched_by_their_mark_and_others_only_without(subject: Subject) -> None:
    spec = compose(subject, interfaces=(a_nic(0, BRIDGE),))
    subject.hypervisor.start(UUID, spec.system_id)
    with pytest.raises(HypervisorRejected):
        subject.hypervisor.stop(UUID, SystemId("xyz789"), force=True)
    assert subject.hypervisor.power(UUID) is PowerState.ON
    subject.hypervisor.stop(UUID, spec.system_id, force=True)
    subject.hypervisor.stop(STRANGER, force=True)
    for uuid, mark in ((UUID, SystemId("xyz789")), (STRANGER, spec.system_id)):
        with pytest.raises(HypervisorRejected):
            subject.hypervisor.start(uuid, mark)
        assert subject.hypervisor.power(uuid) is PowerState.OFF
    subject.hypervisor.start(STRANGER)
    with pytest.raises(HypervisorRejected):
        subject.hypervisor.stop(STRANGER, spec.system_id, force=True)
    assert subject.hypervisor.power(STRANGER) is PowerState.ON
    subject.hypervisor.stop(STRANGER, force=True)
    assert subject.hypervisor.power(STRANGER) is PowerState.OFF


def test_a_nic_is_taken_from_a_machine(subject: Subject) -> None:
    spec = compose(subject)
    gone, *left = spec.interfaces
    for _ in range(2):
        subject.hypervisor.remove_interface(spec.uuid, gone.mac, spec.system_id)
        assert [nic.mac for nic in find(subject).interfaces] == [nic.mac for nic in left]
    seen = find(subject)
    assert (seen.name, seen.cores, seen.system_id) == (spec.name, spec.cores, spec.system_id)
    assert len(seen.disks) == len(spec.disks)
    subject.hypervisor.remove_interface(OTHER_UUID, gone.mac, spec.system_id)


def test_a_running_machine_has_lost_the_nic_when_it_starts_again(subject: Subject) -> None:
    spec = compose(subject, interfaces=(a_nic(0, BRIDGE, boot=True), a_nic(1, BRIDGE)))
    subject.hypervisor.start(spec.uuid)
    subject.hypervisor.remove_interface(spec.uuid, spec.interfaces[1].mac, spec.system_id)
    subject.hypervisor.stop(spec.uuid, force=True)
    assert [nic.mac for nic in find(subject).interfaces] == [spec.interfaces[0].mac]


def test_a_nic_of_a_foreign_machine_is_not_changed(subject: Subject) -> None:
    spec = compose(subject)
    with pytest.raises(HypervisorRejected):
        subject.hypervisor.remove_interface(spec.uuid, spec.interfaces[0].mac, SystemId("zzzzzz"))
    assert len(find(subject).interfaces) == 3


def test_a_name_that_is_taken_is_refused(subject: Subject) -> None:
    compose(subject, disks=())
    with pytest.raises(HypervisorRejected, match="web1"):
        subject.hypervisor.ensure_machine(spec_for(subject, uuid=OTHER_UUID, disks=()))
    assert subject.hypervisor.find_machine(OTHER_UUID) is None


def test_a_machine_that_is_not_there(subject: Subject) -> None:
    assert subject.hypervisor.find_machine(UUID) is None
    assert subject.hypervisor.power(UUID) is PowerState.UNKNOWN
    subject.hypervisor.stop(UUID)
    subject.hypervisor.stop(UUID, force=True)
    subject.hypervisor.delete_machine(UUID)
    with pytest.raises(HypervisorRejected, match=UUID):
        subject.hypervisor.start(UUID)
    with pytest.raises(HypervisorRejected, match=UUID):
        subject.hypervisor.console_log(UUID)


def test_a_host_that_was_forgotten_can_be_asked_again(subject: Subject) -> None:
    subject.hypervisor.describe()
    subject.hypervisors.forget(subject.uri)
    assert "stranger" in names(subject)
