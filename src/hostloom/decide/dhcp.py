"""What our DHCP should serve: from the model to the intent of one rack, all of it every time."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from hostloom.decide.serving import ha_intent, served_by
from hostloom.decide.snapshot import Snapshot
from hostloom.model.dhcp import DhcpIntent, DhcpReservation, DhcpSubnet
from hostloom.model.ids import SubnetId, VlanId, natural_key
from hostloom.model.machine import Machine
from hostloom.model.network import Address, AddressKind, IPRange, RangeKind, Subnet, Vlan
from hostloom.model.node import Node, NodeInterface
from hostloom.model.plan import Plan
from hostloom.model.rack import Rack
from hostloom.model.stored_plan import DhcpAddition

#: Kinds of held addresses that are a machine's own.
_PUBLISHED = (AddressKind.AUTO, AddressKind.STATIC)


def dhcp_intent(
    snapshot: Snapshot,
    machines: Iterable[Machine],
    racks: Sequence[Rack],
    rack: Rack,
    boot_url_of: Callable[[Address], str],
) -> DhcpIntent:
    """Every subnet of every VLAN that a rack, or its partner, serves, directly or through a relay.

    Its node must be in the snapshot.
    """
    node = snapshot.node_by_system_id[rack.system_id]
    reservations = _reservations(snapshot, machines)
    subnets = [
        _subnet(snapshot, subnet, node, reservations.get(subnet.id, ()), boot_url_of)
        for vlan_id in served_by(snapshot, racks, rack)
        for subnet in snapshot.subnets_by_vlan.get(vlan_id, ())
    ]
    ha = ha_intent(snapshot, racks, rack)
    return DhcpIntent(tuple(sorted(subnets, key=lambda each: each.id)), ha=ha)


def dhcp_additions(snapshot: Snapshot, plans: Iterable[Plan]) -> tuple[DhcpAddition, ...]:
    """What `dhcp_intent` will have besides once the plans are applied; by subnet, then by address."""
    found = []
    for plan in plans:
        for nic in plan.interfaces:
            own = zip(nic.subnet_ids, nic.ips, strict=True)
            for subnet_id, ip in _one_a_subnet(own):
                subnet = snapshot.subnet_by_id[subnet_id]
                if subnet.vlan_id in snapshot.bootable_vlans:
                    found.append((subnet_id, DhcpAddition(str(subnet.cidr), nic.mac, ip, plan.spec.name)))
    found.sort(key=lambda pair: (pair[0], int(pair[1].ip), pair[1].mac))
    return tuple(each for _, each in found)


def _reservations(
    snapshot: Snapshot, machines: Iterable[Machine]
) -> dict[SubnetId, tuple[DhcpReservation, ...]]:
    """The addresses that each machine's NICs hold, by subnet; the order of the NIC's own addresses counts."""
    held = {
        (each.system_id, each.interface_name, each.ip): (each.subnet_id, each.ip)
        for each in snapshot.held
        if each.kind in _PUBLISHED and each.subnet_id is not None
    }
    found: dict[SubnetId, list[DhcpReservation]] = {}
    for machine in machines:
        own = []
        for nic in machine.interfaces:
            keys = [(machine.system_id, nic.name, ip) for ip in nic.ips]
            own += [(each, nic.mac) for each in _one_a_subnet(held[key] for key in keys if key in held)]
        nics = Counter(subnet_id for subnet_id, _ in {(subnet_id, mac) for (subnet_id, _), mac in own})
        for (subnet_id, ip), mac in own:
            # Two NICs on one subnet cannot be told apart by the machine that they are of.
            uuid = machine.uuid if ip.version == 6 and nics[subnet_id] == 1 else ""
            found.setdefault(subnet_id, []).append(DhcpReservation(mac, ip, machine.hostname, uuid))
    return {key: tuple(sorted(some, key=lambda r: (int(r.ip), r.mac))) for key, some in found.items()}


def _one_a_subnet(own: Iterable[tuple[SubnetId, Address]]) -> list[tuple[SubnetId, Address]]:
    """DHCPv4 gives a client one address: the first of a subnet. DHCPv6 gives it all."""
    found: dict[tuple[SubnetId, Address | None], tuple[SubnetId, Address]] = {}
    for subnet_id, ip in own:
        found.setdefault((subnet_id, None if ip.version == 4 else ip), (subnet_id, ip))
    return list(found.values())


def _subnet(
    snapshot: Snapshot,
    subnet: Subnet,
    rack: Node,
    reservations: tuple[DhcpReservation, ...],
    boot_url_of: Callable[[Address], str],
) -> DhcpSubnet:
    vlan = snapshot.vlan_by_id[subnet.vlan_id]
    interface = _rack_interface(snapshot, rack, vlan, subnet.cidr.version)
    rack_address = _rack_address(rack, vlan.id if vlan.dhcp_on else vlan.relay_vlan_id, subnet)
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
        boot_url=boot_url_of(rack_address) if rack_address is not None else "",
        vlan_id=vlan.id,
        ntp_servers=subnet.ntp_servers,
        lease_time_s=subnet.lease_time_s,
    )


def _relays(subnet: Subnet) -> tuple[Address, ...]:
    """A relay's own address is where its VLAN is routed: the gateway, unless that is link-local."""
    gateway = subnet.gateway
    return () if gateway is None or gateway.is_link_local else (gateway,)


def _pools(snapshot: Snapshot, subnet: Subnet) -> tuple[IPRange, ...]:
    ranges = snapshot.ranges_by_subnet.get(subnet.id, ())
    return tuple(each for each in ranges if each.kind is RangeKind.DYNAMIC)


def _rack_interface(snapshot: Snapshot, rack: Node, vlan: Vlan, version: int) -> NodeInterface | None:
    """The one that serves the VLAN, the same for all its subnets; none on a VLAN that a relay serves.

    DHCPv6 needs no more than a link-local address, which every interface has and no inventory records.
    """
    if not vlan.dhcp_on:
        return None
    cidrs = [each.cidr for each in snapshot.subnets_by_vlan.get(vlan.id, ())]

    def worth(interface: NodeInterface) -> tuple[bool, bool, object]:
        inside = any(ip in cidr for ip in interface.ips for cidr in cidrs)
        return (not _has(interface, version), not inside, natural_key(interface.name))

    able = [each for each in _with_addresses(rack, vlan.id) if version == 6 or _has(each, version)]
    return min(able, key=worth, default=None)


def _rack_address(rack: Node, vlan_id: VlanId | None, subnet: Subnet) -> Address | None:
    """The rack's address that machines of the subnet reach: one inside it if there is one."""
    on_vlan = [
        ip
        for each in sorted(_with_addresses(rack, vlan_id), key=lambda i: natural_key(i.name))
        for ip in each.ips
        if ip.version == subnet.cidr.version and not ip.is_link_local
    ]
    return next((ip for ip in on_vlan if ip in subnet.cidr), on_vlan[0] if on_vlan else None)


def _with_addresses(rack: Node, vlan_id: VlanId | None) -> list[NodeInterface]:
    """Interfaces on the VLAN with an address; ports of a bridge have none of their own."""
    return [each for each in rack.interfaces if vlan_id is not None and each.vlan_id == vlan_id and each.ips]


def _has(interface: NodeInterface, version: int) -> bool:
    return any(ip.version == version for ip in interface.ips)
