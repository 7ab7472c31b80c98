"""The addresses, leases and default routes of a machine's interfaces.

See docs/explanation/rules.md#the-network-of-a-deployed-machine.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hostloom.decide.snapshot import Snapshot
from hostloom.model.errors.values import InvalidValue
from hostloom.model.interface_config import ConfiguredInterface, InterfaceConfig, InterfaceLink
from hostloom.model.machine import MachineInterface
from hostloom.model.network import Address, Subnet
from hostloom.model.node import InterfaceKind, LinkMode, NodeInterface
from hostloom.model.request import AddressMode


@dataclass(frozen=True, slots=True)
class AddressedInterface:
    """An interface with its addresses, and the subnets in which it takes leases."""

    interface: ConfiguredInterface
    #: Each address with its subnet.
    addresses: tuple[tuple[Address, Subnet], ...] = ()
    #: IP versions of the leases.
    lease_versions: frozenset[int] = frozenset()
    #: Subnets that the leases may be in; empty where none is known.
    lease_subnets: tuple[Subnet, ...] = ()

    def has(self, version: int) -> bool:
        """Whether it has an address or a lease of this IP version."""
        return version in self.lease_versions or any(ip.version == version for ip, _ in self.addresses)

    @property
    def is_addressed(self) -> bool:
        """Whether it has any address or lease."""
        return bool(self.addresses or self.lease_versions)


@dataclass(frozen=True, slots=True)
class DefaultRoute:
    """Which interface has the default route of one IP version."""

    interface: str
    #: None: the DHCP server or the routers of the link announce it.
    gateway: Address | None


def composed_interfaces(nics: Iterable[MachineInterface], snapshot: Snapshot) -> InterfaceConfig:
    """The configuration of a machine that hostloom composed: NICs with their addresses or leases.

    InvalidValue for an address that is in no subnet of its NIC's VLAN.
    """
    return InterfaceConfig(tuple(_composed(nic, snapshot) for nic in nics))


def enlisted_interfaces(nics: Iterable[NodeInterface]) -> InterfaceConfig:
    """The configuration of a bare machine: each NIC with a known VLAN takes a lease, the others are only up.

    The first one with a VLAN counts as the one that booted.
    """
    physical = [nic for nic in nics if nic.kind is InterfaceKind.PHYSICAL and nic.mac is not None]
    boot = next((nic.name for nic in physical if nic.vlan_id is not None), "")
    return InterfaceConfig(tuple(_enlisted(nic, boot=nic.name == boot) for nic in physical))


def _enlisted(nic: NodeInterface, *, boot: bool) -> ConfiguredInterface:
    links = (InterfaceLink(LinkMode.DHCP),) if nic.vlan_id is not None else ()
    return ConfiguredInterface(nic.name, mac=nic.mac, vlan_id=nic.vlan_id, links=links, boot=boot)


def _composed(nic: MachineInterface, snapshot: Snapshot) -> ConfiguredInterface:
    links = tuple(InterfaceLink(LinkMode.STATIC, _subnet_of(ip, nic, snapshot).id, ip) for ip in nic.ips)
    if not links and nic.mode is not AddressMode.UNCONFIGURED:
        links = (InterfaceLink(LinkMode.DHCP),)
    return ConfiguredInterface(nic.name, mac=nic.mac, vlan_id=nic.vlan_id, links=links, boot=nic.boot)


def _subnet_of(ip: Address, nic: MachineInterface, snapshot: Snapshot) -> Subnet:
    for subnet in snapshot.subnets_around(ip):
        if subnet.vlan_id == nic.vlan_id:
            return subnet
    raise InvalidValue("ip", ip, f"of {nic.name} is in no subnet of its VLAN")


def addressed_interfaces(config: InterfaceConfig, snapshot: Snapshot) -> tuple[AddressedInterface, ...]:
    """The interfaces in the order of their default routes: the boot NIC and the interfaces on it come first.

    InvalidValue for an address outside its subnet or one that two links have.
    """
    addressed = [_addressed(interface, snapshot) for interface in config.interfaces]
    ips = [ip for interface in addressed for ip, _ in interface.addresses]
    for ip in ips:
        if ips.count(ip) > 1:
            raise InvalidValue("ip", ip, "is given twice", "give each link an address of its own")
    return tuple(sorted(addressed, key=lambda interface: not _boots(interface.interface, config)))


def _boots(interface: ConfiguredInterface, config: InterfaceConfig) -> bool:
    """Whether it is on the network that the machine boots from; tagged VLANs on the boot NIC are not."""
    if interface.tag_vid is not None:
        return False
    ancestors = list(config.ancestors(interface))
    if any(ancestor.tag_vid is not None for ancestor in ancestors):
        return False
    return interface.boot or any(ancestor.boot for ancestor in ancestors)


def _addressed(interface: ConfiguredInterface, snapshot: Snapshot) -> AddressedInterface:
    addresses: list[tuple[Address, Subnet]] = []
    versions: set[int] = set()
    lease_subnets: list[Subnet] = []
    for link in interface.links:
        subnet = None if link.subnet_id is None else snapshot.subnet_by_id[link.subnet_id]
        if subnet is not None and link.ip is not None:
            if link.ip not in subnet.cidr:
                raise InvalidValue("ip", link.ip, f"of {interface.name} is not in {subnet.cidr}")
            addresses.append((link.ip, subnet))
        else:
            subnets = snapshot.subnets_on(interface.vlan_id) if subnet is None else (subnet,)
            versions |= {subnet.cidr.version for subnet in subnets} or {4}
            lease_subnets += [subnet for subnet in subnets if subnet not in lease_subnets]
    return AddressedInterface(interface, tuple(addresses), frozenset(versions), tuple(lease_subnets))


def default_routes(interfaces: Iterable[AddressedInterface]) -> dict[int, DefaultRoute]:
    """The default route of each IP version: there is at most one.

    It is on the first interface with a subnet that has a gateway. If no subnet has one, it is left to DHCP or
    to router advertisements on the first interface that can get it from them.
    """
    ordered = list(interfaces)
    machine_ips = {ip for interface in ordered for ip, _ in interface.addresses}
    routes = {}
    for version in (4, 6):
        route = _known_route(ordered, version, machine_ips) or _announced_route(ordered, version)
        if route is not None:
            routes[version] = route
    return routes


def _known_route(
    interfaces: list[AddressedInterface], version: int, machine_ips: set[Address]
) -> DefaultRoute | None:
    for interface in interfaces:
        for _, subnet in interface.addresses:
            gateway = subnet.gateway
            if gateway is not None and gateway.version == version and gateway not in machine_ips:
                return DefaultRoute(interface.interface.name, gateway)
        if any(subnet.gateway and subnet.cidr.version == version for subnet in interface.lease_subnets):
            return DefaultRoute(interface.interface.name, None)
    return None


def _announced_route(interfaces: list[AddressedInterface], version: int) -> DefaultRoute | None:
    """Routers announce IPv6 routes even to interfaces with a fixed address."""
    for interface in interfaces:
        if version in interface.lease_versions or (version == 6 and interface.has(6)):
            return DefaultRoute(interface.interface.name, None)
    return None
