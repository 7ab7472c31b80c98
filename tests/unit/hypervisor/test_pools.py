"""Disks in storage pools that are no directories, on libvirt's test driver."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hostloom.hypervisor.driver import LibvirtHypervisor
from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from hostloom.model.errors.outside import HypervisorRejected
from hostloom.model.machine import Disk, DiskFormat
from support.near import Near
from support.specs import GB, a_disk, a_spec

NODE = """
<node><pool type='logical'><name>vg0</name><source><name>vg0</name></source>
<target><path>/dev/vg0</path></target></pool>
<pool type='rbd'><name>ceph</name><source><host name='mon1'/><name>rbd</name></source></pool></node>
"""


@pytest.fixture
def hypervisor(tmp_path: Path) -> Iterator[LibvirtHypervisor]:
    file = tmp_path / "node.xml"
    file.write_text(NODE)
    hypervisors = LibvirtHypervisors(Near())
    yield hypervisors.of("kvm1", f"test://{file}")
    hypervisors.close()


def free_bytes(hypervisor: LibvirtHypervisor) -> int:
    return next(pool.free_bytes for pool in hypervisor.describe().storage_pools if pool.name == "vg0")


def test_a_logical_volume_is_whole_and_its_machine_has_a_block_device(hypervisor: LibvirtHypervisor) -> None:
    disk, before = a_disk(pool="vg0"), free_bytes(hypervisor)
    for _ in range(2):
        hypervisor.volumes.ensure(disk)
    assert free_bytes(hypervisor) == before - disk.size_bytes
    spec = a_spec(emulation=hypervisor.describe().emulations[0], disks=(disk,))
    assert f'<source dev="/dev/vg0/{disk.volume}" />' in hypervisor.render(spec)
    hypervisor.ensure_machine(spec)
    machine = hypervisor.find_machine(spec.uuid)
    assert machine is not None
    assert machine.disks == (disk,)
    hypervisor.volumes.delete(disk)
    assert free_bytes(hypervisor) == before


@pytest.mark.parametrize(
    "disk",
    [
        a_disk(pool="vg0", kind=DiskFormat.QCOW2),
        a_disk(pool="ceph"),
        a_disk(pool="vg0", size_bytes=9**9 * GB),
    ],
)
def test_what_a_pool_cannot_hold_is_refused(hypervisor: LibvirtHypervisor, disk: Disk) -> None:
    before = free_bytes(hypervisor)
    with pytest.raises(HypervisorRejected, match=disk.pool):
        hypervisor.volumes.ensure(disk)
    assert free_bytes(hypervisor) == before
