"""Reads the architectures that a host can run, and tests whether KVM works."""

from collections.abc import Callable
from xml.etree import ElementTree as ET

import libvirt

from hostloom.decide.hosts.host_identity import identifying_uuid
from hostloom.hypervisor import xml_in
from hostloom.hypervisor.libvirt_names import ARCH_FROM_LIBVIRT, ARCH_TO_LIBVIRT
from hostloom.hypervisor.partial_reads import reading
from hostloom.model.finding import Findings
from hostloom.model.host import Emulation

#: Machine types by architecture; other architectures get libvirt's default.
MACHINE_TYPES = {"amd64": "q35", "i386": "q35", "arm64": "virt"}

#: Reports whether a guest boots under KVM, given (connection, architecture, emulator, machine type).
KvmProbe = Callable[[libvirt.virConnect, str, str, str], bool]


def huge_pages_mib(connection: libvirt.virConnect) -> int:
    """Memory that the host reserves as huge pages: all page sizes of each NUMA cell except the smallest."""
    document = xml_in.parse(connection.getCapabilities())
    kept_bytes = 0
    for cell in document.findall("host/topology/cells/cell"):
        sizes = sorted(
            (xml_in.size_of(pages.get("size", ""), pages.get("unit", "KiB")), xml_in.count(pages.text or ""))
            for pages in cell.findall("pages")
        )
        kept_bytes += sum(size * count for size, count in sizes[1:])
    return kept_bytes >> 20


def emulations(
    connection: libvirt.virConnect, kvm_runs: KvmProbe, findings: Findings | None = None
) -> tuple[Emulation, ...]:
    """Emulations of each architecture, the host's own architecture first; unreadable ones become findings."""
    findings = Findings() if findings is None else findings
    document = xml_in.parse(connection.getCapabilities())
    host_architecture = document.findtext("host/cpu/arch", "")
    guests = [element for element in document.findall("guest") if element.findtext("os_type") == "hvm"]
    guests.sort(key=lambda guest: (_arch(guest) != host_architecture, _arch(guest)))
    emulations_found: list[Emulation] = []
    for guest in guests:
        architecture = ARCH_FROM_LIBVIRT.get(_arch(guest))
        if architecture is None or architecture in [emulation.architecture for emulation in emulations_found]:
            continue
        with reading(findings, connection, f"architecture {architecture}", "how its machines run here"):
            emulations_found.append(_emulation(connection, guest, architecture, kvm_runs))
    return tuple(emulations_found)


def host_uuid(connection: libvirt.virConnect) -> str:
    """The host's UUID according to libvirt; empty if it does not identify the host."""
    return identifying_uuid(xml_in.parse(connection.getCapabilities()).findtext("host/uuid", ""))


def _arch(guest: ET.Element) -> str:
    element = guest.find("arch")
    return "" if element is None else element.get("name", "")


def _emulation(
    connection: libvirt.virConnect, guest: ET.Element, architecture: str, kvm_runs: KvmProbe
) -> Emulation:
    types = {element.get("type", "") for element in guest.findall("arch/domain")}
    emulator = guest.findtext("arch/emulator", "")
    machine = MACHINE_TYPES.get(architecture, "")
    machines = {element.text for element in guest.findall("arch/machine")}
    if machine not in machines:
        machine = ""
    if "kvm" in types and kvm_runs(connection, architecture, emulator, machine):
        return Emulation(architecture, "kvm", machine, emulator, "host-passthrough")
    domain_type = "qemu" if "qemu" in types else min(types - {"kvm"}, default="qemu")
    has_maximum = domain_type == "qemu" and _has_maximum(connection, emulator, architecture, machine)
    return Emulation(architecture, domain_type, machine, emulator, "maximum" if has_maximum else "")


def _has_maximum(connection: libvirt.virConnect, emulator: str, architecture: str, machine: str) -> bool:
    """Whether emulation offers all that it can emulate as one CPU mode."""
    try:
        text = connection.getDomainCapabilities(
            emulator, ARCH_TO_LIBVIRT[architecture], machine or None, "qemu"
        )
    except libvirt.libvirtError:
        return False
    modes = xml_in.parse(text).findall("cpu/mode")
    return any(mode.get("name") == "maximum" and mode.get("supported") == "yes" for mode in modes)
