"""The libvirt part of a compose and of a refresh, beside bare libvirt-python calls, in one run (needs root).

python bench/hypervisor.py [MACHINES]
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

import libvirt

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from hostloom.hypervisor.xml_out import domain_xml, volume_xml
from hostloom.model.ids import SystemId
from hostloom.model.machine import MachineSpec
from hostloom.ports.hypervisor import Hypervisor
from support.libvirtd import running_libvirtd
from support.specs import a_disk, a_spec

POOL = "<pool type='dir'><name>default</name><target><path>/var/lib/libvirt/images</path></target></pool>"
ROUNDS = 50


def spec_number(number: int) -> MachineSpec:
    """A machine with one NIC and one raw disk."""
    disk = replace(a_disk(), volume=f"bench-{number}")
    uuid = f"{number:08x}-0000-4000-8000-000000000000"
    return a_spec(uuid=uuid, name=f"bench-{number}", disks=(disk,), system_id=SystemId(f"b{number:05d}"))


def measure(call: Callable[[int], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median and 95th percentile in ms."""
    took = []
    for number in range(rounds):
        began = time.perf_counter()
        call(number)
        took.append((time.perf_counter() - began) * 1000)
    return median(took), quantiles(took, n=20)[-1]


def report(what: str, ours: tuple[float, float], floor: tuple[float, float], bar_ms: float) -> None:
    """One line."""
    verdict = "met" if ours[1] <= bar_ms else "missed"
    print(
        f"{what:38} ours {ours[0]:6.2f} ms (p95 {ours[1]:6.2f})",
        f"bare {floor[0]:6.2f} ms (p95 {floor[1]:6.2f})",
        f"{ours[0] / floor[0]:4.2f} x  bar {bar_ms:g} ms: {verdict}",
        sep="  ",
    )


class Calls:
    """The calls that are measured: ours, and what they would be with bare libvirt-python."""

    def __init__(self, ours: Hypervisor, bare: libvirt.virConnect) -> None:
        self.ours, self.bare = ours, bare
        self.pool = bare.storagePoolDefineXML(POOL)
        self.pool.create()

    def compose(self, number: int) -> None:
        """A volume and a domain, by hostloom."""
        spec = spec_number(number)
        self.ours.volumes.ensure(spec.disks[0])
        self.ours.ensure_machine(spec)

    def compose_bare(self, number: int) -> None:
        """The same, bare; its machines have numbers from 1000."""
        spec = spec_number(1000 + number)
        volume = self.pool.createXML(volume_xml(spec.disks[0], is_file=True))
        self.bare.defineXML(domain_xml(spec, {spec.disks[0].volume: volume.path()}))

    def clear(self, first: int, count: int) -> None:
        """Delete so many machines."""
        for number in range(first, first + count):
            spec = spec_number(number)
            self.ours.delete_machine(spec.uuid)
            self.ours.volumes.delete(spec.disks[0])

    def refresh_bare(self, _number: int) -> None:
        """What a refresh reads, bare."""
        self.bare.getInfo(), self.bare.getCapabilities()
        for pool in self.bare.listAllStoragePools():
            pool.info(), pool.XMLDesc()
        for network in self.bare.listAllNetworks():
            network.XMLDesc()
        for domain in self.bare.listAllDomains():
            domain.XMLDesc(), domain.state()


def main() -> None:
    """Measure on a libvirtd of our own."""
    machines = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with running_libvirtd() as libvirtd:
        bare = libvirt.open(libvirtd.qemu_uri)
        hypervisors = LibvirtHypervisors(libvirtd)
        ours = hypervisors.of("bench", libvirtd.qemu_uri)
        calls = Calls(ours, bare)
        ours.describe()
        floor = measure(calls.compose_bare)
        calls.clear(1000, ROUNDS)
        report("compose: volume and domain, no start", measure(calls.compose), floor, 15)
        calls.clear(0, ROUNDS)
        for number in range(machines):
            calls.compose(number)
        floor = measure(calls.refresh_bare)
        report(f"refresh: {machines} machines, one disk each", measure(lambda _: ours.describe()), floor, 60)
        calls.clear(0, machines)
        hypervisors.close()
        bare.close()


if __name__ == "__main__":
    main()
