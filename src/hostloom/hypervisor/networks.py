"""Creates and deletes libvirt networks of a host, and turns the DHCP of any network off or on."""

from collections.abc import Callable, Sequence
from ipaddress import ip_address

import libvirt

from hostloom.hypervisor import network_xml
from hostloom.hypervisor.connection import HostConnection
from hostloom.hypervisor.lookups import find
from hostloom.model.errors.outside import HypervisorRejected
from hostloom.model.ids import MacAddress
from hostloom.model.network_fix import LibvirtDhcp, LibvirtLease, NetworkSpec

#: Called before every change of the host, because the caller may have stopped waiting.
Proceed = Callable[[], None]

_SECTIONS = {
    "host": libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST,
    "range": libvirt.VIR_NETWORK_SECTION_IP_DHCP_RANGE,
}
_ADD, _DELETE = libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE


class LibvirtNetworks:
    """Implements ports.LibvirtNetworks."""

    def __init__(self, connection: HostConnection) -> None:
        self._connection = connection

    def dhcp(self, name: str) -> LibvirtDhcp:
        """The DHCP of the running network and of its stored definition."""
        action = f"read the DHCP of network {name}"
        return self._connection.read(action, lambda c: _dhcp_of(self._get_network(c, name, action)))

    def leases(self, name: str) -> Sequence[LibvirtLease]:
        """Leases by address."""
        action = f"read the leases of network {name}"

        def read(connection: libvirt.virConnect) -> list[LibvirtLease]:
            libvirt_leases = [
                _lease(lease) for lease in self._get_network(connection, name, action).DHCPLeases()
            ]
            return sorted(libvirt_leases, key=lambda lease: (lease.ip.version, int(lease.ip)))

        return self._connection.read(action, read)

    def stop_dhcp(self, name: str) -> None:
        """Remove all DHCP ranges and static hosts; the network, its bridge and its taps stay."""
        self._set_dhcp(f"turn off the DHCP of network {name}", name, LibvirtDhcp())

    def restore_dhcp(self, name: str, saved_dhcp: LibvirtDhcp) -> None:
        """Restore the saved DHCP exactly."""
        self._set_dhcp(f"give network {name} its DHCP back", name, saved_dhcp)

    def _set_dhcp(self, action: str, name: str, new_dhcp: LibvirtDhcp) -> None:
        def change(connection: libvirt.virConnect, proceed: Proceed) -> None:
            network = self._get_network(connection, name, action)
            live_dhcp = _dhcp_of(network)
            if network.isPersistent() and not _same(live_dhcp.kept, new_dhcp.kept):
                persistent_xml = _kept_xml(network)
                proceed()
                connection.networkDefineXML(network_xml.with_dhcp(persistent_xml, new_dhcp.kept))
            if network.isActive():
                _update(network, _dhcp_of(network).running, new_dhcp.running, proceed)

        self._connection.write(action, change)

    def ensure(self, spec: NetworkSpec) -> None:
        """Define and start the network, and set its autostart; steps that are already done are skipped."""
        action = f"make network {spec.name}"

        def make(connection: libvirt.virConnect, proceed: Proceed) -> None:
            network = _find_by_uuid(connection, spec.uuid)
            if network is not None:
                self._check_made_by_us(network, action)
            elif _find(connection, spec.name) is not None:
                raise self._no(action, "another network of that name is there")
            else:
                proceed()
                network = connection.networkDefineXML(network_xml.network_xml(spec))
            if not network.isActive():
                proceed()
                network.create()
            if not network.autostart():
                proceed()
                network.setAutostart(1)

        self._connection.write(action, make)

    def delete(self, uuid: str) -> None:
        """Delete a network; does nothing if it does not exist."""
        action = f"delete network {uuid}"

        def delete(connection: libvirt.virConnect, proceed: Proceed) -> None:
            network = _find_by_uuid(connection, uuid)
            if network is None:
                return
            self._check_made_by_us(network, action)
            proceed()
            if network.isActive():
                network.destroy()
            if network.isPersistent():
                network.undefine()

        self._connection.write(action, delete)

    def _get_network(self, connection: libvirt.virConnect, name: str, action: str) -> libvirt.virNetwork:
        network = _find(connection, name)
        if network is None:
            raise self._no(action, "it does not exist")
        return network

    def _check_made_by_us(self, network: libvirt.virNetwork, action: str) -> None:
        if not network_xml.is_ours(network.XMLDesc()):
            raise self._no(action, f"network {network.name()} is there that hostloom did not make")

    def _no(self, action: str, cause: str) -> HypervisorRejected:
        return HypervisorRejected(self._connection.host, action, cause)


def _update(
    network: libvirt.virNetwork, current_texts: tuple[str, ...], new_texts: tuple[str, ...], proceed: Proceed
) -> None:
    """Change the running network, address by address: libvirt restarts only its dnsmasq.

    Hosts are removed before ranges and added after them: as long as a range exists, changing a host only
    signals dnsmasq.
    """
    for index, current_text in enumerate(current_texts):
        new_text = new_texts[index] if index < len(new_texts) else ""
        for command, tag, texts in (
            (_DELETE, "host", _without(current_text, new_text, "host")),
            (_DELETE, "range", _without(current_text, new_text, "range")),
            (_ADD, "range", _without(new_text, current_text, "range")),
            (_ADD, "host", _without(new_text, current_text, "host")),
        ):
            for text in texts:
                proceed()
                network.update(command, _SECTIONS[tag], index, text, libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE)


def _without(minuend: str, subtrahend: str, tag: str) -> list[str]:
    """The parts of one DHCP text that the other one does not contain."""
    removed_parts = network_xml.parts(subtrahend, tag)
    return [part for part in network_xml.parts(minuend, tag) if part not in removed_parts]


def _same(texts: tuple[str, ...], other_texts: tuple[str, ...]) -> bool:
    """Compare DHCP texts and ignore addresses without DHCP."""
    return [text for text in texts if text] == [text for text in other_texts if text]


def _dhcp_of(network: libvirt.virNetwork) -> LibvirtDhcp:
    running = network_xml.dhcp_texts(network.XMLDesc()) if network.isActive() else ()
    persistent = network_xml.dhcp_texts(_kept_xml(network)) if network.isPersistent() else ()
    return LibvirtDhcp(running, persistent)


def _kept_xml(network: libvirt.virNetwork) -> str:
    """The persistent definition; libvirt's test driver has only one definition."""
    is_test = network.connect().getType() == "TEST"
    return str(network.XMLDesc(0 if is_test else libvirt.VIR_NETWORK_XML_INACTIVE))


def _lease(lease: dict[str, object]) -> LibvirtLease:
    expires_at = float(str(lease["expirytime"]))
    return LibvirtLease(
        MacAddress.parse(str(lease["mac"])),
        ip_address(str(lease["ipaddr"])),
        str(lease["hostname"] or ""),
        expires_at or None,
    )


def _find(connection: libvirt.virConnect, name: str) -> libvirt.virNetwork | None:
    return find(lambda: connection.networkLookupByName(name))


def _find_by_uuid(connection: libvirt.virConnect, uuid: str) -> libvirt.virNetwork | None:
    return find(lambda: connection.networkLookupByUUIDString(uuid))
