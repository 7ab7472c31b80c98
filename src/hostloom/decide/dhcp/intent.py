"""Computes the complete DHCP intent of a rack from the model."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hostloom.decide.dhcp.serving_racks import ha_intent, served_by
from hostloom.decide.snapshot import Snapshot
from hostloom.model.dhcp import DhcpIntent, DhcpReservation, DhcpSubnet, PublishedNic
from hostloom.model.ids import MacAddress, SubnetId, VlanId, natural_key
from hostloom.model.network import Address, AddressKind, IPRange, RangeKind, Subnet, Vlan
from hostloom.model.node import Node, NodeInterface
from hostloom.model.plan import Plan
from hostloom.model.rack import Rack
from hostloom.model.stored_plan import DhcpAddition

#: Kinds of held addresses that belong to machines.
_PUBLISHED = (AddressKind.AUTO, AddressKind.STATIC)


def dhcp_intent(
    snapshot: Snapshot,
    nics: Iterable[PublishedNic],
    racks: Sequence[Rack],
    rack: Rack,
    boot_url_of: Callable[[Address], str],
    boot_node: Node | None = None,
) -> DhcpIntent:
    """All subnets of all VLANs that a rack or its partner serves, directly or through a relay.

    Its node must be in the snapshot. Boot files are on `boot_node`, the machine that hostloom runs on,
    whichever rack points to them; None: on the rack.
    """
    node = snapshot.node_by_system_id[rack.system_id]
    reservations = _reservations(snapshot, nics)
    boot = _BootFiles(boot_node or node, boot_url_of)
    subnets = [
        _subnet(snapshot, subnet, node, reservations.get(subnet.id, ()), boot)
        for vlan_id in served_by(snapshot, racks, rack)
        for subnet in snapshot.subnets_by_vlan.get(vlan_id, ())
    ]
    ha = ha_intent(snapshot, racks, rack)
    return DhcpIntent(tuple(sorted(subnets, key=lambda dhcp_subnet: dhcp_subnet.id)), ha=ha)


def dhcp_additions(snapshot: Snapshot, plans: Iterable[Plan]) -> tuple[DhcpAddition, ...]:
    """The additional reservations in `dhcp_intent` after the plans are applied, by subnet and address."""
    additions = []
    for plan in plans:
        for nic, subnet_ids in zip(plan.interfaces, plan.subnet_ids, strict=True):
            addresses = zip(subnet_ids, nic.ips, strict=True)
            for subnet_id, ip in _one_a_subnet(addresses):
                subnet = snapshot.subnet_by_id[subnet_id]
                if subnet.vlan_id in snapshot.bootable_vlans:
                    additions.append((subnet_id, DhcpAddition(str(subnet.cidr), nic.mac, ip, plan.spec.name)))
    additions.sort(key=lambda pair: (pair[0], int(pair[1].ip), pair[1].mac))
    return tuple(dhcp_addition for _, dhcp_addition in additions)


def _reservations(
    snapshot: Snapshot, nics: Iterable[PublishedNic]
) -> dict[SubnetId, tuple[DhcpReservation, ...]]:
    """The reservations of all machines by subnet, in the order of the NICs' addresses."""
    addresses = _published_addresses(snapshot, nics)
    macs = {(nic.system_id, subnet_id, nic.mac) for nic, subnet_id, _ in addresses}
    nic_counts = Counter((system_id, subnet_id) for system_id, subnet_id, _ in macs)
    by_subnet: dict[SubnetId, list[DhcpReservation]] = {}
    for nic, subnet_id, ip in addresses:
        # The DUID from a machine's UUID does not distinguish two NICs on one subnet.
        uuid = nic.uuid if ip.version == 6 and nic_counts[nic.system_id, subnet_id] == 1 else ""
        by_subnet.setdefault(subnet_id, []).append(DhcpReservation(nic.mac, ip, nic.hostname, uuid))
    return {subnet_id: tuple(sorted(items, key=_by_address)) for subnet_id, items in by_subnet.items()}


def _published_addresses(
    snapshot: Snapshot, nics: Iterable[PublishedNic]
) -> list[tuple[PublishedNic, SubnetId, Address]]:
    """One address per subnet for every NIC, in the order of the NIC's addresses."""
    held = {
        (address.system_id, address.interface_name, address.ip): (address.subnet_id, address.ip)
        for address in snapshot.held
        if address.kind in _PUBLISHED and address.subnet_id is not None
    }
    addresses: list[tuple[PublishedNic, SubnetId, Address]] = []
    for nic in nics:
        keys = [(nic.system_id, nic.name, ip) for ip in nic.ips]
        addresses += [(nic, *pair) for pair in _one_a_subnet(held[key] for key in keys if key in held)]
    return addresses


def _by_address(reservation: DhcpReservation) -> tuple[int, MacAddress]:
    return int(reservation.ip), reservation.mac


def _one_a_subnet(addresses: Iterable[tuple[SubnetId, Address]]) -> list[tuple[SubnetId, Address]]:
    """The published addresses of a client: the first one of a subnet with DHCPv4, all with DHCPv6."""
    first_addresses: dict[tuple[SubnetId, Address | None], tuple[SubnetId, Address]] = {}
    for subnet_id, ip in addresses:
        first_addresses.setdefault((subnet_id, None if ip.version == 4 else ip), (subnet_id, ip))
    return list(first_addresses.values())


def _subnet(
    snapshot: Snapshot,
    subnet: Subnet,
    rack: Node,
    reservations: tuple[DhcpReservation, ...],
    boot: "_BootFiles",
) -> DhcpSubnet:
    vlan = snapshot.vlan_by_id[subnet.vlan_id]
    interface = _rack_interface(snapshot, rack, vlan, subnet.cidr.version)
    boot_address = boot.address(vlan.id if vlan.dhcp_on else vlan.relay_vlan_id, subnet)
    return DhcpSubnet(
        id=subnet.id,
        cidr=subnet.cidr,
        interface=None if interface is None else interface.name,
        pools=_pools(snapshot, subnet),
        gateway=subnet.gateway,
        dns_servers=subnet.dns_servers,
        mtu=vlan.mtu,
        reservations=reservations,
        relays=_relays(subnet) if interface is None else (),
        boot_url="" if boot_address is None else boot.url_of(boot_address),
        vlan_id=vlan.id,
        ntp_servers=subnet.ntp_servers,
        lease_time_s=subnet.lease_time_s,
    )


def _relays(subnet: Subnet) -> tuple[Address, ...]:
    """The addresses of relays: the gateways of their VLANs, except link-local ones."""
    gateway = subnet.gateway
    return () if gateway is None or gateway.is_link_local else (gateway,)


def _pools(snapshot: Snapshot, subnet: Subnet) -> tuple[IPRange, ...]:
    ranges = snapshot.ranges_by_subnet.get(subnet.id, ())
    return tuple(range_ for range_ in ranges if range_.kind is RangeKind.DYNAMIC)


def _rack_interface(snapshot: Snapshot, rack: Node, vlan: Vlan, version: int) -> NodeInterface | None:
    """The rack's interface for all subnets of the VLAN; none for a VLAN that is served by a relay.

    DHCPv6 needs only a link-local address, which every interface has, although no inventory records it.
    """
    if not vlan.dhcp_on:
        return None
    cidrs = [subnet.cidr for subnet in snapshot.subnets_by_vlan.get(vlan.id, ())]

    def worth(interface: NodeInterface) -> tuple[bool, bool, object]:
        inside = any(ip in cidr for ip in interface.ips for cidr in cidrs)
        return (not _has(interface, version), not inside, natural_key(interface.name))

    able = [
        _with_address
        for _with_address in _with_addresses(rack, vlan.id)
        if version == 6 or _has(_with_address, version)
    ]
    return min(able, key=worth, default=None)


@dataclass(frozen=True)
class _BootFiles:
    """The node with the boot files, and their URL at one of its addresses."""

    node: Node
    url_of: Callable[[Address], str]

    def address(self, vlan_id: VlanId | None, subnet: Subnet) -> Address | None:
        return server_address(self.node, vlan_id, subnet)


def server_address(node: Node, vlan_id: VlanId | None, subnet: Subnet) -> Address | None:
    """A node's address that a subnet's machines can reach: in the subnet, else on its VLAN, else routed."""
    on_vlan = _addresses(_with_addresses(node, vlan_id), subnet)
    inside = [ip for ip in on_vlan if ip in subnet.cidr]
    elsewhere = _addresses(node.interfaces, subnet)
    return next(iter([*inside, *on_vlan, *elsewhere]), None)


def _addresses(interfaces: Iterable[NodeInterface], subnet: Subnet) -> list[Address]:
    """The node's reachable addresses of the subnet's family, by interface."""
    return [
        ip
        for interface in sorted(interfaces, key=lambda i: natural_key(i.name))
        for ip in interface.ips
        if ip.version == subnet.cidr.version and not ip.is_link_local and not ip.is_loopback
    ]


def _with_addresses(rack: Node, vlan_id: VlanId | None) -> list[NodeInterface]:
    """Interfaces on the VLAN with an address, without ports of bridges."""
    return [
        interface
        for interface in rack.interfaces
        if vlan_id is not None and interface.vlan_id == vlan_id and interface.ips
    ]


def _has(interface: NodeInterface, version: int) -> bool:
    return any(ip.version == version for ip in interface.ips)
