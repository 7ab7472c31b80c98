"""Reads machines from the XML of libvirt domains."""

from collections.abc import Callable
from typing import NamedTuple, Protocol
from uuid import UUID
from xml.etree import ElementTree as ET

from hostloom.hypervisor.libvirt_names import ARCH_FROM_LIBVIRT, MARK, MODE_FROM_LIBVIRT
from hostloom.hypervisor.xml_in import (
    MAX_CPUS,
    MAX_DEVICES,
    MAX_PATH,
    MODEL_LENGTH,
    NAME_LENGTH,
    SOURCE_LENGTH,
    attribute,
    number_up_to,
    parse,
    size_bytes,
    vlan_vid,
)
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.finding import Findings, printable
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Disk, DiskFormat, PowerState
from hostloom.model.observed import ObservedInterface, ObservedMachine


class FoundVolume(NamedTuple):
    """A volume in a pool."""

    pool: str
    name: str
    size_bytes: int


class FindVolume(Protocol):
    """Finds the volumes of a machine's disks."""

    def find(self, path: str, target: str) -> FoundVolume:
        """The volume at a path, which is the machine's disk `target`."""
        ...

    def size_of(self, target: str) -> int:
        """The size of the machine's disk `target`; 0 if it is unknown."""
        ...


def mark_of(domain: ET.Element) -> str | None:
    """Our mark in a domain's metadata: the system id of a machine that hostloom made."""
    mark = domain.find(f"metadata/{MARK}")
    return None if mark is None else mark.get("system-id")


def machine(
    xml: str, power: PowerState, volumes: FindVolume, findings: Findings | None = None
) -> ObservedMachine:
    """Parse a domain; unreadable parts become findings. ValueError if its UUID is unreadable."""
    domain = parse(xml)
    reader = _Machine(domain, volumes, Findings() if findings is None else findings)
    architecture = printable(attribute(domain.find("os/type"), "arch"), MODEL_LENGTH)
    return ObservedMachine(
        uuid=str(UUID(domain.findtext("uuid", ""))),
        name=reader.name,
        cores=reader.number(
            "vcpu", "a number of virtual CPUs", lambda e: number_up_to(e.text or "", MAX_CPUS)
        ),
        memory_mib=reader.number("memory", "a size of memory", lambda e: size_bytes(e, "KiB")) >> 20,
        power=power,
        architecture=ARCH_FROM_LIBVIRT.get(architecture, architecture),
        interfaces=reader.interfaces(),
        disks=reader.disks(),
        system_id=mark_of(domain),
        has_huge_pages=domain.find("memoryBacking/hugepages") is not None,
    )


class _Machine:
    """Reads the parts of a domain; an error in one part does not affect the others."""

    def __init__(self, domain: ET.Element, volumes: FindVolume, findings: Findings) -> None:
        self._domain, self._volumes, self._findings = domain, volumes, findings
        self.name = printable(domain.findtext("name", ""), NAME_LENGTH)

    def number(self, path: str, expected: str, convert: Callable[[ET.Element], int]) -> int:
        """A number in an element; 0 and a finding if it is not a number."""
        element = self._domain.find(path)
        with self._findings.reading(f"machine {self.name}: {path}", expected):
            if element is None:
                raise ValueError(f"no <{path}>")
            return convert(element)
        return 0

    def interfaces(self) -> tuple[ObservedInterface, ...]:
        """NICs by MAC; no two NICs of a machine have the same MAC."""
        observed_interfaces: dict[MacAddress, ObservedInterface] = {}
        for number, element in enumerate(self._devices("interface"), 1):
            part = f"machine {self.name}: NIC {number}"
            with self._findings.reading(part, "a NIC with a MAC of its own"):
                nic = _interface(element)
                if nic.mac in observed_interfaces:
                    raise ValueError(f"{nic.mac}, which another NIC of the machine has: it is left out")
                observed_interfaces[nic.mac] = nic
        return tuple(observed_interfaces.values())

    def disks(self) -> tuple[Disk, ...]:
        """Disks, without CD-ROM and floppy drives."""
        disks = []
        for number, element in enumerate(self._devices("disk"), 1):
            with self._findings.reading(f"machine {self.name}: disk {number}", "a disk with a source"):
                disk = _disk(element, self._volumes)
                if disk is not None:
                    disks.append(disk)
        return tuple(disks)

    def _devices(self, kind: str) -> list[ET.Element]:
        elements = self._domain.findall(f"devices/{kind}")
        if len(elements) > MAX_DEVICES:
            part = f"machine {self.name}: elements {kind}"
            self._findings.add(
                part, f"at most {MAX_DEVICES}", f"{len(elements)}, of which the first are read"
            )
        return elements[:MAX_DEVICES]


def console_log(xml: str) -> str:
    """Path of the file that the first serial console is logged to; empty without a log."""
    return attribute(parse(xml).find("devices/serial/log"), "file")


def _interface(element: ET.Element) -> ObservedInterface:
    return ObservedInterface(
        MacAddress.parse(attribute(element.find("mac"), "address")),
        _attachment(element),
        printable(attribute(element.find("target"), "dev"), MODEL_LENGTH),
        printable(attribute(element.find("model"), "type"), MODEL_LENGTH),
        vlan_vid(element.find("vlan")),
        printable(attribute(element.find("source"), "portgroup"), NAME_LENGTH),
    )


def _attachment(element: ET.Element) -> Attachment:
    """A running NIC of a bridged network looks like a bridge that names its network: return the network."""
    source = element.find("source")
    if source is None:
        return _other(element)
    kind, network, bridge, dev = (
        element.get("type"),
        source.get("network", ""),
        source.get("bridge", ""),
        source.get("dev", ""),
    )
    mode = MODE_FROM_LIBVIRT.get(source.get("mode", "vepa"))
    if _fits(network):
        return Attachment(AttachKind.NETWORK, network)
    if kind == "bridge" and _fits(bridge):
        ovs = attribute(element.find("virtualport"), "type") == "openvswitch"
        return Attachment(AttachKind.BRIDGE, bridge, ovs=ovs)
    if kind == "direct" and mode is not None and _fits(dev):
        return Attachment(AttachKind.MACVLAN, dev, mode)
    return _other(element)


def _fits(name: str) -> bool:
    return bool(name) and name == printable(name, SOURCE_LENGTH)


def _other(element: ET.Element) -> Attachment:
    """Libvirt's name of the kind, followed by the source."""
    source = element.find("source")
    names = [attribute(source, key) for key in ("network", "bridge", "dev", "path", "address")]
    pci = element.find("source/address")
    if pci is not None and pci.get("type") == "pci":
        names.append(_pci(pci))
    names.append(attribute(element.find("target"), "dev"))
    source_name = next((name for name in names if name), "")
    return Attachment(
        AttachKind.OTHER, printable(f"{element.get('type', '')} {source_name}".strip(), SOURCE_LENGTH)
    )


def _pci(address: ET.Element) -> str:
    """As lspci writes it: 0000:3b:02.1."""
    domain, bus, slot, function = (
        address.get(key, "").removeprefix("0x").zfill(digits)
        for key, digits in (("domain", 4), ("bus", 2), ("slot", 2), ("function", 1))
    )
    return f"{domain}:{bus}:{slot}.{function}"


def _disk(element: ET.Element, volumes: FindVolume) -> Disk | None:
    """A disk or a LUN; CD-ROMs, floppies and empty drives are not disks of the machine."""
    source = element.find("source")
    if element.get("device", "disk") not in ("disk", "lun") or source is None:
        return None
    target = attribute(element.find("target"), "dev")
    if path := source.get("file") or source.get("dev") or source.get("dir"):
        found_volume = volumes.find(path, target)
    else:
        name = source.get("volume") or _remote_name(element, source)
        found_volume = FoundVolume(source.get("pool", ""), name, volumes.size_of(target))
    is_qcow2 = attribute(element.find("driver"), "type") == "qcow2"
    return Disk(
        printable(element.findtext("serial") or target, NAME_LENGTH),
        printable(found_volume.pool, NAME_LENGTH),
        printable(found_volume.name, MAX_PATH),
        found_volume.size_bytes,
        DiskFormat.QCOW2 if is_qcow2 else DiskFormat.RAW,
    )


def _remote_name(disk: ET.Element, source: ET.Element) -> str:
    """A name instead of a volume: `rbd:pool/image`, `nvme 0000:01:00.0 namespace 1`, a socket's path."""
    if protocol := source.get("protocol"):
        return f"{protocol}:{source.get('name', '')}"
    pci = source.find("address")
    if disk.get("type") == "nvme" and pci is not None:
        return f"nvme {_pci(pci)} namespace {source.get('namespace', '')}"
    return source.get("path", "") or disk.get("type", "")
