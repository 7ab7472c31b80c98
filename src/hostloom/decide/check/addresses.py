"""Checks addresses: the requested ones, or a free one in a subnet of the NIC's VLAN."""

from collections.abc import Iterator, Sequence

from hostloom.decide.check.constraints import Scene, names_subnet
from hostloom.decide.snapshot import Snapshot
from hostloom.model.ids import SubnetId
from hostloom.model.machine import MachineInterface
from hostloom.model.network import Address, RangeKind, Subnet
from hostloom.model.request import AddressMode, LabelConstraints


def check_addresses(scene: Scene) -> Iterator[str]:
    """Every address may be given and is given once; every NIC has the addresses that it should have."""
    addresses = [ip for nic in scene.plan.interfaces for ip in nic.ips]
    if len(set(addresses)) != len(addresses):
        yield "one address for two NICs"
    default = LabelConstraints("eth0", "eth0")
    plan = scene.plan
    if len(plan.subnet_ids) != len(plan.interfaces):
        yield "every NIC has its subnets"
    for index, (nic, subnet_ids) in enumerate(zip(plan.interfaces, plan.subnet_ids, strict=False)):
        if len(nic.ips) != len(subnet_ids):
            yield f"{nic.name}: every address has its subnet"
        for ip, subnet_id in zip(nic.ips, subnet_ids, strict=False):
            yield from _one(scene.snapshot, nic, ip, subnet_id)
        label = scene.labels[index] if index < len(scene.labels) else default
        yield from _as_labelled(scene.snapshot, nic, subnet_ids, label)


def _one(snapshot: Snapshot, nic: MachineInterface, ip: Address, subnet_id: SubnetId) -> Iterator[str]:
    subnet = snapshot.subnet_by_id.get(subnet_id)
    if subnet is None or ip not in subnet.cidr or subnet.vlan_id != nic.vlan_id:
        yield f"{nic.name}: {ip} is not of a subnet on its VLAN"
        return
    if any(address.subnet_id in (None, subnet_id) for address in snapshot.held_by_ip.get(ip, ())):
        yield f"{nic.name}: {ip} is held"
    if not _is_ours(snapshot, subnet, int(ip)):
        yield f"{nic.name}: {ip} is not ours to give"


def _as_labelled(
    snapshot: Snapshot, nic: MachineInterface, subnet_ids: Sequence[SubnetId], label: LabelConstraints
) -> Iterator[str]:
    on_vlan = () if nic.vlan_id is None else snapshot.subnets_by_vlan.get(nic.vlan_id, ())
    if nic.mode is not _mode(nic, label, on_vlan):
        yield f"{nic.name}: mode={nic.mode} for mode={label.mode}"
    if _names_twice(label) and not any(names_subnet(snapshot, subnet, label) for subnet in snapshot.subnets):
        yield f"{nic.name}: subnet= and subnet_cidr= name no common subnet"
    if label.ips:
        yield from _requested(snapshot, nic, subnet_ids, label)
    else:
        used = [subnet for subnet in on_vlan if subnet.id in subnet_ids]
        count = 1 if label.mode is AddressMode.AUTO and on_vlan else 0
        yield from _automatic(snapshot, nic, used, label, count)


def _requested(
    snapshot: Snapshot, nic: MachineInterface, subnet_ids: Sequence[SubnetId], label: LabelConstraints
) -> Iterator[str]:
    """With `ip=`: these addresses, each in the smallest subnet around it."""
    if nic.ips != label.ips:
        yield f"{nic.name}: other addresses than those asked for"
    yield from _longest(snapshot, nic, subnet_ids)


def _automatic(
    snapshot: Snapshot, nic: MachineInterface, used: list[Subnet], label: LabelConstraints, count: int
) -> Iterator[str]:
    """Without `ip=`: so many addresses, of subnets that the label names."""
    if len(nic.ips) != count:
        yield f"{nic.name}: {len(nic.ips)} addresses with mode={nic.mode}"
    elif not all(names_subnet(snapshot, subnet, label) for subnet in used):
        yield f"{nic.name}: an address of another subnet than the label names"


def _mode(nic: MachineInterface, label: LabelConstraints, on_vlan: Sequence[Subnet]) -> AddressMode:
    """The mode that the label leads to: on a VLAN without subnets `auto` takes a lease."""
    if label.mode is AddressMode.AUTO and nic.vlan_id is not None and not on_vlan:
        return AddressMode.DHCP
    return label.mode


def _names_twice(label: LabelConstraints) -> bool:
    keys = {term.key for term in label.terms if not term.negated}
    return {"subnet", "subnet_cidr"} <= keys


def _longest(snapshot: Snapshot, nic: MachineInterface, subnet_ids: Sequence[SubnetId]) -> Iterator[str]:
    """The subnet with the longest prefix that contains the address."""
    for ip, subnet_id in zip(nic.ips, subnet_ids, strict=False):
        around = [subnet for subnet in snapshot.subnets if ip in subnet.cidr]
        longest = max((subnet.cidr.prefixlen for subnet in around), default=0)
        if not any(subnet.id == subnet_id and subnet.cidr.prefixlen == longest for subnet in around):
            yield f"{nic.name}: {ip} lies in a smaller subnet"


def _is_ours(snapshot: Snapshot, subnet: Subnet, number: int) -> bool:
    ranges = snapshot.ranges_by_subnet.get(subnet.id, ())
    inside = {range_.kind for range_ in ranges if int(range_.start) <= number <= int(range_.end)}
    if RangeKind.DYNAMIC in inside or (subnet.gateway is not None and number == int(subnet.gateway)):
        return False
    if (RangeKind.RESERVED in inside) is subnet.managed:
        return False
    if subnet.cidr.num_addresses <= 2:
        return True
    ends = {int(subnet.cidr.network_address)}
    if subnet.cidr.version == 4:
        ends.add(int(subnet.cidr.broadcast_address))
    return number not in ends
