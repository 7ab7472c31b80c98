"""libvirt's XML to our model."""

from collections.abc import Callable
from typing import NamedTuple
from xml.etree import ElementTree as ET

from hostloom.hypervisor.words import ARCH_FROM_LIBVIRT, MARK, MODE_FROM_LIBVIRT
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.errors import InvalidValue
from hostloom.model.host import Forward, LibvirtNetwork, StoragePool
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Disk, DiskFormat, PowerState
from hostloom.model.network import MAX_VID, UNTAGGED
from hostloom.model.observed import ObservedInterface, ObservedMachine


class FoundVolume(NamedTuple):
    """A volume in a pool."""

    pool: str
    name: str
    size_bytes: int


#: The path of a disk to the volume that it is.
FindVolume = Callable[[str], FoundVolume]


_UNITS = {"b": 1, "bytes": 1, "KB": 10**3, "k": 2**10, "KiB": 2**10, "MB": 10**6, "M": 2**20, "MiB": 2**20}
_UNITS |= {"GB": 10**9, "G": 2**30, "GiB": 2**30, "TB": 10**12, "T": 2**40, "TiB": 2**40}


def parse(xml: str) -> ET.Element:
    """An XML document of libvirt's."""
    return ET.fromstring(xml)  # noqa: S314  (expat 2.4.1 and later bound entities)


def size_bytes(element: ET.Element | None, default_unit: str = "bytes") -> int:
    """A `<memory unit=…>`-like element in bytes; 0 when it is missing."""
    if element is None or not element.text:
        return 0
    return int(element.text) * _UNITS[element.get("unit", default_unit)]


def mark_of(domain: ET.Element) -> str | None:
    """Our mark in a domain's metadata: the system id of a machine that hostloom made."""
    mark = domain.find(f"metadata/{MARK}")
    return None if mark is None else mark.get("system-id")


def machine(xml: str, power: PowerState, find_volume: FindVolume) -> ObservedMachine:
    """A domain."""
    domain = parse(xml)
    architecture = _attribute(domain.find("os/type"), "arch")
    interfaces = map(_interface, domain.findall("devices/interface"))
    disks = (_disk(each, find_volume) for each in domain.findall("devices/disk"))
    return ObservedMachine(
        uuid=domain.findtext("uuid", ""),
        name=domain.findtext("name", ""),
        cores=int(domain.findtext("vcpu", "1")),
        memory_mib=size_bytes(domain.find("memory"), "KiB") >> 20,
        power=power,
        architecture=ARCH_FROM_LIBVIRT.get(architecture, architecture),
        interfaces=tuple(each for each in interfaces if each is not None),
        disks=tuple(each for each in disks if each is not None),
        system_id=mark_of(domain),
    )


def console_log(xml: str) -> str:
    """Path of the file that the first serial console is logged to, or nothing."""
    return _attribute(parse(xml).find("devices/serial/log"), "file")


def _interface(element: ET.Element) -> ObservedInterface | None:
    try:
        mac = MacAddress.parse(_attribute(element.find("mac"), "address"))
    except InvalidValue:
        return None
    return ObservedInterface(
        mac,
        _attachment(element),
        _attribute(element.find("target"), "dev"),
        _attribute(element.find("model"), "type"),
    )


def _attachment(element: ET.Element) -> Attachment | None:
    """A running NIC of a bridged network shows as a bridge that names its network: that is a network."""
    source = element.find("source")
    if source is None:
        return None
    if network := source.get("network"):
        return Attachment(AttachKind.NETWORK, network)
    kind = element.get("type")
    if kind == "bridge" and (bridge := source.get("bridge")):
        ovs = _attribute(element.find("virtualport"), "type") == "openvswitch"
        return Attachment(AttachKind.BRIDGE, bridge, ovs=ovs)
    mode = MODE_FROM_LIBVIRT.get(source.get("mode", "vepa"))
    if kind == "direct" and mode is not None:
        return Attachment(AttachKind.MACVLAN, source.get("dev", ""), mode)
    return None


def _disk(element: ET.Element, find_volume: FindVolume) -> Disk | None:
    """A disk; CD-ROMs, floppies and empty drives are not disks of the machine."""
    source = element.find("source")
    if element.get("device", "disk") != "disk" or source is None:
        return None
    found = FoundVolume(source.get("pool", ""), source.get("volume", ""), 0)
    if path := source.get("file") or source.get("dev"):
        found = find_volume(path)
    name = element.findtext("serial") or _attribute(element.find("target"), "dev")
    is_qcow2 = _attribute(element.find("driver"), "type") == "qcow2"
    kind = DiskFormat.QCOW2 if is_qcow2 else DiskFormat.RAW
    return Disk(name, found.pool, found.name, found.size_bytes, kind)


def network(xml: str, *, active: bool) -> LibvirtNetwork:
    """A libvirt network; its DHCP is on where an `<ip>` has `<dhcp>` in it."""
    element = parse(xml)
    forward = element.find("forward")
    mode = None
    if forward is not None:
        word = forward.get("mode", "nat")
        mode = Forward(word) if word in ("nat", "route", "bridge") else Forward.OTHER
    return LibvirtNetwork(
        element.findtext("name", ""),
        active,
        _attribute(element.find("bridge"), "name") or None,
        element.find("ip/dhcp") is not None,
        mode,
        _network_vid(element),
        _parents(forward),
        forward is not None and forward.get("mode") == "passthrough",
    )


def _network_vid(network: ET.Element) -> int | None:
    """The VLAN of a machine that names no portgroup (https://libvirt.org/formatnetwork.html, `<vlan>`)."""
    default = next((group for group in network.findall("portgroup") if group.get("default") == "yes"), None)
    tagged = None if default is None else default.find("vlan")
    return vlan_vid(network.find("vlan") if tagged is None else tagged)


def vlan_vid(vlan: ET.Element | None) -> int | None:
    """The VLAN of untagged frames: 0 without a `<vlan>`; None for a trunk, unless it has a native tag."""
    if vlan is None:
        return UNTAGGED
    tags = vlan.findall("tag")
    native = next((tag for tag in tags if tag.get("nativeMode") is not None), None)
    if native is not None:
        # Frames of a tagged native VLAN reach the machine with their tag, which it does not expect.
        return _tag_id(native) if native.get("nativeMode") == "untagged" else None
    return _tag_id(tags[0]) if len(tags) == 1 and vlan.get("trunk") != "yes" else None


def _tag_id(tag: ET.Element) -> int:
    vid = int(tag.get("id", ""))
    if not UNTAGGED <= vid <= MAX_VID:
        raise ValueError(f"tag {vid}, where 0 to {MAX_VID} are possible")
    return vid


def _parents(forward: ET.Element | None) -> tuple[str, ...]:
    """Host interfaces for macvtaps; bridged networks name a bridge instead."""
    if forward is None or forward.get("mode") not in ("bridge", "private", "vepa", "passthrough"):
        return ()
    devices = [forward.get("dev", ""), *(device.get("dev", "") for device in forward.findall("interface"))]
    return tuple(dict.fromkeys(filter(None, devices)))


def storage_pool(xml: str, *, active: bool) -> StoragePool:
    """A storage pool; its sizes are zero while it is not active."""
    element = parse(xml)
    return StoragePool(
        name=element.findtext("name", ""),
        kind=element.get("type", ""),
        total_bytes=size_bytes(element.find("capacity")) if active else 0,
        free_bytes=size_bytes(element.find("available")) if active else 0,
        path=element.findtext("target/path", ""),
        active=active,
    )


def volume(xml: str) -> tuple[int, str]:
    """A volume's size in bytes and its format."""
    element = parse(xml)
    return size_bytes(element.find("capacity")), _attribute(element.find("target/format"), "type")


def _attribute(element: ET.Element | None, name: str) -> str:
    return "" if element is None else element.get(name, "")
