"""Reads networks, storage pools, volumes and single values from libvirt's XML."""

from xml.etree import ElementTree as ET

from hostloom.model.finding import printable
from hostloom.model.host import Forward, LibvirtNetwork, StoragePool
from hostloom.model.network import MAX_VID, UNTAGGED

#: The longest text that libvirt's protocol allows.
MAX_XML = 4 << 20
#: Maximum of one machine; further ones are left out.
MAX_DEVICES = 1000
#: Length of names that are stored unchanged: of machines, networks, pools and interface sources.
NAME_LENGTH, SOURCE_LENGTH, MODEL_LENGTH = 255, 200, 40
#: Upper limit of numbers, which fits every column and calculation.
MAX_CPUS, MAX_BYTES = 10**6, 2**62
MAX_PATH = 4096
_UNITS = {"b": 1, "byte": 1, "bytes": 1}
for _power, _letter in enumerate("kmgtpe", 1):
    _UNITS |= {_letter: 1024**_power, f"{_letter}ib": 1024**_power, f"{_letter}b": 1000**_power}


def parse(xml: str) -> ET.Element:
    """Parse an XML document of libvirt."""
    if len(xml) > MAX_XML:
        raise ValueError(f"{len(xml)} characters of XML, more than {MAX_XML}")
    return ET.fromstring(xml)  # noqa: S314  (expat 2.4.1 and later bound entities)


def size_bytes(element: ET.Element | None, default_unit: str = "bytes") -> int:
    """A `<memory unit=…>`-like element in bytes, in any unit that libvirt knows; 0 when it is missing."""
    if element is None or not element.text:
        return 0
    return size_of(element.text, element.get("unit", default_unit))


def size_of(text: str, unit: str) -> int:
    """A number with a unit in bytes."""
    if unit.lower() not in _UNITS:
        raise ValueError(f"{text.strip()[:20]} in the unit {unit!r}")
    size = count(text) * _UNITS[unit.lower()]
    if size > MAX_BYTES:
        raise ValueError(f"{text.strip()} {unit}, which is more than there can be")
    return size


def count(text: str) -> int:
    """A number from 0 to MAX_BYTES."""
    return number_up_to(text, MAX_BYTES)


def number_up_to(text: str, most: int) -> int:
    """A number from 0 to `most`; ValueError for any other text."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= most):
        raise ValueError(f"{text[:40]!r}")
    return int(text)


def name_of(element: ET.Element, noun: str) -> str:
    """The `<name>` of an object. ValueError if it is missing or has unprintable characters."""
    name = element.findtext("name", "")
    if not name or name != printable(name, NAME_LENGTH):
        raise ValueError(f"a {noun} called {name!r}")
    return name


def network(xml: str, *, active: bool) -> LibvirtNetwork:
    """A libvirt network; its DHCP is on if an `<ip>` contains `<dhcp>`."""
    element = parse(xml)
    forward = element.find("forward")
    mode = None
    if forward is not None:
        forward_mode = forward.get("mode", "nat")
        mode = Forward(forward_mode) if forward_mode in ("nat", "route", "bridge") else Forward.OTHER
    return LibvirtNetwork(
        name_of(element, "network"),
        active,
        attribute(element.find("bridge"), "name") or None,
        element.find("ip/dhcp") is not None,
        mode,
        _network_vid(element),
        _parents(forward),
        forward is not None and forward.get("mode") == "passthrough",
    )


def _network_vid(network: ET.Element) -> int | None:
    """The VLAN of machines without a portgroup (https://libvirt.org/formatnetwork.html, `<vlan>`)."""
    default = next((group for group in network.findall("portgroup") if group.get("default") == "yes"), None)
    tagged = None if default is None else default.find("vlan")
    return vlan_vid(network.find("vlan") if tagged is None else tagged)


def vlan_vid(vlan: ET.Element | None) -> int | None:
    """VLAN of untagged frames: 0 without a `<vlan>`; None for a trunk without a native tag."""
    if vlan is None:
        return UNTAGGED
    tags = vlan.findall("tag")
    native = next((tag for tag in tags if tag.get("nativeMode") is not None), None)
    if native is not None:
        # Frames of a tagged native VLAN keep their tag, which the machine does not expect.
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
        name=name_of(element, "storage pool"),
        kind=printable(element.get("type", ""), MODEL_LENGTH),
        total_bytes=size_bytes(element.find("capacity")) if active else 0,
        free_bytes=size_bytes(element.find("available")) if active else 0,
        path=element.findtext("target/path", ""),
        active=active,
    )


def volume(xml: str) -> tuple[int, str]:
    """A volume's size in bytes and its format."""
    element = parse(xml)
    return size_bytes(element.find("capacity")), attribute(element.find("target/format"), "type")


def attribute(element: ET.Element | None, name: str) -> str:
    """An attribute of an element; empty if either does not exist."""
    return "" if element is None else element.get(name, "")
