"""Removes NICs from the stored definitions of existing machines."""

from xml.etree import ElementTree as ET

import libvirt

from hostloom.hypervisor import xml_in
from hostloom.hypervisor.connection import HostConnection
from hostloom.hypervisor.lookups import find_domain
from hostloom.hypervisor.networks import Proceed
from hostloom.model.ids import MacAddress, SystemId


class LibvirtNics:
    """The part of the hypervisor port that changes the NICs of a machine."""

    _connection: HostConnection

    def _check_ours(self, domain: libvirt.virDomain, action: str, system_id: str | None = None) -> None:
        raise NotImplementedError

    def remove_interface(self, uuid: str, mac: MacAddress, mark: SystemId) -> None:
        """Remove a NIC from a machine's definition; a running machine keeps the NIC until it is off."""
        action = f"take NIC {mac} from machine {uuid}"

        def remove(connection: libvirt.virConnect, proceed: Proceed) -> None:
            domain = find_domain(connection, uuid)
            if domain is None:
                return
            self._check_ours(domain, action, mark)
            persistent_xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
            changed = without_nic(persistent_xml, mac)
            if changed is not None:
                proceed()
                connection.defineXML(changed)

        self._connection.write(action, remove)


def without_nic(xml: str, mac: MacAddress) -> str | None:
    """The domain XML without the NIC of this MAC; None if the domain has no such NIC."""
    domain = xml_in.parse(xml)
    devices = domain.find("devices")
    elements = [nic for nic in domain.iterfind("devices/interface") if _mac_of(nic) == mac.text]
    if devices is None or not elements:
        return None
    for nic in elements:
        devices.remove(nic)
    return ET.tostring(domain, encoding="unicode")


def _mac_of(nic: ET.Element) -> str:
    mac = nic.find("mac")
    return "" if mac is None else mac.get("address", "").lower()
