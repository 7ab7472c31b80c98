"""Writes libvirt networks as XML (https://libvirt.org/formatnetwork.html) and edits their DHCP."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from hostloom.hypervisor.libvirt_names import NETWORK_MARK, NETWORK_NAMESPACE
from hostloom.hypervisor.xml_in import parse
from hostloom.model.network_fix import NetworkSpec

# ElementTree keeps one prefix per namespace: a second registration replaces the first.
ET.register_namespace("hostloom-network", NETWORK_NAMESPACE)


def network_xml(spec: NetworkSpec) -> str:
    """A network on a bridge of the host, with our mark."""
    network = ET.Element("network")
    ET.SubElement(network, "name").text = spec.name
    ET.SubElement(network, "uuid").text = spec.uuid
    ET.SubElement(ET.SubElement(network, "metadata"), NETWORK_MARK)
    ET.SubElement(network, "forward", mode="bridge")
    ET.SubElement(network, "bridge", name=spec.bridge)
    if spec.ovs:
        ET.SubElement(network, "virtualport", type="openvswitch")
    return ET.tostring(network, encoding="unicode")


def is_ours(xml: str) -> bool:
    """Whether the network has our mark."""
    return parse(xml).find(f"metadata/{NETWORK_MARK}") is not None


def dhcp_texts(xml: str) -> tuple[str, ...]:
    """The `<dhcp>` of each `<ip>` as normalized text; empty for an `<ip>` without DHCP."""
    return tuple(_text(element.find("dhcp")) for element in parse(xml).findall("ip"))


def _text(element: ET.Element | None) -> str:
    if element is None:
        return ""
    for part in element.iter():
        part.text, part.tail = (part.text or "").strip() or None, None
    return ET.tostring(element, encoding="unicode")


def with_dhcp(xml: str, texts: Sequence[str]) -> str:
    """The network with the `<dhcp>` of each `<ip>` replaced; an empty text removes it."""
    network = parse(xml)
    for index, ip in enumerate(network.findall("ip")):
        if (dhcp := ip.find("dhcp")) is not None:
            ip.remove(dhcp)
        if index < len(texts) and texts[index]:
            ip.append(parse(texts[index]))
    return ET.tostring(network, encoding="unicode")


def parts(text: str, tag: str) -> list[str]:
    """The `<range>` or `<host>` elements of a `<dhcp>`, in order."""
    return [ET.tostring(element, encoding="unicode") for element in parse(text).findall(tag)] if text else []
