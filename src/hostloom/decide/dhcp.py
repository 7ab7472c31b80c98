"""What our DHCP should serve: from the model to the intent of one rack, all of it every time."""

from collections.abc import Callable, Iterable

from hostloom.decide.snapshot import Snapshot
from hostloom.model.dhcp import DhcpIntent, DhcpReservation, DhcpSubnet
from hostloom.model.ids import SubnetId, VlanId
from hostloom.model.machine import Machine
from hostloom.model.network import Address, IPRange, RangeKind, Subnet
from hostloom.model.node import Node
from hostloom.model.plan import Plan
from hostloom.model.stored_plan import DhcpAddition


def dhcp_intent(
    snapshot: Snapshot,
    machines: Iterable[Machine],
    rack: Node,
    boot_url_of: Callable[[Address], str],
) -> DhcpIntent:
    """Every subnet of every VLAN that we serve, directly or through a relay, with its reservations."""
    reservations = _reservations(snapshot, machines)
    served = sorted(snapshot.bootable_vlans)
    subnets = [
        _subnet(snapshot, subnet, rack, reservations.get(subnet.id, ()), boot_url_of)
        for vlan_id in served
        for subnet in snapshot.subnets_by_vlan.get(vlan_id, ())
    ]
    return DhcpIntent(tuple(sorted(subnets, key=lambda each: each.id)))


def dhcp_additions(snapshot: Snapshot, plans: Iterable[Plan]) -> tuple[DhcpAddition, ...]:
    """What `dhcp_intent` will have besides once the plans are applied; by subnet, then by address."""
    found = [
        (subnet, DhcpAddition(str(subnet.cidr), nic.mac, ip, plan.spec.name))
        for plan in plans
        for nic in plan.interfaces
        for ip in nic.ips
        if (subnet := _subnet_of(snapshot, nic.vlan_id, ip)) is not None
        and subnet.vlan_id in snapshot.bootable_vlans
    ]
    found.sort(key=lambda pair: (pair[0].id, int(pair[1].ip), pair[1].mac))
    return tuple(each for _, each in found)


def _reservations(
    snapshot: Snapshot, machines: Iterable[Machine]
) -> dict[SubnetId, tuple[DhcpReservation, ...]]:
    found: dict[SubnetId, list[DhcpReservation]] = {}
    for machine in machines:
        for nic in machine.interfaces:
            for ip in nic.ips:
                subnet = _subnet_of(snapshot, nic.vlan_id, ip)
                if subnet is not None:
                    reservation = DhcpReservation(nic.mac, ip, machine.hostname)
                    found.setdefault(subnet.id, []).append(reservation)
    return {key: tuple(sorted(some, key=lambda r: (int(r.ip), r.mac))) for key, some in found.items()}


def _subnet_of(snapshot: Snapshot, vlan_id: VlanId | None, ip: Address) -> Subnet | None:
    if vlan_id is None:
        return None
    return next((s for s in snapshot.subnets_by_vlan.get(vlan_id, ()) if ip in s.cidr), None)


def _subnet(
    snapshot: Snapshot,
    subnet: Subnet,
    rack: Node,
    reservations: tuple[DhcpReservation, ...],
    boot_url_of: Callable[[Address], str],
) -> DhcpSubnet:
    vlan = snapshot.vlan_by_id[subnet.vlan_id]
    interface = _rack_interface(rack, vlan.id)
    rack_address = _rack_address(rack, vlan.id if vlan.dhcp_on else vlan.relay_vlan_id, subnet)
    return DhcpSubnet(
        id=subnet.id,
        cidr=subnet.cidr,
        interface=interface,
        pools=_pools(snapshot, subnet),
        gateway=subnet.gateway,
        dns_servers=subnet.dns_servers,
        mtu=vlan.mtu,
        reservations=reservations,
        # A relay's own address is where its VLAN is routed: the gateway.
        relays=(subnet.gateway,) if interface is None and subnet.gateway is not None else (),
        boot_url=boot_url_of(rack_address) if rack_address is not None else "",
    )


def _pools(snapshot: Snapshot, subnet: Subnet) -> tuple[IPRange, ...]:
    ranges = snapshot.ranges_by_subnet.get(subnet.id, ())
    return tuple(each for each in ranges if each.kind is RangeKind.DYNAMIC)


def _rack_interface(rack: Node, vlan_id: VlanId) -> str | None:
    names = [each.name for each in rack.interfaces if each.vlan_id == vlan_id and each.addresses]
    return min(names, default=None)


def _rack_address(rack: Node, vlan_id: VlanId | None, subnet: Subnet) -> Address | None:
    """The rack's address that machines of the subnet reach: one inside it if there is one."""
    on_vlan = [
        ip
        for each in rack.interfaces
        if each.vlan_id == vlan_id
        for ip in each.ips
        if ip.version == subnet.cidr.version
    ]
    return next((ip for ip in on_vlan if ip in subnet.cidr), on_vlan[0] if on_vlan else None)
