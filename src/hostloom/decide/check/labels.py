"""The checker's own reading of labels: the interfaces that meet them, and the addresses of their NICs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address, ip_network

from hostloom.decide.snapshot import HostState, Snapshot
from hostloom.model.host import CorrelationState
from hostloom.model.ids import SpaceId, SubnetId, VlanId
from hostloom.model.machine import MachineInterface
from hostloom.model.network import Address, RangeKind, Subnet, Vlan
from hostloom.model.node import Node, NodeInterface
from hostloom.model.plan import Plan
from hostloom.model.request import AddressMode, LabelConstraints, ParsedRequest, Term

_VLAN_KEYS = ("fabric", "fabric_class", "vlan", "vid", "space", "subnet", "subnet_cidr")
_OWN_KEYS = ("id", "name", "hostname", "type", "tag", "link_speed", "ip")


@dataclass(frozen=True)
class Scene:
    """A plan that is to be checked."""

    snapshot: Snapshot
    #: The host including the other machines of the batch.
    state: HostState
    request: ParsedRequest
    plan: Plan
    #: The labels of the request; empty without interface constraints.
    labels: tuple[LabelConstraints, ...]

    @property
    def is_known(self) -> bool:
        """Whether the host is correlated with a node."""
        return self.state.host.correlation.state is CorrelationState.CORRELATED

    @cached_property
    def node(self) -> Node | None:
        """The node of the host."""
        return self.snapshot.node_of(self.state.host)

    @cached_property
    def interfaces(self) -> dict[str, NodeInterface]:
        """Host interfaces by name."""
        return {interface.name: interface for interface in (self.node.interfaces if self.node else ())}


def unmet_keys(
    snapshot: Snapshot, hostname: str, interface: NodeInterface | None, label: LabelConstraints
) -> Iterator[str]:
    """The keys that the interface does not meet; an unknown interface meets none."""
    signs = {(term.key, term.negated) for term in label.terms if _selects(term)}
    for key, negated in sorted(signs):
        values = [term.value for term in label.terms if (term.key, term.negated) == (key, negated)]
        if interface is None:
            yield key
        elif any(_is(snapshot, hostname, interface, key, value) for value in values) is negated:
            yield f"{'not_' * negated}{key}"


def names_subnet(snapshot: Snapshot, subnet: Subnet, label: LabelConstraints) -> bool:
    """Whether the label allows addresses of this subnet, because it names it or no subnet."""
    for key in ("subnet", "subnet_cidr"):
        values = [term.value for term in label.terms if term.key == key and not term.negated]
        if values and not any(_subnet_is(snapshot, subnet, value) for value in values):
            return False
    return True


def _selects(term: Term) -> bool:
    return term.key in _VLAN_KEYS or (term.key in _OWN_KEYS and (term.key != "ip" or term.negated))


def _is(snapshot: Snapshot, hostname: str, interface: NodeInterface, key: str, value: str) -> bool:
    if key in _VLAN_KEYS:
        vlan = snapshot.vlan_by_id.get(interface.vlan_id or VlanId(0))
        return vlan is not None and _vlan_is(snapshot, vlan, key, value)
    if key == "tag":
        return all(tag.strip() in interface.tags for tag in value.split("&&"))
    if key == "link_speed":
        return interface.link_speed > 0 and interface.link_speed >= int(value)
    if key == "ip":
        return any(ip == ip_address(value) for ip in interface.ips)
    facts = {"id": str(interface.id), "name": interface.name, "hostname": hostname, "type": interface.kind}
    return facts[key] == (str(int(value)) if key == "id" else value)


def _vlan_is(snapshot: Snapshot, vlan: Vlan, key: str, value: str) -> bool:
    fabric = snapshot.fabric_by_id[vlan.fabric_id]
    if key == "vid":
        return vlan.vid == _vid(value)
    if key == "fabric_class" or (key == "fabric" and value.startswith("class:")):
        return fabric.class_type == value.removeprefix("class:")
    if key == "fabric":
        return _is_called(
            value, "fabric", fabric.id, fabric.name, {fabric.name for fabric in snapshot.fabrics}
        )
    if key == "space":
        return _space_is(snapshot, vlan.space_id, value)
    if key == "vlan":
        return _vlan_is_called(snapshot, vlan, value)
    return any(_subnet_is(snapshot, subnet, value) for subnet in snapshot.subnets_by_vlan.get(vlan.id, ()))


def _space_is(snapshot: Snapshot, space_id: SpaceId | None, value: str) -> bool:
    space = None if space_id is None else snapshot.space_by_id[space_id]
    if space is None or value == "undefined":
        return space is None and value == "undefined"
    names = {other.name for other in snapshot.spaces}
    return _is_called(value, "space", space.id, space.name, names)


def _vlan_is_called(snapshot: Snapshot, vlan: Vlan, value: str) -> bool:
    form, _, rest = value.partition(":")
    if rest and form in ("vid", "fabric", "subnet", "space"):
        return _vlan_is(snapshot, vlan, form, rest)
    if rest and form == "id":
        return vlan.id == int(rest)
    if rest and form == "name":
        return vlan.name == rest
    return vlan.name == value if _vid(value) is None else vlan.vid == _vid(value)


def _subnet_is(snapshot: Snapshot, subnet: Subnet, value: str) -> bool:
    form, _, rest = value.partition(":")
    if rest and form in ("vid", "vlan", "space", "fabric"):
        return _vlan_is(snapshot, snapshot.vlan_by_id[subnet.vlan_id], form, rest)
    if rest and form == "ip":
        return ip_address(rest) in subnet.cidr
    text = value.removeprefix("cidr:").removeprefix("name:")
    if "/" in text and not value.startswith("name:"):
        return ip_network(text, strict=False) == subnet.cidr
    return _is_called(
        value.removeprefix("cidr:"), "subnet", subnet.id, subnet.name, {s.name for s in snapshot.subnets}
    )


def _is_called(value: str, noun: str, number: int, name: str, names: set[str]) -> bool:
    """Whether the value is the record's name or, if no name matches, its id: `5`, `id:5` or `fabric-5`."""
    text = value.removeprefix("name:")
    if text in names:
        return name == text
    return value in (str(number), f"id:{number}", f"{noun}-{number}")


def _vid(value: str) -> int | None:
    """`untagged`, or a number in decimal, 0x or 0b."""
    if value == "untagged":
        return 0
    try:
        return int(value, 0) if value[:2].lower() in ("0x", "0b") else int(value)
    except ValueError:
        return None


def check_addresses(scene: Scene) -> Iterator[str]:
    """Check that every address is available and used once, and that every NIC has its addresses."""
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
            yield from check_address(scene.snapshot, nic, ip, subnet_id)
        label = scene.labels[index] if index < len(scene.labels) else default
        yield from _as_labelled(scene.snapshot, nic, subnet_ids, label)


def check_address(
    snapshot: Snapshot, nic: MachineInterface, ip: Address, subnet_id: SubnetId
) -> Iterator[str]:
    """Check that the address is free and that hostloom may assign it on the VLAN of the NIC."""
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
    on_vlan = snapshot.subnets_on(nic.vlan_id)
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
    """With `ip=`: check that the NIC has these addresses, each in the smallest subnet around it."""
    if nic.ips != label.ips:
        yield f"{nic.name}: other addresses than those asked for"
    yield from _longest(snapshot, nic, subnet_ids)


def _automatic(
    snapshot: Snapshot, nic: MachineInterface, used: list[Subnet], label: LabelConstraints, count: int
) -> Iterator[str]:
    """Without `ip=`: check the number of addresses, and that the label allows their subnets."""
    if len(nic.ips) != count:
        yield f"{nic.name}: {len(nic.ips)} addresses with mode={nic.mode}"
    elif not all(names_subnet(snapshot, subnet, label) for subnet in used):
        yield f"{nic.name}: an address of another subnet than the label names"


def _mode(nic: MachineInterface, label: LabelConstraints, on_vlan: Sequence[Subnet]) -> AddressMode:
    """The effective mode of the label. On a VLAN without subnets, `auto` means a lease."""
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
