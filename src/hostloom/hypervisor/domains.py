"""Domains that stand in for bare machines: found by name, with a boot order that can be changed."""

from xml.etree import ElementTree as ET

import libvirt

from hostloom.hypervisor import xml_in
from hostloom.hypervisor.connection import HostConnection
from hostloom.hypervisor.lookups import find, find_domain, mark_of
from hostloom.hypervisor.networks import Proceed
from hostloom.model.errors.outside import HypervisorRejected
from hostloom.ports.hypervisor import BootDevice


class LibvirtDomains:
    """The domains of one host that hostloom did not compose."""

    def __init__(self, connection: HostConnection) -> None:
        self._connection = connection

    def find_uuid(self, name: str) -> str | None:
        """The UUID of a domain by name."""

        def read(connection: libvirt.virConnect) -> str | None:
            domain = find(lambda: connection.lookupByName(name))
            return None if domain is None else str(domain.UUIDString())

        return self._connection.read(f"find domain {name}", read)

    def boot_first(self, uuid: str, device: BootDevice) -> None:
        """Change the boot order in the stored definition; a running domain follows at its next start."""
        action = f"let machine {uuid} boot from {device}"

        def change(connection: libvirt.virConnect, proceed: Proceed) -> None:
            domain = find_domain(connection, uuid)
            if domain is None:
                raise HypervisorRejected(self._connection.host, action, "it does not exist")
            if mark_of(domain) is not None:
                raise HypervisorRejected(self._connection.host, action, "hostloom composed it")
            xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
            changed = with_boot_order(xml, device)
            proceed()
            connection.defineXML(changed)

        self._connection.write(action, change)


def with_boot_order(xml: str, device: BootDevice) -> str:
    """The domain XML with NICs or disks first, in the order in which they are listed."""
    domain = xml_in.parse(xml)
    for parent in domain.findall("os") + domain.findall("devices/*"):
        for boot in parent.findall("boot"):
            parent.remove(boot)
    nics = domain.findall("devices/interface")
    disks = [disk for disk in domain.iterfind("devices/disk") if disk.get("device", "disk") == "disk"]
    ordered = nics + disks if device is BootDevice.NETWORK else disks + nics
    for number, element in enumerate(ordered, start=1):
        ET.SubElement(element, "boot", order=str(number))
    return ET.tostring(domain, encoding="unicode")
