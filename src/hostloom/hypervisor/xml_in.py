"""libvirt's XML to our model."""

from collections.abc import Callable
from xml.etree import ElementTree as ET

from hostloom.hypervisor.words import ARCH_FROM_LIBVIRT, MARK, MODE_FROM_LIBVIRT
from hostloom.model.attachment import AttachKind, Attachment
from hostloom.model.errors import InvalidValue
from hostloom.model.host import Forward, LibvirtNetwork, StoragePool
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Disk, DiskFormat, PowerState
from hostloom.model.observed import ObservedInterface, ObservedMachine

#: The path of a volume to its pool, name and size in bytes.
FindVolume = Callable[[str], tuple[str, str, int] | None]


def no_volume(_path: str) -> None:
    """Look nothing up."""
    return


_UNITS = {"b": 1, "bytes": 1, "KB": 10**3, "k": 2**10, "KiB": 2**10, "MB": 10**6, "M": 2**20, "MiB": 2**20}
_UNITS |= {"GB": 10**9, "G": 2**30, "GiB": 2**30, "TB": 10**12, "T": 2**40, "TiB": 2**40}


def parse(xml: str) -> ET.Element:
    """An XML document of libvirt's."""
    return ET.fromstring(xml)  # noqa: S314  (see the import)


def size_bytes(element: ET.Element | None, default_unit: str = "bytes") -> int:
    """A `<memory unit=…>`-like element in bytes; 0 when it is missing."""
    if element is None or not element.text:
        return 0
    return int(element.text) * _UNITS[element.get("unit", default_unit)]


def machine(xml: str, power: PowerState, find_volume: FindVolume) -> ObservedMachine:
    """A domain; volumes are looked up only for machines that are not ours: of ours all is recorded."""
    domain = parse(xml)
    mark = domain.find(f"metadata/{MARK}")
    architecture = _attribute(domain.find("os/type"), "arch")
    return ObservedMachine(
        uuid=domain.findtext("uuid", ""),
        name=domain.findtext("name", ""),
        cores=int(domain.findtext("vcpu", "1")),
        memory_mib=size_bytes(domain.find("memory"), "KiB") >> 20,
        power=power,
        architecture=ARCH_FROM_LIBVIRT.get(architecture, architecture),
        interfaces=tuple(filter(None, map(_interface, domain.findall("devices/interface")))),
        disks=tuple(
            filter(
                None,
                (
                    _disk(each, find_volume if mark is None else no_volume)
                    for each in domain.findall("devices/disk")
                ),
            )
        ),
        system_id=mark.get("system-id") if mark is not None else None,
    )


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
    """A disk whose volume is in a pool that we see; CD-ROMs and others are not disks of the machine."""
    source = element.find("source")
    if element.get("device", "disk") != "disk" or source is None:
        return None
    pool, volume = source.get("pool", ""), source.get("volume", "")
    path = source.get("file") or source.get("dev") or ""
    size = 0
    if (found := find_volume(path)) is not None:
        pool, volume, size = found
    name = element.findtext("serial") or _attribute(element.find("target"), "dev")
    is_qcow2 = _attribute(element.find("driver"), "type") == "qcow2"
    return Disk(name, pool, volume or path, size, DiskFormat.QCOW2 if is_qcow2 else DiskFormat.RAW)


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
    )


def storage_pool(xml: str, info: tuple[int, int, int], *, active: bool) -> StoragePool:
    """A storage pool; `info` is (capacity, allocation, available) in bytes, zeros while it is inactive."""
    element = parse(xml)
    return StoragePool(
        name=element.findtext("name", ""),
        kind=element.get("type", ""),
        total_bytes=info[0],
        free_bytes=info[2],
        path=element.findtext("target/path", ""),
        active=active,
    )


def _attribute(element: ET.Element | None, name: str) -> str:
    return "" if element is None else element.get(name, "")
